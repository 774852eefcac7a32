"""Trainability: shallow, deep by product and by chain, and sampled."""

import math

import numpy as np
import pytest
from chance import assert_estimates, assert_rate
from scipy.stats import binom

from trainability.domains import Ball, Box, Points
from trainability.schemes import DataDependent, He, Scheme, SignFlipped, UnitSphere
from trainability.theory import (
    Asymmetric,
    Gaussian,
    KinkAtData,
    OrthogonalRows,
    Uniform,
    UniformWeights,
    born_dead_probability,
    permanent_count_pmf,
    trainability_probability,
)
from trainability.theory.probability import Probability
from trainability.theory.questions.trainability import _product
from trainability.theory.sampling import network_layers

GAUSSIAN = Gaussian(1.0, 1.0)
LINE = Ball(1, math.sqrt(3))
CLOUD = Points(np.random.default_rng(2).standard_normal((6, 3)) * 0.5)


class Unknown(Scheme):
    """The unit sphere, by somebody who knows no law."""

    def draw(self, layer, rng):
        return UnitSphere().draw(layer, rng)

    def __repr__(self):
        return "Unknown()"

    __str__ = __repr__


@pytest.mark.parametrize(
    ("law", "need", "width", "value"),
    [
        (GAUSSIAN, 2, 2, 0.6944444444),
        (GAUSSIAN, 2, 3, 0.9259259259),
        (GAUSSIAN, 2, 4, 0.9837962963),
        (GAUSSIAN, 2, 8, 0.9999755897),
        (GAUSSIAN, 3, 3, 0.5787037037),
        (GAUSSIAN, 3, 4, 0.8680555556),
        (Uniform(1.0), 2, 2, 0.7321581987),
        (Uniform(1.0), 2, 3, 0.9435140653),
    ],
)
def test_values(law, need, width, value):
    """p = 1/6, and PyTorch's 1/(4 sqrt 3): binomial tails to 10 digits."""
    for method in ("chain", "product"):
        probability = trainability_probability(law, LINE, [width], need, method=method)
        assert float(probability) == pytest.approx(value, abs=6e-11)
        assert probability.standard_error == 0


def test_a_shallow_network_may_be_given_as_one_width():
    assert trainability_probability(GAUSSIAN, LINE, 3, 2) == trainability_probability(
        GAUSSIAN, LINE, [3], [2]
    )


def test_very_wide_networks():
    """Width 2e5, half of the neurons dead: P(A >= 1e5) = 1/2 + P(A = 1e5) / 2."""
    probability = trainability_probability(Gaussian(1.0, 1.0), Ball(1, 0.0), 200_000, 100_000)
    assert float(probability) == pytest.approx(0.5 + binom.pmf(100_000, 200_000, 0.5) / 2, rel=1e-9)


def signs_by_hand(law, widths, needs, closed, n=60_000):
    """Networks trainable by the definition, layer by layer."""
    ok, alive = np.ones(n, bool), None
    layers = network_layers(law, 1, widths, n, np.random.default_rng(3))
    for (w, b), need in zip(layers, needs, strict=True):
        if alive is None:
            alive = b + LINE.support(w) > 0
        else:
            seen = alive[:, None, :] if closed else np.ones_like(alive)[:, None, :]
            alive = (np.where(seen, w, -1) > 0).any(axis=2) | (b > 0)
        ok &= alive.sum(axis=1) >= need
    return ok.sum(), n


@pytest.mark.parametrize(
    "law",
    [
        GAUSSIAN,
        UniformWeights(1.0, 0.3),
        Gaussian(1.0, 0.0),
        Asymmetric(0.6),
        OrthogonalRows(1.0, 0.5, 2),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("widths", "needs"), [([2, 2, 2], [1, 1, 1]), ([3, 4, 2, 3], [2, 1, 2, 1])], ids=str
)
@pytest.mark.parametrize("method", ["chain", "product"])
def test_deep_networks_by_their_signs(law, widths, needs, method):
    probability = trainability_probability(law, LINE, widths, needs, method=method)
    events, n = signs_by_hand(law, widths, needs, method == "chain")
    if probability.standard_error:
        error = math.hypot(
            probability.standard_error, math.sqrt(probability.value * (1 - probability.value) / n)
        )
        assert abs(events / n - probability.value) < 6 * error
    else:
        assert_rate(events, n, float(probability))


def test_the_product_is_a_product():
    widths, p = [4, 3, 5], float(born_dead_probability(GAUSSIAN, LINE))
    q = [p, 2.0**-5, 2.0**-4]
    expected = math.prod(binom.sf(1, n, 1 - one) for n, one in zip(widths, q, strict=True))
    probability = trainability_probability(GAUSSIAN, LINE, widths, 2, method="product")
    assert float(probability) == pytest.approx(expected, rel=1e-12)


def test_the_chain_by_enumerating_its_counts():
    widths, p = [3, 2, 2], float(born_dead_probability(GAUSSIAN, LINE))
    total = 0.0
    for first in range(1, 4):
        for second in range(1, 3):
            alive = binom.pmf(first, 3, 1 - p) * binom.pmf(second, 2, 1 - 2.0 ** -(first + 1))
            total += alive * (1 - (2.0 ** -(second + 1)) ** 2)
    assert float(trainability_probability(GAUSSIAN, LINE, widths)) == pytest.approx(
        total, rel=1e-13
    )


@pytest.mark.parametrize(
    "law", [GAUSSIAN, Gaussian(1.0, 0.0), Uniform(1.0), Asymmetric(0.6)], ids=str
)
def test_the_chain_is_never_above_the_product_and_both_fall_with_depth(law):
    before = {"chain": 1.0, "product": 1.0}
    for depth in range(2, 12):
        now = {
            name: float(trainability_probability(law, LINE, [3] * depth, method=name))
            for name in before
        }
        assert now["chain"] <= now["product"] + 1e-15
        assert all(now[name] <= before[name] for name in now)
        before = now


def test_kinks_at_data_are_trainable():
    for scheme in (KinkAtData(1.0, 0.1), DataDependent()):
        assert float(trainability_probability(scheme, LINE, [2] * 9, 2)) == 1.0


def test_one_need_for_all_layers_is_that_need_in_each():
    assert trainability_probability(GAUSSIAN, LINE, [4, 4], 3) == trainability_probability(
        GAUSSIAN, LINE, [4, 4], [3, 3]
    )


@pytest.mark.parametrize("widths", [[4], [4, 3]])
def test_an_estimated_probability_hands_its_error_on(widths):
    """The error equals that of p times the slope: here the slope by finite differences."""
    probability = trainability_probability(GAUSSIAN, CLOUD, widths, 2)
    p = born_dead_probability(GAUSSIAN, CLOUD)
    assert probability.method == "rao-blackwell"

    def at(p_dead):
        rest = (
            [binom.sf(1, 3, 1 - 2.0 ** -(k + 1)) for k in range(5)]
            if len(widths) > 1
            else [1.0] * 5
        )
        return sum(binom.pmf(k, 4, 1 - p_dead) * rest[k] for k in range(2, 5))

    assert probability.value == pytest.approx(at(p.value), rel=1e-9)
    slope = (at(p.value + 1e-6) - at(p.value - 1e-6)) / 2e-6
    assert probability.standard_error == pytest.approx(abs(slope) * p.standard_error, rel=1e-4)


def test_orthogonal_layers_by_product():
    law = OrthogonalRows(1.0, 0.5, 3)
    probability = trainability_probability(law, Ball(3, 1.0), [3, 3], [1, 3], method="product")
    dead = float(born_dead_probability(law, Ball(3, 1.0)))
    alive = float(permanent_count_pmf(law, 3, 3).pmf[0])
    assert float(probability) == pytest.approx((1 - dead**3) * alive, rel=1e-12)


@pytest.mark.parametrize("widths", [[3], [3, 2]])
@pytest.mark.parametrize("method", ["chain", "product"])
def test_a_scheme_without_a_law_is_sampled(widths, method):
    probability = trainability_probability(Unknown(), LINE, widths, method=method)
    assert probability.method == "sampling"
    exact = trainability_probability(UnitSphere(), LINE, widths, method=method)
    assert_estimates(probability, exact.value)


def test_a_scheme_that_looks_at_data_is_given_some():
    scheme = SignFlipped(He(bias_std=1.0))
    on_data = trainability_probability(scheme, CLOUD, [2, 2], n_samples=2000)
    assert on_data.method == "sampling"
    on_box = trainability_probability(scheme, Box(3, 1.0), [2, 2], n_samples=2000)
    assert on_box.method == "sampling"
    assert on_box.note == "with 256 points of the domain as training data"
    assert on_box.described == f"sampling, {on_box.note}"
    # Flipping keeps points alive, so it can only help against dead layers.
    plain = trainability_probability(He(bias_std=1.0), Box(3, 1.0), [2, 2])
    assert on_box.value > plain.value - 6 * on_box.standard_error


def test_a_product_keeps_the_notes_of_its_factors_and_the_least_exact_method():
    factors = [Probability(0.5), Probability(0.5, 0.1, "sampling", "of 3 networks")]
    product = _product(factors)
    assert (product.value, product.method, product.note) == (0.25, "sampling", "of 3 networks")
    assert product.standard_error == pytest.approx(0.05)
