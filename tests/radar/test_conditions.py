"""Safety conditions: text, owner and date; settled once; and they outlive the service they came from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db, connection_options
from core.errors import Conflict, NotAllowed, NotFound
from core.ids import uuid7
from radar.casework import conditions, service
from tests.radar import desk
from tests.web.conftest import PERSON, World

RECEIVED = datetime(2026, 3, 2, 9, tzinfo=UTC)
DECIDED = datetime(2026, 3, 4, 9, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
"""Half past midnight on 11 March in the Netherlands."""
BRAM = {"by": "bram", "role": "assessor"}


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def assessing(world: World) -> UUID:
    household, case = world.household(RECEIVED)
    return world.report(RECEIVED, [PERSON], household=household, case=case)


@pytest.fixture
def report(db: Db, assessing: UUID) -> UUID:
    """A report in conditions and follow-up."""
    desk.assess(db, assessing, "conditions", at=DECIDED)
    return assessing


def make(db: Db, report: UUID, due_on: date | None = date(2026, 3, 20), **changes: Any) -> UUID:
    values = {"text": "Vader slaapt bij zijn broer", "owner": "Vader", **BRAM, "at": NOW} | changes
    return conditions.make(db, report, values.pop("text"), values.pop("owner"), due_on, **values)


def settle(db: Db, condition: UUID, state: str = "met", note: str = "", **changes: Any) -> None:
    with db.transaction():
        conditions.settle(db, condition, state, note, **{**BRAM, "at": NOW, **changes})


def row_of(db: Db, world: World, report: UUID, at: datetime = NOW) -> dict[str, Any]:
    [row] = conditions.of_report(db, world.region, report, at)
    return row


def test_a_condition_says_what_who_and_when_and_hangs_on_the_service(db: Db, world: World, report: UUID) -> None:
    condition = make(db, report, text=" Vader slaapt bij zijn broer ")
    row = row_of(db, world, report)
    assert (row["id"], row["text"], row["owner"]) == (condition, "Vader slaapt bij zijn broer", "Vader")
    assert (row["due_on"], row["state"], row["made_by"], row["overdue"]) == (date(2026, 3, 20), "open", "bram", False)
    assert row["service_id"] == service.of_report(db, world.region, report)[0]["id"]
    noted = db.execute("SELECT action, actor FROM audit_entry WHERE object_id = %s", (condition,)).fetchall()
    assert noted == [{"action": "condition.make", "actor": "bram"}]


@pytest.mark.parametrize(
    ("due_on", "changes", "error"),
    [
        (date(2026, 3, 20), {"text": " "}, conditions.TextMissing),
        (date(2026, 3, 20), {"owner": ""}, conditions.OwnerMissing),
        (None, {}, conditions.WrongDay),
        (date(2026, 3, 10), {}, conditions.WrongDay),
        (date(2026, 3, 20), {"role": "intake_worker"}, NotAllowed),
    ],
)
def test_what_is_missing_or_in_the_past_is_refused(
    db: Db, world: World, report: UUID, due_on: date | None, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        make(db, report, due_on, **changes)
    assert conditions.of_report(db, world.region, report, NOW) == []


def test_today_in_the_netherlands_is_still_possible(db: Db, world: World, report: UUID) -> None:
    make(db, report, date(2026, 3, 11))
    assert not row_of(db, world, report)["overdue"]


def test_before_the_decision_there_is_nothing_to_agree(db: Db, assessing: UUID) -> None:
    with pytest.raises(Conflict, match="In veiligheidsbeoordeling"):
        make(db, assessing)
    with pytest.raises(NotFound):
        make(db, uuid7())


def test_after_its_day_an_open_condition_is_overdue_and_nothing_else_happens(
    db: Db, world: World, report: UUID
) -> None:
    condition = make(db, report)
    day_itself = datetime(2026, 3, 20, 22, tzinfo=UTC)
    assert not row_of(db, world, report, day_itself)["overdue"]
    late = row_of(db, world, report, day_itself + timedelta(days=1))
    assert (late["overdue"], late["state"]) == (True, "open")
    settle(db, condition, "met", at=day_itself + timedelta(days=30))
    assert not row_of(db, world, report, day_itself + timedelta(days=31))["overdue"]


@pytest.mark.parametrize(("state", "note"), [("met", ""), ("not_met", "Hij was er toch."), ("withdrawn", "Dubbel")])
def test_a_condition_is_settled_by_a_person(db: Db, world: World, report: UUID, state: str, note: str) -> None:
    condition = make(db, report)
    settle(db, condition, state, note)
    row = row_of(db, world, report)
    assert (row["state"], row["note"], row["settled_by"], row["settled_at"]) == (state, note, "bram", NOW)
    noted = db.execute(
        "SELECT details FROM audit_entry WHERE object_id = %s AND action = 'condition.settle'", (condition,)
    ).fetchall()
    assert noted == [{"details": {"state": state}}]


def test_what_was_not_kept_or_fell_away_needs_a_note(db: Db, world: World, report: UUID) -> None:
    condition = make(db, report)
    for state in ("not_met", "withdrawn"):
        with pytest.raises(conditions.NoteMissing):
            settle(db, condition, state, " ")
    for state in ("open", "forgotten"):
        with pytest.raises(conditions.UnknownState):
            settle(db, condition, state, "Omdat.")
    with pytest.raises(NotAllowed):
        settle(db, condition, role="intake_worker")
    with pytest.raises(NotFound):
        settle(db, uuid7())
    assert row_of(db, world, report)["state"] == "open"


def test_two_people_settle_it_at_once_and_one_is_told(db: Db, database_url: str, world: World, report: UUID) -> None:
    condition = make(db, report)
    barrier = Barrier(2)

    def settling(state: str) -> str:
        with psycopg.connect(database_url, **connection_options()) as own:
            barrier.wait(10)
            try:
                settle(own, condition, state, "Gezien.")
            except Conflict:
                return "told"
            return state

    with ThreadPoolExecutor(2) as pool:
        answers = set(pool.map(settling, ["met", "not_met"]))
    assert answers == {"told", row_of(db, world, report)["state"]}


def test_conditions_outlive_the_service_and_are_followed_in_monitoring(db: Db, world: World, report: UUID) -> None:
    condition = make(db, report)
    [running] = service.of_report(db, world.region, report)
    service.start(db, running["id"], NOW, **BRAM, at=NOW)
    service.end(db, running["id"], outcome="completed", summary="Afgesproken.", next_move="monitor", **BRAM, at=NOW)
    assert row_of(db, world, report)["state"] == "open"
    later = make(db, report, date(2026, 6, 1), text="Oma past op")
    settle(db, condition, "not_met", "Vader was thuis.")
    first, second = conditions.of_report(db, world.region, report, NOW)
    assert (first["id"], first["state"], first["service_id"]) == (later, "open", None)
    assert (second["id"], second["state"], second["service_id"]) == (condition, "not_met", running["id"])


def test_another_region_sees_no_condition(db: Db, report: UUID) -> None:
    make(db, report)
    assert conditions.of_report(db, World(db, 2).region, report, NOW) == []
