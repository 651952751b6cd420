"""What a sender trades its long token for: a short-lived one (OAuth 2.0, RFC 6749 4.4), or a visit to its own page.

Both are rows of `sender_token`, so that they end with the sender, with a rotation and by themselves. Only hashes are
kept. A wrong id, a wrong secret and a sender that is revoked give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.ids import uuid7
from core.secrets import new_token, token_hash
from core.settings import settings

Kind = Literal["short", "page"]
ACTIONS: dict[Kind, str] = {"short": "sender.token", "page": "sender.enter"}
VISIT = timedelta(minutes=30)
MAX_LENGTH = 200
"""Of a client id or a secret; a longer one is nobody's."""
OVERLAPS = {"dag": timedelta(days=1), "week": timedelta(days=7), "nu": timedelta(0)}
"""How long the old token stays good after a rotation on the page."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that is shown once, for so many seconds."""

    token: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Visitor:
    """A sender on its own page. `token`: the id of the row that proves it, for `core.database.present`."""

    id: UUID
    token: UUID
    region: UUID
    region_name: str
    oin: str
    name: str
    until: datetime
    webhook_url: str | None

    @property
    def actor(self) -> str:
        return f"sender:{self.oin}"

    @property
    def key(self) -> str:
        """What a transaction carries to say whose it is."""
        return f"sender:{self.token}"


def issue(db: Db, client_id: str, secret: str, kind: Kind) -> Issued | None:
    """A short-lived token that works wherever the long one does, or a visit to the sender's page.

    None when id and secret do not belong together; what is told of that is the caller's. To be called at the door.
    """
    row = _proved(db, client_id, secret)
    if row is None:
        return None
    token = new_token()
    length = VISIT if kind == "page" else timedelta(minutes=settings().sender_token_minutes)
    made = db.execute(
        "INSERT INTO sender_token (id, sender_id, token_hash, kind, expires_at)"
        " VALUES (%s, %s, %s, %s, least(%s::timestamptz, now() + %s)) RETURNING expires_at - now() AS left",
        (uuid7(), row["id"], token_hash(token), kind, row["expires_at"], length),
    ).fetchone()
    if made is None:
        raise RuntimeError("the token was not stored")
    audit.append(db, row["region_id"], f"sender:{row['oin']}", ACTIONS[kind], "sender", row["id"])
    return Issued(token, max(1, int(made["left"].total_seconds())))


def refuse(db: Db, kind: Kind) -> None:
    """Somebody tried with an id and a secret that do not belong together: nothing is said of which."""
    audit.append(db, audit.NO_REGION, "unknown", ACTIONS[kind], "sender", outcome="refused")


def visitor(db: Db, token: str) -> Visitor | None:
    """Whose visit this is; None when it is over or there is none. To be called at the door."""
    row = db.execute(
        "SELECT s.id, t.id AS token, s.region_id AS region, r.name AS region_name, s.oin, s.name,"
        " t.expires_at AS until, s.webhook_url FROM sender_token t JOIN sender s ON s.id = t.sender_id"
        " JOIN region r ON r.id = s.region_id WHERE t.token_hash = %s AND t.kind = 'page' AND s.revoked_at IS NULL"
        " AND t.revoked_at IS NULL AND t.expires_at > now()",
        (token_hash(token[:MAX_LENGTH]),),
    ).fetchone()
    return Visitor(**row) if row else None


def rotate_own(db: Db, visitor: Visitor, secret: str, overlap: str) -> str | None:
    """A new long token for a sender on its page, shown once; None when `secret` is not its newest token.

    `overlap`: a key of `OVERLAPS`. Raises KeyError for another.
    """
    fresh = new_token()
    row = db.execute(
        "SELECT own_token_rotate(%s, %s, %s, %s) AS done",
        (token_hash(secret[:MAX_LENGTH]), uuid7(), token_hash(fresh), OVERLAPS[overlap]),
    ).fetchone()
    done = bool(row and row["done"])
    details = {"overlap_s": OVERLAPS[overlap].total_seconds(), "page": True}
    outcome: audit.Outcome = "ok" if done else "refused"
    audit.append(db, visitor.region, visitor.actor, "sender.rotate", "sender", visitor.id, details, outcome)
    return fresh if done else None


def end_visit(db: Db) -> None:
    """End the visit that this transaction carries."""
    db.execute("SELECT own_visit_end()")


def own_tokens(db: Db) -> list[Row]:
    """The long tokens of the visiting sender that work now, newest first: created_at, expires_at."""
    return db.execute("SELECT * FROM own_tokens()").fetchall()


def forget_old(db: Db, at: datetime) -> None:
    """Forget tokens that ran out, refusals that no longer count and callbacks of long ago."""
    db.execute("SELECT forget_of_senders(%s)", (at - timedelta(minutes=settings().sign_in_window_minutes),))


def _proved(db: Db, client_id: str, secret: str) -> Row | None:
    """The sender whose long token this is, when it is also the one that the client id names. One look, always."""
    row = db.execute(
        "SELECT s.id, s.region_id, s.oin, t.expires_at FROM sender_token t JOIN sender s ON s.id = t.sender_id"
        " WHERE t.token_hash = %s AND t.kind = 'long' AND t.revoked_at IS NULL AND s.revoked_at IS NULL"
        " AND (t.expires_at IS NULL OR t.expires_at > now())",
        (token_hash(secret[:MAX_LENGTH]),),
    ).fetchone()
    if row is None or client_id.strip().lower() not in (row["oin"], str(row["id"])):
        return None
    return row
