"""Requests of a person concerned: received in writing with a term and a task, and prepared by nobody until it is
known
who asks (threat T3).

The kinds: access (Wmo 2015 art. 5.3.2, AVG 15), correction (AVG 16), own statement, destruction (art. 5.3.5, AVG 17),
objection (AVG 21, or bezwaar), restriction of use (AVG 18). The decision is in decision.py.
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
from radar.rights import askers
from radar.rights.askers import ASKERS, KINDS

TERMS: dict[str, str] = {"access": "access_request", "destruction": "destruction_request"}
OTHER_TERM = "rights_request"
VERIFIED_HOW: dict[str, str] = {
    "document": "Identiteitsbewijs gezien",
    "digital": "Met een digitale sleutel (DigiD)",
    "office": "Op kantoor geweest, met identiteitsbewijs",
    "known": "Bekend bij de medewerker, en teruggebeld",
}
GROUNDS: dict[str, str] = {
    "access": "Weigeren kan alleen als de privacy van een ander, de taak van Veilig Thuis of het stoppen van het"
    " geweld zwaarder weegt.",
    "destruction": "Weigeren kan alleen bij een groot belang van een ander, of als een wet het bewaren eist. De reden"
    " moet concreet zijn.",
    "correction": "Wat een melder schreef, blijft staan zoals het kwam. De correctie komt ernaast, met bron en"
    " datum.",
    "statement": "Een eigen verklaring komt altijd in het dossier.",
    "objection": "Zolang het bezwaar loopt, wordt er niets vernietigd.",
    "restriction": "Weigeren kan alleen als het gebruik nodig is om iemand te beschermen.",
}


class WrongKind(VeiligError):
    """Kies waar het verzoek over gaat."""

    status = 400


class WrongDay(VeiligError):
    """Vul de dag in waarop het verzoek binnenkwam: niet in de toekomst, en niet voor de melding."""

    status = 400


class AskerMissing(VeiligError):
    """Kies wie het verzoek doet, en vul zijn naam in."""

    status = 400


class AuthorityMissing(VeiligError):
    """Schrijf op hoe u hebt nagegaan dat deze vertegenwoordiger dit mag vragen."""

    status = 400


class HowMissing(VeiligError):
    """Kies hoe u weet wie er vraagt."""

    status = 400


class CallBackMissing(VeiligError):
    """Bel terug op een nummer dat al in het dossier staat, en vul in wanneer en wat er is gezegd."""

    status = 400


class AgeMissing(VeiligError):
    """Ga de leeftijd op de dag van het verzoek na, en vul die in."""

    status = 400


class NotVerified(Conflict):
    """Ga eerst na wie er vraagt. Daarna kunt u het verzoek voorbereiden."""


def term_of(kind: str) -> str:
    """The kind of term in the ledger that a request of this kind has."""
    return TERMS.get(kind, OTHER_TERM)


def receive(db: Db, mention_id: UUID, kind: str, received_on: date, *, note: str = "", by: str, at: datetime) -> UUID:
    """A written request came in: keep it, start its term from the day of receipt, open its task; gives its id.

    Raises NotFound, WrongKind, WrongDay, Conflict when the same request of this person is still open, or when his
    data
    were destroyed.
    """
    if kind not in KINDS:
        raise WrongKind
    row = db.execute(
        "SELECT m.region_id, m.report_id, m.destroyed_at, r.received_at FROM mention m"
        " JOIN report r ON r.id = m.report_id WHERE m.id = %s FOR UPDATE OF r",
        (mention_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    if row["destroyed_at"] is not None:
        raise Conflict("De gegevens van deze persoon zijn vernietigd.")
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
        term_of(kind),
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


def verify(
    db: Db,
    request_id: UUID,
    *,
    asker: str,
    name: str,
    how: str,
    authority: str = "",
    called_back_at: datetime | None = None,
    called_back_note: str = "",
    capable: bool = True,
    opposed: bool = False,
    age_said: int | None = None,
    by: str,
    at: datetime,
) -> bool:
    """Record who asks and how that was made sure; whether he may ask this, by the age on the day of the request.

    Who may not gets no further: the request is answered with 'not_entitled', the decision is the law's. Raises
    NotFound, Conflict (done before), AskerMissing, HowMissing, AuthorityMissing, CallBackMissing, AgeMissing.
    """
    row = open_request(db, request_id)
    if row["verified_at"] is not None:
        raise Conflict("Wie er vraagt, is al nagegaan.")
    if asker not in ASKERS or not name.strip():
        raise AskerMissing
    if how not in VERIFIED_HOW:
        raise HowMissing
    if asker == "representative" and not authority.strip():
        raise AuthorityMissing
    by_phone = how == "known"
    if (by_phone or asker == "representative") and (called_back_at is None or not called_back_note.strip()):
        raise CallBackMissing
    if called_back_at is not None and called_back_at > at:
        raise CallBackMissing("Het terugbellen kan niet in de toekomst liggen.")
    person = db.execute("SELECT person FROM mention WHERE id = %s", (row["mention_id"],)).fetchone()
    verdict = askers.judge(
        row["kind"],
        asker,
        person["person"] if person else {},
        row["received_on"],
        capable=capable,
        opposed=opposed,
        age_said=age_said,
    )
    if verdict.allowed is None:
        raise AgeMissing(verdict.why)
    db.execute(
        "UPDATE person_request SET asker = %s, asker_name = %s, authority = %s, capable = %s, opposed = %s,"
        " age_said = %s, verified_how = %s, called_back_at = %s, called_back_note = %s, verified_at = %s,"
        " verified_by = %s WHERE id = %s",
        (
            asker,
            name.strip(),
            authority.strip(),
            capable,
            opposed,
            age_said,
            how,
            called_back_at,
            called_back_note.strip(),
            at,
            by,
            request_id,
        ),
    )
    details = {"asker": asker, "how": how, "entitled": verdict.allowed, "called_back": called_back_at is not None}
    audit.append(db, row["region_id"], by, "request.verify", "person_request", request_id, details)
    if not verdict.allowed:
        close(db, request_id, "not_entitled", verdict.why, by=by, at=at)
    return verdict.allowed


def withdraw(db: Db, request_id: UUID, why: str, *, by: str, at: datetime) -> None:
    """The asker took his request back. Raises NotFound, Conflict, AnswerMissing without a reason."""
    open_request(db, request_id)
    close(db, request_id, "withdrawn", why, by=by, at=at)


class AnswerMissing(VeiligError):
    """Schrijf in een zin wat het antwoord is."""

    status = 400


def close(db: Db, request_id: UUID, outcome: str, text: str, *, by: str, at: datetime) -> None:
    """The request was answered, whatever the answer was: its term is met and its task done.

    Raises NotFound, AnswerMissing, Conflict when it was answered before.
    """
    row = open_request(db, request_id)
    if not text.strip():
        raise AnswerMissing
    db.execute(
        "UPDATE person_request SET answered_at = %(at)s, answered_by = %(by)s, answer = %(text)s,"
        " outcome = %(outcome)s, decided_at = CASE WHEN outcome = %(outcome)s THEN decided_at ELSE %(at)s END,"
        " decided_by = CASE WHEN outcome = %(outcome)s THEN decided_by ELSE %(by)s END WHERE id = %(id)s",
        {"at": at, "by": by, "text": text.strip(), "outcome": outcome, "id": request_id},
    )
    ledger.meet(db, term_of(row["kind"]), request_id, at)
    tasks.close_task(db, "person_request", request_id, by=by, at=at, outcome="answered")
    details = {"kind": row["kind"], "outcome": outcome}
    audit.append(db, row["region_id"], by, "request.answer", "person_request", request_id, details)


def open_request(db: Db, request_id: UUID) -> Row:
    """The request, locked for this transaction. Raises NotFound, Conflict when it was answered."""
    row = db.execute("SELECT * FROM person_request WHERE id = %s FOR UPDATE", (request_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["answered_at"] is not None:
        raise Conflict("Dit verzoek is al beantwoord.")
    return row


def verified(db: Db, request_id: UUID, *kinds: str) -> Row:
    """The open request of one of these kinds, when it is known who asks. Raises NotFound, Conflict, NotVerified."""
    row = open_request(db, request_id)
    if kinds and row["kind"] not in kinds:
        raise NotFound
    if row["verified_at"] is None:
        raise NotVerified
    return row


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The requests in a report, open ones first, with the person and the term (`due_at`, `met_at`, `deadline_id`)."""
    return db.execute(
        "SELECT q.*, m.person, m.number, d.id AS deadline_id, d.due_at, d.norm_due_on, d.legal_due_on, d.met_at,"
        " (SELECT count(*) FROM deadline_entry e WHERE e.deadline_id = d.id AND e.kind = 'extension') AS extensions"
        " FROM person_request q JOIN mention m ON m.id = q.mention_id"
        " LEFT JOIN deadline d ON d.subject_id = q.id"
        " AND d.kind IN ('access_request', 'destruction_request', 'rights_request')"
        " WHERE q.region_id = %s AND q.report_id = %s ORDER BY q.answered_at IS NOT NULL, d.due_at, q.id",
        (region, report_id),
    ).fetchall()


def hints(person: dict[str, Any], kind: str, day: date) -> list[str]:
    """Who may make this request at his age on the day of the request, and when it can be refused. Raises
    WrongKind.
    """
    if kind not in KINDS:
        raise WrongKind
    return [askers.who(person, kind, day), GROUNDS[kind]]
