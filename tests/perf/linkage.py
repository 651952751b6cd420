"""Measure the radar's linking on labelled data: precision, recall, F1 and milliseconds per report.

    python tests/perf/linkage.py DIR --database postgresql://… [--load]

DIR holds records.csv, truth.csv and meta.json of the linkage generator (link mode: everything before `cut` is the
register, with its true ids; each later report is linked and rolled back). `--load` fills the database first.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.database import Db
from core.migrations import upgrade
from radar.linking import block, register, rules
from radar.linking.normalise import Features, features
from radar.linking.register import MentionLink

REGION = UUID(int=1)
Record = dict[str, str]
Truth = dict[str, tuple[str, str, bool]]
"""Record to person, household, and whether the person lives elsewhere."""
_ROLES = {"kind": "115", "pleger": "111", "slachtoffer": "111", "betrokkene": "139"}


def ident(*parts: str) -> UUID:
    """A stable id for one of the generator's names."""
    return uuid5(NAMESPACE_OID, ":".join(parts))


SENDER = ident("sender")


def person_json(record: Record) -> dict[str, Any]:
    """One record as intake writes a betrokkene; a partner's name stands behind the own name."""
    surname, prefix = record["geslachtsnaam"], record["voorvoegsel"]
    if record["partner_geslachtsnaam"]:
        partner = f"{record['partner_voorvoegsel']} {record['partner_geslachtsnaam']}".strip()
        surname = f"{surname}-{partner}"
    person: dict[str, Any] = {
        "rol": {"code": _ROLES[record["role"]]},
        "naam": {"voornamen": record["voornamen"], "voorvoegsel": prefix, "geslachtsnaam": surname},
        "bsn": record["bsn"],
        "geslacht": record["geslacht"],
    }
    if record["geboortedatum"]:
        person["geboortedatum"] = {"tekst": record["geboortedatum"].replace("-", "")}
    if record["telefoon"]:
        person["telefoonnummers"] = [record["telefoon"]]
    if record["huisnummer"]:
        address = {key: record[key] for key in ("straat", "huisnummer", "toevoeging", "postcode", "woonplaats")}
        person["adressen"] = [{"soort": "formeel"} | address]
    return person


def read(folder: Path) -> tuple[list[Record], Truth, str]:
    """The records in stream order, the truth per record, and the start of the query month."""
    with (folder / "truth.csv").open() as file:
        truth = {row[0]: (row[1], row[2], row[3] == "1") for row in list(csv.reader(file))[1:]}
    with (folder / "records.csv").open(encoding="utf-8") as file:
        records = list(csv.DictReader(file))
    return records, truth, json.loads((folder / "meta.json").read_text())["cut"]


def reports(records: list[Record]) -> Iterator[tuple[str, list[Record]]]:
    """The records of one report together."""
    for report, rows in groupby(records, key=lambda row: row["report_id"]):
        yield report, list(rows)


def load(db: Db, records: list[Record], truth: Truth, cut: str) -> None:
    """Fill an empty database: the register as it was at the cut, and the reports to link."""
    db.execute("INSERT INTO region (id, name, oin) VALUES (%s, 'Voorbeeld', %s)", (REGION, "0" * 20))
    db.execute(
        "INSERT INTO sender (id, region_id, oin, name, kind) VALUES (%s, %s, %s, 'Voorbeeld', 'politie')",
        (SENDER, REGION, "1" * 20),
    )
    history = [row for row in records if row["report_ts"] < cut]
    _load_reports(db, records, cut)
    for table, column in (("person", 0), ("household", 1)):
        names = dict.fromkeys(str(truth[row["record_id"]][column]) for row in history)
        _copy(db, table, "id, region_id", ((ident(table, name), REGION) for name in names))
    known = {row["record_id"]: features(person_json(row), rules.load()) for row in history}
    _load_mentions(db, records, known)
    _load_links(db, history, known, truth)
    db.execute("VACUUM ANALYZE")


def _copy(db: Db, table: str, columns: str, lines: Iterable[tuple[object, ...]]) -> None:
    with db.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)


def _load_reports(db: Db, records: list[Record], cut: str) -> None:
    stamps = {
        name: datetime.fromisoformat(rows[0]["report_ts"]).replace(tzinfo=UTC) for name, rows in reports(records)
    }
    _copy(
        db,
        "message",
        "id, region_id, sender_id, channel, received_at, raw, content_sha256, outcome, answer_status, answer_type, "
        "answer",
        (
            (ident("message", name), REGION, SENDER, "json", at, b"", _digest(name), "report", 200, "Bv03", b"")
            for name, at in stamps.items()
        ),
    )
    _copy(
        db,
        "report",
        "id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, received_at, linked_at, "
        "content, remarks, acute_signals, acute_rules",
        (
            (
                *(ident("report", name), REGION, ident("message", name), SENDER, "politie", name, at),
                *(at if at.isoformat() < cut else None, "{}", "[]", "[]", "1"),
            )
            for name, at in stamps.items()
        ),
    )


def _digest(name: str) -> bytes:
    return ident("digest", name).bytes * 2


def _load_mentions(db: Db, records: list[Record], known: dict[str, Features]) -> None:
    def line(number: int, row: Record) -> tuple[object, ...]:
        one = known.get(row["record_id"])
        ids = (ident("mention", row["record_id"]), REGION, ident("report", row["report_id"]), number % 32_000)
        return (*ids, Jsonb(person_json(row)), Jsonb(one.to_json()) if one else None)

    lines = (line(number, row) for number, row in enumerate(records))
    _copy(db, "mention", "id, region_id, report_id, number, person, features", lines)


def _load_links(db: Db, history: list[Record], known: dict[str, Features], truth: Truth) -> None:
    founded: set[str] = set()
    links: list[tuple[object, ...]] = []
    keys: list[tuple[object, ...]] = []
    members: list[tuple[object, ...]] = []
    for row in history:
        record = row["record_id"]
        name, home, _ = truth[record]
        person, mention = ident("person", name), ident("mention", record)
        state = "automatic" if name in founded else "new"
        founded.add(name)
        links.append((ident("link", record), REGION, mention, person, state, "same_person", 0.0, "[]", "truth"))
        keys += [(REGION, key, person, mention) for key in block.keys(known[record], rules.load())]
        day = date.fromisoformat(row["report_ts"][:10])
        members.append((ident("member", record), REGION, person, ident("household", home), mention, day))
    _copy(db, "link", "id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set", links)
    _copy(db, "link_key", "region_id, key, person_id, mention_id", keys)
    _copy(db, "membership", "id, region_id, person_id, household_id, mention_id, valid_from", members)


class Score:
    """Precision, recall and F1 of a link decision (the same counting as the generator's metrics)."""

    def __init__(self) -> None:
        self.right = self.wrong = self.missed = 0

    def add(self, true: UUID, predicted: UUID | None, known: set[UUID]) -> None:
        if predicted in known:
            self.right += predicted == true
            self.wrong += predicted != true
        if true in known and predicted != true:
            self.missed += 1

    def __str__(self) -> str:
        precision = self.right / max(1, self.right + self.wrong)
        recall = self.right / max(1, self.right + self.missed)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        counts = f"right {self.right}, wrong {self.wrong}, missed {self.missed}"
        return f"P {precision:.4f}  R {recall:.4f}  F1 {f1:.4f}  ({counts})"


def _show(row: Record, one: MentionLink, true: UUID, history: list[Record], truth: Truth) -> None:
    """One wrong or missed link, with what was known of the true person and of the person linked or asked."""
    asked = one.proposed_person or one.person
    print(row["record_id"], one.state, round(one.score, 1), "proposal right" if asked == true else "")
    print("   ", {key: value for key, value in row.items() if value and not key.startswith("report_")})
    print("   ", [f"{why['text']} {why['weight']}" for why in one.reasons])
    for other in history:
        person = ident("person", truth[other["record_id"]][0])
        if person in (true, asked):
            mark = "true " if person == true else "asked"
            print("     ", mark, [value for key, value in other.items() if key not in ("report_id", "record_id")])


def measure(db: Db, records: list[Record], truth: Truth, cut: str, show: int) -> None:
    """Link each query report, roll back, and print the figures."""
    history = [row for row in records if row["report_ts"] < cut]
    persons = {ident("person", truth[row["record_id"]][0]) for row in history}
    homes = {ident("household", truth[row["record_id"]][1]) for row in history if not truth[row["record_id"]][2]}
    scores: dict[str, Score] = defaultdict(Score)
    times: list[float] = []
    rule_set = rules.load()
    shown = 0
    for report, rows in reports([row for row in records if row["report_ts"] >= cut]):
        with db.transaction(force_rollback=True):
            start = time.perf_counter()
            result = register.link_report(db, ident("report", report), datetime.now(UTC), rule_set)
            times.append((time.perf_counter() - start) * 1000)
        by_mention = {one.mention: one for one in result.decisions}
        for row in rows:
            true = ident("person", truth[row["record_id"]][0])
            one = by_mention[ident("mention", row["record_id"])]
            asked = one.proposed_person or one.person
            for name in ("persons", "persons without BSN") if not row["bsn"] else ("persons",):
                scores[f"{name}, automatic"].add(true, one.person, persons)
                scores[f"{name}, with proposals"].add(true, asked, persons)
            if one.person != true and (one.person in persons or true in persons) and shown < show:
                shown += 1
                _show(row, one, true, history, truth)
        inside = [row for row in rows if not truth[row["record_id"]][2]]
        if inside:
            true = ident("household", truth[inside[0]["record_id"]][1])
            scores["households"].add(true, result.household_id, homes)
            if all(not row["bsn"] for row in inside):
                scores["households without BSN"].add(true, result.household_id, homes)
    for name in sorted(scores):
        print(f"{name:36} {scores[name]}")
    times.sort()
    print(
        f"{len(times)} reports: p50 {statistics.median(times):.2f} ms, p95 {times[int(len(times) * 0.95)]:.2f} ms, "
        f"max {times[-1]:.2f} ms per report (without commit)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database", required=True, help="an empty database of your own, or one filled before")
    parser.add_argument("--load", action="store_true", help="migrate and fill the database first")
    parser.add_argument("--show", type=int, default=0, help="print this many wrong or missed links")
    chosen = parser.parse_args()
    records, truth, cut = read(chosen.folder)
    if chosen.load:
        upgrade(chosen.database)
    connection: Db = psycopg.connect(chosen.database, autocommit=True, row_factory=dict_row)
    with connection as db:
        if chosen.load:
            load(db, records, truth, cut)
        measure(db, records, truth, cut, chosen.show)


if __name__ == "__main__":
    main()
