"""What the vaults say of something that leaves, in words of yes and no: reporter, marks and secret addresses."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from core.database import Db, Row
from intake.protected import Mask
from radar.protection import marks, reporters, whereabouts


def is_protected(db: Db, mention_id: UUID) -> bool:
    """Whether the whereabouts of this person are secret."""
    return whereabouts.is_protected(db, mention_id)


def has_marked(db: Db, report_id: UUID, texts: Sequence[str]) -> bool:
    """Whether one of these texts holds a piece that somebody marked as traceable to the reporter (herleidbaar)."""
    return list(marks.without(db, report_id, texts)) != list(texts)


def has_secret(db: Db, report_id: UUID, texts: Sequence[str]) -> bool:
    """Whether one of these texts holds an address or number that is in the vault (security.md D1)."""
    mask = Mask(marks.known(db, report_id))
    return any(mask.found(text) for text in texts)


def is_concerned(db: Db, report_id: UUID) -> bool:
    """Whether the reporter may be one of the persons concerned himself (security.md D6). Raises NotFound."""
    return bool(reporters.is_concerned(db, report_id))


def newly_concerned(db: Db, outgoing: Row) -> bool:
    """Whether it goes to a reporter who may be concerned himself, and nobody knew that at the release."""
    if outgoing["recipient_kind"] != "sender" or outgoing["report_id"] is None:
        return False
    return "reporter_concerned" not in outgoing["dangers"] and is_concerned(db, outgoing["report_id"])


def may_tell(db: Db, report_id: UUID) -> bool:
    """Whether it may be told outside who reported. Raises NotFound."""
    return reporters.may_tell(db, report_id)
