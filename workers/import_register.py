"""`veilig import register`: load and link an old system's years in bulk, restartable, with a progress bar.

One process reads ahead (names, keys) while this one decides and PostgreSQL writes. Each chunk is one transaction;
what is there already is passed over, so that a load that was broken off is simply started again.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from uuid import UUID

import click

from core import audit
from core.database import Db
from core.errors import VeiligError
from core.ids import uuid7
from radar.linking import derived
from radar.linking.bulk import OldReport, Prepared, link_chunk, prepare
from radar.linking.rules import Rules, load
from radar.quality import rulesets
from workers.register_file import check, reports

CHUNK = 2_000
"""Reports per transaction: about a second of work."""
COUNT_EVERY = 16
"""After so many chunks, and after the first, second, fourth and eighth, the register is counted and analysed."""
AHEAD = 3
"""Chunks that are read before they are needed."""
OLD_SYSTEM = "0" * 20
"""The OIN of nobody: an old register was not sent by a body that can send again."""


class ReaderEnded(VeiligError):
    """The process that reads ahead has ended, perhaps for want of memory. What was loaded stays: start again."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many reports a file held, and how many of them were not in the register yet."""

    reports: int
    new: int


def load_file(db: Db, region: UUID, path: Path) -> Loaded:
    """Load a whole file with a progress bar on stderr, if all of it can be loaded. Raises UnusableFile."""
    total = check(path, datetime.now(UTC))
    # A slow machine may think long about a chunk: that is no forgotten transaction.
    db.execute("SET idle_in_transaction_session_timeout = 0")
    before = _count(db, region)
    with click.progressbar(length=total, label="Reports", file=sys.stderr) as bar:
        for done in load_all(db, region, (one for one, _ in reports(path)), rulesets.active(db, region)):
            bar.update(done)
    with db.transaction():
        derived.count_persons(db)
    return Loaded(total, _count(db, region) - before)


def load_all(db: Db, region: UUID, source: Iterable[OldReport], rule_set: Rules | None = None) -> Iterator[int]:
    """Link all reports, oldest first, a chunk per transaction; gives how many reports each chunk held."""
    sender, chosen = old_system(db, region), rule_set or load()
    for number, chunk in enumerate(read_ahead(source, chosen, region), start=1):
        with db.transaction():
            mentions = link_chunk(db, sender, region, chunk, chosen)
            details = {"reports": len(chunk), "mentions": mentions}
            audit.append(db, region, "system", "register.import", "region", region, details)
        if number.bit_count() == 1 or number % COUNT_EVERY == 0:
            # Plans made for an empty table read a full one from end to end.
            with db.transaction():
                derived.count_persons(db)
                db.execute("ANALYZE person_key, person, membership, message, report, mention, link")
        yield len(chunk)


def read_ahead(source: Iterable[OldReport], rule_set: Rules, region: UUID) -> Iterator[list[Prepared]]:
    """Chunks of reports with what they say, prepared in another process while this one works."""
    # As text: a rule set that was used holds what it remembers of names, which no other process can take over.
    document = rule_set.model_dump_json()
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_start, initargs=(document,))
    try:
        waiting: list[Future[list[Prepared]]] = []
        iterator = iter(source)
        while True:
            while len(waiting) < AHEAD and (chunk := list(islice(iterator, CHUNK))):
                waiting.append(pool.submit(_prepare, chunk, region.bytes))
            if not waiting:
                return
            yield waiting.pop(0).result()
    except BrokenProcessPool:
        raise ReaderEnded from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start(document: str) -> None:
    """Once in the process that reads ahead. It ends with the one that started it, also when that one is killed."""
    global _rules
    _rules = Rules.model_validate_json(document)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _prepare(chunk: list[OldReport], region: bytes) -> list[Prepared]:
    return prepare(chunk, _rules, region)


_rules: Rules


def old_system(db: Db, region: UUID) -> UUID:
    """The sender that imported reports stand under."""
    with db.transaction():
        db.execute(
            "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Oud register', 'anders') "
            "ON CONFLICT DO NOTHING",
            (uuid7(), region, OLD_SYSTEM),
        )
        row = db.execute("SELECT id FROM sender WHERE region_id = %s AND oin = %s", (region, OLD_SYSTEM)).fetchone()
    if row is None:
        raise LookupError("sender")
    found: UUID = row["id"]
    return found


def _count(db: Db, region: UUID) -> int:
    row = db.execute(
        "SELECT count(*) AS n FROM message WHERE region_id = %s AND channel = 'import'", (region,)
    ).fetchone()
    return int(row["n"]) if row else 0
