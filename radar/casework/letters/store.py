"""The letters of a report: made, kept, read and sent; the SQL of this area.

A letter leaves through the gate (radar/outbound): until it is released only a draft of it can be read, and every copy
on paper has a number of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from core import audit
from core.calendar import long_date
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.sealing import is_sealed, key_of, key_or_new
from radar.casework.letters import drawing
from radar.casework.letters.templates import filled, texts
from radar.outbound import dangers, gate, release, stances
from radar.outbound.kinds import RecipientKind

FEEDBACK = "feedback"
_LETTER = "SELECT l.*, r.message_id FROM letter l JOIN report r ON r.id = l.report_id WHERE l.id = %s"
NOT_SCANNED = frozenset({"klacht", "bellen", "weg"})
"""Fields with an address or a number of an organisation, which is no secret."""


def make(
    db: Db,
    report_id: UUID,
    template: str,
    fields: Mapping[str, str],
    mention_id: UUID | None,
    by: str,
    at: datetime,
    more: Sequence[str] = (),
) -> UUID:
    """Make and keep a letter; gives its id. `mention_id` is the person that it goes to, None for a reporter.

    `more`: paragraphs behind those of the template, as the pieces of an access copy. The letter is proposed at the
    gate, and goes nowhere before somebody released it there.
    Raises NotFound (also for a person of another report), FieldsMissing, Unwritable, Conflict before there is a case.
    """
    if template not in texts():
        raise NotFound
    text = texts()[template]
    row = db.execute(
        "SELECT r.region_id, r.sender_id, r.message_id, g.name AS region, c.number, m.id AS mention FROM report r"
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
        "datum": long_date(day),
        "kenmerk": row["number"],
    }
    paragraphs = [*filled(text, fields, given), *more]
    subject = text.subject.format_map(given)
    content = drawing.draw(given, subject, paragraphs)
    letter = uuid7()
    key = key_or_new(db, row["message_id"], row["region_id"])
    words = json.dumps({"given": given, "subject": subject, "paragraphs": paragraphs}).encode()
    db.execute(
        "INSERT INTO letter (id, region_id, report_id, mention_id, template, template_version, pdf, sha256, words,"
        " made_at, made_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            letter,
            row["region_id"],
            report_id,
            mention_id,
            template,
            text.version,
            key.seal(content, f"letter.pdf:{letter}"),
            hashlib.sha256(content).digest(),
            key.seal(words, f"letter.words:{letter}"),
            at,
            by,
        ),
    )
    details = {"template": template, "version": text.version}
    audit.append(db, row["region_id"], by, "letter.make", "letter", letter, details)
    typed = [*(value for name, value in fields.items() if name not in NOT_SCANNED), *more]
    to: tuple[RecipientKind, UUID] = ("person", mention_id) if mention_id else ("sender", row["sender_id"])
    _propose(db, letter, report_id, template, to, typed, by, at)
    return letter


def _propose(
    db: Db,
    letter: UUID,
    report_id: UUID,
    template: str,
    to: tuple[RecipientKind, UUID],
    typed: Sequence[str],
    by: str,
    at: datetime,
) -> None:
    found = dangers.found_in(db, report_id, typed) if to[0] == "person" else set()
    if to[0] == "sender" and stances.is_concerned(db, report_id):
        found.add("reporter_concerned")
    parts = ["letter", "own_data"] if template == "access_copy" else ["letter"]
    release.propose(
        db,
        kind=kind_of(template),
        subject=letter,
        report_id=report_id,
        recipient=to,
        parts=parts,
        dangers=found,
        by=by,
        at=at,
    )


def kind_of(template: str) -> str:
    """What kind of thing this letter is when it leaves (radar/outbound/kinds.toml)."""
    return "feedback_letter" if template == FEEDBACK else template


def copy(db: Db, region: UUID, letter_id: UUID, *, by: str, name: str, at: datetime) -> bytes | None:
    """The letter on paper: to post when it was released, else a draft that says so. None when the gate held it.

    `name`: of who reads the draft, which stands on it. Raises NotFound.
    """
    row = _find(db, region, letter_id)
    words = row["words"]

    def draw(foot: str) -> bytes:
        if not words:  # of letters from before version 15 only the file is known
            return bytes(row["pdf"])
        return drawing.draw(words["given"], words["subject"], words["paragraphs"], foot)

    kind = kind_of(row["template"])
    if release.required(db, kind, letter_id)["state"] in ("released", "sent"):
        return gate.print_out(db, kind, letter_id, draw, by=by, at=at, texts=_texts(row))
    return gate.draft_out(db, kind, letter_id, draw, by=by, name=name, at=at)


def let_go(db: Db, region: UUID, letter_id: UUID, *, by: str, at: datetime) -> bool:
    """Somebody read the letter and releases it; False when a second person must do so too.

    Raises NotFound, and as `radar.outbound.release.release`.
    """
    row = _find(db, region, letter_id)
    proposed = release.required(db, kind_of(row["template"]), letter_id)
    return release.release(db, proposed["id"], by=by, at=at, texts=_texts(row))


def may_go(db: Db, letter_id: UUID, at: datetime) -> bool:
    """Whether the letter may leave now; else the gate holds it, for a person to look at. Raises NotFound."""
    row = _opened(db, db.execute(_LETTER, (letter_id,)).fetchone())
    return gate.may_go(db, kind_of(row["template"]), letter_id, at=at, texts=_texts(row))


def sent(db: Db, letter_id: UUID, by: str, at: datetime) -> bool:
    """A person posted this letter, or gave it. False when the gate held it: then it must not leave, and nothing is
    noted. Raises NotFound, Conflict when that was noted already.
    """
    row = _opened(db, db.execute(f"{_LETTER} FOR UPDATE OF l", (letter_id,)).fetchone())
    if row["sent_at"] is not None:
        raise Conflict("Het is al vastgelegd dat deze brief is verstuurd.")
    kind = kind_of(row["template"])
    if release.required(db, kind, letter_id)["state"] in ("proposed", "held"):
        raise Conflict("Deze brief is nog niet vrijgegeven.")
    if gate.pass_out(db, kind, letter_id, bytes(row["pdf"]), by=by, at=at, texts=_texts(row)) is None:
        return False
    db.execute("UPDATE letter SET sent_at = %s, sent_by = %s WHERE id = %s", (at, by, letter_id))
    audit.append(db, row["region_id"], by, "letter.send", "letter", letter_id)
    return True


def original(db: Db, letter_id: UUID) -> bytes:
    """The file as it was made, whose hash is kept. Never to be sent: what leaves is `copy`. Raises NotFound."""
    return bytes(_opened(db, db.execute(_LETTER, (letter_id,)).fetchone())["pdf"])


def words(db: Db, region: UUID, letter_id: UUID) -> list[str]:
    """What a letter says, paragraph by paragraph; nothing of one from before version 15. Raises NotFound."""
    return _texts(_find(db, region, letter_id))


def unsent(db: Db, report_id: UUID, template: str) -> list[UUID]:
    """The letters of this kind about a report that nobody sent yet, newest first."""
    rows = db.execute(
        "SELECT id FROM letter WHERE report_id = %s AND template = %s AND sent_at IS NULL"
        " ORDER BY made_at DESC, id DESC",
        (report_id, template),
    )
    return [row["id"] for row in rows]


def _find(db: Db, region: UUID, letter_id: UUID) -> Row:
    return _opened(db, db.execute(f"{_LETTER} AND l.region_id = %s", (letter_id, region)).fetchone())


def _opened(db: Db, row: Row | None) -> Row:
    """The letter with its file and its words unsealed; what came before sealing is read as it stands."""
    if row is None:
        raise NotFound
    opened = dict(row)
    for column in ("pdf", "words"):
        stored = bytes(row[column] or b"")
        if is_sealed(stored):
            stored = key_of(db, row["message_id"]).unseal(stored, f"letter.{column}:{row['id']}")
        opened[column] = stored
    opened["words"] = json.loads(opened["words"]) if opened["words"] else None
    return opened


def _texts(row: Row) -> list[str]:
    words = row["words"]
    return [words["subject"], *words["paragraphs"]] if words else []


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The letters of a report, newest first, without their files."""
    return db.execute(
        "SELECT l.id, l.mention_id, m.person, l.template, l.template_version, l.made_at, l.made_by, l.sent_at,"
        " l.sent_by, o.id AS outgoing, o.state AS out_state, o.released_by, o.two_persons FROM letter l"
        " LEFT JOIN mention m ON m.id = l.mention_id LEFT JOIN outgoing o ON o.subject_id = l.id"
        " WHERE l.region_id = %s AND l.report_id = %s ORDER BY l.made_at DESC, l.id DESC",
        (region, report_id),
    ).fetchall()
