"""The form of a professional in real Chromium: by keyboard, without JavaScript, and seen by axe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.database import Db
from tests.web.chromium import LOOKS, enter, violations
from tests.web.test_professional import ANSWERS, PATH, PHARMACY
from workers import work

pytestmark = pytest.mark.browser
STEPS = ["situatie", "uzelf", "personen", "persoon/1", "signalen", "overleg", "gesprek", "afweging", "besluit"]


def jobs(db: Db) -> None:
    while row := db.execute("SELECT id FROM job WHERE state = 'new' AND due_at <= now() LIMIT 1").fetchone():
        work.carry_out(row["id"])


def reach(page: Page, selector: str) -> None:
    """Go there with the Tab key, as somebody without a mouse does."""
    for _ in range(80):
        if page.evaluate("wanted => document.activeElement && document.activeElement.matches(wanted)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not to be reached by keyboard: {selector}")


def answer(page: Page, answers: dict[str, str]) -> None:
    """Fill in one page in its own order, with the keyboard only."""
    order = page.eval_on_selector_all(
        "input, select, textarea", "all => all.map(one => [one.name, one.type, one.value])"
    )
    for name, kind, value in order:
        wanted = answers.get(name)
        if wanted is None:
            continue
        if kind == "radio":
            if value == wanted:
                group = f'input[name="{name}"]'
                reach(page, group)
                for _ in range(12):
                    if page.evaluate("() => [document.activeElement.value, document.activeElement.checked]") == [
                        value,
                        True,
                    ]:
                        break
                    # A group without an answer is answered by the space bar, and left by the arrows.
                    page.keyboard.press(
                        "Space" if page.evaluate("() => document.activeElement.value") == value else "ArrowDown"
                    )
        elif kind == "checkbox":
            reach(page, f'[id="{name}"]')
            page.keyboard.press("Space")
        elif kind == "select-one":
            reach(page, f'select[name="{name}"]')
            label = page.eval_on_selector(
                f'select[name="{name}"]', "(one, v) => [...one.options].find(o => o.value === v).text", wanted
            )
            page.keyboard.type(label)
        else:
            reach(page, f'[name="{name}"]')
            page.keyboard.type(wanted.replace("\r\n", "\n"))
    reach(page, 'button[value="verder"]')
    page.keyboard.press("Enter")


def test_from_the_first_key_to_the_queue_with_the_keyboard_and_without_javascript(
    browser: Browser, address: str, world: Any, db: Db, tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address + PATH)
    reach(page, 'button[value="begin"]')
    page.keyboard.press("Enter")
    for step, answers in ANSWERS.items():
        if step.startswith("persoon"):
            page.wait_for_url(f"**{PATH}/personen")
            reach(page, "a.button")
            page.keyboard.press("Enter")
        page.wait_for_url(f"**{PATH}/{step}")
        answer(page, answers)
        if step == "persoon/2":
            page.wait_for_url(f"**{PATH}/personen")
            reach(page, 'button[value="verder"]')
            page.keyboard.press("Enter")
    page.wait_for_url(f"**{PATH}/bijlagen")
    file = tmp_path / "verslag.txt"
    file.write_text("Verzonnen verslag.", encoding="utf-8")
    page.set_input_files("#bestand", file)
    reach(page, 'button[value="verder"]')
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PATH}/controle")
    reach(page, "#versturen")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PATH}/ontvangen")
    number = page.inner_text(".code")
    page.go_back()
    page.wait_for_url(f"**{PATH}/ontvangen")
    reach(page, 'form button[type="submit"]')
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{PATH}")
    page.go_back()
    page.wait_for_url(f"**{PATH}?weg=ja")
    assert "Xanthippe" not in page.content()
    context.close()

    jobs(db)
    staff = browser.new_context(viewport={"width": 1280, "height": 900})
    seen = staff.new_page()
    enter(seen, address)
    row = db.execute("SELECT id FROM report WHERE reference_of_reporter = %s", (number,)).fetchone()
    assert row is not None
    assert seen.query_selector(f'a[href^="/meldingen/{row["id"]}"]') is not None
    seen.goto(f"{address}/meldingen/{row['id']}")
    assert "papa slaat mij" in seen.content()
    seen.goto(f"{address}/meldingen/{row['id']}/bijlagen")
    assert "verslag.txt" in seen.content()
    assert violations(seen) == []
    staff.close()


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    browser: Browser, address: str, world: Any, db: Db, width: int, theme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()

    def look(where: str) -> None:
        assert violations(page) == [], where
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where

    page.goto(address + PATH)
    look("start")
    page.fill("#code", "1234")
    page.click('button[value="code"]')
    look("wrong code")
    page.goto(f"{address}{PATH}?soort=apotheek")
    look("pharmacy")
    page.click("#versturen")
    look("pharmacy with errors")
    page.goto(address + PATH)
    page.click('button[value="begin"]')
    for step in STEPS:
        page.goto(f"{address}{PATH}/{step}")
        look(step)
        page.click('button[value="verder"]')
        look(f"{step} with errors")
    page.goto(f"{address}{PATH}/bijlagen")
    page.click('button[value="toevoegen"]')
    look("no file")
    page.set_input_files("#bestand", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"Verzonnen"})
    page.click('button[value="toevoegen"]')
    look("a file")
    page.goto(f"{address}{PATH}/controle")
    page.click("#versturen")
    look("incomplete")
    page.click('button[value="bewaren"]')
    look("code")
    page.goto(f"{address}{PATH}?soort=apotheek")
    for name, value in PHARMACY.items():
        if page.query_selector(f'[id="{name}-{value}"]'):
            page.check(f'[id="{name}-{value}"]')
        elif name != "nummer":
            page.fill(f'[name="{name}"]', value)
    page.click("#versturen")
    page.wait_for_url(f"**{PATH}/ontvangen")
    look("received")
    context.close()


def test_the_form_in_english_stays_in_english(browser: Browser, address: str, world: Any) -> None:
    context = browser.new_context(locale="nl-NL")
    page = context.new_page()
    page.goto(f"{address}{PATH}?l=en")
    assert "Form for professionals" in page.inner_text("h1")
    page.click('button[value="begin"]')
    assert page.get_attribute("html", "lang") == "en"
    assert "Is it safe now?" in page.inner_text("h1")
    page.click('button[value="verder"]')
    assert "Choose whether everybody is safe now" in page.inner_text("main")
    assert violations(page) == []
    context.close()
