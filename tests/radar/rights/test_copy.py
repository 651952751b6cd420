"""The access copy (check 13, D5): by allow-list and per person, two readers, and no third party in the file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.errors import Conflict, ReasonMissing
from core.ids import uuid7
from intake import attachments
from radar.protection import marks
from radar.rights import copy, decision, extract, law, person, requests, sentences
from tests.radar.rights.people import (
    ABOUT_BOTH,
    ABOUT_HER,
    ABOUT_HIM,
    AT,
    CANARIES,
    RECEIVED,
    asked,
    family,
    letter_pdf,
    mention,
    prepared,
    words_of_pdf,
)
from tests.web.conftest import MOTHER, World

FATHER_NUMBER, MOTHER_NUMBER, CHILD_NUMBER = 3, 2, 1


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    return family(world)


def texts(db: Db, made: UUID, *, include: bool) -> set[str]:
    return {row["text"] for row in copy.items_of(db, made) if row["include"] is include}


def number_of(db: Db, made: UUID, text: str) -> int:
    (found,) = [row["number"] for row in copy.items_of(db, made) if row["text"] == text]
    return int(found)


def contact(db: Db, report: UUID, number: int, summary: str) -> None:
    db.execute(
        "INSERT INTO contact (id, region_id, report_id, at, noted_at, actor, with_kind, mention_id, who, how,"
        " summary,"
        " informed) SELECT %s, region_id, id, %s, %s, 'bram', 'person', %s, 'x', 'call', %s, true FROM report"
        " WHERE id = %s",
        (uuid7(), AT, AT, mention(db, report, number), summary, report),
    )


def test_own_data_go_along_and_everything_of_others_is_left_out_with_its_ground(db: Db, report: UUID) -> None:
    made = copy.prepare(db, asked(db, report, FATHER_NUMBER, "access"), by="bram", at=AT)
    included = texts(db, made, include=True)
    assert {"Naam: Jan Proef", "Geboortedatum: 4 maart 1985", "Adres: Proefpad 7, 4321ZZ Elders"} <= included
    assert ABOUT_HIM in included
    assert {ABOUT_HER, ABOUT_BOTH} <= texts(db, made, include=False)
    assert not any(canary in text for text in included for canary in CANARIES)
    for row in copy.items_of(db, made):
        assert row["include"] or row["ground"] in law.grounds_for("access")


def test_a_file_is_named_and_stays_out_until_somebody_looked_whom_it_is_about(db: Db, report: UUID) -> None:
    region = db.execute("SELECT region_id FROM report").fetchall()[0]["region_id"]
    with db.transaction():
        for name, content in (("brief.txt", b"Jan is geslagen."), ("verslag.txt", b"Een gesprek met Jan.")):
            attachments.put(db, region, report, attachments.checked(name, content), by="ilse", at=AT)
    request = asked(db, report, FATHER_NUMBER, "access")
    made = copy.prepare(db, request, by="bram", at=AT)
    first, second = [row for row in copy.items_of(db, made) if row["kind"] == "attachment"]
    assert (first["include"], first["ground"], first["locked"]) == (False, "other_person", False)
    assert first["text"].startswith("Bijlage 1 (tekst) van ")
    assert second["text"].startswith("Bijlage 2 (tekst) van ")
    assert not any("brief" in row["text"] or "geslagen" in row["text"] for row in copy.items_of(db, made))
    copy.choose(db, made, first["number"], None, "Gaat alleen over hem.", by="bram", at=AT)
    assert first["text"] in texts(db, made, include=True)


def test_a_child_s_statement_and_other_talks_are_only_named_and_cannot_be_taken_along(db: Db, report: UUID) -> None:
    contact(db, report, CHILD_NUMBER, "Kaatje vertelde over kanarievogels.")
    contact(db, report, FATHER_NUMBER, "Jan wil hulp. Maria weet dat niet.")
    made = copy.prepare(db, asked(db, report, FATHER_NUMBER, "access"), by="bram", at=AT)
    (talk,) = [row for row in copy.items_of(db, made) if row["ground"] == "child"]
    assert talk["locked"]
    assert "Kaatje" not in talk["text"]
    with pytest.raises(copy.Locked):
        copy.choose(db, made, talk["number"], None, "Hij vraagt het.", by="bram", at=AT)
    assert "Jan wil hulp." in texts(db, made, include=True)
    assert "Maria weet dat niet." in texts(db, made, include=False)


def test_what_is_marked_as_traceable_is_not_even_shown_to_choose(db: Db, report: UUID) -> None:
    marks.mark(db, report, ABOUT_HIM, by="ilse", at=AT)
    made = copy.prepare(db, asked(db, report, FATHER_NUMBER, "access"), by="bram", at=AT)
    rows = copy.items_of(db, made)
    assert not any("cursus" in row["text"] for row in rows)
    assert [row["ground"] for row in rows if row["text"].startswith("Een stuk tekst dat naar de melder")] == [
        "reporter"
    ]


def test_a_representative_does_not_learn_where_the_child_is(db: Db, report: UUID) -> None:
    """The father asks for his child, who may stay at a secret place."""
    request = requests.receive(db, mention(db, report, CHILD_NUMBER), "access", AT.date(), by="ilse", at=AT)
    assert requests.verify(
        db,
        request,
        asker="representative",
        name="Jan Proef",
        how="document",
        authority="Gezagsregister gezien.",
        called_back_at=AT,
        called_back_note="Op het nummer uit het dossier.",
        by="ilse",
        at=AT,
    )
    contact(db, report, CHILD_NUMBER, "Kaatje slaapt slecht.")
    made = copy.prepare(db, request, by="bram", at=AT)
    grounds = {row["text"]: row["ground"] for row in copy.items_of(db, made)}
    assert grounds["Adres: Voorbeeldstraat 1a, 1234AB Dalstad"] == "whereabouts"
    assert grounds["Kaatje slaapt slecht."] == "child"
    assert grounds["Naam: Kaatje Voorbeeld"] is None


def test_a_choice_needs_a_ground_and_a_reason_and_is_on_record(db: Db, report: UUID) -> None:
    made = copy.prepare(db, asked(db, report, FATHER_NUMBER, "access"), by="bram", at=AT)
    number = number_of(db, made, ABOUT_BOTH)
    tries: list[tuple[str | None, str, type[Exception]]] = [
        (None, " ", ReasonMissing),
        ("zomaar", "Reden.", copy.GroundMissing),
        ("law", "Geen grond voor inzage.", copy.GroundMissing),
    ]
    for ground, reason, error in tries:
        with pytest.raises(error):
            copy.choose(db, made, number, ground, reason, by="bram", at=AT)
    copy.choose(db, made, number, None, "Maria vindt het goed: teruggebeld.", by="bram", at=AT)
    assert ABOUT_BOTH in texts(db, made, include=True)
    row = db.execute("SELECT details FROM audit_entry WHERE action = 'copy.choose'").fetchone()
    assert row is not None
    assert row["details"] == {"number": number, "include": True, "ground": None}


def test_everything_left_out_has_a_reason_before_the_second_reader_sees_it(db: Db, report: UUID) -> None:
    request = asked(db, report, FATHER_NUMBER, "access")
    made = copy.prepare(db, request, by="bram", at=AT)
    with pytest.raises(copy.Unexplained):
        copy.submit(db, made, by="bram", at=AT)
    assert copy.explain(db, made, "other_person", "Deze zin gaat over een ander gezinslid.", by="bram", at=AT) == 3
    copy.explain(db, made, "whereabouts", "Hier wonen ook anderen.", by="bram", at=AT)
    copy.submit(db, made, by="bram", at=AT)
    with pytest.raises(Conflict):
        copy.choose(db, made, 1, "task", "Toch niet.", by="bram", at=AT)


def test_the_file_holds_the_released_pieces_and_no_canary_of_anybody_else(db: Db, report: UUID) -> None:
    request = asked(db, report, FATHER_NUMBER, "access")
    made = prepared(db, request)
    decision.propose(db, request, "partly", "U krijgt een afschrift van uw gegevens.", by="bram", at=AT)
    decision.release(db, request, by="gwen", name="Gwen van Kantoor", phone="0800-2000", at=AT)
    found = copy.of_request(db, request)
    assert found is not None
    content = letter_pdf(db, found["letter_id"])
    said = words_of_pdf(content)
    for own in ("Naam: Jan Proef", ABOUT_HIM, "Niet alles staat in dit afschrift"):
        assert own in said.replace("\n", " "), own
    assert [canary for canary in CANARIES if canary in said] == []
    assert [name for name in ("bram", "Gwen", "gwen", "ilse") if name in said] == [], "no author"
    assert copy.items_of(db, made), "what was chosen stays on record"


def test_who_made_or_changed_a_copy_does_not_release_it(db: Db, report: UUID) -> None:
    request = asked(db, report, FATHER_NUMBER, "access")
    made = copy.prepare(db, request, by="bram", at=AT)
    copy.explain(db, made, "other_person", "Dit gaat over een ander.", by="saar", at=AT)
    copy.explain(db, made, "whereabouts", "Hier wonen ook anderen.", by="bram", at=AT)
    copy.submit(db, made, by="bram", at=AT)
    for by in ("bram", "saar"):
        with pytest.raises(copy.SamePerson):
            copy.release(db, made, by=by, at=AT)
    assert copy.release(db, made, by="gwen", at=AT)["submitted_by"] == "bram"


def test_a_second_reader_gives_it_back_and_choices_are_kept_when_it_is_made_again(db: Db, report: UUID) -> None:
    request = asked(db, report, FATHER_NUMBER, "access")
    made = prepared(db, request)
    copy.give_back(db, made, "Deze zin mag mee.", by="gwen", at=AT)
    copy.choose(db, made, number_of(db, made, ABOUT_BOTH), None, "Teruggebeld.", by="bram", at=AT)
    again = copy.prepare(db, request, by="bram", at=AT)
    assert again == made
    assert ABOUT_BOTH in texts(db, made, include=True)
    copy.submit(db, made, by="bram", at=AT)


def test_nothing_leaves_on_a_link_that_nobody_confirmed(db: Db, world: World, report: UUID) -> None:
    """His other mentions count only once a person said that it is him (D4)."""
    his = db.execute(
        "SELECT person_id FROM link WHERE mention_id = %s", (mention(db, report, FATHER_NUMBER),)
    ).fetchone()
    assert his is not None
    other = world.report(RECEIVED, [MOTHER | {"naam": {"voornamen": "Wrongcanary", "geslachtsnaam": "Proef"}}])
    link = world.link(other, 1, his["person_id"], "automatic")
    request = asked(db, report, FATHER_NUMBER, "access")
    made = copy.prepare(db, request, by="bram", at=AT)
    assert not any("Wrongcanary" in row["text"] for row in copy.items_of(db, made))
    for ground in ("other_person", "whereabouts"):
        copy.explain(db, made, ground, "Dit gaat over een ander.", by="bram", at=AT)
    with pytest.raises(copy.LinksOpen):
        copy.submit(db, made, by="bram", at=AT)
    db.execute("UPDATE link SET state = 'rejected', decided_by = 'teun', decided_at = now() WHERE id = %s", (link,))
    copy.submit(db, made, by="bram", at=AT)


def test_a_link_that_changed_since_sends_it_back_to_the_worker(db: Db, world: World, report: UUID) -> None:
    his = db.execute(
        "SELECT person_id FROM link WHERE mention_id = %s", (mention(db, report, FATHER_NUMBER),)
    ).fetchone()
    assert his is not None
    request = asked(db, report, FATHER_NUMBER, "access")
    made = prepared(db, request)
    decision.propose(db, request, "partly", "U krijgt een afschrift van uw gegevens.", by="bram", at=AT)
    other = world.report(RECEIVED, [MOTHER])
    world.link(other, 1, his["person_id"], "confirmed")
    with pytest.raises(copy.Changed):
        decision.release(db, request, by="gwen", name="Gwen", phone="1", at=AT)
    decision.give_back(db, request, "Er is een koppeling bij gekomen.", by="gwen", at=AT)
    copy.prepare(db, request, by="bram", at=AT)
    assert len({row["report_id"] for row in copy.items_of(db, made)}) == 2
    assert db.execute("SELECT FROM letter").fetchone() is None


def test_from_a_machine_s_link_nothing_else_is_reached(db: Db, world: World, report: UUID) -> None:
    his = db.execute(
        "SELECT person_id FROM link WHERE mention_id = %s", (mention(db, report, FATHER_NUMBER),)
    ).fetchone()
    assert his is not None
    other = world.report(RECEIVED, [MOTHER])
    world.link(other, 1, his["person_id"], "automatic")
    found = person.certain(db, mention(db, other, 1))
    assert found.reports == [other]
    assert list(found.unsure) == [report]


def test_who_received_what_is_told(db: Db, world: World, report: UUID) -> None:
    db.execute(
        "INSERT INTO handover (id, region_id, report_id, kind, team_id, state, takes_watch, afterwards, shares,"
        " content,"
        " offered_at, offered_by, answered_at, answered_by) SELECT %s, region_id, id, 'local_team', %s,"
        " 'accepted', true,"
        " 'close', '[]', '{}', %s, 'bram', %s, 'x' FROM report WHERE id = %s",
        (uuid7(), world.local_team, AT, AT, report),
    )
    his = person.certain(db, mention(db, report, FATHER_NUMBER))
    shared: list[Any] = [item for item in extract.items(db, his) if item.kind == "shared"]
    assert [item.text for item in shared] == ["Wijkteam Dal kreeg gegevens over u op 4 maart 2026."]


def test_a_name_of_an_own_surname_in_the_family_is_not_about_him_alone() -> None:
    him = {"naam": {"voornamen": "Piet", "geslachtsnaam": "Voorbeeld"}}
    her = {"naam": {"voornamen": "Ans", "geslachtsnaam": "Voorbeeld"}}
    assert sentences.about("Piet kwam langs.", him, [her]) == (True, False)
    assert sentences.about("Meneer Voorbeeld kwam langs.", him, [her]) == (False, False)
    assert sentences.about("Piet sloeg haar.", him, [her]) == (True, True)
    assert sentences.about("Piet sloeg Ans.", him, [her]) == (True, True)
