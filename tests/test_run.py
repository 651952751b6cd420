"""./run, ./test and .ci/run: what a newcomer starts first."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workers import processes
from workers.launcher import is_ready
from workers.places import settle

ROOT = Path(__file__).parents[1]
SCRIPTS = ("run", "test", ".ci/run")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """The scripts and locks alone, in a folder with a space in its path, without .venv."""
    with tempfile.TemporaryDirectory(prefix="veilig checkout ", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / ".ci").mkdir()
        for file in (*SCRIPTS, ".ci/prepare", "requirements.lock", "requirements-dev.lock"):
            shutil.copy(ROOT / file, folder / file)
        yield folder


def tools(folder: Path, *, python: str) -> str:
    """A PATH with the few programs that the scripts use, and this one as python3."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("bash", "cat", "dirname", "env", "id", "readlink", "rm"):
        (programs / name).symlink_to(shutil.which(name) or name)
    (programs / "python3").write_text(python)
    (programs / "python3").chmod(0o755)
    return str(programs)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_can_be_started_and_are_good_shell(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / script]).returncode == 0


@pytest.mark.parametrize("script", ["run", "test"])
def test_a_python_that_is_too_old_gets_one_sentence(script: str, checkout: Path) -> None:
    path = tools(checkout, python="#!/bin/sh\nexit 1\n")
    done = subprocess.run([checkout / script], env={"PATH": path}, capture_output=True, text=True, cwd="/")
    assert done.returncode == 1
    assert done.stderr == "Python 3.11 or newer is needed: apt-get install python3 python3-pip\n"


def test_a_python_without_pip_gets_one_sentence(checkout: Path) -> None:
    real = Path(sys.executable).resolve()
    without = f'#!/bin/sh\ncase "$*" in *ensurepip*|*pip*) exit 1;; esac\nexec {real} "$@"\n'
    done = subprocess.run(
        [checkout / "run"], env={"PATH": tools(checkout, python=without)}, capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 1
    assert done.stderr == "Python has no pip: apt-get install python3-pip (or python3-venv)\n"


def test_a_folder_that_cannot_be_written_gets_one_sentence(checkout: Path) -> None:
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = settle(checkout / "unused", "postgres").account
        assert account is not None
        user = account.options()
    checkout.chmod(0o555)
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run([checkout / "run"], env=path, capture_output=True, text=True, cwd="/", **user)
    checkout.chmod(0o755)
    if "Python 3.11" in done.stderr:
        pytest.skip("no Python 3.11 that this user can run")
    assert done.returncode == 1
    assert re.fullmatch(
        r"This folder cannot be written by user \S+: copy it to a folder of your own\.\n", done.stderr
    )


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_has_a_hash_for_every_package_and_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = re.split(r"\n(?=\S)", text.strip())
    assert len(packages) > 30
    for package in packages:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+ ", package), package
        assert "--hash=sha256:" in package
    assert not re.search(r"https?:|file:|/|--index|--find-links", text)


def test_the_lock_of_run_is_a_part_of_the_lock_of_test() -> None:
    """.ci/prepare counts on it: who has installed the second has the first."""

    def packages(name: str) -> set[str]:
        return set(re.findall(r"^[a-z]\S*==\S+", (ROOT / name).read_text(), re.MULTILINE))

    assert packages("requirements.lock") < packages("requirements-dev.lock")


def _processes_with(folder: Path) -> dict[str, int]:
    """Our running processes on this data folder, by their command."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            environment = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if f"VEILIG_DATA={folder}" in environment and "workers.cli" in words:
            found[words[words.index("workers.cli") + 1]] = int(entry.name)
    return found


@pytest.mark.fault
def test_run_starts_the_product_and_every_killed_process_comes_back() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="veilig run ", dir="/tmp") as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "data"
        settings = {"VEILIG_DATA": str(folder), "VEILIG_PORT": str(port), "VEILIG_METRICS_PORT": "0"}
        for start in ("first", "second"):
            with subprocess.Popen(
                [ROOT / "run", "--no-demo"],
                env={**os.environ, **settings},
                cwd="/",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                process_group=0,
            ) as launcher:
                assert launcher.stdout
                said: list[str] = []
                for line in launcher.stdout:
                    said.append(line.rstrip())
                    if "Ready in" in line or (start == "first" and "web ended" in line):
                        break
                try:
                    assert f": http://127.0.0.1:{port}" in said[-1], said
                    assert is_ready(f"http://127.0.0.1:{port}/health/ready")
                    if start == "first":
                        _kill_each(folder, launcher.stdout, said)
                        assert is_ready_again(port)
                        verified = subprocess.run(
                            [ROOT / ".venv" / "bin" / "veilig", "verify"],
                            env={**os.environ, **settings},
                            capture_output=True,
                            text=True,
                        )
                        assert verified.returncode == 0, verified.stdout + verified.stderr
                        assert "All rules hold." in verified.stdout
                finally:
                    os.killpg(launcher.pid, signal.SIGINT)
                    said += launcher.stdout.read().splitlines()
                assert launcher.wait(60) == 0, said
                assert said[-1] == "Stopped.", said
                assert not _processes_with(folder)
                assert not processes.inhabitants(folder / "postgres", "postgres")


def _kill_each(folder: Path, output: Any, said: list[str]) -> None:
    for name in ("worker", "clock", "web"):
        pid = _processes_with(folder)[name]
        os.kill(pid, signal.SIGKILL)
        for line in output:
            said.append(line.rstrip())
            if f"{name} ended (signal SIGKILL)" in line:
                break


def is_ready_again(port: int) -> bool:
    """Whether the web process answers within a minute."""
    return any(is_ready(f"http://127.0.0.1:{port}/health/ready") for _ in _rounds(60))


def _rounds(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.1)
