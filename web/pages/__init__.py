"""The screens: one module per user task. Each handler parses, calls one function below, and renders."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import NotFound
from web.access.guard import screen
from web.pages import (
    acute,
    assessment,
    case,
    feedback,
    forwarding,
    handover,
    job,
    link,
    monitoring,
    notices,
    overview,
    partner,
    quality,
    quarantine,
    queue,
    report,
    review,
    rules,
    service,
    sign_in,
    terms,
    watch,
)
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
    screen("/wachtrij/verdelen", queue.divide, "task.move", "POST"),
    screen("/overzicht", overview.show, "overview.view"),
    screen("/meldingen/{id}/acuut", acute.show, "acute.view"),
    screen("/meldingen/{id}/acuut", acute.act, "acute.act", "POST"),
    screen("/meldingen/{id}/acuut/voorbij", acute.end, "acute.end", "POST"),
    screen("/meldingen/{id}/acuut/risico", acute.look, "acute.act", "POST"),
    screen("/meldingen/{id}/beoordeling", assessment.show, "assessment.view"),
    screen("/meldingen/{id}/beoordeling", assessment.act, "assessment.write", "POST"),
    screen("/meldingen/{id}/beoordeling/bewaren", assessment.keep, "assessment.write", "POST"),
    screen("/meldingen/{id}/beoordeling/tekenen", assessment.sign, "assessment.sign", "POST"),
    screen("/meldingen/{id}/beoordeling/teruggeven", assessment.give_back, "assessment.sign", "POST"),
    screen("/meldingen/{id}/beoordeling/herzien", assessment.revise, "assessment.revise", "POST"),
    screen("/meldingen/{id}/terugkoppeling", feedback.show, "feedback.view"),
    screen("/meldingen/{id}/terugkoppeling", feedback.act, "feedback.release", "POST"),
    screen("/meldingen/{id}/termijnen", terms.show, "terms.view"),
    screen("/meldingen/{id}/termijnen/{term}/verlengen", terms.extend, "terms.extend", "POST"),
    screen("/meldingen/{id}/termijnen/{term}/terugnemen", terms.withdraw, "terms.extend", "POST"),
    screen("/meldingen/{id}/betrokkenen", notices.show, "notices.view"),
    screen("/meldingen/{id}/betrokkenen/{persoon}/brief", notices.letter, "notice.tell", "POST"),
    screen("/meldingen/{id}/betrokkenen/{persoon}/verstuurd", notices.posted, "notice.tell", "POST"),
    screen("/meldingen/{id}/betrokkenen/{persoon}/gesprek", notices.talk, "notice.tell", "POST"),
    screen("/meldingen/{id}/betrokkenen/{persoon}/verzoek", notices.request, "request.receive", "POST"),
    screen("/meldingen/{id}/verzoeken/{verzoek}/antwoord", notices.answer, "request.answer", "POST"),
    screen("/meldingen/{id}/brieven/{brief}", notices.download, "letter.read"),
    screen("/meldingen/{id}/traject", service.show, "service.view"),
    screen("/meldingen/{id}/traject/contact", service.note, "contact.note", "POST"),
    screen("/meldingen/{id}/traject/{act}", service.act, "service.work", "POST"),
    screen("/meldingen/{id}/overdracht", handover.show, "handover.view"),
    screen("/meldingen/{id}/overdracht", handover.offer, "handover.offer", "POST"),
    screen("/meldingen/{id}/overdracht/{handover}/link", handover.renew, "handover.offer", "POST"),
    screen("/meldingen/{id}/overdracht/{handover}/intrekken", handover.withdraw, "handover.offer", "POST"),
    screen("/meldingen/{id}/overdracht/{handover}/gezien", handover.seen, "handover.offer", "POST"),
    screen("/meldingen/{id}/overdracht/{handover}/antwoord", handover.answer, "handover.answer", "POST"),
    screen("/meldingen/{id}/overdracht/{handover}/vto", handover.send_vto, "handover.offer", "POST"),
    screen("/meldingen/{id}/monitoring", monitoring.show, "monitoring.view"),
    screen("/meldingen/{id}/monitoring/{act}", monitoring.act, "monitoring.work", "POST"),
    screen("/meldingen/{id}/doorsturen", forwarding.show, "forwarding.view"),
    screen("/meldingen/{id}/doorsturen", forwarding.forward, "forwarding.forward", "POST"),
    screen("/meldingen/{id}/doorsturen/terughalen", forwarding.retrieve, "forwarding.retrieve", "POST"),
    screen("/meldingen/{id}/zicht", watch.show, "watch.view"),
    screen("/meldingen/{id}/zicht", watch.act, "watch.agree", "POST"),
    *partner.routes,
]
