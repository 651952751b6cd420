"""The screens of rights in real Chromium: axe, and 320 pixels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from radar.rights import copy, destruction
from tests.radar.rights.people import asked, family, granted, mention
from tests.web.chromium import enter, violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 320])
def test_every_page_passes_axe_and_fits_the_screen(browser: Browser, address: str, world: Any, width: int) -> None:
    now = datetime.now(UTC)
    report = family(world, now - timedelta(days=9))
    access = asked(world.db, report, 2, "access", at=now)
    copy.prepare(world.db, access, by="bram", at=now)
    gone = granted(world.db, report, at=now)
    order = destruction.propose(
        world.db, mention(world.db, report, 3), "request", "Op verzoek.", request_id=gone, by="bram", at=now
    )
    family(world, datetime(2005, 3, 1, 9, tzinfo=UTC), state="closed")
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    enter(page, address)
    for path in (
        f"meldingen/{report}/rechten",
        f"verzoeken/{access}",
        f"verzoeken/{gone}",
        "bewaartermijnen",
        f"vernietigingen/{order}",
    ):
        page.goto(f"{address}/{path}")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
