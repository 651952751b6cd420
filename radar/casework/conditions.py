"""Safety conditions (veiligheidsvoorwaarden): what must happen to be safe, who does it, and by when.

They belong to the report and outlive the service in which they were agreed: monitoring follows them.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, VeiligError
from core.ids import uuid7
from radar.casework import steps
from radar.casework.states import ASSESSORS, RUNNING, STATES

STATE_NAMES = {"open": "Loopt", "met": "Nagekomen", "not_met": "Niet nagekomen", "withdrawn": "Vervallen"}
SETTLED = ("met", "not_met", "withdrawn")


class TextMissing(VeiligError):
    """Schrijf op wat er moet gebeuren."""

    status = 400


class OwnerMissing(VeiligError):
    """Schrijf op wie dit doet."""

    status = 400


class WrongDay(VeiligError):
    """Kies de dag waarop dit uiterlijk gebeurd is: vandaag of later."""

    status = 400


class UnknownState(VeiligError):
    """Kies hoe het met deze voorwaarde staat."""

    status = 400


class NoteMissing(VeiligError):
    """Schrijf op wat er aan de hand is."""

    status = 400


def make(
    db: Db, report_id: UUID, text: str, owner: str, due_on: date | None, *, by: str, role: str, at: datetime
) -> UUID:
    """Agree a condition, in the running service when there is one; gives its id.

    Raises TextMissing, OwnerMissing, WrongDay, NotFound, NotAllowed; Conflict when nothing runs for this report.
    """
    if role not in ASSESSORS:
        raise NotAllowed
    if not text.strip():
        raise TextMissing
    if not owner.strip():
        raise OwnerMissing
    if due_on is None or due_on < local_day(at):
        raise WrongDay
    report = steps.locked(db, report_id)
    if report["state"] not in RUNNING:
        raise Conflict(f"Nu kan er geen voorwaarde bij: de melding staat op '{STATES[report['state']]}'.")
    condition = uuid7()
    db.execute(
        "INSERT INTO safety_condition (id, region_id, report_id, service_id, text, owner, due_on, made_at, made_by)"
        " VALUES (%(id)s, %(region)s, %(report)s,"
        " (SELECT id FROM service WHERE report_id = %(report)s AND ended_at IS NULL),"
        " %(text)s, %(owner)s, %(due_on)s, %(at)s, %(by)s)",
        {
            "id": condition,
            "region": report["region_id"],
            "report": report_id,
            "text": text.strip(),
            "owner": owner.strip(),
            "due_on": due_on,
            "at": at,
            "by": by,
        },
    )
    audit.append(db, report["region_id"], by, "condition.make", "condition", condition, {"report": str(report_id)})
    return condition


def settle(db: Db, condition_id: UUID, state: str, note: str, *, by: str, role: str, at: datetime) -> None:
    """Say how it went: met, not_met or withdrawn, once; the last two with a note.

    Raises UnknownState, NoteMissing, NotFound, NotAllowed; Conflict when somebody said it before.
    """
    if role not in ASSESSORS:
        raise NotAllowed
    if state not in SETTLED:
        raise UnknownState
    if state != "met" and not note.strip():
        raise NoteMissing
    row = db.execute("SELECT region_id FROM safety_condition WHERE id = %s", (condition_id,)).fetchone()
    if row is None:
        raise NotFound
    settled = db.execute(
        "UPDATE safety_condition SET state = %s, note = %s, settled_at = %s, settled_by = %s"
        " WHERE id = %s AND state = 'open'",
        (state, note.strip(), at, by, condition_id),
    )
    if settled.rowcount != 1:
        raise Conflict("Over deze voorwaarde is al gezegd hoe het ging.")
    audit.append(db, row["region_id"], by, "condition.settle", "condition", condition_id, {"state": state})


def of_report(db: Db, region: UUID, report_id: UUID, at: datetime) -> list[Row]:
    """Every condition of a report: the open ones first, by date; `overdue` when its day has passed and it is open."""
    return db.execute(
        "SELECT id, service_id, text, owner, due_on, state, made_at, made_by, settled_at, settled_by, note,"
        " state = 'open' AND due_on < %(today)s AS overdue FROM safety_condition"
        " WHERE region_id = %(region)s AND report_id = %(report)s ORDER BY state <> 'open', due_on, id",
        {"region": region, "report": report_id, "today": local_day(at)},
    ).fetchall()
