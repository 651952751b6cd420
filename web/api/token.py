"""`/api/v1/token`: a short-lived token for a client id and a secret (OAuth 2.0 client credentials, RFC 6749 4.4).

The answers, errors too, have the form of RFC 6749 (5.1, 5.2), for which every library knows the way.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.settings import settings
from intake.sender_access import Issued
from web.access.arrival import origin_of
from web.access.sender_door import prove

GRANT = "client_credentials"
MAX_BYTES = 8 * 1024
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
METADATA = "/.well-known/oauth-authorization-server"


class _Wrong(Exception):
    """Why there is no token: a code of RFC 6749 5.2, and a sentence in ASCII."""

    def __init__(self, code: str, text: str, status: int = 400, **headers: str) -> None:
        self.code, self.text, self.status, self.headers = code, text, status, headers


async def issue(request: Request) -> Response:
    """200 with a bearer token; 400 or 401 with the reason; 429 for who keeps sending wrong secrets."""
    try:
        form = _form(request.headers.get("content-type", ""), await _body(request))
        client_id, secret, basic = _client(request, form)
        if form.get("grant_type") is None:
            raise _Wrong("invalid_request", "Geef grant_type=client_credentials.")
        if form["grant_type"] != GRANT:
            raise _Wrong("unsupported_grant_type", "Alleen client_credentials wordt ondersteund.")
        if form.get("scope"):
            raise _Wrong("invalid_scope", "Er zijn geen scopes; laat scope weg.")
        found = await run_in_threadpool(prove, client_id, secret, "short", origin_of(request))
        if not isinstance(found, Issued):
            raise _refusal(found, basic)
    except _Wrong as wrong:
        body = {"error": wrong.code, "error_description": wrong.text}
        return JSONResponse(body, wrong.status, NO_STORE | wrong.headers)
    body_ok: dict[str, Any] = {"access_token": found.token, "token_type": "Bearer", "expires_in": found.seconds}
    return JSONResponse(body_ok, headers=NO_STORE)


async def metadata(request: Request) -> Response:
    """Where the token endpoint is and what it takes (RFC 8414)."""
    base = settings().public_url or f"{request.url.scheme}://{request.url.netloc}"
    return JSONResponse(
        {
            "issuer": base,
            "token_endpoint": f"{base}/api/v1/token",
            "grant_types_supported": [GRANT],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "ui_locales_supported": ["nl"],
        },
        headers={"Access-Control-Allow-Origin": "*"},
    )


async def _body(request: Request) -> bytes:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BYTES:
            raise HTTPException(413)
    return bytes(received)


def _form(media_type: str, raw: bytes) -> dict[str, str]:
    if media_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise _Wrong("invalid_request", "Stuur een formulier: application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise _Wrong("invalid_request", "Dit formulier is niet te lezen.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _Wrong("invalid_request", "Een gegeven komt dubbel voor.")
    return form


def _client(request: Request, form: dict[str, str]) -> tuple[str, str, bool]:
    """Id, secret, and whether they came in the header (RFC 6749 2.3.1): by one way, never by both."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        if "client_secret" in form:
            raise _Wrong("invalid_request", "Geef de client secret op een manier: in de kop of in het formulier.")
        try:
            user, colon, password = base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            raise _refusal(0, True) from None
        if not colon:
            raise _refusal(0, True)
        return unquote_plus(user), unquote_plus(password), True
    return form.get("client_id", ""), form.get("client_secret", ""), False


def _refusal(seconds: int, basic: bool) -> _Wrong:
    if seconds:
        text = f"Te veel verkeerde pogingen. Wacht {seconds} seconden."
        return _Wrong("invalid_client", text, 429, **{"Retry-After": str(seconds)})
    headers = {"WWW-Authenticate": 'Basic realm="Veilig Thuis Radar", charset="UTF-8"'} if basic else {}
    return _Wrong(
        "invalid_client", "Client id en client secret kloppen niet samen, of gelden niet meer.", 401, **headers
    )
