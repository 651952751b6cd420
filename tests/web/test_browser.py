"""The screens in real Chromium: keyboard, no JavaScript, 320 pixels wide, and axe on every page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from tests.web.chromium import LOOKS, enter, violations

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("family")]


def paths(ids: dict[str, UUID]) -> list[str]:
    return [
        "/wachtrij",
        "/wachtrij?soort=quarantine&risico=2",
        f"/meldingen/{ids['third']}",
        f"/meldingen/{ids['supplement']}",
        f"/meldingen/{ids['third']}/bericht",
        f"/casussen/{ids['case']}",
        "/quarantaine",
        "/quarantaine?toon=afgehandeld",
        f"/quarantaine/{ids['quarantine']}",
        f"/taken/{ids['job']}",
        *(
            f"/meldingen/{ids['third']}/{area}"
            for area in ("kluis", "afscherming", "herleidbaar", "bescherming", "rechten")
        ),
        "/zoeken",
        "/afgeschermd",
        "/uitgaand",
        "/bewaartermijnen",
        "/mijn-account",
        "/medewerkers",
        "/bestaat-niet",
    ]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_the_browser_complains_of_nothing(
    browser: Browser, address: str, family: dict[str, UUID], width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{address}/inloggen")
    assert violations(page) == []
    enter(page, address)
    for path in paths(family):
        page.goto(address + path)
        assert violations(page) == [], path
    # What is not found, and the raw message without a grant, are told on the console as well: those two only.
    assert [text for text in complaints if "404" not in text and "403" not in text] == []
    assert len(complaints) == 2
    context.close()


def test_without_javascript_nothing_is_wider_than_320_pixels(
    browser: Browser, address: str, family: dict[str, UUID]
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    enter(page, address)
    for path in ["/inloggen", *paths(family)]:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    context.close()


def test_an_assessment_by_keyboard_without_javascript(
    browser: Browser, address: str, family: dict[str, UUID]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/meldingen/{family['third']}/beoordeling")
    page.focus("#reden")
    page.keyboard.type("Direct bellen.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.inner_text("#fout-pad"), "what is missing stands beside it"
    assert page.input_value("#reden") == "Direct bellen.", "what was typed is kept"
    context.close()


def test_the_skip_link_is_first_and_focus_is_visible(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Naar de inhoud"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#inhoud")
    seen = 0
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        seen += style != "none"
    assert seen == 12
    context.close()


def test_the_session_cookie_works_on_loopback_and_signing_out_removes_it(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, address)
    cookies = {cookie["name"]: cookie for cookie in context.cookies()}
    # The session, and by what this browser is known again: it proves nothing (web/access/arrival.py).
    assert "__Host-veilig" in cookies
    assert len(cookies) == 2
    for cookie in cookies.values():
        assert cookie["secure"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
    page.click("text=Uitloggen")
    page.wait_for_url("**/inloggen")
    assert "__Host-veilig" not in {cookie["name"] for cookie in context.cookies()}
    page.goto(f"{address}/wachtrij")
    assert page.url.endswith("/inloggen")
    context.close()


def test_a_page_of_another_site_cannot_send_our_forms(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    enter(page, address)
    other = context.new_page()
    other.route(
        "http://elders.example/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<form method="post" action="{address}/uitloggen"><button>Klik</button></form>',
        ),
    )
    other.goto("http://elders.example/")
    with other.expect_response("**/uitloggen") as answer:
        other.click("button")
    assert answer.value.status in (303, 403)
    page.goto(f"{address}/wachtrij")
    assert page.inner_text("h1") == "Wachtrij"
    context.close()
