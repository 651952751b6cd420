"""One case: the household, its time line and signals, the links with their reasons, and who watches the safety."""

from __future__ import annotations

from starlette.responses import Response

from radar.casework import dossier
from radar.models import Case
from radar.protection import blind
from radar.signals.involvement import KINDS
from web.access.guard import Visit
from web.access.scope import find
from web.pages import household_drawing
from web.pages.timeline import draw


def show(visit: Visit) -> Response:
    case = find(visit.db, visit.region, Case, visit.request.path_params["id"])
    visit.note("case.view", "case", case.id)
    reports = dossier.reports_of_household(visit.db, visit.region, case.household_id)
    signals = dossier.signals_of_household(visit.db, visit.region, case.household_id)
    watch = dossier.watch(visit.db, visit.region, case.id)
    members = dossier.members(visit.db, visit.region, case.household_id)
    protected = dossier.protected_members(visit.db, visit.region, members)
    return visit.show(
        "case.html",
        case=case,
        tasks=dossier.tasks_of_case(visit.db, visit.region, case.id),
        conditions=dossier.conditions_of_case(visit.db, visit.region, case.id),
        members=members,
        household=household_drawing.draw(
            members, visit.at, addresses=visit.sees("person.address"), protected=protected
        )
        if members
        else None,
        reports=reports,
        drawing=draw(reports, visit.at) if reports else None,
        involvement=KINDS,
        hits=blind.hits(visit.db, reports[-1]["id"]) if reports else [],
        signals=[row for row in signals if row["withdrawn_at"] is None],
        withdrawn=[row for row in signals if row["withdrawn_at"] is not None],
        links=dossier.links_of_household(visit.db, visit.region, case.household_id),
        watch=watch[0] if watch and watch[0]["until"] is None else None,
        earlier_watch=[row for row in watch if row["until"] is not None],
    )
