"""Staff: who may sign in, and the check of a password in the same time whether the name exists or not.

A login without a password is one that still has to be set up (core/sign_up.py), or that signs in at the provider of
the organisation.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from psycopg import sql

from core import audit
from core.database import Db
from core.errors import Conflict, NotFound, VeiligError
from core.ids import uuid7
from core.settings import settings

Role = Literal[
    "intake_worker",
    "assessor",
    "behavioural_scientist",
    "trusted_physician",
    "team_lead",
    "privacy_officer",
    "auditor",
    "administrator",
]
ROLES: dict[str, str] = {
    "intake_worker": "medewerker intake",
    "assessor": "beoordelaar",
    "behavioural_scientist": "gedragswetenschapper",
    "trusted_physician": "vertrouwensarts",
    "team_lead": "teamleider",
    "privacy_officer": "functionaris gegevensbescherming",
    "auditor": "auditor",
    "administrator": "functioneel beheerder",
}
MAX_PASSWORD = 200
"""Longer input is refused before it is hashed, so that a sign-in cannot be made expensive."""

GUESSED = frozenset(
    "wachtwoord password welkom welcome geheim qwerty qwertyuiop azerty azertyuiop voorjaar zomer najaar herfst"
    " winter veiligthuis veilig thuis nederland abcdefghijkl abcdefghijklm letmein iloveyou".split()
)
"""What is tried first; digits and signs before and after do not make it better."""

_hasher = PasswordHasher()
_at_work = threading.BoundedSemaphore(4)
"""Each check takes 64 MiB: a storm of sign-ins waits its turn instead of taking the memory of the machine."""


class BadPassword(VeiligError):
    """Dit wachtwoord is niet sterk genoeg."""

    status = 400


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
    DemoLogin("vera", "demo-vera", "Vera Vertrouwensarts", "trusted_physician"),
    DemoLogin("teun", "demo-teun", "Teun Teamleider", "team_lead"),
    DemoLogin("paula", "demo-paula", "Paula Privacy", "privacy_officer"),
    DemoLogin("arie", "demo-arie", "Arie Auditor", "auditor"),
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
    stepped_up_until: datetime | None = None
    """Until when he may do what asks for proving oneself again."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a sign-in is compared with; read at the door only."""

    member: Member
    active: bool
    password_hash: str | None

    @property
    def stamp(self) -> str:
        """Another one as soon as the password changes: a half sign-in from before it is worth nothing."""
        return hashlib.sha256((self.password_hash or "").encode()).hexdigest()[:16]


def add_staff(
    db: Db,
    region: UUID,
    username: str,
    name: str,
    role: Role,
    password: str | None = None,
    team: UUID | None = None,
    *,
    oidc_subject: str | None = None,
    actor: str = "system",
) -> UUID:
    """Add a login. Raises Conflict when the user name is taken (user names are one list for all regions)."""
    staff_id = uuid7()
    values = {
        "id": staff_id,
        "region_id": region,
        "team_id": team,
        "username": username.strip().lower(),
        "name": name,
        "role": role,
        "oidc_subject": oidc_subject,
    }
    if password is not None:
        values["password_hash"] = _hashed(password)
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in values)
    added = db.execute(
        sql.SQL("INSERT INTO staff ({}) VALUES ({}) ON CONFLICT DO NOTHING").format(
            columns, sql.SQL(", ").join(sql.Placeholder(column) for column in values)
        ),
        values,
    )
    if added.rowcount != 1:
        raise Conflict("Deze gebruikersnaam of dit nummer van de inlogdienst bestaat al.")
    audit.append(db, region, actor, "staff.add", "staff", staff_id, {"role": role})
    return staff_id


def look_up(db: Db, username: str) -> Login | None:
    """The login with this user name, active or not."""
    return _login(db, "username", username.replace("\x00", "").strip().lower())


def login_of(db: Db, staff_id: UUID) -> Login | None:
    """The login of this member, active or not."""
    return _login(db, "id", staff_id)


def login_of_subject(db: Db, subject: str) -> Login | None:
    """The login that the OIDC provider names so, active or not."""
    return _login(db, "oidc_subject", subject)


def right_password(login: Login | None, typed: str) -> bool:
    """Whether this is the password of an active login.

    An unknown name, an inactive login, one without a password and a wrong password cost the same work.
    """
    known = login is not None and login.password_hash is not None
    right = _verify(login.password_hash if login and login.password_hash else _nobody(), typed)
    return right and known and login is not None and login.active


def check_password(db: Db, username: str, password: str) -> Member | None:
    """The member with this name and password, or None; renews a hash that was made with older parameters."""
    login = look_up(db, username)
    if not right_password(login, password) or login is None:
        return None
    renew_hash(db, login, password)
    return login.member


def renew_hash(db: Db, login: Login, password: str) -> None:
    """Keep a password that was right just now by today's parameters."""
    if login.password_hash and _hasher.check_needs_rehash(login.password_hash):
        db.execute("UPDATE staff SET password_hash = %s WHERE id = %s", (_hashed(password), login.member.id))


def set_password(db: Db, member: Member, password: str) -> None:
    """Give a member this password. Raises BadPassword with what is wrong with it."""
    if problem := password_problem(password, member):
        raise BadPassword(problem)
    db.execute("UPDATE staff SET password_hash = %s WHERE id = %s", (_hashed(password), member.id))


def password_problem(password: str, member: Member) -> str | None:
    """Why this cannot be a password, in a Dutch sentence; None when it can.

    Long is strong; no rules for kinds of signs (ASVS 5.0 6.2.1, 6.2.5), and nothing that everybody tries first.
    """
    plain = password.casefold()
    own = [member.username, *member.name.casefold().split()]
    if len(password) < settings().password_min_length:
        return f"Kies een wachtwoord van ten minste {settings().password_min_length} tekens, bijvoorbeeld een zin."
    if len(password) > MAX_PASSWORD:
        return f"Kies een wachtwoord van ten hoogste {MAX_PASSWORD} tekens."
    if any(len(word) > 3 and word in plain for word in own):
        return "Gebruik uw naam niet in uw wachtwoord."
    if len(set(plain)) < 6 or plain.strip("0123456789!?. ") in GUESSED:
        return "Dit wachtwoord is te makkelijk te raden. Kies iets anders, bijvoorbeeld een zin."
    return None


def change(
    db: Db, region: UUID, staff_id: UUID, role: str, team: UUID | None, active: bool, reason: str, actor: str
) -> None:
    """Give a member other rights, from his next request on. Raises NotFound, and Conflict when it cannot be."""
    if role not in ROLES:
        raise NotFound
    if team is not None:
        own = db.execute(
            "SELECT 1 FROM team WHERE id = %s AND region_id = %s AND kind = 'veilig_thuis'", (team, region)
        ).fetchone()
        if own is None:
            raise NotFound
    changed = db.execute(
        "UPDATE staff SET role = %s, team_id = %s, active = %s WHERE id = %s AND region_id = %s",
        (role, team, active, staff_id, region),
    )
    if changed.rowcount != 1:
        raise NotFound
    db.execute(
        "INSERT INTO staff_change (id, region_id, staff_id, role, team_id, active, reason, changed_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (uuid7(), region, staff_id, role, team, active, reason, actor),
    )
    audit.append(
        db,
        region,
        actor,
        "staff.change",
        "staff",
        staff_id,
        {"role": role, "team": str(team) if team else None, "active": active},
    )


def ensure_demo_staff(db: Db, region: UUID) -> None:
    """Make the logins of demo mode that are not there yet."""
    for login in DEMO_LOGINS:
        known = db.execute("SELECT 1 FROM staff WHERE username = %s", (login.username,)).fetchone()
        if known is None:
            add_staff(db, region, login.username, login.name, login.role, login.password)


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password has, made with the same parameters as the real ones."""
    return _hashed(secrets.token_hex())


def _hashed(password: str) -> str:
    with _at_work:
        return _hasher.hash(password)


def _login(db: Db, column: str, value: object) -> Login | None:
    row = db.execute(
        sql.SQL(
            "SELECT id, region_id, username, name, role, team_id, password_hash, active FROM staff WHERE {} = %s"
        ).format(sql.Identifier(column)),
        (value,),
    ).fetchone()
    if row is None:
        return None
    member = Member(row["id"], row["region_id"], row["username"], row["name"], row["role"], row["team_id"])
    return Login(member, row["active"], row["password_hash"])


def _verify(password_hash: str, password: str) -> bool:
    try:
        with _at_work:
            return _hasher.verify(password_hash, password[:MAX_PASSWORD]) and len(password) <= MAX_PASSWORD
    except (VerifyMismatchError, InvalidHashError):
        return False
