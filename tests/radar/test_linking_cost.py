"""What a report may cost: a text of 50,000 characters no more than one that was capped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import Db, connection_options
from radar.linking import register
from radar.linking.register import LinkResult
from tests.radar.test_hard_cases import Person, Region, one_database
from tests.radar.test_linking_properties import PEOPLE, RULES, rows_of
from workers.engines import EmbeddedPostgres

POISON = 50_000
CAP = 200


@pytest.fixture(scope="module")
def db(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Db]:
    with (
        one_database(postgres, migrated_template) as url,
        psycopg.connect(url, **connection_options(60_000)) as connection,
    ):
        yield connection


def cost(region: Region, person: Person) -> tuple[int, int, float, LinkResult]:
    """Linking one report: functions called, bytes written, seconds of our own work, and what came of it."""
    report = region.receive([person])
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = rows_of(region)
    # Counting slows the work down: once to count, taken back, and once for the clock.
    with region.db.transaction(force_rollback=True):
        sys.setprofile(count)
        try:
            register.link_report(region.db, report, region.now, region.rules)
        finally:
            sys.setprofile(None)
    started = time.process_time()
    result = region.link(report)
    seconds = time.process_time() - started
    after = rows_of(region)
    new = [row for table, rows in after.items() for row in rows if row not in before[table]]
    # What intake stored is not ours: the mention as said.
    written = sum(len(str({name: value for name, value in row.items() if name != "person"})) for row in new)
    return calls, written, seconds, result


class TestCost:
    @settings(max_examples=25)
    @given(
        field=st.sampled_from(["given", "surname", "prefix", "partner", "full", "phone", "bsn"]),
        piece=st.sampled_from(
            [
                "a",
                "van ",
                "A.",
                "a-",
                "é",
                "e\u0301",
                "\u200b",
                "9",
                "Voorbeeld ",
                "ij",
                "&euml;",
                "Ã«",
                "Ш",
                "(",
                ",",
                "/",
            ]
        ),
    )
    def test_a_poison_name_costs_no_more_than_a_capped_one(self, db: Db, field: str, piece: str) -> None:
        """50,000 characters are cut before anything is done with them: the same calls, the same rows."""
        region = Region(db, RULES)
        region.arrive([PEOPLE["jan"], PEOPLE["mia"]])
        poison = piece * (POISON // len(piece))
        capped_calls, capped_bytes, capped_seconds, capped = cost(region, PEOPLE["jan"] | {field: poison[:CAP]})
        region = Region(db, RULES)
        region.arrive([PEOPLE["jan"], PEOPLE["mia"]])
        calls, written, seconds, result = cost(region, PEOPLE["jan"] | {field: poison})
        assert calls <= 2 * capped_calls + 500
        assert written <= 2 * capped_bytes + 500
        assert seconds <= 20 * capped_seconds + 0.2  # generous: only a cost that grows with the text is meant
        assert [one.state for one in result.decisions] == [one.state for one in capped.decisions]
