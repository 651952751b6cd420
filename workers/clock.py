"""The clock: announces waiting jobs (relay), takes back those of dead workers (sweeper), minds the terms every minute
(reminders) and counts once an hour.

Two may run at once. It looks at PostgreSQL, not at Redis, so an emptied or absent broker only delays work.
`FOR UPDATE SKIP LOCKED` keeps two clocks from announcing the same job in the same round; a job announced twice is
done once, and the hourly work of two is that of one.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import dramatiq
import structlog
from dramatiq.errors import BrokerConnectionError
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from core import documents, jobs, sign_up
from core.database import allow_statements_of, now, pool, transaction
from core.deadlines import local_day
from core.errors import VeiligError
from core.ids import uuid7
from core.logs import set_up_logs
from intake import advice_rows, saved_forms, sender_access
from radar.casework import reminders, shares
from radar.linking.derived import count_persons
from radar.quality import sample
from radar.registers import rows as registers
from workers import broker, oversight
from workers.heartbeat import EVERY_S, beat

log = structlog.get_logger()
ROUND_S = 0.1
"""Between two rounds; from acknowledgement to queue this is most of the wait."""
QUEUE_AT_MOST = 200
"""Announcements that wait in the broker. A backlog waits in PostgreSQL: else it would be announced over and over."""
PAUSE_S = 1.0
"""After a round that failed because an engine was away."""
FIRST_COUNT_S, COUNT_S, COUNT_AGAIN_S = 5.0, 3600.0, 60.0
"""Until the first hourly work, between two, and after one that failed."""
MINUTE_S = 60.0
"""Until the first look at the terms, and between two."""


def relay() -> int:
    """Announce what waits; returns how many. A failed announcement is taken back, so nothing is forgotten."""
    room = QUEUE_AT_MOST - broker.waiting()
    if room <= 0:
        return 0
    with transaction() as db:
        waiting = jobs.due(db, room)
    if not waiting:
        return 0
    try:
        for job_id in waiting:
            _announce(str(job_id))
    except (BrokerConnectionError, RedisError):
        with transaction() as db:
            jobs.forget_announcement(db, waiting)
        raise
    return len(waiting)


def _announce(job_id: str) -> None:
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name=broker.QUEUE, actor_name="run_job", args=(job_id,), kwargs={}, options={}
    )
    dramatiq.get_broker().enqueue(message)


def sweep() -> int:
    """Put back the jobs whose lease is over; returns how many."""
    with transaction() as db:
        taken = jobs.sweep(db)
    if taken:
        log.warning("clock.swept", jobs=taken)
    return taken


def count() -> None:
    """The hourly work: count the register, for thresholds follow its size; draw the blind sample that is due; and
    count the terms that were kept; forget old attempts to sign in; settle what lies with teams that ended.
    """
    with transaction() as db:
        count_persons(db)
    with transaction() as db:
        if pairs := sample.draw_due(db, now(db)):
            log.info("clock.drawn", pairs=pairs)
    with transaction() as db:
        shares.recount(db, now(db))
    with transaction() as db:
        sign_up.forget_old(db)
    with transaction() as db:
        if teams := registers.settle_ended_teams(db, local_day(now(db))):
            log.info("clock.settled", teams=teams)
    with transaction() as db:
        if any((gone := advice_rows.forget(db, now(db))).values()):
            log.info("clock.advice_forgotten", **gone)
    with transaction() as db:
        sender_access.forget_old(db, now(db))
    with transaction() as db:
        saved_forms.forget_old(db)


def remind() -> None:
    """The work of every minute: mark the terms that come near or passed, ask for a look at what waits."""
    # No transaction around it: each piece of the round commits by itself.
    with pool().connection() as db:
        if any((done := reminders.round(db, now(db))).values()):
            log.info("clock.reminded", **done)


def count_hourly(stop: threading.Event) -> None:
    """In a thread of its own until `stop`, for the relay must not wait for it."""
    _repeat(stop, count, FIRST_COUNT_S, COUNT_S, COUNT_AGAIN_S)


def remind_every_minute(stop: threading.Event) -> None:
    """In a thread of its own until `stop`."""
    _repeat(stop, remind, MINUTE_S, MINUTE_S, MINUTE_S)


def oversee_hourly(stop: threading.Event) -> None:
    """In a thread of its own until `stop`: the checkpoint and the review of the audit trail."""
    _repeat(stop, oversight.oversee, FIRST_COUNT_S, COUNT_S, COUNT_AGAIN_S)


def note_processing_every_minute(stop: threading.Event) -> None:
    """In a thread of its own until `stop`: the processing log, when it is on."""
    _repeat(stop, oversight.note_processing, MINUTE_S, MINUTE_S, MINUTE_S)


def _repeat(stop: threading.Event, work: Callable[[], None], first: float, every: float, again: float) -> None:
    """Do the work after `first` seconds and then `every` so many, or `again` so many after it failed."""
    pause = first
    while not stop.wait(pause):
        pause = every
        try:
            work()
        except* (DatabaseError, PoolTimeout, VeiligError) as failed:
            log.warning(f"clock.{work.__name__}_waits", error=type(failed.exceptions[0]).__name__)
            pause = again


def run() -> None:
    """Tick until SIGTERM or SIGINT. An engine that is away is waited for, never a reason to stop."""
    set_up_logs()
    allow_statements_of(15_000)
    broker.set_up().declare_queue(broker.QUEUE)
    stop = threading.Event()
    documents.follow(stop=stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # Daemons: what they did not commit at the end is done at the next turn.
    for repeated in (count_hourly, remind_every_minute, oversee_hourly, note_processing_every_minute):
        threading.Thread(target=repeated, args=(stop,), daemon=True).start()
    process = uuid7()
    rounds = 0
    while not stop.is_set():
        pause = ROUND_S
        try:
            if rounds % round(EVERY_S / ROUND_S) == 0:
                beat(process, "clock")
            if rounds % round(1 / ROUND_S) == 0:
                sweep()
            relay()
        except (DatabaseError, PoolTimeout, BrokerConnectionError, RedisError) as error:
            log.warning("clock.waits", error=type(error).__name__)
            pause = PAUSE_S
        rounds += 1
        stop.wait(pause)
