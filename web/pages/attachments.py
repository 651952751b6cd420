"""The files of one report: list, add, take along. Never shown in the browser, always a download."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.errors import Conflict
from core.settings import settings
from intake import attachments, scanner
from intake.filetypes import NAMES
from intake.models import Report
from web.access.guard import Visit, screen
from web.access.scope import as_id
from web.language import constants, say, t
from web.pages.forms import report_of

STATES = constants(
    {"waiting": "Nog niet gescand", "clean": "Gescand, niets gevonden", "refused": "Geweigerd door de scanner"}
)
CHOOSE = "Kies eerst een bestand."
CONFIRM = "Zet een vinkje om een bestand te downloaden dat niet gescand is."
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""A file of somebody else runs nowhere on our pages, whatever it holds."""
constants({one: one for one in (CHOOSE, CONFIRM, *attachments.TEXTS)})


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def add(visit: Visit) -> Response:
    """Put a file at the report, or ask the scanner to look again at what waits."""
    report = report_of(visit)
    if visit.form.get("handeling") == "scannen":
        attachments.scan_again(visit.db, visit.region, report.id)
        return _back(report)
    file = next((one for one in visit.files if one.field == "bestand"), None)
    if file is None:
        return _page(visit, report, 400, {"bestand": CHOOSE})
    try:
        with visit.db.transaction():
            attachments.store(visit.db, visit.region, report.id, file.name, file.content, by=visit.actor, at=visit.at)
    except attachments.NotTaken as error:
        return _page(visit, report, error.status, {"bestand": say(error.text, **error.values)})
    return _back(report)


def download(visit: Visit) -> Response:
    """The file to take along; on record. One that no scanner saw asks for an explicit yes."""
    report = report_of(visit)
    identifier = as_id(visit.request.path_params["bijlage"])
    row = attachments.find(visit.db, visit.region, report.id, identifier)
    unscanned = visit.form.get("toch") == "ja"
    try:
        content = attachments.content(visit.db, visit.region, report.id, identifier, unscanned=unscanned)
    except Conflict as error:
        told = CONFIRM if row["state"] == "waiting" else error.message
        return _page(visit, report, error.status, {f"toch-{identifier}": told})
    details = {"report": str(report.id), "scanned": row["state"] == "clean"}
    visit.note("attachment.download", "attachment", identifier, details)
    headers = HEADERS | {"Content-Disposition": disposition(row["name"])}
    return Response(content, media_type="application/octet-stream", headers=headers)


def disposition(name: str) -> str:
    """The header that makes a browser save a file under this (cleaned) name, never open it (RFC 6266)."""
    plain = "".join(letter if letter.isascii() and letter not in '"\\%' else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _back(report: Report) -> Response:
    return RedirectResponse(f"/meldingen/{report.id}/bijlagen", status_code=303)


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    found = attachments.of_report(visit.db, visit.region, report.id)
    visit.note("attachment.view", "report", report.id, {"attachments": len(found)})
    return visit.show(
        "attachments.html",
        status,
        report=report,
        files=found,
        waiting=any(row["state"] == "waiting" and not row["destroyed_at"] for row in found),
        scanner=scanner.is_set(),
        kinds=NAMES,
        states=STATES,
        largest=settings().attachment_bytes // 1024**2,
        errors={name: t(text) for name, text in (errors or {}).items()},
    )


routes: list[BaseRoute] = [
    screen("/meldingen/{id}/bijlagen", show, "attachment.view"),
    # The limit of the whole application holds (web/app.py).
    screen("/meldingen/{id}/bijlagen", add, "attachment.add", "POST", 2**31, max_files=1),
    screen("/meldingen/{id}/bijlagen/{bijlage}", download, "attachment.download", "POST"),
]
