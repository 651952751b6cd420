"""Say in plain Dutch why a link was made, so that a person can check it. No BSN and no phone number is shown."""

from __future__ import annotations

from typing import Any

from radar.linking.compare import Evidence, FieldEvidence
from radar.linking.decide import Decision

COMMON, RARE = 10.0, 13.0  # bits of rarity

_SENTENCES: dict[tuple[str, str], str] = {
    ("bsn", "same"): "BSN gelijk",
    ("bsn", "different"): "BSN verschilt",
    ("birth", "same"): "Geboortedatum gelijk",
    ("birth", "swapped"): "Geboortedatum gelijk als dag en maand zijn omgewisseld",
    ("birth", "year_month"): "Geboortejaar en -maand gelijk (dag onbekend)",
    ("birth", "year"): "Geboortejaar gelijk (dag en maand niet bekend)",
    ("birth", "one_part"): "Geboortedatum bijna gelijk: één deel verschilt",
    ("birth", "near_year"): "Geboortejaar scheelt hoogstens twee jaar (geschat)",
    ("birth", "different"): "Geboortedatum verschilt",
    ("first_name", "same"): "Voornaam gelijk: '{value}'",
    ("first_name", "other_given"): "Voornaam '{value}' is een van de voornamen",
    ("first_name", "nickname"): "Voornaam '{value}' past bij een roepnaam",
    ("first_name", "alike"): "Voornaam lijkt erg: '{value}'",
    ("first_name", "initial"): "Voorletter gelijk: {value}",
    ("first_name", "initials"): "Voorletters gelijk: {value}",
    ("first_name", "resembles"): "Voornaam lijkt een beetje: '{value}'",
    ("first_name", "different"): "Voornaam verschilt",
    ("surname", "same"): "Achternaam gelijk: '{value}'",
    ("surname", "alike"): "Achternaam lijkt erg: '{value}'",
    ("surname", "resembles"): "Achternaam lijkt een beetje: '{value}'",
    ("surname", "different"): "Achternaam verschilt",
    ("sex", "same"): "Geslacht gelijk",
    ("sex", "different"): "Geslacht verschilt",
    ("phone", "same"): "Telefoonnummer gelijk",
    ("address", "door"): "Adres gelijk",
    ("address", "house"): "Adres gelijk, op de toevoeging na",
    ("address", "near"): "Adres in dezelfde straat, ander nummer",
    ("address", "different"): "Ander adres",
    ("order", "swapped"): "Voornaam en achternaam staan in elkaars vak",
    ("company", "several"): "Ook anderen uit zijn of haar huishouden staan in deze melding",
    ("company", "one"): "Ook iemand anders uit zijn of haar huishouden staat in deze melding",
    ("company", "nobody_of_one"): "De ander in deze melding hoort niet bij zijn of haar huishouden",
    ("company", "nobody_of_several"): "Niemand anders in deze melding hoort bij zijn of haar huishouden",
}
_WHY = {
    "contradiction": "Gegevens spreken elkaar tegen: een medewerker moet kijken",
    "not_sure": "Niet zeker genoeg: een medewerker moet kijken",
    "names_only": "Alleen de naam komt overeen: een medewerker moet kijken",
    "initial_only": "Alleen een voorletter, zonder geboortedatum of BSN: een medewerker moet kijken",
    "runner_up": "Er is nog iemand die bijna net zo goed past: een medewerker moet kiezen",
}
_OUTCOMES = {
    "same_household": "Iemand anders uit hetzelfde huishouden",
    "new": "Niet eerder genoemd in een melding",
    "too_little": "Er is te weinig bekend om te vergelijken",
    "outside": "Geen lid van het gezin (melder, informant of beroepskracht)",
}


def reasons(decision: Decision) -> list[dict[str, Any]]:
    """For link.reasons: {field, level, weight, text} per reason, the strongest first. `weight` is in bits."""
    found = [reason(one) for one in _by_strength(decision.evidence)]
    if decision.why_proposed:
        text = _WHY[decision.why_proposed]
        found.append({"field": "decision", "level": decision.why_proposed, "weight": 0.0, "text": text})
    if decision.outcome in _OUTCOMES:
        text = _OUTCOMES[decision.outcome]
        found.append({"field": "decision", "level": decision.outcome, "weight": 0.0, "text": text})
    return found


def reason(one: FieldEvidence) -> dict[str, Any]:
    """One field as a reason."""
    return {"field": one.field, "level": one.level, "weight": round(one.stranger, 1), "text": sentence(one)}


def sentence(one: FieldEvidence) -> str:
    """'Achternaam gelijk: 'Voorbeeld' (komt weinig voor)'."""
    shown = one.value.upper() if one.level in ("initial", "initials") else one.value.title()
    text = _SENTENCES[one.field, one.level].format(value=shown)
    if one.rarity is not None and one.level == "same":
        text += " (komt veel voor)" if one.rarity < COMMON else " (komt weinig voor)" if one.rarity > RARE else ""
    return text


def _by_strength(evidence: Evidence) -> list[FieldEvidence]:
    return sorted(evidence.fields, key=lambda one: -abs(one.stranger))
