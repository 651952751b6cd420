"""A person's word on a link: yes, no, or take it back; what follows is shown before it is done, and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from intake.models import Mention, Report
from radar.casework import review
from radar.casework.consequences import AREAS, Effect, carry_out, fingerprint, preview
from radar.casework.review import Word
from radar.models import Link
from web.access.guard import Visit
from web.access.scope import find

WORDS: dict[str, Word] = {
    "bevestigen": review.confirm,
    "afwijzen": review.reject,
    "ongedaan": review.undo,
    "intrekken": review.withdraw,
}
DONE = {
    "bevestigen": "Vastgelegd: dezelfde persoon",
    "afwijzen": "Vastgelegd: niet dezelfde persoon",
    "ongedaan": "De koppeling is ongedaan gemaakt",
    "intrekken": "Het nee is ingetrokken",
}
ASKED = {
    "afwijzen": "Koppeling terugnemen: niet dezelfde persoon",
    "ongedaan": "Koppeling ongedaan maken",
    "intrekken": "Nee intrekken",
}
"""What is shown first. A yes, and a no to a proposal, take nothing back: they are carried out at once."""


def consequences(visit: Visit) -> Response:
    """What would change when this link is taken back; nothing is changed by looking."""
    link = find(visit.db, visit.region, Link, visit.request.path_params["id"])
    action = visit.request.query_params.get("handeling", "")
    if action not in ASKED:
        raise HTTPException(400)
    return _ask(visit, link, action, preview(visit.db, WORDS[action], link.id, visit.actor, visit.at))


def decide(visit: Visit) -> Response:
    """Carry it out and show every consequence. To take back, one must have seen what follows."""
    link = find(visit.db, visit.region, Link, visit.request.path_params["id"])
    action = visit.form.get("handeling", "")
    if action not in WORDS:
        raise HTTPException(400)
    # Read under its lock: a no to a question must not become the undoing of a yes that came a moment before.
    if action in ASKED and review.locked(visit.db, link.id)["state"] != "proposed":
        effects = preview(visit.db, WORDS[action], link.id, visit.actor, visit.at)
        seen = visit.form.get("gezien")
        if seen != fingerprint(effects):
            return _ask(visit, link, action, effects, changed=seen is not None)
    effects = carry_out(visit.db, WORDS[action], link.id, visit.actor, visit.at)
    return _page(visit, link, effects, {"title": DONE[action], "done": True})


def looked_again(visit: Visit) -> Response:
    """Somebody looked again at a decision that rested on a link which was moved: the decision stays."""
    report = find(visit.db, visit.region, Report, visit.request.path_params["id"])
    review.looked_again(visit.db, report.id, visit.actor, visit.at)
    return RedirectResponse(f"/meldingen/{report.id}#besluit", status_code=303)


def _ask(visit: Visit, link: Link, action: str, effects: list[Effect], changed: bool = False) -> Response:
    visit.note("link.preview", "link", link.id, {"action": action})
    asked = {
        "title": ASKED[action],
        "done": False,
        "action": action,
        "seen": fingerprint(effects),
        "changed": changed,
        "was": link.state,
    }
    return _page(visit, link, effects, asked, 409 if changed else 200)


def _page(visit: Visit, link: Link, effects: list[Effect], values: Mapping[str, Any], status: int = 200) -> Response:
    mention = find(visit.db, visit.region, Mention, link.mention_id)
    report = find(visit.db, visit.region, Report, mention.report_id)
    groups = [
        (title, [one for one in effects if one.area == area])
        for area, title in AREAS.items()
        if any(one.area == area for one in effects)
    ]
    # A case that was only tried has no page: its link would lead nowhere.
    cases = {
        row["id"]
        for row in visit.db.execute(
            "SELECT id FROM cases WHERE region_id = %s AND id = ANY(%s)",
            (visit.region, [one.case for one in effects if one.case]),
        )
    }
    return visit.show(
        "link.html", status, link=link, mention=mention, report=report, groups=groups, cases=cases, **values
    )
