"""The safety-assessment term of what comes in, for each day on which it can come in.

The database's clock says when a message is received; the calendar lives here. So a statement takes along the term
of the day that our clock has, the database uses it only when that is its own day too, and near midnight the
neighbouring days are tried.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from core.calendar import DECREE_DAYS, checked_calendar
from core.deadlines import AMSTERDAM, AssessmentDeadline, Policy, local_day, safety_assessment
from core.documents import Kind, Version
from core.settings import settings

calendar = Kind(
    "holidays", "file of days by royal decree", lambda: settings().decree_days or DECREE_DAYS, checked_calendar
)
"""The working days in force; raises at the start when the operator's file is wrong."""


def term_of_day(received_on: date) -> AssessmentDeadline:
    """Both readings of the five days for a message received on this day; the hour does not matter."""
    noon = datetime.combine(received_on, time(12), tzinfo=AMSTERDAM)
    return safety_assessment(noon, calendar(), Policy(day_zero_rule=settings().day_zero_rule))


def terms_on(days: tuple[date, ...]) -> str:
    """JSON: the term of each of these days, as rows for the statement of receipt."""
    return "[" + ",".join(_row(day, calendar.version()) for day in days) + "]"


def days_around(moment: datetime | None) -> tuple[tuple[date, ...], ...]:
    """The local days to try, the likely one first: that of our clock, then its neighbours (midnight is near)."""
    day = local_day(moment or datetime.now(UTC))
    return (day,), (day - timedelta(days=1), day + timedelta(days=1))


@lru_cache(maxsize=64)
def _row(day: date, counted_with: Version | None) -> str:
    term = term_of_day(day)
    row = {
        "local_day": day.isoformat(),
        "norm_due_on": term.norm.due_on.isoformat(),
        "legal_due_on": term.legal.due_on.isoformat(),
        "due_at": term.due_at.isoformat(),
        "steps": term.to_json(),
    }
    return json.dumps(row, ensure_ascii=False)
