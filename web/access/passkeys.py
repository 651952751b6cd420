"""Passkeys (WebAuthn): the factor that cannot be phished, for it signs the address of our own pages.

User verification is required (a PIN, finger or face), so a passkey is two factors by itself. The challenge is a
signed ticket: it comes back in what the browser signs, and counts once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import webauthn
from starlette.requests import Request
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from core import audit
from core.database import Db, Row
from core.ids import uuid7
from core.settings import settings
from core.staff import Login, Member, login_of
from web.access import tickets

NAME = "Veilig Thuis Radar"
MAX_ANSWER = 16_000
TIMEOUT_MS = 300_000


@dataclass(frozen=True, slots=True)
class Site:
    """What a passkey is bound to: the host name, and the address of our pages."""

    host: str
    origin: str


def site(request: Request) -> Site | None:
    """The address of this installation; None when passkeys cannot be had here (no VEILIG_PUBLIC_URL).

    The host that the request names is believed for localhost only, for trying out.
    """
    if settings().public_url:
        origin = settings().public_url or ""
        return Site(urlsplit(origin).hostname or "", origin)
    host = request.headers.get("host", "")
    return Site("localhost", f"http://{host}") if host.split(":")[0] == "localhost" else None


def credentials(db: Db, member: Member) -> list[bytes]:
    """By what name the authenticators of this member know their passkeys; read at the door only."""
    rows = db.execute(
        "SELECT credential_id FROM second_factor WHERE staff_id = %s AND kind = 'passkey' AND ended_at IS NULL",
        (member.id,),
    )
    return [bytes(row["credential_id"]) for row in rows]


def register_options(db: Db, member: Member, where: Site, holder: str, at: datetime) -> str:
    """What the browser needs to make a passkey, as JSON. `holder` is the session or half sign-in it belongs to."""
    options = webauthn.generate_registration_options(
        rp_id=where.host,
        rp_name=NAME,
        user_id=member.id.bytes,
        user_name=member.username,
        user_display_name=member.name,
        challenge=tickets.as_bytes(tickets.issue("passkey.register", holder, at)),
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in credentials(db, member)],
    )
    return options_to_json(options)


def register(db: Db, member: Member, answer: str, name: str, where: Site, holder: str, at: datetime) -> bool:
    """Keep a passkey that the browser made just now. False when the answer is not right."""
    ticket = _ticket(answer)
    if not tickets.is_good(ticket, "passkey.register", holder, at) or not tickets.spend(db, ticket):
        return False
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=tickets.as_bytes(ticket),
            expected_rp_id=where.host,
            expected_origin=where.origin,
            require_user_verification=True,
        )
    except WebAuthnException:
        return False
    factor = uuid7()
    added = db.execute(
        "INSERT INTO second_factor (id, region_id, staff_id, kind, name, credential_id, public_key, sign_count,"
        " confirmed_at, used_at) VALUES (%s, %s, %s, 'passkey', %s, %s, %s, %s, now(), now()) ON CONFLICT DO NOTHING",
        (
            factor,
            member.region,
            member.id,
            name.strip()[:60] or "Passkey",
            made.credential_id,
            made.credential_public_key,
            made.sign_count,
        ),
    )
    if added.rowcount != 1:
        return False
    audit.append(db, member.region, member.username, "factor.add", "second_factor", factor, {"kind": "passkey"})
    return True


def options(known: Sequence[bytes], where: Site, holder: str, at: datetime) -> str:
    """What the browser needs to use a passkey, as JSON: one of these, or any that it has for us."""
    made = webauthn.generate_authentication_options(
        rp_id=where.host,
        challenge=tickets.as_bytes(tickets.issue("passkey.use", holder, at)),
        timeout=TIMEOUT_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(made)


def check(db: Db, answer: str, where: Site, holder: str, at: datetime, member: Member | None = None) -> Login | None:
    """The active login whose passkey signed this; None when it is not right, used before, or of another `member`."""
    ticket = _ticket(answer)
    if not tickets.is_good(ticket, "passkey.use", holder, at) or not tickets.spend(db, ticket):
        return None
    row = _factor(db, answer)
    if row is None or (member is not None and row["staff_id"] != member.id):
        return None
    try:
        used = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=tickets.as_bytes(ticket),
            expected_rp_id=where.host,
            expected_origin=where.origin,
            credential_public_key=bytes(row["public_key"]),
            credential_current_sign_count=row["sign_count"],
            require_user_verification=True,
        )
    except WebAuthnException:
        return None
    db.execute(
        "UPDATE second_factor SET sign_count = %s, used_at = now() WHERE id = %s", (used.new_sign_count, row["id"])
    )
    login = login_of(db, row["staff_id"])
    return login if login and login.active else None


def _ticket(answer: str) -> str:
    """The ticket that the browser signed; empty when the answer is no answer of a browser."""
    try:
        client = json.loads(base64url_to_bytes(json.loads(answer[:MAX_ANSWER])["response"]["clientDataJSON"]))
        return tickets.from_challenge(str(client["challenge"]))
    except (ValueError, KeyError, TypeError):
        return ""


def _factor(db: Db, answer: str) -> Row | None:
    try:
        credential = base64url_to_bytes(json.loads(answer)["id"])
    except (ValueError, KeyError, TypeError):
        return None
    return db.execute(
        "SELECT id, staff_id, public_key, sign_count FROM second_factor"
        " WHERE credential_id = %s AND ended_at IS NULL FOR UPDATE",
        (credential,),
    ).fetchone()
