"""The safety assessment (veiligheidsbeoordeling): draft, submit, second signature (domain.md 2.1 step 5).

One draft per report at a time; who saves over newer text is told, and both texts stay. A signed assessment never
changes and keeps the version of its questionnaire. Nothing here depends on whether the term has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from core import audit
from core.database import Db, Row
from core.deadlines import AMSTERDAM
from core.documents import Kind, Table
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from core.settings import settings
from core.staff import ROLES
from radar.casework import acute, decision, questionnaire, steps, tasks, terms
from radar.casework.questionnaire import MAX_TEXT, judge
from radar.casework.states import DECISIONS, STATES

FILE = Path(__file__).with_name("signers.toml")
_SIGNERS = Literal["assessor", "behavioural_scientist", "team_lead"]


class Signers(BaseModel):
    """Which roles may sign, per decision; `default` for the decisions that are not named."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    default: Annotated[list[_SIGNERS], Field(min_length=1)]
    paths: dict[str, Annotated[list[_SIGNERS], Field(min_length=1)]] = {}

    def of(self, path: str) -> list[_SIGNERS]:
        return self.paths.get(path, self.default)


@dataclass(frozen=True, slots=True)
class Intended:
    """The decision as it stands in a draft: kept while it is typed, required only when it is submitted."""

    path: str | None = None
    team_id: UUID | None = None
    reason: str = ""


class Incomplete(VeiligError):
    """De beoordeling is nog niet volledig."""

    status = 400

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self.fields = dict(fields)
        """What is missing or wrong, per field."""


class StaleDraft(Conflict):
    """Een ander heeft deze beoordeling intussen bewaard."""

    def __init__(self, theirs: Row, mine: Mapping[str, str], intended: Intended | None = None) -> None:
        self.theirs: dict[str, str] = theirs["answers"]
        self.mine = dict(mine)
        codes = dict.fromkeys([*self.theirs, *self.mine])
        self.changed = [code for code in codes if self.theirs.get(code) != self.mine.get(code)]
        """The codes of the answers that differ."""
        self.intended = Intended(theirs["path"], theirs["team_id"], theirs["reason"] or "")
        """The decision that they saved."""
        self.other_decision = intended is not None and intended != self.intended
        self.revision: int = theirs["revision"]
        self.saved_by: str = theirs["saved_by"]
        self.saved_at: datetime = theirs["saved_at"]
        moment = f"{self.saved_at.astimezone(AMSTERDAM):%d-%m-%Y om %H.%M}"
        super().__init__(
            f"{self.saved_by} bewaarde deze beoordeling op {moment} uur. Uw tekst staat er nog, maar is niet bewaard."
            " Vergelijk wat anders is, en bewaar dan opnieuw."
        )


class TooLong(VeiligError):
    """Een antwoord is te lang."""

    status = 400


class OwnSignature(NotAllowed):
    """U hebt deze beoordeling zelf ingediend. Een ander zet de tweede handtekening."""


def start(db: Db, report_id: UUID, *, by: str, at: datetime) -> Row:
    """The draft of a report that is being assessed, or a new one with the questionnaire in force.

    Raises NotFound; Conflict when the report is not being assessed.
    """
    report = steps.locked(db, report_id)
    if report["state"] != "assessing":
        raise Conflict(f"Deze melding staat op '{STATES[report['state']]}'. Beoordelen kan nu niet.")
    db.execute(
        "INSERT INTO assessment (id, region_id, report_id, questionnaire, started_at, started_by, saved_at, saved_by)"
        " VALUES (%(id)s, %(region)s, %(report)s, %(version)s, %(at)s, %(by)s, %(at)s, %(by)s)"
        " ON CONFLICT (report_id) WHERE signed_at IS NULL DO NOTHING",
        {
            "id": uuid7(),
            "region": report["region_id"],
            "report": report_id,
            "version": questionnaire.current().version,
            "at": at,
            "by": by,
        },
    )
    found = draft(db, report["region_id"], report_id)
    if found is None:
        raise NotFound
    return found


def save(
    db: Db,
    assessment_id: UUID,
    revision: int,
    answers: Mapping[str, str],
    *,
    by: str,
    at: datetime,
    intended: Intended | None = None,
) -> int:
    """Keep the answers of a draft; gives the new revision. `revision`: the one that they were typed over.

    What is no question of this questionnaire is left out. The same answers again change nothing. Without `intended`
    the decision in the draft stays. Raises NotFound, StaleDraft with both texts, Conflict when it was submitted,
    TooLong, decision.UnknownPath, decision.TeamMissing.
    """
    report, row = _locked(db, assessment_id)
    questions = questionnaire.version(row["questionnaire"])
    given = {code: text for code in questions.fields if (text := answers.get(code, "").strip())}
    kept = Intended(row["path"], row["team_id"], row["reason"] or "")
    wanted = replace(intended, reason=intended.reason.strip()) if intended else kept
    if any(len(text) > MAX_TEXT for text in (*given.values(), wanted.reason)):
        raise TooLong(f"Een antwoord is te lang: het mag {MAX_TEXT} tekens zijn.")
    if wanted.path is not None and wanted.path not in DECISIONS:
        raise decision.UnknownPath
    if wanted.team_id is not None:
        decision.require(db, report["region_id"], "handover", wanted.team_id)
    _refuse_submitted(row)
    now: int = row["revision"]
    if given == row["answers"] and wanted == kept:
        return now
    if revision != now:
        raise StaleDraft(row, given, wanted if intended else None)
    db.execute(
        "UPDATE assessment SET answers = %s, path = %s, team_id = %s, reason = %s, revision = revision + 1,"
        " saved_at = %s, saved_by = %s WHERE id = %s",
        (Jsonb(given), wanted.path, wanted.team_id, wanted.reason, at, by, assessment_id),
    )
    details = {"assessment": str(assessment_id), "revision": now + 1}
    audit.append(db, row["region_id"], by, "assessment.save", "report", row["report_id"], details)
    return now + 1


def submit(
    db: Db,
    assessment_id: UUID,
    revision: int,
    path: str,
    team_id: UUID | None,
    reason: str,
    *,
    by: str,
    role: str,
    at: datetime,
) -> None:
    """Submit a complete draft with the decision that it leads to; the second signature is asked.

    When part A is positive and nobody acts yet, direct action begins with it. Raises NotFound, StaleDraft, Conflict,
    Incomplete (per field), decision.UnknownPath, decision.TeamMissing, ReasonMissing, NotAllowed.
    """
    report, row = _locked(db, assessment_id)
    _refuse_submitted(row)
    if row["revision"] != revision:
        raise StaleDraft(row, row["answers"])
    judgement = judge(questionnaire.version(row["questionnaire"]), row["answers"])
    if judgement.missing:
        raise Incomplete(judgement.missing)
    decision.require(db, report["region_id"], path, team_id)
    if not reason.strip():
        raise ReasonMissing
    db.execute(
        "UPDATE assessment SET path = %s, team_id = %s, reason = %s, submitted_at = %s, submitted_by = %s,"
        " revision = revision + 1 WHERE id = %s",
        (path, team_id, reason.strip(), at, by, assessment_id),
    )
    steps.take(db, report["id"], "submit", by=by, role=role, reason=reason, at=at)
    tasks.open_task(db, "sign", report["id"], report["id"], due_at=terms.soon(at), at=at)
    details = {"assessment": str(assessment_id), "path": path}
    audit.append(db, report["region_id"], by, "assessment.submit", "report", report["id"], details)
    if judgement.acute and not acute.in_danger(db, report["id"]):
        why = "Deel A van de veiligheidsbeoordeling: acute onveiligheid."
        acute.turn_acute(db, report["id"], [], why, by=by, role=role, at=at)


def give_back(db: Db, assessment_id: UUID, reason: str, *, by: str, role: str, at: datetime) -> None:
    """Give a submitted assessment back with what must be better: the draft opens again, nothing of it is lost.

    Raises NotFound, steps.WrongMove, NotAllowed, ReasonMissing.
    """
    report, _ = _locked(db, assessment_id)
    steps.take(db, report["id"], "give_back", by=by, role=role, reason=reason, at=at)
    db.execute(
        "UPDATE assessment SET submitted_at = NULL, submitted_by = NULL, returned_at = %s, returned_by = %s,"
        " returned_why = %s, revision = revision + 1 WHERE id = %s AND signed_at IS NULL",
        (at, by, reason.strip(), assessment_id),
    )
    tasks.close_task(db, "sign", report["id"], by=by, at=at, outcome="given_back")
    details = {"assessment": str(assessment_id)}
    audit.append(db, report["region_id"], by, "assessment.give_back", "report", report["id"], details)


def sign(db: Db, assessment_id: UUID, *, by: str, role: str, at: datetime, revision: int | None = None) -> None:
    """Set the second signature: from here on it never changes, and its decision is carried out.

    `revision`: what the signer has seen, refused when it is another by now. Raises NotFound, Conflict, OwnSignature,
    NotAllowed for a role that may not sign this decision, and what `decision.carry_out` raises.
    """
    report, row = _locked(db, assessment_id)
    if row["signed_at"] is not None:
        raise Conflict(f"{row['signed_by']} heeft deze beoordeling al getekend.")
    if row["submitted_at"] is None:
        raise Conflict("Deze beoordeling is niet (meer) ingediend.")
    if revision is not None and revision != row["revision"]:
        raise Conflict("Deze beoordeling is intussen veranderd. Lees haar opnieuw voordat u tekent.")
    if row["submitted_by"] == by:
        raise OwnSignature
    if role not in (allowed := signers().of(row["path"])):
        names = ", ".join(ROLES[one].lower() for one in allowed)
        raise NotAllowed(f"Onder dit besluit tekent een van deze rollen: {names}.")
    db.execute("UPDATE assessment SET signed_at = %s, signed_by = %s WHERE id = %s", (at, by, assessment_id))
    details = {"assessment": str(assessment_id), "path": row["path"]}
    audit.append(db, report["region_id"], by, "assessment.sign", "report", report["id"], details)
    decision.carry_out(
        db, report["id"], path=row["path"], team_id=row["team_id"], reason=row["reason"], by=by, role=role, at=at
    )


def may_sign(row: Row, by: str, role: str) -> bool:
    """Whether this person may set the second signature under this submitted assessment."""
    return row["submitted_by"] not in (None, by) and role in signers().of(row["path"])


def draft(db: Db, region: UUID, report_id: UUID) -> Row | None:
    """The assessment of a report that is not signed yet: a draft, or one that waits for its signature."""
    return db.execute(
        "SELECT a.*, t.name AS team FROM assessment a LEFT JOIN team t ON t.id = a.team_id"
        " WHERE a.region_id = %s AND a.report_id = %s AND a.signed_at IS NULL",
        (region, report_id),
    ).fetchone()


def signed(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The signed assessments of a report, newest first."""
    return db.execute(
        "SELECT a.*, t.name AS team FROM assessment a LEFT JOIN team t ON t.id = a.team_id"
        " WHERE a.region_id = %s AND a.report_id = %s AND a.signed_at IS NOT NULL ORDER BY a.signed_at DESC, a.id",
        (region, report_id),
    ).fetchall()


def unreadable_versions(db: Db) -> list[str]:
    """The versions that assessments were made with and whose questionnaire is not here: should be none."""
    used = db.execute("SELECT DISTINCT questionnaire FROM assessment ORDER BY 1").fetchall()
    return [row["questionnaire"] for row in used if row["questionnaire"] not in questionnaire.catalogue()]


def _checked(table: Table) -> Signers:
    found = Signers.model_validate(table)
    if odd := sorted(found.paths.keys() - set(DECISIONS)):
        raise ValueError(f"no such decision: {', '.join(odd)}")
    return found


signers = Kind("signers", "file of signers", lambda: settings().signers or FILE, _checked)
"""Who may sign. Raises SettingsError when the operator's file is wrong."""


def _locked(db: Db, assessment_id: UUID) -> tuple[Row, Row]:
    """The report and the assessment, locked in this order. Raises NotFound."""
    found = db.execute("SELECT report_id FROM assessment WHERE id = %s", (assessment_id,)).fetchone()
    if found is None:
        raise NotFound
    report = steps.locked(db, found["report_id"])
    row = db.execute("SELECT * FROM assessment WHERE id = %s FOR UPDATE", (assessment_id,)).fetchone()
    if row is None:
        raise NotFound
    return report, row


def _refuse_submitted(row: Row) -> None:
    if row["signed_at"] is not None:
        raise Conflict(f"{row['signed_by']} heeft deze beoordeling getekend. Zij verandert niet meer.")
    if row["submitted_at"] is not None:
        raise Conflict(f"{row['submitted_by']} heeft deze beoordeling ingediend. Laat haar eerst teruggeven.")
