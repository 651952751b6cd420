"""The operator's commands for staff: the first administrator of an installation, and ending somebody's sessions."""

from __future__ import annotations

import click

from core import audit
from core.database import close_pools, transaction
from core.errors import NotFound
from core.settings import settings
from core.sign_up import invite
from core.staff import ROLES, Role, add_staff, look_up
from workers.commands import find_region, region_option

OPERATOR = "operator"


@click.group()
def staff() -> None:
    """Add a member of staff, list them, or end a member's sessions. The rest is done on the screen Medewerkers."""


@staff.command("add")
@click.option("--username", required=True, help="What he types to sign in.")
@click.option("--name", help="Name, as colleagues know him; the user name when it is left out.")
@click.option("--role", required=True, type=click.Choice(list(ROLES)), help="What he may do.")
@click.option("--oidc-subject", help="How the OIDC provider names him, when there is one.")
@region_option
def staff_add(username: str, name: str | None, role: Role, oidc_subject: str | None, region: str | None) -> None:
    """Add a login and print, once, the link and the code with which he sets his own password.

    Meant for the first administrator of an installation, who adds the others.
    """
    try:
        with transaction() as db:
            place = find_region(db, region)
            member = add_staff(db, place, username, name or username, role, oidc_subject=oidc_subject, actor=OPERATOR)
            made = invite(db, place, member, OPERATOR)
    finally:
        close_pools()
    click.echo(f"Link, good for {settings().sign_up_hours} hours: {settings().public_url or ''}{made.path}")
    click.echo(f"Code: {made.code}")


@staff.command("invite")
@click.argument("username")
def staff_invite(username: str) -> None:
    """Print a new link and code for a member who never set up his login; the earlier link ends."""
    try:
        with transaction() as db:
            login = look_up(db, username)
            known = (
                login
                and db.execute(
                    "SELECT 1 FROM second_factor"
                    " WHERE staff_id = %s AND ended_at IS NULL AND confirmed_at IS NOT NULL",
                    (login.member.id,),
                ).fetchone()
            )
            if login is None or known:
                raise NotFound("There is no such member, or he has set up his login: use a reset on the screen.")
            made = invite(db, login.member.region, login.member.id, OPERATOR)
    finally:
        close_pools()
    click.echo(f"Link, good for {settings().sign_up_hours} hours: {settings().public_url or ''}{made.path}")
    click.echo(f"Code: {made.code}")


@staff.command("list")
@region_option
def staff_list(region: str | None) -> None:
    """List the logins of a region."""
    try:
        with transaction() as db:
            rows = db.execute(
                "SELECT username, role, active FROM staff WHERE region_id = %s ORDER BY username",
                (find_region(db, region),),
            ).fetchall()
    finally:
        close_pools()
    for row in rows:
        click.echo(f"{row['username']:<24} {row['role']:<22} {'active' if row['active'] else 'blocked'}")


@staff.command("end-sessions")
@click.argument("username")
def staff_end_sessions(username: str) -> None:
    """End every session of this member at once."""
    try:
        with transaction() as db:
            login = look_up(db, username)
            if login is None:
                raise NotFound("There is no such member.")
            member = login.member
            ended = db.execute(
                "UPDATE staff_session SET ended_at = now() WHERE staff_id = %s AND ended_at IS NULL", (member.id,)
            ).rowcount
            audit.append(db, member.region, OPERATOR, "staff.end_sessions", "staff", member.id, {"ended": ended})
    finally:
        close_pools()
    click.echo(f"{ended} sessions ended.")
