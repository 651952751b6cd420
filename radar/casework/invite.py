"""An invitation to answer a handover without an account: a link, and a code that is told over another channel.

Both are stored as hashes and open one visit, of an hour at most; a link that leaks afterwards is worth nothing. A
wrong, unknown, expired, ended and used invitation give the same answer. Each attempt is in the audit trail.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound
from core.ids import uuid7
from core.secrets import keyed_hash, new_token, token_hash
from radar.casework import terms
from radar.casework.terms import Length

PATH = "/partner"
VISIT = timedelta(minutes=60)
ATTEMPTS = 5
DIGITS = 8


@dataclass(frozen=True, slots=True)
class Invitation:
    """What is shown once to the person who invites: the link goes by mail, the code by phone."""

    url_path: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """A partner in a visit: he sees this handover and nothing else."""

    invite_id: UUID
    handover_id: UUID
    report_id: UUID
    region: UUID
    team: str
    until: datetime

    @property
    def actor(self) -> str:
        return f"partner:{self.team}"


def invite(db: Db, handover_id: UUID, *, by: str, at: datetime) -> Invitation:
    """A new invitation for an open offer; the older ones end. Good for the working days agreed with the offer.

    Raises NotFound; Conflict when the offer was answered or the team ended.
    """
    handover = db.execute(
        "SELECT h.region_id, h.state, h.days, t.valid_to FROM handover h JOIN team t ON t.id = h.team_id"
        " WHERE h.id = %s FOR UPDATE OF h",
        (handover_id,),
    ).fetchone()
    if handover is None:
        raise NotFound
    if handover["state"] != "offered":
        raise Conflict("Dit aanbod wacht niet meer op antwoord. Een link is niet nodig.")
    if _ended(handover, at):
        raise Conflict("Dit team bestaat niet meer. Trek het aanbod in en kies een ander team.")
    end_all(db, handover_id, at)
    invite_id, token, code = uuid7(), new_token(), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    expires_at = terms.count(local_day(at), Length(unit="working_days", amount=handover["days"])).due_at
    db.execute(
        "INSERT INTO handover_invite (id, region_id, handover_id, token_hash, code_hash, created_at, created_by,"
        " expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            invite_id,
            handover["region_id"],
            handover_id,
            token_hash(token),
            _code_hash(invite_id, code),
            at,
            by,
            expires_at,
        ),
    )
    audit.append(
        db, handover["region_id"], by, "handover.invite", "handover", handover_id, {"invite": str(invite_id)}
    )
    return Invitation(f"{PATH}/{token}", code, expires_at)


def open_visit(db: Db, token: str, code: str, at: datetime) -> str | None:
    """The token of the one visit, for a good link with its code; else None, the same for every reason.

    The fifth wrong code ends the invitation. The caller commits in both cases, so that the attempt counts.
    """
    row = db.execute(
        "SELECT i.*, h.state, t.name AS team, t.valid_to FROM handover_invite i"
        " JOIN handover h ON h.id = i.handover_id JOIN team t ON t.id = h.team_id"
        " WHERE i.token_hash = %s FOR UPDATE OF i",
        (token_hash(token),),
    ).fetchone()
    known = row["id"] if row else UUID(int=0)
    right = hmac.compare_digest(_code_hash(known, code), bytes(row["code_hash"]) if row else bytes(32))
    if row is None:
        audit.append(db, audit.NO_REGION, "unknown", "partner.enter", "handover", outcome="refused")
        return None
    good = (
        row["ended_at"] is None
        and row["visit_hash"] is None
        and row["expires_at"] > at
        and row["state"] == "offered"
        and not _ended(row, at)
    )
    visit = new_token() if good and right else None
    if visit:
        db.execute(
            "UPDATE handover_invite SET visit_hash = %s, visit_until = %s WHERE id = %s",
            (token_hash(visit), at + VISIT, row["id"]),
        )
    elif good:
        db.execute(
            "UPDATE handover_invite SET attempts = attempts + 1,"
            " ended_at = CASE WHEN attempts + 1 >= %s THEN %s::timestamptz END WHERE id = %s",
            (ATTEMPTS, at, row["id"]),
        )
    audit.append(
        db,
        row["region_id"],
        f"partner:{row['team']}",
        "partner.enter",
        "handover",
        row["handover_id"],
        {"invite": str(row["id"])},
        "ok" if visit else "refused",
    )
    return visit


def visitor(db: Db, visit_token: str, at: datetime) -> Visitor | None:
    """Whose visit this is; None when it is over, its offer was answered, or there is none."""
    row = db.execute(
        "SELECT i.id, i.handover_id, i.region_id, i.visit_until, h.report_id, t.name AS team, t.valid_to"
        " FROM handover_invite i JOIN handover h ON h.id = i.handover_id JOIN team t ON t.id = h.team_id"
        " WHERE i.visit_hash = %s AND i.ended_at IS NULL AND i.visit_until > %s AND h.state = 'offered'",
        (token_hash(visit_token), at),
    ).fetchone()
    if row is None or _ended(row, at):
        return None
    return Visitor(row["id"], row["handover_id"], row["report_id"], row["region_id"], row["team"], row["visit_until"])


def end_all(db: Db, handover_id: UUID, at: datetime) -> None:
    """End every invitation of a handover, with the visit that it opened."""
    db.execute(
        "UPDATE handover_invite SET ended_at = %s WHERE handover_id = %s AND ended_at IS NULL", (at, handover_id)
    )


def current(db: Db, handover_id: UUID, at: datetime) -> Row | None:
    """The invitation that holds now: created_at, created_by, expires_at, attempts, visit_until (None: not used)."""
    return db.execute(
        "SELECT created_at, created_by, expires_at, attempts, visit_until FROM handover_invite"
        " WHERE handover_id = %s AND ended_at IS NULL AND coalesce(visit_until, expires_at) > %s",
        (handover_id, at),
    ).fetchone()


def _code_hash(invite_id: UUID, code: str) -> bytes:
    """Only digits count, so a code may be typed with spaces."""
    return keyed_hash(f"handover:{invite_id}:{''.join(one for one in code[:40] if one.isdigit())}")


def _ended(team: Row, at: datetime) -> bool:
    return team["valid_to"] is not None and team["valid_to"] < local_day(at)
