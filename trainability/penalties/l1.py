"""The absolute size of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.penalties.base import Penalty
from trainability.schemes.base import settle

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class L1(Penalty):
    """coefficient times the sum of the absolute weights; biases are free.

    Args:
        coefficient: > 0. The gradient is coefficient times the sign of the weight, 0 at 0.

    Source: Tibshirani (1996).
    """

    coefficient: float

    def __post_init__(self) -> None:
        settle(self, above={"coefficient": 0})

    def numbers(self) -> Sequence[float]:
        return [self.coefficient]

    def gradient(
        self,
        on: Arithmetic,
        parameter: Number,
        gradient: Number,
        is_weight: bool,
        numbers: Sequence[Number],
    ) -> Number:
        if not is_weight:
            return gradient
        zero = parameter * 0.0
        sign = on.where(parameter < 0.0, zero - 1.0, on.where(parameter > 0.0, zero + 1.0, zero))
        return on.fma(numbers[0], sign, gradient)
