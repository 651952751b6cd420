"""`veilig import register`: ten old years in, once, whole, and part of one register with what comes in live."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner, Result

from core import jobs
from core.database import Db, connection_options
from core.ids import uuid7
from core.secrets import forget_key
from core.settings import settings
from intake import senders
from intake.corv import door
from intake.corv.write import write_report
from intake.sample import POLICE_OIN, VEILIG_THUIS_OIN, sample_report
from radar.linking.bulk import link_chunk
from radar.linking.rules import load
from tests.radar.test_hard_cases import Region
from tests.radar.test_linking_bulk import one_by_one, picture, register_lines, same
from workers import import_register, work
from workers.cli import main
from workers.register_file import Line, reports
from workers.verify import verify

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MOTHER: Line = {
    "role": "slachtoffer", "voornamen": "Noor", "voorvoegsel": "van den", "geslachtsnaam": "Voorbeeld",
    "geslacht": "V", "geboortedatum": "1986-04-12", "bsn": "999993653", "straat": "Voorbeeldstraat",
    "huisnummer": "1", "postcode": "1234AB", "woonplaats": "Voorbeeldstad",
}  # fmt: skip
"""The mother of intake.sample, as an old register has her."""


@pytest.fixture(autouse=True)
def secret_key(monkeypatch: pytest.MonkeyPatch, clean_settings: None) -> Iterator[None]:
    """The key of the keyed hashes: the process that reads ahead has the same."""
    monkeypatch.setenv("VEILIG_SECRET_KEY", "invented-key-of-the-import-tests-0001")
    settings.cache_clear()
    forget_key()
    yield
    forget_key()


@pytest.fixture
def region(db: Db) -> UUID:
    """A region with the police as a sender."""
    region = uuid7()
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeldstreek', %s)", (region, VEILIG_THUIS_OIN))
    senders.add(db, region, POLICE_OIN, "Politie", "politie")
    return region


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_register, "CHUNK", 7)


def write(path: Path, lines: list[Line]) -> Path:
    names = dict.fromkeys(name for line in lines for name in line if name not in ("truth", "household"))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(names), restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A hundred reports."""
    return write(tmp_path / "oud.csv", register_lines(100, 11))


def load_file(path: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ("import", "register", str(path), *words), prog_name="veilig")


def number(db: Db, query: str, *values: object) -> int:
    row = db.execute(query, values).fetchone()
    assert row
    return int(row["n"])


def breaches(db: Db) -> list[str]:
    return [finding.text for finding in verify(db) if finding.breaches]


def view(db: Db, region: UUID) -> Region:
    """The region as the picture of it is made; it exists already."""
    found = object.__new__(Region)
    found.db, found.id = db, region
    return found


# ── once and whole ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("small_chunks")
def test_a_register_is_loaded_and_every_rule_still_holds(db: Db, region: UUID, file: Path) -> None:
    result = load_file(file, "--region", "Voorbeeldstreek")
    assert (result.exit_code, result.stdout) == (
        0,
        "100 of 100 reports are new in the register; 0 were there already.\n",
    ), result.output
    assert breaches(db) == []
    assert number(db, "SELECT count(*) AS n FROM report WHERE linked_at = received_at") == 100
    assert number(db, "SELECT count(*) AS n FROM link WHERE state = 'proposed'") > 0
    assert number(db, "SELECT count(*) AS n FROM job") + number(db, "SELECT count(*) AS n FROM deadline") == 0
    persons = number(db, "SELECT count(*) AS n FROM person")
    assert number(db, "SELECT persons AS n FROM register_size WHERE region_id = %s", region) == persons
    audit = db.execute("SELECT details FROM audit_entry WHERE action = 'register.import'").fetchall()
    assert sum(row["details"]["reports"] for row in audit) == 100
    assert sum(row["details"]["mentions"] for row in audit) == number(db, "SELECT count(*) AS n FROM mention")


@pytest.mark.usefixtures("small_chunks")
def test_a_second_time_changes_nothing(db: Db, region: UUID, file: Path) -> None:
    load_file(file)
    before = picture(view(db, region))
    tables = {table: number(db, f"SELECT count(*) AS n FROM {table}") for table in ("message", "link", "person_key")}
    result = load_file(file)
    assert result.stdout == "0 of 100 reports are new in the register; 100 were there already.\n"
    assert picture(view(db, region)) == before
    for table, count in tables.items():
        assert number(db, f"SELECT count(*) AS n FROM {table}") == count
    assert breaches(db) == []


@pytest.mark.usefixtures("small_chunks")
def test_the_outcome_is_that_of_one_by_one(db: Db, region: UUID, file: Path) -> None:
    load_file(file)
    other = Region(db, load())
    one_by_one(other, [one for one, _ in reports(file)], load())
    found, expected = picture(view(db, region)), picture(other)
    # Keys are hashed with the region; how many there are is the same.
    for one in (found, expected):
        one["keys"] = {person: len(keys) for person, keys in one["keys"].items()}
    same(found, expected)


@pytest.mark.usefixtures("small_chunks")
def test_what_was_added_to_the_file_is_added_to_the_register(db: Db, region: UUID, tmp_path: Path) -> None:
    lines = register_lines(60, 12)
    first = [line for line in lines if int(line["report_id"].removeprefix("oud-")) < 40]
    load_file(write(tmp_path / "eerst.csv", first))
    result = load_file(write(tmp_path / "alles.csv", lines))
    assert result.stdout == "20 of 60 reports are new in the register; 40 were there already.\n"
    assert number(db, "SELECT count(DISTINCT reference) AS n FROM message") == 60


# ── broken off ──────────────────────────────────────────────────────────────────────────────────────────────

IN_CHUNKS_OF_TWO = """
import sys
from workers import import_register
from workers.cli import main
import_register.CHUNK = 2
if __name__ == "__main__":
    main(["import", "register", sys.argv[1]])
"""


@pytest.fixture
def command(tmp_path: Path, file: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the real command in a process of its own, two reports per transaction."""
    script = tmp_path / "in_chunks_of_two.py"
    script.write_text(IN_CHUNKS_OF_TWO)
    started: list[subprocess.Popen[bytes]] = []

    def start(**more: Any) -> subprocess.Popen[bytes]:
        root = str(Path(import_register.__file__).parents[1])
        paths = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen([sys.executable, script, file], env={**os.environ, "PYTHONPATH": paths}, **more)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.002)


def children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_in_the_middle_and_started_again_it_is_whole(
    db: Db, region: UUID, file: Path, command: Callable[..., subprocess.Popen[bytes]]
) -> None:
    process = command(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: number(db, "SELECT count(*) AS n FROM report") >= 10)
    helpers = children(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = number(db, "SELECT count(*) AS n FROM report")
    assert 10 <= done < 100
    assert breaches(db) == []
    assert helpers
    until(lambda: not any(is_running(one) for one in helpers))
    result = load_file(file)
    # The server may have committed one more chunk while its client died.
    assert re.fullmatch(r"\d+ of 100 reports are new in the register; \d+ were there already\.\n", result.stdout)
    assert number(db, "SELECT count(DISTINCT reference) AS n FROM message") == 100
    assert number(db, "SELECT count(*) AS n FROM report") == 100
    assert breaches(db) == []
    whole = Region(db, load())
    list(import_register.load_all(db, whole.id, (one for one, _ in reports(file))))
    found, expected = picture(view(db, region)), picture(whole)
    for one in (found, expected):
        one["keys"] = {person: len(keys) for person, keys in one["keys"].items()}
    same(found, expected)


@pytest.mark.usefixtures("small_chunks")
def test_a_chunk_that_fails_leaves_the_chunks_before_it(
    db: Db, region: UUID, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = link_chunk, iter(range(100))

    def fails_the_fourth_time(*values: Any) -> int:
        if next(calls) == 3:
            raise psycopg.OperationalError("server closed the connection")
        return real(*values)

    monkeypatch.setattr(import_register, "link_chunk", fails_the_fourth_time)
    broken = load_file(file)
    assert broken.exit_code == 1
    assert "The database does not answer: server closed the connection" in broken.stderr
    assert "Traceback" not in broken.output
    assert number(db, "SELECT count(*) AS n FROM report") == 21
    assert load_file(file).stdout == "79 of 100 reports are new in the register; 21 were there already.\n"
    assert breaches(db) == []


@pytest.mark.skipif(sys.platform != "linux", reason="opens a terminal")
def test_the_bar_reaches_the_end_and_stands_on_stderr(
    db: Db, region: UUID, command: Callable[..., subprocess.Popen[bytes]]
) -> None:
    ours, theirs = os.openpty()
    process = command(stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    # A terminal that was closed at the other side ends with an error, on Linux.
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:
        assert process.wait(30) == 0
    os.close(ours)
    told, _ = process.communicate()
    assert told == b"100 of 100 reports are new in the register; 0 were there already.\n"
    assert b"Reports" in shown
    assert b"100%" in shown


@pytest.mark.parametrize("already", [0, 21])
def test_progress_adds_up_to_the_total(
    db: Db, region: UUID, file: Path, already: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_register, "CHUNK", 8)
    source = [one for one, _ in reports(file)]
    assert sum(import_register.load_all(db, region, source[:already])) == already
    assert list(import_register.load_all(db, region, source)) == [8] * 12 + [4]


# ── one register with what comes in live ────────────────────────────────────────────────────────────────────

Receive = Callable[..., UUID]


@pytest.fixture
def received(db: Db, database_url: str, region: UUID) -> Receive:
    """Receive the sample report through the feed; linked and put in a case as the workers do."""
    [sender] = senders.active(db, region)

    async def deliver(raw: bytes, at: datetime) -> None:
        async with await psycopg.AsyncConnection.connect(database_url, **connection_options()) as own:
            assert (await door.deliver(own, sender, raw, at)).kept == "report"

    def receive(reference: str, at: datetime = NOW) -> UUID:
        changes = {"bericht": {"referentienummer": reference}, "melding": {"kenmerk": reference}}
        asyncio.run(deliver(write_report(sample_report(changes)), at))
        row = db.execute(
            "SELECT r.id FROM report r JOIN message m ON m.id = r.message_id WHERE m.reference = %s", (reference,)
        ).fetchone()
        assert row
        [job] = [one for one in jobs.of_subject(db, row["id"]) if one["kind"] == "link_report"]
        assert work.carry_out(job["id"])
        report: UUID = row["id"]
        return report

    return receive


def mother_and_home(db: Db, reference: str) -> tuple[UUID, str, UUID, UUID | None]:
    """Who the first person of a report is and how she was linked, the household, and the case."""
    row = db.execute(
        "SELECT l.person_id, l.state, r.household_id, r.case_id FROM message g JOIN report r ON r.message_id = g.id "
        "JOIN mention m ON m.report_id = r.id AND m.number = 1 JOIN link l ON l.mention_id = m.id "
        "WHERE g.reference = %s AND l.state IN ('new', 'automatic')",
        (reference,),
    ).fetchone()
    assert row
    return row["person_id"], row["state"], row["household_id"], row["case_id"]


def old(reference: str, at: datetime) -> Line:
    return {"report_id": reference, "report_ts": at.isoformat(), "source_type": "politie"} | MOTHER


def test_an_old_report_finds_the_persons_of_a_live_one(
    db: Db, region: UUID, received: Receive, tmp_path: Path
) -> None:
    received("live-1")
    path = write(tmp_path / "oud.csv", [old("oud-1", NOW - timedelta(days=900))])
    assert load_file(path).exit_code == 0
    person, state, home, case = mother_and_home(db, "oud-1")
    assert state == "automatic"
    assert (person, home) == (mother_and_home(db, "live-1")[0], mother_and_home(db, "live-1")[2])
    assert case is None, "its assessment was made in the old system"
    assert breaches(db) == []


def test_a_live_report_finds_who_was_imported_and_opens_a_case_in_that_household(
    db: Db, region: UUID, received: Receive, tmp_path: Path
) -> None:
    lines = [old("oud-1", NOW - timedelta(days=900)), old("oud-2", NOW - timedelta(days=100))]
    assert load_file(write(tmp_path / "oud.csv", lines)).exit_code == 0
    report = received("live-1")
    person, state, home, case = mother_and_home(db, "live-1")
    assert state == "automatic"
    assert (person, home) == (mother_and_home(db, "oud-2")[0], mother_and_home(db, "oud-2")[2])
    assert number(db, "SELECT count(*) AS n FROM cases WHERE id = %s AND household_id = %s", case, home) == 1
    # What was known before counts: a third report, and the earlier involvement of the household.
    assert number(db, "SELECT count(*) AS n FROM involvement WHERE report_id = %s", report) == 1
    assert breaches(db) == []
    received("live-2", NOW + timedelta(days=3))
    assert mother_and_home(db, "live-2")[2:] == (home, case)
    assert load_file(tmp_path / "oud.csv").stdout.startswith("0 of 2 reports are new")
    assert breaches(db) == []


# ── what cannot be loaded ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"report_ts": "30-04-2021"}, "oud.csv, regel 4, kolom report_ts: geen datum en tijd"),
        ({"report_id": "oud-1"}, "oud.csv, regel 4, kolom report_id: de regels van deze melding staan niet"),
        ({"role": "buurman"}, "oud.csv, regel 4, kolom role: onbekende rol"),
        ({"voornamen": "N\0or"}, "oud.csv, regel 4: er staat een NUL-teken in"),
    ],
)  # fmt: skip
def test_of_a_file_with_a_fault_nothing_is_loaded(
    db: Db, region: UUID, tmp_path: Path, change: Line, sentence: str
) -> None:
    lines = [old(f"oud-{day}", NOW - timedelta(days=900 - day)) for day in (1, 2, 3, 4)]
    lines[2] |= change
    result = load_file(write(tmp_path / "oud.csv", lines))
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert number(db, "SELECT count(*) AS n FROM message") == 0


def test_awkward_names_go_all_the_way_unchanged(db: Db, region: UUID, tmp_path: Path) -> None:
    names = ["Ta\tb", "new\nline", "back\\slash \\N", 'quo"te', "ap'os", "com,ma", "Ğüneş 🙂", "\\."]
    lines = [old(f"oud-{name}".translate({9: " ", 10: " "}), NOW - timedelta(days=9)) for name in names]
    for line, name in zip(lines, names, strict=True):
        line["voornamen"] = name
    assert load_file(write(tmp_path / "oud.csv", lines)).exit_code == 0
    kept = db.execute("SELECT person #>> '{naam,voornamen}' AS name FROM mention ORDER BY id").fetchall()
    assert sorted(row["name"] for row in kept) == sorted(names)
    assert breaches(db) == []


def test_the_command_needs_a_region_and_a_file(db: Db, file: Path, tmp_path: Path) -> None:
    assert "There is no such region yet" in load_file(file).stderr
    missing = load_file(tmp_path / "weg.csv")
    assert (missing.exit_code, "does not exist" in missing.stderr) == (2, True)
