"""The request to the Child Protection Board (VTO) as we know it, and what it needs to be sent (standards.md 9)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from core.deadlines import local_day
from core.errors import VeiligError
from intake.corv.codes import ROLES
from intake.message import Envelope, Extra, MessageDate, Name, Part

MAX_DOCUMENTS = 3
"""Attachments, the form among them (test set of 2015)."""
MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
FORM = "Verzoek tot onderzoek RvdK"
DocumentKind = Literal[
    "Verzoek tot onderzoek RvdK", "Gezinsgeschiedenis", "Diagnostisch onderzoek", "Hulpverleningsrapportage"
]
_PDF = b"%PDF-"


class VtoIncomplete(VeiligError):
    """Het verzoek aan de Raad is niet volledig."""

    status = 400


class Personalia(Part):
    """Who a child or a person with custody is. For an unborn child `birth_date` is the day it is expected."""

    bsn: str | None = None
    name: Name = Field(default_factory=Name)
    sex: str | None = None
    birth_date: MessageDate | None = None
    phone: str | None = None


class VtoChild(Part):
    """A child that the request is about."""

    person: Personalia
    unborn: bool = False
    kind: str | None = None


class VtoCustodian(Part):
    """Who has custody, and whether he knows of this request; when not, why not. `role` is a text of the JZR list."""

    person: Personalia
    role: str = "ouder met gezag"
    informed: bool
    not_informed_why: str | None = None
    extra: tuple[Extra, ...] = ()


class VtoDocument(Part):
    """One attachment; `content` is a PDF."""

    identification: Annotated[str, Field(min_length=1, max_length=40)]
    kind: DocumentKind
    made: MessageDate
    file_name: str
    content: bytes
    encoded: str | None = None


class VtoMessage(Part):
    """One request, complete. `case_number` is ours (5 to 40 characters); the Board answers with it."""

    envelope: Envelope
    case_number: str
    began: MessageDate
    registered: MessageDate
    urgent: bool
    contact_name: str
    contact_phone: str | None = None
    contact_email: str | None = None
    organisation: str
    children: tuple[VtoChild, ...]
    custodians: tuple[VtoCustodian, ...]
    documents: tuple[VtoDocument, ...]
    extra: tuple[Extra, ...] = ()
    own_kind: str = "Overwegen kinderbeschermingsmaatregel"
    asked_kind: str = "Uitvoeren onderzoek kinderbeschermingsmaatregel"


def date_of(at: datetime) -> MessageDate:
    """The Dutch day of a moment as a StUF date."""
    return MessageDate(text=f"{local_day(at):%Y%m%d}", indicator="V")


def incomplete(message: VtoMessage) -> list[str]:
    """What keeps this request from being sent, each as a Dutch sentence; empty when it is complete."""
    found = []
    if not 5 <= len(message.case_number) <= 40:
        found.append("Er is nog geen casusnummer van 5 tot 40 tekens.")
    if not message.contact_name.strip() or not (message.contact_phone or message.contact_email):
        found.append("Noem wie de Raad kan bellen of mailen, met een telefoonnummer of e-mailadres.")
    if not message.children:
        found.append("Noem het kind om wie het gaat.")
    found += [text for child in message.children for text in _child(child)]
    if not message.custodians:
        found.append("Noem wie het gezag heeft.")
    found += [text for custodian in message.custodians for text in _custodian(custodian)]
    if any(child.unborn for child in message.children) and not any(one.person.phone for one in message.custodians):
        found.append("Bij een ongeboren kind hoort het telefoonnummer van de moeder.")
    return found + _documents(message.documents)


def _child(child: VtoChild) -> list[str]:
    person = child.person
    if child.unborn:
        return [] if person.birth_date else ["Geef de verwachte geboortedatum van het ongeboren kind."]
    known = person.bsn or (person.name.surname and person.birth_date)
    return [
        text
        for wrong, text in (
            (not known, "Geef van elk kind het BSN, of de achternaam en geboortedatum."),
            (person.sex not in ("M", "V", "O"), "Geef van elk kind het geslacht."),
        )
        if wrong
    ]


def _custodian(custodian: VtoCustodian) -> list[str]:
    return [
        text
        for wrong, text in (
            (not custodian.person.name.surname, "Geef van wie het gezag heeft de achternaam."),
            (custodian.role not in ROLES, "De rol van wie het gezag heeft staat niet op de lijst."),
            (
                not custodian.informed and not (custodian.not_informed_why or "").strip(),
                "Schrijf op waarom degene met gezag niet van dit verzoek weet.",
            ),
        )
        if wrong
    ]


def _documents(documents: tuple[VtoDocument, ...]) -> list[str]:
    forms = sum(document.kind == FORM for document in documents)
    return [
        text
        for wrong, text in (
            (forms != 1, "Voeg het formulier 'Verzoek tot onderzoek' toe, precies een keer."),
            (len(documents) > MAX_DOCUMENTS, f"Voeg hoogstens {MAX_DOCUMENTS} bijlagen toe."),
            (any(not one.file_name.strip() for one in documents), "Elke bijlage heeft een bestandsnaam."),
            (any(not one.content.startswith(_PDF) for one in documents), "Elke bijlage is een PDF."),
            (any(len(one.content) > MAX_DOCUMENT_BYTES for one in documents), "Een bijlage is groter dan 10 MB."),
        )
        if wrong
    ]
