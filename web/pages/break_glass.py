"""Break-glass (noodinzage): open one hidden dossier for an hour, with a reason; and close it again."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from core.errors import Conflict, NotFound
from radar.protection import blind, break_glass
from web.access.guard import Visit
from web.access.scope import as_id

FIELDS = {break_glass.CodeMissing: "code", break_glass.TooShort: "toelichting"}


def show(visit: Visit) -> Response:
    """The form; a report with nothing hidden behind it is as one that does not exist."""
    return _page(visit)


def open_dossier(visit: Visit) -> Response:
    report = as_id(visit.request.path_params["id"])
    try:
        with visit.db.transaction():
            break_glass.open_dossier(
                visit.db,
                visit.region,
                report,
                code=visit.form.get("code", ""),
                text=visit.form.get("toelichting", ""),
                member=visit.member.id,
                by=visit.actor,
                at=visit.at,
            )
    except (break_glass.CodeMissing, break_glass.TooShort) as error:
        return _page(visit, error.status, {FIELDS[type(error)]: error.message})
    except Conflict as error:
        return _page(visit, error.status, {"noodinzage": error.message})
    return RedirectResponse(f"/meldingen/{report}", status_code=303)


def stop(visit: Visit) -> Response:
    """Close it; who was too late finds it closed already, which is what he wants."""
    try:
        with visit.db.transaction():
            break_glass.stop(
                visit.db,
                visit.region,
                as_id(visit.request.path_params["id"]),
                member=visit.member.id,
                by=visit.actor,
                at=visit.at,
            )
    except Conflict:
        visit.note("break_glass.stop", "access_grant", as_id(visit.request.path_params["id"]), {"late": True})
    return RedirectResponse("/wachtrij", status_code=303)


def told(visit: Visit) -> Response:
    """What a team lead is told of one: the privacy officer reviews it, with the log beside it."""
    grant = as_id(visit.request.path_params["id"])
    row = break_glass.told(visit.db, visit.region, grant, visit.member.id)
    visit.note("break_glass.told", "access_grant", grant)
    return visit.show("break_glass_told.html", grant=row)


def _page(visit: Visit, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    report = as_id(visit.request.path_params["id"])
    if not break_glass.possible(visit.db, report):
        raise NotFound
    visit.note("break_glass.view", "report", report)
    return visit.show(
        "break_glass.html",
        status,
        report_id=report,
        hits=blind.hits(visit.db, report),
        reasons={code: title for code, (title, _) in break_glass.REASONS.items()},
        minutes=break_glass.MINUTES,
        working_days=break_glass.REVIEW_WITHIN,
        errors=errors or {},
        form=visit.form,
    )
