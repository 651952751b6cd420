"""The destruction register: what was destroyed, kept outside the backups, so that a restore does not bring it back
(D13).

One JSON line per event, appended and flushed to disk before the destruction commits (`intent`), and again after it
(`done`). Ids and keyed hashes only; each line holds a keyed hash of itself and the line before, so that a line that
was
changed or taken out shows.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from core.errors import SettingsError
from core.secrets import keyed_hash
from core.settings import settings


class RegisterBroken(SettingsError):
    """Het vernietigingsregister klopt niet: er is een regel veranderd of weg."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence that went from the file of others: its place, its row, and its keyed hash."""

    place: str
    row_id: UUID
    mark: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One order that was carried out, or that was about to be (`done` False)."""

    order: UUID
    region: UUID
    report: UUID
    scope: str
    ground: str
    mentions: tuple[UUID, ...]
    reports: tuple[UUID, ...]
    passages: tuple[Passage, ...]
    at: datetime
    done: bool = False


def file() -> Path:
    """Where the register is: VEILIG_DESTRUCTION_REGISTER, else in the data folder."""
    return settings().destruction_register or settings().data / "destruction-register.jsonl"


def intend(entry: Entry) -> None:
    """Write down that this is about to be destroyed; on disk when this returns. Raises SettingsError,
    RegisterBroken.
    """
    _append(
        {
            "event": "intent",
            "order": str(entry.order),
            "region": str(entry.region),
            "report": str(entry.report),
            "scope": entry.scope,
            "ground": entry.ground,
            "mentions": [str(one) for one in entry.mentions],
            "reports": [str(one) for one in entry.reports],
            "passages": [[one.place, str(one.row_id), one.mark.hex()] for one in entry.passages],
            "at": entry.at.isoformat(),
        }
    )


def confirm(order: UUID, at: datetime) -> None:
    """Write down that it was destroyed, after that was committed; once. Raises as `intend`."""
    if any(one.order == order and one.done for one in entries()):
        return
    _append({"event": "done", "order": str(order), "at": at.isoformat()})


def entries() -> list[Entry]:
    """Every order in the register, in order, each once. Raises SettingsError, RegisterBroken."""
    found: dict[UUID, Entry] = {}
    for line in _lines(_read()):
        order = UUID(line["order"])
        if line["event"] == "done":
            known = found.get(order)
            if known is not None:
                found[order] = replace(known, done=True)
            continue
        found[order] = Entry(
            order,
            UUID(line["region"]),
            UUID(line["report"]),
            line["scope"],
            line["ground"],
            tuple(UUID(one) for one in line["mentions"]),
            tuple(UUID(one) for one in line["reports"]),
            tuple(Passage(place, UUID(row), bytes.fromhex(mark)) for place, row, mark in line["passages"]),
            datetime.fromisoformat(line["at"]),
        )
    return list(found.values())


def _append(line: Mapping[str, Any]) -> None:
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with os.fdopen(os.dup(descriptor), "rb") as stream:
                text = stream.read()
            # A line that a crash cut off was never followed by a commit.
            os.ftruncate(descriptor, text.rfind(b"\n") + 1)
            known = _lines(text.decode())
            before = str(known[-1]["mac"]) if known else ""
            os.write(descriptor, (json.dumps({**line, "mac": _mac(line, before)}) + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if made:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise SettingsError(f"The destruction register {path} cannot be written: {error.strerror}.") from None


def _read() -> str:
    try:
        return file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingsError(f"The destruction register {file()} cannot be read: {error.strerror}.") from None


def _lines(text: str) -> Sequence[dict[str, Any]]:
    """The lines, each checked against the one before. A last line that was cut off by a crash was never confirmed."""
    found: list[dict[str, Any]] = []
    before = ""
    parts = text.split("\n")
    for part in parts[:-1]:
        try:
            line = json.loads(part)
            mac = line.pop("mac")
        except (ValueError, KeyError, AttributeError):
            raise RegisterBroken from None
        if not hmac.compare_digest(mac, _mac(line, before)):
            raise RegisterBroken
        before = mac
        found.append({**line, "mac": mac})
    return found


def _mac(line: Mapping[str, Any], before: str) -> str:
    return keyed_hash(f"destruction:{before}:{json.dumps(line, sort_keys=True)}").hex()
