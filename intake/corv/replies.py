"""Answers of the StUF edge (standards.md 1.9): Bv03 and Fo03 at once, Bv01 and Fo01 later, bare or in SOAP 1.1.

References and times are arguments, so that the same answer can be made again byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lxml import etree

from intake.corv.check import Header
from intake.corv.elements import NAMESPACES
from intake.corv.parse import SOAP, Fault
from intake.corv.write import stuf_moment
from intake.remarks import Remark

# Lengths of the official XSD (stuf0301: Organisatie, Applicatie, Refnummer, Foutomschrijving, Foutdetails).
MAX_ORGANISATION, MAX_APPLICATION, MIN_APPLICATION, MAX_REFERENCE = 200, 50, 3, 40
MAX_FAULT_TEXT, MAX_FAULT_DETAILS = 200, 1000
UNKNOWN_APPLICATION = "ONBEKEND"

_STUF = NAMESPACES["StUF"]
_NSMAP = {"StUF": _STUF}


def bv03(header: Header, own_oin: str, own_application: str, reference: str, at: datetime) -> bytes:
    """The confirmation at once: received, stored, and the header can be processed."""
    return _bytes(_message("Bv03", header, own_oin, own_application, reference, at))


def bv01(
    header: Header,
    own_oin: str,
    own_application: str,
    reference: str,
    at: datetime,
    remarks: Iterable[Remark] = (),
) -> bytes:
    """The later confirmation of the content, with one `melding` of at most 250 characters per remark."""
    root = _message("Bv01", header, own_oin, own_application, reference, at)
    for remark in remarks:
        _add(root, "melding", remark.sentence())
    return _bytes(root)


def fo03(
    header: Header | None, fault: Fault, own_oin: str, own_application: str, reference: str, at: datetime
) -> bytes:
    """The refusal at once. Without a header the receiver is unknown and the crossRefnummer empty."""
    return _bytes(_fault("Fo03", header, fault, own_oin, own_application, reference, at))


def fo01(
    header: Header | None, fault: Fault, own_oin: str, own_application: str, reference: str, at: datetime
) -> bytes:
    """The later refusal of the content."""
    return _bytes(_fault("Fo01", header, fault, own_oin, own_application, reference, at))


def soap(body: bytes) -> bytes:
    """The message in a SOAP 1.1 envelope."""
    envelope, place = _envelope()
    place.append(_parsed(body))
    return _bytes(envelope)


def soap_fault(fo03: bytes, fault: Fault) -> bytes:
    """A SOAP 1.1 fault (sent with HTTP 500) that holds the Fo03 in its detail."""
    envelope, place = _envelope()
    node = etree.SubElement(place, f"{{{SOAP}}}Fault")
    side = "Server" if fault.retry else "Client"
    etree.SubElement(node, "faultcode").text = f"soap:{side}"
    etree.SubElement(node, "faultstring").text = f"{fault.stuf}: {fault.text}"
    etree.SubElement(node, "detail").append(_parsed(fo03))
    return _bytes(envelope)


def _message(
    code: str, header: Header | None, own_oin: str, own_application: str, reference: str, at: datetime
) -> etree._Element:
    root = etree.Element(f"{{{_STUF}}}{code}Bericht", nsmap=_NSMAP)
    head = _add(root, "stuurgegevens")
    _add(head, "berichtcode", code)
    _system(_add(head, "zender"), own_oin, own_application)
    _system(
        _add(head, "ontvanger"),
        header.sender_oin if header else "",
        header.sender_application if header else "",
    )
    _add(head, "referentienummer", reference[:MAX_REFERENCE])
    _add(head, "tijdstipBericht", stuf_moment(at))
    _add(head, "crossRefnummer", (header.reference if header else "")[:MAX_REFERENCE])
    return root


def _fault(
    code: str,
    header: Header | None,
    fault: Fault,
    own_oin: str,
    own_application: str,
    reference: str,
    at: datetime,
) -> etree._Element:
    root = _message(code, header, own_oin, own_application, reference, at)
    body = _add(root, "body")
    _add(body, "code", fault.stuf)
    _add(body, "plek", "server" if fault.retry else "client")
    _add(body, "omschrijving", fault.text[:MAX_FAULT_TEXT])
    _add(body, "details", f"{fault.code}: {fault.details}"[:MAX_FAULT_DETAILS])
    return root


def _system(node: etree._Element, oin: str, application: str) -> None:
    if oin:
        _add(node, "organisatie", oin[:MAX_ORGANISATION])
    usable = len(application) >= MIN_APPLICATION
    _add(node, "applicatie", application[:MAX_APPLICATION] if usable else UNKNOWN_APPLICATION)


def _envelope() -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    return envelope, etree.SubElement(envelope, f"{{{SOAP}}}Body")


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    node = etree.SubElement(parent, f"{{{_STUF}}}{name}")
    node.text = text
    return node


def _parsed(own_message: bytes) -> etree._Element:
    return etree.fromstring(own_message, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
