"""Telling persons concerned: a clock per person, met wherever he was told, reminded of, and never for a reporter."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.casework import ages, ledger, letters, notices, tasks
from radar.casework.notices import NotYet, WrongWay
from radar.outbound import recipients
from tests.web.conftest import FATHER, MOTHER, PERSON, World, person

RECEIVED = datetime(2026, 3, 3, 22, 50, tzinfo=UTC)
"""Ten to midnight on 3 March in the Netherlands."""
AT = datetime(2026, 3, 4, 8, tzinfo=UTC)
WEEK = timedelta(weeks=1)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


def family(world: World, at: datetime, people: list[dict[str, Any]], household: tuple[UUID, UUID]) -> UUID:
    return world.report(at, people, household=household[0], case=household[1])


def mention(db: Db, report: UUID, number: int) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def term(db: Db, world: World, report: UUID, number: int) -> dict[str, Any] | None:
    return ledger.find(db, world.region, "person_notice", mention(db, report, number))


def met(db: Db, world: World, report: UUID, number: int) -> datetime | None:
    found = term(db, world, report, number)
    assert found is not None
    moment: datetime | None = found["met_at"]
    return moment


def open_task(db: Db, report: UUID) -> dict[str, Any] | None:
    query = "SELECT * FROM task WHERE kind = 'notify' AND subject_id = %s AND done_at IS NULL"
    return db.execute(query, (report,)).fetchone()


# ── who has a clock ─────────────────────────────────────────────────────────────────────────────────────────────


def test_each_person_concerned_gets_four_weeks_from_the_day_of_receipt(db: Db, world: World) -> None:
    report = family(world, RECEIVED, [PERSON, MOTHER, FATHER], world.household(RECEIVED))
    assert notices.begin(db, report, AT) == 3
    assert notices.begin(db, report, AT + WEEK) == 3, "once: a second run keeps what there is"
    for number in (1, 2, 3):
        found = term(db, world, report, number)
        assert found is not None
        assert (found["norm_due_on"], found["legal_due_on"], found["report_id"]) == (
            date(2026, 3, 31),
            date(2026, 3, 31),
            report,
        )
    counted = db.execute(
        "SELECT count(*) AS n FROM deadline_entry e JOIN deadline d ON d.id = e.deadline_id"
        " WHERE d.kind = 'person_notice'"
    ).fetchone()
    assert counted == {"n": 3}


def test_reporter_informant_contact_professional_and_unborn_child_have_no_clock(db: Db, world: World) -> None:
    unborn = person("", "Voorbeeld", "99999999", "kind")
    everyone = [
        MOTHER,
        unborn,
        *(person("Test", f"Rol{code}", "19800101", "x") for code in (391, 392, 393, 411, 491)),
    ]
    report = family(world, RECEIVED, everyone, world.household(RECEIVED))
    for number, code in ((1, 112), (2, 115), (3, 391), (4, 392), (5, 393), (6, 411), (7, 491)):
        db.execute("UPDATE mention SET role_code = %s WHERE report_id = %s AND number = %s", (code, report, number))
    assert notices.begin(db, report, AT) == 1
    assert [one.number for one in notices.waiting(db, world.region, report, AT.date())] == [1]
    for number in (2, 3, 7):
        with pytest.raises(Conflict, match="hoeft geen bericht"):
            notices.told(db, mention(db, report, number), how="talk", told_at=AT, by="bram", at=AT)


@pytest.mark.parametrize("state", ["imported", "forwarded"])
def test_a_form_that_is_no_report_and_an_old_register_start_no_clock(db: Db, world: World, state: str) -> None:
    household = world.household(RECEIVED)
    report = world.report(RECEIVED, [MOTHER], household=household[0], case=household[1], state=state)
    assert notices.begin(db, report, AT) == 0
    assert term(db, world, report, 1) is None


def test_the_clocks_of_a_report_cost_as_many_statements_for_one_person_as_for_many(db: Db, world: World) -> None:
    class Counting:
        """The connection, and how often it was asked something."""

        asked = 0

        def execute(self, *call: Any) -> Any:
            self.asked += 1
            return db.execute(*call)

    counts = []
    for people in ([MOTHER], [MOTHER] * 12):
        counting = Counting()
        report = family(world, RECEIVED, people, world.household(RECEIVED))
        assert notices.begin(counting, report, AT) == len(people)  # type: ignore[arg-type]
        counts.append(counting.asked)
    assert counts == [3, 3]


# ── told ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_telling_a_person_meets_his_terms_in_every_report_that_came_before(db: Db, world: World) -> None:
    home = world.household(RECEIVED)
    first = family(world, RECEIVED, [MOTHER, FATHER], home)
    second = family(world, RECEIVED + WEEK, [MOTHER], home)
    later = family(world, RECEIVED + 3 * WEEK, [MOTHER], home)
    mother = uuid7()
    for report in (first, second, later):
        world.link(report, 1, mother, "automatic", household=home[0])
        notices.begin(db, report, AT)
    world.link(first, 2, uuid7(), "new", household=home[0])
    told_at = RECEIVED + 2 * WEEK
    found = notices.told(db, mention(db, second, 1), how="talk", told_at=told_at, by="bram", at=told_at)
    assert set(found) == {mention(db, first, 1), mention(db, second, 1)}
    assert met(db, world, first, 1) == met(db, world, second, 1) == told_at
    assert met(db, world, first, 2) is None, "another person"
    assert met(db, world, later, 1) is None, "recorded after he was told"
    (elsewhere,) = [one for one in notices.waiting(db, world.region, first, AT.date()) if one.number == 1]
    assert (elsewhere.notice, elsewhere.told_elsewhere) == (None, told_at)
    (here,) = notices.waiting(db, world.region, second, AT.date())
    assert here.notice is not None
    assert (here.notice["how"], here.notice["told_at"], here.notice["actor"]) == ("talk", told_at, "bram")


def test_a_brother_who_is_named_in_week_six_has_his_own_clock(db: Db, world: World) -> None:
    home = world.household(RECEIVED)
    first = family(world, RECEIVED, [PERSON, MOTHER], home)
    world.link(first, 1, uuid7(), "new")
    world.link(first, 2, uuid7(), "new")
    notices.begin(db, first, AT)
    for number in (1, 2):
        notices.told(db, mention(db, first, number), how="talk", told_at=AT + WEEK, by="bram", at=AT + WEEK)
    brother = person("Broer", "Voorbeeld", "20130301", "broer of zus")
    supplement = family(world, RECEIVED + 6 * WEEK, [brother], home)
    world.link(supplement, 1, uuid7(), "new")
    assert notices.begin(db, supplement, RECEIVED + 6 * WEEK) == 1
    found = term(db, world, supplement, 1)
    assert found is not None
    # Six weeks later in UTC is ten to one in the night of 15 April, in summer time.
    assert found["legal_due_on"] == date(2026, 5, 13)
    assert found["met_at"] is None


def test_only_a_link_in_force_carries_what_was_told(db: Db, world: World) -> None:
    home = world.household(RECEIVED)
    reports = [family(world, RECEIVED, [MOTHER], home) for _ in range(3)]
    mother = uuid7()
    for report, state in zip(reports, ("new", "proposed", "rejected"), strict=True):
        world.link(report, 1, mother, state)
        notices.begin(db, report, AT)
    notices.told(db, mention(db, reports[0], 1), how="talk", told_at=AT, by="bram", at=AT)
    assert [met(db, world, report, 1) is not None for report in reports] == [True, False, False]


def test_a_link_that_is_undone_lets_the_clock_run_again_and_a_confirmed_one_stops_it(db: Db, world: World) -> None:
    home = world.household(RECEIVED)
    first, second = (family(world, RECEIVED, [MOTHER], home) for _ in range(2))
    mother = uuid7()
    world.link(first, 1, mother, "new", household=home[0])
    link = world.link(second, 1, mother, "automatic", household=home[0])
    for report in (first, second):
        notices.begin(db, report, AT)
    notices.told(db, mention(db, first, 1), how="talk", told_at=AT, by="bram", at=AT)
    assert met(db, world, second, 1) == AT
    db.execute("UPDATE link SET state = 'undone', decided_by = 'bram', decided_at = %s WHERE id = %s", (AT, link))
    assert notices.relinked(db, second, by="bram", at=AT + WEEK) == 1
    assert met(db, world, second, 1) is None, "she was told as somebody else"
    assert met(db, world, first, 1) == AT
    world.link(second, 1, mother, "confirmed")
    assert notices.relinked(db, second, by="bram", at=AT + WEEK) == 1
    assert met(db, world, second, 1) == AT
    assert notices.relinked(db, second, by="bram", at=AT + WEEK) == 0


def test_a_person_of_another_region_is_never_met_along(db: Db, world: World) -> None:
    other = World(db, 2)
    ours = family(world, RECEIVED, [MOTHER], world.household(RECEIVED))
    theirs = family(other, RECEIVED, [MOTHER], other.household(RECEIVED))
    for place, report in ((world, ours), (other, theirs)):
        place.link(report, 1, uuid7(), "new")
        notices.begin(db, report, AT)
    notices.told(db, mention(db, ours, 1), how="talk", told_at=AT, by="bram", at=AT)
    assert met(db, other, theirs, 1) is None
    assert notices.waiting(db, world.region, theirs, AT.date()) == []


def test_what_cannot_be_is_refused_and_leaves_nothing(db: Db, world: World) -> None:
    home = world.household(RECEIVED)
    report = family(world, RECEIVED, [MOTHER, FATHER], home)
    notices.begin(db, report, AT)
    mother, father = mention(db, report, 1), mention(db, report, 2)
    fields = {"aan": "Maria", "over": "u", "bellen": "0800-2000", "medewerker": "Bram"}
    unsent = letters.make(db, report, "person_notice", fields, mother, "bram", AT)
    leaflet = letters.make(
        db, report, "information", {"aan": "M", "bellen": "1", "klacht": "Bij ons."}, mother, "bram", AT
    )
    recipients.check_person(db, mother, "asked", by="bram", at=AT)
    for letter in (unsent, leaflet):
        letters.let_go(db, world.region, letter, by="bram", at=AT)
    letters.sent(db, leaflet, "bram", AT)
    tries: list[tuple[type[Exception], UUID, dict[str, Any]]] = [
        (NotYet, mother, {"how": "talk", "told_at": RECEIVED - timedelta(minutes=1)}),
        (NotYet, mother, {"how": "talk", "told_at": AT + timedelta(minutes=1)}),
        (WrongWay, mother, {"how": "duif", "told_at": AT}),
        (WrongWay, mother, {"how": "letter", "told_at": AT}),
        (WrongWay, mother, {"how": "letter", "told_at": AT, "letter_id": unsent}),
        (WrongWay, mother, {"how": "letter", "told_at": AT, "letter_id": leaflet}),
        (WrongWay, father, {"how": "letter", "told_at": AT, "letter_id": unsent}),
        (NotFound, uuid7(), {"how": "talk", "told_at": AT}),
    ]
    for error, who, call in tries:
        with pytest.raises(error):
            notices.told(db, who, by="bram", at=AT, **call)
    assert db.execute("SELECT FROM person_notice").fetchone() is None
    assert met(db, world, report, 1) is None
    letters.sent(db, unsent, "bram", AT)
    notices.told(db, mother, how="letter", told_at=AT, letter_id=unsent, by="bram", at=AT)
    with pytest.raises(Conflict):
        notices.told(db, mother, how="talk", told_at=AT, by="bram", at=AT)


# ── the task ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_task_opens_at_the_reminder_follows_the_term_and_ends_with_the_last_person(db: Db, world: World) -> None:
    report = family(world, RECEIVED, [MOTHER, FATHER], world.household(RECEIVED))
    notices.begin(db, report, AT)
    first = term(db, world, report, 1)
    assert first is not None
    reminder = first["due_at"] - timedelta(days=7)
    assert notices.remind(db, world.region, reminder - timedelta(minutes=1)) == 0
    assert open_task(db, report) is None
    assert notices.remind(db, world.region, reminder) == 1
    assert notices.remind(db, None, reminder) == 0, "one task per report"
    found = open_task(db, report)
    assert found is not None
    assert (found["due_at"], found["report_id"]) == (first["due_at"], report)
    notices.extend(db, first["id"], 2, reason="Nog niet veilig.", by="bram", at=reminder)
    assert open_task(db, report)["due_at"] == first["due_at"]  # type: ignore[index]
    notices.told(db, mention(db, report, 2), how="talk", told_at=reminder, by="bram", at=reminder)
    longer = term(db, world, report, 1)
    assert longer is not None
    assert open_task(db, report)["due_at"] == longer["due_at"] > first["due_at"]  # type: ignore[index]
    notices.withdraw(db, first["id"], 2, reason="Toch wel.", by="bram", at=reminder)
    assert open_task(db, report)["due_at"] == first["due_at"]  # type: ignore[index]
    notices.told(db, mention(db, report, 1), how="representative", told_at=reminder, by="bram", at=reminder)
    assert open_task(db, report) is None
    assert notices.remind(db, None, reminder + 9 * WEEK) == 0


def test_a_task_without_an_open_term_is_closed_by_the_clock(db: Db, world: World) -> None:
    report = family(world, RECEIVED, [MOTHER], world.household(RECEIVED))
    notices.begin(db, report, AT)
    late = RECEIVED + 9 * WEEK
    assert notices.remind(db, None, late) == 1, "also long after the term"
    ledger.drop(db, "person_notice", mention(db, report, 1), why="Geen melding.", at=late)
    assert notices.remind(db, world.region, late) == 0
    assert open_task(db, report) is None
    assert not tasks.close_task(db, "notify", report, by="x", at=late, outcome="x")


def test_the_reminder_reads_by_index(db: Db, world: World) -> None:
    home = world.household(RECEIVED)
    report = family(world, RECEIVED, [MOTHER], home)
    ledger.start(
        db,
        "person_notice",
        [uuid7() for _ in range(3000)],
        report,
        starts_on=date(2036, 1, 1),
        by="x",
        at=AT,
        reason="later",
    )
    db.execute("ANALYZE deadline")
    plan = db.execute(
        "EXPLAIN SELECT report_id FROM deadline WHERE region_id = %s AND kind = 'person_notice' AND due_at <= %s"
        " AND met_at IS NULL AND dropped_at IS NULL",
        (world.region, AT),
    ).fetchall()
    text = " ".join(row["QUERY PLAN"] for row in plan)
    assert re.search("deadline_(open|due)", text), text


# ── ages ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("born", "indicator", "day", "age"),
    [
        ("20140304", "V", date(2026, 3, 3), (11, 11)),
        ("20140304", "V", date(2026, 3, 4), (12, 12)),
        ("20140200", "D", date(2026, 2, 15), (11, 12)),
        ("20100000", "M", date(2026, 6, 1), (15, 16)),
        ("20120229", "V", date(2026, 2, 28), (13, 13)),
        ("20120229", "V", date(2026, 3, 1), (14, 14)),
        ("00000000", "J", date(2026, 3, 4), None),
        ("99999999", "V", date(2026, 3, 4), None),
        ("20270101", "V", date(2026, 3, 4), None),
    ],
)
def test_an_age_is_as_exact_as_the_date_of_birth(
    born: str, indicator: str, day: date, age: tuple[int, int] | None
) -> None:
    assert ages.age_on({"geboortedatum": {"tekst": born, "indicatie": indicator}}, day) == age
    assert ages.age_on({}, day) is None


@given(st.integers(0, 100), st.integers(0, 1))
def test_who_gets_the_notice_follows_the_limits_of_twelve_and_sixteen(young: int, spread: int) -> None:
    words = ages.receiver((young, young + spread))
    if spread and young + 1 in ages.LIMITS:
        assert words == f"{young} of {young + 1} jaar: ga de geboortedatum na."
    elif young + spread < 12:
        assert words.startswith("De wettelijk vertegenwoordiger")
    elif young + spread < 16:
        assert words.startswith("De jongere zelf en de wettelijk vertegenwoordiger")
    else:
        assert words == "De persoon zelf."


def test_an_unknown_age_is_asked_for() -> None:
    assert "onbekend" in ages.receiver(None)
