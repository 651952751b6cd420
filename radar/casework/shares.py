"""How many terms were kept, per team and month of the due date: counted by the clock, read by the overview.

A term that fell away counts nowhere (a form that was no report). What an old system brought along has no terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from core.database import Db
from core.deadlines import AMSTERDAM, local_day, months_later
from radar.casework.terms import terms

NO_TEAM = UUID(int=0)
"""Stands in `term_month` for work that no team has."""
_LOCK = 0x7465726D
"""One clock counts at a time; the number is 'term'."""

# The team that has, or had last, the task of this piece of work; else that of the report.
_COUNT = """
INSERT INTO term_month (region_id, team_id, kind, month, in_time, late, open_late, counted_at)
SELECT d.region_id, coalesce(own.team_id, whole.team_id, %(no_team)s), d.kind, %(month)s,
    count(*) FILTER (WHERE d.met_at < d.due_at), count(*) FILTER (WHERE d.met_at >= d.due_at),
    count(*) FILTER (WHERE d.met_at IS NULL), %(at)s
FROM deadline d
LEFT JOIN LATERAL (SELECT team_id FROM task t WHERE t.subject_id = d.subject_id AND t.team_id IS NOT NULL
    AND t.kind <> 'review_route' ORDER BY t.opened_at DESC, t.id DESC LIMIT 1) own ON true
LEFT JOIN LATERAL (SELECT team_id FROM task t WHERE own.team_id IS NULL AND t.subject_id = d.report_id
    AND t.team_id IS NOT NULL AND t.kind <> 'review_route' ORDER BY t.opened_at DESC, t.id DESC LIMIT 1) whole ON true
WHERE d.region_id = ANY(%(regions)s) AND d.kind = ANY(%(kinds)s) AND d.due_at > %(first)s AND d.due_at <= %(last)s
    AND d.dropped_at IS NULL AND (d.met_at IS NOT NULL OR d.due_at <= %(at)s)
GROUP BY 1, 2, 3
"""
_OLDEST = """
SELECT min(due_at) AS at FROM unnest(%(regions)s::uuid[]) AS r (id), unnest(%(kinds)s::text[]) AS k (kind),
LATERAL (SELECT due_at FROM deadline WHERE region_id = r.id AND kind = k.kind ORDER BY due_at LIMIT 1) d
"""
_STILL_OPEN = """
SELECT DISTINCT (date_trunc('month', (due_at - interval '1 us') AT TIME ZONE 'Europe/Amsterdam'))::date AS month
FROM deadline WHERE region_id = ANY(%(regions)s) AND kind = ANY(%(kinds)s) AND met_at IS NULL AND dropped_at IS NULL
    AND due_at <= %(at)s
UNION SELECT DISTINCT month FROM term_month WHERE open_late > 0
"""


@dataclass(frozen=True, slots=True)
class Share:
    """One kind in one month: how many were done in time, done late, and are late and still open."""

    kind: str
    month: date
    in_time: int
    late: int
    open_late: int

    @property
    def all(self) -> int:
        return self.in_time + self.late + self.open_late

    @property
    def value(self) -> float | None:
        """In time of all that was due, 0 to 1; None when nothing was due."""
        return self.in_time / self.all if self.all else None


def kinds() -> tuple[str, ...]:
    """The terms that are counted: those with a norm for the share (terms.toml), the notices and the feedback."""
    with_norm = (code for code, term in terms().terms.items() if term.share is not None)
    return tuple(dict.fromkeys((*with_norm, "person_notice", "feedback")))


def recount(db: Db, at: datetime, months: int | None = 3) -> int:
    """Count again what can still change: the last `months` months, and each month in which a term is late and open.

    Every month when nothing was counted yet, or with None. Gives how many months; 0 when another clock is counting.
    """
    alone = db.execute("SELECT pg_try_advisory_xact_lock(%s) AS mine", (_LOCK,)).fetchone()
    if not (alone and alone["mine"]):
        return 0
    regions = [row["id"] for row in db.execute("SELECT id FROM region")]
    values = {"regions": regions, "kinds": list(kinds()), "at": at, "no_team": NO_TEAM}
    counted = db.execute("SELECT FROM term_month LIMIT 1").fetchone()
    this = local_day(at).replace(day=1)
    if months is None or counted is None:
        oldest = db.execute(_OLDEST, values).fetchone()
        first = local_day(oldest["at"]).replace(day=1) if oldest and oldest["at"] else this
        chosen = set(_months(months_later(first, -1), this))
    else:
        chosen = set(_months(months_later(this, 1 - months), this))
        chosen |= {row["month"] for row in db.execute(_STILL_OPEN, values)}
    for month in sorted(chosen):
        db.execute("DELETE FROM term_month WHERE month = %s", (month,))
        bounds = {"month": month, "first": _begin(month), "last": _begin(months_later(month, 1))}
        db.execute(_COUNT, values | bounds)
    return len(chosen)


def per_month(db: Db, region: UUID, team: UUID | None, at: datetime, months: int = 12) -> list[Share]:
    """Each counted kind in each of the last `months` months, up to this one; of one team or of all (None)."""
    this = local_day(at).replace(day=1)
    shown = _months(months_later(this, 1 - months), this)
    rows = db.execute(
        "SELECT kind, month, sum(in_time)::int AS in_time, sum(late)::int AS late, sum(open_late)::int AS open_late"
        " FROM term_month WHERE region_id = %(region)s AND month >= %(first)s AND month <= %(last)s"
        " AND (%(team)s::uuid IS NULL OR team_id = %(team)s) GROUP BY kind, month",
        {"region": region, "first": shown[0], "last": this, "team": team},
    )
    found = {(row["kind"], row["month"]): Share(**row) for row in rows}
    return [found.get((kind, month)) or Share(kind, month, 0, 0, 0) for kind in kinds() for month in shown]


def _months(first: date, last: date) -> list[date]:
    """The first days of the months from `first` up to and including `last`."""
    found = [first]
    while found[-1] < last:
        found.append(months_later(found[-1], 1))
    return found


def _begin(month: date) -> datetime:
    """The first moment of a month here. What is due on its last day is due at the first moment of the next."""
    return datetime.combine(month, time.min, tzinfo=AMSTERDAM).astimezone(UTC)
