"""The demo region: invented municipalities, teams, logins and senders. Every step is safe to repeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from core import audit
from core.calendar import ONE_DAY
from core.database import Db
from core.errors import SettingsError
from core.ids import uuid7
from core.staff import ensure_demo_staff
from intake import senders

NAME = "Veilig Thuis Voorbeeldstreek"
OIN = "00000099000000002000"
APPLICATION = "VTINTAKE"
SINCE = date(2000, 1, 1)
MERGER = date(2025, 1, 1)
"""On this day Zandmeer became a part of Merendijk: its line in the table is closed, not removed."""
TEAMS = ("Team Noord", "Team Zuid")
PHONE = "088 000 00 00"
MUNICIPALITIES = {
    "9901": "Voorbeeldstad",
    "9902": "Eikenwaard",
    "9903": "Merendijk",
    "9904": "Zandmeer",
    "9905": "Zilverhoek",
}
"""Invented municipalities with codes that RvIG table 33 does not have; Zandmeer went into Merendijk."""
PARTNERS = {
    "Politie eenheid Voorbeeld": "police",
    "Raad voor de Kinderbescherming Voorbeeld": "child_protection_board",
    "MDA++ Voorbeeldstreek": "multidisciplinary",
    "Veilig Thuis Naburig": "other_region",
}
"""Whom else a report can be offered to, or told."""


class NotADemo(SettingsError):
    """Deze database heeft al een eigen regio. De demo maakt logins met bekende wachtwoorden en komt daar niet bij."""


@dataclass(frozen=True, slots=True)
class Area:
    """One line of the service table: which team of ours and which local team an invented place has, and when."""

    municipality: str
    places: tuple[str, ...]
    postcodes: tuple[int, int]
    team: str
    partner: str
    valid_from: date = SINCE
    valid_to: date | None = None


AREAS = (
    Area("Voorbeeldstad", ("Voorbeeldstad", "Oud-Voorbeeld"), (1230, 1244), "Team Noord", "Wijkteam Voorbeeldstad"),
    Area("Eikenwaard", ("Eikenwaard", "Klein Eiken"), (1245, 1254), "Team Noord", "Lokaal team Eikenwaard"),
    Area("Merendijk", ("Merendijk",), (1255, 1259), "Team Zuid", "Lokaal team Merendijk"),
    Area("Zandmeer", ("Zandmeer",), (1260, 1264), "Team Zuid", "Sociaal team Zandmeer", valid_to=date(2024, 12, 31)),
    Area("Merendijk", ("Zandmeer",), (1260, 1264), "Team Zuid", "Lokaal team Merendijk", valid_from=MERGER),
    Area("Zilverhoek", ("Zilverhoek", "Achterzilver"), (1265, 1274), "Team Zuid", "Buurtteam Zilverhoek"),
)


@dataclass(frozen=True, slots=True)
class DemoSender:
    """A sender of the demo, and by which door it sends."""

    oin: str
    name: str
    kind: str
    institution: str
    door: str


SENDERS = {
    sender.kind: sender
    for sender in (
        DemoSender("00000099000000001000", "Politie eenheid Voorbeeld", "politie", "PL9900", "corv"),
        DemoSender("00000099000000003000", "Halt Voorbeeldstreek", "halt", "HALT99", "corv"),
        DemoSender("00000099000000004000", "Scholengroep De Voorbeelden", "onderwijs", "SGV99", "json"),
        DemoSender("00000099000000005000", "Ziekenhuis Voorbeeldstad", "zorg", "ZVS99", "json"),
    )
}


def find_region(db: Db) -> UUID | None:
    """The demo region, if it is there."""
    row = db.execute("SELECT id FROM region WHERE oin = %s AND name = %s", (OIN, NAME)).fetchone()
    return row["id"] if row else None


def ensure_region(db: Db, at: datetime | None = None) -> UUID:
    """The demo region with its teams, service table and logins; makes what is missing, in one transaction.

    `at` is the moment of its making, and so the end of its invented history; None is now, by the database's clock.
    Raises NotADemo when the database has a region of its own.
    """
    with db.transaction():
        # Two first runs at once make one region.
        db.execute("LOCK TABLE region IN SHARE ROW EXCLUSIVE MODE")
        region = find_region(db)
        if db.execute("SELECT id FROM region WHERE id IS DISTINCT FROM %s LIMIT 1", (region,)).fetchone():
            raise NotADemo
        if region is None:
            region = uuid7()
            db.execute(
                "INSERT INTO region (id, name, oin, application, phone, legal_form, created_at)"
                " VALUES (%s, %s, %s, %s, %s, 'stichting', coalesce(%s, now()))",
                (region, NAME, OIN, APPLICATION, PHONE, at),
            )
            audit.append(db, region, "system", "region.add", "region", region)
            _fill_service_table(db, region)
            _fill_municipalities(db, region)
        ensure_demo_staff(db, region)
    return region


def _fill_municipalities(db: Db, region: UUID) -> None:
    for code, name in MUNICIPALITIES.items():
        merged = name == "Zandmeer"
        db.execute(
            "INSERT INTO municipality (id, region_id, code, name, valid_from, valid_until, successor)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (uuid7(), region, code, name, SINCE, MERGER - ONE_DAY if merged else None, "9903" if merged else None),
        )


def _fill_service_table(db: Db, region: UUID) -> None:
    teams = {name: _team(db, region, name, "veilig_thuis") for name in TEAMS}
    for name, kind in PARTNERS.items():
        _team(db, region, name, kind)
    for area in AREAS:
        if area.partner not in teams:
            teams[area.partner] = _team(db, region, area.partner, "local_team", area.valid_to)
        ends = (area.valid_from, area.valid_to)
        for number, place in enumerate(area.places):
            # The range stands on one line; the other places of the municipality are known by name.
            postcodes = area.postcodes if number == 0 else (None, None)
            db.execute(
                "INSERT INTO service_area (id, region_id, municipality, place, postcode_from, postcode_to, team_id,"
                " partner_id, valid_from, valid_to) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    uuid7(),
                    region,
                    area.municipality,
                    place,
                    *postcodes,
                    teams[area.team],
                    teams[area.partner],
                    *ends,
                ),
            )


def _team(db: Db, region: UUID, name: str, kind: str, valid_to: date | None = None) -> UUID:
    team = uuid7()
    db.execute(
        "INSERT INTO team (id, region_id, name, kind, valid_from, valid_to) VALUES (%s, %s, %s, %s, %s, %s)",
        (team, region, name, kind, SINCE, valid_to),
    )
    if kind != "veilig_thuis":
        db.execute(
            "INSERT INTO partner_check (id, region_id, team_id, verified_until, domain, domain_until, mailbox, how,"
            " checked_at, checked_by) VALUES (%s, %s, %s, now() + interval '1 year', 'partner.example',"
            " now() + interval '1 year', 'postbus@partner.example', 'Demo: verzonnen controle', %s, 'system')",
            (uuid7(), region, team, SINCE),
        )
    return team


def ensure_senders(db: Db, region_id: UUID) -> dict[str, str | None]:
    """The senders of the demo by kind, with the token of each new one, shown only now; None when it was there."""
    known = {row["oin"] for row in senders.listing(db, region_id)}
    return {
        kind: None if one.oin in known else senders.add(db, region_id, one.oin, one.name, one.kind)
        for kind, one in SENDERS.items()
    }
