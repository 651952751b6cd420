"""What differs between two documents: place by place, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST = 60


def between(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """What changed, as (place, old, new), at most 60; an empty text is: it is not there. The version is left out."""
    old, new = dict(_flat(before)), dict(_flat(after))
    places = [place for place in {**old, **new} if old.get(place) != new.get(place) and place != "version"]
    return [(place, old.get(place, ""), new.get(place, "")) for place in places[:MOST]]


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value, start=1):
            yield from _flat(inner, f"{place}.{number}")
    elif isinstance(value, frozenset | set):
        yield place, ", ".join(sorted(str(inner) for inner in value))
    elif isinstance(value, list | tuple):
        yield place, ", ".join(" ".join(one) if isinstance(one, list | tuple) else str(one) for one in value)
    else:
        yield place, str(value)
