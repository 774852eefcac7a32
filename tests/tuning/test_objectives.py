"""Objectives: values, limits that cover, scores that rise with the value."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from trainability.analysis.rates import clopper_pearson
from trainability.analysis.sequences import confidence_sequence
from trainability.errors import InputError
from trainability.tuning import MedianSteps, SmallestWidth, SuccessRate

ALPHA = 1e-6


def steps(n_success: int, n: int, at: float = 100.0) -> np.ndarray:
    return np.where(np.arange(n) < n_success, at, np.inf)


def test_a_success_rate_is_the_share_of_finite_steps():
    estimate = SuccessRate(4).estimate({4: steps(200, 256)}, 0.95, clopper_pearson)
    assert estimate.value == 200 / 256
    low, high = clopper_pearson(200, 256, 0.95)
    assert (estimate.low, estimate.high) == (float(low), float(high))


def test_the_score_of_a_rate_has_the_variance_that_it_states():
    """Sample variance over 4,000 draws: chi-square, so within 15 % but for 1 time in 1e6."""
    rng = np.random.default_rng(0)
    for p in (0.5, 0.9, 0.97):
        scored = [
            SuccessRate(2).score({2: np.where(rng.random(256) < p, 1.0, np.inf)}, 10)
            for _ in range(4000)
        ]
        variance = np.var([score for score, _ in scored])
        assert variance == pytest.approx(scored[0][1], rel=0.15)


@pytest.mark.parametrize("objective", [SuccessRate(2), MedianSteps(2), SmallestWidth([2, 4])])
def test_a_better_outcome_has_a_better_score(objective):
    rng = np.random.default_rng(1)

    def outcomes(p, speed):
        won = rng.random((2, 4096)) < np.array([[p], [math.sqrt(p)]])
        return dict(zip((2, 4), np.where(won, rng.gamma(9, speed, won.shape), np.inf), strict=True))

    scores = [
        objective.score(outcomes(p, speed), 10_000)[0]
        for p, speed in ((0.3, 90), (0.48, 80), (0.55, 70), (0.9, 50), (0.98, 30), (0.9999, 20))
    ]
    assert scores == sorted(scores)


@pytest.mark.parametrize("objective", [SuccessRate(2), MedianSteps(2)])
def test_value_of_undoes_the_score(objective):
    outcome = {2: np.r_[np.arange(1.0, 4001), np.full(96, np.inf)]}
    value = objective.estimate(outcome, 0.95, clopper_pearson).value
    score, _ = objective.score(outcome, 10_000)
    # Anscombe's offsets of 3/8 move a rate of 4,096 by less than 1e-4.
    assert float(objective.value_of(np.array(score))) == pytest.approx(value, abs=1e-4)


def test_the_limits_of_a_median_cover_it():
    rng = np.random.default_rng(2)
    objective, missed = MedianSteps(2), 0
    for _ in range(2000):
        won = rng.random(101) < 0.8
        outcome = {2: np.where(won, rng.exponential(100.0, 101), np.inf)}
        estimate = objective.estimate(outcome, 0.95, clopper_pearson)
        # The median of 80 % exponentials and 20 % infinities: .8 (1 - exp(-t / 100)) = 1/2.
        missed += not estimate.low <= -100 * math.log(1 - 0.5 / 0.8) <= estimate.high
    assert binomtest(missed, 2000, 0.05, alternative="greater").pvalue > ALPHA


def test_the_limits_of_a_median_cover_at_all_times_at_once():
    rng = np.random.default_rng(4)
    objective, missed = MedianSteps(2), 0
    for _ in range(300):
        drawn = rng.exponential(100.0, 2000)
        seen = (objective.estimate({2: drawn[:n]}, 0.9, confidence_sequence) for n in
                (10, 30, 100, 300, 1000, 2000))  # fmt: skip
        missed += any(not e.low <= 100 * math.log(2) <= e.high for e in seen)
    assert binomtest(missed, 300, 0.1, alternative="greater").pvalue > ALPHA


def test_a_median_is_infinite_where_fewer_than_half_succeed():
    estimate = MedianSteps(2).estimate({2: steps(40, 100)}, 0.95, clopper_pearson)
    assert estimate.value == math.inf
    assert estimate.high == math.inf
    assert estimate.low == 100.0  # half may succeed, by its limits


def test_the_smallest_width_is_the_first_that_reaches_the_rate():
    objective = SmallestWidth([2, 4, 8], rate=0.9)
    outcomes = {2: steps(700, 1024), 4: steps(925, 1024), 8: steps(1024, 1024)}
    estimate = objective.estimate(outcomes, 0.95, clopper_pearson)
    assert (estimate.low, estimate.value, estimate.high) == (4, 4, 8)
    low = objective.estimate(dict.fromkeys((2, 4, 8), steps(10, 1024)), 0.95, clopper_pearson)
    assert (low.low, low.value, low.high) == (math.inf, math.inf, math.inf)


def test_the_difference_of_rates_is_paired():
    """The same successes but one: an unpaired interval would be as wide as two rates."""
    a, b = steps(800, 1024), steps(801, 1024)
    difference = SuccessRate(2).difference({2: a}, {2: b}, 0.95)
    assert difference.value == pytest.approx(1 / 1024)
    assert difference.high - difference.low < 0.02


def test_differences_to_what_was_never_reached():
    failed, fine = {2: steps(10, 256)}, {2: steps(250, 256)}
    objective = MedianSteps(2)
    better = objective.difference(failed, fine, 0.95)
    assert (better.value, better.high) == (-math.inf, -math.inf)
    same = objective.difference(failed, failed, 0.95)
    assert (same.low, same.value, same.high) == (0.0, 0.0, 0.0)


def test_theory_bounds_every_objective():
    trainability = {2: 0.45, 4: 0.8, 8: 0.995}.get
    assert SuccessRate(4).best_possible(trainability) == 0.8
    assert MedianSteps(2).best_possible(trainability) == math.inf
    assert MedianSteps(4).best_possible(trainability) == 0.0
    assert SmallestWidth([2, 4, 8]).best_possible(trainability) == 8


def test_objectives_refuse_what_is_wrong():
    with pytest.raises(InputError, match="SuccessRate width must be an int >= 1, got 0"):
        SuccessRate(0)
    with pytest.raises(InputError, match="choices must be a list of two or more ints"):
        SmallestWidth(4)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"2 problems(.|\n)*must ascend(.|\n)*between 0 and 1"):
        SmallestWidth([4, 2], rate=99)
