"""The second factor: a code counts once, its secret is sealed, a passkey signs our own address only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from starlette.requests import Request

from core.database import Db
from core.errors import Conflict
from core.sealing import Unreadable
from core.settings import settings
from core.staff import Member
from tests.web.chromium import served, violations
from tests.web.signing import PASSWORD, code, give_app, login, outcomes, send_code, send_password
from web.access import passkeys, second_factor

AT = datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC)


@pytest.fixture
def member(db: Db, world: Any) -> Member:
    return login(db, world.staff("assessor")).member


def secret_of(db: Db, member: Member) -> str:
    second_factor.begin(db, member)
    begun = second_factor.begun(db, member)
    assert begun is not None
    return begun.secret


# ── the codes of an app ──────────────────────────────────────────────────────────────────────────────────────


def test_the_code_is_that_of_rfc_6238() -> None:
    # RFC 6238 appendix B, the SHA-1 column cut to six digits: at 1111111109 s the code is (07)081804.
    secret = pyotp.random_base32()
    known = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    moment = datetime.fromtimestamp(1111111109, UTC)
    assert second_factor.right_step(known, "081804", moment) == 1111111109 // 30
    assert second_factor.right_step(known, " 081 804 ", moment) == 1111111109 // 30
    assert second_factor.right_step(secret, "081804x", moment) is None
    assert second_factor.right_step(known, "", moment) is None
    assert second_factor.right_step(known, "08\u0661804", moment) is None


@pytest.mark.parametrize(
    ("seconds", "right"), [(0, True), (29, True), (-30, True), (30, True), (70, False), (-70, False)]
)
def test_a_telephone_may_be_one_step_off_and_no_more(seconds: int, right: bool) -> None:
    secret = pyotp.random_base32()
    typed = pyotp.TOTP(secret).at(AT + timedelta(seconds=seconds))
    assert (second_factor.right_step(secret, typed, AT) is not None) is right


def test_an_app_counts_after_its_first_code_only(db: Db, member: Member) -> None:
    secret = secret_of(db, member)
    assert second_factor.factors(db, member.id) == []
    assert not second_factor.check(db, member, pyotp.TOTP(secret).at(AT), AT)
    assert not second_factor.confirm(db, member, "000000", AT) or pyotp.TOTP(secret).at(AT) == "000000"
    assert second_factor.confirm(db, member, pyotp.TOTP(secret).at(AT), AT)
    assert [row["kind"] for row in second_factor.factors(db, member.id)] == ["totp"]
    assert second_factor.begun(db, member) is None


def test_a_code_counts_once_and_none_older_than_the_last(db: Db, member: Member) -> None:
    secret = secret_of(db, member)
    app = pyotp.TOTP(secret)
    assert second_factor.confirm(db, member, app.at(AT), AT)
    assert not second_factor.check(db, member, app.at(AT), AT)
    later = AT + timedelta(seconds=60)
    assert second_factor.check(db, member, app.at(later), later)
    assert not second_factor.check(db, member, app.at(later), later)
    assert not second_factor.check(db, member, app.at(later - timedelta(seconds=30)), later)


def test_beginning_anew_forgets_the_app_that_was_never_proven(db: Db, member: Member) -> None:
    first = secret_of(db, member)
    second = secret_of(db, member)
    assert first != second
    assert not second_factor.confirm(db, member, pyotp.TOTP(first).at(AT), AT)
    assert second_factor.confirm(db, member, pyotp.TOTP(second).at(AT), AT)


def test_the_secret_is_sealed_and_is_of_its_own_row_only(db: Db, member: Member, world: Any) -> None:
    secret = secret_of(db, member)
    other = login(db, world.staff("team_lead")).member
    secret_of(db, other)
    kept = db.execute("SELECT secret FROM second_factor").fetchall()
    assert not any(secret.encode() in bytes(row["secret"]) for row in kept)
    db.execute(
        "UPDATE second_factor SET secret = (SELECT secret FROM second_factor WHERE staff_id = %s)"
        " WHERE staff_id = %s",
        (member.id, other.id),
    )
    with pytest.raises(Unreadable):
        second_factor.begun(db, other)


def test_the_last_factor_stays_and_what_ends_loses_its_secret(db: Db, member: Member) -> None:
    for _ in range(2):
        secret = secret_of(db, member)
        assert second_factor.confirm(db, member, pyotp.TOTP(secret).at(AT), AT)
    first, second = second_factor.factors(db, member.id)
    assert second_factor.end(db, member, first["id"])
    assert not second_factor.check(db, member, "000000", AT)
    with pytest.raises(Conflict):
        second_factor.end(db, member, second["id"])
    ended = db.execute("SELECT secret, ended_by FROM second_factor WHERE id = %s", (first["id"],)).fetchone()
    assert ended == {"secret": None, "ended_by": member.username}


def test_nobody_ends_the_factor_of_another(db: Db, member: Member, world: Any) -> None:
    other = login(db, world.staff("team_lead")).member
    for one in (member, member, other):
        secret = secret_of(db, one)
        assert second_factor.confirm(db, one, pyotp.TOTP(secret).at(AT), AT)
    (theirs,) = second_factor.factors(db, other.id)
    assert not second_factor.end(db, member, theirs["id"])
    assert len(second_factor.factors(db, other.id)) == 1


def test_a_code_that_was_used_lets_nobody_in_again(client: Any, world: Any, db: Db) -> None:
    username = world.staff("team_lead")
    secret = give_app(db, username)
    send_password(client, username)
    typed = code(secret)
    assert send_code(client, typed).headers["location"] == "/"
    send_password(client, username)
    answer = send_code(client, typed)
    assert answer.status_code == 403
    assert "al gebruikt" in answer.text
    assert outcomes(db, "session.start") == ["ok", "refused"]


def test_the_page_with_the_secret_is_kept_nowhere_and_reads_without_a_camera(client: Any, world: Any, db: Db) -> None:
    send_password(client, world.staff("team_lead"))
    page = client.get("/inloggen/instellen")
    assert page.headers["cache-control"] == "no-store"
    assert "Scannen lukt niet" in page.text
    assert "script-src" not in page.headers["content-security-policy"]


# ── passkeys ─────────────────────────────────────────────────────────────────────────────────────────────────


def asked_at(host: str) -> Request:
    return Request({"type": "http", "headers": [(b"host", host.encode())], "client": ("127.0.0.1", 1)})


@pytest.mark.parametrize(
    ("public_url", "host", "site"),
    [
        ("https://radar.example", "elders.example", passkeys.Site("radar.example", "https://radar.example")),
        (None, "localhost:8000", passkeys.Site("localhost", "http://localhost:8000")),
        (None, "127.0.0.1:8000", None),
        (None, "localhost.elders.example", None),
    ],
)
def test_a_passkey_is_bound_to_the_address_that_is_set_never_to_what_a_request_says(
    monkeypatch: pytest.MonkeyPatch, public_url: str | None, host: str, site: passkeys.Site | None
) -> None:
    if public_url:
        monkeypatch.setenv("VEILIG_PUBLIC_URL", public_url)
        settings.cache_clear()
    assert passkeys.site(asked_at(host)) == site


@pytest.mark.parametrize("answer", ["", "{}", "[]", "null", '{"response": {"clientDataJSON": "e30"}}', "x" * 20_000])
def test_an_answer_that_is_none_is_refused_quietly(client: Any, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_PUBLIC_URL", "https://testserver")
    settings.cache_clear()
    sent = client.post("/inloggen/passkey", data={"sleutel": answer}, headers={"sec-fetch-site": "same-origin"})
    assert sent.status_code == 403
    assert not client.cookies


@pytest.fixture
def page_with_keys(
    browser: Browser, world: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Page, str]]:
    """A page of a real server on localhost, in a Chromium that has a (virtual) authenticator with a PIN or finger."""
    monkeypatch.setenv("VEILIG_SECURE_COOKIES", "false")
    settings.cache_clear()
    with served() as address:
        context: BrowserContext = browser.new_context()
        page = context.new_page()
        debugger = context.new_cdp_session(page)
        debugger.send("WebAuthn.enable")
        debugger.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield page, address.replace("127.0.0.1", "localhost")
        context.close()


@pytest.mark.browser
def test_a_passkey_is_made_signs_in_by_itself_and_proves_again(
    page_with_keys: tuple[Page, str], world: Any, db: Db
) -> None:
    page, address = page_with_keys
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    username = world.staff("team_lead")
    page.goto(f"{address}/inloggen")
    assert violations(page) == []
    page.fill("#gebruikersnaam", username)
    page.fill("#wachtwoord", PASSWORD)
    page.press("#wachtwoord", "Enter")
    page.wait_for_url("**/inloggen/instellen")
    assert violations(page) == []
    page.fill("#naam", "laptop van het werk")
    page.click("text=Maak een passkey")
    page.wait_for_selector("form.who", state="attached")

    page.goto(f"{address}/mijn-account")
    assert "laptop van het werk" in page.content()
    assert violations(page) == []
    page.click("text=Uitloggen")
    page.wait_for_url("**/inloggen")
    page.click("text=Inloggen met een passkey")
    page.wait_for_selector("form.who", state="attached")

    db.execute("UPDATE staff_session SET stepped_up_until = NULL")
    page.goto(f"{address}/mijn-account/bewijzen")
    page.wait_for_url("**/bevestigen?naar=*")
    assert violations(page) == []
    page.click("text=Bevestig met uw passkey")
    page.wait_for_url("**/mijn-account/bewijzen")
    assert violations(page) == []
    rows = db.execute("SELECT how FROM staff_session ORDER BY started_at").fetchall()
    assert [row["how"] for row in rows] == ["passkey", "passkey"]
    used = db.execute("SELECT count(*) AS n FROM spent_ticket").fetchone()
    assert used is not None
    assert used["n"] >= 3
    assert complaints == []


@pytest.mark.browser
def test_an_answer_of_a_passkey_counts_once_and_not_for_another(
    page_with_keys: tuple[Page, str], world: Any, db: Db, client: Any
) -> None:
    page, address = page_with_keys
    page.goto(f"{address}/inloggen")
    page.fill("#gebruikersnaam", world.staff("team_lead"))
    page.fill("#wachtwoord", PASSWORD)
    page.press("#wachtwoord", "Enter")
    page.wait_for_url("**/inloggen/instellen")
    page.click("text=Maak een passkey")
    page.wait_for_selector("form.who", state="attached")
    page.click("text=Uitloggen")
    page.wait_for_url("**/inloggen")
    with page.expect_request("**/inloggen/passkey") as sent:
        page.click("text=Inloggen met een passkey")
    page.wait_for_selector("form.who", state="attached")
    body = sent.value.post_data
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    replay = client.post("/inloggen/passkey", content=body, headers=headers | {"host": address.split("//")[1]})
    assert replay.status_code == 403
    db.execute("DELETE FROM spent_ticket")
    elsewhere = client.post("/inloggen/passkey", content=body, headers=headers | {"host": "localhost:1"})
    assert elsewhere.status_code == 403
    db.execute("DELETE FROM spent_ticket")
    db.execute("UPDATE staff SET active = false")
    blocked = client.post("/inloggen/passkey", content=body, headers=headers | {"host": address.split("//")[1]})
    assert blocked.status_code == 403
