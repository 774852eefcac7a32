"""The power with which widths grow, from rates that follow one."""

import numpy as np
import pandas as pd
import pytest
from scipy import special

from trainability.analysis.scaling import power_of_samples

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
