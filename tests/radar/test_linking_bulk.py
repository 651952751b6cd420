"""Bulk is one by one, only quicker: the same persons, links, households, profiles and keys, whatever the chunks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db, connection_options
from core.ids import uuid7
from intake import opening
from radar.linking import register
from radar.linking.bulk import ChunkRegister, OldReport, Rows, link_chunk, prepare
from radar.linking.profile import Profile
from radar.linking.rows import StoredRegister
from radar.linking.rules import Rules
from tests.radar.test_hard_cases import Region, one_database, rules_for
from workers.engines import EmbeddedPostgres
from workers.register_file import person as betrokkene

RULES = rules_for(100_000)
START = datetime(2021, 3, 1, 9, 30, tzinfo=UTC)

Line = dict[str, str]


REGION = uuid7()
"""Of every register here: blocking keys are hashed with the region, and then compared."""

Fresh = Callable[[], Region]


@pytest.fixture
def fresh(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Fresh]:
    """Makes the same empty region again and again, each in a database of its own."""
    with ExitStack() as stack:

        def make() -> Region:
            url = stack.enter_context(one_database(postgres, migrated_template))
            db = stack.enter_context(psycopg.connect(url, **connection_options(60_000)))
            return Region(db, RULES, REGION)

        yield make


@pytest.fixture(scope="module")
def db(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[Db]:
    with (
        one_database(postgres, migrated_template) as url,
        psycopg.connect(url, **connection_options(60_000)) as connection,
    ):
        yield connection


# ── an old register, invented ───────────────────────────────────────────────────────────────────────────────

SURNAMES = (
    ("", "Voorbeeld"), ("van den", "Zandbergh"), ("", "El Amrani"), ("de", "Proefland"), ("", "Kowalczyk"),
    ("ter", "Testvoort"), ("", "Yilmaz"), ("van", "Denkbeeld"),
)  # fmt: skip
GIVEN = ("Jan", "Maria", "Fatima", "Pieter", "Anna", "Mehmet", "Sara", "Lucas", "Noor", "Daan", "Zofia", "Bram")
STREETS = ("Proefweg", "Testlaan", "Voorbeeldstraat", "Denkpad")


@dataclass(slots=True)
class Somebody:
    """One who lives somewhere; `said` is what a full line says."""

    said: Line
    truth: str


@dataclass(slots=True)
class Family:
    """People of one address, which changes when they move."""

    name: str
    people: list[Somebody] = field(default_factory=list)


def bsn(number: int) -> str:
    """A number that starts with 9 and passes the 11-test."""
    while True:
        digits = [int(digit) for digit in f"9{number:07}"]
        last = sum(digit * weight for digit, weight in zip(digits, range(9, 1, -1), strict=True)) % 11
        if last < 10:
            return "".join(map(str, [*digits, last]))
        number += 1


def families(random: Random, number: int) -> list[Family]:
    """Parents and children; twins, a father and son of one name, relatives of one surname next door."""
    found = []
    for index in range(number):
        prefix, surname = SURNAMES[index % len(SURNAMES)]
        family = Family(f"H{index}")
        home = address(index)
        born = random.randrange(1970, 1992)
        for place in range(random.randrange(2, 6)):
            parent = place < 2
            twin = place == 4
            year = born + place if parent else 2008 + place + index % 5
            given = family.people[0].said["voornamen"] if place == 2 and index % 4 == 0 else random.choice(GIVEN)
            said = {
                "role": random.choice(("pleger", "slachtoffer")) if parent else "kind",
                "voornamen": given, "voorvoegsel": prefix, "geslachtsnaam": surname,
                "geslacht": random.choice("MV"),
                "geboortedatum": family.people[3].said["geboortedatum"] if twin
                else f"{year}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
                "bsn": bsn(index * 1000 + place * 37) if random.random() < 0.7 else "",
                "telefoon": f"06{40_000_000 + index * 100 + place}" if parent else "",
            }  # fmt: skip
            family.people.append(Somebody(said | home, f"P{index}-{place}"))
        found.append(family)
    return found


def address(index: int) -> Line:
    """Two families share a street and stand next door to each other."""
    return {
        "straat": STREETS[index // 2 % len(STREETS)],
        "huisnummer": str(10 + index),
        "postcode": f"{1000 + index // 2}AB",
        "woonplaats": "Voorbeeldstad",
    }


LOST = ("voornamen", "geboortedatum", "bsn", "straat", "huisnummer", "postcode", "telefoon", "geslacht", "role")


def register_lines(number: int = 100, seed: int = 1) -> list[Line]:
    """The lines of an old register, in order of time: reports that come back, moves, missing and wrong fields."""
    random = Random(seed)
    known = families(random, number // 8 + 2)
    made: list[Line] = []
    at = START
    for report in range(number):
        at += timedelta(hours=random.randrange(1, 90))
        family = random.choice(known)
        if random.random() < 0.1:
            home = address(random.randrange(1000))
            for one in family.people:
                one.said |= home
        people = random.sample(family.people, random.randrange(1, len(family.people) + 1))
        for one in people:
            line = one.said | dict.fromkeys(random.sample(LOST, random.choice((0, 0, 1, 2, 4))), "")
            if random.random() < 0.1:
                line["voornamen"] = line["voornamen"][:1]
            made.append(_line(line, report, at, len(made)) | {"truth": one.truth, "household": family.name})
        if random.random() < 0.15:
            teacher = {"role": "413", "voornamen": "Ineke", "geslachtsnaam": "Meester"}
            made.append(_line(teacher, report, at, len(made)) | {"truth": f"teacher-{report}", "household": "none"})
    return made


def _line(said: Line, report: int, at: datetime, record: int) -> Line:
    source = {"record_id": str(record), "report_id": f"oud-{report}", "source_type": "politie"}
    return source | {"report_ts": at.isoformat()} | said


def old_reports(lines: Sequence[Line]) -> list[OldReport]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line["report_id"], []).append(line)
    return [
        OldReport(name, datetime.fromisoformat(own[0]["report_ts"]), own[0]["source_type"], [*map(betrokkene, own)])
        for name, own in found.items()
    ]


# ── two ways to load it ─────────────────────────────────────────────────────────────────────────────────────


def in_bulk(region: Region, reports: Sequence[OldReport], chunk: int, rules: Rules = RULES) -> None:
    source = iter(reports)
    while part := list(islice(source, chunk)):
        prepared = prepare(part, rules, region.id.bytes)
        with region.db.transaction():
            link_chunk(region.db, region.sender, region.id, prepared, rules)


def one_by_one(region: Region, reports: Sequence[OldReport], rules: Rules = RULES) -> None:
    """As the worker does: received first, and linked by itself."""
    for one in reports:
        out = Rows(str(region.id), str(region.sender), rules.version)
        [prepared] = prepare([one], rules, region.id.bytes)
        report = out.add_report(prepared, (), None, founds=False)
        with region.db.transaction():
            out.write(region.db)
        with region.db.transaction():
            register.link_report(region.db, UUID(report), one.received_at, rules)


# ── what the register says, without its ids ─────────────────────────────────────────────────────────────────

_LINKS = """
SELECT g.reference || '/' || m.number AS mention, m.role_code, m.person AS said, l.person_id::text AS person, l.state,
    l.outcome, l.score, l.reasons, l.rule_set, l.created_at,
    (SELECT count(*) FROM task t WHERE t.subject_id = l.id AND t.kind = 'review_link') AS tasks
FROM mention m JOIN report r ON r.id = m.report_id JOIN message g ON g.id = r.message_id
LEFT JOIN link l ON l.mention_id = m.id WHERE m.region_id = %s ORDER BY mention, l.state
"""
_REPORTS = """
SELECT g.reference, r.household_id::text AS home, r.linked_at, r.received_at, r.reporter_kind
FROM report r JOIN message g ON g.id = r.message_id WHERE r.region_id = %s
"""
_HOMES = """
SELECT h.id::text AS id, g.reference, h.created_at FROM household h JOIN report r ON r.id = h.founded_by
JOIN message g ON g.id = r.message_id WHERE h.region_id = %s
"""
_MEMBERS = """
SELECT b.person_id::text AS person, b.household_id::text AS home, g.reference || '/' || m.number AS mention,
    b.valid_from, b.valid_to
FROM membership b JOIN mention m ON m.id = b.mention_id JOIN report r ON r.id = m.report_id
JOIN message g ON g.id = r.message_id WHERE b.region_id = %s
"""
_PERSONS = """
SELECT p.id::text AS id, p.profile, ARRAY(SELECT k.key FROM person_key k WHERE k.person_id = p.id ORDER BY 1) AS keys
FROM person p WHERE p.region_id = %s
"""
ACTIVE = ("new", "automatic", "confirmed")


def picture(region: Region) -> dict[str, Any]:
    """Everything the radar keeps; a person is called after his first mention, a household after its first report."""

    def rows(query: Any) -> list[dict[str, Any]]:
        return region.db.execute(query, (region.id,)).fetchall()

    links, persons = rows(_LINKS), rows(_PERSONS)
    homes = {row["id"]: row["reference"] for row in rows(_HOMES)} | {None: None}
    names: dict[str, str] = {}
    for row in links:
        if row["state"] in ACTIVE:
            names[row["person"]] = min(row["mention"], names.get(row["person"], "~"))
    assert names.keys() == {row["id"] for row in persons}, "a person without a mention"
    return {
        "links": sorted(
            [
                {
                    **row,
                    "person": row["state"] in ACTIVE and names[row["person"]],
                    "score": round(row["score"] or 0, 3),
                }
                for row in links
            ],
            key=lambda row: (row["mention"], str(row["state"])),
        ),
        "asked": {row["mention"]: names[row["person"]] for row in links if row["state"] == "proposed"},
        "reports": {row.pop("reference"): row | {"home": homes[row["home"]]} for row in rows(_REPORTS)},
        "homes": {row["reference"]: row["created_at"] for row in rows(_HOMES)},
        "members": sorted(
            (row["mention"], names[row["person"]], homes[row["home"]], row["valid_from"], row["valid_to"])
            for row in rows(_MEMBERS)
        ),
        "profiles": {names[row["id"]]: named(row["profile"], homes) for row in persons},
        "keys": {names[row["id"]]: row["keys"] for row in persons},
    }


def named(profile: str, homes: dict[str, str]) -> list[Any]:
    """A profile with the households called by their names."""
    *rest, own = json.loads(profile)
    return [*rest, sorted([homes[home], *more] for home, *more in own)]


def same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """All parts alike. Of two who are equally likely (the scores are compared) either may be asked about."""
    for part in ("homes", "reports", "links", "members", "profiles", "keys"):
        one, other = found[part], expected[part]
        if isinstance(one, dict):
            one, other = sorted(one.items(), key=repr), sorted(other.items(), key=repr)
        assert ([row for row in one if row not in other], [row for row in other if row not in one]) == ([], []), part
        assert len(one) == len(other), part
    asked, wanted = found["asked"], expected["asked"]
    assert asked.keys() == wanted.keys()
    assert sum(asked[mention] != wanted[mention] for mention in asked) <= len(asked) // 10


def states(one: dict[str, Any]) -> dict[str | None, int]:
    found = [row["state"] for row in one["links"]]
    return {state: found.count(state) for state in set(found)}


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_chunks_the_outcome_is_that_of_one_by_one(fresh: Fresh, seed: int) -> None:
    reports = old_reports(register_lines(120, seed))
    region = fresh()
    one_by_one(region, reports)
    expected = picture(region)
    # It is worth comparing: people came back, some are asked about, some are not of the family.
    assert states(expected)["automatic"] > 100
    assert states(expected)["proposed"] > 3
    assert states(expected)[None] > 5
    assert len(expected["homes"]) < len(reports) / 2
    for chunk in (1, 7, len(reports)):
        region = fresh()
        in_bulk(region, reports, chunk)
        same(picture(region), expected)


def test_a_chunk_continues_on_what_was_linked_one_by_one_and_the_other_way_round(fresh: Fresh) -> None:
    reports = old_reports(register_lines(60, 3))
    found = []
    for ways in ((one_by_one, one_by_one), (one_by_one, bulk_of_9), (bulk_of_9, one_by_one)):
        region = fresh()
        ways[0](region, reports[:30])
        ways[1](region, reports[30:])
        found.append(picture(region))
    same(found[1], found[0])
    same(found[2], found[0])


def test_two_chunks_in_one_transaction_are_two_chunks(fresh: Fresh) -> None:
    reports = old_reports(register_lines(40, 8))
    region, other = fresh(), fresh()
    in_bulk(region, reports, 7)
    with other.db.transaction():
        in_bulk(other, reports, 7)
    same(picture(other), picture(region))


def bulk_of_9(region: Region, reports: Sequence[OldReport]) -> None:
    in_bulk(region, reports, 9)


def test_a_report_that_is_there_already_is_passed_over(db: Db) -> None:
    reports = old_reports(register_lines(40, 4))
    region = Region(db, RULES)
    in_bulk(region, reports[:25], 10)
    in_bulk(region, reports, 10)
    found = picture(region)
    assert found["reports"].keys() == {one.reference for one in reports}
    in_bulk(region, reports, len(reports))
    assert picture(region) == found


def test_the_rows_of_a_chunk_come_together_or_not_at_all(db: Db) -> None:
    reports = old_reports(register_lines(20, 5))
    region = Region(db, RULES)
    in_bulk(region, reports[:10], 10)
    before = picture(region)
    wrong = OldReport("oud-99", reports[-1].received_at, "politie", [{"naam": {"geslachtsnaam": "N\0L"}}])
    with pytest.raises(psycopg.DataError):
        in_bulk(region, [*reports[10:], wrong], 100)
    assert picture(region) == before


# ── text as it was ──────────────────────────────────────────────────────────────────────────────────────────

AWKWARD = (
    "Tab\there", "new\nline", "return\r\nline", "back\\slash \\N \\. \\t", 'quote " and \' and ,', "Ünïcødé ć ğ ţ",
    "\\.", "\\N", "{curly}", "null", "%s %(x)s $1", "emoji 🙂", "\u2028 separator", "right\u200eto left", "\x01\x1f",
)  # fmt: skip


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_arrives_unchanged(db: Db, text: str) -> None:
    region = Region(db, RULES)
    said = {"naam": {"voornamen": text, "geslachtsnaam": f"{text} Voorbeeld"}, "rol": {"code": "111"}}
    in_bulk(region, [OldReport(f"ref {text}", START, f"soort {text}", [said, said])], 1)
    row = db.execute(
        "SELECT g.id, g.raw, g.content_sha256, g.reference, r.reporter_kind, r.reference_of_reporter, "
        "array_agg(m.person ORDER BY m.number) AS said FROM message g JOIN report r ON r.message_id = g.id "
        "JOIN mention m ON m.report_id = r.id WHERE g.region_id = %s GROUP BY g.id, r.id",
        (region.id,),
    ).fetchone()
    assert row
    assert row["said"] == [said, said]
    raw = opening.raw(db, row["id"], bytes(row["raw"]))
    assert json.loads(raw) == {"kenmerk": f"ref {text}", "betrokkenen": [said, said]}
    assert bytes(row["content_sha256"]) == hashlib.sha256(raw).digest()
    assert row["reference"] == row["reference_of_reporter"] == f"ref {text}"
    assert row["reporter_kind"] == f"soort {text}"


# ── the register as a chunk sees it ─────────────────────────────────────────────────────────────────────────


def somebody(given: str, surname: str, birth: str, **more: Any) -> dict[str, Any]:
    return {
        "naam": {"voornamen": given, "geslachtsnaam": surname},
        "geboortedatum": {"tekst": birth},
        "rol": {"code": "115"},
    } | more


def test_who_is_learned_of_in_a_chunk_brings_all_his_households(fresh: Fresh) -> None:
    """A child of two homes, linked in a chunk by its company only, is then found with both its homes."""
    region = fresh()
    child, mother, father = (
        somebody("Saar", "Voorbeeld", "20120304"),
        somebody("Mia", "Proefland", "19820708"),
        somebody("Jan", "Zandbergh", "19800910"),
    )
    in_bulk(region, [OldReport("at mother's", START, "politie", [child, mother])], 1)
    in_bulk(region, [OldReport("at father's", START, "politie", [father])], 1)
    girl, mothers, fathers = (
        whose(region, "at mother's"),
        home_of(region, "at mother's"),
        home_of(region, "at father's"),
    )
    join(region, girl, fathers)
    sign = {"naam": {"voornamen": "Saar"}, "telefoonnummers": ["0641414141"]}
    prepared = prepare([OldReport("later", START, "politie", [father, sign])], RULES, region.id.bytes)
    chunk = ChunkRegister.read(region.db, region.id.bytes, prepared, 100)
    chunk.learn(str(girl), prepared[0].said[1], fathers, START.toordinal())
    assert mothers in chunk.profile(str(girl)).households
    stored = StoredRegister(region.db, region.id.bytes, 0, RULES)
    assert chunk.members([mothers], ()).keys() == stored.members([mothers], ()).keys()


def join(region: Region, person: UUID, home: str) -> None:
    """He is a member of this household too, as his profile says."""
    row = region.db.execute("SELECT profile FROM person WHERE id = %s", (person,)).fetchone()
    assert row
    profile = Profile.from_json(row["profile"])
    profile.seen(home, START.toordinal(), ())
    region.db.execute("UPDATE person SET profile = %s WHERE id = %s", (profile.to_json(), person))
    region.db.execute(
        "INSERT INTO membership (id, region_id, person_id, household_id, mention_id, valid_from) "
        "SELECT %s, region_id, person_id, %s, mention_id, valid_from FROM membership WHERE person_id = %s",
        (uuid7(), home, person),
    )


def whose(region: Region, reference: str) -> UUID:
    """The first person of a report."""
    row = region.db.execute(
        "SELECT l.person_id FROM link l JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id "
        "WHERE r.reference_of_reporter = %s AND m.number = 1 AND l.state IN ('new', 'automatic')",
        (reference,),
    ).fetchone()
    assert row
    found: UUID = row["person_id"]
    return found


def home_of(region: Region, reference: str) -> str:
    row = region.db.execute(
        "SELECT household_id FROM report WHERE reference_of_reporter = %s", (reference,)
    ).fetchone()
    assert row
    return str(row["household_id"])


def test_a_person_who_is_nobody_any_more_is_no_candidate(db: Db) -> None:
    """Between reading the keys and reading the profiles somebody may be moved to another person."""
    region = Region(db, RULES)
    first, second = old_reports(register_lines(2, 6))
    in_bulk(region, [first], 1)
    people = [row["id"] for row in db.execute("SELECT id FROM person WHERE region_id = %s", (region.id,))]
    assert people
    db.execute("UPDATE person SET profile = NULL WHERE id = ANY(%s)", (people,))
    again = OldReport("again", second.received_at, "politie", first.persons)
    in_bulk(region, [again], 1)
    row = db.execute(
        "SELECT bool_and(l.person_id <> ALL(%s)) AS other, bool_and(l.state = 'new') AS new FROM link l "
        "JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id "
        "JOIN message g ON g.id = r.message_id WHERE g.reference = 'again' AND g.region_id = %s",
        (people, region.id),
    ).fetchone()
    assert row == {"other": True, "new": True}


def test_regions_do_not_find_each_others_people(db: Db) -> None:
    reports = old_reports(register_lines(20, 7))
    one, other = Region(db, RULES), Region(db, RULES, sender=uuid7())
    in_bulk(one, reports, 20)
    before = picture(one)
    in_bulk(other, reports, 20)
    assert picture(one) == before
    assert states(picture(other)) == states(before)
