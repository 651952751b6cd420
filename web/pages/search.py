"""Search for persons: purpose and work first, then who; the same answer for nothing and for not allowed.

What was typed travels in a form only and never stands in an address; a result has an address of its own for a while.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.errors import NotFound
from radar.quality import rulesets
from radar.search import rows, searches
from radar.search.policy import policy
from radar.search.searches import Context, Expired, QuotaReached, Result
from radar.search.terms import Terms, TermsRefused
from web.access.guard import Visit
from web.access.scope import as_id
from web.language import constants

FIELDS = {
    "voornaam": "given",
    "achternaam": "surname",
    "dag": "birth_day",
    "maand": "birth_month",
    "jaar": "birth_year",
    "bsn": "bsn",
    "telefoon": "phone",
    "postcode": "postcode",
    "huisnummer": "house_number",
    "kenmerk": "reference",
}
"""Field of the form to field of the terms."""
CONTEXT = {"doel": "purpose", "melding": "report", "notitie": "note"}
WORK = constants({"melding": "Een melding", "gesprek": "Een gesprek dat nu binnenkomt"})


def show(visit: Visit) -> Response:
    """The empty form."""
    return _form(visit)


def about(visit: Visit) -> Response:
    """The form for a search that this report asks for."""
    report = rows.report(visit.db, visit.region, as_id(visit.request.path_params["id"]))
    if report is None:
        raise NotFound
    return _form(visit, typed={"werk": "melding", "melding": str(report["id"])})


def start(visit: Visit) -> Response:
    """Search; the result has an address of its own, so that Back and reload send nothing again."""
    form = visit.form
    if form.get("begin"):
        # From the field on every page: what it is about comes first, what was typed stands ready.
        return _form(visit, typed=_of_one_field(form.get("vind", "")))
    context = Context(form.get("doel", ""), _report_id(form), form.get("notitie", ""))
    errors = searches.wrong_context(visit.db, visit.region, context)
    if form.get("werk") not in WORK:
        errors = {name: text for name, text in errors.items() if name != "note"}
        errors["work"] = "Kies bij welk werk u zoekt."
    shown = {name: errors[mine] for name, mine in {**CONTEXT, "werk": "work"}.items() if mine in errors}
    try:
        rules = rulesets.active(visit.db, visit.region)
        terms = Terms.read({mine: form.get(name, "") for name, mine in FIELDS.items()}, rules)
    except TermsRefused as error:
        shown |= {name: error.errors[mine] for name, mine in FIELDS.items() if mine in error.errors}
    if shown:
        return _form(visit, 400, form, shown)
    search, allowed = searches.begin(
        visit.db, visit.region, visit.member.id, context, terms, by=visit.actor, at=visit.at
    )
    if not allowed:
        return _form(visit, QuotaReached.status, form, {"zoeken": QuotaReached().message})
    return RedirectResponse(f"/zoeken/uitslag/{search}", status_code=303)


def result(visit: Visit) -> Response:
    """What was found, for who searched, for a short while."""
    search = as_id(visit.request.path_params["id"])
    try:
        found = searches.look(visit.db, visit.region, visit.member.id, search, by=visit.actor, at=visit.at)
    except Expired as error:
        return _form(visit, error.status, errors={"zoeken": error.message})
    return visit.show(
        "search_result.html",
        result=found,
        minutes=policy().result_minutes,
        most=policy().shown,
        **_choices(visit, _typed(found), {}),
    )


def seen(visit: Visit) -> Response:
    """The contact of a restricted person saw that a search touched that person."""
    search = as_id(visit.request.path_params["id"])
    if not rows.notice_seen(visit.db, visit.member.id, search, visit.at):
        raise NotFound
    visit.note("search.seen", "search", search)
    return RedirectResponse("/zoeken", status_code=303)


def _of_one_field(text: str) -> dict[str, str]:
    """What one field holds, in the field of the form where it belongs: BSN, address, number of a case, or a name."""
    words = " ".join(text.split())
    if place := re.fullmatch(r"(\d{4} ?[A-Za-z]{2})(?: (\d+))?", words):
        return {"postcode": place[1], "huisnummer": place[2] or ""}
    if re.fullmatch(r"\d{8,9}", words):
        return {"bsn": words}
    if re.search(r"\d", words):
        return {"kenmerk": words}
    first, _, last = words.partition(" ")
    return {"voornaam": first, "achternaam": last} if last else {"achternaam": words}


def _report_id(form: Mapping[str, str]) -> UUID | None:
    """The report of the form; one that is none is refused like one that does not exist."""
    if form.get("werk") != "melding":
        return None
    try:
        return UUID(form.get("melding", ""))
    except ValueError:
        return UUID(int=0)


def _typed(found: Result) -> dict[str, str]:
    """A search as the fields of the form."""
    report = found.context.report_id
    return {name: getattr(found.terms, mine) for name, mine in FIELDS.items()} | {
        "doel": found.context.purpose,
        "werk": "melding" if report else "gesprek",
        "melding": str(report or ""),
        "notitie": found.context.note,
    }


def _form(
    visit: Visit,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    notices = rows.notices(visit.db, visit.member.id)
    if notices:
        visit.note("search.notices", "staff", visit.member.id, {"count": len(notices)})
    return visit.show("search.html", status, notices=notices, **_choices(visit, typed or {}, errors or {}))


def _choices(visit: Visit, typed: Mapping[str, str], errors: Mapping[str, str]) -> dict[str, Any]:
    """What the form can be filled in with; the report that it was opened for is always among the reports."""
    work = rows.open_work(visit.db, visit.region, visit.member.id)
    chosen = _report_id(typed)
    if chosen is not None and all(one["id"] != chosen for one in work):
        one = rows.report(visit.db, visit.region, chosen)
        work = [one, *work] if one else work
    return {
        "purposes": searches.purposes(),
        "kinds_of_work": WORK,
        "work": work,
        "form": {name: typed.get(name, "") for name in (*FIELDS, *CONTEXT, "werk")},
        "errors": errors,
    }
