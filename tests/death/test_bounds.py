"""Bounds hold at every point of their box, and lose nothing that they need not lose."""

import networks_by_hand as by_hand
import numpy as np
import pytest

from trainability.death.bounds import Region, layer_bounds
from trainability.domains import Ball, Box


def pre_activations(weights, biases, x):
    """All layers at points x of shape (R, N, d), in extended precision."""
    values = x.astype(np.longdouble)
    for weight, bias in zip(weights, biases, strict=True):
        z = np.einsum("rni,rji->rnj", values, weight.astype(np.longdouble)) + bias[:, None]
        yield z
        values = np.maximum(z, 0)


@pytest.mark.parametrize("bias_std", [0.0, 0.5])
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-9, 0.0])
def test_every_pre_activation_lies_between_its_bounds(size, bias_std):
    rng = np.random.default_rng(0)
    weights, biases = by_hand.hidden(by_hand.gaussian(200, [3, 8, 8, 8, 1], bias_std, seed=1))
    center, half = rng.uniform(-1, 1, (200, 3)), size * rng.uniform(0, 1, (200, 3))
    x = center[:, None] + half[:, None] * rng.uniform(-1, 1, (200, 64, 3))
    computed = layer_bounds(weights, biases, Region(center, half))
    for bounds, z in zip(computed, pre_activations(weights, biases, x), strict=True):
        assert (bounds.lower[:, None] <= z).all() and (z <= bounds.upper[:, None]).all()
        if size == 0.0:
            # All that is left is the rounding of a few hundred operations on numbers below 1e3.
            assert (bounds.upper - bounds.lower).max() < 1e-9


def test_rounding_is_paid_for_where_only_biases_are_left():
    # One point, the origin: there the region has no extent and lends no slack.
    weights, biases = by_hand.hidden(by_hand.gaussian(500, [3, 8, 8, 8, 1], 0.5, seed=2))
    x = np.zeros((500, 3))
    computed = layer_bounds(weights, biases, Region(x, x))
    for bounds, z in zip(computed, pre_activations(weights, biases, x[:, None]), strict=True):
        assert (bounds.lower[:, None] <= z).all() and (z <= bounds.upper[:, None]).all()


def test_bounds_over_a_ball_hold_in_it_and_beat_those_over_its_box():
    rng = np.random.default_rng(3)
    weights, biases = by_hand.hidden(by_hand.gaussian(100, [4, 6, 6, 1], 0.3, seed=3))
    ball = Ball(4, 1.5)
    x = np.broadcast_to(ball.sample(rng, 200), (100, 200, 4))
    inside = Region.around(ball)
    region = Region(np.repeat(inside.center, 100, 0), np.repeat(inside.half, 100, 0), 1.5)
    on_ball = layer_bounds(weights, biases, region)
    on_box = layer_bounds(weights, biases, Region(region.center, region.half))
    for bounds, wide, z in zip(on_ball, on_box, pre_activations(weights, biases, x), strict=True):
        assert (bounds.lower[:, None] <= z).all() and (z <= bounds.upper[:, None]).all()
        assert (bounds.upper < wide.upper).mean() > 0.9


def test_the_first_layer_is_bounded_by_the_support_function():
    weights, biases = by_hand.hidden(by_hand.gaussian(50, [3, 5, 1], 0.3, seed=6))
    box = Box(3, (1.0, 2.0, 0.5), center=(0.5, 0.0, -1.0))
    whole = Region.around(box)
    region = Region(np.repeat(whole.center, 50, 0), np.repeat(whole.half, 50, 0))
    bounds = layer_bounds(weights, biases, region)[0]
    np.testing.assert_allclose(bounds.upper, box.support(weights[0]) + biases[0], rtol=1e-12)
    np.testing.assert_allclose(bounds.lower, biases[0] - box.support(-weights[0]), rtol=1e-12)


def test_zero_stays_exactly_zero():
    """A later neuron with no bias and no positive weight is bounded by 0, not by rounding."""
    weights = [np.ones((1, 3, 2)) / 3, -np.ones((1, 1, 3)) / 7, -np.ones((1, 1, 1))]
    biases = [np.zeros((1, 3)), np.zeros((1, 1)), np.zeros((1, 1))]
    bounds = layer_bounds(weights, biases, Region(np.zeros((1, 2)), np.ones((1, 2))))
    assert bounds[1].upper == 0
    assert bounds[2].upper == 0
