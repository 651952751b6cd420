"""The words of the screens in the language of the request: dates, due dates, codes. No SQL, no HTML; plain B1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from core.calendar import MONTHS, ONE_DAY, WEEKDAYS
from core.deadlines import AMSTERDAM, local_day
from core.identity import PartialDate
from intake.quarantine import RESOLUTIONS
from intake.terms import calendar
from intake.vault import IN_VAULT
from radar.casework.conditions import STATE_NAMES as CONDITION_STATES
from radar.casework.decision import PATHS
from radar.casework.proposals import BARELY
from radar.casework.queue import KINDS
from radar.casework.states import STATES
from radar.protection.whereabouts import hides
from web import language
from web.language import constants, counted, say, t

RISKS = {2: "Acuut", 1: "Verhoogd", 0: "Geen spoed bekend"}
REPORTERS = {
    "politie": "politie",
    "halt": "Halt",
    "onderwijs": "onderwijs",
    "zorg": "zorg",
    "gemeente": "gemeente",
    "jeugdhulp": "jeugdhulp",
    "kinderopvang": "kinderopvang",
    "lokaal_team": "lokaal team",
    "chat": "chat",
    "burger": "burger",
    "veilig_thuis": "Veilig Thuis zelf",
    "anders": "andere melder",
}
HOLDERS = {"veilig_thuis": "Veilig Thuis", "reporter": "de melder", "partner": "partner"}
LINK_STATES = {
    "new": "Nieuwe persoon",
    "automatic": "Automatisch gekoppeld",
    "proposed": "Voorstel, nog nakijken",
    "confirmed": "Bevestigd",
    "rejected": "Afgewezen",
    "undone": "Ongedaan gemaakt",
}
JOBS = {
    "link_report": "Melding koppelen aan bekende personen",
    "route_report": "Route voorstellen",
    "send_reply": "Antwoord sturen aan de afzender",
    "send_message": "Bericht sturen aan de melder of aan de Raad",
    "send_webhook": "Seintje sturen dat er een terugkoppeling is",
    "rehearse_rules": "Proefdraaien met regels",
    "watch_search": "Zoekopdracht nakijken",
    "destroy": "Vernietigen wat twee mensen hebben besloten",
    "note_destruction": "In het vernietigingsregister zetten dat het is gedaan",
    "scan_attachment": "Bijlage scannen op virussen",
    "finish_form": "Verzonden formulier afmaken",
}
CHANNELS = {
    "corv": "CORV (StUF)",
    "json": "JSON-koppeling",
    "import": "Register van het oude systeem",
    "desk": "Telefoon of balie",
    "professional": "Formulier voor beroepskrachten",
    "citizen": "Formulier voor burgers",
}
STEPS = {
    "day_zero": "dag 0",
    "counted": "telt mee",
    "skipped": "telt niet mee",
    "term_end": "einde termijn",
    "lengthened": "verlengd",
    "due": "uiterlijk",
}
REASONS = {
    "nietOndersteund": "kan het systeem van de melder niet leveren",
    "nietGeautoriseerd": "mag de melder niet geven",
    "geenWaarde": "is er niet",
    "waardeOnbekend": "onbekend bij de melder",
    "vastgesteldOnbekend": "nagegaan, en onbekend",
    "zonderReden": "leeg gestuurd, zonder reden",
}
SEXES = {"M": "man", "V": "vrouw", "O": "geslacht onbekend"}
MONTH_NAMES = constants(dict(enumerate(MONTHS)))
DAY_NAMES = constants(dict(enumerate(WEEKDAYS)))


@dataclass(frozen=True, slots=True)
class Due:
    """A due date in words; `state` is late, today, soon or later, `note` the distance in working days."""

    state: str
    words: str
    note: str
    day: date


def due(due_at: datetime, now: datetime) -> Due:
    """How a due moment (the first moment of being late) looks from now."""
    day, today = local_day(due_at - timedelta(microseconds=1)), local_day(now)
    full = full_date(day)
    if due_at <= now:
        late = calendar().working_days_between(day, today)
        if late:
            time = counted(late, "werkdag", "werkdagen")
            return Due("late", say("Te laat sinds {time}", time=time), full, day)
        if day == today:
            return Due("late", say("Te laat sinds vandaag"), full, day)
        return Due("late", say("Te laat sinds {weekday}", weekday=t(WEEKDAYS[day.weekday()])), full, day)
    if day == today:
        return Due("today", say("Vandaag"), say("einde van de dag"), day)
    if day == today + ONE_DAY:
        return Due("soon", say("Morgen"), full, day)
    left = counted(calendar().working_days_between(today, day), "werkdag", "werkdagen")
    return Due("later", say("Nog {left}", left=left), full, day)


def since(moment: datetime, now: datetime) -> str:
    """How long ago: 'net binnen', '3 uur', '5 dagen'."""
    days = (local_day(now) - local_day(moment)).days
    if days > 0:
        return counted(days, "dag", "dagen")
    hours, rest = divmod(max(0, int((now - moment).total_seconds())), 3600)
    if hours:
        return counted(hours, "uur", "uur")
    return counted(rest // 60, "minuut", "minuten") if rest >= 60 else say("net binnen")


def full_date(day: date) -> str:
    """'maandag 9 maart 2026'."""
    return f"{t(WEEKDAYS[day.weekday()])} {day_text(day)}"


def day_text(day: date) -> str:
    """'9 maart 2026'; a moment gives its day in the Netherlands."""
    shown = local_day(day) if isinstance(day, datetime) else day
    return f"{shown.day} {t(MONTHS[shown.month - 1])} {shown.year}"


def moment_text(moment: datetime) -> str:
    """'9 maart 2026 om 14.32 uur', in the Netherlands."""
    return say("{day} om {clock} uur", day=day_text(moment), clock=clock(moment))


def clock(moment: datetime) -> str:
    """'14.32', in the Netherlands; '14:32' in English."""
    shown = f"{moment.astimezone(AMSTERDAM):%H.%M}"
    return shown if language.current() == language.DUTCH else shown.replace(".", ":")


def decimal(number: str) -> str:
    """A number of ours as it is written: '97.5' with a comma in Dutch."""
    return number.replace(".", ",") if language.current() == language.DUTCH else number


def partial_date(value: Mapping[str, Any] | None) -> str:
    """A date of a message with what is unknown about it: 'maart 2015 (dag onbekend)'."""
    if not value:
        return say("onbekend")
    parsed = PartialDate.from_stuf(str(value.get("tekst", "")), value.get("indicatie"))
    if parsed.unborn:
        return say("nog niet geboren")
    if parsed.impossible:
        return say("{date} (gestuurd als {raw})", date=_shown(parsed), raw=parsed.raw)
    if parsed.year and parsed.month is None and parsed.day is None:
        return say("{date} (maand en dag onbekend)", date=_shown(parsed))
    if parsed.year and parsed.month is None:
        return say("{date} (maand onbekend)", date=_shown(parsed))
    if parsed.year and parsed.day is None:
        return say("{date} (dag onbekend)", date=_shown(parsed))
    return _shown(parsed)


def _shown(parsed: PartialDate) -> str:
    """The known part of a date: its words are those of the calendar."""
    if language.current() == language.DUTCH:
        return parsed.display()
    return " ".join(str(t(word)) for word in parsed.display().split(" "))


def age(value: Mapping[str, Any] | None, now: datetime) -> str:
    """'11 jaar' when the date of birth is known well enough, else empty."""
    parsed = PartialDate.from_stuf(str(value.get("tekst", "")), value.get("indicatie")) if value else None
    first, last = (parsed.earliest(), parsed.latest()) if parsed else (None, None)
    if first is None or last is None or last > local_day(now):
        return ""
    youngest, oldest = _years(last, local_day(now)), _years(first, local_day(now))
    if youngest == oldest:
        return counted(youngest, "jaar", "jaar")
    return say("{youngest} of {oldest} jaar", youngest=youngest, oldest=oldest)


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def person_name(person: Mapping[str, Any] | None) -> str:
    """The name as sent: given names, prefix, surname; else the full name; else that it is unknown."""
    if IN_VAULT in (person or {}):
        return say("Melder (naam in de kluis)")
    name = (person or {}).get("naam") or {}
    parts = [name.get("voornamen"), name.get("voorvoegsel"), name.get("geslachtsnaam")]
    return " ".join(part for part in parts if part) or name.get("volledigeNaam") or say("Naam onbekend")


def role(person: Mapping[str, Any] | None) -> str:
    return str(t(((person or {}).get("rol") or {}).get("tekst")) or say("rol onbekend"))


def address(value: Mapping[str, Any]) -> str:
    """One line: street and number, postcode and town; or the lines of a foreign address."""
    house = "".join(str(value.get(name) or "") for name in ("huisnummer", "huisletter"))
    addition = value.get("toevoeging")
    street = " ".join(part for part in (value.get("straat"), house, addition) if part)
    town = " ".join(part for part in (value.get("postcode"), value.get("woonplaats")) if part)
    lines = [value.get(name) for name in ("regel1", "regel2", "regel3")]
    country = say("land {code}", code=value["landcode"]) if value.get("landcode") else None
    return ", ".join(str(part) for part in (street, town, *lines, country) if part) or say("adres zonder gegevens")


def label(table: Mapping[Any, str]) -> Callable[[Any], str]:
    """A filter that turns a code into its words; a code that nobody knows is shown as it is."""

    constants(table)

    def words(code: Any) -> str:
        return str(t(table.get(code, str(code))))

    return words


def speaks(weight: float) -> str:
    """Whether a reason speaks 'for', 'against' or 'neither'."""
    if abs(weight) < BARELY:
        return "neither"
    return "for" if weight > 0 else "against"


def css_class(risk: int) -> str:
    return {2: "acute", 1: "raised"}.get(risk, "calm")


FILTERS: dict[str, Callable[..., Any]] = {
    "due": due,
    "since": since,
    "day": day_text,
    "dutch_date": full_date,
    "moment": moment_text,
    "clock": clock,
    "partial_date": partial_date,
    "age": age,
    "person_name": person_name,
    "role": role,
    "address": address,
    "shielded": hides,
    "amount": counted,
    "risk": label(RISKS),
    "reporter": label(REPORTERS),
    "holder": label(HOLDERS),
    "link_state": label(LINK_STATES),
    "job": label(JOBS),
    "channel": label(CHANNELS),
    "task_kind": label(KINDS),
    "path": label(PATHS),
    "report_state": label(STATES),
    "condition_state": label(CONDITION_STATES),
    "step": label(STEPS),
    "sex": label(SEXES),
    "resolution": label(RESOLUTIONS),
    "speaks": speaks,
    "iso_day": lambda text: day_text(date.fromisoformat(text)),
}
