import math

import numpy as np
import pytest
from scipy import stats

from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import InputError
from trainability.tasks import training_points

ALPHA = 1e-6


@pytest.mark.parametrize(
    ("domain", "ends"),
    [
        (Box(1, 2.0), (-2, 2)),
        (Ball(1, math.sqrt(3)), (-math.sqrt(3), math.sqrt(3))),
        (Box(1, 1.0, center=(5.0,)), (4, 6)),
    ],
)
def test_in_one_dimension_points_are_equispaced_ends_included(domain, ends):
    x = training_points(domain, 11)
    assert np.allclose(x[:, 0], np.linspace(*ends, 11), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("d", "share"), [(2, 0.1), (3, 0.1), (5, 0.5)])
def test_points_fill_a_box_better_than_chance(d, share):
    """Their squared L2 star discrepancy is below a share of its expectation over n random points,
    (2^-d - 3^-d) / n."""
    n = 500
    unit = training_points(Box(d, 0.5, center=(0.5,) * d), n)
    assert stats.qmc.discrepancy(unit, method="L2-star") ** 2 < share * (2.0**-d - 3.0**-d) / n


@pytest.mark.parametrize("d", [2, 3, 40])
def test_points_of_a_ball_are_uniform_over_it(d):
    """(|x| / r)^d is uniform, and so is every direction: more even than random, so KS passes."""
    x = training_points(Ball(d, 2.5), 400)
    radius = np.linalg.norm(x, axis=1)
    assert radius.max() < 2.5
    assert stats.kstest((radius / 2.5) ** d, "uniform").pvalue > ALPHA
    squared = stats.beta(0.5, (d - 1) / 2).cdf
    for axis in range(d):
        assert stats.kstest((x[:, axis] / radius) ** 2, squared).pvalue > ALPHA
    assert np.abs(x.mean(axis=0)).max() < 6 * 2.5 / math.sqrt(400 * d)


def test_of_points_the_first_n_are_taken():
    points = Points([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert training_points(points, 2).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(InputError, match="n_train is 4, but the domain has 3 points"):
        training_points(points, 4)


def test_other_domains_are_refused_by_name():
    class Disc(Domain):
        d = 2

        def support(self, w):
            return w

        contains = sample = support

    with pytest.raises(InputError, match="a Ball, a Box or Points, got Disc"):
        training_points(Disc(), 4)
