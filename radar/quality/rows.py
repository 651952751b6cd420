"""Rule sets and rehearsals in PostgreSQL: every statement about them stands here, all within one region."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core.database import Db, Row
from core.ids import uuid7

# ── rule sets ───────────────────────────────────────────────────────────────────────────────────────────────


def newest_activation(db: Db, region: UUID) -> Row | None:
    """The version in force: one read of one index."""
    return db.execute(
        "SELECT version, rule_set_id, number FROM rule_activation WHERE region_id = %s ORDER BY number DESC LIMIT 1",
        (region,),
    ).fetchone()


def regions(db: Db) -> list[Row]:
    """Every region that may have rules of its own; none in a database from before there were any."""
    if db.execute("SELECT to_regclass('rule_activation') AS t").fetchone() == {"t": None}:
        return []
    return db.execute("SELECT id, name FROM region ORDER BY name").fetchall()


def activations(db: Db, region: UUID, limit: int = 20) -> list[Row]:
    """Which rule sets were in force, the newest first."""
    return db.execute(
        "SELECT number, version, rehearsal_id, activated_at, activated_by, reason FROM rule_activation"
        " WHERE region_id = %s ORDER BY number DESC LIMIT %s",
        (region, limit),
    ).fetchall()


def stored_rule_sets(db: Db, region: UUID) -> list[Row]:
    """What the region added, without the documents, oldest first."""
    return db.execute(
        "SELECT id, version, document ->> 'source' AS source, added_at, added_by FROM rule_set"
        " WHERE region_id = %s ORDER BY added_at, id",
        (region,),
    ).fetchall()


def stored_rule_set(db: Db, region: UUID, version: str) -> UUID | None:
    """The id of an added rule set."""
    row = db.execute("SELECT id FROM rule_set WHERE region_id = %s AND version = %s", (region, version)).fetchone()
    return row["id"] if row else None


def stored_document(db: Db, rule_set: UUID) -> dict[str, Any] | None:
    """An added rule set as it was given."""
    row = db.execute("SELECT document FROM rule_set WHERE id = %s", (rule_set,)).fetchone()
    return row["document"] if row else None


def add_rule_set(db: Db, region: UUID, version: str, document: dict[str, Any], by: str, at: datetime) -> UUID | None:
    """Its id, or None when the version is taken."""
    row = db.execute(
        "INSERT INTO rule_set (id, region_id, version, document, added_at, added_by) VALUES (%s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (region_id, version) DO NOTHING RETURNING id",
        (uuid7(), region, version, Jsonb(document), at, by),
    ).fetchone()
    return row["id"] if row else None


def wait_for_turn(db: Db, region: UUID) -> None:
    """One activation at a time in a region, until the end of the transaction; nobody who only reads waits."""
    db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s::text, 0))", (f"rules:{region}",))


def activate(db: Db, rehearsal: Row, number: int, reason: str, by: str, at: datetime) -> UUID:
    """Write that a rehearsed rule set is in force from now on."""
    activation = uuid7()
    db.execute(
        "INSERT INTO rule_activation (id, region_id, number, version, rule_set_id, rehearsal_id, activated_at,"
        " activated_by, reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            activation,
            rehearsal["region_id"],
            number,
            rehearsal["version"],
            rehearsal["rule_set_id"],
            rehearsal["id"],
            at,
            by,
            reason,
        ),
    )
    return activation


# ── rehearsals ──────────────────────────────────────────────────────────────────────────────────────────────


def newest_reports(db: Db, region: UUID, limit: int, part: int) -> list[list[UUID]]:
    """The newest linked reports of a region, in parts, the newest first."""
    found = db.execute(
        "WITH newest AS (SELECT id, row_number() OVER (ORDER BY received_at DESC, id DESC) AS place FROM report"
        " WHERE region_id = %s AND linked_at IS NOT NULL ORDER BY received_at DESC, id DESC LIMIT %s),"
        " placed AS (SELECT id, place, (place - 1) / %s AS part FROM newest)"
        " SELECT array_agg(id ORDER BY place) AS reports FROM placed GROUP BY part ORDER BY part",
        (region, limit, part),
    )
    return [row["reports"] for row in found]


def add_rehearsal(db: Db, values: dict[str, Any], parts: Sequence[Sequence[UUID]]) -> list[UUID]:
    """Write a rehearsal with its parts; gives the ids of the parts in order."""
    db.execute(
        "INSERT INTO rehearsal (id, region_id, version, rule_set_id, against, against_rule_set_id, reports, asked_at,"
        " asked_by) VALUES (%(id)s, %(region)s, %(version)s, %(rule_set)s, %(against)s, %(against_rule_set)s,"
        " %(reports)s, %(at)s, %(by)s)",
        values,
    )
    ids = [uuid7() for _ in parts]
    lines = [
        (one, values["region"], values["id"], number, list(reports))
        for number, (one, reports) in enumerate(zip(ids, parts, strict=True), start=1)
    ]
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO rehearsal_part (id, region_id, rehearsal_id, number, reports) VALUES (%s, %s, %s, %s, %s)",
            lines,
        )
    return ids


def rehearsal(db: Db, region: UUID, rehearsal_id: UUID) -> Row | None:
    """A rehearsal with its progress and its sums; `stopped_job` is the job of a part that nobody carries out."""
    return db.execute(
        "SELECT r.*, p.*, (SELECT j.id FROM rehearsal_part q JOIN job j ON j.kind = 'rehearse_rules'"
        " AND j.subject_id = q.id AND j.state = 'dead' WHERE q.rehearsal_id = r.id LIMIT 1) AS stopped_job"
        " FROM rehearsal r CROSS JOIN LATERAL (SELECT"
        " coalesce(sum(cardinality(reports)) FILTER (WHERE done_at IS NOT NULL), 0) AS done,"
        " coalesce(sum(weighed), 0) AS weighed, coalesce(sum(mentions), 0) AS mentions,"
        " coalesce(sum(questions_before), 0) AS questions_before,"
        " coalesce(sum(questions_after), 0) AS questions_after"
        " FROM rehearsal_part WHERE rehearsal_id = r.id) AS p WHERE r.region_id = %s AND r.id = %s",
        (region, rehearsal_id),
    ).fetchone()


def rehearsals(db: Db, region: UUID, limit: int = 20) -> list[Row]:
    """The newest rehearsals, with how far they are."""
    return db.execute(
        "SELECT r.id, r.version, r.against, r.reports, r.asked_at, r.asked_by, r.finished_at,"
        " (SELECT coalesce(sum(cardinality(reports)), 0) FROM rehearsal_part p"
        "  WHERE p.rehearsal_id = r.id AND p.done_at IS NOT NULL) AS done"
        " FROM rehearsal r WHERE r.region_id = %s ORDER BY r.asked_at DESC, r.id DESC LIMIT %s",
        (region, limit),
    ).fetchall()


def newest_rehearsal(db: Db, region: UUID, version: str) -> UUID | None:
    """The last rehearsal of a version that was asked for."""
    row = db.execute(
        "SELECT id FROM rehearsal WHERE region_id = %s AND version = %s ORDER BY asked_at DESC, id DESC LIMIT 1",
        (region, version),
    ).fetchone()
    return row["id"] if row else None


def part(db: Db, part_id: UUID) -> Row | None:
    """A part with what its rehearsal compares, locked."""
    return db.execute(
        "SELECT p.id, p.region_id, p.rehearsal_id, p.number, p.reports, p.done_at, r.version, r.rule_set_id,"
        " r.against, r.against_rule_set_id FROM rehearsal_part p JOIN rehearsal r ON r.id = p.rehearsal_id"
        " WHERE p.id = %s FOR UPDATE OF p",
        (part_id,),
    ).fetchone()


def next_part(db: Db, rehearsal_id: UUID) -> UUID | None:
    """The first part that is not done."""
    row = db.execute(
        "SELECT id FROM rehearsal_part WHERE rehearsal_id = %s AND done_at IS NULL ORDER BY number LIMIT 1",
        (rehearsal_id,),
    ).fetchone()
    return row["id"] if row else None


def finish_part(db: Db, part_id: UUID, counted: dict[str, int], changes: Sequence[dict[str, Any]]) -> None:
    """Write the outcome of a part."""
    db.execute(
        "UPDATE rehearsal_part SET done_at = now(), weighed = %(weighed)s, mentions = %(mentions)s,"
        " questions_before = %(questions_before)s, questions_after = %(questions_after)s WHERE id = %(id)s",
        {"id": part_id, **counted},
    )
    with db.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO rehearsal_change (rehearsal_id, mention_id, region_id, report_id, kind, contradicts,"
            " before_outcome, before_state, before_score, after_outcome, after_state, after_score) VALUES"
            " (%(rehearsal)s, %(mention)s, %(region)s, %(report)s, %(kind)s, %(contradicts)s, %(before_outcome)s,"
            " %(before_state)s, %(before_score)s, %(after_outcome)s, %(after_state)s, %(after_score)s)",
            changes,
        )


def finish(db: Db, rehearsal_id: UUID) -> None:
    """The last part is done."""
    db.execute("UPDATE rehearsal SET finished_at = now() WHERE id = %s", (rehearsal_id,))


def mentions(db: Db, report_id: UUID) -> list[UUID]:
    """The mentions of a report, in order."""
    found = db.execute("SELECT id FROM mention WHERE report_id = %s ORDER BY number", (report_id,))
    return [row["id"] for row in found]


def confirmed_person(db: Db, mention: UUID) -> UUID | None:
    """Who a member of staff said this mention is."""
    row = db.execute(
        "SELECT person_id FROM link WHERE mention_id = %s AND state = 'confirmed'", (mention,)
    ).fetchone()
    return row["person_id"] if row else None


def told_apart(db: Db, mention: UUID, person: UUID) -> bool:
    """Whether a member of staff said that this mention, or the person it is now, is not that person."""
    row = db.execute(
        "SELECT EXISTS (SELECT FROM link WHERE mention_id = %(mention)s AND person_id = %(person)s"
        "  AND state = 'rejected') OR EXISTS ("
        " SELECT FROM link own CROSS JOIN LATERAL (VALUES (own.person_id, %(person)s), (%(person)s, own.person_id))"
        "  AS pair (one, other)"
        " JOIN link x ON x.person_id = pair.one AND x.state IN ('new', 'automatic', 'confirmed')"
        " JOIN link r ON r.mention_id = x.mention_id AND r.person_id = pair.other AND r.state = 'rejected'"
        " WHERE own.mention_id = %(mention)s AND own.state IN ('new', 'automatic', 'confirmed')) AS apart",
        {"mention": mention, "person": person},
    ).fetchone()
    return bool(row and row["apart"])


def change_counts(db: Db, rehearsal_id: UUID) -> dict[str, int]:
    """Kind of change to how many mentions; the key `contradicts` counts those against a person's word."""
    found = db.execute(
        "SELECT kind, count(*) AS n, count(contradicts) AS against FROM rehearsal_change WHERE rehearsal_id = %s"
        " GROUP BY kind",
        (rehearsal_id,),
    ).fetchall()
    return {row["kind"]: row["n"] for row in found} | {"contradicts": sum(row["against"] for row in found)}


def question_changes(db: Db, rehearsal_id: UUID) -> tuple[int, int]:
    """How many questions to a person come, and how many go."""
    row = db.execute(
        "SELECT count(*) FILTER (WHERE after_state = 'proposed') AS more,"
        " count(*) FILTER (WHERE before_state = 'proposed') AS less FROM rehearsal_change"
        " WHERE rehearsal_id = %s AND before_state <> after_state",
        (rehearsal_id,),
    ).fetchone()
    return (row["more"], row["less"]) if row else (0, 0)


def changes(db: Db, region: UUID, rehearsal_id: UUID, kind: str | None, limit: int, after: int) -> list[Row]:
    """The mentions that would change, against a person's word first, then the newest report."""
    return db.execute(
        "SELECT c.*, m.number, r.received_at, r.reporter_kind FROM rehearsal_change c"
        " JOIN mention m ON m.id = c.mention_id JOIN report r ON r.id = c.report_id"
        " WHERE c.region_id = %(region)s AND c.rehearsal_id = %(rehearsal)s"
        " AND (%(kind)s::text IS NULL OR c.kind = %(kind)s"
        "  OR (%(kind)s = 'contradicts' AND c.contradicts IS NOT NULL))"
        " ORDER BY c.contradicts IS NULL, r.received_at DESC, c.report_id, m.number LIMIT %(limit)s OFFSET %(after)s",
        {"region": region, "rehearsal": rehearsal_id, "kind": kind, "limit": limit, "after": after},
    ).fetchall()
