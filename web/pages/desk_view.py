"""What the pages of a call show: its rows, who of it is known here, and what differs between two windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from core.database import Row
from core.errors import NotFound
from intake.channels import desk_form, drafts
from intake.channels.desk_form import ADVICE, ANSWERS, SEXES, WAYS, Fields, filled_addresses, rows, said
from intake.channels.drafts import Draft
from intake.codelists import Code, codelists, options, text_of
from radar.quality import rulesets
from radar.search import known
from radar.search.known import Known
from radar.search.searches import Expired, QuotaReached
from radar.search.terms import Terms
from web.access.guard import Visit
from web.language import constants, say, t

YES_NO = constants({"ja": "Ja", "nee": "Nee"})
FAMILY = constants(desk_form.roles())
PARTS = constants(
    {
        "who": "Wie belt",
        "story": "Wat er is",
        "children": "Kinderen",
        "kind": "Soort geweld",
        "agreed": "Afspraken",
        "people": "Om wie het gaat",
    }
)
"""The parts of a report that is read back to who called."""
for _table in (ANSWERS, SEXES, WAYS):
    constants(_table)
LABELS = constants(
    {
        "wijze": "Hoe",
        "hoedanigheid": "Wie belt",
        "anoniem": "Wil geen naam noemen",
        "melder_naam": "Naam van de beller",
        "melder_functie": "Functie",
        "melder_organisatie": "Organisatie",
        "melder_telefoon": "Telefoon van de beller",
        "melder_email": "E-mail van de beller",
        "melder_veilig": "Hoe veilig te bereiken",
        "melder_bekend": "Mag bekend worden wie meldt",
        "terugkoppeling": "Wil terugkoppeling",
        "niet_terugbellen": "Niet terugbellen",
        "ambtshalve": "Ambtshalve",
        "ambtshalve_reden": "Reden ambtshalve",
        "wat": "Wat is er aan de hand",
        "waar": "Waar",
        "laatst": "Laatste keer",
        "zorg": "Zorgen en wat goed gaat",
        "sinds": "Sinds wanneer",
        "nu_veilig": "Nu veilig",
        "nu_veilig_toelichting": "Toelichting veiligheid",
        "kinderen": "Kinderen",
        "kinderen_toelichting": "Toelichting kinderen",
        "gezin_weet": "Gezin weet van het gesprek",
        "waarom_niet": "Waarom niet",
        "blijft_helpen": "Wie let op en wie helpt",
        "aanleiding": "Aanleiding",
        "aard": "Aard",
        "advies_vraag": "De vraag",
        "advies_gegeven": "Het advies",
        "advies_vervolg": "Vervolg",
        "rol": "Rol",
        "voornamen": "Voornamen",
        "voorvoegsel": "Voorvoegsel",
        "achternaam": "Achternaam",
        "geboren": "Geboren",
        "geslacht": "Geslacht",
        "bsn": "BSN",
        "telefoon": "Telefoon",
        "adres": "Adres",
        "bijzonder": "Bijzonderheden",
        "geheim": "Geheim adres",
        "straat": "Straat",
        "huisnummer": "Huisnummer",
        "toevoeging": "Letter of toevoeging",
        "postcode": "Postcode",
        "woonplaats": "Woonplaats",
        "dag": "dag",
        "maand": "maand",
        "jaar": "jaar",
    }
)
"""Field to what people call it, where two texts are compared."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the register says of one person of the call, or why it was not asked."""

    known: Known | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that was saved elsewhere with another text."""

    label: str
    theirs: str


# ── known here? ─────────────────────────────────────────────────────────────────────────────────────────────


def look(visit: Visit, draft: Draft, fields: Fields, persons: Iterable[int]) -> dict[int, Look]:
    """Look these persons up, and keep with the call which searches were done for them."""
    found: dict[int, Look] = {}
    searches = dict(draft.searches)
    for row in persons:
        terms = known.terms_of(_typed(fields, row), visit.db, visit.region)
        note = _note(fields)
        if terms is None:
            found[row] = Look(message="Nog te weinig om te zoeken. Vul ook een geboortejaar, adres of telefoon in.")
        elif not said(fields, "wat"):
            found[row] = Look(
                message="Schrijf eerst bij 2 wat er aan de hand is. Zoeken mag alleen voor dit gesprek."
            )
        else:
            found[row] = _ask(visit, terms, note, searches.get(f"p{row}"))
        if one := found[row].known:
            searches[f"p{row}"] = one.asked.to_json()
    if searches != draft.searches:
        drafts.remember(visit.db, draft, searches)
    return found


def looked(visit: Visit, draft: Draft) -> dict[int, Look]:
    """What was found a moment ago for the persons as they are typed now; no new search is done."""
    found = {}
    rules = rulesets.active(visit.db, visit.region)
    for row in rows(draft.fields, "p"):
        before = draft.searches.get(f"p{row}")
        terms = known.terms_of(_typed(draft.fields, row), visit.db, visit.region) if before else None
        if before is None or terms is None or terms.hashed(rules).hex() != before["terms"]:
            continue
        try:
            one = known.again(visit.db, visit.region, visit.member.id, before, by=visit.actor, at=visit.at)
        except (Expired, NotFound):
            continue
        found[row] = Look(one)
    return found


def _ask(visit: Visit, terms: Terms, note: str, before: Mapping[str, str] | None) -> Look:
    try:
        return Look(
            known.ask(visit.db, visit.region, visit.member.id, terms, note, before, by=visit.actor, at=visit.at)
        )
    except QuotaReached as error:
        return Look(message=error.message)


def _note(fields: Fields) -> str:
    """Who calls about what, as every search for a call keeps it (sealed)."""
    who = text_of(codelists().capacities, said(fields, "hoedanigheid")) or "Onbekend wie"
    words = " ".join(f"{who} belt: {said(fields, 'wat')}".split())
    return "".join(char for char in words if char.isprintable())[:250]


def _typed(fields: Fields, row: int) -> dict[str, str]:
    """A person of the call as the fields of a search."""
    at = f"p{row}."
    address = said(fields, f"{at}adres")
    surname = f"{said(fields, f'{at}voorvoegsel')} {said(fields, f'{at}achternaam')}".strip()
    found = {
        "given": said(fields, f"{at}voornamen"),
        "surname": surname,
        "birth_day": said(fields, f"{at}geboren.dag"),
        "birth_month": said(fields, f"{at}geboren.maand"),
        "birth_year": said(fields, f"{at}geboren.jaar"),
        "bsn": said(fields, f"{at}bsn"),
        "phone": said(fields, f"{at}telefoon"),
    }
    if address:
        found["postcode"] = said(fields, f"a{address}.postcode")
        found["house_number"] = said(fields, f"a{address}.huisnummer") + said(fields, f"a{address}.toevoeging")
    return {name: "" if value.casefold() == "onbekend" else value for name, value in found.items()}


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


def page(
    visit: Visit,
    draft: Draft,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    *,
    message: str = "",
    theirs: Draft | None = None,
    looks: Mapping[int, Look] | None = None,
) -> Response:
    """The page of a call with what is typed. `theirs`: what was saved in another window meanwhile."""
    visit.note("desk.view", "intake_draft", draft.id)
    if theirs is not None:
        draft = replace(draft, version=theirs.version)
    return visit.show(
        "desk.html",
        status,
        draft=draft,
        form=draft.fields,
        errors=errors or {},
        message=message,
        differences=differences(draft.fields, theirs.fields) if theirs else [],
        theirs=theirs,
        looks=looks if looks is not None else looked(visit, draft),
        **choices(draft.fields),
    )


def choices(fields: Fields) -> dict[str, Any]:
    """The lists and rows of the form."""
    lists = codelists()
    persons = rows(fields, "p")
    return {
        "persons": persons,
        "addresses": rows(fields, "a"),
        "ways": list(WAYS.items()),
        "answers": list(ANSWERS.items()),
        "sexes": list(SEXES.items()),
        "yes_no": list(YES_NO.items()),
        "roles_in_family": list(FAMILY.items()),
        "capacities": options(lists.capacities),
        "occasions": options(lists.occasions),
        "natures": options(lists.natures),
        "address_options": {row: address_options(fields, row) for row in persons},
    }


def address_options(fields: Fields, row: int) -> list[tuple[str, str]]:
    """The addresses that this person can live at, each with who of the others lives there."""
    found = []
    for one in rows(fields, "a"):
        others = [
            name
            for other in rows(fields, "p")
            if other != row and said(fields, f"p{other}.adres") == str(one) and (name := name_of(fields, other))
        ]
        same = say(", zelfde adres als {names}", names=", ".join(others)) if others else ""
        found.append((str(one), say("Adres {n}", n=one) + _line(fields, one) + same))
    return found


def _line(fields: Fields, row: int) -> str:
    street = " ".join(said(fields, f"a{row}.{name}") for name in ("straat", "huisnummer", "toevoeging")).strip()
    words = ", ".join(part for part in (street, said(fields, f"a{row}.woonplaats")) if part)
    return f": {words}" if words else ""


def name_of(fields: Fields, row: int) -> str:
    """The name of a person of the call; empty when there is none."""
    return " ".join(
        part for name in ("voornamen", "voorvoegsel", "achternaam") if (part := said(fields, f"p{row}.{name}"))
    )


def label_of(name: str) -> str:
    """What people call a field: 'Persoon 2, Achternaam'."""
    head, _, rest = name.partition(".")
    if head[:1] in "pa" and head[1:].isdecimal():
        row = say("Persoon {n}", n=head[1:]) if head[0] == "p" else say("Adres {n}", n=head[1:])
        return f"{row}, {label_of(rest)}"
    if head in ("aanleiding", "aard") and rest:
        lists = codelists()
        return f"{t(LABELS[head])}: {t(text_of(lists.occasions if head == 'aanleiding' else lists.natures, rest))}"
    return str(t(LABELS.get(head, head))) + (f", {t(LABELS.get(rest, rest))}" if rest else "")


def differences(mine: Fields, theirs: Fields) -> list[Difference]:
    """What was saved elsewhere and is not what stands here; nothing of it is lost before somebody looked."""
    names = [name for name in dict.fromkeys([*theirs, *mine]) if said(theirs, name) != said(mine, name)]
    return [Difference(label_of(name), said(theirs, name) or str(t("leeg"))) for name in names]


@dataclass(frozen=True, slots=True)
class Line:
    """One field with what was typed, to read back."""

    label: str
    text: str


def read_back(fields: Fields) -> list[tuple[str, list[Line]]]:
    """What the report will say, in the order of the talk, to read to who called."""
    lists = codelists()
    answers = {**ANSWERS, **WAYS}

    def line(name: str, codes: tuple[Code, ...] = ()) -> Line:
        value = said(fields, name)
        return Line(LABELS[name], text_of(codes, value) if codes else answers.get(value, value))

    def ticked(name: str, codes: tuple[Code, ...]) -> Line:
        return Line(LABELS[name], ", ".join(t(text_of(codes, one)) for one in desk_form.ticked(fields, name)))

    parts = [
        (
            "who",
            [
                line("hoedanigheid", lists.capacities),
                *map(line, ("melder_naam", "melder_functie", "melder_organisatie", "melder_telefoon")),
                *map(line, ("melder_email", "melder_veilig", "melder_bekend", "ambtshalve_reden")),
            ],
        ),
        ("story", [*map(line, ("wat", "waar", "zorg", "sinds", "nu_veilig", "nu_veilig_toelichting"))]),
        ("children", [*map(line, ("kinderen", "kinderen_toelichting"))]),
        ("kind", [ticked("aanleiding", lists.occasions), ticked("aard", lists.natures)]),
        ("agreed", [*map(line, ("gezin_weet", "waarom_niet", "blijft_helpen"))]),
        ("people", [Line(name, text) for name, text in people(fields)]),
    ]
    return [(PARTS[part], [one for one in lines if one.text]) for part, lines in parts]


def people(fields: Fields) -> list[tuple[str, str]]:
    """The persons of the call, each in one line with the address that was chosen."""
    found = []
    for row in desk_form.filled_persons(fields):
        at = f"p{row}."
        born = " ".join(said(fields, f"{at}{part}") for part in desk_form.BORN).strip()
        address = said(fields, f"{at}adres")
        parts = [
            said(fields, f"{at}rol"),
            say("geboren {date}", date=born) if born else "",
            _line(fields, int(address)).removeprefix(": ") if address.isdecimal() else "",
            str(t("geheim adres")) if said(fields, f"{at}geheim") else "",
        ]
        found.append((name_of(fields, row) or say("Persoon {n}", n=row), ", ".join(part for part in parts if part)))
    return found


def dropped(fields: Fields) -> list[str]:
    """What an advice may not hold, and is thrown away with the call: the persons, their addresses, and the rest."""
    named = [f"{name}: {text}" if text else name for name, text in people(fields)]
    places = [say("Adres {n}", n=row) + _line(fields, row) for row in filled_addresses(fields)]
    texts = [
        f"{t(LABELS[name])}: {said(fields, name)}"
        for name in ("waar", "nu_veilig_toelichting", "kinderen_toelichting", "blijft_helpen", "waarom_niet", "zorg")
        if said(fields, name)
    ]
    return [*named, *places, *texts]


def is_empty(fields: Fields) -> bool:
    """Whether nothing was typed yet, so that nothing can be lost."""
    return not any(value.strip() for name, value in fields.items() if name not in ("wijze", *ADVICE))


def mine_and_others(visit: Visit) -> tuple[list[Row], list[Row]]:
    """The open calls of this member, and those of colleagues, each with whether he may go on with it."""
    found = [
        row | {"free": not row["active"] or row["saved_at"] + drafts.ABANDONED <= visit.at}
        for row in drafts.open_ones(visit.db, visit.region)
    ]
    own: list[Row] = [row for row in found if row["staff_id"] == visit.member.id]
    return own, [row for row in found if row["staff_id"] != visit.member.id]
