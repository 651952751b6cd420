"""What each kind of job does, and how one job is carried out: claim, work, complete; or fail and try later."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import structlog
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from core import jobs
from core.database import Db, transaction
from core.documents import one_edition
from core.errors import LeaseLost
from intake import attachments, saved_forms
from radar import signals
from radar.casework import cases, feedback, forwarding, notices, routing
from radar.linking import register
from radar.outbound import messages
from radar.outbound import notices as outbound_notices
from radar.protection import whereabouts
from radar.quality import rehearsal, rulesets
from radar.rights import destruction
from radar.search import watch

log = structlog.get_logger()

Work = Callable[[Db, UUID], None]


def link_report(db: Db, report_id: UUID) -> None:
    """Link a report's persons, put it in its household's case, note its signals, ask for its route: one commit.

    Each person concerned gets the term within which he must be told, from the day of receipt.
    """
    report = db.execute("SELECT region_id, received_at, linked_at FROM report WHERE id = %s", (report_id,)).fetchone()
    if report is None:
        raise LookupError("report")
    region, received_at = report["region_id"], report["received_at"]
    register.link_report(db, report_id, received_at, rulesets.active(db, region))
    # A form that was sent on and came back: what people said of it holds again, and it is watched from then on.
    back = forwarding.came_back(db, report_id) if report["linked_at"] is None else None
    cases.attach(db, report_id, since=back)
    signals.note(db, report_id, received_at)
    notices.begin(db, report_id, received_at)
    if back:
        jobs.ask_again(db, region, "route_report", report_id)
    else:
        jobs.enqueue(db, region, "route_report", report_id)


def route_report(db: Db, report_id: UUID) -> None:
    """Propose the report's route."""
    routing.propose(db, report_id)


WORK: dict[str, Work] = {
    "link_report": link_report,
    "route_report": route_report,
    "send_reply": messages.send_reply,
    "send_message": feedback.deliver,
    "send_notice": outbound_notices.send,
    "send_webhook": messages.send_webhook,
    "rehearse_rules": rehearsal.carry_out_part,
    "watch_search": watch.watch,
    whereabouts.JOB: whereabouts.everywhere,
    attachments.JOB: attachments.scan,
    saved_forms.JOB: saved_forms.finish,
    destruction.JOB: destruction.carry_out,
    destruction.NOTE_JOB: destruction.note,
}


def carry_out(job_id: UUID) -> bool:
    """Do one job, at most once however often it is asked; True when this call did it.

    The claim is committed before the work, the effect together with its completion. Whatever goes wrong is
    counted and tried again later; only the name of an error is kept, for its text may hold personal data.
    """
    with transaction() as db:
        claim = jobs.claim(db, job_id)
    if claim is None:
        return False
    try:
        with one_edition(claim.region), transaction() as db:
            WORK[claim.kind](db, claim.subject)
            jobs.complete(db, claim)
    except LeaseLost:
        log.warning("job.lease_lost", job=str(job_id), kind=claim.kind)
        return False
    except Exception as error:
        # One door for every failure of a job: it is counted, retried with a pause, and shown to a person when dead.
        name = type(error).__name__
        log.warning("job.failed", job=str(job_id), kind=claim.kind, attempt=claim.attempts, error=name)
        _put_back(claim, name)
        return False
    return True


def _put_back(claim: jobs.Claim, error: str) -> None:
    try:
        with transaction() as db:
            if jobs.fail(db, claim, error):
                log.error("job.dead", job=str(claim.id), kind=claim.kind, error=error)
    except (DatabaseError, PoolTimeout) as trouble:
        # The database is away: the lease runs out and the sweeper puts the job back.
        log.warning("job.left_to_sweeper", job=str(claim.id), error=type(trouble).__name__)
