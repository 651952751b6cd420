"""The shell and the first pages in real Chromium: both languages, both themes, three widths, large text and paper."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.staff import DEMO_LOGINS, ROLES, add_staff
from tests.web.chromium import LOOKS, violations

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("family")]
MOST_BYTES = 100 * 1000


def be(page: Page, world: Any, address: str, role: str) -> None:
    """Signed in as the ready login of this role."""
    login = next(one for one in DEMO_LOGINS if one.role == role)
    if world.db.execute("SELECT FROM staff WHERE username = %s", (login.username,)).fetchone() is None:
        add_staff(world.db, world.region, login.username, login.name, login.role, login.password)
    page.context.clear_cookies()
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", login.username)
    page.fill("#wachtwoord", login.password)
    page.keyboard.press("Enter")
    page.wait_for_selector("form.who", state="attached")


def wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_first_page_of_every_role_is_whole_in_both_languages(
    browser: Browser, address: str, world: Any, width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for role in ROLES:
        be(page, world, address, role)
        for language in ("nl", "en"):
            page.goto(f"{address}/?taal={language}")
            assert page.evaluate("document.documentElement.lang") == language
            assert page.inner_text("h1") == {"nl": "Vandaag", "en": "Today"}[language]
            assert violations(page) == [], (role, language)
            assert wide(page) <= width, (role, language)
    context.close()


def test_text_of_twice_the_size_fits_without_scrolling_sideways(browser: Browser, address: str, world: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, java_script_enabled=True)
    page = context.new_page()
    be(page, world, address, "team_lead")
    for path in ("/", "/wachtrij", "/mijn-account"):
        page.goto(address + path)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert wide(page) <= 1280, path
    context.close()


def test_the_menu_opens_by_keyboard_and_without_javascript(browser: Browser, address: str, world: Any) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    be(page, world, address, "team_lead")
    page.goto(address)
    header = page.locator("header.bar").bounding_box()
    assert header is not None
    assert header["height"] < 160, "the work is what a phone shows first"
    group = page.locator("summary", has_text="Dossiers")
    assert not group.is_visible()
    page.locator("summary", has_text="Menu").focus()
    page.keyboard.press("Enter")
    group.focus()
    page.keyboard.press("Enter")
    entry = page.locator('nav a[href="/afgeschermd"]')
    assert entry.is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/afgeschermd")
    assert wide(page) <= 320
    page.set_viewport_size({"width": 1280, "height": 800})
    assert not page.locator("summary", has_text="Menu").is_visible()
    assert page.locator("nav[aria-label=Hoofdmenu]").is_visible(), "nothing folds away where there is room"
    context.close()


def test_on_paper_there_is_the_work_and_no_menu(browser: Browser, address: str, world: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    be(page, world, address, "team_lead")
    page.goto(address)
    page.emulate_media(media="print")
    assert not page.is_visible("nav[aria-label=Hoofdmenu]")
    assert not page.is_visible("text=Uitloggen")
    assert page.is_visible("h1")
    assert page.is_visible("#laat")
    context.close()


def test_a_page_with_all_it_loads_is_small_and_comes_from_here(browser: Browser, address: str, world: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    be(page, world, address, "team_lead")
    loaded: list[tuple[str, int]] = []
    page.on("response", lambda answer: loaded.append((answer.url, len(answer.body()) if answer.status == 200 else 0)))
    page.goto(address, wait_until="networkidle")
    assert all(url.startswith((address, "data:")) for url, _ in loaded)
    assert sum(size for _, size in loaded) <= MOST_BYTES
    context.close()


def test_with_forced_colours_the_marks_keep_an_edge(browser: Browser, address: str, world: Any) -> None:
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    be(page, world, address, "team_lead")
    page.goto(address)
    assert page.evaluate("getComputedStyle(document.querySelector('.badge')).borderStyle") == "solid"
    assert page.evaluate("getComputedStyle(document.querySelector('.tile')).borderStyle") == "solid"
    context.close()
