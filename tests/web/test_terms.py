"""The screens of terms and of persons concerned: both readings, extensions, telling, letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.deadlines import AMSTERDAM, local_day
from core.ids import uuid7
from radar.casework import letters, notices
from radar.rights import requests
from tests.radar.test_letters import words as words_of
from tests.web.conftest import FATHER, MOTHER, PERSON, World, person
from web.access.matrix import may

OURS = {"sec-fetch-site": "same-origin"}
NOW = datetime.now(UTC)
RECEIVED = NOW - timedelta(days=9)
Sign = Callable[[str], Any]
READERS = ["intake_worker", "assessor", "behavioural_scientist", "team_lead"]


def token_in(html: str) -> str:
    return html.split('name="formulier" value="')[1].split('"')[0]


def send(client: Any, path: str, **form: str) -> Any:
    token = token_in(client.get("/wachtrij").text)
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


@pytest.fixture
def report(world: World) -> UUID:
    """A linked report about a child and two parents, whose notices have begun."""
    household, case = world.household(RECEIVED)
    made = world.report(RECEIVED, [PERSON, MOTHER, FATHER], household=household, case=case)
    for number in (1, 2, 3):
        world.link(made, number, uuid7(), "new", household=household)
    assert notices.begin(world.db, made, RECEIVED) == 3
    return made


def mention(db: Db, report: UUID, number: int) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def term(db: Db, subject: UUID, kind: str = "person_notice") -> dict[str, Any]:
    row = db.execute("SELECT * FROM deadline WHERE subject_id = %s AND kind = %s", (subject, kind)).fetchone()
    assert row is not None
    return dict(row)


def audited(db: Db, action: str) -> int:
    row = db.execute(
        "SELECT count(*) AS n FROM audit_entry WHERE action = %s AND outcome = 'ok'", (action,)
    ).fetchone()
    assert row is not None
    return int(row["n"])


def rows(db: Db) -> dict[str, list[str]]:
    """What these screens can write, row by row."""
    tables = ("deadline", "deadline_entry", "letter", "person_notice", "task")
    return {name: [str(one) for one in db.execute(f"SELECT * FROM {name} ORDER BY 1, 2")] for name in tables}


LETTER = {
    "brief": "person_notice",
    "aan": "Maria Voorbeeld",
    "over": "u",
    "bellen": "0800-2000",
    "medewerker": "Naam van bram",
}


# ── who may what ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", [*READERS, "administrator"])
def test_each_role_reads_and_acts_as_the_matrix_says(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db, role: str
) -> None:
    sign_in(world.staff(role))
    allowed = 200 if role in READERS else 403
    assert client.get(f"/meldingen/{report}/termijnen").status_code == allowed
    assert client.get(f"/meldingen/{report}/betrokkenen").status_code == allowed
    child = mention(db, report, 1)
    before = rows(db)
    posts = {
        f"/meldingen/{report}/termijnen/{term(db, child)['id']}/verlengen": "terms.extend",
        f"/meldingen/{report}/termijnen/{term(db, child)['id']}/terugnemen": "terms.extend",
        f"/meldingen/{report}/betrokkenen/{child}/brief": "notice.tell",
        f"/meldingen/{report}/betrokkenen/{child}/gesprek": "notice.tell",
    }
    for path, action in posts.items():
        answer = send(client, path, brief="person_notice")
        assert (answer.status_code == 403) is not may(role, action), path
        assert answer.status_code in (400, 403, 409)
    assert rows(db) == before


def test_another_region_sees_none_of_it(client: Any, new_world: Callable[[], World], sign_in: Sign, db: Db) -> None:
    theirs, ours = new_world(), new_world()
    household, case = theirs.household(RECEIVED)
    other = theirs.report(RECEIVED, [MOTHER], household=household, case=case)
    notices.begin(db, other, RECEIVED)
    made = letters.make(
        db, other, "person_notice", {k: v for k, v in LETTER.items() if k != "brief"}, mention(db, other, 1), "x", NOW
    )
    sign_in(ours.staff("team_lead"))
    person_of_theirs, deadline = mention(db, other, 1), term(db, mention(db, other, 1))["id"]
    before = rows(db)
    for path in ("termijnen", "betrokkenen", f"brieven/{made}"):
        assert client.get(f"/meldingen/{other}/{path}").status_code == 404
    for path in (
        f"termijnen/{deadline}/verlengen",
        f"betrokkenen/{person_of_theirs}/brief",
        f"betrokkenen/{person_of_theirs}/gesprek",
    ):
        assert send(client, f"/meldingen/{other}/{path}", **LETTER).status_code == 404
    assert rows(db) == before


def test_a_person_or_term_of_another_report_is_not_found(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    household, case = world.household(RECEIVED)
    other = world.report(RECEIVED, [MOTHER], household=household, case=case)
    notices.begin(db, other, RECEIVED)
    stranger = mention(db, other, 1)
    sign_in(world.staff("assessor"))
    for path in (
        f"termijnen/{term(db, stranger)['id']}/verlengen",
        f"betrokkenen/{stranger}/brief",
        "betrokkenen/geen-id/brief",
        f"betrokkenen/{stranger}/verstuurd",
    ):
        assert send(client, f"/meldingen/{report}/{path}", **LETTER).status_code == 404
    assert db.execute("SELECT FROM letter").fetchone() is None


# ── the page of terms ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_terms_show_both_readings_who_they_are_about_and_how_they_were_counted(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("intake_worker"))
    page = client.get(f"/meldingen/{report}/termijnen").text
    assert page.count("<dt>Norm</dt>") == page.count("<dt>Wettelijk</dt>") == 4
    for name in ("Maria Voorbeeld", "Jan Proef", "Test Voorbeeld", "de hele melding"):
        assert f'class="count">{name}</span>' in page
    assert "4 weken na dag 0" in page
    assert "Werkdag 5 van 5." in page
    assert "Uiterlijk" in page
    assert "Termijn verlengen" not in page, "an intake worker reads"
    assert audited(db, "terms.view") == 1


def test_what_is_our_own_reading_is_named_with_the_reason(
    client: Any, world: World, sign_in: Sign, report: UUID
) -> None:
    sign_in(world.staff("assessor"))
    page = client.get(f"/meldingen/{report}/termijnen").text
    own = page.split('aria-labelledby="eigen"')[1]
    assert "Veiligheidsbeoordeling" in own
    assert "Uitvoeringsbesluit Wmo 2015 art. 4.1.7 lid 1 (tekst 2014)" in own
    assert "Bericht aan betrokkene" not in own, "T4 was read in the law"
    assert page.count("Eigen lezing</span>") == 1


def test_until_when_data_are_kept_stands_beside_the_terms(
    client: Any, world: World, sign_in: Sign, report: UUID
) -> None:
    sign_in(world.staff("assessor"))
    kept = client.get(f"/meldingen/{report}/termijnen").text.split('aria-labelledby="bewaren"')[1]
    assert kept.count(f"tot en met {RECEIVED.astimezone(AMSTERDAM).day} ") == 3
    assert str(RECEIVED.astimezone(AMSTERDAM).year + 20) in kept
    assert "Schuift niet op: te lang voor de ATW (art. 4)." in kept


def test_an_extension_is_made_shown_and_taken_back(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    before = term(db, mention(db, report, 2))
    base = f"/meldingen/{report}/termijnen"
    sign_in(world.staff("assessor", "bram"))
    answer = send(client, f"{base}/{before['id']}/verlengen", weken="2", reden="Het gesprek is nog niet veilig.")
    assert (answer.status_code, answer.headers["location"]) == (303, base)
    longer = term(db, mention(db, report, 2))
    assert longer["legal_due_on"] >= before["legal_due_on"] + timedelta(weeks=2)
    page = client.get(base).text
    assert "Verlengd: Het gesprek is nog niet veilig." in page
    assert "Verlengd met 2 weken vanaf" in page
    answer = send(client, f"{base}/{before['id']}/terugnemen", nummer="2", reden="")
    assert answer.status_code == 400
    assert f'id="fout-terug-{before["id"]}-2"' in answer.text
    assert term(db, mention(db, report, 2))["due_at"] == longer["due_at"]
    answer = send(client, f"{base}/{before['id']}/terugnemen", nummer="2", reden="Het gesprek was er al.")
    assert answer.status_code == 303
    assert term(db, mention(db, report, 2))["due_at"] == before["due_at"]
    assert "later teruggenomen" in client.get(base).text
    assert audited(db, "deadline.move") == 2


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"weken": "3", "reden": "Druk."}, "weken"),
        ({"weken": "", "reden": "Druk."}, "weken"),
        ({"weken": "²", "reden": "Druk."}, "weken"),
        ({"weken": "99999999", "reden": "Druk."}, "weken"),
        ({"weken": "1", "reden": "   "}, "reden"),
    ],
)
def test_a_refused_extension_comes_back_with_the_error_beside_the_field(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db, form: dict[str, str], field: str
) -> None:
    deadline = term(db, mention(db, report, 1))["id"]
    sign_in(world.staff("team_lead"))
    before = rows(db)
    answer = send(client, f"/meldingen/{report}/termijnen/{deadline}/verlengen", **form)
    assert answer.status_code == 400
    assert f'id="fout-{field}-{deadline}"' in answer.text
    assert f'href="#{field}-{deadline}"' in answer.text
    assert "Er is nog niets opgeslagen." in answer.text
    if form["reden"].strip():
        assert f">{form['reden']}</textarea>" in answer.text
    assert rows(db) == before


def test_a_term_that_is_met_or_cannot_be_extended_is_refused(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("assessor"))
    assessment = term(db, report, "safety_assessment")["id"]
    answer = send(client, f"/meldingen/{report}/termijnen/{assessment}/verlengen", weken="1", reden="Druk.")
    assert (answer.status_code, "kan niet worden verlengd" in answer.text) == (400, True)
    child = mention(db, report, 1)
    notices.told(db, child, how="talk", told_at=NOW, by="x", at=NOW)
    answer = send(
        client, f"/meldingen/{report}/termijnen/{term(db, child)['id']}/verlengen", weken="1", reden="Druk."
    )
    assert (answer.status_code, "loopt niet meer" in answer.text) == (409, True)


def test_an_extension_after_the_term_is_possible_and_shown_as_such(
    client: Any, world: World, sign_in: Sign, db: Db
) -> None:
    old = NOW - timedelta(days=60)
    household, case = world.household(old)
    late = world.report(old, [MOTHER], household=household, case=case)
    notices.begin(db, late, old)
    sign_in(world.staff("assessor"))
    deadline = term(db, mention(db, late, 1))["id"]
    answer = send(client, f"/meldingen/{late}/termijnen/{deadline}/verlengen", weken="1", reden="Te laat gezien.")
    assert answer.status_code == 303, "an overdue term locks nothing"
    assert "vastgelegd nadat de termijn voorbij was" in client.get(f"/meldingen/{late}/termijnen").text


# ── telling persons ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_says_who_must_be_told_when_and_through_whom(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    sign_in(world.staff("intake_worker"))
    page = client.get(f"/meldingen/{report}/betrokkenen").text
    assert page.count('class="due due-') == 3
    assert "De wettelijk vertegenwoordiger: jonger dan 12 jaar." in page
    assert page.count("De persoon zelf.") == 2
    assert "Brief maken" not in page, "an intake worker reads, and takes a request in"
    assert f"/meldingen/{report}/rechten" in page
    assert audited(db, "notices.view") == 1


def test_a_letter_is_made_read_posted_and_then_the_person_is_told(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    mother, base = mention(db, report, 2), f"/meldingen/{report}/betrokkenen"
    sign_in(world.staff("assessor", "bram"))
    assert send(client, f"{base}/{mother}/brief", **LETTER).headers["location"] == base
    assert term(db, mother)["met_at"] is None, "a letter that was made tells nobody yet"
    (letter,) = letters.of_report(db, world.region, report)
    answer = client.get(f"/meldingen/{report}/brieven/{letter['id']}")
    assert answer.content.startswith(b"%PDF-")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'attachment; filename="brief-{letter["id"]}.pdf"'
    assert answer.headers["cache-control"] == "no-store"
    assert "CONCEPT, niet versturen. Gelezen door Naam van bram" in words_of(answer.content)
    early = send(client, f"{base}/{mother}/verstuurd", brief=str(letter["id"]))
    assert (early.status_code, "nog niet vrijgegeven" in early.text) == (409, True)
    blank = send(client, f"{base}/{mother}/vrijgeven", brief=str(letter["id"]))
    assert (blank.status_code, "Kies hoe u hebt gecontroleerd" in blank.text) == (400, True)
    freed = send(client, f"{base}/{mother}/vrijgeven", brief=str(letter["id"]), hoe="asked")
    assert freed.status_code == 303
    paper = words_of(client.get(f"/meldingen/{report}/brieven/{letter['id']}").content)
    assert "CONCEPT" not in paper
    assert "Afdruk " in paper
    assert send(client, f"{base}/{mother}/verstuurd", brief=str(letter["id"])).status_code == 303
    assert term(db, mother)["met_at"] is not None
    assert "Met een brief." in client.get(base).text
    again = send(client, f"{base}/{mother}/verstuurd", brief=str(letter["id"]))
    assert (again.status_code, "al vastgelegd" in again.text) == (409, True)
    for action in ("letter.make", "letter.send", "notice.tell", "outbound.release", "outbound.send"):
        assert audited(db, action) == 1, action
    assert audited(db, "letter.read") == audited(db, "outbound.print") == 2


def test_a_letter_of_one_person_is_not_posted_for_another(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    mother, father = mention(db, report, 2), mention(db, report, 3)
    sign_in(world.staff("assessor"))
    send(client, f"/meldingen/{report}/betrokkenen/{mother}/brief", **LETTER)
    (letter,) = letters.of_report(db, world.region, report)
    answer = send(client, f"/meldingen/{report}/betrokkenen/{father}/verstuurd", brief=str(letter["id"]))
    assert answer.status_code == 404
    assert db.execute("SELECT FROM person_notice").fetchone() is None
    assert letters.of_report(db, world.region, report)[0]["sent_at"] is None


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"aan": ""}, "aan", "Vul in: Naam van wie de brief krijgt."),
        ({"aan": "Жанна"}, "aan", "Het teken &#39;Ж&#39; (U+0416)"),
        ({"over": "x" * 300}, "over", "hoogstens 200 tekens"),
    ],
)
def test_a_refused_letter_comes_back_with_what_was_typed(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db, change: dict[str, str], field: str, words: str
) -> None:
    mother = mention(db, report, 2)
    sign_in(world.staff("assessor"))
    before = rows(db)
    answer = send(client, f"/meldingen/{report}/betrokkenen/{mother}/brief", **LETTER | change)
    assert answer.status_code == 400
    error = answer.text.split(f'id="fout-{field}-person_notice-{mother}"')[1][:900]
    assert words in error
    assert 'value="Naam van bram"' in answer.text
    assert rows(db) == before


def test_only_the_letters_of_this_page_are_made_here(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    mother = mention(db, report, 2)
    sign_in(world.staff("assessor"))
    for template in ("feedback", "request_answer", "../terms", ""):
        answer = send(client, f"/meldingen/{report}/betrokkenen/{mother}/brief", **LETTER | {"brief": template})
        assert answer.status_code == 404
    assert db.execute("SELECT FROM letter").fetchone() is None


def test_a_talk_is_noted_with_its_moment(client: Any, world: World, sign_in: Sign, report: UUID, db: Db) -> None:
    mother = mention(db, report, 2)
    when = (NOW - timedelta(days=1)).astimezone(AMSTERDAM)
    sign_in(world.staff("behavioural_scientist"))
    path = f"/meldingen/{report}/betrokkenen/{mother}/gesprek"
    form = {"hoe": "talk", "dag": local_day(when).isoformat(), "tijd": f"{when:%H:%M}", "notitie": "Rustig gesprek."}
    assert send(client, path, **form).status_code == 303
    assert term(db, mother)["met_at"] == when.replace(second=0, microsecond=0)
    page = client.get(f"/meldingen/{report}/betrokkenen").text
    assert "In een gesprek." in page
    assert "Rustig gesprek." in page
    assert send(client, path, **form).status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hoe": ""}, "hoe"),
        ({"hoe": "letter"}, "hoe"),
        ({"dag": "gisteren"}, "dag"),
        ({"tijd": "half vier"}, "dag"),
        ({"dag": "2099-01-01"}, "dag"),
        ({"dag": "2001-01-01"}, "dag"),
    ],
)
def test_a_talk_that_cannot_be_is_refused(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db, change: dict[str, str], field: str
) -> None:
    mother = mention(db, report, 2)
    sign_in(world.staff("assessor"))
    before = rows(db)
    form = {
        "hoe": "talk",
        "dag": local_day(NOW - timedelta(days=1)).isoformat(),
        "tijd": "10:00",
        "notitie": "Tekst.",
    }
    answer = send(client, f"/meldingen/{report}/betrokkenen/{mother}/gesprek", **form | change)
    assert answer.status_code == 400
    assert f'id="fout-{field}-gesprek-{mother}"' in answer.text
    assert ">Tekst.</textarea>" in answer.text
    assert rows(db) == before


def test_every_field_has_a_label_and_an_id_of_its_own(
    client: Any, world: World, sign_in: Sign, report: UUID, db: Db
) -> None:
    requests.receive(db, mention(db, report, 2), "access", local_day(NOW), by="x", at=NOW)
    notices.extend(db, term(db, mention(db, report, 1))["id"], 1, reason="Nodig.", by="x", at=NOW)
    sign_in(world.staff("assessor"))
    for path in ("termijnen", "betrokkenen"):
        page = client.get(f"/meldingen/{report}/{path}").text
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        labelled = set(re.findall(r'<label for="([^"]+)"', page))
        fields = re.findall(r'<(?:input(?! type="hidden")|select|textarea)[^>]* id="([^"]+)"', page)
        assert fields
        assert set(fields) == labelled
        named = {one for names in re.findall(r'aria-labelledby="([^"]+)"', page) for one in names.split()}
        assert named <= set(ids)


def test_names_are_shown_as_text(client: Any, world: World, sign_in: Sign, db: Db) -> None:
    nasty = person("<script>alert('x')</script>", "\"'&", "19880612", "ouder met gezag")
    household, case = world.household(RECEIVED)
    made = world.report(RECEIVED, [nasty], household=household, case=case)
    notices.begin(db, made, RECEIVED)
    sign_in(world.staff("assessor"))
    for path in ("termijnen", "betrokkenen"):
        page = client.get(f"/meldingen/{made}/{path}").text
        assert "<script" not in page
        assert "&lt;script&gt;" in page
