"""The vtMeldingDi01 as one table in the order of the standard: which element fills which field (standards.md 1.4).

`parse` reads by this table and `write` writes by it, so the two cannot drift apart. Names are spelled as the standard
misspells them (`jeugzorgrol`, `formeelVerblijfadresBinnenland`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

NAMESPACES = {
    "JZ": "http://www.stufstandaarden.nl/koppelvlak/jz0100",
    "StUF": "http://www.egem.nl/StUF/StUF0301",
    "BG": "http://www.egem.nl/StUF/sector/bg/0310",
    "ZKN": "http://www.egem.nl/StUF/sector/zkn/0310",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
MESSAGE = "vtMeldingDi01"

# Senders mix up the namespaces of the standard, or leave them out; the name is what counts (standards.md 10.7).
_ACCEPTED = ("", *("{" + NAMESPACES[prefix] + "}" for prefix in ("JZ", "StUF", "BG", "ZKN")))

Kind = Literal["text", "code", "yesno", "date", "extra", "group", "inside"]


def tags_of(name: str) -> tuple[str, ...]:
    """All spellings of an element name that are taken, as lxml writes them."""
    return tuple(namespace + name for namespace in _ACCEPTED)


@dataclass(frozen=True, slots=True)
class Element:
    """One element: `path` is where its value goes in the message; `inside` elements pass their children through."""

    prefix: str
    name: str
    kind: Kind
    path: tuple[str, ...] = ()
    reason: str = ""
    children: Shape | None = None
    many: bool = False
    listed: bool = False
    nillable: bool = True
    required: bool = False
    preset: Mapping[str, str] = field(default_factory=dict)

    @property
    def reason_path(self) -> tuple[str, ...]:
        """Where a noValue reason of this element is kept: with its neighbours, under its JSON name."""
        return (*self.path[:-1], "reasons")


@dataclass(frozen=True, slots=True)
class Shape:
    """The children of an element, in the order of the XSD, and its StUF:entiteittype."""

    entity: str
    elements: tuple[Element, ...]
    by_tag: dict[str, Element] = field(init=False)

    def __post_init__(self) -> None:
        tags = {tag: element for element in self.elements for tag in tags_of(element.name)}
        object.__setattr__(self, "by_tag", tags)


def _leaf(
    prefix: str,
    name: str,
    kind: Kind,
    path: str,
    reason: str,
    many: bool = False,
    nillable: bool = True,
    required: bool = False,
) -> Element:
    place = tuple(path.split("."))
    return Element(prefix, name, kind, place, reason, None, many, many, nillable, required)


def _group(prefix: str, name: str, path: str, reason: str, children: Shape, many: bool = False) -> Element:
    return Element(prefix, name, "group", tuple(path.split(".")), reason, children, many=many, listed=many)


def _inside(prefix: str, name: str, path: str, reason: str, children: Shape, required: bool = True) -> Element:
    place = (*(path.split(".") if path else ()), "")
    return Element(prefix, name, "inside", place, reason, children, required=required)


def _extra(path: str = "extra") -> Element:
    return Element("StUF", "extraElementen", "extra", tuple(path.split(".")), "extra", listed=True)


def _address(name: str, kind: str, area: str) -> Element:
    reason = f"adres{kind.capitalize()}{area.capitalize()}"
    preset = {"kind": kind, "area": area}
    shape = ABROAD if area == "buitenland" else AT_HOME
    return Element("BG", name, "group", ("addresses",), reason, shape, listed=True, preset=preset)


_SYSTEM = Shape(
    "",
    (
        _leaf("StUF", "organisatie", "code", "oin", "oin", nillable=False, required=True),
        _leaf("StUF", "applicatie", "code", "application", "applicatie", nillable=False, required=True),
        _leaf("StUF", "administratie", "code", "administration", "administratie", nillable=False),
        _leaf("StUF", "gebruiker", "code", "user", "gebruiker", nillable=False),
    ),
)

HEADER = Shape(
    "",
    (
        _leaf("StUF", "berichtcode", "code", "message_code", "berichtcode", nillable=False),
        _group("StUF", "zender", "sender", "zender", _SYSTEM),
        _group("StUF", "ontvanger", "receiver", "ontvanger", _SYSTEM),
        _leaf("StUF", "referentienummer", "code", "reference", "referentienummer", nillable=False),
        _leaf("StUF", "tijdstipBericht", "code", "sent_at_raw", "tijdstip", nillable=False),
        _leaf("StUF", "crossRefnummer", "code", "cross_reference", "crossReferentienummer", nillable=False),
        _leaf("StUF", "functie", "code", "function", "functie", nillable=False),
    ),
)

CONTACT = Shape(
    "",
    (
        _leaf("JZ", "naamContactpersoon", "text", "name", "naam", nillable=False),
        _leaf("JZ", "afdeling", "text", "department", "afdeling"),
        _leaf("JZ", "eMail", "code", "emails", "emails", many=True),
        _leaf("JZ", "telefoonnummer", "code", "phones", "telefoonnummers", many=True),
    ),
)

AT_HOME = Shape(
    "",
    (
        _leaf("BG", "wpl.woonplaatsNaam", "text", "town", "woonplaats", required=True),
        _leaf("BG", "gor.openbareRuimteNaam", "text", "street", "straat", required=True),
        _leaf("BG", "aoa.postcode", "code", "postcode", "postcode"),
        _leaf("BG", "aoa.huisnummer", "code", "house_number", "huisnummer", required=True),
        _leaf("BG", "aoa.huisletter", "code", "house_letter", "huisletter"),
        _leaf("BG", "aoa.huisnummertoevoeging", "code", "house_addition", "toevoeging"),
    ),
)

ABROAD = Shape(
    "",
    (
        _leaf("BG", "lnd.landcode", "code", "country_code", "landcode", required=True),
        _leaf("BG", "sub.adresBuitenland1", "text", "line_1", "regel1"),
        _leaf("BG", "sub.adresBuitenland2", "text", "line_2", "regel2"),
        _leaf("BG", "sub.adresBuitenland3", "text", "line_3", "regel3"),
    ),
)

_BSN_AND_NAMES = (
    _leaf("BG", "inp.bsn", "code", "bsn", "bsn"),
    _leaf("BG", "geslachtsnaam", "text", "name.surname", "geslachtsnaam"),
    _leaf("BG", "voorvoegselGeslachtsnaam", "text", "name.prefix", "voorvoegsel"),
    _leaf("BG", "voornamen", "text", "name.given_names", "voornamen"),
)

MENTIONED = Shape(
    "NPS",
    (
        *_BSN_AND_NAMES,
        _extra(),
        _leaf("BG", "vreemdelingennummer", "code", "foreigner_number", "vreemdelingennummer"),
        _leaf("BG", "rni", "text", "rni", "rni"),
        _leaf("BG", "volledigeNaam", "text", "name.full_name", "volledigeNaam", nillable=False),
    ),
)

RELATION = Shape(
    "NPSNPSSIR",
    (
        _group("BG", "gerelateerde", "person", "persoon", MENTIONED),
        _leaf("BG", "omschrijvingSocialeRelatie", "text", "description", "omschrijving", required=True),
        _extra(),
    ),
)

PERSON = Shape(
    "NPS",
    (
        *_BSN_AND_NAMES,
        _leaf("BG", "geslachtsaanduiding", "code", "sex", "geslacht", required=True),
        _leaf("BG", "geboortedatum", "date", "birth_date", "geboortedatum"),
        _extra(),
        _leaf("BG", "vreemdelingennummer", "code", "foreigner_number", "vreemdelingennummer"),
        _leaf("BG", "rni", "text", "rni", "rni"),
        _leaf("BG", "telefoonnummer", "code", "phones", "telefoonnummers", many=True, nillable=False),
        _leaf("BG", "nationaliteit", "text", "nationality", "nationaliteit"),
        _leaf("BG", "taal", "text", "language", "taal"),
        _address("formeelVerblijfsadresBuitenland", "formeel", "buitenland"),
        _address("formeelVerblijfadresBinnenland", "formeel", "binnenland"),
        _address("feitelijkVerblijfsadresBuitenland", "feitelijk", "buitenland"),
        _address("feitelijkVerblijfsadresBinnenland", "feitelijk", "binnenland"),
        _group("BG", "staatInRelatieTot", "relations", "relaties", RELATION, many=True),
    ),
)

INVOLVED = Shape(
    "ZOSNPS",
    (
        _inside("JZ", "gerelateerde", "", "persoon", PERSON),
        _leaf("JZ", "jeugzorgrol", "text", "role.text", "tekst", required=True),
        _leaf(
            "JZ",
            "aanvullendeInformatieBetrokkenPersoon",
            "text",
            "additional_information",
            "aanvullendeInformatie",
        ),
        _leaf("JZ", "overigeZorgMinderjarige", "text", "other_concern_minor", "overigeZorgMinderjarige"),
        _extra("extra_of_link"),
    ),
)

SITUATION = Shape(
    "ZOS",
    (
        _leaf("JZ", "omschrijvingZorgelijkeSituatie", "text", "situation.description", "omschrijving", required=True),
        _leaf("JZ", "relevanteRegistratie", "text", "situation.registrations", "relevanteRegistraties", many=True),
        _leaf("JZ", "aanvullendeInformatie", "text", "situation.additional_information", "aanvullendeInformatie"),
        _leaf("JZ", "bestaandeHulpverlening", "text", "situation.existing_help", "bestaandeHulpverlening"),
        _leaf("JZ", "tijdelijkHuisverbod", "text", "situation.restraining_order", "tijdelijkHuisverbod"),
        _leaf("JZ", "aanhouding", "text", "situation.arrest", "aanhouding"),
        _leaf("JZ", "aangifte", "text", "situation.criminal_complaint", "aangifte"),
        _leaf("JZ", "eergerelateerdGeweld", "text", "situation.honour_related_violence", "eergerelateerdGeweld"),
        _extra("situation.extra"),
        _group("JZ", "heeftBetrokken", "persons", "betrokkenen", INVOLVED, many=True),
    ),
)

INFORMING = Shape(
    "VTMNPS",
    (
        _group("JZ", "gerelateerde", "person", "persoon", MENTIONED),
        _leaf("JZ", "wijzeVanInformering", "code", "way", "wijze"),
        _leaf("JZ", "indicatieGereageerd", "yesno", "responded", "gereageerd", required=True),
        _leaf("JZ", "strekkingReactie", "text", "response", "strekkingReactie"),
        _leaf("JZ", "datumGeinformeerd", "date", "date", "datum"),
        _extra(),
    ),
)

_BRANCH = Shape("VES", (_leaf("BG", "vestigingsNummer", "code", "submitter.branch_number", "vestiging"),))
_REGISTERED = Shape("NNPINN", (_leaf("BG", "rsin", "code", "submitter.rsin", "rsin", nillable=False),))
_COMPANY = Shape("MAC", (_leaf("BG", "kvkNummer", "code", "submitter.chamber_of_commerce_number", "kvk"),))

SUBMITTER = Shape(
    "BTR",
    (
        _inside("ZKN", "vestiging", "submitter", "filiaal", _BRANCH, required=False),
        _leaf("ZKN", "naam", "text", "submitter.name", "naam"),
        _leaf("ZKN", "instantiecode", "code", "submitter.institution_code", "instantiecode"),
        _inside(
            "ZKN",
            "ingeschrevenNietNatuurlijkPersoon",
            "submitter",
            "ingeschreven",
            _REGISTERED,
            required=False,
        ),
        _inside("ZKN", "maatschappelijkeActiviteit", "submitter", "onderneming", _COMPANY, required=False),
    ),
)

OBJECT = Shape(
    "VTM",
    (
        _leaf("JZ", "identificatieVtMelding", "code", "report.reference", "kenmerk"),
        _leaf("JZ", "datumMelding", "date", "report.date", "datum", required=True),
        _leaf("JZ", "datumIncident", "date", "incident.date", "datum", required=True),
        _leaf("JZ", "locatieIncident", "text", "incident.place", "locatie", required=True),
        _leaf("JZ", "omschrijvingIncident", "text", "incident.description", "omschrijving", required=True),
        _leaf(
            "JZ",
            "indicatieAgenderingAfstemmingsoverlegGewenst",
            "yesno",
            "report.consultation_wanted",
            "agenderingGewenst",
            required=True,
        ),
        _group("JZ", "contactgegevensVerdiepingOpInfo", "report.contact", "contact", CONTACT),
        _leaf("JZ", "informering", "text", "report.informing", "informering", nillable=False),
        _leaf("JZ", "indicatieSASHIngevuld", "yesno", "report.sash.filled_in", "ingevuld", nillable=False),
        _leaf("JZ", "SASHniveau", "code", "report.sash.level", "niveau", nillable=False),
        _extra("extra"),
        _inside(
            "JZ",
            "betreft",
            "situation",
            "koppeling",
            Shape(
                "VTMZOS",
                (
                    _inside("JZ", "gerelateerde", "situation", "situatie", SITUATION),
                    _extra("situation.extra_of_link"),
                ),
            ),
        ),
        _group("JZ", "isGeinformeerdAan", "report.informings", "informeringen", INFORMING, many=True),
        _inside(
            "JZ",
            "isIngediendDoor",
            "submitter",
            "koppeling",
            Shape(
                "VTMBTR",
                (_inside("JZ", "gerelateerde", "submitter", "indiener", SUBMITTER), _extra("submitter.extra")),
            ),
        ),
    ),
)
