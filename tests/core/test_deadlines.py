"""Deadlines: every worked example of domain.md 8.3, and the rules that hold on every day of every year."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.calendar import load_calendar
from core.deadlines import (
    DayZeroRule,
    Policy,
    Term,
    calendar_days_term,
    end_of_day,
    local_day,
    months_term,
    safety_assessment,
    weeks_term,
    working_days_term,
    years_term,
)

CALENDAR = load_calendar()
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY = timedelta(days=1)

days = st.dates(date(2015, 1, 1), date(2060, 12, 31))
lengths = st.integers(1, 20)
rules = st.sampled_from(["receipt_day", "next_working_day"])


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=AMSTERDAM)


def kinds(term: Term) -> list[str]:
    return [step.kind for step in term.steps]


# domain.md 8.3: received, due by five working days, due by five calendar days under the ATW.
EXAMPLES = [
    ("2026-03-02", "2026-03-09", "2026-03-09"),
    ("2026-03-04", "2026-03-11", "2026-03-09"),
    ("2026-03-06", "2026-03-13", "2026-03-11"),
    ("2026-03-07", "2026-03-13", "2026-03-12"),
    ("2026-03-08", "2026-03-13", "2026-03-13"),
    ("2026-04-01", "2026-04-10", "2026-04-07"),
    ("2026-04-24", "2026-05-04", "2026-04-29"),
    ("2026-04-30", "2026-05-08", "2026-05-06"),
    ("2026-05-11", "2026-05-20", "2026-05-18"),
    ("2026-12-24", "2027-01-04", "2026-12-29"),
    ("2025-12-29", "2026-01-07", "2026-01-05"),
]


@pytest.mark.parametrize(("received", "norm", "legal"), EXAMPLES)
def test_the_worked_examples_of_the_safety_assessment(received: str, norm: str, legal: str) -> None:
    deadline = safety_assessment(noon(date.fromisoformat(received)), CALENDAR)
    assert deadline.norm.due_on == date.fromisoformat(norm)
    assert deadline.legal.due_on == date.fromisoformat(legal)
    assert deadline.due_on == deadline.norm.due_on
    assert deadline.due_at == deadline.norm.due_at


def test_four_weeks_that_end_on_ascension_day_move_over_the_decree_day_to_monday() -> None:
    term = weeks_term(date(2026, 4, 16), 4, CALENDAR)
    assert term.due_on == date(2026, 5, 18)
    assert [(step.day, step.reason) for step in term.steps if step.kind == "moved"] == [
        (date(2026, 5, 15), "Verschoven van donderdag 14 mei 2026 (Hemelvaartsdag), ATW art. 1."),
        (
            date(2026, 5, 16),
            "Verschoven van vrijdag 15 mei 2026 (vrije dag bij koninklijk besluit (Stcrt. 2025, 24713)), ATW art. 1.",
        ),
        (date(2026, 5, 17), "Verschoven van zaterdag 16 mei 2026 (zaterdag), ATW art. 1."),
        (date(2026, 5, 18), "Verschoven van zondag 17 mei 2026 (zondag), ATW art. 1."),
    ]


def test_ten_weeks_that_end_on_koningsdag_move_one_day() -> None:
    assert weeks_term(date(2026, 2, 16), 10, CALENDAR).due_on == date(2026, 4, 28)


def test_twenty_years_do_not_shift() -> None:
    term = years_term(date(2026, 1, 6), 20, CALENDAR)
    assert term.due_on == date(2046, 1, 6)
    assert CALENDAR.why_not(term.due_on) == "zaterdag"
    assert "unshifted" in kinds(term)


def test_the_ledger_names_each_day_and_why() -> None:
    term = working_days_term(date(2026, 4, 1), 5, CALENDAR)
    assert [(step.day and step.day.isoformat(), step.kind, step.reason) for step in term.steps] == [
        ("2026-04-01", "day_zero", "Dag 0: woensdag 1 april 2026."),
        ("2026-04-02", "counted", "Werkdag 1 van 5."),
        ("2026-04-03", "skipped", "Telt niet mee: Goede Vrijdag."),
        ("2026-04-04", "skipped", "Telt niet mee: zaterdag."),
        ("2026-04-05", "skipped", "Telt niet mee: zondag."),
        ("2026-04-06", "skipped", "Telt niet mee: Tweede Paasdag."),
        ("2026-04-07", "counted", "Werkdag 2 van 5."),
        ("2026-04-08", "counted", "Werkdag 3 van 5."),
        ("2026-04-09", "counted", "Werkdag 4 van 5."),
        ("2026-04-10", "counted", "Werkdag 5 van 5."),
        ("2026-04-10", "due", "Uiterlijk vrijdag 10 april 2026, einde van de dag."),
    ]
    assert term.policy == "5 werkdagen; day_zero_rule=receipt_day"


def test_a_short_term_over_easter_is_lengthened_to_hold_two_working_days() -> None:
    """ATW art. 2: Thursday 2 April 2026 + 5 days ends on Tuesday the 7th, the only working day in it."""
    term = calendar_days_term(date(2026, 4, 2), 5, CALENDAR)
    assert term.due_on == date(2026, 4, 8)
    assert kinds(term) == ["day_zero", "term_end", "lengthened", "due"]
    assert term.steps[2].reason == "Verlengd tot twee werkdagen in de termijn (ATW art. 2)."


def test_lengthening_passes_over_days_off_and_says_so() -> None:
    """Thursday 24 December 2026 + 3 days ends on Sunday without one working day in it."""
    term = calendar_days_term(date(2026, 12, 24), 3, CALENDAR)
    assert term.due_on == date(2026, 12, 29)
    friday = calendar_days_term(date(2026, 5, 13), 3, CALENDAR)
    assert friday.due_on == date(2026, 5, 19)
    assert friday.steps[2].reason.endswith("(ATW art. 2); zondag telt niet mee.")


def test_a_term_of_two_days_is_moved_but_not_lengthened() -> None:
    """ATW art. 2 starts at three days: Friday + 2 days ends on Sunday and moves to Monday."""
    assert calendar_days_term(date(2026, 3, 6), 2, CALENDAR).due_on == date(2026, 3, 9)
    assert calendar_days_term(date(2026, 3, 6), 3, CALENDAR).due_on == date(2026, 3, 10)


@pytest.mark.parametrize(
    ("longest", "too_long"),
    [
        # 90 days, 12 weeks and 3 months all end on a day off here; one unit more does so too, and stays.
        (calendar_days_term(date(2026, 3, 8), 90, CALENDAR), calendar_days_term(date(2026, 3, 8), 91, CALENDAR)),
        (weeks_term(date(2026, 3, 7), 12, CALENDAR), weeks_term(date(2026, 3, 7), 13, CALENDAR)),
        (months_term(date(2026, 2, 23), 3, CALENDAR), months_term(date(2026, 2, 23), 6, CALENDAR)),
    ],
    ids=["days", "weeks", "months"],
)
def test_the_atw_leaves_long_terms_alone(longest: Term, too_long: Term) -> None:
    ends = [step.day for term in (longest, too_long) for step in term.steps if step.kind == "term_end"]
    assert longest.policy.endswith("ATW art. 1 en 2")
    assert CALENDAR.is_working_day(longest.due_on)
    assert too_long.due_on == ends[1]
    assert "unshifted" in kinds(too_long)


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        (date(2026, 11, 30), 3, date(2027, 3, 1)),
        (date(2027, 11, 29), 3, date(2028, 2, 29)),
        (date(2026, 1, 15), 1, date(2026, 2, 16)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(start: date, months: int, due: date) -> None:
    """28 February 2027 is a Sunday, so the first example moves on to 1 March."""
    assert months_term(start, months, CALENDAR).due_on == due


def test_a_year_from_leap_day_ends_on_the_28th() -> None:
    assert years_term(date(2024, 2, 29), 1, CALENDAR).due_on == date(2025, 2, 28)
    assert years_term(date(2024, 2, 29), 20, CALENDAR).due_on == date(2044, 2, 29)


@pytest.mark.parametrize("length", [0, -1])
def test_a_term_without_length_is_refused(length: int) -> None:
    for make in (working_days_term, calendar_days_term, weeks_term, months_term, years_term):
        with pytest.raises(ValueError, match="one unit or more"):
            make(date(2026, 3, 2), length, CALENDAR)


@pytest.mark.parametrize(
    ("received", "rule", "due"),
    [
        (date(2026, 3, 7), "receipt_day", date(2026, 3, 13)),
        (date(2026, 3, 7), "next_working_day", date(2026, 3, 16)),
        (date(2026, 4, 3), "next_working_day", date(2026, 4, 14)),
        (date(2026, 3, 4), "next_working_day", date(2026, 3, 11)),
    ],
)
def test_the_day_zero_rule_only_matters_on_days_off(received: date, rule: DayZeroRule, due: date) -> None:
    deadline = safety_assessment(noon(received), CALENDAR, Policy(day_zero_rule=rule))
    assert deadline.due_on == due
    assert f"day_zero_rule={rule}" in deadline.norm.policy


def test_the_rule_does_not_touch_the_legal_reading() -> None:
    received = noon(date(2026, 3, 7))
    strict = safety_assessment(received, CALENDAR, Policy("next_working_day")).legal
    assert strict == safety_assessment(received, CALENDAR).legal


def test_the_lengths_are_policy() -> None:
    deadline = safety_assessment(noon(date(2026, 3, 2)), CALENDAR, Policy(norm_days=3, legal_days=8))
    assert (deadline.norm.due_on, deadline.legal.due_on) == (date(2026, 3, 5), date(2026, 3, 10))


def test_a_message_of_ten_to_midnight_belongs_to_that_local_day() -> None:
    late = datetime(2026, 3, 2, 23, 50, tzinfo=AMSTERDAM)
    assert safety_assessment(late, CALENDAR).due_on == date(2026, 3, 9)
    assert safety_assessment(late + timedelta(minutes=10), CALENDAR).due_on == date(2026, 3, 10)


def test_the_local_day_is_not_the_day_in_utc() -> None:
    assert local_day(datetime(2026, 3, 2, 23, 30, tzinfo=UTC)) == date(2026, 3, 3)
    assert local_day(datetime(2026, 7, 2, 22, 30, tzinfo=UTC)) == date(2026, 7, 3)


def test_a_moment_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        safety_assessment(datetime(2026, 3, 2, 12), CALENDAR)


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 3, 9), datetime(2026, 3, 9, 23, tzinfo=UTC)),
        (date(2026, 7, 9), datetime(2026, 7, 9, 22, tzinfo=UTC)),
        (date(2026, 3, 28), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 24), datetime(2026, 10, 24, 22, tzinfo=UTC)),
        (date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_local_midnight_also_around_summer_time(day: date, end: datetime) -> None:
    assert end_of_day(day) == end
    assert end_of_day(day).utcoffset() == timedelta(0)


def test_the_ledger_row_is_plain_json() -> None:
    row = json.loads(json.dumps(safety_assessment(noon(date(2026, 3, 4)), CALENDAR).to_json()))
    assert row["norm"]["due_on"] == "2026-03-11"
    assert row["norm"]["due_at"] == "2026-03-11T23:00:00+00:00"
    assert row["legal"]["policy"] == "5 dagen; ATW art. 1 en 2"
    assert row["legal"]["steps"] == [
        {"day": "2026-03-04", "kind": "day_zero", "reason": "Dag 0: woensdag 4 maart 2026."},
        {"day": "2026-03-09", "kind": "term_end", "reason": "5 dagen na dag 0: maandag 9 maart 2026."},
        {"day": "2026-03-09", "kind": "due", "reason": "Uiterlijk maandag 9 maart 2026, einde van de dag."},
    ]


@given(days, lengths, rules)
@example(date(2024, 2, 29), 5, "receipt_day")
@example(date(2027, 12, 31), 5, "next_working_day")
def test_the_due_day_is_a_working_day_with_exactly_that_many_after_day_zero(
    received: date, length: int, rule: DayZeroRule
) -> None:
    term = working_days_term(received, length, CALENDAR, rule)
    zero = next(step.day for step in term.steps if step.kind == "day_zero")
    assert zero is not None
    assert CALENDAR.is_working_day(term.due_on)
    assert CALENDAR.working_days_between(zero, term.due_on) == length
    assert zero == received or (rule == "next_working_day" and not CALENDAR.is_working_day(received))


@given(days, st.integers(0, 30), lengths, rules)
@example(date(2026, 3, 28), 1, 5, "receipt_day")
@example(date(2026, 10, 24), 1, 5, "receipt_day")
def test_later_receipt_never_gives_an_earlier_due_date(
    received: date, later: int, length: int, rule: DayZeroRule
) -> None:
    second = received + later * DAY
    for first_term, second_term in (
        (working_days_term(received, length, CALENDAR, rule), working_days_term(second, length, CALENDAR, rule)),
        (calendar_days_term(received, length, CALENDAR), calendar_days_term(second, length, CALENDAR)),
        (weeks_term(received, length, CALENDAR), weeks_term(second, length, CALENDAR)),
        (months_term(received, length, CALENDAR), months_term(second, length, CALENDAR)),
    ):
        assert first_term.due_at <= second_term.due_at


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC)),
    st.timedeltas(timedelta(0), timedelta(days=3)),
    rules,
)
def test_a_later_moment_of_receipt_never_gives_an_earlier_due_moment(
    received: datetime, later: timedelta, rule: DayZeroRule
) -> None:
    policy = Policy(rule)
    first = safety_assessment(received, CALENDAR, policy)
    second = safety_assessment(received + later, CALENDAR, policy)
    assert first.due_at <= second.due_at
    assert first.legal.due_at <= second.legal.due_at


@given(st.datetimes(datetime(2015, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC)), rules)
def test_the_legal_reading_is_never_later_than_the_norm(received: datetime, rule: DayZeroRule) -> None:
    deadline = safety_assessment(received, CALENDAR, Policy(rule))
    assert received < deadline.legal.due_at <= deadline.norm.due_at == deadline.due_at


@given(days, st.integers(1, 90))
def test_under_the_atw_a_term_ends_on_the_first_day_that_satisfies_both_articles(start: date, length: int) -> None:
    term = calendar_days_term(start, length, CALENDAR)

    def satisfies(day: date) -> bool:
        two_within = length < 3 or CALENDAR.working_days_between(start, day) >= 2
        return CALENDAR.is_working_day(day) and two_within

    candidate = start + length * DAY
    while not satisfies(candidate):
        candidate += DAY
    assert term.due_on == candidate


@given(days, lengths)
def test_the_ledger_runs_forward_ends_at_the_due_day_and_gives_a_reason_for_every_step(
    start: date, length: int
) -> None:
    for term in (
        working_days_term(start, length, CALENDAR),
        calendar_days_term(start, length, CALENDAR),
        weeks_term(start, length, CALENDAR),
        months_term(start, length, CALENDAR),
        years_term(start, length, CALENDAR),
    ):
        walked = [step.day for step in term.steps if step.day is not None]
        assert walked == sorted(walked)
        assert (term.steps[-1].kind, term.steps[-1].day) == ("due", term.due_on)
        assert all(step.reason.endswith(".") for step in term.steps)
        assert term.due_at == end_of_day(term.due_on)
        assert local_day(term.due_at - timedelta(microseconds=1)) == term.due_on
        assert local_day(term.due_at) == term.due_on + DAY


@given(days, st.integers(1, 11))
def test_a_week_term_is_only_moved_off_days_off_with_one_entry_per_day(start: date, weeks: int) -> None:
    term = weeks_term(start, weeks, CALENDAR)
    end = start + weeks * 7 * DAY
    moved = [step.day for step in term.steps if step.kind == "moved"]
    assert moved == [end + ahead * DAY for ahead in range(1, (term.due_on - end).days + 1)]
    assert all(not CALENDAR.is_working_day(end + ahead * DAY) for ahead in range(len(moved)))
