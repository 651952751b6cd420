"""Every page by GET, as the role that sees most of it: axe in both languages, both themes and three widths.

Each page is seen in one of the twelve ways, so that the run stays short; EVERY_WAY=1 shows each in all twelve.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.web.chromium import EVERY_WAY, WIDTHS, violations
from tests.web.test_look_browser import be, wide
from web.access.guard import ACTIONS
from web.access.matrix import may, needs_step_up

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("family")]
WAYS = list(product(("nl", "en"), ("light", "dark"), WIDTHS))
ROLES = ("team_lead", "administrator", "privacy_officer")
"""Who looks: the first of these that may see the page. There is no page that none of them may see."""
NO_PAGE = ("/live", "/bestand", "/export", ".csv", "/document", "/csv")
PUBLIC = ("/contact", "/melden-beroepskracht", "/melden-beroepskracht?soort=apotheek", "/aansluiting", "/inloggen")


def pages_of(role: str, report: str) -> list[str]:
    """The pages that need no number, and those of one report."""
    found = []
    for (method, path), action in ACTIONS.items():
        if method != "GET":
            continue
        first = next((one for one in ROLES if may(one, action)), None)
        assert first, f"nobody of {ROLES} looks at {path}"
        if first != role or needs_step_up(action) or path.endswith(NO_PAGE):
            continue
        if path.startswith("/meldingen/{id}"):
            path = path.replace("{id}", report)
        if "{" not in path:
            found.append(path)
    return found


def ways_of(number: int) -> list[tuple[str, str, int]]:
    """One way for a page, another for the next: each language, theme and width has its turn."""
    return WAYS if EVERY_WAY else [WAYS[number * 5 % len(WAYS)]]


def look(page: Page, address: str, path: str, way: tuple[str, str, int], key: str) -> list[str]:
    language, theme, width = way
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}{path}{'&' if '?' in path else '?'}{key}={language}")
    found = violations(page)
    if (broad := wide(page)) > width:
        found.append(f"{broad} px wide")
    return [f"{path} {way}: {one}" for one in found]


@pytest.mark.parametrize("role", ROLES)
def test_no_page_of_staff_has_a_violation(browser: Browser, address: str, world: Any, role: str) -> None:
    report = str(world.report(datetime(2026, 3, 9, 9, 0, tzinfo=UTC)))
    page = browser.new_context().new_page()
    be(page, world, address, role)
    found: list[str] = []
    seen = pages_of(role, report)
    assert seen
    for number, path in enumerate(seen):
        for way in ways_of(number):
            found += look(page, address, path, way, "taal")
    page.context.close()
    assert found == []


def test_no_public_page_has_a_violation(browser: Browser, address: str) -> None:
    page = browser.new_context().new_page()
    found: list[str] = []
    for number, path in enumerate(PUBLIC):
        for way in {*ways_of(number), *ways_of(number + 1), *ways_of(number + 2)}:
            found += look(page, address, path, way, "l")
    page.context.close()
    assert found == []
