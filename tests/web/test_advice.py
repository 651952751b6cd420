"""The pages of advice: a short form that keeps out what is of a family, a list, and the way to a report."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.ids import uuid7
from core.sealing import new_key
from intake import advice, advice_rows
from intake.advice import AdviceInput, AskerContact
from tests.web.conftest import OURS, World

AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
FORM = {
    "wijze": "telefoon",
    "hoedanigheid": "15",
    "aanleiding.08": "ja",
    "aard.08": "ja",
    "vraag": "Een leerkracht maakt zich zorgen over een leerling.",
    "advies": "Bespreek het met een collega en volg de meldcode.",
    "duur": "20",
}
Sign = Callable[..., Any]


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[-1].split('"')[0]


def send(client: Any, path: str, data: dict[str, str], page: str = "") -> Any:
    token = token_in(client.get(page or path).text)
    return client.post(path, headers=OURS, data=data | {"formulier": token})


def stored(world: World, **more: Any) -> UUID:
    given = AdviceInput(
        **{
            "way": "telefoon",
            "capacity": "15",
            "occasions": ("08",),
            "question": "Een vraag over een papegaai.",
            "advice": "Een raad over een leguaan.",
        }
        | more
    )
    with world.db.transaction():
        return advice.record(world.db, world.region, given, by="teun", at=AT)


def actions(db: Db, object_id: UUID) -> list[str]:
    rows = db.execute("SELECT action FROM audit_entry WHERE object_id = %s ORDER BY at, number", (object_id,))
    return [row["action"] for row in rows.fetchall()]


@pytest.fixture
def worker(world: World, sign_in: Sign) -> Any:
    return sign_in(world.staff("intake_worker"))


# ── a new advice ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_advice_is_recorded_with_its_codes(worker: Any, world: World) -> None:
    answer = send(worker, "/adviezen/nieuw", FORM)
    assert answer.status_code == 303
    page = worker.get(answer.headers["location"])
    assert page.status_code == 200
    for text in ("AD-2026-000001", "Het advies is vastgelegd.", "School", "Getuige van geweld", FORM["vraag"]):
        assert text in page.text, text
    assert page.headers["cache-control"] == "no-store"
    row = advice_rows.listing(world.db, world.region)[0][0]
    assert (row["minutes"], row["natures"], row["recorded_by"]) == (20, ["08"], "intake_worker1")


def test_no_field_of_the_form_asks_for_the_family(worker: Any) -> None:
    page = worker.get("/adviezen/nieuw").text.split("<main")[1]
    names = set(re.findall(r'name="([a-z_.0-9]+)"', page))
    known = {"formulier", "id"} | set(FORM) | {"naam", "telefoon", "email"}
    assert {one for one in names - known if not one.startswith(("aanleiding.", "aard."))} == {
        "bewaren.ja",
        "vervolg.ja",
        "vervolg_op",
    }


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"wijze": ""}, "wijze", "Kies hoe de vraag binnenkwam."),
        ({"wijze": "chat"}, "wijze", "Kies hoe de vraag binnenkwam."),
        ({"wijze": "formulier", "advies": ""}, "wijze", "Kies hoe de vraag binnenkwam."),
        ({"hoedanigheid": "ZZ"}, "hoedanigheid", "Kies wie het advies vraagt."),
        ({"aanleiding.08": "", "aard.08": ""}, "aanleiding", "Kies waar het over gaat."),
        ({"aanleiding.08": "", "aanleiding.01": "ja"}, "aard", "Deze vorm van geweld hoort bij kindermishandeling."),
        ({"vraag": " "}, "vraag", "Schrijf in een paar zinnen wat de vraag is."),
        ({"advies": ""}, "advies", "Schrijf in een paar zinnen wat u adviseerde."),
        ({"duur": "lang"}, "duur", "Geef de duur in minuten"),
        ({"duur": "9999"}, "duur", "Geef de duur in minuten"),
        ({"duur": "\u0663"}, "duur", "Geef de duur in minuten"),
        ({"vervolg.ja": "ja"}, "vervolg_op", "Vul de dag van het vervolgadvies in"),
        ({"vervolg_op": "31-02-2027"}, "vervolg_op", "Vul een dag in die bestaat"),
        ({"naam": "Vera"}, "bewaren", "Vraag of u deze gegevens mag bewaren"),
        ({"bewaren.ja": "ja"}, "bewaren", "Vul een naam, telefoonnummer of e-mailadres in"),
        ({"bewaren.ja": "ja", "email": "geen"}, "email", "Schrijf het e-mailadres als naam@voorbeeld.nl."),
    ],
)
def test_bad_input_is_told_beside_its_field_and_nothing_is_stored(
    worker: Any, world: World, change: dict[str, str], field: str, sentence: str
) -> None:
    answer = send(worker, "/adviezen/nieuw", FORM | change)
    assert answer.status_code == 400
    assert f'href="#{field}"' in answer.text
    error = answer.text.split(f'id="fout-{field}"')[1].split("</p>")[0]
    assert sentence in error
    assert "collega en volg de meldcode" in answer.text or not (FORM | change)["advies"]
    assert advice_rows.listing(world.db, world.region)[0] == []


def test_a_name_in_the_text_is_shown_and_kept_only_with_a_reason(worker: Any, world: World) -> None:
    data = FORM | {"vraag": "De buurman heet karel, bsn 999993653, en slaat."}
    first = send(worker, "/adviezen/nieuw", data)
    assert first.status_code == 400
    assert "<mark>karel</mark>" in first.text
    assert "<mark>999993653</mark>" in first.text
    assert advice_rows.listing(world.db, world.region)[0] == []
    seen = first.text.split('name="gezien" value="')[1].split('"')[0]
    without = send(worker, "/adviezen/nieuw", data | {"gezien": seen})
    assert without.status_code == 400
    assert 'id="fout-waarom"' in without.text
    kept = send(worker, "/adviezen/nieuw", data | {"gezien": seen, "waarom": "Verzonnen voorbeeld uit een cursus"})
    assert kept.status_code == 303
    assert "Verzonnen voorbeeld uit een cursus" in worker.get(kept.headers["location"]).text


def test_a_reason_for_one_find_does_not_let_another_through(worker: Any, world: World) -> None:
    first = send(worker, "/adviezen/nieuw", FORM | {"vraag": "De buurman heet karel."})
    seen = first.text.split('name="gezien" value="')[1].split('"')[0]
    more = FORM | {"vraag": "De buurman heet karel, bel 0612345678.", "gezien": seen, "waarom": "Verzonnen"}
    answer = send(worker, "/adviezen/nieuw", more)
    assert answer.status_code == 400
    assert "De tekst is veranderd" in answer.text
    assert "<mark>0612345678</mark>" in answer.text
    assert advice_rows.listing(world.db, world.region)[0] == []


def test_the_same_form_sent_twice_is_one_advice(worker: Any, world: World) -> None:
    page = worker.get("/adviezen/nieuw").text
    data = FORM | {"formulier": token_in(page), "id": page.split('name="id" value="')[1].split('"')[0]}
    places = {worker.post("/adviezen/nieuw", headers=OURS, data=data).headers["location"] for _ in range(2)}
    assert len(places) == 1
    assert len(advice_rows.listing(world.db, world.region)[0]) == 1


def test_a_form_of_a_session_that_ended_gives_the_text_back(worker: Any, world: World) -> None:
    token = token_in(worker.get("/adviezen/nieuw").text)
    world.db.execute("UPDATE staff_session SET ended_at = now() - interval '1 second'")
    answer = worker.post("/adviezen/nieuw", headers=OURS, data=FORM | {"formulier": token})
    assert answer.status_code == 401
    assert FORM["vraag"] in answer.text
    assert advice_rows.listing(world.db, world.region)[0] == []


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_shows_no_text_and_is_on_record(worker: Any, world: World) -> None:
    stored(world, contact=AskerContact(consent=True, name="Vera Vrager", phone="0600000001"))
    page = worker.get("/adviezen").text
    assert "AD-2026-000001" in page
    assert not any(word in page for word in ("papegaai", "leguaan", "Vera", "0600000001"))
    assert world.db.execute("SELECT details FROM audit_entry WHERE action = 'advice.list'").fetchone() == {
        "details": {"rows": 1, "state": ""}
    }


def test_the_list_is_empty_in_words(worker: Any) -> None:
    assert "Nog geen adviezen" in worker.get("/adviezen").text
    assert "Geen advies past hierbij" in worker.get("/adviezen?wie=15&van=2026-01-01").text


@pytest.mark.parametrize(
    "query", ["toon=onzin&pagina=x", "van=31-02-2026&tot=onzin", "wie=%00&over=%27", "pagina=999999"]
)
def test_an_odd_address_is_no_error(worker: Any, query: str) -> None:
    assert worker.get(f"/adviezen?{query}").status_code == 200


def test_pages_of_the_list_keep_the_filter(worker: Any, world: World) -> None:
    for _ in range(advice_rows.PAGE + 1):
        stored(world)
    page = worker.get("/adviezen?wie=15").text
    assert "wie=15&amp;pagina=2" in page
    assert worker.get("/adviezen?wie=15&pagina=2").text.count('class="what"') == 1


def test_who_asked_is_shown_by_an_act_that_is_on_record(worker: Any, world: World) -> None:
    one = stored(world, contact=AskerContact(consent=True, name="Vera Vrager", phone="0600000001"))
    path = f"/adviezen/{one}"
    assert "Vera Vrager" not in worker.get(path).text
    answer = send(worker, f"{path}/contact", {}, path)
    assert answer.status_code == 200
    assert "Vera Vrager" in answer.text
    assert "0600000001" in answer.text
    assert "advice.contact" in actions(world.db, one)
    assert "De vrager is anoniem." in worker.get(f"/adviezen/{stored(world)}").text


def test_a_role_that_may_not_reach_who_asked_sees_no_button(world: World, sign_in: Sign) -> None:
    one = stored(world, contact=AskerContact(consent=True, phone="0600000001"))
    client = sign_in(world.staff("trusted_physician"))
    page = client.get(f"/adviezen/{one}").text
    assert "Toon hoe de vrager" not in page
    assert "omzetten" not in page
    answer = send(client, f"/adviezen/{one}/contact", {}, "/adviezen/nieuw")
    assert answer.status_code == 403


def test_advice_of_another_region_does_not_exist(new_world: Callable[[], World], sign_in: Sign) -> None:
    ours, theirs = new_world(), new_world()
    foreign = stored(theirs)
    client = sign_in(ours.staff("team_lead"))
    assert client.get(f"/adviezen/{foreign}").status_code == client.get(f"/adviezen/{uuid7()}").status_code == 404
    for part in ("contact", "antwoord", "omzetten"):
        assert send(client, f"/adviezen/{foreign}/{part}", {}, "/adviezen/nieuw").status_code == 404
    assert send(client, "/adviezen/nieuw", FORM | {"vorige": str(foreign)}).status_code == 404
    assert client.get(f"/adviezen/nieuw?vervolg={foreign}").status_code == 404
    ours_shown = stored(ours)
    listed = client.get("/adviezen").text
    assert f'href="/adviezen/{ours_shown}"' in listed
    assert str(foreign) not in listed


# ── answering and following up ──────────────────────────────────────────────────────────────────────────────


def test_a_question_of_the_site_is_answered(worker: Any, world: World) -> None:
    one = stored(world, way="formulier", advice="")
    assert "Wacht op antwoord" in worker.get("/adviezen?toon=open").text
    path = f"/adviezen/{one}"
    bad = send(worker, f"{path}/antwoord", {"advies": "Vraag het aan Karel."}, path)
    assert bad.status_code == 400
    assert "<mark>Karel</mark>" in bad.text
    assert send(worker, f"{path}/antwoord", {"advies": ""}, path).status_code == 400
    done = send(worker, f"{path}/antwoord", {"advies": "Bel ons gerust nog eens.", "duur": "5"}, path)
    assert done.status_code == 303
    page = worker.get(done.headers["location"]).text
    assert "De vraag is beantwoord" in page
    assert "Bel ons gerust nog eens." in page
    token = token_in(worker.get("/adviezen/nieuw").text)
    again = worker.post(f"{path}/antwoord", headers=OURS, data={"formulier": token, "advies": "Iets anders."})
    assert again.status_code == 303
    assert advice_rows.texts(world.db, world.region, one)["advice"] == "Bel ons gerust nog eens."


def test_a_follow_up_starts_with_the_codes_and_without_the_text(worker: Any, world: World) -> None:
    one = stored(world)
    page = worker.get(f"/adviezen/nieuw?vervolg={one}").text
    assert 'value="15" selected' in page
    assert "papegaai" not in page
    answer = send(worker, "/adviezen/nieuw", FORM | {"vorige": str(one)})
    shown = worker.get(answer.headers["location"]).text
    assert "Deze reeks" in shown
    assert "AD-2026-000001" in shown


# ── becoming a report ───────────────────────────────────────────────────────────────────────────────────────


def test_becoming_a_report_is_an_act_that_takes_only_codes_along(worker: Any, world: World) -> None:
    one = stored(world, contact=AskerContact(consent=True, name="Vera Vrager"))
    path = f"/adviezen/{one}/omzetten"
    page = worker.get(path).text
    assert "gaan niet mee" in page
    refused = send(worker, path, {"wijze": "telefoon"})
    assert refused.status_code == 400
    assert "Zo niet, dan blijft het een advies." in refused.text
    assert send(worker, path, {"akkoord.ja": "ja"}).status_code == 400
    assert world.db.execute("SELECT FROM intake_draft").fetchall() == []
    answer = send(worker, path, {"wijze": "telefoon", "akkoord.ja": "ja"})
    assert answer.status_code == 303
    call = worker.get(answer.headers["location"])
    assert call.status_code == 200
    assert 'value="15" selected' in call.text or 'value="15" checked' in call.text
    assert not any(word in call.text for word in ("papegaai", "leguaan", "Vera"))
    assert actions(world.db, one)[-1] == "advice.convert"


def test_an_advice_that_became_a_report_says_so_and_not_which(worker: Any, world: World) -> None:
    one = stored(world)
    send(worker, f"/adviezen/{one}/omzetten", {"wijze": "telefoon", "akkoord.ja": "ja"})
    report = uuid7()
    world.db.execute(
        "UPDATE intake_draft SET content = NULL, outcome = 'report', outcome_id = %s, done_at = %s, done_by = 'teun'",
        (report, AT + timedelta(days=1)),
    )
    page = worker.get(f"/adviezen/{one}").text
    assert "Werd een melding op" in page
    assert str(report) not in page
    assert "omzetten" not in page
    assert "Welke, staat hier niet" in worker.get(f"/adviezen/{one}/omzetten").text


# ── counts ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_counts_of_a_period(world: World, sign_in: Sign) -> None:
    stored(world)
    stored(world, occasions=("01",))
    client = sign_in(world.staff("team_lead"))
    page = client.get("/adviezen/tellingen?van=2026-07-01&tot=2026-12-31").text
    assert "<b>2</b> adviezen" in page
    assert "Partnergeweld" in page
    wrong = client.get("/adviezen/tellingen?van=2026-12-31&tot=2026-07-01")
    assert wrong.status_code == 400
    assert "De laatste dag ligt voor de eerste." in wrong.text


# ── chats ───────────────────────────────────────────────────────────────────────────────────────────────────


CHAT = "Vrager: mijn buurman heet karel en slaat zijn zoon\nMedewerker: bel 112 als het nu gevaarlijk is"


@pytest.fixture
def chat(world: World) -> UUID:

    sender, one = uuid7(), uuid7()
    world.db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'De chat', 'chat')",
        (sender, world.region, "00000099000000007000"),
    )
    key = new_key(one)
    world.db.execute(
        "INSERT INTO data_key (id, region_id, kek, wrapped) VALUES (%s, %s, %s, %s)",
        (one, world.region, key.kek, key.wrapped),
    )
    world.db.execute(
        "INSERT INTO advice_chat (id, region_id, sender_id, reference, fingerprint, began_at, ended_at, received_at,"
        " capacity, occasions, sealed) VALUES (%s, %s, %s, 'c-1', %s, %s, %s, %s, '35', '{08}', %s)",
        (
            one,
            world.region,
            sender,
            b"x" * 32,
            AT,
            AT + timedelta(minutes=25),
            AT + timedelta(minutes=26),
            key.seal(CHAT.encode(), f"advice_chat.sealed:{one}"),
        ),
    )
    return one


def test_a_chat_is_shown_with_what_was_found_in_it(worker: Any, world: World, chat: UUID) -> None:
    assert "<b>1</b> chats om na te kijken" in worker.get("/adviezen").text
    assert f"/adviezen/chats/{chat}" in worker.get("/adviezen/chats").text
    page = worker.get(f"/adviezen/chats/{chat}").text
    assert "<mark>karel</mark>" in page
    assert 'value="35" selected' in page
    assert 'value="25"' in page  # minutes
    assert actions(world.db, chat) == ["chat.view"]


def test_a_cleaned_chat_becomes_an_advice_and_what_was_sent_is_gone(worker: Any, world: World, chat: UUID) -> None:
    path = f"/adviezen/chats/{chat}"
    data = FORM | {"hoedanigheid": "35", "aard.08": "", "gesprek": CHAT, "handeling": "advies"}
    refused = send(worker, path, data)
    assert refused.status_code == 400
    assert "<mark>karel</mark>" in refused.text
    assert send(worker, path, data | {"gesprek": " "}).status_code == 400
    done = send(worker, path, data | {"gesprek": CHAT.replace("heet karel en ", "")})
    assert done.status_code == 303
    page = worker.get(done.headers["location"]).text
    assert "mijn buurman slaat zijn zoon" in page
    row = world.db.execute("SELECT sealed, outcome FROM advice_chat WHERE id = %s", (chat,)).fetchone()
    assert row == {"sealed": None, "outcome": "advice"}
    assert world.db.execute("SELECT FROM data_key WHERE id = %s", (chat,)).fetchone() is None
    assert worker.get(path).headers["location"].startswith("/adviezen/")
    assert world.db.execute("SELECT FROM report").fetchall() == []


def test_a_find_in_a_chat_may_stay_with_a_reason(worker: Any, world: World, chat: UUID) -> None:
    path = f"/adviezen/chats/{chat}"
    data = FORM | {"hoedanigheid": "35", "aard.08": "", "gesprek": CHAT.replace("\n", "\r\n"), "handeling": "advies"}
    seen = worker.get(path).text.split('name="gezien" value="')[1].split('"')[0]
    done = send(worker, path, data | {"gezien": seen, "waarom": "Naam die de vrager zelf verzon"})
    assert done.status_code == 303
    assert "Naam die de vrager zelf verzon" in worker.get(done.headers["location"]).text


def test_a_chat_without_advice_is_thrown_away(worker: Any, world: World, chat: UUID) -> None:
    path = f"/adviezen/chats/{chat}"
    unsure = send(worker, path, {"handeling": "geen"})
    assert unsure.status_code == 400
    assert "karel" in unsure.text  # the text is still there
    done = send(worker, path, {"handeling": "geen", "zeker.ja": "ja"})
    assert done.headers["location"] == "/adviezen/chats?gedaan=weg"
    assert "weggegooid" in worker.get(done.headers["location"]).text
    assert world.db.execute("SELECT FROM data_key WHERE id = %s", (chat,)).fetchone() is None
    assert advice_rows.listing(world.db, world.region)[0] == []
    assert worker.get(path).headers["location"] == "/adviezen/chats"


def test_the_radar_never_sees_an_advice_or_a_chat(worker: Any, world: World, chat: UUID) -> None:
    send(worker, "/adviezen/nieuw", FORM)
    send(worker, f"/adviezen/chats/{chat}", {"handeling": "geen", "zeker.ja": "ja"})
    for table in (
        "report",
        "mention",
        "person",
        "person_key",
        "link",
        "household",
        "cases",
        "message",
        "job",
        "task",
    ):
        assert world.db.execute(f"SELECT FROM {table}").fetchall() == [], table
