"""What was typed comes back to who typed it, when his session ended or he must prove himself first."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from tests.web.conftest import OURS, World, session_of
from web import language, templates
from web.access import sessions, typed_back

AT = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
TEXT = 'Moeder belt morgen terug, na <b>negen</b> uur; "niet eerder".\nZij is dan alleen.'
SignIn = Callable[..., Any]


@pytest.fixture
def report(world: World) -> UUID:
    return world.report(AT)


def typed_in(html: str) -> dict[str, str]:
    """The hidden fields of the form that is sent again."""
    form = html.split('<form method="post"')[1].split("</form>")[0]
    return {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}


def notes(db: Db) -> list[str]:
    return [row["text"] for row in db.execute("SELECT text FROM note")]


def test_a_note_of_a_session_that_ended_is_sent_again_and_stored_once(
    client: Any, world: World, sign_in: SignIn, report: UUID, db: Db
) -> None:
    path = f"/meldingen/{report}/notities"
    username = world.staff("assessor")
    sign_in(username)
    form = typed_in(client.get(path).text.replace('<form autocomplete="off" method="post"', '<form method="post"'))
    client.cookies.clear()
    out = client.post(path, data=form | {"tekst": TEXT, "voor": ""}, headers=OURS)
    assert out.status_code == 401
    assert out.headers["cache-control"] == "no-store"
    assert "Nog niet verstuurd: u was uitgelogd" in out.text
    assert "<b>negen</b>" not in out.text
    assert notes(db) == []
    client.cookies.set(sessions.cookie_name(), session_of(db, username), domain="testserver.local")
    back = client.post(path, data=typed_in(out.text), headers=OURS)
    assert back.status_code == 403
    assert "U bent weer ingelogd" in back.text
    assert notes(db) == []
    assert client.post(path, data=typed_in(back.text), headers=OURS).status_code == 303
    assert notes(db) == [TEXT]


def test_who_must_prove_himself_first_keeps_his_reason(
    client: Any, world: World, sign_in: SignIn, report: UUID, db: Db
) -> None:
    path = f"/meldingen/{report}/kluis"
    username = world.staff("assessor")
    sign_in(username, stepped_up=False)
    form = {"formulier": "", "doel": "safety", "reden": "Ik bel haar terug op een veilig nummer."}
    form["formulier"] = re.search(r'name="formulier" value="([^"]+)"', client.get("/mijn-account").text)[1]  # type: ignore[index]
    asked = client.post(path, data=form, headers=OURS)
    assert asked.status_code == 403
    assert "laat eerst zien dat u het bent" in asked.text
    assert typed_in(asked.text)["reden"] == form["reden"]
    assert db.execute("SELECT FROM access_grant").fetchone() is None


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {}])
def test_another_site_gets_nothing_back(client: Any, report: UUID, headers: dict[str, str]) -> None:
    answer = client.post(f"/meldingen/{report}/notities", data={"tekst": TEXT}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen")


def test_a_script_that_saves_by_itself_is_sent_to_the_sign_in(client: Any, report: UUID) -> None:
    headers = OURS | {"sec-fetch-mode": "cors"}
    answer = client.post(f"/meldingen/{report}/notities", data={"tekst": TEXT}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen")


def test_a_form_without_a_text_leads_to_the_sign_in(client: Any, report: UUID) -> None:
    answer = client.post(f"/meldingen/{report}/notities", data={"tekst": " x "}, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen")


def test_a_password_never_comes_back(client: Any, world: World, sign_in: SignIn) -> None:
    words = "een lang wachtwoord met spaties"
    for path in ("/mijn-account/bewijzen", "/bevestigen"):
        answer = client.post(path, data={"wachtwoord": words, "nieuw": words, "nogmaals": words}, headers=OURS)
        assert (answer.status_code, words in answer.text) == (303, False), path
    sign_in(world.staff("assessor"), stepped_up=False)
    answer = client.post("/mijn-account/bewijzen", data={"wachtwoord": words, "nieuw": words}, headers=OURS)
    assert (answer.status_code, words in answer.text) == (403, False)


def test_every_field_for_a_secret_is_known_as_one() -> None:
    asked = {
        name
        for page in Path(templates.__file__).parent.glob("templates/*.html")
        for name in re.findall(r'name="([^"]+)" type="password"', page.read_text("utf-8"))
    }
    assert asked
    assert asked <= typed_back.SECRETS


def test_it_is_there_in_english(client: Any, report: UUID) -> None:
    client.cookies.set(language.cookie_name(), "en", domain="testserver.local")
    answer = client.post(f"/meldingen/{report}/notities", data={"tekst": TEXT}, headers=OURS)
    assert "Not sent yet: you were signed out" in answer.text
    assert "Send again" in answer.text
