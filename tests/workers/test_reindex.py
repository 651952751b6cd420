"""`veilig reindex`: what is derived of the register is made again, whole, and nothing else moves."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from core.database import Db
from core.ids import uuid7
from radar.linking.rules import load
from radar.quality.activation import key_obstacle
from radar.quality.rulesets import RuleSet, in_force
from tests.radar.test_hard_cases import Region
from workers import reindex
from workers.cli import main

JAN = {"given": "Jan", "surname": "Voorbeeld", "birth": "1980-03-05", "sex": "M", "at": "home"}
ANNE = {"given": "Anne", "surname": "Voorbeeld", "birth": "2015-06-02", "sex": "V", "at": "home", "role": "child"}
OTHER = {"given": "Bo", "surname": "Anders", "birth": "1955-02-17", "sex": "M", "at": "elsewhere"}


@pytest.fixture
def region(db: Db) -> Region:
    made = Region(db, load())
    for persons in ([JAN, ANNE], [OTHER], [JAN]):
        made.arrive(persons)
    return made


def register(db: Db) -> dict[str, list[str]]:
    queries = {
        "person": "SELECT t::text AS line FROM person t ORDER BY 1",
        "key": "SELECT t::text AS line FROM person_key t ORDER BY 1",
        "link": "SELECT t::text AS line FROM link t ORDER BY 1",
    }
    return {name: [row["line"] for row in db.execute(query)] for name, query in queries.items()}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["reindex", *arguments])


def test_profiles_and_keys_that_were_lost_come_back_as_they_were(db: Db, region: Region) -> None:
    before = register(db)
    db.execute("UPDATE person SET profile = NULL")
    db.execute("DELETE FROM person_key WHERE key > 0")
    result = run()
    assert result.exit_code == 0, result.output
    assert register(db) == before
    assert region.arrive([JAN]).decisions[0].state == "automatic"


def test_keys_of_other_rules_go_and_other_regions_keep_theirs(db: Db, region: Region) -> None:
    neighbour = Region(db, load())
    neighbour.arrive([JAN])
    before = register(db)
    person = db.execute("SELECT id FROM person WHERE region_id = %s LIMIT 1", (region.id,)).fetchone()
    assert person is not None
    db.execute("INSERT INTO person_key (key, person_id, region_id) VALUES (1, %s, %s)", (person["id"], region.id))
    assert run("--region", str(region.id)).exit_code == 0
    assert register(db) == before


def test_it_is_audited_and_the_register_is_counted(db: Db, region: Region) -> None:
    run()
    row = db.execute("SELECT details FROM audit_entry WHERE action = 'register.reindex'").fetchone()
    assert row is not None
    assert row["details"]["persons"] == 3
    assert db.execute("SELECT persons FROM register_size WHERE region_id = %s", (region.id,)).fetchone() == {
        "persons": 3
    }


def test_it_is_refused_while_a_worker_is_at_work(db: Db, region: Region) -> None:
    db.execute("INSERT INTO heartbeat (process, kind) VALUES (%s, 'worker')", (uuid7(),))
    before = register(db)
    result = run()
    assert result.exit_code == 1
    assert "Stop them first" in result.output
    assert register(db) == before


def test_an_upgrade_finds_the_regions_that_have_no_profiles_yet(db: Db, region: Region) -> None:
    assert reindex.needed(db) == []
    db.execute("UPDATE person SET profile = NULL WHERE region_id = %s", (region.id,))
    assert reindex.needed(db) == [region.id]
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    assert reindex.needed(db) == []


def test_rules_that_read_names_otherwise_may_be_used_once_the_register_was_read_with_them(
    db: Db, region: Region
) -> None:
    current = in_force(db, region.id)
    other = load().model_copy(update={"version": "proef", "articles": ("al",)})
    db.execute(
        "INSERT INTO rule_set (id, region_id, version, document, added_at, added_by) "
        "VALUES (%s, %s, 'proef', %s::jsonb, now(), 'test')",
        (uuid7(), region.id, other.model_dump_json()),
    )
    row = db.execute("SELECT id FROM rule_set").fetchone()
    assert row is not None
    wanted = RuleSet("proef", row["id"])
    assert "reindex --rules proef" in (key_obstacle(db, region.id, wanted, current) or "")
    result = run("--rules", "proef")
    assert result.exit_code == 0, result.output
    assert key_obstacle(db, region.id, wanted, current) is None


def test_worker_beats_of_long_ago_do_not_count(db: Db, region: Region) -> None:
    db.execute(
        "INSERT INTO heartbeat (process, kind, seen_at) VALUES (%s, 'worker', now() - interval '1 minute')",
        (uuid7(),),
    )
    assert run().exit_code == 0
