"""The safety assessment on the screen: the questionnaire beside the history, saved while typing, signed by another.

Somebody who saves over newer text of a colleague gets both texts to see; nothing that was typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import JSONResponse, RedirectResponse, Response

from core.database import Row
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from core.staff import ROLES
from intake.models import Report
from radar.casework import acute, assessment, decision, dossier, questionnaire
from radar.casework.assessment import Incomplete, Intended, StaleDraft, TooLong
from radar.casework.decision import PATHS, TeamMissing, UnknownPath
from radar.casework.questionnaire import Part, Question, Questionnaire, judge
from radar.casework.states import DECISIONS, STATES, allowed
from web import wording
from web.access.guard import Visit
from web.pages import elements
from web.pages.acute import READ_FIRST, RISKS
from web.pages.forms import report_of

FIELD = "vraag_"
"""Before the code of a question in the form, so that no questionnaire can have a field of ours."""
EMPTY = "leeg-"
FIELDS: dict[type[VeiligError], str] = {UnknownPath: "pad", TeamMissing: "team", ReasonMissing: "reden"}


@dataclass(frozen=True, slots=True)
class Field:
    """One question in the form: what is filled in, and what a colleague saved meanwhile when that differs."""

    question: Question
    value: str
    theirs: str | None

    @property
    def name(self) -> str:
        return FIELD + self.question.code

    @property
    def theirs_text(self) -> str:
        return answer_text(self.question, self.theirs)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the questionnaire in the form; `skipped` when it is not asked."""

    part: Part
    fields: list[Field]
    skipped: bool

    @property
    def filled(self) -> bool:
        return any(field.value for field in self.fields)


@dataclass(frozen=True, slots=True)
class Read:
    """An assessment to read, with the questions of its own version; None when that version is not here."""

    row: Row
    parts: list[tuple[Part, bool, list[tuple[str, str]]]] | None


def show(visit: Visit) -> Response:
    return _page(visit, report_of(visit))


def act(visit: Visit) -> Response:
    """Save, submit, or empty a part that is not asked; when something is missing the form comes back as typed."""
    report = report_of(visit)
    doing = visit.form.get("handeling", "")
    try:
        with visit.db.transaction():
            draft = assessment.start(visit.db, report.id, by=visit.actor, at=visit.at)
            revision = _save(visit, draft, emptied=doing.removeprefix(EMPTY) if doing.startswith(EMPTY) else None)
    except StaleDraft as error:
        return _page(visit, report, 409, {"beoordeling": error.message}, stale=error)
    except (UnknownPath, TeamMissing) as error:
        return _page(visit, report, 400, {FIELDS[type(error)]: error.message})
    except TooLong as error:
        return _page(visit, report, 400, {"beoordeling": error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"beoordeling": error.message})
    if doing != "indienen":
        return RedirectResponse(f"/meldingen/{report.id}/beoordeling", status_code=303)
    wanted = _intended(visit.form)
    try:
        with visit.db.transaction():
            assessment.submit(
                visit.db,
                draft["id"],
                revision,
                wanted.path or "",
                wanted.team_id,
                wanted.reason,
                by=visit.actor,
                role=visit.member.role,
                at=visit.at,
            )
    except Incomplete as error:
        missing = {FIELD + code: text for code, text in error.fields.items()}
        return _page(visit, report, 400, missing | _decision_errors(wanted), saved=True)
    except (UnknownPath, TeamMissing, ReasonMissing) as error:
        return _page(visit, report, 400, {FIELDS[type(error)]: error.message}, saved=True)
    except Conflict as error:
        return _page(visit, report, 409, {"beoordeling": error.message}, saved=True)
    return RedirectResponse(f"/meldingen/{report.id}/beoordeling", status_code=303)


def keep(visit: Visit) -> Response:
    """Save while typing; the answer is JSON: the new revision, what is not asked, and a sentence for the person."""
    report = report_of(visit)
    try:
        with visit.db.transaction():
            draft = assessment.start(visit.db, report.id, by=visit.actor, at=visit.at)
            revision = _save(visit, draft)
    except (Conflict, TooLong, UnknownPath, TeamMissing) as error:
        return JSONResponse({"message": error.message}, status_code=error.status)
    skipped = judge(questionnaire.version(draft["questionnaire"]), _answers(visit.form)).not_asked
    message = f"Bewaard om {wording.clock(visit.at)} uur."
    return JSONResponse({"revision": revision, "skipped": list(skipped), "message": message})


def sign(visit: Visit) -> Response:
    """Set the second signature under what was on the screen."""
    report, row = _waiting(visit)
    revision = int(text) if (text := visit.form.get("revisie", "")).isdecimal() else -1
    try:
        with visit.db.transaction():
            assessment.sign(
                visit.db, row["id"], by=visit.actor, role=visit.member.role, at=visit.at, revision=revision
            )
    except (Conflict, UnknownPath, TeamMissing) as error:
        return _page(visit, report, 409, {"beoordeling": error.message})
    return RedirectResponse(f"/meldingen/{report.id}", status_code=303)


def give_back(visit: Visit) -> Response:
    """Give it back to the assessor with a reason."""
    report, row = _waiting(visit)
    reason = visit.form.get("terug", "")
    try:
        with visit.db.transaction():
            assessment.give_back(visit.db, row["id"], reason, by=visit.actor, role=visit.member.role, at=visit.at)
    except ReasonMissing as error:
        return _page(visit, report, 400, {"terug": error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"beoordeling": error.message})
    return RedirectResponse(f"/meldingen/{report.id}/beoordeling", status_code=303)


def revise(visit: Visit) -> Response:
    """Take the decision back to the assessment with a reason; what was signed stays and can be read."""
    report = report_of(visit)
    try:
        with visit.db.transaction():
            decision.revise(
                visit.db,
                report.id,
                reason=visit.form.get("herzien", ""),
                by=visit.actor,
                role=visit.member.role,
                at=visit.at,
            )
    except ReasonMissing as error:
        return _page(visit, report, 400, {"herzien": error.message})
    except Conflict as error:
        return _page(visit, report, 409, {"beoordeling": error.message})
    return RedirectResponse(f"/meldingen/{report.id}/beoordeling", status_code=303)


def answer_text(question: Question, value: str | None) -> str:
    """An answer in words; what was not answered says so."""
    if not value:
        return "niet ingevuld"
    return question.options.get(value, value)


def _save(visit: Visit, draft: Row, emptied: str | None = None) -> int:
    """Save the form over the draft. A form of another version of the questionnaire is never mixed in."""
    form = visit.form
    if form.get("versie") != draft["questionnaire"]:
        raise Conflict("Er is intussen een beoordeling begonnen met een andere vragenlijst. Laad de pagina opnieuw.")
    answers = _answers(form)
    if emptied:
        questions = questionnaire.version(draft["questionnaire"])
        for part in questions.parts:
            if part.code == emptied and part.code in judge(questions, answers).not_asked:
                out = {one.code for one in part.fields}
                answers = {code: text for code, text in answers.items() if code not in out}
    revision = int(text) if (text := form.get("revisie", "")).isdecimal() else -1
    return assessment.save(
        visit.db, draft["id"], revision, answers, by=visit.actor, at=visit.at, intended=_intended(form)
    )


def _answers(form: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(FIELD): text.replace("\r\n", "\n") for name, text in form.items() if name.startswith(FIELD)
    }


def _intended(form: Mapping[str, str]) -> Intended:
    """The decision in the form. Raises TeamMissing for what is no team."""
    try:
        team = UUID(form["team"]) if form.get("team") else None
    except ValueError:
        raise TeamMissing from None
    return Intended(form.get("pad") or None, team, form.get("reden", "").replace("\r\n", "\n"))


def _decision_errors(wanted: Intended) -> dict[str, str]:
    """What is missing of the decision, to be said at once with what is missing of the answers."""
    errors = {} if wanted.path else {"pad": UnknownPath().message}
    if wanted.path == "handover" and wanted.team_id is None:
        errors["team"] = TeamMissing().message
    return errors if wanted.reason.strip() else errors | {"reden": ReasonMissing().message}


def _waiting(visit: Visit) -> tuple[Report, Row]:
    report = report_of(visit)
    row = assessment.draft(visit.db, visit.region, report.id)
    if row is None:
        raise NotFound
    return report, row


def _page(
    visit: Visit,
    report: Report,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    *,
    stale: StaleDraft | None = None,
    saved: bool = False,
) -> Response:
    db, region = visit.db, visit.region
    visit.note("assessment.view", "report", report.id)
    draft = assessment.draft(db, region, report.id)
    submitted = draft is not None and draft["submitted_at"] is not None
    routes = dossier.routes(db, region, report.id)
    proposal = next((row for row in routes if row["state"] == "proposed"), None)
    household = report.household_id
    writing = report.state == "assessing" and visit.may("assessment.write")
    return visit.show(
        "assessment.html",
        status,
        report=report,
        state=STATES[report.state],
        draft=draft,
        submitted=_read(draft) if draft and (submitted or not writing) else None,
        waiting=submitted,
        may_sign=submitted and visit.may("assessment.sign") and _may_sign(visit, draft),
        signers=[ROLES[one] for one in assessment.signers().of(draft["path"])] if submitted and draft else [],
        earlier=[_read(row) for row in assessment.signed(db, region, report.id)],
        may_revise=visit.may("assessment.revise") and _can_be_revised(visit, report),
        danger=acute.in_danger(db, report.id),
        form=_form(visit, draft, proposal, stale) if writing and not submitted else None,
        proposal=proposal,
        decisions={code: PATHS[code] for code in DECISIONS},
        teams=dossier.teams(db, region),
        signals=dossier.signals_of_report(db, region, report.id),
        sections=[part for part in elements.sections(report.content) if part.title in READ_FIRST],
        history=dossier.reports_of_household(db, region, household) if household else [],
        older_signals=dossier.signals_of_household(db, region, household) if household else [],
        risks=RISKS,
        field=FIELD,
        typed=visit.form,
        errors=errors or {},
        stale=stale,
        saved=saved,
    )


def _may_sign(visit: Visit, draft: Row | None) -> bool:
    return draft is not None and assessment.may_sign(draft, visit.actor, visit.member.role)


def _can_be_revised(visit: Visit, report: Report) -> bool:
    return any(move.name == "revise" for move in allowed(report.state, visit.member.role))


def _form(visit: Visit, draft: Row | None, proposal: Row | None, stale: StaleDraft | None) -> dict[str, Any] | None:
    """What the form holds: what was typed a moment ago, else the draft. None when its questions are not here."""
    try:
        questions = questionnaire.version(draft["questionnaire"]) if draft else questionnaire.current()
    except NotFound:
        return None
    typed = "versie" in visit.form
    answers = _answers(visit.form) if typed else (draft["answers"] if draft else {})
    path, team, reason = _decision(visit.form if typed else None, draft, proposal)
    return {
        "version": questions.version,
        "verified": questions.verified,
        "revision": draft["revision"] if draft else 0,
        "sections": _sections(questions, answers, stale),
        "path": path,
        "team": team,
        "reason": reason,
    }


def _decision(form: Mapping[str, str] | None, draft: Row | None, proposal: Row | None) -> tuple[str, str, str]:
    """Path, team and reason in the form: as typed, as in the draft, else the proposal of the radar."""
    if form is not None:
        return form.get("pad", ""), form.get("team", ""), form.get("reden", "")
    if draft and (draft["path"] or draft["reason"]):
        return draft["path"] or "", str(draft["team_id"] or ""), draft["reason"] or ""
    if proposal and proposal["path"] in DECISIONS:
        team = str(proposal["team_id"] or "") if proposal["path"] == "handover" else ""
        return proposal["path"], team, ""
    return "", "", ""


def _sections(questions: Questionnaire, answers: Mapping[str, str], stale: StaleDraft | None) -> list[Section]:
    skipped = judge(questions, answers).not_asked
    changed = stale.changed if stale else []
    theirs = stale.theirs if stale else {}
    return [
        Section(
            part,
            [
                Field(one, answers.get(one.code, ""), theirs.get(one.code, "") if one.code in changed else None)
                for one in part.fields
            ],
            part.code in skipped,
        )
        for part in questions.parts
    ]


def _read(row: Row) -> Read:
    try:
        questions = questionnaire.version(row["questionnaire"])
    except NotFound:
        return Read(row, None)
    answers, skipped = row["answers"], judge(questions, row["answers"]).not_asked
    parts = [
        (part, part.code in skipped, [(one.text, answer_text(one, answers.get(one.code))) for one in part.fields])
        for part in questions.parts
    ]
    return Read(row, parts)
