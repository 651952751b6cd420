"""The audit trail: chained, append-only, and its verifier finds what a superuser does to it."""

from __future__ import annotations

import ast
import re
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from core import audit
from core.database import Db, Role, Row, connection_options, present, transaction
from core.events import events
from core.ids import uuid7
from core.secrets import new_token, token_hash

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
    db.execute(statement)
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
        trail.execute(statement)
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


# ── what a line says by itself (migration 0009) ─────────────────────────────────────────────────────────────


@pytest.fixture
def ilse(db: Db) -> tuple[UUID, UUID, str]:
    """A colleague with a live session: her region, her id and the token of the session."""
    region, staff, token = uuid7(), uuid7(), new_token()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeld', '00000099000000200001')", (region,))
    db.execute(
        "INSERT INTO staff (id, region_id, username, name, role, password_hash)"
        " VALUES (%s, %s, 'ilse', 'Ilse Intake', 'intake_worker', 'x')",
        (staff, region),
    )
    db.execute(
        "INSERT INTO staff_session (token_hash, staff_id, how, idle_until, ends_at)"
        " VALUES (%s, %s, 'password', now() + interval '1 hour', now() + interval '1 hour')",
        (token_hash(token), staff),
    )
    return region, staff, token


def only_line(db: Db) -> Row:
    (row,) = db.execute("SELECT * FROM audit_entry").fetchall()
    return row


def test_a_line_says_who_acted_in_which_role_why_and_from_where(db: Db, ilse: tuple[UUID, UUID, str]) -> None:
    region, staff, token = ilse
    someone = uuid7()
    with db.transaction():
        present(db, f"staff:{token}", purpose="care", origin="192.0.2.7", request="ab" * 16)
        audit.append(db, region, "ilse", "review.list", "queue", details={"rows": 1}, persons=[someone])
    row = only_line(db)
    said = [row[name] for name in ("staff_id", "role", "purpose", "origin", "request", "event", "persons", "line")]
    assert said == [staff, "intake_worker", "care", "192.0.2.7", "ab" * 16, "R", [someone], 2]
    assert found(db) == []


def test_who_acts_cannot_be_told_by_the_code_that_writes(db: Db, ilse: tuple[UUID, UUID, str]) -> None:
    region, staff, token = ilse
    with db.transaction():
        present(db, f"staff:{token}")
        audit.append(db, region, "bram", "report.view", "report", uuid7())
    assert (only_line(db)["actor"], only_line(db)["staff_id"]) == ("bram", staff)


def test_a_session_that_ended_names_nobody(db: Db, ilse: tuple[UUID, UUID, str]) -> None:
    region, _, token = ilse
    db.execute("UPDATE staff_session SET ended_at = now()")
    with db.transaction():
        present(db, f"staff:{token}")
        audit.append(db, region, "ilse", "report.view", "report", uuid7())
    assert (only_line(db)["staff_id"], only_line(db)["role"]) == (None, None)


LATER = ("event", "staff_id", "role", "purpose", "origin", "request", "report_id", "case_id", "persons", "software")


@pytest.mark.parametrize("column", LATER)
def test_the_hash_covers_every_column(db: Db, ilse: tuple[UUID, UUID, str], column: str) -> None:
    audit.append(db, ilse[0], "system", "report.view", "report", uuid7())
    other = {"persons": "ARRAY[gen_random_uuid()]", "event": "'D'"}.get(column, "gen_random_uuid()")
    disarmed(db, f"UPDATE audit_entry SET {column} = {other}")
    assert found(db) == [(1, "changed")]


def test_lines_of_before_verify_with_the_hash_of_before(db: Db) -> None:
    """A line as migration 0001 wrote it, put in by hand, and a new one after it in the same strand."""
    strand = db.execute("SELECT pg_backend_pid() % 16 AS n").fetchone()
    assert strand is not None
    db.execute(
        "WITH line AS (SELECT now() AS at, sha256('\\x'::bytea || convert_to(concat_ws(chr(31), %(region)s::uuid,"
        " %(strand)s::smallint, 1, (extract(epoch FROM now()) * 1000000)::bigint, 'ilse', 'report.view', 'report',"
        " '-', 'ok', '{}'::jsonb), 'UTF8')) AS hash), entry AS ("
        " INSERT INTO audit_entry (region_id, chain, number, at, actor, action, object_kind, outcome, details, hash)"
        " SELECT %(region)s, %(strand)s, 1, at, 'ilse', 'report.view', 'report', 'ok', '{}', hash FROM line)"
        " INSERT INTO audit_head SELECT %(region)s, %(strand)s, 1, hash FROM line",
        {"region": REGION, "strand": strand["n"]},
    )
    audit.append(db, REGION, "ilse", "report.view", "report")
    assert found(db) == []
    rows = db.execute("SELECT line FROM audit_entry ORDER BY number").fetchall()
    assert [row["line"] for row in rows] == [1, 2]
    disarmed(db, "UPDATE audit_entry SET staff_id = gen_random_uuid() WHERE line = 1")
    assert found(db) == [(1, "changed")]


@pytest.mark.parametrize("role", ["web", "door", "worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO audit_entry SELECT * FROM audit_entry",
        "UPDATE audit_entry SET actor = 'x'",
        "DELETE FROM audit_entry",
        "UPDATE audit_head SET number = 0",
        "DELETE FROM audit_head",
        "UPDATE audit_action SET event = 'E'",
    ],
)
def test_no_role_of_the_product_touches_the_trail_itself(trail: Db, role: Role, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction(role) as db:
        db.execute(statement)
    with transaction(role) as db:
        audit.append(db, REGION, "system", "report.view", "report")
    assert found(trail) == []


def test_every_action_in_the_code_has_its_kind_of_event() -> None:
    known = set(events())
    unknown = {action for action in _actions_in_code() if action not in known}
    assert unknown == set()


def test_the_database_knows_the_same_codes_as_the_file(db: Db) -> None:
    rows = db.execute("SELECT action, event FROM audit_action").fetchall()
    assert {row["action"]: row["event"] for row in rows} == {name: one.code for name, one in events().items()}


def _actions_in_code() -> Iterator[str]:
    """Each literal that is written as an action, and each right: a refusal is named after it."""
    root = Path(__file__).parents[2]
    yield from tomllib.loads((root / "web/access/matrix.toml").read_text("utf-8"))["actions"]
    for path in root.glob("migrations/versions/*.sql"):
        yield from re.findall(r"audit_append\([^;]*?'([a-z_]+\.[a-z_.]+)'", path.read_text("utf-8"))
    for floor in ("core", "intake", "radar", "workers", "web"):
        for path in (root / floor).rglob("*.py"):
            text = path.read_text("utf-8")
            yield from re.findall(r"audit_append\([^)]*?'([a-z_]+\.[a-z_.]+)'", text)
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield from _action_of(node, node.func)


def _action_of(call: ast.Call, function: ast.Attribute) -> Iterator[str]:
    """The literals among the arguments of audit.append and Visit.note that look like an action."""
    writes = function.attr == "note" or (
        function.attr == "append" and ast.unparse(function.value) in ("audit", "trail")
    )
    for argument in call.args if writes else ():
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(r"^[a-z_]+\.[a-z_.]+[a-z]$", node.value)
