"""`veilig sender try`: the test set and a supplier's own files, on trial; the database keeps nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.database import Db
from core.ids import uuid7
from intake import examples, senders
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_json
from workers.cli import main


@pytest.fixture
def police(db: Db) -> None:
    region = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Regio A', %s)", (region, VEILIG_THUIS_OIN))
    with db.transaction():
        senders.add(db, region, POLICE_OIN, "Politie", "politie")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sender", "try", *arguments])


def test_the_whole_set_gives_what_it_must_and_nothing_is_stored(police: None, db: Db) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == len(examples.examples())
    assert all(line.startswith("ok ") for line in lines)
    assert db.execute("SELECT FROM message").fetchall() == []


def test_another_answer_than_promised_is_exit_code_1(police: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a region that changed its rules would see: the right message is no longer taken.
    monkeypatch.setitem(examples.SCHOOL, "betrokkenen", [])
    result = run()
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if "school.json" in line]
    assert line.startswith("ANDERS")
    assert "$.betrokkenen" in line


def test_own_files_get_their_verdict(police: None, db: Db, tmp_path: Path) -> None:
    good, bad = tmp_path / "goed.json", tmp_path / "fout.json"
    good.write_text(json.dumps(sample_json()))
    bad.write_text("{}")
    result = run(str(good), str(bad))
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert "goed.json" in first
    assert "202 melding" in first
    assert "400 geweigerd" in second
    assert "$.bericht" in second
    assert db.execute("SELECT FROM message").fetchall() == []


def test_the_set_is_written_to_a_folder(police: None, tmp_path: Path) -> None:
    assert run("--folder", str(tmp_path / "set")).exit_code == 0
    assert {file.name: file.read_bytes() for file in (tmp_path / "set").iterdir()} == {
        one.file: one.body for one in examples.examples(POLICE_OIN, VEILIG_THUIS_OIN)
    }


def test_an_operator_sets_and_takes_away_where_callbacks_go(police: None, db: Db) -> None:
    asked = ["sender", "webhook", "--oin", POLICE_OIN, "--url"]
    set_ = CliRunner().invoke(main, [*asked, "https://politie.example/seintje"])
    assert set_.exit_code == 0
    assert set_.stdout.startswith("whsec_")
    row = db.execute("SELECT webhook_url FROM sender WHERE oin = %s AND NOT own", (POLICE_OIN,)).fetchone()
    assert row == {"webhook_url": "https://politie.example/seintje"}
    wrong = CliRunner().invoke(main, [*asked, "http://politie.example/"])
    assert wrong.exit_code == 1
    assert "https://" in wrong.stderr
    assert CliRunner().invoke(main, [*asked, ""]).exit_code == 0
    assert db.execute("SELECT FROM sender WHERE webhook_url IS NOT NULL").fetchall() == []
