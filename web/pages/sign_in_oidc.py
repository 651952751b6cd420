"""Sign in, or prove yourself again, at the provider of the organisation (OpenID Connect).

The state that travels with the browser is a signed ticket; a cookie binds it to this browser, to the page to go back
to, and for a step-up to the session. That cookie is sent along when the provider sends the browser back; the one of
the session is not (SameSite), which is why the last hop is a page of ours and not a redirect.
"""

from __future__ import annotations

import hmac
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.database import Db, now
from core.errors import NotFound, VeiligError
from core.secrets import token_hash
from core.settings import settings
from core.staff import login_of_subject
from web import templates
from web.access import entrance, oidc, sessions, throttle, tickets
from web.access.arrival import Arrival, arrival
from web.access.entrance import at_the_door, own_path
from web.access.guard import Visit
from web.access.throttle import Attempt

PURPOSE = "oidc"
FAILED = "Het inloggen bij uw organisatie is niet gelukt. Probeer het opnieuw, of log in met uw wachtwoord."


def cookie_name() -> str:
    return "__Host-oidc" if settings().secure_cookies else "oidc"


def start(request: Request) -> Response:
    """Off to the provider, to sign in. Nothing is stored."""
    with at_the_door(request) as db:
        at = now(db)
    return _depart(_holder("", "/"), tickets.issue(PURPOSE, _holder("", "/"), at), again=False)


def start_again(visit: Visit) -> Response:
    """Off to the provider, to prove himself again for this session."""
    holder = _holder(token_hash(visit.session_token).hex(), own_path(visit.request.query_params.get("naar", "/")))
    return _depart(holder, tickets.issue(PURPOSE, holder, visit.at), again=True)


def come_back(request: Request) -> Response:
    """The provider sends the browser back with a code; what it is worth is asked from the provider itself."""
    if not oidc.is_on():
        raise NotFound
    query, found = request.query_params, arrival(request)
    state, _, holder = request.cookies.get(cookie_name(), "").partition("!")
    holder = unquote(holder)
    session, _, back = holder.partition(":")
    with at_the_door(request) as db:
        attempt = throttle.begin(db, None, "oidc", found)
        at = now(db)
        # The state counts once, whatever comes of it.
        same = hmac.compare_digest(state.encode(), query.get("state", "").encode("utf-8", "replace"))
        good = same and tickets.is_good(state, PURPOSE, holder, at) and tickets.spend(db, state)
    try:
        if not good:
            raise oidc.Refused("state")
        if "code" not in query:
            raise oidc.Refused("provider")
        identity = oidc.identity(query["code"][:4000], state, at, again=bool(session))
    except VeiligError as error:
        with at_the_door(request) as db:
            return _refuse(db, request, attempt, getattr(error, "reason", "unreachable"), error.status)
    with at_the_door(request) as db:
        if session:
            return _confirm(db, request, attempt, identity, session, back)
        return _let_in(db, request, attempt, identity, found)


def _let_in(db: Db, request: Request, attempt: Attempt, identity: oidc.Identity, found: Arrival) -> Response:
    login = login_of_subject(db, identity.subject)
    if login is None or not login.active:
        return _refuse(db, request, attempt, "unknown_member", 403)
    throttle.settle(db, attempt, "ok", login.member.id)
    answer, to = entrance.let_in(db, request, login, "oidc", found, fresh=identity.is_fresh(attempt.at))
    return _arrive(to, answer)


def _confirm(
    db: Db, request: Request, attempt: Attempt, identity: oidc.Identity, session: str, back: str
) -> Response:
    """The step-up: it must be the member of that very session who proved himself."""
    login, hashed = login_of_subject(db, identity.subject), bytes.fromhex(session)
    row = db.execute("SELECT staff_id FROM staff_session WHERE token_hash = %s", (hashed,)).fetchone()
    if login is None or not login.active or row is None or row["staff_id"] != login.member.id:
        return _refuse(db, request, attempt, "other_member", 403)
    token = sessions.step_up(db, hashed)
    if token is None:
        return _refuse(db, request, attempt, "session_ended", 403)
    throttle.settle(db, attempt, "ok", login.member.id)
    entrance.stepped_up(db, request, login, token)
    answer = Response()
    sessions.give_cookie(answer, token)
    return _arrive(own_path(back), answer)


def _depart(holder: str, state: str, again: bool) -> Response:
    if not oidc.is_on():
        raise NotFound
    response = RedirectResponse(oidc.start_address(state, again), status_code=303)
    response.set_cookie(
        cookie_name(),
        f"{state}!{quote(holder, safe='')}",
        max_age=int(tickets.LIFE.total_seconds()),
        secure=settings().secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return response


def _arrive(to: str, cookies: Response) -> Response:
    """A page of ours that goes on by itself: a redirect would be the provider's, and come without the session."""
    page = templates.page("sign_in_arrive.html", to=to)
    page.headers["Refresh"] = f"0;url={to}"
    page.raw_headers.extend(pair for pair in cookies.raw_headers if pair[0] == b"set-cookie")
    return _without_cookie(page)


def _refuse(db: Db, request: Request, attempt: Attempt, reason: str, status: int) -> Response:
    throttle.settle(db, attempt, "refused")
    entrance.refused(db, None, f"oidc.{reason}", attempt.id)
    return _without_cookie(templates.page("sign_in_failed.html", status, error=FAILED))


def _without_cookie(response: Response) -> Response:
    response.delete_cookie(cookie_name(), secure=settings().secure_cookies, httponly=True, samesite="lax")
    return response


def _holder(session: str, back: str) -> str:
    return f"{session}:{back}"


routes: list[BaseRoute] = [
    Route("/inloggen/extern", start, methods=["GET"]),
    Route(oidc.RETURN, come_back, methods=["GET"]),
]
