"""A staircase."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.optimizers.schedules.base import Schedule, step_problem
from trainability.schemes.base import number_problem


@dataclass(frozen=True, repr=False)
class Steps(Schedule):
    """factor^k after k times `every` steps, as `torch.optim.lr_scheduler.StepLR`.

    Args:
        every: Steps between two changes, >= 1.
        factor: What the step size is multiplied with then, within (0, 1].
    """

    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        problems = step_problem("Steps", "every", self.every)
        problems += number_problem("Steps", "factor", self.factor, above=0)
        if not problems and self.factor > 1:
            problems.append(f"Steps factor must be at most 1, got {self.factor!r}")
        refuse(problems)

    def scale(self, step: np.ndarray) -> np.ndarray:
        return self.factor ** (step // self.every).astype(float)
