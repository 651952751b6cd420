"""`veilig rights`: the destruction register after a restore, what is due, and the legal form of the organisation."""

from __future__ import annotations

from datetime import date, timedelta

import click
import psycopg

from core import audit
from core.database import connection_options, database_url, now
from core.deadlines import local_day
from radar.rights import law, register, replay, retention
from workers.commands import find_region, region_option


@click.group()
def rights() -> None:
    """Rights of persons concerned: destruction, retention, and the form of the organisation."""


@rights.command("replay")
@click.option("--check", is_flag=True, help="Only say what came back; exit code 1 when there is anything.")
def replay_(check: bool) -> None:
    """After a restore: destroy again what the destruction register says. Safe to repeat.

    Stop the web processes first, or keep people out: `/health/ready` says 503 until this is done.
    """
    with psycopg.connect(database_url(), **connection_options(0)) as db:
        back = replay.revived(db)
        if check:
            click.echo(f"{len(back)} of {len(register.entries())} destructions came back.")
            raise SystemExit(1 if back else 0)
        with db.transaction():
            done = replay.replay(db, now(db))
    click.echo(f"{done} destructions were carried out again.")


@rights.command("register")
def show() -> None:
    """List the destruction register: number, day, what, and whether it was done. Fails when a line was changed."""
    for one in register.entries():
        what = f"{len(one.mentions)} mentions, {len(one.reports)} reports"
        click.echo(f"{one.order}  {one.at:%Y-%m-%d}  {one.scope:<7} {what:<28} {'done' if one.done else 'intent'}")


@rights.command("due")
@click.option("--days", default=31, show_default=True, type=click.IntRange(0, 3660), help="How far ahead.")
@region_option
def due(days: int, region: str | None) -> None:
    """Count what may be destroyed within so many days. Nothing is destroyed by this: two people decide."""
    with psycopg.connect(database_url(), **connection_options(0)) as db, db.transaction():
        until: date = local_day(now(db)) + timedelta(days=days)
        found = retention.due(db, find_region(db, region), until, most=100_000)
    held = sum(one.held for one in found)
    click.echo(f"{len(found)} before {until:%Y-%m-%d}, of which {held} are held.")


def _legal_form(_: click.Context, __: click.Parameter, form: str) -> str:
    """One that is in force; asked when it is used, for the list is a document that people change."""
    if form not in law.legal_forms():
        raise click.BadParameter(f"{form!r} is not one of {', '.join(sorted(law.legal_forms()))}.")
    return form


@rights.command("legal-form")
@click.option("--form", required=True, callback=_legal_form, help="One of the kind legal_forms.")
@region_option
def legal_form(form: str, region: str | None) -> None:
    """Say what the organisation of a region is: letters name the way that belongs to it."""
    with psycopg.connect(database_url(), **connection_options()) as db, db.transaction():
        found = find_region(db, region)
        db.execute("UPDATE region SET legal_form = %s WHERE id = %s", (form, found))
        audit.append(db, found, "system", "region.legal_form", "region", found, {"form": form})
    click.echo(law.legal_forms()[form].remedy)
