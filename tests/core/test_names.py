"""Dutch names: the prefix is found, nothing is lost, and a name is never eaten whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import DutchName, split_prefix
from core.identity.names import PREFIXES

TABLE = [line for line in PREFIXES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]

words = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=1, max_size=8)
surnames = st.builds(
    lambda prefix, parts, glue: glue.join([*prefix.split(), *parts]),
    st.sampled_from(["", *TABLE, "VAN DEN", "Van 't", "van \u2019t", "\u2019s", "d\u2019"]),
    st.lists(words, max_size=3),
    st.sampled_from([" ", "  ", "\t", "\u00a0"]),
)


def letters(text: str) -> str:
    for apostrophe in "\u2019\u2018\u02bc`\u00b4":
        text = text.replace(apostrophe, "'")
    return "".join(text.split())


def test_the_table_holds_the_165_prefixes_of_at_most_ten_characters() -> None:
    assert len(TABLE) == len(set(TABLE)) == 165
    assert max(map(len, TABLE)) == 10
    assert all(entry == entry.strip().lower() for entry in TABLE)


@pytest.mark.parametrize(
    ("surname", "expected"),
    [
        ("van den Voorbeeld", ("van den", "Voorbeeld")),
        ("van de l'Isle", ("van de l'", "Isle")),
        ("de Vries-van Dam", ("de", "Vries-van Dam")),
        ("Jansen-de Vries", ("", "Jansen-de Vries")),
        ("Voorbeeld", ("", "Voorbeeld")),
        ("Vandenberg", ("", "Vandenberg")),
        ("VAN DEN VOORBEELD", ("VAN DEN", "VOORBEELD")),
        ("Van den Voorbeeld", ("Van den", "Voorbeeld")),
        ("'t Hart", ("'t", "Hart")),
        ("\u2019t Hart", ("'t", "Hart")),
        ("in `t Veld", ("in 't", "Veld")),
        ("d\u2019Ancona", ("d'", "Ancona")),
        ("d' Ancona", ("d'", "Ancona")),
        ("'s-Gravesande", ("", "'s-Gravesande")),
        ("O'Voorbeeld", ("", "O'Voorbeeld")),
        ("El Voorbeeld", ("El", "Voorbeeld")),
        ("  van   der  Test ", ("van der", "Test")),
        ("", ("", "")),
    ],
)
def test_splitting(surname: str, expected: tuple[str, str]) -> None:
    assert split_prefix(surname) == expected


@pytest.mark.parametrize("initial", ["a", "d", "i", "l", "s", "t", "A", "T"])
def test_one_letter_is_an_initial_and_no_prefix(initial: str) -> None:
    assert split_prefix(f"{initial} Voorbeeld") == ("", f"{initial} Voorbeeld")


@pytest.mark.parametrize(
    ("surname", "expected"),
    [("Van", ("", "Van")), ("van den", ("van", "den")), ("De", ("", "De")), ("d'", ("", "d'")), ("Tho", ("", "Tho"))],
)
def test_a_surname_that_is_itself_a_prefix_is_never_emptied(surname: str, expected: tuple[str, str]) -> None:
    assert split_prefix(surname) == expected


@pytest.mark.parametrize("prefix", [entry for entry in TABLE if len(entry) > 1])
def test_every_table_prefix_is_found_in_any_letter_case(prefix: str) -> None:
    for written in (prefix, prefix.upper(), prefix.title()):
        assert split_prefix(f"{written} Xylander") == (written, "Xylander")


@given(surnames)
def test_splitting_never_loses_a_letter(surname: str) -> None:
    prefix, rest = split_prefix(surname)
    assert letters(prefix + rest) == letters(surname)
    assert bool(rest) == bool(surname.split())


@given(st.text())
def test_splitting_any_text_loses_nothing_but_white_space(surname: str) -> None:
    prefix, rest = split_prefix(surname)
    assert letters(prefix + rest) == letters(surname)


@given(surnames)
def test_displaying_a_split_name_never_loses_a_letter(surname: str) -> None:
    name = DutchName.parse("Test", "", surname)
    assert letters(name.display()) == letters("Test" + surname)
    assert name.raw == (f"Test {surname}" if surname else "Test")


@given(surnames)
def test_a_displayed_surname_splits_the_same_way_again(surname: str) -> None:
    name = DutchName.parse("", "", surname)
    again = DutchName.parse("", "", name.display())
    assert (again.prefix, again.surname) == (name.prefix, name.surname)


def test_a_name_is_shown_and_sorted_the_dutch_way() -> None:
    name = DutchName.parse("Test", None, "van den Voorbeeld")
    assert (name.first_names, name.prefix, name.surname) == ("Test", "van den", "Voorbeeld")
    assert name.display() == "Test van den Voorbeeld"
    assert name.sort_key() == "voorbeeld, test van den"


def test_a_prefix_with_an_apostrophe_touches_the_name() -> None:
    assert DutchName.parse("Test", None, "d\u2019Ancona").display() == "Test d'Ancona"
    assert DutchName.parse("Test", "\u2019t", "Hart").display() == "Test 't Hart"


def test_a_given_prefix_is_kept_although_it_is_not_in_the_table() -> None:
    name = DutchName.parse("Test", "uyt den", "de Voorbeeld")
    assert (name.prefix, name.surname) == ("uyt den", "de Voorbeeld")


def test_accents_do_not_change_the_place_in_a_list() -> None:
    assert DutchName.parse("Zoë", None, "Éénberg").sort_key() == "eenberg, zoe"
    assert DutchName.parse(None, None, "Éénberg").sort_key() == "eenberg"


def test_missing_parts_leave_no_loose_spaces_or_commas() -> None:
    assert DutchName.parse(None, None, None).display() == ""
    assert DutchName.parse(None, None, None).sort_key() == ""
    assert DutchName.parse("Test", None, None).display() == "Test"
    assert DutchName.parse(None, "van", "Voorbeeld").display() == "van Voorbeeld"


def test_raw_keeps_what_was_typed() -> None:
    assert DutchName.parse(" Test ", None, "VAN  DER \u2019Test").raw == " Test  VAN  DER \u2019Test"


def test_the_repr_shows_no_name() -> None:
    assert repr(DutchName.parse("Test", "van", "Voorbeeld")) == "DutchName(complete=True)"
