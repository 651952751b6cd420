"""The ground tables that screens read, as typed rows. The migrations are the source; a test compares the two."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


def moment(*, nullable: bool = False) -> Any:
    """A `timestamptz` column."""
    return Field(sa_column=Column(DateTime(timezone=True), nullable=nullable))


def words(*, nullable: bool = False) -> Any:
    """A `text` column."""
    return Field(sa_column=Column(Text, nullable=nullable))


def small_number(*, nullable: bool = False, primary_key: bool = False) -> Any:
    """A `smallint` column."""
    return Field(sa_column=Column(SmallInteger, nullable=nullable, primary_key=primary_key))


def document(*, nullable: bool = False) -> Any:
    """A `jsonb` column."""
    return Field(sa_column=Column(JSONB, nullable=nullable))


class Region(SQLModel, table=True):
    """The area of one Veilig Thuis."""

    id: UUID = Field(primary_key=True)
    name: str = words()
    oin: str = words()
    application: str = words()
    created_at: datetime = moment()
    acute_check_minutes: int = small_number()
    legal_form: str = words()
    phone: str | None = words(nullable=True)


class Team(SQLModel, table=True):
    """A team that work can go to: Veilig Thuis itself, a local team or a partner."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    name: str = words()
    kind: str = words()
    valid_from: date
    valid_to: date | None
    oin: str | None = words(nullable=True)
    delivery_url: str | None = words(nullable=True)
    phone: str | None = words(nullable=True)
    successor_id: UUID | None


class Staff(SQLModel, table=True):
    """Somebody who signs in (medewerker)."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    team_id: UUID | None
    username: str = words()
    name: str = words()
    role: str = words()
    password_hash: str | None = words(nullable=True)
    active: bool
    created_at: datetime = moment()
    oidc_subject: str | None = words(nullable=True)
    away_until: date | None
    home_key: bytes | None


class StaffSession(SQLModel, table=True):
    """A sign-in; only the hash of its token is kept."""

    __tablename__ = "staff_session"

    token_hash: bytes = Field(primary_key=True)
    staff_id: UUID
    started_at: datetime = moment()
    seen_at: datetime = moment()
    ended_at: datetime | None = moment(nullable=True)
    idle_until: datetime = moment()
    ends_at: datetime = moment()
    stepped_up_until: datetime | None = moment(nullable=True)
    id: UUID
    how: str = words()
    origin: str = words()
    place: str = words()


class Job(SQLModel, table=True):
    """A piece of background work."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    kind: str = words()
    subject_id: UUID
    state: str = words()
    attempts: int = small_number()
    generation: int
    due_at: datetime = moment()
    leased_until: datetime | None = moment(nullable=True)
    woken_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)
    error: str | None = words(nullable=True)


class Task(SQLModel, table=True):
    """Something a person has to do; the deadline queue is its open rows."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    team_id: UUID | None
    kind: str = words()
    subject_id: UUID
    risk: int = small_number()
    received_at: datetime = moment()
    due_at: datetime = moment()
    opened_at: datetime = moment()
    done_at: datetime | None = moment(nullable=True)
    done_by: str | None = words(nullable=True)
    outcome: str | None = words(nullable=True)
    report_id: UUID | None
    staff_id: UUID | None
    team_since: datetime = moment()
    reminded_at: datetime | None = moment(nullable=True)
    escalated_at: datetime | None = moment(nullable=True)
    change: int = Field(sa_type=BigInteger)


class Deadline(SQLModel, table=True):
    """A due date; `due_at` is the first moment at which it is overdue."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    kind: str = words()
    subject_id: UUID
    norm_due_on: date
    legal_due_on: date
    due_at: datetime = moment()
    met_at: datetime | None = moment(nullable=True)
    report_id: UUID | None
    dropped_at: datetime | None = moment(nullable=True)
    dropped_why: str | None = words(nullable=True)


class DeadlineEntry(SQLModel, table=True):
    """A line of a deadline's ledger; `steps` is `AssessmentDeadline.to_json()`."""

    __tablename__ = "deadline_entry"

    deadline_id: UUID = Field(primary_key=True)
    number: int = small_number(primary_key=True)
    at: datetime = moment()
    actor: str = words()
    reason: str = words()
    norm_due_on: date
    legal_due_on: date
    due_at: datetime = moment()
    steps: dict[str, Any] = document()
    kind: str = words()
    starts_on: date | None
    weeks: int | None = small_number(nullable=True)
    withdraws: int | None = small_number(nullable=True)
