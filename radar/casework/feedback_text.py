"""The words of a feedback (feedback.toml) and what to look at twice before it goes out. Pure but for the file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from core.calendar import MONTHS
from core.documents import Kind, Table
from core.identity import Bsn, PartialDate, Phone

Moment = Literal["assessment", "closing"]
ReporterKind = Literal["police", "professional", "citizen"]
MOMENTS: dict[str, str] = {"assessment": "Na de veiligheidsbeoordeling", "closing": "Bij het afsluiten"}
FILE = Path(__file__).with_name("feedback.toml")
_FIELDS = {"kenmerk", "organisatie", "zicht"}
_NUMBERS = re.compile(r"(?<![0-9])[0-9](?:[ .\-]?[0-9]){7,8}(?![0-9])")
_POSTCODE = re.compile(r"\b[1-9][0-9]{3} ?[A-Z]{2}\b")
_DAYS = re.compile(r"\b([0-3]?[0-9])[-/. ]([01]?[0-9])[-/. ]((?:19|20)[0-9]{2})\b")
_AGREEMENTS = re.compile(r"voorwaarde|veiligheidsafspra|monitor", re.IGNORECASE)


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PerReporter(_Data):
    """One text per kind of reporter."""

    police: str
    professional: str
    citizen: str

    def of(self, kind: ReporterKind) -> str:
        text: str = getattr(self, kind)
        return text


class _Reporters(_Data):
    police: list[str]
    professional: list[str]


class Texts(_Data):
    """The whole file."""

    version: str
    reporters: _Reporters
    organisations: dict[str, str]
    watch: dict[Literal["veilig_thuis", "partner", "reporter"], PerReporter]
    assessment: dict[str, PerReporter]
    closing: dict[str, PerReporter]


def _checked(table: Table) -> Texts:
    found = Texts.model_validate(table)
    every = [*found.watch.values(), *found.assessment.values(), *found.closing.values()]
    used = {name for one in every for text in one.model_dump().values() for _, name, _, _ in Formatter().parse(text)}
    if wrong := used - _FIELDS - {None}:
        raise ValueError(f"unknown fields: {', '.join(sorted(str(name) for name in wrong))}")
    return found


texts = Kind("feedback", "file of texts", lambda: FILE, _checked, per_region=True)
"""The texts in force. Raises SettingsError when the file is wrong."""


def kind_of(reporter_kind: str) -> ReporterKind:
    """Who a sender's kind is for us. Whoever is not known as a professional is told as little as a citizen."""
    reporters = texts().reporters
    if reporter_kind in reporters.police:
        return "police"
    return "professional" if reporter_kind in reporters.professional else "citizen"


def knows(moment: Moment, code: str) -> bool:
    """Whether there is a text for this code at this moment."""
    return code in getattr(texts(), moment)


def organisation(kind: ReporterKind, name: str | None, team_kind: str | None) -> str:
    """To whom it was handed over, as this reporter may read it: its name, or for a citizen what it is."""
    words = texts().organisations
    if kind == "citizen" or not name:
        return words.get(team_kind or "unknown", words["unknown"])
    return name


def proposal(
    moment: Moment, code: str, kind: ReporterKind, *, reference: str, handed_to: str, holder: str | None, watch: str
) -> str:
    """The proposed text. `holder` is who has the safety watch (None: the case is closed), `watch` its name."""
    chosen: PerReporter = getattr(texts(), moment)[code]
    parts = [chosen.of(kind)]
    if holder in texts().watch:
        parts.append(texts().watch[holder].of(kind))
    values = {"kenmerk": reference, "organisatie": handed_to, "zicht": watch}
    return " ".join(part.format_map(values) for part in parts if part)


def personal_data(text: str, persons: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of these persons, or what that looks like theirs, stands in a text: each as a Dutch sentence part.

    Names, BSN, birth date, telephone and address; spelled with or without accents and capitals.
    """
    plain = _plain(text)
    found: dict[str, None] = {}
    for person in persons:
        for label, values in _own(person).items():
            for value in values:
                if _mentions(plain, value):
                    found[f"{label} '{value}'"] = None
    if any(Bsn.parse(number).status == "valid" for number in _NUMBERS.findall(text)):
        found["een BSN"] = None
    if _POSTCODE.search(text.upper()):
        found["een postcode"] = None
    births = {birth for person in persons if (birth := _birth(person))}
    days = {(int(year), int(month), int(day)) for day, month, year in _DAYS.findall(text)}
    if births & days or any(f"{day} {MONTHS[month - 1]} {year}" in plain for year, month, day in births):
        found["een geboortedatum"] = None
    return list(found)


def speaks_of_agreements(text: str) -> bool:
    """Whether it seems to speak of conditions or monitoring, which only a reporter with a role in them may read."""
    return _AGREEMENTS.search(text) is not None


def quotes(text: str, conditions: Iterable[str]) -> bool:
    """Whether a condition itself stands in the text."""
    plain = " ".join(_plain(text).split())
    return any(len(one) > 3 and one in plain for one in (" ".join(_plain(text).split()) for text in conditions))


def _own(person: Mapping[str, Any]) -> dict[str, list[str]]:
    name = person.get("naam") or {}
    addresses = person.get("adressen") or []
    given = str(name.get("voornamen") or "").split()
    full = str(name.get("volledigeNaam") or "").split()
    streets = [str(one["straat"]) for one in addresses if one.get("straat")]
    numbers = [phone.value for raw in person.get("telefoonnummers") or [] if (phone := Phone.parse(raw)).value]
    return {
        "de naam": [part for part in (*given, *str(name.get("geslachtsnaam") or "").split(), *full) if len(part) > 1],
        "de straat": streets,
        "het telefoonnummer": [f"0{number[3:]}" for number in numbers if number],
    }


def _birth(person: Mapping[str, Any]) -> tuple[int, int, int] | None:
    sent = person.get("geboortedatum") or {}
    day = PartialDate.from_stuf(str(sent.get("tekst", "")), sent.get("indicatie")) if sent else None
    if day is None or not (day.year and day.month and day.day):
        return None
    return day.year, day.month, day.day


def _mentions(plain: str, value: str) -> bool:
    looked_for = _plain(value)
    if looked_for.isdigit():
        return looked_for in re.sub(r"[ .\-/]", "", plain)
    return re.search(rf"(?<!\w){re.escape(looked_for)}(?!\w)", plain) is not None


def _plain(text: str) -> str:
    """Without accents and capitals."""
    spread = unicodedata.normalize("NFKD", text)
    return "".join(one for one in spread if not unicodedata.combining(one)).casefold()
