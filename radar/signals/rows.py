"""The signals in PostgreSQL: every statement of the radar's rules stands here, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.identity import Bsn, PartialDate
from core.ids import uuid7
from radar.signals.involvement import Involvement
from radar.signals.rules import Firing
from radar.signals.timeline import Case, Decided, Form, Person, Report, Sighting, Step, Timeline, Watch

# Everywhere only active links: until somebody says yes, a proposal is nobody's history.

_TOUCHED = """
WITH it AS (
    SELECT id, household_id, received_at FROM report WHERE id = %(report)s
), said AS (
    SELECT l.person_id FROM mention m
    JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')
    WHERE m.report_id = %(report)s
    UNION
    SELECT l.person_id FROM mention m JOIN link l ON l.mention_id = m.id AND l.state = 'rejected'
    WHERE m.report_id = %(report)s AND %(corrected)s
    UNION
    SELECT l.person_id FROM mention m JOIN link l ON l.mention_id = m.id AND l.state = 'undone'
    WHERE m.report_id = %(report)s AND %(corrected)s
)
SELECT household_id FROM it WHERE household_id IS NOT NULL
UNION
SELECT r.household_id FROM said
JOIN link l ON l.person_id = said.person_id AND l.state IN ('new', 'automatic', 'confirmed')
JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id JOIN it ON r.received_at >= it.received_at
WHERE r.household_id IS NOT NULL
UNION
SELECT r.household_id FROM signal s JOIN report r ON r.id = s.report_id
WHERE s.household_id = ANY(%(households)s) AND s.withdrawn_at IS NULL AND r.household_id IS NOT NULL
"""

_REPORTS = """
SELECT r.id, r.region_id, r.household_id, r.case_id, r.received_at, r.reporter_kind, r.supplements, r.acute_signals,
    d.met_at, o.path, o.decided_at, i.kind, i.known_persons, i.elsewhere,
    ARRAY(SELECT at FROM report_step WHERE report_id = r.id ORDER BY number) AS step_at,
    ARRAY(SELECT state FROM report_step WHERE report_id = r.id ORDER BY number) AS step_state,
    (SELECT jsonb_agg(jsonb_build_object('id', l.person_id, 'bsn', m.person -> 'bsn', 'naam', m.person -> 'naam',
        'geboortedatum', m.person -> 'geboortedatum') ORDER BY m.number)
     FROM mention m LEFT JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')
     WHERE m.report_id = r.id) AS people
FROM report r
LEFT JOIN deadline d ON d.kind = 'safety_assessment' AND d.subject_id = r.id
LEFT JOIN route o ON o.report_id = r.id AND o.state = 'decided'
LEFT JOIN involvement i ON i.report_id = r.id
WHERE r.household_id = %(household)s ORDER BY r.received_at, r.id
"""

_CASES = """
SELECT c.id, c.closed_at, w.holder, w.since, w.until FROM cases c LEFT JOIN safety_watch w ON w.case_id = c.id
WHERE c.id IN (SELECT case_id FROM report WHERE household_id = %(household)s) ORDER BY c.id, w.since, w.until
"""

_SIGHTINGS = """
WITH who AS (
    SELECT DISTINCT l.person_id FROM report r JOIN mention m ON m.report_id = r.id
    JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')
    WHERE r.household_id = %(household)s
)
SELECT l.person_id, r.id, r.received_at, o.path, o.decided_at,
    -- What an old system's register brought was ended there.
    CASE WHEN r.case_id IS NULL AND s.channel = 'import' THEN r.received_at ELSE c.closed_at END AS closed_at
FROM who JOIN link l ON l.person_id = who.person_id AND l.state IN ('new', 'automatic', 'confirmed')
JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id JOIN message s ON s.id = r.message_id
LEFT JOIN cases c ON c.id = r.case_id LEFT JOIN route o ON o.report_id = r.id AND o.state = 'decided'
ORDER BY r.received_at, r.id
"""

# OFFSET 0: from the few reports to their signals, also while PostgreSQL has no statistics on signals yet.
_IN_FORCE = """
SELECT s.* FROM report r
CROSS JOIN LATERAL (SELECT * FROM signal WHERE report_id = r.id AND withdrawn_at IS NULL OFFSET 0) s
WHERE r.household_id = %(household)s
"""


def touched(db: Db, report_id: UUID, households: Collection[UUID] = (), *, corrected: bool = False) -> set[UUID]:
    """The households whose signals may change with this report: its own, those of later reports on its persons.

    `corrected`: also those of persons that it once pointed to; `households`: also where their signals went.
    """
    values = {"report": report_id, "households": list(households), "corrected": corrected}
    return {row["household_id"] for row in db.execute(_TOUCHED, values)} | set(households)


def lock(db: Db, households: Collection[UUID]) -> None:
    """One evaluation at a time per household, taken in one order so that nobody waits in a circle."""
    db.execute("SELECT FROM household WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (list(households),))


def count_households(db: Db, region: UUID) -> int:
    """How many households a region has."""
    row = db.execute("SELECT count(*) AS n FROM household WHERE region_id = %s", (region,)).fetchone()
    return int(row["n"]) if row else 0


def households(db: Db, region: UUID, after: UUID, limit: int) -> list[UUID]:
    """At most `limit` households of a region behind `after`, in the order of their ids."""
    found = db.execute(
        "SELECT id FROM household WHERE region_id = %s AND id > %s ORDER BY id LIMIT %s", (region, after, limit)
    )
    return [row["id"] for row in found]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the rules look at for one household, as rows, with the signals that are in force now."""

    household: UUID
    reports: list[Row]
    cases: list[Row]
    sightings: list[Row]
    in_force: list[Row]


def load(db: Db, households: Collection[UUID]) -> list[Loaded]:
    """Everything of these households, in one round trip.

    One household per query: a list of them would be planned anew each time, which costs more than the query.
    """
    queries = (_REPORTS, _CASES, _SIGHTINGS, _IN_FORCE)
    with db.pipeline():
        asked = [(one, [db.execute(query, {"household": one}) for query in queries]) for one in sorted(households)]
        return [Loaded(one, *(cursor.fetchall() for cursor in cursors)) for one, cursors in asked]


def line(loaded: Loaded, elsewhere: Mapping[UUID, Sequence[str]]) -> Timeline:
    """The time line of a household. `elsewhere`: the names of the other regions that knew somebody, by report."""
    reports = tuple(_report(row, tuple(elsewhere.get(row["id"], ()))) for row in loaded.reports)
    return Timeline(loaded.household, reports, _cases(loaded.cases), _sightings(loaded.sightings))


def region_names(db: Db, regions: Collection[UUID]) -> dict[UUID, str]:
    """The names of regions: all that is ever told of another region."""
    if not regions:
        return {}
    rows = db.execute("SELECT id, name FROM region WHERE id = ANY(%s)", (list(regions),))
    return {row["id"]: row["name"] for row in rows}


def _report(row: Row, elsewhere: tuple[str, ...]) -> Report:
    return Report(
        id=row["id"],
        case=row["case_id"],
        received_at=row["received_at"],
        reporter_kind=row["reporter_kind"],
        supplements=row["supplements"],
        forms=tuple(Form(one["rule"], one["text"], bool(one.get("words"))) for one in row["acute_signals"]),
        people=tuple(_person(one) for one in row["people"] or ()),
        assessed_at=row["met_at"],
        decided=_decided(row),
        elsewhere=elsewhere,
        steps=tuple(map(Step, row["step_at"], row["step_state"])),
    )


def _person(said: Mapping[str, Any]) -> Person:
    born = said["geboortedatum"] or {}
    date = PartialDate.from_stuf(str(born.get("tekst", "")), born.get("indicatie"))
    words = " ".join(str(part) for part in (said["naam"] or {}).values() if isinstance(part, str)).lower().split()
    unborn = date.unborn or Bsn.parse(said["bsn"]).status == "unborn"
    return Person(UUID(said["id"]) if said["id"] else None, date if born else None, unborn, frozenset(words))


def _decided(row: Row) -> Decided | None:
    return Decided(row["path"], row["decided_at"]) if row["path"] else None


def _cases(rows: list[Row]) -> dict[UUID, Case]:
    watches: dict[UUID, list[Watch]] = {}
    closed: dict[UUID, datetime | None] = {}
    for row in rows:
        closed[row["id"]] = row["closed_at"]
        own = watches.setdefault(row["id"], [])
        if row["holder"]:
            own.append(Watch(row["holder"], row["since"], row["until"]))
    return {case: Case(case, closed[case], tuple(own)) for case, own in watches.items()}


def _sightings(rows: list[Row]) -> dict[UUID, tuple[Sighting, ...]]:
    found: dict[UUID, list[Sighting]] = {}
    for row in rows:
        one = Sighting(row["id"], row["received_at"], row["closed_at"], _decided(row))
        found.setdefault(row["person_id"], []).append(one)
    return {person: tuple(seen) for person, seen in found.items()}


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def withdraw(db: Db, why: Mapping[UUID, str], by: str, at: datetime) -> None:
    """Withdraw signals, each with its reason; they stay readable."""
    db.execute(
        "UPDATE signal s SET withdrawn_at = %s, withdrawn_by = %s, withdrawn_why = n.why"
        " FROM jsonb_to_recordset(%s::jsonb) AS n (id uuid, why text) WHERE s.id = n.id AND s.withdrawn_at IS NULL",
        (at, by, _json([{"id": one, "why": text} for one, text in why.items()])),
    )


def add(db: Db, region: UUID, firings: Sequence[Firing], rule_set: str, at: datetime) -> None:
    """Write new signals."""
    db.execute(
        "INSERT INTO signal (id, region_id, household_id, case_id, report_id, rule, title, rule_set, fired_on,"
        ' explanation, evidence, noted_at) SELECT n.id, %s, n.household, n."case", n.report, n.rule, n.title, %s,'
        " n.fired_on, n.explanation, n.evidence, %s FROM jsonb_to_recordset(%s::jsonb) AS n (id uuid, household uuid,"
        ' "case" uuid, report uuid, rule text, title text, fired_on date, explanation text, evidence uuid[])',
        (region, rule_set, at, _json([{"id": uuid7()} | asdict(one) for one in firings])),
    )


def settle(
    db: Db,
    region: UUID,
    found: Mapping[UUID, Involvement],
    elsewhere: Mapping[UUID, Sequence[UUID]],
    rule_set: str,
    at: datetime,
) -> None:
    """Write the earlier involvement of reports; what other regions knew is written once and stays."""
    rows = [
        {"report": report, "kind": one.kind, "known": one.known_persons, "elsewhere": list(elsewhere.get(report, ()))}
        for report, one in found.items()
    ]
    db.execute(
        "INSERT INTO involvement (report_id, region_id, kind, known_persons, elsewhere, rule_set, settled_at)"
        " SELECT n.report, %s, n.kind, n.known, n.elsewhere, %s, %s FROM jsonb_to_recordset(%s::jsonb)"
        " AS n (report uuid, kind text, known smallint, elsewhere uuid[])"
        " ON CONFLICT (report_id) DO UPDATE SET kind = excluded.kind, known_persons = excluded.known_persons,"
        " rule_set = excluded.rule_set, settled_at = excluded.settled_at",
        (region, rule_set, at, _json(rows)),
    )


def _json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))
