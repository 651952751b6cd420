"""What the radar family, on the screens: on the case with its reasons, in the queue as a mark and a filter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.database import Db
from core.ids import uuid7
from radar import signals
from radar.casework import queue
from radar.casework.queue import Filter

ALL = tuple(queue.KINDS)
Sign = Callable[[str], Any]


def part(page: str, heading: str) -> str:
    """The section with this id of its heading."""
    return page.split(f'aria-labelledby="{heading}"')[1].split("</section>")[0]


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_case_tells_what_fired_why_when_and_on_which_reports(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    sign_in(world.staff("intake_worker"))
    page = client.get(f"/casussen/{family['case']}").text
    shown = part(page, "signalen")
    text = words(shown)
    for said in (
        "Voor het eerst komt een melding van de politie. Eerder kwamen meldingen alleen van het onderwijs.",
        "Dit is melding 3 over dit huishouden in 12 maanden.",
        "Dit is melding 4 over dit huishouden in 12 maanden.",
        "Deze melding noemt iets zwaarders dan alle eerdere: De politie vulde SASH in: niveau hoog (belaging);"
        " Poging tot verwurging. Dit zijn woorden uit de tekst: lees of ze kloppen.",
        "Radarregels van versie 2026-11-basis.",
    ):
        assert said in text, said
    assert {f"/meldingen/{family[name]}" for name in ("first", "second", "third", "supplement")} <= set(
        re.findall(r'href="([^"]+)"', shown)
    )
    assert "Signalen 4" in text
    for name in ("Maria", "Test Voorbeeld", "Jan Proef", "999993653"):
        assert name not in text


def test_the_report_tells_its_own_signals_and_where_they_rest_on(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    sign_in(world.staff("intake_worker"))
    shown = part(client.get(f"/meldingen/{family['second']}").text, "radar")
    assert "Voor het eerst komt een melding van de politie." in words(shown)
    assert "melding 3" not in words(shown), "that is the next report"
    assert f'href="/casussen/{family["case"]}#signalen"' in shown
    assert "Wat de radar ziet" not in client.get(f"/meldingen/{family['first']}").text


def test_the_time_line_rings_what_fired_and_its_table_says_it_in_words(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    sign_in(world.staff("assessor"))
    line = part(client.get(f"/casussen/{family['case']}").text, "tijdlijn")
    assert line.count('class="ring"') == 3
    assert "ring eromheen: signaal" in line
    rows = [words(row) for row in line.split("<tr>")[2:]]
    assert [
        next(kind for kind in ("Eerste melding", "Vervolgmelding", "Niet ingedeeld") if kind in row) for row in rows
    ] == ["Vervolgmelding", "Vervolgmelding", "Vervolgmelding", "Eerste melding"]
    assert "Signaal: Zwaarder dan eerder, Drie of meer meldingen in een jaar" in rows[1]
    assert "Signaal" not in rows[3]


def test_a_withdrawn_signal_stays_readable_with_its_reason(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign, db: Db
) -> None:
    _, case = world.household(datetime.now(UTC))
    other = db.execute("SELECT household_id FROM cases WHERE id = %s", (case,)).fetchone()
    assert other is not None
    with db.transaction():
        db.execute(
            "UPDATE report SET household_id = %s, case_id = %s WHERE id = %s",
            (other["household_id"], case, family["second"]),
        )
        signals.refresh(db, family["second"], [family["household"]], "bram", datetime.now(UTC))
    sign_in(world.staff("assessor"))
    text = words(part(client.get(f"/casussen/{family['case']}").text, "signalen"))
    assert "ingetrokken signalen" in text
    assert "door bram Een koppeling is gecorrigeerd: de melding hoort nu bij een ander huishouden." in text
    assert "De radar ziet geen signalen" in client.get(f"/casussen/{case}").text


def test_a_case_without_signals_says_so_and_an_uncounted_report_too(client: Any, world: Any, sign_in: Sign) -> None:
    household, case = world.household(datetime.now(UTC))
    report = world.report(datetime.now(UTC), household=household, case=case)
    sign_in(world.staff("assessor"))
    page = client.get(f"/casussen/{case}").text
    assert "De radar ziet geen signalen bij dit huishouden." in page
    assert page.count("nog niet bepaald") == 1
    assert "Wat de radar ziet" not in client.get(f"/meldingen/{report}").text
    assert 'class="ring"' not in page


def test_another_region_s_signal_shows_its_name_and_nothing_else(
    client: Any, world: Any, new_world: Callable[[], Any], sign_in: Sign, db: Db
) -> None:
    there = new_world()
    now = datetime.now(UTC)
    home, case = world.household(now)
    report = world.report(now, household=home, case=case)
    theirs, their_case = there.household(now - timedelta(days=9))
    secret = there.report(now - timedelta(days=9), household=theirs, case=their_case, kind="zorg")
    db.execute(
        "INSERT INTO involvement (report_id, region_id, kind, known_persons, elsewhere, rule_set, settled_at)"
        " VALUES (%s, %s, 'first', 0, %s, 'x', now())",
        (report, world.region, [there.region]),
    )
    with db.transaction():
        signals.recount(db, [home], "system", now)
    sign_in(world.staff("assessor"))
    page = client.get(f"/casussen/{case}").text
    assert (
        f"ook bekend in een andere regio: Voorbeeldregio {there.number}. Wat daar bekend is, staat hier niet." in page
    )
    for hidden in (secret, theirs, their_case, there.region):
        assert str(hidden) not in page
    assert client.get(f"/meldingen/{secret}").status_code == 404


# ── the queue ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_queue_marks_in_words_and_filters(
    client: Any, world: Any, family: dict[str, UUID], sign_in: Sign
) -> None:
    plain = world.report(datetime.now(UTC))
    sign_in(world.staff("assessor"))
    page = client.get("/wachtrij").text
    row = next(row for row in page.split("<tr") if f'/meldingen/{family["third"]}/beoordeling"' in row)
    assert '<span class="hidden">Signaal: </span>Drie of meer meldingen in een jaar' in row
    assert '<span class="hidden">Signaal: </span>Zwaarder dan eerder' in row
    assert f"/meldingen/{plain}/beoordeling" in page

    filtered = client.get("/wachtrij?signaal=1").text
    assert set(re.findall(r'href="/meldingen/([0-9a-f-]{36})/beoordeling"', filtered)) == {
        str(family["third"]),
        str(family["supplement"]),
    }
    assert "2 taken passen bij dit filter." in filtered
    assert 'name="signaal" value="1" checked' in filtered


def test_more_than_two_signals_are_counted(db: Db, client: Any, world: Any, sign_in: Sign) -> None:
    home, case = world.household(datetime.now(UTC))
    report = world.report(datetime.now(UTC), household=home, case=case)
    for number in range(4):
        signal(db, world.region, home, report, f"regel_{'abcd'[number]}")
    sign_in(world.staff("assessor"))
    page = client.get("/wachtrij").text
    assert page.count('<span class="hidden">Signaal: </span>') == 2
    assert "en nog 2 signalen" in page


def test_the_filter_is_the_plain_choice_and_goes_on_over_pages(db: Db, world: Any) -> None:
    now = datetime.now(UTC)
    home, case = world.household(now)
    marked = set()
    for number in range(14):
        report = world.report(now + timedelta(minutes=number), household=home, case=case, risk=number % 3)
        if number % 2:
            signal(db, world.region, home, report, "regel", withdrawn=number == 13)
            marked |= {report} if number != 13 else set()
    chosen, found = Filter(ALL, signal=True), []
    while page := queue.items(db, world.region, chosen, now, found[-1].position if found else None, 2):
        found += page
    assert {item.subject_id for item in found} == marked
    assert len(found) == len(marked) == 6
    assert [item.position.risk for item in found] == sorted((item.risk for item in found), reverse=True)
    assert queue.counts(db, world.region, ALL, chosen, now).matching == 6
    assert queue.counts(db, world.region, ALL, Filter(ALL), now).matching == 14


def signal(db: Db, region: UUID, home: UUID, report: UUID, rule: str, *, withdrawn: bool = False) -> None:
    db.execute(
        "INSERT INTO signal (id, region_id, household_id, report_id, rule, title, rule_set, fired_on, explanation,"
        " evidence, noted_at) VALUES (%s, %s, %s, %s, %s, %s, 'x', current_date, 'Omdat.', %s, now())",
        (uuid7(), region, home, report, rule, f"Titel {rule}", [report]),
    )
    if withdrawn:
        db.execute(
            "UPDATE signal SET withdrawn_at = now(), withdrawn_by = 'bram', withdrawn_why = 'x' WHERE report_id = %s",
            (report,),
        )
