"""The vault of one report: secret whereabouts and who reported, each behind a grant with its purpose and reason.

Two clicks: the form asks why, and then the page shows it until the grant is over. Every reading is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from intake.models import Report
from intake.protected import MARKERS
from radar.protection import grants, reporters, settling, whereabouts
from radar.protection.grants import PurposeMissing
from web.access.guard import Visit
from web.access.scope import as_id
from web.pages import elements
from web.pages.forms import report_of

KINDS: dict[str, grants.Kind] = {"verblijf": "whereabouts", "melder": "reporter"}
SEES: dict[grants.Kind, str] = {"whereabouts": "person.whereabouts", "reporter": "reporter.identity"}
FIELDS: dict[type[VeiligError], str] = {
    PurposeMissing: "doel",
    ReasonMissing: "reden",
    reporters.GroundMissing: "grond",
}


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def open_vault(visit: Visit) -> Response:
    """Give oneself a grant on one of the two; the reading follows on the next page."""
    report, kind = report_of(visit), _kind(visit)
    if not visit.sees(SEES[kind]):
        raise NotFound
    try:
        with visit.db.transaction():
            grants.give(
                visit.db,
                visit.region,
                visit.member.id,
                kind,
                report_id=report.id,
                purpose=visit.form.get("doel", ""),
                reason=visit.form.get("reden", ""),
                by=visit.actor,
                at=visit.at,
            )
    except (PurposeMissing, ReasonMissing) as error:
        return _refused(visit, report, error)
    return _back(report)


def close_vault(visit: Visit) -> Response:
    """Every grant of mine on this report ends now."""
    report = report_of(visit)
    for kind in KINDS.values():
        while grant := grants.current(visit.db, visit.member.id, kind, report_id=report.id, at=visit.at):
            grants.end(visit.db, grant["id"], by=visit.actor, at=visit.at)
    return _back(report)


def stance(visit: Visit) -> Response:
    """Whether it may be told who reported, on which ground; a citizen is only told when a second person agrees."""
    report, form = report_of(visit), visit.form
    if not visit.sees("reporter.identity"):
        raise NotFound
    try:
        with visit.db.transaction():
            if form.get("bevestig"):
                reporters.confirm(visit.db, as_id(form["bevestig"]), by=visit.actor, at=visit.at)
            else:
                chosen, _, ground = form.get("grond", "").partition(":")
                if chosen not in ("open", "secret"):
                    raise reporters.GroundMissing
                reporters.choose(
                    visit.db,
                    report.id,
                    "open" if chosen == "open" else "secret",
                    ground,
                    form.get("uitleg", ""),
                    by=visit.actor,
                    at=visit.at,
                )
    except (reporters.GroundMissing, ReasonMissing, reporters.OwnChoice, Conflict) as error:
        name = "uitleg" if isinstance(error, ReasonMissing) else "grond"
        return _page(visit, report, error.status, {name: error.message})
    return _back(report)


def _kind(visit: Visit) -> grants.Kind:
    try:
        return KINDS[visit.form.get("kluis", "")]
    except KeyError:
        raise HTTPException(400) from None


def _back(report: Report) -> Response:
    return RedirectResponse(f"/meldingen/{report.id}/kluis", status_code=303)


def _refused(visit: Visit, report: Report, error: VeiligError) -> Response:
    return _page(visit, report, error.status, {f"{FIELDS[type(error)]}-{visit.form['kluis']}": error.message})


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    db = visit.db
    visit.note("vault.view", "report", report.id)
    held = {
        name: grants.current(db, visit.member.id, kind, report_id=report.id, at=visit.at)
        for name, kind in KINDS.items()
        if visit.sees(SEES[kind])
    }
    protected = whereabouts.of_report(db, visit.region, report.id)
    may_tell = reporters.choice(db, report.id)
    response = visit.show(
        "vault.html",
        status,
        report=report,
        held=held,
        purposes={name: grants.purposes(kind) for name, kind in KINDS.items()},
        minutes={name: grants.KINDS[kind].minutes for name, kind in KINDS.items()},
        protected=protected,
        whereabouts=_whereabouts(visit, report.id, held.get("verblijf")),
        reporter=_reporter(visit, report.id, held.get("melder")),
        choice=may_tell,
        rule=reporters.rules_of_reporters().kinds[may_tell.kind],
        grounds=reporters.rules_of_reporters().grounds,
        choices=[
            (f"{stance}:{code}", stance, text)
            for stance in ("open", "secret")
            for code, text in reporters.grounds(may_tell.kind, stance).items()
        ],
        history=grants.of_report(db, visit.region, report.id) if visit.may("vault.history") else None,
        titles={kind: rule.title for kind, rule in grants.KINDS.items()},
        why={code: one.title for code, one in grants.PURPOSES.items()},
        errors=errors or {},
        form=visit.form,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _whereabouts(visit: Visit, report: UUID, grant: Row | None) -> dict[str, Any] | None:
    """What was left out, per person and of the text of the report; None without a grant."""
    if grant is None:
        return None
    details = {"grant": str(grant["id"]), "purpose": grant["purpose"]}
    visit.note("whereabouts.read", "report", report, details)
    content, persons = settling.opened(visit.db, report)
    left_out = settling.left_out(visit.db, report)
    shown = {}
    for number, person in persons.items():
        names = {str(path[0]) for path, _, _ in left_out.get("persons", {}).get(str(number), [])}
        if names:
            shown[number] = elements.person({name: person[name] for name in person if name in names}).lines
    parts = {str(path[0]) for path, _, _ in left_out.get("content", [])}
    texts = [
        part for part in elements.sections({name: content[name] for name in parts if name in content}) if part.lines
    ]
    town = (left_out.get("municipality") or [None])[0]
    written = [before for _, _, _, before, _ in left_out.get("texts", [])]
    return {"persons": shown, "texts": texts, "written": written, "municipality": None if town in MARKERS else town}


def _reporter(visit: Visit, report: UUID, grant: Row | None) -> reporters.Identity | None:
    """Who reported; None without a grant."""
    if grant is None:
        return None
    details = {"grant": str(grant["id"]), "purpose": grant["purpose"]}
    visit.note("vault.reporter", "report", report, details)
    return reporters.read(visit.db, report, by=visit.actor)
