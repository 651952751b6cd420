"""The one error handler: a Dutch page for people, problem+json for machines, and never what went wrong inside."""

from __future__ import annotations

import secrets
import traceback
from pathlib import Path

import psycopg
import structlog
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core import problems
from core.errors import VeiligError
from web import templates
from web.language import constants, is_public

API_PREFIX = "/api"
TITLES = constants(
    {
        400: "Dit verzoek klopt niet",
        401: "Niet aangemeld",
        403: "Dit mag u niet doen",
        404: "Niet gevonden",
        405: "Dit kan hier niet",
        409: "Dit is intussen veranderd",
        413: "Dit is te groot",
        415: "Deze soort inhoud kan hier niet",
        429: "Even wachten",
        500: "Er ging iets mis bij ons",
        503: "Even niet bereikbaar",
    }
)
DETAILS = constants(
    {
        400: "De link of het formulier is niet compleet. Ga terug en probeer het opnieuw.",
        403: "U hebt hiervoor geen rechten.",
        404: "Deze pagina bestaat niet, of u mag haar niet zien.",
        405: "Deze pagina kent deze handeling niet.",
        409: "Een collega was u voor. Kijk eerst hoe het nu staat.",
        413: "Wat u stuurt is groter dan hier mag.",
        415: "Stuur een gewoon formulier of een van de soorten die de pagina noemt.",
        429: "Er kwam te veel tegelijk. Wacht een minuut en probeer het dan opnieuw.",
        500: "Er is niets opgeslagen. Probeer het opnieuw. Blijft het misgaan, meld dan het nummer hieronder.",
        503: "Er is niets opgeslagen. Probeer het over een minuut opnieuw.",
    }
)
NEXT = constants(
    {
        403: "Vraag uw teamleider als u dit voor uw werk nodig hebt.",
        404: "Kwam u hier via een link? Dan is de zaak misschien verplaatst, of is zij voor u afgeschermd.",
        409: "Ga terug en laad de pagina opnieuw. Wat u typte, staat er dan meestal nog.",
        413: "Maak het bestand kleiner, of verdeel het over meer berichten.",
        429: "Het is niet uw schuld: zo houden wij de deur open voor iedereen.",
    }
)
"""What somebody can do about it, where there is something."""
RETRY_AFTER = "30"
"""Seconds after which it makes sense to try again when the database is out of reach."""
OUT_OF_REACH = (psycopg.OperationalError, PoolTimeout)


def handle(request: Request, error: Exception) -> Response:
    """The answer to any error. What we do not know is logged by its class and a number, never by its text."""
    headers = None
    number = None
    match error:
        case VeiligError() if error.status != 500:
            status, detail = error.status, error.message
        case ClientDisconnect():
            status, detail = 400, DETAILS[400]
        case HTTPException():
            status, headers = error.status_code, error.headers
            detail = DETAILS.get(status, DETAILS[400])
        case _ if isinstance(error, OUT_OF_REACH):
            status, detail = 503, DETAILS[503]
        case _:
            status, detail, number = 500, DETAILS[500], secrets.token_hex(6)
    if status >= 500:
        structlog.get_logger().error(
            "request failed", error=type(error).__name__, place=_place(error), status=status, number=number
        )
    if status == 503:
        headers = {**(headers or {}), "Retry-After": RETRY_AFTER}
    title = TITLES.get(status, TITLES[400])
    if is_api(request):
        body = problems.problem(status, title, f"{detail} ({number})" if number else detail)
        return Response(body, status, dict(headers or {}), media_type=problems.MEDIA_TYPE)
    template = "error_public.html" if is_public(request.scope["path"]) else "error.html"
    shown = {
        "title": title,
        "detail": detail,
        "number": number,
        "code": status,
        "hint": NEXT.get(status, ""),
    }
    response = templates.page(template, status, **shown)
    response.headers.update(headers or {})
    return response


def _place(error: Exception) -> str:
    """The file and line that raised it: enough to find the fault, and no data."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"


def is_api(request: Request) -> bool:
    path = request.scope["path"]
    return bool(path == API_PREFIX or path.startswith(f"{API_PREFIX}/"))
