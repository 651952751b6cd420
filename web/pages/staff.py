"""The members of staff: who is there, with which role and team; add, change, end sessions, block, recover.

An administrator does it all; a team lead ends sessions and blocks in his own team. Nobody changes himself, and a
recovery takes two persons. What changes works at the member's next request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core import sign_up
from core.database import Row
from core.errors import Conflict, NotAllowed, NotFound, VeiligError
from core.staff import ROLES, add_staff, change
from web.access.guard import Handler, Visit, screen
from web.access.scope import as_id

LIST = "/medewerkers"
ADD_FIELDS = {"gebruikersnaam": "een gebruikersnaam", "naam": "een naam", "rol": "een rol"}
NOT_FOR_LEADS = {"administrator", "privacy_officer", "auditor", "team_lead"}
MAX = 100
MAX_REASON = 500
NOT_HERE = "Dit mag u bij deze medewerker niet doen."
REASON = "Schrijf in een zin waarom u dit doet."


def index(visit: Visit) -> Response:
    """Everybody of this region."""
    found = _members(visit)
    visit.note("staff.view", "staff", details={"count": len(found)})
    return _list(visit, found)


def add(visit: Visit) -> Response:
    """A new member, with a link and a code that are shown once."""
    form = {name: value.strip()[:MAX] for name, value in visit.form.items()}
    errors = {name: f"Vul {words} in." for name, words in ADD_FIELDS.items() if not form.get(name)}
    if form.get("rol") and form["rol"] not in ROLES:
        errors["rol"] = "Kies een rol uit de lijst."
    if form.get("gebruikersnaam") and not form["gebruikersnaam"].replace(".", "").replace("-", "").isalnum():
        errors["gebruikersnaam"] = "Gebruik alleen letters, cijfers, punten en streepjes."
    if errors:
        return _list(visit, _members(visit), errors, 400)
    role: Any = form["rol"]
    subject, team = form.get("nummer") or None, _team(visit, form.get("team", ""))
    try:
        with visit.db.transaction():
            member = add_staff(
                visit.db,
                visit.region,
                form["gebruikersnaam"],
                form["naam"],
                role,
                team=team,
                oidc_subject=subject,
                actor=visit.actor,
            )
    except Conflict as error:
        return _list(visit, _members(visit), {"gebruikersnaam": error.message}, 409)
    made = sign_up.invite(visit.db, visit.region, member, visit.actor)
    return visit.show("staff_invited.html", name=form["naam"], path=made.path, code=made.code, words="nieuw")


def show(visit: Visit) -> Response:
    """One member, what his rights were, and what may be done."""
    member = _member(visit)
    visit.note("staff.view", "staff", member["id"])
    return _page(visit, member)


def acting(work: Callable[[Visit, Row], Response]) -> Handler:
    """A handler that does this to the member of the page, when this visitor may act on him at all."""

    def handler(visit: Visit) -> Response:
        member = _member(visit)
        if not _manages(visit, member):
            raise NotAllowed(NOT_HERE)
        try:
            with visit.db.transaction():
                return work(visit, member)
        except (NotFound, NotAllowed):
            raise
        except VeiligError as error:
            return _page(visit, member, {"reden": error.message}, error.status)

    return handler


def confirm_reset(visit: Visit) -> Response:
    """The second person: the link is shown once, and works with the code of the first."""
    reset = as_id(visit.request.path_params["id"])
    row = visit.db.execute(
        "SELECT s.id, s.name, s.role, s.team_id, s.active FROM sign_in_reset r JOIN staff s ON s.id = r.staff_id"
        " WHERE r.id = %s AND r.region_id = %s AND r.ended_at IS NULL",
        (reset, visit.region),
    ).fetchone()
    if row is None:
        raise NotFound
    if not _manages(visit, row):
        raise NotAllowed(NOT_HERE)
    path = sign_up.confirm_reset(visit.db, visit.region, reset, visit.member.id, visit.actor)
    return visit.show("staff_invited.html", name=row["name"], path=path, code="", words="hersteld")


def change_rights(visit: Visit, member: Row) -> Response:
    role, team = visit.form.get("rol", ""), _team(visit, visit.form.get("team", ""))
    change(visit.db, visit.region, member["id"], role, team, member["active"], _reason(visit), visit.actor)
    return _back(member)


def deactivate(visit: Visit, member: Row) -> Response:
    change(
        visit.db, visit.region, member["id"], member["role"], member["team_id"], False, _reason(visit), visit.actor
    )
    return end_sessions(visit, member)


def activate(visit: Visit, member: Row) -> Response:
    change(visit.db, visit.region, member["id"], member["role"], member["team_id"], True, _reason(visit), visit.actor)
    return _back(member)


def end_sessions(visit: Visit, member: Row) -> Response:
    row = visit.db.execute("SELECT end_sessions_of(%s) AS ended", (member["id"],)).fetchone()
    visit.note("staff.end_sessions", "staff", member["id"], {"ended": row["ended"] if row else 0})
    return _back(member)


def invite(visit: Visit, member: Row) -> Response:
    if member["factors"]:
        raise Conflict(
            "Deze medewerker heeft al een tweede stap. Herstellen kan wel: daar zijn twee mensen voor nodig."
        )
    made = sign_up.invite(visit.db, visit.region, member["id"], visit.actor)
    return visit.show("staff_invited.html", name=member["name"], path=made.path, code=made.code, words="nieuw")


def reset(visit: Visit, member: Row) -> Response:
    code = sign_up.start_reset(visit.db, visit.region, member["id"], _reason(visit), visit.member.id, visit.actor)
    return visit.show("staff_invited.html", name=member["name"], path="", code=code, words="begonnen")


def _manages(visit: Visit, member: Row) -> bool:
    """Whether this visitor may act on this member at all."""
    me = visit.member
    if member["id"] == me.id:
        return False
    if me.role == "administrator":
        return True
    return member["role"] not in NOT_FOR_LEADS and me.team in (None, member["team_id"])


def _reason(visit: Visit) -> str:
    reason = visit.form.get("reden", "").strip()[:MAX_REASON]
    if not reason:
        raise Conflict(REASON)
    return reason


def _team(visit: Visit, text: str) -> UUID | None:
    return as_id(text) if text else None


def _member(visit: Visit) -> Row:
    wanted = as_id(visit.request.path_params["id"])
    found = [row for row in _members(visit) if row["id"] == wanted]
    if not found:
        raise NotFound
    return found[0]


def _members(visit: Visit) -> list[Row]:
    return visit.db.execute(
        "SELECT s.id, s.username, s.name, s.role, s.team_id, s.active, s.oidc_subject IS NOT NULL AS oidc,"
        " t.name AS team, o.factors, o.sessions, o.last_sign_in, o.invited_until"
        " FROM staff s LEFT JOIN team t ON t.id = s.team_id"
        " LEFT JOIN staff_overview() o ON o.staff_id = s.id WHERE s.region_id = %s ORDER BY s.active DESC, s.name",
        (visit.region,),
    ).fetchall()


def _teams(visit: Visit) -> list[Row]:
    return visit.db.execute(
        "SELECT id, name FROM team WHERE region_id = %s AND kind = 'veilig_thuis' AND valid_to IS NULL ORDER BY name",
        (visit.region,),
    ).fetchall()


def _back(member: Row) -> Response:
    return RedirectResponse(f"{LIST}/{member['id']}", status_code=303)


def _list(visit: Visit, members: list[Row], errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    resets = visit.db.execute(
        "SELECT r.id, r.reason, r.started_at, r.started_by, s.id AS staff_id, s.name, a.name AS starter"
        " FROM sign_in_reset r JOIN staff s ON s.id = r.staff_id JOIN staff a ON a.id = r.started_by"
        " WHERE r.region_id = %s AND r.ended_at IS NULL AND r.ends_at > now() ORDER BY r.started_at",
        (visit.region,),
    ).fetchall()
    return visit.show(
        "staff.html",
        status,
        members=members,
        teams=_teams(visit),
        resets=resets,
        role_names=ROLES,
        errors=errors or {},
        form=visit.form,
    )


def _page(visit: Visit, member: Row, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    changes = visit.db.execute(
        "SELECT c.changed_at, c.changed_by, c.role, c.active, c.reason, t.name AS team FROM staff_change c"
        " LEFT JOIN team t ON t.id = c.team_id WHERE c.staff_id = %s ORDER BY c.changed_at DESC LIMIT 50",
        (member["id"],),
    ).fetchall()
    return visit.show(
        "staff_member.html",
        status,
        one=member,
        manages=_manages(visit, member),
        teams=_teams(visit),
        changes=changes,
        role_names=ROLES,
        errors=errors or {},
        form=visit.form,
    )


routes: list[BaseRoute] = [
    screen(LIST, index, "staff.view"),
    screen(LIST, add, "staff.add", "POST"),
    screen(LIST + "/{id}", show, "staff.view"),
    screen(LIST + "/{id}/rechten", acting(change_rights), "staff.change", "POST"),
    screen(LIST + "/{id}/toelaten", acting(activate), "staff.change", "POST"),
    screen(LIST + "/{id}/blokkeren", acting(deactivate), "staff.deactivate", "POST"),
    screen(LIST + "/{id}/sessies", acting(end_sessions), "staff.end_sessions", "POST"),
    screen(LIST + "/{id}/uitnodigen", acting(invite), "staff.add", "POST"),
    screen(LIST + "/{id}/herstellen", acting(reset), "staff.reset", "POST"),
    screen(LIST + "/herstel/{id}/bevestigen", confirm_reset, "staff.confirm_reset", "POST"),
]
