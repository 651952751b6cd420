"""The findings of an investigation: per form of violence confirmed, not confirmed or refuted (findings.toml).

A finding is not edited: a new one replaces it, and the earlier one is kept.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from core import audit
from core.database import Db, Row
from core.documents import Kind, Live
from core.errors import Conflict, NotAllowed, NotFound, VeiligError
from core.ids import uuid7
from radar.casework import steps
from radar.casework.states import ASSESSORS

Result = Literal["confirmed", "not_confirmed", "refuted"]
FILE = Path(__file__).with_name("findings.toml")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Form(_Data):
    """A form of violence with its CBS codes: of what the report was about, and of each result."""

    title: str
    cbs_occasion: list[str]
    cbs_outcome: dict[Result, str]


class Outcome(_Data):
    """How a service ends. `early`: nothing had to be found. `chosen`: a person can choose it."""

    title: str
    early: bool
    chosen: bool = True
    cbs_outcome: str | None = None


class Findings(_Data):
    """The whole file."""

    version: str
    source: str
    verified: bool
    results: dict[Result, str]
    forms: dict[str, Form]
    outcomes: dict[str, Outcome]


in_force = Kind("findings", "file of findings", lambda: FILE, Findings.model_validate)
"""The file in force. Raises SettingsError."""
FORMS = Live(lambda: in_force().forms)
RESULTS = Live(lambda: in_force().results)
OUTCOMES = Live(lambda: in_force().outcomes)


class UnknownForm(VeiligError):
    """Kies een vorm uit de lijst."""

    status = 400


class UnknownResult(VeiligError):
    """Kies of het bevestigd, niet bevestigd of weerlegd is."""

    status = 400


class ExplanationMissing(VeiligError):
    """Schrijf op waarop deze conclusie rust."""

    status = 400


def find(
    db: Db, service_id: UUID, form: str, result: str, explanation: str, *, by: str, role: str, at: datetime
) -> UUID:
    """Conclude about one form; the conclusion before it is kept as replaced. Gives its id.

    Raises UnknownForm, UnknownResult, ExplanationMissing, NotFound, NotAllowed; Conflict when the investigation has
    ended or is none.
    """
    if role not in ASSESSORS:
        raise NotAllowed
    if form not in FORMS:
        raise UnknownForm
    if result not in RESULTS:
        raise UnknownResult
    if not explanation.strip():
        raise ExplanationMissing
    row = db.execute("SELECT report_id, region_id, kind FROM service WHERE id = %s", (service_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["kind"] != "investigation":
        raise Conflict("Alleen een onderzoek heeft conclusies.")
    steps.locked(db, row["report_id"])
    if db.execute("SELECT FROM service WHERE id = %s AND ended_at IS NULL", (service_id,)).fetchone() is None:
        raise Conflict("Dit onderzoek is al afgerond.")
    db.execute(
        "UPDATE finding SET replaced_at = %s WHERE service_id = %s AND form = %s AND replaced_at IS NULL",
        (at, service_id, form),
    )
    finding = uuid7()
    db.execute(
        "INSERT INTO finding (id, region_id, service_id, form, result, explanation, at, actor)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (finding, row["region_id"], service_id, form, result, explanation.strip(), at, by),
    )
    details = {"form": form, "result": result}
    audit.append(db, row["region_id"], by, "finding.make", "service", service_id, details)
    return finding


def of_service(db: Db, region: UUID, service_id: UUID) -> list[Row]:
    """Every finding, per form the current one first and then those that it replaced, newest first."""
    return db.execute(
        "SELECT id, form, result, explanation, at, actor, replaced_at FROM finding"
        " WHERE region_id = %s AND service_id = %s ORDER BY form, replaced_at DESC NULLS FIRST, id DESC",
        (region, service_id),
    ).fetchall()
