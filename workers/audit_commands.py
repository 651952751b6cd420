"""`veilig audit` and `veilig verify audit`: checkpoints, the log of one person or colleague, a breach, the review."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg

from core import audit as trail
from core import checkpoints
from core.database import Db, Row, close_pools, connection_options, database_url, now, transaction
from core.deadlines import AMSTERDAM
from core.errors import NotFound, SettingsError
from core.logs import own_logs_to_stderr
from core.settings import settings
from radar.oversight import export, log, processing, review
from radar.oversight.log import Entry, Period
from workers.commands import find_region, region_option, verify

OPERATOR = "operator"
DAY = click.DateTime(formats=["%Y-%m-%d"])


def period_options(command: Any) -> Any:
    """`--from DAY` and `--to DAY`, both included."""
    last = click.option("--to", "last", type=DAY, help="Up to and with this day (YYYY-MM-DD).")
    return click.option("--from", "first", type=DAY, help="From this day (YYYY-MM-DD).")(last(command))


@click.group()
def audit() -> None:
    """Read the audit trail, review it, and set signed checkpoints of it. Each reading is in the trail itself."""
    own_logs_to_stderr()
    click.get_current_context().call_on_close(close_pools)


@audit.command("checkpoint")
def audit_checkpoint() -> None:
    """Sign where the trail is now, append it to VEILIG_CHECKPOINTS and print the line: keep a copy elsewhere."""
    with transaction() as db:
        made = checkpoints.write(db, OPERATOR)
    click.echo(made.line.decode())


@audit.command("restored")
@click.option("--reason", required=True, help="Which backup was put back, and why; it is kept for ever.")
def audit_restored(reason: str) -> None:
    """Say that the database was put back from a backup, so that a shorter trail is no breach."""
    if not reason.strip():
        raise SettingsError("Say which backup was put back, and why.")
    with transaction() as db:
        made = checkpoints.write(db, OPERATOR, "restored", reason.strip())
    click.echo(made.line.decode())


@audit.command("key")
def audit_key() -> None:
    """Print the public key (PEM), with which another can verify the checkpoints."""
    click.echo(checkpoints.public_key().decode(), nl=False)


@audit.command("review")
@click.option("--day", type=DAY, help="Only this day (YYYY-MM-DD); else every day that is over and was not reviewed.")
@region_option
def audit_review(day: datetime | None, region: str | None) -> None:
    """Hold the trail against the risk rules; what is found waits for the privacy officer."""
    with transaction() as db:
        where = find_region(db, region)
        if day:
            new = review.run(db, where, day.date(), now(db), OPERATOR).findings
        else:
            new = review.run_due(db, where, now(db), OPERATOR)
    click.echo(f"{new} new findings.")


@audit.command("processing")
def audit_processing() -> None:
    """Write the processing log (VEILIG_LDV_FILE) now; the clock does so every minute."""
    if settings().ldv_file is None:
        raise SettingsError("VEILIG_LDV_FILE is not set: the processing log is off.")
    click.echo(f"{processing.relay()} lines of the trail.")


@audit.command("person")
@click.argument("identifier", type=click.UUID)
@period_options
@region_option
def audit_person(identifier: UUID, first: datetime | None, last: datetime | None, region: str | None) -> None:
    """The log of one person (or one mention) for an access request: who saw what and when, in Dutch."""
    with transaction() as db:
        where = find_region(db, region)
        rows = log.of_person(db, where, identifier, _period(first, last))
        trail.append(
            *(db, where, OPERATOR, "log.person", "person", identifier, {"rows": len(rows)}), persons=[identifier]
        )
        names = log.names_of(db, where) if settings().log_names else None
        _tell(log.merged(rows, names, log.organisation_of(db, where)))


@audit.command("staff")
@click.argument("username")
@period_options
@region_option
def audit_staff(username: str, first: datetime | None, last: datetime | None, region: str | None) -> None:
    """What one colleague saw and did."""
    with transaction() as db:
        where = find_region(db, region)
        staff = _staff(db, where, username)
        rows = log.of_staff(db, where, staff, _period(first, last))
        trail.append(db, where, OPERATOR, "log.staff", "staff", staff, {"rows": len(rows)})
        _tell(log.merged(rows, log.names_of(db, where), log.organisation_of(db, where)))


@audit.command("breach")
@click.option("--staff", help="What this colleague (user name) saw and did.")
@click.option("--report", type=click.UUID, help="Who saw this report.")
@click.option("--person", type=click.UUID, help="Who saw this person's data.")
@click.option("--origin", help="What was done from this network address.")
@period_options
@region_option
def audit_breach(
    staff: str | None,
    report: UUID | None,
    person: UUID | None,
    origin: str | None,
    first: datetime | None,
    last: datetime | None,
    region: str | None,
) -> None:
    """All that was seen and done, as CSV: by a colleague, of a report or person, from an address, in a period."""
    if sum(map(bool, (staff, report, person, origin))) > 1 or not any((staff, report, person, origin, first)):
        raise SettingsError("Choose one of --staff, --report, --person and --origin, or a period with --from.")
    with transaction() as db:
        where, span = find_region(db, region), _period(first, last)
        rows = _breach(db, where, span, staff, report or person, origin)
        trail.append(db, where, OPERATOR, "log.export", "log", report or person, {"rows": len(rows)})
        click.echo(export.as_csv(rows, log.names_of(db, where), OPERATOR, now(db)), nl=False)
    extent = export.extent(rows)
    told = f"{extent.lines} lines, {extent.people} people, {extent.reports} reports."
    click.echo(told, file=sys.stderr)


@verify.command("audit")
@click.option(
    "--checkpoints",
    "copy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy kept elsewhere.",
)
@click.option(
    *("--public-key", "keys"),
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key to believe (PEM); more than once after a change of key. Empty: our own.",
)
def verify_audit(copy: Path | None, keys: tuple[Path, ...]) -> None:
    """Count the whole audit chain again and hold it against its signed checkpoints. Exit code 1 on a breach.

    Not found: a change to lines younger than the last checkpoint of which all hashes were counted again.
    """
    believed = [checkpoints.read_public_key(path) for path in keys]
    broken = 0
    with psycopg.connect(database_url(), **connection_options(0)) as db, db.transaction():
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for breach in trail.breaches(db):
            broken += 1
            click.echo(f"BREACH  chain {breach.region}/{breach.strand} line {breach.number}: {breach.what}")
        for flaw in checkpoints.flaws(db, copy, believed):
            broken += 1
            click.echo(f"BREACH  checkpoint {flaw.number}: {flaw.what}")
        _last(db, copy)
    for one in checkpoints.restores(copy):
        click.echo(f"note    a backup was put back at {_local(one.at)}: {one.reason}")
    click.echo("The audit trail holds." if not broken else f"{broken} breaches.")
    if broken:
        raise SystemExit(1)


def _last(db: Db, copy: Path | None) -> None:
    """Say from when on nothing is vouched for."""
    number = checkpoints.count(copy)
    newest = checkpoints.newest(copy)
    row = db.execute("SELECT coalesce(sum(number), 0)::bigint AS lines FROM audit_head").fetchone()
    lines = int(row["lines"]) if row else 0
    if newest is None:
        click.echo(f"note    there is no checkpoint yet: nothing outside the database vouches for {lines} lines")
    else:
        click.echo(
            f"note    {number} checkpoints, the last of {_local(newest.at)};"
            f" {max(0, lines - newest.lines)} of {lines} lines came later"
        )


def _breach(
    db: Db, region: UUID, span: Period, staff: str | None, whose: UUID | None, origin: str | None
) -> list[Row]:
    if staff:
        return log.of_staff(db, region, _staff(db, region, staff), span)
    if whose:
        return log.of_person(db, region, whose, span)
    if origin:
        return log.of_origin(db, region, origin, span)
    return log.of_period(db, region, span)


def _staff(db: Db, region: UUID, username: str) -> UUID:
    row = db.execute("SELECT id FROM staff WHERE username = %s AND region_id = %s", (username, region)).fetchone()
    if row is None:
        raise NotFound
    found: UUID = row["id"]
    return found


def _period(first: datetime | None, last: datetime | None) -> Period:
    return Period(_date(first), _date(last))


def _date(day: datetime | None) -> date | None:
    return day.date() if day else None


def _tell(entries: Iterable[Entry]) -> None:
    for entry in entries:
        times = f" ({entry.times} keer, tot {entry.last.astimezone(AMSTERDAM):%H:%M})" if entry.times > 1 else ""
        refused = "" if entry.outcome == "ok" else " (geweigerd)" if entry.outcome == "refused" else " (mislukt)"
        click.echo(f"{_local(entry.first)}  {entry.who}: {entry.event.text}{refused}{times}")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(AMSTERDAM):%Y-%m-%d %H:%M}"
