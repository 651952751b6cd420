"""What is typed during a call, and what is still wrong with it for a report, in sentences beside the field. Pure.

The fields of the form are flat: `p1.voornamen` is of person 1, `a1.straat` of address 1; a person names his address
by its number, so that it is typed once. What is empty is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from core.identity import Address, Bsn, PartialDate
from intake.codelists import codelists
from intake.corv.codes import ROLES
from intake.input_rules import ILLEGAL_CHARACTERS

Fields = Mapping[str, str]
MAX_PERSONS, MAX_ADDRESSES = 20, 10
LONG, SHORT, TINY = 20_000, 200, 40
WAYS = {"telefoon": "Telefoon", "balie": "Balie"}
ANSWERS = {"ja": "Ja", "nee": "Nee", "onbekend": "Onbekend"}
SEXES = {"V": "Vrouw", "M": "Man", "O": "Onbekend"}
NO_ROLES = frozenset({"melder"})
"""Who reports stands at the top of the form and goes into his vault; he is not one of the family by that."""
PERSON = ("rol", "voornamen", "voorvoegsel", "achternaam", "geslacht", "bsn", "telefoon", "adres", "bijzonder")
BORN = ("geboren.dag", "geboren.maand", "geboren.jaar")
ADDRESS = ("straat", "huisnummer", "toevoeging", "postcode", "woonplaats")
ADVICE = ("advies_vraag", "advies_gegeven", "advies_vervolg", "advies_contact")
"""What is typed on the page of the advice, kept with the call."""
_LONG = frozenset(
    "wat zorg nu_veilig_toelichting kinderen_toelichting blijft_helpen ambtshalve_reden bijzonder".split()
).union(ADVICE)
_TINY = frozenset(("bsn", "telefoon", "voorvoegsel", "huisnummer", "toevoeging", "postcode"))
_HOUSE = re.compile(r"[0-9]{1,5}")
_PHONE = re.compile(r"[0-9+()\-./ ]{6,40}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ROW = re.compile(r"([pa])([1-9][0-9]?)\.")
_LISTED = re.compile(r"(aanleiding|aard)\.[0-9A-Za-z-]{1,10}")
_SIMPLE = frozenset(
    "wijze hoedanigheid anoniem melder_naam melder_functie melder_organisatie melder_telefoon melder_email"
    " melder_veilig melder_bekend terugkoppeling niet_terugbellen ambtshalve ambtshalve_reden wat waar laatst.dag"
    " laatst.maand laatst.jaar zorg sinds nu_veilig nu_veilig_toelichting kinderen kinderen_toelichting gezin_weet"
    " waarom_niet blijft_helpen".split()
)
_OF_ROW = {
    "p": frozenset((*PERSON, *BORN, "geheim")),
    "a": frozenset(ADDRESS),
}
NEW: Fields = {"wijze": "telefoon", "a1.straat": "", "p1.rol": "", "p2.rol": ""}
"""A new call: one address and two persons to fill in."""


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────


def typed(form: Fields, before: Fields) -> dict[str, str]:
    """What a form of this page says, to be kept as typed; what it does not ask stays as it was before.

    Fields that are not ours are left out, and so is what is empty, except the first field of each row.
    """
    found: dict[str, str] = {}
    for name, value in form.items():
        if _is_ours(name) and (value.strip() or name.endswith((".rol", ".straat"))):
            found[name] = value.replace("\r\n", "\n")
    return found | {name: before[name] for name in ADVICE if name in before}


def typed_advice(form: Fields, before: Fields) -> dict[str, str]:
    """The same for the page of the advice."""

    def asked(name: str) -> bool:
        return name in ADVICE or name == "hoedanigheid" or bool(_LISTED.fullmatch(name))

    kept = {name: value for name, value in before.items() if not asked(name)}
    return kept | {name: value.replace("\r\n", "\n") for name, value in form.items() if asked(name)}


def with_row(fields: Fields, letter: str) -> tuple[dict[str, str], int]:
    """The form with one more person ("p") or address ("a"), and its number; 0 when there can be no more."""
    numbers = rows(fields, letter)
    if len(numbers) >= (MAX_PERSONS if letter == "p" else MAX_ADDRESSES):
        return dict(fields), 0
    number = max(numbers, default=0) + 1
    return {**fields, f"{letter}{number}.{'rol' if letter == 'p' else 'straat'}": ""}, number


def without_row(fields: Fields, row: str) -> dict[str, str]:
    """The form without a row, as "p2"; who lived at an address that is gone lives nowhere for now."""
    kept = {name: value for name, value in fields.items() if not name.startswith(f"{row}.")}
    if row.startswith("a"):
        kept = {name: value for name, value in kept.items() if not (name.endswith(".adres") and value == row[1:])}
    return kept


def _is_ours(name: str) -> bool:
    if match := _ROW.match(name):
        most = MAX_PERSONS if match[1] == "p" else MAX_ADDRESSES
        return int(match[2]) <= 3 * most and name[match.end() :] in _OF_ROW[match[1]]
    return name in _SIMPLE or bool(_LISTED.fullmatch(name))


def rows(fields: Fields, letter: str) -> list[int]:
    """The numbers of the persons ("p") or addresses ("a") in the form, empty ones too."""
    found = {int(match[2]) for name in fields if (match := _ROW.match(name)) and match[1] == letter}
    return sorted(found)[: MAX_PERSONS if letter == "p" else MAX_ADDRESSES]


def filled_persons(fields: Fields) -> list[int]:
    """The persons of whom something was typed."""
    names = [name for name in (*PERSON, *BORN) if name != "adres"]
    return [row for row in rows(fields, "p") if any(said(fields, f"p{row}.{name}") for name in names)]


def filled_addresses(fields: Fields) -> list[int]:
    """The addresses of which something was typed."""
    return [row for row in rows(fields, "a") if any(said(fields, f"a{row}.{name}") for name in ADDRESS)]


def said(fields: Fields, name: str) -> str:
    """What was typed in a field, without spaces around it."""
    return fields.get(name, "").replace("\r\n", "\n").strip()


def ticked(fields: Fields, prefix: str) -> list[str]:
    """The codes that were ticked of a list."""
    return [
        name.removeprefix(f"{prefix}.") for name, value in fields.items() if name.startswith(f"{prefix}.") and value
    ]


def is_own(fields: Fields) -> bool:
    """Whether Veilig Thuis reports by itself (ambtshalve melding)."""
    return said(fields, "ambtshalve") == "ja"


def nameless(fields: Fields) -> bool:
    """Whether it is not known who reports: then it can be no report (domain.md 1.4)."""
    return not is_own(fields) and (said(fields, "anoniem") == "ja" or not said(fields, "melder_naam"))


# ── what is wrong, in sentences that say what to do ─────────────────────────────────────────────────────────


def wrong(fields: Fields, today: date) -> dict[str, str]:
    """What must be filled in or changed before this is a report, by field in the order of the form."""
    errors: dict[str, str] = {}
    for check in (_reporter, _story, _addresses, _persons, _lists, _family):
        errors |= check(fields, today)
    for name, value in fields.items():
        if name not in errors and (text := _unwritable(name, value)):
            errors[name] = text
    return errors


def _unwritable(name: str, value: str) -> str:
    if ILLEGAL_CHARACTERS.search(value):
        return "Hier staat een teken in dat wij niet kunnen bewaren. Typ het opnieuw."
    plain = name.partition(".")[2] if _ROW.match(name) else name
    most = LONG if plain in _LONG else TINY if plain in _TINY else SHORT
    return "Dit is te lang. Schrijf het korter." if len(value) > most else ""


def _reporter(fields: Fields, today: date) -> dict[str, str]:
    errors: dict[str, str] = {}
    if said(fields, "wijze") not in WAYS:
        errors["wijze"] = "Kies of het gesprek aan de telefoon of aan de balie is."
    if is_own(fields):
        if not said(fields, "ambtshalve_reden"):
            errors["ambtshalve_reden"] = "Schrijf waarom Veilig Thuis zelf een melding maakt."
        return errors
    if said(fields, "hoedanigheid") not in {one.code for one in codelists().capacities}:
        errors["hoedanigheid"] = "Kies wie er belt."
    if nameless(fields):
        errors["melder_naam"] = (
            "Voor een melding moet Veilig Thuis weten wie er meldt. Vraag de naam, of maak er een advies van."
            " Het gezin hoeft de naam niet te horen."
        )
    elif not any(said(fields, name) for name in ("melder_telefoon", "melder_email", "melder_veilig")):
        errors["melder_telefoon"] = "Vul een telefoonnummer of e-mailadres in, of hoe de melder te bereiken is."
    if (phone := said(fields, "melder_telefoon")) and not _PHONE.fullmatch(phone):
        errors["melder_telefoon"] = "Dit is geen telefoonnummer. Typ alleen cijfers, bijvoorbeeld 06 12345678."
    if (email := said(fields, "melder_email")) and not _EMAIL.fullmatch(email):
        errors["melder_email"] = "Dit e-mailadres klopt niet. Een adres heeft een @, zoals naam@voorbeeld.nl."
    return errors


def _story(fields: Fields, today: date) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not said(fields, "wat"):
        errors["wat"] = "Schrijf wat er aan de hand is."
    if text := date_error(fields, "laatst", today):
        errors["laatst"] = text
    if said(fields, "nu_veilig") not in ANSWERS:
        errors["nu_veilig"] = "Vraag of het nu veilig is. Kies ja, nee of onbekend."
    if said(fields, "kinderen") not in ANSWERS:
        errors["kinderen"] = "Vraag of er kinderen zijn. Kies ja, nee of onbekend."
    return errors


def _addresses(fields: Fields, today: date) -> dict[str, str]:
    errors: dict[str, str] = {}
    for row in filled_addresses(fields):
        at = f"a{row}."
        postcode, house = said(fields, f"{at}postcode"), said(fields, f"{at}huisnummer")
        street, town = said(fields, f"{at}straat"), said(fields, f"{at}woonplaats")
        if postcode and Address.parse(postcode=postcode).postcode_status not in ("complete", "digits_only"):
            errors[f"{at}postcode"] = "Een postcode heeft vier cijfers en twee letters, zoals 1234 AB."
        if house and not _HOUSE.fullmatch(house):
            errors[f"{at}huisnummer"] = "Typ hier alleen het nummer. Een letter of bis komt in het vak erachter."
        if not (postcode and house) and not town and not street:
            errors[f"{at}postcode"] = "Vul postcode en huisnummer in, of straat en woonplaats."
    return errors


def _persons(fields: Fields, today: date) -> dict[str, str]:
    errors: dict[str, str] = {}
    persons = filled_persons(fields)
    if not persons:
        first = (rows(fields, "p") or [1])[0]
        errors[f"p{first}.achternaam"] = "Een melding noemt minstens één persoon. Vul in om wie het gaat."
    known = filled_addresses(fields)
    for row in persons:
        at = f"p{row}."
        if said(fields, f"{at}rol") not in roles():
            errors[f"{at}rol"] = "Kies wie dit is in het gezin."
        if not said(fields, f"{at}achternaam") and not said(fields, f"{at}voornamen"):
            errors[f"{at}achternaam"] = "Vul een naam in. Weet de beller die niet? Typ dan: onbekend."
        if said(fields, f"{at}geslacht") not in ("", *SEXES):
            errors[f"{at}geslacht"] = "Kies een geslacht uit de lijst, of laat het open."
        if text := date_error(fields, f"{at}geboren", today):
            errors[f"{at}geboren"] = text
        if said(fields, f"{at}bsn") and Bsn.parse(said(fields, f"{at}bsn")).status == "invalid":
            errors[f"{at}bsn"] = "Dit BSN klopt niet. Lees de negen cijfers nog eens na, of laat het leeg."
        if (phone := said(fields, f"{at}telefoon")) and not _PHONE.fullmatch(phone):
            errors[f"{at}telefoon"] = "Dit is geen telefoonnummer. Typ alleen cijfers, bijvoorbeeld 06 12345678."
        chosen = said(fields, f"{at}adres")
        if chosen and chosen not in {str(one) for one in known}:
            errors[f"{at}adres"] = "Dit adres is leeg. Vul het adres in, of kies een ander."
    return errors


def _lists(fields: Fields, today: date) -> dict[str, str]:
    lists = codelists()
    occasions, natures = ticked(fields, "aanleiding"), ticked(fields, "aard")
    groups = {one.code: one.group for one in lists.occasions}
    if not occasions:
        return {"aanleiding": "Kies minstens één aanleiding."}
    if not set(occasions) <= set(groups):
        return {"aanleiding": "Kies een aanleiding uit de lijst."}
    child = {one.code for one in lists.natures if one.group == "child"}
    if not set(natures) <= {one.code for one in lists.natures}:
        return {"aard": "Kies de aard uit de lijst."}
    if child & set(natures) and "child" not in {groups[code] for code in occasions}:
        return {
            "aard": "Dit soort geweld hoort bij kindermishandeling. Kies bij de aanleiding ook kindermishandeling."
        }
    return {}


def _family(fields: Fields, today: date) -> dict[str, str]:
    told = said(fields, "gezin_weet")
    return {"gezin_weet": "Kies ja, nee of onbekend, of laat het open."} if told and told not in ANSWERS else {}


def date_error(fields: Fields, name: str, today: date) -> str:
    day, month, year = (said(fields, f"{name}.{part}") for part in ("dag", "maand", "jaar"))
    if not (day or month or year):
        return ""
    if not all(part == "" or (part.isascii() and part.isdecimal()) for part in (day, month, year)):
        return "Typ de datum in cijfers, bijvoorbeeld 1 3 2015."
    if len(year) != 4:
        return "Vul het jaar in vier cijfers in. Een schatting mag."
    if day and not month:
        return "Vul bij een dag ook de maand in, of laat de dag leeg."
    found = PartialDate.from_stuf(stuf(day, month, year))
    if found.impossible or (day and found.day is None) or (month and found.month is None):
        return "Deze datum bestaat niet. Kijk de dag en de maand na."
    return "Deze datum is in de toekomst. Kijk het jaar na." if found.is_after(today) else ""


def roles() -> dict[str, str]:
    """The roles to choose from, as text to text: those of the reference list (standards.md 1.5)."""
    return {text: text[:1].upper() + text[1:] for text in ROLES if text not in NO_ROLES}


def stuf(day: str, month: str, year: str) -> str:
    """A date as StUF writes it, with zeros for what is unknown (standards.md 3.1)."""
    return f"{year:0>4}{month or '0':0>2}{day or '0':0>2}"
