"""The API for machines: the feed, its JSON twin, health. Every answer carries its version."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, Router

from web.api import bijlagen, corv, gesprekken, health, meldingen, openapi, overdrachten, token, voorbeelden
from web.api.version import Versioned

routes: list[BaseRoute] = [
    Mount(
        "/api",
        Router(
            [
                Route("/v1/corv/berichten", corv.receive, methods=["POST"]),
                Route("/v1/meldingen", meldingen.receive, methods=["POST"]),
                Route("/v1/meldingen/{id}", meldingen.state, methods=["GET"]),
                Route("/v1/meldingen/{id}/bijlagen", bijlagen.receive, methods=["POST"]),
                Route("/v1/meldingen/{id}/terugkoppeling", meldingen.feedback, methods=["GET"]),
                Route("/v1/overdrachten", overdrachten.index, methods=["GET"]),
                Route("/v1/overdrachten/{id}", overdrachten.show, methods=["GET"]),
                Route("/v1/overdrachten/{id}/antwoord", overdrachten.answer, methods=["POST"]),
                Route("/v1/gesprekken", gesprekken.receive, methods=["POST"]),
                Route("/v1/token", token.issue, methods=["POST"]),
                Route("/v1/voorbeelden", voorbeelden.index, methods=["GET"]),
                Route("/v1/voorbeelden/{name}", voorbeelden.show, methods=["GET"]),
                Route("/v1/openapi.json", openapi.document, methods=["GET"]),
            ],
            redirect_slashes=False,
            middleware=[Middleware(Versioned)],
        ),
    ),
    Route(token.METADATA, token.metadata, methods=["GET"]),
    Route("/health/live", health.live, methods=["GET"]),
    Route("/health/ready", health.ready, methods=["GET"]),
]
