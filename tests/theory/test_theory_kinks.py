"""Data-dependent initialization: moments and output scale, by three routes."""

import math

import numpy as np
import pytest
from chance import assert_rate
from scipy.integrate import dblquad

from trainability.errors import InputError
from trainability.schemes import DataDependent
from trainability.schemes.base import Layer
from trainability.theory import data_dependent_output_std, kink_moments


@pytest.mark.parametrize(
    ("distance", "sigma_in", "sigma_e", "value"),
    [(1.3, 0.7, 0.4, 0.7401704831), (0.0, 0.7, 0.4, 0.16), (2.0, 1.0, 1e-300, 2.0)],
)
def test_values(distance, sigma_in, sigma_e, value):
    moments = kink_moments(distance, sigma_in, sigma_e).mean_square
    assert float(moments) == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize(("spread", "sigma_e"), [(0.9, 0.4), (0.05, 1.0), (3.0, 0.2)])
def test_moments_by_integration(spread, sigma_e):
    """Over e > 0 (folded) and the part of Z where the neuron is active."""
    moments = kink_moments(spread, 1.0, sigma_e)

    def moment(power):
        def integrand(z, e):
            weight = math.exp(-(e**2 + z**2) / 2) / math.pi
            return weight * (sigma_e * e + spread * z) ** power

        return dblquad(integrand, 0, 9, lambda e: -min(sigma_e * e / spread, 9.0), 9, epsabs=1e-9)[
            0
        ]

    for power, value in enumerate((moments.active, moments.mean, moments.mean_square)):
        assert float(value) == pytest.approx(moment(power), abs=2e-8)


def test_moments_by_sampling():
    rng = np.random.default_rng(0)
    n, spread, sigma_e = 200_000, 0.7, 0.5
    before = sigma_e * np.abs(rng.standard_normal(n)) + spread * rng.standard_normal(n)
    moments = kink_moments(spread, 1.0, sigma_e)
    assert_rate((before > 0).sum(), n, float(moments.active))
    for power, value in ((1, moments.mean), (2, moments.mean_square)):
        sample = np.maximum(before, 0) ** power
        assert abs(sample.mean() - value) < 6 * sample.std() / math.sqrt(n)


def test_at_its_own_point_a_neuron_is_always_active():
    moments = kink_moments([0.0, 1.0], 1.0, 0.3)
    assert moments.active[0] == 1.0 and moments.active[1] < 1.0
    assert moments.mean[0] == pytest.approx(0.3 * math.sqrt(2 / math.pi))


def test_the_output_is_as_large_as_the_targets():
    """The mean over networks of the mean square output, of networks drawn by the scheme."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((7, 2))
    n, width, n_out, target = 20_000, 5, 3, 1.7
    scheme = DataDependent(sigma_in=0.8, sigma_e=0.3)
    w, b = scheme.draw(Layer(n, 1, 2, 2, width, x[None], np.ones((1, 7), bool), x, target), rng)
    hidden = np.maximum(x @ w.transpose(0, 2, 1) + b[:, None], 0)
    std = data_dependent_output_std(x, width, n_out, target, 0.8, 0.3)
    out = hidden @ (std * rng.standard_normal((n, width, n_out)))
    size = (out**2).sum(axis=2).mean(axis=1)
    assert abs(size.mean() - target) < 6 * size.std() / math.sqrt(n)


def test_the_output_scale_is_the_schemes():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 4))
    scheme = DataDependent(sigma_in=0.8, sigma_e=0.3)
    layer = Layer(4000, 2, 2, 6, 2, np.ones((1, 300, 6)), np.ones((1, 300), bool), x, 2.5)
    drawn, _ = scheme.draw(layer, rng)
    std = data_dependent_output_std(x, 6, 2, 2.5, 0.8, 0.3)
    # The sample standard deviation of 48,000 normal numbers has relative error 1/sqrt(96,000).
    assert abs(drawn.std() / std - 1) < 6 / math.sqrt(96_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1.0, 1.0, 1.0), "distance must hold finite numbers >= 0, got -1.0"),
        ((float("nan"), 1.0, 1.0), "distance must hold finite numbers >= 0"),
        ((1.0, -0.1, 1.0), "sigma_in must be a finite number >= 0, got -0.1"),
        ((1.0, 1.0, 0.0), "sigma_e must be a finite number > 0, got 0.0"),
    ],
)
def test_moments_refuse_what_is_not_a_scale(arguments, message):
    with pytest.raises(InputError, match=message):
        kink_moments(*arguments)


@pytest.mark.parametrize(
    ("x", "width", "n_out", "target", "message"),
    [
        ([1.0, 2.0], 2, 1, 1.0, r"x must be finite numbers of shape \(m, d\).* got shape \(2,\)"),
        ([[float("inf")]], 2, 1, 1.0, "x must be finite numbers"),
        ([[1.0]], 0, 1, 1.0, "width must be an int >= 1, got 0"),
        ([[1.0]], 2, 0, 1.0, "n_out must be an int >= 1, got 0"),
        ([[1.0]], 2, 1, -1.0, "target_mean_square must be a finite number >= 0, got -1.0"),
    ],
)
def test_the_output_scale_refuses_bad_input(x, width, n_out, target, message):
    with pytest.raises(InputError, match=message):
        data_dependent_output_std(x, width, n_out, target, 1.0, 0.1)
