"""Sessions of staff: kept in PostgreSQL by the hash of a random token, and ended there.

Both limits, since the last request and since the sign-in, are measured on the database's clock.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from core.database import Db, Row
from core.secrets import new_token, token_hash
from core.settings import settings
from core.staff import Member

How = Literal["password+totp", "passkey", "oidc", "demo"]
"""How somebody proved who he is."""
MEMBER = {
    "id": "id",
    "region_id": "region",
    "username": "username",
    "name": "name",
    "role": "role",
    "team_id": "team",
    "stepped_up_until": "stepped_up_until",
}
"""The columns of `visit_member`, and what a Member calls them."""


def cookie_name() -> str:
    """`__Host-veilig`, which a browser only takes with Secure and for one host; plain `veilig` without."""
    return "__Host-veilig" if settings().secure_cookies else "veilig"


def start(
    db: Db, staff_id: UUID, *, how: How = "demo", origin: str = "", place: str = "", stepped_up: bool = False
) -> str:
    """A new session at each sign-in, so that a planted token is worth nothing. Returns the token, shown once.

    `stepped_up`: who proved himself just now need not do it again for what asks for it.
    """
    token = new_token()
    db.execute(
        "INSERT INTO staff_session (token_hash, staff_id, how, origin, place, idle_until, ends_at, stepped_up_until)"
        " VALUES (%s, %s, %s, %s, %s, now() + make_interval(mins => %s), now() + make_interval(hours => %s),"
        " CASE WHEN %s THEN now() + make_interval(mins => %s) END)",
        (
            token_hash(token),
            staff_id,
            how,
            origin,
            place,
            settings().session_idle_minutes,
            settings().session_hours,
            stepped_up,
            settings().step_up_minutes,
        ),
    )
    return token


def step_up(db: Db, session: bytes) -> str | None:
    """The session with this token hash goes on under a new token, and may do what asks for a proof; None when it
    ended. The old token is worth nothing from now on."""
    token = new_token()
    row = db.execute(
        "UPDATE staff_session SET token_hash = %s, stepped_up_until = now() + make_interval(mins => %s)"
        " WHERE token_hash = %s AND ended_at IS NULL AND idle_until > now() AND ends_at > now()",
        (token_hash(token), settings().step_up_minutes, session),
    )
    return token if row.rowcount == 1 else None


def key_of(token: str) -> str:
    """What a transaction carries to say whose it is (core.database.present)."""
    return f"staff:{token}"


def find(db: Db, *, seen: bool = True) -> Member | None:
    """The member whose live session this transaction carries, and note that he was seen; None when it ended.

    `seen` is False for what a page asks by itself: it does not make the session last longer.
    """
    if seen:
        found = db.execute(
            "SELECT * FROM visit_member(make_interval(mins => %s))", (settings().session_idle_minutes,)
        )
    else:
        found = db.execute("SELECT * FROM visit_member_quiet()")
    row = found.fetchone()
    return Member(**{MEMBER[name]: value for name, value in row.items()}) if row else None


def end(db: Db, token: str) -> None:
    """End a session on the server; the cookie is worth nothing from then on."""
    db.execute(
        "UPDATE staff_session SET ended_at = now() WHERE token_hash = %s AND ended_at IS NULL", (token_hash(token),)
    )


def open_ones(db: Db, staff_id: UUID, token: str) -> list[Row]:
    """The live sessions of a member, the newest first; `this` is the one he asks with."""
    return db.execute(
        "SELECT id, how, origin, place, started_at, seen_at, ends_at, token_hash = %s AS this FROM staff_session"
        " WHERE staff_id = %s AND ended_at IS NULL AND idle_until > now() AND ends_at > now()"
        " ORDER BY started_at DESC",
        (token_hash(token), staff_id),
    ).fetchall()


def end_one(db: Db, staff_id: UUID, session: UUID) -> bool:
    """End one session of this member; False when it is not his, or ended already."""
    ended = db.execute(
        "UPDATE staff_session SET ended_at = now() WHERE id = %s AND staff_id = %s AND ended_at IS NULL",
        (session, staff_id),
    )
    return ended.rowcount == 1


def end_others(db: Db, staff_id: UUID, token: str) -> int:
    """End every session of this member but this one; returns how many."""
    ended = db.execute(
        "UPDATE staff_session SET ended_at = now() WHERE staff_id = %s AND token_hash <> %s AND ended_at IS NULL",
        (staff_id, token_hash(token)),
    )
    return ended.rowcount


def token_of(request: Request) -> str:
    """The token in the cookie; empty when there is none."""
    return request.cookies.get(cookie_name(), "")


def give_cookie(response: Response, token: str) -> None:
    """Put the session in the browser: not readable by scripts, never sent from another site, gone when it closes."""
    response.set_cookie(cookie_name(), token, secure=settings().secure_cookies, httponly=True, samesite="strict")


def take_cookie(response: Response) -> None:
    response.delete_cookie(cookie_name(), secure=settings().secure_cookies, httponly=True, samesite="strict")
