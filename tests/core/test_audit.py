"""The audit trail: chained, append-only, and its verifier finds what a superuser does to it."""

from __future__ import annotations

import threading

import psycopg
import pytest

from core import audit
from core.database import Db, connection_options
from core.ids import uuid7

REGION = uuid7()


@pytest.fixture
def trail(db: Db) -> Db:
    """Five rows of one region on one connection, so in one strand."""
    for number in range(5):
        audit.append(db, REGION, "staff:ilse", "report.view", "report", uuid7(), {"number": number, "naam": "é"})
    return db


def disarmed(db: Db, statement: str) -> None:
    """What only a superuser can do: switch the guard off, change something, switch it on again."""
    db.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    db.execute(statement)  # type: ignore[call-overload]
    db.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def found(db: Db) -> list[tuple[int, str]]:
    return [(breach.number, breach.what) for breach in audit.breaches(db)]


def test_an_untouched_trail_verifies(trail: Db) -> None:
    assert found(trail) == []
    count = trail.execute("SELECT count(*) AS n FROM audit_entry").fetchone()
    assert count == {"n": 5}


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
def test_rows_cannot_be_changed_or_removed(trail: Db, statement: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        trail.execute(statement)  # type: ignore[call-overload]
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        trail.execute("TRUNCATE audit_entry")


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE audit_entry SET actor = 'staff:somebody' WHERE number = 3", [(3, "changed")]),
        ("UPDATE audit_entry SET details = '{}' WHERE number = 2", [(2, "changed")]),
        ("UPDATE audit_entry SET at = at + interval '1 us' WHERE number = 4", [(4, "changed")]),
        ("DELETE FROM audit_entry WHERE number = 2", [(2, "missing")]),
        ("DELETE FROM audit_entry WHERE number > 3", [(5, "tail cut off")]),
        ("DELETE FROM audit_entry", [(5, "tail cut off")]),
        ("DELETE FROM audit_head", [(0, "head missing")]),
    ],
)
def test_the_verifier_finds_what_a_superuser_did(trail: Db, statement: str, what: list[tuple[int, str]]) -> None:
    disarmed(trail, statement)
    assert found(trail) == what


def test_a_rolled_back_change_leaves_no_gap(trail: Db) -> None:
    with trail.transaction(force_rollback=True):
        audit.append(trail, REGION, "staff:ilse", "report.view", "report")
    audit.append(trail, REGION, "staff:ilse", "report.view", "report")
    assert found(trail) == []


def test_many_connections_append_at_once_without_a_fork(database_url: str, db: Db) -> None:
    def write() -> None:
        with psycopg.connect(database_url, **connection_options()) as own:
            for _ in range(20):
                audit.append(own, REGION, "system", "report.link", "report", uuid7())

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found(db) == []
    assert db.execute("SELECT count(*) AS n FROM audit_entry").fetchone() == {"n": 160}


def test_the_rows_about_one_object_come_in_order(db: Db) -> None:
    thing = uuid7()
    for action in ("report.receive", "report.link", "report.view"):
        audit.append(db, REGION, "system", action, "report", thing)
    assert [row["action"] for row in audit.of_object(db, thing)] == ["report.receive", "report.link", "report.view"]
