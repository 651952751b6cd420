"""The second look: which household is this report about?

Each person that was recognised votes for the households he belongs to: more when he was seen there last, and more
when the report gives an address where he was seen as a member. Shelters and institutions were left out before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from radar.linking.compare import address_level
from radar.linking.normalise import AddressKey

STALE = 0.5
"""The vote for a household in which somebody was not seen last."""
ADDRESS_VOTE = 0.6
SHARED_VOTE = 0.4
"""The vote of a mention that is nobody known, but shares surname and address or phone with this household."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Once that somebody was a member of a household, with the addresses given then."""

    household: UUID
    on: date
    addresses: tuple[AddressKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Vote:
    """One mention of the report: the addresses it gives, and where its person was seen before."""

    chance: float
    addresses: tuple[AddressKey, ...] = ()
    seen: tuple[Seen, ...] = ()
    shares_with: UUID | None = None


@dataclass(frozen=True, slots=True)
class HouseholdDecision:
    """The household of a report; None is a new one. `reasons`: plain Dutch, no names."""

    household: UUID | None
    weight: float = 0.0
    reasons: tuple[str, ...] = ()


def choose(votes: Sequence[Vote]) -> HouseholdDecision:
    """The household with the most votes; the one seen last when two are equal."""
    weights: dict[UUID, float] = {}
    persons: dict[UUID, int] = {}
    at_address: set[UUID] = set()
    last: dict[UUID, date] = {}
    for vote in votes:
        own: dict[UUID, float] = {}
        newest = max((seen.on for seen in vote.seen), default=None)
        for seen in vote.seen:
            last[seen.household] = max(last.get(seen.household, seen.on), seen.on)
            weight = 1.0 if seen.on == newest else STALE
            if vote.addresses and address_level(vote.addresses, seen.addresses) != "different":
                weight += ADDRESS_VOTE
                at_address.add(seen.household)
            own[seen.household] = max(own.get(seen.household, 0.0), weight * vote.chance)
        if vote.shares_with is not None and not own:
            own[vote.shares_with] = SHARED_VOTE
        for household, weight in own.items():
            weights[household] = weights.get(household, 0.0) + weight
            persons[household] = persons.get(household, 0) + bool(vote.seen)
    if not weights:
        return HouseholdDecision(None, 0.0, ("Niemand uit deze melding is bekend in een huishouden",))
    best = max(weights, key=lambda one: (round(weights[one], 6), last.get(one, date.min), one))
    count = persons[best]
    reasons = [f"{count} {'persoon' if count == 1 else 'personen'} uit dit huishouden herkend"] if count else []
    if best in at_address:
        reasons.append("Het adres van de melding hoort bij dit huishouden")
    if not count:
        reasons.append("Achternaam met adres of telefoonnummer hoort bij dit huishouden")
    return HouseholdDecision(best, weights[best], tuple(reasons))
