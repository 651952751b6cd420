"""Reading back what receipt sealed. Whoever calls has settled that it may be read, and writes that it was.

What came before sealing, and is not sealed yet, is read as it stands.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.errors import NotFound
from core.sealing import DataKey, Unreadable, is_sealed, key_of, keys_of
from intake import vault


def raw(db: Db, message: UUID, stored: bytes) -> bytes:
    """The bytes of a message as they came, from its column `raw`. Raises Unreadable or Destroyed."""
    if not is_sealed(stored):
        return stored
    return key_of(db, message).unseal(stored, vault.raw_place(message))


def persons(db: Db, report: UUID) -> list[dict[str, Any]]:
    """The persons of a report as sent, in order. Raises Unreadable or Destroyed."""
    rows = db.execute("SELECT id FROM mention WHERE report_id = %s ORDER BY number", (report,)).fetchall()
    found = persons_of(db, [row["id"] for row in rows])
    return [found[row["id"]] for row in rows]


def persons_of(db: Db, mentions: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """These mentions as sent, with what was sealed of them. Raises Unreadable or Destroyed."""
    rows = db.execute(
        "SELECT m.id, m.person, s.sealed, r.message_id FROM mention m JOIN report r ON r.id = m.report_id"
        " LEFT JOIN mention_secret s ON s.mention_id = m.id WHERE m.id = ANY(%s)",
        (list(mentions),),
    ).fetchall()
    keys = keys_of(db, {row["message_id"] for row in rows if row["sealed"]})
    return {
        row["id"]: vault.whole_person(row["person"], _opened(keys, row, vault.person_place(row["id"])))
        for row in rows
    }


def identity(db: Db, report: UUID) -> dict[str, Any]:
    """Who reported: `contact`, `gebruiker`, `onbekend` as sent, and `personen` in the role of reporter.

    Raises NotFound, Unreadable or Destroyed.
    """
    row = db.execute(
        "SELECT r.content, r.message_id, s.sealed FROM report r LEFT JOIN reporter_secret s ON s.report_id = r.id"
        " WHERE r.id = %s",
        (report,),
    ).fetchone()
    if row is None:
        raise NotFound
    keys = keys_of(db, [row["message_id"]]) if row["sealed"] else {}
    plain = vault.part(row["content"], []).identity
    found = plain | _opened(keys, row, vault.identity_place(report))
    mentions = db.execute(
        "SELECT id FROM mention WHERE report_id = %s AND person -> 'rol' ->> 'code' = %s ORDER BY number",
        (report, vault.REPORTER),
    ).fetchall()
    if mentions:
        opened = persons_of(db, [one["id"] for one in mentions])
        found["personen"] = [opened[one["id"]] for one in mentions]
    return found


def informings(db: Db, report: UUID) -> list[dict[str, Any]]:
    """Who was informed of a report, as sent. Raises NotFound, Unreadable or Destroyed."""
    row = db.execute(
        "SELECT r.content, r.message_id, s.numbers AS sealed FROM report r"
        " LEFT JOIN reporter_secret s ON s.report_id = r.id WHERE r.id = %s",
        (report,),
    ).fetchone()
    if row is None:
        raise NotFound
    keys = keys_of(db, [row["message_id"]]) if row["sealed"] else {}
    return vault.whole_informings(row["content"], _opened(keys, row, vault.numbers_place(report)))


def _opened(keys: dict[UUID, DataKey], row: Row, place: str) -> dict[str, Any]:
    if not row["sealed"]:
        return {}
    if row["message_id"] not in keys:
        raise Unreadable
    return vault.opened(keys[row["message_id"]], bytes(row["sealed"]), place)
