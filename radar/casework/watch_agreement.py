"""Who watches while a report waits: Veilig Thuis, or the reporter when he agreed to it (domain.md 2.1 step 3).

A partner is never given the watch here: he takes it by accepting a handover. Veilig Thuis can always take it back.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from core.calendar import dutch_date
from core.database import Db, Row
from core.deadlines import end_of_day, local_day
from core.errors import Conflict, NotAllowed, ReasonMissing, VeiligError
from radar.casework import steps, tasks, watch
from radar.casework.states import BEFORE_DECISION, INTAKE

LONGEST = timedelta(days=31)
"""How long an agreement lasts at most before it is made again. OWN choice: no source says."""
WAITING = (*BEFORE_DECISION, "handover")


class AgreementMissing(VeiligError):
    """Schrijf wat u met de melder hebt afgesproken."""

    status = 400


class WrongDay(VeiligError):
    """Kies tot en met welke dag: vandaag of later, hoogstens 31 dagen vooruit."""

    status = 400


def agree(db: Db, report_id: UUID, *, agreed: str, until: date, by: str, role: str, at: datetime) -> None:
    """The reporter keeps sight of the safety up to and with a day; a task asks somebody to look again by then.

    Made again, it is a new agreement. Raises NotFound, NotAllowed, AgreementMissing, WrongDay; Conflict when the
    report does not wait any more, is not in a case yet, is acute, or when a partner watches.
    """
    report = _of_open_case(db, report_id, role)
    if not agreed.strip():
        raise AgreementMissing
    today = local_day(at)
    if not today <= until <= today + LONGEST:
        raise WrongDay
    if report["state"] not in WAITING:
        raise Conflict("Deze melding wacht niet meer. Wie zicht houdt, volgt nu uit het besluit.")
    _refuse_danger(db, report["case_id"])
    now = watch.holder(db, report["case_id"])
    if now and now["holder"] == "partner":
        raise Conflict("Een partner houdt nu zicht. Neem het zicht eerst terug naar Veilig Thuis.")
    reason = f"Afgesproken met de melder, tot en met {dutch_date(until)}: {agreed.strip()}"
    if now and now["holder"] == "reporter":
        watch.give(db, report["case_id"], "veilig_thuis", reason="Nieuwe afspraak met de melder", by=by, at=at)
    watch.give(db, report["case_id"], "reporter", reason=reason, by=by, at=at)
    tasks.open_task(db, "recheck", report_id, report_id, due_at=end_of_day(until), at=at)


def take_back(db: Db, report_id: UUID, *, reason: str, by: str, role: str, at: datetime) -> None:
    """Veilig Thuis watches again. Raises NotFound, NotAllowed, ReasonMissing; Conflict when it does already."""
    report = _of_open_case(db, report_id, role)
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom Veilig Thuis het zicht terugneemt.")
    now = watch.holder(db, report["case_id"])
    if now and now["holder"] == "veilig_thuis":
        raise Conflict("Veilig Thuis houdt al zicht op de veiligheid.")
    watch.give(db, report["case_id"], "veilig_thuis", reason=reason.strip(), by=by, at=at)


def _of_open_case(db: Db, report_id: UUID, role: str) -> Row:
    report = steps.locked(db, report_id)
    if role not in INTAKE:
        raise NotAllowed
    if report["case_id"] is None:
        raise Conflict("Deze melding zit nog niet in een casus. Veilig Thuis houdt zicht; probeer het zo weer.")
    return report


def _refuse_danger(db: Db, case_id: UUID) -> None:
    """While somebody of the case is in direct danger, Veilig Thuis watches."""
    # Asked of every report, also of one that is hidden from who does this.
    row = db.execute("SELECT case_in_danger(%s) AS danger", (case_id,)).fetchone()
    if row and row["danger"]:
        raise Conflict("Er is acuut gevaar in deze casus. Zolang dat niet voorbij is, houdt Veilig Thuis zicht.")
