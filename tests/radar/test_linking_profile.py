"""A profile is what the mentions of a person say together: in whatever order, once each, and never too much."""

from __future__ import annotations

from dataclasses import fields
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar.linking.normalise import AddressKey, Features
from radar.linking.profile import MAX_VARIANTS, Home, Profile
from tests.radar.test_linking_engine import PEOPLE

DAY = date(2026, 1, 1).toordinal()
MANY = 3 * MAX_VARIANTS

doors = st.integers(1, MANY).map(lambda number: AddressKey("1234AB", str(number), "", "laan", "testdam"))
variants = st.builds(
    Features,
    first_names=st.sampled_from([(), ("jo",), ("jo", "anne")]),
    initials=st.sampled_from(["", "j", "ja"]),
    surnames=st.lists(st.integers(1, MANY).map("naam{}".format), max_size=3).map(tuple),
    birth=st.sampled_from([(0, 0, 0), (1980, 0, 0), (1980, 3, 5)]),
    sex=st.sampled_from(["", "M", "V"]),
    generation=st.sampled_from(["", "junior"]),
    bsn=st.sampled_from(["", "aa", "bb"]),
    phones=st.lists(st.integers(1, MANY).map("+316{:08}".format), max_size=6).map(tuple),
    addresses=st.lists(doors, max_size=6, unique=True).map(tuple),
)
people = PEOPLE | variants
homes = st.none() | st.tuples(st.integers(1, MANY).map("home-{:03}".format), st.integers(0, 9))
mentions = st.lists(st.tuples(people, homes), max_size=60)

Said = tuple[Features, tuple[str, int] | None]


def add(profile: Profile, one: Said) -> None:
    """One mention as the register adds it: what it says, and the household it made him a member of."""
    said, home = one
    profile.add(said)
    if home:
        profile.seen(home[0], DAY + home[1], said.addresses)


def of(said: list[Said]) -> Profile:
    profile = Profile()
    for one in said:
        add(profile, one)
    return profile


class TestOrder:
    @given(mentions, st.data())
    def test_the_order_of_mentions_is_of_no_meaning(self, said: list[Said], data: st.DataObject) -> None:
        shuffled = data.draw(st.permutations(said))
        assert of(shuffled).to_json() == of(said).to_json()

    @given(mentions)
    def test_added_one_by_one_it_is_what_it_is_made_at_once(self, said: list[Said]) -> None:
        """Stored and read back between every two reports, as in the register."""
        profile = Profile()
        for one in said:
            add(profile, one)
            profile = Profile.from_json(profile.to_json())
        assert profile.to_json() == of(said).to_json()

    @given(people, st.integers(1, 5))
    def test_saying_it_again_adds_nothing(self, said: Features, times: int) -> None:
        assert of([(said, None)] * times) == of([(said, None)])

    @given(mentions)
    def test_a_mention_that_says_nothing_adds_nothing(self, said: list[Said]) -> None:
        assert of([*said, (Features(), None)]) == of(said)


class TestStored:
    @given(mentions)
    def test_a_profile_survives_the_database(self, said: list[Said]) -> None:
        stored = of(said).to_json()
        assert Profile.from_json(stored).to_json() == stored

    @given(st.lists(st.tuples(PEOPLE, homes), max_size=MAX_VARIANTS))
    def test_below_the_cap_nothing_is_lost(self, said: list[Said]) -> None:
        profile = of(said)
        assert Profile.from_json(profile.to_json()) == profile
        assert set(profile.bsns) == {one.bsn for one, _ in said} - {""}
        assert set(profile.addresses) == {address for one, _ in said for address in one.addresses}
        assert set(profile.households) == {home[0] for _, home in said if home}

    def test_nobody_yet_is_a_profile_too(self) -> None:
        assert Profile.from_json(Profile().to_json()) == Profile()


class TestBounds:
    def test_very_many_spellings_are_capped(self) -> None:
        profile = Profile()
        for number in range(5_000):
            address = AddressKey("1234AB", str(number))
            said = Features(
                (f"jo{number}",), "j", (f"naam{number}",), birth=(1900 + number, 2, 3), generation=str(number),
                bsn=str(number), phones=(f"+316{number:08}",), addresses=(address,),
            )  # fmt: skip
            profile.add(said)
            profile.seen(f"home-{number}", DAY, said.addresses)
        assert all(len(getattr(profile, field.name)) <= MAX_VARIANTS for field in fields(Profile))
        assert len(profile.to_json()) < 10_000

    def test_one_home_with_very_many_addresses_is_capped(self) -> None:
        profile = Profile()
        for number in range(500):
            said = Features(addresses=(AddressKey("1234AB", str(number)),))
            profile.add(said)
            profile.seen("home", DAY, said.addresses)
        assert len(profile.homes[0].addresses) <= MAX_VARIANTS
        assert profile.homes[0].reports == 500


class TestHomes:
    HERE, THERE = AddressKey("1234AB", "12"), AddressKey("9876ZX", "80")

    @pytest.mark.parametrize("days", [(3, 9), (9, 3)])
    def test_a_home_knows_how_often_and_when_last(self, days: tuple[int, int]) -> None:
        said = [
            (Features(addresses=(address,)), ("home", day))
            for address, day in zip((self.HERE, self.THERE), days, strict=True)
        ]
        assert of(list(said)).homes == [Home("home", 2, DAY + 9, (self.HERE, self.THERE))]

    def test_each_home_has_its_own_addresses(self) -> None:
        profile = of([(Features(addresses=(self.HERE,)), ("a", 0)), (Features(addresses=(self.THERE,)), ("b", 1))])
        again = Profile.from_json(profile.to_json())
        assert {home.household: home.addresses for home in again.homes} == {"a": (self.HERE,), "b": (self.THERE,)}

    def test_who_is_mentioned_without_being_a_member_has_no_home(self) -> None:
        assert of([(Features(addresses=(self.HERE,)), None)]).households == []
