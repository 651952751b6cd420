"""The deadline queue: risk first, then what is due first; pages without gaps; nothing late out of sight."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.database import Db
from core.ids import uuid7
from radar.casework import queue
from radar.casework.queue import Filter, QueueItem
from web import wording
from web.pages.queue import _position, _token

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


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        (f"/meldingen/{family['third']}", "Veiligheidsbeoordeling"),
        (f"/koppelvoorstellen/{family['proposed']}", "Koppeling nakijken"),
        (f"/meldingen/{family['second']}#besluit", "Besluit opnieuw bekijken"),
        (f"/quarantaine/{family['quarantine']}", "Onleesbaar bericht"),
        (f"/taken/{family['job']}", "Vastgelopen verwerking"),
    ):
        assert f'<a href="{address}">{text}</a>' in page
        assert client.get(address.split("#")[0]).status_code == 200
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
        seen += [part.split('"')[0] for part in page.split('href="/meldingen/')[1:]]
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
