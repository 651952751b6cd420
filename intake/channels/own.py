"""What our own people and our own forms bring in: the same message and the same receipt as a feed's.

A region is its own sender (`sender.own`). The reference of such a message is the id of the draft or form that it came
from, so that who does it twice gets the report of the first time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic_core import to_json

from core.database import Db
from core.errors import Unavailable
from intake import store
from intake.message import ReportMessage, read_json
from intake.receive import Answer, Arrival, report_values
from intake.senders import own
from intake.terms import days_around, terms_on

OwnChannel = Literal["desk", "professional", "citizen"]
APPLICATION = "RADAR"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A report that is in the database. `again`: it was there already, from the same draft or form."""

    report: UUID
    message: UUID
    again: bool


def message(db: Db, region: UUID, reference: str, body: Mapping[str, Any]) -> ReportMessage:
    """The message of a draft or form: `body` as the JSON door takes it, without "bericht", which is put here.

    Raises InvalidMessage with every error at once, each with its JSON path; NotFound without such a region.
    """
    sender = own(db, region)
    party = {"oin": sender.oin, "applicatie": APPLICATION}
    head = {"functie": "vtMeldingDi01", "referentienummer": reference, "zender": party, "ontvanger": party}
    report = {"kenmerk": reference} | dict(body.get("melding") or {})
    return read_json(json.dumps({**body, "bericht": head, "melding": report}).encode())


def record(
    db: Db,
    region: UUID,
    message: ReportMessage,
    *,
    channel: OwnChannel,
    kind: str,
    actor: str,
    at: datetime | None = None,
    supplements: UUID | None = None,
) -> Recorded:
    """Store the report with its term, task, job and audit row, in one statement at the door.

    `kind`: of the reporter ("burger" or one of senders.KINDS). `supplements`: the report that this one adds to.
    The same reference again gives the report of the first time. Raises Unavailable when nothing could be stored.
    """
    raw = to_json(message.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    sender = replace(own(db, region), kind=kind)
    arrival = Arrival.of(sender, channel, raw, at)
    # Remarks are for a supplier, on what his system left out: here a person asked, or nobody could tell.
    values = report_values(arrival, message, (), Answer(201, "", b"")) | {
        "actor": actor,
        "supplements": supplements,
    }
    for days in days_around(at):
        if store.insert_now(db, values | {"terms": terms_on(days)}):
            return Recorded(arrival.subject, arrival.message, again=False)
        known = db.execute(
            "SELECT r.id, r.message_id FROM message m JOIN report r ON r.message_id = m.id"
            " WHERE m.sender_id = %s AND m.reference = %s AND m.outcome = 'report'",
            (sender.id, message.envelope.reference),
        ).fetchone()
        if known:
            return Recorded(known["id"], known["message_id"], again=True)
    raise Unavailable
