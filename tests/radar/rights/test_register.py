"""The destruction register and the restore drill (D13, requirement 19): what was destroyed stays destroyed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import database
from core.database import Db
from core.errors import SettingsError
from core.ids import uuid7
from core.settings import settings
from radar.rights import destruction, register, replay
from radar.rights.register import Entry, Passage, RegisterBroken
from tests.radar.rights.people import AT, family, granted, mention
from tests.web.conftest import World
from workers import verify
from workers.engines import EmbeddedPostgres


def entry(**more: Any) -> Entry:
    order, region, report, who, row = (uuid7() for _ in range(5))
    passage = Passage("contact.summary", row, b"x" * 32)
    made = Entry(order, region, report, "person", "request", (who,), (), (passage,), AT)
    return replace(made, **more)


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_is_read_back_and_confirmed_once() -> None:
    assert register.entries() == []
    first, second = entry(), entry(ground="retention")
    register.intend(first)
    register.intend(second)
    register.confirm(first.order, AT)
    register.confirm(first.order, AT)
    assert register.entries() == [replace(first, done=True), second]
    assert register.file().stat().st_mode & 0o777 == 0o600
    assert register.file().read_text().count("\n") == 3


@pytest.mark.parametrize("fault", ["changed", "taken out", "swapped", "not json"])
def test_a_line_that_was_changed_or_taken_out_shows(fault: str) -> None:
    for _ in range(3):
        register.intend(entry())
    path = register.file()
    lines = path.read_text().splitlines()
    match fault:
        case "changed":
            line = json.loads(lines[1])
            lines[1] = json.dumps(line | {"mentions": []})
        case "taken out":
            del lines[1]
        case "swapped":
            lines[0], lines[1] = lines[1], lines[0]
        case _:
            lines[1] = "x"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RegisterBroken):
        register.entries()
    with pytest.raises(RegisterBroken):
        register.intend(entry())


def test_a_line_that_a_crash_cut_off_was_never_committed_and_is_dropped() -> None:
    kept = entry()
    register.intend(kept)
    with register.file().open("a") as stream:
        stream.write('{"event": "intent", "ord')
    assert register.entries() == [kept]
    second = entry()
    register.intend(second)
    assert register.entries() == [kept, second]


def test_it_stands_where_the_setting_says_and_says_when_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elders" / "register.jsonl"
    monkeypatch.setenv("VEILIG_DESTRUCTION_REGISTER", str(elsewhere))
    settings.cache_clear()
    register.intend(entry())
    assert elsewhere.exists()
    monkeypatch.setenv("VEILIG_DESTRUCTION_REGISTER", str(tmp_path))
    settings.cache_clear()
    with pytest.raises(SettingsError):
        register.intend(entry())


# ── the drill ───────────────────────────────────────────────────────────────────────────────────────────────────


def destroyed(db: Db, report: UUID, order: UUID) -> None:
    destruction.confirm(db, order, by="gwen", at=AT)
    with db.transaction():
        destruction.carry_out(db, order)
    destruction.note(db, order)


@pytest.fixture
def backup(postgres: EmbeddedPostgres, database_url: str) -> Iterator[Any]:
    """Makes a copy of the database as it is now, and gives a connection to it: a backup, put back."""
    name = f"backup_{uuid7().hex}"

    def make() -> str:
        database.close_pools()
        source = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
        with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {source} OWNER veilig STRATEGY file_copy")
        return postgres.url_of("veilig", name)

    yield make
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def connect(url: str) -> Db:
    return psycopg.connect(url, **database.connection_options())


def findings(db: Db) -> set[str]:
    return {found.text for found in verify.verify(db) if found.breaches}


REVIVED = "what the destruction register says was destroyed is not in the database"


def test_a_restore_does_not_bring_back_what_was_destroyed(database_url: str, backup: Any) -> None:
    with connect(database_url) as db:
        world = World(db, 1)
        report, closed = family(world), family(world, state="closed")
        known = findings(db)
        father = mention(db, report, 3)
    url = backup()
    with connect(database_url) as db:
        request = granted(db, report)
        person = destruction.propose(db, father, "request", "Verzoek.", request_id=request, by="bram", at=AT)
        destroyed(db, report, person)
        file = destruction.propose_file(db, closed, "retention", "De termijn is voorbij.", by="bram", at=AT)
        destroyed(db, closed, file)
        gone = db.execute("SELECT content FROM report WHERE id = %s", (report,)).fetchone()
        assert replay.revived(db) == []
        assert REVIVED not in findings(db)
    with connect(url) as restored:
        assert [one.order for one in replay.revived(restored)] == [person, file]
        assert REVIVED in findings(restored)
        moment: datetime = database.now(restored)
        with restored.transaction():
            assert replay.replay(restored, moment) == 2
        with restored.transaction():
            assert replay.replay(restored, moment) == 0, "safe to repeat"
        assert replay.revived(restored) == []
        assert findings(restored) <= known, "the audit chain and every other rule hold"
        row = restored.execute("SELECT person FROM mention WHERE id = %s", (father,)).fetchone()
        assert row == {"person": {}}
        assert restored.execute("SELECT content FROM report WHERE id = %s", (report,)).fetchone() == gone
        empty = restored.execute("SELECT content, state FROM report WHERE id = %s", (closed,)).fetchone()
        assert empty == {"content": {}, "state": "closed"}
        noted = restored.execute("SELECT count(*) AS n FROM audit_entry WHERE action = 'destruction.replay'")
        assert noted.fetchone() == {"n": 2}
    assert len(register.entries()) == 2, "a replay adds nothing to the register"


def test_a_file_that_was_still_open_in_the_backup_is_emptied_and_its_work_stays(
    database_url: str, backup: Any
) -> None:
    with connect(database_url) as db:
        world = World(db, 1)
        report = family(world)
        known = findings(db)
    url = backup()
    with connect(database_url) as db:
        with db.transaction():
            db.execute(
                "INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)"
                " SELECT %s, max(number) + 1, %s, 'close', 'closed', %s, 'bram', 'Klaar' FROM report_step"
                " WHERE report_id = %s",
                (report, world.region, AT, report),
            )
            db.execute("UPDATE report SET state = 'closed' WHERE id = %s", (report,))
        order = destruction.propose_file(db, report, "retention", "De termijn is voorbij.", by="bram", at=AT)
        destroyed(db, report, order)
    with connect(url) as restored:
        with restored.transaction():
            assert replay.replay(restored, database.now(restored)) == 1
        row = restored.execute("SELECT content, state FROM report WHERE id = %s", (report,)).fetchone()
        assert row == {"content": {}, "state": "assessing"}, "no machine closes a report: its task stays for a person"
        assert findings(restored) <= known


def test_what_two_confirmed_and_is_under_way_is_no_breach_but_comes_after_a_restore_too(
    database_url: str, backup: Any
) -> None:
    with connect(database_url) as db:
        world = World(db, 1)
        report = family(world, state="closed")
    url = backup()
    with connect(database_url) as db:
        order = destruction.propose_file(db, report, "retention", "De termijn is voorbij.", by="bram", at=AT)
        destruction.confirm(db, order, by="gwen", at=AT)
        with db.transaction(force_rollback=True):  # the machine stops before the commit
            destruction.carry_out(db, order)
        (one,) = register.entries()
        assert not one.done
        assert replay.revived(db) == [], "the job does it again"
        with db.transaction():
            destruction.carry_out(db, order)
    with connect(url) as restored:
        assert [one.order for one in replay.revived(restored)] == [order]
