"""Sealing: what a copy of the database alone must not tell, encrypted with keys from outside it (security.md ch. 2).

AES-256-GCM throughout. The place of a value, `table.column:row id`, is its associated data: a sealed value that is
moved to another row or column is refused. Keys of the ring wrap the data keys, one per message, and seal the few
values that belong to no message. Whoever destroys a data key has destroyed all that it sealed.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.database import Db
from core.errors import VeiligError
from core.keyring import Key, ring

MARK = b"\x00vts"
"""No XML, no JSON and no text starts like this: so a value that is not sealed yet can be told apart."""

BY_RING, BY_DATA_KEY = b"\x01", b"\x02"
NONCE = 12
TAG = 16


class Unreadable(VeiligError):
    """Dit is niet te lezen: de sleutel ontbreekt, of de inhoud of de plaats is veranderd."""


class Destroyed(VeiligError):
    """Deze gegevens zijn vernietigd."""

    status = 410


def seal(plain: bytes, place: str) -> bytes:
    """Seal a value that belongs to no message with the newest key of the ring; `place` is `table.column:row id`.

    `veilig keys rotate` finds the value by that place: the row id must be the row's primary key, as text.
    """
    return _by_ring(plain, place, ring().newest)


def unseal(sealed: bytes, place: str) -> bytes:
    """The plain bytes of `seal`. Raises Unreadable: tampered with, another place, or a key that the ring lacks."""
    key = ring().key(ring_key_id(sealed))
    if key is None:
        raise Unreadable
    return _open(key.seals, sealed, _header(key), place)


def is_sealed(value: bytes) -> bool:
    """Whether these bytes are sealed; rows from before sealing are not, until `veilig seal` has seen them."""
    return value[: len(MARK)] == MARK


def ring_key_id(sealed: bytes) -> str:
    """The id of the ring's key that sealed these bytes. Raises Unreadable when they were not sealed by the ring."""
    start = len(MARK) + 2
    if sealed[: start - 1] != MARK + BY_RING or len(sealed) < start:
        raise Unreadable
    return sealed[start : start + sealed[start - 1]].decode("ascii", "replace")


def _header(key: Key) -> bytes:
    return MARK + BY_RING + bytes([len(key.id)]) + key.id.encode()


def _by_ring(plain: bytes, place: str, key: Key) -> bytes:
    return _close(key.seals, plain, _header(key), place)


def _close(cipher: AESGCM, plain: bytes, header: bytes, place: str) -> bytes:
    nonce = os.urandom(NONCE)
    return header + nonce + cipher.encrypt(nonce, plain, header + place.encode())


def _open(cipher: AESGCM, sealed: bytes, header: bytes, place: str) -> bytes:
    start = len(header) + NONCE
    if not sealed.startswith(header) or len(sealed) < start + TAG:
        raise Unreadable
    try:
        return cipher.decrypt(sealed[len(header) : start], sealed[start:], header + place.encode())
    except InvalidTag:
        raise Unreadable from None


# ── data keys: one per message ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DataKey:
    """The key of one message and all that came with it; `wrapped` and `kek` are what the table `data_key` keeps."""

    id: UUID
    kek: str
    wrapped: bytes
    _cipher: AESGCM = field(repr=False)

    def seal(self, plain: bytes, place: str) -> bytes:
        """Seal a value of this message; `place` is `table.column:row id`."""
        return _close(self._cipher, plain, MARK + BY_DATA_KEY, place)

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """The plain bytes. Raises Unreadable: tampered with, another place or another message's key."""
        return _open(self._cipher, sealed, MARK + BY_DATA_KEY, place)


def new_key(message: UUID) -> DataKey:
    """A fresh data key for this message, wrapped; to `keep` in the transaction that stores what it seals."""
    secret = os.urandom(32)
    key = ring().newest
    wrapped = _close(key.wraps, secret, _header(key), _place(message))
    return DataKey(message, key.id, wrapped, AESGCM(secret))


def keep(db: Db, key: DataKey, region: UUID) -> None:
    """Store a fresh data key."""
    db.execute(
        "INSERT INTO data_key (id, region_id, kek, wrapped) VALUES (%s, %s, %s, %s)",
        (key.id, region, key.kek, key.wrapped),
    )


def key_of(db: Db, message: UUID) -> DataKey:
    """The data key of this message. Raises Destroyed, or Unreadable when there is none or it cannot be unwrapped."""
    keys = keys_of(db, [message])
    if message not in keys:
        raise Unreadable
    return keys[message]


def keys_of(db: Db, messages: Collection[UUID]) -> dict[UUID, DataKey]:
    """The data keys of these messages, by message; one without a key is left out.

    Raises Destroyed when one of them is destroyed, Unreadable when one cannot be unwrapped.
    """
    rows = db.execute(
        "SELECT id, kek, wrapped, destroyed_at FROM data_key WHERE id = ANY(%s)", (list(messages),)
    ).fetchall()
    if any(row["destroyed_at"] for row in rows):
        raise Destroyed
    return {row["id"]: unwrap(row["id"], row["kek"], bytes(row["wrapped"])) for row in rows}


def key_or_new(db: Db, message: UUID, region: UUID) -> DataKey:
    """The data key of this message, made and stored when it came before sealing. Raises as `key_of`."""
    fresh = new_key(message)
    db.execute(
        "INSERT INTO data_key (id, region_id, kek, wrapped) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (message, region, fresh.kek, fresh.wrapped),
    )
    return key_of(db, message)


def destroy_key(db: Db, message: UUID, at: datetime) -> bool:
    """Destroy the data key of this message, and so all that it sealed; False when there was none (any more)."""
    done = db.execute(
        "UPDATE data_key SET wrapped = NULL, destroyed_at = %s WHERE id = %s AND destroyed_at IS NULL", (at, message)
    )
    return done.rowcount == 1


def rewrap(message: UUID, wrapped: bytes) -> tuple[str, bytes]:
    """The same data key wrapped by the newest key of the ring: (kek, wrapped). Raises Unreadable."""
    secret = _secret(message, ring_key_id(wrapped), wrapped)
    key = ring().newest
    return key.id, _close(key.wraps, secret, _header(key), _place(message))


def _place(message: UUID) -> str:
    return f"data_key.wrapped:{message}"


def _secret(message: UUID, kek: str, wrapped: bytes) -> bytes:
    key = ring().key(kek)
    if key is None:
        raise Unreadable
    return _open(key.wraps, wrapped, _header(key), _place(message))


def unwrap(message: UUID, kek: str, wrapped: bytes) -> DataKey:
    """The data key of a message from the row that `data_key` keeps. Raises Unreadable."""
    return DataKey(message, kek, wrapped, AESGCM(_secret(message, kek, wrapped)))
