"""Secret whereabouts: nothing readable outside the vault, and exactly as before when it ends (security.md D1)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from core.database import Db
from core.errors import Conflict, NotAllowed, NotFound, ReasonMissing
from core.ids import uuid7
from core.sealing import Unreadable
from intake import protected
from radar.linking import correct, derived, register
from radar.linking.rules import load
from radar.protection import settling, whereabouts
from tests.radar.arrivals import ANNE, DAY, HOME, JAN, MIA, OURS, REGION, Person, arrive, found_region, one
from tests.radar.canaries import tables_with

SHELTER = {
    "soort": "feitelijk", "straat": "Kanariestraat", "huisnummer": "7", "huisletter": "b", "postcode": "9876ZX",
    "woonplaats": "Kanariedam",
}  # fmt: skip
PHONE = "06-87654321"
CANARIES = (
    "Kanariestraat", "Kanariedam", "9876ZX", "9876 ZX", "87654321", "8765 4321", "Kanarieschool", "Kanarieverhaal",
    "Kanarieoma", "Kanariezorg", "Kanariegemeente", "Kanarieregel",
)  # fmt: skip
CONTENT = {
    "incident": {
        "locatie": "Kanariestraat 7b, Kanariedam",
        "omschrijving": "Zij is nu in de kanariestraat 7 b te KANARIEDAM (9876 zx), bereikbaar op +31 6 8765 4321.",
    },
    "situatie": {
        "relevanteRegistraties": ["Melding aan Kanariestraat 7b"],
        "extra": [{"naam": "x", "waarde": PHONE}],
    },
}
MOTHER: Person = MIA | {
    "adressen": [SHELTER, {"soort": "formeel"} | HOME, {"soort": "formeel", "regel1": "Kanarieregel 1"}],
    "telefoonnummers": [PHONE],
    "aanvullendeInformatie": "Kanarieverhaal: haar nieuwe plek mag niemand weten.",
    "overigeZorgMinderjarige": "Kanariezorg",
    "extra": [{"naam": "school", "waarde": "Kanarieschool"}, {"naam": "geen"}],
    "relaties": [
        {"omschrijving": "moeder van", "persoon": {"naam": {"voornamen": "Anne"}}},
        {"omschrijving": "logeert bij Kanarieoma"},
    ],
}
FATHER: Person = JAN | {"adressen": [{"soort": "formeel"} | HOME | {"huisnummer": "14"}]}


@pytest.fixture
def region(db: Db) -> UUID:
    found_region(db)
    for place, first in (("Testdam", 1200), ("Kanariegemeente", 9800)):
        db.execute(
            "INSERT INTO service_area (id, region_id, municipality, postcode_from, postcode_to, team_id, partner_id,"
            " valid_from) VALUES (%s, %s, %s, %s, %s, %s, %s, '2020-01-01')",
            (uuid7(), REGION, place, first, first + 99, OURS, UUID(int=4)),
        )
    return REGION


def report_on(db: Db, *persons: Person, content: dict[str, Any] | None = None, **more: Any) -> UUID:
    """A report that came in, was linked and got its route."""
    report = arrive(db, *persons, **more)
    if content:
        db.execute("UPDATE report SET content = %s WHERE id = %s", (Jsonb(content), report))
    return report


def leaks(db: Db) -> dict[str, list[str]]:
    """Where a canary can be read; the table of municipalities is public."""
    found = {
        canary: [one for one in tables if one not in ("service_area", "register_change")]
        for canary, tables in tables_with(db, CANARIES).items()
    }
    return {canary: tables for canary, tables in found.items() if tables}


def mention(db: Db, report: UUID, number: int = 1) -> UUID:
    found: UUID = one(db, "SELECT id FROM mention WHERE report_id = %s AND number = %s", report, number)["id"]
    return found


def stored(db: Db) -> dict[str, Any]:
    """Everything that the register and the reports say, without when and by whom."""
    tables = {
        "mention": "id, person, blind",
        "report": "id, content, municipality, household_id",
        "person": "id, profile",
        "person_key": "key, person_id",
        "membership": "person_id, household_id, mention_id",
        "whereabouts": "report_id",
    }
    return {
        table: db.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}").fetchall()
        for table, columns in tables.items()
    }


def protect(db: Db, mention_id: UUID, **more: Any) -> UUID:
    with db.transaction():
        return whereabouts.protect(db, mention_id, "Zij is gevlucht.", by="bram", at=DAY, **more)


def lift(db: Db, protection: UUID) -> None:
    with db.transaction():
        whereabouts.ask_lift(db, protection, "Het gevaar is voorbij.", by="bram", at=DAY)
        whereabouts.lift(db, protection, by="gwen", at=DAY)


def test_no_table_holds_a_readable_whereabout_of_a_protected_person(db: Db, region: UUID) -> None:
    report = report_on(db, MOTHER, FATHER, content=CONTENT)
    assert set(leaks(db)) >= {"Kanariestraat", "Kanariedam", "Kanariegemeente", "87654321"}
    protect(db, mention(db, report))
    assert leaks(db) == {}
    assert settling.readable(db)[1] == 0


def test_what_others_openly_have_stays_readable(db: Db, region: UUID) -> None:
    """The father still lives where he lives; his address is no secret of hers."""
    report = report_on(db, MOTHER, FATHER, content=CONTENT)
    protect(db, mention(db, report))
    father = one(db, "SELECT person FROM mention WHERE id = %s", mention(db, report, 2))["person"]
    assert father == FATHER
    assert one(db, "SELECT municipality FROM report WHERE id = %s", report)["municipality"] == "Testdam"


def test_lifting_puts_everything_back_exactly(db: Db, region: UUID) -> None:
    report = report_on(db, MOTHER, FATHER, content=CONTENT)
    before = stored(db)
    lift(db, protect(db, mention(db, report)))
    assert stored(db) == before


def test_somebody_at_the_same_address_or_phone_goes_along(db: Db, region: UUID) -> None:
    """The child in the shelter would give its mother's address away."""
    child = ANNE | {"adressen": [SHELTER]}
    report = report_on(db, MOTHER, child, FATHER)
    protect(db, mention(db, report))
    assert leaks(db) == {}
    found = whereabouts.of_report(db, region, report)
    assert [(row.number, [one_["cause"] for one_ in row.protections]) for row in found] == [
        (1, ["staff"]),
        (2, ["sign"]),
    ]


def test_the_child_of_the_shelter_stays_protected_when_it_is_reported_alone(db: Db, region: UUID) -> None:
    """A later report of the school would tell where its mother is; and when hers ends, so does the child's."""
    child = ANNE | {"adressen": [SHELTER]}
    before = report_on(db, MOTHER, child, FATHER)
    protection = protect(db, mention(db, before))
    report_on(db, child, at=DAY + timedelta(days=9))
    assert leaks(db) == {}
    lift(db, protection)
    assert one(db, "SELECT count(*) AS n FROM whereabouts")["n"] == 0
    assert one(db, "SELECT count(*) AS n FROM protection WHERE lifted_at IS NULL")["n"] == 0


def test_every_mention_of_the_person_is_protected_now_and_later(db: Db, region: UUID) -> None:
    first = report_on(db, MOTHER, FATHER)
    second = report_on(db, MOTHER, at=DAY + timedelta(days=9))
    protect(db, mention(db, first))
    assert one(db, "SELECT person FROM mention WHERE id = %s", mention(db, second))["person"]["telefoonnummers"] == [
        protected.HIDDEN
    ]
    third = report_on(db, MOTHER, FATHER, at=DAY + timedelta(days=20))
    assert leaks(db) == {}
    assert [row.number for row in whereabouts.of_report(db, region, third)] == [1]


def test_linking_reads_keyed_hashes_as_it_read_the_addresses(db: Db, region: UUID) -> None:
    """The household is found by what nobody can read: outcome and score are those of an open register."""

    def result(db: Db) -> list[Any]:
        late = report_on(db, {**MOTHER, "bsn": ""}, ANNE, at=DAY + timedelta(days=30))
        return [
            (link.outcome, link.state, round(link.score, 4), link.person, [why["text"] for why in link.reasons])
            for link in register.link_report(db, late, DAY).decisions
        ]

    report = report_on(db, MOTHER, ANNE)
    with db.transaction(force_rollback=True):
        open_register = result(db)
    protect(db, mention(db, report))
    assert result(db) == open_register
    assert any("Telefoonnummer gelijk" in texts for *_, texts in open_register)


def test_mark_link_unlink_lift_is_as_if_nobody_was_ever_protected(db: Db, region: UUID) -> None:
    first = report_on(db, MOTHER, FATHER, content=CONTENT)
    second = report_on(db, {**MOTHER, "bsn": ""}, content=CONTENT, at=DAY + timedelta(days=5))
    link = one(db, "SELECT id, state FROM link WHERE mention_id = %s AND state = 'automatic'", mention(db, second))
    with db.transaction(force_rollback=True):
        with db.transaction():
            correct.undo(db, link["id"], "gwen", DAY)
        never = stored(db)["mention"], stored(db)["report"]
    protection = protect(db, mention(db, first))
    with db.transaction():
        correct.undo(db, link["id"], "gwen", DAY)
    lift(db, protection)
    after = stored(db)["mention"], stored(db)["report"]
    assert after[0] == never[0]
    assert [row["content"] for row in after[1]] == [row["content"] for row in never[1]]
    assert settling.readable(db)[1] == 0


def test_a_report_that_leaves_a_wrong_person_can_be_read_again(db: Db, region: UUID) -> None:
    first = report_on(db, MOTHER)
    second = report_on(db, MOTHER, at=DAY + timedelta(days=5))
    protect(db, mention(db, first))
    link = one(db, "SELECT id FROM link WHERE mention_id = %s AND state = 'automatic'", mention(db, second))["id"]
    with db.transaction():
        correct.undo(db, link, "gwen", DAY)
    assert one(db, "SELECT person FROM mention WHERE id = %s", mention(db, second))["person"] == MOTHER
    assert one(db, "SELECT person FROM mention WHERE id = %s", mention(db, first))["person"] != MOTHER


def test_what_people_wrote_is_masked_too_and_comes_back(db: Db, region: UUID) -> None:
    report = report_on(db, MOTHER, FATHER)
    db.execute(
        "INSERT INTO contact (id, region_id, report_id, at, noted_at, actor, with_kind, who, how, summary, informed)"
        " VALUES (%s, %s, %s, %s, %s, 'bram', 'informant', 'Opvang', 'call', %s, false)",
        (uuid7(), REGION, report, DAY, DAY, "Gebeld naar 0687654321, ze is in Kanariedam."),
    )
    protection = protect(db, mention(db, report))
    assert leaks(db) == {}
    lift(db, protection)
    assert "0687654321, ze is in Kanariedam" in one(db, "SELECT summary FROM contact")["summary"]


def test_two_people_end_a_protection_and_say_why(db: Db, region: UUID) -> None:
    protection = protect(db, mention(db, report_on(db, MOTHER)))
    with pytest.raises(Conflict):
        whereabouts.lift(db, protection, by="gwen", at=DAY)
    with pytest.raises(ReasonMissing):
        whereabouts.ask_lift(db, protection, " ", by="bram", at=DAY)
    whereabouts.ask_lift(db, protection, "Voorbij.", by="bram", at=DAY)
    with pytest.raises(NotAllowed):
        whereabouts.lift(db, protection, by="bram", at=DAY)
    whereabouts.keep(db, protection, by="gwen", at=DAY)
    with pytest.raises(Conflict):
        whereabouts.lift(db, protection, by="gwen", at=DAY)
    assert leaks(db) == {}


def test_a_protection_needs_a_reason_and_is_made_once(db: Db, region: UUID) -> None:
    about = mention(db, report_on(db, MOTHER))
    with pytest.raises(ReasonMissing):
        whereabouts.protect(db, about, "", by="bram", at=DAY)
    with pytest.raises(NotFound):
        whereabouts.protect(db, uuid7(), "Omdat.", by="bram", at=DAY)
    protect(db, about)
    with pytest.raises(Conflict):
        protect(db, about)


def test_a_day_to_look_again_ends_nothing(db: Db, region: UUID) -> None:
    report = report_on(db, MOTHER)
    protect(db, mention(db, report), look_again_on=date(2026, 4, 1))
    assert whereabouts.look_again(db, region, date(2026, 3, 31)) == []
    assert [row["report_id"] for row in whereabouts.look_again(db, region, date(2026, 4, 1))] == [report]
    assert leaks(db) == {}


def test_the_vault_tells_what_was_left_out(db: Db, region: UUID) -> None:
    report = report_on(db, MOTHER, FATHER, content=CONTENT)
    protect(db, mention(db, report))
    content, persons = settling.opened(db, report)
    assert (content, persons[1]) == (CONTENT, MOTHER)


def test_a_sealed_value_of_another_report_is_refused(db: Db, region: UUID) -> None:
    """Whoever may write in the database cannot carry one family's address into another's vault."""
    one_, other = report_on(db, MOTHER), report_on(db, {**FATHER, "adressen": [SHELTER]}, at=DAY + timedelta(days=3))
    protect(db, mention(db, one_))
    protect(db, mention(db, other))
    db.execute(
        "UPDATE whereabouts SET sealed = (SELECT sealed FROM whereabouts WHERE report_id = %s) WHERE report_id = %s",
        (one_, other),
    )
    with pytest.raises(Unreadable):
        settling.opened(db, other)


def test_verify_finds_an_address_that_came_back_outside_the_vault(db: Db, region: UUID) -> None:
    report = report_on(db, MOTHER)
    protect(db, mention(db, report))
    assert settling.readable(db) == (1, 0)
    db.execute("UPDATE mention SET person = person || %s", (Jsonb({"adressen": [SHELTER]}),))
    assert settling.readable(db) == (1, 1)


def test_rehearsing_a_report_on_a_protected_person_reads_the_same(db: Db, region: UUID) -> None:
    """`weigh` decides as if the report came in now; it must not need what is sealed."""
    report_on(db, MOTHER, FATHER)
    late = report_on(db, MOTHER, at=DAY + timedelta(days=9))
    rules = load()
    before = [(one.outcome, one.state, one.score) for one in register.weigh(db, late, rules)]
    protect(db, mention(db, late))
    assert [(one.outcome, one.state, one.score) for one in register.weigh(db, late, rules)] == before


def test_reading_the_register_anew_keeps_it_blind(db: Db, region: UUID) -> None:
    report = report_on(db, MOTHER)
    protect(db, mention(db, report))
    before = stored(db)["person"], stored(db)["person_key"]
    persons = [UUID(str(row["id"])) for row in before[0]]
    with db.transaction():
        derived.derive(db, region, persons, load())
    assert (stored(db)["person"], stored(db)["person_key"]) == before
    assert leaks(db) == {}
