"""Who may post: a token and/or a certificate of one sender, and only in that sender's own name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core.ids import uuid7
from intake import senders
from intake.sample import POLICE_OIN
from tests.web.api.conftest import CORV, MELDINGEN, SCHOOL_OIN, Feed

CERTIFICATE = "ab" * 32
Setting = Callable[[str, str], None]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic cG9saXRpZTpwb2xpdGll", "Bearer " + "x" * 5000],
    ids=["none", "empty", "no token", "blank", "unknown", "basic", "very long"],
)
def test_without_a_good_token_nothing_is_read_or_kept(feed: Feed, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    xml = feed.client.post(CORV, content=feed.xml(), headers=headers)
    json = feed.client.post(MELDINGEN, json=feed.sample(), headers=headers)
    state = feed.client.get(f"{MELDINGEN}/{uuid7()}", headers=headers)
    assert [answer.status_code for answer in (xml, json, state)] == [401, 401, 401]
    assert b"Fo03Bericht" in xml.content
    assert b"StUF052" in xml.content
    assert xml.headers["www-authenticate"] == "Bearer"
    assert json.headers["content-type"] == "application/problem+json"
    assert json.json()["status"] == 401
    assert feed.count("message") == 0


def test_the_scheme_is_read_in_any_case_and_with_spaces(feed: Feed) -> None:
    answer = feed.post(feed.xml(), Authorization=f"bEARER   {feed.token}")
    assert answer.status_code == 200


def test_a_revoked_sender_is_refused_from_the_next_request_on(feed: Feed) -> None:
    assert feed.post(feed.xml()).status_code == 200
    with feed.db.transaction():
        senders.revoke(feed.db, feed.region, POLICE_OIN)
    assert feed.post(feed.xml()).status_code == 401


def test_a_rotated_token_stays_good_for_the_overlap_only(feed: Feed) -> None:
    with feed.db.transaction():
        new = senders.rotate(feed.db, feed.region, POLICE_OIN, timedelta(hours=1))
    assert [feed.post(feed.xml(), token).status_code for token in (feed.token, new)] == [200, 200]
    feed.db.execute("UPDATE sender_token SET expires_at = now() WHERE expires_at IS NOT NULL")
    assert [feed.post(feed.xml(), token).status_code for token in (feed.token, new)] == [401, 200]


def test_rotating_without_overlap_ends_the_old_token_at_once(feed: Feed) -> None:
    with feed.db.transaction():
        new = senders.rotate(feed.db, feed.region, POLICE_OIN, timedelta(0))
    assert [feed.post(feed.xml(), token).status_code for token in (feed.token, new)] == [401, 200]


def certificate_headers(fingerprint: str) -> dict[str, str]:
    return {"x-client-cert-sha256": fingerprint}


def test_a_certificate_counts_only_from_the_trusted_proxy(feed: Feed, setting: Setting) -> None:
    feed.db.execute("UPDATE sender SET certificate_sha256 = %s WHERE NOT own", (CERTIFICATE,))
    headers = certificate_headers(CERTIFICATE)
    assert feed.client.post(CORV, content=feed.xml(), headers=headers).status_code == 401
    setting("TRUSTED_PROXY", "10.0.0.1")
    assert feed.client.post(CORV, content=feed.xml(), headers=headers).status_code == 401
    setting("TRUSTED_PROXY", "testclient")
    assert feed.client.post(CORV, content=feed.xml(), headers=headers).status_code == 200
    assert feed.count("message") == 1


@pytest.mark.parametrize("shape", [CERTIFICATE.upper(), ":".join(["ab"] * 32)], ids=["upper case", "colons"])
def test_a_fingerprint_is_read_in_its_usual_shapes(feed: Feed, setting: Setting, shape: str) -> None:
    feed.db.execute("UPDATE sender SET certificate_sha256 = %s WHERE NOT own", (CERTIFICATE,))
    setting("TRUSTED_PROXY", "testclient")
    assert feed.client.post(CORV, content=feed.xml(), headers=certificate_headers(shape)).status_code == 200


def test_token_and_certificate_of_different_senders_prove_nothing(feed: Feed, setting: Setting) -> None:
    feed.new_sender(certificate_sha256=CERTIFICATE)
    setting("TRUSTED_PROXY", "testclient")
    assert feed.post(feed.xml(), **certificate_headers(CERTIFICATE)).status_code == 401
    assert feed.post(feed.xml(), **certificate_headers("cd" * 32)).status_code == 401
    assert feed.count("message") == 0


def test_a_message_in_the_name_of_another_is_refused_and_not_kept(feed: Feed) -> None:
    school = feed.new_sender()
    xml = feed.post(feed.xml(), school)
    json = feed.post_json(feed.sample(), school)
    assert (xml.status_code, json.status_code) == (403, 403)
    assert b"VT-E052" in xml.content
    assert json.json()["code"] == "VT-E052"
    assert json.json()["invalidParams"][0]["name"] == "$.bericht.zender.oin"
    assert feed.count("message") == 0


def test_the_same_reference_of_two_senders_are_two_reports(feed: Feed) -> None:
    school = feed.new_sender()
    own: dict[str, Any] = {"bericht": {"zender": {"oin": SCHOOL_OIN}}}
    assert feed.post(feed.xml()).status_code == 200
    assert feed.post(feed.xml(own), school).status_code == 200
    assert feed.count("report") == 2
