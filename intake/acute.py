"""The acute check at receipt, at any hour (seed2, Uitvoeringsbesluit Wmo 4.1.1): signals from a report.

What a reporter filled in (SASH) can put a report on top of the queue. Words in free text are only shown, so that
a person looks: "geen mes gezien" holds the word too. The rules are a versioned file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.documents import Kind
from intake.message import Incident, Intake, Involved, ReportMessage, Situation

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


class AnswerRule(_Strict):
    """A rule on what somebody answered to the question whether it is safe now."""

    rule: str
    safe_now: Literal["ja", "nee", "onbekend"]
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
    answers: tuple[AnswerRule, ...]
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


rules = Kind("acute", "file of acute signals", lambda: FILE, AcuteRules.model_validate, is_json=True)
"""The rules in force. Raises SettingsError when the file is wrong, at the start."""


@lru_cache(maxsize=4)
def _plain_words(rules: tuple[WordRule, ...]) -> tuple[tuple[WordRule, dict[str, str]], ...]:
    """Each rule with its words by their plain form."""
    return tuple((rule, {_plain(word): word for word in rule.words}) for rule in rules)


@lru_cache(maxsize=4)
def _every_word(rules: tuple[WordRule, ...]) -> re.Pattern[str]:
    # Longest first, so that "doodsbedreiging" is not seen as a shorter word before it.
    words = sorted({plain for _, words in _plain_words(rules) for plain in words}, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(re.escape(word) for word in words) + ")")


def signals(message: ReportMessage) -> tuple[Signal, ...]:
    """The signals of one report, acute ones first."""
    texts = _texts(message.incident, message.situation, message.intake, message.persons)
    return _signals(message.report.sash.level, message.intake, texts)


def signals_of_stored(content: Mapping[str, Any]) -> tuple[Signal, ...]:
    """The signals of a report as it is stored, so without what is told of each person: for a rehearsal."""
    incident = Incident.model_validate(content.get("incident") or {}, by_alias=True, by_name=False)
    situation = Situation.model_validate(content.get("situatie") or {}, by_alias=True, by_name=False)
    told = content.get("aanmelding")
    intake = Intake.model_validate(told, by_alias=True, by_name=False) if told else None
    sash = (content.get("melding") or {}).get("sash") or {}
    return _signals(sash.get("niveau"), intake, _texts(incident, situation, intake, ()))


def _signals(sash: str | None, intake: Intake | None, texts: list[str]) -> tuple[Signal, ...]:
    chosen = rules()
    by_level = [Signal(rule.rule, rule.level, rule.text) for rule in chosen.levels if sash == rule.sash]
    answered = intake.safe_now if intake else None
    by_level += [Signal(rule.rule, rule.level, rule.text) for rule in chosen.answers if answered == rule.safe_now]
    found = set(_every_word(chosen.words).findall(_plain(" \n ".join(texts))))
    by_word = []
    for rule, by_plain in _plain_words(chosen.words) if found else ():
        if words := tuple(word for plain, word in by_plain.items() if plain in found):
            by_word.append(Signal(rule.rule, "show", rule.text, words))
    return tuple(sorted(by_level, key=lambda signal: signal.level)) + tuple(by_word)


def risk(found: Iterable[Signal]) -> int:
    """2 when a signal is acute, else 0; the order of the queue."""
    return ACUTE_RISK if any(signal.level == "acute" for signal in found) else 0


def _texts(incident: Incident, situation: Situation, intake: Intake | None, persons: Iterable[Involved]) -> list[str]:
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
    if intake:
        texts += [intake.safe_now_text, intake.since, intake.children_text]
    for person in persons:
        texts += [person.additional_information, person.other_concern_minor]
    return [text for text in texts if text]


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
