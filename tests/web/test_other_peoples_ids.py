"""Two sessions and each other's ids: what is hidden answers as what does not exist, on every route, to the byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.database import Db
from tests.web.conftest import OURS, World, seed_family
from tests.web.test_access import token_in

WITHOUT_ROW = {"/static/{name}", "/partner/{token}"}


def routes(client: Any) -> Iterator[tuple[str, str]]:
    """Each screen that asks for an id."""
    for route in client.app.routes:
        for method in sorted(set(getattr(route, "methods", None) or ()) & {"GET", "POST"}):
            if "{" in route.path and route.path not in WITHOUT_ROW and not route.path.startswith("/api"):
                yield method, route.path


def filled(path: str, one: UUID) -> str:
    return re.sub(r"{(\w+)}", str(one), path)


def ids_of(db: Db, world: World, family: dict[str, UUID]) -> list[UUID]:
    """One id of each kind of thing that a path may ask for."""
    mention = db.execute("SELECT id FROM mention WHERE report_id = %s LIMIT 1", (family["third"],)).fetchone()
    member = db.execute("SELECT id FROM staff WHERE region_id = %s LIMIT 1", (world.region,)).fetchone()
    assert mention is not None
    assert member is not None
    return [family[name] for name in ("third", "case", "proposed", "quarantine", "job")] + [
        mention["id"],
        member["id"],
    ]


@pytest.fixture
def two(new_world: Callable[[], World], db: Db) -> tuple[World, list[UUID], dict[str, UUID]]:
    ours, theirs = new_world(), new_world()
    theirs.staff("assessor")
    mine = seed_family(ours)
    return ours, ids_of(db, theirs, seed_family(theirs)), mine


def test_what_belongs_to_another_region_is_missing(
    client: Any, two: tuple[World, list[UUID], dict[str, UUID]], sign_in: Callable[..., Any], db: Db
) -> None:
    ours, foreign, mine = two
    sign_in(ours.staff("team_lead"))
    token = token_in(client.get("/wachtrij").text)
    checked = 0
    for method, path in routes(client):
        for one in foreign:
            answers = [
                client.request(method, filled(path, who), headers=OURS, data={"formulier": token})
                for who in (one, uuid4())
            ]
            hidden, missing = answers
            assert hidden.status_code == missing.status_code, (method, path)
            same = [answer.text.replace(str(answer.request.url.path), "PATH") for answer in answers]
            assert same[0] == same[1], (method, path)
            checked += 1
    assert checked > 200
    assert client.get(f"/meldingen/{mine['third']}").status_code == 200
