"""Signs of a secret address, what they leave out of a message, and what a text may give away."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from intake import protected
from radar.linking.rules import load as linking_rules

HOME = {"soort": "formeel", "straat": "Dorpsstraat", "huisnummer": "1", "postcode": "1234AB", "woonplaats": "Testdam"}
AWAY = {"soort": "feitelijk", "straat": "Kerklaan", "huisnummer": "22", "postcode": "4321ZX", "woonplaats": "Verweg"}


def person(*addresses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"naam": {"voornamen": "Test"}, "adressen": [dict(one) for one in addresses], **more}


@pytest.mark.parametrize(
    "one",
    [
        person({"soort": "feitelijk", "regel1": "Postbus 12"}),
        person(AWAY | {"straat": "Vrouwenopvang De Haven"}),
        person(HOME, aanvullendeInformatie="Zij verblijft op een GEHEIM ADRES."),
        person(HOME, extra=[{"naam": "adres", "waarde": "briefadres gemeente"}]),
        person(HOME, relaties=[{"omschrijving": "is ondergedoken"}]),
    ],
)
def test_one_sign_is_enough(one: dict[str, Any]) -> None:
    assert protected.signs(one)


@pytest.mark.parametrize(
    "one",
    [person(HOME), person(HOME, aanvullendeInformatie="Het kind gaat naar de kinderopvang."), person(), {}],
)
def test_an_ordinary_person_is_not_protected(one: dict[str, Any]) -> None:
    """A day nursery is no shelter: words are compared from their start."""
    assert protected.signs(one) == ()


def test_a_sign_in_the_report_protects_everybody_with_an_address() -> None:
    content = {"situatie": {"omschrijving": "Moeder zit sinds gisteren in de vrouwenopvang."}}
    assert set(protected.protected([person(HOME), {"naam": {}}, person(AWAY)], content)) == {0, 2}


def test_who_shares_the_address_or_phone_goes_along() -> None:
    told = person(AWAY, aanvullendeInformatie="geheim adres", telefoonnummers=["06-12345678"])
    child, sister = person(AWAY | {"soort": "formeel"}), person(telefoonnummers=["+31612345678"])
    assert set(protected.protected([told, child, sister, person(HOME)], {})) == {0, 1, 2}


def test_the_signs_know_every_institution_that_the_linker_leaves_out() -> None:
    """Hospital and prison are no secret; the other institutions of the linking rules are signs."""
    known = {word for line in protected.rules().institutions for word in line.split()}
    assert linking_rules().institution_words - {"ziekenhuis", "gevangenis"} <= known


def test_hidden_and_restored_is_the_message_as_it_came() -> None:
    one = person(
        AWAY,
        telefoonnummers=["0612345678"],
        aanvullendeInformatie="geheim adres",
        relaties=[{"omschrijving": "moeder van"}, {"omschrijving": "woont bij zus", "persoon": {"rni": "x"}}],
    )
    content = {"incident": {"locatie": "Kerklaan 22, Verweg", "omschrijving": "Bel 06 1234 5678. Kerklaan 22."}}
    made = protected.hide(deepcopy(content), [deepcopy(one)])
    assert [mark["number"] for mark in made.marks] == [1]
    text = str((made.content, made.persons))
    assert not any(word in text for word in ("Kerklaan", "4321", "Verweg", "1234 5678", "zus"))
    assert "moeder van" in text
    edits = made.edits
    assert protected.restored(made.content, edits["content"]) == content
    assert protected.restored(made.persons[0], edits["persons"]["1"]) == one


def test_what_somebody_changed_since_then_is_not_overwritten() -> None:
    made = protected.hide({}, [person(AWAY, aanvullendeInformatie="geheim adres")])
    changed = made.persons[0] | {"aanvullendeInformatie": "Verbeterd."}
    assert protected.restored(changed, made.edits["persons"]["1"])["aanvullendeInformatie"] == "Verbeterd."


def test_the_town_that_the_others_openly_live_in_stays() -> None:
    told = person(AWAY | {"woonplaats": "Testdam"}, aanvullendeInformatie="geheim adres")
    made = protected.hide({"incident": {"omschrijving": "Ruzie in Testdam."}}, [told, person(HOME)])
    assert made.content == {"incident": {"omschrijving": "Ruzie in Testdam."}}


def test_codes_and_dates_are_no_texts() -> None:
    """Leaving out a town must never change a code of the message."""
    told = person({"soort": "feitelijk", "woonplaats": "feitelijk", "straat": "V", "huisnummer": "1"}, **{"rni": "x"})
    made = protected.redact(
        {"incident": {"datum": {"tekst": "20260101", "indicatie": "V"}}}, [told, person(HOME)], {0}
    )
    assert made.content["incident"]["datum"] == {"tekst": "20260101", "indicatie": "V"}
    assert made.persons[1] == person(HOME)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Zij woont op 1234 AB 12.", ["postcode"]),
        ("Zij woont aan de Lange Kerkstraat 12b.", ["address"]),
        ("Bel 06-12345678 of +31 20 123 45 67.", ["phone", "phone"]),
        ("Op 12-03-2026 om 14.30 uur, drie keer.", []),
        ("De politie kwam.", []),
    ],
)
def test_a_text_is_looked_through_for_what_looks_like_an_address(text: str, kinds: list[str]) -> None:
    assert [hint.kind for hint in protected.hints(text)] == kinds


def test_what_is_in_the_vault_is_found_however_it_is_written() -> None:
    for text in ("in VERWEG gezien", "kerklaan  22", "bel 0031 6 12 34 56 78", "4321 zx"):
        known = {"Verweg", "Kerklaan 22", "0612345678", "4321ZX"}
        assert [hint.kind for hint in protected.hints(text, known)] == ["known"], text
    assert protected.hints("Verwegen", {"Verweg"}) == []


@given(st.text(max_size=3000))
def test_hints_never_overlap_and_lie_in_the_text(text: str) -> None:
    found = protected.hints(text, {"Kerklaan 22", "a"})
    assert all(one.text == text[one.start : one.end] and one.text for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=20) | st.sampled_from(["Kerklaan 22", "Verweg", "06-12345678"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=12,
    )
)
def test_any_content_comes_back_exactly(value: Any) -> None:
    content = {"situatie": value, "incident": {"locatie": "Kerklaan 22"}}
    before = deepcopy(content)
    made = protected.redact(content, [person(AWAY, telefoonnummers=["06-12345678"])], {0})
    assert content == before
    assert protected.restored(made.content, made.of_content) == before
    assert "Kerklaan 22" not in str(made.content)


def test_a_file_of_signs_that_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text('version = "x"\n')
    with pytest.raises(SettingsError):
        protected.rules.load(tmp_path / "wrong.toml")
