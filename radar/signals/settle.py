"""When the rules are looked at again: with a new report, and after a person corrected a link.

What no longer holds is withdrawn with its reason and stays readable; what holds now is added. Doing it twice
changes nothing. Everything happens in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from core import audit
from core.calendar import long_date
from core.database import Db, Row, now
from core.deadlines import local_day
from radar.linking import register
from radar.signals import rows
from radar.signals.involvement import KINDS, Involvement, classify
from radar.signals.rows import Loaded
from radar.signals.rules import Firing, RuleSet, evaluate, load

SYSTEM = "system"
CHUNK = 200
"""Households that are looked at in one transaction: they stay locked until its end."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What changed on the radar. `subject`: the report that it is about; `text`: plain Dutch, without names."""

    kind: Literal["signal_withdrawn", "signal_added", "involvement_changed"]
    subject: UUID
    text: str


@dataclass(frozen=True, slots=True)
class _Occasion:
    """Why we look: by whom, when, with which rules, and the words for what is withdrawn.

    `since`: only from this place in the order of receipt on. `ask`: ask other regions about reports that were never
    noted; what they knew is as old as the question.
    """

    by: str
    at: datetime
    rules: RuleSet
    cause: str
    since: tuple[datetime, UUID] | None = None
    ask: bool = True


def note(db: Db, report_id: UUID, at: datetime, rules: RuleSet | None = None) -> list[Consequence]:
    """Look at the rules for a report that was linked and has its case, and for later reports that it may change.

    A report without a household gets nothing. `at` (aware) is written as the moment of noting.
    """
    row = db.execute("SELECT received_at FROM report WHERE id = %s", (report_id,)).fetchone()
    since = (row["received_at"], report_id) if row else None
    cause = "Er is een melding van eerdere datum bijgekomen"
    return _settle(db, rows.touched(db, report_id), _Occasion(SYSTEM, at, rules or load(), cause, since))


def refresh(
    db: Db, report_id: UUID, households: Collection[UUID], by: str, at: datetime, rules: RuleSet | None = None
) -> list[Consequence]:
    """Look again after a link of this report was corrected; gives what changed.

    To be called when the report has its new household and case. `households`: every other household that the
    correction touched, such as the one it left. Those of the report and of its persons, now and before, are
    looked at as well.
    """
    touched = rows.touched(db, report_id, households, corrected=True)
    return _settle(db, touched, _Occasion(by, at, rules or load(), "Een koppeling is gecorrigeerd"))


def recount(
    db: Db, households: Collection[UUID], by: str, at: datetime, rules: RuleSet | None = None
) -> list[Consequence]:
    """Look at every report of these households, of one region: after a bulk import, or with a new rule set.

    Other regions are not asked: what they knew when an old report came in cannot be known now. Give some hundreds
    of households at a time; they stay locked until the commit.
    """
    occasion = _Occasion(by, at, rules or load(), "De tijdlijn is opnieuw bekeken", ask=False)
    return _settle(db, set(households), occasion)


def recount_all(
    db: Db, region: UUID, progress: Callable[[int, int], None], by: str = SYSTEM, at: datetime | None = None
) -> None:
    """Look at every household of a region: after a bulk import, or for reports from before there were signals.

    Some households at a time, each time one transaction of a connection in autocommit; safe to repeat when it was
    broken off. `progress` gets how many households are done, and of how many. `at`: None is now, by the database.
    """
    total, done, after = rows.count_households(db, region), 0, UUID(int=0)
    while chosen := rows.households(db, region, after, CHUNK):
        with db.transaction():
            recount(db, chosen, by, at or now(db))
        done, after = done + len(chosen), chosen[-1]
        progress(done, max(done, total))


def _settle(db: Db, households: set[UUID], why: _Occasion) -> list[Consequence]:
    if not households:
        return []
    rows.lock(db, households)
    found = rows.load(db, households)
    wanted = {
        row["id"]: row
        for one in found
        for row in one.reports
        if why.since is None or (row["received_at"], row["id"]) >= why.since
    }
    if not wanted:
        return []
    elsewhere = {report: _elsewhere(db, row, why) for report, row in wanted.items()}
    fired, counted = _evaluate(db, found, wanted, elsewhere, why.rules)
    stored = [row for one in found for row in one.in_force if row["report_id"] in wanted]
    kept = {_content(row) for row in stored} & fired.keys()
    gone = [row for row in stored if _content(row) not in kept]
    new = [firing for content, firing in fired.items() if content not in kept]
    moved = {
        report: one
        for report, one in counted.items()
        if (wanted[report]["kind"], wanted[report]["known_persons"]) != (one.kind, one.known_persons)
    }
    _write(db, wanted, gone, new, moved, elsewhere, why)
    return list(_told(wanted, gone, new, moved))


def _elsewhere(db: Db, row: Row, why: _Occasion) -> list[UUID]:
    """The regions that knew somebody: asked once, when the report is noted, and kept."""
    if row["kind"] is not None:
        kept: list[UUID] = row["elsewhere"]
        return kept
    return register.known_elsewhere(db, row["id"]) if why.ask else []


def _evaluate(
    db: Db, found: Sequence[Loaded], wanted: Mapping[UUID, Row], elsewhere: Mapping[UUID, list[UUID]], rules: RuleSet
) -> tuple[dict[tuple[Any, ...], Firing], dict[UUID, Involvement]]:
    """What holds now: the firings by their content, and the earlier involvement by report."""
    names = rows.region_names(db, {region for regions in elsewhere.values() for region in regions})
    told = {report: sorted(names[one] for one in regions if one in names) for report, regions in elsewhere.items()}
    lines = [rows.line(one, told) for one in found]
    pairs = [(line, report) for line in lines for report in line.reports if report.id in wanted]
    fired = {
        (one.report, one.rule, one.household, one.case, one.fired_on, one.explanation, one.evidence): one
        for line, report in pairs
        for one in evaluate(line, report, rules)
    }
    return fired, {report.id: classify(line, report, rules) for line, report in pairs}


def _content(row: Row) -> tuple[Any, ...]:
    """What a stored signal says; the version of the rules is not a part of it, nor is the title."""
    names = ("report_id", "rule", "household_id", "case_id", "fired_on", "explanation")
    return (*(row[name] for name in names), tuple(row["evidence"]))


def _write(
    db: Db,
    wanted: Mapping[UUID, Row],
    gone: list[Row],
    new: list[Firing],
    moved: Mapping[UUID, Involvement],
    elsewhere: Mapping[UUID, list[UUID]],
    why: _Occasion,
) -> None:
    """Write the differences, with an audit row for each report that changed."""
    again = {(one.report, one.rule) for one in new}
    reasons = {row["id"]: _reason(row, wanted[row["report_id"]], again, why) for row in gone}
    version = why.rules.version
    changed = dict.fromkeys([*(row["report_id"] for row in gone), *(one.report for one in new), *moved])
    with db.pipeline():
        region = next(iter(wanted.values()))["region_id"]
        if gone:
            rows.withdraw(db, reasons, why.by, why.at)
        if new:
            rows.add(db, region, new, version, why.at)
        if moved:
            rows.settle(db, region, moved, elsewhere, version, why.at)
        for report in changed:
            details: dict[str, Any] = {
                "rules": version,
                "withdrawn": [row["rule"] for row in gone if row["report_id"] == report],
                "added": [one.rule for one in new if one.report == report],
            }
            if report in moved:
                details |= {"involvement": moved[report].kind, "before": wanted[report]["kind"]}
            audit.append(db, region, why.by, "report.signals", "report", report, details)


def _reason(row: Row, report: Row, again: set[tuple[UUID, str]], why: _Occasion) -> str:
    """Why a signal is withdrawn, in Dutch."""
    cause = why.cause if row["rule_set"] == why.rules.version else "De radarregels zijn vernieuwd"
    if row["household_id"] != report["household_id"]:
        return f"{cause}: de melding hoort nu bij een ander huishouden."
    if (row["report_id"], row["rule"]) in again:
        return f"{cause}: het signaal geldt nog, maar rust nu op iets anders."
    return f"{cause}: het signaal geldt niet meer."


def _told(
    wanted: Mapping[UUID, Row], gone: list[Row], new: list[Firing], moved: Mapping[UUID, Involvement]
) -> Iterator[Consequence]:
    for row in gone:
        text = f"Signaal ingetrokken: {row['title']} ({_report_text(wanted[row['report_id']])})"
        yield Consequence("signal_withdrawn", row["report_id"], text)
    for one in new:
        text = f"Nieuw signaal: {one.title} ({_report_text(wanted[one.report])})"
        yield Consequence("signal_added", one.report, text)
    for report, after in moved.items():
        before = wanted[report]["kind"]
        if before and before != after.kind:
            text = f"De {_report_text(wanted[report])} telt nu als: {KINDS[after.kind]} (was: {KINDS[before]})"
            yield Consequence("involvement_changed", report, text)


def _report_text(row: Row) -> str:
    return f"melding van {long_date(local_day(row['received_at']))}"
