"""Signed checkpoints of the audit trail, outside the database: who rewrites the whole trail is found by them.

A hash chain alone does not bind a superuser: he can change a line and count all hashes again. So every hour the heads
of all strands are signed with a key that the database's host does not have, and appended to a file elsewhere; each
checkpoint holds the hash of the one before (security.md T6, requirement 8; BIO2 8.15.05-06).

What this cannot find: a change to lines younger than the newest checkpoint whose hashes were counted again; and a
file that was cut back by somebody who also rewrote the database from there. Against the second, keep a copy of the
newest line elsewhere (the command prints it) and verify against that copy.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from core import audit
from core.database import Db
from core.errors import Conflict, SettingsError
from core.settings import settings

Kind = Literal["regular", "restored"]
Strand = tuple[UUID, int]
Heads = Mapping[Strand, tuple[int, str]]
"""Of each strand the number and the hash (hex) of its last line."""


class TrailFell(Conflict):
    """Het log klopt niet met het vorige controlepunt. Back-up teruggezet? Doe `veilig audit restored`."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One line of the file."""

    number: int
    kind: Kind
    at: datetime
    heads: Heads
    previous: str
    """SHA-256 (hex) of the line before; empty for the first."""
    reason: str
    key: str
    signature: str
    line: bytes
    """As it stands in the file, without its end."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.line).hexdigest()

    @property
    def lines(self) -> int:
        """How many lines the trail had: a strand has no gaps."""
        return sum(number for number, _ in self.heads.values())


@dataclass(frozen=True, slots=True)
class Flaw:
    """A checkpoint with which the file or the trail does not agree; `what` is the sentence for the operator."""

    number: int
    what: str


def file() -> Path:
    """Where the checkpoints are."""
    return settings().checkpoints or settings().data / "audit-checkpoints.jsonl"


def write(db: Db, actor: str, kind: Kind = "regular", reason: str = "") -> Checkpoint:
    """Sign the heads as they are, append them to the file and note it in the trail (in the caller's transaction).

    Raises TrailFell when a strand is shorter or other than at the checkpoint before, unless the database was
    restored; SettingsError when the file or the key cannot be used.
    """
    key = _private_key()
    try:
        file().parent.mkdir(parents=True, exist_ok=True)
        with file().open("a+b") as opened:
            os.chmod(opened.fileno(), 0o600)
            fcntl.flock(opened, fcntl.LOCK_EX)
            last = _last(opened)
            heads = _heads(db)
            if last and kind == "regular" and any(_fell(last.heads, heads)):
                raise TrailFell
            made = _signed(key, last, kind, heads, reason)
            opened.write((b"" if _ends_whole(opened) else b"\n") + made.line + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise SettingsError(f"The checkpoints {file()} cannot be written: {error.strerror}.") from None
    details = {"number": made.number, "digest": made.digest, "lines": made.lines}
    action = "audit.checkpoint" if kind == "regular" else "audit.restored"
    audit.append(db, audit.NO_REGION, actor, action, "checkpoint", details=details)
    return made


def newest(path: Path | None = None) -> Checkpoint | None:
    """The last checkpoint in the file, if there is one."""
    try:
        with (path or file()).open("rb") as opened:
            return _last(opened)
    except FileNotFoundError:
        return None


def flaws(db: Db, path: Path | None = None, public_keys: Collection[Ed25519PublicKey] = ()) -> Iterator[Flaw]:
    """Everything in which the file disagrees with itself or with the trail as it is in the database now.

    `path` is a copy of the file that was kept elsewhere, `public_keys` the keys to believe; empty: our own.
    """
    keys = {_key_id(key): key for key in public_keys or [_private_key().public_key()]}
    good: list[Checkpoint] = []
    before: Checkpoint | None = None
    for place, line in enumerate(_raw_lines(path or file()), start=1):
        try:
            one = _parsed(line)
        except (ValueError, KeyError, TypeError):
            yield Flaw(place, "the line cannot be read")
            continue
        if not _genuine(one, keys):
            yield Flaw(one.number, "the signature is not right")
        if one.number != (before.number + 1 if before else 1) or one.previous != (before.digest if before else ""):
            yield Flaw(one.number, "the checkpoint before it is missing or was changed")
        if before and one.kind == "regular":
            for strand in _fell(before.heads, one.heads):
                yield Flaw(one.number, f"strand {strand[1]} of region {strand[0]} was shorter than at the one before")
        good.append(one)
        before = one
    yield from _against_trail(db, good)
    yield from _noted(db, good)


def count(path: Path | None = None) -> int:
    """How many checkpoints the file holds."""
    return len(_raw_lines(path or file()))


def restores(path: Path | None = None) -> list[Checkpoint]:
    """The checkpoints at which an operator said that a backup was put back."""
    found = []
    for line in _raw_lines(path or file()):
        try:
            one = _parsed(line)
        except (ValueError, KeyError, TypeError):
            continue  # `flaws` tells of it
        if one.kind == "restored":
            found.append(one)
    return found


def public_key() -> bytes:
    """Our public key (PEM), to verify the file elsewhere."""
    return _private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public_key(path: Path) -> Ed25519PublicKey:
    """A public key from a file. Raises SettingsError."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise SettingsError(f"{path} holds no public key.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"{path} holds a key of another kind than Ed25519.")
    return key


def _heads(db: Db) -> Heads:
    rows = db.execute("SELECT region_id, chain, number, hash FROM audit_head WHERE number > 0").fetchall()
    return {(row["region_id"], row["chain"]): (row["number"], bytes(row["hash"]).hex()) for row in rows}


def _fell(before: Heads, after: Heads) -> Iterator[Strand]:
    for strand, (number, digest) in before.items():
        now, now_digest = after.get(strand, (0, ""))
        if now < number or (now == number and now_digest != digest):
            yield strand


def _against_trail(db: Db, points: list[Checkpoint]) -> Iterator[Flaw]:
    """The line at each head is there and has that hash. What a backup could not bring back is not asked for."""
    kept: dict[Strand, int] = {}
    for point in reversed(points):
        asked = [
            (strand, number, digest)
            for strand, (number, digest) in point.heads.items()
            if number <= kept.get(strand, number)
        ]
        rows = db.execute(
            "SELECT w.region_id, w.chain, w.number, e.hash FROM unnest(%s::uuid[], %s::smallint[], %s::bigint[])"
            " AS w(region_id, chain, number) LEFT JOIN audit_entry e USING (region_id, chain, number)",
            ([s[0] for s, _, _ in asked], [s[1] for s, _, _ in asked], [number for _, number, _ in asked]),
        ).fetchall()
        there = {(row["region_id"], row["chain"]): row["hash"] for row in rows}
        for strand, number, digest in asked:
            found = there.get(strand)
            if found is None:
                yield Flaw(point.number, f"line {number} of strand {strand[1]} of region {strand[0]} is gone")
            elif bytes(found).hex() != digest:
                yield Flaw(point.number, f"line {number} of strand {strand[1]} of region {strand[0]} was rewritten")
        if point.kind == "restored":
            kept = {strand: 0 for earlier in points for strand in earlier.heads} | {
                strand: min(number, kept.get(strand, number)) for strand, (number, _) in point.heads.items()
            }


def _noted(db: Db, points: list[Checkpoint]) -> Iterator[Flaw]:
    """Each checkpoint that the trail speaks of is in the file: its tail was not removed."""
    there = {point.number: point.digest for point in points}
    rows = db.execute(
        "SELECT DISTINCT (details->>'number')::int AS number, details->>'digest' AS digest FROM audit_entry"
        " WHERE region_id = %s AND action IN ('audit.checkpoint', 'audit.restored') ORDER BY 1",
        (audit.NO_REGION,),
    ).fetchall()
    for row in rows:
        if there.get(row["number"]) != row["digest"]:
            yield Flaw(row["number"], "the trail speaks of this checkpoint, and the file does not hold it")


def _signed(key: Ed25519PrivateKey, last: Checkpoint | None, kind: Kind, heads: Heads, reason: str) -> Checkpoint:
    content: dict[str, Any] = {
        "number": last.number + 1 if last else 1,
        "kind": kind,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "heads": [[str(region), chain, *head] for (region, chain), head in sorted(heads.items())],
        "previous": last.digest if last else "",
        "reason": reason,
        "key": _key_id(key.public_key()),
    }
    content["signature"] = base64.b64encode(key.sign(_bytes(content))).decode()
    return _parsed(_bytes(content))


def _parsed(line: bytes) -> Checkpoint:
    content = json.loads(line)
    return Checkpoint(
        number=int(content["number"]),
        kind=content["kind"],
        at=datetime.fromisoformat(content["at"]),
        heads={(UUID(region), chain): (number, digest) for region, chain, number, digest in content["heads"]},
        previous=content["previous"],
        reason=content["reason"],
        key=content["key"],
        signature=content["signature"],
        line=line,
    )


def _genuine(point: Checkpoint, keys: Mapping[str, Ed25519PublicKey]) -> bool:
    content = json.loads(point.line)
    signature = content.pop("signature")
    if point.key not in keys or point.kind not in ("regular", "restored"):
        return False
    try:
        keys[point.key].verify(base64.b64decode(signature), _bytes(content))
    except (InvalidSignature, ValueError, TypeError):  # also what is no base64, or no text
        return False
    return True


def _bytes(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def _raw_lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []


def _last(opened: BinaryIO) -> Checkpoint | None:
    """The last line that can be read, whatever the length of the file before it: a crash may leave half a line."""
    opened.seek(0, os.SEEK_END)
    end, part = opened.tell(), b""
    while end > 0:
        start = max(0, end - 65_536)
        opened.seek(start)
        part = opened.read(end - start) + part
        end = start
        whole = part.splitlines() if end == 0 else part.splitlines()[1:]
        for line in reversed(whole):
            try:
                return _parsed(line)
            except (ValueError, KeyError, TypeError):
                continue
    return None


def _ends_whole(opened: BinaryIO) -> bool:
    size = opened.seek(0, os.SEEK_END)
    if size:
        opened.seek(size - 1)
    return size == 0 or opened.read(1) == b"\n"


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _private_key() -> Ed25519PrivateKey:
    """The key of the setting, or one made once in the data folder (mode 0600). Raises SettingsError."""
    path = settings().checkpoint_key or settings().data / "checkpoint.key"
    try:
        if settings().checkpoint_key is None and not path.exists():
            _make_key(path)
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise SettingsError(f"The checkpoint key {path} cannot be read or made: {error.strerror}.") from None
    except (ValueError, TypeError):
        raise SettingsError(f"The checkpoint key {path} is no private key in PEM without a password.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"The checkpoint key {path} is of another kind than Ed25519.")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix="checkpoint.", delete=False) as made:
        made.write(pem)
    try:
        # Whole or not at all: whoever is second reads what the first one wrote.
        os.link(made.name, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(made.name)
