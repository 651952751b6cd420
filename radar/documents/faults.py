"""What is wrong with a document, as Dutch sentences that name the line and say what to do."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.documents import Kind
from core.errors import SettingsError

MOST = 12
_TYPES = {
    "missing": "dit ontbreekt. Vul het in.",
    "extra_forbidden": "dit bestaat niet. Haal het weg of kijk of u het goed schreef.",
    "greater_than": "maak het groter dan {gt}.",
    "greater_than_equal": "maak het {ge} of meer.",
    "less_than": "maak het kleiner dan {lt}.",
    "less_than_equal": "maak het hoogstens {le}.",
    "literal_error": "kies een van deze: {expected}.",
    "string_type": "zet hier een tekst tussen aanhalingstekens.",
    "string_too_short": "vul hier iets in.",
    "string_too_long": "maak dit korter: hoogstens {max_length} tekens.",
    "string_pattern_mismatch": "gebruik alleen de tekens die hier mogen: {pattern}.",
    "too_short": "zet hier ten minste {min_length} in.",
    "too_long": "zet hier hoogstens {max_length} in.",
    "bool_type": "zet hier true of false.",
    "bool_parsing": "zet hier true of false.",
    "int_type": "zet hier een geheel getal.",
    "int_parsing": "zet hier een geheel getal.",
    "int_from_float": "zet hier een geheel getal.",
    "float_type": "zet hier een getal.",
    "float_parsing": "zet hier een getal.",
    "list_type": "zet hier een lijst.",
    "tuple_type": "zet hier een lijst.",
    "frozen_set_type": "zet hier een lijst.",
    "dict_type": "zet hier een groep velden.",
    "model_type": "zet hier een groep velden.",
}
_RULES = (
    ("each code once in its list", "Elke code mag maar één keer in zijn lijst staan."),
    ("two (questions|parts|acute signs) have the same code", "Twee vragen, delen of tekens hebben dezelfde code."),
    ("more than (\\d+) answers", "Er zijn te veel vragen: hoogstens {0}, met de toelichtingen erbij."),
    ("parts missing: (.*)", "Deze delen ontbreken: {0}."),
    ("(.*): choices belong to kind choice", "{0}: alleen een vraag van de soort choice heeft keuzes."),
    ("(.*): positive names no answer: (.*)", "{0}: dit is geen antwoord op deze vraag: {1}."),
    ("(.*): skipped_by must name an earlier part", "{0}: noem bij skipped_by een eerder deel."),
    ("(.*): no answer makes it positive", "{0}: geen enkel antwoord maakt dit deel positief."),
    ("fields that the text does not use: (.*)", "Deze velden komen niet in de tekst voor: {0}."),
    ("unknown fields: (.*)", "Deze velden bestaan niet: {0}. Kijk wat er tussen accolades staat."),
    ("not a plain field: (.*)", "Tussen accolades staat alleen een naam, niet: {0}."),
    ("a field has the name of one that every letter", "Een veld heeft de naam van een vast veld: kies een andere."),
    ("the subject stands in the properties", "In het onderwerp mogen alleen {regio}, {datum} en {kenmerk}."),
    ("terms missing or unknown: (.*)", "Deze termijnen ontbreken of bestaan niet: {0}."),
    ("no such decision: (.*)", "Dit besluit bestaat niet: {0}."),
    ("a reason without a purpose of grants.toml: (.*)", "Deze reden heeft een doel dat er niet is: {0}."),
    ("(.*): each age needs exactly one row", "{0}: elke leeftijd moet in precies één regel vallen."),
    ("a notice is a fixed text", "In een kort bericht wordt niets ingevuld, behalve {start} voor een partner."),
    ("a notice is short", "Een kort bericht heeft hoogstens 300 tekens."),
    ("unknown part to share: (.*)", "Dit kan niet worden gedeeld: {0}."),
    ("a BSN is never shared by default", "Een BSN wordt nooit zomaar gedeeld. Haal bsn weg bij shares."),
    ("a field is named twice", "Een veld staat er twee keer in."),
    ("(.*): options belong to a choice", "{0}: alleen een veld van de soort choice heeft options."),
    ("(.*): needed_when names no choice of this kind", "{0}: needed_when noemt een keuze die er niet is."),
    ("three kinds of reporter", "Er zijn precies drie soorten melders, en elke grond heeft een tekst."),
    ("every kind of grant needs its minutes", "Elke soort toegang heeft zijn minuten nodig."),
    ("the minutes of a kind lie", "De minuten liggen tussen 1 en het langste dat mag."),
    ("something is missing: (.*)", "Er ontbreekt iets: {0}."),
    ("The log review rules name other rules", "De regels van de controle moeten dezelfde namen houden."),
    ("least <= reports <= most", "Het aantal meldingen ligt tussen het minste en het meeste."),
    (
        "[Ee]xpected '}' before end|[Ss]ingle '}'",
        "Een accolade { of } staat alleen. Zet er een naam tussen, of haal haar weg.",
    ),
    ("[Ss]ingle '{'", "Een accolade { of } staat alleen. Zet er een naam tussen, of haal haar weg."),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (line from 1, and the place), and what to do about it."""

    said: str
    path: tuple[str | int, ...] = ()
    line: int | None = None

    @property
    def sentence(self) -> str:
        """'Regel 4, terms.x.amount: zet hier een geheel getal.'"""
        place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in self.path)
        where = ", ".join(part for part in (f"Regel {self.line}" if self.line else "", place) if part)
        return f"{where}: {self.said[:1].lower()}{self.said[1:]}" if where else self.said

    @property
    def vague(self) -> bool:
        """Whether it names no place."""
        return not self.path and self.line is None


def of(kind: Kind[Any], text: str) -> list[Fault]:
    """Everything that is wrong with this text for this kind; empty when it may be stored."""
    if not text.strip():
        return [Fault("Er staat niets in. Vul de tekst in.")]
    try:
        kind.read(text)
    except ValidationError as error:
        return list(dict.fromkeys(_of_field(text, one) for one in error.errors()))[:MOST]
    except json.JSONDecodeError as error:
        return [
            Fault("Dit is geen goede JSON. Kijk of er een komma of aanhalingsteken ontbreekt.", line=error.lineno)
        ]
    except tomllib.TOMLDecodeError as error:
        return [_of_toml(text, str(error))]
    except (ValueError, SettingsError) as error:
        return [Fault(_dutch(str(error)))]
    return []


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line (from 1) where this place stands, or the nearest that holds it; None when nothing of it is found."""
    lines, found = text.splitlines(), None
    start = 0
    for number, part in enumerate(path):
        if isinstance(part, int):
            before = [one for one in path[:number] if isinstance(one, str)]
            heads = [n for n, line in enumerate(lines) if before and line.strip() == f"[[{'.'.join(before)}]]"]
            if part < len(heads):
                start = found = heads[part]
            continue
        pattern = re.compile(rf"(?:^|[\[.,{{\s\"]){re.escape(part)}(?:$|[\].=\s\"])")
        hit = next((n for n in range(start, len(lines)) if pattern.search(lines[n].split("#")[0])), None)
        if hit is not None:
            start = found = hit
    return None if found is None else found + 1


def _of_field(text: str, error: ErrorDetails) -> Fault:
    path = tuple(part for part in error["loc"] if isinstance(part, str | int))
    if error["type"] == "value_error":
        said = _dutch(error["msg"].removeprefix("Value error, "))
    else:
        words = _TYPES.get(error["type"], "dit past hier niet. Kijk hoe het in de versie staat die nu geldt.")
        said = words.format(**error.get("ctx", {}))
        said = f"{said[:1].upper()}{said[1:]}"
    return Fault(said, path, line_of(text, path))


def _of_toml(text: str, message: str) -> Fault:
    at = re.search(r"at line (\d+)", message)
    line = int(at[1]) if at else len(text.splitlines())
    if "overwrite" in message:
        return Fault("Dit staat er al eerder in. Laat het één keer staan.", line=line)
    return Fault("Dit is niet goed te lezen. Kijk of elke tekst tussen aanhalingstekens staat.", line=line)


def _dutch(message: str) -> str:
    for pattern, sentence in _RULES:
        if found := re.search(pattern, message):
            for number, part in enumerate(found.groups()):
                sentence = sentence.replace(f"{{{number}}}", part)
            return sentence
    return message
