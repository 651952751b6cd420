"""What a sender may read of the outcome of its own reports, and that others see nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from core.ids import uuid7
from intake.corv.write_feedback import OUTCOMES
from radar.casework import feedback
from tests.web.api.conftest import MELDINGEN, SCHOOL_OIN, Feed

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def read(feed: Feed, identifier: str, token: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or feed.token}"}
    return feed.client.get(f"{MELDINGEN}/{identifier}/terugkoppeling", headers=headers)


def school_report(feed: Feed) -> tuple[str, str]:
    """A report of a school over JSON: its receipt number and the school's token."""
    token = feed.new_sender()
    answer = feed.post_json(feed.sample({"bericht": {"zender": {"oin": SCHOOL_OIN}}}), token)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["ontvangstnummer"]), token


def decided(feed: Feed, report: str) -> None:
    """The state of the report after a decision, with the line of history that belongs to it."""
    with feed.db.transaction():
        feed.db.execute(
            "INSERT INTO report_step (report_id, number, region_id, move, state, at, actor, reason)"
            " VALUES (%s, 2, %s, 'conditions', 'conditions', %s, 'gwen', 'Omdat.')",
            (report, feed.region, AT),
        )
        feed.db.execute("UPDATE report SET state = 'conditions' WHERE id = %s", (report,))


def drafted(feed: Feed, report: str, code: str = "VT-01-01", moment: Any = "assessment") -> UUID:
    with feed.db.transaction():
        made = feedback.draft(feed.db, UUID(report), moment, code, AT)
    assert made is not None
    return made


def release(feed: Feed, one: UUID, text: str = "Wij gaan zelf verder.", **more: Any) -> None:
    with feed.db.transaction():
        feedback.release(feed.db, one, text, False, "ilse", "intake_worker", AT, **more)


def state(feed: Feed, one: UUID) -> tuple[str, bool]:
    (row,) = feed.rows("SELECT state, sent_at IS NOT NULL AS sent FROM feedback WHERE id = %s", one)
    return row["state"], row["sent"]


def test_a_draft_is_not_told(feed: Feed) -> None:
    report, token = school_report(feed)
    one = drafted(feed, report)
    answer = read(feed, report, token)
    assert answer.status_code == 200
    assert answer.json() == {
        "ontvangstnummer": report,
        "kenmerk": "PL9999-2026000001-1",
        "terugkoppelingen": [],
    }
    assert state(feed, one) == ("draft", False)


def test_what_was_released_is_told_and_counts_as_sent_when_it_was_read(feed: Feed) -> None:
    report, token = school_report(feed)
    decided(feed, report)
    one = drafted(feed, report)
    release(feed, one)
    assert state(feed, one) == ("released", False)
    (told,) = read(feed, report, token).json()["terugkoppelingen"]
    assert told == {
        "moment": "beoordeling",
        "code": "VT-01-01",
        "status": "uitkomst veiligheidsbeoordeling",
        "uitkomst": "vervolgstappen belegd bij VT",
        "toelichting": "Wij gaan zelf verder.",
        "zichtOpVeiligheid": "Regio A",
        "vrijgegevenOp": "2026-11-02T09:00:00Z",
    }
    assert state(feed, one) == ("sent", True)
    (first,) = feed.rows("SELECT sent_at FROM feedback WHERE id = %s", one)
    assert read(feed, report, token).json()["terugkoppelingen"] == [told]
    assert feed.rows("SELECT sent_at FROM feedback WHERE id = %s", one) == [first]


def test_both_moments_are_told_in_order(feed: Feed) -> None:
    report, token = school_report(feed)
    decided(feed, report)
    release(feed, drafted(feed, report))
    release(feed, drafted(feed, report, "VT-03", "closing"), "Klaar.", watch="")
    told = read(feed, report, token).json()["terugkoppelingen"]
    assert [(one["moment"], one["uitkomst"]) for one in told] == [
        ("beoordeling", "vervolgstappen belegd bij VT"),
        ("afsluiting", None),
    ]
    assert told[1]["zichtOpVeiligheid"] is None


def test_it_is_found_by_the_reference_too(feed: Feed) -> None:
    report, token = school_report(feed)
    reference = feed.sample()["bericht"]["referentienummer"]
    assert read(feed, reference, token).json()["ontvangstnummer"] == report


def test_the_police_read_it_here_too_but_it_is_sent_by_the_message_only(feed: Feed) -> None:
    feed.post(feed.xml())
    report = str(feed.rows("SELECT id FROM report")[0]["id"])
    decided(feed, report)
    one = drafted(feed, report)
    release(feed, one)
    assert len(read(feed, report).json()["terugkoppelingen"]) == 1
    assert state(feed, one) == ("released", False)


def test_another_senders_report_and_none_at_all_look_the_same(feed: Feed) -> None:
    report, _ = school_report(feed)
    decided(feed, report)
    release(feed, drafted(feed, report))
    other = read(feed, report)
    missing = read(feed, "0197f2c0-0000-7000-8000-000000000009")
    by_reference = read(feed, feed.sample()["bericht"]["referentienummer"])
    assert [one.status_code for one in (other, missing, by_reference)] == [404, 404, 404]
    assert other.json() == missing.json() == by_reference.json()
    assert "toelichting" not in other.text


def test_a_sender_of_another_region_sees_nothing(feed: Feed) -> None:
    report, _ = school_report(feed)
    decided(feed, report)
    release(feed, drafted(feed, report))
    region = UUID(int=77)
    feed.db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio B', %s)", (region, "9" * 20))
    here, feed.region = feed.region, region
    token = feed.new_sender()
    feed.region = here
    assert read(feed, report, token).status_code == 404


@pytest.mark.parametrize("identifier", ["x", "%00", "a" * 300, "' OR 1=1 --"])
def test_what_is_no_number_is_not_found(feed: Feed, identifier: str) -> None:
    assert read(feed, identifier).status_code == 404


def test_without_a_valid_token_nothing_is_told(feed: Feed) -> None:
    report, token = school_report(feed)
    assert read(feed, report, "verkeerd").status_code == 401
    assert feed.client.get(f"{MELDINGEN}/{report}/terugkoppeling").status_code == 401
    assert read(feed, report, token).status_code == 200
    feed.db.execute("UPDATE sender SET revoked_at = now() WHERE oin = %s", (SCHOOL_OIN,))
    assert read(feed, report, token).status_code == 401


def test_a_message_in_quarantine_has_no_feedback(feed: Feed) -> None:
    feed.post(feed.xml().replace(b"heeftBetrokken", b"heeftVergeten"))
    (row,) = feed.rows("SELECT id FROM quarantine")
    assert read(feed, str(row["id"])).status_code == 404


def test_each_reading_is_in_the_audit_trail(feed: Feed) -> None:
    report, token = school_report(feed)
    read(feed, report, token)
    rows = feed.rows("SELECT actor, object_id FROM audit_entry WHERE action = 'feedback.read'")
    assert [(row["actor"], str(row["object_id"])) for row in rows] == [(f"sender:{SCHOOL_OIN}", report)]


def test_the_document_describes_it(feed: Feed) -> None:
    document = feed.client.get("/api/v1/openapi.json").json()
    operation = document["paths"]["/meldingen/{id}/terugkoppeling"]["get"]
    assert set(operation["responses"]) == {"200", "401", "404"}
    assert document["components"]["schemas"]["Feedback"]["properties"]["code"]["enum"] == list(OUTCOMES)


def test_what_the_gate_holds_is_not_told_and_a_person_has_a_task(feed: Feed) -> None:
    """At every reading: the sender proves itself, but the report was tied to another household since."""
    report, token = school_report(feed)
    decided(feed, report)
    homes = [uuid7(), uuid7()]
    for home in homes:
        feed.db.execute("INSERT INTO household (id, region_id) VALUES (%s, %s)", (home, feed.region))
    feed.db.execute("UPDATE report SET household_id = %s WHERE id = %s", (homes[0], report))
    one = drafted(feed, report)
    release(feed, one)
    assert len(read(feed, report, token).json()["terugkoppelingen"]) == 1
    feed.db.execute("UPDATE report SET household_id = %s WHERE id = %s", (homes[1], report))
    for _ in range(2):
        assert read(feed, report, token).json()["terugkoppelingen"] == []
    (row,) = feed.rows("SELECT state, held_why FROM outgoing WHERE subject_id = %s", one)
    assert row == {"state": "held", "held_why": ["link_changed"]}
    assert len(feed.rows("SELECT id FROM task WHERE kind = 'outgoing' AND done_at IS NULL")) == 1
