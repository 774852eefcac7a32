"""Laws of every optimizer and schedule that the catalogs find."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from rule_examples import OPTIMIZERS, SCHEDULES

from trainability.arithmetic import ARRAYS
from trainability.errors import InputError
from trainability.optimizers import SGD, Adam
from trainability.optimizers.adamw import AdamW
from trainability.optimizers.nesterov import Nesterov
from trainability.optimizers.schedules.cosine import Cosine
from trainability.optimizers.schedules.steps import Steps
from trainability.optimizers.schedules.warm_up import WarmUp

TWINS = {
    SGD(0.05): lambda p: torch.optim.SGD([p], lr=0.05),
    SGD(0.05, momentum=0.9): lambda p: torch.optim.SGD([p], lr=0.05, momentum=0.9),
    Nesterov(0.05): lambda p: torch.optim.SGD([p], lr=0.05, momentum=0.9, nesterov=True),
    Adam(0.05): lambda p: torch.optim.Adam([p], lr=0.05),
    AdamW(0.05, weight_decay=0.1): lambda p: torch.optim.AdamW([p], lr=0.05, weight_decay=0.1),
}


def run(optimizer, gradients: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The parameters after every update, in float64 but for the factors."""
    parameter, moments, path = start, [np.zeros_like(start)] * optimizer.n_moments, []
    numbers = optimizer.numbers()
    for gradient, factors in zip(gradients, optimizer.factors(0, len(gradients)), strict=True):
        factors = [float(factor) for factor in factors]
        parameter = optimizer.update(ARRAYS, parameter, gradient, moments, numbers, factors)
        path.append(parameter)
    return np.array(path)


@pytest.mark.parametrize("optimizer", TWINS, ids=str)
def test_it_is_what_torch_calls_so(optimizer) -> None:
    """To the rounding of the factors, which are float32, in each of 50 steps."""
    rng = np.random.default_rng(0)
    gradients, start = rng.standard_normal((50, 8)), rng.standard_normal(8)
    parameter = torch.nn.Parameter(torch.from_numpy(start.copy()))
    twin = TWINS[optimizer](parameter)
    for gradient, value in zip(gradients, run(optimizer, gradients, start), strict=True):
        parameter.grad = torch.from_numpy(gradient)
        twin.step()
        np.testing.assert_allclose(value, parameter.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_an_idle_parameter_does_what_the_optimizer_declares(optimizer) -> None:
    start = np.array([-2.0, 0.0, 0.5])
    path = run(optimizer, np.zeros((20, 3)), start)
    if optimizer.idle == "stays":
        np.testing.assert_array_equal(path, np.tile(start, (20, 1)))
    if optimizer.idle == "shrinks":
        factors = path[:, [0, 2]] / start[[0, 2]]
        np.testing.assert_allclose(factors[:, 0], factors[:, 1], rtol=1e-12)
        assert (factors > 0).all() and (factors <= 1).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_factors_do_not_depend_on_where_a_chunk_begins(optimizer) -> None:
    whole = optimizer.factors(0, 40)
    assert whole.dtype == np.float32 and len(whole) == 40
    np.testing.assert_array_equal(optimizer.factors(13, 40), whole[13:])


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_a_schedule_scales_the_step_size(optimizer, schedule) -> None:
    scheduled = dataclasses.replace(optimizer, schedule=schedule)
    scale = schedule.scale(np.arange(30))
    assert (scale >= 0).all() and (scale <= 1).all()
    np.testing.assert_allclose(
        scheduled.factors(0, 30)[:, 0], optimizer.factors(0, 30)[:, 0] * scale, rtol=1e-6
    )


def test_schedules_by_their_formulas() -> None:
    step = np.arange(8)
    np.testing.assert_allclose(
        Steps(every=3, factor=0.5).scale(step)[[0, 2, 3, 6]], [1, 1, 0.5, 0.25]
    )
    np.testing.assert_allclose(
        Cosine(steps=4).scale(step)[[0, 2, 4, 7]], [1, 0.5, 0, 0], atol=1e-12
    )
    warm = WarmUp(steps=4, then=Cosine(steps=2, final=0.5))
    np.testing.assert_allclose(warm.scale(step), [0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.5])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Nesterov(0.1, momentum=0), "momentum must be above 0; without momentum use SGD"),
        (lambda: AdamW(0.5, weight_decay=2), "learning_rate \\* weight_decay must be below 1"),
        (lambda: Adam(0.1, schedule="cosine"), "schedule must be a schedule, .* got 'cosine'"),
        (lambda: Cosine(steps=0), "steps must be an int >= 1, a number of steps, got 0"),
        (lambda: Steps(every=3, factor=2), "factor must be at most 1, got 2"),
        (lambda: WarmUp(steps=3, then=None), "then must be a schedule"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message) -> None:
    with pytest.raises(InputError, match=message):
        make()
