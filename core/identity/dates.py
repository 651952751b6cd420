"""Dates of which a part may be unknown, as StUF and the BRP send them. Nothing that was sent is lost."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.calendar import MONTHS

UNBORN = "99999999"

_STUF = re.compile(r"([0-9]{4})(?:([0-9]{2})([0-9]{2})?)?")
_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
# StUF:indOnvolledigeDatum: how many parts (year, month, day) can be trusted.
_TRUSTED_PARTS = {"V": 3, "D": 2, "M": 1, "J": 0}


@dataclass(frozen=True, slots=True, repr=False)
class PartialDate:
    """A date known to the day, month, year or not at all; a finer part is never known without the coarser.

    `raw` is the text as received. `impossible`: that text names a day that does not exist (31 February) or is
    no date; then the parts that hold are kept and the rest is unknown. Building one with parts that form no
    date raises ValueError; the `from_` methods never do that for received text.
    """

    year: int | None
    month: int | None
    day: int | None
    raw: str
    impossible: bool = False

    def __post_init__(self) -> None:
        if _possible(self.year, self.month, self.day) != (self.year, self.month, self.day):
            raise ValueError("these parts form no (partial) date")

    @classmethod
    def from_stuf(cls, text: str, indicator: str | None = None) -> PartialDate:
        """Read `JJJJMMDD` (00 = part unknown; also `JJJJMM`, `JJJJ`) with its StUF:indOnvolledigeDatum.

        V complete, D day unknown, M month unknown, J year unknown: filler digits behind the indicator are not
        trusted. "99999999" means unborn. An unknown indicator trusts nothing.
        """
        trusted = _TRUSTED_PARTS.get((indicator or "V").strip().upper())
        if trusted is None:
            return cls(None, None, None, text, impossible=True)
        return cls._read(_STUF, text, trusted)

    @classmethod
    def from_iso(cls, text: str) -> PartialDate:
        """Read `JJJJ-MM-DD`, `JJJJ-MM` or `JJJJ`, with 00 (0000) for an unknown part."""
        return cls._read(_ISO, text, 3)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> PartialDate:
        """The reverse of `to_json`. Raises ValueError or KeyError for anything else."""
        parts = (document["jaar"], document["maand"], document["dag"])
        if any(part is not None and type(part) is not int for part in parts):
            raise ValueError("the parts of a date are whole numbers or null")
        return cls(*parts, raw=str(document["raw"]), impossible=bool(document.get("onmogelijk", False)))

    @classmethod
    def _read(cls, pattern: re.Pattern[str], text: str, trusted: int) -> PartialDate:
        stripped = text.strip()
        match = pattern.fullmatch(stripped)
        if match is None or stripped == UNBORN:
            return cls(None, None, None, text, impossible=bool(stripped) and stripped != UNBORN)
        claimed = [int(part or 0) or None for part in match.groups()]
        year, month, day = [*claimed[:trusted], None, None, None][:3]
        possible = _possible(year, month, day)
        return cls(*possible, raw=text, impossible=possible != (year, month, day))

    def to_json(self) -> dict[str, Any]:
        """{"jaar", "maand", "dag", "raw"}, unknown parts null; "onmogelijk": true only when it is so."""
        document = {"jaar": self.year, "maand": self.month, "dag": self.day, "raw": self.raw}
        return document | {"onmogelijk": True} if self.impossible else document

    @property
    def unborn(self) -> bool:
        """The code 99999999 was sent: a child that is not yet born. A code, never a key to match on."""
        return self.raw.strip() == UNBORN

    def earliest(self) -> date | None:
        """The first day it can be; None when the year is unknown."""
        return date(self.year, self.month or 1, self.day or 1) if self.year else None

    def latest(self) -> date | None:
        """The last day it can be; None when the year is unknown."""
        if not self.year:
            return None
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])

    def is_after(self, day: date) -> bool:
        """Certainly after `day`, whatever the unknown parts are."""
        earliest = self.earliest()
        return earliest is not None and earliest > day

    def display(self) -> str:
        """Dutch: '1 maart 2015', 'maart 2015', '2015' or 'onbekend'."""
        if self.year is None:
            return "onbekend"
        shown = (self.day, MONTHS[self.month - 1] if self.month else None, self.year)
        return " ".join(str(part) for part in shown if part is not None)

    def __repr__(self) -> str:
        """How much is known, not the date: a date of birth does not belong in a log."""
        known = sum(part is not None for part in (self.year, self.month, self.day))
        return f"PartialDate(known={('nothing', 'year', 'month', 'day')[known]!r}, impossible={self.impossible})"


def _possible(year: int | None, month: int | None, day: int | None) -> tuple[int | None, int | None, int | None]:
    """The longest run of parts, from the year down, that some real date has."""
    if year is None or not 1 <= year <= 9999:
        return None, None, None
    if month is None or not 1 <= month <= 12:
        return year, None, None
    if day is None or not 1 <= day <= monthrange(year, month)[1]:
        return year, month, None
    return year, month, day
