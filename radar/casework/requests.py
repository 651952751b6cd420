"""Requests of a person concerned: to see his data (Wmo 2015 art. 5.3.2) or to have them destroyed (art. 5.3.5).

Received in writing, with a term and a task; answered once. What may be shown or destroyed is decided by a person: the
decision itself, with what is left out and the remedy that belongs to the organisation, is not made here.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound, VeiligError
from core.ids import uuid7
from radar.casework import ledger, tasks
from radar.casework.ages import Age, age_on, straddles

KINDS: dict[str, str] = {"access": "Inzage of afschrift", "destruction": "Vernietiging"}
TERMS: dict[str, str] = {"access": "access_request", "destruction": "destruction_request"}
_GROUNDS: dict[str, str] = {
    "access": "Weigeren kan alleen als de privacy van een ander, de taak van Veilig Thuis of het stoppen van het"
    " geweld zwaarder weegt.",
    "destruction": "Weigeren kan alleen bij een groot belang van een ander, of als een wet het bewaren eist. De reden"
    " moet concreet zijn.",
}


class WrongKind(VeiligError):
    """Kies waar het verzoek over gaat."""

    status = 400


class WrongDay(VeiligError):
    """Vul de dag in waarop het verzoek binnenkwam: niet in de toekomst, en niet voor de melding."""

    status = 400


class AnswerMissing(VeiligError):
    """Schrijf in een zin wat het antwoord is."""

    status = 400


def receive(db: Db, mention_id: UUID, kind: str, received_on: date, *, note: str = "", by: str, at: datetime) -> UUID:
    """A written request came in: keep it, start its term from the day of receipt, open its task; gives its id.

    Raises NotFound, WrongKind, WrongDay, Conflict when the same request of this person is still open.
    """
    if kind not in KINDS:
        raise WrongKind
    row = db.execute(
        "SELECT m.region_id, m.report_id, r.received_at FROM mention m JOIN report r ON r.id = m.report_id"
        " WHERE m.id = %s FOR UPDATE OF r",
        (mention_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    if not local_day(row["received_at"]) <= received_on <= local_day(at):
        raise WrongDay
    still_open = "SELECT FROM person_request WHERE mention_id = %s AND kind = %s AND answered_at IS NULL"
    if db.execute(still_open, (mention_id, kind)).fetchone() is not None:
        raise Conflict("Dit verzoek van deze persoon staat al open.")
    request = uuid7()
    db.execute(
        "INSERT INTO person_request (id, region_id, report_id, mention_id, kind, received_on, noted_at, actor, note)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (request, row["region_id"], row["report_id"], mention_id, kind, received_on, at, by, note.strip()),
    )
    counted = ledger.start(
        db,
        TERMS[kind],
        [request],
        row["report_id"],
        starts_on=received_on,
        by=by,
        at=at,
        reason="verzoek ontvangen",
    )
    tasks.open_task(db, "person_request", request, row["report_id"], due_at=counted.due_at, at=at)
    audit.append(db, row["region_id"], by, "request.receive", "person_request", request, {"kind": kind})
    return request


def answer(db: Db, request_id: UUID, text: str, *, by: str, at: datetime) -> None:
    """The request was answered, whatever the answer was: its term is met and its task done.

    Raises NotFound, AnswerMissing, Conflict when it was answered before.
    """
    row = db.execute("SELECT * FROM person_request WHERE id = %s FOR UPDATE", (request_id,)).fetchone()
    if row is None:
        raise NotFound
    if not text.strip():
        raise AnswerMissing
    if row["answered_at"] is not None:
        raise Conflict("Dit verzoek is al beantwoord.")
    db.execute(
        "UPDATE person_request SET answered_at = %s, answered_by = %s, answer = %s WHERE id = %s",
        (at, by, text.strip(), request_id),
    )
    ledger.meet(db, TERMS[row["kind"]], request_id, at)
    tasks.close_task(db, "person_request", request_id, by=by, at=at, outcome="answered")
    audit.append(db, row["region_id"], by, "request.answer", "person_request", request_id, {"kind": row["kind"]})


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The requests in a report, open ones first, with the person and the term (`due_at`, `met_at`)."""
    return db.execute(
        "SELECT q.*, m.person, d.due_at, d.norm_due_on, d.legal_due_on, d.met_at FROM person_request q"
        " JOIN mention m ON m.id = q.mention_id LEFT JOIN deadline d ON d.subject_id = q.id"
        " AND d.kind = CASE q.kind WHEN 'access' THEN 'access_request' ELSE 'destruction_request' END"
        " WHERE q.region_id = %s AND q.report_id = %s ORDER BY q.answered_at IS NOT NULL, d.due_at, q.id",
        (region, report_id),
    ).fetchall()


def hints(person: dict[str, Any], kind: str, day: date) -> list[str]:
    """Who may make this request at his age on the day of the request (12 and 16 years), and when it can be refused.

    Source: domain.md 1.5 (Wmo 2015 art. 5.3.2 and 5.3.5). Raises WrongKind.
    """
    if kind not in KINDS:
        raise WrongKind
    return [_who(age_on(person, day), kind), _GROUNDS[kind]]


def _who(age: Age | None, kind: str) -> str:
    if age is None:
        return "De leeftijd is onbekend. Ga eerst na of deze persoon 12 of 16 jaar was op de dag van het verzoek."
    young, old = age
    if straddles(age):
        return f"Op de dag van het verzoek {young} of {old} jaar. Ga eerst de geboortedatum na."
    if old < 12:
        return "Jonger dan 12 jaar: alleen de wettelijk vertegenwoordiger kan dit vragen, het kind zelf niet."
    if kind == "access" and old < 16:
        return (
            "12 tot en met 15 jaar: de jongere zelf, en ook de wettelijk vertegenwoordiger, tenzij dat niet in het"
            " belang van de jongere is."
        )
    since = "12" if kind == "destruction" else "16"
    return f"{since} jaar of ouder: alleen de persoon zelf, tenzij hij het zelf niet goed kan beoordelen."
