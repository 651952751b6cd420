"""What the vaults say of a file before something of it goes to a person concerned: reporter, marks, secret places."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from core.database import Db
from radar.protection import marks, reporters, whereabouts


def may_tell(db: Db, report_id: UUID) -> bool:
    """Whether the persons concerned may know who reported."""
    return reporters.may_tell(db, report_id)


def marked(db: Db, report_id: UUID) -> list[str]:
    """What somebody marked as traceable to the reporter (herleidbaar), near this report."""
    return marks.pieces_near(db, report_id)


def without(texts: Sequence[str], pieces: Sequence[str]) -> list[str]:
    """The texts without these pieces."""
    return marks.cut(texts, pieces)


def place_is_secret(db: Db, report_id: UUID) -> bool:
    """Whether the place of somebody in this report is secret."""
    return whereabouts.is_hidden(db, report_id)


def has_number(db: Db, mention_id: UUID) -> bool:
    """Whether a citizen service number of this person is in the vault."""
    return db.execute("SELECT FROM mention_secret WHERE mention_id = %s", (mention_id,)).fetchone() is not None
