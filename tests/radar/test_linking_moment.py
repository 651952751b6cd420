"""Two things at the same moment, in threads with connections and transactions of their own: nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import combinations
from threading import Barrier
from uuid import UUID

import psycopg
import pytest

from core.database import Db, connection_options
from core.ids import uuid7
from core.secrets import keyed_hash
from radar.linking import register
from radar.linking.profile import Profile
from radar.linking.register import LinkResult
from tests.radar.test_hard_cases import Person, Region, one_database
from tests.radar.test_linking_derived import as_derived
from tests.radar.test_linking_properties import PEOPLE, RULES, active
from workers.engines import EmbeddedPostgres

THREADS = 6


@pytest.fixture(scope="module")
def address_of_database(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    with one_database(postgres, migrated_template) as url:
        yield url


@pytest.fixture(scope="module")
def db(address_of_database: str) -> Iterator[Db]:
    with psycopg.connect(address_of_database, **connection_options(60_000)) as connection:
        yield connection


@pytest.fixture(autouse=True)
def _a_secret_key() -> None:
    """An installation has its key before its first report comes in."""
    keyed_hash("")


def link_apart(address: str, region: Region, report: UUID) -> LinkResult:
    """As a worker does: a connection and a transaction of its own."""
    with psycopg.connect(address, **connection_options(60_000)) as own, own.transaction():
        return register.link_report(own, report, region.now, region.rules)


@contextmanager
def meanwhile(db: Db, address: str, region: Region, *waiting: UUID) -> Iterator[list[Future[LinkResult]]]:
    """Run the body in a transaction; before it commits, these reports are linked by others, as far as they can get.

    On the way out each of them waits for a row that the transaction holds; then it commits and they go on.
    """
    running: list[Future[LinkResult]] = []
    with ThreadPoolExecutor(len(waiting)) as threads:
        with db.transaction():
            yield running
            running += [threads.submit(link_apart, address, region, report) for report in waiting]
            until = time.monotonic() + 30
            while blocked(address) < len(waiting):
                assert time.monotonic() < until, "the others do not wait for this transaction"
        for one in running:
            one.exception(30)


def blocked(address: str) -> int:
    """How many connections wait for a lock now."""
    with psycopg.connect(address, autocommit=True) as own:
        found = own.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return int(found[0]) if found else 0


def profile_of(db: Db, person: UUID | None) -> Profile:
    row = db.execute("SELECT profile FROM person WHERE id = %s", (person,)).fetchone()
    assert row
    return Profile.from_json(row["profile"])


class TestFirstReports:
    @pytest.mark.parametrize(
        "shared",
        [
            {"given": "Noor", "surname": "Zandbergh", "birth": "2012-05-05", "at": "third"},
            {"given": "Noor", "surname": "Zandbergh", "birth": "2012-05-05"},
            {"given": "Noor", "surname": "Zandbergh", "bsn": "976018950"},
            {"given": "Noor", "surname": "Zandbergh", "at": "third", "sex": "V"},
            {"given": "Noor", "surname": "Zandbergh", "phone": "0641234567"},
        ],
        ids=["every field", "name and birth date", "name and BSN", "name and address", "name and phone"],
    )
    def test_first_reports_on_one_person_never_both_found_him(
        self, db: Db, address_of_database: str, shared: Person
    ) -> None:
        """Six reports come in at once, each in its own connection and transaction: the person is founded once."""
        region = Region(db, RULES)
        waiting = [region.receive([shared]) for _ in range(THREADS)]
        start = Barrier(THREADS)

        def work(report: UUID) -> LinkResult:
            start.wait(30)
            return link_apart(address_of_database, region, report)

        with ThreadPoolExecutor(THREADS) as threads:
            results = list(threads.map(work, waiting))
        links = [result.decisions[0] for result in results]
        assert sum(link.state == "new" for link in links) == 1
        # Whoever was not the first saw the first: he was linked, or a question was asked about somebody of these.
        for link in links:
            if link.state == "proposed":
                assert link.proposed_person in {one.person for one in links}

    def test_families_that_overlap_in_a_circle_wait_in_one_order(self, db: Db, address_of_database: str) -> None:
        """A with B, B with C, C with A: nobody waits for ever, and three people are founded."""
        circle = [PEOPLE["gerrit"], PEOPLE["amna"], PEOPLE["jan"]]
        region = Region(db, RULES)
        pairs = [[one, other] for one, other in combinations(circle, 2)]
        pairs += [list(reversed(pair)) for pair in pairs]
        waiting = [region.receive(pair) for pair in pairs]
        start = Barrier(len(waiting))

        def work(report: UUID) -> None:
            start.wait(30)
            link_apart(address_of_database, region, report)

        with ThreadPoolExecutor(len(waiting)) as threads:
            list(threads.map(work, waiting))
        assert len(set(active(region).values())) == len(circle)


class TestOneMorePersonKnown:
    JAN: Person = {"given": "Jan", "surname": "Voorbeeld", "birth": "1980-03-05"}  # noqa: RUF012 (read only)

    def test_a_profile_keeps_what_every_report_added_at_the_same_moment(
        self, db: Db, address_of_database: str
    ) -> None:
        """Three reports find him each in their own way, so that no key makes one wait; each read him as he was."""
        region = Region(db, RULES)
        known = region.arrive([self.JAN | {"bsn": "999993653", "phone": "0641234567", "at": "home"}]).decisions[0]
        waiting = [
            region.receive([self.JAN | {"phone": "0612345671"}]),
            region.receive([{"given": "Jan", "bsn": "999993653", "phone": "0612345672"}]),
            region.receive([{"given": "Jan", "birth": "1980-03-05", "phone": "0641234567", "at": "elsewhere"}]),
        ]
        with meanwhile(db, address_of_database, region, *waiting) as running:
            db.execute("SELECT FROM person WHERE id = %s FOR UPDATE", (known.person,))
        for one in running:
            (link,) = one.result().decisions
            assert (link.state, link.person) == ("automatic", known.person)
        profile = profile_of(db, known.person)
        assert profile.phones == ["+31612345671", "+31612345672", "+31641234567"]
        assert len(profile.addresses) == 2
        as_derived(region)

    def test_a_report_keeps_its_keys_while_another_with_the_same_keys_is_taken_back(
        self, db: Db, address_of_database: str
    ) -> None:
        """The phone number came with the second report, which is undone while the third one, with it, is linked."""
        region = Region(db, RULES)
        said = self.JAN | {"phone": "0612345671"}
        known = region.arrive([self.JAN]).decisions[0]
        second = region.arrive([said]).decisions[0]
        assert (second.state, second.person) == ("automatic", known.person)
        third = region.receive([said])
        with meanwhile(db, address_of_database, region, third) as running:
            register.undo(db, second.link or uuid7(), "jansen", region.now)
        running[0].result()
        as_derived(region)

    def test_a_report_on_who_just_became_somebody_else_is_linked_all_the_same(
        self, db: Db, address_of_database: str
    ) -> None:
        """Staff say 'these two are one' while a report on the one that goes is being linked: it is not refused."""
        region = Region(db, RULES)
        goes, stays = (region.arrive([PEOPLE[name]]).decisions[0] for name in ("mia", "wilma"))
        asked = uuid7()
        db.execute(
            "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set) "
            "VALUES (%s, %s, %s, %s, 'proposed', 'same_person', 1, '[]', 'x')",
            (asked, region.id, goes.mention, stays.person),
        )
        again = region.receive([PEOPLE["mia"]])
        with meanwhile(db, address_of_database, region, again) as running:
            register.confirm(db, asked, "jansen", region.now)
        assert running[0].exception() is None
        as_derived(region)

    def test_taken_back_while_others_add_to_him(self, db: Db, address_of_database: str) -> None:
        """An undo and three new reports on one person at once: what is known of him is what his mentions say."""
        region = Region(db, RULES)
        region.arrive([self.JAN])
        second = region.arrive([self.JAN | {"phone": "0612345671"}]).decisions[0]
        waiting = [region.receive([self.JAN | {"phone": f"061234568{number}"}]) for number in range(3)]
        start = Barrier(4)

        def take_back() -> None:
            with psycopg.connect(address_of_database, **connection_options(60_000)) as own, own.transaction():
                start.wait(30)
                register.undo(own, second.link or uuid7(), "jansen", region.now)

        def work(report: UUID) -> LinkResult:
            start.wait(30)
            return link_apart(address_of_database, region, report)

        with ThreadPoolExecutor(4) as threads:
            undone = threads.submit(take_back)
            linked = list(threads.map(work, waiting))
        undone.result()
        assert len(linked) == len(waiting)
        as_derived(region)

    def test_two_reports_that_each_ask_about_the_other_s_person_do_not_wait_in_a_circle(
        self, db: Db, address_of_database: str
    ) -> None:
        """One adds to an A. and asks about a B., the other the other way round: a question points to a row too."""
        region = Region(db, RULES)
        numbers = {"Anne": "976018950", "Arie": "959083017", "Bram": "952601813", "Bo": "966131861"}
        family: list[Person] = [
            {"given": name, "surname": "Voorbeeld", "birth": f"201{age}-03-0{age + 2}", "bsn": bsn, "at": "home"}
            for age, (name, bsn) in enumerate(numbers.items())
        ]
        names = {str(link.person): name for name, link in zip(numbers, region.arrive(family).decisions, strict=True)}

        def report(name: str, initial: str) -> UUID:
            return region.receive([{"given": name, "bsn": numbers[name]}, {"given": initial, "surname": "Voorbeeld"}])

        a, b = (
            names[str(register.weigh(db, report(name, initial), RULES)[1].person)]
            for name, initial in (("Bo", "A."), ("Anne", "B."))
        )
        both = [person for person, name in names.items() if name in (a, b)]
        with meanwhile(db, address_of_database, region, report(a, "B."), report(b, "A.")) as running:
            db.execute("SELECT FROM person WHERE id = ANY(%s::uuid[]) FOR UPDATE", (both,))
        assert [one.exception() for one in running] == [None, None]
        decisions = [one.result().decisions for one in running]
        assert [names[str(one[0].person)] for one in decisions] == [a, b]
        assert [names[str(one[1].proposed_person)] for one in decisions] == [b, a]
        as_derived(region)
