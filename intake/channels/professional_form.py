"""The form of a professional: its steps and fields, and what is wrong with an answer.

It follows the five steps of the reporting code (meldcode) and its weighing frame (domain.md 6). Pure: answers are a
flat mapping of field names to text, those of the n-th person begin with `pn.`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from core.identity import Bsn, PartialDate
from intake.codelists import codelists, options
from intake.input_rules import ILLEGAL_CHARACTERS

Answers = Mapping[str, str]
Errors = dict[str, str]

STEPS = {
    "situatie": "Is het nu veilig?",
    "uzelf": "Over uzelf",
    "personen": "Om wie gaat het?",
    "signalen": "Stap 1: wat zag en hoorde u?",
    "overleg": "Stap 2: met wie overlegde u?",
    "gesprek": "Stap 3: het gesprek",
    "afweging": "Stap 4: wegen",
    "besluit": "Stap 5: beslissen",
    "bijlagen": "Bijlagen",
    "controle": "Nakijken en versturen",
}
"""The pages, in order. The form can be left and gone on with on each of them."""
MAX_PERSONS = 12
SHORT, LONG = 200, 20_000
TOO_LONG = {
    SHORT: "Maak deze tekst korter: hoogstens 200 tekens.",
    LONG: "Maak deze tekst korter: hoogstens 20.000 tekens.",
}

YES_NO = (("ja", "Ja"), ("nee", "Nee"), ("onbekend", "Weet ik niet"))
SECTORS = {
    "onderwijs": "Onderwijs",
    "zorg": "Gezondheidszorg",
    "kinderopvang": "Kinderopvang",
    "jeugdhulp": "Jeugdhulp",
    "lokaal_team": "Wijkteam of lokaal team",
    "gemeente": "Gemeente, ook leerplicht",
    "anders": "Anders",
}
"""The kinds of reporters (intake.senders.KINDS) that use this form."""
GROUNDS = {
    "threat_family": "Het brengt een betrokkene of iemand in de omgeving in gevaar.",
    "threat_reporter": "Het brengt mij of mijn collega's in gevaar.",
    "trust": "Het kan de vertrouwensband met het gezin ernstig schaden.",
}
"""The three grounds of Uitvoeringsbesluit Wmo 2015 art. 4.1.8 lid 3; codes as in radar/protection/reporters.toml."""
ROLES = (
    "jeugdige",
    "ouder met gezag",
    "ouder zonder gezag",
    "ouder, gezag niet benoemd",
    "stiefouder",
    "pleegouder",
    "opvoeder/verzorger",
    "partner",
    "ex-partner",
    "broer of zus",
    "grootouder",
    "overige verwant",
)
"""Of the list of roles; it has no word for a partner, so that is sent as a text of our own."""
SEXES = (("V", "Vrouw"), ("M", "Man"), ("O", "Anders of onbekend"))
REACHED = (
    ("1", "Stap 1: signalen in kaart"),
    ("2", "Stap 2: overleg met een collega"),
    ("3", "Stap 3: gesprek met de betrokkenen"),
    ("4", "Stap 4: wegen"),
    ("5", "Stap 5: beslissen"),
)
WATCH = {
    "melder": "Ik of mijn organisatie houdt zicht op de veiligheid tot Veilig Thuis contact met mij heeft.",
    "veilig_thuis": "Ik kan dat niet. Veilig Thuis moet dit meteen overnemen.",
}
WEIGHING = {
    "vermoeden": "Is er, na stap 1 tot en met 3, een vermoeden van huiselijk geweld of kindermishandeling?",
    "onveilig": "Is er acute of structurele onveiligheid?",
    "hulpMogelijk": "Kunt u zelf hulp geven of regelen die werkt?",
    "hulpAanvaard": "Nemen de betrokkenen die hulp aan?",
    "resultaat": "Leidt die hulp binnen de afgesproken tijd tot veiligheid?",
}
PERSON_FIELDS = (
    *("voornamen", "voorvoegsel", "geslachtsnaam", "geboortedatum.dag", "geboortedatum.maand", "geboortedatum.jaar"),
    *("geslacht", "rol", "bsn", "straat", "huisnummer", "toevoeging", "postcode", "woonplaats", "telefoon", "info"),
)
ADDRESS = ("straat", "huisnummer", "toevoeging", "postcode", "woonplaats")
FIELDS: dict[str, tuple[str, ...]] = {
    "situatie": ("nuVeilig", "nuVeiligToelichting", "gemeente"),
    "uzelf": (
        *("sector", "organisatie", "naam", "functie", "telefoon", "email", "veiligBereikbaar", "hoedanigheid"),
        *("bekend", "grond", "grondToelichting"),
    ),
    "personen": (),
    "signalen": ("feiten", "bron", "indruk", "sinds"),
    "overleg": ("overleg", "kinderen", "kinderenToelichting", "kindcheck"),
    "gesprek": ("gezinGeinformeerd", "reactie", "waaromNiet"),
    "afweging": tuple(WEIGHING),
    "besluit": ("stap", "besluit", "blijftHelpen", "zicht", "terugkoppeling"),
    "bijlagen": (),
    "controle": (),
}
CHECKS = {"signalen": ("aanleiding", "aard")}
PHARMACY_FIELDS = (
    "naam",
    "apotheek",
    "telefoon",
    "slachtofferHier",
    "nuVeilig",
    "gemeente",
    "slachtoffer",
    "verhaal",
)
LONG_FIELDS = frozenset(
    "nuVeiligToelichting grondToelichting feiten bron indruk overleg kinderenToelichting reactie waaromNiet besluit"
    " blijftHelpen info verhaal veiligBereikbaar".split()
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DIGITS = re.compile(r"[0-9]")


def fields_of(step: str) -> list[str]:
    """The names that the form of this step sends."""
    lists = codelists()
    codes = {"aanleiding": lists.occasions, "aard": lists.natures}
    return [*FIELDS[step], *(f"{name}.{one.code}" for name in CHECKS.get(step, ()) for one in codes[name])]


def taken(sent: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """What was typed in these fields, without characters that no message can hold; line ends as one character."""
    found = {}
    for name in names:
        text = sent.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
        found[name] = ILLEGAL_CHARACTERS.sub("", text).strip()
    return found


# ── what is wrong ────────────────────────────────────────────────────────────────────────────────────────────────


def errors(step: str, answers: Answers, municipalities: Collection[str] = ()) -> Errors:
    """What is wrong on this page, by field: a sentence that says what to do. `municipalities`: the codes on offer."""
    found = _too_long(answers, fields_of(step))
    found |= {name: text for name, text in _RULES.get(step, _nothing)(answers) if name not in found}
    if step == "situatie" and municipalities and answers.get("gemeente") not in municipalities:
        found["gemeente"] = "Kies de gemeente waar de betrokkenen wonen of verblijven."
    return found


def all_errors(answers: Answers, municipalities: Collection[str]) -> dict[str, Errors]:
    """Every page on which something is wrong."""
    found = {step: errors(step, answers, municipalities) for step in STEPS}
    for number in persons(answers):
        if wrong := person_errors(person(answers, number)):
            found[f"persoon/{number}"] = wrong
    return {step: wrong for step, wrong in found.items() if wrong}


def person_errors(one: Answers) -> Errors:
    """What is wrong with one person; `one` has the names without `pn.`."""
    found = _too_long(one, PERSON_FIELDS)
    if not (one.get("voornamen") or one.get("geslachtsnaam")):
        found["geslachtsnaam"] = (
            "Vul een voornaam of achternaam in. Weet u geen naam? Schrijf dan bijvoorbeeld: onbekend."
        )
    if one.get("rol") not in ROLES:
        found["rol"] = "Kies wie dit is."
    if one.get("geslacht") and one["geslacht"] not in dict(SEXES):
        found["geslacht"] = "Kies een van de antwoorden."
    if one.get("bsn") and Bsn.parse(one["bsn"]).status != "valid":
        found["bsn"] = "Dit nummer klopt niet. Kijk het BSN na, of laat het leeg."
    if one.get("postcode") and not re.fullmatch(r"[1-9][0-9]{3} ?[A-Za-z]{2}", one["postcode"]):
        found["postcode"] = "Schrijf de postcode als 1234 AB, of laat hem leeg."
    if one.get("huisnummer") and not re.match(r"[0-9]", one["huisnummer"]):
        found["huisnummer"] = "Begin met het huisnummer, bijvoorbeeld 12. Een toevoeging staat in het volgende veld."
    if one.get("telefoon") and len(_DIGITS.findall(one["telefoon"])) < 8:
        found["telefoon"] = "Kijk het telefoonnummer na, of laat het leeg."
    if wrong := _wrong_date(one):
        found["geboortedatum"] = wrong
    return found


def pharmacy_errors(answers: Answers, municipalities: Collection[str]) -> Errors:
    """What is wrong with the form of a pharmacy."""
    found = _too_long(answers, PHARMACY_FIELDS)
    required = {
        "slachtofferHier": "Kies of het slachtoffer nu bij u in de apotheek is.",
        "apotheek": "Vul de naam en de plaats van uw apotheek in.",
        "naam": "Vul uw naam in. Zonder naam kan dit geen melding zijn: bel dan 0800-2000 voor advies.",
        "telefoon": "Vul een nummer in waarop wij ú kunnen bellen, niet het slachtoffer.",
        "slachtoffer": "Vul in wat u weet van de naam. Weet u niets? Schrijf dan: onbekend.",
    }
    for name, text in required.items():
        if not answers.get(name) and name not in found:
            found[name] = text
    for name in ("slachtofferHier", "nuVeilig"):
        if answers.get(name) and answers[name] not in dict(YES_NO):
            found[name] = "Kies een van de antwoorden."
    if not answers.get("nuVeilig"):
        found["nuVeilig"] = "Kies of het slachtoffer nu veilig is. Weet u het niet, kies dan: weet ik niet."
    if answers.get("telefoon") and len(_DIGITS.findall(answers["telefoon"])) < 8:
        found["telefoon"] = "Kijk het telefoonnummer na."
    if municipalities and answers.get("gemeente") not in municipalities:
        found["gemeente"] = (
            "Kies de gemeente waar het slachtoffer woont. Weet u die niet, kies dan uw eigen gemeente."
        )
    return found


def _too_long(answers: Answers, names: Collection[str]) -> Errors:
    found = {}
    for name in names:
        most = LONG if name in LONG_FIELDS else SHORT
        if len(answers.get(name, "")) > most:
            found[name] = TOO_LONG[most]
    return found


Found = Iterator[tuple[str, str]]


def _nothing(answers: Answers) -> Found:
    yield from ()


def _one_of(answers: Answers, name: str, known: Collection[str], text: str) -> Found:
    if answers.get(name, "") not in known:
        yield name, text


def _situation(answers: Answers) -> Found:
    text = "Kies of iedereen nu veilig is. Weet u het niet, kies dan: weet ik niet."
    yield from _one_of(answers, "nuVeilig", dict(YES_NO), text)


def _reporter(answers: Answers) -> Found:
    yield from _one_of(answers, "sector", SECTORS, "Kies waar u werkt.")
    if not answers.get("organisatie"):
        yield "organisatie", "Vul de naam van uw organisatie in."
    if not answers.get("naam"):
        yield "naam", "Vul uw naam in. Zonder naam kan dit geen melding zijn: bel dan 0800-2000 voor advies."
    if not answers.get("functie"):
        yield "functie", "Vul uw functie in, bijvoorbeeld: intern begeleider."
    if not answers.get("telefoon") and not answers.get("email"):
        yield "telefoon", "Vul een telefoonnummer of een e-mailadres in: wij moeten u kunnen bereiken."
    if answers.get("telefoon") and len(_DIGITS.findall(answers["telefoon"])) < 8:
        yield "telefoon", "Kijk het telefoonnummer na."
    if answers.get("email") and not _EMAIL.fullmatch(answers["email"]):
        yield "email", "Kijk het e-mailadres na, bijvoorbeeld naam@school.nl."
    capacities = dict(options(codelists().capacities, "professional"))
    yield from _one_of(answers, "hoedanigheid", capacities, "Kies welk beroep het dichtst bij het uwe ligt.")
    yield from _one_of(answers, "bekend", ("ja", "nee"), "Kies of wij mogen vertellen dat u meldt.")
    if answers.get("bekend") == "nee":
        yield from _one_of(answers, "grond", GROUNDS, "Kies waarom wij uw naam geheim moeten houden.")


def _persons(answers: Answers) -> Found:
    if not persons(answers):
        yield "personen", "Voeg minstens één persoon toe. Weet u geen naam? Bel dan 0800-2000 voor advies."


def _signals(answers: Answers) -> Found:
    if not answers.get("feiten"):
        yield "feiten", "Schrijf op wat u zelf zag of hoorde, en wanneer."


def _consultation(answers: Answers) -> Found:
    text = "Kies of er kinderen bij zijn. Weet u het niet, kies dan: weet ik niet."
    yield from _one_of(answers, "kinderen", dict(YES_NO), text)
    yield from _one_of(answers, "kindcheck", ("", "ja", "nee", "nvt"), "Kies een van de antwoorden.")


def _talk(answers: Answers) -> Found:
    yield from _one_of(
        answers, "gezinGeinformeerd", dict(YES_NO), "Kies of u met de betrokkenen sprak over deze melding."
    )
    if answers.get("gezinGeinformeerd") == "nee" and not answers.get("waaromNiet"):
        yield "waaromNiet", "Schrijf op waarom u dit niet besprak, bijvoorbeeld om de veiligheid."


def _weighing(answers: Answers) -> Found:
    for name in WEIGHING:
        yield from _one_of(answers, name, ("", *dict(YES_NO)), "Kies een van de antwoorden.")


def _decision(answers: Answers) -> Found:
    yield from _one_of(answers, "stap", dict(REACHED), "Kies tot welke stap van de meldcode u kwam.")
    yield from _one_of(answers, "zicht", WATCH, "Kies wie zicht houdt op de veiligheid tot wij contact met u hebben.")
    yield from _one_of(answers, "terugkoppeling", ("ja", "nee"), "Kies of u wilt horen wat wij met uw melding doen.")


_RULES = {
    "situatie": _situation,
    "uzelf": _reporter,
    "personen": _persons,
    "signalen": _signals,
    "overleg": _consultation,
    "gesprek": _talk,
    "afweging": _weighing,
    "besluit": _decision,
}


# ── persons ──────────────────────────────────────────────────────────────────────────────────────────────────────


def persons(answers: Answers) -> list[int]:
    """The numbers of the persons that were added."""
    found = {int(match[1]) for name, value in answers.items() if value and (match := re.match(r"p([0-9]+)\.", name))}
    return sorted(found)


def person(answers: Answers, number: int) -> dict[str, str]:
    """The answers on one person, with their names as in his form."""
    before = f"p{number}."
    return {name.removeprefix(before): value for name, value in answers.items() if name.startswith(before)}


def with_person(answers: Answers, number: int, one: Answers) -> dict[str, str]:
    """The answers with what was typed on this person in place of what was there."""
    rest = {name: value for name, value in answers.items() if not name.startswith(f"p{number}.")}
    return rest | {f"p{number}.{name}": value for name, value in one.items() if value}


def shown_name(one: Answers) -> str:
    """How a person is named in the list of the form."""
    parts = (one.get(name, "") for name in ("voornamen", "voorvoegsel", "geslachtsnaam"))
    return " ".join(part for part in parts if part) or "Naam onbekend"


def _wrong_date(one: Answers) -> str:
    day, month, year = (one.get(f"geboortedatum.{part}", "") for part in ("dag", "maand", "jaar"))
    if not (day or month or year):
        return ""
    if not re.fullmatch(r"[0-9]{4}", year) or not all(re.fullmatch(r"[0-9]{0,2}", part) for part in (day, month)):
        return "Vul het jaar in met vier cijfers, en dag en maand met hoogstens twee."
    if day and not month:
        return "Vul bij deze dag ook de maand in."
    if date_of(one)["tekst"] < "19000000" or PartialDate.from_stuf(**_stuf(one)).impossible:
        return "Deze datum bestaat niet. Kijk dag, maand en jaar na."
    return ""


def date_of(one: Answers) -> dict[str, str]:
    """The date of birth as a message has it; its year is known."""
    day, month, year = (one.get(f"geboortedatum.{part}", "") for part in ("dag", "maand", "jaar"))
    indicator = "V" if day else "D" if month else "M"
    return {"tekst": f"{year:0>4}{month:0>2}{day:0>2}", "indicatie": indicator}


def _stuf(one: Answers) -> dict[str, str]:
    found = date_of(one)
    return {"text": found["tekst"], "indicator": found["indicatie"]}
