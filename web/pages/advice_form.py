"""The form of an advice, as typed and as AdviceInput, and the look at what seems to be personal data in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from core.errors import ReasonMissing
from core.secrets import keyed_hash
from intake.advice import AdviceInput, PersonalDataFound, errors_of
from intake.codelists import codelists, options
from intake.personal_data import KINDS, Found, excerpts, found
from web.access.scope import id_or_none
from web.language import constants

Fields = Mapping[str, str]
NAMES = {
    "way": "wijze",
    "capacity": "hoedanigheid",
    "occasions": "aanleiding",
    "natures": "aard",
    "question": "vraag",
    "advice": "advies",
    "transcript": "gesprek",
    "minutes": "duur",
    "follow_up": "vervolg",
    "follow_up_on": "vervolg_op",
    "contact": "bewaren",
    "contact.consent": "bewaren",
    "contact.name": "naam",
    "contact.phone": "telefoon",
    "contact.email": "email",
}
"""Field of AdviceInput to field of the form."""
LABELS = constants(
    {
        "wijze": "Hoe kwam de vraag binnen?",
        "hoedanigheid": "Wie vraagt advies?",
        "aanleiding": "Waar gaat het over?",
        "aard": "Vorm van geweld",
        "vraag": "Wat is de vraag?",
        "advies": "Wat adviseert u?",
        "gesprek": "Het gesprek",
        "duur": "Hoeveel minuten duurde het?",
        "vervolg": "Vervolg",
        "vervolg_op": "Wanneer?",
        "bewaren": "Gegevens van de vrager",
        "naam": "Naam van de vrager",
        "telefoon": "Telefoonnummer van de vrager",
        "email": "E-mailadres van de vrager",
        "waarom": "Waarom mag dit blijven staan?",
    }
)
FOUND_KINDS = constants(KINDS)
"""What a find may be; the page shows it as the title of the find."""
SEEN = "gezien"
WHY = "waarom"
CHANGED = "De tekst is veranderd, en er staat nu iets anders in dat op een persoonsgegeven lijkt. Kijk nog een keer."
FIND = (
    "Er staat iets in dat op een persoonsgegeven lijkt. Haal het weg, of zeg onder de tekst waarom het mag blijven."
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a form says of its finds: the pieces a person looked at, and why they may stay."""

    confirmed: tuple[str, ...]
    reason: str


def typed(form: Fields, more: Fields | None = None) -> dict[str, str]:
    """The fields of the form as typed, line ends as ours; what is not one of them is left out."""
    both = {**form, **(more or {})}
    known = {*LABELS, "vervolg.ja", "bewaren.ja", "id", "vorige"}
    return {
        name: value.replace("\r\n", "\n")
        for name, value in both.items()
        if name in known or name.startswith(("aanleiding.", "aard."))
    }


def read(form: Fields, **fixed: Any) -> tuple[AdviceInput | None, dict[str, str]]:
    """The advice of this form, or what is wrong by field of the form. `fixed` is not for the form to say."""
    contact = None
    if form.get("bewaren.ja") == "ja":
        contact = {"consent": True, **{mine: form.get(name, "") for mine, name in _CONTACT.items()}}
    wrong: dict[str, str] = {}
    if contact is None and any(form.get(name, "").strip() for name in _CONTACT.values()):
        wrong["bewaren"] = "Vraag of u deze gegevens mag bewaren en kruis dat aan. Zo niet, maak de velden dan leeg."
    day, follow_up = _day(form.get("vervolg_op", ""))
    minutes, length = _minutes(form.get("duur", ""))
    data: dict[str, Any] = {
        "way": form.get("wijze", ""),
        "capacity": form.get("hoedanigheid", ""),
        "occasions": _ticked(form, "aanleiding"),
        "natures": _ticked(form, "aard"),
        "question": form.get("vraag", ""),
        "advice": form.get("advies", ""),
        "minutes": minutes,
        "follow_up": form.get("vervolg.ja") == "ja",
        "follow_up_on": day,
        "contact": contact,
        "previous": id_or_none(form.get("vorige", "")),
    }
    wrong |= follow_up | length
    try:
        given = AdviceInput(**data | fixed)
    except ValidationError as error:
        return None, {NAMES.get(name, name): text for name, text in errors_of(error).items()} | wrong
    return (None if wrong else given), wrong


_CONTACT = {"name": "naam", "phone": "telefoon", "email": "email"}


def _ticked(form: Fields, prefix: str) -> tuple[str, ...]:
    return tuple(name.partition(".")[2] for name in form if name.startswith(f"{prefix}.") and form[name] == "ja")


def _day(text: str) -> tuple[date | None, dict[str, str]]:
    try:
        return (date.fromisoformat(text.strip()) if text.strip() else None), {}
    except ValueError:
        return None, {"vervolg_op": "Vul een dag in die bestaat, als 2026-12-31."}


def _minutes(text: str) -> tuple[int | None, dict[str, str]]:
    plain = text.strip()
    if not plain:
        return None, {}
    if plain.isascii() and plain.isdecimal() and len(plain) <= 4:
        return int(plain), {}
    return None, {"duur": "Geef de duur in minuten: een getal van 0 tot 600."}


# ── what seems to be personal data ──────────────────────────────────────────────────────────────────────────


def looked(form: Fields, *names: str) -> Looked:
    """What the person who sent this form confirmed: all that stood on the page before, if that is still all."""
    now = _pieces(form, *names)
    same = bool(now) and form.get(SEEN, "") == mark_of(now)
    return Looked(tuple(now) if same else (), form.get(WHY, ""))


def _pieces(form: Fields, *names: str) -> list[str]:
    return excerpts(one for name in names for one in found(form.get(name, "").replace("\r\n", "\n")))


def mark_of(pieces: list[str]) -> str:
    """A mark of these finds for the form; they are not repeated in it."""
    return keyed_hash(f"advice-finds:{json.dumps(sorted(pieces))}").hex()


def finds_in(form: Fields, *names: str) -> dict[str, Any]:
    """For the page: each piece once, with the label of the field where it stands first; and the mark of them all."""
    seen: dict[str, tuple[str, Found]] = {}
    for name in names:
        for one in found(form.get(name, "")):
            seen.setdefault(f"{one.kind}:{one.excerpt}", (LABELS[name], one))
    return {"finds": list(seen.values()), "seen": mark_of(_pieces(form, *names)) if seen else ""}


def refused(error: PersonalDataFound | ReasonMissing, form: Fields) -> dict[str, str]:
    """The sentence of the page when a find was not answered."""
    if isinstance(error, ReasonMissing):
        return {WHY: "Schrijf in een zin waarom dit geen gegeven van het gezin is."}
    names = {NAMES[name] for name in error.by_field}
    return dict.fromkeys(sorted(names), CHANGED if form.get(SEEN) else FIND)


def choices() -> dict[str, Any]:
    """The options of the form."""
    lists = codelists()
    return {
        "ways": [("telefoon", "Telefoon"), ("balie", "Balie")],
        "professionals": options(lists.capacities, "professional"),
        "citizens": options(lists.capacities, "citizen"),
        "capacities": options(lists.capacities),
        "occasions": options(lists.occasions),
        "natures": options(lists.natures),
        "labels": LABELS,
    }
