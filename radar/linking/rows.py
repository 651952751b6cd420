"""The register of persons and households in PostgreSQL: every statement of the radar's linking stands here.

A link, its reasons and its membership hang on a mention: that is why a link can be taken back exactly. The profile
and the keys of a person are derived from them, and made again when a link moves. Everything runs in the caller's
transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from core.database import Db, Row
from core.ids import uuid7
from radar.linking import derived
from radar.linking.profile import Id, Profile
from radar.linking.rules import Rules


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One row of `link` to write."""

    id: Id
    mention: Id
    person: Id
    state: str
    outcome: str
    score: float
    reasons: tuple[Mapping[str, Any], ...]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


_REPORT = """
SELECT r.id, r.region_id, r.received_at, r.household_id, r.linked_at, coalesce(s.persons, 0) AS persons
FROM report r LEFT JOIN register_size s ON s.region_id = r.region_id WHERE r.id = %s FOR UPDATE OF r
"""
_MENTIONS = """
SELECT r.id AS report, r.region_id, r.received_at, r.household_id, r.linked_at, coalesce(s.persons, 0) AS persons,
    m.id::text AS id, m.person || coalesce(m.blind, '{}') AS person,
    EXISTS (SELECT FROM whereabouts w WHERE w.report_id = r.id) AS hidden,
    ARRAY(SELECT person_id::text FROM link l WHERE l.mention_id = m.id AND l.state = 'rejected') AS rejected
FROM report r LEFT JOIN register_size s ON s.region_id = r.region_id LEFT JOIN mention m ON m.report_id = r.id
WHERE r.id = %s ORDER BY m.number FOR UPDATE OF r
"""


def report(db: Db, report_id: UUID) -> Row | None:
    """The report, locked, with the number of persons in the register of its region."""
    return db.execute(_REPORT, (report_id,)).fetchone()


def report_and_mentions(db: Db, report_id: UUID) -> tuple[Row | None, list[Row]]:
    """The same, with the mentions in order and the persons that a member of staff said they are not."""
    found = db.execute(_MENTIONS, (report_id,)).fetchall()
    if not found:
        return None, []
    return found[0] | {"id": found[0]["report"]}, [row for row in found if row["id"]]


FIND = """
SELECT k.key, count(*) AS n, CASE WHEN count(*) < %(limit)s THEN string_agg(p.person_id::text, ' ') END AS persons
FROM unnest(%(keys)s::bigint[]) AS k (key)
CROSS JOIN LATERAL (SELECT person_id FROM person_key l WHERE l.key = k.key LIMIT %(limit)s) AS p GROUP BY k.key
"""
# A join with unnest instead of ANY: PostgreSQL then keeps one plan instead of planning at each call.
PROFILES = """
SELECT p.id::text AS id, p.profile FROM unnest(%s::uuid[]) AS k (id) JOIN person p ON p.id = k.id
WHERE p.profile IS NOT NULL
"""
_MEMBERS = """
SELECT p.id::text AS id, p.profile FROM (
    SELECT DISTINCT b.person_id FROM unnest(%s::uuid[]) AS k (id) JOIN membership b ON b.household_id = k.id
    EXCEPT SELECT unnest(%s::uuid[])) AS n
JOIN person p ON p.id = n.person_id WHERE p.profile IS NOT NULL
"""


def lock_of(region: UUID) -> int:
    """The advisory lock of a region's register: many may link at once, only one may load or read it anew."""
    return region.int & 0x7FFF_FFFF_FFFF_FFFF


def share_region(db: Db, region: UUID) -> None:
    """Wait for whoever loads the register or reads it anew, and keep them waiting until this transaction ends."""
    db.execute("SELECT pg_advisory_xact_lock_shared(%s)", (lock_of(region),))


def found_persons(row: Row) -> list[Id]:
    """The persons of one row of FIND. A key of too many is too common to search with: only their number counts."""
    return row["persons"].split(" ") if row["persons"] else [""] * int(row["n"])


@dataclass(frozen=True, slots=True)
class StoredRegister:
    """The register of one region in PostgreSQL, as `resolve` asks for it, inside the caller's transaction.

    `locks` are held from the first look to the end of the transaction, taken in one order so that nobody waits in a
    circle; the search then sees what was written meanwhile. `without`: a report that is looked at as if it came in
    now, so that its own links do not count.
    """

    db: Db
    region: bytes
    persons: int
    rules: Rules
    locks: Collection[int] = ()
    without: UUID | None = None

    def find(self, keys: Collection[int], limit: int) -> dict[int, list[Id]]:
        with self.db.pipeline():
            if self.locks:
                # Beside others that link; not while the whole region is loaded or read anew.
                self.db.execute(
                    "SELECT pg_advisory_xact_lock_shared(%s), count(pg_advisory_xact_lock(k)) "
                    "FROM unnest(%s::bigint[]) AS k",
                    (lock_of(UUID(bytes=self.region)), sorted(self.locks)),
                )
            found = self.db.execute(FIND, {"keys": sorted(keys), "limit": limit}).fetchall()
        hits = {row["key"]: found_persons(row) for row in found}
        return self._without_own(hits) if self.without else hits

    def _without_own(self, hits: dict[int, list[Id]]) -> dict[int, list[Id]]:
        """The same as before the report `without` was linked."""
        own = derived.linked_persons(self.db, self.without) if self.without else []
        rest = derived.profiles(self.db, own, self.rules, except_report=self.without)
        keys = {
            person: derived.keys_of(rest[person][1], self.rules, self.region) if person in rest else set[int]()
            for person in own
        }
        return {key: [one for one in found if one not in keys or key in keys[one]] for key, found in hits.items()}

    def profiles(self, persons: Collection[Id]) -> dict[Id, Profile]:
        return self._read(PROFILES, list(persons)) if persons else {}

    def members(self, households: Collection[Id], already: Collection[Id]) -> dict[Id, Profile]:
        return self._read(_MEMBERS, list(households), list(already))

    def _read(self, query: LiteralString, *values: object) -> dict[Id, Profile]:
        found = {row["id"]: Profile.from_json(row["profile"]) for row in self.db.execute(query, values)}
        if self.without:
            own = set(derived.linked_persons(self.db, self.without)) & found.keys()
            for person in own:
                del found[person]
            rest = derived.profiles(self.db, own, self.rules, except_report=self.without)
            found |= {person: profile for person, (profile, _) in rest.items()}
        return found


def links_of_report(db: Db, report_id: UUID) -> list[Row]:
    """Per mention its active link and its open proposals, the active one first."""
    return db.execute(
        "SELECT m.id AS mention, m.person || coalesce(m.blind, '{}') AS said, l.id, l.person_id, l.state, l.outcome, "
        "l.score, l.reasons "
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


def regions_with(db: Db, keys: Mapping[UUID, Collection[int]]) -> list[UUID]:
    """The regions in which a person has one of these keys of that region."""
    found = db.execute(
        "SELECT DISTINCT region_id FROM person_key WHERE key = ANY(%s) ORDER BY region_id",
        ([key for own in keys.values() for key in own],),
    )
    return [row["region_id"] for row in found]


def other_regions(db: Db, report_id: UUID) -> list[UUID]:
    """All regions but the one of this report."""
    found = db.execute(
        "SELECT id FROM region WHERE id <> (SELECT region_id FROM report WHERE id = %s) ORDER BY id", (report_id,)
    )
    return [row["id"] for row in found]


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
WITH home AS (
    INSERT INTO household (id, region_id, created_at, founded_by)
    SELECT %(home)s::uuid, %(region)s::uuid, %(at)s::timestamptz, %(report)s WHERE %(founds_home)s
), links AS (
    SELECT * FROM jsonb_to_recordset(%(links)s::jsonb) AS n (
        id uuid, mention uuid, person uuid, state text, outcome text, score real, reasons jsonb)
), people AS (
    INSERT INTO person (id, region_id, created_at, profile)
    SELECT id, %(region)s, %(at)s, profile FROM jsonb_to_recordset(%(founded)s::jsonb) AS n (id uuid, profile text)
), seen AS (
    UPDATE person p SET profile = n.profile
    FROM jsonb_to_recordset(%(seen)s::jsonb) AS n (id uuid, profile text) WHERE p.id = n.id
), made AS (
    INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set, created_at)
    SELECT id, %(region)s, mention, person, state, outcome, score, reasons, %(rules)s, %(at)s FROM links
), keyed AS (
    INSERT INTO person_key (key, person_id, region_id)
    SELECT k, n.person, %(region)s
    FROM jsonb_to_recordset(%(keys)s::jsonb) AS n (person uuid, keys bigint[]), unnest(n.keys) AS k
    ON CONFLICT DO NOTHING
), joined AS (
    INSERT INTO membership (id, region_id, person_id, household_id, mention_id, valid_from)
    SELECT n.id, %(region)s, n.person, %(home)s, n.mention, %(on)s
    FROM jsonb_to_recordset(%(members)s::jsonb) AS n (id uuid, person uuid, mention uuid)
)
UPDATE report SET household_id = %(home)s, linked_at = %(at)s WHERE id = %(report)s
RETURNING audit_append(%(region)s, 'system', 'report.link', 'report', id, %(details)s::jsonb), EXISTS (
    SELECT FROM unnest(%(known)s::uuid[]) AS k (id)
    WHERE EXISTS (SELECT FROM protection p WHERE p.person_id = k.id AND p.lifted_at IS NULL)
    OR EXISTS (SELECT FROM link l JOIN protection p ON p.mention_id = l.mention_id AND p.lifted_at IS NULL
        WHERE l.person_id = k.id AND l.state IN ('new', 'automatic', 'confirmed'))) AS protected
"""


def write(
    db: Db,
    report: Row,
    *,
    links: Sequence[LinkRow],
    founded: Mapping[Id, Profile],
    seen: Mapping[Id, Profile],
    keys: Mapping[Id, Collection[int]],
    members: Sequence[tuple[Id, Id]],
    home: Id | None,
    founds_home: bool,
    on: date,
    at: datetime,
    rules: str,
    details: Mapping[str, Any],
) -> bool:
    """All rows of one newly linked report, with its audit row (`details`). Gives whether a protected person is in it.

    `founded` and `seen`: new and known persons with their profile from now on; `keys`: what each person can be found
    by from now on; `members`: person and mention.
    """
    values = {
        "report": report["id"],
        "region": report["region_id"],
        "home": home,
        "founds_home": founds_home,
        "on": on,
        "at": at,
        "rules": rules,
        "details": _json(details),
        "links": _json([{name: getattr(one, name) for name in LinkRow.__slots__} for one in links]),
        "founded": _json([{"id": one, "profile": profile.to_json()} for one, profile in founded.items()]),
        "seen": _json([{"id": one, "profile": profile.to_json()} for one, profile in seen.items()]),
        "keys": _json([{"person": one, "keys": list(own)} for one, own in keys.items() if own]),
        "known": list(seen),
        "members": _json([{"id": uuid7(), "person": whose, "mention": one} for whose, one in members]),
    }
    row = db.execute(_WRITE, values).fetchone()
    return bool(row and row["protected"])


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
    """The membership of a mention goes to another person."""
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


def own_household(db: Db, report: Row) -> UUID | None:
    """The household that was founded for this report, if nobody else is or was put in it."""
    row = db.execute(
        "SELECT h.id FROM household h WHERE h.founded_by = %(report)s "
        "AND NOT EXISTS (SELECT FROM report o WHERE o.household_id = h.id AND o.id <> %(report)s) "
        "AND NOT EXISTS (SELECT FROM membership b JOIN mention m ON m.id = b.mention_id "
        "WHERE b.household_id = h.id AND m.report_id <> %(report)s) ORDER BY h.id LIMIT 1",
        {"report": report["id"]},
    ).fetchone()
    return row["id"] if row else None


def set_household(db: Db, report: Row, home: UUID, founds: bool, at: datetime) -> None:
    """Give a report another household; its own memberships of the old one go with it."""
    if founds:
        db.execute(
            "INSERT INTO household (id, region_id, created_at, founded_by) VALUES (%s, %s, %s, %s)",
            (home, report["region_id"], at, report["id"]),
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
