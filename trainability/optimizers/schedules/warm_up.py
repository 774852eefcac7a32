"""A slow start."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.optimizers.schedules.base import Schedule, schedule_problem, step_problem
from trainability.optimizers.schedules.constant import CONSTANT


@dataclass(frozen=True, repr=False)
class WarmUp(Schedule):
    """1/steps, 2/steps, ..., 1, and from then on another schedule, which starts there.

    Args:
        steps: How long it takes, >= 1.
        then: What follows.

    Source: Goyal et al. (2017), gradual warm-up.
    """

    steps: int
    then: Schedule = CONSTANT

    def __post_init__(self) -> None:
        problems = step_problem("WarmUp", "steps", self.steps)
        refuse(problems + schedule_problem("WarmUp", "then", self.then))

    def scale(self, step: np.ndarray) -> np.ndarray:
        after = self.then.scale(np.maximum(step - self.steps, 0))
        return np.where(step < self.steps, (step + 1) / self.steps, after)
