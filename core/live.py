"""What tells an open page that something changed: a number that is another one then, and says nothing else.

That of a report comes from its rows themselves (migration 0023); that of the queue from the newest changes of tasks,
which number themselves (migration 0028).
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from core.database import AsyncDb, Db


def number(db: Db, report: UUID | None = None) -> int:
    """The number of this report, or of the tasks of the region, for who may see it; 0 for who may not.

    To be asked before the page reads anything else: a change in between then shows as a change.
    """
    row = db.execute("SELECT live_number(%s) AS number", (report,)).fetchone()
    return int(row["number"]) if row and row["number"] is not None else 0


async def numbers(db: AsyncDb, region: UUID, reports: Collection[UUID]) -> dict[UUID | None, int]:
    """The numbers of a region (None) and of these reports, for the one who asks for all open pages of a process."""
    cursor = await db.execute("SELECT subject, number FROM live_numbers(%s, %s)", (region, list(reports)))
    return {row["subject"]: int(row["number"]) async for row in cursor}
