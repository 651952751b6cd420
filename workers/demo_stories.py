"""The stories of the demo: when something happens in a household, what changes in between, and who reports it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from core.calendar import ONE_DAY
from core.deadlines import AMSTERDAM, local_day
from intake.terms import calendar
from workers.demo_messages import Event, compose, raw_of
from workers.demo_people import SEED, Household, Person, Sex, dice, home, household, is_acute
from workers.demo_region import SENDERS
from workers.demo_texts import STAGES

COUNTS = {1: 36, 2: 20, 3: 14, 4: 10, 5: 8, 7: 7, 9: 5}
"""How many reports a household has; about a third of all reports is then a first one (domain.md 9.1)."""
REPORTERS = {"politie": 56, "zorg": 18, "onderwijs": 22, "halt": 4}
"""Who reports on a working day; the rest of the week it is the police, so two of three in all (domain.md 9.1)."""
RECENT = (0, 8, 5, 2, 6, 1, 11, 3, 5, 4, 0)
"""Age in working days of the last report of every third household: 0 is today, 5 is due today, more is overdue."""
ARRIVAL_HOURS = {"politie": (0, 1, 2, 8, 11, 14, 16, 18, 19, 20, 21, 22, 23, 23)}
_PERSONS = re.compile(rb"<JZ:heeftBetrokken.*</JZ:heeftBetrokken>", re.DOTALL)
OFFICE_HOURS = (9, 10, 11, 13, 14, 15, 16)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One message on its way to the feed: who sends it, when it arrives, and its bytes."""

    at: datetime
    sender: str
    raw: bytes

    @property
    def door(self) -> str:
        return SENDERS[self.sender].door


def story(number: int, days: int, until: datetime) -> Iterator[Dispatch]:
    """Everything that is reported on one household in the `days` before `until`, in order of time."""
    population = str(days)
    start = local_day(until) - timedelta(days=days)
    family = household(population, number, start)
    luck = dice(population, number, "story")
    arrivals = _days_of_arrival(luck, number, start, until)
    escalates = luck.random() < 0.4
    base = luck.choice((0, 0, 1))
    for index, day in enumerate(arrivals):
        last = index == len(arrivals) - 1
        life = _live(family, luck, day) if index and luck.random() < 0.35 else ""
        acute = last and is_acute(number)
        reporter = "politie" if acute else _reporter(family, luck, day)
        stage = min(STAGES - 1, base + index) if escalates else luck.choice((0, 0, 1, 1, 2))
        event = Event(
            at=_moment(luck, day, reporter, until),
            reporter=reporter,
            stage=STAGES - 1 if acute else stage,
            reference=f"demo-{SEED}-{days}-{number}-{index}",
            kenmerk=f"{SENDERS[reporter].institution}-{day.year}{days:04}{number:05}{index:02}-1",
            life=life,
            earlier=index,
            acute=acute,
            odd=number % 30 == 1 and index == 0,
            vague=last and index > 0 and number % 4 == 2,
        )
        yield _dispatch(family, event, luck)
        if number % 7 == 5 and index == 0 and event.at + timedelta(hours=26) < until:
            more = replace(event, at=event.at + timedelta(hours=26), reference=f"{event.reference}-2", again=True)
            yield _dispatch(family, more, luck)


def mishaps(households: int, days: int, until: datetime) -> Iterator[Dispatch]:
    """Messages of the police that nobody can read, for quarantine: cut off, without persons, or no message at all."""
    count = max(2, households // 12)
    for index in range(count):
        at = until - timedelta(days=2, hours=3) - index * timedelta(days=days) / count
        raw = f"Storing {index} bij het versturen: geen bericht.".encode()
        whole = next((one for one in story(index + 1, days, until) if one.sender == "politie"), None)
        if whole and index % 3 == 0:
            raw = whole.raw[: len(whole.raw) * 2 // 3]
        elif whole and index % 3 == 1:
            raw = _PERSONS.sub(b"", whole.raw.replace(b">demo-", b">mishap-"))
        yield Dispatch(at, "politie", raw)


def _dispatch(family: Household, event: Event, luck: Random) -> Dispatch:
    message = compose(family, event, luck)
    return Dispatch(event.at, event.reporter, raw_of(message, SENDERS[event.reporter].door))


def _days_of_arrival(luck: Random, number: int, start: date, until: datetime) -> list[date]:
    today = local_day(until)
    span = (today - start).days
    count = luck.choices(list(COUNTS), list(COUNTS.values()))[0]
    if number % 3 == 0:
        day = max(_working_days_ago(today, RECENT[number // 3 % len(RECENT)]), start)
    else:
        day = today - timedelta(days=luck.randint(min(1, span), span))
    found = [day]
    while len(found) < count:
        # Often soon after the last time, sometimes months later.
        gap = luck.expovariate(1 / 20) if luck.random() < 0.4 else luck.expovariate(6 / max(span, 6))
        day -= timedelta(days=2 + int(gap))
        if day < start:
            break
        found.append(day)
    return sorted(found)


def _working_days_ago(today: date, count: int) -> date:
    """The working day from which `count` working days passed up to and with today."""
    day = today
    while not calendar().is_working_day(day):
        day -= ONE_DAY
    while count:
        day -= ONE_DAY
        count -= calendar().is_working_day(day)
    return day


def _moment(luck: Random, day: date, reporter: str, until: datetime) -> datetime:
    hour = luck.choice(ARRIVAL_HOURS.get(reporter, OFFICE_HOURS))
    at = datetime.combine(day, time(hour, luck.randrange(60), luck.randrange(60)), AMSTERDAM)
    return at if at < until else until.astimezone(AMSTERDAM) - timedelta(minutes=luck.randint(20, 300))


def _reporter(family: Household, luck: Random, day: date) -> str:
    weights = REPORTERS | ({"halt": 100} if family.kind == "teenager" else {})
    chosen = luck.choices(list(weights), list(weights.values()))[0]
    if not calendar().is_working_day(day):
        return "politie"
    ages = [child.age(day) for child in family.children[:2]]
    if chosen == "halt" and not any(12 <= age < 18 for age in ages):
        return "politie"
    if chosen == "onderwijs" and not (ages and all(4 <= age < 18 for age in ages)):
        return "zorg"
    return chosen


def _live(family: Household, luck: Random, day: date) -> str:
    """Something changes in the household before this day; says what, or nothing when it does not fit."""
    change = luck.choice(("moved", "moved", "born", "apart", "partner"))
    at_home = [person for person in family.adults if person.key not in family.away]
    mother = next((person for person in at_home if person.sex == "V" and person.age(day) < 44), None)
    if change == "moved":
        family.former, family.home = family.home, home(luck)
        return change
    if family.kind in ("elder", "teenager"):
        return ""
    if change == "born" and mother and all(child.age(day) for child in family.children):
        _add_baby(family, luck, mother, day)
        return change
    if change == "apart" and len(at_home) > 1:
        family.away[at_home[0].key] = home(luck)
        family.members = [replace(person, partner_surname="") for person in family.members]
        return change
    if change == "partner" and len(at_home) == 1:
        sex: Sex = "M" if at_home[0].sex == "V" else "V"
        born = at_home[0].born + timedelta(days=luck.randint(-1500, 1500))
        name = luck.choice(family.community.surnames)
        family.members.append(family.person(luck, sex, born, "stiefouder", name))
        return change
    return ""


def _add_baby(family: Household, luck: Random, mother: Person, day: date) -> None:
    sample = family.children[0] if family.children else mother
    surname = f"{sample.prefix}|{sample.surname}" if sample.prefix else sample.surname
    born = day - timedelta(days=luck.randint(15, 60))
    family.members.append(family.person(luck, luck.choice(("M", "V")), born, "kind", surname))
