"""Durable jobs: claimed once, counted before the work, settled with the effect, buried with a task."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from core import jobs
from core.database import Db, connection_options
from core.errors import Conflict, LeaseLost, NotFound
from core.ids import uuid7

REGION = uuid7()


def waiting(db: Db, kind: str = "link_report") -> UUID:
    """A job that waits, on a subject of its own."""
    subject = uuid7()
    jobs.enqueue(db, REGION, kind, subject)
    return jobs.of_subject(db, subject)[0]["id"]


def state_of(db: Db, job: UUID) -> tuple[str, int]:
    row = db.execute("SELECT state, attempts FROM job WHERE id = %s", (job,)).fetchone()
    assert row is not None
    return row["state"], row["attempts"]


def let_pass(db: Db, job: UUID, time: timedelta) -> None:
    """Pretend that time has passed for this job."""
    db.execute(
        "UPDATE job SET due_at = due_at - %(t)s, leased_until = leased_until - %(t)s, woken_at = woken_at - %(t)s"
        " WHERE id = %(id)s",
        {"t": time, "id": job},
    )


def test_asking_twice_is_asking_once(db: Db) -> None:
    subject = uuid7()
    jobs.enqueue(db, REGION, "link_report", subject)
    jobs.enqueue(db, REGION, "link_report", subject)
    assert len(jobs.of_subject(db, subject)) == 1


def test_a_job_is_claimed_by_one_only_and_counted_at_once(db: Db) -> None:
    job = waiting(db)
    first = jobs.claim(db, job)
    assert first is not None
    assert (first.kind, first.attempts, first.generation) == ("link_report", 1, 1)
    assert jobs.claim(db, job) is None
    assert state_of(db, job) == ("leased", 1)


def test_a_settled_job_stays_settled(db: Db) -> None:
    job = waiting(db)
    claim = jobs.claim(db, job)
    assert claim is not None
    jobs.complete(db, claim)
    assert state_of(db, job) == ("done", 1)
    assert jobs.claim(db, job) is None
    with pytest.raises(LeaseLost):
        jobs.complete(db, claim)


def test_a_worker_that_lost_its_lease_cannot_settle(db: Db) -> None:
    job = waiting(db)
    stale = jobs.claim(db, job)
    assert stale is not None
    let_pass(db, job, jobs.LEASE + timedelta(seconds=1))
    assert jobs.sweep(db) == 1
    fresh = jobs.claim(db, job)
    assert fresh is not None
    with pytest.raises(LeaseLost):
        jobs.complete(db, stale)
    assert jobs.fail(db, stale, "TooLate") is False
    jobs.complete(db, fresh)
    assert state_of(db, job) == ("done", 2)


def test_the_sweeper_leaves_a_running_lease_alone(db: Db) -> None:
    assert jobs.claim(db, waiting(db)) is not None
    assert jobs.sweep(db) == 0


def test_a_failed_job_pauses_longer_each_time_and_dies_with_one_task(db: Db) -> None:
    job = waiting(db)
    pauses = []
    for _ in range(jobs.MAX_ATTEMPTS):
        claim = jobs.claim(db, job)
        assert claim is not None
        dead = jobs.fail(db, claim, "ValueError")
        row = db.execute(
            "SELECT round(extract(epoch FROM due_at - now()))::int AS pause FROM job WHERE id = %s", (job,)
        ).fetchone()
        assert row is not None
        pauses.append(row["pause"])
        let_pass(db, job, timedelta(minutes=2))
    assert dead
    assert pauses[:4] == list(jobs.BACKOFF)
    assert state_of(db, job) == ("dead", jobs.MAX_ATTEMPTS)
    tasks = db.execute("SELECT kind, done_at FROM task WHERE subject_id = %s", (job,)).fetchall()
    assert tasks == [{"kind": "dead_job", "done_at": None}]
    trail = db.execute("SELECT action, outcome FROM audit_entry WHERE object_id = %s", (job,)).fetchall()
    assert trail == [{"action": "job.dead", "outcome": "failed"}]


def test_a_worker_that_dies_each_time_is_counted_too(db: Db) -> None:
    job = waiting(db)
    for _ in range(jobs.MAX_ATTEMPTS):
        assert jobs.claim(db, job) is not None
        let_pass(db, job, timedelta(minutes=1))
        jobs.sweep(db)
    assert state_of(db, job) == ("dead", jobs.MAX_ATTEMPTS)


def test_redrive_gives_a_new_life_and_closes_the_task(db: Db) -> None:
    job = waiting(db)
    with pytest.raises(Conflict):
        jobs.redrive(db, job, "staff:teun")
    with pytest.raises(NotFound):
        jobs.redrive(db, uuid7(), "staff:teun")
    for _ in range(jobs.MAX_ATTEMPTS):
        claim = jobs.claim(db, job)
        assert claim is not None
        jobs.fail(db, claim, "ValueError")
        let_pass(db, job, timedelta(minutes=2))
    jobs.redrive(db, job, "staff:teun")
    assert state_of(db, job) == ("new", 0)
    task = db.execute("SELECT done_by, outcome FROM task WHERE subject_id = %s", (job,)).fetchone()
    assert task == {"done_by": "staff:teun", "outcome": "redrive"}


def test_a_job_is_announced_once_until_the_announcement_is_old(db: Db) -> None:
    job = waiting(db)
    assert jobs.due(db) == [job]
    assert jobs.due(db) == []
    let_pass(db, job, jobs.WAKE_AGAIN + timedelta(seconds=1))
    assert jobs.due(db) == [job]
    jobs.forget_announcement(db, [job])
    assert jobs.due(db) == [job]


def test_two_clocks_announce_different_jobs(db: Db, database_url: str) -> None:
    made = {waiting(db) for _ in range(10)}
    with psycopg.connect(database_url, **connection_options()) as other, db.transaction():
        mine = jobs.due(db, limit=4)
        theirs = jobs.due(other)
    assert len(mine) == 4
    assert set(mine) | set(theirs) == made
    assert not set(mine) & set(theirs)


def test_a_job_that_waits_for_its_pause_is_neither_announced_nor_claimed(db: Db) -> None:
    job = waiting(db)
    db.execute("UPDATE job SET due_at = now() + interval '1 minute' WHERE id = %s", (job,))
    assert jobs.due(db) == []
    assert jobs.claim(db, job) is None
