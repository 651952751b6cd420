"""The screen of monitoring, and who watches while a report waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from core.database import Db
from core.deadlines import AMSTERDAM, local_day
from core.ids import uuid7
from radar.casework import monitoring, service
from tests.radar import desk
from tests.web.chromium import enter, violations
from tests.web.conftest import MOTHER, PERSON, World

OURS = {"sec-fetch-site": "same-origin"}
NASTY = "<script>alert('x')</script>\"'&"
NOW = datetime.now(UTC)
RECEIVED, DECIDED, BEGUN = (NOW - timedelta(days=days) for days in (200, 195, 100))
Sign = Callable[[str], Any]


@pytest.fixture
def as_role(world: World, sign_in: Sign) -> Sign:
    """Signs in a new member with this role."""
    return lambda role: sign_in(world.staff(role))


@pytest.fixture
def report(db: Db, world: World) -> UUID:
    """A report in monitoring for a hundred days."""
    household, case = world.household(RECEIVED)
    made = world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case)
    desk.assess(db, made, "conditions", at=DECIDED)
    [running] = service.of_report(db, world.region, made)
    with db.transaction():
        service.end(
            db,
            running["id"],
            outcome="ended_early",
            summary="Overgenomen.",
            next_move="monitor",
            by="gwen",
            role="behavioural_scientist",
            at=BEGUN,
        )
    return made


@pytest.fixture
def waiting(world: World) -> UUID:
    """A report of yesterday that waits for its assessment."""
    household, case = world.household(NOW - timedelta(days=1))
    return world.report(NOW - timedelta(days=1), [PERSON], household=household, case=case)


def send(client: Any, path: str, **form: str) -> Any:
    token = client.get("/wachtrij").text.split('name="formulier" value="')[1].split('"')[0]
    return client.post(path, data={"formulier": token, **form}, headers=OURS)


def page(client: Any, report: UUID, area: str = "monitoring") -> str:
    shown = client.get(f"/meldingen/{report}/{area}")
    assert shown.status_code == 200
    return unescape(shown.text)


def moments(db: Db, world: World, report: UUID) -> list[dict[str, Any]]:
    return [dict(row) for row in monitoring.moments(db, world.region, report)]


def talk(db: Db, world: World, report: UUID, **changes: str) -> dict[str, str]:
    """A form that is filled in well, but for the changes."""
    return {
        "moment": str(moments(db, world, report)[0]["id"]),
        "geweld": "less",
        "gesproken": "Moeder",
        "wanneer": f"{(NOW - timedelta(days=2)).astimezone(AMSTERDAM):%Y-%m-%dT%H:%M}",
        "verslag": "Minder ruzie.",
    } | changes


def test_the_moments_are_shown_with_their_day_and_what_they_still_need(
    as_role: Sign, db: Db, world: World, report: UUID
) -> None:
    shown = page(as_role("assessor"), report)
    for one in moments(db, world, report):
        assert f"{one['months']} maanden na de start" in shown
    assert "Gesprek vastleggen" in shown
    assert "Een gesprek sluit de monitoring nooit" in shown


def test_a_talk_is_written_down_and_shown(as_role: Sign, db: Db, world: World, report: UUID) -> None:
    client = as_role("assessor")
    done = send(client, f"/meldingen/{report}/monitoring/gesprek", **talk(db, world, report, verslag=NASTY))
    assert done.status_code == 303
    held = next(one for one in moments(db, world, report) if one["held_at"])
    assert (held["violence"], held["note"], held["held_by"]) == ("less", NASTY, "assessor1")
    raw = client.get(f"/meldingen/{report}/monitoring").text
    assert "<script>alert" not in raw
    assert "Geweld: <b>minder</b>. Gesproken met Moeder." in raw


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"geweld": ""}, "geweld"),
        ({"gesproken": " "}, "gesproken"),
        ({"verslag": ""}, "verslag"),
        ({"wanneer": "gisteren"}, "wanneer"),
        ({"wanneer": "0001-01-01T00:00"}, "wanneer"),
        ({"wanneer": "2199-01-01T00:00"}, "wanneer"),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_the_rest_stays(
    as_role: Sign, db: Db, world: World, report: UUID, change: dict[str, str], field: str
) -> None:
    client = as_role("assessor")
    form = talk(db, world, report, verslag="Dit blijft staan.", gesproken="Oma") | change
    refused = send(client, f"/meldingen/{report}/monitoring/gesprek", **form)
    assert refused.status_code == 400
    assert f'id="fout-{field}"' in refused.text
    assert ("Dit blijft staan." in refused.text) is (field != "verslag")
    assert ("Oma" in refused.text) is (field != "gesproken")
    assert all(one["held_at"] is None for one in moments(db, world, report))


def test_violence_that_goes_on_asks_for_a_decision_and_each_of_them_can_be_taken(
    as_role: Sign, db: Db, world: World, report: UUID
) -> None:
    client, path = as_role("assessor"), f"/meldingen/{report}/monitoring"
    assert "Doorgaan zoals gepland" not in page(client, report)
    send(client, f"{path}/gesprek", **talk(db, world, report, geweld="more"))
    assert "Beslis wat er nu gebeurt" in page(client, report)
    refused = send(client, f"{path}/doorgaan", risico="", reden="Want.")
    assert refused.status_code == 400
    assert 'id="fout-risico"' in refused.text
    assert send(client, f"{path}/doorgaan", risico="1", reden="De hulp begint morgen.").status_code == 303
    assert "Beslis wat er nu gebeurt" not in page(client, report)
    day = local_day(NOW) + timedelta(days=10)
    assert send(client, f"{path}/moment", dag="morgen", reden="Want.").status_code == 400
    assert send(client, f"{path}/moment", dag=day.isoformat(), reden="Na de zitting.").status_code == 303
    assert "Na de zitting." in page(client, report)
    assert send(client, f"{path}/zelf", traject="", reden="Want.").status_code == 400
    assert send(client, f"{path}/zelf", traject="investigation", reden="Het houdt niet op.").status_code == 303
    assert world.db.execute("SELECT state FROM report").fetchone() == {"state": "investigation"}
    shown = page(client, report)
    assert "vervallen op" in shown
    assert "monitoring beëindigd" in shown
    assert "Gesprek vastleggen" not in shown


def test_closing_needs_a_reason_and_ends_the_case(as_role: Sign, db: Db, report: UUID) -> None:
    client, path = as_role("team_lead"), f"/meldingen/{report}/monitoring/afsluiten"
    refused = send(client, path, reden=" ")
    assert refused.status_code == 400
    assert 'id="fout-reden"' in refused.text
    assert send(client, path, reden="Al een jaar rustig.").status_code == 303
    assert db.execute("SELECT FROM cases WHERE closed_at IS NOT NULL").fetchone() is not None
    late = send(client, path, reden="Nog eens.")
    assert late.status_code == 409
    assert "Er is nog niets opgeslagen" in late.text


def test_a_new_report_during_monitoring_is_shown_with_its_link(
    as_role: Sign, db: Db, world: World, report: UUID
) -> None:
    row = db.execute("SELECT household_id, case_id FROM report WHERE id = %s", (report,)).fetchone()
    assert row is not None
    new = world.report(NOW - timedelta(days=3), household=row["household_id"], case=row["case_id"])
    shown = page(as_role("intake_worker"), report)
    assert "Nieuwe melding tijdens monitoring" in shown
    assert f'href="/meldingen/{new}"' in shown


def test_who_may_not_sees_no_form_and_is_refused(as_role: Sign, db: Db, world: World, report: UUID) -> None:
    client = as_role("intake_worker")
    assert "<button" not in page(client, report).split("<main")[1]
    assert send(client, f"/meldingen/{report}/monitoring/gesprek", **talk(db, world, report)).status_code == 403
    assert as_role("administrator").get(f"/meldingen/{report}/monitoring").status_code == 403


def test_another_region_another_moment_or_another_act_is_not_found(
    as_role: Sign, new_world: Callable[[], World], db: Db, world: World, report: UUID, waiting: UUID
) -> None:
    client, path = as_role("assessor"), f"/meldingen/{report}/monitoring"
    assert send(client, f"{path}/gesprek", **talk(db, world, report, moment=str(uuid7()))).status_code == 404
    other = f"/meldingen/{waiting}/monitoring/gesprek"
    assert send(client, other, **talk(db, world, report)).status_code == 404, "a moment of another report"
    assert send(client, f"{path}/verwijderen").status_code == 404
    assert client.get(f"/meldingen/{uuid7()}/monitoring").status_code == 404
    theirs = new_world()
    hidden = theirs.report(NOW)
    for area in ("monitoring", "zicht", "doorsturen"):
        assert client.get(f"/meldingen/{hidden}/{area}").status_code == 404


def test_looking_is_written_in_the_audit_trail(as_role: Sign, db: Db, report: UUID) -> None:
    client = as_role("assessor")
    for area, action in (("monitoring", "monitoring.view"), ("zicht", "watch.view")):
        page(client, report, area)
        row = db.execute(
            "SELECT count(*) AS n FROM audit_entry WHERE action = %s AND object_id = %s", (action, report)
        ).fetchone()
        assert row == {"n": 1}


# ── who watches while it waits ──────────────────────────────────────────────────────────────────────────────────


def holder(db: Db, report: UUID) -> dict[str, Any]:
    row = db.execute(
        "SELECT w.holder, w.reason FROM safety_watch w JOIN report r ON r.case_id = w.case_id"
        " WHERE r.id = %s AND w.until IS NULL",
        (report,),
    ).fetchone()
    assert row is not None
    return dict(row)


def agreement(**changes: str) -> dict[str, str]:
    until = (local_day(NOW) + timedelta(days=3)).isoformat()
    return {"handeling": "afspraak", "afspraak": "Belt elke dag.", "tot": until} | changes


def test_the_reporter_watches_when_he_agreed_and_somebody_looks_again_by_then(
    as_role: Sign, db: Db, waiting: UUID
) -> None:
    client, path = as_role("intake_worker"), f"/meldingen/{waiting}/zicht"
    assert send(client, path, **agreement()).status_code == 303
    now = holder(db, waiting)
    assert now["holder"] == "reporter"
    assert "Belt elke dag." in now["reason"]
    assert "Belt elke dag." in page(client, waiting, "zicht")
    assert db.execute("SELECT FROM task WHERE kind = 'recheck' AND done_at IS NULL").fetchone() is not None
    assert send(client, path, **agreement(afspraak="Belt twee keer per dag.")).status_code == 303
    assert "twee keer" in holder(db, waiting)["reason"]
    assert send(client, path, handeling="terugnemen", reden=" ").status_code == 400
    assert send(client, path, handeling="terugnemen", reden="Neemt niet op.").status_code == 303
    assert holder(db, waiting) == {"holder": "veilig_thuis", "reason": "Neemt niet op."}
    assert send(client, path, handeling="terugnemen", reden="Nog eens.").status_code == 409


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"afspraak": " "}, "afspraak"),
        ({"tot": ""}, "tot"),
        ({"tot": "2020-01-01"}, "tot"),
        ({"tot": (local_day(NOW) + timedelta(days=33)).isoformat()}, "tot"),
    ],
)
def test_an_agreement_that_is_not_complete_changes_nothing(
    as_role: Sign, db: Db, waiting: UUID, change: dict[str, str], field: str
) -> None:
    refused = send(as_role("intake_worker"), f"/meldingen/{waiting}/zicht", **agreement(**change))
    assert refused.status_code == 400
    assert f'id="fout-{field}"' in refused.text
    assert holder(db, waiting)["holder"] == "veilig_thuis"


def test_while_there_is_danger_or_nothing_waits_veilig_thuis_keeps_it(
    as_role: Sign, db: Db, world: World, report: UUID
) -> None:
    client = as_role("intake_worker")
    assert send(client, f"/meldingen/{report}/zicht", **agreement()).status_code == 409, "it is in monitoring"
    household, case = world.household(NOW - timedelta(hours=2))
    acute = world.report(NOW - timedelta(hours=1), household=household, case=case, state="received")
    desk.check(db, acute, acute=True, at=NOW)
    refused = send(client, f"/meldingen/{acute}/zicht", **agreement())
    assert refused.status_code == 409
    assert "acuut gevaar" in refused.text
    assert holder(db, acute)["holder"] == "veilig_thuis"


def test_a_partner_is_never_given_the_watch_here(as_role: Sign, db: Db, waiting: UUID) -> None:
    client, path = as_role("intake_worker"), f"/meldingen/{waiting}/zicht"
    assert send(client, path, **agreement(handeling="partner")).status_code == 400
    assert holder(db, waiting)["holder"] == "veilig_thuis"
    assert "pas zicht als hij een" in page(client, waiting, "zicht")


# ── with a browser ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (320, "light")])
def test_the_pages_pass_axe_and_fit_a_phone(
    browser: Browser, address: str, db: Db, world: World, report: UUID, waiting: UUID, width: int, scheme: Any
) -> None:
    first = moments(db, world, report)[0]["id"]
    said: dict[str, Any] = {"violence": "more", "spoke_with": "Moeder", "note": "Het gaat slechter.", "held_at": NOW}
    with db.transaction():
        monitoring.hold(db, first, **said, by="bram", role="assessor", at=NOW)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    shown = context.new_page()
    enter(shown, address)
    for path in (f"{report}/monitoring", f"{report}/zicht", f"{waiting}/zicht", f"{waiting}/doorsturen"):
        shown.goto(f"{address}/meldingen/{path}")
        assert violations(shown) == [], path
        assert shown.evaluate("document.documentElement.scrollWidth") <= width, path
    shown.goto(f"{address}/meldingen/{report}/monitoring")
    shown.get_by_role("button", name="Afsluiten").click()
    shown.wait_for_selector("#fout-reden")
    assert violations(shown) == []
    context.close()
