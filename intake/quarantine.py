"""Quarantine: what an authentic sender sent and nobody could read; a person looks at it under the same clock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core import audit
from core.database import Db
from core.errors import Conflict, NotFound, VeiligError

RESOLUTIONS = {
    "resent": "De afzender heeft het bericht opnieuw en goed gestuurd",
    "recorded": "Ik heb de melding met de hand vastgelegd",
    "no_report": "Dit is geen melding",
}
"""How a person can end it; the label is what the screen says."""


class UnknownResolution(VeiligError):
    """Kies wat er met dit bericht is gedaan."""

    status = 400


def resolve(db: Db, quarantine_id: UUID, *, resolution: str, by: str, at: datetime) -> None:
    """End a quarantined message: its task is done and its deadline met; the message itself stays.

    Raises UnknownResolution, NotFound, or Conflict when somebody else was first.
    """
    if resolution not in RESOLUTIONS:
        raise UnknownResolution
    row = db.execute("SELECT * FROM quarantine WHERE id = %s FOR UPDATE", (quarantine_id,)).fetchone()
    if row is None:
        raise NotFound
    if row["resolved_at"]:
        raise Conflict("Dit bericht is al afgehandeld.")
    db.execute(
        "UPDATE quarantine SET resolved_at = %s, resolution = %s WHERE id = %s", (at, resolution, quarantine_id)
    )
    db.execute(
        "UPDATE task SET done_at = %s, done_by = %s, outcome = %s"
        " WHERE kind = 'quarantine' AND subject_id = %s AND done_at IS NULL",
        (at, by, resolution, quarantine_id),
    )
    db.execute("UPDATE deadline SET met_at = %s WHERE kind = 'quarantine' AND subject_id = %s", (at, quarantine_id))
    audit.append(
        db, row["region_id"], by, "quarantine.resolve", "quarantine", quarantine_id, {"resolution": resolution}
    )
