"""The letters of a report: made, kept, read and sent; the SQL of this area."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from core import audit
from core.calendar import MONTHS
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.casework.letters import drawing
from radar.casework.letters.templates import filled, texts


def make(
    db: Db,
    report_id: UUID,
    template: str,
    fields: Mapping[str, str],
    mention_id: UUID | None,
    by: str,
    at: datetime,
) -> UUID:
    """Make and keep a letter; gives its id. `mention_id` is the person that it goes to, None for a reporter.

    Raises NotFound (also for a person of another report), FieldsMissing, Unwritable, Conflict before there is a case.
    """
    if template not in texts():
        raise NotFound
    text = texts()[template]
    row = db.execute(
        "SELECT r.region_id, g.name AS region, c.number, m.id AS mention FROM report r"
        " JOIN region g ON g.id = r.region_id LEFT JOIN cases c ON c.id = r.case_id"
        " LEFT JOIN mention m ON m.report_id = r.id AND m.id = %s WHERE r.id = %s",
        (mention_id, report_id),
    ).fetchone()
    if row is None or row["mention"] != mention_id or text.to_person != (mention_id is not None):
        raise NotFound
    if row["number"] is None:
        raise Conflict("Deze melding hoort nog niet bij een casus. Wacht tot de radar klaar is met koppelen.")
    day = local_day(at)
    given = {
        "regio": row["region"],
        "datum": f"{day.day} {MONTHS[day.month - 1]} {day.year}",
        "kenmerk": row["number"],
    }
    paragraphs = filled(text, fields, given)
    content = drawing.draw(given, text.subject.format_map(given), paragraphs)
    letter = uuid7()
    db.execute(
        "INSERT INTO letter (id, region_id, report_id, mention_id, template, template_version, pdf, sha256, made_at,"
        " made_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            letter,
            row["region_id"],
            report_id,
            mention_id,
            template,
            text.version,
            content,
            hashlib.sha256(content).digest(),
            at,
            by,
        ),
    )
    details = {"template": template, "version": text.version}
    audit.append(db, row["region_id"], by, "letter.make", "letter", letter, details)
    return letter


def pdf(db: Db, region: UUID, letter_id: UUID) -> bytes:
    """The file of a letter. Raises NotFound."""
    row = db.execute("SELECT pdf FROM letter WHERE id = %s AND region_id = %s", (letter_id, region)).fetchone()
    if row is None:
        raise NotFound
    return bytes(row["pdf"])


def sent(db: Db, letter_id: UUID, by: str, at: datetime) -> None:
    """A person posted this letter, or gave it. Raises NotFound, Conflict when that was noted already."""
    row = db.execute(
        "UPDATE letter SET sent_at = %s, sent_by = %s WHERE id = %s AND sent_at IS NULL RETURNING region_id",
        (at, by, letter_id),
    ).fetchone()
    if row is None:
        if db.execute("SELECT FROM letter WHERE id = %s", (letter_id,)).fetchone() is None:
            raise NotFound
        raise Conflict("Het is al vastgelegd dat deze brief is verstuurd.")
    audit.append(db, row["region_id"], by, "letter.send", "letter", letter_id)


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The letters of a report, newest first, without their files."""
    return db.execute(
        "SELECT l.id, l.mention_id, m.person, l.template, l.template_version, l.made_at, l.made_by, l.sent_at,"
        " l.sent_by FROM letter l LEFT JOIN mention m ON m.id = l.mention_id"
        " WHERE l.region_id = %s AND l.report_id = %s ORDER BY l.made_at DESC, l.id DESC",
        (region, report_id),
    ).fetchall()
