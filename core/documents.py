"""Rules and texts that change without a programmer: the product's file, and the versions put in force after it.

A process holds one immutable `Edition` (what is in force) and looks every few seconds whether it is the newest; a
request or a job reads one edition from its begin to its end. Storing and activating: radar/documents.
"""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from psycopg import Error as DatabaseError
from psycopg.errors import UndefinedTable
from psycopg_pool import PoolTimeout
from pydantic import ValidationError

from core.database import Db, Role, transaction
from core.errors import SettingsError

log = structlog.get_logger()
EVERY_S = 2.0
"""Between two looks at whether something was activated."""
Value = TypeVar("Value")
Table = Mapping[str, Any]
Place = tuple[str, UUID | None]
"""A kind, and the region that it is in force in; None: the whole installation."""


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version: its number within its kind (and region), and its content as a file."""

    id: UUID
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Edition:
    """What is in force at one moment; what is absent is the file. `every`: what was ever in force, oldest first."""

    changes: int = 0
    in_force: Mapping[Place, Version] = field(default_factory=dict)
    every: Mapping[Place, tuple[Version, ...]] = field(default_factory=dict)


class Kind(Generic[Value]):
    """One kind of document. Called, it gives the value in force here: for this request, and in its region.

    `read` makes the value of what stands in the file and raises ValueError or SettingsError when it does not fit;
    `what` is the kind in English, for the error at the start; `file` the built-in version (or the operator's own).
    """

    def __init__(
        self,
        code: str,
        what: str,
        file: Callable[[], Path],
        read: Callable[[Table], Value],
        *,
        per_region: bool = False,
        is_json: bool = False,
    ) -> None:
        self.code, self.what, self.file = code, what, file
        self.per_region, self.is_json = per_region, is_json
        self._read = read
        self._built_in: dict[Path, Value] = {}
        self._stored: dict[UUID, Value] = {}

    def __call__(self) -> Value:
        version = self.version()
        if version is not None:
            return self.of(version)
        file = self.file()
        if file not in self._built_in:
            self._built_in[file] = self.load(file)
        return self._built_in[file]

    def load(self, file: Path) -> Value:
        """The value of a file. Raises SettingsError: unreadable or not fitting."""
        return self._fitting(self._written(file), file.name)

    def version(self) -> Version | None:
        """The stored version in force here; None: the built-in one."""
        return here().in_force.get(self.place())

    def every(self) -> list[Value]:
        """Every stored version that was ever in force here."""
        return [self.of(version) for version in here().every.get(self.place(), ())]

    def of(self, version: Version) -> Value:
        """The value of a stored version. Raises SettingsError when this program cannot read it any more."""
        if version.id not in self._stored:
            self._stored[version.id] = self._fitting(version.text, f"{self.code} {version.number}")
        return self._stored[version.id]

    def place(self, region: UUID | None = None) -> Place:
        """Where it is in force: in this region (None: that of the request), or everywhere."""
        return self.code, (region or _region.get()) if self.per_region else None

    def built_in(self) -> str:
        """The file as it was written. Raises SettingsError when it cannot be read."""
        return self._written(self.file())

    def _written(self, file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise SettingsError(f"{file.name}: not a valid {self.what}: {error}") from None

    def table(self, text: str) -> dict[str, Any]:
        """What stands in a text of this kind. Raises ValueError with the line."""
        found = json.loads(text) if self.is_json else tomllib.loads(text)
        if not isinstance(found, dict):
            raise ValueError("not a table")
        return found

    def read(self, text: str) -> Value:
        """The value of a text. Raises ValueError or SettingsError."""
        return self._read(self.table(text))

    def cache_clear(self) -> None:
        """Read the file again at the next use."""
        self._built_in.clear()

    def _fitting(self, text: str, name: str) -> Value:
        try:
            return self.read(text)
        except ValidationError as error:
            faults = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
            raise SettingsError(f"{name}: not a valid {self.what}: {'; '.join(faults)}") from None
        except ValueError as error:  # bad TOML and what does not fit are all ValueErrors
            raise SettingsError(f"{name}: not a valid {self.what}: {error}") from None


class Live(Mapping[str, Value]):
    """A table out of a kind, always as it is in force: for who looks something up by its code."""

    def __init__(self, table: Callable[[], Mapping[Any, Value]]) -> None:
        self._table = table

    def __getitem__(self, code: str) -> Value:
        return self._table()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())


# ── which edition ───────────────────────────────────────────────────────────────────────────────────────────

_newest = Edition()
_follows: tuple[Role | None, bool] | None = None
"""With which role this process follows the database, and whether it has read it once; None: files only."""
_looking = threading.Lock()
_pinned: ContextVar[Edition | None] = ContextVar("edition", default=None)
_region: ContextVar[UUID | None] = ContextVar("edition_region", default=None)


def here() -> Edition:
    """The edition of this request or job, else the newest that this process knows."""
    pinned = _pinned.get()
    if pinned is not None:
        return pinned
    if _follows is not None and not _follows[1]:
        look()
    return _newest


@contextmanager
def one_edition(region: UUID | None = None) -> Iterator[None]:
    """All that is read inside comes from one edition, whatever is activated meanwhile.

    Before this process read its first edition nothing is pinned: the first use looks, and what uses none (a sign of
    life, a style sheet) does not wait for the database.
    """
    known = _pinned.get() or (_newest if _follows is None or _follows[1] else None)
    edition, where = _pinned.set(known), _region.set(region)
    try:
        yield
    finally:
        _pinned.reset(edition)
        _region.reset(where)


def in_region(region: UUID) -> None:
    """From here on this request is about this region; to be called inside `one_edition`."""
    _region.set(region)


@contextmanager
def trial(kind: Kind[Any], version: Version | None, region: UUID | None = None) -> Iterator[None]:
    """All inside is as if this version (None: the file) were in force: for a rehearsal."""
    now = here()
    in_force = {place: one for place, one in now.in_force.items() if place != kind.place(region)}
    if version is not None:
        in_force[kind.place(region)] = version
    token = _pinned.set(replace(now, in_force=in_force))
    try:
        yield
    finally:
        _pinned.reset(token)


def read_edition(db: Db) -> Edition:
    """What is in force by the database, in one statement."""
    rows = db.execute(
        "SELECT a.kind, a.region_id, d.id, d.number, d.content FROM document_activation a"
        " LEFT JOIN document d ON d.id = a.document_id ORDER BY a.kind, a.region_id, a.number"
    ).fetchall()
    in_force: dict[Place, Version] = {}
    every: dict[Place, tuple[Version, ...]] = {}
    for row in rows:
        place = row["kind"], row["region_id"]
        if row["id"] is None:
            in_force.pop(place, None)
            continue
        version = Version(row["id"], row["number"], row["content"])
        in_force[place] = version
        every[place] = (*(one for one in every.get(place, ()) if one.id != version.id), version)
    return Edition(len(rows), in_force, every)


def look() -> bool:
    """Look whether something was activated since, and take it over; True when it was. Raises without a database.

    Activations are only added, so their number tells whether there are new ones.
    """
    global _newest, _follows
    following = _follows
    if following is None:
        return False
    with _looking, transaction(following[0]) as db:
        try:
            row = db.execute("SELECT count(*) AS changes FROM document_activation").fetchone()
        except UndefinedTable:  # a database of an earlier version, about to be migrated
            return False
        changed = row is not None and row["changes"] != _newest.changes
        if _follows is None:  # forgotten meanwhile: a process that stops
            return False
        if changed:
            _newest = read_edition(db)
        _follows = following[0], True
        return changed


def follow(role: Role | None = None, *, stop: threading.Event | None = None) -> None:
    """From now on this process uses what is in force in the database, read with this role.

    With `stop` it looks at once, and a thread looks every `EVERY_S` seconds until it is set. Without it, or with the
    database away, the first use looks: no work is ever done with an edition that was not read.
    """
    global _follows
    _follows = role, False
    if stop is not None:
        _try_to_look()
        threading.Thread(target=_keep_looking, args=(stop,), daemon=True, name="documents").start()


def forget() -> None:
    """Follow nothing any more, and know only the files (tests and a clean stop)."""
    global _newest, _follows
    _newest, _follows = Edition(), None


def _keep_looking(stop: threading.Event) -> None:
    while not stop.wait(EVERY_S):
        _try_to_look()


def _try_to_look() -> None:
    try:
        if look():
            log.info("documents.changed", changes=_newest.changes)
    except (DatabaseError, PoolTimeout) as error:
        log.warning("documents.wait", error=type(error).__name__)
