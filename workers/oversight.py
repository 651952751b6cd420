"""The work of the clock on the audit trail: a checkpoint every hour, the log review every day, the processing log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from core import checkpoints
from core.database import now, transaction
from radar.oversight import processing, review

log = structlog.get_logger()
EVERY = timedelta(minutes=55)
"""With several clocks, or after a restart, a checkpoint younger than this is enough."""


def oversee() -> None:
    """The hourly work. Each piece commits by itself; a trail that fell behind its checkpoint is an incident."""
    try:
        _checkpoint()
    except checkpoints.TrailFell:
        # Loud and again every hour, until somebody looks: the other pieces of work go on.
        log.error("audit.trail_fell")
    with transaction() as db:
        regions = [row["id"] for row in db.execute("SELECT id FROM region ORDER BY id")]
    for region in regions:
        with transaction() as db:
            if found := review.run_due(db, region, now(db)):
                log.info("clock.reviewed", findings=found)


def _checkpoint() -> None:
    newest = checkpoints.newest()
    if newest is None or datetime.now(UTC) - newest.at >= EVERY:
        with transaction() as db:
            checkpoints.write(db, "system")


def note_processing() -> None:
    """The work of every minute, when VEILIG_LDV_FILE is set."""
    if lines := processing.relay():
        log.info("clock.noted_processing", lines=lines)
