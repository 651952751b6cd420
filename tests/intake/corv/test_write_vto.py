"""The vtoDi01 to the Child Protection Board: complete or refused with all that is missing, valid against the XSD."""

from __future__ import annotations

import os
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from intake.corv.elements import NAMESPACES
from intake.corv.vto import (
    FORM,
    MAX_DOCUMENT_BYTES,
    Personalia,
    VtoChild,
    VtoCustodian,
    VtoDocument,
    VtoIncomplete,
    VtoMessage,
    date_of,
    incomplete,
)
from intake.corv.write_vto import MESSAGE, extra_names, write_vto
from intake.corv.xsd import official_schema
from intake.message import Envelope, MessageDate, Name, Party
from intake.sample import VEILIG_THUIS_OIN

FOLDER = os.environ.get("VEILIG_XSD_DIR")
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
PDF = b"%PDF-1.4 verzonnen"
BOARD_OIN = "00000099000000005000"
NS = {name: NAMESPACES[name] for name in ("JZ", "ZKN", "StUF", "BG")}


def day(text: str, indicator: str = "V") -> MessageDate:
    return MessageDate(text=text, indicator=indicator)


CHILD = VtoChild(
    person=Personalia(bsn="999993653", name=Name(surname="Voorbeeld"), sex="V", birth_date=day("20150301"))
)
WITHOUT_BSN = VtoChild(
    person=Personalia(name=Name(surname="Voorbeeld", prefix="van den"), sex="O", birth_date=day("20160000", "M"))
)
UNBORN = VtoChild(person=Personalia(sex="O", birth_date=day("20261101")), unborn=True)
MOTHER = VtoCustodian(
    person=Personalia(name=Name(surname="Voorbeeld", given_names="Noor"), sex="V", phone="+31612345678"),
    informed=True,
)
FATHER = VtoCustodian(
    person=Personalia(name=Name(surname="Proef"), sex="M"),
    informed=False,
    not_informed_why="Het is niet veilig om het nu te vertellen.",
)
DOCUMENT = VtoDocument(identification="VT-1-VTO", kind=FORM, made=date_of(AT), file_name="vto.pdf", content=PDF)
HISTORY = DOCUMENT.model_copy(update={"kind": "Gezinsgeschiedenis", "file_name": "gezin & <geschiedenis>.pdf"})


def message(**changes: Any) -> VtoMessage:
    values: dict[str, Any] = {
        "envelope": Envelope(
            function=MESSAGE,
            reference="0197f2c0-0000-7000-8000-000000000002",
            sent_at=AT,
            sender=Party(oin=VEILIG_THUIS_OIN, application="VTINTAKE"),
            receiver=Party(oin=BOARD_OIN, application="CORV"),
        ),
        "case_number": "VT-2026-ABCDE-12345",
        "began": day("20260620"),
        "registered": date_of(AT),
        "urgent": False,
        "contact_name": "B. Beoordelaar",
        "contact_phone": "088-0000000",
        "organisation": "Veilig Thuis Voorbeeldstreek",
        "children": (CHILD,),
        "custodians": (MOTHER,),
        "documents": (DOCUMENT,),
    }
    return VtoMessage(**values | changes)


def extras(root: etree._Element, path: str) -> list[tuple[str | None, str | None]]:
    found = root.findall(f"{path}/StUF:extraElementen/StUF:extraElement", NS)
    return [(node.get("naam"), node.text) for node in found]


def test_it_holds_what_the_rules_ask() -> None:
    root = etree.fromstring(write_vto(message(urgent=True, custodians=(MOTHER, FATHER))))
    names = extra_names().names
    case = root.find("JZ:object", NS)
    assert case is not None
    assert case.findtext("ZKN:identificatie", namespaces=NS) == "VT-2026-ABCDE-12345"
    assert (names.urgent, "true") in extras(root, "JZ:object")
    assert case.findtext("ZKN:heeftAlsUitvoerende//ZKN:achternaam", namespaces=NS) == "B. Beoordelaar"
    assert case.findtext("ZKN:heeftAlsUitvoerende//ZKN:telefoonnummer", namespaces=NS) == "088-0000000"
    assert case.findtext("ZKN:heeftBetrekkingOp//BG:inp.bsn", namespaces=NS) == "999993653"
    assert case.findtext("ZKN:heeftBetrekkingOp//BG:geslachtsaanduiding", namespaces=NS) == "V"
    assert extras(root, "JZ:object/ZKN:heeftAlsBelanghebbende") == [
        (names.informed, "true"),
        (names.informed, "false"),
        (names.not_informed_why, "Het is niet veilig om het nu te vertellen."),
    ]


def test_the_reason_of_not_informing_is_left_out_for_who_was_informed() -> None:
    told = MOTHER.model_copy(update={"not_informed_why": "Oude tekst."})
    assert b"Oude tekst" not in write_vto(message(custodians=(told,)))


def test_an_unborn_child_comes_with_its_due_date_and_its_mother() -> None:
    root = etree.fromstring(write_vto(message(children=(CHILD, UNBORN))))
    kinds = [node.text for node in root.findall(".//ZKN:heeftBetrekkingOp/ZKN:omschrijving", NS)]
    assert kinds == ["Client (kind)", "Client (ongeboren kind)"]
    dates = [node.text for node in root.findall(".//ZKN:heeftBetrekkingOp//BG:geboortedatum", NS)]
    assert dates == ["20150301", "20261101"]
    assert root.findtext(".//ZKN:heeftAlsBelanghebbende//BG:sub.telefoonnummer", namespaces=NS) == "+31612345678"


def test_the_form_goes_along_byte_for_byte_under_its_name() -> None:
    root = etree.fromstring(write_vto(message(documents=(DOCUMENT, HISTORY))))
    contents = root.findall(".//ZKN:inhoud", NS)
    assert [b64decode(node.text or "") for node in contents] == [PDF, PDF]
    assert [node.get(f"{{{NS['StUF']}}}bestandsnaam") for node in contents] == ["vto.pdf", HISTORY.file_name]


INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "no case number": ({"case_number": ""}, "casusnummer"),
    "nobody to call": ({"contact_phone": None}, "telefoonnummer of e-mailadres"),
    "no name to ask for": ({"contact_name": " "}, "Noem wie de Raad kan bellen"),
    "no child": ({"children": ()}, "Noem het kind"),
    "a child nobody can find": ({"children": (VtoChild(person=Personalia(sex="V")),)}, "BSN, of de achternaam"),
    "a child without a sex": ({"children": (VtoChild(person=Personalia(bsn="999993653")),)}, "geslacht"),
    "unborn, no date": (
        {"children": (VtoChild(person=Personalia(sex="O"), unborn=True),)},
        "verwachte geboortedatum",
    ),
    "unborn, no phone": ({"children": (UNBORN,), "custodians": (FATHER,)}, "telefoonnummer van de moeder"),
    "nobody with custody": ({"custodians": ()}, "wie het gezag heeft"),
    "custody without a name": (
        {"custodians": (VtoCustodian(person=Personalia(), informed=True),)},
        "de achternaam",
    ),
    "an unknown role": ({"custodians": (MOTHER.model_copy(update={"role": "oom"}),)}, "niet op de lijst"),
    "not informed, no reason": (
        {"custodians": (FATHER.model_copy(update={"not_informed_why": " "}),)},
        "niet van dit verzoek weet",
    ),
    "no form": ({"documents": (HISTORY,)}, "precies een keer"),
    "two forms": ({"documents": (DOCUMENT, DOCUMENT)}, "precies een keer"),
    "four attachments": ({"documents": (DOCUMENT, HISTORY, HISTORY, HISTORY)}, "hoogstens 3"),
    "no file name": ({"documents": (DOCUMENT.model_copy(update={"file_name": ""}),)}, "bestandsnaam"),
    "no PDF": ({"documents": (DOCUMENT.model_copy(update={"content": b"<html>"}),)}, "is een PDF"),
    "too large": (
        {"documents": (DOCUMENT.model_copy(update={"content": PDF + b"x" * MAX_DOCUMENT_BYTES}),)},
        "10 MB",
    ),
}


@pytest.mark.parametrize(("changes", "words"), INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_what_is_not_complete_is_not_written(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(VtoIncomplete, match=words):
        write_vto(message(**changes))


def test_all_that_is_missing_is_named_at_once() -> None:
    assert incomplete(message()) == []
    assert len(incomplete(message(children=(), custodians=(), documents=(), case_number=""))) == 4


VALID: dict[str, dict[str, Any]] = {
    "one child": {},
    "urgent": {"urgent": True},
    "personalia": {"children": (WITHOUT_BSN,)},
    "born and unborn": {"children": (CHILD, WITHOUT_BSN, UNBORN)},
    "two with custody": {"custodians": (MOTHER, FATHER)},
    "guardian": {"custodians": (MOTHER.model_copy(update={"role": "voogd"}),)},
    "mail only": {"contact_phone": None, "contact_email": "b@voorbeeld.example"},
    "three attachments": {"documents": (DOCUMENT, HISTORY, HISTORY)},
    "unknown birth date": {
        "children": (
            CHILD.model_copy(update={"person": CHILD.person.model_copy(update={"birth_date": day("00000000", "J")})}),
        )
    },
}


@pytest.mark.skipif(FOLDER is None, reason="VEILIG_XSD_DIR does not name the official XSDs")
@pytest.mark.parametrize("changes", VALID.values(), ids=VALID.keys())
def test_each_is_valid_against_the_official_xsd(changes: dict[str, Any]) -> None:
    assert official_schema(Path(str(FOLDER))).validate(write_vto(message(**changes))) == []
