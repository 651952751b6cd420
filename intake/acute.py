"""The acute check at receipt, at any hour (seed2, Uitvoeringsbesluit Wmo 4.1.1): signals from a report.

What a reporter filled in (SASH) can put a report on top of the queue. Words in free text are only shown, so that
a person looks: "geen mes gezien" holds the word too. The rules are a versioned file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from intake.message import ReportMessage

FILE = Path(__file__).parent / "data" / "acute.json"
ACUTE_RISK = 2


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LevelRule(_Strict):
    """A rule on what the reporter filled in."""

    rule: str
    sash: Literal["laag", "matig", "hoog"]
    level: Literal["acute", "show"]
    text: str


class WordRule(_Strict):
    """Words that a person should see; matched at the start of a word, without accents or capitals."""

    rule: str
    text: str
    words: tuple[str, ...] = Field(min_length=1)


class AcuteRules(_Strict):
    """One version of the rules."""

    version: str
    source: str
    doubt: str
    levels: tuple[LevelRule, ...]
    words: tuple[WordRule, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason to look: `acute` goes to the top of the queue, `show` is shown."""

    rule: str
    level: Literal["acute", "show"]
    text: str
    words: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {"rule": self.rule, "level": self.level, "text": self.text, "words": list(self.words)}


@lru_cache(maxsize=1)
def rules() -> AcuteRules:
    """The rules in force. Raises pydantic's ValidationError when the file is wrong, at the start."""
    return AcuteRules.model_validate_json(FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _plain_words() -> tuple[tuple[WordRule, dict[str, str]], ...]:
    """Each rule with its words by their plain form."""
    return tuple((rule, {_plain(word): word for word in rule.words}) for rule in rules().words)


@lru_cache(maxsize=1)
def _every_word() -> re.Pattern[str]:
    # Longest first, so that "doodsbedreiging" is not seen as a shorter word before it.
    words = sorted({plain for _, words in _plain_words() for plain in words}, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(re.escape(word) for word in words) + ")")


def signals(message: ReportMessage) -> tuple[Signal, ...]:
    """The signals of one report, acute ones first."""
    filled_in = message.report.sash.level
    by_level = [Signal(rule.rule, rule.level, rule.text) for rule in rules().levels if filled_in == rule.sash]
    found = set(_every_word().findall(_plain(" \n ".join(_texts(message)))))
    by_word = []
    for rule, by_plain in _plain_words() if found else ():
        if words := tuple(word for plain, word in by_plain.items() if plain in found):
            by_word.append(Signal(rule.rule, "show", rule.text, words))
    return tuple(sorted(by_level, key=lambda signal: signal.level)) + tuple(by_word)


def risk(found: Iterable[Signal]) -> int:
    """2 when a signal is acute, else 0; the order of the queue."""
    return ACUTE_RISK if any(signal.level == "acute" for signal in found) else 0


def _texts(message: ReportMessage) -> list[str]:
    incident, situation = message.incident, message.situation
    texts = [
        incident.description,
        situation.description,
        situation.additional_information,
        situation.existing_help,
        situation.restraining_order,
        situation.arrest,
        situation.criminal_complaint,
        situation.honour_related_violence,
        *situation.registrations,
    ]
    for person in message.persons:
        texts += [person.additional_information, person.other_concern_minor]
    return [text for text in texts if text]


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
