"""The internal message: one model that the StUF edge and the JSON door both fill (standards.md 10.1).

Stored messages are read leniently, so that nothing a sender once sent can become unreadable; the JSON door reads the
same model with `read_json`, which applies the input rules and reports every error at once. JSON names are Dutch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.identity import Bsn, PartialDate
from intake import input_errors
from intake.corv.codes import NO_VALUE_REASONS, role_code, role_text
from intake.input_rules import Short, Text, Tiny, at_most, at_the_door, count, filled, is_oin, one_of, rule

MAX_PERSONS = 50
MAX_PER_PERSON = 10
MAX_LISTED = 200

SEXES = ("M", "V", "O")
SASH_LEVELS = ("laag", "matig", "hoog")
INFORMING_WAYS = ("mondeling", "schriftelijk", "telefonisch", "e-mail", "onbenoemd")
CAPACITY_CODES = ("001", "002", "003", "004", "005")
WAYS = ("telefoon", "balie", "chat", "formulier", "apotheek-masker19", "koppeling")
DATE_INDICATORS = ("V", "D", "M", "J")


class Part(BaseModel):
    """A piece of the message. `reasons` says per JSON field name why it is empty: unknown is not the same as none."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, hide_input_in_errors=True
    )
    EXTRA_REASONS: ClassVar[tuple[str, ...]] = ()

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Nothing: a repr ends up in logs and tracebacks, and every field here is about a person."""
        return iter(())

    reasons: dict[str, str] = Field(default_factory=dict, alias="geenWaardeReden")

    @field_validator("reasons")
    @classmethod
    def _known_reasons(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if at_the_door(info):
            names = {field.alias for field in cls.model_fields.values()} | set(cls.EXTRA_REASONS)
            if not set(value) <= names or not set(value.values()) <= set(NO_VALUE_REASONS):
                text = "Een reden hoort bij een gegeven van dit onderdeel en is een van: "
                text += ", ".join(NO_VALUE_REASONS) + "."
                raise PydanticCustomError("reden", "{tekst}", {"tekst": text})
        return value


class Extra(Part):
    """One StUF extraElement: a name and a value of the sender's own, shown read-only."""

    name: Short = Field(alias="naam")
    value: Text | None = Field(None, alias="waarde")
    indicator: Tiny | None = Field(None, alias="indicatie")


Extras = Annotated[tuple[Extra, ...], count(0, MAX_LISTED)]


class Unknown(Part):
    """Something in a message that the standard does not name, kept as it came: where it stood and its text."""

    path: Text = Field(alias="pad")
    xml: Text = Field(alias="xml")


class MessageDate(Part):
    """A date as sent: `text` yyyymmdd (00 parts allowed), `indicator` V, D, M or J (day, month, year unknown).

    The JSON door also takes "2015-03-01" and the polymorphic BRP form (`type` Datum, JaarMaandDatum, JaarDatum,
    DatumOnbekend; standards.md 3.1).
    """

    text: Tiny = Field(alias="tekst")
    indicator: Tiny | None = Field(None, alias="indicatie")

    @model_validator(mode="before")
    @classmethod
    def _brp_form(cls, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return {"tekst": value.replace("-", ""), "indicatie": "V"}
        if isinstance(value, dict) and "type" in value:
            return _from_brp(value)
        return value

    @model_validator(mode="after")
    def _readable(self, info: ValidationInfo) -> Self:
        if at_the_door(info) and (
            not re.fullmatch(r"[0-9]{8}", self.text)
            or self.indicator not in (None, *DATE_INDICATORS)
            or self.partial.impossible
        ):
            raise PydanticCustomError("datum", "Geef een datum die bestaat, als 2015-03-01 of als deel daarvan.")
        return self

    @property
    def partial(self) -> PartialDate:
        """The date as far as it can be trusted."""
        return PartialDate.from_stuf(self.text, self.indicator)


def _from_brp(value: dict[str, Any]) -> dict[str, str]:
    match value:
        case {"type": "Datum", "datum": str() as day, **rest} if not rest and re.fullmatch(r"[\d-]{10}", day):
            return {"tekst": day.replace("-", ""), "indicatie": "V"}
        case {"type": "JaarMaandDatum", "jaar": int() as year, "maand": int() as month, **rest} if not rest:
            return {"tekst": f"{year:04}{month:02}00", "indicatie": "D"}
        case {"type": "JaarDatum", "jaar": int() as year, **rest} if not rest:
            return {"tekst": f"{year:04}0000", "indicatie": "M"}
        case {"type": "DatumOnbekend", "onbekend": True, **rest} if not rest:
            return {"tekst": "00000000", "indicatie": "J"}
    raise PydanticCustomError("datum", "Dit is geen datum of deel van een datum.")


class Party(Part):
    """A sending or receiving system: the OIN of the organisation and the name of the application."""

    oin: Annotated[str, rule(is_oin)] = Field(alias="oin")
    application: Annotated[str, filled(50)] | None = Field(None, alias="applicatie")
    administration: Short | None = Field(None, alias="administratie")
    user: Short | None = Field(None, alias="gebruiker")


class Envelope(Part):
    """The header of the message. `sent_at` is UTC, or None when the sender's text could not be read."""

    function: Annotated[str, one_of("vtMeldingDi01")] = Field(alias="functie")
    reference: Annotated[str, filled(40)] = Field(alias="referentienummer")
    cross_reference: Annotated[str, filled(40)] | None = Field(None, alias="crossReferentienummer")
    sent_at: Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))] | None = Field(
        None, alias="tijdstip"
    )
    sent_at_raw: Tiny | None = Field(None, alias="tijdstipRuw")
    sender: Party = Field(alias="zender")
    receiver: Party = Field(alias="ontvanger")
    version: Tiny = Field("jz0100/1.0.9", alias="standaardversie")


class Contact(Part):
    """Whom to call for more information on this report."""

    name: Text | None = Field(None, alias="naam")
    department: Text | None = Field(None, alias="afdeling")
    emails: Annotated[tuple[Annotated[str, at_most(254)], ...], count(0, MAX_PER_PERSON)] = Field((), alias="emails")
    phones: Annotated[tuple[Tiny, ...], count(0, MAX_PER_PERSON)] = Field((), alias="telefoonnummers")
    function: Short | None = Field(None, alias="functie")
    reached_safely: Text | None = Field(None, alias="veiligBereikbaar")
    may_be_known: StrictBool | None = Field(None, alias="magBekendWorden")


class Sash(Part):
    """SASH (Screening Assessment for Stalking and Harassment): filled in or not, and its level of concern."""

    filled_in: StrictBool | None = Field(None, alias="ingevuld")
    level: Annotated[str, one_of(*SASH_LEVELS)] | None = Field(None, alias="niveau")


class Name(Part):
    """Name parts as sent; nothing is split or corrected here."""

    given_names: Short | None = Field(None, alias="voornamen")
    prefix: Tiny | None = Field(None, alias="voorvoegsel")
    surname: Short | None = Field(None, alias="geslachtsnaam")
    full_name: Annotated[str, at_most(412)] | None = Field(None, alias="volledigeNaam")


class Mentioned(Part):
    """A person named beside the persons concerned: somebody informed, or the other side of a relation."""

    bsn: Tiny | None = Field(None, alias="bsn")
    name: Name = Field(default_factory=Name, alias="naam")
    foreigner_number: Tiny | None = Field(None, alias="vreemdelingennummer")
    rni: Text | None = Field(None, alias="rni")
    extra: Extras = Field((), alias="extra")


class Relation(Part):
    """How a person concerned relates to another person, in the sender's words."""

    person: Mentioned | None = Field(None, alias="persoon")
    description: Text | None = Field(None, alias="omschrijving")
    extra: Extras = Field((), alias="extra")


class Informing(Part):
    """Who was told of this report, how, and what the answer was (isGeinformeerdAan)."""

    person: Mentioned | None = Field(None, alias="persoon")
    way: Annotated[str, one_of(*INFORMING_WAYS)] | None = Field(None, alias="wijze")
    responded: StrictBool | None = Field(None, alias="gereageerd")
    response: Text | None = Field(None, alias="strekkingReactie")
    date: MessageDate | None = Field(None, alias="datum")
    extra: Extras = Field((), alias="extra")


class MessageAddress(Part):
    """An address as sent: `kind` formeel or feitelijk, `area` binnenland or buitenland."""

    kind: Annotated[str, one_of("formeel", "feitelijk")] = Field(alias="soort")
    area: Annotated[str, one_of("binnenland", "buitenland")] = Field("binnenland", alias="gebied")
    town: Short | None = Field(None, alias="woonplaats")
    street: Short | None = Field(None, alias="straat")
    postcode: Tiny | None = Field(None, alias="postcode")
    house_number: Tiny | None = Field(None, alias="huisnummer")
    house_letter: Tiny | None = Field(None, alias="huisletter")
    house_addition: Tiny | None = Field(None, alias="toevoeging")
    country_code: Tiny | None = Field(None, alias="landcode")
    line_1: Short | None = Field(None, alias="regel1")
    line_2: Short | None = Field(None, alias="regel2")
    line_3: Short | None = Field(None, alias="regel3")


class Role(Part):
    """The `jeugzorgrol` (sic) as sent, with the code of the reference list when the text is on it (1.5)."""

    text: Short | None = Field(None, alias="tekst")
    code: Tiny | None = Field(None, alias="code")

    @model_validator(mode="before")
    @classmethod
    def _both(cls, value: Any) -> Any:
        if isinstance(value, dict):
            text = value.get("tekst", value.get("text"))
            code = value.get("code")
            if isinstance(text, str) and code is None and (found := role_code(text)):
                return value | {"code": found}
            if text is None and isinstance(code, str) and (known := role_text(code)):
                return value | {"tekst": known}
        return value


class Involved(Part):
    """A person concerned (heeftBetrokken with its NPS)."""

    EXTRA_REASONS = (
        "persoon",
        "adresFormeelBinnenland",
        "adresFormeelBuitenland",
        "adresFeitelijkBinnenland",
        "adresFeitelijkBuitenland",
    )

    role: Role = Field(default_factory=Role, alias="rol")
    capacity_code: Annotated[str, one_of(*CAPACITY_CODES)] | None = Field(None, alias="hoedanigheid")
    bsn: Tiny | None = Field(None, alias="bsn")
    name: Name = Field(default_factory=Name, alias="naam")
    sex: Annotated[str, one_of(*SEXES)] | None = Field(None, alias="geslacht")
    birth_date: MessageDate | None = Field(None, alias="geboortedatum")
    foreigner_number: Tiny | None = Field(None, alias="vreemdelingennummer")
    rni: Text | None = Field(None, alias="rni")
    nationality: Short | None = Field(None, alias="nationaliteit")
    language: Text | None = Field(None, alias="taal")
    phones: Annotated[tuple[Tiny, ...], count(0, MAX_PER_PERSON)] = Field((), alias="telefoonnummers")
    addresses: Annotated[tuple[MessageAddress, ...], count(0, MAX_PER_PERSON)] = Field((), alias="adressen")
    relations: Annotated[tuple[Relation, ...], count(0, MAX_PERSONS)] = Field((), alias="relaties")
    additional_information: Text | None = Field(None, alias="aanvullendeInformatie")
    other_concern_minor: Text | None = Field(None, alias="overigeZorgMinderjarige")
    extra: Extras = Field((), alias="extra")
    extra_of_link: Extras = Field((), alias="extraKoppeling")

    @property
    def checked_bsn(self) -> Bsn:
        """The BSN with its status; an invalid one is kept but is no key (standards.md 10.1)."""
        return Bsn.parse(self.bsn)


class ReportPart(Part):
    """What the sender says of the report itself (melding)."""

    reference: Annotated[str, filled(200)] = Field(alias="kenmerk")
    date: MessageDate | None = Field(None, alias="datum")
    consultation_wanted: StrictBool | None = Field(None, alias="agenderingGewenst")
    contact: Contact | None = Field(None, alias="contact")
    informing: Text | None = Field(None, alias="informering")
    informings: Annotated[tuple[Informing, ...], count(0, MAX_PERSONS)] = Field((), alias="informeringen")
    sash: Sash = Field(default_factory=Sash, alias="sash")


class Incident(Part):
    """What happened, when and where."""

    date: MessageDate | None = Field(None, alias="datum")
    place: Text | None = Field(None, alias="locatie")
    description: Text | None = Field(None, alias="omschrijving")


class Situation(Part):
    """The worrying situation (ZOS): free texts, never booleans; a human derives yes, no or unknown."""

    EXTRA_REASONS = ("situatie", "koppeling")

    description: Text | None = Field(None, alias="omschrijving")
    registrations: Annotated[tuple[Text, ...], count(0, MAX_LISTED)] = Field((), alias="relevanteRegistraties")
    additional_information: Text | None = Field(None, alias="aanvullendeInformatie")
    existing_help: Text | None = Field(None, alias="bestaandeHulpverlening")
    restraining_order: Text | None = Field(None, alias="tijdelijkHuisverbod")
    arrest: Text | None = Field(None, alias="aanhouding")
    criminal_complaint: Text | None = Field(None, alias="aangifte")
    honour_related_violence: Text | None = Field(None, alias="eergerelateerdGeweld")
    extra: Extras = Field((), alias="extra")
    extra_of_link: Extras = Field((), alias="extraKoppeling")


YesNo = Annotated[str, one_of("ja", "nee", "onbekend")]
Codes = Annotated[tuple[Tiny, ...], count(0, MAX_LISTED)]


class WeighingFrame(Part):
    """The five questions of the weighing frame (afwegingskader of the reporting code, domain.md 6)."""

    suspicion: YesNo | None = Field(None, alias="vermoeden")
    unsafe: YesNo | None = Field(None, alias="onveilig")
    help_possible: YesNo | None = Field(None, alias="hulpMogelijk")
    help_accepted: YesNo | None = Field(None, alias="hulpAanvaard")
    result: YesNo | None = Field(None, alias="resultaat")


class ReportingCode(Part):
    """How far a professional came with the reporting code (meldcode) and what he weighed."""

    step: Annotated[str, one_of("1", "2", "3", "4", "5")] | None = Field(None, alias="stap")
    child_check: Annotated[str, one_of("ja", "nee", "nvt")] | None = Field(None, alias="kindcheck")
    consultation: Text | None = Field(None, alias="overleg")
    weighing: WeighingFrame = Field(default_factory=WeighingFrame, alias="afweging")
    decision: Text | None = Field(None, alias="besluit")


class Intake(Part):
    """What is asked of whoever reports himself: by phone, at the desk, by a form or by the JSON door.

    `capacity`, `occasions` and `natures` are codes of intake/codelists.py.
    """

    way: Annotated[str, one_of(*WAYS)] | None = Field(None, alias="wijze")
    capacity: Tiny | None = Field(None, alias="hoedanigheid")
    occasions: Codes = Field((), alias="aanleidingen")
    natures: Codes = Field((), alias="aard")
    since: Text | None = Field(None, alias="sinds")
    safe_now: YesNo | None = Field(None, alias="nuVeilig")
    safe_now_text: Text | None = Field(None, alias="nuVeiligToelichting")
    children: YesNo | None = Field(None, alias="kinderen")
    children_text: Text | None = Field(None, alias="kinderenToelichting")
    family_told: YesNo | None = Field(None, alias="gezinGeinformeerd")
    why_not_told: Text | None = Field(None, alias="waaromNiet")
    keeps_helping: Text | None = Field(None, alias="blijftHelpen")
    feedback_wished: StrictBool | None = Field(None, alias="terugkoppelingGewenst")
    do_not_call_back: StrictBool | None = Field(None, alias="nietTerugbellen")
    code_word: Short | None = Field(None, alias="codewoord")
    reporting_code: ReportingCode | None = Field(None, alias="meldcode")


class Submitter(Part):
    """The body that submits the report; `kind` (politie, halt, anders) comes from our sender register."""

    EXTRA_REASONS = ("indiener", "koppeling", "filiaal", "ingeschreven", "onderneming")

    name: Short | None = Field(None, alias="naam")
    institution_code: Short | None = Field(None, alias="instantiecode")
    rsin: Tiny | None = Field(None, alias="rsin")
    chamber_of_commerce_number: Tiny | None = Field(None, alias="kvk")
    branch_number: Tiny | None = Field(None, alias="vestiging")
    kind: Tiny | None = Field(None, alias="soort")
    extra: Extras = Field((), alias="extra")


class ReportMessage(Part):
    """One report as sent to Veilig Thuis, complete."""

    envelope: Envelope = Field(alias="bericht")
    report: ReportPart = Field(alias="melding")
    incident: Incident = Field(default_factory=Incident, alias="incident")
    situation: Situation = Field(default_factory=Situation, alias="situatie")
    persons: Annotated[tuple[Involved, ...], count(1, MAX_PERSONS)] = Field(alias="betrokkenen")
    submitter: Submitter = Field(default_factory=Submitter, alias="indiener")
    intake: Intake | None = Field(None, alias="aanmelding")
    extra: Extras = Field((), alias="extra")
    unknown: Annotated[tuple[Unknown, ...], count(0, MAX_LISTED)] = Field((), alias="onbekend")

    def to_json(self) -> dict[str, Any]:
        """The message with its Dutch names, ready for JSON; what has its default is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ReportMessage:
        """Read back what `to_json` gave; raises pydantic's ValidationError when the shape is another."""
        return cls.model_validate(data, by_alias=True, by_name=False)


def read_json(raw: bytes) -> ReportMessage:
    """Read a report at the JSON door with all input rules. Raises `InvalidMessage` with every error and its path."""
    context = {"door": "json"}
    return input_errors.read_json(
        raw, lambda data: ReportMessage.model_validate(data, by_alias=True, by_name=False, context=context)
    )
