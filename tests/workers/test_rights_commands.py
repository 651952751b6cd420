"""`veilig rights`: replay after a restore, the register, what is due, and the legal form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from core import database
from core.database import Db
from radar.rights import destruction, register
from tests.radar.rights.people import AT, family, mention
from tests.web.conftest import World
from workers import work
from workers.cli import main


def veilig(*words: str) -> Result:
    return CliRunner().invoke(main, ["rights", *words], prog_name="veilig")


@pytest.fixture
def world(db: Db) -> World:
    return World(db, 1)


def closed_file(world: World) -> UUID:
    return family(world, datetime(2005, 3, 1, 9, tzinfo=UTC), state="closed")


@pytest.fixture(autouse=True)
def as_the_workers() -> Iterator[None]:
    """Jobs run under the role of the workers, who may not touch what is append-only."""
    database.act_as("worker")
    yield
    database.close_pools()
    database.act_as("owner")


def destroyed(db: Db, report: UUID) -> UUID:
    """As the jobs do it: both kinds are known to the workers."""
    return carried_out(db, destruction.propose_file(db, report, "retention", "Voorbij.", by="bram", at=AT))


def _father(db: Db, world: World) -> tuple[UUID, str, str]:
    return mention(db, family(world), 3), "retention", "De termijn is voorbij."


def carried_out(db: Db, order: UUID) -> UUID:
    destruction.confirm(db, order, by="gwen", at=AT)
    for kind in (destruction.JOB, destruction.NOTE_JOB):
        row = db.execute("SELECT id FROM job WHERE kind = %s AND subject_id = %s", (kind, order)).fetchone()
        assert row is not None, kind
        assert work.carry_out(row["id"])
    return order


def test_the_jobs_destroy_and_note_it_and_the_register_lists_it(db: Db, world: World) -> None:
    assert veilig("register").stdout == ""
    order = destroyed(db, closed_file(world))
    kept = destruction.propose(db, *_father(db, world), by="bram", at=AT)
    assert carried_out(db, kept) == kept, "one person, while others stay"
    listed = veilig("register")
    assert listed.exit_code == 0
    first, second = listed.stdout.strip().splitlines()
    assert first.startswith(f"{order}  ")
    assert first.endswith("done")
    assert second.startswith(f"{kept}  ")


def test_replay_says_what_came_back_and_destroys_it_again(db: Db, world: World) -> None:
    report = closed_file(world)
    assert (veilig("replay", "--check").exit_code, veilig("replay").stdout) == (
        0,
        "0 destructions were carried out again.\n",
    )
    # As after a restore: the register knows of it, this database does not.
    register.intend(register.Entry(UUID(int=1), world.region, report, "report", "retention", (), (report,), (), AT))
    register.confirm(UUID(int=1), AT)
    check = veilig("replay", "--check")
    assert (check.exit_code, check.stdout) == (1, "1 of 1 destructions came back.\n")
    assert db.execute("SELECT FROM mention WHERE destroyed_at IS NOT NULL").fetchone() is None
    done = veilig("replay")
    assert (done.exit_code, done.stdout) == (0, "1 destructions were carried out again.\n"), done.output
    assert veilig("replay", "--check").exit_code == 0
    row = db.execute("SELECT content FROM report WHERE id = %s", (report,)).fetchone()
    assert row == {"content": {}}


def test_a_register_that_was_changed_stops_everything_with_one_sentence(db: Db, world: World) -> None:
    destroyed(db, closed_file(world))
    path = register.file()
    path.write_text(path.read_text().replace("retention", "forwarded"))
    for command in ("register", "replay"):
        result = veilig(command)
        assert result.exit_code == 2
        assert "vernietigingsregister klopt niet" in result.stderr
        assert "Traceback" not in result.output


def test_what_is_due_is_counted_and_stays(db: Db, world: World) -> None:
    closed_file(world)
    result = veilig("due", "--days", "31")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("3 before ")
    assert "0 are held" in result.stdout
    assert db.execute("SELECT FROM destruction_order").fetchone() is None


def test_the_legal_form_is_set_per_region_and_an_unknown_one_is_refused(db: Db, world: World) -> None:
    result = veilig("legal-form", "--form", "stichting")
    assert result.exit_code == 0, result.output
    assert "verzoekschrift" in result.stdout
    assert db.execute("SELECT legal_form FROM region").fetchone() == {"legal_form": "stichting"}
    assert veilig("legal-form", "--form", "bv").exit_code == 2
