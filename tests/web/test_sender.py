"""A sender's own page: in with its id and secret for half an hour, and only what is its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.database import Db
from core.ids import uuid7
from core.settings import settings
from intake import senders, webhooks
from intake.sample import POLICE_OIN, sample_json
from tests.web.api.conftest import MELDINGEN, SCHOOL_OIN, Feed
from tests.web.conftest import OURS
from web.app import create_app

PATH = "/aansluiting"


@pytest.fixture
def feed(db: Db) -> Iterator[Feed]:
    """A region with its police sender and the running application."""
    region = uuid7()
    senders.forget()
    with db.transaction():
        db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio A', '00000099000000002000')", (region,))
        token = senders.add(db, region, POLICE_OIN, "Politie eenheid Voorbeeld", "politie")
    with TestClient(create_app(), base_url="https://testserver", follow_redirects=False) as client:
        yield Feed(client, db, region, token)


def enter(feed: Feed, client_id: str = POLICE_OIN, secret: str = "") -> Any:
    form = {"client_id": client_id, "client_secret": secret or feed.token}
    return feed.client.post(PATH, data=form, headers=OURS)


def page(feed: Feed) -> str:
    answer = feed.client.get(PATH)
    assert answer.status_code == 200
    return str(answer.text)


def form_token(feed: Feed) -> str:
    return page(feed).split('name="formulier" value="')[1].split('"')[0]


def post(feed: Feed, path: str, **form: str) -> Any:
    return feed.client.post(f"{PATH}/{path}", data={"formulier": form_token(feed)} | form, headers=OURS)


def test_id_and_secret_open_a_visit_of_half_an_hour(feed: Feed) -> None:
    assert 'name="client_secret"' in page(feed)
    answer = enter(feed)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-aansluiting=")
    for part in ("HttpOnly", "Secure", "SameSite=strict", "Max-Age=1800"):
        assert part.lower() in cookie.lower()
    assert "Politie eenheid Voorbeeld" in page(feed)
    feed.db.execute("UPDATE sender_token SET expires_at = now() WHERE kind = 'page'")
    over = page(feed)
    assert "Uw bezoek is voorbij" in over
    assert "Politie" not in over


def test_every_wrong_pair_gives_the_same_page(feed: Feed) -> None:
    pairs = ((POLICE_OIN, "fout"), (SCHOOL_OIN, feed.token), (SCHOOL_OIN, "fout"), ("", ""))
    answers = [enter(feed, one, two or "fout") for one, two in pairs]
    assert {answer.status_code for answer in answers} == {403}
    texts = [
        answer.text.replace(one, "") if one else answer.text for answer, (one, _) in zip(answers, pairs, strict=True)
    ]
    assert len(set(texts)) == 1
    assert "kloppen niet samen" in texts[0]
    assert not feed.client.cookies
    rows = feed.rows("SELECT outcome FROM audit_entry WHERE action = 'sender.enter'")
    assert [row["outcome"] for row in rows] == ["refused"] * 4


def test_who_keeps_guessing_is_told_to_wait(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_SIGN_IN_FREE_TRIES_PER_ADDRESS", "2")
    monkeypatch.setenv("VEILIG_SIGN_IN_FIRST_WAIT_SECONDS", "60")
    settings.cache_clear()
    answers = [enter(feed, secret="fout") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert re.search(r"Wacht \d+ seconden", answers[-1].text)
    assert enter(feed).status_code == 303


def test_a_page_visit_is_no_key_to_the_api_and_a_short_token_none_to_the_page(feed: Feed) -> None:
    enter(feed)
    visit = feed.client.cookies["__Host-aansluiting"]
    assert feed.post(feed.xml(), visit).status_code == 401
    form = {"grant_type": "client_credentials", "client_id": POLICE_OIN, "client_secret": feed.token}
    short = feed.client.post("/api/v1/token", data=form).json()["access_token"]
    feed.client.cookies.clear()
    feed.client.cookies.set("__Host-aansluiting", short, domain="testserver.local")
    assert "Uw bezoek is voorbij" in page(feed)
    assert enter(feed, secret=short).status_code == 403


def test_a_form_from_elsewhere_or_of_another_visit_is_refused(feed: Feed) -> None:
    assert feed.client.post(PATH, data={"client_id": POLICE_OIN, "client_secret": feed.token}).status_code == 403
    enter(feed)
    token = form_token(feed)
    for path in ("token", "seintje", "einde"):
        assert feed.client.post(f"{PATH}/{path}", data={"formulier": "0" * 64}, headers=OURS).status_code == 403
        assert feed.client.post(f"{PATH}/{path}", data={"formulier": token}).status_code == 403


def test_it_shows_its_own_references_moments_and_codes_and_nobody(feed: Feed) -> None:
    other = feed.new_sender()
    own: dict[str, Any] = {"bericht": {"zender": {"oin": SCHOOL_OIN}, "referentienummer": "van-de-school"}}
    headers = {"Authorization": f"Bearer {other}"}
    assert feed.client.post(MELDINGEN, json=sample_json(own), headers=headers).status_code == 202
    feed.post(feed.xml())
    bad = {"betrokkenen": [{"rol": {"tekst": "vader"}, "bsn": "123456789", "naam": {"voornamen": "Piet"}}]}
    feed.post_json(feed.sample({"bericht": {"referentienummer": "met-opmerking"}} | bad))
    feed.post(feed.xml({"bericht": {"referentienummer": "kapot"}}).replace(b"heeftBetrokken", b"heeftVergeten"))
    enter(feed)
    shown = page(feed)
    assert "Meldingen: <b>2</b>. In quarantaine: <b>1</b>." in shown
    assert 'class="bar-kept"' in shown
    assert 'class="bar-missed"' in shown
    for expected in ("met-opmerking", "VT-W101", "VT-W105", "kapot", "VT-E055", "Het bericht is niet volgens"):
        assert expected in shown, expected
    for hidden in ("van-de-school", "Voorbeeldstraat", "Noor", "999993653", "Piet", "123456789", "PL9999"):
        assert hidden not in shown, hidden
    assert feed.rows("SELECT actor FROM audit_entry WHERE action = 'sender.view'") == [
        {"actor": f"sender:{POLICE_OIN}"}
    ]


def test_nothing_delivered_is_said_so(feed: Feed) -> None:
    enter(feed)
    shown = page(feed)
    for expected in ("Nog niets geleverd", "Er wacht geen", "Er staat niets in quarantaine", "geen opmerkingen"):
        assert expected in shown


def test_a_new_token_for_who_types_the_newest_one_again(feed: Feed) -> None:
    enter(feed)
    wrong = post(feed, "token", geheim="fout", overlap="dag")
    assert wrong.status_code == 403
    assert "Dit is niet uw nieuwste token" in wrong.text
    assert post(feed, "token", geheim=feed.token, overlap="").status_code == 400
    answer = post(feed, "token", geheim=feed.token, overlap="dag")
    assert answer.status_code == 200
    fresh = answer.text.split('class="secret">')[1].split("<")[0]
    assert fresh not in page(feed), "shown once"
    assert [feed.post(feed.xml(), token).status_code for token in (feed.token, fresh)] == [200, 200]
    again = post(feed, "token", geheim=feed.token, overlap="dag")
    assert again.status_code == 403, "the old one, which is running out, makes no new one"
    assert post(feed, "token", geheim=fresh, overlap="nu").status_code == 200
    assert [feed.post(feed.xml(), token).status_code for token in (feed.token, fresh)] == [401, 401]
    rows = feed.rows("SELECT outcome FROM audit_entry WHERE action = 'sender.rotate' ORDER BY at")
    assert [row["outcome"] for row in rows] == ["refused", "ok", "refused", "ok"]


def test_closing_the_visit_ends_it_on_the_server(feed: Feed) -> None:
    enter(feed)
    kept = dict(feed.client.cookies)
    assert post(feed, "einde").status_code == 303
    feed.client.cookies.update(kept)
    assert "Uw bezoek is voorbij" in page(feed)


def test_a_revoked_sender_is_out_at_once(feed: Feed) -> None:
    enter(feed)
    with feed.db.transaction():
        senders.revoke(feed.db, feed.region, POLICE_OIN)
    assert "Politie" not in page(feed)


def test_a_test_callback_is_asked_and_bounded(feed: Feed) -> None:
    enter(feed)
    assert "U krijgt nog geen seintjes" in page(feed)
    refused = post(feed, "seintje")
    assert (refused.status_code, "nog geen webadres" in refused.text) == (409, True)
    (row,) = feed.rows("SELECT id FROM sender WHERE oin = %s", POLICE_OIN)
    with feed.db.transaction():
        webhooks.set_address(feed.db, feed.region, row["id"], "https://school.example/seintje", "beheer")
    assert "https://school.example/seintje" in page(feed)
    assert "Het proefseintje is onderweg" in post(feed, "seintje").text
    assert feed.rows("SELECT kind FROM job") == [{"kind": "send_webhook"}]
    for _ in range(9):
        assert post(feed, "seintje").status_code == 200
    assert post(feed, "seintje").status_code == 429


def test_a_sender_sees_and_changes_nothing_of_another_by_sql(feed: Feed, as_web: Any) -> None:
    """Also not by injected SQL: what its own transaction may ask of the database."""
    import psycopg

    school = feed.new_sender()
    feed.post(feed.xml())
    enter(feed, SCHOOL_OIN, school)
    (visit,) = feed.rows("SELECT id, sender_id FROM sender_token WHERE kind = 'page'")
    (police,) = feed.rows("SELECT id FROM sender WHERE oin = %s", POLICE_OIN)
    db = as_web(f"sender:{visit['id']}")
    assert db.execute("SELECT * FROM own_deliveries('2020-01-01')").fetchall() == []
    assert db.execute("SELECT * FROM own_messages('quarantine', 10)").fetchall() == []
    assert db.execute("SELECT FROM report").fetchall() == []
    assert db.execute("UPDATE sender SET webhook_url = NULL, webhook_secret = NULL").rowcount == 0
    for row in (police["id"], visit["sender_id"]):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(
                "INSERT INTO webhook_event (id, region_id, sender_id, kind, subject_id, reference, at)"
                " VALUES (%s, %s, %s, %s, %s, 'x', now())",
                (uuid7(), feed.region, row, "feedback" if row == visit["sender_id"] else "test", uuid7()),
            )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("SELECT FROM sender_token")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("SELECT * FROM live_numbers(%s, '{}')", (feed.region,))
    done = db.execute("SELECT own_token_rotate(%s, %s, %s, '0')", (bytes(32), uuid7(), bytes(32))).fetchone()
    assert done == {"own_token_rotate": False}


def test_old_tokens_refusals_and_callbacks_are_forgotten(feed: Feed) -> None:
    from core.database import now, transaction
    from intake import sender_access

    enter(feed)
    enter(feed, secret="fout")
    feed.db.execute("UPDATE sender_token SET expires_at = now() - interval '2 days' WHERE kind = 'page'")
    feed.db.execute("UPDATE sender_refusal SET at = now() - interval '2 days'")
    with transaction("worker") as db:
        sender_access.forget_old(db, now(db) - timedelta(hours=1))
    assert (feed.count("sender_refusal"), feed.count("sender_token")) == (0, 1)
