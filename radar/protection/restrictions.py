"""Restricted persons (verhoogd vertrouwelijk): their reports are seen by the contact and by who was named.

Which reports that are follows the links by itself, and so does who gets the work (migration 0012). Lifting needs two
persons. A grant is for one member and ends by date.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import end_of_day, local_day
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing, VeiligError
from core.ids import uuid7
from radar.protection import grants

CASEWORK = ("intake_worker", "assessor", "behavioural_scientist", "trusted_physician", "team_lead")
"""Who works on cases, and so can be a contact or be let in."""
KEEPERS = ("team_lead", "privacy_officer")
"""Who restricts, lifts and lets somebody in, besides the contact."""
LONGEST = timedelta(days=90)
"""A grant lasts at most so long; OWN choice, no norm says."""


class WrongDay(VeiligError):
    """Kies een dag vanaf vandaag, hoogstens 90 dagen verder."""

    status = 400


class WrongColleague(VeiligError):
    """Kies een collega die hier aan zaken werkt en deze zaak mag zien."""

    status = 400


def person_of(db: Db, region: UUID, mention_id: UUID) -> UUID:
    """Who this mention is. Raises NotFound; Conflict when it was not linked yet."""
    row = db.execute(
        "SELECT l.person_id FROM mention m LEFT JOIN link l ON l.mention_id = m.id"
        " AND l.state IN ('new', 'automatic', 'confirmed') WHERE m.region_id = %s AND m.id = %s",
        (region, mention_id),
    ).fetchone()
    if row is None:
        raise NotFound
    if row["person_id"] is None:
        raise Conflict("Deze persoon is nog niet vergeleken met bekende personen. Probeer het over een minuut weer.")
    person: UUID = row["person_id"]
    return person


def restrict(
    db: Db, region: UUID, mention_id: UUID, *, contact: UUID, reason: str, by: str, role: str, at: datetime
) -> UUID:
    """Restrict the person whom this mention is. Gives the restriction.

    Raises NotFound; NotAllowed; ReasonMissing; WrongColleague; Conflict when he is restricted already.
    """
    if role not in KEEPERS:
        raise NotAllowed
    person = person_of(db, region, mention_id)
    if not reason.strip():
        raise ReasonMissing
    _refuse_colleague(db, region, contact, person)
    restriction = uuid7()
    made = db.execute(
        "INSERT INTO restriction (id, region_id, person_id, contact_staff_id, reason, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (restriction, region, person, contact, reason.strip(), by, at),
    )
    if made.rowcount != 1:
        raise Conflict("Het dossier van deze persoon is al afgeschermd.")
    details = {"person": str(person), "contact": str(contact)}
    audit.append(db, region, by, "restriction.set", "restriction", restriction, details)
    return restriction


def new_contact(
    db: Db, region: UUID, restriction_id: UUID, contact: UUID, *, by: str, role: str, at: datetime
) -> None:
    """Another contact; the work of who no longer sees it goes along. Raises NotFound, NotAllowed, WrongColleague."""
    row = _locked(db, region, restriction_id, role)
    _refuse_colleague(db, region, contact, row["person_id"])
    db.execute("UPDATE restriction SET contact_staff_id = %s WHERE id = %s", (contact, restriction_id))
    audit.append(db, region, by, "restriction.contact", "restriction", restriction_id, {"contact": str(contact)})


def ask_to_lift(db: Db, region: UUID, restriction_id: UUID, *, reason: str, by: str, role: str, at: datetime) -> None:
    """The first of two persons. Raises NotFound, NotAllowed, ReasonMissing; Conflict when somebody asked already."""
    row = _locked(db, region, restriction_id, role)
    if not reason.strip():
        raise ReasonMissing
    if row["lift_asked_by"]:
        raise Conflict("Een collega heeft dit al voorgesteld.")
    db.execute(
        "UPDATE restriction SET lift_asked_at = %s, lift_asked_by = %s, lift_asked_why = %s WHERE id = %s",
        (at, by, reason.strip(), restriction_id),
    )
    audit.append(db, region, by, "restriction.lift_ask", "restriction", restriction_id)


def lift(db: Db, region: UUID, restriction_id: UUID, *, by: str, role: str, at: datetime) -> None:
    """The second person. Its grants end with it. Raises NotFound; NotAllowed, also for who asked; Conflict."""
    row = _asked(db, region, restriction_id, by, role)
    db.execute(
        "UPDATE restriction SET lifted_at = %s, lifted_by = %s, lifted_why = lift_asked_why WHERE id = %s",
        (at, by, restriction_id),
    )
    for grant in running_grants(db, region, row["person_id"], at):
        grants.end(db, grant["id"], by=by, at=at)
    audit.append(db, region, by, "restriction.lift", "restriction", restriction_id)


def keep(db: Db, region: UUID, restriction_id: UUID, *, by: str, role: str, at: datetime) -> None:
    """The second person says no, or who asked takes it back: it stays. Raises NotFound, NotAllowed, Conflict."""
    if not _locked(db, region, restriction_id, role)["lift_asked_by"]:
        raise Conflict("Niemand heeft voorgesteld om dit op te heffen.")
    db.execute(
        "UPDATE restriction SET lift_asked_at = NULL, lift_asked_by = NULL, lift_asked_why = NULL WHERE id = %s",
        (restriction_id,),
    )
    audit.append(db, region, by, "restriction.keep", "restriction", restriction_id)


def let_in(
    db: Db,
    region: UUID,
    restriction_id: UUID,
    staff_id: UUID,
    *,
    until: date,
    purpose: str,
    reason: str,
    by: str,
    member: UUID,
    role: str,
    at: datetime,
) -> UUID:
    """Let a colleague in, until the end of a day; `member` is who does it. Gives the grant.

    Raises NotFound; NotAllowed for who is no contact of it and no keeper; WrongDay; WrongColleague; ReasonMissing;
    grants.PurposeMissing.
    """
    row = _open(db, region, restriction_id)
    if role not in KEEPERS and row["contact_staff_id"] != member:
        raise NotAllowed
    if not local_day(at) <= until <= local_day(at + LONGEST):
        raise WrongDay
    _refuse_colleague(db, region, staff_id, row["person_id"])
    minutes = int((end_of_day(until) - at).total_seconds() // 60)
    return grants.give(
        db,
        region,
        staff_id,
        "restricted",
        person_id=row["person_id"],
        purpose=purpose,
        reason=reason,
        by=by,
        at=at,
        minutes=max(1, minutes),
    )


def put_out(
    db: Db, region: UUID, restriction_id: UUID, grant_id: UUID, *, by: str, member: UUID, role: str, at: datetime
) -> None:
    """End a colleague's access before its day. Raises NotFound, NotAllowed, Conflict."""
    row = _open(db, region, restriction_id)
    if role not in KEEPERS and row["contact_staff_id"] != member:
        raise NotAllowed
    if grant_id not in {grant["id"] for grant in running_grants(db, region, row["person_id"], at)}:
        raise NotFound
    grants.end(db, grant_id, by=by, at=at)


def away(db: Db, region: UUID, staff_id: UUID, until: date | None, *, by: str, at: datetime) -> None:
    """Somebody is away up to and with this day (None: he is there). What is restricted goes to a team lead meanwhile.

    Raises NotFound; WrongDay for a day that is over.
    """
    if until is not None and until < local_day(at):
        raise WrongDay("Kies een dag vanaf vandaag.")
    row = db.execute("SELECT set_away(%s, %s) AS done", (staff_id, until)).fetchone()
    if row is None or not row["done"]:
        raise NotFound
    audit.append(db, region, by, "staff.away", "staff", staff_id, {"until": until.isoformat() if until else None})


def hand_on_work(db: Db, at: datetime) -> int:
    """For the clock: give open work on what is restricted to who can do it now; how much it was."""
    row = db.execute("SELECT restricted_work() AS moved").fetchone()
    return int(row["moved"]) if row else 0


def running(db: Db, region: UUID) -> list[Row]:
    """The restrictions in force that the reader may know of, oldest first, with contact and number of reports."""
    return db.execute(
        "SELECT x.*, s.name AS contact, s.active, s.away_until, is_away(s.away_until) AS away,"
        " restricted_count(x.id) AS reports FROM restriction x JOIN staff s ON s.id = x.contact_staff_id"
        " WHERE x.region_id = %s AND x.lifted_at IS NULL ORDER BY x.set_at, x.id",
        (region,),
    ).fetchall()


def running_grants(db: Db, region: UUID, person_id: UUID, at: datetime) -> list[Row]:
    """Who is let in to this person's reports at `at`, with name and reason."""
    return db.execute(
        "SELECT g.id, g.kind, g.staff_id, s.name, g.reason, g.granted_by, g.granted_at, g.until"
        " FROM access_grant g JOIN staff s ON s.id = g.staff_id"
        " WHERE g.region_id = %s AND g.person_id = %s AND g.kind = 'restricted' AND g.ended_at IS NULL"
        " AND g.until > %s ORDER BY s.name, g.id",
        (region, person_id, at),
    ).fetchall()


def caseworkers(db: Db, region: UUID) -> list[Row]:
    """Who can be a contact or be let in, by name."""
    return db.execute(
        "SELECT id, name, role FROM staff WHERE region_id = %s AND active AND role = ANY(%s) ORDER BY name, id",
        (region, list(CASEWORK)),
    ).fetchall()


def _open(db: Db, region: UUID, restriction_id: UUID) -> Row:
    row = db.execute(
        "SELECT * FROM restriction WHERE id = %s AND region_id = %s AND lifted_at IS NULL", (restriction_id, region)
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def _locked(db: Db, region: UUID, restriction_id: UUID, role: str) -> Row:
    if role not in KEEPERS:
        raise NotAllowed
    _open(db, region, restriction_id)
    db.execute("SELECT FROM restriction WHERE id = %s FOR UPDATE", (restriction_id,))
    return _open(db, region, restriction_id)


def _asked(db: Db, region: UUID, restriction_id: UUID, by: str, role: str) -> Row:
    row = _locked(db, region, restriction_id, role)
    if not row["lift_asked_by"]:
        raise Conflict("Eerst stelt een collega voor om dit op te heffen.")
    if row["lift_asked_by"] == by:
        raise NotAllowed("U hebt dit zelf voorgesteld. Een tweede persoon beslist.")
    return row


def _refuse_colleague(db: Db, region: UUID, staff_id: UUID, person_id: UUID) -> None:
    row = db.execute(
        "SELECT is_excluded_from(id, %(person)s) AS excluded FROM staff"
        " WHERE id = %(staff)s AND region_id = %(region)s AND active AND role = ANY(%(roles)s)",
        {"person": person_id, "staff": staff_id, "region": region, "roles": list(CASEWORK)},
    ).fetchone()
    if row is None or row["excluded"]:
        raise WrongColleague
