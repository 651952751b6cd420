"""One door out: what leaves is a row that was released, is checked again when it goes, and can be held."""

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """The SQL stands beside this file, to be read as SQL."""
    op.get_bind().connection.driver_connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
