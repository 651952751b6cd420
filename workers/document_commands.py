"""`veilig documents`: rules and texts from the command line, with the same checks as the screens."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from core.database import Db, close_pools, now, transaction
from core.documents import Version
from core.errors import SettingsError
from radar import documents as product
from radar.documents import store
from radar.documents.rehearsal import rehearse
from workers.commands import find_region, region_option

OPERATOR = "operator"


@click.group()
def documents() -> None:
    """List, export, import and activate rules and texts: letters, lists, terms, holidays, questionnaires."""
    click.get_current_context().call_on_close(close_pools)


@documents.command("list")
@click.argument("kind", required=False)
@region_option
def documents_list(kind: str | None, region: str | None) -> None:
    """List the kinds with the version in force, or the versions of one KIND; a star marks the one in force."""
    with transaction() as db:
        where = find_region(db, region)
        if kind is None:
            for one in product.listing(db, where):
                came = f"version {one.version.number}" if one.version else "file"
                waits = f"  {one.waiting} waiting" if one.waiting else ""
                click.echo(f"{one.described.code:<24} {came:<12} {one.name:<16} {one.described.title}{waits}")
            return
        described = store.find(kind)
        found = product.versions(db, where, described)
        for stored in found:
            mark = "*" if stored.in_force else " "
            click.echo(
                f"{mark} {stored.version.number:<5} {stored.made_by:<20} {stored.made_at:%Y-%m-%d}  {stored.note}"
            )
        click.echo(f"{' ' if any(one.in_force for one in found) else '*'} {store.FILE}")


@documents.command("export")
@click.argument("kind")
@click.argument("version", default="")
@region_option
def documents_export(kind: str, version: str, region: str | None) -> None:
    """Print a version of KIND: a number, `file`, or the one in force."""
    with transaction() as db:
        where = find_region(db, region)
        one = store.find(kind)
        found = _version(db, where, one, version) if version else store.in_force(db, where, one)
        click.echo(found.text if found else one.kind.built_in(), nl=False)


@documents.command("import")
@click.argument("kind")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--note", required=True, help="What is different, and why; it is kept for ever.")
@click.option("--by", default=OPERATOR, show_default=True, help="Who made it.")
@region_option
def documents_import(kind: str, file: Path, note: str, by: str, region: str | None) -> None:
    """Add FILE as a new version of KIND. It is checked, stored, and not in force yet."""
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{file.name} is no UTF-8 text.") from None
    with transaction() as db:
        made = product.add(db, find_region(db, region), kind, text, note, by=by, at=now(db))
    click.echo(made.number)


@documents.command("activate")
@click.argument("kind")
@click.argument("version")
@click.option("--reason", required=True, help="Why; it is kept for ever.")
@click.option("--by", default=OPERATOR, show_default=True, help="Who decides: not who made the version.")
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@region_option
def documents_activate(kind: str, version: str, reason: str, by: str, dry_run: bool, region: str | None) -> None:
    """Put a VERSION of KIND in force: a number, or `file` for the one that came with the program."""
    with transaction() as db:
        where = find_region(db, region)
        one = store.find(kind)
        wanted = _version(db, where, one, version)
        current = store.in_force(db, where, one)
        said = [sentence.dutch for sentence in rehearse(db, where, one, wanted, now(db)).sentences]
        for sentence in [*said, one.when]:
            click.echo(sentence)
        if dry_run:
            return
        against = current.number if current else None
        number = wanted.number if wanted else None
        product.activate(db, where, kind, number, reason, against=against, shown=said, by=by, at=now(db))
    click.echo(f"{kind} {version} is in force.")


def _version(db: Db, region: UUID, one: product.Described, version: str) -> Version | None:
    if version == store.FILE:
        return None
    if not version.isdecimal() or len(version) > 8:
        raise SettingsError(f"A version is a number or `{store.FILE}`.")
    return store.stored(db, region, one, int(version)).version
