"""The squared size of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.penalties.weights import WeightPenalty

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class L2(WeightPenalty):
    """coefficient / 2 times the sum of the squares of the weights; biases are free.

    Args:
        coefficient: > 0. The gradient is coefficient times the weight, as by `weight_decay` in
            `torch.optim.SGD`, which penalizes biases too.

    Source: Krogh & Hertz (1991); the biases left free as in Goodfellow, Bengio & Courville
        (2016), section 7.1.
    """

    def weight_gradient(
        self, on: Arithmetic, weight: Number, gradient: Number, coefficient: Number
    ) -> Number:
        return on.fma(coefficient, weight, gradient)
