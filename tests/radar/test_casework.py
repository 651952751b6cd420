"""One case per household, always one holder of the watch, a proposal with its reason; a person decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import jobs
from core.database import Db, connection_options
from core.errors import Conflict
from core.ids import uuid7
from intake import senders
from intake.corv import door
from intake.corv.write import write_report
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report
from radar.casework import cases, decision, review
from tests.radar import desk
from workers import verify, work

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
Report = Callable[..., UUID]


@pytest.fixture
def region(db: Db) -> UUID:
    """A region with one of our teams, a local team, and Voorbeeldstad in its service table."""
    region = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldstreek', %s)", (region, VEILIG_THUIS_OIN))
    for name, kind in (("Team Noord", "veilig_thuis"), ("Wijkteam", "local_team")):
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, %s, %s, '2020-01-01')",
            (uuid7(), region, name, kind),
        )
    db.execute(
        "INSERT INTO service_area (id, region_id, municipality, place, team_id, partner_id, valid_from)"
        " VALUES (%s, %s, 'Voorbeeldstad', 'Voorbeeldstad', %s, %s, '2020-01-01')",
        (uuid7(), region, team(db, "Team Noord"), team(db, "Wijkteam")),
    )
    senders.add(db, region, POLICE_OIN, "Politie", "politie")
    return region


@pytest.fixture
def received(db: Db, database_url: str, region: UUID) -> Report:
    """Receive a report through the feed, linked and routed as the workers would; gives its id."""
    [sender] = senders.active(db, region)
    numbers = iter(range(1, 1000))

    async def deliver(raw: bytes, at: datetime) -> None:
        async with await psycopg.AsyncConnection.connect(database_url, **connection_options()) as own:
            answer = await door.deliver(own, sender, raw, at)
            assert answer.kept == "report"

    def receive(at: datetime = NOW, **changes: Any) -> UUID:
        reference = f"bericht-{next(numbers)}"
        changes = {"bericht": {"referentienummer": reference}, "melding": {"kenmerk": reference}} | changes
        asyncio.run(deliver(write_report(sample_report(changes)), at))
        row = one(
            db, "SELECT r.id FROM report r JOIN message m ON m.id = r.message_id WHERE reference = %s", reference
        )
        for kind in ("link_report", "route_report"):
            job = next(job for job in jobs.of_subject(db, row["id"]) if job["kind"] == kind)
            assert work.carry_out(job["id"])
        return row["id"]

    return receive


def one(db: Db, query: str, *values: object) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return dict(row)


def team(db: Db, name: str) -> UUID:
    return one(db, "SELECT id FROM team WHERE name = %s", name)["id"]


def route(db: Db, report: UUID) -> dict[str, Any]:
    return one(db, "SELECT * FROM route WHERE report_id = %s AND state <> 'replaced'", report)


def case(db: Db, report: UUID) -> dict[str, Any]:
    return one(db, "SELECT c.* FROM cases c JOIN report r ON r.case_id = c.id WHERE r.id = %s", report)


def decide(
    db: Db, report: UUID, path: str, team_id: UUID | None = None, after: timedelta = timedelta(days=2)
) -> None:
    desk.assess(db, report, path, team=team_id, at=NOW + after)


def test_a_first_report_opens_a_case_that_veilig_thuis_watches(db: Db, received: Report) -> None:
    opened = case(db, received())
    assert (opened["opened_at"], opened["closed_at"]) == (NOW, None)
    watch = one(db, "SELECT holder, since, until FROM safety_watch WHERE case_id = %s", opened["id"])
    assert watch == {"holder": "veilig_thuis", "since": NOW, "until": None}


def test_a_second_report_on_the_household_joins_the_open_case(db: Db, received: Report) -> None:
    first, second = received(), received(NOW + timedelta(days=30))
    assert case(db, first)["id"] == case(db, second)["id"]


def test_after_closing_a_new_report_opens_a_new_case_on_the_same_household(db: Db, received: Report) -> None:
    first = received()
    decide(db, first, "no_steps")
    second = received(NOW + timedelta(days=30))
    assert case(db, first)["closed_at"] == NOW + timedelta(days=2)
    assert case(db, second)["id"] != case(db, first)["id"]
    assert case(db, second)["household_id"] == case(db, first)["household_id"]


def test_a_case_stays_open_while_another_report_waits(db: Db, received: Report) -> None:
    first, second = received(), received(NOW + timedelta(hours=1))
    decide(db, first, "no_steps")
    assert case(db, first)["closed_at"] is None
    decide(db, second, "no_steps")
    assert case(db, first)["closed_at"] is not None


def test_a_report_without_any_family_is_watched_too(db: Db, received: Report) -> None:
    doctor = {"rol": {"tekst": "hulpverlener"}, "naam": {"geslachtsnaam": "Voorbeeld"}}
    report = received(betrokkenen=[doctor])
    assert case(db, report)["household_id"] is not None


def test_the_municipality_decides_the_local_team(db: Db, received: Report) -> None:
    report = received()
    proposed = route(db, report)
    assert (proposed["path"], proposed["team_id"]) == ("handover", team(db, "Wijkteam"))
    assert "Voorbeeldstad" in proposed["reason"]
    task = one(db, "SELECT team_id FROM task WHERE kind = 'assess' AND subject_id = %s", report)
    assert task["team_id"] == team(db, "Team Noord")


def test_the_service_table_holds_on_the_day_of_receipt(db: Db, received: Report) -> None:
    db.execute("UPDATE service_area SET valid_to = '2026-03-03'")
    proposed = route(db, received())
    assert (proposed["path"], proposed["team_id"]) == ("investigation", None)


def test_acute_goes_before_everything(db: Db, received: Report) -> None:
    report = received(melding={"kenmerk": "acuut", "sash": {"ingevuld": True, "niveau": "hoog"}})
    assert route(db, report)["path"] == "acute"
    risks = db.execute("SELECT kind, risk FROM task WHERE subject_id = %s ORDER BY kind", (report,)).fetchall()
    assert [tuple(row.values()) for row in risks] == [("acute_check", 2), ("assess", 2)]


def test_the_third_report_in_twelve_months_stays_with_veilig_thuis(db: Db, received: Report) -> None:
    reports = [received(NOW - timedelta(days=days)) for days in (500, 200, 100, 0)]
    paths = [route(db, report)["path"] for report in reports]
    assert paths == ["handover", "handover", "handover", "conditions"]
    assert "melding 3" in route(db, reports[-1])["reason"]


def test_a_decision_ends_the_task_and_meets_the_deadline(db: Db, received: Report) -> None:
    report = received()
    decide(db, report, "handover", team(db, "Wijkteam"))
    task = one(db, "SELECT done_by, outcome FROM task WHERE kind = 'assess' AND subject_id = %s", report)
    assert task == {"done_by": "gwen", "outcome": "handover"}
    deadline = one(db, "SELECT met_at FROM deadline WHERE kind = 'safety_assessment' AND subject_id = %s", report)
    assert deadline["met_at"] == NOW + timedelta(days=2)
    assert route(db, report)["decided_by"] == "gwen"
    assert one(db, "SELECT count(*) AS n FROM route WHERE report_id = %s", report)["n"] == 2, "the proposal is kept"


def test_an_expired_term_blocks_nothing(db: Db, received: Report) -> None:
    report = received()
    decide(db, report, "investigation", after=timedelta(days=200))
    assert route(db, report)["state"] == "decided"


@pytest.mark.parametrize(("path", "error"), [("somewhere", decision.UnknownPath), ("handover", decision.TeamMissing)])
def test_a_wrong_decision_changes_nothing(db: Db, received: Report, path: str, error: type[Exception]) -> None:
    report = received()
    with pytest.raises(error):
        decide(db, report, path)
    assert route(db, report)["state"] == "proposed"


def test_a_decision_is_made_once_and_about_something(db: Db, received: Report) -> None:
    report = received()
    decide(db, report, "no_steps")
    with pytest.raises(Conflict):
        decide(db, report, "investigation")
    with pytest.raises(decision.TeamMissing):
        decide(db, received(), "handover", uuid7())


def test_what_runs_already_in_the_case_is_proposed_first(db: Db, received: Report) -> None:
    decide(db, received(), "investigation")
    second = received(NOW + timedelta(days=30))
    assert (route(db, second)["path"], route(db, second)["reason"]) == (
        "join",
        "In deze casus loopt al een traject: in onderzoek. Weeg of dat nog past.",
    )


def test_every_rule_holds_after_all_this_and_a_breach_is_seen(db: Db, received: Report) -> None:
    first, second = received(), received(NOW + timedelta(days=9))
    decide(db, first, "handover", team(db, "Wijkteam"))
    assert second
    assert [finding for finding in verify.verify(db) if finding.breaches] == []
    for broken in (
        "UPDATE safety_watch SET until = now()",
        "DELETE FROM safety_watch",
        "UPDATE cases SET closed_at = now()",
    ):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            db.execute(broken)  # type: ignore[call-overload]
    db.execute("DELETE FROM task WHERE subject_id = %s", (second,))
    found = {(finding.rule, finding.breaches) for finding in verify.verify(db) if finding.breaches}
    assert found == {(3, 1)}


def links(db: Db, report: UUID) -> list[dict[str, Any]]:
    rows = db.execute(
        "SELECT l.* FROM link l JOIN mention m ON m.id = l.mention_id WHERE m.report_id = %s ORDER BY m.number",
        (report,),
    )
    return [dict(row) for row in rows]


def test_undoing_every_link_moves_the_report_to_a_case_of_its_own(db: Db, received: Report) -> None:
    first, second = received(), received(NOW + timedelta(days=3))
    wrong = [link["id"] for link in links(db, second) if link["state"] == "automatic"]
    assert wrong
    kinds = [one.kind for link in wrong for one in review.undo(db, link, "staff:bram", NOW + timedelta(days=4))]
    assert "household_changed" in kinds
    assert kinds.count("case_changed") == 1
    assert case(db, first)["id"] != case(db, second)["id"]
    assert case(db, first)["closed_at"] is None, "it still has its first report"
    assert [finding for finding in verify.verify(db) if finding.breaches] == []


def test_a_case_that_was_opened_by_mistake_is_closed(db: Db, received: Report) -> None:
    first, second = received(), received(NOW + timedelta(days=3))
    wrong = [link["id"] for link in links(db, second) if link["state"] == "automatic"]
    for link in wrong:
        review.undo(db, link, "staff:bram", NOW + timedelta(days=4))
    mistaken = case(db, second)["id"]
    db.execute("UPDATE report SET household_id = %s WHERE id = %s", (case(db, first)["household_id"], second))
    assert cases.follow_household(db, second, "staff:bram", NOW + timedelta(days=5)) == case(db, first)["id"]
    assert one(db, "SELECT closed_at FROM cases WHERE id = %s", mistaken)["closed_at"] is not None


def test_a_question_about_a_link_is_a_task_until_it_is_answered(db: Db, received: Report) -> None:
    report = received()
    mention = links(db, report)[0]["mention_id"]
    person = uuid7()
    db.execute("INSERT INTO person (id, region_id) SELECT %s, region_id FROM report WHERE id = %s", (person, report))
    link = uuid7()
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set)"
        """ SELECT %s, region_id, id, %s, 'proposed', 'same_person', 1, '[{"field": "surname"}]', 'test'"""
        " FROM mention WHERE id = %s",
        (link, person, mention),
    )
    task = one(db, "SELECT due_at, done_at FROM task WHERE kind = 'review_link' AND subject_id = %s", link)
    assert task["done_at"] is None
    assert task["due_at"] == one(db, "SELECT due_at FROM deadline WHERE subject_id = %s", report)["due_at"]
    review.reject(db, link, "staff:bram", NOW)
    answered = one(db, "SELECT done_by, outcome FROM task WHERE subject_id = %s", link)
    assert answered == {"done_by": "staff:bram", "outcome": "rejected"}
