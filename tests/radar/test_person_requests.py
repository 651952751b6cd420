"""Requests of persons concerned: a term from the day of receipt, a task, an answer once, and the limits of age."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.casework import ledger, requests
from radar.casework.requests import AnswerMissing, WrongDay, WrongKind
from tests.web.conftest import MOTHER, PERSON, World

RECEIVED = datetime(2026, 1, 5, 9, tzinfo=UTC)
AT = datetime(2026, 3, 4, 9, tzinfo=UTC)


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


@pytest.fixture
def report(world: World) -> UUID:
    household, case = world.household(RECEIVED)
    return world.report(RECEIVED, [PERSON, MOTHER], household=household, case=case)


def mention(db: Db, report: UUID, number: int) -> UUID:
    row = db.execute("SELECT id FROM mention WHERE report_id = %s AND number = %s", (report, number)).fetchone()
    assert row is not None
    found: UUID = row["id"]
    return found


def task(db: Db, request: UUID) -> dict[str, Any]:
    row = db.execute("SELECT * FROM task WHERE kind = 'person_request' AND subject_id = %s", (request,)).fetchone()
    assert row is not None
    return dict(row)


@pytest.mark.parametrize(
    ("kind", "term", "received_on", "due"),
    [
        ("access", "access_request", date(2026, 3, 2), date(2026, 4, 2)),
        ("access", "access_request", date(2026, 1, 31), date(2026, 3, 2)),  # the last of February is a Saturday
        ("destruction", "destruction_request", date(2026, 2, 3), date(2026, 5, 4)),  # 3 May is a Sunday
        ("destruction", "destruction_request", date(2026, 1, 24), date(2026, 4, 24)),
    ],
)
def test_the_term_runs_from_the_day_of_receipt_and_opens_a_task(
    db: Db, world: World, report: UUID, kind: str, term: str, received_on: date, due: date
) -> None:
    request = requests.receive(db, mention(db, report, 2), kind, received_on, note=" Alles. ", by="ilse", at=AT)
    found = ledger.find(db, world.region, term, request)
    assert found is not None
    assert found["norm_due_on"] == found["legal_due_on"]
    assert found["legal_due_on"] == due
    assert (task(db, request)["due_at"], task(db, request)["report_id"]) == (found["due_at"], report)
    (listed,) = requests.of_report(db, world.region, report)
    assert (listed["kind"], listed["note"], listed["received_on"], listed["due_at"]) == (
        kind,
        "Alles.",
        received_on,
        found["due_at"],
    )


def test_an_answer_meets_the_term_and_ends_the_task_once(db: Db, world: World, report: UUID) -> None:
    request = requests.receive(db, mention(db, report, 2), "destruction", date(2026, 2, 3), by="ilse", at=AT)
    with pytest.raises(AnswerMissing):
        requests.answer(db, request, "  ", by="bram", at=AT)
    late = datetime(2026, 9, 1, tzinfo=UTC)
    requests.answer(db, request, "Nee: een ander heeft er groot belang bij.", by="bram", at=late)
    found = ledger.find(db, world.region, "destruction_request", request)
    assert found is not None
    assert found["met_at"] == late > found["due_at"], "too late is answered all the same"
    assert task(db, request)["done_by"] == "bram"
    with pytest.raises(Conflict):
        requests.answer(db, request, "Toch ja.", by="gwen", at=late)
    (listed,) = requests.of_report(db, world.region, report)
    assert (listed["answer"], listed["answered_by"]) == ("Nee: een ander heeft er groot belang bij.", "bram")
    again = requests.receive(db, mention(db, report, 2), "destruction", date(2026, 8, 31), by="ilse", at=late)
    assert again != request, "who was answered may ask again"
    noted = db.execute("SELECT action FROM audit_entry WHERE object_id = %s ORDER BY at", (request,)).fetchall()
    assert sorted(row["action"] for row in noted) == ["request.answer", "request.receive"]


def test_what_cannot_be_is_refused_and_leaves_nothing(db: Db, world: World, report: UUID) -> None:
    mother = mention(db, report, 2)
    tries: list[tuple[type[Exception], UUID, str, date]] = [
        (WrongKind, mother, "correction", date(2026, 3, 2)),
        (WrongDay, mother, "access", date(2026, 3, 5)),
        (WrongDay, mother, "access", date(2026, 1, 4)),
        (NotFound, uuid7(), "access", date(2026, 3, 2)),
    ]
    for error, who, kind, day in tries:
        with pytest.raises(error):
            requests.receive(db, who, kind, day, by="ilse", at=AT)
    with pytest.raises(NotFound):
        requests.answer(db, uuid7(), "Ja.", by="bram", at=AT)
    assert db.execute("SELECT FROM person_request").fetchone() is None
    requests.receive(db, mother, "access", date(2026, 3, 2), by="ilse", at=AT)
    with pytest.raises(Conflict):
        requests.receive(db, mother, "access", date(2026, 3, 3), by="ilse", at=AT)
    requests.receive(db, mother, "destruction", date(2026, 3, 3), by="ilse", at=AT)
    requests.receive(db, mention(db, report, 1), "access", date(2026, 3, 3), by="ilse", at=AT)
    assert len(requests.of_report(db, world.region, report)) == 3
    assert requests.of_report(db, UUID(int=0), report) == []


@pytest.mark.parametrize(
    ("born", "kind", "words"),
    [
        ("20140303", "access", "12 tot en met 15 jaar: de jongere zelf, en ook de wettelijk vertegenwoordiger"),
        ("20140305", "access", "Jonger dan 12 jaar: alleen de wettelijk vertegenwoordiger"),
        ("20100304", "access", "16 jaar of ouder: alleen de persoon zelf"),
        ("20100305", "access", "12 tot en met 15 jaar"),
        ("20140303", "destruction", "12 jaar of ouder: alleen de persoon zelf"),
        ("20140305", "destruction", "Jonger dan 12 jaar"),
        ("20140000", "access", "11 of 12 jaar. Ga eerst de geboortedatum na."),
        ("00000000", "access", "De leeftijd is onbekend."),
    ],
)
def test_who_may_ask_follows_his_age_on_the_day_of_the_request(born: str, kind: str, words: str) -> None:
    """Twelve and sixteen (Wmo 2015 art. 5.3.2 and 5.3.5): at the moment of the request, not now."""
    indicator = {"20140000": "M", "00000000": "J"}.get(born, "V")
    person = {"geboortedatum": {"tekst": born, "indicatie": indicator}}
    who, ground = requests.hints(person, kind, date(2026, 3, 4))
    assert words in who
    assert "Weigeren kan alleen" in ground


def test_a_hint_for_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(WrongKind):
        requests.hints({}, "correction", date(2026, 3, 4))
