"""Who may ask for whom: the table of ages 12 and 16 (domain.md 1.5), at the moment of the request (D17)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar.rights import askers
from radar.rights.askers import KINDS, judge


def born(text: str, indicator: str = "V") -> dict[str, Any]:
    return {"geboortedatum": {"tekst": text, "indicatie": indicator}}


def test_the_table_has_each_age_once_and_names_its_doubts() -> None:
    table = askers.table()
    assert {one.verified for one in table.rule if "access" in one.kinds} == {True}
    assert not any(one.verified for one in table.rule if "correction" in one.kinds)
    assert all(one.source for one in table.rule)
    for kind in KINDS:
        assert askers.rule_at(kind, 0).below == 12


SELF, REPRESENTATIVE = "self", "representative"
TURNS_12, TURNS_16 = date(2026, 6, 1), date(2030, 6, 1)


@pytest.mark.parametrize(
    ("kind", "day", "asker", "more", "allowed"),
    [
        ("access", TURNS_12 - timedelta(days=1), SELF, {}, False),
        ("access", TURNS_12 - timedelta(days=1), REPRESENTATIVE, {}, True),
        ("access", TURNS_12, SELF, {}, True),
        ("access", TURNS_12, SELF, {"capable": False}, False),
        ("access", TURNS_12, REPRESENTATIVE, {}, True),
        ("access", TURNS_12, REPRESENTATIVE, {"opposed": True}, False),
        ("access", TURNS_16 - timedelta(days=1), REPRESENTATIVE, {}, True),
        ("access", TURNS_16, REPRESENTATIVE, {}, False),
        ("access", TURNS_16, REPRESENTATIVE, {"capable": False}, True),
        ("access", TURNS_16, SELF, {}, True),
        ("destruction", TURNS_12 - timedelta(days=1), REPRESENTATIVE, {}, True),
        ("destruction", TURNS_12, REPRESENTATIVE, {}, False),
        ("destruction", TURNS_12, REPRESENTATIVE, {"capable": False}, True),
        ("destruction", TURNS_12, SELF, {}, True),
        ("correction", TURNS_12 - timedelta(days=1), SELF, {}, False),
        ("objection", TURNS_16, SELF, {}, True),
    ],
)
def test_a_birthday_changes_who_may_ask(
    kind: str, day: date, asker: str, more: dict[str, bool], allowed: bool
) -> None:
    assert judge(kind, asker, born("20140601"), day, **more).allowed is allowed


@pytest.mark.parametrize(
    ("day", "allowed"),
    [(date(2026, 2, 28), False), (date(2026, 3, 1), True), (date(2028, 2, 28), True), (date(2028, 2, 29), True)],
)
def test_who_was_born_on_29_february_is_a_year_older_on_1_march(day: date, allowed: bool) -> None:
    """Born in 2012, sixteen in 2028; for twelve in a common year somebody born in 2014 stands beside him."""
    person = born("20120229")
    assert judge("access", REPRESENTATIVE, person, day).allowed is (day < date(2028, 2, 29))
    assert judge("destruction", SELF, born("20140301"), day).allowed is allowed


def test_twelve_on_29_february_itself_and_not_a_day_before() -> None:
    assert judge("destruction", SELF, born("20120229"), date(2024, 2, 28)).allowed is False
    assert judge("destruction", SELF, born("20120229"), date(2024, 2, 29)).allowed is True
    assert judge("destruction", SELF, born("20160229"), date(2028, 2, 28)).allowed is False
    assert judge("destruction", SELF, born("20160229"), date(2028, 2, 29)).allowed is True


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_else_may_ask(kind: str) -> None:
    assert judge(kind, "other", born("19800101"), date(2026, 1, 1)).allowed is False


def test_a_vague_date_asks_a_person_only_where_it_matters() -> None:
    day = date(2026, 3, 4)
    assert judge("access", SELF, born("20140000", "M"), day).allowed is None
    assert judge("access", SELF, born("19800000", "M"), day).allowed is True
    assert judge("destruction", REPRESENTATIVE, born("20100000", "M"), day).allowed is False, (
        "15 or 16: both above 12"
    )
    assert judge("access", SELF, {}, day).allowed is None
    assert judge("access", SELF, {}, day, age_said=17).allowed is True
    assert judge("access", SELF, born("20140000", "M"), day, age_said=40).allowed is None, "not an age he can have"
    assert judge("access", SELF, born("20140000", "M"), day, age_said=11).allowed is False


@given(st.dates(date(1950, 1, 1), date(2025, 12, 31)), st.integers(0, 40_000))
def test_at_every_age_exactly_one_of_self_and_representative_may_in_an_ordinary_case(birth: date, days: int) -> None:
    day = min(birth + timedelta(days=days), date(2099, 1, 1))
    person = born(f"{birth:%Y%m%d}")
    one, two = (judge("destruction", who, person, day).allowed for who in (SELF, REPRESENTATIVE))
    assert one is not two
