"""Short-lived signed tickets that count once: a half sign-in, the challenge of a passkey, the state of OIDC.

A ticket says nothing itself. It proves that we made it a moment ago, for this purpose and this holder, and nothing of
it is kept until it is used.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime, timedelta

from core.database import Db
from core.secrets import keyed_hash, token_hash

LIFE = timedelta(minutes=10)
_NONCE, _MAC = 32, 64


def issue(purpose: str, holder: str, at: datetime) -> str:
    """A ticket for one use, from this moment on; letters, digits, - and _ only."""
    nonce, until = secrets.token_urlsafe(24), f"{int((at + LIFE).timestamp()):x}"
    return f"{nonce}{_mac(purpose, holder, nonce, until)}{until}"


def is_good(ticket: str, purpose: str, holder: str, at: datetime) -> bool:
    """Whether we made this ticket for this purpose and holder, and it has not run out."""
    nonce, mac, until = ticket[:_NONCE], ticket[_NONCE : _NONCE + _MAC], ticket[_NONCE + _MAC :]
    right = hmac.compare_digest(mac.encode(), _mac(purpose, holder, nonce, until).encode())
    return right and at.timestamp() <= int(until, 16)


def spend(db: Db, ticket: str) -> bool:
    """Use a good ticket up; False when it was used before, also at this very moment."""
    spent = db.execute("INSERT INTO spent_ticket (hash) VALUES (%s) ON CONFLICT DO NOTHING", (token_hash(ticket),))
    return spent.rowcount == 1


def as_bytes(ticket: str) -> bytes:
    """The ticket as a challenge: what a browser signs, and gives back as base64url."""
    return ticket.encode()


def from_challenge(challenge: str) -> str:
    """The ticket in a challenge that came back; empty when it is none."""
    try:
        return base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4)).decode("ascii")
    except ValueError:
        return ""


def _mac(purpose: str, holder: str, nonce: str, until: str) -> str:
    return keyed_hash(f"ticket:{purpose}:{holder}:{nonce}:{until}").hex()
