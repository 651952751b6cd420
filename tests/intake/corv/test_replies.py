"""Answers: what they say, that they never exceed the lengths of the standard, and that they can be made again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from intake.corv import replies
from intake.corv.codes import ERRORS
from intake.corv.elements import NAMESPACES
from intake.corv.parse import Reading, fault, read
from intake.corv.write import write_report
from intake.remarks import Remark, remark
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report

AT = datetime(2026, 7, 15, 8, 30, 1, 500_000, tzinfo=UTC)
OWN = (VEILIG_THUIS_OIN, "VTINTAKE", "antwoord-1", AT)


def good() -> Reading:
    return read(write_report(sample_report()), {VEILIG_THUIS_OIN}, POLICE_OIN)


def texts(raw: bytes) -> dict[str, str]:
    """Each filled element with its text; the sender's and the receiver's are told apart."""
    found = {}
    for node in etree.fromstring(raw).iter():
        name = etree.QName(node).localname
        parent = node.getparent()
        system = etree.QName(parent).localname if parent is not None else ""
        key = f"{system}.{name}" if system in ("zender", "ontvanger") else name
        found[key] = node.text or ""
    return found


def test_bv03_answers_the_sender_with_his_reference() -> None:
    header = good().header
    assert header is not None
    found = texts(replies.bv03(header, *OWN))
    assert found["berichtcode"] == "Bv03"
    assert (found["zender.organisatie"], found["zender.applicatie"]) == (VEILIG_THUIS_OIN, "VTINTAKE")
    assert (found["ontvanger.organisatie"], found["ontvanger.applicatie"]) == (POLICE_OIN, "CORV")
    assert (found["referentienummer"], found["crossRefnummer"]) == ("antwoord-1", header.reference)
    assert found["tijdstipBericht"] == "20260715103001500"


def test_an_answer_can_be_made_again_byte_for_byte() -> None:
    header = good().header
    assert header is not None
    assert replies.bv03(header, *OWN) == replies.bv03(header, *OWN)


def test_bv01_has_one_melding_per_remark_of_at_most_250_characters() -> None:
    header = good().header
    assert header is not None
    found = [remark("VT-W101", "betrokkenen[0].bsn"), Remark("VT-W111", "x" * 400, "<&>")]
    root = etree.fromstring(replies.bv01(header, *OWN, found))
    lines = [node.text or "" for node in root.findall(f"{{{NAMESPACES['StUF']}}}melding")]
    assert lines[0] == "VT-W101: Het BSN voldoet niet aan de elfproef. (betrokkenen[0].bsn)"
    assert len(lines[1]) == 250
    assert lines[1].startswith("VT-W111: <&>")


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_error_fits_in_a_foutbericht(code: str) -> None:
    found = texts(replies.fo03(good().header, fault(code, "header", "d" * 2000), *OWN))
    assert found["code"] == ERRORS[code].stuf
    assert len(found["code"]) <= 7
    assert found["plek"] == ("server" if ERRORS[code].retry else "client")
    assert found["omschrijving"] == ERRORS[code].text
    assert len(found["omschrijving"]) <= 200
    assert len(found["details"]) == 1000
    assert found["details"].startswith(code)


def test_a_refusal_without_a_header_still_has_an_address() -> None:
    found = texts(replies.fo01(None, fault("VT-E055", "xml", "Geen XML."), *OWN))
    assert (found["berichtcode"], found["ontvanger.applicatie"]) == ("Fo01", "ONBEKEND")
    assert "ontvanger.organisatie" not in found
    assert found["crossRefnummer"] == ""


@pytest.mark.parametrize(("code", "side"), [("VT-E052", "soap:Client"), ("VT-E046", "soap:Server")])
def test_a_soap_fault_holds_the_fo03(code: str, side: str) -> None:
    why = fault(code, "header", "Waarom.")
    raw = replies.soap_fault(replies.fo03(None, why, *OWN), why)
    found = texts(raw)
    assert found["faultcode"] == side
    assert found["faultstring"].startswith(ERRORS[code].stuf)
    assert found["berichtcode"] == "Fo03"
    path = "{*}Body/{*}Fault/detail/{*}Fo03Bericht"
    assert etree.fromstring(raw).find(path) is not None


def test_soap_wraps_one_message() -> None:
    header = good().header
    assert header is not None
    root = etree.fromstring(replies.soap(replies.bv03(header, *OWN)))
    assert [etree.QName(node).localname for node in root.iter()][:3] == ["Envelope", "Body", "Bv03Bericht"]
