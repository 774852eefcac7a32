"""Bounds of born-dead networks: values, order, and what they refuse."""

import math
from fractions import Fraction

import numpy as np
import pytest

from trainability.domains import Ball, Box, Points
from trainability.errors import InputError
from trainability.schemes import (
    DataDependent,
    He,
    Orthogonal,
    RandomizedAsymmetric,
    SignFlipped,
    TorchDefault,
)
from trainability.theory import (
    Gaussian,
    OrthogonalRows,
    Uniform,
    UniformWeights,
    angle_chain,
    born_dead_lower_bound,
    born_dead_lower_bound_1d,
    born_dead_network_probability,
    born_dead_probability,
    born_dead_upper_bound,
    non_convergence_lower_bound,
)

PLAIN = Gaussian(1.0, 0.0)
BIASED = Gaussian(1.0, 1.0)
LINE = Ball(1, 1.0)
CLOUD = Points(np.random.default_rng(1).standard_normal((5, 3)) * 0.3)


def test_values():
    """L = 6 of width 2, and L = 10 of width 5, to 10 digits."""
    for widths, value in (([2] * 5, 0.5996627808), ([5] * 9, 0.06398540616)):
        bound = born_dead_lower_bound_1d(PLAIN, LINE, widths)
        assert float(bound) == pytest.approx(value, abs=5.1e-11)


def exact_1d(n, layers):
    """The 1-D lower bound in rational numbers."""
    half = Fraction(1, 2**n)
    a1, a2 = 1 - half, 1 - 2 * half - (n - 1) * half**2
    share = (1 - 2 * half) * (1 - half) / (1 + (n - 1) * half)
    return 1 - a1 ** (layers - 1) + share * (a2 ** (layers - 1) - a1 ** (layers - 1))


@pytest.mark.parametrize("n", [1, 2, 7, 60, 200])
@pytest.mark.parametrize("layers", [1, 2, 3, 30])
def test_the_one_dimensional_bound_does_not_cancel(n, layers):
    exact = exact_1d(n, layers)
    bound = born_dead_lower_bound_1d(PLAIN, LINE, [n] * layers)
    assert float(bound) == pytest.approx(float(exact), rel=1e-13)
    logarithm = born_dead_lower_bound_1d(PLAIN, LINE, [n] * layers, log=True).value
    assert logarithm == pytest.approx(math.log(exact) if exact else -math.inf, rel=1e-13)


def test_the_upper_bound_in_rational_numbers():
    for widths in ([1], [2, 2], [3, 70, 9], [80] * 5, [1200, 1300]):
        alive = math.prod(1 - Fraction(1, 2**n) for n in widths)
        bound = born_dead_upper_bound(PLAIN, LINE, widths)
        assert float(bound) == pytest.approx(float(1 - alive), rel=1e-13)
        logarithm = born_dead_upper_bound(PLAIN, LINE, widths, log=True).value
        gone = 1 - alive
        assert logarithm == pytest.approx(
            math.log(gone.numerator) - math.log(gone.denominator), rel=1e-12
        )


@pytest.mark.parametrize("law", [BIASED, Uniform(1.0)], ids=str)
def test_the_general_lower_bound_by_its_product(law):
    widths = [2, 3, 2]
    p = float(born_dead_probability(law, LINE))
    expected = 1 - (1 - p**2) * (1 - 2.0 ** -(3 * 3)) * (1 - 2.0 ** -(2 * 4))
    bound = born_dead_lower_bound(law, LINE, widths)
    assert float(bound) == pytest.approx(expected, rel=1e-12)
    logarithm = born_dead_lower_bound(law, LINE, widths, log=True).value
    assert logarithm == pytest.approx(math.log(expected), rel=1e-12)
    plain = born_dead_lower_bound(PLAIN, LINE, widths)
    assert float(plain) == pytest.approx(1 - (1 - 2.0**-6) * (1 - 2.0**-6), rel=1e-13)


def test_the_general_lower_bound_in_wide_networks_has_a_logarithm():
    bound = born_dead_lower_bound(BIASED, LINE, [50] * 4, log=True).value
    assert bound == pytest.approx(50 * math.log(0.25), rel=1e-12)  # p = 1/4; the rest is 2^-2550
    bound = born_dead_lower_bound(PLAIN, LINE, [50] * 4, log=True).value
    assert bound == pytest.approx(math.log(3) - 2500 * math.log(2), rel=1e-12)


@pytest.mark.parametrize("widths", [[2], [2, 2], [2, 2, 2], [3, 3, 3, 3], [2] * 8], ids=str)
@pytest.mark.parametrize("law", [PLAIN, UniformWeights(0.4, 0.0)], ids=str)
def test_the_bounds_enclose_the_truth_without_biases(law, widths):
    truth = born_dead_network_probability(law, LINE, widths)
    slack = 6 * truth.standard_error + 1e-12
    low = float(born_dead_lower_bound_1d(law, LINE, widths))
    assert float(born_dead_lower_bound(law, LINE, widths)) <= low + 1e-12
    assert low <= truth.value + slack
    assert truth.value <= float(born_dead_upper_bound(law, LINE, widths)) + slack
    if len(widths) <= 2:
        assert low == pytest.approx(truth.value, abs=1e-14)


@pytest.mark.parametrize("law", [BIASED, Gaussian(1.0, 0.1), Uniform(1.0)], ids=str)
@pytest.mark.parametrize("domain", [LINE, CLOUD], ids=str)
def test_the_bounds_enclose_the_truth_with_biases(law, domain):
    widths = [2, 2, 3]
    truth = born_dead_network_probability(law, domain, widths)
    low, high = (
        bound(law, domain, widths) for bound in (born_dead_lower_bound, born_dead_upper_bound)
    )
    slack = 6 * math.hypot(truth.standard_error, low.standard_error)
    assert low.value - slack < truth.value < high.value + slack


def test_the_upper_bound_is_reached_at_one_input():
    for law in (BIASED, OrthogonalRows(1.0, 0.3, 2), PLAIN):
        one = Points([[0.3, -1.0]])
        assert float(born_dead_upper_bound(law, one, [2, 2])) == pytest.approx(
            float(born_dead_network_probability(law, one, [2, 2])), rel=1e-12
        )


def test_with_biases_the_one_dimensional_bound_would_be_false():
    """Why it is refused there: the truth lies below it."""
    would_be = float(born_dead_lower_bound_1d(PLAIN, LINE, [2] * 3))
    truth = born_dead_network_probability(BIASED, Ball(1, 3.0), [2] * 3)
    assert truth.value + 6 * truth.standard_error < would_be


def test_an_estimated_first_layer_hands_its_error_on():
    bound = born_dead_lower_bound(BIASED, CLOUD, [2, 3])
    p = born_dead_probability(BIASED, CLOUD)
    rest = 1 - 2.0**-9
    assert bound.method == "rao-blackwell"
    assert bound.standard_error == pytest.approx(2 * p.value * rest * p.standard_error, rel=1e-9)
    logarithm = born_dead_lower_bound(BIASED, CLOUD, [2, 3], log=True)
    assert logarithm.standard_error == pytest.approx(bound.standard_error / bound.value, rel=1e-9)


def test_restarts_multiply():
    one = float(born_dead_lower_bound(BIASED, LINE, [2, 2]))
    bound = non_convergence_lower_bound(BIASED, LINE, [2, 2], 3)
    assert float(bound) == pytest.approx(one**3, rel=1e-12)
    logarithm = non_convergence_lower_bound(BIASED, LINE, [2, 2], 10_000, log=True).value
    assert logarithm == pytest.approx(10_000 * math.log(one), rel=1e-12)
    sampled = non_convergence_lower_bound(BIASED, CLOUD, [2, 2], 3)
    base = born_dead_lower_bound(BIASED, CLOUD, [2, 2])
    assert sampled.standard_error == pytest.approx(
        3 * base.value**2 * base.standard_error, rel=1e-9
    )


def test_more_depth_raises_and_more_width_lowers_the_chain_and_its_bounds():
    for value in (
        lambda n, t: angle_chain([n] * t).born_dead.value,
        lambda n, t: float(born_dead_lower_bound_1d(PLAIN, LINE, [n] * t)),
        lambda n, t: float(born_dead_upper_bound(PLAIN, LINE, [n] * t)),
        lambda n, t: float(born_dead_lower_bound(PLAIN, LINE, [n] * t)),
    ):
        assert value(2, 2) < value(2, 3) < value(2, 5)
        assert value(1, 3) > value(2, 3) > value(3, 3)


ALL = [
    born_dead_upper_bound,
    born_dead_lower_bound_1d,
    born_dead_lower_bound,
    lambda *arguments: non_convergence_lower_bound(*arguments, 3),
]


@pytest.mark.parametrize("bound", ALL)
@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        (RandomizedAsymmetric(), r"i.i.d. symmetric .* does not hold for RandomizedAsymmetric\(\)"),
        (DataDependent(), r"i.i.d. symmetric .* does not hold for DataDependent\(\)"),
        (SignFlipped(He()), r"needs a law of i.i.d. .* got SignFlipped\(.*\), which states none"),
    ],
    ids=str,
)
def test_schemes_that_are_not_symmetric_are_refused_by_name(bound, scheme, message):
    with pytest.raises(InputError, match=message):
        bound(scheme, LINE, [2, 2])


@pytest.mark.parametrize("bound", ALL[1:])
def test_dependent_rows_are_refused_where_independence_is_used(bound):
    with pytest.raises(InputError, match=r"the rows of Orthogonal\(\) depend on each other"):
        bound(Orthogonal(), LINE, [2, 2])


@pytest.mark.parametrize("bound", ALL)
def test_what_is_zero_everywhere_is_refused(bound):
    with pytest.raises(InputError, match="is 0 everywhere"):
        bound(PLAIN, Ball(1, 0.0), [2, 2])


@pytest.mark.parametrize(
    ("scheme", "domain", "widths", "message"),
    [
        (He(bias_std=1.0), LINE, [2, 2], "is false with biases, got Gaussian"),
        (TorchDefault(), LINE, [2, 2], "is false with biases, got Uniform"),
        (He(), Ball(2, 1.0), [2, 2], "holds for d = 1, got d = 2; use born_dead_lower_bound"),
        (He(), LINE, [2, 3], r"hidden layers of equal width, got \[2, 3\]"),
        (He(bias_std=1.0), Box(2, 1.0), [2, 3], "3 problems"),
    ],
)
def test_the_one_dimensional_bound_refuses_what_it_does_not_hold_for(
    scheme, domain, widths, message
):
    with pytest.raises(InputError, match=message):
        born_dead_lower_bound_1d(scheme, domain, widths)
