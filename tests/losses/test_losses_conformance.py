"""Laws of every loss that the catalog finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rule_examples import LOSSES, Differentiable, targets_for

from trainability.arithmetic import ARRAYS
from trainability.arithmetic.tensors import TENSORS

N = 23
TWINS = {
    "MeanSquaredError": torch.nn.MSELoss(),
    "MeanAbsoluteError": torch.nn.L1Loss(),
    "Huber": torch.nn.HuberLoss(),
    "BinaryCrossEntropy": torch.nn.BCEWithLogitsLoss(),
    "CrossEntropy": torch.nn.CrossEntropyLoss(),
}


def evaluate(loss, on, outputs, targets, scale):
    """Value and deltas, from outputs of shape (N, D)."""
    total, deltas = by_point(loss, on, outputs, targets, scale)
    return loss.factor * total.sum(), deltas


def by_point(loss, on, outputs, targets, scale):
    """What points, or their outputs, add to the value, before the factor; and deltas."""
    if not loss.by_rows:
        [delta], total = loss.accumulate(on, [outputs], [targets], scale + 0 * outputs, 0.0)
        return total, delta
    rows = [list(tensor.T) for tensor in (outputs, targets)]
    deltas, total = loss.accumulate(on, *rows, scale + 0 * outputs[:, 0], 0.0)
    stack = np.stack if isinstance(outputs, np.ndarray) else torch.stack
    return total, stack(deltas, 1)


@pytest.fixture(params=LOSSES, ids=str)
def loss(request):
    return request.param


@pytest.fixture(params=[2, 3])
def d_out(request) -> int:
    """Two outputs too: a loss by rows may treat them by a formula of their own."""
    return request.param


def points(loss, d_out) -> tuple[np.ndarray, np.ndarray]:
    outputs = np.random.default_rng(0).normal(0, 2, (N, d_out))
    return outputs, targets_for(loss, N, d_out).astype(float)


def test_deltas_are_the_derivative_of_the_loss(loss, d_out) -> None:
    outputs, targets = map(torch.from_numpy, points(loss, d_out))
    scale = loss.scale(N, d_out)
    free = outputs.clone().requires_grad_()
    value, _ = evaluate(loss, Differentiable(), free, targets, scale)
    (wanted,) = torch.autograd.grad(value, free)
    _, deltas = evaluate(loss, TENSORS, outputs, targets, scale)
    torch.testing.assert_close(deltas, wanted, rtol=1e-10, atol=1e-12)


def test_interpreters_agree_and_a_point_of_scale_0_counts_for_nothing(loss, d_out) -> None:
    outputs, targets = points(loss, d_out)
    value, deltas = evaluate(loss, ARRAYS, outputs, targets, loss.scale(N, d_out))
    twin, twins = evaluate(
        loss, TENSORS, *map(torch.from_numpy, (outputs, targets)), loss.scale(N, d_out)
    )
    np.testing.assert_allclose(value, float(twin), rtol=1e-12)
    np.testing.assert_allclose(deltas, twins.numpy(), rtol=1e-9, atol=1e-15)
    value, deltas = evaluate(loss, ARRAYS, outputs, targets, 0.0)
    assert value == 0 and (deltas == 0).all()


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if type(loss).__name__ in TWINS], ids=str)
def test_it_is_what_torch_calls_so(loss, d_out) -> None:
    twin = TWINS[type(loss).__name__]
    outputs, targets = map(torch.from_numpy, points(loss, d_out))
    value, _ = evaluate(loss, TENSORS, outputs, targets, loss.scale(N, d_out))
    torch.testing.assert_close(value, twin(outputs, targets), rtol=1e-10, atol=1e-12)


def test_no_constant_output_is_better_than_of_constant(loss, d_out) -> None:
    """Descent from many starts comes close to it, and never below."""
    _, targets = points(loss, d_out)
    bound = loss.of_constant(targets.astype(np.float32))
    best, n_starts = np.inf, 5
    rng = np.random.default_rng(1)
    constants = torch.from_numpy(rng.normal(0, 1, (n_starts, d_out))).requires_grad_()
    # What an optimizer does to one number asks no other: all starts descend at once.
    optimizer = torch.optim.Adam([constants], lr=0.05)
    wanted = torch.from_numpy(targets).repeat(n_starts, 1)
    for step in range(600):
        optimizer.param_groups[0]["lr"] = 0.05 * 0.99**step
        optimizer.zero_grad()
        outputs = constants.repeat_interleave(N, 0)
        total, _ = by_point(loss, Differentiable(), outputs, wanted, loss.scale(N, d_out))
        values = loss.factor * total.reshape(n_starts, -1).sum(1)
        values.sum().backward()
        best = min(best, float(values.detach().min()))
        optimizer.step()
    assert best >= bound - 1e-9
    assert best <= bound * 1.01


def test_large_outputs_give_no_nan(loss, d_out) -> None:
    _, targets = points(loss, d_out)
    outputs = np.where(np.arange(N * d_out).reshape(N, d_out) % 2, 500.0, -500.0)
    value, deltas = evaluate(loss, ARRAYS, outputs, targets, loss.scale(N, d_out))
    assert np.isfinite(value) and np.isfinite(deltas).all()
