"""Partial dates: what is known, what is not, and never a lost or an invented day."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import PartialDate

Parts = tuple[int | None, int | None, int | None]

eight_digits = st.text("0123456789", min_size=8, max_size=8)
indicators = st.sampled_from([None, "", "V", "D", "M", "J", "v", "X"])
likely_texts = st.one_of(
    eight_digits,
    st.dates().map(lambda day: f"{day:%Y%m%d}".zfill(8)),
    st.sampled_from(["", "99999999", "00000000", "20150200", "20150000", "20150231", "20151301", "201503", "2015"]),
    st.text(max_size=12),
)


def parts(found: PartialDate) -> Parts:
    return found.year, found.month, found.day


@pytest.mark.parametrize(
    ("text", "indicator", "expected", "shown"),
    [
        ("20150301", "V", (2015, 3, 1), "1 maart 2015"),
        ("20150301", None, (2015, 3, 1), "1 maart 2015"),
        ("20150301", "D", (2015, 3, None), "maart 2015"),
        ("20150301", "M", (2015, None, None), "2015"),
        ("20150301", "J", (None, None, None), "onbekend"),
        ("20150300", "V", (2015, 3, None), "maart 2015"),
        ("20150000", None, (2015, None, None), "2015"),
        ("00000000", None, (None, None, None), "onbekend"),
        ("201503", "D", (2015, 3, None), "maart 2015"),
        ("2015", "M", (2015, None, None), "2015"),
        ("20240229", "V", (2024, 2, 29), "29 februari 2024"),
        ("", None, (None, None, None), "onbekend"),
    ],
)
def test_stuf_dates_say_what_is_known(text: str, indicator: str | None, expected: Parts, shown: str) -> None:
    found = PartialDate.from_stuf(text, indicator)
    assert parts(found) == expected
    assert found.display() == shown
    assert found.raw == text
    assert not found.impossible


@pytest.mark.parametrize("indicator", ["D", "M", "J"])
def test_filler_digits_behind_an_indicator_are_neither_trusted_nor_called_impossible(indicator: str) -> None:
    found = PartialDate.from_stuf("20150231", indicator)
    assert found.day is None
    assert found.raw == "20150231"
    assert not found.impossible


def test_unborn_is_a_code_and_no_date() -> None:
    found = PartialDate.from_stuf("99999999", "V")
    assert parts(found) == (None, None, None)
    assert found.unborn
    assert not found.impossible
    assert not PartialDate.from_stuf("00000000").unborn


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20150231", (2015, 2, None)),
        ("20230229", (2023, 2, None)),
        ("20150431", (2015, 4, None)),
        ("20151301", (2015, None, None)),
        ("20159900", (2015, None, None)),
        ("20150015", (2015, None, None)),
        ("00000315", (None, None, None)),
        ("maart 2015", (None, None, None)),
        ("2015-03-01", (None, None, None)),
        ("201503011200", (None, None, None)),
    ],
)
def test_an_impossible_date_keeps_its_raw_text_and_the_parts_that_hold(text: str, expected: Parts) -> None:
    found = PartialDate.from_stuf(text)
    assert parts(found) == expected
    assert found.raw == text
    assert found.impossible


def test_an_unknown_indicator_trusts_nothing() -> None:
    found = PartialDate.from_stuf("20150301", "Q")
    assert parts(found) == (None, None, None)
    assert found.impossible


@pytest.mark.parametrize(
    ("text", "expected", "impossible"),
    [
        ("2015-03-01", (2015, 3, 1), False),
        ("2015-03", (2015, 3, None), False),
        ("2015", (2015, None, None), False),
        ("2015-03-00", (2015, 3, None), False),
        ("2015-00-00", (2015, None, None), False),
        ("0000-00-00", (None, None, None), False),
        (" 2015-03-01 ", (2015, 3, 1), False),
        ("2015-02-31", (2015, 2, None), True),
        ("2015-13", (2015, None, None), True),
        ("01-03-2015", (None, None, None), True),
        ("20150301", (None, None, None), True),
    ],
)
def test_iso_dates(text: str, expected: Parts, impossible: bool) -> None:
    found = PartialDate.from_iso(text)
    assert (parts(found), found.impossible, found.raw) == (expected, impossible, text)


@pytest.mark.parametrize(
    "wrong", [(2015, None, 3), (None, 3, None), (2015, 2, 31), (2015, 13, None), (0, None, None), (10000, 1, 1)]
)
def test_parts_that_form_no_date_cannot_be_built(wrong: Parts) -> None:
    with pytest.raises(ValueError, match="no \\(partial\\) date"):
        PartialDate(*wrong, raw="")


def test_json_has_dutch_names_and_names_the_impossible_only_when_it_is() -> None:
    assert PartialDate.from_stuf("20150300").to_json() == {"jaar": 2015, "maand": 3, "dag": None, "raw": "20150300"}
    assert PartialDate.from_stuf("20150231").to_json()["onmogelijk"] is True


@pytest.mark.parametrize("year", ["2015", 2015.0, True])
def test_json_with_other_kinds_of_parts_is_refused(year: object) -> None:
    with pytest.raises(ValueError, match="whole numbers"):
        PartialDate.from_json({"jaar": year, "maand": None, "dag": None, "raw": ""})


@given(likely_texts, indicators)
def test_any_stuf_text_survives_the_round_trip_through_json(text: str, indicator: str | None) -> None:
    found = PartialDate.from_stuf(text, indicator)
    assert found.raw == text
    assert PartialDate.from_json(json.loads(json.dumps(found.to_json()))) == found


@given(st.dates())
def test_every_real_day_comes_back_whole_from_both_notations(day: date) -> None:
    stuf = PartialDate.from_stuf(f"{day.year:04}{day.month:02}{day.day:02}", "V")
    iso = PartialDate.from_iso(day.isoformat())
    assert parts(stuf) == parts(iso) == (day.year, day.month, day.day)
    assert stuf.earliest() == stuf.latest() == day


@given(likely_texts, indicators)
def test_earliest_is_never_after_latest_and_both_or_neither_exist(text: str, indicator: str | None) -> None:
    found = PartialDate.from_stuf(text, indicator)
    earliest, latest = found.earliest(), found.latest()
    if earliest is None or latest is None:
        assert (earliest, latest, found.year) == (None, None, None)
    else:
        assert earliest <= latest
        assert (earliest == latest) == (found.day is not None)


@given(st.dates(), st.sampled_from("VDM"))
def test_the_true_day_always_lies_between_earliest_and_latest(day: date, indicator: str) -> None:
    found = PartialDate.from_stuf(f"{day.year:04}{day.month:02}{day.day:02}", indicator)
    earliest, latest = found.earliest(), found.latest()
    assert earliest is not None
    assert latest is not None
    assert earliest <= day <= latest


def test_the_bounds_of_a_month_know_the_leap_year() -> None:
    assert PartialDate.from_iso("2024-02").latest() == date(2024, 2, 29)
    assert PartialDate.from_iso("2023-02").latest() == date(2023, 2, 28)
    assert PartialDate.from_iso("2023").latest() == date(2023, 12, 31)


def test_after_means_certainly_after() -> None:
    march = PartialDate.from_iso("2015-03")
    assert march.is_after(date(2015, 2, 28))
    assert not march.is_after(date(2015, 3, 1))
    assert not PartialDate.from_stuf("99999999").is_after(date(1900, 1, 1))


@given(likely_texts, indicators, st.dates(max_value=date(9999, 12, 30)))
def test_what_is_after_a_day_is_after_every_earlier_day(text: str, indicator: str | None, day: date) -> None:
    found = PartialDate.from_stuf(text, indicator)
    if found.is_after(day + timedelta(days=1)):
        assert found.is_after(day)


def test_a_date_of_birth_does_not_reach_a_log() -> None:
    assert repr(PartialDate.from_stuf("20150301", "D")) == "PartialDate(known='month', impossible=False)"
