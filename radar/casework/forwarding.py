"""A form that is no domestic violence and no child abuse is no report: it is sent on (domain.md 2.3, 13.13).

A person decides so, before the assessment is decided. The form then leaves the radar: no term, no task, no link and
no case rests on it, and nothing counts it. It is kept a while, so that a mistake can be undone: then it is a report
again, with its old terms. That it is destroyed on the day that stands here is done elsewhere.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit, jobs
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from radar import signals
from radar.casework import cases, ledger, notices, routing, steps, tasks, terms
from radar.linking import leave, register
from radar.protection import blind
from radar.quality import rulesets

WHY = "geen melding"
"""Why its terms fell away; only those stand again when it comes back."""
PATH = "not_hgkm"
RIGHTS = ("access_request", "destruction_request", "rights_request")
"""What a person concerned asked for goes on: his data are still here."""
LINKING = ("link_report", "route_report")


class PlaceMissing(VeiligError):
    """Schrijf waar het formulier naartoe gaat."""

    status = 400


class StillAcute(Conflict):
    """Er is acuut gevaar vastgelegd dat nog niet voorbij is. Doorsturen kan pas daarna."""


class NotChecked(Conflict):
    """In dit formulier staan acute signalen. Doe eerst de acute check."""


def forward(db: Db, report_id: UUID, *, to: str, reason: str, by: str, role: str, at: datetime) -> UUID:
    """Decide that this is no report and where it goes; gives the forwarding.

    Raises PlaceMissing, StillAcute, NotChecked, what steps.take raises, and Conflict when it shares persons or a
    household with a report that is hidden from who does this.
    """
    report = steps.locked(db, report_id)
    blind.refuse_beyond_sight(db, report_id)
    if not to.strip():
        raise PlaceMissing
    if not reason.strip():
        raise ReasonMissing
    _refuse_danger(db, report_id)
    forwarding = uuid7()
    db.execute(
        "INSERT INTO forwarding (id, region_id, report_id, forwarded_to, reason, at, actor, destroy_on)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (report_id) WHERE retrieved_at IS NULL DO NOTHING",
        (
            forwarding,
            report["region_id"],
            report_id,
            to.strip(),
            reason.strip(),
            at,
            by,
            local_day(at) + timedelta(days=terms.terms().forwarding.days),
        ),
    )
    steps.take(db, report_id, "forward", by=by, role=role, reason=reason, at=at)
    for kind in LINKING:
        jobs.withdraw(db, kind, report_id, by)
    same = _leave_the_radar(db, report, by, at)
    _decide_route(db, report, reason.strip(), by, at)
    closed = _close_work(db, report_id, by, at)
    db.execute("UPDATE forwarding SET same = %s, tasks = %s WHERE id = %s", (Jsonb(same), Jsonb(closed), forwarding))
    details = {"forwarding": str(forwarding), "tasks": len(closed)}
    audit.append(db, report["region_id"], by, "report.forward", "report", report_id, details)
    return forwarding


def retrieve(db: Db, forwarding_id: UUID, *, reason: str, by: str, role: str, at: datetime) -> None:
    """It was a report after all: its terms stand again at their own dates, it has its work, is linked and watched.

    Somebody checks again whether it is acute. Raises NotFound, Conflict when it came back before, and what steps.take
    raises.
    """
    known = db.execute("SELECT report_id FROM forwarding WHERE id = %s", (forwarding_id,)).fetchone()
    if known is None:
        raise NotFound
    report = steps.locked(db, known["report_id"])
    if not reason.strip():
        raise ReasonMissing
    row = db.execute(
        "UPDATE forwarding SET retrieved_at = %s, retrieved_by = %s, retrieved_why = %s"
        " WHERE id = %s AND retrieved_at IS NULL RETURNING *",
        (at, by, reason.strip(), forwarding_id),
    ).fetchone()
    if row is None:
        raise Conflict("Dit formulier is al teruggehaald.")
    steps.take(db, report["id"], "retrieve", by=by, role=role, reason=reason, at=at)
    db.execute("UPDATE route SET state = 'replaced' WHERE report_id = %s AND state <> 'replaced'", (report["id"],))
    _open_work(db, report, row, at)
    _join_the_radar(db, report, row, by, at)
    details = {"forwarding": str(forwarding_id)}
    audit.append(db, report["region_id"], by, "report.retrieve", "report", report["id"], details)


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every time that this form was sent on, newest first; the first is of now when it has no `retrieved_at`."""
    return db.execute(
        "SELECT id, forwarded_to, reason, at, actor, destroy_on, retrieved_at, retrieved_by, retrieved_why"
        " FROM forwarding WHERE region_id = %s AND report_id = %s ORDER BY at DESC, id DESC",
        (region, report_id),
    ).fetchall()


# ── sending on ──────────────────────────────────────────────────────────────────────────────────────────────


def _refuse_danger(db: Db, report_id: UUID) -> None:
    row = db.execute(
        "SELECT EXISTS (SELECT FROM acute_check WHERE report_id = r.id AND acute AND ended_at IS NULL) AS danger,"
        ' r.acute_signals @> \'[{"level": "acute"}]\''
        " AND NOT EXISTS (SELECT FROM acute_check WHERE report_id = r.id)"
        " AS unseen FROM report r WHERE r.id = %s",
        (report_id,),
    ).fetchone()
    if row and row["danger"]:
        raise StillAcute
    if row and row["unseen"]:
        raise NotChecked


def _leave_the_radar(db: Db, report: Row, by: str, at: datetime) -> list[dict[str, str]]:
    """Take it out of the register, its case and the signals; gives what people had said to be the same person."""
    report_id, region = report["id"], report["region_id"]
    homes = {
        row["household_id"]
        for row in db.execute("SELECT household_id FROM report WHERE id = %s", (report_id,))
        if row["household_id"]
    }
    same = leave.take_out(db, report_id, rulesets.active(db, region), by=by, at=at)
    db.execute("UPDATE report SET case_id = NULL WHERE id = %s", (report_id,))
    if report["case_id"]:
        cases.close_if_settled(db, report["case_id"], by, at)
    db.execute(
        "UPDATE signal SET withdrawn_at = %s, withdrawn_by = %s, withdrawn_why = %s"
        " WHERE report_id = %s AND withdrawn_at IS NULL",
        (at, by, "Dit was geen melding en is doorgestuurd.", report_id),
    )
    db.execute("DELETE FROM involvement WHERE report_id = %s", (report_id,))
    signals.refresh(db, report_id, homes, by, at)
    for home in homes:
        _weigh_again(db, home, by, at)
    return same


def _weigh_again(db: Db, household: UUID, by: str, at: datetime) -> None:
    """The open proposals of its family may have rested on it."""
    rest = db.execute(
        "SELECT r.id FROM report r JOIN route o ON o.report_id = r.id AND o.state = 'proposed'"
        " WHERE r.household_id = %s ORDER BY r.received_at, r.id",
        (household,),
    ).fetchall()
    for row in rest:
        routing.reweigh(db, row["id"], by, at)


def _decide_route(db: Db, report: Row, reason: str, by: str, at: datetime) -> None:
    db.execute("UPDATE route SET state = 'replaced' WHERE report_id = %s AND state <> 'replaced'", (report["id"],))
    db.execute(
        "INSERT INTO route (id, region_id, report_id, state, path, reason, proposed_at, decided_at, decided_by)"
        " VALUES (%s, %s, %s, 'decided', %s, %s, %s, %s, %s)",
        (uuid7(), report["region_id"], report["id"], PATH, reason, at, at, by),
    )
    audit.append(db, report["region_id"], by, "route.decide", "report", report["id"], {"path": PATH})


def _close_work(db: Db, report_id: UUID, by: str, at: datetime) -> list[dict[str, str]]:
    """Its terms fall away and its tasks are done, but not what a person concerned asked for; gives those tasks."""
    running = db.execute(
        "SELECT kind, subject_id FROM deadline WHERE report_id = %s AND met_at IS NULL AND dropped_at IS NULL"
        " AND kind <> ALL(%s)",
        (report_id, list(RIGHTS)),
    ).fetchall()
    for term in running:
        ledger.drop(db, term["kind"], term["subject_id"], why=WHY, at=at)
    open_tasks = db.execute(
        "SELECT kind, subject_id FROM task WHERE report_id = %s AND done_at IS NULL AND kind <> 'person_request'"
        " ORDER BY opened_at, id",
        (report_id,),
    ).fetchall()
    for task in open_tasks:
        tasks.close_task(db, task["kind"], task["subject_id"], by=by, at=at, outcome="forwarded")
    return [{"kind": task["kind"], "subject": str(task["subject_id"])} for task in open_tasks]


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────


def came_back(db: Db, report_id: UUID) -> datetime | None:
    """For the worker that links it again: put back what people had said of it. Gives when it came back, if it did."""
    row = db.execute(
        "SELECT * FROM forwarding WHERE report_id = %s AND retrieved_at IS NOT NULL"
        " ORDER BY retrieved_at DESC LIMIT 1",
        (report_id,),
    ).fetchone()
    if row is None:
        return None
    at: datetime = row["retrieved_at"]
    leave.put_back(db, report_id, row["same"], rulesets.active(db, row["region_id"]), by=row["retrieved_by"], at=at)
    return at


def _open_work(db: Db, report: Row, forwarding: Row, at: datetime) -> None:
    """What fell away stands again; the acute check and the assessment always, for it starts anew."""
    report_id: UUID = report["id"]
    fallen = db.execute(
        "SELECT kind, subject_id FROM deadline WHERE report_id = %s AND dropped_why = %s", (report_id, WHY)
    ).fetchall()
    for term in fallen:
        ledger.resume(db, term["kind"], term["subject_id"])
    risk = tasks.risk_of(db, report_id)
    work = [(one["kind"], UUID(one["subject"])) for one in forwarding["tasks"] if one["kind"] != "review_route"]
    for kind, subject in dict.fromkeys([("acute_check", report_id), ("assess", report_id), *work]):
        term_of = {"acute_check": "acute_check", "assess": "safety_assessment"}.get(kind)
        due = db.execute(
            "SELECT coalesce((SELECT due_at FROM deadline WHERE kind = %s AND subject_id = %s),"
            " (SELECT due_at FROM task WHERE kind = %s AND subject_id = %s ORDER BY opened_at DESC LIMIT 1)) AS at",
            (term_of, subject, kind, subject),
        ).fetchone()
        due_at = due["at"] if due and due["at"] else terms.soon(at)
        # Until somebody looked again, nobody knows that it is not urgent: never below raised.
        level = max(risk, 1) if kind == "acute_check" else risk
        tasks.open_task(db, kind, subject, report_id, due_at=due_at, at=at, risk=level)


def _join_the_radar(db: Db, report: Row, forwarding: Row, by: str, at: datetime) -> None:
    """Link it as if it came in now, with what people had said of it; it is watched from now on."""
    report_id, rules = report["id"], rulesets.active(db, report["region_id"])
    if not blind.sees_everybody(db):
        # Compared with those whom this colleague sees, somebody who is restricted would become a second person.
        jobs.ask_again(db, report["region_id"], "link_report", report_id)
        return
    register.link_report(db, report_id, at, rules)
    leave.put_back(db, report_id, forwarding["same"], rules, by=by, at=at)
    cases.attach(db, report_id, since=at)
    signals.note(db, report_id, at)
    notices.begin(db, report_id, at)
    routing.propose(db, report_id)
