"""Quality: what the blind sample says of the radar, for the lead; and the pairs that people judge blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response

from core.database import Row
from core.errors import Conflict
from radar.quality import sample, sample_rows
from radar.quality.models import QualitySample
from radar.quality.policy import policy
from radar.quality.sample import ANSWERS, UnknownAnswer
from web import wording
from web.access.guard import Visit
from web.access.scope import find
from web.pages.interval_drawing import draw, percent, with_interval
from web.pages.side_by_side import VERDICTS, side_by_side

PAIR = "/kwaliteit/steekproef"
SHOWN_RULE_SETS = 6
NEUTRAL = VERDICTS | {"left_only": ("·", "alleen bij A"), "right_only": ("·", "alleen bij B")}


def show(visit: Visit) -> Response:
    """Precision and recall with their intervals per rule set, and where people and the machine differ."""
    found = sample.quality(visit.db, visit.region)[:SHOWN_RULE_SETS]
    questions = sample_rows.questions(visit.db, visit.region)
    visit.note("quality.view", "quality", details={"rule_sets": len(found)})
    return visit.show(
        "quality.html",
        found=found,
        drawing=draw(found),
        with_interval=with_interval,
        percent=percent,
        waiting=sample_rows.waiting(visit.db, visit.region),
        questions=questions,
        open_questions=sum(row["open"] for row in questions),
        figures=policy().sample,
    )


def pair(visit: Visit) -> Response:
    """The next pair to judge. Nothing on this page tells what the machine decided, or how sure it was."""
    return _pair(visit)


def answer(visit: Visit) -> Response:
    """Keep an answer and go on to the next pair."""
    judged = find(visit.db, visit.region, QualitySample, visit.request.path_params["id"])
    try:
        # A savepoint: a refused answer leaves nothing behind, and the next pair can still be read.
        with visit.db.transaction():
            sample.answer(visit.db, visit.region, judged.id, visit.form.get("antwoord", ""), visit.actor, visit.at)
    except UnknownAnswer as error:
        return _pair(visit, 400, {"antwoord": error.message})
    except Conflict as error:
        return _pair(visit, 409, {"antwoord": f"{error.message} Hieronder staat het volgende paar."})
    return RedirectResponse(PAIR, status_code=303)


def _pair(visit: Visit, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    found = sample_rows.next_open(visit.db, visit.region, visit.actor)
    visit.note("quality.pair", "quality_sample", found["id"] if found else None)
    return visit.show(
        "quality_pair.html",
        status,
        waiting=sample_rows.waiting(visit.db, visit.region),
        answers=ANSWERS,
        verdicts=NEUTRAL,
        errors=errors or {},
        **(_sides(visit, found) if found else {"sample_id": None}),
    )


def _sides(visit: Visit, found: Row) -> dict[str, Any]:
    one = sample_rows.side(visit.db, visit.region, [found["mention_id"]])
    other = sample_rows.side(visit.db, visit.region, found["others"])
    return {
        "sample_id": found["id"],
        "fields": side_by_side(
            one[0]["person"],
            [(row["person"], f"melding van {wording.day_text(row['received_at'])}") for row in other],
        ),
        "sides": (("A", one, _company(one)), ("B", other, _company(other))),
    }


def _company(side: Sequence[Row]) -> list[tuple[str, str]]:
    """Name and role of who stood in the same reports, each once."""
    beside = ((wording.person_name(person), wording.role(person)) for row in side for person in row["beside"])
    return list(dict.fromkeys(beside))
