"""The SQL of the registers. The database decides who may change them, and notes each change (migration 0017)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from core.database import Db, Row
from core.errors import NotFound
from core.ids import uuid7
from radar.registers.kinds import Register
from radar.registers.typed import Names

PAGE = 50
"""Lines or changes on one page."""


def listing(db: Db, region: UUID, register: Register) -> list[Row]:
    """Every line of this register: `id`, its columns and `version`; of senders also `revoked_at`."""
    return db.execute(
        _select(register) + sql.SQL(" ORDER BY {}").format(sql.SQL(register.order)), (region,)
    ).fetchall()


def one(db: Db, region: UUID, register: Register, object_id: UUID, *, lock: bool = False) -> Row:
    """One line. With `lock` nobody else changes it before this transaction ends. Raises NotFound."""
    query = _select(register) + sql.SQL(" AND o.id = %s") + sql.SQL(" FOR NO KEY UPDATE OF o" if lock else "")
    row = db.execute(query, (region, object_id)).fetchone()
    if row is None:
        raise NotFound
    if lock:  # the version as it is now that nobody else can change it
        row = db.execute(_select(register) + sql.SQL(" AND o.id = %s"), (region, object_id)).fetchone()
        if row is None:
            raise NotFound
    return row


def _select(register: Register) -> sql.Composed:
    more = sql.SQL(", o.revoked_at, o.created_at") if register.table == "sender" else sql.SQL("")
    return sql.SQL(
        "SELECT o.id, {}{}, coalesce((SELECT max(c.version) FROM register_change c WHERE c.kind = {}"
        " AND c.object_id = o.id), 0) AS version FROM {} o WHERE {} = %s AND ({})"
    ).format(
        sql.SQL(", ").join(sql.SQL("o.{}").format(sql.Identifier(column)) for column in register.columns),
        more,
        sql.Literal(register.table),
        sql.Identifier(register.table),
        sql.SQL("o.id") if register.table == "region" else sql.SQL("o.region_id"),
        sql.SQL(register.where),
    )


def insert(db: Db, region: UUID, register: Register, values: Mapping[str, Any]) -> UUID:
    """A new line; the caller settled that the values fit."""
    made = uuid7()
    row = {"id": made, "region_id": region, **register.always, **values}
    db.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(register.table),
            sql.SQL(", ").join(sql.Identifier(name) for name in row),
            sql.SQL(", ").join(sql.Placeholder(name) for name in row),
        ),
        row,
    )
    return made


def update(db: Db, region: UUID, register: Register, object_id: UUID, values: Mapping[str, Any]) -> None:
    """Other values for a line, but for what only counts when it is added. Raises NotFound."""
    fixed = {one.column for one in register.fields if one.fixed}
    row = {column: value for column, value in values.items() if column not in fixed}
    changed = db.execute(
        sql.SQL("UPDATE {} SET {} WHERE id = %(id)s AND {} = %(region)s").format(
            sql.Identifier(register.table),
            sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(c), sql.Placeholder(c)) for c in row),
            sql.SQL("id") if register.table == "region" else sql.SQL("region_id"),
        ),
        {**row, "id": object_id, "region": region},
    )
    if changed.rowcount != 1:
        raise NotFound


def names(db: Db, region: UUID) -> Names:
    """All teams by id, with the days between which they exist."""
    rows = db.execute(
        "SELECT id, name, kind = 'veilig_thuis' AS ours, valid_from, valid_to FROM team WHERE region_id = %s"
        " ORDER BY name",
        (region,),
    ).fetchall()
    return Names(
        {row["id"]: row["name"] for row in rows if row["ours"]},
        {row["id"]: row["name"] for row in rows if not row["ours"]},
        {row["id"]: (row["valid_from"], row["valid_to"]) for row in rows},
    )


def team_load(db: Db, team: UUID) -> dict[str, Any]:
    """How much lies with a team: tasks, cases, watches, staff, handovers, senders, lines. Raises NotFound."""
    row = db.execute("SELECT team_load(%s) AS load", (team,)).fetchone()
    if row is None or row["load"] is None:
        raise NotFound
    load: dict[str, Any] = row["load"]
    return load


def settle_ended_teams(db: Db, day: date) -> int:
    """Give what lies with teams that ended before this day to their successors; how many teams that were."""
    row = db.execute("SELECT settle_ended_teams(%s) AS n", (day,)).fetchone()
    return int(row["n"]) if row else 0


def addresses(db: Db, region: UUID, since: datetime) -> list[Row]:
    """`addresses` (kind, digits of the postcode, place) and of how many `reports`, received from this moment on."""
    return db.execute("SELECT * FROM routing_addresses(%s, %s)", (region, since)).fetchall()


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────


def changes(
    db: Db, region: UUID, table: str | None = None, object_id: UUID | None = None, before: datetime | None = None
) -> list[Row]:
    """The changes, newest first, one page; `last` is whether nothing was changed on that object after it."""
    return db.execute(
        "SELECT c.*, NOT EXISTS (SELECT FROM register_change n WHERE n.kind = c.kind AND n.object_id = c.object_id"
        " AND n.version > c.version) AS last FROM register_change c WHERE c.region_id = %(region)s"
        " AND (%(table)s::text IS NULL OR c.kind = %(table)s)"
        " AND (%(object)s::uuid IS NULL OR c.object_id = %(object)s)"
        " AND (%(before)s::timestamptz IS NULL OR c.at < %(before)s) ORDER BY c.at DESC, c.id DESC LIMIT %(most)s",
        {"region": region, "table": table, "object": object_id, "before": before, "most": PAGE},
    ).fetchall()


def change_of(db: Db, region: UUID, change: UUID) -> Row:
    """One change. Raises NotFound."""
    row = db.execute("SELECT * FROM register_change WHERE id = %s AND region_id = %s", (change, region)).fetchone()
    if row is None:
        raise NotFound
    return row


def because(db: Db, *, draft: UUID | None = None, undoes: UUID | None = None) -> None:
    """Tell the changes of this transaction where they come from."""
    db.execute(
        "SELECT set_config('veilig.draft', %s, true), set_config('veilig.undoes', %s, true)",
        (str(draft or ""), str(undoes or "")),
    )


# ── drafts ──────────────────────────────────────────────────────────────────────────────────────────────────


def draft(db: Db, region: UUID, register: Register, *, lock: bool = False) -> Row | None:
    """The draft of this register that is open now."""
    query = "SELECT * FROM register_draft WHERE region_id = %s AND register = %s AND ended_at IS NULL"
    return db.execute(query + (" FOR UPDATE" if lock else ""), (region, register.path)).fetchone()


def add_draft(db: Db, region: UUID, register: Register, lines: list[dict[str, str]], by: str, at: datetime) -> UUID:
    made = uuid7()
    db.execute(
        "INSERT INTO register_draft (id, region_id, register, lines, made_by, made_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (made, region, register.path, Jsonb(lines), by, at),
    )
    return made


def set_lines(db: Db, draft_id: UUID, lines: list[dict[str, str]]) -> None:
    db.execute(
        "UPDATE register_draft SET lines = %s, version = version + 1, rehearsal = NULL, rehearsed_version = NULL"
        " WHERE id = %s",
        (Jsonb(lines), draft_id),
    )


def set_rehearsal(db: Db, draft_id: UUID, rehearsal: dict[str, Any]) -> None:
    db.execute(
        "UPDATE register_draft SET rehearsal = %s, rehearsed_version = version WHERE id = %s",
        (Jsonb(rehearsal), draft_id),
    )


def end_draft(db: Db, draft_id: UUID, outcome: str, by: str, at: datetime) -> None:
    db.execute(
        "UPDATE register_draft SET ended_at = %s, ended_by = %s, outcome = %s WHERE id = %s",
        (at, by, outcome, draft_id),
    )
