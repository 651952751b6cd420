"""From one person in a report to comparable features. `features` is the only place that knows the JSON."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from core.identity import Address, Bsn, PartialDate, Phone
from core.identity.names import PREFIXES
from core.secrets import blind_hash, bsn_key, keyed_hash
from radar.linking.rules import Rules, load

MAX_LENGTH = 200
MAX_TOKENS = 12
MAX_VALUES = 6
_SEPARATORS = re.compile(r"[\s\-/–—,;()]+")  # noqa: RUF001 (dashes as people type them)
_APOSTROPHES = re.compile(r"[’`´‘]")  # noqa: RUF001
_NOT_LETTERS = re.compile(r"[^a-z]")
_DOTTED = re.compile(r"^(?:[^\W\d_]{1,2}\.)+[^\W\d_]?\.?$")
_CAPITALS = re.compile(r"^[BCDFGHJKLMNPQRSTVWXZ]{2,3}$")
"""'JP' without a vowel is no name."""
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
_MISREAD = re.compile(r"[ÃÂÄÅ]")
"""UTF-8 that was read as Windows-1252 shows one of these ('JosÃ©')."""
_SCANNED = str.maketrans("015", "ols")
_REMEMBERED = 200_000
"""Names and addresses come back all day: what was read of them is remembered, in this process only."""


class AddressKey(NamedTuple):
    """One address as far as it can be compared. Without postcode: street, number and place."""

    postcode: str = ""
    number: str = ""
    addition: str = ""
    street: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Features:
    """What is compared of one mention: folded text, bounded in number and length, never a raw BSN.

    `surnames`: own name and partner's name without prefixes, order of no meaning. `birth`: year, month, day; 0 is
    unknown. `sex`: M, V or empty. `role`: code of the jeugdzorgrol (standards.md 1.5).
    `unnamed`: no first name or initial; `unborn`: a child not born yet, which never links.
    """

    first_names: tuple[str, ...] = ()
    initials: str = ""
    surnames: tuple[str, ...] = ()
    prefix: str = ""
    generation: str = ""
    birth: tuple[int, int, int] = (0, 0, 0)
    sex: str = ""
    bsn: str = ""
    phones: tuple[str, ...] = ()
    addresses: tuple[AddressKey, ...] = ()
    role: int | None = None
    unnamed: bool = False
    unborn: bool = False

    @property
    def links(self) -> bool:
        """Whether this mention says enough about who it is: a BSN, a name of his own, or a surname and birth date."""
        if self.unborn:
            return False
        return bool(self.bsn) or not self.unnamed or bool(self.surnames and self.birth[2])


def features(
    person: Mapping[str, Any], rules: Rules | None = None, hasher: Callable[[str], bytes] = keyed_hash
) -> Features:
    """One betrokkene (intake.message, standards.md 10.1) as Features. Unknown and odd values are simply not there."""
    rules = rules or load()
    name = person.get("naam") or {}
    said = _name(
        rules,
        _text(name, "voornamen"),
        _text(name, "voorletters"),
        _text(name, "geslachtsnaam"),
        _text(name, "geslachtsnaamPartner"),
        _text(name, "voorvoegsel") or _text(name, "voorvoegselPartner"),
        _text(name, "volledigeNaam"),
    )
    bsn = Bsn.parse(_text(person, "bsn"))
    birth, unborn_date = _birth(person.get("geboortedatum"))
    unborn = said.unborn or unborn_date or bsn.status == "unborn"
    sex = _text(person, "geslacht").upper()
    return Features(
        first_names=() if unborn else said.first_names,
        initials="" if unborn else said.initials,
        surnames=said.surnames,
        prefix=said.prefix,
        generation=said.generation,
        birth=birth,
        sex=sex if sex in ("M", "V") else "",
        # Sealed at receipt, the number left its key behind (intake/vault.py).
        bsn=_text(person, "bsnSleutel") or (bsn_key(bsn.value, hasher) if bsn.value else ""),
        phones=_phones(person.get("telefoonnummers") or person.get("telefoon") or (), rules) + _blind_phones(person),
        addresses=_addresses(person.get("adressen") or (), rules) + _blind_addresses(person),
        role=_role(person.get("rol") or {}),
        unnamed=not (said.first_names or said.initials),
        unborn=unborn,
    )


class _Name(NamedTuple):
    first_names: tuple[str, ...]
    initials: str
    surnames: tuple[str, ...]
    prefix: str
    generation: str
    unborn: bool


@lru_cache(_REMEMBERED)
def _name(rules: Rules, first: str, initials: str, last: str, partner: str, prefix: str, full: str) -> _Name:
    if not first and (not last or "," in last):
        first, last = _split_full(last or full, rules)
    elif not first and len(_surnames([last], rules)[0]) == 1 and len(_own_words(last, rules)) > 1:
        # The whole name in the field of the surname.
        first, last = _split_full(last, rules)
    if _DOTTED.match(last) and len(first) > 1 and not _DOTTED.match(first):
        # 'Karabas' as first name with 'C.' as surname: in each other's field.
        first, last = last, first
    first_names, letters = _given(first or initials, rules)
    surnames, loose = _surnames([last, partner], rules)
    spoken = (*_words(first, rules), *_words(last, rules))
    words = {*first_names, *surnames, *spoken}
    return _Name(
        first_names,
        letters,
        tuple(one for one in surnames if one not in rules.unnamed),
        fold(prefix or loose, rules),
        next((rules.generations[word] for word in spoken if word in rules.generations), ""),
        bool(words & rules.unborn),
    )


@lru_cache(_REMEMBERED)
def fold(text: str, rules: Rules) -> str:
    """Lower case Latin letters without accents, words apart by one space; at most MAX_LENGTH characters.

    Text that was damaged on its way (HTML entities, UTF-8 read as another encoding) is mended first.
    """
    text = text[:MAX_LENGTH]
    if not text.isascii():
        text = _mended(text)
    if "&" in text:
        text = html.unescape(text)
    capped = _APOSTROPHES.sub("'", text).lower().translate(rules.letter_table)
    if not capped.isascii():
        plain = unicodedata.normalize("NFKD", capped)
        capped = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(_SEPARATORS.sub(" ", capped).split())[:MAX_LENGTH]


def _mended(text: str) -> str:
    """'JosÃ©' was 'José'; text that was read rightly comes back as it is."""
    if not _MISREAD.search(text):
        return text
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text


def sound(text: str, rules: Rules) -> str:
    """The consonants as one hears them: 'Janssen' and 'Jansen', 'Yildiz' and 'Jildis' come out the same."""
    return rules.sound_of(text)


@lru_cache(_REMEMBERED)
def bare(surname: str, rules: Rules) -> str:
    """A surname without an article written against it: 'elamrani' → 'amrani'."""
    for article in rules.articles:
        if surname.startswith(article) and len(surname) - len(article) >= 4:
            return surname[len(article) :]
    return surname


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value.strip()[: MAX_LENGTH * 2] if isinstance(value, str) else ""


@lru_cache(_REMEMBERED)
def _words(text: str, rules: Rules) -> tuple[str, ...]:
    found = (_letters(word) for word in fold(text, rules).split())
    return tuple([word for word in found if word][:MAX_TOKENS])


def _letters(word: str) -> str:
    """Only letters; a digit between letters is a letter that a scanner misread ('j0hannes')."""
    if word.isalpha():
        return word
    if any(char.isalpha() for char in word):
        word = word.translate(_SCANNED)
    return _NOT_LETTERS.sub("", word)


@lru_cache(maxsize=1)
def _prefix_words() -> frozenset[str]:
    """Every word of the prefix table, letters only; 'a', 'd', 'i', 'l' and 's' alone would eat initials."""
    lines = PREFIXES.read_text(encoding="utf-8").splitlines()
    words = {_NOT_LETTERS.sub("", word) for line in lines if not line.startswith("#") for word in line.split()}
    return frozenset({word for word in words if len(word) > 1} | {"t", "vd", "vdr", "vander", "vanden"})


def _given(text: str, rules: Rules) -> tuple[tuple[str, ...], str]:
    """Full first names and the initials: 'Maria J.' gives ('maria',) and 'mj'; 'J.P.' and 'JP' give () and 'jp'."""
    names: list[str] = []
    initials = ""
    spoken = _words(text, rules)
    if (spoken and spoken[0] in rules.unnamed and "van" in spoken) or rules.and_words & set(spoken[1:-1]):
        # 'Zoon van Jan' names the father, 'Jan en Mia' a couple: neither is the name of one person.
        return (), ""
    for raw in text[:MAX_LENGTH].split()[:MAX_TOKENS]:
        dotted = bool(_DOTTED.match(raw)) or bool(_CAPITALS.match(raw))
        if dotted:
            raw = " ".join(raw) if _CAPITALS.match(raw) else raw.replace(".", " ")
        words = _words(raw, rules)
        if "".join(words) in rules.not_given:
            continue
        for word in words:
            if word in rules.not_given or (word in _prefix_words() and not dotted):
                continue
            initials += word[0]
            if len(word) > 1 and not dotted:
                names.append(word)
    return tuple(names[:MAX_VALUES]), initials[:MAX_TOKENS]


def _surnames(texts: list[str], rules: Rules) -> tuple[tuple[str, ...], str]:
    """Own and partner's surname without prefixes, each one word; and the prefix that was found on the way."""
    found: list[str] = []
    prefix: list[str] = []
    for text in texts:
        parts = re.split(r"\s*[-–—/]\s*|\s+e\.?v\.?\s+", text[:MAX_LENGTH])  # noqa: RUF001
        joined = ""
        for part in parts[:MAX_TOKENS]:
            words: Sequence[str] = _words(part.replace(".", " "), rules)
            if len(words) > 1 and all(len(word) == 1 for word in words):
                continue
            words = [word for word in words if word not in rules.titles and word not in rules.generations]
            core = [word for word in words if word not in _prefix_words() or word in rules.articles]
            core = [word for word in core if len(word) > 1] or core
            prefix += [word for word in words if word not in core]
            joined += "".join(core)
            if joined in rules.articles:
                continue
            if len(joined) > 1 and joined not in found:
                found.append(joined)
            joined = ""
    return tuple(found[:MAX_VALUES]), " ".join(prefix[:3])


def _own_words(text: str, rules: Rules) -> list[str]:
    """The words of a name without prefixes, titles and initials."""
    return [
        word
        for word in _words(text.replace(".", " "), rules)
        if len(word) > 1 and word not in _prefix_words() and word not in rules.articles and word not in rules.titles
    ]


def _split_full(text: str, rules: Rules) -> tuple[str, str]:
    """A full name in one field: the last word is the surname, with the prefix words before it."""
    if "," in text:
        last, _, first = text.partition(",")
        return first.strip(), last.strip()
    raw = text.split()[:MAX_TOKENS]
    cut = len(raw) - 1
    while cut > 1 and "".join(_words(raw[cut - 1], rules)) in _prefix_words() | set(rules.articles):
        cut -= 1
    return " ".join(raw[:cut]), " ".join(raw[cut:])


def _birth(stored: Any) -> tuple[tuple[int, int, int], bool]:
    """Year, month, day (0 is unknown), and whether the date says that the child is not born yet.

    1 January stands for "only the year is known": many registrations from abroad.
    """
    match stored:
        case {"tekst": str() as text, **rest}:
            return _written_birth(text, str(rest.get("indicatie") or "V"))
        case {"jaar": _, "maand": _, "dag": _, "raw": _}:
            return _usable(PartialDate.from_json(stored))
        case _:
            return (0, 0, 0), False


@lru_cache(_REMEMBERED)
def _written_birth(text: str, trusted: str) -> tuple[tuple[int, int, int], bool]:
    return _usable(PartialDate.from_stuf(text, trusted))


def _usable(day: PartialDate) -> tuple[tuple[int, int, int], bool]:
    if not day.year or not 1890 <= day.year <= 2100:
        return (0, 0, 0), day.unborn
    if (day.month, day.day) == (1, 1):
        return (day.year, 0, 0), False
    return (day.year, day.month or 0, day.day or 0), False


def _phones(stored: Any, rules: Rules) -> tuple[str, ...]:
    """Numbers in E.164; switchboards, service numbers and numbers like 0600000000 are nobody's own."""
    found = [_phone(str(one)[:40]) for one in list(stored)[:MAX_VALUES]]
    return tuple(dict.fromkeys(one for one in found if one and one not in rules.stop_phones))


@lru_cache(_REMEMBERED)
def _phone(text: str) -> str | None:
    value = Phone.parse(text).value
    return value if value and len(set(value[4:])) > 1 else None


def _addresses(stored: Any, rules: Rules) -> tuple[AddressKey, ...]:
    """Dutch addresses with a house number and a postcode, or a street and place; no known institutions."""
    found: list[AddressKey] = []
    for one in list(stored)[:MAX_VALUES]:
        if not isinstance(one, Mapping) or one.get("gebied") == "buitenland":
            continue
        key = _address(
            rules,
            _text(one, "straat"),
            _text(one, "huisnummer"),
            _text(one, "huisletter"),
            _text(one, "toevoeging"),
            _text(one, "postcode"),
            _text(one, "woonplaats"),
        )
        if key and key not in found:
            found.append(key)
    return tuple(found)


@lru_cache(_REMEMBERED)
def _address(
    rules: Rules, street: str, number: str, letter: str, addition: str, postcode: str, place: str
) -> AddressKey | None:
    address = Address.parse(
        street=street, house_number=number, house_letter=letter, addition=addition, postcode=postcode, city=place
    )
    folded = fold(address.street, rules)
    if address.house_number is None or set(folded.split()) & rules.institution_words:
        return None
    key = AddressKey(
        address.postcode if address.postcode_status == "complete" else "",
        str(address.house_number),
        _NOT_ALPHANUMERIC.sub("", fold(address.house_letter + address.addition, rules))[:10],
        _NOT_LETTERS.sub("", folded)[:40],
        _NOT_LETTERS.sub("", fold(address.city, rules))[:40],
    )
    return key if key.postcode or (key.street and key.place) else None


# ── protected persons: comparable, not readable ─────────────────────────────────────────────────────────────────

BLIND_ADDRESSES, BLIND_PHONES = "blindAdressen", "blindTelefoon"


def is_blind(value: AddressKey | str) -> bool:
    """Whether this address or phone number is a keyed hash."""
    return (value if isinstance(value, str) else value.number)[:1] == "#"


def blind(address: AddressKey) -> AddressKey:
    """The same address as keyed hashes: what is equal stays equal, what is missing stays missing."""
    if is_blind(address):
        return address
    whole = bool(address.street and address.place)
    return AddressKey(
        blind_hash(address.postcode) if address.postcode else "",
        blind_hash(address.number),
        blind_hash(address.addition) if address.addition else "",
        blind_hash(f"{address.street} {address.place}") if whole else "",
        "#" if whole else "",
    )


def blind_phone(phone: str) -> str:
    """The same phone number as a keyed hash."""
    return phone if is_blind(phone) else blind_hash(phone)


def blind_evidence(person: Mapping[str, Any], rules: Rules) -> dict[str, list[str]]:
    """What a protected person links with instead of his addresses and phone numbers (mention.blind)."""
    return {
        BLIND_ADDRESSES: ["|".join(blind(one)) for one in _addresses(person.get("adressen") or (), rules)],
        BLIND_PHONES: [blind_phone(one) for one in _phones(person.get("telefoonnummers") or (), rules)],
    }


def _blind_addresses(person: Mapping[str, Any]) -> tuple[AddressKey, ...]:
    return tuple(AddressKey(*one.split("|")) for one in person.get(BLIND_ADDRESSES) or ())


def _blind_phones(person: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(person.get(BLIND_PHONES) or ())


def _role(stored: Mapping[str, Any]) -> int | None:
    code = stored.get("code")
    return int(code) if isinstance(code, int | str) and str(code).isdecimal() else None
