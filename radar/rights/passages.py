"""Sentences about one person in a file that stays for others: a person says of each whether it goes.

What is kept of the choice is a keyed hash, never the words: so the register and the audit trail hold none either.
"""

from __future__ import annotations

# ruff: noqa: S608 -- names of tables and fields come from texts_of_file() in the database
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.database import Db
from core.secrets import keyed_hash
from radar.rights import sentences

BY_REPORT = frozenset({"report_step", "acute_check"})
"""Tables whose rows are reached by their report."""
_OWN = frozenset({"person_notice", "person_request", "own_statement", "correction", "use_stop", "request_ground"})
"""What is of one person goes as a whole, when he goes."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence that names the person: its place `table.field`, its row, the words, and whether it names others
    too.
    """

    place: str
    row_id: UUID
    text: str
    others: bool

    @property
    def mark(self) -> bytes:
        return mark_of(self.place, self.row_id, self.text)


def mark_of(place: str, row_id: UUID, text: str) -> bytes:
    """The keyed hash by which a sentence is found again in its row."""
    return keyed_hash(f"passage:{place}:{row_id}:{text}")


def find(db: Db, mentions: Collection[UUID], files: Collection[UUID]) -> list[Passage]:
    """Every sentence that names one of these mentions in these reports, in a stable order."""
    found: list[Passage] = []
    for report in files:
        rows = db.execute(
            "SELECT id, person FROM mention WHERE report_id = %s AND destroyed_at IS NULL", (report,)
        ).fetchall()
        him = [row["person"] for row in rows if row["id"] in mentions]
        others = [row["person"] for row in rows if row["id"] not in mentions]
        for place, row_id, text in texts(db, report, mentions):
            for sentence in sentences.split(text):
                looks = [sentences.about(sentence, one, others) for one in him]
                if any(named for named, _ in looks):
                    found.append(Passage(place, row_id, sentence, any(other for _, other in looks)))
    return list(dict.fromkeys(found))


def texts(db: Db, report: UUID, mentions: Collection[UUID] = ()) -> list[tuple[str, UUID, str]]:
    """Every text in the file of a report: place, row and words; without the rows that are of these mentions."""
    found: list[tuple[str, UUID, str]] = []
    places = db.execute("SELECT name, field, whose FROM texts_of_file()").fetchall()
    for one in places:
        if one["name"] in _OWN or one["name"] in ("access_grant", "retention_hold"):
            continue
        row_id = "report_id" if one["name"] in BY_REPORT else "id"
        without = " AND (mention_id IS NULL OR mention_id <> ALL(%s))" if one["name"] == "contact" else ""
        values: list[Any] = [report, list(mentions)] if without else [report]
        rows = db.execute(
            f"SELECT {row_id} AS id, {one['field']} AS text FROM {one['name']} WHERE {one['whose']} = %s{without}"
            f" ORDER BY {row_id}",
            values,
        )
        for row in rows:
            found += [(f"{one['name']}.{one['field']}", row["id"], text) for text in _strings(row["text"])]
    for row in db.execute(
        "SELECT f.id, f.explanation FROM finding f JOIN service s ON s.id = f.service_id WHERE s.report_id = %s"
        " ORDER BY f.id",
        (report,),
    ):
        found.append(("finding.explanation", row["id"], row["explanation"]))
    return found


def located(db: Db, files: Collection[UUID], marks: Mapping[bytes, Any]) -> list[tuple[str, UUID, str]]:
    """Where the sentences with these marks stand now: place, row and words."""
    return [
        (place, row_id, sentence)
        for report in files
        for place, row_id, text in texts(db, report)
        for sentence in sentences.split(text)
        if mark_of(place, row_id, sentence) in marks
    ]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for _, text in sentences.leaves(value) if isinstance(text, str)]
