"""The tables of the radar's rules, as typed rows."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Column, Uuid
from sqlmodel import Field, SQLModel

from core.models import moment, small_number, words


class Involvement(SQLModel, table=True):
    """Earlier involvement of a report (eerdere betrokkenheid), and which other regions knew somebody in it."""

    report_id: UUID = Field(primary_key=True)
    region_id: UUID
    kind: str = words()
    known_persons: int = small_number()
    elsewhere: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    rule_set: str = words()
    settled_at: datetime = moment()


class Signal(SQLModel, table=True):
    """A rule that fired on a report (signaal); withdrawn when it no longer holds, never removed."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    household_id: UUID
    case_id: UUID | None
    report_id: UUID
    rule: str = words()
    title: str = words()
    rule_set: str = words()
    fired_on: date
    explanation: str = words()
    evidence: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    noted_at: datetime = moment()
    withdrawn_at: datetime | None = moment(nullable=True)
    withdrawn_by: str | None = words(nullable=True)
    withdrawn_why: str | None = words(nullable=True)
