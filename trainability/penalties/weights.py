"""What penalties of the weights share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.penalties.base import Penalty
from trainability.schemes.base import settle

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class WeightPenalty(Penalty):
    """coefficient times a sum over the weights; biases are free.

    To add one: subclass, `@dataclass(frozen=True)`, `weight_gradient`.
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
        return self.weight_gradient(on, parameter, gradient, numbers[0])

    @abstractmethod
    def weight_gradient(
        self, on: Arithmetic, weight: Number, gradient: Number, coefficient: Number
    ) -> Number:
        """`gradient` plus `coefficient` times the derivative of the sum by the weight."""
