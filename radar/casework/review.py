"""A person's word on a link, with all that follows; `proposals` is what waits for one.

The register changes first (radar.linking.correct), then the case of the report, the proposed routes, and the marks
on decisions that rested on the link. What changed in all is told by `radar.casework.consequences`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.deadlines import local_day, working_days_term
from core.errors import Conflict, NotFound
from core.ids import uuid7
from intake.terms import calendar
from radar import signals
from radar.casework import notices
from radar.casework.cases import follow_household
from radar.casework.proposals import ACTIVE
from radar.casework.routing import reweigh
from radar.linking import correct
from radar.linking.correct import Consequence
from radar.protection.blind import refuse_beyond_sight

Told = Consequence | signals.Consequence
LOOK_WITHIN = 1
"""Working days for a second look at a decision. OWN choice: no norm says, and somebody may be unsafe."""
Word = Callable[[Db, UUID, str, datetime], Sequence[Told]]


def confirm(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """The same person. Raises what `radar.linking.correct.confirm` raises."""
    return _say(correct.confirm, db, link_id, by, at)


def reject(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """Different people, for ever; a confirmed link is taken back first.

    Raises what `radar.linking.correct.reject` raises.
    """
    return _say(_reject, db, link_id, by, at)


def undo(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """Take the link back exactly; what was a question before it was confirmed is a question again.

    Raises what `radar.linking.correct.undo` raises.
    """
    return _say(_undo, db, link_id, by, at)


def withdraw(db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    """Take a no back: the question is open again, and so are those that the same no closed.

    Raises NotFound, or Conflict when there is no such no, or when the person it was about is gone.
    """
    return _say(_withdraw, db, link_id, by, at)


def look_again(db: Db, report_id: UUID) -> datetime | None:
    """Since when the decision on a report waits for a second look, because a link that it rested on was moved."""
    row = db.execute(
        "SELECT opened_at FROM task WHERE kind = 'review_route' AND subject_id = %s AND done_at IS NULL", (report_id,)
    ).fetchone()
    return row["opened_at"] if row else None


def looked_again(db: Db, report_id: UUID, by: str, at: datetime) -> None:
    """Somebody looked again, and the decision stays. Raises NotFound, or Conflict when nothing waited."""
    report = db.execute("SELECT region_id FROM report WHERE id = %s FOR UPDATE", (report_id,)).fetchone()
    if report is None:
        raise NotFound
    done = db.execute(
        "UPDATE task SET done_at = %s, done_by = %s, outcome = 'stays'"
        " WHERE kind = 'review_route' AND subject_id = %s AND done_at IS NULL",
        (at, by, report_id),
    )
    if done.rowcount != 1:
        raise Conflict("Dit besluit is al nagekeken.")
    audit.append(db, report["region_id"], by, "route.looked_again", "report", report_id)


def _say(word: Word, db: Db, link_id: UUID, by: str, at: datetime) -> list[Told]:
    before = locked(db, link_id)
    refuse_beyond_sight(db, before["report_id"])
    found = list(word(db, link_id, by, at))
    report = before["report_id"]
    _reopen(db, report, by)
    if case := follow_household(db, report, by, at):
        found.append(Consequence("case_changed", case, "De melding hoort nu bij een andere casus"))
    after = locked(db, link_id)
    homes = {before["household_id"], after["household_id"]} - {None}
    for one in _reports_of(db, homes, "proposed"):
        reweigh(db, one["id"], by, at)
    if len(homes) > 1:
        _mark_decisions(db, before, homes, by, at)
    notices.relinked(db, report, by=by, at=at)
    if len(homes) > 1 or before["own"] != after["own"]:
        found += signals.refresh(db, report, homes, by, at)
    return found


def _reopen(db: Db, report_id: UUID, by: str) -> None:
    """A case that an earlier correction left empty opens again when its report comes back, watched as it was."""
    row = db.execute(
        "SELECT c.id, c.region_id FROM report r JOIN cases c ON c.household_id = r.household_id"
        " WHERE r.id = %s AND c.closed_at IS NOT NULL AND NOT EXISTS (SELECT FROM report o WHERE o.case_id = c.id)"
        " AND NOT EXISTS (SELECT FROM cases o WHERE o.household_id = c.household_id AND o.closed_at IS NULL)"
        " ORDER BY c.closed_at DESC LIMIT 1",
        (report_id,),
    ).fetchone()
    if row:
        db.execute(
            "WITH opened AS (UPDATE cases SET closed_at = NULL WHERE id = %s RETURNING id)"
            " UPDATE safety_watch SET until = NULL WHERE id = (SELECT w.id FROM safety_watch w, opened"
            " WHERE w.case_id = opened.id ORDER BY until DESC, since DESC LIMIT 1)",
            (row["id"],),
        )
        audit.append(db, row["region_id"], by, "case.reopen", "case", row["id"])


def _mark_decisions(db: Db, link: Row, homes: Collection[UUID], by: str, at: datetime) -> None:
    """Ask for a second look at what was decided on this report, and in its old household since the link was made."""
    for one in _reports_of(db, homes, "decided"):
        rested = one["household_id"] == link["household_id"] and one["decided_at"] >= link["active_since"]
        if one["id"] == link["report_id"] or (rested and link["state"] in ACTIVE):
            _ask_to_look(db, link["region_id"], one["id"], at)
            details = {"link": str(link["id"])}
            audit.append(db, link["region_id"], by, "route.look_again", "report", one["id"], details)


def _ask_to_look(db: Db, region: UUID, report_id: UUID, at: datetime) -> None:
    """A task for the team that assessed, with the risk of then; the next working day. One is enough."""
    due_at = working_days_term(local_day(at), LOOK_WITHIN, calendar()).due_at
    db.execute(
        "INSERT INTO task (id, region_id, team_id, kind, subject_id, risk, received_at, due_at, opened_at)"
        " SELECT %(id)s, %(region)s, a.team_id, 'review_route', %(report)s, coalesce(a.risk, 0), %(at)s, %(due_at)s,"
        " %(at)s FROM (VALUES (1)) AS one LEFT JOIN LATERAL (SELECT team_id, risk FROM task WHERE kind = 'assess'"
        " AND subject_id = %(report)s ORDER BY opened_at DESC LIMIT 1) AS a ON true ON CONFLICT DO NOTHING",
        {"id": uuid7(), "region": region, "report": report_id, "at": at, "due_at": due_at},
    )


def _reject(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    if locked(db, link_id)["state"] != "confirmed":
        return correct.reject(db, link_id, by, at)
    found = correct.undo(db, link_id, by, at)
    (question,) = _ask_again(db, [link_id])
    return found + correct.reject(db, question, by, at)


def _undo(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    found = correct.undo(db, link_id, by, at)
    if db.execute("SELECT id FROM task WHERE kind = 'review_link' AND subject_id = %s", (link_id,)).fetchone():
        _ask_again(db, [link_id])
    return found


def _withdraw(db: Db, link_id: UUID, by: str, at: datetime) -> list[Consequence]:
    link = locked(db, link_id)
    if link["state"] != "rejected":
        raise Conflict("Er staat geen nee meer bij deze koppeling.")
    if not db.execute(
        "SELECT id FROM link WHERE person_id = %s AND state = ANY(%s) LIMIT 1", (link["person_id"], list(ACTIVE))
    ).fetchone():
        raise Conflict("Deze persoon bestaat niet meer in het register; er valt niets meer te vragen.")
    # One no closes several questions at the same moment: that moment and its author say which.
    closed = db.execute(
        "UPDATE link SET state = 'undone', decided_by = %s, decided_at = %s"
        " WHERE id = %s OR region_id = %s AND state = 'rejected' AND decided_by = %s AND decided_at = %s"
        " AND EXISTS (SELECT FROM task t WHERE t.kind = 'review_link' AND t.subject_id = link.id) RETURNING id",
        (by, at, link_id, link["region_id"], link["decided_by"], link["decided_at"]),
    ).fetchall()
    _ask_again(db, [row["id"] for row in closed])
    audit.append(db, link["region_id"], by, "link.withdraw", "link", link_id, {"questions": len(closed)})
    return []


def _ask_again(db: Db, links: Collection[UUID]) -> list[UUID]:
    """Put what was taken back as a question again, as it was weighed; what was said of it stays to be read.

    The database gives each question its task. Gives the new links.
    """
    return [
        row["id"]
        for one in links
        for row in db.execute(
            "INSERT INTO link (id, region_id, mention_id, person_id, state, outcome, score, reasons, rule_set,"
            " created_at) SELECT %s, region_id, mention_id, person_id, 'proposed', outcome, score, reasons, rule_set,"
            " created_at FROM link WHERE id = %s RETURNING id",
            (uuid7(), one),
        )
    ]


def locked(db: Db, link_id: UUID) -> Row:
    """A link with its report, both locked; `own`: who its mention is now. Raises NotFound."""
    row = db.execute(
        "SELECT l.*, m.report_id, r.household_id, coalesce(l.decided_at, l.created_at) AS active_since,"
        " (SELECT k.person_id FROM link k WHERE k.mention_id = m.id AND k.state IN ('new', 'automatic', 'confirmed'))"
        " AS own FROM link l JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id"
        " WHERE l.id = %s FOR UPDATE OF r, l",
        (link_id,),
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def _reports_of(db: Db, homes: Collection[UUID], state: str) -> list[Row]:
    """The reports of these households whose route is in this state, oldest first."""
    return db.execute(
        "SELECT r.id, r.household_id, o.decided_at FROM report r JOIN route o ON o.report_id = r.id AND o.state = %s"
        " WHERE r.household_id = ANY(%s) ORDER BY r.received_at, r.id",
        (state, list(homes)),
    ).fetchall()
