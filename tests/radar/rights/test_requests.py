"""Requests of persons concerned: a term from the day of receipt, a task, an answer once, and the limits of age."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from core.database import Db
from core.errors import Conflict, NotFound
from core.ids import uuid7
from radar.casework import ledger
from radar.rights import copy, corrections, decision, requests
from radar.rights.requests import AnswerMissing, WrongDay, WrongKind
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
        ("correction", "rights_request", date(2026, 3, 2), date(2026, 4, 2)),
        ("objection", "rights_request", date(2026, 3, 2), date(2026, 4, 2)),
        ("restriction", "rights_request", date(2026, 3, 2), date(2026, 4, 2)),
        ("statement", "rights_request", date(2026, 3, 2), date(2026, 4, 2)),
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
        requests.close(db, request, "refused", "  ", by="bram", at=AT)
    late = datetime(2026, 9, 1, tzinfo=UTC)
    requests.close(db, request, "withdrawn", "Per brief ingetrokken.", by="bram", at=late)
    found = ledger.find(db, world.region, "destruction_request", request)
    assert found is not None
    assert found["met_at"] == late > found["due_at"], "too late is answered all the same"
    assert task(db, request)["done_by"] == "bram"
    with pytest.raises(Conflict):
        requests.close(db, request, "granted", "Toch ja.", by="gwen", at=late)
    (listed,) = requests.of_report(db, world.region, report)
    assert (listed["answer"], listed["answered_by"]) == ("Per brief ingetrokken.", "bram")
    again = requests.receive(db, mention(db, report, 2), "destruction", date(2026, 8, 31), by="ilse", at=late)
    assert again != request, "who was answered may ask again"
    noted = db.execute("SELECT action FROM audit_entry WHERE object_id = %s ORDER BY at", (request,)).fetchall()
    assert sorted(row["action"] for row in noted) == ["request.answer", "request.receive"]


def test_what_cannot_be_is_refused_and_leaves_nothing(db: Db, world: World, report: UUID) -> None:
    mother = mention(db, report, 2)
    tries: list[tuple[type[Exception], UUID, str, date]] = [
        (WrongKind, mother, "everything", date(2026, 3, 2)),
        (WrongDay, mother, "access", date(2026, 3, 5)),
        (WrongDay, mother, "access", date(2026, 1, 4)),
        (NotFound, uuid7(), "access", date(2026, 3, 2)),
    ]
    for error, who, kind, day in tries:
        with pytest.raises(error):
            requests.receive(db, who, kind, day, by="ilse", at=AT)
    with pytest.raises(NotFound):
        requests.close(db, uuid7(), "granted", "Ja.", by="bram", at=AT)
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


BY_HIMSELF: dict[str, Any] = {"asker": "self", "name": "Maria Voorbeeld", "how": "document", "by": "ilse", "at": AT}


def test_nothing_is_prepared_before_it_is_known_who_asks(db: Db, report: UUID) -> None:
    request = requests.receive(db, mention(db, report, 2), "access", date(2026, 3, 2), by="ilse", at=AT)
    with pytest.raises(requests.NotVerified):
        copy.prepare(db, request, by="bram", at=AT)
    with pytest.raises(requests.NotVerified):
        decision.propose(db, request, "granted", "Ja.", by="bram", at=AT)
    assert requests.verify(db, request, **BY_HIMSELF)
    assert copy.prepare(db, request, by="bram", at=AT)
    with pytest.raises(Conflict):
        requests.verify(db, request, **BY_HIMSELF)
    (noted,) = db.execute("SELECT details FROM audit_entry WHERE action = 'request.verify'").fetchall()
    assert noted["details"] == {"asker": "self", "how": "document", "entitled": True, "called_back": False}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"asker": ""}, requests.AskerMissing),
        ({"name": " "}, requests.AskerMissing),
        ({"how": "gewoon"}, requests.HowMissing),
        ({"how": "known"}, requests.CallBackMissing),
        ({"asker": "representative"}, requests.AuthorityMissing),
        ({"asker": "representative", "authority": "Gezagsregister."}, requests.CallBackMissing),
        ({"called_back_at": AT + timedelta(days=1), "called_back_note": "Hij is het."}, requests.CallBackMissing),
    ],
)
def test_who_asks_must_be_made_sure_and_a_representative_is_called_back(
    db: Db, report: UUID, change: dict[str, Any], error: type[Exception]
) -> None:
    """Threat T3: somebody says that he is her lawyer."""
    request = requests.receive(db, mention(db, report, 2), "access", date(2026, 3, 2), by="ilse", at=AT)
    with pytest.raises(error):
        requests.verify(db, request, **BY_HIMSELF | change)
    assert db.execute("SELECT FROM person_request WHERE verified_at IS NOT NULL").fetchone() is None


def test_somebody_else_is_refused_and_gets_no_further(db: Db, world: World, report: UUID) -> None:
    request = requests.receive(db, mention(db, report, 2), "access", date(2026, 3, 2), by="ilse", at=AT)
    assert not requests.verify(db, request, **BY_HIMSELF | {"asker": "other", "name": "Haar broer"})
    (listed,) = requests.of_report(db, world.region, report)
    assert (listed["outcome"], listed["answered_by"]) == ("not_entitled", "ilse")
    assert task(db, request)["done_at"] is not None
    with pytest.raises(Conflict):
        copy.prepare(db, request, by="bram", at=AT)


def test_a_vague_birth_date_asks_a_person_for_the_age(db: Db, world: World) -> None:
    born = {"tekst": "20100000", "indicatie": "M"}
    teen = MOTHER | {"geboortedatum": born}
    household, case = world.household(RECEIVED)
    report = world.report(RECEIVED, [teen], household=household, case=case)
    request = requests.receive(db, mention(db, report, 1), "access", date(2026, 3, 2), by="ilse", at=AT)
    parent = BY_HIMSELF | {
        "asker": "representative",
        "authority": "Gezagsregister gezien.",
        "called_back_at": AT,
        "called_back_note": "Op het nummer uit het dossier.",
    }
    with pytest.raises(requests.AgeMissing):
        requests.verify(db, request, **parent)
    with pytest.raises(requests.AgeMissing):
        requests.verify(db, request, **parent | {"age_said": 12})
    assert requests.verify(db, request, **parent | {"age_said": 15})


def test_the_term_is_lengthened_once_with_a_reason_and_stays_within_two_months(
    db: Db, world: World, report: UUID
) -> None:
    request = requests.receive(db, mention(db, report, 2), "access", date(2026, 3, 2), by="ilse", at=AT)
    found = ledger.find(db, world.region, "access_request", request)
    assert found is not None
    with pytest.raises(ledger.WrongExtension):
        ledger.extend(db, found["id"], 9, reason="Veel meldingen.", by="bram", at=AT)
    longer = ledger.extend(db, found["id"], 8, reason="Veel meldingen.", by="bram", at=AT)
    assert date(2026, 4, 2) < longer.legal.due_on <= date(2026, 6, 2)
    with pytest.raises(ledger.WrongExtension):
        ledger.extend(db, found["id"], 1, reason="Nog meer.", by="bram", at=AT)


def test_an_own_statement_and_a_correction_stand_beside_what_was_sent(db: Db, world: World, report: UUID) -> None:
    request = requests.receive(db, mention(db, report, 2), "statement", date(2026, 3, 2), by="ilse", at=AT)
    requests.verify(db, request, **BY_HIMSELF)
    with pytest.raises(corrections.TextMissing):
        corrections.state(db, request, " ", date(2026, 3, 2), by="bram", at=AT)
    corrections.state(db, request, "Zo is het niet gegaan.", date(2026, 3, 2), by="bram", at=AT)
    asked = requests.receive(db, mention(db, report, 2), "correction", date(2026, 3, 2), by="ilse", at=AT)
    requests.verify(db, asked, **BY_HIMSELF)
    fixed = {"what": "Voornaam", "said": "Maria", "becomes": "Marja", "source": "Paspoort gezien"}
    with pytest.raises(corrections.CorrectionMissing):
        corrections.correct(db, asked, **fixed | {"source": ""}, since=date(2026, 3, 2), by="bram", at=AT)
    corrections.correct(db, asked, **fixed, since=date(2026, 3, 2), by="bram", at=AT)
    beside = corrections.of_report(db, world.region, report)
    assert [one["text"] for one in beside["statements"]] == ["Zo is het niet gegaan."]
    assert beside["corrections"] == [], "nothing is shown before the decision"
    decision.propose(db, asked, "granted", "Wij zetten de goede naam erbij.", by="bram", at=AT)
    decision.release(db, asked, by="gwen", name="Gwen", phone="1", at=AT)
    beside = corrections.of_report(db, world.region, report)
    assert [(one["said"], one["becomes"]) for one in beside["corrections"]] == [("Maria", "Marja")]
    said = db.execute("SELECT person FROM mention WHERE id = %s", (mention(db, report, 2),)).fetchone()
    assert said is not None
    assert said["person"] == MOTHER
    for statement in ("UPDATE own_statement SET text = 'x'", "DELETE FROM correction"):
        with pytest.raises(psycopg.errors.IntegrityError):
            db.execute(statement)


def test_a_granted_restriction_stops_the_use_in_every_report_on_this_person(
    db: Db, world: World, report: UUID
) -> None:
    who = uuid7()
    world.link(report, 2, who, "new")
    other = world.report(RECEIVED, [MOTHER])
    world.link(other, 1, who, "confirmed")
    asked = requests.receive(db, mention(db, report, 2), "restriction", date(2026, 3, 2), by="ilse", at=AT)
    requests.verify(db, asked, **BY_HIMSELF)
    decision.propose(db, asked, "granted", "Wij gebruiken uw gegevens nu niet.", by="bram", at=AT)
    assert corrections.stopped(db, report) == []
    decision.release(db, asked, by="gwen", name="Gwen", phone="1", at=AT)
    assert len(corrections.stopped(db, report)) == len(corrections.stopped(db, other)) == 1
    (stop,) = corrections.stopped(db, report)
    corrections.resume_use(db, stop["id"], "De gegevens kloppen: nagegaan.", by="gwen", at=AT)
    assert corrections.stopped(db, other) == []


def test_a_hint_for_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(WrongKind):
        requests.hints({}, "everything", date(2026, 3, 4))
