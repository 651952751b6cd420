"""Every statement of searching. Which rows there are is decided by PostgreSQL: the policies of the one who asks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from core.database import Db, Row
from core.ids import uuid7
from radar.linking.profile import Id
from radar.linking.rows import found_persons

_ALL_MENTIONS = """
SELECT w.id::text AS person_id, m.person, m.report_id, r.received_at, r.reporter_kind
FROM unnest(%s::uuid[]) WITH ORDINALITY AS w (id, place)
JOIN link l ON l.person_id = w.id AND l.state IN ('new', 'automatic', 'confirmed')
JOIN mention m ON m.id = l.mention_id JOIN report r ON r.id = m.report_id
WHERE r.region_id = %s ORDER BY w.place, r.received_at DESC, m.id
"""


def persons_of(db: Db, keys: Collection[int], limit: int) -> dict[int, list[Id]]:
    """Per key the persons of the region of who asks, as StoredRegister.find: at most `limit`."""
    found = db.execute("SELECT * FROM search_keys(%s, %s)", (sorted(keys), limit)).fetchall()
    return {row["key"]: found_persons(row) for row in found}


def visible_mentions(db: Db, persons: Sequence[Id], read: int) -> list[Row]:
    """What the one who asks may see of these persons, in their order, newest mention first.

    Behind them come the people of the `read` newest reports, whom nobody searched for: so that there is as much to
    read for a person whose reports are hidden as for a person who does not exist.
    """
    return db.execute("SELECT * FROM search_mentions(%s, %s)", (list(persons), read)).fetchall()


def all_mentions(db: Db, region: UUID, persons: Sequence[Id]) -> list[Row]:
    """The same for the work behind the screens, which sees all."""
    return db.execute(_ALL_MENTIONS, (list(persons), region)).fetchall()


def reports_with(db: Db, region: UUID, reference: str, limit: int) -> list[Row]:
    """The reports with this case number of ours, or this reference of the reporter; written exactly, but for case."""
    spellings = list({reference, reference.upper(), reference.lower()})
    return db.execute(
        "SELECT r.id, r.received_at, r.reporter_kind FROM report r WHERE r.region_id = %(region)s AND"
        " (r.reference_of_reporter = ANY(%(spellings)s) OR r.case_id IN (SELECT id FROM cases c"
        "   WHERE c.region_id = %(region)s AND c.number = ANY(%(spellings)s)))"
        " ORDER BY r.received_at DESC, r.id LIMIT %(limit)s",
        {"region": region, "spellings": spellings, "limit": limit},
    ).fetchall()


def open_work(db: Db, region: UUID, staff_id: UUID, limit: int = 20) -> list[Row]:
    """The reports on which this member has an open task, newest first."""
    return db.execute(
        "SELECT r.id, r.received_at, r.reporter_kind FROM report r WHERE r.region_id = %(region)s AND r.id IN"
        " (SELECT report_id FROM task WHERE staff_id = %(staff)s AND done_at IS NULL)"
        " ORDER BY r.received_at DESC, r.id LIMIT %(limit)s",
        {"region": region, "staff": staff_id, "limit": limit},
    ).fetchall()


def report(db: Db, region: UUID, report_id: UUID) -> Row | None:
    """A report as a context; None when it does not exist or may not be seen."""
    return db.execute(
        "SELECT id, received_at, reporter_kind FROM report WHERE id = %s AND region_id = %s", (report_id, region)
    ).fetchone()


# ── searches that were done ─────────────────────────────────────────────────────────────────────────────────


def one_at_a_time(db: Db, staff_id: UUID) -> None:
    """The searches of one member wait for each other, so that his quota holds."""
    db.execute("SELECT pg_advisory_xact_lock(%s)", (staff_id.int & 0x7FFF_FFFF_FFFF_FFFF,))


def used(db: Db, staff_id: UUID, at: datetime) -> tuple[int, int]:
    """How many searches this member did in the hour and in the 24 hours before `at`."""
    row = db.execute(
        "SELECT count(*) FILTER (WHERE at > %(at)s - interval '1 hour') AS hour, count(*) AS day FROM search"
        " WHERE staff_id = %(staff)s AND at > %(at)s - interval '24 hours' AND outcome = 'done'",
        {"staff": staff_id, "at": at},
    ).fetchone()
    return (int(row["hour"]), int(row["day"])) if row else (0, 0)


def add(
    db: Db,
    search: UUID,
    region: UUID,
    staff_id: UUID,
    at: datetime,
    *,
    purpose: str,
    report_id: UUID | None,
    fields: Collection[str],
    terms_hash: bytes,
    terms: bytes,
    outcome: str,
    results: int,
) -> None:
    db.execute(
        "INSERT INTO search (id, region_id, staff_id, at, purpose, context, report_id, fields, terms_hash, terms,"
        " outcome, results) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            search,
            region,
            staff_id,
            at,
            purpose,
            "report" if report_id else "call",
            report_id,
            list(fields),
            terms_hash,
            terms,
            outcome,
            results,
        ),
    )


def search(db: Db, search_id: UUID) -> Row | None:
    return db.execute("SELECT * FROM search WHERE id = %s", (search_id,)).fetchone()


def of_region(db: Db, region: UUID, since: datetime, limit: int = 200) -> list[Row]:
    """The searches since a moment, newest first, for the auditor: who, why, what kinds of data, how many found."""
    return db.execute(
        "SELECT q.id, q.at, q.staff_id, s.username, q.purpose, q.context, q.report_id, q.fields, q.outcome,"
        " q.results, q.terms FROM search q JOIN staff s ON s.id = q.staff_id WHERE q.region_id = %s AND q.at >= %s"
        " ORDER BY q.at DESC, q.id LIMIT %s",
        (region, since, limit),
    ).fetchall()


# ── what is looked at afterwards ────────────────────────────────────────────────────────────────────────────


def touched(db: Db, row: Row, persons: Collection[UUID]) -> None:
    """Keep whom this search was about."""
    db.execute(
        "INSERT INTO search_touch (search_id, person_id, region_id, staff_id, at)"
        " SELECT %s, p, %s, %s, %s FROM unnest(%s::uuid[]) AS p ON CONFLICT DO NOTHING",
        (row["id"], row["region_id"], row["staff_id"], row["at"], list(persons)),
    )


def most_touched(db: Db, staff_id: UUID, persons: Collection[UUID], since: datetime) -> int:
    """How often this member searched for the one of these persons whom he searched for most."""
    row = db.execute(
        "SELECT count(*) AS n FROM search_touch WHERE staff_id = %s AND person_id = ANY(%s) AND at > %s"
        " GROUP BY person_id ORDER BY n DESC LIMIT 1",
        (staff_id, list(persons), since),
    ).fetchone()
    return int(row["n"]) if row else 0


def misses(db: Db, staff_id: UUID, since: datetime) -> int:
    """How many different searches of this member found nothing since a moment."""
    row = db.execute(
        "SELECT count(DISTINCT terms_hash) AS n FROM search WHERE staff_id = %s AND at > %s AND outcome = 'done'"
        " AND results = 0",
        (staff_id, since),
    ).fetchone()
    return int(row["n"]) if row else 0


def colleagues(db: Db, region: UUID) -> list[Row]:
    """Everybody who works here: `id`, `name` and `home_key`."""
    return db.execute("SELECT id, name, home_key FROM staff WHERE region_id = %s AND active", (region,)).fetchall()


def contacts(db: Db, persons: Collection[UUID]) -> list[Row]:
    """Who is asked about which of these persons, when they are restricted: `person_id`, `staff_id`."""
    return db.execute(
        "SELECT person_id, contact_staff_id AS staff_id FROM restriction"
        " WHERE person_id = ANY(%s) AND lifted_at IS NULL ORDER BY person_id",
        (list(persons),),
    ).fetchall()


def is_excluded(db: Db, staff_id: UUID, persons: Collection[UUID]) -> bool:
    """Whether this member must stay away from one of these persons."""
    row = db.execute(
        "SELECT EXISTS (SELECT FROM exclusion WHERE staff_id = %s AND person_id = ANY(%s) AND lifted_at IS NULL)"
        " AS excluded",
        (staff_id, list(persons)),
    ).fetchone()
    return bool(row and row["excluded"])


def tell_contact(db: Db, row: Row, contact: Row, searcher: str) -> None:
    db.execute(
        "INSERT INTO search_notice (search_id, person_id, region_id, staff_id, searcher, purpose, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            row["id"],
            contact["person_id"],
            row["region_id"],
            contact["staff_id"],
            searcher,
            row["purpose"],
            row["at"],
        ),
    )


def notices(db: Db, staff_id: UUID) -> list[Row]:
    """What a contact has not said yet that he saw, newest first, with a report of the person to go to."""
    return db.execute(
        "SELECT n.search_id, n.person_id, n.searcher, n.purpose, n.at, (SELECT m.report_id FROM link l"
        " JOIN mention m ON m.id = l.mention_id WHERE l.person_id = n.person_id"
        " AND l.state IN ('new', 'automatic', 'confirmed') ORDER BY m.id DESC LIMIT 1) AS report_id"
        " FROM search_notice n WHERE n.staff_id = %s AND n.seen_at IS NULL ORDER BY n.at DESC LIMIT 50",
        (staff_id,),
    ).fetchall()


def notice_seen(db: Db, staff_id: UUID, search_id: UUID, at: datetime) -> bool:
    """The contact saw it; False when there was nothing of his to see."""
    done = db.execute(
        "UPDATE search_notice SET seen_at = %s WHERE staff_id = %s AND search_id = %s AND seen_at IS NULL",
        (at, staff_id, search_id),
    )
    return done.rowcount > 0


def alarm(db: Db, row: Row, code: str) -> bool:
    """Put this in front of a reviewer; False when it is there already for this member and day."""
    done = db.execute(
        "INSERT INTO search_alarm (id, region_id, staff_id, search_id, code, day, at)"
        " VALUES (%s, %s, %s, %s, %s, (%s::timestamptz AT TIME ZONE 'Europe/Amsterdam')::date, %s)"
        " ON CONFLICT DO NOTHING",
        (uuid7(), row["region_id"], row["staff_id"], row["id"], code, row["at"], row["at"]),
    )
    return done.rowcount == 1


def username(db: Db, staff_id: UUID) -> str:
    row = db.execute("SELECT username FROM staff WHERE id = %s", (staff_id,)).fetchone()
    return str(row["username"]) if row else ""


def set_home(db: Db, staff_id: UUID, home_key: bytes | None) -> bool:
    return db.execute("UPDATE staff SET home_key = %s WHERE id = %s", (home_key, staff_id)).rowcount == 1
