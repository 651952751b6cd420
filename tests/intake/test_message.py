"""The JSON door: the same model, with every error at once and where it is (standards.md 10.1, 4.1 all-errors)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.input_errors import InvalidMessage
from intake.message import Involved, MessageDate, Part, ReportMessage, Role, read_json
from intake.sample import CHILD, sample_json, sample_report


def door(changes: dict[str, Any] | None = None) -> ReportMessage:
    return read_json(json.dumps(sample_json(changes)).encode())


def errors(raw: bytes) -> dict[str, str]:
    with pytest.raises(InvalidMessage) as caught:
        read_json(raw)
    return {error.path: error.text for error in caught.value.errors}


def errors_of(changes: dict[str, Any]) -> dict[str, str]:
    return errors(json.dumps(sample_json(changes)).encode())


def test_the_sample_comes_in_whole() -> None:
    assert door() == sample_report()


def test_all_errors_come_at_once_each_with_its_path() -> None:
    found = errors_of(
        {
            "bericht": {"referentienummer": "x" * 41, "zender": {"oin": "1"}},
            "melding": {"kenmerk": " ", "sash": {"niveau": "extreem"}, "agenderingGewenst": "Ja"},
            "incident": {"kleur": "rood"},
            "betrokkenen": [CHILD | {"geslacht": "X", "naam": {"voornamen": 7}}],
        }
    )
    assert found == {
        "$.bericht.referentienummer": "Geef 1 tot 40 tekens op.",
        "$.bericht.zender.oin": "Een OIN heeft 20 tekens.",
        "$.melding.kenmerk": "Geef 1 tot 200 tekens op.",
        "$.melding.sash.niveau": "Kies een van: laag, matig, hoog.",
        "$.melding.agenderingGewenst": "Dit moet true of false zijn.",
        "$.incident.kleur": "Dit gegeven kennen wij niet.",
        "$.betrokkenen[0].geslacht": "Kies een van: M, V, O.",
        "$.betrokkenen[0].naam.voornamen": "Dit moet tekst zijn.",
    }


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({"betrokkenen": []}, "$.betrokkenen"),
    "51 persons": ({"betrokkenen": [CHILD] * 51}, "$.betrokkenen"),
    "11 addresses": (
        {"betrokkenen": [CHILD | {"adressen": [{"soort": "feitelijk"}] * 11}]},
        "$.betrokkenen[0].adressen",
    ),
    "text over 100 kB": ({"incident": {"omschrijving": "é" * 50_001}}, "$.incident.omschrijving"),
    "NUL": ({"incident": {"omschrijving": "mes\x00"}}, "$.incident.omschrijving"),
    "lone surrogate": ({"incident": {"omschrijving": "\ud800"}}, "$.incident.omschrijving"),
    "unknown way": ({"melding": {"informeringen": [{"wijze": "duif"}]}}, "$.melding.informeringen[0].wijze"),
    "unknown capacity": ({"betrokkenen": [CHILD | {"hoedanigheid": "006"}]}, "$.betrokkenen[0].hoedanigheid"),
    "unknown function": ({"bericht": {"functie": "vcobDi01"}}, "$.bericht.functie"),
    "time without zone": ({"bericht": {"tijdstip": "2026-01-15T09:30:00"}}, "$.bericht.tijdstip"),
    "reason that is none": ({"incident": {"geenWaardeReden": {"locatie": "zomaar"}}}, "$.incident.geenWaardeReden"),
    "reason for nothing": ({"incident": {"geenWaardeReden": {"x": "geenWaarde"}}}, "$.incident.geenWaardeReden"),
    "English name": ({"incident": {"place": "hier"}}, "$.incident.place"),
    "no kenmerk": ({"melding": {"kenmerk": None}}, "$.melding.kenmerk"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "path"), WRONG.values(), ids=WRONG.keys())
def test_input_rules(changes: dict[str, Any], path: str) -> None:
    assert list(errors_of(changes)) == [path]


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff", b"{", b"[" * 100_000, b'{"a": NaN}', b'{"melding": {}, "melding": {}}', b"1" * 10_000],
    ids=["empty", "not UTF-8", "half", "deep", "NaN", "name twice", "long number"],
)
def test_what_is_no_json_is_one_error(raw: bytes) -> None:
    assert list(errors(raw)) == ["$"]


def test_errors_never_repeat_what_was_sent() -> None:
    found = errors_of({"incident": {"datum": "Geheimschuil"}, "betrokkenen": [CHILD | {"geslacht": "Geheimschuil"}]})
    assert len(found) == 2
    assert "Geheimschuil" not in repr(found)


@pytest.mark.parametrize(
    ("given_date", "text", "indicator"),
    [
        ("2015-03-01", "20150301", "V"),
        ({"type": "Datum", "datum": "2015-03-01"}, "20150301", "V"),
        ({"type": "JaarMaandDatum", "jaar": 2015, "maand": 3}, "20150300", "D"),
        ({"type": "JaarDatum", "jaar": 2015}, "20150000", "M"),
        ({"type": "DatumOnbekend", "onbekend": True}, "00000000", "J"),
        ({"tekst": "20150301", "indicatie": "M"}, "20150301", "M"),
    ],
)
def test_dates_in_every_form(given_date: object, text: str, indicator: str) -> None:
    message = door({"betrokkenen": [CHILD | {"geboortedatum": given_date}]})
    assert message.persons[0].birth_date == MessageDate(text=text, indicator=indicator)


@pytest.mark.parametrize(
    "wrong",
    [
        "2015-02-30",
        "1 maart",
        20150301,
        {"type": "Datum", "datum": "2015-13-01"},
        {"type": "JaarDatum", "jaar": 2015, "maand": 1},
        {"type": "Datum"},
        {"tekst": "20150301", "indicatie": "Z"},
        {"tekst": "2015"},
    ],
)
def test_a_date_that_cannot_be_is_an_error_at_the_door(wrong: object) -> None:
    (path,) = errors_of({"betrokkenen": [CHILD | {"geboortedatum": wrong}]})
    assert path.startswith("$.betrokkenen[0].geboortedatum")


def test_what_is_stored_is_read_leniently() -> None:
    stored = sample_json({"melding": {"sash": {"niveau": "extreem"}}, "betrokkenen": [CHILD | {"geslacht": "X"}]})
    message = ReportMessage.from_json(stored)
    assert message.report.sash.level == "extreem"
    assert ReportMessage.from_json(message.to_json()) == message


def test_a_role_fills_in_its_other_half() -> None:
    assert Role(text="ouder met gezag").code == "112"
    assert Role(code="301").text == "jeugdige"
    assert Role(text="vader").code is None


def test_times_are_kept_in_utc() -> None:
    message = door({"bericht": {"tijdstip": "2026-01-15T10:30:00+01:00", "tijdstipRuw": None}})
    assert message.to_json()["bericht"]["tijdstip"] == "2026-01-15T09:30:00Z"


def test_a_message_does_not_show_itself() -> None:
    assert "Voorbeeld" not in repr(sample_report()) + str(sample_report()) + f"{sample_report().persons}"


def parts(kind: type[Part] = Part) -> list[type[Part]]:
    return [found for one in kind.__subclasses__() for found in (one, *parts(one))]


def test_every_field_has_one_dutch_name() -> None:
    for part in (one for one in parts() if one.__module__ == "intake.message"):
        names = [field.alias for field in part.model_fields.values()]
        assert None not in names
        assert len(set(names)) == len(names)


def test_a_bsn_that_fails_is_kept_but_is_no_key() -> None:
    person = Involved(bsn="111111111")
    assert (person.bsn, person.checked_bsn.status, person.checked_bsn.value) == ("111111111", "invalid", None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["melding", "bericht", "kenmerk", "betrokkenen", "x"]), inner)
        ),
    )
)
def test_any_json_gives_errors_not_a_crash(data: object) -> None:
    assert errors(json.dumps(data).encode())
