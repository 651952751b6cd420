"""Which mentions are certainly this person: what leaves rests on them, and on nothing that the machine only
supposes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.database import Db
from core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Said:
    """One mention: this person as named in one report."""

    mention_id: UUID
    report_id: UUID
    person: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Certain:
    """His mentions that are certain, oldest first, and in which reports he may be mentioned too.

    `unsure`: reports where the machine linked or proposes him and nobody said yes or no yet.
    """

    region_id: UUID
    said: tuple[Said, ...]
    unsure: tuple[UUID, ...]

    @property
    def mentions(self) -> list[UUID]:
        return [one.mention_id for one in self.said]

    @property
    def reports(self) -> list[UUID]:
        return list(dict.fromkeys(one.report_id for one in self.said))


# The mention itself; and when somebody said who it is (or it founded him), the others of which somebody said so too.
_CERTAIN = """
WITH own AS (
    SELECT l.person_id, l.region_id, l.state FROM link l
    WHERE l.mention_id = %(mention)s AND l.state IN ('new', 'automatic', 'confirmed')
), all_his AS (
    SELECT %(mention)s::uuid AS mention_id, true AS sure
    UNION
    SELECT k.mention_id, k.state IN ('new', 'confirmed') AND own.state IN ('new', 'confirmed')
    FROM own JOIN link k ON k.person_id = own.person_id AND k.region_id = own.region_id
    WHERE k.state IN ('new', 'automatic', 'confirmed', 'proposed') AND k.mention_id <> %(mention)s
    UNION
    SELECT k.mention_id, false FROM link p JOIN link k ON k.person_id = p.person_id AND k.region_id = p.region_id
    WHERE p.mention_id = %(mention)s AND p.state = 'proposed' AND k.mention_id <> %(mention)s
        AND k.state IN ('new', 'automatic', 'confirmed')
)
SELECT m.id, m.region_id, m.report_id, m.person, r.received_at, bool_or(h.sure) AS sure
FROM all_his h JOIN mention m ON m.id = h.mention_id JOIN report r ON r.id = m.report_id
WHERE m.destroyed_at IS NULL OR m.id = %(mention)s
GROUP BY m.id, r.id ORDER BY r.received_at, m.id
"""


def certain(db: Db, mention_id: UUID) -> Certain:
    """The mentions that are certainly the person of this mention. Raises NotFound.

    A mention that founded him is certain together with those that a person confirmed; a machine's link is not, and
    from a mention that only the machine linked nothing else is reached.
    """
    rows = db.execute(_CERTAIN, {"mention": mention_id}).fetchall()
    if not any(row["id"] == mention_id for row in rows):
        raise NotFound
    said = tuple(Said(row["id"], row["report_id"], row["person"], row["received_at"]) for row in rows if row["sure"])
    unsure = tuple(dict.fromkeys(row["report_id"] for row in rows if not row["sure"]))
    return Certain(rows[0]["region_id"], said, unsure)
