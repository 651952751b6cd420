"""Guessing gets slower and slower, and never shuts out who signs in from where he signed in before."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from core import sign_up
from core.database import Db, transaction
from core.settings import settings
from tests.web.signing import (
    PASSWORD,
    code,
    forget_steps,
    give_app,
    login,
    send_code,
    send_password,
    sign_in_wholly,
)
from web.access import throttle
from web.access.arrival import Arrival, arrival, origin_of
from web.access.throttle import begin, known_here, settle, wait

FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=15)
HERE = Arrival("203.0.113.7", "Firefox op Linux", "een-browser")
THERE = Arrival("198.51.100.9", "Chrome op Windows", "")


@pytest.fixture(autouse=True)
def first_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a minute: a busy machine must not take so long between two tries that the wait is over by itself."""
    monkeypatch.setenv("VEILIG_SIGN_IN_FIRST_WAIT_SECONDS", "30")
    settings.cache_clear()


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_ones_are_free_then_each_wait_is_twice_the_one_before() -> None:
    waits = [wait(failures, 5, FIRST, LONGEST).total_seconds() for failures in range(14)]
    assert waits == [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900]


@given(failures=st.integers(0, 10**9), free=st.integers(1, 50))
def test_a_wait_never_shrinks_and_is_never_longer_than_the_longest(failures: int, free: int) -> None:
    assert timedelta() <= wait(failures, free, FIRST, LONGEST) <= wait(failures + 1, free, FIRST, LONGEST) <= LONGEST


# ── what is written down ─────────────────────────────────────────────────────────────────────────────────────


def fail(db: Db, username: str, found: Arrival, times: int) -> None:
    for _ in range(times):
        settle(db, begin(db, username, "password", found), "refused")


def test_attempts_that_are_not_checked_yet_count_so_that_a_hundred_at_once_see_each_other(db: Db) -> None:
    tries = [begin(db, "teun", "password", THERE) for _ in range(8)]
    assert [one.must_wait(known_here=False) for one in tries] == [False] * 5 + [True] * 3


def test_failures_elsewhere_hold_up_strangers_and_not_who_is_known_here(db: Db) -> None:
    fail(db, "teun", THERE, 30)
    attempt = begin(db, "teun", "password", HERE)
    assert attempt.must_wait(known_here=False)
    assert not attempt.must_wait(known_here=True)


def test_own_failures_hold_up_who_is_known_here_too(db: Db) -> None:
    fail(db, "teun", HERE, 6)
    assert begin(db, "teun", "password", HERE).must_wait(known_here=True)


def test_a_stolen_browser_token_waits_at_every_address(db: Db) -> None:
    for number in range(6):
        fail(db, "teun", Arrival(f"192.0.2.{number}", "", HERE.device), 1)
    assert begin(db, "teun", "password", Arrival("192.0.2.99", "", HERE.device)).must_wait(known_here=True)


def test_one_address_that_tries_many_names_waits_and_an_office_has_some_room(db: Db) -> None:
    for number in range(19):
        fail(db, f"naam{number}", THERE, 1)
    assert not begin(db, "nog een", "password", THERE).must_wait(known_here=False)
    assert begin(db, "en nog een", "password", THERE).must_wait(known_here=False)


def test_what_is_older_than_the_window_no_longer_counts(db: Db) -> None:
    fail(db, "teun", THERE, 30)
    db.execute("UPDATE sign_in_attempt SET at = at - interval '61 minutes'")
    assert begin(db, "teun", "password", THERE).seconds == 0


def test_the_wait_passes(db: Db) -> None:
    fail(db, "teun", THERE, 5)
    assert begin(db, "teun", "password", THERE).must_wait(known_here=False)
    db.execute("UPDATE sign_in_attempt SET at = at - interval '61 seconds'")
    assert not begin(db, "teun", "password", THERE).must_wait(known_here=False)


def test_what_was_typed_is_nowhere_in_the_database(client: Any, world: Any, db: Db) -> None:
    send_password(client, "Geheim!Per.Ongeluk", "Ook*Geheim*123")
    kept = str(db.execute("SELECT * FROM sign_in_attempt").fetchall()) + str(
        db.execute("SELECT * FROM audit_entry").fetchall()
    )
    assert "geheim" not in kept.lower()


def test_old_attempts_browsers_and_tickets_are_forgotten(db: Db, world: Any) -> None:
    member = login(db, world.staff("assessor")).member
    fail(db, "teun", THERE, 2)
    throttle.remember(db, world.region, member.id, b"x" * 32, HERE.origin)
    db.execute("INSERT INTO spent_ticket (hash) VALUES (%s)", (b"y" * 32,))
    with transaction("worker") as clock:
        assert sign_up.forget_old(clock) == 0
    db.execute("UPDATE sign_in_attempt SET at = at - interval '91 days'")
    db.execute("UPDATE staff_device SET seen_at = seen_at - interval '91 days'")
    db.execute("UPDATE spent_ticket SET at = at - interval '2 days'")
    with transaction("worker") as clock:
        assert sign_up.forget_old(clock) == 4


def test_a_browser_is_known_for_its_own_member_only_and_for_a_while(db: Db, world: Any) -> None:
    one, other = (login(db, world.staff("assessor", name)).member.id for name in ("een", "ander"))
    assert HERE.device_hash is not None
    throttle.remember(db, world.region, one, HERE.device_hash, HERE.origin)
    assert known_here(db, one, HERE)
    assert known_here(db, one, Arrival("192.0.2.1", "", HERE.device))
    assert known_here(db, one, Arrival(HERE.origin, "", ""))
    assert not known_here(db, one, THERE)
    assert not known_here(db, other, HERE)
    assert not known_here(db, None, HERE)
    db.execute("UPDATE staff_device SET seen_at = now() - interval '91 days'")
    assert not known_here(db, one, HERE)


# ── on the screen ────────────────────────────────────────────────────────────────────────────────────────────


def test_after_five_failures_the_page_says_how_long_to_wait_the_same_for_a_name_that_does_not_exist(
    client: Any, world: Any, db: Db
) -> None:
    pages, waits = [], []
    for name in (world.staff("assessor", "bestaat"), "bestaatniet"):
        assert [send_password(client, name, "fout").status_code for _ in range(6)] == [403] * 5 + [429]
        # The second name is tried from elsewhere.
        db.execute("UPDATE sign_in_attempt SET origin = left(name_hash::text, 20)")
        answer = send_password(client, name, "fout")
        assert answer.status_code == 429
        waits.append(int(answer.headers["retry-after"]))
        pages.append(re.sub(r"Wacht \d+ seconden", "Wacht", answer.text.replace(name, "")))
    assert pages[0] == pages[1]
    assert "Wacht en probeer" in pages[0]
    # Both had six failures, so a minute; the machine itself took a part of them.
    assert all(30 < wait <= 61 for wait in waits)


def test_the_right_password_from_elsewhere_waits_like_the_wrong_one(client: Any, world: Any, db: Db) -> None:
    username = world.staff("assessor")
    for _ in range(5):
        send_password(client, username, "fout")
    answers = [send_password(client, username, typed) for typed in (PASSWORD, "fout")]
    assert [answer.status_code for answer in answers] == [429, 429]
    text = [answer.text.split('id="fout">')[1].split("Wacht")[0] for answer in answers]
    assert text[0] == text[1]


def test_who_signed_in_here_before_comes_in_whatever_others_try(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    sign_in_wholly(client, db, username, secret)
    fail(db, username, THERE, 40)
    assert sign_in_wholly(client, db, username, secret).headers["location"] == "/"
    client.cookies.clear()
    db.execute("UPDATE staff_device SET origin = '192.0.2.44'")
    assert send_password(client, username).status_code == 429


def test_codes_are_guessed_as_slowly_as_passwords(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    send_password(client, username)
    wrong = f"{(int(code(secret)) + 1) % 10**6:06}"
    statuses = [send_code(client, wrong).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]
    forget_steps(db)
    assert send_code(client, code(secret)).status_code == 429
    db.execute("UPDATE sign_in_attempt SET at = at - interval '16 minutes'")
    forget_steps(db)
    assert send_code(client, code(secret)).headers["location"] == "/"


def test_every_limit_is_a_setting(client: Any, world: Any, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_SIGN_IN_FREE_TRIES", "1")
    monkeypatch.setenv("VEILIG_SIGN_IN_FIRST_WAIT_SECONDS", "100")
    monkeypatch.setenv("VEILIG_SIGN_IN_LONGEST_WAIT_MINUTES", "2")
    settings.cache_clear()
    assert send_password(client, "niemand", "fout").status_code == 403
    assert 90 < int(send_password(client, "niemand", "fout").headers["retry-after"]) <= 101
    assert 101 < int(send_password(client, "niemand", "fout").headers["retry-after"]) <= 121


# ── where somebody comes from ────────────────────────────────────────────────────────────────────────────────


def request(peer: str, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": (peer, 1)})


@pytest.mark.parametrize(
    ("peer", "forwarded", "origin"),
    [
        ("203.0.113.7", "198.51.100.9", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.9", "127.0.0.1"),
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8::1:2:3:4", "", "2001:db8::/64"),
        ("testclient", "", "testclient"),
    ],
)
def test_only_the_trusted_proxy_is_believed_about_the_address(
    monkeypatch: pytest.MonkeyPatch, peer: str, forwarded: str, origin: str
) -> None:
    monkeypatch.setenv("VEILIG_TRUSTED_PROXY", "10.0.0.1")
    settings.cache_clear()
    assert origin_of(request(peer, x_forwarded_for=forwarded)) == origin


@pytest.mark.parametrize(
    ("agent", "place"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140", "Edge op Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Version/19 Safari/604", "Safari op iPhone"),
        ("", "een onbekende browser"),
        ("<script>alert(1)</script>", "een onbekende browser"),
    ],
)
def test_a_browser_is_told_in_our_own_words(agent: str, place: str) -> None:
    assert arrival(request("203.0.113.7", user_agent=agent)).place == place
