"""Identifiers: UUIDv7, made by us, so that they sort by time and tell nothing about a person."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator

_FIXED = 0xF << 76 | 0x3 << 62
_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62


def uuid7(at_ms: int | None = None) -> uuid.UUID:
    """A UUIDv7 (RFC 9562 5.7): 48 bits of Unix milliseconds, 74 random bits.

    `at_ms` sets the time part, for records that are made for a moment in the past (demo, import).
    """
    milliseconds = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random_bits
    return uuid.UUID(int=value & ~_FIXED | _VERSION_AND_VARIANT)


def uuid7_texts() -> Iterator[str]:
    """The same as text, without end, for rows by the million: randomness is drawn for a thousand at a time."""
    while True:
        milliseconds = (time.time_ns() // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80
        drawn = os.urandom(10_000)
        for start in range(0, 10_000, 10):
            value = milliseconds | int.from_bytes(drawn[start : start + 10], "big")
            text = f"{value & ~_FIXED | _VERSION_AND_VARIANT:032x}"
            yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
