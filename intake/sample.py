"""An invented report, complete and valid, to build demo and test messages from. Nobody in it exists."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from intake.message import ReportMessage

POLICE_OIN = "00000099000000001000"
VEILIG_THUIS_OIN = "00000099000000002000"

MOTHER: dict[str, Any] = {
    "rol": {"tekst": "ouder met gezag"},
    "bsn": "999993653",
    "naam": {"voornamen": "Noor", "voorvoegsel": "van den", "geslachtsnaam": "Voorbeeld"},
    "geslacht": "V",
    "geboortedatum": {"tekst": "19860412", "indicatie": "V"},
    "nationaliteit": "Nederlandse",
    "taal": "Nederlands",
    "telefoonnummers": ["06-00000000"],
    "adressen": [
        {
            "soort": "feitelijk",
            "gebied": "binnenland",
            "woonplaats": "Voorbeeldstad",
            "straat": "Voorbeeldstraat",
            "postcode": "1234AB",
            "huisnummer": "1",
        }
    ],
    "relaties": [{"persoon": {"naam": {"geslachtsnaam": "Voorbeeld", "voornamen": "Sam"}}, "omschrijving": "moeder"}],
    "aanvullendeInformatie": "Fictief: zwanger.",
}
CHILD: dict[str, Any] = {
    "rol": {"tekst": "jeugdige"},
    "naam": {"voornamen": "Sam", "geslachtsnaam": "Voorbeeld"},
    "geslacht": "O",
    "geboortedatum": {"tekst": "20150301", "indicatie": "V"},
    "geenWaardeReden": {"bsn": "waardeOnbekend"},
}
REPORT: dict[str, Any] = {
    "bericht": {
        "functie": "vtMeldingDi01",
        "referentienummer": "c0ffee00-0000-4000-8000-000000000001",
        "tijdstip": "2026-01-15T09:30:00Z",
        "tijdstipRuw": "20260115103000",
        "zender": {"oin": POLICE_OIN, "applicatie": "CORV"},
        "ontvanger": {"oin": VEILIG_THUIS_OIN, "applicatie": "VTINTAKE"},
    },
    "melding": {
        "kenmerk": "PL9999-2026000001-1",
        "datum": {"tekst": "20260115", "indicatie": "V"},
        "agenderingGewenst": False,
        "contact": {"afdeling": "Basisteam Voorbeeld", "telefoonnummers": ["0900-0000"]},
        "informeringen": [
            {
                "persoon": {"bsn": "999993653", "naam": {"volledigeNaam": "Noor van den Voorbeeld"}},
                "wijze": "mondeling",
                "gereageerd": True,
                "strekkingReactie": "Fictief: begrijpt de melding.",
                "datum": {"tekst": "20260115", "indicatie": "V"},
            }
        ],
        "sash": {"ingevuld": True, "niveau": "matig"},
    },
    "incident": {
        "datum": {"tekst": "20260114", "indicatie": "V"},
        "locatie": "Voorbeeldstraat 1, Voorbeeldstad",
        "omschrijving": "Fictief voorbeeld.",
    },
    "situatie": {
        "omschrijving": "Fictief voorbeeld.",
        "relevanteRegistraties": ["Fictief: twee eerdere meldingen."],
        "tijdelijkHuisverbod": "Nee",
        "aanhouding": "Nee",
        "extra": [{"naam": "proef", "waarde": "fictief"}],
    },
    "betrokkenen": [MOTHER, CHILD],
    "indiener": {"naam": "Politie eenheid Voorbeeld", "instantiecode": "PL9999", "kvk": "99999999"},
}


def sample_json(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The sample as the JSON door takes it, with `changes` laid over it.

    A copy of its own for each caller. Objects are merged, lists replaced, and None takes a field away:
    `{"incident": {"locatie": None}, "bericht": {"referentienummer": "r-2"}}`.
    """
    return deepcopy(_merged(REPORT, changes or {}))


def sample_report(changes: Mapping[str, Any] | None = None) -> ReportMessage:
    """The sample as a message, with `changes` as for `sample_json`."""
    return ReportMessage.from_json(sample_json(changes))


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for name, change in changes.items():
        if change is None:
            result.pop(name, None)
        elif isinstance(change, Mapping) and isinstance(result.get(name), Mapping):
            result[name] = _merged(result[name], change)
        else:
            result[name] = change
    return result
