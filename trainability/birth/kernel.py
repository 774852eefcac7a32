"""The neural tangent kernel of initial networks: how fast training can move them, and whither."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from trainability.networks import Ensemble

_MOST_NUMBERS = 2**23
_ROUNDING = 1e-9
"""Eigenvalues below this share of the largest count as 0: float64 through a Gram matrix."""


def tangent_kernel(ensemble: Ensemble, x: np.ndarray) -> np.ndarray:
    """Sum over the parameters and outputs of df(x_i)/dp df(x_j)/dp, divided by N.

    Layer by layer, it is the Gram matrix of the signals that come back times that of the inputs,
    plus 1 for the bias.

    Args:
        ensemble: R networks.
        x: Points, shape (N, d_in).

    Returns:
        Shape (R, N, N), float64.
    """
    weights = [weight.double() for weight in ensemble.weights]
    biases = [bias.double() for bias in ensemble.biases]
    points = torch.as_tensor(np.asarray(x, dtype=np.float64))
    h = points.expand(ensemble.n_networks, *points.shape)
    inputs, slopes = [h], []
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        value, slope = _value_and_slope(ensemble, h @ weight.mT + bias[:, None])
        inputs.append(h := value)
        slopes.append(slope)
    kernel = torch.zeros(ensemble.n_networks, len(points), len(points), dtype=torch.float64)
    for output in range(ensemble.d_out):
        back = torch.zeros(ensemble.n_networks, len(points), ensemble.d_out, dtype=torch.float64)
        back[:, :, output] = 1.0
        for layer in range(ensemble.depth - 1, -1, -1):
            kernel += (back @ back.mT) * (inputs[layer] @ inputs[layer].mT + 1)
            if layer:
                back = (back @ weights[layer]) * slopes[layer - 1]
    return (kernel / len(points)).numpy()


def tangent_kernel_features(ensemble: Ensemble, x: np.ndarray) -> dict[str, np.ndarray]:
    """Of the kernel's eigenvalues per network, as `ntk_*`.

    `ntk_smallest`, 0 where there are fewer parameters than points; `ntk_rank`, how many are not
    0, the directions in which the outputs can move; `ntk_least`, the smallest of those; and
    `ntk_largest`.
    """
    at_once = max(1, _MOST_NUMBERS // len(x) ** 2)
    values = np.concatenate(
        [
            np.linalg.eigvalsh(tangent_kernel(ensemble[start : start + at_once], x))
            for start in range(0, ensemble.n_networks, at_once)
        ]
    )
    largest = values[:, -1]
    real = values > _ROUNDING * largest[:, None]
    rank = real.sum(axis=1)
    least = np.where(real, values, np.inf).min(axis=1)
    return {
        "ntk_smallest": np.where(rank == len(x), values[:, 0], 0.0),
        "ntk_rank": rank,
        "ntk_least": np.where(np.isfinite(least), least, 0.0),
        "ntk_largest": largest,
    }


def _value_and_slope(ensemble: Ensemble, before: Tensor) -> tuple[Tensor, Tensor]:
    from trainability.arithmetic.tensors import TENSORS

    with torch.enable_grad():
        z = before.detach().requires_grad_(True)
        value = ensemble.activation.value(TENSORS, z)
        (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope
