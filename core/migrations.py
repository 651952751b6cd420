"""Bring a database to the newest floor plan; one at a time, and never waiting long for a lock."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine

from core import events
from core.database import Db

FOLDER = Path(__file__).resolve().parent.parent / "migrations"
_LOCK = 7_041_201


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def newest() -> str:
    """The revision that this code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(db: Db) -> str | None:
    """The revision that this database has; None for an empty one."""
    if db.execute("SELECT to_regclass('alembic_version') AS t").fetchone() == {"t": None}:
        return None
    row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row["version_num"]) if row else None


def upgrade(url: str) -> None:
    """Run what is missing, in one transaction per revision, under an advisory lock (two starts may race).

    Then the database is told which kind of event each action of this version is.
    """
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
        connection.exec_driver_sql("SET lock_timeout = '5s'")
        connection.commit()
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    with psycopg.connect(url) as own:
        events.store(own)
    engine.dispose()
