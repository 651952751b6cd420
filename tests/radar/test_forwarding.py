"""A form that is no report: it leaves the radar without a trace for others, and comes back when it was one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import jobs
from core.database import Db
from core.errors import Conflict, LeaseLost, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from radar.casework import acute, cases, forwarding, ledger, review, steps, tasks
from radar.casework.steps import WrongMove
from radar.linking import correct
from tests.radar import desk
from tests.radar.arrivals import (
    ACUTE,
    ANNE,
    DAY,
    JAN,
    MIA,
    REGION,
    Person,
    arrive,
    breaches,
    found_region,
    holder,
    one,
    open_tasks,
    receive,
    state,
    who,
)
from workers import work

SOON, LATER, BACK = DAY + timedelta(hours=1), DAY + timedelta(days=1), DAY + timedelta(days=20)
ILSE = {"by": "ilse", "role": "intake_worker"}
BRAM = {"by": "bram", "role": "assessor"}
OTHERS = who("Piet", "Anders", "19500101", bsn="999995571")
DERIVED = (
    "person",
    "household",
    "membership",
    "link",
    "person_key",
    "cases",
    "safety_watch",
    "signal",
    "involvement",
)


@pytest.fixture(autouse=True)
def region(db: Db) -> UUID:
    return found_region(db)


@pytest.fixture(autouse=True)
def every_rule_holds(db: Db, region: UUID) -> Iterator[None]:
    """After each test nothing is half done."""
    yield
    assert breaches(db) == set()


def forward(db: Db, report: UUID, at: datetime = LATER, **changes: Any) -> UUID:
    values = {"to": "Gemeente Testdam", "reason": "Overlast van buren, geen huiselijk geweld."} | ILSE | changes
    with db.transaction():
        return forwarding.forward(db, report, at=at, **values)


def retrieve(db: Db, forwarded: UUID, at: datetime = BACK, **changes: Any) -> None:
    values = {"reason": "Het was de ex-partner."} | BRAM | changes
    with db.transaction():
        forwarding.retrieve(db, forwarded, at=at, **values)


def ask(db: Db, report: UUID, person: UUID) -> UUID:
    link = uuid7()
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
        " created_at) SELECT %s, region_id, id, %s, 'proposed', 'same_person', 4, '[{}]', 'test', %s FROM mention"
        " WHERE report_id = %s AND number = 1",
        (link, person, SOON, report),
    )
    return link


def person_of(db: Db, report: UUID) -> dict[str, Any]:
    return one(
        db,
        "SELECT l.person_id, l.state FROM link l JOIN mention m ON m.id = l.mention_id WHERE m.report_id = %s"
        " AND m.number = 1 AND l.state IN ('new', 'automatic', 'confirmed')",
        report,
    )


def term(db: Db, kind: str, subject: UUID) -> dict[str, Any]:
    found = ledger.find(db, REGION, kind, subject)
    assert found is not None
    return dict(found)


def seen(db: Db, *, but: UUID | None = None) -> dict[str, set[str]]:
    """What the radar knows, as text; without what is only about one report, and without what fell away."""
    mine = "(SELECT id FROM mention WHERE report_id = %(but)s)"
    theirs = f"(SELECT person_id FROM link WHERE mention_id NOT IN {mine})"
    closed = "(SELECT id FROM cases WHERE NOT EXISTS (SELECT FROM report r WHERE r.case_id = cases.id))"
    where = {
        "person": f"id IN {theirs}",
        "household": "founded_by IS DISTINCT FROM %(but)s AND founded_by IS NOT NULL",
        "membership": f"mention_id NOT IN {mine}",
        "link": f"mention_id NOT IN {mine}",
        "person_key": "true",
        "cases": f"id NOT IN {closed}",
        "safety_watch": f"case_id NOT IN {closed}",
        "signal": "withdrawn_at IS NULL",
        "involvement": "report_id IS DISTINCT FROM %(but)s",
    }
    return {
        table: {
            row["line"]
            for row in db.execute(
                f"SELECT t::text AS line FROM {table} t WHERE {where[table]}",  # type: ignore[call-overload]
                {"but": but},
            )
        }
        for table in DERIVED
    }


# ── sending on ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_kept_with_its_place_its_reason_and_the_day_of_destruction(db: Db) -> None:
    report = arrive(db, JAN)
    forwarded = forward(db, report)
    (row,) = forwarding.of_report(db, REGION, report)
    assert row["id"] == forwarded
    assert (row["forwarded_to"], row["actor"], row["at"]) == ("Gemeente Testdam", "ilse", LATER)
    assert row["destroy_on"] == date(2026, 6, 2), "90 days after 4 March"
    assert state(db, report) == "forwarded"
    route = one(db, "SELECT path, state, decided_by FROM route WHERE report_id = %s AND state <> 'replaced'", report)
    assert route == {"path": "not_hgkm", "state": "decided", "decided_by": "ilse"}
    assert forwarding.of_report(db, uuid7(), report) == []


@pytest.mark.parametrize("checked", [False, True])
def test_its_terms_fall_away_and_its_tasks_are_done_by_the_person(db: Db, checked: bool) -> None:
    report = arrive(db, JAN)
    if checked:
        desk.check(db, report, at=SOON)
    mentions = [row["id"] for row in db.execute("SELECT id FROM mention WHERE report_id = %s", (report,))]
    with db.transaction():
        ledger.start(
            db, "person_notice", mentions, report, starts_on=DAY.date(), by="system", at=DAY, reason="vastgelegd"
        )
        tasks.open_task(db, "notify", report, report, due_at=BACK, at=DAY)
    forward(db, report)
    for kind, subject in (("safety_assessment", report), ("person_notice", mentions[0])):
        assert (term(db, kind, subject)["dropped_at"], term(db, kind, subject)["dropped_why"]) == (
            LATER,
            "geen melding",
        )
    check = term(db, "acute_check", report)
    assert (check["met_at"], check["dropped_at"]) == ((SOON, None) if checked else (None, LATER))
    assert open_tasks(db, report) == []
    ended = db.execute("SELECT DISTINCT done_by, outcome FROM task WHERE done_at = %s", (LATER,)).fetchall()
    assert [tuple(row.values()) for row in ended] == [("ilse", "forwarded")]


def test_what_a_person_concerned_asked_for_goes_on(db: Db) -> None:
    report = arrive(db, JAN)
    mention = one(db, "SELECT id FROM mention WHERE report_id = %s", report)["id"]
    request = uuid7()
    with db.transaction():
        db.execute(
            "INSERT INTO person_request (id, region_id, report_id, mention_id, kind, received_on, noted_at, actor)"
            " VALUES (%s, %s, %s, %s, 'access', %s, %s, 'ilse')",
            (request, REGION, report, mention, DAY.date(), DAY),
        )
        ledger.start(
            db, "access_request", [request], report, starts_on=DAY.date(), by="ilse", at=DAY, reason="verzoek"
        )
        tasks.open_task(db, "person_request", request, report, due_at=BACK, at=DAY)
    forward(db, report)
    assert open_tasks(db, report) == ["person_request"]
    assert term(db, "access_request", request)["dropped_at"] is None


def test_the_only_report_of_a_family_leaves_nobody_and_its_case_is_closed(db: Db) -> None:
    report = arrive(db, JAN, MIA, ANNE)
    case = one(db, "SELECT case_id FROM report WHERE id = %s", report)["case_id"]
    forward(db, report)
    assert all(not rows for rows in seen(db, but=report).values())
    assert one(db, "SELECT count(*) AS n FROM person WHERE profile IS NOT NULL")["n"] == 0
    assert one(db, "SELECT count(*) AS n FROM link WHERE state <> 'undone'")["n"] == 0
    assert one(db, "SELECT closed_at FROM cases WHERE id = %s", case)["closed_at"] == LATER
    assert one(db, "SELECT until FROM safety_watch WHERE case_id = %s", case)["until"] == LATER
    assert one(db, "SELECT household_id, case_id, linked_at FROM report WHERE id = %s", report) == {
        "household_id": None,
        "case_id": None,
        "linked_at": None,
    }


def test_nothing_rests_on_it_but_what_others_said_stays_as_it_was(db: Db) -> None:
    arrive(db, JAN, MIA)
    before = seen(db)
    report = arrive(db, JAN | {"telefoonnummers": ["0641234567"]}, ANNE, at=SOON)
    assert seen(db)["person_key"] > before["person_key"]
    forward(db, report)
    assert seen(db, but=report) == before


def test_a_form_that_founded_the_household_leaves_it_to_the_others(db: Db) -> None:
    founder, other = arrive(db, JAN, MIA), arrive(db, JAN, MIA, at=SOON)
    home = one(db, "SELECT household_id, case_id FROM report WHERE id = %s", other)
    forward(db, founder)
    assert one(db, "SELECT household_id, case_id FROM report WHERE id = %s", other) == home
    assert holder(db, other) == "veilig_thuis"
    assert one(db, "SELECT closed_at FROM cases WHERE id = %s", home["case_id"])["closed_at"] is None
    assert one(db, "SELECT kind FROM involvement WHERE report_id = %s", other)["kind"] == "first"


def test_signals_that_rested_on_it_are_withdrawn_with_their_reason(db: Db) -> None:
    first, second, third = (arrive(db, JAN, MIA, at=DAY + timedelta(minutes=number)) for number in range(3))
    fired = "SELECT count(*) AS n FROM signal WHERE report_id = %s AND withdrawn_at IS NULL AND rule = 'third_report'"
    assert one(db, fired, third)["n"] == 1
    forward(db, second)
    assert one(db, fired, third)["n"] == 0
    assert one(db, "SELECT count(*) AS n FROM signal WHERE report_id = %s AND withdrawn_at IS NULL", second)["n"] == 0
    again = arrive(db, JAN, MIA, at=BACK)
    assert one(db, fired, again)["n"] == 1, "the first, the third and this one"
    assert one(db, "SELECT count(*) AS n FROM report WHERE household_id = (SELECT household_id FROM report"
                   " WHERE id = %s)", first)["n"] == 3  # fmt: skip


def test_questions_about_people_of_it_end_with_it(db: Db) -> None:
    report = arrive(db, JAN, MIA)
    asked = arrive(db, OTHERS, at=SOON)
    ask(db, asked, person_of(db, report)["person_id"])
    question = "SELECT count(*) AS n FROM task WHERE kind = 'review_link' AND report_id = %s AND done_at IS NULL"
    assert one(db, question, asked)["n"] == 1
    forward(db, report)
    assert one(db, question, asked)["n"] == 0, "it was about somebody who is nobody any more"


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"to": " "}, forwarding.PlaceMissing),
        ({"reason": ""}, ReasonMissing),
        ({"role": "administrator"}, NotAllowed),
        ({"role": "partner"}, NotAllowed),
    ],
)
def test_without_a_place_a_reason_or_the_right_role_nothing_happens(
    db: Db, change: dict[str, Any], error: type[Exception]
) -> None:
    report = arrive(db, JAN)
    before = seen(db)
    with pytest.raises(error):
        forward(db, report, **change)
    assert (seen(db), state(db, report)) == (before, "received")
    assert forwarding.of_report(db, REGION, report) == []


def test_acute_danger_is_never_sent_on_before_a_person_ended_it(db: Db) -> None:
    report = arrive(db, JAN, acute_signals=[ACUTE])
    with pytest.raises(forwarding.NotChecked):
        forward(db, report)
    desk.check(db, report, acute=True, at=SOON)
    with pytest.raises(forwarding.StillAcute):
        forward(db, report)
    assert state(db, report) == "assessing"
    with db.transaction():
        acute.end(db, report, "Het mes bleek van een buurman.", by="gwen", role="behavioural_scientist", at=SOON)
    forward(db, report)
    assert state(db, report) == "forwarded"


def test_acute_signs_that_a_person_looked_at_do_not_stand_in_the_way(db: Db) -> None:
    report = arrive(db, JAN, acute_signals=[ACUTE])
    desk.check(db, report, acute=False, at=SOON)
    forward(db, report)
    assert state(db, report) == "forwarded"


def test_after_the_decision_and_a_second_time_it_is_too_late(db: Db) -> None:
    report, other = arrive(db, JAN), arrive(db, OTHERS)
    desk.assess(db, report, "conditions", at=LATER)
    with pytest.raises(WrongMove, match="Voorwaarden en vervolg"):
        forward(db, report, at=BACK)
    forward(db, other)
    with pytest.raises(WrongMove, match="Terughalen"):
        forward(db, other, at=BACK)


def finish(db: Db, report: UUID, claim: jobs.Claim) -> None:
    """What the worker does that had the job already."""
    with db.transaction():
        work.link_report(db, report)
        jobs.complete(db, claim)


def test_a_form_that_was_not_linked_yet_never_reaches_the_radar(db: Db) -> None:
    report = receive(db, JAN)
    jobs.enqueue(db, REGION, "link_report", report)
    (job,) = jobs.of_subject(db, report)
    claim = jobs.claim(db, job["id"])
    assert claim is not None, "a worker has it, and waits for the report"
    forward(db, report)
    with pytest.raises(LeaseLost):
        finish(db, report, claim)
    assert all(not rows for rows in seen(db).values())
    assert jobs.due(db) == []


def test_a_dead_job_of_it_is_no_work_any_more(db: Db) -> None:
    report = receive(db, JAN)
    jobs.enqueue(db, REGION, "link_report", report)
    (job,) = jobs.of_subject(db, report)
    for _ in range(jobs.MAX_ATTEMPTS):
        db.execute("UPDATE job SET due_at = now() WHERE id = %s", (job["id"],))
        claim = jobs.claim(db, job["id"])
        assert claim is not None
        jobs.fail(db, claim, "ValueError")
    assert one(db, "SELECT done_at FROM task WHERE kind = 'dead_job'")["done_at"] is None
    forward(db, report)
    assert one(db, "SELECT outcome FROM task WHERE kind = 'dead_job'")["outcome"] == "withdrawn"
    assert not jobs.withdraw(db, "link_report", report, "ilse")


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("checked", [False, True])
def test_a_mistake_is_undone_with_the_old_terms_and_all_the_work(db: Db, checked: bool) -> None:
    report = arrive(db, JAN, MIA)
    if checked:
        desk.check(db, report, at=SOON)
    before = {kind: term(db, kind, report) for kind in ("safety_assessment", "acute_check")}
    retrieve(db, forward(db, report))
    assert {kind: term(db, kind, report) for kind in before} == before
    assert state(db, report) == "received"
    assert open_tasks(db, report) == ["acute_check", "assess"]
    work_of = db.execute(
        "SELECT kind, due_at, risk, team_id FROM task WHERE done_at IS NULL ORDER BY kind"
    ).fetchall()
    assert [row["due_at"] for row in work_of] == [
        before["acute_check"]["due_at"],
        before["safety_assessment"]["due_at"],
    ]
    assert work_of[0]["risk"] == 1, "nobody knows yet whether it is urgent"
    assert holder(db, report) == "veilig_thuis"
    route = one(db, "SELECT state FROM route WHERE report_id = %s AND state <> 'replaced'", report)
    assert route["state"] == "proposed"
    (row,) = forwarding.of_report(db, REGION, report)
    assert (row["retrieved_at"], row["retrieved_by"], row["retrieved_why"]) == (
        BACK,
        "bram",
        "Het was de ex-partner.",
    )


def test_it_is_watched_from_the_moment_of_coming_back_and_not_in_between(db: Db) -> None:
    report = arrive(db, JAN)
    retrieve(db, forward(db, report))
    watches = db.execute("SELECT since, until, holder FROM safety_watch ORDER BY since").fetchall()
    assert [(row["since"], row["until"]) for row in watches] == [(DAY, LATER), (BACK, None)]
    assert {row["holder"] for row in watches} == {"veilig_thuis"}


def test_its_people_are_known_again_and_joined_to_who_came_meanwhile(db: Db) -> None:
    report = arrive(db, JAN, MIA)
    forwarded = forward(db, report)
    meanwhile = arrive(db, JAN, MIA, at=LATER + timedelta(days=1))
    retrieve(db, forwarded)
    same = one(db, "SELECT count(DISTINCT household_id) AS homes, count(DISTINCT case_id) AS cases FROM report")
    assert same == {"homes": 1, "cases": 1}
    assert one(db, "SELECT count(*) AS n FROM person WHERE profile IS NOT NULL")["n"] == 2
    assert holder(db, meanwhile) == holder(db, report) == "veilig_thuis"
    assert one(db, "SELECT count(*) AS n FROM involvement")["n"] == 2


def test_forwarded_and_back_tells_of_the_same_people_as_if_nothing_had_been(db: Db) -> None:
    arrive(db, JAN, MIA)
    report = arrive(db, JAN, ANNE, at=SOON)
    keys, homes = seen(db)["person_key"], one(db, "SELECT household_id FROM report WHERE id = %s", report)
    retrieve(db, forward(db, report))
    assert len(seen(db)["person_key"]) == len(keys)
    assert one(db, "SELECT household_id FROM report WHERE id = %s", report) == homes
    jan = one(db, "SELECT count(DISTINCT l.person_id) AS n FROM link l JOIN mention m ON m.id = l.mention_id"
                  " WHERE m.number = 1 AND l.state IN ('new', 'automatic', 'confirmed')")  # fmt: skip
    assert jan["n"] == 1


@pytest.mark.parametrize("which", ["the one that was said", "the one that it was said to be"])
def test_a_yes_of_a_person_outlives_it(db: Db, which: str) -> None:
    stranger: Person = who("Johannes", "Elders", "19790101", adressen=[])
    first, second = arrive(db, JAN), arrive(db, stranger, at=SOON)
    with db.transaction():
        review.confirm(db, ask(db, second, person_of(db, first)["person_id"]), "teun", SOON)
    assert person_of(db, second)["person_id"] == person_of(db, first)["person_id"]
    report = second if which == "the one that was said" else first
    retrieve(db, forward(db, report))
    assert person_of(db, second)["person_id"] == person_of(db, first)["person_id"]
    assert person_of(db, report)["state"] == "confirmed"


def test_a_no_of_a_person_outlives_it(db: Db) -> None:
    first, second = arrive(db, JAN), arrive(db, JAN, at=SOON)
    link = one(db, "SELECT l.id FROM link l JOIN mention m ON m.id = l.mention_id WHERE m.report_id = %s", second)
    with db.transaction():
        correct.reject(db, link["id"], "teun", SOON)
        cases.follow_household(db, second, "teun", SOON)
    retrieve(db, forward(db, second))
    assert person_of(db, second)["person_id"] != person_of(db, first)["person_id"]


def test_it_comes_back_once_with_a_reason_and_by_who_may(db: Db) -> None:
    report = arrive(db, JAN)
    forwarded = forward(db, report)
    with pytest.raises(ReasonMissing):
        retrieve(db, forwarded, reason=" ")
    with pytest.raises(NotAllowed):
        retrieve(db, forwarded, **ILSE)
    with pytest.raises(NotFound):
        retrieve(db, uuid7())
    assert state(db, report) == "forwarded"
    retrieve(db, forwarded)
    with pytest.raises(Conflict, match="al teruggehaald"):
        retrieve(db, forwarded)
    desk.check(db, report, at=BACK)
    assert state(db, report) == "assessing"
    forward(db, report, at=BACK + timedelta(days=1))
    assert [row["retrieved_at"] for row in forwarding.of_report(db, REGION, report)] == [None, BACK]


def test_back_it_is_assessed_and_decided_like_any_report(db: Db) -> None:
    report = arrive(db, JAN)
    desk.check(db, report, at=SOON)
    retrieve(db, forward(db, report))
    desk.assess(db, report, "no_steps", at=BACK + timedelta(days=1))
    assert state(db, report) == "closed"
    moves = [line["move"] for line in steps.history(db, REGION, report)]
    assert moves == ["receive", "check", "forward", "retrieve", "check", "submit", "no_steps"]


def test_the_database_keeps_one_forwarding_that_stands_and_each_whole(db: Db) -> None:
    report = arrive(db, JAN)
    forward(db, report)
    values = "SELECT gen_random_uuid(), region_id, report_id, forwarded_to, reason, at, actor, destroy_on"
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute(
            f"INSERT INTO forwarding (id, region_id, report_id, forwarded_to, reason, at, actor, destroy_on) {values}"  # type: ignore[call-overload]
            " FROM forwarding"
        )
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE forwarding SET retrieved_at = now()")
