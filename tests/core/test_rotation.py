"""Rotation of the key ring: everything stays readable at every moment, also when it is killed halfway."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.rows import dict_row

from core import keyring, rotation, sealing
from core.database import Db, connection_options, now
from core.errors import SettingsError
from core.ids import uuid7
from core.settings import settings
from workers.cli import main

REGION = UUID(int=7)
DAY = date(2026, 11, 2)


@pytest.fixture
def ring_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key ring of a production install."""
    settings.cache_clear()
    keyring.ring()
    path = tmp_path / "ring"
    keyring.ring_path().rename(path)
    monkeypatch.setenv("VEILIG_KEY_RING", str(path))
    settings.cache_clear()
    return path


@dataclass
class Kept:
    """What the tests sealed, to be read back: data keys of messages, and values of the ring."""

    db: Db
    messages: dict[UUID, bytes]
    values: list[int]

    def add(self, messages: int, values: int = 0) -> None:
        for _ in range(messages):
            key = sealing.new_key(uuid7())
            self.db.execute(
                "INSERT INTO data_key (id, region_id, kek, wrapped) VALUES (%s, %s, %s, %s)",
                (key.id, REGION, key.kek, key.wrapped),
            )
            self.messages[key.id] = key.seal(b"content", f"message.raw:{key.id}")
        for number in range(len(self.values), len(self.values) + values):
            sealed = sealing.seal(b"value", f"kept_value.secret:{number}")
            self.db.execute("INSERT INTO kept_value VALUES (%s, %s, %s)", (number, sealed, b"plain"))
            self.values.append(number)

    def read(self, db: Db | None = None) -> None:
        """Everything opens; raises when something does not."""
        db = db or self.db
        for message, sealed in list(self.messages.items()):
            assert sealing.key_of(db, message).unseal(sealed, f"message.raw:{message}") == b"content"
        for row in db.execute("SELECT * FROM kept_value").fetchall():
            assert sealing.unseal(bytes(row["secret"]), f"kept_value.secret:{row['id']}") == b"value"
            assert bytes(row["other"]) == b"plain"


@pytest.fixture
def kept(db: Db, ring_file: Path) -> Kept:
    db.execute("CREATE TABLE kept_value (id integer PRIMARY KEY, secret bytea, other bytea)")
    return Kept(db, {}, [])


def veilig(*words: str) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    return result.output


def test_every_value_says_which_key_it_needs(kept: Kept) -> None:
    kept.add(3, 2)
    first = keyring.ring().newest.id
    second = keyring.add_key(DAY)
    kept.add(1, 1)
    assert rotation.uses(kept.db) == {first: (3, 2), second: (1, 1)}
    assert rotation.left(kept.db) == 5


def test_rotation_brings_everything_to_a_new_key_and_the_old_one_can_go(kept: Kept) -> None:
    kept.add(3, 2)
    first = keyring.ring().newest.id
    refused = CliRunner().invoke(main, ["keys", "drop", first])
    assert refused.exit_code == 1
    assert "5 values still need" in refused.output
    veilig("keys", "rotate")
    second = keyring.ring().newest.id
    assert rotation.uses(kept.db) == {first: (0, 0), second: (3, 2)}
    kept.read()
    veilig("keys", "drop", first)
    assert [key.id for key in keyring.ring().keys] == [second]
    kept.read()
    assert veilig("keys", "status") == f"* {second:<24} {3:>9} data keys  {2:>6} values\n"


def test_a_destroyed_key_is_left_destroyed(kept: Kept) -> None:
    kept.add(2)
    gone = next(iter(kept.messages))
    sealing.destroy_key(kept.db, gone, now(kept.db))
    del kept.messages[gone]
    veilig("keys", "rotate")
    kept.read()
    with pytest.raises(sealing.Destroyed):
        sealing.key_of(kept.db, gone)


def test_a_rotation_that_was_begun_is_finished_before_another_key_is_made(kept: Kept) -> None:
    kept.add(2)
    begun = keyring.add_key(DAY)
    assert "Finishing the rotation" in veilig("keys", "rotate")
    assert keyring.ring().newest.id == begun
    assert "New key" in veilig("keys", "rotate")
    assert keyring.ring().newest.id != begun
    kept.read()


def test_a_key_that_the_ring_lacks_is_shown_and_stops_the_rotation(kept: Kept, ring_file: Path) -> None:
    kept.add(1)
    lost = keyring.ring().newest.id
    keyring.add_key(DAY)
    ring_file.write_text(ring_file.read_text().splitlines()[-1] + "\n")
    assert f"{lost:<24}" in (shown := veilig("keys", "status"))
    assert "NOT IN THE RING" in shown
    assert CliRunner().invoke(main, ["keys", "rotate"]).exit_code == 1


def test_a_value_without_a_single_key_stops_the_rotation_with_its_table(kept: Kept) -> None:
    kept.db.execute("CREATE TABLE odd (a int, b int, secret bytea, PRIMARY KEY (a, b))")
    kept.db.execute("INSERT INTO odd VALUES (1, 2, %s)", (sealing.seal(b"x", "odd.secret:1"),))
    keyring.add_key(DAY)
    with pytest.raises(SettingsError, match="Table odd"):
        list(rotation.advance(kept.db))


def test_everything_stays_readable_while_it_rotates(kept: Kept, database_url: str) -> None:
    kept.add(600, 20)
    stop = threading.Event()
    reads, failures = [], []

    def read() -> None:
        with psycopg.connect(database_url, **connection_options()) as db:
            while not stop.is_set():
                try:
                    kept.read(db)
                    reads.append(1)
                except Exception as error:
                    failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(2):
        veilig("keys", "rotate")
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert reads
    assert rotation.left(kept.db) == 0


def test_killed_halfway_all_is_readable_and_the_next_run_finishes(
    kept: Kept, database_url: str, ring_file: Path
) -> None:
    kept.add(rotation.BATCH * 4)
    # Its commits wait for us halfway: a row that is locked stops the batch that holds it.
    # Without our limits: they would end its transaction after ten seconds, on a slow machine before the kill.
    blocker = psycopg.connect(database_url, row_factory=dict_row, autocommit=True)
    last = blocker.execute("SELECT id FROM data_key ORDER BY ctid DESC LIMIT 1").fetchone()
    assert last
    blocker.autocommit = False
    blocker.execute("SELECT FROM data_key WHERE id = %s FOR UPDATE", (last["id"],))
    environment = os.environ | {"VEILIG_DATABASE_URL": database_url, "VEILIG_KEY_RING": str(ring_file)}
    rotating = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", "keys", "rotate"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until(lambda: 0 < rotation.left(kept.db) <= rotation.BATCH)
    rotating.kill()
    rotating.wait()
    blocker.close()
    assert 0 < rotation.left(kept.db) <= rotation.BATCH
    kept.read()
    assert "Finishing the rotation" in veilig("keys", "rotate")
    assert rotation.left(kept.db) == 0
    kept.read()


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Look again until it is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
