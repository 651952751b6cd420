"""What every feed does first: read the body within its limit, and find out who sends."""

from __future__ import annotations

import re

from starlette.requests import Request

from core.database import AsyncDb
from core.errors import VeiligError
from core.settings import settings
from intake.senders import Sender, authenticate

_TOKEN = re.compile(r"Bearer +([A-Za-z0-9_\-.~+/=]{1,200})", re.IGNORECASE)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class TooLarge(VeiligError):
    """Het bericht is te groot."""

    status = 413


class NoTrial(VeiligError):
    """Geef met proef=true aan dat dit een proef is, of laat proef weg. Er is niets opgeslagen."""

    status = 400


ON_TRIAL = {"Proef": "true"}
"""The header of an answer to a trial."""


def is_trial(request: Request) -> bool:
    """Whether nothing may be stored of this. Raises NoTrial for what is nearly a trial: that is no report either."""
    given = [*request.query_params.getlist("proef"), *request.headers.getlist("proef")]
    if any(one not in ("true", "false") for one in given):
        raise NoTrial
    return "true" in given


async def body_of(request: Request, limit: int = 0) -> bytes:
    """The body, read no further than the limit (0: that of a message). Raises TooLarge."""
    limit = limit or settings().max_message_bytes
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise TooLarge
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit:
            raise TooLarge
    return bytes(received)


async def sender_of(request: Request, db: AsyncDb) -> Sender:
    """The authenticated sender. Raises NotAuthentic, the same for every reason."""
    match = _TOKEN.fullmatch(request.headers.get("authorization", ""))
    return await authenticate(db, match[1] if match else None, _certificate(request))


def _certificate(request: Request) -> str | None:
    """The client certificate's fingerprint, believed from the trusted proxy only."""
    proxy = settings().trusted_proxy
    if not proxy or request.client is None or request.client.host != proxy:
        return None
    value = request.headers.get(settings().client_certificate_header, "").replace(":", "").lower()
    return value if _FINGERPRINT.fullmatch(value) else None
