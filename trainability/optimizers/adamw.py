"""Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.optimizers.adam import AdamLike
from trainability.optimizers.base import Idle
from trainability.optimizers.schedules import CONSTANT, Schedule
from trainability.schemes.base import number_problem

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class AdamW(AdamLike):
    """Adam, whose every update first shrinks the parameter by learning_rate * weight_decay.

    Args:
        learning_rate: > 0.
        beta1: Within [0, 1).
        beta2: Within [0, 1).
        epsilon: > 0.
        weight_decay: >= 0, of weights and biases; learning_rate * weight_decay must stay below
            1. The default is that of `torch.optim.AdamW`, as are the others.
        schedule: Of the step size, and so of the decay.

    Source: Loshchilov & Hutter (2019), algorithm 2, as in `torch.optim.AdamW`.
    """

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    schedule: Schedule = CONSTANT

    def __post_init__(self) -> None:
        problems = self.setting_problems()
        problems += number_problem("AdamW", "weight_decay", self.weight_decay, at_least=0)
        if not problems and self.learning_rate * self.weight_decay >= 1:
            problems.append(
                "AdamW learning_rate * weight_decay must be below 1, or parameters change their "
                f"sign; got {self.learning_rate!r} * {self.weight_decay!r}"
            )
        refuse(problems)

    @property
    def idle(self) -> Idle:  # type: ignore[override]
        return "shrinks" if self.weight_decay else "stays"

    def factors(self, start: int, stop: int) -> np.ndarray:
        scale = self.schedule.scale(np.arange(start, stop))
        decay = 1 - self.learning_rate * self.weight_decay * scale
        return np.column_stack([self.step_factors(start, stop), decay.astype(np.float32)])

    def update(
        self,
        on: Arithmetic,
        parameter: Number,
        gradient: Number,
        moments: MutableSequence[Number],
        numbers: Sequence[Number],
        factors: Sequence[Number],
    ) -> Number:
        direction = self.direction(on, gradient, moments, numbers, factors[1])
        return on.fma(factors[0], direction, parameter * factors[2])
