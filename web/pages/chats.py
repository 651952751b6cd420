"""Chats that wait for a person: read, made free of what is of a family, and kept as an advice, or thrown away."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.errors import Conflict, ReasonMissing
from intake import chats
from intake.advice import MAX_MINUTES, PersonalDataFound
from intake.codelists import codelists
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages import advice_form
from web.pages.advice_form import WHY, Fields

PATH = "/adviezen/chats"
TEXTS = ("gesprek", "vraag", "advies")
TOLD = {"weg": "Het gesprek is weggegooid."}


def index(visit: Visit) -> Response:
    """The chats that nobody settled, oldest first."""
    rows = chats.waiting(visit.db, visit.region)
    visit.note("chat.list", "chat", None, {"rows": len(rows)})
    told = TOLD.get(visit.request.query_params.get("gedaan", ""), "")
    return visit.show("chat_list.html", rows=rows, capacity_of=codelists().capacity, told=told)


def show(visit: Visit) -> Response:
    """One chat, with what seems to be personal data in it; one that was settled leads to its advice."""
    row = _row(visit)
    if row["done_at"] is not None:
        return _done(row)
    return _page(visit, row, _stored(visit, row))


def _stored(visit: Visit, row: Row) -> dict[str, str]:
    """The form as it begins: the chat as it was sent, and the codes of the supplier."""
    minutes = round((row["ended_at"] - row["began_at"]).total_seconds() / 60)
    return {
        "gesprek": chats.transcript(visit.db, visit.region, row["id"]),
        "hoedanigheid": row["capacity"] or "",
        "duur": str(minutes) if minutes <= MAX_MINUTES else "",
        **{f"aanleiding.{code}": "ja" for code in row["occasions"]},
        **{f"aard.{code}": "ja" for code in row["natures"]},
    }


def settle(visit: Visit) -> Response:
    """Keep it as an advice with the text as it was cleaned, or throw it away; what was sent goes either way."""
    row = _row(visit)
    if row["done_at"] is not None:
        return _done(row)
    form = advice_form.typed(visit.form)
    if visit.form.get("handeling") == "geen":
        return _drop(visit, row)
    given, errors = advice_form.read(
        form, way="chat", transcript=form.get("gesprek", ""), contact=None, previous=None
    )
    if not form.get("gesprek", "").strip():
        errors["gesprek"] = "Het gesprek is leeg. Laat staan wat nodig is voor het advies, of gooi het weg."
    if given is None or errors:
        return _page(visit, row, form, 400, errors)
    looked = advice_form.looked(visit.form, *TEXTS)
    try:
        with visit.db.transaction():
            made = chats.settle(
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
        return _page(visit, row, form, 400, advice_form.refused(error, visit.form))
    except Conflict:
        return _done(_row(visit))
    return RedirectResponse(f"/adviezen/{made}?gedaan=vastgelegd", status_code=303)


def _drop(visit: Visit, row: Row) -> Response:
    if visit.form.get("zeker.ja") != "ja":
        return _page(visit, row, _stored(visit, row), 400, {"zeker": "Kruis aan dat er geen advies is gegeven."})
    try:
        with visit.db.transaction():
            chats.drop(visit.db, visit.region, row["id"], by=visit.actor, at=visit.at)
    except Conflict:
        return _done(_row(visit))
    return RedirectResponse(f"{PATH}?gedaan=weg", status_code=303)


def _row(visit: Visit) -> Row:
    return chats.find(visit.db, visit.region, as_id(visit.request.path_params["id"]))


def _done(row: Row) -> Response:
    return RedirectResponse(f"/adviezen/{row['advice_id']}" if row["advice_id"] else PATH, status_code=303)


def _page(
    visit: Visit, row: Row, form: Fields, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    visit.note("chat.view", "chat", row["id"])
    response = visit.show(
        "chat.html",
        status,
        row=row,
        form={**form, **({WHY: visit.form[WHY]} if WHY in visit.form else {})},
        errors=errors or {},
        **advice_form.finds_in(form, *TEXTS),
        **advice_form.choices(),
    )
    response.headers["Cache-Control"] = "no-store"
    return response
