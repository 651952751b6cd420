"""Marks: a sentence that leads to the reporter goes into nothing that leaves."""

from __future__ import annotations

from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.casework import handover_shares
from radar.protection import marks, whereabouts
from tests.radar.arrivals import DAY, JAN, MIA, arrive, found_region, one
from tests.radar.canaries import tables_with

TELLING = "De buurvrouw van nummer 14 zag het vanaf haar balkon."
CONTENT = {
    "incident": {"omschrijving": f"Er was ruzie.\n{TELLING} Het kind huilde!"},
    "situatie": {"relevanteRegistraties": ["Eerder gebeld door dezelfde vrouw."]},
}


@pytest.fixture
def report(db: Db) -> UUID:
    found_region(db)
    made = arrive(db, JAN | {"aanvullendeInformatie": "Werkt in ploegen."})
    db.execute("UPDATE report SET content = %s WHERE id = %s", (Jsonb(CONTENT), made))
    return made


def mark(db: Db, report: UUID, piece: str = TELLING) -> UUID:
    with db.transaction():
        return marks.mark(db, report, piece, by="bram", at=DAY)


def test_every_sentence_of_the_report_can_be_chosen(db: Db, report: UUID) -> None:
    assert [(one_.field, one_.text) for one_ in marks.choices(db, report)] == [
        ("Wat er is gebeurd", "Er was ruzie."),
        ("Wat er is gebeurd", TELLING),
        ("Wat er is gebeurd", "Het kind huilde!"),
        ("Relevante registraties", "Eerder gebeld door dezelfde vrouw."),
        ("Over een persoon", "Werkt in ploegen."),
    ]


def test_a_marked_sentence_is_left_out_of_every_text_also_when_quoted(db: Db, report: UUID) -> None:
    mark(db, report)
    texts = ["Niets.", f"Wij lazen: {TELLING.upper()} Daarna niets.", TELLING.replace(" ", "\n ")]
    assert marks.without(db, report, texts) == [
        "Niets.",
        f"Wij lazen: {marks.LEFT_OUT} Daarna niets.",
        marks.LEFT_OUT,
    ]


def test_a_partner_gets_the_report_without_it(db: Db, report: UUID) -> None:
    def shared() -> str:
        return str(handover_shares.shared(db, report, ["incident", "situation", "persons"]))

    assert "balkon" in shared()
    mark(db, report)
    assert "balkon" not in shared()
    assert "Er was ruzie." in shared()


def test_it_is_left_out_in_the_other_reports_of_the_household_too(db: Db, report: UUID) -> None:
    other, stranger = arrive(db, JAN), arrive(db, MIA | {"adressen": []})
    mark(db, report)
    assert marks.without(db, other, [TELLING]) == [marks.LEFT_OUT]
    assert marks.without(db, stranger, [TELLING]) == [TELLING]


def test_a_mark_is_taken_back_and_that_it_was_there_stays(db: Db, report: UUID) -> None:
    made = mark(db, report)
    with pytest.raises(Conflict):
        mark(db, report)
    marks.unmark(db, made, by="gwen", at=DAY)
    assert marks.without(db, report, [TELLING]) == [TELLING]
    with pytest.raises(NotFound):
        marks.unmark(db, made, by="gwen", at=DAY)
    assert one(db, "SELECT unmarked_by FROM trace_mark")["unmarked_by"] == "gwen"


def test_only_a_sentence_of_this_report_can_be_marked(db: Db, report: UUID) -> None:
    for piece in ("", "Er was", "Iets anders."):
        with pytest.raises(marks.NotInReport):
            mark(db, report, piece)
    with pytest.raises(NotFound):
        mark(db, uuid7())


def test_the_mark_itself_tells_nothing_in_the_database(db: Db, report: UUID) -> None:
    mark(db, report)
    db.execute("UPDATE report SET content = '{}'")
    assert tables_with(db, ["balkon", "buurvrouw"]) == {}


def test_a_mark_holds_before_and_after_an_address_in_it_goes_into_the_vault(db: Db, report: UUID) -> None:
    """The sentence reads otherwise then, and is the same sentence."""
    db.execute(
        "UPDATE report SET content = %s WHERE id = %s",
        (Jsonb({"incident": {"omschrijving": "Ik zag haar in de Voorbeeldlaan 12 bij mij thuis."}}), report),
    )
    mark(db, report, "Ik zag haar in de Voorbeeldlaan 12 bij mij thuis.")
    about = one(db, "SELECT id FROM mention WHERE report_id = %s", report)["id"]
    with db.transaction():
        whereabouts.protect(db, about, "Gevlucht.", by="bram", at=DAY)
    (masked,) = [one_ for one_ in marks.choices(db, report) if one_.field == "Wat er is gebeurd"]
    assert "Voorbeeldlaan" not in masked.text
    assert masked.mark
    assert marks.without(db, report, [f"Gelezen. {masked.text}"]) == [f"Gelezen. {marks.LEFT_OUT}"]


def test_a_sentence_that_is_masked_whole_takes_no_other_with_it(db: Db, report: UUID) -> None:
    db.execute("UPDATE report SET content = %s", (Jsonb({"incident": {"omschrijving": "[afgeschermd]"}}),))
    mark(db, report, "[afgeschermd]")
    assert marks.without(db, report, ["Een andere zin."]) == ["Een andere zin."]


def test_what_the_vault_holds_is_known_for_the_check_of_a_text(db: Db, report: UUID) -> None:
    assert marks.known(db, report) == set()
    about = one(db, "SELECT id FROM mention WHERE report_id = %s", report)["id"]
    with db.transaction():
        whereabouts.protect(db, about, "Gevlucht.", by="bram", at=DAY)
    assert {"Voorbeeldlaan 12", "Testdam"} <= marks.known(db, report)
    (hint,) = marks.hints("Ze is in testdam.", marks.known(db, report))
    assert (hint.kind, hint.text) == ("known", "testdam")
