"""Public forms under a flood: everybody gets in, who comes often from one place only later.

A lane is an origin and a use, kept as a keyed hash that changes every day: nobody reads from it who wrote to us. Each
use fills its lane a little, and it drains by itself. A full lane closes nothing: who comes then hears how long to
wait. With a ticket (the number of his form) that moment is his, whatever others at the same shelter or school do
meanwhile. What arrives is never dropped and never judged by where it comes from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.database import Db, now
from core.deadlines import local_day
from core.errors import Unavailable
from core.secrets import keyed_hash
from core.settings import settings

EVERYBODY = "*"
"""The lane of all origins together."""
TINY = 1e-6
"""What arithmetic with fractions may be off."""
KEPT = timedelta(hours=2)
"""A lane that nobody used for so long has drained, and is forgotten."""


SENDS_OF_A_TICKET = 5
"""So often a form that had its turn may be sent again; then it is one more use."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a lane may be used: so many at once, one more in each `every`, and no wait longer than `longest`."""

    free: int
    every: timedelta
    longest: timedelta

    @property
    def fullest(self) -> float:
        """The level at which the wait is the longest one."""
        return self.free - 1 + self.longest / self.every


def pour(level: float, elapsed: timedelta, pace: Pace) -> tuple[float, timedelta]:
    """One more use of a lane: its new level, and how long this one has to wait (nothing: it is taken).

    Each use that has to wait makes the next wait longer, up to the longest. Pure.
    """
    after = max(0.0, level - max(elapsed, timedelta()) / pace.every) + 1
    if after <= pace.free + TINY:
        return after, timedelta()
    after = min(after, max(pace.fullest, pace.free))
    # Until there is room for one more: who comes back then without a ticket is taken, when nobody came in between.
    return after, min((after - pace.free + 1) * pace.every, pace.longest)


def paces() -> tuple[Pace, Pace]:
    """Of one origin, and of all together. In a flood of the second kind nobody waits longer than a minute for it."""
    options = settings()
    longest = timedelta(seconds=options.public_longest_wait_seconds)
    origin = Pace(options.public_sends_at_once, timedelta(seconds=options.public_seconds_per_send), longest)
    everybody = Pace(options.public_sends_a_minute, timedelta(minutes=1) / options.public_sends_a_minute, longest)
    return origin, Pace(everybody.free, everybody.every, min(longest, timedelta(minutes=1)))


def check(db: Db, origin: str, what: str, ticket: str = "") -> int:
    """How many whole seconds this use has to wait; 0: go on.

    `db`: a transaction at the door of its own, committed whatever follows. `origin`: the network address, not kept.
    `what`: the use ("citizen"), each with its lanes. `ticket`: the number of this form; who waited as long as he was
    told is taken then. Raises Unavailable when the database did not count.
    """
    at = now(db)
    db.execute("DELETE FROM public_lane WHERE used_at < %s", (at - KEPT,))
    own = _lane(at, "ticket", what, ticket) if ticket else None
    if own is not None and (turn := _turn(db, own, at)) is not None:
        return max(0, math.ceil((turn - at).total_seconds()))
    one, all_together = paces()
    # Always in this order, so that two at once wait for each other and never both ways.
    waits = [
        _use(db, _lane(at, "origin", what, origin), one, at),
        _use(db, _lane(at, "origin", what, EVERYBODY), all_together, at),
    ]
    wait = max(waits)
    if own is not None:
        db.execute(
            "INSERT INTO public_lane (lane, level, used_at, turn_at) VALUES (%(lane)s, 0, %(at)s, %(turn)s)"
            " ON CONFLICT (lane) DO UPDATE SET level = 0, used_at = %(at)s, turn_at = %(turn)s",
            {"lane": own, "at": at, "turn": at + wait},
        )
    return math.ceil(wait.total_seconds())


def _use(db: Db, lane: bytes, pace: Pace, at: datetime) -> timedelta:
    row = db.execute(
        "INSERT INTO public_lane AS l (lane, level, used_at) VALUES (%s, 0, %s)"
        " ON CONFLICT (lane) DO UPDATE SET lane = l.lane RETURNING level, used_at",
        (lane, at),
    ).fetchone()
    if row is None:
        raise Unavailable
    level, wait = pour(row["level"], at - row["used_at"], pace)
    db.execute("UPDATE public_lane SET level = %s, used_at = %s WHERE lane = %s", (level, at, lane))
    return wait


def _turn(db: Db, ticket: bytes, at: datetime) -> datetime | None:
    """The moment that was promised to this form; sent twice by a slow line it is still one use."""
    row = db.execute(
        "UPDATE public_lane SET level = level + (turn_at <= %(at)s)::int, used_at = %(at)s"
        " WHERE lane = %(lane)s AND level < %(most)s RETURNING turn_at",
        {"at": at, "lane": ticket, "most": SENDS_OF_A_TICKET},
    ).fetchone()
    return row["turn_at"] if row else None


def _lane(at: datetime, kind: str, what: str, name: str) -> bytes:
    """The keyed hash of a lane on this day: tomorrow the same address is another."""
    return keyed_hash(f"public:{local_day(at)}:{kind}:{what}:{name}")
