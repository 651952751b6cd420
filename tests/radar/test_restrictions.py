"""Restricted persons: the list of hidden reports is exact after every change, and the work on them never waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import Db
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from core.staff import Role
from radar.casework import cases, forwarding, queue, reminders, review, tasks, watch_agreement
from radar.protection import blind, grants, restrictions
from tests.radar import desk
from tests.radar.arrivals import ANNE, DAY, HOME, JAN, MIA, OURS, REGION, arrive, found_region, one, who
from web.access import sessions
from workers import verify, work

NOW = datetime.now(UTC)
LEAD: dict[str, Any] = {"by": "teun", "role": "team_lead"}
LIES = who("Lies", "Anders", "19900101", "111", bsn="999990020", adressen=[{**HOME, "huisnummer": "99"}])


@pytest.fixture
def region(db: Db) -> UUID:
    return found_region(db)


def colleague(db: Db, name: str, role: Role = "assessor", team: UUID | None = OURS) -> UUID:
    staff = uuid7()
    db.execute(
        "INSERT INTO staff (id, region_id, team_id, username, name, role, password_hash)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'x')",
        (staff, REGION, team, name.lower(), name, role),
    )
    return staff


def mention(db: Db, report: UUID, number: int = 1) -> UUID:
    found: UUID = one(db, "SELECT id FROM mention WHERE report_id = %s AND number = %s", report, number)["id"]
    return found


def restrict(db: Db, report: UUID, contact: UUID, number: int = 1) -> UUID:
    with db.transaction():
        return restrictions.restrict(
            db, REGION, mention(db, report, number), contact=contact, reason="Bekende Nederlander.", **LEAD, at=NOW
        )


def lift(db: Db, restriction: UUID) -> None:
    with db.transaction():
        who_asks: dict[str, Any] = {"by": "petra", "role": "privacy_officer", "at": NOW}
        restrictions.ask_to_lift(db, REGION, restriction, reason="Niet meer nodig.", **who_asks)
        restrictions.lift(db, REGION, restriction, **LEAD, at=NOW)


def restricted(db: Db) -> set[UUID]:
    return {row["report_id"] for row in db.execute("SELECT report_id FROM restricted_report")}


def holders(db: Db, report: UUID) -> set[UUID | None]:
    rows = db.execute("SELECT staff_id FROM task WHERE report_id = %s AND done_at IS NULL", (report,))
    return {row["staff_id"] for row in rows}


@dataclass
class Seen:
    """What a member sees through the screens' own connection."""

    db: Db

    def report(self, report: UUID) -> bool:
        return self.db.execute("SELECT FROM report WHERE id = %s", (report,)).fetchone() is not None

    def rows(self, query: str, *values: object) -> int:
        return len(self.db.execute(query, values).fetchall())


@pytest.fixture
def sight(db: Db, as_web: Callable[[str], Db]) -> Callable[[UUID], Seen]:
    def enter(staff: UUID) -> Seen:
        return Seen(as_web(sessions.key_of(sessions.start(db, staff))))

    return enter


@pytest.mark.usefixtures("region")
class TestWhoSees:
    def test_only_the_contact_sees_the_reports_of_a_restricted_person(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        bram, gwen, teun = colleague(db, "Bram"), colleague(db, "Gwen"), colleague(db, "Teun", "team_lead")
        first, second, other = arrive(db, JAN), arrive(db, JAN, MIA), arrive(db, LIES)
        restrict(db, first, bram)
        assert restricted(db) == {first, second}
        for staff, sees in ((bram, True), (gwen, False), (teun, False)):
            seen = sight(staff)
            assert [seen.report(one_of) for one_of in (first, second, other)] == [sees, sees, True]
            assert bool(seen.rows("SELECT FROM mention WHERE report_id = %s", first)) is sees
            assert bool(seen.rows("SELECT FROM report_step WHERE report_id = %s", first)) is sees

    def test_a_named_colleague_sees_them_until_his_day(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report = arrive(db, JAN)
        restriction = restrict(db, report, bram)
        with db.transaction():
            grant = restrictions.let_in(
                db, REGION, restriction, gwen, until=local_day(NOW) + timedelta(days=7), purpose="safety",
                reason="Werkt mee aan deze zaak.", member=bram, by="bram", role="assessor", at=NOW,
            )  # fmt: skip
        assert sight(gwen).report(report)
        with db.transaction():
            restrictions.put_out(
                db, REGION, restriction, grant, member=bram, by="bram", role="assessor", at=datetime.now(UTC)
            )
        assert not sight(gwen).report(report)

    def test_a_colleague_who_is_no_contact_lets_nobody_in(self, db: Db) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        restriction = restrict(db, arrive(db, JAN), bram)
        with pytest.raises(NotAllowed), db.transaction():
            restrictions.let_in(
                db, REGION, restriction, gwen, until=local_day(NOW), purpose="safety", reason="Nieuwsgierig.",
                member=gwen, by="gwen", role="assessor", at=NOW,
            )  # fmt: skip

    @pytest.mark.parametrize("days", [-1, 91])
    def test_access_ends_within_ninety_days(self, db: Db, days: int) -> None:
        bram = colleague(db, "Bram")
        restriction = restrict(db, arrive(db, JAN), bram)
        with pytest.raises(restrictions.WrongDay), db.transaction():
            restrictions.let_in(
                db, REGION, restriction, bram, until=local_day(NOW) + timedelta(days=days), purpose="safety",
                reason="Te lang.", member=bram, **LEAD, at=NOW,
            )  # fmt: skip

    def test_the_person_himself_his_keys_and_his_case_are_hidden_too(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        """So a search, a list of cases or a guess finds nothing; who lives in visible reports too stays visible."""
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report, visible = arrive(db, JAN, ANNE), arrive(db, MIA)
        restrict(db, report, bram)
        seen = sight(gwen)
        for table, column in (("person", "id"), ("person_key", "person_id")):
            ids = {row[column] for row in seen.db.execute(f"SELECT {column} FROM {table}")}
            assert ids == {restrictions.person_of(db, REGION, mention(db, visible))}
        assert seen.rows("SELECT FROM cases") == 1
        assert seen.rows("SELECT FROM safety_watch") == 1
        assert sight(bram).rows("SELECT FROM cases") == 2

    def test_a_case_is_seen_by_one_visible_report_and_when_it_has_none(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        """The database asks the reports of the case itself: some hidden, all hidden, none there."""
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        together, alone = arrive(db, JAN, MIA), arrive(db, MIA)
        restrict(db, together, bram)
        case = one(db, "SELECT case_id FROM report WHERE id = %s", alone)["case_id"]
        assert one(db, "SELECT case_id FROM report WHERE id = %s", together)["case_id"] == case
        of_mia = restrictions.person_of(db, REGION, mention(db, alone))

        def shown() -> list[int]:
            seen = sight(gwen)
            ways = ("cases WHERE id", "safety_watch WHERE case_id")
            return [seen.rows(f"SELECT FROM {way} = %s", case) for way in ways] + [
                seen.rows("SELECT FROM person WHERE id = %s", of_mia)
            ]

        assert shown() == [1, 1, 1]
        restrict(db, alone, bram)
        assert shown() == [0, 0, 0]
        db.execute("UPDATE report SET case_id = NULL WHERE case_id = %s", (case,))
        assert shown() == [1, 1, 0]

    def test_the_list_of_restrictions_is_for_keepers_and_contacts(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        teun, petra = colleague(db, "Teun", "team_lead"), colleague(db, "Petra", "privacy_officer")
        restrict(db, arrive(db, JAN), bram)
        rows = {name: restrictions.running(sight(staff).db, REGION) for name, staff in
                (("bram", bram), ("gwen", gwen), ("teun", teun), ("petra", petra))}  # fmt: skip
        assert {name: [row["reports"] for row in found] for name, found in rows.items()} == {
            "bram": [1], "gwen": [], "teun": [1], "petra": [1],
        }  # fmt: skip

    def test_a_colleague_cannot_write_himself_in(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        """Also with the code's own check off: the database refuses."""
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report = arrive(db, JAN)
        restrict(db, report, bram)
        person = restrictions.person_of(db, REGION, mention(db, report))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            grants.give(
                sight(gwen).db, REGION, gwen, "restricted", person_id=person, purpose="safety", reason="Ik wil het.",
                by="gwen", at=NOW,
            )  # fmt: skip


@pytest.mark.usefixtures("region")
class TestLifting:
    def test_lifting_needs_a_second_person(self, db: Db) -> None:
        restriction = restrict(db, arrive(db, JAN), colleague(db, "Bram"))
        with pytest.raises(Conflict), db.transaction():
            restrictions.lift(db, REGION, restriction, **LEAD, at=NOW)
        with db.transaction():
            restrictions.ask_to_lift(db, REGION, restriction, reason="Niet meer nodig.", **LEAD, at=NOW)
        with pytest.raises(NotAllowed), db.transaction():
            restrictions.lift(db, REGION, restriction, **LEAD, at=NOW)
        assert restricted(db)
        with db.transaction():
            restrictions.lift(db, REGION, restriction, by="petra", role="privacy_officer", at=NOW)
        assert not restricted(db)

    def test_the_database_refuses_one_person_too(self, db: Db) -> None:
        restriction = restrict(db, arrive(db, JAN), colleague(db, "Bram"))
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute(
                "UPDATE restriction SET lifted_at = now(), lifted_by = 'teun', lifted_why = 'x' WHERE id = %s",
                (restriction,),
            )

    def test_the_second_person_may_let_it_stand(self, db: Db) -> None:
        restriction = restrict(db, arrive(db, JAN), colleague(db, "Bram"))
        with db.transaction():
            restrictions.ask_to_lift(db, REGION, restriction, reason="Niet meer nodig.", **LEAD, at=NOW)
            restrictions.keep(db, REGION, restriction, by="petra", role="privacy_officer", at=NOW)
        with pytest.raises(Conflict), db.transaction():
            restrictions.lift(db, REGION, restriction, by="petra", role="privacy_officer", at=NOW)
        assert restricted(db)

    def test_only_keepers_restrict_and_lift(self, db: Db) -> None:
        bram = colleague(db, "Bram")
        report = arrive(db, JAN)
        with pytest.raises(NotAllowed), db.transaction():
            restrictions.restrict(
                db, REGION, mention(db, report), contact=bram, reason="x", by="bram", role="assessor", at=NOW
            )
        with pytest.raises(ReasonMissing), db.transaction():
            restrictions.restrict(db, REGION, mention(db, report), contact=bram, reason=" ", **LEAD, at=NOW)
        restriction = restrict(db, report, bram)
        with pytest.raises(NotAllowed), db.transaction():
            restrictions.ask_to_lift(db, REGION, restriction, reason="x", by="bram", role="assessor", at=NOW)
        with pytest.raises(Conflict), db.transaction():
            restrictions.restrict(db, REGION, mention(db, report), contact=bram, reason="Nog eens.", **LEAD, at=NOW)

    def test_the_contact_works_on_cases_and_is_there(self, db: Db) -> None:
        report = arrive(db, JAN)
        fenna, weg = colleague(db, "Fenna", "administrator"), colleague(db, "Weg")
        db.execute("UPDATE staff SET active = false WHERE id = %s", (weg,))
        for staff in (fenna, weg, uuid7()):
            with pytest.raises(restrictions.WrongColleague), db.transaction():
                restrictions.restrict(db, REGION, mention(db, report), contact=staff, reason="x", **LEAD, at=NOW)

    def test_another_region_finds_nothing(self, db: Db) -> None:
        restriction = restrict(db, arrive(db, JAN), colleague(db, "Bram"))
        with pytest.raises(NotFound), db.transaction():
            restrictions.ask_to_lift(db, uuid7(), restriction, reason="x", **LEAD, at=NOW)


@pytest.mark.usefixtures("region")
class TestWork:
    """Danger must never wait because of secrecy."""

    def test_open_work_goes_to_the_contact_at_once(self, db: Db) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report = arrive(db, JAN)
        db.execute("UPDATE task SET staff_id = %s WHERE report_id = %s", (gwen, report))
        restrict(db, report, bram)
        assert holders(db, report) == {bram}

    def test_a_new_report_on_him_is_restricted_and_its_acute_check_waits_with_the_contact(self, db: Db) -> None:
        bram = colleague(db, "Bram")
        restrict(db, arrive(db, JAN), bram)
        new = arrive(db, JAN)
        assert new in restricted(db)
        assert {"acute_check", "assess"} <= set(_kinds(db, new))
        assert holders(db, new) == {bram}

    def test_what_is_opened_later_goes_to_the_contact_too(self, db: Db) -> None:
        bram = colleague(db, "Bram")
        report = arrive(db, JAN)
        restrict(db, report, bram)
        with db.transaction():
            tasks.open_task(db, "recheck", report, report, due_at=NOW, at=NOW)
        assert holders(db, report) == {bram}

    def test_it_is_never_laid_back_for_nobody(self, db: Db) -> None:
        bram = colleague(db, "Bram")
        report = arrive(db, JAN)
        restrict(db, report, bram)
        ids = [row["id"] for row in db.execute("SELECT id FROM task WHERE report_id = %s", (report,))]
        with db.transaction():
            tasks.assign(db, REGION, ids, None, by="bram", at=NOW)
        assert holders(db, report) == {bram}

    def test_a_contact_who_is_away_or_gone_is_replaced_by_a_team_lead_who_is_let_in(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        bram, teun = colleague(db, "Bram"), colleague(db, "Teun", "team_lead")
        report = arrive(db, JAN)
        restrict(db, report, bram)
        with db.transaction():
            restrictions.away(db, REGION, bram, local_day(NOW) + timedelta(days=3), by="bram", at=NOW)
        assert holders(db, report) == {teun}
        assert sight(teun).report(report)
        new = arrive(db, JAN)
        assert holders(db, new) == {teun}
        db.execute("UPDATE staff SET away_until = NULL, active = false WHERE id = %s", (bram,))
        assert holders(db, arrive(db, JAN)) == {teun}

    def test_a_team_lead_who_knows_the_person_is_passed_by(self, db: Db) -> None:
        bram, teun, tess = (colleague(db, "Bram"), colleague(db, "Teun", "team_lead"),
                            colleague(db, "Tess", "team_lead"))  # fmt: skip
        report = arrive(db, JAN)
        restrict(db, report, bram)
        _exclude(db, report, teun)
        db.execute("UPDATE staff SET active = false WHERE id = %s", (bram,))
        assert holders(db, report) == {tess}

    def test_of_two_restricted_persons_one_contact_gets_the_work_and_can_do_it(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report = arrive(db, JAN, MIA)
        restrict(db, report, bram, 1)
        restrict(db, report, gwen, 2)
        assert holders(db, report) == {bram}
        assert sight(bram).report(report)

    def test_the_clock_hands_on_what_a_colleague_may_do_no_longer(self, db: Db) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report = arrive(db, JAN)
        restriction = restrict(db, report, bram)
        with db.transaction():
            restrictions.let_in(
                db, REGION, restriction, gwen, until=local_day(NOW) + timedelta(days=2), purpose="safety",
                reason="Neemt waar.", member=bram, by="bram", role="assessor", at=NOW,
            )  # fmt: skip
            tasks.assign(db, REGION, _task_ids(db, report), gwen, by="bram", at=NOW)
        assert holders(db, report) == {gwen}
        db.execute(
            "UPDATE access_grant SET granted_at = now() - interval '9 days', until = now() - interval '1 hour'"
        )
        reminders.round(db, datetime.now(UTC))
        assert holders(db, report) == {bram}

    def test_who_may_not_see_it_is_not_given_the_task(self, db: Db) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report = arrive(db, JAN)
        restrict(db, report, bram)
        with pytest.raises(Conflict, match="kan niet naar deze collega"), db.transaction():
            tasks.assign(db, REGION, _task_ids(db, report), gwen, by="teun", at=NOW)

    def test_in_the_queue_others_read_a_blind_line(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        report, visible = arrive(db, JAN, MIA), arrive(db, LIES)
        restrict(db, report, bram)
        chosen = queue.Filter(kinds=tuple(queue.KINDS))
        mine = queue.items(sight(bram).db, REGION, chosen, NOW)
        theirs = queue.items(sight(gwen).db, REGION, chosen, NOW)
        assert [(item.id, item.kind, item.risk, item.due_at) for item in mine] == [
            (item.id, item.kind, item.risk, item.due_at) for item in theirs
        ]
        assert {item.contact for item in mine} == {None}
        blinds = [item for item in theirs if item.contact]
        assert {item.report_id for item in blinds} == {report}
        assert {item.report_id for item in theirs if not item.contact} == {visible}
        assert {item.contact for item in blinds} == {"Bram"}
        for item in blinds:
            assert (item.reporter_kind, item.municipality, item.persons, item.household_reports) == (None, None, 0, 0)
            assert (item.case_id, item.case_number, item.watch, item.risk_looked) == (None, None, None, None)


@pytest.mark.usefixtures("region")
class TestBlindHit:
    def test_a_proposal_to_a_restricted_person_shows_the_contact_and_nothing_else(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        db.execute("UPDATE team SET phone = '088 000 00 00' WHERE id = %s", (OURS,))
        known, new = arrive(db, JAN), arrive(db, LIES)
        question = _propose(db, new, known)
        restrict(db, known, bram)
        theirs = sight(gwen)
        assert theirs.report(new)
        assert blind.hits(theirs.db, new) == [{"contact": "Bram", "team": "Team Noord", "phone": "088 000 00 00"}]
        assert theirs.rows("SELECT FROM link WHERE id = %s", question) == 0
        assert blind.hits(theirs.db, known) == []
        assert blind.hits(sight(bram).db, new) == []

    def test_the_contact_decides_on_such_a_proposal(self, db: Db, sight: Callable[[UUID], Seen]) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        known, new = arrive(db, JAN), arrive(db, LIES)
        question = _propose(db, new, known)
        restrict(db, known, bram)
        assert one(db, "SELECT staff_id FROM task WHERE subject_id = %s", question)["staff_id"] == bram
        theirs = sight(gwen)
        with pytest.raises(NotFound), theirs.db.transaction():
            review.confirm(theirs.db, question, "gwen", NOW)
        assert [item.contact for item in queue.items(theirs.db, REGION, queue.Filter(("review_link",)), NOW)] == [
            "Bram"
        ]
        own = sight(bram)
        with own.db.transaction():
            review.confirm(own.db, question, "bram", datetime.now(UTC))
        assert new in restricted(db)

    def test_who_lives_with_a_restricted_person_points_to_the_contact(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        together, partner = arrive(db, JAN, MIA), arrive(db, MIA)
        restrict(db, together, bram)
        assert restricted(db) == {together}
        assert [row["contact"] for row in blind.hits(sight(gwen).db, partner)] == ["Bram"]

    def test_a_question_about_who_is_named_beside_him_is_as_blind(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        """The reasons of the question would tell who she is; she is known from a restricted report only."""
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        together, new = arrive(db, JAN, MIA), arrive(db, LIES)
        question = _propose(db, new, together, 2)
        restrict(db, together, bram)
        theirs = sight(gwen)
        assert theirs.rows("SELECT FROM link WHERE id = %s", question) == 0
        assert [row["contact"] for row in blind.hits(theirs.db, new)] == ["Bram"]
        assert one(db, "SELECT staff_id FROM task WHERE subject_id = %s", question)["staff_id"] == bram
        assert sight(bram).rows("SELECT FROM link WHERE id = %s", question) == 1

    def test_who_does_not_see_the_whole_family_does_not_decide_on_its_links(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        """What is derived from all reports would be derived from half of them: nothing changes."""
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        together, partner = arrive(db, JAN, MIA), arrive(db, MIA)
        restrict(db, together, bram)
        link = one(db, "SELECT id FROM link WHERE mention_id = %s", mention(db, partner))["id"]
        before = db.execute("SELECT id, profile FROM person ORDER BY id").fetchall()
        theirs = sight(gwen)
        with pytest.raises(Conflict, match="Bram"), theirs.db.transaction():
            review.undo(theirs.db, link, "gwen", NOW)
        with pytest.raises(Conflict, match="Bram"), theirs.db.transaction():
            forwarding.forward(
                theirs.db, partner, to="Politie", reason="Burenruzie.", by="gwen", role="assessor", at=NOW
            )
        assert db.execute("SELECT id, profile FROM person ORDER BY id").fetchall() == before

    def test_a_case_stays_open_and_watched_for_work_that_the_visitor_does_not_see(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        together, partner = arrive(db, JAN, MIA), arrive(db, MIA)
        restrict(db, together, bram)
        case = one(db, "SELECT case_id FROM report WHERE id = %s", partner)["case_id"]
        assert one(db, "SELECT case_id FROM report WHERE id = %s", together)["case_id"] == case
        desk.assess(db, partner, "no_steps", at=DAY + timedelta(days=1))
        theirs = sight(gwen)
        with theirs.db.transaction():
            assert not cases.close_if_settled(theirs.db, case, "gwen", NOW)
        desk.check(db, together, acute=True, at=DAY)
        waits = arrive(db, MIA, at=DAY + timedelta(days=2))
        with pytest.raises(Conflict, match="acuut gevaar"), theirs.db.transaction():
            watch_agreement.agree(
                theirs.db, waits, agreed="De melder belt elke dag.", until=local_day(NOW) + timedelta(days=2),
                by="gwen", role="assessor", at=NOW,
            )  # fmt: skip

    def test_a_form_that_comes_back_is_linked_by_who_sees_everybody(
        self, db: Db, sight: Callable[[UUID], Seen]
    ) -> None:
        """Else the restricted person would be founded a second time, unrestricted."""
        bram, gwen = colleague(db, "Bram"), colleague(db, "Gwen")
        known, form = arrive(db, JAN), arrive(db, JAN)
        desk.check(db, form, at=DAY)
        with db.transaction():
            sent = forwarding.forward(
                db, form, to="Gemeente", reason="Geen huiselijk geweld.", by="ilse", role="intake_worker", at=NOW
            )
        restrict(db, known, bram)
        assert restricted(db) == {known, form}, "a form on him that was sent on is his too"
        assert not sight(gwen).report(form)
        own = sight(bram)
        colleague_of_other = restrict(db, arrive(db, LIES), gwen)
        with own.db.transaction():
            forwarding.retrieve(own.db, sent, reason="Toch wel.", by="bram", role="assessor", at=datetime.now(UTC))
        assert one(db, "SELECT linked_at FROM report WHERE id = %s", form)["linked_at"] is None
        with db.transaction():
            work.link_report(db, form)
        persons = {restrictions.person_of(db, REGION, mention(db, one_of)) for one_of in (known, form)}
        assert len(persons) == 1
        assert form in restricted(db)
        assert colleague_of_other


@pytest.mark.usefixtures("region")
class TestProtectionFollows:
    def test_a_restricted_mention_that_turns_out_to_be_somebody_else_of_the_register_takes_it_along(
        self, db: Db
    ) -> None:
        bram = colleague(db, "Bram")
        known, new = arrive(db, JAN), arrive(db, LIES)
        question = _propose(db, new, known)
        restrict(db, new, bram)
        with db.transaction():
            review.confirm(db, question, "teun", NOW)
        assert restricted(db) == {known, new}

    def test_a_link_that_is_taken_back_sets_the_report_free(self, db: Db) -> None:
        bram = colleague(db, "Bram")
        known, new = arrive(db, JAN), arrive(db, JAN)
        restrict(db, known, bram)
        link = one(db, "SELECT id FROM link WHERE mention_id = %s", mention(db, new))["id"]
        with db.transaction():
            review.undo(db, link, "bram", NOW)
        assert restricted(db) == {known}


RULES = {text: query for _, text, query in verify._rules() if "restrict" in text.lower() or "whom he knows" in text}
"""Those of `veilig verify` that are about this."""
ACTS = (
    "arrive",
    "propose",
    "confirm",
    "reject",
    "undo",
    "withdraw",
    "restrict",
    "lift",
    "forward",
    "retrieve",
    "contact",
)


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 50)), min_size=4, max_size=14))
def test_any_sequence_of_links_and_restrictions_keeps_the_list_exact(
    database_url: str, db: Db, steps_taken: list[tuple[str, int]]
) -> None:
    """The database's own list against what is counted from the links here, in Python, after each act."""
    with db.transaction(force_rollback=True):
        found_region(db)
        staff = [colleague(db, "Bram"), colleague(db, "Gwen"), colleague(db, "Teun", "team_lead")]
        at = DAY
        for people in ((JAN, MIA), (JAN,)):
            arrive(db, *people, at=at)
        for act, number in steps_taken:
            at += timedelta(days=1)
            try:
                with db.transaction():
                    _act(db, act, number, staff, at)
            except (Conflict, NotFound, NotAllowed):
                continue
            assert restricted_pairs(db) == counted_pairs(db), act
            for text, query in RULES.items():
                assert one(db, query)["breaches"] == 0, (act, text)


def restricted_pairs(db: Db) -> set[tuple[UUID, UUID]]:
    rows = db.execute("SELECT report_id, restriction_id FROM restricted_report")
    return {(row["report_id"], row["restriction_id"]) for row in rows}


def counted_pairs(db: Db) -> set[tuple[UUID, UUID]]:
    """Straight from the definition: reports with a link in force to a person under a restriction in force, and forms
    that were sent on with such a link."""
    running = {row["person_id"]: row["id"] for row in db.execute("SELECT * FROM restriction WHERE lifted_at IS NULL")}
    sent_on = {
        row["report_id"]: row["at"] for row in db.execute("SELECT * FROM forwarding WHERE retrieved_at IS NULL")
    }
    found = set()
    for row in db.execute("SELECT l.*, m.report_id FROM link l JOIN mention m ON m.id = l.mention_id"):
        was = row["state"] == "undone" and sent_on.get(row["report_id"]) == row["decided_at"]
        if row["person_id"] in running and (row["state"] in ("new", "automatic", "confirmed") or was):
            found.add((row["report_id"], running[row["person_id"]]))
    return found


def _act(db: Db, act: str, number: int, staff: list[UUID], at: datetime) -> None:
    reports = [row["id"] for row in db.execute("SELECT id FROM report ORDER BY received_at, id")]
    report = reports[number % len(reports)]
    states = {"confirm": "proposed", "reject": "proposed", "undo": "automatic", "withdraw": "rejected"}
    match act:
        case "arrive":
            arrive(db, *((JAN,), (MIA, ANNE), (JAN, ANNE), (LIES,))[number % 4], at=at)
        case "propose":
            _propose(db, report, reports[(number + 1) % len(reports)])
        case "confirm" | "reject" | "undo" | "withdraw":
            found = db.execute(
                "SELECT id FROM link WHERE state = %s ORDER BY created_at, id", (states[act],)
            ).fetchall()
            if not found:
                raise NotFound
            getattr(review, act)(db, found[number % len(found)]["id"], "bram", at)
        case "restrict":
            restrict(db, report, staff[number % 2])
        case "lift" | "contact":
            found = db.execute("SELECT id FROM restriction WHERE lifted_at IS NULL ORDER BY set_at, id").fetchall()
            if not found:
                raise NotFound
            if act == "lift":
                lift(db, found[number % len(found)]["id"])
            else:
                restrictions.new_contact(
                    db, REGION, found[number % len(found)]["id"], staff[number % 3], **LEAD, at=at
                )
        case "forward":
            desk.check(db, report, at=at)
            forwarding.forward(db, report, to="x", reason="Geen.", by="ilse", role="intake_worker", at=at)
        case "retrieve":
            found = db.execute("SELECT id FROM forwarding WHERE retrieved_at IS NULL ORDER BY at, id").fetchall()
            if not found:
                raise NotFound
            forwarding.retrieve(db, found[0]["id"], reason="Toch.", by="bram", role="assessor", at=at)


def _propose(db: Db, report: UUID, known: UUID, number: int = 1) -> UUID:
    """Ask whether the first person of one report is the n-th of another."""
    person = restrictions.person_of(db, REGION, mention(db, known, number))
    link = uuid7()
    made = db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set)"
        " SELECT %s, %s, %s, %s, 'proposed', 'same_person', 3, '[]', '2026-11' WHERE NOT EXISTS (SELECT FROM link"
        " WHERE mention_id = %s AND person_id = %s AND state <> 'undone')",
        (link, REGION, mention(db, report), person, mention(db, report), person),
    )
    if made.rowcount != 1:
        raise NotFound
    return link


def _exclude(db: Db, report: UUID, staff: UUID) -> None:
    db.execute(
        "INSERT INTO exclusion (id, region_id, staff_id, person_id, reason, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, 'Buurman.', 'petra', now())",
        (uuid7(), REGION, staff, restrictions.person_of(db, REGION, mention(db, report))),
    )


def _kinds(db: Db, report: UUID) -> list[str]:
    return [row["kind"] for row in db.execute("SELECT kind FROM task WHERE report_id = %s", (report,))]


def _task_ids(db: Db, report: UUID) -> list[UUID]:
    rows = db.execute("SELECT id FROM task WHERE report_id = %s AND done_at IS NULL", (report,))
    return [row["id"] for row in rows]
