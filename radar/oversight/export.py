"""The breach export (AVG 33 and 34): who saw what and when, of a colleague, a file, a person, a period or an address.

One row per line of the trail, so that the list is the trail and nothing else; no cell is a formula for a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.database import Row
from core.deadlines import AMSTERDAM
from core.events import event_of
from core.staff import ROLES

COLUMNS = (
    "moment",
    "gebruiker",
    "naam",
    "rol",
    "handeling",
    "code",
    "soort",
    "nummer",
    "melding",
    "casus",
    "personen",
    "doel",
    "netwerkadres",
    "verzoek",
    "uitkomst",
    "uitgevoerd door",
    "uitgevoerd op",
)
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters with which a spreadsheet reads a cell as a formula."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far it reaches: what a notification to the authority must say."""

    lines: int
    people: int
    reports: int
    first: datetime | None
    last: datetime | None


def extent(rows: Iterable[Row]) -> Extent:
    """Count the lines, who acted, and the reports that were touched."""
    found = list(rows)
    reports = {_report(row) for row in found} - {None}
    return Extent(
        lines=len(found),
        people=len({row["staff_id"] or row["actor"] for row in found}),
        reports=len(reports),
        first=min((row["at"] for row in found), default=None),
        last=max((row["at"] for row in found), default=None),
    )


def as_csv(rows: Iterable[Row], names: Mapping[UUID, str], by: str, at: datetime) -> str:
    """The list as CSV; who made it and when stands in every row, so that a piece of it still says so."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        event = event_of(row["action"])
        cells = (
            row["at"].astimezone(AMSTERDAM).isoformat(timespec="seconds"),
            row["actor"],
            names.get(row["staff_id"], ""),
            ROLES.get(row["role"], row["role"] or ""),
            event.text,
            row["event"] or event.code,
            row["object_kind"],
            row["object_id"] or "",
            _report(row) or "",
            row["case_id"] or "",
            " ".join(map(str, row["persons"])),
            row["purpose"] or "",
            row["origin"] or "",
            row["request"] or "",
            row["outcome"],
            by,
            at.astimezone(AMSTERDAM).isoformat(timespec="seconds"),
        )
        writer.writerow(neutral(str(cell)) for cell in cells)
    return text.getvalue()


def neutral(text: str) -> str:
    """A text that no spreadsheet carries out (security.md check 3)."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _report(row: Row) -> UUID | None:
    found: UUID | None = row["object_id"] if row["object_kind"] == "report" else row["report_id"]
    return found
