"""Break-glass (noodinzage): one hidden dossier, for an hour, for a reason of the list; reviewed afterwards.

It opens what a restriction hides, of one report and its case. It opens no vault, not even the reporter's, and nothing
that an exclusion hides. The database tells the team lead and the privacy officer at once: it opens a task that stays
open until the review, and escalates as every task does.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from core import audit
from core.database import Db, Row
from core.deadlines import local_day, working_days_term
from core.documents import Kind, Live, Table
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from intake.terms import calendar
from radar.protection import grants

MINUTES = 60
REVIEW_WITHIN = 3
"""Working days (security.md, break-glass)."""
SHORTEST = 10
"""Characters: a reason of a word says nothing to who reviews it."""
AT_ONCE = 100


class _Reason(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    purpose: str


class Reasons(BaseModel):
    """The whole file: why a dossier may be opened in an emergency, and which purpose of grants.toml that is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str
    verified: bool
    reasons: dict[str, _Reason] = Field(min_length=1)


def _checked(table: Table) -> Reasons:
    found = Reasons.model_validate(table)
    known = grants.purposes("break_glass")
    if wrong := [code for code, one in found.reasons.items() if one.purpose not in known]:
        raise ValueError(f"a reason without a purpose of grants.toml: {', '.join(wrong)}")
    return found


in_force = Kind("break_glass", "file of reasons", lambda: Path(__file__).with_suffix(".toml"), _checked)
"""The reasons in force. Raises SettingsError."""
REASONS = Live(lambda: {code: (one.title, one.purpose) for code, one in in_force().reasons.items()})
"""Code → (title, purpose)."""


class CodeMissing(VeiligError):
    """Kies waarom het niet kan wachten."""

    status = 400


class TooShort(ReasonMissing):
    """Schrijf in een zin wat er aan de hand is."""


def possible(db: Db, report_id: UUID) -> bool:
    """Whether something hidden can be opened from this report by the present member."""
    return bool(_targets(db, report_id))


def open_dossier(
    db: Db, region: UUID, report_id: UUID, *, code: str, text: str, member: UUID, by: str, at: datetime
) -> UUID:
    """Break the glass: the dossier of a hidden report, or of a restricted person whom this report hits.

    Gives the grant. Raises NotFound when there is nothing to open, also for who is excluded; CodeMissing; TooShort;
    Conflict when it is open already. A second dossier is a second time, with a reason of its own.
    """
    targets = _targets(db, report_id)
    if not targets:
        raise NotFound
    if code not in REASONS:
        raise CodeMissing
    if len(text.strip()) < SHORTEST:
        raise TooShort
    title, purpose = REASONS[code]
    what: dict[str, Any] = {"report_id": targets[0]["report_id"], "person_id": targets[0]["person_id"]}
    if grants.current(db, member, "break_glass", **what, at=at):
        raise Conflict("Dit dossier hebt u al open.")
    due_at = working_days_term(local_day(at), REVIEW_WITHIN, calendar()).due_at
    grant = grants.give(
        db,
        region,
        member,
        "break_glass",
        **what,
        purpose=purpose,
        reason=f"{title}: {text.strip()}",
        by=by,
        at=at,
        minutes=MINUTES,
        review_due_at=due_at,
    )
    details = {"grant": str(grant), "code": code, "person": str(what["person_id"]) if what["person_id"] else None}
    audit.append(db, region, by, "break_glass.start", "report", report_id, details)
    return grant


def running(db: Db, member: UUID, at: datetime) -> list[Row]:
    """What this member has open now, oldest first: for the banner on every page."""
    return db.execute(
        "SELECT id, report_id, until FROM access_grant WHERE staff_id = %s AND kind = 'break_glass'"
        " AND ended_at IS NULL AND until > %s ORDER BY granted_at, id",
        (member, at),
    ).fetchall()


def told(db: Db, region: UUID, grant_id: UUID, member: UUID) -> Row:
    """One break-glass for who was told of it: who, why, from when to when, and its review.

    Raises NotFound, also for who is excluded from what it is about.
    """
    row = db.execute(
        "SELECT g.*, s.name FROM access_grant g JOIN staff s ON s.id = g.staff_id WHERE g.id = %(grant)s"
        " AND g.region_id = %(region)s AND g.kind = 'break_glass' AND NOT is_excluded(%(member)s, g.report_id)"
        " AND NOT is_excluded_from(%(member)s, g.person_id)",
        {"grant": grant_id, "region": region, "member": member},
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def stop(db: Db, region: UUID, grant_id: UUID, *, member: UUID, by: str, at: datetime) -> None:
    """Close it, by who opened it. Raises NotFound; Conflict when it is over."""
    row = db.execute(
        "SELECT id, report_id FROM access_grant WHERE id = %s AND region_id = %s AND staff_id = %s"
        " AND kind = 'break_glass'",
        (grant_id, region, member),
    ).fetchone()
    if row is None:
        raise NotFound
    grants.end(db, grant_id, by=by, at=at)
    audit.append(db, region, by, "break_glass.stop", "report", row["report_id"], {"grant": str(grant_id)})


def expire(db: Db, at: datetime) -> int:
    """For the clock: what was not stopped within the hour stops, so each start has its stop; how many it were."""
    rows = db.execute(
        "UPDATE access_grant SET ended_at = until, ended_by = 'system' WHERE id IN (SELECT id FROM access_grant"
        " WHERE kind = 'break_glass' AND ended_at IS NULL AND until <= %s ORDER BY until LIMIT %s"
        " FOR UPDATE SKIP LOCKED) RETURNING id, region_id, report_id",
        (at, AT_ONCE),
    ).fetchall()
    for row in rows:
        details = {"grant": str(row["id"])}
        audit.append(db, row["region_id"], "system", "break_glass.stop", "report", row["report_id"], details)
    return len(rows)


def _targets(db: Db, report_id: UUID) -> list[Row]:
    return db.execute("SELECT report_id, person_id FROM break_glass_target(%s)", (report_id,)).fetchall()
