"""How old somebody is on a day, as far as is known, and what the limits of 12 and 16 years mean for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.identity import PartialDate

LIMITS = (12, 16)
"""The ages at which the rights of a person change (Wmo 2015 art. 5.3.2, 5.3.3 and 5.3.5; domain.md 1.5)."""
Age = tuple[int, int]
"""The youngest and the oldest that somebody can be."""


def age_on(person: Mapping[str, Any], day: date) -> Age | None:
    """The youngest and the oldest that somebody can be on this day; None when the year of birth is unknown."""
    value = person.get("geboortedatum") or {}
    born = PartialDate.from_stuf(str(value.get("tekst", "")), value.get("indicatie"))
    first, last = born.earliest(), born.latest()
    if first is None or last is None or first > day:
        return None
    return max(0, _years(last, day)), _years(first, day)


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def straddles(age: Age) -> bool:
    """Whether the birth date is too vague to say on which side of a limit somebody is."""
    return any(age[0] < limit <= age[1] for limit in LIMITS)


def receiver(age: Age | None) -> str:
    """Who gets the notice at this age, in Dutch; the limits of 12 and 16 years (domain.md 1.5), by analogy."""
    if age is None:
        return "Leeftijd onbekend: ga na of deze persoon 12 of 16 jaar is."
    young, old = age
    if straddles(age):
        return f"{young} of {old} jaar: ga de geboortedatum na."
    if old < 12:
        return "De wettelijk vertegenwoordiger: jonger dan 12 jaar."
    if old < 16:
        return "De jongere zelf en de wettelijk vertegenwoordiger, tenzij dat niet in het belang van de jongere is."
    return "De persoon zelf."
