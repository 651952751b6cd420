"""Calls that are being recorded: what is typed while somebody talks, sealed, until it became something or nothing.

A call belongs to the member who began it or took it over. Each save has a number, so that two windows never write
over each other. When it is done its content is gone, and the key with which it was sealed too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from core.sealing import DataKey, keep, key_of, new_key
from intake.personal_data import found

ABANDONED = timedelta(minutes=30)
"""From then on a colleague may go on with a call that nobody saved. OWN choice: no source says."""
LONGEST_REASON = 300
Outcome = Literal["report", "advice", "ended", "removed"]
_ACTIONS: dict[Outcome, str] = {
    "report": "desk.report",
    "advice": "desk.advice",
    "ended": "desk.end",
    "removed": "desk.remove",
}


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """A call with what was typed; both are empty once it is done. Its repr shows nothing of it."""

    id: UUID
    region: UUID
    staff: UUID
    version: int
    saved_by: str
    saved_at: datetime
    started_at: datetime
    outcome: Outcome | None
    outcome_id: UUID | None
    fields: Mapping[str, str] = field(default_factory=dict)
    searches: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Per person of the call the search that was done for him: its id, and the hash of what was searched for."""

    def __repr__(self) -> str:
        return f"Draft({self.id}, version {self.version})"


class StaleCall(Conflict):
    """Dit gesprek is intussen in een ander venster bewaard. Uw tekst staat er nog, maar is niet bewaard."""

    def __init__(self, theirs: Draft) -> None:
        super().__init__()
        self.theirs = theirs


class TakenOver(Conflict):
    """Een collega heeft dit gesprek overgenomen."""


def start(db: Db, region: UUID, staff: UUID, fields: Mapping[str, str], *, by: str, at: datetime) -> UUID:
    """Begin a call of this member; gives its id."""
    draft = uuid7()
    key = new_key(draft)
    keep(db, key, region)
    db.execute(
        "INSERT INTO intake_draft (id, region_id, staff_id, started_by, started_at, saved_by, saved_at, content)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (draft, region, staff, by, at, by, at, _sealed(key, draft, fields, {})),
    )
    audit.append(db, region, by, "desk.start", "intake_draft", draft)
    return draft


def find(db: Db, region: UUID, draft: UUID, staff: UUID, *, by: str, lock: bool = False) -> Draft:
    """A call of this member, open or done. `lock`: until the end of the transaction nobody else changes it.

    Raises NotFound, also for a colleague's; TakenOver for who had it before.
    """
    row = _row(db, region, draft, lock=lock)
    if row["staff_id"] != staff:
        raise TakenOver if by in (row["started_by"], row["saved_by"]) else NotFound
    return _opened(db, row)


def save(
    db: Db, region: UUID, draft: UUID, staff: UUID, version: int, fields: Mapping[str, str], *, by: str, at: datetime
) -> int:
    """Keep what was typed, as typed; gives the new version. `version`: the one that it was typed over.

    The same again changes nothing. Raises NotFound, TakenOver, StaleCall with what was saved meanwhile, Conflict when
    the call is done.
    """
    before = find(db, region, draft, staff, by=by, lock=True)
    if before.outcome:
        raise Conflict("Dit gesprek is al afgerond. Uw laatste tekst is niet bewaard.")
    if dict(fields) == before.fields:
        return before.version
    if version != before.version:
        raise StaleCall(before)
    key = key_of(db, draft)
    db.execute(
        "UPDATE intake_draft SET content = %s, version = version + 1, saved_by = %s, saved_at = %s WHERE id = %s",
        (_sealed(key, draft, fields, before.searches), by, at, draft),
    )
    audit.append(db, region, by, "desk.save", "intake_draft", draft, {"version": before.version + 1})
    return before.version + 1


def remember(db: Db, draft: Draft, searches: Mapping[str, Mapping[str, str]]) -> None:
    """Keep which searches were done for the persons of this call; that is no new version."""
    key = key_of(db, draft.id)
    db.execute(
        "UPDATE intake_draft SET content = %s WHERE id = %s",
        (_sealed(key, draft.id, draft.fields, searches), draft.id),
    )


def take_over(db: Db, region: UUID, draft: UUID, staff: UUID, *, by: str, at: datetime, at_once: bool) -> None:
    """Go on with a call that a colleague left lying. `at_once`: a team lead need not wait.

    Raises NotFound; Conflict when it is done; NotAllowed when its member saved it a moment ago.
    """
    row = _row(db, region, draft, lock=True)
    if row["done_at"] is not None:
        raise Conflict("Dit gesprek is al afgerond.")
    if row["staff_id"] == staff:
        return
    if not (at_once or row["saved_at"] + ABANDONED <= at):
        raise NotAllowed("Uw collega werkt nu aan dit gesprek. Vraag uw collega, of uw teamleider.")
    db.execute("UPDATE intake_draft SET staff_id = %s WHERE id = %s", (staff, draft))
    audit.append(
        db, region, by, "desk.take_over", "intake_draft", draft, {"from": str(row["staff_id"]), "at_once": at_once}
    )


def finish(
    db: Db, draft: Draft, outcome: Outcome, *, by: str, at: datetime, outcome_id: UUID | None = None, reason: str = ""
) -> None:
    """The call became this; what was typed is gone, and the key that it was sealed with.

    `reason`: why, when it is removed. Raises ReasonMissing; Conflict when it was done already.
    """
    words = " ".join(reason.split())
    if outcome == "removed" and not words:
        raise ReasonMissing("Schrijf in een zin waarom u dit gesprek verwijdert. Noem geen namen.")
    if found(words):
        raise ReasonMissing("Hier staat misschien een naam of nummer. Schrijf het zonder.")
    if len(words) > LONGEST_REASON:
        raise ReasonMissing("Schrijf het korter, in een paar zinnen.")
    done = db.execute(
        "UPDATE intake_draft SET content = NULL, outcome = %s, outcome_id = %s, done_by = %s, done_at = %s,"
        " reason = %s WHERE id = %s AND done_at IS NULL",
        (outcome, outcome_id, by, at, words or None, draft.id),
    )
    if done.rowcount != 1:
        raise Conflict("Dit gesprek is al afgerond.")
    details = {"outcome": str(outcome_id)} if outcome_id else {}
    audit.append(db, draft.region, by, _ACTIONS[outcome], "intake_draft", draft.id, details)


def open_ones(db: Db, region: UUID) -> list[Row]:
    """The calls of a region that are not done, the newest first: who has them and since when, and nothing of them."""
    return db.execute(
        "SELECT d.id, d.staff_id, s.name AS staff, s.active, d.started_at, d.saved_at, d.version"
        " FROM intake_draft d JOIN staff s ON s.id = d.staff_id WHERE d.region_id = %s AND d.done_at IS NULL"
        " ORDER BY d.saved_at DESC, d.id DESC LIMIT 200",
        (region,),
    ).fetchall()


def reference_of_own(db: Db, region: UUID, report: UUID) -> str | None:
    """The reference under which our own channels brought a report in; what is added to it gets the same, so that the
    two stand side by side. None for a report of somebody else."""
    row = db.execute(
        "SELECT reference_of_reporter AS reference FROM report"
        " WHERE id = %s AND region_id = %s AND sender_id = region_id",
        (report, region),
    ).fetchone()
    return str(row["reference"]) if row else None


def unread(db: Db, region: UUID, draft: UUID) -> Draft:
    """A call without its content, to remove it without reading it. Raises NotFound."""
    return _draft(_row(db, region, draft, lock=True))


_ROW = "SELECT * FROM intake_draft WHERE id = %s AND region_id = %s"
_LOCKED = f"{_ROW} FOR UPDATE"


def _row(db: Db, region: UUID, draft: UUID, *, lock: bool) -> Row:
    row = db.execute(_LOCKED if lock else _ROW, (draft, region)).fetchone()
    if row is None:
        raise NotFound
    return row


def _draft(
    row: Row, fields: Mapping[str, str] | None = None, searches: Mapping[str, Mapping[str, str]] | None = None
) -> Draft:
    return Draft(
        row["id"],
        row["region_id"],
        row["staff_id"],
        row["version"],
        row["saved_by"],
        row["saved_at"],
        row["started_at"],
        row["outcome"],
        row["outcome_id"],
        fields or {},
        searches or {},
    )


def _opened(db: Db, row: Row) -> Draft:
    if row["content"] is None:
        return _draft(row)
    plain = json.loads(key_of(db, row["id"]).unseal(bytes(row["content"]), _place(row["id"])))
    return _draft(row, plain["fields"], plain["searches"])


def _sealed(key: DataKey, draft: UUID, fields: Mapping[str, str], searches: Mapping[str, Mapping[str, str]]) -> bytes:
    plain = json.dumps({"fields": dict(fields), "searches": dict(searches)}, ensure_ascii=False)
    return key.seal(plain.encode("utf-8", "replace"), _place(draft))


def _place(draft: UUID) -> str:
    return f"intake_draft.content:{draft}"
