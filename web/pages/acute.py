"""The acute check, the log of the direct action and its end, and a later look at the risk of one report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from core.deadlines import AMSTERDAM
from core.errors import Conflict, ReasonMissing, VeiligError
from intake.models import Report
from radar.casework import acute, dossier, questionnaire, tasks
from radar.casework.states import BEFORE_DECISION, FINAL, STATES
from web.access.guard import Visit
from web.language import constants
from web.pages import elements
from web.pages.forms import report_of

SIGN = "teken_"
RISKS = constants({"0": "Geen spoed bekend", "1": "Verhoogd", "2": "Acuut: er begint direct handelen"})
READ_FIRST = ("Wat is er gebeurd", "Zorgelijke situatie")
FIELDS: dict[type[VeiligError], str] = {
    ReasonMissing: "reden",
    tasks.UnknownRisk: "risico",
    acute.WhoMissing: "gebeld",
    acute.AgreementMissing: "afgesproken",
    acute.NotYet: "wanneer",
}


class ChoiceMissing(VeiligError):
    """Kies: is er direct gevaar, of niet?"""

    status = 400


class MomentMissing(VeiligError):
    """Vul de dag en de tijd in."""

    status = 400


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def act(visit: Visit) -> Response:
    """The check, a report that turns acute later, or a line in the log."""
    done = {"check": _check, "opnieuw": _turn, "logboek": _note}.get(visit.form.get("handeling", ""))
    if done is None:
        raise HTTPException(400)
    return _carry_out(visit, done)


def end(visit: Visit) -> Response:
    """The direct danger is over."""
    return _carry_out(visit, _end)


def look(visit: Visit) -> Response:
    """Look at the risk again."""
    return _carry_out(visit, _look)


def _carry_out(visit: Visit, done: Callable[[Visit, Report], str]) -> Response:
    """Do it and go on; a refused form leaves nothing behind and comes back with its text."""
    report = report_of(visit)
    try:
        with visit.db.transaction():
            onward = done(visit, report)
    except (ChoiceMissing, MomentMissing) as error:
        return _page(visit, report, 400, {"acuut" if isinstance(error, ChoiceMissing) else "wanneer": error.message})
    except tuple(FIELDS) as error:
        return _page(visit, report, 400, {FIELDS[type(error)]: error.message})
    except acute.UnknownSign as error:
        return _page(visit, report, 400, {"tekens": error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"melding": error.message})
    return RedirectResponse(onward, status_code=303)


def _check(visit: Visit, report: Report) -> str:
    form = visit.form
    if form.get("acuut") not in ("ja", "nee"):
        raise ChoiceMissing
    is_acute = form["acuut"] == "ja"
    acute.check(
        visit.db,
        report.id,
        is_acute,
        _signs(form),
        form.get("reden", ""),
        by=visit.actor,
        role=visit.member.role,
        at=visit.at,
        risk=_risk(form),
    )
    return f"/meldingen/{report.id}/acuut" if is_acute else f"/meldingen/{report.id}"


def _turn(visit: Visit, report: Report) -> str:
    reason = visit.form.get("reden", "")
    acute.turn_acute(
        visit.db, report.id, _signs(visit.form), reason, by=visit.actor, role=visit.member.role, at=visit.at
    )
    return f"/meldingen/{report.id}/acuut"


def _note(visit: Visit, report: Report) -> str:
    form = visit.form
    try:
        # What people type is the time in the Netherlands.
        happened_at = datetime.fromisoformat(form.get("wanneer", "")).replace(tzinfo=AMSTERDAM)
    except ValueError:
        raise MomentMissing from None
    called, agreed = form.get("gebeld", ""), form.get("afgesproken", "")
    acute.note_action(visit.db, report.id, called, agreed, happened_at, by=visit.actor, at=visit.at)
    return f"/meldingen/{report.id}/acuut#logboek"


def _end(visit: Visit, report: Report) -> str:
    reason = visit.form.get("reden", "")
    acute.end(
        visit.db,
        report.id,
        reason,
        by=visit.actor,
        role=visit.member.role,
        at=visit.at,
        risk=_risk(visit.form),
    )
    return f"/meldingen/{report.id}/acuut"


def _look(visit: Visit, report: Report) -> str:
    risk, reason = _risk(visit.form), visit.form.get("reden", "")
    acute.look_again(visit.db, report.id, risk, reason, by=visit.actor, role=visit.member.role, at=visit.at)
    return f"/meldingen/{report.id}/acuut"


def _signs(form: Mapping[str, str]) -> list[str]:
    return [name.removeprefix(SIGN) for name in form if name.startswith(SIGN)]


def _risk(form: Mapping[str, str]) -> int:
    """The risk that was chosen; -1, which is refused, when none was: no risk is chosen for anybody."""
    chosen = form.get("risico", "")
    return int(chosen) if chosen in RISKS else -1


def _page(visit: Visit, report: Report, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    db, region = visit.db, visit.region
    visit.note("acute.view", "report", report.id)
    household = dossier.reports_of_household(db, region, report.household_id) if report.household_id else []
    return visit.show(
        "acute.html",
        status,
        report=report,
        state=STATES[report.state],
        at_work=report.state != "received" and report.state not in FINAL,
        undecided=report.state in BEFORE_DECISION,
        danger=acute.in_danger(db, report.id),
        checks=acute.checks(db, region, report.id),
        actions=acute.actions(db, region, report.id),
        looks=acute.looks(db, region, report.id),
        signs=questionnaire.current().acute_signs,
        sign=SIGN,
        risks=RISKS,
        moment=visit.form.get("wanneer") or f"{visit.at.astimezone(AMSTERDAM):%Y-%m-%dT%H:%M}",
        signals=dossier.signals_of_report(db, region, report.id),
        sections=[part for part in elements.sections(report.content) if part.title in READ_FIRST],
        others=[row for row in household if row["id"] != report.id],
        errors=errors or {},
        form=visit.form,
        tried=visit.form.get("handeling", ""),
    )
