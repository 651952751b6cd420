"""Every hostile or broken message has a stated outcome, and none of them raises, hangs or reaches out."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.corv.guard import Limits, Refused, guard, scan
from intake.corv.parse import SOAP, Reading, read
from intake.corv.write import write_report
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report

GOOD = write_report(sample_report())
DECLARATION, BODY = GOOD.split(b"\n", 1)
TEXT = b"Fictief voorbeeld.</JZ:omschrijvingIncident>"


PIECES = [
    b"<",
    b">",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"&amp;",
    b"&x;",
    b"<a/>",
    b"</JZ:object>",
    b'xsi:nil="1"',
    b"'",
]


class Listener:
    """A socket on this machine that says whether anybody called."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]

    def was_called(self) -> bool:
        try:
            connection, _ = self.socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.socket.close()


def reading(raw: bytes) -> Reading:
    return read(raw, {VEILIG_THUIS_OIN}, POLICE_OIN)


def with_text(text: bytes) -> bytes:
    """The sample with another description of the incident."""
    assert TEXT in GOOD
    return GOOD.replace(TEXT, text + b"</JZ:omschrijvingIncident>", 1)


def twice(element: bytes) -> bytes:
    """The sample with one element repeated."""
    start = GOOD.index(b"<" + element)
    closing = b"</" + element.split(b" ")[0] + b">"
    end = GOOD.index(closing, start) + len(closing)
    return GOOD[:end] + GOOD[start:end] + GOOD[end:]


def in_soap(*bodies: bytes) -> bytes:
    inside = b"".join(b"<s:Body>" + body + b"</s:Body>" for body in bodies)
    return b'<s:Envelope xmlns:s="' + SOAP.encode() + b'">' + inside + b"</s:Envelope>"


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))

REFUSED = {
    "nothing": b"",
    "only white space": b"  \n ",
    "no XML": b"Er is iets gebeurd.",
    "JSON": b'{"melding": {}}',
    "cut off halfway": GOOD[: len(GOOD) // 2],
    "DOCTYPE": DECLARATION + b"<!DOCTYPE x>" + BODY,
    "DOCTYPE in lower case": DECLARATION + b"<!doctype x>" + BODY,
    "DOCTYPE behind a comment": DECLARATION + b"<!-- - -- ><!-- --><!DOCTYPE x>" + BODY,
    "DOCTYPE behind a comment with quotes": DECLARATION + b"<!-- '\" --><!DOCTYPE x>" + BODY,
    "internal entity": DECLARATION + b'<!DOCTYPE x [<!ENTITY e "mes">]>' + with_text(b"&e;").split(b"\n", 1)[1],
    "billion laughs": DECLARATION + b'<!DOCTYPE x [<!ENTITY l0 "ha">' + LAUGHS + b"]>" + BODY,
    "external entity": DECLARATION + b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + BODY,
    "parameter entity": DECLARATION + b'<!DOCTYPE x [<!ENTITY % e SYSTEM "http://127.0.0.1:9/x"> %e;]>' + BODY,
    "entity without a DOCTYPE": with_text(b"&e;"),
    "entity declaration on its own": with_text(b'<!ENTITY e "x">'),
    "SOAP with a DOCTYPE": b"<!DOCTYPE x>" + in_soap(BODY),
    "UTF-16 with BOM": GOOD.decode().encode("utf-16"),
    "UTF-16 without BOM": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "UTF-7 declared": b'<?xml version="1.0" encoding="UTF-7"?>' + BODY,
    "UTF-7 DOCTYPE": b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-' + BODY,
    "latin-1 declared": b"<?xml version='1.0' encoding='ISO-8859-1'?>" + BODY,
    "another encoding in odd spelling": b'<?xml version="1.0" ENCODING = "utf-16"?>' + BODY,
    "latin-1 bytes": with_text("Zij is gewond, één snee.".encode("latin-1")),
    "NUL": with_text(b"mes\x00mes"),
    "control character": with_text(b"mes\x08"),
    "NUL as a reference": with_text(b"mes&#0;"),
    "non-character U+FFFF": with_text("\uffff".encode()),
    "bytes of a lone surrogate": with_text(b"\xed\xa0\x80"),
    "gzip": gzip.compress(GOOD),
    "stylesheet instruction": DECLARATION + b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>' + BODY,
    "instruction in text": with_text(b"Vader <?x y?> bedreigt"),
    "second declaration": DECLARATION + DECLARATION + BODY,
    "white space before the declaration": b" " + GOOD,
    "100 000 levels": b"<a>" * 100_000 + b"</a>" * 100_000,
    "65 levels in the text": with_text(b"<a>" * 65 + b"</a>" * 65),
    "200 attributes on one element": with_text(b"<a " + b" ".join(b'b%d=""' % n for n in range(200)) + b"/>"),
    "attributes flood": with_text(b"".join(b'<a b="" c="" d="" e=""/>' for _ in range(15_000))),
    "namespace never declared": with_text(b"<q:x/>"),
    "same attribute twice": with_text(b'<a b="1" b="2"/>'),
    "less-than in an attribute": with_text(b'<a b="<!DOCTYPE x>"/>'),
    "comment that never ends": with_text(b"<!-- x"),
    "CDATA that never ends": with_text(b"<![CDATA[ x"),
    "another root": b"<melding/>",
    "right name, wrong namespace": BODY.replace(b"stufstandaarden.nl/koppelvlak/jz0100", b"example.nl/jz"),
    "SOAP without a Body": b'<s:Envelope xmlns:s="' + SOAP.encode() + b'"/>',
    "SOAP with an empty Body": in_soap(b""),
    "SOAP with two messages": in_soap(BODY + BODY),
    "SOAP with two Bodies": in_soap(BODY, BODY),
    "SOAP 1.2": in_soap(BODY).replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_is_refused_as_not_well_formed_or_not_ours(raw: bytes) -> None:
    result = reading(raw)
    assert result.fault is not None
    assert (result.fault.code, result.fault.stuf, result.fault.level) == ("VT-E055", "StUF055", "xml")
    assert not result.fault.retry
    assert result.message is None


@pytest.mark.parametrize(
    "raw",
    [pytest.param(lambda: GOOD + b" " * 3_000_000, id="3 MB"), pytest.param(lambda: b"<a/>" * 1_000_000, id="1e6")],
)
def test_too_large_has_its_own_code(raw: Callable[[], bytes]) -> None:
    fault = reading(raw()).fault
    assert fault is not None
    assert (fault.code, fault.stuf, fault.level) == ("VT-E301", "StUF055", "xml")


def test_a_million_elements_are_refused_by_count_when_the_size_limit_is_raised() -> None:
    raw = b"<a>" + b"<a/>" * 1_000_000 + b"</a>"
    with pytest.raises(Refused, match="elementen"):
        scan(raw, Limits(size=len(raw)))


DUPLICATES = {
    "JZ:object": "object",
    "JZ:identificatieVtMelding": "object/identificatieVtMelding",
    "JZ:omschrijvingIncident": "object/omschrijvingIncident",
    "JZ:betreft": "object/betreft",
    "BG:geslachtsnaam": "geslachtsnaam",
    "BG:inp.bsn": "inp.bsn",
    "JZ:jeugzorgrol": "heeftBetrokken[1]/jeugzorgrol",
    "BG:feitelijkVerblijfsadresBinnenland": "feitelijkVerblijfsadresBinnenland",
    "BG:aoa.postcode": "aoa.postcode",
}


@pytest.mark.parametrize(("element", "named"), DUPLICATES.items(), ids=DUPLICATES.keys())
def test_an_element_that_came_twice_goes_to_quarantine_and_is_named(element: str, named: str) -> None:
    result = reading(twice(element.encode()))
    assert result.fault is not None
    assert (result.fault.code, result.fault.level) == ("VT-E055", "content")
    assert named in result.fault.details
    assert result.header is not None
    assert result.header.reference == "c0ffee00-0000-4000-8000-000000000001"


def test_the_same_element_twice_under_two_namespaces_is_still_twice() -> None:
    raw = GOOD.replace(
        b"<BG:geslachtsaanduiding>", b"<geslachtsnaam>Ander</geslachtsnaam><BG:geslachtsaanduiding>", 1
    )
    fault = reading(raw).fault
    assert fault is not None
    assert fault.details.endswith("heeftBetrokken[1]/gerelateerde/geslachtsnaam.")


@pytest.mark.parametrize("element", [b"StUF:referentienummer", b"StUF:zender", b"StUF:functie"])
def test_a_header_element_that_came_twice_is_a_header_fault(element: bytes) -> None:
    fault = reading(twice(element)).fault
    assert fault is not None
    assert (fault.code, fault.level) == ("VT-E055", "header")
    assert element.split(b":")[1].decode() in fault.details


ACCEPTED_TEXT = {
    "comment": (b"Vader <!-- x --> bedreigt met mes", "Vader  bedreigt met mes", "<!-- x -->"),
    "two comments": (b"a<!--1-->b<!--2-->c", "abc", "<!--2-->"),
    "child element": (b"Vader <b>bedreigt <i>met</i></b> mes", "Vader bedreigt met mes", "<i>met</i>"),
    "XInclude": (
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>mes',
        "mes",
        "xi:include",
    ),
}


@pytest.mark.parametrize(("inside", "text", "kept"), ACCEPTED_TEXT.values(), ids=ACCEPTED_TEXT.keys())
def test_markup_in_text_loses_nothing(inside: bytes, text: str, kept: str) -> None:
    result = reading(with_text(inside))
    assert result.message is not None
    assert result.message.incident.description == text
    assert kept in result.message.unknown[0].xml
    assert ("VT-W109", "object/omschrijvingIncident") in [(one.code, one.path) for one in result.remarks]


def test_cdata_is_plain_text() -> None:
    result = reading(with_text(b"<![CDATA[<!DOCTYPE x> & <b>]]> mes"))
    assert result.message is not None
    assert result.message.incident.description == "<!DOCTYPE x> & <b> mes"
    assert result.message.unknown == ()


def test_a_doctype_that_is_only_mentioned_is_no_doctype() -> None:
    result = reading(with_text(b"<!-- <!DOCTYPE x> <?y?> -->&lt;!DOCTYPE x&gt;"))
    assert result.message is not None
    assert result.message.incident.description == "<!DOCTYPE x>"


def test_a_schema_location_is_never_fetched(listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.port}/x.xsd".encode()
    attribute = b' xsi:schemaLocation="urn:x ' + url + b'" xsi:noNamespaceSchemaLocation="' + url + b'"'
    raw = GOOD.replace(b"<JZ:object", b"<JZ:object" + attribute, 1)
    assert reading(raw).message is not None
    assert not listener.was_called()


def test_prefixes_and_default_namespaces_are_free() -> None:
    renamed = GOOD.replace(b"JZ:", b"a:").replace(b"xmlns:JZ", b"xmlns:a").replace(b"BG:", b"b:")
    renamed = renamed.replace(b"xmlns:BG", b"xmlns:b")
    assert reading(renamed).message == reading(GOOD).message


def test_a_foreign_namespace_is_not_mistaken_for_ours() -> None:
    raw = GOOD.replace(b"<BG:inp.bsn>", b'<e:inp.bsn xmlns:e="urn:e">111222333</e:inp.bsn><BG:inp.bsn>', 1)
    result = reading(raw)
    assert result.message is not None
    assert "999993653" in [person.bsn for person in result.message.persons]
    assert "111222333" in result.message.unknown[0].xml


def test_a_prefix_that_changes_its_meaning_halfway_is_followed() -> None:
    raw = GOOD.replace(b"<JZ:locatieIncident>", b'<JZ:locatieIncident xmlns:JZ="urn:other">', 1)
    result = reading(raw)
    assert result.message is not None
    assert result.message.incident.place is None
    assert "Voorbeeldstraat 1" in result.message.unknown[0].xml


def test_a_name_of_50_000_characters_is_kept_with_a_remark() -> None:
    raw = GOOD.replace(b">Voorbeeld</BG:geslachtsnaam>", b">" + b"a" * 50_000 + b"</BG:geslachtsnaam>", 1)
    result = reading(raw)
    assert result.message is not None
    assert max(len(person.name.surname or "") for person in result.message.persons) == 50_000
    assert "VT-W110" in [one.code for one in result.remarks]


def test_remarks_are_limited_however_bad_the_message_is() -> None:
    result = reading(with_text(b"mes").replace(b"<JZ:betreft", b"<JZ:x/>" * 5_000 + b"<JZ:betreft", 1))
    assert result.message is not None
    assert len(result.message.unknown) == 5_000
    assert len(result.remarks) == 100
    assert result.remarks[-1].code == "VT-W112"


SLOW = {
    "less-than": b"<",
    "open comments": b"<!--",
    "comment dashes": b"<!-- " + b"-" * 1_900_000,
    "open CDATA": b"<![CDATA[",
    "brackets": b"<![CDATA[" + b"]" * 1_900_000,
    "quotes": b"<a " + b"'" * 1_900_001,
    "attribute without end": b'<a b="' + b"c=" * 900_000,
    "equals and spaces": b"<a " + b"= " * 900_000 + b">",
    "slashes": b"</" * 900_000,
}


@pytest.mark.parametrize("unit", SLOW.values(), ids=SLOW.keys())
def test_the_guard_is_linear(unit: bytes) -> None:
    raw = (unit * (2_000_000 // len(unit)))[:2_000_000]
    before = time.process_time()
    with pytest.raises(Refused):
        guard(raw)
    assert time.process_time() - before < 2.0  # quadratic would be hours


def test_a_bom_is_accepted() -> None:
    assert reading(b"\xef\xbb\xbf" + GOOD).message == reading(GOOD).message


def test_soap_is_unwrapped_and_its_header_ignored() -> None:
    header = b'<s:Header><x:y xmlns:x="urn:x" s:mustUnderstand="1">z</x:y></s:Header>'
    raw = in_soap(BODY).replace(b"<s:Body>", header + b"<!-- x --><s:Body>\n  <!-- y -->")
    result = reading(raw)
    assert result.soap
    assert result.message == reading(GOOD).message
    assert not reading(GOOD).soap


def test_no_fault_and_no_remark_repeats_a_value() -> None:
    secret = "Geheimschuil"
    for raw in (
        with_text(f"<{secret}>".encode()),
        with_text(f"<{secret}/>".encode()),
        GOOD.replace(b"Di01", b"Geheimschuil"),
    ):
        result = reading(raw)
        assert secret not in repr(result.fault)
        assert secret not in repr(result.remarks)
        assert secret not in repr(result.message)


@given(st.binary(max_size=300))
def test_any_bytes_give_an_answer(raw: bytes) -> None:
    result = reading(raw)
    assert (result.message is None) != (result.fault is None)


@given(st.data())
def test_any_damage_to_a_good_message_gives_an_answer(data: st.DataObject) -> None:
    raw = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 5))):
        start = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 40))
        raw[start : start + length] = data.draw(st.binary(max_size=20) | st.sampled_from(PIECES))
    result = reading(bytes(raw))
    assert (result.message is None) != (result.fault is None)
    assert result.fault is None or result.fault.code != "VT-E058", "our own code broke"
