"""Addresses: one key for one front door, and no key at all when there is too little."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import Address

postcodes = st.from_regex(r"[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}", fullmatch=True)
small_texts = st.one_of(st.none(), st.text(max_size=8))


def address(**changes: Any) -> Address:
    fields: dict[str, Any] = {
        "street": "Voorbeeldstraat",
        "house_number": "12",
        "house_letter": "a",
        "addition": "2",
        "postcode": "1234 ab",
        "city": "Testdam",
    }
    return Address.parse(**(fields | changes))


def test_an_address_is_normalised_keyed_and_shown() -> None:
    found = address()
    assert found.postcode == "1234AB"
    assert found.key() == "1234AB|12|a|2"
    assert found.display() == "Voorbeeldstraat 12a-2, 1234 AB Testdam"


def test_the_received_fields_are_kept_as_they_were() -> None:
    found = address(postcode=" 1234  ab", country=None)
    assert found.raw["postcode"] == " 1234  ab"
    assert "country" not in found.raw


@pytest.mark.parametrize(
    ("postcode", "status"),
    [
        ("1234AB", "complete"),
        ("1234 ab", "complete"),
        ("1234", "digits_only"),
        ("1234A", "invalid"),
        ("0234AB", "invalid"),
        ("1234SA", "invalid"),
        ("1234SD", "invalid"),
        ("1234ss", "invalid"),
        ("1234SB", "complete"),
        ("12345", "invalid"),
        ("\u0661\u0662\u0663\u0664AB", "invalid"),
        ("", "missing"),
        ("  ", "missing"),
        (None, "missing"),
    ],
)
def test_the_status_of_a_postcode(postcode: str | None, status: str) -> None:
    assert address(postcode=postcode).postcode_status == status


def test_a_postcode_is_normalised_also_when_built_by_hand() -> None:
    assert Address(postcode="1234 ab", house_number=1).key() == "1234AB|1||"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("12", (12, "", "")),
        (12, (12, "", "")),
        ("12a", (12, "a", "")),
        ("12 A", (12, "A", "")),
        ("12 A-2", (12, "A", "2")),
        ("12a2", (12, "a", "2")),
        ("12-2", (12, "", "2")),
        ("12/2", (12, "", "2")),
        ("12 bis", (12, "", "bis")),
        ("12-hs", (12, "", "hs")),
        ("12 t/o", (12, "", "t/o")),
        ("12 1 hoog", (12, "", "1 hoog")),
        ("012", (12, "", "")),
        ("0", (None, "", "")),
        ("123456", (None, "", "")),
        ("nvt", (None, "", "")),
        (None, (None, "", "")),
    ],
)
def test_a_house_number_is_taken_apart(number: str | int | None, expected: tuple[int | None, str, str]) -> None:
    found = Address.parse(house_number=number)
    assert (found.house_number, found.house_letter, found.addition) == expected


def test_a_letter_in_its_own_field_wins_over_one_behind_the_number() -> None:
    assert address(house_number="12b", house_letter="c").house_letter == "c"


@pytest.mark.parametrize(
    "changes",
    [
        {"house_number": "12a-2", "house_letter": None, "addition": None},
        {"house_letter": "A"},
        {"house_letter": None, "addition": "a2"},
        {"house_letter": None, "addition": "A-2"},
        {"postcode": "1234AB"},
        {"street": "Vbstr.", "city": "TESTDAM"},
        {"country": "Nederland"},
        {"country": "6030"},
    ],
)
def test_ways_of_writing_one_front_door_give_one_key(changes: dict[str, Any]) -> None:
    assert address(**changes).key() == "1234AB|12|a|2"


@pytest.mark.parametrize(
    "changes",
    [
        {"postcode": "1234"},
        {"postcode": None},
        {"postcode": "1234SS"},
        {"house_number": None},
        {"house_number": "0"},
        {"country": "België"},
    ],
)
def test_too_little_or_abroad_is_no_key(changes: dict[str, Any]) -> None:
    assert address(**changes).key() is None


@pytest.mark.parametrize(
    "changes", [{"house_number": "13"}, {"house_letter": "b"}, {"addition": "3"}, {"postcode": "1234AC"}]
)
def test_another_front_door_has_another_key(changes: dict[str, Any]) -> None:
    assert address(**changes).key() != address().key()


def test_twelve_with_addition_one_is_not_a_hundred_and_twenty_one() -> None:
    plain = {"house_letter": None, "addition": None}
    assert address(house_number="12-1", **plain).key() != address(house_number="121", **plain).key()


@given(postcodes, st.integers(1, 99999), st.from_regex(r"[a-zA-Z]?", fullmatch=True), st.integers(0, 9999))
def test_letter_case_and_spaces_never_change_the_key(postcode: str, number: int, letter: str, addition: int) -> None:
    one = Address.parse(postcode=postcode, house_number=number, house_letter=letter, addition=str(addition))
    spaced = f" {postcode[:4]} {postcode[4:].lower()} "
    other = Address.parse(
        postcode=spaced, house_number=f" {number} ", house_letter=letter.swapcase(), addition=f" {addition} "
    )
    assert one.key() == other.key() == f"{postcode}|{number}|{letter.lower()}|{addition}"


@given(small_texts, small_texts, small_texts, small_texts, small_texts, small_texts, small_texts)
def test_any_text_is_read_without_failing_and_kept(
    street: str | None,
    number: str | None,
    letter: str | None,
    addition: str | None,
    postcode: str | None,
    city: str | None,
    country: str | None,
) -> None:
    found = Address.parse(
        street=street,
        house_number=number,
        house_letter=letter,
        addition=addition,
        postcode=postcode,
        city=city,
        country=country,
    )
    assert (found.key() is None) or (found.postcode_status == "complete" and found.house_number is not None)
    assert found.raw.get("house_number") == number
    assert found.house_number is None or 1 <= found.house_number <= 99999
    assert found.display() == found.display().strip()


def test_an_incomplete_address_is_shown_without_loose_commas() -> None:
    assert Address.parse(city="Testdam").display() == "Testdam"
    assert Address.parse().display() == ""
    assert Address.parse(street="Rue du Test", house_number=3, country="België").display() == "Rue du Test 3, België"


def test_the_repr_shows_no_address_and_addresses_can_be_put_in_a_set() -> None:
    assert repr(address(kind="actual")) == "Address(kind='actual', postcode_status='complete')"
    assert len({address(), address()}) == 1
