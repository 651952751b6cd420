"""What makes a text dangerous for who gets it: an address, a number, the reporter (security.md D1, D2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from core.database import Db
from radar.casework.feedback_text import personal_data
from radar.outbound import stances

_WHERE = ("de straat", "het telefoonnummer", "een postcode")
_PHONE = re.compile(r"(?<!\d)(?:\+31|0031|0)(?:[ .\-]?\d){9}(?!\d)")


def found_in(db: Db, report_id: UUID, texts: Sequence[str]) -> set[str]:
    """The dangers in these texts about a report, as codes of kinds.toml. They ask for a second pair of eyes."""
    row = db.execute(
        "SELECT coalesce(CASE WHEN s.own THEN r.content->'indiener'->>'naam' END, s.name) AS name,"
        " (SELECT jsonb_agg(m.person) FROM mention m WHERE m.report_id = r.id) AS persons"
        " FROM report r JOIN sender s ON s.id = r.sender_id WHERE r.id = %s",
        (report_id,),
    ).fetchone()
    if row is None:
        return set()
    text = "\n".join(texts)
    found = set()
    if _PHONE.search(text) or any(one.startswith(_WHERE) for one in personal_data(text, row["persons"] or [])):
        found.add("other_address")
    named = re.search(rf"(?<!\w){re.escape(row['name'])}(?!\w)", text, re.IGNORECASE)
    if named or stances.has_marked(db, report_id, texts):
        found.add("reporter")
    return found
