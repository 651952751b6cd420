"""A link and a code with which a member sets his own password, once: for a new login, and after a reset.

The two travel apart. After a reset by two persons (security.md T4) the code is with the one who started it and the
link with the one who confirmed it, so that neither of them can use it alone. Nobody chooses a password for another.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotFound, ReasonMissing
from core.ids import uuid7
from core.secrets import keyed_hash, new_token, token_hash
from core.settings import settings
from core.staff import Login, login_of

TRIES = 5
"""Wrong codes after which a link is worth nothing any more."""
RESET_DAYS = 2
PATH = "/aanmelden"
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Invitation:
    """Shown once; only hashes are kept."""

    token: str
    code: str

    @property
    def path(self) -> str:
        """The page of this link, without the host."""
        return f"{PATH}/{self.token}"


def invite(db: Db, region: UUID, staff_id: UUID, actor: str) -> Invitation:
    """A new link and code for this member; the one before is worth nothing from now on."""
    _end_open(db, staff_id)
    sign_up, made = uuid7(), Invitation(new_token(), new_code())
    db.execute(
        "INSERT INTO sign_up (id, region_id, staff_id, token_hash, code_hash, made_by, ends_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, now() + %s)",
        (sign_up, region, staff_id, token_hash(made.token), code_hash(sign_up, made.code), actor, good_for()),
    )
    audit.append(db, region, actor, "staff.invite", "staff", staff_id)
    return made


def opened(db: Db, token: str, code: str) -> Login | None:
    """The active login whose link and code these are, or None; a wrong code counts. To be committed either way."""
    row = db.execute(
        "SELECT id, staff_id, code_hash FROM sign_up"
        " WHERE token_hash = %s AND ended_at IS NULL AND ends_at > now() AND failures < %s FOR UPDATE",
        (token_hash(token), TRIES),
    ).fetchone()
    if row is None:
        return None
    if not hmac.compare_digest(code_hash(row["id"], code), bytes(row["code_hash"])):
        db.execute("UPDATE sign_up SET failures = failures + 1 WHERE id = %s", (row["id"],))
        return None
    login = login_of(db, row["staff_id"])
    return login if login and login.active else None


def use(db: Db, token: str) -> None:
    """This link has done its work. Raises Conflict when it was used at the same moment."""
    used = db.execute(
        "UPDATE sign_up SET used_at = now(), ended_at = now() WHERE token_hash = %s AND ended_at IS NULL",
        (token_hash(token),),
    )
    if used.rowcount != 1:
        raise Conflict


def start_reset(db: Db, region: UUID, staff_id: UUID, reason: str, by: UUID, actor: str) -> str:
    """The first person starts a recovery and gets the code, shown once. Nothing changes for the member yet.

    Raises ReasonMissing without a reason, NotFound for a member of elsewhere, Conflict for oneself.
    """
    if not (reason := reason.strip()[:REASON_LENGTH]):
        raise ReasonMissing
    if staff_id == by:
        raise Conflict("Uw eigen inlog kan alleen een ander herstellen.")
    known = db.execute(
        "SELECT 1 FROM staff WHERE id = %s AND region_id = %s AND active", (staff_id, region)
    ).fetchone()
    if known is None:
        raise NotFound
    db.execute("UPDATE sign_in_reset SET ended_at = now() WHERE staff_id = %s AND ended_at IS NULL", (staff_id,))
    reset, code = uuid7(), new_code()
    db.execute(
        "INSERT INTO sign_in_reset (id, region_id, staff_id, reason, code_hash, started_by, ends_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, now() + %s)",
        (reset, region, staff_id, reason, code_hash(reset, code), by, timedelta(days=RESET_DAYS)),
    )
    audit.append(db, region, actor, "staff.reset", "staff", staff_id, {"reset": str(reset)})
    return code


def confirm_reset(db: Db, region: UUID, reset: UUID, by: UUID, actor: str) -> str:
    """The second person confirms: sessions, factors and password of the member end. Returns the path of the link.

    Raises NotFound when there is nothing open, Conflict for who started it or whose login it is.
    """
    row = db.execute(
        "SELECT staff_id, started_by FROM sign_in_reset WHERE id = %s AND region_id = %s AND ended_at IS NULL"
        " AND ends_at > now()",
        (reset, region),
    ).fetchone()
    if row is None:
        raise NotFound
    if by in (row["staff_id"], row["started_by"]):
        raise Conflict("Een ander moet dit bevestigen: niet wie het begon, en niet om wiens inlog het gaat.")
    made = Invitation(new_token(), "")
    done = db.execute(
        "SELECT confirm_reset(%s, %s, now() + %s) AS member", (reset, token_hash(made.token), good_for())
    ).fetchone()
    if done is None or done["member"] is None:
        raise NotFound
    audit.append(db, region, actor, "staff.confirm_reset", "staff", row["staff_id"], {"reset": str(reset)})
    return made.path


def to_tell(db: Db, staff_id: UUID) -> list[Row]:
    """The resets of this member's login that he was not told of yet: when, by whom and why."""
    return db.execute(
        "SELECT r.id, r.reason, r.confirmed_at, a.name AS started_by, b.name AS confirmed_by FROM sign_in_reset r"
        " JOIN staff a ON a.id = r.started_by JOIN staff b ON b.id = r.confirmed_by"
        " WHERE r.staff_id = %s AND r.told_at IS NULL ORDER BY r.confirmed_at",
        (staff_id,),
    ).fetchall()


def forget_old(db: Db) -> int:
    """Forget attempts to sign in, known browsers and spent tickets that are old; returns how many rows."""
    days = settings().sign_in_kept_days
    forgotten = 0
    for query, kept in (
        ("DELETE FROM sign_in_attempt WHERE at < now() - make_interval(days => %s)", days),
        ("DELETE FROM staff_device WHERE seen_at < now() - make_interval(days => %s)", days),
        ("DELETE FROM spent_ticket WHERE at < now() - make_interval(days => %s)", 1),
    ):
        forgotten += db.execute(query, (kept,)).rowcount
    return forgotten


def new_code() -> str:
    """Eight digits, to be told by telephone or on paper."""
    return f"{secrets.randbelow(10**8):08}"


def code_hash(sign_up: UUID, code: str) -> bytes:
    """What is kept of a code; spaces between the digits do not count."""
    return keyed_hash(f"sign_up:{sign_up}:{''.join(code.split())}")


def good_for() -> timedelta:
    return timedelta(hours=settings().sign_up_hours)


def _end_open(db: Db, staff_id: UUID) -> None:
    db.execute("UPDATE sign_up SET ended_at = now() WHERE staff_id = %s AND ended_at IS NULL", (staff_id,))
