"""`veilig run`: engines, migration, demo region and processes in one terminal, watched until Ctrl-C.

A killed child or engine is started again. Ctrl-C reaches only the launcher (every child has its own process
group); it stops the children first, in good order, and the engines last.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from core.database import ENGINE_NOTE
from core.errors import VeiligError
from workers import processes
from workers.engines import EmbeddedPostgres, EmbeddedValkey, Engine
from workers.places import make_folder
from workers.signals import Signals

DRAIN_S = 30.0  # security.md R7
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
STEADY_S = 10.0  # after this a restart counts as the first again
READY_POLL_S = 0.2
USAGE_ERROR = 2  # exit code: starting again would say the same

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # http_proxy is not for our own address

Echo = Callable[[str], None]


class LaunchError(VeiligError):
    """Veilig Thuis Radar did not start."""


@dataclass(frozen=True)
class Plan:
    """What one launcher starts: given by the settings, or smaller by a test."""

    folder: Path
    host: str
    port: int
    metrics_port: int = 0
    database_url: str | None = None
    redis_url: str | None = None
    demo: bool = True
    preparations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    children: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where people find the screens."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 compares, binds nothing
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def standard(plan: Plan) -> Plan:
    """The plan with the product's own commands."""

    def veilig(*words: str) -> list[str]:
        return [sys.executable, "-m", "workers.cli", *words]

    preparations = {"Database migrated": veilig("migrate")}
    if plan.demo:
        preparations["Demo region ready"] = veilig("demo", "--if-empty")
    children = {"web": veilig("web"), "worker": veilig("worker"), "clock": veilig("clock")}
    return Plan(**{**plan.__dict__, "preparations": preparations, "children": children})


class Child:
    """One process that has to be there: started, and started again with a growing pause."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name, self.command = name, command
        self.process: subprocess.Popen[bytes] | None = None
        self.due = self.begun = 0.0
        self.pause = FIRST_PAUSE_S

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it in a process group of its own; what it says goes to our terminal."""
        self.begun = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 our own commands
            self.command, stdin=subprocess.DEVNULL, env=environment, process_group=0
        )

    def ended(self) -> int | None:
        """The exit code when it has ended since the last look; plans the next start."""
        code = self.process.poll() if self.process else None
        if code is not None:
            self.process = None
            self.postpone()
        return code

    def postpone(self) -> None:
        """Plan the next start: at once the first time, then with twice the pause each time."""
        now = time.monotonic()
        if now - self.begun > STEADY_S:
            self.pause = FIRST_PAUSE_S
        self.due = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE_S)

    @property
    def is_due(self) -> bool:
        """Whether it is down and its pause is over."""
        return self.process is None and time.monotonic() >= self.due


class Launcher:
    """Runs a plan until a signal; `run()` returns the exit code."""

    def __init__(self, plan: Plan, echo: Echo) -> None:
        self.plan, self._echo = plan, echo
        self.children = [Child(name, command) for name, command in plan.children.items()]
        self.environment = dict(os.environ)
        self.engines: list[tuple[Engine, Child]] = []
        self._note: IO[str] | None = None

    def echo(self, line: str) -> None:
        """Tell people, also when their terminal is gone: then there is still everything to stop."""
        with suppress(OSError):
            self._echo(line)

    def run(self) -> int:
        """Start everything, watch it, stop it. Raises VeiligError when it cannot start."""
        begun = time.monotonic()
        folder = make_folder(self.plan.folder)
        with _only_launcher_of(folder) as self._note, Signals() as signals:
            self._end_leftovers()
            require_free_port(self.plan.host, self.plan.port, "VEILIG_PORT")
            if self.plan.metrics_port:
                require_free_port(self.plan.host, self.plan.metrics_port, "VEILIG_METRICS_PORT")
            self.environment["VEILIG_DATA"] = str(folder)
            try:
                self._start_engines(folder)
                for title, command in self.plan.preparations.items():
                    if signals.stopping or not self._prepare(title, command, signals):
                        return 0
                return self._watch(signals, begun)
            finally:
                self._stop(signals)

    def _start_engines(self, folder: Path) -> None:
        wanted: list[tuple[str | None, str, Engine]] = [
            (self.plan.database_url, "VEILIG_DATABASE_URL", EmbeddedPostgres(folder)),
            (self.plan.redis_url, "VEILIG_REDIS_URL", EmbeddedValkey(folder)),
        ]
        for given, variable, engine in wanted:
            if given:
                self.environment[variable] = given
                self.echo(f"{engine.title}: the one in {variable}")
                continue
            begun = time.monotonic()
            self.engines.append((engine, Child(engine.title, ())))
            engine.start()
            self.environment[variable] = engine.url
            self.echo(f"{engine.title} {engine.version} started in {_seconds(begun)}")
            if engine.place.home != folder:
                account = engine.place.account.name if engine.place.account else "this user"
                self.echo(f"  its files are in {engine.place.home}, because user {account} cannot reach {folder}")
        _leave_address(folder, self.environment["VEILIG_DATABASE_URL"] if not self.plan.database_url else None)
        self.environment["VEILIG_DEMO"] = "true" if self.plan.demo else "false"
        if self.plan.demo and not self.plan.database_url:
            self.environment["VEILIG_DEMO_ON_OWN_DATABASE"] = "yes"

    def _prepare(self, title: str, command: Sequence[str], signals: Signals) -> bool:
        """Run a command to its end; False when a signal broke it off."""
        child = Child(title, command)
        child.start(self.environment)
        self.children.insert(0, child)  # so that a stop ends it as well
        self._write_note()
        while child.process and child.process.poll() is None:
            if signals.stopping:
                return False
            signals.wait(READY_POLL_S)
        self.children.remove(child)
        if code := child.ended():
            raise LaunchError(f"This step failed, see above (exit code {code}): {title}.")
        self.echo(f"{title} in {_seconds(child.begun)}")
        return True

    def _watch(self, signals: Signals, begun: float) -> int:
        ready = not self.plan.children
        while not signals.stopping:
            for engine, pause in self.engines:
                self._revive(engine, pause)
            for child in self.children:
                code = child.ended()
                if code == USAGE_ERROR and not ready:
                    raise LaunchError(f"{child.name} cannot start, see above.")
                if code is not None:
                    self.echo(f"{child.name} ended ({_ending(code)}); starting it again")
                if child.is_due:
                    child.start(self.environment)
                    self._write_note()
            if not ready and is_ready(f"{self.plan.address}/health/ready"):
                ready = True
                self.echo(f"Ready in {_seconds(begun)}: {self.plan.address}   (Ctrl-C stops everything)")
            signals.wait(READY_POLL_S if not ready else 1.0)
        return 0

    def _revive(self, engine: Engine, pause: Child) -> None:
        """Start a killed engine again; while that fails, try less often."""
        if engine.pid or time.monotonic() < pause.due:
            return
        self.echo(f"{engine.title} is gone; starting it again")
        pause.begun = time.monotonic()
        try:
            engine.start()
        except VeiligError as error:
            self.echo(error.message)
            pause.postpone()

    def _stop(self, signals: Signals) -> None:
        """Children first and all at once, engines last. A second Ctrl-C does not wait for the children."""
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        something = bool(running) or any(engine.pid for engine, _ in self.engines)
        if something:
            self.echo("Stopping ...")
        for process in running:
            process.terminate()
        deadline = time.monotonic() + DRAIN_S
        while any(process.poll() is None for process in running):
            if time.monotonic() > deadline or signals.count > 1:
                break
            signals.wait(0.1)
        for process in running:
            with suppress(ProcessLookupError):  # also what a child itself started
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for engine, _ in reversed(self.engines):
            engine.stop()
        _leave_address(self.plan.folder, None)
        if self._note:
            self._note.truncate(0)
        if something:
            self.echo("Stopped.")

    def _write_note(self) -> None:
        """Note our children with their start times, for a launcher that comes after a `kill -9` of this one."""
        if self._note:
            pids = [child.process.pid for child in self.children if child.process]
            _write(self._note, {"pid": os.getpid(), "children": {pid: processes.started(pid) for pid in pids}})

    def _end_leftovers(self) -> None:
        """End the children of a launcher that was killed without warning."""
        if self._note is None:
            return
        noted = _read(self._note).get("children", {})
        _write(self._note, {"pid": os.getpid()})
        ours = [int(pid) for pid, since in noted.items() if since and processes.started(int(pid)) == since]
        if ours:
            self.echo(f"Ending {len(ours)} processes of an earlier start that was broken off")
            left = processes.end(ours, signal.SIGTERM, DRAIN_S)
            processes.end(left, signal.SIGKILL, 5.0, group=True)


def _leave_address(folder: Path, url: str | None) -> None:
    """Tell the other commands where the embedded database is, for as long as it runs."""
    note = folder / ENGINE_NOTE
    if url is None:
        note.unlink(missing_ok=True)
        return
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(url)


def require_free_port(host: str, port: int, variable: str) -> None:
    """Raises LaunchError with one sentence when nobody could listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        reason = (
            "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        )
        raise LaunchError(f"Port {port} on {host} {reason}: choose another with {variable}.") from None


def is_ready(url: str) -> bool:
    """Whether that address answers 200 now."""
    try:
        with _DIRECT.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _only_launcher_of(folder: Path) -> Iterator[IO[str]]:
    """Hold the lock of this data folder. The kernel drops it with us, so a stale file means nothing."""
    path = folder / "launcher.lock"
    try:
        note = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    except OSError as error:
        raise LaunchError(f"{path} cannot be opened ({error.strerror}): choose another VEILIG_DATA.") from None
    with note:
        try:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _read(note).get("pid", "unknown")
            raise LaunchError(
                f"Veilig Thuis Radar already runs on {folder} (process {pid}): stop that one first, "
                "or choose another folder with VEILIG_DATA."
            ) from None
        yield note


def _read(note: IO[str]) -> dict[str, Any]:
    """What the note says; a broken one says nothing."""
    note.seek(0)
    try:
        said = json.loads(note.read())
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _write(note: IO[str], content: Mapping[str, Any]) -> None:
    note.seek(0)
    note.truncate()
    note.write(json.dumps(content))
    note.flush()


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _seconds(since: float) -> str:
    return f"{time.monotonic() - since:.1f} s"
