"""Investigation and V&V: ten weeks from the decision, the real start kept apart, and what an end needs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import UniqueViolation

from core.database import Db, connection_options
from core.deadlines import AMSTERDAM
from core.errors import Conflict, NotAllowed, NotFound, SettingsError
from core.ids import uuid7
from radar.casework import conditions, findings, ledger, service, steps
from radar.casework.steps import WrongMove
from tests.radar import desk
from tests.web.conftest import MOTHER, PERSON, World

RECEIVED = datetime(2026, 2, 10, 9, tzinfo=UTC)
DECIDED = datetime(2026, 2, 16, 10, tzinfo=UTC)
"""A Monday; ten weeks later is Koningsdag."""
BEGUN = DECIDED + timedelta(days=2)
LATER = DECIDED + timedelta(weeks=9)
GWEN = {"by": "gwen", "role": "behavioural_scientist"}
BRAM = {"by": "bram", "role": "assessor"}
Running = Callable[..., UUID]


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    """A report with two persons concerned, whose assessment is due."""
    household, case = world.household(RECEIVED)
    return world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case)


@pytest.fixture
def running(db: Db, report: UUID) -> Running:
    """Decides the report for a service, through two pairs of eyes; gives the service that began with it."""

    def decide(kind: str = "investigation", started: bool = True) -> UUID:
        desk.assess(db, report, kind, at=DECIDED)
        begun = service.begin(db, report, kind, by="gwen", at=DECIDED)
        if started:
            service.start(db, begun, BEGUN, **BRAM, at=BEGUN)
        return begun

    return decide


def row_of(db: Db, service_id: UUID) -> dict[str, Any]:
    row = db.execute("SELECT * FROM service WHERE id = %s", (service_id,)).fetchone()
    assert row is not None
    return row


def term(db: Db, world: World, kind: str, subject: UUID) -> dict[str, Any]:
    found = ledger.find(db, world.region, kind, subject)
    assert found is not None
    return found


def state(db: Db, report: UUID) -> str:
    return str(steps.locked(db, report)["state"])


def open_tasks(db: Db, report: UUID) -> set[str]:
    rows = db.execute("SELECT kind FROM task WHERE report_id = %s AND done_at IS NULL", (report,))
    return {row["kind"] for row in rows}


def find(db: Db, service_id: UUID, form: str = "child_abuse", result: str = "confirmed") -> UUID:
    return findings.find(db, service_id, form, result, "Het kind vertelde het zelf.", **BRAM, at=LATER)


def agree(db: Db, report: UUID) -> UUID:
    due_on = LATER.date() + timedelta(days=14)
    return conditions.make(db, report, "Vader komt niet in huis", "Moeder", due_on, **BRAM, at=LATER)


def end(db: Db, service_id: UUID, next_move: str = "close", at: datetime = LATER, **changes: Any) -> str:
    values = {"outcome": "completed", "summary": "Alles is besproken.", "next_move": next_move} | BRAM | changes
    with db.transaction():
        return service.end(db, service_id, at=at, **values)


# ── the clock ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["investigation", "conditions"])
def test_ten_weeks_run_from_the_decision_and_koningsdag_moves_them(
    db: Db, world: World, running: Running, kind: str
) -> None:
    found = term(db, world, kind, running(kind))
    assert (found["norm_due_on"], found["legal_due_on"]) == (date(2026, 4, 28), date(2026, 4, 28))
    assert found["due_at"] == datetime(2026, 4, 29, tzinfo=AMSTERDAM)


def test_the_task_of_the_service_is_due_with_the_ten_weeks(db: Db, report: UUID, running: Running) -> None:
    begun = running()
    task = db.execute("SELECT * FROM task WHERE kind = 'service' AND subject_id = %s", (begun,)).fetchone()
    assert task is not None
    assert (task["report_id"], task["due_at"]) == (report, datetime(2026, 4, 29, tzinfo=AMSTERDAM))
    assert task["done_at"] is None


def test_a_regional_task_has_no_term_but_its_task_is_not_forgotten(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    begun = running("regional_task")
    kinds = {row["kind"] for row in ledger.of_report(db, world.region, report) if row["subject_id"] == begun}
    assert kinds == set()
    assert "service" in open_tasks(db, report)


def test_the_start_of_an_investigation_is_due_five_days_after_receipt(db: Db, world: World, running: Running) -> None:
    found = term(db, world, "investigation_start", running(started=False))
    # Received on Tuesday 10 February: five working days, and five days of which the last is a Sunday.
    assert (found["norm_due_on"], found["legal_due_on"]) == (date(2026, 2, 17), date(2026, 2, 16))
    assert found["met_at"] is None


def test_conditions_and_follow_up_has_no_term_for_its_start(db: Db, world: World, running: Running) -> None:
    assert ledger.find(db, world.region, "investigation_start", running("conditions")) is None


def test_the_actual_start_is_kept_apart_from_the_decision(db: Db, world: World, running: Running) -> None:
    begun = running(started=False)
    noted = DECIDED + timedelta(days=5)
    service.start(db, begun, BEGUN, **BRAM, at=noted)
    row = row_of(db, begun)
    assert (row["decided_at"], row["started_at"], row["started_by"]) == (DECIDED, BEGUN, "bram")
    assert term(db, world, "investigation_start", begun)["met_at"] == BEGUN
    assert term(db, world, "investigation", begun)["norm_due_on"] == date(2026, 4, 28)


@pytest.mark.parametrize(
    "moment", [None, DECIDED - timedelta(minutes=1), DECIDED + timedelta(days=4, minutes=1)], ids=str
)
def test_a_start_before_the_decision_or_in_the_future_is_refused(
    db: Db, running: Running, moment: datetime | None
) -> None:
    begun = running(started=False)
    with pytest.raises(service.WrongStart):
        service.start(db, begun, moment, **BRAM, at=DECIDED + timedelta(days=4))
    assert row_of(db, begun)["started_at"] is None


def test_it_starts_once(db: Db, running: Running) -> None:
    begun = running()
    with pytest.raises(Conflict, match="al vastgelegd"):
        service.start(db, begun, BEGUN + timedelta(hours=1), **BRAM, at=LATER)
    assert row_of(db, begun)["started_at"] == BEGUN


def test_an_overdue_service_is_worked_on_and_ended_as_any_other(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    begun = running(started=False)
    late = DECIDED + timedelta(weeks=30)
    service.start(db, begun, late, **BRAM, at=late)
    find(db, begun, result="refuted")
    assert end(db, begun, at=late) == "closed"
    met = term(db, world, "investigation", begun)
    assert met["met_at"] == late > met["due_at"]
    assert row_of(db, begun)["outcome"] == "completed"


def revise(db: Db, report: UUID, path: str) -> None:
    steps.take(db, report, "revise", by="teun", role="team_lead", reason="Nieuwe feiten.", at=LATER)
    desk.assess(db, report, path, at=LATER)


def test_a_revised_decision_that_stays_wins_no_time(db: Db, world: World, report: UUID, running: Running) -> None:
    begun = running()
    revise(db, report, "investigation")
    assert [row["id"] for row in service.of_report(db, world.region, report)] == [begun]
    assert term(db, world, "investigation", begun)["norm_due_on"] == date(2026, 4, 28)
    assert row_of(db, begun)["started_at"] == BEGUN


def test_a_revised_decision_for_another_service_ends_what_ran_and_its_terms_fall_away(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    begun = running(started=False)
    revise(db, report, "conditions")
    now, before = service.of_report(db, world.region, report)
    assert (before["id"], before["outcome"], before["ended_at"]) == (begun, "replaced", LATER)
    for kind in ("investigation", "investigation_start"):
        dropped = term(db, world, kind, begun)
        assert (dropped["met_at"], dropped["dropped_why"]) == (None, "Het besluit is herzien.")
    assert (now["kind"], now["norm_due_on"]) == ("conditions", date(2026, 6, 29))


def test_a_later_investigation_has_its_start_counted_from_its_own_decision(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    running("conditions")
    revise(db, report, "investigation")
    [now, _] = service.of_report(db, world.region, report)
    # Received in February: the five days after receipt are long over.
    assert (now["start_norm_on"], now["start_legal_on"]) == (date(2026, 4, 28), date(2026, 4, 28))


def test_a_decision_for_something_else_leaves_nothing_running(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    begun = running()
    service.end_replaced(db, report, "investigation", by="gwen", at=LATER)
    assert row_of(db, begun)["ended_at"] is None
    service.end_replaced(db, report, "no_steps", by="gwen", at=LATER)
    assert row_of(db, begun)["outcome"] == "replaced"
    assert "service" not in open_tasks(db, report)
    assert term(db, world, "investigation", begun)["dropped_at"] == LATER


def test_beginning_twice_gives_the_same_service_and_another_kind_is_refused(
    db: Db, report: UUID, running: Running
) -> None:
    begun = running()
    assert service.begin(db, report, "investigation", by="gwen", at=LATER) == begun
    with pytest.raises(Conflict, match="Beëindig dat eerst"):
        service.begin(db, report, "conditions", by="gwen", at=LATER)


def test_the_database_keeps_one_running_service_per_report(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    running()
    with pytest.raises(UniqueViolation):
        db.execute(
            "INSERT INTO service (id, region_id, report_id, kind, decided_at) VALUES (%s, %s, %s, 'conditions', %s)",
            (uuid7(), world.region, report, LATER),
        )


# ── lead and plan ───────────────────────────────────────────────────────────────────────────────────────────────


def test_who_leads_it_has_the_task(db: Db, world: World, running: Running) -> None:
    begun = running()
    world.staff("assessor", "bram")
    [bram] = service.workers(db, world.region)
    service.take_lead(db, begun, bram["id"], **GWEN, at=LATER)
    assert row_of(db, begun)["lead_id"] == bram["id"]
    task = db.execute("SELECT staff_id FROM task WHERE kind = 'service' AND subject_id = %s", (begun,)).fetchone()
    assert task == {"staff_id": bram["id"]}


def test_only_a_colleague_of_the_region_who_does_services_leads(db: Db, world: World, running: Running) -> None:
    begun = running()
    world.staff("intake_worker", "ilse")
    elsewhere = World(db, 2)
    elsewhere.staff("assessor", "ander")
    strangers = [row["id"] for row in db.execute("SELECT id FROM staff")]
    for staff in (*strangers, None):
        with pytest.raises(service.LeadUnknown):
            service.take_lead(db, begun, staff, **GWEN, at=LATER)
    assert row_of(db, begun)["lead_id"] is None


def test_the_plan_names_the_forms_that_are_investigated(db: Db, running: Running) -> None:
    begun = running()
    service.plan(db, begun, " Praten met allen. ", {"partner_violence", "child_abuse"}, **BRAM, at=LATER)
    row = row_of(db, begun)
    assert (row["plan"], row["forms"]) == ("Praten met allen.", ["child_abuse", "partner_violence"])
    assert (row["plan_at"], row["plan_by"]) == (LATER, "bram")
    with pytest.raises(findings.UnknownForm):
        service.plan(db, begun, "Anders", {"gossip"}, **BRAM, at=LATER)


def test_a_plan_is_never_written_over_unseen(db: Db, running: Running) -> None:
    begun = running()
    service.plan(db, begun, "Het plan van Bram", **BRAM, at=LATER)
    with pytest.raises(Conflict, match="Intussen schreef bram"):
        service.plan(db, begun, "Het plan van Gwen", **GWEN, at=LATER)
    assert row_of(db, begun)["plan"] == "Het plan van Bram"
    service.plan(db, begun, "Samen", read_at=LATER, **GWEN, at=LATER + timedelta(hours=1))
    assert row_of(db, begun)["plan"] == "Samen"


# ── findings ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_finding_replaces_the_one_before_which_is_kept(db: Db, world: World, running: Running) -> None:
    begun = running()
    first, second = find(db, begun, result="not_confirmed"), find(db, begun, result="confirmed")
    rows = findings.of_service(db, world.region, begun)
    assert [(row["id"], row["result"], row["replaced_at"]) for row in rows] == [
        (second, "confirmed", None),
        (first, "not_confirmed", LATER),
    ]


def test_a_finding_is_of_a_known_form_with_a_result_and_a_reason(db: Db, world: World, running: Running) -> None:
    begun = running()
    for form, result, why, error in (
        ("gossip", "confirmed", "Omdat.", findings.UnknownForm),
        ("other", "maybe", "Omdat.", findings.UnknownResult),
        ("other", "refuted", " ", findings.ExplanationMissing),
    ):
        with pytest.raises(error):
            findings.find(db, begun, form, result, why, **BRAM, at=LATER)
    assert findings.of_service(db, world.region, begun) == []


def test_conditions_and_follow_up_establishes_nothing(db: Db, running: Running) -> None:
    with pytest.raises(Conflict, match="Alleen een onderzoek"):
        find(db, running("conditions"))


def test_after_the_end_no_finding_changes(db: Db, running: Running) -> None:
    begun = running()
    find(db, begun, result="refuted")
    end(db, begun)
    with pytest.raises(Conflict, match="al afgerond"):
        find(db, begun)


def test_the_forms_are_data_with_the_codes_of_cbs(tmp_path: Path) -> None:
    assert list(findings.FORMS) == [
        "child_abuse",
        "partner_violence",
        "violence_against_parents",
        "elder_abuse",
        "other",
    ]
    assert findings.FORMS["child_abuse"].cbs_outcome == {"confirmed": "06", "not_confirmed": "05", "refuted": "04"}
    assert {code for form in findings.FORMS.values() for code in form.cbs_occasion} == {
        f"{n:02}" for n in range(1, 10)
    }
    assert not findings.in_force().verified
    wrong = tmp_path / "findings.toml"
    wrong.write_text(findings.FILE.read_text(encoding="utf-8").replace("refuted = ", "gossip = "), encoding="utf-8")
    with pytest.raises(SettingsError, match="not a valid file"):
        findings.in_force.load(wrong)


# ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_investigation_ends_with_a_finding_per_chosen_form(db: Db, report: UUID, running: Running) -> None:
    begun = running()
    with pytest.raises(service.FindingMissing):
        end(db, begun)
    service.plan(db, begun, "", {"child_abuse", "elder_abuse"}, **BRAM, at=LATER)
    find(db, begun, "child_abuse", "refuted")
    with pytest.raises(service.FindingMissing, match="over: Ouderenmishandeling"):
        end(db, begun)
    assert state(db, report) == "investigation"
    find(db, begun, "elder_abuse", "not_confirmed")
    assert end(db, begun) == "closed"


def test_what_is_confirmed_needs_a_safety_condition(db: Db, report: UUID, running: Running) -> None:
    begun = running()
    find(db, begun, "child_abuse", "refuted")
    find(db, begun, "partner_violence", "confirmed")
    with pytest.raises(service.ConditionMissing):
        end(db, begun, "monitor")
    withdrawn = agree(db, report)
    conditions.settle(db, withdrawn, "withdrawn", "Vergissing", **BRAM, at=LATER)
    with pytest.raises(service.ConditionMissing):
        end(db, begun, "monitor")
    agree(db, report)
    assert end(db, begun, "monitor") == "monitoring"


def test_conditions_and_follow_up_ends_with_a_condition(db: Db, report: UUID, running: Running) -> None:
    begun = running("conditions")
    with pytest.raises(service.ConditionMissing):
        end(db, begun, "monitor")
    agree(db, report)
    assert end(db, begun, "monitor") == "monitoring"


def test_a_service_that_never_began_is_not_completed(db: Db, running: Running) -> None:
    begun = running(started=False)
    find(db, begun, result="refuted")
    with pytest.raises(service.StartMissing):
        end(db, begun)


def test_it_may_end_early_with_only_a_reason(db: Db, world: World, report: UUID, running: Running) -> None:
    begun = running(started=False)
    with pytest.raises(service.SummaryMissing):
        end(db, begun, outcome="moved_away", summary=" ")
    assert end(db, begun, outcome="moved_away", summary="Verhuisd naar een onbekend adres.") == "closed"
    assert (row_of(db, begun)["outcome"], row_of(db, begun)["ended_by"]) == ("moved_away", "bram")
    assert term(db, world, "investigation", begun)["met_at"] == LATER
    assert term(db, world, "investigation_start", begun)["dropped_at"] == LATER


def test_the_end_meets_the_term_closes_the_task_and_is_in_the_audit_trail(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    begun = running()
    find(db, begun, result="refuted")
    end(db, begun)
    assert term(db, world, "investigation", begun)["met_at"] == LATER
    assert "service" not in open_tasks(db, report)
    noted = db.execute(
        "SELECT action, actor FROM audit_entry WHERE object_id = %s AND action = 'service.end'", (begun,)
    ).fetchall()
    assert noted == [{"action": "service.end", "actor": "bram"}]
    last = steps.history(db, world.region, report)[-1]
    assert (last["move"], last["reason"], last["actor"]) == ("close", "Traject afgerond", "bram")


def test_handing_over_opens_the_task_to_offer_it(db: Db, report: UUID, running: Running) -> None:
    begun = running()
    find(db, begun, result="not_confirmed")
    assert end(db, begun, "hand_over") == "handover"
    assert "handover" in open_tasks(db, report)


def test_conditions_after_an_investigation_begin_with_their_own_ten_weeks(
    db: Db, world: World, report: UUID, running: Running
) -> None:
    begun = running()
    find(db, begun, result="not_confirmed")
    assert end(db, begun, "conditions_after") == "conditions"
    now, before = service.of_report(db, world.region, report)
    assert (before["id"], now["kind"], now["decided_at"], now["ended_at"]) == (begun, "conditions", LATER, None)
    assert now["norm_due_on"] == date(2026, 6, 29)  # decided on Monday 20 April
    assert "service" in open_tasks(db, report)


def test_a_wrong_next_step_leaves_the_service_running(db: Db, report: UUID, running: Running) -> None:
    begun = running("conditions")
    agree(db, report)
    with pytest.raises(WrongMove, match="Wat wel kan"):
        end(db, begun, "conditions_after")
    with pytest.raises(service.UnknownNext):
        end(db, begun, "revise")
    with pytest.raises(service.UnknownOutcome):
        end(db, begun, outcome="replaced")
    assert row_of(db, begun)["ended_at"] is None
    assert (state(db, report), "service" in open_tasks(db, report)) == ("conditions", True)


def test_two_people_end_it_at_once_and_one_is_told(db: Db, database_url: str, report: UUID, running: Running) -> None:
    begun = running()
    find(db, begun, result="refuted")
    barrier = Barrier(2)

    def ending(who: str) -> str:
        with psycopg.connect(database_url, **connection_options()) as own:
            barrier.wait(10)
            try:
                return end(own, begun, "close", by=who)
            except Conflict as error:
                return error.message

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(ending, ["bram", "gwen"]))
    winner = row_of(db, begun)["ended_by"]
    assert answers == [f"Dit traject is al beëindigd, door {winner}.", "closed"]
    moves = [row["move"] for row in steps.history(db, row_of(db, begun)["region_id"], report)]
    assert moves.count("close") == 1


# ── taking it on after all ──────────────────────────────────────────────────────────────────────────────────────


def test_from_handover_it_is_taken_on_with_the_clock_from_that_decision(db: Db, world: World, report: UUID) -> None:
    desk.assess(db, report, "handover", team=world.local_team, at=DECIDED)
    begun = service.take_on(db, report, "investigation", reason="De partner kan niet.", **BRAM, at=LATER)
    assert state(db, report) == "investigation"
    assert open_tasks(db, report) >= {"service"}
    assert "handover" not in open_tasks(db, report)
    assert term(db, world, "investigation", begun)["norm_due_on"] == date(2026, 6, 29)
    # Five days after receipt are long over; from now on: five working days with Koningsdag, and five days.
    started = term(db, world, "investigation_start", begun)
    assert (started["norm_due_on"], started["legal_due_on"]) == (date(2026, 4, 28), date(2026, 4, 28))


def test_from_monitoring_conditions_and_follow_up_is_taken_on(db: Db, report: UUID, running: Running) -> None:
    begun = running()
    find(db, begun, result="refuted")
    end(db, begun, "monitor")
    again = service.take_on(db, report, "conditions", reason="Het gaat weer mis.", **BRAM, at=LATER)
    assert (state(db, report), row_of(db, again)["kind"]) == ("conditions", "conditions")


def test_taking_on_what_runs_already_or_a_regional_task_is_refused(db: Db, report: UUID, running: Running) -> None:
    running()
    with pytest.raises(WrongMove):
        service.take_on(db, report, "conditions", reason="Omdat.", **BRAM, at=LATER)
    with pytest.raises(service.UnknownService):
        service.take_on(db, report, "regional_task", reason="Omdat.", **BRAM, at=LATER)


# ── who may, and what is not there ──────────────────────────────────────────────────────────────────────────────


def test_an_intake_worker_works_on_no_service(db: Db, world: World, report: UUID, running: Running) -> None:
    begun = running(started=False)
    ilse: Any = {"by": "ilse", "role": "intake_worker", "at": LATER}
    attempts: tuple[Callable[[], object], ...] = (
        lambda: service.start(db, begun, BEGUN, **ilse),
        lambda: service.take_lead(db, begun, uuid7(), **ilse),
        lambda: service.plan(db, begun, "Plan", **ilse),
        lambda: findings.find(db, begun, "other", "confirmed", "Omdat.", **ilse),
        lambda: end(db, begun, outcome="ended_early", role="intake_worker"),
    )
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    row = row_of(db, begun)
    assert (row["started_at"], row["lead_id"], row["plan"], row["ended_at"]) == (None, None, "", None)
    assert findings.of_service(db, world.region, begun) == []


def test_a_service_that_is_not_there_is_not_found(db: Db) -> None:
    with pytest.raises(NotFound):
        service.start(db, uuid7(), BEGUN, **BRAM, at=LATER)
    with pytest.raises(NotFound):
        findings.find(db, uuid7(), "other", "confirmed", "Omdat.", **BRAM, at=LATER)
    with pytest.raises(NotFound):
        service.begin(db, uuid7(), "conditions", by="gwen", at=LATER)


def test_another_region_reads_nothing_of_it(db: Db, report: UUID, running: Running) -> None:
    begun = running()
    find(db, begun)
    other = World(db, 2).region
    assert service.of_report(db, other, report) == []
    assert findings.of_service(db, other, begun) == []
