"""Telephone numbers: Dutch ones in E.164 where that is certain, the raw text always."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PUNCTUATION = re.compile(r"[\s.\-/]+")
_COUNTRY = re.compile(r"(?:\+|00)31(?:\(0\)|0)?")
_AREA_IN_BRACKETS = re.compile(r"^\((0[0-9]{1,3})\)")
# Nine digits behind the zero: areas and companies (1-5, 7, 84, 85, 87, 88) and mobile (6, not 60, 66, 67, 69).
_SUBSCRIBER = re.compile(r"[1-57][0-9]{8}|6[1-58][0-9]{7}|8[4578][0-9]{7}")
_SERVICE = re.compile(r"(?:800|90[069])[0-9]{4,7}")
# Numbers dialled without a zero: emergency and help lines, 116xxx, 18xx and 14 + area code.
_SHORT = re.compile(r"11[234]|144|116[0-9]{3}|18[0-9]{2}|140[0-9]{2,3}")


@dataclass(frozen=True, slots=True, repr=False)
class Phone:
    """A number as received. `value` is E.164 ("+31612345678") or None when that is not certain.

    A service number (0800, 0900, 112) is nobody's own: it has no value, so it is never evidence that two
    people are the same. Its repr shows no digits.
    """

    raw: str
    value: str | None
    is_service: bool = False

    @classmethod
    def parse(cls, raw: str | None) -> Phone:
        """Read 06-12345678, 0031 6 …, +31 (0)6 …, (020) 123 45 67 and the like. Never raises."""
        text = raw or ""
        dialled = _PUNCTUATION.sub("", text)
        if _SHORT.fullmatch(dialled):
            return cls(text, None, is_service=True)
        national = _national_part(dialled)
        if _SUBSCRIBER.fullmatch(national):
            return cls(text, f"+31{national}")
        return cls(text, None, is_service=_SERVICE.fullmatch(national) is not None)

    def __repr__(self) -> str:
        return f"Phone(certain={self.value is not None}, is_service={self.is_service})"


def _national_part(dialled: str) -> str:
    """What follows the country code or the leading zero; empty when there is neither."""
    country = _COUNTRY.match(dialled)
    if country:
        return dialled[country.end() :]
    without_brackets = _AREA_IN_BRACKETS.sub(r"\1", dialled)
    return without_brackets[1:] if without_brackets.startswith("0") else ""
