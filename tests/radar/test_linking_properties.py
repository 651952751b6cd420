"""What holds for every register and every report: exact undo, order, a person's word, missing data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from core.database import Db, connection_options
from core.errors import Conflict
from core.ids import uuid7
from radar.linking import register
from radar.linking.register import LinkResult
from tests.radar.test_hard_cases import FILE, Person, Region, one_database, rules_for
from workers.engines import EmbeddedPostgres

RULES = rules_for(100_000)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def db(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Db]:
    with (
        one_database(postgres, migrated_template) as url,
        psycopg.connect(url, **connection_options(60_000)) as connection,
    ):
        yield connection


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────


def who(given: str, surname: str, birth: str, sex: str, at: str, **more: str) -> Person:
    return {"given": given, "surname": surname, "birth": birth, "sex": sex, "at": at} | more


# Look-alikes on purpose: twins, a father and a son of one name, neighbours of one surname, one nickname.
PEOPLE: dict[str, Person] = {name: dict(person) for name, person in FILE["cast"].items() if name != "jo"} | {
    "son": who("Jan", "Voorbeeld", "2009-10-09", "M", "home", role="child", bsn="952601813"),
    "gerrit": who("Gerrit", "Zandbergh", "1979-05-06", "M", "third", bsn="959083017", phone="0641234567"),
    "wilma": who("Wilma", "Zandbergh", "1981-12-30", "V", "third", phone="0641234567"),
    "lucas": who("Lucas", "Zandbergh", "2014-04-04", "M", "third", role="child"),
    "piet": who("Piet", "Voorbeeld", "1977-08-30", "M", "next_door"),
    "amna": who("Amna", "El Amrani", "1985-01-01", "V", "elsewhere", bsn="966131861"),
}
FAMILIES = (("jan", "mia", "anne", "saar", "son"), ("gerrit", "wilma", "lucas"), ("piet",), ("amna",))
DROPPED = ("given", "surname", "birth", "sex", "at", "bsn", "phone")
NEVER_DROPPED_WHEN_CLEAR = ("given", "surname", "birth")

names = st.sampled_from(sorted(PEOPLE))


@st.composite
def reports(draw: st.DrawFn, keep: Sequence[str] = ()) -> list[tuple[str, Person]]:
    """One report on members of one family, each said with some of the fields."""
    family = draw(st.sampled_from(FAMILIES))
    chosen = draw(st.lists(st.sampled_from(family), min_size=1, max_size=4, unique=True))
    said = []
    for name in chosen:
        kept = {*keep, "bsn"} if only_year(PEOPLE[name]) and "birth" in keep else {*keep}
        lost = draw(st.sets(st.sampled_from([field for field in DROPPED if field not in kept]), max_size=2))
        said.append((name, without(PEOPLE[name], lost)))
    return said


def only_year(person: Person) -> bool:
    """1 January stands for a year only; then the BSN makes it clear who somebody is."""
    return person["birth"].endswith("-01-01")


def without(person: Person, lost: Any) -> Person:
    return {name: value for name, value in person.items() if name not in lost}


def said(report: Sequence[tuple[str, Person]]) -> list[Person]:
    return [person for _, person in report]


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────


def rows_of(region: Region) -> dict[str, list[dict[str, Any]]]:
    """Every row of this region in every table of the radar; not the audit, which only grows, nor the raw messages."""
    tables = region.db.execute(
        "SELECT c.table_name AS name FROM information_schema.columns c JOIN information_schema.tables t "
        "USING (table_schema, table_name) WHERE c.table_schema = 'public' AND c.column_name = 'region_id' "
        "AND t.table_type = 'BASE TABLE' AND c.table_name NOT LIKE 'audit%%' AND c.table_name <> 'message'"
    ).fetchall()
    found = {}
    for table in tables:
        query = sql.SQL("SELECT to_jsonb(t) AS row FROM {} t WHERE region_id = %s ORDER BY t::text")
        selected = region.db.execute(query.format(sql.Identifier(table["name"])), (region.id,))
        found[table["name"]] = [row["row"] for row in selected]
    assert {"report", "mention", "person", "household", "membership", "link"} <= found.keys()
    return found


def active(region: Region) -> dict[UUID, UUID]:
    """Who each mention is now."""
    found = region.db.execute(
        "SELECT mention_id, person_id FROM link WHERE region_id = %s AND state IN ('new', 'automatic', 'confirmed')",
        (region.id,),
    ).fetchall()
    who_is = {row["mention_id"]: row["person_id"] for row in found}
    assert len(who_is) == len(found), "a mention is two people"
    return who_is


def word(region: Region, spoken: Any, link: UUID) -> None:
    with region.db.transaction():
        spoken(region.db, link, "jansen", region.now)


# ── undo ────────────────────────────────────────────────────────────────────────────────────────────────────

words = st.sampled_from(["undo", "reject", "confirm and undo"])


def take_back(region: Region, result: LinkResult, spoken: Sequence[str]) -> None:
    """A person takes back every link that the machine made in this report, or made with his help."""
    for link, chosen in zip(result.decisions, spoken, strict=False):
        if link.state == "automatic" and link.link:
            if chosen == "confirm and undo":
                word(region, register.confirm, link.link)
            word(region, register.reject if chosen == "reject" else register.undo, link.link)
        elif link.state == "proposed" and link.proposed_link:
            if chosen == "reject":
                word(region, register.reject, link.proposed_link)
            elif chosen == "confirm and undo":
                # Two mentions of one report can be asked about one person: the second yes is refused.
                with suppress(Conflict):
                    word(region, register.confirm, link.proposed_link)
                    word(region, register.undo, link.proposed_link)


class TestUndo:
    @settings(max_examples=30)
    @given(earlier=st.lists(reports(), min_size=1, max_size=4), late=reports(), spoken=st.lists(words, min_size=4))
    def test_link_then_undo_leaves_every_row_as_before(
        self,
        db: Db,
        earlier: list[list[tuple[str, Person]]],
        late: list[tuple[str, Person]],
        spoken: list[str],
    ) -> None:
        """No row that was there changes; what is new belongs to the report that was linked and to nobody else."""
        region = Region(db, RULES)
        for one in earlier:
            region.arrive(said(one))
        region.now += timedelta(days=30)
        report = region.receive(said(late))
        mine = {str(row["id"]) for row in rows_of(region)["mention"] if row["report_id"] == str(report)}
        before = rows_of(region)
        result = region.link(report)
        take_back(region, result, spoken)
        after = rows_of(region)

        own_rows = mine | {str(report)}
        for table, stored_rows in before.items():
            gone = [row for row in stored_rows if row not in after[table] and row.get("id") not in own_rows]
            assert gone == [], f"{table}: changed or lost by link and undo"

        known = {row["id"] for row in before["person"]}
        now = {str(mention): str(person) for mention, person in active(region).items() if str(mention) in mine}
        assert not set(now.values()) & known, "still linked to somebody who was known"
        for table, stored_rows in after.items():
            for row in stored_rows:
                if row not in before[table] and "person_id" in row and table != "link":
                    assert row["person_id"] in now.values(), f"{table}: a row of nobody in this report"
                    assert str(row.get("mention_id", min(mine))) in mine
        (stored,) = [row for row in after["report"] if row["id"] == str(report)]
        joined = {row["household_id"] for row in after["membership"] if row["person_id"] in now.values()}
        assert joined <= {stored["household_id"]}

    @settings(max_examples=15)
    @given(late=reports(keep=NEVER_DROPPED_WHEN_CLEAR))
    def test_a_report_that_only_its_links_brought_into_a_file_leaves_it(
        self, db: Db, late: list[tuple[str, Person]]
    ) -> None:
        """Without an address or phone to share, nothing but the links tied it to the family."""
        region = Region(db, RULES)
        known = region.arrive([PEOPLE[name] for name, _ in late])
        result = region.arrive([without(person, {"at", "phone"}) for _, person in late])
        assert (result.household_id, result.repeat) == (known.household_id, True)
        take_back(region, result, ["undo"] * len(late))
        report = "SELECT household_id FROM report WHERE id = (SELECT report_id FROM mention WHERE id = %s)"
        (row,) = db.execute(report, (result.decisions[0].mention,)).fetchall()
        assert row["household_id"] not in (None, known.household_id)

    @settings(max_examples=15)
    @given(late=reports(keep=NEVER_DROPPED_WHEN_CLEAR))
    def test_a_report_whose_links_were_undone_is_found_like_a_first_report(
        self, db: Db, late: list[tuple[str, Person]]
    ) -> None:
        """After the undo two families stand side by side: for the next report two fit, so a person chooses."""
        region = Region(db, RULES)
        first = region.arrive(said(late))
        second = region.arrive(said(late))
        for link in second.decisions:
            assert link.state == "automatic"
            word(region, register.undo, link.link or uuid7())
        third = region.arrive(said(late))
        for one, other, link in zip(first.decisions, second.decisions, third.decisions, strict=True):
            apart = active(region)[other.mention]
            assert link.state == "proposed", "two that fit equally well, and the machine chose"
            assert link.proposed_person in (one.person, apart)


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────────

clear_days = st.lists(reports(keep=NEVER_DROPPED_WHEN_CLEAR), min_size=2, max_size=5)


class TestOrder:
    @settings(max_examples=30)
    @given(day=clear_days, data=st.data())
    def test_the_order_of_a_day_does_not_change_who_is_who(
        self, db: Db, day: list[list[tuple[str, Person]]], data: st.DataObject
    ) -> None:
        """Clear evidence is a full name with a full birth date. Then the machine's links, seen as a partition of all
        mentions into persons, are the same for every order of arrival, and they are the truth. Which mention counts
        as the first of its person does depend on the order, and nothing else does.
        """
        order = data.draw(st.permutations(range(len(day))))
        for arrivals in (range(len(day)), order):
            region = Region(db, RULES)
            partition: dict[UUID | None, set[str]] = {}
            for number in arrivals:
                result = region.arrive(said(day[number]), MINUTE)
                for (name, _), link in zip(day[number], result.decisions, strict=True):
                    assert link.state in ("new", "automatic"), (name, link.reasons)
                    partition.setdefault(link.person, set()).add(name)
            mixed = [one for one in partition.values() if len(one) > 1]
            assert mixed == [], "two people became one"
            found = sorted(name for one in partition.values() for name in one)
            assert found == sorted({name for one in day for name, _ in one}), "one became two people"


# ── a person's word ─────────────────────────────────────────────────────────────────────────────────────────

later = st.lists(reports(keep=("given",)), min_size=1, max_size=4)
ANNE = PEOPLE["anne"]
ARIE = who("Arie", "Voorbeeld", "2017-09-09", "M", "home", role="child")
MAYBE_ANNE = {"given": "A.", "surname": "Voorbeeld", "role": "child", "at": "home"}


def say_yes_to_all(region: Region, result: LinkResult) -> None:
    """The most that later reports can do to an earlier word: somebody confirms everything they bring."""
    for link in result.decisions:
        if link.proposed_link:
            with suppress(Conflict):
                word(region, register.confirm, link.proposed_link)


class TestAPersonsWord:
    @settings(max_examples=25)
    @given(again=later)
    def test_a_no_is_never_overruled(self, db: Db, again: list[list[tuple[str, Person]]]) -> None:
        """The two stay two people, and are not asked about again, whatever comes later and whoever says yes to it."""
        region = Region(db, RULES)
        known = region.arrive([ANNE]).decisions[0]
        region.now += timedelta(days=1)
        report = region.receive([ANNE])
        link = region.link(report).decisions[0]
        assert link.state == "automatic"
        word(region, register.reject, link.link or uuid7())
        apart = active(region)[link.mention]
        for one in again:
            say_yes_to_all(region, region.arrive(said(one)))
            now = active(region)
            assert (now[known.mention], now[link.mention]) == (known.person, apart)
            self._nothing_is_open_between(region, link.mention, known.person)
            self._nothing_is_open_between(region, known.mention, apart)
        (decision,) = register.weigh(db, report, region.rules)
        assert decision.person != known.person, "weighed again, the no is forgotten"
        again_linked = region.link(report).decisions[0]
        assert again_linked.person == apart

    def _nothing_is_open_between(self, region: Region, mention: UUID, person: UUID | None) -> None:
        found = region.db.execute(
            "SELECT state FROM link WHERE mention_id = %s AND person_id = %s AND state NOT IN ('rejected', 'undone')",
            (mention, person),
        ).fetchall()
        assert found == []

    @settings(max_examples=25)
    @given(again=later)
    def test_a_yes_survives(self, db: Db, again: list[list[tuple[str, Person]]]) -> None:
        """Later reports, and what people say of those, leave a confirmed link as it is."""
        region = Region(db, RULES)
        children = region.arrive([PEOPLE["jan"], ANNE, ARIE]).decisions[1:]
        asked = region.arrive([PEOPLE["jan"], MAYBE_ANNE]).decisions[1]
        assert asked.state == "proposed"
        assert asked.proposed_person in {one.person for one in children}
        chosen = asked.proposed_link or uuid7()
        word(region, register.confirm, chosen)
        row = "SELECT * FROM link WHERE id = %s"
        before = db.execute(row, (chosen,)).fetchone()
        for one in again:
            result = region.arrive(said(one))
            for link in result.decisions:
                if link.state == "automatic" and link.link:
                    word(region, register.undo, link.link)
                elif link.proposed_link:
                    word(region, register.reject, link.proposed_link)
            assert db.execute(row, (chosen,)).fetchone() == before
            assert active(region)[asked.mention] == asked.proposed_person


# ── missing is neutral ──────────────────────────────────────────────────────────────────────────────────────


class TestMissingIsNeutral:
    @settings(max_examples=60)
    @given(name=names, lost=st.sets(st.sampled_from(DROPPED), max_size=5), company=st.booleans())
    def test_a_field_left_out_never_makes_it_somebody_else(
        self, everybody: Region, truth: dict[str, UUID], name: str, lost: set[str], company: bool
    ) -> None:
        """With less said the machine may ask or stay silent; it may not link to another person."""
        mention = without(PEOPLE[name], lost)
        mates = [one for family in FAMILIES if name in family for one in family if one != name] if company else []
        with everybody.db.transaction(force_rollback=True):
            result = everybody.link(everybody.receive([mention, *(PEOPLE[one] for one in mates)]))
        got = result.decisions[0]
        if got.state == "automatic":
            assert got.person == truth[name], [one["text"] for one in got.reasons]
        for mate, link in zip(mates, result.decisions[1:], strict=True):
            assert link.state != "automatic" or link.person == truth[mate], mate

    @pytest.mark.parametrize("field", DROPPED)
    @pytest.mark.parametrize("name", sorted(PEOPLE))
    def test_one_field_less_keeps_the_link_or_asks(
        self, everybody: Region, truth: dict[str, UUID], name: str, field: str
    ) -> None:
        """A full mention that lacks one field still finds its person, if only as a question; never another one."""
        with everybody.db.transaction(force_rollback=True):
            got = everybody.link(everybody.receive([without(PEOPLE[name], {field})])).decisions[0]
        found = got.person if got.state == "automatic" else got.proposed_person
        if field in ("given", "surname") and found is None:
            return  # without one of its names a mention may say too little
        if got.state == "automatic":
            assert found == truth[name]
        elif field == "given":
            twins = {truth[one] for one in PEOPLE if PEOPLE[one]["birth"] == PEOPLE[name]["birth"]}
            assert found in twins
        else:
            assert found is not None, [one["text"] for one in got.reasons]


@pytest.fixture(scope="module")
def everybody(db: Db) -> Region:
    """A region that knows every family, each by one full report."""
    region = Region(db, RULES)
    for family in FAMILIES:
        for name, link in zip(family, region.arrive([PEOPLE[name] for name in family]).decisions, strict=True):
            assert link.state == "new"
            region.persons[name] = {link.person or uuid7()}
    return region


@pytest.fixture(scope="module")
def truth(everybody: Region) -> dict[str, UUID]:
    return {name: next(iter(own)) for name, own in everybody.persons.items()}
