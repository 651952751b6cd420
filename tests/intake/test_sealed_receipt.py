"""What a copy of the database tells after receipt, linking and an import: no BSN, no reporter, no raw message."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from psycopg import AsyncConnection, _queries

from core import sealing
from core.database import Db, connection_options
from core.ids import uuid7
from intake import opening, senders, store, vault
from intake.corv import door
from intake.corv.write import write_report
from intake.message import ReportMessage
from intake.sample import CHILD, MOTHER, POLICE_OIN, VEILIG_THUIS_OIN, sample_json
from radar.linking import register
from radar.linking.bulk import OldReport
from radar.linking.normalise import features
from workers import import_register, seal, verify
from workers.cli import main

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
BSN, OTHER_BSN, THIRD_BSN, WRONG_BSN = "999993653", "950003309", "959083017", "999993654"
OFFICER, PHONE, MAIL, USER = "Quirine Zwartkruis", "06-87654321", "q.zwartkruis@politie.example", "qzwartkruis77"
NEIGHBOUR, NEIGHBOUR_STREET = "Buitenhek", "Kraaienlaantje"
ONLY_IN_RAW = "klare-taal-canarie"
CANARIES = (BSN, OTHER_BSN, THIRD_BSN, WRONG_BSN, OFFICER, "Zwartkruis", "87654321", MAIL, USER, NEIGHBOUR,
            NEIGHBOUR_STREET, ONLY_IN_RAW)  # fmt: skip

RELATION = {"persoon": {"bsn": OTHER_BSN, "naam": {"volledigeNaam": "Noor"}}, "omschrijving": "zus"}
TOLD = {"persoon": {"bsn": THIRD_BSN, "naam": {"volledigeNaam": "Sam"}}, "wijze": "mondeling"}
MELDER = {
    "rol": {"tekst": "melder", "code": "391"},
    "naam": {"voornamen": "Xaveria", "geslachtsnaam": NEIGHBOUR},
    "bsn": OTHER_BSN,
    "adressen": [{"soort": "feitelijk", "straat": NEIGHBOUR_STREET, "huisnummer": "3", "postcode": "1234AB"}],
}
PERSONS = [MOTHER | {"relaties": [RELATION]}, CHILD | {"bsn": WRONG_BSN, "geenWaardeReden": {}}, MELDER]


def changes(reference: str = "c0ffee00-0000-4000-8000-000000000001") -> dict[str, Any]:
    return {
        "bericht": {"referentienummer": reference, "zender": {"gebruiker": USER}},
        "melding": {
            "kenmerk": reference,
            "contact": {"naam": OFFICER, "emails": [MAIL], "telefoonnummers": [PHONE]},
            "informeringen": [TOLD],
        },
        "betrokkenen": PERSONS,
    }


@pytest.fixture
def region(db: Db) -> UUID:
    found = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio A', %s)", (found, VEILIG_THUIS_OIN))
    return found


async def deliver(url: str, token: str, *bodies: bytes) -> list[str]:
    """Send these to the StUF door; what was made of each."""
    async with await AsyncConnection.connect(url, **connection_options()) as feed:
        senders.forget()
        sender = await senders.authenticate(feed, token, None)
        return [(await door.deliver(feed, sender, body)).kept for body in bodies]


@pytest.fixture
def received(db: Db, database_url: str, region: UUID) -> list[bytes]:
    """A report, and a message that nobody can read, both received; the report linked."""
    with db.transaction():
        token = senders.add(db, region, POLICE_OIN, "Politie", "politie")
    good = write_report(ReportMessage.from_json(sample_json(changes())))
    good = good.replace(b"?>", f"?><!-- {ONLY_IN_RAW} -->".encode(), 1)
    bad = good.replace(b"heeftBetrokken", b"heeftVergeten").replace(b"c0ffee00", b"c0ffee01")
    assert asyncio.run(deliver(database_url, token, good, bad)) == ["report", "quarantine"]
    row = db.execute("SELECT id FROM report").fetchone()
    assert row
    with db.transaction():
        register.link_report(db, row["id"], AT)
    return [good, bad]


def values(db: Db) -> Iterator[tuple[str, str]]:
    """Every value of every row of every table, as a dump writes it; bytes also as text."""
    tables = db.execute("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'")
    for table in [row["name"] for row in tables.fetchall()]:
        for row in db.execute(f'SELECT * FROM "{table}"').fetchall():
            for column, value in row.items():
                if isinstance(value, bytes | memoryview):
                    yield f"{table}.{column}", bytes(value).decode("latin-1")
                elif value is not None:
                    yield f"{table}.{column}", json.dumps(value, default=str, ensure_ascii=False)


def test_no_table_holds_a_BSN_the_reporter_or_a_raw_message(db: Db, received: list[bytes]) -> None:
    tables = {place.split(".")[0] for place, _ in values(db)}
    assert {"message", "report", "mention", "quarantine", "link", "person", "audit_entry", "job", "task"} <= tables
    found = {(place, canary) for place, text in values(db) for canary in CANARIES if canary in text}
    assert found == set()


def test_the_canaries_would_be_found_if_they_stood_there(db: Db, received: list[bytes]) -> None:
    row = db.execute("SELECT id, raw FROM message WHERE outcome = 'report'").fetchone()
    assert row
    raw = opening.raw(db, row["id"], bytes(row["raw"])).decode()
    assert [canary for canary in CANARIES if canary not in raw] == []


def test_an_imported_register_holds_no_BSN_either(db: Db, region: UUID) -> None:
    old = [OldReport(f"oud {number}", AT, "politie", PERSONS) for number in range(3)]
    assert sum(import_register.load_all(db, region, old)) == 3
    secret = (BSN, OTHER_BSN, WRONG_BSN, NEIGHBOUR, NEIGHBOUR_STREET)
    assert {(place, one) for place, text in values(db) for one in secret if one in text} == set()
    row = db.execute("SELECT id FROM report LIMIT 1").fetchone()
    assert row
    assert opening.persons(db, row["id"]) == PERSONS
    assert [finding.text for finding in verify.verify(db) if finding.breaches] == []


def test_what_was_sealed_comes_back_exactly(db: Db, received: list[bytes]) -> None:
    rows = db.execute("SELECT id, raw, content_sha256 FROM message ORDER BY received_at, id").fetchall()
    opened = [opening.raw(db, row["id"], bytes(row["raw"])) for row in rows]
    assert opened == received
    assert [bytes(row["content_sha256"]) for row in rows] == [sha256(body).digest() for body in received]
    report = db.execute("SELECT id FROM report").fetchone()
    assert report
    sent = ReportMessage.from_json(sample_json(changes())).to_json()
    assert [_without_codes(one) for one in opening.persons(db, report["id"])] == [
        _without_codes(one) for one in sent["betrokkenen"]
    ]
    who = opening.identity(db, report["id"])
    assert who["contact"]["naam"] == OFFICER
    assert who["contact"]["emails"] == [MAIL]
    assert who["gebruiker"] == USER
    assert [one["persoon"]["bsn"] for one in opening.informings(db, report["id"])] == [THIRD_BSN]


def _without_codes(person: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the StUF edge adds."""
    return {name: value for name, value in person.items() if name in ("bsn", "naam", "relaties", "rol")}


def test_the_numbers_can_be_found_by_their_key_and_by_nothing_else(db: Db, received: list[bytes]) -> None:
    said = {"bsn": BSN}
    key = bytes.fromhex(features(said).bsn)
    rows = db.execute(
        "SELECT m.number, m.person FROM mention_secret s JOIN mention m ON m.id = s.mention_id WHERE s.bsn_key = %s",
        (key,),
    ).fetchall()
    assert [row["number"] for row in rows] == [1]
    assert rows[0]["person"]["bsnStatus"] == "valid"
    assert rows[0]["person"]["bsnEinde"] == "653"
    wrong = db.execute("SELECT person FROM mention WHERE number = 2").fetchone()
    assert wrong
    assert (wrong["person"]["bsnStatus"], wrong["person"].get("bsnSleutel")) == ("invalid", None)


def test_the_door_may_write_what_receipt_writes_and_read_nothing_of_it(db: Db, database_url: str) -> None:
    rights = db.execute(
        "SELECT t AS name, has_table_privilege('veilig_door', t, 'INSERT') AS puts,"
        " has_any_column_privilege('veilig_door', t, 'SELECT') AS reads FROM unnest(%s::text[]) AS t",
        (["data_key", "mention_secret", "reporter_secret"],),
    ).fetchall()
    assert {(row["puts"], row["reads"]) for row in rights} == {(True, False)}
    raw = db.execute("SELECT has_column_privilege('veilig_door', 'message', 'raw', 'SELECT') AS may").fetchone()
    assert raw == {"may": False}


def test_the_statement_of_receipt_is_short_enough_to_be_remembered() -> None:
    """psycopg reads a longer one, or one with more parameters, anew at each call: a tenth of the feed's work."""
    for statement in store._STATEMENTS.values():
        assert len(statement) <= _queries.MAX_CACHED_STATEMENT_LENGTH
        assert len(set(re.findall(r"%\((\w+)\)s", statement))) <= _queries.MAX_CACHED_STATEMENT_PARAMS


# ── linking reads the same ──────────────────────────────────────────────────────────────────────────────────

NUMBERS = st.sampled_from(
    [BSN, OTHER_BSN, "999 99.36-53", "000000000", "999999999", "", "12345678", WRONG_BSN, "abc", "099993653"]
)
PEOPLE = st.builds(
    lambda bsn, first, last, phone: {
        "bsn": bsn,
        "naam": {"voornamen": first, "geslachtsnaam": last},
        "telefoonnummers": [phone],
        "rol": {"code": "112"},
        "relaties": [{"persoon": {"bsn": bsn}}],
    },
    NUMBERS,
    st.text(max_size=12),
    st.text(max_size=12),
    st.text(max_size=12),
)


LEAF = st.none() | st.booleans() | st.text(max_size=5)
JSON = LEAF | st.lists(LEAF) | st.dictionaries(st.text(max_size=5), LEAF | st.lists(LEAF))


@given(PEOPLE)
def test_the_linker_reads_a_parted_person_as_it_read_the_whole(person: dict[str, Any]) -> None:
    kept, secret = vault.part_person(person)
    assert features(kept) == features(person)
    assert vault.whole_person(kept, secret) == person
    assert vault.part_person(kept) == (kept, {})


@given(JSON)
def test_what_says_nothing_of_reporter_or_number_stays_as_it_is(value: Any) -> None:
    content = {"incident": {"omschrijving": value}, "situatie": {"extra": value}}
    parted = vault.part(content, [])
    assert (parted.content, parted.identity, parted.numbers) == (content, {}, {})


def test_an_unknown_element_that_names_the_reporter_goes_with_him() -> None:
    kept, told = {"pad": "JZ:iets", "xml": "<a>groen</a>"}, {"pad": "JZ:anders", "xml": f"<b>{OFFICER}</b>"}
    inside = {"pad": "JZ:contactgegevensVerdiepingOpInfo/x", "xml": "<c>toestel 3</c>"}
    content = {"melding": {"contact": {"naam": OFFICER}}, "onbekend": [kept, told, inside]}
    parted = vault.part(content, [])
    assert parted.content["onbekend"] == [kept]
    assert parted.identity["onbekend"] == [told, inside]
    assert parted.content["inKluis"] == ["contact", "onbekend"]


# ── what was there before ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def plain(db: Db, region: UUID) -> UUID:
    """A report as it stood before sealing; gives its id."""
    message, report, sender = uuid7(), uuid7(), uuid7()
    whole = ReportMessage.from_json(sample_json(changes("oud"))).to_json()
    persons = whole.pop("betrokkenen")
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Politie', 'politie')",
        (sender, region, POLICE_OIN),
    )
    db.execute(
        "INSERT INTO message (id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome,"
        " answer_status, answer_type, answer) VALUES (%s, %s, %s, 'import', %s, %s, %s, 'report', 200, '', '')",
        (message, region, sender, AT, ONLY_IN_RAW.encode(), sha256(ONLY_IN_RAW.encode()).digest()),
    )
    db.execute(
        "INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, received_at,"
        " content, remarks, acute_signals, acute_rules, state) VALUES (%s, %s, %s, %s, 'politie', 'oud', %s, %s,"
        " '[]', '[]', '1', 'imported')",
        (report, region, message, sender, AT, json.dumps(whole)),
    )
    for number, person in enumerate(persons, start=1):
        db.execute(
            "INSERT INTO mention (id, region_id, report_id, number, person) VALUES (%s, %s, %s, %s, %s)",
            (uuid7(), region, report, number, json.dumps(person)),
        )
    return report


def test_what_came_before_sealing_is_read_as_it_stands(db: Db, plain: UUID) -> None:
    sent = ReportMessage.from_json(sample_json(changes("oud"))).to_json()["betrokkenen"]
    assert opening.persons(db, plain) == sent
    assert opening.identity(db, plain)["contact"]["naam"] == OFFICER
    assert opening.identity(db, plain)["personen"] == [sent[2]]


def test_verify_counts_what_is_still_plain(db: Db, plain: UUID) -> None:
    assert own_rules(db) == {
        "each raw message is sealed (`veilig seal` seals what came in before)": 1,
        "no citizen service number and no reporter stands plain beside a report": 3,
        "who reported is sealed": 1,
        "each message has its data key, there or destroyed": 0,
        "the stored bytes of each message have the hash stored beside them": 0,
    }


def own_rules(db: Db) -> dict[str, int]:
    """The rules on what is sealed at receipt, each with its breaches."""
    begins = ("each raw message is", "no citizen", "who reported", "each message has its data", "the stored bytes of")
    return {one.text: one.breaches for one in verify.verify(db) if one.text.startswith(begins)}


def test_seal_seals_what_came_before_and_once(db: Db, plain: UUID) -> None:
    before, identity = opening.persons(db, plain), opening.identity(db, plain)
    linked = [features(row["person"]) for row in db.execute("SELECT person FROM mention ORDER BY number").fetchall()]
    assert seal.left(db) == 2
    result = CliRunner().invoke(main, ["seal"])
    assert result.exit_code == 0, result.output
    assert {(place, one) for place, text in values(db) for one in CANARIES if one in text} == set()
    assert seal.left(db) == 0
    assert opening.persons(db, plain) == before
    assert opening.identity(db, plain) == identity
    after = [features(row["person"]) for row in db.execute("SELECT person FROM mention ORDER BY number").fetchall()]
    assert after[:2] == linked[:2]
    assert list(own_rules(db).values()) == [0] * 5
    again = db.execute("SELECT id, raw FROM message").fetchall()
    assert CliRunner().invoke(main, ["seal"]).exit_code == 0
    assert db.execute("SELECT id, raw FROM message").fetchall() == again
    rows = db.execute("SELECT object_kind, details FROM audit_entry WHERE action = 'vault.seal'").fetchall()
    assert [(row["object_kind"], row["details"]) for row in rows] == [
        ("message", {"count": 1}),
        ("report", {"count": 1}),
    ]


def test_a_message_may_be_sealed_and_nothing_else(db: Db, plain: UUID) -> None:
    refused = (
        "UPDATE message SET raw = 'changed'",
        "UPDATE message SET raw = ''",
        "UPDATE message SET content_sha256 = sha256('x')",
        "UPDATE message SET raw = decode('00767473', 'hex'), reference = 'x'",
        "DELETE FROM message",
    )
    for query in refused:
        with pytest.raises(psycopg.errors.IntegrityError, match="never changed"):
            db.execute(query)


def test_once_its_key_is_destroyed_a_message_may_be_emptied(db: Db, received: list[bytes]) -> None:
    message = db.execute("SELECT id FROM message WHERE outcome = 'report'").fetchone()
    assert message
    sealing.destroy_key(db, message["id"], AT)
    db.execute("UPDATE message SET raw = '' WHERE id = %s", (message["id"],))
    assert list(own_rules(db).values()) == [0] * 5


def test_a_changed_or_swapped_raw_message_is_found_by_verify(db: Db, received: list[bytes]) -> None:
    one, other = db.execute("SELECT id, raw FROM message ORDER BY id").fetchall()
    db.execute("UPDATE message SET raw = %s WHERE id = %s", (bytes(other["raw"]), one["id"]))
    changed = bytearray(bytes(other["raw"]))
    changed[-1] ^= 1
    db.execute("UPDATE message SET raw = %s WHERE id = %s", (bytes(changed), other["id"]))
    (finding,) = [one for one in verify.verify(db) if "hash stored beside" in one.text]
    assert (finding.checked, finding.breaches) == (2, 2)
