"""Contacts: with persons concerned, informants, the reporter and partners; each is noted once and never edited.

At the first contact each of them but a partner is told of the procedure, the use of data, access and complaints
(Uitvoeringsbesluit Wmo 2015 art. 4.1.8 lid 2; domain.md T9). When that did not happen a term starts, with a task,
until it is put right. Nothing else is opened: an informant gets no standard feedback (domain.md 2.4).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotAllowed, NotFound, VeiligError
from core.ids import uuid7
from radar.casework import ledger, steps, tasks
from radar.casework.states import INTAKE

KINDS = {"person": "Betrokkene", "informant": "Informant", "reporter": "Melder", "partner": "Partner in de keten"}
WAYS = {
    "call": "Telefoon",
    "visit": "Huisbezoek",
    "office": "Gesprek op kantoor",
    "letter": "Brief",
    "message": "Digitaal bericht",
}
TOLD_AT_FIRST = ("person", "informant", "reporter")


class UnknownKind(VeiligError):
    """Kies met wie het contact was."""

    status = 400


class PersonMissing(VeiligError):
    """Kies de betrokkene uit deze melding."""

    status = 400


class WhoMissing(VeiligError):
    """Schrijf op met wie u sprak, en van welke organisatie."""

    status = 400


class UnknownWay(VeiligError):
    """Kies hoe het contact was."""

    status = 400


class WrongMoment(VeiligError):
    """Vul de dag en de tijd in. Een contact ligt niet in de toekomst en niet voor de dag van de melding."""

    status = 400


class SummaryMissing(VeiligError):
    """Schrijf in het kort op wat er besproken is."""

    status = 400


def note(
    db: Db,
    report_id: UUID,
    service_id: UUID | None,
    *,
    with_kind: str,
    mention_id: UUID | None,
    who: str,
    how: str,
    happened_at: datetime | None,
    summary: str,
    informed: bool,
    by: str,
    role: str,
    at: datetime,
) -> UUID:
    """Note a contact; gives its id. `informed`: he was told what T9 asks.

    `mention_id` counts for a person concerned only, `who` names an informant or partner, or who spoke for a person.
    The reporter's name is not kept here: it may be secret. Raises UnknownKind, PersonMissing, WhoMissing, UnknownWay,
    WrongMoment, SummaryMissing, NotFound, NotAllowed.
    """
    if role not in INTAKE:
        raise NotAllowed
    _require_words(with_kind, mention_id, who, how, summary)
    report = steps.locked(db, report_id)
    if happened_at is None or not local_day(report["received_at"]) <= local_day(happened_at) or happened_at > at:
        raise WrongMoment
    mention_id = mention_id if with_kind == "person" else None
    _require_of_report(db, report_id, mention_id, service_id)
    contact = uuid7()
    row = {
        "id": contact,
        "region": report["region_id"],
        "report": report_id,
        "service": service_id,
        "happened": happened_at,
        "at": at,
        "by": by,
        "kind": with_kind,
        "mention": mention_id,
        "who": "" if with_kind == "reporter" else " ".join(who.split()),
        "how": how,
        "summary": summary.strip(),
        "informed": informed,
    }
    db.execute(
        "INSERT INTO contact (id, region_id, report_id, service_id, at, noted_at, actor, with_kind, mention_id, who,"
        " how, summary, informed) VALUES (%(id)s, %(region)s, %(report)s, %(service)s, %(happened)s, %(at)s, %(by)s,"
        " %(kind)s, %(mention)s, %(who)s, %(how)s, %(summary)s, %(informed)s)",
        row,
    )
    audit.append(db, report["region_id"], by, "contact.note", "contact", contact, {"kind": with_kind, "how": how})
    if with_kind in TOLD_AT_FIRST:
        _look_at_information(db, report_id, _same_party(db, row), by, at)
    return contact


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every contact about a report, newest first; `person` is the person concerned as he was named.

    `inform_due_at`: until when this one must still be told what he was not told then.
    """
    return db.execute(
        "SELECT c.id, c.service_id, c.at, c.noted_at, c.actor, c.with_kind, c.mention_id, c.who, c.how, c.summary,"
        " c.informed, m.person, d.due_at AS inform_due_at FROM contact c LEFT JOIN mention m ON m.id = c.mention_id"
        " LEFT JOIN deadline d ON d.kind = 'information' AND d.subject_id = c.id AND d.met_at IS NULL"
        "   AND d.dropped_at IS NULL"
        " WHERE c.region_id = %s AND c.report_id = %s ORDER BY c.at DESC, c.id DESC",
        (region, report_id),
    ).fetchall()


def _require_words(with_kind: str, mention_id: UUID | None, who: str, how: str, summary: str) -> None:
    if with_kind not in KINDS:
        raise UnknownKind
    if with_kind == "person" and mention_id is None:
        raise PersonMissing
    if with_kind in ("informant", "partner") and not who.strip():
        raise WhoMissing
    if how not in WAYS:
        raise UnknownWay
    if not summary.strip():
        raise SummaryMissing


def _require_of_report(db: Db, report_id: UUID, mention_id: UUID | None, service_id: UUID | None) -> None:
    if mention_id is not None:
        known = db.execute("SELECT FROM mention WHERE id = %s AND report_id = %s", (mention_id, report_id))
        if known.fetchone() is None:
            raise PersonMissing
    if service_id is not None:
        known = db.execute("SELECT FROM service WHERE id = %s AND report_id = %s", (service_id, report_id))
        if known.fetchone() is None:
            raise NotFound


def _same_party(db: Db, row: Row) -> list[Row]:
    """Every contact with the same person concerned, the reporter, or an informant of the same name; first to last."""
    return db.execute(
        "SELECT c.id, c.at, c.informed, d.id IS NOT NULL AS term,"
        " d.id IS NOT NULL AND d.met_at IS NULL AND d.dropped_at IS NULL AS running FROM contact c"
        " LEFT JOIN deadline d ON d.kind = 'information' AND d.subject_id = c.id"
        " WHERE c.report_id = %(report)s AND c.with_kind = %(kind)s"
        " AND c.mention_id IS NOT DISTINCT FROM %(mention)s"
        " AND (%(kind)s = 'person' OR lower(c.who) = lower(%(who)s)) ORDER BY c.at, c.id",
        row,
    ).fetchall()


def _look_at_information(db: Db, report_id: UUID, party: list[Row], by: str, at: datetime) -> None:
    """Start the term at a first contact without the information, and end it with the first one that gave it.

    The contacts may have been noted in another order than that in which they happened.
    """
    first = party[0]
    told = next((one for one in party if one["informed"]), None)
    running = [one for one in party if one["running"]]
    if not first["informed"] and not any(one["term"] for one in party):
        reason = "Eerste contact zonder de informatie over werkwijze, gegevens, inzage en klachten"
        day = local_day(first["at"])
        due = ledger.start(db, "information", [first["id"]], report_id, starts_on=day, by=by, at=at, reason=reason)
        running = [first]
        if told is None:
            tasks.open_task(db, "inform", first["id"], report_id, due_at=due.due_at, at=at)
    if told is None:
        return
    for one in running:
        if told["at"] < one["at"]:
            why = "De informatie was al gegeven, bij een eerder contact dat later is vastgelegd."
            ledger.drop(db, "information", one["id"], why=why, at=at)
        else:
            ledger.meet(db, "information", one["id"], told["at"])
        tasks.close_task(db, "inform", one["id"], by=by, at=at, outcome="informed")
