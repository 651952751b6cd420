"""One report in real Chromium, from 23:50 on the Thursday before Koningsdag to a new report during monitoring.

The database's clock decides, so the story moves that clock: a function `now()` of its own stands before that of
PostgreSQL in the search path. `STORY_PICTURES=docs/pictures` keeps a picture of each screen.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from core import jobs
from core.database import close_pools, connection_options
from core.deadlines import AMSTERDAM
from core.ids import uuid7
from core.settings import settings
from intake import outbox, senders
from intake.corv import door
from intake.corv.write import write_report
from intake.sample import CHILD, MOTHER, sample_report
from radar.casework import reminders
from tests.radar import desk
from tests.web.chromium import served, violations
from tests.web.conftest import PASSWORD, World
from workers import verify, work

pytestmark = pytest.mark.browser if hasattr(pytest.mark, "browser") else []


def amsterdam(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


class Story:
    """The people of the story, their screens, and the clock."""

    def __init__(self, world: World, browser: Browser, url: str, address: str, database: str) -> None:
        self.world, self.browser, self.url, self.address, self.database = world, browser, url, address, database
        self.db = world.db
        self.pages: dict[str, Page] = {}
        self.number = 0

    def at(self, text: str) -> datetime:
        """Set the database's clock to this moment in Amsterdam."""
        moment = amsterdam(text)
        self.db.execute("UPDATE story.moment SET at = %s", (moment,))
        return moment

    def receive(self, at: str, reference: str, what: str) -> UUID:
        """A police report through the feed at this moment, linked and routed as the workers do."""
        moment = self.at(at)
        [sender] = [one for one in senders.active(self.db, self.world.region) if one.kind == "politie"]
        message = sample_report(
            {
                "bericht": {
                    "referentienummer": reference,
                    "zender": {"oin": sender.oin},
                    "ontvanger": {"oin": sender.region_oin},
                },
                "melding": {"kenmerk": reference, "sash": {"ingevuld": False, "niveau": None}},
                "incident": {"omschrijving": what},
                "betrokkenen": [MOTHER, CHILD],
            }
        )

        async def deliver() -> None:
            async with await psycopg.AsyncConnection.connect(self.database, **connection_options()) as own:
                answer = await door.deliver(own, sender, write_report(message), moment)
                assert answer.kept == "report"

        # Playwright has an event loop in this thread already.
        with ThreadPoolExecutor(1) as other:
            other.submit(lambda: asyncio.run(deliver())).result()
        row = self.db.execute("SELECT id FROM report WHERE reference_of_reporter = %s", (reference,)).fetchone()
        assert row is not None
        report: UUID = row["id"]
        for kind in ("link_report", "route_report"):
            self.db.execute("UPDATE job SET due_at = %s WHERE state = 'new'", (moment,))
            job = next(one for one in jobs.of_subject(self.db, report) if one["kind"] == kind)
            assert work.carry_out(job["id"])
        return report

    def sign_in(self, username: str) -> Page:
        """The screen of a colleague, who signs in at the moment of the clock."""
        if username in self.pages:
            self.pages[username].context.close()
        page = self.browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(f"{self.address}/inloggen")
        page.fill("#gebruikersnaam", username)
        page.fill("#wachtwoord", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_selector("form.who", state="attached")
        page.goto(f"{self.address}/wachtrij")
        self.pages[username] = page
        return page

    def look(self, page: Page, name: str) -> None:
        """This screen passes axe; and it is kept as a picture when asked for."""
        assert violations(page) == [], name
        self.number += 1
        if folder := os.environ.get("STORY_PICTURES"):
            page.screenshot(path=Path(folder) / f"verhaal-{self.number:02}-{name}.png", full_page=True)

    def state(self, report: UUID) -> str:
        row = self.db.execute("SELECT state FROM report WHERE id = %s", (report,)).fetchone()
        assert row is not None
        return str(row["state"])

    def holder(self, report: UUID) -> tuple[str, str | None]:
        row = self.db.execute(
            "SELECT w.holder, t.name FROM report r JOIN safety_watch w ON w.case_id = r.case_id AND w.until IS NULL"
            " LEFT JOIN team t ON t.id = w.team_id WHERE r.id = %s",
            (report,),
        ).fetchone()
        assert row is not None
        return row["holder"], row["name"]


@pytest.fixture
def story(world: World, browser: Browser, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """A region with two local teams and its staff, a server, and a clock that the story sets."""
    db = world.db
    db.execute("CREATE SCHEMA story")
    db.execute("CREATE TABLE story.moment (at timestamptz NOT NULL)")
    db.execute("INSERT INTO story.moment VALUES (now())")
    db.execute("CREATE FUNCTION story.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM story.moment'")
    db.execute("GRANT USAGE ON SCHEMA story TO PUBLIC")
    db.execute("GRANT SELECT ON story.moment TO PUBLIC")
    # Those that find out who asks have a search path of their own, so that nobody else can do this to them.
    for row in db.execute(
        "SELECT oid::regprocedure::text AS f FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    ).fetchall():
        db.execute(f"ALTER FUNCTION {row['f']} SET search_path = story, pg_catalog, public, pg_temp")  # type: ignore[call-overload]
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    for statement in (f'ALTER DATABASE "{name}" SET search_path = story, pg_catalog, public',):
        db.execute(statement)  # type: ignore[call-overload]
    db.execute("SET search_path = story, pg_catalog, public")
    close_pools()
    second = uuid7()
    db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, 'Wijkteam Berg', 'local_team',"
        " '2020-01-01')",
        (second, world.region),
    )
    world.checked(second)
    db.execute(
        "INSERT INTO service_area (id, region_id, municipality, place, team_id, partner_id, valid_from)"
        " VALUES (%s, %s, 'Voorbeeldstad', 'Voorbeeldstad', %s, %s, '2020-01-01')",
        (uuid7(), world.region, world.team, world.local_team),
    )
    for username, role in (
        ("ilse", "intake_worker"),
        ("bram", "assessor"),
        ("gwen", "behavioural_scientist"),
        ("teun", "team_lead"),
    ):
        world.staff(role, username)
    # The names of the demo sign in without a second step, in demo mode only.
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_DEMO_ON_OWN_DATABASE", "yes")
    monkeypatch.setenv("VEILIG_SECURE_COOKIES", "true")
    settings.cache_clear()
    with served() as address:
        yield Story(world, browser, database_url, address, database_url)
    close_pools()


def fill_all(page: Page, choose: Callable[[str, list[str]], str]) -> None:
    """Answer every question of the questionnaire: `choose` gets the name and values of a group of radio buttons."""
    groups: dict[str, list[str]] = {}
    for radio in page.query_selector_all("form[data-autosave] input[type=radio]"):
        groups.setdefault(str(radio.get_attribute("name")), []).append(str(radio.get_attribute("value")))
    for name, values in groups.items():
        page.check(f"input[name='{name}'][value='{choose(name, values)}']")
    for area in page.query_selector_all("form[data-autosave] textarea:not(#reden)"):
        area.fill("Gesproken met moeder en met school. Verzonnen.")


def offer(page: Page, address: str, report: UUID, team: str) -> tuple[str, str]:
    """Offer to a local team; gives the link and the code that the screen shows once."""
    page.goto(f"{address}/meldingen/{report}/overdracht?soort=direct")
    page.select_option("#team", label=team)
    for field in page.query_selector_all("section.middle textarea"):
        field.fill("Moeder en Sam slapen bij oma. Zij weten van deze overdracht.")
    for field in page.query_selector_all("section.middle input:not([type])"):
        if not field.input_value():
            field.fill("Bram, 0900-0000")
    page.check("#daarna >> nth=0") if page.query_selector("#daarna") else None
    page.check("#gelezen")
    with page.expect_navigation():
        page.click("text=Aanbieden en link maken")
    link = page.inner_text("[data-link], #link, code >> nth=0")
    code = page.inner_text("#code, code >> nth=1")
    return link.strip(), code.replace(" ", "").strip()


def answer_as_partner(story: Story, link: str, code: str, form: Callable[[Page], None], name: str) -> None:
    page = story.browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(link if link.startswith("http") else story.address + link)
    story.look(page, f"{name}-code")
    page.fill("#code", code)
    page.click("main button[type=submit]")
    page.wait_for_url("**/partner")
    story.look(page, name)
    with page.expect_navigation():
        form(page)
    story.look(page, f"{name}-bedankt")
    page.context.close()


def test_from_the_night_before_koningsdag_to_a_new_report_during_monitoring(story: Story) -> None:
    db, address = story.db, story.address
    earlier = story.receive("2026-02-10T14:05", "PL9999-2026000100-1", "Eerdere ruzie. Fictief.")
    desk.assess(db, earlier, "no_steps", at=amsterdam("2026-02-13T15:00"))
    report = story.receive(
        "2026-04-23T23:50", "PL9999-2026000200-1", "Fictief: vader dreigde moeder met een mes terwijl Sam erbij was."
    )
    assert db.execute("SELECT count(DISTINCT household_id) AS n FROM report").fetchone() == {"n": 1}, "linked"
    due = db.execute(
        "SELECT norm_due_on, legal_due_on FROM deadline WHERE kind = 'safety_assessment' AND subject_id = %s",
        (report,),
    ).fetchone()
    # Friday 24, then Koningsdag on Monday 27 does not count, Tuesday 28 to Friday 1 May do.
    assert due is not None
    assert (str(due["norm_due_on"]), str(due["legal_due_on"])) == ("2026-05-01", "2026-04-28")

    # The acute check, that same night.
    story.at("2026-04-23T23:55")
    ilse = story.sign_in("ilse")
    story.look(ilse, "wachtrij")
    assert "Acute check" in ilse.inner_text("table.queue tbody tr >> nth=0 >> td.what"), "before all that can wait"
    ilse.click(f"a[href='/meldingen/{report}/acuut']")
    ilse.wait_for_selector("#acuut")
    ilse.check("#acuut")
    ilse.check("input[type=checkbox] >> nth=4")
    ilse.fill("#reden", "Vader is nog in huis en er is een mes.")
    ilse.click("text=Acute check vastleggen")
    ilse.wait_for_selector("#gebeld")
    ilse.fill("#gebeld", "Politie, meldkamer")
    ilse.fill("#afgesproken", "Vader slaapt elders, de politie rijdt langs.")
    ilse.click("text=In het logboek zetten")
    ilse.wait_for_selector("text=de politie rijdt langs")
    story.look(ilse, "acute-check")
    assert (story.state(report), story.holder(report)) == ("assessing", ("veilig_thuis", None))

    # The assessment, after the long weekend; the danger is over.
    story.at("2026-04-28T10:00")
    bram = story.sign_in("bram")
    bram.goto(f"{address}/meldingen/{report}/acuut")
    over = bram.locator("form[action$='/acuut/voorbij']")
    over.locator("textarea").fill("Vader slaapt bij zijn broer; moeder voelt zich veilig.")
    if over.locator("input[type=radio]").count():
        over.locator("input[type=radio]").first.check()
    with bram.expect_navigation():
        over.locator("button").click()
    bram.goto(f"{address}/meldingen/{report}/beoordeling")
    fill_all(bram, lambda name, values: "no" if "no" in values else values[0])
    bram.wait_for_selector("text=/Bewaard om/i")
    bram.select_option("#pad", "handover")
    bram.select_option("#team", label="Wijkteam Dal")
    bram.fill("#reden", "Het wijkteam kent moeder; zij wil hulp dichtbij.")
    story.look(bram, "veiligheidsbeoordeling")
    with bram.expect_navigation():  # the form waits for a save that is under way, the click does not
        bram.click("text=Indienen voor de tweede handtekening")
    assert story.state(report) == "signing"
    gwen = story.sign_in("gwen")
    gwen.goto(f"{address}/meldingen/{report}/beoordeling")
    story.look(gwen, "tweede-handtekening")
    with gwen.expect_navigation():
        gwen.locator("form[action$='/beoordeling/tekenen'] button").click()
    assert story.state(report) == "handover"

    # Offered, refused, offered elsewhere, accepted: only then the watch moves.
    link, code = offer(bram, address, report, "Wijkteam Dal")
    story.look(bram, "overdracht-aangeboden")
    assert story.holder(report)[0] == "veilig_thuis"
    story.at("2026-04-29T09:30")

    def refuse(page: Page) -> None:
        page.fill("#naam_weigeren", "J. Proef")
        page.fill("#functie_weigeren", "casusregisseur")
        page.fill("#reden", "Moeder woont sinds april in een andere wijk.")
        page.click("form:has(input[value=geweigerd]) button")

    answer_as_partner(story, link, code, refuse, "partner")
    assert (story.state(report), story.holder(report)[0]) == ("handover", "veilig_thuis")
    bram = story.sign_in("bram")
    assert bram.locator(f"a[href='/meldingen/{report}/overdracht']").count() == 1, "back on the queue"
    link, code = offer(bram, address, report, "Wijkteam Berg")
    story.at("2026-04-30T09:30")

    def accept(page: Page) -> None:
        page.fill("#naam", "K. Voorbeeld")
        page.fill("#functie", "wijkteam")
        page.fill("#gestart", "2026-04-30")
        page.click("form:has(input[value=aanvaard]) button")

    answer_as_partner(story, link, code, accept, "partner-elders")
    assert (story.state(report), story.holder(report)) == ("monitoring", ("partner", "Wijkteam Berg"))

    # Feedback to the police, released by a person.
    ilse = story.sign_in("ilse")
    ilse.goto(f"{address}/meldingen/{report}/terugkoppeling")
    story.look(ilse, "terugkoppeling")
    for _ in range(2):
        with ilse.expect_navigation():
            ilse.locator("button[value=vrijgeven]").first.click()
        if ilse.locator("#gezien").count():
            # The watch moved since the first draft was made: the screen says so, and asks to read it once more.
            ilse.check("#gezien")
            with ilse.expect_navigation():
                ilse.locator("form:has(#gezien) button[value=vrijgeven]").click()
    sent = db.execute(
        "SELECT f.code, o.id FROM feedback f JOIN outgoing_message o"
        " ON o.subject_id = f.id WHERE f.report_id = %s ORDER BY f.opened_at",
        (report,),
    ).fetchall()
    assert [row["code"] for row in sent] == ["VT-01-02", "VT-02"]
    assert all(b"PL9999-2026000200-1" in outbox.body_of(db, row["id"]) for row in sent)

    # Monitoring: the first moment, and a new report during it.
    story.at("2026-07-29T11:00")
    reminders.round(db, amsterdam("2026-07-29T11:00"))
    bram = story.sign_in("bram")
    bram.goto(f"{address}/meldingen/{report}/monitoring")
    bram.check("#geweld-less")
    bram.fill("#gesproken", "Moeder en Wijkteam Berg")
    bram.fill("#wanneer", "2026-07-29T10:30")
    bram.fill("#verslag", "Minder ruzie. Sam slaapt beter.")
    with bram.expect_navigation():
        bram.click("button:has-text('Gesprek vastleggen')")
    assert bram.locator(".error").count() == 0, bram.inner_text("main")
    assert "Sam slaapt beter" in bram.content()
    story.look(bram, "monitoring")
    again = story.receive("2026-08-15T22:10", "PL9999-2026000300-1", "Fictief: weer ruzie, de buren belden.")
    assert story.state(again) == "received"
    involved = db.execute("SELECT kind FROM involvement WHERE report_id = %s", (again,)).fetchone()
    cases = db.execute(
        "SELECT count(DISTINCT case_id) AS n FROM report WHERE id = ANY(%s)", ([report, again],)
    ).fetchone()
    assert cases == {"n": 1}
    bram = story.sign_in("bram")
    bram.goto(f"{address}/meldingen/{report}/monitoring")
    assert bram.locator(f"a[href='/meldingen/{again}']").count() >= 1
    bram.goto(f"{address}/meldingen/{again}")
    story.look(bram, "melding-tijdens-monitoring")
    bram.goto(f"{address}/meldingen/{report}/termijnen")
    story.look(bram, "termijnen")
    teun = story.sign_in("teun")
    teun.goto(f"{address}/overzicht")
    story.look(teun, "overzicht")
    case = db.execute("SELECT case_id FROM report WHERE id = %s", (report,)).fetchone()
    assert case is not None
    teun.goto(f"{address}/casussen/{case['case_id']}")
    story.look(teun, "casus")
    assert involved == {"kind": "follow_during_monitoring"}
    found: list[Any] = [one for one in verify.verify(db) if one.breaches and one.rule != 8]
    assert found == []
