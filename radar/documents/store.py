"""The stored versions: adding one that passed its checks, and putting one in force, by a second person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row
from core.documents import Kind, Version, read_edition
from core.errors import Conflict, NotFound, ReasonMissing, SettingsError, VeiligError
from core.ids import uuid7
from core.version import VERSION
from radar.documents import faults
from radar.documents.catalogue import ALL, Described

MAX_TEXT = 60_000
"""Characters of one document: it goes through a form."""
MAX_REASON = 1000
_STAMP_TOML = re.compile(r'^version\s*=\s*("[^"\n]*"|\'[^\'\n]*\')', re.MULTILINE)
_STAMP_JSON = re.compile(r'"version"\s*:\s*"[^"\n]*"')
FILE = "file"
"""How the built-in version is named where a version is chosen."""


class WrongDocument(VeiligError):
    """Deze versie klopt niet."""

    status = 400

    def __init__(self, found: Sequence[faults.Fault] = ()) -> None:
        super().__init__(" ".join(one.sentence for one in found) or None)
        self.faults = list(found)


class SecondPerson(Conflict):
    """U hebt deze versie zelf gemaakt. Vraag een collega om haar te bekijken en in gebruik te nemen."""


class DocumentDoesNotFit(VeiligError):
    """A version in force cannot be read by this program."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A version as the list of its kind shows it. `activated`: how many times it was put in force."""

    version: Version
    made_by: str
    made_at: datetime
    note: str
    activated: int
    in_force: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A kind as the list shows it: what is in force, and what waits for a second person."""

    described: Described
    version: Version | None
    name: str
    """The name of the version in force, as it stands in the document."""
    source: str
    verified: bool | None
    """False: the document itself says that something in it was not checked. None: it says nothing about that."""
    since: datetime | None
    waiting: int


def find(code: str) -> Described:
    """A kind by its code. Raises NotFound."""
    try:
        return ALL[code]
    except KeyError:
        raise NotFound from None


def place_of(one: Described, region: UUID) -> UUID | None:
    """The region that its versions belong to; None: the whole installation."""
    return region if one.kind.per_region else None


def in_force(db: Db, region: UUID, one: Described) -> Version | None:
    """The version in force by the database now; None: the file."""
    return read_edition(db).in_force.get(one.kind.place(region))


def stored(db: Db, region: UUID, one: Described, number: int) -> Stored:
    """A version by its number. Raises NotFound."""
    for found in versions(db, region, one):
        if found.version.number == number:
            return found
    raise NotFound


def versions(db: Db, region: UUID, one: Described) -> list[Stored]:
    """Every stored version of a kind, newest first."""
    current = in_force(db, region, one)
    rows = db.execute(
        "SELECT d.*, (SELECT count(*) FROM document_activation a WHERE a.document_id = d.id) AS activated"
        " FROM document d WHERE kind = %s AND region_id IS NOT DISTINCT FROM %s ORDER BY number DESC",
        (one.code, place_of(one, region)),
    ).fetchall()
    return [
        Stored(
            Version(row["id"], row["number"], row["content"]),
            row["made_by"],
            row["made_at"],
            row["note"],
            row["activated"],
            current is not None and row["id"] == current.id,
        )
        for row in rows
    ]


def history(db: Db, region: UUID, one: Described) -> list[Row]:
    """What was in force, newest first: number (None: the file), activated_by, activated_at, reason, rehearsal."""
    return db.execute(
        "SELECT d.number, a.activated_by, a.activated_at, a.reason, a.rehearsal FROM document_activation a"
        " LEFT JOIN document d ON d.id = a.document_id"
        " WHERE a.kind = %s AND a.region_id IS NOT DISTINCT FROM %s ORDER BY a.number DESC",
        (one.code, place_of(one, region)),
    ).fetchall()


def listing(db: Db, region: UUID) -> list[Listed]:
    """Every kind, with what is in force in this region."""
    edition = read_edition(db)
    rows = db.execute(
        "SELECT DISTINCT ON (kind, region_id) kind, region_id, activated_at FROM document_activation"
        " ORDER BY kind, region_id, number DESC"
    ).fetchall()
    since = {(row["kind"], row["region_id"]): row["activated_at"] for row in rows}
    newer = db.execute(
        "SELECT kind, region_id, count(*) AS waiting FROM document d WHERE NOT EXISTS"
        " (SELECT FROM document_activation a WHERE a.document_id = d.id)"
        " AND number > coalesce((SELECT max(o.number) FROM document o"
        "   JOIN document_activation a ON a.document_id = o.id"
        "   WHERE o.kind = d.kind AND o.region_id IS NOT DISTINCT FROM d.region_id), 0) GROUP BY kind, region_id"
    ).fetchall()
    waiting = {(row["kind"], row["region_id"]): row["waiting"] for row in newer}
    found = []
    for one in ALL.values():
        place = one.kind.place(region)
        version = edition.in_force.get(place)
        name, source, sure = _says_of_itself(one.kind, version.text if version else one.kind.built_in())
        found.append(Listed(one, version, name, source, sure, since.get(place), waiting.get(place, 0)))
    return found


@lru_cache(maxsize=256)
def _says_of_itself(kind: Kind[Any], text: str) -> tuple[str, str, bool | None]:
    """The name of a version, its source, and whether it was verified; kept, for the list asks it of every kind."""
    table = kind.table(text)
    return str(table.get("version", "")), str(table.get("source") or ""), verified(table)


def verified(value: Any) -> bool | None:
    """What a document says of itself: False when anything in it was not checked, None when it says nothing."""
    if isinstance(value, dict):
        said = [value["verified"]] if isinstance(value.get("verified"), bool) else []
        said += [one for inner in value.values() if (one := verified(inner)) is not None]
    elif isinstance(value, list):
        said = [one for inner in value if (one := verified(inner)) is not None]
    else:
        return None
    return all(said) if said else None


def add(db: Db, region: UUID, code: str, text: str, note: str, *, by: str, at: datetime) -> Version:
    """Store a version, not in force yet; it gets a name of its own, so that what is made with it can be told.

    Raises NotFound, WrongDocument (a sentence per fault), ReasonMissing; Conflict when nothing differs.
    """
    one = find(code)
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff\n ") + "\n"
    if len(text) > MAX_TEXT:
        raise WrongDocument([faults.Fault(f"Dit is te lang: hoogstens {MAX_TEXT} tekens.")])
    if wrong := faults.of(one.kind, text):
        raise WrongDocument(wrong)
    if not note.strip():
        raise ReasonMissing("Schrijf op wat er anders is en waarom.")
    _wait_for_turn(db, code)
    current = in_force(db, region, one)
    before = one.kind.table(current.text if current else one.kind.built_in())
    if {**one.kind.table(text), "version": ""} == {**before, "version": ""}:
        raise Conflict("Er is niets anders dan in de versie die nu geldt.")
    row = db.execute(
        "SELECT coalesce(max(number), 0) + 1 AS number FROM document"
        " WHERE kind = %s AND region_id IS NOT DISTINCT FROM %s",
        (code, place_of(one, region)),
    ).fetchone()
    number: int = row["number"] if row else 1
    stamped = _stamped(one, text, f"{at:%Y-%m}-d{number}")
    if wrong := faults.of(one.kind, stamped):
        raise WrongDocument(wrong)
    made = Version(uuid7(), number, stamped)
    db.execute(
        "INSERT INTO document (id, region_id, kind, number, content, made_by, made_at, note, checked_with)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (made.id, place_of(one, region), code, number, stamped, by, at, note.strip()[:MAX_REASON], VERSION),
    )
    audit.append(db, region, by, "documents.add", "document", made.id, {"kind": code, "number": number})
    return made


def activate(
    db: Db,
    region: UUID,
    code: str,
    number: int | None,
    reason: str,
    *,
    against: int | None,
    shown: Sequence[str],
    by: str,
    at: datetime,
) -> None:
    """Put a version in force (None: the file); every process follows within seconds.

    `against` is the version that was in force when the consequences (`shown`) were looked at. Raises NotFound,
    ReasonMissing, WrongDocument when this program cannot read it (any more), SecondPerson; Conflict when it is in
    force already, or another one came meanwhile.
    """
    one = find(code)
    _wait_for_turn(db, code)
    current = in_force(db, region, one)
    wanted = stored(db, region, one, number) if number is not None else None
    if (current.id if current else None) == (wanted.version.id if wanted else None):
        raise Conflict("Deze versie geldt al.")
    if (current.number if current else None) != against:
        raise Conflict("Er is ondertussen een andere versie in gebruik genomen. Bekijk opnieuw wat er verandert.")
    if wanted and wanted.made_by == by and not wanted.activated:
        raise SecondPerson
    if not reason.strip():
        raise ReasonMissing("Schrijf op waarom u deze versie in gebruik neemt.")
    if wanted and (wrong := faults.of(one.kind, wanted.version.text)):
        raise WrongDocument(wrong)
    row = db.execute(
        "SELECT coalesce(max(number), 0) + 1 AS number FROM document_activation"
        " WHERE kind = %s AND region_id IS NOT DISTINCT FROM %s",
        (code, place_of(one, region)),
    ).fetchone()
    activation = uuid7()
    db.execute(
        "INSERT INTO document_activation (id, region_id, kind, number, document_id, before_id, activated_by,"
        " activated_at, reason, rehearsal) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            activation,
            place_of(one, region),
            code,
            row["number"] if row else 1,
            wanted.version.id if wanted else None,
            current.id if current else None,
            by,
            at,
            reason.strip()[:MAX_REASON],
            Jsonb(list(shown)),
        ),
    )
    details = {"kind": code, "number": number, "before": against}
    audit.append(db, region, by, "documents.activate", "document", wanted.version.id if wanted else None, details)


def require_fit(db: Db) -> None:
    """Stop before a migration when this program cannot read a version in force. Raises DocumentDoesNotFit."""
    row = db.execute("SELECT to_regclass('document_activation') AS there").fetchone()
    if row is None or row["there"] is None:
        return
    for (code, _), version in read_edition(db).in_force.items():
        try:
            if code in ALL:
                ALL[code].kind.of(version)
        except SettingsError as error:
            raise DocumentDoesNotFit(
                f"This version of the program cannot read {code}, version {version.number}, which is in force."
                f" {error.message} Nothing was changed. The remedy: with the program that you had, add a version that"
                f" fits or go back to the file (`veilig documents activate {code} {FILE}`), and migrate again."
            ) from None


def _stamped(one: Described, text: str, name: str) -> str:
    pattern, written = (
        (_STAMP_JSON, f'"version": "{name}"') if one.kind.is_json else (_STAMP_TOML, f'version = "{name}"')
    )
    stamped = pattern.sub(lambda _: written, text, count=1)
    if one.kind.table(stamped).get("version") != name:
        said = "Zet bovenaan een eigen regel met de versie, zoals in de versie die nu geldt."
        raise WrongDocument([faults.Fault(said)])
    return stamped


def _wait_for_turn(db: Db, code: str) -> None:
    """Two who add or activate the same kind at once take turns, until the end of their transactions."""
    db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"document.{code}",))
