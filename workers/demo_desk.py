"""The staff of the demo at work: reports are linked as the workers would, and the older ones are decided.

Everything happens in order of time, so that a case that was closed is closed when the next report comes in.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from uuid import UUID

from core import jobs
from core.calendar import ONE_DAY
from core.database import Db, Row, transaction
from core.deadlines import AMSTERDAM, local_day
from core.staff import DEMO_LOGINS
from intake import quarantine
from intake.acute import ACUTE_RISK
from intake.terms import calendar
from radar.casework import routing
from workers.demo_people import dice
from workers.work import carry_out

Progress = Callable[[int, int], None]

BUSY_DAYS = 14
"""Reports of the last working days stay partly open, so that there is a queue to look at."""
STAYS_OPEN = 0.7
LATE = 0.4
"""The share of assessments after the fifth working day (domain.md 9.3)."""
FOLLOWS = 0.65
"""How often staff decide as the machine proposed."""
OTHERWISE = {"no_steps": 45, "conditions": 30, "investigation": 20, "not_hgkm": 5}
REASONS = {
    "acute": ("Direct gebeld. Vandaag een veiligheidsplan gemaakt met politie en gezin.",),
    "local_team": (
        "Het lokale team kent het gezin en neemt de casus over. Veiligheidsafspraken zijn gemaakt.",
        "Gezin staat open voor hulp dichtbij. Overdracht besproken met het lokale team.",
    ),
    "conditions": (
        "Er zijn voorwaarden voor veiligheid afgesproken. Wij volgen of die worden nagekomen.",
        "Het patroon herhaalt zich. Wij maken samen met het gezin een plan en houden zicht.",
    ),
    "investigation": (
        "Er is te weinig bekend over de kinderen. Wij starten een onderzoek.",
        "Verhalen spreken elkaar tegen. Onderzoek is nodig om de veiligheid te beoordelen.",
    ),
    "no_steps": (
        "Gesproken met betrokkenen en melder. De hulp loopt goed, er zijn geen zorgen over de veiligheid.",
        "Eenmalige ruzie. Betrokkenen hebben steun van familie en weten ons te vinden.",
    ),
    "not_hgkm": ("Na navraag geen huiselijk geweld of kindermishandeling.",),
}
ASSESSORS = tuple(login.username for login in DEMO_LOGINS if login.role in ("assessor", "team_lead"))
INTAKE = next(login.username for login in DEMO_LOGINS if login.role == "intake_worker")

_REPORTS = (
    "SELECT r.id, r.received_at, m.reference, r.linked_at IS NULL AS waits, t.risk, t.done_at IS NULL AS undecided"
    " FROM report r JOIN message m ON m.id = r.message_id"
    " JOIN task t ON t.kind = 'assess' AND t.subject_id = r.id"
    " WHERE r.region_id = %s ORDER BY r.received_at, r.id"
)
_PROPOSAL = (
    "SELECT o.path, o.team_id, t.team_id AS ours FROM route o JOIN task t ON t.kind = 'assess'"
    " AND t.subject_id = o.report_id AND t.done_at IS NULL WHERE o.report_id = %s AND o.state = 'proposed'"
)
_QUARANTINED = (
    "SELECT q.id, m.received_at, encode(m.content_sha256, 'hex') AS hash FROM quarantine q"
    " JOIN message m ON m.id = q.message_id"
    " WHERE q.region_id = %s AND q.resolved_at IS NULL AND m.received_at < %s ORDER BY q.id"
)


@dataclass(frozen=True, slots=True)
class DeskWork:
    """What the demo's staff did: jobs carried out, reports decided, quarantined messages ended."""

    jobs: int
    decided: int
    resolved: int


def link_and_decide(region_id: UUID, until: datetime, progress: Progress) -> DeskWork:
    """Link all reports of the demo region in order of receipt, and decide those that staff would have decided.

    `until` is the end of the invented history. Safe to repeat and beside real workers: a job is claimed once, and
    only open tasks are decided. `progress` gets how many reports are done, and of how many.
    """
    with transaction() as db:
        reports = db.execute(_REPORTS, (region_id,)).fetchall()
    planned: list[tuple[datetime, UUID, str]] = []
    done = decided = 0
    for number, report in enumerate(reports, start=1):
        decided += _decide_until(planned, report["received_at"])
        done += _carry_out(report["id"])
        if report["undecided"] and (at := decision_moment(report, until)):
            heapq.heappush(planned, (at, report["id"], report["reference"]))
        progress(number, len(reports))
    decided += _decide_until(planned, until)
    return DeskWork(done, decided, _resolve(region_id, until))


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


def _decide_until(planned: list[tuple[datetime, UUID, str]], until: datetime) -> int:
    decided = 0
    while planned and planned[0][0] <= until:
        at, report_id, reference = heapq.heappop(planned)
        with transaction() as db:
            decided += _decide(db, report_id, at, dice("decision", reference))
    return decided


def _decide(db: Db, report_id: UUID, at: datetime, luck: Random) -> bool:
    proposal = db.execute(_PROPOSAL, (report_id,)).fetchone()
    if proposal is None:
        # Not routed yet (another worker has it), or decided in the meantime: then it is not ours to decide.
        return False
    path: str = proposal["path"]
    if path != "acute" and luck.random() > FOLLOWS:
        path = luck.choices(list(OTHERWISE), list(OTHERWISE.values()))[0]
    team = proposal["team_id"] if path == "local_team" else proposal["ours"]
    reason = luck.choice(REASONS[path])
    routing.decide(db, report_id, path=path, team_id=team, reason=reason, by=luck.choice(ASSESSORS), at=at)
    return True


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
