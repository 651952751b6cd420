"""Prometheus metrics on a port of their own: what the database knows of the work, and how the web door fares.

Labels are kinds and codes, never ids or names.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from wsgiref.simple_server import WSGIServer

import structlog
from prometheus_client import Counter, Histogram, start_http_server
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from core.database import transaction

log = structlog.get_logger()

REQUESTS = Counter("veilig_requests_total", "Requests answered by the web door.", ["door", "status"])
SECONDS = Histogram(
    "veilig_request_seconds",
    "Seconds until an answer began.",
    ["door"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)

_GAUGES = (
    (
        "veilig_jobs",
        "Jobs that are not done.",
        "SELECT state AS label, count(*) AS value FROM job WHERE state <> 'done' GROUP BY state",
    ),
    (
        "veilig_oldest_job_seconds",
        "Age of the oldest job that is due.",
        "SELECT 'new' AS label, coalesce(extract(epoch FROM now() - min(due_at)), 0) AS value FROM job"
        " WHERE state = 'new' AND due_at <= now()",
    ),
    (
        "veilig_open_tasks",
        "Open tasks for people.",
        "SELECT kind AS label, count(*) AS value FROM task WHERE done_at IS NULL GROUP BY kind",
    ),
    (
        "veilig_overdue_tasks",
        "Open tasks past their term.",
        "SELECT kind AS label, count(*) AS value FROM task WHERE done_at IS NULL AND due_at < now() GROUP BY kind",
    ),
    (
        "veilig_processes",
        "Processes that beat in the last thirty seconds.",
        "SELECT kind AS label, count(*) AS value FROM heartbeat WHERE seen_at > now() - interval '30 s'"
        " GROUP BY kind",
    ),
)


class _Database(Collector):
    """Asks the database at each scrape; without a database there is no figure, which is a signal in itself."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing known beforehand, so that registering does not ask the database."""
        yield from ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with transaction() as db:
                for name, text, query in _GAUGES:
                    family = GaugeMetricFamily(name, text, labels=["kind"])
                    for row in db.execute(query):
                        family.add_metric([row["label"]], float(row["value"]))
                    yield family
        except (DatabaseError, PoolTimeout) as error:
            log.warning("metrics.no_database", error=type(error).__name__)


REGISTRY.register(_Database())


def serve(host: str, port: int) -> tuple[WSGIServer, threading.Thread]:
    """Serve the metrics on their own port; returns what to stop. Raises OSError when the port is taken."""
    return start_http_server(port, host)
