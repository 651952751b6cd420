"""The clock reminds, escalates and asks for a look at the risk; it closes nothing and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import audit
from core.database import Db
from core.deadlines import AMSTERDAM, end_of_day
from core.errors import VeiligError
from core.ids import uuid7
from radar.casework import reminders, tasks, terms
from tests.web.conftest import World
from workers import clock

# Monday 16 November 2026 and the days around it; no holidays.
THURSDAY, FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY = (date(2026, 11, 12) + timedelta(days=n) for n in range(6))
WAITING = ("assessing", "signing", "handover")


def at(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """A moment here."""
    return datetime.combine(day, time(hour, minute), tzinfo=AMSTERDAM).astimezone(UTC)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


def marks(db: Db, task: UUID) -> tuple[Any, Any]:
    row = db.execute("SELECT reminded_at, escalated_at FROM task WHERE id = %s", (task,)).fetchone()
    assert row is not None
    return row["reminded_at"], row["escalated_at"]


def number(db: Db, query: str, *values: object) -> int:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row["n"])


def begun(db: Db, world: World, kind: str, report: UUID) -> UUID:
    """A service that runs."""
    service = uuid7()
    db.execute(
        "INSERT INTO service (id, region_id, report_id, kind, decided_at) VALUES (%s, %s, %s, %s, now())",
        (service, world.region, report, kind),
    )
    return service


def asked(db: Db, world: World, kind: str, report: UUID) -> UUID:
    """A request of somebody concerned."""
    request = uuid7()
    db.execute(
        "INSERT INTO person_request (id, region_id, report_id, mention_id, kind, received_on, noted_at, actor)"
        " SELECT %s, %s, %s, id, %s, current_date, now(), 'bram' FROM mention WHERE report_id = %s",
        (request, world.region, report, kind, report),
    )
    return request


@pytest.mark.parametrize(
    ("kind", "due_on", "before", "moment"),
    [
        # The term says so many days.
        ("assess", TUESDAY, at(MONDAY, 23, 59), at(TUESDAY, 0)),
        ("feedback", TUESDAY, at(SUNDAY, 23, 59), at(MONDAY, 0)),
        ("notify", MONDAY, at(date(2026, 11, 9), 23, 59), at(date(2026, 11, 10), 0)),
        ("monitor", MONDAY, at(date(2026, 11, 2), 23, 59), at(date(2026, 11, 3), 0)),
        # A small step: the last working day, which is the day itself or the Friday before.
        ("recheck", MONDAY, at(SUNDAY, 23, 59), at(MONDAY, 0)),
        ("sign", FRIDAY, at(THURSDAY, 23, 59), at(FRIDAY, 0)),
        ("handover", SUNDAY, at(THURSDAY, 23, 59), at(FRIDAY, 0)),
        ("quarantine", SATURDAY, at(THURSDAY, 23, 59), at(FRIDAY, 0)),
        # Good Friday and Easter Monday are no working days: due on the Monday is reminded of on the Thursday.
        ("review_link", date(2026, 4, 6), at(date(2026, 4, 1), 23, 59), at(date(2026, 4, 2), 0)),
    ],
)
def test_the_moment_of_the_reminder(
    db: Db, world: World, kind: str, due_on: date, before: datetime, moment: datetime
) -> None:
    task = world.task(kind, uuid7(), end_of_day(due_on))
    reminders.remind(db, before)
    assert marks(db, task) == (None, None)
    reminders.remind(db, moment)
    assert marks(db, task) == (moment, None)
    reminders.remind(db, moment + timedelta(hours=1))
    assert marks(db, task) == (moment, None), "once"


@pytest.mark.parametrize(
    ("make", "kind", "task_kind", "days"),
    [
        (begun, "investigation", "service", 14),
        (begun, "conditions", "service", 14),
        (begun, "regional_task", "service", 1),
        (asked, "access", "person_request", 10),
        (asked, "destruction", "person_request", 21),
    ],
)
def test_a_service_and_a_request_are_reminded_of_by_their_own_term(
    db: Db, world: World, make: Callable[..., UUID], kind: str, task_kind: str, days: int
) -> None:
    due_at = end_of_day(TUESDAY)
    task = world.task(task_kind, make(db, world, kind, world.report(at(MONDAY), done=True)), due_at)
    reminders.remind(db, due_at - timedelta(days=days, seconds=1))
    assert marks(db, task)[0] is None
    reminders.remind(db, due_at - timedelta(days=days))
    assert marks(db, task)[0] is not None


def test_acute_work_is_due_at_once_and_only_escalates(db: Db, world: World) -> None:
    check, action = (world.task(kind, uuid7(), at(MONDAY, 13), 2) for kind in ("acute_check", "direct_action"))
    reminders.round(db, at(MONDAY, 12, 59))
    assert [marks(db, task) for task in (check, action)] == [(None, None)] * 2
    reminders.round(db, at(MONDAY, 13))
    assert [marks(db, task) for task in (check, action)] == [(None, at(MONDAY, 13))] * 2


def test_what_is_late_is_escalated_once_and_written_down(db: Db, world: World) -> None:
    task = world.task("assess", uuid7(), end_of_day(FRIDAY))
    done = world.task("assess", uuid7(), end_of_day(FRIDAY), done=True)
    reminders.round(db, end_of_day(FRIDAY) - timedelta(microseconds=1))
    assert marks(db, task)[1] is None
    for hours in (0, 1, 2):
        reminders.round(db, end_of_day(FRIDAY) + timedelta(hours=hours))
    assert marks(db, task)[1] == end_of_day(FRIDAY)
    assert marks(db, done) == (None, None)
    (line,) = audit.of_object(db, task)
    assert (line["actor"], line["action"], line["details"]["kind"]) == ("system", "task.escalate", "assess")
    assert audit.of_object(db, done) == []


def test_a_later_due_date_takes_the_marks_away(db: Db, world: World) -> None:
    task = world.task("feedback", uuid7(), end_of_day(FRIDAY))
    reminders.round(db, at(FRIDAY))
    reminders.round(db, at(SATURDAY))
    assert None not in marks(db, task)
    db.execute("UPDATE task SET due_at = %s WHERE id = %s", (end_of_day(date(2026, 11, 27)), task))
    assert marks(db, task) == (None, None)
    reminders.round(db, at(MONDAY))
    assert marks(db, task) == (None, None), "still eleven days"
    reminders.round(db, at(date(2026, 11, 26)))
    assert marks(db, task) == (at(date(2026, 11, 26)), None), "reminded of its new date"


def test_one_round_does_all_that_waits(db: Db, world: World) -> None:
    many = reminders.AT_ONCE * 2 + 5
    for _ in range(many):
        world.task("assess", uuid7(), at(FRIDAY))
    assert reminders.round(db, at(MONDAY))["reminders.escalate"] == many
    assert sum(reminders.round(db, at(MONDAY)).values()) == 0, "nothing is left"


def test_two_clocks_at_once_mark_and_open_each_once(db: Db, world: World) -> None:
    now = datetime.now(UTC)
    for _ in range(60):
        world.task("review_link", uuid7(), now - timedelta(hours=1))
    waiting = [world.report(now - timedelta(days=30)) for _ in range(20)]
    with ThreadPoolExecutor(2) as clocks:
        for one in [clocks.submit(clock.remind) for _ in range(2)]:
            one.result()
    clock.remind()
    late = number(db, "SELECT count(*) AS n FROM task WHERE escalated_at IS NOT NULL")
    assert late == 60 + len(waiting)
    assert number(db, "SELECT count(*) AS n FROM audit_entry WHERE action = 'task.escalate'") == late
    assert number(db, "SELECT count(*) AS n FROM task WHERE kind = 'recheck'") == len(waiting)


@pytest.mark.parametrize("state", WAITING)
def test_a_waiting_report_is_looked_at_again_after_so_many_days(db: Db, world: World, state: str) -> None:
    days = timedelta(days=terms.terms().recheck.days)
    report = world.report(at(MONDAY), state=state, risk=1)
    assert reminders.ask_for_a_look(db, at(MONDAY) + days - timedelta(seconds=1)) == 0
    then = at(MONDAY) + days
    assert reminders.ask_for_a_look(db, then) == 1
    assert reminders.ask_for_a_look(db, then + days) == 0, "one open task is enough"
    row = db.execute("SELECT * FROM task WHERE kind = 'recheck'").fetchone()
    assert row is not None
    assert (row["subject_id"], row["report_id"], row["team_id"]) == (report, report, world.team)
    assert (row["risk"], row["due_at"], row["opened_at"]) == (1, terms.soon(then), then)

    tasks.look_at_risk(db, report, 0, reason="School heeft zicht.", by="bram", at=then)
    tasks.close_task(db, "recheck", report, by="bram", at=then, outcome="looked")
    assert reminders.ask_for_a_look(db, then + days - timedelta(seconds=1)) == 0
    assert reminders.ask_for_a_look(db, then + days) == 1, "counted from the last look"


@pytest.mark.parametrize("state", ["received", "conditions", "investigation", "monitoring", "joined", "closed"])
def test_what_does_not_wait_for_a_decision_or_partner_is_left(db: Db, world: World, state: str) -> None:
    world.report(at(MONDAY) - timedelta(days=90), state=state)
    assert reminders.ask_for_a_look(db, at(MONDAY)) == 0


def test_a_report_that_is_being_moved_is_left_for_the_next_round(db: Db, world: World, database_url: str) -> None:
    report = world.report(at(MONDAY) - timedelta(days=90))
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM report WHERE id = %s FOR UPDATE", (report,))
        assert reminders.ask_for_a_look(db, at(MONDAY)) == 0
        other.rollback()
    assert reminders.ask_for_a_look(db, at(MONDAY)) == 1


def test_the_clock_closes_nothing_and_decides_nothing(db: Db, world: World) -> None:
    for number_, state in enumerate((*WAITING, "received", "conditions", "monitoring")):
        world.report(at(MONDAY) - timedelta(days=40 + number_), state=state)
    world.task("quarantine", uuid7(), at(MONDAY) - timedelta(days=90))
    left_alone = (
        "SELECT id, state, case_id FROM report ORDER BY id",
        "SELECT report_id, number, state FROM report_step ORDER BY report_id, number",
        "SELECT * FROM deadline ORDER BY id",
        "SELECT * FROM deadline_entry ORDER BY deadline_id, number",
        "SELECT * FROM route ORDER BY id",
        "SELECT id, team_id, staff_id, risk, due_at, done_at FROM task WHERE kind <> 'recheck' ORDER BY id",
        "SELECT id FROM task WHERE done_at IS NOT NULL",
    )
    before = [db.execute(query).fetchall() for query in left_alone]
    done = reminders.round(db, at(MONDAY))
    assert done["reminders.escalate"] > 0
    assert done["reminders.ask_for_a_look"] == len(WAITING)
    assert [db.execute(query).fetchall() for query in left_alone] == before


def test_what_fails_keeps_nothing_else_from_being_done(db: Db, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    task = world.task("assess", uuid7(), at(FRIDAY))

    def fail(db: Db, at: datetime) -> int:
        db.execute("UPDATE task SET risk = 2")
        raise VeiligError

    monkeypatch.setattr(reminders, "CLOCK_WORK", (fail, *reminders.CLOCK_WORK))
    with pytest.raises(ExceptionGroup) as raised:
        reminders.round(db, at(MONDAY))
    assert [type(error) for error in raised.value.exceptions] == [VeiligError]
    assert marks(db, task)[1] == at(MONDAY)
    assert number(db, "SELECT risk AS n FROM task WHERE id = %s", task) == 0, "what failed left nothing behind"


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        (at(THURSDAY), FRIDAY),
        (at(FRIDAY), MONDAY),
        (at(SATURDAY), MONDAY),
        (at(SUNDAY, 23, 59), MONDAY),
        (at(MONDAY, 0), TUESDAY),
        (at(date(2026, 4, 2)), date(2026, 4, 7)),
    ],
)
def test_the_end_of_the_next_working_day(moment: datetime, last: date) -> None:
    assert reminders.end_of_next_working_day(moment) == end_of_day(last)
