"""A person's word on a link: confirm, reject or undo; it outranks the machine for ever, and shows what it did."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from intake.models import Mention, Report
from radar.casework.review import confirm, reject, undo
from radar.models import Link
from web.access.guard import Visit
from web.access.scope import find

ACTIONS = {
    "bevestigen": (confirm, "Koppeling bevestigd"),
    "afwijzen": (reject, "Koppeling afgewezen"),
    "ongedaan": (undo, "Koppeling ongedaan gemaakt"),
}


def decide(visit: Visit) -> Response:
    """Carry it out and show every consequence, with the way back to the report and the case."""
    link = find(visit.db, visit.region, Link, visit.request.path_params["id"])
    mention = find(visit.db, visit.region, Mention, link.mention_id)
    action = visit.form.get("handeling", "")
    if action not in ACTIONS:
        raise HTTPException(400)
    carry_out, title = ACTIONS[action]
    consequences = carry_out(visit.db, link.id, visit.actor, visit.at)
    report = find(visit.db, visit.region, Report, mention.report_id)
    return visit.show("link.html", title=title, consequences=consequences, report=report)
