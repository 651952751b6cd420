"""Texts in sentences, and whom a sentence speaks of. Pure but for the list of words (others.toml)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core.documents import Kind

FILE = Path(__file__).with_name("others.toml")
_END = re.compile(r"(?<=[.!?])\s+|\s*\n\s*")
_WORD = re.compile(r"[\w'-]+")


class _Others(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    words: frozenset[str] = Field(min_length=1)


OTHERS = Kind("others", "list of words", lambda: FILE, _Others.model_validate)


def words_for_others() -> frozenset[str]:
    """The words with which a text speaks of somebody else."""
    return OTHERS().words


def split(text: object) -> list[str]:
    """The sentences and lines of a text, as they stand in it."""
    return [part for part in (one.strip() for one in _END.split(str(text or ""))) if part]


def words(text: str) -> set[str]:
    """The words of a text, in lower case."""
    return {word.casefold() for word in _WORD.findall(text)}


def given_names(person: Mapping[str, Any]) -> set[str]:
    """The given names of somebody: what sets him apart in a family."""
    name = person.get("naam") or {}
    return {word for key in ("voornamen", "voornaam", "roepnaam") for word in words(str(name.get(key) or ""))}


def surnames(person: Mapping[str, Any]) -> set[str]:
    """Each word of his surname and full name, without his given names."""
    name = person.get("naam") or {}
    found = {word for key in ("geslachtsnaam", "volledigeNaam") for word in words(str(name.get(key) or ""))}
    return found - given_names(person)


def about(sentence: str, him: Mapping[str, Any], others: Collection[Mapping[str, Any]]) -> tuple[bool, bool]:
    """Whether a sentence names him, and whether it speaks of somebody else (by name, or as "vader" or "zij")."""
    said = words(sentence)
    own = given_names(him)
    theirs = {name for other in others for name in given_names(other) | (surnames(other) - surnames(him))} - own
    named = bool(said & own) or (bool(said & surnames(him)) and not any(surnames(him) & surnames(o) for o in others))
    return named, bool(said & theirs) or bool(said & words_for_others())


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each text inside a document, with the names that lead to it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner, path)
    elif isinstance(value, bool):
        yield path, "ja" if value else "nee"
    elif value not in (None, ""):
        yield path, str(value)
