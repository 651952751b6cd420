"""Advice for the people who give it: the list, one advice, a new one, its follow-up, and the way to a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.database import Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound, ReasonMissing
from core.ids import uuid7
from intake import advice, advice_rows
from intake.advice import PersonalDataFound
from intake.codelists import codelists, text_of
from web.access import typed_back
from web.access.guard import LONG_FORM, Visit, screen
from web.access.scope import as_id
from web.language import constants
from web.pages import advice_form, chats, forms
from web.pages.advice_form import WHY, Fields

PATH = "/adviezen"
STATES: Mapping[str, advice_rows.State] = {"": "", "open": "open", "vervolg": "vervolg"}
WAYS = constants(advice.WAYS)
COUNTED = constants(
    {
        "capacities": "Wie vroeg advies",
        "occasions": "Aanleiding",
        "natures": "Vorm van geweld",
        "ways": "Hoe kwam de vraag binnen?",
    }
)
TOLD = {
    "vastgelegd": "Het advies is vastgelegd.",
    "beantwoord": "Het advies is vastgelegd. De vraag is beantwoord.",
}
FIRST_PAGES = 1_000


def index(visit: Visit) -> Response:
    """The advice of the region, newest first, in pages."""
    asked = visit.request.query_params
    state = STATES.get(asked.get("toon", ""), "")
    page = int(text) if (text := asked.get("pagina", "1")).isdecimal() and 0 < int(text[:5]) <= FIRST_PAGES else 1
    given = {name: asked.get(name, "").replace("\x00", "")[:10] for name in ("wie", "over", "van", "tot")}
    chosen = {name: value for name, value in given.items() if value}
    rows, more = advice_rows.listing(
        visit.db,
        visit.region,
        state=state,
        capacity=given["wie"],
        occasion=given["over"],
        first=forms.day(given["van"]),
        last=forms.day(given["tot"]),
        page=page,
    )
    shown = {"toon": state} if state else {}
    visit.note("advice.list", "advice", None, {"rows": len(rows), "state": state})
    return visit.show(
        "advice_list.html",
        rows=rows,
        more=more,
        page=page,
        state=state,
        chosen=chosen,
        waiting=advice_rows.waiting(visit.db, visit.region, local_day(visit.at)),
        today=local_day(visit.at),
        link_to=lambda number: f"{PATH}?{urlencode({**shown, **chosen, 'pagina': number})}",
        **_words(),
        **advice_form.choices(),
    )


def new(visit: Visit) -> Response:
    """The empty form; for a follow-up with the codes of the advice before."""
    fields = {"id": str(uuid7()), "wijze": "telefoon"}
    if before := visit.request.query_params.get("vervolg", ""):
        row = advice_rows.find(visit.db, visit.region, as_id(before))
        fields |= {"vorige": str(row["id"]), "hoedanigheid": row["capacity"]}
        fields |= {f"aanleiding.{code}": "ja" for code in row["occasions"]}
        fields |= {f"aard.{code}": "ja" for code in row["natures"]}
    return _form(visit, fields)


def record(visit: Visit) -> Response:
    """Store the advice; what seems to be personal data is looked at first. Sent twice it is stored once."""
    form = advice_form.typed(visit.form)
    given, errors = advice_form.read(form)
    if given is None:
        return _form(visit, form, 400, errors)
    if given.way not in dict(advice_form.choices()["ways"]):
        return _form(visit, form, 400, {"wijze": "Kies hoe de vraag binnenkwam."})
    if given.previous is not None:
        advice_rows.find(visit.db, visit.region, given.previous)
    looked = advice_form.looked(visit.form, "vraag", "advies")
    try:
        with visit.db.transaction():
            stored = advice.record(
                visit.db,
                visit.region,
                given,
                by=visit.actor,
                at=visit.at,
                id=as_id(form["id"]) if form.get("id") else None,
                confirmed=looked.confirmed,
                reason=looked.reason,
            )
    except (PersonalDataFound, ReasonMissing) as error:
        return _form(visit, form, 400, advice_form.refused(error, visit.form))
    return RedirectResponse(f"{PATH}/{stored}?gedaan=vastgelegd", status_code=303)


def show(visit: Visit) -> Response:
    """One advice with what was asked and advised; how to reach who asked stays closed."""
    return _page(visit, _row(visit))


def contact(visit: Visit) -> Response:
    """Open how to reach who asked; on record."""
    row = _row(visit)
    found = advice_rows.contact(visit.db, visit.region, row["id"], by=visit.actor)
    return _page(visit, row, contact=found)


def answer(visit: Visit) -> Response:
    """Give the advice that a question by the form waits for."""
    row = _row(visit)
    if row["given_at"] is not None:
        return RedirectResponse(f"{PATH}/{row['id']}", status_code=303)
    stored = advice_rows.texts(visit.db, visit.region, row["id"])
    form = advice_form.typed(visit.form)
    said = {name: value for name, value in form.items() if name in ("advies", "duur", "vervolg.ja", "vervolg_op")}
    given, errors = advice_form.read(
        said,
        way=row["way"],
        capacity=row["capacity"],
        occasions=tuple(row["occasions"]),
        natures=tuple(row["natures"]),
        question=stored.get("question", ""),
    )
    if given is None or not given.advice:
        return _page(visit, row, 400, errors or {"advies": "Schrijf in een paar zinnen wat u adviseerde."}, form)
    looked = advice_form.looked(visit.form, "advies")
    try:
        with visit.db.transaction():
            advice_rows.answer(
                visit.db,
                visit.region,
                row["id"],
                given,
                by=visit.actor,
                at=visit.at,
                confirmed=looked.confirmed,
                reason=looked.reason,
            )
    except (PersonalDataFound, ReasonMissing) as error:
        return _page(visit, row, 400, advice_form.refused(error, visit.form), form)
    except Conflict as error:
        return _page(visit, _row(visit), 409, {"advies": error.message}, form)
    return RedirectResponse(f"{PATH}/{row['id']}?gedaan=beantwoord", status_code=303)


def ask_convert(visit: Visit) -> Response:
    """What becoming a report means, and the act itself."""
    return _convert(visit, _row(visit))


def convert(visit: Visit) -> Response:
    """Begin the call in which the persons are named; a new act of a person, never a copy of this advice."""
    row = _row(visit)
    errors = {}
    if visit.form.get("akkoord.ja") != "ja":
        errors["akkoord"] = "Kruis aan dat er nu iemand is die de personen noemt. Zo niet, dan blijft het een advies."
    if visit.form.get("wijze") not in dict(advice_form.choices()["ways"]):
        errors["wijze"] = "Kies hoe u nu met de melder praat."
    if errors:
        return _convert(visit, row, 400, errors)
    try:
        draft = advice_rows.convert(
            visit.db,
            visit.region,
            row["id"],
            visit.member.id,
            way=visit.form["wijze"],
            by=visit.actor,
            at=visit.at,
        )
    except Conflict as error:
        return _convert(visit, row, 409, {"akkoord": error.message})
    return RedirectResponse(f"/gesprekken/{draft}", status_code=303)


def counts(visit: Visit) -> Response:
    """The numbers that CBS asks of a half-year, and of the days that are chosen."""
    today = local_day(visit.at)
    start = date(today.year, 1 if today.month <= 6 else 7, 1)
    asked = visit.request.query_params
    first, last = forms.day(asked.get("van", "")) or start, forms.day(asked.get("tot", "")) or today
    errors = {"tot": "De laatste dag ligt voor de eerste. Kies een andere dag."} if last < first else {}
    found = None if errors else advice_rows.counts(visit.db, visit.region, first, last)
    visit.note("advice.count", "advice", None, {"first": first.isoformat(), "last": last.isoformat()})
    return visit.show(
        "advice_counts.html",
        400 if errors else 200,
        found=found,
        numbers=asdict(found) if found else {},
        form={"van": first.isoformat(), "tot": last.isoformat()},
        errors=errors,
        tables=_tables(),
        **_words(),
    )


def give_back(request: Request, form: Fields, visit: Visit | None) -> Response | None:
    """What was typed, back to who typed it, when his session ended meanwhile."""
    kept = advice_form.typed(form)
    shown = [
        (advice_form.LABELS[name], value) for name, value in kept.items() if name in advice_form.LABELS and value
    ]
    why: typed_back.Why = "again" if visit else "signed out"
    return typed_back.page(request, kept, why, visit.session_token if visit else "", shown)


# ── helpers ─────────────────────────────────────────────────────────────────────────────────────────────────


def _row(visit: Visit) -> Row:
    return advice_rows.find(visit.db, visit.region, as_id(visit.request.path_params["id"]))


def _tables() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Each list of the counts: its name there, its title and its codes."""
    lists = codelists()
    codes = {
        "capacities": [(one.code, one.text) for one in lists.capacities],
        "occasions": [(one.code, one.text) for one in lists.occasions],
        "natures": [(one.code, one.text) for one in lists.natures],
        "ways": list(WAYS.items()),
    }
    return [(name, title, codes[name]) for name, title in COUNTED.items()]


def _words() -> dict[str, Any]:
    lists = codelists()
    return {
        "ways_named": WAYS,
        "capacity_of": lists.capacity,
        "occasion_of": lambda code: text_of(lists.occasions, code),
        "nature_of": lambda code: text_of(lists.natures, code),
    }


def _form(visit: Visit, form: Fields, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    before = _before(visit, form.get("vorige", ""))
    return visit.show(
        "advice_form.html",
        status,
        form={**form, **({WHY: visit.form[WHY]} if WHY in visit.form else {})},
        errors=errors or {},
        before=before,
        **advice_form.finds_in(form, "vraag", "advies"),
        **advice_form.choices(),
    )


def _before(visit: Visit, identifier: str) -> Row | None:
    try:
        return advice_rows.find(visit.db, visit.region, UUID(identifier)) if identifier else None
    except (ValueError, NotFound):
        return None


def _page(
    visit: Visit,
    row: Row,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    form: Fields | None = None,
    contact: Mapping[str, str] | None = None,
) -> Response:
    visit.note("advice.view", "advice", row["id"])
    typed = dict(form or {})
    response = visit.show(
        "advice.html",
        status,
        row=row,
        texts=advice_rows.texts(visit.db, visit.region, row["id"]),
        chain=advice_rows.chain(visit.db, visit.region, row["id"]),
        contact=contact,
        errors=errors or {},
        form={**typed, **({WHY: visit.form[WHY]} if WHY in visit.form else {})},
        **advice_form.finds_in(typed, "advies"),
        told=TOLD.get(visit.request.query_params.get("gedaan", ""), ""),
        today=local_day(visit.at),
        **_words(),
        **advice_form.choices(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _convert(visit: Visit, row: Row, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    visit.note("advice.view", "advice", row["id"], {"part": "convert"})
    return visit.show(
        "advice_convert.html",
        status,
        row=row,
        form=visit.form,
        errors=errors or {},
        ways=advice_form.choices()["ways"],
        **_words(),
    )


routes: list[BaseRoute] = [
    screen(PATH, index, "advice.view"),
    screen(f"{PATH}/nieuw", new, "advice.write"),
    screen(f"{PATH}/nieuw", record, "advice.write", "POST", LONG_FORM, give_back=give_back),
    screen(f"{PATH}/tellingen", counts, "advice.count"),
    screen(f"{PATH}/chats", chats.index, "chat.view"),
    screen(f"{PATH}/chats/{{id}}", chats.show, "chat.view"),
    screen(f"{PATH}/chats/{{id}}", chats.settle, "chat.settle", "POST", 2 * LONG_FORM),
    screen(f"{PATH}/{{id}}", show, "advice.view"),
    screen(f"{PATH}/{{id}}/antwoord", answer, "advice.write", "POST", LONG_FORM, give_back=give_back),
    screen(f"{PATH}/{{id}}/contact", contact, "advice.contact", "POST"),
    screen(f"{PATH}/{{id}}/omzetten", ask_convert, "advice.convert"),
    screen(f"{PATH}/{{id}}/omzetten", convert, "advice.convert", "POST"),
]
