"""The code lists are complete and fit the fields of the standard (standards.md 1.5, 10.5)."""

from __future__ import annotations

import pytest

from intake.corv.codes import ERRORS, NO_VALUE, ROLES, WARNINGS, role_code, role_text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ouder met gezag", "112"),
        ("verpleegkundige, arts of medisch specialist", "412"),
        ("Jeugdige ", "301"),
        ("vader", None),
        ("", None),
    ],
)
def test_role_text_to_code(text: str, code: str | None) -> None:
    assert role_code(text) == code


def test_there_are_23_roles_with_codes_of_their_own() -> None:
    assert len(ROLES) == len(set(ROLES.values())) == 23
    assert all(role_text(code) == text for text, code in ROLES.items())
    assert role_text("999") is None


def test_the_five_reasons_of_stuf() -> None:
    expected = {"nietOndersteund", "nietGeautoriseerd", "geenWaarde", "waardeOnbekend", "vastgesteldOnbekend"}
    assert set(NO_VALUE) == expected


def test_only_trouble_on_our_side_may_be_sent_again() -> None:
    assert {code for code, error in ERRORS.items() if error.retry} == {"VT-E046", "VT-E058"}


def test_every_text_is_a_sentence_that_fits() -> None:
    for text in [error.text for error in ERRORS.values()] + list(WARNINGS.values()):
        assert text.endswith(".")
        assert len(text) <= 200
    assert {f"VT-W10{number}" for number in range(1, 8)} <= set(WARNINGS)
