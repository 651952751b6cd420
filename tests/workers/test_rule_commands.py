"""`veilig rules`: the same checks as the screens, and the rehearsal carried out by the command itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.database import Db
from core.ids import uuid7
from radar.linking.rules import FOLDER, load
from radar.quality import rehearsal, rulesets
from radar.quality.policy import policy
from workers.cli import main


def veilig(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="veilig")


@pytest.fixture
def region(db: Db, monkeypatch: pytest.MonkeyPatch) -> Db:
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldstreek', %s)", (uuid7(), "0" * 20))
    real = policy()
    small = real.model_copy(update={"rehearsal": real.rehearsal.model_copy(update={"least": 1})})
    monkeypatch.setattr(rehearsal, "policy", lambda: small)
    return db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A rule set like the shipped one, under another name."""
    document = json.loads((FOLDER / f"{load().version}.json").read_text("utf-8"))
    document |= {"version": "proef-1", "source": "Een proef."}
    path = tmp_path / "proef-1.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_a_rule_set_is_added_rehearsed_activated_and_listed(region: Db, file: Path) -> None:
    added = veilig("rules", "add", str(file))
    assert (added.exit_code, added.stdout) == (0, "proef-1\n")
    early = veilig("rules", "activate", "proef-1", "--reason", "Zo.")
    assert early.exit_code == 1
    assert "nog niet proefgedraaid" in early.stderr
    rehearsed = veilig("rules", "rehearse", "proef-1")
    assert rehearsed.exit_code == 0, rehearsed.stderr
    assert "0 reports, 0 mentions, 0 the same" in rehearsed.stdout
    done = veilig("rules", "activate", "proef-1", "--reason", "Zo.")
    assert (done.exit_code, done.stdout) == (0, "proef-1 is in force.\n")
    listed = veilig("rules", "list").stdout
    assert "* proef-1" in listed
    assert f"  {load().version}" in listed
    assert "finished" in listed
    row = region.execute("SELECT id FROM region").fetchone()
    assert row
    assert rulesets.in_force(region, row["id"]).version == "proef-1"
    actors = region.execute("SELECT DISTINCT actor FROM audit_entry WHERE action LIKE 'rules.%%'").fetchall()
    assert actors == [{"actor": "operator"}]


def test_the_command_carries_out_the_parts_itself(region: Db, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    veilig("rules", "add", str(file))
    row = region.execute("SELECT id FROM region").fetchone()
    assert row
    # Reports that are gone since: nothing to weigh, but parts to carry out.
    monkeypatch.setattr(rehearsal.rows, "newest_reports", lambda *_: [[uuid7(), uuid7()], [uuid7()]])
    result = veilig("rules", "rehearse", "proef-1", "--reports", "3")
    assert result.exit_code == 0, result.stderr
    assert "0 reports, 0 mentions" in result.stdout
    states = region.execute("SELECT state, attempts FROM job WHERE kind = 'rehearse_rules'").fetchall()
    assert states == [{"state": "done", "attempts": 1}] * 2


def test_what_is_wrong_is_one_sentence(region: Db, file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(file.read_text("utf-8").replace('"margin"', '"marge"'), "utf-8")
    latin = tmp_path / "latin.json"
    latin.write_bytes(b"\xff\xfe")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (5 * 1024 * 1024 + 1))
    for words, code, said in (
        (("add", str(broken)), 1, "bij limits.margin: dit veld ontbreekt"),
        (("add", str(latin)), 2, "no UTF-8"),
        (("add", str(large)), 2, "larger than"),
        (("add", str(tmp_path / "none.json")), 2, "does not exist"),
        (("rehearse", "weg"), 1, "bestaat niet"),
        (("rehearse", load().version), 1, "al in gebruik"),
        (("activate", "weg", "--reason", "Zo."), 1, "bestaat niet"),
        (("activate", load().version), 2, "Missing option '--reason'"),
    ):
        result = veilig("rules", *words)
        assert (result.exit_code, said in result.stderr) == (code, True), (words, result.stderr)
    assert region.execute("SELECT count(*) AS n FROM rule_set").fetchone() == {"n": 0}


def test_a_migration_is_refused_while_rules_in_force_cannot_be_read(
    region: Db, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    veilig("rules", "add", str(file))
    veilig("rules", "rehearse", "proef-1")
    assert veilig("rules", "activate", "proef-1", "--reason", "Zo.").exit_code == 0
    assert veilig("migrate").exit_code == 0
    # What a new version does that asks for more: the stored document lacks it.
    monkeypatch.setattr(rulesets, "_remembered", {})
    monkeypatch.setattr(
        rulesets.rows, "stored_document", lambda *_: json.loads(file.read_text("utf-8")) | {"limits": {}}
    )
    refused = veilig("migrate")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Region Voorbeeldstreek: this version cannot read the rules in force, proef-1.")
    assert "limits.automatic: dit veld ontbreekt" in refused.stderr
    assert load().version in refused.stderr
    assert refused.stdout == ""
