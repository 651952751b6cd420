"""The hard cases of hard_cases.toml: earlier reports come in, then the new one, on the real database.

Every case has a region of its own. A failure prints the story, what is wanted, what came, and the radar's reasons.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import log2
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from core.database import Db, connection_options
from core.identity.bsn import Bsn
from core.ids import uuid7
from radar.linking import register
from radar.linking.register import LinkResult, MentionLink
from radar.linking.rules import RegisterSize, Rules, load
from workers.engines import EmbeddedPostgres

FILE = tomllib.loads((Path(__file__).parent / "hard_cases.toml").read_text(encoding="utf-8"))
START = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)

ROLES = {
    "parent": "111", "child": "115", "grandparent": "125", "foster": "211", "partner": "213", "youth": "301",
    "reporter": "391", "informant": "392", "contact": "393", "nurse": "412", "teacher": "413",
    "professional": "491", "": "",
}  # fmt: skip
FIELDS = {
    "given": "voornamen", "prefix": "voorvoegsel", "surname": "geslachtsnaam", "partner": "geslachtsnaamPartner",
    "partner_prefix": "voorvoegselPartner", "full": "volledigeNaam",
}  # fmt: skip
OTHERS = {"sex", "bsn", "birth", "at", "phone", "role"}
OUTCOMES = {"same", "ask", "household", "new", "too little", "outside"}
_ADDRESS = re.compile(
    r"(?P<street>.+?) (?P<number>\d+)(?: (?P<addition>[^,]+))?, (?:(?P<postcode>\d{4}[A-Z]{2}) )?(?P<town>.+)"
)

Person = dict[str, str]


@dataclass(frozen=True)
class Case:
    """One case of the file, with [cast] and `like` filled in."""

    title: str
    group: str
    story: str
    earlier: list[list[Person]]
    report: list[Person]
    household: str = ""
    persons: int = FILE["persons"]
    crowd: Mapping[str, Any] = field(default_factory=dict)


def read(group: str, case: Mapping[str, Any]) -> Case:
    known: dict[str, Person] = {name: {**person, "is": name} for name, person in FILE["cast"].items()}
    earlier: list[list[Person]] = []
    for said in case["earlier"]:
        mentions = []
        for one in said:
            mention = known[one] if isinstance(one, str) else filled(one, known)
            known = {**known, mention["is"]: mention}
            mentions.append(mention)
        earlier.append(mentions)
    report = [filled(one, known) for one in case["report"]]
    rest = {name: case[name] for name in ("household", "persons", "crowd") if name in case}
    return Case(case["title"], group, case["story"], earlier, report, **rest)


def filled(one: Person, known: Mapping[str, Person]) -> Person:
    base = {name: value for name, value in known[one["like"]].items() if name != "is"} if "like" in one else {}
    return base | {name: value for name, value in one.items() if name != "like"}


CASES = [read(group["name"], case) for group in FILE["group"] for case in group["case"]]


# ── from the file's notation to what intake stores ──────────────────────────────────────────────────────────


def involved(person: Person) -> dict[str, Any]:
    """One betrokkene as intake writes it."""
    found: dict[str, Any] = {
        "naam": {FIELDS[name]: value for name, value in person.items() if name in FIELDS},
        "rol": {"code": ROLES[person.get("role", "parent")]},
    }
    found |= {
        {"sex": "geslacht", "bsn": "bsn"}[name]: value for name, value in person.items() if name in ("sex", "bsn")
    }
    if birth := person.get("birth"):
        found["geboortedatum"] = {"tekst": "99999999" if birth == "unborn" else birth.replace("-", "")}
    if at := person.get("at"):
        found["adressen"] = [address(at)]
    if phone := person.get("phone"):
        found["telefoonnummers"] = [phone]
    return found


def address(at: str) -> dict[str, str]:
    parts = _ADDRESS.fullmatch(FILE["places"].get(at, at))
    assert parts, f"not an address: {at}"
    given = {name: value for name, value in parts.groupdict().items() if value}
    names = {"street": "straat", "number": "huisnummer", "addition": "toevoeging", "town": "woonplaats"}
    return {"soort": "formeel"} | {names.get(name, name): value for name, value in given.items()}


def stranger(number: int) -> Person:
    """Somebody who is like nobody: a name of invented syllables and a birth date of his own."""
    ends = ["abeko", "idurme", "ofalte", "uhexi", "ynogra", "ewimpo"]
    name = f"{chr(66 + number % 20)}{ends[number % 6]}{chr(98 + number // 6)}{ends[(number + number // 6) % 6]}"
    date = f"{1950 + number}-{number % 12 + 1:02}-{number % 27 + 2:02}"
    return {"given": name[:5].title(), "surname": name.title(), "birth": date}


@lru_cache
def rules_for(persons: int) -> Rules:
    """The live rules, with the thresholds of a register of this many persons."""
    rules = load()
    return rules.model_copy(
        update={"register_size": RegisterSize(smallest=persons, offset=rules.register_bits(persons) - log2(persons))}
    )


# ── the register in the database ────────────────────────────────────────────────────────────────────────────


@dataclass
class Region:
    """One region of Veilig Thuis, and who in it truly is who."""

    db: Db
    rules: Rules
    id: UUID = field(default_factory=uuid7)
    sender: UUID = field(default_factory=uuid7)
    now: datetime = START
    persons: dict[str, set[UUID]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        oin = f"{self.id.int % 10**20:020}"
        self.db.execute("INSERT INTO region (id, name, oin) VALUES (%s, %s, %s)", (self.id, str(self.id), oin))
        self.db.execute(
            "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Test', 'politie')",
            (self.sender, self.id, oin[::-1]),
        )

    def receive(self, persons: Sequence[Person]) -> UUID:
        """A report as intake stores it, not linked yet."""
        message, report = uuid7(), uuid7()
        self.db.execute(
            "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome, "
            "answer_status, answer_type, answer) VALUES (%s, %s, %s, 'json', %s, %s, %s, 'report', 200, 'Bv03', '')",
            (message, self.id, self.sender, self.now, message.bytes, hashlib.sha256(message.bytes).digest()),
        )
        self.db.execute(
            "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, "
            "received_at, content, remarks, acute_signals, acute_rules) "
            "VALUES (%s, %s, %s, %s, 'politie', 'x', %s, '{}', '[]', '[]', 'x')",
            (report, self.id, message, self.sender, self.now),
        )
        for number, person in enumerate(persons, start=1):
            self.db.execute(
                "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
                (uuid7(), self.id, report, number, Jsonb(involved(person))),
            )
        return report

    def link(self, report: UUID) -> LinkResult:
        with self.db.transaction():
            return register.link_report(self.db, report, self.now, self.rules)

    def arrive(self, persons: Sequence[Person], after: timedelta = timedelta(days=9)) -> LinkResult:
        """A report comes in, some time after the one before, and is linked."""
        self.now += after
        return self.link(self.receive(persons))

    def learn(self, said: Sequence[Person]) -> None:
        """An earlier report; a member of staff who knows the truth answers what the radar asks."""
        result = self.arrive(said)
        for person, link in zip(said, result.decisions, strict=True):
            own = self.persons.setdefault(person["is"], set())
            if link.state == "proposed" and link.proposed_link:
                answer = register.confirm if link.proposed_person in own else register.reject
                with self.db.transaction():
                    answer(self.db, link.proposed_link, "jansen", self.now)
                found = link.proposed_person if link.proposed_person in own else link.person
            else:
                found = link.person
            if found:
                own.add(found)
        for one, other in ((a, b) for a in self.persons for b in self.persons if a < b):
            assert not self.persons[one] & self.persons[other], (
                f"the earlier reports already mix up {one} and {other}"
            )

    def crowd(self, crowd: Mapping[str, Any]) -> None:
        """Strangers, each in a report of their own, who share one address or phone."""
        shared = {name: crowd[name] for name in ("at", "phone") if name in crowd}
        for number in range(crowd.get("number", 0)):
            self.arrive([stranger(number) | shared])

    def households(self) -> set[UUID]:
        found = self.db.execute("SELECT id FROM household WHERE region_id = %s", (self.id,))
        return {row["id"] for row in found}

    def homes(self, persons: set[UUID]) -> set[UUID]:
        """The households that these persons are members of."""
        found = self.db.execute("SELECT household_id FROM membership WHERE person_id = ANY(%s)", (list(persons),))
        return {row["household_id"] for row in found}

    def name(self, person: UUID | None) -> str:
        return next((name for name, own in self.persons.items() if person in own), "nobody of this story")

    def meets(self, wanted: str, link: MentionLink) -> bool:
        """Whether one mention became one of the wanted outcomes."""
        for one in wanted.split("|"):
            outcome, _, name = (part.strip() for part in one.partition(":"))
            own = self.persons.get(name, set())
            alone = link.state == "new" and link.outcome != "outside"
            match outcome:
                case "same":
                    met = link.state == "automatic" and link.person in own
                case "ask":
                    met = link.state == "proposed" and link.proposed_person in own
                case "household":
                    met = alone and bool(link.person) and bool(self.homes({link.person or uuid7()}) & self.homes(own))
                case "new":
                    met = alone and link.outcome != "too_little"
                case "too little":
                    met = link.outcome == "too_little"
                case _:
                    met = link.outcome == outcome
            if met:
                return True
        return False

    def tell(self, link: MentionLink) -> str:
        """What became of one mention, in the words of the file."""
        if link.state == "automatic":
            return f"same: {self.name(link.person)}"
        if link.state == "proposed":
            return f"ask: {self.name(link.proposed_person)}"
        with_whom = [
            name for name, own in self.persons.items() if link.person and self.homes(own) & self.homes({link.person})
        ]
        return f"{link.outcome.replace('_', ' ')}, in the household of {' and '.join(with_whom) or 'nobody known'}"


def prepared(case: Case, db: Db) -> Region:
    """A region that has had everything of a case but the new report."""
    region = Region(db, rules_for(case.persons))
    region.crowd(case.crowd)
    for said in case.earlier:
        region.learn(said)
    return region


def complaint(case: Case, region: Region, result: LinkResult, wrong: Sequence[str]) -> str:
    lines = [f"{case.group}: {case.title}", case.story, f"(a register of {case.persons} persons)", ""]
    for person, link in zip(case.report, result.decisions, strict=True):
        who = ", ".join(f"{name} {value}" for name, value in person.items() if name != "want" and value)
        lines += [f"  {who or 'no data'}", f"    wanted {person['want']}", f"    got    {region.tell(link)}"]
        lines.append(f"    score  {link.score:.1f} bits")
        lines += [f"      {one['weight']:+6.1f}  {one['text']}" for one in link.reasons]
    return "\n".join([*lines, "", *wrong])


# ── the tests ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def one_database(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The address of one database for all tests of a module: each test has a region of its own in it."""
    name = f"test_{uuid7().hex}"
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER veilig STRATEGY file_copy")
        yield postgres.url_of("veilig", name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def db(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Db]:
    with (
        one_database(postgres, migrated_template) as url,
        psycopg.connect(url, **connection_options(60_000)) as connection,
    ):
        yield connection


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.title}")
def test_hard_case(case: Case, db: Db) -> None:
    region = prepared(case, db)
    before = region.households()
    theirs = {name: region.homes(own) for name, own in region.persons.items()}
    result = region.arrive(case.report)
    wrong = [
        f"mention {number}: not as wanted"
        for number, (person, link) in enumerate(zip(case.report, result.decisions, strict=True), start=1)
        if not region.meets(person["want"], link)
    ]
    where = case.household
    if where == "new":
        right = result.household_id not in before
    elif where.startswith("not:"):
        right = result.household_id not in theirs[where.removeprefix("not:").strip()]
    else:
        right = not where or result.household_id in theirs[where]
    if not right:
        real = [name for name, homes in theirs.items() if result.household_id in homes]
        wrong.append(f"household: wanted {where}, got that of {' and '.join(real) or 'nobody known'}")
    if wrong:
        pytest.fail(complaint(case, region, result, wrong), pytrace=False)


def is_somebody_else(person: Person) -> bool:
    """Whether the file wants a mention to be somebody new, or at most a question."""
    return "same:" not in person["want"] and ("new" in person["want"] or "household:" in person["want"])


@pytest.mark.parametrize("persons", [500, 20_000])
@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        if case.persons == FILE["persons"] and any(is_somebody_else(person) for person in case.report)
    ],
    ids=lambda case: f"{case.group}: {case.title}",
)
def test_no_size_of_register_makes_somebody_else_the_same(case: Case, persons: int, db: Db) -> None:
    """The country is as large when few people are known: in a young register a stranger is a stranger too."""
    case = replace(case, persons=persons)
    region = prepared(case, db)
    result = region.arrive(case.report)
    wrong = [
        f"mention {number}: linked to {region.name(link.person)}"
        for number, (person, link) in enumerate(zip(case.report, result.decisions, strict=True), start=1)
        if is_somebody_else(person) and link.state == "automatic"
    ]
    if wrong:
        pytest.fail(complaint(case, region, result, wrong), pytrace=False)


def test_a_region_knows_only_its_own_people(db: Db) -> None:
    """The same family in two regions is two families; what a region learns stays there."""
    case = next(case for case in CASES if case.title == "a whole family again")
    rules = rules_for(case.persons)
    one, other = Region(db, rules), Region(db, rules)
    one.learn(case.earlier[0])
    assert [link.state for link in other.arrive(case.report).decisions] == ["new"] * len(case.report)
    assert [link.state for link in one.arrive(case.report).decisions] == ["automatic"] * len(case.report)


def test_a_larger_register_asks_for_more(db: Db) -> None:
    """The same two reports weigh less among three million people than among a hundred."""
    scores = []
    for persons in (100, 3_000_000):
        region = Region(db, rules_for(persons))
        known = {"is": "jan", "given": "Jan", "surname": "Proefstra", "birth": "1980-04-17", "sex": "M"}
        region.learn([known])
        scores.append(region.arrive([known]).decisions[0].score)
    assert scores[0] > scores[1]


class TestTheFile:
    def test_every_title_is_there_once(self) -> None:
        titles = [(case.group, case.title) for case in CASES]
        assert sorted(set(titles)) == sorted(titles)

    def test_every_word_is_known(self) -> None:
        for case in CASES:
            for person in [*case.report, *(one for said in case.earlier for one in said)]:
                assert person.keys() <= FIELDS.keys() | OTHERS | {"is", "want"}, case.title
            for person in case.report:
                assert {one.partition(":")[0].strip() for one in person["want"].split("|")} <= OUTCOMES, case.title

    def test_every_name_is_somebody_of_the_story(self) -> None:
        for case in CASES:
            there = {person["is"] for said in case.earlier for person in said}
            meant = {one.partition(":")[2].strip() for person in case.report for one in person["want"].split("|")}
            assert meant - {""} <= there, case.title
            assert case.household in there | {"", "new"} or case.household.startswith("not: "), case.title

    def test_every_bsn_starts_with_9_and_is_valid_or_a_told_slip(self) -> None:
        slips = {
            person["bsn"]: case.title
            for case in CASES
            for said in [*case.earlier, case.report]
            for person in said
            if person.get("bsn") and Bsn.parse(person["bsn"]).status != "valid"
        }
        assert slips == {
            "952601831": "a slip that the 11-test catches",
            "000000000": "000000000",
            "999999999": "999999999",
        }
        numbers = [
            one["bsn"] for case in CASES for said in [*case.earlier, case.report] for one in said if "bsn" in one
        ]
        assert {number[:1] for number in numbers if number} == {"9", "0"}
