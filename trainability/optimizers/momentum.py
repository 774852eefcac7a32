"""What gradient descent with momentum shares with its variants."""

from __future__ import annotations

from collections.abc import Sequence

from trainability.lazy import numpy as np
from trainability.optimizers.base import Optimizer
from trainability.optimizers.schedules import Schedule
from trainability.optimizers.schedules.base import schedule_problem
from trainability.schemes.base import number_problem


class WithMomentum(Optimizer):
    """Settings, numbers and factors; how the momentum enters the update is the variant's."""

    momentum: float
    schedule: Schedule

    def setting_problems(self) -> list[str]:
        """What is wrong with a learning rate, a momentum and a schedule."""
        owner = type(self).__name__
        problems = number_problem(owner, "learning_rate", self.learning_rate, above=0)
        wrong = number_problem(owner, "momentum", self.momentum, at_least=0)
        if not wrong and self.momentum >= 1:
            wrong.append(f"{owner} momentum must be below 1, got {self.momentum!r}")
        return problems + wrong + schedule_problem(owner, "schedule", self.schedule)

    def numbers(self) -> Sequence[float]:
        """The momentum."""
        return [self.momentum]

    def factors(self, start: int, stop: int) -> np.ndarray:
        """Per step the negative step size: float32, shape (stop - start, 1)."""
        scale = self.schedule.scale(np.arange(start, stop))
        return (-self.learning_rate * scale[:, None]).astype(np.float32)
