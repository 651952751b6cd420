"""Who watches the safety in the case of one report: agree that the reporter does, or take it back to Veilig Thuis."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.deadlines import local_day
from core.errors import Conflict, ReasonMissing, VeiligError
from intake.models import Report
from radar.casework import dossier, watch_agreement
from radar.models import Case
from web.access.guard import Visit
from web.access.scope import find
from web.pages.forms import day_of, report_of

FIELDS: dict[type[VeiligError], str] = {
    watch_agreement.AgreementMissing: "afspraak",
    watch_agreement.WrongDay: "tot",
    ReasonMissing: "reden",
}


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def act(visit: Visit) -> Response:
    """Make the agreement or end it; a refused form leaves nothing behind and comes back with its text."""
    report, form = report_of(visit), visit.form
    chosen = form.get("handeling", "")
    if chosen not in ("afspraak", "terugnemen"):
        raise HTTPException(400)
    who = {"by": visit.actor, "role": visit.member.role}
    try:
        with visit.db.transaction():
            if chosen == "afspraak":
                agreed, until = form.get("afspraak", ""), day_of(form.get("tot", ""), watch_agreement.WrongDay())
                watch_agreement.agree(visit.db, report.id, agreed=agreed, until=until, **who, at=visit.at)
            else:
                watch_agreement.take_back(visit.db, report.id, reason=form.get("reden", ""), **who, at=visit.at)
    except tuple(FIELDS) as error:
        return _page(visit, report, 400, {FIELDS[type(error)]: error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"zicht": error.message})
    return RedirectResponse(f"/meldingen/{report.id}/zicht", status_code=303)


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    db, region = visit.db, visit.region
    visit.note("watch.view", "report", report.id)
    case = find(db, region, Case, report.case_id) if report.case_id else None
    watches = dossier.watch(db, region, case.id) if case else []
    now = watches[0] if watches and watches[0]["until"] is None else None
    return visit.show(
        "watch.html",
        status,
        report=report,
        case=case,
        watch=now,
        earlier=watches[1:] if now else watches,
        waits=report.state in watch_agreement.WAITING,
        today=local_day(visit.at),
        last_day=local_day(visit.at) + watch_agreement.LONGEST,
        errors=errors or {},
        form=visit.form,
    )
