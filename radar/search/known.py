"""Known here? One person of a call in progress, looked up by the same search, quota and trail as every other search.

The answer holds what a search shows and what belongs to those reports: who watches, and whether the household was
reported in the last days. What the one who asks may not see is not there, as everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from core.database import Db, Row
from core.errors import NotFound
from radar.quality import rulesets
from radar.search import searches
from radar.search.find import Found, Hit, SeenReport
from radar.search.policy import policy
from radar.search.searches import Context, Expired, QuotaReached
from radar.search.terms import Terms, TermsRefused

PURPOSE = "safety"
"""What a call is searched for, of the purposes of grants.toml."""
RECENT = timedelta(days=7)
"""A household reported so shortly ago may be the same matter again. OWN choice: no source says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search that was done: its id, and the hash of what was searched for, to know it again."""

    search: UUID
    terms: str

    def to_json(self) -> dict[str, str]:
        return {"search": str(self.search), "terms": self.terms}


@dataclass(frozen=True, slots=True)
class Known:
    """What a search found, and per report of it (by id) who watches: `holder`, `team`, `since`."""

    asked: Asked
    found: Found
    watch: Mapping[UUID, Row] = field(default_factory=dict)

    @property
    def sure(self) -> list[Hit]:
        """Those who are meant, as far as that is clear."""
        return [hit for hit in self.found.hits if hit.bits >= policy().touch_bits]


def terms_of(typed: Mapping[str, str], db: Db, region: UUID) -> Terms | None:
    """What is typed of a person as search terms; None when it is too little to search with.

    What cannot be right (half a postcode, a foreign phone number) is left out, and the rest is searched for.
    """
    rules = rulesets.active(db, region)
    try:
        return Terms.read(typed, rules)
    except TermsRefused as error:
        usable = {name: text for name, text in typed.items() if name not in error.errors}
        if not usable.get("postcode") or not usable.get("house_number"):
            usable = {name: text for name, text in usable.items() if name not in ("postcode", "house_number")}
    try:
        return Terms.read(usable, rules)
    except TermsRefused:
        return None


def ask(
    db: Db,
    region: UUID,
    staff: UUID,
    terms: Terms,
    note: str,
    before: Mapping[str, str] | None = None,
    *,
    by: str,
    at: datetime,
) -> Known:
    """Look this person up. `before`: the search that was done for him (Asked as JSON); the same terms again within
    the time that a result is shown are no new search.

    `note` says who calls about what, as every search for a call asks. Raises QuotaReached.
    """
    hashed = terms.hashed(rulesets.active(db, region)).hex()
    if before and before["terms"] == hashed:
        try:
            return again(db, region, staff, before, by=by, at=at)
        except (Expired, NotFound):
            pass
    context = Context(PURPOSE, note=note)
    search, allowed = searches.begin(db, region, staff, context, terms, by=by, at=at)
    if not allowed:
        raise QuotaReached
    return again(db, region, staff, Asked(search, hashed).to_json(), by=by, at=at)


def again(db: Db, region: UUID, staff: UUID, before: Mapping[str, str], *, by: str, at: datetime) -> Known:
    """The result of a search of a moment ago, found anew. Raises NotFound, Expired."""
    asked = Asked(UUID(before["search"]), before["terms"])
    found = searches.look(db, region, staff, asked.search, by=by, at=at).found
    reports = {report.id for hit in found.hits for report in hit.reports}
    return Known(asked, found, _watch(db, region, reports))


def reported_lately(db: Db, region: UUID, known: Collection[Known], at: datetime) -> list[SeenReport]:
    """The reports of the last days on the households of who is meant, newest first: perhaps the same matter."""
    reports = {report.id for one in known for hit in one.sure for report in hit.reports}
    rows = db.execute(
        "SELECT r.id, r.received_at, r.reporter_kind FROM report r WHERE r.region_id = %(region)s"
        " AND r.received_at > %(since)s AND (r.id = ANY(%(reports)s) OR r.household_id IN"
        " (SELECT household_id FROM report WHERE id = ANY(%(reports)s)))"
        " ORDER BY r.received_at DESC, r.id LIMIT 10",
        {"region": region, "since": at - RECENT, "reports": list(reports)},
    ).fetchall()
    return [SeenReport(row["id"], row["received_at"], row["reporter_kind"]) for row in rows]


def _watch(db: Db, region: UUID, reports: Collection[UUID]) -> dict[UUID, Row]:
    rows = db.execute(
        "SELECT r.id, w.holder, w.since, t.name AS team FROM report r JOIN safety_watch w ON w.case_id = r.case_id"
        " AND w.until IS NULL LEFT JOIN team t ON t.id = w.team_id WHERE r.region_id = %s AND r.id = ANY(%s)",
        (region, list(reports)),
    ).fetchall()
    return {row["id"]: row for row in rows}
