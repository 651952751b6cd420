"""The rule sets of the radar: what is in force, adding one, trying it on stored reports, and putting it in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.errors import Conflict, NotFound, ReasonMissing
from radar.quality import activation, rehearsal, rows, rulesets
from radar.quality.models import Rehearsal
from radar.quality.policy import policy
from radar.quality.rehearsal import WrongNumber
from radar.quality.rulesets import RuleSet, WrongRules
from web.access.guard import MAX_FORM_BYTES, Visit
from web.access.scope import find
from web.language import constants

PAGE = 50
CHANGES = constants(
    {
        "contradicts": "In strijd met een besluit",
        "new_link": "Nieuwe automatische koppeling",
        "link_lost": "Automatische koppeling vervalt",
        "other_person": "Andere persoon",
        "to_question": "Van automatisch naar vraag",
        "to_automatic": "Van vraag naar automatisch",
        "question_added": "Nieuwe vraag",
        "question_removed": "Vraag vervalt",
        "other_outcome": "Geen koppeling, andere uitkomst",
    }
)
OUTCOMES = constants(
    {
        "same_person": "zelfde persoon",
        "same_household": "iemand anders uit hetzelfde huishouden",
        "new": "nieuwe persoon",
        "too_little": "te weinig bekend",
        "outside": "geen lid van het gezin",
    }
)
STATES = constants({"automatic": "automatisch", "proposed": "als vraag", "new": ""})
WORDS = constants(
    {"confirmed": "een medewerker zei: dezelfde persoon", "rejected": "een medewerker zei: niet deze persoon"}
)


def index(visit: Visit) -> Response:
    return _index(visit)


def document(visit: Visit) -> Response:
    """A rule set as a file, to read or to change."""
    version = visit.request.query_params.get("versie", "")
    found = rulesets.document(visit.db, visit.region, version)
    visit.note("rules.view", "rules", details={"version": version})
    text = json.dumps(found, ensure_ascii=False, indent=1)
    headers = {"Content-Disposition": f'attachment; filename="{version}.json"'}
    return Response(text, media_type="application/json", headers=headers)


def add(visit: Visit) -> Response:
    """Store a rule set; when it does not fit the form comes back with the field that is wrong."""
    text = visit.form.get("regels", "")
    try:
        with visit.db.transaction():
            if not text.strip():
                raise WrongRules("Plak hier de regels.")
            rulesets.add(visit.db, visit.region, text, visit.actor, visit.at)
    except (WrongRules, Conflict) as error:
        return _index(visit, error.status, {"regels": error.message})
    return RedirectResponse("/regels", status_code=303)


def rehearse(visit: Visit) -> Response:
    """Ask for a rehearsal, and go to its page."""
    form = visit.form
    try:
        number = form.get("aantal", "").strip()
        if not number.isdecimal() or len(number) > 9:
            raise WrongNumber
        with visit.db.transaction():
            asked = rehearsal.ask(visit.db, visit.region, form.get("versie", ""), visit.actor, visit.at, int(number))
    except NotFound:
        return _index(visit, 400, {"versie": "Kies een versie."})
    except WrongNumber as error:
        return _index(visit, 400, {"aantal": error.message})
    except Conflict as error:
        return _index(visit, 409, {"versie": error.message})
    return RedirectResponse(f"/regels/proef/{asked}", status_code=303)


def show(visit: Visit) -> Response:
    return _show(visit, _rehearsal(visit))


def activate(visit: Visit) -> Response:
    """Put the rehearsed rule set in force; when something stands in the way the page says what."""
    found = _rehearsal(visit)
    try:
        with visit.db.transaction():
            activation.activate(
                visit.db, visit.region, found["id"], visit.form.get("reden", ""), visit.actor, visit.at
            )
    except ReasonMissing as error:
        return _show(visit, found, 400, {"reden": error.message})
    except Conflict as error:
        return _show(visit, found, 409, {"besluit": error.message})
    return RedirectResponse("/regels", status_code=303)


def _rehearsal(visit: Visit) -> Row:
    asked = find(visit.db, visit.region, Rehearsal, visit.request.path_params["id"])
    found = rows.rehearsal(visit.db, visit.region, asked.id)
    if found is None:
        raise NotFound
    return found


def _index(visit: Visit, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    db, region = visit.db, visit.region
    visit.note("rules.view", "rules")
    return visit.show(
        "quality_rules.html",
        status,
        listing=rulesets.listing(db, region),
        activations=rows.activations(db, region),
        rehearsals=rows.rehearsals(db, region),
        figures=policy().rehearsal,
        largest=MAX_FORM_BYTES // 1024,
        errors=errors or {},
        form=visit.form,
    )


def _show(visit: Visit, found: Row, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    query, db, region = visit.request.query_params, visit.db, visit.region
    kind, start = query.get("soort") or None, query.get("vanaf", "0")
    if (kind and kind not in CHANGES) or not start.isdecimal() or len(start) > 6:
        raise HTTPException(400)
    changes = rows.changes(db, region, found["id"], kind, PAGE + 1, int(start))
    counts = rows.change_counts(db, found["id"])
    changed = sum(number for name, number in counts.items() if name != "contradicts")
    visit.note("rules.rehearsal.view", "rehearsal", found["id"])
    before = RuleSet(found["against"], found["against_rule_set_id"])
    after = RuleSet(found["version"], found["rule_set_id"])
    values: dict[str, Any] = {
        "rehearsal": found,
        "counts": {name: (text, counts.get(name, 0)) for name, text in CHANGES.items()},
        "same": found["mentions"] - changed,
        "questions": _questions(visit, found),
        "changes": changes[:PAGE],
        "next_start": int(start) + PAGE if len(changes) > PAGE else None,
        "kind": kind,
        "names": CHANGES,
        "said": WORDS,
        "differences": rulesets.differences(rulesets.rules_of(db, before), rulesets.rules_of(db, after)),
        "obstacle": activation.obstacle(db, found, visit.at),
        "outcome": outcome,
        "errors": errors or {},
        "form": visit.form,
    }
    return visit.show("quality_rehearsal.html", status, **values)


def outcome(name: str, state: str) -> str:
    """'zelfde persoon, als vraag'."""
    return ", ".join(part for part in (OUTCOMES.get(name, name), STATES.get(state, state)) if part)


def _per_hundred(number: int, reports: int, sign: str = "") -> str:
    """'3,5' for every 100 reports; with `sign` '+' also its sign."""
    share = round(number * 100 / reports, 1)
    return f"{share:{sign}.1f}".replace(".", ",") if share else "0"


def _questions(visit: Visit, found: Row) -> dict[str, str] | None:
    """How many questions come, go and remain over per 100 reports; None before anything was weighed."""
    if not found["weighed"]:
        return None
    more, less = rows.question_changes(visit.db, found["id"])
    return {
        "more": _per_hundred(more, found["weighed"]),
        "less": _per_hundred(less, found["weighed"]),
        "net": _per_hundred(more - less, found["weighed"], "+"),
    }
