"""The same step size throughout."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.lazy import numpy as np
from trainability.optimizers.schedules.base import Schedule


@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """1 at every step."""

    def scale(self, step: np.ndarray) -> np.ndarray:
        return np.ones(len(step))


CONSTANT = Constant()
"""The schedule of an optimizer that names none."""
