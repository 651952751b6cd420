"""What each register holds: its fields as people type them on a screen or in a file, and the columns they go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from intake.senders import KINDS as SENDER_KINDS

FieldKind = Literal[
    "text",
    "day",
    "code",
    "oin",
    "url",
    "phone",
    "choice",
    "ours",
    "partner",
    "postcode",
    "certificate",
    "application",
]

PARTNER_KINDS: dict[str, str] = {
    "local_team": "lokaal team",
    "partner": "andere partner",
    "multidisciplinary": "MDA++",
    "police": "politie",
    "child_protection_board": "Raad voor de Kinderbescherming",
    "other_region": "Veilig Thuis van een andere regio",
}
SENDER_NAMES: dict[str, str] = {
    "politie": "politie",
    "halt": "Halt",
    "onderwijs": "onderwijs",
    "zorg": "zorg",
    "gemeente": "gemeente",
    "jeugdhulp": "jeugdhulp",
    "kinderopvang": "kinderopvang",
    "anders": "andere melder",
    "lokaal_team": "lokaal team",
    "partner": "partner in de keten",
    "chat": "leverancier van de chat",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `name` on forms and in files, `column` in the database. `fixed`: only when it is added."""

    name: str
    column: str
    label: str
    kind: FieldKind = "text"
    needed: bool = False
    hint: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    fixed: bool = False
    longest: int = 100


@dataclass(frozen=True, slots=True)
class Register:
    """One register. `key` is the field by which a line of a file finds its object when it bears no number."""

    path: str
    title: str
    one: str
    table: str
    fields: tuple[Field, ...]
    key: str
    order: str
    always: Mapping[str, str] = field(default_factory=dict)
    where: str = "true"
    via_draft: bool = False
    """Nothing changes at once: what is typed goes into a draft that is rehearsed first."""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(one.column for one in self.fields)

    def field(self, name: str) -> Field:
        return next(one for one in self.fields if one.name == name)


_FROM = Field("geldig_vanaf", "valid_from", "Geldig vanaf", "day", needed=True)
_TO = Field("geldig_tot", "valid_to", "Laatste dag", "day", hint="Laat leeg als er geen einde is.")
_PHONE = Field("telefoon", "phone", "Telefoonnummer", "phone")

REGION = Register(
    "regio",
    "Regio",
    "regio",
    "region",
    (
        Field("naam", "name", "Naam", needed=True, hint="Deze naam staat op brieven en op de openbare pagina's."),
        Field("oin", "oin", "OIN", "oin", needed=True, hint="20 cijfers. Het nummer in elk bericht van en naar u."),
        Field("applicatie", "application", "Naam van de applicatie in berichten", "application", needed=True),
        Field("telefoon", "phone", "Telefoonnummer voor brieven en openbare pagina's", "phone"),
    ),
    key="naam",
    order="name",
)
TEAMS = Register(
    "teams",
    "Teams",
    "team",
    "team",
    (
        Field("naam", "name", "Naam", needed=True),
        _PHONE,
        _FROM,
        _TO,
        Field(
            "opvolger",
            "successor_id",
            "Wie neemt het werk over?",
            "ours",
            hint="Nodig als er bij het einde nog werk bij dit team ligt.",
        ),
    ),
    key="naam",
    order="valid_to IS NOT NULL, name",
    always={"kind": "veilig_thuis"},
    where="kind = 'veilig_thuis'",
)
MUNICIPALITIES = Register(
    "gemeenten",
    "Gemeenten",
    "gemeente",
    "municipality",
    (
        Field("code", "code", "Gemeentecode", "code", needed=True, fixed=True, hint="4 cijfers, uit tabel 33."),
        Field("naam", "name", "Naam", needed=True),
        _FROM,
        Field("geldig_tot", "valid_until", "Laatste dag", "day", hint="Laat leeg als er geen einde is."),
        Field("opvolger", "successor", "Code van de gemeente waarin zij opging", "code"),
    ),
    key="code",
    order="name, code",
)
PARTNERS = Register(
    "partners",
    "Partners",
    "partner",
    "team",
    (
        Field("naam", "name", "Naam", needed=True),
        Field("soort", "kind", "Soort partner", "choice", needed=True, options=PARTNER_KINDS, fixed=True),
        _PHONE,
        Field("oin", "oin", "OIN", "oin", hint="20 cijfers. Alleen voor een partner die berichten krijgt."),
        Field(
            "bezorgadres",
            "delivery_url",
            "Adres waar berichten heen gaan",
            "url",
            hint="Begint met https://. Na een wijziging moet de partner opnieuw gecontroleerd worden.",
            longest=500,
        ),
        _FROM,
        _TO,
    ),
    key="naam",
    order="valid_to IS NOT NULL, name",
    where="kind <> 'veilig_thuis'",
)
ROUTING = Register(
    "routering",
    "Routering",
    "regel",
    "service_area",
    (
        Field("gemeente", "municipality", "Gemeente", needed=True),
        Field("plaats", "place", "Plaats", hint="De woonplaats, zoals die in een adres staat."),
        Field("postcode_van", "postcode_from", "Postcode van", "postcode", hint="4 cijfers."),
        Field("postcode_tot", "postcode_to", "Postcode tot en met", "postcode", hint="4 cijfers."),
        Field("team", "team_id", "Ons team", "ours", needed=True),
        Field("partner", "partner_id", "Lokaal team of partner", "partner", hint="Leeg: er is geen lokaal team."),
        _FROM,
        _TO,
    ),
    key="",
    order="municipality, postcode_from NULLS LAST, place, valid_from",
    via_draft=True,
)
SENDERS = Register(
    "afzenders",
    "Afzenders",
    "afzender",
    "sender",
    (
        Field("oin", "oin", "OIN", "oin", needed=True, fixed=True, hint="20 cijfers, zoals in hun berichten."),
        Field("naam", "name", "Naam", needed=True),
        Field(
            "soort",
            "kind",
            "Soort afzender",
            "choice",
            needed=True,
            options={kind: SENDER_NAMES.get(kind, kind) for kind in SENDER_KINDS},
        ),
        Field(
            "certificaat",
            "certificate_sha256",
            "Vingerafdruk van het certificaat",
            "certificate",
            hint="SHA-256: 64 tekens (0-9 en a-f). Dubbele punten mogen.",
            longest=200,
        ),
        Field("antwoordadres", "reply_url", "Adres voor antwoorden", "url", longest=500),
        Field(
            "partner",
            "team_id",
            "Antwoordt voor deze partner",
            "partner",
            hint="Alleen als deze afzender overdrachten van een partner beantwoordt.",
        ),
    ),
    key="oin",
    order="revoked_at IS NOT NULL, name, oin",
    where="NOT own",
)
REGISTERS: dict[str, Register] = {
    one.path: one for one in (REGION, TEAMS, MUNICIPALITIES, PARTNERS, ROUTING, SENDERS)
}


def register_of(table: str, values: Mapping[str, object]) -> Register:
    """The register that a changed row belongs to."""
    if table == "team":
        return TEAMS if values.get("kind") == "veilig_thuis" else PARTNERS
    return next(one for one in REGISTERS.values() if one.table == table)
