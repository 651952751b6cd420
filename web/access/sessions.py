"""Sessions of staff: kept in PostgreSQL by the hash of a random token, and ended there.

Both limits, since the last request and since the sign-in, are measured on the database's clock.
"""

from __future__ import annotations

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from core.database import Db
from core.secrets import new_token, token_hash
from core.settings import settings
from core.staff import Member


def cookie_name() -> str:
    """`__Host-veilig`, which a browser only takes with Secure and for one host; plain `veilig` without."""
    return "__Host-veilig" if settings().secure_cookies else "veilig"


def start(db: Db, staff_id: UUID) -> str:
    """A new session at each sign-in, so that a planted token is worth nothing. Returns the token, shown once."""
    token = new_token()
    db.execute("INSERT INTO staff_session (token_hash, staff_id) VALUES (%s, %s)", (token_hash(token), staff_id))
    return token


def find(db: Db, token: str) -> Member | None:
    """The member of this live session, and note that he was seen; None when it ended or he may not sign in."""
    row = db.execute(
        "SELECT s.id, s.region_id, s.username, s.name, s.role, s.team_id,"
        " t.seen_at < now() - interval '1 minute' AS stale"
        " FROM staff_session t JOIN staff s ON s.id = t.staff_id"
        " WHERE t.token_hash = %(hash)s AND t.ended_at IS NULL AND s.active"
        " AND t.seen_at > now() - make_interval(mins => %(idle)s)"
        " AND t.started_at > now() - make_interval(hours => %(hours)s)",
        {"hash": token_hash(token), "idle": settings().session_idle_minutes, "hours": settings().session_hours},
    ).fetchone()
    if row is None:
        return None
    if row["stale"]:
        db.execute("UPDATE staff_session SET seen_at = now() WHERE token_hash = %s", (token_hash(token),))
    return Member(row["id"], row["region_id"], row["username"], row["name"], row["role"], row["team_id"])


def end(db: Db, token: str) -> None:
    """End a session on the server; the cookie is worth nothing from then on."""
    db.execute(
        "UPDATE staff_session SET ended_at = now() WHERE token_hash = %s AND ended_at IS NULL", (token_hash(token),)
    )


def token_of(request: Request) -> str:
    """The token in the cookie; empty when there is none."""
    return request.cookies.get(cookie_name(), "")


def give_cookie(response: Response, token: str) -> None:
    """Put the session in the browser: not readable by scripts, never sent from another site, gone when it closes."""
    response.set_cookie(cookie_name(), token, secure=settings().secure_cookies, httponly=True, samesite="strict")


def take_cookie(response: Response) -> None:
    response.delete_cookie(cookie_name(), secure=settings().secure_cookies, httponly=True, samesite="strict")
