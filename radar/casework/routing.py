"""Routing: a way forward is proposed with its reason; a person decides (`decision.py`).

Acute signals first; then what already runs for the household; then what its history says; then the municipality's
table (data with validity).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.errors import NotFound
from core.ids import uuid7
from radar.casework.states import RUNNING, STATES

REPEAT_WINDOW = timedelta(days=365)
REPEAT_COUNT = 3
"""From the third report in twelve months on, Veilig Thuis keeps the case itself. OWN choice, see docs/decisions."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A way forward with its reason in Dutch; `team` is who gets it, `ours` the team of ours that assesses."""

    path: str
    team: UUID | None
    ours: UUID | None
    municipality: str | None
    reason: str


def propose(db: Db, report_id: UUID) -> Proposal:
    """Store the proposal for a linked report, once, and give the assessment task its team. Raises NotFound."""
    report = db.execute("SELECT * FROM report WHERE id = %s FOR UPDATE", (report_id,)).fetchone()
    if report is None:
        raise NotFound
    proposal = _proposal(db, report)
    inserted = db.execute(
        "INSERT INTO route (id, region_id, report_id, state, team_id, path, reason, proposed_at)"
        " VALUES (%s, %s, %s, 'proposed', %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            uuid7(),
            report["region_id"],
            report_id,
            proposal.team,
            proposal.path,
            proposal.reason,
            report["received_at"],
        ),
    )
    if inserted.rowcount:
        db.execute("UPDATE report SET municipality = %s WHERE id = %s", (proposal.municipality, report_id))
        db.execute(
            "UPDATE task SET team_id = %s WHERE kind IN ('assess', 'acute_check') AND subject_id = %s"
            " AND done_at IS NULL",
            (proposal.ours, report_id),
        )
        db.execute(
            "UPDATE cases SET team_id = %s WHERE id = %s AND team_id IS NULL", (proposal.ours, report["case_id"])
        )
        audit.append(db, report["region_id"], "system", "route.propose", "report", report_id, {"path": proposal.path})
    return proposal


def reweigh(db: Db, report_id: UUID, by: str, at: datetime) -> Proposal | None:
    """Weigh an open proposal again, now that the household of the report is another; the earlier one is kept.

    A decision of a person is never touched. Gives the new proposal, or None when nothing changes (decided, not yet
    proposed, or the same outcome). A case without a team gets ours. Raises NotFound.
    """
    report = db.execute("SELECT * FROM report WHERE id = %s FOR UPDATE", (report_id,)).fetchone()
    if report is None:
        raise NotFound
    current = db.execute("SELECT * FROM route WHERE report_id = %s AND state <> 'replaced'", (report_id,)).fetchone()
    if current is None:
        return None
    proposal = _proposal(db, report)
    db.execute("UPDATE cases SET team_id = %s WHERE id = %s AND team_id IS NULL", (proposal.ours, report["case_id"]))
    before = (current["path"], current["team_id"], current["reason"])
    if current["state"] != "proposed" or before == (proposal.path, proposal.team, proposal.reason):
        return None
    db.execute("UPDATE route SET state = 'replaced' WHERE id = %s", (current["id"],))
    db.execute(
        "INSERT INTO route (id, region_id, report_id, state, team_id, path, reason, proposed_at)"
        " VALUES (%s, %s, %s, 'proposed', %s, %s, %s, %s)",
        (uuid7(), report["region_id"], report_id, proposal.team, proposal.path, proposal.reason, at),
    )
    details = {"from": current["path"], "path": proposal.path}
    audit.append(db, report["region_id"], by, "route.reweigh", "report", report_id, details)
    return proposal


def _proposal(db: Db, report: Row) -> Proposal:
    """What the machine proposes for a report as it stands now; nothing is written."""
    persons = [
        row["person"]
        for row in db.execute("SELECT person FROM mention WHERE report_id = %s ORDER BY number", (report["id"],))
    ]
    found = area(db, report["region_id"], persons, local_day(report["received_at"]))
    return _weigh(report, found, _recent_reports(db, report), _runs_already(db, report))


def _weigh(report: Row, area: Row | None, recent: int, running: str | None) -> Proposal:
    ours = area["team_id"] if area else None
    place = area["municipality"] if area else None
    acute = [signal["text"] for signal in report["acute_signals"] if signal["level"] == "acute"]
    if acute:
        return Proposal("acute", ours, ours, place, f"Acuut: {' '.join(acute)}")
    if running:
        reason = f"In deze casus loopt al een traject: {STATES[running].lower()}. Weeg of dat nog past."
        return Proposal("join", ours, ours, place, reason)
    if recent >= REPEAT_COUNT:
        reason = f"Dit is melding {recent} over dit huishouden in twaalf maanden."
        return Proposal("conditions", ours, ours, place, reason)
    if area is None:
        reason = "Geen adres dat bij een gemeente in deze regio hoort. Kies zelf, of stuur door."
        return Proposal("investigation", None, None, None, reason)
    if area["partner_id"]:
        reason = f"Gemeente {place} hoort bij {area['partner']} (sinds {area['valid_from']:%d-%m-%Y})."
        return Proposal("handover", area["partner_id"], ours, place, reason)
    return Proposal("conditions", ours, ours, place, f"Voor gemeente {place} staat geen lokaal team in de tabel.")


def _runs_already(db: Db, report: Row) -> str | None:
    """The state of another report in the same case that has work running."""
    row = db.execute(
        "SELECT state FROM report WHERE case_id = %s AND id <> %s AND state = ANY(%s)"
        " ORDER BY received_at DESC LIMIT 1",
        (report["case_id"], report["id"], list(RUNNING)),
    ).fetchone()
    return str(row["state"]) if row else None


def _recent_reports(db: Db, report: Row) -> int:
    """How many reports this household had in the twelve months up to and with this one."""
    row = db.execute(
        "SELECT count(*) AS n FROM report WHERE household_id = %s AND received_at BETWEEN %s AND %s",
        (report["household_id"], report["received_at"] - REPEAT_WINDOW, report["received_at"]),
    ).fetchone()
    return int(row["n"]) if row else 0


def area(db: Db, region: UUID, persons: list[dict[str, Any]], day: date) -> Row | None:
    """The line of the service table that fits an address: where a person stays goes before where he is registered."""
    addresses = [address for person in persons for address in person.get("adressen", [])]
    digits = [number for address in addresses if (number := postcode_of(address)) is not None]
    places = [place.lower() for address in addresses if (place := address.get("woonplaats"))]
    lines = db.execute(
        "SELECT a.municipality, a.place, a.postcode_from, a.postcode_to, a.team_id, p.id AS partner_id, a.valid_from,"
        " a.valid_to, p.name AS partner FROM service_area a"
        " LEFT JOIN team p ON p.id = a.partner_id AND (p.valid_to IS NULL OR p.valid_to >= %(day)s)"
        " WHERE a.region_id = %(region)s AND (lower(a.place) = ANY(%(places)s)"
        " OR EXISTS (SELECT FROM unnest(%(digits)s::int[]) d WHERE d BETWEEN a.postcode_from AND a.postcode_to))",
        {"region": region, "day": day, "places": places, "digits": digits},
    ).fetchall()
    return choose(lines, addresses, day)


Line = TypeVar("Line", bound=Mapping[str, Any])


def choose(lines: Iterable[Line], addresses: Iterable[Mapping[str, Any]], day: date) -> Line | None:
    """The line that counts for the first address that any fits: by postcode before by place, the newest first.

    A line: municipality, place, postcode_from, postcode_to, valid_from, valid_to (days, both included).
    """
    valid = [one for one in lines if one["valid_from"] <= day and (one["valid_to"] is None or one["valid_to"] >= day)]
    for address in sorted(addresses, key=lambda one: one.get("soort") != "feitelijk"):
        number, place = postcode_of(address), (address.get("woonplaats") or "").lower()
        by_code = [
            one
            for one in valid
            if number is not None and one["postcode_from"] and one["postcode_from"] <= number <= one["postcode_to"]
        ]
        found = by_code or [one for one in valid if place and (one["place"] or "").lower() == place]
        if found:
            return max(found, key=lambda one: one["valid_from"])
    return None


def postcode_of(address: Mapping[str, Any]) -> int | None:
    """The digits of its postcode, when they are there."""
    digits = str(address.get("postcode", ""))[:4]
    return int(digits) if len(digits) == 4 and digits.isascii() and digits.isdecimal() else None
