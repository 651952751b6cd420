"""The time line of a household as a drawing: where each report stands, computed here, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.database import Row
from core.deadlines import local_day
from web.wording import REPORTERS

LEFT, RIGHT, TOP, LANE, WIDTH = 120, 20, 14, 34, 760
MIN_DAYS = 60
MONTHS = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Mark:
    """One report: its place, its risk, how many signals it has, and where its deadline stands on the same lane."""

    x: float
    y: float
    risk: int
    signals: int
    due_x: float | None
    late: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Coordinates in the units of the view box."""

    width: int
    height: int
    lanes: tuple[tuple[float, str], ...]
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    today_x: float
    bottom: float


def draw(reports: Sequence[Row], now: datetime) -> Drawing:
    """A lane per kind of reporter, time from left to right, up to today. `reports` is oldest first, one or more."""
    today = local_day(now)
    first = min(local_day(row["received_at"]) for row in reports)
    due_days = [row["norm_due_on"] for row in reports if row["norm_due_on"]]
    last = max(today, *due_days, first + timedelta(days=MIN_DAYS))
    span: int = max(1, (last - first).days)

    def x(day: date) -> float:
        return round(LEFT + float(WIDTH - LEFT - RIGHT) * (day - first).days / span, 1)

    kinds = sorted({row["reporter_kind"] for row in reports})
    y = {kind: TOP + LANE * index + LANE / 2 for index, kind in enumerate(kinds)}
    marks = tuple(
        Mark(
            x(local_day(row["received_at"])),
            y[row["reporter_kind"]],
            row["risk"],
            len(row["signals"]),
            x(row["norm_due_on"]) if row["norm_due_on"] else None,
            bool(row["due_at"] and (row["met_at"] or now) >= row["due_at"]),
        )
        # The most urgent last: it is drawn over the others.
        for row in sorted(reports, key=lambda row: row["risk"])
    )
    bottom = TOP + LANE * len(kinds)
    return Drawing(
        width=WIDTH,
        height=bottom + 30,
        lanes=tuple((y[kind], REPORTERS.get(kind, kind)) for kind in kinds),
        ticks=tuple((x(day), text) for day, text in _ticks(first, last)),
        marks=marks,
        today_x=x(today),
        bottom=bottom,
    )


def _ticks(first: date, last: date) -> list[tuple[date, str]]:
    """The first days of months, so many as fit: at most nine, named by month and year."""
    months = []
    year, month = first.year, first.month
    while (day := date(year, month, 1)) <= last:
        if day >= first:
            months.append(day)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    step = next(step for step in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if len(months) <= 9 * step)
    chosen = [day for day in months if (day.year * 12 + day.month - 1) % step == 0]
    return [(day, f"{MONTHS[day.month - 1]} {day.year}") for day in chosen]
