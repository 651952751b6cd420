"""One search: why and for which work first, then within the quota, written down, and looked up anew when shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from core import audit, jobs, sealing
from core.database import Db, Row
from core.errors import NotFound, VeiligError
from core.ids import uuid7
from core.settings import settings
from radar.protection.grants import PURPOSES
from radar.quality import rulesets
from radar.search import rows
from radar.search.find import Found, find
from radar.search.policy import policy
from radar.search.terms import Terms

LONGEST_NOTE, SHORTEST_NOTE = 300, 5
JOB = "watch_search"


class QuotaReached(VeiligError):
    """U hebt in korte tijd veel gezocht. Vraag uw teamleider om mee te kijken of voor u te zoeken."""

    status = 429


class Expired(VeiligError):
    """Deze uitslag is te oud om nog te laten zien. Zoek opnieuw."""

    status = 410


@dataclass(frozen=True, slots=True)
class Context:
    """Why somebody searches, and the work that it is for: a report, or a call with a note of who calls about what."""

    purpose: str
    report_id: UUID | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A search as its own searcher sees it again."""

    id: UUID
    at: datetime
    context: Context
    terms: Terms
    found: Found


def purposes() -> Mapping[str, str]:
    """Code to Dutch title of what may be searched for: the purposes of grants.toml."""
    return {code: one.title for code, one in PURPOSES.items()}


def wrong_context(db: Db, region: UUID, context: Context) -> dict[str, str]:
    """What is missing or wrong in the context, by field (`purpose`, `report`, `note`); empty when it is fine."""
    wrong: dict[str, str] = {}
    if context.purpose not in purposes():
        wrong["purpose"] = "Kies waarvoor u zoekt."
    if context.report_id is not None:
        if rows.report(db, region, context.report_id) is None:
            wrong["report"] = "Kies een melding waaraan u werkt."
    elif not SHORTEST_NOTE <= len(context.note.strip()) <= LONGEST_NOTE:
        wrong["note"] = f"Schrijf kort wie er belt en waarover, in hoogstens {LONGEST_NOTE} tekens."
    elif not context.note.isprintable():
        wrong["note"] = "Hier staat een teken in dat wij niet kunnen lezen. Typ het opnieuw."
    return wrong


def begin(
    db: Db, region: UUID, staff_id: UUID, context: Context, terms: Terms, *, by: str, at: datetime
) -> tuple[UUID, bool]:
    """Search and write down that it was done; gives the id under which its searcher sees the result for a while,
    and whether it was within the quota. A search over the quota is written down too, and finds nothing.

    The context is right already (`wrong_context`). What is found is not kept.
    """
    rules = rulesets.active(db, region)
    rows.one_at_a_time(db, staff_id)
    hour, day = rows.used(db, staff_id, at)
    allowed = hour < settings().searches_per_hour and day < settings().searches_per_day
    found = find(db, region, terms, rules) if allowed else Found()
    search = uuid7()
    sealed = sealing.seal(json.dumps([terms.to_json(), context.note.strip()]).encode(), _place(search))
    rows.add(
        db,
        search,
        region,
        staff_id,
        at,
        purpose=context.purpose,
        report_id=context.report_id,
        fields=terms.fields,
        terms_hash=terms.hashed(rules),
        terms=sealed,
        outcome="done" if allowed else "refused",
        results=found.count,
    )
    details = {"purpose": context.purpose, "fields": list(terms.fields), "results": found.count}
    if context.report_id:
        details["report"] = str(context.report_id)
    audit.append(db, region, by, "search.use", "search", search, details, "ok" if allowed else "refused")
    jobs.enqueue(db, region, JOB, search)
    return search, allowed


def look(db: Db, region: UUID, staff_id: UUID, search_id: UUID, *, by: str, at: datetime) -> Result:
    """The result of one's own search of the last minutes, found anew: what one may not see any more is gone.

    Raises NotFound (also for somebody else's), Expired.
    """
    row = rows.search(db, search_id)
    if row is None or row["staff_id"] != staff_id or row["region_id"] != region or row["outcome"] != "done":
        raise NotFound
    if row["at"] + timedelta(minutes=policy().result_minutes) < at:
        raise Expired
    terms, note = typed(row)
    found = find(db, region, terms, rulesets.active(db, region))
    audit.append(
        db,
        region,
        by,
        "search.result",
        "search",
        search_id,
        {"results": found.count},
        persons=[*(hit.person for hit in found.hits), *(report.id for report in found.reports)],
    )
    return Result(search_id, row["at"], Context(row["purpose"], row["report_id"], note), terms, found)


def typed(row: Row) -> tuple[Terms, str]:
    """What was typed in a search, and the note of a call: for its searcher, the watch behind it, and the auditor."""
    terms, note = json.loads(sealing.unseal(bytes(row["terms"]), _place(row["id"])))
    return Terms.from_json(terms), note


def _place(search: UUID) -> str:
    return f"search.terms:{search}"
