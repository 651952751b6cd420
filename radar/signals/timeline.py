"""A household's time line as plain values: what every rule looks at. Pure: no database, no clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from core.deadlines import local_day, months_later
from core.identity import PartialDate
from radar.casework.states import BEFORE_DECISION


@dataclass(frozen=True, slots=True)
class Form:
    """Something acute that a report holds: the rule that saw it (intake.acute), its text, and whether by words."""

    rule: str
    text: str
    from_words: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a report. `id`: who he is by a confirmed, automatic or founding link; never by a proposal."""

    id: UUID | None
    born: PartialDate | None = None
    unborn: bool = False
    words: frozenset[str] = frozenset()
    """The words of the name, lower case: a rule may know 'ongeboren' in the place of a name."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided on a report (radar.casework.routing), and when."""

    path: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """From this moment on a report was in this state (radar.casework.states)."""

    at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Report:
    """One report on the line. `assessed_at`: when its safety assessment was done, None while it runs.

    `elsewhere`: the names of other regions that knew somebody in it when it came in. `steps`: its states in order;
    one that an earlier version received has none from before it was brought over.
    """

    id: UUID
    case: UUID | None
    received_at: datetime
    reporter_kind: str
    supplements: UUID | None = None
    forms: tuple[Form, ...] = ()
    people: tuple[Person, ...] = ()
    assessed_at: datetime | None = None
    decided: Decided | None = None
    elsewhere: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where it stands in the order of receipt."""
        return self.received_at, self.id

    @property
    def day(self) -> date:
        """The day of receipt in the Netherlands."""
        return local_day(self.received_at)

    def state_at(self, moment: datetime) -> str | None:
        """Its state at this moment; None when that was not written down."""
        known = [step.state for step in self.steps if step.at <= moment]
        brought_over = len(known) == 1 and known[0] not in BEFORE_DECISION
        return None if not known or brought_over else known[-1]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who held the safety watch, from `since` until (not including) `until`."""

    holder: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the household, with everybody who watched it."""

    id: UUID
    closed_at: datetime | None
    watches: tuple[Watch, ...] = ()

    def running_at(self, moment: datetime) -> bool:
        """Open at this moment. When it was opened is not asked: a case counts from its first report on."""
        return self.closed_at is None or self.closed_at > moment

    def holder_at(self, moment: datetime) -> str | None:
        """Who watched the safety at this moment."""
        for watch in self.watches:
            if watch.since <= moment and (watch.until is None or moment < watch.until):
                return watch.holder
        return None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person in some report of the region: when it came in, and until when its case ran (None: it still runs)."""

    report: UUID
    received_at: datetime
    case_closed_at: datetime | None
    decided: Decided | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The reports of one household in order of receipt, its cases, and where its persons were seen."""

    household: UUID
    reports: tuple[Report, ...]
    cases: Mapping[UUID, Case] = field(default_factory=dict)
    sightings: Mapping[UUID, tuple[Sighting, ...]] = field(default_factory=dict)

    def at_receipt(self, report: Report, not_counted: Collection[str]) -> AtReceipt:
        """What was known when this report came in."""
        earlier = tuple(
            one
            for one in self.reports
            if one.place < report.place and counted(one.decided, report.received_at, not_counted)
        )
        return AtReceipt(report, earlier, self.cases)


@dataclass(frozen=True, slots=True)
class AtReceipt:
    """One report with the household's earlier reports, oldest first, as they stood when it came in."""

    report: Report
    earlier: tuple[Report, ...]
    cases: Mapping[UUID, Case]


def counted(decided: Decided | None, at: datetime, not_counted: Collection[str]) -> bool:
    """Whether a report was a report at this moment: not when found to be no HG/KM (domain.md 13.13)."""
    return decided is None or decided.path not in not_counted or decided.at > at


def within(earlier: date, later: date, months: int, *, last_day_counts: bool) -> bool:
    """Whether `later` falls within so many months after `earlier`; the day exactly then counts or does not."""
    end = months_later(earlier, months)
    return later < end or (last_day_counts and later == end)
