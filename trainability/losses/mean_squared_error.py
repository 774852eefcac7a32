"""The mean squared error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.lazy import numpy as np
from trainability.losses.base import Loss

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """The mean of (output - target)^2 over points and outputs, as `torch.nn.MSELoss`."""

    factor: ClassVar[float] = 0.5
    best_constant: ClassVar = "the mean of the targets"

    def scale(self, n_points: int, d_out: int) -> float:
        return 2 / (n_points * d_out)

    def accumulate(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        difference = outputs[0] - targets[0]
        delta = difference * scale
        return [delta], on.fma(delta, difference, total)

    def of_constant(self, y: np.ndarray) -> float:
        y = np.asarray(y, dtype=np.float64)
        return float(np.mean((y - y.mean(axis=0)) ** 2))


MEAN_SQUARED_ERROR = MeanSquaredError()
"""The loss of a training that names none."""
