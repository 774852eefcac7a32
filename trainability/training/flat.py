"""Networks as rows of numbers, which is what fused kernels read and write."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from trainability.activations import RELU, Activation
from trainability.networks import Ensemble


def flattened(ensemble: Ensemble) -> Tensor:
    """W1, b1, W2, b2, ... of every network: float32, shape (R, parameters), a copy."""
    assert not ensemble.learnable, "no fused kernel trains these"
    tensors = [tensor.to(torch.float32).flatten(1) for tensor in ensemble.parameters]
    return torch.cat(tensors, dim=1)


def unflattened(rows: Tensor, sizes: tuple[int, ...], activation: Activation = RELU) -> Ensemble:
    """The networks of these sizes that the rows hold, as copies."""
    weights, biases = [], []
    first = 0
    for into, out in pairwise(sizes):
        middle, last = first + into * out, first + into * out + out
        weights.append(rows[:, first:middle].reshape(-1, out, into).clone())
        biases.append(rows[:, middle:last].clone())
        first = last
    return Ensemble(tuple(weights), tuple(biases), activation)
