"""The JSON twin of the police feed (standards.md 10.1, door B): the same message, the same receipt."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from core import problems
from core.database import AsyncDb
from core.deadlines import local_day
from intake.corv.codes import ERRORS
from intake.message import ReportMessage, read_json
from intake.receive import Answer, Arrival, quarantine, receive_report
from intake.remarks import remarks
from intake.senders import CHAT, Sender


async def deliver(db: AsyncDb, sender: Sender, raw: bytes, at: datetime | None = None) -> Answer:
    """Receive one JSON report. Raises InvalidMessage with every error at once; nothing is stored then.

    A message for another region, or in the name of another sender, gets a problem and is not stored either.
    """
    if sender.kind == CHAT:
        return _refusal(403, "VT-E052", "$.bericht.zender")
    message = read_json(raw)
    if message.envelope.sender.oin != sender.oin:
        return _refusal(403, "VT-E052", "$.bericht.zender.oin")
    if message.envelope.receiver.oin != sender.region_oin:
        return _refusal(400, "VT-E010", "$.bericht.ontvanger.oin")
    arrival = Arrival.of(sender, "json", raw, at)
    found = remarks(message, local_day(at or datetime.now(UTC)))
    body = {
        "ontvangstnummer": str(arrival.subject),
        "status": "ontvangen",
        "waarschuwingen": [remark.to_json() for remark in found],
    }
    accepted = Answer(202, "application/json", json.dumps(body, ensure_ascii=False).encode())
    answer = await receive_report(db, arrival, message, found, accepted)
    return answer or await _conflict(db, arrival, message)


async def _conflict(db: AsyncDb, arrival: Arrival, message: ReportMessage) -> Answer:
    refusal = _refusal(409, "VT-E016", "$.bericht.referentienummer")
    reason = "Dit referentienummer hoort al bij een melding met een andere inhoud. Vergelijk de twee."
    return await quarantine(db, arrival, "VT-E016", reason, refusal, message.envelope.reference)


def _refusal(status: int, code: str, path: str) -> Answer:
    text = ERRORS[code].text
    body = problems.problem(status, text, "Er is geen melding van gemaakt.", code, [(path, text)])
    return Answer(status, problems.MEDIA_TYPE, body)
