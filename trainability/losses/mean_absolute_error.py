"""The mean absolute error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.lazy import numpy as np
from trainability.losses.base import Loss

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """The mean of |output - target| over points and outputs, as `torch.nn.L1Loss`."""

    best_constant: ClassVar = "the median of the targets"

    def accumulate(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        difference = outputs[0] - targets[0]
        negative = on.where(difference < 0.0, -scale, scale)
        delta = on.where(on.absolute(difference) > 0.0, negative, scale * 0.0)
        return [delta], on.fma(on.absolute(difference), scale, total)

    def of_constant(self, y: np.ndarray) -> float:
        y = np.asarray(y, dtype=np.float64)
        return float(np.mean(np.abs(y - np.median(y, axis=0))))
