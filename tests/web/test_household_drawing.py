"""The household as a drawing: who lives with whom, and never where somebody is who is shielded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.ids import uuid7
from intake.protected import HIDDEN
from web.pages.household_drawing import Drawing, draw

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HERE = {"straat": "Voorbeeldstraat", "huisnummer": "1", "postcode": "1234AB", "woonplaats": "Dalstad"}
THERE = {"straat": "Geheimlaan", "huisnummer": "9", "postcode": "9999ZZ", "woonplaats": "Elders"}


def member(name: str, role: str, *addresses: dict[str, str], **more: Any) -> dict[str, Any]:
    person = {
        "naam": {"volledigeNaam": name},
        "rol": {"tekst": role},
        "adressen": [{"soort": "feitelijk"} | one for one in addresses],
        **more.pop("person", {}),
    }
    row = {"person_id": uuid7(), "person": person, "reports": 1, "valid_from": NOW, "valid_to": None}
    return row | more


CHILD, MOTHER = member("Test", "jeugdige", HERE), member("Maria", "ouder met gezag", HERE)


def drawn(*members: dict[str, Any], **asked: Any) -> Drawing:
    return draw(members, NOW, **({"addresses": True} | asked))


def words(drawing: Drawing) -> str:
    return repr(drawing)


def test_who_has_the_same_address_lives_together() -> None:
    drawing = drawn(CHILD, MOTHER, member("Jan", "ouder zonder gezag", THERE))
    assert [(home.kind, len(home.dwellers)) for home in drawing.homes] == [("known", 2), ("known", 1)]
    assert drawing.homes[0].place == "Voorbeeldstraat 1, 1234AB Dalstad"


def test_a_line_runs_from_each_parent_to_each_child_and_from_nobody_else() -> None:
    drawing = drawn(CHILD, MOTHER, member("Oma", "grootouder", HERE), member("Jan", "ouder zonder gezag", THERE))
    assert len(drawing.ties) == 2
    assert drawn(MOTHER).ties == ()


def test_where_a_shielded_person_stays_is_in_no_word_of_the_drawing() -> None:
    marked = member("Sara", "ouder met gezag", THERE, person={"telefoonnummers": [HIDDEN]})
    known = member("Lot", "ouder met gezag", THERE)
    for one, protected in ((marked, ()), (known, {known["person_id"]})):
        drawing = drawn(CHILD, one, protected=protected)
        assert "Geheimlaan" not in words(drawing)
        assert "Elders" not in words(drawing)
        assert [home.kind for home in drawing.homes] == ["known", "shielded"]


def test_two_shielded_persons_are_not_drawn_together() -> None:
    two = [member(name, "ouder met gezag", THERE) for name in ("Sara", "Lot")]
    drawing = drawn(CHILD, *two, protected={one["person_id"] for one in two})
    assert [home.kind for home in drawing.homes] == ["known", "shielded", "shielded"]


def test_who_may_see_no_address_sees_none() -> None:
    drawing = drawn(CHILD, MOTHER, member("Jan", "ouder zonder gezag", THERE), addresses=False)
    assert [home.kind for home in drawing.homes] == ["unknown"]
    assert "Voorbeeldstraat" not in words(drawing)


def test_an_unknown_address_is_named_as_such_and_where_somebody_is_counts_before_where_he_is_registered() -> None:
    moved = member("Jan", "ouder zonder gezag", HERE | {"soort": "formeel"}, THERE)
    drawing = drawn(member("Kim", "jeugdige"), moved)
    assert [home.place for home in drawing.homes] == ["Adres niet bekend", "Geheimlaan 9, 9999ZZ Elders"]


def test_everybody_stands_inside_the_picture_and_nobody_on_another() -> None:
    drawing = drawn(CHILD, MOTHER, *(member(f"Broer {n}", "jeugdige", HERE) for n in range(5)))
    places = [(one.x, one.y) for one in drawing.dwellers]
    assert len(set(places)) == len(places) == 7
    assert all(0 < x < drawing.width and 0 < y < drawing.height for x, y in places)


def test_the_page_of_a_case_draws_it_with_a_list_beside(client: Any, world: Any, sign_in: Any, family: Any) -> None:
    sign_in(world.staff("team_lead"))
    page = client.get(f"/casussen/{family['case']}").text
    part = page.split('id="leden"')[1].split("</section>")[0]
    assert 'role="img"' in part
    assert 'aria-labelledby="huis-titel huis-uitleg"' in part
    assert part.count("<li><b>") == 3
    assert "Voorbeeldstraat 1a" in part
