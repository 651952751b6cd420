"""The official XSD, when the operator has it: what we send is valid, and its advice repeats no values.

Set VEILIG_XSD_DIR to the unpacked "vtberichten ... schemas (resolved)" zip of StUF-koppelvlak Jeugdzorg 1.0.9.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from intake.corv import replies
from intake.corv.codes import ERRORS, ROLES
from intake.corv.parse import fault, read
from intake.corv.write import write_report
from intake.corv.xsd import NoSchema, OfficialSchema, official_schema
from intake.remarks import remark
from intake.sample import CHILD, MOTHER, POLICE_OIN, VEILIG_THUIS_OIN, sample_report

FOLDER = os.environ.get("VEILIG_XSD_DIR")  # read at import: the tests themselves see no settings
SAMPLES = Path(__file__).parents[4] / "shared" / "samples" / "corv"
OWN = (VEILIG_THUIS_OIN, "VTINTAKE", "antwoord-1", datetime(2026, 7, 15, 8, 30, tzinfo=UTC))

needs_schema = pytest.mark.skipif(FOLDER is None, reason="VEILIG_XSD_DIR does not name the official XSDs")


@pytest.fixture
def schema() -> OfficialSchema:
    return official_schema(Path(str(FOLDER)))


WRITTEN: dict[str, dict[str, Any]] = {
    "the sample": {},
    "every role": {"betrokkenen": [CHILD | {"rol": {"tekst": role}} for role in ROLES]},
    "partial dates": {
        "betrokkenen": [CHILD | {"geboortedatum": {"tekst": "20150301", "indicatie": one}} for one in "DMJV"]
    },
    "nothing but what must be": {
        "melding": {"contact": {"telefoonnummers": None}, "informeringen": None, "sash": {"niveau": None}},
        "betrokkenen": [{"rol": {"tekst": "kind"}, "naam": {"geslachtsnaam": "Voorbeeld"}, "geslacht": "O"}],
        "indiener": {"kvk": None, "instantiecode": None},
    },
    "reasons for empty values": {
        "incident": {"locatie": None, "geenWaardeReden": {"locatie": "waardeOnbekend"}},
        "melding": {"agenderingGewenst": None, "geenWaardeReden": {"agenderingGewenst": "geenWaarde"}},
        "betrokkenen": [MOTHER | {"taal": None, "geenWaardeReden": {"taal": "nietOndersteund"}}],
    },
    "all kinds of organisation number": {"indiener": {"vestiging": "000012345678", "rsin": "999999990", "kvk": None}},
    "markup in text": {"incident": {"omschrijving": "<b> & \"quotes\" ]]> \r\n einde"}},
}  # fmt: skip


@needs_schema
@pytest.mark.parametrize("changes", WRITTEN.values(), ids=WRITTEN.keys())
def test_written_reports_are_valid(schema: OfficialSchema, changes: dict[str, Any]) -> None:
    raw = write_report(sample_report(changes))
    assert schema.validate(raw) == []
    assert schema.validate(replies.soap(raw)) == []


@needs_schema
def test_answers_are_valid(schema: OfficialSchema) -> None:
    header = read(write_report(sample_report()), {VEILIG_THUIS_OIN}, POLICE_OIN).header
    assert header is not None
    assert schema.validate(replies.bv03(header, *OWN)) == []
    assert schema.validate(replies.bv01(header, *OWN, [remark("VT-W111", "x" * 400)])) == []
    for code in ERRORS:
        for known in (header, None):
            why = fault(code, "header", "d" * 2000)
            assert schema.validate(replies.fo03(known, why, *OWN)) == []
            assert schema.validate(replies.fo01(known, why, *OWN)) == []


@needs_schema
def test_advice_names_the_element_and_the_rule_and_no_value(schema: OfficialSchema) -> None:
    changes = {"betrokkenen": [CHILD | {"bsn": "12345", "geslacht": "Q", "rol": {"tekst": "Geheimschuil"}}]}
    raw = write_report(sample_report(changes))
    for message in (raw, replies.soap(raw)):
        advice = schema.validate(message)
        assert "inp.bsn: cvc-pattern-valid" in advice
        assert "geslachtsaanduiding: cvc-enumeration-valid" in advice
        assert "jeugzorgrol: cvc-enumeration-valid" in advice
        assert "12345" not in repr(advice)
        assert "Geheimschuil" not in repr(advice)


@needs_schema
def test_advice_does_not_repeat_the_name_of_an_unknown_element(schema: OfficialSchema) -> None:
    raw = write_report(sample_report()).replace(b"<JZ:locatieIncident>", b"<JZ:Geheimschuil/><JZ:locatieIncident>")
    assert schema.validate(raw) == ["onbekend onderdeel: element-content"]


@needs_schema
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared sample messages are not on this machine")
def test_the_shared_samples_are_valid(schema: OfficialSchema) -> None:
    for name in ("vtMeldingDi01-voorbeeld.xml", "vtTerugkoppelingDi01-voorbeeld.xml"):
        assert schema.validate((SAMPLES / name).read_bytes()) == []


@needs_schema
def test_advice_is_given_on_a_message_above_the_default_size(schema: OfficialSchema) -> None:
    raw = write_report(sample_report({"incident": {"omschrijving": "x" * 3_000_000}}))
    assert schema.validate(raw) == []


def test_a_folder_without_the_schema_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(NoSchema, match="XSD"):
        OfficialSchema(tmp_path)
    (tmp_path / "jz0100_msg_vtberichten_resolved2025.xsd").write_text("<geen-schema/>")
    with pytest.raises(NoSchema):
        OfficialSchema(tmp_path)
