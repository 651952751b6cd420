"""Destruction (vernietiging): proposed by one person, confirmed by another, carried out once, and for ever.

Nothing is destroyed by the clock alone, nothing while a hold or an objection stands. The database lets nobody past
its
append-only rows but `destroy_order`, on an order that two persons agreed on (migration 0013).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit, jobs
from core.database import Db, Row, now
from core.deadlines import local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from radar import signals
from radar.casework.states import FINAL
from radar.linking import derived
from radar.linking.normalise import features
from radar.quality import rulesets
from radar.rights import certificate, holds, orders, passages, person, register, sealed

GROUNDS: dict[str, str] = {
    "request": "Verzoek van de persoon (Wmo 2015 art. 5.3.5)",
    "retention": "De bewaartermijn is voorbij (Wmo 2015 art. 5.3.4 lid 2)",
    "forwarded": "Het was geen melding en is doorgestuurd",
}
JOB, NOTE_JOB = "destroy", "note_destruction"


class Held(Conflict):
    """Er is een blokkade of een bezwaar. Zolang dat er is, wordt er niets vernietigd."""


class StillWorking(Conflict):
    """In deze melding is niemand anders genoemd, en hij is nog niet afgesloten. Sluit hem eerst af."""


class SamePerson(NotAllowed):
    """Een ander dan wie het voorstelde, bevestigt de vernietiging."""


class Unsure(Conflict):
    """Over een koppeling van deze persoon is nog niet beslist. Beslis eerst of dit dezelfde persoon is."""


def propose(
    db: Db,
    mention_id: UUID,
    ground: str,
    reason: str,
    *,
    request_id: UUID | None = None,
    by: str,
    at: datetime,
) -> UUID:
    """Propose to destroy everything of this person, in every report that is certainly about him; gives the order.

    For each sentence about him in a file that stays for others the order says whether it goes: those that name only
    him do, until a person says otherwise (`choose`). Raises NotFound, ReasonMissing, Held, StillWorking, Unsure, and
    Conflict when another request of his is open or an order for him waits.
    """
    his = person.certain(db, mention_id)
    if ground not in ("request", "retention") or (ground == "request") != (request_id is not None):
        raise NotFound
    if his.unsure:
        raise Unsure
    gone = db.execute(
        "SELECT FROM mention WHERE id = ANY(%s) AND destroyed_at IS NOT NULL LIMIT 1", (his.mentions,)
    ).fetchone()
    if gone is not None:
        raise Conflict("De gegevens van deze persoon zijn al vernietigd.")
    if request_id is not None:
        _granted(db, request_id, his.mentions)
    _refuse_open_requests(db, his.mentions, request_id)
    whole = _alone(db, his.mentions, his.reports)
    order = _insert(db, "person", mention_id, his.mentions, whole, ground, reason, request_id, by, at)
    rest = [one for one in his.reports if one not in whole]
    for number, one in enumerate(passages.find(db, his.mentions, rest), start=1):
        db.execute(
            "INSERT INTO destruction_passage (order_id, number, region_id, place, row_id, mark, erase)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (order, number, his.region_id, one.place, one.row_id, one.mark, not one.others),
        )
    return order


def propose_file(db: Db, report_id: UUID, ground: str, reason: str, *, by: str, at: datetime) -> UUID:
    """Propose to destroy a whole file: a form that was sent on, past its day, or one whose term is over for
    everybody.

    Raises as `propose`; Conflict when the form was not sent on or its day did not come.
    """
    if ground not in ("retention", "forwarded"):
        raise NotFound
    rows = db.execute("SELECT id FROM mention WHERE report_id = %s AND destroyed_at IS NULL", (report_id,)).fetchall()
    mentions = [row["id"] for row in rows]
    over = db.execute(
        "SELECT FROM forwarding WHERE report_id = %s AND retrieved_at IS NULL AND destroy_on <= %s",
        (report_id, local_day(at)),
    ).fetchone()
    if ground == "forwarded" and over is None:
        raise Conflict("De dag waarop dit formulier vernietigd mag worden, is er nog niet.")
    _refuse_open_requests(db, mentions, None)
    _alone(db, mentions, [report_id], whole=True)
    return _insert(db, "report", report_id, [], [report_id], ground, reason, None, by, at)


def choose(db: Db, order_id: UUID, erase: Collection[int], *, by: str, at: datetime) -> None:
    """Which sentences about him go (their numbers); the others stay, for the file of somebody else.

    Raises NotFound, Conflict when it was confirmed or stopped.
    """
    order = _open(db, order_id)
    db.execute("UPDATE destruction_passage SET erase = number = ANY(%s) WHERE order_id = %s", (list(erase), order_id))
    details = {"erase": sorted(erase)}
    audit.append(db, order["region_id"], by, "destruction.choose", "destruction_order", order_id, details)


def confirm(db: Db, order_id: UUID, *, by: str, at: datetime) -> None:
    """The second person agrees: it is carried out at once, by the work behind the screens.

    Raises NotFound, Conflict, SamePerson, Held, StillWorking; Conflict when the letter with the decision did not go.
    """
    order = _open(db, order_id)
    if order["proposed_by"] == by:
        raise SamePerson
    files = orders.files_of(db, order)
    if holds.stands(db, order["mentions"], files):
        raise Held
    _alone(db, order["mentions"], files)
    if order["request_id"] is not None:
        sent = db.execute(
            "SELECT FROM person_request q JOIN letter l ON l.id = q.letter_id WHERE q.id = %s AND l.sent_at IS NOT"
            " NULL",
            (order["request_id"],),
        ).fetchone()
        if sent is None:
            raise Conflict("Verstuur eerst de brief met het besluit. Na de vernietiging is die er niet meer.")
    db.execute("UPDATE destruction_order SET confirmed_at = %s, confirmed_by = %s WHERE id = %s", (at, by, order_id))
    audit.append(db, order["region_id"], by, "destruction.confirm", "destruction_order", order_id)
    jobs.enqueue(db, order["region_id"], JOB, order_id)


def stop(db: Db, order_id: UUID, why: str, *, by: str, at: datetime) -> None:
    """It will not be destroyed: somebody objects, or it was a mistake. Raises NotFound, ReasonMissing, Conflict."""
    if not why.strip():
        raise ReasonMissing
    order = _locked(db, order_id)
    if order["executed_at"] is not None or order["stopped_at"] is not None:
        raise Conflict("Deze vernietiging is al uitgevoerd of gestopt.")
    db.execute(
        "UPDATE destruction_order SET stopped_at = %s, stopped_by = %s, stopped_why = %s WHERE id = %s",
        (at, by, why.strip(), order_id),
    )
    audit.append(db, order["region_id"], by, "destruction.stop", "destruction_order", order_id)


def stop_for(db: Db, mention_id: UUID, why: str, *, by: str, at: datetime) -> int:
    """Stop every order on this person that waits; gives how many."""
    rows = db.execute(
        "SELECT id FROM destruction_order WHERE %s = ANY(mentions) AND executed_at IS NULL AND stopped_at IS NULL",
        (mention_id,),
    ).fetchall()
    for row in rows:
        stop(db, row["id"], why, by=by, at=at)
    return len(rows)


def carry_out(db: Db, order_id: UUID) -> None:
    """Destroy what a confirmed order says: a job. Done or stopped before: nothing happens.

    The register has it on disk before this commits; `note` writes there that it was done. Raises NotFound; Held when
    a hold came in between: then the job fails, and a person sees it.
    """
    order = _locked(db, order_id)
    if order["executed_at"] is not None or order["stopped_at"] is not None:
        return
    if order["confirmed_at"] is None:
        raise Conflict("Deze vernietiging is niet bevestigd.")
    if not order["replay"] and holds.stands(db, order["mentions"], orders.files_of(db, order)):
        raise Held
    chosen = db.execute(
        "SELECT place, row_id, mark FROM destruction_passage WHERE order_id = %s AND erase ORDER BY number",
        (order_id,),
    ).fetchall()
    counts = destroy(db, order, {bytes(row["mark"]) for row in chosen})
    if order["replay"]:
        return
    done = db.execute("SELECT * FROM destruction_order WHERE id = %s", (order_id,)).fetchone() or order
    db.execute("UPDATE destruction_order SET certificate = %s WHERE id = %s", (certificate.draw(db, done), order_id))
    audit.append(db, order["region_id"], "system", "destruction.carry_out", "destruction_order", order_id, counts)
    jobs.enqueue(db, order["region_id"], NOTE_JOB, order_id)
    register.intend(
        register.Entry(
            order_id,
            order["region_id"],
            order["report_id"],
            order["scope"],
            order["ground"],
            tuple(order["mentions"]),
            tuple(order["reports"]),
            tuple(register.Passage(row["place"], row["row_id"], bytes(row["mark"])) for row in chosen),
            now(db),
        )
    )


def note(db: Db, order_id: UUID) -> None:
    """After the commit: write in the register that it was destroyed. A job. Raises NotFound."""
    order = _locked(db, order_id)
    if order["executed_at"] is not None:
        register.confirm(order_id, order["executed_at"])


def destroy(db: Db, order: Row, marks: Collection[bytes]) -> dict[str, Any]:
    """Everything that a confirmed order names goes, in this transaction; gives how much of each kind."""
    region = order["region_id"]
    rules = rulesets.active(db, region)
    said = db.execute(
        "SELECT m.id, m.number, m.report_id, m.person FROM mention m WHERE m.region_id = %s"
        " AND (m.id = ANY(%s) OR m.report_id = ANY(%s)) AND m.destroyed_at IS NULL",
        (region, order["mentions"], order["reports"]),
    ).fetchall()
    files = list(dict.fromkeys([*(row["report_id"] for row in said), *order["reports"]]))
    persons = [
        row["person_id"]
        for row in db.execute(
            "SELECT DISTINCT person_id FROM link WHERE mention_id = ANY(%s) AND state IN"
            " ('new', 'automatic', 'confirmed')",
            ([row["id"] for row in said],),
        )
    ]
    homes = {
        row["household_id"]
        for row in db.execute("SELECT household_id FROM report WHERE id = ANY(%s)", (files,))
        if row["household_id"]
    }
    keys = derived.keys_of((features(row["person"], rules) for row in said), rules, region.bytes)
    words = [
        {"name": place.split(".")[0], "field": place.split(".")[1], "id": str(row_id), "passage": text}
        for place, row_id, text in passages.located(db, files, dict.fromkeys(marks))
    ]
    row = db.execute("SELECT destroy_order(%s, %s) AS counts", (order["id"], Jsonb(words))).fetchone()
    counts: dict[str, Any] = row["counts"] if row else {}
    derived.derive(db, region, persons, rules, gone=keys)
    for report in files:
        gone = [one["number"] for one in said if one["report_id"] == report]
        sealed.rekey(db, report, gone)
    if homes:
        signals.recount(db, sorted(homes), "system", now(db))
    return counts


def _alone(db: Db, mentions: Collection[UUID], files: Sequence[UUID], *, whole: bool = False) -> list[UUID]:
    """The reports in which nobody else stays: they go as a whole. Raises Held, and StillWorking for one that runs."""
    if holds.stands(db, mentions, files):
        raise Held
    rows = db.execute(
        "SELECT r.id, r.state FROM report r WHERE r.id = ANY(%(files)s) AND (%(whole)s OR NOT EXISTS (SELECT FROM"
        " mention m"
        " WHERE m.report_id = r.id AND m.destroyed_at IS NULL AND NOT m.id = ANY(%(mentions)s)))",
        {"files": list(files), "mentions": list(mentions), "whole": whole},
    ).fetchall()
    if any(row["state"] not in FINAL for row in rows):
        raise StillWorking
    return [row["id"] for row in rows]


def _granted(db: Db, request_id: UUID, mentions: Collection[UUID]) -> None:
    row = db.execute(
        "SELECT mention_id FROM person_request WHERE id = %s AND kind = 'destruction' AND answered_at IS NOT NULL"
        " AND outcome IN ('granted', 'partly')",
        (request_id,),
    ).fetchone()
    if row is None or row["mention_id"] not in mentions:
        raise Conflict("Dit verzoek om vernietiging is niet toegewezen.")


def _refuse_open_requests(db: Db, mentions: Sequence[UUID], request_id: UUID | None) -> None:
    waits = db.execute(
        "SELECT FROM person_request WHERE mention_id = ANY(%s) AND answered_at IS NULL AND id IS DISTINCT FROM %s"
        " LIMIT 1",
        (list(mentions), request_id),
    ).fetchone()
    if waits is not None:
        raise Conflict("Beantwoord eerst het andere verzoek van deze persoon.")


def _insert(
    db: Db,
    scope: str,
    subject: UUID,
    mentions: Sequence[UUID],
    reports: Sequence[UUID],
    ground: str,
    reason: str,
    request_id: UUID | None,
    by: str,
    at: datetime,
) -> UUID:
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom dit vernietigd wordt.")
    row = db.execute(
        "SELECT region_id, report_id FROM mention WHERE id = %(id)s UNION SELECT region_id, id FROM report WHERE"
        " id = %(id)s",
        {"id": subject},
    ).fetchone()
    if row is None:
        raise NotFound
    waits = db.execute(
        "SELECT FROM destruction_order WHERE executed_at IS NULL AND stopped_at IS NULL"
        " AND (mentions && %s::uuid[] OR reports && %s::uuid[]) LIMIT 1",
        (list(mentions), list(reports)),
    ).fetchone()
    if waits is not None:
        raise Conflict("Er wacht al een voorstel om dit te vernietigen.")
    order = uuid7()
    db.execute(
        "INSERT INTO destruction_order (id, region_id, report_id, scope, ground, request_id, mentions, reports,"
        " reason,"
        " proposed_at, proposed_by) VALUES (%s, %s, %s, %s, %s, %s, %s::uuid[], %s::uuid[], %s, %s, %s)",
        (
            order,
            row["region_id"],
            row["report_id"],
            scope,
            ground,
            request_id,
            list(mentions),
            list(reports),
            reason.strip(),
            at,
            by,
        ),
    )
    details = {"scope": scope, "ground": ground, "mentions": len(mentions), "reports": len(reports)}
    audit.append(db, row["region_id"], by, "destruction.propose", "destruction_order", order, details)
    return order


def _locked(db: Db, order_id: UUID) -> Row:
    row = db.execute("SELECT * FROM destruction_order WHERE id = %s FOR UPDATE", (order_id,)).fetchone()
    if row is None:
        raise NotFound
    return row


def _open(db: Db, order_id: UUID) -> Row:
    order = _locked(db, order_id)
    if order["confirmed_at"] is not None or order["stopped_at"] is not None:
        raise Conflict("Deze vernietiging is al bevestigd of gestopt.")
    return order
