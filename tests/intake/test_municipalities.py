"""Municipalities: who serves which code today, through mergers; and what the public door may know of a region."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import psycopg
import pytest

from core.database import Db, now, transaction
from core.deadlines import local_day
from core.ids import uuid7
from intake import municipalities


@pytest.fixture
def region(db: Db) -> UUID:
    return new_region(db, 1)


def new_region(db: Db, number: int) -> UUID:
    region = uuid7()
    db.execute(
        "INSERT INTO region (id, name, oin, phone) VALUES (%s, %s, %s, '088 000 00 00')",
        (region, f"Veilig Thuis {number}", f"0000009900000020{number:04}"),
    )
    return region


def add(
    db: Db,
    region: UUID,
    code: str,
    name: str,
    since: date = date(2000, 1, 1),
    until: date | None = None,
    successor: str | None = None,
) -> None:
    db.execute(
        "INSERT INTO municipality (id, region_id, code, name, valid_from, valid_until, successor)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (uuid7(), region, code, name, since, until, successor),
    )


def today(db: Db) -> date:
    return local_day(now(db))


def test_the_choices_are_those_of_today_by_name(db: Db, region: UUID) -> None:
    day = today(db)
    add(db, region, "9903", "Merendijk")
    add(db, region, "9901", "Voorbeeldstad", until=day)
    add(db, region, "9904", "Zandmeer", until=day - timedelta(days=1), successor="9903")
    add(db, region, "9906", "Morgenland", since=day + timedelta(days=1))
    assert [(one.code, one.name, one.region) for one in municipalities.choices(db)] == [
        ("9903", "Merendijk", region),
        ("9901", "Voorbeeldstad", region),
    ]


def test_the_door_knows_the_municipalities_of_every_region_and_the_name_of_the_only_one(db: Db, region: UUID) -> None:
    with transaction("door") as door:
        assert municipalities.choices(door) == []
        assert municipalities.only_region(door) == municipalities.Region(region, "Veilig Thuis 1", "088 000 00 00")
    other = new_region(db, 2)
    add(db, region, "9901", "Voorbeeldstad")
    add(db, other, "9902", "Eikenwaard")
    with transaction("door") as door:
        assert {one.region for one in municipalities.choices(door)} == {region, other}
        assert municipalities.only_region(door) is None
        assert municipalities.region(door, other) == municipalities.Region(other, "Veilig Thuis 2", "088 000 00 00")


def test_the_door_changes_no_municipality(db: Db, region: UUID) -> None:
    add(db, region, "9901", "Voorbeeldstad")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), transaction("door") as door:
        door.execute("UPDATE municipality SET name = 'x'")


def test_a_merged_municipality_is_served_by_the_region_of_its_successor(db: Db, region: UUID) -> None:
    other, day = new_region(db, 2), today(db)
    add(db, region, "9904", "Zandmeer", until=day - timedelta(days=400), successor="9905")
    add(
        db,
        region,
        "9905",
        "Zandhoek",
        since=day - timedelta(days=399),
        until=day - timedelta(days=1),
        successor="9903",
    )
    add(db, other, "9903", "Merendijk", since=day)
    assert municipalities.region_of(db, "9904") == other
    assert municipalities.region_of(db, "9903") == other


@pytest.mark.parametrize("code", ["0000", "", "9903' OR true --", "99030"])
def test_an_unknown_code_is_of_no_region(db: Db, region: UUID, code: str) -> None:
    add(db, region, "9903", "Merendijk")
    assert municipalities.region_of(db, code) is None


def test_an_ended_municipality_without_successor_and_one_of_later_are_of_no_region(db: Db, region: UUID) -> None:
    day = today(db)
    add(db, region, "9901", "Voorbeeldstad", until=day - timedelta(days=1))
    add(db, region, "9902", "Eikenwaard", since=day + timedelta(days=1))
    assert municipalities.region_of(db, "9901") is None
    assert municipalities.region_of(db, "9902") is None


def test_a_ring_of_successors_ends(db: Db, region: UUID) -> None:
    day = today(db) - timedelta(days=1)
    add(db, region, "9901", "Heen", until=day, successor="9902")
    add(db, region, "9902", "Terug", until=day, successor="9901")
    assert municipalities.region_of(db, "9901") is None


def test_a_code_is_one_municipality_at_a_time_in_all_regions_together(db: Db, region: UUID) -> None:
    other = new_region(db, 2)
    add(db, region, "9901", "Voorbeeldstad", until=date(2020, 12, 31))
    with pytest.raises(psycopg.errors.UniqueViolation):
        add(db, other, "9901", "Voorbeeldstad", since=date(2020, 12, 31))
    add(db, other, "9901", "Voorbeeldstad", since=date(2021, 1, 1))
    assert municipalities.region_of(db, "9901") == other
