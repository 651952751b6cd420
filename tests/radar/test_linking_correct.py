"""What people say of a link afterwards: yes, no, or take it back; exact, and for ever."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.linking import block, register
from radar.linking.normalise import features
from radar.linking.profile import Profile
from radar.linking.register import LinkResult
from radar.linking.rules import load
from tests.radar.test_linking_register import (
    ANNE,
    DAY,
    JAN,
    MAYBE_ANNE,
    MIA,
    REGION,
    arrive,
    audited,
    found_region,
    link,
    receive,
    report_of,
    rows,
    who,
)


@pytest.fixture
def region(db: Db) -> UUID:
    return found_region(db)


ARIE = who("Arie", "Voorbeeld", "20170909", "115")


def propose(db: Db) -> tuple[LinkResult, LinkResult]:
    """A known family, and a report in which 'A.' could be Anne, but her brother Arie as well."""
    return arrive(db, JAN, ANNE, ARIE), arrive(db, JAN, MAYBE_ANNE, days=3)


def two_that_fit(db: Db) -> tuple[tuple[LinkResult, LinkResult], LinkResult]:
    """Two people of one initial, surname and year of birth; and a report that could mean either, and no address."""
    far = {"straat": "Verrelaan", "huisnummer": "7", "postcode": "9876ZX", "woonplaats": "Testerveen"}
    joost = who("Joost", "Voorbeeld", "19801119", adressen=[far])
    return (arrive(db, JAN), arrive(db, joost)), arrive(db, who("J.", "Voorbeeld", "19800000", adressen=[]))


def known_of(db: Db, person: UUID | None) -> set[int]:
    """The keys that lead to a person."""
    return {row["key"] for row in db.execute("SELECT key FROM person_key WHERE person_id = %s", (person,))}


def household_of(db: Db, result: LinkResult) -> set[UUID | None]:
    """The household of a report now."""
    found = db.execute("SELECT household_id FROM report WHERE id = %s", (report_of(db, result),))
    return {row["household_id"] for row in found}


def homes_of(db: Db, result: LinkResult) -> set[UUID | None]:
    """The households that the mentions of a report made people members of."""
    found = db.execute(
        "SELECT b.household_id FROM membership b JOIN mention m ON m.id = b.mention_id WHERE m.report_id = %s",
        (report_of(db, result),),
    )
    return {row["household_id"] for row in found}


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

    def test_after_undo_what_was_said_leads_to_the_new_person_only(self, db: Db) -> None:
        known = arrive(db, JAN)
        before = known_of(db, known.decisions[0].person)
        said = JAN | {"telefoonnummers": ["0641234567"], "adressen": []}
        result = arrive(db, said)
        assert (result.decisions[0].state, result.decisions[0].person) == ("automatic", known.decisions[0].person)
        assert known_of(db, known.decisions[0].person) > before, "the known person has the new number's key as well"
        with db.transaction():
            found = register.undo(db, result.decisions[0].link or uuid7(), "jansen", DAY)
        assert known_of(db, known.decisions[0].person) == before
        one = features(said)
        assert known_of(db, found[0].subject) == set(block.keys(one, load(), REGION.bytes))
        row = db.execute("SELECT profile FROM person WHERE id = %s", (found[0].subject,)).fetchone() or {}
        assert Profile.from_json(row["profile"]).phones == ["+31641234567"]

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
        assert anne.proposed_person in {one.person for one in first.decisions[1:]}
        assert anne.person not in {one.person for one in first.decisions}
        with db.transaction():
            found = register.confirm(db, anne.proposed_link or uuid7(), "jansen", DAY)
        assert found[0].kind == "person_joined"
        active = db.execute("SELECT person_id, state, decided_by FROM link WHERE mention_id = %s "
                            "AND state <> 'undone'", (anne.mention,)).fetchall()  # fmt: skip
        assert [tuple(row.values()) for row in active] == [(anne.proposed_person, "confirmed", "jansen")]
        owners = db.execute("SELECT DISTINCT person_id FROM membership WHERE mention_id = %s",
                            (anne.mention,)).fetchall()  # fmt: skip
        assert [row["person_id"] for row in owners] == [anne.proposed_person]
        assert not known_of(db, anne.person), "who he was before is nobody any more"
        assert audited(db)[-1] == "link.confirm"

    def test_a_report_does_not_enter_a_family_s_file_on_a_maybe(self, db: Db) -> None:
        known, maybe = two_that_fit(db)
        assert maybe.decisions[0].state == "proposed"
        assert maybe.household_id not in {one.household_id for one in known}
        assert not maybe.repeat

    def test_confirming_brings_the_report_to_the_household_of_the_person(self, db: Db) -> None:
        known, maybe = two_that_fit(db)
        asked = maybe.decisions[0]
        with db.transaction():
            found = register.confirm(db, asked.proposed_link or uuid7(), "jansen", DAY)
        assert [one.kind for one in found] == ["person_joined", "household_changed"]
        (home,) = {one.household_id for one in known if one.decisions[0].person == asked.proposed_person}
        assert household_of(db, maybe) == homes_of(db, maybe) == {home}

    def test_taken_back_a_report_gets_its_own_household_again(self, db: Db) -> None:
        """The household that was founded for a report waits for it: with its number, and with its case."""
        _, maybe = two_that_fit(db)
        chosen = maybe.decisions[0].proposed_link or uuid7()
        with db.transaction():
            register.confirm(db, chosen, "jansen", DAY)
        assert household_of(db, maybe) != {maybe.household_id}
        with db.transaction():
            found = register.undo(db, chosen, "jansen", DAY)
        assert [one.subject for one in found if one.kind == "household_changed"] == [maybe.household_id]
        assert household_of(db, maybe) == homes_of(db, maybe) == {maybe.household_id}

    def test_a_household_that_others_came_into_meanwhile_is_not_taken_along(self, db: Db) -> None:
        """Jan's own household is now also Mia's: when Jan turns out to live elsewhere and back, a new one is made."""
        _, maybe = two_that_fit(db)
        own, chosen = maybe.household_id, maybe.decisions[0].proposed_link or uuid7()
        with db.transaction():
            register.confirm(db, chosen, "jansen", DAY)
        other = arrive(db, MIA)
        db.execute("UPDATE report SET household_id = %s WHERE id = %s", (own, report_of(db, other)))
        with db.transaction():
            register.undo(db, chosen, "jansen", DAY)
        assert household_of(db, maybe).isdisjoint({own, other.household_id})

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
        maybe = asked.decisions[1]
        old = next(one for one in first.decisions if one.person == maybe.proposed_person)
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
