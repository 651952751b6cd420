"""Holds: what is kept although its term passed or its person asked, with a reason, and looked at again on a day.

A complaint, a court case, or the interest of somebody else (a sister, a brother). Without a hold nothing is kept
longer.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7

KINDS: dict[str, str] = {
    "complaint": "Klacht",
    "court": "Zaak bij de rechter",
    "other_person": "Belang van een ander (zus, broer, ouder)",
    "other": "Anders",
}


class WrongHold(VeiligError):
    """Kies waarom het bewaard blijft."""

    status = 400


class WrongReview(VeiligError):
    """Vul een dag in waarop iemand hier opnieuw naar kijkt: na vandaag, en niet na de einddag."""

    status = 400


def place(
    db: Db,
    report_id: UUID,
    kind: str,
    reason: str,
    *,
    review_on: date,
    until: date | None = None,
    mention_id: UUID | None = None,
    by: str,
    at: datetime,
) -> UUID:
    """Keep the data of this person, or everything in this report (`mention_id` None); gives the hold.

    Raises WrongHold, ReasonMissing, WrongReview, NotFound.
    """
    if kind not in KINDS:
        raise WrongHold
    if not reason.strip():
        raise ReasonMissing("Schrijf in een zin waarom dit bewaard blijft.")
    if review_on <= local_day(at) or (until is not None and not review_on <= until):
        raise WrongReview
    row = db.execute(
        "SELECT r.region_id, m.id AS mention FROM report r LEFT JOIN mention m ON m.report_id = r.id AND m.id = %s"
        " WHERE r.id = %s",
        (mention_id, report_id),
    ).fetchone()
    if row is None or row["mention"] != mention_id:
        raise NotFound
    hold = uuid7()
    db.execute(
        "INSERT INTO retention_hold (id, region_id, report_id, mention_id, kind, reason, until, review_on, set_at,"
        " set_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (hold, row["region_id"], report_id, mention_id, kind, reason.strip(), until, review_on, at, by),
    )
    audit.append(db, row["region_id"], by, "hold.place", "report", report_id, {"hold": str(hold), "kind": kind})
    return hold


def end(db: Db, hold_id: UUID, why: str, *, by: str, at: datetime) -> None:
    """It need not be kept for this any more. Raises NotFound, ReasonMissing, Conflict."""
    row = db.execute("SELECT * FROM retention_hold WHERE id = %s FOR UPDATE", (hold_id,)).fetchone()
    if row is None:
        raise NotFound
    if not why.strip():
        raise ReasonMissing
    if row["ended_at"] is not None:
        raise Conflict("Deze blokkade is al voorbij.")
    db.execute(
        "UPDATE retention_hold SET ended_at = %s, ended_by = %s, ended_why = %s WHERE id = %s",
        (at, by, why.strip(), hold_id),
    )
    audit.append(db, row["region_id"], by, "hold.end", "report", row["report_id"], {"hold": str(hold_id)})


def stands(db: Db, mentions: Collection[UUID], reports: Collection[UUID]) -> bool:
    """Whether a hold or an open objection keeps one of these persons or files."""
    row = db.execute("SELECT NOT no_hold(%s::uuid[], %s::uuid[]) AS held", (list(mentions), list(reports))).fetchone()
    return bool(row and row["held"])


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The holds on a report and on persons in it, those in force first."""
    return db.execute(
        "SELECT h.*, m.person FROM retention_hold h LEFT JOIN mention m ON m.id = h.mention_id"
        " WHERE h.region_id = %s AND h.report_id = %s ORDER BY h.ended_at IS NOT NULL, h.set_at, h.id",
        (region, report_id),
    ).fetchall()


def to_review(db: Db, region: UUID, today: date) -> list[Row]:
    """The holds of a region that somebody must look at again today or before, oldest first."""
    return db.execute(
        "SELECT h.*, m.person FROM retention_hold h LEFT JOIN mention m ON m.id = h.mention_id WHERE h.region_id = %s"
        " AND h.ended_at IS NULL AND h.review_on <= %s ORDER BY h.review_on, h.id LIMIT 200",
        (region, today),
    ).fetchall()
