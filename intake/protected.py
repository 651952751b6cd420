"""Secret whereabouts in a message: the signs that somebody is protected, and the same message without them.

Pure, so that receipt can leave them out before anybody can see the page (security.md D1). What is left out comes back
as edits, to be sealed; `restored` puts it back exactly. Persons and content are the stored JSON (intake.message).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core.documents import Kind
from core.identity import Phone

FILE = Path(__file__).parent / "data" / "protected.toml"
HIDDEN = "afgeschermd"
NO_ADDRESS = "Adres afgeschermd"
NO_TEXT = "Deze tekst is afgeschermd en staat in de kluis."
IN_TEXT = "[afgeschermd]"
MARKERS = frozenset({HIDDEN, NO_ADDRESS, NO_TEXT, IN_TEXT})

Json = dict[str, Any]
Edit = tuple[list[str | int], Any, Any]
"""Where (names and numbers that lead to it), what stood there, and what stands there now."""


class ProtectedRules(BaseModel):
    """One version of the signs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    source: str
    verified: bool
    institutions: tuple[str, ...] = Field(min_length=1)
    words: tuple[str, ...] = Field(min_length=1)
    kin: frozenset[str]
    streets: tuple[str, ...] = Field(min_length=1)


rules = Kind("whereabouts", "file of protected whereabouts", lambda: FILE, ProtectedRules.model_validate)
"""The signs in force. Raises SettingsError when the file is wrong."""


# ── the signs ───────────────────────────────────────────────────────────────────────────────────────────────


def signs(person: Mapping[str, Any]) -> tuple[str, ...]:
    """Why this person may be at a secret address: the signs in his addresses and in what is said of him."""
    places = _plain(" \n ".join(texts(person.get("adressen") or ())))
    said = _plain(" \n ".join(texts({name: value for name, value in person.items() if name in _SAID})))
    found = {f"instelling: {one}" for one in _found(rules().institutions, places)}
    return tuple(sorted(found | {f"tekst: {one}" for one in _found(rules().words, said)}))


def protected(persons: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    """The positions of the persons that the message itself protects, with the signs.

    A sign in the text of the report says that somebody is protected, not who: then everybody with an address or
    phone number is, until a person looks.
    """
    found = {number: why for number, person in enumerate(persons) if (why := signs(person))}
    if not found:
        told = _plain(" \n ".join(texts({name: value for name, value in content.items() if name in _TOLD})))
        if why := tuple(f"tekst: {one}" for one in _found(rules().words, told)):
            found = {number: why for number, person in enumerate(persons) if _places(person)}
    return found | {number: ("woont of belt met iemand die is afgeschermd",) for number in sharing(persons, found)}


def sharing(persons: Sequence[Mapping[str, Any]], chosen: Collection[int]) -> set[int]:
    """Who has an address or phone number in common with one of the chosen: his would give theirs away."""
    secret = {place for number in chosen for place in _places(persons[number])}
    return {number for number, person in enumerate(persons) if number not in chosen and secret & _places(person)}


_SAID = ("aanvullendeInformatie", "overigeZorgMinderjarige", "extra", "extraKoppeling", "relaties")
_TOLD = ("incident", "situatie", "melding", "extra", "onbekend")


def _places(person: Mapping[str, Any]) -> set[str]:
    """Each address and phone number in a form that can be compared."""
    found = set()
    for address in person.get("adressen") or ():
        house = "".join(str(address.get(name) or "") for name in ("huisnummer", "huisletter", "toevoeging"))
        where = address.get("postcode") or f"{address.get('straat') or ''}{address.get('woonplaats') or ''}"
        lines = "".join(str(address.get(name) or "") for name in ("regel1", "regel2", "regel3"))
        if (where and house) or lines:
            found.add(_bare(f"{where}{house}{lines}"))
    for phone in person.get("telefoonnummers") or ():
        read = Phone.parse(phone)
        if not read.is_service:
            found.add(read.value or _bare(phone))
    return found - {_bare(NO_ADDRESS), HIDDEN}


def _found(words: Iterable[str], text: str) -> set[str]:
    return {word for word in words if re.search(rf"\b{re.escape(_plain(word))}", text)} if text else set()


@dataclass(frozen=True, slots=True)
class Hidden:
    """A message at receipt: what may be read of it, what is to be sealed (empty: nothing), and who is protected.

    `edits` as in radar.protection.settling; `marks`: number of the person (from 1) and the sign.
    """

    content: Json
    persons: list[Json]
    edits: Json
    marks: list[Json]


def hide(content: Json, persons: Sequence[Json]) -> Hidden:
    """Leave out of a message what tells where the persons are whom it protects itself."""
    chosen = protected(persons, content)
    if not chosen:
        return Hidden(content, list(persons), {}, [])
    made = redact(content, persons, chosen)
    edits: Json = {"persons": {str(number + 1): found for number, found in made.of_persons.items()}}
    if made.of_content:
        edits["content"] = made.of_content
    marks = [{"number": number + 1, "reason": "; ".join(why)} for number, why in sorted(chosen.items())]
    return Hidden(made.content, made.persons, edits, marks)


def place(report: UUID) -> str:
    """Where the whereabouts of a report are sealed for."""
    return f"whereabouts.sealed:{report}"


# ── leaving out ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Redacted:
    """A message without the whereabouts of some persons, and the edits that were made (per person, by position)."""

    content: Json
    persons: list[Json]
    of_content: list[Edit]
    of_persons: dict[int, list[Edit]]


def redact(content: Json, persons: Sequence[Json], chosen: Collection[int], known: Collection[str] = ()) -> Redacted:
    """Leave out what tells where the chosen persons are; nothing is changed in place.

    `known`: more texts that tell it (from other messages on them). Of the others only texts are changed that repeat
    it. What the others openly have (the family's own town) stays readable.
    """
    open_ = {text.casefold() for number, one in enumerate(persons) if number not in chosen for text in values(one)}
    secret = {text for number in chosen for text in values(persons[number])} | set(known)
    mask = Mask(text for text in secret if text.casefold() not in open_)
    of_persons: dict[int, list[Edit]] = {}
    for number, person in enumerate(persons):
        edits = list(_of_protected(person)) if number in chosen else []
        skip = {edit[0][0] for edit in edits if len(edit[0]) == 1} | {"adressen", "telefoonnummers", "naam", "rol"}
        done = {tuple(edit[0]) for edit in edits}
        edits += [
            edit
            for edit in _masked({name: value for name, value in person.items() if name not in skip}, mask)
            if tuple(edit[0]) not in done
        ]
        if edits:
            of_persons[number] = edits
    found = list(_of_content(content, mask, open_)) if chosen or known else []
    return Redacted(
        applied(content, found),
        [applied(person, of_persons.get(number, ())) for number, person in enumerate(persons)],
        found,
        of_persons,
    )


def _of_protected(person: Json) -> Iterator[Edit]:
    if person.get("adressen"):
        yield ["adressen"], person["adressen"], [{"soort": "feitelijk", "regel1": NO_ADDRESS}]
    if person.get("telefoonnummers"):
        yield ["telefoonnummers"], person["telefoonnummers"], [HIDDEN]
    for name in ("aanvullendeInformatie", "overigeZorgMinderjarige", "rni"):
        if person.get(name):
            yield [name], person[name], NO_TEXT
    for name in ("extra", "extraKoppeling"):
        for number, extra in enumerate(person.get(name) or ()):
            if extra.get("waarde"):
                yield [name, number, "waarde"], extra["waarde"], NO_TEXT
    for number, relation in enumerate(person.get("relaties") or ()):
        words = set(re.findall(r"[\w-]+|/", _plain(str(relation.get("omschrijving") or ""))))
        if words - rules().kin:
            yield ["relaties", number, "omschrijving"], relation["omschrijving"], NO_TEXT
        other = (relation.get("persoon") or {}) if isinstance(relation, Mapping) else {}
        own: list[str | int] = ["relaties", number]
        for path, extras in ((own, relation.get("extra")), ([*own, "persoon"], other.get("extra"))):
            for place, extra in enumerate(extras or ()):
                if extra.get("waarde"):
                    yield [*path, "extra", place, "waarde"], extra["waarde"], NO_TEXT
        if other.get("rni"):
            yield ["relaties", number, "persoon", "rni"], other["rni"], NO_TEXT


def _of_content(content: Json, mask: Mask, open_: Collection[str]) -> Iterator[Edit]:
    """Whole where it is a place, else the pieces of a text: what is known, and what looks like an address."""
    for path, text in _leaves(content, []):
        if path[0] == "bericht":
            continue
        masked = mask(text)
        for hint in reversed(hints(masked)):
            if hint.text.casefold() not in open_:
                masked = masked[: hint.start] + IN_TEXT + masked[hint.end :]
        if path == ["incident", "locatie"] and (masked != text or _found(rules().institutions, _plain(text))):
            masked = HIDDEN
        if masked != text:
            yield path, text, masked


def _masked(document: Json, mask: Mask) -> Iterator[Edit]:
    for path, text in _leaves(document, []):
        if (masked := mask(text)) != text:
            yield path, text, masked


def applied(document: Json, edits: Iterable[Edit]) -> Json:
    """The document with these edits."""
    made = deepcopy(document)
    for path, _, after in edits:
        _put(made, path, after)
    return made


def restored(document: Json, edits: Iterable[Edit]) -> Json:
    """The document as it was before these edits; what was changed by somebody since then stays as it is."""
    made = deepcopy(document)
    for path, before, after in edits:
        if _get(made, path) == after:
            _put(made, path, before)
    return made


def _get(document: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _put(document: Any, path: Sequence[str | int], value: Any) -> None:
    holder = _get(document, path[:-1])
    holder[path[-1]] = deepcopy(value)


def _leaves(value: Any, path: list[str | int]) -> Iterator[tuple[list[str | int], str]]:
    """Every text inside, with the way to it; codes (soort, geenWaardeReden, indicatie) and dates are none."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ("soort", "geenWaardeReden", "indicatie", "code", "datum", "geboortedatum", "bsn"):
                yield from _leaves(inner, [*path, name])
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, [*path, number])
    elif isinstance(value, str) and value not in MARKERS:
        yield path, value


# ── what tells where somebody is ────────────────────────────────────────────────────────────────────────────


def values(person: Mapping[str, Any]) -> set[str]:
    """The texts that tell where this person is or how to reach him: to find them in other texts."""
    found: set[str] = set()
    for address in person.get("adressen") or ():
        house = "".join(str(address.get(name) or "") for name in ("huisnummer", "huisletter", "toevoeging"))
        street = str(address.get("straat") or "").strip()
        found |= {street, f"{street} {house}" if street and house else ""}
        found |= {str(address.get(name) or "") for name in ("postcode", "woonplaats", "regel1", "regel2", "regel3")}
    found |= {str(phone) for phone in person.get("telefoonnummers") or ()}
    return {text.strip() for text in found if len(text.strip()) > 2} - MARKERS


class Mask:
    """Takes known words out of a text, also with other white space, capitals, or dashes in a number."""

    def __init__(self, known: Iterable[str]) -> None:
        patterns = sorted({_loose(text) for text in known if text not in MARKERS}, key=len, reverse=True)
        self._known = re.compile("|".join(rf"(?<!\w){one}(?!\w)" for one in patterns), re.IGNORECASE)
        self._empty = not patterns

    def __call__(self, text: str, instead: str = IN_TEXT) -> str:
        return text if self._empty else self._known.sub(instead, text)

    def found(self, text: str) -> list[tuple[int, int]]:
        """Where the text holds something known."""
        return [] if self._empty else [one.span() for one in self._known.finditer(text)]


@dataclass(frozen=True, slots=True)
class Hint:
    """A piece of a text that may tell where somebody is: `known` (from the vault), or what it looks like."""

    kind: str
    start: int
    end: int
    text: str


HINTS = {
    "known": "een afgeschermd gegeven",
    "postcode": "een postcode",
    "address": "een adres",
    "phone": "een telefoonnummer",
}


def hints(text: str, known: Collection[str] = ()) -> list[Hint]:
    """The pieces that may tell where somebody is, in order and without overlap; what is known goes first."""
    found = [Hint("known", start, end, text[start:end]) for start, end in Mask(known).found(text)]
    for kind, pattern in _patterns(rules().streets):
        for one in pattern.finditer(text):
            if all(one.end() <= other.start or one.start() >= other.end for other in found):
                found.append(Hint(kind, one.start(), one.end(), one.group()))
    return sorted(found, key=lambda hint: hint.start)


@lru_cache(maxsize=4)
def _patterns(streets: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    ends = "|".join(streets)
    return (
        ("postcode", re.compile(r"\b[1-9]\d{3}\s?[A-Z]{2}\b(?:\s+\d{1,5}\w?\b)?")),
        (
            "address",
            re.compile(
                rf"\b[A-Z][\w'.-]{{0,40}}?(?: [A-Z]?[\w'.-]{{1,30}}){{0,3}}?(?:{ends})\s+\d{{1,5}}\s?[a-zA-Z]?\b"
            ),
        ),
        ("phone", re.compile(r"(?<![\w.,])(?:\+31|0031|0)[\s.-]?(?:\(0\))?\d(?:[\s.-]?\d){7,8}(?!\w)")),
    )


def _loose(text: str) -> str:
    """A pattern that also finds it written otherwise: white space, '1234 AB', '06-1234 5678' or '+31 6 …'."""
    phone = Phone.parse(text)
    if phone.value:
        digits = r"[\s.\-/]*".join(phone.value[3:])
        return rf"(?:\+31|0031|0)[\s.\-/]*(?:\(0\))?[\s.\-/]*{digits}"
    if re.fullmatch(r"[1-9]\d{3}\s?[A-Za-z]{2}", text):
        return rf"{text[:4]}\s*{text[-2:]}"
    words = re.findall(r"\d+|[^\W\d]+|[^\w\s]", text)
    return r"\s*".join(re.escape(word) for word in words)


def texts(value: Any) -> Iterator[str]:
    """Every text inside that is not a code, a date or one of our own markers."""
    for _, text in _leaves(value if isinstance(value, Mapping) else list(value), []):
        yield text


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", _plain(text))
