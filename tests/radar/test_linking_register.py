"""Linking a report to the register in PostgreSQL: once, together, and what it rests on."""

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
from core.errors import NotFound
from core.ids import uuid7
from radar.linking import register
from radar.linking.profile import Profile
from radar.linking.register import LinkResult

REGION, SENDER = UUID(int=1), UUID(int=2)
DAY = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
TABLES = ("report", "mention", "person", "household", "membership", "link", "person_key")
HOME = {"straat": "Voorbeeldlaan", "huisnummer": "12", "postcode": "1234AB", "woonplaats": "Testdam"}

Person = dict[str, Any]

GUESTS = (
    "Gramma Hoploi Iskubi Jelto Kwarza Lubix Mopsidee Nefkla Opwur Pradoza Quibel Rosmit Stavuk Tjongel Umpfa"
    " Vlozier Wextra"
).split()


def who(first: str, last: str, birth: str = "", role: str = "111", **more: Any) -> Person:
    person: Person = {"naam": {"voornamen": first, "geslachtsnaam": last}, "rol": {"code": role}}
    if birth:
        person["geboortedatum"] = {"tekst": birth}
    return person | {"adressen": [{"soort": "formeel"} | HOME]} | more


JAN, MIA = who("Jan", "Voorbeeld", "19800305"), who("Mia", "Testers", "19820711")
ANNE = who("Anne", "Voorbeeld", "20150602", "115")
MAYBE_ANNE = who("A.", "Voorbeeld", "", "115")


def guest(number: int) -> Person:
    """One of many people at one address who are like nobody else."""
    given = ("Abeko", "Bidur", "Cofal", "Duhex", "Eynog", "Fewim")[number % 6]
    return who(given, GUESTS[number], f"19{60 + number}{number % 12 + 1:02}{number % 26 + 2:02}")


@pytest.fixture
def region(db: Db) -> UUID:
    return found_region(db)


def found_region(db: Db) -> UUID:
    """The region of these tests, with one sender."""
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
    """Every row of the linking tables as text, leaving out what belongs to one report and to whom it founded."""
    found: dict[str, list[str]] = {}
    others = """person_id IN (SELECT l.person_id FROM link l JOIN mention m ON m.id = l.mention_id
        WHERE m.report_id <> %(report)s AND l.state IN ('new', 'automatic', 'confirmed'))"""
    for table in TABLES:
        mine = ""
        if without and table in ("link", "membership"):
            mine = "WHERE mention_id NOT IN (SELECT id FROM mention WHERE report_id = %(report)s)"
        elif without and table == "mention":
            mine = "WHERE report_id <> %(report)s"
        elif without and table == "report":
            mine = "WHERE id <> %(report)s"
        elif without and table == "household":
            mine = "WHERE founded_by <> %(report)s"
        elif without and table == "person":
            mine = f"WHERE {others.replace('person_id IN', 'id IN')}"
        elif without and table == "person_key":
            mine = f"WHERE {others}"
        query = f"SELECT t::text AS line FROM {table} t {mine} ORDER BY 1"
        selected = db.execute(query, {"report": without})
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
        assert not any("999993653" in line for table in ("link", "person", "person_key") for line in rows(db)[table])

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

    def test_the_mother_s_bsn_on_a_child_leads_to_the_child_that_the_household_knows(self, db: Db) -> None:
        """No key finds Anne by first name and year; her father does. The wrong number says nothing of her."""
        father, mother, child = JAN, MIA | {"bsn": "999993653"}, ANNE | {"bsn": "976018950"}
        known = arrive(db, father, mother, child).decisions[2]
        mistaken = {"naam": {"voornamen": "Anne"}, "geboortedatum": {"tekst": "20150000"}, "rol": {"code": "115"}}
        with db.transaction(force_rollback=True):
            assert arrive(db, father, mistaken).decisions[1].person == known.person
        found = arrive(db, father, mistaken | {"bsn": "999993653"}).decisions[1]
        assert (found.state, found.proposed_person) == ("proposed", known.person)

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
        child = first.decisions[1].person
        assert db.execute("SELECT FROM person_key WHERE person_id = %s", (child,)).fetchone() is None

    def test_a_mention_without_a_first_name_takes_part_by_surname_and_birth_date(self, db: Db) -> None:
        known = arrive(db, ANNE)
        unnamed = arrive(db, who("onbekend", "Voorbeeld", "20150602", "115"))
        assert unnamed.decisions[0].outcome == "same_person"
        found = unnamed.decisions[0]
        assert known.decisions[0].person in (found.person, found.proposed_person)

    def test_a_mention_without_a_first_name_or_birth_date_says_too_little(self, db: Db) -> None:
        arrive(db, ANNE)
        assert arrive(db, who("onbekend", "Voorbeeld", "20150600", "115")).decisions[0].outcome == "too_little"

    def test_a_person_is_told_apart_by_what_any_report_said(self, db: Db) -> None:
        """The profile gathers: a phone of the second report and a BSN of the third find him in the fourth."""
        first = arrive(db, JAN)
        arrive(db, JAN | {"telefoonnummers": ["0641234567"]})
        arrive(db, JAN | {"bsn": "999993653"})
        row = db.execute("SELECT profile FROM person WHERE id = %s", (first.decisions[0].person,)).fetchone() or {}
        profile = Profile.from_json(row["profile"])
        assert (len(profile.phones), len(profile.bsns), len(profile.births)) == (1, 1, 1)
        assert [home.reports for home in profile.homes] == [3]
        fourth = who("Jan", "Voorbeeld", bsn="999993653", telefoonnummers=["0641234567"], adressen=[])
        assert arrive(db, fourth).decisions[0].person == first.decisions[0].person

    def test_an_address_of_very_many_people_is_no_evidence(self, db: Db) -> None:
        homes = {arrive(db, guest(number)).household_id for number in range(17)}
        assert len(homes) == len(rows(db)["person"]) == 17
        crowded = arrive(db, who("Olena", guest(3)["naam"]["geslachtsnaam"], "19990505"))
        assert crowded.decisions[0].outcome == "new"
        assert crowded.household_id not in homes

    def test_an_address_of_a_few_people_does_point_to_their_household(self, db: Db) -> None:
        homes = [arrive(db, guest(number)).household_id for number in range(5)]
        housemate = arrive(db, who("Olena", guest(3)["naam"]["geslachtsnaam"], "19990505"))
        assert (housemate.decisions[0].outcome, housemate.household_id) == ("same_household", homes[3])

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
