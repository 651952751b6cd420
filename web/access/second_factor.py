"""The second factor of a member: authenticator apps (TOTP, RFC 6238) here, passkeys in passkeys.py.

An app begins unproven and counts once its first code was right. The secret is sealed with a key from outside the
database; a code counts once, and none older than the last one that counted.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
import segno
from markupsafe import Markup

from core import audit
from core.database import Db, Row
from core.errors import Conflict
from core.ids import uuid7
from core.sealing import seal, unseal
from core.staff import Member

ISSUER = "Veilig Thuis Radar"
STEP_S = 30
DIGITS = 6
DRIFT = 1
"""Steps that a telephone's clock may be off, to either side."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An app that is being set up: shown to its owner only, until the first code was right."""

    secret: str
    address: str

    @property
    def drawing(self) -> Markup:
        """The QR code as SVG, drawn with attributes only (the pages allow no inline style)."""
        made = segno.make(self.address, error="m").svg_inline(scale=5, border=4, dark="#000000", light="#ffffff")
        # A drawing by segno, of a secret of ours: nothing in it was typed by somebody.
        return Markup(made.replace("<svg ", '<svg role="img" aria-label="QR-code voor uw authenticator-app" ', 1))  # noqa: S704

    @property
    def words(self) -> str:
        """The secret in groups of four, for who cannot scan."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


def begin(db: Db, member: Member) -> None:
    """Begin with an authenticator app; one that was begun before and never proven is forgotten."""
    db.execute(
        "UPDATE second_factor SET ended_at = now(), ended_by = 'begun again', secret = NULL"
        " WHERE staff_id = %s AND confirmed_at IS NULL AND ended_at IS NULL",
        (member.id,),
    )
    factor, secret = uuid7(), pyotp.random_base32()
    db.execute(
        "INSERT INTO second_factor (id, region_id, staff_id, kind, name, secret) VALUES (%s, %s, %s, 'totp', %s, %s)",
        (factor, member.region, member.id, "Authenticator-app", seal(secret.encode(), _place(factor))),
    )


def begun(db: Db, member: Member) -> Begun | None:
    """The app that waits for its first code."""
    row = _begun(db, member)
    if row is None:
        return None
    secret = _secret(row)
    return Begun(secret, pyotp.TOTP(secret).provisioning_uri(name=member.username, issuer_name=ISSUER))


def confirm(db: Db, member: Member, code: str, at: datetime) -> bool:
    """The first code of the app that was begun: it counts from now on. False when the code is wrong."""
    row = _begun(db, member)
    step = right_step(_secret(row), code, at) if row else None
    if row is None or step is None:
        return False
    db.execute(
        "UPDATE second_factor SET confirmed_at = now(), used_at = now(), last_step = %s WHERE id = %s",
        (step, row["id"]),
    )
    audit.append(db, member.region, member.username, "factor.add", "second_factor", row["id"], {"kind": "totp"})
    return True


def check(db: Db, member: Member, code: str, at: datetime) -> bool:
    """Whether this is a code of one of his apps that did not count before; then it counts, once."""
    for row in _of(db, member, "totp"):
        step = right_step(_secret(row), code, at)
        if step is None:
            continue
        used = db.execute(
            "UPDATE second_factor SET last_step = %(step)s, used_at = now()"
            " WHERE id = %(id)s AND ended_at IS NULL AND last_step < %(step)s",
            {"step": step, "id": row["id"]},
        )
        return used.rowcount == 1
    return False


def right_step(secret: str, code: str, at: datetime) -> int | None:
    """The step of 30 s whose code this is, now or one earlier or later; None when it is no such code."""
    typed, now = "".join(code.split()), int(at.timestamp()) // STEP_S
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(
            pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S).at(step * STEP_S).encode(), typed.encode()
        ):
            found = step
    return found


def factors(db: Db, staff_id: UUID) -> list[Row]:
    """What a member has that counts: kind, name, since when and when last used. No secrets."""
    return db.execute(
        "SELECT id, kind, name, confirmed_at, used_at FROM second_factor"
        " WHERE staff_id = %s AND confirmed_at IS NOT NULL AND ended_at IS NULL ORDER BY confirmed_at",
        (staff_id,),
    ).fetchall()


def end(db: Db, member: Member, factor: UUID) -> bool:
    """End one of his factors. False when it is not his. Raises Conflict for the last one: first add another."""
    # The member's row is the lock: of two factors that end at once, one stays.
    db.execute("SELECT 1 FROM staff WHERE id = %s FOR UPDATE", (member.id,))
    if len(factors(db, member.id)) < 2:
        raise Conflict("Dit is uw enige tweede stap. Voeg eerst een andere toe.")
    ended = db.execute(
        "UPDATE second_factor SET ended_at = now(), ended_by = %s, secret = NULL"
        " WHERE id = %s AND staff_id = %s AND confirmed_at IS NOT NULL AND ended_at IS NULL",
        (member.username, factor, member.id),
    )
    if ended.rowcount != 1:
        return False
    audit.append(db, member.region, member.username, "factor.end", "second_factor", factor)
    return True


def _of(db: Db, member: Member, kind: str) -> list[Row]:
    return db.execute(
        "SELECT * FROM second_factor WHERE staff_id = %s AND kind = %s AND confirmed_at IS NOT NULL"
        " AND ended_at IS NULL",
        (member.id, kind),
    ).fetchall()


def _begun(db: Db, member: Member) -> Row | None:
    return db.execute(
        "SELECT * FROM second_factor WHERE staff_id = %s AND kind = 'totp' AND confirmed_at IS NULL"
        " AND ended_at IS NULL",
        (member.id,),
    ).fetchone()


def _secret(row: Row) -> str:
    return unseal(bytes(row["secret"]), _place(row["id"])).decode()


def _place(factor: UUID) -> str:
    return f"second_factor.secret:{factor}"
