"""The decision of a signed safety assessment, and all that begins with it: one commit.

It never depends on whether the term has passed. Only `assessment.sign` calls this: a decision counts after a second
pair of eyes.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db
from core.errors import VeiligError
from core.ids import uuid7
from radar.casework import ledger, service, steps, tasks, terms
from radar.casework.states import DECISIONS, MOVES, SERVICES

PATHS: dict[str, str] = {
    "acute": "Direct handelen door Veilig Thuis",
    **{name: MOVES[name].text for name in DECISIONS},
    "not_hgkm": "Geen huiselijk geweld of kindermishandeling",
}
"""What a route says: a proposal (acute), a decision of the assessment (domain.md 2.2), or that it is no report."""


class UnknownPath(VeiligError):
    """Kies een van de vervolgen in de lijst."""

    status = 400


class TeamMissing(VeiligError):
    """Kies het team dat de casus krijgt."""

    status = 400


def require(db: Db, region: UUID, path: str | None, team_id: UUID | None) -> None:
    """Whether this can be decided: a known path, and for a handover a team of this region.

    Raises UnknownPath, TeamMissing.
    """
    if path not in DECISIONS:
        raise UnknownPath
    if path == "handover" and team_id is None:
        raise TeamMissing
    if team_id is not None:
        known = db.execute("SELECT FROM team WHERE id = %s AND region_id = %s", (team_id, region)).fetchone()
        if known is None:
            raise TeamMissing


def revise(db: Db, report_id: UUID, *, reason: str, by: str, role: str, at: datetime) -> None:
    """Take a decision back to the assessment, with its reason: the report is assessed and signed anew.

    What runs goes on until the new decision, so that nobody loses sight meanwhile; the term of the first assessment
    stays as it was met. Raises what `steps.take` raises.
    """
    steps.take(db, report_id, "revise", by=by, role=role, reason=reason, at=at)
    tasks.close_task(db, "handover", report_id, by=by, at=at, outcome="revise")
    tasks.open_task(db, "assess", report_id, report_id, due_at=terms.soon(at), at=at)


def carry_out(
    db: Db, report_id: UUID, *, path: str, team_id: UUID | None, reason: str, by: str, role: str, at: datetime
) -> None:
    """Record the decision: state, route, deadline met, tasks done, and the work that it begins.

    Raises what `require` and `steps.take` raise.
    """
    report = steps.locked(db, report_id)
    region = report["region_id"]
    require(db, region, path, team_id)
    db.execute("UPDATE route SET state = 'replaced' WHERE report_id = %s AND state <> 'replaced'", (report_id,))
    db.execute(
        "INSERT INTO route (id, region_id, report_id, state, team_id, path, reason, proposed_at, decided_at,"
        " decided_by) VALUES (%s, %s, %s, 'decided', %s, %s, %s, %s, %s, %s)",
        (uuid7(), region, report_id, team_id, path, reason.strip(), at, at, by),
    )
    ledger.meet(db, "safety_assessment", report_id, at)
    for kind in ("sign", "assess", "recheck"):
        tasks.close_task(db, kind, report_id, by=by, at=at, outcome=path)
    audit.append(db, region, by, "route.decide", "report", report_id, {"path": path})
    steps.take(db, report_id, path, by=by, role=role, reason=reason, at=at)
    service.end_replaced(db, report_id, path, by=by, at=at)
    if path in SERVICES:
        service.begin(db, report_id, path, by=by, at=at)
    if path == "handover":
        tasks.open_task(db, "handover", report_id, report_id, due_at=terms.soon(at), at=at)
