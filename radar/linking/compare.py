"""Compare one mention with everything known of one candidate: agreement per field, in bits of evidence.

Missing is neutral: a field that one of both lacks gives no evidence at all, neither for nor against.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log2

from rapidfuzz.distance import OSA, JaroWinkler

from radar.linking.normalise import AddressKey, Features, bare, sound
from radar.linking.rules import FieldName, Rules


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """How one field agrees. Weights in bits, against a stranger and against a housemate; `value`: what agreed."""

    field: FieldName
    level: str
    stranger: float
    housemate: float
    value: str = ""
    rarity: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The fields that both sides have, and what they say together."""

    fields: tuple[FieldEvidence, ...] = ()

    @property
    def stranger(self) -> float:
        return sum(one.stranger for one in self.fields)

    @property
    def housemate(self) -> float:
        return sum(one.housemate for one in self.fields)

    @property
    def shared(self) -> float:
        """Bits that surname, phone and address give together; nothing for a surname alone, however rare."""
        if self.level("phone") is None and self.level("address") not in ("door", "house"):
            return 0.0
        return sum(one.stranger for one in self.fields if one.field in ("surname", "phone", "address"))

    def level(self, field: FieldName) -> str | None:
        return next((one.level for one in self.fields if one.field == field), None)

    @property
    def more_than_names(self) -> bool:
        """Something beside name and sex speaks for it: BSN, birth date, phone or address."""
        return any(one.field in ("bsn", "birth", "phone", "address") and one.stranger > 0 for one in self.fields)

    @property
    def contradicts(self) -> bool:
        """Both the first name and the birth date speak against it: somebody else's BSN, or a mix-up."""
        against = sum(self.level(field) == "different" for field in ("first_name", "birth", "sex", "bsn"))
        return against >= 2


def compare(mention: Features, candidate: Sequence[Features], rules: Rules) -> Evidence:
    """The evidence that `mention` is the person of these earlier mentions; per field the best that fits."""
    found = (
        _bsn(mention, candidate, rules),
        _birth(mention, candidate, rules),
        _first_name(mention, candidate, rules),
        _surname(mention, candidate, rules),
        _sex(mention, candidate, rules),
        _phone(mention, candidate, rules),
        _address(mention, candidate, rules),
    )
    return Evidence(tuple(one for one in found if one is not None))


def _evidence(
    rules: Rules, field: FieldName, level: str, value: str = "", rarity: float | None = None
) -> FieldEvidence:
    weight = rules.weights[field][level]
    stranger = weight.stranger + (rarity or 0.0)
    return FieldEvidence(field, level, stranger, min(weight.housemate, stranger), value, rarity)


def _bsn(mention: Features, candidate: Sequence[Features], rules: Rules) -> FieldEvidence | None:
    known = {one.bsn for one in candidate if one.bsn}
    if not mention.bsn or not known:
        return None
    return _evidence(rules, "bsn", "same" if mention.bsn in known else "different")


def _birth(mention: Features, candidate: Sequence[Features], rules: Rules) -> FieldEvidence | None:
    known = {one.birth for one in candidate if one.birth[0]}
    if not mention.birth[0] or not known:
        return None
    levels = (_birth_level(mention.birth, one) for one in known)
    weights = rules.weights["birth"]
    best = max(levels, key=lambda level: weights[level].stranger)
    return _evidence(rules, "birth", best, "-".join(str(part) for part in mention.birth if part))


def _birth_level(one: tuple[int, int, int], other: tuple[int, int, int]) -> str:
    if one[2] and other[2]:
        if one == other:
            return "same"
        if one[0] == other[0] and one[1] == other[2] and one[2] == other[1]:
            return "swapped"
        return "one_part" if sum(a == b for a, b in zip(one, other, strict=True)) == 2 else "different"
    if one[0] != other[0]:
        return "near_year" if abs(one[0] - other[0]) <= 2 else "different"
    if one[1] and other[1]:
        return "year_month" if one[1] == other[1] else "one_part"
    return "year"


def rarity(share: float) -> float:
    """Bits of a value that `share` in 100 000 persons have."""
    return log2(100_000 / share)


def _alike(one: str, other: str, rules: Rules) -> bool:
    """A typing error or two, or another spelling of the same sound."""
    longest = max(len(one), len(other))
    if longest >= 4 and OSA.distance(one, other, score_cutoff=2) <= (1 if longest < 8 else 2):
        return True
    similar = float(JaroWinkler.similarity(one, other))
    return similar >= 0.94 or (similar >= 0.75 and sound(one, rules) == sound(other, rules))


def _first_name(mention: Features, candidate: Sequence[Features], rules: Rules) -> FieldEvidence | None:
    if not mention.initials:
        return None
    best: FieldEvidence | None = None
    for names, initials in {(one.first_names, one.initials) for one in candidate if one.initials}:
        found = _given(mention, names, initials, rules)
        if best is None or found.stranger > best.stranger:
            best = found
    if best is not None and best.level == "different" and _swapped(mention, candidate, rules):
        return _evidence(rules, "first_name", "alike", mention.first_names[0], _first_rarity(mention, rules))
    return best


def _given(mention: Features, names: tuple[str, ...], initials: str, rules: Rules) -> FieldEvidence:
    mine = mention.first_names
    if mine and names:
        level = _given_level(mine, names, rules)
        bits = _first_rarity(mention, rules) if level != "different" else None
        return _evidence(rules, "first_name", level, mine[0], bits)
    if mention.initials[0] != initials[0]:
        return _evidence(rules, "first_name", "different", mention.initials[0])
    several = len(initials) > 1 and mention.initials[:2] == initials[:2]
    return _evidence(rules, "first_name", "initials" if several else "initial", mention.initials[:2])


def _given_level(mine: tuple[str, ...], names: tuple[str, ...], rules: Rules) -> str:
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
    return "different"


def _first_rarity(mention: Features, rules: Rules) -> float:
    share = rules.frequencies.first_name.get(mention.first_names[0], rules.frequencies.other_first_name)
    return rarity(share)


def _swapped(mention: Features, candidate: Sequence[Features], rules: Rules) -> bool:
    """First name and surname in each other's field."""
    return any(
        mention.first_names
        and one.first_names
        and mention.first_names[0] in one.surnames
        and one.first_names[0] in mention.surnames
        for one in candidate
    )


def _surname(mention: Features, candidate: Sequence[Features], rules: Rules) -> FieldEvidence | None:
    known = {name for one in candidate for name in one.surnames}
    if not mention.surnames or not known:
        return None
    frequencies = rules.frequencies
    same = [name for name in mention.surnames if name in known]
    if same:
        rarest = max(same, key=lambda name: rarity(frequencies.surname.get(name, frequencies.other_surname)))
        bits = rarity(frequencies.surname.get(rarest, frequencies.other_surname))
        return _evidence(rules, "surname", "same", rarest, bits)
    for name in mention.surnames:
        for other in known:
            if _alike(bare(name, rules), bare(other, rules), rules) or _contains(name, other):
                bits = rarity(frequencies.surname.get(other, frequencies.other_surname))
                return _evidence(rules, "surname", "alike", name, bits)
    if _swapped(mention, candidate, rules):
        return _evidence(rules, "surname", "alike", mention.surnames[0], rarity(frequencies.other_surname))
    return _evidence(rules, "surname", "different", mention.surnames[0])


def _contains(one: str, other: str) -> bool:
    """A double name written as one word, or a prefix that was typed against the name."""
    short, long = sorted((one, other), key=len)
    return len(short) >= 5 and (long.startswith(short) or long.endswith(short))


def _sex(mention: Features, candidate: Sequence[Features], rules: Rules) -> FieldEvidence | None:
    known = {one.sex for one in candidate if one.sex}
    if not mention.sex or not known:
        return None
    return _evidence(rules, "sex", "same" if mention.sex in known else "different", mention.sex)


def _phone(mention: Features, candidate: Sequence[Features], rules: Rules) -> FieldEvidence | None:
    known = {phone for one in candidate for phone in one.phones}
    return _evidence(rules, "phone", "same") if known & set(mention.phones) else None


def _address(mention: Features, candidate: Sequence[Features], rules: Rules) -> FieldEvidence | None:
    known = {address for one in candidate for address in one.addresses}
    if not mention.addresses or not known:
        return None
    level = address_level(mention.addresses, known)
    return _evidence(rules, "address", level, mention.addresses[0].street if level != "different" else "")


def address_level(mine: Iterable[AddressKey], known: Iterable[AddressKey]) -> str:
    """door: the same front door; house: the same number, an addition is missing; else different.

    Another addition is another family: flat neighbours give no evidence.
    """
    others = list(known)
    levels = {_one_address(one, other) for one in mine for other in others}
    return "door" if "door" in levels else "house" if "house" in levels else "different"


def _one_address(one: AddressKey, other: AddressKey) -> str:
    if one.number != other.number:
        return "different"
    same_postcode = bool(one.postcode) and one.postcode == other.postcode
    same_street = bool(one.street and one.place) and (one.street, one.place) == (other.street, other.place)
    if not (same_postcode or same_street) or (one.addition and other.addition and one.addition != other.addition):
        return "different"
    return "door" if one.addition == other.addition else "house"
