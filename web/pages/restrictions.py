"""Restricted dossiers and exclusions: who keeps them, who is let in, and lifting one with two persons."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, ReasonMissing, VeiligError
from radar.protection import exclusions, grants, restrictions
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages.forms import day_of

FIELDS: dict[type[VeiligError], str] = {
    ReasonMissing: "reden",
    restrictions.WrongDay: "tot",
    restrictions.WrongColleague: "collega",
    grants.PurposeMissing: "doel",
    Conflict: "handeling",
}
KEEPING = ("contact", "voorstellen", "opheffen", "laten")
"""What only a team lead or privacy officer does; letting somebody in the contact does too."""


def show(visit: Visit) -> Response:
    """Every restriction and exclusion for who keeps them; for a contact his own."""
    return _page(visit)


def act(visit: Visit) -> Response:
    """One act on one restriction; a refused form leaves nothing behind and comes back with its text."""
    restriction, chosen = as_id(visit.request.path_params["id"]), visit.form.get("handeling", "")
    if chosen in KEEPING and not visit.may("restriction.keep"):
        raise NotAllowed
    try:
        with visit.db.transaction():
            _act(visit, restriction, chosen)
    except tuple(FIELDS) as error:
        field = next(name for kind, name in FIELDS.items() if isinstance(error, kind))
        return _page(visit, error.status, {f"{field}-{chosen}-{restriction}": error.message})
    return _back()


def away(visit: Visit) -> Response:
    """Say until when a contact is away: himself, or a team lead or privacy officer for him."""
    staff = as_id(visit.request.path_params["id"])
    if staff != visit.member.id and not visit.may("restriction.keep"):
        raise NotAllowed
    text = visit.form.get("tot", "")
    try:
        with visit.db.transaction():
            until = day_of(text, restrictions.WrongDay()) if text else None
            restrictions.away(visit.db, visit.region, staff, until, by=visit.actor, at=visit.at)
    except restrictions.WrongDay as error:
        return _page(visit, error.status, {f"tot-afwezig-{staff}": error.message})
    return _back()


def lift_exclusion(visit: Visit) -> Response:
    """It no longer holds."""
    exclusion = as_id(visit.request.path_params["id"])
    who: dict[str, Any] = {"by": visit.actor, "member": visit.member.id, "role": visit.member.role, "at": visit.at}
    try:
        with visit.db.transaction():
            exclusions.lift(visit.db, visit.region, exclusion, reason=visit.form.get("reden", ""), **who)
    except ReasonMissing as error:
        return _page(visit, error.status, {f"reden-uitsluiting-{exclusion}": error.message})
    return _back()


def _act(visit: Visit, restriction: UUID, chosen: str) -> None:
    db, region, form = visit.db, visit.region, visit.form
    keeper: dict[str, Any] = {"by": visit.actor, "role": visit.member.role, "at": visit.at}
    match chosen:
        case "toegang":
            restrictions.let_in(
                db,
                region,
                restriction,
                _colleague(form.get("collega", "")),
                until=day_of(form.get("tot", ""), restrictions.WrongDay()),
                purpose=form.get("doel", ""),
                reason=form.get("reden", ""),
                member=visit.member.id,
                **keeper,
            )
        case "intrekken":
            restrictions.put_out(
                db, region, restriction, as_id(form.get("toegang")), member=visit.member.id, **keeper
            )
        case "contact":
            restrictions.new_contact(db, region, restriction, _colleague(form.get("collega", "")), **keeper)
        case "voorstellen":
            restrictions.ask_to_lift(db, region, restriction, reason=form.get("reden", ""), **keeper)
        case "opheffen":
            restrictions.lift(db, region, restriction, **keeper)
        case "laten":
            restrictions.keep(db, region, restriction, **keeper)
        case _:
            raise HTTPException(400)


def _colleague(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise restrictions.WrongColleague from None


def _back() -> Response:
    return RedirectResponse("/afgeschermd", status_code=303)


def _page(visit: Visit, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    db, region = visit.db, visit.region
    found = [
        row | {"grants": restrictions.running_grants(db, region, row["person_id"], visit.at)}
        for row in restrictions.running(db, region)
    ]
    visit.note("restriction.view", "restriction", details={"rows": len(found)})
    today = local_day(visit.at)
    return visit.show(
        "restrictions.html",
        status,
        restrictions=found,
        exclusions=exclusions.running(db, region),
        colleagues=restrictions.caseworkers(db, region),
        purposes=grants.purposes("restricted"),
        errors=errors or {},
        fields=[name for name in errors or {} if not name.startswith(("handeling", "tot-afwezig"))],
        form=visit.form,
        today=today.isoformat(),
        last_day=(today + restrictions.LONGEST).isoformat(),
    )
