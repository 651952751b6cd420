"""Prove yourself again, before vaults and exports open: password and code, a passkey, or your organisation."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from core.database import Db, now
from core.secrets import token_hash
from core.staff import Login, login_of, right_password
from web.access import entrance, oidc, passkeys, second_factor, sessions, throttle
from web.access.arrival import arrival
from web.access.entrance import at_the_door, own_path
from web.access.guard import STEP_UP, Visit

MISSED = {
    "fout": "Dit klopt niet. Probeer het opnieuw.",
    "wacht": "Er is te vaak geprobeerd. Wacht even en probeer het dan opnieuw.",
}


def show(visit: Visit) -> Response:
    """The ways in which this member can prove himself."""
    query = visit.request.query_params
    kinds = {row["kind"] for row in second_factor.factors(visit.db, visit.member.id)}
    options = None
    if (where := passkeys.site(visit.request)) and "passkey" in kinds:
        with at_the_door(visit.request, visit.session_token) as door:
            known = passkeys.credentials(door, visit.member)
        options = passkeys.options(known, where, holder(visit.session_token), visit.at)
    return visit.show(
        "confirm.html",
        back=own_path(query.get("naar", "/")),
        error=MISSED.get(query.get("mis", ""), ""),
        kinds=kinds,
        options=options,
        provider=oidc.is_on(),
    )


def confirm(visit: Visit) -> Response:
    """Take the proof. This runs at the door, and the session goes on under a new token."""
    back, found = own_path(visit.form.get("naar", "/")), arrival(visit.request)
    # The row of the member is the lock: of many at once each sees the failures of those before it.
    visit.db.execute("SELECT 1 FROM staff WHERE id = %s FOR UPDATE", (visit.member.id,))
    attempt = throttle.begin(visit.db, visit.member.username, "confirm", found)
    login = login_of(visit.db, visit.member.id)
    held = attempt.must_wait(throttle.known_here(visit.db, visit.member.id, found))
    token = None
    if login and not held and _proves(visit, login):
        token = sessions.step_up(visit.db, token_hash(visit.session_token))
    if login is None or token is None:
        throttle.settle(visit.db, attempt, "held" if held else "refused", visit.member.id)
        entrance.refused(visit.db, login, "confirm", attempt.id)
        return RedirectResponse(address(back, "wacht" if held else "fout"), status_code=303)
    throttle.settle(visit.db, attempt, "ok", visit.member.id)
    entrance.stepped_up(visit.db, visit.request, login, token)
    response = RedirectResponse(back, status_code=303)
    sessions.give_cookie(response, token)
    return response


def address(back: str, missed: str = "") -> str:
    """This page, leading to `back` when it went well."""
    return f"{STEP_UP}?{urlencode({'naar': back} | ({'mis': missed} if missed else {}))}"


def holder(session_token: str) -> str:
    """Whose a ticket is that was given out in this session."""
    return f"session:{token_hash(session_token).hex()}"


def _proves(visit: Visit, login: Login) -> bool:
    db, form, at = visit.db, visit.form, now(visit.db)
    if answer := form.get("sleutel", ""):
        where = passkeys.site(visit.request)
        return bool(where and passkeys.check(db, answer, where, holder(visit.session_token), at, visit.member))
    return right_password(login, form.get("wachtwoord", "")) and _second(db, login, form)


def _second(db: Db, login: Login, form: Mapping[str, str]) -> bool:
    if not second_factor.factors(db, login.member.id):
        return entrance.needs_no_second_step(login)
    return second_factor.check(db, login.member, form.get("code", ""), now(db))
