"""The page of the feedback: proposed, looked at as the reporter reads it, and released by a person, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from core.database import Db, Row
from core.deadlines import local_day
from core.ids import uuid7
from radar.casework import feedback, letters
from tests.radar.test_letters import words as words_of
from tests.radar.told import Told
from tests.web.chromium import enter, violations
from tests.web.conftest import MOTHER, OURS, PERSON
from workers.work import carry_out

NOW = datetime.now(UTC)
NASTY = "<script>alert('x')</script>\"'&"
Sign = Callable[[str], Any]


@pytest.fixture
def world(db: Db) -> Told:
    return Told(db, 1)


def reported(world: Told, kind: str = "politie", channel: str = "corv", state: str = "conditions") -> UUID:
    """A report in a case, of this kind of reporter, that came in this way."""
    world.channel = channel
    household, case = world.household(NOW - timedelta(days=3))
    return world.report(
        NOW - timedelta(days=3), [PERSON, MOTHER], household=household, case=case, state=state, kind=kind
    )


def drafted(world: Told, report: UUID, code: str = "VT-01-01", moment: Any = "assessment") -> UUID:
    with world.db.transaction():
        made = feedback.draft(world.db, report, moment, code, NOW)
    assert made is not None
    return made


def stored(world: Told, one: UUID) -> Row:
    row = world.db.execute("SELECT * FROM feedback WHERE id = %s", (one,)).fetchone()
    assert row
    return row


def path_of(report: UUID) -> str:
    return f"/meldingen/{report}/terugkoppeling"


def send(client: Any, report: UUID, one: UUID, action: str, **form: str) -> Any:
    token = client.get("/wachtrij").text.split('name="formulier" value="')[1].split('"')[0]
    data = {"formulier": token, "terugkoppeling": str(one), "handeling": action, **form}
    return client.post(path_of(report), data=data, headers=OURS)


def text_of(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_the_proposal_is_there_and_nothing_is_sent(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    page = client.get(path_of(report))
    assert page.status_code == 200
    assert stored(world, one)["text"] in page.text
    words = text_of(page)
    assert "Na de veiligheidsbeoordeling" in words
    assert "Uitkomst veiligheidsbeoordeling: vervolgstappen belegd bij VT" in words
    assert "Er gaat niets weg voordat u het vrijgeeft" in words
    assert stored(world, one)["state"] == "draft"


def test_before_there_is_anything_the_page_says_so(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    sign_in(world.staff("assessor"))
    words = text_of(client.get(path_of(report)))
    assert "Er staat nu geen terugkoppeling klaar" in words
    assert "een informant), krijgt geen terugkoppeling" in words


def test_what_is_kept_is_shown_as_the_reporter_will_read_it(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    answer = send(client, report, one, "bewaren", tekst=f"Anders. {NASTY}", zicht="Wijkteam Dal")
    assert (answer.status_code, answer.headers["location"]) == (303, path_of(report))
    page = client.get(path_of(report))
    assert NASTY not in page.text
    preview = page.text.split("Dit leest de melder")[1].split("</div>")[0]
    assert "Anders. &lt;script&gt;" in preview
    assert "Zicht op veiligheid: Wijkteam Dal" in preview
    assert stored(world, one)["state"] == "draft"


@pytest.mark.parametrize("role", ["intake_worker", "assessor", "behavioural_scientist", "team_lead"])
def test_a_worker_releases_and_without_an_address_the_page_says_it_waits(
    client: Any, world: Told, sign_in: Sign, role: str
) -> None:
    report = reported(world)
    one = drafted(world, report)
    name = world.staff(role)
    sign_in(name)
    watch = stored(world, one)["watch"]
    assert send(client, report, one, "vrijgeven", tekst="Wij gaan verder.", zicht=watch).status_code == 303
    row = stored(world, one)
    assert (row["state"], row["released_by"], row["text"]) == ("released", name, "Wij gaan verder.")
    words = text_of(client.get(path_of(report)))
    assert "Klaar om te versturen; geen afleveradres ingesteld." in words
    assert send(client, report, one, "versturen").status_code == 409


def test_when_an_address_was_set_a_person_can_have_it_sent(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    # Nothing listens here: it is refused, and tried again until a person must look.
    world.db.execute("UPDATE sender SET reply_url = 'http://127.0.0.1:9/' WHERE id = %s", (world.police,))
    assert "Nu versturen" in client.get(path_of(report)).text
    assert send(client, report, one, "versturen").status_code == 303
    assert "Wordt verstuurd." in text_of(client.get(path_of(report)))
    (job,) = world.db.execute("SELECT id FROM job WHERE kind = 'send_message'").fetchall()
    for _ in range(5):
        world.db.execute("UPDATE job SET due_at = now() WHERE id = %s", (job["id"],))
        carry_out(job["id"])
    page = client.get(path_of(report))
    assert "Niet afgeleverd na te veel pogingen." in text_of(page)
    assert f"/taken/{job['id']}" in page.text
    assert "Bericht sturen aan de melder of aan de Raad" in client.get(f"/taken/{job['id']}").text


@pytest.mark.parametrize(
    ("text", "words"), [("", "Schrijf wat de melder te lezen krijgt"), ("x" * 1001, "1001 tekens lang")]
)
def test_a_refused_text_comes_back_with_its_error(
    client: Any, world: Told, sign_in: Sign, text: str, words: str
) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    for action in ("vrijgeven", "bewaren"):
        page = send(client, report, one, action, tekst=text, zicht="Getypt zicht")
        assert page.status_code == 400
        assert words in page.text
        assert 'id="fout-tekst"' in page.text
        assert 'value="Getypt zicht"' in page.text
        assert f">{text}</textarea>" in page.text
    assert stored(world, one)["state"] == "draft"


def test_the_error_stands_with_the_draft_that_it_is_about(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    first, second = drafted(world, report), drafted(world, report, "VT-03", "closing")
    sign_in(world.staff("intake_worker"))
    for one in (first, second):
        page = send(client, report, one, "vrijgeven", tekst="")
        form = next(part for part in page.text.split("<form") if 'id="fout-tekst"' in part)
        assert str(one) in form
        ids = re.findall(r' id="([^"]+)"', page.text)
        assert len(ids) == len(set(ids))


def test_a_citizens_text_with_a_name_asks_for_a_second_look(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world, "anders", "import")
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    assert "De melder is een burger" in client.get(path_of(report)).text
    page = send(client, report, one, "vrijgeven", tekst="Wij spraken mevrouw Voorbeeld.")
    assert page.status_code == 409
    assert "Kijk dit nog eens na" in page.text
    assert "de naam &#39;Voorbeeld&#39;" in page.text
    assert "Wij spraken mevrouw Voorbeeld.</textarea>" in page.text
    assert stored(world, one)["state"] == "draft"
    seen = re.search(r'name="gezien" value="([^"]+)"', page.text)
    assert seen
    # The tick is for these warnings: with another text it counts no more.
    other = "Wij spraken mevrouw Voorbeeld en Test."
    assert send(client, report, one, "vrijgeven", tekst=other, gezien=seen[1]).status_code == 409
    answer = send(client, report, one, "vrijgeven", tekst="Wij spraken mevrouw Voorbeeld.", gezien=seen[1])
    assert answer.status_code == 303
    assert stored(world, one)["state"] == "released"


def test_a_condition_asks_for_the_tick_that_the_reporter_has_a_role(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    world.db.execute(
        "INSERT INTO safety_condition (id, region_id, report_id, text, owner, due_on, made_at, made_by)"
        " VALUES (%s, %s, %s, 'Vader slaapt elders.', 'vader', %s, %s, 'bram')",
        (uuid7(), world.region, report, local_day(NOW), NOW),
    )
    sign_in(world.staff("assessor"))
    assert "Vader slaapt elders." in client.get(path_of(report)).text
    page = send(client, report, one, "vrijgeven", tekst="Vader slaapt elders.")
    assert page.status_code == 400
    assert 'id="fout-rol"' in page.text
    assert send(client, report, one, "vrijgeven", tekst="Vader slaapt elders.", rol="ja").status_code == 303
    assert stored(world, one)["with_role"] is True


def test_a_letter_is_ticked_off_and_stays_in_the_history(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world, "anders", "import")
    one = drafted(world, report, "VT-03", "closing")
    name = world.staff("intake_worker")
    sign_in(name)
    assert send(client, report, one, "brief").status_code == 409
    send(client, report, one, "vrijgeven", tekst="Wij zijn klaar.")
    assert "Nog niet gedaan" in text_of(client.get(path_of(report)))
    assert send(client, report, one, "brief").status_code == 303
    words = text_of(client.get(path_of(report)))
    assert f"Vrijgegeven door {name}" in words
    assert "met een brief" in words
    assert "Wij zijn klaar." in words


def letters_of(world: Told, report: UUID) -> list[Any]:
    return letters.of_report(world.db, world.region, report)


def test_a_letter_is_made_of_what_was_released_and_can_be_read(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world, "anders", "import")
    one = drafted(world, report)
    name = world.staff("assessor")
    sign_in(name)
    assert "Maak de brief" not in client.get(path_of(report)).text
    early = send(client, report, one, "maak-brief")
    assert early.status_code == 409
    assert letters_of(world, report) == []
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder met uw melding.")
    assert "Maak de brief (PDF)" in client.get(path_of(report)).text
    made = send(client, report, one, "maak-brief")
    assert (made.status_code, made.headers["location"]) == (303, path_of(report))
    (letter,) = letters_of(world, report)
    assert (letter["template"], letter["mention_id"], letter["made_by"]) == ("feedback", None, name)
    path = f"/meldingen/{report}/brieven/{letter['id']}"
    assert f'href="{path}"' in client.get(path_of(report)).text
    file = client.get(path)
    assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
    assert file.headers["cache-control"] == "no-store"
    words = words_of(file.content)
    assert "Beste melder," in words
    assert "Wij gaan verder met uw melding." in words
    assert "zicht op de veiligheid:" not in words, "nobody read that on the screen"
    # It is not posted by that.
    assert stored(world, one)["state"] == "released"
    assert letter["sent_at"] is None


def test_a_character_that_cannot_be_printed_is_named_and_makes_no_letter(
    client: Any, world: Told, sign_in: Sign
) -> None:
    report = reported(world, "anders", "import")
    one = drafted(world, report)
    sign_in(world.staff("assessor"))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder \N{GRINNING FACE}.")
    answer = send(client, report, one, "maak-brief")
    assert answer.status_code == 400
    assert "Er is nog niets opgeslagen." in answer.text
    assert letters_of(world, report) == []


def test_what_goes_as_a_message_gets_no_letter(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("assessor"))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    assert "Maak de brief" not in client.get(path_of(report)).text
    assert send(client, report, one, "maak-brief").status_code == 409
    assert letters_of(world, report) == []


def test_who_may_not_read_letters_makes_none(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world, "anders", "import")
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    page = client.get(path_of(report)).text
    assert "Maak de brief" not in page
    assert "De brief is verstuurd" in page
    assert send(client, report, one, "maak-brief").status_code == 403
    assert letters_of(world, report) == []


def test_a_talk_is_kept_as_a_talk(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world, "anders", "import")
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    send(client, report, one, "gesprek")
    assert stored(world, one)["channel"] == "talk"
    assert "in een gesprek" in text_of(client.get(path_of(report)))


def test_over_json_it_waits_until_the_reporter_reads_it(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world, "zorg", "json")
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    assert "De melder kan dit nu ophalen, maar deed dat nog niet." in text_of(client.get(path_of(report)))


def test_not_needed_asks_why(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    page = send(client, report, one, "niet-nodig", waarom=" ")
    assert page.status_code == 400
    assert 'id="fout-waarom"' in page.text
    # The draft itself is still there, as it was.
    assert stored(world, one)["text"] in page.text
    assert send(client, report, one, "niet-nodig", waarom="De melder wil dit niet.").status_code == 303
    assert "Niet gegeven. De melder wil dit niet." in text_of(client.get(path_of(report)))


def test_who_is_second_is_told_so(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    page = send(client, report, one, "vrijgeven", tekst="Nog eens.")
    assert page.status_code == 409
    assert "Deze terugkoppeling is al vrijgegeven." in page.text
    assert "Nog eens." not in page.text
    newer = drafted(world, report, "VT-01-03")
    drafted(world, report, "VT-01-04")
    page = send(client, report, newer, "vrijgeven", tekst="Van het vorige besluit.")
    assert page.status_code == 409
    assert "vervangen door een nieuw voorstel" in page.text
    # What was typed for another decision does not end up in the new proposal.
    assert "Van het vorige besluit." not in page.text


def test_while_the_decision_is_revised_it_cannot_go_out(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world, state="assessing")
    one = drafted(world, report)
    sign_in(world.staff("team_lead"))
    page = send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    assert page.status_code == 409
    assert "Het besluit over deze melding wordt herzien" in page.text
    assert "Wij gaan verder.</textarea>" in page.text


def test_who_may_not_sees_nothing(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("administrator"))
    assert client.get(path_of(report)).status_code == 403
    assert send(client, report, one, "vrijgeven", tekst="x").status_code == 403
    assert stored(world, one)["state"] == "draft"


def test_another_region_or_another_report_is_not_there(client: Any, db: Db, world: Told, sign_in: Sign) -> None:
    there = Told(db, 2)
    hidden, mine, other = reported(there), reported(world), reported(world)
    one, elsewhere = drafted(there, hidden), drafted(world, other)
    sign_in(world.staff("team_lead"))
    assert client.get(path_of(hidden)).status_code == 404
    assert send(client, hidden, one, "vrijgeven", tekst="x").status_code == 404
    for wrong in (one, elsewhere, uuid7()):
        assert send(client, mine, wrong, "vrijgeven", tekst="x").status_code == 404
    assert stored(there, one)["state"] == stored(world, elsewhere)["state"] == "draft"


def test_an_unknown_act_is_refused(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    sign_in(world.staff("intake_worker"))
    assert send(client, report, one, "wissen").status_code == 400


def test_seeing_and_releasing_are_in_the_audit_trail(client: Any, world: Told, sign_in: Sign) -> None:
    report = reported(world)
    one = drafted(world, report)
    name = world.staff("intake_worker")
    sign_in(name)
    client.get(path_of(report))
    send(client, report, one, "vrijgeven", tekst="Wij gaan verder.")
    rows = world.db.execute("SELECT action FROM audit_entry WHERE actor = %s AND object_id = %s", (name, report))
    assert {"feedback.view", "feedback.release"} <= {row["action"] for row in rows}


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_is_too_wide(browser: Browser, address: str, world: Told, width: int) -> None:
    police, citizen = reported(world), reported(world, "anders", "import")
    for report in (police, citizen):
        sent = drafted(world, report)
        with world.db.transaction():
            feedback.release(world.db, sent, "Wij gaan verder.", False, "ilse", "assessor", NOW)
        waiting = drafted(world, report, "VT-01-03")
        with world.db.transaction():
            feedback.not_needed(world.db, waiting, "Toch niet.", "ilse", NOW)
        drafted(world, report, "VT-01-04")
        drafted(world, report, "VT-03", "closing")
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    enter(page, address)
    for report in (police, citizen):
        page.goto(address + path_of(report))
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("textarea[name=tekst]").first.fill("Wij spraken mevrouw Voorbeeld in de Voorbeeldstraat.")
    page.locator("button[value=vrijgeven]").first.click()
    page.wait_for_selector("#gezien")
    assert violations(page) == [], "with warnings"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
