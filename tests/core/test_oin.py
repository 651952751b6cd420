"""OIN: exactly twenty digits, or a refusal that does not repeat what was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import VeiligError
from core.identity import InvalidOin, parse_oin

TEST_OIN = "00000099000000001000"


def test_twenty_digits_are_an_oin_and_outer_white_space_is_removed() -> None:
    assert parse_oin(f"  {TEST_OIN}\n") == TEST_OIN


@pytest.mark.parametrize(
    "raw", ["", TEST_OIN[:-1], TEST_OIN + "0", TEST_OIN + "_OTA", "0000009900000000100A", "00000099 000000001000"]
)
def test_anything_else_is_refused(raw: str) -> None:
    with pytest.raises(InvalidOin):
        parse_oin(raw)


def test_digits_of_other_scripts_are_refused() -> None:
    with pytest.raises(InvalidOin):
        parse_oin("\u0660" * 20)


def test_the_refusal_is_a_plain_sentence_without_the_text_sent() -> None:
    with pytest.raises(VeiligError) as refusal:
        parse_oin("999993653")
    assert refusal.value.message == "Een OIN heeft precies 20 cijfers."
    assert refusal.value.status == 400


@given(st.text("0123456789", min_size=20, max_size=20))
def test_every_twenty_digits_come_back_unchanged(digits: str) -> None:
    assert parse_oin(digits) == digits
