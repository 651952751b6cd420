"""The rules that always hold (docs/architecture.md), each as a question to the database; reads only.

A check counts what it looked at and what breaks the rule. It is safe to run hourly beside the live product: every
rule holds at every commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from core import audit, checkpoints
from core.database import Db, Row
from core.deadlines import AMSTERDAM
from core.sealing import Unreadable, is_sealed, unwrap
from intake.terms import term_of_day
from intake.vault import raw_place
from radar.casework import assessment, terms
from radar.casework.states import MOVES
from radar.protection import settling
from radar.rights import register as destruction_register
from radar.rights import replay

FILE = Path(__file__).with_name("verify.sql")


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule with what was found: `checked` things, of which `breaches` break it."""

    rule: int
    text: str
    checked: int
    breaches: int


def _rules() -> Iterator[tuple[int, str, str]]:
    """(rule of the design, what holds, the query) of each rule in verify.sql."""
    for block in FILE.read_text(encoding="utf-8").split("-- rule ")[1:]:
        heading, _, query = block.partition("\n")
        number, _, text = heading.partition(": ")
        yield int(number), text, query.strip().removesuffix(";")


def _queries(db: Db) -> Iterator[Finding]:
    for rule, text, query in _rules():
        row = db.execute(query).fetchone()
        if row is not None:
            yield Finding(rule, text, int(row["checked"]), int(row["breaches"]))


def _deadlines_follow_receipt(db: Db) -> Iterator[Finding]:
    """Recount every first term from the day of receipt; days are few, so each is counted once."""
    rows = db.execute(
        "SELECT (m.received_at AT TIME ZONE 'Europe/Amsterdam')::date AS day, e.norm_due_on, e.legal_due_on,"
        " e.due_at, count(*) AS n FROM deadline d JOIN deadline_entry e ON e.deadline_id = d.id AND e.number = 1"
        " LEFT JOIN report r ON r.id = d.subject_id LEFT JOIN quarantine q ON q.id = d.subject_id"
        " LEFT JOIN message m ON m.id = coalesce(r.message_id, q.message_id)"
        " WHERE d.kind IN ('safety_assessment', 'quarantine') GROUP BY 1, 2, 3, 4"
    ).fetchall()
    wrong = 0
    for row in rows:
        term = term_of_day(row["day"]) if row["day"] else None
        stored = (row["norm_due_on"], row["legal_due_on"], row["due_at"].astimezone(AMSTERDAM))
        if term is None or (term.norm.due_on, term.legal.due_on, term.due_at.astimezone(AMSTERDAM)) != stored:
            wrong += row["n"]
    checked = sum(row["n"] for row in rows)
    yield Finding(3, "each first deadline is that of its day of receipt by the calendar in force", checked, wrong)


def _terms_follow_their_entries(db: Db) -> Iterator[Finding]:
    """Count every extended term again from its entries, as if those that were taken back had never been."""
    rows = db.execute(
        "SELECT d.kind, f.starts_on, d.norm_due_on, d.legal_due_on, d.due_at,"
        " (SELECT array_agg(e.weeks ORDER BY e.number) FROM deadline_entry e"
        "   WHERE e.deadline_id = d.id AND e.kind = 'extension' AND NOT EXISTS"
        "   (SELECT FROM deadline_entry w WHERE w.deadline_id = d.id AND w.withdraws = e.number)) AS weeks,"
        " count(*) AS n"
        " FROM deadline d JOIN deadline_entry f ON f.deadline_id = d.id AND f.number = 1"
        " WHERE d.kind IN ('person_notice', 'investigation', 'conditions') GROUP BY 1, 2, 3, 4, 5, 6"
    ).fetchall()
    wrong = 0
    for row in rows:
        counted = terms.readings(row["kind"], row["starts_on"], tuple(row["weeks"] or ()))
        if (counted.norm.due_on, counted.legal.due_on, counted.due_at) != (
            row["norm_due_on"],
            row["legal_due_on"],
            row["due_at"],
        ):
            wrong += row["n"]
    checked = sum(row["n"] for row in rows)
    yield Finding(14, "each term stands where its entries put it by the calendar in force", checked, wrong)


def _moves_are_allowed(db: Db) -> Iterator[Finding]:
    """Every step that was ever made is one of the table in radar/casework/states.py."""
    rows = db.execute(
        "SELECT before, move, state, count(*) AS n FROM (SELECT move, state, lag(state) OVER (PARTITION BY report_id"
        " ORDER BY number) AS before FROM report_step) AS line WHERE before IS NOT NULL GROUP BY 1, 2, 3"
    ).fetchall()
    wrong = 0
    for row in rows:
        move = MOVES.get(row["move"])
        if move is None or row["before"] not in move.sources or row["state"] != move.target:
            wrong += row["n"]
    yield Finding(13, "each step was an allowed move", sum(row["n"] for row in rows), wrong)


def _questionnaires_can_be_read(db: Db) -> Iterator[Finding]:
    """Every version with which an assessment was made is still there."""
    row = db.execute("SELECT count(DISTINCT questionnaire) AS n FROM assessment").fetchone()
    lost = assessment.unreadable_versions(db)
    used = int(row["n"]) if row else 0
    yield Finding(13, "each assessment can be read with its own questionnaire", used, len(lost))


def _raw_messages_have_their_hash(db: Db) -> Iterator[Finding]:
    """Open every message and hash it again; one whose key was destroyed can no longer be opened."""
    checked = wrong = 0
    with db.cursor(name="raw_messages") as messages:
        messages.execute(
            "SELECT m.id, m.raw, m.content_sha256, k.kek, k.wrapped FROM message m"
            " LEFT JOIN data_key k ON k.id = m.id WHERE k.destroyed_at IS NULL AND m.destroyed_at IS NULL"
        )
        for row in messages:
            checked += 1
            wrong += not _has_its_hash(row)
    yield Finding(1, "the stored bytes of each message have the hash stored beside them", checked, wrong)


def _has_its_hash(row: Row) -> bool:
    content = bytes(row["raw"])
    if is_sealed(content):
        try:
            content = unwrap(row["id"], row["kek"] or "", bytes(row["wrapped"] or b"")).unseal(
                content, raw_place(row["id"])
            )
        except Unreadable:
            return False
    return sha256(content).digest() == bytes(row["content_sha256"])


def _audit_chain(db: Db) -> Iterator[Finding]:
    row = db.execute("SELECT count(*) AS n FROM audit_entry").fetchone()
    broken = sum(1 for _ in audit.breaches(db))
    yield Finding(9, "the audit chain verifies from its first row to its heads", int(row["n"]) if row else 0, broken)


def _checkpoints(db: Db) -> Iterator[Finding]:
    """The signed heads outside the database are the trail's own, at each checkpoint."""
    wrong = sum(1 for _ in checkpoints.flaws(db))
    yield Finding(9, "the audit chain agrees with its signed checkpoints", checkpoints.count(), wrong)


def _whereabouts_stay_in_the_vault(db: Db) -> Iterator[Finding]:
    """Make every report with a protected person again from what came in, and compare it with what can be read."""
    checked, wrong = settling.readable(db)
    yield Finding(10, "no protected person has readable whereabouts outside the vault", checked, wrong)


def _destroyed_stays_destroyed(db: Db) -> Iterator[Finding]:
    """What the destruction register says is gone is gone here too; after a restore: `veilig rights replay`."""
    text = "what the destruction register says was destroyed is not in the database"
    yield Finding(16, text, len(destruction_register.entries()), len(replay.revived(db)))


CHECKS: tuple[Callable[[Db], Iterator[Finding]], ...] = (
    _queries,
    _raw_messages_have_their_hash,
    _deadlines_follow_receipt,
    _terms_follow_their_entries,
    _moves_are_allowed,
    _questionnaires_can_be_read,
    _audit_chain,
    _checkpoints,
    _whereabouts_stay_in_the_vault,
    _destroyed_stays_destroyed,
)


def verify(db: Db) -> Iterator[Finding]:
    """Every finding, in one snapshot of the database; the caller's connection may take its time."""
    with db.transaction():
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        db.execute("SET LOCAL statement_timeout = 0")
        for check in CHECKS:
            yield from check(db)
