"""Break-glass: one dossier, an hour, a reason; told at once, stopped and reviewed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from core import database
from core.database import Db
from core.errors import Conflict, NotFound, SettingsError
from radar.casework import reminders
from radar.protection import break_glass, grants
from tests.radar.arrivals import JAN, MIA, REGION, arrive, found_region, one
from tests.radar.test_exclusions import know
from tests.radar.test_restrictions import (
    LIES,
    Seen,
    _propose,
    colleague,
    restrict,
    sight,
)

__all__ = ["sight"]
TEXT = "De politie staat aan de deur en vraagt wie er woont."


@pytest.fixture(autouse=True)
def region(db: Db) -> UUID:
    return found_region(db)


@pytest.fixture
def gwen(db: Db) -> UUID:
    return colleague(db, "Gwen")


@pytest.fixture
def theirs(gwen: UUID, sight: Callable[[UUID], Seen]) -> Seen:
    return sight(gwen)


def break_it(seen: Seen, member: UUID, report: UUID, code: str = "danger", text: str = TEXT) -> UUID:
    with seen.db.transaction():
        return break_glass.open_dossier(
            seen.db, REGION, report, code=code, text=text, member=member, by="gwen", at=database.now(seen.db)
        )


class TestOpening:
    def test_it_opens_the_case_of_one_report_for_an_hour(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        first, second = arrive(db, JAN), arrive(db, JAN)
        restrict(db, first, colleague(db, "Bram"))
        assert not theirs.report(first)
        grant = break_it(theirs, gwen, first)
        assert theirs.report(first)
        assert theirs.report(second), "a report in the same case"
        row = one(db, "SELECT until - granted_at AS long, reason FROM access_grant WHERE id = %s", grant)
        assert row == {"long": timedelta(minutes=60), "reason": f"Iemand is nu in gevaar: {TEXT}"}
        actions = {row["action"] for row in db.execute("SELECT action FROM audit_entry WHERE actor = 'gwen'")}
        assert {"break_glass.start", "grant.give"} <= actions

    def test_a_second_dossier_needs_a_second_reason(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        bram = colleague(db, "Bram")
        first, other = arrive(db, JAN), arrive(db, LIES)
        restrict(db, first, bram)
        restrict(db, other, bram)
        break_it(theirs, gwen, first)
        assert not theirs.report(other)
        break_it(theirs, gwen, other, text="Ook hier belt de politie over.")
        assert theirs.report(other)
        rows = break_glass.running(theirs.db, gwen, datetime.now(UTC))
        assert [row["report_id"] for row in rows] == [first, other]

    def test_the_same_dossier_twice_is_refused(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        break_it(theirs, gwen, report)
        with pytest.raises((Conflict, NotFound)):
            break_it(theirs, gwen, report)

    @pytest.mark.parametrize(
        ("code", "text", "error"),
        [
            ("", TEXT, break_glass.CodeMissing),
            ("reporter", TEXT, break_glass.CodeMissing),
            ("danger", "kort", break_glass.TooShort),
        ],
    )
    def test_without_a_reason_of_the_list_and_a_sentence_it_stays_shut(
        self, db: Db, gwen: UUID, theirs: Seen, code: str, text: str, error: type[Exception]
    ) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        with pytest.raises(error):
            break_it(theirs, gwen, report, code, text)
        assert not theirs.report(report)

    def test_there_is_no_reason_for_the_reporter_alone_and_no_vault_opens(
        self, db: Db, gwen: UUID, theirs: Seen
    ) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        break_it(theirs, gwen, report)
        assert not [title for title, _ in break_glass.REASONS.values() if "melder" in title.lower()]
        for kind in ("reporter", "whereabouts", "bsn"):
            assert not grants.current(theirs.db, gwen, kind, report_id=report, at=datetime.now(UTC))

    def test_with_nothing_hidden_there_is_nothing_to_break(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        for one_of in (report, UUID(int=7)):
            assert not break_glass.possible(theirs.db, one_of)
            with pytest.raises(NotFound):
                break_it(theirs, gwen, one_of)

    def test_who_knows_the_person_finds_nothing_to_break(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        know(db, report, gwen)
        assert not break_glass.possible(theirs.db, report)
        with pytest.raises(NotFound):
            break_it(theirs, gwen, report)

    def test_a_running_one_ends_when_he_says_that_he_knows_him(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        break_it(theirs, gwen, report)
        know(db, report, gwen)
        assert not theirs.report(report)

    def test_from_a_blind_hit_it_opens_the_person_who_was_hit(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        known, new = arrive(db, JAN), arrive(db, LIES)
        _propose(db, new, known)
        restrict(db, known, colleague(db, "Bram"))
        assert break_glass.possible(theirs.db, new)
        break_it(theirs, gwen, new)
        assert theirs.report(known)

    def test_from_a_report_of_the_same_household_too(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        together, partner = arrive(db, JAN, MIA), arrive(db, MIA)
        restrict(db, together, colleague(db, "Bram"))
        break_it(theirs, gwen, partner)
        assert theirs.report(together)

    def test_nobody_makes_it_longer_or_breaks_it_for_another(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report, bram = arrive(db, JAN), colleague(db, "Bram")
        restrict(db, report, bram)
        break_it(theirs, gwen, report)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            theirs.db.execute("UPDATE access_grant SET until = until + interval '1 minute'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            grants.give(
                theirs.db, REGION, bram, "break_glass", report_id=report, purpose="acute", reason=TEXT, by="gwen",
                at=datetime.now(UTC),
            )  # fmt: skip

    def test_the_database_knows_no_longer_one(self, db: Db, gwen: UUID) -> None:
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute(
                "INSERT INTO access_grant (id, region_id, staff_id, kind, report_id, purpose, reason, granted_by,"
                " granted_at, until) VALUES (gen_random_uuid(), %s, %s, 'break_glass', %s, 'acute', 'x', 'gwen',"
                " now(), now() + interval '61 minutes')",
                (REGION, gwen, arrive(db, JAN)),
            )


class TestStopping:
    def test_who_opened_it_stops_it(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        grant = break_it(theirs, gwen, report)
        with pytest.raises(NotFound), db.transaction():
            break_glass.stop(db, REGION, grant, member=UUID(int=1), by="teun", at=datetime.now(UTC))
        with theirs.db.transaction():
            break_glass.stop(theirs.db, REGION, grant, member=gwen, by="gwen", at=database.now(theirs.db))
        assert not theirs.report(report)
        assert one(db, "SELECT count(*) AS n FROM audit_entry WHERE action = 'break_glass.stop'")["n"] == 1
        with pytest.raises(Conflict), theirs.db.transaction():
            break_glass.stop(theirs.db, REGION, grant, member=gwen, by="gwen", at=database.now(theirs.db))

    def test_after_the_hour_the_clock_writes_its_stop_once(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        grant = break_it(theirs, gwen, report)
        later = datetime.now(UTC) + timedelta(minutes=61)
        assert (break_glass.expire(db, later), break_glass.expire(db, later)) == (1, 0)
        row = one(db, "SELECT ended_at = until AS at_its_end, ended_by FROM access_grant WHERE id = %s", grant)
        assert row == {"at_its_end": True, "ended_by": "system"}
        assert one(db, "SELECT count(*) AS n FROM audit_entry WHERE action = 'break_glass.stop'")["n"] == 1


class TestReview:
    def test_it_is_told_at_once_as_a_task_due_in_three_working_days(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        grant = break_it(theirs, gwen, report)
        row = one(db, "SELECT * FROM task WHERE kind = 'break_glass'")
        granted = one(db, "SELECT granted_at, review_due_at FROM access_grant WHERE id = %s", grant)
        assert (row["subject_id"], row["due_at"], row["staff_id"], row["team_id"], row["report_id"]) == (
            grant, granted["review_due_at"], None, None, None,
        )  # fmt: skip
        assert granted["review_due_at"] - granted["granted_at"] > timedelta(days=2)

    def test_unreviewed_it_escalates(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        break_it(theirs, gwen, report)
        due_at = one(db, "SELECT due_at FROM task WHERE kind = 'break_glass'")["due_at"]
        reminders.round(db, due_at - timedelta(hours=1))
        row = one(db, "SELECT reminded_at, escalated_at FROM task WHERE kind = 'break_glass'")
        assert row["reminded_at"] is not None
        assert row["escalated_at"] is None
        reminders.round(db, due_at + timedelta(minutes=1))
        assert one(db, "SELECT escalated_at FROM task WHERE kind = 'break_glass'")["escalated_at"] is not None

    def test_the_review_closes_the_task(self, db: Db, gwen: UUID, theirs: Seen) -> None:
        report = arrive(db, JAN)
        restrict(db, report, colleague(db, "Bram"))
        grant = break_it(theirs, gwen, report)
        db.execute(
            "UPDATE access_grant SET reviewed_at = now(), reviewed_by = 'petra', review_outcome = 'justified'"
            " WHERE id = %s",
            (grant,),
        )
        row = one(db, "SELECT done_by, outcome FROM task WHERE kind = 'break_glass'")
        assert row == {"done_by": "petra", "outcome": "justified"}


class TestReasons:
    def test_the_file_is_checked_at_the_start(self, tmp_path: Path) -> None:
        for text in ("", "[reasons]", '[reasons.x]\ntitle = "X"\npurpose = "contact"', "[reasons.x]\ntitle = 3"):
            file = tmp_path / "reasons.toml"
            file.write_text(f'version = "1"\nverified = false\n{text}', encoding="utf-8")
            with pytest.raises(SettingsError):
                break_glass.in_force.load(file)

    def test_each_reason_serves_a_purpose_that_may_break_glass(self) -> None:
        assert {purpose for _, purpose in break_glass.REASONS.values()} <= grants.purposes("break_glass").keys()
