"""Safety watch (zicht op veiligheid): who watches whether it is safe. Exactly one holder at every moment of a case.

The one before ends at the moment at which the next begins, in one statement; the database refuses
a gap, an overlap, two holders or none (`watch_unbroken` in migration 0007).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotFound
from core.ids import uuid7

Holder = Literal["veilig_thuis", "reporter", "partner"]


def holder(db: Db, case_id: UUID) -> Row | None:
    """Who watches now: `holder`, `team_id`, `team` (its name), `since`, `reason`; None for a closed case."""
    return db.execute(
        "SELECT w.holder, w.team_id, t.name AS team, w.since, w.reason FROM safety_watch w"
        " LEFT JOIN team t ON t.id = w.team_id WHERE w.case_id = %s AND w.until IS NULL",
        (case_id,),
    ).fetchone()


def give(
    db: Db, case_id: UUID, to: Holder, *, reason: str, by: str, at: datetime, team_id: UUID | None = None
) -> None:
    """Give the watch to another holder from `at` on. The same holder again changes nothing.

    A partner takes it only by accepting a handover: call this from there. Raises NotFound; Conflict for a case that
    was closed.
    """
    case = db.execute("SELECT region_id, closed_at FROM cases WHERE id = %s FOR UPDATE", (case_id,)).fetchone()
    if case is None:
        raise NotFound
    if case["closed_at"] is not None:
        raise Conflict("Deze casus is gesloten; er is geen zicht op veiligheid meer te beleggen.")
    now = holder(db, case_id)
    if now and (now["holder"], now["team_id"]) == (to, team_id):
        return
    moment = max(at, now["since"]) if now else at
    db.execute(
        "WITH ended AS (UPDATE safety_watch SET until = %(moment)s WHERE case_id = %(case)s AND until IS NULL"
        " RETURNING region_id, case_id, until)"
        " INSERT INTO safety_watch (id, region_id, case_id, holder, team_id, since, reason)"
        " SELECT %(id)s, region_id, case_id, %(to)s, %(team)s, until, %(reason)s FROM ended",
        {"id": uuid7(), "case": case_id, "to": to, "team": team_id, "moment": moment, "reason": reason},
    )
    details = {"holder": to, "team": str(team_id) if team_id else None}
    audit.append(db, case["region_id"], by, "watch.give", "case", case_id, details)
