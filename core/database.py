"""Pools of PostgreSQL connections, one per role of the database, and the transactions on them.

Plain SQL: `transaction()` for screens, jobs and commands, `connect_async()` for the feed. Every connection has its
limits: nobody waits for ever, nobody holds a lock in idle. The role decides what the database itself lets pass:
`owner` all (migrations, commands), `worker` the work of every region, `door` what happens before it is known who
asks, `web` only the rows of who asks (migration 0008).
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from psycopg import AsyncConnection, Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from core.errors import SettingsError
from core.settings import settings
from core.version import VERSION

Row = dict[str, Any]
Db = Connection[Row]
Role = Literal["owner", "worker", "door", "web"]
ROLES: dict[Role, str] = {"worker": "veilig_worker", "door": "veilig_door", "web": "veilig_web"}
"""The roles of the database that own nothing and pass no row policy."""
AsyncDb = AsyncConnection[Row]

# security.md R6: statement 5 s for the web, longer for workers; lock 2 s; idle in transaction 10 s; pool wait 2 s.
# All times VEILIG_PATIENCE.
WEB_STATEMENT_MS = 5_000
WORKER_STATEMENT_MS = 15_000
LOCK_MS = 2_000
IDLE_MS = 10_000
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


def address_of(role: Role) -> tuple[str, bool]:
    """The libpq address for this role, and whether it signs in as that role itself.

    Embedded, the role has a login of its own. For a database of your own its address is a setting; without it the
    owner's connection acts as the role, which holds against a mistake in our code but not against injected SQL.
    """
    own = {
        "worker": settings().worker_database_url,
        "door": settings().door_database_url,
        "web": settings().web_database_url,
    }
    if role == "owner":
        return database_url(), True
    if given := own[role]:
        return given, True
    if embedded(database_url()):
        return make_conninfo(database_url(), user=ROLES[role]), True
    return database_url(), False


def embedded(url: str) -> bool:
    """Whether this is the address of our own engine: the owner `veilig` on a socket, without a password."""
    parts = conninfo_to_dict(url)
    return parts.get("user") == "veilig" and str(parts.get("host", "")).startswith("/") and "password" not in parts


def connection_options(statement_ms: int = WEB_STATEMENT_MS, act_as: str = "") -> dict[str, Any]:
    """The keyword arguments of every connection we make: limits, UTC, rows as dictionaries, a role to act as."""
    patience = settings().patience
    limits = (
        f"-c statement_timeout={statement_ms * patience} -c lock_timeout={LOCK_MS * patience} -c TimeZone=UTC "
        f"-c idle_in_transaction_session_timeout={IDLE_MS * patience} -c application_name=veilig "
        f"-c veilig.software={VERSION}"
    )
    if act_as:
        limits += f" -c role={act_as}"
    return {"options": limits, "row_factory": dict_row, "autocommit": True, "connect_timeout": 5 * patience}


_statement_ms = WEB_STATEMENT_MS
_role: Role = "owner"


def allow_statements_of(milliseconds: int) -> None:
    """Set the statement timeout of this process; to be called before its first connection."""
    global _statement_ms
    _statement_ms = milliseconds


def act_as(role: Role) -> None:
    """Set the role of this process's transactions that name none; to be called before its first connection."""
    global _role
    _role = role


_pools: dict[Role, ConnectionPool[Db]] = {}
_opening = threading.Lock()


def pool(role: Role | None = None) -> ConnectionPool[Db]:
    """The pool of this role, or of this process's own; a broken connection is replaced at the next use."""
    wanted = role or _role
    with _opening:
        if wanted not in _pools:
            url, itself = address_of(wanted)
            _pools[wanted] = ConnectionPool(
                url,
                kwargs=connection_options(_statement_ms, "" if itself else ROLES[wanted]),
                min_size=1,
                max_size=settings().pool_size,
                timeout=POOL_WAIT_S * settings().patience,
                reconnect_timeout=RECONNECT_S,
                check=ConnectionPool.check_connection,
                close_returns=True,
                open=True,
                name=f"veilig-{wanted}",
            )
        return _pools[wanted]


def now(db: Db) -> datetime:
    """The moment of this transaction by the database's clock, which decides."""
    row = db.execute("SELECT now() AS at").fetchone()
    if row is None:
        raise RuntimeError("the database told no time")
    moment: datetime = row["at"]
    return moment


@contextmanager
def transaction(role: Role | None = None) -> Iterator[Db]:
    """A connection inside one transaction: commit at the end, roll back on any error."""
    with pool(role).connection() as connection, connection.transaction():
        yield connection


def present(db: Db, key: str, *, purpose: str = "", origin: str = "", request: str = "") -> None:
    """Tell this transaction who asks, by a secret that only he has, and why; the row policies and the audit trail
    read it from there.

    `key`: "staff:<session token>", "partner:<visit token>", "sender:<id of the token>" or
    "certificate:<hex>". `purpose` is a code of the rights matrix, `origin` a network address, `request` a number.
    """
    db.execute(
        "SELECT set_config('veilig.key', %s, true), set_config('veilig.purpose', %s, true),"
        " set_config('veilig.origin', %s, true), set_config('veilig.request', %s, true)",
        (key, purpose, origin, request),
    )


@lru_cache(maxsize=1)
def async_pool() -> AsyncConnectionPool[AsyncDb]:
    """The feed's own pool, as the door; opened by the web process at its start."""
    url, itself = address_of("door")
    return AsyncConnectionPool(
        url,
        kwargs=connection_options(WEB_STATEMENT_MS, "" if itself else ROLES["door"]),
        min_size=2,
        max_size=settings().pool_size,
        timeout=POOL_WAIT_S * settings().patience,
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
    global _role
    while _pools:
        _pools.popitem()[1].close()
    _role = "owner"
    async_pool.cache_clear()
