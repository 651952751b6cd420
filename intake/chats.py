"""Chats with Veilig Thuis, as a supplier delivers them: received once, read by a person, made an advice or not.

A chat is anonymous, and only what the asker volunteered is in it (Wmo 2015 art. 5.1.6 lid 3): the message has no
field for who he is, where he came from or which device he has. It never becomes a report by itself. A person cleans
it, or says why a find is no data of a family; then what was sent is deleted with its key.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import to_json

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotAllowed, NotFound
from core.ids import uuid7
from core.sealing import keep, key_of, new_key
from core.secrets import keyed_hash
from intake import advice
from intake.advice import AdviceInput
from intake.codelists import codelists
from intake.input_errors import InputError, InvalidMessage, read_json
from intake.input_rules import ILLEGAL_CHARACTERS, refuse
from intake.senders import CHAT, MAY_SEND, NotAuthentic, Sender, proof_of

MAX_BYTES = 512 * 1024
MAX_LINES = 1_000
MAX_LINE = 5_000
MAX_TEXT = advice.MAX_TRANSCRIPT - MAX_LINES * 20
"""Of all lines together: with who said each it must fit in an advice."""
MAX_LENGTH = timedelta(hours=24)
WHO = {"vrager": "Vrager", "medewerker": "Medewerker"}


class AlreadySettled(Conflict):
    """Een collega heeft dit gesprek al afgehandeld."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=False)


class ChatLine(_Part):
    """One line: who of the two said what. No name, no time of its own."""

    who: Literal["vrager", "medewerker"] = Field(alias="wie", description="Wie dit schreef; nooit een naam")
    text: Annotated[str, Field(min_length=1, max_length=MAX_LINE)] = Field(alias="tekst")

    @field_validator("text")
    @classmethod
    def _characters(cls, value: str) -> str:
        if ILLEGAL_CHARACTERS.search(value):
            raise refuse("De tekst bevat een teken dat niet mag.")
        return value


class ChatMessage(_Part):
    """A chat that ended, as the supplier delivers it. Codes are those of the code lists; each may be left out."""

    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")] = Field(
        alias="referentie", description="Uw eigen nummer van het gesprek; dezelfde referentie is hetzelfde gesprek"
    )
    began: datetime = Field(alias="begin")
    ended: datetime = Field(alias="einde")
    lines: Annotated[tuple[ChatLine, ...], Field(min_length=1, max_length=MAX_LINES)] = Field(alias="regels")
    capacity: str | None = Field(None, alias="hoedanigheid")
    occasions: Annotated[tuple[str, ...], Field(max_length=20)] = Field((), alias="aanleidingen")
    natures: Annotated[tuple[str, ...], Field(max_length=20)] = Field((), alias="aard")

    @field_validator("began", "ended")
    @classmethod
    def _zone(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise refuse("Geef bij het tijdstip de tijdzone op.")
        return value.astimezone(UTC)

    @field_validator("capacity")
    @classmethod
    def _capacity(cls, value: str | None) -> str | None:
        if value is not None and value not in {one.code for one in codelists().capacities}:
            raise refuse("Deze code staat niet in de lijst.")
        return value

    @field_validator("occasions")
    @classmethod
    def _occasions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= {one.code for one in codelists().occasions}:
            raise refuse("Een code staat niet in de lijst.")
        return value

    @field_validator("natures")
    @classmethod
    def _natures(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= {one.code for one in codelists().natures}:
            raise refuse("Een code staat niet in de lijst.")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not timedelta(0) <= self.ended - self.began <= MAX_LENGTH:
            raise refuse("Het einde ligt voor het begin, of meer dan 24 uur erna.")
        if sum(len(line.text) for line in self.lines) > MAX_TEXT:
            raise refuse(f"Het gesprek is te lang: alle regels samen zijn niet langer dan {MAX_TEXT} tekens.")
        if all(line.who != "vrager" for line in self.lines):
            raise refuse("Er is geen regel van de vrager.")
        return self

    def transcript(self) -> str:
        """The chat as text, a paragraph a line."""
        return "\n".join(f"{WHO[line.who]}: {line.text.strip()}" for line in self.lines)


def read(raw: bytes) -> ChatMessage:
    """The message in these bytes. Raises InvalidMessage with every error at once, each with its path."""
    return read_json(raw, ChatMessage.model_validate)


@dataclass(frozen=True, slots=True)
class Received:
    """A chat that is in the database; `again`: it was there before."""

    id: UUID
    again: bool


def receive(db: Db, sender: Sender, message: ChatMessage, at: datetime) -> Received:
    """Store a chat, sealed, at the door.

    Raises NotAllowed for a sender of another kind, NotAuthentic when its proof was withdrawn, InvalidMessage, and
    Conflict when its reference belongs to another chat.
    """
    if sender.kind != CHAT:
        raise NotAllowed("Deze afzender levert geen chatgesprekken.")
    if message.ended > at + timedelta(minutes=5):
        raise InvalidMessage((InputError("$.einde", "Het einde van het gesprek ligt in de toekomst."),))
    if db.execute(MAY_SEND, proof_of(sender)).fetchone() is None:
        raise NotAuthentic
    plain = to_json(message.model_dump(by_alias=True, mode="json"))
    fingerprint = keyed_hash(f"chat:{sender.id}:{plain.decode()}")
    identifier = uuid7()
    key = new_key(identifier)
    stored = db.execute(
        "INSERT INTO advice_chat (id, region_id, sender_id, reference, fingerprint, began_at, ended_at, received_at,"
        " capacity, occasions, natures, sealed) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (
            *(identifier, sender.region, sender.id, message.reference, fingerprint, message.began, message.ended, at),
            *(message.capacity, sorted(set(message.occasions)), sorted(set(message.natures))),
            key.seal(message.transcript().encode(), _place(identifier)),
        ),
    )
    if stored.rowcount == 0:
        return _known(db, sender, message.reference, fingerprint)
    keep(db, key, sender.region)
    audit.append(db, sender.region, f"sender:{sender.oin}", "chat.receive", "chat", identifier)
    return Received(identifier, again=False)


def _known(db: Db, sender: Sender, reference: str, fingerprint: bytes) -> Received:
    row = db.execute(
        "SELECT id, fingerprint FROM advice_chat WHERE sender_id = %s AND reference = %s", (sender.id, reference)
    ).fetchone()
    if row is None or bytes(row["fingerprint"]) != fingerprint:
        raise Conflict("Deze referentie hoort al bij een ander gesprek.")
    return Received(row["id"], again=True)


def _place(chat: UUID) -> str:
    return f"advice_chat.sealed:{chat}"


# ── for the people who read it ──────────────────────────────────────────────────────────────────────────────

_SELECT = (
    "SELECT id, began_at, ended_at, received_at, capacity, occasions, natures, done_at, done_by, outcome, advice_id"
    " FROM advice_chat"
)


def waiting(db: Db, region: UUID, most: int = 100) -> list[Row]:
    """The chats that nobody has settled, oldest first, without their text."""
    query = f"{_SELECT} WHERE region_id = %s AND done_at IS NULL ORDER BY received_at, id LIMIT %s"
    return db.execute(query, (region, most)).fetchall()


def find(db: Db, region: UUID, identifier: UUID) -> Row:
    """One chat without its text. Raises NotFound."""
    query = f"{_SELECT} WHERE id = %s AND region_id = %s"
    row = db.execute(query, (identifier, region)).fetchone()
    if row is None:
        raise NotFound
    return row


def transcript(db: Db, region: UUID, identifier: UUID) -> str:
    """What was said. Raises NotFound, also once a person has settled the chat; Unreadable."""
    row = db.execute(
        "SELECT sealed FROM advice_chat WHERE id = %s AND region_id = %s AND sealed IS NOT NULL", (identifier, region)
    ).fetchone()
    if row is None:
        raise NotFound
    return key_of(db, identifier).unseal(bytes(row["sealed"]), _place(identifier)).decode()


def settle(
    db: Db,
    region: UUID,
    identifier: UUID,
    given: AdviceInput,
    *,
    by: str,
    at: datetime,
    confirmed: Collection[str] = (),
    reason: str = "",
) -> UUID:
    """Make an advice of a chat, with the text as the person left it; what was sent is deleted. Gives the advice.

    Raises NotFound, AlreadySettled, PersonalDataFound, ReasonMissing.
    """
    _take(db, region, identifier)
    made = advice.record(db, region, given, by=by, at=at, confirmed=confirmed, reason=reason)
    _done(db, region, identifier, "advice", made, by, at)
    return made


def drop(db: Db, region: UUID, identifier: UUID, *, by: str, at: datetime) -> None:
    """No advice was given (nobody there, hung up): what was sent is deleted. Raises NotFound, AlreadySettled."""
    _take(db, region, identifier)
    _done(db, region, identifier, "nothing", None, by, at)


def _take(db: Db, region: UUID, identifier: UUID) -> None:
    row = db.execute(
        "SELECT done_at FROM advice_chat WHERE id = %s AND region_id = %s FOR NO KEY UPDATE", (identifier, region)
    ).fetchone()
    if row is None:
        raise NotFound
    if row["done_at"] is not None:
        raise AlreadySettled


def _done(db: Db, region: UUID, identifier: UUID, outcome: str, made: UUID | None, by: str, at: datetime) -> None:
    db.execute(
        "UPDATE advice_chat SET sealed = NULL, outcome = %s, advice_id = %s, done_at = %s, done_by = %s"
        " WHERE id = %s",
        (outcome, made, at, by, identifier),
    )
    audit.append(db, region, by, "chat.settle", "chat", identifier, {"outcome": outcome})
