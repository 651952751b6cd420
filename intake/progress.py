"""How far a sender's own message is. It tells nothing about the people in it, and nothing about other senders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.database import AsyncDb
from core.errors import NotFound
from intake.senders import Sender, require_still_valid

_SELECT = """
SELECT m.reference, m.received_at, m.outcome, r.id AS report, r.remarks, r.linked_at,
    q.id AS quarantine, q.resolved_at, d.met_at
FROM message m
LEFT JOIN report r ON r.message_id = m.id
LEFT JOIN quarantine q ON q.message_id = m.id
LEFT JOIN deadline d ON d.subject_id = coalesce(r.id, q.id)
WHERE m.sender_id = %(sender)s AND (r.id = %(id)s OR q.id = %(id)s OR m.id = %(id)s OR m.reference = %(reference)s)
ORDER BY m.outcome DESC, m.received_at LIMIT 1"""

MISSING = "Geen bericht van u met dit nummer."


async def of_message(db: AsyncDb, sender: Sender, identifier: str) -> dict[str, Any]:
    """State of one message by our receipt number or by the sender's reference. Raises NotFound, also for others'."""
    try:
        number: UUID | None = UUID(identifier)
    except ValueError:
        number = None
    await require_still_valid(db, sender)
    if "\x00" in identifier:  # PostgreSQL takes no NUL, so no message has it
        raise NotFound(MISSING)
    async with db.transaction():
        cursor = await db.execute(_SELECT, {"sender": sender.id, "id": number, "reference": identifier})
        row = await cursor.fetchone()
        if row is None:
            raise NotFound(MISSING)
        subject = row["report"] or row["quarantine"]
        await db.execute(
            "SELECT audit_append(%s, %s, 'message.state', 'message', %s, '{}')",
            (sender.region, f"sender:{sender.oin}", subject),
        )
    if row["outcome"] == "quarantine":
        state = "afgehandeld" if row["resolved_at"] else "in quarantaine"
    elif row["met_at"]:
        state = "beoordeeld"
    else:
        state = "in behandeling" if row["linked_at"] else "ontvangen"
    return {
        "ontvangstnummer": str(subject),
        "referentienummer": row["reference"],
        "ontvangenOp": row["received_at"].isoformat().replace("+00:00", "Z"),
        "status": state,
        "waarschuwingen": row["remarks"] or [],
    }
