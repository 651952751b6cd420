"""The registers on the screen: who may look and change, what a change leaves, two at once, files, and the routing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.deadlines import local_day
from core.ids import uuid7
from core.staff import ROLES
from radar.casework import routing
from radar.registers.kinds import REGISTERS
from tests.web.conftest import OURS, PERSON, World, session_of
from web import language
from web.access import sessions
from workers.verify import verify

Sign = Callable[..., Any]
PATHS = tuple(REGISTERS)
TODAY = local_day(datetime.now(UTC))


@pytest.fixture
def keeper(world: World, sign_in: Sign) -> Any:
    """A browser of an administrator."""
    return sign_in(world.staff("administrator", "fenna"))


def token(client: Any) -> str:
    found = re.search(r'name="formulier" value="([^"]+)"', client.get("/mijn-account").text)
    assert found
    return found[1]


def post(client: Any, path: str, files: Any = None, **fields: str) -> Any:
    data = {"formulier": token(client), **fields}
    return client.post(path, data=data, headers=OURS, files=files)


def value_of(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return found[1]


def line(world: World, since: date = date(2020, 1, 1), **more: Any) -> UUID:
    made = uuid7()
    row = {
        "municipality": "Dalstad",
        "place": "Dalstad",
        "postcode_from": 1234,
        "postcode_to": 1240,
        "team_id": world.team,
        "partner_id": world.local_team,
        "valid_to": None,
        **more,
    }
    world.db.execute(
        "INSERT INTO service_area (id, region_id, municipality, place, postcode_from, postcode_to, team_id,"
        " partner_id, valid_from, valid_to) VALUES (%(id)s, %(region)s, %(municipality)s, %(place)s,"
        " %(postcode_from)s, %(postcode_to)s, %(team_id)s, %(partner_id)s, %(since)s, %(valid_to)s)",
        {**row, "id": made, "region": world.region, "since": since},
    )
    return made


def municipality(world: World, code: str = "9901", name: str = "Dalstad") -> UUID:
    made = uuid7()
    world.db.execute(
        "INSERT INTO municipality (id, region_id, code, name, valid_from) VALUES (%s, %s, %s, %s, '2020-01-01')",
        (made, world.region, code, name),
    )
    return made


def one(db: Db, query: str, *values: Any) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()
    assert row is not None
    return row


# ── who may look, and what every page shows ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", PATHS)
def test_each_register_has_a_list_a_form_a_file_and_a_draft(keeper: Any, world: World, path: str) -> None:
    line(world)
    municipality(world)
    listed = keeper.get(f"/beheer/{path}")
    if path == "regio":
        assert listed.status_code == 303
        assert keeper.get(listed.headers["location"]).status_code == 200
    else:
        assert listed.status_code == 200
        assert keeper.get(f"/beheer/{path}/nieuw").status_code == 200
        (first, *_) = re.findall(rf'href="(/beheer/{path}/[0-9a-f-]+)"', listed.text)
        assert keeper.get(first).status_code == 200
    assert keeper.get(f"/beheer/{path}/inlezen").status_code == 200
    assert "Er is geen concept." in keeper.get(f"/beheer/{path}/concept").text
    file = keeper.get(f"/beheer/{path}/bestand")
    assert file.content.startswith(b"\xef\xbb\xbfkenmerk;")
    assert keeper.get("/beheer").status_code == 200
    assert keeper.get(f"/beheer/wijzigingen?register={path}").status_code == 200


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator", "team_lead"}))
def test_only_an_administrator_and_a_team_lead_come_here(world: World, sign_in: Sign, role: str) -> None:
    client = sign_in(world.staff(role))
    for path in ("/beheer", "/beheer/teams", "/beheer/wijzigingen", "/beheer/routering/concept"):
        assert client.get(path).status_code == 403


def test_a_team_lead_looks_and_changes_nothing(world: World, sign_in: Sign) -> None:
    client = sign_in(world.staff("team_lead"))
    page = client.get(f"/beheer/teams/{world.team}")
    assert page.status_code == 200
    assert "Opslaan" not in page.text
    assert post(client, f"/beheer/teams/{world.team}", naam="Anders").status_code == 403
    assert client.get("/beheer/afzenders/nieuw").status_code == 403


def test_a_register_of_another_region_is_not_there(new_world: Callable[[], World], sign_in: Sign) -> None:
    ours, theirs = new_world(), new_world()
    client = sign_in(ours.staff("administrator"))
    shown = [client.get(f"/beheer/teams/{team}") for team in (theirs.team, uuid7(), "geen-id")]
    assert {page.status_code for page in shown} == {404}
    assert len({page.text.replace(page.url.path, "") for page in shown}) == 1
    assert "Voorbeeldregio 2" not in client.get("/beheer/wijzigingen").text


# ── a change: stored, kept, undone, and two at once ─────────────────────────────────────────────────────────────


def test_a_team_is_added_and_its_change_is_kept_with_who_and_when(keeper: Any, world: World) -> None:
    made = post(keeper, "/beheer/teams", naam="Team Oost", telefoon="088 123 00 00", geldig_vanaf="2030-01-01")
    assert made.status_code == 303
    page = keeper.get(made.headers["location"]).text
    assert "Team Oost" in page
    kept = one(world.db, "SELECT * FROM register_change WHERE after ->> 'name' = 'Team Oost'")
    assert (kept["by"], kept["version"], kept["before"]) == ("fenna", 1, None)
    assert (kept["after"]["kind"], kept["after"]["valid_from"]) == ("veilig_thuis", "2030-01-01")
    assert "nog niet begonnen" in keeper.get("/beheer/teams").text
    audited = one(world.db, "SELECT * FROM audit_entry WHERE action = 'register.add'")
    assert (audited["object_id"], audited["role"]) == (kept["object_id"], "administrator")


@pytest.mark.parametrize(
    ("path", "fields", "field", "sentence"),
    [
        ("teams", {"naam": ""}, "naam", "Vul dit in."),
        ("teams", {"naam": "Wijkteam dal"}, "naam", "Deze naam is al van een ander team"),
        ("teams", {"naam": "x" * 101}, "naam", "Maak dit korter: ten hoogste 100 tekens."),
        ("teams", {"naam": "a\u202eb"}, "naam", "Haal de onzichtbare tekens weg"),
        ("teams", {"geldig_vanaf": "31-02-2027"}, "geldig_vanaf", "Vul een datum in die bestaat"),
        ("teams", {"geldig_tot": "2019-12-31"}, "geldig_tot", "De laatste dag ligt voor de eerste."),
        ("teams", {"telefoon": "bel maar"}, "telefoon", "Vul een telefoonnummer in"),
        ("gemeenten", {"code": "12"}, "code", "Een gemeentecode heeft 4 cijfers"),
        ("gemeenten", {"opvolger": "9902"}, "geldig_tot", "Vul de laatste dag in"),
        ("gemeenten", {"opvolger": "9901", "geldig_tot": "2030-01-01"}, "opvolger", "niet haar eigen opvolger"),
        ("partners", {"soort": "x"}, "soort", "Kies een van deze: lokaal team"),
        ("partners", {"oin": "1"}, "oin", "Een OIN heeft precies 20 cijfers."),
        ("partners", {"bezorgadres": "http://x.example"}, "bezorgadres", "begint met https://"),
        ("partners", {"bezorgadres": "https://a:b@x.example"}, "bezorgadres", "zonder spaties of inlognaam"),
        ("partners", {"bezorgadres": "https://x.example:99999"}, "bezorgadres", "begint met https://"),
        ("routering", {"postcode_van": "12"}, "postcode_van", "Vul alleen de 4 cijfers van de postcode in"),
        ("routering", {"postcode_van": "1300", "postcode_tot": "1200"}, "postcode_tot", "lager dan de eerste"),
        ("routering", {"postcode_van": "1300", "postcode_tot": ""}, "postcode_tot", "Vul beide postcodes in"),
        ("routering", {"plaats": "", "postcode_van": "", "postcode_tot": ""}, "plaats", "Vul een plaats in, of"),
        ("routering", {"team": "Team Weg"}, "team", "Kies een van onze teams"),
        ("routering", {"partner": "Team Noord"}, "partner", "Kies een partner uit de lijst"),
        ("routering", {"geldig_vanaf": "2019-12-31"}, "team", "Dit team bestaat pas vanaf 01-01-2020"),
        ("afzenders", {"certificaat": "aa:bb"}, "certificaat", "heeft 64 tekens"),
        ("afzenders", {"soort": ""}, "soort", "Vul dit in."),
    ],
)
def test_bad_input_is_a_sentence_beside_the_field_and_what_was_typed_stays(
    keeper: Any, world: World, path: str, fields: dict[str, str], field: str, sentence: str
) -> None:
    good = {
        "naam": "Iets Nieuws",
        "geldig_vanaf": "2027-01-01",
        "code": "9901",
        "soort": "zorg" if path == "afzenders" else "local_team",
        "gemeente": "Dalstad",
        "plaats": "Dalstad",
        "team": str(world.team),
        "oin": "00000099000000007000" if path == "afzenders" else "",
    }
    before = one(world.db, "SELECT count(*) AS n FROM register_change")
    page = post(keeper, f"/beheer/{path}", **(good | fields))
    assert page.status_code == 400
    error = re.search(rf'id="fout-{field}">.*?</p>', page.text, re.S)
    assert error
    assert sentence in error[0]
    assert f'href="#{field}"' in page.text
    kept = {**good, **fields}
    assert f'value="{kept["geldig_vanaf"]}"' in page.text or path in ("afzenders",)
    assert one(world.db, "SELECT count(*) AS n FROM register_change") == before
    assert world.db.execute("SELECT 1 FROM register_draft").fetchone() is None


def test_who_is_second_sees_what_is_there_and_keeps_what_he_typed(
    keeper: Any, world: World, sign_in: Sign, db: Db
) -> None:
    path = f"/beheer/teams/{world.team}"
    version = value_of(keeper.get(path).text, "versie")
    fields = {"geldig_vanaf": "2020-01-01"}
    assert post(keeper, path, naam="Team Noordoost", versie=version, **fields).status_code == 303
    second = post(keeper, path, naam="Team Noordwest", versie=version, **fields)
    assert second.status_code == 409
    assert "Een ander heeft dit intussen gewijzigd." in second.text
    assert 'value="Team Noordwest"' in second.text
    assert "<dd>Team Noordoost</dd>" in second.text
    assert one(db, "SELECT name FROM team WHERE id = %s", world.team) == {"name": "Team Noordoost"}
    again = post(keeper, path, naam="Team Noordwest", versie=value_of(second.text, "versie"), **fields)
    assert again.status_code == 303
    assert one(db, "SELECT name FROM team WHERE id = %s", world.team) == {"name": "Team Noordwest"}


def test_undo_is_a_new_change_and_only_of_the_last_one(keeper: Any, world: World, db: Db) -> None:
    path = f"/beheer/teams/{world.team}"
    for name in ("Team Een", "Team Twee"):
        assert post(keeper, path, naam=name, geldig_vanaf="2020-01-01").status_code == 303
    kept = db.execute(
        "SELECT id, after ->> 'name' AS name FROM register_change WHERE object_id = %s ORDER BY version",
        (world.team,),
    ).fetchall()
    assert [row["name"] for row in kept] == ["Team Noord", "Team Een", "Team Twee"]
    refused = post(keeper, f"/beheer/wijzigingen/{kept[1]['id']}/terug")
    assert refused.status_code == 409
    assert "Draai eerst de laatste wijziging terug." in refused.text
    assert post(keeper, f"/beheer/wijzigingen/{kept[2]['id']}/terug").status_code == 303
    last = one(db, "SELECT * FROM register_change WHERE object_id = %s ORDER BY version DESC LIMIT 1", world.team)
    assert (last["after"]["name"], last["version"], last["undoes"]) == ("Team Een", 4, kept[2]["id"])
    assert post(keeper, f"/beheer/wijzigingen/{kept[0]['id']}/terug").status_code == 409
    page = keeper.get("/beheer/wijzigingen?register=teams").text
    assert page.count("<del>Team Een</del>") == 1
    assert "(teruggedraaid)" in page


def test_the_region_changes_and_its_own_sender_with_it(keeper: Any, world: World, db: Db) -> None:
    fields = {
        "naam": "Veilig Thuis Dal",
        "oin": "00000099000000009999",
        "applicatie": "VTDAL",
        "telefoon": "0800 2000",
    }
    assert post(keeper, f"/beheer/regio/{world.region}", **fields).status_code == 303
    row = one(db, "SELECT name, oin, application, phone FROM region WHERE id = %s", world.region)
    assert row == dict(zip(("name", "oin", "application", "phone"), fields.values(), strict=True))
    assert one(db, "SELECT oin FROM sender WHERE id = %s AND own", world.region)["oin"] == fields["oin"]


def test_a_new_delivery_address_makes_the_partner_be_checked_again(keeper: Any, world: World, db: Db) -> None:
    path = f"/beheer/partners/{world.local_team}"
    fields = {"naam": "Wijkteam Dal", "soort": "local_team", "geldig_vanaf": "2020-01-01"}
    assert post(keeper, path, **fields, telefoon="088 1").status_code == 303
    assert one(db, "SELECT count(*) AS n FROM partner_check") == {"n": 1}
    assert post(keeper, path, **fields, bezorgadres="https://elders.example/vto").status_code == 303
    last = one(db, "SELECT * FROM partner_check ORDER BY checked_at DESC LIMIT 1")
    assert last["verified_until"] < TODAY
    assert last["checked_by"] == "system"


# ── ending a team ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_team_does_not_end_while_the_routing_points_at_it(keeper: Any, world: World) -> None:
    line(world, team_id=world.team)
    page = post(
        keeper, f"/beheer/teams/{world.team}", naam="Team Noord", geldig_vanaf="2020-01-01", geldig_tot="2030-01-01"
    )
    assert page.status_code == 400
    assert "De routering wijst na die dag nog naar dit team." in page.text


def test_what_lies_with_an_ended_team_goes_to_its_successor(keeper: Any, world: World, db: Db) -> None:
    now = datetime.now(UTC)
    household, case = world.household(now - timedelta(days=5))
    report = world.report(now - timedelta(days=5), household=household, case=case)
    db.execute("UPDATE cases SET team_id = %s WHERE id = %s", (world.team, case))
    db.execute("UPDATE staff SET team_id = %s WHERE username = %s", (world.team, world.staff("assessor")))
    path, fields = f"/beheer/teams/{world.team}", {"naam": "Team Noord", "geldig_vanaf": "2020-01-01"}
    shown = keeper.get(path).text
    assert "zicht op veiligheid: 1" in shown
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    refused = post(keeper, path, **fields, geldig_tot=yesterday)
    assert refused.status_code == 400
    assert "Kies wie het werk overneemt." in refused.text
    made = post(keeper, "/beheer/teams", naam="Team Nieuw", geldig_vanaf="2020-01-01")
    successor = UUID(made.headers["location"].rsplit("/", 1)[1])
    assert post(keeper, path, **fields, geldig_tot=yesterday, opvolger=str(successor)).status_code == 303
    for query in (
        "SELECT team_id FROM task WHERE subject_id = %s AND kind = 'assess'",
        "SELECT team_id FROM cases WHERE id = (SELECT case_id FROM report WHERE id = %s)",
        "SELECT w.team_id FROM safety_watch w JOIN report r ON r.case_id = w.case_id"
        " WHERE w.until IS NULL AND r.id = %s",
    ):
        assert one(db, query, report)["team_id"] == successor, query
    assert one(db, "SELECT team_id FROM staff WHERE role = 'assessor'")["team_id"] == successor
    assert one(db, "SELECT count(*) AS n FROM safety_watch WHERE case_id = %s", case) == {"n": 2}
    assert one(db, "SELECT details FROM audit_entry WHERE action = 'team.settle'")["details"]["watches"] == 1


def test_work_stays_with_a_team_until_its_last_day_is_over(keeper: Any, world: World, db: Db) -> None:
    task = world.task("dead_job", uuid7(), datetime.now(UTC), team=world.team)
    made = post(keeper, "/beheer/teams", naam="Team Nieuw", geldig_vanaf="2020-01-01")
    successor = made.headers["location"].rsplit("/", 1)[1]
    fields = {"naam": "Team Noord", "geldig_vanaf": "2020-01-01", "geldig_tot": TODAY.isoformat()}
    assert post(keeper, f"/beheer/teams/{world.team}", **fields, opvolger=successor).status_code == 303
    assert one(db, "SELECT team_id FROM task WHERE id = %s", task)["team_id"] == world.team
    assert one(db, "SELECT settle_ended_teams(%s) AS n", TODAY) == {"n": 0}
    assert one(db, "SELECT settle_ended_teams(%s) AS n", TODAY + timedelta(days=1)) == {"n": 1}
    assert str(one(db, "SELECT team_id FROM task WHERE id = %s", task)["team_id"]) == successor


def test_a_partner_does_not_end_while_it_watches_a_case(keeper: Any, world: World, db: Db) -> None:
    _, case = world.household(datetime.now(UTC) - timedelta(days=3))
    db.execute(
        "UPDATE safety_watch SET holder = 'partner', team_id = %s WHERE case_id = %s", (world.local_team, case)
    )
    fields = {"naam": "Wijkteam Dal", "soort": "local_team", "geldig_vanaf": "2020-01-01"}
    page = post(keeper, f"/beheer/partners/{world.local_team}", **fields, geldig_tot="2030-01-01")
    assert page.status_code == 400
    assert "Bij deze partner ligt nog: zicht op veiligheid: 1." in page.text


# ── senders ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sender_is_added_with_a_key_that_is_shown_once_and_works(keeper: Any, world: World, client: Any) -> None:
    made = post(
        keeper, "/beheer/afzenders", oin="00000099000000007000", naam="GGZ Dal", soort="zorg", antwoordadres=""
    )
    assert made.status_code == 200
    key = re.search(r'<code class="break">([^<]+)</code>', made.text)
    assert key
    stored = one(world.db, "SELECT id FROM sender WHERE name = 'GGZ Dal'")["id"]
    page = keeper.get(f"/beheer/afzenders/{stored}").text
    assert key[1] not in page
    assert "Werkende sleutels: 1." in page
    form = keeper.get(f"/beheer/afzenders/{stored}/sleutel")
    assert form.status_code == 200
    assert post(keeper, f"/beheer/afzenders/{stored}/sleutel", overlap="3").status_code == 400
    second = post(keeper, f"/beheer/afzenders/{stored}/sleutel", overlap="24")
    assert "1 dag" in second.text
    assert "Werkende sleutels: 2." in keeper.get(f"/beheer/afzenders/{stored}").text
    assert post(keeper, f"/beheer/afzenders/{stored}/intrekken").status_code == 400
    assert post(keeper, f"/beheer/afzenders/{stored}/intrekken", zeker="ja").status_code == 303
    assert one(world.db, "SELECT count(*) AS n FROM sender_token WHERE revoked_at IS NULL") == {"n": 0}
    assert "Ingetrokken" in keeper.get(f"/beheer/afzenders/{stored}").text
    actions = world.db.execute("SELECT action FROM audit_entry WHERE object_kind = 'sender'").fetchall()
    assert {"sender.add", "sender.rotate", "sender.revoke"} <= {row["action"] for row in actions}


def test_a_sender_gets_an_address_for_callbacks_with_a_secret_that_is_shown_once(keeper: Any, world: World) -> None:
    path = f"/beheer/afzenders/{world.school}/terugmelding"
    wrong = post(keeper, path, adres="school.example")
    assert wrong.status_code == 400
    assert "begint" in wrong.text
    assert 'value="school.example"' in wrong.text
    assert "whsec_" in post(keeper, path, adres="https://school.example/terug").text
    shown = keeper.get(path).text
    assert "https://school.example/terug" in shown
    assert "whsec_" not in shown
    assert post(keeper, path, adres="").status_code == 303
    row = world.db.execute("SELECT webhook_url, webhook_secret FROM sender WHERE id = %s", (world.school,)).fetchone()
    assert row == {"webhook_url": None, "webhook_secret": None}


def test_a_key_asks_to_prove_oneself_again(world: World, sign_in: Sign) -> None:
    client = sign_in(world.staff("administrator"), stepped_up=False)
    for path in ("/beheer/afzenders/nieuw", f"/beheer/afzenders/{world.police}/sleutel"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/bevestigen")


def test_the_region_itself_is_not_among_the_senders(keeper: Any, world: World) -> None:
    assert "Veilig Thuis zelf" not in keeper.get("/beheer/afzenders").text
    assert keeper.get(f"/beheer/afzenders/{world.region}").status_code == 404


def test_the_list_of_senders_counts_what_came_in_today(keeper: Any, world: World) -> None:
    now = datetime.now(UTC)
    world.report(now)
    world.quarantine(now, b"x")
    page = keeper.get("/beheer/afzenders").text
    assert "<td>1<br><span>apart gezet: 1</span></td>" in page


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def bring(client: Any, path: str, content: bytes, **fields: str) -> Any:
    return post(client, f"/beheer/{path}/inlezen", files={"bestand": ("x.csv", content, "text/csv")}, **fields)


def put_in_force(client: Any, path: str) -> Any:
    page = client.get(f"/beheer/{path}/concept").text
    fields = {name: value_of(page, name) for name in ("versie", "gezien")}
    return post(client, f"/beheer/{path}/concept/toepassen", **fields)


def test_a_file_is_shown_first_and_then_put_in_force_whole(keeper: Any, world: World, db: Db) -> None:
    municipality(world, "9901", "Dalstad")
    municipality(world, "9902", "Bergstad")
    content = (
        "\ufeffcode,naam,geldig_vanaf,geldig_tot,opvolger\r\n9901,Dalstad aan Zee,2020-01-01,,\r\n"
        "9902,Bergstad,01-01-2020,31-12-2030,9901\r\n9903,Nieuwstad,20300101,,\r\n"
    ).encode()
    assert bring(keeper, "gemeenten", content).status_code == 303
    page = keeper.get("/beheer/gemeenten/concept").text
    counted = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page))
    assert counted == {"Nieuw": "1", "Gewijzigd": "1", "Eindigt": "1", "Blijft gelijk": "0", "Fouten": "0"}
    assert one(db, "SELECT count(*) AS n FROM municipality") == {"n": 2}
    assert put_in_force(keeper, "gemeenten").status_code == 303
    names = db.execute("SELECT code, name, valid_until FROM municipality ORDER BY code").fetchall()
    assert [row["name"] for row in names] == ["Dalstad aan Zee", "Bergstad", "Nieuwstad"]
    draft = one(db, "SELECT id, outcome FROM register_draft")
    assert draft["outcome"] == "applied"
    assert one(db, "SELECT count(*) AS n FROM register_change WHERE rehearsal = %s", draft["id"]) == {"n": 3}


def test_a_file_with_one_error_changes_nothing_at_all(keeper: Any, world: World, db: Db) -> None:
    content = "code;naam;geldig_vanaf\n9901;Dalstad;2020-01-01\n99;Bergstad;2020-01-01\n9901;Dalstad;2020-01-01\n"
    assert bring(keeper, "gemeenten", content.encode()).status_code == 303
    page = keeper.get("/beheer/gemeenten/concept").text
    assert "Regel 2: Bergstad" in page
    assert "Een gemeentecode heeft 4 cijfers" in page
    assert "Deze staat twee keer in de lijst." in page
    assert "In gebruik nemen" not in page
    version = value_of(page, "versie")
    refused = post(keeper, "/beheer/gemeenten/concept/toepassen", versie=version, gezien="x")
    assert refused.status_code == 409
    assert one(db, "SELECT count(*) AS n FROM municipality") == {"n": 0}
    assert post(keeper, "/beheer/gemeenten/concept/weg", versie=version, regel="2").status_code == 303
    assert "Regel 2: Dalstad" in keeper.get("/beheer/gemeenten/concept").text


def test_a_file_that_was_looked_at_before_another_changed_something_is_looked_at_again(
    keeper: Any, world: World, db: Db
) -> None:
    town = municipality(world)
    bring(keeper, "gemeenten", b"code;naam;geldig_vanaf\n9901;Dalstad aan Zee;2020-01-01\n")
    page = keeper.get("/beheer/gemeenten/concept").text
    db.execute("UPDATE municipality SET name = 'Dalstad-Noord' WHERE id = %s", (town,))
    fields = {name: value_of(page, name) for name in ("versie", "gezien")}
    refused = post(keeper, "/beheer/gemeenten/concept/toepassen", **fields)
    assert refused.status_code == 409
    assert "Intussen is er iets gewijzigd." in refused.text
    assert one(db, "SELECT name FROM municipality") == {"name": "Dalstad-Noord"}


@pytest.mark.parametrize("path", [path for path in PATHS if path != "regio"])
def test_what_was_saved_as_a_file_reads_back_as_the_same(keeper: Any, world: World, path: str) -> None:
    line(world)
    municipality(world)
    world.db.execute("UPDATE team SET phone = '+31 88 123' WHERE region_id = %s", (world.region,))
    file = keeper.get(f"/beheer/{path}/bestand").content
    assert len(list(csv.reader(io.StringIO(file.decode("utf-8-sig")), delimiter=";"))) >= 2
    assert bring(keeper, path, file).status_code == 303
    page = keeper.get(f"/beheer/{path}/concept").text
    counted = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page))
    assert counted["Blijft gelijk"] != "0"
    assert {counted[kind] for kind in ("Nieuw", "Gewijzigd", "Eindigt", "Fouten")} == {"0"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Dit bestand is leeg."),
        (b"code;naam;geldig_vanaf\n", "Er staan geen regels in dit bestand."),
        ("code;naam;geldig_vanaf\n9901;Café;2020-01-01".encode("cp1252"), "De letters zijn niet te lezen."),
        (b"PK\x03\x04\x00\x00", "Dit is geen tekstbestand."),
        (b"code;naam\n9901;Dal\n", "De kolom &#39;geldig_vanaf&#39; ontbreekt."),
        (b"code;naam;geldig_vanaf;code\n", "Er staan geen regels in dit bestand."),
        (b"code;naam;geldig_vanaf;code\n1;2;3;4\n", "Een kolom staat er twee keer in."),
        (b"code;naam;geldig_vanaf;kleur\n1;2;3;4\n", "De kolom &#39;kleur&#39; hoort hier niet."),
        (b"code;naam;geldig_vanaf\n9901;Dal\n", "Regel 2 heeft 2 kolommen in plaats van 3."),
        (b'code;naam;geldig_vanaf\n9901;"Dal;2020-01-01\n', "Er staat een aanhalingsteken verkeerd."),
        (b"code;naam;geldig_vanaf\n" + b"9901;Dal;2020-01-01\n" * 5001, "ten hoogste 5000 regels"),
        (b"code;naam;geldig_vanaf\n" + b"x" * 1024 * 1024, "Dit bestand is te groot."),
        ("code;naam;geldig_vanaf\n".encode("utf-16")[:-1], "De letters zijn niet te lezen."),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(keeper: Any, world: World, content: bytes, sentence: str) -> None:
    page = bring(keeper, "gemeenten", content)
    assert page.status_code == 400
    assert sentence in page.text
    assert world.db.execute("SELECT 1 FROM register_draft").fetchone() is None


def test_no_file_at_all_says_so(keeper: Any, world: World) -> None:
    assert "Kies eerst een bestand." in post(keeper, "/beheer/gemeenten/inlezen", codes="").text


RVIG = (
    '"92.10 Gemeentecode","92.11 Gemeentenaam","92.12 Nieuwe code","99.98 Datum ingang tabelregel",'
    '"99.99 Datum beëindiging tabelregel"\r\n'
    '"9901","Dalstad","9902","","20230101"\r\n"9902","Bergstad","","20230101",""\r\n"9903","Elders","","",""\r\n'
)


def test_table_33_of_rvig_is_read_for_the_codes_of_this_region(keeper: Any, world: World, db: Db) -> None:
    asked = bring(keeper, "gemeenten", RVIG.encode("utf-16"))
    assert asked.status_code == 400
    assert "Dit is een tabel van het hele land." in asked.text
    wrong = bring(keeper, "gemeenten", RVIG.encode("utf-16"), codes="9901 x")
    assert "Schrijf gemeentecodes van 4 cijfers" in wrong.text
    assert bring(keeper, "gemeenten", RVIG.encode("utf-16"), codes="9901, 9902").status_code == 303
    assert put_in_force(keeper, "gemeenten").status_code == 303
    rows = db.execute(
        "SELECT code, name, valid_from, valid_until, successor FROM municipality ORDER BY code"
    ).fetchall()
    assert [tuple(row.values()) for row in rows] == [
        ("9901", "Dalstad", date(1900, 1, 1), date(2022, 12, 31), "9902"),
        ("9902", "Bergstad", date(2023, 1, 1), None, None),
    ]


def test_a_code_of_another_region_is_refused_with_what_to_do(
    new_world: Callable[[], World], sign_in: Sign, db: Db
) -> None:
    ours, theirs = new_world(), new_world()
    municipality(theirs, "9901", "Dalstad")
    client = sign_in(ours.staff("administrator"))
    page = post(client, "/beheer/gemeenten", code="9901", naam="Dalstad", geldig_vanaf="2020-01-01")
    assert page.status_code == 409
    assert "is al in gebruik, misschien bij een andere regio" in page.text
    assert 'value="9901"' in page.text


# ── the routing: draft, rehearsal, activation ───────────────────────────────────────────────────────────────────


def propose(client: Any, world: World, **more: str) -> Any:
    fields = {
        "gemeente": "Dalstad",
        "plaats": "",
        "postcode_van": "1234",
        "postcode_tot": "1240",
        "team": str(world.team),
        "geldig_vanaf": TODAY.isoformat(),
        **more,
    }
    return post(client, "/beheer/routering", **fields)


def test_a_route_is_proposed_rehearsed_and_put_in_force(keeper: Any, world: World, db: Db) -> None:
    now = datetime.now(UTC)
    for days in (1, 30, 91):
        world.report(now - timedelta(days=days), [PERSON])
    assert propose(keeper, world, partner=str(world.local_team)).headers["location"] == "/beheer/routering/concept"
    assert one(db, "SELECT count(*) AS n FROM service_area") == {"n": 0}
    page = keeper.get("/beheer/routering/concept").text
    assert "In gebruik nemen" not in page
    version = value_of(page, "versie")
    early = post(keeper, "/beheer/routering/concept/toepassen", versie=version, gezien="x")
    assert early.status_code == 409
    assert post(keeper, "/beheer/routering/concept/proef", versie=version).status_code == 303
    page = keeper.get("/beheer/routering/concept").text
    assert ": 2. Daarvan krijgen een andere route: 2." in page
    assert "<td>geen regel: iemand kiest zelf</td><td>Dalstad: Team Noord, Wijkteam Dal</td>" in page
    assert "Voorbeeld" not in page.split("<main")[1].replace("Voorbeeldregio", "")
    assert put_in_force(keeper, "routering").headers["location"] == "/beheer/routering"
    found = routing.area(db, world.region, [PERSON], TODAY)
    assert found is not None
    assert (found["team_id"], found["partner_id"]) == (world.team, world.local_team)
    details = one(db, "SELECT details FROM audit_entry WHERE action = 'register.rehearse'")["details"]
    assert details == {"reports": 2, "changed": 2}


def test_a_draft_that_changed_after_its_rehearsal_is_rehearsed_again(keeper: Any, world: World, db: Db) -> None:
    propose(keeper, world)
    version = value_of(keeper.get("/beheer/routering/concept").text, "versie")
    post(keeper, "/beheer/routering/concept/proef", versie=version)
    propose(keeper, world, gemeente="Bergstad", postcode_van="2000", postcode_tot="2001")
    page = keeper.get("/beheer/routering/concept").text
    assert "In gebruik nemen" not in page
    refused = post(keeper, "/beheer/routering/concept/toepassen", versie=version, gezien="x")
    assert refused.status_code == 409
    assert one(db, "SELECT count(*) AS n FROM service_area") == {"n": 0}


def test_overlaps_and_gaps_are_shown(keeper: Any, world: World) -> None:
    line(world)
    line(world, postcode_from=1240, postcode_to=1250, place=None, partner_id=None)
    line(world, postcode_from=1260, postcode_to=1270, place=None)
    municipality(world, "9902", "Bergstad")
    page = keeper.get("/beheer/routering").text
    assert "<b>postcode 1240-1240</b>" in page
    assert "<li>Gemeente Bergstad</li>" in page
    assert "<li>Postcode 1251-1259</li>" in page


def test_undoing_a_route_goes_into_the_draft(keeper: Any, world: World, db: Db) -> None:
    row = line(world)
    db.execute("UPDATE service_area SET partner_id = NULL WHERE id = %s", (row,))
    last = one(db, "SELECT id FROM register_change WHERE object_id = %s ORDER BY version DESC LIMIT 1", row)["id"]
    answer = post(keeper, f"/beheer/wijzigingen/{last}/terug")
    assert answer.headers["location"] == "/beheer/routering/concept"
    assert one(db, "SELECT partner_id FROM service_area WHERE id = %s", row)["partner_id"] is None
    assert "<ins>Wijkteam Dal</ins>" in keeper.get("/beheer/routering/concept").text


# ── the second wall: the database itself ────────────────────────────────────────────────────────────────────────

CHANGES = {
    "region": "UPDATE region SET name = 'Kaping'",
    "team": "UPDATE team SET name = 'Kaping' WHERE kind = 'veilig_thuis'",
    "partner": "UPDATE team SET delivery_url = 'https://kaping.example' WHERE kind <> 'veilig_thuis'",
    "municipality": "UPDATE municipality SET name = 'Kaping'",
    "service_area": "UPDATE service_area SET partner_id = NULL",
    "sender": "UPDATE sender SET certificate_sha256 = repeat('a', 64) WHERE name LIKE 'Politie%'",
    "draft": "UPDATE register_draft SET lines = '[]'",
}


@pytest.fixture
def filled(world: World) -> World:
    line(world)
    municipality(world)
    world.db.execute(
        "INSERT INTO register_draft (id, region_id, register, lines, made_by, made_at)"
        " VALUES (%s, %s, 'teams', '[{}]', 'fenna', now())",
        (uuid7(), world.region),
    )
    return world


@pytest.fixture
def as_role(filled: World, as_web: Callable[[str], Db]) -> Callable[[str], Db]:
    def connect(role: str) -> Db:
        return as_web(sessions.key_of(session_of(filled.db, filled.staff(role))))

    return connect


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator"}))
def test_no_other_role_changes_a_register_even_when_our_code_asks(as_role: Any, filled: World, role: str) -> None:
    web = as_role(role)
    for name, statement in CHANGES.items():
        assert web.execute(statement).rowcount == 0, name
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, 'x', 'partner', '2020-01-01')",
            (uuid7(), filled.region),
        )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("SELECT sender_token_add(%s, %s, %s)", (filled.police, uuid7(), b"x" * 32))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("SELECT sender_tokens_end(%s)", (filled.police,))
    assert web.execute("SELECT * FROM routing_addresses(%s, '2000-01-01')", (filled.region,)).fetchall() == []
    assert one(web, "SELECT settle_ended_teams('2999-01-01') AS n") == {"n": 0}
    if role != "team_lead":
        assert web.execute("SELECT 1 FROM register_change").fetchall() == []
        assert web.execute("SELECT * FROM sender_facts(%s, '2000-01-01')", (filled.region,)).fetchall() == []
        assert one(web, "SELECT team_load(%s) AS load", filled.team) == {"load": None}


def test_an_administrator_changes_his_own_region_and_no_other(
    new_world: Callable[[], World], as_web: Callable[[str], Db]
) -> None:
    ours, theirs = new_world(), new_world()
    for world in (ours, theirs):
        line(world)
    municipality(ours, "9901")
    municipality(theirs, "9902")
    web = as_web(sessions.key_of(session_of(ours.db, ours.staff("administrator"))))
    for name, statement in CHANGES.items():
        if name != "draft":
            assert web.execute(statement).rowcount == 1, name
    assert one(ours.db, "SELECT count(*) AS n FROM region WHERE name = 'Kaping'") == {"n": 1}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("SELECT sender_token_add(%s, %s, %s)", (theirs.police, uuid7(), b"x" * 32))
    assert web.execute("SELECT * FROM routing_addresses(%s, '2000-01-01')", (theirs.region,)).fetchall() == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM team",
        "DELETE FROM register_change",
        "UPDATE register_change SET by = 'x'",
        "INSERT INTO register_change (id) VALUES (gen_random_uuid())",
        "UPDATE sender SET oin = '00000099000000001111'",
        "UPDATE sender SET own = true",
        "UPDATE team SET kind = 'partner'",
        "UPDATE region SET legal_form = 'stichting'",
        "SELECT token_hash FROM sender_token",
    ],
)
def test_what_not_even_an_administrator_does(as_role: Any, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("administrator").execute(statement)


def test_a_change_stays_as_it_is_even_for_the_owner(filled: World) -> None:
    for statement in ("UPDATE register_change SET by = 'x'", "DELETE FROM register_change"):
        with pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
            filled.db.execute(statement)


def test_the_database_lets_no_team_end_with_work_and_nobody_to_take_over(as_role: Any, filled: World) -> None:
    filled.task("dead_job", uuid7(), datetime.now(UTC), team=filled.team)
    with pytest.raises(psycopg.errors.IntegrityError, match="nobody takes over"):
        as_role("administrator").execute("UPDATE team SET valid_to = '2030-01-01' WHERE id = %s", (filled.team,))


# ── in English, and large ───────────────────────────────────────────────────────────────────────────────────────


def test_the_pages_and_their_sentences_are_in_english_too(keeper: Any, world: World) -> None:
    keeper.cookies.set(language.cookie_name(), "en", domain="testserver.local")
    page = post(keeper, "/beheer/teams", naam="x" * 101, geldig_vanaf="2030-01-01").text
    assert "Make this shorter: at most 100 characters." in page
    assert "Valid from" in page
    page = bring(keeper, "gemeenten", b"code;naam\n9901;Dal\n").text
    assert "The column &#39;geldig_vanaf&#39; is missing." in page
    assert "Changes" in keeper.get("/beheer/wijzigingen").text


def test_a_long_list_comes_in_pages_of_at_most_a_hundred_kilobytes(keeper: Any, world: World, db: Db) -> None:
    heading = "gemeente;plaats;team;partner;geldig_vanaf\n"
    lines = "".join(f"Gemeente {n};Plaats {n};Team Noord;Wijkteam Dal;2020-01-01\n" for n in range(1000))
    assert bring(keeper, "routering", (heading + lines).encode()).status_code == 303
    draft = keeper.get("/beheer/routering/concept")
    assert len(draft.content) < 70_000
    post(keeper, "/beheer/routering/concept/proef", versie=value_of(draft.text, "versie"))
    assert put_in_force(keeper, "routering").status_code == 303
    assert one(db, "SELECT count(*) AS n FROM service_area") == {"n": 1000}
    for path in ("routering", "routering?vanaf=950", "wijzigingen"):
        page = keeper.get(f"/beheer/{path}")
        assert page.status_code == 200
        assert len(page.content) < 70_000, path
    assert "951 tot en met 1000 van 1000" in keeper.get("/beheer/routering?vanaf=950").text
    assert one(db, "SELECT count(*) AS n FROM audit_entry WHERE action = 'register.apply'") == {"n": 1}


# ── what `veilig verify` says of it ─────────────────────────────────────────────────────────────────────────────


def breaches(db: Db, text: str) -> int:
    (found,) = [finding for finding in verify(db) if text in finding.text]
    assert found.checked
    return found.breaches


def test_a_change_that_went_round_the_register_is_found(filled: World, db: Db) -> None:
    rule = "each line of a register is as its last change says"
    assert breaches(db, rule) == 0
    db.execute("ALTER TABLE team DISABLE TRIGGER register_changed")
    db.execute("UPDATE team SET name = 'Stilletjes' WHERE id = %s", (filled.team,))
    assert breaches(db, rule) == 1


def test_work_that_stays_behind_with_an_ended_team_is_found(filled: World, db: Db) -> None:
    rule = "lies with a team that ended"
    filled.task("dead_job", uuid7(), datetime.now(UTC), team=filled.team)
    db.execute("UPDATE team SET valid_to = current_date - 3 WHERE id = %s", (filled.team,))
    assert breaches(db, rule) == 1
    db.execute("UPDATE task SET team_id = NULL")
    assert breaches(db, rule) == 0
