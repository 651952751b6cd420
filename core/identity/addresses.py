"""Addresses: normalised where that is certain, with the received fields kept beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PostcodeStatus = Literal["complete", "digits_only", "invalid", "missing"]

# As written by people, and 6030, the Netherlands in BRP table 34.
NETHERLANDS = frozenset({"", "nl", "nld", "nederland", "6030"})

_COMPLETE = re.compile(r"[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}")
_DIGITS_ONLY = re.compile(r"[1-9][0-9]{3}")
_NUMBER = re.compile(r"([0-9]{1,5})(?![0-9])[\s\-/]*(.*)", re.DOTALL)
# One letter, but not the first of "bis" or of "t/o" (tegenover: the other side of the street).
_LETTER_FIRST = re.compile(r"([A-Za-z])(?!/?[A-Za-z])[\s\-/]*(.*)", re.DOTALL)
_NOT_ALPHANUMERIC = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One address of one person. `kind` says which (formal, actual, post); `raw` holds the received fields.

    The postcode is always upper case without spaces. Its repr shows no address: this can be the most
    dangerous field there is.
    """

    street: str = ""
    house_number: int | None = None
    house_letter: str = ""
    addition: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    kind: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "postcode", "".join(self.postcode.split()).upper())

    @classmethod
    def parse(
        cls,
        *,
        street: str | None = None,
        house_number: str | int | None = None,
        house_letter: str | None = None,
        addition: str | None = None,
        postcode: str | None = None,
        city: str | None = None,
        country: str | None = None,
        kind: str = "",
    ) -> Address:
        """Read the fields of a form or message; never raises. "12a-2" as house number is taken apart.

        A letter or addition given in its own field wins over one found behind the number.
        """
        received = {
            "street": street,
            "house_number": house_number,
            "house_letter": house_letter,
            "addition": addition,
            "postcode": postcode,
            "city": city,
            "country": country,
        }
        number, letter, rest = _split_house_number("" if house_number is None else str(house_number))
        return cls(
            street=_tidy(street),
            house_number=number,
            house_letter=_tidy(house_letter) or letter,
            addition=_tidy(addition) or rest,
            postcode=postcode or "",
            city=_tidy(city),
            country=_tidy(country),
            kind=kind,
            raw={name: value for name, value in received.items() if value is not None},
        )

    @property
    def is_dutch(self) -> bool:
        """No country named, or the Netherlands."""
        return self.country.strip().casefold() in NETHERLANDS

    @property
    def postcode_status(self) -> PostcodeStatus:
        """Four digits alone are legal in StUF; the letters SA, SD and SS are never used (standards.md 3.2)."""
        if not self.postcode:
            return "missing"
        if _COMPLETE.fullmatch(self.postcode):
            return "complete"
        return "digits_only" if _DIGITS_ONLY.fullmatch(self.postcode) else "invalid"

    def key(self) -> str | None:
        """'1234AB|12|a|2', or None when this is too little to call two addresses the same.

        Needs a Dutch address with a whole postcode and a house number. A single letter at the start of the
        addition counts as the house letter: "12 a" is recorded both ways.
        """
        if self.postcode_status != "complete" or self.house_number is None or not self.is_dutch:
            return None
        letter, addition = self.house_letter.strip().lower(), self.addition.strip().lower()
        if not letter and (match := _LETTER_FIRST.fullmatch(addition)):
            letter, addition = match.groups()
        addition = _NOT_ALPHANUMERIC.sub("", addition)
        return f"{self.postcode}|{self.house_number}|{letter}|{addition}"

    def display(self) -> str:
        """'Voorbeeldstraat 12a-2, 1234 AB Utrecht', with the country behind it when abroad."""
        number = "" if self.house_number is None else str(self.house_number)
        number += self.house_letter
        number = "-".join(part for part in (number, self.addition) if part)
        postcode = self.postcode
        if self.postcode_status == "complete":
            postcode = f"{postcode[:4]} {postcode[4:]}"
        lines = [
            " ".join(part for part in (self.street, number) if part),
            " ".join(part for part in (postcode, self.city) if part),
            "" if self.is_dutch else self.country,
        ]
        return ", ".join(line for line in lines if line)

    def __repr__(self) -> str:
        return f"Address(kind={self.kind!r}, postcode_status={self.postcode_status!r})"


def _tidy(text: str | None) -> str:
    return " ".join((text or "").split())


def _split_house_number(text: str) -> tuple[int | None, str, str]:
    """Number (1 to 99999), letter and addition of '12', '12a', '12 A-2', '12-2' or '12 bis'."""
    match = _NUMBER.fullmatch(_tidy(text))
    if match is None or int(match[1]) == 0:
        return None, "", ""
    rest = match[2]
    letter_first = _LETTER_FIRST.fullmatch(rest)
    letter, addition = letter_first.groups() if letter_first else ("", rest)
    return int(match[1]), letter, addition
