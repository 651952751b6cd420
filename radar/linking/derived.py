"""What is derived of the register: the profile and the blocking keys of each person, from his active links.

They can always be made again, and are made again when a link moves. Everything runs in the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from core.database import Db
from radar.linking import block
from radar.linking.normalise import Features, features
from radar.linking.profile import Id, Profile
from radar.linking.rules import Rules


def linked_persons(db: Db, report_id: UUID) -> list[Id]:
    """Who the mentions of a report are by their active links."""
    found = db.execute(
        "SELECT l.person_id::text AS id FROM mention m JOIN link l ON l.mention_id = m.id "
        "WHERE m.report_id = %s AND l.state IN ('new', 'automatic', 'confirmed')",
        (report_id,),
    )
    return [row["id"] for row in found]


def profiles(
    db: Db, persons: Collection[Id], rules: Rules, except_report: UUID | None = None
) -> dict[Id, tuple[Profile, list[Features]]]:
    """The profile of these persons made again from their active links, and what it was made of.

    Whoever is nobody any more is left out; so is one report if asked.
    """
    found: dict[Id, tuple[Profile, list[Features]]] = {}
    if not persons:
        return found
    for row in db.execute(
        "SELECT l.person_id::text AS person, m.person || coalesce(m.blind, '{}') AS said, "
        "b.household_id::text AS home, b.valid_from "
        "FROM link l JOIN mention m ON m.id = l.mention_id "
        "LEFT JOIN membership b ON b.mention_id = m.id AND b.person_id = l.person_id "
        "WHERE l.person_id = ANY(%s::uuid[]) AND l.state IN ('new', 'automatic', 'confirmed') "
        "AND m.report_id IS DISTINCT FROM %s",
        (list(persons), except_report),
    ):
        profile, mentions = found.setdefault(row["person"], (Profile(), []))
        said = features(row["said"], rules)
        profile.add(said)
        mentions.append(said)
        if row["home"]:
            profile.seen(row["home"], row["valid_from"].toordinal(), said.addresses)
    return found


def for_update(db: Db, persons: Collection[Id]) -> dict[Id, Profile]:
    """The profiles as they are now, held until the end of the transaction: nobody else adds to them meanwhile."""
    if not persons:
        return {}
    found = db.execute(
        "SELECT p.id::text AS id, p.profile FROM unnest(%s::uuid[]) AS k (id) JOIN person p ON p.id = k.id "
        "WHERE p.profile IS NOT NULL ORDER BY p.id FOR NO KEY UPDATE OF p",
        (sorted(persons),),
    )
    return {row["id"]: Profile.from_json(row["profile"]) for row in found}


def keys_of(mentions: Iterable[Features], rules: Rules, region: bytes) -> set[int]:
    """Everything that somebody can be found by, of whom these mentions are."""
    return {key for said in mentions for key in block.keys(said, rules, region)}


def _put_profiles(db: Db, found: Mapping[Id, Profile | None]) -> None:
    db.execute(
        "UPDATE person p SET profile = n.profile "
        "FROM jsonb_to_recordset(%s::jsonb) AS n (id uuid, profile text) WHERE p.id = n.id",
        (_json([{"id": one, "profile": profile and profile.to_json()} for one, profile in found.items()]),),
    )


def derive(db: Db, region: UUID, persons: Collection[UUID], rules: Rules, gone: Collection[int] = ()) -> None:
    """Make profile and keys of these persons again, after their links or memberships changed.

    All their mentions, of before and after, are among these persons, so that every key that may have to go is known;
    `gone`: the keys of a mention that is nobody's any more.
    """
    names = sorted({str(person) for person in persons})
    for_update(db, names)
    made = profiles(db, names, rules)
    own = {person: keys_of(mentions, rules, region.bytes) for person, (_, mentions) in made.items()}
    values = {
        "keys": _json([{"person": person, "keys": sorted(found)} for person, found in own.items()]),
        "all": sorted({key for found in own.values() for key in found} | set(gone)),
        "persons": names,
        "region": region,
    }
    with db.pipeline():
        _put_profiles(db, {person: made[person][0] if person in made else None for person in names})
        db.execute("DELETE FROM person_key WHERE key = ANY(%(all)s) AND person_id = ANY(%(persons)s::uuid[])", values)
        db.execute(
            "INSERT INTO person_key (key, person_id, region_id) SELECT k, n.person, %(region)s "
            "FROM jsonb_to_recordset(%(keys)s::jsonb) AS n (person uuid, keys bigint[]), unnest(n.keys) AS k "
            "ON CONFLICT DO NOTHING",
            values,
        )


def linked_count(db: Db, region: UUID) -> int:
    """How many persons of a region somebody is linked to."""
    row = db.execute(
        "SELECT count(DISTINCT person_id) AS n FROM link WHERE region_id = %s AND state IN ('new', 'automatic', "
        "'confirmed')",
        (region,),
    ).fetchone()
    return int(row["n"]) if row else 0


def linked_after(db: Db, region: UUID, last: Id | None, limit: int) -> list[Id]:
    """The next persons of a region that somebody is linked to, in the order of their ids."""
    found = db.execute(
        "SELECT p.id::text AS id FROM person p WHERE p.region_id = %(region)s AND (%(last)s::uuid IS NULL OR "
        "p.id > %(last)s) AND EXISTS (SELECT FROM link l WHERE l.person_id = p.id "
        "AND l.state IN ('new', 'automatic', 'confirmed')) ORDER BY p.id LIMIT %(limit)s",
        {"region": region, "last": last, "limit": limit},
    )
    return [row["id"] for row in found]


def read_anew(db: Db, region: UUID, persons: Collection[Id], rules: Rules) -> None:
    """Profile and keys of these persons from their mentions; the keys are also noted in `kept_key`."""
    for_update(db, persons)
    made = profiles(db, persons, rules)
    _put_profiles(db, {person: profile for person, (profile, _) in made.items()})
    keys = [
        {"person": person, "keys": sorted(keys_of(mentions, rules, region.bytes))}
        for person, (_, mentions) in made.items()
    ]
    db.execute(
        "WITH n AS (SELECT k AS key, n.person AS person_id FROM jsonb_to_recordset(%(keys)s::jsonb) "
        "AS n (person uuid, keys bigint[]), unnest(n.keys) AS k), "
        "kept AS (INSERT INTO kept_key SELECT key, person_id FROM n) "
        "INSERT INTO person_key (key, person_id, region_id) SELECT key, person_id, %(region)s FROM n "
        "ON CONFLICT DO NOTHING",
        {"keys": _json(keys), "region": region},
    )


def drop_stale_keys(db: Db, region: UUID) -> int:
    """Remove the keys that nobody's mentions give any more (those not in `kept_key`); gives how many."""
    gone = db.execute(
        "DELETE FROM person_key k USING (SELECT key, person_id FROM person_key WHERE region_id = %(region)s "
        "EXCEPT SELECT key, person_id FROM kept_key) AS s "
        "WHERE k.key = s.key AND k.person_id = s.person_id AND k.region_id = %(region)s",
        {"region": region},
    )
    return gone.rowcount


def note_reading(db: Db, region: UUID, version: str) -> None:
    """Note with which rule set the register was read anew: rules that read names otherwise find nobody in it."""
    db.execute("UPDATE register_size SET read_with = %s WHERE region_id = %s", (version, region))


def read_with(db: Db, region: UUID) -> str | None:
    """The rule set with which the register of a region was last read anew; None when that was never done."""
    row = db.execute("SELECT read_with FROM register_size WHERE region_id = %s", (region,)).fetchone()
    return row["read_with"] if row else None


def count_persons(db: Db) -> None:
    """Count the register of every region: thresholds follow its size. Empty persons are nobody."""
    db.execute(
        "INSERT INTO register_size (region_id, persons, counted_at) "
        "SELECT r.id, (SELECT count(*) FROM person p WHERE p.region_id = r.id AND p.profile IS NOT NULL), now() "
        "FROM region r ON CONFLICT (region_id) DO UPDATE SET persons = excluded.persons, counted_at = now()"
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
