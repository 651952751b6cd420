"""The actors: dramatiq's side of a job. Arguments are ids, nothing else ever enters Redis."""

from __future__ import annotations

from uuid import UUID

import dramatiq

from core.database import WORKER_STATEMENT_MS, allow_statements_of
from core.logs import set_up_logs
from workers import broker, work
from workers.heartbeat import Heartbeats

set_up_logs()
allow_statements_of(WORKER_STATEMENT_MS)
broker.set_up().add_middleware(Heartbeats())


@dramatiq.actor(queue_name=broker.QUEUE, time_limit=60_000)
def run_job(job_id: str) -> None:
    """Carry out the job with this id, if it still waits."""
    work.carry_out(UUID(job_id))
