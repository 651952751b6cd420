"""The register in PostgreSQL: once, together, and exactly undone."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, connection_options
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.linking import register
from radar.linking.register import LinkResult

REGION, SENDER = UUID(int=1), UUID(int=2)
DAY = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
TABLES = ("report", "mention", "person", "household", "membership", "link", "link_key")
HOME = {"straat": "Voorbeeldlaan", "huisnummer": "12", "postcode": "1234AB", "woonplaats": "Testdam"}

Person = dict[str, Any]


def who(first: str, last: str, birth: str = "", role: str = "111", **more: Any) -> Person:
    person: Person = {"naam": {"voornamen": first, "geslachtsnaam": last}, "rol": {"code": role}}
    if birth:
        person["geboortedatum"] = {"tekst": birth}
    return person | {"adressen": [{"soort": "formeel"} | HOME]} | more


JAN, MIA = who("Jan", "Voorbeeld", "19800305"), who("Mia", "Testers", "19820711")
ANNE = who("Anne", "Voorbeeld", "20150602", "115")
MAYBE_ANNE = who("A.", "Voorbeeld", "", "115")


@pytest.fixture
def region(db: Db) -> UUID:
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Testdam', %s)", (REGION, "0" * 20))
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Test', 'politie')",
        (SENDER, REGION, "1" * 20),
    )
    return REGION


def receive(db: Db, persons: list[Person], at: datetime = DAY) -> UUID:
    """A report as intake stores it, not linked yet."""
    message, report = uuid7(), uuid7()
    db.execute(
        "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome, "
        "answer_status, answer_type, answer) VALUES (%s, %s, %s, 'json', %s, %s, %s, 'report', 200, 'Bv03', '')",
        (message, REGION, SENDER, at, message.bytes, hashlib.sha256(message.bytes).digest()),
    )
    db.execute(
        "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, "
        "received_at, content, remarks, acute_signals, acute_rules) "
        "VALUES (%s, %s, %s, %s, 'politie', 'x', %s, '{}', '[]', '[]', 'x')",
        (report, REGION, message, SENDER, at),
    )
    for number, person in enumerate(persons, start=1):
        db.execute(
            "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
            (uuid7(), REGION, report, number, Jsonb(person)),
        )
    return report


def link(db: Db, report: UUID, at: datetime = DAY) -> LinkResult:
    with db.transaction():
        return register.link_report(db, report, at)


def arrive(db: Db, *persons: Person, days: int = 0) -> LinkResult:
    at = DAY + timedelta(days=days)
    return link(db, receive(db, list(persons), at), at)


def rows(db: Db, *, without: UUID | None = None) -> dict[str, list[str]]:
    """Every row of the linking tables as text, leaving out what belongs to one report."""
    found: dict[str, list[str]] = {}
    for table in TABLES:
        mine = ""
        if without and table in ("link", "link_key", "membership"):
            mine = "WHERE mention_id NOT IN (SELECT id FROM mention WHERE report_id = %(report)s)"
        elif without and table == "mention":
            mine = "WHERE report_id <> %(report)s"
        elif without and table == "report":
            mine = "WHERE id <> %(report)s"
        elif without and table in ("person", "household"):
            continue
        selected = db.execute(f"SELECT t::text AS line FROM {table} t {mine} ORDER BY 1", {"report": without})
        found[table] = [row["line"] for row in selected]
    return found


def audited(db: Db) -> list[str]:
    return [row["action"] for row in db.execute("SELECT action FROM audit_entry ORDER BY at")]


def report_of(db: Db, result: LinkResult) -> UUID:
    row = db.execute("SELECT report_id FROM mention WHERE id = %s", (result.decisions[0].mention,)).fetchone()
    assert row is not None
    return UUID(str(row["report_id"]))


@pytest.mark.usefixtures("region")
class TestLinkReport:
    def test_a_first_report_founds_its_persons_and_one_household(self, db: Db) -> None:
        result = arrive(db, JAN, ANNE)
        assert [one.state for one in result.decisions] == ["new", "new"]
        assert not result.repeat
        members = db.execute("SELECT person_id, household_id, valid_from FROM membership").fetchall()
        assert {row["person_id"] for row in members} == {one.person for one in result.decisions}
        assert {row["household_id"] for row in members} == {result.household_id}
        # 23:30 UTC on 2 November is 3 November in the Netherlands.
        assert {row["valid_from"] for row in members} == {date(2026, 11, 3)}

    def test_a_second_report_comes_to_the_same_household(self, db: Db) -> None:
        first, second = arrive(db, JAN, ANNE), arrive(db, ANNE, MIA, days=9)
        assert second.household_id == first.household_id
        assert second.repeat
        anne, mia = second.decisions
        assert (anne.state, anne.person) == ("automatic", first.decisions[1].person)
        assert mia.state == "new"

    def test_reasons_are_plain_dutch_and_hold_no_bsn(self, db: Db) -> None:
        arrive(db, JAN | {"bsn": "999993653"})
        again = arrive(db, JAN | {"bsn": "999993653"})
        texts = [reason["text"] for reason in again.decisions[0].reasons]
        assert "BSN gelijk" in texts
        assert "Geboortedatum gelijk" in texts
        assert not any("999993653" in line for table in ("link", "link_key") for line in rows(db)[table])
        stored = db.execute("SELECT features::text AS f FROM mention").fetchall()
        assert not any("999993653" in row["f"] for row in stored)

    def test_linking_twice_changes_nothing(self, db: Db) -> None:
        arrive(db, JAN, ANNE)
        report = receive(db, [JAN, MAYBE_ANNE])
        once, before = link(db, report), rows(db)
        twice = link(db, report, DAY + timedelta(days=1))
        assert rows(db) == before
        assert twice.household_id == once.household_id
        assert [(one.mention, one.person, one.state, one.proposed_person) for one in twice.decisions] == [
            (one.mention, one.person, one.state, one.proposed_person) for one in once.decisions
        ]

    def test_the_reporter_is_no_person_of_the_register(self, db: Db) -> None:
        result = arrive(db, JAN, who("Juf", "Anders", "19700101", "413"))
        assert [one.outcome for one in result.decisions] == ["new", "outside"]
        assert result.decisions[1].person is None
        assert len(rows(db)["person"]) == len(rows(db)["membership"]) == 1

    def test_a_report_with_only_professionals_has_no_household(self, db: Db) -> None:
        assert arrive(db, who("Juf", "Anders", "19700101", "413")).household_id is None

    def test_an_unborn_child_joins_the_household_but_is_never_found(self, db: Db) -> None:
        unborn = who("Ongeboren", "Voorbeeld", "99999999", "115")
        first, second = arrive(db, JAN, unborn), arrive(db, JAN, unborn)
        assert [one.outcome for one in second.decisions] == ["same_person", "too_little"]
        assert second.decisions[1].person != first.decisions[1].person
        assert second.household_id == first.household_id
        child = first.decisions[1].mention
        assert db.execute("SELECT FROM link_key WHERE mention_id = %s", (child,)).fetchone() is None

    def test_another_region_is_never_seen(self, db: Db) -> None:
        arrive(db, JAN)
        other = UUID(int=9)
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Elders', %s)", (other, "9" * 20))
        report = receive(db, [JAN])
        db.execute("UPDATE report SET region_id = %s WHERE id = %s", (other, report))
        assert link(db, report).decisions[0].state == "new"

    def test_an_address_of_very_many_people_is_no_evidence(self, db: Db) -> None:
        for number in range(17):
            arrive(db, who("Gast", f"Naam{'abcdefghijklmnopq'[number]}stra", f"19{60 + number}0412"))
        assert arrive(db, who("Gast", "Anders", "19990505")).household_id not in {
            row["household_id"] for row in db.execute("SELECT household_id FROM report ORDER BY linked_at LIMIT 17")
        }

    def test_what_a_person_rejected_is_never_linked_or_proposed_again(self, db: Db) -> None:
        known = arrive(db, JAN).decisions[0].person
        report = receive(db, [JAN])
        db.execute(
            "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set, "
            "decided_by) SELECT %s, %s, id, %s, 'rejected', 'same_person', 1, '[]', 'x', 'jansen' "
            "FROM mention WHERE report_id = %s",
            (uuid7(), REGION, known, report),
        )
        decision = link(db, report).decisions[0]
        assert known not in (decision.person, decision.proposed_person)

    def test_an_unknown_report_is_not_found(self, db: Db) -> None:
        with pytest.raises(NotFound):
            link(db, uuid7())

    def test_linking_leaves_one_audit_row_and_a_chain_that_verifies(self, db: Db) -> None:
        arrive(db, JAN)
        assert audited(db) == ["report.link"]
        assert list(audit.breaches(db)) == []


@pytest.mark.usefixtures("region")
class TestCorrections:
    def test_link_then_undo_leaves_every_row_of_other_reports_as_before(self, db: Db) -> None:
        arrive(db, JAN, ANNE)
        before = rows(db)
        report = receive(db, [JAN, who("Piet", "Anders", "19500101")])
        result = link(db, report)
        with db.transaction():
            found = register.undo(db, result.decisions[0].link or uuid7(), "jansen", DAY)
        after = rows(db, without=report)
        assert after == {table: before[table] for table in after}
        assert [one.kind for one in found] == ["person_founded", "household_changed"]
        jan = db.execute("SELECT person_id, state FROM link WHERE mention_id = %s AND state = 'new'",
                         (result.decisions[0].mention,)).fetchone()  # fmt: skip
        assert jan is not None
        assert jan["person_id"] == found[0].subject
        row = db.execute("SELECT household_id FROM report WHERE id = %s", (report,)).fetchone()
        assert row is not None
        assert row["household_id"] == found[1].subject != result.household_id
        homes = db.execute("SELECT DISTINCT household_id FROM membership b JOIN mention m ON m.id = b.mention_id "
                           "WHERE m.report_id = %s", (report,)).fetchall()  # fmt: skip
        assert [one["household_id"] for one in homes] == [row["household_id"]]

    def test_after_undo_the_keys_lead_to_the_new_person(self, db: Db) -> None:
        arrive(db, JAN)
        result = arrive(db, JAN)
        mention = result.decisions[0].mention
        with db.transaction():
            found = register.undo(db, result.decisions[0].link or uuid7(), "jansen", DAY)
        owners = db.execute("SELECT DISTINCT person_id FROM link_key WHERE mention_id = %s", (mention,)).fetchall()
        assert [row["person_id"] for row in owners] == [found[0].subject]

    def test_undo_twice_is_a_conflict(self, db: Db) -> None:
        arrive(db, JAN)
        chosen = arrive(db, JAN).decisions[0].link or uuid7()
        with db.transaction():
            register.undo(db, chosen, "jansen", DAY)
        with pytest.raises(Conflict), db.transaction():
            register.undo(db, chosen, "jansen", DAY)

    def test_the_founding_link_cannot_be_undone(self, db: Db) -> None:
        founding = arrive(db, JAN).decisions[0].link or uuid7()
        with pytest.raises(Conflict), db.transaction():
            register.undo(db, founding, "jansen", DAY)

    def test_a_proposed_mention_is_a_person_of_its_own_until_confirmed(self, db: Db) -> None:
        first, asked = propose(db)
        anne = asked.decisions[1]
        assert anne.state == "proposed"
        assert anne.proposed_person == first.decisions[1].person != anne.person
        with db.transaction():
            found = register.confirm(db, anne.proposed_link or uuid7(), "jansen", DAY)
        assert found[0].kind == "person_joined"
        active = db.execute("SELECT person_id, state, decided_by FROM link WHERE mention_id = %s "
                            "AND state <> 'undone'", (anne.mention,)).fetchall()  # fmt: skip
        assert [tuple(row.values()) for row in active] == [(anne.proposed_person, "confirmed", "jansen")]
        owners = db.execute("SELECT DISTINCT person_id FROM membership WHERE mention_id = %s "
                            "UNION SELECT person_id FROM link_key WHERE mention_id = %s",
                            (anne.mention, anne.mention)).fetchall()  # fmt: skip
        assert [row["person_id"] for row in owners] == [anne.proposed_person]
        assert audited(db)[-1] == "link.confirm"

    def test_a_report_does_not_enter_a_family_s_file_on_a_maybe(self, db: Db) -> None:
        known = arrive(db, JAN)
        maybe = arrive(db, who("J.", "Voorbeeld", "19800000", adressen=[]))
        assert maybe.decisions[0].state == "proposed"
        assert maybe.household_id != known.household_id
        assert not maybe.repeat

    def test_confirming_brings_the_report_to_the_household_of_the_person(self, db: Db) -> None:
        known = arrive(db, JAN)
        report = arrive(db, who("J.", "Voorbeeld", "19800000", adressen=[]))
        assert report.decisions[0].state == "proposed"
        assert report.household_id != known.household_id
        with db.transaction():
            found = register.confirm(db, report.decisions[0].proposed_link or uuid7(), "jansen", DAY)
        assert [one.kind for one in found] == ["person_joined", "household_changed"]
        homes = db.execute("SELECT DISTINCT household_id FROM membership").fetchall()
        assert [row["household_id"] for row in homes] == [known.household_id]

    def test_a_confirmed_link_can_be_undone(self, db: Db) -> None:
        chosen = propose(db)[1].decisions[1].proposed_link or uuid7()
        with db.transaction():
            register.confirm(db, chosen, "jansen", DAY)
            assert register.undo(db, chosen, "pietersen", DAY)[0].kind == "person_founded"

    def test_a_rejected_pair_stays_rejected(self, db: Db) -> None:
        chosen = propose(db)[1].decisions[1].proposed_link or uuid7()
        with db.transaction():
            register.reject(db, chosen, "jansen", DAY)
        for again in (register.confirm, register.reject, register.undo):
            with pytest.raises(Conflict), db.transaction():
                again(db, chosen, "pietersen", DAY)

    def test_a_no_covers_both_clusters(self, db: Db) -> None:
        first, asked = propose(db)
        old, maybe = first.decisions[1], asked.decisions[1]
        with db.transaction():
            register.reject(db, maybe.proposed_link or uuid7(), "jansen", DAY)
        # A later proposal the other way round, between the same two persons.
        other = uuid7()
        db.execute(
            "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set) "
            "VALUES (%s, %s, %s, %s, 'proposed', 'same_person', 1, '[]', 'x')",
            (other, REGION, old.mention, maybe.person),
        )
        with pytest.raises(Conflict, match="verschillende personen"), db.transaction():
            register.confirm(db, other, "pietersen", DAY)

    def test_two_mentions_of_one_report_cannot_become_one_person(self, db: Db) -> None:
        arrive(db, ANNE)
        result = arrive(db, ANNE, ANNE)
        asked = [one.proposed_link for one in result.decisions if one.proposed_link]
        assert not any(one.state == "automatic" for one in result.decisions)
        assert len(asked) == 1

    def test_rejecting_an_automatic_link_takes_it_back(self, db: Db) -> None:
        arrive(db, JAN)
        chosen = arrive(db, JAN).decisions[0].link or uuid7()
        with db.transaction():
            assert register.reject(db, chosen, "jansen", DAY)[0].kind == "person_founded"
        row = db.execute("SELECT state, decided_by FROM link WHERE id = %s", (chosen,)).fetchone()
        assert row == {"state": "rejected", "decided_by": "jansen"}

    def test_a_link_nobody_knows_is_not_found(self, db: Db) -> None:
        for action in (register.confirm, register.reject, register.undo):
            with pytest.raises(NotFound), db.transaction():
                action(db, uuid7(), "jansen", DAY)


def propose(db: Db) -> tuple[LinkResult, LinkResult]:
    """A known family, and a report in which 'A.' could well be Anne."""
    return arrive(db, JAN, ANNE), arrive(db, JAN, MAYBE_ANNE, days=3)


@pytest.mark.usefixtures("region")
def test_twenty_threads_and_two_first_reports_give_one_household(db: Db, database_url: str) -> None:
    reports = [receive(db, [JAN, ANNE]), receive(db, [ANNE, MIA])]
    start = Barrier(20)

    def work(number: int) -> UUID | None:
        with psycopg.connect(database_url, **connection_options()) as own:
            start.wait()
            return link(own, reports[number % 2]).household_id

    with ThreadPoolExecutor(20) as threads:
        homes = set(threads.map(work, range(20)))
    assert len(homes) == 1
    found = rows(db)
    assert len(found["household"]) == 1
    assert len(found["person"]) == 3
    assert len(found["link"]) == 4
    assert audited(db) == ["report.link", "report.link"]
