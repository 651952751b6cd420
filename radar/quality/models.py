"""The tables of rule sets, rehearsals and samples, as typed rows for the screens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, REAL, Column, Uuid
from sqlmodel import Field, SQLModel

from core.models import document, moment, words


def ids() -> Any:
    """A `uuid[]` column."""
    return Field(sa_column=Column(ARRAY(Uuid), nullable=False))


def bits() -> Any:
    """A `real` column with log-odds in bits."""
    return Field(sa_column=Column(REAL, nullable=False))


class StoredRuleSet(SQLModel, table=True):
    """A rule set that a region added (regels voor het koppelen)."""

    __tablename__ = "rule_set"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    version: str = words()
    document: dict[str, Any] = document()
    added_at: datetime = moment()
    added_by: str = words()


class Rehearsal(SQLModel, table=True):
    """A rule set tried on stored reports, against the one in force (proefdraaien)."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    version: str = words()
    rule_set_id: UUID | None
    against: str = words()
    against_rule_set_id: UUID | None
    reports: int
    asked_at: datetime = moment()
    asked_by: str = words()
    finished_at: datetime | None = moment(nullable=True)


class RehearsalPart(SQLModel, table=True):
    """Some of the reports of a rehearsal: one job."""

    __tablename__ = "rehearsal_part"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    rehearsal_id: UUID
    number: int
    reports: list[UUID] = ids()
    done_at: datetime | None = moment(nullable=True)
    weighed: int
    mentions: int
    questions_before: int
    questions_after: int


class RehearsalChange(SQLModel, table=True):
    """A mention on which the two rule sets do not agree."""

    __tablename__ = "rehearsal_change"

    rehearsal_id: UUID = Field(primary_key=True)
    mention_id: UUID = Field(primary_key=True)
    region_id: UUID
    report_id: UUID
    kind: str = words()
    contradicts: str | None = words(nullable=True)
    before_outcome: str = words()
    before_state: str = words()
    before_score: float = bits()
    after_outcome: str = words()
    after_state: str = words()
    after_score: float = bits()


class RuleActivation(SQLModel, table=True):
    """From when on a rule set is in force; the highest number counts."""

    __tablename__ = "rule_activation"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    number: int
    version: str = words()
    rule_set_id: UUID | None
    rehearsal_id: UUID
    activated_at: datetime = moment()
    activated_by: str = words()
    reason: str = words()


class QualityDraw(SQLModel, table=True):
    """How large the strata were from which a sample was drawn."""

    __tablename__ = "quality_draw"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    until: datetime = moment()
    rule_set: str = words()
    stratum: str = words()
    frame: int
    drawn: int
    shown: int


class QualitySample(SQLModel, table=True):
    """Two sides that a person judges without knowing what the machine said (blinde steekproef)."""

    __tablename__ = "quality_sample"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    stratum: str = words()
    rule_set: str = words()
    link_id: UUID | None
    mention_id: UUID | None
    person_id: UUID
    others: list[UUID] = ids()
    drawn_at: datetime = moment()
    answer: str | None = words(nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    answered_by: str | None = words(nullable=True)
    proposal_id: UUID | None
