"""Shares with their intervals, as text and as a drawing: computed here, drawn by the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radar.quality.intervals import Estimate
from radar.quality.sample import Quality

LEFT, RIGHT, TOP, LANE, WIDTH = 250, 24, 10, 34, 760
STARTS = (0.99, 0.98, 0.95, 0.9, 0.8, 0.5, 0.0)
"""Where the axis may start: the highest that leaves no interval out."""
STEPS = 5
LONGEST_NAME = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval on its lane: from `low` to `high`, with the estimate at `x`."""

    y: float
    name: str
    low: float
    high: float
    x: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Coordinates in the units of the view box."""

    width: int
    height: int
    bottom: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]


def percent(share: float) -> str:
    """'97,5%', rounded to one decimal, but never up to 100 or down to 0 when it is not."""
    shown = round(share * 100, 1)
    if shown >= 100 and share < 1:
        shown = 99.9
    elif shown <= 0 and share > 0:
        shown = 0.1
    return f"{shown:.1f}".replace(".", ",").replace(",0", "") + "%"


def with_interval(one: Estimate) -> str:
    """'99% (96,4% tot 99,7%)', or that nothing was judged."""
    if one.value is None:
        return "nog niet te zeggen"
    return f"{percent(one.value)} ({percent(one.low)} tot {percent(one.high)})"


def draw(found: Sequence[Quality]) -> Drawing | None:
    """A lane per rule set and measure, on one axis up to 100%; None when nothing was judged yet."""
    lanes: list[tuple[str, Estimate, float]] = []
    for one in found:
        name = one.rule_set if len(one.rule_set) <= LONGEST_NAME else f"{one.rule_set[: LONGEST_NAME - 1]}…"
        lanes += [
            (f"{measure}, {name}", estimate, estimate.value)
            for measure, estimate in (("juist", one.precision), ("gevonden", one.recall))
            if estimate.value is not None
        ]
    if not lanes:
        return None
    start = next(start for start in STARTS if start <= min(estimate.low for _, estimate, _ in lanes))

    def x(share: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (share - start) / (1 - start), 1)

    bars = tuple(
        Bar(TOP + LANE * number + LANE / 2, name, x(estimate.low), x(estimate.high), x(value))
        for number, (name, estimate, value) in enumerate(lanes)
    )
    bottom = TOP + LANE * len(lanes)
    ticks = [start + (1 - start) * step / STEPS for step in range(STEPS + 1)]
    return Drawing(WIDTH, bottom + 30, bottom, bars, tuple((x(share), percent(share)) for share in ticks))
