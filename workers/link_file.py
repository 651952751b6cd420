"""`veilig link-file`: run the linking over a labelled file and write what it answers, to be scored from outside.

The code and the database are those of production: a PostgreSQL of its own for the occasion, or a fresh database on
the server of VEILIG_DATABASE_URL. Nothing of it stays.
"""

from __future__ import annotations

import csv
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import click
import psycopg
from psycopg.conninfo import make_conninfo

from core import migrations
from core.database import Db, connection_options
from core.deadlines import local_day
from core.ids import uuid7
from core.settings import settings
from radar.linking import block, derived, register, rows
from radar.linking.bulk import Linked, OldReport, Rows, prepare
from radar.linking.decide import Decision
from radar.linking.normalise import features
from radar.linking.profile import Id, Profile
from radar.linking.register import LinkResult
from radar.linking.resolve import Said
from radar.linking.rules import Rules, load
from workers.engines import EmbeddedPostgres
from workers.import_register import CHUNK, old_system, read_ahead
from workers.register_file import Line, UnusableFile, reports

Timing = tuple[str, float, float]
"""Report, milliseconds to read and decide, milliseconds with the durable write."""


@click.command("link-file")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mode", required=True, type=click.Choice(["link", "stream"]), help="What the register knows before.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="predictions.csv")
@click.option(
    "--timings", type=click.Path(dir_okay=False, path_type=Path), help="timings.csv: milliseconds per report"
)
@click.option("--automatic", is_flag=True, help="Leave out what is only proposed (link mode).")
def link_file(folder: Path, mode: str, out: Path, timings: Path | None, automatic: bool) -> None:
    """Link records.csv in FOLDER and write record_id, predicted person and household.

    link: the register holds the records before the cut (meta.json) with their true ids (truth.csv); each later
    report is linked, committed and forgotten again; the answer is the person that the radar says it is, linked or
    proposed (--automatic: only linked). stream: everything in order from an empty register; what is only proposed
    stays a person of its own, since nobody answers.
    """
    with _fresh_database() as url, psycopg.connect(url, **connection_options()) as db:
        db.execute("SET statement_timeout = 0")
        run = Run(db, load(), proposals=mode == "link" and not automatic)
        if mode == "link":
            run.link(folder)
        else:
            run.stream(folder)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("record_id", "predicted_person_cluster", "predicted_household_cluster"))
        writer.writerows(run.predictions)
    if timings:
        with timings.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("report_id", "read_and_score_ms", "durable_ms"))
            writer.writerows((one, f"{read:.3f}", f"{durable:.3f}") for one, read, durable in run.timings)
    click.echo(f"{len(run.predictions)} records of {len(run.timings)} reports. {run.summary()}", err=True)


@contextmanager
def _fresh_database() -> Iterator[str]:
    """A migrated, empty database that is gone afterwards."""
    server = settings().database_url
    if server:
        with _on_server(server) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="veilig-link-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        engine = EmbeddedPostgres(Path(name))
        engine.start()
        try:
            migrations.upgrade(engine.url)
            yield engine.url
        finally:
            engine.stop()


@contextmanager
def _on_server(server: str) -> Iterator[str]:
    name = f"link_file_{uuid7().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            url = make_conninfo(server, dbname=name)
            migrations.upgrade(url)
            yield url
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(slots=True)
class Run:
    """One run over a file: a region of its own, and what came out of it."""

    db: Db
    rules: Rules
    proposals: bool
    predictions: list[tuple[str, str, str]] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    region: UUID = field(default_factory=uuid7)
    sender: UUID = field(init=False)

    def __post_init__(self) -> None:
        name = ("INSERT INTO region (id, name, oin) VALUES (%s, 'Meting', %s)", (self.region, "0" * 20))
        self.db.execute(*name)
        self.sender = old_system(self.db, self.region)

    def link(self, folder: Path) -> None:
        """The register from truth; each report from the cut on by itself."""
        cut, truth = _cut(folder / "meta.json"), _truth(folder / "truth.csv")
        known = Known(self, truth)
        later = known.load(reports(folder / "records.csv"), cut)
        for report_id, reference, own in self._stored(later):
            result = self._time(report_id, reference)
            self._predict(result, own, known.names.get)
            self._forget(report_id, result)

    def stream(self, folder: Path) -> None:
        """Everything in order, from an empty register."""
        stored = self._stored(reports(folder / "records.csv"))
        for count, (report_id, reference, own) in enumerate(stored, start=1):
            self._predict(self._time(report_id, reference), own, lambda one: one)
            if count % CHUNK == 0:
                derived.count_persons(self.db)
                self.db.execute("ANALYZE")

    def summary(self) -> str:
        """The middle, 95th and 99th percentile of the milliseconds per report."""
        parts = []
        for name, place in (("read and score", 1), ("with the durable write", 2)):
            sorted_times = sorted(float(one[place]) for one in self.timings)
            if sorted_times:
                at = [sorted_times[int(len(sorted_times) * share)] for share in (0.5, 0.95, 0.99)]
                parts.append(f"{name}: p50 {at[0]:.2f} ms, p95 {at[1]:.2f} ms, p99 {at[2]:.2f} ms")
        return "; ".join(parts)

    def _stored(self, source: Iterable[tuple[OldReport, list[Line]]]) -> Iterator[tuple[Id, str, list[Line]]]:
        """Put the reports into the database as received and not linked yet; chunk by chunk, in order."""
        chunk: list[tuple[OldReport, list[Line]]] = []
        for number, one in enumerate(source, start=1):
            chunk.append(one)
            if len(chunk) == CHUNK:
                click.echo(f"{number:>9} reports", err=True)
                yield from self._store(chunk)
                chunk = []
        yield from self._store(chunk)

    def _store(self, chunk: list[tuple[OldReport, list[Line]]]) -> list[tuple[Id, str, list[Line]]]:
        out = Rows(str(self.region), str(self.sender), self.rules.version)
        prepared = prepare((one for one, _ in chunk), self.rules, self.region.bytes)
        ids = [out.add_report(one, (), None, founds=False) for one in prepared]
        with self.db.transaction():
            out.write(self.db)
        return [(own, one.reference, lines) for own, (one, lines) in zip(ids, chunk, strict=True)]

    def _time(self, report_id: Id, reference: str) -> LinkResult:
        start = time.perf_counter()
        with self.db.transaction():
            report, said = rows.report_and_mentions(self.db, UUID(report_id))
            if report is None:
                raise LookupError("report")
            seen = register.look(self.db, report, said, self.rules)
            read = time.perf_counter()
            result = register.settle(self.db, seen, report["received_at"])
        durable = time.perf_counter()
        self.timings.append((reference, (read - start) * 1000, (durable - start) * 1000))
        return result

    def _predict(self, result: LinkResult, own: list[Line], name: Callable[[str], str | None]) -> None:
        home = str(result.household_id) if result.household_id else f"none-{own[0]['report_id']}"
        for line, one in zip(own, result.decisions, strict=True):
            person = one.proposed_person if self.proposals and one.proposed_person else one.person
            record = _record(line)
            whose = str(person) if person else f"none-{record}"
            self.predictions.append((record, name(whose) or whose, name(home) or home))

    def _forget(self, report_id: Id, result: LinkResult) -> None:
        """Take away what linking this report wrote, so that the next one does not learn from it."""
        persons = [one.person for one in result.decisions if one.person]
        with self.db.transaction():
            said = self.db.execute("SELECT id, person FROM mention WHERE report_id = %s", (report_id,)).fetchall()
            mentions = [row["id"] for row in said]
            gone = {
                key
                for row in said
                for key in block.keys(features(row["person"], self.rules), self.rules, self.region.bytes)
            }
            self.db.execute("UPDATE report SET household_id = NULL WHERE id = %s", (report_id,))
            self.db.execute("DELETE FROM membership WHERE mention_id = ANY(%s)", (mentions,))
            self.db.execute("DELETE FROM task WHERE subject_id IN (SELECT id FROM link WHERE mention_id = ANY(%s))",
                            (mentions,))  # fmt: skip
            self.db.execute("DELETE FROM link WHERE mention_id = ANY(%s)", (mentions,))
            self.db.execute("DELETE FROM household WHERE founded_by = %s", (report_id,))
            derived.derive(self.db, self.region, persons, self.rules, gone)
            self.db.execute("DELETE FROM person WHERE id = ANY(%s) AND profile IS NULL", (persons,))


@dataclass(slots=True)
class Known:
    """The register as the truth has it: ids of ours for the names of the file."""

    run: Run
    truth: dict[str, tuple[str, str]]
    ids: dict[str, Id] = field(default_factory=dict)
    names: dict[Id, str] = field(default_factory=dict)
    profiles: dict[Id, Profile] = field(default_factory=dict)

    def load(self, source: Iterable[tuple[OldReport, list[Line]]], cut: str) -> list[tuple[OldReport, list[Line]]]:
        """Store and teach every report before the cut; gives the reports from the cut on."""
        later: list[tuple[OldReport, list[Line]]] = []
        records: list[list[str]] = []

        def earlier() -> Iterator[OldReport]:
            for one, own in source:
                if own[0]["report_ts"] < cut:
                    records.append([_record(line) for line in own])
                    yield one
                else:
                    later.append((one, own))

        run = self.run
        out = Rows(str(run.region), str(run.sender), run.rules.version)
        keys: set[tuple[int, Id]] = set()
        number = 0
        for chunk in read_ahead(earlier(), run.rules, run.region):
            for one in chunk:
                linked = [
                    self._linked(out, keys, one.report, said, record)
                    for said, record in zip(one.said, records[number], strict=True)
                ]
                out.add_report(one, linked, linked[0].home, founds=False)
                number += 1
            with run.db.transaction():
                out.write(run.db)
        out.persons(self.profiles, self.profiles, self.profiles)
        out.keys(keys)
        with run.db.transaction():
            out.write(run.db)
            derived.count_persons(run.db)
        run.db.execute("VACUUM ANALYZE")
        self.profiles.clear()
        return later

    def _linked(self, out: Rows, keys: set[tuple[int, Id]], report: OldReport, said: Said, record: str) -> Linked:
        """One mention as the truth has it, and what it teaches of its person."""
        if record not in self.truth:
            raise UnusableFile(f"truth.csv: record {record} ontbreekt.")
        who, where = self.truth[record]
        person, home = self._id(out, "person", who), self._id(out, "household", where, report.received_at.isoformat())
        profile = self.profiles.setdefault(person, Profile())
        profile.add(said.features)
        profile.seen(home, local_day(report.received_at).toordinal(), said.features.addresses)
        keys.update((key, person) for key in block.chosen(said.keys))
        return Linked(said, person, home, Decision("same_person", "automatic", person))

    def _id(self, out: Rows, table: str, name: str, *more: str) -> Id:
        """Our id for a name of the file; the row is made when it is first met."""
        known = self.ids.get(name)
        if known is None:
            known = self.ids[name] = str(uuid7())
            self.names[known] = name
            out.add(table, known, self.run.region, *(more or (None,)), *((None,) if more else ()))
        return known


def _record(line: Line) -> str:
    if "record_id" not in line:
        raise UnusableFile("records.csv: kolom record_id ontbreekt in de eerste regel.")
    return line["record_id"]


def _cut(path: Path) -> str:
    """The start of the query month. Raises UnusableFile."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["cut"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UnusableFile(f"{path}: hierin hoort een datum te staan onder 'cut'.") from None


def _truth(path: Path) -> dict[str, tuple[str, str]]:
    """Person and household per record. Raises UnusableFile."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {line["record_id"]: (line["person_id"], line["household_id"]) for line in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, csv.Error):
        text = f"{path}: hierin horen de kolommen record_id, person_id en household_id te staan, in UTF-8."
        raise UnusableFile(text) from None
