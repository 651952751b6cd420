"""Reading handovers: of a report, of a partner, and what was answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.database import Db, Row
from core.deadlines import AMSTERDAM, local_day
from core.errors import NotFound
from radar.casework.handover_kinds import Kind
from radar.casework.states import FINAL

ANSWERS: dict[str, str] = {
    "offered": "wacht op antwoord",
    "accepted": "aanvaard",
    "refused": "geweigerd",
    "withdrawn": "ingetrokken",
}
SELECT = """SELECT h.*, t.name AS team, d.due_at, EXISTS (SELECT FROM task k WHERE k.kind = 'handover'
    AND k.subject_id = h.id AND k.done_at IS NULL) AS task
FROM handover h JOIN team t ON t.id = h.team_id
LEFT JOIN deadline d ON d.kind = 'handover_answer' AND d.subject_id = h.id"""
"""The start of every query here: `h` the handover, `t` its team."""


def find(db: Db, region: UUID, handover_id: UUID) -> Row:
    """One handover, with `team` (the partner's name) and `due_at`. Raises NotFound, also for another region."""
    row = db.execute(f"{SELECT} WHERE h.id = %s AND h.region_id = %s", (handover_id, region)).fetchone()
    if row is None:
        raise NotFound
    return row


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every handover of a report, newest first. `task`: whether it waits for a look of its own."""
    return db.execute(
        f"{SELECT} WHERE h.region_id = %s AND h.report_id = %s ORDER BY h.offered_at DESC, h.id DESC",
        (region, report_id),
    ).fetchall()


def open_of_team(db: Db, team_id: UUID, at: datetime) -> list[Row]:
    """The offers that wait for an answer of this team, oldest first; none for a team that ended."""
    return db.execute(
        f"{SELECT} WHERE h.team_id = %s AND h.state = 'offered' AND (t.valid_to IS NULL OR t.valid_to >= %s)"
        " ORDER BY h.offered_at, h.id",
        (team_id, local_day(at)),
    ).fetchall()


def teams(db: Db, region: UUID, kind: Kind, at: datetime) -> list[Row]:
    """The teams of now to which this kind may go, by name."""
    return db.execute(
        "SELECT id, name, kind FROM team WHERE region_id = %(region)s AND kind = ANY(%(kinds)s)"
        " AND valid_from <= %(day)s AND (valid_to IS NULL OR valid_to >= %(day)s) ORDER BY name",
        {"region": region, "kinds": list(kind.teams), "day": local_day(at)},
    ).fetchall()


def also_running(db: Db, report_id: UUID) -> list[Row]:
    """Other reports in the same case with work left: the watch of the whole case moves with an acceptance."""
    return db.execute(
        "SELECT o.id, o.received_at, o.state FROM report o JOIN report r ON r.case_id = o.case_id"
        " WHERE r.id = %s AND o.id <> r.id AND o.state <> ALL(%s) ORDER BY o.received_at",
        (report_id, list(FINAL)),
    ).fetchall()


def answer_text(handover: Row) -> str:
    """Which side answered what, and when, as a sentence; without the name of the person who said it."""
    moment = handover["answered_at"].astimezone(AMSTERDAM)
    by = handover["answered_by"]
    who = handover["team"] if by.startswith("partner:") else f"{by} van Veilig Thuis"
    return (
        f"Dit aanbod is al {ANSWERS[handover['state']]}, op {moment:%d-%m-%Y} om {moment:%H.%M} uur,"
        f" door {who}. Er is nu niets veranderd."
    )
