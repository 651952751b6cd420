"""Tasks for people: opened with the work, closed with the work, and moved between people and teams.

A task never closes by itself or by a clock (rule 4). `core` and the database open some of them (quarantine, stopped
jobs, questions about links, the acute check of a new report).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, VeiligError
from core.ids import uuid7
from radar.protection import blind

NO_CASEWORK = ("administrator", "privacy_officer", "auditor")
"""The roles that are given no work on a report."""


class UnknownRisk(VeiligError):
    """Kies een van de risico's in de lijst."""

    status = 400


def open_task(
    db: Db, kind: str, subject: UUID, report_id: UUID, *, due_at: datetime, at: datetime, risk: int | None = None
) -> bool:
    """Open a task about a report, for the team that has its other tasks; False when it is open already.

    `risk` is that of the report (`risk_of`) when it is not given. `subject` is what the task is about: the report, or
    its service, feedback, moment, contact or request.
    """
    level = risk_of(db, report_id) if risk is None else risk
    opened = db.execute(
        "INSERT INTO task (id, region_id, team_id, kind, subject_id, report_id, risk, received_at, due_at, opened_at,"
        " team_since) SELECT %(id)s, r.region_id, (SELECT team_id FROM task t WHERE t.report_id = r.id"
        "   AND t.team_id IS NOT NULL AND t.kind <> 'review_link'"
        "   ORDER BY t.done_at IS NULL DESC, t.opened_at DESC, t.id LIMIT 1),"
        " %(kind)s, %(subject)s, r.id, %(risk)s, r.received_at, %(due_at)s, %(at)s, %(at)s"
        " FROM report r WHERE r.id = %(report)s ON CONFLICT DO NOTHING",
        {
            "id": uuid7(),
            "kind": kind,
            "subject": subject,
            "report": report_id,
            "risk": level,
            "due_at": due_at,
            "at": at,
        },
    )
    return opened.rowcount == 1


def close_task(db: Db, kind: str, subject: UUID, *, by: str, at: datetime, outcome: str) -> bool:
    """The work is done; False when there was no such open task."""
    closed = db.execute(
        "UPDATE task SET done_at = %s, done_by = %s, outcome = %s"
        " WHERE kind = %s AND subject_id = %s AND done_at IS NULL",
        (at, by, outcome, kind, subject),
    )
    return closed.rowcount == 1


def risk_of(db: Db, report_id: UUID) -> int:
    """What a person last said of the risk (0, 1, 2); before that, what the machine saw at receipt."""
    row = db.execute(
        "SELECT coalesce((SELECT risk FROM risk_look WHERE report_id = %(report)s ORDER BY at DESC, id DESC LIMIT 1),"
        " (SELECT max(risk) FROM task WHERE report_id = %(report)s AND kind = 'assess'), 0) AS risk",
        {"report": report_id},
    ).fetchone()
    return int(row["risk"]) if row else 0


def look_at_risk(db: Db, report_id: UUID, risk: int, *, reason: str, by: str, at: datetime) -> None:
    """Somebody looked at the risk again (0 none known, 1 raised, 2 acute): kept, and every open task follows."""
    row = db.execute(
        "INSERT INTO risk_look (id, region_id, report_id, at, actor, risk, reason)"
        " SELECT %s, region_id, id, %s, %s, %s, %s FROM report WHERE id = %s RETURNING region_id",
        (uuid7(), at, by, risk, reason, report_id),
    ).fetchone()
    if row is None:
        raise Conflict("Deze melding bestaat niet meer.")
    db.execute(
        "UPDATE task SET risk = %s WHERE report_id = %s AND done_at IS NULL AND kind <> 'review_link'",
        (risk, report_id),
    )
    audit.append(db, row["region_id"], by, "risk.look", "report", report_id, {"risk": risk})


def movable(
    db: Db, region: UUID, tasks: Collection[UUID], kinds: Collection[str], among: UUID | None = None
) -> list[UUID]:
    """Which of these tasks are open and of these kinds, locked for this transaction.

    `among`: only what nobody has, or this colleague.
    """
    rows = db.execute(
        "SELECT id FROM task WHERE region_id = %(region)s AND id = ANY(%(tasks)s) AND kind = ANY(%(kinds)s)"
        " AND done_at IS NULL AND (%(among)s::uuid IS NULL OR staff_id IS NULL OR staff_id = %(among)s)"
        " ORDER BY id FOR UPDATE",
        {"region": region, "tasks": list(tasks), "kinds": list(kinds), "among": among},
    )
    return [row["id"] for row in rows]


def colleagues(db: Db, region: UUID) -> list[Row]:
    """Who works on cases here now, by name: `id`, `name`, `team`."""
    return db.execute(
        "SELECT s.id, s.name, t.name AS team FROM staff s LEFT JOIN team t ON t.id = s.team_id"
        " WHERE s.region_id = %s AND s.active AND s.role <> ALL(%s) ORDER BY s.name, s.id",
        (region, list(NO_CASEWORK)),
    ).fetchall()


def assign(db: Db, region: UUID, tasks: Collection[UUID], staff_id: UUID | None, *, by: str, at: datetime) -> int:
    """Give open tasks to a colleague, or back to nobody (None); how many it were.

    What is restricted goes back to its contact. Raises Conflict when the colleague is not of this region, works on no
    cases or not here any more, or when a task is about somebody whom he may know nothing of.
    """
    if staff_id is not None:
        known = db.execute(
            "SELECT FROM staff WHERE id = %s AND region_id = %s AND active AND role <> ALL(%s)",
            (staff_id, region, list(NO_CASEWORK)),
        )
        if known.fetchone() is None:
            raise Conflict("Deze collega werkt hier niet (meer). Kies een ander.")
        if blind.unfit(db, tasks, staff_id):
            raise Conflict("Een van deze taken kan niet naar deze collega. Kies een ander.")
    rows = db.execute(
        "UPDATE task SET staff_id = %(staff)s WHERE region_id = %(region)s AND id = ANY(%(tasks)s)"
        " AND done_at IS NULL AND staff_id IS DISTINCT FROM %(staff)s RETURNING id",
        {"staff": staff_id, "region": region, "tasks": list(tasks)},
    ).fetchall()
    for row in rows:
        audit.append(db, region, by, "task.assign", "task", row["id"], {"staff": str(staff_id) if staff_id else None})
    return len(rows)


def hand_on(db: Db, region: UUID, tasks: Collection[UUID], team_id: UUID, *, by: str, at: datetime) -> int:
    """Hand open tasks on to another team: nobody has them there yet, and its clock starts. How many it were.

    Raises Conflict when the team is not one of ours.
    """
    known = db.execute(
        "SELECT FROM team WHERE id = %s AND region_id = %s AND kind = 'veilig_thuis'"
        " AND (valid_to IS NULL OR valid_to >= %s)",
        (team_id, region, local_day(at)),
    ).fetchone()
    if known is None:
        raise Conflict("Kies een team van Veilig Thuis. Naar een ander gaat het met een overdracht.")
    rows = db.execute(
        "UPDATE task SET team_id = %(team)s, team_since = %(at)s, staff_id = NULL WHERE region_id = %(region)s"
        " AND id = ANY(%(tasks)s) AND done_at IS NULL AND team_id IS DISTINCT FROM %(team)s RETURNING id",
        {"team": team_id, "at": at, "region": region, "tasks": list(tasks)},
    ).fetchall()
    for row in rows:
        audit.append(db, region, by, "task.hand_on", "task", row["id"], {"team": str(team_id)})
    return len(rows)
