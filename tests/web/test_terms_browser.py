"""Terms and persons concerned in real Chromium: with axe, at 320 pixels, and a letter made by keyboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from core.deadlines import local_day
from core.ids import uuid7
from radar.casework import letters, notices
from radar.rights import requests
from tests.web.chromium import enter, violations
from tests.web.conftest import FATHER, MOTHER, PERSON

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 320])
def test_both_pages_pass_axe_fit_the_screen_and_make_a_letter_by_keyboard(
    browser: Browser, address: str, world: Any, width: int
) -> None:
    now = datetime.now(UTC)
    received = now - timedelta(days=9)
    household, case = world.household(received)
    report = world.report(received, [PERSON, MOTHER, FATHER], household=household, case=case)
    for number in (1, 2, 3):
        world.link(report, number, uuid7(), "new", household=household)
    notices.begin(world.db, report, received)
    child, mother, father = notices.waiting(world.db, world.region, report, local_day(now))
    assert child.term
    notices.extend(world.db, child.term["id"], 2, reason="Nog niet veilig.", by="bram", at=now)
    notices.told(world.db, father.mention_id, how="talk", told_at=now, by="bram", at=now)
    requests.receive(world.db, mother.mention_id, "access", local_day(now) - timedelta(days=1), by="bram", at=now)
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    enter(page, address)
    for path in ("termijnen", "betrokkenen"):
        page.goto(f"{address}/meldingen/{report}/{path}")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{address}/meldingen/{report}/betrokkenen")
    summary = page.locator("summary", has_text="Bericht aan betrokkene als brief").nth(1)
    summary.focus()
    page.keyboard.press("Enter")
    for _ in range(5):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Brief maken"
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Brief vrijgeven")
    (made,) = letters.of_report(world.db, world.region, report)
    assert (made["mention_id"], made["template"]) == (mother.mention_id, "person_notice")
    context.close()
