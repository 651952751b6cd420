"""The deadline queue: open tasks, risk first, then what is due first. It must work when it is always overdue.

A page is found by its place in the order (keyset), so page forty costs what page one costs. Done tasks are in no
index that is read here, so the cost does not grow with what lies behind us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import sql

from core.database import Db
from core.deadlines import end_of_day, local_day

KINDS = {
    "acute_check": "Acute check",
    "direct_action": "Direct handelen",
    "assess": "Veiligheidsbeoordeling",
    "sign": "Tweede handtekening",
    "recheck": "Risico opnieuw bekijken",
    "handover": "Overdracht aanbieden",
    "service": "Traject bij Veilig Thuis",
    "monitor": "Contactmoment monitoring",
    "feedback": "Terugkoppeling aan de melder",
    "notify": "Bericht aan betrokkenen",
    "inform": "Informatie bij eerste contact",
    "person_request": "Verzoek van een betrokkene",
    "review_link": "Koppeling nakijken",
    "review_route": "Besluit opnieuw bekijken",
    "quarantine": "Onleesbaar bericht",
    "dead_job": "Vastgelopen verwerking",
    "break_glass": "Noodinzage nakijken",
    "outgoing": "Uitgaand nakijken",
}
RISKS = (2, 1, 0)
"""2 acute, 1 raised (verhoogd), 0 none known."""
PAGE = 25
ENOUGH = 1000
"""Late tasks of other teams are not counted further: who reads the number needs to know that there are many."""
Mark = Literal["reminded", "escalated"]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader wants to see. `kinds` is what he may see, or less; None means no choice.

    `team` together with `no_team`: also what no team has yet, so that all see that. `staff` is one colleague,
    `nobody` what nobody has. `due_until`: not late yet, but then. `marked`: what the clock reminded of or escalated.
    """

    kinds: tuple[str, ...]
    team: UUID | None = None
    no_team: bool = False
    staff: UUID | None = None
    nobody: bool = False
    risk: int | None = None
    overdue: bool = False
    signal: bool = False
    due_until: datetime | None = None
    marked: Mark | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of the page before: its place in the order."""

    risk: int
    due_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One row: the task, and what a person needs to choose (no names but of who has it). Counts include this report.

    Two clocks: `received_at` and `team_since`. `signals`: the titles of the radar's signals on the report that must
    be assessed. `risk_looked`: when a person last looked at the risk, None for never. `contact`: whom to ask,
    when what the task is about is hidden from the reader; nothing else of it is told.
    """

    id: UUID
    kind: str
    subject_id: UUID
    risk: int
    received_at: datetime
    due_at: datetime
    reminded_at: datetime | None
    escalated_at: datetime | None
    team: str | None
    team_since: datetime
    staff: str | None
    staff_id: UUID | None
    report_id: UUID | None
    contact: str | None
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
    risk_looked: datetime | None
    code: str | None
    job_kind: str | None

    @property
    def position(self) -> Position:
        return Position(self.risk, self.due_at, self.id)


@dataclass(frozen=True, slots=True)
class Counts:
    """Open tasks of the team that the reader looks at; `matching` and `late_here` are about his filter.

    `mine` are his own, of any team. `late_elsewhere`: late with other teams, counted up to `ENOUGH`; `elsewhere`:
    whether they have open work.
    """

    open: int
    acute: int
    overdue: int
    today: int
    escalated: int
    mine: int
    matching: int
    late_here: int
    late_elsewhere: int
    elsewhere: bool

    @property
    def overdue_outside(self) -> int:
        """What is late and does not fit the filter, here or with other teams."""
        return self.late_here + self.late_elsewhere


_PICKED = """
SELECT t.id
FROM unnest(%(risks)s::smallint[], %(dues)s::timestamptz[], %(ids)s::uuid[]) AS start (risk, due_at, id),
LATERAL (
    SELECT id, risk, due_at FROM task
    WHERE region_id = %(region)s AND done_at IS NULL AND risk = start.risk
      AND (due_at, id) > (start.due_at, start.id) AND {chosen}
    ORDER BY due_at, id LIMIT %(limit)s
) t
ORDER BY t.risk DESC, t.due_at, t.id LIMIT %(limit)s
"""

_ITEMS = """
SELECT t.id, t.kind, t.subject_id, t.risk, t.received_at, t.due_at, t.reminded_at, t.escalated_at,
    team.name AS team, t.team_since, staff.name AS staff, t.staff_id,
    coalesce(r.id, CASE WHEN b.task_id IS NOT NULL THEN t.report_id END) AS report_id, b.contact,
    r.reporter_kind, r.municipality,
    (SELECT count(*) FROM mention n WHERE n.report_id = r.id) AS persons,
    (SELECT count(*) FROM report h WHERE h.household_id = r.household_id) AS household_reports,
    ARRAY(SELECT s.title FROM signal s WHERE t.kind = 'assess' AND s.report_id = t.subject_id
        AND s.withdrawn_at IS NULL ORDER BY s.rule) AS signals,
    c.id AS case_id, c.number AS case_number,
    w.holder AS watch, watch_team.name AS watch_team, w.since AS watch_since,
    (SELECT max(l.at) FROM risk_look l WHERE l.report_id = r.id) AS risk_looked,
    q.code, j.kind AS job_kind
FROM task t
LEFT JOIN blind_tasks(%(picked)s) b ON b.task_id = t.id
LEFT JOIN team ON team.id = t.team_id
LEFT JOIN staff ON staff.id = t.staff_id
LEFT JOIN report r ON r.id = t.report_id
LEFT JOIN cases c ON c.id = r.case_id
LEFT JOIN safety_watch w ON w.case_id = c.id AND w.until IS NULL
LEFT JOIN team watch_team ON watch_team.id = w.team_id
LEFT JOIN quarantine q ON t.kind = 'quarantine' AND q.id = t.subject_id
LEFT JOIN job j ON t.kind = 'dead_job' AND j.id = t.subject_id
WHERE t.id = ANY(%(picked)s)
ORDER BY t.risk DESC, t.due_at, t.id
"""

# One look in an index per open task. Not EXISTS: that may be planned as a hash of every signal there ever was.
_WITH_SIGNAL = """(kind = 'assess' AND coalesce(
    (SELECT true FROM signal s WHERE s.report_id = task.subject_id AND s.withdrawn_at IS NULL LIMIT 1), false))"""

OF_REGION = "(SELECT * FROM task WHERE region_id = %(region)s AND done_at IS NULL) task"
# Not one condition with OR: so each half reads its own part of an index.
OF_TEAM = """(SELECT * FROM task WHERE region_id = %(region)s AND done_at IS NULL AND team_id = %(team)s
    UNION ALL SELECT * FROM task WHERE region_id = %(region)s AND done_at IS NULL AND team_id IS NULL) task"""
"""Open work, of the whole region or of a team with what no team has yet."""

_COUNTS = """
SELECT count(*) AS open,
    count(*) FILTER (WHERE risk = 2) AS acute,
    count(*) FILTER (WHERE due_at <= %(at)s) AS overdue,
    count(*) FILTER (WHERE due_at > %(at)s AND due_at <= %(midnight)s) AS today,
    count(*) FILTER (WHERE escalated) AS escalated,
    (SELECT count(*) FROM task WHERE staff_id = %(me)s AND region_id = %(region)s AND done_at IS NULL AND {visible})
        AS mine,
    count(*) FILTER (WHERE fits) AS matching,
    count(*) FILTER (WHERE due_at <= %(at)s AND NOT fits) AS late_here,
    (SELECT count(*) FROM (SELECT FROM task WHERE region_id = %(region)s AND done_at IS NULL
        AND risk = ANY('{{2,1,0}}') AND due_at <= %(at)s AND team_id <> %(team)s AND {visible}
        LIMIT %(enough)s) AS late) AS late_elsewhere,
    EXISTS (SELECT FROM task WHERE region_id = %(region)s AND done_at IS NULL AND team_id <> %(team)s AND {visible})
        AS elsewhere
FROM (
    SELECT risk, due_at, escalated_at IS NOT NULL AS escalated, {chosen} AS fits
    FROM {work} WHERE {visible}
    OFFSET 0 -- so that the filter is asked once per task
) AS seen
"""


def items(
    db: Db, region: UUID, chosen: Filter, at: datetime, after: Position | None = None, limit: int = PAGE
) -> list[QueueItem]:
    """At most `limit` open tasks that fit the filter, in the order of the queue, behind `after`."""
    return _items(db, _picked(db, region, chosen, at, after, limit))


def first_items(db: Db, region: UUID, wanted: Sequence[Filter], at: datetime, limit: int) -> list[list[QueueItem]]:
    """The first open tasks of each of these filters; what is told of a task is asked once for all of them."""
    picked = [_picked(db, region, chosen, at, None, limit) for chosen in wanted]
    known = {item.id: item for item in _items(db, sorted({task for ids in picked for task in ids}))}
    return [[known[task] for task in ids if task in known] for ids in picked]


def _picked(db: Db, region: UUID, chosen: Filter, at: datetime, after: Position | None, limit: int) -> list[UUID]:
    """The ids of a page, in its order."""
    starts = [(risk, *_start(risk, after)) for risk in RISKS if after is None or risk <= after.risk]
    risks, dues, ids = zip(*starts, strict=True) if starts else ((), (), ())
    values = _values(region, chosen, at) | {
        "risks": list(risks),
        "dues": list(dues),
        "ids": list(ids),
        "limit": limit,
    }
    rows = db.execute(sql.SQL(_PICKED).format(chosen=_condition(chosen)), values).fetchall()
    return [row["id"] for row in rows]


def _items(db: Db, picked: Sequence[UUID]) -> list[QueueItem]:
    return [QueueItem(**row) for row in db.execute(_ITEMS, {"picked": list(picked)}).fetchall()] if picked else []


def counts(
    db: Db, region: UUID, may_see: Sequence[str], chosen: Filter, at: datetime, me: UUID | None = None
) -> Counts:
    """Count what is open of the kinds that the reader may see: in the team that he looks at and without a team, or in
    the whole region when he looks at all. `me` is the reader.
    """
    midnight = end_of_day(local_day(at))
    values = _values(region, chosen, at) | {
        "midnight": midnight,
        "may_see": list(may_see),
        "me": me or UUID(int=0),
        "enough": ENOUGH,
    }
    work = sql.SQL(OF_TEAM if chosen.team else OF_REGION)
    query = sql.SQL(_COUNTS).format(chosen=_condition(chosen), visible=_of_kinds(may_see, "may_see"), work=work)
    row = db.execute(query, values).fetchone() or {}
    return Counts(**row)


def _start(risk: int, after: Position | None) -> tuple[datetime, UUID]:
    """Where a risk level begins: behind the last row shown, or at its first row."""
    if after is not None and after.risk == risk:
        return after.due_at, after.id
    return datetime.min.replace(tzinfo=UTC), UUID(int=0)


def _condition(chosen: Filter) -> sql.Composable:
    parts = [_of_kinds(chosen.kinds, "kinds")]
    if chosen.team is not None and chosen.no_team:
        parts.append(sql.SQL("(team_id = %(team)s OR team_id IS NULL)"))
    elif chosen.team is not None:
        parts.append(sql.SQL("team_id = %(team)s"))
    elif chosen.no_team:
        parts.append(sql.SQL("team_id IS NULL"))
    if chosen.nobody:
        parts.append(sql.SQL("staff_id IS NULL"))
    elif chosen.staff is not None:
        parts.append(sql.SQL("staff_id = %(staff)s"))
    if chosen.risk is not None:
        parts.append(sql.SQL("risk = %(risk)s"))
    if chosen.overdue:
        parts.append(sql.SQL("due_at <= %(at)s"))
    if chosen.due_until is not None:
        parts.append(sql.SQL("due_at > %(at)s AND due_at <= %(until)s"))
    if chosen.marked:
        parts.append(sql.SQL("{} IS NOT NULL").format(sql.Identifier(f"{chosen.marked}_at")))
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
        "staff": chosen.staff,
        "until": chosen.due_until,
        "risk": chosen.risk,
        "at": at,
    }
