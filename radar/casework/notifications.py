"""What a member of staff must hear of. The database writes it with the event itself (migrations 0024, 0029)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.database import Db, Row

KINDS = {
    "task": "U kreeg een taak",
    "note": "Een notitie voor u",
    "handover": "Er is een antwoord op een overdracht",
    "signed": "Uw beoordeling is getekend",
    "returned": "Uw beoordeling kwam terug",
    "attachment": "Er is een bijlage bijgekomen",
}
SHOWN = 100


def unseen(db: Db, staff_id: UUID) -> int:
    """How many he has not seen."""
    row = db.execute(
        "SELECT count(*) AS n FROM notification WHERE staff_id = %s AND seen_at IS NULL", (staff_id,)
    ).fetchone()
    return int(row["n"]) if row else 0


def listing(db: Db, staff_id: UUID) -> list[Row]:
    """The newest hundred, unseen first: `kind`, `at`, `report_id`, `task` (its kind), `actor` by name, `seen_at`."""
    return db.execute(
        "SELECT n.kind, n.at, n.seen_at, n.report_id, t.kind AS task, coalesce(s.name, n.actor) AS actor"
        " FROM notification n LEFT JOIN task t ON n.kind = 'task' AND t.id = n.subject_id"
        " LEFT JOIN staff s ON s.region_id = n.region_id AND s.username = n.actor"
        " WHERE n.staff_id = %s ORDER BY n.seen_at IS NOT NULL, n.at DESC LIMIT %s",
        (staff_id, SHOWN),
    ).fetchall()


def see(db: Db, staff_id: UUID, until: datetime) -> int:
    """He has seen all that came until this moment; how many it were."""
    seen = db.execute(
        "UPDATE notification SET seen_at = now() WHERE staff_id = %s AND seen_at IS NULL AND at <= %s",
        (staff_id, until),
    )
    return seen.rowcount
