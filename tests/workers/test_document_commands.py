"""`veilig documents`: the same checks as the screens, and a second person for the same reasons."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.database import Db
from core.ids import uuid7
from radar.documents import ALL
from radar.search.policy import FILE
from workers.cli import main


def veilig(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="veilig")


@pytest.fixture
def region(db: Db) -> Db:
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldstreek', %s)", (uuid7(), "0" * 20))
    return db


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "search.toml"
    path.write_text(FILE.read_text("utf-8").replace("shown = 10", "shown = 8"), "utf-8")
    return path


def bring(file: Path) -> Result:
    return veilig("documents", "import", "search", str(file), "--note", "Minder op het scherm", "--by", "anna")


def test_every_kind_is_listed_with_the_version_in_force(region: Db) -> None:
    listed = veilig("documents", "list")
    assert listed.exit_code == 0, listed.stderr
    assert {line.split()[0] for line in listed.stdout.splitlines()} == set(ALL)


def test_a_file_is_brought_in_tried_activated_and_taken_back(region: Db, own: Path) -> None:
    made = bring(own)
    assert (made.exit_code, made.stdout) == (0, "1\n"), made.stderr
    tried = veilig("documents", "activate", "search", "1", "--reason", "Akkoord", "--dry-run")
    assert tried.exit_code == 0
    assert "* file" in veilig("documents", "list", "search").stdout
    done = veilig("documents", "activate", "search", "1", "--reason", "Akkoord")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith("search 1 is in force.\n")
    assert "* 1" in veilig("documents", "list", "search").stdout
    assert "shown = 8" in veilig("documents", "export", "search").stdout
    assert veilig("documents", "export", "search", "file").stdout == FILE.read_text("utf-8")
    back = veilig("documents", "activate", "search", "file", "--reason", "Toch niet")
    assert back.exit_code == 0, back.stderr
    assert veilig("documents", "export", "search").stdout == FILE.read_text("utf-8")
    rows = region.execute(
        "SELECT action, actor FROM audit_entry WHERE action LIKE 'documents.%%' ORDER BY at"
    ).fetchall()
    assert [(row["action"], row["actor"]) for row in rows] == [
        ("documents.add", "anna"),
        ("documents.activate", "operator"),
        ("documents.activate", "operator"),
    ]


def test_who_made_it_does_not_activate_it(region: Db, own: Path) -> None:
    bring(own)
    refused = veilig("documents", "activate", "search", "1", "--reason", "Akkoord", "--by", "anna")
    assert refused.exit_code == 1
    assert "zelf gemaakt" in refused.stderr


def test_what_does_not_fit_is_refused_with_its_line(region: Db, own: Path) -> None:
    own.write_text(own.read_text("utf-8").replace("shown = 8", "shown = 80"), "utf-8")
    refused = bring(own)
    assert refused.exit_code == 1
    assert "shown: maak het hoogstens 25" in refused.stderr
    assert veilig("documents", "list", "search").stdout == "* file\n"


@pytest.mark.parametrize("words", [("export", "weather"), ("export", "search", "7"), ("export", "search", "x")])
def test_what_is_not_there_is_said(region: Db, words: tuple[str, ...]) -> None:
    refused = veilig("documents", *words)
    assert refused.exit_code in (1, 2)
    assert refused.stdout == ""
