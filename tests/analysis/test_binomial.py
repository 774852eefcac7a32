"""Tails of the binomial distribution are those of SciPy's, also at their ends."""

import numpy as np
import pytest
from scipy import stats

from trainability.analysis.binomial import at_least, two_sided

# Two implementations of the incomplete beta function, each good to a few ulp.
RTOL = 1e-12


@pytest.mark.parametrize("n", [0, 1, 2, 29, 1024, 10**6])
@pytest.mark.parametrize("p", [0.0, 1e-9, 0.3, 0.5, 5 / 6, 1.0])
def test_both_tails_are_those_of_the_binomial(n, p):
    k = np.unique(np.clip([-1, 0, 1, n // 3, int(n * p), n - 1, n, n + 1, n + 2], -1, n + 2))
    above, below = at_least(k, n, p)
    np.testing.assert_allclose(above, stats.binom.sf(k - 1, n, p), rtol=RTOL)
    np.testing.assert_allclose(below, stats.binom.cdf(k - 1, n, p), rtol=RTOL)
    tails = np.minimum(stats.binom.cdf(k, n, p), stats.binom.sf(k - 1, n, p))
    np.testing.assert_allclose(two_sided(k, n, p), np.minimum(1, 2 * tails), rtol=RTOL)


def test_of_what_is_not_known_the_tails_are_not_known():
    assert np.isnan(at_least(2, 3, np.nan)).all()


def test_arguments_may_be_lists_tables_and_numbers():
    above, below = at_least([1, 2], np.array([2.0, 2.0]), 0.5)
    assert above.tolist() == [0.75, 0.25] and below.tolist() == [0.25, 0.75]
