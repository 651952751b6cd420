"""`veilig import register`: load and link an old system's years in bulk, restartable, with a progress bar.

One process reads ahead (names, keys) while this one decides and PostgreSQL writes. Each chunk is one transaction;
what is there already is passed over, so that a load that was broken off is simply started again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

import click
import psycopg

from core import audit
from core.database import Db, close_pools, connection_options, database_url
from core.ids import uuid7
from radar.linking import rows
from radar.linking.bulk import OldReport, Prepared, link_chunk, prepare
from radar.linking.rules import Rules, load
from radar.quality import rulesets
from workers.commands import find_region, region_option
from workers.register_file import reports

CHUNK = 2_000
"""Reports per transaction: about a second of work."""
AHEAD = 3
"""Chunks that are read before they are needed."""
OLD_SYSTEM = "0" * 20
"""The OIN of nobody: an old register was not sent by a body that can send again."""


@click.command("register")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@region_option
def import_register(path: Path, region: str | None) -> None:
    """Load and link an old system's register: a CSV file, one line per person mentioned, oldest report first.

    Safe to start again: reports that are there already are passed over. Stop the workers first; others wait.
    """
    total = sum(1 for _ in reports(path))
    try:
        with psycopg.connect(database_url(), **connection_options()) as db:
            db.execute("SET statement_timeout = 0")
            found = find_region(db, region)
            before = _count(db, found)
            with click.progressbar(length=total, label="Reports") as bar:
                for done in load_all(db, found, (one for one, _ in reports(path)), rulesets.active(db, found)):
                    bar.update(done)
            with db.transaction():
                rows.count_persons(db)
            after = _count(db, found)
    finally:
        close_pools()
    click.echo(f"{after - before} of {total} reports are new in the register; {total - after + before} were there.")


def load_all(db: Db, region: UUID, source: Iterable[OldReport], rule_set: Rules | None = None) -> Iterator[int]:
    """Link all reports, oldest first, a chunk per transaction; gives how many reports each chunk held."""
    sender = old_system(db, region)
    since_count = 0
    for chunk in read_ahead(source, rule_set or load(), region):
        with db.transaction():
            mentions = link_chunk(db, sender, region, chunk, rule_set or load())
            details = {"reports": len(chunk), "mentions": mentions}
            audit.append(db, region, "system", "register.import", "region", region, details)
        since_count += len(chunk)
        if since_count >= 10 * CHUNK:
            since_count = 0
            with db.transaction():
                rows.count_persons(db)
                db.execute("ANALYZE person_key")
        yield len(chunk)


def read_ahead(source: Iterable[OldReport], rule_set: Rules, region: UUID) -> Iterator[list[Prepared]]:
    """Chunks of reports with what they say, prepared in another process while this one works."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_start, initargs=(rule_set,)) as pool:
        waiting: list[Future[list[Prepared]]] = []
        iterator = iter(source)
        while True:
            while len(waiting) < AHEAD and (chunk := list(islice(iterator, CHUNK))):
                waiting.append(pool.submit(_prepare, chunk, region.bytes))
            if not waiting:
                return
            yield waiting.pop(0).result()


def _start(rule_set: Rules) -> None:
    global _rules
    _rules = rule_set


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
