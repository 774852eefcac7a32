import numpy as np
import pytest
from scipy import special, stats

from trainability.analysis.rates import clopper_pearson
from trainability.analysis.sequences import confidence_sequence
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
    n_sequences, level = 2000, 0.9
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
