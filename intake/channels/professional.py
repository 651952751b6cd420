"""The message that the form of a professional becomes, with all that it tells of the reporting code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.identity import Bsn
from intake.channels.professional_form import (
    GROUNDS,
    SECTORS,
    WATCH,
    WEIGHING,
    Answers,
    date_of,
    person,
    persons,
)

CODE_WORD = "Masker 19"
"""Said in a pharmacy it means: I need help and cannot say it (standards.md 9)."""


def body(answers: Answers, number: str, today: date) -> dict[str, Any]:
    """The message of a form without errors, as the JSON door takes it, without its header.

    `number`: what the reporter can name when he calls. Who may not be known as reporter is in `contact` only, which
    goes into the vault of reporters whole, his organisation too.
    """
    secret = answers.get("bekend") == "nee"
    organisation = answers.get("organisatie", "")
    contact = {
        "naam": answers.get("naam"),
        "functie": answers.get("functie"),
        "afdeling": organisation,
        "telefoonnummers": [answers["telefoon"]] if answers.get("telefoon") else None,
        "emails": [answers["email"]] if answers.get("email") else None,
        "veiligBereikbaar": _joined(
            answers.get("veiligBereikbaar"),
            _named("Waarom geheim", _joined(GROUNDS.get(answers.get("grond", "")), answers.get("grondToelichting"))),
        )
        if secret
        else answers.get("veiligBereikbaar"),
        "magBekendWorden": not secret,
    }
    return _filled(
        {
            "melding": {
                "kenmerk": number,
                "datum": {"tekst": f"{today:%Y%m%d}", "indicatie": "V"},
                "contact": _filled(contact),
                "informering": answers.get("reactie"),
            },
            "incident": _filled({"omschrijving": answers.get("feiten")}),
            "situatie": _filled(
                {
                    "omschrijving": _joined(
                        _named("Van anderen gehoord", answers.get("bron")),
                        _named("Indruk van de melder, geen feit", answers.get("indruk")),
                    ),
                    "aanvullendeInformatie": _joined(
                        _named("Zicht op veiligheid", WATCH.get(answers.get("zicht", ""))),
                        "De melder vraagt om zijn naam geheim te houden. De reden staat in de kluis."
                        if secret
                        else "",
                    ),
                }
            ),
            "betrokkenen": [_involved(person(answers, one)) for one in persons(answers)],
            "indiener": {} if secret else {"naam": organisation},
            "aanmelding": _intake(answers),
        }
    )


def _intake(answers: Answers) -> dict[str, Any]:
    weighing = {name: answers.get(name) for name in WEIGHING}
    code = {
        "stap": answers.get("stap"),
        "kindcheck": answers.get("kindcheck"),
        "overleg": answers.get("overleg"),
        "afweging": _filled(weighing),
        "besluit": answers.get("besluit"),
    }
    return _filled(
        {
            "wijze": "formulier",
            "hoedanigheid": answers.get("hoedanigheid"),
            "aanleidingen": _codes(answers, "aanleiding"),
            "aard": _codes(answers, "aard"),
            "sinds": answers.get("sinds"),
            "nuVeilig": answers.get("nuVeilig"),
            "nuVeiligToelichting": answers.get("nuVeiligToelichting"),
            "kinderen": answers.get("kinderen"),
            "kinderenToelichting": answers.get("kinderenToelichting"),
            "gezinGeinformeerd": answers.get("gezinGeinformeerd"),
            "waaromNiet": answers.get("waaromNiet"),
            "blijftHelpen": answers.get("blijftHelpen"),
            "terugkoppelingGewenst": answers.get("terugkoppeling") == "ja",
            "meldcode": _filled(code),
        }
    )


def pharmacy_body(answers: Answers, number: str, today: date) -> dict[str, Any]:
    """The message of a pharmacy where somebody said the code word: nobody is called back but the pharmacist."""
    here = answers.get("slachtofferHier") == "ja"
    return _filled(
        {
            "melding": {
                "kenmerk": number,
                "datum": {"tekst": f"{today:%Y%m%d}", "indicatie": "V"},
                "contact": _filled(
                    {
                        "naam": answers.get("naam"),
                        "functie": "apotheker of apothekersassistent",
                        "afdeling": answers.get("apotheek"),
                        "telefoonnummers": [answers["telefoon"]],
                        "veiligBereikbaar": "Bel alleen de apotheek. Bel het slachtoffer niet terug.",
                    }
                ),
            },
            "incident": _filled(
                {
                    "omschrijving": _joined(
                        f"In een apotheek is het codewoord {CODE_WORD} gezegd.",
                        "Het slachtoffer is nu in de apotheek."
                        if here
                        else "Het slachtoffer is niet meer in de apotheek.",
                        answers.get("verhaal"),
                    )
                }
            ),
            "betrokkenen": [{"naam": {"volledigeNaam": answers.get("slachtoffer")}, "hoedanigheid": "002"}],
            "indiener": _filled({"naam": answers.get("apotheek")}),
            "aanmelding": _filled(
                {
                    "wijze": "apotheek-masker19",
                    "hoedanigheid": "20",
                    "nuVeilig": answers.get("nuVeilig"),
                    "nietTerugbellen": True,
                    "codewoord": CODE_WORD,
                    "terugkoppelingGewenst": False,
                }
            ),
        }
    )


def kind_of(answers: Answers) -> str:
    """Which kind of reporter this is, by his sector."""
    sector = answers.get("sector", "")
    return sector if sector in SECTORS else "anders"


def _involved(one: Answers) -> dict[str, Any]:
    name = {part: one.get(part) for part in ("voornamen", "voorvoegsel", "geslachtsnaam")}
    address = {
        "woonplaats": one.get("woonplaats"),
        "straat": one.get("straat"),
        "postcode": one.get("postcode", "").replace(" ", "").upper(),
        "huisnummer": one.get("huisnummer"),
        "toevoeging": one.get("toevoeging"),
    }
    given = _filled(address)
    return _filled(
        {
            "rol": {"tekst": one.get("rol")},
            "bsn": Bsn.parse(one.get("bsn")).value,
            "naam": _filled(name),
            "geslacht": one.get("geslacht"),
            "geboortedatum": date_of(one) if one.get("geboortedatum.jaar") else None,
            "telefoonnummers": [one["telefoon"]] if one.get("telefoon") else None,
            "adressen": [{"soort": "feitelijk", "gebied": "binnenland", **given}] if given else None,
            "aanvullendeInformatie": one.get("info"),
        }
    )


def _codes(answers: Answers, name: str) -> list[str]:
    before = f"{name}."
    return sorted(
        one.removeprefix(before) for one, value in answers.items() if one.startswith(before) and value == "ja"
    )


def _named(name: str, text: str | None) -> str:
    return f"{name}: {text}" if text else ""


def _joined(*texts: str | None) -> str:
    return "\n\n".join(text for text in texts if text)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was left empty."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
