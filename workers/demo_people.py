"""Invented people of the demo: names from all over the Netherlands, households, addresses. Nobody here exists.

Everything follows from the population (seed and length of history) and the number of the household, so that a
second run invents the same people.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Literal

from core.identity.bsn import CODES, passes_eleven_test
from workers.demo_names import COMMUNITIES, STREETS, Community
from workers.demo_region import AREAS

Sex = Literal["M", "V"]
SEED = 2026
SLOTS = 32
"""Numbers kept free for the persons of one household: more than a household ever has."""
MAX_HOUSEHOLDS = 100_000


LETTERS = "ABCDEGHJKLMNPRTVWXZ"
Kind = Literal["partner", "parents", "elder", "teenager", "stalking", "care"]
"""What the stories of a household are about; the texts are in demo_texts."""
ROTATION: tuple[Kind, ...] = (
    "stalking",
    "partner",
    "parents",
    "care",
    "partner",
    "parents",
    "elder",
    "partner",
    "teenager",
    "parents",
    "care",
    "partner",
    "parents",
)
"""The kinds in turn, so that a small demo shows every kind too."""


def dice(*of: object) -> Random:
    """Chance that falls the same way every time for the same thing."""
    return Random("/".join(str(one) for one in (SEED, *of)))  # noqa: S311 invents a story, keeps no secret


@dataclass(frozen=True, slots=True)
class Home:
    """An invented address in one of the municipalities of the demo."""

    street: str
    number: int
    addition: str
    postcode: str
    place: str


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person, as he is; how a reporter writes him down is another matter (demo_messages)."""

    key: str
    given: str
    nick: str
    prefix: str
    surname: str
    partner_surname: str
    sex: Sex
    born: date
    bsn: str
    phone: str
    role: str
    nationality: str
    language: str

    def age(self, on: date) -> int:
        """Full years on a day."""
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))


@dataclass(slots=True)
class Household:
    """The people of one address while their story goes on; `away` are they who live elsewhere now."""

    number: int
    kind: Kind
    community: Community
    home: Home
    members: list[Person]
    former: Home | None = None
    away: dict[str, Home] = field(default_factory=dict)
    persons: int = 0
    population: str = ""

    @property
    def adults(self) -> list[Person]:
        return [person for person in self.members if person.role not in ("kind", "jeugdige")]

    @property
    def children(self) -> list[Person]:
        return [person for person in self.members if person.role in ("kind", "jeugdige")]

    def home_of(self, person: Person) -> Home:
        return self.away.get(person.key, self.home)

    def person(self, luck: Random, sex: Sex, born: date, role: str, surname: str, **changes: str) -> Person:
        """Somebody new, with names of the household's community and the next numbers."""
        prefix, _, own = surname.rpartition("|")
        names = self.community.men if sex == "M" else self.community.women
        taken = {person.given for person in self.members}
        given, _, nick = luck.choice([name for name in names if name.partition("/")[0] not in taken]).partition("/")
        self.persons += 1
        made = Person(
            key=f"{self.number}-{self.persons}",
            given=given,
            nick=nick or given,
            prefix=prefix,
            surname=own,
            partner_surname="",
            sex=sex,
            born=born,
            bsn=_bsn(self),
            phone=f"06-0000{luck.randrange(10_000):04}",
            role=role,
            nationality=self.community.nationality,
            language=self.community.language,
        )
        return replace(made, **changes)  # type: ignore[arg-type]  # only text fields are changed


def is_acute(number: int) -> bool:
    """Whether the last report on this household is a recent one with a high level of concern (SASH hoog)."""
    return number % 30 == 0


def household(population: str, number: int, start: date) -> Household:
    """Household `number` of a population, as it is at the start of its story. `number` counts from 0."""
    luck = dice(population, number, "household")
    community = luck.choices(COMMUNITIES, [one.weight for one in COMMUNITIES])[0]
    kind = "stalking" if is_acute(number) else ROTATION[number % len(ROTATION)]
    made = Household(number, kind, community, home(luck), [], population=population)
    if kind == "elder":
        _old_parent_and_child(made, luck, start)
    elif kind == "stalking":
        _former_couple(made, luck, start)
    else:
        _family(made, luck, start)
    return made


def home(luck: Random) -> Home:
    """A new address."""
    area = luck.choice(AREAS)
    four = luck.randint(*area.postcodes)
    letters = luck.choice(LETTERS) + luck.choice(LETTERS)
    addition = luck.choice(("", "", "", "", "A", "B", "2", "hs"))
    return Home(luck.choice(STREETS), luck.randint(1, 220), addition, f"{four}{letters}", luck.choice(area.places))


def birthday(luck: Random, start: date, youngest: int, oldest: int) -> date:
    """A day of birth of somebody who is between two ages at the start."""
    days = luck.randint(youngest * 365 + 30, oldest * 365 + 330)
    born = start - timedelta(days=days)
    # 1 January says "only the year is known" to the radar; that is for those who really have it.
    return born if (born.month, born.day) != (1, 1) else born + timedelta(days=1)


def _family(made: Household, luck: Random, start: date) -> None:
    community = made.community
    father_name, mother_name = luck.sample(community.surnames, 2)
    ages = (36, 50) if made.kind == "teenager" else (24, 43)
    father = made.person(luck, "M", birthday(luck, start, *ages), "ouder met gezag", father_name)
    if community.nationality in ("Syrische", "Eritrese") and luck.random() < 0.5:
        father = replace(father, born=date(father.born.year, 1, 1))
    made.members.append(father)
    mother = made.person(luck, "V", birthday(luck, start, *ages), "ouder met gezag", mother_name)
    if luck.random() < 0.5:
        mother = replace(mother, partner_surname=f"{father.prefix} {father.surname}".strip())
    made.members.append(mother)
    child_role = "jeugdige" if made.kind in ("care", "teenager") else "kind"
    youngest, oldest = (12, 16) if made.kind == "teenager" else (0, min(15, _youngest_age(made, start) - 19))
    born = birthday(luck, start, youngest, max(youngest, oldest))
    for _ in range(luck.choice((1, 1, 2, 2, 2, 3, 4))):
        if born >= start:
            break
        made.members.append(made.person(luck, luck.choice(("M", "V")), born, child_role, father_name))
        born += timedelta(days=luck.randint(420, 1400))
    first = made.children[0]
    if made.number % 11 == 4:
        twin = made.person(luck, luck.choice(("M", "V")), first.born, child_role, father_name)
        made.members.append(twin)
    if made.number % 11 == 7 and first.age(start) < 15:
        # Father and son with one name at one address: a classic of wrong links.
        junior = made.person(luck, "M", first.born - timedelta(days=500), child_role, father_name)
        made.members.append(replace(junior, given=father.given, nick=father.nick))


def _youngest_age(made: Household, on: date) -> int:
    return min(person.age(on) for person in made.members)


def _old_parent_and_child(made: Household, luck: Random, start: date) -> None:
    surname = luck.choice(made.community.surnames)
    sexes: tuple[Sex, Sex] = ("V", "M")
    parent = made.person(luck, luck.choice(sexes), birthday(luck, start, 70, 88), "overige verwant", surname)
    made.members.append(parent)
    child = made.person(
        luck, luck.choice(sexes), birthday(luck, start, 38, 52), "overige verwant", surname, phone=parent.phone
    )
    made.members.append(child)


def _former_couple(made: Household, luck: Random, start: date) -> None:
    his, hers = luck.sample(made.community.surnames, 2)
    woman = made.person(luck, "V", birthday(luck, start, 22, 50), "ouder met gezag", hers)
    made.members.append(woman)
    man = made.person(luck, "M", birthday(luck, start, 24, 54), "ouder zonder gezag", his)
    made.members.append(man)
    made.away[man.key] = home(luck)
    if luck.random() < 0.6:
        oldest = max(1, min(12, _youngest_age(made, start) - 20))
        made.members.append(made.person(luck, luck.choice(("M", "V")), birthday(luck, start, 0, oldest), "kind", his))


def _bsn(made: Household) -> str:
    """The next number of the household that passes the 11-test. It starts with 9: a range that is not given out."""
    while True:
        place = made.number * SLOTS + made.persons
        shift = dice(made.population, "bsn").randrange(10_000_000)
        # A multiplication without common factors: no two places give the same digits.
        digits = (place * 7_654_321 + shift) % 10_000_000
        for check in range(10):
            number = f"9{digits:07}{check}"
            if passes_eleven_test(number) and number not in CODES:
                return number
        made.persons += 1
