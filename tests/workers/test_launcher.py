"""The launcher: starts what is needed, starts again what dies, and leaves nothing behind."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workers import processes
from workers.launcher import (
    DRAIN_S,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Child,
    LaunchError,
    Plan,
    is_ready,
    require_free_port,
    standard,
)

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0

STAND_IN = """
import http.server, os, signal, sys
name, port, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "stubborn" else lambda *_: sys.exit(0))
open(os.path.join(folder, name + ".started"), "a").write(f"{os.getpid()}\\n")
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever() if port else signal.pause()
"""

LAUNCH = """
import sys, click
from pathlib import Path
from workers.launcher import Launcher, LaunchError, Plan
folder, port, engines = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "engines"
second = sys.argv[4]
def stand_in(name, at): return [sys.executable, "-c", {stand_in!r}, name, str(at), str(folder.parent)]
plan = Plan(folder=folder, host="127.0.0.1", port=port, demo=False,
    database_url=None if engines else "postgresql://elsewhere", redis_url=None if engines else "redis://elsewhere",
    preparations={{"Prepared": [sys.executable, "-c", "print('preparing')"]}},
    children={{"web": stand_in("web", port), second: stand_in(second, 0)}})
try:
    sys.exit(Launcher(plan, lambda line: print(line, flush=True)).run())
except LaunchError as error:
    sys.exit(error.message)
"""


class Running:
    """A launcher in a process of its own, and what it has said so far."""

    def __init__(self, folder: Path, port: int, *, engines: bool = False, second: str = "worker") -> None:
        program = LAUNCH.format(stand_in=STAND_IN)
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(folder), str(port), "engines" if engines else "none", second],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            process_group=0,
        )
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def hear(self, words: str) -> str:
        """The first line from now on with these words."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            line = self._lines.get(timeout=max(0.1, deadline - time.monotonic()))
            assert line is not None, f"ended without {words!r}: {self.said}"
            self.said.append(line)
            if words in line:
                return line

    def pids(self, name: str) -> list[int]:
        """All processes that this child has been."""
        file = self.folder.parent / f"{name}.started"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C does: the signal goes to the process group of the terminal."""
        os.killpg(self.process.pid, number)
        code = self.process.wait(PATIENCE_S)
        self._reader.join()
        while (line := self._lines.get_nowait()) is not None:
            self.said.append(line)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder with a space in its path that every user can reach."""
    with tempfile.TemporaryDirectory(prefix="veilig launch ", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "data"


@pytest.fixture
def launch(folder: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(port: int, *, engines: bool = False, second: str = "worker") -> Running:
        running.append(Running(folder, port, engines=engines, second=second))
        return running[-1]

    yield start
    for launcher in running:
        launcher.close()


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_it_shows_what_it_does_and_stops_everything(launch: Callable[..., Running], port: int) -> None:
    launcher = launch(port)
    assert f"http://127.0.0.1:{port}" in launcher.hear("Ready in")
    assert launcher.said[:3] == [
        "PostgreSQL: the one in VEILIG_DATABASE_URL",
        "Valkey: the one in VEILIG_REDIS_URL",
        "preparing",
    ]
    assert launcher.said[3].startswith("Prepared in ")
    until(lambda: len(launcher.pids("web") + launcher.pids("worker")) == 2)
    children = launcher.pids("web") + launcher.pids("worker")
    assert launcher.stop() == 0
    assert launcher.said[-2:] == ["Stopping ...", "Stopped."]
    assert not any(processes.started(pid) for pid in children)


def test_a_killed_child_is_started_again(launch: Callable[..., Running], port: int) -> None:
    launcher = launch(port)
    launcher.hear("Ready in")
    until(lambda: len(launcher.pids("worker")) == 1)
    os.kill(launcher.pids("worker")[0], signal.SIGKILL)
    assert launcher.hear("worker ended") == "worker ended (signal SIGKILL); starting it again"
    until(lambda: len(launcher.pids("worker")) == 2)
    assert processes.started(launcher.pids("worker")[1])
    assert len(launcher.pids("web")) == 1
    assert launcher.stop(signal.SIGTERM) == 0


def test_a_second_launcher_on_the_same_folder_gets_one_sentence(launch: Callable[..., Running], port: int) -> None:
    first = launch(port)
    first.hear("Ready in")
    second = launch(port)
    line = second.hear("already runs on")
    assert f"(process {first.process.pid})" in line
    assert second.process.wait(PATIENCE_S) == 1
    assert second.said == [line]
    assert first.stop() == 0


def test_a_taken_port_gets_one_sentence_before_anything_starts(launch: Callable[..., Running], folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        launcher = launch(taken, engines=True)
        assert launcher.process.wait(PATIENCE_S) == 1
        line = launcher.hear("Port")
        assert line == (f"Port {taken} on 127.0.0.1 is taken by another program: choose another with VEILIG_PORT.")
        assert launcher.said == [line]
    assert not (folder / "postgres").exists()


def test_a_stale_or_broken_lock_file_means_nothing(launch: Callable[..., Running], folder: Path, port: int) -> None:
    folder.mkdir()
    for stale in ('{"pid": 1, "children": {"1": "0"}}', "12345", "\x00 nonsense"):
        (folder / "launcher.lock").write_text(stale)
        launcher = launch(port)
        launcher.hear("Ready in")
        assert launcher.stop() == 0
        assert (folder / "launcher.lock").read_text() == ""


@pytest.mark.fault
def test_after_a_kill_of_the_launcher_the_next_one_takes_over(launch: Callable[..., Running], port: int) -> None:
    killed = launch(port, engines=True)
    killed.hear("Ready in")
    orphans = killed.pids("web") + killed.pids("worker")
    killed.process.kill()
    killed.process.wait(PATIENCE_S)
    assert all(processes.started(pid) for pid in orphans)
    again = launch(port, engines=True)
    again.hear("Ending 2 processes of an earlier start")
    again.hear("Ready in")
    assert not any(processes.started(pid) for pid in orphans)
    assert again.stop() == 0


@pytest.mark.fault
def test_a_killed_engine_is_started_again(launch: Callable[..., Running], folder: Path, port: int) -> None:
    launcher = launch(port, engines=True)
    launcher.hear("Ready in")
    for title, program in (("PostgreSQL", "postgres"), ("Valkey", "valkey")):
        os.kill(min(processes.inhabitants(folder / program, program)), signal.SIGKILL)
        launcher.hear(f"{title} is gone; starting it again")
        until(lambda program=program: bool(processes.inhabitants(folder / program, program)))
    assert launcher.stop() == 0
    assert not processes.inhabitants(folder / "postgres", "postgres")
    assert not processes.inhabitants(folder / "valkey", "valkey")


def test_a_second_ctrl_c_does_not_wait_for_a_child_that_will_not_stop(
    launch: Callable[..., Running], port: int
) -> None:
    launcher = launch(port, second="stubborn")
    launcher.hear("Ready in")
    until(lambda: len(launcher.pids("stubborn")) == 1)
    os.kill(launcher.process.pid, signal.SIGINT)
    launcher.hear("Stopping")
    until(lambda: not processes.started(launcher.pids("web")[0]))
    assert processes.started(launcher.pids("stubborn")[0])
    begun = time.monotonic()
    assert launcher.stop() == 0
    assert time.monotonic() - begun < DRAIN_S / 2
    assert not processes.started(launcher.pids("stubborn")[0])


@pytest.mark.fault
def test_everything_stops_also_when_the_terminal_is_gone(folder: Path, port: int) -> None:
    program = LAUNCH.format(stand_in=STAND_IN)
    reader, writer = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(port), "engines", "worker"],
        stdout=writer,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        process_group=0,
    ) as launcher:
        os.close(writer)
        with os.fdopen(reader) as terminal:
            assert any("Ready in" in line for line in terminal)
        os.kill(launcher.pid, signal.SIGHUP)
        launcher.wait(PATIENCE_S)
    assert not is_ready(f"http://127.0.0.1:{port}/")
    assert not processes.inhabitants(folder / "postgres", "postgres")
    assert not processes.inhabitants(folder / "valkey", "valkey")


def test_a_child_that_keeps_dying_is_started_ever_less_often() -> None:
    child = Child("unlucky", [sys.executable, "-c", "raise SystemExit(3)"])
    pauses = []
    for _ in range(8):
        pauses.append(child.pause)
        child.start(os.environ)
        assert child.process
        child.process.wait(PATIENCE_S)
        assert child.ended() == 3
        assert not child.is_due
    assert pauses[:3] == [FIRST_PAUSE_S, FIRST_PAUSE_S * 2, FIRST_PAUSE_S * 4]
    assert pauses[-1] == LONGEST_PAUSE_S


def test_the_plan_of_the_product_migrates_first_and_makes_a_demo_only_when_asked() -> None:
    with_demo = standard(Plan(Path("data"), "127.0.0.1", 8000))
    without = standard(Plan(Path("data"), "127.0.0.1", 8000, demo=False))
    assert [command[3:] for command in with_demo.preparations.values()] == [["migrate"], ["demo", "--if-empty"]]
    assert [command[3:] for command in without.preparations.values()] == [["migrate"]]
    assert list(with_demo.children) == ["web", "worker", "clock"]


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000"), ("vt.example", "http://vt.example:8000")],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, address: str) -> None:
    assert Plan(Path("data"), host, 8000).address == address


def test_an_address_that_is_not_ours_gets_one_sentence() -> None:
    with pytest.raises(LaunchError, match=r"Port 8000 on 192\.0\.2\.1 cannot be used"):
        require_free_port("192.0.2.1", 8000, "VEILIG_PORT")
