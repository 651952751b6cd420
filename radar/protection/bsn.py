"""Citizen service numbers: masked on every screen, read in full only by who may, and that is on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db
from core.errors import NotFound
from core.identity import Bsn
from core.identity.bsn import CODES
from intake import opening

MASK = "•••••"
NOT_A_NUMBER = {"unborn": "nog niet geboren", "unknown": "onbekend", "invalid": "een nummer dat niet klopt"}


def status(person: Mapping[str, Any]) -> str:
    """What is known of his number without reading it: valid, invalid, missing, unborn or unknown."""
    return str(person.get("bsnStatus") or Bsn.parse(person.get("bsn")).status)


def shown(person: Mapping[str, Any]) -> str:
    """The number as a screen shows it: '•••••653', a word when it is no number, '' when there is none."""
    known = status(person)
    if known == "valid":
        return MASK + str(person.get("bsnEinde") or (Bsn.parse(person.get("bsn")).value or "")[-3:])
    if person.get("bsn") in CODES:
        return str(person["bsn"])
    return NOT_A_NUMBER.get(known, "")


def read(db: Db, mention: UUID, *, by: str) -> str:
    """The number of somebody in a report as it was sent, in full, with its row in the audit trail (`bsn.read`).

    Raises NotFound when there is none; Unreadable or Destroyed (core.sealing).
    """
    row = db.execute("SELECT region_id, report_id FROM mention WHERE id = %s", (mention,)).fetchone()
    number = opening.persons_of(db, [mention])[mention].get("bsn") if row else None
    if row is None or not number:
        raise NotFound
    linked = db.execute(
        "SELECT person_id FROM link WHERE mention_id = %s AND state IN ('new', 'automatic', 'confirmed')", (mention,)
    ).fetchone()
    details = {"report": str(row["report_id"]), "person": str(linked["person_id"]) if linked else None}
    audit.append(db, row["region_id"], by, "bsn.read", "mention", mention, details)
    return str(number)
