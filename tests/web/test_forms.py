"""Days and moments of forms: as on a clock in the Netherlands, and only those that the calendar can reckon with."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from web.pages.forms import day, moment


def test_a_day_and_a_moment_are_read_as_in_the_netherlands() -> None:
    assert day("2026-02-28") == date(2026, 2, 28)
    summer, winter = moment("2026-07-01T12:00"), moment("2026-01-01T12:00")
    assert summer == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert winter == datetime(2026, 1, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "gisteren", "2026-02-30", "1999-12-31", "2200-01-01", "0001-01-01", "9999-12-31"]
)
def test_what_is_no_day_of_ours_is_none(text: str) -> None:
    assert day(text) is None
    assert moment(f"{text}T12:00") is None


@pytest.mark.parametrize("text", ["2026-01-01T", "2026-01-01T25:00", "T12:00", "2026-01-01Tnu"])
def test_what_is_no_moment_is_none(text: str) -> None:
    assert moment(text) is None
