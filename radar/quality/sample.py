"""The blind sample: a fixed share of what the machine decided is judged by people who do not see what it decided.

Drawn by the clock, a set at a time, so the linking of a report does nothing for it. Two strata: automatic links, and
new persons; of the latter the nearest other candidate is shown. The two are mixed, and look alike on the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotFound, VeiligError
from radar.linking.register import weigh
from radar.linking.rules import Rules
from radar.quality import intervals, sample_rows
from radar.quality.intervals import Estimate
from radar.quality.policy import policy
from radar.quality.rulesets import active

ANSWERS = {
    "same": "Dezelfde persoon",
    "different": "Niet dezelfde persoon",
    "cannot_tell": "Dit is niet te zeggen",
}
_MISSED = {
    "field": "decision",
    "level": "blind_sample",
    "weight": 0.0,
    "text": "In de steekproef zei een medewerker dat dit dezelfde persoon is",
}


class UnknownAnswer(VeiligError):
    """Kies een van de drie antwoorden."""

    status = 400


@dataclass(frozen=True, slots=True)
class Quality:
    """What the sample says of one rule set. `frame` and `judged`: automatic links and non-links."""

    rule_set: str
    precision: Estimate
    recall: Estimate
    links: int
    links_drawn: int
    links_judged: int
    non_links: int
    non_links_drawn: int
    non_links_judged: int
    answered_yes: int
    wrong_links: int
    missed_links: int
    cannot_tell: int


def draw_due(db: Db, at: datetime) -> int:
    """Draw for every region whose last draw is long enough ago; how many pairs came of it. Safe in parallel.

    For the clock: each region costs one small read until its time has come.
    """
    due = at - timedelta(hours=policy().sample.every_hours)
    made = 0
    for row in db.execute("SELECT id FROM region ORDER BY id").fetchall():
        last = sample_rows.drawn_until(db, row["id"])
        if last is None or last <= due:
            made += draw(db, row["id"], at)
    return made


def draw(db: Db, region: UUID, at: datetime) -> int:
    """Draw from everything that was decided since the last draw; how many pairs there are to judge now.

    Links younger than a few minutes wait for the next time: their transaction may not be over yet. A link belongs
    to the night in which it was written, however old its report is.
    """
    if not sample_rows.my_turn(db, region):
        return 0
    figures = policy().sample
    until = at - timedelta(minutes=figures.settle_minutes)
    since = sample_rows.drawn_until(db, region) or until - timedelta(days=figures.first_days)
    if until <= since:
        return 0
    shown: dict[tuple[str, str], int] = {}
    rules = active(db, region)
    for drawn in sample_rows.draw(db, region, since, until, figures.link_share, figures.non_link_share):
        person = drawn["person_id"] if drawn["stratum"] == "link" else nearest(db, drawn, rules)
        others = sample_rows.mentions_of(db, person, drawn["mention_id"], figures.others) if person else []
        if person and others:
            sample_rows.add(db, region, drawn, person, others, at)
            key = (drawn["rule_set"], drawn["stratum"])
            shown[key] = shown.get(key, 0) + 1
    sample_rows.count_shown(db, region, until, rules.version, shown)
    if shown:
        audit.append(db, region, "system", "quality.draw", "quality", details={"pairs": sum(shown.values())})
    return sum(shown.values())


def nearest(db: Db, drawn: Row, rules: Rules) -> UUID | None:
    """Who comes nearest to a mention that became a new person, his own person left out; None when nobody does.

    The production engine says so, with a threshold so low that it names its best candidate. It runs in a savepoint
    that is rolled back.
    """
    low = rules.limits.model_copy(update={"proposed": policy().sample.floor_bits})
    with db.transaction(force_rollback=True):
        sample_rows.look_away_from(db, drawn["id"])
        decisions = weigh(db, drawn["report_id"], rules.model_copy(update={"limits": low}))
        mentions = db.execute(
            "SELECT id FROM mention WHERE report_id = %s ORDER BY number", (drawn["report_id"],)
        ).fetchall()
    found = {
        row["id"]: UUID(one.person) if one.person else None for row, one in zip(mentions, decisions, strict=True)
    }
    return found[drawn["mention_id"]]


def answer(db: Db, region: UUID, sample_id: UUID, said: str, by: str, at: datetime) -> None:
    """Keep what a reviewer says. Nothing is undone: where he and the machine differ, a question to a person opens.

    Raises UnknownAnswer, NotFound, or Conflict when somebody else judged this pair.
    """
    if said not in ANSWERS:
        raise UnknownAnswer
    sample = sample_rows.locked(db, region, sample_id)
    if sample is None:
        raise NotFound
    if sample["answer"] is not None:
        raise Conflict("Iemand anders heeft dit paar net beoordeeld.")
    missed = sample["stratum"] == "non_link" and said == "same"
    proposal = sample_rows.propose(db, sample, [_MISSED], at) if missed else None
    sample_rows.write_answer(db, sample_id, said, proposal, by, at)
    audit.append(db, region, by, "quality.answer", "quality_sample", sample_id, {"answer": said})


def quality(db: Db, region: UUID) -> list[Quality]:
    """Precision and recall per rule set that was ever drawn from, the newest first."""
    found: dict[str, dict[str, Row]] = {}
    for row in sample_rows.strata(db, region):
        found.setdefault(row["rule_set"], {})[row["stratum"]] = row
    return [_quality(rule_set, strata) for rule_set, strata in found.items()]


_NONE = {"frame": 0, "drawn": 0, "shown": 0, "same": 0, "different": 0, "cannot_tell": 0}


def _quality(rule_set: str, strata: dict[str, Row]) -> Quality:
    links, others, yes = (strata.get(name, _NONE) for name in ("link", "non_link", "answered_yes"))
    judged = links["same"] + links["different"]
    unlinked = intervals.non_links(
        others["frame"], others["drawn"], others["shown"], others["same"], others["different"]
    )
    return Quality(
        rule_set=rule_set,
        precision=intervals.precision(links["same"], links["different"]),
        recall=intervals.recall(
            intervals.Sample(links["frame"], judged, links["same"]), unlinked, answered_yes=yes["frame"]
        ),
        links=links["frame"],
        links_drawn=links["drawn"],
        links_judged=judged,
        non_links=others["frame"],
        non_links_drawn=others["drawn"],
        non_links_judged=others["same"] + others["different"],
        answered_yes=yes["frame"],
        wrong_links=links["different"],
        missed_links=others["same"],
        cannot_tell=links["cannot_tell"] + others["cannot_tell"],
    )
