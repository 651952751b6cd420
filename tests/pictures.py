"""Takes the pictures of docs/screens.md: the product on an invented region, in Chromium. Run by hand, not a test.

    .venv/bin/python -m tests.pictures                  # all: docs/pictures/screens and docs/screens.md
    .venv/bin/python -m tests.pictures --only wachtrij melding
    .venv/bin/python -m tests.pictures --whole FOLDER   # uncut pages, to look at; writes nothing in docs

It starts engines of its own in a temporary folder, fills them as `veilig demo` does, and stops them again.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from playwright.sync_api import Browser, Page, ViewportSize

from core.database import now, transaction
from core.staff import DEMO_LOGINS
from intake import opening, senders
from radar.oversight import review
from tests.perf import stack
from tests.web.chromium import served, started_browser
from workers import demo
from workers.demo_region import SENDERS

DOCS = Path(__file__).resolve().parent.parent / "docs"
FOLDER = DOCS / "pictures" / "screens"
HOUSEHOLDS, DAYS = 40, 200
WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=320, height=640)
TALLEST = 1400
"""Pixels of a page that a picture in the docs shows; the page itself may be longer."""
COLOURS = 192
FLAT = """() => {
  document.activeElement?.blur();
  for (const one of document.querySelectorAll("body *"))
    if (["sticky", "fixed"].includes(getComputedStyle(one).position)) one.style.position = "static";
  scrollTo(0, 0);
}"""
"""What stays in sight while people scroll would lie across a picture of the whole page."""
OUTSIDE = ""
REPORT = "demo-school"
SCHOOL = SENDERS["onderwijs"].oin


@dataclass(frozen=True, slots=True)
class Facts:
    """What the pictures need to know of the invented region."""

    report: UUID
    case: UUID
    family: Sequence[dict[str, Any]]
    token: str


@dataclass(frozen=True, slots=True)
class Shot:
    """One screen: the name of its file, who looks ("" is somebody outside), what stands below, how to get there."""

    name: str
    who: str
    caption: str
    path: str
    act: Callable[[Page, Facts], None] | None = None
    dark: bool = False


def add_attachment(page: Page, facts: Facts) -> None:
    """A letter of the school with the report, by the form of the page itself."""
    letter = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    if page.locator("text=verslag-gesprek.pdf").count() == 0:
        page.set_input_files(
            "#bestand", {"name": "verslag-gesprek.pdf", "mimeType": "application/pdf", "buffer": letter}
        )
        with page.expect_navigation():
            page.click("main form[enctype] button[type=submit]")


def in_call(page: Page, facts: Facts) -> None:
    """The call that was going on, with a person of a family that is known."""
    page.click("a[href^='/gesprekken/']")
    name = facts.family[0]["naam"]
    page.fill("[name='p1.voornamen']", str(name.get("voornamen", "")))
    page.fill("[name='p1.voorvoegsel']", str(name.get("voorvoegselGeslachtsnaam", "")))
    page.fill("[name='p1.achternaam']", str(name.get("geslachtsnaam", "")))
    born = str(facts.family[0].get("geboortedatum", {}).get("tekst", ""))
    for part, value in (("jaar", born[:4]), ("maand", born[4:6]), ("dag", born[6:8])):
        page.fill(f"[name='p1.geboren.{part}']", value.lstrip("0"))
    page.click("button[value=zoek]")
    page.wait_for_selector("#bekend-p1 :is(p, ul)")


def citizen(about: str, wish: str, english: bool = False) -> Callable[[Page, Facts], None]:
    def act(page: Page, facts: Facts) -> None:
        if english:
            page.click("[lang=en]")
        page.check(f"#over-{about}")
        page.check(f"#wens-{wish}")
        page.click("button[value=verder]")
        page.wait_for_selector("#gebeurt")

    return act


def in_english(page: Page, facts: Facts) -> None:
    page.click("[lang=en]")
    page.wait_for_selector("html[lang=en]")


def professional(page: Page, facts: Facts) -> None:
    """The weighing of the reporting code, in a form that was begun."""
    page.click("button[value=begin]")
    page.wait_for_selector("#nuVeilig")
    page.goto(page.url.replace("/situatie", "/afweging"))


def as_sender(page: Page, facts: Facts) -> None:
    page.fill("#client_id", SCHOOL)
    page.fill("#client_secret", facts.token)
    with page.expect_navigation():
        page.click("main button[type=submit]")


SHOTS = (
    Shot("start-intake", "ilse", "Vandaag, voor een medewerker intake: wat nu binnenkomt en wie u moet bellen.", "/"),
    Shot("start-beoordelaar", "bram", "Vandaag, voor een beoordelaar: de eigen taken.", "/"),
    Shot(
        "start-gedragswetenschapper",
        "gwen",
        "Vandaag, voor een gedragswetenschapper: wat op een handtekening wacht.",
        "/",
    ),
    Shot("start-vertrouwensarts", "vera", "Vandaag, voor een vertrouwensarts.", "/"),
    Shot("start-teamleider", "teun", "Vandaag, voor een teamleider: wat te laat is en wat nog niemand heeft.", "/"),
    Shot("start-privacy", "paula", "Vandaag, voor een privacyfunctionaris: verzoeken en controles.", "/"),
    Shot("start-auditor", "arie", "Vandaag, voor een auditor: wat de controle van het log vond.", "/"),
    Shot("start-beheerder", "fenna", "Vandaag, voor een functioneel beheerder: loopt alles?", "/"),
    Shot("wachtrij", "teun", "De wachtrij: acuut bovenaan, daarna wat het eerst af moet.", "/wachtrij?team=alle"),
    Shot(
        "wachtrij-donker",
        "teun",
        "De wachtrij met donkere kleuren, als het toestel daarom vraagt.",
        "/wachtrij?team=alle",
        dark=True,
    ),
    Shot("melding", "bram", "Een melding van een school die belde.", "/meldingen/{report}"),
    Shot("melding-donker", "bram", "Dezelfde melding met donkere kleuren.", "/meldingen/{report}", dark=True),
    Shot("casus", "bram", "De casus: het huishouden, de tijdlijn en de koppelingen.", "/casussen/{case}"),
    Shot("notities", "bram", "Notities bij een melding, voor collega's.", "/meldingen/{report}/notities"),
    Shot(
        "bijlagen",
        "ilse",
        "Bijlagen: alleen om op te slaan, nooit op het scherm.",
        "/meldingen/{report}/bijlagen",
        add_attachment,
    ),
    Shot("voor-mij", "bram", "Voor mij: wat er gebeurde sinds u hier was.", "/voor-mij"),
    Shot("gesprek", "ilse", "Een gesprek aan de telefoon, en wie al bekend is.", "/gesprekken", in_call),
    Shot("adviezen", "ilse", "Adviezen: zonder iets van het gezin.", "/adviezen"),
    Shot("advies-nieuw", "ilse", "Een advies vastleggen.", "/adviezen/nieuw"),
    Shot("zoeken", "ilse", "Zoeken: eerst waarvoor, dan wie.", "/zoeken"),
    Shot("overzicht", "teun", "Het overzicht van een teamleider.", "/overzicht"),
    Shot("beheer", "fenna", "De registers van een functioneel beheerder.", "/beheer"),
    Shot("regels-en-teksten", "fenna", "Regels en teksten, zonder programmeur.", "/regels-en-teksten"),
    Shot("logcontrole", "paula", "De controle van het log.", "/logcontrole"),
    Shot("contact", OUTSIDE, "Wat een burger het eerst ziet.", "/contact"),
    Shot("contact-engels", OUTSIDE, "Hetzelfde in het Engels.", "/contact", in_english),
    Shot("contact-melding", OUTSIDE, "Een burger meldt over zichzelf.", "/contact", citizen("ik", "melding")),
    Shot(
        "contact-melding-engels",
        OUTSIDE,
        "Een burger vraagt advies, in het Engels.",
        "/contact",
        citizen("ander", "advies", english=True),
    ),
    Shot("beroepskracht", OUTSIDE, "Waar een beroepskracht begint.", "/melden-beroepskracht"),
    Shot(
        "beroepskracht-afweging",
        OUTSIDE,
        "Het afwegingskader van de meldcode.",
        "/melden-beroepskracht",
        professional,
    ),
    Shot("aansluiting", OUTSIDE, "De eigen pagina van een organisatie met een koppeling.", "/aansluiting", as_sender),
)


@contextmanager
def invented() -> Iterator[Facts]:
    """Engines with the demo in them, a log that was reviewed, and what the pictures need to know."""
    os.environ |= {"VEILIG_DEMO": "true", "VEILIG_DEMO_ON_OWN_DATABASE": "yes"}
    with stack.engines():
        demo.run(HOUSEHOLDS, DAYS)
        with transaction() as db:
            region = demo.find_region(db)
            if region is None:
                raise LookupError("the demo made no region")
            at = now(db)
            for days in range(7, 0, -1):
                review.run(db, region, at.date() - timedelta(days=days), at, "system")
            row = db.execute(
                "SELECT r.id, r.case_id FROM report r JOIN message m ON m.id = r.message_id WHERE m.reference = %s",
                (REPORT,),
            ).fetchone()
            if row is None:
                raise LookupError(REPORT)
            token = senders.rotate(db, region, SCHOOL, timedelta(0))
            family = [one for one in opening.persons(db, row["id"]) if one.get("naam")]
        yield Facts(row["id"], row["case_id"], family, token)


def sign_in(page: Page, address: str, who: str) -> None:
    """Sign a login of the demo in; somebody outside needs none."""
    if not who:
        return
    login = next(one for one in DEMO_LOGINS if one.username == who)
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", login.username)
    page.fill("#wachtwoord", login.password)
    page.press("#wachtwoord", "Enter")
    page.wait_for_selector("form.who", state="attached")


def pages(browser: Browser, address: str, shots: Sequence[Shot], facts: Facts) -> Iterator[tuple[Shot, Page]]:
    """Each screen, open in Chromium; one session per login and theme."""
    opened: dict[tuple[str, bool], Page] = {}
    for shot in shots:
        key = (shot.who, shot.dark)
        if shot.who and key in opened:
            page = opened[key]
        else:
            page = browser.new_context(
                viewport=WIDE, locale="nl-NL", color_scheme="dark" if shot.dark else "light"
            ).new_page()
            sign_in(page, address, shot.who)
            opened[key] = page
        page.set_viewport_size(WIDE)
        answer = page.goto(address + shot.path.format(report=facts.report, case=facts.case))
        if answer is None or not answer.ok:
            raise LookupError(f"{shot.name}: {answer and answer.status}")
        if shot.act:
            shot.act(page, facts)
        yield shot, page
        if not shot.who:
            page.context.close()


def smaller(png: bytes) -> bytes:
    """The same picture with few colours, when Pillow is there."""
    try:
        from PIL import Image
    except ImportError:
        return png
    whole = Image.open(io.BytesIO(png)).convert("RGB")
    # The colours that cover most stay exactly as they are; only the edges of letters lose some.
    counted: list[Any] = whole.getcolors(whole.width * whole.height) or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in sorted(counted, reverse=True)[:COLOURS] for part in colour])
    few = whole.quantize(palette=palette, dither=Image.Dither.NONE)
    kept = io.BytesIO()
    few.save(kept, "PNG", optimize=True)
    return kept.getvalue()


def take(page: Page, size: ViewportSize, tallest: int | None) -> bytes:
    """The page at this size; cut off below `tallest` pixels."""
    page.set_viewport_size(size)
    page.evaluate(FLAT)
    height = int(page.evaluate("document.documentElement.scrollHeight"))
    if too_wide := int(page.evaluate("document.documentElement.scrollWidth")) - size["width"]:
        print(f"  {page.url}: {too_wide} px too wide at {size['width']}")
    if tallest is None or height <= tallest:
        return page.screenshot(full_page=True)
    return page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": size["width"], "height": tallest})


def index(shots: Sequence[Shot]) -> str:
    """docs/screens.md: every screen wide and narrow, with one line of text."""
    lines = [
        "# De schermen in beeld",
        "",
        "Elk scherm breed (1280 pixels) en smal (320 pixels, een telefoon). Alle mensen zijn verzonnen. Een lange",
        "pagina is onderaan afgeknipt. De plaatjes komen uit `tests/pictures.py`; hoe u met de schermen werkt, staat",
        "in de [handleidingen](gebruik/README.md).",
    ]
    for shot in shots:
        wide, narrow = (f"pictures/screens/{quote(shot.name)}-{size['width']}.png" for size in (WIDE, NARROW))
        lines += ["", shot.caption, "", "| breed | smal |", "|---|---|"]
        lines += [f"| ![{shot.caption} Breed.]({wide}) | ![{shot.caption} Smal.]({narrow}) |"]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--whole", type=Path, help="keep uncut pages in this folder")
    asked = parser.parse_args()
    shots = [shot for shot in SHOTS if not asked.only or shot.name in asked.only]
    folder = asked.whole or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with invented() as facts, started_browser() as browser, served() as address:
        for shot, page in pages(browser, address, shots, facts):
            for size in (WIDE, NARROW):
                png = smaller(take(page, size, None if asked.whole else TALLEST))
                (folder / f"{shot.name}-{size['width']}.png").write_bytes(png)
                written += len(png)
            print(shot.name)
    print(f"{len(shots)} screens, {written / 1e6:.2f} MB")
    if not asked.whole:
        (DOCS / "screens.md").write_text(index(SHOTS), encoding="utf-8")


if __name__ == "__main__":
    main()
