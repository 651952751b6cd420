"""Coming in: what stands between a proof of who somebody is and a session.

Until the second factor is proven there is no session, only a half sign-in: a signed ticket of ten minutes in a cookie
of its own, with which nothing can be reached but the second step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core import audit, sign_up
from core.database import Db, now, present, transaction
from core.ids import uuid7
from core.settings import settings
from core.staff import DEMO_LOGINS, Login, Member, login_of
from web.access import sessions, throttle, tickets
from web.access.arrival import Arrival, know_browser, origin_of

HALF = "half"
SECOND_STEP = "/inloggen/code"
SET_UP = "/inloggen/instellen"
ACCOUNT = "/mijn-account"
START = "/"
DEMO_PASSWORDS = {login.username: login.password for login in DEMO_LOGINS}


@contextmanager
def at_the_door(request: Request, token: str = "") -> Iterator[Db]:
    """A transaction from before it is known who asks; the audit trail learns where he comes from."""
    with transaction("door") as db:
        key = sessions.key_of(token) if token else ""
        present(db, key, purpose="system", origin=origin_of(request), request=uuid7().hex)
        yield db


def known_to_all(login: Login | None, password: str) -> bool:
    """Whether this is a login of the demo with its password that everybody knows; right in demo mode only."""
    return login is not None and DEMO_PASSWORDS.get(login.member.username) == password


def needs_no_second_step(login: Login) -> bool:
    """Only the ready logins of demo mode."""
    return settings().demo and login.member.username in DEMO_PASSWORDS


# ── the half sign-in ─────────────────────────────────────────────────────────────────────────────────────────


def half_cookie() -> str:
    return "__Host-stap" if settings().secure_cookies else "stap"


def give_half(response: Response, login: Login, at: datetime) -> None:
    """The password was right (or the link and the code): go on to the second step."""
    response.set_cookie(
        half_cookie(),
        f"{login.member.id}.{tickets.issue(HALF, half_holder(login), at)}",
        max_age=int(tickets.LIFE.total_seconds()),
        secure=settings().secure_cookies,
        httponly=True,
        samesite="strict",
    )


def half_of(db: Db, request: Request) -> Login | None:
    """Whose half sign-in this browser carries; None without one, or when the login or its password changed since."""
    name, _, ticket = request.cookies.get(half_cookie(), "").partition(".")
    try:
        login = login_of(db, UUID(name))
    except ValueError:
        return None
    if login is None or not login.active or not tickets.is_good(ticket, HALF, half_holder(login), now(db)):
        return None
    return login


def half_holder(login: Login) -> str:
    return f"{login.member.id}:{login.stamp}"


def spend_half(db: Db, request: Request) -> bool:
    """The half sign-in becomes a whole one, once."""
    return tickets.spend(db, request.cookies.get(half_cookie(), "").partition(".")[2])


# ── the session ──────────────────────────────────────────────────────────────────────────────────────────────


def let_in(
    db: Db, request: Request, login: Login, how: sessions.How, found: Arrival, *, fresh: bool = True
) -> tuple[Response, str]:
    """Begin a session, end the one before it in this browser, and know this browser from now on.

    `fresh`: he proved himself just now, so that what asks for it opens. Gives the answer with its cookies, and where
    it leads to.
    """
    if earlier := sessions.token_of(request):
        sessions.end(db, earlier)
    token = sessions.start(db, login.member.id, how=how, origin=found.origin, place=found.place, stepped_up=fresh)
    present(db, sessions.key_of(token), purpose="system", origin=found.origin, request=uuid7().hex)
    audit.append(
        db, login.member.region, login.member.username, "session.start", "staff", login.member.id, {"how": how}
    )
    to = landing(db, login.member)
    response = RedirectResponse(to, status_code=303)
    device = know_browser(response, found)
    throttle.remember(db, login.member.region, login.member.id, throttle.device_hash(device), found.origin)
    sessions.give_cookie(response, token)
    take_half(response)
    return response, to


def stepped_up(db: Db, request: Request, login: Login, token: str) -> None:
    """Write down that a member proved himself again."""
    member = login.member
    present(db, sessions.key_of(token), purpose="system", origin=origin_of(request), request=uuid7().hex)
    audit.append(db, member.region, member.username, "session.step_up", "staff", member.id)


def take_half(response: Response) -> None:
    response.delete_cookie(half_cookie(), secure=settings().secure_cookies, httponly=True, samesite="strict")


def landing(db: Db, member: Member) -> str:
    """Where somebody begins: at his account when there is something to tell him, else at what to do today."""
    return ACCOUNT if sign_up.to_tell(db, member.id) else START


def refused(db: Db, login: Login | None, step: str, attempt: UUID) -> None:
    """Write down that a sign-in failed. What was typed is not kept: people type passwords in the wrong field."""
    details = {"step": step, "attempt": str(attempt)}
    if login is None or not login.active:
        audit.append(db, audit.NO_REGION, "unknown", "session.start", "staff", None, details, "refused")
    else:
        member = login.member
        audit.append(db, member.region, member.username, "session.start", "staff", member.id, details, "refused")


def own_path(text: str) -> str:
    """A path of our own pages from an address or a form; the start page for anything else (no open redirect)."""
    plain = text.isascii() and text.isprintable() and not set(text) & set("\\ <>\"'")
    return text if plain and text.startswith("/") and not text.startswith("//") and len(text) <= 500 else "/"
