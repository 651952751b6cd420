"""The file of an old system's register: records.csv, one line per person mentioned, in the order of receipt.

Columns: report_id, report_ts (ISO, Dutch time when no zone is given), source_type, role (kind, pleger, slachtoffer,
betrokkene, or a code of the jeugdzorgrol), voornamen, voorvoegsel, geslachtsnaam, partner_voorvoegsel,
partner_geslachtsnaam, geslacht, geboortedatum (ISO, 00 for an unknown part), bsn, straat, huisnummer, toevoeging,
postcode, woonplaats, telefoon. A column that is missing counts as empty; others are passed over. Moment and source of
a report are those of its first line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from core.deadlines import AMSTERDAM, local_day
from core.errors import VeiligError
from intake.corv.codes import role_text
from radar.linking.bulk import OldReport

ROLES = {"kind": "115", "pleger": "111", "slachtoffer": "111", "betrokkene": "139"}
NEEDED = ("report_id", "report_ts", "geslachtsnaam")
ADDRESS = ("straat", "huisnummer", "toevoeging", "postcode", "woonplaats")
MAX_LINE = 100_000
"""Characters; a longer line is no person."""
MAX_PERSONS = 1_000
"""Lines of one report."""

_REFERENCE = re.compile(r"[^\x00-\x1f]{1,200}")
_SOURCE = re.compile(r"[\w ,./()-]{0,50}")
_BIRTH = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?|[0-9]{6}|[0-9]{8}|")

Line = dict[str, str]
Numbered = tuple[int, Line]
"""A line with its number in the file; the names of the columns are line 1."""


class UnusableFile(VeiligError):
    """Dit bestand is geen register."""

    status = 400


def lines(path: Path) -> Iterator[Numbered]:
    """The lines, one by one. Raises UnusableFile when it is no such file."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(_readable(file, path), strict=True)
            missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                text = f"{path.name}: kolom {missing[0]} ontbreekt in de eerste regel (met komma's tussen de namen)."
                raise UnusableFile(text)
            number = reader.line_num
            for line in reader:
                number = reader.line_num
                if None in line or None in line.values():
                    raise UnusableFile(f"{path.name}, regel {number}: niet zoveel velden als de eerste regel.")
                yield number, line
    except UnicodeDecodeError:
        raise UnusableFile(f"{path.name}, na regel {number}: dit is geen tekst in UTF-8.") from None
    except csv.Error as error:
        raise UnusableFile(f"{path.name}, vanaf regel {number + 1}: dit is geen CSV ({error}).") from None
    except OSError as error:
        raise UnusableFile(f"{path.name} is niet te lezen: {error.strerror}.") from None


def _readable(file: Iterable[str], path: Path) -> Iterator[str]:
    """What PostgreSQL cannot keep, and what is no line at all, is refused before it is read further."""
    for number, text in enumerate(file, start=1):
        if "\0" in text:
            raise UnusableFile(f"{path.name}, regel {number}: er staat een NUL-teken in.")
        if len(text) > MAX_LINE:
            raise UnusableFile(f"{path.name}, regel {number}: langer dan {MAX_LINE} tekens.")
        yield text


def check(path: Path, now: datetime) -> int:
    """How many reports there are, if all of them can be loaded; nothing is loaded by halves because of a wrong line.

    Raises UnusableFile at the first fault, naming line and column but never what stands there.
    """
    known: set[str] = set()
    latest = date.min
    for own in _grouped(path):
        number, first = own[0]
        reference = first["report_id"]
        if not _REFERENCE.fullmatch(reference):
            raise _wrong(path, number, "report_id", "leeg, langer dan 200 tekens of met een stuurteken")
        if reference in known:
            raise _wrong(path, number, "report_id", "de regels van deze melding staan niet bij elkaar")
        known.add(reference)
        at = _moment(path, number, first)
        if at > now:
            raise _wrong(path, number, "report_ts", "dit moment is nog niet geweest")
        if local_day(at) < latest:
            raise _wrong(path, number, "report_ts", "eerder dan de regel ervoor: zet de oudste melding bovenaan")
        latest = local_day(at)
        if not _SOURCE.fullmatch(first.get("source_type", "")):
            raise _wrong(
                path, number, "source_type", "langer dan 50 tekens of met andere tekens dan letters en cijfers"
            )
        if len(own) > MAX_PERSONS:
            raise _wrong(path, number, "report_id", f"meer dan {MAX_PERSONS} regels in één melding")
        for at_line, line in own:
            _check_person(path, at_line, line)
    return len(known)


def _check_person(path: Path, number: int, line: Line) -> None:
    """A role that we do not know could be that of a professional, who must not become a member of the family."""
    role = line.get("role", "")
    if role and role not in ROLES and role_text(role) is None:
        text = f"onbekende rol; het mag zijn: {', '.join(ROLES)}, of een code van de jeugdzorgrol"
        raise _wrong(path, number, "role", text)
    if not _BIRTH.fullmatch(line.get("geboortedatum", "").strip()):
        raise _wrong(path, number, "geboortedatum", "geen datum (2016-04-30, met 00 voor wat onbekend is)")


def reports(path: Path) -> Iterator[tuple[OldReport, list[Line]]]:
    """The reports with their lines; lines of one report stand together. Raises UnusableFile."""
    for numbered in _grouped(path):
        number, first = numbered[0]
        own = [line for _, line in numbered]
        kind = first.get("source_type") or "overig"
        persons = [person(line) for line in own]
        yield OldReport(first["report_id"], _moment(path, number, first), kind, persons), own


def _grouped(path: Path) -> Iterator[list[Numbered]]:
    for _, group in groupby(lines(path), key=lambda one: one[1]["report_id"]):
        yield list(group)


def _moment(path: Path, number: int, line: Line) -> datetime:
    try:
        at = datetime.fromisoformat(line["report_ts"])
    except ValueError:
        at = datetime.min
    if not 1900 <= at.year <= 2200:
        raise _wrong(path, number, "report_ts", "geen datum en tijd (2021-04-30T13:45:00)")
    return at if at.tzinfo else at.replace(tzinfo=AMSTERDAM)


def _wrong(path: Path, number: int, column: str, what: str) -> UnusableFile:
    return UnusableFile(f"{path.name}, regel {number}, kolom {column}: {what}.")


def person(line: Line) -> dict[str, Any]:
    """One line as intake stores a betrokkene (standards.md 10.1); empty fields are not there."""
    naam = {
        "voornamen": line.get("voornamen"),
        "voorvoegsel": line.get("voorvoegsel"),
        "geslachtsnaam": line.get("geslachtsnaam"),
        "voorvoegselPartner": line.get("partner_voorvoegsel"),
        "geslachtsnaamPartner": line.get("partner_geslachtsnaam"),
    }
    found: dict[str, Any] = {"naam": {name: text for name, text in naam.items() if text}}
    role = line.get("role") or ""
    if role:
        found["rol"] = {"code": ROLES.get(role, role)}
    for name in ("geslacht", "bsn"):
        if line.get(name):
            found[name] = line[name]
    if line.get("geboortedatum"):
        found["geboortedatum"] = {"tekst": line["geboortedatum"].replace("-", "")}
    if line.get("telefoon"):
        found["telefoonnummers"] = [line["telefoon"]]
    address = {name: text for name in ADDRESS if (text := line.get(name))}
    if address:
        found["adressen"] = [{"soort": "formeel"} | address]
    return found
