"""The audit trail: a row per read and per change, in the same transaction, chained per region.

A region's chain has sixteen strands (see `audit_append` in migration 0009), so that the feed can commit on
sixteen connections at once. Within a strand each row's hash covers the row before it; the head of a strand is a
row of its own, so that a cut-off tail shows too. Who rewrites all of it is found by core/checkpoints.py.

Who acts, in which role, why, from where and in which request is not told by the caller: the database reads it from
the live session that the transaction names (NEN 7513; BIO2 8.15.01). Without a row there is no view: the work fails.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from core.database import Db, Row

Outcome = Literal["ok", "refused", "failed"]
NO_REGION = UUID(int=0)
"""The chain for what happens outside a region: a sign-in that fails, a sender that nobody knows."""
_SECOND_FORM = (
    *("event", "staff_id", "role", "purpose", "origin", "request", "report_id", "case_id", "persons", "software"),
)
"""The columns that lines of before migration 0009 do not have."""


def append(
    db: Db,
    region: UUID,
    actor: str,
    action: str,
    object_kind: str,
    object_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    outcome: Outcome = "ok",
    persons: Collection[UUID] = (),
) -> None:
    """Write one row in the caller's transaction. `details` holds ids and codes, never personal data.

    `persons` tells whose data it was where the object does not: ids of persons or mentions, or of the reports that a
    list showed. For a report, a case and what belongs to one it stays empty: the persons follow from their links at
    the moment of asking, so that a corrected link corrects the log of the person too.
    """
    db.execute(
        "SELECT audit_append(%s, %s, %s, %s, %s, %s, %s, %s)",
        (region, actor, action, object_kind, object_id, Jsonb(dict(details or {})), outcome, list(persons)),
    )


@dataclass(frozen=True, slots=True)
class Breach:
    """A place where the trail does not hold."""

    region: UUID
    strand: int
    number: int
    what: str


def breaches(db: Db) -> Iterator[Breach]:
    """Recompute every strand from its first row; yields each row that was changed, removed or cut off.

    The hash is recomputed here from the stored columns, by other code than that which wrote it.
    """
    with db.transaction():
        heads = {(row["region_id"], row["chain"]): row for row in db.execute("SELECT * FROM audit_head")}
        yield from _broken(_lines(db), heads)


def _lines(db: Db) -> Iterator[Row]:
    """All lines in order, a part at a time: a trail of years does not fit in memory."""
    with db.cursor(name="audit_lines") as cursor:
        cursor.itersize = 5_000
        cursor.execute(
            "SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS micros, details::text AS details_text "
            "FROM audit_entry ORDER BY region_id, chain, number"
        )
        yield from cursor


def _broken(lines: Iterator[Row], heads: dict[tuple[UUID, int], Row]) -> Iterator[Breach]:
    number, previous, strand = 0, b"", None
    last: dict[tuple[UUID, int], tuple[int, bytes]] = {}
    for row in lines:
        key = (row["region_id"], row["chain"])
        if key != strand:
            strand, number, previous = key, 0, b""
        number += 1
        if row["number"] != number:
            yield Breach(*key, number, "missing")
            number = row["number"]
        elif hash_of(previous, row) != bytes(row["hash"]):
            yield Breach(*key, number, "changed")
        previous = bytes(row["hash"])
        last[key] = (number, previous)
    for key, head in heads.items():
        if last.get(key, (0, b"")) != (head["number"], bytes(head["hash"])):
            yield Breach(*key, head["number"], "tail cut off")
    for key in last.keys() - heads.keys():
        yield Breach(*key, 0, "head missing")


def hash_of(previous: bytes, row: Row) -> bytes:
    """The hash of a line after the one with hash `previous`; the row as `breaches` reads it."""
    return hashlib.sha256(previous + _line(row)).digest()


def _line(row: Row) -> bytes:
    """The text that was hashed, as in `audit_append` of the migration that made this form of line."""
    if row["line"] == 1:
        return _first_form(row)
    fields = (
        *(row["line"], row["region_id"], row["chain"], row["number"], row["micros"], row["actor"], row["action"]),
        *(row["event"], row["object_kind"], row["object_id"], row["outcome"], row["staff_id"], row["role"]),
        *(row["purpose"], row["origin"], row["request"], row["report_id"], row["case_id"]),
        *(",".join(map(str, row["persons"])), row["software"], row["details_text"]),
    )
    return json.dumps(fields, ensure_ascii=False, default=str).encode()


def _first_form(row: Row) -> bytes:
    """The lines of before migration 0009, on which the later columns must be empty."""
    if any(row[name] for name in _SECOND_FORM):
        return b""
    fields = (
        row["region_id"],
        row["chain"],
        row["number"],
        row["micros"],
        row["actor"],
        row["action"],
        row["object_kind"],
        row["object_id"] or "-",
        row["outcome"],
        row["details_text"],
    )
    return "\x1f".join(str(field) for field in fields).encode()


def of_object(db: Db, object_id: UUID) -> list[Row]:
    """The rows about one object, oldest first, without the hashes."""
    return db.execute(
        "SELECT at, actor, action, object_kind, outcome, details FROM audit_entry WHERE object_id = %s "
        "ORDER BY at, chain, number",
        (object_id,),
    ).fetchall()
