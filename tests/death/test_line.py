"""1-D inputs: against exact rational arithmetic, and against the theory of deep networks."""

import itertools
from fractions import Fraction

import line_by_arrays
import networks_by_hand as by_hand
import numpy as np
import pytest
from scipy.stats import binomtest

from trainability.death import census
from trainability.death.line import positive_on_interval
from trainability.domains import Ball, Box

ALPHA = 1e-6


def dead_layers_exactly(network, low, high):
    """Oracle: which neurons of one network are dead on [low, high], with Fractions."""
    weights, biases = by_hand.hidden(network)
    points = [Fraction(low), Fraction(high)]
    values = [[point] for point in points]
    alive_before = [True]
    layers = []
    for weight, bias in zip(weights, biases, strict=True):
        w = [[Fraction(float(x)) for x in row] for row in weight[0]]
        b = [Fraction(float(x)) for x in bias[0]]
        z = [
            [sum(map(Fraction.__mul__, row, h), c) for row, c in zip(w, b, strict=True)]
            for h in values
        ]
        positive = [any(column[j] > 0 for column in z) for j in range(len(b))]
        fed = [any(x != 0 and a for x, a in zip(row, alive_before, strict=True)) for row in w]
        alive_before = [p and f for p, f in zip(positive, fed, strict=True)]
        layers.append([not a for a in alive_before])
        merged = [z[0]]
        for left, right in itertools.pairwise(z):
            cuts = sorted({x / (x - y) for x, y in zip(left, right, strict=True) if x * y < 0})
            merged += [[x + t * (y - x) for x, y in zip(left, right, strict=True)] for t in cuts]
            merged.append(right)
        values = [[max(x, Fraction(0)) for x in row] for row in merged]
    return layers


@pytest.mark.parametrize("bias_std", [0.0, 0.4])
@pytest.mark.parametrize("sizes", [[1, 3, 3, 3, 1], [1, 2, 4, 3, 2, 1], [1, 6, 5, 1]])
def test_the_census_on_an_interval_is_what_rational_arithmetic_says(sizes, bias_std):
    networks = by_hand.gaussian(40, sizes, bias_std, seed=sum(sizes))
    counted = census(networks, Box(1, (1.25,), center=(0.5,)))
    for r in range(40):
        for t, dead in enumerate(dead_layers_exactly(networks[[r]], -0.75, 1.75)):
            assert ((counted.status[t][r] > 0) == dead).all(), (r, t)
    assert not counted.undecided.any()


@pytest.mark.parametrize("bias_std", [0.0, 0.7])
@pytest.mark.parametrize("sizes", [[1, 40, 33, 40, 1], [1, *[7] * 15, 1], [1, 1, 9, 2, 9, 1]])
def test_compiled_loops_say_what_arrays_say_however_many_breakpoints_there_are(sizes, bias_std):
    layers = by_hand.hidden(by_hand.gaussian(60, sizes, bias_std, seed=len(sizes)))
    plain = line_by_arrays.positive_on_interval(*layers, -1.5, 2.0)
    for positive, expected in zip(positive_on_interval(*layers, -1.5, 2.0), plain, strict=True):
        np.testing.assert_array_equal(positive, expected)


def test_a_ball_of_one_dimension_is_an_interval():
    networks = by_hand.gaussian(200, [1, 4, 4, 1], 0.5)
    on_ball, on_box = census(networks, Ball(1, 1.5)), census(networks, Box(1, 1.5))
    for a, b in zip(on_ball.status, on_box.status, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("depth", "probability"), [(3, 0.15625), (4, 0.34016927), (5, 0.49773371), (20, 0.99323306)]
)
def test_narrow_networks_without_biases_are_born_dead_as_often_as_theory_says(depth, probability):
    # Width 2: the exact angle chain of zero-bias Gaussian networks on an interval around 0.
    networks = by_hand.gaussian(20_000, [1] + [2] * (depth - 1) + [1], seed=depth)
    n_dead = int(census(networks, Ball(1, 1.0)).born_dead.sum())
    assert binomtest(n_dead, 20_000, probability).pvalue > ALPHA


def test_a_first_layer_neuron_is_born_dead_with_probability_one_sixth():
    # Weights and biases of one standard deviation on [-sqrt 3, sqrt 3]: arctan(1/sqrt 3) / pi.
    networks = by_hand.gaussian(5000, [1, 8, 1], np.sqrt(2), seed=3)
    n_dead = int(census(networks, Ball(1, 3**0.5)).permanent.sum())
    assert binomtest(n_dead, 40_000, 1 / 6).pvalue > ALPHA


def test_the_second_layer_without_biases_is_active_as_often_as_theory_says():
    # Both rays live with probability 1 - 2^(1-N_1), and each neuron then with 3/4, else 1/2.
    networks = by_hand.gaussian(20_000, [1, 3, 2, 1], seed=8)
    n_full = int((census(networks, Ball(1, 1.0)).active[:, 1] == 2).sum())
    both_rays = 1 - 2.0 ** (1 - 3)
    expected = both_rays * (3 / 4) ** 2 + (1 - both_rays) * (1 / 2) ** 2
    assert binomtest(n_full, 20_000, expected).pvalue > ALPHA
