"""Predicted success: the flow against a loop, and the law against training."""

import math

import numpy as np
import pytest
from chance import ALPHA

from trainability import Adam
from trainability.errors import InputError
from trainability.networks import initialize
from trainability.schemes import DataDependent, He, RandomizedAsymmetric, UnitSphere
from trainability.tasks import AbsoluteValue
from trainability.theory import Gaussian, neuron_fates, success_probability
from trainability.theory.numerics.sign_flow import final_losses, step_sizes
from trainability.theory.questions.success import draw_shallow
from trainability.training import Problem, choose_engine

TASK = AbsoluteValue()
X, Y = TASK.data()


def by_loop(w, b, a, c, x, y, steps):
    """Losses of one network before every step and after the last, in float64."""
    losses = []
    for size in [*steps, 0.0]:
        before = x @ w.T + b
        hidden = np.maximum(before, 0)
        residual = hidden @ a.T + c - y
        losses.append((residual**2).mean())
        back = (residual @ a) * (before > 0)
        gradients = residual.T @ hidden, residual.sum(0), back.T @ x, back.sum(0)
        a, c, w, b = (
            part - size * np.sign(gradient)
            for part, gradient in zip((a, c, w, b), gradients, strict=True)
        )
    return losses


def test_the_flow_is_that_of_a_loop():
    """Two inputs, two outputs. In 100 steps no sign hangs on rounding: chosen by the seed."""
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((20, 2)), rng.standard_normal((20, 2))
    w, a = rng.standard_normal((6, 4, 2)), rng.standard_normal((6, 2, 4))
    b, c = rng.standard_normal((6, 4)), rng.standard_normal((6, 2))
    steps = np.geomspace(0.05, 0.01, 100)
    ended = final_losses((w, a), (b, c), x, y, threshold=1e-9, steps=steps)
    expected = [by_loop(*net, x, y, steps)[-1] for net in zip(w, b, a, c, strict=True)]
    np.testing.assert_allclose(ended, expected, rtol=1e-3)


def test_a_network_stops_below_the_threshold_and_without_enough_active_neurons():
    rng = np.random.default_rng(6)
    (w, a), (b, c) = draw_shallow(He(bias_std=1.0), X, Y, 3, 50, rng)
    first = final_losses((w, a), (b, c), X, Y, threshold=1e-9, steps=np.zeros(1))
    ended = final_losses((w, a), (b, c), X, Y, threshold=float(np.median(first)))
    assert (ended[first <= np.median(first)] == first[first <= np.median(first)]).all()
    dead = -np.abs(w), np.full_like(b, -9.0)
    ended = final_losses((dead[0], a), (dead[1], c), X, Y, threshold=1e-9)
    np.testing.assert_allclose(ended, np.mean((c - Y.T) ** 2, axis=1), rtol=1e-5)


def test_the_steps_last_as_long_as_the_flow():
    assert step_sizes().sum() == pytest.approx(8.0, rel=0.05)


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("scheme", [UnitSphere(), RandomizedAsymmetric(), DataDependent()], ids=str)
def test_the_law_predicts_adam(scheme, width):
    """Within the .03 that the law promises, beyond chance: other networks, trained by Adam."""
    n = 1024
    start = initialize(scheme, (1, width, 1), n, np.random.default_rng(7), X, Y)
    problem = Problem(
        x=X,
        y=Y,
        optimizer=Adam(learning_rate=5e-3),
        tolerance=1e-3,
        batch_size=None,
        order_keys=np.zeros(n, np.uint64),
    )
    training = choose_engine("auto", start.sizes, problem).start(start, problem)
    training.advance(10_000)
    measured = training.succeeded.mean()
    p = success_probability(
        scheme, X, Y, width, TASK.best_loss_below_need(), TASK.need, n_samples=2048
    )
    error = math.hypot(p.standard_error, math.sqrt(measured * (1 - measured) / n))
    # Two-sided normal quantile of ALPHA.
    assert ALPHA == 1e-6
    assert abs(p.value - measured) < 0.03 + 4.9 * error, (p, measured)


@pytest.mark.parametrize("scheme", [UnitSphere(), He(bias_std=1.0)], ids=str)
def test_the_race_brackets_the_law(scheme):
    """With room for what the race leaves out: a concave neuron that becomes a line."""
    for width in (2, 3, 4):
        fates = neuron_fates(scheme, X, Y, width)
        p = success_probability(
            scheme, X, Y, width, TASK.best_loss_below_need(), TASK.need, n_samples=2048
        )
        slack = 5 * p.standard_error
        assert fates.opposite(width) - slack < p.value
        assert p.value < fates.opposite_or_alike(width) + slack


def test_bad_input_is_refused_all_at_once():
    with pytest.raises(InputError) as caught:
        success_probability(Gaussian(1.0, 1.0), X, Y, 0, -1.0)
    text = str(caught.value)
    assert "wants a scheme" in text
    assert "width must be an int >= 1, got 0" in text
    assert "threshold must be a finite number > 0, got -1.0" in text
    with pytest.raises(InputError, match=r"x must be finite numbers of shape \(N, d\)"):
        success_probability(He(), X[:, 0], Y, 2, 0.1)
    with pytest.raises(InputError, match="one row per point, got 100 and 99"):
        success_probability(He(), X, Y[1:], 2, 0.1)
    with pytest.raises(InputError, match="needs one input and one output, got 2 and 1"):
        neuron_fates(He(), np.hstack([X, X]), Y, 2)
