"""Every request reads one edition of the rules and texts, whatever is activated while it runs."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from core.documents import one_edition


class OneEdition:
    """Around the whole application: also what runs in a thread reads the edition that its request began with."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with one_edition():
            await self.app(scope, receive, send)
