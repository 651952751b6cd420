"""Working notes on a report: written once and never edited; one may be for a colleague, who is told of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import NotFound, VeiligError
from core.ids import uuid7
from radar.casework.tasks import NO_CASEWORK

LONGEST = 5_000


class NoteMissing(VeiligError):
    """Schrijf op wat uw collega's moeten weten."""

    status = 400


class NoteTooLong(VeiligError):
    """De notitie is te lang. Houd het bij 5000 tekens."""

    status = 400


class NoColleague(VeiligError):
    """Deze collega werkt hier niet (meer). Kies een ander."""

    status = 400


def write(db: Db, report_id: UUID, text: str, *, for_staff: UUID | None, by: str, at: datetime) -> UUID:
    """Add a note. Raises NoteMissing, NoteTooLong, NoColleague, or NotFound without such a report."""
    words = text.strip()
    if not words:
        raise NoteMissing
    if len(words) > LONGEST:
        raise NoteTooLong
    report = db.execute("SELECT region_id FROM report WHERE id = %s", (report_id,)).fetchone()
    if report is None:
        raise NotFound
    if for_staff is not None:
        known = db.execute(
            "SELECT FROM staff WHERE id = %s AND region_id = %s AND active AND role <> ALL(%s)",
            (for_staff, report["region_id"], list(NO_CASEWORK)),
        )
        if known.fetchone() is None:
            raise NoColleague
    note = uuid7()
    db.execute(
        "INSERT INTO note (id, region_id, report_id, text, for_staff_id, written_by, written_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (note, report["region_id"], report_id, words, for_staff, by, at),
    )
    details = {"note": str(note), "for": str(for_staff) if for_staff else None}
    audit.append(db, report["region_id"], by, "note.write", "report", report_id, details)
    return note


def of_report(db: Db, report_id: UUID) -> list[Row]:
    """The notes, newest first: `text`, `written_at`, `author` and `colleague` (for whom) by name."""
    return db.execute(
        "SELECT n.id, n.text, n.written_at, coalesce(a.name, n.written_by) AS author, c.name AS colleague FROM note n"
        " LEFT JOIN staff a ON a.region_id = n.region_id AND a.username = n.written_by"
        " LEFT JOIN staff c ON c.id = n.for_staff_id WHERE n.report_id = %s ORDER BY n.written_at DESC, n.id DESC",
        (report_id,),
    ).fetchall()
