"""Modules for the tests, written down by hand, and data for them."""

import itertools

import numpy as np
import torch
from torch import nn

LINE = torch.linspace(-1, 1, 9)[:, None]


def points(n, d, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal((n, d)), dtype=torch.float32)


def images(n=6, seed=0):
    return points(n, 2 * 6 * 6, seed).reshape(n, 2, 6, 6)


def linear(weight, bias):
    layer = nn.Linear(len(weight[0]), len(weight))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    return layer


def hand_made(*between):
    """One input, 2 + 3 neurons; on [-1, 1]: a living, a dead; then dead by signs, by 0, and not."""
    return nn.Sequential(
        linear([[1.0], [1.0]], [0.0, -2.0]),
        nn.ReLU(),
        *between,
        linear([[-1.0, -1.0], [-1.0, 1.0], [-1.0, 0.0]], [-1.0, -1.0, 2.0]),
        nn.ReLU(),
        nn.Linear(3, 1),
    )


def mlp(*sizes, act=nn.ReLU):
    """Linear layers of these sizes with an activation between them."""
    parts = []
    for fan_in, fan_out in itertools.pairwise(sizes[:-1]):
        parts += [nn.Linear(fan_in, fan_out), act()]
    return nn.Sequential(*parts, nn.Linear(*sizes[-2:]))
