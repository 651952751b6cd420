"""What goes out: functional answers (Bv01, Fo01), and messages of our own (vtTerugkoppelingDi01, vtoDi01).

Sent at least once, by a durable job: a stored body never changes, so its referentienummer lets the receiver see a
repeat. An answer is taken by its status; a message of our own is delivered only when the receiver says so in StUF.
Nothing is posted but what the caller's gate hands back at that moment (radar/outbound).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

from core import audit, jobs
from core.database import Db, Row
from core.errors import NotFound
from core.ids import uuid7
from core.sealing import is_sealed, key_of, key_or_new
from intake.delivery import NotDelivered, confirms, post, well

MessageKind = Literal["vtTerugkoppelingDi01", "vtoDi01"]
Gate = Callable[[Db, Row], bytes | None]
"""The bytes of this row when they may leave now, else None: then a person looks at it, and the job is done."""
Delivered = Callable[[Db, Row], None]
JOB = "send_message"
SOAP_ACTION = "www.stufstandaarden.nl/koppelvlak/jz0100/"
"""Before the name of a message of the koppelvlak; without a scheme, as its WSDL has it."""


def send_reply(db: Db, reply_id: UUID, gate: Gate) -> None:
    """Post one stored answer to its sender's reply address; without such an address there is nothing to do.

    Raises NotDelivered, after which the job is tried again.
    """
    row = db.execute(
        "SELECT o.*, s.reply_url, m.sender_id FROM outgoing_reply o JOIN message m ON m.id = o.message_id"
        " JOIN sender s ON s.id = m.sender_id WHERE o.id = %s FOR UPDATE OF o",
        (reply_id,),
    ).fetchone()
    if row is None or row["sent_at"] or not row["reply_url"]:
        return
    body = gate(db, row)
    if body is None:
        return
    status, _ = post(row["reply_url"], body, row["kind"])
    if not well(status):
        raise NotDelivered
    db.execute("UPDATE outgoing_reply SET sent_at = now() WHERE id = %s", (reply_id,))
    audit.append(db, row["region_id"], "system", "reply.send", "message", row["message_id"], {"kind": row["kind"]})


def store_message(
    db: Db,
    kind: MessageKind,
    subject: UUID,
    report_id: UUID,
    *,
    reference: str,
    body: bytes,
    at: datetime,
    sender_id: UUID | None = None,
    team_id: UUID | None = None,
) -> UUID:
    """Keep a message of our own for one sender or one team, and ask for its sending, in the caller's transaction.

    There is one per `subject`, the feedback or the handover that it carries: a second raises UniqueViolation. Without
    an address it waits until there is one (`send_waiting`). Gives its id. Raises LookupError without such a report.
    """
    row = db.execute("SELECT region_id, message_id FROM report WHERE id = %s", (report_id,)).fetchone()
    if row is None:
        raise LookupError("report")
    message_id = uuid7()
    sealed = key_or_new(db, row["message_id"], row["region_id"]).seal(body, _place(message_id))
    db.execute(
        "INSERT INTO outgoing_message (id, region_id, kind, subject_id, report_id, sender_id, team_id, reference,"
        " body, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (message_id, row["region_id"], kind, subject, report_id, sender_id, team_id, reference, sealed, at),
    )
    audit.append(db, row["region_id"], "system", "message.ready", "report", report_id, {"kind": kind})
    send_waiting(db, row["region_id"], message_id)
    return message_id


def body_of(db: Db, message_id: UUID) -> bytes:
    """The bytes of a message of our own, unsealed. Raises NotFound, Unreadable, Destroyed."""
    row = db.execute(
        "SELECT o.body, r.message_id FROM outgoing_message o JOIN report r ON r.id = o.report_id WHERE o.id = %s",
        (message_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    stored = bytes(row["body"])
    return key_of(db, row["message_id"]).unseal(stored, _place(message_id)) if is_sealed(stored) else stored


def _place(message_id: UUID) -> str:
    return f"outgoing_message.body:{message_id}"


_WAITING = """
SELECT o.id, o.region_id FROM outgoing_message o
LEFT JOIN sender s ON s.id = o.sender_id LEFT JOIN team t ON t.id = o.team_id
WHERE o.sent_at IS NULL AND coalesce(CASE WHEN s.revoked_at IS NULL THEN s.reply_url END, t.delivery_url) <> ''
    AND (%(region)s::uuid IS NULL OR o.region_id = %(region)s) AND (%(id)s::uuid IS NULL OR o.id = %(id)s)
    AND NOT EXISTS (SELECT FROM job WHERE kind = 'send_message' AND subject_id = o.id)"""


def send_waiting(db: Db, region: UUID | None = None, message_id: UUID | None = None) -> int:
    """Ask for the sending of what waited for an address and has one now; how many. Safe to call often."""
    waiting = db.execute(_WAITING, {"region": region, "id": message_id}).fetchall()
    for row in waiting:
        jobs.enqueue(db, row["region_id"], JOB, row["id"])
    return len(waiting)


def send_released(db: Db, region: UUID, subject: UUID) -> None:
    """Ask again for the sending of the message about a subject, now that a person let it out, if it did not go."""
    row = db.execute(
        "SELECT o.id FROM outgoing_message o JOIN job j ON j.kind = 'send_message' AND j.subject_id = o.id"
        " WHERE o.region_id = %s AND o.subject_id = %s AND o.sent_at IS NULL",
        (region, subject),
    ).fetchone()
    if row is not None:
        jobs.ask_again(db, region, JOB, row["id"])


_STANDING = """
SELECT o.id, o.kind, o.reference, o.created_at, o.sent_at, j.id AS job_id, coalesce(j.attempts, 0) AS attempts,
    CASE WHEN o.sent_at IS NOT NULL THEN 'sent' WHEN j.state = 'dead' THEN 'stopped'
        WHEN coalesce(CASE WHEN s.revoked_at IS NULL THEN s.reply_url END, t.delivery_url, '') = '' THEN 'no_address'
        WHEN j.id IS NULL THEN 'ready' WHEN j.state = 'done' THEN 'held' ELSE 'waiting' END AS state
FROM outgoing_message o
LEFT JOIN sender s ON s.id = o.sender_id LEFT JOIN team t ON t.id = o.team_id
LEFT JOIN job j ON j.kind = 'send_message' AND j.subject_id = o.id
WHERE o.region_id = %s AND o.subject_id = %s"""


def message_of(db: Db, region: UUID, subject: UUID) -> Row | None:
    """How the message about a subject stands, with its id, kind, reference, created_at, sent_at, job_id and attempts.

    `state`: sent; waiting (for its next attempt); stopped (too many attempts, a person must look); held (the gate
    did not let it out, a person must look); no_address; or ready, when an address was set since and nobody asked for
    the sending yet.
    """
    return db.execute(_STANDING, (region, subject)).fetchone()


_TO_SEND = """
SELECT o.id, o.region_id, o.kind, o.subject_id, o.report_id, o.reference, o.sent_at,
    coalesce(CASE WHEN s.revoked_at IS NULL THEN s.reply_url END, t.delivery_url) AS address,
    (SELECT generation FROM job WHERE kind = 'send_message' AND subject_id = o.id) AS generation
FROM outgoing_message o
LEFT JOIN sender s ON s.id = o.sender_id LEFT JOIN team t ON t.id = o.team_id
WHERE o.id = %s FOR UPDATE OF o"""


def send_message(db: Db, message_id: UUID, gate: Gate, delivered: Delivered) -> None:
    """Post one message of our own, once; `delivered` settles its subject in the same transaction.

    Raises NotDelivered, after which the job is tried again: also when the address was taken away meanwhile.
    """
    row = db.execute(_TO_SEND, (message_id,)).fetchone()
    if row is None or row["sent_at"]:
        return
    if not row["address"]:
        raise NotDelivered
    body = gate(db, row | {"body": body_of(db, message_id)})
    if body is None:
        return
    status, answer = post(row["address"], body, SOAP_ACTION + row["kind"])
    # After an attempt of which we did not hear the end, 'used before' says that it did arrive.
    repeated = (row["generation"] or 0) > 1
    if not confirms(status, answer, row["reference"], repeated=repeated):
        raise NotDelivered
    sent = db.execute(
        "UPDATE outgoing_message SET sent_at = clock_timestamp() WHERE id = %s RETURNING sent_at", (message_id,)
    ).fetchone()
    audit.append(db, row["region_id"], "system", "message.send", "report", row["report_id"], {"kind": row["kind"]})
    delivered(db, {**row, **(sent or {})})
