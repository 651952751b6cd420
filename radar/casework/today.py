"""What stands open per kind of task, and how the machine's own work goes: the numbers of the start pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql

from core.database import Db
from core.deadlines import end_of_day, local_day
from radar.casework.queue import OF_REGION, OF_TEAM


@dataclass(frozen=True, slots=True)
class Standing:
    """Open tasks of one kind: all, acute, late, due before midnight, escalated, of the reader, and of nobody."""

    open: int = 0
    acute: int = 0
    late: int = 0
    today: int = 0
    escalated: int = 0
    mine: int = 0
    nobody: int = 0

    def __add__(self, other: Standing) -> Standing:
        return Standing(
            self.open + other.open,
            self.acute + other.acute,
            self.late + other.late,
            self.today + other.today,
            self.escalated + other.escalated,
            self.mine + other.mine,
            self.nobody + other.nobody,
        )


@dataclass(frozen=True, slots=True)
class Machine:
    """Background work of a region: waiting, since when the oldest could have begun, and stopped for good."""

    waiting: int
    oldest: datetime | None
    dead: int


_PER_KIND = """
SELECT kind, count(*) AS open, count(*) FILTER (WHERE risk = 2) AS acute,
    count(*) FILTER (WHERE due_at <= %(at)s) AS late,
    count(*) FILTER (WHERE due_at > %(at)s AND due_at <= %(midnight)s) AS today,
    count(*) FILTER (WHERE escalated_at IS NOT NULL) AS escalated,
    count(*) FILTER (WHERE staff_id = %(me)s) AS mine,
    count(*) FILTER (WHERE staff_id IS NULL) AS nobody
FROM {work} WHERE kind = ANY(%(kinds)s) GROUP BY kind
"""


def per_kind(
    db: Db, region: UUID, kinds: Collection[str], team: UUID | None, me: UUID, at: datetime
) -> dict[str, Standing]:
    """Open tasks of these kinds: of a team with what no team has yet, or of the whole region (None)."""
    rows = db.execute(
        sql.SQL(_PER_KIND).format(work=sql.SQL(OF_TEAM if team else OF_REGION)),
        {
            "region": region,
            "team": team,
            "kinds": list(kinds),
            "me": me,
            "at": at,
            "midnight": end_of_day(local_day(at)),
        },
    ).fetchall()
    return {row.pop("kind"): Standing(**row) for row in rows}


def together(found: dict[str, Standing]) -> Standing:
    return sum(found.values(), Standing())


def machine(db: Db, region: UUID, at: datetime) -> Machine:
    """How the background work of this region stands. What may not begin yet does not wait."""
    row = db.execute(
        "SELECT count(*) FILTER (WHERE state = 'new' AND due_at <= %(at)s) AS waiting,"
        " min(due_at) FILTER (WHERE state = 'new' AND due_at <= %(at)s) AS oldest,"
        " count(*) FILTER (WHERE state = 'dead') AS dead"
        " FROM job WHERE region_id = %(region)s AND state IN ('new', 'dead')",
        {"region": region, "at": at},
    ).fetchone()
    return Machine(**row) if row else Machine(0, None, 0)
