"""Heartbeats in the database: which processes live, for `/health/ready` and for the people who run this."""

from __future__ import annotations

import threading
from uuid import UUID

import dramatiq
import structlog
from dramatiq.middleware import Middleware
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from core.database import transaction
from core.ids import uuid7

log = structlog.get_logger()
EVERY_S = 5.0


def beat(process: UUID, kind: str) -> None:
    """Say that this process lives, and forget processes that have been silent for a day."""
    with transaction() as db:
        db.execute(
            "INSERT INTO heartbeat (process, kind) VALUES (%s, %s)"
            " ON CONFLICT (process) DO UPDATE SET seen_at = now()",
            (process, kind),
        )
        db.execute("DELETE FROM heartbeat WHERE seen_at < now() - interval '1 day'")


class Heartbeats(Middleware):
    """A thread in each worker process that beats until the worker stops."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._process = uuid7()

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Start beating once the worker takes messages."""
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Stop with the worker."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            try:
                beat(self._process, "worker")
            except (DatabaseError, PoolTimeout) as error:
                log.warning("heartbeat.missed", error=type(error).__name__)
            if self._stop.wait(EVERY_S):
                return
