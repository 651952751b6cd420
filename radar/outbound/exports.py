"""Files that a member of staff takes along: each a row at the gate; many rows at once need a second person (D12)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid5

from core.database import Db
from core.deadlines import local_day
from radar.outbound import gate, release
from radar.outbound.kinds import rules

SPACE = UUID("6d0a5c1e-7b7e-4b0f-9f43-2f1d3f0a7c11")
"""The name space of the ids below: the same question on the same day is the same export."""
SECOND = (
    "Dit zijn {rows} regels. Boven {most} moet een tweede persoon dit vrijgeven, bij Uitgaand."
    " Haal het bestand daarna vandaag nog op, met dezelfde vraag."
)


def take_out(
    db: Db,
    region: UUID,
    staff_id: UUID,
    question: str,
    content: bytes,
    *,
    rows: int,
    parts: Collection[str],
    by: str,
    at: datetime,
) -> bytes | None:
    """The bytes, for this member, when they may leave; None while a second person must agree, or the gate held it.

    `question` says which rows they are, without personal data beyond ids; `rows` is how many. What was agreed counts
    for that question on that day.
    """
    bulk = rows > rules().limits.export_rows
    subject = uuid5(SPACE, f"{region}:{staff_id}:{question}:{local_day(at)}:{bulk}")
    made = release.propose(
        db,
        kind="export",
        subject=subject,
        report_id=None,
        region=region,
        recipient=("staff", staff_id),
        parts=parts,
        rows_in_it=rows,
        by=by,
        at=at,
    )
    row = release.required(db, "export", subject)
    if row["state"] == "proposed" and row["released_by"] is None:
        release.release_or_hold(db, made, by=by, at=at)
    return gate.pass_out(db, "export", subject, content, by=by, at=at)


def refusal(rows: int) -> str:
    """What is said to who must wait."""
    return SECOND.format(rows=rows, most=rules().limits.export_rows)
