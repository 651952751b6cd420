"""Links that wait for a person, and his word on them with all that follows.

The register changes first (radar.linking.correct), then the case of the report, the proposed routes, and the marks
on decisions that rested on the link. What changed in all is told by `radar.casework.consequences`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar import signals
from radar.casework.cases import follow_household
from radar.casework.routing import reweigh
from radar.linking import correct
from radar.linking.correct import Consequence

Told = Consequence | signals.Consequence
Word = Callable[[Db, UUID, str, datetime], Sequence[Told]]
PAGE = 25
SHOWN_MENTIONS = 40
ACTIVE = ("new", "automatic", "confirmed")


# ── a person's word ─────────────────────────────────────────────────────────────────────────────────────────


def confirm(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """The same person. Raises what `radar.linking.correct.confirm` raises."""
    return _say(correct.confirm, db, link_id, by, at)


def reject(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """Different people, for ever; a confirmed link is taken back first.

    Raises what `radar.linking.correct.reject` raises.
    """
    return _say(_reject, db, link_id, by, at)


def undo(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """Take the link back exactly; what was a question before it was confirmed is a question again.

    Raises what `radar.linking.correct.undo` raises.
    """
    return _say(_undo, db, link_id, by, at)


def withdraw(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """Take a no back: the question is open again, and so are those that the same no closed.

    Raises NotFound, or Conflict when there is no such no, or when the person it was about is gone.
    """
    return _say(_withdraw, db, link_id, by, at)


def look_again(db: Db, report_id: UUID) -> datetime | None:
    """Since when the decision on a report waits for a second look, because a link that it rested on was moved."""
    row = db.execute(
        "SELECT action, at FROM audit_entry WHERE object_id = %s"
        " AND action IN ('route.look_again', 'route.looked_again') ORDER BY at DESC, number DESC LIMIT 1",
        (report_id,),
    ).fetchone()
    return row["at"] if row and row["action"] == "route.look_again" else None


def looked_again(db: Db, report_id: UUID, by: str) -> None:
    """Somebody looked again, and the decision stays. Raises NotFound, or Conflict when nothing waited."""
    report = db.execute("SELECT region_id FROM report WHERE id = %s FOR UPDATE", (report_id,)).fetchone()
    if report is None:
        raise NotFound
    if look_again(db, report_id) is None:
        raise Conflict("Dit besluit is al nagekeken.")
    audit.append(db, report["region_id"], by, "route.looked_again", "report", report_id)


def _say(word: Word, db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    before = locked(db, link_id)
    found = list(word(db, link_id, by, at))
    report = before["report_id"]
    _reopen(db, report, by)
    if case := follow_household(db, report, by, at):
        found.append(Consequence("case_changed", case, "De melding hoort nu bij een andere casus"))
    after = locked(db, link_id)
    homes = {before["household_id"], after["household_id"]} - {None}
    for one in _reports_of(db, homes, "proposed"):
        reweigh(db, one["id"], by, at)
    if len(homes) > 1:
        _mark_decisions(db, before, homes, by)
    if len(homes) > 1 or before["own"] != after["own"]:
        found += signals.refresh(db, report, homes, by, at)
    return found


def _reopen(db: Db, report_id: UUID, by: str) -> None:
    """A case that an earlier correction left empty opens again when its report comes back, watched as it was."""
    row = db.execute(
        "SELECT c.id, c.region_id FROM report r JOIN cases c ON c.household_id = r.household_id"
        " WHERE r.id = %s AND c.closed_at IS NOT NULL AND NOT EXISTS (SELECT FROM report o WHERE o.case_id = c.id)"
        " AND NOT EXISTS (SELECT FROM cases o WHERE o.household_id = c.household_id AND o.closed_at IS NULL)"
        " ORDER BY c.closed_at DESC LIMIT 1",
        (report_id,),
    ).fetchone()
    if row:
        db.execute("UPDATE cases SET closed_at = NULL WHERE id = %s", (row["id"],))
        db.execute(
            "UPDATE safety_watch SET until = NULL WHERE id ="
            " (SELECT id FROM safety_watch WHERE case_id = %s ORDER BY until DESC, since DESC LIMIT 1)",
            (row["id"],),
        )
        audit.append(db, row["region_id"], by, "case.reopen", "case", row["id"])


def _mark_decisions(db: Db, link: Row, homes: Collection[UUID], by: str) -> None:
    """Ask for a second look at what was decided on this report, and in its old household since the link was made."""
    for one in _reports_of(db, homes, "decided"):
        rested = one["household_id"] == link["household_id"] and one["decided_at"] >= link["active_since"]
        if one["id"] == link["report_id"] or (rested and link["state"] in ACTIVE):
            details = {"link": str(link["id"])}
            audit.append(db, link["region_id"], by, "route.look_again", "report", one["id"], details)


def _reject(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    if locked(db, link_id)["state"] != "confirmed":
        return correct.reject(db, link_id, by, at)
    found = correct.undo(db, link_id, by, at)
    (question,) = _ask_again(db, [link_id])
    return found + correct.reject(db, question, by, at)


def _undo(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    found = correct.undo(db, link_id, by, at)
    if db.execute("SELECT id FROM task WHERE kind = 'review_link' AND subject_id = %s", (link_id,)).fetchone():
        _ask_again(db, [link_id])
    return found


def _withdraw(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    link = locked(db, link_id)
    if link["state"] != "rejected":
        raise Conflict("Er staat geen nee meer bij deze koppeling.")
    if not db.execute(
        "SELECT id FROM link WHERE person_id = %s AND state = ANY(%s) LIMIT 1", (link["person_id"], list(ACTIVE))
    ).fetchone():
        raise Conflict("Deze persoon bestaat niet meer in het register; er valt niets meer te vragen.")
    # One no closes several questions at the same moment: that moment and its author say which.
    closed = db.execute(
        "UPDATE link SET state = 'undone', decided_by = %s, decided_at = %s"
        " WHERE id = %s OR region_id = %s AND state = 'rejected' AND decided_by = %s AND decided_at = %s"
        " AND EXISTS (SELECT FROM task t WHERE t.kind = 'review_link' AND t.subject_id = link.id) RETURNING id",
        (by, at, link_id, link["region_id"], link["decided_by"], link["decided_at"]),
    ).fetchall()
    _ask_again(db, [row["id"] for row in closed])
    audit.append(db, link["region_id"], by, "link.withdraw", "link", link_id, {"questions": len(closed)})
    return []


def _ask_again(db: Db, links: Collection[UUID]) -> list[UUID]:
    """Put what was taken back as a question again, as it was weighed; what was said of it stays to be read.

    The database gives each question its task. Gives the new links.
    """
    return [
        row["id"]
        for one in links
        for row in db.execute(
            "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
            " created_at) SELECT %s, region_id, mention_id, person_id, 'proposed', outcome, score, reasons, rule_set,"
            " created_at FROM link WHERE id = %s RETURNING id",
            (uuid7(), one),
        )
    ]


def locked(db: Db, link_id: UUID) -> Row:
    """A link with its report, both locked; `own`: who its mention is now. Raises NotFound."""
    row = db.execute(
        "SELECT l.*, m.report_id, r.household_id, coalesce(l.decided_at, l.created_at) AS active_since,"
        " (SELECT k.person_id FROM link k WHERE k.mention_id = m.id AND k.state IN ('new', 'automatic', 'confirmed'))"
        " AS own FROM link l JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id"
        " WHERE l.id = %s FOR UPDATE OF r, l",
        (link_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def _reports_of(db: Db, homes: Collection[UUID], state: str) -> list[Row]:
    """The reports of these households whose route is in this state, oldest first."""
    return db.execute(
        "SELECT r.id, r.household_id, o.decided_at FROM report r JOIN route o ON o.report_id = r.id AND o.state = %s"
        " WHERE r.household_id = ANY(%s) ORDER BY r.received_at, r.id",
        (state, list(homes)),
    ).fetchall()


# ── what waits ──────────────────────────────────────────────────────────────────────────────────────────────


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
    (SELECT count(*) FROM jsonb_array_elements(l.reasons) e WHERE (e ->> 'weight')::float > 0) AS pro,
    (SELECT count(*) FROM jsonb_array_elements(l.reasons) e WHERE (e ->> 'weight')::float < 0) AS con
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
    values = _values(region, chosen) | {"due_at": after.due_at, "task": after.task, "limit": limit}
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
