"""The rule sets of a region: the shipped files and what the region added; which one is in force.

A rule set never changes once it has a version. This module is read by the linking of every report, so it imports
nothing of it but `rules`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core import audit
from core.database import Db
from core.errors import Conflict, NotFound, VeiligError
from radar.differences import between
from radar.linking.rules import FOLDER, InvalidRules, Rules, load
from radar.quality import rows

_VERSION = re.compile(r"[a-z0-9][a-z0-9.-]{0,59}")
_REMEMBERED = 8
WEIGHING = frozenset(
    {
        "version",
        "source",
        "search_keys",
        "lock_keys",
        "weights",
        "household",
        "peripheral_roles",
        "child_roles",
        "register_size",
        "limits",
        "rarity_counts",
        "frequencies",
    }
)
"""The parts of a rule set that only weigh. All other parts say how a name, address or phone is read: the stored
features and blocking keys were made with them."""

_SAID = {
    "missing": "dit veld ontbreekt",
    "extra_forbidden": "dit veld bestaat niet",
    "json_invalid": "dit is geen JSON",
    "greater_than": "de waarde moet groter zijn dan {gt}",
    "greater_than_equal": "de waarde moet {ge} of meer zijn",
    "less_than": "de waarde moet kleiner zijn dan {lt}",
    "less_than_equal": "de waarde mag hoogstens {le} zijn",
    "literal_error": "deze waarde bestaat niet; het mag zijn: {expected}",
    "string_type": "hier hoort tekst",
    "string_too_short": "dit veld is leeg",
    "too_short": "deze lijst is te kort",
    "float_type": "hier hoort een getal",
    "float_parsing": "hier hoort een getal",
    "finite_number": "hier hoort een getal",
    "int_type": "hier hoort een geheel getal",
    "int_parsing": "hier hoort een geheel getal",
    "int_from_float": "hier hoort een geheel getal",
    "dict_type": "hier hoort een groep velden",
    "model_type": "hier hoort een groep velden",
    "tuple_type": "hier hoort een lijst",
    "frozen_set_type": "hier hoort een lijst",
}


class WrongRules(VeiligError):
    """De regels kloppen niet."""

    status = 400


class RulesDoNotFit(VeiligError):
    """The rules in force of a region do not fit this version."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Which rule set: its version, and the id of the stored one (None: shipped with the product)."""

    version: str
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule set as the list of a region shows it."""

    version: str
    source: str
    shipped: bool
    in_force: bool
    added_at: datetime | None = None
    added_by: str | None = None


def active(db: Db, region: UUID) -> Rules:
    """The rules in force in a region. Costs one read of one index; the rules themselves are remembered."""
    return rules_of(db, in_force(db, region))


def in_force(db: Db, region: UUID) -> RuleSet:
    """Which rule set is in force: the newest activation, or the newest shipped when there is none."""
    row = rows.newest_activation(db, region)
    return RuleSet(row["version"], row["rule_set_id"]) if row else RuleSet(load().version)


def require_fit(db: Db) -> None:
    """Stop before a migration when linking would stop after it. Raises RulesDoNotFit, naming region and remedy."""
    for row in rows.regions(db):
        one = in_force(db, row["id"])
        try:
            rules_of(db, one)
        except (WrongRules, InvalidRules) as error:
            raise RulesDoNotFit(
                f"Region {row['name']}: this version cannot read the rules in force, {one.version}. {error.message}"
                " Nothing was changed. The remedy: run the version that you had, put shipped rules in force that this"
                f" version has too ({', '.join(shipped())}) with `veilig rules rehearse` and `veilig rules activate`,"
                " and migrate again."
            ) from None


_remembered: dict[UUID, Rules] = {}
_remembering = Lock()


def rules_of(db: Db, one: RuleSet) -> Rules:
    """The rules of a rule set; asks the database only for an added one that this process has not used lately."""
    if one.id is None:
        # One copy of the newest: it remembers what it has computed.
        return load() if one.version == load().version else load(one.version)
    known = _remembered.get(one.id)
    if known is not None:
        return known
    written = rows.stored_document(db, one.id)
    if written is None:
        raise NotFound
    rules = _validated(written)
    with _remembering:
        while len(_remembered) >= _REMEMBERED:
            del _remembered[next(iter(_remembered))]
        # Threads that asked at once share one copy.
        return _remembered.setdefault(one.id, rules)


def find(db: Db, region: UUID, version: str) -> RuleSet:
    """A rule set of a region by its version. Raises NotFound."""
    if version in shipped():
        return RuleSet(version)
    stored = rows.stored_rule_set(db, region, version)
    if stored is None:
        raise NotFound
    return RuleSet(version, stored)


def document(db: Db, region: UUID, version: str) -> dict[str, Any]:
    """A rule set as it was written. Raises NotFound."""
    one = find(db, region, version)
    if one.id is None:
        written: dict[str, Any] = json.loads((FOLDER / f"{version}.json").read_text("utf-8"))
        return written
    return rows.stored_document(db, one.id) or {}


def shipped() -> list[str]:
    """The versions that come with the product."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def listing(db: Db, region: UUID) -> list[Listed]:
    """Every rule set of a region, the one in force first."""
    current = in_force(db, region)
    found = [
        Listed(version, load(version).source, True, RuleSet(version) == current) for version in reversed(shipped())
    ]
    found += [
        Listed(
            row["version"],
            row["source"],
            False,
            RuleSet(row["version"], row["id"]) == current,
            row["added_at"],
            row["added_by"],
        )
        for row in reversed(rows.stored_rule_sets(db, region))
    ]
    return sorted(found, key=lambda one: not one.in_force)


def add(db: Db, region: UUID, text: str, by: str, at: datetime) -> Rules:
    """Store a new rule set, not in force yet. Raises WrongRules naming the field, Conflict for a version in use."""
    rules = parse(text)
    if not _VERSION.fullmatch(rules.version):
        raise WrongRules("De regels kloppen niet bij version: gebruik kleine letters, cijfers, punten en streepjes.")
    stored = None
    if rules.version not in shipped():
        stored = rows.add_rule_set(db, region, rules.version, json.loads(text), by, at)
    if stored is None:
        raise Conflict(f"De versie {rules.version} bestaat al. Geef de nieuwe regels een andere versie.")
    audit.append(db, region, by, "rules.add", "rules", stored, {"version": rules.version})
    return rules


def parse(text: str) -> Rules:
    """A rule set from JSON, checked by the model that the linking uses. Raises WrongRules, naming the field."""
    try:
        given = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except ValueError as error:
        place = f" op regel {error.lineno}" if isinstance(error, json.JSONDecodeError) else f": {error}"
        raise WrongRules(f"Dit is geen geldige JSON{place}.") from None
    except RecursionError:
        raise WrongRules("Dit is geen geldige JSON: te diep genest.") from None
    return _validated(given)


def changed_tables(one: Rules, other: Rules) -> tuple[str, ...]:
    """The parts that say how names, addresses and phones are read, and that differ.

    Keys and features in the register were made with these; under other tables nobody would be found again. Such a
    rule set needs all keys to be derived anew (`veilig reindex`).
    """
    tables = (name for name in Rules.model_fields if name not in WEIGHING)
    return tuple(name for name in tables if getattr(one, name) != getattr(other, name))


def differences(before: Rules, after: Rules) -> list[tuple[str, str, str]]:
    """What changed, as (place, old, new); see radar/differences.py."""
    return between(before.model_dump(), after.model_dump())


def _validated(given: Any) -> Rules:
    try:
        return Rules.model_validate(given)
    except ValidationError as error:
        raise WrongRules(_sentence(error.errors()[0])) from None


def _sentence(error: ErrorDetails) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "value_error":
        # Of the rule set as a whole: the text names the field itself.
        text = error["msg"].removeprefix("Value error, ")
    else:
        text = _SAID.get(error["type"], error["msg"]).format(**error.get("ctx", {}))
    return f"De regels kloppen niet bij {place}: {text}." if place else f"De regels kloppen niet: {text}."


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is geen getal")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field that is written twice would silently lose the first."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"het veld {name} staat er twee keer in")
        found[name] = value
    return found
