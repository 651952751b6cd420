"""A sender's own page: what it delivered, what was odd about it, and its token; nothing of the families.

Client id and secret open a short visit. The database shows a sender only what the functions of migration 0023 give:
its own references, moments, codes and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core import audit
from core.database import Db, Row, now, present, transaction
from core.deadlines import local_day
from core.errors import NotAllowed
from core.ids import uuid7
from core.settings import settings
from intake import sender_access, webhooks
from intake.corv.codes import ERRORS
from intake.sender_access import VISIT, Issued, Visitor
from web import language, templates
from web.access import forgery
from web.access.arrival import origin_of
from web.access.guard import MAX_FORM_BYTES, read_form
from web.access.sender_door import prove
from web.pages import sender_drawing

PATH = "/aansluiting"
MOST = 50
"""Rows of one list."""
WRONG = "Client id en client secret kloppen niet samen, of gelden niet meer."
OVER = "Uw bezoek is voorbij. Vul uw client id en client secret opnieuw in."
FOREIGN = "Dit formulier hoort niet bij uw bezoek. Ga terug, laad de pagina opnieuw en probeer het nog eens."
NOT_NEWEST = "Dit is niet uw nieuwste token. Er is niets veranderd."
CHOOSE = "Kies hoe lang het oude token nog geldt."
OVERLAPS = language.constants(
    {"dag": "Nog één dag", "week": "Nog een week", "nu": "Niet meer: het oude token is gelekt"}
)
Values = dict[str, Any]
Act = Callable[[Db, Visitor, Mapping[str, str]], tuple[int, Values]]


def cookie_name() -> str:
    return "__Host-aansluiting" if settings().secure_cookies else "aansluiting"


def show(request: Request) -> Response:
    """The page of who has a visit; else the form for a client id and a secret."""
    return _at_page(request, {}, _look)


async def enter(request: Request) -> Response:
    """Open a visit for a client id with its secret."""
    if not forgery.from_our_own_page(request):
        raise NotAllowed(FOREIGN)
    form = await read_form(request)
    return await run_in_threadpool(_enter, request, form)


def _enter(request: Request, form: Mapping[str, str]) -> Response:
    client_id, secret = form.get("client_id", "").strip(), form.get("client_secret", "").strip()
    found = prove(client_id, secret, "page", origin_of(request))
    if not isinstance(found, Issued):
        held = language.say(
            "Er is te vaak geprobeerd. Wacht {seconds} seconden en probeer het opnieuw.", seconds=found
        )
        return _ask(429 if found else 403, held if found else WRONG, client_id[:100])
    response = Response(status_code=303, headers={"Location": PATH})
    response.set_cookie(
        cookie_name(),
        found.token,
        max_age=int(VISIT.total_seconds()),
        secure=settings().secure_cookies,
        httponly=True,
        samesite="strict",
    )
    return response


def _act(act: Act) -> Callable[[Request], Any]:
    """A form on the page: of this visit only."""

    async def endpoint(request: Request) -> Response:
        form = await read_form(request)
        token = request.cookies.get(cookie_name(), "")
        if not forgery.from_our_own_page(request) or not forgery.right_token(token, form.get(forgery.FIELD, "")):
            raise NotAllowed(FOREIGN)
        return await run_in_threadpool(_at_page, request, form, act)

    return endpoint


def _look(db: Db, visitor: Visitor, form: Mapping[str, str]) -> tuple[int, Values]:
    return 200, {}


def _rotate(db: Db, visitor: Visitor, form: Mapping[str, str]) -> tuple[int, Values]:
    """A new token for who types the newest one again; it is shown once, in this answer."""
    overlap = form.get("overlap", "")
    if overlap not in sender_access.OVERLAPS:
        return 400, {"errors": {"overlap": CHOOSE}}
    fresh = sender_access.rotate_own(db, visitor, form.get("geheim", "").strip(), overlap)
    return (200, {"fresh": fresh}) if fresh else (403, {"errors": {"geheim": NOT_NEWEST}})


def _test_webhook(db: Db, visitor: Visitor, form: Mapping[str, str]) -> tuple[int, Values]:
    """Ask for a callback that says it is a test."""
    try:
        webhooks.try_out(db, visitor.region, visitor.id, visitor.actor, now(db))
    except (webhooks.NoAddress, webhooks.TooManyTests) as error:
        return error.status, {"errors": {"seintje": error.message}}
    return 200, {"asked": True}


def _leave(db: Db, visitor: Visitor, form: Mapping[str, str]) -> tuple[int, Values]:
    audit.append(db, visitor.region, visitor.actor, "sender.leave", "sender", visitor.id)
    sender_access.end_visit(db)
    return 303, {}


def _at_page(request: Request, form: Mapping[str, str], act: Act) -> Response:
    """Do what is asked in a visit, and show the page as it is then. Without a visit: the form to open one."""
    token = request.cookies.get(cookie_name(), "")
    with transaction("door") as db:
        visitor = sender_access.visitor(db, token) if token else None
    if visitor is None:
        return _ask(403 if request.method == "POST" else 200, OVER if token else "")
    with transaction("web") as db:
        present(db, visitor.key, purpose="care", origin=origin_of(request), request=uuid7().hex)
        status, more = act(db, visitor, form)
        if status == 303:
            return _gone(Response(status_code=303, headers={"Location": PATH}))
        return _page(db, visitor, token, status, form, more)


def _page(db: Db, visitor: Visitor, token: str, status: int, form: Mapping[str, str], more: Values) -> Response:
    audit.append(db, visitor.region, visitor.actor, "sender.view", "sender", visitor.id)
    at = now(db)
    today = local_day(at)
    since = sender_drawing.days((), today)[0].day
    days = sender_drawing.days(_rows(db, "SELECT * FROM own_deliveries(%s)", since), today)
    values: Values = {
        "visitor": visitor,
        "form_token": forgery.form_token(token),
        "days": days,
        "drawing": sender_drawing.draw(days),
        "delivered": sum(one.reports for one in days),
        "odd": sum(one.quarantine for one in days),
        "remarked": _rows(db, "SELECT * FROM own_messages('remarks', %s)", MOST),
        "quarantined": _rows(db, "SELECT * FROM own_messages('quarantine', %s)", MOST),
        "feedback": _rows(db, "SELECT * FROM own_feedback(%s)", MOST),
        "tokens": sender_access.own_tokens(db),
        "events": webhooks.of_sender(db, visitor.id, 5),
        "codes": {code: error.text for code, error in ERRORS.items()},
        "overlaps": list(OVERLAPS.items()),
        "most": MOST,
        "form": {"overlap": form.get("overlap", "dag")},
        "errors": {},
        "fresh": "",
        "asked": False,
    }
    return templates.page("sender.html", status, **values | more)


def _rows(db: Db, query: Any, value: object) -> list[Row]:
    return db.execute(query, (value,)).fetchall()


def _ask(status: int, error: str, client_id: str = "") -> Response:
    return _gone(templates.page("sender_enter.html", status, error=error, client_id=client_id))


def _gone(response: Response) -> Response:
    response.delete_cookie(cookie_name(), secure=settings().secure_cookies, httponly=True, samesite="strict")
    return response


routes: list[BaseRoute] = [
    Route(PATH, show, methods=["GET"]),
    Route(PATH, enter, methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/token", _act(_rotate), methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/seintje", _act(_test_webhook), methods=["POST"], max_body_size=MAX_FORM_BYTES),
    Route(f"{PATH}/einde", _act(_leave), methods=["POST"], max_body_size=MAX_FORM_BYTES),
]
"""The doors of a sender; none needs a session of staff."""
