"""Identifiers: UUIDv7, made by us, so that they sort by time and tell nothing about a person."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator

_VERSION, _VARIANT = 0x7 << 76, 0x2 << 62
_RANDOM = (1 << 62) - 1
_COUNTER_END = 1 << 12
_lock = threading.Lock()
_last = (0, 0)


def uuid7(at_ms: int | None = None) -> uuid.UUID:
    """A UUIDv7 (RFC 9562 5.7): 48 bits of Unix milliseconds, a counter of 12 bits (6.2, method 1), 62 random bits.

    Those of one process sort in the order in which they were made. `at_ms` sets the time part, for records that are
    made for a moment in the past (demo, import); then the counter is random as well.
    """
    drawn = int.from_bytes(os.urandom(10), "big")
    place = _next_place() if at_ms is None else (at_ms & 0xFFFF_FFFF_FFFF) << 80 | (drawn >> 62 & 0xFFF) << 64
    return uuid.UUID(int=place | _VERSION | _VARIANT | drawn & _RANDOM)


def _next_place() -> int:
    """Time and counter, always later than the one before: the clock may stand still or go back a little."""
    global _last
    with _lock:
        milliseconds, counter = time.time_ns() // 1_000_000, 0
        if milliseconds <= _last[0]:
            milliseconds, counter = _last[0], _last[1] + 1
            if counter == _COUNTER_END:
                milliseconds, counter = milliseconds + 1, 0
        _last = (milliseconds, counter)
    return (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | counter << 64


def uuid7_texts() -> Iterator[str]:
    """The same as text, without end, for rows by the million: randomness is drawn for a thousand at a time."""
    while True:
        drawn = os.urandom(8_000)
        for start in range(0, 8_000, 8):
            random_bits = int.from_bytes(drawn[start : start + 8], "big") & _RANDOM
            text = f"{_next_place() | _VERSION | _VARIANT | random_bits:032x}"
            yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
