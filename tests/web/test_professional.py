"""The form of a professional: every step, wrong answers, going on by a code, sending, and a pharmacy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.database import Db, transaction
from core.settings import settings
from intake import attachments, saved_forms
from radar.protection import reporters
from tests.web.conftest import OURS, TestClient, World
from web.app import create_app
from workers import clock, work

PATH = "/melden-beroepskracht"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
ANSWERS: dict[str, dict[str, str]] = {
    "situatie": {"nuVeilig": "nee", "nuVeiligToelichting": "Vader komt vanavond terug."},
    "uzelf": {
        "sector": "onderwijs",
        "organisatie": "Basisschool De Es, Dalstad",
        "naam": "Juf Kanarie-Jansen",
        "functie": "intern begeleider",
        "hoedanigheid": "15",
        "telefoon": "0612398745",
        "bekend": "ja",
    },
    "persoon/1": {
        "rol": "jeugdige",
        "voornamen": "Xanthippe",
        "geslachtsnaam": "Voorbeeld",
        "geboortedatum.maand": "3",
        "geboortedatum.jaar": "2015",
        "geslacht": "V",
        "straat": "Voorbeeldstraat",
        "huisnummer": "1",
        "postcode": "1234 ab",
        "woonplaats": "Dalstad",
    },
    "persoon/2": {"rol": "ouder met gezag", "geslachtsnaam": "Voorbeeld", "bsn": "999993653", "zelfdeAdres": "ja"},
    "signalen": {
        "feiten": "Zij zei: papa slaat mij.\r\nIk zag een blauwe plek.",
        "bron": "Oma belde.",
        "indruk": "Ik denk dat zij bang is.",
        "sinds": "september",
        "aanleiding.08": "ja",
        "aard.01": "ja",
        "aard.08": "ja",
    },
    "overleg": {"overleg": "Met de aandachtsfunctionaris.", "kinderen": "ja", "kindcheck": "nvt"},
    "gesprek": {"gezinGeinformeerd": "nee", "waaromNiet": "Dat maakt het gevaar groter."},
    "afweging": {"vermoeden": "ja", "onveilig": "ja", "hulpMogelijk": "nee"},
    "besluit": {
        "stap": "5",
        "besluit": "Melden.",
        "zicht": "melder",
        "terugkoppeling": "ja",
        "blijftHelpen": "De school.",
    },
}


@dataclass
class Visitor:
    """Somebody with a browser on the form."""

    client: Any

    def post(self, step: str, data: dict[str, str] | None = None, files: Any = None, naar: str = "verder") -> Any:
        where = f"{PATH}/{step}" if step else PATH
        token = re.search(r'name="formulier" value="([0-9a-f]+)"', self.client.get(where).text)
        sent = {"naar": naar, "formulier": token[1] if token else "", **(data or {})}
        return self.client.post(where, data=sent, files=files, headers=OURS)

    def begin(self) -> None:
        answer = self.client.post(PATH, data={"handeling": "begin"}, headers=OURS)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}/situatie")

    def fill(self) -> None:
        self.begin()
        for step, answers in ANSWERS.items():
            answer = self.post(step, answers)
            assert answer.status_code == 303, (step, answer.text)

    def get(self, step: str) -> Any:
        return self.client.get(f"{PATH}/{step}" if step else PATH)


@pytest.fixture
def visitor(world: World, database_url: str) -> Iterator[Visitor]:
    with TestClient(create_app(), base_url="https://testserver", follow_redirects=False) as opened:
        yield Visitor(opened)


def the_report(db: Db) -> dict[str, Any]:
    rows = db.execute(
        "SELECT r.*, m.channel, m.reference FROM report r JOIN message m ON m.id = r.message_id"
    ).fetchall()
    assert len(rows) == 1
    return rows[0]


def jobs(db: Db) -> None:
    while row := db.execute("SELECT id FROM job WHERE state = 'new' AND due_at <= now() LIMIT 1").fetchone():
        work.carry_out(row["id"])


# ── from the first page to the queue ─────────────────────────────────────────────────────────────────────────────


def test_a_filled_in_form_becomes_a_report_with_all_that_was_said(visitor: Visitor, world: World, db: Db) -> None:
    visitor.fill()
    visitor.post("bijlagen", files={"bestand": ("../verslag .exe", PDF)}, naar="toevoegen")
    answer = visitor.post("controle", naar="versturen")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}/ontvangen")
    report = the_report(db)
    assert (report["region_id"], report["reporter_kind"], report["channel"]) == (
        world.region,
        "onderwijs",
        "professional",
    )
    told = report["content"]["aanmelding"]
    assert told["nuVeilig"] == "nee"
    assert told["meldcode"]["afweging"] == {"vermoeden": "ja", "onveilig": "ja", "hulpMogelijk": "nee"}
    assert told["meldcode"]["stap"] == "5"
    assert (told["aanleidingen"], told["aard"], told["terugkoppelingGewenst"]) == (["08"], ["01", "08"], True)
    assert report["content"]["incident"]["omschrijving"] == "Zij zei: papa slaat mij.\nIk zag een blauwe plek."
    assert "Indruk van de melder, geen feit: Ik denk" in report["content"]["situatie"]["omschrijving"]
    persons = [row["person"] for row in db.execute("SELECT person FROM mention ORDER BY number")]
    assert [one["rol"].get("code") for one in persons] == ["301", "112"]
    assert persons[0]["geboortedatum"] == {"tekst": "20150300", "indicatie": "D"}
    assert persons[1]["adressen"] == persons[0]["adressen"]
    assert persons[0]["adressen"][0]["postcode"] == "1234AB"
    assert db.execute("SELECT risk FROM task WHERE kind = 'assess'").fetchone() == {"risk": 2}
    jobs(db)
    assert [row["name"] for row in attachments.of_report(db, world.region, report["id"])] == ["verslag.pdf"]


def test_who_reported_is_in_the_vault_only(visitor: Visitor, db: Db) -> None:
    visitor.fill()
    visitor.post(
        "uzelf", ANSWERS["uzelf"] | {"bekend": "nee", "grond": "threat_reporter", "grondToelichting": "Zijn broer"}
    )
    visitor.post("controle", naar="versturen")
    report = the_report(db)
    everything = str(report) + str(db.execute("SELECT person FROM mention").fetchall())
    for secret in ("Kanarie-Jansen", "0612398745", "De Es", "intern begeleider", "Zijn broer"):
        assert secret not in everything, secret
    assert "naam geheim te houden" in everything
    assert reporters.has_any(db, report["id"])


def test_after_sending_nothing_of_it_is_left_but_the_number(visitor: Visitor, db: Db) -> None:
    visitor.fill()
    visitor.post("controle", naar="versturen")
    row = db.execute("SELECT * FROM saved_form").fetchone()
    assert row is not None
    assert (bytes(row["answers"]), row["code_hash"]) == (b"", None)
    page = visitor.get("ontvangen")
    assert row["number"] in page.text
    receipt = visitor.get("ontvangen/bewijs")
    assert receipt.headers["content-disposition"] == 'attachment; filename="ontvangst.txt"'
    for answer in (page, receipt):
        for secret in ("Xanthippe", "Voorbeeld", "Kanarie", "papa"):
            assert secret not in answer.text
    for step in ("situatie", "persoon/1", "controle"):
        assert visitor.get(step).headers["location"] == f"{PATH}/ontvangen"
    assert visitor.client.post(f"{PATH}/sluiten", data={"formulier": token(page)}, headers=OURS).status_code == 303
    assert visitor.get("ontvangen").headers["location"].startswith(PATH + "?weg=ja")


def token(page: Any) -> str:
    found = re.search(r'name="formulier" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


def test_sent_twice_at_once_is_one_report(visitor: Visitor, db: Db) -> None:
    visitor.fill()
    sent = {"naar": "versturen", "formulier": token(visitor.get("controle"))}
    for _ in range(2):
        answer = visitor.client.post(f"{PATH}/controle", data=sent, headers=OURS)
        assert answer.headers["location"] == f"{PATH}/ontvangen"
    the_report(db)


# ── nothing gets lost ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_refresh_and_back_show_what_was_typed(visitor: Visitor) -> None:
    visitor.begin()
    visitor.post("situatie", ANSWERS["situatie"])
    visitor.post("uzelf", {"naam": "Juf Kanarie"}, naar="terug")
    assert "Vader komt vanavond terug." in visitor.get("situatie").text
    assert 'value="Juf Kanarie"' in visitor.get("uzelf").text
    assert "U schreef dat het nu niet veilig is." in visitor.get("uzelf").text


def test_a_form_that_was_forgotten_is_begun_again_with_what_was_typed(visitor: Visitor, db: Db) -> None:
    visitor.begin()
    field = token(visitor.get("signalen"))
    db.execute("UPDATE saved_form SET visit_until = now() - interval '1 second'")
    sent = {"feiten": "Een lang verhaal.", "formulier": field}
    answer = visitor.client.post(f"{PATH}/signalen", data=sent, headers=OURS)
    assert answer.headers["location"] == f"{PATH}/signalen"
    assert "Een lang verhaal." in visitor.get("signalen").text


@pytest.mark.parametrize("crash", ["before the report", "after the report"])
def test_a_crash_while_sending_loses_nothing(
    visitor: Visitor, db: Db, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    visitor.fill()
    visitor.post("bijlagen", files={"bestand": ("verslag.pdf", PDF)}, naar="toevoegen")
    where = (
        "web.pages.professional_sending.own.record"
        if crash == "before the report"
        else "web.pages.professional_sending.saved_forms.finish"
    )

    def fail(*given: Any, **named: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(where, fail)
        assert visitor.post("controle", naar="versturen").status_code == 500
    db.execute("UPDATE job SET due_at = now()")
    jobs(db)
    if crash == "before the report":
        assert db.execute("SELECT FROM report").fetchall() == []
        assert visitor.post("controle", naar="versturen").headers["location"] == f"{PATH}/ontvangen"
    report = the_report(db)
    assert db.execute("SELECT report_id FROM attachment").fetchall() == [{"report_id": report["id"]}]
    assert db.execute("SELECT FROM saved_file").fetchall() == []
    assert visitor.get("controle").headers["location"] == f"{PATH}/ontvangen"


# ── save and go on ───────────────────────────────────────────────────────────────────────────────────────────────


def code_of(answer: Any) -> str:
    found = re.search(r'id="code">([0-9 ]+)<', answer.text)
    assert found, answer.text
    return found[1]


def test_a_code_brings_the_form_to_another_browser_once(visitor: Visitor, db: Db) -> None:
    visitor.begin()
    answer = visitor.post("signalen", {"feiten": "Tot hier."}, naar="bewaren")
    code = code_of(answer)
    assert re.fullmatch(r"([0-9]{4} ){7}[0-9]{4}", code)
    visitor.client.cookies.clear()
    taken = visitor.client.post(PATH, data={"handeling": "code", "code": code.replace(" ", "-")}, headers=OURS)
    assert taken.headers["location"] == f"{PATH}/controle"
    assert "Tot hier." in visitor.get("signalen").text
    again = visitor.client.post(PATH, data={"handeling": "code", "code": code}, headers=OURS)
    assert again.status_code == 403
    kept = db.execute("SELECT answers, code_hash FROM saved_form").fetchone()
    assert kept is not None
    assert b"Tot hier" not in bytes(kept["answers"])
    assert kept["code_hash"] is None


def test_a_wrong_a_used_and_an_expired_code_get_the_same_answer(visitor: Visitor, db: Db) -> None:
    visitor.begin()
    used = code_of(visitor.post("situatie", naar="bewaren"))
    expired = code_of(visitor.post("situatie", naar="bewaren"))
    db.execute("UPDATE saved_form SET code_until = now() - interval '1 second'")
    visitor.client.cookies.clear()
    answers = [
        visitor.client.post(PATH, data={"handeling": "code", "code": one}, headers=OURS)
        for one in (used, expired, "1234 " * 8, "", "x" * 5000)
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(403, answers[0].text)}
    assert "set-cookie" not in answers[0].headers


def test_trying_codes_is_slowed_down(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_PUBLIC_SENDS_AT_ONCE", "3")
    settings.cache_clear()
    found = [
        visitor.client.post(PATH, data={"handeling": "code", "code": "1"}, headers=OURS).status_code for _ in range(5)
    ]
    assert found == [403, 403, 403, 429, 429]


def test_what_nobody_can_open_any_more_is_cleared_away(visitor: Visitor, db: Db) -> None:
    visitor.begin()
    visitor.post("bijlagen", files={"bestand": ("verslag.pdf", PDF)}, naar="toevoegen")
    clock.count()
    assert len(db.execute("SELECT FROM saved_form").fetchall()) == 1
    visitor.post("situatie", naar="bewaren")
    db.execute("UPDATE saved_form SET visit_until = now() - interval '1 second'")
    clock.count()
    assert len(db.execute("SELECT FROM saved_form").fetchall()) == 1
    db.execute("UPDATE saved_form SET code_until = now() - interval '1 second'")
    clock.count()
    assert db.execute("SELECT FROM saved_form").fetchall() == []
    assert db.execute("SELECT FROM saved_file").fetchall() == []


# ── wrong answers ────────────────────────────────────────────────────────────────────────────────────────────────

WRONG = [
    ("situatie", {}, ["nuVeilig"]),
    ("situatie", {"nuVeilig": "misschien"}, ["nuVeilig"]),
    ("situatie", {"nuVeilig": "ja", "nuVeiligToelichting": "x" * 20_001}, ["nuVeiligToelichting"]),
    ("uzelf", {}, ["sector", "organisatie", "naam", "functie", "telefoon", "hoedanigheid", "bekend"]),
    ("uzelf", ANSWERS["uzelf"] | {"telefoon": "", "email": "geen adres"}, ["email"]),
    ("uzelf", ANSWERS["uzelf"] | {"telefoon": "06"}, ["telefoon"]),
    ("uzelf", ANSWERS["uzelf"] | {"bekend": "nee"}, ["grond"]),
    ("uzelf", ANSWERS["uzelf"] | {"hoedanigheid": "35", "naam": "x" * 201}, ["hoedanigheid", "naam"]),
    ("personen", {}, ["personen"]),
    ("persoon/1", {}, ["geslachtsnaam", "rol"]),
    (
        "persoon/1",
        ANSWERS["persoon/1"] | {"bsn": "123456789", "postcode": "12", "huisnummer": "a"},
        ["bsn", "postcode", "huisnummer"],
    ),
    ("persoon/1", ANSWERS["persoon/1"] | {"geboortedatum.dag": "31", "geboortedatum.maand": "2"}, ["geboortedatum"]),
    ("persoon/1", ANSWERS["persoon/1"] | {"geboortedatum.dag": "3", "geboortedatum.maand": ""}, ["geboortedatum"]),
    ("persoon/1", ANSWERS["persoon/1"] | {"geboortedatum.jaar": "15"}, ["geboortedatum"]),
    (
        "persoon/1",
        ANSWERS["persoon/1"] | {"rol": "buurman", "geslacht": "X", "telefoon": "1"},
        ["rol", "geslacht", "telefoon"],
    ),
    ("signalen", {"sinds": "x" * 201}, ["feiten", "sinds"]),
    ("overleg", {"kindcheck": "x"}, ["kinderen", "kindcheck"]),
    ("gesprek", {}, ["gezinGeinformeerd"]),
    ("gesprek", {"gezinGeinformeerd": "nee"}, ["waaromNiet"]),
    ("afweging", {"vermoeden": "x"}, ["vermoeden"]),
    ("besluit", {}, ["stap", "zicht", "terugkoppeling"]),
]


CHOICES = {"nuVeilig", "hoedanigheid", "rol", "geslacht", "kindcheck", "vermoeden"}


@pytest.mark.parametrize(("step", "data", "names"), WRONG)
def test_a_wrong_answer_gets_a_sentence_beside_it_and_the_text_stays(
    visitor: Visitor, db: Db, step: str, data: dict[str, str], names: list[str]
) -> None:
    visitor.begin()
    answer = visitor.post(step, data)
    assert answer.status_code == 400
    for name in names:
        assert f'id="fout-{name}"' in answer.text, name
    # A choice that is not on offer cannot be shown; every text can.
    typed = [text[:100] for name, text in data.items() if name not in CHOICES]
    for page in (answer, visitor.get(step)):
        for text in typed:
            assert text in page.text
    assert db.execute("SELECT FROM report").fetchall() == []


def test_an_empty_form_cannot_be_sent_and_says_where_to_go(visitor: Visitor, db: Db) -> None:
    visitor.begin()
    answer = visitor.post("controle", naar="versturen")
    assert answer.status_code == 400
    for step in ("situatie", "uzelf", "personen", "signalen", "overleg", "gesprek", "besluit"):
        assert f'href="{PATH}/{step}"' in answer.text
    assert db.execute("SELECT FROM message").fetchall() == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("virus.exe", b"MZ\x90\x00", "Dit soort bestand"),
        ("leeg.pdf", b"", "leeg"),
        ("plaatje.svg", b"\x00<svg/>", "Dit soort bestand"),
        ("groot.pdf", PDF + b"x" * 2048, "te groot"),
    ],
)
def test_a_file_that_we_do_not_take_says_why(
    visitor: Visitor, db: Db, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, words: str
) -> None:
    monkeypatch.setenv("VEILIG_ATTACHMENT_BYTES", "2048")
    settings.cache_clear()
    visitor.begin()
    answer = visitor.post("bijlagen", files={"bestand": (name, content)}, naar="verder")
    assert answer.status_code == 400
    assert words in answer.text
    assert 'id="fout-bestand"' in answer.text
    assert db.execute("SELECT FROM saved_file").fetchall() == []


def test_a_file_can_be_taken_away_again(visitor: Visitor, db: Db) -> None:
    visitor.begin()
    visitor.post("bijlagen", files={"bestand": ("verslag.pdf", PDF)}, naar="verder")
    row = db.execute("SELECT id, name, content FROM saved_file").fetchone()
    assert row is not None
    assert PDF not in bytes(row["content"])
    assert "verslag.pdf" in visitor.get("bijlagen").text
    visitor.post("bijlagen", {"bestand": str(row["id"])}, naar="weg")
    assert db.execute("SELECT FROM saved_file").fetchall() == []


def test_nothing_was_chosen_to_add(visitor: Visitor) -> None:
    visitor.begin()
    assert "Kies eerst een bestand." in visitor.post("bijlagen", naar="toevoegen").text


# ── doors ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_form_from_elsewhere_changes_nothing(visitor: Visitor, db: Db) -> None:
    assert visitor.client.post(PATH, data={"handeling": "begin"}).status_code == 403
    visitor.begin()
    for headers, field in (({}, token(visitor.get("situatie"))), (OURS, "0" * 64)):
        sent = {"nuVeilig": "ja", "formulier": field}
        assert visitor.client.post(f"{PATH}/situatie", data=sent, headers=headers).status_code == 403


def test_the_browser_holds_one_random_token_and_the_title_says_nothing(visitor: Visitor) -> None:
    answer = visitor.client.post(PATH, data={"handeling": "begin"}, headers=OURS)
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(r"__Host-formulier=[\w-]{43}; HttpOnly; Path=/; SameSite=strict; Secure", cookie)
    for step in ("", "situatie", "persoon/1", "controle"):
        page = visitor.get(step)
        assert "<title>Formulier</title>" in page.text
        assert page.headers["cache-control"] == "no-store"


def test_unknown_pages_are_missing(visitor: Visitor) -> None:
    visitor.begin()
    for step in ("onzin", "persoon/0", "persoon/13", "persoon/x", f"persoon/{uuid4()}"):
        assert visitor.get(step).status_code == 404, step


def test_too_many_at_once_wait_and_keep_their_text(visitor: Visitor, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor.fill()
    visitor.post("controle", naar="versturen")
    visitor.client.cookies.clear()
    visitor.fill()
    monkeypatch.setenv("VEILIG_PUBLIC_SENDS_AT_ONCE", "1")
    settings.cache_clear()
    answer = visitor.post("controle", naar="versturen")
    assert answer.status_code == 429
    assert "0800-2000" in answer.text
    assert "Zij zei: papa slaat mij." in visitor.get("signalen").text
    assert len(db.execute("SELECT FROM report").fetchall()) == 1


# ── municipalities ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_municipality_of_the_family_says_for_which_region_it_is(
    visitor: Visitor, world: World, new_world: Any, db: Db
) -> None:
    other = new_world()
    for region, code, name in ((world.region, "0001", "Dalstad"), (other.region, "0002", "Bergstad")):
        db.execute(
            "INSERT INTO municipality (id, region_id, code, name, valid_from) VALUES (%s, %s, %s, %s, '2020-01-01')",
            (uuid4(), region, code, name),
        )
    visitor.begin()
    assert 'id="fout-gemeente"' in visitor.post("situatie", ANSWERS["situatie"]).text
    for step, answers in ANSWERS.items():
        visitor.post(step, answers | ({"gemeente": "0002"} if step == "situatie" else {}))
    assert visitor.post("controle", naar="versturen").status_code == 303
    assert the_report(db)["region_id"] == other.region


# ── a pharmacy ───────────────────────────────────────────────────────────────────────────────────────────────────

PHARMACY = {
    "slachtofferHier": "ja",
    "nuVeilig": "nee",
    "slachtoffer": "Mevrouw Voorbeeld",
    "verhaal": "Zij kocht een masker.",
    "apotheek": "Apotheek De Es",
    "naam": "Apotheker Jansen",
    "telefoon": "0201234567",
    "nummer": "01990000-0000-7000-8000-000000000001",
}


def test_a_code_word_in_a_pharmacy_is_acute_and_nobody_is_called_back(visitor: Visitor, db: Db) -> None:
    page = visitor.client.get(f"{PATH}?soort=apotheek")
    assert "Masker 19" in page.text
    for _ in range(2):
        answer = visitor.client.post(f"{PATH}/apotheek", data=PHARMACY, headers=OURS)
        assert answer.headers["location"] == f"{PATH}/ontvangen"
    report = the_report(db)
    told = report["content"]["aanmelding"]
    assert (told["wijze"], told["nietTerugbellen"], told["codewoord"]) == ("apotheek-masker19", True, "Masker 19")
    assert (report["reporter_kind"], report["reference"]) == ("zorg", PHARMACY["nummer"])
    assert db.execute("SELECT risk FROM task WHERE kind = 'assess'").fetchone() == {"risk": 2}
    assert "Apotheker Jansen" not in str(report)


@pytest.mark.parametrize("name", ["slachtofferHier", "nuVeilig", "slachtoffer", "apotheek", "naam", "telefoon"])
def test_a_pharmacy_hears_what_is_missing(visitor: Visitor, db: Db, name: str) -> None:
    answer = visitor.client.post(f"{PATH}/apotheek", data=PHARMACY | {name: ""}, headers=OURS)
    assert answer.status_code == 400
    assert f'id="fout-{name}"' in answer.text
    assert "Zij kocht een masker." in answer.text
    assert db.execute("SELECT FROM report").fetchall() == []


def test_an_open_form_names_no_plain_text_in_the_database(visitor: Visitor, db: Db) -> None:
    visitor.fill()
    row = db.execute("SELECT * FROM saved_form").fetchone()
    assert row is not None
    for secret in (b"Xanthippe", b"Kanarie", b"999993653"):
        assert secret not in bytes(row["answers"])
    with transaction("worker") as worker:
        assert saved_forms.forget_old(worker) == 0
    assert row["made_at"] <= datetime.now(UTC)
    assert isinstance(row["id"], UUID)


def test_who_begins_very_many_forms_waits_for_the_next(
    visitor: Visitor, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_PUBLIC_SENDS_AT_ONCE", "1")
    settings.cache_clear()
    visitor.begin()
    answer = visitor.client.post(PATH, data={"handeling": "begin"}, headers=OURS)
    assert answer.status_code == 429
    assert "0800-2000" in answer.text
    assert len(db.execute("SELECT FROM saved_form").fetchall()) == 1
