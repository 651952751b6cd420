"""What the forms of a report read: its report, days and moments as people type them, and who did it and when."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypedDict

from core.deadlines import AMSTERDAM
from core.errors import NotFound, VeiligError
from intake.models import Mention, Report
from web.access.guard import Visit
from web.access.scope import as_id, find

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Before this no report was made; and the calendar has no room to reckon at its very ends."""


class Who(TypedDict):
    """The arguments by which casework notes who did something."""

    by: str
    role: str
    at: datetime


def report_of(visit: Visit) -> Report:
    """The report of the address. Raises NotFound, also for one that may not be seen."""
    return find(visit.db, visit.region, Report, visit.request.path_params["id"])


def mention_of(visit: Visit) -> Mention:
    """The person of the address, when he is one of this report. Raises NotFound."""
    path = visit.request.path_params
    mention = find(visit.db, visit.region, Mention, path["persoon"])
    if mention.report_id != as_id(path["id"]):
        raise NotFound
    return mention


def day_of(text: str, missing: VeiligError) -> date:
    """A day as a form sends it, of whatever year. Raises `missing` when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise missing from None


def day(text: str) -> date | None:
    """A day as a form sends it (2026-11-22); None when it is none, or in no year that we work with."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def moment(text: str) -> datetime | None:
    """A day and time as a form sends it (2026-11-22T09:30), as on a clock in the Netherlands; None as for `day`."""
    try:
        found = datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def who(visit: Visit) -> Who:
    """Who does this, in which role and when."""
    return {"by": visit.actor, "role": visit.member.role, "at": visit.at}
