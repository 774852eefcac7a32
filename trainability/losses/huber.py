"""The Huber loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.lazy import numpy as np
from trainability.losses.base import Loss
from trainability.schemes.base import settle

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class Huber(Loss):
    """Quadratic for small errors e, linear for large: e^2 / 2, or delta (|e| - delta / 2).

    Args:
        delta: Where the two meet, > 0; 1 as in `torch.nn.HuberLoss`.

    Source: Huber (1964).
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        settle(self, above={"delta": 0})

    def accumulate(
        self,
        on: Arithmetic,
        outputs: list[Number],
        targets: list[Number],
        scale: Number,
        total: Number,
    ) -> tuple[list[Number], Number]:
        error = outputs[0] - targets[0]
        limit = on.constant(self.delta)
        clipped = on.minimum(on.maximum(error, -limit), limit)
        delta = clipped * scale
        # With c the clipped error: c^2 / 2 + c (e - c) in both cases.
        return [delta], on.fma(delta, error - clipped * 0.5, total)

    def of_constant(self, y: np.ndarray) -> float:
        y = np.asarray(y, dtype=np.float64)
        low, high = y.min(axis=0), y.max(axis=0)
        # Convex, so ternary search finds it, to rounding.
        for _ in range(100):
            left, right = (2 * low + high) / 3, (low + 2 * high) / 3
            left_is_better = self._at(y, left) < self._at(y, right)
            low = np.where(left_is_better, low, left)
            high = np.where(left_is_better, right, high)
        return float(np.mean(self._at(y, (low + high) / 2))) * (1 - 1e-9)

    def _at(self, y: np.ndarray, constant: np.ndarray) -> np.ndarray:
        """The loss of each output at a constant of its own, shape (d_out,)."""
        error = y - constant
        clipped = np.clip(error, -self.delta, self.delta)
        return np.mean(clipped * (error - clipped / 2), axis=0)
