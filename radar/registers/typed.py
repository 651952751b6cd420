"""What somebody typed or a file held, read into the values of a register; each error says what to do. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from radar.registers.kinds import Field, Register

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)
_DAY = (
    (re.compile(r"(\d{4})-(\d{2})-(\d{2})"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})"), (3, 2, 1)),
    (re.compile(r"(\d{4})(\d{2})(\d{2})"), (1, 2, 3)),
)
_PHONE = re.compile(r"\+?[0-9][0-9 ()-]{1,28}")


class Said(str):
    """A sentence with values in it, that remembers how it was made: so that it can be said in another language."""

    template: str
    values: dict[str, Any]


def said(template: str, **values: Any) -> Said:
    """`template` with its values, as `str.format` does."""
    made = Said(template.format(**values))
    made.template, made.values = template, values
    return made


@dataclass(frozen=True, slots=True)
class Names:
    """The teams that a field may name, by id: ours, and partners; and the first and last day of each."""

    ours: Mapping[UUID, str]
    partners: Mapping[UUID, str]
    days: Mapping[UUID, tuple[date, date | None]]

    def name(self, team: UUID) -> str:
        """The name of a team, whichever kind it is."""
        return self.ours.get(team) or self.partners.get(team) or ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Column to value, and field name to what is wrong with it."""

    values: dict[str, Any]
    errors: dict[str, str]


def parse(register: Register, typed: Mapping[str, str], names: Names) -> Parsed:
    """Every field of the register from what was typed; a field that is missing counts as empty."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for one in register.fields:
        text = unicodedata.normalize("NFC", typed.get(one.name, "")).strip()
        if not text:
            values[one.column] = None
            if one.needed:
                errors[one.name] = "Vul dit in."
            continue
        try:
            values[one.column] = _value(one, text, names)
        except ValueError as error:
            values[one.column], errors[one.name] = None, error.args[0]
    for name, text in _together(register, values).items():
        errors.setdefault(name, text)
    return Parsed(values, errors)


def shown(one: Field, value: Any, names: Names) -> str:
    """A value as it is typed: what `parse` reads back as the same value."""
    if value is None:
        return ""
    if one.kind in ("ours", "partner"):
        return names.name(UUID(str(value)))
    return one.options.get(str(value), str(value)) if one.kind == "choice" else str(value)


def _value(one: Field, text: str, names: Names) -> Any:
    if len(text) > one.longest:
        raise ValueError(said("Maak dit korter: ten hoogste {most} tekens.", most=one.longest))
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co") for sign in text):
        raise ValueError("Haal de onzichtbare tekens weg: typ het opnieuw.")
    match one.kind:
        case "day":
            return _day(text)
        case "code":
            return _digits(text, 4, "Een gemeentecode heeft 4 cijfers, bijvoorbeeld 0363.")
        case "oin":
            return _digits(text, 20, "Een OIN heeft precies 20 cijfers.")
        case "postcode":
            number = int(_digits(text, 4, "Vul alleen de 4 cijfers van de postcode in, bijvoorbeeld 1234."))
            if number < 1000:
                raise ValueError("Een postcode begint niet met een nul.")
            return number
        case "application":
            if not 3 <= len(text) <= 50:
                raise ValueError("Gebruik 3 tot 50 tekens.")
            return text
        case "phone":
            if not _PHONE.fullmatch(text):
                raise ValueError("Vul een telefoonnummer in, bijvoorbeeld 088 123 45 67.")
            return text
        case "url":
            return _address(text)
        case "certificate":
            plain = text.replace(":", "").replace(" ", "").lower()
            if not re.fullmatch(r"[0-9a-f]{64}", plain):
                raise ValueError("Een vingerafdruk (SHA-256) heeft 64 tekens: 0-9 en a-f.")
            return plain
        case "choice":
            for code, words in one.options.items():
                if text.casefold() in (code.casefold(), words.casefold()):
                    return code
            raise ValueError(said("Kies een van deze: {names}.", names=", ".join(one.options.values())))
        case "ours" | "partner":
            return _team(text, names.ours if one.kind == "ours" else names.partners, one.kind == "ours")
        case _:
            return text


def _team(text: str, known: Mapping[UUID, str], ours: bool) -> UUID:
    for team, name in known.items():
        if text.casefold() in (name.casefold(), str(team)):
            return team
    raise ValueError(
        "Kies een van onze teams, of voeg het eerst toe bij Teams."
        if ours
        else "Kies een partner uit de lijst, of voeg die eerst toe bij Partners."
    )


def _digits(text: str, length: int, sentence: str) -> str:
    if len(text) != length or not text.isascii() or not text.isdecimal():
        raise ValueError(sentence)
    return text


def _day(text: str) -> date:
    for pattern, order in _DAY:
        if found := pattern.fullmatch(text):
            try:
                day = date(*(int(found[part]) for part in order))
            except ValueError:
                break
            if FIRST_DAY <= day <= LAST_DAY:
                return day
            break
    raise ValueError("Vul een datum in die bestaat, bijvoorbeeld 2027-01-31.")


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for what is no port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or parts.username or not text.isascii() or " " in text:
        raise ValueError("Vul een volledig adres in dat begint met https://, zonder spaties of inlognaam.")
    return text


def _together(register: Register, values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with fields together."""
    found = {}
    since = values.get("valid_from")
    until = values.get("valid_to") or values.get("valid_until")
    if since and until and until < since:
        found["geldig_tot"] = "De laatste dag ligt voor de eerste. Kies een latere dag."
    if register.path == "gemeenten" and values["successor"]:
        if not until:
            found["geldig_tot"] = "Vul de laatste dag in: een gemeente met een opvolger is geëindigd."
        if values["successor"] == values["code"]:
            found["opvolger"] = "Een gemeente kan niet haar eigen opvolger zijn."
    if register.path == "routering":
        first, last = values["postcode_from"], values["postcode_to"]
        if (first is None) != (last is None):
            found["postcode_tot" if last is None else "postcode_van"] = "Vul beide postcodes in, of geen van beide."
        elif first is None and values["place"] is None:
            found["plaats"] = "Vul een plaats in, of een reeks postcodes."
        elif first is not None and last < first:
            found["postcode_tot"] = "De laatste postcode is lager dan de eerste."
    return found
