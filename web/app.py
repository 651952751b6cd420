"""The web door: screens for people and the API for machines, in one application."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from core import documents
from core.database import act_as, async_pool, close_pools
from core.errors import VeiligError
from core.logs import set_up_logs
from core.settings import settings
from radar.casework import assessment, letters, questionnaire
from radar.casework.terms import terms
from web.access.matrix import matrix
from web.api import routes as api_routes
from web.edition import OneEdition
from web.errors import handle
from web.headers import Shield
from web.language import Choose, Speak, catalogue
from web.live import PAGES, ending_with_signals
from web.measure import Measure, serve_metrics
from web.pages import routes as page_routes
from web.templates import environment

MAX_BODY = 5 * 1024 * 1024
"""Bytes, for every route; a feed may be set to take more, a form takes far less."""


def create_app() -> Starlette:
    """The application, ready for uvicorn. Raises SettingsError when a data file does not fit."""
    matrix()
    questionnaire.catalogue()
    assessment.signers()
    environment()
    catalogue()
    terms()
    letters.texts()
    limit = max(MAX_BODY, settings().max_message_bytes, 2 * settings().attachment_bytes)
    app = Starlette(
        routes=[*page_routes, *api_routes],
        middleware=[
            Middleware(Measure),
            Middleware(Speak),
            Middleware(OneEdition),
            Middleware(Shield, max_body_size=limit),
            Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(), www_redirect=False),
            Middleware(Choose),
            Middleware(RequestBodyLimitMiddleware, max_body_size=limit),
        ],
        exception_handlers={HTTPException: handle, VeiligError: handle},
        lifespan=_lifespan,
    )
    # A path with one slash too many is another path: not found, never redirected (NLGov API rules).
    app.router.redirect_slashes = False
    return app


def serve() -> Starlette:
    """The application of a web process of its own: also sets up its logs."""
    set_up_logs()
    act_as("door")
    return create_app()


def _hosts() -> list[str]:
    """The names under which we answer; a request for another host is refused before anything looks at it."""
    given = [name.strip() for name in settings().hosts.split(",") if name.strip()]
    return given or [settings().host, "localhost", "127.0.0.1"]


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the feed's connections at the start and close every pool at the end."""
    await async_pool().open()
    stop = threading.Event()
    documents.follow("door", stop=stop)
    metrics = serve_metrics()
    PAGES.begin()
    with ending_with_signals():
        yield
    PAGES.end()
    stop.set()
    documents.forget()
    if metrics:
        metrics.shutdown()
        metrics.server_close()
    await async_pool().close()
    close_pools()
