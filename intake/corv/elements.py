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


def leaf(
    prefix: str,
    name: str,
    kind: Kind,
    path: str,
    reason: str = "",
    many: bool = False,
    nillable: bool = True,
    required: bool = False,
) -> Element:
    """An element with a value of its own; its reason for having none is kept under `reason`."""
    place = tuple(path.split("."))
    return Element(prefix, name, kind, place, reason, None, many, many, nillable, required)


def group(prefix: str, name: str, path: str, reason: str, children: Shape, many: bool = False) -> Element:
    """An element whose children fill a part (or, with `many`, a list of parts) of their own."""
    return Element(prefix, name, "group", tuple(path.split(".")), reason, children, many=many, listed=many)


def inside(prefix: str, name: str, path: str, reason: str, children: Shape, required: bool = True) -> Element:
    """An element that only holds others: its children fill the part that it stands in."""
    place = (*(path.split(".") if path else ()), "")
    return Element(prefix, name, "inside", place, reason, children, required=required)


def extra(path: str = "extra") -> Element:
    """The extraElementen of this place."""
    return Element("StUF", "extraElementen", "extra", tuple(path.split(".")), "extra", listed=True)


def _address(name: str, kind: str, area: str) -> Element:
    reason = f"adres{kind.capitalize()}{area.capitalize()}"
    preset = {"kind": kind, "area": area}
    shape = ABROAD if area == "buitenland" else AT_HOME
    return Element("BG", name, "group", ("addresses",), reason, shape, listed=True, preset=preset)


_SYSTEM = Shape(
    "",
    (
        leaf("StUF", "organisatie", "code", "oin", "oin", nillable=False, required=True),
        leaf("StUF", "applicatie", "code", "application", "applicatie", nillable=False, required=True),
        leaf("StUF", "administratie", "code", "administration", "administratie", nillable=False),
        leaf("StUF", "gebruiker", "code", "user", "gebruiker", nillable=False),
    ),
)

HEADER = Shape(
    "",
    (
        leaf("StUF", "berichtcode", "code", "message_code", "berichtcode", nillable=False),
        group("StUF", "zender", "sender", "zender", _SYSTEM),
        group("StUF", "ontvanger", "receiver", "ontvanger", _SYSTEM),
        leaf("StUF", "referentienummer", "code", "reference", "referentienummer", nillable=False),
        leaf("StUF", "tijdstipBericht", "code", "sent_at_raw", "tijdstip", nillable=False),
        leaf("StUF", "crossRefnummer", "code", "cross_reference", "crossReferentienummer", nillable=False),
        leaf("StUF", "functie", "code", "function", "functie", nillable=False),
    ),
)

CONTACT = Shape(
    "",
    (
        leaf("JZ", "naamContactpersoon", "text", "name", "naam", nillable=False),
        leaf("JZ", "afdeling", "text", "department", "afdeling"),
        leaf("JZ", "eMail", "code", "emails", "emails", many=True),
        leaf("JZ", "telefoonnummer", "code", "phones", "telefoonnummers", many=True),
    ),
)

AT_HOME = Shape(
    "",
    (
        leaf("BG", "wpl.woonplaatsNaam", "text", "town", "woonplaats", required=True),
        leaf("BG", "gor.openbareRuimteNaam", "text", "street", "straat", required=True),
        leaf("BG", "aoa.postcode", "code", "postcode", "postcode"),
        leaf("BG", "aoa.huisnummer", "code", "house_number", "huisnummer", required=True),
        leaf("BG", "aoa.huisletter", "code", "house_letter", "huisletter"),
        leaf("BG", "aoa.huisnummertoevoeging", "code", "house_addition", "toevoeging"),
    ),
)

ABROAD = Shape(
    "",
    (
        leaf("BG", "lnd.landcode", "code", "country_code", "landcode", required=True),
        leaf("BG", "sub.adresBuitenland1", "text", "line_1", "regel1"),
        leaf("BG", "sub.adresBuitenland2", "text", "line_2", "regel2"),
        leaf("BG", "sub.adresBuitenland3", "text", "line_3", "regel3"),
    ),
)

_BSN_AND_NAMES = (
    leaf("BG", "inp.bsn", "code", "bsn", "bsn"),
    leaf("BG", "geslachtsnaam", "text", "name.surname", "geslachtsnaam"),
    leaf("BG", "voorvoegselGeslachtsnaam", "text", "name.prefix", "voorvoegsel"),
    leaf("BG", "voornamen", "text", "name.given_names", "voornamen"),
)

MENTIONED = Shape(
    "NPS",
    (
        *_BSN_AND_NAMES,
        extra(),
        leaf("BG", "vreemdelingennummer", "code", "foreigner_number", "vreemdelingennummer"),
        leaf("BG", "rni", "text", "rni", "rni"),
        leaf("BG", "volledigeNaam", "text", "name.full_name", "volledigeNaam", nillable=False),
    ),
)

RELATION = Shape(
    "NPSNPSSIR",
    (
        group("BG", "gerelateerde", "person", "persoon", MENTIONED),
        leaf("BG", "omschrijvingSocialeRelatie", "text", "description", "omschrijving", required=True),
        extra(),
    ),
)

PERSON = Shape(
    "NPS",
    (
        *_BSN_AND_NAMES,
        leaf("BG", "geslachtsaanduiding", "code", "sex", "geslacht", required=True),
        leaf("BG", "geboortedatum", "date", "birth_date", "geboortedatum"),
        extra(),
        leaf("BG", "vreemdelingennummer", "code", "foreigner_number", "vreemdelingennummer"),
        leaf("BG", "rni", "text", "rni", "rni"),
        leaf("BG", "telefoonnummer", "code", "phones", "telefoonnummers", many=True, nillable=False),
        leaf("BG", "nationaliteit", "text", "nationality", "nationaliteit"),
        leaf("BG", "taal", "text", "language", "taal"),
        _address("formeelVerblijfsadresBuitenland", "formeel", "buitenland"),
        _address("formeelVerblijfadresBinnenland", "formeel", "binnenland"),
        _address("feitelijkVerblijfsadresBuitenland", "feitelijk", "buitenland"),
        _address("feitelijkVerblijfsadresBinnenland", "feitelijk", "binnenland"),
        group("BG", "staatInRelatieTot", "relations", "relaties", RELATION, many=True),
    ),
)

INVOLVED = Shape(
    "ZOSNPS",
    (
        inside("JZ", "gerelateerde", "", "persoon", PERSON),
        leaf("JZ", "jeugzorgrol", "text", "role.text", "tekst", required=True),
        leaf(
            "JZ",
            "aanvullendeInformatieBetrokkenPersoon",
            "text",
            "additional_information",
            "aanvullendeInformatie",
        ),
        leaf("JZ", "overigeZorgMinderjarige", "text", "other_concern_minor", "overigeZorgMinderjarige"),
        extra("extra_of_link"),
    ),
)

SITUATION = Shape(
    "ZOS",
    (
        leaf("JZ", "omschrijvingZorgelijkeSituatie", "text", "situation.description", "omschrijving", required=True),
        leaf("JZ", "relevanteRegistratie", "text", "situation.registrations", "relevanteRegistraties", many=True),
        leaf("JZ", "aanvullendeInformatie", "text", "situation.additional_information", "aanvullendeInformatie"),
        leaf("JZ", "bestaandeHulpverlening", "text", "situation.existing_help", "bestaandeHulpverlening"),
        leaf("JZ", "tijdelijkHuisverbod", "text", "situation.restraining_order", "tijdelijkHuisverbod"),
        leaf("JZ", "aanhouding", "text", "situation.arrest", "aanhouding"),
        leaf("JZ", "aangifte", "text", "situation.criminal_complaint", "aangifte"),
        leaf("JZ", "eergerelateerdGeweld", "text", "situation.honour_related_violence", "eergerelateerdGeweld"),
        extra("situation.extra"),
        group("JZ", "heeftBetrokken", "persons", "betrokkenen", INVOLVED, many=True),
    ),
)

INFORMING = Shape(
    "VTMNPS",
    (
        group("JZ", "gerelateerde", "person", "persoon", MENTIONED),
        leaf("JZ", "wijzeVanInformering", "code", "way", "wijze"),
        leaf("JZ", "indicatieGereageerd", "yesno", "responded", "gereageerd", required=True),
        leaf("JZ", "strekkingReactie", "text", "response", "strekkingReactie"),
        leaf("JZ", "datumGeinformeerd", "date", "date", "datum"),
        extra(),
    ),
)

_BRANCH = Shape("VES", (leaf("BG", "vestigingsNummer", "code", "submitter.branch_number", "vestiging"),))
_REGISTERED = Shape("NNPINN", (leaf("BG", "rsin", "code", "submitter.rsin", "rsin", nillable=False),))
_COMPANY = Shape("MAC", (leaf("BG", "kvkNummer", "code", "submitter.chamber_of_commerce_number", "kvk"),))

SUBMITTER = Shape(
    "BTR",
    (
        inside("ZKN", "vestiging", "submitter", "filiaal", _BRANCH, required=False),
        leaf("ZKN", "naam", "text", "submitter.name", "naam"),
        leaf("ZKN", "instantiecode", "code", "submitter.institution_code", "instantiecode"),
        inside(
            "ZKN",
            "ingeschrevenNietNatuurlijkPersoon",
            "submitter",
            "ingeschreven",
            _REGISTERED,
            required=False,
        ),
        inside("ZKN", "maatschappelijkeActiviteit", "submitter", "onderneming", _COMPANY, required=False),
    ),
)

OBJECT = Shape(
    "VTM",
    (
        leaf("JZ", "identificatieVtMelding", "code", "report.reference", "kenmerk"),
        leaf("JZ", "datumMelding", "date", "report.date", "datum", required=True),
        leaf("JZ", "datumIncident", "date", "incident.date", "datum", required=True),
        leaf("JZ", "locatieIncident", "text", "incident.place", "locatie", required=True),
        leaf("JZ", "omschrijvingIncident", "text", "incident.description", "omschrijving", required=True),
        leaf(
            "JZ",
            "indicatieAgenderingAfstemmingsoverlegGewenst",
            "yesno",
            "report.consultation_wanted",
            "agenderingGewenst",
            required=True,
        ),
        group("JZ", "contactgegevensVerdiepingOpInfo", "report.contact", "contact", CONTACT),
        leaf("JZ", "informering", "text", "report.informing", "informering", nillable=False),
        leaf("JZ", "indicatieSASHIngevuld", "yesno", "report.sash.filled_in", "ingevuld", nillable=False),
        leaf("JZ", "SASHniveau", "code", "report.sash.level", "niveau", nillable=False),
        extra("extra"),
        inside(
            "JZ",
            "betreft",
            "situation",
            "koppeling",
            Shape(
                "VTMZOS",
                (
                    inside("JZ", "gerelateerde", "situation", "situatie", SITUATION),
                    extra("situation.extra_of_link"),
                ),
            ),
        ),
        group("JZ", "isGeinformeerdAan", "report.informings", "informeringen", INFORMING, many=True),
        inside(
            "JZ",
            "isIngediendDoor",
            "submitter",
            "koppeling",
            Shape(
                "VTMBTR",
                (inside("JZ", "gerelateerde", "submitter", "indiener", SUBMITTER), extra("submitter.extra")),
            ),
        ),
    ),
)
