"""Protecting one report: 'this is about somebody I know', restricting a person's dossier, excluding somebody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.errors import Conflict, NotAllowed, ReasonMissing, VeiligError
from intake.models import Report
from radar.casework import dossier
from radar.protection import exclusions, restrictions
from web.access.guard import Visit
from web.access.scope import as_id, find, id_or_none

TICK = "persoon-"
FIELDS: dict[type[VeiligError], str] = {
    Conflict: "persoon",
    ReasonMissing: "reden",
    restrictions.WrongColleague: "collega",
}


def show(visit: Visit) -> Response:
    return _page(visit, find(visit.db, visit.region, Report, visit.request.path_params["id"]))


def act(visit: Visit) -> Response:
    """Carry out one of the three; what the reader may see no longer afterwards, he is led away from."""
    report = find(visit.db, visit.region, Report, visit.request.path_params["id"])
    chosen = visit.form.get("handeling", "")
    known = {row["id"] for row in dossier.mentions(visit.db, visit.region, report.id)}
    try:
        with visit.db.transaction():
            match chosen:
                case "ken-ik":
                    _know_them(visit, known)
                case "afschermen":
                    _restrict(visit, known)
                case "uitsluiten":
                    _exclude(visit, known)
                case _:
                    raise HTTPException(400)
    except tuple(FIELDS) as error:
        field = next(name for kind, name in FIELDS.items() if isinstance(error, kind))
        return _page(visit, report, error.status, {f"{field}-{chosen}": error.message})
    away = {"ken-ik": "/wachtrij", "afschermen": "/afgeschermd"}
    return RedirectResponse(away.get(chosen, f"/meldingen/{report.id}/bescherming?gedaan=1"), status_code=303)


def _know_them(visit: Visit, known: set[UUID]) -> None:
    ticked = [as_id(name.removeprefix(TICK)) for name in visit.form if name.startswith(TICK)]
    if not ticked or not known.issuperset(ticked):
        raise Conflict("Kruis aan wie u kent.")
    exclusions.know_them(visit.db, visit.region, ticked, member=visit.member.id, by=visit.actor, at=visit.at)


def _restrict(visit: Visit, known: set[UUID]) -> None:
    if not visit.may("restriction.set"):
        raise NotAllowed
    restrictions.restrict(
        visit.db,
        visit.region,
        _chosen(visit, known),
        contact=id_or_none(visit.form.get("collega", "")) or UUID(int=0),
        reason=visit.form.get("reden", ""),
        **_who(visit),
    )


def _exclude(visit: Visit, known: set[UUID]) -> None:
    if not visit.may("exclusion.set"):
        raise NotAllowed
    exclusions.exclude(
        visit.db,
        visit.region,
        _chosen(visit, known),
        staff=id_or_none(visit.form.get("collega", "")),
        team=id_or_none(visit.form.get("organisatie", "")),
        reason=visit.form.get("reden", ""),
        **_who(visit),
    )


def _chosen(visit: Visit, known: set[UUID]) -> UUID:
    mention = id_or_none(visit.form.get("persoon", ""))
    if mention not in known or mention is None:
        raise Conflict("Kies een persoon van deze melding.")
    return mention


def _who(visit: Visit) -> dict[str, Any]:
    return {"by": visit.actor, "role": visit.member.role, "at": visit.at}


def _page(visit: Visit, report: Report, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    visit.note("exclusion.view", "report", report.id)
    return visit.show(
        "protection.html",
        status,
        report=report,
        persons=dossier.mentions(visit.db, visit.region, report.id),
        colleagues=restrictions.caseworkers(visit.db, visit.region),
        teams=[team for team in dossier.teams(visit.db, visit.region) if team["kind"] != "veilig_thuis"],
        done=visit.request.query_params.get("gedaan") == "1",
        errors=errors or {},
        form=visit.form,
    )
