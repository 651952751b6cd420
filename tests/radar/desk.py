"""What the people at the desks do, in one call each: it brings a report into a state through the real functions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.database import Db
from radar.casework import acute, assessment, questionnaire
from radar.casework.questionnaire import Questionnaire


def check(
    db: Db, report: UUID, *, acute: bool = False, at: datetime, by: str = "ilse", role: str = "intake_worker"
) -> None:
    """The acute check of a received report."""
    with db.transaction():
        _check(db, report, acute, at, by, role)


def complete_answers(questions: Questionnaire | None = None, **changes: str) -> dict[str, str]:
    """An answer to all that is asked: 'no', the first choice, or a text; no part is positive but by `changes`."""
    chosen = questions or questionnaire.current()
    given = {
        one.code: "no" if one.kind == "yes_no" else next(iter(one.options), "Verzonnen toelichting.")
        for one in chosen.fields.values()
    } | changes
    skipped = questionnaire.judge(chosen, given).not_asked
    out = {one.code for part in chosen.parts if part.code in skipped for one in part.fields}
    return {code: text for code, text in given.items() if code not in out or code in changes}


def submit(
    db: Db, report: UUID, path: str, *, team: UUID | None = None, at: datetime, reason: str = "Omdat."
) -> UUID:
    """A complete assessment, submitted by bram; gives its id. A report that is still `received` is checked first."""
    with db.transaction():
        row = db.execute("SELECT state FROM report WHERE id = %s", (report,)).fetchone()
        assert row is not None
        if row["state"] == "received":
            _check(db, report, False, at, "ilse", "intake_worker")
        draft = assessment.start(db, report, by="bram", at=at)
        answers = complete_answers(questionnaire.version(draft["questionnaire"]))
        revision = assessment.save(db, draft["id"], draft["revision"], answers, by="bram", at=at)
        assessment.submit(db, draft["id"], revision, path, team, reason, by="bram", role="assessor", at=at)
        made: UUID = draft["id"]
        return made


def assess(
    db: Db, report: UUID, path: str, *, team: UUID | None = None, at: datetime, reason: str = "Omdat."
) -> UUID:
    """An assessment from draft to second signature (bram submits, gwen signs); gives its id."""
    with db.transaction():
        made = submit(db, report, path, team=team, at=at, reason=reason)
        assessment.sign(db, made, by="gwen", role="behavioural_scientist", at=at)
        return made


def _check(db: Db, report: UUID, is_acute: bool, at: datetime, by: str, role: str) -> None:
    signs = ["weapon"] if is_acute else []
    acute.check(db, report, is_acute, signs, "Gebeld en gelezen.", by=by, role=role, at=at)
