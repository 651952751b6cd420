"""What somebody may know of what he may not see: that it is there, and whom to ask. Nothing else of it.

The database decides (migration 0012): to a connection that is no member's visit nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from core.database import Db, Row
from core.errors import Conflict


def hits(db: Db, report_id: UUID) -> list[Row]:
    """Whom to ask, when somebody of this report may be a restricted person or lives with one.

    `contact` and his `team` with its `phone`. Empty for who sees it all, and for a report that is hidden itself.
    """
    return db.execute("SELECT contact, team, phone FROM blind_hits(%s) ORDER BY contact", (report_id,)).fetchall()


def tasks(db: Db, ids: Collection[UUID]) -> dict[UUID, str]:
    """Which of these tasks are about something hidden, each with whom to ask."""
    rows = db.execute("SELECT task_id, contact FROM blind_tasks(%s)", (list(ids),))
    return {row["task_id"]: row["contact"] for row in rows}


def refuse_beyond_sight(db: Db, report_id: UUID) -> None:
    """Raises Conflict when a report shares persons or a household with one that is hidden.

    What is counted anew from all reports on a family (who is who, signals, routes) is right for who sees all of them.
    """
    row = db.execute("SELECT beyond_sight(%s) AS hidden", (report_id,)).fetchone()
    if row and row["hidden"]:
        contacts = " of ".join(one["contact"] for one in hits(db, report_id))
        raise Conflict(
            "Dit raakt een dossier dat u niet helemaal mag zien. Er is niets veranderd. "
            f"Vraag het aan {contacts or 'uw teamleider'}."
        )


def unfit(db: Db, task_ids: Collection[UUID], staff_id: UUID) -> list[UUID]:
    """The tasks about something that this colleague may not see."""
    query = "SELECT id FROM unnest(%s::uuid[]) AS t (id) WHERE NOT task_fits(id, %s)"
    return [row["id"] for row in db.execute(query, (list(task_ids), staff_id))]


def sees_everybody(db: Db) -> bool:
    """Whether no person of the register is hidden: only then can a report be compared with all who are known."""
    row = db.execute("SELECT EXISTS (SELECT FROM visit_unknown_persons()) AS hidden").fetchone()
    return not (row and row["hidden"])
