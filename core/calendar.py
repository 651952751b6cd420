"""Working days: weekends, the holidays of the Algemene termijnenwet (ATW) and the days set by royal decree."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from core.errors import SettingsError

WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
MONTHS = (
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
)
ONE_DAY = timedelta(days=1)
DECREE_DAYS = Path(__file__).parent / "data" / "decree_days.toml"


class InvalidCalendar(SettingsError):
    """Het bestand met vrije dagen bij koninklijk besluit klopt niet."""


@dataclass(frozen=True, slots=True)
class Holiday:
    """A recognised holiday (algemeen erkende feestdag), ATW art. 3."""

    day: date
    name: str


def dutch_date(day: date) -> str:
    """'maandag 9 maart 2026'."""
    return f"{WEEKDAYS[day.weekday()]} {long_date(day)}"


def long_date(day: date) -> str:
    """'9 maart 2026'."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (Oudin 1940), years 1583 to 4099; else ValueError."""
    if not 1583 <= year <= 4099:
        raise ValueError(f"Easter is only known for the years 1583 to 4099, not for {year}")
    golden = year % 19
    century = year // 100
    correction = century - century // 4 - (8 * century + 13) // 25
    epact = (19 * golden + correction + 15) % 30
    full_moon = epact - (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + full_moon + 2 - century + century // 4) % 7
    offset = full_moon - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))


@lru_cache(maxsize=256)
def national_holidays(year: int) -> tuple[Holiday, ...]:
    """The holidays of ATW art. 3 lid 1 and 2 in one year, by date, under the law as it has stood since 2014.

    Easter Sunday and Whit Sunday are not listed in the law: they are Sundays. 5 May counts every year.
    Koningsdag is 27 April, or the 26th when the 27th is a Sunday.
    """
    sunday = easter(year)
    kings_day = date(year, 4, 27)
    if kings_day.weekday() == 6:
        kings_day -= ONE_DAY
    found = [
        Holiday(date(year, 1, 1), "Nieuwjaarsdag"),
        Holiday(sunday - 2 * ONE_DAY, "Goede Vrijdag"),
        Holiday(sunday + ONE_DAY, "Tweede Paasdag"),
        Holiday(kings_day, "Koningsdag"),
        Holiday(date(year, 5, 5), "Bevrijdingsdag"),
        Holiday(sunday + 39 * ONE_DAY, "Hemelvaartsdag"),
        Holiday(sunday + 50 * ONE_DAY, "Tweede Pinksterdag"),
        Holiday(date(year, 12, 25), "Eerste Kerstdag"),
        Holiday(date(year, 12, 26), "Tweede Kerstdag"),
    ]
    return tuple(sorted(found, key=lambda holiday: holiday.day))


@lru_cache(maxsize=256)
def _national_names(year: int) -> Mapping[date, str]:
    names: dict[date, str] = {}
    for holiday in national_holidays(year):
        # Ascension Day can fall on 5 May (2016): one day off, both names.
        earlier = names.get(holiday.day)
        names[holiday.day] = f"{earlier} en {holiday.name}" if earlier else holiday.name
    return names


def _decree_name(source: str) -> str:
    return f"vrije dag bij koninklijk besluit ({source})"


def holidays(year: int, decree_days: Mapping[date, str]) -> dict[date, str]:
    """Every day of the year that ATW art. 3 takes out, with its Dutch name. `decree_days`: day to source."""
    found = {day: _decree_name(source) for day, source in decree_days.items() if day.year == year}
    found |= _national_names(year)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are working days: no Saturday, Sunday, recognised holiday or day set by royal decree.

    `decree_days` gives the source of each decree day; `decree_years` the years whose decree has been read.
    """

    decree_days: Mapping[date, str] = field(default_factory=dict)
    decree_years: frozenset[int] = frozenset()

    def why_not(self, day: date) -> str | None:
        """Why this is no working day, in Dutch: 'Goede Vrijdag', 'zaterdag'. None when it is one."""
        name = _national_names(day.year).get(day)
        if name is not None:
            return name
        source = self.decree_days.get(day)
        if source is not None:
            return _decree_name(source)
        return WEEKDAYS[day.weekday()] if day.weekday() >= 5 else None

    def is_working_day(self, day: date) -> bool:
        return self.why_not(day) is None

    def working_days_between(self, after: date, until: date) -> int:
        """How many working days lie after `after`, up to and including `until`."""
        if until <= after:
            return 0
        free = self.decree_days.keys() | {
            day for year in range(after.year, until.year + 1) for day in _national_names(year)
        }
        fallen = sum(after < day <= until and day.weekday() < 5 for day in free)
        return _weekdays_up_to(until) - _weekdays_up_to(after) - fallen


def _weekdays_up_to(day: date) -> int:
    """Mondays to Fridays since 1 January of the year 1, a Monday: lists of terms ask this for many days."""
    weeks, rest = divmod(day.toordinal(), 7)
    return 5 * weeks + min(rest, 5)


def load_calendar(path: Path | None = None) -> WorkingCalendar:
    """Read and check the decree days: `version`, `years`, and per day a `date` and a `source`.

    Without a path the file that comes with the program. Raises InvalidCalendar.
    """
    chosen = path or DECREE_DAYS
    try:
        document = tomllib.loads(chosen.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidCalendar(f"Het bestand met vrije dagen is niet te lezen: {chosen.name}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidCalendar(f"Het bestand met vrije dagen is geen goede TOML: {error}.") from error
    return checked_calendar(document)


def checked_calendar(document: Mapping[str, object]) -> WorkingCalendar:
    """The calendar of a table of days by royal decree. Raises InvalidCalendar, naming the day by its number."""
    unknown = sorted(document.keys() - {"version", "years", "day"})
    if unknown:
        raise InvalidCalendar(f"Onbekende regel in het bestand met vrije dagen: {', '.join(unknown)}.")
    version, years, entries = document.get("version"), document.get("years"), document.get("day", [])
    if not isinstance(version, str) or not version:
        raise InvalidCalendar("Het bestand met vrije dagen noemt geen versie (version).")
    if not isinstance(years, list) or not all(type(year) is int for year in years):
        raise InvalidCalendar("Het bestand met vrije dagen noemt geen jaren (years).")
    if not isinstance(entries, list):
        raise InvalidCalendar("Vrije dagen staan elk onder een eigen kop [[day]].")
    decree_days: dict[date, str] = {}
    for number, entry in enumerate(entries, start=1):
        day, source = _checked_entry(number, entry)
        if day in decree_days:
            raise InvalidCalendar(f"Vrije dag {number} staat er dubbel in: {day.isoformat()}.")
        if day.year not in years:
            raise InvalidCalendar(f"Vrije dag {number} valt in {day.year}; dat jaar staat niet bij de jaren.")
        decree_days[day] = source
    return WorkingCalendar(decree_days, frozenset(years))


def _checked_entry(number: int, entry: object) -> tuple[date, str]:
    if not isinstance(entry, Mapping) or entry.keys() != {"date", "source"}:
        raise InvalidCalendar(f"Vrije dag {number} heeft precies een datum (date) en een bron (source) nodig.")
    day, source = entry["date"], entry["source"]
    if type(day) is not date:
        raise InvalidCalendar(f"Vrije dag {number} heeft geen goede datum, zoals 2026-01-02.")
    if not isinstance(source, str) or not source.strip():
        raise InvalidCalendar(f"Vrije dag {number} heeft geen bron.")
    return day, source.strip()
