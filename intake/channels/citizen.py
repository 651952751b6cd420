"""The form for everybody: what a citizen typed, as a report or as a request for advice. Pure.

Who reports must be known to Veilig Thuis and to nobody else (domain.md 1.4): name, capacity in words and how to be
reached go into `melding.contact`, and so into the reporter's vault. A request for advice names no family.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from core.identity import Address, PartialDate, Phone
from core.secrets import keyed_hash
from intake.advice import AdviceInput, AskerContact
from intake.codelists import codelists, text_of
from intake.input_rules import ILLEGAL_CHARACTERS

Fields = Mapping[str, str]
ME, OTHER = "ik", "ander"
ADVICE, REPORT = "advies", "melding"
LONG, SHORT, TINY = 10_000, 200, 40
CHILDREN = (1, 2, 3, 4)
ADULT = 18
ANSWERS = ("ja", "nee", "onbekend")
OCCASIONS = {
    "01": "Geweld door een partner of een ex-partner",
    "08": "Een kind met wie het thuis niet goed gaat",
    "03": "Een oudere of zieke die slecht wordt behandeld",
    "04": "Geweld van een kind tegen een ouder",
    "02": "Geweld of dwang vanwege de eer van de familie",
    "09": "Iets anders",
}
"""What it is about, in the words of who asks; the codes are those of codelists.py, each under its own name."""
CAPACITIES = {
    ME: {
        "31": "Iemand doet mij pijn of ik ben bang voor iemand",
        "32": "Ik ben een kind of een jongere",
        "30": "Ik doe een ander pijn en ik wil dat het stopt",
    },
    OTHER: {
        "33": "Familie",
        "34": "Vriend, vriendin of bekende",
        "35": "Buur",
        "36": "Vrijwilliger",
        "40": "Iemand anders",
        "41": "Dat zeg ik liever niet",
    },
}
"""Who fills in the form, in his own words."""
WAYS = {
    "telefoon": "Ja, bel mij",
    "email": "Ja, mail mij",
    "niet": "Nee, neem geen contact op. Ik bel zelf",
}
"""How Veilig Thuis may reach who reports."""
_WAY_TOLD = {
    "telefoon": "Bellen mag.",
    "email": "Mailen mag.",
    "niet": "Niet zelf contact opnemen: de melder belt.",
}
SECRET = {"naam": "adres geheim", "waarde": "ja, zegt de melder"}
"""A sign that intake/protected.py knows: the address goes into its vault at receipt."""
NOT_A_NAME = "De vrager las het na en zegt dat het geen gegeven van een ander is."
_EMAIL = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,180}\.[^\s@<>.]{2,60}")
_DAY = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")
_POSTCODE = re.compile(r"\d{4} ?[a-zA-Z]{2}|\d{4}")
_HOUSE = re.compile(r"(.*?\D)[ ,]*(\d{1,5})[ -]*([a-zA-Z0-9-]{0,8})")


def said(fields: Fields, name: str) -> str:
    """What was typed, without the space around it."""
    return fields.get(name, "").replace("\r\n", "\n").strip()


def occasions() -> list[tuple[str, str]]:
    """What it can be about, for the form; only codes that the lists in force know."""
    known = {one.code for one in codelists().occasions}
    return [(code, words) for code, words in OCCASIONS.items() if code in known]


def capacities(about: str) -> list[tuple[str, str]]:
    """Who can fill in the form about himself or about another, for the form."""
    known = {one.code for one in codelists().capacities}
    return [(code, words) for code, words in CAPACITIES[about].items() if code in known]


def number_of(form: UUID) -> str:
    """The number of what was sent: sixteen digits that say nothing to who finds them."""
    digits = f"{int.from_bytes(keyed_hash(f'citizen:number:{form}')[:8]) % 10**16:016}"
    return " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def reference_of(form: UUID, fields: Fields) -> UUID:
    """The reference of this form with this content: sent twice it is one report, changed it is one more."""
    told = "\x1f".join(f"{name}={said(fields, name)}" for name in sorted(fields) if name not in ("doe", "l"))
    return UUID(bytes=keyed_hash(f"citizen:{form}:{told}")[:16], version=4)


# ── what is wrong, in sentences that say what to do ─────────────────────────────────────────────────────────


def wrong(fields: Fields, today: date, municipalities: Collection[str]) -> dict[str, str]:
    """What must be filled in or changed before this can be sent, by field in the order of the form.

    `municipalities`: the codes to choose from; empty when there is nothing to choose.
    """
    about, report = fields.get("over"), fields.get("wens") == REPORT
    errors: dict[str, str] = {}
    if not said(fields, "gebeurt"):
        errors["gebeurt"] = "Schrijf in een paar zinnen wat er gebeurt."
    if said(fields, "aanleiding") not in dict(occasions()):
        errors["aanleiding"] = "Kies waar het over gaat."
    for name in ("veilig", "kinderen"):
        if said(fields, name) not in (*ANSWERS, ""):
            errors[name] = "Kies ja, nee of 'weet ik niet'."
    if municipalities and said(fields, "gemeente") not in municipalities:
        errors["gemeente"] = "Kies de gemeente. Weet u die niet? Kies dan de gemeente waar u zelf bent."
    if about in CAPACITIES and said(fields, "wie") not in dict(capacities(about)):
        errors["wie"] = "Kies wat het beste bij u past."
    if report:
        errors |= _persons(fields, today) | _place(fields)
    errors |= _reach(fields, report)
    for name, value in fields.items():
        if name not in errors and (text := _unwritable(name, value)):
            errors[name] = text
    return errors


def _persons(fields: Fields, today: date) -> dict[str, str]:
    errors = {}
    named = ("slachtoffer", "pleger", "adres", *(f"kind{n}" for n in CHILDREN))
    if fields.get("over") != ME and not any(said(fields, name) for name in named):
        errors["slachtoffer"] = "Vul een naam in, of vul hieronder het adres in. Weet u geen van beide? Bel dan."
    for name in _ages():
        text = said(fields, name)
        if (found := _DAY.fullmatch(text)) and not _real_day(found, today):
            errors[name] = "Deze dag bestaat niet of is nog niet geweest. Typ een leeftijd, of een dag als 3-5-2016."
    return errors


def _ages() -> tuple[str, ...]:
    return ("leeftijd", "slachtoffer_leeftijd", "pleger_leeftijd", *(f"kind{n}_leeftijd" for n in CHILDREN))


def _real_day(found: re.Match[str], today: date) -> bool:
    try:
        return date(1900, 1, 1) <= date(int(found[3]), int(found[2]), int(found[1])) <= today
    except ValueError:
        return False


def _place(fields: Fields) -> dict[str, str]:
    text = said(fields, "postcode")
    if text[:4].isdecimal() and not _POSTCODE.fullmatch(text):
        return {"postcode": "Een postcode heeft vier cijfers en twee letters, zoals 1234 AB."}
    return {}


def _reach(fields: Fields, report: bool) -> dict[str, str]:
    """Who reports is known, and whoever wants to be reached says how."""
    errors: dict[str, str] = {}
    way, phone, email = (said(fields, name) for name in ("bereik", "telefoon", "email"))
    if report and not said(fields, "naam"):
        errors["naam"] = "Vul uw naam in. Wilt u uw naam niet geven? Kies dan onderaan voor advies, of bel ons."
    if way not in WAYS:
        errors["bereik"] = "Kies of en hoe wij contact met u mogen opnemen."
    if way == "telefoon" and not phone:
        errors["telefoon"] = "Vul het nummer in waarop wij u veilig kunnen bellen."
    elif phone and Phone.parse(phone).value is None and not _abroad(phone):
        errors["telefoon"] = "Dit nummer klopt niet. Typ alleen cijfers, zoals 06 12345678."
    if way == "email" and not email:
        errors["email"] = "Vul het e-mailadres in waarop wij u veilig kunnen mailen."
    elif email and not _EMAIL.fullmatch(email):
        errors["email"] = "Dit e-mailadres klopt niet. Een adres heeft een @, zoals naam@voorbeeld.nl."
    return errors


def _abroad(phone: str) -> bool:
    """A number of another country: nobody is turned away because his phone is foreign."""
    return re.fullmatch(r"(\+|00)(?!31)\d{7,14}", re.sub(r"[\s().-]", "", phone)) is not None


def _unwritable(name: str, value: str) -> str:
    if ILLEGAL_CHARACTERS.search(value):
        return "Hier staat een teken in dat wij niet kunnen bewaren. Typ het opnieuw."
    if name == "gebeurt":
        return "Dit is te lang. Maak het korter; wij vragen later verder." if len(value) > LONG else ""
    most = TINY if name in ("telefoon", "postcode") or name in _ages() else SHORT
    if name in ("sinds", "wanneer", "kinderen_meer"):
        most = 500
    return "Dit is te lang. Maak het korter." if len(value) > most else ""


# ── what it becomes ─────────────────────────────────────────────────────────────────────────────────────────


def body(fields: Fields, form: UUID, today: date, municipality: str = "") -> dict[str, Any]:
    """The report as the JSON door takes it, without its header, of fields in which nothing is wrong.

    `municipality`: its name, the town of the address when nobody typed one.
    """
    way = said(fields, "bereik")
    return {
        "melding": {
            "kenmerk": number_of(form),
            "datum": _day(today),
            "agenderingGewenst": False,
            "sash": {"ingevuld": False},
            "contact": _contact(fields),
        },
        "incident": {"omschrijving": said(fields, "gebeurt")},
        "betrokkenen": _concerned(fields, today, municipality),
        "aanmelding": _kept(
            {
                "wijze": "formulier",
                "hoedanigheid": said(fields, "wie"),
                "aanleidingen": [said(fields, "aanleiding")],
                "sinds": said(fields, "sinds"),
                "nuVeilig": said(fields, "veilig") or "onbekend",
                "kinderen": said(fields, "kinderen") or "onbekend",
                "kinderenToelichting": said(fields, "kinderen_meer"),
                "terugkoppelingGewenst": way != "niet",
                "nietTerugbellen": True if way != "telefoon" else None,
            }
        ),
    }


def advice(fields: Fields) -> AdviceInput:
    """The request for advice, of fields in which nothing is wrong; without an answer, which a person gives."""
    way = said(fields, "bereik")
    lines = [said(fields, "gebeurt")]
    for name, label in (("sinds", "Sinds wanneer"), ("veilig", "Nu veilig"), ("kinderen", "Kinderen")):
        if text := said(fields, name):
            lines.append(f"{label}: {text}")
    if when := said(fields, "wanneer"):
        lines.append(f"Wanneer bereikbaar: {when}")
    contact = None
    if way != "niet":
        contact = AskerContact(
            consent=True,
            name=said(fields, "naam"),
            phone=said(fields, "telefoon") if way == "telefoon" else "",
            email=said(fields, "email") if way == "email" else "",
        )
    return AdviceInput(
        way="formulier",
        capacity=said(fields, "wie"),
        occasions=(said(fields, "aanleiding"),),
        question="\n".join(lines),
        contact=contact,
    )


def _contact(fields: Fields) -> dict[str, Any]:
    """Who reports and how to reach him: the whole of it goes into his vault."""
    way = said(fields, "bereik")
    reached = " ".join(part for part in (_WAY_TOLD.get(way, ""), said(fields, "wanneer")) if part)
    return _kept(
        {
            "naam": said(fields, "naam"),
            "functie": text_of(codelists().capacities, said(fields, "wie")),
            "telefoonnummers": [said(fields, "telefoon")] if said(fields, "telefoon") else None,
            "emails": [said(fields, "email")] if said(fields, "email") else None,
            "veiligBereikbaar": reached,
            "magBekendWorden": said(fields, "bekend") == "ja",
        }
    )


def _concerned(fields: Fields, today: date, municipality: str) -> list[dict[str, Any]]:
    """The persons named. Only who is hurt and the children get the address: who hurts may live elsewhere."""
    mine, address = fields.get("over") == ME, _address(fields, municipality)
    secret = said(fields, "geheim") == "ja"
    victim, other = "vermoedelijk slachtoffer", "vermoedelijke pleger"
    first = "naam" if mine else "slachtoffer"
    roles = (other, victim) if mine and said(fields, "wie") == "30" else (victim, other)
    persons = []
    # Where nobody of the household was named, the address itself is what can be looked for.
    household = [first, *(f"kind{n}" for n in CHILDREN)]
    if said(fields, first) or (said(fields, "adres") and not any(said(fields, name) for name in household)):
        age = "leeftijd" if mine else "slachtoffer_leeftijd"
        persons.append(_person(fields, first, age, roles[0], today) | _home(address, secret))
    if said(fields, "pleger"):
        persons.append(_person(fields, "pleger", "pleger_leeftijd", roles[1], today))
    for n in CHILDREN:
        if said(fields, f"kind{n}"):
            persons.append(
                _person(fields, f"kind{n}", f"kind{n}_leeftijd", "jeugdige", today) | _home(address, secret)
            )
    return persons


def _home(address: list[dict[str, Any]], secret: bool) -> dict[str, Any]:
    return _kept({"adressen": address, "extra": [SECRET] if secret else []})


def _person(fields: Fields, name: str, age: str, role: str, today: date) -> dict[str, Any]:
    written, born = said(fields, age), None
    if found := _DAY.fullmatch(written):
        born = {"tekst": f"{found[3]}{int(found[2]):02}{int(found[1]):02}", "indicatie": "V"}
    elif re.fullmatch(r"(19|20)\d\d", written) and int(written) <= today.year:
        born = {"tekst": f"{written}0000", "indicatie": "M"}
    young = (written.isdecimal() and int(written) < ADULT) or _young(born, today)
    return _kept(
        {
            "rol": {"tekst": "jeugdige" if young else role},
            "naam": _kept({"volledigeNaam": said(fields, name)}),
            "geboortedatum": born,
            "aanvullendeInformatie": f"Leeftijd volgens de melder: {written}." if written and not born else "",
        }
    )


def _young(born: Mapping[str, str] | None, today: date) -> bool:
    first = PartialDate.from_stuf(born["tekst"], born["indicatie"]).earliest() if born else None
    return first is not None and (today - first).days < ADULT * 365.25


def _address(fields: Fields, municipality: str) -> list[dict[str, Any]]:
    """The address as far as it was given; a street without a number stays whole."""
    line, place = said(fields, "adres"), said(fields, "postcode")
    found = _HOUSE.fullmatch(line)
    postcode = Address.parse(postcode=place).postcode if _POSTCODE.fullmatch(place) else ""
    town = municipality if postcode or not place else place
    if not (line or place):
        return [{"soort": "feitelijk", "woonplaats": town}] if town else []
    return [
        {"soort": "feitelijk"}
        | _kept(
            {
                "straat": (found[1] if found else line).strip(" ,"),
                "huisnummer": found[2] if found else "",
                "toevoeging": found[3] if found else "",
                "postcode": postcode,
                "woonplaats": town,
            }
        )
    ]


def _day(day: date) -> dict[str, str]:
    return {"tekst": f"{day:%Y%m%d}", "indicatie": "V"}


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in values.items() if value not in ("", None, [], {})}
