"""Until when the data of a person are kept: twenty years after they last changed (Wmo 2015 art. 5.3.4 lid 2).

Every later change moves it. Technical writes (a new index, another rule set, a migration, reading) are no change. The
term is never moved by the ATW. Nothing is destroyed by the clock: this only says until when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from core.database import Db
from core.deadlines import AMSTERDAM, Term, local_day
from radar.casework import terms

CHANGES: dict[str, str] = {
    "report": "in een melding genoemd",
    "link": "koppeling door een medewerker bevestigd",
    "step": "stap in de melding",
    "assessment": "veiligheidsbeoordeling",
    "acute": "acute check of direct handelen",
    "risk": "risico opnieuw bekeken",
    "handover": "overdracht",
    "service": "traject van Veilig Thuis",
    "contact": "contact vastgelegd",
    "monitoring": "contactmoment van de monitoring",
    "feedback": "terugkoppeling aan de melder",
    "notice": "op de hoogte gesteld",
    "letter": "brief",
    "request": "verzoek van deze persoon",
    "words": "eigen verklaring of correctie",
}
"""What counts as a change. What is said in a report counts for everybody concerned in it, what is about one person
(contact, notice, letter, request) for him only. That division is our own reading."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The retention of one person of a report: the last change, what it was, and the term from that day on."""

    mention_id: UUID
    person: dict[str, Any]
    changed_at: datetime
    change: str
    term: Term
    report_id: UUID


def until(last_change: date) -> Term:
    """How long data that changed last on this day are kept, with the steps. Never shifted (ATW art. 4)."""
    return terms.count(last_change, terms.kind("retention").legal)


_LAST_CHANGES = """
WITH asked AS (
    -- What was forwarded is no report, and has no twenty years (domain.md 13.13).
    SELECT m.id, m.number, m.person, m.report_id FROM mention m JOIN report r ON r.id = m.report_id
    WHERE m.region_id = %(region)s AND m.report_id = ANY(%(reports)s) AND r.state <> 'forwarded'
        AND m.destroyed_at IS NULL
), his AS (
    -- Every mention of the same person: his own, and those that are linked to him now.
    SELECT a.id AS asked, a.id AS mention_id, a.report_id FROM asked a
    UNION
    SELECT a.id, k.mention_id, m.report_id FROM asked a
    JOIN link l ON l.mention_id = a.id AND l.state IN ('new', 'automatic', 'confirmed')
    JOIN link k ON k.person_id = l.person_id AND k.region_id = l.region_id
        AND k.state IN ('new', 'automatic', 'confirmed')
    JOIN mention m ON m.id = k.mention_id JOIN report r ON r.id = m.report_id AND r.state <> 'forwarded'
), reports AS (SELECT DISTINCT asked, report_id FROM his), changes AS (
    SELECT o.asked, 'report' AS kind, r.received_at AS at FROM reports o JOIN report r ON r.id = o.report_id
    UNION ALL SELECT o.asked, 'step', s.at FROM reports o JOIN report_step s USING (report_id)
        WHERE s.actor <> 'system'
    UNION ALL SELECT o.asked, 'assessment', greatest(x.saved_at, x.submitted_at, x.signed_at, x.returned_at)
        FROM reports o JOIN assessment x USING (report_id)
    UNION ALL SELECT o.asked, 'acute', greatest(x.at, x.ended_at) FROM reports o JOIN acute_check x USING (report_id)
    UNION ALL SELECT o.asked, 'acute', x.noted_at FROM reports o JOIN acute_action x USING (report_id)
    UNION ALL SELECT o.asked, 'risk', x.at FROM reports o JOIN risk_look x USING (report_id)
    UNION ALL SELECT o.asked, 'handover', greatest(x.offered_at, x.answered_at)
        FROM reports o JOIN handover x USING (report_id)
    UNION ALL SELECT o.asked, 'service', greatest(x.decided_at, x.started_at, x.plan_at, x.ended_at)
        FROM reports o JOIN service x USING (report_id)
    UNION ALL SELECT o.asked, 'service', greatest(f.at, f.replaced_at)
        FROM reports o JOIN service x USING (report_id) JOIN finding f ON f.service_id = x.id
    UNION ALL SELECT o.asked, 'service', greatest(x.made_at, x.settled_at)
        FROM reports o JOIN safety_condition x USING (report_id)
    UNION ALL SELECT o.asked, 'monitoring', x.held_at
        FROM reports o JOIN monitoring_moment x USING (report_id) WHERE x.held_at IS NOT NULL
    UNION ALL SELECT o.asked, 'feedback', greatest(x.released_at, x.sent_at)
        FROM reports o JOIN feedback x USING (report_id) WHERE x.released_at IS NOT NULL
    UNION ALL SELECT o.asked, 'contact', x.noted_at FROM reports o JOIN contact x USING (report_id)
        WHERE x.mention_id IS NULL
           OR EXISTS (SELECT FROM his WHERE his.asked = o.asked AND his.mention_id = x.mention_id)
    UNION ALL SELECT h.asked, 'link', l.decided_at FROM his h JOIN link l USING (mention_id)
        WHERE l.state = 'confirmed'
    UNION ALL SELECT h.asked, 'notice', x.noted_at FROM his h JOIN person_notice x USING (mention_id)
    UNION ALL SELECT h.asked, 'letter', greatest(x.made_at, x.sent_at) FROM his h JOIN letter x USING (mention_id)
    UNION ALL SELECT h.asked, 'request', greatest(x.noted_at, x.answered_at)
        FROM his h JOIN person_request x USING (mention_id)
    UNION ALL SELECT h.asked, 'words', x.at FROM his h JOIN own_statement x USING (mention_id)
    UNION ALL SELECT h.asked, 'words', x.at FROM his h JOIN correction x USING (mention_id)
)
SELECT DISTINCT ON (a.report_id, a.number, a.id) a.id, a.report_id, a.person, c.kind, c.at
FROM asked a JOIN changes c ON c.asked = a.id ORDER BY a.report_id, a.number, a.id, c.at DESC, c.kind
"""


def of_report(db: Db, region: UUID, report_id: UUID) -> Sequence[Kept]:
    """Until when the data of each person of a report are kept, in the order of the message."""
    return _kept(db, region, [report_id])


def _kept(db: Db, region: UUID, reports: Sequence[UUID]) -> list[Kept]:
    rows = db.execute(_LAST_CHANGES, {"region": region, "reports": list(reports)}).fetchall()
    return [
        Kept(
            row["id"],
            row["person"],
            row["at"],
            CHANGES[row["kind"]],
            until(local_day(row["at"])),
            row["report_id"],
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Due:
    """Something that would be destroyed: a person (`mention_id`) or a whole form that was sent on (None).

    `on`: from which day; `held`: a hold or an objection keeps it; `proposed`: an order for it waits.
    """

    report_id: UUID
    mention_id: UUID | None
    person: dict[str, Any]
    on: date
    why: str
    held: bool
    proposed: bool


_OLD_REPORTS = """
SELECT r.id FROM report r WHERE r.region_id = %(region)s AND r.received_at < %(before)s AND r.destroyed_at IS NULL
    AND r.state <> 'forwarded' ORDER BY r.received_at, r.id LIMIT %(most)s
"""
_OLD_FORMS = """
SELECT f.report_id, f.destroy_on FROM forwarding f JOIN report r ON r.id = f.report_id
WHERE f.region_id = %(region)s AND f.retrieved_at IS NULL AND f.destroy_on < %(until)s AND r.destroyed_at IS NULL
ORDER BY f.destroy_on, f.report_id LIMIT %(most)s
"""
_STATE = """
SELECT NOT no_hold(%(mentions)s::uuid[], ARRAY[%(report)s]::uuid[]) AS held, EXISTS (SELECT FROM destruction_order o
    WHERE o.region_id = %(region)s AND o.executed_at IS NULL AND o.stopped_at IS NULL
    AND (o.mentions && %(mentions)s::uuid[] OR %(report)s = ANY (o.reports))) AS proposed
"""


def due(db: Db, region: UUID, before: date, most: int = 200) -> list[Due]:
    """What may be destroyed before this day: whose term is over by then, and forms that were sent on.

    A list for people to read: nothing follows from it by itself. Reads the reports that are old enough, oldest first.
    """
    values = {"region": region, "before": years_before(before), "until": before, "most": most}
    old = [row["id"] for row in db.execute(_OLD_REPORTS, values)]
    found = []
    for one in _kept(db, region, old) if old else []:
        if one.term.due_on < before:
            why = f"twintig jaar na {one.change}"
            found.append(_due(db, region, one.report_id, one.mention_id, one.person, one.term.due_on, why))
    for row in db.execute(_OLD_FORMS, values).fetchall():
        found.append(_due(db, region, row["report_id"], None, {}, row["destroy_on"], "doorgestuurd formulier"))
    return sorted(found, key=lambda one: (one.on, str(one.report_id), str(one.mention_id)))


def years_before(day: date) -> datetime:
    """Nothing that came in after this moment can be over on that day: the term of the law counted back."""
    years = terms.kind("retention").legal.amount
    back = date(day.year - years, day.month, min(day.day, 28 if day.month == 2 else day.day))
    return datetime.combine(back + timedelta(days=2), time.min, tzinfo=AMSTERDAM)


def _due(db: Db, region: UUID, report: UUID, mention: UUID | None, person: dict[str, Any], on: date, why: str) -> Due:
    values = {"region": region, "report": report, "mentions": [mention] if mention else []}
    row = db.execute(_STATE, values).fetchone()
    return Due(report, mention, person, on, why, bool(row and row["held"]), bool(row and row["proposed"]))
