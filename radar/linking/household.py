"""The second look: which household is this report about?

Who is recognised, who is missing, who lives elsewhere and what address is given are weighed for each household that
somebody in the report belongs to, against the chance that it is a household we do not know yet: families split,
move and re-form (domain.md 13). Shelters and institutions were left out before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from radar.linking.compare import AT_HOME, address_level
from radar.linking.normalise import AddressKey, Features
from radar.linking.profile import Id, Profiles
from radar.linking.rules import HouseholdSign, Rules

RECENT = 3 * 365
"""Days: whoever was not seen in a household for longer before its last report is not missed in a new one."""
_MOST = 4
"""A sign counts at most this many times: the fifth child says nothing new."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of one mention: what it says, whose it is (None is nobody we know), where it lives.

    `shares_with`: a household that this unknown person shares surname and address or phone with.
    """

    features: Features
    person: Id | None = None
    shares_with: Id | None = None


@dataclass(frozen=True, slots=True)
class HouseholdDecision:
    """The household of a report; None is a new one. `reasons`: plain Dutch, no names. `weight`: bits against new.

    `elsewhere`: the positions of the mentions that live elsewhere, by what the report says.
    """

    household: Id | None
    weight: float = 0.0
    reasons: tuple[str, ...] = ()
    elsewhere: frozenset[int] = frozenset()


def choose(report: Sequence[Place | None], candidates: Profiles, rules: Rules) -> HouseholdDecision:
    """The household that the signs speak for most; None when they speak for one that we do not know yet.

    `report`: one place per mention; None for who is outside the family (reporter, professional).
    """
    places = [place for place in report if place]
    here, apart = split(places, rules)
    weights = {}
    counted = {}
    for home in _mentioned(places, candidates):
        counted[home] = signs(home, here, apart, candidates, rules)
        weights[home] = sum(rules.household[sign] * min(count, _MOST) for sign, count in counted[home].items())
    elsewhere = frozenset(number for number, place in enumerate(report) if any(place is one for one in apart))
    if not weights:
        return HouseholdDecision(None, 0.0, ("Niemand uit deze melding is bekend in een huishouden",), elsewhere)
    best = max(weights, key=lambda one: (round(weights[one], 6), one))
    if weights[best] <= 0:
        text = "Een nieuw huishouden: wie bekend is, woonde eerder in een ander huishouden"
        return HouseholdDecision(None, weights[best], (text, *_words(counted[best])), elsewhere)
    return HouseholdDecision(best, weights[best], _words(counted[best]), elsewhere)


def split(places: Sequence[Place], rules: Rules) -> tuple[list[Place], list[Place]]:
    """Who the report is about, and who it says lives elsewhere: at another address, or without one among others."""
    groups: dict[frozenset[AddressKey], list[Place]] = {}
    for place in places:
        groups.setdefault(_group(place.features.addresses, groups), []).append(place)
    if len(groups) < 2:
        return list(places), []

    def size(address: frozenset[AddressKey]) -> tuple[int, int, bool]:
        central = sum(place.features.role not in rules.peripheral_roles for place in groups[address])
        return central, len(groups[address]), bool(address)

    main = max(groups, key=size)
    return groups[main], [place for address, group in groups.items() if address != main for place in group]


def _group(addresses: Sequence[AddressKey], groups: Collection[frozenset[AddressKey]]) -> frozenset[AddressKey]:
    for known in groups:
        if known and addresses and address_level(addresses, known) in AT_HOME:
            return known
    return frozenset(addresses)


def _mentioned(places: Sequence[Place], candidates: Profiles) -> list[Id]:
    found = dict.fromkeys(home for place in places if place.person for home in candidates[place.person].households)
    found |= dict.fromkeys(place.shares_with for place in places if place.shares_with)
    return list(found)


def signs(
    home: Id, here: Sequence[Place], apart: Sequence[Place], candidates: Profiles, rules: Rules
) -> dict[HouseholdSign, int]:
    """How often each sign for or against one household is there."""
    members = {
        person: own
        for person, profile in candidates.items()
        if (own := next((one for one in profile.homes if one.household == home), None))
    }
    last = max((own.last for own in members.values()), default=0)
    newest = {person: max(one.last for one in candidates[person].homes) for person in members}
    known_here = [place.person for place in here if place.person in members]
    known_apart = [place.person for place in apart if place.person in members]
    theirs = {address for own in members.values() for address in own.addresses}
    # A child may belong to two households, and an old address of this household is no other one: both say nothing.
    adults_apart = [
        place.person
        for place in apart
        if place.person in members
        and place.features.role not in rules.child_roles
        and address_level(place.features.addresses, theirs) not in AT_HOME
    ]
    missing = [
        person
        for person, own in members.items()
        if person not in known_here
        and person not in known_apart
        and last - own.last <= RECENT
        and own.last == newest[person]
    ]
    sharing = [place for place in here if place.person is None and place.shares_with == home]
    strangers = len(here) - len(known_here) - len(sharing)
    mine = {address for place in here for address in place.features.addresses}
    at = address_level(mine, theirs) if mine and theirs else ""
    found: Counter[HouseholdSign] = Counter()
    found["known"] = 1
    found["nobody_recognised"] = int(not known_here)
    found["member"] = sum(members[person].last == newest[person] for person in known_here if person)
    found["former_member"] = len(known_here) - found["member"]
    found["lives_elsewhere"] = sum(members[person].last == newest[person] for person in adults_apart if person)
    found["missing"] = len(missing)
    found["most_missing"] = int(len(missing) > len(known_here))
    found["shares"] = len(sharing)
    found["stranger"] = strangers
    found["same_address"] = int(at in AT_HOME)
    found["other_address"] = int(at in ("near", "different"))
    found["alone_elsewhere"] = int(bool(missing) and found["other_address"] and len(known_here) == 1)
    return {sign: count for sign, count in found.items() if count}


_TEXTS: dict[HouseholdSign, tuple[str, str]] = {
    "member": ("1 lid van dit huishouden herkend", "{} leden van dit huishouden herkend"),
    "former_member": ("1 persoon woonde eerder in dit huishouden", "{} personen woonden eerder in dit huishouden"),
    "lives_elsewhere": (
        "1 lid van dit huishouden woont volgens de melding ergens anders",
        "{} leden van dit huishouden wonen volgens de melding ergens anders",
    ),
    "missing": ("1 lid van dit huishouden staat niet in de melding", "{} leden staan niet in de melding"),
    "shares": (
        "1 onbekende persoon heeft dezelfde achternaam met adres of telefoonnummer",
        "{} onbekende personen hebben dezelfde achternaam met adres of telefoonnummer",
    ),
    "stranger": ("1 persoon is niet bekend in dit huishouden", "{} personen zijn niet bekend in dit huishouden"),
    "same_address": ("Het adres van de melding hoort bij dit huishouden",) * 2,
    "other_address": ("Het adres van de melding is nieuw voor dit huishouden",) * 2,
}


def _words(counted: Mapping[HouseholdSign, int]) -> tuple[str, ...]:
    return tuple(_TEXTS[sign][count > 1].format(count) for sign, count in counted.items() if sign in _TEXTS)
