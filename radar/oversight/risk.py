"""The risk rules of the log review: pure functions from the lines of one day to what somebody must look at."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from core.deadlines import AMSTERDAM
from core.documents import Kind, Table
from core.errors import SettingsError
from core.settings import settings

FILE = Path(__file__).with_name("risk.toml")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its sentence for the reviewer, how heavy it is, and its limits."""

    text: str
    weight: int
    limits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules, and what happens with what they find."""

    rules: Mapping[str, Rule]
    due_days: int
    remind_days: int
    sample: int
    shown: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail of a colleague. `file` is the report, or the case, that he saw or changed."""

    chain: int
    number: int
    at: datetime
    staff: UUID
    code: str
    kind: str
    outcome: str
    file: UUID | None

    @property
    def reads(self) -> bool:
        """Whether a file was seen by it."""
        return self.code == "R" and self.outcome == "ok" and self.file is not None


@dataclass(frozen=True, slots=True)
class Person:
    """Names, folded for comparison, and keyed hashes of addresses: of a person in a file, or of a colleague."""

    surnames: frozenset[str]
    first_names: frozenset[str]
    addresses: frozenset[bytes] = frozenset()

    def same_surname(self, other: Person) -> bool:
        return bool(self.surnames & other.surnames)

    def same_name(self, other: Person) -> bool:
        return self.same_surname(other) and bool(self.first_names & other.first_names)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules must know beside the lines of the day."""

    colleagues: Mapping[UUID, Person]
    files: Mapping[UUID, Sequence[Person]]
    related: frozenset[tuple[UUID, UUID]]
    """(colleague, file): he has a task in it, made a step, or wrote in it."""
    confidential: frozenset[UUID]


Hits = Mapping[str, list[Line]]


def _checked(data: Table) -> Policy:
    try:
        rules = {
            name: Rule(
                one["text"], one["weight"], {key: value for key, value in one.items() if isinstance(value, int)}
            )
            for name, one in data["rules"].items()
        }
        if rules.keys() != _CHECKS.keys() | {"search", "sample"}:
            raise SettingsError("The log review rules name other rules than this version has.")
        return Policy(rules, *(data[name] for name in ("due_days", "remind_days", "sample", "shown")))
    except (KeyError, TypeError) as error:
        raise ValueError(f"something is missing: {error}") from None


policy = Kind("log_review", "file of log review rules", lambda: settings().log_review_rules or FILE, _checked)
"""The rules in force. Raises SettingsError for a rule that the code does not know, or one that is missing."""


def hits_of(lines: Sequence[Line], facts: Facts, rules: Mapping[str, Rule]) -> dict[str, list[Line]]:
    """What the rules find in the lines of one colleague on one day: rule to its lines; without what finds none."""
    found = {name: list(dict.fromkeys(check(lines, facts, rules[name].limits))) for name, check in _CHECKS.items()}
    return {name: hit for name, hit in found.items() if hit}


def sample_of(lines: Sequence[Line], count: int, chance: random.Random) -> list[Line]:
    """Readings at random, so that nobody knows that he is not looked at."""
    readings = [line for line in lines if line.reads]
    return chance.sample(readings, min(count, len(readings)))


def _no_relation(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    for line in lines:
        if line.reads and line.file is not None and (line.staff, line.file) not in facts.related:
            yield line


def _own_name(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    for line, me, person in _met(lines, facts):
        if me.same_surname(person):
            yield line


def _own_address(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    for line, me, person in _met(lines, facts):
        if me.addresses & person.addresses:
            yield line


def _colleague(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    for line, _, person in _met(lines, facts):
        if any(other.same_name(person) for staff, other in facts.colleagues.items() if staff != line.staff):
            yield line


def _confidential(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    return (line for line in lines if line.reads and line.file in facts.confidential)


def _night(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    for line in lines:
        hour = line.at.astimezone(AMSTERDAM).hour
        if line.reads and (hour >= limits["from"] or hour < limits["until"]):
            yield line


def _many_files(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    first = {line.file: line for line in reversed(lines) if line.reads}
    if len(first) > limits["more_than"]:
        yield from sorted(first.values(), key=lambda line: line.at)


def _refused(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    refused = [line for line in lines if line.outcome == "refused"]
    if len(refused) > limits["more_than"]:
        yield from refused


def _exports(lines: Sequence[Line], facts: Facts, limits: Mapping[str, int]) -> Iterator[Line]:
    made = [line for line in lines if line.outcome == "ok" and line.kind in ("print", "export")]
    if len(made) > limits["more_than"]:
        yield from made


def _met(lines: Sequence[Line], facts: Facts) -> Iterator[tuple[Line, Person, Person]]:
    """Each reading with the colleague himself and each person in that file."""
    nobody = Person(frozenset(), frozenset())
    for line in lines:
        if line.reads and line.file is not None:
            for person in facts.files.get(line.file, ()):
                yield line, facts.colleagues.get(line.staff, nobody), person


_Check = Callable[[Sequence[Line], Facts, Mapping[str, int]], Iterator[Line]]
_CHECKS: dict[str, _Check] = {
    "no_relation": _no_relation,
    "own_name": _own_name,
    "own_address": _own_address,
    "colleague": _colleague,
    "confidential": _confidential,
    "night": _night,
    "many_files": _many_files,
    "refused": _refused,
    "exports": _exports,
}
