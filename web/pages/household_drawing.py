"""A household as a drawing: who lives together, and who is a parent by the message.

Where somebody who is shielded stays is never in it, and neither is with whom: he has a home of his own without a word
about it. What the drawing shows, the list beside it says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.database import Row
from core.identity import Address
from intake.protected import NO_ADDRESS
from radar.protection.whereabouts import hides
from web import wording
from web.language import say

SEAT, ROW, HEAD, PAD, GAP, FOOT = 144, 124, 58, 12, 16, 4
NAME, PLACE, PER_SEAT = 19, 42, 20
"""The longest name and place that fit; the list says them whole."""


@dataclass(frozen=True, slots=True)
class Dweller:
    """One person: the middle of the head, and what is said of him."""

    x: float
    y: float
    name: str
    short: str
    role: str
    age: str
    child: bool
    parent: bool
    home: str
    since: Any
    until: Any
    reports: int


@dataclass(frozen=True, slots=True)
class Home:
    """One place, or what is known instead of it; `kind` is 'known', 'unknown' or 'shielded'."""

    x: float
    y: float
    width: float
    height: float
    place: str
    kind: str
    dwellers: tuple[Dweller, ...]


@dataclass(frozen=True, slots=True)
class Tie:
    """From a parent to a child, by the roles in the message."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Coordinates in the units of the view box."""

    width: float
    height: float
    homes: tuple[Home, ...]
    ties: tuple[Tie, ...]

    @property
    def dwellers(self) -> tuple[Dweller, ...]:
        return tuple(one for home in self.homes for one in home.dwellers)


def draw(members: Sequence[Row], now: datetime, *, addresses: bool, protected: Collection[UUID] = ()) -> Drawing:
    """The persons of a household in their homes, by the list of `dossier.members`: at least one.

    `addresses`: whether the reader may see an address at all; `protected`: whose whereabouts are secret.
    """
    placed: dict[str, tuple[str, str, list[Row]]] = {}
    for number, row in enumerate(members):
        key, place, kind = _place(row, number, addresses, protected)
        placed.setdefault(key, (place, kind, []))[2].append(row)
    homes: list[Home] = []
    x = float(GAP)
    rows_high = max(_rows(rows) for _, _, rows in placed.values())
    for place, kind, rows in placed.values():
        home = _home(x, rows_high, place, kind, rows, now)
        homes.append(home)
        x += home.width + GAP
    return Drawing(x, homes[0].height + 2 * GAP, tuple(homes), _ties(homes))


def _place(row: Row, number: int, addresses: bool, protected: Collection[UUID]) -> tuple[str, str, str]:
    """Under which key he is drawn, what stands above it, and what kind of place it is."""
    person: Mapping[str, Any] = row["person"]
    if row["person_id"] in protected or hides(person):
        return f"shielded {number}", say("Verblijf afgeschermd"), "shielded"
    if not addresses:
        return "hidden", say("Adres niet zichtbaar voor uw rol"), "unknown"
    found = [one for one in person.get("adressen") or () if one.get("regel1") != NO_ADDRESS]
    found.sort(key=lambda one: one.get("soort") != "feitelijk")
    if not found:
        return "unknown", say("Adres niet bekend"), "unknown"
    first = found[0]
    shown = wording.address(first)
    parsed = Address.parse(
        house_number=first.get("huisnummer"),
        house_letter=first.get("huisletter"),
        addition=first.get("toevoeging"),
        postcode=first.get("postcode"),
        country=first.get("landcode"),
    )
    return parsed.key() or shown.casefold(), shown, "known"


def _rows(rows: Sequence[Row]) -> int:
    return 2 if any(_is_child(row) for row in rows) and any(not _is_child(row) for row in rows) else 1


def _home(x: float, rows_high: int, place: str, kind: str, rows: Sequence[Row], now: datetime) -> Home:
    grown = [row for row in rows if not _is_child(row)]
    young = [row for row in rows if _is_child(row)]
    seats = max(len(grown), len(young), 1)
    width = max(seats * SEAT, 2 * SEAT) + 2 * PAD
    dwellers: list[Dweller] = []
    for level, people in enumerate([some for some in (grown, young) if some]):
        left = x + (width - len(people) * SEAT) / 2 + SEAT / 2
        dwellers += [
            _dweller(row, left + SEAT * seat, GAP + HEAD + ROW * level + 16, place, now)
            for seat, row in enumerate(people)
        ]
    return Home(
        x,
        GAP,
        width,
        HEAD + ROW * rows_high + FOOT,
        _cut(place, PLACE + PER_SEAT * max(0, seats - 2)),
        kind,
        tuple(dwellers),
    )


def _dweller(row: Row, x: float, y: float, place: str, now: datetime) -> Dweller:
    person = row["person"]
    name = wording.person_name(person)
    return Dweller(
        round(x, 1),
        round(y, 1),
        name,
        _cut(name, NAME),
        wording.role(person),
        wording.age(person.get("geboortedatum"), now),
        _is_child(row),
        _role_in_message(row).startswith("ouder"),
        place,
        row["valid_from"],
        row["valid_to"],
        row["reports"],
    )


def _ties(homes: Sequence[Home]) -> tuple[Tie, ...]:
    everyone = [one for home in homes for one in home.dwellers]
    children = [one for one in everyone if one.child]
    parents = [one for one in everyone if one.parent]
    return tuple(Tie(one.x, one.y + 74, child.x, child.y - 14) for one in parents for child in children)


def _is_child(row: Row) -> bool:
    """A minor by his role in the message, for a date of birth may be missing."""
    return _role_in_message(row).startswith(("jeugdige", "kind"))


def _role_in_message(row: Row) -> str:
    return str(((row["person"] or {}).get("rol") or {}).get("tekst") or "")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
