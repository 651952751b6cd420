"""`veilig rules`: the rule sets of a region from the command line, with the same checks as the screens."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from uuid import UUID

import click

from core.database import Db, Row, close_pools, now, transaction
from core.deadlines import AMSTERDAM
from core.errors import Conflict, NotFound, SettingsError
from core.logs import own_logs_to_stderr
from radar.quality import activation, rehearsal, rows, rulesets
from workers import work
from workers.commands import find_region, region_option

OPERATOR = "operator"
MAX_BYTES = 5 * 1024 * 1024
LOOK_AGAIN_S = 0.2
"""While a worker has the part, we look again after this."""


@click.group()
def rules() -> None:
    """List, add, rehearse and activate the rule sets of the radar."""
    click.get_current_context().call_on_close(close_pools)


@rules.command("list")
@region_option
def rules_list(region: str | None) -> None:
    """List the rule sets; a star marks the one in force."""
    with transaction() as db:
        where = find_region(db, region)
        for one in rulesets.listing(db, where):
            came = "shipped" if one.shipped else f"added by {one.added_by}"
            click.echo(f"{'*' if one.in_force else ' '} {one.version:<24} {came:<24} {one.source}")
        for row in rows.rehearsals(db, where, 10):
            asked = row["asked_at"].astimezone(AMSTERDAM)
            state = "finished" if row["finished_at"] else f"{row['done']} of {row['reports']} reports"
            click.echo(
                f"  rehearsal {row['id']}  {row['version']} against {row['against']}, {asked:%Y-%m-%d}: {state}"
            )


@rules.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@region_option
def rules_add(file: Path, region: str | None) -> None:
    """Add a rule set from a JSON file. It is checked, stored, and not in force yet."""
    if file.stat().st_size > MAX_BYTES:
        raise SettingsError(f"{file.name} is larger than {MAX_BYTES // 1024} kB.")
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError:
        raise SettingsError(f"{file.name} is no UTF-8 text.") from None
    with transaction() as db:
        added = rulesets.add(db, find_region(db, region), text, OPERATOR, now(db))
    click.echo(added.version)


@rules.command("rehearse")
@click.argument("version")
@click.option("--reports", type=int, help="How many of the newest stored reports.")
@region_option
def rules_rehearse(version: str, reports: int | None, region: str | None) -> None:
    """Try a rule set on stored reports, beside the one in force; prints what would change. Safe to interrupt."""
    own_logs_to_stderr()
    with transaction() as db:
        where = find_region(db, region)
        started = rehearsal.ask(db, where, version, OPERATOR, now(db), reports)
    click.echo(f"rehearsal {started}")
    with transaction() as db:
        total = _rehearsal(db, where, started)["reports"]
    with click.progressbar(length=max(total, 1), label="Rehearsing", file=sys.stderr) as bar:
        while (row := _step(where, started))["finished_at"] is None:
            bar.update(int(row["done"]) - bar.pos)
        bar.update(max(total, 1) - bar.pos)
    with transaction() as db:
        _tell(db, row)


@rules.command("activate")
@click.argument("version")
@click.option("--reason", required=True, help="Why; it is kept for ever.")
@region_option
def rules_activate(version: str, reason: str, region: str | None) -> None:
    """Put a rehearsed rule set in force."""
    with transaction() as db:
        where = find_region(db, region)
        rulesets.find(db, where, version)
        newest = rows.newest_rehearsal(db, where, version)
        if newest is None:
            raise Conflict(f"Met de regels {version} is nog niet proefgedraaid: `veilig rules rehearse {version}`.")
        activation.activate(db, where, newest, reason, OPERATOR, now(db))
    click.echo(f"{version} is in force.")


def _step(region: UUID, rehearsal_id: UUID) -> Row:
    """Carry out the next part, or wait for the worker that has it; gives the rehearsal as it stands after that."""
    with transaction() as db:
        part = rows.next_part(db, rehearsal_id)
        job = (
            part
            and db.execute("SELECT id FROM job WHERE kind = %s AND subject_id = %s", (rehearsal.JOB, part)).fetchone()
        )
    if job and not work.carry_out(job["id"]):
        threading.Event().wait(LOOK_AGAIN_S)
    with transaction() as db:
        row = _rehearsal(db, region, rehearsal_id)
    if row["stopped_job"]:
        raise Conflict(f"Het proefdraaien is vastgelopen: zie taak {row['stopped_job']}.")
    return row


def _rehearsal(db: Db, region: UUID, rehearsal_id: UUID) -> Row:
    row = rows.rehearsal(db, region, rehearsal_id)
    if row is None:
        raise NotFound
    return row


def _tell(db: Db, row: Row) -> None:
    counts = rows.change_counts(db, row["id"])
    changed = sum(number for kind, number in counts.items() if kind != "contradicts")
    click.echo(f"{row['weighed']} reports, {row['mentions']} mentions, {row['mentions'] - changed} the same")
    for kind, number in sorted(counts.items()):
        click.echo(f"{kind}: {number}")
    if row["weighed"]:
        more = (row["questions_after"] - row["questions_before"]) * 100 / row["weighed"]
        click.echo(f"questions per 100 reports: {more:+.1f}")
