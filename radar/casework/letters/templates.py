"""The texts of the letters as data: one toml file each, with a version, checked when read. Pure but for the files.

A field that the text does not name cannot get in: no other person, no reporter, no address.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.documents import Kind
from core.errors import VeiligError

FOLDER = Path(__file__).parent
GIVEN = frozenset({"regio", "datum", "kenmerk"})
"""What every letter gets by itself: the name of the region, the date in words, the number of the case."""


class FieldsMissing(VeiligError):
    """Vul alles in wat in de brief moet staan."""

    status = 400

    def __init__(self, names: tuple[str, ...] = (), message: str | None = None) -> None:
        super().__init__(message)
        self.names = names


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LetterField(_Data):
    """One field that a person fills in."""

    label: str
    longest: Annotated[int, Field(ge=1, le=4000)] = 200
    optional: bool = False


class Text(_Data):
    """One letter. A paragraph whose optional field is empty is left out; `- ` begins a line of a list."""

    version: str
    title: str
    subject: str
    to_person: bool
    fields: dict[str, LetterField]
    paragraphs: Annotated[list[str], Field(min_length=1)]

    @model_validator(mode="after")
    def _only_named_fields(self) -> Text:
        named = {name for part in [self.subject, *self.paragraphs] for name in placeholders(part)}
        if odd := sorted(named - GIVEN - self.fields.keys()):
            raise ValueError(f"unknown fields: {', '.join(odd)}")
        if unused := sorted(self.fields.keys() - named):
            raise ValueError(f"fields that the text does not use: {', '.join(unused)}")
        if GIVEN & self.fields.keys():
            raise ValueError("a field has the name of one that every letter gets by itself")
        if placeholders(self.subject) - GIVEN:
            raise ValueError("the subject stands in the properties of the file and holds no personal data")
        return self


def placeholders(text: str) -> frozenset[str]:
    """The names between braces. Raises ValueError for anything more clever than a name."""
    found = set()
    for _, name, layout, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or layout or conversion:
            raise ValueError(f"not a plain field: {name}")
        found.add(name)
    return frozenset(found)


def kind_of(file: Path) -> Kind[Text]:
    """The letter of this file, under the file's name."""
    return Kind(f"letter.{file.stem}", "letter", lambda: file, Text.model_validate, per_region=True)


KINDS = {file.stem: kind_of(file) for file in sorted(FOLDER.glob("*.toml"))}


def texts() -> Mapping[str, Text]:
    """Every letter by its code, as it is in force in this region. Raises SettingsError when a file is wrong."""
    return {code: kind() for code, kind in KINDS.items()}


def filled(text: Text, fields: Mapping[str, str], given: Mapping[str, str]) -> list[str]:
    """The paragraphs with their fields. What was typed is text, never a field of its own.

    Raises FieldsMissing for a field that is empty, too long, or that this letter does not have.
    """
    values = {name: value.strip() for name, value in fields.items()}
    if odd := sorted(values.keys() - text.fields.keys()):
        raise FieldsMissing(tuple(odd), f"Deze brief heeft geen veld {', '.join(odd)}.")
    empty = [name for name, one in text.fields.items() if not one.optional and not values.get(name)]
    if empty:
        labels = ", ".join(text.fields[name].label for name in empty)
        raise FieldsMissing(tuple(empty), f"Vul in: {labels}.")
    long = [name for name, value in values.items() if len(value) > text.fields[name].longest]
    if long:
        one = text.fields[long[0]]
        raise FieldsMissing(tuple(long), f"{one.label}: gebruik hoogstens {one.longest} tekens.")
    all_values = dict.fromkeys(text.fields, "") | values | dict(given)
    skipped = {name for name, one in text.fields.items() if one.optional and not values.get(name)}
    return [part.format_map(all_values).strip() for part in text.paragraphs if not placeholders(part) & skipped]
