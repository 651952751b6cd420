"""The JSON door: everything that is wrong at once, nothing stored then; a receipt number for what is stored."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from intake.sample import sample_json
from tests.web.api.conftest import MELDINGEN, Feed


def test_a_report_gets_a_receipt_number_after_the_commit(feed: Feed) -> None:
    answer = feed.post_json(feed.sample())
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")
    body = answer.json()
    assert (body["status"], body["waarschuwingen"]) == ("ontvangen", [])
    assert feed.rows("SELECT id FROM report") == [{"id": UUID(body["ontvangstnummer"])}]
    assert feed.rows("SELECT kind FROM job") == [{"kind": "link_report"}]


def test_the_same_bytes_get_the_same_answer(feed: Feed) -> None:
    raw = json.dumps(feed.sample()).encode()
    first, again = feed.post_json(raw), feed.post_json(raw)
    assert (again.status_code, again.content, again.headers["idempotent-replay"]) == (202, first.content, "true")
    assert "idempotent-replay" not in first.headers
    assert feed.count("message") == 1


def test_both_doors_make_the_same_report(feed: Feed) -> None:
    feed.post(feed.xml())
    feed.post_json(feed.sample({"bericht": {"referentienummer": "r-2"}}))
    first, second = feed.rows("SELECT content FROM report ORDER BY received_at, id")
    for one in (first, second):
        one["content"]["bericht"] = {**one["content"]["bericht"], "referentienummer": "", "standaardversie": ""}
    assert first["content"] == second["content"]
    persons = [row["person"] for row in feed.rows("SELECT person FROM mention ORDER BY report_id, number")]
    assert persons[:2] == persons[2:]


def test_remarks_come_back_and_the_report_is_accepted(feed: Feed) -> None:
    changes = {"betrokkenen": [{"rol": {"tekst": "vader"}, "bsn": "123456789", "naam": {"voornamen": "P"}}]}
    answer = feed.post_json(feed.sample(changes))
    assert answer.status_code == 202
    remarks = answer.json()["waarschuwingen"]
    assert {"VT-W101", "VT-W105"} <= {remark["code"] for remark in remarks}
    assert "123456789" not in answer.text
    assert "vader" not in answer.text


def test_every_error_is_told_at_once_and_nothing_is_stored(feed: Feed) -> None:
    wrong = feed.sample(
        {
            "bericht": {"referentienummer": "x" * 41, "functie": "anders"},
            "melding": {"kenmerk": None, "datum": "2026-02-30"},
            "onbekendVeld": 1,
        }
    )
    answer = feed.post_json(wrong)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    body = answer.json()
    assert {"type", "title", "status", "detail", "invalidParams"} <= body.keys()
    assert {param["name"] for param in body["invalidParams"]} == {
        "$.bericht.referentienummer",
        "$.bericht.functie",
        "$.melding.kenmerk",
        "$.melding.datum",
        "$.onbekendVeld",
    }
    assert feed.count("message") == 0


NOT_JSON: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"Er is iets gebeurd",
    "a list": b"[]",
    "null": b"null",
    "NaN": b'{"melding": NaN}',
    "a name twice": b'{"melding": {}, "melding": {}}',
    "latin-1": '{"melding": "gewond, één"}'.encode("latin-1"),
    "deeper than a stack": b"[" * 100_000 + b"]" * 100_000,
    "a number of a million digits": b'{"melding": ' + b"9" * 1_000_000 + b"}",
}


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_no_message_is_a_400(feed: Feed, raw: bytes) -> None:
    answer = feed.post_json(raw)
    assert (answer.status_code, answer.json()["code"]) == (400, "VT-E055")
    assert feed.count("message") == 0


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a message there is a text."""
    if isinstance(value, dict):
        return [place for name, inner in value.items() for place in places(inner, (*path, name))]
    if isinstance(value, list):
        return [place for number, inner in enumerate(value) for place in places(inner, (*path, number))]
    return [path] if isinstance(value, str) else []


@pytest.mark.parametrize("place", places(sample_json()), ids=lambda place: ".".join(str(part) for part in place))
def test_a_nul_or_a_lone_surrogate_in_any_text_is_a_400(feed: Feed, place: tuple[Any, ...]) -> None:
    for character in ("\x00", "\ud800"):
        message = json.loads(json.dumps(feed.sample()))
        holder = message
        for part in place[:-1]:
            holder = holder[part]
        holder[place[-1]] += character
        answer = feed.post_json(json.dumps(message).encode())
        assert answer.status_code == 400
        assert answer.json()["invalidParams"]
    assert feed.count("message") == 0


@pytest.mark.parametrize("value", [7, True, None, [], {}, "x" * 300_000, -1.5e300], ids=lambda value: str(value)[:8])
def test_any_value_in_any_place_is_an_answer_and_no_crash(feed: Feed, value: Any) -> None:
    for number, place in enumerate(places(sample_json())):
        message = json.loads(json.dumps(feed.sample({"bericht": {"referentienummer": f"r-{number}"}})))
        holder = message
        for part in place[:-1]:
            holder = holder[part]
        holder[place[-1]] = value
        assert feed.post_json(message).status_code in (202, 400, 403)


def test_other_content_under_a_known_reference_is_a_409_and_both_stay(feed: Feed) -> None:
    assert feed.post_json(feed.sample()).status_code == 202
    answer = feed.post_json(feed.sample({"incident": {"locatie": "Elders"}}))
    assert (answer.status_code, answer.json()["code"]) == (409, "VT-E016")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (feed.count("report"), feed.count("quarantine"), feed.count("message")) == (1, 1, 2)


def test_a_reference_that_came_in_xml_is_known_at_the_json_door(feed: Feed) -> None:
    assert feed.post(feed.xml()).status_code == 200
    assert feed.post_json(feed.sample()).status_code == 409


def test_a_message_for_another_region_is_refused_and_not_kept(feed: Feed) -> None:
    answer = feed.post_json(feed.sample({"bericht": {"ontvanger": {"oin": "00000099000000009999"}}}))
    assert (answer.status_code, answer.json()["code"]) == (400, "VT-E010")
    assert feed.count("message") == 0


def test_the_state_of_an_own_message_by_receipt_number_and_by_reference(feed: Feed) -> None:
    number = feed.post_json(feed.sample()).json()["ontvangstnummer"]
    for identifier in (number, "c0ffee00-0000-4000-8000-000000000001"):
        state = feed.state(identifier)
        assert state.status_code == 200
        body = state.json()
        assert (body["ontvangstnummer"], body["status"]) == (number, "ontvangen")
        assert body["ontvangenOp"].endswith("Z")
    feed.work()
    assert feed.state(number).json()["status"] == "in behandeling"
    assert feed.rows("SELECT count(*) AS n FROM audit_entry WHERE action = 'message.state'") == [{"n": 3}]


def test_a_message_in_quarantine_has_a_state_too(feed: Feed) -> None:
    feed.post(feed.xml().replace(b"heeftBetrokken", b"heeftVergeten"))
    state = feed.state("c0ffee00-0000-4000-8000-000000000001")
    assert (state.status_code, state.json()["status"]) == (200, "in quarantaine")


def test_the_message_of_another_looks_like_one_that_never_came(feed: Feed) -> None:
    number = feed.post_json(feed.sample()).json()["ontvangstnummer"]
    school = feed.new_sender()
    missing = feed.state("00000000-0000-7000-8000-000000000000", school)
    for identifier in (number, "c0ffee00-0000-4000-8000-000000000001", "x" * 300, "%00", "a%20b"):
        answer = feed.state(identifier, school)
        assert (answer.status_code, answer.content) == (404, missing.content)
        assert {k: v for k, v in answer.headers.items() if k != "date"} == {
            k: v for k, v in missing.headers.items() if k != "date"
        }


def test_a_trailing_slash_is_another_path(feed: Feed) -> None:
    headers = {"Authorization": f"Bearer {feed.token}"}
    assert feed.client.post(f"{MELDINGEN}/", json=feed.sample(), headers=headers).status_code == 404
    assert feed.count("message") == 0
