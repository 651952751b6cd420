"""What is searched for: read from a form, capped and checked before anything is compared (security.md F8)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Self

from core.errors import VeiligError
from core.identity import Bsn, Phone
from core.secrets import keyed_hash
from radar.linking import block
from radar.linking.normalise import Features, features, fold
from radar.linking.rules import Rules
from radar.search.policy import FieldKind, policy

LONGEST = 100
_POSTCODE = re.compile(r"[1-9][0-9]{3} ?[A-Za-z]{2}")
_HOUSE = re.compile(r"[0-9]{1,5}[ A-Za-z0-9/-]{0,10}")
_PARTS = {"birth_day": (1, 31), "birth_month": (1, 12), "birth_year": (1890, 2100)}


class TermsRefused(VeiligError):
    """Hiermee kunnen wij niet zoeken."""

    status = 400

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)
        """Field name to what is wrong with it, for beside the field."""


@dataclass(frozen=True, slots=True, repr=False)
class Terms:
    """The fields of a search as typed, trimmed; empty is not filled in. Its repr shows nothing."""

    given: str = ""
    surname: str = ""
    birth_day: str = ""
    birth_month: str = ""
    birth_year: str = ""
    bsn: str = ""
    phone: str = ""
    postcode: str = ""
    house_number: str = ""
    reference: str = ""

    @classmethod
    def read(cls, form: Mapping[str, str], rules: Rules) -> Self:
        """The terms of a form. Raises TermsRefused: too long, unreadable, wrong, or too little to search with.

        Whether it is too little follows from what was typed alone, never from what is known.
        """
        errors = {name: text for name in cls.__slots__ if (text := _unwritable(form.get(name, "")))}
        if errors:
            raise TermsRefused(errors)
        terms = cls(**{name: " ".join(form.get(name, "").split()) for name in cls.__slots__})
        if errors := terms._wrong() or terms._too_little(rules):
            raise TermsRefused(errors)
        return terms

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    def __repr__(self) -> str:
        return f"Terms({', '.join(self.fields)})"

    @property
    def fields(self) -> tuple[FieldKind, ...]:
        """Which kinds of data were filled in; a name is one, whatever its parts."""
        filled: dict[FieldKind, bool] = {
            "name": bool(self.given or self.surname),
            "birth": bool(self.birth_year),
            "bsn": bool(self.bsn),
            "phone": bool(self.phone),
            "address": bool(self.postcode),
            "reference": bool(self.reference),
        }
        return tuple(kind for kind, there in filled.items() if there)

    def hashed(self, rules: Rules) -> bytes:
        """Keyed hash of the folded terms: the same search again is found, what was searched for cannot be read."""
        return keyed_hash("search:" + json.dumps([fold(value, rules) for value in asdict(self).values()]))

    def person(self) -> dict[str, Any]:
        """The terms as a mention of somebody (intake.message), for the linker to compare. It is never stored."""
        found: dict[str, Any] = {"naam": {"voornamen": self.given, "geslachtsnaam": self.surname}}
        if self.birth_year:
            parts = f"{self.birth_year:0>4}{self.birth_month or 0:0>2}{self.birth_day or 0:0>2}"
            found["geboortedatum"] = {"tekst": parts}
        if self.bsn:
            found["bsn"] = self.bsn
        if self.phone:
            found["telefoonnummers"] = [self.phone]
        if self.postcode:
            found["adressen"] = [{"postcode": self.postcode, "huisnummer": self.house_number}]
        return found

    def turned(self) -> Terms:
        """The same with first name and surname in each other's field, where the keys of the linker ask for it."""
        return replace(self, given=self.surname, surname=self.given) if self.given and self.surname else self

    def features(self, rules: Rules) -> Features:
        """As the linker compares it. A phone or an address without a name may be searched with, unlike linked."""
        return replace(features(self.person(), rules), unnamed=False, role=None)

    def _wrong(self) -> dict[str, str]:
        """What was filled in and cannot be right."""
        wrong: dict[str, str] = {}
        for name, (lowest, highest) in _PARTS.items():
            value = getattr(self, name)
            if value and not (value.isascii() and value.isdecimal() and lowest <= int(value) <= highest):
                wrong[name] = f"Vul een getal in van {lowest} tot en met {highest}."
        if not wrong and (self.birth_year or self.birth_month or self.birth_day):
            wrong |= self._wrong_birth()
        if self.bsn and Bsn.parse(self.bsn).status != "valid":
            wrong["bsn"] = "Dit BSN klopt niet. Een BSN heeft negen cijfers."
        if self.phone and Phone.parse(self.phone).value is None:
            wrong["phone"] = (
                "Met dit telefoonnummer kunnen wij niet zoeken. Vul een Nederlands nummer in, met netnummer."
            )
        if self.postcode and not _POSTCODE.fullmatch(self.postcode):
            wrong["postcode"] = "Een postcode heeft vier cijfers en twee letters."
        elif self.house_number and not self.postcode:
            wrong["postcode"] = "Vul ook de postcode in."
        if self.house_number and not _HOUSE.fullmatch(self.house_number):
            wrong["house_number"] = "Een huisnummer begint met een cijfer, zoals 12 of 12-A."
        elif self.postcode and not self.house_number:
            wrong["house_number"] = "Vul ook het huisnummer in."
        return wrong

    def _wrong_birth(self) -> dict[str, str]:
        if not self.birth_year:
            return {"birth_year": "Vul ook het geboortejaar in. Een schatting mag."}
        if self.birth_day and not self.birth_month:
            return {"birth_month": "Vul bij een dag ook de maand in, of laat de dag leeg."}
        try:
            date(int(self.birth_year), int(self.birth_month or 1), int(self.birth_day or 1))
        except ValueError:
            return {"birth_day": "Deze dag bestaat niet in die maand."}
        return {}

    def _too_little(self, rules: Rules) -> dict[str, str]:
        filled = set(self.fields)
        if not filled & set(policy().enough) and len(filled) < policy().least_fields:
            return {
                "given": "Vul minstens twee soorten gegevens in, bijvoorbeeld naam en geboortedatum. "
                "Alleen een BSN of een kenmerk is ook genoeg."
            }
        said = self.features(rules)
        if filled != {"reference"} and not block.by_kind(said, rules, b"", rules.search_keys):
            return {"given": "Hiermee vinden wij niemand. Vul ook een voornaam of voorletter in, of de hele datum."}
        return {}


def _unwritable(text: str) -> str:
    """Why this text is refused before anything is done with it; empty when it is fine."""
    if len(text) > LONGEST:
        return f"Dit is te lang: hoogstens {LONGEST} tekens."
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\r\n" for char in text):
        return "Hier staat een teken in dat wij niet kunnen lezen. Typ het opnieuw."
    return ""
