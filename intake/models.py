"""The tables of what came in, as typed rows for the screens."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from core.models import document, moment, small_number, words


class Sender(SQLModel, table=True):
    """An organisation that may post to the feeds (melder of leverancier)."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    oin: str = words()
    name: str = words()
    kind: str = words()
    certificate_sha256: str | None = words(nullable=True)
    reply_url: str | None = words(nullable=True)
    created_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
    team_id: UUID | None
    own: bool
    webhook_url: str | None = words(nullable=True)
    webhook_secret: bytes | None


class Message(SQLModel, table=True):
    """The raw message, for ever as it came (sealed: intake/opening.py), with the answer that was given."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    sender_id: UUID
    channel: str = words()
    reference: str | None = words(nullable=True)
    received_at: datetime = moment()
    raw: bytes
    content_sha256: bytes
    outcome: str = words()
    standard: str | None = words(nullable=True)
    answer_status: int = small_number()
    answer_type: str = words()
    answer: bytes
    destroyed_at: datetime | None = moment(nullable=True)


class Quarantine(SQLModel, table=True):
    """A message that could not be understood and waits for a person."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    message_id: UUID
    code: str = words()
    reason: str = words()
    resolved_at: datetime | None = moment(nullable=True)
    resolution: str | None = words(nullable=True)


class Report(SQLModel, table=True):
    """A report (melding); `content` is the message without the persons concerned."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    message_id: UUID
    sender_id: UUID
    reporter_kind: str = words()
    reference_of_reporter: str = words()
    received_at: datetime = moment()
    supplements: UUID | None
    content: dict[str, Any] = document()
    remarks: list[dict[str, Any]] = document()
    acute_signals: list[dict[str, Any]] = document()
    acute_rules: str = words()
    municipality: str | None = words(nullable=True)
    household_id: UUID | None
    case_id: UUID | None
    linked_at: datetime | None = moment(nullable=True)
    state: str = words()
    destroyed_at: datetime | None = moment(nullable=True)


class Mention(SQLModel, table=True):
    """A person as named in one report (betrokkene)."""

    id: UUID = Field(primary_key=True)
    region_id: UUID
    report_id: UUID
    number: int = small_number()
    role_code: int | None = small_number(nullable=True)
    person: dict[str, Any] = document()
    blind: dict[str, Any] | None = document(nullable=True)
    destroyed_at: datetime | None = moment(nullable=True)
