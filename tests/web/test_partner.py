"""The page of a partner without an account: one visit, one handover, nothing else, and an answer that counts once."""

from __future__ import annotations

import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from core import audit
from core.database import Db
from core.deadlines import local_day
from radar.casework import handover, handovers, invite, watch
from radar.casework.handover_kinds import KINDS
from tests.web.chromium import enter as sign_in_teun
from tests.web.chromium import violations
from web.app import create_app

with warnings.catch_warnings():
    # As in conftest.py: starlette announces a successor of httpx for its client.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
NOW = datetime.now(UTC)
COOKIE = "__Host-partner"


class Partner:
    """Offers to the local team, and the browser of its worker."""

    def __init__(self, client: TestClient, world: Any) -> None:
        self.client, self.world, self.db = client, world, world.db

    def offer(self, kind: str = "direct", content: dict[str, str] | None = None, **report: Any) -> UUID:
        at = NOW - timedelta(days=3)
        household, case = self.world.household(at)
        made = self.world.report(at, household=household, case=case, state="handover", **report)
        chosen = KINDS[kind]
        with self.db.transaction():
            return handover.offer(
                self.db,
                made,
                kind=kind,
                team_id=self.world.local_team,
                shares=chosen.shares,
                content=content or {field.name: "Verzonnen afspraak." for field in chosen.fields},
                afterwards="monitor",
                days=5,
                by="bram",
                role="assessor",
                at=NOW - timedelta(hours=1),
            )

    def invite(self, one: UUID) -> invite.Invitation:
        with self.db.transaction():
            return invite.invite(self.db, one, by="bram", at=datetime.now(UTC))

    def enter(self, sent: invite.Invitation, code: str = "") -> Any:
        return self.client.post(sent.url_path, data={"code": code or sent.code}, headers=OURS)

    def visit(self, one: UUID) -> str:
        """In, and the page."""
        answer = self.enter(self.invite(one))
        assert (answer.status_code, answer.headers["location"]) == (303, "/partner")
        page = self.client.get("/partner")
        assert page.status_code == 200
        return str(page.text)

    def answer(self, page: str, **form: str) -> Any:
        token = page.split('name="formulier" value="')[1].split('"')[0]
        return self.client.post("/partner/antwoord", data={"formulier": token, **form}, headers=OURS)

    def find(self, one: UUID) -> Any:
        return handovers.find(self.db, self.world.region, one)


@pytest.fixture
def partner(client: TestClient, world: Any) -> Partner:
    return Partner(client, world)


def test_a_link_asks_for_the_code_and_tells_nothing(partner: Partner) -> None:
    sent = partner.invite(partner.offer())
    real, invented = partner.client.get(sent.url_path), partner.client.get("/partner/verzonnen")
    assert real.status_code == invented.status_code == 200
    assert real.text.replace(sent.url_path, "X") == invented.text.replace("/partner/verzonnen", "X")
    assert "<title>Bericht</title>" in real.text
    for word in ("Wijkteam", "Voorbeeld", "Veilig Thuis", "overdracht"):
        assert word not in real.text
    assert real.headers["referrer-policy"] == "no-referrer"
    assert real.headers["cache-control"] == "no-store"
    assert partner.enter(sent).status_code == 303, "looking at the link used nothing up"


def test_the_visit_is_a_strict_cookie_that_scripts_cannot_read(partner: Partner) -> None:
    answer = partner.enter(partner.invite(partner.offer()))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/", "Max-Age=3600"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert partner.client.get("/partner").headers["cache-control"] == "no-store"


def test_a_partner_sees_what_is_shared_and_nothing_else(partner: Partner) -> None:
    one = partner.offer()
    partner.world.staff("assessor", "bram")
    text = partner.visit(one)
    assert "Test Voorbeeld" in text
    assert "moeder overstuur" in text
    assert "Verzonnen afspraak." in text
    for secret in (
        "Politie eenheid Voorbeeld",
        "PL9999-2026000001-1",
        "Basisteam Voorbeeld",
        "0900-0000",
        "999993653",
        "Voorbeeldstraat",
        "1234AB",
        "Dalstad",
        "geluidsoverlast",
        "Ja, vader",
        "bram",
        "/wachtrij",
    ):
        assert secret not in text, secret
    assert "<title>Bericht</title>" in text


def test_replay_of_the_link_opens_nothing_and_a_new_invitation_ends_the_visit(partner: Partner) -> None:
    one = partner.offer()
    sent = partner.invite(one)
    assert partner.enter(sent).status_code == 303
    thief = TestClient(create_app(), base_url="https://testserver", follow_redirects=False)
    assert thief.post(sent.url_path, data={"code": sent.code}, headers=OURS).status_code == 403
    assert thief.get("/partner").status_code == 404
    assert partner.client.get("/partner").status_code == 200
    partner.invite(one)
    assert partner.client.get("/partner").status_code == 404


def test_after_an_hour_the_visit_is_over(partner: Partner) -> None:
    page = partner.visit(partner.offer())
    partner.db.execute("UPDATE handover_invite SET visit_until = now() - interval '1 second'")
    assert partner.answer(page, antwoord="aanvaard", naam="P", gestart=str(local_day(NOW))).status_code == 404
    gone = partner.client.get("/partner")
    assert gone.status_code == 404
    assert "Voorbeeld" not in gone.text


def test_five_wrong_codes_end_the_link_and_every_reason_looks_the_same(partner: Partner) -> None:
    sent = partner.invite(partner.offer())
    wrong = f"{(int(sent.code) + 1) % 10**8:08}"
    told = {partner.enter(sent, wrong).text.replace(sent.url_path, "X") for _ in range(5)}
    last = partner.enter(sent)
    told |= {last.text.replace(sent.url_path, "X")}
    unknown = partner.client.post("/partner/verzonnen", data={"code": sent.code}, headers=OURS)
    told |= {unknown.text.replace("/partner/verzonnen", "X")}
    assert len(told) == 1
    assert (last.status_code, unknown.status_code) == (403, 403)
    assert "set-cookie" not in last.headers
    rows = partner.db.execute("SELECT actor, outcome FROM audit_entry WHERE action = 'partner.enter'").fetchall()
    assert sorted(row["actor"] for row in rows) == ["partner:Wijkteam Dal"] * 6 + ["unknown"]
    assert {row["outcome"] for row in rows} == {"refused"}


def test_accepting_moves_the_watch_and_ends_the_visit(partner: Partner) -> None:
    one = partner.offer()
    page = partner.visit(one)
    assert "Aanvaarden betekent: <b>wij zijn begonnen</b>" in page
    today = str(local_day(datetime.now(UTC)))
    done = partner.answer(page, antwoord="aanvaard", naam="Piet Partner", functie="regisseur", gestart=today)
    assert done.status_code == 200
    assert "Dank u wel" in done.text
    assert "Voorbeeld" not in done.text
    found = partner.find(one)
    assert (found["state"], found["answered_by"], found["answered_name"]) == (
        "accepted",
        "partner:Wijkteam Dal",
        "Piet Partner, regisseur",
    )
    row = partner.db.execute("SELECT case_id FROM report WHERE id = %s", (found["report_id"],)).fetchone()
    assert row
    holder = watch.holder(partner.db, row["case_id"])
    assert holder
    assert (holder["holder"], holder["team"]) == ("partner", "Wijkteam Dal")
    assert partner.client.get("/partner").status_code == 404
    assert partner.answer(page, antwoord="geweigerd", naam="P", reden="Toch niet").status_code == 403, (
        "no cookie left"
    )


def test_a_later_start_is_refused_with_what_to_do_and_the_text_stays(partner: Partner) -> None:
    one = partner.offer()
    page = partner.visit(one)
    later = str(local_day(datetime.now(UTC)) + timedelta(days=3))
    answer = partner.answer(page, antwoord="aanvaard", naam=NASTY, gestart=later)
    assert answer.status_code == 400
    assert "Aanvaard op de dag dat u begint" in answer.text
    assert 'id="fout-gestart"' in answer.text
    assert NASTY not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert partner.find(one)["state"] == "offered"
    empty = partner.answer(page, antwoord="aanvaard", functie="regisseur")
    assert 'id="fout-naam"' in empty.text, "a function alone is nobody"


def test_refusing_needs_a_name_and_a_reason(partner: Partner) -> None:
    one = partner.offer()
    page = partner.visit(one)
    empty = partner.answer(page, antwoord="geweigerd")
    assert empty.status_code == 400
    assert 'id="fout-naam_weigeren"' in empty.text
    assert 'id="fout-reden"' in empty.text
    done = partner.answer(page, antwoord="geweigerd", naam="Piet", reden="Wij zitten vol.")
    assert (done.status_code, partner.find(one)["answer"]) == (200, "Wij zitten vol.")
    task = partner.db.execute("SELECT FROM task WHERE kind = 'handover' AND done_at IS NULL").fetchall()
    assert len(task) == 1, "back on the queue"


def test_an_answer_by_phone_meanwhile_ends_the_visit(partner: Partner) -> None:
    one = partner.offer()
    page = partner.visit(one)
    with partner.db.transaction():
        handover.refuse(partner.db, one, by="bram", role="assessor", name="P", reason="Vol.", at=NOW)
    late = partner.answer(page, antwoord="aanvaard", naam="P", gestart=str(local_day(NOW)))
    assert late.status_code == 404
    assert partner.find(one)["state"] == "refused"


def test_the_same_form_sent_twice_at_once_counts_once(partner: Partner) -> None:
    one = partner.offer()
    page = partner.visit(one)
    form = {"antwoord": "aanvaard", "naam": "P", "gestart": str(local_day(datetime.now(UTC)))}
    token = page.split('name="formulier" value="')[1].split('"')[0]
    cookie = f"{COOKIE}={partner.client.cookies[COOKIE]}"

    def go(_: int) -> int:
        browser = TestClient(create_app(), base_url="https://testserver", follow_redirects=False)
        headers = {**OURS, "cookie": cookie}
        return int(browser.post("/partner/antwoord", data={"formulier": token, **form}, headers=headers).status_code)

    with ThreadPoolExecutor(2) as threads:
        told = sorted(threads.map(go, range(2)))
    assert told in ([200, 404], [200, 409])
    moves = partner.db.execute("SELECT FROM safety_watch WHERE holder = 'partner'").fetchall()
    assert len(moves) == 1


def test_a_visit_reaches_its_own_handover_only(partner: Partner) -> None:
    other = {"rol": {"tekst": "jeugdige"}, "naam": {"voornamen": "Ander", "geslachtsnaam": "Kind"}}
    mine, theirs = partner.offer(), partner.offer(persons=[other])
    partner.invite(theirs)
    page = partner.visit(mine)
    assert "Ander Kind" not in page
    done = partner.answer(
        page, antwoord="geweigerd", naam="P", reden="Vol.", handover=str(theirs), handover_id=str(theirs)
    )
    assert done.status_code == 200
    assert (partner.find(mine)["state"], partner.find(theirs)["state"]) == ("refused", "offered")
    for path in ("/meldingen", "/wachtrij", f"/meldingen/{partner.find(mine)['report_id']}"):
        assert partner.client.get(path).status_code in (303, 404), path


def test_forms_of_other_pages_and_other_visits_are_refused(partner: Partner) -> None:
    sent = partner.invite(partner.offer())
    foreign = {"sec-fetch-site": "cross-site"}
    assert partner.client.post(sent.url_path, data={"code": sent.code}, headers=foreign).status_code == 403
    assert partner.client.post(sent.url_path, data={"code": sent.code}).status_code == 403
    page = partner.visit(partner.offer())
    one = partner.db.execute("SELECT id FROM handover ORDER BY offered_at DESC").fetchall()
    token = page.split('name="formulier" value="')[1].split('"')[0]
    form = {"antwoord": "geweigerd", "naam": "P", "reden": "Vol."}
    post = partner.client.post
    assert post("/partner/antwoord", data=form, headers=OURS).status_code == 403
    assert post("/partner/antwoord", data={"formulier": token, **form}, headers=foreign).status_code == 403
    assert {partner.find(row["id"])["state"] for row in one} == {"offered"}


def test_what_leaves_the_watch_asks_no_start(partner: Partner) -> None:
    team = partner.world.local_team
    partner.db.execute("UPDATE team SET kind = 'police' WHERE id = %s", (team,))
    content = {"facts": "Feiten.", "urgency": "Deze week", "victim_informed": "ja", "contact": "x"}
    one = partner.offer("police", content)
    page = partner.visit(one)
    assert "Het zicht op veiligheid verandert hierdoor niet" in page
    assert "begonnen op" not in page
    assert partner.answer(page, antwoord="aanvaard", naam="A. Agent").status_code == 200
    assert partner.find(one)["state"] == "accepted"


def test_every_view_is_in_the_trail_under_the_name_of_the_team(partner: Partner) -> None:
    one = partner.offer()
    page = partner.visit(one)
    partner.answer(page, antwoord="geweigerd", naam="Kanarie", reden="Kanariereden.")
    rows = partner.db.execute(
        "SELECT action, outcome, details FROM audit_entry WHERE actor = 'partner:Wijkteam Dal' AND object_id = %s"
        " ORDER BY at, number",
        (one,),
    ).fetchall()
    assert [row["action"] for row in rows] == ["partner.enter", "handover.view", "handover.refused"]
    assert rows[1]["details"]["parts"] == list(KINDS["direct"].shares)
    assert "Kanarie" not in str(rows)
    assert list(audit.breaches(partner.db)) == []


@pytest.mark.browser
def test_a_partner_answers_by_keyboard_without_scripts_at_320_pixels_and_axe_finds_nothing(
    browser: Browser, address: str, world: Any, db: Db
) -> None:
    made = Partner.__new__(Partner)
    made.world, made.db = world, db
    one = made.offer()
    sent = made.invite(one)
    for javascript in (True, False):
        context = browser.new_context(java_script_enabled=javascript, viewport={"width": 320, "height": 800})
        page = context.new_page()
        page.goto(f"{address}{sent.url_path}")
        if javascript:
            assert violations(page) == []
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type(sent.code)
        page.keyboard.press("Enter")
        page.wait_for_url("**/partner")
        wide = page.locator("body").bounding_box()
        assert wide
        assert wide["width"] <= 320
        if javascript:
            assert page.evaluate("document.documentElement.scrollWidth") <= 320
            assert violations(page) == []
            page.click("text=Weigeren")
            page.wait_for_selector("#fout-reden")
            assert violations(page) == []
            context.close()
            sent = made.invite(one)
            continue
        page.fill("#naam", "Piet Partner")
        page.fill("#gestart", str(local_day(datetime.now(UTC))))
        page.click("button:has-text('Aanvaarden')")
        page.wait_for_selector("h1:has-text('Aanvaard')")
        context.close()
    assert made.find(one)["state"] == "accepted"


@pytest.mark.browser
def test_the_page_of_staff_fits_320_pixels_and_axe_finds_nothing(
    browser: Browser, address: str, world: Any, db: Db
) -> None:
    made = Partner.__new__(Partner)
    made.world, made.db = world, db
    report = made.find(made.offer())["report_id"]
    at = NOW - timedelta(days=3)
    household, case = world.household(at)
    other = world.report(at, household=household, case=case, state="handover")
    context = browser.new_context(viewport={"width": 320, "height": 800})
    page = context.new_page()
    sign_in_teun(page, address)
    for path in (f"/meldingen/{report}/overdracht", f"/meldingen/{other}/overdracht?soort=direct"):
        page.goto(f"{address}{path}")
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert violations(page) == []
    page.click("text=Aanbieden en link maken")
    page.wait_for_selector("#fout-gelezen")
    assert violations(page) == []
    page.select_option("#team", label="Wijkteam Dal")
    for field in KINDS["direct"].fields:
        page.fill(f"#veld_{field.name}", "Verzonnen tekst.")
    page.check("#gelezen")
    page.click("text=Aanbieden en link maken")
    page.wait_for_selector("#uitnodigen")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    assert re.search(r"/partner/[\w-]{43}", page.content())
    context.close()
