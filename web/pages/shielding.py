"""Protect the whereabouts of a person in a report, end that with two people, and mark what leads to the reporter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeVar
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from intake.models import Mention, Report
from radar.casework import dossier
from radar.protection import marks, settling, whereabouts
from web.access.guard import Visit
from web.access.scope import as_id, find
from web.pages.forms import report_of

T = TypeVar("T")
_ID = re.compile(r"[0-9a-f-]{36}")


class WrongDay(VeiligError):
    """Kies een dag in de toekomst, of laat het leeg."""

    status = 400


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def act(visit: Visit) -> Response:
    """Protect somebody, ask for the end of it, agree or not; a refused form comes back with its text."""
    report, form = report_of(visit), visit.form
    about = form.get("over", "")
    try:
        with visit.db.transaction():
            _act(visit, report)
    except (ReasonMissing, WrongDay) as error:
        return _page(
            visit, report, 400, {f"{'dag' if isinstance(error, WrongDay) else 'reden'}-{about}": error.message}
        )
    except (Conflict, NotAllowed) as error:
        return _page(visit, report, error.status, {"afscherming": error.message})
    return _back(report, "afscherming")


def _act(visit: Visit, report: Report) -> None:
    if visit.form.get("handeling") != "afschermen" and not visit.may("protection.lift"):
        raise NotAllowed
    db, by, at, form = visit.db, visit.actor, visit.at, visit.form
    about, reason = as_id(form.get("over", "")), form.get("reden", "")
    match form.get("handeling", ""):
        case "afschermen":
            mention = find(db, visit.region, Mention, about)
            if mention.report_id != report.id:
                raise NotFound
            day = _day(visit, form.get("dag", ""))
            whereabouts.protect(db, mention.id, reason, by=by, at=at, look_again_on=day)
        case "beeindigen":
            whereabouts.ask_lift(db, _protection(visit, report, about), reason, by=by, at=at)
        case "akkoord":
            whereabouts.lift(db, _protection(visit, report, about), by=by, at=at)
        case "houden":
            whereabouts.keep(db, _protection(visit, report, about), by=by, at=at)
        case _:
            raise HTTPException(400)


def _protection(visit: Visit, report: Report, wanted: UUID) -> UUID:
    """A protection that somebody in this report has. Raises NotFound."""
    for one in whereabouts.of_report(visit.db, visit.region, report.id):
        if any(row["id"] == wanted for row in one.protections):
            return wanted
    raise NotFound


def _day(visit: Visit, text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise WrongDay from None
    if day <= local_day(visit.at):
        raise WrongDay
    return day


def traces(visit: Visit) -> Response:
    """Every sentence of the report, to be ticked when it leads to the reporter."""
    return _traces(visit, report_of(visit))


def mark(visit: Visit) -> Response:
    """Mark the ticked sentences, and take back the marks of those that are not ticked any more."""
    report = report_of(visit)
    ticked = {text for name, text in visit.form.items() if name.startswith("zin-")}
    try:
        with visit.db.transaction():
            found = {one.text: one for one in marks.choices(visit.db, report.id)}
            if not ticked <= found.keys():
                raise marks.NotInReport
            for text, one in found.items():
                if one.mark and text not in ticked:
                    marks.unmark(visit.db, one.mark, by=visit.actor, at=visit.at)
                elif text in ticked and not one.mark:
                    marks.mark(visit.db, report.id, text, by=visit.actor, at=visit.at)
    except (marks.NotInReport, Conflict) as error:
        return _traces(visit, report, error.status, {"zin": error.message})
    return _back(report, "herleidbaar")


def kept(visit: Visit, report_id: UUID, work: Callable[[], T]) -> T:
    """Do the work of a form on a report, after a look whether its texts tell where a protected person is.

    What is kept although it does is left out here too, as soon as it stands there. Raises marks.MayTellWhere, for
    which the form asks `toch`.
    """
    if not whereabouts.is_hidden(visit.db, report_id):
        return work()
    if visit.form.get("toch") != "ja":
        texts = [text for name, text in visit.form.items() if name != "formulier" and not _ID.fullmatch(text)]
        marks.look_first(visit.db, report_id, texts)
    done = work()
    settling.settle(visit.db, [report_id], by=visit.actor, at=visit.at)
    return done


def _back(report: Report, page: str) -> Response:
    return RedirectResponse(f"/meldingen/{report.id}/{page}", status_code=303)


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    visit.note("protection.view", "report", report.id)
    known = {one.mention_id: one for one in whereabouts.of_report(visit.db, visit.region, report.id)}
    return visit.show(
        "shielding.html",
        status,
        report=report,
        persons=[(row, known.get(row["id"])) for row in dossier.mentions(visit.db, visit.region, report.id)],
        today=local_day(visit.at),
        errors=errors or {},
        form=visit.form,
    )


def _traces(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    visit.note("mark.view", "report", report.id)
    return visit.show(
        "traces.html", status, report=report, choices=marks.choices(visit.db, report.id), errors=errors or {}
    )
