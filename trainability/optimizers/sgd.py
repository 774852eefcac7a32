"""Gradient descent, with or without momentum."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.errors import refuse
from trainability.identity import younger
from trainability.optimizers.momentum import WithMomentum
from trainability.optimizers.schedules import CONSTANT, Schedule

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class SGD(WithMomentum):
    """Gradient descent: v = momentum * v + g; parameter -= learning_rate * v.

    Source: Polyak (1964) as in `torch.optim.SGD`, without dampening; plain gradient descent at
    momentum 0.
    """

    learning_rate: float
    momentum: float = 0.0
    schedule: Schedule = younger(CONSTANT, since=1)

    def __post_init__(self) -> None:
        refuse(self.setting_problems())

    @property
    def n_moments(self) -> int:  # type: ignore[override]
        return int(self.momentum > 0)

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
