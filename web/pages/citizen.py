"""The form for everybody, at one neutral address: no login, no cookie, nothing kept of what is typed until sent.

Each step is an answer to the same address, so that no address tells what somebody did. Sent twice it is one report;
whoever leaves by the way out leaves nothing to go back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.database import Db, now, present, transaction
from core.deadlines import local_day
from core.errors import NotFound, Unavailable
from core.ids import uuid7
from core.secrets import keyed_hash
from core.settings import settings
from intake import advice, municipalities
from intake.channels import citizen, own
from intake.channels.citizen import ADVICE, ME, OTHER, REPORT
from intake.input_errors import InvalidMessage
from intake.municipalities import Municipality
from intake.personal_data import excerpts
from web import language, templates
from web.access import forgery, public_limits
from web.access.arrival import origin_of
from web.access.guard import LONG_FORM, read_form
from web.access.scope import id_or_none
from web.policy import POLICY

PATH, WAY_OUT = "/contact", "/weg"
ACTOR = "public:citizen"
OCCASIONS, WAYS = language.constants(citizen.OCCASIONS), language.constants(citizen.WAYS)
CAPACITIES = [language.constants(words) for words in citizen.CAPACITIES.values()]
CLEAR = {"Clear-Site-Data": '"cache", "storage"'}
"""Forget this page and its like, also where Back would bring it from; cookies stay: somebody else may work here."""
FOREIGN = "Uw browser zegt niet dat dit formulier van onze pagina komt. Verstuur het nog een keer, of bel 0800-2000."
AWAY = "Wij kunnen uw bericht nu even niet opslaan. Uw tekst staat er nog. Probeer het zo opnieuw, of bel 0800-2000."
NO_REGION = "Wij weten niet welke regio dit moet lezen. Kies een andere gemeente, of bel 0800-2000."
NAMES = (
    "Het lijkt of er een naam, adres of nummer in uw tekst staat. Bij advies schrijven wij dat niet op."
    " Haal het weg, of zet onder uw tekst een kruisje als het iets anders is."
)
OUT_OF_REACH = (psycopg.Error, PoolTimeout, Unavailable)
"""Whatever a database may do: who wrote keeps his text, and the class of the error is logged."""


def ask(request: Request) -> Response:
    """The first step: what to do in danger, about whom it is and what is wanted."""
    return _first({})


async def act(request: Request) -> Response:
    form = await read_form(request, LONG_FORM)
    return await run_in_threadpool(_act, request, form)


def _act(request: Request, form: Mapping[str, str]) -> Response:
    """One step. Whatever happens, what was typed comes back, in the language of the form."""
    spoken = form.get("l")
    with language.spoken(spoken if spoken in language.LANGUAGES else language.current()):
        return _step(request, dict(form))


def _step(request: Request, form: dict[str, str]) -> Response:
    form_id = id_or_none(form.get("formulier", ""))
    if form_id and _was_left(form_id):
        return _first({})
    if errors := _choices(form):
        return _first(form, errors, 400)
    form["formulier"] = str(form_id or uuid7())
    match form.get("doe", ""):
        case "sturen":
            return _send(request, form, UUID(form["formulier"]))
        case "nl" | "en" as other:
            form["l"] = other
            with language.spoken(other):
                return _second(form)
        case "advies" | "melding" as wish:
            form["wens"] = wish
        case _:
            pass
    return _second(form)


def _choices(form: Mapping[str, str]) -> dict[str, str]:
    errors = {}
    if form.get("over") not in (ME, OTHER):
        errors["over"] = "Kies of het over uzelf gaat of over iemand anders."
    if form.get("wens") not in (ADVICE, REPORT):
        errors["wens"] = "Kies of u advies wilt of wilt melden. Weet u het niet? Kies dan advies."
    return errors


def _send(request: Request, form: dict[str, str], form_id: UUID) -> Response:
    try:
        with transaction("door") as db:
            at, places = now(db), municipalities.choices(db)
        form["gemeente"] = form.get("gemeente", "").strip()
        errors = citizen.wrong(form, local_day(at), {one.code for one in places})
        if errors:
            return _second(form, errors, 400)
        if not forgery.from_our_own_page(request):
            return _second(form, {"versturen": FOREIGN}, 403)
        if wait := _wait(request, form_id):
            response = _second(form, {}, 429, wait=wait)
            response.headers["Retry-After"] = str(wait)
            return response
        with transaction("door") as db:
            _present(db)
            _record(db, form, form_id, at, places)
    except advice.PersonalDataFound as error:
        form["gezien"] = "\n".join(excerpts(error.finds))
        form.pop("toch", None)
        return _second(form, {"gebeurt": NAMES}, 400)
    except InvalidMessage as error:
        # Our own rules are the narrower ones; this is for a rule of the message that we do not know.
        structlog.get_logger().error("citizen form refused", paths=[one.path for one in error.errors])
        return _second(form, {"versturen": AWAY}, 400)
    except NotFound:
        return _second(form, {"gemeente": NO_REGION}, 400)
    except OUT_OF_REACH as error:
        structlog.get_logger().error("citizen form not stored", error=type(error).__name__)
        return _second(form, {"versturen": AWAY}, 503)
    number = citizen.number_of(form_id) if form["wens"] == REPORT else ""
    page = _page("citizen_done.html", 200, form=form, number=number, form_id=str(form_id))
    page.headers.update(CLEAR)
    return page


def _wait(request: Request, form_id: UUID) -> int:
    """Counted and committed before anything is stored, whatever follows."""
    with transaction("door") as db:
        return public_limits.check(db, origin_of(request), "citizen", str(form_id))


def _record(db: Db, form: Mapping[str, str], form_id: UUID, at: datetime, places: list[Municipality]) -> None:
    """Store it in this transaction, once. Raises NotFound without a region, and what `own` and `advice` raise."""
    place = next((one for one in places if one.code == form["gemeente"]), None)
    only = None if place else municipalities.only_region(db)
    region = place.region if place else only.id if only else None
    if region is None:
        raise NotFound
    reference = citizen.reference_of(form_id, form)
    if form["wens"] == ADVICE:
        looked = form.get("gezien", "").split("\n") if form.get("toch") == "ja" else []
        given, why = citizen.advice(form), citizen.NOT_A_NAME
        advice.record(db, region, given, by=ACTOR, at=at, id=reference, confirmed=looked, reason=why)
        return
    body = citizen.body(form, form_id, local_day(at), place.name if place else "")
    message = own.message(db, region, str(reference), body)
    own.record(db, region, message, channel="citizen", kind="burger", actor=ACTOR)


def _present(db: Db) -> None:
    """Who asks is nobody that we know. No network address: with it the trail would tell who reported."""
    present(db, ACTOR, purpose="intake", request=uuid7().hex)


# ── the pages ───────────────────────────────────────────────────────────────────────────────────────────────


def _first(form: Mapping[str, str], errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    kept = {name: form[name] for name in ("over", "wens") if name in form}
    return _page("citizen.html", status, form=kept, errors=errors or {}, form_id="")


def _second(
    form: Mapping[str, str], errors: Mapping[str, str] | None = None, status: int = 200, *, wait: int = 0
) -> Response:
    """The form itself; also without the database, then with the municipality that was chosen."""
    chosen = form.get("gemeente", "")
    try:
        with transaction("door") as db:
            places = [(one.code, one.name) for one in municipalities.choices(db)]
    except OUT_OF_REACH:
        places = [(chosen, chosen)] if chosen else []
    return _page(
        "citizen_form.html",
        status,
        form=form,
        errors=errors or {},
        places=places,
        wait=wait,
        me=form["over"] == ME,
        report=form["wens"] == REPORT,
        occasions=citizen.occasions(),
        capacities=citizen.capacities(form["over"]),
        ways=list(WAYS.items()),
        children=citizen.CHILDREN,
        looked=[one for one in form.get("gezien", "").split("\n") if one],
        form_id=form["formulier"],
    )


def _page(template: str, status: int, **values: object) -> Response:
    response = templates.page(template, status, leave=True, chat=settings().chat_url, **values)
    # The way out is a form too, and some browsers hold its redirect against this rule.
    policy = response.headers.get("Content-Security-Policy", POLICY)
    host = urlsplit(settings().exit_url)
    away = policy.replace("form-action 'self'", f"form-action 'self' {host.scheme}://{host.netloc}")
    response.headers["Content-Security-Policy"] = away
    # To others still nothing; but an old phone, that has no Sec-Fetch-Site, then says that a form is ours.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def style(request: Request) -> Response:
    """Our style without a name or a time to live that a browser would keep."""
    files = {path: content for path, (_, content) in templates.static_files().items()}
    names = [templates.static_paths()[one].rpartition("/")[2] for one in ("tokens.css", "radar.css")]
    return Response(b"\n".join(files[name] for name in names), media_type="text/css")


def script(request: Request) -> Response:
    name = templates.static_paths()["leave.js"].rpartition("/")[2]
    return Response(templates.static_files()[name][1], media_type="text/javascript")


# ── the way out ─────────────────────────────────────────────────────────────────────────────────────────────


def way_out(request: Request) -> Response:
    """To a neutral page of somebody else, with nothing that says where from."""
    headers = {"Location": settings().exit_url, "Referrer-Policy": "no-referrer", **CLEAR}
    return Response(status_code=303, headers=headers)


async def leave(request: Request) -> Response:
    """The same, and the form that was left is gone: a browser that sends it again by Back gets an empty page."""
    form_id = id_or_none((await read_form(request)).get("formulier", ""))
    if form_id is not None and forgery.from_our_own_page(request):
        await run_in_threadpool(_leave, form_id)
    return way_out(request)


def _leave(form_id: UUID) -> None:
    try:
        with transaction("door") as db:
            db.execute("DELETE FROM public_left WHERE at < now() - interval '2 days'")
            db.execute(
                "INSERT INTO public_left (form, at) VALUES (%s, now()) ON CONFLICT DO NOTHING", (_left_key(form_id),)
            )
    except OUT_OF_REACH as error:
        # Going away comes first.
        structlog.get_logger().warning("form left, not noted", error=type(error).__name__)


def _was_left(form_id: UUID) -> bool:
    """Whether somebody left this form by the way out. Out of reach it says no: what was typed is not thrown away."""
    try:
        with transaction("door") as db:
            found = db.execute("SELECT 1 FROM public_left WHERE form = %s", (_left_key(form_id),)).fetchone()
    except OUT_OF_REACH as error:
        structlog.get_logger().warning("form shown, not looked up", error=type(error).__name__)
        return False
    return found is not None


def _left_key(form_id: UUID) -> bytes:
    return keyed_hash(f"citizen:left:{form_id}")


routes: list[BaseRoute] = [
    Route(PATH, ask, methods=["GET"]),
    Route(PATH, act, methods=["POST"], max_body_size=LONG_FORM),
    Route(f"{PATH}/stijl.css", style, methods=["GET"]),
    Route(f"{PATH}/pagina.js", script, methods=["GET"]),
    Route(WAY_OUT, way_out, methods=["GET"]),
    Route(WAY_OUT, leave, methods=["POST"], max_body_size=LONG_FORM),
]
"""The doors of who has no login; none sets a cookie."""
