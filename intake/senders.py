"""Senders: who may post to the feeds, each with tokens of its own and/or a client certificate.

A token is random, shown once, stored as its hash, rotated with an overlap and revoked at once. The OIN of a
sender must be the one in its messages.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    "chat",
)
CHAT = "chat"
"""The kind that delivers chats (intake/chats.py) and may send no report."""


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
    " JOIN sender_token t ON t.sender_id = s.id WHERE t.token_hash = %s AND t.kind <> 'page' AND s.revoked_at IS NULL"
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


def key_of(sender: Sender) -> str:
    """What a transaction carries to say whose it is (core.database.present)."""
    return f"sender:{sender.token}" if sender.token else f"certificate:{sender.certificate}"


def active(db: Db, region: UUID) -> list[Sender]:
    """The senders of a region that may send now, for messages that come in by another way than the web."""
    query = _SELECT + " WHERE s.region_id = %s AND NOT s.own AND s.revoked_at IS NULL ORDER BY s.oin"
    return [_sender(row) for row in db.execute(query, (region,))]


def own(db: Db, region: UUID) -> Sender:
    """The region itself, for what its own people and its own forms bring in. Raises NotFound."""
    row = db.execute(_SELECT + " WHERE s.id = %s AND s.own", (region,)).fetchone()
    if row is None:
        raise NotFound
    return _sender(row)


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
    values = {
        "oin": parse_oin(oin),
        "name": name,
        "kind": kind,
        "certificate_sha256": certificate_sha256,
        "reply_url": reply_url,
        "team_id": _partner(db, region, team) if team else None,
    }
    try:
        with db.transaction():
            identifier = enlist(db, region, values, actor)
    except UniqueViolation:
        raise Conflict(
            "Deze OIN of dit certificaat is al van een afzender. Gebruik `veilig sender rotate`."
        ) from None
    return give_token(db, identifier)


def enlist(db: Db, region: UUID, values: Mapping[str, Any], actor: str) -> UUID:
    """Register a sender with these columns, still without a token; gives its id. Raises UniqueViolation."""
    identifier = uuid7()
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind, certificate_sha256, reply_url, team_id) VALUES (%(id)s,"
        " %(region_id)s, %(oin)s, %(name)s, %(kind)s, %(certificate_sha256)s, %(reply_url)s, %(team_id)s)",
        {**values, "id": identifier, "region_id": region},
    )
    details = {"oin": values["oin"], "kind": values["kind"]}
    audit.append(db, region, actor, "sender.add", "sender", identifier, details)
    return identifier


def rotate(db: Db, region: UUID, oin: str, overlap: timedelta, actor: str = "operator") -> str:
    """Give a new token; the old ones stay good for `overlap`, so that the sender can switch.

    Raises NotFound, or Conflict for a revoked sender.
    """
    sender = _find(db, region, oin)
    if sender["revoked_at"]:
        raise Conflict("Deze afzender is ingetrokken en krijgt geen nieuw token.")
    audit.append(db, region, actor, "sender.rotate", "sender", sender["id"], {"overlap_s": overlap.total_seconds()})
    return give_token(db, sender["id"], overlap)


def revoke(db: Db, region: UUID, oin: str, actor: str = "operator") -> None:
    """End a sender and all its tokens at once. Raises NotFound."""
    sender = _find(db, region, oin)
    db.execute("UPDATE sender SET revoked_at = coalesce(revoked_at, now()) WHERE id = %s", (sender["id"],))
    db.execute("SELECT sender_tokens_end(%s)", (sender["id"],))
    forget()
    audit.append(db, region, actor, "sender.revoke", "sender", sender["id"])


def listing(db: Db, region: UUID) -> list[Row]:
    """The senders of a region, with the number of tokens that work now."""
    return db.execute(
        "SELECT s.oin, s.name, s.kind, s.created_at, s.revoked_at, s.certificate_sha256 IS NOT NULL AS certificate,"
        " count(t.id) FILTER (WHERE t.kind = 'long' AND t.revoked_at IS NULL"
        " AND coalesce(t.expires_at, 'infinity') > now()) AS tokens"
        " FROM sender s LEFT JOIN sender_token t ON t.sender_id = s.id WHERE s.region_id = %s AND NOT s.own"
        " GROUP BY s.id ORDER BY s.name, s.oin",
        (region,),
    ).fetchall()


def _find(db: Db, region: UUID, oin: str) -> Row:
    row = db.execute(
        "SELECT * FROM sender WHERE region_id = %s AND oin = %s AND NOT own FOR NO KEY UPDATE",
        (region, parse_oin(oin)),
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


def give_token(db: Db, sender: UUID, overlap: timedelta | None = None) -> str:
    """A new token, shown only now; the earlier ones stay good for the overlap, or as they were without one."""
    token = new_token()
    db.execute("SELECT sender_token_add(%s, %s, %s, %s)", (sender, uuid7(), token_hash(token), overlap))
    return token
