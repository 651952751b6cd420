"""The register of persons and households in PostgreSQL: every statement of the radar's linking stands here.

A link belongs to a mention. Its keys, its membership and its reasons hang on the mention as well: that is why a
link can be taken back exactly. Everything runs in the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.ids import uuid7
from radar.linking.decide import Candidate
from radar.linking.household import Seen
from radar.linking.normalise import Features


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One row of `link` to write; `founds`: the person is new with it."""

    id: UUID
    mention: UUID
    person: UUID
    state: str
    outcome: str
    score: float
    reasons: tuple[Mapping[str, Any], ...]
    founds: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Candidates, and where each of them was seen as a member of a household."""

    candidates: dict[UUID, Candidate]
    seen: dict[UUID, list[Seen]]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


_REPORT = """
SELECT r.id, r.region_id, r.received_at, r.household_id, r.linked_at, greatest(c.reltuples, 0)::bigint AS persons
FROM report r, pg_class c WHERE r.id = %s AND c.oid = 'person'::regclass FOR UPDATE OF r
"""
_MENTIONS = """
SELECT m.id, m.person,
    ARRAY(SELECT person_id FROM link l WHERE l.mention_id = m.id AND l.state = 'rejected') AS rejected
FROM mention m WHERE m.report_id = %s ORDER BY m.number
"""


def report(db: Db, report_id: UUID) -> Row | None:
    """The report, locked, with an estimate of the persons in the register."""
    return db.execute(_REPORT, (report_id,)).fetchone()


def report_and_mentions(db: Db, report_id: UUID) -> tuple[Row | None, list[Row]]:
    """The same, with the mentions in order and the persons that a member of staff said they are not."""
    with db.pipeline():
        found, said = db.execute(_REPORT, (report_id,)), db.execute(_MENTIONS, (report_id,))
        return found.fetchone(), said.fetchall()


def wait_and_find(
    db: Db, region: UUID, locks: Collection[int], keys: Collection[int], limit: int
) -> dict[int, set[UUID]]:
    """Hold `locks` until the end of the transaction, then per key the persons that have it, at most `limit`.

    The locks are taken in one order, so nobody waits in a circle; the search sees what was written meanwhile.
    """
    with db.pipeline():
        db.execute("SELECT pg_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k", (sorted(locks),))
        found = db.execute(
            "SELECT k.key, array_agg(p.person_id) AS persons FROM unnest(%s::bigint[]) AS k (key) CROSS JOIN LATERAL "
            "(SELECT DISTINCT person_id FROM link_key l WHERE l.region_id = %s AND l.key = k.key LIMIT %s) AS p "
            "GROUP BY k.key",
            (sorted(keys), region, limit),
        )
        return {row["key"]: set(row["persons"]) for row in found}


_KNOWN = """
SELECT l.person_id, m.features, b.household_id, b.valid_from FROM link l
JOIN mention m ON m.id = l.mention_id LEFT JOIN membership b ON b.mention_id = m.id AND b.person_id = l.person_id
WHERE l.state IN ('new', 'automatic', 'confirmed') AND m.features IS NOT NULL
"""


def known(db: Db, persons: Collection[UUID], except_report: UUID | None = None) -> Known:
    """Everything known of these persons by their active links, leaving out one report if asked."""
    if not persons:
        return Known({}, {})
    values = (list(persons), except_report)
    found = db.execute(_KNOWN + "AND l.person_id = ANY(%s) AND m.report_id IS DISTINCT FROM %s", values)
    return _gather(found)


def known_members(db: Db, households: Collection[UUID], already: Collection[UUID]) -> Known:
    """The same of everybody who was ever a member of these households, without those known `already`."""
    members = "AND l.person_id IN (SELECT person_id FROM membership WHERE household_id = ANY(%s)) "
    values = (list(households), list(already))
    return _gather(db.execute(_KNOWN + members + "AND l.person_id <> ALL(%s)", values))


def _gather(found: Iterable[Row]) -> Known:
    said: dict[UUID, list[Features]] = {}
    seen: dict[UUID, list[Seen]] = {}
    for row in found:
        one = Features.from_json(row["features"])
        said.setdefault(row["person_id"], []).append(one)
        if row["household_id"]:
            place = Seen(row["household_id"], row["valid_from"], one.addresses)
            seen.setdefault(row["person_id"], []).append(place)
    candidates = {
        person: Candidate(person, tuple(mentions), frozenset(one.household for one in seen.get(person, ())))
        for person, mentions in said.items()
    }
    return Known(candidates, seen)


def links_of_report(db: Db, report_id: UUID) -> list[Row]:
    """Per mention its active link and its open proposals, the active one first."""
    return db.execute(
        "SELECT m.id AS mention, m.features, l.id, l.person_id, l.state, l.outcome, l.score, l.reasons "
        "FROM mention m LEFT JOIN link l ON l.mention_id = m.id "
        "AND l.state IN ('new', 'automatic', 'confirmed', 'proposed') "
        "WHERE m.report_id = %s ORDER BY m.number, l.state = 'proposed', l.created_at",
        (report_id,),
    ).fetchall()


def is_shared(db: Db, household: UUID, report_id: UUID) -> bool:
    """Whether another report has or founded this household."""
    row = db.execute(
        "SELECT EXISTS (SELECT FROM report WHERE household_id = %(home)s AND id <> %(report)s) OR EXISTS "
        "(SELECT FROM membership b JOIN mention m ON m.id = b.mention_id "
        "WHERE b.household_id = %(home)s AND m.report_id <> %(report)s) AS shared",
        {"home": household, "report": report_id},
    ).fetchone()
    return bool(row and row["shared"])


def regions_with(db: Db, keys: Collection[int], except_report: UUID) -> list[UUID]:
    """The regions, other than the report's own, in which a person has one of these keys."""
    found = db.execute(
        "SELECT DISTINCT k.region_id FROM link_key k WHERE k.key = ANY(%s) "
        "AND k.region_id <> (SELECT region_id FROM report WHERE id = %s) ORDER BY k.region_id",
        (list(keys), except_report),
    )
    return [row["region_id"] for row in found]


def had_earlier(db: Db, report: Row) -> bool:
    """Whether the household of a report was made before the report was linked."""
    row = db.execute(
        "SELECT created_at < %s AS earlier FROM household WHERE id = %s",
        (report["linked_at"], report["household_id"]),
    ).fetchone()
    return bool(row and row["earlier"])


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────

# One statement: a round trip and a plan instead of seven.
_WRITE = """
WITH said AS (
    UPDATE mention m SET features = n.features
    FROM jsonb_to_recordset(%(mentions)s::jsonb) AS n (id uuid, features jsonb) WHERE m.id = n.id
), home AS (
    INSERT INTO household (id, region_id, created_at)
    SELECT %(home)s::uuid, %(region)s::uuid, %(at)s::timestamptz WHERE %(founds_home)s
), links AS (
    SELECT * FROM jsonb_to_recordset(%(links)s::jsonb) AS n (
        id uuid, mention uuid, person uuid, state text, outcome text, score real, reasons jsonb, founds boolean)
), people AS (
    INSERT INTO person (id, region_id, created_at) SELECT person, %(region)s, %(at)s FROM links WHERE founds
), made AS (
    INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set, created_at)
    SELECT id, %(region)s, mention, person, state, outcome, score, reasons, %(rules)s, %(at)s FROM links
), keyed AS (
    INSERT INTO link_key (region_id, key, person_id, mention_id)
    SELECT %(region)s, k, n.person, n.mention
    FROM jsonb_to_recordset(%(keys)s::jsonb) AS n (mention uuid, person uuid, keys bigint[]), unnest(n.keys) AS k
), joined AS (
    INSERT INTO membership (id, region_id, person_id, household_id, mention_id, valid_from)
    SELECT n.id, %(region)s, n.person, %(home)s, n.mention, %(on)s
    FROM jsonb_to_recordset(%(members)s::jsonb) AS n (id uuid, person uuid, mention uuid)
)
UPDATE report SET household_id = %(home)s, linked_at = %(at)s WHERE id = %(report)s
"""


def write(
    db: Db,
    report: Row,
    *,
    features: Mapping[UUID, Features],
    links: Sequence[LinkRow],
    keys: Mapping[UUID, tuple[UUID, list[int]]],
    members: Sequence[tuple[UUID, UUID]],
    home: UUID | None,
    founds_home: bool,
    on: date,
    at: datetime,
    rules: str,
) -> None:
    """All rows of one newly linked report. `keys`: mention to person and keys; `members`: person and mention."""
    values = {
        "report": report["id"],
        "region": report["region_id"],
        "home": home,
        "founds_home": founds_home,
        "on": on,
        "at": at,
        "rules": rules,
        "mentions": _json([{"id": one, "features": said.to_json()} for one, said in features.items()]),
        "links": _json([{name: getattr(one, name) for name in LinkRow.__slots__} for one in links]),
        "keys": _json([{"mention": one, "person": whose, "keys": own} for one, (whose, own) in keys.items()]),
        "members": _json([{"id": uuid7(), "person": whose, "mention": one} for whose, one in members]),
    }
    db.execute(_WRITE, values)


def _json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))


# ── what people say afterwards ──────────────────────────────────────────────────────────────────────────────


def link(db: Db, link_id: UUID) -> Row | None:
    """One link with its report, both locked."""
    return db.execute(
        "SELECT l.*, m.report_id FROM link l JOIN mention m ON m.id = l.mention_id "
        "JOIN report r ON r.id = m.report_id WHERE l.id = %s FOR UPDATE OF r, l",
        (link_id,),
    ).fetchone()


def active_link(db: Db, mention: UUID) -> Row | None:
    """The link that says who this mention is now."""
    return db.execute(
        "SELECT * FROM link WHERE mention_id = %s AND state IN ('new', 'automatic', 'confirmed') FOR UPDATE",
        (mention,),
    ).fetchone()


def active_mentions(db: Db, person: UUID) -> list[Row]:
    """Which mentions are this person now: id and report_id."""
    return db.execute(
        "SELECT m.id, m.report_id FROM link l JOIN mention m ON m.id = l.mention_id WHERE l.person_id = %s "
        "AND l.state IN ('new', 'automatic', 'confirmed') ORDER BY m.id",
        (person,),
    ).fetchall()


def decided(db: Db, link_id: UUID, state: str, by: str, at: datetime) -> None:
    """Write what a person said of a link."""
    db.execute("UPDATE link SET state = %s, decided_by = %s, decided_at = %s WHERE id = %s", (state, by, at, link_id))


def found_person(db: Db, row: Row, text: str, at: datetime) -> UUID:
    """A new person for a mention whose link is closed; gives its id."""
    person = uuid7()
    db.execute("INSERT INTO person (id, region_id, created_at) VALUES (%s, %s, %s)", (person, row["region_id"], at))
    reasons = _json([{"field": "decision", "level": "new", "weight": 0.0, "text": text}])
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set, "
        "created_at) VALUES (%s, %s, %s, %s, 'new', 'new', 0, %s::jsonb, %s, %s)",
        (uuid7(), row["region_id"], row["mention_id"], person, reasons, row["rule_set"], at),
    )
    return person


def move(db: Db, mention: UUID, person: UUID) -> None:
    """The keys and the membership of a mention go to another person."""
    db.execute("UPDATE link_key SET person_id = %s WHERE mention_id = %s", (person, mention))
    db.execute("UPDATE membership SET person_id = %s WHERE mention_id = %s", (person, mention))


def told_apart(db: Db, one: UUID, other: UUID) -> bool:
    """Whether a person once said that these two are different people; about any mention of either."""
    row = db.execute(
        "SELECT EXISTS (SELECT FROM link r JOIN link a ON a.mention_id = r.mention_id "
        "AND a.state IN ('new', 'automatic', 'confirmed') WHERE r.state = 'rejected' "
        "AND (r.person_id, a.person_id) IN ((%(one)s, %(other)s), (%(other)s, %(one)s))) AS apart",
        {"one": one, "other": other},
    ).fetchone()
    return bool(row and row["apart"])


def reject_all_between(db: Db, one: UUID, other: UUID, by: str, at: datetime) -> list[UUID]:
    """A no holds for both clusters: close every open proposal between them, and give their ids."""
    found = db.execute(
        "UPDATE link p SET state = 'rejected', decided_by = %(by)s, decided_at = %(at)s FROM link a "
        "WHERE p.state = 'proposed' AND a.mention_id = p.mention_id AND a.state IN ('new', 'automatic', 'confirmed') "
        "AND (p.person_id, a.person_id) IN ((%(one)s, %(other)s), (%(other)s, %(one)s)) RETURNING p.id",
        {"one": one, "other": other, "by": by, "at": at},
    )
    return [row["id"] for row in found]


def propose_the_rest(db: Db, old: UUID, new: UUID, row: Row, at: datetime) -> list[UUID]:
    """The other mentions of `old` are now likely `new` too: ask. Proposals that pointed to an empty `old` follow."""
    rest = active_mentions(db, old)
    text = "Een andere vermelding van deze persoon is door een medewerker aan deze persoon gekoppeld"
    reasons = _json([{"field": "decision", "level": "not_sure", "weight": 0.0, "text": text}])
    made: list[UUID] = []
    for mention in rest:
        found = db.execute(
            "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set, "
            "created_at) VALUES (%s, %s, %s, %s, 'proposed', 'same_person', 0, %s::jsonb, %s, %s) "
            "ON CONFLICT DO NOTHING RETURNING id",
            (uuid7(), row["region_id"], mention["id"], new, reasons, row["rule_set"], at),
        )
        made += [one["id"] for one in found]
    if not rest:
        db.execute(
            "UPDATE link p SET person_id = %(new)s WHERE p.person_id = %(old)s AND p.state = 'proposed' "
            "AND NOT EXISTS (SELECT FROM link o WHERE o.mention_id = p.mention_id "
            "AND o.person_id = %(new)s AND o.state <> 'undone')",
            {"old": old, "new": new},
        )
    return made


def later_links(db: Db, person: UUID, since: datetime) -> list[UUID]:
    """Automatic links to this person that were made after a moment."""
    found = db.execute(
        "SELECT id FROM link WHERE person_id = %s AND state = 'automatic' AND created_at > %s", (person, since)
    )
    return [row["id"] for row in found]


def set_household(db: Db, report: Row, home: UUID, founds: bool, at: datetime) -> None:
    """Give a report another household; its own memberships of the old one go with it."""
    if founds:
        db.execute(
            "INSERT INTO household (id, region_id, created_at) VALUES (%s, %s, %s)", (home, report["region_id"], at)
        )
    db.execute("UPDATE report SET household_id = %s WHERE id = %s", (home, report["id"]))
    db.execute(
        "UPDATE membership b SET household_id = %s FROM mention m WHERE m.id = b.mention_id AND m.report_id = %s "
        "AND b.household_id IS NOT DISTINCT FROM %s",
        (home, report["id"], report["household_id"]),
    )


def join(db: Db, region: UUID, person: UUID, home: UUID, mention: UUID, on: date) -> None:
    """Make somebody a member by this mention, unless the mention made him a member already."""
    db.execute(
        "INSERT INTO membership (id, region_id, person_id, household_id, mention_id, valid_from) "
        "SELECT %(id)s, %(region)s, %(person)s, %(home)s, %(mention)s, %(on)s "
        "WHERE NOT EXISTS (SELECT FROM membership WHERE mention_id = %(mention)s)",
        {"id": uuid7(), "region": region, "person": person, "home": home, "mention": mention, "on": on},
    )
