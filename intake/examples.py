"""The test set of a supplier: invented messages, right and wrong, each with the answer that must come.

Made from the sample, for the OINs of who asks. Nobody in them exists. The tests send each through the door and, where
the official XSD is there, hold the right StUF messages against it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from intake.corv.write import write_report
from intake.message import ReportMessage
from intake.sample import CHILD, MOTHER, POLICE_OIN, VEILIG_THUIS_OIN, sample_json

Door = Literal["json", "stuf"]
Outcome = Literal["melding", "quarantaine", "geweigerd"]
MEDIA_TYPES: dict[Door, str] = {"json": "application/json", "stuf": "text/xml"}
PATHS: dict[Door, str] = {"json": "/api/v1/meldingen", "stuf": "/api/v1/corv/berichten"}
ANOTHER_OIN = "00000099000000009999"


@dataclass(frozen=True, slots=True)
class Example:
    """One message: `status` and `code` of the answer, `paths` of the errors, `warnings` that come with it."""

    name: str
    title: str
    door: Door
    body: bytes
    status: int
    outcome: Outcome
    code: str = ""
    paths: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Its name as a file."""
        return f"{self.name}.{'json' if self.door == 'json' else 'xml'}"


def examples(sender: str = POLICE_OIN, receiver: str = VEILIG_THUIS_OIN) -> tuple[Example, ...]:
    """The whole set, from the sender with this OIN to the region with that one."""
    parts = (_right_json, _right_stuf, _wrong_json, _wrong_stuf)
    return tuple(one for part in parts for one in part(sender, receiver))


# What is of the police only, and no part of a report by somebody else.
_NOT_POLICE: dict[str, Any] = {
    "melding": {"sash": {"ingevuld": False, "niveau": None}, "informeringen": None, "agenderingGewenst": False},
    "incident": {"locatie": "Op school, in het lokaal"},
    "situatie": {
        "relevanteRegistraties": None,
        "tijdelijkHuisverbod": None,
        "aanhouding": None,
        "extra": None,
    },
}
_CODE: dict[str, Any] = {
    "stap": "5",
    "kindcheck": "ja",
    "overleg": "Verzonnen voorbeeld: besproken met de aandachtsfunctionaris en met Veilig Thuis.",
    "afweging": {
        "vermoeden": "ja",
        "onveilig": "ja",
        "hulpMogelijk": "nee",
        "hulpAanvaard": "nee",
        "resultaat": "nee",
    },
    "besluit": "Verzonnen voorbeeld: melden, en zelf betrokken blijven.",
}


def _intake(capacity: str, **more: Any) -> dict[str, Any]:
    return {
        "wijze": "koppeling",
        "hoedanigheid": capacity,
        "aanleidingen": ["08"],
        "aard": ["03"],
        "sinds": "Verzonnen voorbeeld: sinds de zomer.",
        "nuVeilig": "onbekend",
        "kinderen": "ja",
        "gezinGeinformeerd": "ja",
        "blijftHelpen": "Verzonnen voorbeeld: de mentor spreekt het kind elke week.",
        "terugkoppelingGewenst": True,
        "meldcode": _CODE,
        **more,
    }


def _professional(name: str, capacity: str, what: str, organisation: str, **more: Any) -> dict[str, Any]:
    """Laid over the sample: a report by somebody with a reporting code."""
    return _NOT_POLICE | {
        "bericht": {"referentienummer": f"voorbeeld-{name}", "tijdstipRuw": None},
        "melding": _NOT_POLICE["melding"]
        | {"kenmerk": f"VOORBEELD-{name.upper()}", "contact": {"functie": "aandachtsfunctionaris"}},
        "incident": _NOT_POLICE["incident"] | {"omschrijving": f"Verzonnen voorbeeld. {what}"},
        "aanmelding": _intake(capacity, **more),
        "indiener": {"naam": organisation, "instantiecode": None},
    }


SCHOOL = _professional("school", "15", "Het kind vertelde de juf dat het thuis bang is.", "Basisschool Voorbeeld")
HEALTH = _professional(
    "zorg",
    "02",
    "Bij het onderzoek zag de huisarts blauwe plekken die niet bij het verhaal passen.",
    "Huisartsenpraktijk Voorbeeld",
    gezinGeinformeerd="nee",
    waaromNiet="Verzonnen voorbeeld: dat was nu niet veilig voor moeder.",
)
CHILDCARE = _professional(
    "kinderopvang",
    "18",
    "Het kind wordt steeds later opgehaald en schrikt van harde stemmen.",
    "Kinderopvang Voorbeeld",
)
POLICE: dict[str, Any] = {
    "bericht": {"referentienummer": "voorbeeld-politie"},
    "melding": {"kenmerk": "PL9999-2026000002-1"},
    "incident": {"omschrijving": "Verzonnen voorbeeld. Buren hoorden geschreeuw en belden de politie."},
}
HALT: dict[str, Any] = {
    "bericht": {"referentienummer": "voorbeeld-halt"},
    "melding": {
        "kenmerk": "HALT-2026000001",
        "sash": {"ingevuld": False, "niveau": None},
        "contact": {"afdeling": "Halt Voorbeeldstad", "telefoonnummers": ["088-0000000"]},
    },
    "incident": {
        "omschrijving": "Verzonnen voorbeeld. In het gesprek vertelde de jongere dat hij thuis geslagen wordt."
    },
    "indiener": {"naam": "Halt Voorbeeld", "instantiecode": "HALT01"},
}


def _json(sender: str, receiver: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    made = sample_json(changes)
    made["bericht"]["zender"]["oin"] = sender
    made["bericht"]["ontvanger"]["oin"] = receiver
    return made


def _bytes(made: Mapping[str, Any]) -> bytes:
    return (json.dumps(made, ensure_ascii=False, indent=2) + "\n").encode()


def _stuf(sender: str, receiver: str, changes: Mapping[str, Any]) -> bytes:
    return write_report(ReportMessage.from_json(_json(sender, receiver, changes)))


def _right_json(sender: str, receiver: str) -> tuple[Example, ...]:
    return tuple(
        Example(name, title, "json", _bytes(_json(sender, receiver, changes)), 202, "melding", warnings=warnings)
        for name, title, changes, warnings in (
            ("school", "Een school meldt na de vijf stappen van de meldcode", SCHOOL, ()),
            ("zorg", "Een huisarts meldt; het gezin weet het nog niet", HEALTH, ()),
            ("kinderopvang", "Een kinderopvang meldt", CHILDCARE, ()),
            (
                "opmerkingen",
                "Wordt aangenomen met opmerkingen: een fout BSN en een rol die niet op de lijst staat",
                SCHOOL
                | {
                    "bericht": {"referentienummer": "voorbeeld-opmerkingen", "tijdstipRuw": None},
                    "betrokkenen": [MOTHER | {"bsn": "999993654", "rol": {"tekst": "moeder"}}, CHILD],
                },
                ("VT-W101", "VT-W105"),
            ),
        )
    )


def _right_stuf(sender: str, receiver: str) -> tuple[Example, ...]:
    return tuple(
        Example(name, title, "stuf", _stuf(sender, receiver, changes), 200, "melding")
        for name, title, changes in (
            ("politie", "Zorgmelding van de politie (vtMeldingDi01)", POLICE),
            ("halt", "Zorgmelding van Halt (vtMeldingDi01)", HALT),
        )
    )


def _wrong_json(sender: str, receiver: str) -> tuple[Example, ...]:
    def wrong(name: str, title: str, changes: Mapping[str, Any], *paths: str) -> Example:
        made = _json(sender, receiver, _merged_reference(name, changes))
        return Example(name, title, "json", _bytes(made), 400, "geweigerd", "VT-E055", paths)

    def elsewhere(name: str, title: str, made: Mapping[str, Any], status: int, code: str, path: str) -> Example:
        return Example(name, title, "json", _bytes(made), status, "geweigerd", code, (path,))

    return (
        wrong("fout-geen-kenmerk", "Het kenmerk ontbreekt", {"melding": {"kenmerk": None}}, "$.melding.kenmerk"),
        wrong("fout-niemand", "Er is geen betrokkene", {"betrokkenen": []}, "$.betrokkenen"),
        wrong(
            "fout-twee-dingen",
            "Een datum die niet bestaat en een gegeven dat wij niet kennen: alle fouten komen tegelijk",
            {"melding": {"datum": "2026-02-30"}, "onbekendVeld": 1},
            "$.melding.datum",
            "$.onbekendVeld",
        ),
        Example("fout-geen-json", "Geen leesbare JSON", "json", b'{"bericht": ', 400, "geweigerd", "VT-E055", ("$",)),
        elsewhere(
            "fout-andere-zender",
            "De OIN van een andere zender",
            _json(ANOTHER_OIN, receiver, _merged_reference("fout-andere-zender", {})),
            403,
            "VT-E052",
            "$.bericht.zender.oin",
        ),
        elsewhere(
            "fout-andere-regio",
            "Voor een regio die hier niet is",
            _json(sender, ANOTHER_OIN, _merged_reference("fout-andere-regio", {})),
            400,
            "VT-E010",
            "$.bericht.ontvanger.oin",
        ),
    )


def _merged_reference(name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {**SCHOOL, **changes, "bericht": {"referentienummer": f"voorbeeld-{name}", "tijdstipRuw": None}}


def _wrong_stuf(sender: str, receiver: str) -> tuple[Example, ...]:
    police = _stuf(sender, receiver, POLICE)
    doctype = police.replace(b"?>", b'?>\n<!DOCTYPE melding [<!ENTITY x "y">]>', 1)
    rows: tuple[tuple[str, str, bytes, int, Outcome, str], ...] = (
        (
            "fout-stuf-niemand",
            "Zonder betrokkene: bevestigd met Bv03, daarna in quarantaine",
            police.replace(b"heeftBetrokken", b"heeftVergeten"),
            200,
            "quarantaine",
            "VT-E055",
        ),
        ("fout-stuf-doctype", "Met een DOCTYPE: Fo03", doctype, 400, "quarantaine", "VT-E055"),
        (
            "fout-stuf-functie",
            "Een andere functie: Fo03",
            police.replace(b"vtMeldingDi01</", b"ietsAndersDi01</", 1),
            400,
            "quarantaine",
            "VT-E040",
        ),
        (
            "fout-stuf-andere-regio",
            "Voor een regio die hier niet is: Fo03",
            _stuf(sender, ANOTHER_OIN, POLICE),
            400,
            "geweigerd",
            "VT-E010",
        ),
    )
    return tuple(
        Example(name, title, "stuf", body, status, outcome, code) for name, title, body, status, outcome, code in rows
    )
