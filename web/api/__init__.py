"""The API for machines: the feed, its JSON twin, health. Every answer carries its version."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount, Route

from web.api import corv, health, meldingen, openapi

routes: list[BaseRoute] = [
    Mount(
        "/api/v1",
        routes=[
            Route("/corv/berichten", corv.receive, methods=["POST"]),
            Route("/meldingen", meldingen.receive, methods=["POST"]),
            Route("/meldingen/{id}", meldingen.state, methods=["GET"]),
            Route("/openapi.json", openapi.document, methods=["GET"]),
        ],
    ),
    Route("/health/live", health.live, methods=["GET"]),
    Route("/health/ready", health.ready, methods=["GET"]),
]
