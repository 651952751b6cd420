"""Link very many reports at once, set-based: an old system's years, or a file to measure with.

A chunk of reports is one transaction: its blocking keys are looked up together, its reports are decided one after the
other by the same `resolve` as a single report, each seeing what the ones before it taught, and all rows are written
by COPY. So the outcome is that of one by one, and what was committed is never done again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg import sql

from core.database import Db
from core.deadlines import local_day
from core.ids import uuid7, uuid7_texts
from core.sealing import new_key
from intake import vault
from radar.linking import block, explain
from radar.linking.decide import Decision
from radar.linking.normalise import features
from radar.linking.profile import Id, Profile
from radar.linking.resolve import Said, resolve
from radar.linking.rows import FIND, PROFILES, found_persons, lock_of
from radar.linking.rules import Rules

SOURCE = "import"


@dataclass(frozen=True, slots=True)
class OldReport:
    """One report of an old system. `persons`: betrokkenen as intake stores them (standards.md 10.1)."""

    reference: str
    received_at: datetime
    reporter_kind: str
    persons: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A report with what each mention says and is found by, and what is kept of it: `people` as stored, and sealed.

    `raw` is what is kept of the source, sealed; `secrets` what is sealed of the mentions, with its look-up key.
    """

    report: OldReport
    said: Sequence[Said]
    people: Sequence[str]
    message: Id
    mentions: Sequence[Id]
    raw: bytes
    digest: bytes
    kek: str
    wrapped: bytes
    secrets: Sequence[tuple[Id, bytes, bytes | None]]


def prepare(reports: Iterable[OldReport], rules: Rules, region: bytes) -> list[Prepared]:
    """Read the mentions: the part of the work that needs no database."""
    found = []
    for report in reports:
        said = [Said.of(features(person, rules), rules, region) for person in report.persons]
        message, mentions = uuid7(), [uuid7() for _ in report.persons]
        key = new_key(message)
        raw = f'{{"kenmerk":{json.dumps(report.reference)},"betrokkenen":{_json(report.persons)}}}'.encode()
        parted = [vault.part_person(person) for person in report.persons]
        secrets = [
            (str(mention), closed, vault.look_up(kept))
            for mention, (kept, secret) in zip(mentions, parted, strict=True)
            if (closed := vault.sealed(key, secret, vault.person_place(mention)))
        ]
        found.append(
            Prepared(
                report,
                said,
                people=[_json(kept) for kept, _ in parted],
                message=str(message),
                mentions=[str(mention) for mention in mentions],
                raw=key.seal(raw, vault.raw_place(message)),
                digest=sha256(raw).digest(),
                kek=key.kek,
                wrapped=key.wrapped,
                secrets=secrets,
            )
        )
    return found


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class ChunkRegister:
    """The register as one chunk of reports sees it: read in two queries, and then added to (`learn`)."""

    region: bytes
    persons: int
    hits: dict[int, list[Id]]
    stored: dict[Id, str]
    decoded: dict[Id, Profile] = field(default_factory=dict)
    at_home: dict[Id, list[Id]] = field(default_factory=dict)
    changed: set[Id] = field(default_factory=set)
    new_keys: list[tuple[int, Id]] = field(default_factory=list)

    @classmethod
    def read(cls, db: Db, region: bytes, reports: Sequence[Prepared], limit: int) -> ChunkRegister:
        """Everybody who shares a key with a mention of these reports, and everybody in their households."""
        wanted = {key for one in reports for said in one.said for _, key in said.keys}
        hits = {
            row["key"]: found_persons(row)
            for row in db.execute(FIND, {"keys": sorted(wanted), "limit": limit}).fetchall()
        }
        near = {person for found in hits.values() for person in found} - {""}
        stored: dict[Id, str] = {}
        at_home: dict[Id, list[Id]] = {}
        # Twice: who is found by a key, and then his housemates, who may belong to another household as well.
        for _ in range(2):
            new = near - stored.keys()
            stored |= {row["id"]: row["profile"] for row in db.execute(PROFILES, (list(new),))}
            at_home |= {row["home"]: row["persons"].split(" ") for row in db.execute(_HOUSEMATES, (list(new),))}
            near = {person for found in at_home.values() for person in found}
        rest = near - stored.keys()
        stored |= {row["id"]: row["profile"] for row in db.execute(PROFILES, (list(rest),))}
        size = db.execute("SELECT persons FROM register_size WHERE region_id = %s", (UUID(bytes=region),)).fetchone()
        return cls(region, size["persons"] if size else 0, hits, stored, at_home=at_home)

    def find(self, keys: Collection[int], limit: int) -> dict[int, list[Id]]:
        hits = self.hits
        return {key: hits[key] for key in keys if key in hits}

    def profiles(self, persons: Collection[Id]) -> dict[Id, Profile]:
        return {person: known for person in persons if (known := self.profile(person))}

    def members(self, households: Collection[Id], already: Collection[Id]) -> dict[Id, Profile]:
        people = {person for home in households for person in self.at_home.get(home, ())}
        return self.profiles(people.difference(already))

    def profile(self, person: Id) -> Profile | None:
        """What is known of somebody; None when he is nobody any more."""
        known = self.decoded.get(person)
        if known is None and person in self.stored:
            known = self.decoded[person] = Profile.from_json(self.stored[person])
        return known

    def learn(self, person: Id, said: Said, home: Id | None, day: int) -> None:
        """From now on this mention is this person, who is new or known."""
        known = self.profile(person)
        if known is None:
            known = self.decoded[person] = Profile()
        known.add(said.features)
        self.changed.add(person)
        for key in block.chosen(said.keys):
            owners = self.hits.setdefault(key, [])
            if person not in owners:
                owners.append(person)
                self.new_keys.append((key, person))
        if home:
            known.seen(home, day, said.features.addresses)
            members = self.at_home.setdefault(home, [])
            if person not in members:
                members.append(person)


# A join with unnest, as rows.PROFILES.
_HOUSEMATES = """
SELECT b.household_id::text AS home, string_agg(DISTINCT b.person_id::text, ' ') AS persons FROM (
    SELECT DISTINCT m.household_id FROM unnest(%s::uuid[]) AS k (id) JOIN membership m ON m.person_id = k.id) AS h
JOIN membership b ON b.household_id = h.household_id GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Linked:
    """A mention with what became of it. `home`: the household that it makes somebody a member of."""

    said: Said
    person: Id | None
    home: Id | None
    decision: Decision


COLUMNS = {
    "message": "id, region_id, sender_id, channel, reference, received_at, raw, content_sha256, outcome, "
    "answer_status, answer_type, answer",
    "data_key": "id, region_id, kek, wrapped",
    "household": "id, region_id, created_at, founded_by",
    "person": "id, region_id, profile",
    "report": "id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, received_at, content, "
    "remarks, acute_signals, acute_rules, household_id, linked_at, state",
    "mention": "id, region_id, report_id, number, role_code, person",
    "mention_secret": "mention_id, region_id, sealed, bsn_key",
    "link": "id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set, created_at",
    "membership": "id, region_id, person_id, household_id, mention_id, valid_from",
    "seen_person": "id, profile",
    "new_key": "key, person_id",
}
_NULL = "\\N"
_COPY_SIGNS = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(slots=True)
class Rows:
    """The rows of a chunk, as lines of COPY text per table."""

    region: str
    sender: str
    rules: str
    ids: Iterator[Id] = field(default_factory=uuid7_texts)
    lines: dict[str, list[str]] = field(default_factory=lambda: {table: [] for table in COLUMNS})

    def add(self, table: str, *values: object) -> None:
        """One row. Text of others must have passed `_text`."""
        self.lines[table].append("\t".join([_NULL if one is None else str(one) for one in values]))

    def add_report(self, one: Prepared, mentions: Sequence[Linked], home: Id | None, *, founds: bool) -> Id:
        """The rows of one report and its mentions; gives the report. Without `mentions` it still has to be linked."""
        at, message, report = one.report.received_at, one.message, next(self.ids)
        when, day, reference = at.isoformat(), local_day(at).isoformat(), _text(one.report.reference)
        self.add(
            "message",
            message,
            self.region,
            self.sender,
            SOURCE,
            reference,
            when,
            _bytes(one.raw),
            _bytes(one.digest),
            "report",
            200,
            SOURCE,
            "",
        )
        self.add("data_key", message, self.region, one.kek, _bytes(one.wrapped))
        if founds and home:
            self.add("household", home, self.region, when, report)
        ids = (report, self.region, message, self.sender)
        kind, linked_at = _text(one.report.reporter_kind), when if mentions else None
        self.add("report", *ids, kind, reference, when, "{}", "[]", "[]", SOURCE, home, linked_at, "imported")
        for number, person in enumerate(one.people):
            mention = one.mentions[number]
            role = one.said[number].features.role
            self.add("mention", mention, self.region, report, number + 1, role, _text(person))
            if mentions:
                self._add_link(mention, mentions[number], when, day)
        for mention, closed, found in one.secrets:
            self.add("mention_secret", mention, self.region, _bytes(closed), _bytes(found) if found else None)
        return report

    def _add_link(self, mention: Id, linked: Linked, when: str, day: str) -> None:
        person, decision = linked.person, linked.decision
        if person is None:
            return
        reasons = _text(json.dumps(explain.reasons(decision), ensure_ascii=False))
        told = (decision.state, decision.outcome, decision.score if decision.state != "new" else 0.0, reasons)
        if decision.state == "proposed":
            self._link(mention, person, when, "new", "new", 0.0, "[]")
            person = str(decision.person)
        self._link(mention, person, when, *told)
        if linked.home:
            self.add("membership", next(self.ids), self.region, linked.person, linked.home, mention, day)

    def _link(self, mention: Id, person: Id, when: str, *told: object) -> None:
        self.add("link", next(self.ids), self.region, mention, person, *told, self.rules, when)

    def persons(self, profiles: Mapping[Id, Profile], which: Iterable[Id], known: Collection[Id]) -> None:
        """What is known of these persons from now on, who are in the register already or new."""
        for person in which:
            profile = _text(profiles[person].to_json())
            if person in known:
                self.add("seen_person", person, profile)
            else:
                self.add("person", person, self.region, profile)

    def keys(self, keys: Iterable[tuple[int, Id]]) -> None:
        """What persons can be found by from now on; in the order of the index, which then grows at its ends."""
        for key, person in sorted(keys):
            self.add("new_key", key, person)

    def write(self, db: Db) -> None:
        """All tables, those that others point to first."""
        db.execute("CREATE TEMP TABLE IF NOT EXISTS seen_person (id uuid, profile text) ON COMMIT DELETE ROWS")
        db.execute("CREATE TEMP TABLE IF NOT EXISTS new_key (key bigint, person_id uuid) ON COMMIT DELETE ROWS")
        db.execute("TRUNCATE seen_person, new_key")
        for table, columns in COLUMNS.items():
            if self.lines[table]:
                query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _columns(columns))
                with db.cursor() as cursor, cursor.copy(query) as copy:
                    copy.write("\n".join(self.lines[table]) + "\n")
        if self.lines["seen_person"]:
            db.execute("UPDATE person p SET profile = s.profile FROM seen_person s WHERE p.id = s.id")
        db.execute(
            "INSERT INTO person_key (key, person_id, region_id) SELECT key, person_id, %s FROM new_key "
            "ON CONFLICT DO NOTHING",
            (self.region,),
        )
        self.lines = {table: [] for table in COLUMNS}


def _columns(names: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names.split(", "))


def _bytes(value: bytes) -> str:
    return f"\\\\x{value.hex()}"


def _text(value: str) -> str:
    return value.translate(_COPY_SIGNS) if "\\" in value or not value.isprintable() else value


def link_chunk(db: Db, sender: UUID, region: UUID, reports: Sequence[Prepared], rules: Rules) -> int:
    """Link and store one chunk of reports, oldest first, in the caller's transaction; gives how many mentions.

    A reference of this sender that is there already is passed over: a chunk may be tried again.
    """
    db.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of(region),))
    reports = _not_there_yet(db, sender, reports)
    register = ChunkRegister.read(db, region.bytes, reports, rules.limits.persons_per_key + 1)
    rows = Rows(str(region), str(sender), rules.version)
    for one in reports:
        found = resolve(one.said, register, rules)
        home = found.household.household or (str(uuid7()) if found.members else None)
        linked = [
            Linked(said, _person_of(decision), home if number in found.members else None, decision)
            for number, (said, decision) in enumerate(zip(one.said, found.decisions, strict=True))
        ]
        rows.add_report(one, linked, home, founds=found.household.household is None)
        day = local_day(one.report.received_at).toordinal()
        for mention in linked:
            if mention.person:
                register.learn(mention.person, mention.said, mention.home, day)
    rows.persons(register.decoded, register.changed, register.stored)
    rows.keys(register.new_keys)
    rows.write(db)
    return sum(len(one.said) for one in reports)


def _not_there_yet(db: Db, sender: UUID, reports: Sequence[Prepared]) -> list[Prepared]:
    known = {
        row["reference"]
        for row in db.execute(
            "SELECT reference FROM message WHERE sender_id = %s AND reference = ANY(%s) AND outcome = 'report'",
            (sender, [one.report.reference for one in reports]),
        )
    }
    return [one for one in reports if one.report.reference not in known]


def _person_of(decision: Decision) -> Id | None:
    if decision.outcome == "outside":
        return None
    return decision.person if decision.state == "automatic" and decision.person else str(uuid7())
