"""The feed's way in: a StUF message becomes a report, goes to quarantine, or is refused (standards.md 10.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from psycopg import DataError
from psycopg.errors import ProgramLimitExceeded

from core.database import AsyncDb
from core.deadlines import local_day
from core.ids import uuid7
from core.settings import settings
from intake.corv import replies
from intake.corv.check import Header
from intake.corv.guard import Limits
from intake.corv.parse import Fault, Reading, fault, read
from intake.corv.xsd import official_schema
from intake.receive import Answer, Arrival, Reply, quarantine, receive_report
from intake.remarks import Remark
from intake.senders import CHAT, Sender

MEDIA_TYPE = "text/xml; charset=utf-8"
NOT_OURS = ("VT-E010", "VT-E013", "VT-E052")
"""Meant for somebody else, or not sent by whom it says: refused and not kept."""
UNSTORABLE = (DataError, ProgramLimitExceeded)
"""What the database says to a report that it will never take, however often it is sent."""
STATUS = {"VT-E013": 403, "VT-E052": 403, "VT-E016": 409, "VT-E301": 413, "VT-E046": 503}

log = structlog.get_logger()
Writer = Callable[..., bytes]


async def deliver(db: AsyncDb, sender: Sender, raw: bytes, at: datetime | None = None) -> Answer:
    """Receive one message of an authentic sender; returns the answer once all of it is committed.

    `at` is the moment of receipt for replays; None is now, by the database's clock. Raises Unavailable when
    nothing could be stored, so that the sender sends it again.
    """
    moment = at or datetime.now(UTC)
    limits = Limits(size=settings().max_message_bytes)
    if sender.kind == CHAT:
        return refused(sender, None, fault("VT-E052", "header", "Een chat doet geen melding."), soap=False, at=at)
    reading = read(raw, {sender.region_oin}, sender.oin, local_day(moment), limits)
    if reading.fault:
        return await _refuse(db, sender, raw, reading, reading.fault, at)
    return await _accept(db, sender, raw, reading, at)


async def _accept(db: AsyncDb, sender: Sender, raw: bytes, reading: Reading, at: datetime | None) -> Answer:
    header, message = reading.header, reading.message
    if header is None or message is None:
        raise ValueError("a reading without a fault has a header and a message")
    arrival = Arrival.of(sender, "corv", raw, at)
    remarks = (*reading.remarks, *_advice(raw))
    reply = None
    if settings().send_bv01:
        reply = Reply("Bv01", _write(replies.bv01, sender, header, at, remarks=remarks))
    try:
        answer = await receive_report(db, arrival, message, remarks, _confirmed(sender, reading, at), reply)
    except UNSTORABLE as error:
        log.error("feed.unstorable", error=type(error).__name__, sender=str(sender.id))
        found = fault("VT-E058", "content", "Een waarde in het bericht past niet in ons register.")
        return await _refuse(db, sender, raw, reading, found, at)
    if answer is not None:
        return answer
    conflict = fault("VT-E016", "header", "Het eerste bericht met dit referentienummer blijft gelden.")
    return await _refuse(db, sender, raw, reading, conflict, at)


async def _refuse(
    db: AsyncDb, sender: Sender, raw: bytes, reading: Reading, found: Fault, at: datetime | None
) -> Answer:
    """Answer a fault. Whatever an authentic sender meant for us is kept in quarantine, with a task for a person."""
    header = reading.header
    refusal = refused(sender, header, found, soap=reading.soap, at=at)
    if found.code in NOT_OURS:
        log.warning("feed.refused", code=found.code, sender=str(sender.id))
        return refusal
    reply = None
    if found.level == "content":
        # The header was fine, so the message is confirmed; what is wrong with its content follows later.
        refusal = _confirmed(sender, reading, at)
        if settings().send_bv01:
            reply = Reply("Fo01", _write(replies.fo01, sender, header, at, found))
    arrival = Arrival.of(sender, "corv", raw, at)
    reference = header.reference[:40] if header else None
    return await quarantine(
        db, arrival, found.code, f"{found.text} {found.details}", refusal, reference or None, reply
    )


def refused(sender: Sender | None, header: Header | None, found: Fault, *, soap: bool, at: datetime | None) -> Answer:
    """The Fo03 as an answer. In SOAP 1.1 a fault goes with status 500 (its HTTP binding); bare, with 4xx or 503."""
    body = _write(replies.fo03, sender, header, at, found)
    if soap and found.level == "header":
        return Answer(500, MEDIA_TYPE, replies.soap_fault(body, found), code=found.code)
    return Answer(STATUS.get(found.code, 400), MEDIA_TYPE, body, code=found.code)


def _advice(raw: bytes) -> list[Remark]:
    """What the official XSD says, when the operator gave its folder; advice only, the report is taken anyway."""
    folder = settings().xsd_dir
    if folder is None:
        return []
    findings = (finding.partition(": ") for finding in official_schema(folder).validate(raw))
    return [Remark("VT-W113", name, f"Niet volgens de officiële XSD ({rule}).") for name, _, rule in findings]


def _confirmed(sender: Sender, reading: Reading, at: datetime | None) -> Answer:
    body = _write(replies.bv03, sender, reading.header, at)
    return Answer(200, MEDIA_TYPE, replies.soap(body) if reading.soap else body)


def _write(
    writer: Writer, sender: Sender | None, header: Header | None, at: datetime | None, *found: Fault, **more: object
) -> bytes:
    """One answer, with a reference of its own and the moment of answering."""
    own_oin = sender.region_oin if sender else ""
    own_application = sender.region_application if sender else ""
    return writer(header, *found, own_oin, own_application, str(uuid7()), at or datetime.now(UTC), **more)
