"""Compare one mention with what the register knows of one person: agreement per field, in bits of evidence.

Missing is neutral: a field that one of both lacks gives no evidence at all, neither for nor against.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import lru_cache
from math import log2
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from radar.linking.normalise import AddressKey, Features, bare, blind, blind_phone, is_blind, sound
from radar.linking.profile import Birth, Profile, birth_of, number_of
from radar.linking.rules import FieldName, Rules, Weight

_PAIRS = 500_000
"""Pairs of names of which the outcome is remembered: the same families come back all day."""


class FieldEvidence(NamedTuple):
    """How one field agrees. Weights in bits, against a stranger and against a housemate; `value`: what agreed."""

    field: FieldName
    level: str
    stranger: float
    housemate: float
    value: str = ""
    rarity: float | None = None


class Evidence(NamedTuple):
    """The fields that both sides have, and what they say together.

    `shared`: bits that surname, phone and address give together; nothing for a surname alone, however rare.
    """

    fields: tuple[FieldEvidence, ...] = ()
    stranger: float = 0.0
    housemate: float = 0.0
    shared: float = 0.0

    def level(self, field: FieldName) -> str | None:
        for one in self.fields:
            if one.field == field:
                return one.level
        return None

    @property
    def more_than_names(self) -> bool:
        """Something beside name and sex speaks for it: BSN, birth date, phone or address."""
        return any(one.field in ("bsn", "birth", "phone", "address") and one.stranger > 0 for one in self.fields)

    @property
    def only_an_initial(self) -> bool:
        """Only a letter of his own agrees, no BSN and no date of birth: a brother may have that letter too."""
        own = {one.field: one.level for one in self.fields if one.field in _PERSONAL and one.level != "different"}
        return own.keys() <= {"first_name", "sex"} and own.get("first_name") in ("initial", None)

    @property
    def contradicts(self) -> bool:
        """Both the first name and the birth date speak against it: somebody else's BSN, or a mix-up."""
        against = sum(one.level == "different" for one in self.fields if one.field in _PERSONAL)
        return against >= 2


_PERSONAL = ("first_name", "birth", "sex", "bsn")
NOTHING = Evidence()


def compare(mention: Features, known: Profile, rules: Rules) -> Evidence:
    """The evidence that `mention` is this person; per field the best of everything known of him."""
    found: list[FieldEvidence] = []
    if mention.bsn and known.bsns:
        found.append(_evidence(rules, "bsn", "same" if mention.bsn in known.bsns else "different"))
    if mention.birth[0] and known.births:
        found.append(_birth(mention.birth, known, rules))
    if mention.sex and known.sexes:
        found.append(_evidence(rules, "sex", "same" if mention.sex in known.sexes else "different", mention.sex))
    shared = False
    if mention.phones and known.phones and _shares_phone(mention.phones, known.phones):
        found.append(_evidence(rules, "phone", "same"))
        shared = True
    if mention.addresses and known.addresses:
        level = address_level(mention.addresses, known.addresses)
        here = level in AT_HOME
        found.append(_evidence(rules, "address", level))
        shared = shared or here
    if shared or sum([one.housemate for one in found]) > rules.hopeless:
        found += _names(mention, known, rules)
    return Evidence(
        tuple(found),
        sum([one.stranger for one in found]),
        sum([one.housemate for one in found]),
        sum([one.stranger for one in found if one.field in _SHARED]) if shared else 0.0,
    )


def plus_company(evidence: Evidence, somebody: str, nobody: str, chance: float, rules: Rules) -> Evidence:
    """The same with the company in the report: `somebody` of his household with this chance, else `nobody`.

    `nobody` is empty when nobody else of his household is known: their absence says nothing.
    """
    weights = rules.weights["company"]
    here, gone = weights[somebody], weights[nobody] if nobody else _NEUTRAL
    stranger = log2(chance * 2.0**here.stranger + (1.0 - chance) * 2.0**gone.stranger)
    housemate = chance * here.housemate + (1.0 - chance) * gone.housemate
    level = somebody if stranger > max(gone.stranger, 0.0) else nobody
    if not level:
        return evidence
    one = FieldEvidence("company", level, stranger, housemate)
    return Evidence(
        (*evidence.fields, one), evidence.stranger + stranger, evidence.housemate + housemate, evidence.shared
    )


_NEUTRAL = Weight(stranger=0, housemate=0)
AT_HOME = ("door", "house")
"""The levels of an address at which people live together."""
_SHARED = ("surname", "phone", "address")


@lru_cache(_PAIRS)
def _evidence(
    rules: Rules, field: FieldName, level: str, value: str = "", rarity: float | None = None
) -> FieldEvidence:
    weight = rules.weights[field][level]
    stranger = weight.stranger
    if rarity:
        stranger += rarity * rules.rarity_counts[field]
    return FieldEvidence(field, level, stranger, weight.housemate, value, rarity)


def _birth(mine: Birth, known: Profile, rules: Rules) -> FieldEvidence:
    if mine[2] and number_of(mine) in known.births:
        level = "same"
    else:
        levels = [_birth_level(mine, birth_of(one)) for one in known.births]
        weights = rules.weights["birth"]
        level = levels[0] if len(levels) == 1 else max(levels, key=lambda one: weights[one].stranger)
    return _evidence(rules, "birth", level, "-".join([str(part) for part in mine if part]))


def _birth_level(one: Birth, other: Birth) -> str:
    if one[2] and other[2]:
        if one == other:
            return "same"
        if one[0] == other[0] and one[1] == other[2] and one[2] == other[1]:
            return "swapped"
        return "one_part" if (one[0] == other[0]) + (one[1] == other[1]) + (one[2] == other[2]) == 2 else "different"
    if one[0] != other[0]:
        return "near_year" if abs(one[0] - other[0]) <= 2 else "different"
    if one[1] and other[1]:
        return "year_month" if one[1] == other[1] else "one_part"
    return "year"


def rarity(share: float) -> float:
    """Bits of a value that `share` in 100 000 persons have."""
    return log2(100_000 / share)


@lru_cache(_PAIRS)
def _alike(one: str, other: str, rules: Rules) -> bool:
    """A typing error or two, or another spelling of the same sound."""
    longest = max(len(one), len(other))
    if longest >= 4 and OSA.distance(one, other, score_cutoff=2) <= (1 if longest < 8 else 2):
        return True
    similar = float(JaroWinkler.similarity(one, other))
    # 'Tim' and 'Tom' sound alike as well, and are two brothers.
    return similar >= 0.94 or (longest >= 4 and similar >= 0.75 and sound(one, rules) == sound(other, rules))


def _names(mention: Features, known: Profile, rules: Rules) -> list[FieldEvidence]:
    """First name and surname; in each other's field when that fits clearly better."""
    straight = _names_as_given(mention, known, rules)
    if not all(one.level in ("different", "resembles") for one in straight):
        return straight
    if not (mention.first_names and mention.surnames and known.given and known.surnames):
        return straight
    turned = replace(
        mention,
        first_names=mention.surnames,
        initials=mention.surnames[0][0],
        surnames=("".join(mention.first_names), *mention.first_names),
    )
    swapped = [*_names_as_given(turned, known, rules), _evidence(rules, "order", "swapped")]
    return max(straight, swapped, key=lambda found: sum([one.stranger for one in found]))


def _names_as_given(mention: Features, known: Profile, rules: Rules) -> list[FieldEvidence]:
    found = []
    if mention.initials and known.given:
        found.append(_first_name(mention, known, rules))
    if mention.surnames and known.surnames:
        found.append(_surname(mention, known, rules))
    return found


def _first_name(mention: Features, known: Profile, rules: Rules) -> FieldEvidence:
    if mention.generation and known.generations and mention.generation not in known.generations:
        return _evidence(rules, "first_name", "different", mention.generation)
    found = [_given(mention, names, initials, rules) for names, initials in known.given]
    return max(found, key=_bits) if len(found) > 1 else found[0]


def _bits(one: FieldEvidence) -> float:
    return one.stranger


def _given(mention: Features, names: str, initials: str, rules: Rules) -> FieldEvidence:
    mine = mention.first_names
    if mine and names:
        level = _given_level(mine, names, rules)
        bits = _first_rarity(mention, rules) if level not in ("resembles", "different") else None
        return _evidence(rules, "first_name", level, mine[0], bits)
    if mention.initials[0] != initials[0]:
        return _evidence(rules, "first_name", "different", mention.initials[0])
    several = len(initials) > 1 and mention.initials[:2] == initials[:2]
    return _evidence(rules, "first_name", "initials" if several else "initial", mention.initials[:2])


@lru_cache(_PAIRS)
def _given_level(mine: tuple[str, ...], known: str, rules: Rules) -> str:
    names = known.split(" ")
    one, other = mine[0], names[0]
    if one == other:
        return "same"
    groups = rules.nickname_groups
    if groups.get(one, frozenset()) & groups.get(other, frozenset()):
        return "nickname"
    if min(len(one), len(other)) >= 3 and (one.startswith(other) or other.startswith(one)):
        return "nickname"
    if _alike(one, other, rules):
        return "alike"
    if one in names[1:] or other in mine[1:]:
        return "other_given"
    return "resembles" if _resembles(one, other) else "different"


def _resembles(one: str, other: str) -> bool:
    """More alike than two names by chance: a pet name that we do not know, or a name heard badly."""
    return one[:3] == other[:3] or float(JaroWinkler.similarity(one, other)) >= 0.8


def _first_rarity(mention: Features, rules: Rules) -> float:
    share = rules.frequencies.first_name.get(mention.first_names[0], rules.frequencies.other_first_name)
    return rarity(share)


def _surname(mention: Features, known: Profile, rules: Rules) -> FieldEvidence:
    frequencies = rules.frequencies
    same = [name for name in mention.surnames if name in known.surnames]
    if same:
        rarest = same[0]
        if len(same) > 1:
            rarest = max(same, key=lambda name: rarity(frequencies.surname.get(name, frequencies.other_surname)))
        bits = rarity(frequencies.surname.get(rarest, frequencies.other_surname))
        return _evidence(rules, "surname", "same", rarest, bits)
    for name in mention.surnames:
        for other in known.surnames:
            if _surname_alike(name, other, rules):
                bits = rarity(frequencies.surname.get(other, frequencies.other_surname))
                return _evidence(rules, "surname", "alike", name, bits)
    near = any(_resembles(name, other) for name in mention.surnames for other in known.surnames)
    return _evidence(rules, "surname", "resembles" if near else "different", mention.surnames[0])


@lru_cache(_PAIRS)
def _surname_alike(one: str, other: str, rules: Rules) -> bool:
    return _alike(bare(one, rules), bare(other, rules), rules) or _contains(one, other)


def _contains(one: str, other: str) -> bool:
    """A double name written as one word, or a prefix that was typed against the name."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 5 and (long.startswith(short) or long.endswith(short))


def address_level(mine: Iterable[AddressKey], known: Iterable[AddressKey]) -> str:
    """door: the same front door; house: the same number, an addition is missing; near: the same street; or different.

    Another addition is another family: flat neighbours are only near.
    """
    best = "different"
    for one in mine:
        for other in known:
            level = _one_address(one, other)
            if level == "door":
                return "door"
            if level == "house" or best == "different":
                best = level
    return best


def _shares_phone(mine: Collection[str], known: Collection[str]) -> bool:
    if not set(mine).isdisjoint(known):
        return True
    # A protected person's are keyed hashes: then those of the other are compared as such too.
    mixed = any(map(is_blind, mine)) or any(map(is_blind, known))
    return mixed and not {blind_phone(one) for one in mine}.isdisjoint(map(blind_phone, known))


def _one_address(one: AddressKey, other: AddressKey) -> str:
    if is_blind(one) != is_blind(other):
        one, other = blind(one), blind(other)
    same_postcode = bool(one.postcode) and one.postcode == other.postcode
    same_street = bool(one.street and one.place) and one.street == other.street and one.place == other.place
    if not (same_postcode or same_street):
        return "different"
    if one.number != other.number or (one.addition and other.addition and one.addition != other.addition):
        return "near"
    return "door" if one.addition == other.addition else "house"
