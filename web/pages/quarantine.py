"""Quarantine: messages of authentic senders that nobody could read; a person looks, under the same clock."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.errors import Conflict
from intake import opening
from intake.models import Message, Quarantine, Sender
from intake.quarantine import RESOLUTIONS, UnknownResolution
from intake.quarantine import resolve as resolve_message
from radar.casework import dossier
from web.access.guard import Visit
from web.access.scope import find
from web.pages.report import shown_text

PAGE = 50


def index(visit: Visit) -> Response:
    query = visit.request.query_params
    resolved = query.get("toon") == "afgehandeld"
    try:
        after = UUID(query["na"]) if "na" in query else UUID(int=0)
    except ValueError:
        raise HTTPException(400) from None
    rows = dossier.quarantined(visit.db, visit.region, resolved=resolved, after=after, limit=PAGE + 1)
    shown = rows[:PAGE]
    visit.note("quarantine.list", "quarantine", details={"rows": len(shown)})
    last = shown[-1]["id"] if len(rows) > PAGE else None
    return visit.show("quarantine_list.html", rows=shown, resolved=resolved, last=last)


def show(visit: Visit) -> Response:
    return _page(visit, find(visit.db, visit.region, Quarantine, visit.request.path_params["id"]))


def resolve(visit: Visit) -> Response:
    """End it; without a choice the form comes back with what is missing."""
    item = find(visit.db, visit.region, Quarantine, visit.request.path_params["id"])
    resolution = visit.form.get("resultaat", "")
    try:
        with visit.db.transaction():
            resolve_message(visit.db, item.id, resolution=resolution, by=visit.actor, at=visit.at)
    except UnknownResolution as error:
        return _page(visit, item, 400, {"resultaat": error.message})
    except Conflict as error:
        current = find(visit.db, visit.region, Quarantine, item.id)
        return _page(visit, current, 409, {"besluit": error.message})
    return RedirectResponse(f"/quarantaine/{item.id}", status_code=303)


def _page(visit: Visit, item: Quarantine, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    message = find(visit.db, visit.region, Message, item.message_id)
    visit.note("quarantine.view", "quarantine", item.id)
    return visit.show(
        "quarantine.html",
        status,
        item=item,
        message=message,
        sender=find(visit.db, visit.region, Sender, message.sender_id),
        deadline=dossier.deadline(visit.db, visit.region, "quarantine", item.id),
        task=dossier.task_of(visit.db, visit.region, item.id),
        resolutions=RESOLUTIONS,
        errors=errors or {},
        form=visit.form,
        **shown_text(opening.raw(visit.db, message.id, message.raw)),
    )
