"""Telephone numbers: certain ones become E.164, others keep their text and say nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import Phone

mobile_digits = st.from_regex(r"[1-58][0-9]{7}", fullmatch=True)


@pytest.mark.parametrize(
    "raw",
    [
        "0612345678",
        "06-12345678",
        "06 - 12 34 56 78",
        "06.12.34.56.78",
        "+31612345678",
        "+31 6 12345678",
        "+31 (0)6 12345678",
        "+31 06 12345678",
        "0031612345678",
        "0031 (0)6-12345678",
        "(06) 12345678",
    ],
)
def test_ways_of_writing_one_mobile_number_give_one_value(raw: str) -> None:
    assert Phone.parse(raw) == Phone(raw, "+31612345678")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("020-1234567", "+31201234567"),
        ("(020) 123 45 67", "+31201234567"),
        ("(0229) 12 34 56", "+31229123456"),
        ("088 123 45 67", "+31881234567"),
        ("085-1234567", "+31851234567"),
    ],
)
def test_other_dutch_numbers(raw: str, value: str) -> None:
    assert Phone.parse(raw).value == value


@pytest.mark.parametrize(
    "raw",
    [
        "0900-8844",
        "0800 2000",
        "0800-1234567",
        "+31 900 8844",
        "0906-1234",
        "0909-1234567",
        "112",
        "113",
        "116 111",
        "14 020",
    ],
)
def test_a_service_number_is_nobodys_own_and_no_evidence(raw: str) -> None:
    assert Phone.parse(raw) == Phone(raw, None, is_service=True)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "onbekend",
        "612345678",
        "31612345678",
        "061234567",
        "06123456789",
        "0012345678",
        "0600000000",
        "0912345678",
        "+32 470 12 34 56",
        "06-12345678 (moeder)",
        "06-12345678 of 020-1234567",
        "0112",
        "٠٦١٢٣٤٥٦٧٨",
    ],
)
def test_what_is_not_certain_keeps_its_text_and_has_no_value(raw: str) -> None:
    assert Phone.parse(raw) == Phone(raw, None)


def test_no_number_at_all_is_no_number() -> None:
    assert Phone.parse(None) == Phone("", None)


@given(mobile_digits, st.lists(st.sampled_from(["", " ", "-", "."]), min_size=9, max_size=9))
def test_separators_never_change_a_mobile_number(digits: str, separators: list[str]) -> None:
    raw = "0" + "".join(before + digit for before, digit in zip(separators, "6" + digits, strict=True))
    assert Phone.parse(raw) == Phone(raw, f"+316{digits}")


@given(mobile_digits, st.sampled_from(["06", "+316", "00316", "+31(0)6", "+31 06"]))
def test_every_prefix_of_one_number_gives_one_value_and_a_value_reads_as_itself(digits: str, prefix: str) -> None:
    value = Phone.parse(prefix + digits).value
    assert value == f"+316{digits}"
    assert Phone.parse(value).value == value


@given(st.one_of(st.text(), st.text("0123456789 +-()./", max_size=18)))
def test_any_text_is_kept_and_a_value_is_always_a_dutch_e164_number(raw: str) -> None:
    phone = Phone.parse(raw)
    assert phone.raw == raw
    assert phone.value is None or re.fullmatch(r"\+31[1-8][0-9]{8}", phone.value)
    assert not (phone.is_service and phone.value)


def test_the_repr_shows_no_digits() -> None:
    assert repr(Phone.parse("0612345678")) == "Phone(certain=True, is_service=False)"
