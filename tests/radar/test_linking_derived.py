"""Profiles and keys stand in the database beside the links, and are always what the links say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import Db, connection_options
from core.errors import Conflict
from radar.linking import block, derived, register
from tests.radar.test_hard_cases import Person, Region, one_database
from tests.radar.test_linking_properties import RULES, reports, said, word
from tests.radar.test_linking_weigh import same_as
from workers.engines import EmbeddedPostgres


@pytest.fixture(scope="module")
def db(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Db]:
    with (
        one_database(postgres, migrated_template) as url,
        psycopg.connect(url, **connection_options(60_000)) as connection,
    ):
        yield connection


def as_derived(region: Region) -> None:
    """Every profile and every key is what the active links of that person say, made again from nothing."""
    stored = region.db.execute(
        "SELECT id::text AS id, profile FROM person WHERE region_id = %s", (region.id,)
    ).fetchall()
    found = region.db.execute("SELECT person_id::text AS id, key FROM person_key WHERE region_id = %s", (region.id,))
    keys: dict[str, set[int]] = {}
    for row in found:
        keys.setdefault(row["id"], set()).add(row["key"])
    made = derived.profiles(region.db, [row["id"] for row in stored], region.rules)
    for row in stored:
        profile, mentions = made.get(row["id"], (None, []))
        assert row["profile"] == (profile.to_json() if profile else None)
        wanted = {key for said in mentions for key in block.keys(said, region.rules, region.id.bytes)}
        assert keys.pop(row["id"], set()) == wanted
    assert keys == {}, "keys of nobody"


spoken_words = st.sampled_from([register.undo, register.confirm, register.reject])
steps = st.lists(reports() | st.tuples(spoken_words, st.integers(0, 30)), min_size=2, max_size=9)


class TestDerived:
    @settings(max_examples=40)
    @given(first=reports(), steps=steps)
    def test_after_every_step_profiles_and_keys_are_what_the_links_say(
        self, db: Db, first: list[tuple[str, Person]], steps: list[Any]
    ) -> None:
        """Reports come in, and people say yes, no and undo to whatever link stands there, in any order."""
        region = Region(db, RULES)
        for step in [first, *steps]:
            if isinstance(step, list):
                region.arrive(said(step))
            else:
                spoken, number = step
                links = db.execute("SELECT id FROM link WHERE region_id = %s ORDER BY id", (region.id,)).fetchall()
                with suppress(Conflict):
                    word(region, spoken, links[number % len(links)]["id"])
            as_derived(region)

    @settings(max_examples=20)
    @given(arrivals=st.lists(reports(), min_size=1, max_size=4))
    def test_a_report_weighed_after_it_was_linked_is_decided_the_same(
        self, db: Db, arrivals: list[list[tuple[str, Person]]]
    ) -> None:
        region = Region(db, RULES)
        for one in arrivals:
            report = region.receive(said(one))
            before = register.weigh(db, report, region.rules)
            linked = region.link(report)
            same_as(before, linked)
            same_as(register.weigh(db, report, region.rules), linked)
