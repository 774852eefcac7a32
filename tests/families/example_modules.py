"""Modules as users write them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainability import SGD, Module
from trainability.schemes import He
from trainability.study import Cell
from trainability.tasks import AbsoluteValue


def mlp(width: int) -> nn.Module:
    """The fully connected network of depth 3."""
    return nn.Sequential(
        nn.Linear(1, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
    )


class Normalized(nn.Module):
    """Batch normalization, dropout and a skip connection."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.first = nn.Linear(1, 4)
        self.norm = nn.BatchNorm1d(4)
        self.second = nn.Linear(4, 4)
        self.drop = nn.Dropout(p)
        self.last = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.norm(self.first(x)))
        return self.last(self.drop(h + F.relu(self.second(h))))


class Deciding(nn.Module):
    """Takes a way that depends on its numbers, which can't be stacked."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(1, 4)
        self.last = nn.Linear(4, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.first(x))
        return self.last(h) if h.sum() > 0 else -self.last(h)


def cell_of(module: Module | None, **values) -> Cell:
    """A cell that is trained in a moment."""
    defaults: dict[str, Any] = dict(
        task=AbsoluteValue(n_train=8), scheme=He(), width=None, depth=None,
        optimizer=SGD(learning_rate=0.05), batch_size=None, max_steps=20, tolerance=1e-2, seed=3,
    )  # fmt: skip
    chosen: dict[str, Any] = {**defaults, "network": module, **values}
    return Cell(**chosen)
