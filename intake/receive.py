"""Receipt: raw bytes in, an answer out, and in between one commit that holds all of it.

The order is that of standards.md 10.2: guard, check, store, answer. What cannot be understood but comes from an
authentic sender goes to quarantine under the same clock. The same bytes get the same answer, for ever; other bytes
under a known reference go to quarantine, and both stay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from core.database import AsyncDb
from core.errors import Unavailable
from core.ids import uuid7
from intake import acute, store
from intake.corv.codes import role_text
from intake.message import ReportMessage
from intake.remarks import Remark
from intake.senders import Sender, proof_of, require_still_valid
from intake.terms import days_around, terms_on

Channel = Literal["corv", "json"]
STORED: Any = {"by_alias": True, "exclude_defaults": True}
RAISED = 1
"""Nobody has read a quarantined message, so nobody knows that it is not urgent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender gets back. `replay`: it had this answer before; `kept`: what we made of the message."""

    status: int
    media_type: str
    body: bytes
    replay: bool = False
    kept: Literal["report", "quarantine", "nothing"] = "nothing"
    code: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A functional answer to send later, when the region's settings ask for it."""

    kind: Literal["Bv01", "Fo01"]
    body: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message at the edge: who sent what, when (None: now, by the database's clock) and which ids it gets."""

    sender: Sender
    channel: Channel
    raw: bytes
    sha256: bytes
    at: datetime | None
    message: UUID
    subject: UUID

    @classmethod
    def of(cls, sender: Sender, channel: Channel, raw: bytes, at: datetime | None = None) -> Arrival:
        """An arrival with fresh ids; `subject` becomes the id of the report or of the quarantine item."""
        milliseconds = int(at.timestamp() * 1000) if at else None
        ids = uuid7(milliseconds), uuid7(milliseconds)
        return cls(sender, channel, raw, hashlib.sha256(raw).digest(), at, *ids)


async def receive_report(
    db: AsyncDb,
    arrival: Arrival,
    message: ReportMessage,
    remarks: Sequence[Remark],
    answer: Answer,
    reply: Reply | None = None,
) -> Answer | None:
    """Store a report and return `answer`, or the answer that these bytes had before.

    None when the sender used this reference for other bytes: the caller then calls `quarantine` with the conflict.
    Raises Unavailable when nothing could be stored.
    """
    found = acute.signals(message)
    values = _values(arrival, message.envelope.reference, answer, reply) | {
        "outcome": "report",
        "standard": message.envelope.version,
        "deadline_kind": "safety_assessment",
        "task_kind": "assess",
        "risk": acute.risk(found),
        "reporter_kind": arrival.sender.kind,
        "business_key": message.report.reference,
        "content": message.model_dump_json(exclude={"persons"}, **STORED),
        "remarks": _json([remark.to_json() for remark in remarks]),
        "signals": _json([signal.to_json() for signal in found]),
        "acute_rules": acute.rules().version,
        "mentions": _mentions(message),
        "action": "report.receive",
        "details": _json({"message": str(arrival.message), "remarks": [remark.code for remark in remarks]}),
    }
    return await _insert(db, arrival, values, replace(answer, kept="report"))


async def quarantine(
    db: AsyncDb,
    arrival: Arrival,
    code: str,
    reason: str,
    answer: Answer,
    reference: str | None = None,
    reply: Reply | None = None,
) -> Answer:
    """Keep a message that could not be understood, with a task for a person under the same clock.

    `reason` is Dutch, for the person who will look; no personal data. Raises Unavailable when nothing was stored.
    """
    values = _values(arrival, reference, answer, reply) | {
        "outcome": "quarantine",
        "standard": None,
        "deadline_kind": "quarantine",
        "task_kind": "quarantine",
        "risk": RAISED,
        "code": code,
        "reason": reason,
        "action": "quarantine.receive",
        "details": _json({"message": str(arrival.message), "code": code}),
    }
    stored = await _insert(db, arrival, values, replace(answer, kept="quarantine", code=code))
    if stored is None:
        raise Unavailable
    return stored


async def _insert(db: AsyncDb, arrival: Arrival, values: dict[str, Any], answer: Answer) -> Answer | None:
    """Store, or find the answer of before; None when the reference belongs to other bytes.

    Raises NotAuthentic when the sender was revoked meanwhile.
    """
    for days in days_around(arrival.at):
        if await store.insert(db, values | {"terms": terms_on(days)}):
            return answer
        await require_still_valid(db, arrival.sender)
        row = await store.known(db, arrival.sender.id, arrival.sha256)
        if row:
            return Answer(
                row["answer_status"],
                row["answer_type"],
                bytes(row["answer"]),
                replay=True,
                kept=row["outcome"],
                code=row["code"] or "",
            )
        reference = values["outcome"] == "report" and values["reference"]
        if reference and await store.holder_of(db, arrival.sender.id, reference):
            return None
    # Neither known nor stored: our clock and the database's are more than a day apart.
    raise Unavailable


def _values(arrival: Arrival, reference: str | None, answer: Answer, reply: Reply | None) -> dict[str, Any]:
    return {
        "at": arrival.at,
        "message": arrival.message,
        "subject": arrival.subject,
        "region": arrival.sender.region,
        **proof_of(arrival.sender),
        "channel": arrival.channel,
        "reference": reference,
        "raw": arrival.raw,
        "sha256": arrival.sha256,
        "answer_status": answer.status,
        "answer_type": answer.media_type,
        "answer": answer.body,
        "actor": f"sender:{arrival.sender.oin}",
        "deadline": uuid7(),
        "task": uuid7(),
        "job": uuid7(),
        "reply": uuid7(),
        "reply_job": uuid7(),
        "reply_kind": reply and reply.kind,
        "reply_body": reply and reply.body,
    }


def _mentions(message: ReportMessage) -> str:
    """The persons as rows for the statement; each keeps its JSON as the message has it."""
    rows = (
        f'{{"id": "{uuid7()}", "number": {number}, "role_code": {_code(person.role.code)},'
        f' "person": {person.model_dump_json(**STORED)}}}'
        for number, person in enumerate(message.persons, start=1)
    )
    return "[" + ",".join(rows) + "]"


def _code(text: str | None) -> str:
    """A role code as JSON; what is no code of the list (it is a supplier's text) stays in the person only."""
    return text if text and role_text(text) else "null"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
