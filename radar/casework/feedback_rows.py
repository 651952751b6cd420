"""Reading feedback: what a report has to tell its reporter, how each feedback stands, and what a sender may read."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import NotFound
from intake import outbox
from intake.corv.write_feedback import OUTCOMES
from intake.progress import MISSING
from intake.senders import Sender
from radar.casework.feedback_text import kind_of
from radar.outbound import gate

MAX_WATCH = 200

_ABOUT = """
SELECT r.id, r.region_id, r.state, r.case_id, r.reporter_kind, r.reference_of_reporter, r.sender_id, m.channel,
    coalesce(r.content -> 'bericht' -> 'zender' ->> 'applicatie', '') AS application_of_sender,
    s.name AS sender, s.oin AS sender_oin, g.name AS region, g.oin AS region_oin, g.application,
    c.number AS case_number, w.holder, wt.name AS watch_team, h.name AS handed_to, h.kind AS handed_to_kind
FROM report r JOIN message m ON m.id = r.message_id JOIN sender s ON s.id = r.sender_id
JOIN region g ON g.id = r.region_id
LEFT JOIN cases c ON c.id = r.case_id
LEFT JOIN safety_watch w ON w.case_id = c.id AND w.until IS NULL
LEFT JOIN team wt ON wt.id = w.team_id
LEFT JOIN LATERAL (
    SELECT t.name, t.kind FROM (
        SELECT team_id, (state = 'accepted')::int + 1 AS weight, offered_at AS at FROM handover
        WHERE report_id = r.id AND state IN ('offered', 'accepted') AND takes_watch
        UNION ALL
        SELECT team_id, 0, decided_at FROM route WHERE report_id = r.id AND state = 'decided' AND path = 'handover'
    ) o JOIN team t ON t.id = o.team_id ORDER BY o.weight DESC, o.at DESC LIMIT 1) h ON true
WHERE r.id = %s FOR NO KEY UPDATE OF r"""


def about(db: Db, report_id: UUID) -> Row:
    """The report with what a feedback needs of it, locked. Raises NotFound."""
    row = db.execute(_ABOUT, (report_id,)).fetchone()
    if row is None:
        raise NotFound
    return row


def locked(db: Db, feedback_id: UUID) -> Row:
    """The feedback, locked after its report: the order in which `draft` takes them too. Raises NotFound."""
    db.execute(
        "SELECT FROM report WHERE id = (SELECT report_id FROM feedback WHERE id = %s) FOR NO KEY UPDATE",
        (feedback_id,),
    )
    row = db.execute("SELECT * FROM feedback WHERE id = %s FOR UPDATE", (feedback_id,)).fetchone()
    if row is None:
        raise NotFound
    return row


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every feedback of a report, drafts first, with `due_at` of its term and `delivery`: how its message stands."""
    rows = db.execute(
        "SELECT f.*, d.due_at, d.met_at FROM feedback f"
        " LEFT JOIN deadline d ON d.kind = 'feedback' AND d.subject_id = f.id"
        " WHERE f.region_id = %s AND f.report_id = %s ORDER BY f.state <> 'draft', f.opened_at DESC, f.id DESC",
        (region, report_id),
    ).fetchall()
    return [row | {"delivery": outbox.message_of(db, region, row["id"])} for row in rows]


def conditions(db: Db, report_id: UUID, *, withdrawn: bool = False) -> list[str]:
    """The conditions that were agreed, with or without those that were withdrawn, in the order of making."""
    rows = db.execute(
        "SELECT text FROM safety_condition WHERE report_id = %s AND (%s OR state <> 'withdrawn')"
        " ORDER BY made_at, id",
        (report_id, withdrawn),
    )
    return [row["text"] for row in rows]


def holder(report: Row) -> str | None:
    """Who watches: Veilig Thuis as long as there is no case, nobody when it is closed."""
    return str(report["holder"]) if report["holder"] else None if report["case_id"] else "veilig_thuis"


def watch(report: Row) -> str:
    """The name of who watches, for this kind of reporter; '' when nobody does or he is not to know."""
    who = holder(report)
    if who == "partner":
        known = kind_of(report["reporter_kind"]) != "citizen"
        return (report["watch_team"] or "")[:MAX_WATCH] if known else ""
    names: dict[str | None, str] = {"veilig_thuis": report["region"], "reporter": report["sender"]}
    return names.get(who, "")[:MAX_WATCH]


def persons(db: Db, report: Row) -> list[dict[str, Any]]:
    """The persons concerned of this report and of the other reports of its case."""
    rows = db.execute(
        "SELECT m.person FROM mention m JOIN report r ON r.id = m.report_id"
        " WHERE r.region_id = %(region)s AND (r.id = %(report)s OR r.case_id = %(case)s)",
        {"region": report["region_id"], "report": report["id"], "case": report["case_id"]},
    )
    return [row["person"] for row in rows]


_OF_SENDER = """
SELECT r.id, r.region_id, r.reference_of_reporter FROM message m JOIN report r ON r.message_id = m.id
WHERE m.sender_id = %(sender)s AND (r.id = %(id)s OR m.id = %(id)s OR m.reference = %(reference)s)
ORDER BY m.received_at LIMIT 1"""
_TOLD = """
SELECT id, moment, code, text, watch, channel, released_at FROM feedback
WHERE report_id = %s AND state IN ('released', 'sent') AND channel IN ('corv', 'json') ORDER BY released_at, id"""


def of_sender(db: Db, sender: Sender, identifier: str, at: datetime) -> dict[str, Any]:
    """What was told about one of a sender's own reports, by our receipt number or its reference (standards.md 10.4).

    The gate looks at each feedback at every reading; what it holds is not told. Over JSON a feedback counts as sent
    when it was read here first. Raises NotFound, also for a report of another sender.
    """
    try:
        number: UUID | None = UUID(identifier)
    except ValueError:
        number = None
    if "\x00" in identifier:  # PostgreSQL takes no NUL, so no message has it
        raise NotFound(MISSING)
    asked = {"sender": sender.id, "id": number, "reference": identifier}
    report = db.execute(_OF_SENDER, asked).fetchone()
    if report is None:
        raise NotFound(MISSING)
    actor = f"sender:{sender.oin}"
    told = [
        (row, words)
        for row in db.execute(_TOLD, (report["id"],)).fetchall()
        if _passes(db, row, words := _told(row), actor, at)
    ]
    db.execute(
        "UPDATE feedback SET state = 'sent', sent_at = %s WHERE id = ANY(%s) AND channel = 'json'"
        " AND state = 'released'",
        (at, [row["id"] for row, _ in told]),
    )
    audit.append(db, sender.region, actor, "feedback.read", "report", report["id"])
    return {
        "ontvangstnummer": str(report["id"]),
        "kenmerk": report["reference_of_reporter"],
        "terugkoppelingen": [words for _, words in told],
    }


def _passes(db: Db, row: Row, words: dict[str, Any], actor: str, at: datetime) -> bool:
    content = json.dumps(words, sort_keys=True).encode()
    texts = [row["text"], row["watch"]]
    return gate.pass_out(db, "feedback", row["id"], content, by=actor, at=at, texts=texts) is not None


def _told(row: Row) -> dict[str, Any]:
    outcome = OUTCOMES[row["code"]]
    return {
        "moment": {"assessment": "beoordeling", "closing": "afsluiting"}[row["moment"]],
        "code": row["code"],
        "status": outcome.status,
        "uitkomst": outcome.result,
        "toelichting": row["text"],
        "zichtOpVeiligheid": row["watch"] or None,
        "vrijgegevenOp": row["released_at"].isoformat().replace("+00:00", "Z"),
    }
