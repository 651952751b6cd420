"""Signing in at the provider of the organisation: against a real provider, right once and wrong in every way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.database import Db
from core.errors import SettingsError
from core.settings import settings
from tests.web.provider import CLIENT, LOW, SECRET, SUBSTANTIAL, ECKey, Provider, RSAKey, running
from web.access import oidc, tickets


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Provider]:
    with running() as started:
        for name, value in {
            "NO_PROXY": "127.0.0.1",
            "VEILIG_PUBLIC_URL": "https://testserver",
            "VEILIG_OIDC_ISSUER": started.address,
            "VEILIG_OIDC_CLIENT_ID": CLIENT,
            "VEILIG_OIDC_CLIENT_SECRET": SECRET,
            "VEILIG_OIDC_ACR": f"{SUBSTANTIAL} http://eidas.europa.eu/LoA/high",
        }.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        oidc.forget_provider()
        yield started


@pytest.fixture
def teun(world: Any, db: Db) -> str:
    username: str = world.staff("team_lead", "teun")
    db.execute("UPDATE staff SET password_hash = NULL, oidc_subject = '01234-teun' WHERE username = 'teun'")
    return username


def come_back(client: Any, provider: Provider, start: str = "/inloggen/extern", **other: str) -> Any:
    answer = client.get(start)
    assert answer.status_code == 303, answer.text
    code, state = provider.sign_in(answer.headers["location"])
    return client.get("/inloggen/terug", params={"code": code, "state": state} | other)


def reasons(db: Db) -> list[str]:
    rows = db.execute("SELECT details FROM audit_entry WHERE outcome = 'refused' ORDER BY at, number")
    return [row["details"]["step"].removeprefix("oidc.") for row in rows]


def test_a_right_answer_gives_a_session_and_nothing_of_the_provider_is_kept(
    client: Any, provider: Provider, teun: str, db: Db
) -> None:
    answer = come_back(client, provider)
    assert (answer.status_code, answer.headers["refresh"]) == (200, "0;url=/")
    assert client.get("/wachtrij").status_code == 200
    (asked,) = provider.asked
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "https://testserver/inloggen/terug"
    assert asked["acr_values"].split() == [SUBSTANTIAL, "http://eidas.europa.eu/LoA/high"]
    assert "prompt" not in asked
    session = db.execute("SELECT how, stepped_up_until > now() AS fresh FROM staff_session").fetchone()
    assert session == {"how": "oidc", "fresh": True}
    tables = db.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    for table in [row["relname"] for row in tables]:
        kept = str(db.execute(f'SELECT t::text AS t FROM "{table}" t').fetchall())  # our own table names
        for secret in ("vergeet-mij", asked["state"], asked["nonce"]):
            assert secret not in kept, table


def test_a_sign_in_that_is_hours_old_at_the_provider_does_not_open_vaults(
    client: Any, provider: Provider, teun: str, db: Db
) -> None:
    provider.change = lambda claims: claims.update(auth_time=int(time.time()) - 3600)
    assert come_back(client, provider).status_code == 200
    assert db.execute("SELECT stepped_up_until FROM staff_session").fetchone() == {"stepped_up_until": None}


@pytest.mark.parametrize("made", [lambda: ECKey.generate_key("P-256", {"kid": "ec"}), RSAKey.generate_key])
def test_keys_of_both_kinds_are_read(client: Any, provider: Provider, teun: str, made: Callable[[], Any]) -> None:
    provider.key = made()
    provider.key.ensure_kid()
    provider.algorithm = "ES256" if isinstance(provider.key, ECKey) else "RS256"
    assert come_back(client, provider).status_code == 200


def test_a_provider_may_change_its_keys(client: Any, provider: Provider, teun: str) -> None:
    assert come_back(client, provider).status_code == 200
    provider.key = RSAKey.generate_key(2048, {"kid": "twee"})
    assert come_back(client, provider).status_code == 200


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "een ander"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"acr": LOW}, "acr"),
        ({"acr": None}, "acr"),
        ({"aud": "een ander"}, "audience"),
        ({"aud": [CLIENT, "een ander"]}, "audience"),
        ({"aud": [CLIENT, "een ander"], "azp": "een ander"}, "audience"),
        ({"azp": "een ander"}, "audience"),
        ({"iss": "https://elders.example"}, "issuer"),
        ({"exp": int(time.time()) - 120}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "morgen"}, "expired"),
        ({"iat": int(time.time()) - 3600}, "issued_at"),
        ({"iat": int(time.time()) + 3600}, "issued_at"),
        ({"nbf": int(time.time()) + 3600}, "not_yet"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"sub": "onbekend"}, "unknown_member"),
    ],
)
def test_an_answer_that_is_not_for_us_not_now_or_not_sure_enough_lets_nobody_in(
    client: Any, provider: Provider, teun: str, db: Db, claims: dict[str, Any], reason: str
) -> None:
    provider.change = lambda sent: sent.update(claims)
    answer = come_back(client, provider)
    assert answer.status_code == 403
    assert reason not in answer.text
    assert "__Host-veilig" not in client.cookies
    assert reasons(db) == [reason]
    assert db.execute("SELECT FROM staff_session").fetchall() == []


def test_a_signature_of_another_key_or_of_none_is_refused(client: Any, provider: Provider, teun: str, db: Db) -> None:
    provider.shown = [RSAKey.generate_key(2048, {"kid": "een"})]
    assert come_back(client, provider).status_code == 403
    provider.shown = None
    provider.tamper = lambda token: token[:-8] + "AAAAAAAA"
    assert come_back(client, provider).status_code == 403
    # {"alg":"none"}
    provider.tamper = lambda token: f"eyJhbGciOiJub25lIn0.{token.split('.')[1]}."
    assert come_back(client, provider).status_code == 403
    assert reasons(db) == ["signature"] * 3


def test_a_state_counts_once(client: Any, provider: Provider, teun: str, db: Db) -> None:
    code, state = provider.sign_in(client.get("/inloggen/extern").headers["location"])
    kept = client.cookies["__Host-oidc"]
    query = provider.codes[code]
    assert client.get("/inloggen/terug", params={"code": code, "state": state}).status_code == 200
    assert "__Host-oidc" not in client.cookies
    provider.codes[code] = query  # a provider that gives a code twice
    client.cookies.clear()
    client.cookies.set("__Host-oidc", kept, domain="testserver.local")
    assert client.get("/inloggen/terug", params={"code": code, "state": state}).status_code == 403
    assert reasons(db) == ["state"]


def test_a_state_of_another_browser_or_of_our_own_making_is_refused(
    client: Any, provider: Provider, teun: str, db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, state = provider.sign_in(client.get("/inloggen/extern").headers["location"])
    kept = client.cookies["__Host-oidc"]
    client.cookies.clear()
    assert client.get("/inloggen/terug", params={"code": code, "state": state}).status_code == 403
    for forged in (kept.replace(state, "x" + state[1:]), kept + "wachtrij", "!", "x!%E9", "x!"):
        client.cookies.clear()
        client.cookies.set("__Host-oidc", forged, domain="testserver.local")
        assert client.get("/inloggen/terug", params={"code": code, "state": state}).status_code == 403
    assert client.get("/inloggen/terug").status_code == 403
    assert set(reasons(db)) == {"state"}
    monkeypatch.setattr(tickets, "LIFE", tickets.LIFE * -1)
    assert come_back(client, provider).status_code == 403


def test_a_refusal_of_the_provider_is_told_in_our_words(client: Any, provider: Provider, teun: str, db: Db) -> None:
    _, state = provider.sign_in(client.get("/inloggen/extern").headers["location"])
    sent = {"error": "access_denied", "error_description": "<b>kwaad</b>", "state": state}
    answer = client.get("/inloggen/terug", params=sent)
    assert answer.status_code == 403
    assert "kwaad" not in answer.text
    assert reasons(db) == ["provider"]


def test_a_code_that_the_provider_does_not_know_and_one_it_gave_for_another_are_refused(
    client: Any, provider: Provider, teun: str, db: Db
) -> None:
    assert come_back(client, provider, code="verzonnen").status_code == 403
    first, _ = provider.sign_in(client.get("/inloggen/extern").headers["location"])
    client.cookies.clear()
    assert come_back(client, provider, code=first).status_code == 403
    assert provider.refused == "invalid_grant"
    assert reasons(db) == ["code", "code"]


def test_a_blocked_login_stays_out(client: Any, provider: Provider, teun: str, db: Db) -> None:
    db.execute("UPDATE staff SET active = false")
    assert come_back(client, provider).status_code == 403


def test_a_provider_that_does_not_answer_is_told_and_nobody_comes_in(
    client: Any, teun: str, monkeypatch: pytest.MonkeyPatch, provider: Provider
) -> None:
    monkeypatch.setenv("VEILIG_OIDC_ISSUER", "http://127.0.0.1:9")
    settings.cache_clear()
    oidc.forget_provider()
    assert client.get("/inloggen/extern").status_code == 503


def test_another_client_key_proves_who_we_are(
    client: Any, provider: Provider, teun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.client_key = RSAKey.generate_key(2048)
    file = tmp_path / "client.pem"
    file.write_bytes(provider.client_key.as_pem(private=True))
    monkeypatch.delenv("VEILIG_OIDC_CLIENT_SECRET")
    monkeypatch.setenv("VEILIG_OIDC_CLIENT_KEY", str(file))
    settings.cache_clear()
    assert come_back(client, provider).status_code == 200
    file.write_text("geen sleutel")
    with pytest.raises(SettingsError, match="VEILIG_OIDC_CLIENT_KEY"):
        oidc.client_key()


# ── proving oneself again ────────────────────────────────────────────────────────────────────────────────────


def test_a_step_up_asks_for_a_proof_of_now_and_goes_on_under_another_token(
    client: Any, provider: Provider, teun: str, db: Db
) -> None:
    come_back(client, provider)
    before = client.cookies["__Host-veilig"]
    db.execute("UPDATE staff_session SET stepped_up_until = NULL")
    assert client.get("/mijn-account/bewijzen").headers["location"] == "/bevestigen?naar=%2Fmijn-account%2Fbewijzen"
    answer = come_back(client, provider, "/bevestigen/extern?naar=/mijn-account/bewijzen")
    assert answer.headers["refresh"] == "0;url=/mijn-account/bewijzen"
    assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
    assert client.cookies["__Host-veilig"] != before
    assert client.get("/mijn-account/bewijzen").status_code == 200
    client.cookies.set("__Host-veilig", before, domain="testserver.local")
    count = db.execute("SELECT count(*) AS n FROM staff_session").fetchone()
    assert count == {"n": 1}


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"auth_time": int(time.time()) - 3600}, "not_fresh"),
        ({"auth_time": None}, "not_fresh"),
        ({"sub": "0-ander"}, "other_member"),
    ],
)
def test_an_old_proof_or_that_of_another_is_no_step_up(
    client: Any, provider: Provider, teun: str, world: Any, db: Db, claims: dict[str, Any], reason: str
) -> None:
    other = world.staff("assessor")
    db.execute("UPDATE staff SET oidc_subject = '0-ander' WHERE username = %s", (other,))
    come_back(client, provider)
    db.execute("UPDATE staff_session SET stepped_up_until = NULL")
    provider.change = lambda sent: sent.update(claims)
    assert come_back(client, provider, "/bevestigen/extern?naar=/mijn-account/bewijzen").status_code == 403
    assert reasons(db) == [reason]
    assert client.get("/mijn-account/bewijzen").status_code == 303


def test_a_session_that_ended_meanwhile_is_not_revived(client: Any, provider: Provider, teun: str, db: Db) -> None:
    come_back(client, provider)
    start = client.get("/bevestigen/extern")
    code, state = provider.sign_in(start.headers["location"])
    db.execute("UPDATE staff_session SET ended_at = now()")
    assert client.get("/inloggen/terug", params={"code": code, "state": state}).status_code == 403
    assert reasons(db) == ["session_ended"]


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"OIDC_ISSUER": "https://i.example"}, "VEILIG_OIDC_CLIENT_ID must be set"),
        ({"OIDC_ISSUER": "https://i.example", "OIDC_CLIENT_ID": "x"}, "VEILIG_OIDC_ACR must be set"),
        ({"OIDC_CLIENT_ID": "x"}, "VEILIG_OIDC_ISSUER is not"),
        ({"OIDC_ISSUER": "https://i.example", "OIDC_CLIENT_ID": "x", "OIDC_ACR": "a"}, "set one of"),
        (
            {"OIDC_ISSUER": "https://i.example", "OIDC_CLIENT_ID": "x", "OIDC_ACR": "a", "OIDC_CLIENT_SECRET": "s"},
            "VEILIG_PUBLIC_URL must be set",
        ),
        ({"OIDC_ISSUER": "http://i.example"}, "VEILIG_OIDC_ISSUER"),
    ],
)
def test_a_provider_that_is_set_by_half_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], said: str
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"VEILIG_{name}", value)
    settings.cache_clear()
    with pytest.raises(SettingsError, match=said):
        settings()


def test_without_a_provider_there_is_no_such_door(client: Any) -> None:
    assert client.get("/inloggen/extern").status_code == 404
    assert client.get("/inloggen/terug").status_code == 404
    assert "via uw organisatie" not in client.get("/inloggen").text
