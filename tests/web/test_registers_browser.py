"""Administration in real Chromium: by keyboard from municipality to a report that follows the new route; without
JavaScript; axe in both themes, wide and narrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.database import Db
from core.deadlines import local_day
from core.ids import uuid7
from core.staff import DEMO_LOGINS, add_staff
from radar.casework import routing
from tests.web.chromium import LOOKS, violations
from tests.web.conftest import PERSON

pytestmark = pytest.mark.browser


@pytest.fixture
def keeper(world: Any) -> str:
    """The password of an administrator."""
    (fenna,) = [login for login in DEMO_LOGINS if login.username == "fenna"]
    add_staff(world.db, world.region, fenna.username, fenna.name, fenna.role, fenna.password)
    return fenna.password


def enter(page: Page, address: str, password: str) -> None:
    page.goto(f"{address}/inloggen")
    page.locator("#gebruikersnaam").focus()
    page.keyboard.type("fenna")
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.wait_for_selector("form.who", state="attached")


def reach(page: Page, words: str) -> None:
    """Tab until this is where the keyboard is."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == words:
            return
    raise AssertionError(f"the keyboard does not reach {words}")


def to_field(page: Page, name: str, text: str) -> None:
    """Tab to a field and type; a day is typed in pieces, a list by its first letters."""
    for _ in range(120):
        if page.evaluate("document.activeElement.id") == name:
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == name
    page.keyboard.type(text)


def day(page: Page, moment: datetime) -> str:
    """A day as the keyboard types it into this browser's own field for days."""
    american = page.evaluate("new Date(2026, 0, 2).toLocaleDateString()").startswith("1")
    return f"{moment:%m%d%Y}" if american else f"{moment:%d%m%Y}"


def work_through(page: Page, address: str, world: Any) -> Any:
    """From a new municipality to its route in force, with keys only."""
    now = datetime.now(UTC)
    page.goto(f"{address}/beheer/gemeenten/nieuw")
    to_field(page, "code", "9901")
    to_field(page, "naam", "Dalstad")
    reach(page, "Opslaan")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Dalstad')")
    page.goto(f"{address}/beheer/routering")
    assert page.locator("text=Gemeente Dalstad").count() == 1
    reach(page, "Toevoegen")
    page.keyboard.press("Enter")
    page.wait_for_url("**/nieuw")
    to_field(page, "gemeente", "Dalstad")
    to_field(page, "postcode_van", "1234")
    to_field(page, "postcode_tot", "1240")
    to_field(page, "team", "Team N")
    to_field(page, "partner", "Wijkteam")
    to_field(page, "geldig_vanaf", day(page, now))
    reach(page, "In het concept zetten")
    page.keyboard.press("Enter")
    page.wait_for_url("**/concept")
    reach(page, "Proefdraaien")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=krijgen een andere route")
    reach(page, "In gebruik nemen")
    page.keyboard.press("Enter")
    page.wait_for_url("**/beheer/routering")
    return routing.area(world.db, world.region, [PERSON], local_day(now))


@pytest.mark.parametrize("javascript", [True, False])
def test_a_municipality_and_a_route_by_keyboard_and_a_report_follows_it(
    browser: Browser, address: str, world: Any, keeper: str, javascript: bool
) -> None:
    before = world.report(datetime.now(UTC) - timedelta(days=3), [PERSON])
    context = browser.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=javascript)
    page = context.new_page()
    enter(page, address, keeper)
    found = work_through(page, address, world) if javascript else by_hand(page, address, world)
    assert (found["team_id"], found["partner_id"], found["municipality"]) == (
        world.team,
        world.local_team,
        "Dalstad",
    )
    report = arrives(world.db, world)
    assert report != before
    proposal = routing.propose(world.db, report)
    assert (proposal.path, proposal.team) == ("handover", world.local_team)
    context.close()


def by_hand(page: Page, address: str, world: Any) -> Any:
    """The same without scripts: the browser cannot be asked where the keyboard is, so fields are filled."""
    page.goto(f"{address}/beheer/gemeenten/nieuw")
    page.fill("#code", "9901")
    page.fill("#naam", "Dalstad")
    page.click("text=Opslaan")
    page.goto(f"{address}/beheer/routering/nieuw")
    for name, text in (("gemeente", "Dalstad"), ("postcode_van", "1234"), ("postcode_tot", "1240")):
        page.fill(f"#{name}", text)
    page.select_option("#team", str(world.team))
    page.select_option("#partner", str(world.local_team))
    page.click("text=In het concept zetten")
    page.click("button:has-text('Proefdraaien')")
    page.click("text=In gebruik nemen")
    page.wait_for_url("**/beheer/routering")
    return routing.area(world.db, world.region, [PERSON], local_day(datetime.now(UTC)))


def arrives(db: Db, world: Any) -> Any:
    now = datetime.now(UTC)
    household, case = world.household(now - timedelta(hours=1))
    return world.report(now, [PERSON], household=household, case=case, state="received")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_passes_axe_and_fits_the_screen(
    browser: Browser, address: str, world: Any, keeper: str, width: int, scheme: Any
) -> None:
    db = world.db
    for first, last, partner in ((1234, 1240, world.local_team), (1240, 1250, None), (1260, 1262, None)):
        db.execute(
            "INSERT INTO service_area (id, region_id, municipality, place, postcode_from, postcode_to, team_id,"
            " partner_id, valid_from) VALUES (%s, %s, 'Dalstad', 'Dalstad', %s, %s, %s, %s, '2020-01-01')",
            (uuid7(), world.region, first, last, world.team, partner),
        )
    world.report(datetime.now(UTC), [PERSON])
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    enter(page, address, keeper)
    page.goto(f"{address}/beheer/routering/inlezen")
    line = f"Bergstad;Bergstad;;;Team Noord;;{datetime.now(UTC):%Y-%m-%d}\nFout;;;;;;\n"
    heading = "gemeente;plaats;postcode_van;postcode_tot;team;partner;geldig_vanaf\n"
    page.set_input_files("#bestand", {"name": "x.csv", "mimeType": "text/csv", "buffer": (heading + line).encode()})
    page.click("text=Bekijk wat er verandert")
    page.wait_for_url("**/concept")
    paths = [
        "beheer",
        f"beheer/regio/{world.region}",
        "beheer/teams",
        f"beheer/teams/{world.team}",
        "beheer/gemeenten/nieuw",
        "beheer/partners/nieuw",
        "beheer/afzenders",
        f"beheer/afzenders/{world.police}",
        "beheer/routering",
        "beheer/routering/concept",
        "beheer/gemeenten/inlezen",
        "beheer/wijzigingen",
    ]
    for path in paths:
        page.goto(f"{address}/{path}")
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{address}/beheer/routering/concept")
    page.click("li:has-text('Fout') button:has-text('Uit het concept halen')")
    page.click("button:has-text('Proefdraaien')")
    page.wait_for_selector("text=krijgen een andere route")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{address}/beheer/gemeenten/nieuw")
    page.click("text=Opslaan")
    page.wait_for_selector("[role=alert]")
    assert violations(page) == []
    context.close()
