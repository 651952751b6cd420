"""The bare endpoint that the feed is measured against: the same parser, one row and one job row per message."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.database import async_pool, connect_async
from core.ids import uuid7
from intake.corv.parse import read

TABLES = """
CREATE TABLE IF NOT EXISTS bare_message (id uuid PRIMARY KEY, reference text UNIQUE, raw bytea, sha256 bytea);
CREATE TABLE IF NOT EXISTS bare_job (id uuid PRIMARY KEY, message uuid, due_at timestamptz DEFAULT now());
"""
INSERT = """
WITH m AS (INSERT INTO bare_message VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id)
INSERT INTO bare_job (id, message) SELECT %s, id FROM m
"""


async def receive(request: Request) -> Response:
    """Parse, store, answer."""
    raw = await request.body()
    reading = read(raw, {"00000099000000002000"}, "00000099000000001000", datetime.now(UTC).date())
    if reading.header is None or reading.message is None:
        return Response(status_code=400)
    values = (uuid7(), reading.header.reference, raw, hashlib.sha256(raw).digest(), uuid7())
    async with connect_async() as db:
        await db.execute(INSERT, values)
    return Response(b"<ok/>", 200, media_type="text/xml")


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    await async_pool().open()
    yield
    await async_pool().close()


def create_app() -> Starlette:
    """The bare application."""
    return Starlette(routes=[Route("/api/v1/corv/berichten", receive, methods=["POST"])], lifespan=_lifespan)
