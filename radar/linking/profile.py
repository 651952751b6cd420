"""What the register knows of one person: everything that was ever said of him, once.

A profile is derived from the mentions that are linked to a person, and can always be derived again. Reading one row
per candidate instead of all his mentions is what makes linking quick among millions.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    """All that was said of a person. `given`: first names and initials as they came together."""

    given: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    surnames: list[str] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    sexes: list[str] = field(default_factory=list)
    generations: list[str] = field(default_factory=list)
    bsns: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    addresses: list[AddressKey] = field(default_factory=list)
    homes: list[Home] = field(default_factory=list)

    def add(self, said: Features) -> None:
        """One more mention of this person."""
        if said.initials:
            _add(self.given, (said.first_names, said.initials))
        for surname in said.surnames:
            _add(self.surnames, surname)
        if said.birth[0]:
            _add(self.births, said.birth)
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
            self.addresses,
            homes,
        )
        return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Profile:
        given, surnames, births, sexes, generations, bsns, phones, addresses, homes = json.loads(text)
        places = [AddressKey(*one) for one in addresses]
        return cls(
            [(tuple(names), initials) for names, initials in given],
            surnames,
            [(year, month, day) for year, month, day in births],
            sexes,
            generations,
            bsns,
            phones,
            places,
            [Home(one, reports, last, tuple([places[n] for n in where])) for one, reports, last, where in homes],
        )


def _add(known: list[Any], value: Any) -> None:
    """Each once and in order, at most MAX_VARIANTS: the same whatever the order of arrival."""
    place = bisect_left(known, value)
    if place < MAX_VARIANTS and (place == len(known) or known[place] != value):
        known.insert(place, value)
        del known[MAX_VARIANTS:]


Profiles = Mapping[Id, Profile]
