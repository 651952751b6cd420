"""Migrations: safe to repeat, and the ledger's and the message's guards are in the database itself."""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine

from core import migrations
from core.database import Db
from core.ids import uuid7
from workers.engines import EmbeddedPostgres


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


def upgrade_to(url: str, revision: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(migrations.FOLDER))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def test_reports_from_before_casework_get_state_history_and_task(
    postgres: EmbeddedPostgres,
) -> None:
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE before_casework OWNER veilig")
    url = postgres.url_of("veilig", "before_casework")
    upgrade_to(url, "0006")
    decided = (None, "acute", "local_team", "conditions", "investigation", "no_steps", "not_hgkm", "import")
    with psycopg.connect(url, autocommit=True) as db:
        region, sender, team = uuid7(), uuid7(), uuid7()
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'R', '00000099000000002000')", (region,))
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from)"
            " VALUES (%s, %s, 'T', 'veilig_thuis', '2020-01-01')",
            (team, region),
        )
        db.execute(
            "INSERT INTO sender (id, region_id, oin, name, kind)"
            " VALUES (%s, %s, '00000099000000001000', 'P', 'politie')",
            (sender, region),
        )
        for number, path in enumerate(decided):
            message, report = uuid7(), uuid7()
            imported, done = path == "import", path not in (None, "import")
            db.execute(
                "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome,"
                " answer_status, answer_type, answer)"
                " VALUES (%s, %s, %s, %s, now(), %s, sha256(%s), 'report', 200, 'x', '')",
                (message, region, sender, "import" if imported else "corv", message.bytes, message.bytes),
            )
            db.execute(
                "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter,"
                " received_at, content, remarks, acute_signals, acute_rules)"
                " VALUES (%s, %s, %s, %s, 'politie', %s, now(), '{}', '[]', '[]', 'x')",
                (report, region, message, sender, str(number)),
            )
            if not imported:
                db.execute(
                    "INSERT INTO task (id, region_id, team_id, kind, subject_id, due_at, done_at, done_by)"
                    " VALUES (%s, %s, %s, 'assess', %s, now(), %s, %s)",
                    (uuid7(), region, team, report, "2026-01-01" if done else None, "bram" if done else None),
                )
            if done:
                db.execute(
                    "INSERT INTO route (id, region_id, report_id, state, path, reason, proposed_at, decided_at,"
                    " decided_by)"
                    " VALUES (%s, %s, %s, 'decided', %s, 'x', now(), now(), 'bram')",
                    (uuid7(), region, report, path),
                )
    migrations.upgrade(url)
    with psycopg.connect(url) as db:
        found = db.execute(
            "SELECT state, (SELECT count(*) FROM report_step s WHERE s.report_id = r.id),"
            " (SELECT kind FROM task t WHERE t.report_id = r.id AND done_at IS NULL),"
            " (SELECT kind FROM service v WHERE v.report_id = r.id) FROM report r ORDER BY reference_of_reporter"
        ).fetchall()
    assert found == [
        ("assessing", 1, "assess", None),
        ("conditions", 1, "service", "conditions"),
        ("handover", 1, "handover", None),
        ("conditions", 1, "service", "conditions"),
        ("investigation", 1, "service", "investigation"),
        ("closed", 1, None, None),
        ("forwarded", 1, None, None),
        ("imported", 0, None, None),
    ]
