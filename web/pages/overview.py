"""The lead's overview: what is open and late today, who has it, and how often the terms are kept."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.calendar import MONTHS, ONE_DAY
from core.deadlines import local_day
from radar.casework import dossier, monitoring, overview, shares
from radar.casework.queue import KINDS
from radar.casework.reminders import end_of_next_working_day
from radar.casework.terms import terms
from web.access.guard import Visit
from web.language import constants
from web.pages.queue import PAGES
from web.pages.share_drawing import draw, percent

TITLES = constants(
    {
        "safety_assessment": "Veiligheidsbeoordeling binnen vijf werkdagen",
        "investigation": "Onderzoek binnen tien weken",
        "person_notice": "Bericht aan betrokkenen op tijd",
        "feedback": "Terugkoppeling aan de melder op tijd",
    }
)


def show(visit: Visit) -> Response:
    teams = [team for team in dossier.teams(visit.db, visit.region) if team["kind"] == "veilig_thuis"]
    team = _team(visit.request.query_params.get("team"), visit.member.team, {row["id"] for row in teams})
    now = overview.today(visit.db, visit.region, team, visit.at)
    found = shares.per_month(visit.db, visit.region, team, visit.at)
    visit.note("overview.view", "overview", details={"team": str(team) if team else None})
    return visit.show(
        "overview.html",
        today=now,
        longest=overview.longest_waiting(visit.db, visit.region, team),
        kept=[_kept(kind, list(months)) for kind, months in groupby(found, key=lambda one: one.kind)],
        percent=percent,
        teams=teams,
        team=team,
        soon_day=local_day(end_of_next_working_day(visit.at)) - ONE_DAY,
        month_text=lambda day: f"{MONTHS[day.month - 1]} {day.year}",
        queue=lambda **asked: _queue(team, **asked),
        page_of=lambda task: PAGES[task["kind"]].format(report=task["report_id"], subject=task["subject_id"]),
        kinds=KINDS,
        violence=monitoring.shares(visit.db, visit.region, visit.at),
    )


def _team(asked: str | None, own: UUID | None, known: set[UUID]) -> UUID | None:
    """The team to look at: what was asked, else his own; None for all."""
    if not asked:
        return own
    if asked == "alle":
        return None
    try:
        if (team := UUID(asked)) in known:
            return team
    except ValueError:
        pass
    raise HTTPException(400)


def _kept(kind: str, months: list[shares.Share]) -> dict[str, Any]:
    """One kind with its norm, its drawing, and its months newest first for the table."""
    norm = terms().terms[kind].share
    title = TITLES.get(kind, f"{terms().terms[kind].title} op tijd")
    return {"kind": kind, "title": title, "norm": norm, "drawing": draw(months, norm), "months": months[::-1]}


def _queue(team: UUID | None, **asked: str) -> str:
    """The rows of the queue behind a number on this page."""
    return "/wachtrij?" + urlencode({"team": str(team) if team else "alle"} | asked)
