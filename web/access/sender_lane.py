"""Who keeps sending wrong secrets has to wait, and then leaves no more rows; a right one is never held up.

A secret has 256 bits, so waiting is not what keeps it safe: it keeps a broken client from filling the trail.
"""

from __future__ import annotations

from datetime import timedelta

from core.database import Db
from core.ids import uuid7
from core.settings import settings
from web.access.throttle import wait


def must_wait(db: Db, origin: str) -> int:
    """For how many seconds wrong pairs from this network address are not even looked at; 0 for none."""
    row = db.execute(
        "SELECT count(*) AS failures, max(at) AS last, clock_timestamp() AS now FROM sender_refusal"
        " WHERE origin = %s AND at > clock_timestamp() - make_interval(mins => %s)",
        (origin, settings().sign_in_window_minutes),
    ).fetchone()
    if row is None or row["last"] is None:
        return 0
    length = wait(
        row["failures"],
        settings().sign_in_free_tries_per_address,
        timedelta(seconds=settings().sign_in_first_wait_seconds),
        timedelta(minutes=settings().sign_in_longest_wait_minutes),
    )
    left = (row["last"] + length - row["now"]).total_seconds()
    return int(left) + 1 if left > 0 else 0


def refused(db: Db, origin: str) -> None:
    """A wrong pair came from here."""
    db.execute("INSERT INTO sender_refusal (id, origin) VALUES (%s, %s)", (uuid7(), origin))
