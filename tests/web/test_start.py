"""The first page of each role: what to do now, numbers that lead somewhere, and a word when there is nothing."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from core.staff import ROLES
from radar.casework import today
from web.pages.search import _of_one_field

HEADS = {
    "intake_worker": ["Bel nu", "Mijn taken"],
    "assessor": ["Mijn taken", "Wacht op een tweede handtekening", "Nog van niemand"],
    "behavioural_scientist": ["Wacht op een tweede handtekening", "Mijn taken"],
    "trusted_physician": ["Mijn taken", "Nog van niemand"],
    "team_lead": ["Te laat", "Nog van niemand", "Mijn taken"],
    "privacy_officer": [
        "Verzoeken van betrokkenen",
        "Vernietigen: wacht op een tweede persoon",
        "Controle van het log",
    ],
    "auditor": ["Controle van het log"],
    "administrator": ["Vastgelopen", "Het werk achter de schermen"],
}


def heads(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>([^<]+)</h2>", page)


def tiles(page: str) -> dict[str, tuple[int, str]]:
    """The label of each number, with the number and where it leads."""
    found = re.findall(r'<a class="tile[^"]*" href="([^"]+)"><b>(\d+)</b> ([^<]+)</a>', page)
    return {label: (int(count), path.replace("&amp;", "&")) for path, count, label in found}


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize("role", list(ROLES))
def test_each_role_begins_with_its_own_work_and_every_number_leads_to_it(
    client: Any, world: Any, sign_in: Any, role: str
) -> None:
    sign_in(world.staff(role))
    page = client.get("/")
    assert page.status_code == 200
    assert heads(page.text) == HEADS[role]
    for label, (count, path) in tiles(page.text).items():
        shown = client.get(path if path.startswith("/") else "/")
        assert shown.status_code == 200, (label, path)
        if "soort=" in path:
            assert shown.text.count('class="what"') == count, (label, path)


@pytest.mark.parametrize("role", list(ROLES))
def test_where_nothing_is_open_the_page_says_so(client: Any, world: Any, sign_in: Any, role: str) -> None:
    sign_in(world.staff(role))
    page = client.get("/").text
    assert page.count('class="nothing"') == len(HEADS[role])
    assert "work-list" not in page
    assert all(count == 0 for count, _ in tiles(page).values())


def test_the_late_and_the_nobodys_are_there_for_the_lead(client: Any, world: Any, sign_in: Any, family: Any) -> None:
    sign_in(world.staff("team_lead"))
    page = client.get("/").text
    late = page.split('id="laat"')[1].split("</section>")[0]
    assert f'href="/meldingen/{family["third"]}/beoordeling"' in late
    assert "Te laat sinds" in late
    assert tiles(page)["te laat"][0] >= 1
    assert "Jan Proef" not in page, "no name of anybody is on the first page"


def test_a_number_of_the_team_counts_the_team_and_what_no_team_has(client: Any, world: Any, sign_in: Any) -> None:
    name = world.staff("intake_worker")
    world.db.execute("UPDATE staff SET team_id = %s WHERE username = %s", (world.team, name))
    sign_in(name)
    assert tiles(client.get("/").text)["te laat"][1] == "/wachtrij?telaat=1"


def test_standing_adds_up() -> None:
    found = {"assess": today.Standing(open=3, late=1), "sign": today.Standing(open=2, mine=2)}
    assert today.together(found) == today.Standing(open=5, late=1, mine=2)
    assert today.together({}) == today.Standing()


def test_the_administrator_sees_no_report(client: Any, world: Any, sign_in: Any, family: Any) -> None:
    sign_in(world.staff("administrator"))
    page = client.get("/").text
    assert str(family["third"]) not in page
    assert f'href="/taken/{family["job"]}"' in page


@pytest.mark.usefixtures("family")
def test_the_first_page_is_quick(client: Any, world: Any, sign_in: Any) -> None:
    sign_in(world.staff("team_lead"))
    client.get("/")
    taken = []
    for _ in range(15):
        begun = time.process_time()
        client.get("/")
        taken.append(time.process_time() - begun)
    assert sorted(taken)[7] < 0.05, (
        "the half of our own time; what the database needs is measured in docs/performance.md"
    )


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("Voorbeeld", {"achternaam": "Voorbeeld"}),
        ("Maria  van Voorbeeld", {"voornaam": "Maria", "achternaam": "van Voorbeeld"}),
        ("1234 AB 12", {"postcode": "1234 AB", "huisnummer": "12"}),
        ("1234ab", {"postcode": "1234ab", "huisnummer": ""}),
        ("999993653", {"bsn": "999993653"}),
        ("PL9999-2026000001-1", {"kenmerk": "PL9999-2026000001-1"}),
    ],
)
def test_what_is_typed_on_top_stands_in_the_right_field(typed: str, fields: dict[str, str]) -> None:
    assert _of_one_field(typed) == fields


def test_the_field_on_top_begins_a_search_and_finds_nothing_by_itself(client: Any, world: Any, sign_in: Any) -> None:
    sign_in(world.staff("assessor"))
    token = re.search(r'name="formulier" value="(\w+)"', client.get("/").text)
    assert token
    answer = client.post(
        "/zoeken",
        data={"formulier": token[1], "begin": "ja", "vind": "Maria Voorbeeld"},
        headers={"sec-fetch-site": "same-origin"},
    )
    assert answer.status_code == 200
    assert 'value="Maria"' in answer.text
    assert "Er is nog niets opgeslagen" not in answer.text
    assert world.db.execute("SELECT FROM search").fetchall() == []
