"""The case (casus): opened for a household at its first report, and watched by exactly one holder from then on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotFound
from core.ids import uuid7


def attach(db: Db, report_id: UUID) -> UUID:
    """Put a linked report in the open case of its household, or open one; returns the case.

    A new case starts with Veilig Thuis as the holder of the safety watch, from the moment of receipt: no case is
    ever without a holder (domain.md 13.14). A report in which nobody of the family is named gets a household of its
    own, still empty, so that it is watched as well. Raises NotFound.
    """
    report = db.execute(
        "SELECT id, region_id, household_id, case_id, received_at FROM report WHERE id = %s", (report_id,)
    ).fetchone()
    if report is None:
        raise NotFound
    if report["case_id"]:
        case_id: UUID = report["case_id"]
        return case_id
    household = report["household_id"] or _empty_household(db, report)
    # One at a time per household, so that two reports never open two cases.
    db.execute("SELECT FROM household WHERE id = %s FOR UPDATE", (household,))
    found = db.execute("SELECT id FROM cases WHERE household_id = %s AND closed_at IS NULL", (household,)).fetchone()
    case_id = found["id"] if found else _open(db, report["region_id"], household, report["received_at"])
    db.execute("UPDATE report SET case_id = %s WHERE id = %s", (case_id, report_id))
    return case_id


def follow_household(db: Db, report_id: UUID, by: str, at: datetime) -> UUID | None:
    """Move a report to the case of its household, when a corrected link gave it another; returns the new case.

    A case that is left without any report was opened by mistake: it is closed. Raises NotFound.
    """
    row = db.execute(
        "SELECT r.region_id, r.case_id, c.household_id <> r.household_id AS moved FROM report r"
        " LEFT JOIN cases c ON c.id = r.case_id WHERE r.id = %s FOR UPDATE OF r",
        (report_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    if not row["moved"]:
        return None
    db.execute("UPDATE report SET case_id = NULL WHERE id = %s", (report_id,))
    case_id = attach(db, report_id)
    details = {"from": str(row["case_id"]), "to": str(case_id)}
    audit.append(db, row["region_id"], by, "report.move", "report", report_id, details)
    left = db.execute("SELECT EXISTS (SELECT FROM report WHERE case_id = %s) AS any", (row["case_id"],)).fetchone()
    if left and not left["any"]:
        close_if_settled(db, row["case_id"], by, at)
    return case_id


def _empty_household(db: Db, report: Row) -> UUID:
    household = uuid7()
    db.execute(
        "INSERT INTO household (id, region_id, created_at) VALUES (%s, %s, %s)",
        (household, report["region_id"], report["received_at"]),
    )
    db.execute("UPDATE report SET household_id = %s WHERE id = %s", (household, report["id"]))
    return household


def _open(db: Db, region: UUID, household: UUID, at: datetime) -> UUID:
    case_id = uuid7(int(at.timestamp() * 1000))
    db.execute(
        "INSERT INTO cases (id, region_id, household_id, number, opened_at) VALUES (%s, %s, %s, %s, %s)",
        (case_id, region, household, _number(case_id, at), at),
    )
    db.execute(
        "INSERT INTO safety_watch (id, region_id, case_id, holder, since, reason)"
        " VALUES (%s, %s, %s, 'veilig_thuis', %s, 'Casus geopend: Veilig Thuis houdt zicht')",
        (uuid7(), region, case_id, at),
    )
    audit.append(db, region, "system", "case.open", "case", case_id, {"household": str(household)})
    return case_id


def _number(case_id: UUID, at: datetime) -> str:
    """A number to say on the phone: year and ten random letters, so that it tells no count (security.md D15)."""
    letters = "BCDFGHJKLMNPQRSTVWXZ23456789"
    rest, text = case_id.int & ((1 << 62) - 1), ""
    for _ in range(10):
        rest, index = divmod(rest, len(letters))
        text += letters[index]
    return f"VT-{local_day(at).year}-{text[:5]}-{text[5:]}"


def close_if_settled(db: Db, case_id: UUID, by: str, at: datetime) -> bool:
    """Close a case that needs no more steps, unless another report in it still waits for its assessment."""
    waiting = db.execute(
        "SELECT FROM report r JOIN task t ON t.subject_id = r.id AND t.kind = 'assess' AND t.done_at IS NULL"
        " WHERE r.case_id = %s LIMIT 1",
        (case_id,),
    ).fetchone()
    if waiting is not None:
        return False
    row = db.execute(
        "UPDATE cases SET closed_at = %s WHERE id = %s AND closed_at IS NULL RETURNING region_id", (at, case_id)
    ).fetchone()
    if row is None:
        return False
    db.execute(
        "UPDATE safety_watch SET until = greatest(since, %s) WHERE case_id = %s AND until IS NULL", (at, case_id)
    )
    audit.append(db, row["region_id"], by, "case.close", "case", case_id)
    return True
