"""A message on trial: received for real by its door, and then rolled back, so nothing of it is stored.

So a trial can never say yes where the door would say no. What comes back says loudly that nothing was stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from psycopg.errors import InFailedSqlTransaction

from core.database import AsyncDb
from intake.receive import Answer
from intake.senders import Sender

Door = Callable[[AsyncDb, Sender, bytes], Awaitable[Answer]]
OUTCOMES = {"report": "melding", "quarantine": "quarantaine", "nothing": "geweigerd"}
_REMARKS = """
SELECT r.remarks FROM message m JOIN report r ON r.message_id = m.id
WHERE m.sender_id = %s AND m.content_sha256 = %s"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would have come: the answer of the door, and the remarks on the report that it would have made."""

    answer: Answer
    remarks: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "proef": True,
            "opgeslagen": False,
            "zouAntwoorden": self.answer.status,
            "uitkomst": OUTCOMES[self.answer.kept],
            "eerderOntvangen": self.answer.replay,
            "code": self.answer.code or None,
            "waarschuwingen": list(self.remarks),
        }


async def of_message(db: AsyncDb, sender: Sender, raw: bytes, door: Door) -> Verdict:
    """What `door` would do with these bytes of this sender. Raises what the door raises."""
    async with db.transaction(force_rollback=True):
        try:
            answer = await door(db, sender, raw)
            await db.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor = await db.execute(_REMARKS, (sender.id, hashlib.sha256(raw).digest()))
            row = await cursor.fetchone()
        except InFailedSqlTransaction:
            # A value that the database does not take: the door would put it in quarantine in a second statement.
            return Verdict(Answer(200, "", b"", kept="quarantine", code="VT-E058"), ())
    return Verdict(answer, tuple(row["remarks"]) if row else ())
