"""A stored message as labelled lines, so that a person can read every element that came in.

Unknown is not empty: an element with a reason for having no value shows that reason, an element that was not sent
is named as such, and what the standard does not know is shown as it came.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.identity import Address, Bsn, PartialDate, Phone
from intake.message import (
    Envelope,
    Incident,
    Involved,
    Part,
    ReportPart,
    Situation,
    Submitter,
)
from web import wording

LABELS = {
    "aangifte": "Aangifte",
    "aanhouding": "Aanhouding",
    "aanvullendeInformatie": "Aanvullende informatie",
    "administratie": "Administratie",
    "adressen": "Adressen",
    "adresFeitelijkBinnenland": "Verblijfadres in Nederland",
    "adresFeitelijkBuitenland": "Verblijfadres in het buitenland",
    "adresFormeelBinnenland": "Ingeschreven adres in Nederland",
    "adresFormeelBuitenland": "Ingeschreven adres in het buitenland",
    "afdeling": "Afdeling",
    "agenderingGewenst": "Bespreken in afstemmingsoverleg gewenst",
    "applicatie": "Systeem",
    "bericht": "Bericht",
    "bestaandeHulpverlening": "Bestaande hulpverlening",
    "betrokkenen": "Betrokkenen",
    "bsn": "BSN",
    "code": "Code",
    "contact": "Contact voor vragen",
    "crossReferentienummer": "Verwijst naar bericht",
    "datum": "Datum",
    "eergerelateerdGeweld": "Eergerelateerd geweld",
    "emails": "E-mail",
    "extra": "Extra elementen van de afzender",
    "extraKoppeling": "Extra elementen bij de koppeling",
    "filiaal": "Filiaal",
    "functie": "Functie",
    "geboortedatum": "Geboortedatum",
    "gebied": "Gebied",
    "gebruiker": "Gebruiker",
    "gereageerd": "Gereageerd",
    "geslacht": "Geslacht",
    "geslachtsnaam": "Geslachtsnaam",
    "hoedanigheid": "Hoedanigheid (code)",
    "huisletter": "Huisletter",
    "huisnummer": "Huisnummer",
    "incident": "Incident",
    "indicatie": "Indicatie",
    "indiener": "Indiener",
    "informering": "Informeren van betrokkenen",
    "informeringen": "Wie is geïnformeerd",
    "ingeschreven": "Ingeschreven organisatie",
    "ingevuld": "Ingevuld",
    "instantiecode": "Instantiecode",
    "kenmerk": "Kenmerk van de melder",
    "koppeling": "Koppeling",
    "kvk": "KvK-nummer",
    "landcode": "Landcode",
    "locatie": "Plaats",
    "melding": "Melding",
    "naam": "Naam",
    "nationaliteit": "Nationaliteit",
    "niveau": "Niveau",
    "oin": "OIN",
    "omschrijving": "Omschrijving",
    "onbekend": "Onbekende onderdelen",
    "onderneming": "Onderneming",
    "ontvanger": "Ontvanger",
    "overigeZorgMinderjarige": "Overige zorg over de minderjarige",
    "pad": "Plaats in het bericht",
    "persoon": "Persoon",
    "postcode": "Postcode",
    "referentienummer": "Referentienummer",
    "regel1": "Adresregel 1",
    "regel2": "Adresregel 2",
    "regel3": "Adresregel 3",
    "relaties": "Relaties",
    "relevanteRegistraties": "Relevante registraties",
    "rni": "RNI",
    "rol": "Rol",
    "rsin": "RSIN",
    "sash": "SASH (screening op stalking)",
    "situatie": "Zorgelijke situatie",
    "soort": "Soort",
    "standaardversie": "Versie van de standaard",
    "straat": "Straat",
    "strekkingReactie": "Reactie in het kort",
    "taal": "Taal",
    "tekst": "Tekst",
    "telefoonnummers": "Telefoon",
    "tijdelijkHuisverbod": "Tijdelijk huisverbod",
    "tijdstip": "Tijdstip van verzenden (UTC)",
    "tijdstipRuw": "Tijdstip zoals gestuurd",
    "toevoeging": "Toevoeging",
    "vestiging": "Vestigingsnummer",
    "volledigeNaam": "Volledige naam",
    "voornamen": "Voornamen",
    "voorvoegsel": "Voorvoegsel",
    "vreemdelingennummer": "Vreemdelingennummer",
    "waarde": "Waarde",
    "wijze": "Op welke manier",
    "woonplaats": "Woonplaats",
    "xml": "Zoals het kwam",
    "zender": "Afzender",
}
SECTIONS: tuple[tuple[str, str, type[Part]], ...] = (
    ("incident", "Wat is er gebeurd", Incident),
    ("situatie", "Zorgelijke situatie", Situation),
    ("melding", "Over deze melding", ReportPart),
    ("indiener", "Ingediend door", Submitter),
    ("bericht", "Gegevens van het bericht", Envelope),
)
NO_VALUE = "geenWaardeReden"
# In a person's card these stand in its head.
IN_HEAD = ("naam", "rol")


@dataclass(frozen=True, slots=True)
class Line:
    """One element: a text, a list of texts, parts of its own, or the reason why there is no value."""

    label: str
    text: str = ""
    texts: tuple[str, ...] = ()
    parts: tuple[tuple[Line, ...], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of the message: its lines, and the names of the elements that were not sent."""

    title: str
    lines: tuple[Line, ...]
    absent: tuple[str, ...]


def label(name: str) -> str:
    return LABELS.get(name, name)


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The message without its persons, in the order in which a person reads it."""
    found = [_section(title, content.get(name) or {}, _names(part)) for name, title, part in SECTIONS]
    rest = {name: value for name, value in content.items() if name not in {name for name, _, _ in SECTIONS}}
    if lines := tuple(_lines(rest, list(rest))):
        found.append(Section("Extra en onbekend", lines, ()))
    return found


def person(data: Mapping[str, Any]) -> Section:
    """One person concerned; a name and a role that came without reasons stand in the head already."""
    in_head = [name for name in IN_HEAD if NO_VALUE not in (data.get(name) or {}) and name in data]
    rest = {name: value for name, value in data.items() if name not in in_head}
    return _section("", rest, [name for name in _names(Involved) if name not in in_head])


def compared(content: Mapping[str, Any], persons: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """A message as values with their labels, per part: the message itself (""), and each person by name.

    Persons are known by name here, because their order in a message says nothing.
    """
    parts = {"": dict(flat({name: value for name, value in content.items() if name != "bericht"}))}
    for one in persons:
        name = wording.person_name(one)
        number = sum(known.split(" (nr. ")[0] == name for known in parts)
        parts[f"{name} (nr. {number + 1})" if number else name] = dict(flat(one))
    return parts


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a message with the labels that lead to it, for comparing two versions."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from flat(inner, f"{path}, {label(name)}" if path else label(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from flat(inner, f"{path} {number}")
    else:
        yield path, _text(value)


def _names(part: type[Part]) -> list[str]:
    names = [field.alias or name for name, field in part.model_fields.items()]
    return [name for name in names if name != NO_VALUE] + list(part.EXTRA_REASONS)


def _section(title: str, data: Mapping[str, Any], names: Sequence[str]) -> Section:
    reasons = data.get(NO_VALUE) or {}
    absent = [
        label(name) for name in names if name in LABELS and _is_element(name) and name not in {**data, **reasons}
    ]
    return Section(title, tuple(_lines(data, names)), tuple(absent))


def _is_element(name: str) -> bool:
    """Whether its absence tells something: our own helpers and the groups behind extra reasons do not."""
    extra = {*Involved.EXTRA_REASONS, *Situation.EXTRA_REASONS, *Submitter.EXTRA_REASONS}
    return name not in extra | {"extra", "extraKoppeling", "tijdstipRuw", "crossReferentienummer", "hoedanigheid"}


def _lines(data: Mapping[str, Any], names: Sequence[str]) -> Iterator[Line]:
    reasons = data.get(NO_VALUE) or {}
    for name in [*names, *sorted(set(data) - set(names) - {NO_VALUE}), *sorted(set(reasons) - set(names))]:
        if name in data:
            yield _line(name, data[name])
        if name in reasons:
            yield Line(label(name), reason=wording.REASONS.get(reasons[name], reasons[name]))


def _line(name: str, value: Any) -> Line:
    words = label(name)
    if isinstance(value, Mapping):
        return _group(name, words, value)
    if isinstance(value, list):
        if all(not isinstance(item, Mapping | list) for item in value):
            return Line(words, texts=tuple(_text(item) for item in value))
        if name == "adressen":
            return Line(words, texts=tuple(f"{wording.address(item)} ({_address_kind(item)})" for item in value))
        return Line(words, parts=tuple(tuple(_lines(item, list(item))) for item in value))
    if value in (None, ""):
        return Line(words, reason="leeg gestuurd")
    return Line(words, text=wording.SEXES.get(value, value) if name == "geslacht" else _text(value))


def _group(name: str, words: str, value: Mapping[str, Any]) -> Line:
    if name in ("datum", "geboortedatum"):
        return Line(words, text=wording.partial_date(value))
    if name == "rol":
        return Line(words, text=wording.role({"rol": value}))
    return Line(words, parts=(tuple(_lines(value, list(value))),))


def _address_kind(item: Mapping[str, Any]) -> str:
    return "verblijft hier" if item.get("soort") == "feitelijk" else "staat hier ingeschreven"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Ja" if value else "Nee"
    return str(value)


# ── what was said of a person, as values to compare ─────────────────────────────────────────────────────────────

Key = tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Said:
    """A value as shown, and as compared; without a key it is shown only, for it proves nothing."""

    shown: str
    key: Key


def _plain(text: str) -> str:
    """Letters and digits only, without accents and case."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKD", text).casefold())


def _words(text: object) -> list[Said]:
    shown = " ".join(str(text or "").split())
    return [Said(shown, (key,) if (key := _plain(shown)) else None)] if shown else []


def _name(part: str) -> Callable[[Mapping[str, Any]], list[Said]]:
    def read(person: Mapping[str, Any]) -> list[Said]:
        name = person.get("naam") or {}
        if part == "geslachtsnaam":
            return _words(" ".join(str(name.get(one) or "") for one in ("voorvoegsel", part)))
        return _words(name.get(part))

    return read


def _birth(person: Mapping[str, Any]) -> list[Said]:
    value = person.get("geboortedatum")
    if not value:
        return []
    date = PartialDate.from_stuf(str(value.get("tekst", "")), value.get("indicatie"))
    known = date.year is not None
    return [Said(wording.partial_date(value), (date.year, date.month, date.day) if known else None)]


def _sex(person: Mapping[str, Any]) -> list[Said]:
    code = person.get("geslacht")
    return [Said(wording.SEXES.get(code, str(code)), None if code == "O" else (code,))] if code else []


def _bsn(person: Mapping[str, Any]) -> list[Said]:
    read = Bsn.parse(person.get("bsn"))
    if read.value:
        return [Said(f"eindigt op {read.value[-3:]}", (read.value,))]
    words = {"unborn": "nog niet geboren", "unknown": "onbekend", "invalid": "een nummer dat niet klopt"}
    return [Said(words[read.status], None)] if read.status in words else []


def _phones(person: Mapping[str, Any]) -> list[Said]:
    read = [Phone.parse(raw) for raw in person.get("telefoonnummers") or ()]
    return [
        Said("een dienstnummer", None)
        if phone.is_service
        else Said(f"eindigt op {phone.raw.strip()[-3:]}", (phone.value,) if phone.value else None)
        for phone in read
    ]


def _addresses(person: Mapping[str, Any]) -> list[Said]:
    found = []
    for item in person.get("adressen") or ():
        address = Address.parse(
            house_number=item.get("huisnummer"),
            house_letter=item.get("huisletter"),
            addition=item.get("toevoeging"),
            postcode=item.get("postcode"),
            country=item.get("landcode"),
        )
        key = address.key()
        shown = wording.address(item)
        found.append(Said(shown, tuple(key.split("|")) if key else (_plain(shown),)))
    return found


FIELDS: dict[str, Callable[[Mapping[str, Any]], list[Said]]] = {
    "Voornamen": _name("voornamen"),
    "Achternaam": _name("geslachtsnaam"),
    "Volledige naam": _name("volledigeNaam"),
    "Geboortedatum": _birth,
    "Geslacht": _sex,
    "BSN": _bsn,
    "Telefoon": _phones,
    "Adres": _addresses,
    "Nationaliteit": lambda person: _words(person.get("nationaliteit")),
    "Rol": lambda person: _words((person.get("rol") or {}).get("tekst")),
}
"""What can be compared of a person, in the order of the screen. A BSN or phone number is never written out: its last
three digits tell enough to look for it."""
