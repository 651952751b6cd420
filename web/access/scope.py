"""The region scope: the one place through which a screen reaches a row by its id.

A row of another region and a row that does not exist are the same: NotFound.
"""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from psycopg import sql
from sqlmodel import SQLModel

from core.database import Db
from core.errors import NotFound

Table = TypeVar("Table", bound=SQLModel)


IN_REGION = sql.SQL("SELECT * FROM {} WHERE id = %s AND region_id = %s")


def find(db: Db, region: UUID, table: type[Table], row_id: object) -> Table:
    """The row with this id in this region. Raises NotFound, also for an id that is no UUID."""
    row = db.execute(IN_REGION.format(sql.Identifier(table_name(table))), (as_id(row_id), region)).fetchone()
    if row is None:
        raise NotFound
    return table(**row)


def as_id(text: object) -> UUID:
    """A UUID from a path or a form. Raises NotFound when it is none."""
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFound from None


def id_or_none(text: str) -> UUID | None:
    """A UUID from a form; None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def table_name(table: type[SQLModel]) -> str:
    name: Any = table.__tablename__
    return str(name)
