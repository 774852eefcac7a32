"""Optimizers as fused kernels see them: a rule that is compiled in, and its numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from trainability.training.optimizers import Adam, Optimizer

Rule = Literal["sgd", "momentum", "adam"]

N_MOMENTS: dict[Rule, int] = {"sgd": 0, "momentum": 1, "adam": 2}
"""Numbers that a rule keeps per parameter."""


def rule_of(optimizer: Optimizer) -> Rule:
    """What to compile for this optimizer."""
    if isinstance(optimizer, Adam):
        return "adam"
    return "momentum" if optimizer.momentum > 0 else "sgd"


def settings(optimizer: Optimizer) -> np.ndarray:
    """beta1, 1 - beta1, beta2, 1 - beta2 and epsilon, or the momentum; float32, shape (5,)."""
    if isinstance(optimizer, Adam):
        beta1, beta2 = optimizer.beta1, optimizer.beta2
        found = [beta1, 1 - beta1, beta2, 1 - beta2, optimizer.epsilon]
    else:
        found = [optimizer.momentum, 0, 0, 0, 0]
    return np.array(found, dtype=np.float32)


@lru_cache(maxsize=8)
def schedule(optimizer: Optimizer, start: int, stop: int) -> np.ndarray:
    """Per step the negative step size and the factor of the root of the second moment.

    float32, shape (stop - start, 2).
    """
    found = np.ones((stop - start, 2))
    found[:, 0] = -optimizer.learning_rate
    if isinstance(optimizer, Adam):
        t = np.arange(start + 1, stop + 1)
        found[:, 0] /= 1 - optimizer.beta1**t
        found[:, 1] = (1 - optimizer.beta2**t) ** -0.5
    return found.astype(np.float32)
