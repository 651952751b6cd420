"""The figures of rehearsal and sampling: versioned data beside this file, checked when it is loaded."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.documents import Kind

FILE = Path(__file__).with_name("policy.toml")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RehearsalPolicy(_Part):
    """How many stored reports a rehearsal weighs, and how long its outcome counts."""

    reports: int = Field(gt=0)
    least: int = Field(gt=0)
    most: int = Field(gt=0)
    part: int = Field(gt=0, le=200)
    valid_days: int = Field(gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> RehearsalPolicy:
        if not self.least <= self.reports <= self.most:
            raise ValueError("least <= reports <= most")
        return self


class SamplePolicy(_Part):
    """Which part of the decisions goes to blind review. Shares are of 1, `floor_bits` is log-odds in bits."""

    link_share: float = Field(gt=0, le=1)
    non_link_share: float = Field(gt=0, le=1)
    floor_bits: float = Field(lt=0)
    first_days: int = Field(gt=0)
    settle_minutes: int = Field(ge=1)
    every_hours: int = Field(gt=0)
    others: int = Field(gt=0, le=20)


class Policy(_Part):
    """The whole file."""

    version: str = Field(min_length=1)
    rehearsal: RehearsalPolicy
    sample: SamplePolicy


policy = Kind("quality", "file of figures of quality", lambda: FILE, Policy.model_validate)
"""The figures in use. Raises SettingsError when the file does not fit."""
