"""The log review: each day the trail is held against the risk rules, and every finding gets an outcome of a person.

Who reviews is never who it is about. What nobody looked at in time goes to the top and is told of again. Break-glass
(radar/protection/break_glass.py) is reviewed here too: every grant that has a review_due_at.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, VeiligError
from core.ids import uuid7
from core.staff import Member
from radar.oversight.facts import facts_of, lines_of
from radar.oversight.log import Period
from radar.oversight.risk import Line, Policy, hits_of, policy, sample_of
from radar.search.watch import ALARMS

OUTCOMES = {
    "explained": "Verklaard: hoort bij het werk",
    "talk": "Besproken met de medewerker",
    "incident": "Incident: gemeld en opgevolgd",
}
AT_MOST_DAYS = 31
"""After a long stop the clock catches up so many days; earlier ones by the command."""
MAX_NOTE = 2000


class OutcomeMissing(VeiligError):
    """Kies wat de uitkomst van de controle is."""

    status = 400


class NoteMissing(VeiligError):
    """Schrijf op wat u hebt nagegaan, in hoogstens 2000 tekens."""

    status = 400


class OwnReading(NotAllowed):
    """Dit gaat over uzelf. Een ander moet dit controleren."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one day of review gave."""

    lines: int
    findings: int


def run(db: Db, region: UUID, day: date, at: datetime, by: str, chance: random.Random | None = None) -> Done:
    """Hold the lines of one day against the rules. Doing it again adds nothing to what was found before."""
    rules, lines = policy(), lines_of(db, region, day)
    facts = facts_of(db, region, lines)
    found: list[tuple[UUID, str, list[Line]]] = []
    for staff, of_one in lines.items():
        found += [(staff, rule, hit) for rule, hit in hits_of(of_one, facts, rules.rules).items()]
    found += _alarms(db, region, day, lines)
    new = sum(_keep(db, region, day, at, rules, *one) for one in found)
    total = sum(map(len, lines.values()))
    first = db.execute(
        "INSERT INTO log_review_day (region_id, day, at, lines, findings) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (region, day, at, total, new),
    )
    if first.rowcount:
        drawn = sample_of(
            [one for each in lines.values() for one in each], rules.sample, chance or random.SystemRandom()
        )
        for staff in {line.staff for line in drawn}:
            mine = [line for line in drawn if line.staff == staff]
            new += _keep(db, region, day, at, rules, staff, "sample", mine)
    audit.append(db, region, by, "log.review_run", "log", details={"day": day.isoformat(), "found": new})
    return Done(total, new)


def run_due(db: Db, region: UUID, at: datetime, by: str = "system") -> int:
    """Review every day that is over and was not reviewed yet, and remind of what is overdue; returns new findings."""
    yesterday = local_day(at) - timedelta(days=1)
    last = last_day(db, region) or yesterday - timedelta(days=1)
    first = max(last + timedelta(days=1), yesterday - timedelta(days=AT_MOST_DAYS - 1))
    new = 0
    for number in range((yesterday - first).days + 1):
        new += run(db, region, first + timedelta(days=number), at, by).findings
    remind(db, region, at)
    return new


def remind(db: Db, region: UUID, at: datetime) -> int:
    """Note for each overdue finding that it was told of again; returns how many."""
    rows = db.execute(
        "UPDATE log_finding SET reminded_at = %(at)s WHERE region_id = %(region)s AND reviewed_at IS NULL"
        " AND due_at <= %(at)s AND (reminded_at IS NULL OR reminded_at <= %(at)s - make_interval(days => %(days)s))"
        " RETURNING id",
        {"at": at, "region": region, "days": policy().remind_days},
    ).fetchall()
    if rows:
        audit.append(db, region, "system", "log.remind", "log", details={"overdue": len(rows)})
    return len(rows)


def findings(db: Db, region: UUID, *, reviewed: bool = False, limit: int = 100) -> list[Row]:
    """What waits (overdue first, then by weight), or what was reviewed lately."""
    rows = db.execute(
        "SELECT f.*, s.name, s.role, r.name AS reviewer FROM log_finding f JOIN staff s ON s.id = f.staff_id"
        " LEFT JOIN staff r ON r.id = f.reviewed_by"
        " WHERE f.region_id = %s AND (f.reviewed_at IS NOT NULL) = %s"
        " ORDER BY f.reviewed_at DESC, (f.due_at > now()), f.weight DESC, f.due_at, f.id LIMIT %s",
        (region, reviewed, limit),
    ).fetchall()
    return [row | {"text": text_of(row["rule"])} for row in rows]


def finding(db: Db, region: UUID, finding_id: UUID) -> tuple[Row, list[Row]]:
    """One finding and the lines of the trail that it is about. Raises NotFound."""
    row = db.execute(
        "SELECT f.*, s.name, s.role, r.name AS reviewer FROM log_finding f JOIN staff s ON s.id = f.staff_id"
        " LEFT JOIN staff r ON r.id = f.reviewed_by WHERE f.id = %s AND f.region_id = %s",
        (finding_id, region),
    ).fetchone()
    if row is None:
        raise NotFound
    lines = db.execute(
        "SELECT e.* FROM jsonb_to_recordset(%s) AS w(chain smallint, number bigint)"
        " JOIN log_lines(%s, NULL, %s, (SELECT username FROM staff WHERE id = %s), NULL, %s, %s) e"
        " USING (chain, number) ORDER BY e.at, e.chain, e.number",
        (Jsonb(row["seen"]), region, row["staff_id"], row["staff_id"], *_day(row["day"])),
    ).fetchall()
    return row | {"text": text_of(row["rule"])}, lines


def last_day(db: Db, region: UUID) -> date | None:
    """The last day whose lines were held against the rules."""
    row = db.execute("SELECT max(day) AS day FROM log_review_day WHERE region_id = %s", (region,)).fetchone()
    found: date | None = row["day"] if row else None
    return found


def settle(db: Db, finding_id: UUID, reviewer: Member, outcome: str, note: str, at: datetime) -> None:
    """Give a finding its outcome. Raises NotFound, OwnReading, OutcomeMissing, NoteMissing, Conflict."""
    row = db.execute(
        "SELECT staff_id FROM log_finding WHERE id = %s AND region_id = %s", (finding_id, reviewer.region)
    ).fetchone()
    if row is None:
        raise NotFound
    if row["staff_id"] == reviewer.id:
        raise OwnReading
    _check(outcome, note)
    done = db.execute(
        "UPDATE log_finding SET reviewed_at = %s, reviewed_by = %s, outcome = %s, note = %s"
        " WHERE id = %s AND reviewed_at IS NULL",
        (at, reviewer.id, outcome, note.strip(), finding_id),
    )
    if done.rowcount != 1:
        raise Conflict
    details = {"outcome": outcome, "staff": str(row["staff_id"])}
    audit.append(db, reviewer.region, reviewer.username, "log.review", "log_finding", finding_id, details)


def grants(db: Db, region: UUID, *, reviewed: bool = False, limit: int = 100) -> list[Row]:
    """The break-glass grants to review, overdue first; or the reviewed ones, newest first."""
    return db.execute(
        "SELECT g.*, s.name, s.role FROM access_grant g JOIN staff s ON s.id = g.staff_id WHERE g.region_id = %s"
        " AND g.review_due_at IS NOT NULL AND (g.reviewed_at IS NOT NULL) = %s"
        " ORDER BY g.reviewed_at DESC, g.review_due_at, g.id LIMIT %s",
        (region, reviewed, limit),
    ).fetchall()


def grant_lines(db: Db, grant: Row) -> list[Row]:
    """What the holder did with the file while the glass was broken."""
    whose = grant["report_id"] or grant["person_id"]
    return db.execute(
        "SELECT e.* FROM log_lines(%s, (SELECT array_agg(id) FROM log_subjects(%s, %s) AS id), NULL, NULL, NULL,"
        " %s, %s) e WHERE e.staff_id = %s ORDER BY e.at, e.chain, e.number",
        (
            *(grant["region_id"], grant["region_id"], whose, grant["granted_at"]),
            (grant["ended_at"] or grant["until"]) + timedelta(seconds=1),
            grant["staff_id"],
        ),
    ).fetchall()


def settle_grant(db: Db, grant_id: UUID, reviewer: Member, outcome: str, note: str, at: datetime) -> None:
    """Give a break-glass grant its outcome. Raises as `settle`."""
    row = db.execute(
        "SELECT * FROM access_grant WHERE id = %s AND region_id = %s AND review_due_at IS NOT NULL",
        (grant_id, reviewer.region),
    ).fetchone()
    if row is None:
        raise NotFound
    if reviewer.id == row["staff_id"] or reviewer.username == row["granted_by"]:
        raise OwnReading
    _check(outcome, note)
    done = db.execute(
        "UPDATE access_grant SET reviewed_at = %s, reviewed_by = %s, review_outcome = %s, review_note = %s"
        " WHERE id = %s AND reviewed_at IS NULL",
        (at, reviewer.username, outcome, note.strip(), grant_id),
    )
    if done.rowcount != 1:
        raise Conflict
    details = {"outcome": outcome, "staff": str(row["staff_id"])}
    audit.append(db, reviewer.region, reviewer.username, "log.review", "access_grant", grant_id, details)


def text_of(rule: str) -> str:
    """The sentence of a rule for the reviewer."""
    if rule.startswith("search:"):
        return ALARMS.get(rule.removeprefix("search:"), policy().rules["search"].text)
    known = policy().rules.get(rule)
    return known.text if known else rule


def _alarms(db: Db, region: UUID, day: date, lines: Mapping[UUID, list[Line]]) -> list[tuple[UUID, str, list[Line]]]:
    """What the search noticed of a colleague on this day, with his searches."""
    rows = db.execute(
        "SELECT DISTINCT staff_id, code FROM search_alarm WHERE region_id = %s AND at >= %s AND at < %s",
        (region, *_day(day)),
    ).fetchall()
    searches = {staff: [line for line in mine if line.kind == "search"] for staff, mine in lines.items()}
    return [
        (row["staff_id"], f"search:{row['code']}", searches[row["staff_id"]])
        for row in rows
        if searches.get(row["staff_id"])
    ]


def _keep(
    db: Db, region: UUID, day: date, at: datetime, rules: Policy, staff: UUID, rule: str, hit: list[Line]
) -> int:
    made = db.execute(
        "INSERT INTO log_finding (id, region_id, staff_id, rule, day, weight, lines, seen, found_at, due_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (region_id, rule, staff_id, day) DO NOTHING",
        (
            *(uuid7(), region, staff, rule, day, rules.rules[rule.partition(":")[0]].weight, len(hit)),
            Jsonb([{"chain": line.chain, "number": line.number} for line in hit[: rules.shown]]),
            at,
            at + timedelta(days=rules.due_days),
        ),
    )
    return made.rowcount


def _check(outcome: str, note: str) -> None:
    if outcome not in OUTCOMES:
        raise OutcomeMissing
    if not note.strip() or len(note) > MAX_NOTE:
        raise NoteMissing


def _day(day: date) -> tuple[datetime, datetime]:
    return Period(day, day).since, Period(day, day).until
