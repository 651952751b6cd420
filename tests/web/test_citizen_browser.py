"""The form for everybody in real Chromium: by keyboard, without JavaScript, and away without a trace."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page

from core.settings import settings
from tests.web.chromium import LOOKS, violations

pytestmark = pytest.mark.browser
STORY = "Kanarie: ik hoor elke nacht geschreeuw."
NAME = "Melderman Kanarie"
MOST_BYTES = 100_000


class _Weather(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Weer</title><p>Het wordt droog."
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def weather(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A neutral page of somebody else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Weather)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setenv("VEILIG_EXIT_URL", url)
    monkeypatch.setenv("VEILIG_PUBLIC_SENDS_AT_ONCE", "1000")
    settings.cache_clear()
    yield url
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def contact(weather: str, address: str) -> str:
    return f"{address}/contact"


def context_of(browser: Browser, width: int = 390, *, script: bool = True, dark: bool = False) -> BrowserContext:
    return browser.new_context(
        viewport={"width": width, "height": 800},
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
        locale="nl-NL",
    )


def begin(page: Page, contact: str, over: str = "ander", wens: str = "melding") -> None:
    page.goto(contact)
    page.check(f"#over-{over}")
    page.check(f"#wens-{wens}")
    page.click("button[value=verder]")
    page.wait_for_selector("#gebeurt")


def fill(page: Page) -> None:
    """What a neighbour types."""
    page.fill("#gebeurt", STORY)
    page.check("#aanleiding-01")
    page.fill("#slachtoffer", "Xanthippe Voorbeeld")
    page.select_option("#wie", "35")
    page.fill("#naam", NAME)
    page.check("#bereik-niet")


def send(page: Page) -> None:
    page.click("button[value=sturen]")
    page.wait_for_selector("text=Uw nummer is")


def seen(page: Page) -> str:
    """All that somebody could read on this page, also in its fields."""
    fields = "Array.from(document.querySelectorAll('input:not([type=hidden]), textarea')).map(one => one.value)"
    return str(page.content()) + str(page.evaluate(fields))


def history(page: Page) -> list[dict[str, Any]]:
    found = page.context.new_cdp_session(page).send("Page.getNavigationHistory")
    return list(found["entries"])


def assert_empty(page: Page) -> None:
    text = seen(page)
    for typed in (STORY, NAME, "Xanthippe"):
        assert typed not in text


def assert_nothing_typed(page: Page) -> None:
    """The same without a script in the page."""
    for typed in (STORY, NAME, "Xanthippe"):
        assert typed not in page.content()


def shows_nothing(page: Page, move: Callable[[], object]) -> None:
    """Back, or sending again, ends at an empty page or at one that the browser did not keep."""
    try:
        move()
    except Error as error:
        if "ERR_CACHE_MISS" not in error.message:
            raise
        page.wait_for_url("chrome-error://**")
    page.wait_for_selector("body", state="attached")
    assert_nothing_typed(page)


def test_by_keyboard_only_from_the_first_key_to_the_queue(browser: Browser, contact: str, world: Any) -> None:
    context = context_of(browser)
    page = context.new_page()
    page.goto(contact)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "leave", "the way out is the first stop"

    def to(selector: str) -> None:
        for _ in range(60):
            if page.evaluate("one => document.activeElement.matches(one)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"not reached by Tab: {selector}")

    def pick(name: str, value: str) -> None:
        to(f"[name={name}]")
        page.keyboard.press("Space")
        for _ in range(12):
            if page.evaluate("document.activeElement.value") == value:
                return
            page.keyboard.press("ArrowDown")
        raise AssertionError(f"not to be chosen: {value}")

    pick("over", "ander")
    pick("wens", "melding")
    to("button[value=verder]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#gebeurt")
    to("#gebeurt")
    page.keyboard.type(STORY)
    pick("aanleiding", "01")
    to("#sinds")
    page.keyboard.press("Enter")
    assert page.locator("#gebeurt").count() == 1, "Enter in a field sends nothing"
    to("#slachtoffer")
    page.keyboard.type("Xanthippe Voorbeeld")
    to("#wie")
    page.keyboard.type("Buur")
    to("#naam")
    page.keyboard.type(NAME)
    pick("bereik", "niet")
    to("button[value=sturen]")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Uw nummer is")
    report = world.db.execute("SELECT r.content, t.kind FROM report r JOIN task t ON t.subject_id = r.id").fetchone()
    assert report is not None
    assert report["content"]["incident"]["omschrijving"] == STORY
    context.close()


def test_without_javascript_it_all_works_and_back_shows_nothing(
    browser: Browser, contact: str, weather: str, world: Any
) -> None:
    context = context_of(browser, script=False)
    page = context.new_page()
    begin(page, contact)
    fill(page)
    page.check("#bereik-telefoon")
    page.click("button[value=sturen]")
    page.wait_for_selector("#fout-telefoon")
    assert page.input_value("#gebeurt") == STORY
    page.click("button.leave")
    page.wait_for_url(weather)
    shows_nothing(page, page.go_back)
    shows_nothing(page, page.reload)  # who looks on can make the browser send the form again
    assert world.db.execute("SELECT 1 FROM report").fetchone() is None
    begin(page, contact)
    fill(page)
    send(page)
    assert world.db.execute("SELECT count(*) AS n FROM report").fetchone() == {"n": 1}
    shows_nothing(page, page.go_back)
    context.close()


@pytest.mark.parametrize("how", ["button", "escape"])
def test_the_way_out_replaces_the_page_and_back_shows_an_empty_form(
    browser: Browser, contact: str, weather: str, how: str
) -> None:
    context = context_of(browser)
    page = context.new_page()
    page.goto("about:blank")
    begin(page, contact)
    fill(page)
    page.check("#bereik-telefoon")
    page.click("button[value=sturen]")
    page.wait_for_selector("#fout-telefoon")
    before = len(history(page))
    if how == "button":
        page.click("button.leave")
    else:
        for _ in range(3):
            page.keyboard.press("Escape")
    page.wait_for_url(weather)
    assert page.title() == "Weer"
    entries = history(page)
    assert len(entries) <= before, "another page took the place of the form"
    assert all(one["title"] in ("", "Contact", "Weer", "about:blank") or "://" in one["title"] for one in entries)
    assert not any(typed in str(entries) for typed in (STORY, NAME, "Kanarie", "melding"))
    while page.evaluate("history.length") and page.url != "about:blank":
        if page.go_back() is None and page.url == weather:
            break
        if page.url != "about:blank":
            assert page.url.startswith((contact, weather))
            assert_empty(page)
    context.close()


def test_the_page_is_blank_before_the_other_one_is_there(browser: Browser, contact: str, weather: str) -> None:
    context = context_of(browser)
    page = context.new_page()
    begin(page, contact)
    fill(page)
    context.route("**/weg", lambda route: route.abort("aborted"))  # the other page never comes
    page.click("button.leave", no_wait_after=True)
    assert page.evaluate("document.body.childElementCount") == 0
    assert page.evaluate("document.body.innerText") == ""
    assert page.title().strip("\u200b") == ""
    context.close()


def test_from_the_cache_of_pages_nothing_comes_back(browser: Browser, contact: str, weather: str) -> None:
    context = context_of(browser)
    page = context.new_page()
    begin(page, contact)
    fill(page)
    page.goto(weather)
    page.go_back()
    page.wait_for_load_state()
    assert_empty(page)
    begin(page, contact)
    fill(page)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.wait_for_selector("#over-ander")
    assert_empty(page)
    context.close()


def test_after_sending_nothing_is_left_in_the_browser(browser: Browser, contact: str, world: Any) -> None:
    context = context_of(browser)
    page = context.new_page()
    begin(page, contact)
    fill(page)
    send(page)
    assert_empty(page)
    assert context.cookies() == []
    kept = page.evaluate(
        "async () => ({local: localStorage.length, session: sessionStorage.length, cookie: document.cookie,"
        " caches: (await caches.keys()).length, bases: (await indexedDB.databases()).length,"
        " workers: (await navigator.serviceWorker.getRegistrations()).length})"
    )
    assert kept == {"local": 0, "session": 0, "cookie": "", "caches": 0, "bases": 0, "workers": 0}
    for path in ("/contact", "/contact/stijl.css", "/contact/pagina.js"):
        cached = page.evaluate(
            "path => fetch(path, {cache: 'only-if-cached', mode: 'same-origin'}).then(one => one.ok, () => false)",
            path,
        )
        assert cached is False, path
    page.reload()
    page.wait_for_selector("#over-ander")
    page.go_back()
    assert_empty(page)
    assert world.db.execute("SELECT count(*) AS n FROM report").fetchone() == {"n": 1}
    context.close()


def test_the_pages_are_light_and_ask_no_other_host(browser: Browser, contact: str, weather: str, world: Any) -> None:
    for number in range(342):
        world.db.execute(
            "INSERT INTO municipality (id, region_id, code, name, valid_from)"
            " VALUES (gen_random_uuid(), %s, %s, %s, '2020-01-01')",
            (world.region, f"{number:04}", f"Voorbeeldgemeente {number}"),
        )
    context = context_of(browser)
    page = context.new_page()
    weights: list[int] = []
    hosts: set[str] = set()

    def note(response: Any) -> None:
        hosts.add(response.url.split("/")[2])
        weights.append(len(response.body()))

    page.on("response", note)
    for step in range(3):
        weights.clear()
        if step == 0:
            page.goto(contact)
        elif step == 1:
            begin(page, contact)
            weights = weights[len(weights) // 2 :]
        else:
            fill(page)
            page.select_option("#gemeente", "0001")
            weights.clear()
            send(page)
        page.wait_for_load_state("networkidle")
        assert 0 < sum(weights) <= MOST_BYTES, step
    assert hosts == {contact.split("/")[2]}
    context.close()


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_in_both_languages(
    browser: Browser, contact: str, language: str, width: int, scheme: str
) -> None:
    context = context_of(browser, width, dark=scheme == "dark")
    page = context.new_page()

    def look(step: str) -> None:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert violations(page) == [], step
        assert page.evaluate("document.documentElement.scrollWidth") <= width, step
        assert page.title() == "Contact"
        assert page.locator("html").get_attribute("lang") == language

    page.goto(f"{contact}?l={language}")
    look("first")
    for over, wens in (("ik", "melding"), ("ander", "advies"), ("ander", "melding")):
        begin(page, f"{contact}?l={language}", over, wens)
        look(f"{over}-{wens}")
    page.click("button[value=sturen]")
    page.wait_for_selector(".error")
    look("wrong")
    fill(page)
    page.click("button[value=sturen]")
    page.wait_for_selector(".public-number")
    look("done")
    context.close()
