"""Durable jobs in PostgreSQL: the truth about work. A broker only wakes workers up.

A job is enqueued in the transaction that makes it necessary; claimed with a lease and a generation; counted
before the work starts; and completed in the transaction of its effect, so that the effect happens once. A worker
that lost its lease cannot complete. After `MAX_ATTEMPTS` a job is dead and has one open task for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, LeaseLost, NotFound
from core.ids import uuid7

MAX_ATTEMPTS = 5
LEASE = timedelta(seconds=20)
"""Longer than a worker's statement timeout, short enough that a killed worker's job is back within 30 s."""
BACKOFF = (1, 4, 15, 60)
"""Seconds before attempt 2, 3, 4 and 5."""
WAKE_AGAIN = timedelta(seconds=5)
"""A job that was announced but not claimed is announced again after this: the announcement may be lost."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is ours until its lease ends."""

    id: UUID
    region: UUID
    kind: str
    subject: UUID
    generation: int
    attempts: int


def enqueue(db: Db, region: UUID, kind: str, subject: UUID, due_at: datetime | None = None) -> None:
    """Ask for work on one subject, in the caller's transaction; asking twice is asking once. `due_at`: not before."""
    db.execute(
        "INSERT INTO job (id, region_id, kind, subject_id, due_at)"
        " VALUES (%s, %s, %s, %s, coalesce(%s::timestamptz, now())) ON CONFLICT (kind, subject_id) DO NOTHING",
        (uuid7(), region, kind, subject, due_at),
    )


def ask_again(db: Db, region: UUID, kind: str, subject: UUID, due_at: datetime | None = None) -> None:
    """Ask for work, also when it was done before; what waits, runs or is dead is left alone. `due_at`: not before."""
    db.execute(
        "INSERT INTO job (id, region_id, kind, subject_id, due_at) VALUES (%(id)s, %(region)s, %(kind)s, %(subject)s,"
        " coalesce(%(due)s::timestamptz, now())) ON CONFLICT (kind, subject_id) DO UPDATE SET state = 'new',"
        " attempts = 0, due_at = excluded.due_at, woken_at = NULL, finished_at = NULL WHERE job.state = 'done'",
        {"id": uuid7(), "region": region, "kind": kind, "subject": subject, "due": due_at},
    )


def due(db: Db, limit: int = 200) -> list[UUID]:
    """Take the waiting jobs that should be announced now, and note that they were. Safe in parallel."""
    rows = db.execute(
        "UPDATE job SET woken_at = now() WHERE id IN ("
        "  SELECT id FROM job WHERE state = 'new' AND due_at <= now()"
        "  AND (woken_at IS NULL OR woken_at < due_at OR woken_at < now() - %s)"
        "  ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id, due_at",
        (WAKE_AGAIN, limit),
    ).fetchall()
    return [row["id"] for row in sorted(rows, key=lambda row: row["due_at"])]


def forget_announcement(db: Db, ids: Sequence[UUID]) -> None:
    """The announcement failed (no broker): let the next round try again at once."""
    db.execute("UPDATE job SET woken_at = NULL WHERE id = ANY(%s) AND state = 'new'", (list(ids),))


def claim(db: Db, job_id: UUID) -> Claim | None:
    """Lease a waiting job and count the attempt; None when it is done, dead, leased or not yet due.

    Commit this before the work, so that a worker that dies has been counted.
    """
    row = db.execute(
        "UPDATE job SET state = 'leased', leased_until = now() + %s, attempts = attempts + 1,"
        " generation = generation + 1 WHERE id = %s AND state = 'new' AND due_at <= now() RETURNING *",
        (LEASE, job_id),
    ).fetchone()
    if row is None:
        return None
    return Claim(row["id"], row["region_id"], row["kind"], row["subject_id"], row["generation"], row["attempts"])


def complete(db: Db, claim: Claim) -> None:
    """Settle the job in the transaction of its effect. Raises LeaseLost when somebody else took it over."""
    settled = db.execute(
        "UPDATE job SET state = 'done', leased_until = NULL, finished_at = now(), error = NULL "
        "WHERE id = %s AND state = 'leased' AND generation = %s",
        (claim.id, claim.generation),
    )
    if settled.rowcount != 1:
        raise LeaseLost


def fail(db: Db, claim: Claim, error: str) -> bool:
    """Put a failed job back with a pause, or bury it after the last attempt. True when it is dead now.

    `error` is the name of what went wrong, never its text: texts of errors hold personal data.
    """
    row = db.execute(
        "SELECT * FROM job WHERE id = %s AND state = 'leased' AND generation = %s FOR UPDATE",
        (claim.id, claim.generation),
    ).fetchone()
    return row is not None and _put_back(db, row, error)


def sweep(db: Db, limit: int = 200) -> int:
    """Take back jobs whose lease is over: their worker died or hangs. Returns how many; safe in parallel."""
    rows = db.execute(
        "SELECT * FROM job WHERE state = 'leased' AND leased_until < now() "
        "ORDER BY leased_until LIMIT %s FOR UPDATE SKIP LOCKED",
        (limit,),
    ).fetchall()
    for row in rows:
        _put_back(db, row, "lease over")
    return len(rows)


def _put_back(db: Db, job: Row, error: str) -> bool:
    if job["attempts"] < MAX_ATTEMPTS:
        pause = 0 if error == "lease over" else BACKOFF[job["attempts"] - 1]
        db.execute(
            "UPDATE job SET state = 'new', leased_until = NULL, woken_at = NULL, error = %s,"
            " due_at = now() + make_interval(secs => %s), generation = generation + 1 WHERE id = %s",
            (error, pause, job["id"]),
        )
        return False
    db.execute(
        "UPDATE job SET state = 'dead', leased_until = NULL, finished_at = now(), error = %s,"
        " generation = generation + 1 WHERE id = %s",
        (error, job["id"]),
    )
    db.execute(
        "INSERT INTO task (id, region_id, kind, subject_id, risk, received_at, due_at)"
        " VALUES (%s, %s, 'dead_job', %s, 1, %s, now())",
        (uuid7(), job["region_id"], job["id"], job["created_at"]),
    )
    details = {"kind": job["kind"], "subject": str(job["subject_id"]), "error": error}
    audit.append(db, job["region_id"], "system", "job.dead", "job", job["id"], details, "failed")
    return True


def redrive(db: Db, job_id: UUID, actor: str) -> None:
    """Give a dead job a new life, and close its task. Raises NotFound, or Conflict when it is not dead."""
    row = db.execute("SELECT * FROM job WHERE id = %s FOR UPDATE", (job_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["state"] != "dead":
        raise Conflict("Deze taak is niet meer gestopt; iemand was u voor.")
    db.execute(
        "UPDATE job SET state = 'new', attempts = 0, due_at = now(), woken_at = NULL, finished_at = NULL "
        "WHERE id = %s",
        (job_id,),
    )
    db.execute(
        "UPDATE task SET done_at = now(), done_by = %s, outcome = 'redrive' "
        "WHERE kind = 'dead_job' AND subject_id = %s AND done_at IS NULL",
        (actor, job_id),
    )
    audit.append(db, row["region_id"], actor, "job.redrive", "job", job_id, {"kind": row["kind"]})


def withdraw(db: Db, kind: str, subject: UUID, actor: str) -> bool:
    """This work is needed no more: whoever has it cannot complete it. False when it was done or never asked."""
    row = db.execute(
        "UPDATE job SET state = 'done', leased_until = NULL, finished_at = now(), generation = generation + 1"
        " WHERE kind = %s AND subject_id = %s AND state <> 'done' RETURNING id, region_id",
        (kind, subject),
    ).fetchone()
    if row is None:
        return False
    db.execute(
        "UPDATE task SET done_at = now(), done_by = %s, outcome = 'withdrawn'"
        " WHERE kind = 'dead_job' AND subject_id = %s AND done_at IS NULL",
        (actor, row["id"]),
    )
    audit.append(db, row["region_id"], actor, "job.withdraw", "job", row["id"], {"kind": kind})
    return True


def of_subject(db: Db, subject: UUID) -> list[Row]:
    """The jobs about one subject, oldest first."""
    return db.execute(
        "SELECT id, kind, state, attempts, generation, due_at, created_at, finished_at, error FROM job "
        "WHERE subject_id = %s ORDER BY created_at, id",
        (subject,),
    ).fetchall()
