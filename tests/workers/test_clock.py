"""The clock's hourly work: the register is counted and the blind sample drawn, also by two clocks at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from core.database import Db
from core.errors import VeiligError
from radar.quality import sample
from radar.quality.policy import policy
from workers import clock, demo

UNTIL = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def filled(db: Db) -> Db:
    """A small demo, of which the register was never counted."""
    demo.run(6, 60, at=UNTIL)
    db.execute("DELETE FROM register_size")
    return db


def number(db: Db, query: str) -> int:
    row = db.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row["n"])


def test_the_demo_counts_its_register(db: Db) -> None:
    demo.run(3, 30, at=UNTIL)
    persons = number(db, "SELECT count(*) AS n FROM person WHERE profile IS NOT NULL")
    assert number(db, "SELECT persons AS n FROM register_size") == persons > 0


def test_two_clocks_count_the_register_and_draw_each_link_once(filled: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    real = policy()
    at_once = real.model_copy(update={"sample": real.sample.model_copy(update={"settle_minutes": 0})})
    monkeypatch.setattr(sample, "policy", lambda: at_once)
    with ThreadPoolExecutor(2) as clocks:
        for one in [clocks.submit(clock.count) for _ in range(2)]:
            one.result()
    persons = number(filled, "SELECT count(*) AS n FROM person WHERE profile IS NOT NULL")
    assert number(filled, "SELECT persons AS n FROM register_size") == persons > 0
    looked_at = "SELECT sum(frame) AS n FROM quality_draw WHERE stratum <> 'answered_yes'"
    mentions = number(filled, "SELECT count(*) AS n FROM mention")
    assert 0 < number(filled, looked_at) <= mentions
    draws = number(filled, "SELECT count(*) AS n FROM quality_draw")
    clock.count()
    assert number(filled, "SELECT count(*) AS n FROM quality_draw") == draws, "not due again"


def test_a_failure_is_tried_again_and_the_count_before_it_stays(filled: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Semaphore(0)
    stop = threading.Event()

    def fail(db: Db, at: datetime) -> int:
        tried.release()
        raise VeiligError

    monkeypatch.setattr(sample, "draw_due", fail)
    monkeypatch.setattr(clock, "FIRST_COUNT_S", 0.0)
    monkeypatch.setattr(clock, "COUNT_AGAIN_S", 0.0)
    thread = threading.Thread(target=clock.count_hourly, args=(stop,))
    thread.start()
    assert tried.acquire(timeout=20)
    assert tried.acquire(timeout=20), "once more after the failure"
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert number(filled, "SELECT count(*) AS n FROM register_size") == 1
