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
from trainability.theory import AdamMemory, Gaussian, neuron_fates, success_probability
from trainability.theory.numerics.adam_flow import STEP, final_losses
from trainability.theory.questions.success import ADAM, draw_shallow
from trainability.training import Problem, choose_engine

TASK = AbsoluteValue()
X, Y = TASK.data()


def by_loop(w, b, a, c, x, y, memory, step, n_steps):
    """The loss of one network after some steps, in float64."""
    parts = [a, c, w, b]
    m, v = ([np.zeros_like(part) for part in parts] for _ in range(2))
    beta1, beta2 = memory.decays(step)
    for t in range(1, n_steps + 2):
        a, c, w, b = parts
        before = x @ w.T + b
        hidden = np.maximum(before, 0)
        residual = hidden @ a.T + c - y
        if t > n_steps:
            return (residual**2).mean()
        error = 2 * residual / residual.size
        back = (error @ a) * (before > 0)
        gradients = error.T @ hidden, error.sum(0), back.T @ x, back.sum(0)
        for k, gradient in enumerate(gradients):
            m[k] = beta1 * m[k] + (1 - beta1) * gradient
            v[k] = beta2 * v[k] + (1 - beta2) * gradient**2
            size = np.sqrt(v[k] / (1 - beta2**t)) + 1e-8
            parts[k] = parts[k] - step * m[k] / (1 - beta1**t) / size


@pytest.mark.parametrize("memory", [ADAM, AdamMemory(0.1, 2.0), AdamMemory(0, 0)])
@pytest.mark.parametrize(("d", "d_out"), [(2, 2), (1, 1), (1, 3), (3, 1), (3, 3)])
def test_the_flow_is_that_of_a_loop(memory, d, d_out):
    """In so few steps no sign hangs on rounding: chosen by the seed."""
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((20, d)), rng.standard_normal((20, d_out))
    w, a = rng.standard_normal((6, 4, d)), rng.standard_normal((6, d_out, 4))
    b, c = rng.standard_normal((6, 4)), rng.standard_normal((6, d_out))
    ended = final_losses((w, a), (b, c), x, y, 1e-9, 0, memory, duration=1.0)
    expected = [by_loop(*net, x, y, memory, STEP, 100) for net in zip(w, b, a, c, strict=True)]
    np.testing.assert_allclose(ended, expected, rtol=1e-3)


def test_at_the_learning_rate_the_flow_is_adam():
    memory = AdamMemory.of(0.02, 0.9, 0.999)
    assert memory.decays(0.02) == pytest.approx((0.9, 0.999))
    assert AdamMemory.of(0.001, 0.9, 0.999).gradient == pytest.approx(memory.gradient / 20)
    with pytest.raises(InputError, match="AdamMemory gradient must be a finite number >= 0"):
        AdamMemory(-1.0, 1.0)
    for wrong in (1, 1.5, -0.1, float("nan"), "0.9", True):
        with pytest.raises(InputError, match="AdamMemory beta2 must be a number from 0 to below 1"):
            AdamMemory.of(0.02, 0.9, wrong)
    with pytest.raises(InputError, match=r"learning_rate must be[\s\S]*beta1[\s\S]*beta2"):
        AdamMemory.of(0.0, 1.0, 1.0)
    with pytest.raises(InputError, match="AdamMemory step must be a finite number > 0"):
        AdamMemory(0, 0).decays(0.0)


def test_a_network_stops_at_the_tolerance_without_enough_active_neurons_and_once_it_stalls():
    rng = np.random.default_rng(6)
    (w, a), (b, c) = draw_shallow(He(bias_std=1.0), X, Y, 3, 50, rng)
    first = final_losses((w, a), (b, c), X, Y, np.inf, 0, ADAM, duration=1.0)
    middle = float(np.median(first))
    ended = final_losses((w, a), (b, c), X, Y, middle, 0, ADAM, duration=1.0)
    assert (ended[first <= middle] == first[first <= middle]).all()
    assert (ended < first)[first > middle].any()
    dead = -np.abs(w), np.full_like(b, -9.0)
    ended = final_losses((dead[0], a), (dead[1], c), X, Y, 1e-9, 1, ADAM, duration=1.0)
    np.testing.assert_allclose(ended, np.mean((c - Y.T) ** 2, axis=1), rtol=1e-5)
    # Dead and not stopped, they reach the best constant, and stay however long they are followed.
    long, longer = (
        final_losses((dead[0], a), (dead[1], c), X, Y, 1e-9, 0, ADAM, duration=time)
        for time in (40.0, 4e6)
    )
    np.testing.assert_allclose(long, Y.var(), rtol=1e-3)
    np.testing.assert_array_equal(long, longer)


SCHEMES = [UnitSphere(), He(bias_std=1.0), RandomizedAsymmetric(), DataDependent()]


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_the_law_predicts_adam(scheme, width):
    """Within .02 beyond chance: other networks, trained by Adam."""
    n = 2048
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
    p = success_probability(scheme, X, Y, width, 1e-3, TASK.need)
    error = math.hypot(p.standard_error, math.sqrt(measured * (1 - measured) / n))
    # Two-sided normal quantile of ALPHA.
    assert ALPHA == 1e-6
    assert abs(p.value - measured) < 0.02 + 4.9 * error, (p, measured)


@pytest.mark.parametrize("scheme", [UnitSphere(), He(bias_std=1.0)], ids=str)
def test_the_race_brackets_the_law(scheme):
    """With room for what the race leaves out: a concave neuron that becomes a line."""
    for width in (2, 3, 4):
        fates = neuron_fates(scheme, X, Y, width)
        p = success_probability(scheme, X, Y, width, 1e-3, TASK.need, n_samples=2048)
        slack = 5 * p.standard_error
        assert fates.opposite(width) - slack < p.value
        assert p.value < fates.opposite_or_alike(width) + slack


def test_bad_input_is_refused_all_at_once():
    with pytest.raises(InputError) as caught:
        success_probability(Gaussian(1.0, 1.0), X, Y, 0, -1.0)
    text = str(caught.value)
    assert "wants a scheme" in text
    assert "width must be an int >= 1, got 0" in text
    assert "tolerance must be a finite number > 0, got -1.0" in text
    with pytest.raises(InputError, match=r"x must be finite numbers of shape \(N, d\)"):
        success_probability(He(), X[:, 0], Y, 2, 0.1)
    with pytest.raises(InputError, match="one row per point, got 100 and 99"):
        success_probability(He(), X, Y[1:], 2, 0.1)
    with pytest.raises(InputError, match="needs one input and one output, got 2 and 1"):
        neuron_fates(He(), np.hstack([X, X]), Y, 2)
