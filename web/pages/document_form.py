"""Documents as forms: which parts of a document are rows, paragraphs or texts, and how typed fields become a table.

Field names are the places in the document with dots between them: `capacities.3.text`. What is not in a form stays as
it is. A kind without a form is edited as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from radar.documents.faults import Fault
from web.language import constants, t

Fields = dict[str, str]
Kind = Literal["line", "long", "date", "select", "check", "number"]
GROUPS = constants(
    {
        "professional": "Beroepskracht",
        "citizen": "Burger",
        "domestic": "Huiselijk geweld",
        "child": "Alleen bij kinderen",
        "any": "Altijd",
    }
)
WRONG_DATE = "Schrijf de datum als jaar-maand-dag, zoals 2027-05-07."
WRONG_NUMBER = "Vul hier een heel getal in."


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row. `options` are pairs for a select."""

    name: str
    label: str
    kind: Kind = "line"
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of rows; with `keyed` a table whose keys are the first column."""

    path: str
    title: str
    hint: str
    columns: tuple[Column, ...]
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """A list of texts; `numbers`: of years, on one line."""

    path: str
    title: str
    hint: str
    numbers: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text below this place, each in a field of its own; none is added or removed."""

    path: str
    title: str
    hint: str = ""


Section = Rows | Lines | Texts
_CODE = (Column("code", "Code"), Column("text", "Tekst"))
_ENDED = Column("ended", "Niet meer te kiezen", "check")


def _options(*codes: str) -> tuple[tuple[str, str], ...]:
    return tuple((code, GROUPS[code]) for code in codes)


_LETTER: tuple[Section, ...] = (
    Texts("subject", "Onderwerp"),
    Lines("paragraphs", "Alinea's", "Tussen accolades staat wat wordt ingevuld, zoals {aan}."),
    Rows(
        "fields",
        "Wat de medewerker invult",
        "De naam staat in de alinea's tussen accolades.",
        (
            Column("naam", "Naam"),
            Column("label", "Vraag aan de medewerker"),
            Column("longest", "Hoogstens zoveel tekens", "number"),
            Column("optional", "Mag leeg blijven", "check"),
        ),
        keyed=True,
    ),
)
FORMS: Mapping[str, tuple[Section, ...]] = {
    "holidays": (
        Lines("years", "Jaren waarvan het besluit bekend is", "Schrijf een komma tussen de jaren.", numbers=True),
        Rows(
            "day",
            "Vrije dagen",
            "De erkende feestdagen zoals Pasen staan hier niet bij.",
            (Column("date", "Datum (jaar-maand-dag)", "date"), Column("source", "Bron, zoals Stcrt. 2025, 24713")),
        ),
    ),
    "code_lists": (
        Rows(
            "capacities",
            "Hoedanigheid",
            "",
            (*_CODE, Column("group", "Groep", "select", _options("professional", "citizen")), _ENDED),
        ),
        Rows(
            "occasions",
            "Aanleiding",
            "",
            (*_CODE, Column("group", "Groep", "select", _options("domestic", "child")), _ENDED),
        ),
        Rows(
            "natures",
            "Aard van het geweld",
            "",
            (*_CODE, Column("group", "Groep", "select", _options("any", "child")), _ENDED),
        ),
    ),
    "feedback": (
        Texts("organisations", "Hoe een organisatie heet voor een burger"),
        Texts("watch", "Wie zicht houdt"),
        Texts("assessment", "Na de veiligheidsbeoordeling"),
        Texts("closing", "Bij het afsluiten"),
    ),
    "notices": (Texts("notices", "Berichten"),),
    "legal_forms": (
        Rows(
            "forms",
            "Rechtsvormen",
            "",
            (
                Column("naam", "Code"),
                Column("title", "Naam"),
                Column("remedy", "Wat iemand kan doen", "long"),
                Column("weeks", "Binnen zoveel weken", "number"),
                Column("source", "Bron"),
                Column("verified", "Nagekeken door een jurist", "check"),
            ),
            keyed=True,
        ),
    ),
    "others": (Lines("words", "Woorden", "Eén woord per veld."),),
}
KEY = "naam"
LEAVES = constants(
    {
        "police": "politie",
        "professional": "beroepskracht",
        "citizen": "burger",
        "title": "naam",
        "subject": "onderwerp",
        "text": "tekst",
        "audience": "voor wie",
        "local_team": "lokaal team",
        "partner": "partner",
        "multidisciplinary": "overleg van organisaties",
        "child_protection_board": "Raad voor de Kinderbescherming",
        "other_region": "andere regio",
        "veilig_thuis": "Veilig Thuis",
        "reporter": "melder",
        "unknown": "onbekend",
    }
)
constants(
    {
        f"{code}.{section.path}.{number}": text
        for code, sections in {**FORMS, "letter": _LETTER}.items()
        for section in sections
        for number, text in enumerate(
            (
                section.title,
                section.hint,
                *((one.label for one in section.columns) if isinstance(section, Rows) else ()),
            )
        )
        if text
    }
)


def sections_of(code: str) -> tuple[Section, ...]:
    """The form of a kind; empty for a kind that is edited as text."""
    return _LETTER if code.startswith("letter.") else FORMS.get(code, ())


def fields_of(sections: Sequence[Section], table: Mapping[str, Any]) -> Fields:
    """What a form shows of a document."""
    found: Fields = {}
    for section in sections:
        value = _at(table, section.path)
        if isinstance(section, Rows):
            for number, row in enumerate(_rows(section, value), start=1):
                for column in section.columns:
                    found[f"{section.path}.{number}.{column.name}"] = _shown(row.get(column.name))
        elif isinstance(section, Lines) and section.numbers:
            found[section.path] = ", ".join(str(one) for one in value or ())
        elif isinstance(section, Lines):
            found |= {f"{section.path}.{number}": str(one) for number, one in enumerate(value or (), start=1)}
        else:
            found |= {place: text for place, text in _leaves(value, section.path)}
    return found


def place_name(place: str) -> str:
    """What a text in a group is called: 'VT-01-02, politie'."""
    parts = place.split(".")
    return ", ".join(t(LEAVES.get(part, part)) for part in (parts[1:] or parts))


def count_of(section: Rows | Lines, typed: Mapping[str, str]) -> int:
    """How many rows a form has, the empty ones counted."""
    numbers = [
        int(name.split(".")[1])
        for name in typed
        if name.startswith(f"{section.path}.") and name.split(".")[1].isdecimal()
    ]
    return min(max(numbers, default=0), 400)


def table_of(sections: Sequence[Section], base: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """The document with what was typed in place of what the form shows; empty and struck rows are left out.

    What cannot be read (a date) stays the text that was typed: the checks of the document refuse it.
    """
    table = deepcopy(dict(base))
    for section in sections:
        if isinstance(section, Rows):
            rows = [row for number in range(1, count_of(section, typed) + 1) if (row := _row(section, number, typed))]
            table[section.path] = _by_key(rows) if section.keyed else rows
        elif isinstance(section, Lines) and section.numbers:
            parts = [part.strip() for part in typed.get(section.path, "").split(",")]
            table[section.path] = [
                int(part) if part.isdecimal() and len(part) < 6 else part for part in parts if part
            ]
        elif isinstance(section, Lines):
            found = [
                typed.get(f"{section.path}.{number}", "")
                for number in range(1, count_of(section, typed) + 1)
                if not typed.get(f"{section.path}.{number}.weg")
            ]
            table[section.path] = [_plain(text) for text in found if text.strip()]
        else:
            for place, _ in list(_leaves(_at(table, section.path), section.path)):
                if place in typed:
                    _put(table, place, _plain(typed[place]))
    return table


def errors_of(sections: Sequence[Section], table: Mapping[str, Any], faults: Sequence[Fault]) -> dict[str, str]:
    """Each fault beside its field, in the form of `fields_of(sections, table)`; what has no field goes on top."""
    fields = fields_of(sections, table)
    found: dict[str, str] = {}
    for section in sections:
        if isinstance(section, Rows):
            for number, row in enumerate(_rows(section, _at(table, section.path)), start=1):
                for column in section.columns:
                    value, place = row.get(column.name), f"{section.path}.{number}.{column.name}"
                    if column.kind == "date" and type(value) is not date:
                        found[place] = WRONG_DATE
                    elif column.kind == "number" and isinstance(value, str):
                        found[place] = WRONG_NUMBER
    keyed = {section.path: section for section in sections if isinstance(section, Rows) and section.keyed}
    for fault in faults:
        path = list(fault.path)
        if path and path[0] in keyed and len(path) > 1:
            path[1] = (
                list(_at(table, str(path[0])) or {}).index(path[1]) if path[1] in _at(table, str(path[0])) else 0
            )
        name = ".".join(str(part + 1 if isinstance(part, int) else part) for part in path)
        if name in fields:
            found.setdefault(name, fault.said)
        elif not found or not fault.vague:
            found.setdefault("document", fault.sentence)
    return found


def _row(section: Rows, number: int, typed: Mapping[str, str]) -> dict[str, Any] | None:
    """One row as typed; None when it is empty or struck."""
    prefix = f"{section.path}.{number}."
    if typed.get(f"{prefix}weg"):
        return None
    given = {column.name: typed.get(f"{prefix}{column.name}", "").strip() for column in section.columns}
    if not any(text for column, text in zip(section.columns, given.values(), strict=True) if column.kind != "check"):
        return None
    row: dict[str, Any] = {}
    for column in section.columns:
        text = given[column.name]
        if column.kind == "check":
            if text or column.name == "verified":
                row[column.name] = bool(text)
        elif column.kind == "number" and not text:
            continue
        else:
            row[column.name] = _read(column.kind, text)
    return row


def _by_key(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The rows by their names. A name that is there already gets a mark, so that nothing typed is lost."""
    found: dict[str, Any] = {}
    for row in rows:
        name = str(row.pop(KEY, ""))
        while name in found:
            name += "_2"
        found[name] = row
    return found


def _read(kind: Kind, text: str) -> Any:
    if kind == "date":
        try:
            return date.fromisoformat(text)
        except ValueError:
            return text
    if kind == "number":
        return int(text) if text.isdecimal() and len(text) < 9 else text
    return _plain(text) if kind == "long" else text


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _rows(section: Rows, value: Any) -> list[Mapping[str, Any]]:
    if section.keyed:
        return [{KEY: key, **row} for key, row in (value or {}).items()]
    return list(value or ())


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "ja" if value else ""
    return "" if value is None else str(value)


def _at(table: Any, place: str) -> Any:
    for part in place.split("."):
        table = table.get(part) if isinstance(table, Mapping) else None
    return table


def _put(table: dict[str, Any], place: str, text: str) -> None:
    *way, last = place.split(".")
    for part in way:
        table = table[part]
    table[last] = text


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{place}.{name}")
    elif isinstance(value, str):
        yield place, value
