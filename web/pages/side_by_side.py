"""Two persons side by side: field by field, how they compare, and which letters differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from web.pages.elements import FIELDS, Key, Said

VERDICTS = {
    "same": ("=", "gelijk"),
    "alike": ("≈", "lijkt erg"),
    "different": ("≠", "verschilt"),
    "left_only": ("·", "alleen in deze melding"),
    "right_only": ("·", "alleen bij de bekende persoon"),
    "unclear": ("·", "niet te vergelijken"),
}
"""How two sides of a field compare: the sign and the word that stand beside it; colour says nothing more."""
ALIKE = 0.75
"""From this share of equal letters on, two names look alike. OWN choice; the radar's reasons decide nothing here."""
MARKED_LENGTH = 120
"""Longer texts are marked as a whole: finding the letters would cost more than it tells."""

Verdict = Literal["same", "alike", "different", "left_only", "right_only", "unclear"]
Marks = tuple[tuple[str, bool], ...]
"""A text in pieces; true is a piece that differs from the other side."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value on one side: its pieces, and where and when it was seen."""

    marks: Marks
    note: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """One field with both its sides; an empty side was never told."""

    label: str
    verdict: Verdict
    left: tuple[Value, ...]
    right: tuple[Value, ...]


def side_by_side(person: Mapping[str, Any], known: Sequence[tuple[Mapping[str, Any], str]]) -> list[Compared]:
    """Field by field: somebody in a report, and the mentions of a known person (newest first, each with its source).

    A BSN or phone number is never written out: its last three digits tell enough to look for it.
    """
    rows = []
    for name, read in FIELDS.items():
        left = {said: "" for said in read(person)}
        right: dict[Said, str] = {}
        for mention, source in known:
            for said in read(mention):
                right.setdefault(said, source)
        if left or right:
            rows.append(_compared(name, left, right))
    return rows


ALIKE = 0.6
"""Below this share of equal letters two texts are simply different: single letters would only distract."""


def marked(left: str, right: str) -> tuple[Marks, Marks]:
    """Both texts in pieces, with the letters that differ; upper and lower case are the same letter."""
    if max(len(left), len(right)) > MARKED_LENGTH:
        differs = left != right
        return ((left, differs),), ((right, differs),)
    one, other = left.casefold(), right.casefold()
    if (len(one), len(other)) != (len(left), len(right)):
        one, other = left, right
    ours: list[tuple[str, bool]] = []
    theirs: list[tuple[str, bool]] = []
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < ALIKE:
        return ((left, True),), ((right, True),)
    for what, start, end, from_, to in matcher.get_opcodes():
        if end > start:
            ours.append((left[start:end], what != "equal"))
        if to > from_:
            theirs.append((right[from_:to], what != "equal"))
    return tuple(ours), tuple(theirs)


def _compared(name: str, left: Mapping[Said, str], right: Mapping[Said, str]) -> Compared:
    near, letters = NEAR.get(name, (None, False))
    pairs = [(one, other) for one in left for other in right if one.key and other.key]
    verdict: Verdict = "different"
    if not left or not right:
        verdict = "left_only" if left else "right_only"
    elif not pairs:
        verdict = "unclear"
    elif any(one.key == other.key for one, other in pairs):
        verdict = "same"
    elif near and any(near(one.key, other.key) for one, other in pairs):
        verdict = "alike"
    return Compared(name, verdict, _values(left, right, letters), _values(right, left, letters))


def _values(own: Mapping[Said, str], other: Mapping[Said, str], letters: bool) -> tuple[Value, ...]:
    """Every value with what differs from the nearest one on the other side."""
    return tuple(Value(_marks(said, list(other), letters), source) for said, source in own.items())


def _marks(said: Said, others: Sequence[Said], letters: bool) -> Marks:
    if not others or any(said.key == other.key for other in others):
        return ((said.shown, False),)
    if not letters:
        return ((said.shown, True),)
    return marked(said.shown, max(others, key=lambda other: _share(said.shown, other.shown)).shown)[0]


def _share(one: str, other: str) -> float:
    """The share of equal letters, 0 to 1, of the first part of two texts."""
    return SequenceMatcher(None, one[:MARKED_LENGTH], other[:MARKED_LENGTH], autojunk=False).ratio()


def _near_birth(one: Key, other: Key) -> bool:
    """No known part differs, only one does, or day and month are swapped."""
    first, second = one or (), other or ()
    wrong = sum(a != b for a, b in zip(first, second, strict=True) if a is not None and b is not None)
    return wrong <= 1 or (first[0] == second[0] and first[1:] == second[:0:-1])


def _near_address(one: Key, other: Key) -> bool:
    """The same house, on the letter or addition after."""
    return len(one or ()) == len(other or ()) == 4 and (one or ())[:2] == (other or ())[:2]


def _near_words(one: Key, other: Key) -> bool:
    first, second = str((one or ("",))[0]), str((other or ("",))[0])
    return _share(first, second) >= ALIKE


NEAR: dict[str, tuple[Callable[[Key, Key], bool], bool]] = {
    "Voornamen": (_near_words, True),
    "Achternaam": (_near_words, True),
    "Volledige naam": (_near_words, True),
    "Geboortedatum": (_near_birth, True),
    "Adres": (_near_address, True),
    "Nationaliteit": (_near_words, False),
}
"""When two values look alike, and whether the letters that differ are marked; the other fields are equal or not."""
