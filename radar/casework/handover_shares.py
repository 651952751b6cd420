"""What a partner may see of a report: only the parts that are shared, made anew at every view.

Never: the reporter, the raw message, other households, and any address. Nothing in a message says which address is
protected, so none is shared. Free text is masked where it repeats what is known of reporter, addresses and numbers;
a hint in other words can only be found by the person who reads the text before the offer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from core.calendar import MONTHS
from core.database import Db, Row
from core.deadlines import local_day
from core.identity import PartialDate
from intake import opening, protected
from intake.vault import REPORTER
from radar.casework.states import MOVES
from radar.protection import marks, reporters
from radar.protection.marks import LEFT_OUT

PARTS: dict[str, str] = {
    "persons": "Personen",
    "phones": "Telefoonnummers van personen",
    "bsn": "Burgerservicenummers",
    "incident": "Wat er is gebeurd",
    "situation": "Zorgelijke situatie",
    "history": "Eerdere meldingen in het kort",
    "conditions": "Veiligheidsvoorwaarden",
    "assessment": "Uitkomst van de veiligheidsbeoordeling",
}
"""Each part that can be shared, in the order of the page."""

_SEXES = {"M": "man", "V": "vrouw", "O": "onbekend"}
_STATES = {"open": "loopt", "met": "gelukt", "not_met": "niet gelukt"}
_SITUATION = {
    "omschrijving": "Omschrijving",
    "bestaandeHulpverlening": "Hulp die er al is",
    "tijdelijkHuisverbod": "Tijdelijk huisverbod",
    "eergerelateerdGeweld": "Eergerelateerd geweld",
}
_NUMBERS = re.compile(
    r"(?P<day>\b[0-3]?\d-[01]?\d-(?:19|20)\d\d\b(?![.-]?\d))"
    r"|\b[1-9]\d{3}\s?[A-Z]{2}\b|[^\s@]+@[^\s@]+\.\w+|(?<![\w.,])\+?\d(?:[\s.-]?\d){7,}(?!\w)",
    re.IGNORECASE,
)
"""Postcodes, e-mail addresses, and numbers of eight digits or more (BSN, phone). A date stays."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is told."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """One shared part: groups of lines (a group per person, or one for all)."""

    code: str
    title: str
    groups: tuple[tuple[Line, ...], ...]


def shared(db: Db, report_id: UUID, parts: Collection[str]) -> list[Part]:
    """The parts of this report that are shared; a part without anything known is left out."""
    report = db.execute(
        "SELECT r.id, r.region_id, r.household_id, r.received_at, r.reference_of_reporter, r.content,"
        " coalesce(CASE WHEN s.own THEN r.content->'indiener'->>'naam' END, s.name) AS sender"
        " FROM report r JOIN sender s ON s.id = r.sender_id WHERE r.id = %s",
        (report_id,),
    ).fetchone()
    if report is None:
        return []
    persons = opening.persons(db, report_id)
    persons = [person for person in persons if (person.get("rol") or {}).get("code") != REPORTER]
    reporter = opening.identity(db, report_id)
    about = (report["content"].get("melding") or {}) | {"contact": reporter.get("contact")}
    words = [report["sender"], report["reference_of_reporter"], *reporters.words(reporter)]
    words += marks.known(db, report_id)
    mask = Mask(report["content"] | {"melding": about}, persons, words)
    found = []
    for code, title in PARTS.items():
        if code in parts:
            groups = tuple(group for group in _groups(db, code, report, persons, mask) if group)
            if groups:
                found.append(Part(code, title, groups))
    return _without_marked(db, report_id, found)


def _without_marked(db: Db, report_id: UUID, parts: Collection[Part]) -> list[Part]:
    """The same parts without what leads to the reporter."""
    left = iter(marks.without(db, report_id, texts(parts)))
    return [
        replace(part, groups=tuple(tuple(Line(line.label, next(left)) for line in group) for group in part.groups))
        for part in parts
    ]


def texts(parts: Collection[Part], content: Collection[Line] = ()) -> list[str]:
    """Every text of these parts, and of what the offer itself says."""
    lines = [line for part in parts for group in part.groups for line in group]
    return [line.text for line in (*content, *lines)]


class Mask:
    """Takes out of a text what a partner may not learn from it: reporter, addresses, BSNs, phones, e-mail."""

    def __init__(
        self, content: Mapping[str, Any], persons: Collection[Mapping[str, Any]], more: Collection[str] = ()
    ) -> None:
        names = {word.casefold() for person in persons for word in _words((person.get("naam") or {}).values())}
        secret = {*more, *_texts(content.get("indiener")), *_texts((content.get("melding") or {}).get("contact"))}
        secret |= {str((content.get("melding") or {}).get("kenmerk") or "")}
        secret |= {str((content.get("incident") or {}).get("locatie") or "")}
        contact = (content.get("melding") or {}).get("contact") or {}
        # Of the contact's name each part, but not what is also a name in the family.
        secret |= {one for one in _words([contact.get("naam")]) if len(one) > 3 and one.casefold() not in names}
        for person in persons:
            secret |= {str(person.get(name) or "") for name in ("bsn", "vreemdelingennummer", "rni")}
            secret |= protected.values(person)
        self._known = protected.Mask(one.strip() for one in secret if len(one.strip()) > 2)

    def __call__(self, text: object) -> str:
        plain = self._known(str(text or "").strip(), LEFT_OUT)
        return _NUMBERS.sub(lambda found: found["day"] or LEFT_OUT, plain)


def _groups(db: Db, code: str, report: Row, persons: list[dict[str, Any]], mask: Mask) -> Iterator[tuple[Line, ...]]:
    match code:
        case "persons":
            for person in persons:
                yield tuple(_person(person, mask))
        case "phones" | "bsn":
            for person in persons:
                values = person.get("telefoonnummers") or () if code == "phones" else (person.get("bsn") or "",)
                if text := ", ".join(str(one) for one in values if one):
                    yield (Line(_name(person), text),)
        case "incident" | "situation":
            yield tuple(_message(code, report["content"], mask))
        case "history":
            yield (Line("Eerder gemeld", _history(db, report)),)
        case "conditions":
            for row in db.execute(
                "SELECT text, owner, due_on, state FROM safety_condition"
                " WHERE report_id = %s AND state <> 'withdrawn' ORDER BY made_at, id",
                (report["id"],),
            ):
                yield (
                    Line("Voorwaarde", mask(row["text"])),
                    Line("Wie", mask(row["owner"])),
                    Line("Uiterlijk", f"{row['due_on']:%d-%m-%Y} ({_STATES[row['state']]})"),
                )
        case "assessment":
            signed = db.execute(
                "SELECT path, reason, signed_at FROM assessment WHERE report_id = %s AND signed_at IS NOT NULL"
                " ORDER BY signed_at DESC LIMIT 1",
                (report["id"],),
            ).fetchone()
            if signed:
                yield (
                    Line("Besluit", MOVES[signed["path"]].text if signed["path"] in MOVES else signed["path"]),
                    Line("Op", f"{local_day(signed['signed_at']):%d-%m-%Y}"),
                    Line("Waarom", mask(signed["reason"])),
                )


def _person(person: Mapping[str, Any], mask: Mask) -> Iterator[Line]:
    yield Line("Naam", _name(person))
    if role := (person.get("rol") or {}).get("tekst"):
        yield Line("Rol", mask(role))
    if born := person.get("geboortedatum"):
        parsed = PartialDate.from_stuf(str(born.get("tekst", "")), born.get("indicatie"))
        yield Line("Geboren", "nog niet geboren" if parsed.unborn else parsed.display())
    if sex := person.get("geslacht"):
        yield Line("Geslacht", _SEXES.get(sex, "onbekend"))
    if language := person.get("taal"):
        yield Line("Taal", mask(language))


def _message(code: str, content: Mapping[str, Any], mask: Mask) -> Iterator[Line]:
    """Not the place of the incident: it is an address as a rule."""
    if code == "incident":
        incident = content.get("incident") or {}
        if day := incident.get("datum"):
            parsed = PartialDate.from_stuf(str(day.get("tekst", "")), day.get("indicatie"))
            yield Line("Wanneer", parsed.display())
        if text := mask(incident.get("omschrijving")):
            yield Line("Omschrijving", text)
        return
    situation = content.get("situatie") or {}
    for name, label in _SITUATION.items():
        if text := mask(situation.get(name)):
            yield Line(label, text)


def _history(db: Db, report: Row) -> str:
    """How many, and in which months: nothing of who reported or what was said. Proposed links are not in it."""
    moments = [
        row["received_at"]
        for row in db.execute(
            "SELECT received_at FROM report WHERE region_id = %s AND household_id = %s AND id <> %s"
            " AND received_at < %s ORDER BY received_at",
            (report["region_id"], report["household_id"], report["id"], report["received_at"]),
        )
    ]
    if not moments:
        return "Veilig Thuis kent geen eerdere melding over dit huishouden."
    days = [local_day(moment) for moment in moments]
    months = dict.fromkeys(f"{MONTHS[day.month - 1]} {day.year}" for day in days)
    count = f"{len(days)} eerdere melding{'en' if len(days) > 1 else ''}"
    return f"{count} over dit huishouden: {', '.join(months)}."


def _name(person: Mapping[str, Any]) -> str:
    name = person.get("naam") or {}
    parts = (name.get("voornamen"), name.get("voorvoegsel"), name.get("geslachtsnaam"))
    return " ".join(part for part in parts if part) or name.get("volledigeNaam") or "Naam onbekend"


def _texts(value: Any) -> Iterator[str]:
    """Every text inside, without the code words: kind of body, extra elements, reasons for having no value."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ("soort", "extra", "geenWaardeReden"):
                yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _words(values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield from re.findall(r"\w+", value)
