"""Files of a report: sealed, scanned by a job, given out only as they may be, and destroyed with their report."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.sealing import Destroyed, key_of
from core.settings import settings
from intake import attachments
from tests.intake.clamd import EICAR, clamd
from tests.web.conftest import World
from workers import verify, work

AT = datetime(2026, 3, 4, 9, tzinfo=UTC)
PDF = b"%PDF-1.7 Kanarie staat in deze bijlage."


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    return world.report(AT)


def store(db: Db, world: World, report: UUID, content: bytes = PDF, name: str = "verslag.pdf") -> UUID:
    with db.transaction():
        return attachments.store(db, world.region, report, name, content, by="teun", at=AT)[0]


def jobs(db: Db) -> None:
    while row := db.execute(
        "SELECT id FROM job WHERE kind = 'scan_attachment' AND state = 'new' AND due_at <= now() LIMIT 1"
    ).fetchone():
        work.carry_out(row["id"])


def scanner_at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("VEILIG_SCANNER", address)
    settings.cache_clear()


def test_a_file_is_sealed_with_its_name(db: Db, world: World, report: UUID) -> None:
    stored = store(db, world, report)
    row = db.execute("SELECT name, content, kind, size FROM attachment").fetchone()
    assert row is not None
    assert b"Kanarie" not in bytes(row["content"])
    assert b"verslag" not in bytes(row["name"])
    assert (row["kind"], row["size"]) == ("pdf", len(PDF))
    assert attachments.content(db, world.region, report, stored, unscanned=True) == PDF


def test_the_same_file_twice_is_once_and_gives_the_same_number(db: Db, world: World, report: UUID) -> None:
    first = attachments.store(db, world.region, report, "a.pdf", PDF, by="teun", at=AT)
    again = attachments.store(db, world.region, report, "b.pdf", PDF, by="teun", at=AT)
    assert (again[0], first[1], again[1]) == (first[0], False, True)
    assert len(db.execute("SELECT FROM attachment").fetchall()) == 1
    assert len(db.execute("SELECT FROM data_key WHERE id = %s", (first[0],)).fetchall()) == 1


def test_the_scanner_finds_the_test_virus_and_nobody_gets_it(
    db: Db, world: World, report: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = store(db, world, report), store(db, world, report, EICAR, "eicar.txt")
    with clamd() as (address, seen):
        scanner_at(monkeypatch, address)
        jobs(db)
        assert sorted(seen) == sorted([PDF, EICAR])
    rows = {row["id"]: row for row in attachments.of_report(db, world.region, report)}
    assert (rows[good]["state"], rows[bad]["state"], rows[bad]["found"]) == (
        "clean",
        "refused",
        "Eicar-Test-Signature",
    )
    assert attachments.content(db, world.region, report, good) == PDF
    for unscanned in (False, True):
        with pytest.raises(Conflict):
            attachments.content(db, world.region, report, bad, unscanned=unscanned)


def test_without_a_scanner_it_waits_and_needs_an_explicit_yes(db: Db, world: World, report: UUID) -> None:
    stored = store(db, world, report)
    jobs(db)
    assert attachments.find(db, world.region, report, stored)["state"] == "waiting"
    with pytest.raises(Conflict):
        attachments.content(db, world.region, report, stored)


def test_what_waited_is_scanned_when_a_scanner_comes(
    db: Db, world: World, report: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = store(db, world, report)
    jobs(db)
    with clamd() as (address, _):
        scanner_at(monkeypatch, address)
        assert attachments.scan_again(db, world.region, report) == 1
        jobs(db)
    assert attachments.find(db, world.region, report, stored)["state"] == "clean"
    assert attachments.scan_again(db, world.region, report) == 0


def test_a_scanner_that_is_away_is_asked_again_and_then_a_person_hears_of_it(
    db: Db, world: World, report: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clamd() as (address, _):
        scanner_at(monkeypatch, address)
    stored = store(db, world, report)
    for _ in range(5):
        jobs(db)
        db.execute("UPDATE job SET due_at = now() WHERE kind = 'scan_attachment'")
    assert attachments.find(db, world.region, report, stored)["state"] == "waiting"
    row = db.execute("SELECT error FROM job WHERE kind = 'scan_attachment' AND state = 'dead'").fetchone()
    assert row == {"error": "ScannerAway"}


def test_a_file_of_another_report_or_region_is_missing(db: Db, world: World, report: UUID) -> None:
    stored, other = store(db, world, report), world.report(AT)
    for region, where in ((world.region, other), (uuid7(), report)):
        with pytest.raises(NotFound):
            attachments.find(db, region, where, stored)
        with pytest.raises(NotFound):
            attachments.content(db, region, where, stored, unscanned=True)


def test_what_was_stored_never_changes(db: Db, world: World, report: UUID) -> None:
    store(db, world, report)
    for change in ("content = 'x'", "name = 'x'", "added_by = 'x'", "report_id = gen_random_uuid()", "size = 1"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            db.execute(f"UPDATE attachment SET {change}")  # type: ignore[arg-type]


def test_a_file_goes_with_its_report(db: Db, world: World, report: UUID) -> None:
    stored = store(db, world, report)
    db.execute("UPDATE report SET destroyed_at = now() WHERE id = %s", (report,))
    row = db.execute("SELECT name, content, destroyed_at FROM attachment").fetchone()
    assert row is not None
    assert (bytes(row["name"]), bytes(row["content"])) == (b"", b"")
    with pytest.raises(NotFound):
        attachments.content(db, world.region, report, stored, unscanned=True)
    with pytest.raises(Destroyed):
        key_of(db, stored)
    assert [one["name"] for one in attachments.of_report(db, world.region, report)] == ["vernietigd"]
    with pytest.raises(NotFound):
        store(db, world, report, b"%PDF-nieuw")


@pytest.mark.parametrize("number", range(2))
def test_the_limits_of_a_report_hold(
    db: Db, world: World, report: UUID, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    name, value = (("ATTACHMENTS_PER_REPORT", "1"), ("ATTACHMENTS_TOTAL_BYTES", "1024"))[number]
    monkeypatch.setenv(f"VEILIG_{name}", value)
    settings.cache_clear()
    store(db, world, report)
    with pytest.raises(attachments.NotTaken):
        store(db, world, report, PDF + b"x" * 1000)


def test_the_rules_that_always_hold_look_at_files_too(db: Db, world: World, report: UUID) -> None:
    store(db, world, report)
    text = "each file of a report is sealed with a key that is there, and goes with its report"
    assert [(one.checked, one.breaches) for one in verify.verify(db) if one.text == text] == [(1, 0)]
    db.execute("UPDATE data_key SET wrapped = NULL, destroyed_at = now()")
    assert [(one.checked, one.breaches) for one in verify.verify(db) if one.text == text] == [(1, 1)]
