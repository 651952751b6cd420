"""BSN: the 11-test, the two codes that are nobody's number, and silence about the digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import Bsn
from core.identity.bsn import passes_eleven_test

SAMPLE = "999993653"
eight_digits = st.text("0123456789", min_size=8, max_size=8)


def with_check_digit(leading: str) -> str:
    """The nine digits that pass, or eight and an "x" for the one in eleven that has no check digit."""
    remainder = sum((9 - place) * int(digit) for place, digit in enumerate(leading)) % 11
    return leading + (str(remainder) if remainder < 10 else "x")


valid_numbers = eight_digits.map(with_check_digit).filter(passes_eleven_test)


@pytest.mark.parametrize("digits", [SAMPLE, "111222333", "123456782", "000000024"])
def test_known_numbers_pass_the_eleven_test(digits: str) -> None:
    assert passes_eleven_test(digits)
    assert Bsn.parse(digits) == Bsn(digits, digits, "valid")


@pytest.mark.parametrize("digits", ["111111111", "000000000", "999999999", "99999365", "9999936530", "", "99999365x"])
def test_other_texts_do_not_pass(digits: str) -> None:
    assert not passes_eleven_test(digits)


def test_digits_of_other_scripts_are_no_bsn() -> None:
    arabic = SAMPLE.translate({ord(str(digit)): 0x0660 + digit for digit in range(10)})
    assert arabic.isdigit()
    assert Bsn.parse(arabic) == Bsn(arabic, None, "invalid")


@pytest.mark.parametrize("raw", [None, "", "   ", " - "])
def test_nothing_given_is_missing_and_not_unknown(raw: str | None) -> None:
    assert Bsn.parse(raw).status == "missing"
    assert Bsn.parse(raw).value is None


@pytest.mark.parametrize(
    ("raw", "status"), [("000000000", "unknown"), ("999999999", "unborn"), (" 999.999.999", "unborn")]
)
def test_a_code_has_a_meaning_but_is_never_a_key(raw: str, status: str) -> None:
    bsn = Bsn.parse(raw)
    assert (bsn.status, bsn.value, bsn.raw) == (status, None, raw)


@pytest.mark.parametrize("raw", ["9999.93.653", "999 993 653", "999-993-653", " 999993653\n"])
def test_separators_are_read_over_and_raw_is_kept(raw: str) -> None:
    assert Bsn.parse(raw) == Bsn(raw, SAMPLE, "valid")


@pytest.mark.parametrize("raw", ["999993654", "12345", "99999365A", "onbekend", "00000000", "1" * 400])
def test_a_wrong_number_is_kept_raw_and_gives_no_value(raw: str) -> None:
    assert Bsn.parse(raw) == Bsn(raw, None, "invalid")


@given(eight_digits)
def test_eight_digits_are_padded_only_when_they_pass_then(digits: str) -> None:
    bsn = Bsn.parse(digits)
    if passes_eleven_test("0" + digits):
        assert bsn == Bsn(digits, "0" + digits, "valid", padded=True)
    else:
        assert bsn == Bsn(digits, None, "invalid")


def test_eight_digits_that_pass_with_a_zero() -> None:
    assert Bsn.parse("10000008").value == "010000008"
    assert Bsn.parse("10000008").padded
    assert Bsn.parse("10000009").value is None


@given(eight_digits.filter(lambda leading: leading != "00000000"))
def test_eight_leading_digits_have_exactly_one_check_digit_or_none(leading: str) -> None:
    passing = [leading + last for last in "0123456789" if passes_eleven_test(leading + last)]
    expected = with_check_digit(leading)
    assert passing == ([] if expected.endswith("x") else [expected])


@given(valid_numbers, st.integers(0, 8), st.integers(1, 9))
def test_changing_a_single_digit_is_always_detected(number: str, place: int, step: int) -> None:
    other = str((int(number[place]) + step) % 10)
    assert not passes_eleven_test(number[:place] + other + number[place + 1 :])


@given(valid_numbers)
def test_swapping_two_neighbouring_digits_is_always_detected(number: str) -> None:
    for place in range(8):
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        assert swapped == number or not passes_eleven_test(swapped)


@given(st.one_of(st.none(), st.text(), st.text("0123456789 .-", max_size=12)))
def test_parsing_never_fails_and_only_a_valid_number_has_a_value(raw: str | None) -> None:
    bsn = Bsn.parse(raw)
    assert bsn.raw == (raw or "")
    assert (bsn.value is not None) == (bsn.status == "valid")
    assert bsn.value is None or passes_eleven_test(bsn.value)


@given(valid_numbers)
def test_no_way_of_printing_shows_the_digits(number: str) -> None:
    bsn = Bsn.parse(number)
    for shown in (repr(bsn), str(bsn), f"{bsn}", repr([bsn])):
        assert not any(character.isdigit() for character in shown)
        assert "valid" in shown
