"""What a person reads about one report or one case: the queries of the dossier screens, all within one region."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from core.database import Db, Row
from core.errors import NotFound


def teams(db: Db, region: UUID) -> list[Row]:
    """The teams of now, by name."""
    return db.execute(
        "SELECT id, name, kind FROM team WHERE region_id = %s AND (valid_to IS NULL OR valid_to >= current_date)"
        " ORDER BY kind DESC, name",
        (region,),
    ).fetchall()


def mentions(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The persons concerned of a report, in the order of the message."""
    return db.execute(
        "SELECT id, number, person FROM mention WHERE region_id = %s AND report_id = %s ORDER BY number",
        (region, report_id),
    ).fetchall()


def links_of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """Every link of a report's mentions, newest first, with how the other side is known and from which report."""
    return db.execute(
        "SELECT l.*, known.person AS known_person, known.report_id AS known_report, known.received_at AS known_at"
        " FROM link l JOIN mention m ON m.id = l.mention_id"
        " LEFT JOIN LATERAL ("
        "   SELECT o.person, o.report_id, r.received_at FROM link k JOIN mention o ON o.id = k.mention_id"
        "   JOIN report r ON r.id = o.report_id"
        "   WHERE k.person_id = l.person_id AND k.mention_id <> l.mention_id AND k.region_id = l.region_id"
        "     AND k.state IN ('new', 'automatic', 'confirmed')"
        "   ORDER BY r.received_at DESC, o.id LIMIT 1) known ON true"
        " WHERE l.region_id = %s AND m.report_id = %s ORDER BY m.number, l.created_at DESC, l.id",
        (region, report_id),
    ).fetchall()


def deadline(db: Db, region: UUID, kind: str, subject_id: UUID) -> Row | None:
    """The deadline of a report or a quarantined message."""
    return db.execute(
        "SELECT id, norm_due_on, legal_due_on, due_at, met_at FROM deadline"
        " WHERE region_id = %s AND kind = %s AND subject_id = %s",
        (region, kind, subject_id),
    ).fetchone()


def ledger(db: Db, deadline_id: UUID) -> list[Row]:
    """The entries of a deadline, first to last."""
    return db.execute(
        "SELECT number, at, actor, reason, norm_due_on, legal_due_on, due_at, steps FROM deadline_entry"
        " WHERE deadline_id = %s ORDER BY number",
        (deadline_id,),
    ).fetchall()


def routes(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The proposal and the decision on a report, newest first."""
    return db.execute(
        "SELECT r.state, r.path, r.reason, r.team_id, t.name AS team, r.proposed_at, r.decided_at, r.decided_by"
        " FROM route r LEFT JOIN team t ON t.id = r.team_id"
        " WHERE r.region_id = %s AND r.report_id = %s ORDER BY r.proposed_at DESC, r.id DESC",
        (region, report_id),
    ).fetchall()


def progress(db: Db, region: UUID, report_id: UUID) -> Row:
    """How far each piece of work on a report is, for its overview: moments, states and counts, no texts.

    `acute`, `acute_ended`: the acute check and the end of direct action; `assessment`: empty, draft, submitted or
    signed; `offer` and `offer_team`: the newest handover; `service`: kind and moments of the newest; `moment`: the
    next contact moment; counts of open feedback, of persons still to be told, of terms that run and that are late.
    """
    row = db.execute(
        "SELECT r.state, a.at AS acute_at, a.acute, a.ended_at AS acute_ended,"
        " (SELECT max(at) FROM risk_look l WHERE l.report_id = r.id) AS risk_looked,"
        " s.submitted_at, s.submitted_by, s.signed_at, s.id IS NOT NULL AS assessed,"
        " h.state AS offer, t.name AS offer_team, h.offered_at, h.answered_at, h.unanswered_at,"
        " v.kind AS service, v.decided_at, v.started_at, v.ended_at,"
        " (SELECT min(planned_on) FROM monitoring_moment m WHERE m.report_id = r.id AND held_at IS NULL"
        "   AND dropped_at IS NULL) AS moment,"
        " (SELECT count(*) FROM monitoring_moment m WHERE m.report_id = r.id AND held_at IS NOT NULL)"
        "   AS moments_held,"
        " (SELECT count(*) FROM feedback f WHERE f.report_id = r.id AND f.state = 'draft') AS feedback_open,"
        " (SELECT count(*) FROM feedback f WHERE f.report_id = r.id AND f.state IN ('released', 'sent'))"
        "   AS feedback_sent,"
        " (SELECT count(*) FROM note n WHERE n.report_id = r.id) AS notes,"
        " d.running, d.late, d.notices, d.nearest"
        " FROM report r LEFT JOIN LATERAL (SELECT * FROM acute_check WHERE report_id = r.id"
        "   ORDER BY acute AND ended_at IS NULL DESC, number DESC LIMIT 1) a ON true"
        " LEFT JOIN LATERAL (SELECT * FROM assessment WHERE report_id = r.id ORDER BY started_at DESC LIMIT 1) s"
        "   ON true"
        " LEFT JOIN LATERAL (SELECT * FROM handover WHERE report_id = r.id AND takes_watch"
        "   ORDER BY offered_at DESC LIMIT 1) h ON true LEFT JOIN team t ON t.id = h.team_id"
        " LEFT JOIN LATERAL (SELECT * FROM service WHERE report_id = r.id ORDER BY decided_at DESC LIMIT 1) v ON true"
        " CROSS JOIN LATERAL (SELECT count(*) AS running, count(*) FILTER (WHERE due_at <= now()) AS late,"
        "   count(*) FILTER (WHERE kind = 'person_notice') AS notices, min(due_at) AS nearest FROM deadline"
        "   WHERE report_id = r.id AND met_at IS NULL AND dropped_at IS NULL) d"
        " WHERE r.region_id = %s AND r.id = %s",
        (region, report_id),
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def open_tasks(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The open tasks about a report, most urgent first, with who has them."""
    return db.execute(
        "SELECT t.kind, t.subject_id, t.risk, t.due_at, team.name AS team, s.name AS staff FROM task t"
        " LEFT JOIN team ON team.id = t.team_id LEFT JOIN staff s ON s.id = t.staff_id"
        " WHERE t.region_id = %s AND t.report_id = %s AND t.done_at IS NULL ORDER BY t.risk DESC, t.due_at, t.id",
        (region, report_id),
    ).fetchall()


def tasks_of_case(db: Db, region: UUID, case_id: UUID) -> list[Row]:
    """The open tasks about any report of a case, most urgent first."""
    return db.execute(
        "SELECT t.kind, t.report_id, t.risk, t.due_at, s.name AS staff FROM report r"
        " JOIN task t ON t.report_id = r.id AND t.done_at IS NULL LEFT JOIN staff s ON s.id = t.staff_id"
        " WHERE r.region_id = %s AND r.case_id = %s ORDER BY t.risk DESC, t.due_at, t.id",
        (region, case_id),
    ).fetchall()


def conditions_of_case(db: Db, region: UUID, case_id: UUID) -> list[Row]:
    """The safety conditions of every report of a case, what is open first."""
    return db.execute(
        "SELECT c.text, c.owner, c.due_on, c.state FROM report r JOIN safety_condition c ON c.report_id = r.id"
        " WHERE r.region_id = %s AND r.case_id = %s AND c.state <> 'withdrawn'"
        " ORDER BY c.state <> 'open', c.due_on, c.id",
        (region, case_id),
    ).fetchall()


def task_of(db: Db, region: UUID, subject_id: UUID) -> Row | None:
    """The newest task about a subject."""
    return db.execute(
        "SELECT t.kind, t.risk, t.due_at, t.done_at, t.done_by, team.name AS team FROM task t"
        " LEFT JOIN team ON team.id = t.team_id WHERE t.region_id = %s AND t.subject_id = %s"
        " AND t.kind <> 'review_route' ORDER BY t.done_at IS NULL DESC, t.opened_at DESC, t.id DESC LIMIT 1",
        (region, subject_id),
    ).fetchone()


def versions(db: Db, region: UUID, sender_id: UUID, reference: str) -> list[Row]:
    """All reports of a sender under one reference of his (kenmerk), oldest first: the first and its supplements."""
    return db.execute(
        "SELECT r.id, r.received_at, r.content, (SELECT jsonb_agg(m.person ORDER BY m.number)"
        "   FROM mention m WHERE m.report_id = r.id) AS persons"
        " FROM report r WHERE r.region_id = %s AND r.sender_id = %s AND r.reference_of_reporter = %s"
        " ORDER BY r.received_at, r.id",
        (region, sender_id, reference),
    ).fetchall()


def watch(db: Db, region: UUID, case_id: UUID) -> list[Row]:
    """Who watched the safety in a case, newest first; the first row is now when it has no `until`."""
    return db.execute(
        "SELECT w.holder, w.since, w.until, w.reason, t.name AS team FROM safety_watch w"
        " LEFT JOIN team t ON t.id = w.team_id"
        " WHERE w.region_id = %s AND w.case_id = %s ORDER BY w.since DESC, w.until DESC NULLS FIRST",
        (region, case_id),
    ).fetchall()


def members(db: Db, region: UUID, household_id: UUID) -> list[Row]:
    """The persons of a household: the newest mention of each, in how many reports, and since and until when."""
    return db.execute(
        "SELECT newest.*, summary.reports, summary.valid_from, summary.valid_to FROM ("
        "   SELECT person_id, count(DISTINCT m.report_id) AS reports, min(valid_from) AS valid_from,"
        "     CASE WHEN bool_or(valid_to IS NULL) THEN NULL ELSE max(valid_to) END AS valid_to"
        "   FROM membership b JOIN mention m ON m.id = b.mention_id"
        "   WHERE b.region_id = %(region)s AND b.household_id = %(household)s GROUP BY person_id) summary,"
        " LATERAL (SELECT b.person_id, m.person, m.report_id FROM membership b"
        "   JOIN mention m ON m.id = b.mention_id JOIN report r ON r.id = m.report_id"
        "   WHERE b.person_id = summary.person_id AND b.household_id = %(household)s"
        "   ORDER BY r.received_at DESC, m.id LIMIT 1) newest"
        " ORDER BY summary.valid_from, newest.person_id",
        {"region": region, "household": household_id},
    ).fetchall()


def protected_members(db: Db, region: UUID, members: Sequence[Row]) -> frozenset[UUID]:
    """Whose whereabouts are secret among these members, also when the vault is not settled yet."""
    rows = db.execute(
        "SELECT DISTINCT coalesce(p.person_id, b.person_id) AS id FROM protection p"
        " LEFT JOIN membership b ON b.mention_id = p.mention_id WHERE p.region_id = %s AND p.lifted_at IS NULL"
        " AND (p.person_id = ANY(%s) OR b.person_id = ANY(%s))",
        (region, *(2 * [[row["person_id"] for row in members]])),
    ).fetchall()
    return frozenset(row["id"] for row in rows)


def reports_of_household(db: Db, region: UUID, household_id: UUID) -> list[Row]:
    """The time line of a household: its reports with risk, deadline, decision and involvement, oldest first.

    `signals`: the titles of the signals in force on the report.
    """
    return db.execute(
        "SELECT r.id, r.received_at, r.reporter_kind, r.case_id, r.acute_signals, d.due_at, d.norm_due_on, d.met_at,"
        " o.path, r.state, coalesce(t.risk, 0) AS risk, i.kind AS involvement, i.known_persons,"
        " ARRAY(SELECT s.title FROM signal s WHERE s.report_id = r.id AND s.withdrawn_at IS NULL ORDER BY s.rule)"
        " AS signals FROM report r LEFT JOIN involvement i ON i.report_id = r.id"
        " LEFT JOIN deadline d ON d.kind = 'safety_assessment' AND d.subject_id = r.id"
        " LEFT JOIN route o ON o.report_id = r.id AND o.state = 'decided'"
        " LEFT JOIN LATERAL (SELECT coalesce((SELECT risk FROM risk_look l WHERE l.report_id = r.id"
        "   ORDER BY l.at DESC LIMIT 1), (SELECT max(risk) FROM task WHERE subject_id = r.id AND kind = 'assess'))"
        "   AS risk) t ON true"
        " WHERE r.region_id = %s AND r.household_id = %s ORDER BY r.received_at, r.id",
        (region, household_id),
    ).fetchall()


def signals_of_household(db: Db, region: UUID, household_id: UUID) -> list[Row]:
    """The signals of a household, in force and withdrawn, newest first; `reports`: what each rests on."""
    return db.execute(
        "SELECT s.*, (SELECT jsonb_agg(jsonb_build_object('id', r.id, 'day',"
        "   (r.received_at AT TIME ZONE 'Europe/Amsterdam')::date) ORDER BY r.received_at, r.id)"
        "   FROM report r WHERE r.id = ANY(s.evidence) AND r.region_id = s.region_id) AS reports"
        " FROM signal s WHERE s.region_id = %s AND s.household_id = %s"
        " ORDER BY s.fired_on DESC, s.report_id DESC, s.rule, s.noted_at DESC",
        (region, household_id),
    ).fetchall()


def signals_of_report(db: Db, region: UUID, report_id: UUID) -> list[Row]:
    """The signals in force on one report."""
    return db.execute(
        "SELECT title, explanation FROM signal"
        " WHERE region_id = %s AND report_id = %s AND withdrawn_at IS NULL ORDER BY rule",
        (region, report_id),
    ).fetchall()


def links_of_household(db: Db, region: UUID, household_id: UUID) -> list[Row]:
    """The links of every mention in the household's reports: what waits for a person first, then the newest."""
    return db.execute(
        "SELECT l.*, m.person, m.report_id, r.received_at FROM report r JOIN mention m ON m.report_id = r.id"
        " JOIN link l ON l.mention_id = m.id"
        " WHERE r.region_id = %s AND r.household_id = %s"
        " ORDER BY l.state = 'proposed' DESC, r.received_at DESC, r.id, m.number, l.created_at DESC, l.id LIMIT 500",
        (region, household_id),
    ).fetchall()


def quarantined(db: Db, region: UUID, *, resolved: bool, after: UUID, limit: int) -> list[Row]:
    """Messages in quarantine, oldest first, behind `after` (their ids follow the time of receipt)."""
    return db.execute(
        "SELECT q.id, q.code, q.reason, q.resolved_at, q.resolution, m.received_at, m.channel, s.name AS sender,"
        " d.due_at FROM quarantine q JOIN message m ON m.id = q.message_id JOIN sender s ON s.id = m.sender_id"
        " LEFT JOIN deadline d ON d.kind = 'quarantine' AND d.subject_id = q.id"
        " WHERE q.region_id = %s AND (q.resolved_at IS NOT NULL) = %s AND q.id > %s ORDER BY q.id LIMIT %s",
        (region, resolved, after, limit),
    ).fetchall()
