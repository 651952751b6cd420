"""Dividing the work and the overview in real Chromium: axe, 320 pixels wide, by keyboard without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from radar.casework import reminders
from radar.casework.shares import recount
from tests.web.chromium import LOOKS, enter, violations

pytestmark = pytest.mark.browser
PATHS = ("/wachtrij", "/wachtrij?wie=niemand&klok=opgeschaald", "/wachtrij?verdeeld=2-1", "/overzicht")


@pytest.fixture
def busy(world: Any, family: dict[str, UUID]) -> dict[str, UUID]:
    """Rows with every mark, and months in which terms were kept or not."""
    now = datetime.now(UTC)
    for days in range(20, 300, 20):
        world.report(now - timedelta(days=days), done=days % 60 > 0)
    reminders.escalate(world.db, now)
    reminders.remind(world.db, now)
    with world.db.transaction():
        recount(world.db, now)
    return family


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing(browser: Browser, address: str, busy: dict[str, UUID], width: int, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    enter(page, address)
    for path in PATHS:
        page.goto(address + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert complaints == []
    context.close()


def test_take_a_task_by_keyboard_without_javascript(browser: Browser, address: str, busy: dict[str, UUID]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/wachtrij?soort=assess")
    page.focus(".tick input")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # the first button of the form: take what is ticked
    page.wait_for_selector("text=1 taak is verdeeld.")
    assert page.url.startswith(f"{address}/wachtrij?soort=assess")
    assert page.inner_text(".tiles").count("1 van mij") + page.inner_text(".tiles").count("1\nvan mij") == 1
    context.close()
