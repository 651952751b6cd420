"""`veilig shield`: protect who is at a secret address by the signs in what came in before, or from an old system."""

from __future__ import annotations

from uuid import UUID

import click
import psycopg

from core.database import close_pools, connection_options, database_url
from radar.protection import whereabouts
from workers.commands import find_region, region_option

CHUNK = 500
"""Reports per transaction."""


@click.command("shield")
@region_option
def shield(region: str | None) -> None:
    """Look for signs of a secret address in the reports of a region. Safe to repeat."""
    count = 0
    try:
        with psycopg.connect(database_url(), **connection_options(0)) as db:
            where, after = find_region(db, region), UUID(int=0)
            while True:
                with db.transaction():
                    last, found = whereabouts.scan(db, where, after, CHUNK)
                count += found
                if last is None:
                    break
                after = last
    finally:
        close_pools()
    click.echo(f"Protected from now on: {count} mention(s) of persons.")
