"""The form for everybody: from the first page to the queue, what is wrong with a sentence, and who is never told."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from core.database import Db, pool
from core.settings import settings
from intake import opening
from radar.casework import handover_shares
from radar.rights import extract, person
from tests.radar.canaries import tables_with
from tests.web.conftest import OURS, World
from tests.web.test_canary_crawl import jobs

STORY = "Ik hoor elke week geschreeuw en bonken. Gisteren huilde een kind op het balkon."
NASTY = "<script>alert('x')</script>\"'&"
REPORT = {
    "over": "ander",
    "wens": "melding",
    "gebeurt": STORY,
    "aanleiding": "01",
    "sinds": "Sinds de zomer",
    "veilig": "onbekend",
    "kinderen": "ja",
    "slachtoffer": "Xanthippe Voorbeeld",
    "slachtoffer_leeftijd": "38",
    "pleger": "Karel Proef",
    "kind1": "Sam",
    "kind1_leeftijd": "1-3-2015",
    "adres": "Voorbeeldstraat 12a",
    "postcode": "1234 ab",
    "wie": "35",
    "naam": "Melderman Kanarie",
    "bereik": "telefoon",
    "telefoon": "06 12398745",
    "wanneer": "Alleen overdag, vraag naar Roodborst",
}
ADVICE = {
    "over": "ander",
    "wens": "advies",
    "gebeurt": "mijn buurvrouw is vaak bang voor haar man. wat kan ik doen?",
    "aanleiding": "01",
    "wie": "35",
    "bereik": "niet",
}


class Citizen:
    """Somebody with a phone."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.form: dict[str, str] = {}

    def post(self, headers: dict[str, str] = OURS, /, **fields: str) -> Any:
        answer = self.client.post("/contact", data=fields, headers=headers)
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        return answer

    def open(self, **choice: str) -> str:
        """The second step; its form remembers what is hidden in it."""
        answer = self.post(doe="verder", **choice)
        assert answer.status_code == 200
        self.form = hidden(answer.text)
        return str(answer.text)

    def send(self, fields: dict[str, str], headers: dict[str, str] = OURS, /, **changes: str) -> Any:
        if not self.form:
            self.open(over=fields["over"], wens=fields["wens"])
        return self.post(headers, **(self.form | fields | changes | {"doe": "sturen"}))


def hidden(text: str) -> dict[str, str]:
    main = text.split("<main", 1)[1]
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', main)
    return {name: unescape(value) for name, value in found}


@pytest.fixture
def citizen_of(world: World, client: Any) -> Citizen:
    return Citizen(client)


def only(db: Db, query: str) -> dict[str, Any]:
    rows = db.execute(query).fetchall()
    assert len(rows) == 1
    return rows[0]


def test_the_first_page_is_neutral_and_leaves_nothing(client: Any, world: World) -> None:
    for path, title in (("/contact", "Contact"), ("/contact?l=en", "Contact")):
        page = client.get(path)
        assert page.status_code == 200
        assert f"<title>{title}</title>" in page.text
        assert "set-cookie" not in page.headers
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert "112" in page.text
        assert "0800-2000" in page.text
        assert "/static/" not in page.text, "what a browser keeps for a year would tell that it was here"
    for path in ("/contact/stijl.css", "/contact/pagina.js"):
        assert client.get(path).headers["cache-control"] == "no-store"


def test_a_report_reaches_the_queue_with_its_persons(citizen_of: Citizen, db: Db, world: World) -> None:
    answer = citizen_of.send(REPORT)
    assert answer.status_code == 200
    assert re.search(r"\d{4} \d{4} \d{4} \d{4}", answer.text)
    report = only(db, "SELECT r.*, m.channel FROM report r JOIN message m ON m.id = r.message_id")
    assert (report["region_id"], report["channel"], report["reporter_kind"]) == (world.region, "citizen", "burger")
    assert report["content"]["incident"]["omschrijving"] == STORY
    assert report["content"]["aanmelding"]["hoedanigheid"] == "35"
    persons = [row["person"] for row in db.execute("SELECT person FROM mention ORDER BY number")]
    assert [one["naam"]["volledigeNaam"] for one in persons] == ["Xanthippe Voorbeeld", "Karel Proef", "Sam"]
    assert persons[0]["adressen"][0] | {"soort": ""} == {
        "soort": "",
        "straat": "Voorbeeldstraat",
        "huisnummer": "12",
        "toevoeging": "a",
        "postcode": "1234AB",
    }
    assert "adressen" not in persons[1], "who hurts may live elsewhere"
    assert persons[2]["geboortedatum"]["tekst"] == "20150301"
    jobs(db)
    assert only(db, "SELECT count(*) AS n FROM task WHERE kind IN ('assess', 'acute_check')")["n"] >= 1


def test_not_safe_now_is_on_top_of_the_queue(citizen_of: Citizen, db: Db) -> None:
    answer = citizen_of.send(REPORT, veilig="nee")
    assert "Bel 112 als er gevaar is" in answer.text
    assert only(db, "SELECT max(risk) AS risk FROM task")["risk"] == 2


def test_who_reported_is_in_the_vault_and_nowhere_else(citizen_of: Citizen, db: Db) -> None:
    citizen_of.send(REPORT)
    jobs(db)
    secrets = ("Melderman", "12398745", "Roodborst")
    assert tables_with(db, secrets) == {}
    report = only(db, "SELECT id FROM report")["id"]
    contact = opening.identity(db, report)["contact"]
    assert contact["naam"] == "Melderman Kanarie"
    assert contact["functie"] == "Buur"
    assert contact["veiligBereikbaar"] == "Bellen mag. Alleen overdag, vraag naar Roodborst"
    assert contact["magBekendWorden"] is False


def test_the_trail_holds_who_asked_as_nobody_and_no_network_address(citizen_of: Citizen, db: Db) -> None:
    citizen_of.send(REPORT)
    lines = db.execute("SELECT actor, origin, purpose FROM audit_entry WHERE action = 'report.receive'").fetchall()
    assert [(line["actor"], line["origin"]) for line in lines] == [("public:citizen", None)]
    assert tables_with(db, ["testclient"]) == {}


def test_an_advice_is_stored_without_names_and_makes_no_report(citizen_of: Citizen, db: Db) -> None:
    answer = citizen_of.send(ADVICE)
    assert answer.status_code == 200, answer.text
    found = only(db, "SELECT * FROM advice")
    assert (found["way"], found["capacity"], found["recorded_by"]) == ("formulier", "35", "public:citizen")
    assert db.execute("SELECT 1 FROM report").fetchone() is None
    assert db.execute("SELECT 1 FROM advice_contact").fetchone() is None
    assert tables_with(db, ["buurvrouw"]) == {}


def test_an_advice_with_a_name_is_asked_about_first(citizen_of: Citizen, db: Db) -> None:
    fields = ADVICE | {"gebeurt": "Mijn buurvrouw Karin Jansen is bang. Zij woont in de Dorpsstraat 12."}
    answer = citizen_of.send(fields)
    assert answer.status_code == 400
    assert "Karin Jansen" in answer.text
    assert db.execute("SELECT 1 FROM advice").fetchone() is None
    citizen_of.form = hidden(answer.text)
    more = citizen_of.send(fields | {"gebeurt": fields["gebeurt"] + " Haar man heet Piet de Vries."}, toch="ja")
    assert more.status_code == 400, "what was not shown is not confirmed"
    assert "Piet de Vries" in more.text
    citizen_of.form = hidden(more.text)
    assert citizen_of.send(ADVICE).status_code == 200
    assert only(db, "SELECT finds FROM advice")["finds"] == 0


def test_who_asks_advice_is_reached_only_when_he_wants(citizen_of: Citizen, db: Db) -> None:
    answer = citizen_of.send(ADVICE, bereik="email", email="melderman@voorbeeld.example", naam="Roodborst")
    assert answer.status_code == 200, answer.text
    assert only(db, "SELECT count(*) AS n FROM advice_contact")["n"] == 1
    assert tables_with(db, ["melderman", "Roodborst"]) == {}


def test_about_oneself_the_safe_contact_comes_first(citizen_of: Citizen, db: Db) -> None:
    page = citizen_of.open(over="ik", wens="melding")
    assert page.index('id="bereiken"') < page.index('id="verhaal"')
    mine = {name: REPORT[name] for name in ("gebeurt", "aanleiding", "adres", "postcode")}
    answer = citizen_of.send(
        mine
        | {"over": "ik", "wens": "melding", "wie": "31", "naam": "Xanthippe Voorbeeld", "leeftijd": "38"}
        | {"pleger": "Karel Proef", "bereik": "niet", "geheim": "ja", "bekend": "ja"}
    )
    assert answer.status_code == 200, answer.text
    assert "Wij bellen of mailen u niet" in answer.text
    report = only(db, "SELECT id, content FROM report")
    assert report["content"]["aanmelding"]["nietTerugbellen"] is True
    roles = [row["person"]["rol"]["tekst"] for row in db.execute("SELECT person FROM mention ORDER BY number")]
    assert roles == ["vermoedelijk slachtoffer", "vermoedelijke pleger"]
    assert tables_with(db, ["Voorbeeldstraat", "1234AB"]) == {}, "a secret address goes into its vault at receipt"


def test_sent_twice_is_one_report_and_changed_it_is_a_supplement(citizen_of: Citizen, db: Db) -> None:
    first, again = citizen_of.send(REPORT), citizen_of.send(REPORT)
    number = re.search(r"\d{4} \d{4} \d{4} \d{4}", first.text)
    assert number is not None
    assert number[0] in again.text
    one = only(db, "SELECT id FROM report")
    assert citizen_of.send(REPORT, gebeurt=f"{STORY} Nu weer.").status_code == 200
    added = only(db, "SELECT supplements FROM report WHERE supplements IS NOT NULL")
    assert added["supplements"] == one["id"]


BAD: tuple[tuple[str, str], ...] = (
    ("gebeurt", "  "),
    ("gebeurt", "a" * 10_001),
    ("gebeurt", "bel\x07"),
    ("aanleiding", "99"),
    ("aanleiding", ""),
    ("sinds", "a" * 501),
    ("veilig", "misschien"),
    ("kinderen", "veel"),
    ("kinderen_meer", "a" * 501),
    ("slachtoffer", "a" * 201),
    ("slachtoffer_leeftijd", "31-2-2015"),
    ("pleger", "a" * 201),
    ("pleger_leeftijd", "1-1-2999"),
    ("kind1", "a" * 201),
    ("kind1_leeftijd", "1-13-2015"),
    ("adres", "a" * 201),
    ("postcode", "1234 ABC"),
    ("wie", "15"),
    ("wie", ""),
    ("naam", ""),
    ("naam", "a" * 201),
    ("bereik", ""),
    ("bereik", "duif"),
    ("telefoon", ""),
    ("telefoon", "drie"),
    ("email", "geen adres"),
    ("wanneer", "a" * 501),
)
CHOSEN = ("aanleiding", "veilig", "kinderen", "wie", "bereik")


@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{name}-{value[:12]}" for name, value in BAD])
def test_what_is_wrong_has_a_sentence_and_everything_typed_stays(
    citizen_of: Citizen, db: Db, name: str, value: str
) -> None:
    answer = citizen_of.send(REPORT, **{name: value})
    assert answer.status_code == 400
    page = unescape(answer.text)
    assert f'id="fout-{name}"' in page
    assert f'href="#{name}"' in page
    for other, typed in REPORT.items():
        if other not in (name, "over", "wens"):
            assert typed in page, other
    assert value.strip() in page or name in CHOSEN
    for table in ("message", "report", "advice"):
        assert db.execute(f"SELECT 1 FROM {table}").fetchone() is None


def test_a_report_without_anybody_asks_for_a_name_or_an_address(citizen_of: Citizen, db: Db) -> None:
    nobody = {name: "" for name in ("slachtoffer", "pleger", "kind1", "adres")}
    answer = citizen_of.send(REPORT, **nobody)
    assert answer.status_code == 400
    assert 'id="fout-slachtoffer"' in answer.text
    assert citizen_of.send(REPORT, **(nobody | {"adres": "Voorbeeldstraat 12a"})).status_code == 200
    person = only(db, "SELECT person FROM mention")["person"]
    assert person["adressen"][0]["straat"] == "Voorbeeldstraat"


def test_nothing_typed_can_act_in_the_page(citizen_of: Citizen, db: Db) -> None:
    text = {name: NASTY for name in ("gebeurt", "sinds", "slachtoffer", "adres", "naam", "wanneer", "kinderen_meer")}
    page = citizen_of.send(REPORT, **text, bereik="").text
    assert "<script>alert" not in page
    assert citizen_of.send(REPORT, **text).status_code == 200


def test_another_wish_or_language_keeps_what_was_typed(citizen_of: Citizen) -> None:
    citizen_of.open(over="ander", wens="advies")
    for step in ("melding", "advies", "en", "nl"):
        answer = citizen_of.post(**(citizen_of.form | {"gebeurt": STORY, "naam": "Melderman", "doe": step}))
        assert answer.status_code == 200
        assert STORY in answer.text
        assert "Melderman" in answer.text
        citizen_of.form = hidden(answer.text)
        assert citizen_of.form["wens" if step in ("melding", "advies") else "l"] == step


def test_a_form_from_elsewhere_is_not_taken_and_keeps_its_text(citizen_of: Citizen, db: Db) -> None:
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://elders.example"}):
        answer = citizen_of.send(REPORT, headers)
        assert answer.status_code == 403
        assert STORY in answer.text
    assert db.execute("SELECT 1 FROM report").fetchone() is None


def test_an_old_phone_that_names_our_host_only_is_taken(citizen_of: Citizen, db: Db) -> None:
    assert citizen_of.send(REPORT, {"origin": "https://testserver"}).status_code == 200
    only(db, "SELECT id FROM report")


def test_who_sends_too_often_waits_keeps_his_text_and_is_taken_then(
    citizen_of: Citizen, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_PUBLIC_SENDS_AT_ONCE", "1")
    settings.cache_clear()
    assert citizen_of.send(REPORT).status_code == 200
    citizen_of.form = {}
    answer = citizen_of.send(REPORT)
    assert answer.status_code == 429
    wait = int(answer.headers["retry-after"])
    assert f"Wacht {wait} seconden" in answer.text
    assert "0800-2000" in answer.text
    assert STORY in answer.text
    db.execute("UPDATE public_lane SET turn_at = turn_at - make_interval(secs => %s)", (wait,))
    assert citizen_of.send(REPORT).status_code == 200
    assert only(db, "SELECT count(*) AS n FROM report")["n"] == 2


def test_without_a_database_the_text_comes_back(citizen_of: Citizen, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen_of.open(over="ander", wens="melding")
    db.execute("ALTER TABLE message RENAME TO message_away")
    broken = citizen_of.send(REPORT)
    db.execute("ALTER TABLE message_away RENAME TO message")
    assert (broken.status_code, STORY in broken.text) == (503, True)
    pool("door").close()
    answer = citizen_of.send(REPORT)
    assert answer.status_code == 503
    assert STORY in answer.text
    assert "0800-2000" in answer.text


def test_the_way_out_goes_elsewhere_without_a_trace(citizen_of: Citizen) -> None:
    for answer in (citizen_of.client.get("/weg"), citizen_of.client.post("/weg", data={"formulier": "x"})):
        assert answer.status_code == 303
        assert answer.headers["location"] == "https://www.knmi.nl/"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["clear-site-data"] == '"cache", "storage"'
        assert answer.text == ""


def test_a_form_that_was_left_shows_and_sends_nothing_any_more(citizen_of: Citizen, db: Db) -> None:
    citizen_of.open(over="ander", wens="melding")
    citizen_of.client.post("/weg", data={"formulier": citizen_of.form["formulier"]}, headers=OURS)
    answer = citizen_of.send(REPORT)
    assert STORY not in answer.text
    assert 'name="gebeurt"' not in answer.text
    assert db.execute("SELECT 1 FROM report").fetchone() is None
    assert tables_with(db, [citizen_of.form["formulier"]]) == {}


def test_where_the_way_out_leads_is_a_setting(citizen_of: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_EXIT_URL", "https://krant.example/nieuws")
    settings.cache_clear()
    assert citizen_of.client.get("/weg").headers["location"] == "https://krant.example/nieuws"
    assert (
        "form-action 'self' https://krant.example;"
        in citizen_of.client.get("/contact").headers["content-security-policy"]
    )


def test_the_first_step_asks_for_both_choices(citizen_of: Citizen) -> None:
    answer = citizen_of.post(doe="verder", over="ander")
    assert answer.status_code == 400
    assert 'id="fout-wens"' in answer.text
    assert re.search(r'value="ander"\s+checked', answer.text)


def test_the_municipality_says_which_region_gets_it(
    citizen_of: Citizen, db: Db, world: World, new_world: Any
) -> None:
    other = new_world()
    for code, name, region in (("0001", "Dalstad", world.region), ("0002", "Bergstad", other.region)):
        db.execute(
            "INSERT INTO municipality (id, region_id, code, name, valid_from) VALUES (%s, %s, %s, %s, '2020-01-01')",
            (UUID(int=int(code)), region, code, name),
        )
    refused = citizen_of.send(REPORT)
    assert refused.status_code == 400
    assert 'id="fout-gemeente"' in refused.text
    assert citizen_of.send(REPORT, gemeente="0002").status_code == 200
    assert only(db, "SELECT region_id FROM report")["region_id"] == other.region


def test_two_regions_and_no_municipalities_is_said(citizen_of: Citizen, db: Db, new_world: Any) -> None:
    new_world()
    answer = citizen_of.send(REPORT)
    assert answer.status_code == 400
    assert STORY in answer.text
    assert "Wij weten niet welke regio" in answer.text


def test_no_log_line_holds_what_was_typed(citizen_of: Citizen, capfd: pytest.CaptureFixture[str]) -> None:
    citizen_of.send(REPORT, telefoon="drie")
    citizen_of.send(REPORT)
    written = "".join(capfd.readouterr())
    for typed in ("Melderman", "geschreeuw", "Xanthippe", "testclient"):
        assert typed not in written


def told_outside(db: Db, report: UUID) -> str:
    """All that could go out of this report without a grant: to a partner, and to each person in it."""
    parts = handover_shares.shared(db, report, handover_shares.PARTS)
    texts = handover_shares.texts(parts)
    for row in db.execute("SELECT id FROM mention WHERE report_id = %s", (report,)).fetchall():
        texts += [one.text for one in extract.items(db, person.certain(db, row["id"]))]
    return " ".join(texts)


def test_neither_partner_nor_family_learns_who_reported_or_what_he_is_to_them(citizen_of: Citizen, db: Db) -> None:
    citizen_of.send(REPORT, bekend="ja")
    jobs(db)
    outside = told_outside(db, only(db, "SELECT id FROM report")["id"])
    assert "Xanthippe" in outside
    assert "geschreeuw" in outside
    for canary in ("Melderman", "12398745", "Roodborst", "Buur"):
        assert canary not in outside, canary


def test_who_may_open_the_vault_reads_how_to_reach_the_reporter_safely(
    citizen_of: Citizen, db: Db, world: World, sign_in: Any
) -> None:
    citizen_of.send(REPORT, bekend="ja")
    report = only(db, "SELECT id FROM report")["id"]
    username = world.staff("assessor")
    sign_in(username)
    path = f"/meldingen/{report}/kluis"
    for page in (path, f"/meldingen/{report}"):
        assert "Roodborst" not in citizen_of.client.get(page).text
    world.open_vaults(username, report)
    page = citizen_of.client.get(path).text
    for told in ("Melderman Kanarie", "Roodborst", "Buur", "ja, zegt de melder"):
        assert told in page, told
