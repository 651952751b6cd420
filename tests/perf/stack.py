"""Real engines and real processes for measurements: embedded engines with fsync on, the product's own commands."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from core import database, migrations
from core.settings import settings
from workers.engines import EmbeddedPostgres, EmbeddedValkey

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def engines() -> Iterator[None]:
    """A migrated PostgreSQL and a Valkey; the settings of this process and its children point to them."""
    with TemporaryDirectory(prefix="veilig-perf-", dir="/tmp") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)
        postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
        for engine in (postgres, valkey):
            engine.start()
            stack.callback(engine.stop)
        os.environ |= {
            "VEILIG_DATABASE_URL": postgres.url,
            "VEILIG_REDIS_URL": valkey.url,
            "VEILIG_DATA": str(folder / "data"),
            "VEILIG_METRICS_PORT": "0",
            "VEILIG_LOG_LEVEL": "WARNING",
        }
        settings.cache_clear()
        migrations.upgrade(postgres.url)
        yield
        database.close_pools()


@contextmanager
def server(application: str, port: int) -> Iterator[None]:
    """A web process with this application, ready to answer."""
    command = [sys.executable, "-m", "uvicorn", "--factory", application, "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    with _process(command):
        _wait_for(port)
        yield


@contextmanager
def veilig(*words: str) -> Iterator[None]:
    """One of the product's processes."""
    with _process([sys.executable, "-m", "workers.cli", *words]):
        yield


@contextmanager
def _process(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=40)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the web process did not answer within 30 s")
