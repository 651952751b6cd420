"""Advice: nothing of the family, nothing that leads to a report, and it goes when its term is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from core.database import Db, transaction
from core.errors import Conflict, NotFound, ReasonMissing
from core.ids import uuid7
from core.sealing import Unreadable
from intake import advice, advice_rows
from intake.advice import AdviceInput, AskerContact, PersonalDataFound, errors_of, record
from intake.channels import drafts

AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
SAFE = {
    "way": "telefoon",
    "capacity": "15",
    "occasions": ("08",),
    "natures": ("08",),
    "question": "Een leerkracht maakt zich zorgen over een leerling.",
    "advice": "Bespreek het met een collega en volg de meldcode.",
}


def an_advice(**more: Any) -> AdviceInput:
    return AdviceInput(**SAFE | more)


@pytest.fixture
def region(db: Db) -> UUID:
    identifier = uuid7()
    db.execute(
        "INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldregio', '00000099000000002000')", (identifier,)
    )
    return identifier


def kept(db: Db, region: UUID, **more: Any) -> UUID:
    with db.transaction():
        return record(db, region, an_advice(**more), by="teun", at=AT)


def wrong(**more: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        an_advice(**more)
    return errors_of(caught.value)


# ── what may be said ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["naam", "bsn", "persons", "betrokkenen", "household", "address", "report"])
def test_there_is_no_field_for_the_family(name: str) -> None:
    assert name not in AdviceInput.model_fields
    assert wrong(**{name: "x"}) == {name: "Deze waarde kan hier niet."}


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"way": "fax"}, "way"),
        ({"capacity": "99"}, "capacity"),
        ({"occasions": ()}, "occasions"),
        ({"occasions": ("01", "77")}, "occasions"),
        ({"natures": ("77",)}, "natures"),
        ({"question": "  "}, "question"),
        ({"advice": ""}, "advice"),
        ({"question": "x" * 10_001}, "question"),
        ({"minutes": 601}, "minutes"),
        ({"minutes": -1}, "minutes"),
        ({"minutes": "veel"}, "minutes"),
        ({"follow_up": True}, "follow_up_on"),
        ({"follow_up_on": date(2026, 12, 1)}, "follow_up_on"),
        ({"occasions": ("01",), "natures": ("08",)}, "natures"),
        ({"transcript": "Vrager: hallo"}, "transcript"),
        ({"contact": {"consent": False, "phone": "06"}}, "contact.consent"),
        ({"contact": {"consent": True}}, "contact"),
        ({"contact": {"consent": True, "email": "geen adres"}}, "contact.email"),
    ],
)
def test_what_does_not_fit_is_told_in_dutch_at_its_field(more: dict[str, Any], field: str) -> None:
    errors = wrong(**more)
    assert set(errors) == {field}
    assert errors[field].endswith(".")


def test_every_error_is_told_at_once_and_none_repeats_what_was_typed() -> None:
    errors = wrong(capacity="Jan", occasions=("Piet",), question="", minutes="Klaas")
    assert set(errors) == {"capacity", "occasions", "question", "minutes"}
    assert not any(name in text for name in ("Jan", "Piet", "Klaas") for text in errors.values())


def test_a_question_by_the_form_waits_for_its_advice() -> None:
    assert an_advice(way="formulier", advice="").advice == ""


# ── the check ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("field", ["question", "advice"])
def test_a_text_with_a_name_is_not_stored_until_a_person_looked(db: Db, region: UUID, field: str) -> None:
    given = an_advice(**{field: "De buurman heet karel en slaat."})
    with pytest.raises(PersonalDataFound) as caught, db.transaction():
        record(db, region, given, by="teun", at=AT)
    assert [one.excerpt for one in caught.value.finds] == ["karel"]
    assert list(caught.value.by_field) == [field]
    assert "karel" not in str(caught.value)
    assert db.execute("SELECT FROM advice").fetchall() == []
    with pytest.raises(ReasonMissing), db.transaction():
        record(db, region, given, by="teun", at=AT, confirmed=["karel"])
    with db.transaction():
        stored = record(db, region, given, by="teun", at=AT, confirmed=["karel"], reason="Naam uit een voorbeeld")
    assert advice_rows.find(db, region, stored)["finds"] == 1
    assert advice_rows.texts(db, region, stored)["kept"] == "Naam uit een voorbeeld"


def test_what_was_not_confirmed_still_counts(db: Db, region: UUID) -> None:
    given = an_advice(question="Karel en Fenne, bsn 999993653.")
    with pytest.raises(PersonalDataFound) as caught:
        record(db, region, given, by="teun", at=AT, confirmed=["Karel", "Fenne"], reason="Voorbeeldnamen")
    assert [one.kind for one in caught.value.finds] == ["bsn"]


def test_a_find_that_a_form_sent_back_with_other_line_ends_is_the_same(db: Db, region: UUID) -> None:
    given = an_advice(question="bel 06\n12345678")
    with db.transaction():
        assert record(db, region, given, by="teun", at=AT, confirmed=["06\r\n12345678"], reason="Nummer van ons")


# ── stored ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_advice_gets_its_number_per_region_and_year(db: Db, region: UUID) -> None:
    other = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Elders', '00000099000000002001')", (other,))
    numbers = [advice_rows.find(db, region, kept(db, region))["number"] for _ in range(2)]
    assert numbers == ["AD-2026-000001", "AD-2026-000002"]
    assert advice_rows.find(db, other, kept(db, other))["number"] == "AD-2026-000001"
    with db.transaction():  # half past midnight on New Year's Day in the Netherlands
        new_year = record(db, region, an_advice(), by="teun", at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))
    assert advice_rows.find(db, region, new_year)["number"] == "AD-2027-000001"


def test_the_same_id_again_stores_nothing_twice(db: Db, region: UUID) -> None:
    identifier = uuid7()
    contact = AskerContact(consent=True, phone="0600000001")
    for question in ("Een vraag.", "Een andere vraag."):
        with db.transaction():
            record(db, region, an_advice(question=question, contact=contact), by="teun", at=AT, id=identifier)
    assert advice_rows.texts(db, region, identifier)["question"] == "Een vraag."
    assert db.execute("SELECT count(*) AS n FROM advice_contact").fetchone() == {"n": 1}
    assert db.execute("SELECT count(*) AS n FROM audit_entry WHERE action = 'advice.record'").fetchone() == {"n": 1}
    assert advice_rows.find(db, region, kept(db, region))["number"] == "AD-2026-000002"  # no gap


def test_the_door_stores_advice_and_can_read_none(db: Db, region: UUID) -> None:
    with transaction("door") as door:
        record(door, region, an_advice(way="formulier", advice=""), by="web", at=AT)
    with transaction("door") as door, pytest.raises(psycopg.errors.InsufficientPrivilege):
        door.execute("SELECT sealed FROM advice")


def test_nothing_of_what_was_said_stands_in_the_database(db: Db, region: UUID) -> None:
    contact = AskerContact(consent=True, name="Vera Vrager", phone="0600000001", email="vera@voorbeeld.nl")
    with db.transaction():
        record(
            db,
            region,
            an_advice(question="Het woord papegaai.", advice="Het woord leguaan.", contact=contact),
            by="teun",
            at=AT,
        )
    for table in ("advice", "advice_contact", "audit_entry", "data_key"):
        text = str(db.execute(f"SELECT row_to_json(t)::text AS row, t::text AS plain FROM {table} t").fetchall())
        for word in ("papegaai", "leguaan", "Vera", "0600000001", "vera@"):
            assert word not in text, (table, word)
            assert word.encode().hex() not in text, (table, word)


def test_how_to_reach_who_asked_is_opened_on_record(db: Db, region: UUID) -> None:
    stored = kept(db, region, contact=AskerContact(consent=True, phone="0600000001"))
    with db.transaction():
        assert advice_rows.contact(db, region, stored, by="teun") == {"phone": "0600000001"}
    rows = db.execute("SELECT actor, object_id FROM audit_entry WHERE action = 'advice.contact'").fetchall()
    assert rows == [{"actor": "teun", "object_id": stored}]
    with pytest.raises(NotFound):
        advice_rows.contact(db, region, kept(db, region), by="teun")


def test_an_advice_of_another_region_does_not_exist(db: Db, region: UUID) -> None:
    stored = kept(db, region)
    for read in (advice_rows.find, advice_rows.texts):
        with pytest.raises(NotFound):
            read(db, uuid7(), stored)


@pytest.mark.parametrize(
    "change", ["number = 'AD-1'", "capacity = '01'", "asked_at = now()", "given_by = 'een ander'"]
)
def test_what_was_asked_and_given_never_changes(db: Db, region: UUID, change: str) -> None:
    kept(db, region)
    with pytest.raises(psycopg.errors.IntegrityError):
        db.execute(f"UPDATE advice SET {change}")


# ── answering and following up ──────────────────────────────────────────────────────────────────────────────


def test_a_question_by_the_form_is_answered_once(db: Db, region: UUID) -> None:
    asked = kept(db, region, way="formulier", advice="")
    assert advice_rows.waiting(db, region, AT.date())["open"] == 1
    answer = an_advice(way="formulier", advice="Bel ons gerust.", minutes=10)
    with db.transaction():
        advice_rows.answer(db, region, asked, answer, by="eva", at=AT + timedelta(days=1))
    row = advice_rows.find(db, region, asked)
    assert (row["given_by"], row["minutes"]) == ("eva", 10)
    assert advice_rows.texts(db, region, asked)["advice"] == "Bel ons gerust."
    assert advice_rows.texts(db, region, asked)["question"] == SAFE["question"]
    assert advice_rows.waiting(db, region, AT.date())["open"] == 0
    with pytest.raises(Conflict):
        advice_rows.answer(db, region, asked, answer, by="teun", at=AT)


def test_an_answer_is_checked_as_an_advice_is(db: Db, region: UUID) -> None:
    asked = kept(db, region, way="formulier", advice="")
    with pytest.raises(PersonalDataFound):
        advice_rows.answer(db, region, asked, an_advice(advice="Zeg dit tegen Karel."), by="eva", at=AT)
    with db.transaction():
        advice_rows.answer(
            db,
            region,
            asked,
            an_advice(advice="Zeg dit tegen Karel."),
            by="eva",
            at=AT,
            confirmed=["Karel"],
            reason="Onze collega",
        )
    assert advice_rows.find(db, region, asked)["finds"] == 1
    assert advice_rows.texts(db, region, asked)["kept"] == "Onze collega"


def test_a_follow_up_is_an_advice_of_its_own_in_one_chain(db: Db, region: UUID) -> None:
    first = kept(db, region, follow_up=True, follow_up_on=date(2026, 11, 29))
    assert advice_rows.waiting(db, region, date(2026, 11, 28))["follow_up"] == 0
    assert advice_rows.waiting(db, region, date(2026, 11, 29))["follow_up"] == 1
    second = kept(db, region, previous=first)
    third = kept(db, region, previous=second)
    for one in (first, second, third):
        assert [row["id"] for row in advice_rows.chain(db, region, one)] == [first, second, third]
    assert advice_rows.waiting(db, region, date(2026, 11, 29))["follow_up"] == 0
    listed, more = advice_rows.listing(db, region, state="vervolg")
    assert (listed, more) == ([], False)


def test_the_list_is_narrowed_and_comes_in_pages(db: Db, region: UUID) -> None:
    kept(db, region, capacity="35")
    kept(db, region, occasions=("01", "08"))
    kept(db, region, way="formulier", advice="")
    assert [row["capacity"] for row in advice_rows.listing(db, region, capacity="35")[0]] == ["35"]
    assert len(advice_rows.listing(db, region, occasion="01")[0]) == 1
    assert len(advice_rows.listing(db, region, state="open")[0]) == 1
    assert advice_rows.listing(db, region, last=date(2026, 11, 21)) == ([], False)
    assert len(advice_rows.listing(db, region, first=date(2026, 11, 22), last=date(2026, 11, 22))[0]) == 3
    for _ in range(advice_rows.PAGE):
        kept(db, region)
    first, more = advice_rows.listing(db, region)
    assert (len(first), more) == (advice_rows.PAGE, True)
    assert [len(advice_rows.listing(db, region, page=2)[0]), advice_rows.listing(db, region, page=2)[1]] == [3, False]


# ── becoming a report ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def staff(db: Db, region: UUID) -> UUID:
    identifier = uuid7()
    db.execute(
        "INSERT INTO staff (id, region_id, username, name, role, password_hash)"
        " VALUES (%s, %s, 'teun', 'Teun', 'intake_worker', 'x')",
        (identifier, region),
    )
    return identifier


def begun(db: Db, region: UUID, staff: UUID, identifier: UUID) -> drafts.Draft:
    with db.transaction():
        draft = advice_rows.convert(db, region, identifier, staff, way="telefoon", by="teun", at=AT)
    return drafts.find(db, region, draft, staff, by="teun")


def test_only_codes_go_along_to_the_call_that_names_persons(db: Db, region: UUID, staff: UUID) -> None:
    stored = kept(db, region, contact=AskerContact(consent=True, name="Vera Vrager"))
    draft = begun(db, region, staff, stored)
    assert draft.fields["hoedanigheid"] == "15"
    assert draft.fields["aanleiding.08"] == "ja"
    told = json.dumps(dict(draft.fields))
    assert not any(word in told for word in ("leerling", "meldcode", "Vera"))


def test_when_it_became_a_report_the_advice_has_the_day_and_nothing_leads_there(
    db: Db, region: UUID, staff: UUID
) -> None:
    stored = kept(db, region)
    draft, report = begun(db, region, staff, stored), uuid7()
    assert advice_rows.find(db, region, stored)["converted_on"] is None
    with db.transaction():
        drafts.finish(db, draft, "report", by="teun", at=AT, outcome_id=report)
    assert advice_rows.find(db, region, stored)["converted_on"] == date(2026, 11, 22)
    assert db.execute("SELECT FROM advice_conversion").fetchall() == []
    for table in ("advice", "advice_contact", "advice_chat"):
        assert str(report) not in str(db.execute(f"SELECT t::text FROM {table} t").fetchall())
    lines = db.execute("SELECT * FROM audit_entry WHERE object_id = %s", (stored,)).fetchall()
    assert [line["action"] for line in lines] == ["advice.record", "advice.convert", "advice.converted"]
    assert str(report) not in str(lines)
    with pytest.raises(Conflict):
        begun(db, region, staff, stored)


def test_a_call_that_became_nothing_leaves_the_advice_as_it_was(db: Db, region: UUID, staff: UUID) -> None:
    stored = kept(db, region)
    draft = begun(db, region, staff, stored)
    with db.transaction():
        drafts.finish(db, draft, "ended", by="teun", at=AT)
    assert advice_rows.find(db, region, stored)["converted_on"] is None
    assert db.execute("SELECT FROM advice_conversion").fetchall() == []


# ── counts, and the end ─────────────────────────────────────────────────────────────────────────────────────


def test_counts_are_of_advice_given_in_the_period(db: Db, region: UUID) -> None:
    kept(db, region, occasions=("01", "08"), natures=("01", "08"))
    kept(db, region, capacity="35", way="balie", previous=kept(db, region))
    kept(db, region, way="formulier", advice="")  # not given yet
    found = advice_rows.counts(db, region, date(2026, 7, 1), date(2026, 12, 31))
    assert (found.total, found.follow_ups, found.converted) == (3, 1, 0)
    assert found.ways == {"telefoon": 2, "balie": 1}
    assert found.capacities == {"15": 2, "35": 1}
    assert found.occasions == {"01": 1, "08": 3}
    assert found.natures == {"01": 1, "08": 3}
    empty = advice_rows.counts(db, region, date(2026, 1, 1), date(2026, 6, 30))
    assert (empty.total, empty.capacities) == (0, {})


@settings(max_examples=8)
@given(st.lists(st.sampled_from(["15", "35", "02"]), max_size=5))
def test_each_advice_counts_once_under_its_capacity(db: Db, region: UUID, capacities: list[str]) -> None:
    db.execute("DELETE FROM advice")
    for capacity in capacities:
        kept(db, region, capacity=capacity)
    found = advice_rows.counts(db, region, AT.date(), AT.date())
    assert dict(found.capacities) == {one: capacities.count(one) for one in set(capacities)}
    assert found.total == sum(found.capacities.values()) == len(capacities)


def test_an_advice_goes_after_its_term_with_its_key_and_the_contact_before(db: Db, region: UUID) -> None:
    contact = AskerContact(consent=True, phone="0600000001")
    first = kept(db, region, contact=contact)
    kept(db, region, previous=first)
    term = advice.terms()
    before = AT + timedelta(days=term.contact_days)
    with transaction("worker") as worker:
        assert advice_rows.forget(worker, before) == {"contacts": 0, "advice": 0, "chats": 0}
        assert advice_rows.forget(worker, before + timedelta(seconds=1)) == {"contacts": 1, "advice": 0, "chats": 0}
    assert advice_rows.find(db, region, first)["contact_id"] is None
    assert db.execute("SELECT count(*) AS n FROM data_key").fetchone() == {"n": 2}
    with transaction("worker") as worker:
        assert advice_rows.forget(worker, AT + timedelta(days=31 * term.advice_months))["advice"] == 2
    assert db.execute("SELECT FROM data_key").fetchall() == []
    lines = db.execute("SELECT details FROM audit_entry WHERE action = 'advice.forget'").fetchall()
    assert [line["details"] for line in lines] == [{"what": "contacts", "rows": 1}, {"what": "advice", "rows": 2}]


def test_a_contact_stays_until_shortly_after_the_follow_up(db: Db, region: UUID) -> None:
    late = (AT + timedelta(days=200)).date()
    kept(db, region, contact=AskerContact(consent=True, phone="1"), follow_up=True, follow_up_on=late)
    with transaction("worker") as worker:
        assert advice_rows.forget(worker, AT + timedelta(days=200))["contacts"] == 0
        assert advice_rows.forget(worker, AT + timedelta(days=216))["contacts"] == 1


def test_a_sealed_text_cannot_be_put_at_another_advice(db: Db, region: UUID) -> None:
    first, second = kept(db, region), kept(db, region)
    db.execute("UPDATE advice SET sealed = (SELECT sealed FROM advice WHERE id = %s) WHERE id = %s", (first, second))
    with pytest.raises(Unreadable):
        advice_rows.texts(db, region, second)


def test_two_at_once_get_two_numbers(db: Db, region: UUID, as_web: Callable[[str], Db]) -> None:
    with transaction("worker") as one:
        record(one, region, an_advice(), by="teun", at=AT)
        with transaction("door") as two:
            two.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                record(two, region, an_advice(), by="web", at=AT)
    with transaction("door") as two:
        record(two, region, an_advice(), by="web", at=AT)
    numbers = [row["number"] for row in advice_rows.listing(db, region)[0]]
    assert sorted(numbers) == ["AD-2026-000001", "AD-2026-000002"]
