"""The SQL of what leaves: the row of each thing, what the gate asks of it, and the lists of the page."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.errors import NotFound
from core.ids import uuid7

PAGE = 100
"""Rows of one list on the page."""


def insert(db: Db, values: dict[str, Any]) -> UUID:
    """Keep what is proposed, once per kind and subject; gives its id. Raises NotFound without such a report."""
    row = db.execute(
        "INSERT INTO outgoing (id, region_id, report_id, kind, subject_id, recipient_kind, recipient_id, parts,"
        " dangers, two_persons, made_by, made_at) VALUES (%(id)s, coalesce(%(region)s::uuid,"
        " (SELECT region_id FROM report WHERE id = %(report)s)), %(report)s, %(kind)s, %(subject)s, %(to)s, %(whom)s,"
        " %(parts)s, %(dangers)s, %(two)s, %(by)s, %(at)s) ON CONFLICT (kind, subject_id) DO NOTHING RETURNING id",
        {"id": uuid7(), **values},
    ).fetchone()
    if row is None:
        row = db.execute(
            "SELECT id FROM outgoing WHERE kind = %(kind)s AND subject_id = %(subject)s", values
        ).fetchone()
    if row is None:
        raise NotFound
    made: UUID = row["id"]
    return made


def locked(db: Db, outgoing_id: UUID) -> Row:
    """One thing that leaves, locked. Raises NotFound."""
    return _one(db, "SELECT * FROM outgoing WHERE id = %s FOR UPDATE", (outgoing_id,))


def of_subject(db: Db, kind: str, subject: UUID) -> Row | None:
    """What was proposed of this kind about this subject."""
    return db.execute("SELECT * FROM outgoing WHERE kind = %s AND subject_id = %s", (kind, subject)).fetchone()


def required(db: Db, kind: str, subject: UUID) -> Row:
    """What was proposed of this kind about this subject. Raises NotFound."""
    row = of_subject(db, kind, subject)
    if row is None:
        raise NotFound
    return row


def find(db: Db, region: UUID, outgoing_id: UUID) -> Row:
    """One row of this region. Raises NotFound."""
    return _one(db, "SELECT * FROM outgoing WHERE id = %s AND region_id = %s", (outgoing_id, region))


def facts(db: Db, outgoing_id: UUID, at: datetime) -> dict[str, Any]:
    """What the gate must know, asked of the database with its own eyes: a partner sees less. Raises NotFound."""
    row = db.execute("SELECT outbound_facts(%s, %s) AS facts", (outgoing_id, at)).fetchone()
    if row is None or row["facts"] is None:
        raise NotFound
    found: dict[str, Any] = row["facts"]
    return found


def first_release(db: Db, outgoing_id: UUID, by: str, at: datetime) -> Row:
    """Somebody released it; from now on a link that falls away holds it. Gives the row."""
    return _one(
        db,
        "UPDATE outgoing o SET released_by = %s, released_at = %s, second_by = NULL, second_at = NULL,"
        " state = 'proposed', held_why = '{}', links = coalesce(outbound_links(o.report_id), '{}'),"
        " household_id = (SELECT household_id FROM report WHERE id = o.report_id) WHERE id = %s RETURNING o.*",
        (by, at, outgoing_id),
    )


def second_release(db: Db, outgoing_id: UUID, by: str, at: datetime) -> Row:
    return _one(
        db, "UPDATE outgoing SET second_by = %s, second_at = %s WHERE id = %s RETURNING *", (by, at, outgoing_id)
    )


def released(db: Db, outgoing_id: UUID, at: datetime) -> None:
    """It may go: also again, for what went before and is looked at more than once."""
    db.execute("UPDATE outgoing SET state = 'released', checked_at = %s WHERE id = %s", (at, outgoing_id))


def endangered(db: Db, outgoing_id: UUID, dangers: Collection[str], two_persons: bool) -> None:
    """What makes it dangerous was found later: it needs two persons from now on, and is released no more."""
    db.execute(
        "UPDATE outgoing SET dangers = %s, two_persons = %s WHERE id = %s",
        (sorted(dangers), two_persons, outgoing_id),
    )


def held(db: Db, outgoing_id: UUID, codes: Collection[str], at: datetime) -> None:
    db.execute(
        "UPDATE outgoing SET state = 'held', held_why = %s, checked_at = %s WHERE id = %s",
        (list(codes), at, outgoing_id),
    )


def sent(db: Db, outgoing_id: UUID, content: bytes, at: datetime) -> None:
    """These bytes left; of what leaves more than once the first moment and the last bytes stay."""
    db.execute(
        "UPDATE outgoing SET state = 'sent', checked_at = %(at)s, sent_at = coalesce(sent_at, %(at)s),"
        " content_sha256 = %(hash)s WHERE id = %(id)s",
        {"at": at, "hash": hashlib.sha256(content).digest(), "id": outgoing_id},
    )


def withdrawn(db: Db, outgoing_id: UUID) -> None:
    db.execute("UPDATE outgoing SET state = 'withdrawn', held_why = '{}' WHERE id = %s", (outgoing_id,))


def printed(db: Db, row: Row, print_id: UUID, by: str, at: datetime, content: bytes, *, draft: bool) -> int:
    """Keep that a copy was taken along; gives how many this person took in the last day."""
    db.execute(
        "INSERT INTO outgoing_print (id, region_id, report_id, outgoing_id, actor, at, draft, content_sha256)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            print_id,
            row["region_id"],
            row["report_id"],
            row["id"],
            by,
            at,
            draft,
            hashlib.sha256(content).digest(),
        ),
    )
    counted = _one(
        db,
        "SELECT count(*) AS n FROM outgoing_print WHERE region_id = %s AND actor = %s"
        " AND at > %s::timestamptz - interval '1 day'",
        (row["region_id"], by, at),
    )
    return int(counted["n"])


def prints_of(db: Db, outgoing_id: UUID) -> list[Row]:
    """The copies that were taken along, newest first."""
    return db.execute(
        "SELECT id, actor, at, draft FROM outgoing_print WHERE outgoing_id = %s ORDER BY at DESC, id DESC",
        (outgoing_id,),
    ).fetchall()


_LIST = """
SELECT o.*, t.name AS team, s.name AS sender, m.person, f.name AS member
FROM outgoing o
LEFT JOIN team t ON o.recipient_kind = 'partner' AND t.id = o.recipient_id
LEFT JOIN sender s ON o.recipient_kind = 'sender' AND s.id = o.recipient_id
LEFT JOIN mention m ON o.recipient_kind = 'person' AND m.id = o.recipient_id
LEFT JOIN staff f ON o.recipient_kind = 'staff' AND f.id = o.recipient_id
WHERE o.region_id = %(region)s AND """


def waiting(db: Db, region: UUID) -> list[Row]:
    """What was held or waits for a release, the oldest first, with who it is for."""
    return db.execute(
        _LIST + "o.state IN ('proposed', 'held') ORDER BY o.state <> 'held', o.made_at, o.id LIMIT %(limit)s",
        {"region": region, "limit": PAGE},
    ).fetchall()


def ready(db: Db, region: UUID) -> list[Row]:
    """What was released and did not go yet."""
    return db.execute(
        _LIST + "o.state = 'released' AND o.sent_at IS NULL ORDER BY o.released_at, o.id LIMIT %(limit)s",
        {"region": region, "limit": PAGE},
    ).fetchall()


def gone(db: Db, region: UUID) -> list[Row]:
    """What went, the newest first."""
    return db.execute(
        _LIST + "o.sent_at IS NOT NULL ORDER BY o.sent_at DESC, o.id DESC LIMIT %(limit)s",
        {"region": region, "limit": PAGE},
    ).fetchall()


def shown(db: Db, region: UUID, outgoing_id: UUID) -> Row:
    """One row with who it is for. Raises NotFound."""
    return _one(db, _LIST + "o.id = %(id)s", {"region": region, "id": outgoing_id})


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Everything that leaves or left about a report, newest first (AVG art. 19: who received what)."""
    return db.execute(
        _LIST + "o.report_id = %(report)s ORDER BY o.made_at DESC, o.id DESC",
        {"region": region, "report": report_id},
    ).fetchall()


def _one(db: Db, query: str, values: tuple[Any, ...] | dict[str, Any]) -> Row:
    row = db.execute(query, values).fetchone()
    if row is None:
        raise NotFound
    found: Row = row
    return found
