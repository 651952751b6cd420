"""The deadline queue: open tasks, risk first, then what is due first. It must work when it is always overdue.

A page is found by its place in the order (keyset), so page forty costs what page one costs. Done tasks are in no
index that is read here, so the cost does not grow with what lies behind us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from core.database import Db
from core.deadlines import end_of_day, local_day

KINDS = {
    "assess": "Veiligheidsbeoordeling",
    "review_link": "Koppeling nakijken",
    "review_route": "Besluit opnieuw bekijken",
    "quarantine": "Onleesbaar bericht",
    "dead_job": "Vastgelopen verwerking",
}
RISKS = (2, 1, 0)
"""2 acute, 1 raised (verhoogd), 0 none known."""
PAGE = 25


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader wants to see. `kinds` is what he may see, or less; None means no choice."""

    kinds: tuple[str, ...]
    team: UUID | None = None
    risk: int | None = None
    overdue: bool = False
    signal: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of the page before: its place in the order."""

    risk: int
    due_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One row: the task, and what a person needs to choose (no names). Counts include this report.

    `signals`: the titles of the radar's signals on the report that must be assessed.
    """

    id: UUID
    kind: str
    subject_id: UUID
    risk: int
    received_at: datetime
    due_at: datetime
    team: str | None
    report_id: UUID | None
    reporter_kind: str | None
    municipality: str | None
    persons: int
    household_reports: int
    signals: list[str]
    case_id: UUID | None
    case_number: str | None
    watch: str | None
    watch_team: str | None
    watch_since: datetime | None
    code: str | None
    job_kind: str | None

    @property
    def position(self) -> Position:
        return Position(self.risk, self.due_at, self.id)


@dataclass(frozen=True, slots=True)
class Counts:
    """Open tasks of all that the reader may see; `matching` and `overdue_outside` are about his filter."""

    open: int
    acute: int
    overdue: int
    today: int
    matching: int
    overdue_outside: int


_ITEMS = """
WITH picked AS (
    SELECT t.id, t.risk, t.due_at
    FROM unnest(%(risks)s::smallint[], %(dues)s::timestamptz[], %(ids)s::uuid[]) AS start (risk, due_at, id),
    LATERAL (
        SELECT id, risk, due_at FROM task
        WHERE region_id = %(region)s AND done_at IS NULL AND risk = start.risk
          AND (due_at, id) > (start.due_at, start.id) AND {chosen}
        ORDER BY due_at, id LIMIT %(limit)s
    ) t
    ORDER BY t.risk DESC, t.due_at, t.id LIMIT %(limit)s
)
SELECT t.id, t.kind, t.subject_id, t.risk, t.received_at, t.due_at, team.name AS team,
    r.id AS report_id, r.reporter_kind, r.municipality,
    (SELECT count(*) FROM mention n WHERE n.report_id = r.id) AS persons,
    (SELECT count(*) FROM report h WHERE h.household_id = r.household_id) AS household_reports,
    ARRAY(SELECT s.title FROM signal s WHERE t.kind = 'assess' AND s.report_id = t.subject_id
        AND s.withdrawn_at IS NULL ORDER BY s.rule) AS signals,
    c.id AS case_id, c.number AS case_number,
    w.holder AS watch, watch_team.name AS watch_team, w.since AS watch_since,
    q.code, j.kind AS job_kind
FROM picked JOIN task t ON t.id = picked.id
LEFT JOIN team ON team.id = t.team_id
LEFT JOIN link l ON t.kind = 'review_link' AND l.id = t.subject_id
LEFT JOIN mention m ON m.id = l.mention_id
LEFT JOIN report r ON r.id = CASE WHEN t.kind IN ('assess', 'review_route') THEN t.subject_id ELSE m.report_id END
LEFT JOIN cases c ON c.id = r.case_id
LEFT JOIN safety_watch w ON w.case_id = c.id AND w.until IS NULL
LEFT JOIN team watch_team ON watch_team.id = w.team_id
LEFT JOIN quarantine q ON t.kind = 'quarantine' AND q.id = t.subject_id
LEFT JOIN job j ON t.kind = 'dead_job' AND j.id = t.subject_id
ORDER BY t.risk DESC, t.due_at, t.id
"""

# One look in an index per open task. Not EXISTS: that may be planned as a hash of every signal there ever was.
_WITH_SIGNAL = """(kind = 'assess' AND coalesce(
    (SELECT true FROM signal s WHERE s.report_id = task.subject_id AND s.withdrawn_at IS NULL LIMIT 1), false))"""

_COUNTS = """
SELECT count(*) AS open,
    count(*) FILTER (WHERE risk = 2) AS acute,
    count(*) FILTER (WHERE due_at <= %(at)s) AS overdue,
    count(*) FILTER (WHERE due_at > %(at)s AND due_at <= %(midnight)s) AS today,
    count(*) FILTER (WHERE fits) AS matching,
    count(*) FILTER (WHERE due_at <= %(at)s AND NOT fits) AS overdue_outside
FROM (
    SELECT risk, due_at, {chosen} AS fits FROM task WHERE region_id = %(region)s AND done_at IS NULL AND {visible}
    OFFSET 0 -- so that the filter is asked once per task
) AS seen
"""


def items(
    db: Db, region: UUID, chosen: Filter, at: datetime, after: Position | None = None, limit: int = PAGE
) -> list[QueueItem]:
    """At most `limit` open tasks that fit the filter, in the order of the queue, behind `after`."""
    starts = [(risk, *_start(risk, after)) for risk in RISKS if after is None or risk <= after.risk]
    risks, dues, ids = zip(*starts, strict=True) if starts else ((), (), ())
    values = _values(region, chosen, at) | {
        "risks": list(risks),
        "dues": list(dues),
        "ids": list(ids),
        "limit": limit,
    }
    rows = db.execute(sql.SQL(_ITEMS).format(chosen=_condition(chosen)), values).fetchall()
    return [QueueItem(**row) for row in rows]


def counts(db: Db, region: UUID, may_see: Sequence[str], chosen: Filter, at: datetime) -> Counts:
    """Count what is open in this region, of the kinds that the reader may see."""
    midnight = end_of_day(local_day(at))
    values = _values(region, chosen, at) | {"midnight": midnight, "may_see": list(may_see)}
    query = sql.SQL(_COUNTS).format(chosen=_condition(chosen), visible=_of_kinds(may_see, "may_see"))
    row = db.execute(query, values).fetchone() or {}
    return Counts(**row)


def _start(risk: int, after: Position | None) -> tuple[datetime, UUID]:
    """Where a risk level begins: behind the last row shown, or at its first row."""
    if after is not None and after.risk == risk:
        return after.due_at, after.id
    return datetime.min.replace(tzinfo=UTC), UUID(int=0)


def _condition(chosen: Filter) -> sql.Composable:
    parts = [_of_kinds(chosen.kinds, "kinds")]
    if chosen.team is not None:
        parts.append(sql.SQL("team_id IS NOT DISTINCT FROM %(team)s"))
    if chosen.risk is not None:
        parts.append(sql.SQL("risk = %(risk)s"))
    if chosen.overdue:
        parts.append(sql.SQL("due_at <= %(at)s"))
    if chosen.signal:
        parts.append(sql.SQL(_WITH_SIGNAL))
    return sql.SQL(" AND ").join(parts)


def _of_kinds(kinds: Sequence[str], name: str) -> sql.Composable:
    """No condition at all for who sees every kind: it would be half of the cost of counting."""
    if set(kinds) >= KINDS.keys():
        return sql.SQL("true")
    return sql.SQL("kind = ANY({})").format(sql.Placeholder(name))


def _values(region: UUID, chosen: Filter, at: datetime) -> dict[str, Any]:
    return {
        "region": region,
        "kinds": list(chosen.kinds),
        "team": chosen.team,
        "risk": chosen.risk,
        "at": at,
    }
