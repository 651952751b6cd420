"""Find a text anywhere in the database: in each row of each table, plain or as bytes."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from core.database import Db


def tables_with(db: Db, canaries: Iterable[str]) -> dict[str, list[str]]:
    """Per canary the tables of which a row holds it, whatever its column; empty: it is nowhere."""
    tables = [
        row["name"]
        for row in db.execute(
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_type = 'BASE TABLE' ORDER BY 1"
        )
    ]
    assert len(tables) > 40
    found: dict[str, list[str]] = {}
    for table in tables:
        query = sql.SQL("SELECT lower(to_jsonb(t)::text) AS row FROM {} t").format(sql.Identifier(table))
        text = "\n".join(row["row"] for row in db.execute(query))
        for canary in canaries:
            if canary.lower() in text or canary.encode().hex() in text:
                found.setdefault(canary, []).append(table)
    return found
