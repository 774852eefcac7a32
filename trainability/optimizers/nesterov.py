"""Gradient descent with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.errors import refuse
from trainability.optimizers.momentum import WithMomentum
from trainability.optimizers.schedules import CONSTANT, Schedule

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class Nesterov(WithMomentum):
    """v = momentum * v + g; parameter -= learning_rate * (g + momentum * v).

    Args:
        learning_rate: > 0.
        momentum: Within (0, 1).
        schedule: Of the step size.

    Source: Nesterov (1983) in the form of Sutskever et al. (2013), as in `torch.optim.SGD` with
    nesterov=True.
    """

    learning_rate: float
    momentum: float = 0.9
    schedule: Schedule = CONSTANT

    n_moments: ClassVar[int] = 1

    def __post_init__(self) -> None:
        problems = self.setting_problems()
        if not problems and self.momentum == 0:
            problems.append("Nesterov momentum must be above 0; without momentum use SGD")
        refuse(problems)

    def update(
        self,
        on: Arithmetic,
        parameter: Number,
        gradient: Number,
        moments: MutableSequence[Number],
        numbers: Sequence[Number],
        factors: Sequence[Number],
    ) -> Number:
        velocity = on.without_denormals(on.fma(numbers[0], moments[0], gradient))
        moments[0] = velocity
        return on.fma(factors[0], on.fma(numbers[0], velocity, gradient), parameter)
