"""Real Chromium for the tests: started once per module, with how to sign in and what axe finds."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import pytest
import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Error, Page, sync_playwright

from web.app import create_app
from web.live import PAGES

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
EVERY_WAY = bool(os.environ.get("EVERY_WAY"))
"""By hand: each page in every language, theme and width. A run of all tests sees each of these once per page."""
WIDTHS = (320, 768, 1280)
LOOKS = list(product(WIDTHS, ("light", "dark"))) if EVERY_WAY else [(320, "dark"), (1280, "light")]
"""Widths of the screen in CSS pixels, and themes: a width changes no colour and a theme no measure."""
AXE_RUN = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(done => done.violations)"
"""Without all that it found in order: to bring that over took three quarters of the time."""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def started_browser() -> Iterator[Browser]:
    """Chromium without a window; skips the test when there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        except Error as error:
            pytest.skip(f"chromium does not start: {error.message.splitlines()[0]}")
        yield started
        started.close()


@contextmanager
def served() -> Iterator[str]:
    """The product's web process on a free port, in a thread; gives its address."""
    config = uvicorn.Config(create_app(), host="127.0.0.1", port=0, log_level="error", server_header=False)
    server = uvicorn.Server(config)
    sockets = [config.bind_socket()]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.02)
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    PAGES.end()  # what the signals of a process do (web/live.py)
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def enter(page: Page, address: str) -> None:
    """Sign in with the keyboard only, and go to the queue."""
    page.goto(f"{address}/inloggen")
    page.wait_for_selector("#gebruikersnaam:focus")
    page.keyboard.type("teun")
    page.keyboard.press("Tab")
    page.keyboard.type("demo-teun")
    page.keyboard.press("Enter")
    page.wait_for_selector("form.who", state="attached")
    page.goto(f"{address}/wachtrij")


def violations(page: Page) -> list[str]:
    """What axe finds, as rule and place. It is put in by the debugger, so our CSP need not allow scripts."""
    page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    found = page.evaluate(AXE_RUN, WCAG)
    return [f"{one['id']}: {[node['target'] for node in one['nodes']][:3]}" for one in found]
