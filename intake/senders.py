"""Senders: who may post to the feeds, each with tokens of its own and/or a client certificate.

A token is random, shown once, stored as its hash, rotated with an overlap and revoked at once. The OIN of a
sender must be the one in its messages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation

from core import audit
from core.database import AsyncDb, Db, Row
from core.errors import Conflict, NotFound, VeiligError
from core.identity import parse_oin
from core.ids import uuid7
from core.secrets import new_token, token_hash

KINDS = (
    "politie",
    "halt",
    "onderwijs",
    "zorg",
    "gemeente",
    "jeugdhulp",
    "kinderopvang",
    "anders",
    "lokaal_team",
    "partner",
)


class UnknownKind(VeiligError):
    """De soort afzender is onbekend; `veilig sender add --help` noemt de soorten."""

    status = 400


class NoPartner(VeiligError):
    """Dit team staat niet in deze regio, of het is een eigen team van Veilig Thuis."""

    status = 400


class NotAuthentic(VeiligError):
    """Geef een geldig token van deze afzender in de kop Authorization: Bearer."""

    status = 401


@dataclass(frozen=True, slots=True)
class Sender:
    """A sender with the region it sends to, and what it proved itself with (nothing: an operator's import)."""

    id: UUID
    region: UUID
    region_oin: str
    region_application: str
    oin: str
    name: str
    kind: str
    token: UUID | None = None
    certificate: str | None = None


_SELECT = (
    "SELECT s.id, s.region_id, r.oin AS region_oin, r.application, s.oin, s.name, s.kind"
    " FROM sender s JOIN region r ON r.id = s.region_id"
)
_BY_TOKEN = _SELECT.replace(" FROM", ", t.id AS token FROM") + (
    " JOIN sender_token t ON t.sender_id = s.id WHERE t.token_hash = %s AND s.revoked_at IS NULL"
    " AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())"
)
_BY_CERTIFICATE = _SELECT + " WHERE s.certificate_sha256 = %s AND s.revoked_at IS NULL"

MAY_SEND = """
SELECT FROM sender s WHERE s.id = %(sender)s AND s.revoked_at IS NULL
AND (%(certificate)s::text IS NULL OR s.certificate_sha256 = %(certificate)s)
AND (%(token)s::uuid IS NULL OR EXISTS (SELECT FROM sender_token t WHERE t.id = %(token)s AND t.revoked_at IS NULL
    AND (t.expires_at IS NULL OR t.expires_at > now())))"""
"""One row while a sender's proof still holds. Part of the statement of receipt, so that it counts at the commit."""

REMEMBER_S = 60.0
_remembered: dict[tuple[bytes | None, str | None], tuple[float, Sender]] = {}


async def authenticate(db: AsyncDb, token: str | None, certificate_sha256: str | None) -> Sender:
    """The sender that holds this token and/or certificate. Raises NotAuthentic, the same for every reason.

    `certificate_sha256` (64 hex digits) counts only when a trusted proxy passed it; the caller sees to that. Who
    proved himself is remembered for a minute, so `MAY_SEND` is asked again before anything is stored or told.
    """
    proof = (token_hash(token) if token else None, certificate_sha256)
    known = _remembered.get(proof)
    if known and known[0] > monotonic():
        return known[1]
    found = [
        _sender(row)
        for query, value in zip((_BY_TOKEN, _BY_CERTIFICATE), proof, strict=True)
        if value and (row := await (await db.execute(query, (value,))).fetchone())
    ]
    given = sum(1 for value in proof if value)
    if not found or len(found) != given or len({sender.id for sender in found}) > 1:
        raise NotAuthentic
    sender = replace(found[0], certificate=certificate_sha256)
    if len(_remembered) > 1000:
        forget()
    _remembered[proof] = (monotonic() + REMEMBER_S, sender)
    return sender


async def require_still_valid(db: AsyncDb, sender: Sender) -> None:
    """Raises NotAuthentic when the sender or its proof was revoked or ran out meanwhile."""
    cursor = await db.execute(MAY_SEND, proof_of(sender))
    if await cursor.fetchone() is None:
        forget(sender)
        raise NotAuthentic


def forget(sender: Sender | None = None) -> None:
    """Remember nothing more of this sender's proofs; of nobody's when no sender is given."""
    for proof in [proof for proof, (_, known) in _remembered.items() if sender is None or known.id == sender.id]:
        del _remembered[proof]


def proof_of(sender: Sender) -> dict[str, Any]:
    """The parameters of `MAY_SEND`."""
    return {"sender": sender.id, "token": sender.token, "certificate": sender.certificate}


def active(db: Db, region: UUID) -> list[Sender]:
    """The senders of a region that may send now, for messages that come in by another way than the web."""
    rows = db.execute(_SELECT + " WHERE s.region_id = %s AND s.revoked_at IS NULL ORDER BY s.oin", (region,))
    return [_sender(row) for row in rows]


def _sender(row: Row) -> Sender:
    return Sender(
        row["id"],
        row["region_id"],
        row["region_oin"],
        row["application"],
        row["oin"],
        row["name"],
        row["kind"],
        row.get("token"),
    )


def add(
    db: Db,
    region: UUID,
    oin: str,
    name: str,
    kind: str,
    certificate_sha256: str | None = None,
    reply_url: str | None = None,
    actor: str = "operator",
    team: str | None = None,
) -> str:
    """Register a sender and return its first token, which is shown only now.

    `team`: the name of the partner for which it may answer handovers. Raises InvalidOin, UnknownKind, NoPartner, or
    Conflict when the OIN is taken in this region.
    """
    if kind not in KINDS:
        raise UnknownKind
    team_id = _partner(db, region, team) if team else None
    identifier = uuid7()
    try:
        with db.transaction():
            db.execute(
                "INSERT INTO sender (id, region_id, oin, name, kind, certificate_sha256, reply_url, team_id)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (identifier, region, parse_oin(oin), name, kind, certificate_sha256, reply_url, team_id),
            )
    except UniqueViolation:
        raise Conflict(
            "Deze OIN of dit certificaat is al van een afzender. Gebruik `veilig sender rotate`."
        ) from None
    audit.append(db, region, actor, "sender.add", "sender", identifier, {"oin": oin, "kind": kind})
    return _new_token(db, identifier)


def rotate(db: Db, region: UUID, oin: str, overlap: timedelta, actor: str = "operator") -> str:
    """Give a new token; the old ones stay good for `overlap`, so that the sender can switch.

    Raises NotFound, or Conflict for a revoked sender.
    """
    sender = _find(db, region, oin)
    if sender["revoked_at"]:
        raise Conflict("Deze afzender is ingetrokken en krijgt geen nieuw token.")
    db.execute(
        "UPDATE sender_token SET expires_at = least(expires_at, now() + %s)"
        " WHERE sender_id = %s AND revoked_at IS NULL",
        (overlap, sender["id"]),
    )
    audit.append(db, region, actor, "sender.rotate", "sender", sender["id"], {"overlap_s": overlap.total_seconds()})
    return _new_token(db, sender["id"])


def revoke(db: Db, region: UUID, oin: str, actor: str = "operator") -> None:
    """End a sender and all its tokens at once. Raises NotFound."""
    sender = _find(db, region, oin)
    db.execute("UPDATE sender SET revoked_at = coalesce(revoked_at, now()) WHERE id = %s", (sender["id"],))
    db.execute(
        "UPDATE sender_token SET revoked_at = now() WHERE sender_id = %s AND revoked_at IS NULL", (sender["id"],)
    )
    audit.append(db, region, actor, "sender.revoke", "sender", sender["id"])


def listing(db: Db, region: UUID) -> list[Row]:
    """The senders of a region, with the number of tokens that work now."""
    return db.execute(
        "SELECT s.oin, s.name, s.kind, s.created_at, s.revoked_at, s.certificate_sha256 IS NOT NULL AS certificate,"
        " count(t.id) FILTER (WHERE t.revoked_at IS NULL AND coalesce(t.expires_at, 'infinity') > now()) AS tokens"
        " FROM sender s LEFT JOIN sender_token t ON t.sender_id = s.id WHERE s.region_id = %s"
        " GROUP BY s.id ORDER BY s.name, s.oin",
        (region,),
    ).fetchall()


def _find(db: Db, region: UUID, oin: str) -> Row:
    row = db.execute(
        "SELECT * FROM sender WHERE region_id = %s AND oin = %s FOR NO KEY UPDATE", (region, parse_oin(oin))
    ).fetchone()
    if row is None:
        raise NotFound("Geen afzender met deze OIN in deze regio.")
    return row


def _partner(db: Db, region: UUID, name: str) -> UUID:
    row = db.execute(
        "SELECT id FROM team WHERE region_id = %s AND name = %s AND kind <> 'veilig_thuis'", (region, name)
    ).fetchone()
    if row is None:
        raise NoPartner
    found: UUID = row["id"]
    return found


def _new_token(db: Db, sender: UUID) -> str:
    token = new_token()
    db.execute(
        "INSERT INTO sender_token (id, sender_id, token_hash) VALUES (%s, %s, %s)",
        (uuid7(), sender, token_hash(token)),
    )
    return token
