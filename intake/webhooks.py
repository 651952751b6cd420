"""Callbacks to a sender: that there is something to fetch, never what. The rest it fetches here, with its own token.

The body holds the sender's own reference, the event and the moment; it is signed after the Standard Webhooks
specification (headers webhook-id, webhook-timestamp, webhook-signature). Sent at least once by a durable job: the id
stays the same, so the receiver can see a repeat.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from core import audit, jobs
from core.database import Db, Row
from core.errors import Conflict, NotFound, VeiligError
from core.ids import uuid7
from core.sealing import seal, unseal
from intake.callback import post_json, require_address
from intake.delivery import NotDelivered, well

JOB = "send_webhook"
EVENTS = {"feedback": "terugkoppeling", "test": "proef"}
PREFIX = "whsec_"
SECRET_BYTES = 32
TESTS_PER_HOUR = 10
Gate = Callable[[Db, Row, datetime], bool]
"""Whether this may be told now; when not, a person looks at it and the job is done."""


class NoAddress(Conflict):
    """Er is nog geen webadres ingesteld. Vraag het Veilig Thuis."""


class TooManyTests(VeiligError):
    """U hebt het laatste uur al tien keer een proef gestuurd. Wacht een uur."""

    status = 429


def set_address(db: Db, region: UUID, sender_id: UUID, url: str, actor: str) -> str | None:
    """Where this sender wants its callbacks ('' for nowhere); gives the new secret, which is shown only now.

    The same address again gives a new secret too. Raises WrongAddress, NotFound.
    """
    wanted = require_address(url) if url.strip() else None
    secret = secrets.token_bytes(SECRET_BYTES) if wanted else None
    done = db.execute(
        "UPDATE sender SET webhook_url = %s, webhook_secret = %s WHERE id = %s AND region_id = %s AND NOT own",
        (wanted, seal(secret, _place(sender_id)) if secret else None, sender_id, region),
    )
    if done.rowcount != 1:
        raise NotFound
    audit.append(db, region, actor, "sender.webhook", "sender", sender_id, {"set": wanted is not None})
    return PREFIX + base64.b64encode(secret).decode() if secret else None


def address_of(db: Db, sender_id: UUID) -> str:
    """Where this sender wants its callbacks; '' for nowhere."""
    row = db.execute("SELECT webhook_url FROM sender WHERE id = %s", (sender_id,)).fetchone()
    return (row and row["webhook_url"]) or ""


def announce(db: Db, feedback_id: UUID, report_id: UUID, at: datetime) -> None:
    """Ask for the callback that there is feedback about a report that came in by JSON, if its sender wants one."""
    row = db.execute(
        "INSERT INTO webhook_event (id, region_id, sender_id, kind, subject_id, reference, at)"
        " SELECT %(id)s, s.region_id, s.id, 'feedback', %(feedback)s, m.reference, %(at)s"
        " FROM report r JOIN message m ON m.id = r.message_id JOIN sender s ON s.id = r.sender_id"
        " WHERE r.id = %(report)s AND m.channel = 'json' AND s.webhook_url IS NOT NULL AND s.revoked_at IS NULL"
        " ON CONFLICT (kind, subject_id) DO UPDATE SET at = excluded.at WHERE webhook_event.sent_at IS NULL"
        " RETURNING id, region_id",
        {"id": uuid7(), "feedback": feedback_id, "report": report_id, "at": at},
    ).fetchone()
    if row is not None:
        jobs.ask_again(db, row["region_id"], JOB, row["id"])


def try_out(db: Db, region: UUID, sender_id: UUID, actor: str, at: datetime) -> UUID:
    """Ask for a callback that says only that it is a test; gives its id. Raises NoAddress, TooManyTests."""
    if not address_of(db, sender_id):
        raise NoAddress
    since = at - timedelta(hours=1)
    if (
        len([one for one in of_sender(db, sender_id) if one["kind"] == "test" and one["at"] > since])
        >= TESTS_PER_HOUR
    ):
        raise TooManyTests
    event = uuid7()
    db.execute(
        "INSERT INTO webhook_event (id, region_id, sender_id, kind, subject_id, reference, at)"
        " VALUES (%s, %s, %s, 'test', %s, 'proef', %s)",
        (event, region, sender_id, event, at),
    )
    jobs.enqueue(db, region, JOB, event)
    audit.append(db, region, actor, "sender.webhook_test", "sender", sender_id)
    return event


def of_sender(db: Db, sender_id: UUID, most: int = 20) -> list[Row]:
    """The last callbacks of a sender, newest first: kind, reference, at, sent_at, attempts, stopped."""
    return db.execute(
        "SELECT e.id, e.kind, e.reference, e.at, e.sent_at, coalesce(j.attempts, 0) AS attempts,"
        " coalesce(j.state = 'dead', false) AS stopped FROM webhook_event e"
        " LEFT JOIN job j ON j.kind = 'send_webhook' AND j.subject_id = e.id"
        " WHERE e.sender_id = %s ORDER BY e.at DESC, e.id DESC LIMIT %s",
        (sender_id, most),
    ).fetchall()


def send(db: Db, event_id: UUID, gate: Gate, at: datetime) -> None:
    """Job 'send_webhook': post one callback. Raises NotDelivered, after which the job is tried again."""
    row = db.execute(
        "SELECT e.*, s.webhook_url, s.webhook_secret FROM webhook_event e JOIN sender s ON s.id = e.sender_id"
        " WHERE e.id = %s AND s.revoked_at IS NULL FOR UPDATE OF e",
        (event_id,),
    ).fetchone()
    if row is None or row["sent_at"] or not row["webhook_url"] or not gate(db, row, at):
        return
    body = body_of(row)
    secret = unseal(bytes(row["webhook_secret"]), _place(row["sender_id"]))
    if not well(post_json(row["webhook_url"], body, signed(secret, str(event_id), int(at.timestamp()), body))):
        raise NotDelivered
    db.execute("UPDATE webhook_event SET sent_at = clock_timestamp() WHERE id = %s", (event_id,))
    details = {"event": row["kind"]}
    audit.append(db, row["region_id"], "system", "webhook.send", "sender", row["sender_id"], details)


def body_of(row: Row) -> bytes:
    """All that a callback tells."""
    moment = row["at"].isoformat().replace("+00:00", "Z")
    told = {"referentienummer": row["reference"], "gebeurtenis": EVENTS[row["kind"]], "tijdstip": moment}
    return json.dumps(told).encode()


def signed(secret: bytes, event: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that prove a callback (Standard Webhooks 1.0, symmetric): HMAC-SHA256 of id.timestamp.body."""
    digest = hmac.digest(secret, f"{event}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": event,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _place(sender_id: UUID) -> str:
    return f"sender.webhook_secret:{sender_id}"
