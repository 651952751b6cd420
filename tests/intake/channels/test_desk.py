"""A call as a message: what is wrong is told beside its field, and what is right says the same as it was typed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from intake import acute, protected
from intake.channels import desk
from intake.channels.desk_form import (
    MAX_PERSONS,
    filled_persons,
    nameless,
    rows,
    typed,
    typed_advice,
    with_row,
    without_row,
    wrong,
)
from intake.codelists import codelists
from intake.input_errors import InputError
from intake.message import ReportMessage, read_json
from intake.sample import REPORT

TODAY = date(2026, 11, 22)
RIGHT = {
    "wijze": "balie",
    "hoedanigheid": "15",
    "melder_naam": "Bep Verzonnen",
    "melder_functie": "Intern begeleider",
    "melder_organisatie": "Basisschool De Es",
    "melder_email": "bep@school.example",
    "melder_veilig": "Alleen op de school.",
    "melder_bekend": "ja",
    "terugkoppeling": "ja",
    "wat": "Het kind durft niet naar huis.",
    "laatst.maand": "11",
    "laatst.jaar": "2026",
    "sinds": "Sinds de zomer",
    "nu_veilig": "nee",
    "kinderen": "ja",
    "a1.straat": "Voorbeeldstraat",
    "a1.huisnummer": "12",
    "a1.toevoeging": "bis",
    "a1.postcode": "1234 ab",
    "a1.woonplaats": "Dalstad",
    "p1.rol": "jeugdige",
    "p1.voornamen": "Sam",
    "p1.voorvoegsel": "van den",
    "p1.achternaam": "Voorbeeld",
    "p1.geboren.dag": "1",
    "p1.geboren.maand": "3",
    "p1.geboren.jaar": "2015",
    "p1.geslacht": "O",
    "p1.bsn": "999993653",
    "p1.adres": "1",
    "p2.rol": "ouder met gezag",
    "p2.achternaam": "onbekend",
    "p2.telefoon": "06 22222222",
    "p2.adres": "1",
    "p3.rol": "",
    "p3.adres": "1",
    "aanleiding.08": "ja",
    "aard.08": "ja",
    "gezin_weet": "nee",
    "waarom_niet": "De leerkracht is bang voor ruzie.",
    "blijft_helpen": "De school let op.",
}


def message(fields: Mapping[str, str]) -> ReportMessage:
    """Through the rules of the door, as intake.channels.own reads it."""
    body = desk.body(fields, TODAY)
    whole = {**body, "bericht": REPORT["bericht"], "melding": {"kenmerk": "k-1"} | body["melding"]}
    return read_json(to_json(whole))


def without(*names: str) -> dict[str, str]:
    return {name: text for name, text in RIGHT.items() if name not in names}


# ── the message ─────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_that_was_typed_stands_in_the_message() -> None:
    assert wrong(RIGHT, TODAY) == {}
    found = message(RIGHT)
    intake = found.intake
    assert intake is not None
    assert (intake.way, intake.capacity, intake.safe_now, intake.children) == ("balie", "15", "nee", "ja")
    assert (intake.occasions, intake.natures, intake.since) == (("08",), ("08",), "Sinds de zomer")
    assert (intake.family_told, intake.why_not_told) == ("nee", "De leerkracht is bang voor ruzie.")
    assert (intake.keeps_helping, intake.feedback_wished) == ("De school let op.", True)
    assert found.incident.description == "Het kind durft niet naar huis."
    assert found.incident.date is not None
    assert (found.incident.date.text, found.incident.date.indicator) == ("20261100", "D")
    contact = found.report.contact
    assert contact is not None
    assert (contact.name, contact.function, contact.emails) == (
        "Bep Verzonnen",
        "Intern begeleider",
        ("bep@school.example",),
    )
    assert (contact.reached_safely, contact.may_be_known) == ("Alleen op de school.", True)
    assert found.submitter.name == "Basisschool De Es"


def test_an_address_that_was_typed_once_is_that_of_each_who_chose_it() -> None:
    child, parent = message(RIGHT).persons
    assert child.addresses == parent.addresses
    (address,) = child.addresses
    assert (address.postcode, address.house_number, address.house_addition) == ("1234AB", "12", "bis")


def test_a_row_without_a_name_or_role_is_nobody_and_a_birth_date_says_what_is_known() -> None:
    assert filled_persons(RIGHT) == [1, 2]
    child, parent = message(RIGHT).persons
    assert child.birth_date is not None
    assert (child.birth_date.text, child.birth_date.indicator) == ("20150301", "V")
    assert parent.birth_date is None
    year_only = message(RIGHT | {"p1.geboren.dag": "", "p1.geboren.maand": ""}).persons[0]
    assert year_only.birth_date is not None
    assert (year_only.birth_date.text, year_only.birth_date.indicator) == ("20150000", "M")


def test_not_safe_now_is_acute() -> None:
    assert acute.risk(acute.signals(message(RIGHT))) == acute.ACUTE_RISK
    assert acute.risk(acute.signals(message(RIGHT | {"nu_veilig": "ja"}))) == 0


def test_a_secret_address_is_a_sign_for_the_vault() -> None:
    stored = [one.model_dump(mode="json", by_alias=True) for one in message(RIGHT | {"p2.geheim": "ja"}).persons]
    assert set(protected.protected(stored, {})) == {0, 1}, "and who lives at the same address with him"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hoedanigheid": "35"}, None),
        ({"melder_bekend": "nee"}, None),
        ({"melder_bekend": ""}, "Basisschool De Es"),
    ],
)
def test_an_organisation_is_open_only_of_a_professional_who_may_be_known(
    changes: dict[str, str], expected: str | None
) -> None:
    found = message(RIGHT | changes)
    assert found.submitter.name == expected
    assert found.report.contact is not None
    assert found.report.contact.department == "Basisschool De Es", "the vault keeps it"


def test_each_capacity_has_a_kind_of_reporter() -> None:
    kinds = {one.code: desk.kind({"hoedanigheid": one.code}) for one in codelists().capacities}
    assert kinds["01"] == "politie"
    assert kinds["15"] == "onderwijs"
    assert {kinds[one.code] for one in codelists().capacities if one.group == "citizen"} == {"burger"}
    assert "burger" not in {kinds[one.code] for one in codelists().capacities if one.group == "professional"}


# ── what is wrong ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"wijze": "chat"}, "wijze"),
        ({"hoedanigheid": "99"}, "hoedanigheid"),
        ({"melder_naam": " "}, "melder_naam"),
        ({"anoniem": "ja"}, "melder_naam"),
        ({"melder_email": "", "melder_veilig": ""}, "melder_telefoon"),
        ({"melder_telefoon": "bel de school"}, "melder_telefoon"),
        ({"melder_email": "bep"}, "melder_email"),
        ({"wat": "\n "}, "wat"),
        ({"laatst.jaar": "26"}, "laatst"),
        ({"laatst.jaar": "2027", "laatst.maand": ""}, "laatst"),
        ({"laatst.dag": "31"}, "laatst"),
        ({"nu_veilig": ""}, "nu_veilig"),
        ({"kinderen": "misschien"}, "kinderen"),
        ({"a1.postcode": "0234 AB"}, "a1.postcode"),
        ({"a1.huisnummer": "12bis"}, "a1.huisnummer"),
        ({"a1.postcode": "", "a1.straat": "", "a1.woonplaats": ""}, "a1.postcode"),
        ({"p1.rol": "melder"}, "p1.rol"),
        ({"p1.voornamen": "", "p1.achternaam": ""}, "p1.achternaam"),
        ({"p1.geboren.dag": "30", "p1.geboren.maand": "2"}, "p1.geboren"),
        ({"p1.geboren.maand": ""}, "p1.geboren"),
        ({"p1.geboren.jaar": "²015"}, "p1.geboren"),
        ({"p1.bsn": "999993654"}, "p1.bsn"),
        ({"p1.adres": "2"}, "p1.adres"),
        ({"p2.telefoon": "geheim"}, "p2.telefoon"),
        ({"aanleiding.08": ""}, "aanleiding"),
        ({"aanleiding.77": "ja"}, "aanleiding"),
        ({"aanleiding.08": "", "aanleiding.01": "ja"}, "aard"),
        ({"sinds": "x" * 201}, "sinds"),
        ({"wat": "a\x0bb"}, "wat"),
        ({"ambtshalve": "ja"}, "ambtshalve_reden"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_in_a_sentence(changes: dict[str, str], field: str) -> None:
    errors = wrong(RIGHT | changes, TODAY)
    assert set(errors) == {field}
    assert errors[field].endswith((".", "!"))
    assert RIGHT["p1.bsn"] not in errors[field]


def test_somebody_is_named_or_it_is_no_report() -> None:
    empty = {name: text for name, text in RIGHT.items() if not name.startswith("p")}
    assert "p1.achternaam" in wrong(empty | {"p1.rol": ""}, TODAY)


def test_veilig_thuis_itself_needs_a_reason_and_no_caller() -> None:
    own = without("melder_naam", "melder_email", "hoedanigheid") | {
        "ambtshalve": "ja",
        "ambtshalve_reden": "Drie keer.",
    }
    assert not nameless(own)
    assert wrong(own, TODAY) == {}
    assert message(own).report.contact is not None
    assert desk.kind(own) == "anders"


FREE = st.text(max_size=30) | st.sampled_from(
    ["ja", "nee", "1", "12", "2015", "jeugdige", "999993653", "V", "999999999"]
)


ON_THE_PAGE = {"laatst", "geboren", "aanleiding", "aard", "ambtshalve_reden", "zorg", "waar"} | {
    name.partition(".")[2] if name[:2] in ("p1", "a1", "p2", "p3") else name for name in [*RIGHT, "melder_telefoon"]
}


@given(st.dictionaries(st.sampled_from(sorted(RIGHT)), FREE, max_size=6))
@settings(max_examples=300)
def test_whatever_is_typed_is_either_told_beside_a_field_or_taken_at_the_door(changes: dict[str, str]) -> None:
    fields = RIGHT | changes
    if errors := wrong(fields, TODAY):
        for name, text in errors.items():
            row, _, of_row = name.partition(".")
            assert name in ON_THE_PAGE or (row[:1] in "pa" and of_row in ON_THE_PAGE), name
            assert text.endswith(".")
    else:
        assert message(fields).persons


def test_errors_of_the_door_come_beside_the_fields_of_the_form() -> None:
    paths = {
        "$.betrokkenen[0].bsn": "p1.bsn",
        "$.betrokkenen[1].naam.geslachtsnaam": "p2.achternaam",
        "$.betrokkenen[1].geboortedatum": "p2.geboren",
        "$.melding.contact.emails[0]": "melder_naam",
        "$.aanmelding.aard": "aard",
        "$.incident.locatie": "waar",
        "$.iets.anders": "wat",
    }
    for path, field in paths.items():
        assert desk.fields_of([InputError(path, "Kijk dit na.")], RIGHT) == {field: "Kijk dit na."}, path


# ── the form ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_form_keeps_what_is_ours_and_what_the_other_page_asked() -> None:
    before = {"advies_vraag": "Een vraag", "wat": "oud"}
    kept = typed({"wat": "nieuw", "p1.rol": "", "p1.bsn": " ", "p900.rol": "kind", "doel": "x"}, before)
    assert kept == {"wat": "nieuw", "p1.rol": "", "advies_vraag": "Een vraag"}
    advice: dict[str, Any] = typed_advice({"advies_vraag": "Anders", "aanleiding.01": "ja"}, kept | {"aard.01": "ja"})
    assert advice == {"wat": "nieuw", "p1.rol": "", "advies_vraag": "Anders", "aanleiding.01": "ja"}


def test_rows_come_and_go() -> None:
    more, number = with_row(RIGHT, "p")
    assert (number, rows(more, "p")) == (4, [1, 2, 3, 4])
    fewer = without_row(more, "p2")
    assert rows(fewer, "p") == [1, 3, 4]
    assert with_row(fewer, "p")[1] == 5, "behind the last one"
    homeless = without_row(RIGHT, "a1")
    assert not [name for name in homeless if name.endswith(".adres")]
    full = {f"p{row}.rol": "" for row in range(1, MAX_PERSONS + 1)}
    assert with_row(full, "p") == (full, 0)
