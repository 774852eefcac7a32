"""How much networks still make of their data, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from trainability.activations import Activation
from trainability.arithmetic.tensors import TENSORS
from trainability.networks import Ensemble, numbers_of

_MOST_OUTPUTS = 2**24


@dataclass(frozen=True)
class Sensitivity:
    """What the hidden layers of R networks make of some points, shape (R, hidden layers) each.

    Of copies of a module the output h_k of the k-th hidden layer is what its layer k + 1 takes in,
    of Linear and convolution layers in the order of use.

    Args:
        variance: V_k = trace Cov_x h_k(x) / E_x |h_k(x)|^2 over the points, of the output h_k of
            the k-th hidden layer: within [0, 1], 0 for a layer that is constant, also for one
            that is 0. NaN where the output is not finite.
        log_scale: Logarithm, base 10, of the mean square of the numbers of h_k over that of the
            inputs: 0 where a layer keeps it. Of a module with several inputs, over that of the
            first. NaN where h_k is 0 or not finite.
        cosine: Mean cosine of the angle between h_k at two points, over all pairs at which it is
            not 0; where an example has several places, such as nodes of a graph or pixels, between
            two places of one example. Within [-1, 1]; 1 says that a layer tells nothing apart
            but by length, which is called oversmoothing. NaN without such a pair.
        living: Share of the points that live: at which every hidden layer up to the k-th has a
            neuron that is on no flat piece of its activation. None of copies of a module.

    Source: Rister & Rubin (2020), arXiv 2007.06192; the variance in its first version,
        "Probabilistic bounds on data sensitivity in deep rectifier networks". Scale and cosine:
        DeZoort & Hanin (2023), arXiv 2306.11668, who follow both through graph networks.
    """

    variance: np.ndarray
    log_scale: np.ndarray
    cosine: np.ndarray
    living: np.ndarray | None = None


def data_sensitivity(ensemble: Ensemble, x: np.ndarray) -> Sensitivity:
    """What the hidden layers of networks make of the points x of shape (N, d_in)."""
    points = torch.as_tensor(x)
    at_once = max(1, _MOST_OUTPUTS // (len(x) * max(ensemble.widths)))
    parts = [
        _of(ensemble[start : start + at_once], points)
        for start in range(0, ensemble.n_networks, at_once)
    ]
    measured, living = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
    return sensitivity_of(measured, points, living.numpy())


def sensitivity_of(
    measured: torch.Tensor, inputs: torch.Tensor, living: np.ndarray | None = None
) -> Sensitivity:
    """What was measured of layers, as such.

    Args:
        measured: From `of_layer`, shape (R, hidden layers, 3).
        inputs: Over whose mean square the scale is taken.
        living: As `Sensitivity` has it.
    """
    variance, square, cosine = measured.double().cpu().numpy().transpose(2, 0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scale = np.log10(square) - np.log10(float(inputs.double().square().mean()))
    log_scale = np.where(np.isfinite(log_scale), log_scale, np.nan)
    return Sensitivity(variance, log_scale, cosine, living)


def of_layer(h: torch.Tensor) -> torch.Tensor:
    """Variance, mean square and mean cosine of the output of a layer: float64, shape (..., 3).

    Args:
        h: Shape (..., N, P, W) for N points of P places each.
    """
    h = h.double()
    return torch.stack([_variance(h), h.square().mean(dim=(-3, -2, -1)), _cosine(h)], dim=-1)


def _of(ensemble: Ensemble, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    h = points.expand(ensemble.n_networks, *points.shape)
    alive = torch.ones(h.shape[:2], dtype=torch.bool)
    measured, shares = [], []
    with torch.no_grad():
        for layer, (weight, bias) in enumerate(
            zip(ensemble.weights[:-1], ensemble.biases[:-1], strict=True)
        ):
            z = torch.baddbmm(bias.unsqueeze(1), h, weight.mT)
            numbers = numbers_of(ensemble.learnable[layer]) if ensemble.learnable else []
            h = ensemble.activation.value_at(TENSORS, z, numbers)
            measured.append(of_layer(h.unsqueeze(2)))
            alive = alive & (~_flat(ensemble.activation, z)).any(dim=2)
            shares.append(alive.double().mean(dim=1))
    return torch.stack(measured, dim=1), torch.stack(shares, dim=1)


def _variance(h: torch.Tensor) -> torch.Tensor:
    """trace Cov / E |h|^2 over the points, of the numbers of all their places."""
    spread = (h - h.mean(dim=-3, keepdim=True)).square().mean(dim=-3).sum(dim=(-2, -1))
    size = h.square().mean(dim=-3).sum(dim=(-2, -1))
    return torch.where(size > 0, spread / size, torch.where(size.isnan(), size, 0.0))


def _cosine(h: torch.Tensor) -> torch.Tensor:
    """The mean cosine between places of one point, or between points that have one place."""
    if h.shape[-2] == 1:
        h = h.transpose(-3, -2)
    length = h.norm(dim=-1, keepdim=True)
    zero = length == 0
    directions = h / torch.where(zero, torch.ones_like(length), length)
    n = (~zero).double().sum(dim=(-2, -1))
    # Over ordered pairs: the square of the sum has all, and each direction with itself.
    total = (directions.sum(dim=-2).square().sum(dim=-1) - n).sum(dim=-1)
    return total / (n * (n - 1)).sum(dim=-1)


def _flat(activation: Activation, z: torch.Tensor) -> torch.Tensor:
    flat = torch.zeros_like(z, dtype=torch.bool)
    for low, high in activation.flat:
        flat |= (z >= low) & (z <= high)
    return flat
