"""What the screens show of what is sealed: a masked BSN, a button for it, and a raw message behind the vaults."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from tests.web.conftest import CONTENT, OURS, PERSON, World
from workers import seal

Sign = Callable[..., Any]
BSN = "999993653"

OFFICER = "Quirine Zwartkruis"
RELATION = {"relaties": [{"persoon": {"bsn": BSN, "naam": {"volledigeNaam": "Test Voorbeeld"}}}]}
NEIGHBOUR = {"rol": {"tekst": "melder", "code": "391"}, "naam": {"volledigeNaam": "Toos Buurvrouw"}}


@pytest.fixture(params=["plain", "sealed"])
def report(request: Any, world: World, db: Db) -> UUID:
    """A report with a BSN, a reporter and a neighbour who reported: before sealing, and as it comes now."""
    content = CONTENT | {"melding": CONTENT["melding"] | {"contact": {"naam": OFFICER, "emails": ["q@x.example"]}}}
    made = world.report(
        datetime.now(UTC), [PERSON | RELATION, NEIGHBOUR], content=content, raw=b"<bericht>ruw</bericht>"
    )
    if request.param == "sealed":
        list(seal.advance(db))
    return made


def mention(db: Db, report: UUID, number: int = 1) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row
    found: UUID = row["id"]
    return found


def test_a_BSN_is_masked_also_in_relations(client: Any, world: World, sign_in: Sign, report: UUID) -> None:
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{report}").text
    assert BSN not in page
    assert page.count("•••••653") == 2
    assert not re.search(r"bsn(Sleutel|Status|Einde)", page)


def test_who_reported_is_on_no_page(client: Any, world: World, sign_in: Sign, report: UUID) -> None:
    sign_in(world.staff("team_lead"))
    page = client.get(f"/meldingen/{report}").text
    assert "Zwartkruis" not in page
    assert "q@x.example" not in page
    assert "Buurvrouw" not in page
    assert "Melder (naam in de kluis)" in page
    assert "staat in de kluis" in page


def test_the_button_shows_one_BSN_and_that_is_on_record(
    client: Any, world: World, sign_in: Sign, db: Db, report: UUID
) -> None:
    username = world.staff("assessor")
    sign_in(username)
    page = client.get(f"/meldingen/{report}").text
    assert page.count("Toon het BSN voluit") == 1
    token = page.split('name="formulier" value="')[1].split('"')[0]
    who = mention(db, report)
    shown = client.post(f"/meldingen/{report}/personen/{who}/bsn", data={"formulier": token}, headers=OURS)
    assert shown.status_code == 200
    assert shown.text.count(BSN) == 1
    assert "Toon het BSN voluit" not in shown.text
    rows = db.execute(
        "SELECT actor, object_kind, object_id, details FROM audit_entry WHERE action = 'bsn.read'"
    ).fetchall()
    assert [(row["actor"], row["object_kind"], row["object_id"]) for row in rows] == [(username, "mention", who)]
    assert rows[0]["details"]["report"] == str(report)
    assert BSN not in str(rows)


def test_a_role_without_the_field_has_no_button_and_no_answer(
    client: Any, world: World, sign_in: Sign, db: Db, report: UUID
) -> None:
    sign_in(world.staff("trusted_physician"))
    page = client.get(f"/meldingen/{report}").text
    assert "•••••653" in page
    assert "Toon het BSN voluit" not in page
    token = page.split('name="formulier" value="')[1].split('"')[0]
    refused = client.post(
        f"/meldingen/{report}/personen/{mention(db, report)}/bsn", data={"formulier": token}, headers=OURS
    )
    assert refused.status_code == 403
    assert BSN not in refused.text


def test_a_person_of_another_report_is_not_found(
    client: Any, world: World, sign_in: Sign, db: Db, report: UUID
) -> None:
    other = world.report(datetime.now(UTC), [PERSON])
    sign_in(world.staff("assessor"))
    token = client.get(f"/meldingen/{report}").text.split('name="formulier" value="')[1].split('"')[0]
    path = f"/meldingen/{report}/personen/{mention(db, other)}/bsn"
    assert client.post(path, data={"formulier": token}, headers=OURS).status_code == 404
    path = f"/meldingen/{report}/personen/{mention(db, report, 2)}/bsn"
    assert client.post(path, data={"formulier": token}, headers=OURS).status_code == 404


def test_the_raw_message_is_behind_the_vault_of_the_reporter(
    client: Any, world: World, sign_in: Sign, db: Db, report: UUID
) -> None:
    username = world.staff("assessor")
    sign_in(username)
    closed = client.get(f"/meldingen/{report}/bericht")
    assert closed.status_code == 403
    assert not re.search(r"\bruw\b", closed.text), "as a word: three letters can be in a token by chance"
    assert f'href="/meldingen/{report}/kluis"' in closed.text
    world.open_vaults(username, report)
    shown = client.get(f"/meldingen/{report}/bericht")
    assert shown.status_code == 200
    assert "&lt;bericht&gt;ruw&lt;/bericht&gt;" in shown.text
    assert "22 bytes" in shown.text
    rows = db.execute("SELECT outcome, details FROM audit_entry WHERE action = 'report.raw' ORDER BY at").fetchall()
    assert [row["outcome"] for row in rows] == ["refused", "ok"]
    assert rows[0]["details"] == {"missing": ["reporter"]}


def test_an_opened_vault_of_another_report_or_time_opens_nothing(
    client: Any, world: World, sign_in: Sign, db: Db, report: UUID
) -> None:
    username = world.staff("assessor")
    sign_in(username)
    world.open_vaults(username, world.report(datetime.now(UTC)))
    assert client.get(f"/meldingen/{report}/bericht").status_code == 403
    world.open_vaults(username, report)
    db.execute(
        "UPDATE access_grant SET granted_at = granted_at - %(day)s, until = until - %(day)s",
        {"day": timedelta(days=1)},
    )
    assert client.get(f"/meldingen/{report}/bericht").status_code == 403


def test_a_report_without_anything_in_a_vault_shows_its_message(
    client: Any, world: World, sign_in: Sign, db: Db
) -> None:
    content = CONTENT | {"melding": {"kenmerk": "PL-1"}}
    report = world.report(datetime.now(UTC), content=content, raw=b"<bericht>ruw</bericht>")
    list(seal.advance(db))
    sign_in(world.staff("assessor"))
    assert "&lt;bericht&gt;ruw" in client.get(f"/meldingen/{report}/bericht").text


def test_the_raw_message_asks_for_proving_oneself_again(
    client: Any, world: World, sign_in: Sign, report: UUID
) -> None:
    username = world.staff("assessor")
    sign_in(username)
    world.db.execute("UPDATE staff_session SET stepped_up_until = NULL")
    answer = client.get(f"/meldingen/{report}/bericht")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/bevestigen?naar=")
