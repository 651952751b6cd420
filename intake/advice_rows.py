"""Advice that is stored: reading, answering, counting and forgetting it.

Whoever calls has settled that it may be read, and writes that it was.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from core import audit
from core.database import Db, Row
from core.errors import Conflict, NotFound
from core.sealing import key_of
from intake.advice import AdviceInput, check, contact_place, place, sealed_text, terms
from intake.channels import desk_form, drafts

_SELECT = (
    "SELECT a.id, a.number, a.way, a.capacity, a.occasions, a.natures, a.asked_at, a.recorded_by, a.given_at,"
    " a.given_by, a.minutes, a.follow_up_on, a.previous_id, a.finds, a.converted_on, c.id AS contact_id"
    " FROM advice a LEFT JOIN advice_contact c ON c.advice_id = a.id"
)
_NOT_FOLLOWED = "a.converted_on IS NULL AND NOT EXISTS (SELECT FROM advice n WHERE n.previous_id = a.id)"
State = Literal["", "open", "vervolg"]
PAGE = 50


class AlreadyAnswered(Conflict):
    """Op deze vraag is al advies gegeven."""


class AlreadyReport(Conflict):
    """Dit advies is al omgezet naar een melding."""


def listing(
    db: Db,
    region: UUID,
    *,
    state: State = "",
    capacity: str = "",
    occasion: str = "",
    first: date | None = None,
    last: date | None = None,
    page: int = 1,
) -> tuple[list[Row], bool]:
    """The advice of a region, newest first, without any text; and whether there is more.

    `state`: open is not answered yet, vervolg is to be followed up (the first due first).
    """
    rows = db.execute(
        f"{_SELECT} WHERE a.region_id = %(region)s"
        " AND (%(state)s = '' OR %(state)s = 'open' AND a.given_at IS NULL"
        f" OR %(state)s = 'vervolg' AND a.follow_up_on IS NOT NULL AND {_NOT_FOLLOWED})"
        " AND (%(capacity)s = '' OR a.capacity = %(capacity)s)"
        " AND (%(occasion)s = '' OR %(occasion)s = ANY(a.occasions))"
        " AND (%(first)s::date IS NULL OR (a.asked_at AT TIME ZONE 'Europe/Amsterdam')::date >= %(first)s)"
        " AND (%(last)s::date IS NULL OR (a.asked_at AT TIME ZONE 'Europe/Amsterdam')::date <= %(last)s)"
        " ORDER BY CASE WHEN %(state)s = 'vervolg' THEN a.follow_up_on END, a.asked_at DESC, a.id DESC"
        " LIMIT %(most)s OFFSET %(skip)s",
        {
            "region": region,
            "state": state,
            "capacity": capacity,
            "occasion": occasion,
            "first": first,
            "last": last,
            "most": PAGE + 1,
            "skip": (page - 1) * PAGE,
        },
    ).fetchall()
    return rows[:PAGE], len(rows) > PAGE


def waiting(db: Db, region: UUID, on: date) -> dict[str, int]:
    """How much waits for a person: questions without an answer, chats, and follow-ups that are due by this day."""
    return dict(db.execute(_WAITING, {"region": region, "on": on}).fetchone() or {})


_WAITING = f"""
SELECT count(*) FILTER (WHERE a.given_at IS NULL) AS open,
    count(*) FILTER (WHERE a.follow_up_on <= %(on)s AND {_NOT_FOLLOWED}) AS follow_up,
    (SELECT count(*) FROM advice_chat WHERE region_id = %(region)s AND done_at IS NULL) AS chats
FROM advice a WHERE a.region_id = %(region)s AND (a.given_at IS NULL OR a.follow_up_on <= %(on)s)"""  # noqa: S608


def find(db: Db, region: UUID, identifier: UUID) -> Row:
    """One advice without its text, with whether there is a way to reach who asked. Raises NotFound."""
    row = db.execute(
        f"{_SELECT} WHERE a.id = %s AND a.region_id = %s",
        (identifier, region),
    ).fetchone()
    if row is None:
        raise NotFound
    return row


def chain(db: Db, region: UUID, identifier: UUID) -> list[Row]:
    """This advice, those that it follows up on and those that follow up on it, oldest first."""
    return db.execute(_CHAIN, {"id": identifier, "region": region}).fetchall()


_CHAIN = f"""
WITH RECURSIVE up AS (
    SELECT id, previous_id, 1 AS n FROM advice WHERE id = %(id)s AND region_id = %(region)s
    UNION ALL SELECT a.id, a.previous_id, up.n + 1 FROM advice a JOIN up ON a.id = up.previous_id WHERE up.n < 100
), down AS (
    SELECT id, 1 AS n FROM up WHERE previous_id IS NULL
    UNION ALL SELECT a.id, down.n + 1 FROM advice a JOIN down ON a.previous_id = down.id WHERE down.n < 100
)
{_SELECT} WHERE a.id IN (SELECT id FROM down) ORDER BY a.asked_at, a.id"""  # noqa: S608


def texts(db: Db, region: UUID, identifier: UUID) -> dict[str, str]:
    """What was asked, advised and (of a chat) said, and why a find was kept. Raises NotFound, Unreadable."""
    row = db.execute("SELECT sealed FROM advice WHERE id = %s AND region_id = %s", (identifier, region)).fetchone()
    if row is None:
        raise NotFound
    plain: dict[str, str] = json.loads(key_of(db, identifier).unseal(bytes(row["sealed"]), place(identifier)))
    return plain


def contact(db: Db, region: UUID, identifier: UUID, *, by: str) -> dict[str, str]:
    """How who asked can be reached; the reading is on record. Raises NotFound, Unreadable."""
    row = db.execute(
        "SELECT id, sealed FROM advice_contact WHERE advice_id = %s AND region_id = %s", (identifier, region)
    ).fetchone()
    if row is None:
        raise NotFound
    audit.append(db, region, by, "advice.contact", "advice", identifier)
    plain = json.loads(key_of(db, row["id"]).unseal(bytes(row["sealed"]), contact_place(row["id"])))
    return {name: text for name, text in plain.items() if name != "consent" and text}


def answer(
    db: Db,
    region: UUID,
    identifier: UUID,
    given: AdviceInput,
    *,
    by: str,
    at: datetime,
    confirmed: Collection[str] = (),
    reason: str = "",
) -> None:
    """Give the advice that a question by the form waited for. `given`: way, codes and question as stored, and the
    advice, minutes and follow-up. Raises NotFound, PersonalDataFound, ReasonMissing, AlreadyAnswered.
    """
    row = find(db, region, identifier)
    stored = texts(db, region, identifier)
    if row["given_at"] is not None or not given.advice:
        raise AlreadyAnswered
    kept = check({"advice": given.advice}, confirmed, reason)
    both = stored | {"advice": given.advice}
    reasons = "\n".join(one for one in (stored.get("kept", ""), reason.strip() if kept else "") if one)
    sealed = key_of(db, identifier).seal(
        sealed_text({name: text for name, text in both.items() if name != "kept"}, row["finds"] + kept, reasons),
        place(identifier),
    )
    done = db.execute(
        "UPDATE advice SET sealed = %s, finds = %s, given_at = %s, given_by = %s, minutes = %s, follow_up_on = %s"
        " WHERE id = %s AND given_at IS NULL",
        (sealed, row["finds"] + kept, at, by, given.minutes, given.follow_up_on, identifier),
    )
    if done.rowcount == 0:
        raise AlreadyAnswered
    audit.append(db, region, by, "advice.answer", "advice", identifier, {"finds": kept})


def convert(db: Db, region: UUID, identifier: UUID, staff: UUID, *, way: str, by: str, at: datetime) -> UUID:
    """Begin a call in which somebody names the persons, so that it can become a report; gives that call's draft.

    Only the capacity and the occasions go along: what was said is asked again. While the call is open it knows its
    advice; when it became a report the advice gets the day of that and nothing else (migration 0019). With the number
    of the report beside it an advice would say what somebody asked about whom: that is a person's data in an advice,
    which the law does not allow (Wmo 2015 art. 5.1.6 lid 3), and no task of ours needs it: who reports is asked in
    the report itself. Raises NotFound, AlreadyReport.
    """
    row = find(db, region, identifier)
    if row["converted_on"] is not None:
        raise AlreadyReport
    codes = {f"aanleiding.{code}": "ja" for code in row["occasions"]}
    fields = {**desk_form.NEW, "wijze": way, "hoedanigheid": row["capacity"], **codes}
    draft = drafts.start(db, region, staff, fields, by=by, at=at)
    db.execute(
        "INSERT INTO advice_conversion (draft_id, advice_id, region_id) VALUES (%s, %s, %s)",
        (draft, identifier, region),
    )
    audit.append(db, region, by, "advice.convert", "advice", identifier)
    return draft


@dataclass(frozen=True, slots=True)
class Counts:
    """What CBS asks of a period: advice that was given, by code to number. No personal data, no text."""

    total: int
    follow_ups: int
    converted: int
    ways: Mapping[str, int]
    capacities: Mapping[str, int]
    occasions: Mapping[str, int]
    natures: Mapping[str, int]


def counts(db: Db, region: UUID, first: date, last: date) -> Counts:
    """Count the advice that was given from `first` to `last`, both included, by the clock of the Netherlands.

    An advice counts once under its capacity and once under each of its occasions and natures (domain.md 4.1, 4.2).
    """
    row = db.execute(_COUNTS, {"region": region, "first": first, "last": last}).fetchone() or {}
    return Counts(**row)


_COUNTS = """
WITH mine AS (
    SELECT * FROM advice WHERE region_id = %(region)s
    AND (given_at AT TIME ZONE 'Europe/Amsterdam')::date BETWEEN %(first)s AND %(last)s
), counted AS (
    SELECT list, coalesce(jsonb_object_agg(code, n), '{}') AS codes FROM (
        SELECT list, code, count(*) AS n FROM mine, LATERAL (
            SELECT 'ways' AS list, way AS code UNION ALL SELECT 'capacities', capacity
            UNION ALL SELECT 'occasions', unnest(occasions) UNION ALL SELECT 'natures', unnest(natures)) AS said
        GROUP BY 1, 2) AS each GROUP BY 1
), lists AS (
    SELECT coalesce(jsonb_object_agg(list, codes), '{}') AS all_of FROM counted
)
SELECT (SELECT count(*) FROM mine) AS total,
    (SELECT count(*) FROM mine WHERE previous_id IS NOT NULL) AS follow_ups,
    (SELECT count(*) FROM mine WHERE converted_on IS NOT NULL) AS converted,
    coalesce(all_of -> 'ways', '{}') AS ways, coalesce(all_of -> 'capacities', '{}') AS capacities,
    coalesce(all_of -> 'occasions', '{}') AS occasions, coalesce(all_of -> 'natures', '{}') AS natures
FROM lists"""


def forget(db: Db, at: datetime) -> dict[str, int]:
    """Delete what had its term, in every region, with its keys: contacts, advice and chats; gives how many.

    Deleting is on record with the number of each; a chat that nobody read in all that time goes too.
    """
    done = {"contacts": 0, "advice": 0, "chats": 0}
    known = {"at": at, "months": terms().advice_months, "days": terms().contact_days}
    known["after"] = terms().contact_days_after_follow_up
    for name, query in _OVER.items():
        for row in db.execute(query, known).fetchall():
            done[name] += row["n"]
            audit.append(
                db, row["region_id"], "system", "advice.forget", "advice", None, {"what": name, "rows": row["n"]}
            )
    return done


_OVER = {
    "contacts": "WITH gone AS (DELETE FROM advice_contact c USING advice a WHERE a.id = c.advice_id"
    " AND greatest(c.consent_at + interval '1 day' * %(days)s,"
    "  a.follow_up_on + interval '1 day' * %(after)s) < %(at)s RETURNING c.region_id)"
    " SELECT region_id, count(*) AS n FROM gone GROUP BY 1",
    "advice": "WITH gone AS (DELETE FROM advice WHERE asked_at + interval '1 month' * %(months)s < %(at)s"
    " RETURNING region_id) SELECT region_id, count(*) AS n FROM gone GROUP BY 1",
    "chats": "WITH gone AS (DELETE FROM advice_chat WHERE received_at + interval '1 month' * %(months)s < %(at)s"
    " RETURNING region_id) SELECT region_id, count(*) AS n FROM gone GROUP BY 1",
}
