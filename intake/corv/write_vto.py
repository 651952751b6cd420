"""Writes a `vtoDi01`: the request to the Child Protection Board (RvdK) to investigate (standards.md 9 and 1.8).

Only what can wait goes by message: in acute danger the Board is called. The names of the extra elements, which the
XSD leaves open, are in vto.toml.
"""

from __future__ import annotations

import tomllib
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from intake.corv.elements import NAMESPACES, Element, Shape, extra, group, inside, leaf
from intake.corv.vto import VtoIncomplete, VtoMessage, incomplete
from intake.corv.write import as_bytes, tree
from intake.message import Extra

MESSAGE = "vtoDi01"
_FILE = Path(__file__).with_name("vto.toml")


class _Names(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    urgent: str
    requester_role: str
    informed: str
    not_informed_why: str


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    requester_role: str
    yes: str
    no: str


class ExtraNames(BaseModel):
    """The file of names, validated when it is first read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    verified: bool
    names: _Names
    values: _Values


_NAMES = (
    leaf("BG", "inp.bsn", "code", "bsn"),
    leaf("BG", "geslachtsnaam", "text", "name.surname"),
    leaf("BG", "voorvoegselGeslachtsnaam", "text", "name.prefix"),
    leaf("BG", "voornamen", "text", "name.given_names"),
    leaf("BG", "geslachtsaanduiding", "code", "sex"),
    leaf("BG", "geboortedatum", "date", "birth_date"),
    leaf("BG", "sub.telefoonnummer", "code", "phone"),
)
_PERSON = group("ZKN", "natuurlijkPersoon", "person", "", Shape("NPS", _NAMES))


def _related(shape: Shape) -> Element:
    return inside("ZKN", "gerelateerde", "", "", shape)


_CHILD = Shape("ZAKOBJ", (_related(Shape("OBJ", (_PERSON,))), leaf("ZKN", "omschrijving", "text", "kind")))
_CUSTODIAN = Shape(
    "ZAKBTRBLH", (_related(Shape("BTR", (_PERSON,))), leaf("ZKN", "omschrijving", "text", "role"), extra())
)
_CONTACT = Shape(
    "MDW",
    (
        leaf("ZKN", "achternaam", "text", "contact_name"),
        leaf("ZKN", "telefoonnummer", "code", "contact_phone"),
        leaf("ZKN", "emailadres", "code", "contact_email"),
    ),
)
_ORGANISATION = Shape("NNP", (leaf("BG", "statutaireNaam", "text", "organisation"),))
_REQUESTER = Shape(
    "BTR",
    (
        inside("ZKN", "medewerker", "", "", _CONTACT),
        inside("ZKN", "nietNatuurlijkPersoon", "", "", _ORGANISATION),
    ),
)
_ASKED = Shape("ZKT", (leaf("ZKN", "omschrijvingGeneriek", "text", "asked_kind"),))
_DOCUMENT = Shape(
    "EDC",
    (
        leaf("ZKN", "identificatie", "code", "identification"),
        leaf("ZKN", "dct.omschrijving", "text", "kind"),
        leaf("ZKN", "creatiedatum", "date", "made"),
        leaf("ZKN", "inhoud", "code", "encoded"),
    ),
)
OBJECT = Shape(
    "ZAK",
    (
        leaf("ZKN", "identificatie", "code", "case_number"),
        leaf("ZKN", "startdatum", "date", "began"),
        leaf("ZKN", "registratiedatum", "date", "registered"),
        extra(),
        inside(
            "ZKN",
            "isVan",
            "",
            "",
            Shape("ZAKZKT", (_related(Shape("ZKT", (leaf("ZKN", "omschrijvingGeneriek", "text", "own_kind"),))),)),
        ),
        group("ZKN", "heeftBetrekkingOp", "children", "", _CHILD, many=True),
        group("ZKN", "heeftAlsBelanghebbende", "custodians", "", _CUSTODIAN, many=True),
        inside("ZKN", "heeftAlsUitvoerende", "", "", Shape("ZAKBTRUTV", (_related(_REQUESTER),))),
        inside(
            "ZKN",
            "heeftBetrekkingOpAndere",
            "",
            "",
            Shape(
                "ZAKZAKBTR",
                (_related(Shape("ZAK", (inside("ZKN", "isVan", "", "", Shape("ZAKZKT", (_related(_ASKED),))),))),),
            ),
        ),
        group("ZKN", "heeftRelevant", "documents", "", Shape("ZAKEDC", (_related(_DOCUMENT),)), many=True),
    ),
)


def write_vto(message: VtoMessage) -> bytes:
    """The message in UTF-8, the same bytes for the same message. Raises VtoIncomplete, naming all that is missing."""
    if missing := incomplete(message):
        raise VtoIncomplete(" ".join(missing))
    root = tree(MESSAGE, OBJECT, message.envelope, _filled_in(message))
    contents = root.iter("{" + NAMESPACES["ZKN"] + "}inhoud")
    for node, document in zip(contents, message.documents, strict=True):
        node.set("{" + NAMESPACES["StUF"] + "}bestandsnaam", document.file_name)
    return as_bytes(root)


@cache
def extra_names() -> ExtraNames:
    """vto.toml. Raises pydantic's ValidationError when the file is wrong."""
    return ExtraNames.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))


def _filled_in(message: VtoMessage) -> VtoMessage:
    """What the standard wants as text: the kinds of children, the extra elements, the documents in base64."""
    names, values = extra_names().names, extra_names().values
    children = tuple(
        one.model_copy(update={"kind": "Client (ongeboren kind)" if one.unborn else "Client (kind)"})
        for one in message.children
    )
    custodians = tuple(
        one.model_copy(
            update={
                "extra": _extras(
                    (names.informed, values.yes if one.informed else values.no),
                    (names.not_informed_why, None if one.informed else one.not_informed_why),
                )
            }
        )
        for one in message.custodians
    )
    documents = tuple(
        one.model_copy(update={"encoded": b64encode(one.content).decode()}) for one in message.documents
    )
    case = _extras(
        (names.urgent, values.yes if message.urgent else values.no), (names.requester_role, values.requester_role)
    )
    changes: dict[str, Any] = {
        "children": children,
        "custodians": custodians,
        "documents": documents,
        "extra": case,
    }
    return message.model_copy(update=changes)


def _extras(*pairs: tuple[str, str | None]) -> tuple[Extra, ...]:
    return tuple(Extra(name=name, value=value) for name, value in pairs if value is not None)
