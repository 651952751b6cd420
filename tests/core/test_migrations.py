"""Migrations: safe to repeat, and the ledger's and the message's guards are in the database itself."""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
import pytest

from core import migrations
from core.database import Db
from core.ids import uuid7


def test_a_second_upgrade_changes_nothing(database_url: str, db: Db) -> None:
    assert migrations.current(db) == migrations.newest()
    migrations.upgrade(database_url)
    assert migrations.current(db) == migrations.newest()


def test_a_deadline_moves_by_a_ledger_entry_only(db: Db) -> None:
    deadline, moment = uuid7(), datetime(2026, 3, 9, 23, tzinfo=UTC)
    values = (deadline, uuid7(), uuid7(), date(2026, 3, 9), date(2026, 3, 9), moment)
    db.execute("INSERT INTO deadline VALUES (%s, %s, 'safety_assessment', %s, %s, %s, %s)", values)
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="ledger entry"):
        db.execute("UPDATE deadline SET norm_due_on = '2026-03-10' WHERE id = %s", (deadline,))
    with db.transaction():
        db.execute(
            "INSERT INTO deadline_entry VALUES (%s, 1, now(), 'staff:teun', 'hersteld', '2026-03-10', '2026-03-09',"
            " %s, '[]')",
            (deadline, moment),
        )
        db.execute("UPDATE deadline SET norm_due_on = '2026-03-10' WHERE id = %s", (deadline,))
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        db.execute("DELETE FROM deadline_entry")
