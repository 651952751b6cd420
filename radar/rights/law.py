"""Grounds and legal forms as data (grounds.toml, legal_forms.toml), checked when read. Pure but for the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from core.documents import Kind

FOLDER = Path(__file__).parent


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ground(_Data):
    """One ground: for which kinds of request, and in which law. `verified` False: that was not read in the law."""

    title: str
    kinds: list[str]
    source: str
    verified: bool


class LegalForm(_Data):
    """What somebody can do who disagrees with an organisation of this form, and within how many weeks."""

    title: str
    remedy: str
    weeks: int
    source: str
    verified: bool


class _Grounds(_Data):
    version: str
    grounds: dict[str, Ground]


class _Forms(_Data):
    version: str
    forms: dict[str, LegalForm]


GROUNDS = Kind("grounds", "file of rights", lambda: FOLDER / "grounds.toml", _Grounds.model_validate)
FORMS = Kind(
    "legal_forms", "file of rights", lambda: FOLDER / "legal_forms.toml", _Forms.model_validate, per_region=True
)


def grounds() -> Mapping[str, Ground]:
    """Every ground by its code. Raises SettingsError."""
    return GROUNDS().grounds


def grounds_for(kind: str) -> dict[str, str]:
    """Code and title of the grounds for this kind of request, for a select."""
    return {code: one.title for code, one in grounds().items() if kind in one.kinds}


def legal_forms() -> Mapping[str, LegalForm]:
    """Every legal form by its code, with the words of this region. Raises SettingsError."""
    return FORMS().forms
