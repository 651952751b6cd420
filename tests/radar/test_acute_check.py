"""The acute check comes first; direct action is ended by a person only; each look at the risk is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from radar.casework import acute, questionnaire, queue, steps, tasks
from tests.radar import desk
from tests.web.conftest import World

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MUCH_LATER = NOW + timedelta(days=3)
WHO = {"by": "ilse", "role": "intake_worker"}
WHO_NOTES = {"by": "ilse"}
ASSESSOR = {"by": "bram", "role": "assessor"}


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    """A report that has just come in; nobody looked yet, nothing is linked."""
    return world.report(NOW, state="received")


def open_tasks(db: Db, report: UUID) -> dict[str, int]:
    """Kind and risk of what is open for a report."""
    rows = db.execute("SELECT kind, risk FROM task WHERE report_id = %s AND done_at IS NULL", (report,))
    return {row["kind"]: row["risk"] for row in rows}


def one(db: Db, query: str, *values: object) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return dict(row)


def state(db: Db, report: UUID) -> str:
    return str(one(db, "SELECT state FROM report WHERE id = %s", report)["state"])


def audited(db: Db, report: UUID) -> list[str]:
    rows = db.execute("SELECT action FROM audit_entry WHERE object_id = %s ORDER BY at, number", (report,))
    return [row["action"] for row in rows]


# ── the check ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_that_is_not_acute_goes_on_with_the_risk_that_the_person_chose(db: Db, report: UUID) -> None:
    acute.check(db, report, False, ["pregnancy"], " Gebeld met de melder. ", **WHO, at=LATER, risk=1)
    assert state(db, report) == "assessing"
    assert open_tasks(db, report) == {"assess": 1}
    assert tasks.risk_of(db, report) == 1
    [line] = acute.checks(db, one(db, "SELECT region_id FROM report")["region_id"], report)
    assert (line["acute"], line["actor"], line["reason"]) == (False, "ilse", "Gebeld met de melder.")
    assert line["signs"] == [
        {"code": "pregnancy", "text": "Er is iemand zwanger in deze situatie", "version": "2026-11"}
    ]
    assert one(db, "SELECT met_at FROM deadline WHERE kind = 'acute_check'")["met_at"] == LATER
    done = one(db, "SELECT done_by, outcome FROM task WHERE kind = 'acute_check'")
    assert done == {"done_by": "ilse", "outcome": "not_acute"}
    assert audited(db, report) == ["report.step", "risk.look", "acute.check"]


def test_an_acute_report_begins_direct_action_that_is_due_at_once_and_goes_on_just_the_same(
    db: Db, report: UUID
) -> None:
    acute.check(db, report, True, ["weapon", "strangulation"], "Er is een mes.", **WHO, at=LATER)
    assert state(db, report) == "assessing"
    assert open_tasks(db, report) == {"assess": 2, "direct_action": 2}
    assert one(db, "SELECT due_at FROM task WHERE kind = 'direct_action'")["due_at"] == LATER
    assert acute.in_danger(db, report)


def test_the_check_waits_for_no_linking(db: Db, report: UUID) -> None:
    row = one(db, "SELECT linked_at, household_id, case_id FROM report WHERE id = %s", report)
    assert set(row.values()) == {None}
    desk.check(db, report, acute=True, at=NOW)
    assert state(db, report) == "assessing"


def test_a_second_check_is_refused_and_leaves_the_first(db: Db, report: UUID) -> None:
    desk.check(db, report, at=NOW)
    with pytest.raises(steps.WrongMove, match="Beoordeling indienen"), db.transaction():
        acute.check(db, report, True, [], "Toch wel.", **WHO, at=LATER)
    assert not acute.in_danger(db, report)
    assert one(db, "SELECT count(*) AS n FROM acute_check") == {"n": 1}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"reason": "  "}, ReasonMissing),
        ({"signs": ["bestaat_niet"]}, acute.UnknownSign),
        ({"risk": 2}, tasks.UnknownRisk),
        ({"risk": -1}, tasks.UnknownRisk),
        ({"role": "administrator"}, NotAllowed),
        ({"report_id": uuid7()}, NotFound),
    ],
)
def test_a_check_that_does_not_fit_is_refused_and_changes_nothing(
    db: Db, report: UUID, change: dict[str, Any], error: type[Exception]
) -> None:
    values = {"report_id": report, "acute": False, "signs": [], "reason": "Gelezen.", **WHO, "at": NOW} | change
    with pytest.raises(error), db.transaction():
        acute.check(db, **values)
    assert state(db, report) == "received"
    assert one(db, "SELECT count(*) AS n FROM acute_check") == {"n": 0}
    assert set(open_tasks(db, report)) == {"acute_check", "assess"}


def test_the_checklist_is_that_of_the_questionnaire_in_force(db: Db, report: UUID) -> None:
    codes = [sign.code for sign in questionnaire.current().acute_signs]
    assert len(codes) >= 14
    acute.check(db, report, True, codes, "Alles.", **WHO, at=NOW)
    assert [sign["code"] for sign in one(db, "SELECT signs FROM acute_check")["signs"]] == codes


def test_in_the_queue_the_check_and_the_direct_action_come_before_work_that_is_overdue(
    db: Db, world: World, report: UUID
) -> None:
    overdue = world.report(NOW - timedelta(days=40))
    chosen = queue.Filter(kinds=("acute_check", "direct_action", "assess"))
    first = queue.items(db, world.region, chosen, NOW)
    assert [(item.kind, item.report_id) for item in first][:1] == [("acute_check", report)]
    assert (first[1].kind, first[1].report_id) == ("assess", overdue)
    desk.check(db, report, acute=True, at=NOW)
    items = queue.items(db, world.region, chosen, NOW)
    assert [(item.kind, item.report_id) for item in items] == [
        ("direct_action", report),
        ("assess", report),
        ("assess", overdue),
    ]


# ── direct action ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_says_who_was_called_when_and_what_was_agreed_and_is_only_added_to(
    db: Db, world: World, report: UUID
) -> None:
    desk.check(db, report, acute=True, at=NOW)
    acute.note_action(db, report, "Politie, meldkamer", "Zij gaan nu.", LATER, **WHO_NOTES, at=LATER)
    acute.note_action(db, report, "Huisarts", "Geen gehoor.", NOW, **WHO_NOTES, at=LATER)
    lines = acute.actions(db, world.region, report)
    assert [(line["called"], line["at"]) for line in lines] == [("Huisarts", NOW), ("Politie, meldkamer", LATER)]
    assert {line["noted_at"] for line in lines} == {LATER}
    assert {line["actor"] for line in lines} == {"ilse"}
    for query in ("UPDATE acute_action SET agreed = 'Anders'", "DELETE FROM acute_action"):
        with pytest.raises(psycopg.errors.IntegrityError):
            db.execute(query)


@pytest.mark.parametrize(
    ("called", "agreed", "happened_at", "error"),
    [
        (" ", "Zij gaan.", NOW, acute.WhoMissing),
        ("Politie", " ", NOW, acute.AgreementMissing),
        ("Politie", "Zij gaan.", NOW + timedelta(minutes=1), acute.NotYet),
    ],
)
def test_a_line_in_the_log_says_who_and_what_and_is_never_of_later(
    db: Db, report: UUID, called: str, agreed: str, happened_at: datetime, error: type[Exception]
) -> None:
    desk.check(db, report, acute=True, at=NOW)
    with pytest.raises(error):
        acute.note_action(db, report, called, agreed, happened_at, by="ilse", at=NOW)


def test_there_is_no_log_without_direct_action(db: Db, report: UUID) -> None:
    desk.check(db, report, at=NOW)
    with pytest.raises(Conflict, match="geen direct handelen"):
        acute.note_action(db, report, "Politie", "Zij gaan.", NOW, by="ilse", at=NOW)


def test_a_person_ends_the_direct_danger_and_the_risk_stays_raised_until_looked_at(db: Db, report: UUID) -> None:
    desk.check(db, report, acute=True, at=NOW)
    acute.end(db, report, " Vader is aangehouden. ", **ASSESSOR, at=LATER)
    assert not acute.in_danger(db, report)
    assert open_tasks(db, report) == {"assess": 1}
    row = one(db, "SELECT acute, ended_at, ended_by, ended_why FROM acute_check")
    assert row == {"acute": True, "ended_at": LATER, "ended_by": "bram", "ended_why": "Vader is aangehouden."}
    with pytest.raises(Conflict):
        acute.end(db, report, "Nog eens.", **ASSESSOR, at=LATER)
    with pytest.raises(Conflict):
        acute.note_action(db, report, "Politie", "Klaar.", NOW, by="ilse", at=LATER)


def test_the_end_of_the_danger_is_said_with_a_reason_by_who_may_say_it(db: Db, report: UUID) -> None:
    desk.check(db, report, acute=True, at=NOW)
    with pytest.raises(ReasonMissing):
        acute.end(db, report, " ", **ASSESSOR, at=LATER)
    with pytest.raises(NotAllowed, match="beoordelaar"):
        acute.end(db, report, "Voorbij.", **WHO, at=LATER)
    with pytest.raises(tasks.UnknownRisk):
        acute.end(db, report, "Voorbij.", **ASSESSOR, at=LATER, risk=2)
    assert acute.in_danger(db, report)


def test_no_decision_that_ends_the_work_is_taken_while_somebody_is_in_danger(db: Db, report: UUID) -> None:
    desk.check(db, report, acute=True, at=NOW)
    with pytest.raises(Conflict, match="het acute gevaar is voorbij"):
        desk.assess(db, report, "no_steps", at=LATER)
    acute.end(db, report, "Voorbij.", **ASSESSOR, at=LATER)
    desk.assess(db, report, "no_steps", at=LATER)
    assert state(db, report) == "closed"


# ── later ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_report_that_turns_acute_later_keeps_its_check_as_it_was(db: Db, world: World, report: UUID) -> None:
    desk.check(db, report, at=NOW)
    acute.turn_acute(db, report, ["weapon"], "Moeder belde: hij staat voor de deur.", **WHO, at=LATER)
    assert open_tasks(db, report) == {"assess": 2, "direct_action": 2}
    lines = acute.checks(db, world.region, report)
    assert [(line["number"], line["acute"], line["at"]) for line in lines] == [(1, False, NOW), (2, True, LATER)]
    with pytest.raises(Conflict, match="loopt al"):
        acute.turn_acute(db, report, [], "Nog eens.", **WHO, at=LATER)


def test_danger_that_comes_back_is_a_new_line_and_a_new_task(db: Db, world: World, report: UUID) -> None:
    desk.check(db, report, acute=True, at=NOW)
    acute.end(db, report, "Hij is weg.", **ASSESSOR, at=LATER)
    acute.turn_acute(db, report, [], "Hij is terug.", **WHO, at=MUCH_LATER)
    assert open_tasks(db, report)["direct_action"] == 2
    ends = [(line["acute"], line["ended_at"]) for line in acute.checks(db, world.region, report)]
    assert ends == [(True, LATER), (True, None)]
    acute.end(db, report, "Nu echt.", **ASSESSOR, at=MUCH_LATER)
    ends = [(line["acute"], line["ended_at"]) for line in acute.checks(db, world.region, report)]
    assert ends == [(True, LATER), (True, MUCH_LATER)]


def test_only_the_end_is_added_to_a_check_and_only_once(db: Db, report: UUID) -> None:
    desk.check(db, report, acute=True, at=NOW)
    acute.end(db, report, "Voorbij.", **ASSESSOR, at=LATER)
    for query in (
        "UPDATE acute_check SET acute = false",
        "UPDATE acute_check SET reason = 'Anders'",
        "UPDATE acute_check SET ended_why = 'Anders'",
        "DELETE FROM acute_check",
    ):
        with pytest.raises(psycopg.errors.IntegrityError):
            db.execute(query)


def test_before_the_check_and_after_the_end_of_the_work_nothing_turns_acute(
    db: Db, world: World, report: UUID
) -> None:
    functions: list[Callable[..., None]] = [
        lambda: acute.turn_acute(db, report, [], "Gevaar.", **WHO, at=LATER),
        lambda: acute.look_again(db, report, 1, "Gelezen.", **WHO, at=LATER),
    ]
    for function in functions:
        with pytest.raises(Conflict, match="Leg eerst de acute check vast"):
            function()
    desk.assess(db, report, "no_steps", at=LATER)
    for function in functions:
        with pytest.raises(Conflict, match="Afgesloten"):
            function()


def test_a_look_at_the_risk_of_a_waiting_report_ends_the_task_for_it_and_is_kept(
    db: Db, world: World, report: UUID
) -> None:
    desk.check(db, report, at=NOW)
    tasks.open_task(db, "recheck", report, report, due_at=MUCH_LATER, at=LATER)
    acute.look_again(db, report, 1, "Buren belden.", **WHO, at=MUCH_LATER)
    assert open_tasks(db, report) == {"assess": 1}
    looks = [(look["risk"], look["reason"]) for look in acute.looks(db, world.region, report)]
    assert looks == [(1, "Buren belden."), (0, "Gebeld en gelezen.")]
    with pytest.raises(psycopg.errors.IntegrityError):
        db.execute("DELETE FROM risk_look")


def test_an_acute_look_begins_direct_action(db: Db, report: UUID) -> None:
    desk.check(db, report, at=NOW)
    tasks.open_task(db, "recheck", report, report, due_at=MUCH_LATER, at=LATER)
    acute.look_again(db, report, 2, "Hij dreigt.", **WHO, at=MUCH_LATER)
    assert open_tasks(db, report) == {"assess": 2, "direct_action": 2}
    assert acute.in_danger(db, report)


def test_while_somebody_is_in_danger_no_look_makes_the_risk_less(db: Db, report: UUID) -> None:
    desk.check(db, report, acute=True, at=NOW)
    with pytest.raises(Conflict, match="blijft acuut"):
        acute.look_again(db, report, 0, "Valt mee.", **WHO, at=LATER)
    acute.look_again(db, report, 2, "Nog steeds.", **WHO, at=LATER)
    assert open_tasks(db, report) == {"assess": 2, "direct_action": 2}


@pytest.mark.parametrize(
    ("change", "error"),
    [({"reason": " "}, ReasonMissing), ({"risk": 3}, tasks.UnknownRisk), ({"role": "partner"}, NotAllowed)],
)
def test_a_look_that_does_not_fit_is_refused(
    db: Db, report: UUID, change: dict[str, Any], error: type[Exception]
) -> None:
    desk.check(db, report, at=NOW)
    with pytest.raises(error):
        acute.look_again(db, **({"report_id": report, "risk": 1, "reason": "Zo.", **WHO, "at": LATER} | change))
