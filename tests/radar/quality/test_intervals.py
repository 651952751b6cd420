"""The arithmetic of quality: known intervals, and the recall estimator against simulated truth."""

from __future__ import annotations

import random

import pytest

from radar.quality.intervals import NOTHING_SEEN, Sample, non_links, precision, recall, wilson


@pytest.mark.parametrize(
    ("hits", "seen", "low", "high"),
    [
        # Newcombe 1998 (Stat Med 17:857), table I, method 3 (score, no continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_limits(hits: int, seen: int, low: float, high: float) -> None:
    found = wilson(hits, seen)
    assert found.value == pytest.approx(hits / seen)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilson_is_symmetric_and_stays_between_0_and_1() -> None:
    for seen in (1, 2, 7, 50, 1000):
        for hits in range(0, seen + 1, max(1, seen // 7)):
            one, other = wilson(hits, seen), wilson(seen - hits, seen)
            assert one.low == pytest.approx(1 - other.high)
            assert 0 <= one.low <= (one.value or 0) <= one.high <= 1


def test_nothing_seen_says_nothing() -> None:
    assert wilson(0, 0) == precision(0, 0) == NOTHING_SEEN
    unseen = Sample(100, 0, 0)
    assert recall(unseen, Sample(100, 50, 1), 0) == NOTHING_SEEN
    assert recall(Sample(100, 50, 50), unseen, 0) == NOTHING_SEEN
    assert recall(Sample(0, 0, 0), Sample(0, 0, 0), 0) == NOTHING_SEEN


def test_recall_weighs_each_stratum_by_its_frame_not_by_how_many_were_judged() -> None:
    # 9,000 links of which 99 in 100 are right; 10,000 non-links of which 1 in 50 was missed; 90 found by a yes.
    found = recall(Sample(9_000, 100, 99), Sample(10_000, 50, 1), answered_yes=90)
    assert found.value == pytest.approx((9_000 * 0.99 + 90) / (9_000 * 0.99 + 90 + 200))
    assert found.low < (found.value or 0) < found.high


def test_no_miss_seen_is_not_proof_of_no_miss() -> None:
    few, many = (recall(Sample(1_000, 100, 99), Sample(2_000, seen, 0), 0) for seen in (30, 3_000))
    assert few.value == many.value == few.high == many.high == 1.0
    assert few.low == pytest.approx(1 / (1 + 2_000 * wilson(0, 30).high / 990), abs=0.01)
    assert few.low < many.low < 1.0


def test_a_pair_that_nobody_answered_widens_the_interval_and_moves_nothing() -> None:
    # 400 drawn, 100 with a candidate; of those, all answered, or a quarter.
    whole, quarter = non_links(40_000, 400, 100, 4, 96), non_links(40_000, 400, 100, 1, 24)
    assert whole == Sample(40_000, 400.0, 4)
    assert quarter == Sample(40_000, 100.0, 1)
    links = Sample(10_000, 200, 199)
    one, other = recall(links, whole, 0), recall(links, quarter, 0)
    assert one.value == pytest.approx(other.value)
    assert other.low < one.low
    assert one.high < other.high


def test_non_links_without_a_candidate_count_as_right() -> None:
    assert non_links(500, 25, 0, 0, 0) == Sample(500, 25.0, 0)
    assert non_links(500, 0, 0, 0, 0) == Sample(500, 0.0, 0)


@pytest.mark.parametrize(
    ("right", "missed", "shares"),
    [(0.995, 0.02, (0.02, 0.05)), (0.97, 0.1, (0.1, 0.02)), (1.0, 0.004, (0.03, 0.03))],
)
def test_the_interval_of_recall_holds_the_truth_in_about_95_of_100_samples(
    right: float, missed: float, shares: tuple[float, float]
) -> None:
    """Draw from a known truth, as the product does: a share of each stratum, some pairs left unanswered."""
    dice = random.Random(20261122)
    links, others, yes = 6_000, 9_000, 300
    wrong_links, missed_links = round(links * (1 - right)), round(others * missed)
    truth = (links - wrong_links + yes) / (links - wrong_links + yes + missed_links)
    held = under = 0
    rounds = 400
    for _ in range(rounds):
        drawn = sum(dice.random() < shares[0] for _ in range(links))
        right_seen = sum(one >= wrong_links for one in dice.sample(range(links), drawn))
        drawn_others = dice.sample(range(others), round(others * shares[1]))
        # Every missed one has a candidate, and one in three of the others; four in five pairs are answered.
        shown = [one for one in drawn_others if one < missed_links or one % 3 == 0]
        answered = [one for one in shown if dice.random() < 0.8]
        same = sum(one < missed_links for one in answered)
        sample = non_links(others, len(drawn_others), len(shown), same, len(answered) - same)
        found = recall(Sample(links, drawn, right_seen), sample, yes)
        held += found.low <= truth <= found.high
        under += truth < found.low
    assert held / rounds >= 0.93
    assert under / rounds <= 0.06
