"""What the engine of CUDA graphs can train, and the numbers of it in its layout."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from trainability.activations import RELU
from trainability.losses import MEAN_SQUARED_ERROR
from trainability.optimizers import SGD, Adam, Optimizer
from trainability.training.contract import Problem

Rule = Literal["sgd", "momentum", "adam"]

N_MOMENTS: dict[Rule, int] = {"sgd": 0, "momentum": 1, "adam": 2}
"""Numbers that a rule keeps per parameter."""


def rules_obstacle(problem: Problem) -> str | None:
    """Which rule of a problem the engine has not, or None: what is not listed, it lacks."""
    wrong = [
        f"{problem.activation}" if problem.activation != RELU else "",
        f"{problem.loss}" if problem.loss != MEAN_SQUARED_ERROR else "",
        f"{problem.penalty}" if problem.penalty is not None else "",
        f"{problem.optimizer}" if type(problem.optimizer) not in (SGD, Adam) else "",
    ]
    refused = [rule for rule in wrong if rule]
    if not refused:
        return None
    return (
        "it trains ReLU networks on the mean squared error with SGD or Adam, without a penalty; "
        f"got {', '.join(refused)}"
    )


def rule_of(optimizer: Optimizer) -> Rule:
    """What to compile for this optimizer, SGD or Adam."""
    if isinstance(optimizer, Adam):
        return "adam"
    return "momentum" if optimizer.n_moments else "sgd"


@lru_cache(maxsize=8)
def schedule(optimizer: Optimizer, start: int, stop: int) -> np.ndarray:
    """Per step the negative step size and the factor of the root of the second moment.

    float32, shape (stop - start, 2).
    """
    factors = np.ones((stop - start, 2), dtype=np.float32)
    own = optimizer.factors(start, stop)
    factors[:, : own.shape[1]] = own
    return factors
