"""Real processes over engines of their own: `veilig web`, `worker` and `clock`, made to be killed by a test."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import psycopg

from core.database import Db, connection_options
from core.ids import uuid7
from intake import senders
from intake.corv.write import write_report
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report
from workers.engines import EmbeddedPostgres, EmbeddedValkey

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")

GATES = """
CREATE TABLE test_gate (name text PRIMARY KEY);
CREATE FUNCTION test_gate_wait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    -- A volatile function sees what others commit meanwhile, so a deleted row opens the gate.
    WHILE EXISTS (SELECT FROM test_gate WHERE name IN (TG_TABLE_NAME, to_jsonb(NEW) ->> 'report_id')) LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER test_gate BEFORE INSERT ON route FOR EACH ROW EXECUTE FUNCTION test_gate_wait();
CREATE FUNCTION test_fault() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'fault of a test'; END $$;
"""


START_S = 120.0
"""How long a process may take to start on a machine that does other work; no test is about that."""


def wait_for(question: Callable[[], T | None], what: str, seconds: float = 30.0) -> T:
    """The first true answer. Fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def message(reference: str, **changes: Any) -> bytes:
    """A StUF report about one invented person of its own, so that no two messages are about the same family."""
    name = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid7().hex[-12:])
    person = {"rol": {"tekst": "jeugdige"}, "naam": {"voornamen": "Proef", "geslachtsnaam": f"Van{name}"}}
    return write_report(
        sample_report(
            {
                "bericht": {"referentienummer": reference},
                "melding": {"kenmerk": f"K-{reference}", "informeringen": []},
                "betrokkenen": [person],
                **changes,
            }
        )
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Stack:
    """The engines, the product's processes on them, one region with one sender, and questions to the database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder)
        self.valkey = EmbeddedValkey(folder)
        self.ports: dict[str, int] = {}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.token = ""
        self.region = uuid7()

    # ── processes ──

    def set_up(self) -> None:
        """Engines, migrated database, region, sender, and one of each process."""
        self.postgres.start()
        self.valkey.start()
        self.veilig("migrate")
        with self.database() as db, db.transaction():
            db.execute(GATES)
            db.execute(
                "INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldregio', %s)",
                (self.region, VEILIG_THUIS_OIN),
            )
            self.token = senders.add(db, self.region, POLICE_OIN, "Politie eenheid Voorbeeld", "politie")
        self.heal()

    def tear_down(self) -> None:
        for name in list(self.running):
            self.kill(name)
        self.valkey.stop()
        self.postgres.stop()

    def environment(self, **more: str) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("VEILIG_")}
        return plain | {
            "VEILIG_DATABASE_URL": self.postgres.url,
            "VEILIG_REDIS_URL": self.valkey.url,
            "VEILIG_DATA": str(self.folder / "keys"),
            "VEILIG_METRICS_PORT": "0",
            "VEILIG_PATIENCE": "3",  # a machine that stands still for some seconds makes no 503
            **more,
        }

    def veilig(self, *words: str) -> str:
        """Run a command to its end; returns what it said. Fails the test when its exit code is not 0."""
        done = subprocess.run(
            [sys.executable, "-m", "workers.cli", *words],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name: str, **more: str) -> None:
        """Start `web`, `worker` or `clock`; "worker-2" is another worker. Returns when it does its work."""
        kind = name.partition("-")[0]
        if kind == "web":
            port = self.ports[name] = free_port()
            more["VEILIG_PORT"] = str(port)
        beating = self.beats(kind)
        with self.log_of(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "workers.cli", kind],
                cwd=ROOT,
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        if kind == "web":
            wait_for(lambda: self._answers(name), f"{name} answers", START_S)
        else:
            wait_for(lambda: self.beats(kind) - beating, f"{name} beats", START_S)

    def _answers(self, name: str) -> bool:
        assert self.running[name].poll() is None, self.log_of(name).read_text()[-2000:]
        try:
            return httpx.get(f"{self.address(name)}/health/live", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self, name: str) -> None:
        """SIGKILL: no goodbye."""
        process = self.running.pop(name)
        process.kill()
        process.wait(10)

    def stop(self, name: str) -> None:
        """SIGTERM: in good order."""
        process = self.running.pop(name)
        process.terminate()
        assert process.wait(40) == 0

    def heal(self) -> None:
        """Engines and one of each process are there; what a test started besides is ended."""
        self.postgres.start()
        self.valkey.start()
        for name in [name for name in self.running if name not in ("web", "worker", "clock")]:
            self.kill(name)
        for name in ("web", "worker", "clock"):
            if name not in self.running or self.running[name].poll() is not None:
                self.start(name)

    def log_of(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    # ── the feed ──

    def address(self, name: str = "web") -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "text/xml"}

    def post(self, body: bytes, name: str = "web") -> httpx.Response:
        """Post one StUF message. Raises httpx.TransportError when there is no answer."""
        url = f"{self.address(name)}/api/v1/corv/berichten"
        return httpx.post(url, content=body, headers=self.headers(), trust_env=False, timeout=60)

    # ── the database ──

    @contextmanager
    def database(self) -> Iterator[Db]:
        with psycopg.connect(self.postgres.url, **connection_options(20_000)) as db:
            yield db

    def ask(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self.database() as db:
            return db.execute(query, values).fetchall()  # type: ignore[arg-type]

    def tell(self, statement: str, *values: Any) -> None:
        with self.database() as db:
            db.execute(statement, values or None)  # type: ignore[arg-type]

    def one(self, query: str, *values: Any) -> Any:
        """The only value of the only row; None without a row."""
        rows = self.ask(query, *values)
        return next(iter(rows[0].values())) if rows else None

    def beats(self, kind: str) -> set[UUID]:
        rows = self.ask("SELECT process FROM heartbeat WHERE kind = %s", kind)
        return {row["process"] for row in rows}

    def report(self, reference: str) -> UUID | None:
        """The report with this reference, if it was accepted. Fails when there are more."""
        rows = self.ask(
            "SELECT r.id FROM report r JOIN message m ON m.id = r.message_id WHERE m.reference = %s", reference
        )
        assert len(rows) <= 1
        return rows[0]["id"] if rows else None

    def job(self, subject: UUID | None, kind: str) -> dict[str, Any] | None:
        rows = self.ask("SELECT * FROM job WHERE subject_id = %s AND kind = %s", subject, kind)
        return rows[0] if rows else None

    def unfinished(self) -> int:
        count: int = self.one("SELECT count(*) FROM job WHERE state IN ('new', 'leased')")
        return count

    def wait_until_done(self, seconds: float = 30.0) -> None:
        wait_for(lambda: self.unfinished() == 0, "all jobs are done", seconds)

    @contextmanager
    def gate(self, name: UUID | str) -> Iterator[None]:
        """Whoever inserts a route for this report, or into this table, waits at the gate inside its transaction."""
        self.tell("INSERT INTO test_gate VALUES (%s)", str(name))
        try:
            yield
        finally:
            self.postgres.start()
            self.tell("DELETE FROM test_gate WHERE name = %s", str(name))

    def at_the_gate(self) -> int:
        """How many sessions wait at a gate now."""
        count: int = self.one("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        return count

    def effects(self, report: UUID) -> dict[str, int]:
        """What the jobs of a report did: each number has to be 1, whatever was killed meanwhile."""
        return {
            "linked": self.one(
                "SELECT count(*) FROM audit_entry WHERE object_id = %s AND action LIKE %s", report, "%link%"
            ),
            "persons": self.one(
                "SELECT count(*) FROM link l JOIN mention m ON m.id = l.mention_id WHERE m.report_id = %s", report
            ),
            "cases": self.one(
                "SELECT count(*) FROM cases c JOIN report r ON r.household_id = c.household_id WHERE r.id = %s",
                report,
            ),
            "watches": self.one(
                "SELECT count(*) FROM safety_watch w JOIN report r ON r.case_id = w.case_id WHERE r.id = %s", report
            ),
            "routes": self.one("SELECT count(*) FROM route WHERE report_id = %s", report),
            "tasks": self.one("SELECT count(*) FROM task WHERE kind = 'assess' AND subject_id = %s", report),
        }


ONCE = {"linked": 1, "persons": 1, "cases": 1, "watches": 1, "routes": 1, "tasks": 1}


class Cable:
    """A TCP way to the database that can hold back or cut the answers to a statement that has reached it."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"postgresql://(?P<user>\w+)@/(?P<name>\w+)\?host=(?P<host>.+)", url)
        assert found
        self._target = str(Path(found["host"].replace("%2F", "/")) / ".s.PGSQL.5432")
        self._server = socket.create_server(("127.0.0.1", 0))
        self._marker: bytes | None = None
        self._cut = False
        self._open = threading.Event()
        self._open.set()
        port = self._server.getsockname()[1]
        self.url = f"postgresql://{found['user']}@127.0.0.1:{port}/{found['name']}?sslmode=disable&gssencmode=disable"
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, marker: bytes) -> None:
        """From the moment that a statement with these bytes passes, no answer passes on that connection."""
        self._marker, self._cut = marker, False
        self._open.clear()

    def release(self, *, cut: bool) -> None:
        """Let the answers pass again, or break the connection without them."""
        self._marker, self._cut = None, cut
        self._open.set()

    def close(self) -> None:
        self.release(cut=True)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            held = threading.Event()
            threading.Thread(target=self._questions, args=(client, server, held), daemon=True).start()
            threading.Thread(target=self._answers, args=(client, server, held), daemon=True).start()

    def _questions(self, client: socket.socket, server: socket.socket, held: threading.Event) -> None:
        seen = b""
        while data := _read(client):
            seen = (seen + data)[-100_000:]
            if self._marker and self._marker in seen:
                held.set()
            server.sendall(data)
        _end(server)

    def _answers(self, client: socket.socket, server: socket.socket, held: threading.Event) -> None:
        while data := _read(server):
            if held.is_set():
                self._open.wait()
                held.clear()
                if self._cut:
                    break
            try:
                client.sendall(data)
            except OSError:
                break
        _end(client)
        _end(server)


def _read(end: socket.socket) -> bytes:
    try:
        return end.recv(65_536)
    except OSError:
        return b""


def _end(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
    finally:
        end.close()
