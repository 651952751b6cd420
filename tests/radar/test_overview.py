"""What the lead reads: the open work of today, and how many terms were kept per month. Checked against plain sums."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.deadlines import AMSTERDAM, end_of_day, local_day
from core.ids import uuid7
from core.staff import add_staff
from radar.casework import overview, queue, reminders, shares, tasks
from radar.casework.shares import Share
from tests.web.conftest import World

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def elsewhere(db: Db) -> World:
    return World(db, 2)


def second_team(world: World) -> UUID:
    team = uuid7()
    world.db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from)"
        " VALUES (%s, %s, 'Team Zuid', 'veilig_thuis', '2020-01-01')",
        (team, world.region),
    )
    return team


def term(
    world: World,
    due_at: datetime,
    met_at: datetime | None = None,
    *,
    kind: str = "safety_assessment",
    subject: UUID | None = None,
    report: UUID | None = None,
    dropped: bool = False,
) -> UUID:
    deadline = uuid7()
    world.db.execute(
        "INSERT INTO deadline (id, region_id, kind, subject_id, report_id, norm_due_on, legal_due_on, due_at, met_at,"
        " dropped_at, dropped_why) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            deadline,
            world.region,
            kind,
            subject or uuid7(),
            report,
            local_day(due_at),
            local_day(due_at),
            due_at,
            met_at,
            due_at if dropped else None,
            "geen melding" if dropped else None,
        ),
    )
    return deadline


def counted(db: Db, world: World, team: UUID | None = None, kind: str = "safety_assessment") -> dict[date, Any]:
    """Per month with anything: in time, late, late and open."""
    found = shares.per_month(db, world.region, team, NOW)
    return {one.month: (one.in_time, one.late, one.open_late) for one in found if one.kind == kind and one.all}


def recount(db: Db, at: datetime = NOW, months: int | None = 3) -> int:
    with db.transaction():
        return shares.recount(db, at, months)


# ── shares ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_in_time_is_before_the_first_moment_of_being_late(db: Db, world: World) -> None:
    due = end_of_day(date(2026, 11, 10))
    term(world, due, due - timedelta(microseconds=1))
    term(world, due, due)
    term(world, due)
    term(world, end_of_day(date(2026, 11, 20)))  # still in time, and open: says nothing yet
    term(world, end_of_day(date(2026, 11, 20)), NOW)
    recount(db)
    assert counted(db, world) == {NOVEMBER: (2, 1, 1)}
    (share,) = [one for one in shares.per_month(db, world.region, None, NOW, 1) if one.kind == "safety_assessment"]
    assert (share.all, share.value) == (4, 0.5)


def test_what_fell_away_counts_nowhere(db: Db, world: World) -> None:
    term(world, end_of_day(date(2026, 11, 10)), dropped=True)
    recount(db)
    assert counted(db, world) == {}
    assert Share("feedback", NOVEMBER, 0, 0, 0).value is None


def test_the_month_is_that_of_the_last_day_here(db: Db, world: World) -> None:
    # Due on 31 October: late from the first moment of November, which is 23:00 in UTC. And around summer time.
    for day in (date(2026, 10, 31), date(2026, 11, 1), date(2026, 3, 31), date(2026, 4, 1)):
        due = end_of_day(day)
        term(world, due, due - timedelta(days=1))
    recount(db)
    assert counted(db, world) == {date(2026, month, 1): (1, 0, 0) for month in (3, 4, 10, 11)}


def test_the_team_is_who_has_the_piece_of_work_else_the_report(db: Db, world: World) -> None:
    zuid = second_team(world)
    due = end_of_day(date(2026, 11, 10))
    report = world.report(NOW - timedelta(days=30))  # Team Noord assesses
    service, told = uuid7(), uuid7()
    tasks.open_task(db, "service", service, report, due_at=due, at=NOW)
    db.execute("UPDATE task SET team_id = %s WHERE subject_id = %s", (zuid, service))
    term(world, due, kind="investigation", subject=service, report=report)
    term(world, due, kind="person_notice", subject=told, report=report)
    term(world, due)  # of no report that anybody has
    recount(db)
    assert counted(db, world, zuid, "investigation") == {NOVEMBER: (0, 0, 1)}
    assert counted(db, world, world.team, "investigation") == {}
    assert counted(db, world, world.team, "person_notice") == {NOVEMBER: (0, 0, 1)}
    assert counted(db, world, shares.NO_TEAM) == {NOVEMBER: (0, 0, 1)}
    assert counted(db, world)[NOVEMBER] == (0, 0, 1)
    assert sum(one.all for one in shares.per_month(db, world.region, None, NOW)) == 4, "with that of the report"


def test_the_counts_are_the_plain_sums_also_after_months_of_work(db: Db, world: World, elsewhere: World) -> None:
    chance = random.Random(7)
    recount(db, NOW - timedelta(days=300))
    for _ in range(150):
        due = end_of_day(local_day(NOW) - timedelta(days=chance.randrange(-20, 360)))
        done = chance.choice([None, due - timedelta(days=1), due + timedelta(days=chance.randrange(80))])
        place = chance.choice([world, world, elsewhere])
        term(place, due, done if done and done <= NOW else None, kind=chance.choice(shares.kinds()))
    assert recount(db, months=None) >= 12

    def plain(at: datetime) -> Counter[Any]:
        rows = db.execute("SELECT * FROM deadline WHERE region_id = %s", (world.region,)).fetchall()
        found: Counter[Any] = Counter()
        for row in rows:
            month = local_day(row["due_at"] - timedelta(microseconds=1)).replace(day=1)
            if row["met_at"]:
                found[row["kind"], month, "in_time" if row["met_at"] < row["due_at"] else "late"] += 1
            elif row["due_at"] <= at:
                found[row["kind"], month, "open_late"] += 1
        return found

    def stored(at: datetime) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for one in shares.per_month(db, world.region, None, at, 16):
            for what in ("in_time", "late", "open_late"):
                found[one.kind, one.month, what] = getattr(one, what)
        return +found

    assert stored(NOW) == Counter({key: n for key, n in plain(NOW).items() if key[1] <= NOVEMBER})
    # A month later: what was open got done, however old; the short count sees that too.
    later = NOW + timedelta(days=30)
    db.execute("UPDATE deadline SET met_at = %s WHERE met_at IS NULL AND due_at < %s", (later, NOW))
    recount(db, later)
    assert stored(later) == plain(later)


def test_one_clock_counts_at_a_time(db: Db, world: World, database_url: str) -> None:
    term(world, end_of_day(date(2026, 11, 10)))
    with psycopg.connect(database_url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (shares._LOCK,))
        assert recount(db) == 0
        assert counted(db, world) == {}
        other.rollback()
    assert recount(db) > 0
    assert recount(db) > 0
    assert counted(db, world) == {NOVEMBER: (0, 0, 1)}, "counted again, not added"


def test_the_terms_with_a_norm_and_those_of_persons_and_reporters_are_counted() -> None:
    assert set(shares.kinds()) == {"safety_assessment", "investigation", "person_notice", "feedback"}


# ── today ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_today_is_the_plain_count_per_team_and_per_person(db: Db, world: World, elsewhere: World) -> None:
    chance = random.Random(3)
    zuid = second_team(world)
    people = [add_staff(db, world.region, name, name, "assessor", "een lang wachtwoord", zuid) for name in ("a", "b")]
    for _ in range(120):
        place = chance.choice([world, world, world, elsewhere])
        team = chance.choice([world.team, zuid, None]) if place is world else elsewhere.team
        task = place.task(
            chance.choice(list(queue.KINDS)), uuid7(), NOW + timedelta(hours=chance.randrange(-50, 90)), 0, team
        )
        if place is world and chance.random() < 0.5:
            db.execute("UPDATE task SET staff_id = %s WHERE id = %s", (chance.choice(people), task))
    reminders.escalate(db, NOW - timedelta(hours=9))
    rows = db.execute("SELECT * FROM task WHERE region_id = %s", (world.region,)).fetchall()
    soon = datetime.combine(date(2026, 11, 20), time.min, tzinfo=AMSTERDAM)

    def plain(lines: list[dict[str, Any]]) -> tuple[Any, ...]:
        return (
            len(lines),
            sum(row["kind"] == "acute_check" for row in lines),
            sum(row["due_at"] <= NOW for row in lines),
            sum(NOW < row["due_at"] <= soon for row in lines),
            sum(row["escalated_at"] is not None for row in lines),
            min((row["received_at"] for row in lines), default=None),
        )

    def shown(line: overview.Line) -> tuple[Any, ...]:
        return line.open, line.unchecked, line.overdue, line.soon, line.escalated, line.oldest

    whole = overview.today(db, world.region, None, NOW)
    assert shown(whole.whole) == plain(rows)
    assert whole.whole.escalated > 0
    assert [line.name for line in whole.teams] == [None, "Team Noord", "Team Zuid"]
    for line in whole.teams:
        assert shown(line) == plain([row for row in rows if row["team_id"] == line.id])
    assert [line.name for line in whole.staff] == [None, "a", "b"]
    for line in whole.staff:
        assert shown(line) == plain([row for row in rows if row["staff_id"] == line.id])

    south = overview.today(db, world.region, zuid, NOW)
    ours = [row for row in rows if row["team_id"] in (zuid, None)]
    assert shown(south.whole) == plain(ours)
    assert [line.name for line in south.teams] == [None, "Team Zuid"]
    for line in south.staff:
        assert shown(line) == plain([row for row in ours if row["staff_id"] == line.id])


def test_who_has_nothing_is_named_too(db: Db, world: World, elsewhere: World) -> None:
    world.staff("assessor", "bram")
    world.staff("administrator", "fenna")
    elsewhere.staff("assessor", "daar")
    found = overview.today(db, world.region, None, NOW)
    assert [(line.name, line.open) for line in found.staff] == [(None, 0), ("Naam van bram", 0)]
    assert [(line.name, line.open) for line in found.teams] == [(None, 0), ("Team Noord", 0)]
    assert found.whole.oldest is None


def test_the_longest_waiting_are_the_oldest_reports_with_work(db: Db, world: World, elsewhere: World) -> None:
    zuid = second_team(world)
    oldest, middle, _, old_done = (
        world.report(NOW - timedelta(days=days), done=days == 40) for days in (30, 20, 1, 40)
    )
    elsewhere.report(NOW - timedelta(days=90))
    world.task("quarantine", uuid7(), NOW, received_at=NOW - timedelta(days=99))
    found = overview.longest_waiting(db, world.region, None, 2)
    assert [row["report_id"] for row in found] == [oldest, middle]
    assert old_done not in {row["report_id"] for row in found}
    db.execute("UPDATE task SET team_id = %s WHERE report_id = %s", (zuid, middle))
    assert [row["report_id"] for row in overview.longest_waiting(db, world.region, zuid)] == [middle]
