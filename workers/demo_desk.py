"""The staff of the demo at work: reports are linked as the workers would, and carried on from there.

Everything happens in order of time, so that a case that was closed is closed when the next report comes in.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from uuid import UUID

from core import jobs
from core.calendar import ONE_DAY
from core.database import Db, Row, pool, transaction
from core.deadlines import AMSTERDAM, local_day
from core.staff import DEMO_LOGINS
from intake import quarantine
from intake.acute import ACUTE_RISK
from intake.terms import calendar
from radar.casework import reminders, shares
from workers import demo_access, demo_casework
from workers.demo_people import dice
from workers.work import carry_out

Progress = Callable[[int, int], None]

STEPS_IN_ONE = 40
"""Steps in one transaction: a commit each would take most of the time."""
BUSY_DAYS = 14
"""Reports of the last working days stay partly open, so that there is a queue to look at."""
STAYS_OPEN = 0.7
LATE = 0.4
"""The share of assessments after the fifth working day (domain.md 9.3)."""
INTAKE = next(login.username for login in DEMO_LOGINS if login.role == "intake_worker")

_REPORTS = (
    "SELECT r.id, r.received_at, m.reference, r.linked_at IS NULL AS waits, t.risk, r.state = 'received' AS untouched"
    " FROM report r JOIN message m ON m.id = r.message_id"
    " JOIN task t ON t.kind = 'assess' AND t.subject_id = r.id"
    " WHERE r.region_id = %s ORDER BY r.received_at, r.id"
)
_QUARANTINED = (
    "SELECT q.id, m.received_at, encode(m.content_sha256, 'hex') AS hash FROM quarantine q"
    " JOIN message m ON m.id = q.message_id"
    " WHERE q.region_id = %s AND q.resolved_at IS NULL AND m.received_at < %s ORDER BY q.id"
)


@dataclass(frozen=True, slots=True, order=True)
class _Planned:
    """A step on a report at its moment."""

    at: datetime
    report: UUID
    reference: str
    step: demo_casework.Step = field(compare=False)


@dataclass(frozen=True, slots=True)
class DeskWork:
    """What the demo's staff did: jobs carried out, reports decided, quarantined messages ended."""

    jobs: int
    decided: int
    resolved: int


def link_and_decide(region_id: UUID, until: datetime, progress: Progress) -> DeskWork:
    """Link all reports of the demo region in order of receipt, and decide those that staff would have decided.

    `until` is the end of the invented history. Safe to repeat and beside real workers: a job is claimed once, and
    only reports that nobody touched are begun. `progress` gets how many reports are done, and of how many.
    """
    with transaction() as db:
        reports = db.execute(_REPORTS, (region_id,)).fetchall()
        before = _signed(db, region_id)
    planned: list[_Planned] = []
    done = 0
    for number, report in enumerate(reports, start=1):
        _work_until(planned, report["received_at"])
        done += _carry_out(report["id"])
        for at, step in _first_steps(report, until):
            heapq.heappush(planned, _Planned(at, report["id"], report["reference"], step))
        progress(number, len(reports))
    _work_until(planned, until)
    resolved = _resolve(region_id, until)
    with pool().connection() as db:
        reminders.round(db, until)
    with transaction() as db:
        if done:
            demo_casework.divide(db, region_id, until)
            demo_access.protect(db, region_id, until)
    _finish(region_id)
    with transaction() as db:
        shares.recount(db, until, None)
        return DeskWork(done, _signed(db, region_id) - before, resolved)


def _finish(region_id: UUID) -> None:
    """Do what is still asked for, as the search for a protected person's address in everything that is known."""
    while True:
        with transaction() as db:
            rows = db.execute("SELECT id FROM job WHERE region_id = %s AND state = 'new'", (region_id,)).fetchall()
        if not sum(carry_out(row["id"]) for row in rows):
            return


def _signed(db: Db, region_id: UUID) -> int:
    row = db.execute(
        "SELECT count(*) AS n FROM assessment WHERE region_id = %s AND signed_at IS NOT NULL", (region_id,)
    ).fetchone()
    return int(row["n"]) if row else 0


def _first_steps(report: Row, until: datetime) -> list[demo_casework.Next]:
    """The acute check within the hour, then the assessment; nothing for a report that somebody began with."""
    if not report["untouched"]:
        return []
    luck = dice("check", report["reference"])
    checked = report["received_at"] + timedelta(minutes=luck.randint(5, 50))
    planned: list[demo_casework.Next] = [(checked, demo_casework.check)]
    if signed := decision_moment(report, until):
        submitted = max(checked + timedelta(minutes=5), signed - timedelta(hours=luck.randint(1, 20)))
        planned += [(submitted, demo_casework.submit), (max(signed, submitted), demo_casework.sign)]
    return planned


def decision_moment(report: Row, until: datetime) -> datetime | None:
    """When staff decide on a report (`received_at`, `risk`, `reference`); None when it is still open at `until`."""
    luck = dice("desk", report["reference"])
    received: datetime = report["received_at"]
    if report["risk"] == ACUTE_RISK:
        at = received + timedelta(minutes=luck.randint(60, 360))
        return at if received < until - timedelta(days=3) else None
    age = calendar().working_days_between(local_day(received), local_day(until))
    if age <= BUSY_DAYS and luck.random() < STAYS_OPEN:
        return None
    at = _office_moment(received, luck.randint(6, 11) if luck.random() < LATE else luck.randint(1, 5), luck)
    return at if at < until else None


def _office_moment(received: datetime, working_days: int, luck: Random) -> datetime:
    """Some hour at the office, so many working days after receipt."""
    day = local_day(received)
    while working_days:
        day += ONE_DAY
        working_days -= calendar().is_working_day(day)
    return datetime.combine(day, time(luck.randint(9, 16), luck.randrange(60)), AMSTERDAM)


def _carry_out(report_id: UUID) -> int:
    """Do the jobs of a report, and those that follow from them; returns how many were done here."""
    done = 0
    while True:
        with transaction() as db:
            waiting = [row["id"] for row in jobs.of_subject(db, report_id) if row["state"] == "new"]
        carried = sum(carry_out(job_id) for job_id in waiting)
        if not carried:
            return done
        done += carried


def _work_until(planned: list[_Planned], until: datetime) -> None:
    """Do what falls due up to this moment, and what follows from it, in order of time; some steps in one commit."""
    while planned and planned[0].at <= until:
        with transaction() as db:
            for _ in range(STEPS_IN_ONE):
                if not planned or planned[0].at > until:
                    break
                one = heapq.heappop(planned)
                luck = dice(one.step.__name__, one.reference, one.at.isoformat())
                for at, step in one.step(db, one.report, one.at, luck):
                    heapq.heappush(planned, _Planned(at, one.report, one.reference, step))


def _resolve(region_id: UUID, until: datetime) -> int:
    """Older quarantined messages were looked at by the intake; the newest still wait."""
    with transaction() as db:
        rows = db.execute(_QUARANTINED, (region_id, until - timedelta(days=BUSY_DAYS))).fetchall()
        for row in rows:
            luck = dice("quarantine", row["hash"])
            resolution = luck.choice(tuple(quarantine.RESOLUTIONS))
            at = _office_moment(row["received_at"], luck.randint(1, 4), luck)
            quarantine.resolve(db, row["id"], resolution=resolution, by=INTAKE, at=at)
    return len(rows)
