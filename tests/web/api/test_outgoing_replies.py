"""Bv01 and Fo01, when the region asks for them: sent to the sender's reply address, repeated until it takes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from lxml import etree

from tests.web.api.conftest import Feed

Setting = Callable[[str, str], None]


@dataclass
class Receiver:
    """The sender's own endpoint on this machine: it answers with the next of `statuses`, and then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    actions: list[str | None] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.received.append(self.rfile.read(int(self.headers["Content-Length"])))
            found.actions.append(self.headers["SOAPAction"])
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.send_header("Location", found.url)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def asked(feed: Feed, receiver: Receiver, setting: Setting) -> Feed:
    """The region sends functional answers, and the sender has an address for them."""
    setting("SEND_BV01", "true")
    feed.db.execute("UPDATE sender SET reply_url = %s WHERE NOT own", (receiver.url,))
    return feed


def local_name(body: bytes) -> str:
    return etree.QName(etree.fromstring(body)).localname


def reply_job(feed: Feed) -> dict[str, object]:
    (row,) = feed.rows("SELECT id, state, attempts, error FROM job WHERE kind = 'send_reply'")
    return row


def work_later(feed: Feed) -> None:
    """The pause before the next attempt passes, and the job is done again."""
    feed.db.execute("UPDATE job SET due_at = now() WHERE state = 'new'")
    feed.work()


def test_nothing_is_sent_unless_the_region_asks_for_it(feed: Feed, receiver: Receiver) -> None:
    feed.db.execute("UPDATE sender SET reply_url = %s WHERE NOT own", (receiver.url,))
    feed.post(feed.xml())
    feed.work()
    assert (feed.count("outgoing_reply"), receiver.received) == (0, [])


def test_bv01_follows_an_accepted_report_with_its_remarks(asked: Feed, receiver: Receiver) -> None:
    asked.post(asked.xml({"betrokkenen": [{"rol": {"tekst": "vader"}, "naam": {"voornamen": "P"}}]}))
    asked.work()
    (body,) = receiver.received
    assert (local_name(body), receiver.actions) == ("Bv01Bericht", ['"Bv01"'])
    remarks = [node.text or "" for node in etree.fromstring(body).iter("{*}melding")]
    assert any(remark.startswith("VT-W105") for remark in remarks)
    assert all(len(remark) <= 250 for remark in remarks)
    assert reply_job(asked)["state"] == "done"
    assert asked.rows("SELECT count(*) AS n FROM audit_entry WHERE action = 'reply.send'") == [{"n": 1}]


def test_fo01_follows_a_report_that_nobody_could_read(asked: Feed, receiver: Receiver) -> None:
    asked.post(asked.xml().replace(b"heeftBetrokken", b"heeftVergeten"))
    asked.work()
    (body,) = receiver.received
    assert local_name(body) == "Fo01Bericht"
    (cross,) = etree.fromstring(body).iter("{*}crossRefnummer")
    assert cross.text == "c0ffee00-0000-4000-8000-000000000001"


def test_a_receiver_that_fails_gets_the_same_bytes_again(asked: Feed, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    asked.post(asked.xml())
    asked.work()
    assert (reply_job(asked)["state"], reply_job(asked)["error"]) == ("new", "NotDelivered")
    work_later(asked)
    work_later(asked)
    assert len(receiver.received) == 3
    assert len(set(receiver.received)) == 1
    assert (reply_job(asked)["state"], reply_job(asked)["attempts"]) == ("done", 3)
    work_later(asked)
    assert len(receiver.received) == 3


def test_a_redirect_is_not_followed(asked: Feed, receiver: Receiver) -> None:
    receiver.statuses = [302]
    asked.post(asked.xml())
    asked.work()
    assert len(receiver.received) == 1
    assert reply_job(asked)["state"] == "new"


def test_a_receiver_that_never_answers_well_becomes_a_task_and_the_report_is_linked(
    asked: Feed, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 5
    asked.post(asked.xml())
    for _ in range(5):
        work_later(asked)
    assert reply_job(asked)["state"] == "dead"
    assert asked.rows("SELECT kind, subject_id FROM task WHERE kind = 'dead_job'") == [
        {"kind": "dead_job", "subject_id": reply_job(asked)["id"]}
    ]
    assert asked.rows("SELECT count(*) AS n FROM report WHERE linked_at IS NOT NULL") == [{"n": 1}]


def test_a_replayed_message_does_not_send_a_second_answer(asked: Feed, receiver: Receiver) -> None:
    for _ in range(3):
        asked.post(asked.xml())
    asked.work()
    assert len(receiver.received) == 1
