"""The embedded PostgreSQL and Valkey: started from the programs in their wheels, on sockets in a 0700 folder.

Both survive `kill -9` of themselves and of their launcher: a start first ends in good order what an earlier
launcher left running in the same data folder (security.md F3, F5, F6, R11).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg
import redis
from psycopg import sql

from core import database
from workers import places, processes
from workers.places import EngineError, Place

START_S = 120.0  # crash recovery after a power cut may take a while
STOP_S = 60.0
LOG_BYTES = 10_000_000
_POLL_S = 0.02


class Engine(ABC):
    """A server process of ours on a data folder: `start()`, `stop()`, and again."""

    title: str
    folder_name: str
    programs: tuple[str, ...]
    stop_signal: signal.Signals

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = ""
        self._place: Place | None = None
        self._sockets: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for clients; known after the first start."""

    @abstractmethod
    def _prepare(self) -> list[str]:
        """Make the data folder ready; returns the command line."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it serves clients now."""

    @property
    def place(self) -> Place:
        """Where the files are and as whom it runs; known after the first start."""
        if self._place is None:
            raise EngineError(f"{self.title} has not been started.")
        return self._place

    @property
    def sockets(self) -> Path:
        """The folder with the socket; known after the first start."""
        if self._sockets is None:
            raise EngineError(f"{self.title} has not been started.")
        return self._sockets

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def log_path(self) -> Path:
        """What the server itself says; never a statement or a value (security.md F6)."""
        return self.place.home / f"{self.folder_name}.log"

    def start(self) -> None:
        """Start, and return when it answers. Raises EngineError with one sentence."""
        if self.pid:
            return
        try:
            self._place = places.settle(self.folder, self.folder_name)
            self._sockets = places.socket_folder(self._place)
            self._end_leftovers()
            self._run(self._prepare())
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineError(f"{self.title} did not start: {error}.") from error

    def stop(self) -> None:
        """Stop in good order: what was acknowledged is on disk."""
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._sockets and self._sockets.parent != self.place.home:
            with suppress(OSError):  # the other engine still has its socket there
                self._sockets.rmdir()

    def _run(self, command: list[str]) -> None:
        with self._open_log() as log:
            begin = log.tell()
            process = self._process = subprocess.Popen(  # noqa: S603 our own programs
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                process_group=0,  # Ctrl-C is for the launcher
                **self.place.options(),
            )
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(_POLL_S)
        self.stop()
        raise EngineError(f"{self.title} did not start: {self._last_words(begin)} (see {self.log_path})")

    def _open_log(self) -> IO[bytes]:
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        log = self.log_path.open("ab")
        log.seek(0, os.SEEK_END)
        return log

    def _last_words(self, begin: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(begin)
            lines = log.read().decode(errors="replace").strip().splitlines()
        telling = [line for line in lines if "FATAL" in line or "ERROR" in line or "PANIC" in line]
        return (telling or lines or ["it said nothing"])[-1].strip()

    def _leftovers(self) -> list[int]:
        return processes.inhabitants(self.place.data, *self.programs)

    def _end_leftovers(self) -> None:
        """End what an earlier launcher, killed without warning, left running on this data folder."""
        processes.end(self._leading(self._leftovers()), self.stop_signal, STOP_S)
        deadline = time.monotonic() + 5.0
        while self._leftovers() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        processes.end(self._leftovers(), signal.SIGKILL, 5.0)

    def _leading(self, pids: list[int]) -> list[int]:
        return pids


class EmbeddedPostgres(Engine):
    """PostgreSQL on a Unix socket only. `durable=False` gives up fsync: for tests."""

    title = "PostgreSQL"
    folder_name = "postgres"
    programs = ("postgres",)
    stop_signal = signal.SIGINT  # "fast": sessions end, then a checkpoint

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder)
        self.durable = durable

    @property
    def url(self) -> str:
        """The database `veilig` as its owner: no superuser, so row-level security holds."""
        return self.url_of("veilig", "veilig")

    @property
    def admin_url(self) -> str:
        """The maintenance database as superuser: for making databases."""
        return self.url_of("postgres", "postgres")

    def url_of(self, user: str, database: str) -> str:
        """The libpq address of a database in this cluster."""
        return f"postgresql://{user}@/{quote(database)}?host={quote(str(self.sockets), safe='')}"

    def start(self) -> None:
        """Start, and make sure that the role and the database are there. Raises EngineError."""
        super().start()
        with psycopg.connect(self.admin_url, autocommit=True, connect_timeout=5) as admin:
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'veilig'").fetchone():
                admin.execute("CREATE ROLE veilig LOGIN NOSUPERUSER NOBYPASSRLS")
            for role in database.ROLES.values():
                name = sql.Identifier(role)
                if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                    admin.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS").format(name))
                admin.execute(sql.SQL("GRANT {} TO veilig").format(name))
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = 'veilig'").fetchone():
                admin.execute("CREATE DATABASE veilig OWNER veilig")

    def _prepare(self) -> list[str]:
        data = self.place.data
        marker = data / "PG_VERSION"
        major = int(marker.read_text()) if marker.exists() else None
        found = places.postgres_programs(major)
        programs = places.within_reach(found / "postgres", self.place).parent
        self.version = places.postgres_version(found)
        if major is None:
            self._initialise(programs)
        if processes.known():  # nobody is left in the folder, so the pids in these files are somebody else's
            for stale in (data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
                stale.unlink(missing_ok=True)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "shared_buffers": "256MB",
            "max_wal_size": "2GB",
            "jit": "off",
            "fsync": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            "log_parameter_max_length": "0",
            "log_parameter_max_length_on_error": "0",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        return [
            str(programs / "postgres"),
            "-D",
            str(data),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
        ]

    def _initialise(self, programs: Path) -> None:
        """`initdb` beside the data folder and then a rename: half a cluster never gets the real name."""
        fresh = self.place.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        places.own_folder(fresh, self.place.account)
        builtin = int(self.version.split(".")[0]) >= 17
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C") if builtin else ()
        made = subprocess.run(  # noqa: S603 our own programs
            [
                programs / "initdb",
                f"--pgdata={fresh}",
                "--username=postgres",
                "--auth=trust",  # the socket's folder is 0700 and nothing listens on a network
                "--encoding=UTF8",
                "--data-checksums",
                "--no-instructions",
                *(locale or ("--locale=C.UTF-8",)),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=_environment(),
            **{**self.place.options(), "cwd": fresh},
        )
        if made.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            words = (made.stderr.strip() or made.stdout.strip()).splitlines()
            telling = [line for line in words if "error" in line or "FATAL" in line] or words
            raise EngineError(f"PostgreSQL could not make its data folder: {telling[0] if telling else 'no reason'}")
        if self.place.data.is_dir():
            self.place.data.rmdir()  # an empty one may be there; anything else stops us here
        fresh.rename(self.place.data)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.admin_url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _leading(self, pids: list[int]) -> list[int]:
        """Only the postmaster takes our signal: its children have other uses for it."""
        try:
            leader = int((self.place.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        return [pid for pid in pids if pid == leader]


class EmbeddedValkey(Engine):
    """Valkey on a Unix socket only, append-only file on. It may be lost: PostgreSQL holds the truth."""

    title = "Valkey"
    folder_name = "valkey"
    programs = ("valkey", "redis")
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """The address for redis-py and dramatiq."""
        return f"unix://{quote(str(self._socket))}?db=0"

    @property
    def _socket(self) -> Path:
        return self.sockets / "valkey.sock"

    def start(self) -> None:
        """Start. An append-only file that Valkey cannot read is set aside: work is only delayed by that."""
        try:
            super().start()
        except EngineError:
            journal = self._place.data / "appendonlydir" if self._place else None
            if journal is None or not journal.is_dir():
                raise
            aside = journal.with_name("appendonlydir.unreadable")
            shutil.rmtree(aside, ignore_errors=True)
            journal.rename(aside)
            super().start()

    def _prepare(self) -> list[str]:
        program = places.within_reach(places.valkey_program(), self.place)
        said = places.says_version(program)
        self.version = next((word[2:] for word in said.split() if word.startswith("v=")), "")
        places.own_folder(self.place.data, self.place.account)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.place.data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [str(program), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _run(self, command: list[str]) -> None:
        self._socket.unlink(missing_ok=True)
        super()._run(command)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError):
            return False


def _environment() -> dict[str, str]:
    """A bare one: PGDATA or PGPORT of the person who starts us are not for our engine."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
