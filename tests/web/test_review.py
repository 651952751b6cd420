"""Link proposals on the screen: two sides, an answer that counts once, and nothing taken back unseen."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Db
from core.ids import uuid7
from radar.casework import cases, routing
from radar.linking import register
from web.pages import elements, review, side_by_side

with warnings.catch_warnings():
    # As in conftest.py: starlette announces a successor of httpx for its client.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
NOW = datetime.now(UTC)
Sign = Callable[[str], Any]

REASONS = [
    {"field": "first_name", "level": "alike", "weight": 8.4, "text": "Voornaam lijkt erg: 'Marja'"},
    {"field": "birth", "level": "one_part", "weight": 4.2, "text": "Geboortedatum bijna gelijk"},
    {"field": "address", "level": "different", "weight": -2.1, "text": "Ander adres"},
    {"field": "decision", "level": "not_sure", "weight": 0.0, "text": "Niet zeker genoeg"},
]


def who(given_names: str, surname: str, born: str = "", house: str = "1", **more: Any) -> dict[str, Any]:
    address = {"soort": "feitelijk", "straat": "Voorbeeldstraat", "huisnummer": house, "postcode": "1234AB"}
    return {
        "rol": {"tekst": "ouder met gezag"},
        "naam": {"voornamen": given_names, "geslachtsnaam": surname},
        "geslacht": "V",
        **({"geboortedatum": {"tekst": born, "indicatie": "V"}} if born else {}),
        "adressen": [address | {"woonplaats": "Dalstad"}],
        **more,
    }


MARIA = who("Maria", "Voorbeeld", "19880612", bsn="999993653", telefoonnummers=["0612345678"])
MARJA = who("Marja", "Voorbeelt", "19880621", "11", bsn="999993653", telefoonnummers=["0687654321"])
CHILD = who("Tess", "Voorbeeld", "20150301")


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[1].split('"')[0]


def send(client: Any, path: str, **form: str) -> Any:
    token = token_in(client.get("/wachtrij").text)
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


def propose(world: Any, days: int = 5, team: UUID | None = None, **at: Any) -> UUID:
    """A known mother, and a report of some days ago that may name her; gives the question."""
    home, case = world.household(NOW - timedelta(days=100))
    known = world.report(NOW - timedelta(days=100), [MARIA, CHILD], household=home, case=case)
    person = uuid7()
    world.link(known, 1, person, "new", household=home)
    world.link(known, 2, uuid7(), "new", household=home)
    received = NOW - timedelta(days=days)
    home, case = world.household(received)
    report = world.report(received, [MARJA, CHILD], household=home, case=case)
    for number in (1, 2):
        world.link(report, number, uuid7(), "new", household=home)
    return world.link(report, 1, person, "proposed", REASONS)


def state(db: Db, link: UUID) -> str:
    row = db.execute("SELECT state FROM link WHERE id = %s", (link,)).fetchone()
    assert row is not None
    return str(row["state"])


def all_rows(db: Db) -> dict[str, list[str]]:
    """Every row but those of the audit trail and the sessions."""
    tables = db.execute(
        "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'public'"
        " AND table_name NOT LIKE 'audit%%' AND table_name <> 'staff_session' ORDER BY 1"
    ).fetchall()
    return {row["t"]: [str(one) for one in db.execute(f'SELECT * FROM "{row["t"]}" ORDER BY 1')] for row in tables}


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_has_the_oldest_deadline_first_and_no_names(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    links = [propose(world, days) for days in (2, 9, 5)]
    sign_in(world.staff("intake_worker"))
    page = client.get("/koppelvoorstellen").text
    places = [page.index(f"/koppelvoorstellen/{link}") for link in (links[1], links[2], links[0])]
    assert places == sorted(places)
    assert "<b>3</b> wachten" in page
    assert "2 voor, 1 tegen" in page
    assert not re.search("Maria|Marja|Voorbeel[dt]|99999", page.split("<main")[1])
    noted = db.execute("SELECT count(*) AS n FROM audit_entry WHERE action = 'review.list'").fetchone()
    assert noted == {"n": 1}


def test_the_list_is_read_page_by_page_without_a_gap(
    client: Any, world: Any, sign_in: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [propose(world, days) for days in (9, 8, 7, 6, 5)]
    monkeypatch.setattr(review, "PAGE", 2)
    sign_in(world.staff("assessor"))
    seen: list[str] = []
    path = "/koppelvoorstellen"
    for _ in range(3):
        page = client.get(path).text
        seen += re.findall(r'class="what">\s*(?:<span[^\n]*)?\s*<a href="/koppelvoorstellen/([0-9a-f-]+)', page)
        path = next(iter(re.findall(r'class="button second" href="(/koppelvoorstellen[^"]+)"', page)), "")
    assert seen == [str(link) for link in links]
    assert path == ""


def test_a_filter_stays_on_the_way_and_a_wrong_one_is_refused(client: Any, world: Any, sign_in: Sign) -> None:
    first, second = propose(world, 9), propose(world, 5)
    sign_in(world.staff("assessor"))
    assert str(first) in client.get(f"/koppelvoorstellen?team={world.team}&reden=not_sure").text
    empty = client.get(f"/koppelvoorstellen?team={world.local_team}").text
    assert "Niets gevonden" in empty
    assert "0 voorstellen passen" in empty
    answer = send(client, f"/koppelvoorstellen/{first}", antwoord="overslaan", reden="not_sure")
    assert answer.headers["location"] == f"/koppelvoorstellen/{second}?reden=not_sure&gedaan={first}"
    assert client.get("/koppelvoorstellen?team=geen").status_code == 400
    assert client.get("/koppelvoorstellen?na=geen").status_code == 404


def test_nothing_waits(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    assert "Alles is nagekeken" in client.get("/koppelvoorstellen").text


@pytest.mark.parametrize("role", ["intake_worker", "assessor", "team_lead", "administrator"])
def test_each_role_reaches_what_the_matrix_says(client: Any, world: Any, sign_in: Sign, role: str) -> None:
    link = propose(world)
    wanted = 403 if role == "administrator" else 200
    sign_in(world.staff(role))
    for path in ("/koppelvoorstellen", f"/koppelvoorstellen/{link}"):
        assert client.get(path).status_code == wanted
    # A question holds nothing that could be taken back: seeing the consequences is a conflict for who may see them.
    preview = client.get(f"/koppelingen/{link}/gevolgen?handeling=ongedaan")
    assert preview.status_code == (403 if role == "administrator" else 409)
    assert send(client, f"/koppelvoorstellen/{link}", antwoord="").status_code == (400 if wanted == 200 else 403)


def test_another_region_is_not_there(client: Any, new_world: Callable[[], Any], sign_in: Sign, db: Db) -> None:
    ours, theirs = new_world(), new_world()
    link = propose(theirs)
    sign_in(ours.staff("team_lead"))
    assert str(link) not in client.get("/koppelvoorstellen").text
    for path in (f"/koppelvoorstellen/{link}", f"/koppelingen/{link}/gevolgen?handeling=ongedaan"):
        assert client.get(path).status_code == 404
    assert client.get(f"/koppelvoorstellen?gedaan={link}").status_code == 404
    for answer in ("zelfde", "ander", "overslaan"):
        assert send(client, f"/koppelvoorstellen/{link}", antwoord=answer).status_code == 404
    assert state(db, link) == "proposed"


# ── the pair ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pair_shows_both_sides_the_differences_and_the_weights_in_words(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    link = propose(world)
    sign_in(world.staff("assessor"))
    page = client.get(f"/koppelvoorstellen/{link}").text
    assert "Mar<mark>j</mark>a" in page
    assert "Mar<mark>i</mark>a" in page
    for words in ("lijkt erg", "verschilt", "gelijk", "zwaar voor", "matig voor", "licht tegen", "+8,4 bits"):
        assert words in page, words
    assert "Tess Voorbeeld" in page
    assert "2026-11" in page
    assert "zeer waarschijnlijk" in page
    noted = db.execute("SELECT object_id FROM audit_entry WHERE action = 'review.view'").fetchall()
    assert noted == [{"object_id": link}]


def test_a_bsn_or_phone_is_not_written_out(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    page = client.get(f"/koppelvoorstellen/{propose(world)}").text
    assert not re.search("999993653|0612345678|0687654321|612345678", page)
    assert page.count("eindigt op 653") == 2
    assert "eindigt op 678" in page
    assert "eindigt op 321" in page


def test_the_company_that_both_share_is_marked(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    link = propose(world)
    shared = db.execute(
        "SELECT k.person_id FROM link l JOIN membership b ON b.person_id = l.person_id JOIN membership o"
        " ON o.household_id = b.household_id AND o.person_id <> b.person_id JOIN link k ON k.person_id = o.person_id"
        " WHERE l.id = %s AND k.state = 'new'",
        (link,),
    ).fetchone()
    assert shared
    sign_in(world.staff("assessor"))
    assert "ook in deze melding" not in client.get(f"/koppelvoorstellen/{link}").text
    db.execute(
        "UPDATE link SET person_id = %s WHERE state = 'new' AND mention_id = (SELECT c.id FROM mention c"
        " JOIN mention m ON m.report_id = c.report_id JOIN link l ON l.mention_id = m.id"
        " WHERE l.id = %s AND c.number = 2)",
        (shared["person_id"], link),
    )
    assert "ook in deze melding" in client.get(f"/koppelvoorstellen/{link}").text


def test_only_the_pair_page_may_run_a_script_and_only_ours(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    pair = client.get(f"/koppelvoorstellen/{propose(world)}")
    policy = pair.headers["content-security-policy"]
    nonce = pair.text.split('<script nonce="')[1].split('"')[0]
    assert f"script-src 'nonce-{nonce}'" in policy
    assert "script-src" not in client.get("/koppelvoorstellen").headers["content-security-policy"]
    (source,) = re.findall(r'<script nonce="[^"]+" src="([^"]+)" defer></script>', pair.text)
    script = client.get(source)
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "sneltoetsen" in script.text


def test_hostile_text_stays_text(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    link = propose(world)
    db.execute(
        "UPDATE mention SET person = jsonb_set(jsonb_set(person, '{naam,voornamen}', to_jsonb(%(n)s::text)),"
        " '{rol,tekst}', to_jsonb(%(n)s::text))",
        {"n": NASTY},
    )
    sign_in(world.staff("assessor"))
    for path in ("/koppelvoorstellen", f"/koppelvoorstellen/{link}"):
        assert "alert('x')" not in client.get(path).text


# ── an answer ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "wanted", "told"),
    [("zelfde", "confirmed", "dezelfde persoon. De melding staat in casus"), ("ander", "rejected", "niet dezelfde")],
)
def test_an_answer_is_kept_and_leads_to_the_next_pair_with_a_way_back(
    client: Any, world: Any, sign_in: Sign, db: Db, answer: str, wanted: str, told: str
) -> None:
    first, second = propose(world, 9), propose(world, 5)
    username = world.staff("assessor")
    sign_in(username)
    went = send(client, f"/koppelvoorstellen/{first}", antwoord=answer)
    assert (went.status_code, went.headers["location"]) == (303, f"/koppelvoorstellen/{second}?gedaan={first}")
    row = db.execute("SELECT state, decided_by FROM link WHERE id = %s", (first,)).fetchone()
    assert row == {"state": wanted, "decided_by": username}
    page = client.get(went.headers["location"]).text
    assert told in page
    (undo,) = re.findall(r'<a href="([^"]+)" data-key="u"', page)
    shown = client.get(undo)
    assert shown.status_code == 200
    assert "Er is nog niets veranderd" in shown.text
    assert state(db, first) == wanted


def test_what_is_skipped_comes_back_last_and_is_stored_nowhere(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    first, second = propose(world, 9), propose(world, 5)
    sign_in(world.staff("assessor"))
    before = all_rows(db)
    went = send(client, f"/koppelvoorstellen/{first}", antwoord="overslaan").headers["location"]
    assert went == f"/koppelvoorstellen/{second}?gedaan={first}"
    assert "komt achteraan terug" in client.get(went).text
    went = send(client, f"/koppelvoorstellen/{second}", antwoord="overslaan").headers["location"]
    assert went == f"/koppelvoorstellen/{first}?gedaan={second}&rond=1"
    assert "weer bij het begin" in client.get(went).text
    assert all_rows(db) == before
    send(client, f"/koppelvoorstellen/{second}", antwoord="ander")
    went = send(client, f"/koppelvoorstellen/{first}", antwoord="overslaan").headers["location"]
    assert "het enige dat wacht" in client.get(went).text


def test_the_last_answer_leads_to_the_empty_list(client: Any, world: Any, sign_in: Sign) -> None:
    link = propose(world)
    sign_in(world.staff("assessor"))
    went = send(client, f"/koppelvoorstellen/{link}", antwoord="zelfde").headers["location"]
    assert went == f"/koppelvoorstellen?gedaan={link}"
    page = client.get(went).text
    assert "Alles is nagekeken" in page
    assert "Ongedaan maken" in page


@pytest.mark.parametrize("mine", ["zelfde", "ander"])
@pytest.mark.parametrize("theirs", ["zelfde", "ander"])
def test_who_comes_second_changes_nothing_and_is_told(
    client: Any, world: Any, sign_in: Sign, db: Db, mine: str, theirs: str
) -> None:
    first, second = propose(world, 9), propose(world, 5)
    colleague = world.staff("intake_worker")
    sign_in(colleague)
    send(client, f"/koppelvoorstellen/{first}", antwoord=theirs)
    sign_in(world.staff("assessor"))
    before = all_rows(db)
    answer = send(client, f"/koppelvoorstellen/{first}", antwoord=mine)
    assert answer.status_code == 409
    assert f"Uw antwoord is niet opgeslagen. {colleague} besloot op" in answer.text
    assert f'action="/koppelvoorstellen/{second}"' in answer.text
    assert all_rows(db) == before
    seen = client.get(f"/koppelvoorstellen/{first}")
    assert seen.headers["location"].startswith(f"/koppelvoorstellen/{second}?gedaan={first}")
    assert colleague in client.get(seen.headers["location"]).text


def test_two_answers_at_the_same_moment_count_once(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    link = propose(world)
    people = []
    for role in ("assessor", "team_lead"):
        sign_in(world.staff(role))
        people.append(
            (TestClient(client.app, base_url="https://testserver", follow_redirects=False), {**client.cookies})
        )
    start = Barrier(2)

    def say(number: int) -> int:
        own, cookies = people[number]
        own.cookies.update(cookies)
        token = token_in(own.get("/wachtrij").text)
        start.wait(10)
        form = {"formulier": token, "antwoord": ("zelfde", "ander")[number]}
        return int(own.post(f"/koppelvoorstellen/{link}", data=form, headers=OURS).status_code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(say, range(2))) == [303, 409]
    assert state(db, link) in ("confirmed", "rejected")


def test_a_no_from_the_report_page_does_not_undo_a_yes_of_a_moment_before(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    link = propose(world)
    sign_in(world.staff("assessor"))
    send(client, f"/koppelvoorstellen/{link}", antwoord="zelfde")
    answer = send(client, f"/koppelingen/{link}", handeling="afwijzen")
    assert "Er is nog niets veranderd" in answer.text
    assert state(db, link) == "confirmed"


def test_a_person_who_is_gone_cannot_be_a_yes(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    first, second = propose(world, 9), propose(world, 5)
    db.execute(
        "UPDATE link SET state = 'undone', decided_by = 'x', decided_at = now() WHERE state = 'new'"
        " AND person_id = (SELECT person_id FROM link WHERE id = %s)",
        (first,),
    )
    sign_in(world.staff("assessor"))
    page = client.get(f"/koppelvoorstellen/{first}").text
    assert "bestaat niet meer" in page
    assert 'data-key="j" disabled' in page
    answer = send(client, f"/koppelvoorstellen/{first}", antwoord="zelfde")
    assert answer.status_code == 409
    assert "bestaat niet meer in het register" in answer.text
    assert f'action="/koppelvoorstellen/{second}"' in answer.text
    assert state(db, first) == "proposed", "the question is not lost"
    assert send(client, f"/koppelvoorstellen/{first}", antwoord="ander").status_code == 303


def test_a_no_closes_every_question_between_the_two_and_is_not_asked_again(
    client: Any, world: Any, sign_in: Sign, db: Db
) -> None:
    sister = who("Marja", "Voorbeeld", "19910121", telefoonnummers=["0687654321"])

    def arrive(days: int, *persons: dict[str, Any]) -> UUID:
        at = NOW - timedelta(days=days)
        report: UUID = world.report(at, list(persons))
        with db.transaction():
            register.link_report(db, report, at)
            cases.attach(db, report)
            routing.propose(db, report)
        return report

    first, second = arrive(90, MARIA, CHILD), arrive(30, sister)
    person = "SELECT l.person_id AS p FROM link l JOIN mention m ON m.id = l.mention_id WHERE m.report_id = %s"
    maria = db.execute(person + " AND m.number = 1 AND l.state = 'new'", (first,)).fetchone()
    somebody = db.execute(person + " AND l.state = 'new'", (second,)).fetchone()
    assert maria
    assert somebody
    asked = "SELECT l.id FROM link l JOIN mention m ON m.id = l.mention_id WHERE l.state = 'proposed'"
    questions = [row["id"] for row in db.execute(asked)] or [world.link(second, 1, maria["p"], "proposed", REASONS)]
    # The other way round is the same question.
    other_way = world.link(first, 1, somebody["p"], "proposed", REASONS)
    sign_in(world.staff("assessor"))
    send(client, f"/koppelvoorstellen/{questions[0]}", antwoord="ander")
    assert state(db, other_way) == "rejected"
    third = arrive(2, sister)
    links = db.execute(
        "SELECT l.state, l.person_id FROM link l JOIN mention m ON m.id = l.mention_id WHERE m.report_id = %s",
        (third,),
    ).fetchall()
    assert links == [{"state": "automatic", "person_id": somebody["p"]}], "known, and not asked about Maria again"
    assert db.execute(asked).fetchall() == []


# ── taken back ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("link", "action", "wanted"),
    [("automatic", "ongedaan", "undone"), ("automatic", "afwijzen", "rejected")],
)
def test_nothing_is_taken_back_before_its_consequences_were_seen(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db, link: str, action: str, wanted: str
) -> None:
    sign_in(world.staff("assessor"))
    before = all_rows(db)
    path = f"/koppelingen/{family[link]}"
    shown = client.get(f"{path}/gevolgen?handeling={action}")
    asked = send(client, path, handeling=action)
    old = send(client, path, handeling=action, gezien="0" * 32)
    assert [shown.status_code, asked.status_code, old.status_code] == [200, 200, 409]
    assert "Intussen zijn de gevolgen anders geworden" in old.text
    assert all_rows(db) == before
    (seen,) = re.findall('name="gezien" value="([0-9a-f]+)"', shown.text)
    done = send(client, path, handeling=action, gezien=seen)
    assert done.status_code == 200
    assert "Dit is vastgelegd" in done.text
    assert state(db, family[link]) == wanted
    for words in ("Huishouden", "Casus", "Termijn", "Zicht op veiligheid", "Verstuurde berichten"):
        assert words in shown.text
        assert words in done.text


def test_a_no_can_be_withdrawn_and_is_asked_again(client: Any, world: Any, sign_in: Sign, db: Db) -> None:
    link = propose(world)
    sign_in(world.staff("assessor"))
    send(client, f"/koppelvoorstellen/{link}", antwoord="ander")
    shown = client.get(f"/koppelingen/{link}/gevolgen?handeling=intrekken").text
    assert "staat weer open" in shown
    (seen,) = re.findall('name="gezien" value="([0-9a-f]+)"', shown)
    send(client, f"/koppelingen/{link}", handeling="intrekken", gezien=seen)
    assert "<b>1</b> wacht" in client.get("/koppelvoorstellen").text


def test_what_cannot_be_taken_back_says_why(client: Any, world: Any, family: dict[str, UUID], sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    path = f"/koppelingen/{family['proposed']}/gevolgen"
    assert client.get(f"{path}?handeling=ongedaan").status_code == 409
    assert client.get(f"{path}?handeling=intrekken").status_code == 409
    assert client.get(f"{path}?handeling=weg").status_code == 400
    assert client.get(path).status_code == 400


def test_a_decision_that_rested_on_a_link_asks_for_a_second_look(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:

    report = family["second"]
    db.execute("UPDATE route SET state = 'replaced' WHERE report_id = %s", (report,))
    db.execute(
        "INSERT INTO route (id, region_id, report_id, state, path, reason, proposed_at, decided_at, decided_by)"
        " VALUES (%s, %s, %s, 'decided', 'conditions', 'Omdat.', now(), now(), 'bram')",
        (uuid7(), world.region, report),
    )
    sign_in(world.staff("assessor"))
    assert "opnieuw na" not in client.get(f"/meldingen/{report}").text
    world.task("review_route", report, datetime.now(UTC))
    assert "Kijk dit besluit opnieuw na" in client.get(f"/meldingen/{report}").text
    assert send(client, f"/meldingen/{report}/nagekeken").status_code == 303
    assert "opnieuw na" not in client.get(f"/meldingen/{report}").text
    assert send(client, f"/meldingen/{report}/nagekeken").status_code == 409
    sign_in(world.staff("intake_worker"))
    assert send(client, f"/meldingen/{report}/nagekeken").status_code == 403


# ── two persons side by side: pure ──────────────────────────────────────────────────────────────────────────────


def verdicts(left: dict[str, Any], *right: dict[str, Any]) -> dict[str, str]:
    return {row.label: row.verdict for row in side_by_side.side_by_side(left, [(one, "toen") for one in right])}


@pytest.mark.parametrize(
    ("field", "left", "right", "wanted"),
    [
        ("Voornamen", {"naam": {"voornamen": "Zoë"}}, {"naam": {"voornamen": "ZOE"}}, "same"),
        ("Voornamen", {"naam": {"voornamen": "Marja"}}, {"naam": {"voornamen": "Maria"}}, "alike"),
        ("Voornamen", {"naam": {"voornamen": "Ali"}}, {"naam": {"voornamen": "Bo"}}, "different"),
        ("Voornamen", {"naam": {"voornamen": "Ali"}}, {}, "left_only"),
        ("Voornamen", {}, {"naam": {"voornamen": "Ali"}}, "right_only"),
        (
            "Achternaam",
            {"naam": {"voorvoegsel": "van den", "geslachtsnaam": "Berg"}},
            {"naam": {"geslachtsnaam": "vandenBerg"}},
            "same",
        ),
        ("Geslacht", {"geslacht": "V"}, {"geslacht": "M"}, "different"),
        ("Geslacht", {"geslacht": "O"}, {"geslacht": "M"}, "unclear"),
        ("BSN", {"bsn": "999993653"}, {"bsn": "9999.93.653"}, "same"),
        ("BSN", {"bsn": "999999999"}, {"bsn": "999999999"}, "unclear"),
        ("Telefoon", {"telefoonnummers": ["06-12345678"]}, {"telefoonnummers": ["+31612345678"]}, "same"),
        ("Telefoon", {"telefoonnummers": ["112"]}, {"telefoonnummers": ["112"]}, "unclear"),
    ],
)
def test_a_field_is_compared_as_people_would(
    field: str, left: dict[str, Any], right: dict[str, Any], wanted: str
) -> None:
    assert verdicts(left, right)[field] == wanted


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [
        ("19880612", "19880612", "same"),
        ("19880612", "19881206", "alike"),
        ("19880612", "19880600", "alike"),
        ("19880612", "19880613", "alike"),
        ("19880612", "19790613", "different"),
        ("99999999", "99999999", "unclear"),
    ],
)
def test_dates_of_birth_may_be_swapped_partial_or_one_off(left: str, right: str, wanted: str) -> None:
    one, other = ({"geboortedatum": {"tekst": text, "indicatie": "V"}} for text in (left, right))
    assert verdicts(one, other)["Geboortedatum"] == wanted


@pytest.mark.parametrize(
    ("house", "letter", "wanted"), [("12", "", "same"), ("12", "b", "alike"), ("13", "", "different")]
)
def test_an_address_is_the_same_alike_or_another(house: str, letter: str, wanted: str) -> None:
    one, other = (
        {"adressen": [{"soort": "feitelijk", "huisnummer": number, "huisletter": part, "postcode": "1234 ab"}]}
        for number, part in (("12", ""), (house, letter))
    )
    assert verdicts(one, other)["Adres"] == wanted


def test_one_of_several_mentions_is_enough_and_each_value_has_its_newest_source() -> None:
    known = [
        ({"naam": {"voornamen": "Bo"}}, "melding van 3 maart"),
        ({"naam": {"voornamen": "Ali"}}, "melding van 2 maart"),
        ({"naam": {"voornamen": "Ali"}}, "melding van 1 maart"),
    ]
    (row,) = side_by_side.side_by_side({"naam": {"voornamen": "Ali"}}, known)
    assert row.verdict == "same"
    assert row.right == (
        side_by_side.Value((("Bo", True),), "melding van 3 maart"),
        side_by_side.Value((("Ali", False),), "melding van 2 maart"),
    )


def test_nothing_known_at_all_is_no_row() -> None:
    assert side_by_side.side_by_side({}, []) == []
    assert set(elements.FIELDS) >= set(side_by_side.NEAR)


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_pieces_are_the_text_and_what_is_not_marked_is_on_both_sides(left: str, right: str) -> None:
    ours, theirs = side_by_side.marked(left, right)
    assert ("".join(piece for piece, _ in ours), "".join(piece for piece, _ in theirs)) == (left, right)
    same = ["".join(piece for piece, differs in side if not differs) for side in (ours, theirs)]
    assert same[0] == same[1] or same[0].casefold() == same[1].casefold()


def test_only_the_letters_that_differ_are_marked() -> None:
    assert side_by_side.marked("Voorbeelt", "voorbeeld") == (
        (("Voorbeel", False), ("t", True)),
        (("voorbeel", False), ("d", True)),
    )
    assert side_by_side.marked("", "") == ((), ())
    poison = "x" * 50_000
    assert side_by_side.marked(poison, "Jan") == (((poison, True),), (("Jan", True),))


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (9.0, "zwaar voor"),
        (-8.0, "zwaar tegen"),
        (5.0, "matig voor"),
        (-3.8, "licht tegen"),
        (-1.4, "weegt nauwelijks mee"),
        (0.0, "weegt niet mee"),
    ],
)
def test_a_weight_in_words(weight: float, words: str) -> None:
    assert review.weight_words(weight) == words


@pytest.mark.parametrize(
    ("score", "words"),
    [(6.0, "zeer waarschijnlijk"), (3.0, "waarschijnlijk"), (0.0, "mogelijk"), (-0.1, "onzeker")],
)
def test_a_score_in_words(score: float, words: str) -> None:
    assert review.score_words(score) == words
