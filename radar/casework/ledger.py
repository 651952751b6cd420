"""The ledger of terms: each due date follows from its entries, and each entry names the rule or day that moved it.

An entry is never edited. An extension that is taken back is another entry, and the date is counted again from those
that hold: as if it had never been. A passed term is shown; it closes, locks and rejects nothing (rule 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row
from core.deadlines import Term
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from radar.casework import terms
from radar.casework.terms import Length, Readings


class WrongExtension(VeiligError):
    """Deze termijn kan zo niet worden verlengd."""

    status = 400


def start(
    db: Db,
    kind: str,
    subjects: Sequence[UUID],
    report_id: UUID,
    *,
    starts_on: date,
    by: str,
    at: datetime,
    reason: str,
    length: Length | None = None,
) -> Readings:
    """Begin this term for each subject, once: a subject that has it already keeps it. Gives its readings.

    `length` replaces both readings, for what is agreed or planned per case. Raises NotFound.
    """
    counted = terms.readings(kind, starts_on, length=length)
    report = db.execute("SELECT region_id FROM report WHERE id = %s", (report_id,)).fetchone()
    if report is None:
        raise NotFound
    values = _dates(counted) | {
        "ids": [uuid7() for _ in subjects],
        "subjects": list(subjects),
        "region": report["region_id"],
        "kind": kind,
        "report": report_id,
        "at": at,
        "by": by,
        "reason": reason,
        "starts_on": starts_on,
    }
    db.execute(
        "WITH begun AS (INSERT INTO deadline (id, region_id, kind, subject_id, report_id, norm_due_on, legal_due_on,"
        " due_at) SELECT one.id, %(region)s, %(kind)s, one.subject, %(report)s, %(norm)s, %(legal)s, %(due_at)s"
        " FROM unnest(%(ids)s::uuid[], %(subjects)s::uuid[]) AS one (id, subject)"
        " ON CONFLICT (kind, subject_id) DO NOTHING RETURNING id)"
        " INSERT INTO deadline_entry (deadline_id, number, at, actor, reason, norm_due_on, legal_due_on, due_at, "
        " steps, starts_on) SELECT id, 1, %(at)s, %(by)s, %(reason)s, %(norm)s, %(legal)s, %(due_at)s, %(steps)s,"
        " %(starts_on)s FROM begun",
        values,
    )
    return counted


def extend(db: Db, deadline_id: UUID, weeks: int, *, reason: str, by: str, at: datetime) -> Readings:
    """Lengthen a term by so many weeks, each time anew ("telkens", Wmo 2015 art. 5.3.1).

    Raises NotFound, ReasonMissing, WrongExtension (too long, too often, or this kind cannot), Conflict (met or fallen
    away).
    """
    deadline = _open(db, deadline_id)
    kind = terms.kind(deadline["kind"])
    at_most = kind.extension_weeks
    if not at_most:
        raise WrongExtension("Deze termijn kan niet worden verlengd.")
    if kind.extensions is not None and len(_extensions(db, deadline_id)) >= kind.extensions:
        raise WrongExtension("Deze termijn is al verlengd. Vaker mag niet.")
    if not 1 <= weeks <= at_most:
        again = "" if kind.extensions else " Daarna kunt u opnieuw verlengen."
        raise WrongExtension(f"Verleng met 1 tot en met {at_most} weken.{again}")
    return _add(db, deadline, {"kind": "extension", "weeks": weeks}, reason, by, at)


def withdraw(db: Db, deadline_id: UUID, number: int, *, reason: str, by: str, at: datetime) -> Readings:
    """Take the extension with this entry number back: the date becomes as if it had never been.

    Raises NotFound, ReasonMissing, Conflict when there is no such extension in force.
    """
    deadline = _open(db, deadline_id)
    if number not in dict(_extensions(db, deadline_id)):
        raise Conflict("Deze verlenging is er niet (meer).")
    return _add(db, deadline, {"kind": "withdrawal", "withdraws": number}, reason, by, at)


def meet(db: Db, kind: str, subject: UUID, at: datetime) -> bool:
    """What was due is done; False when it was done before or never due. Late is as good as in time here."""
    row = db.execute(
        "UPDATE deadline SET met_at = %s"
        " WHERE kind = %s AND subject_id = %s AND met_at IS NULL AND dropped_at IS NULL",
        (at, kind, subject),
    )
    return row.rowcount == 1


def drop(db: Db, kind: str, subject: UUID, *, why: str, at: datetime) -> bool:
    """The term fell away, with a reason; it counts nowhere from then on. False when nothing was open."""
    row = db.execute(
        "UPDATE deadline SET dropped_at = %s, dropped_why = %s"
        " WHERE kind = %s AND subject_id = %s AND met_at IS NULL AND dropped_at IS NULL",
        (at, why, kind, subject),
    )
    return row.rowcount == 1


def resume(db: Db, kind: str, subject: UUID) -> bool:
    """A term that fell away by mistake stands again, at its own date; False when it had not fallen away."""
    row = db.execute(
        "UPDATE deadline SET dropped_at = NULL, dropped_why = NULL"
        " WHERE kind = %s AND subject_id = %s AND dropped_at IS NOT NULL",
        (kind, subject),
    )
    return row.rowcount == 1


def find(db: Db, region: UUID, kind: str, subject: UUID) -> Row | None:
    """One term: id, kind, subject_id, report_id, both dates, due_at, met_at, dropped_at, dropped_why."""
    return db.execute(
        "SELECT id, kind, subject_id, report_id, norm_due_on, legal_due_on, due_at, met_at, dropped_at, dropped_why"
        " FROM deadline WHERE region_id = %s AND kind = %s AND subject_id = %s",
        (region, kind, subject),
    ).fetchone()


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every term of a report, the nearest first, with its entries as `entries` (a list, first to last).

    Who it is about: `person` (as named in the report), else `about` (a team, or the number of a moment) or
    `with_kind` (who a contact was with; an informant and a reporter are not named here).
    """
    return db.execute(
        "SELECT d.id, d.kind, d.subject_id, d.norm_due_on, d.legal_due_on, d.due_at, d.met_at, d.dropped_at,"
        " d.dropped_why, (SELECT jsonb_agg(jsonb_build_object('number', e.number, 'at', e.at, 'actor', e.actor,"
        "   'reason', e.reason, 'kind', e.kind, 'weeks', e.weeks, 'withdraws', e.withdraws, 'due_at', e.due_at,"
        "   'steps', e.steps) ORDER BY e.number) FROM deadline_entry e WHERE e.deadline_id = d.id) AS entries,"
        " m.person, coalesce(t.name, 'moment ' || o.number) AS about, c.with_kind"
        " FROM deadline d LEFT JOIN person_request q ON q.id = d.subject_id"
        " LEFT JOIN contact c ON c.id = d.subject_id LEFT JOIN monitoring_moment o ON o.id = d.subject_id"
        " LEFT JOIN handover h ON h.id = d.subject_id LEFT JOIN team t ON t.id = h.team_id"
        " LEFT JOIN mention m ON m.id = coalesce(q.mention_id, c.mention_id, d.subject_id)"
        " WHERE d.region_id = %s AND d.report_id = %s"
        " ORDER BY d.met_at IS NOT NULL OR d.dropped_at IS NOT NULL, d.due_at, d.id",
        (region, report_id),
    ).fetchall()


def _open(db: Db, deadline_id: UUID) -> Row:
    row = db.execute("SELECT * FROM deadline WHERE id = %s FOR UPDATE", (deadline_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["met_at"] is not None or row["dropped_at"] is not None:
        raise Conflict("Deze termijn loopt niet meer.")
    return row


def _extensions(db: Db, deadline_id: UUID) -> list[tuple[int, int]]:
    """The extensions in force: entry number and weeks, in order."""
    rows = db.execute(
        "SELECT number, weeks FROM deadline_entry e WHERE deadline_id = %s AND kind = 'extension'"
        " AND NOT EXISTS (SELECT FROM deadline_entry w WHERE w.deadline_id = e.deadline_id"
        " AND w.withdraws = e.number) ORDER BY number",
        (deadline_id,),
    )
    return [(row["number"], row["weeks"]) for row in rows]


def _add(db: Db, deadline: Row, entry: dict[str, Any], reason: str, by: str, at: datetime) -> Readings:
    """Add an entry and count the date again from all that hold."""
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom de termijn verandert.")
    first = db.execute(
        "SELECT steps, (SELECT count(*) FROM deadline_entry WHERE deadline_id = %(id)s) AS entries"
        " FROM deadline_entry WHERE deadline_id = %(id)s AND number = 1",
        {"id": deadline["id"]},
    ).fetchone()
    if first is None or not {"norm", "legal"} <= first["steps"].keys():
        raise WrongExtension("Deze termijn kan niet worden verlengd.")
    in_force = _extensions(db, deadline["id"])
    if entry["kind"] == "extension":
        weeks = (*(length for _, length in in_force), entry["weeks"])
    else:
        weeks = tuple(length for number, length in in_force if number != entry["withdraws"])
    # From the first entry as it was written: another calendar or another file of terms moves nothing on its own.
    begun = Readings(*(Term.from_json(first["steps"][reading]) for reading in ("norm", "legal")))
    counted = terms.lengthened(begun, weeks)
    values = _dates(counted) | {
        "id": deadline["id"],
        "number": first["entries"] + 1,
        "at": at,
        "by": by,
        "reason": reason.strip(),
        "kind": entry["kind"],
        "weeks": entry.get("weeks"),
        "withdraws": entry.get("withdraws"),
    }
    db.execute(
        "INSERT INTO deadline_entry (deadline_id, number, at, actor, reason, norm_due_on, legal_due_on, due_at,"
        " steps, kind, weeks, withdraws) VALUES (%(id)s, %(number)s, %(at)s, %(by)s, %(reason)s, %(norm)s, %(legal)s,"
        " %(due_at)s, %(steps)s, %(kind)s, %(weeks)s, %(withdraws)s)",
        values,
    )
    db.execute(
        "UPDATE deadline SET norm_due_on = %(norm)s, legal_due_on = %(legal)s, due_at = %(due_at)s WHERE id = %(id)s",
        values,
    )
    details = {"kind": deadline["kind"], "entry": entry["kind"], "number": values["number"]}
    audit.append(db, deadline["region_id"], by, "deadline.move", "deadline", deadline["id"], details)
    return counted


def _dates(counted: Readings) -> dict[str, Any]:
    return {
        "norm": counted.norm.due_on,
        "legal": counted.legal.due_on,
        "due_at": counted.due_at,
        "steps": Jsonb({"norm": counted.norm.to_json(), "legal": counted.legal.to_json()}),
    }
