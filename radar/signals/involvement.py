"""Earlier involvement per report (eerdere betrokkenheid) as CBS counts it: 85361NED, domain.md 4.3 and 13.12.

First: nobody in it was known. Repeat (hermelding): somebody was known from a case that had been closed. Follow-on
(vervolgmelding): it joins a case that ran when it came in. All as it was at the moment of receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from core.deadlines import local_day
from radar.casework.states import BEFORE_DECISION
from radar.signals.rules import RuleSet
from radar.signals.timeline import AtReceipt, Case, Report, Timeline, counted, within

InvolvementKind = Literal[
    "first",
    "repeat_several",
    "repeat_one",
    "follow_during_assessment",
    "follow_after_assessment",
    "follow_during_monitoring",
    "unclassified",
]
KINDS: dict[str, str] = {
    "first": "Eerste melding",
    "repeat_several": "Hermelding, meer personen bekend",
    "repeat_one": "Hermelding, één persoon bekend",
    "follow_during_assessment": "Vervolgmelding tijdens de veiligheidsbeoordeling",
    "follow_after_assessment": "Vervolgmelding na de veiligheidsbeoordeling",
    "follow_during_monitoring": "Vervolgmelding tijdens monitoring",
    "unclassified": "Niet ingedeeld",
}
"""Each value with what the screen says."""


@dataclass(frozen=True, slots=True)
class Involvement:
    """The kind, and how many persons of the report were known from any earlier report."""

    kind: InvolvementKind
    known_persons: int


def classify(line: Timeline, report: Report, rules: RuleSet) -> Involvement:
    """The earlier involvement of one report of this time line."""
    seen = line.at_receipt(report, rules.not_counted)
    persons = {person.id for person in report.people if person.id}
    closed = {one for one in persons if _was_known(line, one, report, rules, case_closed=True)}
    running = {one for one in persons if _was_known(line, one, report, rules, case_closed=False)}
    known = len(closed | running)
    if case := _running_case(seen):
        return Involvement(_phase(case, seen, rules), known)
    if closed:
        return Involvement("repeat_several" if len(closed) > 1 else "repeat_one", known)
    if running or not persons:
        return Involvement("unclassified", known)
    return Involvement("first", known)


def _running_case(seen: AtReceipt) -> Case | None:
    """The newest case of an earlier report that still ran."""
    cases = [seen.cases[one.case] for one in reversed(seen.earlier) if one.case]
    return next((case for case in cases if case.running_at(seen.report.received_at)), None)


def _phase(case: Case, seen: AtReceipt, rules: RuleSet) -> InvolvementKind:
    """How far the case was, by the states of its reports at that moment."""
    at = seen.report.received_at
    in_case = [one for one in seen.earlier if one.case == case.id]
    states = {one.state_at(at) for one in in_case}
    if any(_undecided(one, at) for one in in_case):
        return "follow_during_assessment"
    # Where no states were kept, a partner who watched was what monitoring was then.
    watched = states == {None} and case.holder_at(at) in rules.involvement.monitoring_holders
    return "follow_during_monitoring" if "monitoring" in states or watched else "follow_after_assessment"


def _undecided(report: Report, at: datetime) -> bool:
    state = report.state_at(at)
    if state is None:
        return report.assessed_at is None or report.assessed_at > at
    return state in BEFORE_DECISION


def _was_known(line: Timeline, person: UUID, report: Report, rules: RuleSet, *, case_closed: bool) -> bool:
    """Whether an earlier report named this person, in a case that had been closed (or that still ran)."""
    at, months = report.received_at, rules.involvement.known_for_months
    return any(
        (one.received_at, one.report) < report.place
        and counted(one.decided, at, rules.not_counted)
        and (one.case_closed_at is not None and one.case_closed_at <= at) is case_closed
        and (months is None or within(local_day(one.received_at), report.day, months, last_day_counts=True))
        for one in line.sightings.get(person, ())
    )
