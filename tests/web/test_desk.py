"""A call at the desk: kept while it is typed, known here under the rules of searching, and what it becomes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.settings import settings
from radar.linking import register
from tests.web.conftest import OURS, World, person, session_of
from web import language
from web.access import sessions

with warnings.catch_warnings():
    # As in conftest.py: starlette announces a successor of httpx for its client.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

Sign = Callable[..., TestClient]
NOW = datetime.now(UTC)
CALL = {
    "wijze": "telefoon",
    "hoedanigheid": "35",
    "melder_naam": "Bep Verzonnen",
    "melder_telefoon": "06 11111111",
    "wat": "De buurvrouw wordt geslagen. Dat hoort de beller door de muur.",
    "sinds": "Sinds de zomer",
    "nu_veilig": "onbekend",
    "kinderen": "ja",
    "a1.straat": "Voorbeeldstraat",
    "a1.huisnummer": "12",
    "a1.postcode": "1234 ab",
    "a1.woonplaats": "Dalstad",
    "p1.rol": "ouder met gezag",
    "p1.voornamen": "Maria",
    "p1.achternaam": "Proefstra",
    "p1.geboren.jaar": "1988",
    "p1.geboren.maand": "6",
    "p1.geboren.dag": "12",
    "p1.adres": "1",
    "p2.rol": "jeugdige",
    "p2.voornamen": "Sam",
    "p2.achternaam": "Proefstra",
    "p2.geboren.jaar": "2019",
    "p2.adres": "1",
    "aanleiding.01": "ja",
    "gezin_weet": "nee",
}
MARIA = person("Maria", "Proefstra", "19880612", "ouder met gezag", bsn="999993653")


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[1].split('"')[0]


def version_in(html: str) -> str:
    return html.split('name="versie" value="')[1].split('"')[0]


class Desk:
    """One member at his desk, in one window."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        token = token_in(client.get("/gesprekken").text)
        self.path = client.post("/gesprekken", data={"formulier": token}, headers=OURS).headers["location"]
        self.id = UUID(self.path.rsplit("/", 1)[1])
        self.read()

    def read(self) -> str:
        html = str(self.client.get(self.path).text)
        self.token, self.version = token_in(html), version_in(html)
        return html

    def send(self, fields: Mapping[str, str], place: str = "", **more: str) -> Any:
        data = {"formulier": self.token, "versie": self.version, **fields, **more}
        return self.client.post(f"{self.path}{place}", data=data, headers=OURS)

    def keep(self, fields: Mapping[str, str]) -> Any:
        answer = self.send(fields, "/bewaren")
        if answer.status_code == 200:
            self.version = str(answer.json()["version"])
        return answer

    def to_report(self, fields: Mapping[str, str], **more: str) -> Any:
        """Through the page to read back, to the report."""
        answer = self.send(fields, handeling="melding")
        assert answer.status_code == 303, errors_in(answer.text)
        assert answer.headers["location"] == f"{self.path}/melding"
        html = self.client.get(f"{self.path}/melding").text
        self.version = version_in(html)
        return self.send({}, "/melding", **more)


def errors_in(html: str) -> dict[str, str]:
    found = re.findall(r'id="fout-([^"]+)">.*?</span>([^<]*)</span>', html, re.DOTALL)
    return {name: unescape(text) for name, text in found}


@pytest.fixture
def desk(world: World, sign_in: Sign) -> Desk:
    return Desk(sign_in(world.staff("intake_worker")))


def known(world: World, *persons: dict[str, Any], days: int = 3) -> UUID:
    """A report that came in and was linked."""
    at = NOW - timedelta(days=days)
    report = world.report(at, list(persons), reference=f"PL-{world.number}-{days}")
    with world.db.transaction():
        register.link_report(world.db, report, at)
    return report


def trail(db: Db) -> list[str]:
    return [row["action"] for row in db.execute("SELECT action FROM audit_entry ORDER BY at, number").fetchall()]


# ── kept while it is typed ──────────────────────────────────────────────────────────────────────────────────


def test_what_is_typed_comes_back_as_typed_also_when_it_is_wrong(desk: Desk) -> None:
    wrong = CALL | {"p1.bsn": "123", "a1.postcode": "zo maar", "wat": '<script>alert(1)</script> & "zo"'}
    assert desk.keep(wrong).json()["message"].startswith("Bewaard om ")
    html = desk.read()
    assert 'value="123"' in html
    assert 'value="zo maar"' in html
    assert "<script>alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert 'id="nu_veilig-onbekend" name="nu_veilig" value="onbekend" checked' in html
    assert (
        '<option value="1" selected>Adres 1: Voorbeeldstraat 12, Dalstad, zelfde adres als Sam Proefstra</option>'
        in html
    )


def test_nothing_of_a_call_stands_readable_in_the_database_or_the_trail(desk: Desk, db: Db) -> None:
    desk.keep(CALL)
    row = db.execute("SELECT *, content AS bytes FROM intake_draft").fetchone()
    assert row is not None
    stored = bytes(row["content"]) + str(row).encode()
    for word in (b"Proefstra", b"Bep", b"buurvrouw", b"Voorbeeldstraat"):
        assert word not in stored
    assert "Proefstra" not in str(db.execute("SELECT details FROM audit_entry").fetchall())
    assert [one for one in trail(db) if one.startswith("desk.")] == [
        "desk.list",
        "desk.start",
        "desk.view",
        "desk.save",
    ]


def test_the_same_text_again_is_no_new_version(desk: Desk) -> None:
    desk.keep(CALL)
    first = desk.version
    assert desk.keep(CALL).json()["version"] == int(first)
    assert desk.keep(CALL | {"waar": "Thuis"}).json()["version"] == int(first) + 1


def test_two_windows_never_write_over_each_other(desk: Desk) -> None:
    desk.keep(CALL)
    other = desk.version
    desk.keep(CALL | {"wat": "In het eerste venster.", "p3.rol": "kind", "p3.voornamen": "Derde"})
    desk.version = other
    answer = desk.send(CALL | {"wat": "In het tweede venster."}, "/bewaren")
    assert answer.status_code == 409
    assert "in een ander venster" in answer.json()["message"]
    page = desk.send(CALL | {"wat": "In het tweede venster."})
    assert page.status_code == 409
    assert "In het eerste venster." in page.text, "what the other window saved"
    assert "Persoon 3, Voornamen" in page.text
    assert "In het tweede venster." in page.text, "what was typed here"
    desk.version = version_in(page.text)
    assert desk.send(CALL | {"wat": "Samengevoegd."}).status_code == 303
    assert "Samengevoegd." in desk.read()


def test_a_row_is_added_and_taken_away_without_a_script(desk: Desk) -> None:
    answer = desk.send(CALL, handeling="persoon")
    assert answer.headers["location"] == f"{desk.path}#p3.rol"
    assert 'name="p3.achternaam"' in desk.read()
    assert desk.send(CALL, handeling="adres").headers["location"] == f"{desk.path}#a2.straat"
    desk.read()
    desk.send(CALL, handeling="weg-a1")
    html = desk.read()
    assert 'name="a1.straat"' not in html
    assert '<option value="1" selected>' not in html, "nobody lives at an address that is gone"


def test_fields_that_are_not_ours_are_left_out(desk: Desk) -> None:
    desk.keep(CALL | {"p1.rol": "jeugdige", "p1.oordeel": "x" * 10, "p99.rol": "kind", "zomaar": "een veld"})
    html = desk.read()
    for word in ("oordeel", "p99", "zomaar", "een veld"):
        assert word not in html


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_of_a_colleague_is_as_if_it_did_not_exist(desk: Desk, world: World, sign_in: Sign) -> None:
    desk.keep(CALL)
    sign_in(world.staff("intake_worker", "ander"))
    html = desk.client.get("/gesprekken").text
    assert "Uw collega werkt hier nu aan" in html
    assert "Proefstra" not in html
    assert desk.client.get(desk.path).status_code == 404
    desk.token = token_in(html)
    for place in ("", "/bewaren", "/bekend", "/melding", "/advies", "/einde"):
        assert desk.send(CALL, place).status_code == 404, place
    assert desk.send({}, "/overnemen").status_code == 403, "not while he works on it"
    assert desk.send({}, "/verwijderen", reden="Dubbel").status_code == 403


def test_an_abandoned_call_is_taken_over_and_its_first_owner_loses_no_text(
    desk: Desk, world: World, sign_in: Sign, db: Db
) -> None:
    desk.keep(CALL)
    db.execute("UPDATE intake_draft SET saved_at = saved_at - interval '31 minutes'")
    sign_in(world.staff("intake_worker", "ander"))
    desk.token = token_in(desk.client.get("/gesprekken").text)
    assert desk.send({}, "/overnemen").headers["location"] == desk.path
    assert "Proefstra" in desk.read()
    sign_in("intake_worker1")
    desk.token = token_in(desk.client.get("/gesprekken").text)
    answer = desk.send(CALL | {"wat": "Nog iets."}, "/bewaren")
    assert answer.status_code == 409
    assert "overgenomen" in answer.json()["message"]
    assert "desk.take_over" in trail(db)


def test_a_team_lead_need_not_wait(desk: Desk, world: World, sign_in: Sign) -> None:
    sign_in(world.staff("team_lead"))
    desk.token = token_in(desk.client.get("/gesprekken").text)
    assert desk.send({}, "/overnemen").status_code == 303


def test_a_call_is_removed_with_a_reason_without_names(desk: Desk, db: Db) -> None:
    desk.keep(CALL)
    empty = desk.send({}, "/verwijderen", reden=" ")
    assert empty.status_code == 400
    assert "Schrijf in een zin waarom" in empty.text
    assert "Schrijf het zonder" in desk.send({}, "/verwijderen", reden="BSN 999993653 stond er dubbel").text
    assert desk.send({}, "/verwijderen", reden="De lijn viel weg.").status_code == 303
    row = db.execute("SELECT content, outcome, reason FROM intake_draft").fetchone()
    assert row == {"content": None, "outcome": "removed", "reason": "De lijn viel weg."}
    assert db.execute("SELECT FROM data_key WHERE id = %s", (desk.id,)).fetchone() is None
    assert trail(db)[-1] == "desk.remove"


# ── known here? ─────────────────────────────────────────────────────────────────────────────────────────────


def test_known_here_shows_the_reports_who_watches_and_opens_them_beside(desk: Desk, world: World) -> None:
    household, case = world.household(NOW - timedelta(days=40))
    report = known(world, MARIA, days=40)
    world.db.execute("UPDATE report SET case_id = %s, household_id = %s WHERE id = %s", (case, household, report))
    answer = desk.send(CALL, "/bekend", persoon="1")
    assert answer.status_code == 200
    assert "Maria Proefstra" in answer.text
    assert "Eén melding" in answer.text
    assert f'href="/meldingen/{report}" target="_blank" rel="noopener"' in answer.text
    assert "Zicht op veiligheid: Veilig Thuis, Team Noord" in answer.text
    assert "<html" not in answer.text


def test_known_here_is_a_search_like_any_other(desk: Desk, world: World, db: Db) -> None:
    known(world, MARIA)
    desk.send(CALL, "/bekend", persoon="1")
    row = db.execute("SELECT purpose, context, outcome, results FROM search").fetchall()
    assert row == [{"purpose": "safety", "context": "call", "outcome": "done", "results": 1}]
    assert trail(db)[-2:] == ["search.use", "search.result"]
    desk.send(CALL, "/bekend", persoon="1")
    assert len(db.execute("SELECT FROM search").fetchall()) == 1, "the same question again is no new search"
    desk.send(CALL | {"p1.geboren.jaar": "1987"}, "/bekend", persoon="1")
    assert len(db.execute("SELECT FROM search").fetchall()) == 2


def test_hidden_and_missing_are_the_same(desk: Desk, world: World, db: Db) -> None:
    nobody = desk.send(CALL, "/bekend", persoon="1").text
    report = known(world, MARIA)
    row = db.execute("SELECT l.person_id FROM link l JOIN mention m ON m.id = l.mention_id").fetchone()
    contact = world.staff("team_lead")
    assert row is not None
    db.execute(
        "WITH made AS (INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
        " SELECT gen_random_uuid(), region_id, %s, id, 'Bekende', 'teun', now() FROM staff WHERE username = %s"
        " RETURNING *)"
        " INSERT INTO restricted_report (report_id, restriction_id, region_id) SELECT %s, id, region_id FROM made",
        (row["person_id"], contact, report),
    )
    assert desk.send(CALL, "/bekend", persoon="1").text == nobody


def test_the_quota_of_searches_holds_here_too_and_stops_no_report(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_SEARCHES_PER_HOUR", "1")
    settings.cache_clear()
    desk.send(CALL, "/bekend", persoon="1")
    answer = desk.send(CALL, "/bekend", persoon="2")
    assert "U hebt in korte tijd veel gezocht" in answer.text
    assert desk.to_report(CALL).status_code == 303


def test_nothing_is_looked_up_before_it_is_clear_what_the_call_is_about(desk: Desk, db: Db) -> None:
    answer = desk.send({name: text for name, text in CALL.items() if name != "wat"}, "/bekend", persoon="1")
    assert "Schrijf eerst bij 2 wat er aan de hand is" in answer.text
    few = desk.send({"wat": CALL["wat"], "p1.rol": "", "p1.achternaam": "Proefstra"}, "/bekend", persoon="1")
    assert "Nog te weinig om te zoeken" in few.text
    assert db.execute("SELECT FROM search").fetchall() == []


def test_without_a_script_all_persons_are_looked_up_at_once(desk: Desk, world: World) -> None:
    known(world, MARIA)
    answer = desk.send(CALL, handeling="zoek")
    assert answer.status_code == 200
    assert "misschien bekend" in answer.text
    assert "misschien bekend" in desk.read(), "and it is still there after a reload"


# ── a report ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_becomes_a_report_on_the_queue_and_the_call_is_emptied(desk: Desk, db: Db) -> None:
    answer = desk.to_report(CALL | {"nu_veilig": "nee"})
    assert answer.status_code == 303
    report = UUID(answer.headers["location"].rsplit("/", 1)[1])
    row = db.execute("SELECT content, reporter_kind, supplements FROM report WHERE id = %s", (report,)).fetchone()
    assert row is not None
    assert row["reporter_kind"] == "burger"
    assert row["supplements"] is None
    assert row["content"]["aanmelding"]["nuVeilig"] == "nee"
    assert row["content"]["incident"]["omschrijving"] == CALL["wat"]
    assert "Bep" not in str(row["content"]), "who reports is in the vault"
    task = db.execute("SELECT risk FROM task WHERE subject_id = %s AND kind = 'assess'", (report,)).fetchone()
    assert task == {"risk": 2}
    persons = db.execute("SELECT person FROM mention WHERE report_id = %s ORDER BY number", (report,)).fetchall()
    assert [one["person"]["naam"]["voornamen"] for one in persons] == ["Maria", "Sam"]
    assert persons[0]["person"]["adressen"] == persons[1]["person"]["adressen"]
    draft = db.execute("SELECT content, outcome, outcome_id FROM intake_draft").fetchone()
    assert draft == {"content": None, "outcome": "report", "outcome_id": report}
    assert db.execute("SELECT FROM data_key WHERE id = %s", (desk.id,)).fetchone() is None
    assert desk.client.get(desk.path).headers["location"] == f"/meldingen/{report}"
    assert desk.client.get(f"/meldingen/{report}").status_code == 200
    assert desk.client.get("/wachtrij").text.count(str(report)) >= 1
    assert "desk.report" in trail(db)


def test_pressing_twice_gives_one_report(desk: Desk, db: Db) -> None:
    first = desk.to_report(CALL).headers["location"]
    assert desk.send({}, "/melding").headers["location"] == first
    assert len(db.execute("SELECT FROM report").fetchall()) == 1


def test_a_crash_between_the_report_and_the_end_of_the_call_is_repaired_by_doing_it_again(
    desk: Desk, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    from intake.channels import drafts

    real = drafts.finish

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(drafts, "finish", crash)
    assert desk.to_report(CALL).status_code == 500
    assert len(db.execute("SELECT FROM report").fetchall()) == 1
    assert "Proefstra" in desk.read()
    monkeypatch.setattr(drafts, "finish", real)
    assert desk.to_report(CALL).status_code == 303
    assert len(db.execute("SELECT FROM report").fetchall()) == 1


def test_without_a_name_it_is_no_report_but_may_be_advice(desk: Desk, db: Db) -> None:
    answer = desk.send(CALL | {"anoniem": "ja"}, handeling="melding")
    assert answer.status_code == 400
    assert "moet Veilig Thuis weten wie er meldt" in errors_in(answer.text)["melder_naam"]
    assert "Proefstra" in answer.text, "what was typed is kept"
    assert db.execute("SELECT FROM report").fetchall() == []
    desk.read()
    assert desk.send(CALL | {"anoniem": "ja"}, handeling="advies").headers["location"] == f"{desk.path}/advies"


def test_veilig_thuis_can_report_by_itself_with_a_reason(desk: Desk, db: Db) -> None:
    own = {name: text for name, text in CALL.items() if not name.startswith(("melder_", "hoedanigheid"))}
    answer = desk.send(own | {"ambtshalve": "ja"}, handeling="melding")
    assert set(errors_in(answer.text)) == {"ambtshalve_reden"}
    desk.read()
    report = desk.to_report(own | {"ambtshalve": "ja", "ambtshalve_reden": "Drie adviezen over hetzelfde."})
    row = db.execute("SELECT content FROM report").fetchone()
    assert report.status_code == 303
    assert row is not None
    assert row["content"]["aanmelding"]["hoedanigheid"] == "14"
    assert "Drie adviezen" in row["content"]["situatie"]["aanvullendeInformatie"]


def test_each_wrong_field_has_a_sentence_beside_it_and_nothing_is_stored(desk: Desk, db: Db) -> None:
    wrong = {
        "wijze": "postduif", "wat": " ", "p1.rol": "buurman", "p1.bsn": "123456789", "p1.geboren.jaar": "88",
        "p1.achternaam": "Proefstra", "a1.straat": "", "a1.postcode": "12345", "p1.adres": "9", "aard.05": "ja",
        "aanleiding.01": "ja", "melder_email": "bij mij thuis", "laatst.jaar": "2999",
    }  # fmt: skip
    answer = desk.send(wrong, handeling="melding")
    assert answer.status_code == 400
    errors = errors_in(answer.text)
    assert set(errors) == {
        "wijze", "hoedanigheid", "melder_naam", "melder_email", "wat", "laatst", "nu_veilig", "kinderen",
        "a1.postcode", "p1.rol", "p1.bsn", "p1.geboren", "p1.adres", "aard",
    }  # fmt: skip
    for name in errors:
        assert f'href="#{name}"' in answer.text, name
        assert f'id="{name}"' in answer.text, name
    assert db.execute("SELECT FROM report").fetchall() == []
    assert 'value="123456789"' in desk.read()


def test_a_household_of_the_last_days_asks_for_a_choice_and_can_be_added_to(desk: Desk, world: World, db: Db) -> None:
    report = known(world, MARIA)
    assert desk.send(CALL, handeling="melding").status_code == 303
    html = desk.client.get(f"{desk.path}/melding").text
    assert "Over dit gezin kwam pas nog een melding" in html
    assert f'value="{report}"' in html
    desk.version = version_in(html)
    assert "Kies of dit een nieuwe melding is" in desk.send({}, "/melding", keuze="ja").text
    assert db.execute("SELECT FROM report WHERE id <> %s", (report,)).fetchall() == []
    assert desk.send({}, "/melding", keuze="ja", aanvulling=str(report)).status_code == 303
    row = db.execute("SELECT supplements FROM report WHERE id <> %s", (report,)).fetchone()
    assert row == {"supplements": report}


def test_an_addition_to_a_report_of_ours_stands_beside_it_with_what_changed(desk: Desk, world: World, db: Db) -> None:
    first = UUID(desk.to_report(CALL).headers["location"].rsplit("/", 1)[1])
    again = Desk(desk.client)
    again.to_report(CALL | {"wat": "Nu ook met een mes."}, keuze="ja", aanvulling=str(first))
    rows = db.execute("SELECT reference_of_reporter, supplements FROM report ORDER BY received_at").fetchall()
    assert rows[0]["reference_of_reporter"] == rows[1]["reference_of_reporter"]
    assert rows[1]["supplements"] == first


def test_a_household_of_long_ago_asks_nothing(desk: Desk, world: World) -> None:
    known(world, MARIA, days=40)
    desk.send(CALL, handeling="melding")
    assert 'name="keuze"' not in desk.client.get(f"{desk.path}/melding").text


def test_nobody_adds_to_a_report_that_he_may_not_see(desk: Desk, new_world: Callable[[], World]) -> None:
    foreign = known(new_world(), MARIA)
    assert desk.to_report(CALL, aanvulling=str(foreign)).status_code == 404


def test_what_changed_after_it_was_read_back_is_read_back_again(desk: Desk, db: Db) -> None:
    desk.send(CALL, handeling="melding")
    stale = version_in(desk.client.get(f"{desk.path}/melding").text)
    desk.read()
    desk.keep(CALL | {"wat": "Heel iets anders."})
    desk.version = stale
    answer = desk.send({}, "/melding")
    assert answer.status_code == 409
    assert "Heel iets anders." in answer.text
    assert db.execute("SELECT FROM report").fetchall() == []


# ── advice, or neither ──────────────────────────────────────────────────────────────────────────────────────

ADVICE = {
    "deel": "advies",
    "advies_vraag": "Een buurvrouw hoort elke week ruzie door de muur.",
    "advies_gegeven": "Zij praat eerst met de moeder, en belt 112 als het niet veilig is.",
    "hoedanigheid": "35",
    "aanleiding.01": "ja",
}


def to_advice(desk: Desk, fields: Mapping[str, str] = CALL) -> str:
    assert desk.send(fields, handeling="advies").headers["location"] == f"{desk.path}/advies"
    html = str(desk.client.get(f"{desk.path}/advies").text)
    desk.version = version_in(html)
    return html


def test_the_page_of_the_advice_shows_what_goes_and_what_looks_like_a_person(desk: Desk) -> None:
    html = to_advice(desk, CALL | {"wat": "Maria Proefstra woont op Voorbeeldstraat 12 en wordt geslagen."})
    assert "Maria Proefstra: ouder met gezag, geboren 12 6 1988, Voorbeeldstraat 12, Dalstad" in html
    assert "Staat hier iets van het gezin?" in html
    assert "<mark>" in html


def test_an_advice_holds_nothing_of_the_family_and_the_call_is_emptied(desk: Desk, db: Db) -> None:
    to_advice(desk)
    answer = desk.send(ADVICE, "/advies", handeling="advies")
    assert answer.status_code == 303, errors_in(answer.text)
    stored = db.execute("SELECT id, way, capacity, occasions, finds FROM advice").fetchone()
    assert stored is not None
    assert (stored["way"], stored["capacity"], stored["occasions"], stored["finds"]) == ("telefoon", "35", ["01"], 0)
    assert db.execute("SELECT FROM advice_contact").fetchall() == []
    draft = db.execute("SELECT content, outcome, outcome_id FROM intake_draft").fetchone()
    assert draft == {"content": None, "outcome": "advice", "outcome_id": stored["id"]}
    assert db.execute("SELECT FROM data_key WHERE id = %s", (desk.id,)).fetchone() is None
    assert db.execute("SELECT FROM report").fetchall() == []


def test_what_looks_like_personal_data_is_cleaned_or_confirmed_before_anything_is_stored(desk: Desk, db: Db) -> None:
    to_advice(desk)
    telling = ADVICE | {"advies_vraag": "De moeder is te bereiken op 06 12345678."}
    answer = desk.send(telling, "/advies", handeling="advies")
    assert answer.status_code == 400
    assert "12345678" in answer.text
    assert db.execute("SELECT FROM advice").fetchall() == []
    assert db.execute("SELECT FROM intake_draft WHERE done_at IS NULL").fetchall() != []
    desk.version = version_in(answer.text)
    seen = unescape(answer.text.split('name="gezien_wat" value="')[1].split('"')[0])
    without = desk.send(telling, "/advies", handeling="advies", gezien="ja", gezien_wat=seen)
    assert "gezien_waarom" in errors_in(without.text)
    other = telling | {"advies_vraag": "De moeder is te bereiken op 06 87654321."}
    desk.version = version_in(without.text)
    new = desk.send(other, "/advies", handeling="advies", gezien="ja", gezien_wat=seen, gezien_waarom="Van ons")
    assert new.status_code == 400, "what was not on the page was not confirmed"
    desk.version = version_in(new.text)
    done = desk.send(telling, "/advies", handeling="advies", gezien="ja", gezien_wat=seen, gezien_waarom="Van ons")
    assert done.status_code == 303, errors_in(done.text)


def test_how_to_reach_who_asked_is_kept_only_when_he_agreed(desk: Desk, db: Db) -> None:
    html = to_advice(desk)
    assert "De beller vindt goed dat wij dit een tijd bewaren: Bep Verzonnen, 06 11111111" in html
    desk.send(ADVICE, "/advies", handeling="advies", advies_contact="ja")
    assert len(db.execute("SELECT FROM advice_contact").fetchall()) == 1


def test_an_incomplete_advice_says_what_is_missing(desk: Desk, db: Db) -> None:
    to_advice(desk, {"wat": "Ruzie", "p1.rol": ""})
    answer = desk.send({"advies_vraag": "Ruzie"}, "/advies", handeling="advies")
    assert {"hoedanigheid", "aanleiding", "advies_gegeven"} <= set(errors_in(answer.text))
    assert db.execute("SELECT FROM advice").fetchall() == []


def test_a_call_that_becomes_nothing_is_thrown_away_after_a_question(desk: Desk, db: Db) -> None:
    assert desk.send(CALL, handeling="einde").headers["location"] == f"{desk.path}/einde"
    assert "Alles wat u typte, gaat weg" in desk.client.get(f"{desk.path}/einde").text
    assert desk.send({}, "/einde").headers["location"] == "/gesprekken"
    row = db.execute("SELECT content, outcome FROM intake_draft").fetchone()
    assert row == {"content": None, "outcome": "ended"}
    assert desk.keep(CALL).status_code == 409


# ── the session ended ───────────────────────────────────────────────────────────────────────────────────────


def test_a_form_of_a_session_that_ended_comes_back_with_its_text(desk: Desk, db: Db) -> None:
    before = desk.token
    desk.client.cookies.clear()
    answer = desk.send(CALL)
    assert answer.status_code == 401
    assert "Proefstra" in answer.text
    assert "Log in (nieuw venster)" in answer.text
    desk.client.cookies.set(sessions.cookie_name(), session_of(db, "intake_worker1"), domain="testserver.local")
    again = desk.send(CALL)
    assert again.status_code == 403
    assert "U bent weer ingelogd" in again.text
    desk.token = token_in(again.text.split('<h1 id="kop">')[1])
    assert desk.token != before
    assert desk.send(CALL).status_code == 303
    assert "Proefstra" in desk.read()


def test_a_script_gets_the_token_of_the_new_session_only_for_its_own_call(
    desk: Desk, world: World, sign_in: Sign
) -> None:
    answer = desk.client.get(f"{desk.path}/sleutel")
    assert answer.json() == {"formulier": desk.token}
    sign_in(world.staff("intake_worker", "ander"))
    assert desk.client.get(f"{desk.path}/sleutel").status_code == 404


def test_a_form_of_another_site_gets_nothing_back(desk: Desk) -> None:
    desk.client.cookies.clear()
    answer = desk.client.post(desk.path, data=CALL, headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen")


def test_the_call_is_there_in_english_with_what_was_typed_as_it_was(desk: Desk) -> None:
    desk.keep(CALL)
    desk.client.cookies.set(language.cookie_name(), "en", domain="testserver.local")
    html = desk.read()
    assert "2. What is going on?" in html
    assert "Address 1: Voorbeeldstraat 12, Dalstad, same address as Sam Proefstra" in html
    assert CALL["wat"] in html
    wrong = desk.send(CALL | {"melder_naam": ""}, handeling="melding")
    assert errors_in(wrong.text)["melder_naam"].startswith("For a report Veilig Thuis must know who reports.")
