"""The audit trail: a row per read and per change, in the same transaction, chained per region.

A region's chain has sixteen strands (see `audit_append` in the first migration), so that the feed can commit on
sixteen connections at once. Within a strand each row's hash covers the row before it; the head of a strand is a
row of its own, so that a cut-off tail shows too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from core.database import Db, Row

Outcome = Literal["ok", "refused", "failed"]
NO_REGION = UUID(int=0)
"""The chain for what happens outside a region: a sign-in that fails, a sender that nobody knows."""


def append(
    db: Db,
    region: UUID,
    actor: str,
    action: str,
    object_kind: str,
    object_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    outcome: Outcome = "ok",
) -> None:
    """Write one row in the caller's transaction. `details` holds ids and codes, never personal data."""
    db.execute(
        "SELECT audit_append(%s, %s, %s, %s, %s, %s, %s)",
        (region, actor, action, object_kind, object_id, Jsonb(dict(details or {})), outcome),
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
    heads = {(row["region_id"], row["chain"]): row for row in db.execute("SELECT * FROM audit_head")}
    number, previous, strand = 0, b"", None
    lines = db.execute(
        "SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS micros, details::text AS details_text "
        "FROM audit_entry ORDER BY region_id, chain, number"
    )
    last: dict[tuple[UUID, int], tuple[int, bytes]] = {}
    for row in lines:
        key = (row["region_id"], row["chain"])
        if key != strand:
            strand, number, previous = key, 0, b""
        number += 1
        if row["number"] != number:
            yield Breach(*key, number, "missing")
            number = row["number"]
        elif hashlib.sha256(previous + _line(row)).digest() != bytes(row["hash"]):
            yield Breach(*key, number, "changed")
        previous = bytes(row["hash"])
        last[key] = (number, previous)
    for key, head in heads.items():
        if last.get(key, (0, b"")) != (head["number"], bytes(head["hash"])):
            yield Breach(*key, head["number"], "tail cut off")
    for key in last.keys() - heads.keys():
        yield Breach(*key, 0, "head missing")


def _line(row: Row) -> bytes:
    """The text that was hashed; the same order as in `audit_append`."""
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
