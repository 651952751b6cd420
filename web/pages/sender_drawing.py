"""What a sender delivered, day by day, as a drawing: computed here, drawn by the template."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAYS = 30
LEFT, RIGHT, TOP, WIDTH, HEIGHT = 40, 12, 12, 620, 140


@dataclass(frozen=True, slots=True)
class Day:
    """One day: what became a report, and what went to quarantine."""

    day: date
    reports: int
    quarantine: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: what became a report, and on top of that what did not, both from `y` down."""

    x: float
    width: float
    y: float
    height: float
    odd_y: float
    odd_height: float
    middle: float
    name: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Coordinates in the units of the view box."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]


def days(found: Collection[Mapping[str, object]], today: date) -> tuple[Day, ...]:
    """Each of the last `DAYS` days, oldest first, also those on which nothing came."""
    counted: dict[tuple[object, object], int] = {}
    for row in found:
        counted[row["day"], row["outcome"]] = int(str(row["number"]))
    span = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return tuple(Day(day, counted.get((day, "report"), 0), counted.get((day, "quarantine"), 0)) for day in span)


def draw(found: Sequence[Day]) -> Drawing | None:
    """A bar per day on an axis from nothing to the most of one day; None when nothing came."""
    most = max((one.reports + one.quarantine for one in found), default=0)
    if not most:
        return None
    step = (WIDTH - LEFT - RIGHT) / len(found)
    bottom = TOP + HEIGHT

    def high(number: float) -> float:
        return round(HEIGHT * number / most, 1)

    bars = tuple(
        Bar(
            x=round(LEFT + step * number + step * 0.15, 1),
            width=round(step * 0.7, 1),
            y=round(bottom - high(one.reports), 1),
            height=high(one.reports),
            odd_y=round(bottom - high(one.reports + one.quarantine), 1),
            odd_height=high(one.quarantine),
            middle=round(LEFT + step * (number + 0.5), 1),
            name=f"{one.day.day}/{one.day.month}" if number % 5 == 4 else "",
        )
        for number, one in enumerate(found)
    )
    ticks = tuple((round(bottom - high(at), 1), str(at)) for at in sorted({0, most // 2, most}))
    return Drawing(WIDTH, bottom + 26, LEFT, WIDTH - RIGHT, bottom, bars, ticks)
