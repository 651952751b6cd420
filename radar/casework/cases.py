"""The case (casus): opened for a household at its first report, and watched by exactly one holder from then on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotFound
from core.ids import uuid7
from radar.casework import watch
from radar.casework.states import FINAL


def attach(db: Db, report_id: UUID, since: datetime | None = None) -> UUID:
    """Put a linked report in the open case of its household, or open one; returns the case.

    A new case starts with Veilig Thuis as the holder of the safety watch, from the moment of receipt (or `since`, for
    a form that was sent on and came back): no case is ever without a holder (domain.md 13.14). A report in which
    nobody of the family is named gets a household of its own, still empty, so that it is watched as well.
    Raises NotFound.
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
    at = since or report["received_at"]
    case_id = _open_case(db, report["region_id"], household, at)
    db.execute("UPDATE report SET case_id = %s WHERE id = %s", (case_id, report_id))
    # A report puts the watch with Veilig Thuis (domain.md 2.3): who watched until now does not know of it.
    watch.give(db, case_id, "veilig_thuis", reason="Nieuwe melding: Veilig Thuis houdt zicht", by="system", at=at)
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


def _open_case(db: Db, region: UUID, household: UUID, at: datetime) -> UUID:
    """The open case of a household; else a new one, watched by Veilig Thuis from `at` on."""
    query = "SELECT id FROM cases WHERE household_id = %s AND closed_at IS NULL"
    found = db.execute(query, (household,)).fetchone()
    if found:
        open_case: UUID = found["id"]
        return open_case
    case_id = uuid7(int(at.timestamp() * 1000))
    db.execute(
        "WITH opened AS (INSERT INTO cases (id, region_id, household_id, number, opened_at)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id, region_id, opened_at)"
        " INSERT INTO safety_watch (id, region_id, case_id, holder, since, reason)"
        " SELECT %s, region_id, id, 'veilig_thuis', opened_at, 'Casus geopend: Veilig Thuis houdt zicht' FROM opened",
        (case_id, region, household, _number(case_id, at), at, uuid7()),
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
    """Close a case in which no report has work left; True when it was closed now. The watch ends with it."""
    # Asked of every report, also of one that is hidden from who does this.
    row = db.execute("SELECT case_works(%s, %s) AS works", (case_id, list(FINAL))).fetchone()
    if row and row["works"]:
        return False
    # Never before the last holder began: a moment of an earlier day may be noted later.
    row = db.execute(
        "WITH ended AS (UPDATE safety_watch SET until = greatest(since, %s) WHERE case_id = %s AND until IS NULL"
        " RETURNING case_id, until) UPDATE cases SET closed_at = ended.until FROM ended"
        " WHERE cases.id = ended.case_id AND closed_at IS NULL RETURNING region_id",
        (at, case_id),
    ).fetchone()
    if row is None:
        return False
    audit.append(db, row["region_id"], by, "case.close", "case", case_id)
    return True


def reopen_for(db: Db, report_id: UUID, by: str, at: datetime) -> UUID | None:
    """A report with new work whose case was closed goes to the open case of its household, or to a new one.

    Its signals in force go along. Gives that case, or None when its own case still runs. Veilig Thuis watches a new
    case from `at` on.
    """
    row = db.execute(
        "SELECT r.region_id, r.household_id, r.case_id FROM report r JOIN cases c ON c.id = r.case_id"
        " WHERE r.id = %s AND c.closed_at IS NOT NULL",
        (report_id,),
    ).fetchone()
    if row is None:
        return None
    db.execute("SELECT FROM household WHERE id = %s FOR UPDATE", (row["household_id"],))
    case_id = _open_case(db, row["region_id"], row["household_id"], at)
    db.execute("UPDATE report SET case_id = %s WHERE id = %s", (case_id, report_id))
    db.execute("SELECT signals_follow(%s, %s)", (report_id, at))
    details = {"from": str(row["case_id"]), "to": str(case_id)}
    audit.append(db, row["region_id"], by, "report.move", "report", report_id, details)
    return case_id
