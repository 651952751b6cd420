"""A rehearsal: what would change, over real reports in a real database, and on after a kill."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import jobs
from core.database import Db, connection_options, now
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.linking import correct
from radar.linking.decide import Decision
from radar.quality import rehearsal, rows
from radar.quality.rehearsal import WrongNumber, kind_of
from radar.quality.rulesets import in_force
from tests.radar.quality.conftest import ANNE, DAY, JAN, MIA, STRANGER, Register
from workers import work

ONE, OTHER = UUID(int=1), UUID(int=2)
pytestmark = pytest.mark.usefixtures("figures")


def new(outcome: Any = "new") -> Decision:
    return Decision(outcome, "new")


def automatic(person: UUID = ONE) -> Decision:
    return Decision("same_person", "automatic", person)


def proposed(person: UUID = ONE) -> Decision:
    return Decision("same_person", "proposed", person)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (new(), new(), "same"),
        (new(), new("same_household"), "other_outcome"),
        (new(), automatic(), "new_link"),
        (new(), proposed(), "question_added"),
        (automatic(), automatic(), "same"),
        (automatic(), automatic(OTHER), "other_person"),
        (automatic(), proposed(OTHER), "other_person"),
        (automatic(), proposed(), "to_question"),
        (automatic(), new(), "link_lost"),
        (proposed(), proposed(), "same"),
        (proposed(), proposed(OTHER), "other_person"),
        (proposed(), automatic(), "to_automatic"),
        (proposed(), new(), "question_removed"),
    ],
)
def test_each_pair_of_decisions_has_its_kind_of_change(before: Decision, after: Decision, kind: str) -> None:
    assert kind_of(before, after) == kind


def shown(region: Register, rehearsed: UUID) -> dict[str, Any]:
    row = rows.rehearsal(region.db, region.id, rehearsed)
    assert row
    return row


def changes(region: Register, rehearsed: UUID, kind: str | None = None) -> list[dict[str, Any]]:
    return rows.changes(region.db, region.id, rehearsed, kind, 1000, 0)


def content(db: Db) -> dict[str, list[str]]:
    """Every row of the register."""
    names = ("report", "mention", "person", "household", "membership", "link", "task", "cases")
    return {
        name: [row["line"] for row in db.execute(f"SELECT t::text AS line FROM {name} t ORDER BY 1")]
        for name in names
    }


def test_stricter_rules_turn_links_into_questions_and_change_nothing_in_the_register(
    db: Db, region: Register
) -> None:
    region.arrive(JAN, MIA)
    second = region.arrive(JAN, MIA)
    before = content(db)
    rehearsed = region.rehearse(region.add_rules("streng", automatic=55))
    assert content(db) == before
    found = changes(region, rehearsed)
    mine = {row["mention_id"]: row for row in found}
    for one in second.decisions:
        assert mine[one.mention]["kind"] == "to_question"
        assert (mine[one.mention]["before_state"], mine[one.mention]["after_state"]) == ("automatic", "proposed")
    result = shown(region, rehearsed)
    assert (result["done"], result["reports"], result["weighed"], result["mentions"]) == (2, 2, 2, 4)
    assert result["finished_at"] is not None
    assert result["questions_after"] - result["questions_before"] == len(found)
    assert rows.change_counts(db, rehearsed) == {"to_question": len(found), "contradicts": 0}


def test_the_same_rules_under_another_name_change_nothing(db: Db, region: Register) -> None:
    region.arrive(JAN, MIA)
    region.arrive(JAN, MIA, ANNE)
    rehearsed = region.rehearse(region.add_rules("gelijk"))
    assert changes(region, rehearsed) == []
    assert shown(region, rehearsed)["mentions"] == 5


def test_a_change_against_a_persons_yes_is_marked_and_listed_first(db: Db, region: Register) -> None:
    region.arrive(JAN, MIA)
    second = region.arrive(JAN, MIA)
    region.arrive(JAN)
    (jan,) = [one for one in second.decisions if one.person == second.decisions[0].person]
    assert jan.link
    with db.transaction():
        correct.confirm(db, jan.link, "bram", DAY)
    rehearsed = region.rehearse(region.add_rules("blind", automatic=59, proposed=58))
    found = changes(region, rehearsed)
    assert (found[0]["mention_id"], found[0]["kind"], found[0]["contradicts"]) == (
        jan.mention,
        "link_lost",
        "confirmed",
    )
    assert len(found) > 1
    assert [row["contradicts"] for row in found[1:]] == [None] * (len(found) - 1)
    assert [row["mention_id"] for row in changes(region, rehearsed, "contradicts")] == [jan.mention]
    assert rows.change_counts(db, rehearsed)["contradicts"] == 1


def test_a_no_holds_for_the_mention_and_for_all_of_the_person_it_is(db: Db, region: Register) -> None:
    first, second = region.arrive(JAN), region.arrive(STRANGER)
    jan, stranger = first.decisions[0], second.decisions[0]
    again = region.arrive(STRANGER).decisions[0]
    assert again.person == stranger.person
    assert jan.person
    assert stranger.person
    assert not rows.told_apart(db, again.mention, jan.person)
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
        " decided_at, decided_by) VALUES (%s, %s, %s, %s, 'rejected', 'same_person', 3, '[]', 'x', now(), 'bram')",
        (uuid7(), region.id, stranger.mention, jan.person),
    )
    assert rows.told_apart(db, stranger.mention, jan.person)
    assert rows.told_apart(db, again.mention, jan.person)
    assert rows.told_apart(db, jan.mention, stranger.person)
    assert not rows.told_apart(db, jan.mention, jan.person)


def test_the_newest_reports_are_taken_and_no_more_than_asked(
    db: Db, region: Register, new_region: Callable[[], Register]
) -> None:
    new_region().arrive(MIA)
    for _ in range(5):
        region.arrive(JAN)
    unlinked = region.receive(JAN)
    newest = db.execute(
        "SELECT id FROM report WHERE region_id = %s AND id <> %s ORDER BY received_at DESC LIMIT 3",
        (region.id, unlinked),
    ).fetchall()
    asked = rehearsal.ask(db, region.id, region.add_rules("proef-1"), "teun", now(db), 3)
    parts = db.execute("SELECT reports FROM rehearsal_part WHERE rehearsal_id = %s ORDER BY number", (asked,))
    assert [part["reports"] for part in parts] == [
        [newest[0]["id"], newest[1]["id"]],
        [newest[2]["id"]],
    ]
    (row,) = region.audited("rules.rehearse")
    assert (row["object_id"], row["details"]["reports"]) == (asked, 3)


def test_what_cannot_be_rehearsed_is_refused(db: Db, region: Register) -> None:
    version = region.add_rules("proef-1")
    for number in (0, -1, 10_001):
        with pytest.raises(WrongNumber, match="van 1 tot en met 10000"):
            rehearsal.ask(db, region.id, version, "teun", now(db), number)
    with pytest.raises(NotFound):
        rehearsal.ask(db, region.id, "bestaat-niet", "teun", now(db))
    with pytest.raises(Conflict, match="al in gebruik"):
        rehearsal.ask(db, region.id, in_force(db, region.id).version, "teun", now(db))
    assert db.execute("SELECT count(*) AS n FROM rehearsal").fetchone() == {"n": 0}


def test_weighing_gives_its_locks_back_after_each_report(db: Db, region: Register, database_url: str) -> None:
    """In the middle of a part, another connection can lock every report that was weighed."""
    first = region.arrive(JAN)
    rules = rehearsal.rules_of(db, in_force(db, region.id))
    row = db.execute("SELECT report_id FROM mention WHERE id = %s", (first.decisions[0].mention,)).fetchone()
    assert row
    with db.transaction(), psycopg.connect(database_url, **connection_options()) as other:
        assert len(rehearsal.weighed(db, row["report_id"], rules)) == 1
        other.execute("SELECT FROM report WHERE id = %s FOR UPDATE NOWAIT", (row["report_id"],))
        held = db.execute(
            "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        ).fetchone()
        assert held == {"n": 0}


def test_a_report_that_is_gone_is_counted_as_not_weighed(db: Db, region: Register) -> None:
    region.arrive(JAN)
    version = region.add_rules("proef-1")
    asked = rehearsal.ask(db, region.id, version, "teun", now(db))
    db.execute("UPDATE rehearsal_part SET reports = reports || %s", (uuid7(),))
    job = region.waiting_job()
    assert job
    assert work.carry_out(job)
    result = shown(region, asked)
    assert (result["done"], result["weighed"], result["finished_at"] is None) == (2, 1, False)


def test_a_part_is_carried_out_once(db: Db, region: Register) -> None:
    for _ in range(3):
        region.arrive(JAN)
    rehearsed = region.rehearse(region.add_rules("streng", automatic=55))
    before = [str(row) for row in changes(region, rehearsed)]
    for part in db.execute("SELECT id FROM rehearsal_part").fetchall():
        with db.transaction():
            rehearsal.carry_out_part(db, part["id"])
    assert [str(row) for row in changes(region, rehearsed)] == before
    with pytest.raises(LookupError):
        rehearsal.carry_out_part(db, uuid7())


WORKER = """
from core.database import transaction
from workers import work
while True:
    with transaction() as db:
        row = db.execute("SELECT id FROM job WHERE kind = 'rehearse_rules' AND state = 'new'").fetchone()
    if row is None:
        break
    work.carry_out(row["id"])
"""


def test_a_killed_worker_loses_one_part_and_the_rehearsal_goes_on(
    db: Db, region: Register, database_url: str
) -> None:
    for number in range(8):
        region.arrive(*([JAN, MIA] if number % 2 else [JAN, ANNE, STRANGER]))
    version = region.add_rules("streng", automatic=55)
    control = region.rehearse(version)
    asked = rehearsal.ask(db, region.id, version, "teun", now(db))
    # Part three is held, so that the worker is in the middle of it when it is killed.
    with psycopg.connect(database_url, **connection_options(0)) as other, other.transaction():
        other.execute("SELECT FROM rehearsal_part WHERE rehearsal_id = %s AND number = 3 FOR UPDATE", (asked,))
        worker = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.DEVNULL)
        try:
            wait_until_part_three_is_at_work(db, asked, worker)
        finally:
            worker.kill()
            worker.wait(10)
    assert shown(region, asked)["done"] == 4
    db.execute("UPDATE job SET leased_until = now() - interval '1 second' WHERE state = 'leased'")
    assert jobs.sweep(db) == 1
    while job := region.waiting_job():
        assert work.carry_out(job)
    result, wanted = shown(region, asked), shown(region, control)
    for name in ("reports", "done", "weighed", "mentions", "questions_before", "questions_after"):
        assert result[name] == wanted[name], name
    assert result["finished_at"] - now(db) < timedelta(0)

    def outcome(rehearsed: UUID) -> list[tuple[UUID, str, float]]:
        found = changes(region, rehearsed)
        return sorted((row["mention_id"], row["kind"], row["after_score"]) for row in found)

    assert outcome(asked) == outcome(control) != []


def wait_until_part_three_is_at_work(db: Db, asked: UUID, worker: subprocess.Popen[bytes]) -> None:
    db.execute("SET statement_timeout = 0")
    for _ in range(600):
        row = db.execute(
            "SELECT j.state FROM job j JOIN rehearsal_part p ON p.id = j.subject_id"
            " WHERE p.rehearsal_id = %s AND p.number = 3",
            (asked,),
        ).fetchone()
        if row and row["state"] == "leased":
            return
        assert worker.poll() is None, "the worker ended by itself"
        db.execute("SELECT pg_sleep(0.05)")
    raise AssertionError("the worker did not come to part three")
