"""Two languages: which one a request speaks, dates and counts in both, and that nothing is left without English."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from radar.casework import notifications
from tests.web.conftest import World
from web import extraction, language, wording
from web.access import guard
from web.language import spoken
from web.sentences import fits
from web.templates import environment

NOW = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)


def request(path: str, query: str = "", **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "path": path, "query_string": query.encode(), "headers": sent, "method": "GET"})


def test_a_page_of_the_staff_is_dutch_until_somebody_chooses() -> None:
    assert language.asked(request("/wachtrij", accept_language="en-GB")) == "nl"
    assert language.asked(request("/wachtrij", cookie=f"{language.cookie_name()}=en")) == "en"
    assert language.asked(request("/wachtrij", cookie=f"{language.cookie_name()}=fr")) == "nl"


def test_a_public_page_follows_the_address_and_then_the_browser() -> None:
    path = language.PUBLIC[0]
    assert language.asked(request(path, accept_language="en-GB,nl;q=0.5")) == "en"
    assert language.asked(request(path, "l=nl", accept_language="en")) == "nl"
    assert language.asked(request(f"{path}melden", accept_language="en")) == "nl", "another path"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [("", "nl"), ("fr, de;q=0.9", "nl"), ("nl;q=0.4, en;q=0.8", "en"), ("en;q=0", "nl"), ("en;q=x, nl", "nl")],
)
def test_the_browser_is_followed_by_weight(header: str, chosen: str) -> None:
    assert language.preferred(header) == chosen


def test_words_are_dutch_or_english_by_the_request() -> None:
    assert language.t("Wachtrij") == "Wachtrij"
    assert language.say("Nog {left}", left="{x}") == "Nog {x}", "a value is never a format"
    with spoken("en"):
        assert language.t("Wachtrij") == "Queue"
        assert language.t("Jansen") == "Jansen", "what is no constant of ours comes back as it is"
        assert language.t(None) is None
        assert language.counted(1, "taak", "taken") == "1 task"
        assert language.counted(3, "taak", "taken") == "3 tasks"
    assert language.current() == "nl"


def test_dates_and_distances_are_said_in_both_languages() -> None:
    late, ago = NOW - timedelta(days=3), NOW - timedelta(hours=2)
    assert wording.moment_text(NOW) == "22 november 2026 om 10.05 uur"
    assert wording.due(late, NOW).words.startswith("Te laat sinds")
    assert wording.partial_date({"tekst": "20150300", "indicatie": "D"}) == "maart 2015 (dag onbekend)"
    with spoken("en"):
        assert wording.moment_text(NOW) == "22 November 2026 at 10:05"
        assert wording.full_date(NOW.date()) == "Sunday 22 November 2026"
        assert wording.due(late, NOW).words.startswith("Late")
        assert wording.since(ago, NOW) == "2 hours"
        assert wording.partial_date({"tekst": "20150300", "indicatie": "D"}) == "March 2015 (day unknown)"
        assert wording.decimal("97.5") == "97.5"
    assert wording.decimal("97.5") == "97,5"


def test_every_template_compiles_in_english() -> None:
    made = environment("en")
    for name in made.list_templates():
        made.get_template(name)


def test_the_frame_is_english_and_names_its_language(client: Any) -> None:
    assert '<html lang="nl">' in client.get("/inloggen").text
    client.cookies.set(language.cookie_name(), "en", domain="testserver.local")
    page = client.get("/inloggen").text
    assert '<html lang="en">' in page
    assert "Sign in" in page
    assert "Inloggen" not in page


def test_the_choice_is_kept_in_a_cookie_and_goes_back_to_the_page(client: Any) -> None:
    answer = client.get("/overzicht?taal=en")
    assert (answer.status_code, answer.headers["location"]) == (303, "/overzicht")
    assert f"{language.cookie_name()}=en" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "Content-Security-Policy" in answer.headers
    assert client.get("https://testserver//elders.example/x?taal=en").headers["location"] == "/elders.example/x"
    assert "set-cookie" not in client.get("/inloggen?taal=fr").headers


def test_the_button_holds_no_address_and_is_not_on_what_a_form_made(client: Any) -> None:
    assert '<form class="speak" method="get">' in client.get("/inloggen").text
    ours = {"sec-fetch-site": "same-origin"}
    typed = client.post("/inloggen", data={"gebruikersnaam": "x", "wachtwoord": "y"}, headers=ours).text
    assert 'value="x"' in typed
    assert 'class="speak"' not in typed


def test_what_somebody_typed_in_an_address_is_not_on_the_page(client: Any) -> None:
    assert "999993653" not in client.get("/inloggen?bsn=999993653").text


# ── the catalogues ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_extraction_finds_templates_constants_errors_and_sentences() -> None:
    found = {use.msgid for use in extraction.uses()}
    assert "Naar de inhoud" in found, "a template"
    assert ("taak", "taken") in found, "what is counted"
    assert "Verhoogd" in found, "a table that a filter shows"
    assert "Dit bestaat niet, of u mag het niet zien." in found, "an error"
    assert "Uw huidige wachtwoord klopt niet." in found, "a sentence of a screen"
    assert "Te laat sinds {time}" in found, "what is said with a value"
    assert not [one for one in found if isinstance(one, str) and "SELECT" in one]


def test_all_that_is_said_has_english_that_fits_and_nothing_is_left_over() -> None:
    """The command itself: in this process tests may have put other lists in force, whose words count too."""
    run = subprocess.run([sys.executable, "-m", "web.language"], capture_output=True, text=True, cwd=extraction.ROOT)
    assert (run.stdout.strip(), run.stderr, run.returncode) == ("", "missing: 0\n", 0)


@pytest.mark.parametrize("path", language.files(), ids=lambda path: path.name)
def test_a_catalogue_is_read_whole_and_says_each_thing_once(path: Path) -> None:
    said = Counter(msgid for msgid, _ in language.messages(path))
    assert said
    assert [msgid for msgid, times in said.items() if times > 1] == []
    for msgid, words in language.messages(path):
        assert len(words) == (1 if isinstance(msgid, str) else 2), msgid
        if isinstance(msgid, str):
            assert fits(msgid, words[0]), msgid


def test_two_areas_never_say_the_same_sentence_differently() -> None:
    first: dict[Any, tuple[str, list[str]]] = {}
    for path in language.files():
        for msgid, words in language.messages(path):
            name, before = first.setdefault(msgid, (path.name, words))
            assert before == words, f"{msgid} in {name} and {path.name}"


class Words(HTMLParser):
    """What stands on a page, a piece per place between two tags; not what can be typed in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("textarea", "script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("textarea", "script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent and (words := " ".join(data.split())):
            self.found.add(words)


@pytest.mark.parametrize(
    "role", ["team_lead", "assessor", "intake_worker", "privacy_officer", "auditor", "administrator"]
)
def test_no_word_of_a_table_stays_dutch_on_an_english_page(
    client: Any, world: World, family: dict[str, UUID], sign_in: Callable[..., Any], role: str
) -> None:
    """A page that shows a table's words without |t: the English is there, and is not asked for."""
    sentences = language.catalogue().sentences
    dutch = {
        text
        for table in language.REGISTERED.tables
        for text in table.values()
        if len(text) > 3 and sentences.get(text, text) != text
    }
    dutch -= set(sentences.values())  # 'Professional' is English too
    dutch -= {"politie", "Ouder met gezag"}  # stand in the message of this test
    username = world.staff(role)
    me = world.db.execute("SELECT id FROM staff WHERE username = %s", (username,)).fetchone()
    assert me is not None
    world.db.execute(
        "INSERT INTO notification (staff_id, kind, subject_id, at, region_id, actor)"
        " SELECT %s, k, gen_random_uuid(), now(), %s, 'system' FROM unnest(%s::text[]) k",
        (me["id"], world.region, list(notifications.KINDS)),
    )
    sign_in(username)
    client.cookies.set(language.cookie_name(), "en", domain="testserver.local")
    seen, wrong = 0, {}
    for method, path in guard.ACTIONS:
        if method != "GET" or path.startswith(("/regels-en-teksten", "/beheer")):  # Dutch texts, shown to be changed
            continue
        asked = path.replace("/meldingen/{id}", f"/meldingen/{family['third']}").replace(
            "/casussen/{id}", f"/casussen/{family['case']}"
        )
        if "{" in asked or path.endswith("/live"):
            continue
        answer = client.get(asked)
        if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
            continue
        seen += 1
        page = Words()
        page.feed(answer.text)
        if left := page.found & dutch:
            wrong[path] = left
    assert seen > 5
    assert wrong == {}
