"""Dividing the work: tasks go to a colleague, back to nobody, or on to another team; nothing else moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core import audit
from core.database import Db
from core.errors import Conflict
from core.ids import uuid7
from core.staff import add_staff
from radar.casework import queue, tasks
from radar.casework.queue import Filter
from tests.web.conftest import World

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
ALL = tuple(queue.KINDS)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def elsewhere(db: Db) -> World:
    return World(db, 2)


def one(db: Db, query: str, *values: object) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return dict(row)


def task_row(db: Db, task: UUID) -> dict[str, Any]:
    return one(db, "SELECT * FROM task WHERE id = %s", task)


def colleague(world: World, name: str, role: Any = "assessor", team: UUID | None = None) -> UUID:
    return add_staff(world.db, world.region, name, f"Naam van {name}", role, "een lang wachtwoord", team)


def second_team(world: World, name: str = "Team Zuid", kind: str = "veilig_thuis", until: str | None = None) -> UUID:
    team = uuid7()
    world.db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from, valid_to)"
        " VALUES (%s, %s, %s, %s, '2020-01-01', %s)",
        (team, world.region, name, kind, until),
    )
    return team


def shown(db: Db, world: World, **chosen: Any) -> set[UUID]:
    return {item.id for item in queue.items(db, world.region, Filter(ALL, **chosen), NOW)}


def test_a_task_goes_to_a_colleague_and_back_to_nobody(db: Db, world: World) -> None:
    bram, task = colleague(world, "bram"), world.task("assess", uuid7(), NOW, 1, world.team)
    assert tasks.assign(db, world.region, [task], bram, by="teun", at=NOW) == 1
    assert task_row(db, task)["staff_id"] == bram
    assert tasks.assign(db, world.region, [task], bram, by="teun", at=NOW) == 0, "he has it already"
    assert tasks.assign(db, world.region, [task], None, by="bram", at=NOW) == 1
    assert task_row(db, task)["staff_id"] is None
    trail = [(row["actor"], row["action"], row["details"]) for row in audit.of_object(db, task)]
    assert trail == [
        ("teun", "task.assign", {"staff": str(bram)}),
        ("bram", "task.assign", {"staff": None}),
    ]


def test_only_who_works_on_cases_here_gets_a_task(db: Db, world: World, elsewhere: World) -> None:
    task = world.task("assess", uuid7(), NOW)
    gone = colleague(world, "weg")
    db.execute("UPDATE staff SET active = false WHERE id = %s", (gone,))
    for nobody in (gone, colleague(elsewhere, "daar"), colleague(world, "fenna", "administrator"), uuid7()):
        with pytest.raises(Conflict):
            tasks.assign(db, world.region, [task], nobody, by="teun", at=NOW)
    assert task_row(db, task)["staff_id"] is None


def test_what_is_done_or_of_another_region_does_not_move(db: Db, world: World, elsewhere: World) -> None:
    bram, zuid = colleague(world, "bram"), second_team(world)
    done = world.task("assess", uuid7(), NOW, 0, world.team, done=True)
    theirs = elsewhere.task("assess", uuid7(), NOW, 0, elsewhere.team)
    before = [task_row(db, task) for task in (done, theirs)]
    assert tasks.movable(db, world.region, [done, theirs], ALL) == []
    assert tasks.assign(db, world.region, [done, theirs], bram, by="teun", at=NOW) == 0
    assert tasks.hand_on(db, world.region, [done, theirs], zuid, by="teun", at=NOW) == 0
    assert [task_row(db, task) for task in (done, theirs)] == before


def test_another_team_starts_its_own_clock_and_nobody_has_it_there(db: Db, world: World) -> None:
    received = NOW - timedelta(days=9)
    task = world.task("service", uuid7(), NOW, 1, world.team, received)
    tasks.assign(db, world.region, [task], colleague(world, "bram"), by="bram", at=NOW)
    zuid = second_team(world)
    assert tasks.hand_on(db, world.region, [task], zuid, by="bram", at=NOW) == 1
    row = task_row(db, task)
    assert (row["team_id"], row["team_since"], row["staff_id"]) == (zuid, NOW, None)
    assert row["received_at"] == received, "the clock since receipt runs on"
    later = NOW + timedelta(hours=1)
    assert tasks.hand_on(db, world.region, [task], zuid, by="bram", at=later) == 0, "it is there already"
    assert task_row(db, task)["team_since"] == NOW
    assert [row["action"] for row in audit.of_object(db, task)] == ["task.assign", "task.hand_on"]


def test_tasks_go_on_to_our_own_teams_of_now_only(db: Db, world: World, elsewhere: World) -> None:
    task = world.task("assess", uuid7(), NOW, 0, world.team)
    ended = second_team(world, "Team Oud", until="2026-11-17")
    for team in (world.local_team, elsewhere.team, ended, uuid7()):
        with pytest.raises(Conflict):
            tasks.hand_on(db, world.region, [task], team, by="teun", at=NOW)
    assert task_row(db, task)["team_id"] == world.team
    last_day = second_team(world, "Team Laatste Dag", until="2026-11-18")
    assert tasks.hand_on(db, world.region, [task], last_day, by="teun", at=NOW) == 1


def test_who_may_not_assign_moves_what_is_his_or_nobodys(db: Db, world: World) -> None:
    bram, gwen = colleague(world, "bram"), colleague(world, "gwen")
    free, his, hers = (world.task("assess", uuid7(), NOW) for _ in range(3))
    job = world.task("dead_job", uuid7(), NOW)
    tasks.assign(db, world.region, [his], bram, by="bram", at=NOW)
    tasks.assign(db, world.region, [hers], gwen, by="gwen", at=NOW)
    every = [free, his, hers, job]
    assert set(tasks.movable(db, world.region, every, ["assess"], bram)) == {free, his}
    assert set(tasks.movable(db, world.region, every, ALL)) == set(every)


def test_the_colleagues_are_those_who_work_on_cases(db: Db, world: World, elsewhere: World) -> None:
    bram, gwen = colleague(world, "bram", team=world.team), colleague(world, "gwen")
    colleague(world, "fenna", "administrator")
    colleague(elsewhere, "daar")
    found = [(row["id"], row["name"], row["team"]) for row in tasks.colleagues(db, world.region)]
    assert found == [(bram, "Naam van bram", "Team Noord"), (gwen, "Naam van gwen", None)]


def test_the_queue_of_a_person_of_nobody_and_without_a_team(db: Db, world: World) -> None:
    bram, zuid = colleague(world, "bram"), second_team(world)
    north, south, without = (world.task("assess", uuid7(), NOW, 0, team) for team in (world.team, zuid, None))
    tasks.assign(db, world.region, [north, without], bram, by="bram", at=NOW)
    assert shown(db, world, staff=bram) == {north, without}
    assert shown(db, world, nobody=True) == {south}
    assert shown(db, world, team=zuid) == {south}
    assert shown(db, world, team=zuid, no_team=True) == {south, without}
    assert shown(db, world, no_team=True) == {without}
    counted = queue.counts(db, world.region, ALL, Filter(ALL, nobody=True), NOW, bram)
    assert (counted.open, counted.mine, counted.matching) == (3, 2, 1)
    assert queue.counts(db, world.region, ALL, Filter(ALL), NOW).mine == 0


def test_what_is_nearly_late_and_what_the_clock_marked(db: Db, world: World) -> None:
    late, soon, far = (world.task("assess", uuid7(), NOW + timedelta(hours=hours)) for hours in (-1, 5, 50))
    db.execute("UPDATE task SET escalated_at = %s WHERE id = %s", (NOW, late))
    db.execute("UPDATE task SET reminded_at = %s WHERE id = %s", (NOW, soon))
    assert shown(db, world, due_until=NOW + timedelta(hours=5)) == {soon}
    assert shown(db, world, due_until=NOW + timedelta(hours=50)) == {soon, far}
    assert shown(db, world, marked="escalated") == {late}
    assert shown(db, world, marked="reminded") == {soon}
    assert queue.counts(db, world.region, ALL, Filter(ALL), NOW).escalated == 1


def test_a_row_has_two_clocks_its_person_and_the_newest_look_at_the_risk(db: Db, world: World) -> None:
    received = NOW - timedelta(days=20)
    report = world.report(received)
    task = one(db, "SELECT id FROM task WHERE subject_id = %s", report)["id"]
    zuid = second_team(world)
    tasks.hand_on(db, world.region, [task], zuid, by="teun", at=NOW - timedelta(days=3))
    tasks.assign(db, world.region, [task], colleague(world, "bram"), by="bram", at=NOW)
    (row,) = queue.items(db, world.region, Filter(ALL), NOW)
    assert (row.received_at, row.team_since, row.team) == (received, NOW - timedelta(days=3), "Team Zuid")
    assert (row.staff, row.risk_looked) == ("Naam van bram", None)
    for days in (9, 2, 5):
        tasks.look_at_risk(db, report, 1, reason="Gebeld.", by="bram", at=NOW - timedelta(days=days))
    (row,) = queue.items(db, world.region, Filter(ALL), NOW)
    assert (row.risk, row.risk_looked) == (1, NOW - timedelta(days=2))


def test_every_kind_of_task_has_its_row(db: Db, world: World) -> None:
    report = world.report(NOW - timedelta(days=1))
    kinds = [kind for kind in ALL if kind not in ("assess", "quarantine", "dead_job")]
    for kind in kinds:
        subject = report if kind in ("acute_check", "direct_action", "sign", "recheck", "notify") else uuid7()
        tasks.open_task(db, kind, subject, report, due_at=NOW, at=NOW)
    rows = queue.items(db, world.region, Filter(tuple(kinds)), NOW)
    assert {row.kind for row in rows} == set(kinds)
    assert {row.report_id for row in rows} == {report}


def test_the_first_rows_of_several_lists_are_those_of_each(db: Db, world: World) -> None:
    bram = colleague(world, "bram")
    for hours in range(6):
        task = world.task("assess", uuid7(), NOW + timedelta(hours=hours - 3), hours % 3, world.team)
        if hours % 2:
            tasks.assign(db, world.region, [task], bram, by="teun", at=NOW)
    wanted = [Filter(ALL, overdue=True), Filter(ALL, staff=bram), Filter(ALL, nobody=True), Filter(("sign",))]
    lists = queue.first_items(db, world.region, wanted, NOW, 3)
    assert lists == [queue.items(db, world.region, chosen, NOW, limit=3) for chosen in wanted]
    assert [len(rows) for rows in lists] == [3, 3, 3, 0]
