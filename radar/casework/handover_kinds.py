"""The kinds of handover as data (handover_kinds.toml): to whom, with which content of its own, what may be shared.

Pure but for the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.calendar import dutch_date
from core.documents import Kind as DocumentKind
from core.documents import Live
from radar.casework.handover_shares import PARTS, Line

FILE = Path(__file__).with_name("handover_kinds.toml")
FieldKind = Literal["text", "line", "yes_no", "date", "choice", "place"]
TeamKind = Literal["local_team", "partner", "multidisciplinary", "police", "child_protection_board", "other_region"]
YES_NO = ("ja", "nee")
MAX_DAYS = 60
MAX_TEXT = 4000
AT_MOST: Mapping[str, int] = {"line": 200, "place": 100}
"""Characters, for the kinds of field that are one line; a text has `MAX_TEXT`."""


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Data):
    """One piece of the content that the partner needs: always, when another has this value, or when it is known."""

    name: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    label: Annotated[str, Field(min_length=1)]
    hint: str
    kind: FieldKind
    options: tuple[str, ...] = ()
    needed_when: Annotated[str, Field(pattern=r"^[a-z_]+=[^=]+$")] | None = None
    optional: bool = False

    @property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen; empty for what is typed."""
        return YES_NO if self.kind == "yes_no" else self.options

    def applies(self, content: Mapping[str, str]) -> bool:
        """Whether it is asked for, given the rest of the content."""
        if self.needed_when is None:
            return True
        name, value = self.needed_when.split("=")
        return content.get(name, "").strip() == value


class Kind(_Data):
    """A kind of handover (soort overdracht) and all that goes with it."""

    title: str
    hint: str
    teams: Annotated[tuple[TeamKind, ...], Field(min_length=1)]
    takes_watch: bool
    shares: tuple[str, ...]
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)]
    fields: Annotated[tuple[Asked, ...], Field(min_length=1, max_length=12)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        unknown = sorted(set(self.shares) - PARTS.keys())
        if unknown:
            raise ValueError(f"unknown part to share: {unknown[0]}")
        if "bsn" in self.shares:
            raise ValueError("a BSN is never shared by default")
        by_name = {field.name: field for field in self.fields}
        if len(by_name) < len(self.fields):
            raise ValueError("a field is named twice")
        for field in self.fields:
            if (field.kind == "choice") != bool(field.options):
                raise ValueError(f"{field.name}: options belong to a choice")
            if field.needed_when:
                other, value = field.needed_when.split("=")
                if other not in by_name or value not in by_name[other].choices:
                    raise ValueError(f"{field.name}: needed_when names no choice of this kind")
        return self


class _Kinds(_Data):
    version: str
    kinds: Annotated[dict[str, Kind], Field(min_length=1)]


in_force = DocumentKind("handover_kinds", "file of kinds of handover", lambda: FILE, _Kinds.model_validate)
"""The file in force. Raises SettingsError when it does not fit."""
KINDS = Live(lambda: in_force().kinds)
"""The kinds in force by their code."""


def cleaned(kind: Kind, content: Mapping[str, str]) -> dict[str, str]:
    """The content that belongs to this kind, trimmed; what is not asked for is left out."""
    return {
        field.name: text
        for field in kind.fields
        if field.applies(content) and (text := content.get(field.name, "").strip())
    }


def faults(kind: Kind, content: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the content: the name of each field with a Dutch sentence."""
    found = {}
    for field in kind.fields:
        text = content.get(field.name, "").strip()
        if field.applies(content) and (fault := _fault(field, text)):
            found[field.name] = fault
    return found


def title_of(code: str) -> str:
    """What the screen says; a kind that is no longer in the file is shown by its code."""
    return KINDS[code].title if code in KINDS else code


def told(code: str, content: Mapping[str, str]) -> list[Line]:
    """The content of an offer as lines with their labels, in the order of the kind."""
    labels = {field.name: field.label for field in KINDS[code].fields} if code in KINDS else {}
    dates = {field.name for field in KINDS[code].fields if field.kind == "date"} if code in KINDS else set()
    names = [name for name in labels if name in content] + [name for name in content if name not in labels]
    said = {name: dutch_date(date.fromisoformat(text)) if name in dates else text for name, text in content.items()}
    return [Line(labels.get(name, name), said[name]) for name in names]


def unknown_parts(shares: Collection[str]) -> list[str]:
    """The parts that do not exist."""
    return sorted(set(shares) - PARTS.keys())


def _fault(field: Asked, text: str) -> str | None:
    if not text:
        if field.optional:
            return None
        return f"Vul in: {field.label}" if not field.choices else f"Kies: {field.label}"
    if field.choices and text not in field.choices:
        return f"Kies een van de antwoorden: {field.label}"
    if len(text) > (limit := AT_MOST.get(field.kind, MAX_TEXT)):
        return f"Dit is te lang: hoogstens {limit} tekens."
    if field.kind == "place" and re.search(r"\d", text):
        return "Noem alleen de regio of de gemeente. Een adres of postcode hoort hier niet."
    if field.kind == "date" and not _is_day(text):
        return "Vul een datum in."
    return None


def _is_day(text: str) -> bool:
    """Whether it is a day as a form sends it and as a message reads it: 2026-11-02."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
