"""Work under fault: each job is done, its effect happens once, and nobody waits for a sick one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any
from uuid import UUID

import pytest

from core import jobs
from core.ids import uuid7
from tests.fault.stack import ONCE, ROOT, Stack, message, wait_for

pytestmark = pytest.mark.fault

RACE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID
from core.database import pool, transaction
from workers.work import carry_out
job = UUID(sys.argv[1])
with transaction(): pass
start = threading.Barrier(8)
def one(_):
    start.wait(20)
    return carry_out(job)
with ThreadPoolExecutor(8) as threads:
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(threads.map(one, range(8))))
pool().close()
"""


def received(stack: Stack, reference: str) -> UUID:
    """Post a report; returns its id."""
    assert stack.post(message(reference)).status_code == 200
    report = stack.report(reference)
    assert report
    return report


def state(stack: Stack, report: UUID, kind: str = "route_report") -> str | None:
    job = stack.job(report, kind)
    return job and job["state"]


def let_time_pass(stack: Stack, job: UUID) -> None:
    """The pause before the next attempt is over."""
    stack.tell("UPDATE job SET due_at = now() WHERE id = %s AND state = 'new'", job)


def the_lease_ends(stack: Stack, job: UUID) -> None:
    """Twenty seconds pass for this lease."""
    stack.tell("UPDATE job SET leased_until = now() - interval '1 s' WHERE id = %s AND state = 'leased'", job)


def open_tasks(stack: Stack, job: UUID) -> int:
    count: int = stack.one(
        "SELECT count(*) FROM task WHERE kind = 'dead_job' AND subject_id = %s AND done_at IS NULL", job
    )
    return count


def test_the_job_of_a_killed_worker_is_done_again_within_thirty_seconds_and_once(stack: Stack) -> None:
    with stack.gate("route"):
        report = received(stack, "worker-kill")
        wait_for(stack.at_the_gate, "the worker is inside the job")
        killed_at = time.monotonic()
        stack.kill("worker")
        stack.start("worker")
    wait_for(lambda: state(stack, report) == "done", "the job is done", 30 - (time.monotonic() - killed_at))
    job = stack.job(report, "route_report")
    assert job
    assert (job["attempts"], stack.effects(report)) == (2, ONCE)


def test_a_worker_whose_lease_was_taken_cannot_complete(stack: Stack) -> None:
    with stack.gate("route"):
        report = received(stack, "stale-worker")
        wait_for(stack.at_the_gate, "the worker is inside the job")
        stack.kill("clock")
        job = stack.job(report, "route_report")
        assert job
        the_lease_ends(stack, job["id"])
        with stack.database() as db, db.transaction():
            assert jobs.sweep(db) == 1
    log = stack.log_of("worker")
    lost = wait_for(
        lambda: [line for line in log.read_text().splitlines() if "job.lease_lost" in line], "the worker notices"
    )
    assert json.loads(lost[-1])["job"] == str(job["id"])
    assert (state(stack, report), stack.effects(report)["routes"]) == ("new", 0)
    stack.start("clock")
    wait_for(lambda: state(stack, report) == "done", "the job is done")
    assert stack.effects(report) == ONCE


def test_sixteen_threads_of_two_processes_on_one_job_do_it_once(stack: Stack) -> None:
    stack.stop("worker")
    stack.stop("clock")
    report = received(stack, "race")
    for kind in ("link_report", "route_report"):
        job = stack.job(report, kind)
        assert job
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", RACE, str(job["id"])],
                cwd=ROOT,
                env=stack.environment(VEILIG_POOL_SIZE="8"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        said: list[Any] = []
        for racer in racers:
            assert racer.stdout
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin
            racer.stdin.write("go\n")
            racer.stdin.flush()
        for racer in racers:
            said.append(int(racer.communicate(timeout=30)[0]))
        job = stack.job(report, kind)
        assert job
        assert (sum(said), job["state"], job["attempts"]) == (1, "done", 1)
    assert stack.effects(report) == ONCE


def test_two_clocks_and_two_workers_do_every_job_once(stack: Stack) -> None:
    stack.start("clock-2")
    stack.start("worker-2")
    reports = [received(stack, f"two-clocks-{number}") for number in range(40)]
    stack.wait_until_done()
    for report in reports:
        assert stack.effects(report) == ONCE
    attempts = stack.ask("SELECT kind, attempts, state FROM job WHERE subject_id = ANY(%s)", reports)
    assert [(row["attempts"], row["state"]) for row in attempts] == [(1, "done")] * 80


def test_a_job_that_always_fails_holds_up_nobody_and_ends_with_one_task(stack: Stack) -> None:
    poison = uuid7()
    stack.tell(
        "INSERT INTO job (id, region_id, kind, subject_id) VALUES (%s, %s, 'link_report', %s)",
        poison,
        stack.region,
        uuid7(),
    )

    def attempts() -> int:
        let_time_pass(stack, poison)
        count: int = stack.one("SELECT attempts FROM job WHERE id = %s", poison)
        return count

    wait_for(lambda: attempts() >= 1, "the sick job was tried")
    good = [received(stack, f"beside-poison-{number}") for number in range(5)]
    for report in good:
        wait_for(lambda report=report: state(stack, report) == "done", "a good job passes by")  # type: ignore[misc]
    wait_for(lambda: attempts() and stack.one("SELECT state FROM job WHERE id = %s", poison) == "dead", "it is dead")
    dead = stack.ask("SELECT attempts, error FROM job WHERE id = %s", poison)
    assert dead == [{"attempts": 5, "error": "LookupError"}]
    assert open_tasks(stack, poison) == 1
    assert stack.one("SELECT count(*) FROM audit_entry WHERE object_id = %s AND action = 'job.dead'", poison) == 1
    assert [stack.effects(report) for report in good] == [ONCE] * 5


def test_a_dead_job_gets_a_new_life_when_a_person_asks_for_it(stack: Stack) -> None:
    stack.tell("CREATE TRIGGER test_fault BEFORE INSERT ON route FOR EACH ROW EXECUTE FUNCTION test_fault()")
    report = received(stack, "redrive")
    job = wait_for(lambda: stack.job(report, "route_report"), "the route is asked for")["id"]

    def dead() -> bool:
        let_time_pass(stack, job)
        return state(stack, report) == "dead"

    wait_for(dead, "it is dead after five attempts")
    assert open_tasks(stack, job) == 1
    stack.tell("DROP TRIGGER test_fault ON route")
    with stack.database() as db, db.transaction():
        jobs.redrive(db, job, "staff:proef")
    wait_for(lambda: state(stack, report) == "done", "it is done now")
    assert (open_tasks(stack, job), stack.effects(report)) == (0, ONCE)
    assert stack.one("SELECT count(*) FROM audit_entry WHERE object_id = %s AND action = 'job.redrive'", job) == 1


def test_a_job_that_kills_its_worker_each_time_is_dead_after_five(stack: Stack) -> None:
    with stack.gate("route"):
        report = received(stack, "kills-workers")
        job = wait_for(lambda: stack.job(report, "route_report"), "the route is asked for")["id"]
        stack.tell("INSERT INTO test_gate VALUES (%s)", str(report))
    for attempt in range(1, 6):
        wait_for(
            lambda attempt=attempt: stack.ask(  # type: ignore[misc]
                "SELECT FROM job WHERE id = %s AND state = 'leased' AND attempts = %s", job, attempt
            ),
            f"attempt {attempt} was counted before the work",
        )
        stack.kill("worker")
        the_lease_ends(stack, job)
        if attempt < 5:
            stack.start("worker")
    wait_for(lambda: state(stack, report) == "dead", "it is dead")
    stack.tell("DELETE FROM test_gate")
    stack.start("worker")
    assert open_tasks(stack, job) == 1
    good = received(stack, "after-the-killer")
    wait_for(lambda: state(stack, good) == "done", "the others go on")
    assert stack.effects(good) == ONCE
    with stack.database() as db, db.transaction():
        jobs.redrive(db, job, "staff:proef")
    wait_for(lambda: state(stack, report) == "done", "the redriven job is done")
    assert stack.effects(report) == ONCE
