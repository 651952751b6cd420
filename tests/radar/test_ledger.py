"""The ledger: a date follows from its entries, an extension taken back never was, and each step has a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from core.calendar import load_calendar, national_holidays
from core.database import Db
from core.deadlines import Term, end_of_day, extended, weeks_term
from core.errors import Conflict, NotFound, ReasonMissing, SettingsError
from core.ids import uuid7
from core.settings import settings
from intake.terms import calendar as calendar_in_force
from radar.casework import ledger, terms
from radar.casework.ledger import WrongExtension
from radar.casework.terms import Length
from tests.web.conftest import World

CALENDAR = load_calendar()
DAY = timedelta(days=1)
RECEIVED = datetime(2026, 4, 16, 10, tzinfo=UTC)
AT = datetime(2026, 4, 20, 9, tzinfo=UTC)
days = st.dates(date(2024, 1, 1), date(2034, 12, 31))


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    return world.report(RECEIVED)


def begin(db: Db, report: UUID, starts_on: date = date(2026, 4, 16), kind: str = "person_notice") -> UUID:
    """A term for a subject of its own; gives its id."""
    subject = uuid7()
    ledger.start(db, kind, [subject], report, starts_on=starts_on, by="system", at=AT, reason="gegevens vastgelegd")
    row = db.execute("SELECT id FROM deadline WHERE subject_id = %s", (subject,)).fetchone()
    assert row is not None
    deadline: UUID = row["id"]
    return deadline


def dates(db: Db, deadline: UUID) -> dict[str, Any]:
    row = db.execute("SELECT norm_due_on, legal_due_on, due_at FROM deadline WHERE id = %s", (deadline,)).fetchone()
    assert row is not None
    return dict(row)


def entries(db: Db, deadline: UUID) -> list[dict[str, Any]]:
    return db.execute("SELECT * FROM deadline_entry WHERE deadline_id = %s ORDER BY number", (deadline,)).fetchall()


def first_working_day(day: date) -> date:
    while not CALENDAR.is_working_day(day):
        day += DAY
    return day


def by_hand(start: date, extensions: list[int]) -> date:
    """Four weeks and each extension, every end on a working day: counted without the code under test."""
    day = first_working_day(start + 28 * DAY)
    for weeks in extensions:
        day = first_working_day(day + 7 * weeks * DAY)
    return day


# ── an extension that is taken back never was ───────────────────────────────────────────────────────────────────

moves = st.lists(st.one_of(st.integers(1, 2), st.tuples(st.just("back"), st.integers(0, 5))), max_size=8)


@examples(max_examples=40)
@given(starts_on=days, sequence=moves)
@example(date(2026, 4, 16), [2, 2, ("back", 0)])
@example(date(2024, 2, 1), [2, ("back", 0), 1, ("back", 0), 2])
@example(date(2025, 11, 24), [1, 2, 1, ("back", 1), ("back", 0)])
def test_any_sequence_of_extensions_and_withdrawals_counts_as_if_only_what_holds_had_been(
    db: Db, report: UUID, starts_on: date, sequence: list[Any]
) -> None:
    deadline = begin(db, report, starts_on)
    in_force: list[tuple[int, int]] = []
    written: list[dict[str, Any]] = []
    for number, move in enumerate(sequence, start=2):
        if isinstance(move, int):
            ledger.extend(db, deadline, move, reason="Nodig.", by="bram", at=AT)
            in_force.append((number, move))
        elif in_force:
            chosen = in_force.pop(move[1] % len(in_force))
            ledger.withdraw(db, deadline, chosen[0], reason="Niet nodig.", by="bram", at=AT)
        else:
            with pytest.raises(Conflict):
                ledger.withdraw(db, deadline, 1, reason="Niet nodig.", by="bram", at=AT)
            break
        assert entries(db, deadline)[: len(written)] == written
        written = entries(db, deadline)
    never = begin(db, report, starts_on)
    for _, weeks in in_force:
        ledger.extend(db, never, weeks, reason="Nodig.", by="bram", at=AT)
    assert dates(db, deadline) == dates(db, never)
    due = by_hand(starts_on, [weeks for _, weeks in in_force])
    assert dates(db, deadline) == {"norm_due_on": due, "legal_due_on": due, "due_at": end_of_day(due)}


@given(days, st.lists(st.integers(1, 2), max_size=6))
def test_every_step_of_an_extension_names_the_rule_or_the_day_off_that_moved_it(
    start: date, extensions: list[int]
) -> None:
    term = terms.readings("person_notice", start, tuple(extensions)).legal
    assert [step.kind for step in term.steps].count("extended") == len(extensions)
    walked = [step.day for step in term.steps if step.day]
    assert walked == sorted(walked)
    for before, step in zip(term.steps, term.steps[1:], strict=False):
        if step.kind == "moved":
            assert before.day is not None
            assert f"({CALENDAR.why_not(before.day)}), ATW art. 1." in step.reason
            assert step.day == before.day + DAY
        if step.kind == "extended":
            assert before.day is not None
            assert CALENDAR.is_working_day(before.day)
    assert CALENDAR.is_working_day(term.due_on)
    assert (term.steps[-1].kind, term.steps[-1].day) == ("due", term.due_on)


@given(days, st.integers(1, 12), st.integers(1, 4))
def test_a_term_comes_back_from_its_ledger_row_as_it_was(start: date, weeks: int, more: int) -> None:
    for term in (weeks_term(start, weeks, CALENDAR), extended(weeks_term(start, weeks, CALENDAR), more, CALENDAR)):
        assert Term.from_json(term.to_json()) == term


def test_the_worked_example_and_its_extension_over_ascension_and_the_decree_day(db: Db, report: UUID) -> None:
    """domain.md 8.3: recorded Thursday 16-4-2026 + 4 weeks is Ascension Day, then a decree day: Monday 18 May."""
    deadline = begin(db, report)
    assert dates(db, deadline)["legal_due_on"] == date(2026, 5, 18)
    ledger.extend(db, deadline, 1, reason="Het gesprek is volgende week.", by="bram", at=AT)
    assert dates(db, deadline)["legal_due_on"] == date(2026, 5, 26), "25 May is Whit Monday"
    steps = entries(db, deadline)[1]["steps"]["legal"]["steps"]
    assert [step["reason"] for step in steps[-3:]] == [
        "Verlengd met 1 week vanaf maandag 18 mei 2026: maandag 25 mei 2026.",
        "Verschoven van maandag 25 mei 2026 (Tweede Pinksterdag), ATW art. 1.",
        "Uiterlijk dinsdag 26 mei 2026, einde van de dag.",
    ]
    moved = [step["reason"] for step in steps if step["kind"] == "moved"]
    assert any("Hemelvaartsdag" in reason for reason in moved)
    assert any("koninklijk besluit (Stcrt. 2025, 24713)" in reason for reason in moved)


# ── days that are built wrong ───────────────────────────────────────────────────────────────────────────────────

FOUR_WEEKS = [
    # start, due, what moved it
    (date(2026, 3, 6), date(2026, 4, 7), "Goede Vrijdag"),
    (date(2026, 3, 30), date(2026, 4, 28), "Koningsdag"),
    (date(2025, 3, 29), date(2025, 4, 28), "Koningsdag en zaterdag"),
    (date(2031, 3, 29), date(2031, 4, 28), "Koningsdag en zaterdag"),
    (date(2026, 4, 7), date(2026, 5, 6), "Bevrijdingsdag"),
    (date(2027, 4, 7), date(2027, 5, 10), "Bevrijdingsdag, Hemelvaartsdag, koninklijk besluit"),
    (date(2028, 3, 31), date(2028, 5, 1), "koninklijk besluit van 28-4-2028"),
    (date(2025, 12, 4), date(2026, 1, 5), "Nieuwjaarsdag en koninklijk besluit"),
    (date(2024, 2, 1), date(2024, 2, 29), "schrikkeldag is een gewone dag"),
    (date(2024, 2, 29), date(2024, 3, 28), "begint op de schrikkeldag"),
    (date(2026, 11, 27), date(2026, 12, 28), "Eerste en Tweede Kerstdag"),
]


@pytest.mark.parametrize(("start", "due", "why"), FOUR_WEEKS, ids=[f"{one[0]}" for one in FOUR_WEEKS])
def test_four_weeks_over_the_days_off(start: date, due: date, why: str) -> None:
    both = terms.readings("person_notice", start)
    assert (both.norm.due_on, both.legal.due_on) == (due, due), why


@pytest.mark.parametrize("year", [2025, 2031])
def test_koningsdag_on_a_sunday_is_kept_on_the_saturday_so_the_monday_counts(year: int) -> None:
    assert CALENDAR.why_not(date(year, 4, 26)) == "Koningsdag"
    assert CALENDAR.why_not(date(year, 4, 27)) == "zondag"
    assert CALENDAR.why_not(date(year, 4, 28)) is None
    assert date(year, 4, 27) not in {one.day for one in national_holidays(year)}


@given(st.integers(2015, 2060))
def test_five_may_and_good_friday_never_end_a_term(year: int) -> None:
    friday = next(one.day for one in national_holidays(year) if one.name == "Goede Vrijdag")
    for day in (date(year, 5, 5), friday):
        term = terms.readings("person_notice", day - 28 * DAY).legal
        assert term.due_on > day
        assert any("Bevrijdingsdag" in step.reason or "Goede Vrijdag" in step.reason for step in term.steps)


@pytest.mark.parametrize(
    ("day", "due_at"),
    [
        (date(2026, 3, 27), datetime(2026, 3, 27, 23, tzinfo=UTC)),  # the last working day of winter time
        (date(2026, 3, 30), datetime(2026, 3, 30, 22, tzinfo=UTC)),  # the first of summer time
        (date(2026, 10, 23), datetime(2026, 10, 23, 22, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 26, 23, tzinfo=UTC)),
    ],
)
def test_a_term_is_overdue_at_local_midnight_on_both_sides_of_summer_time(
    db: Db, report: UUID, day: date, due_at: datetime
) -> None:
    deadline = begin(db, report, day - 28 * DAY)
    assert dates(db, deadline)["due_at"] == due_at


@given(days)
def test_a_year_end_is_counted_by_days_and_not_by_the_calendar_year(start: date) -> None:
    norm, legal = (getattr(terms.readings("investigation", start), name).due_on for name in ("norm", "legal"))
    assert norm == legal == first_working_day(start + 70 * DAY)


def test_both_readings_stand_side_by_side_where_law_and_norm_differ() -> None:
    both = terms.readings("safety_assessment", date(2026, 3, 4))
    assert (both.norm.due_on, both.legal.due_on) == (date(2026, 3, 11), date(2026, 3, 9))
    assert both.due_at == end_of_day(date(2026, 3, 11)), "the norm leads"
    later = terms.lengthened(both, (1,))
    assert (later.norm.due_on, later.legal.due_on) == (date(2026, 3, 18), date(2026, 3, 16))


# ── what the ledger refuses, and what it keeps ──────────────────────────────────────────────────────────────────


def test_a_term_is_extended_again_and_again_but_at_most_two_weeks_at_a_time(db: Db, report: UUID) -> None:
    deadline = begin(db, report)
    for _ in range(4):
        ledger.extend(db, deadline, 2, reason="Nodig voor het onderzoek van het vermoeden.", by="bram", at=AT)
    for weeks in (0, 3, -1):
        with pytest.raises(WrongExtension, match="1 tot en met 2 weken"):
            ledger.extend(db, deadline, weeks, reason="Nodig.", by="bram", at=AT)
    assert [(one["number"], one["kind"], one["weeks"]) for one in entries(db, deadline)] == [
        (1, "start", None),
        *((number, "extension", 2) for number in range(2, 6)),
    ]


def test_an_extension_needs_a_reason_and_a_term_that_can_be_extended(db: Db, report: UUID) -> None:
    deadline = begin(db, report)
    with pytest.raises(ReasonMissing):
        ledger.extend(db, deadline, 1, reason="  ", by="bram", at=AT)
    with pytest.raises(WrongExtension):
        ledger.extend(db, begin(db, report, kind="investigation"), 1, reason="Druk.", by="bram", at=AT)
    with pytest.raises(NotFound):
        ledger.extend(db, uuid7(), 1, reason="Nodig.", by="bram", at=AT)
    assert len(entries(db, deadline)) == 1


def test_what_is_met_or_fell_away_moves_no_more(db: Db, report: UUID) -> None:
    for end in ("met", "dropped"):
        subject = uuid7()
        start = date(2026, 4, 16)
        ledger.start(db, "person_notice", [subject], report, starts_on=start, by="system", at=AT, reason="vastgelegd")
        found = db.execute("SELECT id FROM deadline WHERE subject_id = %s", (subject,)).fetchone()
        assert found is not None
        if end == "met":
            assert ledger.meet(db, "person_notice", subject, AT)
        else:
            assert ledger.drop(db, "person_notice", subject, why="Geen melding.", at=AT)
        with pytest.raises(Conflict):
            ledger.extend(db, found["id"], 1, reason="Nodig.", by="bram", at=AT)
        with pytest.raises(Conflict):
            ledger.withdraw(db, found["id"], 2, reason="Nodig.", by="bram", at=AT)
        assert ledger.resume(db, "person_notice", subject) is (end == "dropped")


def test_an_extension_is_taken_back_once(db: Db, report: UUID) -> None:
    deadline = begin(db, report)
    ledger.extend(db, deadline, 2, reason="Nodig.", by="bram", at=AT)
    ledger.withdraw(db, deadline, 2, reason="Toch niet nodig.", by="gwen", at=AT)
    for number in (1, 2, 3, 9):
        with pytest.raises(Conflict):
            ledger.withdraw(db, deadline, number, reason="Nog eens.", by="gwen", at=AT)
    assert [one["withdraws"] for one in entries(db, deadline)] == [None, None, 2]
    noted = db.execute("SELECT actor, details FROM audit_entry WHERE action = 'deadline.move' ORDER BY at").fetchall()
    assert {(row["actor"], row["details"]["entry"]) for row in noted} == {
        ("bram", "extension"),
        ("gwen", "withdrawal"),
    }


def test_a_term_begins_once_and_keeps_its_date(db: Db, report: UUID) -> None:
    subject = uuid7()
    for start in (date(2026, 4, 16), date(2026, 5, 1)):
        ledger.start(db, "person_notice", [subject], report, starts_on=start, by="system", at=AT, reason="vastgelegd")
    rows = db.execute("SELECT legal_due_on FROM deadline WHERE subject_id = %s", (subject,)).fetchall()
    assert rows == [{"legal_due_on": date(2026, 5, 18)}]


def test_a_date_moves_by_an_entry_only_and_an_entry_never_changes(db: Db, report: UUID) -> None:
    deadline = begin(db, report)
    with pytest.raises(psycopg.IntegrityError):
        db.execute("UPDATE deadline SET due_at = due_at + interval '1 day' WHERE id = %s", (deadline,))
    with pytest.raises(psycopg.IntegrityError):
        db.execute("UPDATE deadline_entry SET reason = 'anders' WHERE deadline_id = %s", (deadline,))
    with pytest.raises(psycopg.IntegrityError):
        db.execute("DELETE FROM deadline_entry WHERE deadline_id = %s", (deadline,))


def test_another_calendar_moves_no_term_that_runs_and_counts_for_what_comes_after(
    db: Db, report: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decree that is published later: what was promised stands, and the next extension knows the new day."""
    deadline = begin(db, report)
    more = tmp_path / "decree.toml"
    more.write_text(
        'version = "2"\nyears = [2026]\n[[day]]\ndate = 2026-05-18\nsource = "verzonnen"\n'
        '[[day]]\ndate = 2026-06-01\nsource = "verzonnen"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("VEILIG_DECREE_DAYS", str(more))
    settings.cache_clear()
    calendar_in_force.cache_clear()
    try:
        ledger.extend(db, deadline, 2, reason="Nodig.", by="bram", at=AT)
        assert dates(db, deadline)["legal_due_on"] == date(2026, 6, 2)
        ledger.withdraw(db, deadline, 2, reason="Niet nodig.", by="bram", at=AT)
        assert dates(db, deadline)["legal_due_on"] == date(2026, 5, 18)
    finally:
        monkeypatch.delenv("VEILIG_DECREE_DAYS")
        settings.cache_clear()
        calendar_in_force.cache_clear()


def test_a_term_of_an_agreed_length_keeps_it_as_its_base(db: Db, report: UUID) -> None:
    subject = uuid7()
    agreed = Length(unit="weeks", amount=3)
    counted = ledger.start(
        db, "person_notice", [subject], report, starts_on=date(2026, 3, 2), by="x", at=AT, reason="a", length=agreed
    )
    assert counted.norm.due_on == date(2026, 3, 23)
    found = ledger.find(db, UUID(int=0), "person_notice", subject)
    assert found is None, "another region sees nothing"
    row = db.execute("SELECT id FROM deadline WHERE subject_id = %s", (subject,)).fetchone()
    assert row is not None
    assert ledger.extend(db, row["id"], 1, reason="Nodig.", by="x", at=AT).norm.due_on == date(2026, 3, 30)


def test_a_term_of_before_this_version_can_not_be_extended(db: Db, world: World, report: UUID) -> None:
    """Its first entry holds one reading only: nothing is guessed."""
    deadline, due = uuid7(), datetime(2026, 5, 1, tzinfo=UTC)
    with db.transaction():
        db.execute(
            "INSERT INTO deadline (id, region_id, kind, subject_id, report_id, norm_due_on, legal_due_on, due_at)"
            " VALUES (%s, %s, 'person_notice', %s, %s, '2026-04-30', '2026-04-30', %s)",
            (deadline, world.region, uuid7(), report, due),
        )
        db.execute(
            "INSERT INTO deadline_entry (deadline_id, number, at, actor, reason, norm_due_on, legal_due_on, due_at,"
            " steps) VALUES (%s, 1, %s, 'x', 'oud', '2026-04-30', '2026-04-30', %s, %s)",
            (deadline, AT, due, Jsonb({"norm": {}})),
        )
    with pytest.raises(WrongExtension):
        ledger.extend(db, deadline, 1, reason="Nodig.", by="bram", at=AT)


def test_the_terms_of_a_report_come_with_their_entries_the_open_ones_first(
    db: Db, world: World, report: UUID
) -> None:
    deadline = begin(db, report)
    ledger.extend(db, deadline, 1, reason="Nodig.", by="bram", at=AT)
    ledger.meet(db, "safety_assessment", report, AT)
    found = ledger.of_report(db, world.region, report)
    assert [row["kind"] for row in found] == ["person_notice", "safety_assessment"]
    assert [entry["kind"] for entry in found[0]["entries"]] == ["start", "extension"]
    assert datetime.fromisoformat(found[0]["entries"][1]["due_at"]) == found[0]["due_at"]
    assert ledger.of_report(db, UUID(int=0), report) == []


# ── the file of terms ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('unit = "weeks", amount = 4', 'unit = "fortnights", amount = 4'),
        ('unit = "weeks", amount = 4', 'unit = "weeks", amount = 0'),
        ("[terms.person_notice]", "[terms.person_notise]"),
        ("months = [3, 12, 18]", "months = []"),
        ("remind_days = 7", "remind_day = 7"),
        ('version = "2026-11"', "version = "),
    ],
)
def test_a_wrong_file_of_terms_stops_the_start(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = terms.FILE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / "terms.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setenv("VEILIG_TERMS", str(file))
    settings.cache_clear()
    terms.terms.cache_clear()
    try:
        with pytest.raises(SettingsError, match=r"terms\.toml"):
            terms.terms()
    finally:
        terms.terms.cache_clear()


def test_every_term_says_what_it_rests_on_and_whether_that_was_checked() -> None:
    for code, kind in terms.terms().terms.items():
        assert kind.source.strip(), code
        assert kind.title.strip(), code
    own = {code for code, kind in terms.terms().terms.items() if not kind.verified}
    assert {"safety_assessment", "feedback", "information", "monitoring", "handover_answer", "conditions"} <= own
    assert not own & {"person_notice", "destruction_request", "retention"}


def test_a_reminder_comes_so_many_days_before() -> None:
    due = datetime(2026, 5, 18, 22, tzinfo=UTC)
    assert terms.remind_at("person_notice", due) == due - timedelta(days=7)
