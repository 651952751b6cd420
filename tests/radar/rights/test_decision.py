"""A decision has its reasons in this case, a second person, and the way that belongs to the legal form."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict
from radar.casework import ledger
from radar.rights import decision, law, requests
from radar.rights.decision import Why
from tests.radar.rights.people import AT, asked, family, letter_pdf, words_of_pdf
from tests.web.conftest import World

CONCRETE = "Kaatje wordt behandeld; haar therapeut heeft deze meldingen nodig om haar te helpen."


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    return family(world)


@pytest.mark.parametrize("text", ["Groot belang van een ander.", "Het gaat (ook) over een ander", "Nee", ""])
def test_a_reason_that_fits_every_case_is_none(db: Db, report: UUID, text: str) -> None:
    """RBNHO:2021:5101 and RBAMS:2023:137: destruction was ordered where no concrete interest was shown."""
    request = asked(db, report, 3, "destruction")
    with pytest.raises(decision.NotConcrete):
        decision.propose(db, request, "refused", "Nee.", [Why(report, "other_person", text)], by="bram", at=AT)
    assert not decision.concrete(text)
    assert db.execute("SELECT FROM request_ground").fetchone() is None


def test_a_refusal_needs_a_ground_of_this_kind_for_each_report(db: Db, world: World, report: UUID) -> None:
    his = db.execute(
        "SELECT l.person_id FROM link l JOIN mention m ON m.id = l.mention_id WHERE m.number = 3"
    ).fetchone()
    assert his is not None
    second = family(world)
    db.execute(
        "UPDATE link SET person_id = %s, state = 'confirmed', decided_by = 'teun', decided_at = now()"
        " WHERE mention_id = (SELECT id FROM mention WHERE report_id = %s AND number = 3)",
        (his["person_id"], second),
    )
    request = asked(db, report, 3, "destruction")
    for why in (
        [],
        [Why(report, "other_person", CONCRETE)],
        [Why(report, "other_person", CONCRETE), Why(second, "child", CONCRETE)],
    ):
        with pytest.raises(decision.GroundMissing):
            decision.propose(db, request, "refused", "Wij vernietigen niets.", why, by="bram", at=AT)
    both = [Why(report, "other_person", CONCRETE), Why(second, "law", CONCRETE)]
    decision.propose(db, request, "refused", "Wij vernietigen niets.", both, by="bram", at=AT)
    assert [row["ground"] for row in decision.grounds_of(db, request)] == ["other_person", "law"]
    with pytest.raises(psycopg.errors.IntegrityError):
        db.execute("UPDATE request_ground SET text = 'x'")


@pytest.mark.parametrize(
    ("form", "words", "not_words"),
    [
        ("bestuursorgaan", "bezwaar maken", "verzoekschrift"),
        ("stichting", "verzoekschrift", "bezwaar maken"),
        ("other", "bij welke rechter", "bezwaar maken"),
    ],
)
def test_the_letter_names_the_reasons_and_the_way_of_this_legal_form(
    db: Db, report: UUID, form: str, words: str, not_words: str
) -> None:
    db.execute("UPDATE region SET legal_form = %s", (form,))
    request = asked(db, report, 3, "destruction")
    why = [Why(report, "other_person", CONCRETE)]
    decision.propose(db, request, "refused", "Wij vernietigen uw gegevens niet.", why, by="bram", at=AT)
    letter = decision.release(db, request, by="gwen", name="Gwen", phone="0800-2000", at=AT)
    said = words_of_pdf(letter_pdf(db, letter))
    for part in ("Wij vernietigen uw gegevens niet.", "haar therapeut", words):
        assert part in said, part
    assert not_words not in said
    assert law.legal_forms()[form].weeks == 6


def test_the_one_who_proposed_does_not_release_and_what_comes_back_can_be_changed(
    db: Db, world: World, report: UUID
) -> None:
    request = asked(db, report, 3, "destruction")
    decision.propose(db, request, "granted", "Wij vernietigen uw gegevens.", by="bram", at=AT)
    with pytest.raises(decision.SamePerson):
        decision.release(db, request, by="bram", name="Bram", phone="1", at=AT)
    with pytest.raises(Conflict):
        decision.propose(db, request, "granted", "Toch anders.", by="bram", at=AT)
    decision.give_back(db, request, "Denk aan Kaatje.", by="gwen", at=AT)
    (listed,) = requests.of_report(db, world.region, report)
    assert (listed["outcome"], listed["returned_why"], listed["answered_at"]) == (None, "Denk aan Kaatje.", None)
    why = [Why(report, "other_person", CONCRETE)]
    decision.propose(db, request, "refused", "Wij vernietigen niets.", why, by="bram", at=AT)
    decision.release(db, request, by="gwen", name="Gwen", phone="1", at=AT)
    found = ledger.find(db, world.region, "destruction_request", request)
    assert found is not None
    assert found["met_at"] == AT
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE person_request SET answered_by = decided_by")


def test_access_is_granted_with_a_copy_only(db: Db, report: UUID) -> None:
    request = asked(db, report, 3, "access")
    with pytest.raises(decision.CopyMissing):
        decision.propose(db, request, "granted", "U krijgt alles.", by="bram", at=AT)
    why = [Why(report, "ending_violence", "Zolang Maria bij een opvang staat ingeschreven, is inzage gevaarlijk.")]
    decision.propose(db, request, "refused", "U krijgt nu geen inzage.", why, by="bram", at=AT)


def test_every_ground_and_form_names_its_source_and_doubt() -> None:
    assert not any(form.verified for form in law.legal_forms().values())
    for code, ground in law.grounds().items():
        assert ground.source, code
        assert ground.kinds, code
