"""One pool of PostgreSQL connections per process, and the transactions on it.

Plain SQL: `transaction()` for screens, jobs and commands, `connect_async()` for the feed. Every connection has its
limits: nobody waits for ever, nobody holds a lock in idle.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from core.errors import SettingsError
from core.settings import settings

Row = dict[str, Any]
Db = Connection[Row]
AsyncDb = AsyncConnection[Row]

# security.md R6: statement 5 s for the web, longer for workers; lock 2 s; idle in transaction 10 s; pool wait 2 s.
WEB_STATEMENT_MS = 5_000
WORKER_STATEMENT_MS = 15_000
POOL_WAIT_S = 2.0
RECONNECT_S = 2.0
"""After an outage the next request tries again, instead of waiting out the pool's doubling pauses."""


ENGINE_NOTE = "database.url"
"""In the data folder while `veilig run` runs: the address of its embedded database, for the other commands."""


def running_engine() -> str | None:
    """The address of the embedded database that runs now on our data folder, if there is one."""
    try:
        return (settings().data / ENGINE_NOTE).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def database_url() -> str:
    """The libpq address in use: the one that is set, or that of a `veilig run` in the same data folder.

    Raises SettingsError when there is none.
    """
    url = settings().database_url or running_engine()
    if not url:
        raise SettingsError("No database: set VEILIG_DATABASE_URL, or start `veilig run` (./run) first.")
    return url


def connection_options(statement_ms: int = WEB_STATEMENT_MS) -> dict[str, Any]:
    """The keyword arguments of every connection we make: limits, UTC and rows as dictionaries."""
    limits = (
        f"-c statement_timeout={statement_ms} -c lock_timeout=2000 -c TimeZone=UTC "
        "-c idle_in_transaction_session_timeout=10000 -c application_name=veilig"
    )
    return {"options": limits, "row_factory": dict_row, "autocommit": True, "connect_timeout": 5}


_statement_ms = WEB_STATEMENT_MS


def allow_statements_of(milliseconds: int) -> None:
    """Set the statement timeout of this process; to be called before its first connection."""
    global _statement_ms
    _statement_ms = milliseconds


@lru_cache(maxsize=1)
def pool() -> ConnectionPool[Db]:
    """The pool of this process; a broken connection is replaced at the next use."""
    return ConnectionPool(
        database_url(),
        kwargs=connection_options(_statement_ms),
        min_size=1,
        max_size=settings().pool_size,
        timeout=POOL_WAIT_S,
        reconnect_timeout=RECONNECT_S,
        check=ConnectionPool.check_connection,
        close_returns=True,
        open=True,
        name="veilig",
    )


@contextmanager
def transaction() -> Iterator[Db]:
    """A connection inside one transaction: commit at the end, roll back on any error."""
    with pool().connection() as connection, connection.transaction():
        yield connection


@lru_cache(maxsize=1)
def async_pool() -> AsyncConnectionPool[AsyncDb]:
    """The feed's own pool; opened by the web process at its start."""
    return AsyncConnectionPool(
        database_url(),
        kwargs=connection_options(WEB_STATEMENT_MS),
        min_size=2,
        max_size=settings().pool_size,
        timeout=POOL_WAIT_S,
        reconnect_timeout=RECONNECT_S,
        open=False,
        name="veilig-feed",
    )


@asynccontextmanager
async def connect_async() -> AsyncIterator[AsyncDb]:
    """A connection of the feed, in autocommit: one statement is one transaction."""
    async with async_pool().connection() as connection:
        yield connection


def close_pools() -> None:
    """Close what this process opened, and forget it (tests and a clean stop)."""
    if pool.cache_info().currsize:
        pool().close()
    for cached in (pool, async_pool):
        cached.cache_clear()
