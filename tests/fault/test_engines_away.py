"""Engines away: the broker is only a delay, and without a database nothing is ever acknowledged that is not kept."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx
import pytest
import redis

from tests.fault.stack import ONCE, Stack, message, wait_for

pytestmark = pytest.mark.fault

BROKER_AWAY_S = 60
"""As long as the issue asks; the relay behaves the same from its second failed round (1 s) on."""


def announced(stack: Stack) -> int:
    with redis.Redis.from_url(stack.valkey.url) as client:
        return int(client.llen("dramatiq:wake"))


def post_all(stack: Stack, references: list[str]) -> list[float]:
    """Post a report per reference, each accepted; returns the waits in seconds."""
    waits = []
    for reference in references:
        begun = time.monotonic()
        assert stack.post(message(reference)).status_code == 200
        waits.append(time.monotonic() - begun)
    return waits


def assert_at_once(waits: list[float]) -> None:
    """Nobody waited for the broker: its own limit, two seconds, would be in every wait; a busy machine is in few."""
    assert median(waits) < 1.0
    assert max(waits) < 10.0


def assert_done_once(stack: Stack, references: list[str]) -> None:
    for reference in references:
        report = stack.report(reference)
        assert report
        assert stack.effects(report) == ONCE


def test_a_flushed_broker_only_delays(stack: Stack) -> None:
    references = [f"flushed-{number}" for number in range(30)]
    stack.stop("worker")
    post_all(stack, references)
    wait_for(lambda: announced(stack) >= 30, "the jobs wait in the broker")
    with redis.Redis.from_url(stack.valkey.url) as client:
        client.flushall()
    stack.start("worker")
    stack.wait_until_done(30)
    assert_done_once(stack, references)


def test_a_broker_flushed_under_a_running_worker_only_delays(stack: Stack) -> None:
    references = [f"flushed-running-{number}" for number in range(20)]
    post_all(stack, references[:10])
    with redis.Redis.from_url(stack.valkey.url) as client:
        client.flushall()
        client.script_flush()
    post_all(stack, references[10:])
    stack.wait_until_done(30)
    assert_done_once(stack, references)


def test_messages_are_accepted_at_once_while_the_broker_is_away_and_done_after_it(stack: Stack) -> None:
    stack.valkey.stop()
    gone = time.monotonic()
    references: list[str] = []
    waits: list[float] = []
    while time.monotonic() - gone < BROKER_AWAY_S:
        references.append(f"no-broker-{len(references)}")
        waits += post_all(stack, references[-1:])
        threading.Event().wait(0.25)  # the pace of arrival
    assert_at_once(waits)
    assert len(references) > 30
    assert stack.unfinished() == len(references)
    stack.valkey.start()
    stack.wait_until_done(30)
    assert_done_once(stack, references)


def test_a_killed_broker_only_delays(stack: Stack) -> None:
    references = [f"killed-broker-{number}" for number in range(20)]
    post_all(stack, references[:10])
    pid = stack.valkey.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: stack.valkey.pid is None, "the broker is gone")
    assert_at_once(post_all(stack, references[10:]))
    stack.valkey.start()
    stack.wait_until_done(30)
    assert_done_once(stack, references)


def test_a_backlog_waits_in_the_database_and_not_in_the_broker(stack: Stack) -> None:
    stack.stop("worker")
    stack.tell(
        "INSERT INTO job (id, region_id, kind, subject_id)"
        " SELECT gen_random_uuid(), %s, 'send_reply', gen_random_uuid() FROM generate_series(1, 600)",
        stack.region,
    )
    wait_for(lambda: announced(stack) == 200, "the broker holds its share")
    beat = stack.one("SELECT max(seen_at) FROM heartbeat WHERE kind = 'clock'")
    for _ in range(2):  # ten seconds: twice the time after which a job is announced again
        beat = wait_for(
            lambda beat=beat: stack.one(  # type: ignore[misc]
                "SELECT max(seen_at) FROM heartbeat WHERE kind = 'clock' AND seen_at > %s", beat
            ),
            "the clock beats",
        )
        assert announced(stack) == 200
    stack.start("worker")
    stack.wait_until_done(30)
    assert stack.one("SELECT count(*) FROM job WHERE kind = 'send_reply' AND (attempts, state) <> (1, 'done')") == 0


class Load:
    """Clients that post one report after another, and remember what they were told."""

    def __init__(self, stack: Stack, clients: int = 4) -> None:
        self.sent: dict[str, bytes] = {}
        self.told: dict[str, int | str] = {}
        self._stack = stack
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(number,)) for number in range(clients)]

    def _client(self, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            reference = f"load-{number}-{count}"
            body = self.sent[reference] = message(reference)
            try:
                self.told[reference] = self._stack.post(body).status_code
            except httpx.TransportError as error:
                self.told[reference] = type(error).__name__

    def acknowledged(self) -> list[str]:
        return [reference for reference, told in self.told.copy().items() if told == 200]

    def wait_for_more(self, count: int, what: str) -> float:
        """Wait until so many more are acknowledged; returns the seconds that it took."""
        begun, before = time.monotonic(), len(self.acknowledged())
        wait_for(lambda: len(self.acknowledged()) >= before + count, what, 40)
        return time.monotonic() - begun

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def test_no_acknowledged_message_is_lost_when_the_database_stops_and_when_it_is_killed(stack: Stack) -> None:
    load = Load(stack)
    with load.running():
        load.wait_for_more(40, "reports are acknowledged")
        stack.postgres.stop()
        wait_for(lambda: 503 in load.told.values(), "senders are told to come back")
        stack.postgres.start()
        assert load.wait_for_more(40, "reports are acknowledged after the restart") < 15
        pid = stack.postgres.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: stack.postgres.pid is None, "the postmaster is gone")
        stack.postgres.start()
        assert load.wait_for_more(40, "reports are acknowledged after the crash") < 15
    assert set(load.told.values()) <= {200, 503}, set(load.told.values())
    for reference in load.acknowledged():
        rows = stack.ask("SELECT content_sha256 FROM message WHERE reference = %s", reference)
        assert [bytes(row["content_sha256"]) for row in rows] == [hashlib.sha256(load.sent[reference]).digest()]
    for reference, told in load.told.items():
        if told != 200:
            assert stack.post(load.sent[reference]).status_code == 200
    assert stack.one("SELECT count(*) FROM message WHERE reference LIKE 'load-%%'") == len(load.sent)
    stack.wait_until_done(60)
    assert_done_once(stack, list(load.sent)[:50])
