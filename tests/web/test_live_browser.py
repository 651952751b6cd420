"""Pages that keep up to date, in real Chromium: two colleagues, the focus kept, the end of a session, no script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page

from core.database import Db
from core.ids import uuid7
from core.settings import settings
from core.staff import DEMO_LOGINS, add_staff
from intake import senders
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_json
from tests.web.chromium import LOOKS, enter, served, violations
from tests.web.conftest import World
from web import live


@pytest.fixture
def address(world: World, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real server in demo mode that looks every second, with one report."""
    monkeypatch.setattr(live, "GAP_S", 0.2)
    monkeypatch.setattr(live, "HEARTBEAT_S", 1.0)
    monkeypatch.setenv("VEILIG_LIVE_SECONDS", "1")
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_DEMO_ON_OWN_DATABASE", "yes")
    settings.cache_clear()
    (teun,) = [login for login in DEMO_LOGINS if login.username == "teun"]
    add_staff(world.db, world.region, teun.username, teun.name, teun.role, teun.password)
    world.report(datetime.now(UTC) - timedelta(days=1), reference="EERSTE-1")
    with served() as started:
        yield started


def at_queue(browser: Browser, address: str, **more: Any) -> Page:
    page = browser.new_context(**more).new_page()
    enter(page, address)
    page.goto(f"{address}/wachtrij?team=alle")
    return page


def rows(page: Page) -> int:
    return page.locator("[data-live-key]").count()


def send(page: Page, db: Db, world: World) -> None:
    """A police system posts a report at the door of the feed."""
    senders.forget()
    db.execute("UPDATE region SET oin = %s WHERE id = %s", (VEILIG_THUIS_OIN, world.region))
    with db.transaction():
        token = senders.add(db, world.region, POLICE_OIN, "Politie", "politie")
    body = sample_json({"bericht": {"referentienummer": str(uuid7())}})
    address = "/".join(page.url.split("/")[:3])
    answer = page.request.post(f"{address}/api/v1/meldingen", data=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 202, answer.text()


def test_a_report_of_the_feed_appears_for_two_colleagues_without_a_reload(
    browser: Browser, address: str, world: World, db: Db
) -> None:
    one, two = at_queue(browser, address), at_queue(browser, address)
    for page in (one, two):
        page.evaluate("window.notReloaded = true")
        assert rows(page) == 1
    complaints: list[str] = []
    one.on("console", lambda message: complaints.append(message.text))
    send(one, db, world)
    for page in (one, two):
        page.wait_for_selector(
            "[data-live-key] >> nth=2", timeout=20_000
        )  # to look whether it is acute, and to assess
        assert page.evaluate("window.notReloaded")
        assert page.inner_text("[data-live-status]") == "Er staan 2 nieuwe taken in deze lijst."
        assert page.locator(".live-fresh").count() == 2
        assert page.locator(".live-news").is_hidden()
    assert violations(one) == []
    assert complaints == []
    one.context.close()
    two.context.close()


def test_what_somebody_is_at_stays_until_he_asks(browser: Browser, address: str, world: World) -> None:
    page = at_queue(browser, address)
    page.check(".tick input")
    name = page.evaluate("document.activeElement.name")
    for _ in range(3):
        world.report(datetime.now(UTC))
    page.wait_for_selector(".live-news:not([hidden])", timeout=20_000)
    assert rows(page) == 1
    assert page.evaluate("document.activeElement.name") == name
    assert violations(page) == []
    page.wait_for_selector("[data-live-news]:has-text('Er staan 3 nieuwe taken in deze lijst.')")
    page.focus(".live-news button")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-live-key] >> nth=3")
    assert page.is_checked(f"[name='{name}']"), "what he ticked is still ticked"
    assert page.locator(".live-news").is_hidden()
    assert page.evaluate("document.activeElement.id") == "bijhouden"
    page.context.close()


def test_an_open_explanation_and_typed_text_survive_on_a_report(browser: Browser, address: str, world: World) -> None:
    report = world.report(datetime.now(UTC))
    page = at_queue(browser, address)
    page.goto(f"{address}/meldingen/{report}")
    assert page.locator("text=De radar zoekt nog").is_visible()
    page.locator("summary", has_text="Hoe is deze datum berekend?").click()
    page.evaluate("document.activeElement.blur()")
    world.link(report, 1, uuid7(), "new")
    world.db.execute("UPDATE report SET linked_at = now() WHERE id = %s", (report,))
    page.wait_for_selector("text=De radar zoekt nog", state="detached", timeout=20_000)
    page.wait_for_selector("text=Nieuwe persoon")
    assert page.evaluate(
        "[...document.querySelectorAll('summary')]"
        ".find((one) => one.textContent.includes('Hoe is')).parentElement.open"
    )
    assert page.inner_text("[data-live-status]") == "Deze pagina is bijgewerkt."
    assert violations(page) == []
    page.context.close()


def test_after_sign_out_elsewhere_the_page_says_that_it_stopped(browser: Browser, address: str, world: World) -> None:
    page = at_queue(browser, address)
    other = page.context.new_page()
    other.goto(f"{address}/mijn-account")
    other.click("text=Uitloggen")
    other.wait_for_url("**/inloggen*")
    world.report(datetime.now(UTC))
    page.bring_to_front()
    page.wait_for_selector("[data-live-news]:has-text('niet meer vanzelf')", timeout=20_000)
    assert rows(page) == 1
    assert page.locator(".live-news button").is_hidden()
    page.context.close()


def test_without_javascript_the_link_does_it(browser: Browser, address: str, world: World) -> None:
    page = at_queue(browser, address, java_script_enabled=False)
    before = page.inner_text(".live")
    assert "Ververs" in before
    assert "Stand van" in before
    world.report(datetime.now(UTC))
    page.focus("[data-live-refresh]")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-live-key] >> nth=1")
    assert page.url == f"{address}/wachtrij?team=alle"
    page.context.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_page_of_a_sender_is_accessible_and_done_by_keyboard(
    browser: Browser, address: str, world: World, db: Db, width: int, scheme: Any
) -> None:
    with db.transaction():
        token = senders.add(db, world.region, POLICE_OIN, "Politie", "politie")
    (row,) = db.execute("SELECT id FROM sender WHERE oin = %s", (POLICE_OIN,)).fetchall()
    world.report(
        datetime.now(UTC), sender=row["id"], remarks=[{"code": "VT-W102", "pad": "x", "tekst": "De postcode."}]
    )
    sender: UUID = row["id"]
    assert sender
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=width != 320
    )
    page = context.new_page()
    page.goto(f"{address}/aansluiting")
    assert width == 320 or violations(page) == []
    page.focus("#client_id")
    page.keyboard.type(POLICE_OIN)
    page.keyboard.press("Tab")
    page.keyboard.type(token)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Politie')")
    if width != 320:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.focus("#geheim")
    page.keyboard.type(token)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Dit is uw nieuwe token")
    context.close()
