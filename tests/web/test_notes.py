"""Notes on a report and what a colleague hears of: told to the right one, once, and only to him."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.ids import uuid7
from intake import attachments
from radar.casework import notes, notifications, tasks
from tests.web.conftest import OURS, World, session_of

AT = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


def field_of(html: str, name: str) -> str:
    return html.split(f'name="{name}" value="')[1].split('"')[0]


def staff_id(world: World, username: str) -> UUID:
    row = world.db.execute("SELECT id FROM staff WHERE username = %s", (username,)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def test_a_note_stays_as_it_is_written(world: World) -> None:
    report = world.report(AT)
    notes.write(world.db, report, " Moeder belt morgen terug. ", for_staff=None, by="ilse", at=AT)
    (row,) = notes.of_report(world.db, report)
    assert (row["text"], row["author"], row["colleague"]) == ("Moeder belt morgen terug.", "ilse", None)
    for change in ("UPDATE note SET text = 'x'", "DELETE FROM note"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            world.db.execute(change)
    audit = world.db.execute("SELECT actor FROM audit_entry WHERE action = 'note.write'").fetchone()
    assert audit == {"actor": "ilse"}


@pytest.mark.parametrize(("text", "error"), [("  ", notes.NoteMissing), ("x" * 5001, notes.NoteTooLong)])
def test_an_empty_or_endless_note_is_refused(world: World, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        notes.write(world.db, world.report(AT), text, for_staff=None, by="ilse", at=AT)
    assert world.db.execute("SELECT count(*) AS n FROM note").fetchone() == {"n": 0}


def test_a_note_is_for_a_colleague_who_works_on_cases_here(new_world: Callable[[], World]) -> None:
    world, other_world = new_world(), new_world()
    report = world.report(AT)
    for username in (world.staff("auditor"), other_world.staff("assessor")):
        with pytest.raises(notes.NoColleague):
            notes.write(world.db, report, "Bel even.", for_staff=staff_id(world, username), by="ilse", at=AT)


def test_who_a_note_is_for_hears_of_it_and_nobody_else(world: World, as_web: Callable[[str], Db]) -> None:
    mine, yours = world.staff("assessor"), world.staff("team_lead")
    report = world.report(AT)
    notes.write(world.db, report, "Bel even.", for_staff=staff_id(world, yours), by=mine, at=AT)
    told = as_web(f"staff:{session_of(world.db, yours)}")
    (row,) = notifications.listing(told, staff_id(world, yours))
    assert (row["kind"], row["report_id"], row["seen_at"]) == ("note", report, None)
    other = as_web(f"staff:{session_of(world.db, mine)}")
    assert other.execute("SELECT count(*) AS n FROM notification").fetchone() == {"n": 0}


def test_work_that_i_am_given_is_told_and_work_that_i_take_is_not(world: World, as_web: Callable[[str], Db]) -> None:
    colleague = world.staff("assessor")
    report = world.report(AT)
    (task,) = world.db.execute("SELECT id FROM task WHERE report_id = %s AND kind = 'assess'", (report,)).fetchall()
    tasks.assign(world.db, world.region, [task["id"]], staff_id(world, colleague), by="teun", at=AT)
    assert notifications.unseen(world.db, staff_id(world, colleague)) == 1
    taker = world.staff("behavioural_scientist")
    taken = as_web(f"staff:{session_of(world.db, taker)}")
    taken.execute("UPDATE task SET staff_id = %s WHERE id = %s", (staff_id(world, taker), task["id"]))
    assert notifications.unseen(world.db, staff_id(world, taker)) == 0


def test_a_file_is_told_to_who_works_on_the_report_or_wrote_its_assessment_or_else_to_a_lead(world: World) -> None:
    def told() -> dict[str, int]:
        rows = world.db.execute(
            "SELECT s.role, count(*) AS n FROM notification n JOIN staff s ON s.id = n.staff_id"
            " WHERE n.kind = 'attachment' GROUP BY s.role"
        )
        return {row["role"]: row["n"] for row in rows}

    def add(name: str) -> None:
        with world.db.transaction():
            file = attachments.checked(f"{name}.txt", f"Brief {name}.".encode())
            attachments.put(world.db, world.region, report, file, by="melder", at=AT)

    report = world.report(AT)
    author, worker, lead = (world.staff(role) for role in ("assessor", "intake_worker", "team_lead"))
    add("een")
    assert told() == {}, "it waits with its report, which nobody has yet"
    world.db.execute("UPDATE task SET staff_id = %s WHERE report_id = %s", (staff_id(world, worker), report))
    add("twee")
    assert told() == {"intake_worker": 1}
    world.db.execute("UPDATE task SET done_at = now(), done_by = %s WHERE report_id = %s", (worker, report))
    add("drie")
    assert told() == {"intake_worker": 1, "team_lead": 1}
    world.db.execute(
        "INSERT INTO assessment (id, region_id, report_id, questionnaire, started_at, started_by, saved_at, saved_by,"
        " submitted_at, submitted_by) VALUES (%s, %s, %s, 'x', %s, %s, %s, %s, %s, %s)",
        (uuid7(), world.region, report, AT, author, AT, author, AT, author),
    )
    add("vier")
    assert told() == {"intake_worker": 1, "team_lead": 1, "assessor": 1}
    assert [row["kind"] for row in notifications.listing(world.db, staff_id(world, lead))] == ["attachment"]


def test_what_came_after_the_page_was_read_stays_new(world: World) -> None:
    colleague = staff_id(world, world.staff("assessor"))
    for hour in (9, 11):
        world.db.execute(
            "INSERT INTO notification (staff_id, kind, subject_id, at, region_id, actor) VALUES (%s, 'task', %s, %s,"
            " %s, 'teun')",
            (colleague, uuid7(), AT.replace(hour=hour), world.region),
        )
    assert notifications.see(world.db, colleague, AT.replace(hour=10)) == 1
    assert notifications.unseen(world.db, colleague) == 1


def test_a_note_is_written_and_read_on_its_page(world: World, sign_in: Callable[..., Any]) -> None:
    report = world.report(AT)
    page = f"/meldingen/{report}/notities"
    visitor = sign_in(world.staff("intake_worker"))
    empty = visitor.get(page)
    assert "Er zijn nog geen notities" in empty.text
    token = field_of(empty.text, "formulier")
    wrong = visitor.post(page, data={"formulier": token, "tekst": " ", "voor": "niemand"}, headers=OURS)
    assert wrong.status_code == 400
    assert "Kies een ander" in wrong.text
    data = {"formulier": token, "tekst": "De school <belt> terug."}
    assert visitor.post(page, data=data, headers=OURS).headers["location"] == page
    assert "De school &lt;belt&gt; terug." in visitor.get(page).text
    assert "1 notitie" in visitor.get(f"/meldingen/{report}").text


def test_what_is_for_me_is_marked_as_seen(world: World, sign_in: Callable[..., Any]) -> None:
    me = world.staff("assessor")
    notes.write(world.db, world.report(AT), "Bel even.", for_staff=staff_id(world, me), by="teun", at=AT)
    visitor = sign_in(me)
    page = visitor.get("/voor-mij").text
    assert "Een notitie voor u" in page
    data = {"formulier": field_of(page, "formulier"), "tot": field_of(page, "tot")}
    visitor.post("/voor-mij", data=data, headers=OURS)
    assert "Alles gezien" not in visitor.get("/voor-mij").text
    assert visitor.post("/voor-mij", data=data | {"tot": "gisteren"}, headers=OURS).status_code == 400
