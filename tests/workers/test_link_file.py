"""`veilig link-file`: answers for every record, and in link mode a register that learns nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from core.database import Db
from core.secrets import forget_key
from core.settings import settings
from tests.radar.test_linking_bulk import Line, register_lines
from workers import link_file
from workers.cli import main
from workers.link_file import Run

CUT = "2021-06-15"
TABLES = ("person", "person_key", "membership", "household", "link", "task", "register_size")


@pytest.fixture(autouse=True)
def secret_key(monkeypatch: pytest.MonkeyPatch, clean_settings: None) -> Iterator[None]:
    """The key of the keyed hashes: the process that reads ahead has the same."""
    monkeypatch.setenv("VEILIG_SECRET_KEY", "invented-key-of-the-link-file-tests-01")
    settings.cache_clear()
    forget_key()
    yield
    forget_key()


def write(folder: Path, lines: list[Line], cut: str = CUT) -> Path:
    """A labelled folder in the format of the linkage data."""
    names = [name for name in lines[0] if name not in ("truth", "household")]
    with (folder / "records.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("record_id", "person_id", "household_id", "external"))
        rows.writerows((line["record_id"], line["truth"], line["household"], 0) for line in lines)
    (folder / "meta.json").write_text(json.dumps({"cut": cut}))
    return folder


@pytest.fixture
def lines() -> list[Line]:
    return register_lines(90, 21)


@pytest.fixture
def folder(tmp_path: Path, lines: list[Line]) -> Path:
    made = tmp_path / "labelled"
    made.mkdir()
    return write(made, lines)


@pytest.fixture
def on_this_database(db: Db, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Db:
    """The command makes its own server or database; here it takes that of the test, so that we can look into it."""
    monkeypatch.setattr(link_file, "_fresh_database", lambda: _Given(database_url))
    return db


class _Given:
    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> str:
        return self.url

    def __exit__(self, *_: object) -> None:
        pass


def run(folder: Path, mode: str, *words: str) -> tuple[Result, dict[str, tuple[str, str]], list[dict[str, str]]]:
    """The outcome, the predictions by record and the timings."""
    out, timings = folder / "predictions.csv", folder / "timings.csv"
    command = ("link-file", str(folder), "--mode", mode, "--out", str(out), "--timings", str(timings), *words)
    result = CliRunner().invoke(main, command, prog_name="veilig")
    if result.exit_code:
        return result, {}, []
    with out.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["record_id", "predicted_person_cluster", "predicted_household_cluster"]
    predicted = {record: (person, home) for record, person, home in rows}
    assert len(predicted) == len(rows), "a record is answered once"
    with timings.open(newline="") as file:
        return result, predicted, list(csv.DictReader(file))


def after_cut(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["report_ts"] >= CUT]


# ── link mode ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("on_this_database")
def test_every_record_after_the_cut_is_answered_with_the_names_of_the_truth(folder: Path, lines: list[Line]) -> None:
    result, predicted, timings = run(folder, "link")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    later = after_cut(lines)
    assert predicted.keys() == {line["record_id"] for line in later}
    assert 0 < len(later) < len(lines)
    known = {line["truth"] for line in lines if line["report_ts"] < CUT}
    clear = [line for line in later if line["truth"] in known and line.get("bsn") and line["geboortedatum"]]
    assert len(clear) > 10
    right = [line for line in clear if predicted[line["record_id"]] == (line["truth"], line["household"])]
    assert len(right) >= 0.8 * len(clear)
    # Whoever is nobody of the register has a name that the truth does not know.
    strangers = {person for person, _ in predicted.values()} - known
    assert not strangers & {line["truth"] for line in lines}
    assert [row["report_id"] for row in timings] == list(dict.fromkeys(line["report_id"] for line in later))
    for row in timings:
        assert 0 < float(row["read_and_score_ms"]) < float(row["durable_ms"])
    assert "with the durable write: p50" in result.stderr


def test_after_each_report_the_register_is_as_before(
    on_this_database: Db, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, real_time, real_forget = on_this_database, Run._time, Run._forget
    before: list[dict[str, Any]] = []
    during: list[dict[str, Any]] = []

    def watched_time(self: Run, *values: Any) -> Any:
        before.append(rows(db))
        found = real_time(self, *values)
        during.append(rows(db))
        return found

    def watched_forget(self: Run, *values: Any) -> None:
        real_forget(self, *values)
        after = rows(db)
        for table in TABLES:
            assert after[table] == before[-1][table], table

    monkeypatch.setattr(Run, "_time", watched_time)
    monkeypatch.setattr(Run, "_forget", watched_forget)
    result, predicted, _ = run(folder, "link")
    assert result.exit_code == 0, result.exception
    assert predicted
    assert all(one != other for one, other in zip(before, during, strict=True)), "each report was written for real"


def rows(db: Db) -> dict[str, list[str]]:
    found = {}
    for table in TABLES:
        selected = db.execute(f"SELECT to_jsonb(t)::text AS row FROM {table} t ORDER BY 1")
        found[table] = [row["row"] for row in selected]
    return found


@pytest.mark.usefixtures("on_this_database")
def test_a_report_that_comes_twice_gets_the_same_answer_twice(tmp_path: Path, lines: list[Line]) -> None:
    later = after_cut(lines)
    again = [line | {"report_id": f"{line['report_id']}-again", "record_id": f"{line['record_id']}-again"}
             for line in later]  # fmt: skip
    _, predicted, _ = run(write(tmp_path, [*lines, *again]), "link")
    known = {line["truth"] for line in lines} | {line["household"] for line in lines}
    for line in [line for line in later if line["role"] != "413"]:
        both = zip(predicted[line["record_id"]], predicted[f"{line['record_id']}-again"], strict=True)
        for first, second in both:
            # Somebody new, or a new household, is not remembered: it has another name each time.
            assert (first == second) == (first in known)
            assert (first in known) == (second in known)


@pytest.mark.usefixtures("on_this_database")
@pytest.mark.parametrize("mode", ["link", "stream"])
def test_people_outside_the_family_are_nobody_and_not_one_another(folder: Path, lines: list[Line], mode: str) -> None:
    _, predicted, _ = run(folder, mode)
    teachers = [line["record_id"] for line in lines if line["role"] == "413" and line["record_id"] in predicted]
    assert len(teachers) > 1
    assert len({predicted[record][0] for record in teachers}) == len(teachers)


@pytest.mark.usefixtures("on_this_database")
@pytest.mark.parametrize("words", [(), ("--automatic",)])
def test_a_question_counts_as_its_person_unless_only_links_are_asked_for(
    folder: Path, lines: list[Line], words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool]] = []
    real = Run._predict

    def watched(self: Run, result: Any, own: list[Line], name: Any) -> None:
        asked.extend(
            (line["record_id"], one.proposed_person is not None)
            for line, one in zip(own, result.decisions, strict=True)
        )
        real(self, result, own, name)

    monkeypatch.setattr(Run, "_predict", watched)
    _, predicted, _ = run(folder, "link", *words)
    known = {line["truth"] for line in lines}
    questions = [record for record, is_asked in asked if is_asked]
    assert questions
    assert {predicted[record][0] in known for record in questions} == {not words}


# ── stream mode ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("on_this_database")
def test_a_stream_answers_every_record_with_its_own_names(folder: Path, lines: list[Line]) -> None:
    result, predicted, timings = run(folder, "stream")
    assert result.exit_code == 0, result.output
    assert predicted.keys() == {line["record_id"] for line in lines}
    assert len(timings) == len({line["report_id"] for line in lines})
    by_bsn: dict[str, list[str]] = {}
    for line in lines:
        if line.get("bsn") and line["geboortedatum"] and line["voornamen"][1:]:
            by_bsn.setdefault(line["bsn"], []).append(predicted[line["record_id"]][0])
    several = [found for found in by_bsn.values() if len(found) > 2]
    assert len(several) > 10
    assert sum(len(set(found)) == 1 for found in several) >= 0.8 * len(several)


@pytest.mark.usefixtures("on_this_database")
def test_a_stream_needs_no_truth_and_no_cut(folder: Path, lines: list[Line]) -> None:
    (folder / "truth.csv").unlink()
    (folder / "meta.json").unlink()
    result, predicted, _ = run(folder, "stream")
    assert (result.exit_code, len(predicted)) == (0, len(lines))


# ── a database for the occasion ─────────────────────────────────────────────────────────────────────────────


def test_without_a_server_it_starts_one_of_its_own_and_takes_it_away(folder: Path, lines: list[Line]) -> None:
    result, predicted, _ = run(folder, "link")
    assert result.exit_code == 0, result.output
    assert len(predicted) == len(after_cut(lines))


def test_on_a_server_it_makes_a_database_and_takes_it_away(
    postgres: Any, database_url: str, db: Db, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILIG_DATABASE_URL", postgres.admin_url)
    settings.cache_clear()
    result, predicted, _ = run(folder, "link")
    assert result.exit_code == 0, result.output
    assert predicted
    left = db.execute("SELECT datname FROM pg_database WHERE datname LIKE 'link_file%%'").fetchall()
    assert left == []
    assert db.execute("SELECT count(*) AS n FROM report").fetchone() == {"n": 0}


# ── what is wrong is a sentence ─────────────────────────────────────────────────────────────────────────────

Harm = Callable[[Path], object]


def _truth(folder: Path, content: bytes) -> None:
    (folder / "truth.csv").write_bytes(b"record_id,person_id,household_id\n" + content)


@pytest.mark.usefixtures("on_this_database")
@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda folder: (folder / "truth.csv").unlink(), "truth.csv"),
        (lambda folder: (folder / "meta.json").unlink(), "meta.json"),
        (lambda folder: (folder / "records.csv").unlink(), "records.csv"),
        (lambda folder: (folder / "meta.json").write_text("{}"), "meta.json"),
        (lambda folder: (folder / "meta.json").write_text("geen json"), "meta.json"),
        (lambda folder: (folder / "truth.csv").write_text("record_id,person_id\n0,P1\n"), "truth.csv"),
        (lambda folder: _truth(folder, b"0,P1,H1\n"), "truth.csv"),
        (lambda folder: _truth(folder, b"\xff,P,H\n"), "truth"),
        (lambda folder: (folder / "records.csv").write_text("report_id,report_ts,geslachtsnaam\n1,gisteren,X\n"),
         "regel 2, kolom report_ts"),
        (lambda folder: (folder / "records.csv").write_text("report_id,report_ts,geslachtsnaam\n1,2021-01-01,X\n"),
         "record_id"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_one_sentence(folder: Path, harm: Harm, named: str) -> None:
    harm(folder)
    result, _, _ = run(folder, "link")
    assert result.exit_code == 1
    assert named in result.stderr, repr(result.exception)
    assert "Traceback" not in result.output
    assert not (folder / "predictions.csv").exists()


def test_a_mode_and_a_folder_are_asked_for(tmp_path: Path) -> None:
    for words in (("link-file",), ("link-file", str(tmp_path / "weg"), "--mode", "link", "--out", "x")):
        assert CliRunner().invoke(main, words).exit_code == 2
