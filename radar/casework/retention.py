"""Until when the data of a person are kept: twenty years after they last changed (Wmo 2015 art. 5.3.4 lid 2).

Every later change moves it. Technical writes (a new index, another rule set, a migration, reading) are no change. The
term is never moved by the ATW. Nothing is destroyed by the clock: this only says until when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core.database import Db
from core.deadlines import Term, local_day
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


def until(last_change: date) -> Term:
    """How long data that changed last on this day are kept, with the steps. Never shifted (ATW art. 4)."""
    return terms.count(last_change, terms.kind("retention").legal)


_LAST_CHANGES = """
WITH asked AS (
    -- What was forwarded is no report, and has no twenty years (domain.md 13.13).
    SELECT m.id, m.number, m.person, m.report_id FROM mention m JOIN report r ON r.id = m.report_id
    WHERE m.region_id = %(region)s AND m.report_id = %(report)s AND r.state <> 'forwarded'
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
)
SELECT DISTINCT ON (a.number, a.id) a.id, a.person, c.kind, c.at FROM asked a JOIN changes c ON c.asked = a.id
ORDER BY a.number, a.id, c.at DESC, c.kind
"""


def of_report(db: Db, region: UUID, report_id: UUID) -> Sequence[Kept]:
    """Until when the data of each person of a report are kept, in the order of the message."""
    rows = db.execute(_LAST_CHANGES, {"region": region, "report": report_id}).fetchall()
    return [
        Kept(row["id"], row["person"], row["at"], CHANGES[row["kind"]], until(local_day(row["at"]))) for row in rows
    ]
