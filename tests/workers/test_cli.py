"""The command line: help for each command, and one sentence with an exit code for expected trouble."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import core.migrations
from core.errors import Conflict
from workers.cli import ELSEWHERE, Commands, main


def veilig(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="veilig")


def test_every_command_has_help() -> None:
    context = main.make_context("veilig", [], resilient_parsing=True)
    names = main.list_commands(context)
    assert {"run", "web", "worker", "clock", "migrate", *ELSEWHERE} == set(names)
    for name in names:
        shown = veilig(name, "--help")
        assert shown.exit_code == 0, shown.output
        assert f"Usage: veilig {name}" in shown.output
        command = main.get_command(context, name)
        assert command is not None
        assert command.help


def test_an_unknown_setting_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILIG_PROT", "8080")
    result = veilig("run")
    assert result.exit_code == 2
    assert result.stderr == "Unknown setting VEILIG_PROT: see docs/operations.md for the list.\n"
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["web", "worker", "clock", "migrate"])
def test_a_process_without_a_database_says_so(command: str) -> None:
    result = veilig(command)
    assert result.exit_code == 2
    assert result.stderr.startswith("No database: ")
    assert result.stderr.count("\n") == 1


def test_a_database_that_is_away_gets_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setenv("VEILIG_DATABASE_URL", f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x")
        result = veilig("migrate")
    assert result.exit_code == 1
    assert result.stderr.startswith("The database does not answer: ")
    assert result.stderr.count("\n") == 1


def test_a_data_folder_that_cannot_be_written_gets_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VEILIG_DATA", str(tmp_path / "file"))
    result = veilig("run")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert result.stderr.count("\n") == 1


def test_migrate_brings_a_database_to_the_newest_version_and_may_be_repeated(database_url: str) -> None:
    for _ in range(2):
        result = veilig("migrate")
        assert result.exit_code == 0, result.output
    with core.database.transaction() as db:
        assert core.migrations.current(db) == core.migrations.newest()


def test_our_errors_become_a_sentence_and_others_are_not_hidden() -> None:
    group = Commands("veilig")

    @group.command()
    def expected() -> None:
        raise Conflict

    @group.command()
    def unexpected() -> None:
        raise ZeroDivisionError

    result = CliRunner().invoke(group, ["expected"])
    assert (result.exit_code, result.stderr) == (1, f"{Conflict.__doc__}\n")
    assert isinstance(CliRunner().invoke(group, ["unexpected"]).exception, ZeroDivisionError)
