"""The commands of an operator: senders, import, demo, show, verify. Each opens what it needs and ends."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg
from psycopg import AsyncConnection

from core.database import Db, close_pools, connection_options, database_url, transaction
from core.errors import SettingsError, VeiligError
from core.logs import own_logs_to_stderr
from core.settings import settings
from core.staff import DEMO_LOGINS, ROLES
from intake import senders, webhooks
from intake.corv import door
from intake.examples import examples
from workers import show as showing
from workers import try_out
from workers import verify as verifying

COLUMNS = ("file", "outcome", "again", "status", "code")


def region_option(command: Any) -> Any:
    """`--region NAME`, needed only where there are several."""
    return click.option("--region", help="Name of the region; needed when there is more than one.")(command)


def find_region(db: Db, name: str | None) -> UUID:
    """The region by name, or the only one. Raises SettingsError with the remedy."""
    rows = db.execute("SELECT id, name FROM region ORDER BY name").fetchall()
    if name:
        rows = [row for row in rows if row["name"] == name]
    if len(rows) == 1:
        found: UUID = rows[0]["id"]
        return found
    if not rows:
        raise SettingsError("There is no such region yet: `veilig demo` makes one, or add a row to table region.")
    raise SettingsError("There are several regions: choose one with --region NAME.")


@contextmanager
def _database() -> Iterator[Db]:
    try:
        with transaction() as db:
            yield db
    finally:
        close_pools()


@click.group()
def sender() -> None:
    """Add, rotate, revoke and list the senders of the feeds."""


@sender.command("add")
@click.option("--oin", required=True, help="OIN of the sender, 20 digits.")
@click.option("--name", required=True, help="Name, as people know it.")
@click.option("--kind", required=True, type=click.Choice(senders.KINDS), help="What kind of body it is.")
@click.option("--certificate", help="SHA-256 of its client certificate, 64 hex digits (passed by the trusted proxy).")
@click.option("--reply-url", help="Where Bv01 and Fo01 go, when VEILIG_SEND_BV01 is on.")
@click.option("--team", help="Name of the partner for which it may answer handovers (/api/v1/overdrachten).")
@region_option
def sender_add(
    oin: str,
    name: str,
    kind: str,
    certificate: str | None,
    reply_url: str | None,
    team: str | None,
    region: str | None,
) -> None:
    """Add a sender and print its token, once. It goes into the header `Authorization: Bearer TOKEN`."""
    fingerprint = certificate.replace(":", "").lower() if certificate else None
    with _database() as db:
        token = senders.add(db, find_region(db, region), oin, name, kind, fingerprint, reply_url, team=team)
    click.echo(token)


@sender.command("rotate")
@click.option("--oin", required=True, help="OIN of the sender.")
@click.option("--overlap-hours", default=24.0, show_default=True, help="How long the old token stays good.")
@region_option
def sender_rotate(oin: str, overlap_hours: float, region: str | None) -> None:
    """Give a sender a new token and print it, once; the old one ends after the overlap."""
    with _database() as db:
        token = senders.rotate(db, find_region(db, region), oin, timedelta(hours=overlap_hours))
    click.echo(token)


@sender.command("revoke")
@click.option("--oin", required=True, help="OIN of the sender.")
@region_option
def sender_revoke(oin: str, region: str | None) -> None:
    """End a sender and all its tokens, from the next request on."""
    with _database() as db:
        senders.revoke(db, find_region(db, region), oin)
    click.echo(f"Sender {oin} is revoked.")


@sender.command("list")
@region_option
def sender_list(region: str | None) -> None:
    """List the senders of a region."""
    with _database() as db:
        for row in senders.listing(db, find_region(db, region)):
            state = "revoked" if row["revoked_at"] else f"{row['tokens']} token(s)"
            click.echo(f"{row['oin']}  {row['kind']:<12} {state:<12} {row['name']}")


@sender.command("webhook")
@click.option("--oin", required=True, help="OIN of the sender.")
@click.option("--url", required=True, help="Web address (https) that is told of feedback; '' to stop.")
@region_option
def sender_webhook(oin: str, url: str, region: str | None) -> None:
    """Set where a sender is told that there is feedback, and print the secret that signs it, once."""
    with _database() as db:
        place = find_region(db, region)
        secret = webhooks.set_address(db, place, _sender(db, place, oin).id, url, "operator")
    click.echo(secret or f"Sender {oin} gets no callbacks any more.")


@sender.command("try")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--oin", help="OIN of the sender; needed when there is more than one.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Also write the test set here.")
@region_option
def sender_try(paths: tuple[Path, ...], oin: str | None, folder: Path | None, region: str | None) -> None:
    """Try the test set at the doors, or files of a supplier (.xml is StUF, all else JSON). Nothing is stored.

    Prints per message the status, what would become of it and why. Exit code 1 when the test set gave another answer
    than it must.
    """
    own_logs_to_stderr()
    with _database() as db:
        found = _sender(db, find_region(db, region), oin)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for one in examples(found.oin, found.region_oin):
            (folder / one.file).write_bytes(one.body)
    if asyncio.run(_try(found, paths)):
        raise SystemExit(1)


async def _try(found: senders.Sender, paths: tuple[Path, ...]) -> int:
    other = 0
    async with await AsyncConnection.connect(database_url(), **connection_options()) as db:
        most = settings().max_message_bytes
        async for one in try_out.files(db, found, paths, most) if paths else try_out.the_set(db, found):
            click.echo(one.line())
            other += one.expected is False
    return other


@click.group("import")
def import_() -> None:
    """Bring in what was saved elsewhere."""


@import_.command("corv")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--sender", "oin", help="OIN of the sender; needed when there is more than one.")
@region_option
def import_corv(paths: tuple[Path, ...], oin: str | None, region: str | None) -> None:
    """Send saved StUF messages (files and folders with *.xml) through the feed; safe to repeat.

    Prints one CSV line per file: report, quarantine, refused or failed, and whether it was there already.
    Exit code 1 when a file could not be read or stored.
    """
    own_logs_to_stderr()
    files = sorted({file for path in paths for file in (path.rglob("*.xml") if path.is_dir() else [path])})
    with _database() as db:
        sender = _sender(db, find_region(db, region), oin)
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    failed = asyncio.run(_import(files, sender, writer))
    if failed:
        raise SystemExit(1)


@import_.command("register")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@region_option
def import_register(path: Path, region: str | None) -> None:
    """Load and link an old system's register: a CSV file, one line per person mentioned, oldest report first.

    Safe to start again: reports that are there already are passed over. Nothing is loaded of a file with a fault.
    Stop the workers first.
    """
    from workers import import_register as importing  # it holds the whole radar: loaded only when it is wanted

    with psycopg.connect(database_url(), **connection_options(0)) as db:
        loaded = importing.load_file(db, find_region(db, region), path)
    there = loaded.reports - loaded.new
    click.echo(f"{loaded.new} of {loaded.reports} reports are new in the register; {there} were there already.")


def _sender(db: Db, region: UUID, oin: str | None) -> senders.Sender:
    found = senders.active(db, region)
    chosen = [sender for sender in found if oin in (None, sender.oin)]
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise SettingsError("There is no such sender: `veilig sender list` shows them.")
    raise SettingsError("There are several senders: choose one with --sender OIN.")


async def _import(files: list[Path], sender: senders.Sender, writer: Any) -> int:
    failed = 0
    async with await AsyncConnection.connect(database_url(), **connection_options()) as db:
        with click.progressbar(files, label="Importing", file=sys.stderr) as bar:
            for file in bar:
                try:
                    raw = _content(file)
                    answer = await door.deliver(db, sender, raw)
                except (OSError, VeiligError, psycopg.Error) as error:
                    failed += 1
                    writer.writerow([file, "failed", "", "", type(error).__name__])
                    continue
                outcome = "refused" if answer.kept == "nothing" else answer.kept
                again = "yes" if answer.replay else "no"
                writer.writerow([file, outcome, again, answer.status, answer.code])
    return failed


def _content(file: Path) -> bytes:
    """The bytes of a file, not more than the feed would take."""
    with file.open("rb") as opened:
        return opened.read(settings().max_message_bytes + 1)


@click.command()
@click.option("--households", type=click.IntRange(1, 100_000), help="How many households to invent.")
@click.option("--days", type=click.IntRange(1, 7_300), help="How many days of history.")
@click.option("--if-empty", is_flag=True, help="Do nothing when there are reports already.")
def demo(households: int | None, days: int | None, if_empty: bool) -> None:
    """Invent a region with its households and send their reports through the real feed; safe to repeat."""
    own_logs_to_stderr()
    from workers import demo as inventing  # it holds all invented people: loaded only when it is wanted

    try:
        inventing.run(households or settings().demo_households, days or settings().demo_days, if_empty=if_empty)
        with transaction() as db:
            logins = DEMO_LOGINS if inventing.find_region(db) else ()
    finally:
        close_pools()
    for login in logins:
        click.echo(f"Login: {login.username:<6} password {login.password:<11} ({ROLES[login.role]})")


@click.group("show")
def show() -> None:
    """Show everything that is known of one thing."""


@show.command("melding")
@click.argument("identifier")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for a program.")
def show_melding(identifier: str, as_json: bool) -> None:
    """A report by our id, the sender's reference (referentienummer) or its kenmerk. This reading is audited."""
    with _database() as db:
        found = showing.reports(db, identifier, "operator")
    if as_json:
        click.echo(json.dumps(found[-1] if len(found) == 1 else found, default=str, ensure_ascii=False, indent=2))
        return
    for report in found:
        for part, content in report.items():
            click.echo(f"{part}: {json.dumps(content, default=str, ensure_ascii=False)}")


@click.group(invoke_without_command=True)
@click.pass_context
def verify(context: click.Context) -> None:
    """Check every rule that must always hold; prints each with its counts. Exit code 1 on a breach."""
    if context.invoked_subcommand:
        return
    broken = 0
    try:
        with psycopg.connect(database_url(), **connection_options(0)) as db:
            for finding in verifying.verify(db):
                broken += finding.breaches
                mark = "ok    " if not finding.breaches else "BREACH"
                counts = f"{finding.checked} checked, {finding.breaches} breaches"
                click.echo(f"{mark}  rule {finding.rule:>2}  {finding.text}: {counts}")
    finally:
        close_pools()
    click.echo("All rules hold." if not broken else f"{broken} breaches.")
    if broken:
        raise SystemExit(1)
