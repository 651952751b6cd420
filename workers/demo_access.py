"""What the demo shows of protection: secret addresses, a restricted dossier, a colleague who knows somebody, and a
request for access; done by its staff through the product's own functions, on reports that are still at work.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core.database import Db, Row
from core.deadlines import local_day
from radar.protection import exclusions, restrictions, whereabouts
from radar.rights import requests

LEAD: dict[str, Any] = {"by": "teun", "role": "team_lead"}
# Newest open reports of households of their own, with their first adult and what is known of him.
_ADULTS = """
SELECT DISTINCT ON (r.household_id) r.household_id, r.id AS report, r.received_at, m.id AS mention
FROM report r JOIN mention m ON m.report_id = r.id
JOIN link l ON l.mention_id = m.id AND l.state IN ('new', 'automatic', 'confirmed')
WHERE r.region_id = %s AND r.received_at < %s AND r.state IN ('assessing', 'conditions', 'monitoring')
    AND m.person ->> 'geslacht' = 'V' AND jsonb_array_length(coalesce(m.person -> 'adressen', '[]')) > 0
    AND coalesce(m.person #>> '{geboortedatum,tekst}', '') < '2000'
ORDER BY r.household_id, r.received_at DESC, m.number"""
SHOWN = 5
NEWEST = timedelta(days=2)
"""What came in last shows the ways in, to everybody who handles it."""


def protect(db: Db, region: UUID, at: datetime) -> None:
    """Do each of these once; a demo that is run again finds them done."""
    before = db.execute("SELECT FROM protection WHERE region_id = %s AND cause = 'staff'", (region,)).fetchone()
    if before is not None:
        return
    found = sorted(
        db.execute(_ADULTS, (region, at - NEWEST)).fetchall(), key=lambda row: (row["received_at"], row["mention"])
    )
    if len(found) < SHOWN:
        return
    hidden, second, restricted, known, asks = (row["mention"] for row in found[-SHOWN:])
    for mention in (hidden, second):
        whereabouts.protect(db, mention, "Zij verblijft op een geheim adres.", by="bram", at=at)
    restrictions.restrict(
        db,
        region,
        restricted,
        contact=_member(db, "bram")["id"],
        reason="Familie van een medewerker.",
        at=at,
        **LEAD,
    )
    exclusions.know_them(db, region, [known], member=_member(db, "ilse")["id"], by="ilse", at=at)
    requests.receive(db, asks, "access", local_day(at), note="Per brief gevraagd.", by="ilse", at=at)


def _member(db: Db, username: str) -> Row:
    row = db.execute("SELECT id FROM staff WHERE username = %s", (username,)).fetchone()
    if row is None:
        raise LookupError(username)
    return row
