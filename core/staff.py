"""Staff: who may sign in, and the check of a password in the same time whether the name exists or not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from core import audit
from core.database import Db
from core.errors import Conflict
from core.ids import uuid7

Role = Literal["intake_worker", "assessor", "behavioural_scientist", "team_lead", "administrator"]
ROLES: dict[str, str] = {
    "intake_worker": "medewerker intake",
    "assessor": "beoordelaar",
    "behavioural_scientist": "gedragswetenschapper",
    "team_lead": "teamleider",
    "administrator": "functioneel beheerder",
}
MAX_PASSWORD = 200
"""Longer input is refused before it is hashed, so that a sign-in cannot be made expensive."""

_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A ready login of demo mode; never made on a production database."""

    username: str
    password: str
    name: str
    role: Role


DEMO_LOGINS: tuple[DemoLogin, ...] = (
    DemoLogin("ilse", "demo-ilse", "Ilse Intake", "intake_worker"),
    DemoLogin("bram", "demo-bram", "Bram Beoordelaar", "assessor"),
    DemoLogin("gwen", "demo-gwen", "Gwen Gedragswetenschapper", "behavioural_scientist"),
    DemoLogin("teun", "demo-teun", "Teun Teamleider", "team_lead"),
    DemoLogin("fenna", "demo-fenna", "Fenna Beheerder", "administrator"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the staff who proved who he is."""

    id: UUID
    region: UUID
    username: str
    name: str
    role: str
    team: UUID | None = None
    """The team he works in; None for who works for all."""


def add_staff(
    db: Db, region: UUID, username: str, name: str, role: Role, password: str, team: UUID | None = None
) -> UUID:
    """Add a login. Raises Conflict when the user name is taken (user names are one list for all regions)."""
    staff_id = uuid7()
    added = db.execute(
        "INSERT INTO staff (id, region_id, team_id, username, name, role, password_hash) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (username) DO NOTHING",
        (staff_id, region, team, username.strip().lower(), name, role, _hasher.hash(password)),
    )
    if added.rowcount != 1:
        raise Conflict("Deze gebruikersnaam bestaat al.")
    audit.append(db, region, "system", "staff.add", "staff", staff_id, {"role": role})
    return staff_id


def check_password(db: Db, username: str, password: str) -> Member | None:
    """The member with this name and password, or None.

    An unknown name, an inactive login and a wrong password cost the same work and give the same answer.
    """
    row = db.execute(
        "SELECT id, region_id, username, name, role, team_id, password_hash, active FROM staff WHERE username = %s",
        (username.replace("\x00", "").strip().lower(),),
    ).fetchone()
    right = _verify(row["password_hash"] if row else _nobody(), password)
    if row is None or not right or not row["active"]:
        return None
    if _hasher.check_needs_rehash(row["password_hash"]):
        db.execute("UPDATE staff SET password_hash = %s WHERE id = %s", (_hasher.hash(password), row["id"]))
    return Member(row["id"], row["region_id"], row["username"], row["name"], row["role"], row["team_id"])


def ensure_demo_staff(db: Db, region: UUID) -> None:
    """Make the logins of demo mode that are not there yet."""
    for login in DEMO_LOGINS:
        known = db.execute("SELECT 1 FROM staff WHERE username = %s", (login.username,)).fetchone()
        if known is None:
            add_staff(db, region, login.username, login.name, login.role, login.password)


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password has, made with the same parameters as the real ones."""
    return _hasher.hash(uuid7().hex)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password[:MAX_PASSWORD]) and len(password) <= MAX_PASSWORD
    except (VerifyMismatchError, InvalidHashError):
        return False
