"""The figures of searching as data (search.toml), checked when they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.documents import Kind

FILE = Path(__file__).with_name("search.toml")

FieldKind = Literal["name", "birth", "bsn", "phone", "address", "reference"]


class Policy(BaseModel):
    """What the file says; see the comments there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1)
    verified: bool
    least_fields: int = Field(ge=2, description="a name alone must never be enough")
    enough: tuple[Literal["bsn", "reference"], ...]
    candidates: int = Field(ge=1, le=500)
    read: int = Field(ge=1, le=100)
    shown: int = Field(ge=1, le=25)
    bits: float
    result_minutes: int = Field(ge=1, le=60)
    touch_bits: float
    misses: int = Field(ge=1)
    misses_hours: int = Field(ge=1)
    again: int = Field(ge=2)
    again_hours: int = Field(ge=1)


policy = Kind("search", "file of search figures", lambda: FILE, Policy.model_validate)
"""The figures in force. Raises SettingsError."""
