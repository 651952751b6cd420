"""Sign in and sign out: the password and then the second step, or a passkey, which is both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.database import Db, now, present, transaction
from core.errors import NotAllowed
from core.settings import settings
from core.staff import DEMO_LOGINS, MAX_PASSWORD, ROLES, Login, look_up, renew_hash, right_password
from web import templates
from web.access import entrance, forgery, oidc, passkeys, second_factor, sessions, throttle
from web.access.arrival import arrival
from web.access.entrance import SECOND_STEP, SET_UP, at_the_door
from web.access.guard import MAX_FORM_BYTES, SIGN_IN, Visit, read_form

WRONG = "De gebruikersnaam of het wachtwoord klopt niet. Probeer het opnieuw."
WRONG_CODE = "Deze code klopt niet, of is al gebruikt. Wacht op de volgende code in uw app."
WRONG_KEY = "Het inloggen met uw passkey is niet gelukt. Probeer het opnieuw."
ANYBODY = "anybody"
MAX_NAME = 200
Work = Callable[[Request, Mapping[str, str]], Response]


def show(request: Request) -> Response:
    """The form; somebody who is signed in already goes to his work."""
    token = sessions.token_of(request)
    if token:
        with transaction("web") as db:
            present(db, sessions.key_of(token))
            if sessions.find(db):
                return RedirectResponse("/", status_code=303)
    with at_the_door(request) as db:
        at = now(db)
    return _form(request, at, ended=bool(token))


def sign_in(request: Request, form: Mapping[str, str]) -> Response:
    """The first step: name and password."""
    username, password = form.get("gebruikersnaam", "")[:MAX_NAME], form.get("wachtwoord", "")
    found = arrival(request)
    with at_the_door(request) as db:
        attempt = throttle.begin(db, username, "password", found)
        login = look_up(db, username)
    # No connection is held while the password is checked, which takes long on purpose.
    right = right_password(login, password[: MAX_PASSWORD + 1])
    right &= settings().demo or not entrance.known_to_all(login, password)
    with at_the_door(request) as db:
        held = attempt.must_wait(throttle.known_here(db, login.member.id if login else None, found))
        if login is None or not right or held:
            throttle.settle(db, attempt, "held" if held else "refused", login.member.id if login else None)
            entrance.refused(db, login, "password", attempt.id)
            return _form(request, attempt.at, attempt.words() or WRONG, username, attempt.seconds)
        throttle.settle(db, attempt, "ok", login.member.id)
        renew_hash(db, login, password)
        factors = second_factor.factors(db, login.member.id)
        if not factors and entrance.needs_no_second_step(login):
            return entrance.let_in(db, request, login, "demo", found)[0]
        return second_step(db, login, bool(factors))


def second_step(db: Db, login: Login, has_factors: bool) -> Response:
    """On to the code, or to setting up the first factor."""
    if not has_factors and second_factor.begun(db, login.member) is None:
        second_factor.begin(db, login.member)
    response = RedirectResponse(SECOND_STEP if has_factors else SET_UP, status_code=303)
    entrance.give_half(response, login, now(db))
    return response


def show_code(request: Request) -> Response:
    with at_the_door(request) as db:
        login = entrance.half_of(db, request)
        return _code_form(db, request, login) if login else _begin_anew()


def code(request: Request, form: Mapping[str, str]) -> Response:
    """The second step: a code of the app, or a passkey of this member."""
    return _prove(request, form, set_up=False)


def show_set_up(request: Request) -> Response:
    with at_the_door(request) as db:
        login = entrance.half_of(db, request)
        if login is None or second_factor.factors(db, login.member.id):
            return _begin_anew()
        return _set_up_form(db, request, login)


def set_up(request: Request, form: Mapping[str, str]) -> Response:
    """The first factor of a member: its first code, or a new passkey."""
    return _prove(request, form, set_up=True)


def _prove(request: Request, form: Mapping[str, str], set_up: bool) -> Response:
    found = arrival(request)
    with at_the_door(request) as db:
        login = entrance.half_of(db, request)
        if login is None:
            return _begin_anew()
        attempt = throttle.begin(db, login.member.username, "code", found)
    with at_the_door(request) as db:
        # The row of the member is the lock: of two first factors that are set up at once, one is too late.
        db.execute("SELECT 1 FROM staff WHERE id = %s FOR UPDATE", (login.member.id,))
        if set_up == bool(second_factor.factors(db, login.member.id)):
            return _begin_anew()
        held = attempt.must_wait(throttle.known_here(db, login.member.id, found))
        how = None if held else _proof(db, request, form, login, set_up)
        if how is None or not entrance.spend_half(db, request):
            throttle.settle(db, attempt, "held" if held else "refused", login.member.id)
            entrance.refused(db, login, "code", attempt.id)
            error = attempt.words() or (WRONG_KEY if form.get("sleutel") else WRONG_CODE)
            page = _set_up_form if set_up else _code_form
            return page(db, request, login, error, attempt.seconds)
        throttle.settle(db, attempt, "ok", login.member.id)
        return entrance.let_in(db, request, login, how, found)[0]


def _proof(db: Db, request: Request, form: Mapping[str, str], login: Login, set_up: bool) -> sessions.How | None:
    """How the second step was proven; None when it was not."""
    member, at, where = login.member, now(db), passkeys.site(request)
    answer, holder = form.get("sleutel", ""), entrance.half_holder(login)
    if answer:
        if where is None:
            return None
        if set_up:
            made = passkeys.register(db, member, answer, form.get("naam", ""), where, holder, at)
            return "passkey" if made else None
        return "passkey" if passkeys.check(db, answer, where, holder, at, member) else None
    check = second_factor.confirm if set_up else second_factor.check
    return "password+totp" if check(db, member, form.get("code", ""), at) else None


def passkey(request: Request, form: Mapping[str, str]) -> Response:
    """Sign in with a passkey alone: nobody types a name, so nothing can be guessed; an address still waits."""
    found, where = arrival(request), passkeys.site(request)
    with at_the_door(request) as db:
        attempt = throttle.begin(db, None, "passkey", found)
    with at_the_door(request) as db:
        login = where and passkeys.check(db, form.get("sleutel", ""), where, ANYBODY, now(db))
        if not login:
            throttle.settle(db, attempt, "refused")
            entrance.refused(db, None, "passkey", attempt.id)
            return _form(request, attempt.at, WRONG_KEY)
        throttle.settle(db, attempt, "ok", login.member.id)
        return entrance.let_in(db, request, login, "passkey", found)[0]


def sign_out(visit: Visit) -> Response:
    sessions.end(visit.db, visit.session_token)
    visit.note("session.end", "staff", visit.member.id)
    response = RedirectResponse(SIGN_IN, status_code=303)
    sessions.take_cookie(response)
    return response


def door(path: str, work: Work, method: str = "POST") -> Route:
    """A route for who has no session yet: a form must come from our own page."""

    async def endpoint(request: Request) -> Response:
        if request.method == "POST" and not forgery.from_our_own_page(request):
            raise NotAllowed("Dit formulier komt niet van onze eigen pagina. Open de inlogpagina en probeer opnieuw.")
        form = await read_form(request) if request.method == "POST" else {}
        return await run_in_threadpool(work, request, form)

    return Route(path, endpoint, methods=[method], max_body_size=MAX_FORM_BYTES)


def _begin_anew() -> Response:
    response = RedirectResponse(SIGN_IN, status_code=303)
    entrance.take_half(response)
    return response


def _form(
    request: Request, at: datetime, error: str = "", username: str = "", wait: int = 0, ended: bool = False
) -> Response:
    logins = DEMO_LOGINS if settings().demo else ()
    where = passkeys.site(request)
    options = passkeys.options((), where, ANYBODY, at) if where else None
    return _page(
        "sign_in.html",
        error,
        wait,
        username=username,
        logins=logins,
        role_names=ROLES,
        options=options,
        provider=oidc.is_on(),
        ended=ended,
    )


def _code_form(db: Db, request: Request, login: Login, error: str = "", wait: int = 0) -> Response:
    where, kinds = passkeys.site(request), {row["kind"] for row in second_factor.factors(db, login.member.id)}
    options = None
    if where and "passkey" in kinds:
        known = passkeys.credentials(db, login.member)
        options = passkeys.options(known, where, entrance.half_holder(login), now(db))
    return _page("sign_in_code.html", error, wait, kinds=kinds, options=options)


def _set_up_form(db: Db, request: Request, login: Login, error: str = "", wait: int = 0) -> Response:
    where, options = passkeys.site(request), None
    if where:
        options = passkeys.register_options(db, login.member, where, entrance.half_holder(login), now(db))
    return _page("sign_in_set_up.html", error, wait, begun=second_factor.begun(db, login.member), options=options)


def _page(template: str, error: str, wait: int, **values: object) -> Response:
    status = 429 if wait else 403 if error else 200
    response = templates.page(template, status, error=error, **values)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


routes: list[BaseRoute] = [
    Route(SIGN_IN, show, methods=["GET"]),
    door(SIGN_IN, sign_in),
    Route(SECOND_STEP, show_code, methods=["GET"]),
    door(SECOND_STEP, code),
    Route(SET_UP, show_set_up, methods=["GET"]),
    door(SET_UP, set_up),
    door("/inloggen/passkey", passkey),
]
