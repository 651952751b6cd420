"""Counts and times of the answers, for Prometheus; the door and the status, never an address or an id."""

from __future__ import annotations

import time
from contextlib import suppress
from wsgiref.simple_server import WSGIServer

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import metrics
from core.settings import settings

DOORS = (("/api/v1/corv", "feed"), ("/api", "api"), ("/health", "health"), ("/static", "static"))


class Measure:
    """Counts each answer and how long it took until it began."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        door = next((name for prefix, name in DOORS if scope["path"].startswith(prefix)), "pages")

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                metrics.REQUESTS.labels(door, message["status"]).inc()
                metrics.SECONDS.labels(door).observe(time.perf_counter() - begun)
            await send(message)

        await self.app(scope, receive, counted)


def serve_metrics() -> WSGIServer | None:
    """Open the metrics port, if there is one. Of several web processes the first gets it, the others go without."""
    port = settings().metrics_port
    if not port:
        return None
    with suppress(OSError):
        return metrics.serve(settings().host, port)[0]
    structlog.get_logger().warning("metrics.port_taken", port=port)
    return None
