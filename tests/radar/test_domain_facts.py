"""Every term of domain.md 1.2 and each of the fifteen facts of chapter 13, by name, at the place where it is kept."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.calendar import load_calendar, national_holidays
from core.database import Db
from core.errors import Conflict
from core.ids import uuid7
from intake import acute as acute_words
from intake.advice import AdviceInput
from radar.casework import (
    acute,
    contacts,
    feedback,
    forwarding,
    ledger,
    letters,
    notices,
    service,
    states,
    steps,
    terms,
    watch,
)
from radar.linking.block import by_kind
from radar.linking.normalise import features
from radar.linking.rules import load
from radar.rights import destruction, requests, retention
from radar.signals.involvement import KINDS
from tests.radar import desk
from tests.web.conftest import FATHER, MOTHER, PERSON, World, person

CALENDAR = load_calendar()
RECEIVED = datetime(2026, 2, 10, 9, tzinfo=UTC)
"""A Tuesday."""
AT = RECEIVED + timedelta(days=6)
BRAM = {"by": "bram", "role": "assessor"}
NEVER = datetime(2046, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


def new_report(world: World, people: list[dict[str, Any]] | None = None, state: str = "received") -> UUID:
    household, case = world.household(RECEIVED)
    return world.report(RECEIVED, people or [MOTHER], household=household, case=case, state=state)


def mention(db: Db, report: UUID, number: int = 1) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def term(db: Db, world: World, kind: str, subject: UUID) -> dict[str, Any]:
    found = ledger.find(db, world.region, kind, subject)
    assert found is not None, kind
    return found


def talked(db: Db, report: UUID, *, informed: bool, at: datetime = AT) -> UUID:
    return contacts.note(
        db,
        report,
        None,
        with_kind="person",
        mention_id=mention(db, report),
        who="",
        how="call",
        happened_at=at,
        summary="Kort gesproken.",
        informed=informed,
        **BRAM,
        at=at,
    )


# ── the terms of 1.2 ────────────────────────────────────────────────────────────────────────────────────────────


def test_T0_acute_unsafety_is_asked_at_receipt_in_minutes_and_not_after_a_queue(db: Db, world: World) -> None:
    report = new_report(world)
    found = term(db, world, "acute_check", report)
    assert found["due_at"] == RECEIVED + timedelta(minutes=60)
    assert found["legal_due_on"] == RECEIVED.date(), "the law says at once"
    task = db.execute("SELECT risk, due_at FROM task WHERE kind = 'acute_check'").fetchone()
    assert task == {"risk": 2, "due_at": found["due_at"]}, "until somebody looked, before all that can wait"


def test_T1_the_assessment_is_due_in_five_working_days_from_receipt_and_is_not_extended(db: Db, world: World) -> None:
    report = new_report(world)
    found = term(db, world, "safety_assessment", report)
    assert (found["norm_due_on"], found["legal_due_on"]) == (date(2026, 2, 17), date(2026, 2, 16))
    with pytest.raises(ledger.WrongExtension):
        ledger.extend(db, found["id"], 1, reason="Druk.", by="bram", at=AT)
    assert terms.kind("safety_assessment").share == 90


def test_T1_prime_the_investigation_starts_within_five_days_of_receipt(db: Db, world: World) -> None:
    report = new_report(world)
    begun = service.begin(db, report, "investigation", by="bram", at=AT)
    found = term(db, world, "investigation_start", begun)
    assert (found["norm_due_on"], found["legal_due_on"]) == (date(2026, 2, 17), date(2026, 2, 16))


def test_T2_the_investigation_is_due_ten_weeks_after_the_decision_that_it_is_needed(db: Db, world: World) -> None:
    report = new_report(world)
    begun = service.begin(db, report, "investigation", by="bram", at=AT)
    found = term(db, world, "investigation", begun)
    assert found["legal_due_on"] == date(2026, 4, 28), "domain.md 8.3: 16-2 and ten weeks is Koningsdag"
    with pytest.raises(ledger.WrongExtension):
        ledger.extend(db, found["id"], 1, reason="Druk.", by="bram", at=AT)
    assert terms.kind("investigation").share == 80


def test_T3_conditions_and_follow_up_are_due_ten_weeks_after_the_decision(db: Db, world: World) -> None:
    begun = service.begin(db, new_report(world), "conditions", by="bram", at=AT)
    assert term(db, world, "conditions", begun)["norm_due_on"] == date(2026, 4, 28)
    assert not terms.kind("conditions").verified, "where its clock starts is our own reading"


def test_T4_each_person_is_told_within_four_weeks_extended_by_two_each_time(db: Db, world: World) -> None:
    report = new_report(world, [MOTHER, FATHER])
    notices.begin(db, report, AT)
    found = term(db, world, "person_notice", mention(db, report))
    assert found["legal_due_on"] == date(2026, 3, 10)
    for weeks in (2, 2, 1):
        notices.extend(db, found["id"], weeks, reason="Nog niet veilig.", by="bram", at=AT)
    assert term(db, world, "person_notice", mention(db, report))["legal_due_on"] == date(2026, 4, 14)
    assert term(db, world, "person_notice", mention(db, report, 2))["legal_due_on"] == date(2026, 3, 10)


def test_T5_the_reporter_hears_after_the_assessment_and_again_after_closing(db: Db, world: World) -> None:
    report = new_report(world, state="conditions")
    for moment, code in (("assessment", "VT-01-01"), ("closing", "VT-03")):
        made = feedback.draft(db, report, moment, code, AT)  # type: ignore[arg-type]
        assert made is not None
        assert term(db, world, "feedback", made)["norm_due_on"] == date(2026, 2, 23)
    assert not terms.kind("feedback").verified, "the law gives no number of days"


def test_T6_destruction_is_decided_within_three_months_of_the_request(db: Db, world: World) -> None:
    report = new_report(world)
    request = requests.receive(db, mention(db, report), "destruction", date(2026, 2, 12), by="ilse", at=AT)
    assert term(db, world, "destruction_request", request)["legal_due_on"] == date(2026, 5, 12)


def test_T7_access_is_given_within_a_month_of_the_request(db: Db, world: World) -> None:
    report = new_report(world)
    request = requests.receive(db, mention(db, report), "access", date(2026, 2, 12), by="ilse", at=AT)
    assert term(db, world, "access_request", request)["legal_due_on"] == date(2026, 3, 12)


def test_T8_data_are_kept_twenty_years_from_their_last_change_and_never_shifted() -> None:
    assert retention.until(date(2026, 1, 6)).due_on == date(2046, 1, 6)
    assert CALENDAR.why_not(date(2046, 1, 6)) == "zaterdag"


def test_T9_who_is_spoken_to_is_informed_at_the_first_contact_or_a_term_runs(db: Db, world: World) -> None:
    report = new_report(world, state="assessing")
    first = talked(db, report, informed=False)
    assert term(db, world, "information", first)["met_at"] is None
    talked(db, report, informed=True, at=AT + timedelta(hours=1))
    assert term(db, world, "information", first)["met_at"] is not None
    assert "information" in letters.texts()


# ── the fifteen facts of 13 ─────────────────────────────────────────────────────────────────────────────────────


def test_fact_01_advice_has_no_place_for_a_family_and_nothing_ties_it_to_one(db: Db) -> None:
    """No field of the form, no column, and no reference between advice and what is known of persons, either way."""
    assert set(AdviceInput.model_fields) == {
        *("way", "capacity", "occasions", "natures", "question", "advice", "transcript", "minutes"),
        *("follow_up", "follow_up_on", "contact", "previous"),
    }
    references = db.execute(
        "SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target FROM pg_constraint"
        " WHERE contype = 'f'"
    ).fetchall()
    from_advice = {row["target"] for row in references if row["source"].startswith("advice")}
    assert from_advice == {"region", "sender", "staff", "advice", "intake_draft"} & from_advice
    assert {row["source"] for row in references if row["target"].startswith("advice")} <= {
        *("advice", "advice_contact", "advice_chat", "advice_conversion"),
    }
    columns = db.execute(
        "SELECT table_name AS t, column_name AS n FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()
    assert not [row for row in columns if "advi" in row["n"] and not row["t"].startswith("advice")]
    assert not [
        row
        for row in columns
        if row["t"].startswith("advice") and row["n"] in ("report_id", "mention_id", "person_id")
    ]
    assert not [code for code in terms.terms().terms if "advi" in code]
    assert not [code for code in letters.texts() if "advi" in code]


def test_fact_02_the_four_weeks_run_per_person_from_the_moment_his_data_were_recorded(db: Db, world: World) -> None:
    household, case = world.household(RECEIVED)
    first = world.report(RECEIVED, [MOTHER], household=household, case=case)
    notices.begin(db, first, RECEIVED)
    week_six = RECEIVED + timedelta(weeks=6)
    brother = person("Broer", "Voorbeeld", "20130301", "broer of zus")
    later = world.report(week_six, [brother], household=household, case=case)
    notices.begin(db, later, week_six)
    assert term(db, world, "person_notice", mention(db, first))["legal_due_on"] == date(2026, 3, 10)
    assert term(db, world, "person_notice", mention(db, later))["legal_due_on"] == date(2026, 4, 21)


def test_fact_03_ten_weeks_run_from_the_decision_and_the_actual_start_is_kept_apart(db: Db, world: World) -> None:
    report = new_report(world, state="assessing")
    desk.assess(db, report, "investigation", at=AT)
    begun = service.begin(db, report, "investigation", by="gwen", at=AT)
    started = AT + timedelta(days=20)
    service.start(db, begun, started, **BRAM, at=started)
    row = db.execute("SELECT decided_at, started_at FROM service WHERE id = %s", (begun,)).fetchone()
    assert row == {"decided_at": AT, "started_at": started}
    assert term(db, world, "investigation", begun)["legal_due_on"] == date(2026, 4, 28)


def test_fact_04_an_overdue_term_closes_locks_and_rejects_nothing(db: Db, world: World) -> None:
    report = new_report(world)
    notices.begin(db, report, AT)
    notices.remind_all(db, NEVER)
    state = db.execute("SELECT state, case_id FROM report WHERE id = %s", (report,)).fetchone()
    assert state is not None
    assert state["state"] == "received"
    desk.assess(db, report, "conditions", at=NEVER)
    notices.told(db, mention(db, report), how="talk", told_at=NEVER, by="bram", at=NEVER)
    for kind, subject in (("safety_assessment", report), ("person_notice", mention(db, report))):
        found = term(db, world, kind, subject)
        assert found["met_at"] == NEVER > found["due_at"]


def test_fact_05_five_days_and_five_working_days_stand_side_by_side_and_say_which_rule_gave_the_date() -> None:
    both = terms.readings("safety_assessment", date(2026, 4, 1))
    assert (both.norm.due_on, both.legal.due_on) == (date(2026, 4, 10), date(2026, 4, 7))
    assert both.norm.policy == "5 werkdagen; day_zero_rule=receipt_day"
    assert both.legal.policy == "5 dagen; ATW art. 1 en 2"


def test_fact_06_the_acute_check_comes_before_everything_else(db: Db, world: World) -> None:
    report = new_report(world)
    assert [move.name for move in states.allowed("received")] == ["check", "forward"]
    with pytest.raises(Conflict):
        steps.take(db, report, "submit", **BRAM, reason="Omdat.", at=AT)
    acute.check(db, report, True, [], "Er is een wapen.", **BRAM, at=RECEIVED + timedelta(minutes=5))
    task = db.execute("SELECT risk FROM task WHERE kind = 'direct_action' AND done_at IS NULL").fetchone()
    assert task == {"risk": 2}
    assert acute_words.rules() is not None, "and the machine's own words are only a sign (intake)"


def test_fact_07_the_holidays_of_the_atw_and_no_others() -> None:
    names = {one.name for one in national_holidays(2026)}
    assert {"Goede Vrijdag", "Bevrijdingsdag", "Koningsdag", "Hemelvaartsdag"} <= names
    for year, kept in ((2025, date(2025, 4, 26)), (2031, date(2031, 4, 26)), (2026, date(2026, 4, 27))):
        assert CALENDAR.why_not(kept) == "Koningsdag", year
    for day in (date(2026, 1, 2), date(2026, 5, 15), date(2027, 5, 7), date(2028, 4, 28), date(2028, 5, 26)):
        assert "koninklijk besluit" in str(CALENDAR.why_not(day))
    for day in (date(2026, 5, 1), date(2026, 12, 24), date(2026, 12, 31)):
        assert CALENDAR.why_not(day) is None


def test_fact_08_a_later_change_moves_the_twenty_years_and_technique_does_not(db: Db, world: World) -> None:
    report = new_report(world)
    (before,) = retention.of_report(db, world.region, report)
    assert before.term.due_on == date(2046, 2, 10)
    db.execute("UPDATE report SET linked_at = now() WHERE id = %s", (report,))
    assert retention.of_report(db, world.region, report) == [before]
    requests.receive(db, mention(db, report), "access", AT.date(), by="ilse", at=AT)
    (after,) = retention.of_report(db, world.region, report)
    assert after.term.due_on == date(2046, 2, 16)


def test_fact_09_no_letter_to_a_person_can_name_the_reporter_or_an_address() -> None:
    for code, text in letters.texts().items():
        if text.to_person:
            assert not {"melder", "adres", "bsn"} & text.fields.keys(), code
            assert "melder" not in " ".join(text.paragraphs).lower(), code


def test_fact_10_rights_are_per_person_and_by_his_age_on_the_day_of_the_request() -> None:
    born = {"geboortedatum": {"tekst": "20140304", "indicatie": "V"}}
    assert "Jonger dan 12" in requests.hints(born, "access", date(2026, 3, 3))[0]
    assert "12 tot en met 15" in requests.hints(born, "access", date(2026, 3, 4))[0]
    assert "16 jaar of ouder" in requests.hints(born, "access", date(2030, 3, 4))[0]


def test_fact_11_destruction_is_asked_and_answered_and_destroys_nothing_by_itself(db: Db, world: World) -> None:
    report = new_report(world)
    request = requests.receive(db, mention(db, report), "destruction", AT.date(), by="ilse", at=AT)
    with pytest.raises(Conflict):
        destruction.propose(db, mention(db, report), "request", "Ja.", request_id=request, by="bram", at=AT)
    with pytest.raises(requests.AnswerMissing):
        requests.close(db, request, "granted", "", by="bram", at=AT)
    requests.withdraw(db, request, "Per brief ingetrokken.", by="bram", at=AT)
    row = db.execute("SELECT person <> '{}' AS kept FROM mention WHERE report_id = %s", (report,)).fetchone()
    assert row == {"kept": True}
    assert "concreet" in requests.hints({}, "destruction", AT.date())[1]


def test_fact_12_a_repeat_report_is_no_follow_on_and_one_known_person_is_not_several() -> None:
    """How each is recognised is tested in test_signals_involvement.py; here: that they are kept apart."""
    assert {code for code in KINDS if code.startswith("repeat")} == {"repeat_one", "repeat_several"}
    assert {code for code in KINDS if code.startswith("follow")} == {
        "follow_during_assessment",
        "follow_after_assessment",
        "follow_during_monitoring",
    }


def test_fact_13_a_form_that_is_no_report_is_sent_on_with_no_clock_and_no_twenty_years(db: Db, world: World) -> None:
    report = new_report(world)
    notices.begin(db, report, AT)
    forwarding.forward(db, report, to="Gemeente Dalstad", reason="Overlast.", by="ilse", role="intake_worker", at=AT)
    assert term(db, world, "person_notice", mention(db, report))["dropped_at"] == AT
    assert term(db, world, "safety_assessment", report)["dropped_at"] == AT
    assert notices.remind_all(db, NEVER) == 0
    assert retention.of_report(db, world.region, report) == []
    assert notices.begin(db, report, AT) == 0


def test_fact_14_one_holder_of_the_watch_and_the_reporter_hears_twice_but_an_informant_never(
    db: Db, world: World
) -> None:
    report = new_report(world)
    row = db.execute("SELECT case_id FROM report WHERE id = %s", (report,)).fetchone()
    assert row is not None
    held = watch.holder(db, row["case_id"])
    assert held is not None
    assert held["holder"] == "veilig_thuis"
    watch.give(db, row["case_id"], "reporter", reason="Afgesproken.", by="bram", at=AT)
    now = db.execute("SELECT holder FROM safety_watch WHERE until IS NULL").fetchall()
    assert now == [{"holder": "reporter"}]
    moments = db.execute(
        "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE conrelid ="
        " 'feedback'::regclass AND contype = 'c'"
    ).fetchall()
    assert any(re.search("assessment.*closing", one["text"]) for one in moments)
    assert not [code for code, text in letters.texts().items() if "informant" in " ".join(text.paragraphs)], "none"


def test_fact_15_unknown_is_no_key_and_an_unborn_child_gets_no_letter(db: Db, world: World) -> None:
    rules, region = load(), uuid7().bytes
    for unknown in ("000000000", "999999999"):
        said = features({"bsn": unknown, "geboortedatum": {"tekst": "99999999"}}, rules)
        assert list(by_kind(said, rules, region)) == []
    for vague in ("20150300", "20150000"):
        assert features({"geboortedatum": {"tekst": vague, "indicatie": "V"}}, rules).bsn == ""
    unborn = person("", "Voorbeeld", "99999999", "kind")
    report = new_report(world, [PERSON, unborn])
    assert notices.begin(db, report, AT) == 1
    assert ledger.find(db, world.region, "person_notice", mention(db, report, 2)) is None


def test_every_row_and_every_fact_has_its_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert {int(one) for one in re.findall(r"def test_T(\d)_", text)} == set(range(10))
    assert {int(one) for one in re.findall(r"def test_fact_(\d\d)_", text)} == set(range(1, 16))
