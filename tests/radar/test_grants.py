"""Grants: for one member and one thing, with a purpose and a reason, until a moment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from core.database import Db
from core.errors import Conflict, NotFound, ReasonMissing, SettingsError
from core.ids import uuid7
from core.staff import add_staff
from radar.protection import grants
from tests.radar.arrivals import DAY, JAN, MIA, REGION, arrive, found_region, one
from workers import verify

MINUTE = timedelta(minutes=1)


@pytest.fixture
def region(db: Db) -> UUID:
    return found_region(db)


@pytest.fixture
def bram(db: Db, region: UUID) -> UUID:
    return add_staff(db, region, "bram", "Bram", "assessor", "een lang wachtwoord")


def give(db: Db, member: UUID, report: UUID, kind: grants.Kind = "whereabouts", **more: object) -> UUID:
    form = {"purpose": "safety", "reason": "Ik ga erheen."} | more
    return grants.give(db, REGION, member, kind, report_id=report, by="bram", at=DAY, **form)  # type: ignore[arg-type]


def test_a_grant_holds_for_its_minutes_and_for_this_report_only(db: Db, bram: UUID) -> None:
    report, other = arrive(db, JAN), arrive(db, MIA)
    give(db, bram, report)
    held = grants.current(db, bram, "whereabouts", report_id=report, at=DAY + 14 * MINUTE)
    assert held is not None
    assert held["until"] == DAY + 15 * MINUTE
    assert grants.current(db, bram, "whereabouts", report_id=report, at=DAY + 15 * MINUTE) is None
    assert grants.current(db, bram, "whereabouts", report_id=report, at=DAY - MINUTE) is None
    assert grants.current(db, bram, "reporter", report_id=report, at=DAY) is None
    assert grants.current(db, bram, "whereabouts", report_id=other, at=DAY) is None


def test_the_longest_of_two_grants_counts(db: Db, bram: UUID) -> None:
    report = arrive(db, JAN)
    longest = give(db, bram, report, minutes=60)
    give(db, bram, report, minutes=5)
    held = grants.current(db, bram, "whereabouts", report_id=report, at=DAY)
    assert held is not None
    assert held["id"] == longest


@pytest.mark.parametrize("purpose", ["", "handover", "nieuwsgierig"])
def test_the_purpose_fits_the_kind(purpose: str, db: Db, bram: UUID) -> None:
    with pytest.raises(grants.PurposeMissing):
        give(db, bram, arrive(db, JAN), "reporter", purpose=purpose)


def test_a_reason_is_a_sentence_and_the_time_has_a_limit(db: Db, bram: UUID) -> None:
    report = arrive(db, JAN)
    with pytest.raises(ReasonMissing):
        give(db, bram, report, reason=" \n")
    for minutes in (0, -1, 61):
        with pytest.raises(grants.TooLong):
            give(db, bram, report, minutes=minutes)
    with pytest.raises(ValueError, match="one report or one person"):
        grants.give(db, REGION, bram, "bsn", purpose="safety", reason="Omdat.", by="bram", at=DAY)


def test_only_an_active_member_of_this_region_gets_or_keeps_one(db: Db, bram: UUID) -> None:
    report = arrive(db, JAN)
    with pytest.raises(NotFound):
        give(db, uuid7(), report)
    with pytest.raises(NotFound):
        grants.give(db, uuid7(), bram, "bsn", report_id=report, purpose="safety", reason="Omdat.", by="bram", at=DAY)
    give(db, bram, report)
    db.execute("UPDATE staff SET active = false WHERE id = %s", (bram,))
    assert grants.current(db, bram, "whereabouts", report_id=report, at=DAY) is None
    with pytest.raises(NotFound):
        give(db, bram, report)


def test_what_was_opened_is_closed_once_and_both_are_on_record(db: Db, bram: UUID) -> None:
    report = arrive(db, JAN)
    grant = give(db, bram, report)
    grants.end(db, grant, by="bram", at=DAY + MINUTE)
    assert grants.current(db, bram, "whereabouts", report_id=report, at=DAY + 2 * MINUTE) is None
    with pytest.raises(Conflict):
        grants.end(db, grant, by="bram", at=DAY + 2 * MINUTE)
    with pytest.raises(NotFound):
        grants.end(db, uuid7(), by="bram", at=DAY)
    given = one(db, "SELECT details FROM audit_entry WHERE action = 'grant.give'")["details"]
    assert given == {
        "grant": str(grant), "kind": "whereabouts", "purpose": "safety", "staff": str(bram), "minutes": 15,
    }  # fmt: skip
    assert one(db, "SELECT object_id FROM audit_entry WHERE action = 'grant.end'")["object_id"] == report
    assert [row["name"] for row in grants.of_report(db, REGION, report)] == ["Bram"]


def test_a_grant_of_a_person_is_not_one_of_a_report(db: Db, bram: UUID) -> None:
    report = arrive(db, JAN)
    person = one(db, "SELECT person_id FROM link")["person_id"]
    grants.give(
        db, REGION, bram, "restricted", person_id=person, purpose="safety", reason="Omdat.", by="teun", at=DAY
    )
    assert grants.current(db, bram, "restricted", person_id=person, at=DAY)
    assert grants.current(db, bram, "restricted", report_id=report, at=DAY) is None
    with pytest.raises(ValueError, match="one report or one person"):
        grants.current(db, bram, "restricted", at=DAY)


def test_verify_finds_a_grant_of_somebody_who_left(db: Db, bram: UUID) -> None:
    def wrong() -> int:
        (found,) = [row for row in verify._queries(db) if "each grant that holds" in row.text]
        return found.breaches

    give(db, bram, arrive(db, JAN))
    db.execute("UPDATE access_grant SET granted_at = now(), until = now() + interval '1 hour'")
    assert wrong() == 0
    db.execute("UPDATE staff SET active = false WHERE id = %s", (bram,))
    assert wrong() == 1


def test_a_file_of_purposes_that_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    text = grants.FILE.read_text(encoding="utf-8")
    for wrong in (text.replace("minutes = 15", "minutes = 90", 1), text.replace('"bsn"', '"bns"'), "version = 1"):
        (tmp_path / "wrong.toml").write_text(wrong, encoding="utf-8")
        with pytest.raises(SettingsError):
            grants.rules.load(tmp_path / "wrong.toml")
