"""The blind sample in PostgreSQL: every statement about it stands here, all within one region."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core.database import Db, Row
from core.ids import uuid7

# ── drawing ─────────────────────────────────────────────────────────────────────────────────────────────────

# Ids are UUIDv7, so a stretch of time is a stretch of the primary key. A link is the machine's own when no question
# was ever asked about it, whatever a person said of it since; a non-link is a mention that has had no other link.
# Which ones are drawn follows from the id alone: a second draw of the same stretch draws the same ones.
_DRAW = """
WITH frame AS MATERIALIZED (
    SELECT l.id, l.mention_id, l.person_id, l.rule_set, 'link' AS stratum, %(link_share)s::float8 AS share
    FROM link l WHERE l.region_id = %(region)s AND l.id > %(first)s AND l.id <= %(last)s
        AND l.outcome = 'same_person' AND l.state <> 'proposed'
        AND NOT EXISTS (SELECT FROM task t WHERE t.subject_id = l.id AND t.kind = 'review_link')
    UNION ALL
    SELECT l.id, l.mention_id, l.person_id, l.rule_set, 'non_link', %(non_link_share)s
    FROM link l WHERE l.region_id = %(region)s AND l.id > %(first)s AND l.id <= %(last)s
        AND l.outcome IN ('new', 'same_household') AND l.state = 'new'
        AND NOT EXISTS (SELECT FROM link o WHERE o.mention_id = l.mention_id AND o.id <> l.id)
), picked AS (
    SELECT frame.*, ('x' || substr(md5(id::text), 1, 8))::bit(32)::bigint < share * 4294967296 AS drawn FROM frame
), counted AS (
    INSERT INTO quality_draw (id, region_id, until, rule_set, stratum, frame, drawn)
    SELECT gen_random_uuid(), %(region)s, %(until)s, rule_set,
        stratum, sum(frame), sum(drawn)
    FROM (
        SELECT rule_set, stratum, count(*) AS frame, count(*) FILTER (WHERE drawn) AS drawn FROM picked GROUP BY 1, 2
        UNION ALL
        SELECT l.rule_set, 'answered_yes', count(*), 0 FROM task t JOIN link l ON l.id = t.subject_id
        WHERE t.region_id = %(region)s AND t.kind = 'review_link' AND t.outcome = 'confirmed'
            AND t.done_at > %(since)s AND t.done_at <= %(until)s
            AND NOT EXISTS (SELECT FROM quality_sample s WHERE s.proposal_id = l.id) GROUP BY 1
    ) AS lines GROUP BY rule_set, stratum
)
SELECT p.id, p.mention_id, p.person_id, p.rule_set, p.stratum, m.report_id
FROM picked p JOIN mention m ON m.id = p.mention_id WHERE p.drawn ORDER BY p.id
"""


def my_turn(db: Db, region: UUID) -> bool:
    """Whether nobody else draws for this region at this moment; holds until the end of the transaction."""
    row = db.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('quality_draw ' || %s::text, 0)) AS mine", (region,)
    ).fetchone()
    return bool(row and row["mine"])


def drawn_until(db: Db, region: UUID) -> datetime | None:
    """Up to when the links of a region were drawn from."""
    row = db.execute("SELECT max(until) AS until FROM quality_draw WHERE region_id = %s", (region,)).fetchone()
    return row["until"] if row else None


def draw(
    db: Db, region: UUID, since: datetime, until: datetime, link_share: float, non_link_share: float
) -> list[Row]:
    """Count the decisions of a stretch of time per rule set and stratum, and give those that are drawn."""
    values = {
        "region": region,
        "since": since,
        "until": until,
        "first": _first_id(since),
        "last": _first_id(until),
        "link_share": link_share,
        "non_link_share": non_link_share,
    }
    return db.execute(_DRAW, values).fetchall()


def _first_id(moment: datetime) -> UUID:
    """Below every UUIDv7 of this millisecond and later."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def look_away_from(db: Db, link: UUID) -> None:
    """Make that a mention's own person is no candidate for it. For a savepoint that is rolled back only."""
    db.execute("UPDATE link SET state = 'rejected', decided_by = 'system', decided_at = now() WHERE id = %s", (link,))


def mentions_of(db: Db, person: UUID, without: UUID, limit: int) -> list[UUID]:
    """The newest mentions of a person, leaving one out."""
    found = db.execute(
        "SELECT l.mention_id FROM link l JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id"
        " WHERE l.person_id = %s AND l.mention_id <> %s AND l.state IN ('new', 'automatic', 'confirmed')"
        " ORDER BY r.received_at DESC, l.mention_id LIMIT %s",
        (person, without, limit),
    )
    return [row["mention_id"] for row in found]


def add(db: Db, region: UUID, drawn: Row, person: UUID, others: Sequence[UUID], at: datetime) -> None:
    """Store a pair to show; the same link twice is one pair."""
    db.execute(
        "INSERT INTO quality_sample (id, region_id, stratum, rule_set, link_id, mention_id, person_id, others,"
        " drawn_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (link_id) DO NOTHING",
        (
            uuid7(),
            region,
            drawn["stratum"],
            drawn["rule_set"],
            drawn["id"],
            drawn["mention_id"],
            person,
            list(others),
            at,
        ),
    )


def count_shown(db: Db, region: UUID, until: datetime, rules: str, shown: dict[tuple[str, str], int]) -> None:
    """Write how many drawn ones can be shown, by (rule set, stratum); and that was drawn, when there was nothing."""
    db.execute(
        "INSERT INTO quality_draw (id, region_id, until, rule_set, stratum, frame, drawn)"
        " VALUES (%s, %s, %s, %s, 'link', 0, 0) ON CONFLICT DO NOTHING",
        (uuid7(), region, until, rules),
    )
    with db.cursor() as cursor:
        cursor.executemany(
            "UPDATE quality_draw SET shown = %s WHERE region_id = %s AND until = %s AND rule_set = %s"
            " AND stratum = %s",
            [(number, region, until, *key) for key, number in shown.items()],
        )


# ── judging ─────────────────────────────────────────────────────────────────────────────────────────────────


def next_open(db: Db, region: UUID, reader: str) -> Row | None:
    """A pair to judge. Each reader has an order of his own, so that two do not judge the same pair at once."""
    return db.execute(
        "SELECT id, mention_id, others FROM quality_sample WHERE region_id = %s AND answer IS NULL"
        " AND mention_id IS NOT NULL ORDER BY md5(id::text || %s) LIMIT 1",
        (region, reader),
    ).fetchone()


def side(db: Db, region: UUID, mentions: Sequence[UUID]) -> list[Row]:
    """What was said of somebody in these mentions, and who stood in the same reports; the newest first."""
    return db.execute(
        "SELECT m.person, r.received_at, r.reporter_kind, ARRAY(SELECT o.person FROM mention o"
        "  WHERE o.report_id = m.report_id AND o.id <> m.id ORDER BY o.number) AS beside"
        " FROM mention m JOIN report r ON r.id = m.report_id WHERE m.region_id = %s AND m.id = ANY(%s)"
        " ORDER BY r.received_at DESC, m.id",
        (region, list(mentions)),
    ).fetchall()


def locked(db: Db, region: UUID, sample: UUID) -> Row | None:
    """A pair, locked."""
    return db.execute(
        "SELECT id, stratum, rule_set, mention_id, person_id, answer FROM quality_sample"
        " WHERE region_id = %s AND id = %s FOR UPDATE",
        (region, sample),
    ).fetchone()


def write_answer(db: Db, sample: UUID, answer: str, proposal: UUID | None, by: str, at: datetime) -> None:
    """Write what the reviewer said."""
    db.execute(
        "UPDATE quality_sample SET answer = %s, proposal_id = %s, answered_by = %s, answered_at = %s WHERE id = %s",
        (answer, proposal, by, at, sample),
    )


def propose(db: Db, sample: Row, reasons: list[dict[str, Any]], at: datetime) -> UUID | None:
    """Ask a person about a link that the machine missed: a proposal, with its task. None when there is none to ask.

    Not asked: when the mention is that person by now, when that person is no more, when it was asked or refused.
    """
    row = db.execute(
        "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
        "  created_at) SELECT %(id)s, a.region_id, a.mention_id, %(person)s, 'proposed', 'same_person', 0,"
        "  %(reasons)s, %(rules)s, %(at)s FROM link a WHERE a.mention_id = %(mention)s AND a.person_id <> %(person)s"
        "  AND a.state IN ('new', 'automatic', 'confirmed') AND EXISTS (SELECT FROM link k"
        "   WHERE k.person_id = %(person)s AND k.state IN ('new', 'automatic', 'confirmed'))"
        " ON CONFLICT DO NOTHING RETURNING id",
        {
            "id": uuid7(),
            "mention": sample["mention_id"],
            "person": sample["person_id"],
            "rules": sample["rule_set"],
            "reasons": Jsonb(reasons),
            "at": at,
        },
    ).fetchone()
    return row["id"] if row else None


# ── what it tells ───────────────────────────────────────────────────────────────────────────────────────────


def strata(db: Db, region: UUID) -> list[Row]:
    """Per rule set and stratum: the frame, what was drawn and shown, and the answers; the newest rule set first."""
    return db.execute(
        "WITH drawn AS (SELECT rule_set, stratum, sum(frame)::int AS frame, sum(drawn)::int AS drawn,"
        "  sum(shown)::int AS shown, max(until) AS until FROM quality_draw WHERE region_id = %(region)s"
        "  GROUP BY 1, 2),"
        " said AS (SELECT rule_set, stratum, count(*) FILTER (WHERE answer = 'same') AS same,"
        "  count(*) FILTER (WHERE answer = 'different') AS different,"
        "  count(*) FILTER (WHERE answer = 'cannot_tell') AS cannot_tell FROM quality_sample"
        "  WHERE region_id = %(region)s AND answer IS NOT NULL GROUP BY 1, 2)"
        " SELECT d.rule_set, d.stratum, d.frame, d.drawn, d.shown, coalesce(s.same, 0) AS same,"
        "  coalesce(s.different, 0) AS different, coalesce(s.cannot_tell, 0) AS cannot_tell FROM drawn d"
        " LEFT JOIN said s ON s.rule_set = d.rule_set AND s.stratum = d.stratum"
        " ORDER BY max(d.until) OVER (PARTITION BY d.rule_set) DESC, d.rule_set, d.stratum",
        {"region": region},
    ).fetchall()


def waiting(db: Db, region: UUID) -> int:
    """How many pairs nobody judged yet."""
    row = db.execute(
        "SELECT count(*) AS n FROM quality_sample WHERE region_id = %s AND answer IS NULL AND mention_id IS NOT NULL",
        (region,),
    ).fetchone()
    return row["n"] if row else 0


def questions(db: Db, region: UUID, limit: int = 100) -> list[Row]:
    """Where a reviewer and the machine do not agree, with how the link stands now; the open ones first.

    A doubt about an automatic link is open until a person confirms or takes back that link; a missed link until its
    proposal is answered.
    """
    return db.execute(
        "SELECT s.stratum, s.answered_at, s.answered_by, l.state, m.report_id,"
        " l.state IN ('automatic', 'proposed') AS open FROM quality_sample s"
        " JOIN link l ON l.id = CASE s.stratum WHEN 'link' THEN s.link_id ELSE s.proposal_id END"
        " JOIN mention m ON m.id = l.mention_id WHERE s.region_id = %s"
        " AND (s.stratum, s.answer) IN (('link', 'different'), ('non_link', 'same'))"
        " ORDER BY open DESC, s.answered_at DESC, s.id LIMIT %s",
        (region, limit),
    ).fetchall()
