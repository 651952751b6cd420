"""Reading a mention, its blocking keys and the rules: bounded, mended, and the same however it was written."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.message import Involved
from radar.linking import block, rules
from radar.linking.decide import probability
from radar.linking.normalise import MAX_LENGTH, MAX_TOKENS, MAX_VALUES, AddressKey, Features, features, fold, sound
from radar.linking.profile import Profile
from radar.linking.rules import InvalidRules, Rules

RULES = rules.load()
NAMES = st.sampled_from(["jan", "anne", "mohammed", "kees", "sem", "olena"])
SURNAMES = st.sampled_from(["voorbeeld", "jansen", "testers", "amrani"])
PEOPLE = st.builds(
    Features,
    first_names=st.lists(NAMES, max_size=2).map(tuple),
    surnames=st.lists(SURNAMES, max_size=2, unique=True).map(tuple),
    birth=st.sampled_from([(0, 0, 0), (1980, 0, 0), (1980, 3, 0), (1980, 3, 5), (1980, 5, 3), (2015, 6, 2)]),
    sex=st.sampled_from(["", "M", "V"]),
    bsn=st.sampled_from(["", "aa", "bb"]),
    phones=st.sampled_from([(), ("+31612345678",)]),
    addresses=st.sampled_from([(), (AddressKey("1234AB", "12", "", "laan", "testdam"),)]),
).map(lambda one: replace(one, initials="".join(name[0] for name in one.first_names)))


def read(**person: object) -> Features:
    return features(person, RULES, hasher=lambda text: text.encode())


class TestBounds:
    def test_a_poison_name_costs_as_much_as_a_capped_one(self) -> None:
        for poison in ("a" * 50_000, "van der " * 7_000, "a-" * 25_000, "ű" * 50_000, "J." * 25_000):
            one = read(naam={"voornamen": poison, "geslachtsnaam": poison, "voorvoegsel": poison})
            texts = [*one.first_names, *one.surnames, one.prefix, one.initials]
            assert max(map(len, texts), default=0) <= MAX_LENGTH
            assert len(one.first_names) <= MAX_VALUES
            assert len(one.surnames) <= MAX_VALUES
            assert len(one.initials) <= MAX_TOKENS
            assert len(block.keys(one, RULES)) <= 40

    def test_very_many_phones_and_addresses_are_capped(self) -> None:
        numbers = [f"06123{number:05d}" for number in range(5_000)]
        places = [{"huisnummer": str(number), "postcode": "1234AB"} for number in range(1, 5_000)]
        one = read(naam={"voornamen": "Jan"}, telefoonnummers=numbers, adressen=places)
        assert len(one.phones) <= MAX_VALUES
        assert len(one.addresses) <= MAX_VALUES
        assert len(block.keys(one, RULES)) <= 40

    @given(st.text(max_size=300))
    def test_any_text_can_be_read(self, text: str) -> None:
        one = read(
            naam={"voornamen": text, "geslachtsnaam": text, "voorvoegsel": text, "volledigeNaam": text},
            geboortedatum={"tekst": text},
            bsn=text,
            telefoonnummers=[text],
            adressen=[{"straat": text, "huisnummer": text, "postcode": text, "woonplaats": text}],
            rol={"code": text},
        )
        profile = Profile()
        profile.add(one)
        assert Profile.from_json(profile.to_json()) == profile
        assert len(block.keys(one, RULES)) <= 40

    @given(PEOPLE)
    def test_keys_are_signed_64_bit_and_a_part_of_all_keys(self, one: Features) -> None:
        found = block.keys(one, RULES)
        assert all(-(2**63) <= key < 2**63 for key in found)
        assert found == sorted(set(found))
        assert set(block.chosen(block.by_kind(one, RULES), RULES.lock_keys)) <= set(found)

    @given(st.floats(-1e6, 1e6))
    def test_a_probability_is_a_probability(self, odds: float) -> None:
        assert 0.0 <= probability(odds) <= 1.0


class TestReading:
    def test_what_intake_writes_can_be_read(self) -> None:
        """The keys of intake.message; when one is renamed there, this fails here."""
        sent = Involved.model_validate(
            {
                "rol": {"tekst": "kind"},
                "bsn": "999993653",
                "naam": {"voornamen": "Anne", "voorvoegsel": "van", "geslachtsnaam": "Voorbeeld"},
                "geslacht": "V",
                "geboortedatum": {"tekst": "20150602", "indicatie": "V"},
                "telefoonnummers": ["06-12345678"],
                "adressen": [
                    {
                        "soort": "feitelijk",
                        "straat": "Voorbeeldlaan",
                        "huisnummer": "12",
                        "huisletter": "a",
                        "toevoeging": "2",
                        "postcode": "1234ab",
                        "woonplaats": "Testdam",
                    }
                ],
            }
        )
        one = read(**sent.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        assert one == Features(
            first_names=("anne",),
            initials="a",
            surnames=("voorbeeld",),
            prefix="van",
            birth=(2015, 6, 2),
            sex="V",
            bsn=b"bsn:999993653".hex(),
            phones=("+31612345678",),
            addresses=(AddressKey("1234AB", "12", "a2", "voorbeeldlaan", "testdam"),),
            role=115,
        )

    @pytest.mark.parametrize(
        ("stored", "birth"),
        [
            ({"tekst": "20150602", "indicatie": "V"}, (2015, 6, 2)),
            ({"tekst": "20150602", "indicatie": "D"}, (2015, 6, 0)),
            ({"tekst": "20150000"}, (2015, 0, 0)),
            ({"tekst": "20150101"}, (2015, 0, 0)),
            ({"tekst": "00000000"}, (0, 0, 0)),
            ({"jaar": 2015, "maand": 6, "dag": 2, "raw": "2015-06-02"}, (2015, 6, 2)),
            ({}, (0, 0, 0)),
        ],
    )
    def test_a_birth_date_is_as_partial_as_it_was_sent(self, stored: object, birth: tuple[int, int, int]) -> None:
        assert read(geboortedatum=stored).birth == birth

    def test_an_address_abroad_is_not_compared(self) -> None:
        place = {"gebied": "buitenland", "straat": "Hauptstrasse", "huisnummer": "1", "woonplaats": "Teststadt"}
        assert read(adressen=[place]).addresses == ()

    def test_a_service_number_is_nobody_s_phone(self) -> None:
        assert read(telefoonnummers=["112", "0900 8844", "0600000000"]).phones == ()


class TestNames:
    @pytest.mark.parametrize(
        ("written", "surname"),
        [
            ({"geslachtsnaam": "Proefstra", "voorvoegsel": "van der"}, ("proefstra",)),
            ({"geslachtsnaam": "VAN DER PROEFSTRA"}, ("proefstra",)),
            ({"geslachtsnaam": "Proefstra, v.d."}, ("proefstra",)),
            ({"geslachtsnaam": "Proefstra-de Vries"}, ("proefstra", "vries")),
            ({"geslachtsnaam": "in 't Veld"}, ("veld",)),
            ({"volledigeNaam": "Jo van der Proefstra"}, ("proefstra",)),
            ({"volledigeNaam": "Proefstra, Jo"}, ("proefstra",)),
            ({"geslachtsnaam": "El Amrani"}, ("elamrani",)),
            ({"geslachtsnaam": "onbekend"}, ()),
        ],
    )
    def test_surname_without_prefix(self, written: dict[str, str], surname: tuple[str, ...]) -> None:
        assert read(naam=written).surnames == surname

    @pytest.mark.parametrize(
        ("written", "names", "initials"),
        [
            ("Jan Pieter", ("jan", "pieter"), "jp"),
            ("J.P.", (), "jp"),
            ("J. P.", (), "jp"),
            ("Maria J.", ("maria",), "mj"),
            ("Onbekend", (), ""),
            ("N.N.", (), ""),
        ],
    )
    def test_first_names_and_initials(self, written: str, names: tuple[str, ...], initials: str) -> None:
        one = read(naam={"voornamen": written})
        assert (one.first_names, one.initials) == (names, initials)

    @pytest.mark.parametrize(
        ("damaged", "meant"),
        [
            ("Jos\u00c3\u00a9", "jose"),
            ("M\u00c3\u00bcller", "muller"),
            ("Ren\u00c3\u00a9e", "renee"),
            ("Jos&eacute;", "jose"),
            ("O&#39;Proef", "o'proef"),
            ("\u00c5ngstr\u00f6m", "angstrom"),
            ("\u00c3le", "ale"),
        ],
        ids=["UTF-8 as Windows-1252", "and u", "and twice e", "an entity", "a number entity", "read rightly", "odd"],
    )
    def test_text_damaged_on_its_way_is_mended_and_the_rest_is_left(self, damaged: str, meant: str) -> None:
        assert fold(damaged, RULES) == meant

    @pytest.mark.parametrize("letter", "áàâäåãçéèêëíìîïñóòôöõúùûüýÿ")
    def test_every_letter_of_western_europe_survives_a_wrong_encoding(self, letter: str) -> None:
        name = f"N{letter}dstra"
        assert fold(name.encode().decode("latin-1"), RULES) == fold(name, RULES)

    @pytest.mark.parametrize(
        ("scanned", "name"), [("J0hannes", "johannes"), ("Wi1ma", "wilma"), ("Ja5per", "jasper"), ("12345", "")]
    )
    def test_a_digit_in_a_name_is_a_misread_letter(self, scanned: str, name: str) -> None:
        assert read(naam={"voornamen": scanned}).first_names == ((name,) if name else ())

    @pytest.mark.parametrize(
        "written",
        [
            {"geslachtsnaam": "Jo van der Proefstra"},
            {"volledigeNaam": "Jo van der Proefstra"},
            {"geslachtsnaam": "Proefstra, Jo"},
        ],
    )
    def test_a_whole_name_in_one_field_is_taken_apart(self, written: dict[str, str]) -> None:
        one = read(naam=written)
        assert (one.first_names, one.surnames) == (("jo",), ("proefstra",))

    def test_an_initial_and_a_surname_in_each_other_s_field_are_put_right(self) -> None:
        one = read(naam={"voornamen": "Karabulut", "geslachtsnaam": "C."})
        assert (one.initials, one.surnames) == ("c", ("karabulut",))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("Janssen", "Jansen"),
            ("Visser", "Fisser"),
            ("Wójcik", "Wojcik"),
            ("Kowalska", "Kowalski"),
            ("Шевченко", "Shevchenko"),
            ("Y\u0131ld\u0131z", "Yildiz"),
            ("Philips", "Filips"),
            ("Schmidt", "Smit"),
            ("Khalid", "Chalid"),
        ],
    )
    def test_one_sound_many_spellings(self, one: str, other: str) -> None:
        assert sound(fold(one, RULES), RULES) == sound(fold(other, RULES), RULES)

    def test_no_raw_bsn_is_kept(self) -> None:
        one = features({"bsn": "999993653", "naam": {"voornamen": "Jan"}}, RULES, hasher=lambda text: b"\x01\x02")
        assert one.bsn == "0102"
        assert "999993653" not in repr(one)


class TestWhoTakesPart:
    """Who says too little about who he is, is neither compared nor found."""

    @pytest.mark.parametrize(
        ("said", "links"),
        [
            (Features(first_names=("jo",), initials="j", surnames=("voorbeeld",)), True),
            (Features(initials="j", phones=("+31612345678",)), True),
            (Features(unnamed=True, bsn="aa"), True),
            (Features(unnamed=True, surnames=("voorbeeld",), birth=(2015, 6, 2)), True),
            (Features(unnamed=True, surnames=("voorbeeld",), birth=(2015, 6, 0)), False),
            (Features(unnamed=True, birth=(2015, 6, 2)), False),
            (Features(unnamed=True, surnames=("voorbeeld",), phones=("+31612345678",)), False),
            (Features(first_names=("jo",), initials="j", unborn=True), False),
            (Features(bsn="aa", unborn=True), False),
        ],
    )
    def test_a_name_of_his_own_a_bsn_or_a_surname_with_a_full_birth_date(self, said: Features, links: bool) -> None:
        assert said.links is links
        assert bool(block.keys(said, RULES)) is links

    def test_what_intake_writes_of_somebody_without_a_first_name(self) -> None:
        said = read(naam={"voornamen": "Onbekend", "geslachtsnaam": "Voorbeeld"}, geboortedatum={"tekst": "20150602"})
        assert said.unnamed
        assert said.links


class TestKeys:
    """Two mentions of one person share a key, whatever happened to one field."""

    FULL = Features(("anne",), "a", ("voorbeeld",), birth=(2015, 6, 2))

    @pytest.mark.parametrize(
        "change",
        [
            {"first_names": ("anna",)},
            {"surnames": ("voorbeelt",)},
            {"birth": (2015, 2, 6)},
            {"birth": (0, 0, 0)},
            {"first_names": (), "initials": "a", "birth": (2015, 0, 0)},
            {"first_names": ("voorbeeld",), "initials": "v", "surnames": ("anne",), "birth": (0, 0, 0)},
            {"surnames": (), "first_names": ("annetje",)},
        ],
        ids=[
            "other spelling",
            "other surname",
            "day and month",
            "no birth",
            "initial, year",
            "swapped",
            "no surname",
        ],
    )
    def test_one_slip_leaves_a_key(self, change: dict[str, object]) -> None:
        slipped = replace(self.FULL, **change)  # type: ignore[arg-type]
        assert set(block.keys(slipped, RULES)) & set(block.keys(self.FULL, RULES))

    @given(PEOPLE, PEOPLE)
    def test_keys_of_one_region_never_find_persons_of_another(self, one: Features, other: Features) -> None:
        here, there = block.keys(one, RULES, b"region one"), block.keys(other, RULES, b"region two")
        assert not set(here) & set(there)
        assert len(here) == len(block.keys(one, RULES, b"region two"))

    @given(PEOPLE)
    def test_a_crowd_is_counted_by_the_keys_that_persons_have(self, one: Features) -> None:
        """An institution is recognised by how many have its door or number; so those are stored keys."""
        counted = dict(block.crowd_keys(one, b"region"))
        assert counted.keys() == {*one.addresses, *one.phones}
        if one.links:
            assert set(counted.values()) <= set(block.keys(one, RULES, b"region"))


class TestRules:
    def test_a_larger_register_costs_more_bits(self) -> None:
        bits = [RULES.register_bits(10**power) for power in range(8)]
        assert all(one <= other for one, other in pairwise(bits))
        assert bits[0] < bits[-1]

    def test_rules_that_lack_a_level_are_refused(self) -> None:
        document = json.loads((rules.FOLDER / f"{rules.NEWEST}.json").read_text(encoding="utf-8"))
        del document["weights"]["birth"]["swapped"]
        with pytest.raises(ValueError, match="birth"):
            Rules.model_validate(document)

    def test_a_version_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(InvalidRules, match="bestaan niet"):
            rules.load("1999-01-niets")

    def test_rules_that_lack_a_sign_of_a_household_are_refused(self) -> None:
        document = json.loads((rules.FOLDER / f"{rules.NEWEST}.json").read_text(encoding="utf-8"))
        del document["household"]["missing"]
        with pytest.raises(ValueError, match="missing"):
            Rules.model_validate(document)

    def test_a_young_register_counts_as_a_small_one(self) -> None:
        assert RULES.register_bits(0) == RULES.register_bits(RULES.register_size.smallest)
