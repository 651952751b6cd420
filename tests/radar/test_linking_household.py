"""The second look: who is recognised, who is missing and who lives elsewhere say which household it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import permutations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar.linking import household, rules
from radar.linking.household import RECENT, HouseholdDecision, Place, choose, split
from radar.linking.normalise import AddressKey, Features
from radar.linking.profile import Home, Profile
from radar.linking.rules import HouseholdSign

RULES = rules.load()
OLD, NEW = date(2025, 1, 1).toordinal(), date(2026, 1, 1).toordinal()
HERE = AddressKey("1234AB", "12", "", "voorbeeldlaan", "testdam")
THERE = AddressKey("9876ZX", "80", "", "anderelaan", "testdam")
MOTHER, CHILD = 111, 115
PERIPHERAL = min(RULES.peripheral_roles)
NEW_HOUSEHOLD = "Een nieuw huishouden: wie bekend is, woonde eerder in een ander huishouden"


def at(*addresses: AddressKey, role: int = MOTHER) -> Features:
    return Features(addresses=addresses, role=role)


def lived(*homes: tuple[str, int, AddressKey | None]) -> Profile:
    """Somebody who was a member of these households: name, day last seen, address."""
    profile = Profile()
    for home, day, address in homes:
        profile.seen(home, day, (address,) if address else ())
    return profile


def family(*names: str, home: str = "home", day: int = OLD, address: AddressKey = HERE) -> dict[str, Profile]:
    return {name: lived((home, day, address)) for name in names}


FAMILY = family("jan", "mia", "anne", "saar", "sem")


class TestWhichHousehold:
    def test_nobody_known_is_a_new_household(self) -> None:
        chosen = choose([Place(at(HERE))], {}, RULES)
        assert chosen == HouseholdDecision(None, 0.0, ("Niemand uit deze melding is bekend in een huishouden",))

    def test_a_report_with_only_outsiders_has_none(self) -> None:
        assert choose([None, None], FAMILY, RULES).household is None

    def test_a_family_again_is_the_same_household(self) -> None:
        known = family("jan", "mia", "anne")
        chosen = choose([Place(at(HERE), name) for name in known], known, RULES)
        assert chosen.household == "home"
        assert chosen.weight > 0
        assert chosen.reasons == (
            "3 leden van dit huishouden herkend",
            "Het adres van de melding hoort bij dit huishouden",
        )

    def test_a_family_that_moved_is_the_same_household(self) -> None:
        chosen = choose([Place(at(THERE), name) for name in FAMILY], FAMILY, RULES)
        assert chosen.household == "home"
        assert "Het adres van de melding is nieuw voor dit huishouden" in chosen.reasons

    def test_one_child_at_the_known_address_is_enough(self) -> None:
        assert choose([Place(at(HERE, role=CHILD), "anne")], FAMILY, RULES).household == "home"

    def test_a_parent_with_strangers_at_another_address_is_a_new_household(self) -> None:
        """Families split: who was known elsewhere does not take the old family's file along."""
        report = [Place(at(THERE), "jan"), Place(at(THERE)), Place(at(THERE, role=CHILD))]
        chosen = choose(report, FAMILY, RULES)
        assert chosen.household is None
        assert chosen.weight <= 0
        assert chosen.reasons[0] == NEW_HOUSEHOLD
        assert "4 leden staan niet in de melding" in chosen.reasons

    def test_the_household_seen_last_wins(self) -> None:
        both = {"jan": lived(("old", OLD, HERE), ("new", NEW, HERE))}
        assert choose([Place(Features(), "jan")], both, RULES).household == "new"

    def test_the_address_of_the_report_decides_between_two_homes_of_a_child(self) -> None:
        known = {
            "child": lived(("mother's", OLD, HERE), ("father's", NEW, THERE)),
            "mother": lived(("mother's", OLD, HERE)),
            "father": lived(("father's", NEW, THERE)),
        }
        for address, home in ((HERE, "mother's"), (THERE, "father's")):
            chosen = choose([Place(at(address, role=CHILD), "child")], known, RULES)
            assert chosen.household == home
            assert "Het adres van de melding hoort bij dit huishouden" in chosen.reasons

    def test_an_unknown_person_who_shares_name_and_address_points_to_a_household(self) -> None:
        chosen = choose([Place(at(HERE), None, "home")], FAMILY, RULES)
        assert "1 onbekende persoon heeft dezelfde achternaam met adres of telefoonnummer" in chosen.reasons
        with_member = choose([Place(at(HERE), None, "home"), Place(at(HERE), "jan")], FAMILY, RULES)
        assert with_member.household == "home"
        assert with_member.weight > chosen.weight

    def test_who_grew_out_of_the_family_long_ago_is_not_missed(self) -> None:
        """A child not seen for three years before the last report is not missing in this one."""
        recent = {"jan": lived(("home", NEW, HERE)), "sem": lived(("home", NEW - RECENT, HERE))}
        long_ago = {"jan": lived(("home", NEW, HERE)), "sem": lived(("home", NEW - RECENT - 1, HERE))}
        weights = [choose([Place(at(HERE), "jan")], known, RULES).weight for known in (recent, long_ago)]
        assert weights[0] < weights[1]

    def test_who_lives_in_a_newer_household_is_not_missed_in_the_old_one(self) -> None:
        stayed = {"jan": lived(("home", OLD, HERE)), "mia": lived(("home", OLD, HERE))}
        left = {"jan": lived(("home", OLD, HERE)), "mia": lived(("home", OLD, HERE), ("newer", NEW, THERE))}
        missing = "1 lid van dit huishouden staat niet in de melding"
        assert missing in choose([Place(at(HERE), "jan")], stayed, RULES).reasons
        assert missing not in choose([Place(at(HERE), "jan")], left, RULES).reasons

    @given(st.permutations(sorted(FAMILY)), st.permutations(sorted(FAMILY)), st.integers(1, 5))
    def test_the_order_of_people_is_of_no_meaning(self, known: list[str], said: list[str], number: int) -> None:
        candidates = {name: FAMILY[name] for name in known}
        found = choose([Place(at(HERE), name) for name in said[:number]], candidates, RULES)
        want = choose([Place(at(HERE), name) for name in sorted(said[:number])], FAMILY, RULES)
        assert found == want

    def test_two_households_that_fit_equally_well_give_one_answer(self) -> None:
        both = family("jan", home="a") | family("mia", home="b")
        found = {
            choose([Place(at(HERE), name) for name in order], dict(known), RULES).household
            for order in permutations(both)
            for known in permutations(both.items())
        }
        assert len(found) == 1


class TestWhoLivesElsewhere:
    def test_everybody_at_one_address_lives_there(self) -> None:
        places = [Place(at(HERE)), Place(at(HERE))]
        assert split(places, RULES) == (places, [])

    def test_a_missing_addition_is_no_other_address(self) -> None:
        places = [Place(at(HERE)), Place(at(HERE._replace(addition="a")))]
        assert split(places, RULES) == (places, [])

    def test_the_report_is_about_the_address_of_most(self) -> None:
        mother, child, father = Place(at(HERE)), Place(at(HERE, role=CHILD)), Place(at(THERE))
        for report in permutations([mother, child, father]):
            here, apart = split(report, RULES)
            assert father not in here
            assert apart == [father]

    def test_without_an_address_among_others_who_have_one_he_lives_elsewhere(self) -> None:
        mother, child, nowhere = Place(at(HERE)), Place(at(HERE, role=CHILD)), Place(at())
        assert split([nowhere, mother, child], RULES) == ([mother, child], [nowhere])

    def test_grandparents_do_not_decide_where_the_family_lives(self) -> None:
        """Two relatives on another address weigh less than one parent."""
        mother = Place(at(HERE))
        relatives = [Place(at(THERE, role=PERIPHERAL)), Place(at(THERE, role=PERIPHERAL))]
        assert split([*relatives, mother], RULES) == ([mother], relatives)

    def test_who_lives_elsewhere_is_told_by_his_place_in_the_report(self) -> None:
        report = [None, Place(at(THERE), "jan"), Place(at(HERE), "mia"), None, Place(at(HERE, role=CHILD), "anne")]
        assert choose(report, FAMILY, RULES).elsewhere == frozenset({1})

    def test_a_parent_who_lives_elsewhere_speaks_against_the_old_household(self) -> None:
        together = choose([Place(at(HERE), "mia"), Place(at(HERE), "jan")], FAMILY, RULES)
        apart = choose([Place(at(HERE), "mia"), Place(at(HERE), "anne"), Place(at(THERE), "jan")], FAMILY, RULES)
        assert apart.weight < together.weight
        assert "1 lid van dit huishouden woont volgens de melding ergens anders" in apart.reasons


def reasons(report: Sequence[Place], known: dict[str, Profile] = FAMILY) -> tuple[str, ...]:
    return choose(report, known, RULES).reasons


BESIDE = {"known", "most_missing", "alone_elsewhere", "nobody_recognised"}
"""Signs that only lend weight to others, and are not said by themselves."""


class TestInWords:
    @pytest.mark.parametrize("sign", sorted(set(get_args(HouseholdSign)) - BESIDE))
    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_every_sign_that_can_be_shown_has_a_text(self, sign: HouseholdSign, count: int) -> None:
        (text,) = household._words({sign: count})
        assert text[0].isupper() or text[0].isdigit()
        assert "{" not in text
        if text[0].isdigit():
            assert text.startswith(f"{count} ")

    def test_the_others_are_never_shown(self) -> None:
        shown = [sign for sign in get_args(HouseholdSign) if sign in BESIDE]
        assert household._words(dict.fromkeys(shown, 1)) == ()

    def test_the_number_that_is_told_is_the_real_number(self) -> None:
        """For the weight the fifth child says nothing new; the text must be true all the same."""
        many = family(*"abcdefgh")
        report = [Place(at(HERE), name) for name in many]
        assert choose(report, many, RULES).weight == choose(report[:4], family(*"abcd"), RULES).weight
        assert "8 leden van dit huishouden herkend" in reasons(report, many)

    def test_somebody_who_used_to_live_there_is_said(self) -> None:
        known = FAMILY | {"piet": lived(("home", OLD, HERE), ("newer", NEW, THERE))}
        report = [Place(at(HERE), "piet"), *(Place(at(HERE), name) for name in FAMILY)]
        assert "1 persoon woonde eerder in dit huishouden" in reasons(report, known)

    def test_a_stranger_in_the_house_is_said(self) -> None:
        assert "1 persoon is niet bekend in dit huishouden" in reasons([Place(at(HERE), "jan"), Place(at(HERE))])

    def test_no_reason_holds_a_name_an_address_or_an_id(self) -> None:
        report = [Place(at(HERE), "jan"), Place(at(THERE), "mia"), Place(at(HERE))]
        for text in reasons(report):
            assert not any(word in text.lower() for word in ("jan", "mia", "voorbeeldlaan", "1234ab", "home"))


def test_a_home_is_what_the_profile_stored() -> None:
    assert lived(("home", OLD, HERE)).homes == [Home("home", 1, OLD, (HERE,))]
