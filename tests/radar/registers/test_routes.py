"""The routing table as a whole, and which line counts for an address: rules without a database."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from radar.casework.routing import choose, postcode_of
from radar.registers import routes
from radar.registers.typed import Names

TODAY = date(2026, 11, 22)
NORTH, SOUTH, LOCAL = uuid4(), uuid4(), uuid4()
START = date(2020, 1, 1)
NAMES = Names(
    {NORTH: "Team Noord", SOUTH: "Team Zuid"},
    {LOCAL: "Wijkteam Dal"},
    {team: (START, None) for team in (NORTH, SOUTH, LOCAL)},
)


def line(
    first: int | None = None,
    last: int | None = None,
    place: str | None = None,
    team: UUID = NORTH,
    since: date = START,
    until: date | None = None,
    municipality: str = "Dalstad",
) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "municipality": municipality,
        "place": place,
        "postcode_from": first,
        "postcode_to": last,
        "team_id": team,
        "partner_id": None,
        "valid_from": since,
        "valid_to": until,
    }


def at(postcode: str = "", place: str = "", kind: str = "feitelijk") -> dict[str, str]:
    return {"soort": kind, "postcode": postcode, "woonplaats": place}


def test_a_postcode_goes_before_a_place_and_the_newest_line_before_an_older_one() -> None:
    by_code, by_place = line(1200, 1299), line(place="Dalstad", team=SOUTH)
    newer = line(1250, 1260, since=date(2025, 1, 1), team=SOUTH)
    assert choose([by_place, by_code], [at("1234AB", "Dalstad")], TODAY) is by_code
    assert choose([by_place, by_code], [at("9999AB", "DALSTAD")], TODAY) is by_place
    assert choose([newer, by_code], [at("1255AB")], TODAY) is newer
    assert choose([newer, by_code], [at("1261AB")], TODAY) is by_code


def test_where_somebody_stays_goes_before_where_he_is_registered() -> None:
    one, other = line(1200, 1299), line(1300, 1399, team=SOUTH)
    assert choose([one, other], [at("1234AB", kind="brp"), at("1350AB")], TODAY) is other
    assert choose([one, other], [at("1234AB", kind="brp"), at("8000AB")], TODAY) is one
    assert choose([one], [at("", "")], TODAY) is None


def test_a_line_counts_on_its_first_and_its_last_day_and_not_beside_them() -> None:
    one = line(1200, 1299, since=TODAY, until=TODAY)
    assert choose([one], [at("1234AB")], TODAY) is one
    for days in (-1, 1):
        assert choose([one], [at("1234AB")], TODAY + timedelta(days=days)) is None


def test_only_four_digits_are_a_postcode() -> None:
    assert [postcode_of({"postcode": text}) for text in ("1234AB", "1234", "123", "", "12a4", "١٢٣٤")] == [
        *(1234, 1234, None, None, None, None)
    ]


def test_two_lines_overlap_when_they_send_the_same_address_elsewhere_on_the_same_day() -> None:
    one, other = line(1200, 1250), line(1240, 1260, team=SOUTH)
    (found,) = routes.overlaps([one, other], NAMES, TODAY)
    assert (found.what, found.first, found.second) == (
        "postcode 1240-1250",
        "Dalstad: Team Noord, geen lokaal team",
        "Dalstad: Team Zuid, geen lokaal team",
    )
    assert routes.overlaps([one, line(1240, 1260)], NAMES, TODAY) == []
    assert routes.overlaps([one, line(1251, 1260, team=SOUTH)], NAMES, TODAY) == []
    earlier = line(1200, 1250, team=SOUTH, until=date(2025, 1, 1))
    assert routes.overlaps([line(1200, 1250, since=date(2025, 1, 2)), earlier], NAMES, date(2024, 1, 1)) == []
    assert routes.overlaps([one, earlier], NAMES, TODAY) == []
    places = [line(place="Dal"), line(place="DAL", team=SOUTH)]
    assert [one.what for one in routes.overlaps(places, NAMES, TODAY)] == ["plaats Dal"]


def test_a_gap_is_a_municipality_without_a_line_or_postcodes_between_two_lines() -> None:
    towns = [
        {"name": name, "valid_from": START, "valid_until": until}
        for name, until in (("Dalstad", None), ("Bergstad", None), ("Opgegaan", date(2021, 1, 1)))
    ]
    lines = [line(1200, 1250), line(1210, 1220), line(1253, 1260), line(1261, 1270, until=date(2021, 1, 1))]
    assert routes.gaps(lines, towns, TODAY) == (["Bergstad"], [(1251, 1252)])
    assert routes.gaps([], [], TODAY) == ([], [])


spans = st.tuples(st.integers(1000, 1040), st.integers(0, 15)).map(lambda one: (one[0], one[0] + one[1]))


@given(st.lists(spans, min_size=1, max_size=8))
def test_every_postcode_between_is_in_a_line_or_in_a_gap_and_never_in_both(found: list[tuple[int, int]]) -> None:
    lines = [line(*span) for span in found]
    _, holes = routes.gaps(lines, [], TODAY)
    for code in range(min(first for first, _ in found), max(last for _, last in found) + 1):
        served = choose(lines, [at(str(code))], TODAY) is not None
        assert served != any(first <= code <= last for first, last in holes)


@given(st.lists(st.tuples(spans, st.sampled_from([NORTH, SOUTH])), min_size=2, max_size=6))
def test_lines_without_an_overlap_leave_no_choice(found: list[tuple[tuple[int, int], UUID]]) -> None:
    lines = [line(*span, team=team) for span, team in found]
    contradicted = routes.overlaps(lines, NAMES, TODAY)
    for code in range(1000, 1056):
        teams = {one["team_id"] for one in lines if one["postcode_from"] <= code <= one["postcode_to"]}
        inside = [
            one
            for one in contradicted
            if (ends := one.what.removeprefix("postcode ").split("-")) and int(ends[0]) <= code <= int(ends[1])
        ]
        assert (len(teams) > 1) == bool(inside)
