"""The key ring: a small file outside the database, one line per key (id, base64 of 32 bytes), the newest last.

The newest key seals; every key in the file can still open. The file is read again when it changes, so that a new
key counts at once in the processes that serve.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import SettingsError
from core.settings import settings

_ID = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the ring. What wraps data keys and what seals values are two keys, derived from it (HKDF)."""

    id: str
    wraps: AESGCM = field(repr=False)
    seals: AESGCM = field(repr=False)

    @classmethod
    def of(cls, name: str, secret: bytes) -> Key:
        """The key with this id from its 32 bytes."""
        return cls(name, AESGCM(derived(secret, "wrap data keys")), AESGCM(derived(secret, "seal values")))


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of this installation, the newest last."""

    keys: tuple[Key, ...]

    @property
    def newest(self) -> Key:
        """The key that seals."""
        return self.keys[-1]

    def key(self, name: str) -> Key | None:
        """The key with this id, or None."""
        return next((key for key in self.keys if key.id == name), None)


def derived(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose only, from a secret (HKDF-SHA256, RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, None, f"veilig:{purpose}".encode()).derive(secret)


_read: tuple[tuple[str, int, int, int], Ring] | None = None


def ring() -> Ring:
    """The key ring of this process. Raises SettingsError when it is missing, unreadable or open to others."""
    global _read
    path = ring_path()
    try:
        about = _about(path)
        version = (str(path), about.st_ino, about.st_mtime_ns, about.st_size)
        if _read is None or _read[0] != version:
            if about.st_mode & 0o077:
                raise SettingsError(f"The key ring {path} can be read by others: chmod 600.")
            _read = version, _parse(path.read_text(encoding="ascii"), path)
        return _read[1]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise SettingsError(f"The key ring {path} cannot be read or made: {reason}.") from None


def _about(path: Path) -> os.stat_result:
    """What the file system says of the file, which is made when it is ours to make."""
    try:
        return path.stat()
    except FileNotFoundError:
        if settings().key_ring is not None:
            raise
        _make(path)
        return path.stat()


def ring_path() -> Path:
    """The file of the key ring: VEILIG_KEY_RING, or `key.ring` in the data folder."""
    return settings().key_ring or settings().data / "key.ring"


def add_key(today: date) -> str:
    """Add a fresh key, which seals from now on; returns its id. Older keys stay readable."""
    name = f"{today:%Y%m%d}-{secrets.token_hex(4)}"
    _write(ring_path(), [*_lines(), _line(name)])
    return name


def drop_key(name: str) -> None:
    """Take a key out of the file, for ever. The caller knows that nothing uses it any more.

    Raises SettingsError for the newest key and for one that is not there.
    """
    if ring().newest.id == name or ring().key(name) is None:
        raise SettingsError(f"Key {name} is the newest one, or is not in the ring: nothing was dropped.")
    _write(ring_path(), [line for line in _lines() if line.split()[0] != name])


def _lines() -> list[str]:
    ring()
    lines = ring_path().read_text(encoding="ascii").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def _line(name: str) -> str:
    return f"{name} {base64.b64encode(secrets.token_bytes(32)).decode()}"


def _parse(text: str, path: Path) -> Ring:
    keys: dict[str, Key] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, encoded = line.partition(" ")
        try:
            secret = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            secret = b""
        if not _ID.fullmatch(name) or len(secret) != 32 or name in keys:
            raise SettingsError(
                f"The key ring {path}, line {number}: an id and the base64 of 32 bytes, each id once."
            )
        keys[name] = Key.of(name, secret)
    if not keys:
        raise SettingsError(f"The key ring {path} holds no key.")
    return Ring(tuple(keys.values()))


def _make(path: Path) -> None:
    """The first key. Whole or not at all: whoever is second reads what the first one wrote."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = _beside(path, [_line("1")])
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(made)


def _write(path: Path, lines: list[str]) -> None:
    """Replace the file in one step, so that no process ever reads half of it."""
    try:
        os.replace(_beside(path, lines), path)
    except OSError as error:
        raise SettingsError(f"The key ring {path} cannot be changed: {error.strerror}.") from None


def _beside(path: Path, lines: list[str]) -> str:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="key.", delete=False) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())
    return file.name
