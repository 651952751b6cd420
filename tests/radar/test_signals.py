"""Signals and earlier involvement in the database: noted with the link, taken back with it, and nothing twice."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy.dialects import postgresql

from core import audit
from core.database import Db, connection_options
from core.ids import uuid7
from radar import signals
from radar.casework import cases, steps
from radar.linking import correct, register
from radar.signals import models, rules, settle
from tests.radar import desk
from workers import verify, work

REGION, NEIGHBOUR, SENDER = UUID(int=1), UUID(int=2), UUID(int=3)
DAY = datetime(2026, 3, 4, 11, tzinfo=UTC)
HOME = {"straat": "Voorbeeldlaan", "huisnummer": "12", "postcode": "1234AB", "woonplaats": "Testdam"}

Person = dict[str, Any]


def who(first: str, last: str, birth: str, role: str = "111", **more: Any) -> Person:
    return {
        "naam": {"voornamen": first, "geslachtsnaam": last},
        "rol": {"code": role},
        "geboortedatum": {"tekst": birth},
        "adressen": [{"soort": "formeel"} | HOME],
    } | more


JAN = who("Jan", "Voorbeeld", "19800305", bsn="999993653")
MIA = who("Mia", "Testers", "19820711", bsn="999990019")
ANNE = who("Anne", "Voorbeeld", "20150602", "115")
BABY = who("Noor", "Voorbeeld", "20260115", "115")


@pytest.fixture(autouse=True)
def region(db: Db) -> None:
    for region, name in ((REGION, "Testdam"), (NEIGHBOUR, "Buurstreek")):
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, %s, %s)", (region, name, f"{region.int:020}"))
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Test', 'politie')",
        (SENDER, REGION, "9" * 20),
    )


def receive(
    db: Db,
    *persons: Person,
    days: float = 0,
    kind: str = "politie",
    forms: tuple[str, ...] = (),
    region: UUID = REGION,
) -> UUID:
    """A report as intake stores it, not linked yet."""
    message, report, at = uuid7(), uuid7(), DAY + timedelta(days=days)
    db.execute(
        "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome,"
        " answer_status, answer_type, answer) VALUES (%s, %s, %s, 'json', %s, %s, %s, 'report', 200, 'Bv03', '')",
        (message, region, SENDER, at, message.bytes, hashlib.sha256(message.bytes).digest()),
    )
    found = [{"rule": form, "level": "show", "text": form, "words": [form]} for form in forms]
    db.execute(
        "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter,"
        " received_at, content, remarks, acute_signals, acute_rules)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', '[]', %s, 'x')",
        (report, region, message, SENDER, kind, str(message), at, Jsonb(found)),
    )
    for number, person in enumerate(persons, start=1):
        db.execute(
            "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
            (uuid7(), region, report, number, Jsonb(person)),
        )
    db.execute(
        "INSERT INTO deadline (id, region_id, kind, subject_id, norm_due_on, legal_due_on, due_at)"
        " VALUES (%s, %s, 'safety_assessment', %s, %s, %s, %s)",
        (uuid7(), region, report, at.date(), at.date(), at + timedelta(days=7)),
    )
    db.execute(
        "INSERT INTO task (id, region_id, kind, subject_id, due_at) VALUES (%s, %s, 'assess', %s, %s)",
        (uuid7(), region, report, at + timedelta(days=7)),
    )
    return report


def link(db: Db, report: UUID) -> UUID:
    with db.transaction():
        work.link_report(db, report)
    return report


def arrive(db: Db, *persons: Person, **how: Any) -> UUID:
    return link(db, receive(db, *persons, **how))


def close(db: Db, report: UUID, days: float) -> None:
    """Assess a report and close its case, as a decision without further steps does."""
    at = DAY + timedelta(days=days)
    with db.transaction():
        desk.assess(db, report, "no_steps", at=at)
        row = db.execute(
            "SELECT closed_at FROM cases WHERE id = (SELECT case_id FROM report WHERE id = %s)", (report,)
        ).fetchone()
        assert row == {"closed_at": at}


def in_force(db: Db, report: UUID) -> dict[str, dict[str, Any]]:
    found = db.execute("SELECT * FROM signal WHERE report_id = %s AND withdrawn_at IS NULL", (report,)).fetchall()
    return {row["rule"]: dict(row) for row in found}


def withdrawn(db: Db, report: UUID) -> dict[str, dict[str, Any]]:
    found = db.execute("SELECT * FROM signal WHERE report_id = %s AND withdrawn_at IS NOT NULL", (report,)).fetchall()
    return {row["rule"]: dict(row) for row in found}


def involvement(db: Db, report: UUID) -> tuple[str, int]:
    row = db.execute("SELECT kind, known_persons FROM involvement WHERE report_id = %s", (report,)).fetchone()
    assert row is not None
    return row["kind"], row["known_persons"]


def everything(db: Db) -> list[dict[str, Any]]:
    found = db.execute("SELECT * FROM signal ORDER BY id").fetchall()
    return [dict(row) for row in [*found, *db.execute("SELECT * FROM involvement ORDER BY report_id").fetchall()]]


def undo_all(db: Db, report: UUID, at: datetime, *, forgotten: bool = False) -> list[signals.Consequence]:
    """Take every automatic link of a report back, as a person would, and look at the radar again.

    `forgotten`: without saying which household the report left.
    """
    left = db.execute("SELECT household_id FROM report WHERE id = %s", (report,)).fetchone()
    wrong = db.execute(
        "SELECT l.id FROM link l JOIN mention m ON m.id = l.mention_id"
        " WHERE m.report_id = %s AND l.state = 'automatic' ORDER BY m.number",
        (report,),
    ).fetchall()
    assert left
    assert wrong
    with db.transaction():
        for row in wrong:
            correct.undo(db, row["id"], "bram", at)
        cases.follow_household(db, report, "bram", at)
        return signals.refresh(db, report, [] if forgotten else [left["household_id"]], "bram", at)


# ── noted with the link ─────────────────────────────────────────────────────────────────────────────────────


def test_three_reports_of_two_reporters_with_a_baby_and_a_weapon(db: Db) -> None:
    first = arrive(db, JAN, MIA, ANNE, days=-90)
    second = arrive(db, JAN, MIA, ANNE, days=-30)
    third = arrive(db, JAN, MIA, ANNE, BABY, kind="zorg", forms=("wapen",))
    assert in_force(db, first) == {}
    assert in_force(db, second).keys() == set()
    found = in_force(db, third)
    assert found.keys() == {"third_report", "new_reporter", "escalation", "child_born"}
    assert found["third_report"]["evidence"] == [first, second, third]
    assert found["third_report"]["fired_on"] == date(2026, 3, 4)
    assert found["third_report"]["rule_set"] == rules.NEWEST
    assert found["child_born"]["evidence"] == [first, third], "the report in between left the baby out"
    case = db.execute("SELECT case_id, household_id FROM report WHERE id = %s", (third,)).fetchone()
    assert case is not None
    assert {(one["case_id"], one["household_id"]) for one in found.values()} == {tuple(case.values())}


def test_no_explanation_holds_a_name_a_number_or_an_address(db: Db) -> None:
    close(db, arrive(db, JAN, MIA, ANNE, days=-90), -80)
    for days, kind in ((-60, "zorg"), (-30, "onderwijs"), (0, "halt")):
        arrive(db, JAN, MIA, ANNE, BABY, days=days, kind=kind, forms=("wapen",))
    arrive(db, JAN, region=NEIGHBOUR, days=1)
    texts = " ".join(row["explanation"] for row in db.execute("SELECT explanation FROM signal"))
    assert "andere regio: Testdam" in texts
    for secret in ("Jan", "Mia", "Testers", "Anne", "Noor", "999993653", "Voorbeeldlaan", "1234AB", "1980"):
        assert secret not in texts.replace("januari", ""), secret


def test_a_case_closed_not_long_ago_and_the_count_of_cbs(db: Db) -> None:
    first = arrive(db, JAN, MIA, ANNE, days=-120)
    assert involvement(db, first) == ("first", 0)
    again = arrive(db, JAN, MIA, ANNE, days=-119)
    assert involvement(db, again) == ("follow_during_assessment", 3)
    desk.assess(db, again, "no_steps", at=DAY - timedelta(days=101))
    close(db, first, -100)
    repeat = arrive(db, JAN, MIA, ANNE, days=-20)
    assert involvement(db, repeat) == ("repeat_several", 3)
    assert in_force(db, repeat)["closed_recently"]["evidence"] == [first, again, repeat]
    desk.assess(db, repeat, "conditions", at=DAY - timedelta(days=15))
    later = arrive(db, JAN, MIA, days=-10)
    assert involvement(db, later) == ("follow_after_assessment", 2)
    desk.assess(db, later, "join", at=DAY - timedelta(days=6))
    with db.transaction():
        db.execute(
            "UPDATE service SET ended_at = %s, outcome = 'done' WHERE report_id = %s",
            (DAY - timedelta(days=5), repeat),
        )
        steps.take(
            db, repeat, "monitor", by="bram", role="assessor", reason="Veilig genoeg.", at=DAY - timedelta(days=5)
        )
    assert involvement(db, arrive(db, JAN, MIA)) == ("follow_during_monitoring", 2)


def test_a_report_without_family_is_not_classified(db: Db) -> None:
    teacher = who("Els", "Vermaat", "19700101", "141") | {"rol": {"tekst": "onderwijsgevende"}}
    assert involvement(db, arrive(db)) == ("unclassified", 0)
    assert arrive(db, teacher)


def test_a_proposal_is_nobody_s_history(db: Db) -> None:
    known = arrive(db, JAN, MIA, ANNE, days=-30)
    report = receive(db, who("Iemand", "Anders", "19900101"))
    link(db, report)
    person = db.execute(
        "SELECT person_id FROM link l JOIN mention m ON m.id = l.mention_id WHERE report_id = %s", (known,)
    )
    mention = db.execute("SELECT id FROM mention WHERE report_id = %s", (report,)).fetchone()
    someone = person.fetchone()
    assert someone is not None
    assert mention is not None
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set)"
        """ VALUES (%s, %s, %s, %s, 'proposed', 'same_person', 1, '[{"field": "surname"}]', 'test')""",
        (uuid7(), REGION, mention["id"], someone["person_id"]),
    )
    before = everything(db)
    with db.transaction():
        assert signals.refresh(db, report, [], "bram", DAY) == []
    assert everything(db) == before
    assert involvement(db, report) == ("first", 0)


def test_noting_twice_changes_nothing_and_leaves_one_audit_row(db: Db) -> None:
    arrive(db, JAN, MIA, ANNE, days=-30)
    report = arrive(db, JAN, MIA, ANNE, kind="zorg")
    before = everything(db)
    with db.transaction():
        assert signals.note(db, report, DAY) == []
        assert signals.refresh(db, report, [], "bram", DAY) == []
    assert everything(db) == before
    (row,) = [row for row in audit.of_object(db, report) if row["action"] == "report.signals"]
    assert row["details"] == {
        "rules": rules.NEWEST,
        "added": ["new_reporter"],
        "withdrawn": [],
        "involvement": "follow_during_assessment",
        "before": None,
    }


def test_two_reports_on_one_household_at_the_same_moment_see_each_other(db: Db, database_url: str) -> None:
    arrive(db, JAN, MIA, ANNE, days=-30)
    waiting = [receive(db, JAN, MIA, ANNE, days=days) for days in (0, 0.001)]

    def linked(report: UUID) -> None:
        with psycopg.connect(database_url, **connection_options()) as own:
            link(own, report)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(linked, reversed(waiting)))
    assert [sorted(in_force(db, report)) for report in waiting] == [[], ["third_report"]]


def test_a_report_that_was_linked_late_changes_those_after_it(db: Db) -> None:
    late = receive(db, JAN, MIA, ANNE, days=-40)
    second = arrive(db, JAN, MIA, ANNE, days=-20)
    third = arrive(db, JAN, MIA, ANNE)
    assert involvement(db, second) == ("first", 0)
    assert in_force(db, third) == {}
    link(db, late)
    assert in_force(db, third).keys() == {"third_report"}
    assert involvement(db, second) == ("follow_during_assessment", 3)
    assert involvement(db, late) == ("first", 0)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_linking_changes_nothing_of_what_is_noted(db: Db, order: tuple[int, ...]) -> None:
    reports = [
        receive(db, JAN, MIA, ANNE, days=-60),
        receive(db, JAN, MIA, ANNE, days=-30, kind="zorg", forms=("wapen",)),
        receive(db, JAN, MIA, ANNE, BABY),
    ]
    for number in order:
        link(db, reports[number])
    found = [
        {rule: [reports.index(one) for one in row["evidence"]] for rule, row in in_force(db, report).items()}
        for report in reports
    ]
    assert found == [
        {},
        {"new_reporter": [0, 1], "escalation": [0, 1]},
        {"third_report": [0, 1, 2], "child_born": [0, 2]},
    ]
    assert [involvement(db, report) for report in reports] == [
        ("first", 0),
        ("follow_during_assessment", 3),
        ("follow_during_assessment", 3),
    ]


def test_a_report_linked_late_is_history_for_a_person_in_another_household(db: Db) -> None:
    """Jan lives elsewhere now. His earlier report comes in late: it stays with the family that he left."""
    late = receive(db, JAN, MIA, ANNE, days=-300)
    new_family = arrive(db, JAN, who("Sara", "Nieuwenhuis", "19850505", bsn="999990408"))
    assert involvement(db, new_family) == ("first", 0)
    with db.transaction():
        register.link_report(db, late, DAY)
        db.execute("UPDATE report SET household_id = %s WHERE id = %s", (_empty(db), late))
        cases.attach(db, late)
        (changed,) = signals.note(db, late, DAY)
    assert (changed.kind, changed.subject) == ("involvement_changed", new_family)
    assert involvement(db, new_family) == ("unclassified", 1), "that other case still runs"
    assert in_force(db, new_family) == {}


# ── known in another region ─────────────────────────────────────────────────────────────────────────────────


def test_another_region_is_named_without_content_and_it_stays_as_it_was_at_receipt(db: Db) -> None:
    theirs = arrive(db, JAN, region=NEIGHBOUR, days=-60, forms=("wapen",))
    report = arrive(db, JAN, MIA, ANNE)
    found = in_force(db, report)["known_elsewhere"]
    assert "Buurstreek" in found["explanation"]
    assert found["evidence"] == [report]
    assert str(theirs) not in str(found)
    assert involvement(db, report) == ("first", 0), "another region's report is no earlier involvement of ours"
    assert "known_elsewhere" not in in_force(db, theirs), "it came in first"
    later = arrive(db, MIA, days=5, region=NEIGHBOUR)
    assert in_force(db, later)["known_elsewhere"]["evidence"] == [later]
    with db.transaction():
        assert signals.refresh(db, theirs, [], "bram", DAY) == []


# ── corrected ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_corrected_link_withdraws_with_a_reason_and_the_right_link_brings_back(db: Db) -> None:
    arrive(db, JAN, MIA, ANNE, days=-60)
    wrong = arrive(db, JAN, MIA, ANNE, days=-30, kind="zorg")
    last = arrive(db, JAN, MIA, ANNE)
    assert in_force(db, wrong).keys() == {"new_reporter"}
    assert in_force(db, last).keys() == {"third_report"}

    told = undo_all(db, wrong, DAY + timedelta(days=1))
    assert in_force(db, wrong) == {}
    assert in_force(db, last) == {}
    assert involvement(db, wrong) == ("first", 0)
    gone = withdrawn(db, wrong)["new_reporter"]
    assert gone["withdrawn_by"] == "bram"
    assert gone["withdrawn_why"] == "Een koppeling is gecorrigeerd: de melding hoort nu bij een ander huishouden."
    assert withdrawn(db, last)["third_report"]["withdrawn_why"].endswith("het signaal geldt niet meer.")
    texts = {(one.kind, one.subject): one.text for one in told}
    assert "Drie of meer meldingen" in texts["signal_withdrawn", last]
    assert texts["involvement_changed", wrong] == (
        "De melding van 2 februari 2026 telt nu als: Eerste melding"
        " (was: Vervolgmelding tijdens de veiligheidsbeoordeling)"
    )

    # Back again: the household is put right, as a confirmed link does.
    home = db.execute("SELECT household_id FROM report WHERE id = %s", (last,)).fetchone()
    left = db.execute("SELECT household_id FROM report WHERE id = %s", (wrong,)).fetchone()
    assert home is not None
    assert left is not None
    with db.transaction():
        db.execute("UPDATE report SET household_id = %s WHERE id = %s", (home["household_id"], wrong))
        cases.follow_household(db, wrong, "bram", DAY + timedelta(days=2))
        told = signals.refresh(db, wrong, [left["household_id"]], "bram", DAY + timedelta(days=2))
    assert {one.kind for one in told} == {"signal_added", "involvement_changed"}
    assert in_force(db, wrong).keys() == {"new_reporter"}
    assert in_force(db, last).keys() == {"third_report"}
    assert len(withdrawn(db, wrong)) == 1, "what was withdrawn stays readable"
    assert breaches(db) == set()


def test_a_signal_that_still_holds_goes_with_its_report_to_the_other_household(db: Db) -> None:
    arrive(db, JAN, region=NEIGHBOUR, days=-60)
    arrive(db, JAN, MIA, ANNE, days=-30)
    moved = arrive(db, JAN, MIA, ANNE)
    undo_all(db, moved, DAY + timedelta(days=1))
    (now,) = in_force(db, moved).values()
    (before,) = withdrawn(db, moved).values()
    assert (now["rule"], before["rule"]) == ("known_elsewhere", "known_elsewhere")
    home = db.execute("SELECT household_id, case_id FROM report WHERE id = %s", (moved,)).fetchone()
    assert home == {"household_id": now["household_id"], "case_id": now["case_id"]}
    assert before["household_id"] != now["household_id"]


def test_a_household_that_the_caller_forgot_is_found_by_its_signals_and_persons(db: Db) -> None:
    arrive(db, JAN, MIA, ANNE, days=-60)
    wrong = arrive(db, JAN, MIA, ANNE, days=-30, kind="zorg")
    last = arrive(db, JAN, MIA, ANNE)
    assert in_force(db, last)
    undo_all(db, wrong, DAY, forgotten=True)
    assert in_force(db, last) == {}


def test_new_rules_say_that_they_are_the_reason(db: Db) -> None:
    arrive(db, JAN, MIA, ANNE, days=-30)
    report = arrive(db, JAN, MIA, ANNE, kind="zorg")
    home = db.execute("SELECT household_id FROM report WHERE id = %s", (report,)).fetchone()
    assert home is not None
    basis = rules.load()
    fewer = basis.model_copy(update={"version": "proef", "rules": basis.rules[:1]})
    with db.transaction():
        signals.recount(db, [home["household_id"]], "lead", DAY, fewer)
    assert withdrawn(db, report)["new_reporter"]["withdrawn_why"].startswith("De radarregels zijn vernieuwd")


def test_a_register_that_came_in_at_once_is_counted_at_once(db: Db) -> None:
    """As a bulk import does: linked and with a case, but nothing noted."""
    arrive(db, JAN, region=NEIGHBOUR, days=-90)
    reports = [receive(db, JAN, MIA, ANNE, days=days) for days in (-60, -30, 0)]
    with db.transaction():
        for report in reports:
            register.link_report(db, report, DAY)
            cases.attach(db, report)
        homes = {row["household_id"] for row in db.execute("SELECT * FROM report WHERE region_id = %s", (REGION,))}
        signals.recount(db, homes, "system", DAY)
    assert [involvement(db, report)[0] for report in reports] == ["first", *["follow_during_assessment"] * 2]
    assert in_force(db, reports[2]).keys() == {"third_report"}, "nobody knows what the other region knew then"


def test_a_whole_region_is_counted_some_households_at_a_time(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports that were linked before there were signals; broken off half way, it is simply done again."""
    reports = [
        receive(db, who(name, f"Proef{name.lower()}", "19800305", adressen=[]), days=days)
        for name in ("Ad", "Bo", "Cas", "Dirk", "Eef")
        for days in (-60, -30, 0)
    ]
    with db.transaction():
        for report in reports:
            register.link_report(db, report, DAY)
            cases.attach(db, report)
    homes = {row["household_id"] for row in db.execute("SELECT household_id FROM report")}
    monkeypatch.setattr(settle, "CHUNK", 2)
    told: list[tuple[int, int]] = []

    class Stopped(Exception):
        pass

    def stop(done: int, of: int) -> None:
        told.append((done, of))
        raise Stopped

    with pytest.raises(Stopped):
        signals.recount_all(db, REGION, stop)
    assert 0 < len(db.execute("SELECT report_id FROM involvement").fetchall()) < len(reports), "what is done stays"
    signals.recount_all(db, REGION, lambda done, of: told.append((done, of)))
    total = len(homes)
    assert told[1:] == [(min(done, total), total) for done in range(2, total + 2, 2)]
    found = db.execute("SELECT report_id FROM involvement ORDER BY report_id").fetchall()
    assert [row["report_id"] for row in found] == sorted(reports)
    before = db.execute("SELECT * FROM involvement ORDER BY report_id").fetchall()
    signals.recount_all(db, REGION, lambda done, of: None)
    assert db.execute("SELECT * FROM involvement ORDER BY report_id").fetchall() == before
    assert signals.recount_all(db, NEIGHBOUR, stop) is None, "nothing to tell"


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE signal SET explanation = 'anders'",
        "UPDATE signal SET withdrawn_at = now()",
        "DELETE FROM signal",
        "INSERT INTO signal SELECT gen_random_uuid(), region_id, household_id, case_id, report_id, rule, title,"
        " rule_set, fired_on, explanation, evidence, noted_at FROM signal",
    ],
)
def test_a_signal_is_only_withdrawn_and_with_a_reason(db: Db, change: str) -> None:
    arrive(db, JAN, MIA, ANNE, days=-30)
    arrive(db, JAN, MIA, ANNE, kind="zorg")
    before = everything(db)
    with pytest.raises(psycopg.IntegrityError):
        db.execute(change)
    assert everything(db) == before


def test_verify_sees_what_is_missing_or_stands_wrong(db: Db) -> None:
    arrive(db, JAN, MIA, ANNE, days=-30)
    report = receive(db, JAN, MIA, ANNE, kind="zorg")
    db.execute(
        "INSERT INTO job (id, region_id, kind, subject_id) VALUES (%s, %s, 'link_report', %s)",
        (uuid7(), REGION, report),
    )
    job = db.execute("SELECT id FROM job WHERE subject_id = %s AND kind = 'link_report'", (report,)).fetchone()
    assert job is not None
    assert work.carry_out(job["id"])
    assert breaches(db) == set()
    db.execute("DELETE FROM involvement WHERE report_id = %s", (report,))
    db.execute("UPDATE report SET household_id = %s WHERE id = %s", (_empty(db), report))
    assert breaches(db) == {
        "each report that was linked has its earlier involvement",
        "a signal in force stands at the household and the case of its report",
    }


def breaches(db: Db) -> set[str]:
    """What `veilig verify` finds wrong about signals and involvement; these reports have no ledgers and messages."""
    about = ("signal", "involvement")
    return {one.text for one in verify.verify(db) if one.breaches and any(word in one.text for word in about)}


def _empty(db: Db) -> UUID:
    home = uuid7()
    db.execute("INSERT INTO household (id, region_id) VALUES (%s, %s)", (home, REGION))
    return home


@pytest.mark.parametrize("table", [models.Involvement, models.Signal], ids=lambda table: table.__tablename__)
def test_each_class_has_the_columns_of_its_table(db: Db, table: Any) -> None:
    found = db.execute(
        "SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable"
        " FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0",
        (table.__tablename__,),
    ).fetchall()
    dialect = postgresql.dialect()
    in_class = {(one.name, one.type.compile(dialect).lower(), one.nullable) for one in table.__table__.columns}
    assert in_class == {tuple(row.values()) for row in found}
