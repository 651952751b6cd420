"""The screen of a form that is no report: what will happen, sending it on, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.ids import uuid7
from radar.casework import forwarding
from tests.radar import desk
from tests.web.conftest import MOTHER, PERSON, World

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
NOW = datetime.now(UTC)
RECEIVED = NOW - timedelta(days=1)
Sign = Callable[[str], Any]


@pytest.fixture
def as_role(world: World, sign_in: Sign) -> Sign:
    """Signs in a new member with this role."""
    return lambda role: sign_in(world.staff(role))


@pytest.fixture
def report(world: World) -> UUID:
    """A report of yesterday with a linked person, in a case of its own."""
    household, case = world.household(RECEIVED)
    made = world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case)
    for number in (1, 2):
        world.link(made, number, uuid7(), "new", household=household)
    return made


def send(client: Any, path: str, **form: str) -> Any:
    token = client.get("/wachtrij").text.split('name="formulier" value="')[1].split('"')[0]
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


def page(client: Any, report: UUID) -> str:
    shown = client.get(f"/meldingen/{report}/doorsturen")
    assert shown.status_code == 200
    return unescape(shown.text)


def state(db: Db, report: UUID) -> str:
    row = db.execute("SELECT state FROM report WHERE id = %s", (report,)).fetchone()
    assert row is not None
    return str(row["state"])


def newest(db: Db, world: World, report: UUID) -> str:
    return str(forwarding.of_report(db, world.region, report)[0]["id"])


def test_one_reads_what_will_happen_before_it_does(as_role: Sign, db: Db, world: World, report: UUID) -> None:
    client = as_role("intake_worker")
    shown = page(client, report)
    assert "1 open taak wordt afgesloten op uw naam" in shown
    assert "de casus sluit en niemand houdt meer zicht" in shown
    assert "na 90 dagen vernietigd" in shown
    assert "ook niet voor het CBS" in shown
    row = db.execute("SELECT household_id, case_id FROM report WHERE id = %s", (report,)).fetchone()
    assert row is not None
    world.report(NOW, household=row["household_id"], case=row["case_id"])
    assert "De andere 1 melding over dit huishouden blijft staan" in page(client, report)


def test_it_is_sent_on_and_taken_back(as_role: Sign, db: Db, world: World, report: UUID) -> None:
    client, path = as_role("assessor"), f"/meldingen/{report}/doorsturen"
    assert send(client, path, instantie=NASTY, reden="Burenruzie.").status_code == 303
    assert state(db, report) == "forwarded"
    raw = client.get(path).text
    assert "<script>alert" not in raw
    shown = unescape(raw)
    assert "Burenruzie." in shown
    assert "Het wordt vernietigd op" in shown
    assert "Doorsturen: geen melding</button>" not in shown
    assert client.get(f"/meldingen/{report}").status_code == 200, "it can still be read"
    back = f"{path}/terughalen"
    assert send(client, back, doorsturing=newest(db, world, report), reden=" ").status_code == 400
    done = send(client, back, doorsturing=newest(db, world, report), reden="Het was zijn ex.")
    assert (done.status_code, done.headers["location"]) == (303, f"/meldingen/{report}")
    assert state(db, report) == "received"
    assert "Teruggehaald: Het was zijn ex." in page(client, report)
    again = send(client, back, doorsturing=newest(db, world, report), reden="Nog eens.")
    assert again.status_code == 409
    assert "al teruggehaald" in again.text


@pytest.mark.parametrize(("change", "field"), [({"instantie": " "}, "instantie"), ({"reden": ""}, "reden")])
def test_what_is_missing_is_said_at_its_field_and_the_rest_stays(
    as_role: Sign, db: Db, report: UUID, change: dict[str, str], field: str
) -> None:
    form = {"instantie": "Gemeente Dal", "reden": "Burenruzie."} | change
    refused = send(as_role("intake_worker"), f"/meldingen/{report}/doorsturen", **form)
    assert refused.status_code == 400
    assert f'id="fout-{field}"' in refused.text
    assert all(text in refused.text for text in form.values() if text.strip())
    assert state(db, report) == "assessing"


def test_acute_danger_and_a_decision_stand_in_the_way(as_role: Sign, db: Db, world: World) -> None:
    client = as_role("intake_worker")
    household, case = world.household(RECEIVED)
    acute = world.report(RECEIVED, household=household, case=case, state="received")
    desk.check(db, acute, acute=True, at=NOW)
    refused = send(client, f"/meldingen/{acute}/doorsturen", instantie="Gemeente", reden="Burenruzie.")
    assert refused.status_code == 409
    assert "nog niet voorbij" in refused.text
    household, case = world.household(RECEIVED)
    decided = world.report(RECEIVED, household=household, case=case)
    desk.assess(db, decided, "conditions", at=NOW)
    assert "Doorsturen kan nu niet" in page(client, decided)
    late = send(client, f"/meldingen/{decided}/doorsturen", instantie="Gemeente", reden="Burenruzie.")
    assert late.status_code == 409
    assert "Wat wel kan" in late.text


def test_who_may_send_on_may_not_take_back(as_role: Sign, db: Db, world: World, report: UUID) -> None:
    client, path = as_role("intake_worker"), f"/meldingen/{report}/doorsturen"
    assert send(client, path, instantie="Gemeente", reden="Burenruzie.").status_code == 303
    assert "Vraag een beoordelaar" in page(client, report)
    refused = send(client, f"{path}/terughalen", doorsturing=newest(db, world, report), reden="Toch.")
    assert refused.status_code == 403
    assert state(db, report) == "forwarded"
    administrator = as_role("administrator")
    assert administrator.get(path).status_code == 403
    assert send(administrator, path, instantie="Gemeente", reden="Burenruzie.").status_code == 403


def test_a_form_that_belongs_to_another_report_is_refused(as_role: Sign, db: Db, world: World, report: UUID) -> None:
    client = as_role("assessor")
    household, case = world.household(RECEIVED)
    other = world.report(RECEIVED, household=household, case=case)
    for one in (report, other):
        send(client, f"/meldingen/{one}/doorsturen", instantie="Gemeente", reden="Burenruzie.")
    path = f"/meldingen/{report}/doorsturen/terughalen"
    assert send(client, path, doorsturing=newest(db, world, other), reden="Toch.").status_code == 409
    assert send(client, path, doorsturing="geen", reden="Toch.").status_code == 404
    assert (state(db, report), state(db, other)) == ("forwarded", "forwarded")


def test_what_was_done_is_in_the_audit_trail(as_role: Sign, db: Db, world: World, report: UUID) -> None:
    client, path = as_role("assessor"), f"/meldingen/{report}/doorsturen"
    page(client, report)
    send(client, path, instantie="Gemeente Dal", reden="Burenruzie.")
    send(client, f"{path}/terughalen", doorsturing=newest(db, world, report), reden="Het was zijn ex.")
    rows = db.execute("SELECT action, details::text AS told FROM audit_entry WHERE object_id = %s", (report,))
    actions, told = zip(*((row["action"], row["told"]) for row in rows), strict=True)
    assert {"forwarding.view", "report.forward", "report.retrieve", "report.step"} <= set(actions)
    assert not any("Gemeente" in text or "ex" in text.split() for text in told)
