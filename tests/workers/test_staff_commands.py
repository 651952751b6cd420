"""`veilig staff`: the first administrator of an installation, without a password that anybody else knows."""

from __future__ import annotations

from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from core import sign_up
from core.database import Db
from core.ids import uuid7
from core.staff import look_up
from web.access import sessions
from workers.cli import main


@pytest.fixture
def region(db: Db) -> UUID:
    made = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeld', '00000099000000002001')", (made,))
    return made


def veilig(*words: str) -> Result:
    return CliRunner().invoke(main, ["staff", *words])


def test_the_first_administrator_gets_a_link_and_a_code(db: Db, region: UUID) -> None:
    done = veilig("add", "--region", "Voorbeeld", "--username", "Fenna", "--role", "administrator")
    assert done.exit_code == 0, done.output
    link, code = (line.split(": ", 1)[1] for line in done.output.splitlines())
    assert link.startswith("/aanmelden/")
    login = sign_up.opened(db, link.removeprefix("/aanmelden/"), code)
    assert login is not None
    assert (login.member.username, login.member.role, login.password_hash) == ("fenna", "administrator", None)
    kept = str(db.execute("SELECT * FROM sign_up").fetchall())
    assert code not in kept
    assert link.removeprefix("/aanmelden/") not in kept


def test_a_taken_name_or_an_unknown_role_is_one_sentence(db: Db, region: UUID) -> None:
    assert veilig("add", "--username", "fenna", "--role", "administrator").exit_code == 0
    again = veilig("add", "--username", "fenna", "--role", "administrator")
    assert (again.exit_code, again.output.count("\n")) == (1, 1)
    assert veilig("add", "--username", "piet", "--role", "baas").exit_code == 2


def test_a_new_link_is_for_who_never_set_up_his_login(db: Db, region: UUID) -> None:
    veilig("add", "--username", "fenna", "--role", "administrator")
    assert veilig("invite", "fenna").exit_code == 0
    assert veilig("invite", "niemand").exit_code == 1
    db.execute(
        "INSERT INTO second_factor (id, region_id, staff_id, kind, name, credential_id, public_key, sign_count,"
        " confirmed_at) SELECT id, region_id, id, 'passkey', 'x', 'x', 'x', 0, now() FROM staff"
    )
    assert veilig("invite", "fenna").exit_code == 1


def test_an_operator_lists_logins_and_ends_sessions(db: Db, region: UUID) -> None:
    veilig("add", "--username", "fenna", "--role", "administrator")
    login = look_up(db, "fenna")
    assert login is not None
    sessions.start(db, login.member.id)
    assert veilig("list").output.split() == ["fenna", "administrator", "active"]
    assert veilig("end-sessions", "fenna").output == "1 sessions ended.\n"
    assert veilig("end-sessions", "niemand").exit_code == 1
    row = db.execute("SELECT actor, outcome FROM audit_entry WHERE action = 'staff.end_sessions'").fetchone()
    assert row == {"actor": "operator", "outcome": "ok"}
