"""The rule set of the radar: weights, limits and word tables as versioned data, checked when it is loaded."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from math import log2
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError, model_validator

from core.errors import SettingsError

FOLDER = Path(__file__).parent / "rules"
NEWEST = "2026-11-basis"
_NOT_LETTERS = re.compile(r"[^a-z]")
_SILENT = re.compile(r"[aeiouyh]")
_DOUBLE = re.compile(r"(.)\1+")

KeyKind = Literal[
    "bsn", "birth_first", "birth_surname", "name", "name_year", "house_first", "house_surname", "door", "phone"
]
FieldName = Literal["bsn", "birth", "first_name", "surname", "sex", "phone", "address", "order", "company"]
HouseholdSign = Literal[
    "known",
    "nobody_recognised",
    "member",
    "former_member",
    "lives_elsewhere",
    "missing",
    "most_missing",
    "shares",
    "stranger",
    "same_address",
    "other_address",
    "alone_elsewhere",
]


class InvalidRules(SettingsError):
    """De regels voor het koppelen kloppen niet."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Weight(_Part):
    """Evidence in bits: log2 of how much likelier this level is for the same person than for the rival.

    Two rivals: a stranger (anybody in the register), and a housemate, who shares surname, address and phone.
    """

    stranger: float = Field(ge=-30, le=30)
    housemate: float = Field(ge=-30, le=30)


class RegisterSize(_Part):
    """The more persons, the likelier a stranger agrees by chance: one bit for every doubling of the register."""

    smallest: int = Field(ge=1, description="a smaller register counts as one of this many persons")
    offset: float = Field(ge=-20, le=20, description="bits on top of log2 of the number of persons")


class Limits(_Part):
    """From when on we link, and how far we look."""

    automatic: float = Field(description="bits of log-odds from which the machine links")
    proposed: float = Field(description="bits of log-odds from which a person is asked")
    margin: float = Field(ge=0, description="closer than this to the runner-up: a person is asked")
    household: float = Field(description="bits of log-odds from which shared evidence alone finds a household")
    housemates: float = Field(ge=0, description="bits for the housemates who could be meant instead")
    persons_per_key: int = Field(ge=1, description="a key with more persons is too common to search with")
    persons_per_door: int = Field(ge=1, description="an address or phone of more persons is an institution")
    candidates: int = Field(ge=1, description="candidates per mention that are compared")


class Frequencies(_Part):
    """How common names are, per 100 000 persons."""

    surname: dict[str, PositiveFloat]
    first_name: dict[str, PositiveFloat]
    other_surname: float = Field(gt=0)
    other_first_name: float = Field(gt=0)


class Rules(_Part):
    """One version of the rules. Folded text everywhere: lower case, no accents."""

    version: str = Field(min_length=1)
    source: str = Field(min_length=1, description="where the figures come from")
    search_keys: tuple[KeyKind, ...] = Field(min_length=1)
    lock_keys: tuple[KeyKind, ...] = Field(min_length=1)
    weights: dict[FieldName, dict[str, Weight]]
    household: dict[HouseholdSign, float] = Field(
        description="bits that each sign counts for a known household, against one that is not known yet"
    )
    child_roles: frozenset[int] = Field(description="codes of roles that may well live in two households")
    peripheral_roles: frozenset[int] = Field(description="codes of roles that live in the household less often")
    register_size: RegisterSize
    limits: Limits
    rarity_counts: dict[FieldName, float] = Field(
        description="how much of the rarity of a name counts (who shares a key often shares a name as well)"
    )
    frequencies: Frequencies
    letters: dict[str, str]
    sounds: tuple[tuple[str, str], ...]
    articles: tuple[str, ...]
    nicknames: tuple[tuple[str, ...], ...]
    titles: frozenset[str]
    generations: dict[str, str]
    and_words: frozenset[str]
    unnamed: frozenset[str]
    unborn: frozenset[str]
    stop_phones: frozenset[str]
    institution_words: frozenset[str]

    @model_validator(mode="after")
    def _whole(self) -> Rules:
        for field, levels in LEVELS.items():
            missing = levels ^ set(self.weights.get(field, {}))
            if missing:
                raise ValueError(f"weights of {field}: missing or unknown level {sorted(missing)[0]}")
        unknown = set(get_args(HouseholdSign)) ^ set(self.household)
        if unknown:
            raise ValueError(f"household: missing or unknown sign {sorted(unknown)[0]}")
        if not self.limits.proposed < self.limits.automatic:
            raise ValueError("limits.proposed lies below limits.automatic")
        return self

    def __hash__(self) -> int:
        """By identity: a rule set is loaded once, and is a key of what is remembered of names."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def register_bits(self, persons: int) -> float:
        """Bits that a stranger costs in a register of this many persons."""
        return self.register_size.offset + log2(max(persons, self.register_size.smallest))

    @cached_property
    def hopeless(self) -> float:
        """Bits against a housemate from which on no name in the world makes somebody a candidate."""
        best = sum(
            max(0.0, *(weight.housemate for weight in self.weights[field].values())) for field in _BY_NAME_AND_COMPANY
        )
        return self.limits.proposed - self.limits.margin - best + self.limits.housemates

    @cached_property
    def nickname_groups(self) -> dict[str, frozenset[int]]:
        """Name to the numbers of the groups that it is in ('bert' is in several)."""
        groups: dict[str, set[int]] = {}
        for number, names in enumerate(self.nicknames):
            for name in names:
                groups.setdefault(name, set()).add(number)
        return {name: frozenset(numbers) for name, numbers in groups.items()}

    @cached_property
    def not_given(self) -> frozenset[str]:
        """Words among the first names that are no name."""
        return self.unnamed | self.titles | self.generations.keys()

    @cached_property
    def formal_name(self) -> dict[str, str]:
        """Nickname to the formal name of the first group it is in."""
        formal: dict[str, str] = {}
        for names in self.nicknames:
            for name in names:
                formal.setdefault(name, names[0])
        return formal

    @cached_property
    def sound_of(self) -> Callable[[str], str]:
        """Folded text to the consonants as one hears them, remembered: the same names come back all day."""
        return lru_cache(maxsize=100_000)(partial(_skeleton, self.sounds))

    @cached_property
    def letter_table(self) -> dict[int, str]:
        return str.maketrans(self.letters)


_BY_NAME_AND_COMPANY: tuple[FieldName, ...] = ("first_name", "surname", "company")


def _skeleton(sounds: tuple[tuple[str, str], ...], text: str) -> str:
    """^ and $ mark the ends of the word, so that a sound rule can ask for them."""
    framed = f"^{text}$"
    for old, new in sounds:
        framed = framed.replace(old, new)
    letters = _NOT_LETTERS.sub("", framed)
    return _DOUBLE.sub(r"\1", letters[:1] + _SILENT.sub("", letters[1:]))


LEVELS: dict[FieldName, set[str]] = {
    "bsn": {"same", "different"},
    "birth": {"same", "swapped", "year_month", "year", "one_part", "near_year", "different"},
    "first_name": {"same", "other_given", "nickname", "alike", "initial", "initials", "resembles", "different"},
    "surname": {"same", "alike", "resembles", "different"},
    "sex": {"same", "different"},
    "phone": {"same"},
    "address": {"door", "house", "near", "different"},
    "order": {"swapped"},
    "company": {"several", "one", "nobody_of_one", "nobody_of_several"},
}


@lru_cache(maxsize=8)
def load(version: str | None = None) -> Rules:
    """One rule set from the data folder; without a version the newest. Raises InvalidRules."""
    name = version or NEWEST
    try:
        document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        rules = Rules.model_validate(document)
    except OSError:
        raise InvalidRules(f"De regels {name} bestaan niet.") from None
    except ValueError as error:
        detail = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise InvalidRules(f"De regels {name} kloppen niet: {detail}.") from None
    if rules.version != name:
        raise InvalidRules(f"Het bestand {name} noemt een andere versie: {rules.version}.")
    return rules
