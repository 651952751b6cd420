"""The log as people read it: of one person (AVG 15) or colleague, chronological, same-kind lines of a day merged.

Whose data a line is about follows from the links as they are now: when a link is corrected, the log of a person is
corrected with it. The lines themselves hold ids and never change (NEN 7513 ch. 9; security.md §4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from core.database import Db, Row
from core.deadlines import AMSTERDAM, local_day
from core.errors import NotFound
from core.events import Event, event_of
from core.staff import ROLES

SYSTEM = "het systeem"
REPORTER = "de afzender van de melding"
"""Never by name: a log that is given to a person concerned may not tell who reported."""
OPERATOR = "beheer"
OBJECTS = {
    "report": "melding",
    "case": "casus",
    "link": "koppeling",
    "mention": "betrokkene",
    "queue": "wachtrij",
    "letter": "brief",
    "handover": "overdracht",
    "request": "verzoek",
    "search": "zoekvraag",
    "quarantine": "quarantaine",
    "message": "bericht",
    "staff": "medewerker",
    "task": "taak",
    "deadline": "termijn",
    "service": "traject",
}


@dataclass(frozen=True, slots=True)
class Period:
    """From a day up to and with a day, in the Netherlands; None is without that bound."""

    first: date | None = None
    last: date | None = None

    @property
    def since(self) -> datetime:
        return _midnight(self.first) if self.first else datetime(2000, 1, 1, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        return _midnight(self.last + timedelta(days=1)) if self.last else datetime(9000, 1, 1, tzinfo=UTC)


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody did with one thing on one day, once or more often."""

    day: date
    first: datetime
    last: datetime
    who: str
    event: Event
    object_kind: str
    object_id: UUID | None
    report_id: UUID | None
    outcome: str
    purpose: str
    times: int


def of_person(db: Db, region: UUID, whose: UUID, period: Period = ALWAYS) -> list[Row]:
    """The lines about one person, one mention or one report, oldest first. Raises NotFound when there is none."""
    return _lines(db, region, period, ids=subjects(db, region, whose))


def of_staff(db: Db, region: UUID, staff_id: UUID, period: Period = ALWAYS) -> list[Row]:
    """The lines of what one colleague did, also of before lines knew the colleague. Raises NotFound."""
    row = db.execute("SELECT username FROM staff WHERE id = %s AND region_id = %s", (staff_id, region)).fetchone()
    if row is None:
        raise NotFound
    return _lines(db, region, period, staff=staff_id, username=row["username"])


def of_origin(db: Db, region: UUID, origin: str, period: Period = ALWAYS) -> list[Row]:
    """The lines of what was done from one network address."""
    return _lines(db, region, period, origin=origin)


def of_period(db: Db, region: UUID, period: Period) -> list[Row]:
    """All lines of a period."""
    return _lines(db, region, period)


def subjects(db: Db, region: UUID, whose: UUID) -> list[UUID]:
    """The ids under which the lines about a person, a mention or a report stand. Raises NotFound."""
    found = [row["id"] for row in db.execute("SELECT id FROM log_subjects(%s, %s) AS id", (region, whose))]
    if not found:
        raise NotFound
    return found


def merged(rows: Iterable[Row], names: Mapping[UUID, str] | None, organisation: str) -> list[Entry]:
    """Lines of the same person, kind, thing, purpose and outcome on one day as one, in the order of the first.

    `names` tells colleagues by name; None: by role and organisation, as a person concerned may be told.
    """
    found: dict[tuple[object, ...], Entry] = {}
    for row in rows:
        event, day = event_of(row["action"]), local_day(row["at"])
        who = _who(row, names, organisation)
        key = (day, row["staff_id"] or row["actor"], who, event, row["object_id"], row["purpose"], row["outcome"])
        if key in found:
            found[key] = replace(found[key], last=row["at"], times=found[key].times + 1)
            continue
        found[key] = Entry(
            day=day,
            first=row["at"],
            last=row["at"],
            who=who,
            event=event,
            object_kind=OBJECTS.get(row["object_kind"], ""),
            object_id=row["object_id"],
            report_id=row["object_id"] if row["object_kind"] == "report" else row["report_id"],
            outcome=row["outcome"],
            purpose=row["purpose"] or "",
            times=1,
        )
    return list(found.values())


def names_of(db: Db, region: UUID) -> dict[UUID, str]:
    """The colleagues of a region by id, also who left."""
    rows = db.execute("SELECT id, name FROM staff WHERE region_id = %s", (region,)).fetchall()
    return {row["id"]: row["name"] for row in rows}


def organisation_of(db: Db, region: UUID) -> str:
    """The name of the organisation."""
    row = db.execute("SELECT name FROM region WHERE id = %s", (region,)).fetchone()
    return str(row["name"]) if row else ""


def _lines(
    db: Db,
    region: UUID,
    period: Period,
    ids: list[UUID] | None = None,
    staff: UUID | None = None,
    username: str | None = None,
    origin: str | None = None,
) -> list[Row]:
    return db.execute(
        "SELECT * FROM log_lines(%s, %s::uuid[], %s, %s, %s, %s, %s) ORDER BY at, chain, number",
        (region, ids, staff, username, origin, period.since, period.until),
    ).fetchall()


def _who(row: Row, names: Mapping[UUID, str] | None, organisation: str) -> str:
    actor = row["actor"]
    if actor == "system":
        return SYSTEM
    if actor.startswith(("sender:", "public:")):
        return REPORTER
    if actor.startswith("partner:"):
        return f"partner {actor.removeprefix('partner:')}"
    if actor == "operator":
        return f"{OPERATOR}, {organisation}"
    if names is not None:
        return names.get(row["staff_id"], actor)
    return f"{ROLES.get(row['role'], 'medewerker')}, {organisation}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=AMSTERDAM)
