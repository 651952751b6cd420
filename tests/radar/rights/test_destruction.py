"""Destruction: two persons, one person's data everywhere, the file of the others whole, and no other way (check
13).
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict, ReasonMissing
from core.ids import uuid7
from core.sealing import Destroyed, Unreadable, key_of, key_or_new
from intake import vault
from radar.casework import letters
from radar.rights import certificate, copy, decision, destruction, orders, register, requests
from radar.rights.decision import Why
from tests.radar.desk import check
from tests.radar.rights.people import (
    ABOUT_BOTH,
    ABOUT_HER,
    ABOUT_HIM,
    AT,
    CHILD,
    FATHER,
    MOTHER,
    STORY,
    asked,
    family,
    granted,
    mention,
    prepared,
    words_of_pdf,
)
from tests.web.conftest import World
from workers import verify

HIS = ("Proefpad", "4321ZZ", "Jan volgt", "1985")
NUMBER = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=\w*[a-f])[0-9a-f]{32,}\b")
"""A UUID or a hash as it is written. A run of digits alone is no hash: a birth date may be in it."""


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


def one(db: Db, query: str, *values: object) -> dict[str, Any]:
    row = db.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None, query
    return dict(row)


def everything(db: Db) -> str:
    """Every row of every table, as text, with the bytes readable.

    Without numbers of records and hashes: nobody is in them, and by chance each four digits are.
    """
    names = [
        row["tablename"]
        for row in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    ]
    found = []
    for name in names:
        for row in db.execute(f'SELECT * FROM "{name}"'):  # type: ignore[arg-type]
            found += [
                bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                for value in row.values()
            ]
    return NUMBER.sub("#", "\n".join(found))


def order_on(db: Db, report: UUID, number: int = 3) -> UUID:
    request = granted(db, report, number)
    who = mention(db, report, number)
    return destruction.propose(db, who, "request", "Op verzoek.", request_id=request, by="bram", at=AT)


def carry_out(db: Db, order: UUID, by: str = "gwen") -> dict[str, Any]:
    destruction.confirm(db, order, by=by, at=AT)
    with db.transaction():
        destruction.carry_out(db, order)
    destruction.note(db, order)
    counts: dict[str, Any] = one(db, "SELECT counts FROM destruction_order WHERE id = %s", order)["counts"]
    return counts


def findings(db: Db) -> list[tuple[int, str]]:
    return [(found.rule, found.text) for found in verify.verify(db) if found.breaches]


def test_one_parent_goes_and_the_child_s_file_stays_whole(db: Db, world: World) -> None:
    report = family(world, raw=f"<melding>{FATHER} {MOTHER}</melding>".encode())
    before = {row["number"]: row["person"] for row in db.execute("SELECT number, person FROM mention")}
    assert all(word in everything(db) for word in HIS), "the check finds him while he is there"
    known = set(findings(db))
    counts = carry_out(db, order_on(db, report))
    assert counts | {"texts": 0} == {
        "mentions": 1,
        "links": 1,
        "letters": 1,
        "messages": 1,
        "reports": 0,
        "texts": 0,
        "passages": 1,
    }
    rest = everything(db)
    assert [word for word in HIS if word in rest] == [], "nothing of him is left, in any table"
    after = {row["number"]: row["person"] for row in db.execute("SELECT number, person FROM mention")}
    assert (after[3], after[1], after[2]) == ({}, before[1], before[2])
    story = one(db, "SELECT content FROM report WHERE id = %s", report)["content"]
    told = story["incident"]["omschrijving"]
    assert told == f"[vernietigd] {ABOUT_HER}\n{ABOUT_BOTH}"
    assert story["situatie"] == STORY["situatie"]
    assert one(db, "SELECT count(*) AS n FROM link")["n"] == 2
    assert one(db, "SELECT count(*) AS n FROM membership")["n"] == 2
    assert set(findings(db)) <= known


def test_he_can_no_longer_be_found_or_linked(db: Db, world: World) -> None:
    report = family(world)
    who = one(db, "SELECT person_id FROM link WHERE mention_id = %s", mention(db, report, 3))["person_id"]
    db.execute("UPDATE person SET profile = '{}' WHERE id = %s", (who,))
    db.execute("INSERT INTO person_key (key, person_id, region_id) VALUES (7, %s, %s)", (who, world.region))
    carry_out(db, order_on(db, report))
    assert one(db, "SELECT profile FROM person WHERE id = %s", who)["profile"] is None
    assert db.execute("SELECT FROM person_key WHERE person_id = %s", (who,)).fetchone() is None
    with pytest.raises(psycopg.errors.IntegrityError):
        db.execute("""UPDATE mention SET person = '{"naam": {}}' WHERE destroyed_at IS NOT NULL""")
    with pytest.raises(Conflict):
        requests.receive(db, mention(db, report, 3), "access", AT.date(), by="ilse", at=AT)


def test_a_person_chooses_which_sentences_of_others_go(db: Db, world: World) -> None:
    report = family(world)
    order = order_on(db, report)
    row = one(db, "SELECT * FROM destruction_order WHERE id = %s", order)
    listed = orders.sentences_of(db, row)
    assert [(line["text"], line["erase"]) for line in listed] == [(ABOUT_HIM, True), (ABOUT_BOTH, False)]
    assert "Jan" not in str(db.execute("SELECT * FROM destruction_passage").fetchall()), "a keyed hash, not the words"
    destruction.choose(db, order, [2], by="bram", at=AT)
    carry_out(db, order)
    told = one(db, "SELECT content FROM report")["content"]["incident"]["omschrijving"]
    assert told == f"{ABOUT_HIM} {ABOUT_HER}\n[vernietigd]"


def test_contacts_letters_copies_and_statements_of_him_are_emptied(db: Db, world: World) -> None:
    report = family(world)
    request = asked(db, report, 3, "access")
    prepared(db, request)
    requests.withdraw(db, request, "Jan trok het in op de Proefpad.", by="bram", at=AT)
    for number, text in ((3, "Jan belde vanaf Proefpad 7."), (2, "Maria belde.")):
        db.execute(
            "INSERT INTO contact (id, region_id, report_id, at, noted_at, actor, with_kind, mention_id, who, how,"
            " summary,"
            " informed) SELECT %s, region_id, id, %s, %s, 'bram', 'person', %s, 'x', 'call', %s, true FROM report"
            " WHERE id = %s",
            (uuid7(), AT, AT, mention(db, report, number), text, report),
        )
    fields = {"aan": "Jan Proef", "over": "u", "bellen": "1", "medewerker": "B"}
    letters.make(db, report, "person_notice", fields, mention(db, report, 3), "bram", AT)
    carry_out(db, order_on(db, report))
    kept = [row["summary"] for row in db.execute("SELECT summary FROM contact ORDER BY summary")]
    assert kept == ["Maria belde.", "[vernietigd]"]
    assert one(db, "SELECT count(*) AS n FROM access_item")["n"] == 0
    assert {bytes(row["pdf"]) for row in db.execute("SELECT pdf FROM letter")} == {b""}
    assert "Proefpad" not in everything(db)


def test_a_file_in_which_nobody_stays_goes_as_a_whole_once_it_is_closed(db: Db, world: World) -> None:
    household, case = world.household(AT)
    report = world.report(
        AT, [FATHER], household=household, case=case, content=STORY, state="assessing", raw=b"<x>Proefpad</x>"
    )
    world.link(report, 1, uuid7(), "new", household=household)
    request = granted(db, report, 1)
    who = mention(db, report, 1)
    with pytest.raises(destruction.StillWorking):
        destruction.propose(db, who, "request", "Op verzoek.", request_id=request, by="bram", at=AT)
    with db.transaction():
        number = one(db, "SELECT max(number) AS n FROM report_step WHERE report_id = %s", report)["n"]
        db.execute(
            "INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)"
            " VALUES (%s, %s, %s, 'close', 'closed', %s, 'bram', 'Jan Proef is verhuisd')",
            (report, number + 1, world.region, AT),
        )
        db.execute("UPDATE report SET state = 'closed' WHERE id = %s", (report,))
    order = destruction.propose(db, who, "request", "Op verzoek.", request_id=request, by="bram", at=AT)
    counts = carry_out(db, order)
    assert (counts["reports"], counts["messages"], counts["mentions"]) == (1, 1, 1)
    row = one(db, "SELECT * FROM report WHERE id = %s", report)
    assert (row["content"], row["household_id"], row["case_id"], row["municipality"]) == ({}, None, None, None)
    assert [word for word in (*HIS, "Kanariedorp", "verhuisd") if word in everything(db)] == []
    assert one(db, "SELECT state FROM report")["state"] == "closed", "that there was a report stays, for the figures"


def test_the_key_of_the_message_goes_and_the_secrets_of_the_others_stay_readable(db: Db, world: World) -> None:
    """Crypto-erase: a backup of the message is worth nothing; the mother's number can still be read."""
    report = family(world, raw=b"")
    message = one(db, "SELECT message_id FROM report")["message_id"]
    key = key_or_new(db, message, world.region)
    raw = key.seal(b"<melding/>", vault.raw_place(message))
    db.execute("UPDATE message SET raw = %s WHERE id = %s", (raw, message))
    for number in (2, 3):
        who = mention(db, report, number)
        sealed = vault.sealed(key, {"bsn": "999993653"}, vault.person_place(who))
        db.execute(
            "INSERT INTO mention_secret (mention_id, region_id, sealed) VALUES (%s, %s, %s)",
            (who, world.region, sealed),
        )
    db.execute(
        "INSERT INTO reporter_secret (report_id, region_id, sealed) VALUES (%s, %s, %s)",
        (report, world.region, vault.sealed(key, {"gebruiker": "x"}, vault.identity_place(report))),
    )
    carry_out(db, order_on(db, report))
    fresh = key_of(db, message)
    with pytest.raises(Unreadable):
        fresh.unseal(raw, vault.raw_place(message))
    assert bytes(one(db, "SELECT raw FROM message")["raw"]) == b""
    (left,) = db.execute("SELECT * FROM mention_secret").fetchall()
    mother = mention(db, report, 2)
    assert left["mention_id"] == mother
    assert vault.opened(fresh, bytes(left["sealed"]), vault.person_place(mother)) == {"bsn": "999993653"}
    reporter = bytes(one(db, "SELECT sealed FROM reporter_secret")["sealed"])
    assert vault.opened(fresh, reporter, vault.identity_place(report)) == {"gebruiker": "x"}


def test_with_the_whole_file_the_key_goes_too(db: Db, world: World) -> None:
    report = family(world, state="closed", raw=b"")
    message = one(db, "SELECT message_id FROM report")["message_id"]
    key_or_new(db, message, world.region)
    order = destruction.propose_file(db, report, "retention", "De termijn is voorbij.", by="bram", at=AT)
    carry_out(db, order)
    with pytest.raises(Destroyed):
        key_of(db, message)
    assert one(db, "SELECT wrapped FROM data_key")["wrapped"] is None
    assert one(db, "SELECT count(*) AS n FROM mention WHERE destroyed_at IS NOT NULL")["n"] == 3


def test_a_form_that_was_sent_on_goes_after_its_day_and_not_before(db: Db, world: World) -> None:
    report = family(world, state="forwarded")
    db.execute("DELETE FROM link")
    db.execute(
        "INSERT INTO forwarding (id, region_id, report_id, forwarded_to, reason, at, actor, destroy_on)"
        " VALUES (%s, %s, %s, 'Gemeente Kanarie', 'Geen geweld', %s, 'bram', %s)",
        (uuid7(), world.region, report, AT, AT.date().replace(month=6)),
    )
    with pytest.raises(Conflict):
        destruction.propose_file(db, report, "forwarded", "De dag is daar.", by="bram", at=AT)
    later = AT.replace(month=6)
    order = destruction.propose_file(db, report, "forwarded", "De dag is daar.", by="bram", at=later)
    carry_out(db, order)
    assert "Kanarie" not in everything(db)


def test_two_persons_and_a_posted_letter(db: Db, world: World) -> None:
    report = family(world)
    who = mention(db, report, 3)
    request = granted(db, report)
    with pytest.raises(ReasonMissing):
        destruction.propose(db, who, "request", " ", request_id=request, by="bram", at=AT)
    order = destruction.propose(db, who, "request", "Op verzoek.", request_id=request, by="bram", at=AT)
    with pytest.raises(Conflict):
        destruction.propose(db, who, "request", "Nog eens.", request_id=request, by="bram", at=AT)
    with pytest.raises(destruction.SamePerson):
        destruction.confirm(db, order, by="bram", at=AT)
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE destruction_order SET confirmed_at = now(), confirmed_by = 'bram'")
    db.execute("UPDATE letter SET sent_at = NULL, sent_by = NULL")
    with pytest.raises(Conflict, match="Verstuur eerst de brief"):
        destruction.confirm(db, order, by="gwen", at=AT)
    with pytest.raises(Conflict):
        destruction.carry_out(db, order)
    destruction.stop(db, order, "Zij trok het in.", by="gwen", at=AT)
    destruction.carry_out(db, order)
    assert one(db, "SELECT person FROM mention WHERE number = 3")["person"] == FATHER
    again = destruction.propose(db, who, "request", "Toch wel.", request_id=request, by="bram", at=AT)
    assert again != order


def test_a_refused_or_open_request_destroys_nothing(db: Db, world: World) -> None:
    report = family(world)
    request = asked(db, report, 3, "destruction")
    who = mention(db, report, 3)
    with pytest.raises(Conflict):
        destruction.propose(db, who, "request", "Op verzoek.", request_id=request, by="bram", at=AT)
    why = [Why(report, "other_person", "Kaatje wordt behandeld en haar therapeut heeft deze melding nog nodig.")]
    decision.propose(db, request, "refused", "Wij vernietigen niets.", why, by="bram", at=AT)
    decision.release(db, request, by="gwen", name="Gwen", phone="1", at=AT)
    with pytest.raises(Conflict):
        destruction.propose(db, who, "request", "Op verzoek.", request_id=request, by="bram", at=AT)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE message SET raw = ''",
        "DELETE FROM report_step",
        "UPDATE risk_look SET reason = ''",
        "UPDATE acute_check SET reason = ''",
        "SELECT destroy_order(id) FROM destruction_order",
        "UPDATE destruction_order SET executed_at = now(), counts = '{}', confirmed_at = now(), confirmed_by = 'x'",
        "DELETE FROM destruction_order",
        "SELECT set_config('veilig.destruction', (SELECT id::text FROM destruction_order), false);"
        "UPDATE report_step SET reason = ''",
    ],
)
def test_nothing_that_is_append_only_gives_way_without_a_confirmed_order(
    db: Db, world: World, statement: str
) -> None:
    report = family(world, state="received")
    check(db, report, at=AT)
    db.execute(
        "INSERT INTO risk_look (id, region_id, report_id, at, actor, risk, reason) VALUES (%s, %s, %s, %s, 'x', 1,"
        " 'x')",
        (uuid7(), world.region, report, AT),
    )
    order_on(db, report)
    with pytest.raises(psycopg.errors.IntegrityError):
        db.execute(statement)  # type: ignore[arg-type]


def test_the_audit_trail_never_gives_way_even_inside_a_destruction(db: Db, world: World) -> None:
    report = family(world)
    order = order_on(db, report)
    destruction.confirm(db, order, by="gwen", at=AT)
    db.execute("UPDATE destruction_order SET subjects = ARRAY[%s::uuid]", (report,))
    with db.transaction():
        db.execute("SELECT set_config('veilig.destruction', %s, true)", (str(order),))
        for statement in ("DELETE FROM audit_entry", "UPDATE audit_entry SET actor = 'x'"):
            with pytest.raises(psycopg.errors.IntegrityError), db.transaction():
                db.execute(statement)


def test_the_certificate_says_what_kind_when_and_who_and_holds_no_personal_data(db: Db, world: World) -> None:
    report = family(world)
    order = order_on(db, report)
    assert certificate.pdf(db, world.region, order) is None
    carry_out(db, order)
    content = certificate.pdf(db, world.region, order)
    assert content is not None
    said = words_of_pdf(content)
    for part in ("Verklaring van vernietiging", "Voorgesteld door bram, bevestigd door gwen", "5.3.5", "1 koppeling"):
        assert part in said, part
    for word in (*HIS, "Jan", "Maria", "Kaatje", "Dalstad"):
        assert word not in said, word
    assert certificate.pdf(db, UUID(int=0), order) is None


def test_twice_is_once_and_the_register_has_it_before_and_after(db: Db, world: World) -> None:
    report = family(world)
    order = order_on(db, report)
    destruction.confirm(db, order, by="gwen", at=AT)
    with db.transaction():
        destruction.carry_out(db, order)
    (entry,) = register.entries()
    assert (entry.order, entry.done, entry.mentions) == (order, False, (mention(db, report, 3),))
    destruction.note(db, order)
    destruction.note(db, order)
    with db.transaction():
        destruction.carry_out(db, order)
    (entry,) = register.entries()
    assert entry.done
    text = register.file().read_text()
    assert text.count("\n") == 2
    for word in (*HIS, "Jan", "bram", "gwen"):
        assert word not in NUMBER.sub("#", text)
    jobs = [row["kind"] for row in db.execute("SELECT kind FROM job ORDER BY id")]
    assert jobs == [destruction.JOB, destruction.NOTE_JOB]


def test_the_copy_of_somebody_else_in_the_same_file_stays(db: Db, world: World) -> None:
    report = family(world)
    hers = asked(db, report, 2, "access")
    made = copy.prepare(db, hers, by="bram", at=AT)
    before = len(copy.items_of(db, made))
    carry_out(db, order_on(db, report))
    assert len(copy.items_of(db, made)) == before
    again = copy.prepare(db, hers, by="bram", at=AT)
    names = {row["text"] for row in copy.items_of(db, again)}
    assert "Naam: Maria Voorbeeld" in names
    assert CHILD["naam"]["voornamen"] not in str(names - {row for row in names if "Kaatje" in row})
