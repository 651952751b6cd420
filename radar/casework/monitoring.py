"""Monitoring: agreed moments at which somebody asks whether the violence stopped (domain.md 2.1 step 7).

The moments are planned when a report enters the state monitoring and fall away when it leaves it (`entering.py`). No
talk, good or bad, ends monitoring: a person closes the report or takes it on again. A new report meanwhile is a
follow-on report (vervolgmelding): it stands beside the moments and changes none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from radar.casework import ledger, tasks, terms
from radar.casework.states import ASSESSORS, STATES
from radar.casework.terms import Length

VIOLENCE: dict[str, str] = {
    "stopped": "Gestopt",
    "less": "Minder",
    "same": "Hetzelfde",
    "more": "Meer",
}
"""How the violence is since the moment before, as whoever is asked says it."""
GOES_ON = ("same", "more")
AGES = (12, 18)
"""Months after the start of monitoring at which the result is told."""
ENDED = "monitoring beëindigd"
FURTHEST = timedelta(days=3650)
ROUND = 500
"""How many moments `remind` opens a task for in one round; the next round takes the rest."""


class UnknownViolence(VeiligError):
    """Kies hoe het nu met het geweld is."""

    status = 400


class WhoMissing(VeiligError):
    """Schrijf met wie u hebt gesproken."""

    status = 400


class NoteMissing(VeiligError):
    """Schrijf in het kort wat u hebt gehoord en afgesproken."""

    status = 400


class WrongMoment(VeiligError):
    """Vul de dag en de tijd van het gesprek in: na de start van de monitoring en niet in de toekomst."""

    status = 400


class WrongDay(VeiligError):
    """Kies een dag na vandaag, binnen tien jaar."""

    status = 400


@dataclass(frozen=True, slots=True)
class Share:
    """What was heard at one age, in cases: in all and per answer. `stopped_share`: 0 to 1, None without any."""

    months: int
    n: int
    stopped: int
    less: int
    same: int
    more: int

    @property
    def stopped_share(self) -> float | None:
        return self.stopped / self.n if self.n else None


# ── what begins and ends with the state ─────────────────────────────────────────────────────────────────────


def begin(db: Db, report_id: UUID, by: str, at: datetime) -> list[UUID]:
    """Plan the moments of terms.toml from today on, each with its term; gives them. Planned already: nothing.

    Raises NotFound.
    """
    report = _report(db, report_id)
    if _has_begun(db, report_id):
        return []
    start, made = local_day(at), []
    for months in terms.terms().monitoring.months:
        length = Length(unit="months", amount=months)
        planned_on = terms.readings("monitoring", start, length=length).norm.due_on
        why = f"Contactmoment {months} maanden na de start van de monitoring"
        made.append(_plan(db, report, planned_on, length, months, why, by, at))
    audit.append(db, report["region_id"], by, "monitoring.begin", "report", report_id, {"moments": len(made)})
    return made


def end(db: Db, report_id: UUID, by: str, at: datetime) -> int:
    """Monitoring is over: what was still planned falls away with its terms and tasks; how many moments it were."""
    gone = db.execute(
        "UPDATE monitoring_moment SET dropped_at = %s WHERE report_id = %s AND held_at IS NULL AND dropped_at IS NULL"
        " RETURNING id, region_id",
        (at, report_id),
    ).fetchall()
    for row in gone:
        ledger.drop(db, "monitoring", row["id"], why=ENDED, at=at)
        tasks.close_task(db, "monitor", row["id"], by=by, at=at, outcome="ended")
    tasks.close_task(db, "monitor", report_id, by=by, at=at, outcome="ended")
    if gone:
        audit.append(db, gone[0]["region_id"], by, "monitoring.end", "report", report_id, {"dropped": len(gone)})
    return len(gone)


def remind(db: Db, at: datetime) -> int:
    """Open the task of each moment whose reminder time came; how many were opened. For the clock, safe to repeat."""
    due = db.execute(
        "SELECT m.id, m.report_id, d.due_at FROM monitoring_moment m"
        " JOIN deadline d ON d.kind = 'monitoring' AND d.subject_id = m.id"
        " WHERE m.held_at IS NULL AND m.dropped_at IS NULL AND d.due_at <= %(until)s"
        " AND NOT EXISTS (SELECT FROM task t WHERE t.subject_id = m.id AND t.kind = 'monitor' AND t.done_at IS NULL)"
        " ORDER BY d.due_at LIMIT %(limit)s FOR UPDATE OF m SKIP LOCKED",
        {"until": at + timedelta(days=terms.kind("monitoring").remind_days), "limit": ROUND},
    ).fetchall()
    return sum(
        tasks.open_task(db, "monitor", row["id"], row["report_id"], due_at=row["due_at"], at=at) for row in due
    )


# ── what a person does ──────────────────────────────────────────────────────────────────────────────────────


def hold(
    db: Db,
    moment_id: UUID,
    *,
    violence: str,
    spoke_with: str,
    note: str,
    held_at: datetime,
    by: str,
    role: str,
    at: datetime,
) -> None:
    """Record the talk of a moment: its term is met, its task done. It never ends monitoring.

    When the violence goes on, or nothing is planned any more, a task asks a person what is to be done now.
    Raises NotFound, NotAllowed, UnknownViolence, WhoMissing, NoteMissing, WrongMoment, Conflict.
    """
    moment = _moment(db, moment_id)
    report = _running(db, moment["report_id"], role)
    if moment["held_at"] is not None or moment["dropped_at"] is not None:
        raise Conflict("Dit contactmoment is al gehouden of vervallen.")
    if violence not in VIOLENCE:
        raise UnknownViolence
    if not spoke_with.strip():
        raise WhoMissing
    if not note.strip():
        raise NoteMissing
    since = _since(db, report["id"])
    # A form tells minutes: the minute in which monitoring began counts.
    if held_at > at or (since is not None and held_at < since.replace(second=0, microsecond=0)):
        raise WrongMoment
    db.execute(
        "UPDATE monitoring_moment SET held_at = %s, noted_at = %s, held_by = %s, violence = %s, spoke_with = %s,"
        " note = %s WHERE id = %s",
        (held_at, at, by, violence, spoke_with.strip(), note.strip(), moment_id),
    )
    ledger.meet(db, "monitoring", moment_id, held_at)
    tasks.close_task(db, "monitor", moment_id, by=by, at=at, outcome=violence)
    details = {"moment": str(moment_id), "violence": violence}
    audit.append(db, report["region_id"], by, "monitoring.hold", "report", report["id"], details)
    if violence in GOES_ON or not _planned(db, report["id"]):
        risk = max(tasks.risk_of(db, report["id"]), int(violence in GOES_ON))
        tasks.open_task(db, "monitor", report["id"], report["id"], due_at=terms.soon(at), at=at, risk=risk)


def add_moment(db: Db, report_id: UUID, *, planned_on: date, reason: str, by: str, role: str, at: datetime) -> UUID:
    """Plan an extra moment on a chosen day, with its term; gives it. It answers the question what is to be done now.

    Raises NotFound, NotAllowed, WrongDay, ReasonMissing, and Conflict when the report is not in monitoring.
    """
    report = _running(db, report_id, role)
    today = local_day(at)
    if not today < planned_on <= today + FURTHEST:
        raise WrongDay
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom.")
    length = Length(unit="days", amount=(planned_on - today).days)
    made = _plan(db, report, planned_on, length, None, reason.strip(), by, at)
    tasks.close_task(db, "monitor", report_id, by=by, at=at, outcome="added")
    audit.append(db, report["region_id"], by, "monitoring.add", "report", report_id, {"moment": str(made)})
    return made


def keep_on(db: Db, report_id: UUID, *, risk: int, reason: str, by: str, role: str, at: datetime) -> None:
    """Somebody looked at what was heard, and monitoring goes on as planned: the risk is kept, the question answered.

    Raises NotFound, NotAllowed, UnknownRisk, ReasonMissing; Conflict when no moment is planned any more.
    """
    report = _running(db, report_id, role)
    if risk not in (0, 1, 2):
        raise tasks.UnknownRisk
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom.")
    if not _planned(db, report_id):
        raise Conflict("Er staat geen contactmoment meer gepland. Plan er een bij, sluit af of neem de casus terug.")
    tasks.look_at_risk(db, report_id, risk, reason=reason.strip(), by=by, at=at)
    tasks.close_task(db, "monitor", report_id, by=by, at=at, outcome="keep_on")
    audit.append(db, report["region_id"], by, "monitoring.keep_on", "report", report_id, {"risk": risk})


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def moments(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every moment of a report, held, planned or fallen away, in order; with `due_at` and `met_at` of its term."""
    return db.execute(
        "SELECT m.*, d.due_at, d.met_at, d.dropped_why FROM monitoring_moment m LEFT JOIN deadline d"
        " ON d.kind = 'monitoring' AND d.subject_id = m.id WHERE m.region_id = %s AND m.report_id = %s"
        " ORDER BY coalesce(m.held_at::date, m.planned_on), m.number",
        (region, report_id),
    ).fetchall()


def asked(db: Db, region: UUID, report_id: UUID) -> Row | None:
    """The open question what is to be done now (opened_at, due_at, risk), when there is one."""
    return db.execute(
        "SELECT opened_at, due_at, risk FROM task WHERE region_id = %s AND kind = 'monitor' AND subject_id = %s"
        " AND done_at IS NULL",
        (region, report_id),
    ).fetchone()


def periods(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """When the report was in monitoring: `since` and `until` (None: now), oldest first."""
    return db.execute(
        "SELECT since, until FROM (SELECT state, at AS since, lead(at) OVER (ORDER BY number) AS until"
        " FROM report_step WHERE region_id = %s AND report_id = %s) AS s WHERE state = 'monitoring' ORDER BY since",
        (region, report_id),
    ).fetchall()


def follow_ons(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The reports of the same case that came in during monitoring: id, received_at, reporter_kind and state."""
    return db.execute(
        "SELECT n.id, n.received_at, n.reporter_kind, n.state FROM report r"
        " JOIN report n ON n.case_id = r.case_id AND n.id <> r.id JOIN (SELECT report_id, state, at AS since,"
        "   lead(at) OVER (ORDER BY number) AS until FROM report_step WHERE report_id = %(report)s) AS s"
        " ON s.report_id = r.id AND s.state = 'monitoring' AND n.received_at >= s.since"
        " AND (s.until IS NULL OR n.received_at < s.until)"
        " WHERE r.region_id = %(region)s AND r.id = %(report)s ORDER BY n.received_at, n.id",
        {"region": region, "report": report_id},
    ).fetchall()


def shares(db: Db, region: UUID, at: datetime, ages: Sequence[int] = AGES) -> Mapping[int, Share]:
    """What was heard up to `at` at each of these ages in months, counted in cases: the newest word of each case.

    Exact counts; small numbers must be hidden by whoever publishes them.
    """
    found = {
        row["months"]: row
        for row in db.execute(
            "SELECT months, count(*) AS n, count(*) FILTER (WHERE violence = 'stopped') AS stopped,"
            " count(*) FILTER (WHERE violence = 'less') AS less, count(*) FILTER (WHERE violence = 'same') AS same,"
            " count(*) FILTER (WHERE violence = 'more') AS more FROM (SELECT DISTINCT ON (coalesce(r.case_id, r.id),"
            "   m.months) m.months, m.violence FROM monitoring_moment m JOIN report r ON r.id = m.report_id"
            "   WHERE m.region_id = %s AND m.months = ANY(%s) AND m.held_at <= %s"
            "   ORDER BY coalesce(r.case_id, r.id), m.months, m.held_at DESC, m.id DESC) AS newest GROUP BY months",
            (region, list(ages), at),
        )
    }
    nothing = {"n": 0, "stopped": 0, "less": 0, "same": 0, "more": 0}
    return {age: Share(**({"months": age} | found.get(age, nothing))) for age in ages}


# ── helpers ─────────────────────────────────────────────────────────────────────────────────────────────────


def _plan(
    db: Db, report: Row, planned_on: date, length: Length, months: int | None, why: str, by: str, at: datetime
) -> UUID:
    moment = uuid7()
    db.execute(
        "INSERT INTO monitoring_moment (id, region_id, report_id, number, months, planned_on, planned_at, planned_by,"
        " reason) SELECT %(id)s, %(region)s, %(report)s, coalesce(max(number), 0) + 1, %(months)s, %(on)s, %(at)s,"
        " %(by)s, %(why)s FROM monitoring_moment WHERE report_id = %(report)s",
        {
            "id": moment,
            "region": report["region_id"],
            "report": report["id"],
            "months": months,
            "on": planned_on,
            "at": at,
            "by": by,
            "why": why,
        },
    )
    ledger.start(
        db, "monitoring", [moment], report["id"], starts_on=local_day(at), by=by, at=at, reason=why, length=length
    )
    return moment


def _report(db: Db, report_id: UUID) -> Row:
    row = db.execute("SELECT id, region_id, state FROM report WHERE id = %s FOR UPDATE", (report_id,)).fetchone()
    if row is None:
        raise NotFound
    return row


def _running(db: Db, report_id: UUID, role: str) -> Row:
    """The report, locked, while it is in monitoring."""
    report = _report(db, report_id)
    if role not in ASSESSORS:
        raise NotAllowed("Alleen een beoordelaar, gedragswetenschapper of teamleider doet de monitoring.")
    if report["state"] != "monitoring":
        raise Conflict(f"Deze melding is niet in monitoring. Zij staat op '{STATES[report['state']]}'.")
    return report


def _moment(db: Db, moment_id: UUID) -> Row:
    """A moment, its report locked before it: everybody takes these two in that order."""
    row = db.execute("SELECT report_id FROM monitoring_moment WHERE id = %s", (moment_id,)).fetchone()
    if row is None:
        raise NotFound
    _report(db, row["report_id"])
    found = db.execute("SELECT * FROM monitoring_moment WHERE id = %s FOR UPDATE", (moment_id,)).fetchone()
    if found is None:
        raise NotFound
    return found


def _since(db: Db, report_id: UUID) -> datetime | None:
    """When the report last entered monitoring."""
    row = db.execute(
        "SELECT max(at) AS at FROM report_step WHERE report_id = %s AND state = 'monitoring'", (report_id,)
    ).fetchone()
    return row["at"] if row else None


def _has_begun(db: Db, report_id: UUID) -> bool:
    """Whether this time in monitoring has its moments."""
    row = db.execute(
        "SELECT FROM monitoring_moment WHERE report_id = %s AND dropped_at IS NULL AND planned_at >="
        " (SELECT max(at) FROM report_step WHERE report_id = %s AND state = 'monitoring') LIMIT 1",
        (report_id, report_id),
    ).fetchone()
    return row is not None


def _planned(db: Db, report_id: UUID) -> bool:
    """Whether a moment is still to be held."""
    row = db.execute(
        "SELECT FROM monitoring_moment WHERE report_id = %s AND held_at IS NULL AND dropped_at IS NULL LIMIT 1",
        (report_id,),
    ).fetchone()
    return row is not None
