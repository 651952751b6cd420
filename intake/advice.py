"""Advice: what somebody asked and what he was advised, with nothing of the family that it was about.

Wmo 2015 art. 5.1.6 lid 3: no personal data of a family may be recorded with an advice. So there is no field for them,
a find of the check (personal_data.py) must be answered by a person, and nothing here refers to a report or a person.
Who asks is anonymous, unless he agrees that we keep how to reach him.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import to_json

from core import audit
from core.database import Db
from core.documents import Kind
from core.errors import ReasonMissing, VeiligError
from core.ids import uuid7
from core.sealing import keep, new_key
from intake.codelists import Code, codelists
from intake.input_rules import refuse
from intake.personal_data import Found, excerpts, found

FILE = Path(__file__).parent / "data" / "advice.toml"
MAX_TEXT = 10_000
MAX_TRANSCRIPT = 100_000
MAX_MINUTES = 600
Way = Literal["telefoon", "balie", "chat", "formulier"]
WAYS: dict[str, str] = {
    "telefoon": "Telefoon",
    "balie": "Balie",
    "chat": "Chat",
    "formulier": "Formulier op de site",
}


class Terms(BaseModel):
    """How long an advice, and how to reach who asked, are kept (data/advice.toml)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    source: str
    verified: bool
    advice_months: int = Field(ge=1, le=240)
    contact_days: int = Field(ge=1, le=366)
    contact_days_after_follow_up: int = Field(ge=0, le=90)


terms = Kind("advice_terms", "file of terms of advice", lambda: FILE, Terms.model_validate)
"""The terms in force. Raises SettingsError when the file does not fit."""


class PersonalDataFound(VeiligError):
    """In de tekst staat iets dat op een persoonsgegeven lijkt. Haal het weg, of zeg waarom het geen gegeven is."""

    status = 400

    def __init__(self, by_field: Mapping[str, list[Found]]) -> None:
        super().__init__()
        self.by_field = by_field

    @property
    def finds(self) -> list[Found]:
        """All of them, field after field."""
        return [one for finds in self.by_field.values() for one in finds]


def _tidy(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Typed = Annotated[str, BeforeValidator(_tidy)]
_MAIL = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,180}\.[^\s@<>.]{2,60}")


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AskerContact(_Input):
    """How who asked can be reached. Only with his consent, and one of the three is enough."""

    consent: bool
    name: Typed = ""
    phone: Typed = ""
    email: Typed = ""

    @field_validator("consent")
    @classmethod
    def _agreed(cls, value: bool) -> bool:
        if not value:
            raise refuse("Vraag eerst of u deze gegevens mag bewaren. Zo niet, laat ze dan leeg.")
        return value

    @field_validator("name", "phone")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > 100:
            raise refuse("Gebruik niet meer dan 100 tekens.")
        return value

    @field_validator("email")
    @classmethod
    def _mail(cls, value: str) -> str:
        if value and not _MAIL.fullmatch(value):
            raise refuse("Schrijf het e-mailadres als naam@voorbeeld.nl.")
        return value

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.name or self.phone or self.email):
            raise refuse(_TEXTS["contact"])
        return self


class AdviceInput(_Input):
    """One advice. There is no field for the family, and there will be none.

    `advice` is empty only for a question by the form on the site, until somebody answers it. Codes are those of
    codelists.py. `previous`: the advice that this one follows up on.
    """

    way: Way
    capacity: Typed
    occasions: tuple[str, ...]
    natures: tuple[str, ...] = ()
    question: Typed
    advice: Annotated[Typed, Field(validate_default=True)] = ""
    transcript: Typed = ""
    minutes: int | None = None
    follow_up: bool = False
    follow_up_on: date | None = None
    contact: AskerContact | None = None
    previous: UUID | None = None

    @field_validator("capacity")
    @classmethod
    def _known_capacity(cls, value: str) -> str:
        if value not in _codes(codelists().capacities):
            raise refuse(_TEXTS["capacity"])
        return value

    @field_validator("occasions")
    @classmethod
    def _known_occasions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= _codes(codelists().occasions):
            raise refuse(_TEXTS["occasions"])
        return tuple(sorted(set(value)))

    @field_validator("natures")
    @classmethod
    def _known_natures(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= _codes(codelists().natures):
            raise refuse(_TEXTS["natures"])
        return tuple(sorted(set(value)))

    @field_validator("question", "advice")
    @classmethod
    def _text(cls, value: str, info: ValidationInfo) -> str:
        if len(value) > MAX_TEXT:
            raise refuse("De tekst is te lang: gebruik niet meer dan 10000 tekens.")
        if not value and (info.field_name == "question" or info.data.get("way") != "formulier"):
            raise refuse(_TEXTS[str(info.field_name)])
        return value.replace("\x00", "")

    @field_validator("transcript")
    @classmethod
    def _transcript(cls, value: str) -> str:
        if len(value) > MAX_TRANSCRIPT:
            raise refuse("Het gesprek is te lang: gebruik niet meer dan 100000 tekens.")
        return value.replace("\x00", "")

    @field_validator("minutes")
    @classmethod
    def _minutes(cls, value: int | None) -> int | None:
        if value is not None and not 0 <= value <= MAX_MINUTES:
            raise refuse(_TEXTS["minutes"])
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        with_child = {one.code for one in codelists().natures if one.group == "child"}
        of_child = {one.code for one in codelists().occasions if one.group == "child"}
        wrong = {
            "natures": set(self.natures) & with_child and not set(self.occasions) & of_child,
            "follow_up_on": self.follow_up != (self.follow_up_on is not None),
            "transcript": bool(self.transcript) and self.way != "chat",
        }
        if any(wrong.values()):
            raise refuse("\n".join(f"{name}|{_TOGETHER[name]}" for name, one in wrong.items() if one))
        return self


_TOGETHER = {
    "natures": "Deze vorm van geweld hoort bij kindermishandeling. Kies ook die aanleiding, of een andere vorm.",
    "follow_up_on": "Vul de dag van het vervolgadvies in, en kruis aan dat er een komt; of laat beide leeg.",
    "transcript": "Alleen een chat heeft een gesprek in tekst.",
}
"""What fields say of each other, by the field where it is shown."""


def _codes(codes: Collection[Code]) -> set[str]:
    return {one.code for one in codes}


def errors_of(error: ValidationError) -> dict[str, str]:
    """What is wrong, by field of AdviceInput ("contact.email" for one inside): Dutch, without what was typed."""
    wrong: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in one["loc"] if isinstance(part, str))
        text = one["msg"] if one["type"] == "invoer" else _TEXTS.get(name, "Deze waarde kan hier niet.")
        for line in text.splitlines():
            field, bar, rest = line.partition("|")
            wrong.setdefault(field if bar else name, rest if bar else line)
    return wrong


_TEXTS = {
    "way": "Kies hoe de vraag binnenkwam.",
    "capacity": "Kies wie het advies vraagt.",
    "occasions": "Kies waar het over gaat.",
    "natures": "Kies de vorm van geweld uit de lijst.",
    "question": "Schrijf in een paar zinnen wat de vraag is.",
    "advice": "Schrijf in een paar zinnen wat u adviseerde.",
    "minutes": "Geef de duur in minuten: een getal van 0 tot 600.",
    "follow_up_on": "Vul een dag in die bestaat.",
    "contact": "Vul een naam, telefoonnummer of e-mailadres in, of bewaar niets.",
}


def check(texts: Mapping[str, str], confirmed: Collection[str] = (), reason: str = "") -> int:
    """Look for personal data in the texts of an advice; gives how many pieces a person looked at and kept.

    Raises PersonalDataFound when there is one that nobody confirmed, ReasonMissing when it was confirmed without why.
    """
    looked = {_same(one) for one in confirmed}
    finds = {name: found(text) for name, text in texts.items()}
    left = {name: [one for one in some if _same(one.excerpt) not in looked] for name, some in finds.items()}
    if any(left.values()):
        raise PersonalDataFound({name: some for name, some in left.items() if some})
    kept = excerpts(one for some in finds.values() for one in some)
    if kept and len(reason.strip()) < 3:
        raise ReasonMissing
    return len(kept)


def _same(excerpt: str) -> str:
    return " ".join(excerpt.split())


def record(
    db: Db,
    region: UUID,
    given: AdviceInput,
    *,
    by: str,
    at: datetime,
    id: UUID | None = None,
    confirmed: Collection[str] = (),
    reason: str = "",
) -> UUID:
    """Store one advice, sealed, with its number and audit row; gives its id. The same id again stores nothing twice.

    `confirmed`: excerpts of finds that a person looked at and found to be no data of a family, `reason` why. Works on
    a connection of the screens and of the door. Raises PersonalDataFound, ReasonMissing.
    """
    texts = {"question": given.question, "advice": given.advice, "transcript": given.transcript}
    kept = check(texts, confirmed, reason)
    identifier = id or uuid7()
    key = new_key(identifier)
    answered = bool(given.advice)
    stored = db.execute(
        "INSERT INTO advice (id, region_id, number, way, capacity, occasions, natures, asked_at, recorded_by,"
        " given_at, given_by, minutes, follow_up_on, previous_id, finds, sealed)"
        " VALUES (%s, %s, '', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            *(identifier, region, given.way, given.capacity, list(given.occasions), list(given.natures), at, by),
            *(at if answered else None, by if answered else None, given.minutes, given.follow_up_on, given.previous),
            *(kept, key.seal(sealed_text(texts, kept, reason), place(identifier))),
        ),
    )
    if stored.rowcount == 0:
        return identifier
    keep(db, key, region)
    details: dict[str, Any] = {"way": given.way, "finds": kept, "answered": answered}
    if given.contact is not None:
        contact = uuid7()
        own = new_key(contact)
        db.execute(
            "INSERT INTO advice_contact (id, region_id, advice_id, sealed, consent_at) VALUES (%s, %s, %s, %s, %s)",
            (contact, region, identifier, own.seal(to_json(given.contact.model_dump()), contact_place(contact)), at),
        )
        keep(db, own, region)
        details["contact"] = True
    audit.append(db, region, by, "advice.record", "advice", identifier, details)
    return identifier


def place(advice: UUID) -> str:
    """Where the text of an advice is sealed for."""
    return f"advice.sealed:{advice}"


def contact_place(contact: UUID) -> str:
    return f"advice_contact.sealed:{contact}"


def sealed_text(texts: Mapping[str, str], kept: int, reason: str) -> bytes:
    """What is sealed of an advice, before it is; why a find was kept belongs to it, for it may repeat the find."""
    return to_json(
        {**{name: text for name, text in texts.items() if text}, **({"kept": reason.strip()} if kept else {})}
    )
