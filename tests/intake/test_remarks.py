"""Remarks word what is wrong, name the place, and never say what stood there (standards.md 10.5)."""

from __future__ import annotations

from datetime import date

from intake.corv.codes import WARNINGS
from intake.remarks import Remark, remark, remarks
from intake.sample import CHILD, sample_report

TODAY = date(2026, 1, 15)


def test_a_good_report_has_none() -> None:
    assert remarks(sample_report(), TODAY) == []


def test_another_region_is_only_worded_here() -> None:
    assert remarks(sample_report(), TODAY, possibly_other_region=True) == [remark("VT-W107", "betrokkenen")]


def test_an_unborn_child_and_an_unknown_bsn_are_no_errors() -> None:
    unborn = CHILD | {"bsn": "999999999", "geboortedatum": {"tekst": "20260401", "indicatie": "D"}}
    found = remarks(sample_report({"betrokkenen": [unborn, CHILD | {"bsn": "000000000"}]}), TODAY)
    assert found == [remark("VT-W104", "betrokkenen[0].geboortedatum")]


def test_a_foreign_address_needs_no_postcode() -> None:
    abroad = {"soort": "feitelijk", "gebied": "buitenland", "landcode": "5010"}
    assert remarks(sample_report({"betrokkenen": [CHILD | {"adressen": [abroad]}]}), TODAY) == []


def test_without_a_day_nothing_is_in_the_future() -> None:
    report = sample_report({"incident": {"datum": {"tekst": "20990101"}}})
    assert remarks(report, None) == []
    assert remarks(report, TODAY) == [remark("VT-W104", "incident.datum")]


def test_the_worst_report_repeats_nothing() -> None:
    secret = "Geheimschuil"
    person = {"bsn": secret, "rol": {"tekst": secret}, "geslacht": secret, "geboortedatum": {"tekst": secret}}
    changes = {
        "betrokkenen": [person],
        "melding": {"sash": {"niveau": secret}, "datum": {"tekst": secret}, "contact": None},
        "incident": None,
        "situatie": None,
        "indiener": None,
    }
    found = remarks(sample_report(changes), TODAY)
    codes = {one.code for one in found}
    assert {"VT-W101", "VT-W103", "VT-W104", "VT-W105", "VT-W106", "VT-W108", "VT-W110"} <= codes
    assert all(one.text == WARNINGS[one.code] for one in found)
    assert secret not in repr(found)


def test_a_sentence_fits_in_a_stuf_melding() -> None:
    assert len(Remark("VT-W101", "x" * 300, "y" * 300).sentence()) == 250
    assert remark("VT-W103", "melding.sash.niveau").to_json() == {
        "code": "VT-W103",
        "pad": "melding.sash.niveau",
        "tekst": "SASH is ingevuld, maar het niveau ontbreekt.",
    }
