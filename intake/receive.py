"""Receipt: raw bytes in, an answer out, and in between one commit that holds all of it.

The order is that of standards.md 10.2: guard, check, store, answer. What cannot be understood but comes from an
authentic sender goes to quarantine under the same clock. The same bytes get the same answer, for ever; other bytes
under a known reference go to quarantine, and both stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic_core import to_json

from core.database import AsyncDb
from core.errors import Unavailable
from core.ids import uuid7
from core.sealing import DataKey, new_key
from intake import acute, protected, store, vault
from intake.corv.codes import role_text
from intake.message import ReportMessage
from intake.remarks import Remark
from intake.senders import Sender, proof_of, require_still_valid
from intake.terms import days_around, terms_on

Channel = Literal["corv", "json", "desk", "professional", "citizen"]
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
    return await _insert(
        db, arrival, report_values(arrival, message, remarks, answer, reply), replace(answer, kept="report")
    )


def report_values(
    arrival: Arrival,
    message: ReportMessage,
    remarks: Sequence[Remark],
    answer: Answer,
    reply: Reply | None = None,
) -> dict[str, Any]:
    """Everything that the statement of receipt stores of a report, sealed where it must be."""
    found = acute.signals(message)
    key = new_key(arrival.message)
    parted = vault.part(
        message.model_dump(mode="json", exclude={"persons"}, **STORED),
        [person.model_dump(mode="json", **STORED) for person in message.persons],
    )
    # Before anybody can see the page: who is at a secret address goes into the vault by the signs in the message.
    hidden = protected.hide(parted.content, parted.persons)
    return _values(arrival, key, message.envelope.reference, answer, reply) | {
        "outcome": "report",
        "standard": message.envelope.version,
        "deadline_kind": "safety_assessment",
        "task_kind": "assess",
        "risk": acute.risk(found),
        "reporter_kind": arrival.sender.kind,
        "business_key": message.report.reference,
        "supplements": None,
        "content": _json(hidden.content),
        "remarks": _json([remark.to_json() for remark in remarks]),
        "signals": _json([signal.to_json() for signal in found]),
        "acute_rules": acute.rules().version,
        "identity": vault.sealed(key, parted.identity, vault.identity_place(arrival.subject)),
        "numbers": vault.sealed(key, parted.numbers, vault.numbers_place(arrival.subject)),
        "whereabouts": vault.sealed(key, hidden.edits, protected.place(arrival.subject)),
        "protected": _json([mark | {"id": str(uuid7())} for mark in hidden.marks]),
        "mentions": _mentions(message, replace(parted, persons=hidden.persons), key),
        "action": "report.receive",
        "details": _json({"message": str(arrival.message), "remarks": [remark.code for remark in remarks]}),
    }


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
    values = _values(arrival, new_key(arrival.message), reference, answer, reply) | {
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


def _values(
    arrival: Arrival, key: DataKey, reference: str | None, answer: Answer, reply: Reply | None
) -> dict[str, Any]:
    return {
        "at": arrival.at,
        "message": arrival.message,
        "subject": arrival.subject,
        "region": arrival.sender.region,
        **proof_of(arrival.sender),
        "channel": arrival.channel,
        "reference": reference,
        "raw": key.seal(arrival.raw, vault.raw_place(arrival.message)),
        "kek": key.kek,
        "wrapped": key.wrapped,
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


def _mentions(message: ReportMessage, parted: vault.Parted, key: DataKey) -> str:
    """The persons as rows for the statement, each with what is sealed of him, in hex."""
    rows: list[dict[str, Any]] = []
    for number, (person, kept, secret) in enumerate(
        zip(message.persons, parted.persons, parted.secrets, strict=True), start=1
    ):
        mention = uuid7()
        row = {"id": str(mention), "number": number, "role_code": _code(person.role.code), "person": kept}
        if closed := vault.sealed(key, secret, vault.person_place(mention)):
            row |= {"sealed": closed.hex(), "bsn_key": kept.get("bsnSleutel")}
        rows.append(row)
    return _json(rows)


def _code(text: str | None) -> int | None:
    """A role code of the list; what is no code (it is a supplier's text) stays in the person only."""
    return int(text) if text and role_text(text) else None


def _json(value: object) -> str:
    return to_json(value).decode()
