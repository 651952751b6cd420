"""Who may be meant: the terms compared with the register as a mention is, on what the one who asks may see.

The keys that find somebody are stored for everything known of him. So a candidate counts only when what may be seen
of him has such a key too: nothing hidden (a restricted report, a protected address) can make him appear.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from core.database import Db, Row
from radar.linking import block, explain
from radar.linking.compare import Evidence, compare
from radar.linking.normalise import Features, features
from radar.linking.profile import Id, Profile
from radar.linking.rows import StoredRegister
from radar.linking.rules import Rules
from radar.protection import whereabouts
from radar.search import rows
from radar.search.policy import Policy, policy
from radar.search.terms import Terms


@dataclass(frozen=True, slots=True)
class SeenReport:
    """A report that may be opened."""

    id: UUID
    received_at: datetime
    reporter_kind: str


@dataclass(frozen=True, slots=True)
class Hit:
    """Somebody who may be meant. `said`: the newest mention that may be seen; `reasons`: as explain.reasons."""

    person: UUID
    said: Mapping[str, Any]
    reasons: tuple[Mapping[str, Any], ...]
    reports: tuple[SeenReport, ...]
    bits: float
    protected: bool = False
    """Something of him stands in the vault: where he is, is not shown and was not compared."""


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search, best first; `more`: there were more than are shown."""

    hits: tuple[Hit, ...] = ()
    reports: tuple[SeenReport, ...] = ()
    more: bool = False

    @property
    def count(self) -> int:
        return len(self.hits) + len(self.reports)


@dataclass(slots=True)
class _Known:
    """One candidate, made of the mentions that may be seen."""

    rows: list[Row]
    profile: Profile = field(default_factory=Profile)
    keys: set[int] = field(default_factory=set)


def find(db: Db, region: UUID, terms: Terms, rules: Rules, *, everything: bool = False) -> Found:
    """Everybody and every report that these terms may mean, as far as this transaction's visitor may see them.

    Nothing known and nothing to be seen are the same outcome, after the same work. `everything`: for the work behind
    the screens, where nobody asks; a screen that said so would get an error of the database or what it may see.
    """
    limits = policy()
    hits = _persons(db, region, terms, rules, limits, everything)
    found = rows.reports_with(db, region, terms.reference, limits.shown + 1) if terms.reference else []
    return Found(
        tuple(hits[: limits.shown]),
        tuple(_report(row) for row in found[: limits.shown]),
        max(len(hits), len(found)) > limits.shown,
    )


def _persons(db: Db, region: UUID, terms: Terms, rules: Rules, limits: Policy, everything: bool) -> list[Hit]:
    said = [terms.features(rules), terms.turned().features(rules)]
    keys, most = _keys(said, rules, region), rules.limits.persons_per_key + 1
    found = (
        StoredRegister(db, region.bytes, 0, rules).find(keys, most) if everything else rows.persons_of(db, keys, most)
    )
    said = [_without_institutions(one, found, region, rules) for one in said]
    keys = _keys(said, rules, region)
    wanted = _rarest_first(keys, found, rules)[: limits.candidates]
    if everything:
        known = _known(rows.all_mentions(db, region, wanted), limits.candidates, rules, region)
    else:
        known = _known(rows.visible_mentions(db, wanted, limits.read), limits.read, rules, region)
    by_key = {person: one for person, one in known.items() if not one.keys.isdisjoint(keys)}
    hits = [_hit(person, one, compare(said[0], one.profile, rules)) for person, one in by_key.items()]
    shown = [hit for hit in hits if hit.bits >= limits.bits]
    return sorted(shown, key=lambda hit: (-hit.bits, hit.person))


def _keys(said: Iterable[Features], rules: Rules, region: UUID) -> list[int]:
    return block.chosen([key for one in said for key in block.by_kind(one, rules, region.bytes)], rules.search_keys)


def _without_institutions(
    said: Features, found: Mapping[int, Collection[Id]], region: UUID, rules: Rules
) -> Features:
    """Leave out the address or phone of very many people: nobody lists who is in a shelter by its address."""
    most = rules.limits.persons_per_door
    crowded = {value for value, key in block.crowd_keys(said, region.bytes) if len(found.get(key, ())) > most}
    return replace(
        said,
        addresses=tuple(one for one in said.addresses if one not in crowded),
        phones=tuple(one for one in said.phones if one not in crowded),
    )


def _rarest_first(keys: Iterable[int], found: Mapping[int, Collection[Id]], rules: Rules) -> list[Id]:
    scores: dict[Id, float] = {}
    for key in keys:
        persons = found.get(key, ())
        if len(persons) <= rules.limits.persons_per_key:
            for person in persons:
                scores[person] = scores.get(person, 0.0) + 1.0 / len(persons)
    return sorted(scores, key=lambda person: (-scores[person], person))


def _known(mentions: Sequence[Row], most: int, rules: Rules, region: UUID) -> dict[Id, _Known]:
    """The first `most` persons of whom anything may be seen, read whole: always as many, if there are."""
    made: dict[Id, _Known] = {}
    for person, group in groupby(mentions, key=lambda row: str(row["person_id"])):
        if len(made) == most:
            break
        one = made[person] = _Known(list(group))
        for row in one.rows:
            said = features(row["person"], rules)
            one.profile.add(said)
            one.keys.update(_keys([said], rules, region))
    return made


def _hit(person: Id, known: _Known, evidence: Evidence) -> Hit:
    ordered = sorted(evidence.fields, key=lambda one: -abs(one.stranger))
    newest = {row["report_id"]: _report(row | {"id": row["report_id"]}) for row in known.rows}
    return Hit(
        UUID(person),
        known.rows[0]["person"],
        tuple(explain.reason(one) for one in ordered),
        tuple(newest.values())[:5],
        evidence.stranger,
        any(whereabouts.hides(row["person"]) for row in known.rows),
    )


def _report(row: Row) -> SeenReport:
    return SeenReport(row["id"], row["received_at"], row["reporter_kind"])
