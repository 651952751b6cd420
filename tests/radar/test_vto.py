"""A request to the Child Protection Board as a message: from the offered handover, with what was ticked, once."""

from __future__ import annotations

import os
from base64 import b64decode
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from intake import outbox
from intake.corv.elements import NAMESPACES
from intake.corv.vto import VtoIncomplete
from intake.corv.xsd import official_schema
from radar.casework import handover, vto
from radar.casework.handover_kinds import KINDS
from tests.intake.receiver import receiving
from tests.web.conftest import FATHER, MOTHER, PERSON, World
from workers.work import carry_out

FOLDER = os.environ.get("VEILIG_XSD_DIR")
AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NS = {name: NAMESPACES[name] for name in ("JZ", "ZKN", "StUF", "BG")}
CONTENT = {
    "reason": "Verzonnen: het kind is niet veilig.",
    "urgency": "Nee",
    "parents_informed": "nee",
    "why_not_informed": "Verzonnen: dat maakt het onveilig.",
    "custody": "Beide ouders.",
    "requested": "Onderzoek naar een maatregel.",
    "contact": "B. Beoordelaar, 088-1234567",
}
SHARES = ("persons", "incident", "bsn", "phones")


class Board:
    """A region with a Board that has an OIN, and a report in investigation of a child and its parents."""

    def __init__(self, db: Db, persons: list[dict[str, Any]] | None = None, case: bool = True) -> None:
        self.db, self.world = db, World(db, 1)
        self.team = uuid7()
        db.execute(
            "INSERT INTO team (id, region_id, name, kind, valid_from, oin) VALUES (%s, %s, 'Raad Voorbeeld',"
            " 'child_protection_board', %s, '00000099000000005000')",
            (self.team, self.world.region, date(2020, 1, 1)),
        )
        self.world.checked(self.team)
        home = dict(zip(("household", "case"), self.world.household(AT), strict=True)) if case else {}
        self.report = self.world.report(
            AT - timedelta(days=3),
            [PERSON, MOTHER, FATHER] if persons is None else persons,
            state="investigation",
            **home,
        )

    def offer(self, content: dict[str, str] | None = None, shares: tuple[str, ...] = SHARES) -> UUID:
        with self.db.transaction():
            return handover.offer(
                self.db,
                self.report,
                kind=vto.KIND,
                team_id=self.team,
                shares=shares,
                content=content or CONTENT,
                afterwards="stay",
                days=5,
                by="bram",
                role="assessor",
                at=AT,
            )

    def send(self, one: UUID) -> UUID:
        with self.db.transaction():
            return vto.send_vto(self.db, one, "bram", AT)

    def sent(self, one: UUID) -> etree._Element:
        self.send(one)
        row = self.db.execute("SELECT id FROM outgoing_message WHERE subject_id = %s", (one,)).fetchone()
        assert row
        return etree.fromstring(outbox.body_of(self.db, row["id"]))


def texts(root: etree._Element, path: str) -> list[str | None]:
    return [node.text for node in root.findall(path, NS)]


def test_the_kind_still_asks_what_the_message_needs() -> None:
    assert set(CONTENT) <= {field.name for field in KINDS[vto.KIND].fields}


def test_it_is_made_from_the_handover_and_waits_for_an_address(db: Db) -> None:
    board = Board(db)
    one = board.offer()
    root = board.sent(one)
    assert texts(root, ".//ZKN:heeftBetrekkingOp//BG:inp.bsn") == ["999993653"]
    assert texts(root, ".//ZKN:heeftAlsBelanghebbende//BG:geslachtsnaam") == ["Voorbeeld", "Proef"]
    assert texts(root, ".//ZKN:heeftAlsBelanghebbende/ZKN:omschrijving") == ["ouder met gezag"] * 2
    told = texts(root, ".//ZKN:heeftAlsBelanghebbende/StUF:extraElementen/StUF:extraElement")
    assert told == ["false", CONTENT["why_not_informed"]] * 2
    assert texts(root, ".//ZKN:medewerker/ZKN:achternaam") == ["B. Beoordelaar"]
    assert texts(root, ".//ZKN:medewerker/ZKN:telefoonnummer") == ["088-1234567"]
    assert texts(root, ".//StUF:ontvanger/StUF:organisatie") == ["00000099000000005000"]
    (content,) = root.findall(".//ZKN:inhoud", NS)
    assert b64decode(content.text or "").startswith(b"%PDF-")
    standing = outbox.message_of(db, board.world.region, one)
    assert standing
    assert (standing["kind"], standing["state"]) == ("vtoDi01", "no_address")


@pytest.mark.parametrize(("informed", "expected"), [("ja", ["true", "true"]), ("nee", None)])
def test_who_was_informed_needs_no_reason(db: Db, informed: str, expected: list[str] | None) -> None:
    board = Board(db)
    root = board.sent(board.offer(CONTENT | {"parents_informed": informed}))
    told = texts(root, ".//ZKN:heeftAlsBelanghebbende/StUF:extraElementen/StUF:extraElement")
    assert told == (expected or ["false", CONTENT["why_not_informed"]] * 2)


def test_what_was_not_ticked_is_not_in_it(db: Db) -> None:
    board = Board(db)
    root = board.sent(board.offer(shares=("persons",)))
    assert texts(root, ".//BG:inp.bsn") == []
    assert texts(root, ".//BG:sub.telefoonnummer") == []
    assert texts(root, ".//ZKN:heeftBetrekkingOp//BG:geslachtsnaam") == ["Voorbeeld"]


def test_an_adult_is_no_child_of_the_request_and_a_child_to_come_is(db: Db) -> None:
    adult = PERSON | {"geboortedatum": {"tekst": "20001231", "indicatie": "V"}, "rol": {"tekst": "kind"}}
    coming = {
        "rol": {"code": "301"},
        "geslacht": "O",
        "geboortedatum": {"tekst": "20270301", "indicatie": "V"},
        "naam": {"geslachtsnaam": "Voorbeeld"},
    }
    board = Board(db, [PERSON, adult, coming, MOTHER])
    root = board.sent(board.offer())
    assert texts(root, ".//ZKN:heeftBetrekkingOp/ZKN:omschrijving") == ["Client (kind)", "Client (ongeboren kind)"]
    assert texts(root, ".//ZKN:heeftBetrekkingOp//BG:geboortedatum") == ["20150301", "20270301"]


def test_a_child_that_was_not_named_is_in_it_with_the_day_on_which_it_is_expected(db: Db) -> None:
    board = Board(db, [PERSON, MOTHER])
    root = board.sent(board.offer(CONTENT | {"due_on": "2027-03-01"}))
    assert texts(root, ".//ZKN:heeftBetrekkingOp/ZKN:omschrijving") == ["Client (kind)", "Client (ongeboren kind)"]
    assert texts(root, ".//ZKN:heeftBetrekkingOp//BG:geboortedatum") == ["20150301", "20270301"]


def test_a_number_that_is_no_bsn_is_left_out(db: Db) -> None:
    board = Board(db, [PERSON | {"bsn": "123456789"}, MOTHER])
    assert texts(board.sent(board.offer()), ".//BG:inp.bsn") == []


def test_what_is_missing_is_named_and_nothing_is_kept(db: Db) -> None:
    board = Board(db, [MOTHER | {"rol": {"tekst": "melder"}}], case=False)
    one = board.offer(CONTENT | {"contact": "B. Beoordelaar"})
    with pytest.raises(VtoIncomplete) as refused:
        board.send(one)
    for words in ("casusnummer", "telefoonnummer of e-mailadres", "Noem het kind", "wie het gezag heeft"):
        assert words in refused.value.message
    assert db.execute("SELECT FROM outgoing_message").fetchall() == []


def test_it_is_sent_once(db: Db) -> None:
    board = Board(db)
    one = board.offer()
    board.send(one)
    with pytest.raises(Conflict, match="al een bericht"):
        board.send(one)


def test_only_an_offer_to_the_board_that_still_stands(db: Db) -> None:
    board = Board(db)
    one = board.offer()
    with board.db.transaction():
        handover.withdraw(db, one, by="bram", role="assessor", reason="Toch niet.", at=AT)
    with pytest.raises(Conflict, match="ingetrokken"):
        board.send(one)
    with pytest.raises(NotFound):
        board.send(uuid7())


def test_a_board_without_an_oin_gets_nothing(db: Db) -> None:
    board = Board(db)
    db.execute("UPDATE team SET oin = NULL WHERE id = %s", (board.team,))
    with pytest.raises(Conflict, match="OIN"):
        board.send(board.offer())


def test_it_goes_to_the_address_of_the_board_and_the_watch_stays(db: Db) -> None:
    board = Board(db)
    with receiving() as receiver:
        db.execute("UPDATE team SET delivery_url = %s WHERE id = %s", (receiver.url, board.team))
        one = board.offer()
        message = board.send(one)
        job = db.execute("SELECT id FROM job WHERE subject_id = %s", (message,)).fetchone()
        assert job
        assert carry_out(job["id"])
    standing = outbox.message_of(db, board.world.region, one)
    assert standing
    assert standing["state"] == "sent"
    holders = db.execute("SELECT holder FROM safety_watch WHERE until IS NULL").fetchall()
    assert holders == [{"holder": "veilig_thuis"}]


LINES = {
    "B. Beoordelaar, 088-1234567": ("B. Beoordelaar", "088-1234567", None),
    "Bram (06 12345678)": ("Bram", "06 12345678", None),
    "bram@voorbeeld.example": ("", None, "bram@voorbeeld.example"),
    "Bram - +31 6 12345678 - bram@voorbeeld.example": ("Bram", "+31 6 12345678", "bram@voorbeeld.example"),
    "Bram": ("Bram", None, None),
    "": ("", None, None),
}


@pytest.mark.parametrize(("line", "expected"), LINES.items(), ids=list(LINES))
def test_a_typed_line_is_a_name_and_a_number(line: str, expected: tuple[str, str | None, str | None]) -> None:
    assert vto.contact_in(line) == expected


@pytest.mark.skipif(FOLDER is None, reason="VEILIG_XSD_DIR does not name the official XSDs")
def test_it_is_valid_against_the_official_xsd(db: Db) -> None:
    long_prefix = MOTHER | {"naam": {"voorvoegsel": "van der van den", "geslachtsnaam": "Voorbeeld"}}
    board = Board(db, [PERSON, long_prefix, FATHER])
    for shares in (SHARES, ("persons",)):
        one = board.offer(shares=shares)
        assert official_schema(Path(str(FOLDER))).validate(etree.tostring(board.sent(one))) == []
        with db.transaction():
            handover.withdraw(db, one, by="bram", role="assessor", reason="Toch niet.", at=AT)
