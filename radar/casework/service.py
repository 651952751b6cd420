"""What Veilig Thuis does itself after the decision: investigation, conditions and follow-up (V&V), regional task.

The ten weeks run from the decision (Uitvoeringsbesluit Wmo 2015 art. 4.1.7 lid 2; domain.md T2, T3), the start of an
investigation is due five days after receipt (lid 1). When the worker actually began is kept apart, for CBS. A passed
term is shown and stops nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, VeiligError
from core.ids import uuid7
from radar.casework import ledger, steps, tasks, terms, watch
from radar.casework.findings import FORMS, OUTCOMES, UnknownForm
from radar.casework.states import ASSESSORS, SERVICES

TEN_WEEKS = ("investigation", "conditions")
"""The services with a term; a regional task has none."""
NEXT_MOVES = ("hand_over", "conditions_after", "monitor", "close")


class UnknownService(VeiligError):
    """Kies wat Veilig Thuis zelf gaat doen."""

    status = 400


class WrongStart(VeiligError):
    """Vul de dag en de tijd in waarop het echt begon: niet voor het besluit en niet in de toekomst."""

    status = 400


class LeadUnknown(VeiligError):
    """Kies een collega die hier werkt en die trajecten doet."""

    status = 400


class UnknownOutcome(VeiligError):
    """Kies hoe het traject eindigt."""

    status = 400


class SummaryMissing(VeiligError):
    """Schrijf in het kort op wat eruit kwam, of waarom het eerder stopt."""

    status = 400


class UnknownNext(VeiligError):
    """Kies wat er hierna gebeurt."""

    status = 400


class StartMissing(Conflict):
    """Leg eerst vast wanneer dit traject echt is begonnen."""


class FindingMissing(Conflict):
    """Leg eerst per vorm vast wat het onderzoek heeft uitgewezen."""


class ConditionMissing(Conflict):
    """Leg eerst ten minste een veiligheidsvoorwaarde vast."""


def begin(
    db: Db, report_id: UUID, kind: str, *, by: str, at: datetime, start_counts_from: date | None = None
) -> UUID:
    """A service was decided on: its row, its terms and its task. Gives its id, or that of the same kind that runs.

    `start_counts_from`: day 0 of the start of an investigation. When it is not given that is the day of receipt, or
    the day of this decision when the report had a service before. Raises NotFound, UnknownService; Conflict while
    another kind runs.
    """
    if kind not in SERVICES:
        raise UnknownService
    report = steps.locked(db, report_id)
    before = db.execute(
        "SELECT id, kind, ended_at FROM service WHERE report_id = %s ORDER BY ended_at IS NOT NULL", (report_id,)
    ).fetchone()
    if before and before["ended_at"] is None:
        if before["kind"] != kind:
            raise Conflict("Er loopt al een ander traject. Beëindig dat eerst.")
        same: UUID = before["id"]
        return same
    service = uuid7()
    db.execute(
        "INSERT INTO service (id, region_id, report_id, kind, decided_at) VALUES (%s, %s, %s, %s, %s)",
        (service, report["region_id"], report_id, kind, at),
    )
    today = local_day(at)
    # A regional task has no term; its task stands at the same ten weeks, so that it is not forgotten.
    due_at = terms.readings("conditions", today).due_at
    if kind in TEN_WEEKS:
        why = "Besluit dat dit traject nodig is"
        due_at = ledger.start(db, kind, [service], report_id, starts_on=today, by=by, at=at, reason=why).due_at
    if kind == "investigation":
        later = start_counts_from or (today if before else None)
        day = later or local_day(report["received_at"])
        why = "Later besloten: geteld vanaf dat besluit" if later else "Ontvangst van de melding"
        ledger.start(db, "investigation_start", [service], report_id, starts_on=day, by=by, at=at, reason=why)
    tasks.open_task(db, "service", service, report_id, due_at=due_at, at=at)
    audit.append(db, report["region_id"], by, "service.begin", "service", service, {"kind": kind})
    return service


def end_replaced(db: Db, report_id: UUID, decided: str, *, by: str, at: datetime) -> None:
    """What runs ends when something else was `decided`, and its terms fall away; the same kind goes on.

    For every decision, also for one that begins no service: while a decision is revised, what ran runs on.
    """
    steps.locked(db, report_id)
    query = "SELECT * FROM service WHERE report_id = %s AND ended_at IS NULL AND kind <> %s FOR UPDATE"
    row = db.execute(query, (report_id, decided)).fetchone()
    if row is None:
        return
    why = "Het besluit is herzien."
    for kind in (row["kind"], "investigation_start"):
        ledger.drop(db, kind, row["id"], why=why, at=at)
    _close(db, row, "replaced", why, by, at)


def take_on(db: Db, report_id: UUID, kind: str, *, reason: str, by: str, role: str, at: datetime) -> UUID:
    """Do it ourselves after all, from handover or monitoring; gives the id of the service that begins.

    The five days for the start count from now: after receipt they are long over (our own reading). Raises
    UnknownService and what `steps.take` raises.
    """
    if kind not in TEN_WEEKS:
        raise UnknownService
    steps.take(db, report_id, f"take_on_{kind}", by=by, role=role, reason=reason, at=at)
    tasks.close_task(db, "handover", report_id, by=by, at=at, outcome=f"take_on_{kind}")
    case = steps.locked(db, report_id)["case_id"]
    why = f"Veilig Thuis neemt het weer zelf op: {reason.strip()}"
    watch.give(db, case, "veilig_thuis", reason=why, by=by, at=at)
    return begin(db, report_id, kind, by=by, at=at, start_counts_from=local_day(at))


def start(db: Db, service_id: UUID, started_at: datetime | None, *, by: str, role: str, at: datetime) -> None:
    """The worker actually began, at `started_at` (CBS: not the day of the decision).

    Raises WrongStart, NotFound, NotAllowed; Conflict when it has begun or ended already.
    """
    row = _running(db, service_id, role)
    if row["started_at"] is not None:
        raise Conflict("Het begin van dit traject is al vastgelegd.")
    if started_at is None or not row["decided_at"].replace(second=0, microsecond=0) <= started_at <= at:
        raise WrongStart
    db.execute("UPDATE service SET started_at = %s, started_by = %s WHERE id = %s", (started_at, by, service_id))
    ledger.meet(db, "investigation_start", service_id, started_at)
    audit.append(db, row["region_id"], by, "service.start", "service", service_id)


def take_lead(db: Db, service_id: UUID, staff_id: UUID | None, *, by: str, role: str, at: datetime) -> None:
    """Who leads it; the task of the service is then his.

    Raises LeadUnknown, NotFound, NotAllowed, Conflict (ended).
    """
    row = _running(db, service_id, role)
    leads = {one["id"] for one in workers(db, row["region_id"])}
    if staff_id is None or staff_id not in leads:
        raise LeadUnknown
    db.execute("UPDATE service SET lead_id = %s WHERE id = %s", (staff_id, service_id))
    audit.append(db, row["region_id"], by, "service.lead", "service", service_id, {"staff": str(staff_id)})
    query = "SELECT id FROM task WHERE kind = 'service' AND subject_id = %s AND done_at IS NULL"
    found = [one["id"] for one in db.execute(query, (service_id,))]
    tasks.assign(db, row["region_id"], found, staff_id, by=by, at=at)


def plan(
    db: Db,
    service_id: UUID,
    text: str,
    forms: Collection[str] = (),
    *,
    read_at: datetime | None = None,
    by: str,
    role: str,
    at: datetime,
) -> None:
    """What will be done and, for an investigation, which forms of violence it is about; each later needs a finding.

    `read_at`: the `plan_at` of the plan that the writer saw. Raises UnknownForm, NotFound, NotAllowed; Conflict when
    it has ended or somebody wrote the plan meanwhile.
    """
    if not set(forms) <= FORMS.keys():
        raise UnknownForm
    row = _running(db, service_id, role)
    if row["plan_at"] != read_at:
        raise Conflict(f"Intussen schreef {row['plan_by']} het plan. Lees het eerst; uw tekst staat er nog.")
    chosen = [form for form in FORMS if form in forms and row["kind"] == "investigation"]
    db.execute(
        "UPDATE service SET plan = %s, forms = %s, plan_at = %s, plan_by = %s WHERE id = %s",
        (text.strip(), chosen, at, by, service_id),
    )
    audit.append(db, row["region_id"], by, "service.plan", "service", service_id, {"forms": chosen})


def end(
    db: Db,
    service_id: UUID,
    *,
    outcome: str,
    summary: str,
    next_move: str,
    by: str,
    role: str,
    at: datetime,
) -> str:
    """End it and take the next step, in time or late; gives the new state of the report.

    Completed: it has begun, each chosen form has a finding, and what is confirmed (or V&V) has a safety condition
    (domain.md 2.1, 6b and 6c). Ended early: only the reason. Raises UnknownOutcome, SummaryMissing, UnknownNext,
    StartMissing, FindingMissing, ConditionMissing, NotFound, Conflict (somebody ended it), and what `steps.take`
    raises.
    """
    if outcome not in OUTCOMES or not OUTCOMES[outcome].chosen:
        raise UnknownOutcome
    if not summary.strip():
        raise SummaryMissing
    if next_move not in NEXT_MOVES:
        raise UnknownNext
    row = _running(db, service_id, role)
    if not OUTCOMES[outcome].early:
        _require_complete(db, row)
    ledger.meet(db, row["kind"], service_id, at)
    ledger.drop(db, "investigation_start", service_id, why="Beëindigd voordat het onderzoek begon.", at=at)
    _close(db, row, outcome, summary.strip(), by, at)
    report: UUID = row["report_id"]
    # The history can never be changed: it says how it ended, and the summary stays with the service.
    reason = f"Traject {OUTCOMES[outcome].title.lower()}"
    state = steps.take(db, report, next_move, by=by, role=role, reason=reason, at=at)
    if next_move == "hand_over":
        tasks.open_task(db, "handover", report, report, due_at=terms.soon(at), at=at)
    if next_move == "conditions_after":
        begin(db, report, "conditions", by=by, at=at)
    return state


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every service of a report, the running one or the newest first, with who leads and its dates.

    `norm_due_on`, `legal_due_on`, `due_at`, `met_at`: the ten weeks (empty for a regional task);
    `start_norm_on`, `start_legal_on`, `start_due_at`, `start_met_at`: the start of an investigation.
    """
    return db.execute(
        "SELECT s.*, l.name AS lead, d.id AS deadline_id, d.norm_due_on, d.legal_due_on, d.due_at, d.met_at,"
        " b.norm_due_on AS start_norm_on, b.legal_due_on AS start_legal_on, b.due_at AS start_due_at,"
        " b.met_at AS start_met_at FROM service s LEFT JOIN staff l ON l.id = s.lead_id"
        " LEFT JOIN deadline d ON d.kind = s.kind AND d.subject_id = s.id AND d.dropped_at IS NULL"
        " LEFT JOIN deadline b ON b.kind = 'investigation_start' AND b.subject_id = s.id AND b.dropped_at IS NULL"
        " WHERE s.region_id = %s AND s.report_id = %s ORDER BY s.ended_at IS NOT NULL, s.decided_at DESC, s.id DESC",
        (region, report_id),
    ).fetchall()


def workers(db: Db, region: UUID) -> list[Row]:
    """The colleagues who do services, by name: id, name, username."""
    return db.execute(
        "SELECT id, name, username FROM staff WHERE region_id = %s AND active AND role = ANY(%s) ORDER BY name, id",
        (region, list(ASSESSORS)),
    ).fetchall()


def _running(db: Db, service_id: UUID, role: str) -> Row:
    """The service, locked, when it still runs. The report is locked first: `steps.take` locks it too."""
    if role not in ASSESSORS:
        raise NotAllowed
    report = db.execute("SELECT report_id FROM service WHERE id = %s", (service_id,)).fetchone()
    if report is None:
        raise NotFound
    steps.locked(db, report["report_id"])
    row = db.execute("SELECT * FROM service WHERE id = %s FOR UPDATE", (service_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["ended_at"] is not None:
        raise Conflict(f"Dit traject is al beëindigd, door {row['ended_by']}.")
    return row


def _require_complete(db: Db, row: Row) -> None:
    """What a completed service has. Raises StartMissing, FindingMissing, ConditionMissing."""
    if row["kind"] == "regional_task":
        return
    if row["started_at"] is None:
        raise StartMissing
    confirmed = False
    if row["kind"] == "investigation":
        rows = db.execute(
            "SELECT form, result FROM finding WHERE service_id = %s AND replaced_at IS NULL", (row["id"],)
        ).fetchall()
        open_forms = set(row["forms"]) - {one["form"] for one in rows}
        if open_forms:
            named = ", ".join(one.title for code, one in FORMS.items() if code in open_forms)
            raise FindingMissing(f"Leg eerst vast wat het onderzoek heeft uitgewezen over: {named}.")
        if not rows:
            raise FindingMissing
        confirmed = any(one["result"] == "confirmed" for one in rows)
    agreed = db.execute(
        "SELECT FROM safety_condition WHERE report_id = %s AND state <> 'withdrawn' LIMIT 1", (row["report_id"],)
    ).fetchone()
    if agreed is None and (confirmed or row["kind"] == "conditions"):
        raise ConditionMissing


def _close(db: Db, row: Row, outcome: str, summary: str, by: str, at: datetime) -> None:
    db.execute(
        "UPDATE service SET ended_at = %s, ended_by = %s, outcome = %s, summary = %s WHERE id = %s",
        (at, by, outcome, summary, row["id"]),
    )
    tasks.close_task(db, "service", row["id"], by=by, at=at, outcome=outcome)
    audit.append(db, row["region_id"], by, "service.end", "service", row["id"], {"outcome": outcome})
