"""The rights of the persons concerned of a report: their requests from receipt to decision, and what stays or
goes.
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core.deadlines import AMSTERDAM
from core.errors import NotFound, ReasonMissing, VeiligError
from intake.models import Report
from radar.casework.ages import age_on
from radar.casework.ledger import WrongExtension
from radar.casework.letters import FieldsMissing, Unwritable
from radar.rights import askers, copy, corrections, decision, destruction, holds, orders, requests
from web.access.guard import Visit, screen
from web.access.scope import as_id
from web.pages.forms import day_of, mention_of, report_of

FIELD_OF: dict[type[VeiligError], str] = {
    requests.WrongKind: "soort",
    requests.WrongDay: "ontvangen",
    requests.AskerMissing: "wie",
    requests.HowMissing: "hoe",
    requests.AuthorityMissing: "bevoegd",
    requests.CallBackMissing: "gebeld",
    requests.AgeMissing: "leeftijd",
    requests.AnswerMissing: "reden",
    corrections.TextMissing: "tekst",
    corrections.WrongDate: "dag",
    corrections.CorrectionMissing: "wordt",
    copy.GroundMissing: "grond",
    copy.Locked: "grond",
    decision.OutcomeMissing: "besluit",
    decision.GroundMissing: "gronden",
    decision.NotConcrete: "gronden",
    holds.WrongHold: "soort",
    holds.WrongReview: "kijken",
    WrongExtension: "weken",
    ReasonMissing: "reden",
    FieldsMissing: "reden",
    Unwritable: "reden",
}


def show(visit: Visit) -> Response:
    """Every person of the report, their requests, what they said themselves, and the holds."""
    return _page(visit, report_of(visit))


def receive(visit: Visit) -> Response:
    """A written request of this person came in."""
    report, mention, form = report_of(visit), mention_of(visit), visit.form
    try:
        # A savepoint: what is refused leaves nothing behind, and the page can still be read and noted.
        with visit.db.transaction():
            request = requests.receive(
                visit.db,
                mention.id,
                form.get("soort", ""),
                day_of(form.get("ontvangen", ""), requests.WrongDay()),
                note=form.get("notitie", ""),
                by=visit.actor,
                at=visit.at,
            )
    except VeiligError as error:
        return _page(visit, report, error, f"verzoek-{mention.id}")
    return RedirectResponse(f"/verzoeken/{request}", status_code=303)


def hold(visit: Visit) -> Response:
    """Keep this person's data, or the whole report when no person was chosen."""
    report, form = report_of(visit), visit.form
    mention = as_id(form["persoon"]) if form.get("persoon") else None
    try:
        with visit.db.transaction():
            holds.place(
                visit.db,
                report.id,
                form.get("soort", ""),
                form.get("reden", ""),
                review_on=day_of(form.get("kijken", ""), holds.WrongReview()),
                until=day_of(form["tot"], holds.WrongReview()) if form.get("tot") else None,
                mention_id=mention,
                by=visit.actor,
                at=visit.at,
            )
    except NotFound:
        raise
    except VeiligError as error:
        return _page(visit, report, error, "blokkade")
    return _back(report)


def end_hold(visit: Visit) -> Response:
    report = report_of(visit)
    wanted = as_id(visit.request.path_params["blokkade"])
    if wanted not in {row["id"] for row in holds.of_report(visit.db, visit.region, report.id)}:
        raise NotFound
    try:
        with visit.db.transaction():
            holds.end(visit.db, wanted, visit.form.get("reden", ""), by=visit.actor, at=visit.at)
    except VeiligError as error:
        return _page(visit, report, error, f"einde-{wanted}")
    return _back(report)


def resume(visit: Visit) -> Response:
    """The data of a person may be used again."""
    report = report_of(visit)
    wanted = as_id(visit.request.path_params["stop"])
    if wanted not in {row["id"] for row in corrections.stopped(visit.db, report.id)}:
        raise NotFound
    try:
        with visit.db.transaction():
            corrections.resume_use(visit.db, wanted, visit.form.get("reden", ""), by=visit.actor, at=visit.at)
    except VeiligError as error:
        return _page(visit, report, error, f"hervat-{wanted}")
    return _back(report)


# ── reading and showing ─────────────────────────────────────────────────────────────────────────────────────


def _back(report: Report) -> Response:
    return RedirectResponse(f"/meldingen/{report.id}/rechten", status_code=303)


def errors_of(error: VeiligError | None, where: str) -> tuple[int, dict[str, str]]:
    if error is None:
        return 200, {}
    name = FIELD_OF.get(type(error))
    if name is None:
        return (409 if error.status in (403, 409) else error.status), {f"stap-{where}": error.message}
    return 400, {f"{name}-{where}": error.message}


def _page(visit: Visit, report: Report, error: VeiligError | None = None, where: str = "") -> Response:
    visit.note("rights.view", "report", report.id)
    status, errors = errors_of(error, where)
    db, today = visit.db, visit.at.astimezone(AMSTERDAM).date()
    mentions = db.execute(
        "SELECT id, number, person, destroyed_at FROM mention WHERE region_id = %s AND report_id = %s ORDER BY"
        " number",
        (visit.region, report.id),
    ).fetchall()
    return visit.show(
        "rights.html",
        status,
        report=report,
        persons=[row | {"age": age_on(row["person"], today)} for row in mentions],
        requests=requests.of_report(db, visit.region, report.id),
        beside=corrections.of_report(db, visit.region, report.id),
        holds=holds.of_report(db, visit.region, report.id),
        orders=orders.of_report(db, visit.region, report.id),
        kinds=askers.KINDS,
        outcomes=decision.ALL_OUTCOMES,
        hold_kinds=holds.KINDS,
        order_grounds=destruction.GROUNDS,
        errors=errors,
        where=where,
        form=visit.form,
        today=today.isoformat(),
    )


routes: list[BaseRoute] = [
    screen("/meldingen/{id}/rechten", show, "rights.view"),
    screen("/meldingen/{id}/rechten/{persoon}/verzoek", receive, "request.receive", "POST"),
    screen("/meldingen/{id}/rechten/blokkade", hold, "hold.place", "POST"),
    screen("/meldingen/{id}/rechten/blokkade/{blokkade}", end_hold, "hold.place", "POST"),
    screen("/meldingen/{id}/rechten/gebruik/{stop}", resume, "request.release", "POST"),
]
