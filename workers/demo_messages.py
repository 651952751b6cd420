"""How a reporter writes down what he knows: an invented incident as a message, with the slips that people make."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from core.calendar import dutch_date
from core.deadlines import local_day
from intake.corv.write import write_report
from intake.message import ReportMessage
from workers import demo_texts as texts
from workers.demo_people import Home, Household, Person
from workers.demo_region import APPLICATION, OIN, SENDERS


@dataclass(frozen=True, slots=True)
class Slips:
    """How often a kind of reporter leaves something out or writes it differently; a share of the mentions."""

    no_bsn: float
    nickname: float
    typo: float
    prefix: float
    partner_name: float
    initials: float
    no_birth: float
    old_home: float


POLICE = Slips(0.10, 0.06, 0.05, 0.12, 0.30, 0.04, 0.02, 0.15)
PROFESSIONAL = Slips(0.45, 0.30, 0.08, 0.15, 0.40, 0.10, 0.12, 0.25)


@dataclass(frozen=True, slots=True)
class Event:
    """One incident to report; `at` in Dutch time, `earlier` the number of reports before it.

    `acute`: SASH hoog; `odd`: with a wrong BSN, role and postcode; `vague`: one person is known by a letter only;
    `again`: a supplement to the one before.
    """

    at: datetime
    reporter: str
    stage: int
    reference: str
    kenmerk: str
    life: str = ""
    earlier: int = 0
    acute: bool = False
    odd: bool = False
    vague: bool = False
    again: bool = False


def compose(household: Household, event: Event, luck: Random) -> ReportMessage:
    """The message on one incident, as this reporter would send it."""
    sender = SENDERS[event.reporter]
    day = local_day(event.at)
    happened = (event.at - timedelta(hours=2)).date()
    people = _mentioned(household, event.reporter, luck)
    slips = POLICE if sender.door == "corv" else PROFESSIONAL
    mentions = [mention(household, person, slips, luck) for person in people]
    if event.odd:
        _spoil(mentions)
    if event.vague:
        _blur(mentions[-1])
    if event.reporter == "onderwijs" and luck.random() < 0.5:
        mentions.append(_teacher(luck))
    police = event.reporter == "politie"
    sash = (
        {"ingevuld": True, "niveau": _level(event)}
        if household.kind == "stalking" and police
        else {"ingevuld": False}
    )
    data = {
        "bericht": {
            "functie": "vtMeldingDi01",
            "referentienummer": event.reference,
            "tijdstip": (event.at - timedelta(seconds=20)).astimezone(UTC).isoformat(),
            "zender": {"oin": sender.oin, "applicatie": "CORV" if sender.door == "corv" else "MELDCODE"},
            "ontvanger": {"oin": OIN, "applicatie": APPLICATION},
        },
        "melding": {
            "kenmerk": event.kenmerk,
            "datum": _date(day),
            "agenderingGewenst": event.stage == 3,
            "contact": {"afdeling": _department(sender.name, household), "telefoonnummers": ["0900-0000"]},
            "informering": luck.choice(("De betrokkenen weten van deze melding.", "Nog niet besproken, met reden.")),
            "sash": sash,
        },
        "incident": {
            "datum": _date(happened),
            "locatie": "Op school" if event.reporter == "onderwijs" else _place(household.home),
            "omschrijving": _text(household, event, happened, luck),
        },
        "situatie": _situation(household, event, luck),
        "betrokkenen": mentions,
        "indiener": {"naam": sender.name, "instantiecode": sender.institution},
    }
    return ReportMessage.from_json(data)


def raw_of(message: ReportMessage, door: str) -> bytes:
    """The bytes for a door: XML for `corv`, JSON for `json`."""
    if door == "corv":
        return write_report(message)
    return json.dumps(message.to_json(), ensure_ascii=False).encode()


def mention(household: Household, person: Person, slips: Slips, luck: Random) -> dict[str, Any]:
    """One person as written down this time (a `betrokkene` of the message)."""
    made: dict[str, Any] = {
        "rol": {"tekst": person.role},
        "naam": _name(person, slips, luck),
        "geslacht": person.sex,
        "nationaliteit": person.nationality,
        "taal": person.language,
        "adressen": _addresses(household, person, slips, luck),
    }
    reasons = {}
    if luck.random() < slips.no_bsn:
        reasons["bsn"] = "waardeOnbekend"
    else:
        made["bsn"] = person.bsn
    chance = luck.random()
    if chance < slips.no_birth:
        reasons["geboortedatum"] = "waardeOnbekend"
    elif chance < 2 * slips.no_birth:
        made["geboortedatum"] = {"tekst": f"{person.born.year}0000", "indicatie": "M"}
    else:
        made["geboortedatum"] = _date(person.born)
    if luck.random() < 0.5 and not person.role.startswith(("kind", "jeugdige")):
        made["telefoonnummers"] = [person.phone]
    if reasons:
        made["geenWaardeReden"] = reasons
    return made


def _mentioned(household: Household, reporter: str, luck: Random) -> list[Person]:
    """Who is in the report: the police name nearly everybody, a school the child and a parent."""
    if reporter in ("onderwijs", "halt") and household.children:
        parent = luck.choice([person for person in household.adults if person.key not in household.away])
        return [luck.choice(household.children[:2]), parent]
    chance = 0.93 if reporter == "politie" else 0.8
    chosen = [
        person
        for person in household.members
        if luck.random() < (chance if person.key not in household.away or household.kind == "stalking" else 0.5)
    ]
    return chosen or household.members[:1]


def _name(person: Person, slips: Slips, luck: Random) -> dict[str, str]:
    given, prefix, surname = person.given, person.prefix, person.surname
    chance = luck.random()
    if chance < slips.nickname:
        given = person.nick
    elif chance < slips.nickname + slips.initials:
        given = f"{given[0]}."
    if person.partner_surname and luck.random() < slips.partner_name:
        # A married name first, as many women use it: Van Dijk-Bakker.
        prefix, surname = "", f"{person.partner_surname}-{f'{prefix} {surname}'.strip()}"
    elif prefix and luck.random() < slips.prefix:
        prefix, surname = luck.choice((("", f"{prefix} {surname}"), ("", surname), ("", f"{surname}, {prefix}")))
    if luck.random() < slips.typo and len(surname) > 4:
        place = luck.randrange(2, len(surname) - 1)
        surname = surname[:place] + surname[place + 1 :]
    made = {"voornamen": given, "geslachtsnaam": surname[:1].upper() + surname[1:]}
    return made | {"voorvoegsel": prefix} if prefix else made


def _addresses(household: Household, person: Person, slips: Slips, luck: Random) -> list[dict[str, str]]:
    now = household.home_of(person)
    former = household.former
    if former and person.key not in household.away and luck.random() < slips.old_home * 2:
        # Registered at the old address, staying at the new one; or the reporter only knows the old one.
        both = luck.random() < 0.5
        return [_address(former, "formeel"), _address(now, "feitelijk")] if both else [_address(former, "formeel")]
    return [_address(now, "feitelijk" if luck.random() < 0.7 else "formeel")]


def _address(home: Home, kind: str) -> dict[str, str]:
    made = {
        "soort": kind,
        "gebied": "binnenland",
        "woonplaats": home.place,
        "straat": home.street,
        "postcode": home.postcode,
        "huisnummer": str(home.number),
    }
    if home.addition:
        made["huisletter" if home.addition.isupper() else "toevoeging"] = home.addition
    return made


def _text(household: Household, event: Event, happened: date, luck: Random) -> str:
    present = bool(household.children) and event.reporter == "politie"
    when = (dutch_date(happened), (event.at - timedelta(hours=2)).hour)
    told = texts.description(household.kind, event.reporter, event.stage, present, when, luck)
    parts = [f"Aanvulling op de eerdere melding. {told}" if event.again else told]
    if event.life:
        parts.append(texts.LIFE[event.life])
    return " ".join(parts)


def _situation(household: Household, event: Event, luck: Random) -> dict[str, Any]:
    made: dict[str, Any] = {
        "omschrijving": texts.SITUATIONS[household.kind],
        "bestaandeHulpverlening": luck.choice(texts.HELP),
    }
    if event.reporter == "politie":
        made["tijdelijkHuisverbod"] = "Wordt onderzocht" if event.stage == 3 else "Nee"
        made["aanhouding"] = "Ja, verdachte is aangehouden" if event.stage == 3 and luck.random() < 0.5 else "Nee"
        made["aangifte"] = "Ja" if event.stage > 1 and luck.random() < 0.4 else "Nee"
        if event.earlier:
            times = "een eerdere melding" if event.earlier == 1 else f"{event.earlier} eerdere meldingen"
            made["relevanteRegistraties"] = [f"In de systemen: {times} op dit gezin."]
    return made


def _level(event: Event) -> str:
    if event.acute:
        return "hoog"
    return "matig" if event.stage > 1 else "laag"


def _spoil(mentions: list[dict[str, Any]]) -> None:
    """The slips that the edge remarks on: a BSN that fails the 11-test, a role off the list, half a postcode."""
    first = mentions[0]
    bsn = first.get("bsn", "999993653")
    first["bsn"] = f"{bsn[:-1]}{(int(bsn[-1]) + 1) % 10}"
    first.pop("geenWaardeReden", None)
    first["rol"] = {"tekst": "partner"}
    first["adressen"][0]["postcode"] = first["adressen"][0]["postcode"][:4]


def _blur(made: dict[str, Any]) -> None:
    """The reporter knows a letter and a surname: the radar asks whether this is somebody that we know."""
    for name in ("bsn", "geboortedatum", "telefoonnummers"):
        made.pop(name, None)
    made["naam"]["voornamen"] = f"{made['naam']['voornamen'][0]}."
    made["geenWaardeReden"] = {"bsn": "waardeOnbekend", "geboortedatum": "waardeOnbekend"}


def _teacher(luck: Random) -> dict[str, Any]:
    surname = luck.choice(("Lindeboom", "Vermaat", "Terpstra", "Kanters"))
    return {
        "rol": {"tekst": "onderwijsgevende"},
        "naam": {"geslachtsnaam": surname},
        "geslacht": luck.choice(("M", "V")),
        "geenWaardeReden": {"bsn": "geenWaarde"},
    }


def _department(name: str, household: Household) -> str:
    return f"Basisteam {household.home.place}" if name.startswith("Politie") else f"Aandachtsfunctionaris {name}"


def _place(home: Home) -> str:
    return f"{home.street} {home.number}{home.addition}, {home.place}"


def _date(day: date) -> dict[str, str]:
    return {"tekst": f"{day:%Y%m%d}", "indicatie": "V"}
