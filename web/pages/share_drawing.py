"""The share of terms that were kept, month by month, as a drawing: computed here, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radar.casework.shares import Share
from web.pages.timeline import MONTHS

LEFT, RIGHT, TOP, WIDTH, HEIGHT = 48, 16, 12, 560, 190
STEPS = (0, 25, 50, 75, 100)


@dataclass(frozen=True, slots=True)
class Bar:
    """One month: its bar up from `y`, where its name stands, and the share in words."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    name: str
    text: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Coordinates in the units of the view box. `norm_y` is the line of the norm, None without one."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    norm_y: float | None


def percent(share: float | None) -> str:
    """'87%', rounded down so that nothing looks kept that is not; a dash when nothing was due."""
    return "\u2013" if share is None else f"{int(share * 100 + 1e-9)}%"


def draw(months: Sequence[Share], norm: int | None) -> Drawing | None:
    """A bar per month on an axis from 0 to 100%, oldest first; None when nothing was due in any."""
    if not any(one.all for one in months):
        return None
    step = (WIDTH - LEFT - RIGHT) / len(months)
    bottom = TOP + HEIGHT

    def y(share: float) -> float:
        return round(bottom - HEIGHT * share, 1)

    bars = tuple(
        Bar(
            x=round(LEFT + step * number + step * 0.18, 1),
            y=y(one.value or 0),
            width=round(step * 0.64, 1),
            height=round(HEIGHT * (one.value or 0), 1),
            middle=round(LEFT + step * (number + 0.5), 1),
            name=MONTHS[one.month.month - 1],
            text=percent(one.value),
            kept=norm is None or (one.value is not None and one.value * 100 >= norm),
        )
        for number, one in enumerate(months)
    )
    ticks = tuple((y(step / 100), f"{step}%") for step in STEPS)
    return Drawing(
        WIDTH, bottom + 28, LEFT, WIDTH - RIGHT, bottom, bars, ticks, None if norm is None else y(norm / 100)
    )
