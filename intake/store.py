"""The SQL of receipt: everything about one message in one statement, so in one transaction.

Message with its data key, report or quarantine, what is sealed, deadline with its ledger, task, job and audit row
stand or fall together. The statement returns no row when the message is there already; then `known` and `holder_of`
tell which.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from core.database import AsyncDb, Db, Row
from intake.senders import MAY_SEND

# `received_at` is the database's own clock, unless a moment is given (demo, replay of kept messages).
_MESSAGE = """
WITH may_send AS (may_send_query
), moment AS (
    SELECT coalesce(%(at)s, now()) AS at FROM may_send
), term AS (
    SELECT moment.at, t.* FROM moment JOIN jsonb_to_recordset(%(terms)s::jsonb)
        AS t(local_day date, norm_due_on date, legal_due_on date, due_at timestamptz, steps jsonb)
        ON t.local_day = (moment.at AT TIME ZONE 'Europe/Amsterdam')::date
), new_message AS (
    INSERT INTO message (id, region_id, sender_id, channel, reference, received_at, raw, content_sha256, outcome,
        standard, answer_status, answer_type, answer)
    SELECT %(message)s, %(region)s, %(sender)s, %(channel)s, %(reference)s, at, %(raw)s, %(sha256)s, %(outcome)s,
        %(standard)s, %(answer_status)s, %(answer_type)s, %(answer)s FROM term
    ON CONFLICT DO NOTHING
    RETURNING id
), new_key AS (
    INSERT INTO data_key (id, region_id, kek, wrapped) SELECT id, %(region)s, %(kek)s, %(wrapped)s FROM new_message
), new_deadline AS (
    INSERT INTO deadline (id, region_id, kind, subject_id, norm_due_on, legal_due_on, due_at)
    SELECT %(deadline)s, %(region)s, %(deadline_kind)s, %(subject)s, norm_due_on, legal_due_on, due_at
    FROM term, new_message
), new_entry AS (
    INSERT INTO deadline_entry (deadline_id, number, actor, reason, norm_due_on, legal_due_on, due_at, steps)
    SELECT %(deadline)s, 1, %(actor)s, 'ontvangst', norm_due_on, legal_due_on, due_at, steps
    FROM term, new_message
), new_task AS (
    INSERT INTO task (id, region_id, kind, subject_id, risk, received_at, due_at, opened_at, team_since)
    SELECT %(task)s, %(region)s, %(task_kind)s, %(subject)s, %(risk)s, at, due_at, at, at FROM term, new_message
), new_reply AS (
    INSERT INTO outgoing_reply (id, region_id, message_id, kind, body)
    SELECT %(reply)s, %(region)s, %(message)s, %(reply_kind)s, %(reply_body)s FROM new_message
    WHERE %(reply_body)s::bytea IS NOT NULL
    RETURNING id
), new_jobs AS (
    INSERT INTO job (id, region_id, kind, subject_id)
    SELECT %(reply_job)s, %(region)s, 'send_reply', id FROM new_reply
    UNION ALL
    SELECT %(job)s, %(region)s, 'link_report', %(subject)s FROM new_message WHERE %(outcome)s = 'report'
)""".replace("may_send_query", MAY_SEND)

_REPORT = """, new_report AS (
    INSERT INTO report (id, region_id, message_id, sender_id, reporter_kind, reference_of_reporter, received_at,
        supplements, content, remarks, acute_signals, acute_rules)
    SELECT %(subject)s, %(region)s, %(message)s, %(sender)s, %(reporter_kind)s, %(business_key)s, at,
        coalesce(%(supplements)s::uuid, (SELECT r.id FROM report r WHERE r.sender_id = %(sender)s
         AND r.reference_of_reporter = %(business_key)s ORDER BY r.received_at DESC, r.id DESC LIMIT 1)),
        %(content)s::jsonb, %(remarks)s::jsonb, %(signals)s::jsonb, %(acute_rules)s
    FROM term, new_message
), said AS MATERIALIZED (
    SELECT p.* FROM new_message, jsonb_to_recordset(%(mentions)s::jsonb)
        AS p(id uuid, number smallint, role_code smallint, person jsonb, sealed text, bsn_key text)
), new_mentions AS (
    INSERT INTO mention (id, region_id, report_id, number, role_code, person)
    SELECT id, %(region)s, %(subject)s, number, role_code, person FROM said
), new_secrets AS (
    INSERT INTO mention_secret (mention_id, region_id, sealed, bsn_key)
    SELECT id, %(region)s, decode(sealed, 'hex'), decode(bsn_key, 'hex') FROM said WHERE sealed IS NOT NULL
), new_reporter AS (
    INSERT INTO reporter_secret (report_id, region_id, sealed, numbers)
    SELECT %(subject)s, %(region)s, %(identity)s, %(numbers)s FROM new_message
    WHERE num_nonnulls(%(identity)s::bytea, %(numbers)s::bytea) > 0
), new_whereabouts AS (
    INSERT INTO whereabouts (report_id, region_id, sealed)
    SELECT %(subject)s, %(region)s, %(whereabouts)s FROM new_message WHERE %(whereabouts)s::bytea IS NOT NULL
), new_protection AS (
    INSERT INTO protection (id, region_id, mention_id, cause, reason, set_by, set_at)
    SELECT s.id, %(region)s, said.id, 'sign', s.reason, 'system', at
    FROM term, jsonb_to_recordset(%(protected)s::jsonb) AS s(id uuid, number smallint, reason text)
    JOIN said USING (number)
)"""

_QUARANTINE = """, new_quarantine AS (
    INSERT INTO quarantine (id, region_id, message_id, code, reason)
    SELECT %(subject)s, %(region)s, %(message)s, %(code)s, %(reason)s FROM new_message
)"""

_AUDIT = """
SELECT id, audit_append(%(region)s, %(actor)s, %(action)s, %(task_kind)s, %(subject)s, %(details)s::jsonb)
FROM new_message"""


def _short(query: str) -> str:
    """Without white space that says nothing: psycopg reads a statement of over 4096 characters anew at each call."""
    return re.sub(r" ?([,()]) ?", r"\1", " ".join(query.split()))


_STATEMENTS = {
    "report": _short(_MESSAGE + _REPORT + _AUDIT),
    "quarantine": _short(_MESSAGE + _QUARANTINE + _AUDIT),
}


async def insert(db: AsyncDb, values: dict[str, Any]) -> bool:
    """Store one message with all that belongs to it; False when nothing was stored because it is known."""
    cursor = await db.execute(_STATEMENTS[values["outcome"]], values, binary=True)
    return await cursor.fetchone() is not None


def insert_now(db: Db, values: dict[str, Any]) -> bool:
    """The same as `insert`, for who is not a feed and waits for the answer."""
    return db.execute(_STATEMENTS[values["outcome"]], values, binary=True).fetchone() is not None


async def known(db: AsyncDb, sender: UUID, sha256: bytes) -> Row | None:
    """The stored answer to these very bytes of this sender."""
    cursor = await db.execute(
        "SELECT m.answer_status, m.answer_type, m.answer, m.outcome, q.code FROM message m"
        " LEFT JOIN quarantine q ON q.message_id = m.id WHERE m.sender_id = %s AND m.content_sha256 = %s",
        (sender, sha256),
    )
    return await cursor.fetchone()


async def holder_of(db: AsyncDb, sender: UUID, reference: str) -> UUID | None:
    """The message that holds this reference of this sender with other bytes."""
    cursor = await db.execute(
        "SELECT id FROM message WHERE sender_id = %s AND reference = %s AND outcome = 'report'", (sender, reference)
    )
    row = await cursor.fetchone()
    return row["id"] if row else None
