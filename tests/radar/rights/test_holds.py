"""What is kept longer has a reason and a day to look again; what is due is only listed (check 47)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from core.database import Db
from core.errors import NotFound, ReasonMissing
from core.ids import uuid7
from radar.rights import destruction, holds, requests, retention
from tests.radar.rights.people import AT, family, granted, mention
from tests.web.conftest import World

OLD = datetime(2005, 3, 1, 9, tzinfo=UTC)
REVIEW = date(2026, 9, 1)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    return family(world, OLD, state="closed")


def test_twenty_years_later_each_person_is_listed_and_nothing_happens_by_itself(
    db: Db, world: World, report: UUID
) -> None:
    assert retention.due(db, world.region, date(2025, 3, 1)) == []
    listed = retention.due(db, world.region, date(2025, 3, 2))
    assert [(one.report_id, one.on, one.held) for one in listed] == [(report, date(2025, 3, 1), False)] * 3
    assert db.execute("SELECT FROM destruction_order").fetchone() is None
    assert retention.due(db, UUID(int=0), date(2090, 1, 1)) == []


def test_a_later_change_of_one_person_keeps_him_out_of_the_list_and_not_the_others(
    db: Db, world: World, report: UUID
) -> None:
    requests.receive(db, mention(db, report, 2), "access", AT.date(), by="ilse", at=AT)
    listed = retention.due(db, world.region, date(2026, 4, 1))
    assert {one.mention_id for one in listed} == {mention(db, report, 1), mention(db, report, 3)}


def test_a_form_that_was_sent_on_is_listed_after_its_day(db: Db, world: World) -> None:
    report = family(world, AT, state="forwarded")
    db.execute(
        "INSERT INTO forwarding (id, region_id, report_id, forwarded_to, reason, at, actor, destroy_on)"
        " VALUES (%s, %s, %s, 'Gemeente', 'Geen geweld', %s, 'bram', '2026-06-01')",
        (uuid7(), world.region, report, AT),
    )
    assert retention.due(db, world.region, date(2026, 6, 1)) == []
    (one,) = retention.due(db, world.region, date(2026, 6, 2))
    assert (one.mention_id, one.report_id) == (None, report)


@pytest.mark.parametrize("whole", [True, False])
def test_a_hold_stops_a_destruction_until_it_ends(db: Db, world: World, whole: bool) -> None:
    report = family(world)
    father = mention(db, report, 3)
    request = granted(db, report)
    hold = holds.place(
        db,
        report,
        "other_person",
        "Kaatje is in behandeling.",
        review_on=REVIEW,
        mention_id=None if whole else father,
        by="bram",
        at=AT,
    )
    with pytest.raises(destruction.Held):
        destruction.propose(db, father, "request", "Verzoek.", request_id=request, by="bram", at=AT)
    assert [row["id"] for row in holds.to_review(db, world.region, REVIEW)] == [hold]
    assert holds.to_review(db, world.region, REVIEW - timedelta(days=1)) == []
    holds.end(db, hold, "De behandeling is klaar.", by="gwen", at=AT)
    assert destruction.propose(db, father, "request", "Verzoek.", request_id=request, by="bram", at=AT)


def test_a_hold_that_came_after_the_confirmation_still_stops_it(db: Db, world: World) -> None:
    report = family(world)
    father = mention(db, report, 3)
    request = granted(db, report)
    order = destruction.propose(db, father, "request", "Verzoek.", request_id=request, by="bram", at=AT)
    destruction.confirm(db, order, by="gwen", at=AT)
    holds.place(db, report, "court", "Zaak bij de rechtbank.", review_on=REVIEW, by="teun", at=AT)
    with pytest.raises(destruction.Held), db.transaction():
        destruction.carry_out(db, order)
    with pytest.raises(Exception, match="hold"), db.transaction():
        db.execute("SELECT destroy_order(%s)", (order,))
    assert db.execute("SELECT FROM mention WHERE destroyed_at IS NOT NULL").fetchone() is None


def test_an_objection_stops_it_too(db: Db, world: World) -> None:
    report = family(world)
    father = mention(db, report, 3)
    request = granted(db, report)
    order = destruction.propose(db, father, "request", "Verzoek.", request_id=request, by="bram", at=AT)
    requests.receive(db, father, "objection", AT.date(), by="ilse", at=AT)
    with pytest.raises(destruction.Held):
        destruction.confirm(db, order, by="gwen", at=AT)


def test_what_is_not_complete_is_refused(db: Db, world: World, report: UUID) -> None:
    elsewhere = mention(db, family(world), 1)
    good = {"review_on": REVIEW, "by": "bram", "at": AT}
    with pytest.raises(holds.WrongHold):
        holds.place(db, report, "zomaar", "Reden.", **good)
    with pytest.raises(ReasonMissing):
        holds.place(db, report, "court", " ", **good)
    with pytest.raises(holds.WrongReview):
        holds.place(db, report, "court", "Zaak.", **good | {"review_on": AT.date()})
    with pytest.raises(holds.WrongReview):
        holds.place(db, report, "court", "Zaak.", until=REVIEW - timedelta(days=1), **good)
    with pytest.raises(NotFound):
        holds.place(db, report, "court", "Zaak.", mention_id=elsewhere, **good)
    assert db.execute("SELECT FROM retention_hold").fetchone() is None
