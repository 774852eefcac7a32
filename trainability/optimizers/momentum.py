"""What gradient descent with momentum shares with its variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from trainability.optimizers.schedules import Schedule
from trainability.schemes.base import number_problem


class WithMomentum(Protocol):
    """The settings that gradient descent and its variants share."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def momentum(self) -> float: ...
    @property
    def schedule(self) -> Schedule: ...


def momentum_problems(optimizer: WithMomentum) -> list[str]:
    """What is wrong with a learning rate, a momentum and a schedule."""
    owner = type(optimizer).__name__
    problems = number_problem(owner, "learning_rate", optimizer.learning_rate, above=0)
    wrong = number_problem(owner, "momentum", optimizer.momentum, at_least=0)
    if not wrong and optimizer.momentum >= 1:
        wrong.append(f"{owner} momentum must be below 1, got {optimizer.momentum!r}")
    return problems + wrong + schedule_problems(optimizer)


def momentum_numbers(optimizer: WithMomentum) -> Sequence[float]:
    """The momentum."""
    return [optimizer.momentum]


def momentum_factors(optimizer: WithMomentum, start: int, stop: int) -> np.ndarray:
    """Per step the negative step size: float32, shape (stop - start, 1)."""
    scale = optimizer.schedule.scale(np.arange(start, stop))
    return (-optimizer.learning_rate * scale[:, None]).astype(np.float32)


def schedule_problems(optimizer: Any) -> list[str]:
    """What is wrong with a schedule."""
    if isinstance(optimizer.schedule, Schedule):
        return []
    return [
        f"{type(optimizer).__name__} schedule must be a schedule, such as Cosine(steps=1000), "
        f"got {optimizer.schedule!r}"
    ]
