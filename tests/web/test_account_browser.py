"""The pages of signing in and of logins in real Chromium: axe, 320 pixels, and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from core import sign_up
from core.database import Db
from core.staff import ensure_demo_staff
from tests.web.chromium import violations
from tests.web.signing import login

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    browser: Browser, address: str, world: Any, db: Db, width: int
) -> None:
    ensure_demo_staff(db, world.region)
    other = login(db, "bram").member
    sign_up.start_reset(db, world.region, other.id, "Telefoon verloren", login(db, "teun").member.id, "teun")
    link = sign_up.invite(db, world.region, login(db, "ilse").member.id, "fenna")
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(address + link.path)
    assert violations(page) == []
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", "fenna")
    page.fill("#wachtwoord", "demo-fenna")
    page.press("#wachtwoord", "Enter")
    page.wait_for_selector("form.who", state="attached")
    paths = ["/mijn-account", "/mijn-account/bewijzen", "/bevestigen", "/medewerkers", f"/medewerkers/{other.id}"]
    for path in paths:
        page.goto(address + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_without_javascript_an_administrator_blocks_somebody(
    browser: Browser, address: str, world: Any, db: Db
) -> None:
    ensure_demo_staff(db, world.region)
    other = login(db, "bram").member
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", "fenna")
    page.fill("#wachtwoord", "demo-fenna")
    page.press("#wachtwoord", "Enter")
    page.wait_for_selector("form.who", state="attached")
    page.goto(f"{address}/medewerkers/{other.id}")
    page.fill("#reden", "Uit dienst")
    page.click("text=Blokkeren")
    page.wait_for_url(f"**/medewerkers/{other.id}")
    assert "geblokkeerd" in page.content()
    found = login(db, "bram")
    assert not found.active
    context.close()
