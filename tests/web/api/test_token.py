"""A short-lived token for a client id and a secret: RFC 6749 4.4, and nothing learnt by guessing."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.ids import uuid7
from core.secrets import token_hash
from intake import senders
from intake.sample import POLICE_OIN
from tests.web.api.conftest import MELDINGEN, SCHOOL_OIN, Feed

TOKEN = "/api/v1/token"


def ask(feed: Feed, client_id: str = POLICE_OIN, secret: str | None = None, **more: str) -> httpx.Response:
    """By the form."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret or feed.token}
    return feed.client.post(TOKEN, data=form | more)


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def short(feed: Feed) -> str:
    token: str = ask(feed).json()["access_token"]
    return token


def test_the_secret_buys_a_token_of_a_quarter_of_an_hour(feed: Feed) -> None:
    answer = ask(feed)
    body = answer.json()
    assert (answer.status_code, body["token_type"], body["expires_in"]) == (200, "Bearer", 900)
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert answer.headers["api-version"]
    rows = feed.rows("SELECT kind, token_hash, expires_at > now() + interval '14 minutes' AS long FROM sender_token")
    assert {row["kind"] for row in rows} == {"long", "short"}
    (kept,) = [row for row in rows if row["kind"] == "short"]
    assert bytes(kept["token_hash"]) == token_hash(body["access_token"])


def test_it_works_wherever_the_long_token_works(feed: Feed) -> None:
    token = short(feed)
    assert feed.post(feed.xml(), token).status_code == 200
    number = feed.post_json(feed.sample({"bericht": {"referentienummer": "r-2"}}), token).json()["ontvangstnummer"]
    assert feed.state(number, token).status_code == 200
    headers = {"Authorization": f"Bearer {token}"}
    assert feed.client.get(f"{MELDINGEN}/{number}/terugkoppeling", headers=headers).status_code == 200
    assert feed.client.get("/api/v1/overdrachten", headers=headers).status_code == 403
    assert feed.post(feed.xml({"bericht": {"referentienummer": "r-3"}})).status_code == 200, "the long one too"


def test_the_sender_may_be_named_by_its_id_and_in_the_header(feed: Feed) -> None:
    (row,) = feed.rows("SELECT id FROM sender WHERE oin = %s", POLICE_OIN)
    assert ask(feed, str(row["id"])).status_code == 200
    grant = {"grant_type": "client_credentials"}
    assert feed.client.post(TOKEN, data=grant, headers=basic(POLICE_OIN, feed.token)).status_code == 200
    both = feed.client.post(TOKEN, data=grant | {"client_secret": feed.token}, headers=basic(POLICE_OIN, feed.token))
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")


def test_a_token_that_ran_out_is_worth_nothing(feed: Feed) -> None:
    token = short(feed)
    assert feed.post(feed.xml(), token).status_code == 200
    feed.db.execute("UPDATE sender_token SET expires_at = now() WHERE kind = 'short'")
    assert feed.post(feed.xml({"bericht": {"referentienummer": "r-2"}}), token).status_code == 401


def test_a_short_token_buys_no_other_and_outlives_nothing(feed: Feed) -> None:
    token = short(feed)
    assert ask(feed, secret=token).status_code == 401
    feed.db.execute("UPDATE sender_token SET expires_at = now() + interval '60 seconds' WHERE kind = 'long'")
    assert ask(feed).json()["expires_in"] <= 60


@pytest.mark.parametrize("what", ["revoke", "rotate at once"])
def test_it_ends_with_the_sender_and_with_a_rotation_at_once(feed: Feed, what: str) -> None:
    token = short(feed)
    assert feed.post(feed.xml(), token).status_code == 200
    with feed.db.transaction():
        if what == "revoke":
            senders.revoke(feed.db, feed.region, POLICE_OIN)
        else:
            senders.rotate(feed.db, feed.region, POLICE_OIN, timedelta(0))
    assert feed.post(feed.xml({"bericht": {"referentienummer": "r-2"}}), token).status_code == 401


def test_every_wrong_pair_gets_the_same_answer(feed: Feed) -> None:
    school = feed.new_sender()
    with feed.db.transaction():
        senders.revoke(feed.db, feed.region, SCHOOL_OIN)
    pairs = [
        (POLICE_OIN, "x" * 43),
        (SCHOOL_OIN, school),
        (SCHOOL_OIN, feed.token),
        ("00000099000000008888", feed.token),
        ("", feed.token),
        (str(uuid7()), "y" * 900),
        ("\u0000", "\u0000"),
    ]
    answers = [ask(feed, *pair) for pair in pairs]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["error"] == "invalid_client"
    header = feed.client.post(TOKEN, data={"grant_type": "client_credentials"}, headers=basic(POLICE_OIN, "nee"))
    assert (header.status_code, header.content) == (401, answers[0].content)
    assert header.headers["www-authenticate"].startswith("Basic ")
    rows = feed.rows("SELECT actor, outcome, details FROM audit_entry WHERE action = 'sender.token'")
    assert {(row["actor"], row["outcome"]) for row in rows} == {("unknown", "refused")}
    assert feed.rows("SELECT FROM sender_token WHERE kind <> 'long'") == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no grant": ({"data": {"client_id": POLICE_OIN}}, "invalid_request"),
    "another grant": ({"data": {"grant_type": "password", "username": "x"}}, "unsupported_grant_type"),
    "a scope": ({"data": {"grant_type": "client_credentials", "scope": "alles"}}, "invalid_scope"),
    "JSON": ({"json": {"grant_type": "client_credentials"}}, "invalid_request"),
    "nothing": ({}, "invalid_request"),
    "twice": (
        {
            "content": b"grant_type=client_credentials&grant_type=password",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
        },
        "invalid_request",
    ),
    "no UTF-8": (
        {"content": b"grant_type=\xff", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        "invalid_request",
    ),
    "many": (
        {"data": {f"a{number}": "1" for number in range(40)}},
        "invalid_request",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_says_what_is_wrong_in_the_form_of_the_rfc(feed: Feed, name: str) -> None:
    request, code = WRONG[name]
    answer = feed.client.post(TOKEN, **request)
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert answer.json()["error_description"].isascii()
    assert answer.headers["cache-control"] == "no-store"


def test_a_form_that_is_too_large_is_not_read(feed: Feed) -> None:
    answer = ask(feed, secret="x" * 20_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "given", ["Basic ", "Basic ****", "Basic " + base64.b64encode(b"zonder").decode(), "basic é"]
)
def test_a_header_that_cannot_be_read_is_a_wrong_pair(feed: Feed, given: str) -> None:
    form = {"grant_type": "client_credentials"}
    answer = feed.client.post(TOKEN, data=form, headers={"Authorization": given.encode()})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_who_keeps_guessing_must_wait_and_the_right_secret_never(feed: Feed, setting: Any) -> None:
    setting("SIGN_IN_FREE_TRIES_PER_ADDRESS", "3")
    setting("SIGN_IN_FIRST_WAIT_SECONDS", "60")
    answers = [ask(feed, secret="verkeerd") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429, 429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    assert feed.count("sender_refusal") == 3, "who waits leaves no more rows"
    assert len(feed.rows("SELECT FROM audit_entry WHERE action = 'sender.token' AND outcome = 'refused'")) == 3
    assert ask(feed).status_code == 200
    feed.db.execute("UPDATE sender_refusal SET at = at - interval '61 seconds'")
    assert ask(feed, secret="verkeerd").status_code == 401


def test_the_metadata_says_where_the_token_is(feed: Feed, setting: Any) -> None:
    setting("PUBLIC_URL", "https://radar.example.nl")
    answer = feed.client.get("/.well-known/oauth-authorization-server")
    found = answer.json()
    assert found["issuer"] == "https://radar.example.nl"
    assert found["token_endpoint"] == "https://radar.example.nl/api/v1/token"
    assert found["grant_types_supported"] == ["client_credentials"]
    assert set(found["token_endpoint_auth_methods_supported"]) == {"client_secret_basic", "client_secret_post"}


def test_the_door_can_make_nothing_that_lasts(feed: Feed) -> None:
    """Also not by injected SQL: the role of the door makes no long token, and no short one of a day."""
    import psycopg

    from core.database import transaction

    (sender,) = feed.rows("SELECT id FROM sender WHERE oin = %s", POLICE_OIN)
    for kind, until in (("long", None), ("short", "1 day"), ("page", "2 hours")):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction("door") as db:
            db.execute(
                "INSERT INTO sender_token (id, sender_id, token_hash, kind, expires_at)"
                " VALUES (%s, %s, %s, %s, now() + %s::interval)",
                (uuid7(), sender["id"], bytes(32), kind, until),
            )
