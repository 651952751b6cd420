"""What leaves in real Chromium: axe and 320 pixels, and a letter let go of by keyboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser

from core.deadlines import local_day
from core.ids import uuid7
from radar.casework import letters, notices
from radar.outbound import gate, recipients, release, rows, safe_contacts
from tests.web.chromium import enter, violations
from tests.web.conftest import FATHER, MOTHER, PERSON

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 320])
def test_every_page_passes_axe_fits_the_screen_and_releases_by_keyboard(
    browser: Browser, address: str, world: Any, width: int
) -> None:
    db, now = world.db, datetime.now(UTC)
    household, case = world.household(now - timedelta(days=9))
    report = world.report(now - timedelta(days=9), [PERSON, MOTHER, FATHER], household=household, case=case)
    for number in (1, 2, 3):
        world.link(report, number, uuid7(), "new", household=household)
    notices.begin(db, report, now)
    mother = notices.waiting(db, world.region, report, local_day(now))[1].mention_id
    fields = {"aan": "Maria", "over": "u", "bellen": "0800-2000", "medewerker": "Teun"}
    made = [letters.make(db, report, "person_notice", fields, mother, "bram", now) for _ in range(2)]
    waits, held = (release.required(db, "person_notice", one)["id"] for one in made)
    recipients.check_person(db, mother, "asked", by="bram", at=now)
    gate.hold(db, rows.locked(db, held), [gate.Objection("link_changed", "x")], now)
    safe_contacts.agree(
        db,
        mother,
        channel="phone",
        address="0612345678",
        weekdays=[1, 2],
        from_hour=9,
        to_hour=12,
        code_word="fietsbel",
        by="bram",
        at=now,
    )
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    enter(page, address)
    reach = f"meldingen/{report}/betrokkenen/{mother}/bereiken"
    for path in ("uitgaand", "uitgaand/partners", f"uitgaand/{waits}", f"uitgaand/{held}", reach):
        page.goto(f"{address}/{path}")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    with db.transaction():
        gate.draft_out(db, "person_notice", made[0], lambda foot: foot.encode(), by="teun", name="Teun", at=now)
    page.goto(f"{address}/uitgaand/{waits}")
    page.locator("#gelezen").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Vrijgeven"
    page.keyboard.press("Enter")
    page.wait_for_selector("text=vrijgegeven.")
    assert rows.find(db, world.region, waits)["released_by"] == "teun"
    context.close()
