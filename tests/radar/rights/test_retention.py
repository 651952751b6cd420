"""Twenty years from the last change of somebody's own data: later changes move it, technique and reading do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import audit
from core.database import Db
from core.ids import uuid7
from intake.terms import calendar
from radar.casework import letters, notices, tasks
from radar.rights import requests, retention
from tests.web.conftest import FATHER, MOTHER, World

RECEIVED = datetime(2026, 1, 5, 9, tzinfo=UTC)
LATER = RECEIVED + timedelta(days=100)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    household, case = world.household(RECEIVED)
    made = world.report(RECEIVED, [MOTHER, FATHER], household=household, case=case)
    for number in (1, 2):
        world.link(made, number, uuid7(), "new", household=household)
    notices.begin(world.db, made, RECEIVED)
    return made


def mention(db: Db, report: UUID, number: int = 1) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def kept(db: Db, world: World, report: UUID) -> list[tuple[str, datetime]]:
    return [(one.change, one.changed_at) for one in retention.of_report(db, world.region, report)]


@given(st.dates(date(1990, 1, 1), date(2080, 12, 31)))
def test_twenty_years_never_shift_whatever_day_they_end_on(day: date) -> None:
    term = retention.until(day)
    leap = (day.month, day.day) == (2, 29)
    assert term.due_on == date(day.year + 20, day.month, 28 if leap and (day.year + 20) % 4 else day.day)
    assert [step.kind for step in term.steps] == ["day_zero", "term_end", "unshifted", "due"]
    assert "art. 4" in term.steps[2].reason


def test_it_ends_on_a_day_off_when_that_is_the_day() -> None:
    term = retention.until(date(2026, 1, 6))
    assert term.due_on == date(2046, 1, 6)
    assert calendar().why_not(term.due_on) == "zaterdag"


def test_without_anything_else_it_is_the_report(db: Db, world: World, report: UUID) -> None:
    assert kept(db, world, report) == [(retention.CHANGES["report"], RECEIVED)] * 2
    assert retention.of_report(db, UUID(int=0), report) == []


Change = Callable[[Db, UUID], None]


def _told(db: Db, report: UUID) -> None:
    notices.told(db, mention(db, report), how="talk", told_at=LATER, by="bram", at=LATER)


def _asked(db: Db, report: UUID) -> None:
    requests.receive(db, mention(db, report), "access", LATER.date(), by="bram", at=LATER)


def _written(db: Db, report: UUID) -> None:
    fields = {"aan": "M", "over": "u", "bellen": "1", "medewerker": "B"}
    letters.make(db, report, "person_notice", fields, mention(db, report), "bram", LATER)


def _spoken(db: Db, report: UUID) -> None:
    db.execute(
        "INSERT INTO contact (id, region_id, report_id, at, noted_at, actor, with_kind, mention_id, who, how,"
        " summary, informed) SELECT %s, region_id, id, %s, %s, 'bram', 'person', %s, 'M', 'call', 'x', true"
        " FROM report WHERE id = %s",
        (uuid7(), LATER, LATER, mention(db, report), report),
    )


@pytest.mark.parametrize(
    ("change", "words"), [(_told, "notice"), (_asked, "request"), (_written, "letter"), (_spoken, "contact")]
)
def test_what_is_about_one_person_moves_it_for_him_only(
    db: Db, world: World, report: UUID, change: Change, words: str
) -> None:
    change(db, report)
    assert kept(db, world, report) == [
        (retention.CHANGES[words], LATER),
        (retention.CHANGES["report"], RECEIVED),
    ]


def test_what_is_said_in_the_report_moves_it_for_everybody_in_it(db: Db, world: World, report: UUID) -> None:
    tasks.look_at_risk(db, report, 1, reason="Buren belden.", by="bram", at=LATER)
    assert kept(db, world, report) == [(retention.CHANGES["risk"], LATER)] * 2
    closed = LATER + timedelta(days=1)
    db.execute(
        "INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)"
        " SELECT id, 2, region_id, 'close', state, %s, 'bram', 'Klaar' FROM report WHERE id = %s",
        (closed, report),
    )
    assert kept(db, world, report) == [(retention.CHANGES["step"], closed)] * 2


def test_a_new_report_about_the_same_person_moves_it_for_that_person(db: Db, world: World, report: UUID) -> None:
    again = world.report(LATER, [MOTHER])
    row = db.execute("SELECT person_id FROM link WHERE mention_id = %s", (mention(db, report),)).fetchone()
    assert row is not None
    link = world.link(again, 1, row["person_id"], "automatic")
    assert [at for _, at in kept(db, world, report)] == [LATER, RECEIVED]
    assert kept(db, world, again) == [(retention.CHANGES["report"], LATER)]
    db.execute("UPDATE link SET state = 'undone', decided_by = 'bram', decided_at = now() WHERE id = %s", (link,))
    assert [at for _, at in kept(db, world, report)] == [RECEIVED, RECEIVED], "it was somebody else after all"


def test_technical_writes_and_reading_move_nothing(db: Db, world: World, report: UUID) -> None:
    """domain.md 13.8: an index, a migration, another rule set, a link of the machine, an audit row of a reader."""
    before = kept(db, world, report)
    db.execute("UPDATE mention SET role_code = role_code WHERE report_id = %s", (report,))
    db.execute("UPDATE link SET rule_set = '2099-01', created_at = %s", (LATER,))
    db.execute("UPDATE report SET linked_at = %s WHERE id = %s", (LATER, report))
    db.execute(
        "INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)"
        " SELECT id, 2, region_id, 'receive', state, %s, 'system', 'Overgenomen' FROM report WHERE id = %s",
        (LATER, report),
    )
    notices.remind(db, None, LATER)
    audit.append(db, world.region, "bram", "report.view", "report", report)
    assert kept(db, world, report) == before
