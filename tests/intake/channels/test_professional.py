"""The form of a professional as a message: every answer arrives, and the door takes what the form takes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake import acute, vault
from intake.channels import professional as made
from intake.channels import professional_form as form
from intake.message import ReportMessage, read_json
from intake.sample import REPORT
from intake.senders import KINDS

ANSWERS = {
    "nuVeilig": "ja",
    "sector": "kinderopvang",
    "organisatie": "Kinderopvang De Es",
    "naam": "Juf Jansen",
    "functie": "pedagogisch medewerker",
    "hoedanigheid": "18",
    "telefoon": "0612345678",
    "email": "juf@deEs.example",
    "bekend": "ja",
    "p1.rol": "jeugdige",
    "p1.voornamen": "Sam",
    "p3.rol": "ex-partner",
    "p3.geslachtsnaam": "Voorbeeld",
    "feiten": "Verzonnen feiten.",
    "kinderen": "ja",
    "gezinGeinformeerd": "ja",
    "reactie": "Moeder was opgelucht.",
    "stap": "4",
    "zicht": "veilig_thuis",
    "terugkoppeling": "nee",
}
TODAY = date(2026, 11, 22)


def message(body: dict[str, Any]) -> ReportMessage:
    """As the door reads it, with all its rules."""
    return read_json(json.dumps({"bericht": REPORT["bericht"], **body}).encode())


def test_a_whole_form_has_no_errors_and_fits_the_message() -> None:
    assert form.all_errors(ANSWERS, []) == {}
    found = message(made.body(ANSWERS, "BCDF-2345", TODAY))
    assert found.report.reference == "BCDF-2345"
    assert found.report.informing == "Moeder was opgelucht."
    assert found.intake is not None
    assert found.intake.way == "formulier"
    assert found.intake.feedback_wished is False
    assert found.intake.reporting_code is not None
    assert found.intake.reporting_code.step == "4"
    assert [one.role.code for one in found.persons] == ["301", None]
    assert "meteen overnemen" in (found.situation.additional_information or "")


@pytest.mark.parametrize("sector", list(form.SECTORS))
def test_each_sector_is_a_kind_of_reporter(sector: str) -> None:
    assert made.kind_of({"sector": sector}) == sector
    assert sector in KINDS
    assert made.kind_of({"sector": "politie"}) == "anders"


@pytest.mark.parametrize("ground", list(form.GROUNDS))
def test_a_secret_reporter_is_in_what_is_sealed_and_nowhere_else(ground: str) -> None:
    secret = ANSWERS | {"bekend": "nee", "grond": ground, "grondToelichting": "Hij kent mijn adres."}
    body = made.body(secret, "BCDF-2345", TODAY)
    parted = vault.part({name: value for name, value in body.items() if name != "betrokkenen"}, [])
    for word in ("Jansen", "De Es", "0612345678", "pedagogisch", "Hij kent mijn adres.", form.GROUNDS[ground]):
        assert word not in str(parted.content), word
        assert word in str(parted.identity), word
    assert parted.identity["contact"]["magBekendWorden"] is False


def test_an_open_reporter_is_known_by_his_organisation_only() -> None:
    body = made.body(ANSWERS, "BCDF-2345", TODAY)
    parted = vault.part({name: value for name, value in body.items() if name != "betrokkenen"}, [])
    assert parted.content["indiener"] == {"naam": "Kinderopvang De Es"}
    assert "Jansen" not in str(parted.content)


@pytest.mark.parametrize(("safe", "risk"), [("nee", 2), ("ja", 0)])
def test_unsafe_now_is_acute(safe: str, risk: int) -> None:
    found = acute.signals(message(made.body(ANSWERS | {"nuVeilig": safe}, "BCDF-2345", TODAY)))
    assert acute.risk(found) == risk


def test_a_pharmacy_says_not_to_call_the_victim() -> None:
    answers = {
        "slachtofferHier": "nee",
        "nuVeilig": "onbekend",
        "slachtoffer": "onbekend",
        "apotheek": "Apotheek De Es",
        "naam": "Jansen",
        "telefoon": "0201234567",
    }
    assert form.pharmacy_errors(answers, []) == {}
    found = message(made.pharmacy_body(answers, "BCDF-2345", TODAY))
    assert found.intake is not None
    assert (found.intake.do_not_call_back, found.intake.code_word) == (True, made.CODE_WORD)
    assert found.incident.description is not None
    assert "niet meer in de apotheek" in found.incident.description
    assert found.persons[0].capacity_code == "002"


FIELD = st.sampled_from(
    [*(name for step in form.STEPS for name in form.fields_of(step)), *(f"p2.{name}" for name in form.PERSON_FIELDS)]
)
VALUE = st.one_of(
    st.sampled_from(["ja", "nee", "onbekend", "1", "5", "31", "2015", "999993653"]), st.text(max_size=30)
)


@given(st.dictionaries(FIELD, VALUE, max_size=25))
@settings(max_examples=150)
def test_whatever_passes_the_form_passes_the_door(typed: dict[str, str]) -> None:
    answers = ANSWERS | form.taken(typed, list(typed))
    if not form.all_errors(answers, []):
        message(made.body(answers, "BCDF-2345", TODAY))


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=10))
def test_no_answer_is_too_strange_to_judge(typed: dict[str, str]) -> None:
    for step in form.STEPS:
        form.errors(step, typed, ["0001"])
    form.person_errors(typed)
    form.pharmacy_errors(typed, [])
    form.persons(typed)


def test_a_person_is_put_and_taken_away_without_touching_others() -> None:
    two = form.with_person(form.with_person({}, 1, {"voornamen": "A"}), 2, {"voornamen": "B", "rol": ""})
    assert two == {"p1.voornamen": "A", "p2.voornamen": "B"}
    assert form.persons(form.with_person(two, 1, {})) == [2]
    assert form.person(two | {"p12.voornamen": "C"}, 1) == {"voornamen": "A"}


@pytest.mark.parametrize(
    ("parts", "date_of"),
    [
        (("3", "9", "2015"), {"tekst": "20150903", "indicatie": "V"}),
        (("", "9", "2015"), {"tekst": "20150900", "indicatie": "D"}),
        (("", "", "2015"), {"tekst": "20150000", "indicatie": "M"}),
    ],
)
def test_a_part_of_a_date_is_kept_as_a_part(parts: tuple[str, str, str], date_of: dict[str, str]) -> None:
    one = dict(zip(("geboortedatum.dag", "geboortedatum.maand", "geboortedatum.jaar"), parts, strict=True))
    assert form.date_of(one) == date_of
    assert "geboortedatum" not in form.person_errors(one)
