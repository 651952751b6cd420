"""`veilig team phone`: where colleagues reach a team."""

from __future__ import annotations

from click.testing import CliRunner

from core.database import Db
from tests.radar.arrivals import found_region
from workers.cli import main


def test_a_team_gets_its_phone_number_on_record(db: Db) -> None:
    found_region(db)
    done = CliRunner().invoke(main, ["team", "phone", "Team Noord", "088 123 00 00"])
    assert (done.exit_code, done.output) == (0, "Team Noord: 088 123 00 00\n")
    assert db.execute("SELECT phone FROM team WHERE name = 'Team Noord'").fetchone() == {"phone": "088 123 00 00"}
    assert db.execute("SELECT action FROM audit_entry WHERE action = 'team.phone'").fetchone()


def test_a_team_that_is_not_there_is_a_sentence(db: Db) -> None:
    found_region(db)
    done = CliRunner().invoke(main, ["team", "phone", "Team Weg", "088 123 00 00"])
    assert done.exit_code != 0
    assert "There is no team Team Weg in this region." in done.output
