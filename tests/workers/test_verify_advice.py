"""Rule 7 as `veilig verify` counts it: advice holds nothing of a family and never reaches the radar."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from core import audit
from core.database import Db
from core.ids import uuid7
from intake import advice_rows
from intake.advice import AdviceInput, AskerContact, record
from workers.verify import verify

AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def rule_7(db: Db) -> dict[str, tuple[int, int]]:
    return {one.text: (one.checked, one.breaches) for one in verify(db) if one.rule == 7}


def broken(db: Db) -> list[str]:
    return [text for text, (_, breaches) in rule_7(db).items() if breaches]


@pytest.fixture
def region(db: Db) -> UUID:
    identifier = uuid7()
    db.execute(
        "INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldregio', '00000099000000002000')", (identifier,)
    )
    return identifier


@pytest.fixture
def stored(db: Db, region: UUID) -> UUID:
    given = AdviceInput(
        way="telefoon",
        capacity="15",
        occasions=("08",),
        question="Een vraag.",
        advice="Een raad.",
        contact=AskerContact(consent=True, phone="0600000001"),
    )
    with db.transaction():
        return record(db, region, given, by="teun", at=AT)


def test_advice_as_it_is_recorded_keeps_the_rule(db: Db, stored: UUID) -> None:
    found = rule_7(db)
    assert len(found) >= 5
    assert [checked for checked, _ in found.values()][:1] == [2]  # the advice and its contact
    assert broken(db) == []


def test_a_lost_key_is_found(db: Db, stored: UUID) -> None:
    db.execute("DELETE FROM data_key WHERE id = %s", (stored,))
    assert broken(db) == ["what an advice, its contact and a chat say is sealed with a key of their own"]


@pytest.mark.parametrize(
    "link",
    [
        "ALTER TABLE advice ADD COLUMN report_id uuid REFERENCES report",
        "ALTER TABLE report ADD COLUMN advice_id uuid REFERENCES advice",
        "ALTER TABLE advice_contact ADD COLUMN person_id uuid REFERENCES person",
    ],
)
def test_a_table_that_would_tie_advice_to_a_family_is_found(db: Db, stored: UUID, link: str) -> None:
    db.execute(link)
    assert broken(db) == ["no table of reports, persons or cases refers to an advice, and none of advice to those"]


def test_a_person_with_the_id_of_an_advice_is_found(db: Db, region: UUID, stored: UUID) -> None:
    db.execute("INSERT INTO person (id, region_id) VALUES (%s, %s)", (stored, region))
    assert len(broken(db)) == 1


def test_a_line_of_the_trail_that_ties_an_advice_to_a_person_is_found(db: Db, region: UUID, stored: UUID) -> None:
    with db.transaction():
        audit.append(db, region, "teun", "advice.view", "advice", stored, persons=[uuid7()])
    assert len(broken(db)) == 1


def test_a_call_that_is_over_and_still_knows_its_advice_is_found(db: Db, region: UUID, stored: UUID) -> None:
    staff = uuid7()
    db.execute(
        "INSERT INTO staff (id, region_id, username, name, role, password_hash)"
        " VALUES (%s, %s, 'teun', 'Teun', 'intake_worker', 'x')",
        (staff, region),
    )
    with db.transaction():
        draft = advice_rows.convert(db, region, stored, staff, way="telefoon", by="teun", at=AT)
    assert broken(db) == []
    db.execute("ALTER TABLE intake_draft DISABLE TRIGGER advice_converted")
    db.execute(
        "UPDATE intake_draft SET content = NULL, outcome = 'ended', done_at = now(), done_by = 'teun' WHERE id = %s",
        (draft,),
    )
    assert broken(db) == ["a call that is over is tied to no advice"]
