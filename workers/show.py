"""All that is known of one report, for an operator: `veilig show melding ID`. Reading it is audited."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core import audit, jobs
from core.database import Db, Row
from core.errors import NotFound

_FIND = """
SELECT r.id FROM report r JOIN message m ON m.id = r.message_id
WHERE r.id = %(id)s OR m.id = %(id)s OR m.reference = %(text)s OR r.reference_of_reporter = %(text)s
ORDER BY r.received_at"""


def reports(db: Db, identifier: str, actor: str) -> list[dict[str, Any]]:
    """The reports with this id (ours), reference (referentienummer) or kenmerk, oldest first. Raises NotFound."""
    try:
        number: UUID | None = UUID(identifier)
    except ValueError:
        number = None
    found = db.execute(_FIND, {"id": number, "text": identifier}).fetchall()
    if not found:
        raise NotFound("No report with this id, reference or kenmerk.")
    return [_report(db, row["id"], actor) for row in found]


def _report(db: Db, report_id: UUID, actor: str) -> dict[str, Any]:
    report = _one(db, "SELECT * FROM report WHERE id = %s", report_id)
    audit.append(db, report["region_id"], actor, "report.show", "report", report_id)
    deadline = _one(db, "SELECT * FROM deadline WHERE kind = 'safety_assessment' AND subject_id = %s", report_id)
    case = _one(db, "SELECT * FROM cases WHERE id = %s", report["case_id"])
    return {
        "message": _one(
            db,
            "SELECT id, channel, reference, received_at, outcome, standard, encode(content_sha256, 'hex') AS sha256,"
            " is_sealed(raw) AS sealed, octet_length(raw) AS stored_bytes FROM message WHERE id = %s",
            report["message_id"],
        ),
        "report": report,
        "remarks": report.pop("remarks"),
        "persons": _all(
            db, "SELECT id, number, role_code, person FROM mention WHERE report_id = %s ORDER BY number", report_id
        ),
        "links": _all(
            db,
            "SELECT l.id, l.mention_id, l.person_id, l.state, l.outcome, l.score, l.reasons, l.rule_set,"
            " l.created_at, l.decided_at, l.decided_by FROM link l JOIN mention m ON m.id = l.mention_id"
            " WHERE m.report_id = %s ORDER BY m.number, l.created_at",
            report_id,
        ),
        "household": {
            "id": report["household_id"],
            "members": _all(
                db,
                "SELECT person_id, min(valid_from) AS valid_from FROM membership WHERE household_id = %s"
                " AND valid_to IS NULL GROUP BY person_id ORDER BY 2, 1",
                report["household_id"],
            ),
            "reports": [
                row["id"]
                for row in _all(
                    db, "SELECT id FROM report WHERE household_id = %s ORDER BY received_at", report["household_id"]
                )
            ],
        },
        "case": case,
        "safety_watch": _all(
            db,
            "SELECT holder, since, until, reason FROM safety_watch WHERE case_id = %s ORDER BY since",
            case.get("id"),
        ),
        "deadline": deadline
        | {
            "ledger": _all(
                db,
                "SELECT number, at, actor, reason, norm_due_on, legal_due_on, due_at, steps FROM deadline_entry"
                " WHERE deadline_id = %s ORDER BY number",
                deadline.get("id"),
            )
        },
        "route": _all(db, "SELECT * FROM route WHERE report_id = %s ORDER BY proposed_at, id", report_id),
        "tasks": _all(db, "SELECT * FROM task WHERE subject_id = %s ORDER BY opened_at", report_id),
        "jobs": jobs.of_subject(db, report_id),
    }


def _one(db: Db, query: str, key: UUID | None) -> Row:
    return db.execute(query, (key,)).fetchone() or {}


def _all(db: Db, query: str, key: UUID | None) -> list[Row]:
    return db.execute(query, (key,)).fetchall()
