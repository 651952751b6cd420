"""What the register knows of one person: everything that was ever said of him, once.

A profile is derived from the mentions that are linked to a person, and can always be derived again. Reading one row
per candidate instead of all his mentions is what makes linking quick among millions.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from radar.linking.normalise import AddressKey, Features

Id = str
"""A person or a household: the text of its UUID."""
Birth = tuple[int, int, int]

MAX_VARIANTS = 24
"""Of each field at most this many spellings are kept: nobody can make a profile slow to read."""


class Home(NamedTuple):
    """A household that somebody belongs or belonged to: in how many reports, and when last (day number)."""

    household: Id
    reports: int
    last: int
    addresses: tuple[AddressKey, ...]


@dataclass(slots=True)
class Profile:
    """All that was said of a person, each spelling once.

    `given`: first names (one text, spaces between) and initials, as they came together. `births`: JJJJMMDD as a
    number, 00 is unknown.
    """

    given: list[tuple[str, str]] = field(default_factory=list)
    surnames: list[str] = field(default_factory=list)
    births: list[int] = field(default_factory=list)
    sexes: list[str] = field(default_factory=list)
    generations: list[str] = field(default_factory=list)
    bsns: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    addresses: list[AddressKey] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)

    def add(self, said: Features) -> None:
        """One more mention of this person."""
        if said.initials:
            _add(self.given, (" ".join(said.first_names), said.initials))
        for surname in said.surnames:
            _add(self.surnames, surname)
        if said.birth[0]:
            _add(self.births, number_of(said.birth))
        if said.sex:
            _add(self.sexes, said.sex)
        if said.generation:
            _add(self.generations, said.generation)
        if said.bsn:
            _add(self.bsns, said.bsn)
        for phone in said.phones:
            _add(self.phones, phone)
        for address in said.addresses:
            _add(self.addresses, address)

    def seen(self, household: Id, day: int, addresses: Iterable[AddressKey]) -> None:
        """He was a member of this household in a report of this day (a day number), with these addresses."""
        known = next((home for home in self.homes if home.household == household), None)
        places = list(known.addresses) if known else []
        for address in addresses:
            _add(places, address)
        if known is None:
            _add(self.homes, Home(household, 1, day, tuple(places)))
        else:
            at = self.homes.index(known)
            self.homes[at] = Home(household, known.reports + 1, max(known.last, day), tuple(places))

    @property
    def households(self) -> list[Id]:
        return [home.household for home in self.homes]

    def to_json(self) -> str:
        """Text for person.profile: positions instead of names, since it is read for every candidate."""
        place = {address: number for number, address in enumerate(self.addresses)}
        homes = [
            (home.household, home.reports, home.last, [place[one] for one in home.addresses if one in place])
            for home in self.homes
        ]
        parts = (
            self.given,
            self.surnames,
            self.births,
            self.sexes,
            self.generations,
            self.bsns,
            self.phones,
            ["|".join(one) for one in self.addresses],
            homes,
        )
        return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Profile:
        given, surnames, births, sexes, generations, bsns, phones, addresses, homes = json.loads(text)
        places = [_address(one) for one in addresses]
        return cls(
            [(names, initials) for names, initials in given],
            surnames,
            births,
            sexes,
            generations,
            bsns,
            phones,
            places,
            [Home(one, reports, last, tuple([places[n] for n in where])) for one, reports, last, where in homes],
        )


def number_of(birth: Birth) -> int:
    """A date of birth as JJJJMMDD."""
    return birth[0] * 10_000 + birth[1] * 100 + birth[2]


def birth_of(number: int) -> Birth:
    """The reverse of `number_of`."""
    return number // 10_000, number // 100 % 100, number % 100


@lru_cache(100_000)
def _address(text: str) -> AddressKey:
    return AddressKey(*text.split("|"))


def _add(known: list[Any], value: Any) -> None:
    """Each once and in order, at most MAX_VARIANTS: the same whatever the order of arrival."""
    place = bisect_left(known, value)
    if place < MAX_VARIANTS and (place == len(known) or known[place] != value):
        known.insert(place, value)
        del known[MAX_VARIANTS:]


Profiles = Mapping[Id, Profile]
