"""The screens: one module per user task. Each handler parses, calls one function below, and renders."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import NotFound
from web.access.guard import screen
from web.pages import case, job, link, quality, quarantine, queue, report, review, rules, sign_in
from web.templates import static_files


def static(request: Request) -> Response:
    """A style sheet, icon or script; its name holds the hash of its content, so a browser may keep it."""
    try:
        media_type, content = static_files()[request.path_params["name"]]
    except KeyError:
        raise NotFound from None
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=media_type, headers=headers)


def start(request: Request) -> Response:
    return RedirectResponse("/wachtrij", status_code=303)


routes: list[BaseRoute] = [
    Route("/", start, methods=["GET"]),
    Route("/static/{name}", static, methods=["GET"]),
    Route("/inloggen", sign_in.show, methods=["GET"]),
    Route("/inloggen", sign_in.sign_in, methods=["POST"]),
    screen("/uitloggen", sign_in.sign_out, "session.end", "POST"),
    screen("/wachtrij", queue.show, "queue.view"),
    screen("/meldingen/{id}", report.show, "report.view"),
    screen("/meldingen/{id}/bericht", report.raw, "report.raw"),
    screen("/meldingen/{id}/besluit", report.decide, "report.decide", "POST"),
    screen("/meldingen/{id}/nagekeken", link.looked_again, "report.look_again", "POST"),
    screen("/koppelvoorstellen", review.index, "review.list"),
    screen("/koppelvoorstellen/{id}", review.show, "review.view"),
    screen("/koppelvoorstellen/{id}", review.answer, "link.decide", "POST"),
    screen("/koppelingen/{id}", link.decide, "link.decide", "POST"),
    screen("/koppelingen/{id}/gevolgen", link.consequences, "link.preview"),
    screen("/casussen/{id}", case.show, "case.view"),
    screen("/quarantaine", quarantine.index, "quarantine.list"),
    screen("/quarantaine/{id}", quarantine.show, "quarantine.view"),
    screen("/quarantaine/{id}/afhandelen", quarantine.resolve, "quarantine.resolve", "POST"),
    screen("/kwaliteit", quality.show, "quality.view"),
    screen("/kwaliteit/steekproef", quality.pair, "quality.review"),
    screen("/kwaliteit/steekproef/{id}", quality.answer, "quality.review", "POST"),
    screen("/regels", rules.index, "rules.view"),
    screen("/regels", rules.add, "rules.add", "POST"),
    screen("/regels/document", rules.document, "rules.view"),
    screen("/regels/proefdraaien", rules.rehearse, "rules.rehearse", "POST"),
    screen("/regels/proef/{id}", rules.show, "rules.view"),
    screen("/regels/proef/{id}/activeren", rules.activate, "rules.activate", "POST"),
    screen("/taken/{id}", job.show, "job.view"),
    screen("/taken/{id}/opnieuw", job.redrive, "job.redrive", "POST"),
]
