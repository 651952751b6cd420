"""One request of a person concerned: who asks, what he gets, what is decided, by two people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.database import Row
from core.deadlines import AMSTERDAM
from core.errors import Conflict, NotAllowed, NotFound, VeiligError
from radar.casework import ledger, letters, notices, terms
from radar.rights import askers, copy, corrections, decision, destruction, law, orders, requests
from radar.rights.decision import Why
from web.access.guard import Visit, screen
from web.access.scope import as_id
from web.language import constants
from web.pages.forms import day_of
from web.pages.notices import PHONE
from web.pages.rights import errors_of

SHOWN_STATES = constants(
    {
        "draft": "In voorbereiding",
        "submitted": "Ligt bij de tweede lezer",
        "released": "Vrijgegeven",
    }
)


def one(visit: Visit) -> Response:
    """One request: who asks, what he gets, what is decided."""
    return _request_page(visit, _request(visit))


def act(visit: Visit) -> Response:
    """A step of the preparation, by its name in the address."""
    return _do(visit, PREPARING)


def read(visit: Visit) -> Response:
    """A step of the second reader."""
    return _do(visit, READING)


def _do(visit: Visit, steps: Mapping[str, Callable[[Visit, Row], None]]) -> Response:
    request = _request(visit)
    name = visit.request.path_params["stap"]
    if name not in steps:
        raise NotFound
    try:
        with visit.db.transaction():
            steps[name](visit, request)
    except NotFound:
        raise
    except VeiligError as error:
        return _request_page(visit, request, error, name)
    return RedirectResponse(f"/verzoeken/{request['id']}", status_code=303)


def _verify(visit: Visit, request: Row) -> None:
    form = visit.form
    age = form.get("leeftijd", "").strip()
    if age and not (age.isdecimal() and len(age) < 4 and int(age) <= 120):
        raise requests.AgeMissing
    requests.verify(
        visit.db,
        request["id"],
        asker=form.get("wie", ""),
        name=form.get("naam", ""),
        how=form.get("hoe", ""),
        authority=form.get("bevoegd", ""),
        called_back_at=_moment(form),
        called_back_note=form.get("gezegd", ""),
        capable=form.get("kan", "ja") != "nee",
        opposed=form.get("tegen") == "ja",
        age_said=int(age) if age else None,
        by=visit.actor,
        at=visit.at,
    )


def _extend(visit: Visit, request: Row) -> None:
    weeks = visit.form.get("weken", "")
    row = ledger.find(visit.db, visit.region, requests.term_of(request["kind"]), request["id"])
    if row is None:
        raise NotFound
    amount = int(weeks) if weeks.isdecimal() and len(weeks) < 4 else 0
    notices.extend(visit.db, row["id"], amount, reason=visit.form.get("reden", ""), by=visit.actor, at=visit.at)
    visit.db.execute(
        "UPDATE task t SET due_at = d.due_at FROM deadline d WHERE d.id = %s AND t.kind = 'person_request'"
        " AND t.subject_id = %s AND t.done_at IS NULL",
        (row["id"], request["id"]),
    )


def _withdraw(visit: Visit, request: Row) -> None:
    requests.withdraw(visit.db, request["id"], visit.form.get("reden", ""), by=visit.actor, at=visit.at)


def _prepare(visit: Visit, request: Row) -> None:
    copy.prepare(visit.db, request["id"], by=visit.actor, at=visit.at)


def _choose(visit: Visit, request: Row) -> None:
    form = visit.form
    number = form.get("nummer", "")
    if not (number.isdecimal() and len(number) < 6):
        raise NotFound
    ground = None if form.get("mee") == "ja" else form.get("grond", "")
    copy.choose(
        visit.db, _copy(visit, request), int(number), ground, form.get("reden", ""), by=visit.actor, at=visit.at
    )


def _explain(visit: Visit, request: Row) -> None:
    form = visit.form
    made = _copy(visit, request)
    copy.explain(visit.db, made, form.get("grond", ""), form.get("reden", ""), by=visit.actor, at=visit.at)


def _submit(visit: Visit, request: Row) -> None:
    copy.submit(visit.db, _copy(visit, request), by=visit.actor, at=visit.at)


def _state(visit: Visit, request: Row) -> None:
    form = visit.form
    day = day_of(form.get("dag", ""), corrections.WrongDate())
    corrections.state(visit.db, request["id"], form.get("tekst", ""), day, by=visit.actor, at=visit.at)


def _correct(visit: Visit, request: Row) -> None:
    form = visit.form
    corrections.correct(
        visit.db,
        request["id"],
        what=form.get("wat", ""),
        said=form.get("was", ""),
        becomes=form.get("wordt", ""),
        source=form.get("bron", ""),
        since=day_of(form.get("dag", ""), corrections.WrongDate()),
        by=visit.actor,
        at=visit.at,
    )


def _decide(visit: Visit, request: Row) -> None:
    form = visit.form
    why = [
        Why(report, form[f"grond-{report}"], form.get(f"waarom-{report}", ""))
        for report in decision.reports_of(visit.db, request)
        if form.get(f"grond-{report}")
    ]
    decision.propose(
        visit.db, request["id"], form.get("besluit", ""), form.get("reden", ""), why, by=visit.actor, at=visit.at
    )


def _destroy(visit: Visit, request: Row) -> None:
    if not visit.may("destruction.propose"):
        raise NotAllowed("Uw rol mag geen vernietiging voorstellen. Vraag uw teamleider.")
    destruction.propose(
        visit.db,
        request["mention_id"],
        "request",
        visit.form.get("reden", ""),
        request_id=request["id"],
        by=visit.actor,
        at=visit.at,
    )


def _release(visit: Visit, request: Row) -> None:
    decision.release(visit.db, request["id"], by=visit.actor, name=visit.member.name, phone=PHONE, at=visit.at)


def _give_back(visit: Visit, request: Row) -> None:
    decision.give_back(visit.db, request["id"], visit.form.get("reden", ""), by=visit.actor, at=visit.at)


def _give_copy_back(visit: Visit, request: Row) -> None:
    copy.give_back(visit.db, _copy(visit, request), visit.form.get("reden", ""), by=visit.actor, at=visit.at)


PREPARING: dict[str, Callable[[Visit, Row], None]] = {
    "nagaan": _verify,
    "verlengen": _extend,
    "intrekken": _withdraw,
    "afschrift": _prepare,
    "stuk": _choose,
    "redenen": _explain,
    "voorleggen": _submit,
    "verklaring": _state,
    "correctie": _correct,
    "besluit": _decide,
    "vernietigen": _destroy,
}
READING: dict[str, Callable[[Visit, Row], None]] = {
    "vrijgeven": _release,
    "teruggeven": _give_back,
    "afschrift-terug": _give_copy_back,
}


# ── reading and showing ─────────────────────────────────────────────────────────────────────────────────────


def _request(visit: Visit) -> Row:
    row = visit.db.execute(
        "SELECT report_id FROM person_request WHERE id = %s AND region_id = %s",
        (as_id(visit.request.path_params["id"]), visit.region),
    ).fetchone()
    if row is None:
        raise NotFound
    wanted = as_id(visit.request.path_params["id"])
    return next(
        found for found in requests.of_report(visit.db, visit.region, row["report_id"]) if found["id"] == wanted
    )


def _copy(visit: Visit, request: Row) -> UUID:
    made = copy.of_request(visit.db, request["id"])
    if made is None:
        raise Conflict("Er is nog geen afschrift.")
    found: UUID = made["id"]
    return found


def _moment(form: Mapping[str, str]) -> datetime | None:
    """When somebody called back; None when nothing was filled in."""
    if not form.get("gebeld") and not form.get("gebeldtijd"):
        return None
    day = day_of(form.get("gebeld", ""), requests.CallBackMissing())
    try:
        hours = datetime.strptime(form.get("gebeldtijd", ""), "%H:%M").time()
    except ValueError:
        raise requests.CallBackMissing from None
    return datetime.combine(day, hours, tzinfo=AMSTERDAM)


def _request_page(visit: Visit, request: Row, error: VeiligError | None = None, where: str = "") -> Response:
    if error is not None:
        request = _request(visit)
    visit.note("rights.view", "person_request", request["id"])
    status, errors = errors_of(error, where)
    made = copy.of_request(visit.db, request["id"]) if request["kind"] == "access" else None
    if made is not None:
        visit.note("copy.view", "person_request", request["id"])
    report_ids = decision.reports_of(visit.db, request)
    files = visit.db.execute(
        "SELECT id, received_at FROM report WHERE id = ANY(%s) ORDER BY received_at, id", (report_ids,)
    ).fetchall()
    found = [
        row
        for row in orders.of_report(visit.db, visit.region, request["report_id"])
        if row["request_id"] == request["id"]
    ]
    return visit.show(
        "request.html",
        status,
        request=request,
        hints=requests.hints(request["person"], request["kind"], request["received_on"]),
        copy=made,
        items=copy.items_of(visit.db, made["id"]) if made else [],
        states=SHOWN_STATES,
        files=files,
        grounds=law.grounds_for(request["kind"]),
        why=decision.grounds_of(visit.db, request["id"]),
        orders=found,
        corrections=[
            row
            for row in visit.db.execute(
                "SELECT * FROM correction WHERE request_id = %s ORDER BY at, id", (request["id"],)
            )
        ],
        letters=[
            row
            for row in letters.of_report(visit.db, visit.region, request["report_id"])
            if row["id"] in {request["letter_id"], made["letter_id"] if made else None}
        ],
        texts=letters.texts(),
        kinds=askers.KINDS,
        askers=askers.ASKERS,
        hows=requests.VERIFIED_HOW,
        outcomes=decision.OUTCOMES,
        all_outcomes=decision.ALL_OUTCOMES,
        weeks=terms.kind(requests.term_of(request["kind"])).extension_weeks,
        errors=errors,
        where=where,
        form=visit.form,
        today=visit.at.astimezone(AMSTERDAM).date().isoformat(),
    )


routes: list[BaseRoute] = [
    screen("/verzoeken/{id}", one, "rights.view"),
    screen("/verzoeken/{id}/lezen/{stap}", read, "request.release", "POST"),
    screen("/verzoeken/{id}/{stap}", act, "request.prepare", "POST"),
]
