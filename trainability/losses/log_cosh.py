"""The log-cosh loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.lazy import numpy as np
from trainability.losses.base import Loss

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class LogCosh(Loss):
    """log cosh of the error, mean over points and outputs: smooth where Huber has its corners.

    Source: as `keras.losses.LogCosh`.
    """

    functions: ClassVar = frozenset({"exp", "log1p", "tanh"})

    def accumulate(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        error = outputs[0] - targets[0]
        size = on.absolute(error)
        # log cosh e = |e| + log1p(exp(-2 |e|)) - log 2: nothing overflows.
        value = size + on.log1p(on.exp(size * -2.0)) - on.constant(math.log(2))
        return [on.tanh(error) * scale], on.fma(value, scale, total)

    def of_constant(self, y: np.ndarray) -> float:
        y = np.asarray(y, dtype=np.float64)
        return float(np.mean([_least(column) for column in y.T])) * (1 - 1e-9)


def _least(targets: np.ndarray) -> float:
    """The loss at the constant at which the mean slope, the tanh of the errors, vanishes."""
    low, high = targets.min(), targets.max()
    best = low
    if low < high:
        from scipy.optimize import brentq  # its import takes longer than declaring a study

        best = brentq(lambda constant: np.tanh(constant - targets).mean(), low, high)
    return float(np.logaddexp(targets - best, best - targets).mean() - math.log(2))
