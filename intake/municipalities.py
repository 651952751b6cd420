"""Municipalities: data of the operator with validity and successor (RvIG table 33; standards.md 7).

Who fills in a form names a municipality; that says which region it is for. Readable at the door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from core.database import Db, now
from core.deadlines import local_day

LONGEST_CHAIN = 10
"""Mergers after one another that are followed; a ring in the data ends there too."""


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality that is valid today, and the region that it belongs to."""

    code: str
    name: str
    region: UUID


@dataclass(frozen=True, slots=True)
class Region:
    """What anybody may know of a region: its name and how to reach it."""

    id: UUID
    name: str
    phone: str | None


def choices(db: Db) -> list[Municipality]:
    """The municipalities of today, by name; of all regions at the door, of one's own region in a visit.

    Empty when no municipality is on record: then `only_region` is meant.
    """
    rows = db.execute(
        "SELECT code, name, region_id FROM municipality WHERE valid_from <= %(day)s"
        " AND (valid_until IS NULL OR valid_until >= %(day)s) ORDER BY name, code",
        {"day": _today(db)},
    )
    return [Municipality(row["code"], row["name"], row["region_id"]) for row in rows]


def region_of(db: Db, code: str) -> UUID | None:
    """The region of this code today, by its successor when it merged; None when nobody here serves it."""
    row = db.execute(
        "WITH RECURSIVE chain AS ("
        " SELECT m.*, 1 AS step FROM municipality m WHERE m.code = %(code)s AND m.valid_from <= %(day)s"
        " UNION ALL SELECT m.*, c.step + 1 FROM chain c JOIN municipality m ON m.code = c.successor"
        " AND m.valid_from <= %(day)s WHERE c.valid_until < %(day)s AND c.step < %(longest)s)"
        " SELECT region_id FROM chain WHERE valid_until IS NULL OR valid_until >= %(day)s"
        " ORDER BY step, valid_from DESC LIMIT 1",
        {"code": code, "day": _today(db), "longest": LONGEST_CHAIN},
    ).fetchone()
    return row["region_id"] if row else None


def only_region(db: Db) -> Region | None:
    """The region of an installation that has one; None when there are several, or none yet."""
    rows = db.execute("SELECT id, name, phone FROM region LIMIT 2").fetchall()
    return Region(**rows[0]) if len(rows) == 1 else None


def region(db: Db, region_id: UUID) -> Region | None:
    """What anybody may know of this region."""
    row = db.execute("SELECT id, name, phone FROM region WHERE id = %s", (region_id,)).fetchone()
    return Region(**row) if row else None


def _today(db: Db) -> date:
    return local_day(now(db))
