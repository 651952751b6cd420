"""What begins when a report enters a state, and what ends when it leaves one: the same for every move to or from it.

`steps.take` calls `moved` for each move, so that no road into a state can forget what belongs to it. A hook is a
plain function of the report, who moved it and when; it runs in the same transaction and must not move the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from core.database import Db
from radar.casework import feedback, monitoring, tasks
from radar.casework.feedback_text import Moment
from radar.casework.states import CODES, DECISIONS, WAITING

Hook = Callable[[Db, UUID, str, datetime], object]
"""(db, report_id, by, at); what it gives back is not looked at."""

LEAVING: Mapping[str, tuple[Hook, ...]] = {"monitoring": (monitoring.end,)}
ENTERING: Mapping[str, tuple[Hook, ...]] = {"monitoring": (monitoring.begin,)}


def moved(db: Db, report_id: UUID, before: str, after: str, *, by: str, at: datetime) -> None:
    """Run what ends with the state before, then what begins with the state after, in the order of the tables."""
    for hook in (*LEAVING.get(before, ()), *ENTERING.get(after, ())):
        hook(db, report_id, by, at)
    if after not in WAITING:
        tasks.close_task(db, "recheck", report_id, by=by, at=at, outcome=after)


TOLD: Mapping[str, tuple[Moment, str]] = {
    **{move: ("assessment", CODES[move]) for move in DECISIONS},
    "accept": ("closing", CODES["accept"]),
    "accept_and_monitor": ("closing", CODES["accept_and_monitor"]),
    # Our own work is done and nothing was handed over; that somebody follows it is not told to every reporter.
    "monitor": ("closing", CODES["close"]),
    "close": ("closing", CODES["close"]),
}
"""After which moves the reporter is told something, at which of the two moments, and with which code (T5)."""


def tell_reporter(db: Db, report_id: UUID, move: str, *, by: str, at: datetime) -> None:
    """Open the draft of the feedback that belongs to this move; the end of our work is told once."""
    if move not in TOLD:
        return
    moment, code = TOLD[move]
    told = db.execute(
        "SELECT FROM feedback WHERE report_id = %(report)s AND moment = 'closing' AND state IN ('released', 'sent')"
        " AND opened_at > coalesce("
        "   (SELECT max(signed_at) FROM assessment WHERE report_id = %(report)s), '-infinity')",
        {"report": report_id},
    ).fetchone()
    if moment == "assessment" or told is None:
        feedback.draft(db, report_id, moment, code, at, by)
