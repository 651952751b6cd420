"""Which version is in force: per process, per request and per region."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core import database, documents
from core.database import Db
from core.documents import Kind, Live, Version, in_region, one_edition, trial
from core.errors import SettingsError
from core.ids import uuid7

HERE, THERE = uuid7(), uuid7()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "greeting.toml"
    path.write_text('text = "file"\n', "utf-8")
    return path


def word(table: Any) -> str:
    if not isinstance(table.get("text"), str):
        raise ValueError("no text")
    return str(table["text"])


@pytest.fixture
def kind(file: Path) -> Kind[str]:
    return Kind("greeting", "file of words", lambda: file, word)


@pytest.fixture
def regional(file: Path) -> Kind[str]:
    return Kind("regional", "file of words", lambda: file, word, per_region=True)


@pytest.fixture
def regions(db: Db) -> Db:
    for number, region in enumerate((HERE, THERE)):
        db.execute(
            "INSERT INTO region (id, name, oin) VALUES (%s, %s, %s)", (region, f"Streek {number}", f"{number:020}")
        )
    return db


@pytest.fixture
def following(regions: Db) -> Iterator[Db]:
    """This process looks when the test tells it to."""
    documents.follow("door")
    documents.look()
    yield regions
    documents.forget()


def put(db: Db, kind: str, text: str | None, region: UUID | None = None) -> UUID | None:
    """A version in force, made by one and activated by another; None: back to the file."""
    made = uuid7() if text is not None else None
    row = db.execute("SELECT count(*) + 1 AS n FROM document_activation WHERE kind = %s", (kind,)).fetchone()
    assert row
    if made:
        db.execute(
            "INSERT INTO document (id, region_id, kind, number, content, made_by, made_at, note, checked_with)"
            " VALUES (%s, %s, %s, %s, %s, 'anna', now(), 'nieuw', '1')",
            (made, region, kind, row["n"], f'text = "{text}"\n'),
        )
    activate(db, kind, row["n"], made, region)
    return made


def activate(
    db: Db, kind: str, number: int, document: UUID | None, region: UUID | None = None, by: str = "bram"
) -> None:
    db.execute(
        "INSERT INTO document_activation (id, region_id, kind, number, document_id, activated_by, activated_at,"
        " reason, rehearsal) VALUES (%s, %s, %s, %s, %s, %s, now(), 'omdat', '[]')",
        (uuid7(), region, kind, number, document, by),
    )


class TestTheVersionInForce:
    def test_without_an_activation_it_is_the_file(self, kind: Kind[str], following: Db) -> None:
        assert (kind(), kind.version()) == ("file", None)

    def test_a_process_that_follows_nothing_reads_the_file(self, kind: Kind[str], regions: Db) -> None:
        put(regions, "greeting", "new")
        assert kind() == "file"

    def test_an_activation_is_read_at_the_next_look_and_not_before(self, kind: Kind[str], following: Db) -> None:
        put(following, "greeting", "new")
        assert kind() == "file"
        assert documents.look()
        assert kind() == "new"
        assert not documents.look()

    def test_going_back_gives_the_file_and_keeps_what_was_ever_in_force(self, kind: Kind[str], following: Db) -> None:
        put(following, "greeting", "one")
        put(following, "greeting", "two")
        put(following, "greeting", None)
        documents.look()
        assert kind() == "file"
        assert kind.every() == ["one", "two"]

    def test_a_version_of_a_region_holds_there_only(self, regional: Kind[str], following: Db) -> None:
        put(following, "regional", "here", HERE)
        documents.look()
        assert regional() == "file"
        with one_edition(HERE):
            assert regional() == "here"
        with one_edition():
            in_region(THERE)
            assert regional() == "file"
            in_region(HERE)
            assert regional() == "here"
        assert regional() == "file"

    def test_a_version_that_cannot_be_read_any_more_is_said_and_not_passed_over(
        self, kind: Kind[str], following: Db
    ) -> None:
        made = uuid7()
        following.execute(
            "INSERT INTO document (id, kind, number, content, made_by, made_at, note, checked_with)"
            " VALUES (%s, 'greeting', 1, 'text = 3', 'anna', now(), 'x', '1')",
            (made,),
        )
        activate(following, "greeting", 1, made)
        documents.look()
        with pytest.raises(SettingsError, match="greeting 1: not a valid file of words: no text"):
            kind()

    def test_a_table_of_a_kind_follows_it(self, kind: Kind[str], following: Db) -> None:
        live = Live(lambda: {"word": kind()})
        assert dict(live) == {"word": "file"}
        put(following, "greeting", "new")
        documents.look()
        assert live["word"] == "new"
        assert len(live) == 1


class TestOneEdition:
    def test_a_request_reads_one_edition_from_begin_to_end(self, kind: Kind[str], following: Db) -> None:
        with one_edition():
            put(following, "greeting", "new")
            documents.look()
            assert kind() == "file"
        assert kind() == "new"

    def test_a_trial_changes_nothing_outside(self, kind: Kind[str], following: Db) -> None:
        with trial(kind, Version(uuid7(), 9, 'text = "tried"')):
            assert kind() == "tried"
        assert kind() == "file"
        put(following, "greeting", "new")
        documents.look()
        with trial(kind, None):
            assert kind() == "file"
        assert kind() == "new"

    def test_work_waits_for_the_first_look_and_never_uses_an_edition_that_was_not_read(
        self, kind: Kind[str], regions: Db, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(regions, "greeting", "new")
        real = documents.transaction

        def away(role: Any = None) -> Any:
            raise psycopg.OperationalError("away")

        monkeypatch.setattr(documents, "transaction", away)
        documents.follow("door", stop=stopped())
        with pytest.raises(psycopg.OperationalError):
            kind()
        monkeypatch.setattr(documents, "transaction", real)
        assert kind() == "new"


def stopped() -> threading.Event:
    stop = threading.Event()
    stop.set()
    return stop


class TestTheDatabaseKeepsIt:
    @pytest.mark.parametrize("table", ["document", "document_activation"])
    def test_nothing_is_changed_or_removed(self, regions: Db, table: str) -> None:
        put(regions, "greeting", "new")
        for change in (f"UPDATE {table} SET kind = 'other'", f"DELETE FROM {table}"):
            with pytest.raises(psycopg.Error):
                regions.execute(change.encode())

    def test_who_made_it_does_not_activate_it_but_may_bring_it_back(self, regions: Db) -> None:
        made = put(regions, "greeting", "new")
        fresh = uuid7()
        regions.execute(
            "INSERT INTO document (id, kind, number, content, made_by, made_at, note, checked_with)"
            " VALUES (%s, 'greeting', 2, 'x', 'anna', now(), 'x', '1')",
            (fresh,),
        )
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="second person"):
            activate(regions, "greeting", 2, fresh, by="anna")
        activate(regions, "greeting", 2, None, by="anna")
        activate(regions, "greeting", 3, made, by="anna")

    def test_a_version_of_one_region_is_not_activated_in_another(self, regions: Db) -> None:
        made = put(regions, "regional", "here", HERE)
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="where it belongs"):
            activate(regions, "regional", 2, made, THERE)


FOLLOWER = """
import sys, threading
from core import documents
from intake.codelists import codelists
stop = threading.Event()
documents.follow(stop=stop)
print(codelists().version, flush=True)
while codelists().version != sys.argv[1]:
    threading.Event().wait(0.05)
"""


def test_every_process_follows_within_seconds_without_a_restart(regions: Db, database_url: str) -> None:
    """Two processes like a web and a worker process: each reads the new version by itself."""
    from intake import codelists

    text = codelists.FILE.read_text("utf-8").replace('version = "2015"', 'version = "2026-11-d1"')
    command = [sys.executable, "-c", FOLLOWER, "2026-11-d1"]
    with ExitStack() as ends:
        both = [ends.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) for _ in range(2)]
        for one in both:
            ends.callback(one.kill)
        for one in both:
            assert one.stdout
            assert one.stdout.readline() == "2015\n"
        made = uuid7()
        regions.execute(
            "INSERT INTO document (id, kind, number, content, made_by, made_at, note, checked_with)"
            " VALUES (%s, 'code_lists', 1, %s, 'anna', now(), 'x', '1')",
            (made, text),
        )
        activate(regions, "code_lists", 1, made)
        for one in both:
            one.communicate(timeout=3 * documents.EVERY_S + 30)
            assert one.returncode == 0, "it ends when it has read the new version"


def test_the_roles_read_what_is_in_force_and_workers_change_nothing(regions: Db) -> None:
    put(regions, "greeting", "new")
    for role in ("door", "worker"):
        with database.transaction(role) as db:  # type: ignore[arg-type]
            assert documents.read_edition(db).changes == 1
            with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
                activate(db, "greeting", 2, None)
