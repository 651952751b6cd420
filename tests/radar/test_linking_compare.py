"""What one field says, what the fields say together, and how it is told: neutral, monotone, in plain Dutch."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar.linking import explain, rules
from radar.linking.compare import Evidence, FieldEvidence, compare, plus_company
from radar.linking.decide import FAR, Decision, Outcome, compare_all, decide_on
from radar.linking.normalise import AddressKey, Features
from radar.linking.profile import Profile
from radar.linking.rules import LEVELS, FieldName
from tests.radar.test_linking_engine import PEOPLE

RULES = rules.load()
HOME = AddressKey("1234AB", "12", "", "voorbeeldlaan", "testdam")
MIA = Features(("mia",), "m", ("testers",), birth=(1982, 7, 11), sex="V", bsn="bsn of mia")
ANNE = Features(("anne",), "a", ("voorbeeld",), birth=(2015, 6, 2), sex="V", bsn="bsn of anne")
FATIMA = Features(("fatima",), "f", ("karabulut",), birth=(1985, 3, 4))
FIELDS: dict[str, FieldName] = {
    "phones": "phone", "addresses": "address", "surnames": "surname", "birth": "birth", "sex": "sex", "bsn": "bsn",
}  # fmt: skip


def known(*mentions: Features) -> Profile:
    profile = Profile()
    for said in mentions:
        profile.add(said)
    return profile


def levels(evidence: Evidence) -> dict[str, str]:
    return {one.field: one.level for one in evidence.fields}


class TestMissingIsNeutral:
    @given(PEOPLE, PEOPLE, st.sampled_from(sorted(FIELDS)))
    def test_a_field_that_one_side_lacks_gives_no_evidence(self, one: Features, other: Features, name: str) -> None:
        default = next(field.default for field in fields(Features) if field.name == name)
        lost = {name: default}
        for evidence in (
            compare(replace(one, **lost), known(other), RULES),  # type: ignore[arg-type]
            compare(one, known(replace(other, **lost)), RULES),  # type: ignore[arg-type]
        ):
            assert FIELDS[name] not in levels(evidence)

    @given(PEOPLE)
    def test_nothing_known_is_no_evidence_at_all(self, one: Features) -> None:
        assert compare(Features(), known(one), RULES) == Evidence()
        assert compare(one, Profile(), RULES) == Evidence()

    @given(PEOPLE, PEOPLE)
    def test_an_empty_mention_of_the_candidate_changes_nothing(self, one: Features, other: Features) -> None:
        assert compare(one, known(other, Features()), RULES) == compare(one, known(other), RULES)

    @given(PEOPLE)
    def test_a_phone_number_that_is_not_known_says_nothing(self, one: Features) -> None:
        """People have many numbers; only an equal one is evidence."""
        mine, other = replace(one, phones=("+31612345678",)), replace(one, phones=("+31687654321",))
        assert "phone" not in levels(compare(mine, known(other), RULES))


class TestWhatFieldsSay:
    def test_a_rarer_surname_weighs_more(self) -> None:
        rare, common = (Features(surnames=(name,)) for name in ("voorbeeldstra", "jong"))
        found = [compare(one, known(one), RULES).stranger for one in (rare, common)]
        assert found[0] > found[1] + 2

    def test_what_a_household_shares_says_less_of_which_housemate_it_is(self) -> None:
        one = Features(surnames=("voorbeeldstra",), phones=("+31612345678",), addresses=(HOME,))
        found = compare(one, known(one), RULES)
        assert {field.field for field in found.fields} == {"surname", "phone", "address"}
        assert all(field.housemate < field.stranger for field in found.fields)

    def test_surname_alone_is_nothing_shared_however_rare(self) -> None:
        one = Features(("jo",), "j", ("voorbeeldstra",), addresses=(HOME,))
        elsewhere = replace(one, addresses=(AddressKey("9876ZX", "80"),))
        assert compare(one, known(elsewhere), RULES).shared == 0
        assert compare(one, known(one), RULES).shared > 0

    @given(PEOPLE, PEOPLE)
    def test_the_whole_is_the_sum_of_its_fields(self, one: Features, other: Features) -> None:
        found = compare(one, known(other), RULES)
        assert found.stranger == pytest.approx(sum(field.stranger for field in found.fields))
        assert found.housemate == pytest.approx(sum(field.housemate for field in found.fields))
        assert len(levels(found)) == len(found.fields)

    @given(PEOPLE, st.lists(PEOPLE, min_size=1, max_size=4))
    def test_birth_is_compared_with_the_best_of_what_is_known(self, one: Features, others: list[Features]) -> None:
        """A slip in one report does not spoil what another said well."""

        def weight(profile: Profile) -> float:
            return next(
                (field.stranger for field in compare(one, profile, RULES).fields if field.field == "birth"), FAR
            )

        assert weight(known(*others)) == max(weight(known(other)) for other in others)

    @pytest.mark.parametrize(
        ("other", "level"),
        [
            (HOME, "door"),
            (HOME._replace(addition="a"), "house"),
            (HOME._replace(postcode=""), "door"),
            (HOME._replace(number="14"), "near"),
            (AddressKey("9876ZX", "12", "", "anderelaan", "testdam"), "different"),
        ],
    )
    def test_an_address_is_compared_as_far_as_both_know_it(self, other: AddressKey, level: str) -> None:
        one, there = Features(addresses=(HOME,)), Features(addresses=(other,))
        assert levels(compare(one, known(there), RULES)) == {"address": level}
        assert levels(compare(there, known(one), RULES)) == {"address": level}

    def test_another_addition_is_another_door(self) -> None:
        one, there = (Features(addresses=(HOME._replace(addition=letter),)) for letter in "ab")
        assert levels(compare(one, known(there), RULES)) == {"address": "near"}


class TestSwappedNames:
    SWAPPED = replace(FATIMA, first_names=("karabulut",), initials="k", surnames=("fatima",))

    def test_first_name_and_surname_in_each_other_s_field_are_the_same_names(self) -> None:
        found = levels(compare(self.SWAPPED, known(FATIMA), RULES))
        assert (found["first_name"], found["surname"], found["order"]) == ("same", "same", "swapped")

    def test_they_weigh_less_than_names_in_their_own_field(self) -> None:
        straight, swapped = (compare(one, known(FATIMA), RULES) for one in (FATIMA, self.SWAPPED))
        assert swapped.stranger < straight.stranger

    def test_they_weigh_more_than_other_names(self) -> None:
        other = replace(FATIMA, first_names=("olena",), initials="o", surnames=("testers",))
        swapped, different = (compare(one, known(FATIMA), RULES) for one in (self.SWAPPED, other))
        assert swapped.stranger > different.stranger

    @given(PEOPLE)
    def test_names_that_fit_as_they_stand_are_not_turned(self, one: Features) -> None:
        assert "order" not in levels(compare(one, known(one), RULES))

    def test_it_is_told(self) -> None:
        found = explain.reasons(
            Decision("same_person", "automatic", evidence=compare(self.SWAPPED, known(FATIMA), RULES))
        )
        assert "Voornaam en achternaam staan in elkaars vak" in [one["text"] for one in found]


somebodies = st.sampled_from(["one", "several"])
nobodies = st.sampled_from(["", "nobody_of_one", "nobody_of_several"])
chances = st.floats(0.0, 1.0)


class TestCompany:
    """Whether others of his household are in the report is seldom certain: a mixture, without a cliff."""

    @given(PEOPLE, PEOPLE, somebodies, nobodies, chances, chances)
    def test_likelier_company_never_weighs_less(
        self, one: Features, other: Features, somebody: str, nobody: str, chance: float, second: float
    ) -> None:
        evidence = compare(one, known(other), RULES)
        low, high = (
            plus_company(evidence, somebody, nobody, value, RULES).stranger for value in sorted((chance, second))
        )
        assert low <= high + 1e-9

    @given(somebodies, nobodies, chances)
    def test_it_lies_between_certain_and_nobody(self, somebody: str, nobody: str, chance: float) -> None:
        bounds = [plus_company(Evidence(), somebody, nobody, value, RULES).stranger for value in (0.0, 1.0)]
        assert (
            bounds[0] - 1e-9 <= plus_company(Evidence(), somebody, nobody, chance, RULES).stranger <= bounds[1] + 1e-9
        )

    @given(somebodies, nobodies, st.floats(0.1, 0.99))
    def test_a_little_more_chance_is_a_little_more_weight(self, somebody: str, nobody: str, chance: float) -> None:
        """No cliff at a half, or anywhere: a hundredth of chance never decides."""
        one, other = (plus_company(Evidence(), somebody, nobody, value, RULES) for value in (chance, chance + 0.01))
        assert abs(one.stranger - other.stranger) < 0.2
        assert abs(one.housemate - other.housemate) < 0.2

    def test_nobody_of_a_household_of_one_is_missed(self) -> None:
        evidence = compare(ANNE, known(ANNE), RULES)
        assert plus_company(evidence, "one", "", 0.0, RULES) == evidence

    @pytest.mark.parametrize(
        ("somebody", "nobody", "chance", "level"),
        [
            ("one", "nobody_of_one", 1.0, "one"),
            ("several", "nobody_of_several", 1.0, "several"),
            ("one", "nobody_of_one", 0.0, "nobody_of_one"),
            ("several", "nobody_of_several", 0.0, "nobody_of_several"),
        ],
    )
    def test_the_level_says_which_it_was(self, somebody: str, nobody: str, chance: float, level: str) -> None:
        weight = RULES.weights["company"][level]
        (found,) = plus_company(Evidence(), somebody, nobody, chance, RULES).fields
        assert (found.field, found.level) == ("company", level)
        assert found.stranger == pytest.approx(weight.stranger)
        assert found.housemate == pytest.approx(weight.housemate)


class TestABsnOfSomebodyElse:
    """The mother's BSN on the child: a mistake that says nothing of anybody."""

    REGISTER = {"mia": known(MIA), "anne": known(ANNE)}  # noqa: RUF012 (read only)

    def evidence(self, said: Features) -> dict[str, Evidence]:
        (found,) = compare_all([said], self.REGISTER, [self.REGISTER.keys()], RULES)
        return found

    def test_it_does_not_speak_against_who_is_meant(self) -> None:
        mistaken = replace(ANNE, bsn=MIA.bsn)
        assert compare(mistaken, self.REGISTER["anne"], RULES).level("bsn") == "different"
        assert self.evidence(mistaken)["anne"] == compare(replace(ANNE, bsn=""), self.REGISTER["anne"], RULES)

    def test_who_has_the_number_is_never_linked_by_the_machine(self) -> None:
        said = [replace(ANNE, bsn=MIA.bsn)]
        evidence = compare_all(said, self.REGISTER, [self.REGISTER.keys()], RULES)
        (decision,) = decide_on(said, evidence, self.REGISTER, RULES, 1)
        assert not (decision.person == "mia" and decision.state == "automatic")

    def test_a_number_that_fits_speaks_against_everybody_else(self) -> None:
        assert self.evidence(ANNE)["mia"].level("bsn") == "different"
        assert self.evidence(ANNE)["anne"].level("bsn") == "same"

    def test_one_slip_in_name_or_date_does_not_make_it_somebody_else_s(self) -> None:
        for slipped in (replace(ANNE, first_names=("olena",), initials="o"), replace(ANNE, birth=(1990, 1, 9))):
            assert not self.evidence(slipped)["anne"].contradicts
            assert self.evidence(slipped)["mia"].level("bsn") == "different"


class TestInWords:
    @pytest.mark.parametrize(
        ("field", "level"), [(field, level) for field in LEVELS for level in sorted(LEVELS[field])]
    )
    def test_every_level_of_every_field_has_a_sentence(self, field: FieldName, level: str) -> None:
        for bits in (None, 1.0, 11.0, 16.0):
            text = explain.sentence(FieldEvidence(field, level, 1.0, 1.0, "voorbeeld", bits))
            assert text[0].isupper()
            assert "{" not in text

    def test_no_two_levels_of_a_field_read_the_same(self) -> None:
        for field, all_levels in LEVELS.items():
            texts = {explain.sentence(FieldEvidence(field, level, 1.0, 1.0, "x")) for level in all_levels}
            assert len(texts) == len(all_levels)

    @pytest.mark.parametrize("bits", [("voorbeeldstra", " (komt weinig voor)"), ("jong", " (komt veel voor)")])
    def test_how_common_a_surname_is_is_said(self, bits: tuple[str, str]) -> None:
        name, told = bits
        one = Features(surnames=(name,))
        found = explain.reasons(Decision("same_person", "automatic", evidence=compare(one, known(one), RULES)))
        assert found[0]["text"] == f"Achternaam gelijk: '{name.title()}'{told}"
        assert found[0].keys() == {"field", "level", "weight", "text"}

    @pytest.mark.parametrize("outcome", sorted(set(get_args(Outcome)) - {"same_person"}))
    def test_every_outcome_but_a_link_is_said(self, outcome: Outcome) -> None:
        (found,) = explain.reasons(Decision(outcome, "new"))
        assert (found["field"], found["level"]) == ("decision", outcome)

    @pytest.mark.parametrize("why", ["contradiction", "not_sure", "runner_up", "names_only"])
    def test_every_reason_to_ask_is_said(self, why: str) -> None:
        (found,) = explain.reasons(Decision("same_person", "proposed", "anne", why_proposed=why))
        assert "medewerker" in found["text"]

    @given(PEOPLE, PEOPLE)
    def test_the_strongest_comes_first_and_no_number_of_a_person_is_shown(
        self, one: Features, other: Features
    ) -> None:
        secret = replace(one, bsn="f00dfeed", phones=("+31687654321",))
        both = replace(other, bsn="f00dfeed", phones=("+31687654321",))
        found = explain.reasons(Decision("same_person", "automatic", evidence=compare(secret, known(both), RULES)))
        weights = [abs(reason["weight"]) for reason in found]
        assert weights == sorted(weights, reverse=True)
        assert {"bsn", "phone"} <= {reason["field"] for reason in found}
        assert not any(number in reason["text"] for reason in found for number in ("f00dfeed", "87654321"))
