"""The processing log of Logius (Logboek Dataverwerkingen, LDV), an option: one JSON line per line of the trail and
data subject, written after the commit from the trail itself, so that none is lost.

The names of the fields are those of the published interface (component Logboek; read in a copy of the Logius text,
the newest version not verified). Ours, and not verified with Logius: the type of the data subject, for which we give
a pseudonym instead of an encrypted BSN. By the draft decision of LDV no user stands in it: he is in the audit trail.

Which lines were written stands in the database per strand; what a crash left half written is the beginning of what is
written next, so it is completed and not repeated. The ids of a line always come out the same, so a double shows.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from core.database import Db, Row, transaction
from core.errors import SettingsError
from core.events import event_of
from core.secrets import keyed_hash
from core.settings import settings

BATCH = 500
SUBJECT_TYPE = "veilig-thuis-radar/pseudoniem"
STATUS = {"ok": "Ok", "refused": "Unset", "failed": "Error"}
"""A refusal is no internal error: the standard leaves its status unset."""
_TRACE = re.compile(r"^[0-9a-f]{32}$")


@dataclass(frozen=True, slots=True)
class _Batch:
    """The lines of one strand that are being written, and from which byte of the file."""

    region: UUID
    chain: int
    after: int
    until: int
    place: int


def relay() -> int:
    """Write what the trail has and the processing log has not; returns how many lines of the trail. 0 when it is off.

    Raises SettingsError when the file cannot be written; then nothing is skipped.
    """
    path = settings().ldv_file
    if path is None:
        return 0
    done = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as opened:
            os.chmod(opened.fileno(), 0o600)
            fcntl.flock(opened, fcntl.LOCK_EX)
            while batch := _next(path):
                with transaction() as db:
                    block = b"".join(lines_of(db, batch.region, batch.chain, batch.after, batch.until))
                _complete(path, block, batch.place)
                with transaction() as db:
                    db.execute(
                        "UPDATE ldv_cursor SET number = batch_until, batch_until = NULL, batch_place = NULL"
                        " WHERE region_id = %s AND chain = %s",
                        (batch.region, batch.chain),
                    )
                done += batch.until - batch.after
    except OSError as error:
        raise SettingsError(f"The processing log {path} cannot be written: {error.strerror}.") from None
    return done


def lines_of(db: Db, region: UUID, chain: int, after: int, until: int) -> Iterator[bytes]:
    """The processing log of these lines of the trail, in order; nothing for what processes no personal data."""
    rows = db.execute(
        "SELECT e.*, ARRAY(SELECT DISTINCT coalesce(l.person_id, m.id) FROM mention m LEFT JOIN link l"
        "   ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')"
        "   WHERE m.report_id = CASE e.object_kind WHEN 'report' THEN e.object_id ELSE e.report_id END"
        "   OR m.id = ANY (e.persons) OR m.report_id = ANY (e.persons)"
        "   OR (e.object_kind = 'case' AND m.report_id IN (SELECT r.id FROM report r WHERE r.case_id = e.object_id))"
        "   UNION SELECT p.id FROM person p WHERE p.id = ANY (e.persons) ORDER BY 1) AS subjects"
        " FROM audit_entry e WHERE e.region_id = %s AND e.chain = %s AND e.number > %s AND e.number <= %s"
        " ORDER BY e.number",
        (region, chain, after, until),
    ).fetchall()
    for row in rows:
        if event_of(row["action"]).activity:
            for subject in row["subjects"] or [None]:
                yield json.dumps(_line(row, subject), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _line(row: Row, subject: UUID | None) -> dict[str, object]:
    """One line of the interface; a list of which the trail does not say whom it showed has no data subject."""
    own = bytes(row["hash"])
    moment = _moment(row["at"])
    attributes = {
        "dpl.core.processing_activity_id": settings().ldv_register + event_of(row["action"]).activity,
    }
    if subject:
        attributes["dpl.core.data_subject_id"] = keyed_hash(f"ldv:{subject}").hex()
        attributes["dpl.core.data_subject_id_type"] = SUBJECT_TYPE
    request = row["request"] or ""
    return {
        "trace_id": request if _TRACE.match(request) else hashlib.sha256(own).hexdigest()[:32],
        "span_id": hashlib.sha256(own + (subject.bytes if subject else b"")).hexdigest()[:16],
        "status": STATUS[row["outcome"]],
        "name": row["action"],
        "start_time": moment,
        "end_time": moment,
        "resource": {"attributes": {"service.name": "veilig-thuis-radar", "service.version": row["software"] or ""}},
        "attributes": attributes,
    }


def _next(path: Path) -> _Batch | None:
    """The batch that a crash left, else the next lines of a strand; noted before it is written."""
    with transaction() as db:
        row = db.execute(
            "SELECT h.region_id, h.chain, coalesce(c.number, 0) AS after, c.batch_place,"
            " coalesce(c.batch_until, least(h.number, coalesce(c.number, 0) + %s)) AS until"
            " FROM audit_head h LEFT JOIN ldv_cursor c USING (region_id, chain)"
            " WHERE c.batch_until IS NOT NULL OR h.number > coalesce(c.number, 0)"
            " ORDER BY (c.batch_until IS NULL), h.region_id, h.chain LIMIT 1",
            (BATCH,),
        ).fetchone()
        if row is None:
            return None
        place = row["batch_place"] if row["batch_place"] is not None else path.stat().st_size
        db.execute(
            "INSERT INTO ldv_cursor (region_id, chain, number, batch_until, batch_place) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (region_id, chain) DO UPDATE SET batch_until = excluded.batch_until,"
            " batch_place = excluded.batch_place",
            (row["region_id"], row["chain"], row["after"], row["until"], place),
        )
    return _Batch(row["region_id"], row["chain"], row["after"], row["until"], place)


def _complete(path: Path, block: bytes, place: int) -> None:
    """Write the block, or the rest of it where a crash left its beginning."""
    with path.open("r+b") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(min(place, size))
        there = opened.read() if size > place else b""
        opened.seek(0, os.SEEK_END)
        opened.write(block[len(there) :] if block.startswith(there) else block)
        opened.flush()
        os.fsync(opened.fileno())


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
