"""The public forms under a flood: nobody is shut out, and no address is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.database import Db, transaction
from core.settings import settings
from tests.radar.canaries import tables_with
from web.access import public_limits
from web.access.public_limits import Pace, pour

SHELTER = "192.0.2.7"
PACE = Pace(free=3, every=timedelta(seconds=30), longest=timedelta(seconds=100))
NOT_LATER = timedelta()


def test_the_free_ones_pass_at_once_and_each_next_one_waits_longer_up_to_the_longest() -> None:
    level, waits = 0.0, []
    for _ in range(8):
        level, wait = pour(level, NOT_LATER, PACE)
        waits.append(int(wait.total_seconds()))
    assert waits == [0, 0, 0, 60, 90, 100, 100, 100]


def test_who_waits_as_long_as_he_was_told_is_taken() -> None:
    level = 0.0
    for _ in range(50):
        level, wait = pour(level, NOT_LATER, PACE)
    assert wait == PACE.longest
    assert pour(level, wait, PACE)[1] == timedelta()


def test_a_lane_drains_by_itself_and_a_clock_that_goes_back_changes_nothing() -> None:
    assert pour(3.0, timedelta(hours=1), PACE) == (1.0, timedelta())
    assert pour(3.0, timedelta(hours=-1), PACE) == pour(3.0, NOT_LATER, PACE)


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("VEILIG_PUBLIC_SENDS_AT_ONCE", "1")
    settings.cache_clear()


def ask(origin: str = SHELTER, ticket: str = "", what: str = "citizen") -> int:
    with transaction("door") as db:
        return public_limits.check(db, origin, what, ticket)


def later(db: Db, seconds: int) -> None:
    """As if all of it was so long ago."""
    db.execute(
        "UPDATE public_lane SET used_at = used_at - make_interval(secs => %(s)s),"
        " turn_at = turn_at - make_interval(secs => %(s)s)",
        {"s": seconds},
    )


@pytest.mark.usefixtures("one_at_once")
def test_a_ticket_keeps_its_turn_while_others_at_the_same_address_go_on(db: Db) -> None:
    assert ask(ticket="een") == 0
    told = ask(ticket="twee")
    assert 0 < told <= 300
    assert ask(ticket="twee") <= told, "trying again costs nothing"
    for number in range(20):
        ask(ticket=f"lawaai-{number}")
    later(db, told)
    assert ask(ticket="nieuw") > 0, "the lane is still full"
    assert ask(ticket="twee") == 0
    assert ask(ticket="twee") == 0


@pytest.mark.usefixtures("one_at_once")
def test_other_addresses_and_other_uses_do_not_wait_for_a_flood(db: Db) -> None:
    for number in range(30):
        ask(ticket=f"lawaai-{number}")
    assert ask(origin="198.51.100.2", ticket="buur") == 0
    assert ask(ticket="school", what="professional") == 0


def test_a_flood_from_everywhere_makes_each_wait_a_moment_and_stops_nobody(
    db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_PUBLIC_SENDS_A_MINUTE", "2")
    settings.cache_clear()
    waits = [ask(origin=f"192.0.2.{number}", ticket=str(number)) for number in range(12)]
    assert waits[:2] == [0, 0]
    assert all(0 < wait <= 60 for wait in waits[2:])
    later(db, 60)
    assert [ask(origin=f"192.0.2.{number}", ticket=str(number)) for number in range(12)] == [0] * 12


def test_no_address_is_kept_and_old_lanes_are_forgotten(db: Db) -> None:
    ask(ticket="een")
    assert tables_with(db, [SHELTER]) == {}
    first = {bytes(row["lane"]) for row in db.execute("SELECT lane FROM public_lane")}
    later(db, 3 * 3600)
    ask(origin="198.51.100.2")
    left = {bytes(row["lane"]) for row in db.execute("SELECT lane FROM public_lane")}
    assert len(left) == 2
    assert len(left & first) == 1, "only the lane of all together is used again"


def test_only_the_door_reads_the_lanes(db: Db) -> None:
    for role in ("veilig_web", "veilig_worker"):
        row = db.execute("SELECT has_table_privilege(%s, 'public_lane', 'SELECT') AS may", (role,)).fetchone()
        assert row is not None
        assert not row["may"]
