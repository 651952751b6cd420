"""Who reported: read on record, told only on the grounds of the law, and compared with the family."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection

from core import sealing
from core.database import Db, connection_options
from core.errors import Conflict, NotFound, ReasonMissing, SettingsError
from core.ids import uuid7
from intake import receive, senders
from intake.message import ReportMessage
from intake.receive import Answer, Arrival
from intake.sample import MOTHER, POLICE_OIN, VEILIG_THUIS_OIN, sample_json
from radar.protection import reporters

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
CALLER = {"naam": "Wim van den Officier", "afdeling": "Basisteam Zuid", "telefoonnummers": ["06 12 34 56 78"]}
Arrive = Callable[..., UUID]


@pytest.fixture
def arrive(db: Db, database_url: str) -> Arrive:
    """Receive a report as the feed does; gives its id."""
    region = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio A', %s)", (region, VEILIG_THUIS_OIN))

    def one(kind: str = "politie", changes: Mapping[str, Any] | None = None) -> UUID:
        known = db.execute("SELECT id FROM sender WHERE kind = %s", (kind,)).fetchone()
        if known is None:
            with db.transaction():
                senders.add(db, region, str(int(POLICE_OIN) + len(kind)).zfill(20), kind, kind)
            known = db.execute("SELECT id FROM sender WHERE kind = %s", (kind,)).fetchone()
        assert known
        sender = senders.Sender(known["id"], region, VEILIG_THUIS_OIN, "VT", "0" * 20, kind, kind)
        data = sample_json({"bericht": {"referentienummer": str(uuid7())}, **(changes or {})})
        arrival = Arrival.of(sender, "json", str(uuid7()).encode(), None)

        async def put() -> None:
            async with await AsyncConnection.connect(database_url, **connection_options()) as feed:
                message = ReportMessage.from_json(data)
                assert await receive.receive_report(feed, arrival, message, (), Answer(200, "", b""))

        asyncio.run(put())
        return arrival.subject

    return one


def melder(**said: Any) -> dict[str, Any]:
    return {"rol": {"tekst": "melder", "code": "391"}, **said}


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_identity_is_read_whole_and_that_is_on_record(db: Db, arrive: Arrive) -> None:
    neighbour = melder(naam={"volledigeNaam": "Toos Buurvrouw"}, bsn="999993653")
    report = arrive(
        changes={
            "melding": {"contact": CALLER},
            "bericht": {"referentienummer": "r1", "zender": {"gebruiker": "wofficier"}},
            "betrokkenen": [MOTHER, neighbour],
        }
    )
    who = reporters.read(db, report, by="anna")
    assert (who.name, who.department, who.phones) == ("Wim van den Officier", "Basisteam Zuid", ("06 12 34 56 78",))
    assert who.user == "wofficier"
    assert [dict(one) for one in who.persons] == [neighbour]
    rows = db.execute("SELECT actor, details FROM audit_entry WHERE action = 'reporter.read'").fetchall()
    assert [row["actor"] for row in rows] == ["anna"]
    assert "Officier" not in str(rows)
    assert "Officier" not in repr(who)


def test_reading_without_the_data_key_fails_and_after_its_end_says_so(db: Db, arrive: Arrive) -> None:
    report = arrive(changes={"melding": {"contact": CALLER}})
    message = db.execute("SELECT message_id FROM report WHERE id = %s", (report,)).fetchone()
    assert message
    sealing.destroy_key(db, message["message_id"], AT)
    with pytest.raises(sealing.Destroyed):
        reporters.read(db, report, by="anna")
    assert db.execute("SELECT FROM audit_entry WHERE action = 'reporter.read'").fetchone() is None


def test_an_unknown_report_is_not_found(db: Db) -> None:
    for ask in (reporters.identity, reporters.choice, reporters.may_tell, reporters.is_concerned):
        with pytest.raises(NotFound):
            ask(db, uuid7())


# ── what may be told (domain.md 1.4) ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "told", "named"),
    [("politie", True, False), ("onderwijs", True, True), ("zorg", True, True), ("anders", False, False)],
)
def test_until_somebody_chooses_the_kind_of_reporter_decides(
    db: Db, arrive: Arrive, kind: str, told: bool, named: bool
) -> None:
    report = arrive(kind)
    assert (reporters.may_tell(db, report), reporters.may_name(db, report)) == (told, named)
    assert reporters.choice(db, report).id is None


@pytest.mark.parametrize("ground", ["threat_family", "threat_reporter", "trust"])
def test_a_professional_is_secret_on_one_of_three_grounds(db: Db, arrive: Arrive, ground: str) -> None:
    report = arrive("onderwijs")
    reporters.choose(db, report, "secret", ground, "De vader dreigde met bezoek", by="anna", at=AT)
    assert not reporters.may_tell(db, report)
    assert not reporters.may_name(db, report)
    chosen = reporters.choice(db, report)
    assert (chosen.ground, chosen.by, chosen.at) == (ground, "anna", AT)


@pytest.mark.parametrize(
    ("kind", "stance", "ground"),
    [
        ("onderwijs", "secret", "citizen"),
        ("onderwijs", "secret", ""),
        ("anders", "open", "professional"),
        ("anders", "open", "trust"),
        ("politie", "open", "consent"),
        ("politie", "hidden", "trust"),
    ],
)
def test_other_grounds_are_refused(db: Db, arrive: Arrive, kind: str, stance: Any, ground: str) -> None:
    report = arrive(kind)
    with pytest.raises(reporters.GroundMissing):
        reporters.choose(db, report, stance, ground, "Omdat het moet", by="anna", at=AT)
    assert reporters.history(db, report) == []


def test_a_choice_needs_a_reason(db: Db, arrive: Arrive) -> None:
    with pytest.raises(ReasonMissing):
        reporters.choose(db, arrive("zorg"), "secret", "trust", "  ", by="anna", at=AT)


def test_a_citizen_is_opened_by_his_consent_and_a_second_person(db: Db, arrive: Arrive) -> None:
    report = arrive("anders")
    made = reporters.choose(db, report, "open", "consent", "Op 1 november aan de telefoon", by="anna", at=AT)
    waiting = reporters.choice(db, report)
    assert (waiting.stance, waiting.waiting and waiting.waiting.id) == ("secret", made)
    assert not reporters.may_tell(db, report)
    with pytest.raises(reporters.OwnChoice):
        reporters.confirm(db, made, by="anna", at=AT)
    assert not reporters.may_tell(db, report)
    reporters.confirm(db, made, by="bram", at=AT + timedelta(hours=1))
    assert reporters.may_tell(db, report)
    assert reporters.may_name(db, report)
    with pytest.raises(Conflict):
        reporters.confirm(db, made, by="carla", at=AT + timedelta(hours=2))


def test_a_consent_that_is_taken_back_closes_at_once(db: Db, arrive: Arrive) -> None:
    report = arrive("anders")
    made = reporters.choose(db, report, "open", "consent", "Aan de telefoon", by="anna", at=AT)
    reporters.confirm(db, made, by="bram", at=AT)
    reporters.choose(db, report, "secret", "citizen", "Hij wil het niet meer", by="anna", at=AT + timedelta(days=1))
    assert not reporters.may_tell(db, report)
    assert [row["stance"] for row in reporters.history(db, report)] == ["secret", "open"]


def test_a_later_unconfirmed_opening_does_not_reopen(db: Db, arrive: Arrive) -> None:
    report = arrive("anders")
    first = reporters.choose(db, report, "open", "consent", "Aan de telefoon", by="anna", at=AT)
    reporters.choose(db, report, "secret", "citizen", "Toch niet", by="anna", at=AT + timedelta(hours=1))
    with pytest.raises(Conflict):
        reporters.confirm(db, first, by="bram", at=AT + timedelta(hours=2))
    assert not reporters.may_tell(db, report)


def test_a_choice_stays_as_it_was_made(db: Db, arrive: Arrive) -> None:
    report = arrive("anders")
    made = reporters.choose(db, report, "open", "consent", "Aan de telefoon", by="anna", at=AT)
    for change in ("stance = 'secret'", "reason = 'x'", "chosen_by = 'bram'"):
        with pytest.raises(psycopg.errors.IntegrityError):
            db.execute(f"UPDATE reporter_choice SET {change} WHERE id = %s", (made,))
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE reporter_choice SET confirmed_by = 'anna', confirmed_at = now() WHERE id = %s", (made,))


def test_each_choice_is_in_the_audit_trail_without_its_reason(db: Db, arrive: Arrive) -> None:
    report = arrive("anders")
    made = reporters.choose(db, report, "open", "consent", "Toos belde zelf", by="anna", at=AT)
    reporters.confirm(db, made, by="bram", at=AT)
    rows = db.execute(
        "SELECT actor, action, object_id, details FROM audit_entry"
        " WHERE action IN ('reporter.choose', 'reporter.confirm') ORDER BY action DESC"
    ).fetchall()
    assert [(row["actor"], row["action"]) for row in rows] == [
        ("bram", "reporter.confirm"),
        ("anna", "reporter.choose"),
    ]
    assert {row["object_id"] for row in rows} == {report}
    assert "Toos" not in str(rows)


def test_a_file_with_an_unknown_ground_stops_the_start(tmp_path: Path) -> None:
    text = reporters.FILE.read_text("utf-8")
    wrong = tmp_path / "reporters.toml"
    wrong.write_text(text.replace('"trust"]', '"mood"]'), "utf-8")
    with pytest.raises(SettingsError, match="every ground"):
        reporters.rules_of_reporters.load(wrong)


# ── a reporter who is one of the family (security.md D6) ────────────────────────────────────────────────────

JAN = {
    "naam": {"voornamen": "Jan", "geslachtsnaam": "Zandbergh"},
    "geboortedatum": {"tekst": "19800305", "indicatie": "V"},
    "telefoonnummers": ["0612345679"],
    "bsn": "999993653",
    "rol": {"tekst": "ouder met gezag", "code": "112"},
}


@pytest.mark.parametrize(
    ("contact", "found"),
    [
        ({"naam": "Jan Zandbergh"}, ["dezelfde naam als een betrokkene"]),
        ({"naam": "J. Zandberg"}, ["dezelfde naam als een betrokkene"]),
        ({"naam": "Jan de Wit"}, []),
        ({"naam": "Kees Zandbergh"}, []),
        (
            {"naam": "Kees de Wit", "telefoonnummers": ["+31 6 1234 5679"]},
            ["hetzelfde telefoonnummer als een betrokkene"],
        ),
        ({"afdeling": "Basisteam Zuid", "telefoonnummers": ["0900-8844"]}, []),
        ({}, []),
    ],
)
def test_who_called_is_compared_with_everybody_in_the_report(
    db: Db, arrive: Arrive, contact: dict[str, Any], found: list[str]
) -> None:
    report = arrive("anders", {"melding": {"contact": contact}, "betrokkenen": [JAN]})
    assert reporters.is_concerned(db, report) == found


def test_a_reporter_in_the_message_is_compared_by_number_and_birth_date(db: Db, arrive: Arrive) -> None:
    same = melder(bsn="999993653", naam={"voornamen": "Johan", "geslachtsnaam": "Bakker"})
    report = arrive("anders", {"melding": {"contact": None}, "betrokkenen": [JAN, same]})
    assert reporters.is_concerned(db, report) == ["hetzelfde BSN als een betrokkene"]
    father = melder(naam=JAN["naam"], geboortedatum={"tekst": "19520101", "indicatie": "V"})
    other = arrive("anders", {"melding": {"contact": None}, "betrokkenen": [JAN, father]})
    assert reporters.is_concerned(db, other) == []


def test_a_reporter_is_compared_with_the_whole_case_not_with_himself(db: Db, arrive: Arrive) -> None:
    lone = arrive("anders", {"melding": {"contact": {"naam": "Jan Zandbergh"}}, "betrokkenen": [MOTHER]})
    assert reporters.is_concerned(db, lone) == []
    earlier = arrive("politie", {"melding": {"contact": None}, "betrokkenen": [JAN]})
    case, household = uuid7(), uuid7()
    row = db.execute("SELECT region_id FROM report LIMIT 1").fetchone()
    assert row
    db.execute("INSERT INTO household (id, region_id) VALUES (%s, %s)", (household, row["region_id"]))
    with db.transaction():
        db.execute(
            "INSERT INTO cases (id, region_id, household_id, number, opened_at) VALUES (%s, %s, %s, 'C1', %s)",
            (case, row["region_id"], household, AT),
        )
        db.execute(
            "INSERT INTO safety_watch (id, region_id, case_id, holder, since, reason)"
            " VALUES (%s, %s, %s, 'veilig_thuis', %s, 'begin')",
            (uuid7(), row["region_id"], case, AT),
        )
        db.execute("UPDATE report SET case_id = %s WHERE id IN (%s, %s)", (case, lone, earlier))
    assert reporters.is_concerned(db, lone) == ["dezelfde naam als een betrokkene"]
