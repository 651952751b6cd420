"""Signing in: second factors, known devices, attempts, sign-up links, resets by two persons, changes of rights."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """The SQL stands beside this file, to be read as SQL."""
    op.get_bind().connection.driver_connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
