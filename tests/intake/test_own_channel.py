"""What our own people and forms bring in: the same receipt, once, with whoever reported in the vault."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db, transaction
from core.errors import NotFound
from core.ids import uuid7
from intake import opening, senders
from intake.channels import own
from intake.input_errors import InvalidMessage
from intake.sample import CHILD, MOTHER, POLICE_OIN, VEILIG_THUIS_OIN


@pytest.fixture
def region(db: Db) -> UUID:
    region = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldstreek', %s)", (region, VEILIG_THUIS_OIN))
    return region


BODY: dict[str, Any] = {
    "melding": {
        "contact": {"naam": "Bea Buurvrouw", "telefoonnummers": ["0612345678"], "veiligBereikbaar": "overdag"}
    },
    "situatie": {"omschrijving": "Er wordt elke avond geschreeuwd."},
    "betrokkenen": [MOTHER, CHILD],
    "aanmelding": {"wijze": "telefoon", "hoedanigheid": "35", "nuVeilig": "nee", "kinderen": "ja"},
}


def record(region: UUID, body: dict[str, Any], reference: str, **more: Any) -> own.Recorded:
    with transaction("door") as db:
        message = own.message(db, region, reference, body)
        return own.record(db, region, message, channel="desk", kind="burger", actor="ilse", **more)


def test_a_call_becomes_a_report_like_any_other(db: Db, region: UUID) -> None:
    found = record(region, BODY, "concept-1")
    row = db.execute("SELECT * FROM report WHERE id = %s", (found.report,)).fetchone()
    assert row is not None
    assert (row["reporter_kind"], row["sender_id"], row["reference_of_reporter"]) == ("burger", region, "concept-1")
    assert [signal["rule"] for signal in row["acute_signals"]][:1] == ["nu_onveilig"]
    task = db.execute("SELECT kind, risk FROM task WHERE subject_id = %s", (found.report,)).fetchone()
    assert task == {"kind": "assess", "risk": 2}
    audit = db.execute("SELECT actor, action FROM audit_entry WHERE object_id = %s", (found.report,)).fetchone()
    assert audit == {"actor": "ilse", "action": "report.receive"}
    for table, number in (("mention", 2), ("job", 1)):
        assert db.execute(f"SELECT count(*) AS n FROM {table}").fetchone() == {"n": number}


def test_who_called_is_in_the_vault_and_nowhere_else(db: Db, region: UUID) -> None:
    found = record(region, BODY, "concept-1")
    row = db.execute("SELECT content::text AS text FROM report WHERE id = %s", (found.report,)).fetchone()
    assert row is not None
    assert not [word for word in ("Buurvrouw", "0612345678", "overdag") if word in row["text"]]
    contact = opening.identity(db, found.report)["contact"]
    assert (contact["naam"], contact["veiligBereikbaar"]) == ("Bea Buurvrouw", "overdag")


def test_the_same_draft_twice_is_one_report(db: Db, region: UUID) -> None:
    first = record(region, BODY, "concept-1")
    changed = json.loads(json.dumps(BODY)) | {"situatie": {"omschrijving": "Iets anders."}}
    again = record(region, changed, "concept-1")
    assert (again.report, again.again, first.again) == (first.report, True, False)
    assert db.execute("SELECT count(*) AS n FROM message").fetchone() == {"n": 1}


def test_an_addition_names_the_report_that_it_adds_to(db: Db, region: UUID) -> None:
    first = record(region, BODY, "concept-1")
    second = record(region, BODY, "concept-2", supplements=first.report)
    row = db.execute("SELECT supplements FROM report WHERE id = %s", (second.report,)).fetchone()
    assert row == {"supplements": first.report}


def test_every_error_of_a_form_is_told_with_its_path(region: UUID) -> None:
    wrong = BODY | {"betrokkenen": [], "aanmelding": {"wijze": "postduif", "nuVeilig": "misschien"}}
    with pytest.raises(InvalidMessage) as caught:
        record(region, wrong, "concept-1")
    paths = [error.path for error in caught.value.errors]
    assert paths == ["$.betrokkenen", "$.aanmelding.wijze", "$.aanmelding.nuVeilig"]


def test_the_region_itself_is_no_feed(db: Db, region: UUID) -> None:
    assert senders.active(db, region) == []
    assert senders.listing(db, region) == []
    with pytest.raises(NotFound):
        senders.rotate(db, region, VEILIG_THUIS_OIN, overlap=None)  # type: ignore[arg-type]
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        db.execute(
            "INSERT INTO sender_token (id, sender_id, token_hash) VALUES (%s, %s, %s)", (uuid7(), region, b"x" * 32)
        )


def test_it_keeps_the_oin_of_its_region(db: Db, region: UUID) -> None:
    db.execute("UPDATE region SET oin = %s WHERE id = %s", (POLICE_OIN, region))
    with transaction("door") as door:
        assert senders.own(door, region).oin == POLICE_OIN
