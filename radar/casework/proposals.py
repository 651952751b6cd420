"""Link proposals that wait for a person: the list page by page, the counts, and one pair with both its sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from core.database import Db, Row
from core.errors import NotFound

PAGE = 25
SHOWN_MENTIONS = 40
ACTIVE = ("new", "automatic", "confirmed")
BARELY = 1.5
"""Bits: a reason below this says next to nothing, for or against (two people of one sex are seldom one person)."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader wants to see; None is no choice. `reason`: the level of the reason why it is asked."""

    team: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order: oldest deadline first."""

    due_at: datetime
    task: UUID


START = Position(datetime.min.replace(tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal in the list; no names. `pro` and `con`: how many reasons speak for and against."""

    link: UUID
    task: UUID
    due_at: datetime
    risk: int
    team: str | None
    report: UUID
    received_at: datetime
    reporter_kind: str
    municipality: str | None
    role: str | None
    why: str | None
    pro: int
    con: int

    @property
    def position(self) -> Position:
        return Position(self.due_at, self.task)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many proposals wait in the region, how many are late, how many fit the filter, and how many per reason."""

    open: int
    overdue: int
    matching: int
    reasons: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Everything a person needs to decide: the mention with its company, and what is known of the person.

    `known`: his mentions, newest first; `homes`: his households; `rivals`: the others whom this mention may be.
    """

    link: Row
    company: list[Row]
    known: list[Row]
    homes: list[Row]
    rivals: list[Row]


_TEAM = """
coalesce(t.team_id, (SELECT a.team_id FROM task a WHERE a.kind = 'assess' AND a.subject_id = m.report_id
    ORDER BY a.opened_at DESC LIMIT 1))
"""
_OPEN = """
FROM task t JOIN link l ON l.id = t.subject_id JOIN mention m ON m.id = l.mention_id
WHERE t.region_id = %(region)s AND t.kind = 'review_link' AND t.done_at IS NULL AND l.state = 'proposed'
"""
_WHY = """jsonb_path_query_first(l.reasons, '$[*] ? (@.field == "decision")')"""
# The page is chosen first: what stands in it is looked up for its rows only.
_WAITING = """
WITH picked AS (
    SELECT t.id {open} AND (t.due_at, t.id) > (%(due_at)s, %(task)s) AND {chosen}
    ORDER BY t.due_at, t.id LIMIT %(limit)s
)
SELECT l.id AS link, t.id AS task, t.due_at, greatest(t.risk, a.risk) AS risk, team.name AS team, r.id AS report,
    r.received_at, r.reporter_kind, r.municipality, m.person #>> '{{rol,tekst}}' AS role, {why} ->> 'text' AS why,
    (SELECT count(*) FROM jsonb_array_elements(l.reasons) e WHERE (e ->> 'weight')::float >= %(barely)s) AS pro,
    (SELECT count(*) FROM jsonb_array_elements(l.reasons) e WHERE (e ->> 'weight')::float <= -%(barely)s) AS con
FROM picked JOIN task t ON t.id = picked.id JOIN link l ON l.id = t.subject_id
JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id
LEFT JOIN LATERAL (
    SELECT max(risk) AS risk FROM task a WHERE a.kind = 'assess' AND a.subject_id = r.id
) a ON true
LEFT JOIN team ON team.id = {team}
ORDER BY t.due_at, t.id
"""
_COUNTS = """
SELECT {why} ->> 'level' AS level, {why} ->> 'text' AS text, count(*) AS n,
    count(*) FILTER (WHERE t.due_at <= %(at)s) AS overdue, count(*) FILTER (WHERE {chosen}) AS matching
{open} GROUP BY 1, 2 ORDER BY 1, 2
"""


def waiting(db: Db, region: UUID, chosen: Filter, after: Position = START, limit: int = PAGE) -> list[Waiting]:
    """At most `limit` open proposals that fit the filter, oldest deadline first, behind `after`."""
    values = _values(region, chosen) | {"due_at": after.due_at, "task": after.task, "limit": limit, "barely": BARELY}
    return [Waiting(**row) for row in db.execute(_query(_WAITING, chosen), values)]


def counts(db: Db, region: UUID, chosen: Filter, at: datetime) -> Counts:
    """Count the open proposals of this region; `reasons` are (level, text, how many)."""
    rows = db.execute(_query(_COUNTS, chosen), _values(region, chosen) | {"at": at}).fetchall()
    total, overdue, matching = (sum(row[name] for row in rows) for name in ("n", "overdue", "matching"))
    reasons = tuple((row["level"], row["text"], row["n"]) for row in rows if row["level"])
    return Counts(total, overdue, matching, reasons)


def _query(template: LiteralString, chosen: Filter) -> sql.Composed:
    """The statement, with only the conditions that the reader chose: the others cost nothing."""
    parts = [sql.SQL(_TEAM + " = %(team)s")] if chosen.team else []
    parts += [sql.SQL("l.reasons @> %(reason)s")] if chosen.reason else []
    return sql.SQL(template).format(
        open=sql.SQL(_OPEN),
        why=sql.SQL(_WHY),
        team=sql.SQL(_TEAM),
        chosen=sql.SQL(" AND ").join(parts) if parts else sql.SQL("true"),
    )


def _values(region: UUID, chosen: Filter) -> dict[str, Any]:
    why = {"field": "decision", "level": chosen.reason}
    return {"region": region, "team": chosen.team, "reason": Jsonb([why])}


def position_of(db: Db, region: UUID, link_id: UUID) -> Position:
    """Where a proposal stands or stood in the order; the start when it was never one."""
    row = db.execute(
        "SELECT due_at, id FROM task WHERE region_id = %s AND kind = 'review_link' AND subject_id = %s"
        " ORDER BY opened_at DESC LIMIT 1",
        (region, link_id),
    ).fetchone()
    return Position(row["due_at"], row["id"]) if row else START


def pair(db: Db, region: UUID, link_id: UUID) -> Pair:
    """One link with both its sides. Raises NotFound."""
    link = db.execute(
        "SELECT l.*, m.person, m.number, m.report_id, r.received_at, r.reporter_kind, r.municipality, r.household_id"
        " FROM link l JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id"
        " WHERE l.region_id = %s AND l.id = %s",
        (region, link_id),
    ).fetchone()
    if link is None:
        raise NotFound
    values = link | {"active": list(ACTIVE), "limit": SHOWN_MENTIONS}
    return Pair(link, *(db.execute(query, values).fetchall() for query in (_COMPANY, _KNOWN, _HOMES, _RIVALS)))


_COMPANY = """
SELECT m.id, m.person, k.person_id, k.state FROM mention m
LEFT JOIN link k ON k.mention_id = m.id AND k.state = ANY(%(active)s)
WHERE m.region_id = %(region_id)s AND m.report_id = %(report_id)s AND m.id <> %(mention_id)s ORDER BY m.number
"""
_KNOWN = """
SELECT m.id, m.person, m.report_id, r.received_at, r.reporter_kind, r.municipality, k.state,
    count(*) OVER () AS total
FROM link k JOIN mention m ON m.id = k.mention_id JOIN report r ON r.id = m.report_id
WHERE k.region_id = %(region_id)s AND k.person_id = %(person_id)s AND k.mention_id <> %(mention_id)s
    AND k.state = ANY(%(active)s)
ORDER BY r.received_at DESC, m.id LIMIT %(limit)s
"""
_HOMES = """
SELECT h.*, c.id AS case_id, c.number, c.closed_at FROM (
    SELECT household_id, min(valid_from) AS valid_from,
        CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS valid_to
    FROM membership WHERE region_id = %(region_id)s AND person_id = %(person_id)s AND mention_id <> %(mention_id)s
    GROUP BY household_id
) h LEFT JOIN LATERAL (
    SELECT id, number, closed_at FROM cases WHERE household_id = h.household_id
    ORDER BY closed_at DESC NULLS FIRST LIMIT 1
) c ON true
ORDER BY h.valid_from DESC, h.household_id LIMIT 5
"""
_RIVALS = """
SELECT l.id, l.score, newest.person FROM link l
LEFT JOIN LATERAL (
    SELECT m.person FROM link k JOIN mention m ON m.id = k.mention_id JOIN report r ON r.id = m.report_id
    WHERE k.person_id = l.person_id AND k.mention_id <> l.mention_id AND k.state = ANY(%(active)s)
    ORDER BY r.received_at DESC, m.id LIMIT 1
) newest ON true
WHERE l.region_id = %(region_id)s AND l.mention_id = %(mention_id)s AND l.id <> %(id)s AND l.state = 'proposed'
ORDER BY l.score DESC, l.id
"""
