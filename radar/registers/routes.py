"""The routing table looked at as a whole: overlaps, gaps, and what the reports of the last months would have got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from core import audit
from core.database import Db
from core.deadlines import local_day
from core.errors import Conflict
from radar.casework.routing import choose
from radar.registers import plan, rows
from radar.registers.kinds import ROUTING
from radar.registers.plan import Step
from radar.registers.typed import Names

LOOK_BACK = timedelta(days=90)
MOST_TOLD = 50
Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two lines that fit the same address on the same day and send it elsewhere."""

    what: str
    first: str
    second: str
    since: date


@dataclass(frozen=True, slots=True)
class Move:
    """Reports that got one outcome and would get another: municipality, our team, partner."""

    before: str
    after: str
    reports: int


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a draft would do with the reports received since: the table of `day` against that of `today`."""

    plan: str
    since: str
    today: str
    day: str
    reports: int
    changed: int
    nowhere_before: int
    nowhere_after: int
    moves: list[Move]


def as_proposed(current: Sequence[Line], steps: Sequence[Step]) -> list[Line]:
    """The lines as they become."""
    instead = {step.object_id: step.values for step in steps if step.object_id is not None and not step.errors}
    added = [step.values for step in steps if step.object_id is None and not step.errors]
    return [*({**line, **instead.get(line["id"], {})} for line in current), *added]


def overlaps(lines: Sequence[Line], names: Names, today: date) -> list[Overlap]:
    """Where two lines that still count contradict each other, by postcode or by place."""
    found = []
    still = [line for line in lines if line["valid_to"] is None or line["valid_to"] >= today]
    ranges = sorted((line for line in still if line["postcode_from"]), key=lambda line: line["postcode_from"])
    pairs = []
    for number, one in enumerate(ranges):
        for other in ranges[number + 1 :]:
            if other["postcode_from"] > one["postcode_to"]:
                break
            last = min(one["postcode_to"], other["postcode_to"])
            pairs.append((f"postcode {other['postcode_from']}-{last}", one, other))
    places: dict[str, list[Line]] = {}
    for line in still:
        if line["place"]:
            places.setdefault(line["place"].casefold(), []).append(line)
    for same in places.values():
        pairs += [(f"plaats {one['place']}", one, other) for n, one in enumerate(same) for other in same[n + 1 :]]
    for what, one, other in pairs:
        since = max(one["valid_from"], other["valid_from"])
        until = min(line["valid_to"] or date.max for line in (one, other))
        if since <= until and outcome(one, names) != outcome(other, names):
            found.append(Overlap(what, outcome(one, names), outcome(other, names), since))
    return found


def gaps(lines: Sequence[Line], municipalities: Sequence[Line], day: date) -> tuple[list[str], list[tuple[int, int]]]:
    """The municipalities of that day without a line, and the postcodes between two lines that no line has."""
    valid = [
        line for line in lines if line["valid_from"] <= day and (line["valid_to"] is None or line["valid_to"] >= day)
    ]
    served = {line["municipality"].casefold() for line in valid}
    without = sorted(
        one["name"]
        for one in municipalities
        if one["valid_from"] <= day
        and (one["valid_until"] is None or one["valid_until"] >= day)
        and one["name"].casefold() not in served
    )
    ranges = sorted((line["postcode_from"], line["postcode_to"]) for line in valid if line["postcode_from"])
    holes, furthest = [], 0
    for (first, last), (following, _) in pairwise(ranges):
        furthest = max(furthest, first, last)
        if following > furthest + 1:
            holes.append((furthest + 1, following - 1))
    return without, holes


def rehearse(db: Db, region: UUID, *, version: int, by: str, at: datetime) -> Rehearsal:
    """Try the draft of the routing on the reports of the last 90 days, and keep the outcome with it.

    Of the reports only the digits of postcodes and the places are read, not which report it was. Raises Conflict when
    the draft is another by now or has errors.
    """
    draft = rows.draft(db, region, ROUTING, lock=True)
    if draft is None or draft["version"] != version:
        raise Conflict("Het concept is intussen gewijzigd. Bekijk het opnieuw.")
    steps = plan.make(db, region, ROUTING, draft["lines"])
    if any(step.errors for step in steps):
        raise Conflict("Er staan nog fouten in het concept. Verbeter die eerst.")
    today, since = local_day(at), at - LOOK_BACK
    day = max([today, *(step.values["valid_from"] for step in steps)])
    current, names = rows.listing(db, region, ROUTING), rows.names(db, region)
    proposed = as_proposed(current, steps)
    moves: Counter[tuple[str, str]] = Counter()
    for known in rows.addresses(db, region, since):
        before = outcome(choose(current, known["addresses"], today), names)
        after = outcome(choose(proposed, known["addresses"], day), names)
        moves[before, after] += known["reports"]
    nowhere = outcome(None, names)
    told = Rehearsal(
        plan=plan.fingerprint(steps),
        since=local_day(since).isoformat(),
        today=today.isoformat(),
        day=day.isoformat(),
        reports=sum(moves.values()),
        changed=sum(n for (before, after), n in moves.items() if before != after),
        nowhere_before=sum(n for (before, _), n in moves.items() if before == nowhere),
        nowhere_after=sum(n for (_, after), n in moves.items() if after == nowhere),
        moves=[Move(*pair, n) for pair, n in moves.most_common() if pair[0] != pair[1]][:MOST_TOLD],
    )
    rows.set_rehearsal(db, draft["id"], asdict(told))
    details = {"reports": told.reports, "changed": told.changed}
    audit.append(db, region, by, "register.rehearse", "register_draft", draft["id"], details)
    return told


def outcome(line: Line | None, names: Names) -> str:
    """Where a line sends a report, as people read it."""
    if line is None:
        return "geen regel: iemand kiest zelf"
    partner = names.name(line["partner_id"]) if line["partner_id"] else "geen lokaal team"
    return f"{line['municipality']}: {names.name(line['team_id'])}, {partner}"
