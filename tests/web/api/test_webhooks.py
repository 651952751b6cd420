"""A callback to the sender: that there is feedback, signed, tried again, and not a word of what it says."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from core import rotation
from core.errors import NotFound
from core.ids import uuid7
from core.settings import settings
from intake import webhooks
from intake.callback import WrongAddress
from radar.outbound import release as outbound
from tests.intake.hook import Hook, hooked
from tests.web.api.conftest import Feed
from tests.web.api.test_feedback import AT, decided, drafted, read, release, school_report

REFERENCE = "c0ffee00-0000-4000-8000-000000000001"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.setenv("VEILIG_WEBHOOK_NETWORKS", "127.0.0.0/8")
    settings.cache_clear()
    with hooked() as found:
        yield found


def school(feed: Feed) -> UUID:
    (row,) = feed.rows("SELECT id FROM sender WHERE kind = 'onderwijs'")
    found: UUID = row["id"]
    return found


def listens(feed: Feed, url: str) -> bytes:
    """The school takes callbacks here; its secret."""
    with feed.db.transaction():
        secret = webhooks.set_address(feed.db, feed.region, school(feed), url, "beheer")
    assert secret is not None
    assert secret.startswith("whsec_")
    return base64.b64decode(secret.removeprefix("whsec_"))


def released(feed: Feed, url: str) -> tuple[UUID, bytes, str]:
    """A feedback that a person released to a school that takes callbacks: its id, the secret, and the token."""
    report, token = school_report(feed)
    secret = listens(feed, url)
    decided(feed, report)
    feed.work()
    one = drafted(feed, report)
    release(feed, one)
    return one, secret, token


def job_of(feed: Feed) -> list[dict[str, Any]]:
    return feed.rows("SELECT state, attempts, error FROM job WHERE kind = 'send_webhook'")


def test_it_tells_the_reference_the_event_and_the_moment_and_nothing_more(feed: Feed, hook: Hook) -> None:
    _, secret, token = released(feed, hook.url)
    feed.work()
    (body,), (headers,) = hook.bodies, hook.headers
    assert json.loads(body) == {
        "referentienummer": REFERENCE,
        "gebeurtenis": "terugkoppeling",
        "tijdstip": "2026-11-02T09:00:00Z",
    }
    assert headers["content-type"] == "application/json"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert job_of(feed) == [{"state": "done", "attempts": 1, "error": None}]
    (told,) = read(feed, REFERENCE, token).json()["terugkoppelingen"]
    assert told["toelichting"] == "Wij gaan zelf verder."


def test_what_was_not_taken_is_tried_again_under_the_same_id(feed: Feed, hook: Hook) -> None:
    hook.statuses = [500, 302]
    released(feed, hook.url)
    for _ in range(3):
        feed.db.execute("UPDATE job SET due_at = now() WHERE kind = 'send_webhook' AND state = 'new'")
        feed.work()
    assert len(hook.bodies) == 3
    assert len({headers["webhook-id"] for headers in hook.headers}) == 1
    assert len(set(hook.bodies)) == 1
    assert job_of(feed)[0]["state"] == "done"
    assert feed.rows("SELECT sent_at IS NOT NULL AS sent FROM webhook_event") == [{"sent": True}]


def test_where_nobody_answers_a_person_gets_a_task(feed: Feed, hook: Hook) -> None:
    hook.statuses = [500] * 5
    released(feed, hook.url)
    for _ in range(6):
        feed.db.execute("UPDATE job SET due_at = now() WHERE kind = 'send_webhook' AND state = 'new'")
        feed.work()
    assert len(hook.bodies) == 5
    assert job_of(feed) == [{"state": "dead", "attempts": 5, "error": "NotDelivered"}]
    assert len(feed.rows("SELECT FROM task WHERE kind = 'dead_job' AND done_at IS NULL")) == 1


def test_without_an_address_or_over_another_channel_there_is_none(feed: Feed, hook: Hook) -> None:
    report, _ = school_report(feed)
    decided(feed, report)
    release(feed, drafted(feed, report))
    assert job_of(feed) == []
    assert feed.count("webhook_event") == 0


def test_an_address_inside_is_never_called(feed: Feed, hook: Hook, setting: Any) -> None:
    released(feed, hook.url)
    setting("WEBHOOK_NETWORKS", "")
    feed.work()
    assert hook.bodies == []
    assert job_of(feed)[0]["error"] in ("ForbiddenAddress", "WrongAddress")


def test_what_the_gate_holds_is_not_announced_until_two_let_it_go(feed: Feed, hook: Hook) -> None:
    one, _, _ = released(feed, hook.url)
    feed.db.execute("UPDATE outgoing SET state = 'held', held_why = '{secret}' WHERE subject_id = %s", (one,))
    feed.work()
    assert hook.bodies == []
    assert job_of(feed)[0]["state"] == "done"
    with feed.db.transaction():
        (row,) = feed.rows("SELECT id FROM outgoing WHERE subject_id = %s", one)
        assert outbound.release(feed.db, row["id"], by="teun", at=AT)
    feed.work()
    assert len(hook.bodies) == 1


def test_a_test_says_that_it_is_one(feed: Feed, hook: Hook) -> None:
    school_report(feed)
    listens(feed, hook.url)
    with feed.db.transaction():
        webhooks.try_out(feed.db, feed.region, school(feed), "sender:x", AT)
    feed.work()
    assert json.loads(hook.bodies[-1])["gebeurtenis"] == "proef"


def test_the_secret_is_sealed_and_follows_the_key_ring(feed: Feed, hook: Hook) -> None:
    school_report(feed)
    secret = listens(feed, hook.url)
    (row,) = feed.rows("SELECT webhook_secret FROM sender WHERE webhook_url IS NOT NULL")
    assert secret not in bytes(row["webhook_secret"])
    assert ("sender", "webhook_secret", "id") in {(one.table, one.name, one.key) for one in rotation.columns(feed.db)}


def test_an_address_is_set_and_taken_away_by_staff_only_where_it_can_be(feed: Feed, hook: Hook) -> None:
    school_report(feed)
    for url in ("http:/x", "ftp://x", "https://a@b/"):
        with pytest.raises(WrongAddress), feed.db.transaction():
            webhooks.set_address(feed.db, feed.region, school(feed), url, "beheer")
    with pytest.raises(NotFound), feed.db.transaction():
        webhooks.set_address(feed.db, uuid7(), school(feed), "https://x.example/", "beheer")
    with pytest.raises(NotFound), feed.db.transaction():
        webhooks.set_address(feed.db, feed.region, feed.region, "https://x.example/", "beheer")  # the region itself
    listens(feed, hook.url)
    with feed.db.transaction():
        assert webhooks.set_address(feed.db, feed.region, school(feed), "", "beheer") is None
    assert feed.rows("SELECT FROM sender WHERE webhook_secret IS NOT NULL") == []
    assert len(feed.rows("SELECT FROM audit_entry WHERE action = 'sender.webhook'")) == 2
