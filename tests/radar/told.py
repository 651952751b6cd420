"""A region whose reports come in by a channel of choice: over CORV, over JSON, or from the old register."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.ids import uuid7
from tests.web.conftest import World


@dataclass
class Told(World):
    """`channel` is how the next report comes in."""

    channel: str = "corv"

    def message(self, raw: bytes, at: datetime, sender: UUID, outcome: str) -> UUID:
        message = uuid7(int(at.timestamp() * 1000))
        self.db.execute(
            "INSERT INTO message (id, region_id, sender_id, channel, reference, received_at, raw, content_sha256,"
            " outcome, answer_status, answer_type, answer) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 200, '', '')",
            (
                message,
                self.region,
                sender,
                self.channel,
                str(message),
                at,
                raw,
                hashlib.sha256(raw + message.bytes).digest(),
                outcome,
            ),
        )
        return message
