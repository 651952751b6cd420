"""What may leave, as data (kinds.toml): recipients, parts, and how many persons release it. Pure but for the file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.documents import Kind as DocumentKind

FILE = Path(__file__).with_name("kinds.toml")
RecipientKind = Literal["person", "partner", "sender", "staff"]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(_Data):
    """One kind of thing that leaves. `two_persons_when`: the dangers with which two persons must release it."""

    title: str
    recipients: Annotated[list[RecipientKind], Field(min_length=1)]
    parts: Annotated[list[str], Field(min_length=1)]
    two_persons: bool = False
    two_persons_when: list[str] = []
    step_up: bool = False
    repeats: bool = False
    links: Literal["unchanged", "none"] = "unchanged"

    def needs_two(self, dangers: Collection[str]) -> bool:
        """Whether two persons must release it, with these dangers in it."""
        return self.two_persons or any(danger in self.two_persons_when for danger in dangers)


class RecipientRule(_Data):
    """The most that this recipient may get."""

    title: str
    parts: list[str]


class Way(_Data):
    """How somebody made sure that it reaches the person and nobody else."""

    title: str
    protected_ok: bool


class PersonChecks(_Data):
    """How long a check of a person counts, in days, and the ways to do it."""

    days: Annotated[int, Field(gt=0)]
    ways: dict[str, Way]


class Limits(_Data):
    """From how many rows an export is bulk; how many prints a person makes in a day before it is noticed."""

    export_rows: Annotated[int, Field(gt=0)]
    prints_per_day: Annotated[int, Field(gt=0)]


class Rules(_Data):
    """The whole file."""

    version: str
    from_links: list[str]
    parts: dict[str, str]
    person_checks: PersonChecks
    limits: Limits
    dangers: dict[str, str]
    recipients: dict[RecipientKind, RecipientRule]
    kinds: dict[str, Kind]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.recipients.keys() != {"person", "partner", "sender", "staff"}:
            raise ValueError("every recipient needs its list of parts")
        if odd := sorted({part for one in self.recipients.values() for part in one.parts} - self.parts.keys()):
            raise ValueError(f"unknown part {', '.join(odd)}")
        for code, kind in self.kinds.items():
            most = {part for one in kind.recipients for part in self.recipients[one].parts}
            if odd := sorted(set(kind.parts) - most):
                raise ValueError(f"{code}: its recipient may not get {', '.join(odd)}")
            if odd := sorted(set(kind.two_persons_when) - self.dangers.keys()):
                raise ValueError(f"{code}: unknown danger {', '.join(odd)}")
        return self

    def allowed(self, kind: str, recipient: str, parts: Collection[str]) -> bool:
        """Whether this kind may go to this recipient with these parts; closed by default."""
        rule = self.kinds.get(kind)
        if rule is None or recipient not in rule.recipients:
            return False
        most = next((one.parts for name, one in self.recipients.items() if name == recipient), [])
        return set(parts) <= set(rule.parts) & set(most) and bool(parts)


rules = DocumentKind("outbound", "file of what may leave", lambda: FILE, Rules.model_validate)
"""The rules in force. Raises SettingsError when the file is wrong."""
