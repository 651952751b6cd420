"""The acute check, the direct action that may follow, and every later look at the risk (domain.md 2.1 step 4, 13.6).

The check comes first, day and night, and waits for nothing: no linking, no proposal. Each check, each time that a
report turns acute later, each call and each look at the risk is a line of its own; only the end of the direct danger
is added to its line, once, and always by a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from radar.casework import ledger, questionnaire, steps, tasks
from radar.casework.states import ASSESSORS, FINAL, INTAKE, STATES

ACUTE, RAISED, NONE_KNOWN = 2, 1, 0


class UnknownSign(VeiligError):
    """Kies alleen signalen uit de lijst."""

    status = 400


class WhoMissing(VeiligError):
    """Schrijf wie u hebt gebeld of gesproken."""

    status = 400


class AgreementMissing(VeiligError):
    """Schrijf wat u hebt afgesproken, ook als dat 'geen gehoor' is."""

    status = 400


class NotYet(VeiligError):
    """Dit moment ligt in de toekomst. Vul in wanneer het is gebeurd."""

    status = 400


def check(
    db: Db,
    report_id: UUID,
    acute: bool,
    signs: Sequence[str],
    reason: str,
    *,
    by: str,
    role: str,
    at: datetime,
    risk: int = NONE_KNOWN,
) -> None:
    """Record the acute check of a received report. `signs`: codes of the checklist; `risk`: 0 or 1 when not acute.

    Raises steps.WrongMove when it was done before, NotAllowed, ReasonMissing, UnknownSign, UnknownRisk, NotFound.
    """
    report = steps.locked(db, report_id)
    level = ACUTE if acute else risk
    if not acute and risk not in (NONE_KNOWN, RAISED):
        raise tasks.UnknownRisk
    _reason(reason)
    _line(db, report, acute, signs, reason, by, at)
    steps.take(db, report_id, "check", by=by, role=role, reason=reason, at=at)
    ledger.meet(db, "acute_check", report_id, at)
    outcome = "acute" if acute else "not_acute"
    tasks.close_task(db, "acute_check", report_id, by=by, at=at, outcome=outcome)
    tasks.close_task(db, "recheck", report_id, by=by, at=at, outcome=outcome)
    if in_danger(db, report_id):
        # It was sent on and came back while somebody is in danger: only a person ends that.
        level = ACUTE
    tasks.look_at_risk(db, report_id, level, reason=reason.strip(), by=by, at=at)
    audit.append(
        db, report["region_id"], by, "acute.check", "report", report_id, {"acute": acute, "signs": len(signs)}
    )
    if acute:
        tasks.open_task(db, "direct_action", report_id, report_id, due_at=at, at=at, risk=ACUTE)


def turn_acute(
    db: Db, report_id: UUID, signs: Sequence[str], reason: str, *, by: str, role: str, at: datetime
) -> None:
    """Somebody is in direct danger after all: direct action begins, again or for the first time.

    The check stays as it was; this is a new line beside it. Raises Conflict before the check, when direct action runs
    already, or when no work is left on the report; NotAllowed, ReasonMissing, UnknownSign, NotFound.
    """
    report = _at_work(db, report_id, role, INTAKE)
    _reason(reason)
    if in_danger(db, report_id):
        raise Conflict("Het directe handelen loopt al. Schrijf in het logboek wat u doet.")
    _line(db, report, True, signs, reason, by, at)
    tasks.look_at_risk(db, report_id, ACUTE, reason=reason.strip(), by=by, at=at)
    tasks.open_task(db, "direct_action", report_id, report_id, due_at=at, at=at, risk=ACUTE)
    tasks.close_task(db, "recheck", report_id, by=by, at=at, outcome="acute")
    audit.append(db, report["region_id"], by, "acute.turn", "report", report_id, {"signs": len(signs)})


def note_action(
    db: Db, report_id: UUID, called: str, agreed: str, happened_at: datetime, *, by: str, at: datetime
) -> UUID:
    """Add a line to the log of the direct action: who was called when, and what was agreed. Gives its id.

    Raises WhoMissing, AgreementMissing, NotYet, Conflict when no direct action is open, NotFound.
    """
    report = steps.locked(db, report_id)
    if not called.strip():
        raise WhoMissing
    if not agreed.strip():
        raise AgreementMissing
    if happened_at > at:
        raise NotYet
    if not in_danger(db, report_id):
        raise Conflict("Er loopt nu geen direct handelen bij deze melding.")
    action = uuid7()
    db.execute(
        "INSERT INTO acute_action (id, region_id, report_id, at, noted_at, actor, called, agreed)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (action, report["region_id"], report_id, happened_at, at, by, called.strip(), agreed.strip()),
    )
    audit.append(db, report["region_id"], by, "acute.note", "report", report_id, {"action": str(action)})
    return action


def end(db: Db, report_id: UUID, why: str, *, by: str, role: str, at: datetime, risk: int = RAISED) -> None:
    """A person says that the direct danger is over; the risk is raised from then on, unless he says none is known.

    Raises NotAllowed, ReasonMissing, UnknownRisk, Conflict when no direct action is open, NotFound.
    """
    report = steps.locked(db, report_id)
    if role not in ASSESSORS:
        raise NotAllowed("Alleen een beoordelaar, gedragswetenschapper of teamleider zegt dat het gevaar voorbij is.")
    _reason(why)
    if risk not in (NONE_KNOWN, RAISED):
        raise tasks.UnknownRisk
    ended = db.execute(
        "UPDATE acute_check SET ended_at = %s, ended_by = %s, ended_why = %s"
        " WHERE report_id = %s AND acute AND ended_at IS NULL",
        (at, by, why.strip(), report_id),
    )
    if not ended.rowcount:
        raise Conflict("Er loopt nu geen direct handelen bij deze melding.")
    tasks.close_task(db, "direct_action", report_id, by=by, at=at, outcome="over")
    tasks.look_at_risk(db, report_id, risk, reason=why.strip(), by=by, at=at)
    audit.append(db, report["region_id"], by, "acute.end", "report", report_id)


def look_again(db: Db, report_id: UUID, risk: int, reason: str, *, by: str, role: str, at: datetime) -> None:
    """Look again at the risk of a report that waits; a task for it is done with that. Acute begins direct action.

    Raises Conflict before the check, when no work is left, or when direct action runs and the risk would be less;
    NotAllowed, ReasonMissing, UnknownRisk, NotFound.
    """
    _at_work(db, report_id, role, INTAKE)
    _reason(reason)
    if risk not in (NONE_KNOWN, RAISED, ACUTE):
        raise tasks.UnknownRisk
    danger = in_danger(db, report_id)
    if danger and risk != ACUTE:
        raise Conflict(
            "Het directe handelen loopt: het risico blijft acuut tot iemand zegt dat het gevaar voorbij is."
        )
    if risk == ACUTE and not danger:
        turn_acute(db, report_id, [], reason, by=by, role=role, at=at)
        return
    tasks.look_at_risk(db, report_id, risk, reason=reason.strip(), by=by, at=at)
    tasks.close_task(db, "recheck", report_id, by=by, at=at, outcome=str(risk))


def in_danger(db: Db, report_id: UUID) -> bool:
    """Whether direct action is open: somebody said that it is acute, and nobody yet that it is over."""
    row = db.execute(
        "SELECT FROM acute_check WHERE report_id = %s AND acute AND ended_at IS NULL LIMIT 1", (report_id,)
    ).fetchone()
    return row is not None


def checks(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The check and each time that it turned acute later, oldest first; `signs`: code, text and version of each."""
    return db.execute(
        "SELECT number, at, actor, acute, signs, reason, ended_at, ended_by, ended_why FROM acute_check"
        " WHERE region_id = %s AND report_id = %s ORDER BY number",
        (region, report_id),
    ).fetchall()


def actions(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The log of the direct action, in the order in which it happened."""
    return db.execute(
        "SELECT id, at, noted_at, actor, called, agreed FROM acute_action"
        " WHERE region_id = %s AND report_id = %s ORDER BY at, id",
        (region, report_id),
    ).fetchall()


def looks(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every look at the risk, newest first."""
    return db.execute(
        "SELECT at, actor, risk, reason FROM risk_look WHERE region_id = %s AND report_id = %s"
        " ORDER BY at DESC, id DESC",
        (region, report_id),
    ).fetchall()


def _at_work(db: Db, report_id: UUID, role: str, roles: Sequence[str]) -> Row:
    """The report, locked, when it is past its check and work is left on it."""
    report = steps.locked(db, report_id)
    if role not in roles:
        raise NotAllowed
    if report["state"] == "received":
        raise Conflict("Leg eerst de acute check vast.")
    if report["state"] in FINAL:
        raise Conflict(
            f"Deze melding staat op '{STATES[report['state']]}'. Is er nieuw gevaar? Leg dat vast als nieuwe melding,"
            " of laat een teamleider het besluit herzien."
        )
    return report


def _reason(text: str) -> None:
    if not text.strip():
        raise ReasonMissing


def _line(db: Db, report: Row, acute: bool, signs: Sequence[str], reason: str, by: str, at: datetime) -> None:
    """Add a line; the signs are kept with the text that was on the screen."""
    now = questionnaire.current()
    texts = {sign.code: sign.text for sign in now.acute_signs}
    if not set(signs) <= texts.keys():
        raise UnknownSign
    seen = [{"code": code, "text": text, "version": now.version} for code, text in texts.items() if code in signs]
    made = db.execute(
        "INSERT INTO acute_check (report_id, number, region_id, at, actor, acute, signs, reason)"
        " SELECT %(report)s, count(*) + 1, %(region)s, %(at)s, %(by)s, %(acute)s, %(signs)s, %(reason)s"
        " FROM acute_check WHERE report_id = %(report)s",
        {
            "report": report["id"],
            "region": report["region_id"],
            "at": at,
            "by": by,
            "acute": acute,
            "signs": Jsonb(seen),
            "reason": reason.strip(),
        },
    )
    if made.rowcount != 1:
        raise NotFound
