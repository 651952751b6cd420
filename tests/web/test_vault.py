"""The vault page: two clicks with a purpose and a reason, for a while, and for everybody else it is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from core.database import Db
from core.ids import uuid7
from core.sealing import key_or_new
from intake import vault as sealed_vault
from radar.protection import grants, whereabouts
from tests.web.conftest import CONTENT, FATHER, MOTHER, World, person
from web.access.matrix import may
from web.pages import elements

NOW = datetime.now(UTC)
Sign = Callable[..., Any]
WORKERS = ["intake_worker", "assessor", "behavioural_scientist", "team_lead"]
SHELTER = {
    "soort": "feitelijk",
    "straat": "Kanariestraat",
    "huisnummer": "7",
    "postcode": "9876ZX",
    "woonplaats": "Kanariedam",
}
SECRETS = ("Kanariestraat", "Kanariedam", "9876ZX", "0687654321", "Kanarieverhaal")
REPORTER = "Kanariemelder"


@pytest.fixture
def report(world: World) -> UUID:
    """A report on a mother at a secret address, protected by a member of staff; its reporter is in the vault."""
    mother = MOTHER | {
        "adressen": [SHELTER],
        "telefoonnummers": ["0687654321"],
        "aanvullendeInformatie": "Kanarieverhaal over haar.",
    }
    content = CONTENT | {"incident": CONTENT["incident"] | {"locatie": "Kanariestraat 7, Kanariedam"}}
    household, case = world.household(NOW - timedelta(days=9))
    made = world.report(NOW - timedelta(days=9), [mother, FATHER], content=content, household=household, case=case)
    for number in (1, 2):
        world.link(made, number, uuid7(), "new", household=household)
    db = world.db
    message = one(db, "SELECT message_id AS id FROM report WHERE id = %s", made)
    key = key_or_new(db, message, world.region)
    db.execute(
        "INSERT INTO reporter_secret (report_id, region_id, sealed) VALUES (%s, %s, %s)",
        (
            made,
            world.region,
            sealed_vault.sealed(key, {"contact": {"naam": REPORTER}}, sealed_vault.identity_place(made)),
        ),
    )
    with db.transaction():
        whereabouts.protect(db, mention(db, made), "Zij is gevlucht.", by="bram", at=NOW)
    return made


def one(db: Db, query: str, *values: Any) -> Any:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row["id"]


def mention(db: Db, report: UUID, number: int = 1) -> UUID:
    found: UUID = one(db, "SELECT id FROM mention WHERE report_id = %s AND number = %s", report, number)
    return found


def send(client: Any, path: str, **form: str) -> Any:
    token = client.get("/wachtrij").text.split('name="formulier" value="')[1].split('"')[0]
    return client.post(path, data={"formulier": token, **form}, headers={"sec-fetch-site": "same-origin"})


def opens(client: Any, report: UUID, what: str = "verblijf", **form: str) -> Any:
    given = {"kluis": what, "doel": "safety", "reden": "Ik ga haar bezoeken."} | form
    return send(client, f"/meldingen/{report}/kluis", **given)


def shown(client: Any, report: UUID) -> str:
    page = client.get(f"/meldingen/{report}/kluis")
    assert page.status_code == 200
    return str(page.text)


def audited(db: Db, action: str) -> list[dict[str, Any]]:
    rows = db.execute("SELECT details FROM audit_entry WHERE action = %s AND outcome = 'ok'", (action,))
    return [row["details"] for row in rows]


@pytest.mark.parametrize("role", WORKERS)
def test_no_page_shows_a_whereabout_or_the_reporter_without_a_grant(
    role: str, world: World, sign_in: Sign, report: UUID
) -> None:
    client = sign_in(world.staff(role))
    case = one(world.db, "SELECT case_id AS id FROM report WHERE id = %s", report)
    paths = [f"/casussen/{case}", f"/meldingen/{report}", "/wachtrij"]
    works = "kluis afscherming herleidbaar acuut beoordeling terugkoppeling termijnen betrokkenen traject overdracht"
    paths += [f"/meldingen/{report}/{one_}" for one_ in f"{works} monitoring doorsturen zicht".split()]
    for path in paths:
        page = client.get(path)
        assert page.status_code == 200, path
        for secret in (*SECRETS, REPORTER):
            assert secret not in page.text, f"{secret} on {path}"
    assert "afgeschermd" in client.get(f"/meldingen/{report}").text


def test_two_clicks_with_a_purpose_and_a_reason_show_it_and_put_it_on_record(
    world: World, sign_in: Sign, report: UUID
) -> None:
    client = sign_in(world.staff("assessor"))
    assert "Toon afgeschermde gegevens" in client.get(f"/meldingen/{report}").text
    answer = opens(client, report)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/meldingen/{report}/kluis")
    page = client.get(f"/meldingen/{report}/kluis")
    for secret in SECRETS:
        assert secret in page.text
    assert "De kluis is open" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert REPORTER not in page.text
    (read,) = audited(world.db, "whereabouts.read")
    assert read["purpose"] == "safety"
    assert not any(secret in str(audited(world.db, "grant.give")) for secret in SECRETS)
    title = re.search("<title>(.*?)</title>", page.text)
    assert title
    assert title[1].startswith("Kluis ")


@pytest.mark.parametrize(("missing", "field"), [({"doel": ""}, "doel"), ({"reden": "  "}, "reden")])
def test_without_a_purpose_or_a_reason_it_stays_closed_and_the_form_keeps_its_text(
    missing: dict[str, str], field: str, world: World, sign_in: Sign, report: UUID
) -> None:
    client = sign_in(world.staff("assessor"))
    answer = opens(client, report, **missing)
    assert answer.status_code == 400
    assert f'id="fout-{field}-verblijf"' in answer.text
    assert ("Ik ga haar bezoeken." in answer.text) == (field == "doel")
    assert not any(secret in answer.text for secret in SECRETS)
    assert audited(world.db, "grant.give") == []


def test_the_two_vaults_open_apart(world: World, sign_in: Sign, report: UUID) -> None:
    client = sign_in(world.staff("assessor"))
    opens(client, report, "melder", doel="contact")
    page = shown(client, report)
    assert REPORTER in page
    assert not any(secret in page for secret in SECRETS)


def test_a_grant_ends_by_itself_by_a_button_and_with_the_membership(
    world: World, sign_in: Sign, report: UUID
) -> None:
    client = sign_in(name := world.staff("assessor"))
    opens(client, report)
    assert "Kanariestraat" in shown(client, report)
    assert send(client, f"/meldingen/{report}/kluis/sluiten").status_code == 303
    assert "Kanariestraat" not in shown(client, report)
    opens(client, report)
    world.db.execute(
        "UPDATE access_grant SET granted_at = now() - interval '1 hour', until = now() WHERE ended_at IS NULL"
    )
    assert "Kanariestraat" not in shown(client, report)
    member = one(world.db, "SELECT id FROM staff WHERE username = %s", name)
    opens(client, report)
    world.db.execute("UPDATE staff SET active = false WHERE id = %s", (member,))
    assert grants.current(world.db, member, "whereabouts", report_id=report, at=datetime.now(UTC)) is None


def test_my_grant_is_not_my_colleagues_and_not_for_another_report(world: World, sign_in: Sign, report: UUID) -> None:
    other = world.report(NOW - timedelta(days=2), [person("Eva", "Ander", "19900101", "ouder", adressen=[SHELTER])])
    with world.db.transaction():
        whereabouts.protect(world.db, mention(world.db, other), "Gevlucht.", by="bram", at=NOW)
    first, second = world.staff("assessor"), world.staff("team_lead")
    client = sign_in(first)
    opens(client, report)
    assert "Kanariestraat" not in shown(client, other)
    assert "Kanariestraat" not in shown(sign_in(second), report)


def test_another_region_a_missing_report_and_nonsense_are_the_same(
    world: World, new_world: Callable[[], World], sign_in: Sign, report: UUID
) -> None:
    client = sign_in(new_world().staff("team_lead"))
    answers = [client.get(f"/meldingen/{one_}/kluis") for one_ in (report, uuid7(), "x")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r"\d\d:\d\d", "", answer.text) for answer in answers}) == 1
    posts = [opens(client, one_) for one_ in (report, uuid7())]
    assert {answer.status_code for answer in posts} == {404}
    assert audited(world.db, "grant.give") == []


@pytest.mark.parametrize("role", ["administrator", "auditor", "trusted_physician"])
def test_who_does_not_work_with_it_has_no_vault(role: str, world: World, sign_in: Sign, report: UUID) -> None:
    assert not may(role, "vault.open")
    assert sign_in(world.staff(role)).get(f"/meldingen/{report}/kluis").status_code in (303, 403)


def test_the_vault_asks_to_prove_oneself_again(world: World, sign_in: Sign, report: UUID) -> None:
    answer = sign_in(world.staff("assessor"), stepped_up=False).get(f"/meldingen/{report}/kluis")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/bevestigen")


@pytest.mark.parametrize("role", ["team_lead", "privacy_officer"])
def test_who_leads_or_guards_privacy_sees_who_opened_it(role: str, world: World, sign_in: Sign, report: UUID) -> None:
    opens(sign_in(world.staff("assessor")), report)
    page = shown(sign_in(world.staff(role)), report)
    assert "Wie opende de kluis?" in page
    assert "Ik ga haar bezoeken." in page
    assert not any(secret in page for secret in SECRETS)


def test_a_worker_protects_somebody_and_two_people_end_it(world: World, sign_in: Sign) -> None:
    report = world.report(NOW - timedelta(days=1), [MOTHER | {"adressen": [SHELTER]}, FATHER])
    about, path = mention(world.db, report), f"/meldingen/{report}/afscherming"
    client = sign_in(world.staff("intake_worker"))
    assert "Kanariestraat" in client.get(f"/meldingen/{report}").text
    assert send(client, path, over=str(about), handeling="afschermen", reden=" ").status_code == 400
    wrong = send(client, path, over=str(about), handeling="afschermen", reden="Gevlucht.", dag="2020-01-01")
    assert (wrong.status_code, f'id="fout-dag-{about}"' in wrong.text, "Gevlucht." in wrong.text) == (400, True, True)
    assert send(client, path, over=str(about), handeling="afschermen", reden="Gevlucht.").status_code == 303
    assert "Kanariestraat" not in client.get(f"/meldingen/{report}").text
    protection = str(one(world.db, "SELECT id FROM protection WHERE mention_id = %s", about))
    assert send(client, path, over=protection, handeling="beeindigen", reden="Voorbij.").status_code == 403
    asker, agrees = world.staff("assessor"), world.staff("team_lead")
    assert send(sign_in(asker), path, over=protection, handeling="beeindigen", reden="Voorbij.").status_code == 303
    assert send(client, path, over=protection, handeling="akkoord").status_code == 403
    assert send(sign_in(agrees), path, over=protection, handeling="akkoord").status_code == 303
    assert "Kanariestraat" in client.get(f"/meldingen/{report}").text


def test_a_protection_of_another_report_cannot_be_ended_here(world: World, sign_in: Sign, report: UUID) -> None:
    other = world.report(NOW - timedelta(days=1), [FATHER])
    protection = str(one(world.db, "SELECT id FROM protection LIMIT 1"))
    client = sign_in(world.staff("team_lead"))
    form = {"over": protection, "handeling": "beeindigen", "reden": "Voorbij."}
    assert send(client, f"/meldingen/{other}/afscherming", **form).status_code == 404


def test_a_citizen_is_only_told_when_a_second_person_agrees(world: World, sign_in: Sign, report: UUID) -> None:
    world.db.execute("UPDATE report SET reporter_kind = 'anders' WHERE id = %s", (report,))
    path = f"/meldingen/{report}/kluis/melder"
    client = sign_in(world.staff("assessor"))
    refused = send(client, path, grond="", uitleg="Zij belde en stemde in.")
    assert (refused.status_code, "Zij belde en stemde in." in refused.text) == (400, True)
    assert send(client, path, grond="open:consent", uitleg="Zij belde en stemde in.").status_code == 303
    page = shown(client, report)
    assert "Wacht op een tweede persoon" in page
    choice = one(world.db, "SELECT id FROM reporter_choice")
    assert send(client, path, bevestig=str(choice)).status_code == 403
    assert send(sign_in(world.staff("team_lead")), path, bevestig=str(choice)).status_code == 303
    assert "<b>Open.</b>" in shown(client, report)


def test_sentences_are_ticked_and_unticked_without_script(world: World, sign_in: Sign) -> None:
    text = "De buurvrouw zag het vanaf haar balkon. Het kind huilde."
    report = world.report(NOW, [FATHER], content=CONTENT | {"incident": {"omschrijving": text}})
    client, path = sign_in(world.staff("assessor")), f"/meldingen/{report}/herleidbaar"
    page = client.get(path).text
    assert 'value="De buurvrouw zag het vanaf haar balkon."' in page
    assert " checked" not in page
    assert send(client, path, **{"zin-0": "De buurvrouw zag het vanaf haar balkon."}).status_code == 303
    assert client.get(path).text.count(" checked") == 1
    assert send(client, path, **{"zin-0": "Verzonnen zin."}).status_code == 400
    assert send(client, path).status_code == 303
    assert " checked" not in client.get(path).text
    assert [len(audited(world.db, action)) for action in ("mark.add", "mark.remove")] == [1, 1]


def test_a_report_on_nobody_protected_says_so(world: World, sign_in: Sign) -> None:
    report = world.report(NOW, [FATHER])
    world.db.execute("UPDATE mention SET person = %s WHERE report_id = %s", (Jsonb(FATHER), report))
    assert "niemand afgeschermd" in shown(sign_in(world.staff("assessor")), report)


def test_a_form_warns_of_an_address_and_keeps_it_in_the_vault_when_it_belongs_there(
    world: World, sign_in: Sign, report: UUID
) -> None:
    form = {
        "soort": "informant",
        "met": "Huisarts",
        "hoe": "call",
        "contact_dag": f"{NOW - timedelta(days=3):%Y-%m-%d}",
        "contact_tijd": "10:00",
        "contact_tekst": "Zij belde vanuit Kanariedam.",
    }
    client, path = sign_in(world.staff("assessor")), f"/meldingen/{report}/traject/contact"
    refused = send(client, path, **form)
    assert refused.status_code == 400
    assert "een afgeschermd gegeven" in refused.text
    assert 'name="toch"' in refused.text
    assert send(client, path, **form | {"contact_tekst": "Zij belde vanuit haar werk."}).status_code == 303
    assert send(client, path, **form, toch="ja").status_code == 303
    assert "Kanariedam" not in client.get(f"/meldingen/{report}/traject").text
    opens(client, report)
    assert "Zij belde vanuit Kanariedam." in shown(client, report)


def test_a_form_on_a_report_without_a_protected_person_asks_nothing(world: World, sign_in: Sign) -> None:
    report = world.report(NOW - timedelta(days=9), [FATHER])
    form = {"soort": "informant", "met": "Oma", "hoe": "call", "contact_tekst": "Zij woont in de Dorpsstraat 12."}
    form |= {"contact_dag": f"{NOW - timedelta(days=3):%Y-%m-%d}", "contact_tijd": "10:00"}
    answer = send(sign_in(world.staff("assessor")), f"/meldingen/{report}/traject/contact", **form)
    assert answer.status_code == 303


def test_two_shielded_persons_side_by_side_prove_nothing(world: World, report: UUID) -> None:
    """Both read 'afgeschermd'; that is no agreement of address or phone."""
    row = world.db.execute("SELECT person FROM mention WHERE id = %s", (mention(world.db, report),)).fetchone()
    assert row
    for field in ("Adres", "Telefoon"):
        (said,) = elements.FIELDS[field](row["person"])
        assert ("afgeschermd" in said.shown, said.key) == (True, None)
