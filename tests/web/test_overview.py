"""The lead's overview: numbers that lead to the rows behind them, the load of each colleague, and the kept terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.deadlines import AMSTERDAM, local_day
from core.ids import uuid7
from core.staff import ROLES, add_staff
from radar.casework import reminders, tasks
from radar.casework.shares import Share, recount
from tests.web.conftest import PASSWORD
from web.access.matrix import may
from web.pages.share_drawing import HEIGHT, TOP, draw, percent

Sign = Callable[[str], Any]


def new_team(world: Any, name: str = "Team Zuid") -> UUID:
    team = uuid7()
    world.db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from) VALUES (%s, %s, %s, 'veilig_thuis', '2020-01-01')",
        (team, world.region, name),
    )
    return team


def lead(world: Any, team: UUID | None = None) -> str:
    add_staff(world.db, world.region, "teun", "Teun", "team_lead", PASSWORD, team)
    return "teun"


def tiles(page: str) -> dict[str, tuple[str, int]]:
    """What each tile says, with its address and its number."""
    part = page.split('aria-label="Open taken nu"')[1].split("</ul>")[0]
    found = re.findall(r'href="([^"]+)"><b>(\d+)</b> ([^<]+)<', part)
    return {text: (address.replace("&amp;", "&"), int(number)) for address, number, text in found}


def filled(world: Any, zuid: UUID, now: datetime) -> None:
    """Open work of two teams and of none: two too late, three unchecked, and some far away."""
    for kind, days, team in (
        ("assess", -3, world.team),
        ("assess", -1, zuid),
        ("acute_check", 0.01, None),
        ("acute_check", 0.01, zuid),
        ("acute_check", 0.01, world.team),
        ("notify", 30, world.team),
        ("service", 60, zuid),
    ):
        world.task(kind, uuid7(), now + timedelta(days=days), 1, team, now - timedelta(days=12))


@pytest.mark.parametrize("role", list(ROLES))
def test_only_a_lead_sees_the_overview(client: Any, db: Db, world: Any, sign_in: Sign, role: str) -> None:
    sign_in(world.staff(role))
    answer = client.get("/overzicht")
    assert answer.status_code == (200 if role == "team_lead" else 403)
    assert may(role, "overview.view") == (role == "team_lead")
    assert ('href="/overzicht"' in client.get("/wachtrij").text) == (role == "team_lead")
    outcomes = db.execute("SELECT outcome FROM audit_entry WHERE action = 'overview.view'").fetchall()
    assert [row["outcome"] for row in outcomes] == ["ok" if role == "team_lead" else "refused"]


def test_each_number_is_that_of_the_rows_behind_it(client: Any, world: Any, sign_in: Sign) -> None:
    now, zuid = datetime.now(UTC), new_team(world)
    filled(world, zuid, now)
    reminders.escalate(world.db, now)
    sign_in(lead(world))
    for address in ("/overzicht", f"/overzicht?team={zuid}"):
        found = tiles(client.get(address).text)
        assert len(found) == 6
        for text, (behind, number) in found.items():
            queue = client.get(behind).text
            rows = len(re.findall(r'name="taak-', queue))
            assert rows == number, (address, text)
    every = {text: number for text, (_, number) in tiles(client.get("/overzicht").text).items()}
    assert every == {
        "zonder acute check": 3,
        "te laat": 2,
        "te laat na de volgende werkdag als niemand werkt": 3,
        "opgeschaald": 2,
        "van niemand": 7,
        "open": 7,
    }


def test_a_lead_of_a_team_begins_with_his_team_and_may_look_at_all(client: Any, world: Any, sign_in: Sign) -> None:
    now, zuid = datetime.now(UTC), new_team(world)
    filled(world, zuid, now)
    sign_in(lead(world, zuid))
    page = client.get("/overzicht").text
    assert tiles(page)["open"][1] == 4, "three of his team and one of none"
    assert f'<option value="{zuid}" selected>' in page
    assert tiles(client.get("/overzicht?team=alle").text)["open"][1] == 7
    assert tiles(client.get(f"/overzicht?team={world.team}").text)["open"][1] == 4


def test_another_region_is_never_counted_or_named(
    client: Any, new_world: Callable[[], Any], sign_in: Sign, db: Db
) -> None:
    ours, theirs = new_world(), new_world()
    now = datetime.now(UTC)
    hidden = new_team(theirs, "Team Elders")
    filled(theirs, hidden, now)
    theirs.report(now - timedelta(days=40))
    with db.transaction():
        recount(db, now)
    sign_in(lead(ours))
    page = client.get("/overzicht").text
    assert {number for _, number in tiles(page).values()} == {0}
    assert "Team Elders" not in page
    assert "Er wacht geen melding" in page
    assert '<svg class="timeline"' not in page
    for made_up in (hidden, ours.local_team, "x", uuid7()):
        assert client.get(f"/overzicht?team={made_up}").status_code == 400


def test_the_load_of_each_colleague_stands_beside_what_nobody_has(
    client: Any, db: Db, world: Any, sign_in: Sign
) -> None:
    now = datetime.now(UTC)
    bram = add_staff(db, world.region, "bram", "Bram", "assessor", PASSWORD)
    add_staff(db, world.region, "vrij", "Vrij", "assessor", PASSWORD)
    late, *rest = (world.task("assess", uuid7(), now + timedelta(days=days), 0, world.team) for days in (-1, 20, 30))
    tasks.assign(db, world.region, [late, rest[0]], bram, by="teun", at=now)
    sign_in(lead(world))
    page = client.get("/overzicht").text
    section = page.split('id="werk"')[1].split("</section>")[0]
    lines = {
        re.search(r">([^<]+)</a>", row)[1]: [int(cell) for cell in re.findall(r'class="number"[^>]*>(\d+)<', row)]  # type: ignore[index]
        for row in section.split("<tr ")[2:]
    }
    assert list(lines) == ["Niemand", "Bram", "Teun", "Vrij"]
    assert lines["Bram"] == [2, 1, 0, 0, 0]
    assert lines["Niemand"] == [1, 0, 0, 0, 0]
    assert lines["Vrij"] == [0, 0, 0, 0, 0]
    assert f'href="/wachtrij?team=alle&amp;wie={bram}"' in section


def test_the_oldest_reports_lead_to_their_work(client: Any, world: Any, sign_in: Sign) -> None:
    now = datetime.now(AMSTERDAM)  # so that days are days of the calendar, also over a change of the clock
    report = world.report(now - timedelta(days=33))
    sign_in(lead(world))
    section = client.get("/overzicht").text.split('id="langst"')[1].split("</section>")[0]
    assert f'<a href="/meldingen/{report}/beoordeling">Veiligheidsbeoordeling</a>' in section
    assert "33 dagen" in section


def test_the_shares_are_a_drawing_with_the_norm_and_a_table_with_the_same_numbers(
    client: Any, db: Db, world: Any, sign_in: Sign
) -> None:
    now, zuid = datetime.now(UTC), new_team(world)
    last_month = (local_day(now).replace(day=1) - timedelta(days=10)).replace(day=10)
    received = datetime.combine(last_month, datetime.min.time(), UTC)
    reports = [world.report(received, done=True) for _ in range(3)]
    world.report(received)
    db.execute("UPDATE task SET team_id = %s WHERE report_id = %s", (zuid, reports[0]))
    with db.transaction():
        recount(db, now)
    sign_in(lead(world))
    page = client.get("/overzicht").text
    section = page.split('id="deel-safety_assessment"')[1].split("</section>")[0]
    assert "norm 90%" in section
    assert section.count('class="norm"') == 1
    assert section.count('<rect class="bar-') == 12
    assert section.count('<th scope="row">') == 12
    row = section.split("</thead>")[1].split("<tr>")[2]
    assert re.findall(r"<td>(.*?)</td>", row) == ["<b>75%</b>", "3", "0", "1"]
    assert "norm 80%" in page.split('id="deel-investigation"')[1]
    south = client.get(f"/overzicht?team={zuid}").text.split('id="deel-safety_assessment"')[1]
    row = south.split("</thead>")[1].split("<tr>")[2]
    assert re.findall(r"<td>(.*?)</td>", row) == ["<b>100%</b>", "1", "0", "0"]


def test_what_monitoring_heard_of_the_violence_stands_per_age(client: Any, db: Db, world: Any, sign_in: Sign) -> None:
    now = datetime.now(UTC)
    for violence in ("stopped", "stopped", "less"):
        report = world.report(now - timedelta(days=400), state="monitoring")
        db.execute(
            "INSERT INTO monitoring_moment (id, region_id, report_id, number, months, planned_on, planned_at,"
            " planned_by, reason, held_at, noted_at, held_by, violence, spoke_with, note)"
            " VALUES (%s, %s, %s, 1, 12, current_date, now(), 'bram', 'Plan', %s, now(), 'bram', %s, 'moeder', '')",
            (uuid7(), world.region, report, now - timedelta(days=1), violence),
        )
    sign_in(lead(world))
    section = client.get("/overzicht").text.split('id="geweld"')[1].split("</section>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in section.split("</thead>")[1].split("<tr>")[1:]]
    assert rows == [["<b>66%</b>", "3", "2", "1", "0", "0"], ["<b>\u2013</b>", "0", "0", "0", "0", "0"]]


def test_the_drawing_stands_on_the_axis() -> None:
    months = [Share("safety_assessment", date(2026, month, 1), month, 12 - month, 0) for month in range(1, 13)]
    drawn = draw(months, 90)
    assert drawn is not None
    assert [bar.kept for bar in drawn.bars] == [False] * 10 + [True] * 2
    assert drawn.norm_y == TOP + HEIGHT * 0.1
    for share, bar in zip(months, drawn.bars, strict=True):
        assert bar.y + bar.height == pytest.approx(drawn.bottom, abs=0.2)
        assert bar.height == pytest.approx(HEIGHT * (share.value or 0), abs=0.1)
        assert drawn.left < bar.x < bar.middle < bar.x + bar.width < drawn.right
    assert [text for _, text in drawn.ticks] == ["0%", "25%", "50%", "75%", "100%"]
    assert draw([Share("feedback", date(2026, 1, 1), 0, 0, 0)], None) is None


@pytest.mark.parametrize(
    ("share", "text"), [(None, "\u2013"), (0.0, "0%"), (0.9, "90%"), (0.8999, "89%"), (0.999, "99%"), (1.0, "100%")]
)
def test_a_share_is_never_rounded_up(share: float | None, text: str) -> None:
    assert percent(share) == text
