"""The open line of a page (server-sent events): it says that the page changed, by a number and nothing more.

Opening it asks what the page itself asks, under the same rights, and stands in the trail once. The session is asked
again before each event and at each heartbeat, without keeping it alive; when it ended, so does the line.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import cast
from uuid import UUID

from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from core.database import Db, transaction
from core.errors import NotFound
from core.staff import Member
from intake.models import Report
from web.access import guard, sessions
from web.access.guard import Visit
from web.access.matrix import may
from web.access.scope import find
from web.live import PAGES

MEDIA_TYPE = "text/event-stream"
AGAIN_MS = 5_000
"""After a line broke, a browser waits this long before it opens another."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
Subject = Callable[[Db, UUID, Request], UUID | None]
"""What the page is about: a report, or None for the region; raises NotFound for what may not be seen."""


def _region(db: Db, region: UUID, request: Request) -> UUID | None:
    return None


def _report(db: Db, region: UUID, request: Request) -> UUID | None:
    return find(db, region, Report, request.path_params["id"]).id


def _line(path: str, subject: Subject, action: str) -> Route:
    """A route that stays open, for who has the right to the page itself."""
    guard.ACTIONS["GET", path] = action

    async def endpoint(request: Request) -> Response:
        opened: list[tuple[Member, UUID | None]] = []

        def look(visit: Visit) -> Response:
            found = subject(visit.db, visit.region, request)
            if MEDIA_TYPE not in request.headers.get("accept", ""):
                raise HTTPException(406)  # a browser's EventSource asks for this and nothing else
            if not PAGES.room_for(visit.member.id):
                raise HTTPException(429)
            visit.note("live.open", "report" if found else "queue", found)
            opened.append((visit.member, found))
            return Response()

        answer = await run_in_threadpool(guard.visited, request, {}, look, action)
        if not opened:
            return answer
        member, about = opened[0]
        events = _events(request, member, about, subject, action)
        return _Line(events, media_type=MEDIA_TYPE, headers=HEADERS)

    return Route(path, endpoint, methods=["GET"], name=f"GET {path}")


class _Line(StreamingResponse):
    """Closes its events whatever happens to the line, so that nobody stays counted in."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(cast(AsyncGenerator[str, None], self.body_iterator)):
            await super().__call__(scope, receive, send)


async def _events(
    request: Request, member: Member, about: UUID | None, subject: Subject, action: str
) -> AsyncGenerator[str, None]:
    yield f"retry: {AGAIN_MS}\n\n"
    async with aclosing(PAGES.changes(member.id, member.region, about)) as changes:
        async for number in changes:
            allowed = await PAGES.check(lambda: _still(request, member, subject, action))
            if allowed is None:
                return
            if not allowed:
                yield "event: einde\ndata: 0\n\n"
                return
            yield ": stil\n\n" if number is None else f"event: stand\ndata: {number}\n\n"


def _still(request: Request, member: Member, subject: Subject, action: str) -> bool | None:
    """Whether this member may still have this page; None when the database is away, and the browser may try again."""
    try:
        with transaction("web") as db:
            now = guard.entered(db, request, sessions.token_of(request), action, quiet=True)
            if now is None or now.id != member.id or not may(now.role, action):
                return False
            subject(db, now.region, request)
            return True
    except NotFound:
        return False
    except (DatabaseError, PoolTimeout):
        return None


routes: list[BaseRoute] = [
    _line("/wachtrij/live", _region, "queue.view"),
    _line("/meldingen/{id}/live", _report, "report.view"),
]
