"""Files that come with a report (bijlagen): checked by content, sealed with a key of their own, scanned, only ever
given as a download.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core import audit, jobs
from core.database import Db, Row
from core.errors import Conflict, NotFound, VeiligError
from core.ids import uuid7
from core.sealing import DataKey, keep, key_of, keys_of, new_key
from core.secrets import keyed_hash
from core.settings import settings
from intake import scanner
from intake.filetypes import ENDINGS, Kind, kind_of

JOB = "scan_attachment"
MAX_NAME = 80
_NOT_IN_A_NAME = re.compile(r"[^\w .,()+-]")


class NotTaken(VeiligError):
    """Deze bijlage kunnen wij niet aannemen."""

    status = 400

    def __init__(self, text: str, **values: int) -> None:
        """`text` and `values` apart, for a page in another language."""
        super().__init__(text.format(**values))
        self.text, self.values = text, values


EMPTY = "Dit bestand is leeg. Kies een ander bestand."
TOO_LARGE = "Dit bestand is te groot. Kies een bestand van hoogstens {most} MB."
TOO_MANY = "Er zijn al {there} bijlagen. Meer kan niet: bel ons als u meer wilt sturen."
TOO_MUCH = "Alle bijlagen samen mogen hoogstens {most} MB zijn. Kies een kleiner bestand, of bel ons."
UNKNOWN_KIND = "Dit soort bestand nemen wij niet aan. Kies een PDF, foto, Word-bestand of tekst zonder macro's."
TEXTS = (EMPTY, TOO_LARGE, TOO_MANY, TOO_MUCH, UNKNOWN_KIND)


@dataclass(frozen=True, slots=True)
class File:
    """A file that was checked: its cleaned name, what it is, and its bytes."""

    name: str
    kind: Kind
    content: bytes

    @property
    def mark(self) -> bytes:
        """A keyed hash of the content: the same file is known again, and nobody else can look it up."""
        return keyed_hash(f"attachment:{hashlib.sha256(self.content).hexdigest()}")


def checked(name: str, content: bytes, before: Sequence[int] = ()) -> File:
    """A file as it may be stored; `before`: the sizes of those that are there already. Raises NotTaken."""
    most = settings().attachment_bytes
    total = settings().attachments_total_bytes
    if not content:
        raise NotTaken(EMPTY)
    if len(content) > most:
        raise NotTaken(TOO_LARGE, most=most // 1024**2)
    if len(before) >= settings().attachments_per_report:
        raise NotTaken(TOO_MANY, there=len(before))
    if sum(before) + len(content) > total:
        raise NotTaken(TOO_MUCH, most=total // 1024**2)
    kind = kind_of(content)
    if kind is None:
        raise NotTaken(UNKNOWN_KIND)
    return File(clean_name(name, kind), kind, content)


def clean_name(name: str, kind: Kind) -> str:
    """A file name without a path, control characters or tricks, with the ending of what it really is."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    stem = last.rpartition(".")[0] or last
    stem = _NOT_IN_A_NAME.sub("_", " ".join(stem.split())).strip(" ._")[:MAX_NAME].strip()
    return (stem or "bijlage") + ENDINGS[kind]


def store(
    db: Db, region: UUID, report: UUID, name: str, content: bytes, *, by: str, at: datetime
) -> tuple[UUID, bool]:
    """Add a file to a report; gives its id and whether it was there already. Raises NotTaken, NotFound.

    The caller has made sure that `by` may do this on this report.
    """
    if db.execute("SELECT FROM report WHERE id = %s AND destroyed_at IS NULL", (report,)).fetchone() is None:
        raise NotFound
    # Two at once see each other, so that the limits hold.
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 20))", (f"attachments:{report}",))
    there = db.execute("SELECT id, size, sha256 FROM attachment WHERE report_id = %s", (report,)).fetchall()
    mark = File("", "text", content).mark
    for row in there:
        if bytes(row["sha256"]) == mark:
            return row["id"], True
    file = checked(name, content, [row["size"] for row in there])
    return put(db, region, report, file, by=by, at=at), False


def put(db: Db, region: UUID, report: UUID, file: File, *, by: str, at: datetime) -> UUID:
    """Store a checked file sealed, and ask for its scan; a file that is there already is left alone."""
    identifier = uuid7()
    key = new_key(identifier)
    done = db.execute(
        "INSERT INTO attachment (id, region_id, report_id, name, content, kind, size, sha256, added_at, added_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            identifier,
            region,
            report,
            key.seal(file.name.encode(), f"attachment.name:{identifier}"),
            key.seal(file.content, f"attachment.content:{identifier}"),
            file.kind,
            len(file.content),
            file.mark,
            at,
            by,
        ),
    )
    if done.rowcount:
        keep(db, key, region)
        jobs.enqueue(db, region, JOB, identifier)
        audit.append(
            db, region, by, "attachment.add", "attachment", identifier, {"report": str(report), "kind": file.kind}
        )
    return identifier


def report_of_sender(db: Db, sender: UUID, identifier: str) -> UUID:
    """The report of this sender with our receipt number or his own reference. Raises NotFound, also for others'."""
    try:
        number: UUID | None = UUID(identifier)
    except ValueError:
        number = None
    row = None
    if "\x00" not in identifier:  # PostgreSQL takes no NUL, so no message has it
        row = db.execute(
            "SELECT r.id FROM report r JOIN message m ON m.id = r.message_id"
            " WHERE r.sender_id = %s AND (r.id = %s OR m.reference = %s)",
            (sender, number, identifier),
        ).fetchone()
    if row is None:
        raise NotFound
    found: UUID = row["id"]
    return found


def scan(db: Db, identifier: UUID) -> None:
    """The job: let the scanner look. Without one it stays waiting. Raises ScannerAway, then it is tried again."""
    row = db.execute(
        "SELECT id, region_id, content FROM attachment WHERE id = %s AND state = 'waiting' AND destroyed_at IS NULL"
        " FOR NO KEY UPDATE",
        (identifier,),
    ).fetchone()
    if row is None or not scanner.is_set():
        return
    found = scanner.scan(key_of(db, identifier).unseal(bytes(row["content"]), f"attachment.content:{identifier}"))
    state = "refused" if found else "clean"
    db.execute(
        "UPDATE attachment SET state = %s, scanned_at = now(), found = %s WHERE id = %s", (state, found, identifier)
    )
    audit.append(db, row["region_id"], "system", "attachment.scan", "attachment", identifier, {"state": state})


def scan_again(db: Db, region: UUID, report: UUID) -> int:
    """Ask once more for what still waits, as after a scanner was set; gives how many."""
    waiting = db.execute(
        "SELECT id FROM attachment WHERE region_id = %s AND report_id = %s AND state = 'waiting'"
        " AND destroyed_at IS NULL",
        (region, report),
    ).fetchall()
    for row in waiting:
        jobs.ask_again(db, region, JOB, row["id"])
    return len(waiting)


_ROWS = "SELECT id, kind, size, state, scanned_at, found, added_at, added_by, destroyed_at, name FROM attachment"


def of_report(db: Db, region: UUID, report: UUID) -> list[Row]:
    """The files of a report with their names, oldest first, without their content. Raises Unreadable."""
    rows = db.execute(
        f"{_ROWS} WHERE region_id = %s AND report_id = %s ORDER BY added_at, id", (region, report)
    ).fetchall()
    keys = keys_of(db, [row["id"] for row in rows if row["destroyed_at"] is None])
    return [row | {"name": _name(row, keys)} for row in rows]


def find(db: Db, region: UUID, report: UUID, identifier: UUID) -> Row:
    """One file of this report with its name, without its content. Raises NotFound, also when it was destroyed."""
    row = db.execute(
        f"{_ROWS} WHERE region_id = %s AND report_id = %s AND id = %s AND destroyed_at IS NULL",
        (region, report, identifier),
    ).fetchone()
    if row is None:
        raise NotFound
    return row | {"name": _name(row, keys_of(db, [identifier]))}


def content(db: Db, region: UUID, report: UUID, identifier: UUID, *, unscanned: bool = False) -> bytes:
    """The bytes of a file, to download. `unscanned`: somebody takes it although no scanner looked.

    Raises NotFound; Conflict for a file that was refused, or that was not scanned and nobody said so.
    """
    row = db.execute(
        "SELECT state, content FROM attachment WHERE region_id = %s AND report_id = %s AND id = %s"
        " AND destroyed_at IS NULL",
        (region, report, identifier),
    ).fetchone()
    if row is None:
        raise NotFound
    if row["state"] == "refused":
        raise Conflict("De virusscanner vond iets in dit bestand. Niemand kan het openen.")
    if row["state"] == "waiting" and not unscanned:
        raise Conflict("Dit bestand is nog niet gescand op virussen.")
    return key_of(db, identifier).unseal(bytes(row["content"]), f"attachment.content:{identifier}")


def _name(row: Row, keys: dict[UUID, DataKey]) -> str:
    key = keys.get(row["id"])
    return key.unseal(bytes(row["name"]), f"attachment.name:{row['id']}").decode() if key else "vernietigd"
