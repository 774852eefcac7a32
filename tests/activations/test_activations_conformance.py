"""Laws of every activation that the catalog finds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from rule_examples import ACTIVATIONS, Differentiable

from trainability.activations.hermite import Hermite
from trainability.activations.leaky_relu import LeakyReLU
from trainability.arithmetic import ARRAYS
from trainability.arithmetic.tensors import TENSORS
from trainability.errors import InputError

OTHER_NAMES = {"HardTanh": "Hardtanh"}
Z = np.linspace(-8, 8, 3001)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_backward_is_the_derivative_of_the_value(activation) -> None:
    """By automatic differentiation, away from kinks, which are at 0 and at ends of flat pieces."""
    kinks = [0.0, *(end for piece in activation.flat for end in piece if math.isfinite(end))]
    z = torch.from_numpy(Z[np.abs(Z[:, None] - kinks).min(axis=1) > 1e-9]).requires_grad_()
    h = activation.value(Differentiable(), z)
    (slope,) = torch.autograd.grad(h.sum(), z)
    kept = (h if activation.keeps == "output" else z).detach()
    derivative = activation.backward(TENSORS, torch.full_like(kept, 2.0), kept)
    torch.testing.assert_close(derivative, 2 * slope, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_all_interpreters_agree(activation) -> None:
    by_arrays = activation.value(ARRAYS, Z)
    by_tensors = activation.value(TENSORS, torch.from_numpy(Z)).numpy()
    np.testing.assert_allclose(by_arrays, by_tensors, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_flat_pieces_are_flat_and_nothing_else_is(activation) -> None:
    pieces = activation.flat
    assert list(pieces) == sorted(pieces)
    inside = np.zeros(len(Z), dtype=bool)
    for low, high in pieces:
        piece = (low <= Z) & (high >= Z)
        inside |= piece
        assert np.ptp(activation.value(ARRAYS, Z[piece])) == 0
        for end in (low, high):
            if math.isfinite(end):
                h = activation.value(TENSORS, torch.tensor([end]))
                kept = h if activation.keeps == "output" else torch.tensor([end])
                assert activation.backward(TENSORS, torch.ones(1), kept) == 0
    # Tails saturate in float64 far out, so that "constant" is looked for where they do not.
    outside = activation.value(ARRAYS, Z)
    steps = np.abs(np.diff(outside)) > 0
    assert steps[~inside[:-1] & ~inside[1:] & (np.abs(Z[1:]) < 5)].all()


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_learnable_numbers_have_their_derivatives(activation) -> None:
    """By automatic differentiation, at their first values and away from them."""
    first = activation.learnable
    z = torch.from_numpy(Z)
    kept = activation.value(TENSORS, z) if activation.keeps == "output" else z
    if not first:
        assert torch.equal(activation.value_at(TENSORS, z, []), activation.value(TENSORS, z))
        slope, by_numbers = activation.backward_at(TENSORS, torch.ones_like(z), kept, [])
        assert torch.equal(slope, activation.backward(TENSORS, torch.ones_like(z), kept))
        assert by_numbers == []
        return
    for shift in (0.0, 0.3):
        numbers = [torch.tensor(c + shift * (k + 1), dtype=z.dtype) for k, c in enumerate(first)]
        free = [number.requires_grad_() for number in numbers]
        inner = z.clone().requires_grad_()
        h = activation.value_at(Differentiable(), inner, free)
        slopes = torch.autograd.grad(h.sum(), [inner, *free])
        derivative = activation.backward_at(
            TENSORS, torch.full_like(z, 2.0), z, [number.detach() for number in numbers]
        )
        torch.testing.assert_close(derivative[0], 2 * slopes[0], rtol=1e-10, atol=1e-10)
        for ours, theirs in zip(derivative[1], slopes[1:], strict=True):
            torch.testing.assert_close(ours.sum(), 2 * theirs, rtol=1e-10, atol=1e-10)
        if not shift:
            torch.testing.assert_close(h.detach(), activation.value(TENSORS, z))


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_nan_stays(activation) -> None:
    for value in (
        activation.value(ARRAYS, np.array([np.nan])),
        activation.value(TENSORS, torch.tensor([math.nan])),
    ):
        assert np.isnan(np.asarray(value)).all()


def name_in_torch(activation) -> str:
    name = type(activation).__name__
    return OTHER_NAMES.get(name, name)


@pytest.mark.parametrize(
    "activation", [a for a in ACTIVATIONS if hasattr(torch.nn, name_in_torch(a))], ids=str
)
def test_it_is_what_torch_calls_so(activation) -> None:
    twin = getattr(torch.nn, name_in_torch(activation))
    z = torch.from_numpy(Z)
    torch.testing.assert_close(activation.value(TENSORS, z), twin()(z), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("slope", [0.1, 1.0, 2.0])
def test_a_leaky_relu_may_be_steeper_below_0_than_above(slope) -> None:
    z = torch.from_numpy(Z)
    wanted = torch.nn.LeakyReLU(slope)(z)
    torch.testing.assert_close(LeakyReLU(slope).value(TENSORS, z), wanted, rtol=0, atol=0)


def test_hermite_polynomials_are_orthonormal_under_a_normal_input() -> None:
    """By Gauss-Hermite quadrature, exact for these degrees."""
    z, weight = np.polynomial.hermite_e.hermegauss(30)
    weight = weight / weight.sum()
    unit = [Hermite((0.0,) * k + (1.0,) + (0.0,) * (k == 0)) for k in range(1, 5)]
    values = np.stack([np.ones(len(z))] + [h.value(ARRAYS, z) for h in unit])
    np.testing.assert_allclose((values * weight) @ values.T, np.eye(5), atol=1e-10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hermite((1.0,)), r"two or more numbers, got \(1.0,\)"),
        (lambda: Hermite((1.0, 0.0)), "must not all be 0 after the first"),
        (lambda: Hermite((1.0, math.nan)), "coefficients must be a finite number, got nan"),
        (lambda: Hermite(trainable=1), "trainable must be True or False, got 1"),
        (lambda: LeakyReLU(0), "negative_slope must be a finite number > 0, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message) -> None:
    with pytest.raises(InputError, match=message):
        make()
