"""`veilig reindex`: make what is derived of the register again, after its reading tables changed.

Profiles and blocking keys follow from the links and from the rules that read names (letters, sounds, nicknames …). It
may be broken off and started again at any moment: until the last step nothing that still leads somewhere is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import click
import psycopg

from core import audit
from core.database import Db, close_pools, connection_options, database_url
from core.errors import Conflict
from radar import signals
from radar.linking import derived
from radar.linking.rows import lock_of
from radar.linking.rules import Rules
from radar.quality import rulesets
from workers.commands import find_region, region_option

CHUNK = 2_000
"""Persons per transaction."""


@click.command("reindex")
@region_option
@click.option("--rules", "version", help="The rule set to read names with; default: the one in force.")
@click.option("--involvement", is_flag=True, help="Also look again at the signals of all households.")
def reindex(region: str | None, version: str | None, involvement: bool) -> None:
    """Make the profiles and keys of all persons again. Stop the workers first."""
    try:
        with psycopg.connect(database_url(), **connection_options()) as db:
            db.execute("SET statement_timeout = 0")
            where = find_region(db, region)
            _require_rest(db)
            rule_set = (
                rulesets.rules_of(db, rulesets.find(db, where, version)) if version else rulesets.active(db, where)
            )
            with click.progressbar(length=derived.linked_count(db, where), label="Persons") as bar:
                for done in again(db, where, rule_set):
                    bar.update(done)
            if involvement:
                with click.progressbar(length=0, label="Households") as bar:

                    def show(done: int, of: int) -> None:
                        bar.length = of
                        bar.update(done - bar.pos)

                    signals.recount_all(db, where, show, by="operator")
    finally:
        close_pools()
    click.echo("The register is read anew.")


def again(db: Db, region: UUID, rule_set: Rules) -> Iterator[int]:
    """Derive everybody of a region again, a chunk per transaction; gives how many persons each chunk held."""
    db.execute("SELECT pg_advisory_lock(%s)", (lock_of(region),))
    try:
        db.execute("CREATE TEMP TABLE IF NOT EXISTS kept_key (key bigint, person_id uuid)")
        db.execute("TRUNCATE kept_key")
        total, last = 0, None
        while persons := derived.linked_after(db, region, last, CHUNK):
            with db.transaction():
                derived.read_anew(db, region, persons, rule_set)
            total, last = total + len(persons), persons[-1]
            yield len(persons)
        with db.transaction():
            removed = derived.drop_stale_keys(db, region)
            derived.count_persons(db)
            derived.note_reading(db, region, rule_set.version)
            details = {"rules": rule_set.version, "persons": total, "keys_removed": removed}
            audit.append(db, region, "system", "register.reindex", "region", region, details)
    finally:
        db.execute("SELECT pg_advisory_unlock(%s)", (lock_of(region),))


def needed(db: Db) -> list[UUID]:
    """The regions with somebody who is linked and has no profile: after an upgrade from before profiles."""
    found = db.execute(
        "SELECT DISTINCT p.region_id FROM person p JOIN link l ON l.person_id = p.id "
        "AND l.state IN ('new', 'automatic', 'confirmed') WHERE p.profile IS NULL ORDER BY 1"
    )
    return [row["region_id"] for row in found]


def _require_rest(db: Db) -> None:
    """Raises Conflict while a worker is at work: it would add keys that we do not know of."""
    row = db.execute(
        "SELECT count(*) AS n FROM heartbeat WHERE kind = 'worker' AND seen_at > now() - interval '15 seconds'"
    ).fetchone()
    if row and row["n"]:
        raise Conflict(f"{row['n']} worker(s) are at work. Stop them first; reports that come in meanwhile wait.")
