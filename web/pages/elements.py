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
from core.secrets import bsn_key
from intake import vault
from intake.codelists import codelists, text_of
from intake.message import (
    Envelope,
    Incident,
    Intake,
    Involved,
    Part,
    ReportPart,
    Situation,
    Submitter,
)
from intake.protected import HIDDEN, NO_ADDRESS
from intake.vault import IN_VAULT, TRACES
from radar.protection import bsn
from web import wording
from web.language import constants, t

LABELS = {
    "aangifte": "Aangifte",
    "aanhouding": "Aanhouding",
    "aanleidingen": "Aanleiding",
    "aanmelding": "Aanmelding",
    "aanvullendeInformatie": "Aanvullende informatie",
    "aard": "Vorm van geweld",
    "administratie": "Administratie",
    "adresFeitelijkBinnenland": "Verblijfadres in Nederland",
    "adresFeitelijkBuitenland": "Verblijfadres in het buitenland",
    "adresFormeelBinnenland": "Ingeschreven adres in Nederland",
    "adresFormeelBuitenland": "Ingeschreven adres in het buitenland",
    "adressen": "Adressen",
    "afdeling": "Afdeling",
    "afweging": "Afwegingskader",
    "agenderingGewenst": "Bespreken in afstemmingsoverleg gewenst",
    "applicatie": "Systeem",
    "bericht": "Bericht",
    "besluit": "Besluit van de melder",
    "bestaandeHulpverlening": "Bestaande hulpverlening",
    "betrokkenen": "Betrokkenen",
    "blijftHelpen": "Wie blijft helpen",
    "bsn": "BSN",
    "code": "Code",
    "codewoord": "Codewoord",
    "contact": "Contact voor vragen",
    "crossReferentienummer": "Verwijst naar bericht",
    "datum": "Datum",
    "eergerelateerdGeweld": "Eergerelateerd geweld",
    "emails": "E-mail",
    "extra": "Extra elementen van de afzender",
    "extraKoppeling": "Extra elementen bij de koppeling",
    "filiaal": "Filiaal",
    "functie": "Functie",
    "gebied": "Gebied",
    "geboortedatum": "Geboortedatum",
    "gebruiker": "Gebruiker",
    "gereageerd": "Gereageerd",
    "geslacht": "Geslacht",
    "geslachtsnaam": "Geslachtsnaam",
    "gezinGeinformeerd": "Weet het gezin van de melding",
    "hoedanigheid": "Hoedanigheid",
    "huisletter": "Huisletter",
    "huisnummer": "Huisnummer",
    "hulpAanvaard": "Wordt de hulp aanvaard",
    "hulpMogelijk": "Kan de melder zelf hulp bieden",
    "incident": "Incident",
    "indicatie": "Indicatie",
    "indiener": "Indiener",
    "informering": "Informeren van betrokkenen",
    "informeringen": "Wie is geïnformeerd",
    "ingeschreven": "Ingeschreven organisatie",
    "ingevuld": "Ingevuld",
    "instantiecode": "Instantiecode",
    "kenmerk": "Kenmerk van de melder",
    "kindcheck": "Kindcheck gedaan",
    "kinderen": "Zijn er kinderen",
    "kinderenToelichting": "Over de kinderen",
    "koppeling": "Koppeling",
    "kvk": "KvK-nummer",
    "landcode": "Landcode",
    "locatie": "Plaats",
    "meldcode": "Meldcode",
    "melding": "Melding",
    "naam": "Naam",
    "nationaliteit": "Nationaliteit",
    "nietTerugbellen": "Niet terugbellen",
    "niveau": "Niveau",
    "nuVeilig": "Is het nu veilig",
    "nuVeiligToelichting": "Over de veiligheid nu",
    "oin": "OIN",
    "omschrijving": "Omschrijving",
    "onbekend": "Onbekende onderdelen",
    "onderneming": "Onderneming",
    "ontvanger": "Ontvanger",
    "onveilig": "Acuut of structureel onveilig",
    "overigeZorgMinderjarige": "Overige zorg over de minderjarige",
    "overleg": "Overleg met collega of deskundige",
    "pad": "Plaats in het bericht",
    "persoon": "Persoon",
    "postcode": "Postcode",
    "referentienummer": "Referentienummer",
    "regel1": "Adresregel 1",
    "regel2": "Adresregel 2",
    "regel3": "Adresregel 3",
    "relaties": "Relaties",
    "relevanteRegistraties": "Relevante registraties",
    "resultaat": "Gaf de hulp resultaat",
    "rni": "RNI",
    "rol": "Rol",
    "rsin": "RSIN",
    "sash": "SASH (screening op stalking)",
    "sinds": "Sinds wanneer",
    "situatie": "Zorgelijke situatie",
    "soort": "Soort",
    "standaardversie": "Versie van de standaard",
    "stap": "Stap van de meldcode",
    "straat": "Straat",
    "strekkingReactie": "Reactie in het kort",
    "taal": "Taal",
    "tekst": "Tekst",
    "telefoonnummers": "Telefoon",
    "terugkoppelingGewenst": "Terugkoppeling gewenst",
    "tijdelijkHuisverbod": "Tijdelijk huisverbod",
    "tijdstip": "Tijdstip van verzenden (UTC)",
    "tijdstipRuw": "Tijdstip zoals gestuurd",
    "toevoeging": "Toevoeging",
    "vermoeden": "Is er een vermoeden",
    "magBekendWorden": "Mag bekend worden wie meldde",
    "veiligBereikbaar": "Veilig te bereiken",
    "vestiging": "Vestigingsnummer",
    "volledigeNaam": "Volledige naam",
    "voornamen": "Voornamen",
    "voorvoegsel": "Voorvoegsel",
    "vreemdelingennummer": "Vreemdelingennummer",
    "waarde": "Waarde",
    "waaromNiet": "Waarom het gezin het niet weet",
    "wijze": "Op welke manier",
    "woonplaats": "Woonplaats",
    "xml": "Zoals het kwam",
    "zender": "Afzender",
}
SECTIONS: tuple[tuple[str, str, type[Part]], ...] = (
    ("incident", "Wat is er gebeurd", Incident),
    ("situatie", "Zorgelijke situatie", Situation),
    ("aanmelding", "Wat de melder vertelde", Intake),
    ("melding", "Over deze melding", ReportPart),
    ("indiener", "Ingediend door", Submitter),
    ("bericht", "Gegevens van het bericht", Envelope),
)
ANSWERS = {"ja": "Ja", "nee": "Nee", "onbekend": "Onbekend", "nvt": "Niet van toepassing"}
NO_VALUE = "geenWaardeReden"
SEALED = "staat in de kluis"
WHERE_SEALED = {"melding": ("contact",), "bericht": ("gebruiker",)}
"""What of the reporter is sealed at receipt, by the part of the message where it was sent."""
# In a person's card these stand in its head.
IN_HEAD = ("naam", "rol")
for _told in (LABELS, dict(enumerate(title for _, title, _ in SECTIONS)), wording.REASONS, ANSWERS, {"": SEALED}):
    constants(_told)


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
    """The message without its persons and without who reported, in the order in which a person reads it."""
    content = _coded(vault.part(content, ()).content)
    found = [
        _section(title, (content.get(name) or {}) | _sealed(content, name), _names(part))
        for name, title, part in SECTIONS
        if name != "aanmelding" or name in content
    ]
    told = {IN_VAULT, *(name for name, _, _ in SECTIONS)}
    rest = {name: value for name, value in content.items() if name not in told}
    if lines := tuple(_lines(rest, list(rest))):
        found.append(Section("Extra en onbekend", lines, ()))
    return found


def _sealed(content: Mapping[str, Any], part: str) -> dict[str, str]:
    """A line for each element of this part that was sent and stands in the vault."""
    taken = content.get(IN_VAULT) or ()
    return {name: t(SEALED) for name in WHERE_SEALED.get(part, ()) if name in taken}


def person(data: Mapping[str, Any], bsn_in_full: str = "") -> Section:
    """One person concerned; a name and a role that came without reasons stand in the head already.

    His BSN is masked, unless the caller gives it in full.
    """
    data = vault.part_person(data)[0]
    if IN_VAULT in data:
        return Section("", (Line("Gegevens", text=t(SEALED)),), ())
    data = dict(_masked(data)) | ({"bsn": bsn_in_full} if bsn_in_full else {})
    in_head = [name for name in IN_HEAD if NO_VALUE not in (data.get(name) or {}) and name in data]
    rest = {name: value for name, value in data.items() if name not in in_head}
    return _section("", rest, [name for name in _names(Involved) if name not in in_head])


def compared(content: Mapping[str, Any], persons: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """A message as values with their labels, per part: the message itself (""), and each person by name.

    Persons are known by name here, because their order in a message says nothing.
    """
    content = vault.part(content, ()).content
    parts = {"": dict(flat({name: value for name, value in content.items() if name != "bericht"}))}
    for one in (vault.part_person(person)[0] for person in persons):
        name = wording.person_name(one)
        number = sum(known.split(" (nr. ")[0] == name for known in parts)
        parts[f"{name} (nr. {number + 1})" if number else name] = dict(flat(one))
    return parts


def flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value of a message with the labels that lead to it, for comparing two versions."""
    if isinstance(value, Mapping):
        for name, inner in _masked(value).items():
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


def _masked(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with its BSN as screens show it, whether it is sealed or not; a masked one stays."""
    if "bsn" not in data and "bsnStatus" not in data and IN_VAULT not in data:
        return data
    rest = {name: value for name, value in data.items() if name not in {"bsn", IN_VAULT, *TRACES}}
    shown = data["bsn"] if str(data.get("bsn", "")).startswith(bsn.MASK) else bsn.shown(data)
    return rest | ({"bsn": shown} if shown or "bsn" in data else {})


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
            return Line(words, texts=tuple(_told_address(item) for item in value))
        return Line(words, parts=tuple(_part(item) for item in value))
    if value in (None, ""):
        return Line(words, reason="leeg gestuurd")
    return Line(words, text=t(wording.SEXES.get(value, value)) if name == "geslacht" else _text(value))


def _group(name: str, words: str, value: Mapping[str, Any]) -> Line:
    if name in ("datum", "geboortedatum"):
        return Line(words, text=wording.partial_date(value))
    if name == "rol":
        return Line(words, text=wording.role({"rol": value}))
    return Line(words, parts=(_part(value),))


def _part(value: Mapping[str, Any]) -> tuple[Line, ...]:
    shown = _masked(value)
    return tuple(_lines(shown, list(shown)))


def _told_address(item: Mapping[str, Any]) -> str:
    return NO_ADDRESS if item.get("regel1") == NO_ADDRESS else f"{wording.address(item)} ({_address_kind(item)})"


def _address_kind(item: Mapping[str, Any]) -> str:
    return "verblijft hier" if item.get("soort") == "feitelijk" else "staat hier ingeschreven"


def _coded(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message with the words of the code lists instead of the codes of who reported himself."""
    told = dict(content.get("aanmelding") or {})
    if not told:
        return content
    lists = codelists()
    if "hoedanigheid" in told:
        told["hoedanigheid"] = lists.capacity(told["hoedanigheid"])
    for name, codes in (("aanleidingen", lists.occasions), ("aard", lists.natures)):
        if name in told:
            told[name] = [text_of(codes, code) for code in told[name]]
    return {**content, "aanmelding": told}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Ja" if value else "Nee"
    return ANSWERS.get(value, str(value)) if isinstance(value, str) else str(value)


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
    status = bsn.status(person)
    if status == "valid":
        number = Bsn.parse(person.get("bsn")).value
        key = person.get("bsnSleutel") or (bsn_key(number) if number else None)
        return [Said(f"eindigt op {bsn.shown(person)[-3:]}", (key,))]
    return [Said(bsn.NOT_A_NUMBER[status], None)] if status in bsn.NOT_A_NUMBER else []


def _phones(person: Mapping[str, Any]) -> list[Said]:
    if person.get("telefoonnummers") == [HIDDEN]:
        return [Said(HIDDEN, None)]
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
        if item.get("regel1") == NO_ADDRESS:
            return [Said(NO_ADDRESS, None)]
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
