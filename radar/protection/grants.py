"""Grants: one member may see one protected thing, for a purpose and a reason, until a moment.

A vault, a restricted report and break-glass all ask here. The purposes and the minutes are data (grants.toml); the
rows stay for ever (table access_grant), so that who opened what and why can be looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Self, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

from core import audit
from core.database import Db, Row
from core.documents import Kind as DocumentKind
from core.documents import Live
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7

Kind = Literal["whereabouts", "reporter", "bsn", "restricted", "break_glass"]
FILE = Path(__file__).with_name("grants.toml")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GrantKind(_Data):
    """What a grant opens, for how many minutes if nobody says otherwise, and for how many at most."""

    title: str
    minutes: int
    longest: int


class Purpose(_Data):
    """Why (PurposeOfUse of NEN 7513): a title for people, the law it rests on and which grants it fits."""

    title: str
    source: str
    kinds: list[Kind]


class GrantRules(_Data):
    """The whole file."""

    version: str
    source: str
    verified: bool
    kinds: dict[Kind, GrantKind]
    purposes: dict[str, Purpose]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.kinds) != set(get_args(Kind)):
            raise ValueError("every kind of grant needs its minutes")
        if any(not 0 < kind.minutes <= kind.longest for kind in self.kinds.values()):
            raise ValueError("the minutes of a kind lie between 1 and its longest")
        return self


rules = DocumentKind("grants", "file of grants", lambda: FILE, GrantRules.model_validate)
"""The purposes in force. Raises SettingsError."""
KINDS = Live(lambda: rules().kinds)
PURPOSES = Live(lambda: rules().purposes)


class PurposeMissing(VeiligError):
    """Kies waarvoor u dit nodig hebt."""

    status = 400


class TooLong(VeiligError):
    """Zo lang mag deze toegang niet duren."""

    status = 400


def purposes(kind: Kind) -> Mapping[str, str]:
    """Code → Dutch title of the purposes that fit this kind, for a select."""
    return {code: one.title for code, one in PURPOSES.items() if kind in one.kinds}


def give(
    db: Db,
    region: UUID,
    staff_id: UUID,
    kind: Kind,
    *,
    report_id: UUID | None = None,
    person_id: UUID | None = None,
    purpose: str,
    reason: str,
    by: str,
    at: datetime,
    minutes: int | None = None,
    review_due_at: datetime | None = None,
) -> UUID:
    """Let this member see this until `minutes` after `at` (None: the minutes of the kind). Gives the grant's id.

    One report or one person, never everything. Raises PurposeMissing, ReasonMissing, TooLong; NotFound when the
    member is not an active member of this region.
    """
    if kind not in PURPOSES.get(purpose, Purpose(title="", source="", kinds=[])).kinds:
        raise PurposeMissing
    if not reason.strip():
        raise ReasonMissing
    wanted = KINDS[kind].minutes if minutes is None else minutes
    if not 0 < wanted <= KINDS[kind].longest:
        raise TooLong(f"Deze toegang duurt hoogstens {KINDS[kind].longest} minuten.")
    if report_id is None and person_id is None:
        raise ValueError("a grant is for one report or one person")
    member = db.execute(
        "SELECT FROM staff WHERE id = %s AND region_id = %s AND active", (staff_id, region)
    ).fetchone()
    if member is None:
        raise NotFound
    grant = uuid7()
    db.execute(
        "INSERT INTO access_grant (id, region_id, staff_id, kind, report_id, person_id, purpose, reason, granted_by,"
        " granted_at, until, review_due_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            grant,
            region,
            staff_id,
            kind,
            report_id,
            person_id,
            purpose,
            reason.strip(),
            by,
            at,
            at + timedelta(minutes=wanted),
            review_due_at,
        ),
    )
    details = {"grant": str(grant), "kind": kind, "purpose": purpose, "staff": str(staff_id), "minutes": wanted}
    what: tuple[str, UUID | None] = ("report", report_id) if report_id else ("person", person_id)
    audit.append(db, region, by, "grant.give", *what, details)
    return grant


def current(
    db: Db,
    staff_id: UUID,
    kind: Kind,
    *,
    report_id: UUID | None = None,
    person_id: UUID | None = None,
    at: datetime,
) -> Row | None:
    """This member's grant of this kind for this report or person that holds at `at`: the one that lasts longest."""
    if report_id is None and person_id is None:
        raise ValueError("a grant is for one report or one person")
    return db.execute(
        "SELECT g.* FROM access_grant g JOIN staff s ON s.id = g.staff_id AND s.active AND s.region_id = g.region_id"
        " WHERE g.staff_id = %(staff)s AND g.kind = %(kind)s"
        " AND (%(report)s::uuid IS NULL OR g.report_id = %(report)s)"
        " AND (%(person)s::uuid IS NULL OR g.person_id = %(person)s)"
        " AND g.granted_at <= %(at)s AND g.until > %(at)s AND (g.ended_at IS NULL OR g.ended_at > %(at)s)"
        " ORDER BY g.until DESC, g.id DESC LIMIT 1",
        {"staff": staff_id, "kind": kind, "report": report_id, "person": person_id, "at": at},
    ).fetchone()


def end(db: Db, grant_id: UUID, *, by: str, at: datetime) -> None:
    """Close what was opened, before its time is over. Raises NotFound; Conflict when it is over already."""
    row = db.execute("SELECT * FROM access_grant WHERE id = %s FOR UPDATE", (grant_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["ended_at"] is not None or row["until"] <= at:
        raise Conflict("Deze toegang is al voorbij.")
    db.execute("UPDATE access_grant SET ended_at = %s, ended_by = %s WHERE id = %s", (at, by, grant_id))
    what = ("report", row["report_id"]) if row["report_id"] else ("person", row["person_id"])
    audit.append(db, row["region_id"], by, "grant.end", *what, {"grant": str(grant_id), "kind": row["kind"]})


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every grant on a report, newest first, with the name and role of who had it."""
    return db.execute(
        "SELECT g.*, s.name, s.username, s.role FROM access_grant g JOIN staff s ON s.id = g.staff_id"
        " WHERE g.region_id = %s AND g.report_id = %s ORDER BY g.granted_at DESC, g.id DESC",
        (region, report_id),
    ).fetchall()
