"""The tables of the radar, as typed rows for the screens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import REAL, Column
from sqlmodel import Field, SQLModel

from core.models import document, moment, words


class Household(SQLModel, table=True):
    """People who belong together (huishouden). `founded_by`: the report that it was made for."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    created_at: datetime = moment()
    founded_by: UUID | None


class Case(SQLModel, table=True):
    """Connected reports about one household (casus)."""

    __tablename__ = "cases"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    household_id: UUID
    number: str = words()
    team_id: UUID | None
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(nullable=True)


class Link(SQLModel, table=True):
    """The tie between a mention in a report and a person in the register, with its reasons (koppeling)."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    mention_id: UUID
    person_id: UUID
    state: str = words()
    outcome: str = words()
    score: float = Field(sa_column=Column(REAL, nullable=False))
    reasons: list[dict[str, Any]] = document()
    rule_set: str = words()
    created_at: datetime = moment()
    decided_at: datetime | None = moment(nullable=True)
    decided_by: str | None = words(nullable=True)


class SafetyWatch(SQLModel, table=True):
    """Who watches whether it is safe (zicht op veiligheid); one holder at every moment."""

    __tablename__ = "safety_watch"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    case_id: UUID
    holder: str = words()
    team_id: UUID | None
    since: datetime = moment()
    until: datetime | None = moment(nullable=True)
    reason: str = words()


class RouteProposal(SQLModel, table=True):
    """Where a report goes: proposed by the machine, decided by a person (route)."""

    __tablename__ = "route"

    id: UUID = Field(primary_key=True)
    region_id: UUID
    report_id: UUID
    state: str = words()
    team_id: UUID | None
    path: str = words()
    reason: str = words()
    proposed_at: datetime = moment()
    decided_at: datetime | None = moment(nullable=True)
    decided_by: str | None = words(nullable=True)
