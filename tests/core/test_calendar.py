"""Working days: the holidays of the ATW, the decree days of the file, and Easter against a second algorithm."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.calendar import (
    InvalidCalendar,
    WorkingCalendar,
    dutch_date,
    easter,
    holidays,
    load_calendar,
    national_holidays,
)

CALENDAR = load_calendar()
DAY = timedelta(days=1)
days = st.dates(date(1600, 1, 1), date(4098, 12, 31))


def butcher(year: int) -> date:
    """Easter by Meeus/Jones/Butcher: another algorithm than the one under test."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def test_easter_agrees_with_a_second_algorithm_in_every_year() -> None:
    years = range(1583, 4100)
    assert [easter(year) for year in years] == [butcher(year) for year in years]
    assert all(easter(year).weekday() == 6 for year in years)


@pytest.mark.parametrize("day", [date(1818, 3, 22), date(2000, 4, 23), date(2008, 3, 23), date(2038, 4, 25)])
def test_well_known_easters(day: date) -> None:
    assert easter(day.year) == day


@pytest.mark.parametrize("year", [1582, 4100])
def test_easter_outside_its_years_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match="1583 to 4099"):
        easter(year)


# domain.md table 8.2: Good Friday, Easter Monday, Koningsdag, Ascension, Whit Monday, working days.
TABLE = [
    (2024, "3-29", "4-1", "4-27", "5-9", "5-20", 255),
    (2025, "4-18", "4-21", "4-26", "5-29", "6-9", 253),
    (2026, "4-3", "4-6", "4-27", "5-14", "5-25", 251),
    (2027, "3-26", "3-29", "4-27", "5-6", "5-17", 253),
    (2028, "4-14", "4-17", "4-27", "5-25", "6-5", 250),
    (2029, "3-30", "4-2", "4-27", "5-10", "5-21", 253),
    (2030, "4-19", "4-22", "4-27", "5-30", "6-10", 254),
    (2031, "4-11", "4-14", "4-26", "5-22", "6-2", 253),
]


@pytest.mark.parametrize(("year", "friday", "monday", "king", "ascension", "whit", "count"), TABLE)
def test_the_holiday_table(
    year: int, friday: str, monday: str, king: str, ascension: str, whit: str, count: int
) -> None:
    expected = {
        "1-1": "Nieuwjaarsdag",
        friday: "Goede Vrijdag",
        monday: "Tweede Paasdag",
        king: "Koningsdag",
        "5-5": "Bevrijdingsdag",
        ascension: "Hemelvaartsdag",
        whit: "Tweede Pinksterdag",
        "12-25": "Eerste Kerstdag",
        "12-26": "Tweede Kerstdag",
    }
    found = {f"{day.month}-{day.day}": name for day, name in holidays(year, {}).items()}
    assert found == expected
    assert CALENDAR.working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) == count


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 3, 7), "zaterdag"),
        (date(2026, 3, 8), "zondag"),
        (date(2026, 4, 3), "Goede Vrijdag"),
        (date(2026, 4, 5), "zondag"),
        (date(2026, 4, 27), "Koningsdag"),
        (date(2025, 4, 26), "Koningsdag"),
        (date(2026, 5, 5), "Bevrijdingsdag"),
        (date(2026, 1, 2), "vrije dag bij koninklijk besluit (Stcrt. 2025, 24713)"),
        (date(2016, 5, 5), "Bevrijdingsdag en Hemelvaartsdag"),
        (date(2026, 3, 9), None),
    ],
)
def test_why_a_day_is_no_working_day(day: date, reason: str | None) -> None:
    assert CALENDAR.why_not(day) == reason
    assert CALENDAR.is_working_day(day) == (reason is None)


@pytest.mark.parametrize(
    "day",
    [date(2026, 5, 1), date(2026, 12, 24), date(2026, 12, 31), date(2026, 2, 16), date(2025, 4, 28)],
    ids=["1 May", "Christmas Eve", "New Year's Eve", "Carnival Monday", "the Monday after a moved Koningsdag"],
)
def test_days_that_many_have_off_but_the_law_does_not_name_are_working_days(day: date) -> None:
    assert CALENDAR.is_working_day(day)


@given(st.integers(1583, 4099))
def test_every_year_keeps_koningsdag_once_and_never_on_a_sunday(year: int) -> None:
    kept = [holiday.day for holiday in national_holidays(year) if holiday.name == "Koningsdag"]
    expected = date(year, 4, 26 if date(year, 4, 27).weekday() == 6 else 27)
    assert kept == [expected]
    assert expected.weekday() != 6


@given(st.integers(1583, 4099))
def test_every_year_has_nine_holidays_in_order(year: int) -> None:
    found = [holiday.day for holiday in national_holidays(year)]
    assert len(found) == 9
    assert found == sorted(found)
    assert set(found) == holidays(year, {}).keys()


@given(days, st.integers(0, 60), st.integers(0, 60))
def test_counting_working_days_can_be_cut_in_two_anywhere(start: date, first: int, second: int) -> None:
    middle, end = start + first * DAY, start + (first + second) * DAY
    whole = CALENDAR.working_days_between(start, end)
    assert whole == CALENDAR.working_days_between(start, middle) + CALENDAR.working_days_between(middle, end)


@given(
    st.dates(date(1600, 1, 1), date(4090, 12, 31)) | st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.integers(-10, 1500),
)
def test_the_count_is_that_of_the_days_one_by_one(start: date, span: int) -> None:
    one_by_one = sum(CALENDAR.is_working_day(start + ahead * DAY) for ahead in range(1, span + 1))
    assert CALENDAR.working_days_between(start, start + span * DAY) == one_by_one


def test_decree_days_belong_to_their_own_year_only() -> None:
    decree = {date(2026, 1, 2): "bron", date(2027, 5, 7): "bron", date(2026, 12, 25): "bron"}
    found = holidays(2026, decree)
    assert date(2026, 1, 2) in found
    assert date(2027, 5, 7) not in found
    assert found[date(2026, 12, 25)] == "Eerste Kerstdag"
    assert list(found) == sorted(found)


def test_the_file_that_comes_along_names_the_five_known_days_and_their_years() -> None:
    assert {day.isoformat() for day in CALENDAR.decree_days} == {
        "2026-01-02",
        "2026-05-15",
        "2027-05-07",
        "2028-04-28",
        "2028-05-26",
    }
    assert CALENDAR.decree_years == {2026, 2027, 2028}
    assert WorkingCalendar().is_working_day(date(2026, 1, 2))


def test_an_operator_can_bring_an_own_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('version = "x"\nyears = [2030]\n[[day]]\ndate = 2030-05-31\nsource = "Stcrt. test"\n')
    assert load_calendar(path).why_not(date(2030, 5, 31)) == "vrije dag bij koninklijk besluit (Stcrt. test)"


def test_a_year_without_decree_days_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('version = "x"\nyears = [2030]\n')
    assert load_calendar(path) == WorkingCalendar({}, frozenset({2030}))


HEAD = 'version = "x"\nyears = [2026]\n'
ENTRY = '[[day]]\ndate = 2026-01-02\nsource = "s"\n'


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("years = [2026]\n", "geen versie"),
        ('version = "x"\n', "geen jaren"),
        ('version = "x"\nyears = ["2026"]\n', "geen jaren"),
        (HEAD + "day = 3\n", "eigen kop"),
        (HEAD + "holidays = 1\n", "Onbekende regel"),
        (HEAD + "[[day]]\ndate = 2026-01-02\n", "een bron"),
        (HEAD + '[[day]]\ndate = "2026-01-02"\nsource = "s"\n', "geen goede datum"),
        (HEAD + '[[day]]\ndate = 2026-01-02T00:00:00\nsource = "s"\n', "geen goede datum"),
        (HEAD + '[[day]]\ndate = 2026-01-02\nsource = " "\n', "geen bron"),
        (HEAD + '[[day]]\ndate = 2026-01-02\nsource = "s"\nnaam = "n"\n', "precies"),
        (HEAD + ENTRY + ENTRY, "dubbel"),
        (HEAD + '[[day]]\ndate = 2027-01-02\nsource = "s"\n', "2027"),
        (HEAD + "[[day]]\ndate = 2026-02-31\n", "geen goede TOML"),
        ("niet toml", "geen goede TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_one_clear_sentence(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(InvalidCalendar, match=complaint):
        load_calendar(path)


def test_an_absent_file_is_refused_and_its_folder_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidCalendar, match=r"niet te lezen: absent\.toml") as refusal:
        load_calendar(tmp_path / "absent.toml")
    assert str(tmp_path) not in refusal.value.message


def test_a_date_in_dutch() -> None:
    assert dutch_date(date(2026, 3, 9)) == "maandag 9 maart 2026"
