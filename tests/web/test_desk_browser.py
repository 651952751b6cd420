"""A call in real Chromium: under thirty actions, by keyboard, without JavaScript, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.database import Db
from tests.web.chromium import LOOKS, enter, violations
from tests.web.conftest import World
from tests.web.test_desk import CALL, MARIA, known

pytestmark = pytest.mark.browser


class Hand:
    """What a person does, counted: one for each field that is filled and each thing that is clicked or pressed."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def click(self, what: str) -> None:
        self.count += 1
        self.page.click(what)

    def fill(self, name: str, text: str) -> None:
        self.count += 1
        self.page.fill(f'[name="{name}"]', text)

    def choose(self, name: str, value: str) -> None:
        self.count += 1
        self.page.select_option(f'[name="{name}"]', value)

    def tick(self, identifier: str) -> None:
        self.count += 1
        self.page.check(f'[id="{identifier}"]')


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    yield made
    made.close()


def call(page: Page, address: str) -> Page:
    """A new call of who is signed in."""
    page.goto(f"{address}/gesprekken")
    page.click("text=Nieuw gesprek")
    page.wait_for_selector("form[data-call]")
    return page


def saved(page: Page) -> None:
    expect(page.locator("#bewaarstand")).to_contain_text("Bewaard om", timeout=15_000)


def reports(db: Db) -> list[dict[str, Any]]:
    return db.execute("SELECT content, reporter_kind FROM report WHERE sender_id = region_id").fetchall()


def test_a_call_from_the_first_key_to_the_queue_in_under_thirty_actions(
    context: BrowserContext, address: str, db: Db
) -> None:
    page = context.new_page()
    enter(page, address)
    page.goto(f"{address}/gesprekken")
    hand = Hand(page)
    hand.click("text=Nieuw gesprek")
    hand.choose("hoedanigheid", "35")
    hand.fill("melder_naam", "Bep Verzonnen")
    hand.fill("melder_telefoon", "06 11111111")
    hand.fill("wat", "De buurvrouw wordt geslagen. De kinderen huilen.")
    hand.fill("sinds", "Sinds de zomer")
    hand.tick("nu_veilig-nee")
    assert page.is_visible("text=Nu niet veilig: handel meteen.")
    hand.tick("kinderen-ja")
    hand.fill("a1.straat", "Voorbeeldstraat")
    hand.fill("a1.huisnummer", "12")
    hand.fill("a1.postcode", "1234 AB")
    hand.fill("a1.woonplaats", "Dalstad")
    for row, role, given, year in (("p1", "ouder met gezag", "Maria", "1988"), ("p2", "jeugdige", "Sam", "2019")):
        hand.choose(f"{row}.rol", role)
        hand.fill(f"{row}.voornamen", given)
        hand.fill(f"{row}.achternaam", "Proefstra")
        hand.choose(f"{row}.adres", "1")
        hand.fill(f"{row}.geboren.jaar", year)
    assert "zelfde adres als Maria Proefstra" in page.inner_text('[name="p2.adres"]')
    hand.tick("aanleiding.01")
    hand.click("text=Melding maken")
    page.wait_for_url("**/melding")
    assert "De buurvrouw wordt geslagen" in page.inner_text("main")
    hand.click("text=Melding vastleggen")
    page.wait_for_url("**/meldingen/**")
    assert hand.count < 30, hand.count
    (made,) = reports(db)
    assert made["content"]["aanmelding"]["nuVeilig"] == "nee"
    identifier = page.url.rsplit("/", 1)[1]
    page.goto(f"{address}/wachtrij")
    assert page.locator(f'a[href*="{identifier}"]').count() >= 1


def tab_to(page: Page, name: str) -> None:
    """With the Tab key, to the next field of this name (or the button with this text)."""
    for _ in range(120):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement; return [e.name || '', e.textContent.trim(), e.type || '']; }"
        )
        if name in found[:2]:
            return
    raise AssertionError(f"no way by Tab to {name}")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_call_by_keyboard_only_with_and_without_javascript(
    browser: Browser, address: str, db: Db, javascript: bool
) -> None:
    context = browser.new_context(java_script_enabled=javascript)
    page = context.new_page()
    enter_or_wait(page, address, javascript)
    page.goto(f"{address}/gesprekken")
    tab_to(page, "Nieuw gesprek")
    page.keyboard.press("Enter")
    page.wait_for_selector("form.desk")
    tab_to(page, "hoedanigheid")
    page.keyboard.type("Buur")
    typed = {
        "melder_naam": "Bep Verzonnen",
        "melder_telefoon": "06 11111111",
        "wat": "De buurvrouw wordt geslagen.",
        "nu_veilig": " ",
        "kinderen": " ",
        "p1.rol": "Ouder met gezag",
        "p1.voornamen": "Maria",
        "p1.achternaam": "Proefstra",
        "p1.geboren.jaar": "1988",
        "aanleiding.01": " ",
    }
    for name, text in typed.items():
        tab_to(page, name)
        page.keyboard.press("Space") if text == " " else page.keyboard.type(text)
    tab_to(page, "Melding maken")
    page.keyboard.press("Enter")
    page.wait_for_url("**/melding")
    tab_to(page, "Melding vastleggen")
    page.keyboard.press("Enter")
    page.wait_for_url("**/meldingen/**")
    assert len(reports(db)) == 1
    context.close()


def enter_or_wait(page: Page, address: str, javascript: bool) -> None:
    if javascript:
        enter(page, address)
        return
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", "teun")
    page.fill("#wachtwoord", "demo-teun")
    page.keyboard.press("Enter")
    page.wait_for_selector("form.who", state="attached")


def test_without_javascript_a_row_is_added_wrong_fields_are_told_and_what_to_do_shows_at_once(
    browser: Browser, address: str, db: Db
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700})
    page = context.new_page()
    enter_or_wait(page, address, False)
    call(page, address)
    assert page.is_hidden("text=Nu niet veilig: handel meteen.")
    page.check('[id="nu_veilig-nee"]')
    assert page.is_visible("text=Nu niet veilig: handel meteen.")
    page.fill('[name="wat"]', "Er is ruzie.")
    page.click("text=Nog een persoon")
    page.wait_for_selector('[name="p3.achternaam"]')
    assert page.input_value('[name="wat"]') == "Er is ruzie."
    page.click("text=Melding maken")
    page.wait_for_selector("#fout-melder_naam")
    assert page.input_value('[name="wat"]') == "Er is ruzie."
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert reports(db) == []
    context.close()


def test_a_row_is_added_and_somebody_known_is_shown_without_leaving_the_page(
    context: BrowserContext, address: str, world: World
) -> None:
    report = known(world, MARIA, days=20)
    page = context.new_page()
    enter(page, address)
    call(page, address)
    page.keyboard.press("Alt+Shift+P")
    expect(page.locator('[name="p3.rol"]')).to_be_focused()
    page.fill('[name="wat"]', CALL["wat"])
    page.fill('[name="p3.voornamen"]', "Maria")
    page.fill('[name="p3.achternaam"]', "Proefstra")
    page.fill('[name="p3.geboren.jaar"]', "1988")
    page.focus('[name="gezin_weet"]')
    link = page.locator(f'#bekend-p3 a[href="/meldingen/{report}"]')
    expect(link).to_have_attribute("target", "_blank")
    saved(page)
    page.keyboard.press("Alt+Shift+Digit5")
    expect(page.locator("#kinderen-kop")).to_be_focused()


def test_a_refresh_and_a_killed_window_lose_nothing(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    enter(page, address)
    call(page, address)
    page.fill('[name="wat"]', "Een lang verhaal over gisteren.")
    page.check('[id="kinderen-ja"]')
    saved(page)
    page.reload()
    assert page.input_value('[name="wat"]') == "Een lang verhaal over gisteren."
    assert page.is_checked('[id="kinderen-ja"]')
    page.fill('[name="wat"]', "En nog iets erbij.")
    saved(page)
    path = page.url
    page.close()
    again = context.new_page()
    again.goto(f"{address}/gesprekken")
    again.click("text=Gesprek van")
    assert again.url == path
    assert again.input_value('[name="wat"]') == "En nog iets erbij."


def test_an_ended_session_loses_nothing_and_saves_after_signing_in_elsewhere(
    context: BrowserContext, address: str, db: Db
) -> None:
    page = context.new_page()
    enter(page, address)
    call(page, address)
    page.fill('[name="wat"]', "Het eerste stuk.")
    saved(page)
    db.execute("UPDATE staff_session SET ended_at = now()")
    page.fill('[name="wat"]', "Het eerste stuk. En het tweede.")
    status = page.locator("#bewaarstand")
    expect(status).to_contain_text("u bent uitgelogd", timeout=15_000)
    page.click("text=Melding maken")
    assert page.input_value('[name="wat"]') == "Het eerste stuk. En het tweede."
    with context.expect_page() as opened:
        status.locator("a").click()
    enter(opened.value, address)
    page.bring_to_front()
    expect(status).to_contain_text("Bewaard om", timeout=20_000)
    page.reload()
    assert page.input_value('[name="wat"]') == "Het eerste stuk. En het tweede."
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0


def test_two_windows_show_each_others_text(context: BrowserContext, address: str) -> None:
    first = context.new_page()
    enter(first, address)
    call(first, address)
    second = context.new_page()
    second.goto(first.url)
    first.fill('[name="wat"]', "In het eerste venster.")
    saved(first)
    second.fill('[name="wat"]', "In het tweede venster.")
    expect(second.locator("#bewaarstand")).to_contain_text("in een ander venster", timeout=15_000)
    second.click("section >> text=Bewaar >> nth=-1")
    second.wait_for_selector("#verschil")
    assert "In het eerste venster." in second.inner_text("section[aria-labelledby=verschil]")
    assert second.input_value('[name="wat"]') == "In het tweede venster."


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_on_the_pages_of_a_call(
    browser: Browser, address: str, world: World, width: int, scheme: Any
) -> None:
    known(world, MARIA, days=2)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    enter(page, address)
    page.goto(f"{address}/gesprekken")
    assert violations(page) == []
    call(page, address)
    assert violations(page) == []
    page.check('[id="nu_veilig-nee"]')
    for row in page.locator("main details > summary").all():
        row.click()
    assert violations(page) == []
    page.click("text=Melding maken")
    page.wait_for_selector("#fouten")
    assert violations(page) == [], "with what is wrong"
    for name, text in CALL.items():
        field = page.locator(f'[name="{name}"]').first
        kind = field.evaluate("e => e.tagName + ':' + e.type")
        if kind.startswith("SELECT"):
            field.select_option(text)
        elif kind.endswith((":radio", ":checkbox")):
            page.check(f'[name="{name}"][value="{text}"]')
        else:
            field.fill(text)
    page.click("text=Zoek wie bekend is")
    expect(page.locator("#bekend-p1")).to_contain_text("misschien bekend")
    assert violations(page) == [], "with who is known"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    path = page.url.split("#")[0]
    saved(page)
    for place in ("/melding", "/advies", "/einde"):
        page.goto(path + place)
        assert violations(page) == [], place
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place
    page.goto(f"{address}/gesprekken")
    assert violations(page) == []
    assert [text for text in complaints if "400" not in text] == []
    context.close()
