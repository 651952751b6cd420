"""The vtTerugkoppelingDi01: each code as the standard spells it, valid against the XSD, one way to correlate."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pydantic import ValidationError

from intake.corv import replies
from intake.corv.elements import NAMESPACES
from intake.corv.write_feedback import MESSAGE, OUTCOMES, FeedbackMessage, write_feedback
from intake.corv.xsd import official_schema
from intake.message import Envelope, Party
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN
from radar.casework.states import CODES

FOLDER = os.environ.get("VEILIG_XSD_DIR")  # read at import: the tests themselves see no settings
AT = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
TABLE = {  # standards.md 10.6
    "VT-00": ("melding niet ontvankelijk", None),
    "VT-01-01": ("uitkomst veiligheidsbeoordeling", "vervolgstappen belegd bij VT"),
    "VT-01-02": ("uitkomst veiligheidsbeoordeling", "overdracht"),
    "VT-01-03": ("uitkomst veiligheidsbeoordeling", "geen vervolgstappen nodig"),
    "VT-01-04": ("uitkomst veiligheidsbeoordeling", "inzet regionaal maatwerk VT"),
    "VT-02": ("overdracht", None),
    "VT-03": ("afsluiting zonder overdracht", None),
    "VT-99": ("Melding onjuist geadresseerd", None),
}


def message(**changes: Any) -> FeedbackMessage:
    values: dict[str, Any] = {
        "envelope": Envelope(
            function=MESSAGE,
            reference="0197f2c0-0000-7000-8000-000000000001",
            sent_at=AT,
            sender=Party(oin=VEILIG_THUIS_OIN, application="VTINTAKE"),
            receiver=Party(oin=POLICE_OIN, application="CORV"),
        ),
        "code": "VT-01-02",
        "case_number": "VT-2026-ABCDE-12345",
        "text": "Verzonnen toelichting.",
        "report_reference": "PL9999-2026000001-1",
        "watch": "Wijkteam Dal",
        "region_name": "Veilig Thuis Voorbeeldstreek",
        "region_oin": VEILIG_THUIS_OIN,
    }
    return FeedbackMessage(**values | changes)


def texts(raw: bytes, name: str) -> list[str | None]:
    return [node.text for node in etree.fromstring(raw).iter("{*}" + name)]


@pytest.mark.parametrize("code", TABLE)
def test_each_code_says_what_the_table_says(code: str) -> None:
    raw = write_feedback(message(code=code))
    status, result = TABLE[code]
    assert texts(raw, "status") == [status]
    assert texts(raw, "uitkomst") == ([result] if result else [])


def test_every_code_of_a_move_can_be_written() -> None:
    assert set(CODES.values()) == set(TABLE) == set(OUTCOMES)


def test_the_receiver_knows_its_report_by_its_own_number_and_by_nothing_else() -> None:
    raw = write_feedback(message())
    assert texts(raw, "identificatieVtMelding") == ["PL9999-2026000001-1"]
    assert texts(raw, "crossRefnummer") == []
    assert texts(raw, "identificatie") == ["VT-2026-ABCDE-12345"]


def test_it_says_who_did_it_and_who_watches() -> None:
    root = etree.fromstring(write_feedback(message()))
    ns = {name: NAMESPACES[name] for name in ("JZ", "ZKN", "StUF")}
    assert root.findtext(".//ZKN:isUitgevoerdDoor//ZKN:oinNummer", namespaces=ns) == VEILIG_THUIS_OIN
    assert root.findtext(".//ZKN:isUitgevoerdDoor//ZKN:naam", namespaces=ns) == "Veilig Thuis Voorbeeldstreek"
    watch = ".//JZ:verantwoordelijkVoorZichtOpDeVeiligheidBelegdBij//ZKN:naam"
    assert root.findtext(watch, namespaces=ns) == "Wijkteam Dal"
    assert texts(write_feedback(message(watch=None)), "betreft") == []


def test_the_same_message_is_the_same_bytes() -> None:
    assert write_feedback(message()) == write_feedback(message())


def test_markup_in_the_text_stays_text() -> None:
    raw = write_feedback(message(text="<b>&\"'</b> ]]>\nregel 2"))
    assert texts(raw, "toelichting") == ["<b>&\"'</b> ]]>\nregel 2"]


@pytest.mark.parametrize(
    "wrong", [{"text": "x" * 1001}, {"case_number": "VT-1"}, {"case_number": "x" * 41}, {"region_oin": "12"}]
)
def test_what_the_standard_cannot_hold_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        message(**wrong)


@pytest.mark.skipif(FOLDER is None, reason="VEILIG_XSD_DIR does not name the official XSDs")
@pytest.mark.parametrize("code", TABLE)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"watch": None},
        {"case_number": None},
        {"text": "é" * 1000},
        {"text": "<markup> & regels\nmeer"},
        {"watch": "x" * 200, "region_name": "y" * 200, "report_reference": "z" * 200},
    ],
)
def test_each_is_valid_against_the_official_xsd(code: str, changes: dict[str, Any]) -> None:
    raw = write_feedback(message(code=code, **changes))
    schema = official_schema(Path(str(FOLDER)))
    assert schema.validate(raw) == []
    assert schema.validate(replies.soap(raw)) == []
