"""Deadlines as a ledger: a due date together with every step that led to it and the reason for each step.

Pure functions. Terms are ordering terms: a passed due date is shown, and never closes or blocks anything.
"""

from __future__ import annotations

import calendar as month_lengths
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal
from zoneinfo import ZoneInfo

from core.calendar import ONE_DAY, WorkingCalendar, dutch_date

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

DayZeroRule = Literal["receipt_day", "next_working_day"]
StepKind = Literal[
    "day_zero", "counted", "skipped", "term_end", "unshifted", "lengthened", "moved", "extended", "due"
]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the safety assessment (veiligheidsbeoordeling) is counted; domain.md 8.1.

    `receipt_day`: the day of receipt is day 0, whatever day that is. `next_working_day`: a report received on
    a day off has the next working day as its day 0. `norm_days` are working days (the inspectorate's norm),
    `legal_days` the "vijf dagen" of Uitvoeringsbesluit Wmo 2015 art. 4.1.7 lid 1.
    """

    day_zero_rule: DayZeroRule = "receipt_day"
    norm_days: int = 5
    legal_days: int = 5


@dataclass(frozen=True, slots=True)
class LedgerStep:
    """One line of the ledger: what happened to the count on this day, and why (Dutch)."""

    day: date | None
    kind: StepKind
    reason: str

    def to_json(self) -> dict[str, str | None]:
        return {"day": self.day.isoformat() if self.day else None, "kind": self.kind, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Term:
    """A due date and how it came about. It is overdue from `due_at` on: the first moment after `due_on`."""

    due_on: date
    due_at: datetime
    steps: tuple[LedgerStep, ...]
    policy: str

    def to_json(self) -> dict[str, Any]:
        """The ledger row: dates as ISO text, `due_at` in UTC, the steps in order."""
        return {
            "due_on": self.due_on.isoformat(),
            "due_at": self.due_at.isoformat(),
            "policy": self.policy,
            "steps": [step.to_json() for step in self.steps],
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Term:
        """The reverse of `to_json`: a term as written in the ledger. KeyError or ValueError for anything else."""
        steps = (
            LedgerStep(date.fromisoformat(one["day"]) if one["day"] else None, one["kind"], one["reason"])
            for one in row["steps"]
        )
        due_at = datetime.fromisoformat(row["due_at"])
        return cls(date.fromisoformat(row["due_on"]), due_at, tuple(steps), row["policy"])


@dataclass(frozen=True, slots=True)
class AssessmentDeadline:
    """Both readings of the five days: the field's norm (working days) and the text of the law. Show both."""

    norm: Term
    legal: Term

    @property
    def due_on(self) -> date:
        return self.norm.due_on

    @property
    def due_at(self) -> datetime:
        """The norm leads; the stricter legal reading stands beside it."""
        return self.norm.due_at

    def to_json(self) -> dict[str, Any]:
        return {"norm": self.norm.to_json(), "legal": self.legal.to_json()}


def local_day(moment: datetime) -> date:
    """The date in Europe/Amsterdam: a message of 23:50 there belongs to that day. Naive times: ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(AMSTERDAM).date()


def end_of_day(day: date) -> datetime:
    """The first moment of the next local day, in UTC; so a summer-time Sunday ends an hour early or late."""
    return datetime.combine(day + ONE_DAY, time.min, tzinfo=AMSTERDAM).astimezone(UTC)


def months_later(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month: 29 February and a year is 28 February."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, month_lengths.monthrange(year, month)[1]))


def working_days_term(
    received_on: date, days: int, calendar: WorkingCalendar, day_zero_rule: DayZeroRule = "receipt_day"
) -> Term:
    """`days` working days after day 0, due at the end of the last one. `days` is 1 or more, else ValueError."""
    _require_length(days)
    steps: list[LedgerStep] = []
    day = received_on
    if day_zero_rule == "next_working_day":
        while (reason := calendar.why_not(day)) is not None:
            steps.append(LedgerStep(day, "skipped", f"Ontvangen op een vrije dag: {reason}."))
            day += ONE_DAY
    steps.append(LedgerStep(day, "day_zero", f"Dag 0: {dutch_date(day)}."))
    counted = 0
    while counted < days:
        day += ONE_DAY
        reason = calendar.why_not(day)
        if reason is not None:
            steps.append(LedgerStep(day, "skipped", f"Telt niet mee: {reason}."))
            continue
        counted += 1
        steps.append(LedgerStep(day, "counted", f"Werkdag {counted} van {days}."))
    return _term(day, steps, f"{days} werkdagen; day_zero_rule={day_zero_rule}")


def calendar_days_term(start: date, days: int, calendar: WorkingCalendar) -> Term:
    """`days` calendar days after `start`, under ATW art. 1 and 2 unless longer than 90 days (art. 4)."""
    _require_length(days)
    return _fixed_term(start, start + days * ONE_DAY, _amount(days, "dag", "dagen"), calendar, atw_applies=days <= 90)


def weeks_term(start: date, weeks: int, calendar: WorkingCalendar) -> Term:
    """`weeks` weeks after `start`, under ATW art. 1 and 2 unless longer than 12 weeks (art. 4)."""
    _require_length(weeks)
    return _fixed_term(
        start, start + weeks * 7 * ONE_DAY, _amount(weeks, "week", "weken"), calendar, atw_applies=weeks <= 12
    )


def months_term(start: date, months: int, calendar: WorkingCalendar) -> Term:
    """The same day `months` later (or the last day of that month), ATW unless longer than 3 months (art. 4)."""
    _require_length(months)
    return _fixed_term(
        start, months_later(start, months), _amount(months, "maand", "maanden"), calendar, atw_applies=months <= 3
    )


def years_term(start: date, years: int, calendar: WorkingCalendar) -> Term:
    """The same day `years` later (29 February becomes the 28th); ATW never shifts terms in years (art. 4)."""
    _require_length(years)
    return _fixed_term(start, months_later(start, 12 * years), f"{years} jaar", calendar, atw_applies=False)


def extended(term: Term, weeks: int, calendar: WorkingCalendar) -> Term:
    """The same term `weeks` weeks longer, counted from the day on which it would have ended, under ATW art. 1.

    The steps so far stay in front. That it counts from the day as the ATW moved it is our own reading.
    """
    _require_length(weeks)
    end = term.due_on + weeks * 7 * ONE_DAY
    length = _amount(weeks, "week", "weken")
    words = f"Verlengd met {length} vanaf {dutch_date(term.due_on)}: {dutch_date(end)}."
    shifts = list(_atw_shifts(term.due_on, end, calendar))
    steps = [*term.steps[:-1], LedgerStep(end, "extended", words), *shifts]
    return _term(steps[-1].day or end, steps, f"{term.policy}; verlengd met {length}")


def safety_assessment(
    received_at: datetime, calendar: WorkingCalendar, policy: Policy | None = None
) -> AssessmentDeadline:
    """The deadline of the safety assessment, counted from receipt by Veilig Thuis. Naive times: ValueError."""
    chosen = policy or Policy()
    received_on = local_day(received_at)
    return AssessmentDeadline(
        norm=working_days_term(received_on, chosen.norm_days, calendar, chosen.day_zero_rule),
        legal=calendar_days_term(received_on, chosen.legal_days, calendar),
    )


def _fixed_term(start: date, end: date, length: str, calendar: WorkingCalendar, *, atw_applies: bool) -> Term:
    steps = [
        LedgerStep(start, "day_zero", f"Dag 0: {dutch_date(start)}."),
        LedgerStep(end, "term_end", f"{length} na dag 0: {dutch_date(end)}."),
    ]
    if not atw_applies:
        steps.append(LedgerStep(end, "unshifted", "Schuift niet op: te lang voor de ATW (art. 4)."))
        return _term(end, steps, f"{length}; ATW niet van toepassing")
    day = end
    for step in _atw_shifts(start, end, calendar):
        steps.append(step)
        day = step.day or day
    return _term(day, steps, f"{length}; ATW art. 1 en 2")


def _atw_shifts(start: date, end: date, calendar: WorkingCalendar) -> Iterator[LedgerStep]:
    """The days on which the term is held open: art. 2 (two working days within), then art. 1 (no end on a day off).

    Both rules end on the same day in either order, because each only ever stops on a working day.
    """
    day = end
    missing = 2 - calendar.working_days_between(start, end) if (end - start).days >= 3 else 0
    while missing > 0:
        day += ONE_DAY
        reason = calendar.why_not(day)
        missing -= reason is None
        note = f"; {reason} telt niet mee" if reason else ""
        yield LedgerStep(day, "lengthened", f"Verlengd tot twee werkdagen in de termijn (ATW art. 2){note}.")
    while (reason := calendar.why_not(day)) is not None:
        day += ONE_DAY
        moved = f"Verschoven van {dutch_date(day - ONE_DAY)} ({reason}), ATW art. 1."
        yield LedgerStep(day, "moved", moved)


def _term(due_on: date, steps: list[LedgerStep], policy: str) -> Term:
    due = LedgerStep(due_on, "due", f"Uiterlijk {dutch_date(due_on)}, einde van de dag.")
    return Term(due_on, end_of_day(due_on), (*steps, due), policy)


def _amount(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _require_length(length: int) -> None:
    if length < 1:
        raise ValueError(f"a term lasts one unit or more, not {length}")
