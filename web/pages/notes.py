"""Notes on a report, and the page of what a member of staff must hear of."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.errors import VeiligError
from radar.casework import notes, notifications, tasks
from web.access.guard import Visit
from web.pages.forms import report_of


class NoMoment(VeiligError):
    """Laad de pagina opnieuw en probeer het nog eens."""

    status = 400


def show(visit: Visit) -> Response:
    """The notes of one report, with the form for a new one."""
    return _page(visit, {})


def write(visit: Visit) -> Response:
    report = report_of(visit)
    try:
        colleague = UUID(chosen) if (chosen := visit.form.get("voor", "")) else None
    except ValueError:
        return _page(visit, {"voor": notes.NoColleague().message}, 400)
    try:
        notes.write(
            visit.db,
            report.id,
            visit.form.get("tekst", ""),
            for_staff=colleague,
            by=visit.actor,
            at=visit.at,
        )
    except (notes.NoteMissing, notes.NoteTooLong) as error:
        return _page(visit, {"tekst": error.message}, 400)
    except notes.NoColleague as error:
        return _page(visit, {"voor": error.message}, 400)
    return RedirectResponse(f"/meldingen/{report.id}/notities", status_code=303)


def _page(visit: Visit, errors: dict[str, str], status: int = 200) -> Response:
    report = report_of(visit)
    visit.note("note.view", "report", report.id)
    return visit.show(
        "notes.html",
        status,
        report=report,
        notes=notes.of_report(visit.db, report.id),
        colleagues=[one for one in tasks.colleagues(visit.db, visit.region) if one["id"] != visit.member.id],
        form=visit.form,
        errors=errors,
    )


def told(visit: Visit) -> Response:
    """What I must hear of; the button marks as seen what stood on this page, and nothing that came after."""
    found = notifications.listing(visit.db, visit.member.id)
    return visit.show("notifications.html", told=found, kinds=notifications.KINDS)


def seen(visit: Visit) -> Response:
    try:
        until = datetime.fromisoformat(visit.form.get("tot", ""))
    except ValueError:
        raise NoMoment from None
    notifications.see(visit.db, visit.member.id, until)
    return RedirectResponse("/voor-mij", status_code=303)
