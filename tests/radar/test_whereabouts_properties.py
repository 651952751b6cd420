"""What holds for every register: protecting somebody changes what can be read, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import Db, connection_options
from radar.linking.profile import Profile
from radar.linking.register import LinkResult
from radar.protection import settling, whereabouts
from tests.radar.test_hard_cases import Region, one_database
from tests.radar.test_linking_properties import RULES, Person, reports, said, take_back, words
from workers.engines import EmbeddedPostgres

Report = list[tuple[str, Person]]


@pytest.fixture(scope="module")
def db(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Db]:
    with (
        one_database(postgres, migrated_template) as url,
        psycopg.connect(url, **connection_options(60_000)) as connection,
    ):
        yield connection


def register_of(region: Region) -> list[Any]:
    """Every mention as it can be read, with whom it shares a person and what is known of him; no ids of persons."""
    rows = region.db.execute(
        "SELECT m.id, m.person, m.blind, l.person_id, p.profile, r.content,"
        " (SELECT array_agg(k.key ORDER BY k.key) FROM person_key k WHERE k.person_id = l.person_id) AS keys"
        " FROM mention m JOIN report r ON r.id = m.report_id LEFT JOIN link l ON l.mention_id = m.id"
        " AND l.state IN ('new', 'automatic', 'confirmed') LEFT JOIN person p ON p.id = l.person_id"
        " WHERE m.region_id = %s ORDER BY m.id",
        (region.id,),
    ).fetchall()
    persons = [row["person_id"] for row in rows]
    return [
        (
            row["person"],
            row["blind"],
            row["content"],
            persons.index(row["person_id"]),
            row["keys"],
            known(row["profile"]),
        )
        for row in rows
    ]


def known(text: str | None) -> Any:
    """A profile without the ids of households."""
    if text is None:
        return None
    profile = Profile.from_json(text)
    homes = sorted((home.reports, home.last, home.addresses) for home in profile.homes)
    return profile.given, profile.surnames, profile.births, profile.bsns, profile.phones, profile.addresses, homes


def outcome(result: LinkResult) -> list[Any]:
    return [
        (link.outcome, link.state, round(link.score, 6), [why["text"] for why in link.reasons])
        for link in result.decisions
    ]


def mark(region: Region, chosen: int) -> UUID:
    """Protect the person of one of the mentions there are."""
    mentions = region.db.execute("SELECT id FROM mention WHERE region_id = %s ORDER BY id", (region.id,)).fetchall()
    about = mentions[chosen % len(mentions)]["id"]
    with region.db.transaction():
        return whereabouts.protect(region.db, about, "Gevlucht.", by="bram", at=region.now)


def lift(region: Region, protection: UUID) -> None:
    with region.db.transaction():
        whereabouts.ask_lift(region.db, protection, "Voorbij.", by="bram", at=region.now)
        whereabouts.lift(region.db, protection, by="gwen", at=region.now)


class TestProtection:
    @settings(max_examples=20)
    @given(
        earlier=st.lists(reports(), min_size=1, max_size=3),
        late=reports(),
        spoken=st.lists(words, min_size=4),
        chosen=st.integers(0, 20),
    )
    def test_mark_link_unlink_lift_equals_never_marked(
        self, db: Db, earlier: list[Report], late: Report, spoken: Sequence[str], chosen: int
    ) -> None:
        region = Region(db, RULES)
        for one in earlier:
            region.arrive(said(one))
        region.now += timedelta(days=30)
        report = region.receive(said(late))
        with db.transaction(force_rollback=True):
            never = outcome(result := region.link(report))
            take_back(region, result, spoken)
            open_register = register_of(region)
        before = register_of(region)
        protection = mark(region, chosen)
        assert register_of(region) != before or not any("at" in one or "phone" in one for _, one in late)
        marked = region.link(report)
        assert outcome(marked) == never, "linking reads something else of a protected person"
        take_back(region, marked, spoken)
        assert settling.readable(db)[1] == 0
        lift(region, protection)
        assert register_of(region) == open_register
