"""What the workers post: each message asks the gate first, at the moment that it goes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from lxml import etree

from core.database import Db, Row, now
from intake import outbox, webhooks
from radar.outbound import gate, release

KINDS: dict[str, str] = {"vtTerugkoppelingDi01": "feedback", "vtoDi01": "vto"}


def let_out(db: Db, message: Row) -> bytes | None:
    """The bytes of a message of our own, when it may leave now (an `intake.outbox.Gate`)."""
    body = bytes(message["body"])
    kind, at = KINDS[message["kind"]], now(db)
    return gate.pass_out(db, kind, message["subject_id"], body, by="system", at=at, texts=words_of(body))


def send_reply(db: Db, reply_id: UUID) -> None:
    """Job 'send_reply': a Bv01 or Fo01 to who sent the message. Raises NotDelivered."""
    outbox.send_reply(db, reply_id, _let_reply_out)


def send_webhook(db: Db, event_id: UUID) -> None:
    """Job 'send_webhook': tell a sender that there is feedback, when it may still have it. Raises NotDelivered."""
    webhooks.send(db, event_id, _may_be_told, now(db))


def words_of(body: bytes) -> list[str]:
    """Every text in a message that we made ourselves."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(body, parser)
    return [text.strip() for text in root.itertext() if isinstance(text, str) and text.strip()]


def _let_reply_out(db: Db, reply: Row) -> bytes | None:
    """Nobody releases it: it says of a message only that it came in, to the one that sent it."""
    at, body = now(db), bytes(reply["body"])
    made = release.propose(
        db,
        kind="reply",
        subject=reply["id"],
        report_id=None,
        region=reply["region_id"],
        recipient=("sender", reply["sender_id"]),
        parts=["receipt"],
        by="system",
        at=at,
    )
    if release.required(db, "reply", reply["id"])["state"] == "proposed":
        release.release_or_hold(db, made, by="system", at=at)
    return gate.pass_out(db, "reply", reply["id"], body, by="system", at=at)


def _may_be_told(db: Db, event: Row, at: datetime) -> bool:
    """That there is feedback is told only while the feedback itself could be read."""
    return event["kind"] == "test" or gate.may_go(db, "feedback", event["subject_id"], at=at)
