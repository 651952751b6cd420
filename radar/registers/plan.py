"""What lines for a register would do: add, change, end, nothing, or an error with the sentence that says what to do.

A screen that saves one line and a file of five thousand go the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args
from uuid import UUID

from core.database import Db, Row
from radar.registers import rows
from radar.registers.kinds import TEAMS, Register
from radar.registers.typed import Names, parse, said, shown

ID = "kenmerk"
"""The column of a file that names the object itself, so that its name can change."""
Kind = Literal["new", "changed", "ended", "same", "error"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WITH_TEAM: dict[str, str] = {
    "tasks": "taken: {n}",
    "cases": "casussen: {n}",
    "watches": "zicht op veiligheid: {n}",
    "staff": "medewerkers: {n}",
    "handovers": "overdrachten zonder antwoord: {n}",
    "senders": "afzenders: {n}",
    "lines": "regels van de routering: {n}",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that becomes another, as people read it."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one line does. `number` counts from 1; `values` are the columns as they become."""

    number: int
    kind: Kind
    title: str
    object_id: UUID | None = None
    version: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)


def typed_of(register: Register, row: Mapping[str, Any], names: Names) -> dict[str, str]:
    """A line as it would be typed: for a form, a file or a draft."""
    return {one.name: shown(one, row.get(one.column), names) for one in register.fields}


def make(db: Db, region: UUID, register: Register, lines: Sequence[Mapping[str, str]]) -> list[Step]:
    """What these lines would do to the register as it is now, in their order."""
    known = rows.listing(db, region, register)
    names = rows.names(db, region)
    by_id = {str(row["id"]): row for row in known}
    by_key = {str(row[register.field(register.key).column]).casefold(): row for row in known} if register.key else {}
    seen: set[object] = set()
    found = []
    for number, line in enumerate(lines, start=1):
        wanted = line.get(ID, "").strip()
        row = by_id.get(wanted) or (by_key.get(line.get(register.key, "").strip().casefold()) if not wanted else None)
        step = _step(db, register, number, line, row, names, known)
        same = step.object_id or (line.get(register.key, "").strip().casefold() if register.key else number)
        if wanted and row is None:
            step = _wrong(step, ID, "Dit kenmerk is hier niet bekend. Laat het leeg voor een nieuwe regel.")
        elif same in seen:
            step = _wrong(step, ID, "Deze staat twee keer in de lijst. Laat er één staan.")
        seen.add(same)
        found.append(step)
    return found


def fingerprint(steps: Sequence[Step]) -> str:
    """Another one as soon as these lines would do something else than what was looked at."""
    told = [
        (step.number, step.kind, step.object_id, step.version, sorted((k, str(v)) for k, v in step.values.items()))
        for step in steps
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _step(
    db: Db,
    register: Register,
    number: int,
    line: Mapping[str, str],
    row: Row | None,
    names: Names,
    known: Sequence[Row],
) -> Step:
    parsed = parse(register, line, names)
    values, errors = parsed.values, dict(parsed.errors)
    title = _title(register, line)
    changes = tuple(
        Change(one.label, shown(one, row[one.column], names) if row else "", shown(one, values[one.column], names))
        for one in register.fields
        if values[one.column] != (row[one.column] if row else None)
    )
    for one in register.fields:
        if row and one.fixed and one.name not in errors and values[one.column] != row[one.column]:
            errors[one.name] = "Dit kunt u later niet wijzigen. Voeg een nieuwe toe."
    if changes and not errors:
        errors |= _obstacles(db, register, row, values, names, known)
    if errors:
        kind: Kind = "error"
    elif row is None:
        kind = "new"
    elif not changes:
        kind = "same"
    else:
        kind = "ended" if _ends(values) and not _ends(row) else "changed"
    return Step(
        *(number, kind, title, row["id"] if row else None, row["version"] if row else 0, values, changes, errors)
    )


def _title(register: Register, line: Mapping[str, str]) -> str:
    if register.path != "routering":
        return line.get("naam", "").strip() or line.get(register.key, "").strip()
    codes = f"{line.get('postcode_van', '')}-{line.get('postcode_tot', '')}".strip("-")
    return ", ".join(part for part in (line.get("gemeente", ""), line.get("plaats", ""), codes) if part)


def _wrong(step: Step, name: str, text: str) -> Step:
    return Step(step.number, "error", step.title, None, 0, step.values, (), {**step.errors, name: text})


def _ends(values: Mapping[str, Any]) -> date | None:
    return values.get("valid_to") or values.get("valid_until")


def _obstacles(
    db: Db, register: Register, row: Row | None, values: Mapping[str, Any], names: Names, known: Sequence[Row]
) -> dict[str, str]:
    """What stands in the way though each field by itself is right."""
    if register.table == "team":
        return _of_team(db, register, row, values, names)
    if register.path == "routering":
        return {
            name: text
            for name in ("team", "partner")
            if (text := _too_short(names, values[register.field(name).column], values))
        }
    return {}


def _of_team(db: Db, register: Register, row: Row | None, values: Mapping[str, Any], names: Names) -> dict[str, str]:
    mine = row["id"] if row else None
    for team, name in (*names.ours.items(), *names.partners.items()):
        if team != mine and name.casefold() == values["name"].casefold():
            return {"naam": "Deze naam is al van een ander team of een andere partner. Kies een andere naam."}
    end, successor = values["valid_to"], values.get("successor_id")
    if successor is not None:
        if successor == mine:
            return {"opvolger": "Kies een ander team: dit team zelf eindigt."}
        last = names.days[successor][1]
        if end is None:
            return {"geldig_tot": "Vul de laatste dag in, of laat leeg wie het werk overneemt."}
        if last is not None and last <= end:
            return {"opvolger": "Kies een team dat na die dag nog bestaat."}
    if row is None or end is None or (end, successor) == (row["valid_to"], row.get("successor_id")):
        return {}
    load = rows.team_load(db, row["id"])
    if load["last_line"] and load["last_line"] > end.isoformat():
        return {
            "geldig_tot": "De routering wijst na die dag nog naar dit team. Geef die regels eerst een ander team"
            " of een laatste dag."
        }
    if register is TEAMS:
        if successor is None and any(load[part] for part in ("tasks", "cases", "watches", "staff")):
            return {"opvolger": said("Kies wie het werk overneemt. Bij dit team ligt nu: {load}.", load=still(load))}
    elif load["handovers"] or load["watches"]:
        return {
            "geldig_tot": said(
                "Bij deze partner ligt nog: {load}. Laat de behandelaar dat eerst terugnemen of ergens anders"
                " onderbrengen.",
                load=still(load),
            )
        }
    return {}


def still(load: Mapping[str, Any]) -> str:
    """What lies with a team, as a list in words."""
    return ", ".join(words.format(n=load[part]) for part, words in WITH_TEAM.items() if load[part]) or "niets"


def _too_short(names: Names, team: UUID | None, values: Mapping[str, Any]) -> str:
    """Whether a team does not exist for as long as a line of the routing counts."""
    if team is None:
        return ""
    first, last = names.days[team]
    end = values["valid_to"]
    if values["valid_from"] < first:
        return said("Dit team bestaat pas vanaf {day}. Laat de regel dan beginnen.", day=f"{first:%d-%m-%Y}")
    if last is not None and (end is None or end > last):
        return said(
            "Dit team bestaat tot en met {day}. Laat de regel uiterlijk dan eindigen.", day=f"{last:%d-%m-%Y}"
        )
    return ""
