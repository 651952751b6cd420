"""POST /api/v1/gesprekken: a chat is stored once, sealed, anonymous, and never becomes a report by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.errors import InsufficientPrivilege

from core.database import transaction
from intake import chats
from tests.web.api.conftest import Feed

PATH = "/api/v1/gesprekken"
OIN = "00000099000000007000"
CHAT: dict[str, Any] = {
    "referentie": "chat-2026-000001",
    "begin": "2026-01-15T20:00:00+01:00",
    "einde": "2026-01-15T20:25:00+01:00",
    "regels": [
        {"wie": "vrager", "tekst": "Mijn buurman heet karel en slaat zijn zoon."},
        {"wie": "medewerker", "tekst": "Bel 112 als het nu gevaarlijk is."},
    ],
    "hoedanigheid": "35",
    "aanleidingen": ["08"],
}


@pytest.fixture
def token(feed: Feed) -> str:
    return feed.new_sender(OIN, "chat")


def post(feed: Feed, token: str, body: Any, query: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return feed.client.post(PATH + query, content=content, headers=headers)


def test_a_chat_is_stored_sealed_with_its_codes(feed: Feed, token: str) -> None:
    answer = post(feed, token, CHAT)
    assert answer.status_code == 201
    assert answer.headers["api-version"]
    (row,) = feed.rows("SELECT * FROM advice_chat")
    assert answer.json() == {"id": str(row["id"]), "status": "ontvangen"}
    assert (row["capacity"], row["occasions"], row["natures"]) == ("35", ["08"], [])
    assert b"karel" not in bytes(row["sealed"])
    text = chats.transcript(feed.db, feed.region, row["id"])
    assert text.splitlines() == [
        "Vrager: Mijn buurman heet karel en slaat zijn zoon.",
        "Medewerker: Bel 112 als het nu gevaarlijk is.",
    ]
    (line,) = feed.rows("SELECT * FROM audit_entry WHERE action = 'chat.receive'")
    assert (line["object_id"], line["actor"]) == (row["id"], f"sender:{OIN}")
    assert "karel" not in str(line)


def test_a_chat_never_becomes_a_report(feed: Feed, token: str) -> None:
    post(feed, token, CHAT)
    feed.work()
    for table in ("message", "report", "mention", "quarantine", "job", "task", "person"):
        assert feed.count(table) == 0, table


def test_the_same_chat_again_is_stored_once(feed: Feed, token: str) -> None:
    first = post(feed, token, CHAT)
    again = post(feed, token, json.dumps(CHAT, indent=4).encode())
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replay"] == "true"
    assert (feed.count("advice_chat"), feed.count("data_key")) == (1, 1)


def test_another_chat_under_a_known_reference_is_refused_and_the_first_stays(feed: Feed, token: str) -> None:
    first = post(feed, token, CHAT).json()["id"]
    other = post(feed, token, CHAT | {"regels": [{"wie": "vrager", "tekst": "Iets heel anders."}]})
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    assert other.json()["invalidParams"][0]["name"] == "$.referentie"
    assert [str(row["id"]) for row in feed.rows("SELECT id FROM advice_chat")] == [first]


def test_a_settled_chat_that_is_sent_again_stays_settled(feed: Feed, token: str) -> None:
    first = post(feed, token, CHAT).json()
    with feed.db.transaction():
        row = feed.rows("SELECT id, received_at FROM advice_chat")[0]
        chats.drop(feed.db, feed.region, row["id"], by="teun", at=row["received_at"])
    assert post(feed, token, CHAT).json() == first
    assert feed.rows("SELECT sealed FROM advice_chat") == [{"sealed": None}]


def test_a_trial_says_what_would_happen_and_stores_nothing(feed: Feed, token: str) -> None:
    answer = post(feed, token, CHAT, "?proef=true")
    assert answer.json() == {"proef": True, "opgeslagen": False, "zouAntwoorden": 201}
    assert answer.headers["proef"] == "true"
    assert (feed.count("advice_chat"), feed.count("data_key")) == (0, 0)


@pytest.mark.parametrize("name", ["naam", "email", "ipAdres", "telefoon", "apparaat", "bsn", "betrokkenen"])
def test_there_is_no_field_for_who_asks_or_about_whom(feed: Feed, token: str, name: str) -> None:
    answer = post(feed, token, CHAT | {name: "x"})
    assert answer.status_code == 400
    assert answer.json()["invalidParams"] == [{"name": f"$.{name}", "reason": "Dit gegeven kennen wij niet."}]
    line = CHAT["regels"][0] | {name: "x"}
    assert post(feed, token, CHAT | {"regels": [line]}).status_code == 400


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"referentie": ""}, "$.referentie"),
        ({"referentie": "a b"}, "$.referentie"),
        ({"referentie": None}, "$.referentie"),
        ({"begin": "2026-01-15T20:00:00"}, "$.begin"),
        ({"einde": "morgen"}, "$.einde"),
        ({"einde": "2026-01-15T19:00:00+01:00"}, "$"),
        ({"einde": "2026-01-18T19:00:00+01:00"}, "$"),
        ({"begin": "2099-01-15T19:00:00+01:00", "einde": "2099-01-15T19:10:00+01:00"}, "$.einde"),
        ({"regels": []}, "$.regels"),
        ({"regels": [{"wie": "Karel", "tekst": "hoi"}]}, "$.regels[0].wie"),
        ({"regels": [{"wie": "vrager", "tekst": ""}]}, "$.regels[0].tekst"),
        ({"regels": [{"wie": "vrager", "tekst": "x" * 5_001}]}, "$.regels[0].tekst"),
        ({"regels": [{"wie": "vrager", "tekst": "\x00"}]}, "$.regels[0].tekst"),
        ({"regels": [{"wie": "vrager", "tekst": "\ud800"}]}, "$.regels[0].tekst"),
        ({"regels": [{"wie": "medewerker", "tekst": "Hallo?"}]}, "$"),
        ({"regels": [{"wie": "vrager", "tekst": "x"}] * 1_001}, "$.regels"),
        ({"regels": [{"wie": "vrager", "tekst": "x" * 5_000}] * 20}, "$"),
        ({"hoedanigheid": "99"}, "$.hoedanigheid"),
        ({"aanleidingen": ["99"]}, "$.aanleidingen"),
        ({"aard": ["99"]}, "$.aard"),
        ({"aard": "01"}, "$.aard"),
    ],
)
def test_bad_input_is_told_by_its_path_and_nothing_is_stored(
    feed: Feed, token: str, change: dict[str, Any], path: str
) -> None:
    answer = post(feed, token, CHAT | change)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()["invalidParams"]
    assert path in [one["name"] for one in told]
    assert all(one["reason"].endswith(".") for one in told)
    assert "Karel" not in answer.text
    assert (feed.count("advice_chat"), feed.count("data_key")) == (0, 0)


@pytest.mark.parametrize(
    "body", [b"", b"geen json", b"[]", b"null", b'{"a": 1, "a": 2}', b"\xff", b"[" * 50_000, b"NaN"]
)
def test_what_is_no_chat_is_refused(feed: Feed, token: str, body: bytes) -> None:
    assert post(feed, token, body).status_code == 400
    assert feed.count("advice_chat") == 0


def test_a_chat_that_is_too_large_is_refused(feed: Feed, token: str) -> None:
    assert post(feed, token, b" " * (chats.MAX_BYTES + 1)).status_code == 413


def test_who_is_unknown_or_sends_reports_delivers_no_chats(feed: Feed, token: str) -> None:
    assert post(feed, "onzin", CHAT).status_code == 401
    answer = post(feed, feed.token, CHAT)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert feed.count("advice_chat") == 0


def test_who_delivers_chats_sends_no_reports(feed: Feed, token: str) -> None:
    body = feed.sample()
    body["bericht"]["zender"]["oin"] = OIN
    assert feed.post_json(body, token).status_code == 403
    assert feed.post(feed.xml(), token).status_code == 403
    for table in ("message", "report", "quarantine"):
        assert feed.count(table) == 0, table


def test_the_reference_of_another_supplier_is_another_chat(feed: Feed, token: str) -> None:
    other = feed.new_sender("00000099000000007001", "chat")
    ids = {post(feed, one, CHAT).json()["id"] for one in (token, other)}
    assert len(ids) == 2


def test_a_proof_that_was_withdrawn_a_moment_ago_stores_nothing(feed: Feed, token: str) -> None:
    assert post(feed, token, CHAT).status_code == 201
    feed.db.execute("UPDATE sender SET revoked_at = now() WHERE kind = 'chat'")
    assert post(feed, token, CHAT | {"referentie": "c-2"}).status_code == 401
    assert feed.count("advice_chat") == 1


def test_the_door_reads_no_chat(feed: Feed, token: str) -> None:
    post(feed, token, CHAT)
    with transaction("door") as door, pytest.raises(InsufficientPrivilege):
        door.execute("SELECT sealed FROM advice_chat")


def test_the_openapi_document_describes_the_chat(feed: Feed) -> None:
    document = feed.client.get("/api/v1/openapi.json").json()
    posted = document["paths"]["/gesprekken"]["post"]
    assert set(posted["responses"]) == {"200", "201", "400", "401", "403", "409", "413", "503"}
    schema = document["components"]["schemas"]["ChatMessage"]
    assert set(schema["properties"]) == {
        *("referentie", "begin", "einde", "regels", "hoedanigheid", "aanleidingen", "aard")
    }
    assert schema["additionalProperties"] is False
    assert set(document["components"]["schemas"]["ChatLine"]["properties"]) == {"wie", "tekst"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from([*CHAT, "aard", "x"]), JSON, max_size=4))
def test_made_up_fields_never_break_the_door(feed: Feed, token: str, change: dict[str, Any]) -> None:
    assert post(feed, token, CHAT | change).status_code in (200, 201, 400, 409)
