"""What the clock does with terms: it reminds, escalates and asks for a new look at the risk.

It opens tasks and sets marks, nothing else: no task closes and no decision changes because time passed (rule 4). Two
clocks may do this at once: what one has locked the other passes by.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import psycopg

from core import audit
from core.calendar import ONE_DAY
from core.database import Db
from core.deadlines import end_of_day, local_day
from core.errors import VeiligError
from intake import outbox
from intake.terms import calendar
from radar.casework import handover, monitoring, notices, terms
from radar.casework.tasks import open_task
from radar.protection import break_glass, restrictions

AT_ONCE = 100
"""Marks in one transaction: the strands of the audit trail are held until its end."""
BATCHES = 100
"""In one round; what is left waits for the next."""

_TERM_OF_TASK = {
    ("assess", ""): "safety_assessment",
    ("service", "investigation"): "investigation",
    ("service", "conditions"): "conditions",
    ("monitor", ""): "monitoring",
    ("feedback", ""): "feedback",
    ("notify", ""): "person_notice",
    ("inform", ""): "information",
    ("person_request", "access"): "access_request",
    ("person_request", "destruction"): "destruction_request",
}
"""Which term says when to remind, per kind of task and of service or request."""
_SMALL_STEPS = ("sign", "recheck", "handover", "review_link", "review_route", "quarantine", "break_glass", "outgoing")
"""Due in a day or so: reminded of from the start of the last working day."""

_REMIND = """
UPDATE task SET reminded_at = %(at)s WHERE id IN (
    SELECT t.id FROM task t
    LEFT JOIN service s ON t.kind = 'service' AND s.id = t.subject_id
    LEFT JOIN person_request p ON t.kind = 'person_request' AND p.id = t.subject_id
    JOIN unnest(%(kinds)s::text[], %(subkinds)s::text[], %(until)s::timestamptz[]) AS w (kind, subkind, until)
        ON w.kind = t.kind AND w.subkind = coalesce(s.kind, p.kind, '')
    WHERE t.done_at IS NULL AND t.escalated_at IS NULL AND t.reminded_at IS NULL
        AND t.due_at > %(at)s AND t.due_at <= %(furthest)s AND t.due_at <= w.until
    ORDER BY t.due_at LIMIT %(limit)s FOR UPDATE OF t SKIP LOCKED)
"""
_ESCALATE = """
UPDATE task SET escalated_at = %(at)s WHERE id IN (
    SELECT id FROM task WHERE done_at IS NULL AND escalated_at IS NULL AND due_at <= %(at)s
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, region_id, kind, due_at
"""
# A report that is being moved at this moment is left for the next round. One look in an index per report: NOT EXISTS
# may be planned as a walk through every such task that is open.
_NOT_LOOKED_AT = """
SELECT r.id FROM report r
WHERE r.state IN ('assessing', 'signing', 'handover') AND r.received_at <= %(before)s
    AND (SELECT true FROM risk_look l WHERE l.report_id = r.id AND l.at > %(before)s LIMIT 1) IS NULL
    AND (SELECT true FROM task t WHERE t.kind = 'recheck' AND t.subject_id = r.id AND t.done_at IS NULL
        LIMIT 1) IS NULL
LIMIT %(limit)s FOR SHARE OF r SKIP LOCKED
"""


def remind(db: Db, at: datetime) -> int:
    """Mark the open tasks that are nearly due: so long before as their term says. Gives how many, `AT_ONCE` at most.

    An acute check and direct action are due from their first minute: no reminder comes before.
    """
    small = end_of_day(_next_working_day(at) - ONE_DAY)
    until = {key: at + timedelta(days=terms.kind(code).remind_days) for key, code in _TERM_OF_TASK.items()}
    until |= {(kind, ""): small for kind in _SMALL_STEPS} | {("service", "regional_task"): small}
    return db.execute(
        _REMIND,
        {
            "at": at,
            "kinds": [kind for kind, _ in until],
            "subkinds": [subkind for _, subkind in until],
            "until": list(until.values()),
            "furthest": max(until.values()),
            "limit": AT_ONCE,
        },
    ).rowcount


def escalate(db: Db, at: datetime) -> int:
    """Mark the open tasks of which the due date passed, and write that down. Gives how many, `AT_ONCE` at most."""
    rows = db.execute(_ESCALATE, {"at": at, "limit": AT_ONCE}).fetchall()
    for row in rows:
        details = {"kind": row["kind"], "due_at": row["due_at"].isoformat()}
        audit.append(db, row["region_id"], "system", "task.escalate", "task", row["id"], details)
    return len(rows)


def ask_for_a_look(db: Db, at: datetime) -> int:
    """Open a task for each waiting report whose risk nobody looked at for so many days (terms.toml, `recheck`).

    Waiting: in assessment, with the second signature, or offered to a partner. Gives how many, `AT_ONCE` at most.
    """
    before = at - timedelta(days=terms.terms().recheck.days)
    rows = db.execute(_NOT_LOOKED_AT, {"before": before, "limit": AT_ONCE}).fetchall()
    due_at = terms.soon(at)
    return sum(open_task(db, "recheck", row["id"], row["id"], due_at=due_at, at=at) for row in rows)


def tell_persons(db: Db, at: datetime) -> int:
    """The notices to persons concerned, of every region."""
    return notices.remind(db, None, at)


def send_waiting(db: Db, at: datetime) -> int:
    """Ask for the sending of the messages that waited for an address and have one now."""
    return outbox.send_waiting(db)


CLOCK_WORK: tuple[Callable[[Db, datetime], int], ...] = (
    tell_persons,
    monitoring.remind,
    handover.unanswered,
    send_waiting,
    break_glass.expire,
    restrictions.hand_on_work,
    remind,
    escalate,
    ask_for_a_look,
)
"""What the clock does every minute; each gives how much it did. What opens tasks comes before what marks them."""


def round(db: Db, at: datetime) -> dict[str, int]:  # the clock's round
    """All of `CLOCK_WORK`, each in transactions of its own, until nothing is left; how much of each was done.

    What fails keeps nothing else from being done: the failures are raised together at the end (ExceptionGroup).
    """
    done: dict[str, int] = {}
    failed: list[Exception] = []
    for work in CLOCK_WORK:
        name = f"{work.__module__.rsplit('.', 1)[-1]}.{work.__name__}"
        done[name] = 0
        try:
            for _ in range(BATCHES):
                with db.transaction():
                    some = work(db, at)
                done[name] += some
                if some < AT_ONCE:
                    break
        except (psycopg.Error, VeiligError) as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup("the clock's round", failed)
    return done


def end_of_next_working_day(at: datetime) -> datetime:
    """The first moment after the next working day."""
    return end_of_day(_next_working_day(at))


def _next_working_day(at: datetime) -> date:
    day = local_day(at) + ONE_DAY
    while not calendar().is_working_day(day):
        day += ONE_DAY
    return day
