"""A call becomes an advice: what will be gone is shown, what looks like data of a family is looked at, then stored.

The advice is stored and the call emptied in one transaction: never both, never neither (Wmo 2015 art. 5.1.6 lid 3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from core.errors import Conflict, ReasonMissing
from intake import advice
from intake.advice import AdviceInput, AskerContact, PersonalDataFound, errors_of
from intake.channels import desk_form, drafts
from intake.channels.desk_form import Fields, said, ticked
from intake.channels.drafts import Draft, StaleCall
from intake.codelists import codelists, options
from intake.personal_data import excerpts, found
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages import desk_view

PATH = "/adviezen"
FIELDS = {
    "question": "advies_vraag",
    "advice": "advies_gegeven",
    "follow_up_on": "advies_vervolg",
    "capacity": "hoedanigheid",
    "occasions": "aanleiding",
    "natures": "aard",
    "contact": "advies_contact",
    "contact.email": "advies_contact",
    "contact.phone": "advies_contact",
    "contact.name": "advies_contact",
    "contact.consent": "advies_contact",
}
TEXTS = ("advies_vraag", "advies_gegeven")
MAX_SEEN = 20_000


def show(visit: Visit) -> Response:
    """The page of the advice; the question begins with what was typed of the story, to be made free of names."""
    draft = _draft(visit)
    if draft.outcome:
        return RedirectResponse(f"/gesprekken/{draft.id}", status_code=303)
    return _page(visit, draft, _begun(draft.fields))


def act(visit: Visit) -> Response:
    """Save what was typed; then store the advice, when a person looked at what seems to be personal data."""
    draft = _draft(visit, lock=True)
    if draft.outcome:
        return RedirectResponse(f"/gesprekken/{draft.id}", status_code=303)
    draft = replace(draft, fields=desk_form.typed_advice(visit.form, draft.fields))
    text = visit.form.get("versie", "")
    version = int(text) if text.isdecimal() else -1
    try:
        version = drafts.save(
            visit.db, visit.region, draft.id, visit.member.id, version, draft.fields, by=visit.actor, at=visit.at
        )
    except StaleCall as error:
        return _page(
            visit, replace(draft, version=error.theirs.version), draft.fields, 409, {"advies": error.message}
        )
    except Conflict as error:
        return _page(visit, draft, draft.fields, 409, {"advies": error.message})
    draft = replace(draft, version=version)
    if visit.form.get("handeling") == "bewaren":
        return RedirectResponse(f"/gesprekken/{draft.id}/advies", status_code=303)
    try:
        with visit.db.transaction():
            stored = advice.record(
                visit.db,
                visit.region,
                _input(draft.fields),
                by=visit.actor,
                at=visit.at,
                confirmed=_confirmed(visit.form),
                reason=visit.form.get("gezien_waarom", ""),
            )
            drafts.finish(visit.db, draft, "advice", by=visit.actor, at=visit.at, outcome_id=stored)
    except ValidationError as error:
        errors = {FIELDS.get(name, "advies"): words for name, words in errors_of(error).items()}
        return _page(visit, draft, draft.fields, 400, errors)
    except PersonalDataFound as error:
        return _page(visit, draft, draft.fields, 400, {"gezien": error.message})
    except ReasonMissing as error:
        return _page(visit, draft, draft.fields, 400, {"gezien_waarom": error.message})
    return RedirectResponse(f"{PATH}/{stored}", status_code=303)


def _draft(visit: Visit, *, lock: bool = False) -> Draft:
    wanted = as_id(visit.request.path_params["id"])
    return drafts.find(visit.db, visit.region, wanted, visit.member.id, by=visit.actor, lock=lock)


def _begun(fields: Fields) -> dict[str, str]:
    """The question as it begins: what was typed of the story."""
    if said(fields, "advies_vraag"):
        return dict(fields)
    return {**fields, "advies_vraag": "\n\n".join(one for name in ("wat", "sinds") if (one := said(fields, name)))}


def _input(fields: Fields) -> AdviceInput:
    """Raises ValidationError, and for a follow-up day that is none an AdviceInput that says so."""
    follow_up = said(fields, "advies_vervolg")
    return AdviceInput(
        way="balie" if said(fields, "wijze") == "balie" else "telefoon",
        capacity=said(fields, "hoedanigheid"),
        occasions=tuple(ticked(fields, "aanleiding")),
        natures=tuple(ticked(fields, "aard")),
        question=said(fields, "advies_vraag"),
        advice=said(fields, "advies_gegeven"),
        follow_up=bool(follow_up),
        follow_up_on=_day(follow_up),
        contact=_contact(fields),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _contact(fields: Fields) -> AskerContact | None:
    """How to reach who asked, only when he agreed; anonymous otherwise, whatever was typed."""
    if said(fields, "advies_contact") != "ja":
        return None
    return AskerContact(
        consent=True,
        name=said(fields, "melder_naam"),
        phone=said(fields, "melder_telefoon"),
        email=said(fields, "melder_email"),
    )


def _confirmed(form: Mapping[str, str]) -> list[str]:
    """The pieces that stood on the page when somebody said that they are no data of a family."""
    if form.get("gezien") != "ja":
        return []
    try:
        seen = json.loads(form.get("gezien_wat", "[]")[:MAX_SEEN])
    except ValueError:
        return []
    return [one for one in seen if isinstance(one, str)] if isinstance(seen, list) else []


def _page(
    visit: Visit, draft: Draft, fields: Fields, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    visit.note("desk.view", "intake_draft", draft.id)
    finds = {name: found(fields.get(name, "")) for name in TEXTS}
    lists = codelists()
    values: dict[str, Any] = {
        "draft": draft,
        "form": {**fields, "gezien_waarom": visit.form.get("gezien_waarom", "")},
        "errors": errors or {},
        "dropped": desk_view.dropped(draft.fields),
        "finds": [(desk_view.LABELS[name], one) for name, some in finds.items() for one in some],
        "seen": json.dumps(excerpts(one for some in finds.values() for one in some), ensure_ascii=False),
        "capacities": options(lists.capacities),
        "occasions": options(lists.occasions),
        "natures": options(lists.natures),
        "contact": ", ".join(
            one for name in ("melder_naam", "melder_telefoon", "melder_email") if (one := said(fields, name))
        ),
    }
    return visit.show("desk_advice.html", status, **values)
