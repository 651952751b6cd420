"""What a person concerned says himself: his own statement, a correction, and a stop on the use of his data.

Nothing overwrites what a sender said: it stands beside it, with its source and its date.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import Conflict, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from radar.rights import requests


class TextMissing(VeiligError):
    """Schrijf op wat de persoon zelf verklaart."""

    status = 400


class CorrectionMissing(VeiligError):
    """Vul in wat er anders moet, hoe het moet zijn, en hoe u dat weet."""

    status = 400


class WrongDate(VeiligError):
    """Vul een dag in die niet in de toekomst ligt."""

    status = 400


def state(db: Db, request_id: UUID, text: str, said_on: date, *, by: str, at: datetime) -> UUID:
    """Add the person's own statement to the file and answer the request: it is never refused; gives its id.

    Raises NotFound, NotVerified, Conflict, TextMissing, WrongDate.
    """
    row = requests.verified(db, request_id, "statement")
    if not text.strip():
        raise TextMissing
    if said_on > local_day(at):
        raise WrongDate
    made = uuid7()
    db.execute(
        "INSERT INTO own_statement (id, region_id, report_id, mention_id, request_id, text, said_on, at, actor)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (made, row["region_id"], row["report_id"], row["mention_id"], request_id, text.strip(), said_on, at, by),
    )
    audit.append(db, row["region_id"], by, "statement.add", "mention", row["mention_id"], {"statement": str(made)})
    requests.close(db, request_id, "granted", "De verklaring is bij de melding gevoegd.", by=by, at=at)
    return made


def correct(
    db: Db,
    request_id: UUID,
    *,
    what: str,
    said: str,
    becomes: str,
    source: str,
    since: date,
    by: str,
    at: datetime,
) -> UUID:
    """Put a new version beside what was recorded, on a request that is being decided; gives its id.

    `what`: which piece; `said`: as it was recorded, `becomes`: as it is; `source`: how we know; `since`: from which
    day
    it holds. Raises NotFound, NotVerified, Conflict, CorrectionMissing, WrongDate.
    """
    row = requests.verified(db, request_id, "correction")
    if not (what.strip() and becomes.strip() and source.strip()):
        raise CorrectionMissing
    if since > local_day(at):
        raise WrongDate
    made = uuid7()
    db.execute(
        "INSERT INTO correction (id, region_id, report_id, mention_id, request_id, what, said, becomes, source,"
        " since,"
        " at, actor) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            made,
            row["region_id"],
            row["report_id"],
            row["mention_id"],
            request_id,
            what.strip(),
            said.strip(),
            becomes.strip(),
            source.strip(),
            since,
            at,
            by,
        ),
    )
    audit.append(db, row["region_id"], by, "correction.add", "mention", row["mention_id"], {"correction": str(made)})
    return made


def stop_use(db: Db, request: Row, *, by: str, at: datetime) -> None:
    """Nothing on this person goes out from now on (AVG art. 18). To be called when that request is granted."""
    db.execute(
        "INSERT INTO use_stop (id, region_id, report_id, mention_id, request_id, reason, since, set_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            uuid7(),
            request["region_id"],
            request["report_id"],
            request["mention_id"],
            request["id"],
            request["reason"],
            at,
            by,
        ),
    )
    audit.append(db, request["region_id"], by, "use.stop", "mention", request["mention_id"])


def resume_use(db: Db, stop_id: UUID, why: str, *, by: str, at: datetime) -> None:
    """The stop ends; the person is told before (AVG art. 18 lid 3). Raises NotFound, ReasonMissing, Conflict."""
    if not why.strip():
        raise ReasonMissing
    row = db.execute("SELECT * FROM use_stop WHERE id = %s FOR UPDATE", (stop_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["lifted_at"] is not None:
        raise Conflict("Deze beperking is al voorbij.")
    db.execute(
        "UPDATE use_stop SET lifted_at = %s, lifted_by = %s, lifted_why = %s WHERE id = %s",
        (at, by, why.strip(), stop_id),
    )
    audit.append(db, row["region_id"], by, "use.resume", "mention", row["mention_id"])


def stopped(db: Db, report_id: UUID) -> list[Row]:
    """The stops in force on persons of this report, also those asked for in another report about the same person.

    Each: id, mention_id, since, reason. The door out asks this before anything leaves.
    """
    return db.execute(
        "SELECT DISTINCT s.id, m.id AS mention_id, s.since, s.reason FROM mention m JOIN use_stop s"
        " ON s.lifted_at IS NULL AND s.region_id = m.region_id AND (s.mention_id = m.id OR EXISTS ("
        "   SELECT FROM link a JOIN link b ON b.person_id = a.person_id WHERE a.mention_id = m.id"
        "   AND b.mention_id = s.mention_id AND a.state IN ('new', 'automatic', 'confirmed')"
        "   AND b.state IN ('new', 'automatic', 'confirmed'))) WHERE m.report_id = %s",
        (report_id,),
    ).fetchall()


def of_report(db: Db, region: UUID, report_id: UUID) -> dict[str, list[Row]]:
    """What stands beside the file of a report: `statements` and `corrections` with the person, and `stops`."""
    values = (region, report_id)
    return {
        "statements": db.execute(
            "SELECT s.*, m.person, m.number FROM own_statement s JOIN mention m ON m.id = s.mention_id"
            " WHERE s.region_id = %s AND s.report_id = %s ORDER BY s.at, s.id",
            values,
        ).fetchall(),
        "corrections": db.execute(
            "SELECT c.*, m.person, m.number FROM correction c JOIN mention m ON m.id = c.mention_id"
            " LEFT JOIN person_request q ON q.id = c.request_id"
            " WHERE c.region_id = %s AND c.report_id = %s AND (q.id IS NULL OR q.outcome IN ('granted', 'partly')"
            "   AND q.answered_at IS NOT NULL) ORDER BY c.at, c.id",
            values,
        ).fetchall(),
        "stops": stopped(db, report_id),
    }
