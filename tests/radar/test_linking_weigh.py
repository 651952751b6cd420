"""Weighing a stored report, and what one region may know of another."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from core.database import Db
from core.errors import NotFound
from core.ids import uuid7
from radar.linking import block, explain, register
from radar.linking.decide import Decision
from radar.linking.normalise import features
from radar.linking.register import LinkResult
from radar.linking.rows import StoredRegister
from radar.linking.rules import load
from tests.radar.test_linking_register import (
    ANNE,
    DAY,
    JAN,
    MAYBE_ANNE,
    MIA,
    REGION,
    Person,
    arrive,
    audited,
    found_region,
    guest,
    link,
    receive,
    report_of,
    rows,
    who,
)


@pytest.fixture
def region(db: Db) -> UUID:
    return found_region(db)


@pytest.mark.usefixtures("region")
class TestWeigh:
    """What the rules would decide if a report came in now: for rehearsals, so it must be what linking decides."""

    REPORTS: tuple[tuple[Person, ...], ...] = (
        (JAN, ANNE),
        (ANNE, MIA),
        (JAN, MAYBE_ANNE),
        (who("Jan", "Voorbeeld", "19810000", adressen=[]), who("Juf", "Anders", "19700101", "413")),
        (who("Olena", "Proef", "19900909"), who("Ongeboren", "Proef", "99999999", "115")),
        (ANNE | {"bsn": "999993653"}, MIA | {"telefoonnummers": ["0641234567"]}),
        (JAN, JAN),
    )

    def test_it_is_what_linking_decided(self, db: Db) -> None:
        for number, persons in enumerate(self.REPORTS):
            report = receive(db, list(persons))
            before = register.weigh(db, report, load())
            linked = link(db, report, DAY + timedelta(days=number))
            same_as(before, linked)
            same_as(register.weigh(db, report, load()), linked)

    def test_its_own_links_do_not_count(self, db: Db) -> None:
        """Weighed again, the first report on a family is still the first: nobody knew them but itself."""
        report = receive(db, [JAN, ANNE])
        link(db, report)
        assert [one.outcome for one in register.weigh(db, report, load())] == ["new", "new"]

    def test_what_others_said_of_the_same_person_does_count(self, db: Db) -> None:
        first = arrive(db, JAN, ANNE)
        arrive(db, JAN, ANNE)
        weighed = register.weigh(db, report_of(db, first), load())
        assert [one.state for one in weighed] == ["automatic", "automatic"]
        assert [one.person for one in weighed] == [str(one.person) for one in first.decisions]

    def test_it_writes_nothing(self, db: Db) -> None:
        arrive(db, JAN, ANNE)
        stored = receive(db, [JAN, MAYBE_ANNE])
        waiting = receive(db, [ANNE, MIA])
        link(db, stored)
        before, said = rows(db), audited(db)
        with db.transaction():
            register.weigh(db, stored, load())
            register.weigh(db, waiting, load())
        assert rows(db) == before
        assert audited(db) == said

    def test_a_no_of_a_person_counts(self, db: Db) -> None:
        known = arrive(db, JAN).decisions[0]
        result = arrive(db, JAN)
        with db.transaction():
            register.reject(db, result.decisions[0].link or uuid7(), "jansen", DAY)
        (weighed,) = register.weigh(db, report_of(db, result), load())
        assert weighed.person != str(known.person)

    def test_its_own_people_are_no_crowd(self, db: Db) -> None:
        """One more at a door makes it an institution; weighed again, those of the report itself do not count."""
        limit = load().limits.persons_per_door
        for number in range(limit):
            arrive(db, guest(number))
        assert len(rows(db)["person"]) == limit
        surname = guest(3)["naam"]["geslachtsnaam"]
        report = receive(db, [who("Olena", surname, "20150602", "115")])
        linked = link(db, report)
        assert linked.decisions[0].outcome == "same_household"
        same_as(register.weigh(db, report, load()), linked)

    def test_an_unknown_report_is_not_found(self, db: Db) -> None:
        with pytest.raises(NotFound):
            register.weigh(db, uuid7(), load())


def same_as(weighed: list[Decision], linked: LinkResult) -> None:
    """What was weighed is what was decided; a new person has no id before he is founded."""
    for one, other in zip(weighed, linked.decisions, strict=True):
        assert (one.outcome, one.state) == (other.outcome, other.state)
        if one.state != "new":
            chosen = other.proposed_person if other.state == "proposed" else other.person
            assert one.person == str(chosen)
            assert one.score == pytest.approx(other.score, abs=1e-3)
            assert [reason["text"] for reason in explain.reasons(one)] == [reason["text"] for reason in other.reasons]


@pytest.mark.usefixtures("region")
class TestRegions:
    OTHER = UUID(int=9)

    def arrive_elsewhere(self, db: Db, *persons: Person) -> LinkResult:
        db.execute(
            "INSERT INTO region (id, name, oin) VALUES (%s, 'Elders', %s) ON CONFLICT DO NOTHING",
            (self.OTHER, "9" * 20),
        )
        report = receive(db, list(persons))
        db.execute("UPDATE report SET region_id = %s WHERE id = %s", (self.OTHER, report))
        db.execute("UPDATE mention SET region_id = %s WHERE report_id = %s", (self.OTHER, report))
        return link(db, report)

    def test_another_region_is_never_seen(self, db: Db) -> None:
        arrive(db, JAN, ANNE)
        assert [one.outcome for one in self.arrive_elsewhere(db, JAN, ANNE).decisions] == ["new", "new"]

    def test_the_keys_of_one_region_never_find_persons_of_another(self, db: Db) -> None:
        here, there = arrive(db, JAN | {"bsn": "999993653"}), self.arrive_elsewhere(db, JAN | {"bsn": "999993653"})
        said = features(JAN | {"bsn": "999993653"})
        for region, result in ((REGION, here), (self.OTHER, there)):
            keys = block.keys(said, load(), region.bytes)
            found = StoredRegister(db, region.bytes, 0, load()).find(keys, 100)
            assert found.keys() == set(keys)
            assert {person for persons in found.values() for person in persons} == {str(result.decisions[0].person)}

    def test_that_another_region_knows_somebody_by_his_bsn_is_all_that_is_told(self, db: Db) -> None:
        known = JAN | {"bsn": "999993653"}
        self.arrive_elsewhere(db, known)
        asked = receive(db, [ANNE, known])
        assert register.known_elsewhere(db, asked) == [self.OTHER]

    def test_by_name_and_birth_date_nobody_is_known_elsewhere(self, db: Db) -> None:
        self.arrive_elsewhere(db, JAN | {"bsn": "999993653"})
        assert register.known_elsewhere(db, receive(db, [JAN])) == []
        assert register.known_elsewhere(db, receive(db, [JAN | {"bsn": "976018950"}])) == []

    def test_the_region_itself_is_not_elsewhere(self, db: Db) -> None:
        arrive(db, JAN | {"bsn": "999993653"})
        assert register.known_elsewhere(db, receive(db, [JAN | {"bsn": "999993653"}])) == []
