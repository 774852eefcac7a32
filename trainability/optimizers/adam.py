"""Adam."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.errors import refuse
from trainability.identity import younger
from trainability.lazy import numpy as np
from trainability.optimizers.base import Optimizer
from trainability.optimizers.schedules import CONSTANT, Schedule
from trainability.optimizers.schedules.base import schedule_problem
from trainability.schemes.base import number_problem

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


class AdamLike(Optimizer):
    """Settings, numbers and direction; how the direction enters the update is the variant's."""

    beta1: float
    beta2: float
    epsilon: float
    schedule: Schedule

    n_moments: ClassVar[int] = 2

    def setting_problems(self) -> list[str]:
        """What is wrong with the settings that Adam and its variants share."""
        owner = type(self).__name__
        problems = number_problem(owner, "learning_rate", self.learning_rate, above=0)
        problems += number_problem(owner, "epsilon", self.epsilon, above=0)
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            wrong = number_problem(owner, name, value, at_least=0)
            if not wrong and value >= 1:
                wrong.append(f"{owner} {name} must be below 1, got {value!r}")
            problems += wrong
        return problems + schedule_problem(owner, "schedule", self.schedule)

    def numbers(self) -> Sequence[float]:
        """beta1, 1 - beta1, beta2, 1 - beta2 and epsilon."""
        return [self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2, self.epsilon]

    def step_factors(self, start: int, stop: int) -> np.ndarray:
        """Per step the negative step size and the factor of the root of v: float32, (steps, 2)."""
        t = np.arange(start + 1, stop + 1)
        scale = self.schedule.scale(np.arange(start, stop))
        step_sizes = -self.learning_rate * scale / (1 - self.beta1**t)
        return np.stack([step_sizes, (1 - self.beta2**t) ** -0.5], axis=1).astype(np.float32)

    def direction(
        self,
        on: Arithmetic,
        gradient: Number,
        moments: MutableSequence[Number],
        numbers: Sequence[Number],
        correction: Number,
    ) -> Number:
        """m / (sqrt(v) * correction + epsilon), with m and v brought up to date."""
        beta1, one_minus_beta1, beta2, one_minus_beta2, epsilon = numbers[:5]
        m = on.fma(beta1, moments[0], one_minus_beta1 * gradient)
        v = on.fma(beta2, moments[1], one_minus_beta2 * gradient * gradient)
        # A dead neuron's moments shrink to the smallest float and would stay there.
        m, v = on.without_denormals(m), on.without_denormals(v)
        moments[0] = m
        moments[1] = v
        return m / on.fma(on.sqrt(v), correction, epsilon)


@dataclass(frozen=True)
class Adam(AdamLike):
    """Adam with bias correction.

    m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
    parameter -= learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).

    Source: Kingma & Ba (2015), algorithm 1, as in `torch.optim.Adam`, whose defaults these are.
    """

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    schedule: Schedule = younger(CONSTANT, since=1)

    def __post_init__(self) -> None:
        refuse(self.setting_problems())

    def factors(self, start: int, stop: int) -> np.ndarray:
        return self.step_factors(start, stop)

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
        return on.fma(factors[0], direction, parameter)
