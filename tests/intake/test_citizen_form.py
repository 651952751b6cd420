"""What a citizen typed, as a message: persons as known, the address only where it belongs, the reporter apart."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from intake.channels import citizen
from intake.codelists import codelists
from intake.message import ReportMessage
from intake.protected import signs

FORM = UUID("0190c0de-0000-7000-8000-000000000001")
TODAY = date(2026, 11, 22)
BASE = {
    "over": "ander",
    "wens": "melding",
    "gebeurt": "Verzonnen.",
    "aanleiding": "01",
    "wie": "35",
    "naam": "Melderman",
    "bereik": "niet",
}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intake.channels.citizen.keyed_hash", lambda text: text.encode().ljust(32, b"-")[-32:])


def persons(**fields: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = citizen.body(BASE | fields, FORM, TODAY, "Dalstad")["betrokkenen"]
    return found


def test_the_words_of_the_form_are_codes_of_the_lists_in_force() -> None:
    lists = codelists()
    assert set(citizen.OCCASIONS) <= {one.code for one in lists.occasions}
    for words in citizen.CAPACITIES.values():
        assert set(words) <= {one.code for one in lists.capacities if one.group == "citizen"}


def test_the_message_can_be_read_back_and_names_the_reporter_in_its_contact_only() -> None:
    body = citizen.body(BASE | {"slachtoffer": "Xanthippe", "wanneer": "Roodborst"}, FORM, TODAY, "Dalstad")
    head = {
        "functie": "vtMeldingDi01",
        "referentienummer": str(FORM),
        "zender": {"oin": "00000099000000002000"},
        "ontvanger": {"oin": "00000099000000002000"},
    }
    assert ReportMessage.from_json(body | {"bericht": head}).to_json()["betrokkenen"] == body["betrokkenen"]
    contact = body["melding"].pop("contact")
    assert contact["naam"] == "Melderman"
    assert "Melderman" not in str(body)
    assert "Roodborst" not in str(body)


@pytest.mark.parametrize(
    ("line", "street", "house", "more"),
    [
        ("Voorbeeldstraat 12", "Voorbeeldstraat", "12", None),
        ("Voorbeeldstraat 12a", "Voorbeeldstraat", "12", "a"),
        ("Voorbeeldstraat 12-2", "Voorbeeldstraat", "12", "2"),
        ("Voorbeeldstraat, 12 bis", "Voorbeeldstraat", "12", "bis"),
        ("1e Voorbeelddwarsstraat 4", "1e Voorbeelddwarsstraat", "4", None),
        ("het blauwe huis", "het blauwe huis", None, None),
    ],
)
def test_an_address_is_taken_apart_where_that_is_certain(
    line: str, street: str, house: str | None, more: str | None
) -> None:
    (person,) = persons(slachtoffer="Sam", adres=line)
    address = person["adressen"][0]
    assert (address["straat"], address.get("huisnummer"), address.get("toevoeging")) == (street, house, more)


@pytest.mark.parametrize(
    ("place", "postcode", "town"),
    [("1234 ab", "1234AB", "Dalstad"), ("Bergdorp", None, "Bergdorp"), ("", None, "Dalstad")],
)
def test_a_town_that_was_typed_goes_before_the_municipality(place: str, postcode: str | None, town: str) -> None:
    (person,) = persons(slachtoffer="Sam", adres="Voorbeeldstraat 12", postcode=place)
    assert (person["adressen"][0].get("postcode"), person["adressen"][0]["woonplaats"]) == (postcode, town)


def test_the_address_is_that_of_who_is_hurt_and_the_children_never_of_who_hurts() -> None:
    found = persons(slachtoffer="Xanthippe", pleger="Karel", kind2="Sam", adres="Voorbeeldstraat 12")
    assert [("adressen" in one) for one in found] == [True, False, True]


def test_an_address_alone_is_a_person_without_a_name() -> None:
    (person,) = persons(adres="Voorbeeldstraat 12", slachtoffer_leeftijd="8")
    assert "naam" not in person
    assert person["rol"]["tekst"] == "jeugdige"


@pytest.mark.parametrize(
    ("age", "born", "role"),
    [
        ("8", None, "jeugdige"),
        ("38", None, "vermoedelijk slachtoffer"),
        ("rond de 40", None, "vermoedelijk slachtoffer"),
        ("3-5-2016", {"tekst": "20160503", "indicatie": "V"}, "jeugdige"),
        ("3-5-1986", {"tekst": "19860503", "indicatie": "V"}, "vermoedelijk slachtoffer"),
        ("1986", {"tekst": "19860000", "indicatie": "M"}, "vermoedelijk slachtoffer"),
        ("2015", {"tekst": "20150000", "indicatie": "M"}, "jeugdige"),
    ],
)
def test_an_age_stays_as_it_was_said_and_only_a_date_is_a_date_of_birth(
    age: str, born: dict[str, str] | None, role: str
) -> None:
    (person,) = persons(slachtoffer="Sam", slachtoffer_leeftijd=age)
    assert (person.get("geboortedatum"), person["rol"]["tekst"]) == (born, role)
    assert ("aanvullendeInformatie" in person) is (born is None)


def test_about_oneself_the_roles_follow_what_one_says() -> None:
    victim, other = "vermoedelijk slachtoffer", "vermoedelijke pleger"
    for who, roles in (("31", [victim, other]), ("30", [other, victim])):
        found = persons(over="ik", wie=who, pleger="Karel")
        assert found[0]["naam"]["volledigeNaam"] == "Melderman"
        assert [one["rol"]["tekst"] for one in found] == roles


def test_a_secret_address_is_a_sign_that_receipt_knows() -> None:
    (secret,) = persons(slachtoffer="Sam", adres="Voorbeeldstraat 12", geheim="ja")
    (known,) = persons(slachtoffer="Sam", adres="Voorbeeldstraat 12")
    assert signs(secret)
    assert not signs(known)


def test_do_not_call_back_unless_calling_was_chosen() -> None:
    for way, may_not in (("telefoon", None), ("email", True), ("niet", True)):
        told = citizen.body(BASE | {"slachtoffer": "Sam", "bereik": way, "telefoon": "0612345678"}, FORM, TODAY)
        assert told["aanmelding"].get("nietTerugbellen") == may_not
        assert told["aanmelding"]["terugkoppelingGewenst"] is (way != "niet")


def test_the_family_may_know_only_when_that_was_ticked() -> None:
    for ticked in ("", "ja"):
        told = citizen.body(BASE | {"slachtoffer": "Sam", "bekend": ticked}, FORM, TODAY)
        assert told["melding"]["contact"]["magBekendWorden"] is (ticked == "ja")


def test_advice_keeps_how_to_answer_only_when_that_was_chosen() -> None:
    asked = BASE | {"wens": "advies", "sinds": "een jaar", "telefoon": "0612345678", "email": "a@voorbeeld.example"}
    assert citizen.advice(asked).contact is None
    answered = citizen.advice(asked | {"bereik": "telefoon"}).contact
    assert answered is not None
    assert (answered.phone, answered.email) == ("0612345678", "")
    assert citizen.advice(asked).question == "Verzonnen.\nSinds wanneer: een jaar"


@pytest.mark.parametrize("phone", ["06 12345678", "+32 470 12 34 56", "0048 123 456 789", "(020) 123 45 67"])
def test_a_phone_of_another_country_is_good_too(phone: str) -> None:
    fields = BASE | {"slachtoffer": "Sam", "bereik": "telefoon", "telefoon": phone}
    assert citizen.wrong(fields, TODAY, ()) == {}


def test_the_number_is_of_the_form_and_the_reference_of_what_it_says() -> None:
    assert citizen.number_of(FORM) == citizen.number_of(FORM)
    one, other = (citizen.reference_of(FORM, BASE | {"l": language, "doe": "sturen"}) for language in ("nl", "en"))
    assert one == other
