"""How sure we are: Wilson intervals, and recall from two samples with its own interval. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, sqrt

Z95 = 1.959963984540054
"""The standard normal quantile of a two-sided interval of 95 %."""
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its interval of 95 %, all between 0 and 1. `value` is None when nothing was seen."""

    value: float | None
    low: float
    high: float


NOTHING_SEEN = Estimate(None, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn from one stratum: `frame` items in all, of which `seen` were judged and `hits` fell to yes.

    `seen` may be a fraction: see `non_links`.
    """

    frame: int
    seen: float
    hits: int


def wilson(hits: float, seen: float, z: float = Z95) -> Estimate:
    """The score interval of a share (Wilson 1927, JASA 22:209). Behaves at 0 and 1, and for small numbers."""
    if seen <= 0:
        return NOTHING_SEEN
    share, spread = hits / seen, z * z / seen
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / seen + spread / (4 * seen)) / (1 + spread)
    # At 0 and 1 the limit is the share itself; rounding must not move it.
    low = 0.0 if hits <= 0 else max(0.0, centre - half)
    high = 1.0 if hits >= seen else min(1.0, centre + half)
    return Estimate(share, low, high)


def precision(same: int, different: int) -> Estimate:
    """Of the automatic links, which share is right. Who could not tell is left out."""
    return wilson(same, same + different)


def non_links(frame: int, drawn: int, shown: int, same: int, different: int) -> Sample:
    """The non-links as one sample.

    Of `drawn` non-links only `shown` had a candidate to compare with; the others are taken for right. Not every
    shown pair is answered, so each answered pair stands for drawn / shown non-links: with every pair answered this
    is the plain sample of `drawn`, and a pair without an answer widens the interval instead of counting as right.
    """
    if shown == 0:
        return Sample(frame, float(drawn), 0)
    return Sample(frame, (same + different) * drawn / shown, same)


def recall(links: Sample, unlinked: Sample, answered_yes: int) -> Estimate:
    """Of the mentions whose person was known already, which share was found.

    found  F = N_link * p + Y     N_link automatic links, p: their share that is right (hits of `links`)
                                  Y = `answered_yes`: proposals to which a person said yes; counted, not sampled
    missed M = N_non * q          N_non non-links, q: their share that should have been a link (hits of `unlinked`)
    recall R = F / (F + M)

    The strata are drawn with shares of their own, so each weighs by its frame, not by how many were judged.

    Interval: R > r is the same as (1-r) F - r M > 0. For each r the limits of that difference follow from the Wilson
    limits of p and q by the square-and-add rule (MOVER: Zou & Donner 2008, Stat Med 27:1693); the r at which they
    cross zero are the limits of R. No division by M, so no miss seen gives an honest lower limit and not 1 to 1.

    What no blocking key brings together is in neither sample: that part of the truth only a benchmark can see.
    """
    found, missed = _total(links, answered_yes), _total(unlinked)
    if found is None or missed is None or found[0] + missed[0] <= 0:
        return NOTHING_SEEN
    (f, f_low, f_high), (m, m_low, m_high) = found, missed
    low = _crossing(lambda r: (1 - r) * f - r * m - hypot((1 - r) * (f - f_low), r * (m_high - m)))
    high = _crossing(lambda r: (1 - r) * f - r * m + hypot((1 - r) * (f_high - f), r * (m - m_low)))
    return Estimate(f / (f + m), low, high)


def _total(sample: Sample, certain: int = 0) -> tuple[float, float, float] | None:
    """How many hits the whole frame has, with limits; None when nothing of it was seen."""
    if sample.frame == 0:
        return float(certain), float(certain), float(certain)
    share = wilson(sample.hits, sample.seen)
    if share.value is None:
        return None
    whole, low, high = (sample.frame * part + certain for part in (share.value, share.low, share.high))
    return whole, low, high


def _crossing(difference: Callable[[float], float]) -> float:
    """Where a function that is not negative at 0 and not positive at 1 goes through zero."""
    if difference(1.0) >= 0:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if difference(middle) > 0 else (low, middle)
    return low
