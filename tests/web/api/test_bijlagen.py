"""Attachments over the API: to one's own reports only, once, and never what we do not take."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from intake import attachments
from tests.web.api.conftest import MELDINGEN, SCHOOL_OIN, Feed

PDF = b"%PDF-1.7 Kanarie"


def send(feed: Feed, report: str, content: bytes = PDF, token: str | None = None, name: str = "verslag.pdf") -> Any:
    headers = {
        "Authorization": f"Bearer {token or feed.token}",
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    answer: httpx.Response = feed.client.post(f"{MELDINGEN}/{report}/bijlagen", content=content, headers=headers)
    return answer


@pytest.fixture
def report(feed: Feed) -> str:
    number: str = feed.post_json(feed.sample()).json()["ontvangstnummer"]
    return number


def test_a_file_is_stored_once_and_gets_a_number(feed: Feed, report: str) -> None:
    first, again = send(feed, report), send(feed, report)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert ("idempotent-replay" in first.headers, again.headers["idempotent-replay"]) == (False, "true")
    assert [row["name"] for row in attachments.of_report(feed.db, feed.region, UUID(report))] == ["verslag.pdf"]
    assert feed.rows("SELECT added_by FROM attachment")[0]["added_by"].startswith("sender:")


def test_the_reference_of_the_sender_will_do(feed: Feed, report: str) -> None:
    assert send(feed, feed.sample()["bericht"]["referentienummer"]).status_code == 202


def test_the_report_of_another_sender_is_missing(feed: Feed, report: str) -> None:
    other = feed.new_sender(SCHOOL_OIN)
    answers = [send(feed, one, token=other) for one in (report, "01990000-0000-7000-8000-000000000000", "x%00")]
    assert {answer.status_code for answer in answers} == {404}
    assert answers[0].content == answers[1].content
    assert feed.count("attachment") == 0


@pytest.mark.parametrize(
    ("content", "status"), [(b"MZ\x00", 400), (b"", 400), (b"%PDF-" + b"x" * 3000, 413), (b"tekst \x00", 400)]
)
def test_what_we_do_not_take_is_refused(feed: Feed, report: str, setting: Any, content: bytes, status: int) -> None:
    setting("ATTACHMENT_BYTES", "2048")
    answer = send(feed, report, content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert feed.count("attachment") == 0


def test_without_a_token_nothing_is_read(feed: Feed, report: str) -> None:
    assert send(feed, report, token="onzin").status_code == 401


def test_the_document_names_it_with_the_report_of_a_school(feed: Feed) -> None:
    document = feed.client.get("/api/v1/openapi.json").json()
    assert "post" in document["paths"]["/meldingen/{id}/bijlagen"]
    body = document["paths"]["/meldingen"]["post"]["requestBody"]["content"]["application/json"]
    school = body["examples"]["school"]["value"]
    assert school["aanmelding"]["meldcode"]["stap"] == "5"
    assert feed.post_json(school).status_code in (202, 403)
