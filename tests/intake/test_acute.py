"""The acute check at receipt: what is filled in counts, words are shown."""

from __future__ import annotations

import pytest

from intake import acute
from intake.sample import sample_report


def signals(description: str = "", level: str | None = None) -> dict[str, str]:
    """Rule to level for a report with this description and SASH level."""
    sash = {"ingevuld": level is not None, "niveau": level}
    message = sample_report(
        {
            "incident": {"omschrijving": description},
            "situatie": {"omschrijving": ""},
            "melding": {"sash": sash},
            "betrokkenen": [{"rol": {"tekst": "kind"}, "naam": {"geslachtsnaam": "Voorbeeld"}}],
        }
    )
    return {signal.rule: signal.level for signal in acute.signals(message)}


def test_sash_high_is_acute() -> None:
    assert signals(level="hoog")["sash_hoog"] == "acute"


@pytest.mark.parametrize("level", ["matig", "laag", None])
def test_other_levels_are_not(level: str | None) -> None:
    assert "acute" not in signals(level=level).values()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Hij kneep haar de keel dicht.", "verwurging"),
        ("Er lag een MES op tafel.", "wapen"),
        ("geen mes gezien", "wapen"),
        ("Zij dreigt met suicide", "suicide"),
        ("Zij dreigt met suïcide", "suicide"),
        ("Doodsbedreigingen per app", "doodsbedreiging"),
    ],
)
def test_words_are_shown_and_never_acute(text: str, rule: str) -> None:
    assert signals(text)[rule] == "show"


def test_a_word_counts_from_its_beginning_only() -> None:
    assert "wapen" not in signals("Zij moest de stal ontmesten.")
    assert "wapen" in signals("Er waren messen.")


def test_every_rule_can_be_found_by_each_of_its_words() -> None:
    for rule in acute.rules().words:
        for word in rule.words:
            assert rule.rule in signals(f"x {word} x"), word


def test_risk_is_two_for_acute_and_none_otherwise() -> None:
    assert acute.risk([acute.Signal("a", "show", ""), acute.Signal("b", "acute", "")]) == 2
    assert acute.risk([acute.Signal("a", "show", "")]) == 0
