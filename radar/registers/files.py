"""A register as a CSV file, to save and to bring back. Excel's way (semicolons, BOM) and RvIG's (UTF-16) are read.

A cell that a spreadsheet would run as a formula gets a sign before it, which is taken off when it comes back.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from datetime import date

from core.calendar import ONE_DAY
from core.database import Row
from core.errors import VeiligError
from radar.registers.kinds import MUNICIPALITIES, Register
from radar.registers.plan import ID, typed_of
from radar.registers.typed import Names, said

MAX_BYTES = 1024 * 1024
MAX_LINES = 5_000
MAX_COLUMNS = 40
_FORMULA = re.compile(r"'*[=+@-]")
"""What a spreadsheet would run, also when signs of ours stand before it already."""
QUOTE = "'"
RVIG = {"92.10": "code", "92.11": "naam", "92.12": "opvolger", "99.98": "geldig_vanaf", "99.99": "geldig_tot"}
"""The columns of RvIG table 33, by the number that their heading begins with."""
UNREADABLE = "De letters zijn niet te lezen. Sla het bestand op als 'CSV UTF-8' en kies het opnieuw."
EARLIEST = "1900-01-01"
"""The first day of a municipality of which the table tells none."""


class WrongFile(VeiligError):
    """Dit bestand kan niet worden gelezen."""

    status = 400


def written(register: Register, found: Sequence[Row], names: Names) -> str:
    """The file of a register: BOM, semicolons, a heading, one line per object."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    heading = [one.name for one in register.fields]
    writer.writerow([ID, *heading])
    for row in found:
        typed = typed_of(register, row, names)
        writer.writerow([str(row["id"]), *(_harmless(typed[name]) for name in heading)])
    return text.getvalue()


def read(register: Register, content: bytes) -> list[dict[str, str]]:
    """The lines of a file, as typed. Raises WrongFile with the sentence that says what to do."""
    table = _table(_text(content))
    heading = [name.strip().casefold() for name in table[0]]
    if register is MUNICIPALITIES and any(name.startswith("92.10") for name in heading):
        return _of_rvig(heading, table[1:])
    known = [ID, *(one.name for one in register.fields)]
    if unknown := [name for name in heading if name not in known]:
        raise WrongFile(
            said(
                "De kolom '{name}' hoort hier niet. Gebruik deze kolommen: {known}.",
                name=unknown[0][:40],
                known=", ".join(known),
            )
        )
    if len(set(heading)) != len(heading):
        raise WrongFile("Een kolom staat er twee keer in. Haal er één weg.")
    missing = [one.name for one in register.fields if one.needed and one.name not in heading]
    if missing:
        raise WrongFile(said("De kolom '{name}' ontbreekt. Voeg die toe op de eerste regel.", name=missing[0]))
    lines = []
    for number, cells in enumerate(table[1:], start=2):
        if len(cells) != len(heading):
            raise WrongFile(
                said(
                    "Regel {n} heeft {found} kolommen in plaats van {expected}.",
                    n=number,
                    found=len(cells),
                    expected=len(heading),
                )
            )
        lines.append({name: _plain(cell) for name, cell in zip(heading, cells, strict=True)})
    return lines


def of_region(lines: Sequence[dict[str, str]], codes: Collection[str]) -> tuple[list[dict[str, str]], int]:
    """Of a table of the whole country the lines with these codes, and how many others there are."""
    ours = [line for line in lines if line["code"] in codes]
    return ours, len(lines) - len(ours)


def is_national(content: bytes) -> bool:
    """Whether this is a table of the whole country (RvIG table 33)."""
    return any(cell.strip().startswith("92.10") for cell in _table(_text(content))[0])


def _text(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise WrongFile("Dit bestand is te groot. Een bestand mag 1 MB zijn: deel het in stukken.")
    if not content.strip():
        raise WrongFile("Dit bestand is leeg. Kies een bestand met een regel met kolomnamen.")
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise WrongFile(UNREADABLE) from None
    if "\x00" in text:
        raise WrongFile("Dit is geen tekstbestand. Sla de tabel op als CSV en kies dat bestand.")
    return text


def _table(text: str) -> list[list[str]]:
    first = text.splitlines()[0] if text.splitlines() else ""
    delimiter = max(";,\t", key=first.count)
    try:
        table = []
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if any(cell.strip() for cell in cells):
                table.append(cells)
            if len(table) > MAX_LINES + 1:
                raise WrongFile(
                    said("Een bestand heeft ten hoogste {most} regels: deel het in stukken.", most=MAX_LINES)
                )
    except csv.Error:
        raise WrongFile("Er staat een aanhalingsteken verkeerd. Sla de tabel opnieuw op als CSV.") from None
    if not table or len(table[0]) > MAX_COLUMNS:
        raise WrongFile("De eerste regel moet de namen van de kolommen hebben.")
    if len(table) == 1:
        raise WrongFile("Er staan geen regels in dit bestand.")
    return table


def _of_rvig(heading: Sequence[str], table: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """The end in the table is the first day on which the municipality is no more; ours is its last day."""
    places = {name: n for n, text in enumerate(heading) for code, name in RVIG.items() if text.startswith(code)}
    if missing := sorted(set(RVIG.values()) - places.keys()):
        raise WrongFile(
            f"In deze tabel ontbreekt de kolom voor '{missing[0]}'. Gebruik tabel 33 zoals RvIG die geeft."
        )
    lines = []
    for cells in table:
        line = {name: cells[n].strip() if n < len(cells) else "" for name, n in places.items()}
        line["geldig_vanaf"] = line["geldig_vanaf"] or EARLIEST
        end = line["geldig_tot"]
        if len(end) == 8 and end.isascii() and end.isdecimal():
            try:
                line["geldig_tot"] = (date(int(end[:4]), int(end[4:6]), int(end[6:])) - ONE_DAY).isoformat()
            except ValueError:
                line["geldig_tot"] = end  # its own error says what is wrong
        lines.append(line)
    return lines


def _harmless(cell: str) -> str:
    return QUOTE + cell if _FORMULA.match(cell) else cell


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith(QUOTE) and _FORMULA.match(cell) else cell
