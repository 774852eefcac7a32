"""Gradient descent, with or without momentum."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trainability.errors import refuse
from trainability.identity import younger
from trainability.optimizers.base import Optimizer
from trainability.optimizers.schedules import CONSTANT, Schedule
from trainability.schemes.base import number_problem

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: v = momentum * v + g; parameter -= learning_rate * v.

    Source: Polyak (1964) as in `torch.optim.SGD`, without dampening; plain gradient descent at
    momentum 0.
    """

    learning_rate: float
    momentum: float = 0.0
    schedule: Schedule = younger(CONSTANT, since=1)

    def __post_init__(self) -> None:
        refuse(momentum_problems(self) + schedule_problems(self))

    @property
    def n_moments(self) -> int:  # type: ignore[override]
        return int(self.momentum > 0)

    def numbers(self) -> Sequence[float]:
        return [self.momentum]

    def factors(self, start: int, stop: int) -> np.ndarray:
        scale = self.schedule.scale(np.arange(start, stop))
        return (-self.learning_rate * scale[:, None]).astype(np.float32)

    def update(
        self,
        on: Arithmetic,
        parameter: Number,
        gradient: Number,
        moments: MutableSequence[Number],
        numbers: Sequence[Number],
        factors: Sequence[Number],
    ) -> Number:
        direction = gradient
        if self.n_moments:
            direction = on.fma(numbers[0], moments[0], direction)
            direction = on.without_denormals(direction)
            moments[0] = direction
        return on.fma(factors[0], direction, parameter)


def momentum_problems(optimizer: Any) -> list[str]:
    """What is wrong with a learning rate and a momentum."""
    owner = type(optimizer).__name__
    problems = number_problem(owner, "learning_rate", optimizer.learning_rate, above=0)
    wrong = number_problem(owner, "momentum", optimizer.momentum, at_least=0)
    if not wrong and optimizer.momentum >= 1:
        wrong.append(f"{owner} momentum must be below 1, got {optimizer.momentum!r}")
    return problems + wrong


def schedule_problems(optimizer: Any) -> list[str]:
    """What is wrong with a schedule."""
    if isinstance(optimizer.schedule, Schedule):
        return []
    return [
        f"{type(optimizer).__name__} schedule must be a schedule, such as Cosine(steps=1000), "
        f"got {optimizer.schedule!r}"
    ]
