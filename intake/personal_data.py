"""Finding personal data in a text that must hold none: names, numbers, addresses. Pure; a find is a warning.

A false alarm costs somebody a look; a number, postcode or phone that is missed stays in the database. So those three
are found however they are spaced, and the word lists (data/personal_data.toml) rather find too much. Nothing here
knows that a text is safe: a surname without a capital, or a number in words, is not found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.documents import Kind as DocumentKind
from core.identity import Bsn, Phone

FILE = Path(__file__).parent / "data" / "personal_data.toml"
Kind = Literal["name", "bsn", "address", "postcode", "phone", "email", "birth_date"]
KINDS: dict[Kind, str] = {
    "bsn": "Burgerservicenummer",
    "name": "Naam of plaats",
    "address": "Adres",
    "postcode": "Postcode",
    "phone": "Telefoonnummer",
    "email": "E-mailadres",
    "birth_date": "Datum die een geboortedatum kan zijn",
}
"""Each kind with its words for people."""


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A piece of a text, from `start` to `end`, that looks like personal data. Its repr does not show it."""

    start: int
    end: int
    kind: Kind
    excerpt: str

    @property
    def title(self) -> str:
        return KINDS[self.kind]

    def __repr__(self) -> str:
        return f"Found({self.kind!r}, {self.start}, {self.end})"


def _words(value: object) -> object:
    return frozenset(value.split() if isinstance(value, str) else value) if isinstance(value, str | list) else value


Words = Annotated[frozenset[str], BeforeValidator(_words), Field(min_length=1)]


class Lists(BaseModel):
    """One version of the word lists."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    source: str
    verified: bool
    given_names: Words
    also_words: Words
    surnames: Words
    leads: Words
    titles: Words
    not_names: Words
    capitals: Words
    streets: Words
    street_begins: Words
    not_streets: Words
    months: Words
    behind_a_year: Words


lists = DocumentKind("personal_data", "file of what personal data looks like", lambda: FILE, Lists.model_validate)
"""The lists in force. Raises SettingsError when the file does not fit."""


def found(text: str) -> list[Found]:
    """What in this text looks like personal data, in order of place; of one kind no two overlap. Never raises."""
    plain = _plain(text)
    spans: dict[Kind, list[tuple[int, int]]] = {
        "bsn": [*_bsns(plain), *_long_numbers(plain)],
        "phone": list(_phones(plain)),
        "postcode": list(_postcodes(plain)),
        "address": list(_addresses(plain)),
        "email": [match.span() for match in _EMAIL.finditer(plain)],
        "birth_date": list(_dates(plain)),
        "name": list(_names(plain)),
    }
    elsewhere = spans["address"] + spans["email"]
    spans["name"] = [one for one in spans["name"] if not _within(one, elsewhere)]
    return sorted(
        Found(start, end, kind, text[start:end])
        for kind, one in spans.items()
        for start, end in _merged(one, plain, joined=kind == "name")
    )


def excerpts(finds: Iterable[Found]) -> list[str]:
    """The pieces that were found, each once, in order of place: what a person confirms."""
    return list(dict.fromkeys(one.excerpt for one in finds))


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def _plain(text: str) -> str:
    """The same text, as long, with plain digits, letters, dashes and spaces: as a person reads it."""
    return "".join(map(_plain_character, text))


@lru_cache(maxsize=4096)
def _plain_character(one: str) -> str:
    if one.isascii():
        return one
    category = unicodedata.category(one)
    if category == "Pd" or one == "\u2212":
        return "-"
    if category in ("Zs", "Cf", "Zl", "Zp"):
        return " "
    digit = unicodedata.decimal(one, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", one)
    return folded if len(folded) == 1 else one


def _within(one: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(start <= one[0] and one[1] <= end for start, end in others)


def _merged(spans: list[tuple[int, int]], text: str, *, joined: bool) -> Iterator[tuple[int, int]]:
    """The spans without overlap; `joined`: also those with only a space or a prefix of a name in between."""
    last: tuple[int, int] | None = None
    for start, wide in sorted(spans):
        end = start + len(text[start:wide].rstrip(" \t\n\r,.-"))
        if last and (start < last[1] or (joined and _BETWEEN_NAMES.fullmatch(text, last[1], start))):
            last = (last[0], max(last[1], end))
            continue
        if last:
            yield last
        last = (start, end)
    if last:
        yield last


_BETWEEN_NAMES = re.compile(
    r"[ \t]?-?|[ \t]+(?:(?:van|de|der|den|het|'t|ten|ter|te|el|al|bin|von|di|da|la|le)[ \t]+){1,3}"
)

# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────

_RUN = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,3}[0-9])*")
_DIGITS = re.compile(r"[0-9]+")
_BSN_DIGITS = 9
_LONGEST_PHONE = 15


def _bsns(text: str) -> Iterator[tuple[int, int]]:
    """Citizen service numbers, also without their leading zero, however their digits are spaced."""
    for digits, start, end in _windows(text, 8, _BSN_DIGITS):
        # Nine digits in a row are shown also when they fail the test: a slip in a real number is still somebody's.
        whole = len(digits) == _BSN_DIGITS == end - start
        if whole or Bsn.parse(digits).status == "valid":
            yield start, end


def _phones(text: str) -> Iterator[tuple[int, int]]:
    """Telephone numbers of the Netherlands and, behind + or 00, of elsewhere; not those of services (0800, 112)."""
    for digits, start, end in _windows(text, 8, _LONGEST_PHONE):
        plus = text[max(0, start - 2) : start].rstrip(" (").endswith("+")
        if plus or digits.startswith("00"):
            dutch = digits.startswith(("31", "0031"))
            hit = not dutch or Phone.parse(f"{'+' if plus else ''}{digits}").value is not None
        elif digits[0] == "0":
            hit = len(digits) == 10 and Phone.parse(digits).value is not None
        else:
            hit = digits.startswith("31") and len(digits) >= 11 and Phone.parse(f"+{digits}").value is not None
        if hit:
            yield start, end


def _windows(text: str, least: int, most: int) -> Iterator[tuple[str, int, int]]:
    """Every row of whole pieces of digits that stand together and have so many digits: (digits, start, end)."""
    for run in _RUN.finditer(text):
        pieces = [match.span() for match in _DIGITS.finditer(text, *run.span())]
        digits = "".join(text[start:end] for start, end in pieces)
        counts = [0, *accumulate(end - start for start, end in pieces)]
        for first, (start, _) in enumerate(pieces):
            for last in range(first, len(pieces)):
                size = counts[last + 1] - counts[first]
                if size > most:
                    break
                if size >= least:
                    yield digits[counts[first] : counts[last + 1]], start, pieces[last][1]


def _long_numbers(text: str) -> Iterator[tuple[int, int]]:
    """A citizen service number or a mobile phone that is stuck to other digits."""
    for run in re.finditer(r"[0-9]{10,}", text):
        start, end = run.span()
        if Phone.parse(run[0]).value or Phone.parse(f"+{run[0]}").value:
            continue
        for at in range(start, end - _BSN_DIGITS + 1):
            if Bsn.parse(text[at : at + _BSN_DIGITS]).status == "valid":
                yield at, at + _BSN_DIGITS


_POSTCODE = re.compile(
    r"(?<![0-9])([1-9][0-9]{3})([\s.\-]{0,3})([A-Za-z]{2})([\s,.\-]{0,3}[0-9]{1,5}(?![0-9])[A-Za-z]?\b)?"
)

_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}\Z")


def _postcodes(text: str) -> Iterator[tuple[int, int]]:
    """Four digits and two letters, with the house number behind it when there is one."""
    for match in _POSTCODE.finditer(text):
        letters, behind = match[3], text[match.end(3) : match.end(3) + 1]
        if letters.upper() in ("SA", "SD", "SS"):
            continue
        if behind.isalpha() and not (letters.isupper() and behind.isupper()):
            continue
        if (
            letters.islower()
            and match[2]
            and re.search(r"[0-9][\s.\-]\Z", text[max(0, match.start() - 2) : match.start()])
        ):
            continue  # the end of a longer number ("0612 34 5678 is"), which the others look at
        year = "1900" <= match[1] <= "2099" and match[2].isspace() and letters in lists().behind_a_year
        if not year or (match[4] and not _YEAR.search(match[4])):
            yield match.span()


_EMAIL = re.compile(
    r"[^\s@<>,;:()\"']{1,64} ?(?:@|\(at\)|\[at\]| apenstaartje ) ?[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,5}"
)


@lru_cache(maxsize=4)
def _date_pattern(names: Words) -> re.Pattern[str]:
    months = "|".join(sorted(names, key=len, reverse=True))
    return re.compile(
        rf"""(?<![0-9])(?:
        [0-3]?[0-9]\s?[-/.\s]\s?[01]?[0-9]\s?[-/.\s]\s?'?(?:19|20)?[0-9]{{2}}(?![0-9])
        | (?:19|20)[0-9]{{2}}\s?[-/.]\s?[01]?[0-9]\s?[-/.]\s?[0-3]?[0-9](?![0-9])
        | (?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:19|20)[0-9]{{2}}(?![0-9])
        | (?:19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9])
        | [0-3]?[0-9](?:e|ste|de|th|st|nd|rd)?(?:\sof)?[\s\-]{{1,3}}(?:{months})\b\.?
          (?:[\s\-',]{{1,3}}(?:19|20)?[0-9]{{2}}(?![0-9]))?
        )""",
        re.VERBOSE | re.IGNORECASE,
    )


_BORN = re.compile(
    r"\b(?:geboren|geb|geboortedatum|jarig|born)\b[^.!?\n0-9]{0,25}([0-9]{1,4}[^.!?\n,;]{0,14})", re.IGNORECASE
)


def _dates(text: str) -> Iterator[tuple[int, int]]:
    """A whole date, which may be a day of birth, and what follows 'geboren'."""
    for match in _date_pattern(lists().months).finditer(text):
        yield match.span()
    for match in _BORN.finditer(text):
        yield match.start(1), match.start(1) + len(match[1].rstrip())


# ── streets and names ───────────────────────────────────────────────────────────────────────────────────────

_NUMBER = (
    r"(?:,?[ \t]{0,2}(?:nr\.?|nummer|huisnummer|no\.?)?[ \t]{0,2}([0-9]{1,5}(?![0-9:])[ \t]?(?:[A-Za-z]\b|bis\b)?))"
)


@lru_cache(maxsize=4)
def _street_pattern(names: Words) -> re.Pattern[str]:
    ends = "|".join(sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w'])([\w'.\-]{{1,40}}?(?:{ends}))\b\.?{_NUMBER}?", re.IGNORECASE)


@lru_cache(maxsize=4)
def _begun_pattern(names: Words) -> re.Pattern[str]:
    begins = "|".join(sorted(names, key=len, reverse=True))
    return re.compile(rf"\b(?:{begins})\.?[ \t](?:[\w'.\-]{{1,30}}[ \t]){{0,5}}?{_NUMBER}", re.IGNORECASE)


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """A street with its number; a street with a capital also without."""
    for match in _street_pattern(lists().streets).finditer(text):
        known = match[1].casefold() in lists().not_streets
        if match[2] or (match[1][0].isupper() and not known):
            yield match.span()
    for match in _begun_pattern(lists().street_begins).finditer(text):
        yield match.span()


_WORD = re.compile(r"[^\W\d_]+(?:['\-][^\W\d_]+)*")
_SENTENCE_END = re.compile(
    r"(?:\A|[.!?\u2026\n\r]|:[ \t]*[\"'\u2018\u201c(])[\s\"'\u2018\u2019\u201c\u201d()\[\]*\u2022-]*\Z"
)
_SPELLED = 5
"""A word of capitals only, of at most so many, is an abbreviation (GGD) and no name."""


@lru_cache(maxsize=4)
def _known_names(given: Words, surnames: Words) -> frozenset[str]:
    return given | surnames


def _names(text: str) -> Iterator[tuple[int, int]]:
    """Words that are names by our lists, by what stands in front of them, or by a capital inside a sentence."""
    known = lists()
    names = _known_names(known.given_names, known.surnames)
    words = list(_WORD.finditer(text))
    for number, match in enumerate(words):
        word, small = match[0], match[0].casefold()
        capital = word[0].isupper()
        starts = _SENTENCE_END.search(text, max(0, match.start() - 12), match.start()) is not None
        abbreviation = word.isupper() and len(word) <= _SPELLED
        inside = capital and not starts and len(word) > 1 and not abbreviation and small not in known.capitals
        listed = small in known.given_names if not capital else small in names
        listed = listed and not ((starts or not capital) and small in known.also_words)
        if listed or inside or (number and _led(text, words, number, small, capital)):
            yield match.span()


def _led(text: str, words: list[re.Match[str]], number: int, small: str, capital: bool) -> bool:
    """Whether what stands right in front of this word says that it is a name."""
    before = text[max(0, words[number].start() - 24) : words[number].start()].casefold()
    if not before[-1:].isspace() and before[-1:] != ":":
        return False
    known = lists()
    front = " ".join(before.split())
    # `before` begins in the middle of a word when the text is longer; a lead of several words is short enough.
    if any(_ends_in(front, lead) for lead in known.leads):
        return small not in known.not_names
    return capital and len(small) > 1 and any(_ends_in(front.rstrip("."), title) for title in known.titles)


def _ends_in(text: str, words: str) -> bool:
    return text.endswith(words) and not text[: -len(words)][-1:].isalpha()
