"""What a team lead looks at each morning: how much is open and late, who has it, and what waits longest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql

from core.database import Db, Row
from radar.casework.queue import OF_REGION, OF_TEAM
from radar.casework.reminders import end_of_next_working_day
from radar.casework.tasks import NO_CASEWORK

LONGEST = 10


@dataclass(frozen=True, slots=True)
class Line:
    """Open work of one team, of one colleague, or of all. `name` is None for no team, or nobody.

    `unchecked`: acute checks not made yet. `soon`: not late, but due before the next working day is over.
    `oldest`: when the longest waiting of it was received.
    """

    id: UUID | None
    name: str | None
    open: int = 0
    unchecked: int = 0
    overdue: int = 0
    soon: int = 0
    escalated: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Today:
    """The open work now: of all teams looked at together, per team and per colleague."""

    whole: Line
    teams: tuple[Line, ...]
    staff: tuple[Line, ...]


_OPEN_WORK = """
SELECT w.*, team.name AS team, staff.name AS staff FROM (
    SELECT team_id, staff_id, count(*) AS open,
        count(*) FILTER (WHERE kind = 'acute_check') AS unchecked,
        count(*) FILTER (WHERE due_at <= %(at)s) AS overdue,
        count(*) FILTER (WHERE due_at > %(at)s AND due_at <= %(soon)s) AS soon,
        count(*) FILTER (WHERE escalated_at IS NOT NULL) AS escalated,
        min(received_at) AS oldest
    FROM {work} GROUP BY team_id, staff_id) w
LEFT JOIN team ON team.id = w.team_id LEFT JOIN staff ON staff.id = w.staff_id
"""
_LONGEST = """
WITH oldest AS (SELECT id FROM task WHERE region_id = %(region)s AND done_at IS NULL AND kind <> ALL(%(of_no_report)s)
        AND (%(team)s::uuid IS NULL OR team_id = %(team)s OR team_id IS NULL)
    ORDER BY received_at, id LIMIT %(limit)s)
SELECT t.id, t.kind, t.subject_id, t.report_id, b.contact, t.risk, t.received_at, t.due_at, t.team_since,
    team.name AS team, staff.name AS staff
FROM oldest JOIN task t ON t.id = oldest.id
LEFT JOIN blind_tasks(ARRAY(SELECT id FROM oldest)) b ON b.task_id = t.id
LEFT JOIN team ON team.id = t.team_id LEFT JOIN staff ON staff.id = t.staff_id
ORDER BY t.received_at, t.id
"""


def today(db: Db, region: UUID, team: UUID | None, at: datetime) -> Today:
    """The open work of a team with what no team has yet, or of the whole region (None).

    Every team and colleague who could have work is named, also without any. What an administrator has is none.
    """
    values = {"region": region, "team": team, "at": at, "soon": end_of_next_working_day(at)} | {
        "no_casework": list(NO_CASEWORK)
    }
    query = sql.SQL(_OPEN_WORK).format(work=sql.SQL(OF_TEAM if team else OF_REGION))
    rows = db.execute(query, values).fetchall()
    teams = db.execute(
        "SELECT id, name FROM team WHERE region_id = %(region)s AND kind = 'veilig_thuis'"
        " AND (valid_to IS NULL OR valid_to >= %(at)s::date) AND (%(team)s::uuid IS NULL OR id = %(team)s)",
        values,
    ).fetchall()
    staff = db.execute(
        "SELECT id, name FROM staff WHERE region_id = %(region)s AND active AND role <> ALL(%(no_casework)s)"
        " AND (%(team)s::uuid IS NULL OR team_id = %(team)s)",
        values,
    ).fetchall()
    return Today(
        whole=_sum(None, None, rows),
        teams=_lines(rows, teams, lambda row: (row["team_id"], row["team"])),
        staff=_lines(rows, staff, lambda row: (row["staff_id"], row["staff"])),
    )


def longest_waiting(db: Db, region: UUID, team: UUID | None, limit: int = LONGEST) -> list[Row]:
    """The open tasks about the reports that were received longest ago, oldest first.

    `contact`: whom to ask, when the report is hidden from the reader.
    """
    values = {
        "region": region,
        "team": team,
        "limit": limit,
        "of_no_report": ["quarantine", "dead_job", "break_glass"],
    }
    return db.execute(_LONGEST, values).fetchall()


def _lines(
    rows: list[Row], known: list[Row], of: Callable[[Row], tuple[UUID | None, str | None]]
) -> tuple[Line, ...]:
    """A line for each that is known or has work, by name; no team or nobody comes first."""
    found: dict[tuple[UUID | None, str | None], list[Row]] = {(row["id"], row["name"]): [] for row in known}
    found.setdefault((None, None), [])
    for row in rows:
        found.setdefault(of(row), []).append(row)
    lines = (_sum(one, name, own) for (one, name), own in found.items())
    return tuple(sorted(lines, key=lambda line: (line.name is not None, line.name or "", str(line.id))))


def _sum(one: UUID | None, name: str | None, rows: Iterable[Row]) -> Line:
    own = list(rows)
    return Line(
        one,
        name,
        **{field: sum(row[field] for row in own) for field in ("open", "unchecked", "overdue", "soon", "escalated")},
        oldest=min((row["oldest"] for row in own), default=None),
    )
