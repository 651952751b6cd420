"""The operator's command for teams: where colleagues reach a team, as a blind hit tells it."""

from __future__ import annotations

import click

from core import audit
from core.database import close_pools, transaction
from core.errors import NotFound
from workers.commands import find_region, region_option


@click.group()
def team() -> None:
    """Write down where colleagues reach a team."""


@team.command("phone")
@click.argument("name")
@click.argument("phone")
@region_option
def team_phone(name: str, phone: str, region: str | None) -> None:
    """Set the phone number that is shown when somebody must ask this team about a restricted dossier."""
    try:
        with transaction() as db:
            place = find_region(db, region)
            row = db.execute(
                "UPDATE team SET phone = %s WHERE region_id = %s AND name = %s RETURNING id",
                (phone.strip() or None, place, name),
            ).fetchone()
            if row is None:
                raise NotFound(f"There is no team {name} in this region.")
            audit.append(db, place, "operator", "team.phone", "team", row["id"])
    finally:
        close_pools()
    click.echo(f"{name}: {phone}")
