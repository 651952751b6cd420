"""What every answer under /api carries, errors included: its version, and when to come back after a 503.

NLGov API Design Rules, version-header.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import handle

VERSION = "1.0.0"
RETRY_AFTER_S = "30"


class Versioned:
    """Adds the headers; turns errors into answers itself, because an answer made further out would miss it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = False

        async def send_with_version(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["API-Version"] = VERSION
                if message["status"] == 503:
                    headers.setdefault("Retry-After", RETRY_AFTER_S)
            await send(message)

        try:
            await self.app(scope, receive, send_with_version)
        except Exception as error:
            if started:
                raise
            await handle(Request(scope), error)(scope, receive, send_with_version)
