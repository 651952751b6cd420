"""A form that is no report: send it on after seeing what happens then, and take it back when that was a mistake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from starlette.responses import RedirectResponse, Response

from core.deadlines import local_day
from core.errors import Conflict, ReasonMissing
from intake.models import Report
from radar.casework import dossier, forwarding, terms
from radar.casework.states import MOVES
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages.forms import report_of


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def forward(visit: Visit) -> Response:
    """Send it on; what is missing comes back with what was typed."""
    report, form = report_of(visit), visit.form
    try:
        with visit.db.transaction():
            forwarding.forward(
                visit.db,
                report.id,
                to=form.get("instantie", ""),
                reason=form.get("reden", ""),
                by=visit.actor,
                role=visit.member.role,
                at=visit.at,
            )
    except forwarding.PlaceMissing as error:
        return _page(visit, report, 400, {"instantie": error.message})
    except ReasonMissing as error:
        return _page(visit, report, 400, {"reden": error.message})
    except Conflict as error:
        return _page(visit, report_of(visit), 409, {"melding": error.message})
    return RedirectResponse(f"/meldingen/{report.id}/doorsturen", status_code=303)


def retrieve(visit: Visit) -> Response:
    """It was a report after all."""
    report = report_of(visit)
    known = forwarding.of_report(visit.db, visit.region, report.id)
    chosen = as_id(visit.form.get("doorsturing", ""))
    try:
        if chosen not in {row["id"] for row in known}:
            raise Conflict("Dit formulier is intussen opnieuw doorgestuurd of teruggehaald. Lees de pagina opnieuw.")
        with visit.db.transaction():
            forwarding.retrieve(
                visit.db,
                chosen,
                reason=visit.form.get("reden", ""),
                by=visit.actor,
                role=visit.member.role,
                at=visit.at,
            )
    except ReasonMissing as error:
        return _page(visit, report, 400, {"reden": error.message})
    except Conflict as error:
        return _page(visit, report_of(visit), 409, {"melding": error.message})
    return RedirectResponse(f"/meldingen/{report.id}", status_code=303)


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    db, region = visit.db, visit.region
    visit.note("forwarding.view", "report", report.id)
    known = forwarding.of_report(db, region, report.id)
    now = known[0] if known and known[0]["retrieved_at"] is None else None
    return visit.show(
        "forwarding.html",
        status,
        report=report,
        now_forwarded=now,
        earlier=[row for row in known if row is not now],
        possible=report.state in MOVES["forward"].sources,
        tasks=dossier.open_tasks(db, region, report.id),
        household=dossier.reports_of_household(db, region, report.household_id) if report.household_id else [],
        days=terms.terms().forwarding.days,
        destroy_on=local_day(visit.at) + timedelta(days=terms.terms().forwarding.days),
        errors=errors or {},
        form=visit.form,
    )
