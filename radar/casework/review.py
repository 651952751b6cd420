"""A person's word on a link, with all that follows: the register first, then the case of the report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from core.database import Db
from radar.casework.cases import follow_household
from radar.linking import correct
from radar.linking.correct import Consequence

Word = Callable[[Db, UUID, str, datetime], list[Consequence]]


def confirm(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    """The same person. Raises what `radar.linking.correct.confirm` raises."""
    return _say(correct.confirm, db, link_id, by, at)


def reject(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    """Different people, for ever. Raises what `radar.linking.correct.reject` raises."""
    return _say(correct.reject, db, link_id, by, at)


def undo(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    """Take the link back exactly. Raises what `radar.linking.correct.undo` raises."""
    return _say(correct.undo, db, link_id, by, at)


def _say(word: Word, db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    found = word(db, link_id, by, at)
    row = db.execute(
        "SELECT m.report_id FROM link l JOIN mention m ON m.id = l.mention_id WHERE l.id = %s", (link_id,)
    ).fetchone()
    case = follow_household(db, row["report_id"], by, at) if row else None
    if case:
        found.append(Consequence("case_changed", case, "De melding hoort nu bij een andere casus"))
    return found
