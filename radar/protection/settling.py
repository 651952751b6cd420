"""Keep the whereabouts of protected persons out of everything that can be read, and put them back when that ends.

What is readable of a report follows from three things only: the message as it came, who is protected, and who is who.
So it is always made again from those: when somebody is protected or no longer, and when a link moves. What is left
out is sealed with the report's data key and stands in `whereabouts`, as edits that can be undone exactly.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from core import audit
from core.database import Db, Row
from core.deadlines import local_day
from core.sealing import DataKey, Unreadable, key_or_new, keys_of
from intake import protected
from intake.protected import Edit, Mask
from radar.casework import routing
from radar.linking import derived
from radar.linking.normalise import blind_evidence
from radar.linking.rules import Rules
from radar.quality import rulesets

TEXTS = (
    ("route", "reason"),
    ("contact", "who"),
    ("contact", "summary"),
    ("safety_condition", "text"),
    ("safety_condition", "note"),
    ("person_request", "note"),
    ("person_request", "answer"),
    ("feedback", "text"),
    ("service", "plan"),
    ("service", "summary"),
    ("monitoring_moment", "note"),
    ("forwarding", "reason"),
)
"""What people wrote on a report and may repeat where somebody is. What is signed or append-only cannot be changed:
there the forms warn beforehand (radar.protection.marks)."""

_REPORTS = """
SELECT r.id, r.region_id, r.message_id, r.content, r.municipality, r.received_at, w.sealed
FROM report r LEFT JOIN whereabouts w ON w.report_id = r.id LEFT JOIN data_key k ON k.id = r.message_id
WHERE r.id = ANY(%s) AND k.destroyed_at IS NULL ORDER BY r.id
"""
_LOCKED = _REPORTS + " FOR UPDATE OF r"
_MENTIONS = """
SELECT m.id, m.report_id, m.number, m.person, m.blind, l.person_id FROM mention m
LEFT JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')
WHERE m.report_id = ANY(%s) ORDER BY m.report_id, m.number
"""
# Both ways in which a protection reaches somebody: he was meant, or a protected mention is he.
PROTECTED = """
SELECT p.mention_id, k.id AS person_id FROM unnest(%(persons)s::uuid[]) AS k (id)
JOIN protection p ON p.person_id = k.id AND p.lifted_at IS NULL
UNION SELECT p.mention_id, l.person_id FROM unnest(%(persons)s::uuid[]) AS k (id)
JOIN link l ON l.person_id = k.id AND l.state IN ('new', 'automatic', 'confirmed')
JOIN protection p ON p.mention_id = l.mention_id AND p.lifted_at IS NULL
UNION SELECT p.mention_id, NULL FROM unnest(%(mentions)s::uuid[]) AS k (id)
JOIN protection p ON p.mention_id = k.id AND p.lifted_at IS NULL
"""
REPORTS_OF = """
SELECT DISTINCT m.report_id FROM unnest(%s::uuid[]) AS k (id) JOIN link l ON l.person_id = k.id
AND l.state IN ('new', 'automatic', 'confirmed') JOIN mention m ON m.id = l.mention_id
"""


@dataclass(slots=True)
class _Report:
    """A report with its mentions as they are stored, and what was left out of it."""

    row: Row
    mentions: list[Row]
    key: DataKey | None
    edits: dict[str, Any]
    chosen: set[int] = field(default_factory=set)

    @property
    def content(self) -> dict[str, Any]:
        return protected.restored(self.row["content"], _edits(self.edits.get("content")))

    @property
    def persons(self) -> list[dict[str, Any]]:
        left_out = self.edits.get("persons", {})
        return [protected.restored(one["person"], _edits(left_out.get(str(one["number"])))) for one in self.mentions]


def settle(db: Db, reports: Iterable[UUID], *, by: str, at: datetime) -> int:
    """Bring these reports, and all others on their protected persons, in order; gives how many changed."""
    found = _read(db, set(reports))
    known = _known(found)
    changed: dict[UUID, set[UUID]] = {}
    count = 0
    for one in found:
        if not one.chosen and one.key is None and all(mention["blind"] is None for mention in one.mentions):
            continue
        rules = rulesets.active(db, one.row["region_id"])
        count += _write(db, one, known, rules, by, at)
        changed.setdefault(one.row["region_id"], set()).update(
            mention["person_id"] for mention in one.mentions if mention["person_id"]
        )
    for region, persons in changed.items():
        if count and persons:
            derived.derive(db, region, persons, rulesets.active(db, region))
    return count


def after_move(db: Db, report_id: UUID, persons: Collection[UUID], *, by: str, at: datetime) -> None:
    """A link of this report moved between these persons: whoever is protected, or was by it, is looked at again."""
    reports = {report_id, *(row["report_id"] for row in db.execute(REPORTS_OF, (list(persons),)))}
    row = db.execute(
        "SELECT EXISTS (SELECT FROM whereabouts WHERE report_id = ANY(%(reports)s))"
        " OR EXISTS (SELECT FROM mention WHERE report_id = ANY(%(reports)s) AND blind IS NOT NULL)"
        " OR EXISTS (SELECT FROM mention m JOIN protection p ON p.mention_id = m.id AND p.lifted_at IS NULL"
        "   WHERE m.report_id = ANY(%(reports)s))"
        " OR EXISTS (SELECT FROM protection WHERE person_id = ANY(%(persons)s) AND lifted_at IS NULL) AS needed",
        {"reports": list(reports), "persons": list(persons)},
    ).fetchone()
    if row and row["needed"]:
        settle(db, reports, by=by, at=at)


def opened(db: Db, report_id: UUID) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """The content of a report and its persons by number as they came. Only behind a grant. Raises Unreadable."""
    (one,) = _stored(db, {report_id}, lock=False)
    return one.content, {row["number"]: person for row, person in zip(one.mentions, one.persons, strict=True)}


def left_out(db: Db, report_id: UUID) -> dict[str, Any]:
    """The edits of a report: `content`, `persons` (by number), `municipality`, `texts`. Only behind a grant."""
    (one,) = _stored(db, {report_id}, lock=False)
    return one.edits


def readable(db: Db) -> tuple[int, int]:
    """How many reports have a protected person, and how many of those can be read more of than they should.

    For `veilig verify`: everything is recomputed, nothing is changed.
    """
    rest = {
        row["report_id"]
        for row in db.execute(
            "SELECT report_id FROM whereabouts UNION SELECT m.report_id FROM protection p"
            " JOIN mention m ON m.id = p.mention_id WHERE p.lifted_at IS NULL"
        )
    }
    checked = wrong = 0
    while rest:
        found = _read(db, {rest.pop()}, lock=False)
        known = _known(found)
        rest -= {one.row["id"] for one in found}
        for one in found:
            should = protected.redact(one.content, one.persons, one.chosen, known if one.chosen else ())
            stored = [mention["person"] for mention in one.mentions]
            blind = all(one.mentions[number]["blind"] is not None for number in one.chosen)
            linked = any(mention["person_id"] for mention in one.mentions)
            same = (should.content, should.persons) == (one.row["content"], stored)
            checked += 1
            wrong += not same or (linked and not blind)
    return checked, wrong


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def _stored(db: Db, reports: Collection[UUID], *, lock: bool = True) -> list[_Report]:
    rows = db.execute(_LOCKED if lock else _REPORTS, (list(reports),)).fetchall()
    mentions: dict[UUID, list[Row]] = {row["id"]: [] for row in rows}
    for mention in db.execute(_MENTIONS, (list(mentions),)):
        mentions[mention["report_id"]].append(mention)
    keys = keys_of(db, [row["message_id"] for row in rows if row["sealed"]])
    found = []
    for row in rows:
        key = keys.get(row["message_id"])
        if row["sealed"] and key is None:
            raise Unreadable
        edits = json.loads(key.unseal(bytes(row["sealed"]), protected.place(row["id"]))) if key else {}
        found.append(_Report(row, mentions[row["id"]], key, edits))
    return found


def _read(db: Db, reports: set[UUID], *, lock: bool = True) -> list[_Report]:
    """These reports and all others on the protected persons in them, with who is protected in each."""
    while True:
        mentions = db.execute(_MENTIONS, (list(reports),)).fetchall()
        who = {
            "persons": list({row["person_id"] for row in mentions if row["person_id"]}),
            "mentions": [row["id"] for row in mentions],
        }
        rows = db.execute(PROTECTED, who).fetchall()
        persons = {row["person_id"] for row in rows if row["person_id"]}
        more = {row["report_id"] for row in db.execute(REPORTS_OF, (list(persons),))} if persons else set()
        if more <= reports:
            break
        reports = reports | more
    marked = {row["mention_id"] for row in rows}
    found = _stored(db, reports, lock=lock)
    for one in found:
        meant = {
            number
            for number, mention in enumerate(one.mentions)
            if mention["id"] in marked or mention["person_id"] in persons
        }
        one.chosen = meant | protected.sharing(one.persons, meant)
    return found


def _known(found: Iterable[_Report]) -> set[str]:
    """Everything that tells where the protected persons in these reports are."""
    return {
        text
        for one in found
        for number, person in enumerate(one.persons)
        if number in one.chosen
        for text in protected.values(person)
    }


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def _write(db: Db, one: _Report, known: Collection[str], rules: Rules, by: str, at: datetime) -> int:
    """Write a report as it should be read now; 1 when anything changed."""
    report: UUID = one.row["id"]
    content, persons = one.content, one.persons
    made = protected.redact(content, persons, one.chosen, known if one.chosen else ())
    edits: dict[str, Any] = {
        "content": made.of_content,
        "persons": {str(one.mentions[number]["number"]): found for number, found in made.of_persons.items()},
    }
    edits["municipality"] = _municipality(db, one, made.persons)
    edits["texts"] = _texts(db, one, {*known, *(edits["municipality"] or [])[:1]})
    edits = {name: value for name, value in edits.items() if value}
    blinds = [
        blind_evidence(person, rules) if number in one.chosen else None for number, person in enumerate(persons)
    ]
    same = json.loads(json.dumps(edits)) == one.edits
    if same and blinds == [mention["blind"] for mention in one.mentions]:
        return 0
    db.execute("UPDATE report SET content = %s WHERE id = %s", (Jsonb(made.content), report))
    for mention, person, blind in zip(one.mentions, made.persons, blinds, strict=True):
        db.execute(
            "UPDATE mention SET person = %s, blind = %s WHERE id = %s",
            (Jsonb(person), Jsonb(blind) if blind is not None else None, mention["id"]),
        )
    if not edits:
        db.execute("DELETE FROM whereabouts WHERE report_id = %s", (report,))
    elif not same:
        key = one.key or key_or_new(db, one.row["message_id"], one.row["region_id"])
        sealed = key.seal(json.dumps(edits, ensure_ascii=False).encode(), protected.place(report))
        db.execute(
            "INSERT INTO whereabouts (report_id, region_id, sealed) VALUES (%s, %s, %s)"
            " ON CONFLICT (report_id) DO UPDATE SET sealed = excluded.sealed",
            (report, one.row["region_id"], sealed),
        )
    details = {"protected": len(one.chosen)}
    audit.append(db, one.row["region_id"], by, "whereabouts.settle", "report", report, details)
    if edits.get("municipality") != one.edits.get("municipality"):
        routing.reweigh(db, report, by, at)
    return 1


def _municipality(db: Db, one: _Report, persons: list[dict[str, Any]]) -> list[Any] | None:
    """The region of stay tells too: the municipality becomes that of whoever is not protected, or none."""
    before, after = one.edits.get("municipality") or (one.row["municipality"], None)
    stored = one.row["municipality"]
    if one.edits.get("municipality") and stored != after:
        before = stored  # somebody decided on it since then
    wanted = before
    if one.chosen and before is not None:
        area = routing.area(db, one.row["region_id"], persons, local_day(one.row["received_at"]))
        wanted = area["municipality"] if area else None
    if wanted != stored:
        db.execute("UPDATE report SET municipality = %s WHERE id = %s", (wanted, one.row["id"]))
    return [before, wanted] if wanted != before else None


def _texts(db: Db, one: _Report, known: Collection[str]) -> list[list[str]]:
    """Mask what people wrote on this report; gives table, column, row id, before and after."""
    before = {(table, column, row): (old, new) for table, column, row, old, new in one.edits.get("texts", [])}
    open_ = {
        text.casefold()
        for number, person in enumerate(one.persons)
        if number not in one.chosen
        for text in protected.values(person)
    }
    mask = Mask(text for text in known if one.chosen and text.casefold() not in open_)
    found: list[list[str]] = []
    for table, column in TEXTS:
        names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
        query = sql.SQL("SELECT id, {column} AS text FROM {table} WHERE report_id = %s AND {column} IS NOT NULL")
        for row in db.execute(query.format(**names), (one.row["id"],)).fetchall():
            old, new = before.get((table, column, str(row["id"])), (row["text"], row["text"]))
            whole = old if row["text"] == new else row["text"]
            masked = mask(whole)
            if masked != row["text"]:
                change = sql.SQL("UPDATE {table} SET {column} = %s WHERE id = %s").format(**names)
                db.execute(change, (masked, row["id"]))
            if masked != whole:
                found.append([table, column, str(row["id"]), whole, masked])
    return found


def _edits(found: Iterable[Any] | None) -> list[Edit]:
    return [(path, before, after) for path, before, after in found or ()]
