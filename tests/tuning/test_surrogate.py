"""The Gaussian process: exact conditioning, honest uncertainty, the gradient it is fitted with."""

import numpy as np
import pytest
from scipy import optimize
from scipy.stats import binomtest

from trainability.tuning.surrogate import Surrogate

ALPHA = 1e-6


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    x = rng.random((30, 2))
    variance = np.where(np.arange(30) < 15, 1e-4, 4e-2)
    score = np.sin(4 * x[:, 0]) + 0.3 * x[:, 1] + rng.normal(0, np.sqrt(variance))
    return x, score, variance


def test_the_gradient_of_the_fit_is_that_of_its_loss(data):
    model = Surrogate(*data)
    center, sd = np.zeros(3), np.ones(3)
    for theta in ([-1.0, -0.5, 0.3], [0.2, 0.4, -1.0]):
        _, gradient = model._loss(np.array(theta), center, sd)
        numeric = optimize.approx_fprime(
            np.array(theta), lambda t: model._loss(t, center, sd)[0], 1e-6
        )
        # Forward differences of step 1e-6 are good to about 1e-6 times the second derivative.
        np.testing.assert_allclose(gradient, numeric, rtol=1e-3, atol=1e-3)


def test_points_that_are_known_well_are_met_and_those_that_are_not_are_smoothed(data):
    x, score, _ = data
    model = Surrogate(*data)
    gaps = np.abs(model.mean(x) - score)
    # Noise of known points has standard deviation .01; 5 of them.
    assert gaps[:15].max() < 0.05
    assert gaps[15:].mean() > 3 * gaps[:15].mean()
    assert (model.deviation(x)[:15] < 0.02).all()


def test_samples_have_the_posterior_mean_and_deviation(data):
    model = Surrogate(*data)
    at = np.array([[0.1, 0.9], [0.5, 0.5], [1.0, 0.0]])
    mean, factor = model.sampler(at)
    np.testing.assert_allclose(mean, model.mean(at))
    np.testing.assert_allclose((factor**2).sum(axis=1), model.deviation(at) ** 2, rtol=1e-2)


def test_its_95_percent_limits_cover_functions_of_its_own_kind():
    """Coverage over functions drawn from a Matern-5/2 process with the prior's median settings."""
    rng = np.random.default_rng(3)
    grid = np.linspace(0, 1, 60)[:, None]
    r = np.sqrt(5) * np.abs(grid - grid.T) / 0.4
    factor = np.linalg.cholesky((1 + r + r**2 / 3) * np.exp(-r) + 1e-9 * np.eye(60))
    covered = 0
    for _ in range(40):
        truth = factor @ rng.standard_normal(60)
        seen = rng.choice(60, 12, replace=False)
        variance = np.full(12, 0.05**2)
        model = Surrogate(grid[seen], truth[seen] + rng.normal(0, 0.05, 12), variance)
        at = rng.integers(60)
        gap = abs(model.mean(grid[[at]])[0] - truth[at])
        covered += gap <= 1.96 * model.deviation(grid[[at]])[0]
    # Hyperparameters are estimated, so coverage falls short of 95 %: 80 % is asked for.
    assert binomtest(int(covered), 40, 0.8, alternative="less").pvalue > ALPHA


def test_equal_scores_are_no_trouble():
    model = Surrogate(np.array([[0.2], [0.7]]), np.full(2, 1.5), np.full(2, 1e-3))
    assert model.mean(np.array([[0.5]]))[0] == pytest.approx(1.5)
