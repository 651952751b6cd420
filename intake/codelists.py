"""The code lists of intake: who asks or reports, what for, what kind of violence (codelists.toml)."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.documents import Kind

FILE = Path(__file__).parent / "data" / "codelists.toml"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Code(_Data):
    """One code with its Dutch text and the group that it fits (who or what: see the file)."""

    code: str = Field(pattern=r"^[0-9A-Za-z-]{1,10}$")
    text: str = Field(min_length=1, max_length=100)
    group: Literal["professional", "citizen", "domestic", "child", "any"]
    ended: bool = False
    """No longer to be chosen; what was recorded with it is still shown with its text."""


class CodeLists(_Data):
    """The whole file: hoedanigheid, aanleiding and aard of the statistics (domain.md 4.2)."""

    version: str
    source: str
    verified: bool
    capacities: tuple[Code, ...] = Field(min_length=1)
    occasions: tuple[Code, ...] = Field(min_length=1)
    natures: tuple[Code, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_code_once(self) -> Self:
        for codes in (self.capacities, self.occasions, self.natures):
            if len({one.code for one in codes}) != len(codes):
                raise ValueError("each code once in its list")
        return self

    def capacity(self, code: str | None) -> str:
        """The text of a capacity; a code that nobody knows is shown as it is."""
        return text_of(self.capacities, code)


codelists = Kind("code_lists", "file of code lists", lambda: FILE, CodeLists.model_validate)
"""The lists in force. Raises SettingsError when the file does not fit."""


def text_of(codes: Collection[Code], code: str | None) -> str:
    """The text of a code of this list; one that is not on it is shown as it is, and none is empty."""
    return next((one.text for one in codes if one.code == code), code or "")


def options(codes: Collection[Code], *groups: str) -> list[tuple[str, str]]:
    """The codes of these groups (none named: all) as pairs for a form."""
    return [(one.code, one.text) for one in codes if not one.ended and (not groups or one.group in groups)]
