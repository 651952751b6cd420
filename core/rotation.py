"""Rotation of the key ring: which key is used by what, and bringing everything to the newest one, in batches.

A data key is wrapped anew; what it sealed stays as it is. A value that the ring itself sealed is sealed anew. Both
are found by looking, in every table, so that no list of them can be forgotten. Readers never wait: each row has the
old or the new key, and both are in the ring until nothing uses the old one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql

from core.database import Db
from core.errors import SettingsError
from core.keyring import ring
from core.sealing import BY_RING, MARK, rewrap, ring_key_id, seal, unseal

BATCH = 500
"""Rows per transaction: a fraction of a second."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of bytes, with the primary key that names its rows ('' when that is more than one column)."""

    table: str
    name: str
    key: str

    def query(self, text: str) -> sql.Composed:
        """A query with {table}, {column} and {key} filled in."""
        names = {"table": self.table, "column": self.name, "key": self.key or self.name}
        return sql.SQL(text).format(**{name: sql.Identifier(one) for name, one in names.items()})


def columns(db: Db) -> list[Column]:
    """Every column that may hold a value sealed by the ring; not the wrapped data keys."""
    rows = db.execute(
        "SELECT c.relname AS table, a.attname AS name, CASE WHEN array_length(i.indkey::int2[], 1) = 1 THEN"
        " (SELECT k.attname FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attnum = i.indkey[0]) END AS key"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
        " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'"
        " AND a.atttypid = 'bytea'::regtype AND (c.relname, a.attname) <> ('data_key', 'wrapped') ORDER BY 1, 2"
    ).fetchall()
    return [Column(row["table"], row["name"], row["key"] or "") for row in rows]


def uses(db: Db) -> dict[str, tuple[int, int]]:
    """Per key, also one that the ring lacks: how many data keys and how many values need it."""
    wrapped = Counter(
        {
            row["kek"]: int(row["n"])
            for row in db.execute("SELECT kek, count(*) AS n FROM data_key WHERE destroyed_at IS NULL GROUP BY kek")
        }
    )
    values: Counter[str] = Counter()
    for column in columns(db):
        for row in db.execute(column.query(_HEADS), {"mark": MARK + BY_RING}):
            values[ring_key_id(bytes(row["head"]))] += int(row["n"])
    names = [*(key.id for key in ring().keys), *sorted({*wrapped, *values})]
    return {name: (wrapped[name], values[name]) for name in dict.fromkeys(names)}


# The length of the key's id stands behind the mark: cut off there, each key gives one head.
_HEADS = """
SELECT substring({column} FROM 1 FOR 6 + get_byte({column}, 5)) AS head, count(*) AS n FROM {table}
WHERE substring({column} FROM 1 FOR 5) = %(mark)s AND length({column}) > 6 GROUP BY 1
"""


def left(db: Db) -> int:
    """How many data keys and values do not have the newest key yet."""
    newest = ring().newest.id
    return sum(sum(counts) for name, counts in uses(db).items() if name != newest)


def advance(db: Db) -> Iterator[int]:
    """Bring everything to the newest key, a batch per transaction; gives how many each batch brought.

    May be broken off at any moment and started again. Raises SettingsError when a value has no row to be found by,
    core.sealing.Unreadable when a key is not in the ring.
    """
    rows = db.execute("SELECT DISTINCT kek FROM data_key WHERE destroyed_at IS NULL").fetchall()
    old = [row["kek"] for row in rows if row["kek"] != ring().newest.id]
    last: UUID | None = UUID(int=0) if old else None
    while last:
        done, last = _rewrap(db, old, last)
        yield done
    for column in columns(db):
        while done := _reseal(db, column):
            yield done


def _rewrap(db: Db, old: list[str], after: UUID) -> tuple[int, UUID | None]:
    """One batch; gives how many, and the last one when there may be more."""
    with db.transaction():
        rows = db.execute(
            "SELECT id, wrapped FROM data_key WHERE id > %s AND kek = ANY(%s) AND destroyed_at IS NULL ORDER BY id"
            " LIMIT %s FOR NO KEY UPDATE",
            (after, old, BATCH),
        ).fetchall()
        made = [(row["id"], *rewrap(row["id"], bytes(row["wrapped"]))) for row in rows]
        db.execute(
            "UPDATE data_key k SET kek = n.kek, wrapped = n.wrapped"
            " FROM unnest(%s::uuid[], %s::text[], %s::bytea[]) AS n (id, kek, wrapped) WHERE k.id = n.id",
            ([one[0] for one in made], [one[1] for one in made], [one[2] for one in made]),
        )
    return len(made), rows[-1]["id"] if len(rows) == BATCH else None


_OLD = """
SELECT {key} AS key, {column} AS value FROM {table} WHERE substring({column} FROM 1 FOR 5) = %(mark)s
AND substring({column} FROM 1 FOR %(length)s) <> %(newest)s LIMIT %(batch)s FOR NO KEY UPDATE
"""


def _reseal(db: Db, column: Column) -> int:
    newest = MARK + BY_RING + bytes([len(ring().newest.id)]) + ring().newest.id.encode()
    asked = {"mark": MARK + BY_RING, "newest": newest, "length": len(newest), "batch": BATCH}
    with db.transaction():
        rows = db.execute(column.query(_OLD), asked).fetchall()
        if rows and not column.key:
            raise SettingsError(f"Table {column.table} has no single key: its sealed values cannot be rotated.")
        for row in rows:
            place = f"{column.table}.{column.name}:{row['key']}"
            value = seal(unseal(bytes(row["value"]), place), place)
            db.execute(column.query("UPDATE {table} SET {column} = %s WHERE {key} = %s"), (value, row["key"]))
    return len(rows)
