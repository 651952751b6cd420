"""Advice in real Chromium: by keyboard only, without JavaScript, axe in both themes and at every width."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page

from intake import advice_rows
from tests.web.chromium import LOOKS, enter, violations
from tests.web.test_advice import chat, stored  # noqa: F401 (chat is a fixture)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing(
    browser: Browser,
    address: str,
    world: Any,
    chat: UUID,  # noqa: F811
    width: int,
    scheme: Any,
) -> None:
    given, asked = stored(world), stored(world, way="formulier", advice="")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    enter(page, address)
    paths = [
        *("/adviezen", "/adviezen?wie=02", "/adviezen?toon=open", "/adviezen/nieuw", f"/adviezen/{given}"),
        *(f"/adviezen/{asked}", f"/adviezen/{given}/omzetten", "/adviezen/chats", f"/adviezen/chats/{chat}"),
    ]
    for path in paths:
        page.goto(address + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{address}/adviezen/nieuw")
    page.fill("#vraag", "De buurman heet karel.")
    page.click("main form button")
    page.wait_for_selector("#fout-hoedanigheid")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [one for one in complaints if "400" not in one] == []
    context.close()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the field of this id has the focus, as somebody without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == name:
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def test_an_advice_from_first_key_to_the_list_by_keyboard_without_javascript(
    browser: Browser, address: str, world: Any
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/adviezen/nieuw")
    tab_to(page, "hoedanigheid")
    page.keyboard.type("School")
    tab_to(page, "aanleiding.08")
    page.keyboard.press("Space")
    tab_to(page, "vraag")
    page.keyboard.type("Een kind van tien zegt dat het thuis geslagen wordt. De buurman heet karel.")
    tab_to(page, "advies")
    page.keyboard.type("Bespreek het met een collega.")
    tab_to(page, "duur")
    page.keyboard.type("15")
    page.keyboard.press("Enter")
    page.wait_for_selector("mark")
    assert page.inner_text("mark") == "karel"
    assert page.input_value("#advies") == "Bespreek het met een collega."
    assert advice_rows.listing(world.db, world.region)[0] == []
    tab_to(page, "vraag")
    page.keyboard.press("Control+A")
    page.keyboard.type("Een kind van tien zegt dat het thuis geslagen wordt.")
    tab_to(page, "duur")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Het advies is vastgelegd.")
    page.goto(f"{address}/adviezen")
    assert "AD-" in page.inner_text("table")
    (row,) = advice_rows.listing(world.db, world.region)[0]
    assert (row["capacity"], row["occasions"], row["minutes"], row["finds"]) == ("15", ["08"], 15, 0)
    context.close()


def test_the_pages_speak_english(browser: Browser, address: str, world: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/adviezen/nieuw")
    page.click("button[lang=en]")
    page.wait_for_selector("text=What is the question?")
    assert page.get_attribute("html", "lang") == "en"
    words = page.inner_text("main")
    for dutch in ("advies", "vraag", "Kies", "vrager", "geweld"):
        assert dutch not in words, dutch
    context.close()
