"""No personal data outside the database: not in an answer, the audit trail or the server's log.

The logs of our processes and Redis are looked at in tests/fault, where they are real.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from tests.web.api.conftest import Feed
from workers.engines import EmbeddedPostgres
from workers.work import carry_out

NAME, FIRST, BSN, STREET, PHONE, WORDS = (
    "Kanariestein",
    "Zwaantjevogel",
    "999993653",
    "Geheimekooistraat",
    "06-00000999",
    "kanariepiet floot",
)
CANARIES = (NAME, FIRST, BSN, STREET, PHONE, WORDS)
PERSON: dict[str, Any] = {
    "rol": {"tekst": NAME},
    "bsn": BSN,
    "naam": {"voornamen": FIRST, "geslachtsnaam": NAME},
    "geboortedatum": {"tekst": "20160230", "indicatie": "V"},
    "telefoonnummers": [PHONE],
    "adressen": [{"soort": "feitelijk", "gebied": "binnenland", "straat": STREET, "postcode": "9" * 30}],
}
CHANGES: dict[str, Any] = {"betrokkenen": [PERSON], "incident": {"omschrijving": WORDS, "locatie": STREET}}
IN_JSON: dict[str, Any] = {
    **CHANGES,
    "bericht": {"referentienummer": "r-3"},
    "betrokkenen": [
        {**PERSON, "geboortedatum": "2016-02-29", "adressen": [{**PERSON["adressen"][0], "postcode": "9999"}]}
    ],
}


def assert_clean(text: str, where: str) -> None:
    for canary in CANARIES:
        assert canary not in text, (where, canary)


def test_a_mixed_run_leaves_no_name_in_answers_events_or_the_audit_trail(
    feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as events:
        mixed_run(feed)
    assert "job.failed" in str(events)
    assert_clean(str(events), "events")
    assert_clean(caplog.text, "logging")
    trail = json.dumps(feed.rows("SELECT actor, action, object_kind, outcome, details FROM audit_entry"))
    assert "report.receive" in trail
    assert_clean(trail, "audit")


def mixed_run(feed: Feed) -> None:
    """Good, bad, strange and failing messages about one invented person."""
    bad_role = {**PERSON, "bsn": f"{BSN}{NAME}"}
    answers = [
        feed.post(feed.xml(CHANGES)),
        feed.post(feed.xml(CHANGES)),
        feed.post(feed.xml({**CHANGES, "melding": {"kenmerk": NAME}})),
        feed.post(feed.xml(CHANGES).replace(b"heeftBetrokken", NAME.encode())),
        feed.post(feed.xml(CHANGES).replace(b"</JZ:object>", f"</{NAME}>".encode())),
        feed.post(feed.xml(CHANGES).replace(b"Di01<", f"{NAME}<".encode())),
        feed.post(f"<!DOCTYPE {NAME}>".encode() + feed.xml(CHANGES)),
        feed.post(feed.xml({**CHANGES, "bericht": {"referentienummer": "r-2"}, "betrokkenen": [bad_role]})),
        feed.post_json(feed.sample(IN_JSON)),
        feed.post_json(feed.sample({**IN_JSON, "melding": {"kenmerk": NAME}})),
        feed.post_json(feed.sample({**CHANGES, NAME[:5]: NAME})),
        feed.post_json(feed.sample({**CHANGES, "bericht": {"functie": NAME}})),
        feed.post_json(json.dumps(feed.sample(CHANGES)).encode()[:-5]),
        feed.state(NAME),
        feed.client.get(f"/api/v1/{NAME}"),
        feed.client.post(f"/{NAME}?bsn={BSN}", content=NAME.encode()),
    ]
    assert {answer.status_code for answer in answers} >= {200, 202, 400, 404, 409}
    for number, answer in enumerate(answers):
        own_text = answer.text.replace(f"$.{NAME[:5]}", "")
        assert_clean(own_text, f"answer {number}")

    feed.db.execute(
        "CREATE FUNCTION test_leak() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION 'duplicate' USING DETAIL = 'Key (bsn, name)=({BSN}, {NAME}) already exists.'; END $$"
    )
    feed.db.execute("CREATE TRIGGER test_leak BEFORE INSERT ON link FOR EACH ROW EXECUTE FUNCTION test_leak()")
    feed.db.execute("CREATE TRIGGER test_leak BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION test_leak()")
    failed = feed.post(feed.xml({**CHANGES, "bericht": {"referentienummer": "r-5"}}))
    failed_json = feed.post_json(feed.sample({**IN_JSON, "bericht": {"referentienummer": "r-5"}}))
    assert [failed.status_code, failed_json.status_code] == [503, 503]
    assert_clean(failed.text + failed_json.text, "answer to a fault")

    for job in feed.rows("SELECT id FROM job WHERE state = 'new'"):
        assert not carry_out(job["id"])
    errors = {row["error"] for row in feed.rows("SELECT error FROM job")}
    assert errors == {"RaiseException"}


def test_the_database_server_logs_no_value_of_a_failed_statement(feed: Feed, postgres: EmbeddedPostgres) -> None:
    feed.db.execute("CREATE TABLE test_names (name text UNIQUE)")
    feed.db.execute("INSERT INTO test_names VALUES (%s)", (NAME,))
    with pytest.raises(psycopg.errors.UniqueViolation, match=NAME):
        feed.db.execute("INSERT INTO test_names VALUES (%s)", (NAME,))
    log = postgres.log_path.read_text(errors="replace")
    assert "test_names_name_key" in log
    assert_clean(log, "PostgreSQL's log")
