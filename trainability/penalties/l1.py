"""The absolute size of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.penalties.weights import WeightPenalty

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class L1(WeightPenalty):
    """coefficient times the sum of the absolute weights; biases are free.

    Args:
        coefficient: > 0. The gradient is coefficient times the sign of the weight, 0 at 0.

    Source: Tibshirani (1996).
    """

    def weight_gradient(
        self, on: Arithmetic, weight: Number, gradient: Number, coefficient: Number
    ) -> Number:
        zero = weight * 0.0
        sign = on.where(weight < 0.0, zero - 1.0, on.where(weight > 0.0, zero + 1.0, zero))
        return on.fma(coefficient, sign, gradient)
