"""Making a move: the one way in which a report gets another state. The history is added to, never edited."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from radar.casework import cases
from radar.casework.states import FINAL, MOVES, NEEDS, STATES, Move, allowed, named


class WrongMove(Conflict):
    """Dit kan nu niet met deze melding."""


_FULFILLED: dict[str, str] = {
    "acute_check": "SELECT FROM acute_check WHERE report_id = %(report)s",
    "assessment": "SELECT FROM assessment WHERE report_id = %(report)s AND submitted_at IS NOT NULL"
    " AND path IS NOT NULL AND reason <> '' AND (signed_at IS NULL OR signed_at = %(at)s)",
    "second_signature": "SELECT FROM assessment WHERE report_id = %(report)s AND signed_at = %(at)s"
    " AND path = %(move)s AND signed_by <> submitted_by",
    "other_report": "SELECT FROM report o JOIN report r ON r.case_id = o.case_id WHERE r.id = %(report)s"
    " AND o.id <> r.id"
    " AND o.state IN ('handover', 'conditions', 'investigation', 'regional_task', 'monitoring')",
    "accepted": "SELECT FROM handover WHERE report_id = %(report)s AND state = 'accepted' AND takes_watch"
    " AND answered_at = %(at)s",
    "no_offer": "SELECT WHERE NOT EXISTS (SELECT FROM handover WHERE report_id = %(report)s AND state = 'offered'"
    " AND takes_watch)",
    "service_ended": "SELECT WHERE NOT EXISTS"
    " (SELECT FROM service WHERE report_id = %(report)s AND ended_at IS NULL)",
    "danger_over": "SELECT WHERE NOT EXISTS (SELECT FROM acute_check WHERE report_id = %(report)s AND acute"
    " AND ended_at IS NULL)",
    "forwarding": "SELECT FROM forwarding WHERE report_id = %(report)s AND retrieved_at IS NULL",
    "undecided": "SELECT WHERE NOT EXISTS"
    " (SELECT FROM assessment WHERE report_id = %(report)s AND signed_at IS NOT NULL)",
    "retrieved": "SELECT FROM forwarding WHERE report_id = %(report)s AND retrieved_at = %(at)s",
}
"""A query per need of the table that gives a row when it is fulfilled; `reason` is asked of the caller."""


def take(db: Db, report_id: UUID, move: str, *, by: str, role: str, reason: str, at: datetime) -> str:
    """Make a move of the table in `states.py`; gives the new state. A case with no work left is closed with it.

    Raises NotFound; WrongMove, naming the moves that there are; NotAllowed for another role; ReasonMissing; Conflict,
    naming what is missing.
    """
    report = locked(db, report_id)
    chosen = MOVES[move]
    _refuse_wrong(report["state"], chosen, role)
    if "reason" in chosen.needs and not reason.strip():
        raise ReasonMissing
    for need in chosen.needs:
        query = _FULFILLED.get(need)
        values = {"report": report_id, "at": at, "move": move}
        if query and db.execute(query, values).fetchone() is None:
            raise Conflict(f"Voor '{chosen.text}' is eerst nodig: {NEEDS[need]}.")
    _step(db, report, chosen, by, reason.strip() or chosen.text, at)
    # Late: what begins with a state is built on this module.
    from radar.casework import entering

    entering.moved(db, report_id, report["state"], chosen.target, by=by, at=at)
    if chosen.target in FINAL:
        if report["case_id"]:
            cases.close_if_settled(db, report["case_id"], by, at)
    else:
        cases.reopen_for(db, report_id, by, at)
    entering.tell_reporter(db, report_id, move, by=by, at=at)
    return chosen.target


def locked(db: Db, report_id: UUID) -> Row:
    """The report, locked for this transaction. Raises NotFound."""
    row = db.execute(
        "SELECT id, region_id, case_id, state, received_at FROM report WHERE id = %s FOR UPDATE", (report_id,)
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def history(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every step of a report, oldest first."""
    return db.execute(
        "SELECT number, move, state, at, actor, reason FROM report_step WHERE region_id = %s AND report_id = %s"
        " ORDER BY number",
        (region, report_id),
    ).fetchall()


def _refuse_wrong(state: str, move: Move, role: str) -> None:
    if state not in move.sources:
        there = named(allowed(state))
        raise WrongMove(f"'{move.text}' kan niet: de melding staat op '{STATES[state]}'. Wat wel kan: {there}.")
    if role not in move.roles:
        there = named(allowed(state, role))
        raise NotAllowed(f"'{move.text}' mag u niet doen. Wat u hier wel kunt: {there}.")


def _step(db: Db, report: Row, move: Move, by: str, reason: str, at: datetime) -> None:
    db.execute(
        "INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)"
        " SELECT %(report)s, count(*) + 1, %(region)s, %(move)s, %(state)s, %(at)s, %(by)s, %(reason)s"
        " FROM report_step WHERE report_id = %(report)s",
        {
            "report": report["id"],
            "region": report["region_id"],
            "move": move.name,
            "state": move.target,
            "at": at,
            "by": by,
            "reason": reason,
        },
    )
    db.execute("UPDATE report SET state = %s WHERE id = %s", (move.target, report["id"]))
    details = {"move": move.name, "from": report["state"], "to": move.target}
    audit.append(db, report["region_id"], by, "report.step", "report", report["id"], details)
