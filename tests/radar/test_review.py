"""A person's word on a link: what follows is told exactly, and what is taken back is as if it had never been."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from core import audit, migrations
from core.database import Db
from core.deadlines import safety_assessment
from core.errors import Conflict, NotFound
from core.ids import uuid7
from intake.terms import calendar
from radar import signals
from radar.casework import cases, consequences, proposals, review, routing
from radar.casework.consequences import Effect
from radar.linking import register
from tests.radar import desk
from tests.radar.arrivals import LAID_PLAIN
from workers import verify

REGION, SENDER, OURS, LOCAL = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=40)
BY = "teun"
Person = dict[str, Any]


def who(first: str, last: str, birth: str, house: str, role: str = "111") -> Person:
    address = {"soort": "formeel", "straat": "Voorbeeldlaan", "huisnummer": house, "postcode": "1234AB"}
    return {
        "naam": {"voornamen": first, "geslachtsnaam": last},
        "rol": {"code": role},
        "geboortedatum": {"tekst": birth},
        "adressen": [address | {"woonplaats": "Dalstad"}],
    }


FATHER, CHILD = who("Jan", "Voorbeeld", "19800305", "12"), who("Anne", "Voorbeeld", "20150602", "12", "115")
OTHER, STRANGER = who("Piet", "Proefman", "19791111", "98"), who("Bea", "Proefman", "20120101", "98", "115")


@pytest.fixture
def region(db: Db) -> UUID:
    """A region with one of our teams, and Dalstad that belongs to a local team."""
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Testdam', %s)", (REGION, "0" * 20))
    for team, name, kind in ((OURS, "Team Noord", "veilig_thuis"), (LOCAL, "Wijkteam Dal", "local_team")):
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, %s, %s, '2020-01-01')",
            (team, REGION, name, kind),
        )
    db.execute(
        "INSERT INTO service_area (id, region_id, municipality, place, team_id, partner_id, valid_from)"
        " VALUES (%s, %s, 'Dalstad', 'Dalstad', %s, %s, '2020-01-01')",
        (uuid7(), REGION, OURS, LOCAL),
    )
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Politie Proef', 'politie')",
        (SENDER, REGION, "1" * 20),
    )
    return REGION


def receive(db: Db, *persons: Person, at: datetime = NOW) -> UUID:
    """A report as intake stores it, then linked, put in its case and routed as the workers do; gives its id."""
    message, report = uuid7(), uuid7()
    db.execute(
        "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome,"
        " answer_status, answer_type, answer) VALUES (%s, %s, %s, 'json', %s, %s, %s, 'report', 200, 'Bv03', '')",
        (message, REGION, SENDER, at, message.bytes, hashlib.sha256(message.bytes).digest()),
    )
    db.execute(
        "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter,"
        " received_at, content, remarks, acute_signals, acute_rules)"
        " VALUES (%s, %s, %s, %s, 'politie', 'x', %s, '{}', '[]', '[]', 'x')",
        (report, REGION, message, SENDER, at),
    )
    for number, person in enumerate(persons, start=1):
        db.execute(
            "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
            (uuid7(), REGION, report, number, Jsonb(person)),
        )
    term, deadline = safety_assessment(at, calendar()), uuid7()
    dates = (term.norm.due_on, term.legal.due_on, term.due_at)
    db.execute(
        "INSERT INTO deadline (id, region_id, kind, subject_id, norm_due_on, legal_due_on, due_at)"
        " VALUES (%s, %s, 'safety_assessment', %s, %s, %s, %s)",
        (deadline, REGION, report, *dates),
    )
    db.execute(
        "INSERT INTO deadline_entry (deadline_id, number, at, actor, reason, norm_due_on, legal_due_on, due_at,"
        " steps) VALUES (%s, 1, %s, 'sender', 'ontvangst', %s, %s, %s, '{}')",
        (deadline, at, *dates),
    )
    db.execute(
        "INSERT INTO task (id, region_id, kind, subject_id, received_at, due_at)"
        " VALUES (%s, %s, 'assess', %s, %s, %s)",
        (uuid7(), REGION, report, at, term.due_at),
    )
    with db.transaction():
        register.link_report(db, report, at)
        cases.attach(db, report)
        signals.note(db, report, at)
        routing.propose(db, report)
    return report


def one(db: Db, query: str, *values: object) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return dict(row)


def mention(db: Db, report: UUID, number: int) -> dict[str, Any]:
    """A mention with the person whom it is now."""
    return one(
        db,
        "SELECT m.id, l.person_id AS person, l.id AS link, l.state FROM mention m JOIN link l ON l.mention_id = m.id"
        " AND l.state IN ('new', 'automatic', 'confirmed') WHERE m.report_id = %s AND m.number = %s",
        report,
        number,
    )


def ask(db: Db, report: UUID, number: int, person: UUID) -> UUID:
    """A proposal of the machine, as the register writes it."""
    link = uuid7()
    reasons = [
        {"field": "birth", "level": "one_part", "weight": 4.0, "text": "Geboortedatum bijna gelijk"},
        {"field": "decision", "level": "not_sure", "weight": 0.0, "text": "Niet zeker genoeg"},
    ]
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
        " created_at) SELECT %s, m.region_id, m.id, %s, 'proposed', 'same_person', 4, %s, 'test', r.received_at"
        " FROM mention m JOIN report r ON r.id = m.report_id WHERE m.report_id = %s AND m.number = %s",
        (link, person, Jsonb(reasons), report, number),
    )
    return link


def report_row(db: Db, report: UUID) -> dict[str, Any]:
    return one(db, "SELECT household_id, case_id FROM report WHERE id = %s", report)


def route(db: Db, report: UUID) -> dict[str, Any]:
    return one(db, "SELECT * FROM route WHERE report_id = %s AND state <> 'replaced'", report)


def texts(effects: list[Effect], area: str) -> list[str]:
    return [effect.text for effect in effects if effect.area == area]


def everything(db: Db) -> dict[str, list[str]]:
    """Every row of every table."""
    tables = db.execute(
        "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    ).fetchall()
    return {
        row["t"]: [line["line"] for line in db.execute(f'SELECT x::text AS line FROM "{row["t"]}" x ORDER BY 1')]
        for row in tables
    }


def meaning(db: Db) -> dict[str, Any]:
    """What the rows say, whatever their ids are: who is whom, who lives with whom, what is open and asked."""
    persons: dict[UUID, list[str]] = defaultdict(list)
    for row in db.execute(
        "SELECT person_id, mention_id FROM link WHERE state IN ('new', 'automatic', 'confirmed') ORDER BY mention_id"
    ):
        persons[row["person_id"]].append(str(row["mention_id"]))
    members: dict[UUID, list[str]] = defaultdict(list)
    for row in db.execute("SELECT household_id, mention_id, valid_from FROM membership ORDER BY mention_id"):
        members[row["household_id"]].append(f"{row['mention_id']} {row['valid_from']}")
    together: dict[UUID, list[str]] = defaultdict(list)
    for row in db.execute("SELECT household_id, id FROM report ORDER BY id"):
        together[row["household_id"]].append(str(row["id"]))
    of_report = (
        "SELECT r.id, c.number, c.closed_at IS NULL AS open, c.household_id = r.household_id AS own, w.holder,"
        " c.team_id, d.due_at, o.state, o.path, o.team_id AS goes_to, o.reason FROM report r"
        " JOIN cases c ON c.id = r.case_id"
        " LEFT JOIN safety_watch w ON w.case_id = c.id AND w.until IS NULL"
        " JOIN deadline d ON d.subject_id = r.id JOIN route o ON o.report_id = r.id AND o.state <> 'replaced'"
        " ORDER BY r.id"
    )
    questions = (
        "SELECT l.mention_id, l.person_id, l.score, l.reasons, t.due_at FROM link l"
        " JOIN task t ON t.subject_id = l.id AND t.done_at IS NULL WHERE l.state = 'proposed'"
        " ORDER BY l.mention_id, l.person_id"
    )
    radar = (
        "SELECT s.report_id, s.rule, s.explanation FROM signal s WHERE s.withdrawn_at IS NULL UNION ALL"
        " SELECT report_id, kind, known_persons::text FROM involvement ORDER BY 1, 2"
    )
    return {
        "radar": db.execute(radar).fetchall(),
        "persons": sorted(persons.values()),
        "members": sorted(members.values()),
        "together": sorted(together.values()),
        "reports": db.execute(of_report).fetchall(),
        "questions": db.execute(questions).fetchall(),
    }


def breaches(db: Db) -> set[tuple[int, str]]:
    """The rules that are broken, but for those about rows that these tests put in by hand."""
    return {
        (finding.rule, finding.text)
        for finding in verify.verify(db)
        if finding.breaches and finding.rule not in (1, 9) and finding.text not in LAID_PLAIN
    }


# ── told exactly ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("region")
class TestConsequences:
    def test_a_yes_tells_person_household_case_watch_deadline_and_route(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        link = ask(db, second, 2, mention(db, first, 2)["person"])
        old, new = (
            one(db, "SELECT * FROM cases WHERE id = %s", report_row(db, r)["case_id"]) for r in (second, first)
        )
        effects = consequences.carry_out(db, review.confirm, link, BY, LATER)
        assert texts(effects, "household") == [
            "De melding gaat naar een ander huishouden, waar een andere melding staat."
        ]
        assert texts(effects, "case") == [
            f"De melding gaat uit casus {old['number']}.",
            f"De melding komt in casus {new['number']}.",
            f"Casus {old['number']} wordt gesloten: er staat geen melding meer in.",
        ]
        assert f"In casus {old['number']} houdt niemand meer zicht, want zij is gesloten." in texts(effects, "watch")
        assert f"In casus {new['number']} blijft Veilig Thuis zicht houden." in texts(effects, "watch")
        (deadline,) = texts(effects, "deadline")
        assert deadline.startswith("De termijn blijft")
        assert texts(effects, "reply") == ["Er is over deze melding niets verstuurd."]
        assert report_row(db, second) == report_row(db, first)
        assert breaches(db) == set()

    @pytest.mark.parametrize("word", [review.undo, review.reject])
    def test_a_preview_says_what_happens_and_changes_nothing(self, db: Db, word: review.Word) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, FATHER, CHILD, at=LATER)
        assert report_row(db, first) == report_row(db, second)
        link = mention(db, second, 1)["link"]
        before = everything(db)
        shown = consequences.preview(db, word, link, BY, LATER)
        again = consequences.preview(db, word, link, BY, LATER)
        assert everything(db) == before
        done = consequences.carry_out(db, word, link, BY, LATER)
        assert [(x.area, x.text, x.changes, x.look) for x in shown] == [
            (x.area, x.text, x.changes, x.look) for x in done
        ]
        assert consequences.fingerprint(shown) == consequences.fingerprint(again) == consequences.fingerprint(done)
        assert everything(db) != before

    def test_what_cannot_be_said_is_refused_and_leaves_nothing(self, db: Db) -> None:
        report = receive(db, FATHER)
        before = everything(db)
        for word in (review.undo, review.withdraw, review.reject):
            with pytest.raises(Conflict):
                consequences.preview(db, word, mention(db, report, 1)["link"], BY, NOW)
        with pytest.raises(NotFound):
            consequences.preview(db, review.undo, uuid7(), BY, NOW)
        assert everything(db) == before

    def test_what_was_sent_is_told(self, db: Db) -> None:
        receive(db, FATHER)
        second = receive(db, FATHER, at=LATER)
        db.execute(
            "INSERT INTO outgoing_reply (id, region_id, message_id, kind, body, sent_at)"
            " SELECT %s, region_id, message_id, 'Bv01', '', '2026-04-14' FROM report WHERE id = %s",
            (uuid7(), second),
        )
        effects = consequences.preview(db, review.undo, mention(db, second, 1)["link"], BY, LATER)
        (reply,) = [effect for effect in effects if effect.area == "reply"]
        assert reply.look
        assert "14 april 2026 ging een ontvangstbevestiging (Bv01) naar Politie Proef" in reply.text

    def test_links_made_later_are_named_for_a_look(self, db: Db) -> None:
        receive(db, FATHER)
        second, third = receive(db, FATHER, at=LATER), receive(db, FATHER, at=LATER + timedelta(days=5))
        effects = consequences.preview(db, review.undo, mention(db, second, 1)["link"], BY, LATER)
        looks = [effect for effect in effects if effect.area == "link" and effect.look]
        assert [effect.report for effect in looks] == [third]


# ── routes and decisions ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("region")
class TestRoutes:
    def test_an_open_proposal_is_weighed_again_and_the_earlier_kept(self, db: Db) -> None:
        for days in (60, 30):
            receive(db, FATHER, at=NOW - timedelta(days=days))
        third = receive(db, FATHER)
        assert route(db, third)["path"] == "conditions"
        effects = consequences.carry_out(db, review.undo, mention(db, third, 1)["link"], BY, NOW)
        assert (route(db, third)["path"], route(db, third)["team_id"]) == ("handover", LOCAL)
        assert one(db, "SELECT count(*) AS n FROM route WHERE report_id = %s AND state = 'replaced'", third)["n"] == 1
        (text, *_) = texts(effects, "route")
        assert "Directe overdracht (Wijkteam Dal). Eerst: Voorwaarden" in text

    def test_other_proposals_of_the_household_are_weighed_again_too(self, db: Db) -> None:
        receive(db, FATHER, at=NOW - timedelta(days=60))
        second = receive(db, FATHER, at=NOW - timedelta(days=30))
        third = receive(db, FATHER)
        assert route(db, third)["path"] == "conditions"
        review.undo(db, mention(db, second, 1)["link"], BY, NOW)
        assert route(db, third)["path"] == "handover"

    def test_a_decision_is_never_touched_but_asks_for_a_second_look(self, db: Db) -> None:
        first, second = receive(db, FATHER), receive(db, FATHER, at=LATER)
        for report in (first, second):
            desk.assess(db, report, "investigation", at=LATER + timedelta(days=1))
        decided = [route(db, report) for report in (first, second)]
        effects = consequences.carry_out(
            db, review.undo, mention(db, second, 1)["link"], BY, LATER + timedelta(days=2)
        )
        assert [route(db, report) for report in (first, second)] == decided
        looks = {effect.report for effect in effects if effect.area == "decision" and effect.look}
        assert looks == {first, second}, "the first was decided while the link stood"
        tasks = db.execute("SELECT * FROM task WHERE kind = 'review_route' ORDER BY subject_id").fetchall()
        assert [(row["subject_id"], row["team_id"], row["done_at"]) for row in tasks] == [
            (report, OURS, None) for report in sorted((first, second))
        ]
        # Corrected on Wednesday 15 April: due at the end of Thursday.
        assert {row["due_at"] for row in tasks} == {datetime(2026, 4, 16, 22, tzinfo=UTC)}
        assert breaches(db) == set()
        review.looked_again(db, second, BY, LATER)
        assert review.look_again(db, second) is None
        assert review.look_again(db, first) is not None
        with pytest.raises(Conflict):
            review.looked_again(db, second, BY, LATER)
        with pytest.raises(NotFound):
            review.looked_again(db, uuid7(), BY, LATER)
        assert breaches(db) == set()

    def test_marks_from_before_there_was_a_task_become_tasks(self, db: Db) -> None:
        reports = [receive(db, FATHER, at=NOW + timedelta(days=days)) for days in (0, 10, 20)]
        for report in reports:
            desk.assess(db, report, "investigation", at=LATER)
        for report, actions in zip(reports, (["look_again"], ["look_again", "looked_again"], []), strict=True):
            for action in actions:
                audit.append(db, REGION, BY, f"route.{action}", "report", report)
        assert breaches(db) == {
            (6, "each decision to look at again has exactly one open task, each other decision none")
        }
        script = (Path(migrations.FOLDER) / "versions" / "0005_review.sql").read_text("utf-8")
        db.execute("INSERT INTO task" + script.split("INSERT INTO task")[1])  # type: ignore[call-overload]
        assert [review.look_again(db, report) is not None for report in reports] == [True, False, False]
        assert one(db, "SELECT team_id FROM task WHERE kind = 'review_route'")["team_id"] == OURS
        assert breaches(db) == set()

    def test_a_decision_from_before_the_link_does_not_rest_on_it(self, db: Db) -> None:
        first = receive(db, FATHER)
        desk.assess(db, first, "investigation", at=NOW)
        second = receive(db, FATHER, at=LATER)
        effects = consequences.carry_out(db, review.undo, mention(db, second, 1)["link"], BY, LATER)
        assert [effect for effect in effects if effect.area == "decision"] == []
        assert review.look_again(db, first) is None

    def test_weighing_again_without_a_change_writes_nothing(self, db: Db) -> None:
        report = receive(db, FATHER)
        before = everything(db)
        assert routing.reweigh(db, report, BY, LATER) is None
        assert everything(db) == before
        with pytest.raises(NotFound):
            routing.reweigh(db, uuid7(), BY, LATER)


# ── taken back, and asked again ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("region")
class TestTakingBack:
    def test_a_yes_taken_back_leaves_everything_as_before(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        link = ask(db, second, 2, mention(db, first, 2)["person"])
        before = meaning(db)
        review.confirm(db, link, BY, LATER)
        assert meaning(db) != before
        review.undo(db, link, BY, LATER + timedelta(minutes=1))
        assert meaning(db) == before
        assert breaches(db) == set()

    def test_a_yes_taken_back_gives_the_report_its_own_case_again_watched_as_it_was(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        own = report_row(db, second)
        rows = "SELECT number, closed_at, since, until, holder FROM cases c JOIN safety_watch w ON w.case_id = c.id"
        before = one(db, f"{rows} WHERE c.id = %s", own["case_id"])
        link = ask(db, second, 2, mention(db, first, 2)["person"])
        review.confirm(db, link, BY, LATER)
        assert report_row(db, second) == report_row(db, first)
        assert one(db, "SELECT closed_at FROM cases WHERE id = %s", own["case_id"])["closed_at"] == LATER
        effects = consequences.carry_out(db, review.undo, link, BY, LATER + timedelta(minutes=1))
        assert report_row(db, second) == own
        assert one(db, f"{rows} WHERE c.id = %s", own["case_id"]) == before
        assert f"Casus {before['number']} gaat weer open." in texts(effects, "case")
        assert f"De melding komt in casus {before['number']}." in texts(effects, "case")
        assert breaches(db) == set()

    def test_a_no_taken_back_leaves_everything_as_before(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        link = ask(db, second, 2, mention(db, first, 2)["person"])
        before = meaning(db)
        review.reject(db, link, BY, LATER)
        assert meaning(db)["questions"] == []
        assert review.withdraw(db, link, BY, LATER + timedelta(minutes=1)) == []
        assert meaning(db) == before
        with pytest.raises(Conflict):
            review.withdraw(db, link, BY, LATER)
        assert breaches(db) == set()

    def test_a_no_closes_every_question_between_the_two_and_taking_it_back_opens_them(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        third = receive(db, OTHER, STRANGER, at=LATER + timedelta(days=3))
        known, stranger = mention(db, first, 2)["person"], mention(db, second, 2)["person"]
        assert mention(db, third, 2)["person"] == stranger, "two mentions of one person"
        links = [ask(db, second, 2, known), ask(db, third, 2, known), ask(db, first, 2, stranger)]
        apart = ask(db, first, 1, mention(db, second, 1)["person"])
        before = meaning(db)
        effects = consequences.carry_out(db, review.reject, links[0], BY, LATER)
        assert len(texts(effects, "link")) == 2
        states = {row["id"]: row["state"] for row in db.execute("SELECT id, state FROM link")}
        assert [states[link] for link in (*links, apart)] == ["rejected"] * 3 + ["proposed"]
        review.withdraw(db, links[0], BY, LATER + timedelta(minutes=1))
        assert meaning(db) == before
        assert breaches(db) == set()

    def test_a_yes_that_was_wrong_becomes_a_no_for_ever(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        link = ask(db, second, 2, mention(db, first, 2)["person"])
        review.confirm(db, link, BY, LATER)
        review.reject(db, link, BY, LATER + timedelta(minutes=1))
        said = db.execute("SELECT state FROM link WHERE mention_id = %s", (mention(db, second, 2)["id"],)).fetchall()
        assert sorted(row["state"] for row in said) == ["new", "rejected", "undone", "undone"]
        assert report_row(db, second)["household_id"] != report_row(db, first)["household_id"]
        assert breaches(db) == set()

    def test_an_automatic_link_taken_back_is_no_question(self, db: Db) -> None:
        receive(db, FATHER)
        second = receive(db, FATHER, at=LATER)
        link = mention(db, second, 1)["link"]
        review.undo(db, link, BY, LATER)
        assert one(db, "SELECT state FROM link WHERE id = %s", link)["state"] == "undone"
        assert meaning(db)["questions"] == []


@pytest.mark.usefixtures("region")
def test_a_question_moves_nothing_and_nothing_leaves_the_house(db: Db) -> None:
    first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
    before = everything(db)
    ask(db, second, 2, mention(db, first, 2)["person"])
    after = everything(db)
    assert {table for table in before if before[table] != after[table]} == {"link", "task"}
    assert after["outgoing_reply"] == []


# ── what waits ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("region")
class TestWaiting:
    def test_the_oldest_deadline_is_first_and_pages_join_without_gap(self, db: Db) -> None:
        known = mention(db, receive(db, FATHER, CHILD), 2)["person"]
        reports = [
            receive(db, who("Ad", f"Proef{n}", "19900101", str(20 + n)), at=NOW + timedelta(days=n))
            for n in (5, 1, 3)
        ]
        links = [ask(db, report, 1, known) for report in reports]
        nothing = proposals.Filter()
        found = proposals.waiting(db, REGION, nothing)
        assert [item.link for item in found] == [links[1], links[2], links[0]]
        after = proposals.waiting(db, REGION, nothing, found[0].position, 1)
        assert [item.link for item in after] == [links[2]]
        assert proposals.position_of(db, REGION, links[2]) == found[1].position
        assert proposals.position_of(db, REGION, uuid7()) == proposals.START
        assert (found[0].pro, found[0].con, found[0].why) == (1, 0, "Niet zeker genoeg")
        assert proposals.waiting(db, uuid7(), nothing) == []

    def test_filters_and_counts(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        ask(db, second, 2, mention(db, first, 2)["person"])
        fits = proposals.Filter(team=OURS, reason="not_sure")
        others = (proposals.Filter(team=LOCAL), proposals.Filter(reason="runner_up"))
        for chosen, amount in ((fits, 1), *((one, 0) for one in others)):
            assert len(proposals.waiting(db, REGION, chosen)) == amount
            assert proposals.counts(db, REGION, chosen, LATER).matching == amount
        counts = proposals.counts(db, REGION, fits, LATER + timedelta(days=30))
        assert (counts.open, counts.overdue, counts.reasons) == (1, 1, (("not_sure", "Niet zeker genoeg", 1),))

    def test_a_pair_has_both_sides_and_their_company(self, db: Db) -> None:
        first, second = receive(db, FATHER, CHILD), receive(db, OTHER, STRANGER, at=LATER)
        known = mention(db, first, 2)
        link = ask(db, second, 2, known["person"])
        rival = ask(db, second, 2, mention(db, first, 1)["person"])
        pair = proposals.pair(db, REGION, link)
        assert [row["id"] for row in pair.known] == [known["id"]]
        assert [row["person"]["naam"]["voornamen"] for row in pair.company] == ["Piet"]
        assert [row["case_id"] for row in pair.homes] == [report_row(db, first)["case_id"]]
        assert [row["id"] for row in pair.rivals] == [rival]
        assert pair.homes[0]["valid_from"] == date(2026, 3, 4)
        with pytest.raises(NotFound):
            proposals.pair(db, uuid7(), link)
