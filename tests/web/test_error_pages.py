"""What somebody sees when it does not work: what it is, what to do, in his language, and nothing of the inside."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from web import errors, language
from web.language import spoken


def shown(status: int, path: str = "/wachtrij") -> str:
    request = Request({"type": "http", "path": path, "method": "GET", "headers": [], "query_string": b""})
    answer = errors.handle(request, HTTPException(status))
    assert answer.status_code == status
    return bytes(answer.body).decode()


@pytest.mark.parametrize("status", [403, 404, 409, 413, 429, 503])
def test_every_error_says_what_it_is_and_what_to_do(status: int) -> None:
    page = shown(status)
    assert f"<h1>{errors.TITLES[status]}</h1>" in page
    assert errors.DETAILS[status] in page
    assert errors.NEXT.get(status, "") in page
    assert '<a class="button" href="/">' in page


@pytest.mark.parametrize("status", [403, 404, 409, 413, 429, 503])
def test_every_error_is_said_in_english_too(status: int) -> None:
    with spoken("en"):
        page = shown(status)
    assert '<html lang="en">' in page
    for words in (errors.TITLES[status], errors.DETAILS[status], errors.NEXT.get(status)):
        assert not words or words not in page, words


def test_what_went_wrong_inside_is_not_told() -> None:
    request = Request({"type": "http", "path": "/", "method": "GET", "headers": [], "query_string": b""})
    page = bytes(errors.handle(request, RuntimeError("geheim 999993653")).body).decode()
    assert "999993653" not in page
    assert "Nummer van deze fout" in page


def test_on_a_public_page_an_error_names_no_product_and_tells_whom_to_call() -> None:
    page = shown(404, language.PUBLIC[0])
    assert "Radar" not in page
    assert 'href="tel:112"' in page


def test_who_was_signed_out_is_told_so(client: Any) -> None:
    from web.access import sessions

    assert "U bent uitgelogd." not in client.get("/inloggen").text
    client.cookies.set(sessions.cookie_name(), "verlopen", domain="testserver.local")
    page = client.get("/inloggen").text
    assert "U bent uitgelogd." in page
    assert 'role="status"' in page
