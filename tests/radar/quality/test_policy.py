"""The figures are checked when they are loaded, and the classes describe the tables as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from core.database import Db
from core.errors import SettingsError
from radar.quality import models
from radar.quality import policy as figures

TABLES = [
    table
    for table in vars(models).values()
    if isinstance(table, type) and issubclass(table, SQLModel) and table.__module__ == models.__name__
]


@pytest.fixture(autouse=True)
def _fresh_policy() -> Iterator[None]:
    figures.policy.cache_clear()
    yield
    figures.policy.cache_clear()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("link_share = 0.01", "link_share = 1.5", "sample.link_share"),
        ("link_share = 0.01", "link_share = 0", "sample.link_share"),
        ("reports = 2000", "reports = 20", "rehearsal: Value error, least <= reports <= most"),
        ("part = 50", "part = 5000", "rehearsal.part"),
        ("floor_bits = -25.0", "", "sample.floor_bits: Field required"),
        ("valid_days", "valid_weeks", "rehearsal.valid_days: Field required"),
    ],
)
def test_a_figure_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = figures.FILE.read_text("utf-8")
    assert old in text
    wrong = tmp_path / "policy.toml"
    wrong.write_text(text.replace(old, new), "utf-8")
    monkeypatch.setattr(figures, "FILE", wrong)
    with pytest.raises(SettingsError, match=r"policy\.toml") as refused:
        figures.policy()
    assert said in refused.value.message


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.__tablename__))
def test_each_class_has_the_columns_of_its_table(db: Db, table: Any) -> None:
    rows = db.execute(
        "SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable,"
        " coalesce(i.indisprimary, false) AS key FROM pg_attribute a"
        " LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey)"
        " WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped",
        (table.__tablename__,),
    ).fetchall()
    in_database = {(row["name"], row["type"], row["nullable"], row["key"]) for row in rows}
    dialect = postgresql.dialect()
    in_class = {
        (column.name, column.type.compile(dialect).lower(), column.nullable, column.primary_key)
        for column in table.__table__.columns
    }
    assert in_class == in_database


def test_every_table_of_the_migration_has_its_class() -> None:
    sql = (Path(figures.__file__).parents[2] / "migrations/versions/0004_quality.sql").read_text("utf-8")
    made = {line.split()[2] for line in sql.splitlines() if line.startswith("CREATE TABLE")}
    assert made == {str(table.__tablename__) for table in TABLES}
