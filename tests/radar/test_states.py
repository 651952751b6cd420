"""The table of states and moves: nobody gets stuck, nothing moves outside it, its history is only added to."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from core.staff import ROLES
from radar.casework import entering, steps
from radar.casework.states import (
    BEFORE_DECISION,
    CODES,
    DECISIONS,
    FINAL,
    MOVES,
    NEEDS,
    RUNNING,
    STATES,
    allowed,
    named,
)
from radar.casework.steps import WrongMove
from tests.radar import desk
from tests.radar.arrivals import DAY, JAN, arrive, found_region, state

LATER = DAY + timedelta(hours=2)
STUF_CODES = {"VT-00", "VT-01-01", "VT-01-02", "VT-01-03", "VT-01-04", "VT-02", "VT-03", "VT-99"}
"""uitkomstMeldingGeneriek (standards.md 10.6)."""


def reachable(start: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        for move in allowed(waiting.pop()):
            if move.target not in found:
                found.add(move.target)
                waiting.append(move.target)
    return found


# ── the table itself ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_state_is_reached_from_the_beginning_but_one_that_never_began() -> None:
    assert reachable("received") == set(STATES) - {"imported"}


def test_every_state_is_exactly_one_of_before_running_and_final() -> None:
    assert sorted([*BEFORE_DECISION, *RUNNING, *FINAL]) == sorted(STATES)


@pytest.mark.parametrize("name", sorted(set(STATES) - set(FINAL)))
def test_from_every_state_with_work_there_is_a_way_to_an_end(name: str) -> None:
    assert allowed(name)
    assert reachable(name) & set(FINAL)


@pytest.mark.parametrize("name", sorted(set(FINAL) - {"imported"}))
def test_whatever_ended_can_be_taken_up_again_by_a_person(name: str) -> None:
    again = [move for move in allowed(name) if move.target in BEFORE_DECISION]
    assert again
    assert all("reason" in move.needs and "system" not in move.roles for move in again)


def test_a_move_names_only_states_needs_and_roles_that_exist() -> None:
    for move in MOVES.values():
        assert {*move.sources, move.target} <= STATES.keys()
        assert set(move.needs) <= NEEDS.keys()
        assert set(move.roles) <= {*ROLES, "partner"}
        assert move.roles, move.name
        assert "imported" not in (*move.sources, move.target), "what an old system ended does not move"


def test_each_need_is_asked_of_the_database_but_the_reason_of_whoever_moves() -> None:
    asked = {need for move in MOVES.values() for need in move.needs}
    assert asked == NEEDS.keys()
    assert steps._FULFILLED.keys() == NEEDS.keys() - {"reason"}


def test_nothing_is_decided_without_a_second_signature() -> None:
    for name in DECISIONS:
        assert MOVES[name].sources == ("signing",)
        assert {"assessment", "second_signature"} <= set(MOVES[name].needs)
    outcomes = {move.name for move in MOVES.values() if "signing" in move.sources} - {"give_back"}
    assert outcomes == set(DECISIONS)


def test_the_administrator_moves_no_report_and_the_machine_neither() -> None:
    assert {role for move in MOVES.values() for role in move.roles}.isdisjoint({"administrator", "system"})


def test_each_code_is_that_of_a_move_and_each_decision_and_each_end_has_one() -> None:
    assert CODES.keys() <= MOVES.keys()
    assert set(CODES.values()) == STUF_CODES
    assert set(DECISIONS) <= CODES.keys()
    ends = {move.name for move in MOVES.values() if move.target in FINAL} - {"forward"}
    assert ends <= CODES.keys(), "a form that is no report gets no outcome of a report"


def test_what_begins_and_ends_with_a_state_is_about_states_that_exist() -> None:
    assert {*entering.ENTERING, *entering.LEAVING} <= STATES.keys()


# ── making a move ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def report(db: Db) -> UUID:
    found_region(db)
    return arrive(db, JAN)


def take(db: Db, report: UUID, move: str, role: str = "team_lead", reason: str = "Omdat.") -> str:
    with db.transaction():
        return steps.take(db, report, move, by="bram", role=role, reason=reason, at=LATER)


@pytest.mark.parametrize("name", sorted(MOVES))
def test_a_move_that_is_not_possible_names_those_that_are(db: Db, report: UUID, name: str) -> None:
    if "received" in MOVES[name].sources:
        with pytest.raises(Conflict, match="is eerst nodig"):
            take(db, report, name)
    else:
        with pytest.raises(WrongMove) as refused:
            take(db, report, name)
        assert STATES["received"] in refused.value.message
        assert named(allowed("received")) in refused.value.message
    assert state(db, report) == "received"


def test_a_state_without_moves_says_so() -> None:
    assert allowed("imported") == []
    assert named(allowed("imported")) == "geen"


def test_a_role_that_may_not_is_told_what_it_may(db: Db, report: UUID) -> None:
    desk.check(db, report, at=LATER)
    with pytest.raises(NotAllowed) as refused:
        take(db, report, "submit", role="intake_worker")
    assert named(allowed("assessing", "intake_worker")) in refused.value.message
    assert "Doorsturen" in refused.value.message


def test_a_move_without_a_reason_or_of_no_report_is_refused(db: Db, report: UUID) -> None:
    with pytest.raises(ReasonMissing):
        take(db, report, "check", reason="  ")
    with pytest.raises(NotFound):
        take(db, uuid7(), "check")


def test_each_move_is_a_line_with_who_when_and_why(db: Db, report: UUID) -> None:
    desk.check(db, report, at=LATER)
    lines = steps.history(db, UUID(int=1), report)
    assert [(line["number"], line["move"], line["state"]) for line in lines] == [
        (1, "receive", "received"),
        (2, "check", "assessing"),
    ]
    assert (lines[1]["actor"], lines[1]["at"], lines[1]["reason"]) == ("ilse", LATER, "Gebeld en gelezen.")
    assert steps.history(db, UUID(int=2), report) == [], "of another region there is no history"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE report_step SET reason = 'anders' WHERE report_id = %s",
        "DELETE FROM report_step WHERE report_id = %s",
        "UPDATE report SET state = 'closed' WHERE id = %s",
    ],
)
def test_the_database_keeps_history_and_state_together(db: Db, report: UUID, change: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        db.execute(change, (report,))  # type: ignore[call-overload]
    assert state(db, report) == "received"
    assert len(steps.history(db, UUID(int=1), report)) == 1
