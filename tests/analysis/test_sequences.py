import numpy as np
import pytest
from scipy import special, stats

from trainability.analysis.rates import clopper_pearson
from trainability.analysis.sequences import Precision, confidence_sequence
from trainability.errors import InputError

ALPHA = 1e-6


def test_the_limits_are_where_the_mixture_martingale_reaches_its_level():
    n = np.repeat([1, 10, 256, 4096], 3)
    k = np.array([0, 1, 1, 0, 3, 10, 1, 128, 255, 0, 4000, 4096])
    for limit in confidence_sequence(k, n, 0.95):
        inner = (limit > 0) & (limit < 1)
        p, x, size = limit[inner], k[inner], n[inner]
        martingale = special.betaln(0.5 + x, 0.5 + size - x) - special.betaln(0.5, 0.5)
        martingale -= special.xlogy(x, p) + special.xlog1py(size - x, -p)
        # 1e-9: rounding of sums of some 1e4 in magnitude, 1e4 * 2e-16, with room to spare.
        np.testing.assert_allclose(martingale, np.log(20), atol=1e-9)


def test_at_the_ends_and_without_trials():
    low, high = confidence_sequence([0, 50, 0], [50, 50, 0])
    assert low[0] == 0 and high[1] == 1
    assert low[1] == pytest.approx(1 - high[0], rel=1e-12)
    assert (low[2], high[2]) == (0, 1)


def test_a_sequence_is_wider_than_an_interval_for_one_look():
    k = np.arange(0, 1025, 64)
    low, high = confidence_sequence(k, 1024)
    fixed_low, fixed_high = clopper_pearson(k, 1024)
    assert (low <= fixed_low).all() and (high >= fixed_high).all()
    # The docstring says "about twice".
    assert (high - low)[8] / (fixed_high - fixed_low)[8] < 2


@pytest.mark.parametrize("p", [0.02, 0.5, 0.9])
def test_all_looks_together_cover_where_a_fixed_interval_does_not(p):
    n_sequences, level = 800, 0.9
    rng = np.random.default_rng(3)
    n = np.arange(16, 16 * 128 + 1, 16)
    k = rng.binomial(16, p, (n_sequences, len(n))).cumsum(axis=1)
    low, high = confidence_sequence(k, n, level)
    misses = int(((p < low) | (p > high)).any(axis=1).sum())
    assert stats.binomtest(misses, n_sequences, 1 - level, "greater").pvalue > ALPHA
    low, high = clopper_pearson(k, n, level)
    misses = int(((p < low) | (p > high)).any(axis=1).sum())
    assert stats.binomtest(misses, n_sequences, 1 - level, "greater").pvalue <= ALPHA


def test_impossible_counts_are_refused():
    with pytest.raises(InputError, match="confidence_sequence wants 0 <= successes <= n"):
        confidence_sequence(2, 1)


def stopped(rule: Precision, p: float, block: int = 256) -> tuple[float, float]:
    """Coverage and expected networks at success probability p: all paths, exactly.

    Carries the distribution of the successes of the paths that have not stopped from look to
    look; drops probabilities below 1e-14.
    """
    alive, first, n = np.array([1.0]), 0, 0
    coverage = networks = 0.0
    step = stats.binom.pmf(np.arange(block + 1), block, p)
    while len(alive):
        alive, n = np.convolve(alive, step), n + block
        k = first + np.arange(len(alive))
        low, high = rule.interval(k, n)
        stops = rule.is_reached(k, n)
        coverage += alive[stops & (low <= p) & (p <= high)].sum()
        networks += n * alive[stops].sum()
        left = np.flatnonzero(~stops & (alive > 1e-14))
        first, alive = (k[left[0]], alive[left[0] : left[-1] + 1]) if len(left) else (0, left)
        # Between paths that go on none has stopped: the rule stops at both ends of k first.
        assert not len(left) or not stops[left[0] : left[-1] + 1].any()
    return coverage, networks


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("half_width", [0.1, 0.05, 0.03])
def test_stopping_at_a_precision_covers_at_every_probability(half_width, level):
    rule = Precision(half_width, level)
    probabilities = np.concatenate([np.geomspace(1e-4, 0.05, 15), np.linspace(0.05, 0.5, 90)])
    assert min(stopped(rule, p)[0] for p in probabilities) >= level


def test_the_same_precision_everywhere_costs_at_most_60_percent_of_a_fixed_number():
    half_width = 0.02
    # Success of unit-sphere networks at widths 2, 3, 4, 6, 8 (theory, section 7), then near 1.
    rates = [0.355, 0.642, 0.841, 0.968, 0.996, 0.999, 0.9999, 0.9999]
    spent = sum(stopped(Precision(half_width), rate)[1] for rate in rates)
    fixed = next(
        n
        for n in range(256, 10_000, 256)
        if np.subtract(*clopper_pearson(n // 2, n)[::-1]) <= 2 * half_width
    )
    assert spent <= 0.6 * len(rates) * fixed


def test_the_plan_ends_where_the_rule_stops_and_moves_in_whole_blocks():
    rule = Precision(0.02)
    for rate in (0.0, 0.1, 0.5, 1.0):
        n = 0
        while more := rule.n_more(round(rate * n), n, 256):
            assert more % 256 == 0 and more <= max(256, n / 4)
            n += more
        assert rule.is_reached(round(rate * n), n)
    assert n == 256


def test_an_impossible_precision_is_refused():
    with pytest.raises(InputError, match=r"half_width in \(0, 0.5\].*got 0 and 0.95"):
        Precision(0)
