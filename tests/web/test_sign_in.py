"""Signing in: no session before the second factor, one answer to all that is wrong, tickets that count once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import sign_up
from core.database import Db
from core.errors import Conflict
from core.settings import settings
from core.staff import ensure_demo_staff
from tests.web.signing import (
    OURS,
    PASSWORD,
    code,
    forget_steps,
    give_app,
    login,
    outcomes,
    send_code,
    send_password,
    sign_in_wholly,
    token_in,
)
from web.access import tickets
from web.access.entrance import own_path

Sign = Callable[..., Any]


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("VEILIG_DEMO", "true")
    monkeypatch.setenv("VEILIG_DEMO_ON_OWN_DATABASE", "yes")
    settings.cache_clear()


def sessions_of(db: Db) -> list[dict[str, Any]]:
    return db.execute("SELECT * FROM staff_session ORDER BY started_at").fetchall()


def test_the_password_alone_gives_no_session_and_reaches_nothing(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    give_app(db, username)
    answer = send_password(client, username)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inloggen/code")
    assert sessions_of(db) == []
    for path in ("/wachtrij", "/overzicht", "/mijn-account", "/bevestigen"):
        assert client.get(path).headers["location"] == "/inloggen", path
    assert client.get("/inloggen/code").status_code == 200


def test_password_and_code_give_a_session_that_says_how_and_where_from(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    client.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    answer = sign_in_wholly(client, db, username, secret)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    (session,) = sessions_of(db)
    assert (session["how"], session["place"]) == ("password+totp", "Firefox op Linux")
    assert session["stepped_up_until"] > datetime.now(UTC)
    assert client.get("/wachtrij").status_code == 200
    assert outcomes(db, "session.start") == ["ok"]


def test_who_has_no_second_factor_sets_one_up_and_reaches_nothing_else(client: Any, world: Any, db: Db) -> None:
    username = world.staff("assessor")
    assert send_password(client, username).headers["location"] == "/inloggen/instellen"
    assert client.get("/wachtrij").headers["location"] == "/inloggen"
    page = client.get("/inloggen/instellen").text
    assert 'role="img"' in page
    assert "style=" not in page
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret is not None
    assert send_code(client, "000000", "/inloggen/instellen").status_code == 403
    assert sessions_of(db) == []
    answer = send_code(client, code(secret[1].replace(" ", "")), "/inloggen/instellen")
    assert answer.headers["location"] == "/"
    assert client.get("/wachtrij").status_code == 200
    assert outcomes(db, "factor.add") == ["ok"]


def test_who_has_a_factor_cannot_set_up_another_with_the_password_alone(client: Any, world: Any, db: Db) -> None:
    username = world.staff("assessor")
    secret = give_app(db, username)
    send_password(client, username)
    assert client.get("/inloggen/instellen").headers["location"] == "/inloggen"
    send_password(client, username)
    assert send_code(client, code(secret), "/inloggen/instellen").headers["location"] == "/inloggen"
    assert sessions_of(db) == []
    count = db.execute("SELECT count(*) AS n FROM second_factor WHERE ended_at IS NULL").fetchone()
    assert count == {"n": 1}


def test_each_sign_in_is_a_new_session_and_ends_the_one_before(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    sign_in_wholly(client, db, username, secret)
    first = client.cookies["__Host-veilig"]
    sign_in_wholly(client, db, username, secret)
    assert client.cookies["__Host-veilig"] != first
    assert [session["ended_at"] is None for session in sessions_of(db)] == [False, True]


def carry(client: Any, half: str) -> None:
    """This browser carries nothing but this half sign-in."""
    client.cookies.clear()
    client.cookies.set("__Host-stap", half, domain="testserver.local")


def test_a_half_sign_in_is_good_for_ten_minutes_and_only_as_we_made_it(
    client: Any, world: Any, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    username, other = world.staff("team_lead"), world.staff("assessor")
    give_app(db, username)
    give_app(db, other)
    send_password(client, username)
    name, _, ticket = client.cookies["__Host-stap"].partition(".")
    assert client.get("/inloggen/code").status_code == 200
    for forged in (f"{name}.x{ticket[1:]}", f"{login(db, other).member.id}.{ticket}", name, "geen-id.x", ""):
        carry(client, forged)
        assert client.get("/inloggen/code").headers["location"] == "/inloggen", forged
    monkeypatch.setattr(tickets, "LIFE", timedelta(minutes=-1))
    send_password(client, username)
    assert client.get("/inloggen/code").headers["location"] == "/inloggen"


def test_a_half_sign_in_becomes_a_session_once(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    send_password(client, username)
    half = client.cookies["__Host-stap"]
    assert send_code(client, code(secret)).headers["location"] == "/"
    assert "__Host-stap" not in client.cookies
    carry(client, half)
    forget_steps(db)
    assert send_code(client, code(secret)).status_code == 403
    assert len(sessions_of(db)) == 1


@pytest.mark.parametrize(
    "change", ["UPDATE staff SET active = false", "UPDATE staff SET password_hash = password_hash || 'x'"]
)
def test_a_half_sign_in_ends_with_the_login_and_with_another_password(
    client: Any, world: Any, db: Db, change: str
) -> None:
    username = world.staff("team_lead")
    give_app(db, username)
    send_password(client, username)
    db.execute(change)
    assert client.get("/inloggen/code").headers["location"] == "/inloggen"


def test_every_cookie_is_for_this_host_only_and_out_of_reach_of_scripts(client: Any, world: Any, db: Db) -> None:
    username = world.staff("assessor")
    secret = give_app(db, username)
    answers = [send_password(client, username), send_code(client, code(secret))]
    cookies = [value for answer in answers for value in answer.headers.get_list("set-cookie")]
    assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-stap", "__Host-veilig", "__Host-apparaat"}
    for cookie in cookies:
        parts = {part.lower() for part in cookie.split("; ")[1:]}
        assert {"path=/", "secure", "httponly", "samesite=strict"} <= parts, cookie
        assert not any(part.startswith("domain") for part in parts), cookie


def test_the_answer_to_a_wrong_name_takes_as_long_as_to_a_wrong_password(
    client: Any, world: Any, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_SIGN_IN_FREE_TRIES", "1000")
    monkeypatch.setenv("VEILIG_SIGN_IN_FREE_TRIES_PER_ADDRESS", "1000")
    settings.cache_clear()
    username = world.staff("assessor")
    took: dict[str, list[float]] = {username: [], "bestaatniet": []}
    for name in [*took, *list(took) * 6]:
        begun = time.process_time()
        assert send_password(client, name, "fout").status_code == 403
        took[name].append(time.process_time() - begun)
    known, unknown = (sorted(times[1:])[2] for times in took.values())
    assert 0.5 < known / unknown < 2.0, took


def test_demo_logins_go_in_with_their_password_in_demo_mode(client: Any, world: Any, db: Db, demo: None) -> None:
    ensure_demo_staff(db, world.region)
    assert send_password(client, "teun", "demo-teun").headers["location"] == "/"
    assert send_password(client, "arie", "demo-arie").headers["location"] == "/"
    assert [session["how"] for session in sessions_of(db)] == ["demo", "demo"]
    page = client.get("/mijn-account").text
    assert '<aside class="demo"' in page


def test_another_login_needs_its_second_factor_in_demo_mode_too(client: Any, world: Any, db: Db, demo: None) -> None:
    assert send_password(client, world.staff("team_lead")).headers["location"] == "/inloggen/instellen"


def test_outside_demo_mode_a_password_that_everybody_knows_is_wrong(client: Any, world: Any, db: Db) -> None:
    ensure_demo_staff(db, world.region)
    right, wrong = send_password(client, "teun", "demo-teun"), send_password(client, "teun", "demo-tien")
    assert (right.status_code, right.text) == (wrong.status_code, wrong.text)
    assert right.status_code == 403


# ── the link and the code of a new member ────────────────────────────────────────────────────────────────────


def set_up(client: Any, path: str, code_: str, password: str, again: str | None = None) -> Any:
    body = {"code": code_, "wachtwoord": password, "nogmaals": password if again is None else again}
    return client.post(path, data=body, headers=OURS)


def test_a_new_member_chooses_his_own_password_and_then_his_second_factor(client: Any, world: Any, db: Db) -> None:
    username = world.staff("assessor", "nieuw")
    db.execute("UPDATE staff SET password_hash = NULL")
    made = sign_up.invite(db, world.region, login(db, username).member.id, "fenna")
    assert client.get(made.path).status_code == 200
    spaced = f"{made.code[:4]} {made.code[4:]}"
    assert set_up(client, made.path, spaced, "zeven paarse olifanten").headers["location"] == "/inloggen/instellen"
    assert client.get("/wachtrij").headers["location"] == "/inloggen"
    assert client.get("/inloggen/instellen").status_code == 200
    assert set_up(client, made.path, made.code, "nog een ander wachtwoord").status_code == 403
    assert send_password(client, username, "zeven paarse olifanten").headers["location"] == "/inloggen/instellen"


def test_a_link_without_its_code_is_worth_nothing_and_five_wrong_codes_end_it(
    client: Any, world: Any, db: Db
) -> None:
    made = sign_up.invite(db, world.region, login(db, world.staff("assessor")).member.id, "fenna")
    wrong = f"{(int(made.code) + 1) % 10**8:08}"
    for _ in range(sign_up.TRIES):
        assert set_up(client, made.path, wrong, "zeven paarse olifanten").status_code == 403
    assert set_up(client, made.path, made.code, "zeven paarse olifanten").status_code == 403
    pages = {client.get(path).status_code for path in (made.path, "/aanmelden/bestaatniet")}
    assert pages == {200}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sign_up SET ends_at = now() - interval '1 second'",
        "UPDATE sign_up SET ended_at = now()",
        "UPDATE staff SET active = false",
    ],
)
def test_a_link_ends_after_a_day_by_a_newer_one_and_with_the_login(
    client: Any, world: Any, db: Db, change: str
) -> None:
    made = sign_up.invite(db, world.region, login(db, world.staff("assessor")).member.id, "fenna")
    db.execute(change)
    assert set_up(client, made.path, made.code, "zeven paarse olifanten").status_code == 403


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("kort", "kort", "ten minste 12 tekens"),
        ("assessor1 is hier", "assessor1 is hier", "Gebruik uw naam niet"),
        ("welkom202611", "welkom202611", "te makkelijk"),
        ("zeven paarse olifanten", "zeven paarse olifant", "niet gelijk"),
    ],
)
def test_a_weak_password_is_refused_beside_its_field_and_the_link_stays_good(
    client: Any, world: Any, db: Db, password: str, again: str, said: str
) -> None:
    made = sign_up.invite(db, world.region, login(db, world.staff("assessor")).member.id, "fenna")
    answer = set_up(client, made.path, made.code, password, again)
    assert answer.status_code == 400
    assert said in answer.text
    assert f'value="{made.code}"' in answer.text
    assert password not in answer.text
    assert set_up(client, made.path, made.code, "zeven paarse olifanten").status_code == 303


def test_a_newer_link_ends_the_older_and_the_database_holds_neither(client: Any, world: Any, db: Db) -> None:
    member = login(db, world.staff("assessor")).member.id
    first, second = (sign_up.invite(db, world.region, member, "fenna") for _ in range(2))
    assert set_up(client, first.path, first.code, "zeven paarse olifanten").status_code == 403
    rows = str(db.execute("SELECT * FROM sign_up").fetchall())
    assert second.token not in rows
    assert second.code not in rows
    sign_up.use(db, second.token)
    with pytest.raises(Conflict):
        sign_up.use(db, second.token)


# ── going on to where one wanted to go ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/meldingen/1/kluis?x=1", "/meldingen/1/kluis?x=1"),
        ("/", "/"),
        ("//elders.example", "/"),
        ("https://elders.example", "/"),
        ("/\\elders.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nLocation: https://elders.example", "/"),
        ("/a\tb", "/"),
        ("elders", "/"),
        ("", "/"),
        ("/" + "a" * 600, "/"),
        ("/é", "/"),
    ],
)
def test_after_proving_oneself_one_goes_to_a_page_of_ours_only(asked: str, goes: str) -> None:
    assert own_path(asked) == goes


def test_a_ticket_is_for_one_purpose_one_holder_one_moment_and_one_use(db: Db, database_url: str) -> None:
    at = datetime.now(UTC)
    ticket = tickets.issue("a", "x", at)
    assert tickets.is_good(ticket, "a", "x", at + timedelta(minutes=9))
    assert not tickets.is_good(ticket, "b", "x", at)
    assert not tickets.is_good(ticket, "a", "y", at)
    assert not tickets.is_good(ticket, "a", "x", at + timedelta(minutes=11))
    assert not tickets.is_good(ticket[:-1] + ("0" if ticket[-1] != "0" else "1"), "a", "x", at)
    assert not tickets.is_good("", "a", "x", at)
    assert tickets.spend(db, ticket)
    assert not tickets.spend(db, ticket)
    assert tickets.from_challenge("%%%") == ""


def test_signing_out_takes_the_session_and_is_written_down(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    sign_in_wholly(client, db, username, give_app(db, username))
    token = token_in(client.get("/wachtrij").text)
    answer = client.post("/uitloggen", data={"formulier": token}, headers=OURS)
    assert answer.headers["location"] == "/inloggen"
    assert outcomes(db, "session.end") == ["ok"]
    assert sessions_of(db)[0]["ended_at"] is not None
    assert send_password(client, username, PASSWORD).status_code == 303
