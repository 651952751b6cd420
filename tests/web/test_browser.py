"""The screens in real Chromium: keyboard, no JavaScript, 320 pixels wide, and axe on every page."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Error, Page, sync_playwright

from core.settings import settings
from core.staff import ensure_demo_staff
from web.app import create_app

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        except Error as error:
            pytest.skip(f"chromium does not start: {error.message.splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture
def address(world: Any, family: dict[str, UUID], database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real server in demo mode on a free port, with the family in it."""
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_DEMO_ON_OWN_DATABASE", "yes")
    settings.cache_clear()
    ensure_demo_staff(world.db, world.region)
    config = uvicorn.Config(create_app(), host="127.0.0.1", port=0, log_level="error", server_header=False)
    server = uvicorn.Server(config)
    sockets = [config.bind_socket()]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


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
        "/bestaat-niet",
    ]


def enter(page: Page, address: str) -> None:
    """Sign in with the keyboard only."""
    page.goto(f"{address}/inloggen")
    page.wait_for_selector("#gebruikersnaam:focus")
    page.keyboard.type("teun")
    page.keyboard.press("Tab")
    page.keyboard.type("demo-teun")
    page.keyboard.press("Enter")
    page.wait_for_url("**/wachtrij")


def violations(page: Page) -> list[str]:
    """What axe finds, as rule and place. It is put in by the debugger, so our CSP need not allow scripts."""
    page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)
    return [f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}" for one in found["violations"]]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "light")])
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
    # A page that is not found is told on the console as well: that one only.
    assert [text for text in complaints if "404" not in text] == []
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


def test_a_decision_by_keyboard_without_javascript(browser: Browser, address: str, family: dict[str, UUID]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/meldingen/{family['third']}")
    page.focus("#reden")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.inner_text("#fout-reden")
    page.focus("#reden")
    page.keyboard.type("Direct bellen.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("h2#besluit:text('Besluit')")
    assert "Direct bellen." in page.inner_text("main")
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
    (cookie,) = context.cookies()
    assert cookie["name"] == "__Host-veilig"
    assert cookie["secure"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    page.click("text=Uitloggen")
    page.wait_for_url("**/inloggen")
    assert context.cookies() == []
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
