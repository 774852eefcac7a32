"""Born-dead probability on boxes: closed form, inverse transform and sampling agree."""

import math

import mpmath
import numpy as np
import pytest
from chance import assert_estimates, assert_rate

from trainability.domains import Ball, Box, Points
from trainability.theory import (
    Asymmetric,
    Gaussian,
    OrthogonalRows,
    Uniform,
    UniformWeights,
    born_dead_probability,
)
from trainability.theory.numerics import box as formulas
from trainability.theory.numerics.points import log_gaussian_plane
from trainability.theory.numerics.transforms import log_half_normal, log_uniform
from trainability.theory.sampling import rao_blackwell

GAUSSIAN = Gaussian(1.0, 1.0)
TORCH = Uniform(1.0)
R3 = math.sqrt(3)

# Derived by closed form or quadrature, checked by 4e6 sampled neurons each, to 10 digits.
VALUES = [
    (TORCH, 2, 1.0, 1 / 12),
    (TORCH, 3, 0.5, 0.1354166667),
    (TORCH, 30, 0.3, 2.951922712e-19),
    (GAUSSIAN, 2, R3, 0.04562894834),
    (GAUSSIAN, 3, 0.5, 0.1438649224),
    (GAUSSIAN, 10, 1.0, 6.426126757e-6),
]
LAWS = [
    GAUSSIAN,
    Gaussian(1.0, 0.3),
    TORCH,
    UniformWeights(1.3, 1.0),
    Asymmetric(0.6),
    OrthogonalRows(1.0, 1.0, 7),
]
BOXES = [
    Box(1, 0.6),
    Box(1, 0.6, (1.5,)),
    Box(2, 0.8),
    Box(3, (0.2, 1.0, 0.5)),
    Box(3, (0.2, 1.0, 0.5), (0.1, -0.3, 0.0)),
    Box(3, 0.5, (2.0, -0.5, 0.5)),
    Box(4, 0.1, (1.0, 1.0, -1.0, 0.1)),
]


@pytest.mark.parametrize(("law", "d", "half_width", "value"), VALUES)
def test_values(law, d, half_width, value):
    assert float(born_dead_probability(law, Box(d, half_width))) == pytest.approx(value, rel=3e-10)


def test_a_far_tail_has_a_logarithm():
    probability = born_dead_probability(GAUSSIAN, Box(500, 1.7), log=True)
    assert probability.value == pytest.approx(-1686.579263, abs=5e-7)


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("box", BOXES, ids=str)
def test_what_is_sampled_agrees(law, box):
    n = 60_000
    w, b = law.sample_layer(n, box.d, 7, np.random.default_rng(8))
    dead = b[:, 0] + box.support(w[:, 0]) <= 0
    probability = born_dead_probability(law, box, 7)
    if probability.standard_error:  # both are sampled
        error = math.hypot(probability.standard_error, math.sqrt(probability.value / n))
        assert abs(dead.mean() - probability.value) < 6 * error
    else:
        assert_rate(dead.sum(), n, probability.value)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_on_a_line_a_box_is_a_ball_and_a_pair_of_points(law):
    for half_width in (0.05, 1.0, 8.0):
        values = [
            float(born_dead_probability(law, domain, 7))
            for domain in (
                Box(1, half_width),
                Ball(1, half_width),
                Points([[-half_width], [half_width]]),
            )
        ]
        assert values == pytest.approx([values[0]] * 3, rel=1e-11)


@pytest.mark.parametrize("kappa", [1e-9, 0.02, 0.9, R3, 20.0, 1e7])
def test_gaussian_on_a_square_three_ways(kappa):
    by_transform = formulas.log_gaussian_bias(log_half_normal, np.full(2, kappa), np.full(2, kappa))
    corners = np.array([(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)])
    assert log_gaussian_plane(corners, kappa) == pytest.approx(by_transform, abs=1e-11)
    if 1e-3 < kappa < 30:  # the difference of angles loses digits
        exact = 0.5 - math.acos(1 / (1 + 2 * kappa**2)) / math.pi
        assert math.exp(by_transform) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(("d", "kappa"), [(3, 0.5), (10, 1.0), (10, 0.01), (40, 0.3)])
def test_gaussian_by_high_precision_along_another_line(d, kappa):
    with mpmath.workdps(25):
        line = mpmath.mpf(1) / 2  # not the saddle point

        def integrand(y):
            z = mpmath.mpc(line, y)
            m = mpmath.exp(kappa**2 * z**2 / 2) * mpmath.erfc(kappa * z / mpmath.sqrt(2))
            return (mpmath.exp(z**2 / 2) * m**d / z).real

        p = mpmath.quad(integrand, list(range(0, 13))) / mpmath.pi
        exact = float(mpmath.log(p))
    probability = born_dead_probability(GAUSSIAN, Box(d, kappa), log=True).value
    assert probability == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize(("d", "kappa"), [(1, 0.7), (2, 3.0), (3, 0.1), (3, 1.0)])
def test_uniform_weights_by_the_law_of_their_sum(d, kappa):
    """E Q(kappa S), S the sum of d uniform numbers, by its piecewise polynomial density."""
    with mpmath.workdps(20):

        def density(s):
            terms = ((-1) ** k * math.comb(d, k) * (s - k) ** (d - 1) for k in range(d) if s > k)
            return sum(terms) / math.factorial(d - 1)

        exact = mpmath.quad(lambda s: density(s) * mpmath.ncdf(-kappa * s), list(range(d + 1)))
    logarithm = formulas.log_gaussian_bias(log_uniform, np.full(d, kappa), np.full(d, kappa))
    assert logarithm == pytest.approx(float(mpmath.log(exact)), abs=1e-10)


@pytest.mark.parametrize(
    ("d", "a"), [(1, 0.4), (2, 0.7), (3, 0.5), (8, 0.2), (8, 1.5), (30, 0.3), (60, 0.05)]
)
def test_torch_default_on_a_cube_three_ways(d, a):
    """By the alternating sum, in integers, and (where it settles) by inverse transform."""
    ends = np.full(d, a)
    closed = formulas.log_torch_default_cube(d, a)
    exact = formulas.log_piecewise_polynomial(ends, ends, biased=True)
    # Logarithms of up to 2e3 are added up: 1e-11.
    assert closed == pytest.approx(exact, abs=1e-11)
    if d >= 3:
        assert formulas.log_uniform_bias(ends, ends) == pytest.approx(closed, abs=1e-10)


@pytest.mark.parametrize(("d", "a"), [(2000, 0.02), (2000, 6e-4), (700, 1.0)])
def test_torch_default_on_a_cube_does_not_cancel(d, a):
    ends = np.full(d, a)
    closed = born_dead_probability(TORCH, Box(d, a), log=True).value
    assert formulas.log_uniform_bias(ends, ends) == pytest.approx(closed, abs=2e-10)


@pytest.mark.parametrize("biased", [True, False])
def test_integers_and_inverse_transform_agree_off_center(biased):
    up = np.array([1.1, -0.2, 0.3, 0.9, 0.4])
    down = np.array([-0.4, 0.9, 0.5, 0.2, 0.4])
    exact = formulas.log_piecewise_polynomial(up, down, biased=biased)
    transform = (
        formulas.log_uniform_bias(up, down)
        if biased
        else formulas.log_zero_bias(log_uniform, up, down)
    )
    assert transform == pytest.approx(exact, abs=1e-10)


def test_integers_give_up_when_there_are_too_many_terms():
    ends = np.linspace(0.1, 1.0, 14)
    assert formulas.log_piecewise_polynomial(ends, ends[::-1] / 3, biased=True) is None
    # and the inverse transform takes over
    box = Box(14, tuple((ends + ends[::-1] / 3) / 2), tuple((ends - ends[::-1] / 3) / 2))
    probability = born_dead_probability(TORCH, box)
    assert probability.method == "quadrature"
    assert_estimates(
        rao_blackwell(TORCH, box, 40_000, np.random.default_rng(1), False), float(probability)
    )


@pytest.mark.parametrize("law", [Gaussian(1.0, 0.0), UniformWeights(1.0, 0.0)], ids=str)
def test_without_biases_only_boxes_beside_the_origin_can_kill(law):
    assert float(born_dead_probability(law, Box(3, 0.5, (0.4, 0.0, 0.0)))) == 0.0
    corner = Box(3, (0.5, 0.5, 0.0), (0.5, -0.5, 0.0))  # the origin is a corner of it
    assert float(born_dead_probability(law, corner)) == 0.25
    assert float(born_dead_probability(law, Box(3, 0.0, (1.0, 0.0, 2.0)))) == 0.5


def test_a_quarter_plane_of_directions_is_dead_on_a_square_beside_the_origin():
    """Seen from 0 the square spans the angle between its outermost corners."""
    box = Box(2, 1.0, (3.0, 0.0))
    spanned = 2 * math.atan2(1, 2)
    p = (math.pi - spanned) / (2 * math.pi)
    for law in (Gaussian(1.0, 0.0), OrthogonalRows(1.0, 0.0, 5)):
        assert float(born_dead_probability(law, box)) == pytest.approx(p, rel=1e-12)


def test_the_sampled_fallback_states_itself_and_its_error():
    probability = born_dead_probability(OrthogonalRows(1.0, 1.0, 2), Box(3, 0.5))
    assert probability.method == "rao-blackwell" and probability.standard_error > 0
    # On the sphere |w|_1 lies between |w| and sqrt(3) |w|.
    low, high = (
        float(born_dead_probability(OrthogonalRows(1.0, 1.0, 2), Ball(3, r)))
        for r in (0.5 * R3, 0.5)
    )
    assert low < probability.value < high


def test_extreme_scales_have_answers():
    """p -> C / kappa^d for large kappa: a factor of 10 costs d log 10."""
    logs = [born_dead_probability(GAUSSIAN, Box(200, k), log=True).value for k in (1e30, 1e31)]
    assert logs[0] - logs[1] == pytest.approx(200 * math.log(10), abs=1e-9)
    for law in LAWS[:-1]:
        assert float(born_dead_probability(law, Box(5, 1e-14), 7)) == pytest.approx(
            float(born_dead_probability(law, Box(5, 0.0), 7)), rel=1e-12
        )
