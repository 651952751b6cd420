"""Contacts, and what each is told at the first one: procedure, use of data, access and complaints (T9)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db, connection_options
from core.errors import NotAllowed, NotFound
from core.ids import uuid7
from radar.casework import contacts, ledger
from tests.radar import desk
from tests.web.conftest import MOTHER, PERSON, World

RECEIVED = datetime(2026, 3, 2, 9, tzinfo=UTC)
CALLED = datetime(2026, 3, 4, 13, 30, tzinfo=UTC)
"""A Wednesday."""
NOTED = datetime(2026, 3, 11, 16, tzinfo=UTC)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    household, case = world.household(RECEIVED)
    return world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case)


@pytest.fixture
def mother(db: Db, report: UUID) -> UUID:
    return mention(db, report, 2)


def mention(db: Db, report: UUID, number: int) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def note(db: Db, report: UUID, service_id: UUID | None = None, **changes: Any) -> UUID:
    values: dict[str, Any] = {
        "with_kind": "informant",
        "mention_id": None,
        "who": "Juf Anna, De Es",
        "how": "call",
        "happened_at": CALLED,
        "summary": "Zij ziet blauwe plekken.",
        "informed": False,
        "by": "ilse",
        "role": "intake_worker",
        "at": NOTED,
    }
    with db.transaction():
        return contacts.note(db, report, service_id, **values | changes)


def inform_tasks(db: Db) -> list[dict[str, Any]]:
    return db.execute("SELECT * FROM task WHERE kind = 'inform' ORDER BY opened_at, id").fetchall()


def terms_of(db: Db, world: World, report: UUID) -> list[dict[str, Any]]:
    return [row for row in ledger.of_report(db, world.region, report) if row["kind"] == "information"]


# ── the first contact ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", contacts.TOLD_AT_FIRST)
def test_who_was_not_told_at_the_first_contact_is_told_soon(
    db: Db, world: World, report: UUID, mother: UUID, kind: str
) -> None:
    contact = note(db, report, with_kind=kind, mention_id=mother)
    [term] = terms_of(db, world, report)
    assert (term["subject_id"], term["norm_due_on"], term["met_at"]) == (contact, date(2026, 3, 5), None)
    [task] = inform_tasks(db)
    assert (task["subject_id"], task["report_id"], task["due_at"], task["done_at"]) == (
        contact,
        report,
        term["due_at"],
        None,
    )


@pytest.mark.parametrize("kind", contacts.TOLD_AT_FIRST)
def test_who_was_told_at_the_first_contact_needs_nothing_more(
    db: Db, world: World, report: UUID, mother: UUID, kind: str
) -> None:
    note(db, report, with_kind=kind, mention_id=mother, informed=True)
    note(db, report, with_kind=kind, mention_id=mother, happened_at=CALLED + timedelta(days=1))
    assert terms_of(db, world, report) == []
    assert inform_tasks(db) == []


def test_a_later_contact_that_tells_it_meets_the_term_and_closes_the_task(
    db: Db, world: World, report: UUID, mother: UUID
) -> None:
    note(db, report, with_kind="person", mention_id=mother)
    told = CALLED + timedelta(days=6)
    note(db, report, with_kind="person", mention_id=mother, happened_at=told, informed=True, by="bram")
    [term] = terms_of(db, world, report)
    assert term["met_at"] == told > term["due_at"]
    [task] = inform_tasks(db)
    assert (task["done_by"], task["outcome"]) == ("bram", "informed")


def test_one_term_and_one_task_however_often_he_is_not_told(db: Db, world: World, report: UUID) -> None:
    for days in range(3):
        note(db, report, happened_at=CALLED + timedelta(days=days))
    assert len(terms_of(db, world, report)) == len(inform_tasks(db)) == 1


def test_each_person_and_each_informant_is_told_himself(db: Db, world: World, report: UUID, mother: UUID) -> None:
    child = mention(db, report, 1)
    note(db, report, with_kind="person", mention_id=child)
    note(db, report, with_kind="person", mention_id=mother)
    note(db, report, who="Huisarts Smit")
    note(db, report)
    assert len(inform_tasks(db)) == 4
    note(db, report, who="huisarts  SMIT ", happened_at=CALLED + timedelta(hours=1), informed=True)
    note(db, report, with_kind="person", mention_id=mother, happened_at=CALLED + timedelta(hours=1), informed=True)
    still = {term["subject_id"] for term in terms_of(db, world, report) if term["met_at"] is None}
    shown = {row["id"]: (row["mention_id"], row["who"]) for row in contacts.of_report(db, world.region, report)}
    assert {shown[contact] for contact in still} == {(child, "Juf Anna, De Es"), (None, "Juf Anna, De Es")}


def test_who_speaks_for_a_person_does_not_make_him_another(db: Db, world: World, report: UUID, mother: UUID) -> None:
    note(db, report, with_kind="person", mention_id=mother, who="")
    note(db, report, with_kind="person", mention_id=mother, who="via haar advocaat", informed=True)
    assert [term["met_at"] for term in terms_of(db, world, report)] == [CALLED]


def test_a_partner_is_a_colleague_and_needs_no_information(db: Db, world: World, report: UUID) -> None:
    note(db, report, with_kind="partner", who="Wijkteam Dal")
    assert terms_of(db, world, report) == []
    assert inform_tasks(db) == []


def test_an_earlier_contact_that_told_it_noted_late_takes_the_term_away(db: Db, world: World, report: UUID) -> None:
    note(db, report)
    note(db, report, happened_at=CALLED - timedelta(days=1), informed=True)
    [term] = terms_of(db, world, report)
    assert (term["met_at"], term["dropped_at"]) == (None, NOTED)
    assert inform_tasks(db)[0]["done_at"] == NOTED


def test_an_earlier_contact_without_it_noted_late_shows_when_it_was_put_right(
    db: Db, world: World, report: UUID
) -> None:
    note(db, report, informed=True)
    first = note(db, report, happened_at=CALLED - timedelta(days=1))
    [term] = terms_of(db, world, report)
    assert (term["subject_id"], term["norm_due_on"], term["met_at"]) == (first, date(2026, 3, 4), CALLED)
    assert inform_tasks(db) == []


def test_an_informant_gets_no_standard_feedback(db: Db, report: UUID) -> None:
    before = {row["kind"] for row in db.execute("SELECT kind FROM task")}
    note(db, report, informed=True)
    assert {row["kind"] for row in db.execute("SELECT kind FROM task")} == before
    for table in ("feedback", "outgoing_message", "letter"):
        assert db.execute(f"SELECT count(*) AS n FROM {table}").fetchone() == {"n": 0}


def test_two_people_note_the_first_contact_at_once_and_one_term_starts(
    db: Db, database_url: str, world: World, report: UUID
) -> None:
    barrier = Barrier(2)

    def noting(who: str) -> UUID:
        with psycopg.connect(database_url, **connection_options()) as own:
            barrier.wait(10)
            return note(own, report, by=who)

    with ThreadPoolExecutor(2) as pool:
        made = set(pool.map(noting, ["ilse", "bram"]))
    assert {row["id"] for row in contacts.of_report(db, world.region, report)} == made
    assert len(terms_of(db, world, report)) == len(inform_tasks(db)) == 1


# ── what is noted ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_contact_is_kept_with_its_service_and_in_the_audit_trail(db: Db, world: World, report: UUID) -> None:
    desk.assess(db, report, "conditions", at=RECEIVED)
    row = db.execute("SELECT id FROM service WHERE report_id = %s", (report,)).fetchone()
    assert row is not None
    contact = note(db, report, row["id"], who=" Juf  Anna ")
    [kept] = contacts.of_report(db, world.region, report)
    assert (kept["id"], kept["service_id"], kept["at"], kept["noted_at"]) == (contact, row["id"], CALLED, NOTED)
    assert (kept["who"], kept["how"], kept["informed"], kept["actor"]) == ("Juf Anna", "call", False, "ilse")
    assert kept["inform_due_at"] is not None
    noted = db.execute("SELECT action, details FROM audit_entry WHERE object_id = %s", (contact,)).fetchall()
    assert noted == [{"action": "contact.note", "details": {"kind": "informant", "how": "call"}}]


def test_the_name_of_the_reporter_is_not_kept(db: Db, world: World, report: UUID) -> None:
    note(db, report, with_kind="reporter", who="Buurman Jansen van nummer 3")
    assert [row["who"] for row in contacts.of_report(db, world.region, report)] == [""]
    columns = db.execute("SELECT count(*) AS n FROM audit_entry WHERE details::text LIKE '%Jansen%'").fetchone()
    assert columns == {"n": 0}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"with_kind": "neighbour"}, contacts.UnknownKind),
        ({"with_kind": "person"}, contacts.PersonMissing),
        ({"with_kind": "person", "mention_id": uuid7()}, contacts.PersonMissing),
        ({"who": "  "}, contacts.WhoMissing),
        ({"with_kind": "partner", "who": ""}, contacts.WhoMissing),
        ({"how": "smoke"}, contacts.UnknownWay),
        ({"summary": "\n"}, contacts.SummaryMissing),
        ({"happened_at": None}, contacts.WrongMoment),
        ({"happened_at": NOTED + timedelta(minutes=1)}, contacts.WrongMoment),
        ({"happened_at": RECEIVED - timedelta(days=1)}, contacts.WrongMoment),
        ({"role": "administrator"}, NotAllowed),
    ],
)
def test_what_is_missing_or_wrong_is_refused_and_nothing_is_kept(
    db: Db, world: World, report: UUID, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        note(db, report, **changes)
    assert contacts.of_report(db, world.region, report) == []
    assert inform_tasks(db) == []


def test_a_person_of_another_report_is_refused(db: Db, world: World, report: UUID) -> None:
    other = world.report(RECEIVED, [PERSON])
    with pytest.raises(contacts.PersonMissing):
        note(db, report, with_kind="person", mention_id=mention(db, other, 1))


def test_a_report_or_a_service_that_is_not_there_is_not_found(db: Db, report: UUID) -> None:
    with pytest.raises(NotFound):
        note(db, uuid7())
    with pytest.raises(NotFound):
        note(db, report, uuid7())


def test_the_newest_contact_stands_first_and_another_region_sees_none(db: Db, world: World, report: UUID) -> None:
    made = [note(db, report, happened_at=CALLED + timedelta(days=days)) for days in (1, 0, 2)]
    assert [row["id"] for row in contacts.of_report(db, world.region, report)] == [made[2], made[0], made[1]]
    assert contacts.of_report(db, World(db, 2).region, report) == []
