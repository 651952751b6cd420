"""Monitoring of one report: its moments, what was heard, and what a person decides to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.deadlines import AMSTERDAM, local_day
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from intake.models import Report
from radar.casework import monitoring, service, steps, tasks
from radar.protection import marks
from web.access.guard import Visit
from web.access.scope import as_id
from web.language import constants
from web.pages import shielding
from web.pages.forms import day_of, moment, report_of, who

RISKS = constants({"0": "Geen spoed bekend", "1": "Verhoogd", "2": "Acuut"})
SERVICES = {"conditions": "Voorwaarden en vervolg", "investigation": "Onderzoek"}
FIELDS: dict[type[VeiligError], str] = {
    monitoring.UnknownViolence: "geweld",
    monitoring.WhoMissing: "gesproken",
    monitoring.NoteMissing: "verslag",
    monitoring.WrongMoment: "wanneer",
    monitoring.WrongDay: "dag",
    ReasonMissing: "reden",
    marks.MayTellWhere: "adres",
    tasks.UnknownRisk: "risico",
    service.UnknownService: "traject",
}


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def act(visit: Visit) -> Response:
    """Do what the form says; a refused form leaves nothing behind and comes back with its text."""
    report = report_of(visit)
    name = visit.request.path_params["act"]
    done = ACTS.get(name)
    if done is None:
        raise NotFound
    try:
        with visit.db.transaction():
            shielding.kept(visit, report.id, lambda: done(visit, report))
    except tuple(FIELDS) as error:
        return _page(visit, report, 400, {FIELDS[type(error)]: error.message}, name)
    except Conflict as error:
        return _page(visit, report_of(visit), 409, {"monitoring": error.message}, name)
    return RedirectResponse(f"/meldingen/{report.id}/monitoring", status_code=303)


def _hold(visit: Visit, report: Report) -> None:
    form = visit.form
    moment = as_id(form.get("moment", ""))
    known = {row["id"] for row in monitoring.moments(visit.db, visit.region, report.id)}
    if moment not in known:
        raise NotFound
    monitoring.hold(
        visit.db,
        moment,
        violence=form.get("geweld", ""),
        spoke_with=form.get("gesproken", ""),
        note=form.get("verslag", ""),
        held_at=_moment(form.get("wanneer", "")),
        **who(visit),
    )


def _add(visit: Visit, report: Report) -> None:
    day, reason = day_of(visit.form.get("dag", ""), monitoring.WrongDay()), visit.form.get("reden", "")
    monitoring.add_moment(visit.db, report.id, planned_on=day, reason=reason, **who(visit))


def _keep_on(visit: Visit, report: Report) -> None:
    chosen, reason = visit.form.get("risico", ""), visit.form.get("reden", "")
    risk = int(chosen) if chosen in RISKS else -1
    monitoring.keep_on(visit.db, report.id, risk=risk, reason=reason, **who(visit))


def _close(visit: Visit, report: Report) -> None:
    steps.take(visit.db, report.id, "close", reason=visit.form.get("reden", ""), **who(visit))


def _take_on(visit: Visit, report: Report) -> None:
    kind, reason = visit.form.get("traject", ""), visit.form.get("reden", "")
    service.take_on(visit.db, report.id, kind, reason=reason, **who(visit))


ACTS: dict[str, Callable[[Visit, Report], None]] = {
    "gesprek": _hold,
    "moment": _add,
    "doorgaan": _keep_on,
    "afsluiten": _close,
    "zelf": _take_on,
}


def _moment(text: str) -> datetime:
    """What people type is the time in the Netherlands. Raises WrongMoment when it is none."""
    found = moment(text)
    if found is None:
        raise monitoring.WrongMoment
    return found


def _page(
    visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None, tried: str = ""
) -> Response:
    db, region = visit.db, visit.region
    visit.note("monitoring.view", "report", report.id)
    moments = monitoring.moments(db, region, report.id)
    planned = [row for row in moments if row["held_at"] is None and row["dropped_at"] is None]
    return visit.show(
        "monitoring.html",
        status,
        report=report,
        running=report.state == "monitoring",
        moments=moments,
        planned=planned,
        chosen=_chosen(visit, planned),
        asked=monitoring.asked(db, region, report.id),
        periods=monitoring.periods(db, region, report.id),
        follow_ons=monitoring.follow_ons(db, region, report.id),
        violence=monitoring.VIOLENCE,
        risks=RISKS,
        services=SERVICES,
        today=local_day(visit.at),
        moment=visit.form.get("wanneer") or f"{visit.at.astimezone(AMSTERDAM):%Y-%m-%dT%H:%M}",
        errors=errors or {},
        form=visit.form,
        tried=tried,
    )


def _chosen(visit: Visit, planned: list[dict[str, Any]]) -> UUID | None:
    """The moment that a talk is written down for: as typed, else the next one."""
    typed = visit.form.get("moment")
    return next((row["id"] for row in planned if str(row["id"]) == typed), planned[0]["id"] if planned else None)
