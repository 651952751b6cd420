"""Link proposals in real Chromium: three pairs by keyboard only, without JavaScript, at 320 pixels, and axe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from core.database import Db
from core.ids import uuid7
from tests.web.chromium import LOOKS, enter, violations

pytestmark = pytest.mark.browser


@pytest.fixture
def proposals(world: Any) -> list[UUID]:
    """Three proposals with deadlines one after the other: a mother who may be known, in three reports."""
    now = datetime.now(UTC)
    links = []
    for number in range(3):
        mother = mother_of("Maria", "van den Voorbeeld", f"1988061{number}", "1")
        home, case = world.household(now - timedelta(days=200))
        known = world.report(
            now - timedelta(days=200), [mother, child_of("Test")], household=home, case=case, done=True
        )
        person = uuid7()
        world.link(known, 1, person, "new", household=home)
        world.link(known, 2, uuid7(), "new", household=home)
        at = now - timedelta(days=6 - number)
        home, case = world.household(at)
        report = world.report(
            at, [mother_of("Marja", "Voorbeelt", "19880621", "11"), child_of("Tess")], household=home, case=case
        )
        for place in (1, 2):
            world.link(report, place, uuid7(), "new", household=home)
        links.append(world.link(report, 1, person, "proposed", REASONS))
    return links


REASONS = [
    {"field": "first_name", "level": "alike", "weight": 8.4, "text": "Voornaam lijkt erg: 'Marja'"},
    {"field": "surname", "level": "alike", "weight": 4.1, "text": "Achternaam lijkt erg: 'Voorbeelt'"},
    {"field": "birth", "level": "one_part", "weight": 2.2, "text": "Geboortedatum bijna gelijk: één deel verschilt"},
    {"field": "address", "level": "different", "weight": -1.0, "text": "Ander adres"},
    {
        "field": "decision",
        "level": "not_sure",
        "weight": 0.0,
        "text": "Niet zeker genoeg: een medewerker moet kijken",
    },
]


def mother_of(given: str, surname: str, born: str, house: str) -> dict[str, Any]:
    return {
        "rol": {"tekst": "ouder met gezag"},
        "naam": {"voornamen": given, "geslachtsnaam": surname},
        "geslacht": "V",
        "bsn": "999993653",
        "telefoonnummers": ["0612345678"],
        "geboortedatum": {"tekst": born, "indicatie": "V"},
        "adressen": [
            {
                "soort": "feitelijk",
                "straat": "Voorbeeldstraat",
                "huisnummer": house,
                "postcode": "1234AB",
                "woonplaats": "Dalstad",
            }
        ],
    }


def child_of(given: str) -> dict[str, Any]:
    return {
        "rol": {"tekst": "jeugdige"},
        "naam": {"voornamen": given, "geslachtsnaam": "Voorbeeld"},
        "geboortedatum": {"tekst": "20150301", "indicatie": "V"},
    }


def states(db: Db, links: list[UUID]) -> list[str]:
    rows = {row["id"]: row["state"] for row in db.execute("SELECT id, state FROM link")}
    return [rows[link] for link in links]


def test_three_pairs_by_keyboard_only(browser: Browser, address: str, proposals: list[UUID], db: Db) -> None:
    first, second, third = proposals
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    enter(page, address)
    page.goto(f"{address}/koppelvoorstellen")
    page.focus("text=Begin met het eerste voorstel")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/koppelvoorstellen/{first}*")
    page.keyboard.press("j")
    page.wait_for_url(f"**/koppelvoorstellen/{second}*")
    assert "Vastgelegd: dezelfde persoon" in page.inner_text("[role=status]")
    page.keyboard.press("o")
    page.wait_for_url(f"**/koppelvoorstellen/{third}*")
    assert "achteraan" in page.inner_text("[role=status]")
    page.keyboard.press("n")
    page.wait_for_url(f"**/koppelvoorstellen/{second}*")
    page.keyboard.press("n")
    page.wait_for_url("**/koppelvoorstellen?*")
    assert page.inner_text("h2") == "Alles is nagekeken"
    assert states(db, proposals) == ["confirmed", "rejected", "rejected"]
    assert complaints == []
    context.close()


def test_a_letter_in_a_field_or_with_the_keys_switched_off_is_no_answer(
    browser: Browser, address: str, proposals: list[UUID], db: Db
) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/koppelvoorstellen/{proposals[0]}")
    page.focus("#sneltoetsen")
    page.keyboard.press("Space")
    page.keyboard.press("j")
    page.keyboard.press("Control+j")
    page.reload()
    assert not page.is_checked("#sneltoetsen"), "the choice is remembered"
    page.keyboard.press("n")
    page.evaluate(
        "() => { document.body.insertAdjacentHTML('beforeend', '<input id=veld>');"
        " document.getElementById('sneltoetsen').click(); document.getElementById('veld').focus(); }"
    )
    page.keyboard.press("j")
    assert page.input_value("#veld") == "j"
    assert states(db, proposals) == ["proposed"] * 3
    context.close()


def test_the_whole_way_without_javascript_and_back(
    browser: Browser, address: str, proposals: list[UUID], db: Db
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/koppelvoorstellen/{proposals[0]}")
    assert not page.is_visible("#sneltoetsen")
    page.focus("button[value=zelfde]")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/koppelvoorstellen/{proposals[1]}*")
    page.focus("text=Ongedaan maken")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text('Koppeling ongedaan maken')")
    assert "Er is nog niets veranderd" in page.inner_text("main")
    assert states(db, proposals)[0] == "confirmed"
    page.focus("button[value=ongedaan]")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text('De koppeling is ongedaan gemaakt')")
    assert states(db, proposals)[0] == "undone"
    page.goto(f"{address}/koppelvoorstellen")
    assert page.inner_text(".tile b") == "3", "the question is open again"
    context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_too_wide(
    browser: Browser, address: str, proposals: list[UUID], width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/koppelvoorstellen/{proposals[0]}")
    page.click("button[value=zelfde]")
    page.wait_for_url(f"**/koppelvoorstellen/{proposals[1]}*")
    pages = [
        page.url,
        f"{address}/koppelvoorstellen",
        f"{address}/koppelvoorstellen?reden=runner_up",
        f"{address}/koppelvoorstellen/{proposals[2]}",
        f"{address}/koppelingen/{proposals[0]}/gevolgen?handeling=ongedaan",
    ]
    for path in pages:
        page.goto(path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
