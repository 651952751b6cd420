"""The file of an old system's register: records.csv, one line per person mentioned, in the order of receipt.

Columns: report_id, report_ts (ISO, Dutch time when no zone is given), source_type, role (kind, pleger, slachtoffer,
betrokkene, or a code of the jeugdzorgrol), voornamen, voorvoegsel, geslachtsnaam, partner_voorvoegsel,
partner_geslachtsnaam, geslacht, geboortedatum (ISO, 00 for an unknown part), bsn, straat, huisnummer, toevoeging,
postcode, woonplaats, telefoon. A column that is missing counts as empty; others are passed over.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from core.deadlines import AMSTERDAM
from core.errors import VeiligError
from radar.linking.bulk import OldReport

ROLES = {"kind": "115", "pleger": "111", "slachtoffer": "111", "betrokkene": "139"}
NEEDED = ("report_id", "report_ts", "geslachtsnaam")

Line = dict[str, str]


class UnusableFile(VeiligError):
    """Dit bestand is geen register."""

    status = 400


def lines(path: Path) -> Iterator[Line]:
    """The lines, one by one. Raises UnusableFile when it is no such file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise UnusableFile(f"{path.name}: kolom {missing[0]} ontbreekt in de eerste regel.")
            yield from reader
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableFile(f"{path.name} is geen CSV in UTF-8: {error}.") from None


def reports(path: Path) -> Iterator[tuple[OldReport, list[Line]]]:
    """The reports with their lines; lines of one report stand together. Raises UnusableFile."""
    number = 1
    for reference, group in groupby(lines(path), key=lambda line: line["report_id"]):
        own = list(group)
        try:
            at = datetime.fromisoformat(own[0]["report_ts"])
        except ValueError:
            text = f"{path.name}, regel {number + 1}: report_ts is geen datum en tijd (2021-04-30T13:45:00)."
            raise UnusableFile(text) from None
        number += len(own)
        at = at if at.tzinfo else at.replace(tzinfo=AMSTERDAM)
        kind = own[0].get("source_type") or "overig"
        yield OldReport(reference, at, kind, [person(line) for line in own]), own


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
    if line.get("huisnummer"):
        address = {name: line.get(name) for name in ("straat", "huisnummer", "toevoeging", "postcode", "woonplaats")}
        found["adressen"] = [{"soort": "formeel"} | {name: text for name, text in address.items() if text}]
    return found
