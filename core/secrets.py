"""The secret key of this installation, and what is made with it: keyed hashes and random tokens."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable
from functools import lru_cache

from core.errors import SettingsError
from core.settings import settings


@lru_cache(maxsize=1)
def _key() -> bytes:
    """The configured key, or one made once in the data folder (mode 0600)."""
    configured = settings().secret_key
    if configured:
        return configured.encode()
    path = settings().data / "secret.key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Whole or not at all: whoever is second reads what the first one wrote.
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix="secret.", delete=False) as file:
                file.write(secrets.token_hex(32).encode())
            try:
                os.link(file.name, path)
            except FileExistsError:
                pass
            finally:
                os.unlink(file.name)
        key = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"The secret key {path} cannot be read or made: {error.strerror}.") from None
    if len(key) < 32:
        raise SettingsError(f"The secret key {path} is too short: at least 32 characters.")
    return key


def forget_key() -> None:
    """Read the key again at the next use (tests with a data folder of their own)."""
    _key.cache_clear()
    blind_hash.cache_clear()


def keyed_hash(text: str) -> bytes:
    """HMAC-SHA256 of a text, 32 bytes: equal texts can be found, the text cannot be read back.

    Each use begins its text with its own word (`bsn:`, `form:`, `handover:`), so that no use can answer for another.
    This key seals nothing: the keys that do stand in the key ring (core/keyring.py).
    """
    return hmac.digest(_key(), text.encode(), "sha256")


def bsn_key(bsn: str, hasher: Callable[[str], bytes] = keyed_hash) -> str:
    """The keyed hash of a valid BSN, in hex: equal numbers can be found, the number cannot be read back."""
    return hasher(f"bsn:{bsn}").hex()


@lru_cache(200_000)
def blind_hash(text: str) -> str:
    """A short keyed hash of an address or phone number, to compare without reading; `#` tells it from plain text."""
    return "#" + keyed_hash(f"blind:{text}")[:10].hex()


def new_token() -> str:
    """A random token of 256 bits, for a sender or a session; shown once, kept only as its hash."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """SHA-256 of a token. A token is random and long, so a plain hash is enough (no salt, no stretching)."""
    return hashlib.sha256(token.encode()).digest()
