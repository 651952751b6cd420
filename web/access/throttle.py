"""Who guesses has to wait, longer each time; who signs in where he signed in before never waits for others' guesses.

Each attempt is written down before it is checked, so that a hundred at once see each other. The answer to a wrong
name, a wrong password and a login that is closed is the same, and so is the waiting: it follows from what was tried,
never from what exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from core.database import Db, Row
from core.ids import uuid7
from core.secrets import keyed_hash, token_hash
from core.settings import settings
from web.access.arrival import Arrival

Step = Literal["password", "code", "passkey", "oidc", "confirm"]
Outcome = Literal["ok", "refused", "held"]
MAX_DOUBLINGS = 20


def wait(failures: int, free: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long after its last failure a lane is closed: nothing for the free ones, then twice as long each time."""
    if failures < free:
        return timedelta()
    doubled: int = 2 ** min(failures - free, MAX_DOUBLINGS)
    return min(longest, first * doubled)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was written down: until when who is unknown here, and who is known here, must wait."""

    id: UUID
    at: datetime
    strangers_until: datetime | None
    own_until: datetime | None
    arrival: Arrival

    def must_wait(self, known_here: bool) -> bool:
        """Whether even the right answer is not taken now."""
        until = self.own_until if known_here else self.strangers_until
        return until is not None and until > self.at

    @property
    def seconds(self) -> int:
        """What to tell who has to wait; the same for everybody at this address with this name."""
        later = [until - self.at for until in (self.strangers_until, self.own_until) if until and until > self.at]
        return max((int(one.total_seconds()) + 1 for one in later), default=0)

    def words(self) -> str:
        """What to say to who has to wait; empty when nobody has to."""
        if not self.seconds:
            return ""
        long = f"{self.seconds} seconden" if self.seconds < 100 else f"{-(-self.seconds // 60)} minuten"
        return f"Er is te vaak geprobeerd om in te loggen. Wacht {long} en probeer het dan opnieuw."


def begin(db: Db, username: str | None, step: Step, found: Arrival) -> Attempt:
    """Write an attempt down, and see what came before it. To be committed before anything is checked."""
    name = None if username is None else name_hash(username)
    attempt = uuid7()
    row = db.execute(
        "INSERT INTO sign_in_attempt (id, name_hash, device_hash, origin, place, step)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING at",
        (attempt, name, found.device_hash, found.origin, found.place, step),
    ).fetchone()
    if row is None:
        raise RuntimeError("the attempt was not written down")
    at = row["at"]
    before = db.execute(
        "SELECT count(*) FILTER (WHERE name_hash = %(name)s) AS by_name,"
        " max(at) FILTER (WHERE name_hash = %(name)s) AS name_at,"
        " count(*) FILTER (WHERE origin = %(origin)s) AS by_origin,"
        " max(at) FILTER (WHERE origin = %(origin)s) AS origin_at,"
        " count(*) FILTER (WHERE name_hash = %(name)s AND (origin = %(origin)s OR device_hash = %(device)s)) AS own,"
        " max(at) FILTER (WHERE name_hash = %(name)s AND (origin = %(origin)s OR device_hash = %(device)s)) AS own_at"
        " FROM sign_in_attempt WHERE outcome <> 'ok' AND id <> %(id)s AND at <= %(at)s AND at > %(since)s"
        " AND (name_hash = %(name)s OR origin = %(origin)s OR device_hash = %(device)s)",
        {
            "name": name,
            "origin": found.origin,
            "device": found.device_hash,
            "id": attempt,
            "at": at,
            "since": at - timedelta(minutes=settings().sign_in_window_minutes),
        },
    ).fetchone()
    strangers, own = _closed_until(before) if before else (None, None)
    return Attempt(attempt, at, strangers, own, found)


def settle(db: Db, attempt: Attempt, outcome: Outcome, staff_id: UUID | None = None) -> None:
    """Write down how an attempt ended, and whose it was when his name was right."""
    db.execute(
        "UPDATE sign_in_attempt SET outcome = %s, staff_id = s.id, region_id = s.region_id"
        " FROM (SELECT 1) one LEFT JOIN staff s ON s.id = %s WHERE sign_in_attempt.id = %s",
        (outcome, staff_id, attempt.id),
    )


def known_here(db: Db, staff_id: UUID | None, found: Arrival) -> bool:
    """Whether this member signed in from this browser or this network address before; asked for nobody as well."""
    row = db.execute(
        "SELECT EXISTS (SELECT FROM staff_device WHERE staff_id = %s AND (token_hash = %s OR origin = %s)"
        " AND seen_at > now() - make_interval(days => %s)) AS known",
        (staff_id, found.device_hash, found.origin, settings().sign_in_kept_days),
    ).fetchone()
    return bool(row and row["known"])


def remember(db: Db, region: UUID, staff_id: UUID, device_hash: bytes, origin: str) -> None:
    """This member signed in from this browser and address."""
    db.execute(
        "INSERT INTO staff_device (token_hash, region_id, staff_id, origin) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (staff_id, token_hash) DO UPDATE SET origin = excluded.origin, seen_at = now()",
        (device_hash, region, staff_id, origin),
    )


def own_attempts(db: Db, staff_id: UUID, limit: int = 20) -> list[Row]:
    """The last attempts to sign in as this member, newest first; ours to show to himself."""
    return db.execute(
        "SELECT at, origin, place, step, outcome FROM sign_in_attempt WHERE staff_id = %s ORDER BY at DESC LIMIT %s",
        (staff_id, limit),
    ).fetchall()


def device_hash(token: str) -> bytes:
    """What is kept of the token of a browser."""
    return token_hash(token)


def name_hash(username: str) -> bytes:
    """What is kept of the name that was typed."""
    return keyed_hash(f"sign_in:{username.strip().lower()}")


def _closed_until(before: Row) -> tuple[datetime | None, datetime | None]:
    """Until when strangers wait (the longest of name and address), and who is known here."""
    options = settings()
    first = timedelta(seconds=options.sign_in_first_wait_seconds)
    longest = timedelta(minutes=options.sign_in_longest_wait_minutes)

    def until(count: str, last: str, free: int) -> datetime | None:
        moment: datetime | None = before[last]
        return moment + wait(before[count], free, first, longest) if moment else None

    lanes = [
        until("by_name", "name_at", options.sign_in_free_tries),
        until("by_origin", "origin_at", options.sign_in_free_tries_per_address),
    ]
    return max((lane for lane in lanes if lane), default=None), until("own", "own_at", options.sign_in_free_tries)
