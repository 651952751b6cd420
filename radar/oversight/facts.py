"""The SQL of the log review: the lines of a day, and what the risk rules must know of colleagues and files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

from psycopg import sql

from core.database import Db, Row
from core.events import event_of
from radar.linking.normalise import features
from radar.oversight.log import Period
from radar.oversight.risk import Facts, Line, Person
from radar.search.watch import home_key

# A file is a report or a case; near it are the reports of the same case.
_NEAR = sql.SQL("""
WITH file AS (SELECT DISTINCT id FROM unnest(%(files)s::uuid[]) AS f(id)), near AS (
    SELECT f.id AS file, r.id AS report FROM file f JOIN report r ON r.id = f.id
    UNION SELECT f.id, r.id FROM file f JOIN report r ON r.case_id = f.id
    UNION SELECT f.id, o.id FROM file f JOIN report r ON r.id = f.id JOIN report o ON o.case_id = r.case_id
)
""")


def lines_of(db: Db, region: UUID, day: date) -> dict[UUID, list[Line]]:
    """What each colleague did on this day, in order."""
    period = Period(day, day)
    rows = db.execute(
        "SELECT e.chain, e.number, e.at, e.action, e.event, e.outcome, coalesce(e.staff_id, s.id) AS staff,"
        " CASE WHEN e.object_kind IN ('report', 'case') THEN e.object_id ELSE e.report_id END AS file"
        " FROM log_lines(%(region)s, NULL, NULL, NULL, NULL, %(since)s, %(until)s) e"
        " LEFT JOIN staff s ON s.username = e.actor AND s.region_id = %(region)s"
        " WHERE coalesce(e.staff_id, s.id) IS NOT NULL ORDER BY e.at, e.chain, e.number",
        {"region": region, "since": period.since, "until": period.until},
    ).fetchall()
    found: dict[UUID, list[Line]] = defaultdict(list)
    for row in rows:
        event = event_of(row["action"])
        code = row["event"] or event.code
        found[row["staff"]].append(
            Line(row["chain"], row["number"], row["at"], row["staff"], code, event.kind, row["outcome"], row["file"])
        )
    return found


def facts_of(db: Db, region: UUID, lines: Mapping[UUID, list[Line]]) -> Facts:
    """Everything that the rules must know for these lines."""
    seen = {(line.staff, line.file) for of_one in lines.values() for line in of_one if line.reads and line.file}
    files = [file for _, file in seen if file]
    return Facts(
        colleagues=_colleagues(db, region),
        files=_persons(db, files),
        related=_related(db, [(staff, file) for staff, file in seen if file]),
        confidential=_confidential(db, files),
    )


def _colleagues(db: Db, region: UUID) -> dict[UUID, Person]:
    rows = db.execute("SELECT id, name, home_key FROM staff WHERE region_id = %s", (region,)).fetchall()
    return {row["id"]: _colleague(row) for row in rows}


def _colleague(row: Row) -> Person:
    said = features({"naam": {"volledigeNaam": row["name"]}})
    home = {bytes(row["home_key"])} if row["home_key"] else set()
    return Person(frozenset(said.surnames), frozenset(said.first_names), frozenset(home))


def _persons(db: Db, files: Collection[UUID]) -> dict[UUID, list[Person]]:
    """The persons of these very files, not of what is near."""
    rows = db.execute(
        "SELECT f.id AS file, m.person FROM unnest(%(files)s::uuid[]) AS f(id)"
        " JOIN report r ON r.id = f.id OR r.case_id = f.id JOIN mention m ON m.report_id = r.id",
        {"files": list(set(files))},
    ).fetchall()
    found: dict[UUID, list[Person]] = defaultdict(list)
    for row in rows:
        said = features(row["person"])
        homes = (
            home_key(str(one.get("postcode") or ""), str(one.get("huisnummer") or ""))
            for one in row["person"].get("adressen") or ()
            if one.get("postcode")
        )
        found[row["file"]].append(Person(frozenset(said.surnames), frozenset(said.first_names), frozenset(homes)))
    return found


def _related(db: Db, pairs: Collection[tuple[UUID, UUID]]) -> frozenset[tuple[UUID, UUID]]:
    """The pairs of colleague and file with work in it: a task, a step, or a line in which he changed something."""
    rows = db.execute(
        _NEAR
        + sql.SQL(
            "SELECT DISTINCT p.staff, p.file FROM unnest(%(staff)s::uuid[], %(files)s::uuid[]) AS p(staff, file)"
            " JOIN staff s ON s.id = p.staff JOIN near n ON n.file = p.file WHERE"
            " EXISTS (SELECT FROM task t WHERE t.report_id = n.report"
            "   AND (t.staff_id = s.id OR t.done_by = s.username))"
            " OR EXISTS (SELECT FROM report_step t WHERE t.report_id = n.report AND t.actor = s.username)"
            " OR EXISTS (SELECT FROM audit_entry e WHERE e.object_id = n.report AND e.event IN ('C', 'U')"
            "   AND e.outcome = 'ok' AND (e.staff_id = s.id OR e.actor = s.username))"
            " OR EXISTS (SELECT FROM audit_entry e WHERE e.report_id = n.report AND e.event IN ('C', 'U')"
            "   AND e.outcome = 'ok' AND (e.staff_id = s.id OR e.actor = s.username))"
        ),
        {"staff": [staff for staff, _ in pairs], "files": [file for _, file in pairs]},
    ).fetchall()
    return frozenset((row["staff"], row["file"]) for row in rows)


def _confidential(db: Db, files: Collection[UUID]) -> frozenset[UUID]:
    """Files with a restricted person or a secret whereabouts."""
    rows = db.execute(
        _NEAR
        + sql.SQL(
            "SELECT DISTINCT n.file FROM near n WHERE"
            " EXISTS (SELECT FROM restricted_report h JOIN restriction x ON x.id = h.restriction_id"
            "   WHERE h.report_id = n.report AND x.lifted_at IS NULL)"
            " OR EXISTS (SELECT FROM mention m JOIN protection p ON p.mention_id = m.id"
            "   WHERE m.report_id = n.report AND p.lifted_at IS NULL)"
        ),
        {"files": list(set(files))},
    ).fetchall()
    return frozenset(row["file"] for row in rows)
