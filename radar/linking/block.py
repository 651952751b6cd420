"""Blocking keys: two mentions that share a key are worth comparing. Keys are rows with a covering index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b

from radar.linking.normalise import AddressKey, Features, bare, blind, blind_phone, sound
from radar.linking.rules import KeyKind, Rules


def keys(features: Features, rules: Rules, region: bytes = b"") -> list[int]:
    """All keys of one mention, to store: signed 64-bit integers, sorted, each once.

    They are hashed with the region, so that one region's keys never find another region's persons. Addresses and
    phones go in as keyed hashes, so that nobody finds a protected person's by trying them all. A mention that
    says too little about who it is has no keys, and is therefore never found.
    """
    return chosen(by_kind(features, rules, region))


def by_kind(
    features: Features, rules: Rules, region: bytes = b"", kinds: Collection[KeyKind] | None = None
) -> list[tuple[KeyKind, int]]:
    """The same with the kind of each key; of all kinds, or of some."""
    found = _values(features, rules)
    return [(kind, _number(kind, value, region)) for kind, value in found if kinds is None or kind in kinds]


def chosen(found: Iterable[tuple[KeyKind, int]], kinds: Collection[KeyKind] | None = None) -> list[int]:
    """The keys of some kinds (which ones is up to the rule set), or all of them; sorted, each once."""
    return sorted({key for kind, key in found if kinds is None or kind in kinds})


@lru_cache(200_000)
def _number(kind: str, value: str, region: bytes) -> int:
    hashed = blake2b(f"{kind}:{value}".encode(), digest_size=8, key=region)
    return int.from_bytes(hashed.digest(), "big", signed=True)


def _values(features: Features, rules: Rules) -> Iterator[tuple[KeyKind, str]]:
    if not features.links:
        return
    if features.bsn:
        yield "bsn", features.bsn
    year, month, day = features.birth
    first = first_sound(features, rules)
    initial = sound(features.initials[:1], rules)
    surnames = [sound(bare(name, rules), rules) for name in features.surnames[:3]]
    if day:
        # Day and month sorted: swapped by a foreign form, the key is still the same.
        low, high = sorted((month, day))
        if initial:
            yield "birth_first", f"{year}-{low}-{high} {initial}"
        for surname in surnames:
            yield "birth_surname", f"{year}-{low}-{high} {surname}"
    for surname in surnames:
        if first:
            # Sorted as well: first name and surname are swapped now and then.
            yield "name", " ".join(sorted((first, surname)))
        if initial and year:
            yield "name_year", f"{initial} {surname} {year}"
    for address in map(blind, features.addresses):
        house = _house(address)
        yield "door", _door(address)
        if initial:
            yield "house_first", f"{house} {initial}"
        for surname in surnames:
            yield "house_surname", f"{house} {surname}"
    for phone in map(blind_phone, features.phones):
        yield "phone", phone


def first_sound(features: Features, rules: Rules) -> str:
    """The sound of the formal form of the first first name; empty when only initials are known."""
    if not features.first_names:
        return ""
    name = features.first_names[0]
    return sound(rules.formal_name.get(name, name), rules)


def crowd_keys(features: Features, region: bytes = b"") -> Iterator[tuple[AddressKey | str, int]]:
    """Each address and phone with the key that counts how many persons have it."""
    for address in features.addresses:
        yield address, _number("door", _door(blind(address)), region)
    for phone in features.phones:
        yield phone, _number("phone", blind_phone(phone), region)


def _house(address: AddressKey) -> str:
    """The house without the door: by postcode, else by street and place."""
    return (
        f"{address.postcode} {address.number}"
        if address.postcode
        else (f"{address.street} {address.place} {address.number}")
    )


def _door(address: AddressKey) -> str:
    return f"{_house(address)} {address.addition}"
