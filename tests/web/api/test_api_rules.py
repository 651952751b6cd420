"""The rules for every answer of the API: version, problem details, headers, an OpenAPI document that fits; health."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from starlette.routing import Mount, Route

from core.ids import uuid7
from core.settings import settings
from tests.web.api.conftest import CORV, MELDINGEN, Feed
from web.api import routes
from web.api.version import VERSION
from workers.engines import EmbeddedPostgres
from workers.heartbeat import beat


def answers(feed: Feed) -> Iterator[tuple[str, Any]]:
    client = feed.client
    yield "200 xml", feed.post(feed.xml())
    yield "400 xml", feed.post(b"<")
    yield "401 xml", feed.post(feed.xml(), "wrong")
    yield "202 json", feed.post_json(feed.sample({"bericht": {"referentienummer": "r-2"}}))
    yield "400 json", feed.post_json({})
    yield "401 json", feed.post_json({}, "wrong")
    yield "409 json", feed.post_json(feed.sample())
    yield "413 json", feed.post_json(b" " * (settings().max_message_bytes + 1))
    yield "404 state", feed.state("r-9")
    yield "404 path", client.get("/api/v1/bestaat-niet")
    yield "404 version", client.get("/api/v9/meldingen")
    yield "405 method", client.get(CORV)
    yield "405 method", client.delete(f"{MELDINGEN}/x")
    yield "200 openapi", client.get("/api/v1/openapi.json")


def test_every_answer_carries_the_version_and_the_security_headers(feed: Feed) -> None:
    for expected, answer in answers(feed):
        assert str(answer.status_code) == expected.split()[0], expected
        assert answer.headers["api-version"] == VERSION, expected
        assert answer.headers["x-content-type-options"] == "nosniff", expected
        assert answer.headers["cache-control"] == "no-store", expected
        if answer.status_code >= 400 and "xml" not in expected:
            assert answer.headers["content-type"] == "application/problem+json", expected
            assert answer.json().keys() >= {"status", "title", "detail"}, expected
            assert answer.json()["status"] == answer.status_code, expected


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_openapi_document_is_public_and_complete(feed: Feed) -> None:
    answer = feed.client.get("/api/v1/openapi.json")
    assert answer.headers["access-control-allow-origin"] == "*"
    document = answer.json()
    assert document["openapi"].startswith("3.")
    assert document["info"]["version"] == VERSION
    assert document["info"]["contact"]
    found = list(references(document))
    assert found
    for reference in found:
        target: Any = document
        for name in reference.removeprefix("#/").split("/"):
            target = target[name]
    (api,) = [route for route in routes if isinstance(route, Mount)]
    base = document["servers"][0]["url"].removeprefix(api.path)
    offered = {
        (route.path, method.lower())
        for route in api.routes or []
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    } - {(f"{base}/openapi.json", "get")}
    described = {(f"{base}{path}", method) for path, item in document["paths"].items() for method in item}
    assert offered == described


@pytest.mark.parametrize("path", ["/corv/berichten", "/meldingen", "/meldingen/{id}"])
def test_every_status_that_is_answered_is_described(feed: Feed, path: str) -> None:
    document = feed.client.get("/api/v1/openapi.json").json()
    described = {status for item in document["paths"][path].values() for status in item["responses"]}
    kind = {"/corv/berichten": "xml", "/meldingen": "json", "/meldingen/{id}": "state"}[path]
    answered = {str(answer.status_code) for name, answer in answers(feed) if name.endswith(kind)}
    assert answered <= described


def test_live_says_only_that_the_process_answers(feed: Feed) -> None:
    assert feed.client.get("/health/live").json() == {"status": "ok"}


def test_ready_needs_a_worker(feed: Feed) -> None:
    answer = feed.client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": True,
        "migrations": True,
        "worker": False,
        "jobs": True,
        "destroyed": True,
    }
    beat(uuid7(), "clock")
    assert feed.client.get("/health/ready").status_code == 503
    beat(uuid7(), "worker")
    assert feed.client.get("/health/ready").json()["status"] == "ok"
    feed.db.execute("UPDATE heartbeat SET seen_at = now() - interval '31 s'")
    assert feed.client.get("/health/ready").status_code == 503


def test_ready_says_that_work_waits_too_long(feed: Feed) -> None:
    beat(uuid7(), "worker")
    feed.post(feed.xml())
    assert feed.client.get("/health/ready").status_code == 200
    feed.db.execute("UPDATE job SET due_at = now() - interval '16 minutes'")
    answer = feed.client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["jobs"]) == (503, False)


def test_ready_needs_the_floor_plan_of_this_version(feed: Feed) -> None:
    beat(uuid7(), "worker")
    feed.db.execute("UPDATE alembic_version SET version_num = '0000'")
    answer = feed.client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"database": True, "migrations": False})


@pytest.mark.usefixtures("impatient")
def test_without_a_database_the_doors_say_503_and_the_process_lives(feed: Feed, postgres: EmbeddedPostgres) -> None:
    name = conninfo_to_dict(settings().database_url or "")["dbname"]
    with psycopg.connect(postgres.admin_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        xml, json, ready = (
            feed.post(feed.xml()),
            feed.post_json(feed.sample()),
            feed.client.get("/health/ready"),
        )
        live = feed.client.get("/health/live")
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert [answer.status_code for answer in (xml, json, ready, live)] == [503, 503, 503, 200]
    assert b"StUF046" in xml.content
    assert xml.headers["retry-after"] == "30"
    assert json.headers["content-type"] == "application/problem+json"
    assert json.headers["retry-after"] == "30"
    assert ready.json() == {"status": "not ready", "checks": {"database": False}}
