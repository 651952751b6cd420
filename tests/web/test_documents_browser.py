"""Regels en teksten in real Chromium: by keyboard only, without JavaScript, axe in both themes, 320 pixels."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core import documents
from core.database import Db
from core.documents import one_edition
from core.staff import ensure_demo_staff
from radar.casework import letters
from tests.web.chromium import LOOKS, violations
from tests.web.conftest import MOTHER

pytestmark = pytest.mark.browser
PATH = "/regels-en-teksten"
LETTER = f"{PATH}/letter.information"
FIELDS = {"aan": "Maria Voorbeeld", "bellen": "0800-2000", "klacht": "Schrijf ons een brief."}


@contextmanager
def signed_in(browser: Browser, address: str, db: Db, username: str, **options: Any) -> Iterator[Page]:
    """A page of somebody who proved himself a moment ago."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", username)
    page.fill("#wachtwoord", f"demo-{username}")
    page.press("#wachtwoord", "Enter")
    page.wait_for_selector("form.who", state="attached")
    db.execute("UPDATE staff_session SET stepped_up_until = now() + interval '10 minutes'")
    yield page
    context.close()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus."""
    for _ in range(200):
        if page.evaluate("s => document.activeElement && document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by Tab")


def wait_until_followed(before: int) -> None:
    """Until this process, which is also that of the server, uses what was activated after `before`."""
    end = time.monotonic() + 3 * documents.EVERY_S + 10
    while documents.here().changes == before:
        assert time.monotonic() < end, "the process does not follow"
        threading.Event().wait(0.05)


def test_a_letter_is_changed_by_keyboard_and_put_in_force_by_a_second_person(
    browser: Browser, address: str, world: Any, db: Db
) -> None:
    ensure_demo_staff(db, world.region)
    at = datetime.now(UTC) - timedelta(days=1)
    household, case = world.household(at)
    report = world.report(at, [MOTHER], household=household, case=case)
    row = db.execute("SELECT id FROM mention WHERE report_id = %s", (report,)).fetchone()
    assert row
    with signed_in(browser, address, db, "fenna") as page:
        page.goto(f"{address}{LETTER}/wijzigen")
        tab_to(page, "[id='paragraphs.1']")
        page.keyboard.press("Control+A")
        page.keyboard.type("Dag {aan},")
        tab_to(page, "#toelichting")
        page.keyboard.type("Vriendelijker")
        tab_to(page, "button[name=bewaren]:not([tabindex])")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{LETTER}/versies/1")
        assert "Dag mevrouw Voorbeeld," in page.inner_text("main")
        assert page.locator("text=Vraag een collega").count()
    before = documents.here().changes
    with signed_in(browser, address, db, "teun") as page:
        page.goto(f"{address}{LETTER}/versies/1")
        tab_to(page, "a.button")
        page.keyboard.press("Enter")
        page.wait_for_url("**/gebruiken")
        tab_to(page, "#reden")
        page.keyboard.type("Gelezen en akkoord")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{LETTER}")
        assert "Gelezen en akkoord" in page.inner_text("main")
    wait_until_followed(before)
    with one_edition(world.region):
        made = letters.make(db, report, "information", FIELDS, row["id"], "teun", datetime.now(UTC))
    assert letters.words(db, world.region, made)
    [stored] = db.execute("SELECT template_version FROM letter WHERE id = %s", (made,)).fetchall()
    assert stored["template_version"].endswith("-d1")
    with one_edition(world.region):
        assert letters.texts()["information"].paragraphs[0] == "Dag {aan},"


def test_without_javascript_a_day_is_added_and_what_is_wrong_is_kept(
    browser: Browser, address: str, world: Any, db: Db
) -> None:
    ensure_demo_staff(db, world.region)
    with signed_in(browser, address, db, "fenna", java_script_enabled=False) as page:
        page.goto(f"{address}{PATH}/holidays/wijzigen")
        page.fill("[id='day.6.date']", "zeven mei")
        page.fill("[id='day.6.source']", "Stcrt. 2027, 1")
        page.fill("#toelichting", "Nieuw besluit")
        page.press("[id='day.6.date']", "Enter")
        page.wait_for_selector("[id='fout-day.6.date']")
        assert page.input_value("[id='day.6.date']") == "zeven mei"
        assert page.input_value("#toelichting") == "Nieuw besluit"
        page.fill("[id='day.6.date']", "2027-06-01")
        page.click(".document-form .actions button")
        page.wait_for_url(f"**{PATH}/holidays/versies/1")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    browser: Browser, address: str, world: Any, db: Db, width: int, scheme: Any
) -> None:
    ensure_demo_staff(db, world.region)
    viewport = {"width": width, "height": 800}
    paths = [
        PATH,
        f"{PATH}/feedback",
        f"{PATH}/code_lists/wijzigen",
        f"{PATH}/holidays/wijzigen",
        f"{PATH}/feedback/wijzigen",
        f"{LETTER}/wijzigen",
        f"{PATH}/terms/wijzigen",
        f"{LETTER}/versies/0",
        f"{LETTER}/versies/0/gebruiken",
    ]
    with signed_in(browser, address, db, "fenna", viewport=viewport, color_scheme=scheme) as page:
        for path in paths:
            page.goto(address + path)
            assert violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.goto(f"{address}{LETTER}/wijzigen")
        page.fill("[id='paragraphs.1']", "Dag {wie},")
        page.click(".document-form .actions button")
        page.wait_for_selector(".notice-error")
        assert violations(page) == []
        page.goto(f"{address}{LETTER}/wijzigen")
        page.fill("[id='paragraphs.1']", "Dag {aan},")
        page.fill("#toelichting", "Vriendelijker")
        page.click(".document-form .actions button")
        page.wait_for_url("**/versies/1")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
