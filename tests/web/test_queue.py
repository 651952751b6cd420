"""The deadline queue: risk first, then what is due first; pages without gaps; nothing late out of sight."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core import audit
from core.database import Db
from core.deadlines import AMSTERDAM
from core.ids import uuid7
from core.staff import add_staff
from radar.casework import queue, reminders, tasks
from radar.casework.queue import Filter, QueueItem
from tests.web.conftest import OURS, PASSWORD
from web import pages, wording
from web.pages.queue import PAGES, RIGHTS, _position, _token

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
ALL = tuple(queue.KINDS)
Sign = Callable[[str], Any]


def read_all(db: Db, region: UUID, chosen: Filter, size: int) -> list[QueueItem]:
    """Every page after the other."""
    found: list[QueueItem] = []
    while page := queue.items(db, region, chosen, NOW, found[-1].position if found else None, size):
        found += page
    return found


def plain(db: Db, region: UUID) -> list[dict[str, Any]]:
    """The same queue, sorted by Python."""
    rows = db.execute("SELECT * FROM task WHERE done_at IS NULL AND region_id = %s", (region,)).fetchall()
    return sorted(rows, key=lambda row: (-row["risk"], row["due_at"], row["id"]))


TASKS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2]),
        st.integers(-3, 3),
        st.sampled_from(ALL),
        st.booleans(),
        st.sampled_from(["open", "open", "open", "done", "elsewhere"]),
    ),
    max_size=25,
)


@hypothesis_settings(max_examples=40)
@given(tasks=TASKS, size=st.integers(1, 6), kinds=st.sets(st.sampled_from(ALL), min_size=1), late=st.booleans())
def test_the_pages_together_are_the_plain_sorted_queue(
    db: Db, new_world: Callable[[], Any], tasks: list[Any], size: int, kinds: set[str], late: bool
) -> None:
    here, elsewhere = new_world(), new_world()
    for risk, days, kind, with_team, place in tasks:
        world = elsewhere if place == "elsewhere" else here
        team = world.team if with_team else None
        world.task(kind, uuid7(), NOW + timedelta(days=days), risk, team, done=place == "done")
    expected = plain(db, here.region)
    chosen = Filter(tuple(sorted(kinds)), overdue=late)
    fits = [row for row in expected if row["kind"] in kinds and (not late or row["due_at"] <= NOW)]
    assert [item.id for item in read_all(db, here.region, chosen, size)] == [row["id"] for row in fits]

    counted = queue.counts(db, here.region, ALL, chosen, NOW)
    overdue = [row for row in expected if row["due_at"] <= NOW]
    assert counted.open == len(expected)
    assert counted.acute == sum(row["risk"] == 2 for row in expected)
    assert counted.overdue == len(overdue)
    assert counted.today == 0
    assert counted.matching == len(fits)
    assert counted.overdue_outside == len([row for row in overdue if row not in fits])


def test_a_page_is_not_disturbed_by_what_happens_meanwhile(db: Db, world: Any) -> None:
    ids = [world.task("assess", uuid7(), NOW + timedelta(hours=hour)) for hour in range(6)]
    first = queue.items(db, world.region, Filter(ALL), NOW, None, 3)
    db.execute("UPDATE task SET done_at = now(), done_by = 'x' WHERE id = ANY(%s)", (ids[:2],))
    world.task("assess", uuid7(), NOW - timedelta(days=1), 2)
    rest = queue.items(db, world.region, Filter(ALL), NOW, first[-1].position, 3)
    assert [item.id for item in rest] == ids[3:]


def test_team_and_risk_filters(db: Db, world: Any) -> None:
    mine = world.task("assess", uuid7(), NOW, 1, world.team)
    world.task("assess", uuid7(), NOW, 0, world.team)
    world.task("assess", uuid7(), NOW, 1)
    assert [item.id for item in read_all(db, world.region, Filter(ALL, team=world.team, risk=1), 5)] == [mine]


def test_a_row_tells_who_what_and_who_watches(db: Db, world: Any, family: dict[str, UUID]) -> None:
    by_subject = {item.subject_id: item for item in read_all(db, world.region, Filter(ALL), 50)}
    acute = by_subject[family["third"]]
    assert (acute.reporter_kind, acute.persons, acute.household_reports) == ("politie", 3, 4)
    assert (acute.watch, acute.watch_team, acute.case_id) == ("veilig_thuis", "Team Noord", family["case"])
    review = by_subject[family["proposed"]]
    assert (review.kind, review.report_id) == ("review_link", family["third"])
    assert by_subject[family["quarantine"]].code == "VT-E055"
    assert by_subject[family["job"]].job_kind == "link_report"


def test_each_row_leads_to_where_the_task_is_done(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    world.task("review_route", family["second"], datetime.now(UTC), 1, world.team)
    sign_in(world.staff("assessor"))
    page = client.get("/wachtrij").text
    for address, text in (
        (f"/meldingen/{family['third']}/beoordeling", "Veiligheidsbeoordeling"),
        (f"/koppelvoorstellen/{family['proposed']}", "Koppeling nakijken"),
        (f"/meldingen/{family['second']}#besluit", "Besluit opnieuw bekijken"),
        (f"/quarantaine/{family['quarantine']}", "Onleesbaar bericht"),
        (f"/taken/{family['job']}", "Vastgelopen verwerking"),
    ):
        assert f'<a href="{address}">{text}</a>' in page
        assert client.get(address.split("#")[0]).status_code == 200, address
    only = client.get("/wachtrij?soort=review_route").text
    assert "1 taak past bij dit filter" in only
    assert "VT-2026-" in only, "the case and who watches"


@pytest.mark.parametrize(
    ("due", "now", "words", "state"),
    [
        ("2026-11-18T23:00", "2026-11-18T09:00", "Vandaag", "today"),
        ("2026-11-19T23:00", "2026-11-18T09:00", "Morgen", "soon"),
        ("2026-11-24T23:00", "2026-11-18T09:00", "Nog 4 werkdagen", "later"),
        ("2026-11-18T23:00", "2026-11-18T23:00", "Te laat sinds 1 werkdag", "late"),
        ("2026-11-18T23:00", "2026-11-18T22:59", "Vandaag", "today"),
        ("2026-11-13T23:00", "2026-11-18T09:00", "Te laat sinds 3 werkdagen", "late"),
        ("2026-11-20T23:00", "2026-11-22T09:00", "Te laat sinds vrijdag", "late"),
        # Good Friday and Easter Monday do not count: from Thursday 2 April to Tuesday 7 April is one working day.
        ("2026-04-02T22:00", "2026-04-07T09:00", "Te laat sinds 1 werkdag", "late"),
        # Around midnight the Dutch day counts, not that of UTC.
        ("2026-11-18T23:00", "2026-11-17T23:30", "Vandaag", "today"),
    ],
)
def test_a_due_date_in_words(due: str, now: str, words: str, state: str) -> None:
    found = wording.due(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (due, now)))
    assert (found.words, found.state) == (words, state)


def test_the_page_hides_nothing_late_without_saying_so(client: Any, world: Any, sign_in: Sign) -> None:
    world.report(datetime.now(UTC) - timedelta(days=20))
    world.report(datetime.now(UTC) - timedelta(days=21), risk=2)
    world.report(datetime.now(UTC))
    sign_in(world.staff("assessor"))
    assert "buiten dit filter" not in client.get("/wachtrij").text
    assert "1 te late taak valt buiten dit filter" in client.get("/wachtrij?risico=2").text
    page = client.get("/wachtrij?soort=quarantine").text
    assert "2 te late taken vallen buiten dit filter" in page
    assert 'href="/wachtrij?telaat=1"' in page
    assert "buiten dit filter" not in client.get("/wachtrij?telaat=1").text


def test_the_next_page_keeps_the_filter_and_ends(client: Any, world: Any, sign_in: Sign) -> None:
    at = datetime.now(UTC)
    reports = {str(world.report(at - timedelta(minutes=minute))) for minute in range(30)}
    sign_in(world.staff("assessor"))
    seen: list[str] = []
    address: str | None = "/wachtrij?soort=assess"
    for _ in itertools.count():
        page = client.get(address).text
        seen += [part.split("/")[0] for part in page.split('href="/meldingen/')[1:]]
        links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('class="button second" href="')[1:]]
        if not links:
            break
        address = links[0]
        assert "soort=assess" in address
    assert len(seen) == 30
    assert set(seen) == reports


@pytest.mark.parametrize("query", ["na=x", "na=" + "A" * 34, "na=%00", "soort=alles", "risico=9", "team=1", "na=é"])
def test_a_made_up_address_is_a_wrong_request(client: Any, world: Any, sign_in: Sign, query: str) -> None:
    sign_in(world.staff("assessor"))
    answer = client.get(f"/wachtrij?{query}")
    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or query.startswith("na=AAAA")


@given(
    risk=st.sampled_from([0, 1, 2]),
    due_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    row_id=st.uuids(),
)
def test_the_place_in_the_address_is_exact_to_the_microsecond(risk: int, due_at: datetime, row_id: UUID) -> None:
    place = queue.Position(risk, due_at, row_id)
    assert _position(_token(place)) == place


def test_an_administrator_sees_stopped_work_only(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    sign_in(world.staff("administrator"))
    page = client.get("/wachtrij").text
    assert f"/taken/{family['job']}" in page
    assert "<b>1</b> open" in page
    assert "/meldingen/" not in page
    assert client.get("/wachtrij?soort=assess").status_code == 400


def test_empty_queues_say_why(client: Any, world: Any, sign_in: Sign) -> None:
    sign_in(world.staff("assessor"))
    assert "Alles is gedaan" in client.get("/wachtrij").text
    assert "Niets gevonden" in client.get("/wachtrij?risico=2").text


# ── every kind of task, its right and its page ──────────────────────────────────────────────────────────────


def test_every_kind_of_task_has_a_right_and_a_page() -> None:
    assert RIGHTS.keys() == PAGES.keys() == queue.KINDS.keys()
    known = {getattr(route, "path", "") for route in pages.routes}
    for kind, address in PAGES.items():
        path = address.format(report="{id}", subject="{id}").split("#")[0]
        assert path in known, kind


def test_each_new_kind_of_task_leads_to_its_report(client: Any, world: Any, sign_in: Sign) -> None:
    report, at = world.report(datetime.now(UTC)), datetime.now(UTC)
    old = ("assess", "review_route")
    new = [kind for kind, right in RIGHTS.items() if right == "report.view" and kind not in old]
    for kind in new:
        subject = uuid7() if kind in ("service", "monitor", "feedback", "inform", "person_request") else report
        tasks.open_task(world.db, kind, subject, report, due_at=at, at=at)
    sign_in(world.staff("assessor"))
    for kind in new:
        page = client.get(f"/wachtrij?soort={kind}").text
        assert f'<a href="{PAGES[kind].format(report=report)}">{queue.KINDS[kind]}</a>' in page
        assert "1 taak past bij dit filter" in page


# ── dividing ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def zuid(world: Any) -> UUID:
    """A second team of ours."""
    team = uuid7()
    world.db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from)"
        " VALUES (%s, %s, 'Team Zuid', 'veilig_thuis', '2020-01-01')",
        (team, world.region),
    )
    return team


def colleague(world: Any, name: str, role: Any = "assessor", team: UUID | None = None) -> UUID:
    return add_staff(world.db, world.region, name, f"Naam van {name}", role, PASSWORD, team)


def divide(client: Any, address: str = "/wachtrij", ticked: Any = (), **fields: str) -> Any:
    """Tick tasks on this page and press a button of its form."""
    page = client.get(address).text.split('action="/wachtrij/verdelen"')[1]
    hidden = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("formulier", "terug")}
    data = {name: value.replace("&amp;", "&") for name, value in hidden.items()}
    data |= {f"taak-{task}": "1" for task in ticked} | fields
    return client.post("/wachtrij/verdelen", data=data, headers=OURS)


def who_has(db: Db, task: UUID) -> tuple[Any, Any]:
    row = db.execute("SELECT staff_id, team_id FROM task WHERE id = %s", (task,)).fetchone()
    assert row is not None
    return row["staff_id"], row["team_id"]


def test_take_several_and_come_back_to_the_same_rows(client: Any, db: Db, world: Any, sign_in: Sign) -> None:
    bram, now = colleague(world, "bram"), datetime.now(UTC)
    ids = [world.task("assess", uuid7(), now + timedelta(hours=n), 0, world.team) for n in range(40)]
    sign_in("bram")
    first = client.get("/wachtrij?soort=assess&risico=0").text
    second = first.split('class="button second" href="')[1].split('"')[0].replace("&amp;", "&")
    answer = divide(client, second, ids[25:28], handeling="nemen")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/wachtrij?soort=assess&risico=0&na=")
    assert [who_has(db, task)[0] for task in ids[24:29]] == [None, bram, bram, bram, None]
    page = client.get(answer.headers["location"]).text
    assert "3 taken zijn verdeeld." in page
    assert "<b>3</b> van mij" in page
    assert page.count("<span>Naam van bram</span>") == 3
    mine = client.get("/wachtrij?wie=ik").text
    assert "3 taken passen bij dit filter" in mine
    assert "37 taken passen bij dit filter" in client.get("/wachtrij?wie=niemand").text
    assert "3 taken passen bij dit filter" in client.get(f"/wachtrij?wie={bram}").text
    trail = [row["action"] for row in audit.of_object(db, ids[25])]
    assert trail == ["task.assign"]


def test_a_whole_page_fits_in_one_form(client: Any, db: Db, world: Any, sign_in: Sign) -> None:
    ids = [world.task("assess", uuid7(), datetime.now(UTC), 0, world.team) for _ in range(queue.PAGE)]
    bram = colleague(world, "bram")
    sign_in("bram")
    assert divide(client, "/wachtrij", ids, handeling="nemen", naar="").status_code == 303
    assert {who_has(db, task)[0] for task in ids} == {bram}


def test_one_row_has_its_own_button(client: Any, db: Db, world: Any, sign_in: Sign) -> None:
    bram, now = colleague(world, "bram"), datetime.now(UTC)
    one, other = (world.task("assess", uuid7(), now, 0, world.team) for _ in range(2))
    sign_in("bram")
    assert f'name="neem" value="{one}"' in client.get("/wachtrij").text
    divide(client, neem=str(one), ticked=[other])
    assert (who_has(db, one)[0], who_has(db, other)[0]) == (bram, None), "the button is about its row only"
    assert f'name="neem" value="{one}"' not in client.get("/wachtrij").text
    answer = divide(client, ticked=[one], handeling="terugleggen")
    assert answer.status_code == 303
    assert who_has(db, one)[0] is None


def test_nobody_takes_what_a_colleague_has_but_the_lead_divides_all(
    client: Any, db: Db, world: Any, sign_in: Sign, zuid: UUID
) -> None:
    gwen, bram = colleague(world, "gwen", "behavioural_scientist"), colleague(world, "bram")
    colleague(world, "teun", "team_lead")
    free, hers = (world.task("assess", uuid7(), datetime.now(UTC), 0, world.team) for _ in range(2))
    tasks.assign(db, world.region, [hers], gwen, by="gwen", at=NOW)
    sign_in("bram")
    for handeling in ("nemen", "terugleggen", "doorgeven"):
        answer = divide(client, ticked=[hers], handeling=handeling, naar=str(zuid))
        assert "verdeeld=0-1" in answer.headers["location"]
        assert who_has(db, hers) == (gwen, world.team)
    assert "1 taak is niet veranderd" in client.get(answer.headers["location"]).text
    assert "Geef aan collega" not in client.get("/wachtrij").text
    refused = divide(client, ticked=[free], handeling="geven", collega=str(bram))
    assert refused.status_code == 403
    assert who_has(db, free) == (None, world.team)

    sign_in("teun")
    answer = divide(client, ticked=[free, hers], handeling="geven", collega=str(bram))
    assert "verdeeld=2-0" in answer.headers["location"]
    assert [who_has(db, task) for task in (free, hers)] == [(bram, world.team)] * 2
    divide(client, ticked=[free, hers], handeling="doorgeven", naar=str(zuid))
    assert [who_has(db, task) for task in (free, hers)] == [(None, zuid)] * 2


@pytest.mark.parametrize("role", ["intake_worker", "assessor", "behavioural_scientist", "team_lead"])
def test_everybody_who_works_on_cases_takes_and_hands_on(
    client: Any, db: Db, world: Any, sign_in: Sign, zuid: UUID, role: str
) -> None:
    me = colleague(world, "ik", role)
    task = world.task("assess", uuid7(), datetime.now(UTC), 0, world.team)
    sign_in("ik")
    divide(client, ticked=[task], handeling="nemen")
    assert who_has(db, task) == (me, world.team)
    divide(client, ticked=[task], handeling="doorgeven", naar=str(zuid))
    assert who_has(db, task) == (None, zuid)
    assert [row["action"] for row in audit.of_object(db, task)] == ["task.assign", "task.hand_on"]


def test_an_administrator_divides_nothing(client: Any, world: Any, family: dict[str, UUID], sign_in: Sign) -> None:
    sign_in(world.staff("administrator"))
    page = client.get("/wachtrij").text
    assert "/wachtrij/verdelen" not in page
    token = page.split('name="formulier" value="')[1].split('"')[0]
    data = {"formulier": token, "handeling": "nemen"}
    assert client.post("/wachtrij/verdelen", data=data, headers=OURS).status_code == 403


def test_an_incomplete_form_says_what_to_do_and_keeps_the_ticks(
    client: Any, db: Db, world: Any, sign_in: Sign, zuid: UUID
) -> None:
    task = world.task("assess", uuid7(), datetime.now(UTC), 0, world.team)
    sign_in(world.staff("team_lead"))
    nothing = divide(client, "/wachtrij?risico=0", handeling="nemen")
    assert nothing.status_code == 400
    assert "Vink eerst een of meer taken aan" in nothing.text
    assert '<option value="0" selected>' in nothing.text, "the filter stands"
    for handeling in ("geven", "doorgeven", "?"):
        answer = divide(client, ticked=[task], handeling=handeling, collega="", naar="x")
        assert answer.status_code == 400
        assert "Kies wie de taken krijgt" in answer.text
        assert f'name="taak-{task}" value="1" checked' in answer.text
    wrong = divide(client, ticked=[task], handeling="doorgeven", naar=str(world.local_team))
    assert wrong.status_code == 409
    assert "Kies een team van Veilig Thuis" in wrong.text
    assert who_has(db, task) == (None, world.team)
    assert audit.of_object(db, task) == []


def test_ids_of_another_region_change_nothing(
    client: Any, db: Db, new_world: Callable[[], Any], sign_in: Sign
) -> None:
    ours, theirs = new_world(), new_world()
    now = datetime.now(UTC)
    own, hidden = ours.task("assess", uuid7(), now, 0, ours.team), theirs.task("assess", uuid7(), now, 0, theirs.team)
    stranger = add_staff(db, theirs.region, "daar", "Daar", "assessor", PASSWORD)
    colleague(ours, "teun", "team_lead")
    sign_in("teun")
    answer = divide(client, ticked=[hidden, uuid7()], handeling="nemen")
    assert "verdeeld=0-2" in answer.headers["location"], "hidden and missing look the same"
    assert divide(client, ticked=[own], handeling="geven", collega=str(stranger)).status_code == 409
    assert divide(client, ticked=[own], handeling="doorgeven", naar=str(theirs.team)).status_code == 409
    assert divide(client, neem=str(hidden)).status_code == 303
    assert who_has(db, own) == (None, ours.team)
    assert who_has(db, hidden) == (None, theirs.team)
    assert audit.of_object(db, hidden) == []
    assert "Daar" not in client.get("/wachtrij").text


@pytest.mark.parametrize("back", ["na=x", "team=1", "soort=alles", "&".join(f"a{n}=1" for n in range(30))])
def test_a_made_up_way_back_is_a_wrong_request(client: Any, world: Any, sign_in: Sign, back: str) -> None:
    task = world.task("assess", uuid7(), datetime.now(UTC), 0, world.team)
    sign_in(world.staff("assessor"))
    answer = divide(client, ticked=[task], handeling="nemen", terug=back)
    assert answer.status_code in (303, 400)
    if answer.status_code == 303:
        assert client.get(answer.headers["location"]).status_code == 400


def test_the_way_back_leads_to_the_queue_only(client: Any, world: Any, sign_in: Sign) -> None:
    task = world.task("assess", uuid7(), datetime.now(UTC), 0, world.team)
    sign_in(world.staff("assessor"))
    elsewhere = "//elders.example/?risico=0&next=//elders.example"
    answer = divide(client, ticked=[task], handeling="nemen", terug=elsewhere)
    assert answer.headers["location"] == "/wachtrij?verdeeld=1-0"


# ── what a row says, and whose queue it is ──────────────────────────────────────────────────────────────────


def test_a_row_shows_both_clocks_and_the_last_look(client: Any, db: Db, world: Any, sign_in: Sign) -> None:
    now = datetime.now(AMSTERDAM)  # so that days are days of the calendar, also over a change of the clock
    household, case = world.household(now - timedelta(days=20))
    report = world.report(now - timedelta(days=20), household=household, case=case)
    db.execute("UPDATE task SET team_since = %s", (now - timedelta(days=4),))
    sign_in(world.staff("assessor"))
    page = client.get("/wachtrij").text
    assert ">20 dagen</span>" in page
    assert ">4 dagen bij dit team</span>" in page
    assert "Veilig Thuis, Team Noord" in page
    assert "Risico bekeken: nog nooit" in page
    tasks.look_at_risk(db, report, 1, reason="Gebeld.", by="bram", at=now - timedelta(days=3))
    page = client.get("/wachtrij").text
    assert "3 dagen geleden</span>" in page
    assert "nog nooit" not in page


def test_what_the_clock_marked_shows_and_can_be_filtered(client: Any, db: Db, world: Any, sign_in: Sign) -> None:
    now = datetime.now(UTC)
    world.task("assess", uuid7(), now - timedelta(days=1), 0, world.team)
    world.task("feedback", uuid7(), now + timedelta(hours=1), 0, world.team)
    world.task("notify", uuid7(), now + timedelta(days=60), 0, world.team)
    reminders.round(db, now)
    sign_in(world.staff("assessor"))
    page = client.get("/wachtrij").text
    assert "</svg>Opgeschaald</span>" in page
    assert "</svg>Herinnerd</span>" in page
    assert "<b>1</b> opgeschaald" in page
    assert "1 taak past bij dit filter" in client.get("/wachtrij?klok=opgeschaald").text
    reminded = client.get("/wachtrij?klok=herinnerd").text
    assert "1 taak past bij dit filter" in reminded
    assert "1 te late taak valt buiten dit filter" in reminded
    assert "1 taak past bij dit filter" in client.get("/wachtrij?morgen=1").text
    assert client.get("/wachtrij?klok=gestolen").status_code == 400
    assert client.get("/wachtrij?wie=iemand").status_code == 400


def test_who_works_in_a_team_sees_it_first_and_nothing_late_elsewhere_is_hidden(
    client: Any, world: Any, sign_in: Sign, zuid: UUID
) -> None:
    now = datetime.now(UTC)
    own, of_none, other = (
        world.task("assess", uuid7(), now - timedelta(days=1), 0, team) for team in (zuid, None, world.team)
    )
    colleague(world, "bram", team=zuid)
    sign_in("bram")

    def shown(address: str) -> set[UUID]:
        page = client.get(address).text
        return {task for task in (own, of_none, other) if f"taak-{task}" in page}

    page = client.get("/wachtrij").text
    assert shown("/wachtrij") == {own, of_none}
    assert "1 te late taak valt buiten dit filter" in page
    assert 'href="/wachtrij?team=alle&amp;telaat=1"' in page
    assert f'<option value="{zuid}" selected>' in page
    assert shown("/wachtrij?team=alle") == {own, of_none, other}
    assert shown(f"/wachtrij?team={world.team}") == {of_none, other}
    assert shown("/wachtrij?team=geen") == {of_none}
    assert "buiten dit filter" not in client.get("/wachtrij?team=alle&telaat=1").text


def test_an_idle_team_is_told_of_the_others(client: Any, world: Any, sign_in: Sign, zuid: UUID) -> None:
    world.task("assess", uuid7(), datetime.now(UTC) + timedelta(days=9), 0, world.team)
    colleague(world, "bram", team=zuid)
    sign_in("bram")
    page = client.get("/wachtrij").text
    assert "Uw team is klaar" in page
    assert "Alles is gedaan" not in page
