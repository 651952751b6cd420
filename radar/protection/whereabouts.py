"""Secret whereabouts: who is protected, since when and why, and how that ends (security.md D1, requirement 4).

A person is protected by a member of staff, or by a sign in a message at receipt. From then on every mention of him,
now and later, stands in the vault with whatever tells where he is (radar.protection.settling).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core import audit, jobs
from core.database import Db, Row, now
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from intake import protected
from radar.protection import settling

JOB = "settle_whereabouts"
ALONG = "Heeft hetzelfde adres of telefoonnummer als iemand die is afgeschermd"
_OPEN = """
SELECT p.*, m.report_id, m.number FROM protection p JOIN mention m ON m.id = p.mention_id WHERE p.lifted_at IS NULL
"""


def protect(
    db: Db, mention_id: UUID, reason: str, *, by: str, at: datetime, look_again_on: date | None = None
) -> UUID:
    """Protect the person of this mention, everywhere; gives the id of the protection.

    `look_again_on`: when somebody must look whether it is still needed; it never ends by itself. Raises
    ReasonMissing, NotFound; Conflict when a member of staff protects him already.
    """
    if not reason.strip():
        raise ReasonMissing
    row = db.execute(
        "SELECT m.region_id, m.report_id, l.person_id FROM mention m LEFT JOIN link l ON l.mention_id = m.id"
        " AND l.state IN ('new', 'automatic', 'confirmed') WHERE m.id = %s FOR UPDATE OF m",
        (mention_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    known = db.execute(
        "SELECT id FROM protection WHERE lifted_at IS NULL AND cause = 'staff'"
        " AND (mention_id = %s OR person_id = %s)",
        (mention_id, row["person_id"]),
    ).fetchone()
    if known:
        raise Conflict("Deze persoon is al afgeschermd.")
    protection = uuid7()
    db.execute(
        "INSERT INTO protection (id, region_id, mention_id, person_id, cause, reason, set_by, set_at, look_again_on)"
        " VALUES (%s, %s, %s, %s, 'staff', %s, %s, %s, %s)",
        (protection, row["region_id"], mention_id, row["person_id"], reason.strip(), by, at, look_again_on),
    )
    _take_along(db, protection, by, at)
    details = {"protection": str(protection), "mention": str(mention_id)}
    audit.append(db, row["region_id"], by, "whereabouts.protect", "report", row["report_id"], details)
    settling.settle(db, [row["report_id"]], by=by, at=at)
    jobs.ask_again(db, row["region_id"], JOB, row["report_id"])
    return protection


def _take_along(db: Db, protection_id: UUID, by: str, at: datetime) -> None:
    """Protect who has the same address or phone in this report too: what is said of them later would tell it."""
    row = _locked(db, protection_id)
    _, said = settling.opened(db, row["report_id"])
    numbers = list(said)
    along = protected.sharing(list(said.values()), {numbers.index(row["number"])})
    for number in sorted(numbers[one] for one in along):
        db.execute(
            "INSERT INTO protection (id, region_id, mention_id, person_id, with_id, cause, reason, set_by, set_at)"
            " SELECT %s, m.region_id, m.id, l.person_id, %s, 'sign', %s, %s, %s FROM mention m"
            " LEFT JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')"
            " WHERE m.report_id = %s AND m.number = %s AND NOT EXISTS"
            " (SELECT FROM protection p WHERE p.mention_id = m.id AND p.lifted_at IS NULL)",
            (uuid7(), protection_id, ALONG, by, at, row["report_id"], number),
        )


def ask_lift(db: Db, protection_id: UUID, why: str, *, by: str, at: datetime) -> None:
    """Say that a protection is no longer needed; it ends when a second person agrees.

    Raises ReasonMissing, NotFound.
    """
    if not why.strip():
        raise ReasonMissing
    row = _locked(db, protection_id)
    db.execute(
        "UPDATE protection SET lift_asked_by = %s, lift_asked_at = %s, lift_why = %s WHERE id = %s",
        (by, at, why.strip(), protection_id),
    )
    _audit(db, row, by, "whereabouts.ask_lift")


def keep(db: Db, protection_id: UUID, *, by: str, at: datetime, look_again_on: date | None = None) -> None:
    """The second person does not agree: it stays, and the question is taken back. Raises NotFound."""
    row = _locked(db, protection_id)
    db.execute(
        "UPDATE protection SET lift_asked_by = NULL, lift_asked_at = NULL, lift_why = NULL,"
        " look_again_on = coalesce(%s, look_again_on) WHERE id = %s",
        (look_again_on, protection_id),
    )
    _audit(db, row, by, "whereabouts.keep")


def lift(db: Db, protection_id: UUID, *, by: str, at: datetime) -> None:
    """Agree that it is no longer needed: everything comes back exactly, unless something else protects him as well.

    Raises NotFound; Conflict when nobody asked for it; NotAllowed when it was the same person.
    """
    row = _locked(db, protection_id)
    if row["lift_asked_by"] is None:
        raise Conflict("Niemand heeft gevraagd om deze afscherming te beëindigen.")
    if row["lift_asked_by"] == by:
        raise NotAllowed("Een ander dan wie het vroeg, beslist of de afscherming eindigt.")
    ended = db.execute(
        "UPDATE protection SET lifted_by = %s, lifted_at = %s, lift_asked_by = %s, lift_asked_at = %s, lift_why = %s"
        " WHERE lifted_at IS NULL AND (id = %s OR with_id = %s) RETURNING mention_id, person_id",
        (by, at, row["lift_asked_by"], row["lift_asked_at"], row["lift_why"], protection_id, protection_id),
    ).fetchall()
    _audit(db, row, by, "whereabouts.lift")
    persons = {one["person_id"] for one in ended} | {
        one["person_id"]
        for one in db.execute(
            "SELECT person_id FROM link WHERE mention_id = ANY(%s) AND state IN ('new', 'automatic', 'confirmed')",
            ([one["mention_id"] for one in ended],),
        )
    }
    reports = {one["report_id"] for one in db.execute(settling.REPORTS_OF, (list(persons - {None}),))}
    settling.settle(db, {row["report_id"], *reports}, by=by, at=at)
    jobs.ask_again(db, row["region_id"], JOB, row["report_id"])


def everywhere(db: Db, report_id: UUID) -> None:
    """The worker's part: also the reports on these persons that whoever protected them may not see himself."""
    persons = [
        row["person_id"]
        for row in db.execute(
            "SELECT l.person_id FROM mention m JOIN link l ON l.mention_id = m.id"
            " AND l.state IN ('new', 'automatic', 'confirmed') WHERE m.report_id = %s",
            (report_id,),
        )
    ]
    settling.after_move(db, report_id, persons, by="system", at=now(db))


def scan(db: Db, region: UUID, after: UUID, limit: int) -> tuple[UUID | None, int]:
    """Look for signs in reports from before signs were looked for, or from an old system, behind the id `after`.

    Gives where to go on (None: that was all) and how many persons are protected from now on. Who was ever protected
    is passed over: there a person decided.
    """
    rows = db.execute(
        "SELECT r.id, r.content, (SELECT jsonb_agg(jsonb_build_array(m.id, m.person) ORDER BY m.number)"
        " FROM mention m WHERE m.report_id = r.id) AS persons FROM report r WHERE r.region_id = %s AND r.id > %s"
        " AND NOT EXISTS (SELECT FROM protection p JOIN mention m ON m.id = p.mention_id WHERE m.report_id = r.id)"
        " ORDER BY r.id LIMIT %s",
        (region, after, limit),
    ).fetchall()
    at, count = now(db), 0
    for row in rows:
        mentions = row["persons"] or []
        for number, why in protected.protected([person for _, person in mentions], row["content"]).items():
            db.execute(
                "INSERT INTO protection (id, region_id, mention_id, cause, reason, set_by, set_at)"
                " VALUES (%s, %s, %s, 'sign', %s, 'system', %s)",
                (uuid7(), region, mentions[number][0], "; ".join(why), at),
            )
            count += 1
            settling.settle(db, [row["id"]], by="system", at=at)
    return (rows[-1]["id"] if rows else None), count


@dataclass(frozen=True, slots=True)
class Protected:
    """A person in a report whose whereabouts are in the vault.

    Without `protections` he shares an address or phone number with somebody who has them.
    """

    mention_id: UUID
    number: int
    person: Mapping[str, Any]
    protections: tuple[Row, ...]


def of_report(db: Db, region: UUID, report_id: UUID) -> list[Protected]:
    """Who is protected in this report, in order, each with why. The whereabouts themselves are not told."""
    rows = db.execute(
        "SELECT m.id, m.number, m.person, l.person_id FROM mention m LEFT JOIN link l ON l.mention_id = m.id"
        " AND l.state IN ('new', 'automatic', 'confirmed') WHERE m.region_id = %s AND m.report_id = %s"
        " ORDER BY m.number",
        (region, report_id),
    ).fetchall()
    persons = [row["person_id"] for row in rows if row["person_id"]]
    who = {"persons": persons, "mentions": [row["id"] for row in rows]}
    why = db.execute(
        f"WITH who AS ({settling.PROTECTED}) SELECT w.person_id AS whose, p.* FROM who w JOIN protection p"  # noqa: S608
        " ON p.lifted_at IS NULL AND p.mention_id = w.mention_id ORDER BY p.set_at, p.id",
        who,
    ).fetchall()
    found = []
    for row in rows:
        own = {
            one["id"]: one
            for one in why
            if one["mention_id"] == row["id"]
            or (row["person_id"] and row["person_id"] in (one["whose"], one["person_id"]))
        }
        if own or hides(row["person"]):
            found.append(Protected(row["id"], row["number"], row["person"], tuple(own.values())))
    return found


def is_protected(db: Db, mention_id: UUID) -> bool:
    """Whether the whereabouts of this person are secret."""
    row = db.execute("SELECT person, blind FROM mention WHERE id = %s", (mention_id,)).fetchone()
    return row is not None and (row["blind"] is not None or hides(row["person"]))


def hides(person: Mapping[str, Any]) -> bool:
    """Whether something of this stored person is in the vault."""
    text = json.dumps(person, ensure_ascii=False)
    return protected.IN_TEXT in text or any(f'"{marker}"' in text for marker in protected.MARKERS)


def is_hidden(db: Db, report_id: UUID) -> bool:
    """Whether something of this report is in the vault: then its raw message is no free reading either."""
    return db.execute("SELECT FROM whereabouts WHERE report_id = %s", (report_id,)).fetchone() is not None


def look_again(db: Db, region: UUID, today: date) -> list[Row]:
    """The protections that somebody must look at again, and those of which the end was asked; oldest first."""
    return db.execute(
        _OPEN + " AND p.region_id = %s AND (p.look_again_on <= %s OR p.lift_asked_at IS NOT NULL)"
        " ORDER BY p.look_again_on, p.id",
        (region, today),
    ).fetchall()


def _locked(db: Db, protection_id: UUID) -> Row:
    row = db.execute(_OPEN + " AND p.id = %s FOR UPDATE OF p", (protection_id,)).fetchone()
    if row is None:
        raise NotFound
    return row


def _audit(db: Db, row: Row, by: str, action: str) -> None:
    details = {"protection": str(row["id"]), "mention": str(row["mention_id"])}
    audit.append(db, row["region_id"], by, action, "report", row["report_id"], details)
