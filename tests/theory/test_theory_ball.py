"""Born-dead probability on balls: closed form, quadrature and sampling agree."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from chance import assert_rate
from scipy import special
from scipy.integrate import dblquad, quad

from trainability.domains import Ball
from trainability.theory import (
    Asymmetric,
    Gaussian,
    OrthogonalRows,
    Uniform,
    UniformWeights,
    born_dead_probability,
)
from trainability.theory.numerics import ball as formulas
from trainability.theory.numerics import torch_ball

GAUSSIAN = Gaussian(1.0, 1.0)
TORCH = Uniform(1.0)
R3 = math.sqrt(3)

# Derived in closed form or by quadrature, checked by 4e6 sampled neurons each, to 10 digits.
VALUES = [
    (GAUSSIAN, 1, R3, 0.1666666667),
    (GAUSSIAN, 2, R3, 0.06698729811),
    (GAUSSIAN, 3, 1.0, 0.09084505691),
    (GAUSSIAN, 5, R3, 0.005862405502),
    (GAUSSIAN, 10, 1.0, 0.005059779868),
    (GAUSSIAN, 100, 1.0, 4.950844492e-17),
    (UniformWeights(math.sqrt(2), 1.0), 3, R3, 0.02774731233),
    (TORCH, 1, R3, 0.1443375673),
    (TORCH, 1, 0.5, 0.375),
    (TORCH, 2, R3, 0.04363323130),
    (TORCH, 2, 0.8, 0.1945327339),
    (TORCH, 3, 0.5, 0.2598520109),
    (TORCH, 10, 1.0, 1.131997532e-4),
    (OrthogonalRows(1.0, 1.0, 2), 4, 1.0, 0.1586552539),
    (Asymmetric(0.6007), 1, R3, 0.02985228849),
    (Asymmetric(0.6007), 5, R3, 4.192154426e-4),
    (Asymmetric(0.6007), 3, 0.5, 0.09642578177),
]


@pytest.mark.parametrize(("law", "d", "radius", "value"), VALUES)
def test_values(law, d, radius, value):
    assert float(born_dead_probability(law, Ball(d, radius))) == pytest.approx(value, rel=3e-10)


def test_a_far_tail_has_a_logarithm():
    probability = born_dead_probability(GAUSSIAN, Ball(2000, 2.0), log=True)
    assert probability.value == pytest.approx(-1614.045980, abs=5e-7)
    assert float(born_dead_probability(GAUSSIAN, Ball(2000, 2.0))) == 0.0


@pytest.mark.parametrize("law", {law for law, *_ in VALUES}, ids=str)
@pytest.mark.parametrize(("d", "radius"), [(1, 0.3), (2, 0.9), (6, 0.6), (6, 1.5)])
def test_what_is_sampled_agrees(law, d, radius):
    n = 100_000
    w, b = law.sample_layer(n, d, 2, np.random.default_rng(5))
    dead = b[:, 0] + radius * np.linalg.norm(w[:, 0], axis=1) <= 0
    assert_rate(dead.sum(), n, float(born_dead_probability(law, Ball(d, radius), 2)))


@pytest.mark.parametrize("law", {law for law, *_ in VALUES}, ids=str)
@pytest.mark.parametrize("d", [1, 4, 300])
def test_the_logarithm_is_that_of_the_probability_and_falls_with_the_radius(law, d):
    logs = []
    for radius in (1e-9, 0.01, 0.2, 0.9, 1.1, 40.0):
        plain = float(born_dead_probability(law, Ball(d, radius)))
        logs.append(float(born_dead_probability(law, Ball(d, radius), log=True)))
        assert plain == pytest.approx(math.exp(logs[-1]), rel=1e-12)
    assert logs == sorted(logs, reverse=True)


@pytest.mark.parametrize("d", [1, 2, 3, 17, 100, 2000])
@pytest.mark.parametrize("kappa", [1e-100, 1e-8, 0.02, 0.7, R3, 30.0, 1e9])
def test_gaussian_by_craigs_integral(d, kappa):
    by_quadrature = formulas.log_craig(
        lambda log_s: -0.5 * d * np.logaddexp(0, math.log(2) + log_s), kappa
    )
    # log p is known to 1e-16 of its size, which is 4e4 at most.
    assert by_quadrature == pytest.approx(formulas.log_gaussian(d, kappa), abs=2e-11)


@pytest.mark.parametrize(
    ("d", "exact"),
    [
        (1, lambda k: math.atan(1 / k) / math.pi),
        (2, lambda k: (1 - k / math.hypot(1, k)) / 2),
    ],
)
def test_gaussian_in_low_dimensions_is_elementary(d, exact):
    for kappa in (1e-6, 0.4, 2.0, 1e3):
        assert float(born_dead_probability(GAUSSIAN, Ball(d, kappa))) == pytest.approx(
            exact(kappa), rel=1e-9
        )


def test_gaussian_is_a_tail_of_students_law():
    for d in (3, 20, 500):
        tail = special.stdtr(d, -0.3 * math.sqrt(d))
        assert float(born_dead_probability(GAUSSIAN, Ball(d, 0.3))) == pytest.approx(
            tail, rel=1e-11
        )


def test_only_the_ratio_of_scales_matters_to_gaussian_and_torch_neurons():
    for scaled, law in ((Gaussian(4.0, 4.0), GAUSSIAN), (Uniform(0.01), TORCH)):
        ours, theirs = (born_dead_probability(one, Ball(5, 0.8)) for one in (scaled, law))
        assert float(ours) == pytest.approx(float(theirs), rel=1e-12)


@pytest.mark.parametrize(("d", "kappa"), [(1, 1e-3), (1, 2.0), (1, 1e6), (4, 0.6), (60, 1.3)])
def test_uniform_weights_by_high_precision_quadrature(d, kappa):
    def integrand(t):
        z = kappa / (mpmath.sqrt(2) * mpmath.sin(t))
        return (mpmath.sqrt(mpmath.pi) * mpmath.erf(z) / (2 * z)) ** d

    with mpmath.workdps(25):
        cuts = [0, *(mpmath.mpf(10) ** -k for k in (4, 3, 2, 1)), mpmath.pi / 2]
        exact = float(mpmath.log(mpmath.quad(integrand, cuts) / mpmath.pi))
    assert formulas.log_uniform_weights(d, kappa) == pytest.approx(exact, abs=1e-10)


def test_uniform_weights_on_a_line_are_elementary():
    for kappa in (0.01, 1.0, 300.0):
        density_gap = -math.expm1(-(kappa**2) / 2) / math.sqrt(2 * math.pi)
        exact = special.ndtr(-kappa) + density_gap / kappa
        assert formulas.log_uniform_weights(1, kappa) == pytest.approx(math.log(exact), abs=1e-11)


@pytest.mark.parametrize(
    ("d", "radius"), [(5, 1.2), (6, 0.3), (50, 1.0), (200, 3.0), (40, 0.1), (300, 0.05)]
)
def test_torch_default_closed_forms_by_inverse_laplace_transform(d, radius):
    """Outside the range where it is used, the transform meets the closed forms."""
    assert math.log(0.5) + torch_ball.log_mean_ramp(d, radius) == pytest.approx(
        torch_ball.log_torch_default(d, radius), abs=1e-10
    )


@pytest.mark.parametrize("radius", [0.58, 0.6, 1 / math.sqrt(2), 0.8, 0.99])
def test_torch_default_in_space_by_shells(radius):
    """(1/2) E G(sqrt(1 + |y|^2)), y uniform on the unit square, along |y|."""

    def g(q):
        return 1 - 0.75 * radius * q if radius * q <= 1 else (radius * q) ** -3 / 4

    def arc(rho):
        return math.pi / 2 - (2 * math.acos(1 / rho) if rho > 1 else 0.0)

    kink = math.sqrt(max(1 / radius**2 - 1, 0))
    cuts = sorted({0.0, 1.0, min(kink, math.sqrt(2)), math.sqrt(2)})
    exact = sum(
        quad(lambda p: g(math.hypot(1, p)) * p * arc(p), a, b, epsabs=0, epsrel=1e-13)[0]
        for a, b in itertools.pairwise(cuts)
    )
    assert torch_ball.log_torch_default(3, radius) == pytest.approx(math.log(exact / 2), abs=2e-11)


@pytest.mark.parametrize("d", [3, 4, 7, 100, 1000])
def test_torch_default_has_no_seam(d):
    for seam in (1 / math.sqrt(d), 1.0):
        low, high = (torch_ball.log_torch_default(d, seam * (1 + step)) for step in (-1e-9, 1e-9))
        # The logarithm's slope is below d + 1 in units of the radius.
        assert 0 <= low - high < 2.1e-9 * (d + 1)


def test_the_mean_norm_of_a_cube():
    plane = (math.sqrt(2) + math.asinh(1)) / 3
    assert torch_ball.mean_norm(2) == pytest.approx(plane, rel=1e-12)
    assert torch_ball.mean_norm(1) == pytest.approx(0.5, rel=1e-12)

    # One coordinate of three integrated by hand: the mean of sqrt(q + z^2) over 0 < z < 1.
    def height(x, y):
        q = x * x + y * y
        return (math.sqrt(q + 1) + q * math.asinh(1 / math.sqrt(q))) / 2

    space, _ = dblquad(height, 0, 1, 0, 1, epsabs=1e-11)
    assert torch_ball.mean_norm(3) == pytest.approx(space, rel=1e-9)


@pytest.mark.parametrize(("d", "n"), [(1, 2), (2, 5), (10, 11), (300, 900)])
def test_orthogonal_rows_by_high_precision_quadrature(d, n):
    kappa = 1.7
    a, b = d / 2, (n - d) / 2

    def integrand(x):
        return x ** (a - 1) * (1 - x) ** (b - 1) * mpmath.erfc(kappa * mpmath.sqrt(x / 2)) / 2

    with mpmath.workdps(20):
        mean, std = a / (a + b), math.sqrt(a * b / (a + b + 1)) / (a + b)
        cuts = [x for x in (mean + k * std for k in range(-14, 15)) if 0 < x < 1]
        exact = mpmath.quad(integrand, [0, *cuts, 1]) / mpmath.beta(a, b)
    assert formulas.log_orthogonal(d, n, kappa) == pytest.approx(float(mpmath.log(exact)), abs=1e-9)


@pytest.mark.parametrize("k", [1e-6, 0.01, 0.049, 0.051, 1.0, R3 / 0.6007, 40.0])
def test_asymmetric_on_a_line_is_elementary(k):
    with mpmath.workdps(40):
        x = mpmath.mpf(k)
        tail = mpmath.ncdf(-x)
        phi = mpmath.npdf(x)
        exact = (tail + (mpmath.mpf(1) / 2 - tail - x * phi) / x**2) / 2
    assert formulas.log_asymmetric(1, 1.0, k) == pytest.approx(float(mpmath.log(exact)), abs=1e-11)


@pytest.mark.parametrize(
    ("law", "p"), [(GAUSSIAN, 0.5), (TORCH, 0.5), (Asymmetric(0.6), 0.4), (Gaussian(1.0, 0.0), 1.0)]
)
def test_at_the_origin_only_the_bias_counts(law, p):
    assert float(born_dead_probability(law, Ball(4, 0.0))) == pytest.approx(p, rel=1e-15)


@pytest.mark.parametrize("law", [Gaussian(1.0, 0.0), OrthogonalRows(1.0, 0.0, 9)])
def test_without_biases_no_neuron_is_dead_on_a_ball(law):
    assert float(born_dead_probability(law, Ball(3, 1e-9))) == 0.0
    assert float(born_dead_probability(law, Ball(3, 1e-9), log=True)) == -math.inf


def test_without_weights_the_sign_of_the_bias_decides():
    assert float(born_dead_probability(Gaussian(0.0, 1.0), Ball(3, 5.0))) == 0.5
