"""Exclusions: who knows somebody in a case sees nothing of it, and an organisation where he works gets nothing of it.

It is about a person and so follows him from report to report, also where he is only asked about. It works at once,
for what the database shows (visit_hidden), for who gets work, and for what is offered to a partner. Security.md D10.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from radar.protection.restrictions import KEEPERS, person_of

SELF = "Zelf gezegd: dit gaat over iemand die ik ken."


def know_them(db: Db, region: UUID, mention_ids: list[UUID], *, member: UUID, by: str, at: datetime) -> int:
    """A member says of himself that he knows these persons; how many were new. Raises NotFound, Conflict."""
    persons = {person_of(db, region, mention) for mention in mention_ids}
    return sum(_exclude(db, region, person, member, None, SELF, by, at) is not None for person in persons)


def exclude(
    db: Db,
    region: UUID,
    mention_id: UUID,
    *,
    staff: UUID | None = None,
    team: UUID | None = None,
    reason: str,
    by: str,
    role: str,
    at: datetime,
) -> UUID:
    """Exclude a colleague, or an organisation, from the person whom this mention is. Gives the exclusion.

    Raises NotFound; NotAllowed; ReasonMissing; Conflict when it is so already.
    """
    if role not in KEEPERS:
        raise NotAllowed
    if not reason.strip():
        raise ReasonMissing
    person = person_of(db, region, mention_id)
    known = db.execute(
        "SELECT FROM staff WHERE region_id = %(region)s AND id = %(staff)s"
        " UNION ALL SELECT FROM team WHERE region_id = %(region)s AND id = %(team)s AND kind <> 'veilig_thuis'",
        {"region": region, "staff": staff, "team": team},
    ).fetchall()
    if len(known) != 1:
        raise Conflict("Kies één collega of één organisatie uit de lijst.")
    made = _exclude(db, region, person, staff, team, reason.strip(), by, at)
    if made is None:
        raise Conflict("Deze uitsluiting staat er al.")
    return made


def lift(
    db: Db, region: UUID, exclusion_id: UUID, *, reason: str, by: str, member: UUID, role: str, at: datetime
) -> None:
    """It no longer holds. Nobody lifts his own. Raises NotFound, NotAllowed, ReasonMissing."""
    row = db.execute(
        "SELECT * FROM exclusion WHERE id = %s AND region_id = %s AND lifted_at IS NULL FOR UPDATE",
        (exclusion_id, region),
    ).fetchone()
    if row is None:
        raise NotFound
    if role not in KEEPERS or row["staff_id"] == member:
        raise NotAllowed
    if not reason.strip():
        raise ReasonMissing
    db.execute(
        "UPDATE exclusion SET lifted_at = %s, lifted_by = %s, lifted_why = %s WHERE id = %s",
        (at, by, reason.strip(), exclusion_id),
    )
    audit.append(db, region, by, "exclusion.lift", "exclusion", exclusion_id)


def running(db: Db, region: UUID) -> list[Row]:
    """The exclusions in force that the reader may know of, newest first; `who` is the colleague or organisation."""
    return db.execute(
        "SELECT e.*, coalesce(s.name, t.name) AS who FROM exclusion e LEFT JOIN staff s ON s.id = e.staff_id"
        " LEFT JOIN team t ON t.id = e.team_id WHERE e.region_id = %s AND e.lifted_at IS NULL"
        " ORDER BY e.set_at DESC, e.id",
        (region,),
    ).fetchall()


def _exclude(
    db: Db, region: UUID, person: UUID, staff: UUID | None, team: UUID | None, reason: str, by: str, at: datetime
) -> UUID | None:
    exclusion = uuid7()
    made = db.execute(
        "INSERT INTO exclusion (id, region_id, staff_id, team_id, person_id, reason, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (exclusion, region, staff, team, person, reason, by, at),
    )
    if made.rowcount != 1:
        return None
    details = {"person": str(person), "staff": str(staff) if staff else None, "team": str(team) if team else None}
    audit.append(db, region, by, "exclusion.set", "exclusion", exclusion, details)
    return exclusion
