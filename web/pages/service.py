"""What Veilig Thuis does itself about one report (traject): its contacts, findings, safety conditions and end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from intake.models import Report
from radar.casework import conditions, contacts, dossier, findings, service
from radar.casework.states import MOVES, RUNNING, allowed
from radar.protection import marks
from web.access.guard import Visit
from web.access.scope import find, id_or_none
from web.pages import shielding
from web.pages.forms import day, moment, who

NEEDED_FIRST = {
    "received": ("eerst de acute check", "acuut"),
    "assessing": ("eerst de veiligheidsbeoordeling met een besluit", "beoordeling"),
    "signing": ("eerst de tweede handtekening onder de beoordeling", "beoordeling"),
    "handover": ("een besluit om het toch zelf te doen: de melding wordt overgedragen", "overdracht"),
    "monitoring": ("een besluit om het weer zelf te doen: de melding is in monitoring", "monitoring"),
}
"""What comes before a service in a state, and where that is done."""
FIELD_OF: dict[type[VeiligError], str] = {
    marks.MayTellWhere: "adres",
    service.UnknownService: "dienst",
    ReasonMissing: "reden",
    service.WrongStart: "start_dag",
    service.LeadUnknown: "leiding",
    contacts.UnknownKind: "soort",
    contacts.PersonMissing: "betrokkene",
    contacts.WhoMissing: "met",
    contacts.UnknownWay: "hoe",
    contacts.WrongMoment: "contact_dag",
    contacts.SummaryMissing: "contact_tekst",
    findings.UnknownForm: "vorm",
    findings.UnknownResult: "uitkomst",
    findings.ExplanationMissing: "grond",
    conditions.TextMissing: "wat",
    conditions.OwnerMissing: "wie",
    conditions.WrongDay: "wanneer",
    service.UnknownOutcome: "einde",
    service.SummaryMissing: "samenvatting",
    service.UnknownNext: "hierna",
}


def show(visit: Visit) -> Response:
    return _page(visit, find(visit.db, visit.region, Report, visit.request.path_params["id"]))


def act(visit: Visit) -> Response:
    """Carry out one of the forms of the work itself."""
    return _carry_out(visit, ACTS.get(visit.request.path_params["act"]))


def note(visit: Visit) -> Response:
    """Note a contact: everybody who speaks with people does."""
    return _carry_out(visit, _contact)


def _carry_out(visit: Visit, chosen: Callable[[Visit, UUID], str] | None) -> Response:
    """One act; when something is missing the page comes back with what was typed, and nothing was kept."""
    report = find(visit.db, visit.region, Report, visit.request.path_params["id"])
    if chosen is None:
        raise NotFound
    try:
        with visit.db.transaction():
            place = shielding.kept(visit, report.id, lambda: chosen(visit, report.id))
    except VeiligError as error:
        if error.status not in (400, 409):
            raise
        return _page(visit, report, error.status, {_field(visit, error): error.message})
    return RedirectResponse(f"/meldingen/{report.id}/traject#{place}", status_code=303)


def _field(visit: Visit, error: VeiligError) -> str:
    """The field that an error belongs to; `traject` for what is said of the whole."""
    if isinstance(error, conditions.UnknownState | conditions.NoteMissing):
        name = "stand" if isinstance(error, conditions.UnknownState) else "notitie"
        return f"{name}-{visit.form.get('voorwaarde', '')}"
    return FIELD_OF.get(type(error), "traject")


def _take_on(visit: Visit, report_id: UUID) -> str:
    kind, reason = visit.form.get("dienst", ""), visit.form.get("reden", "")
    service.take_on(visit.db, report_id, kind, reason=reason, **who(visit))
    return "stand"


def _start(visit: Visit, report_id: UUID) -> str:
    service.start(visit.db, _running(visit, report_id), _moment(visit, "start"), **who(visit))
    return "stand"


def _lead(visit: Visit, report_id: UUID) -> str:
    service.take_lead(visit.db, _running(visit, report_id), id_or_none(visit.form.get("leiding", "")), **who(visit))
    return "leiding-titel"


def _plan(visit: Visit, report_id: UUID) -> str:
    forms = {form for form in findings.FORMS if visit.form.get(f"vorm_{form}")}
    running, read_at = _running(visit, report_id), _read_at(visit.form.get("gezien", ""))
    service.plan(visit.db, running, visit.form.get("plan", ""), forms, read_at=read_at, **who(visit))
    return "plan-titel"


def _contact(visit: Visit, report_id: UUID) -> str:
    form = visit.form
    now = _now(service.of_report(visit.db, visit.region, report_id))
    contacts.note(
        visit.db,
        report_id,
        now["id"] if now else None,
        with_kind=form.get("soort", ""),
        mention_id=id_or_none(form.get("betrokkene", "")),
        who=form.get("met", ""),
        how=form.get("hoe", ""),
        happened_at=_moment(visit, "contact"),
        summary=form.get("contact_tekst", ""),
        informed=form.get("verteld") == "ja",
        **who(visit),
    )
    return "contacten"


def _finding(visit: Visit, report_id: UUID) -> str:
    form = visit.form
    running = _running(visit, report_id)
    findings.find(
        visit.db,
        running,
        form.get("vorm", ""),
        form.get("uitkomst", ""),
        form.get("grond", ""),
        **who(visit),
    )
    return "conclusies"


def _condition(visit: Visit, report_id: UUID) -> str:
    form = visit.form
    due_on = day(form.get("wanneer", ""))
    conditions.make(visit.db, report_id, form.get("wat", ""), form.get("wie", ""), due_on, **who(visit))
    return "voorwaarden"


def _settle(visit: Visit, report_id: UUID) -> str:
    form = visit.form
    known = {row["id"] for row in conditions.of_report(visit.db, visit.region, report_id, visit.at)}
    condition = id_or_none(form.get("voorwaarde", ""))
    if condition is None or condition not in known:
        raise NotFound
    conditions.settle(visit.db, condition, form.get("stand", ""), form.get("notitie", ""), **who(visit))
    return "voorwaarden"


def _end(visit: Visit, report_id: UUID) -> str:
    form = visit.form
    service.end(
        visit.db,
        _running(visit, report_id),
        outcome=form.get("einde", ""),
        summary=form.get("samenvatting", ""),
        next_move=form.get("hierna", ""),
        **who(visit),
    )
    return "stand"


ACTS: Mapping[str, Callable[[Visit, UUID], str]] = {
    "oppakken": _take_on,
    "begin": _start,
    "leiding": _lead,
    "plan": _plan,
    "conclusie": _finding,
    "voorwaarde": _condition,
    "voorwaarde-stand": _settle,
    "einde": _end,
}
"""The last part of the address of a form; each gives the place on the page where its result is seen."""


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    db, region = visit.db, visit.region
    visit.note("service.view", "report", report.id)
    if errors:  # somebody else may have moved it meanwhile
        report = find(db, region, Report, report.id)
    state = report.state
    every = service.of_report(db, region, report.id)
    now = _now(every)
    moves = [move.name for move in allowed(state, visit.member.role)]
    return visit.show(
        "service.html",
        status,
        report=report,
        state=state,
        now_running=now,
        earlier=[row for row in every if row["ended_at"] is not None],
        ledger=dossier.ledger(db, now["deadline_id"]) if now and now["deadline_id"] else [],
        needed_first=NEEDED_FIRST.get(state),
        take_on={name: MOVES[f"take_on_{name}"].text for name in service.TEN_WEEKS if f"take_on_{name}" in moves},
        next_moves={name: MOVES[name].text for name in service.NEXT_MOVES if name in moves},
        workers=service.workers(db, region),
        persons=dossier.mentions(db, region, report.id),
        contacts=contacts.of_report(db, region, report.id),
        contact_kinds=contacts.KINDS,
        contact_ways=contacts.WAYS,
        found={row["id"]: findings.of_service(db, region, row["id"]) for row in every},
        forms={code: form.title for code, form in findings.FORMS.items()},
        results=findings.RESULTS,
        outcomes=findings.OUTCOMES,
        conditions=conditions.of_report(db, region, report.id, visit.at),
        condition_states=conditions.STATE_NAMES,
        settled=conditions.SETTLED,
        may_agree=state in RUNNING,
        today=local_day(visit.at),
        errors=errors or {},
        form=visit.form,
    )


def _now(every: list[Row]) -> Row | None:
    return next((row for row in every if row["ended_at"] is None), None)


def _running(visit: Visit, report_id: UUID) -> UUID:
    """The service that runs. Raises Conflict when none does."""
    found = _now(service.of_report(visit.db, visit.region, report_id))
    if found is None:
        raise Conflict("Er loopt nu geen traject. Misschien heeft een collega het net beëindigd.")
    running: UUID = found["id"]
    return running


def _moment(visit: Visit, name: str) -> datetime | None:
    """The day and the time of a form, as on a clock in the Netherlands; None when they are none."""
    return moment(f"{visit.form.get(f'{name}_dag', '')}T{visit.form.get(f'{name}_tijd', '')}")


def _read_at(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
