"""The power with which widths grow, from rates that follow one."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

from trainability.analysis.scaling import DRAWS_BEYOND, n_draws, power_of_samples

WIDTHS = [2, 4, 8, 16, 32, 64]


def cells(power, sizes=(8, 16, 32), n=4096):
    """Logit of success linear in log width, 90 % at n_train to some power."""
    rows = []
    for size in sizes:
        for width in WIDTHS:
            logit = special.logit(0.9) + 2 * (np.log(width) - power * np.log(size))
            rows.append([size, width, round(float(special.expit(logit)) * n), n])
    return pd.DataFrame(rows, columns=["n_train", "width", "successes", "n"])


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_the_power_that_rates_follow_is_measured(power):
    measured = power_of_samples(cells(power), 0.9)
    # Counts are rounded by at most a half of 4,096, which is some 1e-3 of a logit there.
    assert measured.power == pytest.approx(power, abs=2e-3)
    assert measured.low < measured.power < measured.high < measured.low + 0.2
    expected = np.array([8, 16, 32]) ** power
    assert measured.widths["width"].to_numpy() == pytest.approx(expected, rel=2e-3)


def test_what_no_studied_width_reaches_is_left_out():
    measured = power_of_samples(cells(1.0, sizes=(8, 16, 32, 1000)), 0.9)
    assert measured.widths["width"].isna().tolist() == [False, False, False, True]
    assert measured.power == pytest.approx(1.0, abs=2e-3)
    assert np.isnan(power_of_samples(cells(1.0, sizes=(8, 16, 1000)), 0.9).power)


def test_an_interval_covers_a_power_of_few_networks():
    """At 64 networks a cell it is wide, and still holds the truth."""
    measured = power_of_samples(cells(1.0, n=64), 0.9)
    assert measured.low < 1 < measured.high and measured.high - measured.low > 0.1


def crossing_below(place, k, n):
    """Posterior probability that the line through two logits rises above 90 % before a place."""
    one, other = (stats.beta(a + 0.5, n - a + 0.5) for a in k)
    least = special.logit(0.9)

    def above(p):
        """That the second rate lifts the line above 90 % there, given the first."""
        gap = least - special.logit(p)
        return one.pdf(p) * other.sf(special.expit(least + gap * (1 - place) / place))

    return integrate.quad(above, one.ppf(1e-14), min(0.9, one.isf(1e-14)), epsabs=1e-12)[0]


@pytest.mark.parametrize("n_looks", [1, 10, 50, 100])
def test_the_ends_of_an_interval_are_known_as_well_at_many_looks_as_at_one(n_looks):
    """Against the posterior of one crossing by quadrature."""
    level, n = 1 - 0.05 / n_looks, 512
    table = pd.DataFrame(
        [[size, width, k, n] for size in (8, 16, 32) for width, k in ((4, 430), (8, 490))],
        columns=["n_train", "width", "successes", "n"],
    )
    widths = power_of_samples(table, 0.9, level).widths
    drawn, tail = n_draws(level), (1 - level) / 2
    assert round(drawn * tail) == DRAWS_BEYOND
    # Draws beyond an end of the true one are binomial: 1e-6 for all 24 ends of this test.
    few, many = stats.binom.ppf([1e-6 / 48, 1 - 1e-6 / 48], drawn, tail)
    at = np.log2(widths[["width_low", "width_high"]].to_numpy() / 4)
    for low, high in at:
        assert few <= drawn * crossing_below(low, (430, 490), n) <= many
        assert few <= drawn * (1 - crossing_below(high, (430, 490), n)) <= many


@pytest.mark.parametrize("level", [0.95, 0.99, 0.999])
def test_how_likely_the_truth_is_beyond_an_end_is_known_to_a_seventh(level):
    """The number of draws beyond an end is Poisson's, nearly: its error is that of its root."""
    assert 1 / np.sqrt(n_draws(level) * (1 - level) / 2) <= 1 / 7
