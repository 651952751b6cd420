"""The second wall: whatever our code asks, PostgreSQL itself gives each session the rows of its region and no more.

The scopes are a file, `web/access/tables.toml`. Each table's policies are compared with those of its scope, and each
scope is tried with the data of two regions: by every role, without a session, and with one that ended.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from core.database import Db
from core.ids import uuid7
from core.staff import ROLES
from tests.web.conftest import World, seed_family, session_of
from web.access import matrix, sessions
from web.access.matrix import FILE

SCOPES: dict[str, str] = tomllib.loads(FILE.with_name("tables.toml").read_text("utf-8"))
WITHOUT = {"heartbeat", "alembic_version"}
"""Tables without a region: which processes live, and which floor plan this is."""
OWN_WAYS = {
    "deadline_entry",
    "restriction",
    "exclusion",
    "log_finding",
    "log_review_day",
    "search",
    "search_alarm",
    "document",
    "document_activation",
    "webhook_event",
}
"""Policies of their own, by who keeps or reviews them (0008, 0009, 0012, 0014): tried below like the others."""
OF_ALL = {"saved_file", "audit_action", "spent_ticket", "sender_refusal", "public_lane", "public_left"}
"""Closed tables without a region: the events of the trail, and tickets that were used."""


@pytest.fixture
def worlds(new_world: Callable[[], World]) -> tuple[World, World]:
    ours, theirs = new_world(), new_world()
    seed_family(ours)
    seed_family(theirs)
    return ours, theirs


def tables(db: Db) -> list[str]:
    rows = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [row["tablename"] for row in rows]


def ids_of(db: Db, table: str) -> set[str]:
    """Each row that this connection sees, as its key; empty when it may not read the table at all."""
    try:
        rows = db.execute(sql.SQL("SELECT ctid::text AS row FROM {}").format(sql.Identifier(table))).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        return set()
    return {row["row"] for row in rows}


def of_region(db: Db, table: str, region: UUID) -> set[str]:
    """The rows of a region, as the owner knows them."""
    where = {
        "region": "id = %s",
        "deadline_entry": "deadline_id IN (SELECT id FROM deadline WHERE region_id = %s)",
        "finding": "service_id IN (SELECT id FROM service WHERE region_id = %s)",
        "staff_session": "staff_id IN (SELECT id FROM staff WHERE region_id = %s)",
        "sender_token": "sender_id IN (SELECT id FROM sender WHERE region_id = %s)",
    }.get(table, "region_id = %s")
    query = sql.SQL(f"SELECT ctid::text AS row FROM {{}} WHERE {where}").format(sql.Identifier(table))
    return {row["row"] for row in db.execute(query, (region,))}


# ── the file is the database ────────────────────────────────────────────────────────────────────────────────────


def test_every_table_has_a_scope_and_row_security(db: Db) -> None:
    assert set(tables(db)) - WITHOUT == set(SCOPES)
    off = db.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND NOT relrowsecurity AND relname <> ALL(%s)",
        (sorted(WITHOUT),),
    ).fetchall()
    assert off == []


def policy(db: Db, table: str) -> tuple[Any, ...]:
    """The rule for the screens on this table, without the table's own name in it."""
    row = db.execute(
        "SELECT pg_get_expr(polqual, polrelid) AS using, pg_get_expr(polwithcheck, polrelid) AS checked"
        " FROM pg_policy WHERE polrelid = %s::regclass AND polname = 'of_visit'",
        (table,),
    ).fetchone()
    return tuple(re.sub(rf"\b{table}\.", "", str(text)) for text in row.values()) if row else ()


@pytest.mark.parametrize("table", sorted(set(SCOPES) - OWN_WAYS))
def test_a_table_has_exactly_the_policy_of_its_scope(db: Db, table: str) -> None:
    with db.transaction(force_rollback=True):
        name = "message" if SCOPES[table] == "message" else "probe"
        if name == "probe":
            db.execute(
                "CREATE TABLE probe (id uuid, region_id uuid, report_id uuid, mention_id uuid, staff_id uuid,"
                " deadline_id uuid, service_id uuid, message_id uuid, outcome text)"
            )
            db.execute("SELECT secure_table('probe', %s)", (SCOPES[table],))
        assert policy(db, table) == policy(db, name)
        kinds = db.execute(
            "SELECT polname FROM pg_policy WHERE polrelid = %s::regclass AND 'veilig_web'::regrole = ANY(polroles)"
            " AND polpermissive",
            (table,),
        ).fetchall()
        assert len(kinds) == (0 if SCOPES[table] == "closed" else 1), kinds


def test_the_roles_of_the_database_own_nothing_and_pass_no_policy(db: Db) -> None:
    for role in ("veilig_web", "veilig_door", "veilig_worker"):
        row = db.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,"
            " EXISTS (SELECT FROM pg_class WHERE relowner = oid_) AS owns,"
            " EXISTS (SELECT FROM pg_auth_members WHERE member = oid_) AS member"
            " FROM (SELECT *, oid AS oid_ FROM pg_roles) r WHERE rolname = %s",
            (role,),
        ).fetchone()
        assert row is not None
        assert not any(row.values()), (role, row)


# ── each role, each table, each region ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", list(ROLES))
def test_a_session_sees_the_rows_of_its_region_only(
    db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db], role: str
) -> None:
    ours, theirs = worlds
    us, them = (session_of(db, world.staff(role)) for world in worlds)
    mine, yours = (as_web(sessions.key_of(token)) for token in (us, them))
    filled = 0
    for table in OF_ALL:
        assert ids_of(mine, table) == set(), table
    for table in SCOPES.keys() - OF_ALL:
        seen, foreign = ids_of(mine, table), of_region(db, table, theirs.region)
        assert not seen & foreign, table
        assert not ids_of(yours, table) & of_region(db, table, ours.region), table
        if SCOPES[table] not in ("closed", "own") and seen:
            # Nobody of the region is excluded or restricted here, so all of it is seen.
            assert seen == of_region(db, table, ours.region), table
            filled += 1
    assert filled > 15


@pytest.mark.parametrize("key", ["", "staff:", "staff:onzin", "partner:onzin", "certificate:onzin", "anders"])
def test_without_a_live_session_nothing_is_seen(
    db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db], key: str
) -> None:
    connection = as_web(key)
    assert {table: rows for table in SCOPES if (rows := ids_of(connection, table))} == {}


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE staff_session SET ended_at = now() - interval '1 second'",
        "UPDATE staff_session SET idle_until = now() - interval '1 second'",
        "UPDATE staff_session SET ends_at = now() - interval '1 second'",
        "UPDATE staff SET active = false",
    ],
)
def test_a_session_that_ended_sees_nothing_from_the_next_statement_on(
    db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db], end: str
) -> None:
    connection = as_web(sessions.key_of(session_of(db, worlds[0].staff("team_lead"))))
    assert ids_of(connection, "report")
    db.execute(end)
    assert ids_of(connection, "report") == set()


def test_a_moved_member_sees_his_new_region_at_once(
    db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db]
) -> None:
    ours, theirs = worlds
    connection = as_web(sessions.key_of(session_of(db, ours.staff("assessor", "verhuist"))))
    db.execute("UPDATE staff SET region_id = %s WHERE username = 'verhuist'", (theirs.region,))
    assert ids_of(connection, "report") == of_region(db, "report", theirs.region)


@pytest.mark.parametrize("table", ["report", "task", "safety_watch", "link", "cases", "mention"])
def test_rows_of_another_region_cannot_be_changed(
    db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db], table: str
) -> None:
    ours, theirs = worlds
    connection = as_web(sessions.key_of(session_of(db, ours.staff("team_lead"))))
    name = sql.Identifier(table)
    changed = connection.execute(
        sql.SQL("UPDATE {} SET region_id = region_id WHERE region_id = %s").format(name), (theirs.region,)
    )
    assert changed.rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(sql.SQL("UPDATE {} SET region_id = %s").format(name), (theirs.region,))


def test_nothing_can_be_put_into_another_region(
    db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db]
) -> None:
    ours, theirs = worlds
    connection = as_web(sessions.key_of(session_of(db, ours.staff("team_lead"))))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("INSERT INTO household (id, region_id) VALUES (%s, %s)", (uuid7(), theirs.region))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password_hash FROM staff",
        "SELECT * FROM sender_token",
        "INSERT INTO audit_entry SELECT * FROM audit_entry",
        "UPDATE audit_head SET number = 0",
        "DELETE FROM report",
        "DELETE FROM audit_entry",
        "UPDATE message SET answer = ''",
        "CREATE TABLE planted (id int)",
        "SELECT secure_table('report', 'closed')",
        "SELECT at_the_door('report', 'SELECT')",
        "SET ROLE veilig",
        "ALTER TABLE report DISABLE ROW LEVEL SECURITY",
    ],
)
def test_what_no_screen_may_do(
    db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db], statement: str
) -> None:
    connection = as_web(sessions.key_of(session_of(db, worlds[0].staff("administrator"))))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_row_security_cannot_be_turned_off(db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db]) -> None:
    connection = as_web("")
    connection.execute("SET row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT id FROM report")


def test_a_sender_sees_his_own_reports_only(db: Db, worlds: tuple[World, World], as_web: Callable[[str], Db]) -> None:
    ours, _ = worlds
    token = uuid7()
    db.execute(
        "INSERT INTO sender_token (id, sender_id, token_hash) VALUES (%s, %s, sha256('x'))", (token, ours.school)
    )
    connection = as_web(f"sender:{token}")
    seen = {row["sender_id"] for row in connection.execute("SELECT sender_id FROM report")}
    assert seen == {ours.school}
    assert ids_of(connection, "person_key") == set()
    assert not connection.execute(
        "SELECT FROM mention m JOIN report r ON r.id = m.report_id WHERE r.sender_id <> %s", (ours.school,)
    ).fetchall()
    db.execute("UPDATE sender_token SET revoked_at = now() WHERE id = %s", (token,))
    assert ids_of(connection, "report") == set()


@pytest.fixture
def at_the_door(database_url: str) -> Iterator[Db]:
    from core import database

    with psycopg.connect(database.address_of("door")[0], **database.connection_options()) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT content FROM report",
        "SELECT person FROM mention",
        "SELECT raw FROM message",
        "SELECT * FROM letter",
        "SELECT * FROM contact",
        "SELECT * FROM person_key",
        "SELECT * FROM audit_entry",
        "UPDATE report SET state = 'closed'",
        "DELETE FROM message",
    ],
)
def test_the_door_reads_no_report(worlds: tuple[World, World], at_the_door: Db, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        at_the_door.execute(statement)


# ── with our own check switched off ─────────────────────────────────────────────────────────────────────────────


def test_with_our_own_checks_off_the_database_still_refuses(
    client: Any, worlds: tuple[World, World], db: Db, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page of the other region, asked by a team lead whose code no longer looks at role or region."""
    ours, theirs = worlds
    monkeypatch.setattr(matrix, "may", lambda role, action: True)
    monkeypatch.setattr("web.access.guard.may", lambda role, action: True)
    monkeypatch.setattr(
        "web.access.scope.IN_REGION", sql.SQL("SELECT * FROM {} WHERE id = %s AND %s::uuid IS NOT NULL")
    )
    sign_in(ours.staff("team_lead"))
    report = db.execute("SELECT id FROM report WHERE region_id = %s", (theirs.region,)).fetchall()
    own = db.execute("SELECT id FROM report WHERE region_id = %s LIMIT 1", (ours.region,)).fetchone()
    assert own is not None
    assert client.get(f"/meldingen/{own['id']}").status_code == 200
    missing = client.get(f"/meldingen/{uuid4()}")
    for row in report:
        answer = client.get(f"/meldingen/{row['id']}")
        assert (answer.status_code, answer.content) == (404, missing.content)
    for table, path in (("cases", "/casussen/{}"), ("quarantine", "/quarantaine/{}"), ("job", "/taken/{}")):
        for row in db.execute(
            sql.SQL("SELECT id FROM {} WHERE region_id = %s").format(sql.Identifier(table)), (theirs.region,)
        ):
            assert client.get(path.format(row["id"])).status_code == 404, path
    assert "Voorbeeldregio 2" not in client.get("/wachtrij").text
