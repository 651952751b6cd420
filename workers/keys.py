"""`veilig keys`: the key ring, which seals personal data; see, renew and drop its keys while the product serves."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
import psycopg

from core import keyring, rotation
from core.database import Db, connection_options, database_url
from core.errors import Conflict


def _patient() -> Db:
    """A connection that may look through whole tables."""
    return psycopg.connect(database_url(), **connection_options(0))


@click.group()
def keys() -> None:
    """See and renew the keys that seal personal data (VEILIG_KEY_RING)."""


@keys.command()
def status() -> None:
    """Show each key with what needs it; a star marks the one that seals."""
    with _patient() as db:
        newest = keyring.ring().newest.id
        for name, (wrapped, values) in rotation.uses(db).items():
            known = "" if keyring.ring().key(name) else "  NOT IN THE RING: this cannot be read"
            click.echo(
                f"{'*' if name == newest else ' '} {name:<24} {wrapped:>9} data keys  {values:>6} values{known}"
            )


@keys.command()
def rotate() -> None:
    """Add a key, and bring everything to it, in batches. A rotation that was broken off is finished first.

    Where several machines share the database, copy the file to all of them before anything else is done.
    """
    with _patient() as db:
        if rotation.left(db):
            click.echo(f"Finishing the rotation to {keyring.ring().newest.id}.")
        else:
            click.echo(f"New key {keyring.add_key(datetime.now(UTC).date())} in {keyring.ring_path()}.")
        while todo := rotation.left(db):
            with click.progressbar(length=todo, label="Sealed", file=sys.stderr) as bar:
                for done in rotation.advance(db):
                    bar.update(done)
    click.echo("Everything has the newest key. `veilig keys drop` takes an old one out.")


@keys.command()
@click.argument("name")
def drop(name: str) -> None:
    """Take an old key out of the ring, for ever. Refused while anything needs it.

    A backup from before the rotation still needs it: keep a copy of the file as long as that backup.
    """
    with _patient() as db:
        count = sum(rotation.uses(db).get(name, (0, 0)))
        if count:
            raise Conflict(f"{count} values still need key {name}: run `veilig keys rotate` first.")
        keyring.drop_key(name)
    click.echo(f"Key {name} is no longer in the ring.")
