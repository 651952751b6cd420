"""Health for machines that watch us: alive, and ready to work. No personal data."""

from __future__ import annotations

from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import migrations
from core.database import transaction
from radar.rights import replay

HEARTBEAT_S = 30
OLDEST_JOB_S = 900
"""security.md I5: no waiting work older than fifteen minutes."""


async def live(request: Request) -> Response:
    """200 as long as this process answers."""
    return JSONResponse({"status": "ok"})


def ready(request: Request) -> Response:
    """200 when database, floor plan, a worker and the work are all right; else 503 and which is not."""
    try:
        with transaction("door") as db:
            checks = {"database": True, "migrations": migrations.current(db) == migrations.newest()}
            if checks["migrations"]:
                row = db.execute(
                    "SELECT (SELECT count(*) FROM heartbeat WHERE kind = 'worker'"
                    "  AND seen_at > now() - make_interval(secs => %s)) AS workers,"
                    " (SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::int FROM job"
                    "  WHERE state = 'new' AND due_at <= now()) AS oldest_job_s",
                    (HEARTBEAT_S,),
                ).fetchone()
                figures = dict(row or {})
                checks["worker"] = figures["workers"] > 0
                checks["jobs"] = figures["oldest_job_s"] < OLDEST_JOB_S
                # After a restore nobody comes in before what was destroyed is gone again: `veilig rights replay`.
                checks["destroyed"] = not replay.revived(db)
            else:
                figures = {}
    except (DatabaseError, PoolTimeout):
        checks, figures = {"database": False}, {}
    status = "ok" if all(checks.values()) else "not ready"
    return JSONResponse({"status": status, "checks": checks, **figures}, 200 if status == "ok" else 503)
