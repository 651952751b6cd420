"""The citizen service number (burgerservicenummer, BSN): checked, never repaired by guessing, never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

BsnStatus = Literal["valid", "invalid", "missing", "unborn", "unknown"]

# Codes of the CBS delivery (Informatieprotocol 2015). They say something, but they are nobody's number.
CODES: dict[str, BsnStatus] = {"000000000": "unknown", "999999999": "unborn"}
WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)

_SEPARATORS = re.compile(r"[\s.\-]+")
_NINE_DIGITS = re.compile(r"[0-9]{9}")
_EIGHT_DIGITS = re.compile(r"[0-9]{8}")


def passes_eleven_test(digits: str) -> bool:
    """The 11-test (standards.md 3.2): 9·d1 + 8·d2 + … + 2·d8 - d9 is a multiple of 11, and not all zeros."""
    if not _NINE_DIGITS.fullmatch(digits) or digits == "000000000":
        return False
    return sum(weight * int(digit) for weight, digit in zip(WEIGHTS, digits, strict=True)) % 11 == 0


@dataclass(frozen=True, slots=True, repr=False)
class Bsn:
    """A BSN as received. `value` holds nine digits only when `status` is "valid"; it is the only usable key.

    `padded`: eight digits were given and a leading zero made them pass; show a warning to the person.
    """

    raw: str
    value: str | None
    status: BsnStatus
    padded: bool = False

    @classmethod
    def parse(cls, raw: str | None) -> Bsn:
        """Read a BSN; spaces, dots and dashes between digits are allowed. Never raises."""
        text = raw or ""
        digits = _SEPARATORS.sub("", text)
        if not digits:
            return cls(text, None, "missing")
        if digits in CODES:
            return cls(text, None, CODES[digits])
        if passes_eleven_test(digits):
            return cls(text, digits, "valid")
        if _EIGHT_DIGITS.fullmatch(digits) and passes_eleven_test("0" + digits):
            return cls(text, "0" + digits, "valid", padded=True)
        return cls(text, None, "invalid")

    def __repr__(self) -> str:
        """Without the digits: an object that reaches a log or a traceback must not leak a number."""
        return f"Bsn(status={self.status!r}, padded={self.padded})"
