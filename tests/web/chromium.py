"""Real Chromium for the tests: started once per module, with how to sign in and what axe finds."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Error, Page, sync_playwright

from web.app import create_app

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
    yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


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
