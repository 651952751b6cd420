"""Who says that something may leave: proposed by the work, released by a person, by two where it is dangerous."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from core import audit, jobs
from core.database import Db, Row
from core.errors import Conflict, ReasonMissing
from intake import outbox, webhooks
from radar.casework import tasks, terms
from radar.outbound import gate, rows, safe_contacts, stances
from radar.outbound.gate import Objection
from radar.outbound.kinds import RecipientKind, rules

NOTICE_JOB = "send_notice"


class NotForThis(Conflict):
    """Deze inhoud mag niet naar deze ontvanger."""


class SamePerson(Conflict):
    """U gaf dit zelf al vrij. Een ander moet het ook lezen en vrijgeven."""


class Objected(Conflict):
    """Dit kan nu niet weg."""

    def __init__(self, objections: Sequence[Objection]) -> None:
        super().__init__(" ".join(one.text for one in objections))
        self.objections = tuple(objections)


def propose(
    db: Db,
    *,
    kind: str,
    subject: UUID,
    report_id: UUID | None,
    recipient: tuple[RecipientKind, UUID],
    parts: Collection[str],
    by: str,
    at: datetime,
    dangers: Collection[str] = (),
    rows_in_it: int = 0,
    region: UUID | None = None,
) -> UUID:
    """Something that will leave, once per kind and subject; gives its id. It goes nowhere before its release.

    `recipient`: a mention (person), team (partner), sender or member of staff. `dangers`: codes of kinds.toml;
    `rows_in_it` adds 'bulk' by itself. `region` where there is no report. Raises NotForThis for a kind, recipient or
    part that is not on the list; NotFound without such a report.
    """
    to, whom = recipient
    if not rules().allowed(kind, to, parts):
        raise NotForThis
    found = set(dangers)
    if rows_in_it > rules().limits.export_rows:
        found.add("bulk")
    if odd := found - rules().dangers.keys():
        raise LookupError(f"unknown danger {sorted(odd)[0]}")
    return rows.insert(
        db,
        {
            "region": region,
            "report": report_id,
            "kind": kind,
            "subject": subject,
            "to": to,
            "whom": whom,
            "parts": sorted(set(parts)),
            "dangers": sorted(found),
            "two": rules().kinds[kind].needs_two(found),
            "by": by,
            "at": at,
        },
    )


def release(db: Db, outgoing_id: UUID, *, by: str, at: datetime, texts: Sequence[str] = ()) -> bool:
    """A person read it and lets it go; True when that was the last one needed, False when a second must follow.

    What was held needs everybody again. Raises NotFound; SamePerson; Conflict when there is nothing to release;
    Objected, with what stands in the way: then nothing changed.
    """
    row = rows.locked(db, outgoing_id)
    if row["state"] not in ("proposed", "held"):
        raise Conflict("Dit is al vrijgegeven of ingetrokken.")
    _look_again(db, row)
    first = row["released_by"] is None or row["state"] == "held"
    if not first and row["released_by"] == by:
        raise SamePerson
    with db.transaction():
        row = rows.first_release(db, outgoing_id, by, at) if first else rows.second_release(db, outgoing_id, by, at)
        found = [one for one in gate.check(db, row, at, texts) if one.code != gate.SECOND.code]
        if found:
            raise Objected(found)
    details = {"kind": row["kind"], "subject": str(row["subject_id"]), "second": not first}
    audit.append(db, row["region_id"], by, "outbound.release", "outgoing", outgoing_id, details)
    if row["two_persons"] and row["second_by"] is None:
        if row["report_id"]:
            tasks.open_task(db, gate.TASK, outgoing_id, row["report_id"], due_at=terms.soon(at), at=at)
        return False
    rows.released(db, outgoing_id, at)
    tasks.close_task(db, gate.TASK, outgoing_id, by=by, at=at, outcome="released")
    _go(db, row, at)
    return True


def release_or_hold(db: Db, outgoing_id: UUID, *, by: str, at: datetime, texts: Sequence[str] = ()) -> bool:
    """`release`, where the work that it belongs to is done anyway: what stands in the way holds it, with a task."""
    try:
        return release(db, outgoing_id, by=by, at=at, texts=texts)
    except Objected as error:
        gate.hold(db, rows.first_release(db, outgoing_id, by, at), error.objections, at)
        return False


def withdraw(db: Db, outgoing_id: UUID, *, reason: str, by: str, at: datetime) -> None:
    """It will not leave (any more). What left stays on record. Raises NotFound, ReasonMissing, Conflict."""
    row = rows.locked(db, outgoing_id)
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom dit niet weg mag.")
    if row["state"] == "withdrawn" or (row["state"] == "sent" and not rules().kinds[row["kind"]].repeats):
        raise Conflict("Dit is al weg of ingetrokken.")
    _end(db, row, by, at)


def end(db: Db, kind: str, subject: UUID, *, by: str, at: datetime) -> None:
    """What it carried is over (an offer withdrawn, a request ended): it leaves no more, if it ever would."""
    known = rows.of_subject(db, kind, subject)
    if known is not None and known["state"] not in ("withdrawn", "sent"):
        _end(db, known, by, at)


def _end(db: Db, row: Row, by: str, at: datetime) -> None:
    rows.withdrawn(db, row["id"])
    tasks.close_task(db, gate.TASK, row["id"], by=by, at=at, outcome="withdrawn")
    details = {"kind": row["kind"], "subject": str(row["subject_id"])}
    audit.append(db, row["region_id"], by, "outbound.withdraw", "outgoing", row["id"], details)


def _look_again(db: Db, row: Row) -> None:
    """What made it dangerous may be found only now: then it needs two persons from here on."""
    kind = rules().kinds[row["kind"]]
    found = set(row["dangers"])
    if row["report_id"] and row["recipient_kind"] == "sender" and stances.is_concerned(db, row["report_id"]):
        found.add("reporter_concerned")
    if found != set(row["dangers"]):
        rows.endangered(db, row["id"], found, kind.needs_two(found))


def _go(db: Db, row: Row, at: datetime) -> None:
    """What goes by itself is asked for now: a message of our own, or a notice."""
    if row["kind"] in ("feedback", "vto"):
        outbox.send_released(db, row["region_id"], row["subject_id"])
        if row["kind"] == "feedback":
            webhooks.announce(db, row["subject_id"], row["report_id"], at)
    elif row["kind"] == "notice":
        # Whoever releases it again knows that it may not have arrived.
        db.execute(
            "UPDATE notice SET state = 'waiting', begun_at = NULL, generation = NULL, settled_by = %s"
            " WHERE id = %s AND state = 'unknown'",
            (row["released_by"], row["subject_id"]),
        )
        contact = db.execute(
            "SELECT c.* FROM notice n JOIN safe_contact c ON c.id = n.contact_id WHERE n.id = %s",
            (row["subject_id"],),
        ).fetchone()
        due_at = safe_contacts.next_moment(contact, at) if contact else None
        jobs.ask_again(db, row["region_id"], NOTICE_JOB, row["subject_id"], due_at)


required = rows.required
"""For who releases; what the gate asks too."""
