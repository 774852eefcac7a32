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

    Args:
        variance: V_k = trace Cov_x h_k(x) / E_x |h_k(x)|^2 over the points, of the output h_k of
            the k-th hidden layer: within [0, 1], 0 for a layer that is constant, also for one
            that is 0. NaN where the output is not finite.
        living: Share of the points that live: at which every hidden layer up to the k-th has a
            neuron that is on no flat piece of its activation.

    Source: Rister & Rubin (2020), arXiv 2007.06192; the variance in its first version,
        "Probabilistic bounds on data sensitivity in deep rectifier networks".
    """

    variance: np.ndarray
    living: np.ndarray


def data_sensitivity(ensemble: Ensemble, x: np.ndarray) -> Sensitivity:
    """What the hidden layers of networks make of the points x of shape (N, d_in)."""
    points = torch.as_tensor(x)
    at_once = max(1, _MOST_OUTPUTS // (len(x) * max(ensemble.widths)))
    parts = [
        _of(ensemble[start : start + at_once], points)
        for start in range(0, ensemble.n_networks, at_once)
    ]
    variance, living = (torch.cat(tensors).numpy() for tensors in zip(*parts, strict=True))
    return Sensitivity(variance, living)


def _of(ensemble: Ensemble, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    h = points.expand(ensemble.n_networks, *points.shape)
    alive = torch.ones(h.shape[:2], dtype=torch.bool)
    variances, shares = [], []
    with torch.no_grad():
        for layer, (weight, bias) in enumerate(
            zip(ensemble.weights[:-1], ensemble.biases[:-1], strict=True)
        ):
            z = torch.baddbmm(bias.unsqueeze(1), h, weight.mT)
            numbers = numbers_of(ensemble.learnable[layer]) if ensemble.learnable else []
            h = ensemble.activation.value_at(TENSORS, z, numbers)
            variances.append(_variance(h.double()))
            alive = alive & (~_flat(ensemble.activation, z)).any(dim=2)
            shares.append(alive.double().mean(dim=1))
    return torch.stack(variances, dim=1), torch.stack(shares, dim=1)


def _variance(h: torch.Tensor) -> torch.Tensor:
    """trace Cov / E |h|^2 over the points, shape (R,)."""
    spread = (h - h.mean(dim=1, keepdim=True)).square().mean(dim=1).sum(dim=1)
    size = h.square().mean(dim=1).sum(dim=1)
    return torch.where(size > 0, spread / size, torch.where(size.isnan(), size, 0.0))


def _flat(activation: Activation, z: torch.Tensor) -> torch.Tensor:
    flat = torch.zeros_like(z, dtype=torch.bool)
    for low, high in activation.flat:
        flat |= (z >= low) & (z <= high)
    return flat
