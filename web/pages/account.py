"""My account: my sessions, my second factors, my password, and who tried to sign in as me (PyPI's lesson)."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.errors import Conflict
from core.sign_up import to_tell
from core.staff import BadPassword, login_of, right_password, set_password
from web.access import passkeys, second_factor, sessions, throttle
from web.access.entrance import ACCOUNT, at_the_door
from web.access.guard import Visit, screen
from web.access.scope import as_id
from web.language import constants
from web.pages.confirm import holder
from web.pages.sign_in import WRONG_CODE, WRONG_KEY

PROOFS = "/mijn-account/bewijzen"
HOW = constants(
    {
        "password": "wachtwoord",
        "password+totp": "wachtwoord en app",
        "passkey": "passkey",
        "oidc": "via uw organisatie",
        "demo": "demo",
    }
)
STEPS = constants(
    {
        "password": "naam en wachtwoord",
        "code": "tweede stap",
        "passkey": "passkey",
        "oidc": "via uw organisatie",
        "confirm": "opnieuw bevestigen",
    }
)
OUTCOMES = constants({"ok": "Goed", "refused": "Mislukt", "held": "Moest wachten", "open": "Niet afgemaakt"})
KINDS = constants({"totp": "Authenticator-app", "passkey": "Passkey"})
WRONG_PASSWORD = "Uw huidige wachtwoord klopt niet."  # noqa: S105 a sentence
UNEQUAL = "De twee nieuwe wachtwoorden zijn niet gelijk."


def show(visit: Visit) -> Response:
    """Everything about my own sign-ins."""
    me = visit.member
    visit.note("account.view", "staff", me.id)
    return visit.show(
        "account.html",
        sessions=sessions.open_ones(visit.db, me.id, visit.session_token),
        factors=second_factor.factors(visit.db, me.id),
        attempts=throttle.own_attempts(visit.db, me.id),
        resets=to_tell(visit.db, me.id),
        how=HOW,
        steps=STEPS,
        outcomes=OUTCOMES,
        kinds=KINDS,
    )


def end_sessions(visit: Visit) -> Response:
    """End one of my sessions, or all but this one."""
    me = visit.member
    if visit.form.get("sessie"):
        session = as_id(visit.form["sessie"])
        if sessions.end_one(visit.db, me.id, session):
            visit.note("session.end_other", "session", session)
    else:
        visit.note(
            "session.end_other",
            "staff",
            me.id,
            {"ended": sessions.end_others(visit.db, me.id, visit.session_token)},
        )
    return RedirectResponse(ACCOUNT, status_code=303)


def told(visit: Visit) -> Response:
    """I have read that my sign-in was reset."""
    visit.db.execute(
        "UPDATE sign_in_reset SET told_at = now()"
        " WHERE staff_id = %s AND confirmed_at IS NOT NULL AND told_at IS NULL",
        (visit.member.id,),
    )
    visit.note("account.told", "staff", visit.member.id)
    return RedirectResponse(ACCOUNT, status_code=303)


def proofs(visit: Visit) -> Response:
    """Where I change what proves that it is me; a step-up stands before it."""
    return _proofs(visit, {})


def change(visit: Visit) -> Response:
    """Another password, another app, a passkey, or one fewer. What is secret is read and written at the door."""
    act = {
        "wachtwoord": _password,
        "app": _begin_app,
        "app_code": _confirm_app,
        "passkey": _passkey,
        "einde": _end,
    }.get(visit.form.get("handeling", ""))
    errors = act(visit) if act else {}
    if errors:
        return _proofs(visit, errors, 400)
    return RedirectResponse(PROOFS if visit.form.get("handeling") == "app" else ACCOUNT, status_code=303)


def _password(visit: Visit) -> dict[str, str]:
    form = visit.form
    if form.get("nieuw", "") != form.get("nogmaals", ""):
        return {"nogmaals": UNEQUAL}
    with at_the_door(visit.request, visit.session_token) as door:
        login = login_of(door, visit.member.id)
        if login is None or not right_password(login, form.get("wachtwoord", "")):
            return {"wachtwoord": WRONG_PASSWORD}
        try:
            set_password(door, visit.member, form.get("nieuw", ""))
        except BadPassword as error:
            return {"nieuw": error.message}
        ended = sessions.end_others(door, visit.member.id, visit.session_token)
    visit.note("password.change", "staff", visit.member.id, {"ended": ended})
    return {}


def _begin_app(visit: Visit) -> dict[str, str]:
    with at_the_door(visit.request, visit.session_token) as door:
        second_factor.begin(door, visit.member)
    return {}


def _confirm_app(visit: Visit) -> dict[str, str]:
    with at_the_door(visit.request, visit.session_token) as door:
        right = second_factor.confirm(door, visit.member, visit.form.get("code", ""), visit.at)
    return {} if right else {"code": WRONG_CODE}


def _passkey(visit: Visit) -> dict[str, str]:
    where, form = passkeys.site(visit.request), visit.form
    with at_the_door(visit.request, visit.session_token) as door:
        made = where and passkeys.register(
            door,
            visit.member,
            form.get("sleutel", ""),
            form.get("naam", ""),
            where,
            holder(visit.session_token),
            visit.at,
        )
    return {} if made else {"sleutel": WRONG_KEY}


def _end(visit: Visit) -> dict[str, str]:
    try:
        with at_the_door(visit.request, visit.session_token) as door:
            second_factor.end(door, visit.member, as_id(visit.form.get("factor", "")))
    except Conflict as error:
        return {"factor": error.message}
    return {}


def _proofs(visit: Visit, errors: dict[str, str], status: int = 200) -> Response:
    where, options = passkeys.site(visit.request), None
    with at_the_door(visit.request, visit.session_token) as door:
        begun = second_factor.begun(door, visit.member)
        has_password = (login := login_of(door, visit.member.id)) is not None and login.password_hash is not None
        if where:
            options = passkeys.register_options(door, visit.member, where, holder(visit.session_token), visit.at)
    return visit.show(
        "account_proofs.html",
        status,
        errors=errors,
        begun=begun,
        options=options,
        has_password=has_password,
        factors=second_factor.factors(visit.db, visit.member.id),
        kinds=KINDS,
    )


routes: list[BaseRoute] = [
    screen(ACCOUNT, show, "account.view"),
    screen(ACCOUNT + "/sessies", end_sessions, "account.view", "POST"),
    screen(ACCOUNT + "/gezien", told, "account.view", "POST"),
    screen(PROOFS, proofs, "account.prove"),
    screen(PROOFS, change, "account.prove", "POST"),
]
