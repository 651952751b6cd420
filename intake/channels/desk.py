"""A call at the desk or by phone as a message: the same that a feed sends. Pure; what is empty is not sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from intake.channels.desk_form import PERSON, Fields, filled_persons, is_own, said, stuf, ticked
from intake.codelists import codelists
from intake.input_errors import InputError

OWN_CAPACITY = "14"
"""The capacity of a report that Veilig Thuis makes itself (ambtshalve)."""
HIDDEN_ADDRESS = "Geheim adres"
"""A sign by which receipt puts where this person is into the vault (intake/data/protected.toml)."""
_KINDS = {
    "politie": ("01",),
    "zorg": ("02", "03", "04", "05", "06", "07", "11"),
    "lokaal_team": ("08",),
    "jeugdhulp": ("09", "10"),
    "onderwijs": ("15",),
    "gemeente": ("16", "17"),
    "kinderopvang": ("18",),
}


def kind(fields: Fields) -> str:
    """What kind of reporter this is, for the queue and for the feedback that he gets."""
    code = said(fields, "hoedanigheid")
    if is_own(fields):
        return "anders"
    if any(one.code == code and one.group == "citizen" for one in codelists().capacities):
        return "burger"
    return next((name for name, codes in _KINDS.items() if code in codes), "anders")


def body(fields: Fields, today: date) -> dict[str, Any]:
    """The message as the JSON door takes it, of fields in which nothing is wrong; the header is not in it."""
    told = said(fields, "gezin_weet")
    intake = {
        "wijze": said(fields, "wijze"),
        "hoedanigheid": OWN_CAPACITY if is_own(fields) else said(fields, "hoedanigheid"),
        "aanleidingen": ticked(fields, "aanleiding"),
        "aard": ticked(fields, "aard"),
        "sinds": said(fields, "sinds"),
        "nuVeilig": said(fields, "nu_veilig"),
        "nuVeiligToelichting": said(fields, "nu_veilig_toelichting"),
        "kinderen": said(fields, "kinderen"),
        "kinderenToelichting": said(fields, "kinderen_toelichting"),
        "gezinGeinformeerd": told,
        "waaromNiet": said(fields, "waarom_niet") if told != "ja" else "",
        "blijftHelpen": said(fields, "blijft_helpen"),
        "terugkoppelingGewenst": None if is_own(fields) else said(fields, "terugkoppeling") == "ja",
        "nietTerugbellen": True if said(fields, "niet_terugbellen") == "ja" else None,
    }
    reason = said(fields, "ambtshalve_reden")
    return {
        "melding": {
            "datum": _date_json(str(today.day), str(today.month), str(today.year)),
            "agenderingGewenst": False,
            "sash": {"ingevuld": False},
            "contact": _contact(fields),
        },
        "incident": _kept(
            {
                "datum": _date_of(fields, "laatst"),
                "locatie": said(fields, "waar"),
                "omschrijving": said(fields, "wat"),
            }
        ),
        "situatie": _kept(
            {
                "omschrijving": said(fields, "zorg"),
                "aanvullendeInformatie": f"Ambtshalve melding van Veilig Thuis. {reason}" if is_own(fields) else "",
            }
        ),
        "betrokkenen": [_person(fields, row) for row in filled_persons(fields)],
        "aanmelding": _kept(intake),
        "indiener": _kept({"naam": said(fields, "melder_organisatie") if _organisation_is_open(fields) else ""}),
    }


def _organisation_is_open(fields: Fields) -> bool:
    """Whether the organisation may stand in the report: not of a citizen, and not of who must not be known."""
    return kind(fields) != "burger" and not is_own(fields) and said(fields, "melder_bekend") != "nee"


def _contact(fields: Fields) -> dict[str, Any]:
    """Who reports and how to reach him: this goes whole into his vault at receipt."""
    if is_own(fields):
        return {"naam": "Veilig Thuis", "functie": "ambtshalve melding"}
    known = {"ja": True, "nee": False}.get(said(fields, "melder_bekend"))
    found = {
        "naam": said(fields, "melder_naam"),
        "functie": said(fields, "melder_functie"),
        "afdeling": said(fields, "melder_organisatie"),
        "telefoonnummers": [one] if (one := said(fields, "melder_telefoon")) else None,
        "emails": [one] if (one := said(fields, "melder_email")) else None,
        "veiligBereikbaar": said(fields, "melder_veilig"),
        "magBekendWorden": known,
    }
    return _kept(found)


def _person(fields: Fields, row: int) -> dict[str, Any]:
    at = f"p{row}."
    name = {
        "voornamen": said(fields, f"{at}voornamen"),
        "voorvoegsel": said(fields, f"{at}voorvoegsel"),
        "geslachtsnaam": said(fields, f"{at}achternaam"),
    }
    address = said(fields, f"{at}adres")
    more = [said(fields, f"{at}bijzonder"), HIDDEN_ADDRESS if said(fields, f"{at}geheim") == "ja" else ""]
    return _kept(
        {
            "rol": {"tekst": said(fields, f"{at}rol")},
            "naam": _kept(name),
            "geslacht": said(fields, f"{at}geslacht"),
            "geboortedatum": _date_of(fields, f"{at}geboren"),
            "bsn": said(fields, f"{at}bsn"),
            "telefoonnummers": [one] if (one := said(fields, f"{at}telefoon")) else None,
            "adressen": [_address(fields, address)] if address else None,
            "aanvullendeInformatie": " ".join(one for one in more if one),
        }
    )


def _address(fields: Fields, row: str) -> dict[str, Any]:
    at = f"a{row}."
    return {"soort": "feitelijk", "gebied": "binnenland"} | _kept(
        {
            "straat": said(fields, f"{at}straat"),
            "huisnummer": said(fields, f"{at}huisnummer"),
            "toevoeging": said(fields, f"{at}toevoeging"),
            "postcode": said(fields, f"{at}postcode").replace(" ", "").upper(),
            "woonplaats": said(fields, f"{at}woonplaats"),
        }
    )


def _date_of(fields: Fields, name: str) -> dict[str, str] | None:
    day, month, year = (said(fields, f"{name}.{part}") for part in ("dag", "maand", "jaar"))
    return _date_json(day, month, year) if year else None


def _date_json(day: str, month: str, year: str) -> dict[str, str]:
    """A date as StUF writes it, with what is unknown (standards.md 3.1): V whole, D without day, M without month."""
    return {"tekst": stuf(day, month, year), "indicatie": "V" if day else "D" if month else "M"}


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what was filled in."""
    return {name: value for name, value in values.items() if value not in ("", None, [], {})}


# ── errors of the door, beside our own fields ───────────────────────────────────────────────────────────────

_PATHS: Mapping[str, str] = {
    "$.melding.contact": "melder_naam",
    "$.incident.datum": "laatst",
    "$.incident.locatie": "waar",
    "$.incident": "wat",
    "$.situatie": "zorg",
    "$.aanmelding.aanleidingen": "aanleiding",
    "$.aanmelding.aard": "aard",
    "$.aanmelding": "hoedanigheid",
    "$.indiener": "melder_organisatie",
}
_OF_PERSON = re.compile(r"\$\.betrokkenen\[(\d+)\]\.?(\w*)")
_PERSON_FIELDS = {
    "naam": "achternaam",
    "geboortedatum": "geboren",
    "telefoonnummers": "telefoon",
    "adressen": "adres",
}


def fields_of(errors: Iterable[InputError], fields: Fields) -> dict[str, str]:
    """The errors of the door (intake.input_errors) by the field of the form that they are about."""
    persons = filled_persons(fields)
    found: dict[str, str] = {}
    for error in errors:
        found.setdefault(_field_of(error.path, persons), error.text)
    return found


def _field_of(path: str, persons: list[int]) -> str:
    if (match := _OF_PERSON.match(path)) and int(match[1]) < len(persons):
        part = match[2]
        return f"p{persons[int(match[1])]}.{_PERSON_FIELDS.get(part, part if part in PERSON else 'achternaam')}"
    return next((name for start, name in _PATHS.items() if path.startswith(start)), "wat")
