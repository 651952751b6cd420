"""The vaults: data keys, sealed raw messages, citizen service numbers, reporters, and secret whereabouts.

What is there already stays plain until `veilig seal` has sealed it, in batches, while the product serves.
"""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """The SQL stands beside this file, to be read as SQL."""
    op.get_bind().connection.driver_connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
