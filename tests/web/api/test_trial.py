"""The supplier's test set: each example gives what it promises, on trial and for real; a trial stores nothing."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from intake import senders
from intake.corv.xsd import official_schema
from intake.examples import MEDIA_TYPES, PATHS, Example, examples
from intake.sample import POLICE_OIN
from tests.web.api.conftest import CORV, MELDINGEN, SCHOOL_OIN, Feed

FOLDER = os.environ.get("VEILIG_XSD_DIR")  # read at import: the tests themselves see no settings
SET = examples()
TABLES = ("message", "report", "mention", "quarantine", "task", "deadline", "job", "outgoing_reply", "audit_entry")


def send(feed: Feed, one: Example, *, trial: bool, **headers: str) -> httpx.Response:
    sent = {"Authorization": f"Bearer {feed.token}", "Content-Type": MEDIA_TYPES[one.door], **headers}
    return feed.client.post(
        PATHS[one.door], params={"proef": "true"} if trial else {}, content=one.body, headers=sent
    )


def kept(feed: Feed) -> list[int]:
    return [feed.count(table) for table in TABLES]


def errors_of(answer: httpx.Response) -> set[str]:
    return {one["name"] for one in answer.json().get("invalidParams", [])}


@pytest.mark.parametrize("one", SET, ids=[one.name for one in SET])
def test_each_example_gives_for_real_what_it_promises(feed: Feed, one: Example) -> None:
    answer = send(feed, one, trial=False)
    assert answer.status_code == one.status
    stored = {"melding": ("report", 1), "quarantaine": ("quarantine", 1), "geweigerd": ("message", 0)}[one.outcome]
    assert feed.count(stored[0]) == stored[1]
    if one.door == "json" and one.outcome == "melding":
        assert tuple(sorted({one["code"] for one in answer.json()["waarschuwingen"]})) == one.warnings
    elif one.door == "json":
        assert (answer.json()["code"], errors_of(answer)) == (one.code, set(one.paths))
    elif one.outcome == "quarantaine":
        assert feed.rows("SELECT code FROM quarantine") == [{"code": one.code}]
    elif one.code:
        assert one.code.encode() in answer.content


@pytest.mark.parametrize("one", SET, ids=[one.name for one in SET])
def test_a_trial_says_the_same_and_stores_nothing(feed: Feed, one: Example) -> None:
    before = kept(feed)
    answer = send(feed, one, trial=True)
    assert kept(feed) == before
    assert answer.headers["proef"] == "true"
    if one.door == "json" and one.outcome != "melding":
        assert (answer.status_code, answer.json()["code"]) == (one.status, one.code)
        assert errors_of(answer) == set(one.paths)
        return
    told = answer.json()
    assert answer.status_code == 200
    assert (told["proef"], told["opgeslagen"], told["zouAntwoorden"]) == (True, False, one.status)
    assert (told["uitkomst"], told["code"] or "") == (one.outcome, one.code)
    assert tuple(sorted({one["code"] for one in told["waarschuwingen"]})) == one.warnings
    assert "ontvangstnummer" not in told


def test_a_trial_by_the_header_is_a_trial_too(feed: Feed) -> None:
    assert send(feed, SET[0], trial=False, Proef="true").json()["opgeslagen"] is False
    assert feed.count("message") == 0


@pytest.mark.parametrize("value", ["ja", "TRUE", "1", "", "true;"])
@pytest.mark.parametrize("door", [MELDINGEN, CORV])
def test_what_is_nearly_a_trial_never_becomes_a_report(feed: Feed, door: str, value: str) -> None:
    headers = {"Authorization": f"Bearer {feed.token}"}
    body = json.dumps(feed.sample()).encode() if door == MELDINGEN else feed.xml()
    answer = feed.client.post(door, params={"proef": value}, content=body, headers=headers)
    assert answer.status_code == 400
    assert feed.count("message") == 0


def test_a_trial_of_what_came_before_says_so(feed: Feed) -> None:
    (school,) = [one for one in SET if one.name == "school"]
    assert send(feed, school, trial=False).status_code == 202
    again = send(feed, school, trial=True).json()
    assert (again["eerderOntvangen"], again["uitkomst"]) == (True, "melding")
    changed = json.loads(school.body) | {"extra": [{"naam": "proef", "waarde": "anders"}]}
    answer = feed.client.post(
        MELDINGEN, params={"proef": "true"}, json=changed, headers={"Authorization": f"Bearer {feed.token}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "VT-E016")
    assert (feed.count("message"), feed.count("quarantine")) == (1, 0)


def test_a_trial_needs_the_same_proof(feed: Feed) -> None:
    for door in (MELDINGEN, CORV):
        answer = feed.client.post(door, params={"proef": "true"}, content=b"x", headers={"Authorization": "Bearer x"})
        assert answer.status_code == 401


def test_the_set_is_there_for_everybody_and_on_the_own_oin_with_a_token(feed: Feed) -> None:
    listed = feed.client.get("/api/v1/voorbeelden").json()["voorbeelden"]
    assert [one["naam"] for one in listed] == [one.file for one in SET]
    school = feed.new_sender()
    own: Any = {"Authorization": f"Bearer {school}"}
    message = feed.client.get("/api/v1/voorbeelden/school.json", headers=own)
    assert message.json()["bericht"]["zender"]["oin"] == SCHOOL_OIN
    assert feed.client.post(MELDINGEN, content=message.content, headers=own).status_code == 202
    assert feed.client.get("/api/v1/voorbeelden/politie.xml").headers["content-type"].startswith("text/xml")
    assert feed.client.get("/api/v1/voorbeelden/bestaat-niet").status_code == 404
    assert feed.client.get("/api/v1/voorbeelden", headers={"Authorization": "Bearer x"}).status_code == 401
    archive = zipfile.ZipFile(io.BytesIO(feed.client.get("/api/v1/voorbeelden/voorbeelden.zip").content))
    assert {name: archive.read(name) for name in archive.namelist()} == {one.file: one.body for one in SET}


@pytest.mark.skipif(FOLDER is None, reason="VEILIG_XSD_DIR does not name the official XSDs")
def test_the_right_stuf_examples_fit_the_official_schema() -> None:
    schema = official_schema(Path(str(FOLDER)))
    assert {
        one.name: schema.validate(one.body) for one in SET if one.door == "stuf" and one.outcome == "melding"
    } == {
        "politie": [],
        "halt": [],
    }


def test_the_set_is_of_the_sender_that_asks(feed: Feed) -> None:
    with feed.db.transaction():
        (sender,) = senders.active(feed.db, feed.region)
    made = examples(sender.oin, sender.region_oin)
    assert sender.oin == POLICE_OIN
    assert {one.outcome for one in made} == {"melding", "quarantaine", "geweigerd"}
