"""The squared size of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.penalties.base import Penalty
from trainability.schemes.base import settle

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class L2(Penalty):
    """coefficient / 2 times the sum of the squares of the weights; biases are free.

    Args:
        coefficient: > 0. The gradient is coefficient times the weight, as by `weight_decay` in
            `torch.optim.SGD`, which penalizes biases too.

    Source: Krogh & Hertz (1991); the biases left free as in Goodfellow, Bengio & Courville
        (2016), section 7.1.
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
        return on.fma(numbers[0], parameter, gradient) if is_weight else gradient
