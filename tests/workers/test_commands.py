"""The operator's commands on a real database; stdout is the answer and nothing else."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.database import Db
from core.ids import uuid7
from intake.corv.write import write_report
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report
from workers.cli import main

OTHER_OIN = "00000099000000003000"


def veilig(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="veilig")


@pytest.fixture
def region(db: Db) -> Db:
    """A database with one region and one sender."""
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldstreek', %s)", (uuid7(), VEILIG_THUIS_OIN))
    made = veilig("sender", "add", "--oin", POLICE_OIN, "--name", "Politie", "--kind", "politie")
    assert made.exit_code == 0, made.stderr
    assert len(made.stdout.strip()) >= 43
    return db


def rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(result.stdout.splitlines()))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Three saved messages: a good one, one in another's name, one that is broken."""
    good = write_report(sample_report({"melding": {"kenmerk": "kenmerk-1"}}))
    (tmp_path / "a.xml").write_bytes(good)
    (tmp_path / "b.xml").write_bytes(good.replace(POLICE_OIN.encode(), OTHER_OIN.encode()))
    (tmp_path / "c.xml").write_bytes(good[:400])
    return tmp_path


def test_an_import_gives_a_line_per_file_and_is_safe_to_repeat(region: Db, saved: Path) -> None:
    first, second = veilig("import", "corv", str(saved)), veilig("import", "corv", str(saved))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert [row["outcome"] for row in rows(first)] == ["report", "refused", "quarantine"]
    assert [row["code"] for row in rows(first)] == ["", "VT-E052", "VT-E055"]
    assert [row["again"] for row in rows(second)] == ["yes", "no", "yes"]
    assert region.execute("SELECT count(*) AS n FROM message").fetchone() == {"n": 2}


def test_show_finds_a_report_by_each_of_its_names(region: Db, saved: Path) -> None:
    veilig("import", "corv", str(saved))
    row = region.execute("SELECT r.id, m.reference FROM report r JOIN message m ON m.id = r.message_id").fetchone()
    assert row is not None
    for name in (str(row["id"]), row["reference"], "kenmerk-1"):
        shown = json.loads(veilig("show", "melding", name, "--json").stdout)
        assert shown["report"]["id"] == str(row["id"])
        assert shown["deadline"]["ledger"][0]["reason"] == "ontvangst"
        assert [job["kind"] for job in shown["jobs"]] == ["link_report"]
    seen = region.execute("SELECT count(*) AS n FROM audit_entry WHERE action = 'report.show'").fetchone()
    assert seen == {"n": 3}
    assert veilig("show", "melding", "nobody").exit_code == 1


def test_verify_is_clean_and_then_tells_a_breach(region: Db, saved: Path) -> None:
    veilig("import", "corv", str(saved))
    assert veilig("verify").exit_code == 0
    region.execute("DELETE FROM task WHERE kind = 'quarantine'")
    broken = veilig("verify")
    assert broken.exit_code == 1
    assert "BREACH  rule  2" in broken.stdout


def test_a_sender_is_rotated_revoked_and_listed(region: Db) -> None:
    assert veilig("sender", "rotate", "--oin", POLICE_OIN).exit_code == 0
    assert "2 token(s)" in veilig("sender", "list").stdout
    assert veilig("sender", "revoke", "--oin", POLICE_OIN).exit_code == 0
    assert "revoked" in veilig("sender", "list").stdout
    assert veilig("sender", "rotate", "--oin", POLICE_OIN).exit_code == 1
    assert veilig("sender", "add", "--oin", "1", "--name", "x", "--kind", "halt").exit_code == 1
