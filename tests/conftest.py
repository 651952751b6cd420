"""Real engines for the tests: one PostgreSQL and one Valkey per session, a fresh migrated database per test.

With `-n` and `--dist loadfile` the fault tests are one file: they mostly wait, and share one stack of processes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
import redis
from xdist.scheduler import LoadFileScheduling

from core import database, documents, migrations
from core.database import Db
from core.ids import uuid7
from core.settings import settings
from workers.engines import EmbeddedPostgres, EmbeddedValkey

# How long an example takes is no property: a machine that is busy would fail it. The same tree has the same examples,
# so that it passes or fails the same way everywhere; `--hypothesis-profile=explore` looks for new ones.
EASY = {
    "deadline": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
}
hypothesis.settings.register_profile("ours", derandomize=True, database=None, **EASY)
hypothesis.settings.register_profile("explore", derandomize=False, print_blob=True, **EASY)
hypothesis.settings.load_profile("ours")
TEMPLATE = "template_veilig"
FAULT = "tests/fault/"


class ByFileAndFaultTogether(LoadFileScheduling):
    """A file goes to one process, and so do all the fault tests."""

    def _split_scope(self, nodeid: str) -> str:
        return FAULT if nodeid.startswith(FAULT) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileAndFaultTogether | None:
    """Only for `--dist loadfile`, as ./test asks."""
    return ByFileAndFaultTogether(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def clean_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees the settings or the data folder of the person who runs it, or of the test before it."""
    for name in [name for name in os.environ if name.startswith("VEILIG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VEILIG_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VEILIG_PATIENCE", "10")  # a machine that stands still for some seconds fails no test
    monkeypatch.setenv("VEILIG_HOSTS", "testserver,localhost,127.0.0.1")
    settings.cache_clear()
    documents.forget()
    yield
    settings.cache_clear()
    documents.forget()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limits of the database as the product has them, for a test that waits for one to pass."""
    monkeypatch.setenv("VEILIG_PATIENCE", "1")
    settings.cache_clear()


@pytest.fixture(scope="session")
def engine_folder() -> Iterator[Path]:
    """A folder that `nobody` can reach, which pytest's own temporary folders are not for root.

    In memory where there is room: a database per test is mostly copying files.
    """
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 3 * 1024**3
    with tempfile.TemporaryDirectory(prefix="veilig-test-", dir=memory if roomy else "/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="session")
def postgres(engine_folder: Path) -> Iterator[EmbeddedPostgres]:
    """One cluster for all tests, without fsync: the fault tests start their own."""
    engine = EmbeddedPostgres(engine_folder, durable=False)
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def valkey(engine_folder: Path) -> Iterator[EmbeddedValkey]:
    """One broker for all tests."""
    engine = EmbeddedValkey(engine_folder)
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated, empty database to clone."""
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {TEMPLATE} OWNER veilig")
    migrations.upgrade(postgres.url_of("veilig", TEMPLATE))
    return TEMPLATE


@pytest.fixture
def database_url(
    postgres: EmbeddedPostgres, migrated_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A fresh migrated database; the settings point to it and to an empty VEILIG_DATA."""
    name = f"test_{uuid7().hex}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template} OWNER veilig STRATEGY file_copy")
        url = postgres.url_of("veilig", name)
        monkeypatch.setenv("VEILIG_DATABASE_URL", url)
        monkeypatch.setenv("VEILIG_DATA", str(tmp_path))
        monkeypatch.setenv("VEILIG_METRICS_PORT", "0")
        settings.cache_clear()
        database.close_pools()
        documents.forget()
        yield url
        database.close_pools()
        documents.forget()
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def db(database_url: str) -> Iterator[Db]:
    """A connection as the product makes them: autocommit, rows as dictionaries, with limits."""
    options = database.connection_options()
    with psycopg.connect(database_url, **options) as connection:
        yield connection


@pytest.fixture
def valkey_url(valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> str:
    """An emptied broker; the settings point to it."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    monkeypatch.setenv("VEILIG_REDIS_URL", valkey.url)
    settings.cache_clear()
    return valkey.url


@pytest.fixture
def as_web(database_url: str) -> Iterator[Callable[[str], Db]]:
    """Connections under the role of the screens, each carrying the given key ("staff:<session token>")."""
    with ExitStack() as opened:

        def connect(key: str) -> Db:
            url, _ = database.address_of("web")
            connection = opened.enter_context(psycopg.connect(url, **database.connection_options()))
            connection.execute("SELECT set_config('veilig.key', %s, false)", (key,))
            return connection

        yield connect
