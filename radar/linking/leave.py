"""A report that turns out to be none leaves the register, and comes back when that was a mistake.

Everything that rests on its mentions goes: links, questions, memberships, and what profiles and keys took from them.
What stays is what people said: that two are the same or not the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from core.database import Db, Row
from core.errors import NotFound
from core.ids import uuid7
from radar.linking import correct, derived, rows
from radar.linking.normalise import features
from radar.linking.rules import Rules
from radar.protection import settling

# A yes ties a mention to a person: said of this mention, or of another one when this mention founded him.
_SAID_SAME = """
SELECT l.mention_id::text AS mention, l.person_id::text AS person FROM mention m JOIN link l ON l.mention_id = m.id
WHERE m.report_id = %(report)s AND (l.state = 'confirmed' OR l.state = 'new' AND EXISTS (
    SELECT FROM link o WHERE o.person_id = l.person_id AND o.mention_id <> l.mention_id AND o.state = 'confirmed'))
ORDER BY m.number
"""
_CLOSE_LINKS = """
UPDATE link l SET state = 'undone', decided_by = %(by)s, decided_at = %(at)s FROM mention m
WHERE m.id = l.mention_id AND m.report_id = %(report)s AND l.state IN ('new', 'automatic', 'confirmed', 'proposed')
"""
# A question about somebody who is nobody any more can not be answered.
_CLOSE_QUESTIONS = """
UPDATE link p SET state = 'undone', decided_by = %(by)s, decided_at = %(at)s
WHERE p.state = 'proposed' AND p.person_id = ANY(%(persons)s) AND NOT EXISTS (SELECT FROM link a
    WHERE a.person_id = p.person_id AND a.state IN ('new', 'automatic', 'confirmed'))
"""
_LEAVE_HOUSEHOLD = """
WITH gone AS (
    DELETE FROM membership b USING mention m WHERE m.id = b.mention_id AND m.report_id = %(report)s
), own AS (
    UPDATE household h SET founded_by = NULL WHERE h.founded_by = %(report)s
    AND NOT EXISTS (SELECT FROM report o WHERE o.household_id = h.id AND o.id <> %(report)s)
)
UPDATE report SET household_id = NULL, linked_at = NULL WHERE id = %(report)s
"""


def take_out(db: Db, report_id: UUID, rules: Rules, *, by: str, at: datetime) -> list[dict[str, str]]:
    """Take a report out of the register: it is as if it had never been linked. Its case is the caller's.

    Gives who somebody had said its mentions are (`mention` and `person`), for `put_back`. Raises NotFound.
    """
    report, said = rows.report_and_mentions(db, report_id)
    if report is None:
        raise NotFound
    region: UUID = report["region_id"]
    rows.share_region(db, region)
    same = [dict(row) for row in db.execute(_SAID_SAME, {"report": report_id})]
    persons = [UUID(one) for one in derived.linked_persons(db, report_id)]
    values = {"report": report_id, "by": by, "at": at, "persons": persons}
    db.execute(_CLOSE_LINKS, values)
    db.execute(_CLOSE_QUESTIONS, values)
    db.execute(_LEAVE_HOUSEHOLD, values)
    keys = derived.keys_of((features(row["person"], rules) for row in said), rules, region.bytes)
    derived.derive(db, region, persons, rules, gone=keys)
    settling.after_move(db, report_id, persons, by=by, at=at)
    return same


def put_back(
    db: Db, report_id: UUID, same: Iterable[Mapping[str, str]], rules: Rules, *, by: str, at: datetime
) -> int:
    """After linking it anew: what somebody had said to be the same person is so again; how many it were.

    Somebody who is nobody any more, or who was told apart from him meanwhile, is left as the machine found it.
    """
    return sum(_again(db, report_id, UUID(one["mention"]), UUID(one["person"]), rules, by, at) for one in same)


def _again(db: Db, report_id: UUID, mention: UUID, person: UUID, rules: Rules, by: str, at: datetime) -> bool:
    own = rows.active_link(db, mention)
    if own is None:
        return False
    if own["person_id"] == person:
        if own["state"] == "automatic":
            correct.confirm(db, own["id"], by, at)
        return True
    there = rows.active_mentions(db, person)
    if not there or any(one["report_id"] == report_id for one in there):
        return False
    if rows.told_apart(db, own["person_id"], person):
        return False
    correct.confirm(db, _question(db, own, person, rules, at), by, at)
    return True


def _question(db: Db, own: Row, person: UUID, rules: Rules, at: datetime) -> UUID:
    """The open question whether this mention is that person; put now when the machine did not."""
    text = "Een medewerker zei eerder dat dit dezelfde persoon is, voordat het formulier werd doorgestuurd"
    reasons = [{"field": "decision", "level": "not_sure", "weight": 0.0, "text": text}]
    db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
        " created_at) VALUES (%s, %s, %s, %s, 'proposed', 'same_person', 0, %s, %s, %s) ON CONFLICT DO NOTHING",
        (uuid7(), own["region_id"], own["mention_id"], person, Jsonb(reasons), rules.version, at),
    )
    row = db.execute(
        "SELECT id FROM link WHERE mention_id = %s AND person_id = %s AND state = 'proposed'",
        (own["mention_id"], person),
    ).fetchone()
    if row is None:
        raise NotFound
    found: UUID = row["id"]
    return found
