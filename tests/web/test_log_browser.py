"""The log and its review in real Chromium: axe, 320 pixels, and an outcome by keyboard only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from core import audit
from core.deadlines import AMSTERDAM
from radar.oversight import review
from tests.web.chromium import enter, violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 320])
def test_every_page_of_the_log_passes_axe_and_fits_the_screen(
    browser: Browser, address: str, world: Any, family: dict[str, UUID], width: int
) -> None:
    reader = world.staff("assessor", "bram")
    for _ in range(3):
        audit.append(world.db, world.region, reader, "report.view", "report", family["third"])
    review.run(world.db, world.region, datetime.now(AMSTERDAM).date(), datetime.now(UTC), "system")
    row = world.db.execute("SELECT id FROM log_finding WHERE rule = 'no_relation'").fetchone()
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    enter(page, address)
    # The role counts from the next request on, not from the next sign-in.
    world.db.execute("UPDATE staff SET role = 'privacy_officer' WHERE username = 'teun'")
    for path in ("log", f"log/melding/{family['third']}", "logcontrole", f"logcontrole/{row['id']}"):
        page.goto(f"{address}/{path}")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.focus("input[name=uitkomst]")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Nagevraagd bij de teamleider: hoort bij het werk.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/logcontrole")
    assert violations(page) == []
    page.goto(f"{address}/logcontrole?toon=afgehandeld")
    assert violations(page) == []
    assert "Verklaard" in page.inner_text("main")
    context.close()
