"""From the mentions of one report to decisions: block, compare, decide, and the second look at the household.

Pure: the register is asked through `Register`, whether it stands in PostgreSQL (rows) or in memory (bulk).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from radar.linking import block, household
from radar.linking.decide import (
    Decision,
    bsn_of_somebody_else,
    compare_all,
    compares,
    decide_on,
    is_outside,
    likely_households,
)
from radar.linking.household import HouseholdDecision, Place
from radar.linking.normalise import Features
from radar.linking.profile import Id, Profile, Profiles
from radar.linking.rules import KeyKind, Rules


class Register(Protocol):
    """Where persons are looked up."""

    @property
    def region(self) -> bytes:
        """What the keys are hashed with."""

    @property
    def persons(self) -> int:
        """About how many persons there are."""

    def find(self, keys: Collection[int], limit: int) -> Mapping[int, Collection[Id]]:
        """Per key the persons that have it, at most `limit`."""

    def profiles(self, persons: Collection[Id]) -> Mapping[Id, Profile]:
        """What is known of these persons; whoever is not there any more is left out."""

    def members(self, households: Collection[Id], already: Collection[Id]) -> Mapping[Id, Profile]:
        """What is known of everybody who was ever in these households, without those known `already`."""


@dataclass(frozen=True, slots=True)
class Said:
    """One mention: what it says, its blocking keys, and the persons that a member of staff said it is not."""

    features: Features
    keys: Sequence[tuple[KeyKind, int]]
    rejected: frozenset[Id] = frozenset()

    @classmethod
    def of(cls, said: Features, rules: Rules, region: bytes, rejected: Iterable[Id] = ()) -> Said:
        return cls(said, block.by_kind(said, rules, region), frozenset(rejected))


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is decided on a report, and what it rests on."""

    decisions: list[Decision]
    household: HouseholdDecision
    candidates: Profiles
    hits: Mapping[int, Collection[Id]]

    @property
    def members(self) -> frozenset[int]:
        """The positions of the mentions that are of the household: of the family, and not living elsewhere."""
        family = {number for number, one in enumerate(self.decisions) if one.outcome != "outside"}
        return frozenset(family - self.household.elsewhere)


def resolve(report: Sequence[Said], register: Register, rules: Rules) -> Resolution:
    """Decide on all mentions of one report together."""
    limits, persons = rules.limits, register.persons
    keys = [block.chosen(one.keys, rules.search_keys) if compares(one.features) else [] for one in report]
    hits = register.find({key for own in keys for key in own}, limits.persons_per_key + 1)
    compared = [_without_institutions(one.features, hits, register.region, rules) for one in report]
    pairs = [_pairs(own, hits, one.rejected, rules) for own, one in zip(keys, report, strict=True)]
    candidates = dict(register.profiles({person for found in pairs for person in found}))
    # Whoever was moved to another person between the two queries is not there any more.
    pairs = [found & candidates.keys() for found in pairs]
    evidence = compare_all(compared, candidates, pairs, rules)
    compared = [
        replace(one, bsn="") if bsn_of_somebody_else(row) else one
        for one, row in zip(compared, evidence, strict=True)
    ]
    homes = likely_households(evidence, candidates, rules, persons)
    if homes:
        candidates |= register.members(homes, candidates.keys())
        members = {person for person, one in candidates.items() if not homes.isdisjoint(one.households)}
        rest = [members - found.keys() - one.rejected for found, one in zip(evidence, report, strict=True)]
        for found, new in zip(evidence, compare_all(compared, candidates, rest, rules), strict=True):
            found.update(new)
    decisions = decide_on(compared, evidence, candidates, rules, persons)
    home = household.choose(_places(decisions, compared), candidates, rules)
    return Resolution(decisions, home, candidates, hits)


def _without_institutions(one: Features, hits: Mapping[int, Collection[Id]], region: bytes, rules: Rules) -> Features:
    """Leave out the address or phone of very many people: a shelter, a school, a flat without additions."""
    limit = rules.limits.persons_per_door
    crowded = {value for value, key in block.crowd_keys(one, region) if len(hits.get(key, ())) > limit}
    if not crowded:
        return one
    return replace(
        one,
        addresses=tuple(address for address in one.addresses if address not in crowded),
        phones=tuple(phone for phone in one.phones if phone not in crowded),
    )


def _pairs(
    keys: Iterable[int], hits: Mapping[int, Collection[Id]], rejected: Collection[Id], rules: Rules
) -> set[Id]:
    """The candidates of one mention: those with the rarest keys first, up to the limit."""
    scores: dict[Id, float] = {}
    for key in keys:
        persons = hits.get(key, ())
        if len(persons) <= rules.limits.persons_per_key:
            for person in persons:
                scores[person] = scores.get(person, 0.0) + 1.0 / len(persons)
    if rejected:
        scores = {person: score for person, score in scores.items() if person not in rejected}
    if len(scores) <= rules.limits.candidates:
        return set(scores)
    ranked = sorted(scores, key=lambda person: (-scores[person], person))
    return set(ranked[: rules.limits.candidates])


def _places(decisions: Sequence[Decision], compared: Sequence[Features]) -> list[Place | None]:
    """Who is only proposed does not count: a report must not enter a family's file on a maybe."""
    return [
        None if is_outside(said) else Place(said, one.person if one.state == "automatic" else None, one.household)
        for one, said in zip(decisions, compared, strict=True)
    ]
