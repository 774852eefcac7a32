"""Half a cosine wave."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.optimizers.schedules.base import Schedule, step_problem
from trainability.schemes.base import number_problem


@dataclass(frozen=True, repr=False)
class Cosine(Schedule):
    """From 1 down to `final` along half a cosine wave, and `final` from then on.

    Args:
        steps: How long it takes, >= 1: in most studies `max_steps`.
        final: Where it ends, within [0, 1].

    Source: Loshchilov & Hutter (2017), SGDR, without restarts.
    """

    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        problems = step_problem("Cosine", "steps", self.steps)
        problems += number_problem("Cosine", "final", self.final, at_least=0)
        if not problems and self.final > 1:
            problems.append(f"Cosine final must be at most 1, got {self.final!r}")
        refuse(problems)

    def scale(self, step: np.ndarray) -> np.ndarray:
        done = np.minimum(step / self.steps, 1)
        return self.final + (1 - self.final) * (1 + np.cos(np.pi * done)) / 2
