"""Exclusions: who knows somebody in a case sees, finds and gets nothing of it, and neither does an organisation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from core.database import Db
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from radar.casework import queue, review, tasks
from radar.casework.handover import Incomplete
from radar.casework.handover_kinds import KINDS
from radar.protection import blind, exclusions, restrictions
from tests.radar.arrivals import DAY, JAN, LOCAL, MIA, REGION, arrive, found_region, one
from tests.radar.test_handover import AT, Desk
from tests.radar.test_restrictions import (
    LEAD,
    LIES,
    NOW,
    Seen,
    _propose,
    _task_ids,
    colleague,
    holders,
    mention,
    restrict,
    sight,
)

__all__ = ["sight"]


@pytest.fixture(autouse=True)
def region(db: Db) -> UUID:
    return found_region(db)


def know(db: Db, report: UUID, member: UUID, number: int = 1) -> int:
    with db.transaction():
        return exclusions.know_them(db, REGION, [mention(db, report, number)], member=member, by="gwen", at=NOW)


def exclude(db: Db, report: UUID, *, staff: UUID | None = None, team: UUID | None = None) -> UUID:
    with db.transaction():
        return exclusions.exclude(
            db, REGION, mention(db, report), staff=staff, team=team, reason="Werkt daar.", **LEAD, at=NOW
        )


class TestSeesNothing:
    def test_his_own_word_works_at_once_and_for_every_report_on_that_person(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        gwen, bram = colleague(db, "Gwen"), colleague(db, "Bram")
        first, other = arrive(db, JAN), arrive(db, LIES)
        theirs = sight(gwen)
        assert theirs.report(first)
        with theirs.db.transaction():
            exclusions.know_them(theirs.db, REGION, [mention(db, first)], member=gwen, by="gwen", at=NOW)
        later = arrive(db, JAN, MIA)
        assert [theirs.report(one_of) for one_of in (first, later, other)] == [False, False, True]
        assert sight(bram).report(first)
        assert one(db, "SELECT count(*) AS n FROM audit_entry WHERE action = 'exclusion.set'")["n"] == 1

    def test_also_where_the_person_is_only_asked_about(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        gwen = colleague(db, "Gwen")
        known, asked = arrive(db, JAN), arrive(db, LIES)
        know(db, known, gwen)
        assert sight(gwen).report(asked)
        _propose(db, asked, known)
        assert not sight(gwen).report(asked)

    def test_neither_person_nor_keys_nor_case_nor_link(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        gwen = colleague(db, "Gwen")
        know(db, arrive(db, JAN), gwen)
        theirs = sight(gwen)
        for table in ("person", "person_key", "cases", "link", "mention", "safety_watch"):
            assert theirs.rows(f"SELECT FROM {table}") == 0, table

    def test_saying_it_twice_is_saying_it_once(self, db: Db) -> None:
        gwen, report = colleague(db, "Gwen"), arrive(db, JAN)
        assert (know(db, report, gwen), know(db, report, gwen)) == (1, 0)

    def test_a_mention_that_is_not_linked_yet_asks_for_patience(self, db: Db) -> None:
        gwen, report = colleague(db, "Gwen"), arrive(db, JAN)
        db.execute("UPDATE link SET state = 'undone', decided_by = 'x', decided_at = now()")
        with pytest.raises(Conflict, match="minuut"):
            know(db, report, gwen)

    def test_the_exclusion_follows_the_person(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        """A colleague says that the mention is another person of the register: he is the same human being."""
        gwen = colleague(db, "Gwen")
        known, new = arrive(db, JAN), arrive(db, LIES)
        question = _propose(db, new, known)
        know(db, new, gwen)
        with db.transaction():
            review.confirm(db, question, "teun", NOW)
        theirs = sight(gwen)
        assert not theirs.report(new)
        assert not theirs.report(known)


class TestGetsNoWork:
    def test_his_tasks_on_that_person_go_back(self, db: Db) -> None:
        gwen = colleague(db, "Gwen")
        report, other = arrive(db, JAN), arrive(db, LIES)
        with db.transaction():
            tasks.assign(db, REGION, [*_task_ids(db, report), *_task_ids(db, other)], gwen, by="teun", at=NOW)
        know(db, report, gwen)
        assert holders(db, report) == {None}
        assert holders(db, other) == {gwen}

    def test_he_is_given_none_with_a_sentence_that_tells_nothing(self, db: Db) -> None:
        gwen, report = colleague(db, "Gwen"), arrive(db, JAN)
        know(db, report, gwen)
        with pytest.raises(Conflict) as refused, db.transaction():
            tasks.assign(db, REGION, _task_ids(db, report), gwen, by="teun", at=NOW)
        assert refused.value.message == "Een van deze taken kan niet naar deze collega. Kies een ander."

    def test_a_link_that_brings_him_in_takes_the_task_away(self, db: Db) -> None:
        gwen = colleague(db, "Gwen")
        known, new = arrive(db, JAN), arrive(db, LIES)
        know(db, known, gwen)
        with db.transaction():
            tasks.assign(db, REGION, _task_ids(db, new), gwen, by="teun", at=NOW)
        _propose(db, new, known)
        assert gwen not in holders(db, new)

    def test_in_the_queue_it_looks_as_a_restricted_report(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        gwen = colleague(db, "Gwen")
        colleague(db, "Teun", "team_lead")
        report = arrive(db, JAN)
        know(db, report, gwen)
        found = queue.items(sight(gwen).db, REGION, queue.Filter(tuple(queue.KINDS)), NOW)
        assert {(item.report_id, item.contact, item.persons) for item in found} == {(report, "Teun", 0)}

    def test_he_is_no_contact_and_is_not_let_in(self, db: Db) -> None:
        gwen, bram = colleague(db, "Gwen"), colleague(db, "Bram")
        report = arrive(db, JAN)
        know(db, report, gwen)
        with pytest.raises(restrictions.WrongColleague):
            restrict(db, report, gwen)
        restriction = restrict(db, report, bram)
        with pytest.raises(restrictions.WrongColleague), db.transaction():
            restrictions.let_in(
                db, REGION, restriction, gwen, until=local_day(NOW) + timedelta(days=1), purpose="safety",
                reason="Kan helpen.", member=bram, by="bram", role="assessor", at=NOW,
            )  # fmt: skip

    def test_a_grant_does_not_outweigh_it(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        gwen, bram = colleague(db, "Gwen"), colleague(db, "Bram")
        report = arrive(db, JAN)
        restriction = restrict(db, report, bram)
        with db.transaction():
            restrictions.let_in(
                db, REGION, restriction, gwen, until=local_day(NOW) + timedelta(days=1), purpose="safety",
                reason="Kan helpen.", member=bram, by="bram", role="assessor", at=NOW,
            )  # fmt: skip
        assert sight(gwen).report(report)
        know(db, report, gwen)
        assert not sight(gwen).report(report)

    def test_he_gets_no_blind_hit_for_him(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        gwen, bram = colleague(db, "Gwen"), colleague(db, "Bram")
        together, partner = arrive(db, JAN, MIA), arrive(db, MIA)
        restrict(db, together, bram)
        assert blind.hits(sight(gwen).db, partner)
        know(db, together, gwen)
        assert blind.hits(sight(gwen).db, partner) == []


class TestOrganisation:
    def test_an_organisation_is_excluded_by_a_keeper(self, db: Db) -> None:
        report = arrive(db, JAN)
        exclude(db, report, team=LOCAL)
        assert [(row["who"], row["team_id"]) for row in exclusions.running(db, REGION)] == [("Wijkteam Dal", LOCAL)]
        with pytest.raises(Conflict, match="al"):
            exclude(db, report, team=LOCAL)

    def test_nothing_on_him_is_offered_there(self, db: Db) -> None:
        """P1 works at the municipality: the case does not go to it (security.md D10)."""
        desk = Desk(db)
        desk.world.link(desk.report, 1, uuid7(), "new", household=desk.household)
        with db.transaction():
            exclusions.exclude(
                db, desk.world.region, mention(db, desk.report), team=desk.teams[KINDS["direct"].teams[0]],
                reason="De ex werkt daar.", **LEAD, at=AT,
            )  # fmt: skip
        with pytest.raises(Incomplete) as refused:
            desk.offer()
        assert list(refused.value.errors) == ["team"]
        assert not db.execute("SELECT FROM handover").fetchall()

    def test_one_colleague_or_one_organisation_never_both_and_not_our_own_team(self, db: Db) -> None:
        gwen, report = colleague(db, "Gwen"), arrive(db, JAN)
        ours = one(db, "SELECT id FROM team WHERE kind = 'veilig_thuis'")["id"]
        for choice in ({}, {"staff": gwen, "team": LOCAL}, {"team": ours}):
            with pytest.raises(Conflict):
                exclude(db, report, **choice)


class TestLifting:
    def test_nobody_lifts_his_own(self, db: Db) -> None:
        teun, report = colleague(db, "Teun", "team_lead"), arrive(db, JAN)
        know(db, report, teun)
        exclusion = one(db, "SELECT id FROM exclusion")["id"]
        with pytest.raises(NotAllowed), db.transaction():
            exclusions.lift(db, REGION, exclusion, reason="Toch niet.", member=teun, **LEAD, at=NOW)

    def test_the_database_does_not_even_show_it_to_him(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        teun, tess = colleague(db, "Teun", "team_lead"), colleague(db, "Tess", "team_lead")
        report = arrive(db, JAN)
        exclude(db, report, staff=teun)
        assert exclusions.running(sight(teun).db, REGION) == []
        assert len(exclusions.running(sight(tess).db, REGION)) == 1
        assert exclusions.running(sight(colleague(db, "Gwen")).db, REGION) == []

    def test_a_keeper_lifts_it_with_a_reason_and_he_sees_again(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        gwen, teun, report = colleague(db, "Gwen"), colleague(db, "Teun", "team_lead"), arrive(db, JAN)
        exclusion = exclude(db, report, staff=gwen)
        with pytest.raises(ReasonMissing), db.transaction():
            exclusions.lift(db, REGION, exclusion, reason=" ", member=teun, **LEAD, at=NOW)
        with db.transaction():
            exclusions.lift(db, REGION, exclusion, reason="Andere persoon.", member=teun, **LEAD, at=NOW)
        assert sight(gwen).report(report)
        with pytest.raises(NotFound), db.transaction():
            exclusions.lift(db, REGION, exclusion, reason="Nog eens.", member=teun, **LEAD, at=NOW)

    def test_only_keepers_exclude_others(self, db: Db) -> None:
        gwen, report = colleague(db, "Gwen"), arrive(db, JAN)
        with pytest.raises(NotAllowed), db.transaction():
            exclusions.exclude(
                db, REGION, mention(db, report), staff=gwen, reason="x", by="bram", role="assessor", at=DAY
            )
